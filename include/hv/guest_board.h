/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The machine that a guest sees: processors, memory, interrupt controller, devices.
 *
 * The planner fills it once; devices are created from it, and a device tree (later
 * ACPI tables) is generated from it or patched to agree with it.  Plain data,
 * constant afterwards.  All addresses are guest-physical and below 2^48.
 */
#ifndef HV_GUEST_BOARD_H
#define HV_GUEST_BOARD_H

#include <hv/types.h>
#include <hv/vm_config.h>

#define GUEST_MAX_DEVS	64
#define GUEST_MAX_GICRS 4
/* Shared interrupts of a GIC guest, as many as QEMU's virt has: INTIDs from 32 on. */
#define GUEST_SPIS 256

struct guest_range {
	uint64_t base;
	uint64_t size; /* 0: absent */
};

enum guest_intc_kind {
	GUEST_INTC_NONE,
	GUEST_INTC_GICV2,
	GUEST_INTC_GICV3,
	GUEST_INTC_PLIC,
	GUEST_INTC_KINDS,
};

struct guest_intc {
	enum guest_intc_kind kind;
	struct guest_range dist; /* GICD; PLIC: all of it */
	struct guest_range cpu;	 /* GICv2: GICC */
	uint32_t redist_count;	 /* GICv3: GICR regions, 128 KiB a vCPU, filled in order */
	struct guest_range redist[GUEST_MAX_GICRS];
	uint32_t sources; /* PLIC: interrupt sources, without 0 */
};

enum guest_dev_kind {
	GUEST_DEV_UART_PL011,
	GUEST_DEV_UART_NS16550,
	GUEST_DEV_RTC_PL031,
	GUEST_DEV_RTC_GOLDFISH,
	GUEST_DEV_GPIO_PL061,
	GUEST_DEV_VIRTIO_EMPTY, /* one virtio-mmio slot without a device */
	GUEST_DEV_VIRTIO_FWD,	/* one whose accesses go to a slot of the host */
	GUEST_DEV_RAZ,		/* reads zero, ignores writes; not in a device tree */
	GUEST_DEV_KINDS,
};

/* `irq` of a device without one. */
#define GUEST_IRQ_NONE UINT32_MAX

struct guest_dev {
	enum guest_dev_kind kind;
	uint64_t base;
	uint64_t size;
	uint32_t irq; /* the controller's own number: GIC INTID (SPI n = 32 + n), PLIC source */
	uint8_t reg_shift;  /* NS16550: distance of registers, log2 */
	uint8_t io_width;   /* NS16550: access width in bytes, 0 = 1 */
	bool edge;	    /* VIRTIO_FWD: the interrupt is edge-triggered */
	bool dma_coherent;  /* VIRTIO_FWD: its DMA sees the caches */
	uint64_t hpa;	    /* VIRTIO_FWD: registers of the host's slot */
	bool console;	    /* the one that the VM's console talks through; at most one */
	struct cfg_pos pos; /* the setting that asks for it; line 0: there by default */
};

struct guest_board {
	enum vm_arch arch;

	uint32_t cpu_count;	      /* 1..MAX_VCPUS */
	uint64_t cpu_hwid[MAX_VCPUS]; /* MPIDR affinity (bits 39:32, 23:0), hart id, APIC id */
	uint32_t timebase_hz;	      /* riscv64 */

	uint32_t ram_count; /* ordinary memory only, no DEVICE regions; by address */
	struct guest_range ram[VM_MAX_MEMORY];

	struct guest_intc intc;
	uint32_t dev_count;
	struct guest_dev dev[GUEST_MAX_DEVS];

	const char *bootargs; /* NULL: none given */
	uint64_t initrd_start;
	uint64_t initrd_end; /* first byte after it; equal to start: none */
};

/* "pl011", "virtio-mmio slot", ...: for messages. */
const char *guest_dev_kind_name(enum guest_dev_kind kind);
/* "GICv2", "GICv3", "PLIC" or "none". */
const char *guest_intc_kind_name(enum guest_intc_kind kind);

#endif
