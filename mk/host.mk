# SPDX-License-Identifier: Apache-2.0
# The pure sources: product code that also compiles on the build machine.  They
# make the host programs (here) and the unit tests (mk/test.mk, with sanitizers).

PURE_DIRS := lib config image dev core fs shell
# Files of the other folders that touch no register but through a seam: page-table
# formats, PSCI, and drivers (hv/mmio.h: models answer).
PURE_ALSO := arch/*/pt_*.c arch/*/psci.c arch/*/insn_decode.c drv/*.c
# Files of PURE_DIRS that only the image has (a test of lib/string.c includes it
# under other names, tests have a panic of their own).
HOST_SKIP := lib/string.c core/panic.c
PURE_SRC := $(filter-out $(HOST_SKIP),$(wildcard $(addsuffix /*.c,$(PURE_DIRS)) $(PURE_ALSO)))

HOSTCC	?= gcc
WARN	:= -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wcast-qual -Wvla \
	   -Wstrict-prototypes -Wmissing-prototypes -Werror
HOST_CFLAGS := -std=gnu11 -g $(WARN) -D_GNU_SOURCE -Iinclude -I. $(THIRD_INC) -MMD -MP

# axvmconfig: the hypervisor's own configuration parser and planner as a program.
HOST_OUT := $(BUILD)/host
AXVMCONFIG := $(HOST_OUT)/axvmconfig
# (Loading, of image/, writes guest memory: not for programs.)
TOOL_SRC := $(filter-out %/load.c %/vm_load.c,$(filter lib/% config/% image/% drv/machine%, \
	    $(PURE_SRC))) $(LIBFDT_SRC)
TOOL_OBJ := $(patsubst %.c,$(HOST_OUT)/obj/%.o,$(patsubst $(DL)/%,third/%,$(TOOL_SRC)))

$(eval $(call remember,$(HOST_OUT)/flags,$(HOSTCC) -O1 $(HOST_CFLAGS)))
$(eval $(call remember,$(HOST_OUT)/objects,$(TOOL_OBJ)))

$(HOST_OUT)/obj/third/%.o: $(DL)/%.c $(HOST_OUT)/flags | deps-host $(THIRD)
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(HOSTCC) -O1 $(HOST_CFLAGS) $(THIRD_CFLAGS) -c $< -o $@

$(HOST_OUT)/obj/%.o: %.c $(HOST_OUT)/flags | deps-host $(THIRD)
	@mkdir -p $(@D)
	$(call say,HOSTCC,$<)
	$(Q)$(HOSTCC) -O1 $(HOST_CFLAGS) -c $< -o $@

$(HOST_OUT)/libtool.a: $(TOOL_OBJ) $(HOST_OUT)/objects
	$(Q)rm -f $@ && ar rcs $@ $(TOOL_OBJ)

$(HOST_OUT)/%: $(HOST_OUT)/obj/tools/%.o $(HOST_OUT)/libtool.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $^ -o $@

# The judge of the TOML parser, see tests/toml/.
$(HOST_OUT)/toml_json: $(HOST_OUT)/obj/tests/toml/toml_json.o $(HOST_OUT)/libtool.a
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $^ -o $@

# What the decoder of loads and stores says, see tests/insn/.
$(HOST_OUT)/insn_list: $(addprefix $(HOST_OUT)/obj/,tests/insn/insn_list.o \
		arch/aarch64/insn_decode.o)
	$(call say,HOSTLD,$@)
	$(Q)$(HOSTCC) $^ -o $@

PROG_OBJ := $(addprefix $(HOST_OUT)/obj/,tools/axvmconfig.o tests/toml/toml_json.o \
	    tests/insn/insn_list.o arch/aarch64/insn_decode.o)
axvmconfig: $(HOST_OUT)/axvmconfig
.PHONY: axvmconfig
.SECONDARY: $(PROG_OBJ)

-include $(TOOL_OBJ:.o=.d) $(PROG_OBJ:.o=.d)
