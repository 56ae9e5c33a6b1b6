/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads and their scheduler: per-core run queues, round robin with a time slice,
 * affinity bitmaps.  A vCPU is a thread; so are the VMM and, later, the shell.
 *
 * Functions may be called on any core with interrupts on or off, and switch them
 * off for as long as they hold a run queue's lock.  thread_block() and
 * thread_yield() must not be called with a lock held.
 */
#ifndef HV_THREAD_H
#define HV_THREAD_H

#include <arch_types.h>
#include <hv/types.h>

struct cpu;
struct vcpu;

#define THREAD_STACK_SIZE (4 * PAGE_SIZE)
#define SCHED_SLICE_NS	  UINT64_C(5000000)

enum thread_state {
	THREAD_BLOCKED,
	THREAD_READY,
	THREAD_RUNNING,
};

/* All fields but ctx are guarded by the lock of cpus[cpu].rq. */
struct thread {
	struct arch_context ctx;
	struct thread *next, *prev;
	struct vcpu *vcpu; /* NULL: not a vCPU's */
	const char *name;
	uint64_t affinity; /* bit n: may run on core n; never 0 */
	uint8_t *stack;	   /* lowest usable byte; NULL once freed */
	uint32_t cpu;	   /* where it runs, ran last, or waits */
	enum thread_state state;
	uint32_t on_cpu;       /* still on its stack: it may be queued on that core only */
	uint32_t wake_pending; /* a wake that came before the block */
};

/*
 * Prepares a thread that is blocked; the first thread_wake() starts fn(arg), which
 * must not return.  -ENOMEM: no stack.  -EINVAL: no core in the affinity exists.
 */
int __must_check thread_init(struct thread *t, const char *name, uint64_t affinity,
			     void (*fn)(void *arg), void *arg);

/* Gives the stack back.  The thread must be blocked and off its stack. */
void thread_destroy(struct thread *t);

/* True once a blocked thread has left its stack. */
bool thread_is_parked(const struct thread *t);

/* Blocks the caller until a thread_wake(); returns at once if one came already. */
void thread_block(void);

/* Makes a thread ready, or its next thread_block() return at once. */
void thread_wake(struct thread *t);

/* Lets others on this core run. */
void thread_yield(void);

/* Blocks the caller for at least that many nanoseconds. */
void thread_sleep(uint64_t ns);

struct thread *thread_current(void);

/* Once on each core, before interrupts are on: the caller becomes the idle thread. */
void sched_init_cpu(struct cpu *cpu, struct thread *idle);

/* What the idle thread does, for ever. */
void __noreturn sched_idle(void);

/* Interrupts off: picks the next thread if need_resched says so or the slice is over. */
void sched_preempt(void);

/* Interrupts off: is there another thread waiting for this core? */
bool sched_is_contended(void);

/* First thing on a new stack after a switch (called by arch_thread_start). */
void sched_finish_switch(void);

#endif
