# SPDX-License-Identifier: Apache-2.0
# Our own bare-metal test guest: guests/rt, the same for all architectures, and
# guests/<arch>.  $(GUESTS)/<arch>/hvtest.bin; `make hvtest-native` runs it on QEMU alone.

ifdef CROSS

HVTEST	:= $(GUESTS)/$(ARCH)/hvtest
HVTEST_OBJ_DIR := $(GUESTS)/work/hvtest-$(ARCH)
HVTEST_SRC := $(wildcard guests/rt/*.c guests/$(ARCH)/*.c guests/$(ARCH)/*.S)
# What the product has already.
HVTEST_LIB := lib/printf.c lib/string.c
HVTEST_FDT := $(LIBFDT)/fdt.c $(LIBFDT)/fdt_ro.c
HVTEST_OBJ := $(patsubst %,$(HVTEST_OBJ_DIR)/%.o,$(HVTEST_SRC) $(HVTEST_LIB)) \
	$(patsubst $(DL)/%,$(HVTEST_OBJ_DIR)/third/%.o,$(HVTEST_FDT))
# Cases run in the order of the source (toplevel-reorder).  Memory is device memory while the MMU is off: no unaligned access.
HVTEST_CFLAGS = -std=gnu11 -O2 -g -ffreestanding -fpie -fno-strict-aliasing -fno-common \
	-fno-stack-protector -mstrict-align -fno-toplevel-reorder $(ARCH_CFLAGS) $(ARCH_GCC_CFLAGS) $(WARN) \
	$(GCC_INC) -Iguests/rt -Iguests/$(ARCH) -Iinclude $(THIRD_INC) -MMD -MP

$(eval $(call remember,$(HVTEST_OBJ_DIR)/flags,$$(CC_TARGET) $$(HVTEST_CFLAGS) $$(HVTEST_OBJ)))

$(HVTEST_OBJ_DIR)/third/%.c.o: $(DL)/%.c $(HVTEST_OBJ_DIR)/flags | deps-$(ARCH) $(THIRD)
	@mkdir -p $(@D)
	$(Q)$(CC_TARGET) $(HVTEST_CFLAGS) $(THIRD_CFLAGS) -c $< -o $@

$(HVTEST_OBJ_DIR)/%.o: % $(HVTEST_OBJ_DIR)/flags | deps-$(ARCH) $(THIRD)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC_TARGET) $(HVTEST_CFLAGS) -c $< -o $@

$(HVTEST).elf: $(HVTEST_OBJ) guests/$(ARCH)/link.ld
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC_TARGET) $(ARCH_CFLAGS) -nostdlib -static-pie -Wl,-T,guests/$(ARCH)/link.ld \
		-Wl,-z,noexecstack -Wl,--build-id=none -Wl,--no-undefined -Wl,--no-warn-rwx-segments \
		$(HVTEST_OBJ) -o $@
	$(Q)! $(CROSS)readelf -rW $@ | grep ' R_' | grep -v '$(ARCH_RELOC)' || \
		{ rm $@; echo "$@: relocations that the start code cannot apply" >&2; exit 1; }

$(HVTEST).bin: $(HVTEST).elf
	$(Q)$(CROSS)objcopy -O binary $< $@

hvtest: $(HVTEST).bin

# CASES='gic.*,timer.*' runs some.
hvtest-native: $(HVTEST).bin | deps-run-$(ARCH)
	timeout --foreground 120 $(QEMU) -M virt,gic-version=$(GIC) -cpu $(CPU) -smp $(SMP) -m 64 \
		-nographic -nic none -kernel $< -append "$(if $(CASES),cases=$(CASES))" $(QEMU_ARGS)

-include $(HVTEST_OBJ:.o=.d)

.PHONY: hvtest hvtest-native
endif
