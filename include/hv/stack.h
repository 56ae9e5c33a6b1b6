/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread stacks, each with an unmapped guard page below and above: they live in a
 * window of virtual addresses of their own, so that an overflow faults instead of
 * writing into a neighbour.
 */
#ifndef HV_STACK_H
#define HV_STACK_H

#include <hv/types.h>

/* Lowest usable byte of a THREAD_STACK_SIZE stack; NULL: out of memory or of slots. */
uint8_t *stack_alloc(void);

/* Takes what stack_alloc() gave; nobody may be on it. */
void stack_free(const uint8_t *stack);

/* True when addr lies in a guard page: what a fault report says about an overflow. */
bool stack_is_guard(uint64_t addr);

#endif
