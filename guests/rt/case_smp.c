/* SPDX-License-Identifier: Apache-2.0 */
/* Processors that are started and stopped, in any order. */
#include <rt.h>

static uint64_t seen_hwid[RT_MAX_CPUS];
static uint32_t starts[RT_MAX_CPUS];

static void note(void *arg)
{
	struct rt_cpu *c = rt_this_cpu();

	seen_hwid[c->index] = arch_own_hwid();
	__atomic_fetch_add(&starts[c->index], 1, __ATOMIC_SEQ_CST);
	CHECK(arg == &starts);
}

static void start_and_join(uint32_t i)
{
	uint32_t before = starts[i];

	rt_cpu_start(i, note, &starts);
	rt_cpu_join(i);
	CHECK_EQ(starts[i], before + 1);
	CHECK_EQ(seen_hwid[i], rt_cpus[i].hwid);
}

CASE(smp_ascending, "smp.ascending", CASE_SMP)
{
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		CHECK(arch_cpu_is_off(rt_cpus[i].hwid));
		start_and_join(i);
	}
}

CASE(smp_descending, "smp.descending", CASE_SMP)
{
	for (uint32_t i = rt_cpu_count - 1; i > 0; i--) {
		start_and_join(i);
	}
}

/* Again and again, all at once: whoever is off may be started anew at once. */
CASE(smp_many_times, "smp.many_times", CASE_SMP)
{
	uint32_t before = starts[1];

	for (uint32_t round = 0; round < 25; round++) {
		rt_on_others(note, &starts);
	}
	CHECK_EQ(starts[1], before + 25);
}

static uint32_t pending_stop;

static void wait_for_turn(void *arg)
{
	uint32_t self = rt_this_cpu()->index;

	(void)arg;
	CHECK(WAIT_FOR(__atomic_load_n(&pending_stop, __ATOMIC_ACQUIRE) == self, 10000));
}

/* All run; they stop in an order of their own. */
CASE(smp_stop_order, "smp.stop_order", CASE_SMP)
{
	pending_stop = 0;
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_start(i, wait_for_turn, NULL);
	}
	for (uint32_t k = 0; k < rt_cpu_count - 1; k++) {
		/* From the middle outwards: n/2, n/2+1, ..., around. */
		uint32_t i = 1 + (rt_cpu_count / 2 + k) % (rt_cpu_count - 1);

		CHECK(WAIT_FOR(!arch_cpu_is_off(rt_cpus[i].hwid), 2000));
		__atomic_store_n(&pending_stop, i, __ATOMIC_RELEASE);
		rt_cpu_join(i);
	}
}

static void chain(void *arg)
{
	uint32_t self = rt_this_cpu()->index;

	starts[self]++;
	if (self + 1 < rt_cpu_count) {
		rt_cpu_start(self + 1, chain, arg);
		rt_cpu_join(self + 1);
	}
}

/* Each starts the next one and waits for it. */
CASE(smp_chain, "smp.chain", CASE_SMP)
{
	uint32_t before = starts[rt_cpu_count - 1];

	rt_cpu_start(1, chain, NULL);
	rt_cpu_join(1);
	CHECK_EQ(starts[rt_cpu_count - 1], before + 1);
}

#define ADDS 20000
static uint64_t sum, locked_sum;
static uint32_t lock;

static void add(void *arg)
{
	(void)arg;
	for (uint32_t i = 0; i < ADDS; i++) {
		__atomic_fetch_add(&sum, 1, __ATOMIC_RELAXED);
		if (i % 16 == 0) {
			while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) != 0) {
				arch_relax();
			}
			locked_sum++;
			__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
		}
	}
}

/* One memory for all, with atomics that are atomic. */
CASE(smp_atomics, "smp.atomics", CASE_SMP)
{
	sum = 0;
	locked_sum = 0;
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_start(i, add, NULL);
	}
	add(NULL);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_join(i);
	}
	CHECK_EQ(sum, (uint64_t)ADDS * rt_cpu_count);
	CHECK_EQ(locked_sum, (uint64_t)ADDS / 16 * rt_cpu_count);
}
