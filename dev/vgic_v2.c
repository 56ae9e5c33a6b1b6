/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv2 distributor: what a GICv3 does not share (IHI 0048B 4.3), without the
 * Security Extensions.  The CPU interface is the host's GICV frame, mapped into the
 * guest.
 *
 * Accesses are words; GICD_ITARGETSR and the SGI pending registers also bytes.
 */
#include "vgic_impl.h"

#define GICD_CTLR      0x000u
#define GICD_TYPER     0x004u
#define GICD_IIDR      0x008u
#define GICD_SGIR      0xf00u
#define GICD_CPENDSGIR 0xf10u
#define GICD_SPENDSGIR 0xf20u
#define GICD_SPEND_END 0xf30u
#define GICD_PIDR2     0xfe8u
#define GICD_CIDR0     0xff0u
#define GICD_END       0x1000u

#define PIDR2_GICV2 0x2bu

uint32_t vgic_v2_typer(const struct vgic *g)
{
	return (g->vic.vcpu_count - 1) << 5 | (g->words - 1);
}

/* A GIC with one CPU interface sends everything there; GICD_ITARGETSR is RAZ/WI. */
uint32_t vgic_v2_targets(const struct vgic *g, uint32_t intid)
{
	return g->vic.vcpu_count == 1 ? 1 : g->target[intid];
}

static uint32_t targets_access(struct vgic *g, const struct vdev_access *a, uint32_t intid)
{
	uint32_t all = BIT32(g->vic.vcpu_count) - 1;
	uint32_t value = 0;
	uint32_t i;

	if ((a->width != 1 && a->width != 4) || g->vic.vcpu_count == 1) {
		return 0;
	}
	for (i = intid; i < intid + a->width; i++) {
		uint32_t shift = 8 * (i - intid);
		uint32_t set = (uint32_t)(a->value >> shift) & all;

		if (i < VGIC_PRIVATE) {
			value |= BIT32(a->vcpu) << shift;
		} else if (!a->write) {
			value |= (uint32_t)g->target[i] << shift;
		} else if (i / 32 < g->words && (g->spi[i / 32 - 1].impl & BIT32(i % 32)) != 0 &&
			   g->target[i] != set) {
			g->target[i] = (uint8_t)set;
			vgic_reroute(g, i / 32, i % 32);
		}
	}
	return value;
}

/* GICD_SGIR (4.3.15). */
static void sgir_write(struct vgic *g, uint32_t vcpu, uint32_t value)
{
	uint32_t all = BIT32(g->vic.vcpu_count) - 1;
	uint32_t set = 0;

	switch (value >> 24 & 3) {
	case 0:
		set = value >> 16 & all;
		break;
	case 1:
		set = all & ~BIT32(vcpu);
		break;
	case 2:
		set = BIT32(vcpu);
		break;
	default:
		break;
	}
	while (set != 0) {
		vgic_sgi(g, vgic_take_bit(&set), value & 0xf, vcpu);
	}
}

/* The source of an SGI that is pending in a list register, as a set. */
static uint32_t sgi_in_lr(const struct vgic_cpu *c, uint32_t sgi)
{
	if ((c->priv.lr_pend & BIT32(sgi)) == 0) {
		return 0;
	}
	return BIT32(c->lr[c->priv.lr[sgi]] >> GICH_LR_V2_CPU_SHIFT & 7);
}

/* GICD_CPENDSGIR, GICD_SPENDSGIR (4.3.16, 4.3.17): a byte of sources for each SGI. */
static uint32_t sgi_pending_access(struct vgic *g, const struct vdev_access *a, uint32_t sgi,
				   bool set)
{
	struct vgic_cpu *c = &g->cpu[a->vcpu];
	uint32_t all = BIT32(g->vic.vcpu_count) - 1;
	uint32_t value = 0;
	uint32_t i;

	if (a->width != 1 && a->width != 4) {
		return 0;
	}
	vgic_fold(g, g->here);
	for (i = 0; i < a->width; i++, sgi++) {
		uint32_t m = BIT32(sgi);
		uint32_t src = (uint32_t)(a->value >> (8 * i)) & all;

		if (!a->write) {
			value |= (c->sgi_src[sgi] | sgi_in_lr(c, sgi)) << (8 * i);
			continue;
		}
		if (set) {
			c->sgi_src[sgi] |= (uint8_t)src;
		} else {
			if ((sgi_in_lr(c, sgi) & src) != 0) {
				c->req_clear_pend |= BIT32(c->priv.lr[sgi]);
			}
			c->sgi_src[sgi] &= (uint8_t)~src;
		}
		c->priv.latch = c->sgi_src[sgi] != 0 ? c->priv.latch | m : c->priv.latch & ~m;
		vgic_changed(g, a->vcpu, 0, m);
	}
	return value;
}

static uint32_t id_read(uint32_t offset)
{
	static const uint8_t cidr[4] = { 0x0d, 0xf0, 0x05, 0xb1 };

	if (offset == GICD_PIDR2) {
		return PIDR2_GICV2;
	}
	return offset >= GICD_CIDR0 ? cidr[(offset - GICD_CIDR0) / 4] : 0;
}

/* Registers that are one word. */
static uint32_t word_access(struct vgic *g, const struct vdev_access *a, uint32_t offset)
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
	case GICD_SGIR:
		if (a->write) {
			sgir_write(g, a->vcpu, (uint32_t)a->value);
		}
		return 0;
	default:
		return id_read(offset);
	}
}

static enum vdev_result dist_access(struct vdev *dev, struct vdev_access *a)
{
	struct vgic *g = container_of(dev, struct vgic, dist);
	uint32_t offset = (uint32_t)a->offset;
	uint32_t value = 0;

	if (a->offset >= GICD_END || !IS_ALIGNED(offset, (uint32_t)a->width) ||
	    a->vcpu >= g->vic.vcpu_count) {
		return VDEV_OK;
	}
	if (!a->write && a->width == 4 && vgic_peek(g, a, 0, &a->value)) {
		return VDEV_OK;
	}
	vgic_lock(g, a->vcpu);
	if (offset >= GICD_ITARGETSR && offset < GICD_ICFGR) {
		value = targets_access(g, a, offset - GICD_ITARGETSR);
	} else if (offset >= GICD_IGROUPR && offset < GICD_ICFGR_END) {
		value = vgic_bank_access(g, a->vcpu, 0, g->words, a, offset);
	} else if (offset >= GICD_CPENDSGIR && offset < GICD_SPEND_END) {
		value = sgi_pending_access(g, a, offset % 16, offset >= GICD_SPENDSGIR);
	} else if (a->width == 4) {
		value = word_access(g, a, offset);
	}
	vgic_unlock(g);
	if (!a->write) {
		a->value = value;
	}
	return VDEV_OK;
}

const struct vdev_ops vgic_v2_dist_ops = {
	.access = dist_access,
	.reset = vgic_vdev_nop,
	.destroy = vgic_vdev_nop,
};
