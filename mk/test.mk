# SPDX-License-Identifier: Apache-2.0
# Every check and test.  `make test` runs the stages below and sums them up in its
# closing line; each can be run alone.

# Our own sources, as far as they are there.
OUR_DIRS := $(PURE_DIRS) arch/* drv tools guests/* bench/* tests/*
OUR_C	:= $(wildcard $(addsuffix /*.c,$(OUR_DIRS)))
OUR_H	:= $(wildcard $(addsuffix /*.h,$(OUR_DIRS) include include/*))

# --- formatting ---
fmt: | deps-format
	clang-format -i $(OUR_C) $(OUR_H)

fmt-check: | deps-format
	$(Q)out=$$(clang-format --dry-run -Werror $(OUR_C) $(OUR_H) 2>&1) || \
		{ printf '%s\n' "$$out" | sed -n 's/^\([^ :]*:[0-9]*\):.* error:.*/  \1/p' | uniq >&2; \
		  echo 'not as .clang-format wants it; try: make fmt' >&2; exit 1; }

# --- lint ---
# clang reads the image's sources with the flags that gcc compiles them with.
CLANG_CFLAGS = $(filter-out -fno-omit-frame-pointer,$(IMAGE_CFLAGS)) -target $(CLANG_TARGET) \
	-nostdlibinc -idirafter include/libc $(IMAGE_INC)
IMAGE_C	:= $(filter %.c,$(IMAGE_SRC))
HOST_C	:= $(wildcard tools/*.c)
# $(call tidy,FILES,FLAGS): one process a file, for clang-tidy forgets nothing between
# files; what it counts on stderr nobody needs.
tidy	= printf '%s\n' $1 | xargs -r -P2 -I{} sh -c \
	"clang-tidy --quiet --warnings-as-errors='*' {} -- $2 2>&1 | { ! grep -v -E ' generated\.$$|^Error while'; }"

# A second compiler's opinion, as errors.
clang-check: $(THIRD) | deps-lint
	$(Q)printf '%s\n' $(IMAGE_C) | xargs -r -P2 -n4 clang $(CLANG_CFLAGS) -fsyntax-only

tidy: $(THIRD) | deps-lint
	$(Q)$(call tidy,$(IMAGE_C),$(CLANG_CFLAGS))
	$(Q)$(call tidy,$(HOST_C),$(filter-out -MMD -MP,$(HOST_CFLAGS)))

lint: clang-check tidy
clippy: lint

# Each public header compiles alone.
HV_H	:= $(wildcard include/hv/*.h)
check-headers: $(THIRD) | deps-$(ARCH)
	$(Q)for h in $(HV_H:include/%=%); do \
		echo "#include <$$h>" | $(CC_TARGET) $(filter-out -MMD -MP,$(CFLAGS_ALL)) \
			-fsyntax-only -x c - || exit 1; done

# --- host programs: axvmconfig, and the official TOML cases ---
PYTEST	:= $(PYTHON) -B -m pytest -q -p no:cacheprovider
TOML_JSON := $(HOST_OUT)/toml_json
INSN_LIST := $(HOST_OUT)/insn_list
hosttest: $(AXVMCONFIG) $(TOML_JSON) $(INSN_LIST) toml-cases | deps-pytest deps-aarch64
	$(Q)mkdir -p $(RESULTS)
	$(Q)AXVMCONFIG=$(abspath $(AXVMCONFIG)) TOML_JSON=$(abspath $(TOML_JSON)) \
		TOML_TEST=$(abspath $(TOML_TEST)) INSN_LIST=$(abspath $(INSN_LIST)) \
		$(PYTEST) --junitxml=$(RESULTS)/host.xml $(wildcard tests/toml tests/insn tests/host)

# --- system tests: the image on QEMU ---
systest: build | deps-pytest deps-disk deps-run-$(ARCH)
	$(Q)mkdir -p $(RESULTS)
	$(Q)$(PYTEST) -n 2 --junitxml=$(RESULTS)/system.xml tests/system

# --- all of it ---
RESULTS	:= $(BUILD)/results
test:
	@$(PYTHON) tools/testall.py $(RESULTS) '$(MAKE)'

.PHONY: fmt fmt-check clang-check tidy lint clippy check-headers hosttest systest test
