/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host interrupts: who handles which.  Handlers are registered at boot and are
 * constant afterwards, so that dispatching takes no lock.
 */
#ifndef HV_IRQ_H
#define HV_IRQ_H

#include <hv/irqchip.h>
#include <hv/types.h>

enum irq_end {
	IRQ_DONE,      /* handled: deactivate */
	IRQ_FORWARDED, /* a guest got it and will deactivate it */
};

/* Interrupts masked, on the core that took it. */
typedef enum irq_end irq_handler_fn(uint32_t irq);

#define IRQ_MAX 1024

/* BUG if the number is out of range or taken: both are our own mistakes. */
void irq_register(uint32_t irq, irq_handler_fn *fn);

/* On this core for private ones, to this core for shared ones. */
void irq_enable(uint32_t irq, enum irq_trigger trigger);

/* Takes one pending interrupt and handles it; interrupts masked. */
void irq_dispatch(void);

#endif
