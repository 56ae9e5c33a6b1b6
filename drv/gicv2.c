/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv2 as the host's interrupt controller and its list registers (Arm IHI 0048B:
 * ch. 3 and 4 distributor and CPU interface, ch. 5 virtualization).
 *
 * Seen from the non-secure side, or on a GIC without security extensions: the same
 * register bits do for both, since all interrupts stay in the group they reset to
 * or that secure firmware gave them.
 *
 * Priority drop (GICC_EOIR) and deactivation (GICC_DIR) are split, so that a guest's
 * list register can do the deactivation.  A CPU interface's number, which targets
 * and SGIs need, is learnt on each core from the distributor's banked registers.
 */
#include "gich_v2.h"

#include <errno.h>
#include <hv/gic.h>
#include <hv/gic_dist.h>
#include <hv/machine.h>
#include <hv/spinlock.h>

#define GICD_CTLR_ENABLE BIT32(0) /* non-secure: group 1; one security state: group 0 */
#define GICD_SGIR_TARGET 16

#define GICC_CTLR  0x000
#define GICC_PMR   0x004
#define GICC_BPR   0x008
#define GICC_IAR   0x00c
#define GICC_EOIR  0x010
#define GICC_APR   0x0d0
#define GICC_NSAPR 0x0e0
#define GICD_IIDR  0x008
/* Arm, product 0: QEMU's model.  GIC-400 and those in processors of Armv8 have a number. */
#define GICD_IIDR_NO_PRODUCT 0x43b
#define GICC_IIDR	     0x0fc
#define GICC_DIR	     0x1000
#define GICC_MIN_SIZE	     0x2000
#define GICC_APR_COUNT	     4

#define GICC_CTLR_ENABLE  BIT32(0)
#define GICC_CTLR_BYPASS  UINT32_C(0x1e0) /* as firmware left it */
#define GICC_CTLR_EOIMODE BIT32(9)
#define GICC_IIDR_ARCH(x) ((x) >> 16 & 0xf)

#define GICH_HCR   0x000
#define GICH_VTR   0x004
#define GICH_VMCR  0x008
#define GICH_MISR  0x010
#define GICH_EISR  0x020
#define GICH_ELRSR 0x030
#define GICH_APR   0x0f0
#define GICH_LR	   0x100

/*
 * A GIC-400 wired for 64 KiB pages shows each 4 KiB frame sixteen times over; the
 * last alias of the first frame and the first one of the second are neighbours.
 */
#define ALIASED_SIZE   0x20000
#define ALIASED_OFFSET 0xf000

static struct {
	hpa_t gicd;
	hpa_t gicc;
	hpa_t gich;
	uint32_t count;
	uint32_t lr_count;
	uint8_t interface[MAX_CPUS]; /* bit mask; written by each core in init_cpu() */
	struct spinlock lock;	     /* read-modify-write of the configuration registers */
} gic;

/* This core's bit in target registers: its banked ones read as nothing else. */
static uint8_t own_interface(void)
{
	for (uint32_t n = 0; n < GIC_FIRST_SPI; n++) {
		uint8_t mask = mmio_read8(gic.gicd, GICD_ITARGETSR + n);

		if (mask != 0) {
			return mask;
		}
	}
	return 1; /* a GIC for one core has no target registers */
}

static int gicv2_init(void)
{
	uint8_t self = own_interface();

	mmio_write32(gic.gicd, GICD_CTLR, 0);
	gic_reset_range(gic.gicd, GIC_FIRST_SPI, gic.count);
	for (uint32_t irq = GIC_FIRST_SPI; irq < gic.count; irq += 4) {
		mmio_write32(gic.gicd, GICD_ITARGETSR + irq, self * UINT32_C(0x01010101));
	}
	for (uint32_t irq = GIC_FIRST_SPI; irq < gic.count; irq += 16) {
		mmio_write32(gic.gicd, GICD_ICFGR + irq / 4, 0);
	}
	mmio_write32(gic.gicd, GICD_CTLR, GICD_CTLR_ENABLE);
	return 0;
}

static int gicv2_init_cpu(uint32_t cpu)
{
	uint32_t ctlr;

	if (cpu >= MAX_CPUS) {
		return -EINVAL;
	}
	gic.interface[cpu] = own_interface();
	gic_reset_range(gic.gicd, 0, GIC_FIRST_SPI);
	mmio_write32(gic.gicd, GICD_ISENABLER, (1u << GIC_FIRST_PPI) - 1);
	for (uint32_t i = 0; i < GICC_APR_COUNT; i++) {
		mmio_write32(gic.gicc, GICC_APR + 4 * i, 0);
		mmio_write32(gic.gicc, GICC_NSAPR + 4 * i, 0);
	}
	mmio_write32(gic.gicc, GICC_PMR, GIC_PMR_ALL);
	mmio_write32(gic.gicc, GICC_BPR, 0);
	ctlr = mmio_read32(gic.gicc, GICC_CTLR) & GICC_CTLR_BYPASS;
	mmio_write32(gic.gicc, GICC_CTLR, ctlr | GICC_CTLR_EOIMODE | GICC_CTLR_ENABLE);
	return 0;
}

/*
 * An SGI must be ended with the sender's number, which the caller does not know; it
 * is ended right here.  It cannot come again meanwhile: interrupts are masked.
 */
static uint32_t gicv2_ack(void)
{
	uint32_t iar = mmio_read32(gic.gicc, GICC_IAR);
	uint32_t irq = iar & GIC_INTID_MASK;

	if (irq >= GIC_MAX_INTID) {
		return IRQ_NONE;
	}
	if (irq < GIC_FIRST_PPI) {
		mmio_write32(gic.gicc, GICC_EOIR, iar);
		mmio_write32(gic.gicc, GICC_DIR, iar);
	}
	/* What the sender wrote before its SGI is seen by what follows. */
	mmio_rmb();
	return irq;
}

static void gicv2_drop(uint32_t irq)
{
	if (irq >= GIC_FIRST_PPI) {
		mmio_write32(gic.gicc, GICC_EOIR, irq);
	}
}

static void gicv2_deactivate(uint32_t irq)
{
	if (irq >= GIC_FIRST_PPI) {
		mmio_write32(gic.gicc, GICC_DIR, irq);
	}
}

static void gicv2_eoi(uint32_t irq)
{
	gicv2_drop(irq);
	gicv2_deactivate(irq);
}

static void gicv2_enable(uint32_t irq)
{
	if (irq < gic.count) {
		gic_write_bit(gic.gicd, GICD_ISENABLER, irq);
	}
}

static void gicv2_disable(uint32_t irq)
{
	if (irq < gic.count) {
		gic_write_bit(gic.gicd, GICD_ICENABLER, irq);
	}
}

/* Reprogramming an enabled interrupt is UNPREDICTABLE (4.3.13): off, change, on again. */
static void gicv2_set_trigger(uint32_t irq, enum irq_trigger t)
{
	uint32_t bit = BIT32(irq % 32);
	bool enabled;

	if (irq < GIC_FIRST_PPI || irq >= gic.count) {
		return;
	}
	spin_lock(&gic.lock);
	enabled = (mmio_read32(gic.gicd, GICD_ISENABLER + irq / 32 * 4) & bit) != 0;
	gicv2_disable(irq);
	gic_write_config(gic.gicd, irq, t);
	if (enabled) {
		gicv2_enable(irq);
	}
	spin_unlock(&gic.lock);
}

static void gicv2_set_target(uint32_t irq, uint32_t cpu)
{
	if (irq >= GIC_FIRST_SPI && irq < gic.count && cpu < MAX_CPUS && gic.interface[cpu] != 0) {
		mmio_write8(gic.gicd, GICD_ITARGETSR + irq, gic.interface[cpu]);
	}
}

static void gicv2_send_ipi(uint32_t cpu, uint32_t n)
{
	if (cpu < MAX_CPUS && n < GIC_FIRST_PPI) {
		mmio_wmb();
		mmio_write32(gic.gicd, GICD_SGIR,
			     (uint32_t)gic.interface[cpu] << GICD_SGIR_TARGET | n);
	}
}

static uint32_t gicv2_count(void)
{
	return gic.count;
}

static const struct irqchip_ops gicv2_irqchip_ops = {
	.init = gicv2_init,
	.init_cpu = gicv2_init_cpu,
	.ack = gicv2_ack,
	.eoi = gicv2_eoi,
	.drop = gicv2_drop,
	.deactivate = gicv2_deactivate,
	.enable = gicv2_enable,
	.disable = gicv2_disable,
	.set_trigger = gicv2_set_trigger,
	.set_target = gicv2_set_target,
	.send_ipi = gicv2_send_ipi,
	.count = gicv2_count,
};

/* --- list registers --- */

static uint64_t gicv2_read_lr(uint32_t n)
{
	return gich_v2_to_lr(mmio_read32(gic.gich, GICH_LR + 4 * n));
}

static void gicv2_write_lr(uint32_t n, uint64_t lr)
{
	mmio_write32(gic.gich, GICH_LR + 4 * n, gich_v2_from_lr(lr));
}

/* At most 16 are used, all in the first of the two status registers. */
static uint64_t lr_status(uint64_t reg)
{
	return mmio_read32(gic.gich, reg) & (BIT32(gic.lr_count) - 1);
}

static uint64_t gicv2_empty_lrs(void)
{
	return lr_status(GICH_ELRSR);
}

static uint64_t gicv2_eoi_lrs(void)
{
	return lr_status(GICH_EISR);
}

static uint32_t gicv2_misr(void)
{
	return mmio_read32(gic.gich, GICH_MISR);
}

static void gicv2_write_hcr(uint32_t hcr)
{
	mmio_write32(gic.gich, GICH_HCR, hcr);
}

static uint32_t gicv2_eoi_count(void)
{
	return mmio_read32(gic.gich, GICH_HCR) >> 27;
}

static void gicv2_save(struct gich_cpuif *st)
{
	st->vmcr = mmio_read32(gic.gich, GICH_VMCR) & GICH_V2_VMCR_MASK;
	st->apr0[0] = mmio_read32(gic.gich, GICH_APR);
}

static void gicv2_restore(const struct gich_cpuif *st)
{
	mmio_write32(gic.gich, GICH_VMCR, st->vmcr & GICH_V2_VMCR_MASK);
	mmio_write32(gic.gich, GICH_APR, st->apr0[0]);
}

static void gicv2_set_active(uint32_t irq, bool active)
{
	if (irq < gic.count) {
		gic_write_bit(gic.gicd, active ? GICD_ISACTIVER : GICD_ICACTIVER, irq);
	}
}

static const struct gich_ops gicv2_gich_ops = {
	.read_lr = gicv2_read_lr,
	.write_lr = gicv2_write_lr,
	.empty_lrs = gicv2_empty_lrs,
	.eoi_lrs = gicv2_eoi_lrs,
	.misr = gicv2_misr,
	.write_hcr = gicv2_write_hcr,
	.eoi_count = gicv2_eoi_count,
	.save = gicv2_save,
	.restore = gicv2_restore,
	.set_active = gicv2_set_active,
};

/* --- finding it --- */

static bool is_aliased(const struct machine_range *gicc)
{
	return gicc->size >= ALIASED_SIZE &&
	       GICC_IIDR_ARCH(mmio_read32(gicc->base, GICC_IIDR)) == 2 &&
	       mmio_read32(gicc->base, GICC_IIDR) ==
		       mmio_read32(gicc->base, ALIASED_OFFSET + GICC_IIDR);
}

static int probe_gich(const struct machine_gic *g, uint64_t alias, struct gich *gich)
{
	uint32_t vtr;

	if (g->gich.size < GICH_LR + 4 * GICH_MAX_LRS || g->gicv.size < alias + GICC_MIN_SIZE) {
		return -ENOTSUP;
	}
	vtr = mmio_read32(g->gich.base, GICH_VTR);
	gic.gich = g->gich.base;
	gic.lr_count = MIN((vtr & 0x3f) + 1, (uint32_t)GICH_MAX_LRS);
	gich->ops = &gicv2_gich_ops;
	gich->version = 2;
	gich->lr_count = gic.lr_count;
	gich->prio_bits = 5;
	gich->apr_count = 1;
	gich->forgets_lines = mmio_read32(gic.gicd, GICD_IIDR) == GICD_IIDR_NO_PRODUCT;
	gich->gicv = hpa(g->gicv.base.a + alias);
	gich->gicv_size = GICC_MIN_SIZE;
	return 0;
}

int gicv2_probe(const struct machine *m, struct irqchip *out, struct gich *gich)
{
	const struct machine_gic *g = &m->gic;
	uint64_t alias;

	if (g->version != 2 || g->gicd.size < PAGE_SIZE || g->gicc.size < GICC_MIN_SIZE) {
		return -ENODEV;
	}
	alias = is_aliased(&g->gicc) ? ALIASED_OFFSET : 0;
	gic.gicd = g->gicd.base;
	gic.gicc = hpa(g->gicc.base.a + alias);
	gic.count = gic_dist_count(gic.gicd);
	out->ops = &gicv2_irqchip_ops;
	out->name = "GICv2";
	return probe_gich(g, alias, gich);
}
