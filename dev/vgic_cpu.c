/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GIC: a vCPU comes on a core and leaves it, whatever the way of delivery
 * (struct vgic_delivery); and the sets from which the most urgent INTID is taken.
 */
#include "vgic_impl.h"

void vgic_set_add(struct vgic_set *s, uint32_t word, uint32_t bit)
{
	s->bits[word] |= BIT32(bit);
	s->words |= BIT32(word);
	s->stale |= BIT32(word);
}

void vgic_set_remove(struct vgic_set *s, uint32_t word, uint32_t bit)
{
	s->bits[word] &= ~BIT32(bit);
	s->stale |= BIT32(word);
	if (s->bits[word] == 0) {
		s->words &= ~BIT32(word);
	}
}

uint32_t vgic_set_top(struct vgic *g, uint32_t vcpu, struct vgic_set *s, uint32_t *intid)
{
	uint32_t top = VGIC_PRIO_NONE;
	uint32_t words = s->words;

	while (words != 0) {
		uint32_t w = vgic_take_bit(&words);
		const struct vgic_bank *b = vgic_bank(g, vcpu, w);

		if ((s->stale & BIT32(w)) != 0) {
			uint32_t bits = s->bits[w];
			uint32_t best = vgic_take_bit(&bits);

			while (bits != 0) {
				uint32_t bit = vgic_take_bit(&bits);

				best = b->prio[bit] < b->prio[best] ? bit : best;
			}
			s->best[w] = (uint8_t)best;
		}
		if (b->prio[s->best[w]] < top) {
			top = b->prio[s->best[w]];
			*intid = w * 32 + s->best[w];
		}
	}
	s->stale = 0;
	return top;
}

void vgic_apply(struct vgic *g, uint32_t vcpu)
{
	struct vgic_cpu *c = &g->cpu[vcpu];

	g->out->fold(g, vcpu);
	while (c->hw_drop != 0 && vgic_is_here(g, vcpu)) {
		g->gich->ops->set_active(c->priv.hwirq[vgic_take_bit(&c->hw_drop)], false);
	}
	g->out->apply(g, vcpu);
	c->dirty = false;
	g->kicks &= ~BIT32(vcpu);
}

void vgic_load(struct vic *vic, uint32_t vcpu)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t hw;

	vgic_lock(g, vcpu);
	if (c->dirty) {
		vgic_apply(g, vcpu);
	}
	c->loaded = true;
	hw = c->priv.hw;
	while (hw != 0) {
		g->gich->ops->set_active(c->priv.hwirq[vgic_take_bit(&hw)], true);
	}
	g->out->enter(g, vcpu);
	vgic_unlock(g);
}

void vgic_save(struct vic *vic, uint32_t vcpu)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint32_t hw;

	vgic_lock(g, vcpu);
	g->out->leave(g, vcpu);
	/* So that another vCPU gets its own timer on this core. */
	hw = c->priv.hw | c->hw_drop;
	c->hw_drop = 0;
	while (hw != 0) {
		g->gich->ops->set_active(c->priv.hwirq[vgic_take_bit(&hw)], false);
	}
	c->loaded = false;
	if (c->dirty) {
		vgic_apply(g, vcpu);
	}
	vgic_unlock(g);
}

void vgic_sync(struct vic *vic, uint32_t vcpu)
{
	struct vgic *g = container_of(vic, struct vgic, vic);

	vgic_lock(g, vcpu);
	if (g->cpu[vcpu].dirty) {
		vgic_apply(g, vcpu);
	}
	vgic_unlock(g);
}

void vgic_maintenance(struct vgic *g, uint32_t vcpu)
{
	vgic_lock(g, vcpu);
	vgic_apply(g, vcpu);
	vgic_unlock(g);
}

bool vgic_pending(struct vic *vic, uint32_t vcpu)
{
	struct vgic *g = container_of(vic, struct vgic, vic);
	struct vgic_cpu *c = &g->cpu[vcpu];
	uint64_t flags = spin_lock_irqsave(&g->lock);
	bool pending;

	g->here = vcpu;
	if (c->loaded || c->dirty) {
		vgic_apply(g, vcpu);
	}
	pending = g->out->signals(g, vcpu);
	c->waits = !pending;
	vgic_unlock(g);
	arch_irq_restore(flags);
	return pending;
}
