# SPDX-License-Identifier: Apache-2.0
# Instructions per exit, counted by a guest of ours (docs/performance.md).
#
#   make bench           a table, and build/bench/<arch>.json
#   make bench-check     the same; fails when a row is 5 % above bench/baseline-<arch>.json
#   make bench-baseline  takes what is measured now as the baseline
#   make profile         instructions by function for one exit of each kind

ifneq ($(wildcard bench/$(ARCH)),)

BENCH	:= $(BUILD)/bench
BENCH_GUEST := $(BENCH)/guest-$(ARCH)
BENCH_BASE := bench/baseline-$(ARCH).json
# Run: configuration, LOG.
BENCH_RUNS := quiet loud pair1 pair2
BENCH_quiet := solo off
BENCH_loud := solo info
BENCH_pair1 := pair1 off
BENCH_pair2 := pair2 off
BENCH_IMAGES := $(BENCH_RUNS:%=$(BENCH)/$(ARCH)-%/axvisor.bin)

$(BENCH_GUEST).elf: bench/$(ARCH)/bench.c bench/$(ARCH)/entry.S bench/$(ARCH)/link.ld mk/bench.mk | deps-$(ARCH)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC_TARGET) -std=gnu11 -O2 -g -ffreestanding -nostdlib -static -mstrict-align \
		$(ARCH_CFLAGS) $(WARN) -Wl,-T,bench/$(ARCH)/link.ld -Wl,--build-id=none \
		-Wl,--no-warn-rwx-segments -z noexecstack $(filter %.c %.S,$^) -o $@

$(BENCH_GUEST).bin: $(BENCH_GUEST).elf
	$(Q)$(CROSS)objcopy -O binary $< $@

# The image is made by `build`, with its own idea of what is out of date.
$(BENCH)/$(ARCH)-%/axvisor.bin: $(BENCH_GUEST).bin FORCE
	+$(Q)$(MAKE) --no-print-directory build IMAGE_OUT=$(@D) LOG=$(word 2,$(BENCH_$*)) \
		VM_CONFIGS=bench/$(ARCH)/$(word 1,$(BENCH_$*)).toml

bench bench-check bench-baseline: $(BENCH_IMAGES) | deps-run-$(ARCH)
	$(Q)$(PYTHON) -B bench/bench.py $@ --arch $(ARCH) --qemu $(QEMU) --images $(BENCH) \
		--baseline $(BENCH_BASE) --json $(BENCH)/$(ARCH).json --nm $(CROSS)nm

profile: $(BENCH)/$(ARCH)-quiet/axvisor.bin $(BENCH)/$(ARCH)-pair1/axvisor.bin | deps-run-$(ARCH)
	$(Q)$(PYTHON) -B bench/profile.py --arch $(ARCH) --qemu $(QEMU) --images $(BENCH) \
		--guest $(BENCH_GUEST).elf --nm $(CROSS)nm

.PHONY: bench bench-check bench-baseline profile
endif
