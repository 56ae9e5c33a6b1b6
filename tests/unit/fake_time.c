/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_time.h"
#include <hv/arch_cpu.h>
#include <hv/cpu.h>
#include <hv/timer.h>

uint64_t fake_now;
uint64_t fake_timer[MAX_CPUS];
uint32_t fake_cpu;

static struct cpu fake_cpus[MAX_CPUS];
struct cpu *fake_cpu_table = fake_cpus;

struct cpu *this_cpu(void)
{
	fake_cpu_table[fake_cpu].id = fake_cpu;
	return &fake_cpu_table[fake_cpu];
}

uint64_t arch_time_ns(void)
{
	return fake_now;
}

void arch_timer_set(uint64_t deadline_ns)
{
	fake_timer[fake_cpu] = deadline_ns;
}

/* The core whose timer is due first, not after `end`; MAX_CPUS: none. */
static uint32_t fake_due(uint64_t end)
{
	uint32_t cpu = MAX_CPUS;

	for (uint32_t i = 0; i < MAX_CPUS; i++) {
		if (fake_timer[i] != 0 && fake_timer[i] <= end &&
		    (cpu == MAX_CPUS || fake_timer[i] < fake_timer[cpu])) {
			cpu = i;
		}
	}
	return cpu;
}

void fake_time_advance(uint64_t ns)
{
	uint64_t end = fake_now + ns;
	uint32_t was = fake_cpu;

	for (uint32_t cpu = fake_due(end); cpu != MAX_CPUS; cpu = fake_due(end)) {
		uint64_t flags;

		fake_now = MAX(fake_now, fake_timer[cpu]);
		fake_cpu = cpu;
		flags = arch_irq_save();
		timer_run_expired();
		arch_irq_restore(flags);
	}
	fake_cpu = was;
	fake_now = end;
}
