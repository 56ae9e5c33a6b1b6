/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of host interrupts and IPIs. */
#include <hv/arch_cpu.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/spinlock.h>

#include <errno.h>

/* Two interrupts rarely share a lock, and nothing is wrong when they do. */
#define CLAIM_LOCKS 16

struct irqchip host_irqchip;

static irq_handler_fn *handlers[IRQ_MAX];
static struct spinlock claim_locks[CLAIM_LOCKS];
static struct irq_claim *claims[IRQ_MAX]; /* [n]: guarded by claim_locks[n % CLAIM_LOCKS] */

void irq_register(uint32_t irq, irq_handler_fn *fn)
{
	BUG_ON(irq >= IRQ_MAX || handlers[irq] != NULL);
	handlers[irq] = fn;
}

static struct spinlock *claim_lock(uint32_t irq)
{
	return &claim_locks[irq % CLAIM_LOCKS];
}

int irq_claim(uint32_t irq, struct irq_claim *claim)
{
	uint64_t flags;
	int err = -EBUSY;

	if (irq >= IRQ_MAX || irq >= host_irqchip.ops->count()) {
		return -EINVAL;
	}
	if (irq < IPI_COUNT || handlers[irq] != NULL) {
		return err;
	}
	flags = spin_lock_irqsave(claim_lock(irq));
	if (claims[irq] == NULL) {
		claims[irq] = claim;
		err = 0;
	}
	spin_unlock_irqrestore(claim_lock(irq), flags);
	return err;
}

void irq_release(uint32_t irq, struct irq_claim *claim)
{
	uint64_t flags;

	BUG_ON(irq >= IRQ_MAX);
	/* Whoever is inside the handler holds the lock. */
	flags = spin_lock_irqsave(claim_lock(irq));
	BUG_ON(claims[irq] != claim);
	claims[irq] = NULL;
	spin_unlock_irqrestore(claim_lock(irq), flags);
}

void irq_wait(uint32_t irq)
{
	uint64_t flags;

	BUG_ON(irq >= IRQ_MAX);
	flags = spin_lock_irqsave(claim_lock(irq));
	spin_unlock_irqrestore(claim_lock(irq), flags);
}

void irq_enable(uint32_t irq, enum irq_trigger trigger)
{
	host_irqchip.ops->set_trigger(irq, trigger);
	host_irqchip.ops->enable(irq);
}

static enum irq_end handle_unexpected(uint32_t irq)
{
	/* Off, or a line that nobody serves would come back for ever. */
	host_irqchip.ops->disable(irq);
	log_warn("interrupt %u has no handler on core %u: switched off", irq, this_cpu()->id);
	return IRQ_DONE;
}

static enum irq_end handle_claimed(uint32_t irq)
{
	enum irq_end end = IRQ_DONE;
	bool claimed;

	spin_lock(claim_lock(irq));
	claimed = claims[irq] != NULL;
	if (claimed) {
		end = claims[irq]->fn(claims[irq], irq);
	}
	spin_unlock(claim_lock(irq));
	return claimed ? end : handle_unexpected(irq);
}

void irq_dispatch(void)
{
	const struct irqchip_ops *chip = host_irqchip.ops;
	uint32_t irq = chip->ack();
	enum irq_end end;

	if (irq == IRQ_NONE) {
		return;
	}
	if (irq < IPI_COUNT) {
		/* End it first: a halted core must not keep an interrupt active. */
		chip->eoi(irq);
		if (irq == IPI_HALT) {
			arch_halt();
		}
		/* IPI_KICK has done its work by interrupting. */
		return;
	}
	if (irq < IRQ_MAX && handlers[irq] != NULL) {
		end = handlers[irq](irq);
	} else if (irq < IRQ_MAX) {
		end = handle_claimed(irq);
	} else {
		end = handle_unexpected(irq);
	}
	if (end == IRQ_FORWARDED) {
		chip->drop(irq);
	} else if (end == IRQ_DONE) {
		chip->eoi(irq);
	}
}
