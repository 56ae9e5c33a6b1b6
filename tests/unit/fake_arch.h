/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture that host tests run on: RAM is an arena, locks are taken alone,
 * TLB maintenance is recorded.
 */
#ifndef FAKE_ARCH_H
#define FAKE_ARCH_H

#include <hv/pt.h>
#include <hv/types.h>

/*
 * RAM at [base, base + size) of the host-physical space, filled with 0xa5; several
 * banks may be added.  fake_ram_reset() takes all away, and page_reset()s.
 */
#define FAKE_BANKS 8
void fake_ram_add(hpa_t base, uint64_t size);
void fake_ram_reset(void);

/* fake_ram_add(), a bank of it, and everything free but the bookkeeping. */
void fake_ram_simple(hpa_t base, uint64_t size);

/*
 * hv_panic() calls this, if it is set, and then abort()s: a test that wants to see a
 * BUG jumps out of it, e.g. by cmocka's mock_assert() in an expect_assert_failure().
 */
extern void (*fake_panic_hook)(const char *text);

/* What the table walker asked the architecture to do, in order. */
enum fake_tlb_op {
	FAKE_PUBLISH,
	FAKE_INVALIDATE,
};

struct fake_tlb_event {
	enum fake_tlb_op op;
	struct pt_inval inv; /* FAKE_INVALIDATE */
};

#define FAKE_TLB_EVENTS 64
extern struct fake_tlb_event fake_tlb[FAKE_TLB_EVENTS];
extern uint32_t fake_tlb_count; /* all events; only the first FAKE_TLB_EVENTS are kept */
void fake_tlb_reset(void);

/* Called inside each event, before it is over: what do the tables hold right now? */
extern void (*fake_tlb_hook)(struct pt *pt, enum fake_tlb_op op, const struct pt_inval *inv);

extern const struct pt_ops fake_pt_ops;

/*
 * What happens elsewhere while a loop waits (time passes, a device answers, another core
 * lets go); NULL: waiting is a panic.
 */
extern void (*fake_relax_hook)(void);

/* Interrupt masking as the code under test left it: 0 = enabled. */
extern uint64_t fake_irq_off;

/* Called when interrupts come on, if it is set: takes those that are pending. */
extern void (*fake_irq_hook)(void);

#endif
