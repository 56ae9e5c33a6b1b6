/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: list registers (IHI 0048B ch. 5, IHI 0069 ch. 12.4).
 *
 * cpu.lr[] is what the list registers of a vCPU hold, as last written or read back.
 * A fold reads them back into the model, an evaluation makes one fit the model, a
 * refill gives free ones (or ones of lower priority) to candidates; only those that
 * changed are written.  A list register stays with its INTID after the guest has
 * finished it, until a fold: the next timer tick or SGI finds it there.
 */
#include "vgic_impl.h"

#define LR_INTID(lr) ((uint32_t)(lr)&0x3ffu)
#define LR_SRC(lr)   ((uint32_t)((lr) >> GICH_LR_V2_CPU_SHIFT) & 7u)
#define LR_PRIO(lr)  ((uint32_t)((lr) >> GICH_LR_PRIO_SHIFT) & 0xffu)
#define LR_STATE     (GICH_LR_PENDING | GICH_LR_ACTIVE)

static void lr_set(struct vgic_cpu *c, uint32_t n, uint64_t lr)
{
	if (c->lr[n] != lr) {
		c->lr[n] = lr;
		c->lr_write |= BIT32(n);
	}
}

/* The list register is free; the INTID's pending and active state is elsewhere. */
static void lr_release(struct vgic_cpu *c, struct vgic_bank *b, uint32_t n, uint32_t mask)
{
	b->in_lr &= ~mask;
	b->lr_pend &= ~mask;
	c->lr_used &= ~BIT32(n);
	c->req_clear_pend &= ~BIT32(n);
	c->req_clear_active &= ~BIT32(n);
	c->req_set_active &= ~BIT32(n);
	lr_set(c, n, 0);
}

/* The guest has deactivated what list register n held. */
static void lr_finish(struct vgic *g, uint32_t vcpu, uint32_t n)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint64_t lr = c->lr[n];
	uint32_t intid = LR_INTID(lr);
	uint32_t word = intid / 32;
	uint32_t bit = intid % 32;
	struct vgic_bank *b = vgic_bank(g, vcpu, word);
	uint32_t m = BIT32(bit);

	if ((b->lr_pend & m) != 0 && ((b->edge | b->hw) & m) == 0) {
		b->latch &= ~m; /* acknowledged since the last fold */
	}
	b->active &= ~m;
	if ((lr & GICH_LR_EOI) == 0) {
		c->lr[n] = 0; /* else it has to be written, to end the maintenance interrupt */
	}
	lr_release(c, b, n, m);
	if ((lr & GICH_LR_HW) != 0) {
		b->hw &= ~m | b->refire; /* the hardware deactivated it */
		b->refire &= ~m;
	} else if ((b->hw & ~b->latch & m) != 0) {
		vgic_hw_end(g, vcpu, word, bit);
	}
	vgic_note_ack(g, intid);
	vgic_update(g, vcpu, word, m);
	if ((c->lr_write | c->cand.words) != 0) {
		vgic_touch(g, vcpu); /* it is to be written, or filled */
	}
}

/* What list register n holds now: taken over into the model. */
static void lr_note(struct vgic *g, uint32_t vcpu, uint32_t n, uint64_t lr)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t intid = LR_INTID(lr);
	struct vgic_bank *b = vgic_bank(g, vcpu, intid / 32);
	uint32_t m = BIT32(intid % 32);

	if (lr == c->lr[n]) {
		return;
	}
	c->lr[n] = lr;
	if ((lr & GICH_LR_PENDING) != 0) {
		b->lr_pend |= m;
	} else {
		if ((b->lr_pend & m) != 0 && ((b->edge | b->hw) & m) == 0) {
			b->latch &= ~m;
		}
		b->lr_pend &= ~m;
	}
	if ((lr & GICH_LR_ACTIVE) != 0) {
		b->active |= m;
		if (vgic_is_sgi_v2(g, intid)) {
			c->sgi_active[intid] = (uint8_t)LR_SRC(lr);
		}
	} else {
		b->active &= ~m;
	}
}

/*
 * Deactivations without a list register.  The guest ends interrupts in the order of
 * their priorities (with EOImode = 1 none is ever taken out of its list register),
 * so each is that of the active one with the highest priority.
 */
static void fold_eoi_count(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t count = g->gich->ops->eoi_count();
	uint32_t intid = 0;

	if (count == 0) {
		return;
	}
	g->gich->ops->write_hcr(c->hcr);
	for (; count > 0 && c->act.words != 0; count--) {
		(void)vgic_set_top(g, vcpu, &c->act, &intid);
		vgic_clear_active(g, vcpu, intid / 32, BIT32(intid % 32));
	}
}

static void fold(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	const struct gich_ops *ops = g->gich->ops;
	uint32_t used = c->lr_used;
	uint32_t empty;

	if (!vgic_is_here(g, vcpu)) {
		return;
	}
	if (used != 0) {
		empty = (uint32_t)ops->empty_lrs();
		while (used != 0) {
			uint32_t n = vgic_take_bit(&used);
			uint64_t lr = (empty & BIT32(n)) != 0 ? 0 : ops->read_lr(n);

			if ((lr & LR_STATE) == 0) {
				lr_finish(g, vcpu, n);
			} else {
				lr_note(g, vcpu, n, lr);
			}
		}
	}
	if (unlikely(c->act.words != 0)) {
		fold_eoi_count(g, vcpu);
	}
}

/* One list register under evaluation. */
struct lr_work {
	struct vgic *g;
	struct vgic_cpu *c;
	struct vgic_bank *b;
	uint32_t vcpu;
	uint32_t n;
	uint32_t intid;
	uint32_t m;   /* its bit in the bank */
	uint32_t src; /* V2 SGI */
	bool pend;
	bool active;
};

/* Wishes that came while the vCPU ran elsewhere; see vgic_clear_pending() etc. */
static void eval_requests(struct lr_work *w)
{
	uint32_t m = BIT32(w->n);
	bool linked = (w->b->hw & ~w->b->latch & w->m) != 0;

	if ((w->c->req_clear_pend & m) != 0 && w->pend) {
		w->pend = false;
		if (linked && !w->active) {
			vgic_hw_end(w->g, w->vcpu, w->intid / 32, w->intid % 32);
		}
	}
	if ((w->c->req_clear_active & m) != 0 && w->active) {
		w->active = false;
		if (linked) {
			vgic_hw_end(w->g, w->vcpu, w->intid / 32, w->intid % 32);
		}
		vgic_note_ack(w->g, w->intid);
	}
	w->active = w->active || (w->c->req_set_active & m) != 0;
	w->c->req_clear_pend &= ~m;
	w->c->req_clear_active &= ~m;
	w->c->req_set_active &= ~m;
}

/* An edge (or SGI, or linked interrupt) that waits in a list register goes back. */
static void eval_put_back(struct lr_work *w)
{
	w->b->latch |= w->m;
	if (vgic_is_sgi_v2(w->g, w->intid)) {
		w->c->sgi_src[w->intid] |= (uint8_t)BIT32(w->src);
	}
	w->pend = false;
}

/* A latched one comes into its list register. */
static void eval_take(struct lr_work *w)
{
	uint8_t *src;

	if (!vgic_is_sgi_v2(w->g, w->intid)) {
		w->b->latch &= ~w->m;
		w->pend = true;
		return;
	}
	src = &w->c->sgi_src[w->intid];
	if (!w->pend && !w->active) {
		w->src = (uint32_t)__builtin_ctz(*src);
	}
	if ((*src & BIT32(w->src)) != 0) { /* another source waits for the end of this one */
		*src &= (uint8_t)~BIT32(w->src);
		w->pend = true;
	}
	if (*src == 0) {
		w->b->latch &= ~w->m;
	}
}

static void eval_pending(struct lr_work *w)
{
	const struct vgic_bank *b = w->b;
	bool ok = (b->on & w->m) != 0 &&
		  (w->intid < VGIC_PRIVATE || b->route[w->intid % 32] == w->vcpu);

	if (((b->edge | b->hw) & w->m) == 0) {
		/* Not pending and active: it could not be retracted with the line. */
		w->pend = ok && !w->active && ((b->latch | b->line) & w->m) != 0;
		return;
	}
	if (w->active && (b->hw & w->m) != 0) {
		ok = false; /* linked ones cannot be pending and active */
	}
	if (w->pend && !ok) {
		eval_put_back(w);
	}
	if (ok && (b->latch & w->m) != 0) {
		eval_take(w);
	}
}

/* The list register's value. */
static uint64_t eval_value(const struct lr_work *w)
{
	const struct vgic_bank *b = w->b;
	uint32_t bit = w->intid % 32;
	uint64_t lr = w->c->lr[w->n] & (UINT64_C(0xff) << GICH_LR_PRIO_SHIFT | GICH_LR_GROUP1);
	bool waits = ((b->latch | (b->line & ~b->edge)) & w->m) != 0;

	if (!w->active) { /* else: as acknowledged */
		lr = (uint64_t)b->prio[bit] << GICH_LR_PRIO_SHIFT;
		lr |= (b->group & w->m) != 0 ? GICH_LR_GROUP1 : 0;
	}
	lr |= (uint64_t)w->intid | (uint64_t)w->src << GICH_LR_V2_CPU_SHIFT;
	lr |= w->pend ? GICH_LR_PENDING : 0;
	lr |= w->active ? GICH_LR_ACTIVE : 0;
	if ((b->hw & ~b->latch & w->m) != 0 && !(w->active && w->c->blocked)) {
		lr |= GICH_LR_HW | (uint64_t)b->hwirq[bit] << GICH_LR_PINTID_SHIFT;
	} else if (waits || (b->ack & w->m) != 0 || (w->active && w->c->blocked)) {
		lr |= GICH_LR_EOI;
	}
	return lr;
}

/* Makes list register n fit the model; frees it when nothing is left in it. */
static void lr_eval(struct vgic *g, uint32_t vcpu, uint32_t n)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint64_t lr = c->lr[n];
	uint32_t intid = LR_INTID(lr);
	struct lr_work w = {
		.g = g,
		.c = c,
		.b = vgic_bank(g, vcpu, intid / 32),
		.vcpu = vcpu,
		.n = n,
		.intid = intid,
		.m = BIT32(intid % 32),
		.src = LR_SRC(lr),
		.pend = (lr & GICH_LR_PENDING) != 0,
		.active = (lr & GICH_LR_ACTIVE) != 0,
	};

	eval_requests(&w);
	eval_pending(&w);
	w.b->active = w.active ? w.b->active | w.m : w.b->active & ~w.m;
	w.b->lr_pend = w.pend ? w.b->lr_pend | w.m : w.b->lr_pend & ~w.m;
	if (w.pend || w.active) {
		lr_set(c, n, eval_value(&w));
	} else {
		lr_release(c, w.b, n, w.m);
		vgic_update(g, vcpu, intid / 32, w.m);
	}
}

/* Gives list register n up: what it holds goes back to the model. */
static void lr_retract(struct vgic *g, uint32_t vcpu, uint32_t n)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint64_t lr = c->lr[n];
	uint32_t intid = LR_INTID(lr);
	struct lr_work w = {
		.g = g,
		.c = c,
		.b = vgic_bank(g, vcpu, intid / 32),
		.intid = intid,
		.m = BIT32(intid % 32),
		.src = LR_SRC(lr),
	};

	if ((lr & GICH_LR_PENDING) != 0 && ((w.b->edge | w.b->hw) & w.m) != 0) {
		eval_put_back(&w);
	}
	lr_release(c, w.b, n, w.m);
	if ((lr & GICH_LR_ACTIVE) != 0) {
		vgic_set_add(&c->act, intid / 32, intid % 32);
	}
	vgic_update(g, vcpu, intid / 32, w.m);
}

/* Gives list register n to an INTID that waits in `from`. */
static void lr_fill(struct vgic *g, uint32_t vcpu, uint32_t n, struct vgic_set *from,
		    uint32_t intid)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t bit = intid % 32;
	struct vgic_bank *b = vgic_bank(g, vcpu, intid / 32);
	uint64_t lr = intid | (uint64_t)b->prio[bit] << GICH_LR_PRIO_SHIFT;

	vgic_set_remove(from, intid / 32, bit);
	b->deliv &= ~BIT32(bit);
	b->in_lr |= BIT32(bit);
	b->owner[bit] = (uint8_t)vcpu;
	b->lr[bit] = (uint8_t)n;
	lr |= (b->group & BIT32(bit)) != 0 ? GICH_LR_GROUP1 : 0;
	if ((b->active & BIT32(bit)) != 0) {
		lr |= GICH_LR_ACTIVE;
		if (vgic_is_sgi_v2(g, intid)) {
			lr |= (uint64_t)c->sgi_active[intid] << GICH_LR_V2_CPU_SHIFT;
		}
	}
	c->lr_used |= BIT32(n);
	lr_set(c, n, lr);
	lr_eval(g, vcpu, n);
}

static bool eoi_mode_split(const struct vgic *g, uint32_t vcpu)
{
	struct gich_cpuif st;

	if (!vgic_is_here(g, vcpu)) {
		return (g->cpu[vcpu].cpuif.vmcr & GICH_VMCR_EOIM) != 0;
	}
	g->gich->ops->save(&st);
	return (st.vmcr & GICH_VMCR_EOIM) != 0;
}

/*
 * A list register that a candidate of priority `prio` may take, or lr_count: the
 * pending one of lowest priority if that is lower; if all are active, the one of lowest
 * priority, unless the guest may deactivate in any order (EOImode = 1).
 */
static uint32_t lr_victim(struct vgic *g, uint32_t vcpu, uint32_t prio)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t none = g->gich->lr_count;
	uint32_t pend = none;
	uint32_t active = none;
	uint32_t n;

	for (n = 0; n < none; n++) {
		bool waits = (c->lr[n] & LR_STATE) == GICH_LR_PENDING;
		uint32_t *worst = waits ? &pend : &active;

		if (*worst == none || LR_PRIO(c->lr[n]) >= LR_PRIO(c->lr[*worst])) {
			*worst = n;
		}
	}
	if (pend != none) {
		return LR_PRIO(c->lr[pend]) > prio ? pend : none;
	}
	if (eoi_mode_split(g, vcpu)) {
		c->blocked = true;
		return none;
	}
	return active;
}

/* Candidates into list registers, by priority; then active ones that have none. */
static void refill(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t intid = 0;
	uint32_t i;

	/* Each round fills a register; each is given up for a better one at most once. */
	for (i = 0; i < 2 * GICH_MAX_LRS && (c->cand.words | c->act.words) != 0; i++) {
		struct vgic_set *from = c->cand.words != 0 ? &c->cand : &c->act;
		uint32_t free = g->lr_all & ~c->lr_used;
		uint32_t prio = vgic_set_top(g, vcpu, from, &intid);
		uint32_t n;

		if (free != 0) {
			n = (uint32_t)__builtin_ctz(free);
		} else if (from == &c->cand) {
			n = lr_victim(g, vcpu, prio);
			if (n == g->gich->lr_count) {
				break;
			}
			lr_retract(g, vcpu, n);
		} else {
			break;
		}
		lr_fill(g, vcpu, n, from, intid);
	}
}

/* Maintenance interrupts that are needed now. */
static uint32_t hcr_value(const struct vgic_cpu *c)
{
	uint32_t hcr = GICH_HCR_EN;

	if (c->cand.words != 0 && !c->blocked) {
		hcr |= GICH_HCR_NPIE;
	}
	if (c->act.words != 0) {
		hcr |= GICH_HCR_LRENPIE;
	}
	return hcr;
}

static void flush(struct vgic *g, struct vgic_cpu *c, uint32_t hcr)
{
	const struct gich_ops *ops = g->gich->ops;
	uint32_t write = c->lr_write;

	c->lr_write = 0;
	while (write != 0) {
		uint32_t n = vgic_take_bit(&write);

		ops->write_lr(n, c->lr[n]);
	}
	if (hcr != c->hcr) {
		ops->write_hcr(hcr);
	}
}

static void eval_used(struct vgic *g, uint32_t vcpu)
{
	uint32_t used = g->cpu[vcpu].lr_used;

	while (used != 0) {
		lr_eval(g, vcpu, vgic_take_bit(&used));
	}
}

static void apply(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t hcr;

	c->blocked = false;
	eval_used(g, vcpu);
	if ((c->cand.words | c->act.words) != 0) {
		refill(g, vcpu);
		if (c->blocked) {
			eval_used(g, vcpu);
		}
	}
	hcr = hcr_value(c);
	if (vgic_is_here(g, vcpu)) {
		flush(g, c, hcr);
	}
	c->hcr = hcr;
}

static void clear(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t used = c->lr_used;

	eval_used(g, vcpu); /* wishes that are still open */
	used &= c->lr_used;
	while (used != 0) {
		lr_retract(g, vcpu, vgic_take_bit(&used));
	}
	c->lr_write = 0;
}

static void enter(struct vgic *g, uint32_t vcpu)
{
	const struct gich_ops *ops = g->gich->ops;
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t used = c->lr_used;

	ops->restore(&c->cpuif);
	while (used != 0) {
		uint32_t n = vgic_take_bit(&used);

		ops->write_lr(n, c->lr[n]);
	}
	c->lr_write = 0;
	ops->write_hcr(c->hcr);
}

static void leave(struct vgic *g, uint32_t vcpu)
{
	const struct gich_ops *ops = g->gich->ops;
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t used = c->lr_used; /* before the fold: finished ones may wait for their EOI bit */

	fold(g, vcpu);
	ops->save(&c->cpuif);
	while (used != 0) {
		ops->write_lr(vgic_take_bit(&used), 0);
	}
	c->lr_write = 0;
	ops->write_hcr(0);
}

/* A priority and group that the vCPU's interface lets through. */
static bool lets_through(uint32_t vmcr, uint32_t prio, bool group1)
{
	uint32_t enable = group1 ? GICH_VMCR_ENG1 : GICH_VMCR_ENG0;

	return (vmcr & enable) != 0 && prio < GICH_VMCR_PMR(vmcr);
}

/*
 * The running priority is not looked at: a vCPU that waits inside a handler for an
 * interrupt that cannot preempt it just does not sleep.
 */
static bool signals(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t used = c->lr_used;
	struct gich_cpuif st;
	bool pending = c->cand.words != 0;

	if (used != 0 && !pending) {
		st.vmcr = c->cpuif.vmcr;
		if (c->loaded) {
			g->gich->ops->save(&st);
		}
		while (used != 0 && !pending) {
			uint64_t lr = c->lr[vgic_take_bit(&used)];

			pending = (lr & LR_STATE) == GICH_LR_PENDING &&
				  lets_through(st.vmcr, LR_PRIO(lr), (lr & GICH_LR_GROUP1) != 0);
		}
	}
	return pending;
}

/*
 * The list register for private INTID `intid`, which is not in one and is to be
 * pending; lr_count: none is known to be free.
 */
static uint32_t lr_claim(struct vgic *g, struct vgic_cpu *c, uint32_t intid)
{
	struct vgic_bank *b = &c->priv;
	uint32_t free = g->lr_all & ~c->lr_used;
	uint32_t n;

	if (free == 0 || ((b->active | b->latch) & BIT32(intid)) != 0) {
		return g->gich->lr_count;
	}
	n = (uint32_t)__builtin_ctz(free);
	b->in_lr |= BIT32(intid);
	b->lr[intid] = (uint8_t)n;
	c->lr_used |= BIT32(n);
	return n;
}

/* The short ways' last step: private INTID `intid` is pending in list register n. */
static inline __attribute__((always_inline)) void lr_start(struct vgic *g, struct vgic_cpu *c,
							   uint32_t n, uint32_t intid, uint64_t lr)
{
	struct vgic_bank *b = &c->priv;
	uint32_t m = BIT32(intid);

	lr |= intid | GICH_LR_PENDING | (uint64_t)b->prio[intid] << GICH_LR_PRIO_SHIFT;
	lr |= (b->group & m) != 0 ? GICH_LR_GROUP1 : 0;
	b->active &= ~m;
	b->lr_pend |= m;
	c->lr[n] = lr;
	g->gich->ops->write_lr(n, lr);
}

/* Loaded, nothing is waiting, and INTIDs `m` would be signalled. */
static bool is_simple(const struct vgic_cpu *c, uint32_t m)
{
	return c->loaded && !c->dirty && c->cand.words == 0 && (c->priv.on & m) != 0;
}

static bool short_sgi(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t source)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t m = BIT32(intid);
	uint32_t n;

	keep_in_register(c);
	if (!is_simple(c, m)) {
		return false;
	}
	if ((c->priv.in_lr & m) != 0) {
		n = c->priv.lr[intid];
		if ((c->priv.latch & m) != 0 || (g->gich->ops->read_lr(n) & LR_STATE) != 0) {
			return false;
		}
	} else {
		n = lr_claim(g, c, intid);
		if (n == g->gich->lr_count) {
			return false;
		}
	}
	lr_start(g, c, n, intid, (uint64_t)source << GICH_LR_V2_CPU_SHIFT);
	return true;
}

static bool short_inject_hw(struct vgic *g, uint32_t vcpu, uint32_t intid, uint32_t host_irq)
{
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t m = BIT32(intid);
	uint32_t n;

	keep_in_register(c);
	if (!is_simple(c, m)) {
		return false;
	}
	if ((c->priv.in_lr & m) != 0) {
		/* The host interrupt can fire again only if the guest has finished it. */
		n = c->priv.lr[intid];
		if ((c->lr[n] & GICH_LR_HW) == 0 || (c->priv.latch & m) != 0) {
			return false;
		}
	} else {
		n = lr_claim(g, c, intid);
		if (n == g->gich->lr_count) {
			return false;
		}
	}
	c->priv.hw |= m;
	c->priv.hwirq[intid] = (uint16_t)host_irq;
	lr_start(g, c, n, intid, GICH_LR_HW | (uint64_t)host_irq << GICH_LR_PINTID_SHIFT);
	return true;
}

const struct vgic_delivery vgic_lr_delivery = {
	.hcr = GICH_HCR_EN,
	.fold = fold,
	.apply = apply,
	.enter = enter,
	.leave = leave,
	.signals = signals,
	.clear = clear,
	.sgi = short_sgi,
	.inject_hw = short_inject_hw,
};
