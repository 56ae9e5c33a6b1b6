/* SPDX-License-Identifier: Apache-2.0 */
/* A clock that moves when a test says so, and cores to have timers on. */
#ifndef FAKE_TIME_H
#define FAKE_TIME_H

#include <hv/types.h>

extern uint64_t fake_now;	      /* ns: what arch_time_ns() answers */
extern uint64_t fake_timer[MAX_CPUS]; /* what each core's timer is set to; 0 at first */
extern uint32_t fake_cpu;	      /* the core that the test is on */

/* What this_cpu() points into; core/cpu.c's own where fake_vcpu.c runs threads. */
struct cpu;
extern struct cpu *fake_cpu_table;

/* Moves the clock, with the timer interrupts of all cores in order of time. */
void fake_time_advance(uint64_t ns);

#endif
