/* SPDX-License-Identifier: Apache-2.0 */
/* Dispatch of host interrupts and IPIs. */
#include <hv/arch_cpu.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/log.h>

struct irqchip host_irqchip;

static irq_handler_fn *handlers[IRQ_MAX];

void irq_register(uint32_t irq, irq_handler_fn *fn)
{
	BUG_ON(irq >= IRQ_MAX || handlers[irq] != NULL);
	handlers[irq] = fn;
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
	} else {
		end = handle_unexpected(irq);
	}
	if (end == IRQ_FORWARDED) {
		chip->drop(irq);
	} else {
		chip->eoi(irq);
	}
}
