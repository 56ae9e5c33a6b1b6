/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: the register banks that a GICv2 distributor, a GICv3 distributor and
 * a GICv3 redistributor have in common (IHI 0048B 4.3, IHI 0069 12.9 and 12.11):
 * a bit, a byte or two bits for each INTID, at the same offsets.
 *
 * Widths: words; priorities also bytes.  Everything else reads zero and is not written.
 */
#include "vgic_impl.h"

#include <string.h>

#define BANK_REG_SHIFT 7 /* 32 words of each kind */

/* Every second bit from bit 1 on: bits 0..15 of a configuration spread, and back. */
static uint32_t config_spread(uint32_t x)
{
	x &= 0xffff;
	x = (x | x << 8) & 0x00ff00ff;
	x = (x | x << 4) & 0x0f0f0f0f;
	x = (x | x << 2) & 0x33333333;
	x = (x | x << 1) & 0x55555555;
	return x << 1;
}

static uint32_t config_gather(uint32_t x)
{
	x = x >> 1 & 0x55555555;
	x = (x | x >> 1) & 0x33333333;
	x = (x | x >> 2) & 0x0f0f0f0f;
	x = (x | x >> 4) & 0x00ff00ff;
	return (x | x >> 8) & 0xffff;
}

static uint32_t bits_read(struct vgic *g, const struct vgic_bank *b, enum vgic_breg reg)
{
	switch (reg) {
	case VGIC_IGROUPR:
		return b->group;
	case VGIC_ISENABLER:
	case VGIC_ICENABLER:
		return b->enabled;
	case VGIC_ISPENDR:
	case VGIC_ICPENDR:
		if (b->in_lr != 0) {
			vgic_fold(g, g->here);
		}
		return b->latch | (b->line & ~b->edge) | b->lr_pend;
	case VGIC_ISACTIVER:
	case VGIC_ICACTIVER:
		if (b->in_lr != 0) {
			vgic_fold(g, g->here);
		}
		return b->active;
	}
	return 0;
}

static void bits_write(struct vgic *g, uint32_t vcpu, uint32_t word, enum vgic_breg reg,
		       uint32_t value)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t sgi_v2 = word == 0 && g->kind == VGIC_V2 ? 0xffff : 0;
	uint32_t mask = value & b->impl;
	uint32_t changed;

	switch (reg) {
	case VGIC_IGROUPR:
		changed = (b->group ^ value) & b->impl;
		b->group ^= changed;
		vgic_changed(g, vcpu, word, changed);
		break;
	case VGIC_ISENABLER:
		changed = mask & ~b->enabled;
		b->enabled |= changed;
		vgic_changed(g, vcpu, word, changed);
		break;
	case VGIC_ICENABLER:
		changed = mask & b->enabled & ~sgi_v2;
		b->enabled &= ~changed;
		vgic_changed(g, vcpu, word, changed);
		break;
	case VGIC_ISPENDR: /* SGIs of a GICv2 have GICD_SPENDSGIR */
		vgic_fold(g, g->here);
		vgic_set_pending(g, vcpu, word, mask & ~sgi_v2);
		break;
	case VGIC_ICPENDR:
		vgic_fold(g, g->here);
		vgic_clear_pending(g, vcpu, word, mask & ~sgi_v2);
		break;
	case VGIC_ISACTIVER:
		vgic_fold(g, g->here);
		vgic_set_active(g, vcpu, word, mask);
		break;
	case VGIC_ICACTIVER:
		vgic_fold(g, g->here);
		vgic_clear_active(g, vcpu, word, mask);
		break;
	}
}

static void prio_write(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t bit, uint32_t prio)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t m = BIT32(bit);

	prio &= g->prio_mask;
	if ((b->impl & m) == 0 || b->prio[bit] == prio) {
		return;
	}
	b->prio[bit] = (uint8_t)prio;
	if ((b->deliv & m) != 0) {
		uint32_t v = word == 0 ? vcpu : b->route[bit];

		g->cpu[v].cand.stale |= BIT32(word);
		vgic_touch(g, v);
	}
	if ((b->active & ~b->in_lr & m) != 0) {
		g->cpu[b->owner[bit]].act.stale |= BIT32(word);
	}
	vgic_changed(g, vcpu, word, m);
}

static uint32_t prio_access(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t bit,
			    const struct vdev_access *a)
{
	const struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t value = 0;
	uint32_t i;

	if (!a->write) {
		for (i = 0; i < a->width; i++) {
			value |= (uint32_t)b->prio[bit + i] << (8 * i);
		}
		return value;
	}
	for (i = 0; i < a->width; i++) {
		prio_write(g, vcpu, word, bit + i, (uint32_t)(a->value >> (8 * i)) & 0xff);
	}
	return 0;
}

/* Sixteen INTIDs of a bank; SGIs are edge-triggered for ever. */
static uint32_t config_access(struct vgic *g, uint32_t vcpu, uint32_t word, bool upper,
			      const struct vdev_access *a)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t shift = upper ? 16 : 0;
	uint32_t fixed = word == 0 ? 0xffff : 0;
	uint32_t changed;

	if (!a->write) {
		return config_spread(b->edge >> shift);
	}
	changed = b->edge ^ (config_gather((uint32_t)a->value) << shift);
	changed &= UINT32_C(0xffff) << shift & b->impl & ~fixed;
	b->edge ^= changed;
	vgic_changed(g, vcpu, word, changed);
	return 0;
}

uint32_t vgic_bank_access(struct vgic *g, uint32_t vcpu, uint32_t first, uint32_t end,
			  const struct vdev_access *a, uint32_t offset)
{
	uint32_t word = offset / 4 % 32;
	bool prio = offset >= GICD_IPRIORITYR && offset < GICD_ITARGETSR;
	bool config = offset >= GICD_ICFGR;

	if (prio) {
		word = (offset - GICD_IPRIORITYR) / 32;
	} else if (config) {
		word = (offset - GICD_ICFGR) / 8;
	}
	if (word < first || word >= end || (a->width != 4 && !(prio && a->width == 1))) {
		return 0;
	}
	if (prio) {
		return prio_access(g, vcpu, word, offset % 32, a);
	}
	if (config) {
		return config_access(g, vcpu, word, offset % 8 != 0, a);
	}
	if (a->write) {
		bits_write(g, vcpu, word,
			   (enum vgic_breg)((offset - GICD_IGROUPR) >> BANK_REG_SHIFT),
			   (uint32_t)a->value);
		return 0;
	}
	return bits_read(g, vgic_bank(g, vcpu, word),
			 (enum vgic_breg)((offset - GICD_IGROUPR) >> BANK_REG_SHIFT));
}
