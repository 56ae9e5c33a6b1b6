/* SPDX-License-Identifier: Apache-2.0 */
/* The physical cores: starting the others. */
#include <hv/arch_cpu.h>
#include <hv/cpu.h>
#include <hv/irqchip.h>
#include <hv/log.h>
#include <hv/thread.h>
#include <hv/timer.h>

#include <errno.h>

#define START_TIMEOUT_NS UINT64_C(1000000000)

struct cpu cpus[MAX_CPUS];
uint32_t cpu_count;

static struct thread idle_threads[MAX_CPUS];

static bool wait_online(const struct cpu *c)
{
	uint64_t end = time_now() + START_TIMEOUT_NS;

	while (__atomic_load_n(&c->online, __ATOMIC_ACQUIRE) == 0) {
		if (time_now() > end) {
			return false;
		}
		arch_cpu_relax();
	}
	return true;
}

void cpu_start_others(void)
{
	uint32_t online = 1;

	for (uint32_t i = 1; i < cpu_count; i++) {
		int err = arch_cpu_start(&cpus[i]);

		if (err == 0 && !wait_online(&cpus[i])) {
			err = -ETIMEDOUT;
		}
		if (err != 0) {
			log_warn("core %u (id %#llx) does not start: %s; it is left out", i,
				 (unsigned long long)cpus[i].hwid,
				 err == -ETIMEDOUT ? "no sign of it for a second"
						   : "firmware refuses");
		} else {
			online++;
		}
	}
	log_info("%u of %u cores run", online, cpu_count);
}

void cpu_join(struct cpu *c)
{
	sched_init_cpu(c, &idle_threads[c->id]);
	__atomic_store_n(&c->online, 1, __ATOMIC_RELEASE);
}
