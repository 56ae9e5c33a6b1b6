# SPDX-License-Identifier: Apache-2.0
# aarch64: tool chain, flags, and QEMU's `virt` machine with EL2.

CROSS	?= aarch64-linux-gnu-
CLANG_TARGET := aarch64-linux-gnu
# General registers only: the floating-point registers belong to the guests.
ARCH_CFLAGS := -march=armv8-a -mgeneral-regs-only
# gcc only: atomics inline (libgcc's helpers would look at the host's auxv).
ARCH_GCC_CFLAGS := -mno-outline-atomics -mstack-protector-guard=global
# The only relocation that the start code applies to itself.
ARCH_RELOC := R_AARCH64_RELATIVE

QEMU	?= qemu-system-aarch64
CPU	?= cortex-a72
# pvpanic: a failure of the hypervisor itself becomes QEMU's exit status.
QEMU_MACHINE = -M virt,virtualization=on,gic-version=$(GIC) -cpu $(CPU) \
	-device pvpanic-pci -action panic=exit-failure
# Where QEMU puts a kernel Image with text_offset 0; for the debugger's symbols.
QEMU_LOAD := 0x40200000
GDB	?= gdb-multiarch
