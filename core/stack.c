/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stacks with guard pages.  Slot n of the window is one unmapped page followed by
 * THREAD_STACK_SIZE bytes; the first page of slot n+1 guards the upper end.
 */
#include <hv/bitmap.h>
#include <hv/bug.h>
#include <hv/hv_map.h>
#include <hv/page.h>
#include <hv/spinlock.h>
#include <hv/stack.h>
#include <hv/thread.h>

#include <string.h>

#define STACK_SLOTS	512
#define STACK_SLOT_SIZE (PAGE_SIZE + THREAD_STACK_SIZE)

static struct spinlock stack_lock;
static uint64_t stack_used[STACK_SLOTS / 64];

static int slot_take(void)
{
	int slot = -1;
	uint64_t flags = arch_irq_save();

	spin_lock(&stack_lock);
	for (uint32_t w = 0; w < ARRAY_SIZE(stack_used) && slot < 0; w++) {
		if (~stack_used[w] != 0) {
			int bit = __builtin_ctzll(~stack_used[w]);

			stack_used[w] |= BIT64(bit);
			slot = (int)w * 64 + bit;
		}
	}
	spin_unlock(&stack_lock);
	arch_irq_restore(flags);
	return slot;
}

static void slot_release(int slot)
{
	uint64_t flags = arch_irq_save();

	spin_lock(&stack_lock);
	stack_used[slot / 64] &= ~BIT64(slot % 64);
	spin_unlock(&stack_lock);
	arch_irq_restore(flags);
}

static uint64_t slot_base(int slot)
{
	return HV_STACK_WINDOW + (uint64_t)slot * STACK_SLOT_SIZE + PAGE_SIZE;
}

uint8_t *stack_alloc(void)
{
	unsigned order = (unsigned)__builtin_ctzll(THREAD_STACK_SIZE / PAGE_SIZE);
	int slot = slot_take();
	hpa_t frames;

	if (slot < 0) {
		return NULL;
	}
	if (page_alloc(OWNER_HV, order, &frames) != 0) {
		slot_release(slot);
		return NULL;
	}
	if (hv_map(slot_base(slot), frames, THREAD_STACK_SIZE, PT_R | PT_W) != 0) {
		page_free(OWNER_HV, frames, order);
		slot_release(slot);
		return NULL;
	}
	memset((void *)slot_base(slot), 0, THREAD_STACK_SIZE);
	return (uint8_t *)slot_base(slot);
}

void stack_free(const uint8_t *stack)
{
	unsigned order = (unsigned)__builtin_ctzll(THREAD_STACK_SIZE / PAGE_SIZE);
	uint64_t base = (uint64_t)stack;
	int slot = (int)((base - HV_STACK_WINDOW) / STACK_SLOT_SIZE);
	hpa_t frames;

	BUG_ON(slot < 0 || slot >= STACK_SLOTS || slot_base(slot) != base);
	BUG_ON(hv_translate(base, &frames) != 0);
	hv_unmap(base, THREAD_STACK_SIZE);
	page_free(OWNER_HV, frames, order);
	slot_release(slot);
}

bool stack_is_guard(uint64_t addr)
{
	return addr >= HV_STACK_WINDOW && addr < HV_STACK_WINDOW + STACK_SLOTS * STACK_SLOT_SIZE &&
	       (addr - HV_STACK_WINDOW) % STACK_SLOT_SIZE < PAGE_SIZE;
}
