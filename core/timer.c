/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Soft timers: a sorted list for each core over its hardware timer.
 *
 * A list is enough: a VM has a timer for each vCPU and one for its clock, so there are
 * some hundred at the very most, and a new one is usually due last or first.
 */
#include <hv/arch_cpu.h>
#include <hv/cpu.h>
#include <hv/spinlock.h>
#include <hv/timer.h>

struct timer_queue {
	struct spinlock lock;	/* guards all of it, and the timers in it */
	struct timer *head;	/* due first */
	struct timer *tail;	/* due last */
	struct timer *running;	/* whose fn runs on this core */
	uint64_t running_since; /* the `now` that decided what is due, while running */
};

static struct timer_queue queues[MAX_CPUS];

uint64_t time_now(void)
{
	return arch_time_ns();
}

/* Lock held. */
static void queue_insert(struct timer_queue *q, struct timer *t)
{
	struct timer *after = q->tail;

	while (after != NULL && after->deadline > t->deadline) {
		after = after->prev;
	}
	t->prev = after;
	t->next = after != NULL ? after->next : q->head;
	if (t->next != NULL) {
		t->next->prev = t;
	} else {
		q->tail = t;
	}
	if (after != NULL) {
		after->next = t;
	} else {
		q->head = t;
	}
	t->home = (uint32_t)(q - queues) + 1;
	__atomic_store_n(&t->armed, true, __ATOMIC_RELAXED);
}

/* Lock held. */
static void queue_remove(struct timer_queue *q, struct timer *t)
{
	if (t->prev != NULL) {
		t->prev->next = t->next;
	} else {
		q->head = t->next;
	}
	if (t->next != NULL) {
		t->next->prev = t->prev;
	} else {
		q->tail = t->prev;
	}
	t->next = NULL;
	t->prev = NULL;
	__atomic_store_n(&t->armed, false, __ATOMIC_RELAXED);
}

static uint64_t queue_deadline(const struct timer_queue *q)
{
	return q->head != NULL ? q->head->deadline : TIMER_NEVER;
}

/*
 * Takes t out of its queue, if it is in one, and returns that queue, locked; NULL for
 * a timer that was never armed.  Another core's hardware timer stays set: it will find
 * nothing to do.  Interrupts masked.
 */
static struct timer_queue *timer_detach(struct timer *t)
{
	struct timer_queue *q;

	if (t->home == 0) {
		return NULL;
	}
	q = &queues[t->home - 1];
	spin_lock(&q->lock);
	if (t->armed) {
		bool was_head = q->head == t;

		queue_remove(q, t);
		if (was_head && q == &queues[this_cpu()->id]) {
			arch_timer_set(queue_deadline(q));
		}
	}
	return q;
}

void timer_arm(struct timer *t, uint64_t deadline)
{
	uint64_t flags = arch_irq_save();
	struct timer_queue *own = &queues[this_cpu()->id];
	struct timer_queue *q = timer_detach(t);

	/* While fn runs, the timer stays with that core: timer_cancel() looks there. */
	if (q != NULL && q != own && q->running != t) {
		spin_unlock(&q->lock);
		q = NULL;
	}
	if (q == NULL) {
		q = own;
		spin_lock(&q->lock);
	}
	if (deadline != TIMER_NEVER) {
		/* What is armed while the due ones are called waits for the next round. */
		if (q->running != NULL && deadline <= q->running_since) {
			deadline = q->running_since + 1;
		}
		t->deadline = deadline;
		queue_insert(q, t);
		if (q->head == t && q == own) {
			arch_timer_set(deadline);
		}
	}
	spin_unlock(&q->lock);
	arch_irq_restore(flags);
}

void timer_disarm(struct timer *t)
{
	timer_arm(t, TIMER_NEVER);
}

void timer_cancel(struct timer *t)
{
	uint64_t flags = arch_irq_save();
	struct timer_queue *q = timer_detach(t);

	while (q != NULL && q->running == t && q != &queues[this_cpu()->id]) {
		spin_unlock(&q->lock);
		arch_cpu_relax();
		q = timer_detach(t);
	}
	if (q != NULL) {
		spin_unlock(&q->lock);
	}
	arch_irq_restore(flags);
}

bool timer_is_armed(const struct timer *t)
{
	return __atomic_load_n(&t->armed, __ATOMIC_RELAXED);
}

void timer_run_expired(void)
{
	struct timer_queue *q = &queues[this_cpu()->id];
	uint64_t now = time_now();

	spin_lock(&q->lock);
	q->running_since = now;
	while (q->head != NULL && q->head->deadline <= now) {
		struct timer *t = q->head;

		queue_remove(q, t);
		q->running = t;
		spin_unlock(&q->lock);
		t->fn(t); /* t may be gone after this */
		spin_lock(&q->lock);
		q->running = NULL;
	}
	arch_timer_set(queue_deadline(q));
	spin_unlock(&q->lock);
}
