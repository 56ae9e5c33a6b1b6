# SPDX-License-Identifier: Apache-2.0
# The hypervisor image: everything of the product's folders, libfdt and FatFs,
# linked position-independent, then stripped to the flat file that boards load.
#
# VM configurations and LOG live in one generated file (builtin.S): another choice
# of them relinks and compiles nothing else.

ifdef CROSS # an architecture that mk/arch-*.mk knows

IMAGE_DIRS := arch/$(ARCH) core config image dev drv fs lib shell
IMAGE_SRC := $(wildcard $(addsuffix /*.c,$(IMAGE_DIRS)) $(addsuffix /*.S,$(IMAGE_DIRS)))
OBJ	:= $(OUT)/obj
IMAGE_OBJ := $(patsubst %,$(OBJ)/%.o,$(basename $(IMAGE_SRC)))
ifneq ($(words $(IMAGE_OBJ)),$(words $(sort $(IMAGE_OBJ))))
  $(error a .c and a .S file share their name, so they would share their object: $(IMAGE_SRC))
endif
THIRD_OBJ := $(patsubst $(DL)/%.c,$(OBJ)/third/%.o,$(THIRD_SRC))
# Objects are shared; IMAGE_OUT lets tests link several images side by side.
IMAGE_OUT ?= $(OUT)
IMAGE	:= $(IMAGE_OUT)/axvisor.bin
ELF	:= $(IMAGE_OUT)/axvisor.elf
BUILTIN	:= $(IMAGE_OUT)/builtin
LDSCRIPT := arch/$(ARCH)/link.ld

CC_TARGET := $(CROSS)gcc
# Only the compiler's own headers and include/libc: no libc can slip in.
GCC_INC	= -nostdinc -isystem $(shell $(CC_TARGET) -print-file-name=include) -idirafter include/libc
IMAGE_INC := -Iinclude -Iarch/$(ARCH) $(THIRD_INC)
IMAGE_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -fpie -fno-omit-frame-pointer \
	-fno-strict-aliasing -fno-common -fstack-protector-strong $(ARCH_CFLAGS) $(WARN) \
	-Wframe-larger-than=3072 # threads have 16 KiB stacks
CFLAGS_ALL = $(IMAGE_CFLAGS) $(ARCH_GCC_CFLAGS) $(GCC_INC) $(IMAGE_INC) -MMD -MP
# -z text: a relocation in code is an error.  Warnings are, too.
LDFLAGS_ALL := -nostdlib -static-pie -Wl,-T,$(LDSCRIPT) -Wl,-z,text -Wl,-z,noexecstack \
	-Wl,-z,max-page-size=4096 -Wl,--build-id=none -Wl,--fatal-warnings -Wl,--no-undefined \
	-Wl,-Map,$(ELF:.elf=.map)

$(eval $(call remember,$(OUT)/flags,$$(CC_TARGET) $$(IMAGE_CFLAGS) $$(ARCH_GCC_CFLAGS) $$(IMAGE_INC)))
$(eval $(call remember,$(OUT)/objects,$$(IMAGE_OBJ)))

$(OBJ)/third/%.o: $(DL)/%.c $(OUT)/flags | deps-$(ARCH) $(THIRD)
	@mkdir -p $(@D)
	$(call say,CC,$(<F))
	$(Q)$(CC_TARGET) $(CFLAGS_ALL) $(THIRD_CFLAGS) -c $< -o $@

$(OBJ)/%.o: %.c $(OUT)/flags | deps-$(ARCH) $(THIRD)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC_TARGET) $(CFLAGS_ALL) -c $< -o $@

$(OBJ)/%.o: %.S $(OUT)/flags | deps-$(ARCH)
	@mkdir -p $(@D)
	$(call say,AS,$<)
	$(Q)$(CC_TARGET) $(CFLAGS_ALL) -c $< -o $@

# As an archive: only what is used of them is linked.
$(OUT)/libthird.a: $(THIRD_OBJ)
	$(Q)rm -f $@ && $(CROSS)ar rcs $@ $(THIRD_OBJ)

# Looked at every time, rewritten on a change: an image may have appeared in a
# place that is searched earlier.  builtin.d lists the files that it includes.
$(BUILTIN).S: FORCE | deps-host config-guests
	@mkdir -p $(@D)
	$(Q)$(PYTHON) tools/mkbuiltin.py --log $(LOG) --out $@ --deps $(BUILTIN).d \
		--axvmconfig $(AXVMCONFIG) -- $(VM_CONFIG_FILES)

$(BUILTIN).o: $(BUILTIN).S $(OUT)/flags | deps-$(ARCH)
	$(call say,AS,$<)
	$(Q)$(CC_TARGET) $(filter-out -MMD -MP,$(CFLAGS_ALL)) -c $< -o $@

# The configurations are judged first, by the code that will read them at boot; CHECK=n
# (for tests) leaves it to that.
CHECK	?= y
config-check: $(AXVMCONFIG)
	$(Q)$(if $(filter n,$(CHECK)),:) $(AXVMCONFIG) check --arch $(ARCH) $(VM_CONFIG_FILES)

# Images that they want from build/guests are fetched or built (mk/guests.mk).
config-guests: config-check
	+$(Q)files=$$($(AXVMCONFIG) files $(VM_CONFIG_FILES) | cut -f2 | grep '^$(BUILD)/guests/' | \
		sort -u); test -z "$$files" || $(MAKE) -s --no-print-directory $$files

$(ELF): $(IMAGE_OBJ) $(BUILTIN).o $(OUT)/libthird.a $(LDSCRIPT) $(OUT)/objects mk/image.mk
	$(call say,LD,$@)
	$(Q)$(CC_TARGET) $(ARCH_CFLAGS) $(LDFLAGS_ALL) $(IMAGE_OBJ) $(BUILTIN).o $(OUT)/libthird.a -o $@
	$(Q)! $(CROSS)readelf -rW $@ | grep ' R_' | grep -v '$(ARCH_RELOC)' || \
		{ rm $@; echo "$@: relocations that the start code cannot apply" >&2; exit 1; }

$(IMAGE): $(ELF)
	$(call say,OBJCOPY,$@)
	$(Q)$(CROSS)objcopy -O binary $< $@

build: $(IMAGE)

disasm: $(ELF)
	$(Q)$(CROSS)objdump -dS $<

-include $(IMAGE_OBJ:.o=.d) $(THIRD_OBJ:.o=.d) $(BUILTIN).d

else # the tree has no arch/$(ARCH)

build run justrun debug gdb disasm:
	@echo "ARCH=$(ARCH) is not built yet; try ARCH=aarch64" >&2; exit 1

endif

kernel:
	@echo "\`make kernel' makes boot images for boards; it comes with board support." >&2
	@echo "For QEMU: make ARCH=aarch64 VM_CONFIGS=... run" >&2; exit 1

.PHONY: build config-check config-guests disasm kernel
