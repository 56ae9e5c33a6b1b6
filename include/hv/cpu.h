/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The physical cores.  A core is known by its index, 0 .. cpu_count-1 with the
 * boot core 0; its hardware id (MPIDR affinity, hart id, APIC id) is used only
 * when talking to firmware and interrupt controllers.
 *
 * struct cpu is written by its own core only, except where a field says otherwise.
 */
#ifndef HV_CPU_H
#define HV_CPU_H

#include <hv/spinlock.h>
#include <hv/types.h>

struct thread;
struct vcpu;

/* Doubly linked run queue; a thread is on at most one. */
struct run_queue {
	struct spinlock lock; /* guards the queue and the state of the core's threads */
	struct thread *head;
	struct thread *tail;
	uint32_t length; /* runnable threads that wait; the running one is not in it */
};

struct cpu {
	struct thread *current;
	struct vcpu *loaded; /* whose guest state is in this core's registers, or NULL */
	uint32_t id;
	uint32_t need_resched; /* written by any core, with an IPI */
	uint64_t hwid;
	struct thread *idle;
	struct thread *departed; /* the thread just switched away from, until it is off its stack */
	struct run_queue rq;
	uint64_t slice_end; /* ns; UINT64_MAX while the running thread is alone */
	uint32_t online;    /* set by the core itself, read by all */
};

extern struct cpu cpus[MAX_CPUS];
extern uint32_t cpu_count;

/* IPIs: numbers for irqchip_ops.send_ipi. */
enum ipi {
	IPI_KICK = 0, /* look at need_resched and at the vCPU's work */
	IPI_HALT = 1, /* a panic elsewhere: stop for ever */
	IPI_COUNT
};

/* Starts all other cores; those that do not come up within a second are left out, with a warning. */
void cpu_start_others(void);

/*
 * The core that calls it, set up by arch code and with interrupts masked, becomes one
 * that threads run on; sched_idle() follows.
 */
void cpu_join(struct cpu *c);

#endif
