/* SPDX-License-Identifier: Apache-2.0 */
/* The virtual and the physical EL1 timer (DDI 0487, D11.2). */
#include <rt.h>

/* How late an interrupt may be before something is wrong, on a loaded machine. */
#define LATE_MS 500

static uint64_t took[2];

/* One interrupt at the deadline, not before it. */
static void check_deadline(enum timer t, uint64_t us, bool wait)
{
	uint32_t irq = timer_irq(t);
	uint32_t before = irq_log()->count[irq];
	uint64_t deadline = timer_now(t) + rt_us(us);
	uint64_t now;

	timer_set_deadline(t, deadline);
	timer_set_control(t, TIMER_ENABLE);
	while (irq_log()->count[irq] == before) {
		if (wait) {
			/* Masked, so that it cannot come between the test and the WFI. */
			irq_off();
			if (irq_log()->count[irq] == before) {
				wfi();
			}
			irq_on();
		} else {
			arch_relax();
		}
		if (timer_now(t) > deadline + rt_ms(LATE_MS)) {
			break;
		}
	}
	now = timer_now(t);
	CHECK_EQ(irq_log()->count[irq], before + 1);
	CHECK(now >= deadline);
	took[t] = now - deadline;
	timer_set_control(t, 0);
}

static void use_timers(void *arg)
{
	(void)arg;
	gic_init_cpu();
	gic_enable(timer_irq(TIMER_VIRT), true);
	gic_enable(timer_irq(TIMER_PHYS), true);
	irq_on();
}

#define BOTH(name, title, body)                \
	static void name##_body(enum timer t); \
	CASE(name##_virt, title "_virt", 0)    \
	{                                      \
		use_timers(NULL);              \
		name##_body(TIMER_VIRT);       \
	}                                      \
	CASE(name##_phys, title "_phys", 0)    \
	{                                      \
		use_timers(NULL);              \
		name##_body(TIMER_PHYS);       \
	}                                      \
	static void name##_body(enum timer t) body

BOTH(timer_short, "timer.short", {
	for (uint64_t us = 20; us < 1000; us += 100) {
		check_deadline(t, us, false);
	}
})

BOTH(timer_long, "timer.long", { check_deadline(t, 120000, false); })

/* WFI is left at each deadline. */
BOTH(timer_wfi, "timer.wfi", {
	for (uint64_t us = 50; us < 20000; us = us * 2 + 100) {
		check_deadline(t, us, true);
	}
	check_deadline(t, 150000, true);
})

/* A deadline that is over fires at once; so does the smallest value, TVAL too. */
BOTH(timer_past, "timer.past", {
	uint32_t irq = timer_irq(t);

	timer_set_deadline(t, timer_now(t) - 1);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(irq_log()->count[irq] == 1, LATE_MS));
	timer_set_control(t, 0);
	timer_set_deadline(t, 0);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(irq_log()->count[irq] == 2, LATE_MS));
	timer_set_control(t, 0);
	timer_set_relative(t, -5);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(irq_log()->count[irq] == 3, LATE_MS));
	timer_set_control(t, 0);
})

BOTH(timer_masked, "timer.masked", {
	uint32_t irq = timer_irq(t);

	timer_set_deadline(t, timer_now(t) + rt_ms(2));
	timer_set_control(t, TIMER_ENABLE | TIMER_MASKED);
	CHECK_EQ(timer_control(t) & ~UINT64_C(TIMER_ISTATUS), TIMER_ENABLE | TIMER_MASKED);
	rt_delay_ms(8);
	CHECK_EQ(irq_log()->count[irq], 0);
	/* QEMU notices a deadline when its host lets it, whatever the counter says. */
	CHECK(WAIT_FOR(timer_control(t) == (TIMER_ENABLE | TIMER_MASKED | TIMER_ISTATUS), LATE_MS));
	CHECK_EQ(irq_log()->count[irq], 0);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(irq_log()->count[irq] == 1, LATE_MS));
})

BOTH(timer_cancelled, "timer.cancelled", {
	uint32_t irq = timer_irq(t);

	timer_set_deadline(t, timer_now(t) + rt_ms(30));
	timer_set_control(t, TIMER_ENABLE);
	timer_set_control(t, 0);
	rt_delay_ms(45);
	CHECK_EQ(irq_log()->count[irq], 0);
	/* Put off before it fires. */
	timer_set_deadline(t, timer_now(t) + rt_ms(30));
	timer_set_control(t, TIMER_ENABLE);
	timer_set_deadline(t, timer_now(t) + rt_ms(5000));
	rt_delay_ms(45);
	CHECK_EQ(irq_log()->count[irq], 0);
})

/*
 * The line is a level: switched off at the timer it goes away.  A virtual interrupt that
 * is linked to the hardware's may still come, once: as a real one that was on its way.
 */
BOTH(timer_withdrawn, "timer.withdrawn", {
	uint32_t irq = timer_irq(t);

	irq_off();
	timer_set_deadline(t, timer_now(t) - 1);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(gic_is_pending(irq), LATE_MS));
	timer_set_control(t, 0);
	CHECK(rt_under_hv || WAIT_FOR(!gic_is_pending(irq), LATE_MS));
	irq_on();
	rt_delay_ms(2);
	CHECK(irq_log()->count[irq] <= (rt_under_hv ? 1 : 0));
	/* And the timer is as good as new. */
	check_deadline(t, 1000, false);
})

static enum timer level_timer;
static uint32_t level_rounds;

static void end_without_care(uint32_t irq)
{
	if (++level_rounds == 3) {
		timer_set_control(level_timer, 0);
	}
	gic_end(irq);
}

/* ... and as long as the handler does not see to the timer, it interrupts again. */
BOTH(timer_level, "timer.level", {
	level_timer = t;
	level_rounds = 0;
	irq_hook = end_without_care;
	timer_set_deadline(t, timer_now(t) - 1);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(level_rounds >= 3, LATE_MS));
	rt_delay_ms(2);
	CHECK_EQ(level_rounds, 3);
})

static uint64_t next_tick;
static uint32_t ticks;

static void tick(uint32_t irq)
{
	CHECK(timer_now(level_timer) >= next_tick);
	ticks++;
	next_tick += rt_ms(1);
	timer_set_deadline(level_timer, next_tick);
	gic_end(irq);
}

/* A clock of 1 ms over 60 ms: late ticks are made up for, none is lost. */
BOTH(timer_periodic, "timer.periodic", {
	uint64_t start = timer_now(t);

	level_timer = t;
	ticks = 0;
	next_tick = start + rt_ms(1);
	irq_hook = tick;
	timer_set_deadline(t, next_tick);
	timer_set_control(t, TIMER_ENABLE);
	CHECK(WAIT_FOR(ticks >= 60, 60 + LATE_MS));
	timer_set_control(t, 0);
	CHECK(timer_now(t) - start >= rt_ms(60));
})

/* TVAL and CVAL are two views of one deadline. */
BOTH(timer_registers, "timer.registers", {
	uint64_t now;
	int32_t left;

	timer_set_relative(t, 1000000);
	now = timer_now(t);
	CHECK(timer_deadline(t) - now <= 1000000 && timer_deadline(t) > now - rt_ms(LATE_MS));
	timer_set_deadline(t, timer_now(t) + 2000000);
	left = timer_relative(t);
	CHECK(left <= 2000000 && left > 2000000 - (int32_t)rt_ms(20));
	timer_set_deadline(t, UINT64_C(0x123456789abcdef0));
	CHECK_EQ(timer_deadline(t), UINT64_C(0x123456789abcdef0));
	CHECK_EQ(timer_control(t), 0);
	timer_set_control(t, UINT64_MAX);
	CHECK_EQ(timer_control(t) & ~UINT64_C(TIMER_ISTATUS), TIMER_ENABLE | TIMER_MASKED);
})

/* Both at once, and the sooner first. */
CASE(timer_both, "timer.both", 0)
{
	struct irq_log *log = irq_log();

	use_timers(NULL);
	timer_set_deadline(TIMER_VIRT, timer_now(TIMER_VIRT) + rt_ms(60));
	timer_set_deadline(TIMER_PHYS, timer_now(TIMER_PHYS) + rt_ms(20));
	timer_set_control(TIMER_VIRT, TIMER_ENABLE);
	timer_set_control(TIMER_PHYS, TIMER_ENABLE);
	while (log->total < 2) {
		wfi();
	}
	CHECK_EQ(log->order[0], 30);
	CHECK_EQ(log->order[1], 27);
}

CASE(timer_counters, "timer.counters", 0)
{
	uint64_t v = timer_now(TIMER_VIRT), p = timer_now(TIMER_PHYS);

	for (int i = 0; i < 1000; i++) {
		uint64_t v2 = timer_now(TIMER_VIRT), p2 = timer_now(TIMER_PHYS);

		CHECK(v2 >= v && p2 >= p && p2 >= v2);
		v = v2;
		p = p2;
	}
}

static void each_own(void *arg)
{
	use_timers(arg);
	for (int i = 0; i < 5; i++) {
		check_deadline(TIMER_VIRT, 1000, true);
		check_deadline(TIMER_PHYS, 3000, true);
	}
	irq_off();
}

/* All CPUs use both of their timers at the same time. */
CASE(timer_every_cpu, "timer.every_cpu", CASE_SMP)
{
	rt_on_others(each_own, NULL);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		CHECK_EQ(irq_logs[i].count[27], 5);
		CHECK_EQ(irq_logs[i].count[30], 5);
	}
}

static uint64_t counter_there;

static void read_counter(void *arg)
{
	(void)arg;
	counter_there = timer_now(TIMER_VIRT);
}

/* One time for all CPUs. */
CASE(timer_same_time, "timer.same_time", CASE_SMP)
{
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		uint64_t before = timer_now(TIMER_VIRT);

		rt_cpu_start(i, read_counter, NULL);
		rt_cpu_join(i);
		CHECK(counter_there >= before && counter_there <= timer_now(TIMER_VIRT));
	}
}

/* WFI with an interrupt that is pending but masked by PSTATE comes back. */
CASE(wfi_masked, "wfi.masked", 0)
{
	gic_enable(8, true);
	gic_sgi(8, 0);
	wfi();
	wfi();
	CHECK_EQ(irq_log()->count[8], 0);
	irq_on();
	CHECK(WAIT_FOR(irq_log()->count[8] == 1, LATE_MS));
}

/* WFE after SEV, and the hints: nobody waits for ever. */
CASE(wfi_hints, "wfi.hints", 0)
{
	__asm__ volatile("sev\n wfe\n sevl\n wfe\n yield\n nop\n hint #20\n hint #99" ::: "memory");
}

/* ---- For the case "reset" ---- */
void arch_check_reset_state(void)
{
	/* arch_before_case() has set the rest itself. */
	CHECK(rt_ticks() < rt_ms(60000));
	CHECK_EQ(timer_deadline(TIMER_VIRT), 0);
	CHECK_EQ(timer_deadline(TIMER_PHYS), 0);
	CHECK(!gic_is_edge(50));
	CHECK_EQ(mmio_read32(UART_BASE + 0x24), 0); /* baud rate divisor */
	CHECK_EQ(read_sysreg(contextidr_el1), 0);
}

void arch_make_dirt(void)
{
	timer_set_deadline(TIMER_VIRT, rt_ticks() + rt_ms(5));
	timer_set_deadline(TIMER_PHYS, rt_ticks() + rt_ms(5));
	timer_set_control(TIMER_VIRT, TIMER_ENABLE);
	gic_enable(27, true);
	gic_set_edge(50, true);
	gic_set_pending(50, true);
	gic_set_active(51, true);
	mmio_write32(UART_BASE + 0x24, 0x1234);
	write_sysreg(contextidr_el1, 77);
}
