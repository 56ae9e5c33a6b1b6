/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: its life, its inputs, and the way of an interrupt to a vCPU
 * (IHI 0048B ch. 3, IHI 0069 ch. 4).  The model is described in vgic_impl.h.
 */
#include "vgic_impl.h"

#include <errno.h>
#include <string.h>

#define GICV3_FRAMES	  (128 * KiB) /* RD_base and SGI_base of one redistributor */
#define REDIST_SPAN_SHIFT 40	      /* device offset of redistributor region r: r << this */

/* Which of these vCPUs takes a 1-of-N interrupt: one that runs, else one that could. */
static uint32_t choose(const struct vgic *g, uint32_t set)
{
	uint32_t ready = VGIC_NO_VCPU;
	uint32_t first = VGIC_NO_VCPU;

	while (set != 0) {
		uint32_t v = vgic_take_bit(&set);
		const struct vgic_cpu *c = &g->cpu[v];
		bool awake = g->kind == VGIC_V2 || !c->asleep;

		if (awake && c->loaded) {
			return v;
		}
		if (awake && ready == VGIC_NO_VCPU &&
		    (c->cpuif.vmcr & (GICH_VMCR_ENG0 | GICH_VMCR_ENG1)) != 0) {
			ready = v;
		}
		first = first == VGIC_NO_VCPU ? v : first;
	}
	return ready != VGIC_NO_VCPU ? ready : first;
}

static uint32_t targets(const struct vgic *g, uint32_t intid)
{
	return g->kind == VGIC_V2 ? vgic_v2_targets(g, intid) : vgic_v3_targets(g, intid);
}

static void candidate_remove(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t bit)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t v = word == 0 ? vcpu : b->route[bit];

	b->deliv &= ~BIT32(bit);
	vgic_set_remove(&g->cpu[v].cand, word, bit);
	if (!vgic_has_lists(g)) {
		vgic_touch(g, v); /* its line may fall */
	}
}

void vgic_update(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t want = (b->latch | (b->line & ~b->edge)) & ~b->in_lr & ~b->active;
	uint32_t changed;

	b->on = b->enabled & vgic_group_on(g, b);
	want &= b->on;
	changed = (b->deliv ^ want) & mask;
	while (changed != 0) {
		uint32_t bit = vgic_take_bit(&changed);
		uint32_t v = vcpu;

		if ((want & BIT32(bit)) == 0) {
			candidate_remove(g, vcpu, word, bit);
			continue;
		}
		if ((b->multi & BIT32(bit)) != 0) {
			b->route[bit] = (uint8_t)choose(g, targets(g, word * 32 + bit));
		}
		if (word != 0) {
			v = b->route[bit];
		}
		if (v != VGIC_NO_VCPU) {
			b->deliv |= BIT32(bit);
			vgic_set_add(&g->cpu[v].cand, word, bit);
			vgic_touch(g, v);
		}
	}
}

void vgic_changed(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t in_lr = b->in_lr & mask;
	uint32_t waits;

	vgic_update(g, vcpu, word, mask);
	/* Lines depend on the candidates' groups, too. */
	waits = vgic_has_lists(g) ? 0 : b->deliv & mask;
	while (waits != 0) {
		vgic_touch(g, b->route[vgic_take_bit(&waits)]);
	}
	while (in_lr != 0) {
		vgic_touch(g, b->owner[vgic_take_bit(&in_lr)]);
	}
}

void vgic_changed_all(struct vgic *g)
{
	uint32_t i;

	for (i = 0; i < g->vic.vcpu_count; i++) {
		vgic_changed(g, i, 0, UINT32_MAX);
	}
	for (i = 1; i < g->words; i++) {
		vgic_changed(g, 0, i, UINT32_MAX);
	}
}

void vgic_reroute(struct vgic *g, uint32_t word, uint32_t bit)
{
	struct vgic_bank *b = vgic_bank(g, 0, word);
	uint32_t m = BIT32(bit);
	uint32_t set = targets(g, word * 32 + bit);

	if ((b->deliv & m) != 0) {
		candidate_remove(g, 0, word, bit);
	}
	b->multi = (set & (set - 1)) != 0 ? b->multi | m : b->multi & ~m;
	if ((b->in_lr & m) == 0 || (set & BIT32(b->owner[bit])) == 0) {
		b->route[bit] = (uint8_t)choose(g, set);
	} else {
		b->route[bit] = b->owner[bit];
	}
	vgic_changed(g, 0, word, m);
}

void vgic_hw_end(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t bit)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);

	b->hw &= ~BIT32(bit);
	b->refire &= ~BIT32(bit);
	if (word != 0 || vgic_is_here(g, vcpu)) {
		g->gich->ops->set_active(b->hwirq[bit], false);
	} else if (g->cpu[vcpu].loaded) {
		g->cpu[vcpu].hw_drop |= BIT32(bit);
		vgic_touch(g, vcpu);
	}
	/* A private one of a vCPU that is not loaded is active nowhere: see vgic_save(). */
}

void vgic_note_ack(struct vgic *g, uint32_t intid)
{
	uint32_t i;

	for (i = 0; i < g->ack_count; i++) {
		if (g->acks[i].irq == intid) {
			g->acks[i].due = true;
			g->acks_due = true;
		}
	}
}

void vgic_set_pending(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask)
{
	vgic_bank(g, vcpu, word)->latch |= mask;
	vgic_changed(g, vcpu, word, mask);
}

void vgic_clear_pending(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t bits = b->in_lr & mask;
	/* Links of those that wait; one of an active interrupt stays. */
	uint32_t links = b->hw & b->latch & ~b->in_lr & ~b->active & mask;

	b->latch &= ~mask;
	while (bits != 0) {
		uint32_t bit = vgic_take_bit(&bits);
		struct vgic_cpu *c = &g->cpu[b->owner[bit]];

		c->req_clear_pend |= BIT32(b->lr[bit]);
	}
	while (links != 0) {
		vgic_hw_end(g, vcpu, word, vgic_take_bit(&links));
	}
	vgic_changed(g, vcpu, word, mask);
}

void vgic_set_active(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t bits = mask & (b->in_lr | ~b->active);

	while (bits != 0) {
		uint32_t bit = vgic_take_bit(&bits);
		uint32_t v = vcpu;

		if ((b->in_lr & BIT32(bit)) != 0) {
			struct vgic_cpu *c = &g->cpu[b->owner[bit]];

			c->req_set_active |= BIT32(b->lr[bit]);
			c->req_clear_active &= ~BIT32(b->lr[bit]);
			continue;
		}
		if (word != 0) {
			v = b->route[bit] != VGIC_NO_VCPU ? b->route[bit] : 0;
		}
		b->active |= BIT32(bit);
		b->owner[bit] = (uint8_t)v;
		vgic_set_add(&g->cpu[v].act, word, bit);
		vgic_touch(g, v);
	}
	vgic_changed(g, vcpu, word, mask);
}

void vgic_clear_active(struct vgic *g, uint32_t vcpu, uint32_t word, uint32_t mask)
{
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t bits = mask & (b->in_lr | b->active);

	while (bits != 0) {
		uint32_t bit = vgic_take_bit(&bits);
		struct vgic_cpu *c = &g->cpu[b->owner[bit]];

		if ((b->in_lr & BIT32(bit)) != 0) {
			c->req_clear_active |= BIT32(b->lr[bit]);
			c->req_set_active &= ~BIT32(b->lr[bit]);
			continue;
		}
		b->active &= ~BIT32(bit);
		vgic_set_remove(&c->act, word, bit);
		if ((b->hw & ~b->latch & BIT32(bit)) != 0) {
			vgic_hw_end(g, vcpu, word, bit);
		}
		vgic_note_ack(g, word * 32 + bit);
	}
	vgic_changed(g, vcpu, word, mask);
}

void vgic_sgi(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t source)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	if (g->here == vcpu && g->out->sgi(g, vcpu, intid, source)) {
		return;
	}
	if (g->kind == VGIC_V2) {
		c->sgi_src[intid] |= (uint8_t)BIT32(source);
	}
	vgic_set_pending(g, vcpu, 0, BIT32(intid));
}

/* ---- the interface of hv/vic.h ---- */

/* The input exists. */
static bool input_ok(const struct vgic *g, uint32_t vcpu, uint32_t irq)
{
	if (irq < VGIC_PRIVATE) {
		return irq >= VGIC_SGIS && vcpu < g->vic.vcpu_count;
	}
	return irq < g->words * 32 && (g->spi[irq / 32 - 1].impl & BIT32(irq % 32)) != 0;
}

static void op_set(struct vic *vic, uint32_t vcpu, uint32_t irq, bool level)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	uint32_t m = BIT32(irq % 32);
	struct vgic_bank *b;
	uint64_t flags;

	if (!input_ok(g, vcpu, irq)) {
		return;
	}
	vcpu = irq < VGIC_PRIVATE ? vcpu : 0;
	flags = arch_irq_save();
	vgic_lock(g, VGIC_NO_VCPU);
	b = vgic_bank(g, vcpu, irq / 32);
	if (level != ((b->line & m) != 0)) {
		b->line ^= m;
		if (level && (b->edge & m) != 0) {
			b->latch |= m;
		}
		vgic_changed(g, vcpu, irq / 32, m);
	}
	if (!level && (b->hw & m) != 0) {
		vgic_clear_pending(g, vcpu, irq / 32, m);
	}
	vgic_unlock(g);
	arch_irq_restore(flags);
}

static void op_inject_hw(struct vic *vic, uint32_t vcpu, uint32_t irq, uint32_t host_irq)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	uint32_t m = BIT32(irq % 32);
	struct vgic_bank *b;

	if (!input_ok(g, vcpu, irq)) {
		/* Nobody will ever deactivate it. */
		g->gich->ops->set_active(host_irq, false);
		return;
	}
	if (irq < VGIC_PRIVATE) {
		vgic_lock(g, vcpu);
		if (g->out->inject_hw(g, vcpu, irq, host_irq)) {
			if (g->cpu[vcpu].waits) { /* it is loaded, but sleeps */
				g->cpu[vcpu].waits = false;
				vcpu_kick(g->vic.vm, vcpu);
			}
			spin_unlock(&g->lock);
			return;
		}
	} else {
		vcpu = 0;
		vgic_lock(g, VGIC_NO_VCPU);
	}
	b = vgic_bank(g, vcpu, irq / 32);
	b->refire |= b->hw & b->in_lr & m;
	b->hw |= m;
	b->hwirq[irq % 32] = (uint16_t)host_irq;
	vgic_set_pending(g, vcpu, irq / 32, m);
	vgic_unlock(g);
}

static int op_on_ack(struct vic *vic, uint32_t irq, void (*ack)(void *arg), void *arg)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	uint64_t flags;
	int rc = -EINVAL;

	if (irq < VGIC_PRIVATE || !input_ok(g, 0, irq)) {
		return rc;
	}
	flags = arch_irq_save();
	vgic_lock(g, VGIC_NO_VCPU);
	rc = -ENOSPC;
	if (g->ack_count < VGIC_MAX_ACKS) {
		g->acks[g->ack_count++] = (struct vgic_ack){ .irq = irq, .fn = ack, .arg = arg };
		vgic_bank(g, 0, irq / 32)->ack |= BIT32(irq % 32);
		vgic_changed(g, 0, irq / 32, BIT32(irq % 32));
		rc = 0;
	}
	vgic_unlock(g);
	arch_irq_restore(flags);
	return rc;
}

/* Each registration is called at most once; what comes due meanwhile has its own unlock. */
static void call_acks(struct vgic *g)
{
	uint32_t i;

	for (i = 0; i < VGIC_MAX_ACKS; i++) {
		struct vgic_ack ack;

		spin_lock(&g->lock);
		ack = g->acks[i];
		g->acks[i].due = false;
		spin_unlock(&g->lock);
		if (ack.due) {
			ack.fn(ack.arg);
		}
	}
}

void vgic_unlock_work(struct vgic *g)
{
	uint32_t applied = 0;
	bool acks;

	while (g->kicks != 0) {
		uint32_t bit = g->kicks & -g->kicks;
		uint32_t v = vgic_take_bit(&g->kicks);
		bool here = vgic_is_here(g, v);

		/*
		 * What cannot run at the moment is brought up to date, once: moving an
		 * interrupt away from one vCPU may concern another.
		 */
		if ((here || !g->cpu[v].loaded) && (applied & bit) == 0) {
			applied |= bit;
			vgic_apply(g, v);
			if (here && !g->cpu[v].waits) {
				continue;
			}
		}
		g->cpu[v].waits = false;
		vcpu_kick(g->vic.vm, v);
	}
	acks = g->acks_due;
	g->acks_due = false;
	spin_unlock(&g->lock);
	if (acks) {
		call_acks(g);
	}
}

/* Host interrupts that the guest has not deactivated: SPIs of one bank. */
static void links_end(struct vgic *g, uint32_t word)
{
	struct vgic_bank *b = vgic_bank(g, 0, word);
	uint32_t hw = b->hw;

	while (hw != 0) {
		vgic_hw_end(g, 0, word, vgic_take_bit(&hw));
	}
}

void vgic_reset_private(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t line = c->priv.line;
	uint32_t i;

	/* Links of private interrupts: a vCPU that is not loaded has none active. */
	memset(&c->priv, 0, sizeof(c->priv));
	memset(c->sgi_src, 0, sizeof(c->sgi_src));
	memset(&c->cpuif, 0, sizeof(c->cpuif));
	c->cand.bits[0] = 0;
	c->cand.words &= ~1u;
	c->act.bits[0] = 0;
	c->act.words &= ~1u;
	c->hw_drop = 0;
	c->asleep = true;
	c->priv.impl = UINT32_MAX;
	c->priv.edge = 0xffff;
	c->priv.line = line;
	for (i = 0; i < 32; i++) {
		c->priv.route[i] = (uint8_t)vcpu;
		c->priv.owner[i] = (uint8_t)vcpu;
	}
	if (g->kind == VGIC_V2) {
		c->priv.enabled = 0xffff; /* SGIs cannot be disabled */
	} else {
		/* As firmware leaves it: one security state, everything in group 1. */
		c->priv.group = UINT32_MAX;
		c->cpuif.vmcr = GICH_VMCR_FIQEN; /* RES1 with the system registers on */
	}
}

static void op_vcpu_reset(struct vic *vic, uint32_t vcpu)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint64_t flags = arch_irq_save();
	uint32_t words;

	vgic_lock(g, VGIC_NO_VCPU);
	g->out->clear(g, vcpu);
	vgic_reset_private(g, vcpu);
	/* SPIs with a choice go elsewhere; the others wait for the vCPU to come back. */
	words = c->cand.words;
	while (words != 0) {
		uint32_t w = vgic_take_bit(&words);
		uint32_t bits = c->cand.bits[w] & g->spi[w - 1].multi;

		while (bits != 0) {
			vgic_reroute(g, w, vgic_take_bit(&bits));
		}
	}
	vgic_changed(g, vcpu, 0, UINT32_MAX);
	c->dirty = true; /* load() fills the list registers; nobody is to be woken */
	vgic_unlock(g);
	arch_irq_restore(flags);
}

static void reset_locked(struct vgic *g)
{
	uint32_t i;

	g->ctlr = 0;
	for (i = 0; i < g->vic.vcpu_count; i++) {
		struct vgic_cpu *c = &g->cpu[i];

		g->out->clear(g, i);
		memset(&c->cand, 0, sizeof(c->cand));
		memset(&c->act, 0, sizeof(c->act));
		vgic_reset_private(g, i);
		c->dirty = false;
		c->hcr = g->out->hcr;
	}
	for (i = 1; i < g->words; i++) {
		struct vgic_bank *b = &g->spi[i - 1];
		struct vgic_bank fresh = { .impl = b->impl, .line = b->line, .ack = b->ack };

		links_end(g, i);
		memset(fresh.route, g->kind == VGIC_V2 ? (int)VGIC_NO_VCPU : 0, 32);
		fresh.group = g->kind == VGIC_V2 ? 0 : fresh.impl;
		*b = fresh;
	}
	memset(g->target, 0, sizeof(g->target));
	memset(g->router, 0, sizeof(g->router));
	g->kicks = 0;
	/* Routes of a GICv3 with affinity 0, and of a V2 with one vCPU. */
	for (i = 32; i < g->words * 32; i++) {
		vgic_reroute(g, i / 32, i % 32);
	}
}

static void op_reset(struct vic *vic)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	uint64_t flags = arch_irq_save();

	vgic_lock(g, VGIC_NO_VCPU);
	reset_locked(g);
	vgic_unlock(g);
	arch_irq_restore(flags);
}

static void op_destroy(struct vic *vic)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	uint64_t flags = arch_irq_save();
	uint32_t i;

	vgic_lock(g, VGIC_NO_VCPU);
	for (i = 1; i < g->words; i++) {
		links_end(g, i);
	}
	vgic_unlock(g);
	arch_irq_restore(flags);
}

static const struct vic_ops vgic_ops = {
	.set = op_set,
	.inject_hw = op_inject_hw,
	.load = vgic_load,
	.save = vgic_save,
	.sync = vgic_sync,
	.pending = vgic_pending,
	.reset = op_reset,
	.vcpu_reset = op_vcpu_reset,
	.on_ack = op_on_ack,
	.destroy = op_destroy,
};

/* The vic's reset and destroy do the work. */
void vgic_vdev_nop(struct vdev *dev)
{
	(void)dev;
}

/* ---- making one ---- */

size_t vgic_size(enum vgic_kind kind, uint32_t vcpu_count)
{
	(void)kind;
	return sizeof(struct vgic) + vcpu_count * sizeof(struct vgic_cpu);
}

/* Affinity [39:32][23:0] as four bytes. */
static uint32_t affinity_pack(uint64_t hwid)
{
	return (uint32_t)(hwid >> 8 & 0xff000000) | (uint32_t)(hwid & 0xffffff);
}

static int init_cpus(struct vgic *g, const struct vgic_params *p)
{
	uint32_t max = p->kind == VGIC_V2 ? VGIC_V2_MAX_VCPUS : VGIC_V3_MAX_VCPUS;
	uint32_t i;
	uint32_t k;

	if (p->vcpu_count == 0 || p->vcpu_count > max) {
		return -EINVAL;
	}
	for (i = 0; i < p->vcpu_count; i++) {
		uint64_t aff = p->hwids[i];

		g->cpu[i].affinity = affinity_pack(aff);
		g->cpu[i].sgi_self = (aff >> 32 & 0xff) << 48 | (aff >> 16 & 0xff) << 32 |
				     (aff >> 8 & 0xff) << 16 | (aff >> 4 & 0xf) << 44 |
				     BIT64(aff & 0xf);
		for (k = 0; k < i; k++) {
			if (g->cpu[k].affinity == g->cpu[i].affinity) {
				return -EINVAL;
			}
		}
	}
	return 0;
}

/* Shares the vCPUs out over the redistributor regions. */
static int init_redists(struct vgic *g, const struct vgic_params *p)
{
	uint64_t stride = p->redist_stride != 0 ? p->redist_stride : GICV3_FRAMES;
	uint32_t left = p->vcpu_count;
	uint32_t i;

	if (stride < GICV3_FRAMES || stride > BIT64(32) || (stride & (stride - 1)) != 0 ||
	    p->redist_count > VGIC_MAX_REDISTS) {
		return -EINVAL;
	}
	g->redist_shift = (uint32_t)__builtin_ctzll(stride);
	for (i = 0; i < p->redist_count; i++) {
		uint64_t room = p->redist[i].size >> g->redist_shift;

		if (p->redist[i].size >> REDIST_SPAN_SHIFT != 0) {
			return -EINVAL;
		}
		g->range[i] = p->redist[i];
		g->redist_first[i] = p->vcpu_count - left;
		left -= (uint32_t)MIN(room, left);
	}
	g->redist_first[i] = p->vcpu_count;
	g->redist_count = p->redist_count;
	return left == 0 ? 0 : -EINVAL;
}

static void init_spis(struct vgic *g, uint32_t count)
{
	uint32_t i;

	g->words = 1 + (count + 31) / 32;
	for (i = 1; i < g->words; i++) {
		g->spi[i - 1].impl = i == 31 ? 0x0fffffff : UINT32_MAX; /* 1020.. are special */
	}
}

int vgic_init(struct vgic *g, const struct vgic_params *p)
{
	int rc;

	if ((p->kind != VGIC_V2 && p->kind != VGIC_V3) || p->spi_count > VGIC_MAX_SPIS) {
		return -EINVAL;
	}
	if (p->kind == VGIC_V3 && p->gich->version != 3) {
		return -ENOTSUP;
	}
	g->kind = p->kind;
	rc = init_cpus(g, p);
	if (rc == 0 && p->kind == VGIC_V3) {
		rc = init_redists(g, p);
	}
	if (rc != 0) {
		return rc;
	}
	g->vic = (struct vic){ .ops = &vgic_ops, .vm = p->vm, .vcpu_count = p->vcpu_count };
	g->dist = (struct vdev){
		.ops = p->kind == VGIC_V2 ? &vgic_v2_dist_ops : &vgic_v3_dist_ops,
		.vm = p->vm,
		.name = "gicd",
	};
	g->cpuif = (struct vdev){ .ops = &vgic_gicc_ops, .vm = p->vm, .name = "gicc" };
	g->redist = (struct vdev){ .ops = &vgic_v3_redist_ops, .vm = p->vm, .name = "gicr" };
	g->gich = p->gich;
	g->gicd = p->gicd;
	g->gicc = p->gicc;
	if (vgic_is_trapped(p->kind, p->gich)) {
		g->out = &vgic_gicc_delivery;
		g->prio_mask = VGIC_GICC_PRIO_MASK;
	} else {
		g->out = &vgic_lr_delivery;
		g->lr_all = (uint32_t)(BIT64(p->gich->lr_count) - 1);
		g->prio_mask = (uint8_t)(0xff00u >> p->gich->prio_bits);
	}
	init_spis(g, p->spi_count);
	g->typer = p->kind == VGIC_V2 ? vgic_v2_typer(g) : vgic_v3_typer(g);
	reset_locked(g);
	return 0;
}

struct vic *vgic_vic(struct vgic *g)
{
	return &g->vic;
}

struct vgic_range vgic_gicc(const struct vgic *g)
{
	return g->gicc;
}

int vgic_attach(struct vgic *g, struct vdev_bus *bus, const struct bus_range **other)
{
	uint32_t i;
	int rc;

	rc = bus_add(bus, VDEV_MMIO, g->gicd.base.a, g->gicd.size, 0, &g->dist, other);
	for (i = 0; i < g->redist_count && rc == 0; i++) {
		rc = bus_add(bus, VDEV_MMIO, g->range[i].base.a, g->range[i].size,
			     (uint64_t)i << REDIST_SPAN_SHIFT, &g->redist, other);
	}
	if (rc == 0 && vgic_is_trapped(g->kind, g->gich)) {
		rc = bus_add(bus, VDEV_MMIO, g->gicc.base.a, g->gicc.size, 0, &g->cpuif, other);
	}
	return rc;
}
