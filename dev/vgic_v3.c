/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv3: distributor and redistributor registers that a GICv2 does not have,
 * and SGIs by system register (IHI 0069 12.2, 12.9 to 12.11).
 *
 * One security state (GICD_CTLR.DS = 1), affinity routing always on (ARE = 1), no
 * LPIs, no message-based SPIs, no extended ranges.  Every write has taken effect when
 * it returns to the guest, so RWP and UWP are always 0.
 *
 * Accesses are words; priorities also bytes; GICD_IROUTER and GICR_TYPER also 64 bits.
 */
#include "vgic_impl.h"

#define GICD_CTLR	 0x0000u
#define GICD_IIDR	 0x0008u
#define GICD_IROUTER	 0x6000u
#define GICD_IROUTER_END 0x8000u
#define GICR_CTLR	 0x0000u
#define GICR_IIDR	 0x0004u
#define GICR_TYPER	 0x0008u
#define GICR_TYPER_HI	 0x000cu
#define GICR_WAKER	 0x0014u
#define GIC_PIDR2	 0xffe8u
#define GIC_CIDR0	 0xfff0u
#define GIC_FRAME	 0x10000u

#define CTLR_ARE	BIT32(4)
#define CTLR_DS		BIT32(6)
#define TYPER_ID_BITS	(9u << 19) /* INTIDs of 10 bits */
#define TYPER_A3V	BIT32(24)
#define TYPER_RSS	BIT32(26) /* SGIs to affinities 0 above 15 */
#define IROUTER_IRM	BIT64(31)
#define IROUTER_MASK	(UINT64_C(0xff00ffffff) | IROUTER_IRM)
#define GICR_TYPER_LAST BIT64(4)
#define WAKER_SLEEP	BIT32(1)
#define WAKER_ASLEEP	BIT32(2)
#define PIDR2_GICV3	0x3bu

#define SGI1R_IRM BIT64(40)

uint32_t vgic_v3_typer(const struct vgic *g)
{
	uint32_t typer = TYPER_ID_BITS | TYPER_A3V | (g->words - 1);
	uint32_t i;

	for (i = 0; i < g->vic.vcpu_count; i++) {
		if ((g->cpu[i].affinity & 0xff) > 15) {
			typer |= TYPER_RSS;
		}
	}
	return typer;
}

uint32_t vgic_v3_targets(const struct vgic *g, uint32_t intid)
{
	uint64_t r = g->router[intid];
	uint32_t affinity = (uint32_t)(r >> 8 & 0xff000000) | (uint32_t)(r & 0xffffff);
	uint32_t i;

	if ((r & IROUTER_IRM) != 0) {
		return (uint32_t)(BIT64(g->vic.vcpu_count) - 1);
	}
	for (i = 0; i < g->vic.vcpu_count; i++) {
		if (g->cpu[i].affinity == affinity) {
			return BIT32(i);
		}
	}
	return 0;
}

/* GICD_IROUTER<n>, whole or a half. */
static uint64_t router_access(struct vgic *g, const struct vdev_access *a, uint32_t offset)
{
	uint32_t intid = (offset - GICD_IROUTER) / 8;
	uint32_t shift = offset % 8 * 8;
	uint64_t mask = (a->width == 8 ? UINT64_MAX : UINT64_C(0xffffffff)) << shift;
	uint64_t value;

	if ((a->width != 4 && a->width != 8) || intid < VGIC_PRIVATE || intid / 32 >= g->words ||
	    (g->spi[intid / 32 - 1].impl & BIT32(intid % 32)) == 0) {
		return 0;
	}
	if (!a->write) {
		return g->router[intid] >> shift;
	}
	value = (g->router[intid] & ~mask) | (a->value << shift & mask & IROUTER_MASK);
	if (value != g->router[intid]) {
		g->router[intid] = value;
		vgic_reroute(g, intid / 32, intid % 32);
	}
	return 0;
}

/* Identification registers, the same in every frame. */
static uint32_t id_read(uint32_t offset)
{
	static const uint8_t cidr[4] = { 0x0d, 0xf0, 0x05, 0xb1 };

	if (offset == GIC_PIDR2) {
		return PIDR2_GICV3;
	}
	return offset >= GIC_CIDR0 ? cidr[(offset - GIC_CIDR0) / 4] : 0;
}

static uint32_t dist_word_access(struct vgic *g, const struct vdev_access *a, uint32_t offset)
{
	uint32_t ctlr;

	switch (offset) {
	case GICD_CTLR:
		ctlr = (uint32_t)a->value & (GICD_CTLR_GRP0 | GICD_CTLR_GRP1);
		if (a->write && ctlr != g->ctlr) {
			g->ctlr = ctlr;
			vgic_changed_all(g);
		}
		return 0;
	case GICD_IIDR:
		return VGIC_IIDR;
	default:
		return id_read(offset);
	}
}

static enum vdev_result dist_access(struct vdev *dev, struct vdev_access *a)
{
	struct vgic *g = container_of(dev, struct vgic, dist);
	uint32_t offset = (uint32_t)a->offset;
	uint64_t value = 0;

	if (a->offset >= GIC_FRAME || !IS_ALIGNED(offset, (uint32_t)a->width) ||
	    a->vcpu >= g->vic.vcpu_count) {
		return VDEV_OK;
	}
	if (!a->write && a->width == 4 && vgic_peek(g, a, 1, &a->value)) {
		a->value |= offset == GICD_CTLR ? CTLR_ARE | CTLR_DS : 0;
		return VDEV_OK;
	}
	vgic_lock(g, a->vcpu);
	if (offset >= GICD_IROUTER && offset < GICD_IROUTER_END) {
		value = router_access(g, a, offset);
	} else if (offset >= GICD_IGROUPR && offset < GICD_ICFGR_END) {
		if (offset < GICD_ITARGETSR || offset >= GICD_ICFGR) {
			value = vgic_bank_access(g, a->vcpu, 1, g->words, a, offset);
		}
	} else if (a->width == 4) {
		value = dist_word_access(g, a, offset);
	}
	vgic_unlock(g);
	if (!a->write) {
		a->value = value;
	}
	return VDEV_OK;
}

const struct vdev_ops vgic_v3_dist_ops = {
	.access = dist_access,
	.reset = vgic_vdev_nop,
	.destroy = vgic_vdev_nop,
};

/* GICR_TYPER: `last` of its region. */
static uint64_t redist_typer(const struct vgic *g, uint32_t vcpu, bool last)
{
	return (uint64_t)g->cpu[vcpu].affinity << 32 | vcpu << 8 | (last ? GICR_TYPER_LAST : 0);
}

/* RD_base of a vCPU's redistributor. */
static uint64_t rd_access(struct vgic *g, const struct vdev_access *a, uint32_t vcpu,
			  uint32_t offset, bool last)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	if (a->width == 8) {
		return offset == GICR_TYPER ? redist_typer(g, vcpu, last) : 0;
	}
	if (a->width != 4) {
		return 0;
	}
	switch (offset) {
	case GICR_IIDR:
		return VGIC_IIDR;
	case GICR_TYPER:
		return (uint32_t)redist_typer(g, vcpu, last);
	case GICR_TYPER_HI:
		return redist_typer(g, vcpu, last) >> 32;
	case GICR_WAKER: /* ChildrenAsleep follows at once */
		if (a->write) {
			c->asleep = (a->value & WAKER_SLEEP) != 0;
		}
		return c->asleep ? WAKER_SLEEP | WAKER_ASLEEP : 0;
	default:
		return id_read(offset);
	}
}

static enum vdev_result redist_access(struct vdev *dev, struct vdev_access *a)
{
	struct vgic *g = container_of(dev, struct vgic, redist);
	uint32_t region = (uint32_t)(a->offset >> 40);
	uint64_t within = a->offset & (BIT64(40) - 1);
	uint64_t index = within >> g->redist_shift;
	uint64_t offset = within & (BIT64(g->redist_shift) - 1);
	uint32_t first;
	uint32_t end;
	uint32_t vcpu;
	uint64_t value = 0;

	if (region >= g->redist_count || !IS_ALIGNED(offset, (uint64_t)a->width) ||
	    offset >= 2 * GIC_FRAME || a->vcpu >= g->vic.vcpu_count) {
		return VDEV_OK;
	}
	first = g->redist_first[region];
	end = g->redist_first[region + 1];
	if (index >= end - first) {
		return VDEV_OK;
	}
	vcpu = first + (uint32_t)index;
	vgic_lock(g, a->vcpu);
	if (offset < GIC_FRAME) {
		value = rd_access(g, a, vcpu, (uint32_t)offset, vcpu + 1 == end);
	} else {
		offset -= GIC_FRAME;
		if ((offset >= GICD_IGROUPR && offset < GICD_ITARGETSR) ||
		    (offset >= GICD_ICFGR && offset < GICD_ICFGR_END)) {
			value = vgic_bank_access(g, vcpu, 0, 1, a, (uint32_t)offset);
		}
	}
	vgic_unlock(g);
	if (!a->write) {
		a->value = value;
	}
	return VDEV_OK;
}

const struct vdev_ops vgic_v3_redist_ops = {
	.access = redist_access,
	.reset = vgic_vdev_nop,
	.destroy = vgic_vdev_nop,
};

/* The vCPUs that a value of ICC_SGI1R_EL1 names. */
static uint32_t sgi_targets(const struct vgic *g, uint32_t vcpu, uint64_t value)
{
	uint32_t cluster = (uint32_t)(value >> 48 & 0xff) << 24 |
			   (uint32_t)(value >> 32 & 0xff) << 16 |
			   (uint32_t)(value >> 16 & 0xff) << 8;
	uint32_t base = cluster | (uint32_t)(value >> 44 & 0xf) * 16;
	uint32_t list = (uint32_t)value & 0xffff;
	uint32_t set = 0;
	uint32_t i;

	if ((value & SGI1R_IRM) != 0) {
		return (uint32_t)(BIT64(g->vic.vcpu_count) - 1) & ~BIT32(vcpu);
	}
	for (i = 0; i < g->vic.vcpu_count && list != 0; i++) {
		uint32_t d = g->cpu[i].affinity - base;

		if (d < 16 && (list & BIT32(d)) != 0) {
			set |= BIT32(i);
		}
	}
	return set;
}

/*
 * With one security state ICC_SGI1R_EL1 generates SGIs of either group, as the target
 * has configured them; the two others generate those of group 0 only (IHI 0069 12.1.10).
 */
void vgic_v3_sgi(struct vgic *g, uint32_t vcpu, enum vgic_sgi_reg reg, uint64_t value)
{
	uint32_t sgi = (uint32_t)(value >> 24) & 0xf;
	bool self;
	uint32_t set;

	if (g->kind != VGIC_V3 || vcpu >= g->vic.vcpu_count) {
		return;
	}
	self = (value & ~(UINT64_C(0xf) << 24)) == g->cpu[vcpu].sgi_self;
	vgic_lock(g, vcpu);
	if (self && reg == VGIC_SGI1R && g->out->sgi(g, vcpu, sgi, 0)) {
		spin_unlock(&g->lock);
		return;
	}
	set = sgi_targets(g, vcpu, value);
	while (set != 0) {
		uint32_t v = vgic_take_bit(&set);

		if (reg == VGIC_SGI1R || (g->cpu[v].priv.group & BIT32(sgi)) == 0) {
			vgic_sgi(g, v, sgi, 0);
		}
	}
	vgic_unlock(g);
}
