/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The scheduler: one queue per core, round robin, a slice timer only where two
 * threads want the same core.
 *
 * A thread that is still on its stack (on_cpu) is queued on its own core only.
 * So no core ever waits for another one's switch to finish: two cores that swapped
 * threads would otherwise wait for each other.
 */
#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/irqchip.h>
#include <hv/stack.h>
#include <hv/thread.h>
#include <hv/timer.h>
#include <hv/vcpu.h>

#include <errno.h>
#include <string.h>

/* One a core: interrupts it when the running thread's slice is over. */
static struct timer slice_timer[MAX_CPUS];

static void rq_push(struct run_queue *rq, struct thread *t)
{
	t->next = NULL;
	t->prev = rq->tail;
	if (rq->tail != NULL) {
		rq->tail->next = t;
	} else {
		rq->head = t;
	}
	rq->tail = t;
	__atomic_store_n(&rq->length, rq->length + 1, __ATOMIC_RELAXED);
}

static struct thread *rq_pop(struct run_queue *rq)
{
	struct thread *t = rq->head;

	if (t != NULL) {
		rq->head = t->next;
		if (rq->head != NULL) {
			rq->head->prev = NULL;
		} else {
			rq->tail = NULL;
		}
		__atomic_store_n(&rq->length, rq->length - 1, __ATOMIC_RELAXED);
	}
	return t;
}

struct thread *thread_current(void)
{
	return this_cpu()->current;
}

static void slice_over(struct timer *timer)
{
	(void)timer;
	this_cpu()->need_resched = 1;
}

void sched_init_cpu(struct cpu *cpu, struct thread *idle)
{
	memset(idle, 0, sizeof(*idle));
	idle->name = "idle";
	idle->affinity = BIT64(cpu->id);
	idle->cpu = cpu->id;
	idle->state = THREAD_RUNNING;
	idle->on_cpu = 1;
	cpu->idle = idle;
	cpu->slice_end = UINT64_MAX;
	cpu->current = idle;
	slice_timer[cpu->id].fn = slice_over;
}

/* The slice of the thread that runs now starts, if another one waits. */
static void slice_update(struct cpu *c)
{
	bool contended = c->rq.length != 0 && c->current != c->idle;

	if (contended && c->slice_end == UINT64_MAX) {
		c->slice_end = time_now() + SCHED_SLICE_NS;
		timer_arm(&slice_timer[c->id], c->slice_end);
	} else if (!contended && c->slice_end != UINT64_MAX) {
		c->slice_end = UINT64_MAX;
		timer_cancel(&slice_timer[c->id]);
	}
}

void sched_finish_switch(void)
{
	struct cpu *c = this_cpu();

	/* From here on another core may pick the departed thread up. */
	__atomic_store_n(&c->departed->on_cpu, 0, __ATOMIC_RELEASE);
}

/* Interrupts off, the run queue's lock held; it is released before the switch. */
static void switch_locked(struct cpu *c)
{
	struct thread *prev = c->current;
	struct thread *next;

	c->need_resched = 0;
	if (prev->state == THREAD_RUNNING && prev != c->idle) {
		prev->state = THREAD_READY;
		rq_push(&c->rq, prev);
	}
	next = rq_pop(&c->rq);
	if (next == NULL) {
		next = c->idle;
	}
	next->state = THREAD_RUNNING;
	next->cpu = c->id;
	next->on_cpu = 1;
	__atomic_store_n(&c->current, next, __ATOMIC_RELAXED);
	c->slice_end = UINT64_MAX;
	slice_update(c);
	spin_unlock(&c->rq.lock);

	if (next != prev) {
		c->departed = prev;
		vcpu_switch(c, next->vcpu);
		arch_context_switch(&prev->ctx, &next->ctx);
		sched_finish_switch();
	}
}

void sched_preempt(void)
{
	struct cpu *c = this_cpu();

	spin_lock(&c->rq.lock);
	if (c->rq.length != 0 && (c->current == c->idle || time_now() >= c->slice_end)) {
		switch_locked(c);
		return;
	}
	c->need_resched = 0;
	slice_update(c);
	spin_unlock(&c->rq.lock);
	/* Others may have come to want the core: a WFI has to let them have it. */
	vcpu_switch(c, c->current->vcpu);
}

bool sched_is_contended(void)
{
	return __atomic_load_n(&this_cpu()->rq.length, __ATOMIC_RELAXED) != 0;
}

void thread_yield(void)
{
	uint64_t flags = arch_irq_save();
	struct cpu *c = this_cpu();

	spin_lock(&c->rq.lock);
	switch_locked(c);
	arch_irq_restore(flags);
}

void thread_block(void)
{
	uint64_t flags = arch_irq_save();
	struct cpu *c = this_cpu();
	struct thread *t = c->current;

	spin_lock(&c->rq.lock);
	if (t->wake_pending != 0) {
		t->wake_pending = 0;
		spin_unlock(&c->rq.lock);
	} else {
		t->state = THREAD_BLOCKED;
		switch_locked(c);
	}
	arch_irq_restore(flags);
}

static bool cpu_is_idle(const struct cpu *c)
{
	return __atomic_load_n(&c->current, __ATOMIC_RELAXED) == c->idle &&
	       __atomic_load_n(&c->rq.length, __ATOMIC_RELAXED) == 0;
}

static bool cpu_is_allowed(const struct thread *t, uint32_t cpu)
{
	return (t->affinity & BIT64(cpu)) != 0 &&
	       __atomic_load_n(&cpus[cpu].online, __ATOMIC_ACQUIRE) != 0;
}

/* Where a thread that is woken should run.  What it reads of other cores is a hint. */
static uint32_t choose_cpu(const struct thread *t)
{
	uint32_t best = t->cpu;
	uint32_t best_length = UINT32_MAX;

	if (__atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE) != 0) {
		return t->cpu;
	}
	if (cpu_is_allowed(t, t->cpu)) {
		if (cpu_is_idle(&cpus[t->cpu])) {
			return t->cpu;
		}
		best_length = cpus[t->cpu].rq.length;
	}
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (!cpu_is_allowed(t, i)) {
			continue;
		}
		if (cpu_is_idle(&cpus[i])) {
			return i;
		}
		if (cpus[i].rq.length < best_length) {
			best = i;
			best_length = cpus[i].rq.length;
		}
	}
	return best;
}

/*
 * A thread was woken by the one that runs on this core, e.g. by an SGI of its guest: no
 * interrupt follows that would look at need_resched, and the guest may wait for the other
 * one with interrupts off, or by a WFI.  So its slice begins, and its WFI traps, at once.
 */
static void now_contended(struct cpu *c)
{
	slice_update(c);
	/* Within vcpu_switch() neither is loaded; that sees the queue itself. */
	if (c->loaded != NULL && c->loaded == c->current->vcpu) {
		arch_vcpu_trap_idle(c->loaded, true);
	}
}

void thread_wake(struct thread *t)
{
	uint64_t flags = arch_irq_save();
	struct cpu *self = this_cpu();
	struct cpu *home;
	uint32_t target;

	/* t->cpu changes only under the lock of the core it names. */
	for (;;) {
		home = &cpus[__atomic_load_n(&t->cpu, __ATOMIC_RELAXED)];
		spin_lock(&home->rq.lock);
		if (t->cpu == home->id) {
			break;
		}
		spin_unlock(&home->rq.lock);
	}
	if (t->state != THREAD_BLOCKED) {
		t->wake_pending = 1;
		spin_unlock(&home->rq.lock);
		arch_irq_restore(flags);
		return;
	}
	target = choose_cpu(t);
	t->state = THREAD_READY;
	if (target != home->id) {
		/* READY and in no queue: a second wake only sets wake_pending. */
		__atomic_store_n(&t->cpu, target, __ATOMIC_RELAXED);
		spin_unlock(&home->rq.lock);
		home = &cpus[target];
		spin_lock(&home->rq.lock);
	}
	rq_push(&home->rq, t);
	home->need_resched = 1;
	if (home == self) {
		now_contended(self);
	}
	spin_unlock(&home->rq.lock);
	if (home != self) {
		host_irqchip.ops->send_ipi(home->id, IPI_KICK);
	}
	arch_irq_restore(flags);
}

int thread_init(struct thread *t, const char *name, uint64_t affinity, void (*fn)(void *arg),
		void *arg)
{
	uint64_t present = cpu_count >= 64 ? UINT64_MAX : BIT64(cpu_count) - 1;

	if ((affinity & present) == 0) {
		return -EINVAL;
	}
	memset(t, 0, sizeof(*t));
	t->name = name;
	t->affinity = affinity & present;
	t->cpu = (uint32_t)__builtin_ctzll(t->affinity);
	t->state = THREAD_BLOCKED;
	t->stack = stack_alloc();
	if (t->stack == NULL) {
		return -ENOMEM;
	}
	arch_context_init(&t->ctx, t->stack + THREAD_STACK_SIZE - ARCH_STACK_RESERVE, fn, arg);
	return 0;
}

bool thread_is_parked(const struct thread *t)
{
	return t->state == THREAD_BLOCKED && __atomic_load_n(&t->on_cpu, __ATOMIC_ACQUIRE) == 0;
}

void thread_destroy(struct thread *t)
{
	BUG_ON(!thread_is_parked(t));
	stack_free(t->stack);
	t->stack = NULL;
}

struct sleeper {
	struct timer timer;
	struct thread *thread;
};

static void sleeper_wake(struct timer *timer)
{
	thread_wake(container_of(timer, struct sleeper, timer)->thread);
}

void thread_sleep(uint64_t ns)
{
	struct sleeper s = { .timer.fn = sleeper_wake, .thread = thread_current() };
	uint64_t end = time_now() + ns;

	while (time_now() < end) {
		timer_arm(&s.timer, end);
		thread_block();
		timer_cancel(&s.timer);
	}
}

void sched_idle(void)
{
	/* A core comes here from its boot code, which runs with interrupts off. */
	arch_irq_enable();
	for (;;) {
		uint64_t flags = arch_irq_save();
		struct cpu *c = this_cpu();

		if (c->need_resched != 0 || c->rq.length != 0) {
			sched_preempt();
		} else {
			arch_idle();
		}
		arch_irq_restore(flags);
	}
}
