/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's clock: Arm PrimeCell RTC PL031 r1p3 (DDI 0224).  Counts seconds of
 * time_now() from a value given at creation; time runs on while the VM is paused, and
 * a reset of the VM leaves the clock as it is, like one with a battery.
 */
#ifndef HV_PL031_H
#define HV_PL031_H

#include <hv/spinlock.h>
#include <hv/timer.h>
#include <hv/vdev.h>
#include <hv/vic.h>

#define PL031_SIZE 0x1000

struct pl031 {
	struct vdev dev;
	struct timer alarm;
	struct spinlock lock; /* guards what follows, and arming the alarm */
	struct virq irq;
	uint64_t epoch_ns; /* add to time_now(), mod 2^64: the clock in ns */
	uint64_t match_ns; /* time_now() of the next match; TIMER_NEVER until MR is written */
	uint32_t lr;
	uint32_t mr;
	uint32_t imsc;
	uint32_t ris;
};

/*
 * A clock that shows `seconds` (since 1970, by convention) now, its alarm at input
 * `irq` of `vic` (NULL: none).  The caller puts it on the bus.
 */
void pl031_init(struct pl031 *rtc, struct vm *vm, const char *name, uint32_t seconds,
		struct vic *vic, uint32_t irq);

#endif
