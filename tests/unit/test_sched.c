/* SPDX-License-Identifier: Apache-2.0 */
/* Threads on cores: who runs where and when.  Fibers really run, see fake_vcpu.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/arch_mm.h>
#include <hv/cpu.h>
#include <hv/page.h>
#include <hv/stack.h>
#include <hv/thread.h>
#include <hv/timer.h>
#include <string.h>

#include "fake_arch.h"
#include "fake_time.h"
#include "fake_vcpu.h"

#define WORKERS 4

struct worker {
	struct thread t;
	uint32_t work;	/* rounds that it had */
	uint32_t wakes; /* returns of thread_block() */
	uint64_t cores; /* it was seen on */
	bool stop;
	struct thread *wake; /* whom it wakes, once */
	uint64_t sleep;
	uint64_t slept_until;
};

static struct worker w[WORKERS];
static uint64_t free_before;

static void note(struct worker *me)
{
	me->cores |= BIT64(this_cpu()->id);
	assert_ptr_equal(thread_current(), &me->t);
	assert_true(arch_irq_enabled());
}

/* Works until it is told to stop, then blocks; again after each wake. */
static void spinner(void *arg)
{
	struct worker *me = arg;

	for (;;) {
		while (!me->stop) {
			me->work++;
			note(me);
			if (me->wake != NULL) {
				thread_wake(me->wake);
				me->wake = NULL;
			}
			fake_work();
		}
		thread_block();
		me->wakes++;
		note(me);
	}
}

/* Works once for each wake. */
static void blocker(void *arg)
{
	struct worker *me = arg;

	for (;;) {
		me->work++;
		note(me);
		thread_block();
		me->wakes++;
	}
}

static void sleeper(void *arg)
{
	struct worker *me = arg;

	thread_sleep(me->sleep);
	me->slept_until = fake_now;
	me->work++;
	for (;;) {
		thread_block();
	}
}

static void yielder(void *arg)
{
	struct worker *me = arg;

	while (!me->stop) {
		me->work++;
		note(me);
		thread_yield();
		fake_work();
	}
	for (;;) {
		thread_block();
	}
}

static void start(uint32_t i, uint64_t affinity, void (*fn)(void *))
{
	assert_int_equal(thread_init(&w[i].t, "worker", affinity, fn, &w[i]), 0);
	assert_true(thread_is_parked(&w[i].t));
	thread_wake(&w[i].t);
}

static void setup_cores(uint32_t count)
{
	memset(w, 0, sizeof(w));
	fake_cores_start(count);
	/* The stack window's tables stay. */
	stack_free(stack_alloc());
	free_before = page_free_count();
}

/* All workers end blocked, and nothing is lost. */
static void finish(void)
{
	for (uint32_t i = 0; i < WORKERS; i++) {
		w[i].stop = true;
	}
	for (uint32_t i = 0; i < 100; i++) {
		fake_pass(SCHED_SLICE_NS, 10);
	}
	for (uint32_t i = 0; i < WORKERS; i++) {
		if (w[i].t.stack != NULL) {
			assert_true(thread_is_parked(&w[i].t));
			thread_destroy(&w[i].t);
		}
	}
	for (uint32_t n = 0; n < cpu_count; n++) {
		assert_ptr_equal(cpus[n].current, cpus[n].idle);
		assert_int_equal(cpus[n].rq.length, 0);
		assert_int_equal(cpus[n].rq.lock.next, cpus[n].rq.lock.owner);
	}
	assert_int_equal(page_free_count(), free_before);
	fake_cores_stop();
}

static void test_init(void **state)
{
	struct thread t;

	(void)state;
	setup_cores(2);
	/* No such core; and cores that do not exist are left out. */
	assert_int_equal(thread_init(&t, "t", 0, spinner, NULL), -EINVAL);
	assert_int_equal(thread_init(&t, "t", 4, spinner, NULL), -EINVAL);
	assert_int_equal(thread_init(&t, "t", 0xfe, spinner, NULL), 0);
	assert_int_equal(t.affinity, 2);
	assert_int_equal(t.cpu, 1);
	thread_destroy(&t);
	finish();
}

/* Two that never block share a core in equal slices; alone, there is no timer. */
static void test_round_robin(void **state)
{
	(void)state;
	setup_cores(1);
	start(0, 1, spinner);
	fake_rounds(3);
	assert_int_equal(w[0].work, 3);
	assert_int_equal(cpus[0].slice_end, UINT64_MAX);
	assert_true(fake_timer[0] == 0 || fake_timer[0] == TIMER_NEVER);
	start(1, 1, spinner);
	start(2, 1, spinner);
	fake_rounds(2);
	/* The slice of the one that runs starts now, and it keeps the core for that long. */
	assert_int_equal(fake_timer[0], fake_now + SCHED_SLICE_NS);
	fake_pass(SCHED_SLICE_NS - 1, 5);
	assert_int_equal(w[1].work, 0);
	for (uint32_t i = 0; i < 30; i++) {
		w[0].work = w[1].work = w[2].work = 0;
		fake_pass(SCHED_SLICE_NS, 10);
		/* One of the three had it all (but for the round that took the interrupt). */
		assert_true(w[(i + 1) % 3].work >= 9);
		assert_true(w[(i + 2) % 3].work == 0);
	}
	w[1].stop = true;
	w[2].stop = true;
	fake_pass(2 * SCHED_SLICE_NS, 20);
	fake_pass(2 * SCHED_SLICE_NS, 20);
	assert_int_equal(cpus[0].rq.length, 0);
	assert_int_equal(cpus[0].slice_end, UINT64_MAX);
	finish();
}

/* A thread woken by the one that runs, without any interrupt, gets its turn. */
static void test_wake_own_core(void **state)
{
	(void)state;
	setup_cores(1);
	start(1, 1, blocker);
	fake_rounds(5);
	assert_int_equal(w[1].work, 1);
	start(0, 1, spinner);
	fake_rounds(3);
	w[0].wake = &w[1].t;
	fake_rounds(2);
	assert_int_equal(w[1].work, 1);
	assert_int_equal(fake_timer[0], fake_now + SCHED_SLICE_NS);
	fake_pass(SCHED_SLICE_NS, 5);
	assert_int_equal(w[1].work, 2);
	/* It has blocked, so the first one is alone again. */
	assert_int_equal(cpus[0].slice_end, UINT64_MAX);
	finish();
}

static void test_wake_before_block(void **state)
{
	(void)state;
	setup_cores(1);
	start(0, 1, spinner);
	fake_rounds(2);
	/* Twice is once. */
	thread_wake(&w[0].t);
	thread_wake(&w[0].t);
	w[0].stop = true;
	fake_rounds(5);
	assert_int_equal(w[0].wakes, 1);
	assert_true(thread_is_parked(&w[0].t));
	thread_wake(&w[0].t);
	fake_rounds(5);
	assert_int_equal(w[0].wakes, 2);
	/* A wake of one that waits for its turn is not lost either. */
	thread_wake(&w[0].t);
	thread_wake(&w[0].t);
	fake_rounds(5);
	assert_int_equal(w[0].wakes, 4);
	finish();
}

static void test_placement(void **state)
{
	(void)state;
	setup_cores(4);
	start(0, 1, spinner);
	fake_rounds(2);
	/* Its first core is busy: an idle one that is allowed, woken by an IPI. */
	start(1, 0x5, spinner);
	assert_int_equal(fake_ipis[2], 1);
	assert_int_equal(fake_ipis[1], 0);
	fake_rounds(2);
	assert_int_equal(w[1].cores, 4);
	start(2, 0x5, spinner);
	fake_rounds(2);
	assert_int_equal(w[2].cores, 0);
	for (uint32_t i = 0; i < 20; i++) {
		fake_pass(SCHED_SLICE_NS, 3);
	}
	/* Never outside its affinity, though cores 1 and 3 idle. */
	assert_int_equal(w[2].cores & ~UINT64_C(5), 0);
	assert_true(w[2].work > 10);
	assert_int_equal(fake_ipis[1] + fake_ipis[3], 0);
	finish();
}

/* A core that is not online is nobody's, whatever the affinity says. */
static void test_offline_core(void **state)
{
	(void)state;
	setup_cores(3);
	cpus[1].online = 0;
	start(0, 1, spinner);
	fake_rounds(2);
	start(1, 3, blocker);
	fake_rounds(2);
	assert_int_equal(fake_ipis[1], 0);
	fake_pass(SCHED_SLICE_NS, 4);
	assert_int_equal(w[1].cores, 1);
	cpus[1].online = 1;
	thread_wake(&w[1].t);
	fake_rounds(4);
	assert_int_equal(w[1].cores, 3);
	finish();
}

static uint32_t wakes_sent;

static void wake_it(void *arg)
{
	struct worker *me = arg;

	/* It is blocked, but still on its stack: it stays on its core. */
	thread_wake(&me->t);
	wakes_sent++;
}

/* Wakes at any moment, from other cores, are neither lost nor doubled into two cores. */
static void test_wake_storm(void **state)
{
	uint32_t seed = 1;

	(void)state;
	setup_cores(4);
	wakes_sent = 0;
	start(0, 0xf, blocker);
	start(1, 0x6, blocker);
	start(2, 0x2, spinner);
	start(3, 0x1, spinner);
	fake_rounds(4);
	for (uint32_t i = 0; i < 2000; i++) {
		seed = seed * 1664525 + 1013904223;
		fake_device_irq(seed >> 8 & 3, wake_it, &w[seed >> 16 & 1]);
		w[2].wake = (seed >> 20 & 7) == 0 ? &w[seed >> 17 & 1].t : NULL;
		fake_pass(seed >> 12 & 0xfffff, 1 + (seed >> 24 & 3));
	}
	fake_pass(SCHED_SLICE_NS, 10);
	assert_true(wakes_sent > 1900);
	assert_true(thread_is_parked(&w[0].t) && thread_is_parked(&w[1].t));
	/* Away from the busy cores, where that is allowed. */
	assert_int_equal(w[0].cores & ~UINT64_C(0xd), 0);
	assert_true(w[0].cores != 1);
	assert_true((w[1].cores & 4) != 0 && (w[1].cores & ~UINT64_C(6)) == 0);
	assert_true(w[0].work > 500 && w[1].work > 500);
	/* Each wake was followed by a round of work. */
	w[0].work = 0;
	thread_wake(&w[0].t);
	fake_rounds(10);
	assert_true(w[0].work >= 1);
	finish();
}

/* As the wake comes while the thread is blocked and still on its stack (on_cpu). */
static void test_no_move_on_stack(void **state)
{
	(void)state;
	setup_cores(2);
	start(0, 3, blocker);
	fake_rounds(4);
	assert_true(thread_is_parked(&w[0].t));
	assert_int_equal(w[0].t.cpu, 0);
	start(1, 1, spinner);
	fake_rounds(2);
	w[0].t.on_cpu = 1;
	assert_false(thread_is_parked(&w[0].t));
	thread_wake(&w[0].t);
	/* Core 1 idles, but the thread waits for its own, where it cannot be on its stack. */
	assert_int_equal(w[0].t.cpu, 0);
	assert_int_equal(cpus[0].rq.length, 1);
	w[0].t.on_cpu = 0;
	fake_rounds(2);
	fake_pass(SCHED_SLICE_NS, 4);
	assert_int_equal(w[0].work, 2);
	finish();
}

static void test_yield(void **state)
{
	(void)state;
	setup_cores(1);
	start(0, 1, yielder);
	start(1, 1, yielder);
	fake_rounds(100);
	/* In turn, without a slice's end. */
	assert_true(w[0].work >= 49 && w[1].work >= 49);
	w[1].stop = true;
	fake_rounds(10);
	w[0].work = 0;
	fake_rounds(10);
	assert_int_equal(w[0].work, 10);
	finish();
}

static void test_sleep(void **state)
{
	uint64_t begin;

	(void)state;
	setup_cores(2);
	begin = fake_now;
	w[0].sleep = 5000;
	w[1].sleep = 0;
	start(0, 1, sleeper);
	start(1, 2, sleeper);
	fake_rounds(4);
	assert_int_equal(w[1].work, 1);
	/* A wake in between does not end it. */
	fake_pass(2000, 3);
	thread_wake(&w[0].t);
	fake_rounds(3);
	fake_pass(2999, 3);
	assert_int_equal(w[0].work, 0);
	fake_pass(1, 3);
	assert_int_equal(w[0].work, 1);
	assert_int_equal(w[0].slept_until, begin + 5000);
	finish();
}

/* Nothing to do: no core is woken, no timer runs. */
static void test_idle(void **state)
{
	(void)state;
	setup_cores(4);
	fake_pass(UINT64_C(1000000000), 10);
	for (uint32_t n = 0; n < 4; n++) {
		assert_int_equal(fake_ipis[n], 0);
		assert_true(fake_timer[n] == 0 || fake_timer[n] == TIMER_NEVER);
	}
	finish();
}

static void test_stacks(void **state)
{
	struct thread t;
	uint64_t left;

	(void)state;
	setup_cores(1);
	/* Neighbours have a guard page between them. */
	uint8_t *a = stack_alloc();
	uint8_t *b = stack_alloc();

	assert_true(stack_is_guard((uint64_t)a - 1));
	assert_false(stack_is_guard((uint64_t)a));
	assert_false(stack_is_guard((uint64_t)a + THREAD_STACK_SIZE - 1));
	assert_true(stack_is_guard((uint64_t)a + THREAD_STACK_SIZE));
	assert_true((uint64_t)b >= (uint64_t)a + THREAD_STACK_SIZE + PAGE_SIZE);
	stack_free(a);
	stack_free(b);
	/* Without memory there is no thread, and nothing is left behind. */
	for (left = 0; left < 4; left++) {
		hpa_t keep[4];
		hpa_t all;
		hpa_t first = hpa(0);
		uint64_t count = 0;

		for (uint64_t i = 0; i < 4; i++) {
			assert_int_equal(page_alloc(OWNER_HV, 0, &keep[i]), 0);
		}
		/* A chain through the frames themselves remembers all the others. */
		while (page_alloc(OWNER_HV, 0, &all) == 0) {
			*(hpa_t *)hpa_to_ptr(all) = first;
			first = all;
			count++;
		}
		for (uint64_t i = 0; i < left; i++) {
			page_free(OWNER_HV, keep[i], 0);
		}
		assert_int_equal(thread_init(&t, "t", 1, spinner, NULL), -ENOMEM);
		assert_int_equal(page_free_count(), left);
		for (uint64_t i = left; i < 4; i++) {
			page_free(OWNER_HV, keep[i], 0);
		}
		while (count-- > 0) {
			all = first;
			first = *(hpa_t *)hpa_to_ptr(all);
			page_free(OWNER_HV, all, 0);
		}
	}
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_init),	      cmocka_unit_test(test_round_robin),
		cmocka_unit_test(test_wake_own_core), cmocka_unit_test(test_wake_before_block),
		cmocka_unit_test(test_placement),     cmocka_unit_test(test_offline_core),
		cmocka_unit_test(test_wake_storm),    cmocka_unit_test(test_no_move_on_stack),
		cmocka_unit_test(test_yield),	      cmocka_unit_test(test_sleep),
		cmocka_unit_test(test_idle),	      cmocka_unit_test(test_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
