/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine is: cores, memory, interrupt controller, timers, console,
 * firmware, and where devices are that the hypervisor itself uses.
 *
 * Found once at boot, from a device tree (machine_fdt.c; ACPI joins later), before
 * there is an allocator: the structure has a fixed size (about 16 KiB, so never on
 * a stack), and is constant afterwards, so that it needs no lock.  What does not
 * fit into a table is left out and told to the note function.
 *
 * Addresses are the CPU's (`ranges` of all buses applied), sizes are in bytes, not
 * zero, and no range wraps.  Interrupts are numbers of the interrupt controller
 * (GIC INTID, PLIC source); IRQ_NONE where there is none.
 *
 * Formats: Devicetree Specification v0.4; Linux bindings for arm,gic(-v3),
 * arm,arch_timer, psci, pl011, 8250, virtio,mmio, pci-host-ecam-generic.
 */
#ifndef HV_MACHINE_H
#define HV_MACHINE_H

#include <hv/irqchip.h>
#include <hv/types.h>

struct rangeset;

#define MACHINE_MAX_BANKS	 32
#define MACHINE_MAX_RESERVED	 64
#define MACHINE_MAX_UARTS	 16
#define MACHINE_MAX_REDISTS	 16
#define MACHINE_MAX_ITS		 8
#define MACHINE_MAX_V2M		 4
#define MACHINE_MAX_VIRTIO	 64
#define MACHINE_MAX_PCI		 4
#define MACHINE_MAX_PCI_WINDOWS	 8
#define MACHINE_MAX_PCI_IRQS	 64
#define MACHINE_MAX_PLIC_TARGETS 64
#define MACHINE_PATH_MAX	 96

struct machine_range {
	hpa_t base;
	uint64_t size; /* 0: not there */
};

struct machine_irq {
	uint32_t intid; /* IRQ_NONE: not there */
	enum irq_trigger trigger;
};

enum machine_cpu_start {
	MACHINE_START_NONE, /* no way known to start it */
	MACHINE_START_PSCI,
	MACHINE_START_SBI,
	MACHINE_START_SPIN_TABLE,
};

struct machine_cpu {
	uint64_t hwid; /* MPIDR_EL1 affinity fields (no RES1, U, MT bits), or hart id */
	enum machine_cpu_start start;
	hpa_t release_addr; /* MACHINE_START_SPIN_TABLE: cpu-release-addr */
};

enum machine_reserved_kind {
	MACHINE_RES_MEMRESERVE, /* /memreserve/ */
	MACHINE_RES_NODE,	/* /reserved-memory, a static region */
	MACHINE_RES_DTB,	/* the tree itself */
	MACHINE_RES_INITRD,	/* linux,initrd-start .. end of /chosen */
	MACHINE_RES_IMAGE,	/* the running hypervisor, as the caller said */
};

struct machine_reserved {
	struct machine_range range;
	enum machine_reserved_kind kind;
	bool no_map; /* must not even be mapped */
	char name[32];
};

enum machine_uart_kind {
	MACHINE_UART_NONE,
	MACHINE_UART_PL011,
	MACHINE_UART_SBSA, /* a PL011 whose line settings are fixed */
	MACHINE_UART_16550,
	MACHINE_UART_DW_APB, /* 16550 with Synopsys' busy detection and USR */
};

struct machine_uart {
	enum machine_uart_kind kind;
	struct machine_range range;
	struct machine_irq irq;
	uint32_t reg_shift;    /* 0..3: registers are 1 << reg_shift bytes apart */
	uint32_t reg_io_width; /* 1, 2 or 4: bytes of one access */
	uint32_t clock;	       /* Hz of the input clock, 0 if the tree does not say */
	char path[MACHINE_PATH_MAX];
};

/* Arm's interrupt controller; version 0: the machine has none. */
struct machine_gic {
	uint32_t version; /* 2 or 3 (GICv4 shows as 3) */
	struct machine_range gicd;
	struct machine_range gicc; /* GICv3: only with the legacy interface */
	struct machine_range gich; /* likewise; size 0 = no virtualization (GICv2) */
	struct machine_range gicv;
	struct machine_irq maintenance;
	uint32_t redist_count;
	struct machine_range redist[MACHINE_MAX_REDISTS];
	uint64_t redist_stride; /* bytes; 0: as GICR_TYPER says */
	uint32_t its_count;
	struct machine_range its[MACHINE_MAX_ITS];
	uint32_t v2m_count;
	struct machine_range v2m[MACHINE_MAX_V2M];
};

/* RISC-V's PLIC; range.size 0: the machine has none. */
struct machine_plic {
	struct machine_range range;
	uint32_t sources; /* riscv,ndev */
	uint32_t target_count;
	struct {
		uint64_t hwid;		    /* hart */
		uint32_t cause;		    /* 9: its supervisor external interrupt; 11: machine */
	} target[MACHINE_MAX_PLIC_TARGETS]; /* index = context */
};

enum machine_timer {
	MACHINE_TIMER_SEC_PHYS,
	MACHINE_TIMER_PHYS,
	MACHINE_TIMER_VIRT,
	MACHINE_TIMER_HYP_PHYS,
	MACHINE_TIMER_HYP_VIRT,
	MACHINE_TIMERS,
};

enum machine_conduit {
	MACHINE_CONDUIT_NONE,
	MACHINE_CONDUIT_SMC,
	MACHINE_CONDUIT_HVC,
};

struct machine_virtio {
	struct machine_range range;
	struct machine_irq irq;
	bool dma_coherent;
	bool ours; /* the hypervisor drives its device; set before VMs are planned */
};

enum machine_pci_space {
	MACHINE_PCI_IO,
	MACHINE_PCI_MEM32,
	MACHINE_PCI_MEM64,
};

struct machine_pci_window {
	enum machine_pci_space space;
	bool prefetchable;
	uint64_t pci_base; /* address on the bus */
	hpa_t cpu_base;	   /* where the CPU sees it */
	uint64_t size;
};

/* A line of interrupt-map: the interrupt of a pin of a device. */
struct machine_pci_irq {
	uint32_t
		devfn; /* first cell of the unit address, masked: bus << 16 | dev << 11 | fn << 8 */
	uint32_t pin;  /* 1..4 = INTA..INTD */
	struct machine_irq irq;
};

struct machine_pci {
	struct machine_range ecam; /* first byte: configuration space of bus bus_first */
	uint32_t segment;	   /* linux,pci-domain, else counted */
	uint32_t bus_first;
	uint32_t bus_last;
	bool dma_coherent;
	uint32_t window_count;
	struct machine_pci_window window[MACHINE_MAX_PCI_WINDOWS];
	uint32_t irq_devfn_mask; /* of interrupt-map-mask */
	uint32_t irq_count;
	struct machine_pci_irq irq[MACHINE_MAX_PCI_IRQS];
};

struct machine {
	const void *fdt; /* the tree; stays where it was handed over (it is reserved) */
	size_t fdt_size; /* totalsize of its header */
	char model[64];

	uint32_t cpu_count;		  /* at least 1 */
	struct machine_cpu cpu[MAX_CPUS]; /* the boot core first, then in the tree's order */

	uint32_t bank_count;
	struct machine_range bank[MACHINE_MAX_BANKS]; /* RAM; may be unsorted, never overlaps */
	uint32_t reserved_count;
	struct machine_reserved reserved[MACHINE_MAX_RESERVED]; /* may overlap each other */

	uint32_t uart_count;
	uint32_t console; /* index in uart[]; UINT32_MAX: none that we know */
	struct machine_uart uart[MACHINE_MAX_UARTS];

	struct machine_gic gic;
	struct machine_plic plic;
	struct machine_irq timer[MACHINE_TIMERS];
	uint64_t timer_hz; /* clock-frequency / timebase-frequency; 0: ask the timer */

	enum machine_conduit psci;
	uint32_t psci_version; /* by compatible: 0x2 = 0.2, 0x10000 = 1.0; 0 = none or 0.1 */

	uint32_t virtio_count;
	struct machine_virtio virtio[MACHINE_MAX_VIRTIO]; /* in the tree's order */
	uint32_t pci_count;
	struct machine_pci pci[MACHINE_MAX_PCI];

	const char *bootargs; /* of /chosen, "" if none; points into the tree */

	/* Why machine_from_fdt() failed: a sentence, and the node it is about ("" = none). */
	const char *error;
	char error_node[MACHINE_PATH_MAX];
};

/* The one we run on; filled at boot, before anybody reads it. */
extern struct machine host_machine;

/* What only the boot code knows. */
struct machine_boot {
	uint64_t hwid;		    /* of the core we run on */
	hpa_t dtb;		    /* where the tree is in physical memory */
	struct machine_range image; /* the hypervisor with .bss and boot stacks */
	/* Told of what was left out and why; may be NULL.  Strings live during the call. */
	void (*note)(const char *node, const char *why);
};

/*
 * Fills *m from the flattened tree at `fdt`, of which at most `size` bytes may be
 * read (the mapped or loaded length, not what the header says; 2 MiB is the limit
 * of the arm64 boot protocol).
 *
 * 0, or with m->error set: -EINVAL: not a tree, truncated, or inconsistent.
 * -ENOENT: a thing no machine lacks is not in it (cores, memory).
 */
int __must_check machine_from_fdt(struct machine *m, const void *fdt, size_t size,
				  const struct machine_boot *boot);

/*
 * RAM that is ours to use: the banks without all that is reserved, in whole pages.
 * *out is emptied first.  -ENOSPC: too many pieces.
 */
int __must_check machine_usable_ram(const struct machine *m, struct rangeset *out);

/* Index in cpu[] of a hardware id, or UINT32_MAX. */
uint32_t machine_cpu_index(const struct machine *m, uint64_t hwid);

/* The console, or NULL. */
const struct machine_uart *machine_console(const struct machine *m);

#endif
