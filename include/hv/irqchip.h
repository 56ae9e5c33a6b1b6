/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's interrupt controller.  Drivers in drv/ (GICv2, GICv3; PLIC and APIC
 * with their architectures), chosen at boot by what the machine description says.
 *
 * Numbers are the chip's own (GIC INTIDs).  Functions run with interrupts masked.
 */
#ifndef HV_IRQCHIP_H
#define HV_IRQCHIP_H

#include <hv/types.h>

#define IRQ_NONE UINT32_MAX

enum irq_trigger {
	IRQ_LEVEL,
	IRQ_EDGE,
};

struct irqchip_ops {
	/* Once, on the boot core: everything disabled, targets set to this core. */
	int (*init)(void);
	/* On each core, the boot core too: its private part, IPIs enabled. */
	int (*init_cpu)(uint32_t cpu);
	/* Takes the highest pending interrupt; IRQ_NONE if there is none. */
	uint32_t (*ack)(void);
	/* Ends handling: priority drop and deactivation. */
	void (*eoi)(uint32_t irq);
	/* Ends handling of a forwarded one: drop only, the guest deactivates. */
	void (*drop)(uint32_t irq);
	/* Deactivates a forwarded one that the guest will not deactivate itself. */
	void (*deactivate)(uint32_t irq);
	/* Private interrupts: of the core it is called on. */
	void (*enable)(uint32_t irq);
	void (*disable)(uint32_t irq);
	void (*set_trigger)(uint32_t irq, enum irq_trigger t);
	/* A shared interrupt goes to this core. */
	void (*set_target)(uint32_t irq, uint32_t cpu);
	/* IPI numbers 0..7; arrive as ack() == n. */
	void (*send_ipi)(uint32_t cpu, uint32_t n);
	/* How many interrupts there are: INTIDs below this may be used. */
	uint32_t (*count)(void);
};

struct irqchip {
	const struct irqchip_ops *ops;
	const char *name;
};

/* The machine's; set once by the architecture's boot code. */
extern struct irqchip host_irqchip;

#endif
