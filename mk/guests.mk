# SPDX-License-Identifier: Apache-2.0
# Real guests, fetched and built for $(BUILD)/guests/<arch>/ (docs/guests.md):
#
#   arceos-<app>.bin          ArceOS from crates.io with a program of ours, 1 CPU
#   arceos-<app>-smp.bin      the same for 2 CPUs
#   arceos-hypercall-endless.bin
#   linux-Image, initramfs.cpio.gz    Debian's kernel, busybox, guests/linux/root
#
# `make guests` builds those of ARCH; each can also be asked for by its name;
# `make guests-check` runs the aarch64 ones on QEMU alone.

GUESTS	:= $(BUILD)/guests

# --- ArceOS ---
ARCEOS_APPS := hello multitask hypercall
ARCEOS_SRC := $(addprefix guests/arceos/,build.sh axconfig.py Cargo.toml Cargo.lock) \
	$(ARCEOS_APPS:%=guests/arceos/src/bin/%.rs)

# $(call arceos_rule,ARCH,SUFFIX,CPUS,FEATURES,APPS): one configuration, one build.
define arceos_rule
$(patsubst %,$(GUESTS)/$1/arceos-%$2.bin,$5) &: $(ARCEOS_SRC) | deps-guests
	$$(call say,CARGO,'arceos$2 for $1: $5')
	$$(Q)guests/arceos/build.sh $1 $3 "$4" "$2" $(GUESTS)/$1 $(GUESTS)/work/arceos-$1 $5
endef

# $(call arceos_rules,ARCH)
define arceos_rules
$(call arceos_rule,$1,,1,,$(ARCEOS_APPS))
$(call arceos_rule,$1,-smp,2,smp,$(ARCEOS_APPS))
$(call arceos_rule,$1,-endless,1,endless,hypercall)
endef

ARCEOS_FILES := $(addsuffix .bin,$(addprefix arceos-,$(ARCEOS_APPS) $(ARCEOS_APPS:%=%-smp) \
	hypercall-endless))

# --- Linux ---
# Debian's name of the architecture, the release to take it from (host: the one
# that this machine runs), the metapackage of the kernel.
LINUX_aarch64 := arm64 host linux-image-cloud-arm64
LINUX_riscv64 := riscv64 trixie linux-image-riscv64
LINUX_x86_64 := amd64 host linux-image-cloud-amd64
# What is built in or absent in one kernel or another is skipped; what a module needs
# is added.
LINUX_MODULES := virtio_mmio virtio_pci virtio_blk virtio_net virtio_console virtio_rng
LINUX_FILES := linux-Image initramfs.cpio.gz
LINUX_ROOT := $(shell find guests/linux/root -type f)

# $(call linux_rules,ARCH).  The packages have no prerequisites: they are fetched once.
define linux_rules
$(DL)/linux-$1/kernel.deb $(DL)/linux-$1/busybox.deb &: | deps-guests
	$$(call say,APT,'$(word 3,$(LINUX_$1)) for $1')
	$$(Q)guests/linux/fetch.sh $(LINUX_$1) $(DL)/linux-$1

$(addprefix $(GUESTS)/$1/,$(LINUX_FILES)) &: $(DL)/linux-$1/kernel.deb \
		$(DL)/linux-$1/busybox.deb guests/linux/pack.py mk/guests.mk $(LINUX_ROOT) | deps-guests
	@mkdir -p $(GUESTS)/$1
	$$(call say,PACK,'linux-Image and initramfs for $1')
	$$(Q)guests/linux/pack.py --kernel $(DL)/linux-$1/kernel.deb \
		--busybox $(DL)/linux-$1/busybox.deb --root guests/linux/root \
		--modules '$(LINUX_MODULES)' \
		--image $(GUESTS)/$1/linux-Image --initramfs $(GUESTS)/$1/initramfs.cpio.gz
endef

$(foreach a,$(ARCHES),$(eval $(call arceos_rules,$a))$(eval $(call linux_rules,$a)))

$(foreach a,$(ARCHES),$(eval guests-$a: $(addprefix $(GUESTS)/$a/,$(ARCEOS_FILES) $(LINUX_FILES))))
guests: guests-$(ARCH)

# The guests on QEMU alone: is it the guest or the hypervisor?
guests-check: guests-aarch64 | deps-run-aarch64
	$(Q)guests/native.sh $(GUESTS)/aarch64

.PHONY: guests guests-check $(ARCHES:%=guests-%)
