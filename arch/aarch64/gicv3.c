/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GICv3 (and GICv4 as one) as the host's interrupt controller and its list registers
 * (Arm IHI 0069H: ch. 12.2 and 12.4 system registers, 12.9 distributor, 12.11
 * redistributors).
 *
 * With affinity routing and system registers, all interrupts in non-secure group 1.
 * Works from the non-secure side of a GIC with two security states, and with one
 * (GICD_CTLR.DS = 1, no EL3): the bits written mean the right thing in both.  LPIs
 * are not used here: guests' MSIs come with their devices.
 *
 * ICC_* accesses at EL2 are the physical interface's; the same names used at EL1 are
 * the virtual one's, as HCR_EL2.IMO and FMO are set.
 */
#include "el2.h"
#include "sysreg.h"

#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/cpu.h>
#include <hv/gic.h>
#include <hv/gic_dist.h>
#include <hv/machine.h>
#include <hv/spinlock.h>

#define GICD_CTLR_ENABLE_G1  BIT32(0) /* one security state: group 0 */
#define GICD_CTLR_ENABLE_G1A BIT32(1) /* one security state: group 1 */
#define GICD_CTLR_ARE	     BIT32(4)
#define GICD_CTLR_RWP	     BIT32(31)
#define GICD_IROUTER	     0x6000
#define GICD_PIDR2	     0xffe8
#define GICD_SIZE	     0x10000

#define GICR_CTLR	  0x0000
#define GICR_CTLR_RWP	  BIT32(3)
#define GICR_TYPER	  0x0008
#define GICR_TYPER_VLPIS  BIT64(1)
#define GICR_TYPER_LAST	  BIT64(4)
#define GICR_WAKER	  0x0014
#define GICR_WAKER_SLEEP  BIT32(1)
#define GICR_WAKER_ASLEEP BIT32(2)
#define GICR_FRAME	  0x10000 /* RD_base, then SGI_base; GICv4: two more */

#define PIDR2_ARCH(x) ((x) >> 4 & 0xf)

#define ICC_SRE_SRE	 BIT64(0)
#define ICC_SRE_DFB	 BIT64(1)
#define ICC_SRE_DIB	 BIT64(2)
#define ICC_SRE_ENABLE	 BIT64(3)
#define ICC_CTLR_EOIMODE BIT64(1)
#define ICC_PRI_BITS(x)	 ((uint32_t)((x) >> 8 & 7) + 1)

#define ICH_VTR_LRS(x)	    ((uint32_t)((x)&0x1f) + 1)
#define ICH_VTR_PRE_BITS(x) ((uint32_t)((x) >> 26 & 7) + 1)
#define ICH_VTR_PRI_BITS(x) ((uint32_t)((x) >> 29 & 7) + 1)

/* Register writes and wake-ups take a few microseconds; far more is a broken chip. */
#define MAX_POLLS 1000000

static struct {
	hpa_t gicd;
	uint32_t count;
	uint32_t lr_count;
	uint32_t apr_count;
	uint64_t affinity[MAX_CPUS]; /* as MPIDR_EL1 has it */
	hpa_t rd[MAX_CPUS];	     /* RD_base; 0: this core has none */
	struct spinlock lock;	     /* read-modify-write of the configuration registers */
} gic;

static int wait_clear(hpa_t base, uint64_t reg, uint32_t bit)
{
	for (uint32_t i = 0; i < MAX_POLLS; i++) {
		if ((mmio_read32(base, reg) & bit) == 0) {
			return 0;
		}
		arch_cpu_relax();
	}
	return -ETIMEDOUT;
}

static hpa_t own_rd(void)
{
	return gic.rd[this_cpu()->id];
}

/* The frame with an interrupt's enable, active and configuration bits. */
static hpa_t frame_of(uint32_t irq)
{
	return irq < GIC_FIRST_SPI ? hpa(own_rd().a + GICR_FRAME) : gic.gicd;
}

static void wait_rwp(uint32_t irq)
{
	/* A chip that never finishes has no remedy; the bound only keeps us alive. */
	if (irq < GIC_FIRST_SPI) {
		(void)wait_clear(own_rd(), GICR_CTLR, GICR_CTLR_RWP);
	} else {
		(void)wait_clear(gic.gicd, GICD_CTLR, GICD_CTLR_RWP);
	}
}

static int gicv3_init(void)
{
	uint64_t self = gic.affinity[this_cpu()->id];
	int err;

	mmio_write32(gic.gicd, GICD_CTLR, 0);
	err = wait_clear(gic.gicd, GICD_CTLR, GICD_CTLR_RWP);
	if (err != 0) {
		return err;
	}
	/* Affinity routing on before the registers that it changes are written. */
	mmio_write32(gic.gicd, GICD_CTLR, GICD_CTLR_ARE);
	gic_reset_range(gic.gicd, GIC_FIRST_SPI, gic.count);
	for (uint32_t irq = GIC_FIRST_SPI; irq < gic.count; irq += 32) {
		mmio_write32(gic.gicd, GICD_IGROUPR + irq / 8, UINT32_MAX);
	}
	for (uint32_t irq = GIC_FIRST_SPI; irq < gic.count; irq += 16) {
		mmio_write32(gic.gicd, GICD_ICFGR + irq / 4, 0);
	}
	for (uint32_t irq = GIC_FIRST_SPI; irq < gic.count; irq++) {
		mmio_write64(gic.gicd, GICD_IROUTER + 8 * (uint64_t)irq, self);
	}
	err = wait_clear(gic.gicd, GICD_CTLR, GICD_CTLR_RWP);
	mmio_write32(gic.gicd, GICD_CTLR,
		     GICD_CTLR_ARE | GICD_CTLR_ENABLE_G1A | GICD_CTLR_ENABLE_G1);
	return err != 0 ? err : wait_clear(gic.gicd, GICD_CTLR, GICD_CTLR_RWP);
}

/* Without EL3 firmware to do it, a redistributor sleeps after reset (11.1). */
static int wake_redistributor(hpa_t rd)
{
	uint32_t waker = mmio_read32(rd, GICR_WAKER);

	mmio_write32(rd, GICR_WAKER, waker & ~GICR_WAKER_SLEEP);
	return wait_clear(rd, GICR_WAKER, GICR_WAKER_ASLEEP);
}

static void clear_active_priorities(void)
{
	uint32_t bits = ICC_PRI_BITS(sysreg_read(ICC_CTLR_EL1));

	sysreg_write(ICC_AP1R0_EL1, 0);
	if (bits > 5) {
		sysreg_write(ICC_AP1R1_EL1, 0);
	}
	if (bits > 6) {
		sysreg_write(ICC_AP1R2_EL1, 0);
		sysreg_write(ICC_AP1R3_EL1, 0);
	}
	isb();
}

static int init_cpu_interface(void)
{
	sysreg_write(ICC_SRE_EL2, sysreg_read(ICC_SRE_EL2) | ICC_SRE_SRE | ICC_SRE_DFB |
					  ICC_SRE_DIB | ICC_SRE_ENABLE);
	isb();
	if ((sysreg_read(ICC_SRE_EL2) & ICC_SRE_SRE) == 0) {
		return -ENODEV;
	}
	/* Guests have system registers as well. */
	sysreg_write(ICC_SRE_EL1, ICC_SRE_SRE | ICC_SRE_DFB | ICC_SRE_DIB);
	sysreg_write(ICC_IGRPEN1_EL1, 0);
	isb();
	clear_active_priorities();
	sysreg_write(ICC_PMR_EL1, GIC_PMR_ALL);
	sysreg_write(ICC_BPR1_EL1, 0);
	sysreg_write(ICC_CTLR_EL1, sysreg_read(ICC_CTLR_EL1) | ICC_CTLR_EOIMODE);
	isb();
	sysreg_write(ICC_IGRPEN1_EL1, 1);
	isb();
	return 0;
}

static int gicv3_init_cpu(uint32_t cpu)
{
	hpa_t rd, sgi;
	int err;

	if (cpu >= MAX_CPUS || gic.rd[cpu].a == 0) {
		return -ENODEV;
	}
	rd = gic.rd[cpu];
	sgi = hpa(rd.a + GICR_FRAME);
	err = wake_redistributor(rd);
	if (err != 0) {
		return err;
	}
	gic_reset_range(sgi, 0, GIC_FIRST_SPI);
	mmio_write32(sgi, GICD_IGROUPR, UINT32_MAX);
	mmio_write32(sgi, GICD_ISENABLER, (1u << GIC_FIRST_PPI) - 1);
	err = wait_clear(rd, GICR_CTLR, GICR_CTLR_RWP);
	return err != 0 ? err : init_cpu_interface();
}

static uint32_t gicv3_ack(void)
{
	uint32_t irq = (uint32_t)sysreg_read(ICC_IAR1_EL1);

	/* The acknowledge has taken effect, and what an IPI's sender wrote is seen. */
	dsb(sy);
	return irq < GIC_MAX_INTID ? irq : IRQ_NONE;
}

static void gicv3_drop(uint32_t irq)
{
	sysreg_write(ICC_EOIR1_EL1, irq);
	isb();
}

static void gicv3_deactivate(uint32_t irq)
{
	sysreg_write(ICC_DIR_EL1, irq);
	isb();
}

static void gicv3_eoi(uint32_t irq)
{
	sysreg_write(ICC_EOIR1_EL1, irq);
	sysreg_write(ICC_DIR_EL1, irq);
	isb();
}

static void gicv3_enable(uint32_t irq)
{
	if (irq < gic.count) {
		gic_write_bit(frame_of(irq), GICD_ISENABLER, irq);
	}
}

static void gicv3_disable(uint32_t irq)
{
	if (irq < gic.count) {
		gic_write_bit(frame_of(irq), GICD_ICENABLER, irq);
		wait_rwp(irq);
	}
}

/* Reprogramming an enabled interrupt is UNPREDICTABLE (12.9.9): off, change, on again. */
static void gicv3_set_trigger(uint32_t irq, enum irq_trigger t)
{
	bool enabled;
	hpa_t frame;

	if (irq < GIC_FIRST_PPI || irq >= gic.count) {
		return;
	}
	frame = frame_of(irq);
	spin_lock(&gic.lock);
	enabled = (mmio_read32(frame, GICD_ISENABLER + irq / 32 * 4) & BIT32(irq % 32)) != 0;
	gicv3_disable(irq);
	gic_write_config(frame, irq, t);
	if (enabled) {
		gicv3_enable(irq);
	}
	spin_unlock(&gic.lock);
}

static void gicv3_set_target(uint32_t irq, uint32_t cpu)
{
	if (irq >= GIC_FIRST_SPI && irq < gic.count && cpu < MAX_CPUS && gic.rd[cpu].a != 0) {
		mmio_write64(gic.gicd, GICD_IROUTER + 8 * (uint64_t)irq, gic.affinity[cpu]);
	}
}

/* Affinity 3.2.1, a range of 16 in affinity 0, and a bit for the one in it. */
static uint64_t sgi_target(uint64_t mpidr)
{
	uint64_t aff0 = mpidr & 0xff;

	return (mpidr >> 32 & 0xff) << 48 | aff0 >> 4 << 44 | (mpidr >> 16 & 0xff) << 32 |
	       (mpidr >> 8 & 0xff) << 16 | BIT64(aff0 & 15);
}

static void gicv3_send_ipi(uint32_t cpu, uint32_t n)
{
	if (cpu < MAX_CPUS && n < GIC_FIRST_PPI) {
		/* What was written before is seen by who takes the interrupt. */
		dsb(ishst);
		sysreg_write(ICC_SGI1R_EL1, sgi_target(gic.affinity[cpu]) | (uint64_t)n << 24);
		isb();
	}
}

static uint32_t gicv3_count(void)
{
	return gic.count;
}

static const struct irqchip_ops gicv3_irqchip_ops = {
	.init = gicv3_init,
	.init_cpu = gicv3_init_cpu,
	.ack = gicv3_ack,
	.eoi = gicv3_eoi,
	.drop = gicv3_drop,
	.deactivate = gicv3_deactivate,
	.enable = gicv3_enable,
	.disable = gicv3_disable,
	.set_trigger = gicv3_set_trigger,
	.set_target = gicv3_set_target,
	.send_ipi = gicv3_send_ipi,
	.count = gicv3_count,
};

/* --- list registers --- */

#define LR_CASES(op)                                                                            \
	op(0) op(1) op(2) op(3) op(4) op(5) op(6) op(7) op(8) op(9) op(10) op(11) op(12) op(13) \
		op(14) op(15)

static uint64_t gicv3_read_lr(uint32_t n)
{
	switch (n) {
#define READ_LR(i) \
	case i:    \
		return sysreg_read(ICH_LR##i##_EL2);
		LR_CASES(READ_LR)
	default:
		return 0;
	}
}

static void gicv3_write_lr(uint32_t n, uint64_t lr)
{
	switch (n) {
#define WRITE_LR(i)                                \
	case i:                                    \
		sysreg_write(ICH_LR##i##_EL2, lr); \
		break;
		LR_CASES(WRITE_LR)
	default:
		break;
	}
}

static uint64_t gicv3_empty_lrs(void)
{
	return sysreg_read(ICH_ELRSR_EL2) & (BIT64(gic.lr_count) - 1);
}

static uint64_t gicv3_eoi_lrs(void)
{
	return sysreg_read(ICH_EISR_EL2) & (BIT64(gic.lr_count) - 1);
}

static uint32_t gicv3_misr(void)
{
	return (uint32_t)sysreg_read(ICH_MISR_EL2);
}

static void gicv3_write_hcr(uint32_t hcr)
{
	sysreg_write(ICH_HCR_EL2, hcr);
}

static uint32_t gicv3_eoi_count(void)
{
	return (uint32_t)(sysreg_read(ICH_HCR_EL2) >> 27 & 0x1f);
}

static void gicv3_save(struct gich_cpuif *st)
{
	st->vmcr = (uint32_t)sysreg_read(ICH_VMCR_EL2);
	st->apr0[0] = (uint32_t)sysreg_read(ICH_AP0R0_EL2);
	st->apr1[0] = (uint32_t)sysreg_read(ICH_AP1R0_EL2);
	if (gic.apr_count > 1) {
		st->apr0[1] = (uint32_t)sysreg_read(ICH_AP0R1_EL2);
		st->apr1[1] = (uint32_t)sysreg_read(ICH_AP1R1_EL2);
	}
	if (gic.apr_count > 2) {
		st->apr0[2] = (uint32_t)sysreg_read(ICH_AP0R2_EL2);
		st->apr1[2] = (uint32_t)sysreg_read(ICH_AP1R2_EL2);
		st->apr0[3] = (uint32_t)sysreg_read(ICH_AP0R3_EL2);
		st->apr1[3] = (uint32_t)sysreg_read(ICH_AP1R3_EL2);
	}
}

static void gicv3_restore(const struct gich_cpuif *st)
{
	sysreg_write(ICH_VMCR_EL2, st->vmcr);
	sysreg_write(ICH_AP0R0_EL2, st->apr0[0]);
	sysreg_write(ICH_AP1R0_EL2, st->apr1[0]);
	if (gic.apr_count > 1) {
		sysreg_write(ICH_AP0R1_EL2, st->apr0[1]);
		sysreg_write(ICH_AP1R1_EL2, st->apr1[1]);
	}
	if (gic.apr_count > 2) {
		sysreg_write(ICH_AP0R2_EL2, st->apr0[2]);
		sysreg_write(ICH_AP1R2_EL2, st->apr1[2]);
		sysreg_write(ICH_AP0R3_EL2, st->apr0[3]);
		sysreg_write(ICH_AP1R3_EL2, st->apr1[3]);
	}
}

/*
 * ICC_SRE_EL1 of a guest traps without Enable.  Where that bit is RAO/WI (12.2.20; QEMU)
 * the guest reads that there are system registers, and finds each of them UNDEFINED.
 */
void gicv3_guest_sysregs(bool on)
{
	uint64_t sre = sysreg_read(ICC_SRE_EL2);

	sysreg_write(ICC_SRE_EL2, on ? sre | ICC_SRE_ENABLE : sre & ~ICC_SRE_ENABLE);
}

static void gicv3_set_active(uint32_t irq, bool active)
{
	if (irq < gic.count) {
		gic_write_bit(frame_of(irq), active ? GICD_ISACTIVER : GICD_ICACTIVER, irq);
	}
}

static const struct gich_ops gicv3_gich_ops = {
	.read_lr = gicv3_read_lr,
	.write_lr = gicv3_write_lr,
	.empty_lrs = gicv3_empty_lrs,
	.eoi_lrs = gicv3_eoi_lrs,
	.misr = gicv3_misr,
	.write_hcr = gicv3_write_hcr,
	.eoi_count = gicv3_eoi_count,
	.save = gicv3_save,
	.restore = gicv3_restore,
	.set_active = gicv3_set_active,
};

/* --- finding it --- */

static void learn_redistributor(const struct machine *m, hpa_t rd, uint64_t typer)
{
	uint64_t a = typer >> 32; /* Aff3.2.1.0 in one word */
	uint64_t mpidr = (a & 0xff000000) << 8 | (a & 0xffffff);
	uint32_t cpu = machine_cpu_index(m, mpidr);

	if (cpu != UINT32_MAX) {
		gic.rd[cpu] = rd;
	}
}

/* Redistributors lie one behind the other in each region, the last of it marked. */
static void find_redistributors(const struct machine *m)
{
	const struct machine_gic *g = &m->gic;

	for (uint32_t i = 0; i < g->redist_count; i++) {
		uint64_t offset = 0, typer, size, stride = g->redist_stride;

		if (!IS_ALIGNED(stride, GICR_FRAME) || stride > g->redist[i].size) {
			stride = 0; /* nonsense: as GICR_TYPER says */
		}

		do {
			if (!range_within(offset, 2 * GICR_FRAME, 0, g->redist[i].size)) {
				break;
			}
			typer = mmio_read64(g->redist[i].base, offset + GICR_TYPER);
			learn_redistributor(m, hpa(g->redist[i].base.a + offset), typer);
			size = (typer & GICR_TYPER_VLPIS) != 0 ? 4 * GICR_FRAME : 2 * GICR_FRAME;
			offset += stride > size ? stride : size;
		} while ((typer & GICR_TYPER_LAST) == 0);
	}
}

static int probe_gich(struct gich *gich)
{
	uint64_t vtr = sysreg_read(ICH_VTR_EL2);

	gic.lr_count = MIN(ICH_VTR_LRS(vtr), (uint32_t)GICH_MAX_LRS);
	gic.apr_count = ICH_VTR_PRE_BITS(vtr) > 6 ? 4 : ICH_VTR_PRE_BITS(vtr) > 5 ? 2 : 1;
	gich->ops = &gicv3_gich_ops;
	gich->version = 3;
	gich->lr_count = gic.lr_count;
	gich->prio_bits = ICH_VTR_PRI_BITS(vtr);
	gich->apr_count = gic.apr_count;
	gich->gicv = hpa(0);
	gich->gicv_size = 0;
	return 0;
}

int gicv3_probe(const struct machine *m, struct irqchip *out, struct gich *gich)
{
	const struct machine_gic *g = &m->gic;
	uint32_t arch;

	if (g->version != 3 || g->gicd.size < GICD_SIZE) {
		return -ENODEV;
	}
	arch = PIDR2_ARCH(mmio_read32(g->gicd.base, GICD_PIDR2));
	if (arch != 3 && arch != 4) {
		return -ENODEV;
	}
	gic.gicd = g->gicd.base;
	gic.count = gic_dist_count(gic.gicd);
	for (uint32_t i = 0; i < m->cpu_count; i++) {
		gic.affinity[i] = m->cpu[i].hwid;
	}
	find_redistributors(m);
	out->ops = &gicv3_irqchip_ops;
	out->name = "GICv3";
	/* The ICH registers answer once system register access is on at this level. */
	sysreg_write(ICC_SRE_EL2, sysreg_read(ICC_SRE_EL2) | ICC_SRE_SRE | ICC_SRE_ENABLE);
	isb();
	if ((sysreg_read(ICC_SRE_EL2) & ICC_SRE_SRE) == 0) {
		return -ENODEV;
	}
	return probe_gich(gich);
}
