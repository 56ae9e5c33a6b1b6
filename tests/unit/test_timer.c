/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hv/arch_cpu.h>
#include <hv/timer.h>

#include "fake_arch.h"
#include "fake_time.h"

struct probe {
	struct timer t;
	uint32_t fired;
	uint32_t order;
	uint32_t cpu;
	uint64_t at;
	uint64_t period;      /* arms itself again */
	struct probe *victim; /* cancelled by fn */
	bool masked;
};

static uint32_t sequence;

static void probe_fn(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, t);

	p->fired++;
	p->order = ++sequence;
	p->cpu = fake_cpu;
	p->at = fake_now;
	p->masked = !arch_irq_enabled();
	if (p->victim != NULL) {
		timer_cancel(&p->victim->t);
	}
	if (p->period != 0) {
		timer_arm(t, t->deadline + p->period);
	}
}

static int setup(void **state)
{
	(void)state;
	sequence = 0;
	fake_cpu = 0;
	fake_now = 1000;
	/* Queues of an earlier test are empty but for the hardware's setting. */
	for (uint32_t i = 0; i < MAX_CPUS; i++) {
		fake_timer[i] = 0;
	}
	return 0;
}

static struct probe probe(void)
{
	return (struct probe){ .t = { .fn = probe_fn } };
}

static void test_order(void **state)
{
	struct probe p[5];
	static const uint64_t at[5] = { 5000, 3000, 9000, 3000, 1 };
	static const uint32_t order[5] = { 4, 2, 5, 3, 1 };

	(void)state;
	for (int i = 0; i < 5; i++) {
		p[i] = probe();
		assert_false(timer_is_armed(&p[i].t));
		timer_arm(&p[i].t, at[i]);
		assert_true(timer_is_armed(&p[i].t));
	}
	/* The earliest is what the hardware waits for; one in the past is due now. */
	assert_int_equal(fake_timer[0], 1);
	fake_time_advance(0);
	assert_int_equal(p[4].fired, 1);
	assert_true(p[4].masked);
	assert_true(arch_irq_enabled());
	assert_false(timer_is_armed(&p[4].t));
	assert_int_equal(fake_timer[0], 3000);
	fake_time_advance(1999);
	assert_int_equal(sequence, 1);
	fake_time_advance(1);
	assert_int_equal(sequence, 3);
	fake_time_advance(100000);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(p[i].fired, 1);
		assert_int_equal(p[i].order, order[i]); /* equal ones: first armed first */
		assert_int_equal(p[i].at, at[i] < 1000 ? 1000 : at[i]);
	}
	assert_true(fake_timer[0] == TIMER_NEVER);
}

static void test_move_and_cancel(void **state)
{
	struct probe a = probe();
	struct probe b = probe();
	struct probe c = probe();

	(void)state;
	timer_cancel(&a.t); /* never armed */
	timer_disarm(&a.t);
	timer_arm(&a.t, 2000);
	timer_arm(&b.t, 3000);
	timer_arm(&c.t, 4000);
	timer_arm(&a.t, 5000); /* moves back */
	assert_int_equal(fake_timer[0], 3000);
	timer_arm(&c.t, 2500); /* moves forward */
	assert_int_equal(fake_timer[0], 2500);
	timer_cancel(&c.t); /* the head */
	assert_int_equal(fake_timer[0], 3000);
	timer_arm(&c.t, 4000);
	timer_disarm(&c.t); /* the middle */
	timer_arm(&c.t, 6000);
	timer_arm(&c.t, TIMER_NEVER); /* the tail */
	assert_false(timer_is_armed(&c.t));
	fake_time_advance(10000);
	assert_int_equal(a.fired, 1);
	assert_int_equal(a.at, 5000);
	assert_int_equal(b.fired, 1);
	assert_int_equal(c.fired, 0);
}

static void test_periodic_and_bounded(void **state)
{
	struct probe tick = probe();
	struct probe storm = probe();
	struct probe last = probe();

	(void)state;
	tick.period = 100;
	timer_arm(&tick.t, 1100);
	fake_time_advance(1000);
	assert_int_equal(tick.fired, 10);
	timer_cancel(&tick.t);

	/* One that is always overdue does not keep the loop from ending, or others waiting. */
	storm.t.deadline = 0;
	storm.period = 1;
	timer_arm(&storm.t, 1);
	timer_arm(&last.t, 1999);
	timer_run_expired();
	assert_int_equal(storm.fired, 1);
	assert_int_equal(last.fired, 1);
	assert_int_equal(fake_timer[0], fake_now + 1);
	timer_cancel(&storm.t);
	assert_true(fake_timer[0] == TIMER_NEVER);
}

static void test_cancel_in_function(void **state)
{
	struct probe a = probe();
	struct probe b = probe();

	(void)state;
	a.victim = &b;
	timer_arm(&a.t, 2000);
	timer_arm(&b.t, 2000);
	fake_time_advance(5000);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
	/* Itself, while it runs. */
	a.victim = &a;
	a.period = 0;
	timer_arm(&a.t, 7000);
	fake_time_advance(5000);
	assert_int_equal(a.fired, 2);
	assert_false(timer_is_armed(&a.t));
}

static void test_cores(void **state)
{
	struct probe a = probe();
	struct probe b = probe();

	(void)state;
	fake_cpu = 3;
	timer_arm(&a.t, 2000);
	fake_cpu = 1;
	timer_arm(&b.t, 3000);
	assert_int_equal(fake_timer[3], 2000);
	assert_int_equal(fake_timer[1], 3000);
	assert_int_equal(fake_timer[0], 0);
	fake_cpu = 0;
	fake_time_advance(1000);
	assert_int_equal(a.fired, 1);
	assert_int_equal(a.cpu, 3);

	/* Armed anew elsewhere it moves there; the old core's interrupt finds nothing. */
	fake_cpu = 2;
	timer_arm(&b.t, 4000);
	assert_int_equal(fake_timer[1], 3000);
	assert_int_equal(fake_timer[2], 4000);
	fake_time_advance(1500);
	assert_int_equal(b.fired, 0);
	assert_true(fake_timer[1] == TIMER_NEVER);
	fake_time_advance(1500);
	assert_int_equal(b.cpu, 2);

	/* Cancelled from another core. */
	timer_arm(&b.t, 9000);
	fake_cpu = 5;
	timer_cancel(&b.t);
	fake_time_advance(10000);
	assert_int_equal(b.fired, 1);
}

/* fn runs on core 1 and, before it ends, another core arms its timer. */
static void armed_elsewhere(struct timer *t)
{
	struct probe *p = container_of(t, struct probe, t);

	p->fired++;
	p->cpu = fake_cpu;
	if (p->fired == 1) {
		fake_cpu = 4;
		timer_arm(t, fake_now + 10);
		fake_cpu = 1;
	}
}

static void test_armed_elsewhere_while_running(void **state)
{
	struct probe p = { .t = { .fn = armed_elsewhere } };

	(void)state;
	fake_cpu = 1;
	timer_arm(&p.t, 2000);
	fake_cpu = 0;
	fake_time_advance(1000);
	assert_int_equal(p.fired, 1);
	/* It stayed with core 1, which knows of it. */
	assert_int_equal(fake_timer[4], 0);
	assert_int_equal(fake_timer[1], 2010);
	fake_time_advance(10);
	assert_int_equal(p.fired, 2);
	assert_int_equal(p.cpu, 1);
}

/*
 * fn runs on core 1; core 6 cancels.  What core 1 does meanwhile happens in the hook:
 * it arms the timer once more and ends, and must be caught all the same.
 */
static struct probe *cancelled;
static jmp_buf back;
static uint32_t waits;

static void core1_goes_on(void)
{
	fake_cpu = 1;
	if (++waits == 2) {
		timer_arm(&cancelled->t, fake_now + 5);
	}
	if (waits == 4) {
		/* fn has returned: the rest of timer_run_expired() needs its stack. */
		longjmp(back, 1);
	}
	fake_cpu = 6;
}

static void cancelled_from_elsewhere(struct timer *t)
{
	fake_cpu = 6;
	if (setjmp(back) == 0) {
		timer_cancel(t);
		fail_msg("did not wait");
	}
	fake_cpu = 1;
}

static void test_cancel_waits(void **state)
{
	struct probe p = { .t = { .fn = cancelled_from_elsewhere } };

	(void)state;
	cancelled = &p;
	waits = 0;
	fake_relax_hook = core1_goes_on;
	fake_cpu = 1;
	timer_arm(&p.t, 2000);
	fake_now = 2000;
	timer_run_expired();
	fake_relax_hook = NULL;
	assert_int_equal(waits, 4);
	/* The one that fn armed while it was being cancelled is gone. */
	assert_false(timer_is_armed(&p.t));
	fake_time_advance(1000);
	assert_int_equal(waits, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_order, setup),
		cmocka_unit_test_setup(test_move_and_cancel, setup),
		cmocka_unit_test_setup(test_periodic_and_bounded, setup),
		cmocka_unit_test_setup(test_cancel_in_function, setup),
		cmocka_unit_test_setup(test_cores, setup),
		cmocka_unit_test_setup(test_cancel_waits, setup),
		cmocka_unit_test_setup(test_armed_elsewhere_while_running, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
