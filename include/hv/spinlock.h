/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticket locks: first come, first served, so no core starves.
 *
 * A lock is held only with interrupts off: spin_lock() expects them off,
 * spin_lock_irqsave() turns them off and returns what spin_unlock_irqrestore() needs.
 * Lock order: DESIGN.md.  Zero is an unlocked lock.
 */
#ifndef HV_SPINLOCK_H
#define HV_SPINLOCK_H

#include <hv/arch_cpu.h>
#include <hv/types.h>

struct spinlock {
	uint32_t next;	/* ticket of the next to come; atomic */
	uint32_t owner; /* ticket that holds the lock; atomic, written by its holder */
};

static inline void spin_lock(struct spinlock *l)
{
	uint32_t ticket = __atomic_fetch_add(&l->next, 1, __ATOMIC_RELAXED);

	while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != ticket) {
		arch_cpu_relax();
	}
}

/* Takes the lock if it is free; true when taken. */
static inline bool spin_trylock(struct spinlock *l)
{
	uint32_t ticket = __atomic_load_n(&l->owner, __ATOMIC_RELAXED);
	uint32_t next = ticket;

	return __atomic_compare_exchange_n(&l->next, &next, ticket + 1, false, __ATOMIC_ACQUIRE,
					   __ATOMIC_RELAXED);
}

static inline void spin_unlock(struct spinlock *l)
{
	uint32_t owner = __atomic_load_n(&l->owner, __ATOMIC_RELAXED);

	__atomic_store_n(&l->owner, owner + 1, __ATOMIC_RELEASE);
}

/* Held by somebody, not necessarily by this core: for assertions. */
static inline bool spin_is_locked(const struct spinlock *l)
{
	return __atomic_load_n(&l->owner, __ATOMIC_RELAXED) !=
	       __atomic_load_n(&l->next, __ATOMIC_RELAXED);
}

static inline uint64_t spin_lock_irqsave(struct spinlock *l)
{
	uint64_t flags = arch_irq_save();

	spin_lock(l);
	return flags;
}

static inline void spin_unlock_irqrestore(struct spinlock *l, uint64_t flags)
{
	spin_unlock(l);
	arch_irq_restore(flags);
}

#endif
