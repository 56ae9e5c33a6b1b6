/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host interrupts: who handles which.
 *
 * Handlers of the hypervisor's own are registered at boot and are constant afterwards,
 * so that dispatching them takes no lock.  Interrupts of devices that come and go with
 * a VM are claimed and released at any time; a lock is held while such a one is handled
 * (order: before the interrupt controller's).
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/irqchip.h>
#include <hv/types.h>

enum irq_end {
	IRQ_DONE,      /* handled: deactivate */
	IRQ_FORWARDED, /* a guest got it and will deactivate it */
	IRQ_DROPPED,   /* likewise, and the handler has called the chip's drop() */
};

/* Interrupts masked, on the core that took it. */
typedef enum irq_end irq_handler_fn(uint32_t irq);

#define IRQ_MAX 1024

/* BUG if the number is out of range or taken: both are our own mistakes. */
void irq_register(uint32_t irq, irq_handler_fn *fn);

struct irq_claim;

/* Interrupts masked, a lock held, on the core that took it. */
typedef enum irq_end irq_claim_fn(struct irq_claim *claim, uint32_t irq);

/* Embedded in what its owner keeps for one interrupt. */
struct irq_claim {
	irq_claim_fn *fn;
};

/* From now on claim->fn is called.  -EINVAL: no such number; -EBUSY: taken. */
int __must_check irq_claim(uint32_t irq, struct irq_claim *claim);

/*
 * Ends a claim; the caller has disabled the interrupt.  On return no core is inside
 * claim->fn, and none will enter it.
 */
void irq_release(uint32_t irq, struct irq_claim *claim);

/* When it returns, no core is inside a handler that it entered before. */
void irq_wait(uint32_t irq);

/* On this core for private ones, to this core for shared ones. */
void irq_enable(uint32_t irq, enum irq_trigger trigger);

/* Takes one pending interrupt and handles it; interrupts masked. */
void irq_dispatch(void);

#endif
