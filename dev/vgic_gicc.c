/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv2: a CPU interface that traps, for hosts whose GIC has none to map into a
 * guest (IHI 0048B ch. 3 and 4.4; a GIC with groups and without the Security Extensions).
 *
 * What an access does is what the host's hardware would do with list registers, straight
 * on the model: an acknowledge makes the best candidate active, a deactivation ends it and
 * the host interrupt behind it.  After each, the lines follow (3.8.3: one interrupt is
 * signalled, as an FIQ if it is of group 0 and FIQEn is set).
 *
 * Control, masks and binary points are kept as ICH_VMCR_EL2 has them, active priorities in
 * one word for each group: there are 32 levels, of which the binary points make fewer.
 * Accesses are words; everything else reads zero and is not written.
 */
#include "vgic_impl.h"

#define GICC_CTLR   0x0000u
#define GICC_PMR    0x0004u
#define GICC_BPR    0x0008u
#define GICC_IAR    0x000cu
#define GICC_EOIR   0x0010u
#define GICC_RPR    0x0014u
#define GICC_HPPIR  0x0018u
#define GICC_ABPR   0x001cu
#define GICC_AIAR   0x0020u
#define GICC_AEOIR  0x0024u
#define GICC_AHPPIR 0x0028u
#define GICC_APR0   0x00d0u
#define GICC_NSAPR0 0x00e0u
#define GICC_IIDR   0x00fcu
#define GICC_DIR    0x1000u
#define GICC_END    0x2000u

#define CTLR_BITS                                                                                \
	(GICH_VMCR_ENG0 | GICH_VMCR_ENG1 | GICH_VMCR_ACKCTL | GICH_VMCR_FIQEN | GICH_VMCR_CBPR | \
	 GICH_VMCR_EOIM)
#define VMCR_BPR1_SHIFT 18
#define VMCR_BPR0_SHIFT 21
#define VMCR_PMR_SHIFT	24
#define VMCR_BPR	7u
#define MIN_BPR0	2u /* 5 bits of group priority (table 3-2) */
#define MIN_BPR1	3u
#define PRIO_SHIFT	3

#define ID_MASK	     0x3ffu
#define ID_OTHER     1022u /* of the other group; use the aliased register */
#define ID_SPURIOUS  1023u
#define ID_SPECIAL   1020u
#define ID_CPU_SHIFT 10
#define IIDR	     (VGIC_IIDR | 2u << 16) /* architecture version 2 */

/* The pending interrupt that comes first. */
struct pick {
	uint32_t intid;
	uint32_t prio; /* VGIC_PRIO_NONE: there is none */
	bool group1;
};

static uint32_t bpr0(uint32_t vmcr)
{
	return MAX(vmcr >> VMCR_BPR0_SHIFT & VMCR_BPR, MIN_BPR0);
}

static uint32_t bpr1(uint32_t vmcr)
{
	return MAX(vmcr >> VMCR_BPR1_SHIFT & VMCR_BPR, MIN_BPR1);
}

/* What of a priority decides on preemption (3.3.3). */
static uint32_t group_priority(uint32_t vmcr, const struct pick *p)
{
	bool own = p->group1 && (vmcr & GICH_VMCR_CBPR) == 0;
	uint32_t shift = own ? bpr1(vmcr) : bpr0(vmcr) + 1;

	return p->prio & 0xffu << shift;
}

static uint32_t running(const struct vgic_cpu *c)
{
	uint32_t active = c->cpuif.apr0[0] | c->cpuif.apr1[0];

	return active == 0 ? VGIC_PRIO_NONE : (uint32_t)__builtin_ctz(active) << PRIO_SHIFT;
}

/* The best candidate of one group, where the best of all is of the other. */
static void highest_of(struct vgic *g, uint32_t vcpu, bool group1, struct pick *p)
{
	const struct vgic_set *s = &g->cpu[vcpu].cand;
	uint32_t words = s->words;

	*p = (struct pick){ .prio = VGIC_PRIO_NONE, .group1 = group1 };
	while (words != 0) {
		uint32_t w = vgic_take_bit(&words);
		const struct vgic_bank *b = vgic_bank(g, vcpu, w);
		uint32_t bits = s->bits[w] & (group1 ? b->group : ~b->group);

		while (bits != 0) {
			uint32_t bit = vgic_take_bit(&bits);

			if (b->prio[bit] < p->prio) {
				p->prio = b->prio[bit];
				p->intid = w * 32 + bit;
			}
		}
	}
}

/* The best candidate of the groups that GICC_CTLR enables. */
static void highest(struct vgic *g, uint32_t vcpu, struct pick *p)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t groups = c->cpuif.vmcr & (GICH_VMCR_ENG0 | GICH_VMCR_ENG1);
	const struct vgic_bank *b;

	*p = (struct pick){ .prio = VGIC_PRIO_NONE };
	if (groups == 0 || c->cand.words == 0) {
		return;
	}
	p->prio = vgic_set_top(g, vcpu, &c->cand, &p->intid);
	b = vgic_bank(g, vcpu, p->intid / 32);
	p->group1 = (b->group & BIT32(p->intid % 32)) != 0;
	if ((groups & (p->group1 ? GICH_VMCR_ENG1 : GICH_VMCR_ENG0)) == 0) {
		highest_of(g, vcpu, !p->group1, p);
	}
}

/* It passes the priority mask and preempts what runs. */
static bool is_signalled(const struct vgic_cpu *c, const struct pick *p)
{
	uint32_t vmcr = c->cpuif.vmcr;

	return p->prio < GICH_VMCR_PMR(vmcr) && group_priority(vmcr, p) < running(c);
}

/* VGIC_LINE_* as they should be. */
static uint32_t wanted_lines(struct vgic *g, uint32_t vcpu)
{
	const struct vgic_cpu *c = &g->cpu[vcpu];
	struct pick p;

	highest(g, vcpu, &p);
	if (!is_signalled(c, &p)) {
		return 0;
	}
	return !p.group1 && (c->cpuif.vmcr & GICH_VMCR_FIQEN) != 0 ? VGIC_LINE_FIQ : VGIC_LINE_IRQ;
}

static void drive(const struct vgic_cpu *c)
{
	arch_vgic_lines((c->lines & VGIC_LINE_IRQ) != 0, (c->lines & VGIC_LINE_FIQ) != 0);
}

static void apply(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint8_t lines = (uint8_t)wanted_lines(g, vcpu);

	if (lines != c->lines) {
		c->lines = lines;
		if (vgic_is_here(g, vcpu)) {
			drive(c);
		}
	}
}

/* ---- registers ---- */

/* What GICC_IAR or GICC_HPPIR shows of it (4.4.4, 4.4.7); `alias`: GICC_AIAR, AHPPIR. */
static uint32_t shown_id(const struct vgic *g, const struct vgic_cpu *c, const struct pick *p,
			 bool alias)
{
	if (alias && !p->group1) {
		return ID_SPURIOUS;
	}
	if (!alias && p->group1 && (c->cpuif.vmcr & GICH_VMCR_ACKCTL) == 0) {
		return ID_OTHER;
	}
	if (!vgic_is_sgi_v2(g, p->intid)) {
		return p->intid;
	}
	return p->intid | (uint32_t)__builtin_ctz(c->sgi_src[p->intid]) << ID_CPU_SHIFT;
}

static uint32_t hppir_read(struct vgic *g, uint32_t vcpu, bool alias)
{
	struct pick p;

	highest(g, vcpu, &p);
	return p.prio == VGIC_PRIO_NONE ? ID_SPURIOUS : shown_id(g, &g->cpu[vcpu], &p, alias);
}

/* GICC_IAR, GICC_AIAR: the interrupt becomes active. */
static uint32_t acknowledge(struct vgic *g, uint32_t vcpu, bool alias)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	struct vgic_bank *b;
	struct pick p;
	uint32_t level;
	uint32_t bit;
	uint32_t id;

	highest(g, vcpu, &p);
	if (!is_signalled(c, &p)) {
		return ID_SPURIOUS;
	}
	id = shown_id(g, c, &p, alias);
	if ((id & ID_MASK) >= ID_SPECIAL) {
		return id;
	}
	bit = p.intid % 32;
	b = vgic_bank(g, vcpu, p.intid / 32);
	b->deliv &= ~BIT32(bit);
	vgic_set_remove(&c->cand, p.intid / 32, bit);
	b->active |= BIT32(bit);
	b->owner[bit] = (uint8_t)vcpu;
	vgic_set_add(&c->act, p.intid / 32, bit);
	if (vgic_is_sgi_v2(g, p.intid)) {
		c->sgi_active[bit] = (uint8_t)(id >> ID_CPU_SHIFT);
		c->sgi_src[bit] &= (uint8_t)~BIT32(id >> ID_CPU_SHIFT);
		b->latch &= c->sgi_src[bit] != 0 ? UINT32_MAX : ~BIT32(bit);
	} else {
		b->latch &= ~BIT32(bit);
	}
	/* 32 levels: the mask changes nothing, but says so to who reads (and analyzes). */
	level = BIT32(group_priority(c->cpuif.vmcr, &p) >> PRIO_SHIFT & 31);
	if (p.group1) {
		c->cpuif.apr1[0] |= level;
	} else {
		c->cpuif.apr0[0] |= level;
	}
	return id;
}

/*
 * Ends the active state of `id`.  The source in an SGI's is not looked at: only one of an
 * INTID can be active, and guests are found that do not write it.
 */
static void deactivate(struct vgic *g, uint32_t vcpu, uint32_t id, bool any_owner)
{
	uint32_t word = (id & ID_MASK) / 32;
	uint32_t bit = id % 32;
	const struct vgic_bank *b;

	if (word >= g->words) {
		return;
	}
	b = vgic_bank(g, vcpu, word);
	if ((b->active & BIT32(bit)) != 0 && (any_owner || b->owner[bit] == vcpu)) {
		vgic_clear_active(g, vcpu, word, BIT32(bit));
	}
}

/* GICC_EOIR, GICC_AEOIR (4.4.5): priority drop, and without EOImode the end. */
static void eoir_write(struct vgic *g, uint32_t vcpu, uint32_t id, bool alias)
{
	struct gich_cpuif *st = &g->cpu[vcpu].cpuif;
	uint32_t active = st->apr0[0] | st->apr1[0];
	uint32_t level = active & ~(active - 1);

	if (active == 0 || (id & ID_MASK) >= ID_SPECIAL || (alias && (st->apr1[0] & level) == 0)) {
		return;
	}
	if ((st->apr0[0] & level) != 0) {
		st->apr0[0] &= ~level;
	} else {
		st->apr1[0] &= ~level;
	}
	if ((st->vmcr & GICH_VMCR_EOIM) == 0) {
		deactivate(g, vcpu, id, false);
	}
}

static uint32_t reg_read(struct vgic *g, uint32_t vcpu, uint32_t offset)
{
	const struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t vmcr = c->cpuif.vmcr;

	switch (offset) {
	case GICC_CTLR:
		return vmcr & CTLR_BITS;
	case GICC_PMR:
		return GICH_VMCR_PMR(vmcr);
	case GICC_BPR:
		return bpr0(vmcr);
	case GICC_ABPR:
		return bpr1(vmcr);
	case GICC_IAR:
	case GICC_AIAR:
		return acknowledge(g, vcpu, offset == GICC_AIAR);
	case GICC_RPR:
		return MIN(running(c), 0xffu);
	case GICC_HPPIR:
	case GICC_AHPPIR:
		return hppir_read(g, vcpu, offset == GICC_AHPPIR);
	case GICC_APR0:
		return c->cpuif.apr0[0];
	case GICC_NSAPR0:
		return c->cpuif.apr1[0];
	case GICC_IIDR:
		return IIDR;
	default:
		return 0;
	}
}

static void field_write(uint32_t *vmcr, uint32_t shift, uint32_t mask, uint32_t value)
{
	*vmcr = (*vmcr & ~(mask << shift)) | (value & mask) << shift;
}

static void reg_write(struct vgic *g, uint32_t vcpu, uint32_t offset, uint32_t value)
{
	struct gich_cpuif *st = &g->cpu[vcpu].cpuif;

	switch (offset) {
	case GICC_CTLR:
		field_write(&st->vmcr, 0, CTLR_BITS, value);
		break;
	case GICC_PMR:
		field_write(&st->vmcr, VMCR_PMR_SHIFT, 0xff, value & g->prio_mask);
		break;
	case GICC_BPR:
		field_write(&st->vmcr, VMCR_BPR0_SHIFT, VMCR_BPR, value);
		break;
	case GICC_ABPR:
		field_write(&st->vmcr, VMCR_BPR1_SHIFT, VMCR_BPR, value);
		break;
	case GICC_EOIR:
	case GICC_AEOIR:
		eoir_write(g, vcpu, value, offset == GICC_AEOIR);
		break;
	case GICC_DIR:
		/* Of a shared one by any vCPU; without EOImode it is UNPREDICTABLE (4.4.15). */
		if ((st->vmcr & GICH_VMCR_EOIM) != 0) {
			deactivate(g, vcpu, value, true);
		}
		break;
	case GICC_APR0:
		st->apr0[0] = value;
		break;
	case GICC_NSAPR0:
		st->apr1[0] = value;
		break;
	default:
		break;
	}
}

static enum vdev_result gicc_access(struct vdev *dev, struct vdev_access *a)
{
	struct vgic *g = container_of(dev, struct vgic, cpuif);
	uint32_t offset = (uint32_t)a->offset;

	if (a->offset >= GICC_END || a->width != 4 || !IS_ALIGNED(offset, 4u) ||
	    a->vcpu >= g->vic.vcpu_count) {
		a->value = a->write ? a->value : 0;
		return VDEV_OK;
	}
	vgic_lock(g, a->vcpu);
	g->cpu[a->vcpu].waits = false;
	if (a->write) {
		reg_write(g, a->vcpu, offset, (uint32_t)a->value);
	} else {
		a->value = reg_read(g, a->vcpu, offset);
	}
	vgic_apply(g, a->vcpu);
	vgic_unlock(g);
	return VDEV_OK;
}

const struct vdev_ops vgic_gicc_ops = {
	.access = gicc_access,
	.reset = vgic_vdev_nop,
	.destroy = vgic_vdev_nop,
};

/* ---- delivery ---- */

/* The model is exact at any time, and needs nothing of a vCPU that is not loaded. */
static void nothing(struct vgic *g, uint32_t vcpu)
{
	(void)g;
	(void)vcpu;
}

static void enter(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	g->gich->ops->write_hcr(c->hcr);
	c->lines = (uint8_t)wanted_lines(g, vcpu);
	if (c->lines != 0) {
		drive(c);
	}
}

static void leave(struct vgic *g, uint32_t vcpu)
{
	if (g->cpu[vcpu].lines != 0) {
		arch_vgic_lines(false, false);
	}
	g->gich->ops->write_hcr(0);
}

static bool signals(struct vgic *g, uint32_t vcpu)
{
	return wanted_lines(g, vcpu) != 0;
}

/* The way by the model is short enough. */
static bool not_simple(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t from)
{
	(void)g;
	(void)vcpu;
	(void)intid;
	(void)from;
	return false;
}

const struct vgic_delivery vgic_gicc_delivery = {
	.hcr = GICH_HCR_TRAPPED,
	.fold = nothing,
	.apply = apply,
	.enter = enter,
	.leave = leave,
	.signals = signals,
	.clear = nothing,
	.sgi = not_simple,
	.inject_hw = not_simple,
};
