/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The virtualization half of a host GIC: list registers and what belongs to them,
 * behind one interface for GICv2 (GICH_*, IHI 0048 ch. 5) and GICv3 (ICH_*_EL2,
 * IHI 0069 ch. 12.4).  Drivers in drv/, the user is dev/vgic.c.
 *
 * List registers have GICv3's ICH_LR_EL2 layout here; the GICv2 driver translates
 * (5-bit priority, state, and for an SGI the source CPU, which a GICv2 guest's
 * list register carries in bits [12:10]).  Everything acts on the core it is
 * called on, with interrupts masked.
 */
#ifndef HV_GICH_H
#define HV_GICH_H

#include <hv/types.h>

#define GICH_MAX_LRS 16
#define GICH_MAX_APR 4

#define GICH_LR_INTID(lr)    ((uint32_t)(lr))
#define GICH_LR_EOI	     BIT64(41) /* HW = 0: maintenance interrupt at EOI */
#define GICH_LR_PINTID_SHIFT 32	       /* HW = 1: physical INTID, 13 bits */
#define GICH_LR_PRIO_SHIFT   48	       /* 8 bits */
#define GICH_LR_GROUP1	     BIT64(60)
#define GICH_LR_HW	     BIT64(61)
#define GICH_LR_PENDING	     BIT64(62)
#define GICH_LR_ACTIVE	     BIT64(63)
#define GICH_LR_V2_CPU_SHIFT 10

#define GICH_HCR_EN	 BIT32(0)
#define GICH_HCR_UIE	 BIT32(1) /* underflow: at most one valid list register */
#define GICH_HCR_LRENPIE BIT32(2) /* EOI without a valid list register entry */
#define GICH_HCR_NPIE	 BIT32(3) /* no list register is pending */
/*
 * Version 3: the guest's system registers of the CPU interface trap, common ones and
 * those of either group (IHI 0069, 12.4.2).
 */
#define GICH_HCR_TC	 BIT32(10)
#define GICH_HCR_TALL0	 BIT32(11)
#define GICH_HCR_TALL1	 BIT32(12)
#define GICH_HCR_TRAPPED (GICH_HCR_TC | GICH_HCR_TALL0 | GICH_HCR_TALL1)

/* The guest CPU interface's state that the list registers do not hold. */
struct gich_cpuif {
	uint32_t vmcr;		     /* in ICH_VMCR_EL2 layout for both */
	uint32_t apr0[GICH_MAX_APR]; /* GICv2: apr0[0] only */
	uint32_t apr1[GICH_MAX_APR];
};

struct gich_ops {
	uint64_t (*read_lr)(uint32_t n);
	void (*write_lr)(uint32_t n, uint64_t lr);
	uint64_t (*empty_lrs)(void); /* ELRSR: bit n set: no valid interrupt in n */
	uint64_t (*eoi_lrs)(void);   /* EISR */
	uint32_t (*misr)(void);
	void (*write_hcr)(uint32_t hcr);	      /* also EOIcount cleared */
	uint32_t (*eoi_count)(void);		      /* HCR.EOIcount */
	void (*save)(struct gich_cpuif *st);	      /* VMCR, APRs */
	void (*restore)(const struct gich_cpuif *st); /* VMCR, APRs */
	/* Active state of a physical interrupt (PPI: of this core). */
	void (*set_active)(uint32_t host_irq, bool active);
};

/* What the host has; one for the machine, set before the first VM is made. */
struct gich {
	const struct gich_ops *ops;
	uint32_t version;   /* 2 or 3 */
	uint32_t lr_count;  /* 1..16 */
	uint32_t prio_bits; /* 5..7: bits of priority a list register implements */
	uint32_t apr_count; /* 1..4 */
	/*
	 * The chip does not look at a level-sensitive line again when a guest's EOI
	 * deactivates its interrupt, only at the chip's next event: QEMU's GICv2.
	 */
	bool forgets_lines;
	hpa_t gicv; /* version 2: physical GICV frame mapped into guests */
	uint64_t gicv_size;
};

#endif
