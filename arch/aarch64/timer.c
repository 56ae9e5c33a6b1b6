/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The generic timer (DDI 0487, D12).  The hypervisor has CNTHP to itself; a guest
 * has the virtual and the physical EL1 timer, whose interrupts are handed on
 * hardware-linked: the guest's EOI deactivates them without an exit.
 */
#include "el2.h"
#include "sysreg.h"

#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define CTL_ENABLE  BIT64(0)
#define CTL_IMASK   BIT64(1)
#define CTL_ISTATUS BIT64(2)

/* What guests see, whatever the host's numbers are (QEMU virt and most boards). */
#define GUEST_VTIMER_INTID 27
#define GUEST_PTIMER_INTID 30

/* ns = (count * ns_mult) >> 32 */
static uint64_t ns_mult;
static uint64_t timer_hz;

static uint64_t count_to_ns(uint64_t count)
{
	return (uint64_t)(((unsigned __int128)count * ns_mult) >> 32);
}

static uint64_t ns_to_count(uint64_t ns)
{
	/* Rounded up, so that a timer does not fire before its time. */
	uint64_t seconds = ns / UINT64_C(1000000000);
	uint64_t rest = ns % UINT64_C(1000000000);

	return seconds * timer_hz + (rest * timer_hz + UINT64_C(999999999)) / UINT64_C(1000000000) +
	       1;
}

uint64_t arch_time_ns(void)
{
	/* Without the barrier the counter may be read early (D12.1.2). */
	isb();
	return count_to_ns(sysreg_read(CNTPCT_EL0));
}

void arch_timer_set(uint64_t deadline_ns)
{
	if (deadline_ns == UINT64_MAX) {
		sysreg_write(CNTHP_CTL_EL2, 0);
	} else {
		sysreg_write(CNTHP_CVAL_EL2, ns_to_count(deadline_ns));
		sysreg_write(CNTHP_CTL_EL2, CTL_ENABLE);
	}
	isb();
}

static enum irq_end host_timer_irq(uint32_t irq)
{
	(void)irq;
	/* Off first: the line is level-sensitive; whoever needs it arms it again. */
	sysreg_write(CNTHP_CTL_EL2, 0);
	isb();
	timer_run_expired();
	return IRQ_DONE;
}

/*
 * Where the chip forgets lines (struct gich), a guest timer that is still due when the
 * guest ends its interrupt would never fire again.  So a little later we have an
 * interrupt of our own, which makes the chip look, for as long as the line is up.
 */
#define RECHECK_NS UINT64_C(1000000)

static struct timer recheck[MAX_CPUS];

static bool is_due(uint64_t ctl)
{
	return (ctl & (CTL_ENABLE | CTL_IMASK | CTL_ISTATUS)) == (CTL_ENABLE | CTL_ISTATUS);
}

static void recheck_lines(struct timer *t)
{
	if (is_due(sysreg_read(CNTV_CTL_EL0)) || is_due(sysreg_read(CNTP_CTL_EL0))) {
		timer_arm(t, time_now() + RECHECK_NS);
	}
}

/* A guest timer fired for the vCPU whose state is on this core. */
static enum irq_end guest_timer_irq(uint32_t irq)
{
	struct vcpu *v = this_cpu()->loaded;
	uint32_t intid = irq == host_machine.timer[MACHINE_TIMER_VIRT].intid ? GUEST_VTIMER_INTID
									     : GUEST_PTIMER_INTID;

	if (v == NULL) {
		return IRQ_DONE; /* it was switched off meanwhile */
	}
	v->vm->vic->ops->inject_hw(v->vm->vic, v->index, intid, irq);
	if (host_gich.forgets_lines) {
		struct timer *t = &recheck[this_cpu()->id];

		t->fn = recheck_lines;
		timer_arm(t, time_now() + RECHECK_NS);
	}
	return IRQ_FORWARDED;
}

void timer_init(void)
{
	timer_hz = sysreg_read(CNTFRQ_EL0);
	if (timer_hz == 0) {
		timer_hz = host_machine.timer_hz;
	}
	BUG_ON(timer_hz == 0);
	ns_mult = (UINT64_C(1000000000) << 32) / timer_hz;

	irq_register(host_machine.timer[MACHINE_TIMER_HYP_PHYS].intid, host_timer_irq);
	irq_register(host_machine.timer[MACHINE_TIMER_VIRT].intid, guest_timer_irq);
	irq_register(host_machine.timer[MACHINE_TIMER_PHYS].intid, guest_timer_irq);
}

void timer_init_cpu(void)
{
	static const enum machine_timer used[] = { MACHINE_TIMER_HYP_PHYS, MACHINE_TIMER_VIRT,
						   MACHINE_TIMER_PHYS };

	for (unsigned i = 0; i < ARRAY_SIZE(used); i++) {
		irq_enable(host_machine.timer[used[i]].intid, IRQ_LEVEL);
	}
}

/* A guest may write any comparator: what our clock cannot show never comes. */
static uint64_t deadline_ns(uint64_t count)
{
	unsigned __int128 ns = ((unsigned __int128)count * ns_mult) >> 32;

	return ns > UINT64_MAX ? UINT64_MAX : (uint64_t)ns;
}

static uint64_t earlier(uint64_t ctl, uint64_t cval, uint64_t offset, uint64_t best)
{
	uint64_t at;

	if ((ctl & (CTL_ENABLE | CTL_IMASK)) != CTL_ENABLE) {
		return best;
	}
	/* A deadline beyond the counter's end never comes. */
	at = cval + offset < cval ? UINT64_MAX : deadline_ns(cval + offset);
	return MIN(at, best);
}

uint64_t arch_vcpu_timer_deadline(struct vcpu *v)
{
	uint64_t best = UINT64_MAX;

	best = earlier(sysreg_read(CNTV_CTL_EL0), sysreg_read(CNTV_CVAL_EL0), v->vm->arch.cntvoff,
		       best);
	return earlier(sysreg_read(CNTP_CTL_EL0), sysreg_read(CNTP_CVAL_EL0), 0, best);
}
