/* SPDX-License-Identifier: Apache-2.0 */
/* GICv2 (IHI 0048B) and GICv3 (IHI 0069) as a guest drives them. */
#include <rt.h>

#include <libfdt.h>

#define GICD_CTLR	0x000
#define GICD_TYPER	0x004
#define GICD_IGROUPR	0x080
#define GICD_ISENABLER	0x100
#define GICD_ICENABLER	0x180
#define GICD_ISPENDR	0x200
#define GICD_ICPENDR	0x280
#define GICD_ISACTIVER	0x300
#define GICD_ICACTIVER	0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR	0x800
#define GICD_ICFGR	0xc00
#define GICD_SGIR	0xf00
#define GICD_CPENDSGIR	0xf10
#define GICD_SPENDSGIR	0xf20
#define GICD_IROUTER	0x6000

#define GICC_CTLR  0x00
#define GICC_PMR   0x04
#define GICC_BPR   0x08
#define GICC_IAR   0x0c
#define GICC_EOIR  0x10
#define GICC_RPR   0x14
#define GICC_HPPIR 0x18
#define GICC_DIR   0x1000

#define GICC_CTLR_EOIMODE BIT32(9)

#define GICR_TYPER 0x0008
#define GICR_WAKER 0x0014
#define GICR_FRAME UINT64_C(0x20000)
#define GICR_SGI   UINT64_C(0x10000)

#define DEFAULT_PRIORITY 0xa0

uint32_t gic_version;
uint64_t gicd_base = 0x08000000, gicc_base = 0x08010000, gicr_base = 0x080a0000;
uint32_t gic_irqs;

/* rt_cpu.arch[]: */
#define ARCH_GICV2_MASK 0 /* which bit of GICD_ITARGETSR is this CPU */
#define ARCH_GICR	1 /* address of its redistributor */

/* SGIs of a GICv2 are ended with the CPU that sent them. */
static uint32_t acked[RT_MAX_CPUS];

static uint64_t cells(const fdt32_t *c)
{
	return (uint64_t)fdt32_to_cpu(c[0]) << 32 | fdt32_to_cpu(c[1]);
}

static bool find_in_tree(const char *compatible, uint64_t *second)
{
	int node = fdt_node_offset_by_compatible(rt_dtb, -1, compatible);
	int len;
	const fdt32_t *reg = fdt_getprop(rt_dtb, node, "reg", &len);

	if (reg == NULL || len < 32) {
		return false;
	}
	gicd_base = cells(reg);
	*second = cells(reg + 4);
	return true;
}

void gic_find(void)
{
	gic_version = (read_sysreg(id_aa64pfr0_el1) >> 24 & 0xf) != 0 ? 3 : 2;
	if (rt_dtb != NULL) {
		if (find_in_tree("arm,gic-v3", &gicr_base)) {
			gic_version = 3;
		} else if (find_in_tree("arm,cortex-a15-gic", &gicc_base)) {
			gic_version = 2;
		}
	}
}

/* ---- Registers of one INTID -------------------------------------------------------- */

static uint64_t redistributor(void)
{
	struct rt_cpu *c = rt_this_cpu();
	uint64_t base = gicr_base;

	if (c->arch[ARCH_GICR] != 0) {
		return c->arch[ARCH_GICR];
	}
	for (;;) {
		uint64_t typer = mmio_read64(base + GICR_TYPER);
		uint64_t aff = (typer >> 32 & 0xffffff) | (typer >> 56) << 32;

		if (aff == c->hwid) {
			c->arch[ARCH_GICR] = base;
			return base;
		}
		if ((typer & BIT32(4)) != 0) { /* Last */
			rt_fail("no redistributor is that of CPU %u", c->index);
		}
		base += GICR_FRAME;
	}
}

uint64_t gic_reg(uint32_t irq, uint64_t offset, uint32_t bits_each)
{
	uint64_t base = gic_version == 3 && irq < 32 ? redistributor() + GICR_SGI : gicd_base;

	return base + offset + (uint64_t)irq * bits_each / 32 * 4;
}

static bool bit_get(uint32_t irq, uint64_t offset)
{
	return (mmio_read32(gic_reg(irq, offset, 1)) >> (irq % 32) & 1) != 0;
}

static void bit_set(uint32_t irq, uint64_t offset)
{
	mmio_write32(gic_reg(irq, offset, 1), BIT32(irq % 32));
}

void gic_enable(uint32_t irq, bool on)
{
	bit_set(irq, on ? GICD_ISENABLER : GICD_ICENABLER);
}

bool gic_is_enabled(uint32_t irq)
{
	return bit_get(irq, GICD_ISENABLER);
}

void gic_set_pending(uint32_t irq, bool on)
{
	if (gic_version == 2 && irq < 16) {
		/* From this CPU; a byte for each SGI. */
		uint32_t mask = (uint32_t)rt_this_cpu()->arch[ARCH_GICV2_MASK];

		mmio_write8(gicd_base + (on ? GICD_SPENDSGIR : GICD_CPENDSGIR) + irq,
			    (uint8_t)(on ? mask : 0xff));
		return;
	}
	bit_set(irq, on ? GICD_ISPENDR : GICD_ICPENDR);
}

bool gic_is_pending(uint32_t irq)
{
	return bit_get(irq, GICD_ISPENDR);
}

void gic_set_active(uint32_t irq, bool on)
{
	bit_set(irq, on ? GICD_ISACTIVER : GICD_ICACTIVER);
}

bool gic_is_active(uint32_t irq)
{
	return bit_get(irq, GICD_ISACTIVER);
}

void gic_set_priority(uint32_t irq, uint32_t priority)
{
	mmio_write8(gic_reg(irq, GICD_IPRIORITYR, 8) + irq % 4, (uint8_t)priority);
}

uint32_t gic_priority(uint32_t irq)
{
	return mmio_read8(gic_reg(irq, GICD_IPRIORITYR, 8) + irq % 4);
}

void gic_set_edge(uint32_t irq, bool edge)
{
	uint64_t reg = gic_reg(irq, GICD_ICFGR, 2);
	uint32_t bit = BIT32(irq % 16 * 2 + 1);
	uint32_t value = mmio_read32(reg);

	mmio_write32(reg, edge ? value | bit : value & ~bit);
}

bool gic_is_edge(uint32_t irq)
{
	return (mmio_read32(gic_reg(irq, GICD_ICFGR, 2)) >> (irq % 16 * 2 + 1) & 1) != 0;
}

void gic_route(uint32_t irq, uint32_t cpu)
{
	if (gic_version == 3) {
		mmio_write64(gicd_base + GICD_IROUTER + 8 * (uint64_t)irq, rt_cpus[cpu].hwid);
	} else {
		mmio_write8(gicd_base + GICD_ITARGETSR + irq,
			    (uint8_t)rt_cpus[cpu].arch[ARCH_GICV2_MASK]);
	}
}

/* ---- Distributor ----------------------------------------------------------------- */

void gic_dist_enable(bool on)
{
	if (gic_version == 3) {
		/* Affinity routing, and both groups as the non-secure or only state has them. */
		mmio_write32(gicd_base + GICD_CTLR, on ? 0x13 : 0x10);
	} else {
		mmio_write32(gicd_base + GICD_CTLR, on ? 1 : 0);
	}
	dsb();
}

static void init_spis(void)
{
	gic_irqs = ((mmio_read32(gicd_base + GICD_TYPER) & 0x1f) + 1) * 32;
	if (gic_irqs > GIC_MAX_IRQ) {
		gic_irqs = GIC_MAX_IRQ;
	}
	for (uint32_t n = 32; n < gic_irqs; n += 32) {
		mmio_write32(gic_reg(n, GICD_ICENABLER, 1), UINT32_MAX);
		mmio_write32(gic_reg(n, GICD_ICPENDR, 1), UINT32_MAX);
		mmio_write32(gic_reg(n, GICD_ICACTIVER, 1), UINT32_MAX);
		if (gic_version == 3) {
			mmio_write32(gic_reg(n, GICD_IGROUPR, 1), UINT32_MAX);
		}
		mmio_write32(gic_reg(n, GICD_ICFGR, 2), 0);
		mmio_write32(gic_reg(n + 16, GICD_ICFGR, 2), 0);
	}
	for (uint32_t n = 32; n < gic_irqs; n += 4) {
		mmio_write32(gic_reg(n, GICD_IPRIORITYR, 8), DEFAULT_PRIORITY * 0x01010101U);
	}
	for (uint32_t n = 32; n < gic_irqs; n++) {
		gic_route(n, 0);
	}
}

void gic_init(void)
{
	gic_dist_enable(false);
	gic_init_cpu();
	init_spis();
	gic_dist_enable(true);
}

/* ---- This CPU -------------------------------------------------------------------- */

static void init_private(void)
{
	mmio_write32(gic_reg(0, GICD_ICENABLER, 1), UINT32_MAX);
	mmio_write32(gic_reg(0, GICD_ICPENDR, 1), UINT32_MAX);
	mmio_write32(gic_reg(0, GICD_ICACTIVER, 1), UINT32_MAX);
	if (gic_version == 3) {
		mmio_write32(gic_reg(0, GICD_IGROUPR, 1), UINT32_MAX);
	}
	for (uint32_t n = 0; n < 32; n += 4) {
		mmio_write32(gic_reg(n, GICD_IPRIORITYR, 8), DEFAULT_PRIORITY * 0x01010101U);
	}
	if (gic_version == 2) {
		for (uint64_t n = 0; n < 16; n += 4) {
			mmio_write32(gicd_base + GICD_CPENDSGIR + n, UINT32_MAX);
		}
		mmio_write32(gic_reg(0, GICD_ISENABLER, 1), 0xffff);
	} else {
		mmio_write32(gic_reg(0, GICD_ISENABLER, 1), 0xffff);
	}
}

static void init_v3_cpu(void)
{
	uint64_t waker = redistributor() + GICR_WAKER;

	mmio_write32(waker, mmio_read32(waker) & ~BIT32(1));
	CHECK(WAIT_FOR((mmio_read32(waker) & BIT32(2)) == 0, 1000));
	write_sysreg(S3_0_C12_C12_5, 1); /* ICC_SRE_EL1 */
	isb();
	write_sysreg(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	write_sysreg(S3_0_C12_C12_3, 0);  /* ICC_BPR1_EL1 */
	write_sysreg(S3_0_C12_C12_4, 0);  /* ICC_CTLR_EL1 */
	write_sysreg(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
	isb();
}

void gic_init_cpu(void)
{
	struct rt_cpu *c = rt_this_cpu();

	if (gic_version == 3) {
		init_v3_cpu();
	} else {
		/* The targets of private interrupts read as this CPU; RAZ with one CPU. */
		c->arch[ARCH_GICV2_MASK] = mmio_read32(gicd_base + GICD_ITARGETSR) & 0xff;
		if (c->arch[ARCH_GICV2_MASK] == 0) {
			c->arch[ARCH_GICV2_MASK] = 1;
		}
		mmio_write32(gicc_base + GICC_CTLR, 1);
		mmio_write32(gicc_base + GICC_PMR, 0xff);
		mmio_write32(gicc_base + GICC_BPR, 0);
	}
	init_private();
}

void gic_sgi(uint32_t irq, uint32_t cpu)
{
	uint64_t id = rt_cpus[cpu].hwid;

	dsb();
	if (gic_version == 2) {
		mmio_write32(gicd_base + GICD_SGIR,
			     (uint32_t)rt_cpus[cpu].arch[ARCH_GICV2_MASK] << 16 | irq);
		return;
	}
	/* ICC_SGI1R_EL1: Aff3, Aff2, Aff1, range of 16 in Aff0 and a bit in it. */
	write_sysreg(S3_0_C12_C11_5, (id >> 32 & 0xff) << 48 | (id >> 16 & 0xff) << 32 |
					     (id >> 8 & 0xff) << 16 | (id >> 4 & 0xf) << 44 |
					     (uint64_t)irq << 24 | UINT64_C(1) << (id & 0xf));
	isb();
}

void gic_sgi_others(uint32_t irq)
{
	dsb();
	if (gic_version == 2) {
		mmio_write32(gicd_base + GICD_SGIR, BIT32(24) | irq);
		return;
	}
	write_sysreg(S3_0_C12_C11_5, UINT64_C(1) << 40 | (uint64_t)irq << 24);
	isb();
}

uint32_t gic_ack(void)
{
	if (gic_version == 2) {
		uint32_t iar = mmio_read32(gicc_base + GICC_IAR);

		acked[rt_this_cpu()->index] = iar;
		return iar & 0x3ff;
	}
	uint32_t irq = (uint32_t)read_sysreg(S3_0_C12_C12_0);

	dsb();
	return irq;
}

/* An SGI is ended with the source of its acknowledgement, if it was the last one. */
static uint32_t end_value(uint32_t irq)
{
	uint32_t last = acked[rt_this_cpu()->index];

	return (last & 0x3ff) == irq ? last : irq;
}

void gic_end(uint32_t irq)
{
	if (gic_version == 2) {
		mmio_write32(gicc_base + GICC_EOIR, end_value(irq));
	} else {
		write_sysreg(S3_0_C12_C12_1, irq);
		isb();
	}
}

void gic_deactivate(uint32_t irq)
{
	if (gic_version == 2) {
		mmio_write32(gicc_base + GICC_DIR, end_value(irq));
	} else {
		write_sysreg(S3_0_C12_C11_1, irq);
		isb();
	}
}

void gic_set_mask(uint32_t priority)
{
	if (gic_version == 2) {
		mmio_write32(gicc_base + GICC_PMR, priority);
	} else {
		write_sysreg(S3_0_C4_C6_0, priority);
		isb();
	}
}

void gic_split_eoi(bool on)
{
	if (gic_version == 2) {
		mmio_write32(gicc_base + GICC_CTLR, 1 | (on ? GICC_CTLR_EOIMODE : 0));
	} else {
		write_sysreg(S3_0_C12_C12_4, on ? 2 : 0);
		isb();
	}
}

uint32_t gic_running_priority(void)
{
	if (gic_version == 2) {
		return mmio_read32(gicc_base + GICC_RPR) & 0xff;
	}
	return (uint32_t)read_sysreg(S3_0_C12_C11_3) & 0xff;
}

uint32_t gic_highest_pending(void)
{
	if (gic_version == 2) {
		return mmio_read32(gicc_base + GICC_HPPIR) & 0x3ff;
	}
	return (uint32_t)read_sysreg(S3_0_C12_C12_2);
}

void gic_set_binary_point(uint32_t bpr)
{
	if (gic_version == 2) {
		mmio_write32(gicc_base + GICC_BPR, bpr);
	} else {
		write_sysreg(S3_0_C12_C12_3, bpr);
		isb();
	}
}
