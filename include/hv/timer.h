/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time, and functions that are called at a time.
 *
 * One clock: nanoseconds since the machine's counter started (about power-on), the
 * same on all cores, never going back, good for 584 years.  Each core has a queue of
 * timers over its hardware timer; a timer fires on the core that armed it.
 *
 * A struct timer is zero but for fn to begin with, and is embedded in what it belongs
 * to.  Who owns a timer sees to it that not two cores arm or cancel it at once
 * (usually by a lock); the queue itself may fire it at any moment.
 *
 * Locks: one a queue, taken inside with interrupts off, and innermost.  fn runs with
 * interrupts masked and no lock held, so it may take its owner's lock and arm any
 * timer, itself too.  It should check that its time has come: a timer that is armed
 * anew while fn is about to run is called for the old time as well.
 */
#ifndef HV_TIMER_H
#define HV_TIMER_H

#include <hv/types.h>

#define TIMER_NEVER UINT64_MAX

struct timer {
	void (*fn)(struct timer *t);
	uint64_t deadline; /* ns */
	struct timer *next;
	struct timer *prev;
	uint32_t home; /* core + 1 whose queue it is or was in; 0: never armed */
	bool armed;    /* in its home's queue; written under the queue's lock */
};

/* Now, in ns: arch_time_ns(). */
uint64_t time_now(void);

/*
 * fn is to be called at `deadline` or soon after, at once if that is past; moves a
 * timer that is armed.  TIMER_NEVER cancels.  Costs a step for each timer of
 * this core that is due later.
 */
void timer_arm(struct timer *t, uint64_t deadline);

/*
 * fn will not be called any more.  If it runs on another core just now, waits for its
 * end: not with a lock held that fn takes.  May be called by fn itself.
 */
void timer_cancel(struct timer *t);

/*
 * As timer_cancel(), without waiting: fn may still be running or about to run on
 * another core.  With any lock held.
 */
void timer_disarm(struct timer *t);

/* Is it going to fire? */
bool timer_is_armed(const struct timer *t);

/* The hardware timer's interrupt: calls what is due on this core.  Interrupts masked. */
void timer_run_expired(void);

#endif
