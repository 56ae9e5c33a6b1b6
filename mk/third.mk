# SPDX-License-Identifier: Apache-2.0
# Third-party sources: fetched once by their registry's own client, pinned by
# version and hash, unpacked under $(DL), never copied into the tree.
#
# Each folder keeps only what we compile; the configuration headers are ours
# (include/libfdt_env.h, fs/ffconf.h), so those of the archives are left out.

LIBFDT	:= $(DL)/libfdt-1.7.2.post1
FATFS	:= $(DL)/fatfs-0.1.16
TOML_TEST := $(DL)/toml-test-1.6.0

LIBFDT_SRC := $(addprefix $(LIBFDT)/,fdt.c fdt_addresses.c fdt_check.c fdt_empty_tree.c \
	fdt_ro.c fdt_rw.c fdt_strerror.c fdt_sw.c fdt_wip.c)
FATFS_SRC := $(addprefix $(FATFS)/,ff.c ffunicode.c)
THIRD_SRC := $(LIBFDT_SRC) $(FATFS_SRC)
THIRD	:= $(LIBFDT)/.done $(FATFS)/.done
# -isystem: their headers are not held to our warnings.
THIRD_INC := -isystem $(LIBFDT) -isystem $(FATFS) -Ifs
# -w: nor are their sources.
THIRD_CFLAGS := -w

$(THIRD_SRC): | $(THIRD) ;

$(LIBFDT)/.done: | deps-third
	$(call say,FETCH,libfdt)
	$(Q)$(PYTHON) mk/fetch.py $(@D) pylibfdt==1.7.2.post1 \
		08ec69755f7565dc25e4e640e0315795888d4caeb7f146de4e05bf12b03c94c8 \
		libfdt fdt.h libfdt.h libfdt_internal.h $(notdir $(LIBFDT_SRC))

$(FATFS)/.done: | deps-third
	$(call say,FETCH,FatFs)
	$(Q)$(PYTHON) mk/fetch.py $(@D) fatfs-ng==0.1.16 \
		86dc7b951c24ae60d5e49bc0c3ca8c535772756e80082595529223a7b9f8fe0a \
		foreign/fatfs/source ff.h diskio.h $(notdir $(FATFS_SRC))

# The official TOML cases.  The sum is the module's own (go.sum), so no other
# authority need be asked.
TOML_TEST_SUM := h1:lZ9cKL1MmS9iXA8O8pjYSPg8F4afigKluaxxxjQkRJ8=
toml-cases: $(TOML_TEST)/.done
$(TOML_TEST)/.done: | deps-toml
	$(call say,FETCH,toml-test)
	$(Q)mkdir -p $(DL)
	$(Q)GOFLAGS=-modcacherw GONOSUMDB='*' GOMODCACHE=$(abspath $(DL))/go \
		go mod download -json github.com/toml-lang/toml-test@v1.6.0 >$(TOML_TEST).json
	$(Q)grep -qF '"Sum": "$(TOML_TEST_SUM)"' $(TOML_TEST).json || \
		{ echo "toml-test v1.6.0: its hash is not the pinned one" >&2; exit 1; }
	$(Q)rm -rf $(TOML_TEST) && cp -r $(DL)/go/github.com/toml-lang/toml-test@v1.6.0 $(TOML_TEST)
	$(Q)touch $@

.PHONY: toml-cases
