# SPDX-License-Identifier: Apache-2.0
# The disk, QEMU's command line, the debugger.

# -nic none: no network card by default; the console and QEMU's monitor share the
# terminal (Ctrl-A x ends QEMU, Ctrl-A c is the monitor).
QEMU_CMD = $(QEMU) $(QEMU_MACHINE) -smp $(SMP) -m $(MEM) -nographic -nic none \
	$(QEMU_DISK) $(QEMU_SERIAL2) -kernel $(IMAGE) $(QEMU_ARGS)

ifeq ($(BLK),y)
  QEMU_DISK_BUS := $(if $(filter mmio,$(BUS)),device,pci)
  QEMU_DISK = -drive if=none,format=raw,file=$(DISK_IMG),id=disk0 \
	-device virtio-blk-$(QEMU_DISK_BUS),drive=disk0 \
	$(if $(filter mmio,$(BUS)),-global virtio-mmio.force-legacy=false)
  DISK_DEP := $(DISK_IMG)
endif

# Upstream's second UART on a telnet port, where the machine has one (x86).
ifeq ($(SECOND_SERIAL)$(QEMU_HAS_SERIAL2),yy)
  QEMU_SERIAL2 = -serial mon:stdio -serial telnet:localhost:$(TELNET_PORT),server,nowait
endif

ifdef CROSS

# justrun runs what was built last.
run: build
run justrun: | $(DISK_DEP) deps-run-$(ARCH)
	$(QEMU_CMD)

# For scripts: the command line that `make run` with these variables would use.
qemu-cmd:
	@echo '$(QEMU_CMD)'

debug: build | $(DISK_DEP) deps-run-$(ARCH)
	@echo 'Waiting for a debugger; in a second terminal: make ARCH=$(ARCH) gdb'
	$(QEMU_CMD) -s -S

gdb: | deps-debug
	$(GDB) -ex 'symbol-file $(ELF) -o $(QEMU_LOAD)' -ex 'target remote :1234'

endif

disk_img: $(DISK_IMG)

# Without prerequisites and so only made when it is not there: it is the user's.
$(DISK_IMG): | deps-disk
	@mkdir -p $(@D)
	$(call say,MKFS,$@)
	$(Q)rm -f $@.new && truncate -s 64M $@.new && mkfs.fat -F 32 -n AXVISOR $@.new >/dev/null
	$(Q)mv $@.new $@

# make disk_add FILE='a.bin b.bin': into the root of the disk image.
disk_add: $(DISK_IMG) | deps-disk
	@test -n "$(FILE)" || { echo "usage: make disk_add FILE=path [DISK_IMG=$(DISK_IMG)]" >&2; exit 1; }
	mcopy -o -i $(DISK_IMG) $(FILE) ::

.PHONY: run justrun qemu-cmd debug gdb disk_img disk_add
