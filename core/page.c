/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners of page frames, and the buddy allocator; see hv/page.h.
 *
 * A bank is covered by disjoint blocks of 2^order frames, naturally aligned by physical
 * address; frames in no block are OWNER_RESERVED.  A bitmap tells which frames are the
 * first of a block; only those have a valid struct frame.  So nothing has to be written
 * for the frames inside a block, and a bank needs no set-up beyond its bitmap.
 *
 * The bookkeeping is kept apart from the frames it describes: stray DMA of a guest's
 * device into memory it has just lost cannot break the lists.
 */
#include <errno.h>
#include <hv/arch_mm.h>
#include <hv/bitmap.h>
#include <hv/bug.h>
#include <hv/page.h>
#include <hv/spinlock.h>
#include <string.h>

#define NO_FRAME    UINT32_MAX
#define ORDERS	    (PAGE_MAX_ORDER + 1)
#define OWNER_COUNT OWNER_VM(MAX_VMS)
#define MAX_PFN	    (UINT64_C(1) << (48 - PAGE_SHIFT))

/* Blocks handled while the lock is held, where there may be any number of them. */
#define STEP_BLOCKS 64

/* Of the first frame of a block. */
struct frame {
	uint32_t next; /* in the free list of its order: index in the bank, or NO_FRAME */
	uint32_t prev;
	owner_t owner;
	uint8_t order;
	uint8_t home; /* owner it goes back to: FREE, ASIDE or RESERVED */
};

struct bank {
	uint64_t first; /* frame number (address / PAGE_SIZE) */
	uint64_t count; /* below NO_FRAME */
	struct frame *frames;
	uint64_t *heads;      /* bit set: first frame of a block */
	uint32_t free_orders; /* bit set: the list is not empty */
	uint32_t free_list[ORDERS];
};

static struct {
	struct spinlock lock; /* guards all of it */
	uint32_t bank_count;
	struct bank bank[PAGE_MAX_BANKS];
	uint64_t owned[OWNER_COUNT]; /* frames, by owner; [OWNER_RESERVED] likewise */
} pages;

/* ---- one block; indices are relative to the bank ---- */

static uint64_t order_size(unsigned order)
{
	return UINT64_C(1) << order;
}

static void list_insert(struct bank *b, uint64_t i)
{
	struct frame *f = &b->frames[i];
	uint32_t *head = &b->free_list[f->order];

	f->prev = NO_FRAME;
	f->next = *head;
	if (*head != NO_FRAME) {
		b->frames[*head].prev = (uint32_t)i;
	}
	*head = (uint32_t)i;
	b->free_orders |= BIT32(f->order);
}

static void list_remove(struct bank *b, uint64_t i)
{
	struct frame *f = &b->frames[i];

	if (f->next != NO_FRAME) {
		b->frames[f->next].prev = f->prev;
	}
	if (f->prev != NO_FRAME) {
		b->frames[f->prev].next = f->next;
	} else {
		b->free_list[f->order] = f->next;
		if (f->next == NO_FRAME) {
			b->free_orders &= ~BIT32(f->order);
		}
	}
}

static void block_create(struct bank *b, uint64_t i, unsigned order, owner_t owner, owner_t home)
{
	struct frame *f = &b->frames[i];

	bitmap_set(b->heads, i);
	f->order = (uint8_t)order;
	f->owner = owner;
	f->home = (uint8_t)home;
	pages.owned[owner] += order_size(order);
	if (owner == OWNER_FREE) {
		list_insert(b, i);
	}
}

/* The frames are in no block afterwards. */
static void block_remove(struct bank *b, uint64_t i)
{
	struct frame *f = &b->frames[i];

	if (f->owner == OWNER_FREE) {
		list_remove(b, i);
	}
	bitmap_clear(b->heads, i);
	pages.owned[f->owner] -= order_size(f->order);
}

/*
 * First frame of the block that frame i is in; false if it is in none.  A block
 * starts at its frames' number with some low bits cleared, and the first start found by
 * clearing more and more of them decides: a larger block around it would overlap it.
 */
static bool block_find(const struct bank *b, uint64_t i, uint64_t *head)
{
	uint64_t pfn = b->first + i;

	for (unsigned order = 0; order < ORDERS; order++) {
		uint64_t base = ALIGN_DOWN(pfn, order_size(order));

		if (base < b->first) {
			return false;
		}
		if (bitmap_test(b->heads, base - b->first)) {
			*head = base - b->first;
			return pfn - base < order_size(b->frames[*head].order);
		}
	}
	return false;
}

/* Cuts the block at `head` until one starts at i and does not reach past `end`. */
static void block_isolate(struct bank *b, uint64_t head, uint64_t i, uint64_t end)
{
	for (;;) {
		struct frame f = b->frames[head];
		uint64_t half = order_size(f.order) / 2;

		if (head == i && i + order_size(f.order) <= end) {
			return;
		}
		block_remove(b, head);
		block_create(b, head, f.order - 1U, f.owner, f.home);
		block_create(b, head + half, f.order - 1U, f.owner, f.home);
		head = i >= head + half ? head + half : head;
	}
}

/* Makes a block of spare frames (FREE or ASIDE), together with its buddies. */
static void block_settle(struct bank *b, uint64_t i, unsigned order, owner_t home)
{
	for (; order < PAGE_MAX_ORDER; order++) {
		uint64_t pfn = b->first + i;
		uint64_t buddy = pfn ^ order_size(order);
		uint64_t k = buddy - b->first;

		if (buddy < b->first || k >= b->count || !bitmap_test(b->heads, k) ||
		    b->frames[k].order != order || b->frames[k].owner != home) {
			break;
		}
		block_remove(b, k);
		i = MIN(i, k);
	}
	block_create(b, i, order, home, home);
}

/*
 * The largest block of frames that are in none yet, from i on and not past `end`.
 * Frame i itself is in none.
 */
static unsigned block_fit(const struct bank *b, uint64_t i, uint64_t end)
{
	uint64_t limit = MIN(end, i + order_size(PAGE_MAX_ORDER));
	unsigned order = 0;

	limit = bitmap_find_set(b->heads, limit, i);
	while (order < PAGE_MAX_ORDER && IS_ALIGNED(b->first + i, order_size(order + 1)) &&
	       i + order_size(order + 1) <= limit) {
		order++;
	}
	return order;
}

/* ---- ranges; frame numbers ---- */

static struct bank *bank_find(uint64_t pfn)
{
	for (uint32_t n = 0; n < pages.bank_count; n++) {
		struct bank *b = &pages.bank[n];

		if (pfn - b->first < b->count) {
			return b;
		}
	}
	return NULL;
}

/* Who owns frame pfn, and up to where (exclusive) the same holds without looking again. */
static owner_t owner_at(uint64_t pfn, uint64_t *end)
{
	struct bank *b = bank_find(pfn);
	uint64_t head;

	*end = pfn + 1;
	if (b == NULL) {
		return OWNER_NONE;
	}
	if (!block_find(b, pfn - b->first, &head)) {
		uint64_t bits = MIN(b->count, pfn - b->first + order_size(PAGE_MAX_ORDER));

		*end = b->first + bitmap_find_set(b->heads, bits, pfn - b->first);
		return OWNER_RESERVED;
	}
	*end = b->first + head + order_size(b->frames[head].order);
	return b->frames[head].owner;
}

static bool range_ok(hpa_t start, uint64_t size)
{
	return IS_ALIGNED(start.a, PAGE_SIZE) && IS_ALIGNED(size, PAGE_SIZE) &&
	       range_within(start.a, size, 0, MAX_PFN * PAGE_SIZE);
}

static bool may_own(owner_t owner)
{
	return owner >= OWNER_HV && owner < OWNER_COUNT;
}

/* Are all frames owned by a or b? */
static bool range_is(uint64_t pfn, uint64_t end, owner_t a, owner_t b, struct page_conflict *why)
{
	while (pfn < end) {
		uint64_t next;
		owner_t owner = owner_at(pfn, &next);

		if (owner != a && owner != b) {
			if (why != NULL) {
				why->frame = hpa(pfn * PAGE_SIZE);
				why->owner = owner;
			}
			return false;
		}
		pfn = next;
	}
	return true;
}

/* Frames that are FREE or ASIDE get another owner; new blocks know where they came from. */
static void range_take(uint64_t pfn, uint64_t end, owner_t owner)
{
	while (pfn < end) {
		struct bank *b = bank_find(pfn);
		uint64_t i = pfn - b->first;
		uint64_t head = i;
		unsigned order;
		owner_t home;

		BUG_ON(!block_find(b, i, &head));
		block_isolate(b, head, i, MIN(end - b->first, b->count));
		order = b->frames[i].order;
		home = owner == OWNER_ASIDE ? OWNER_ASIDE : b->frames[i].home;
		block_remove(b, i);
		if (owner == OWNER_ASIDE) {
			block_settle(b, i, order, home);
		} else {
			block_create(b, i, order, owner, home);
		}
		pfn += order_size(order);
	}
}

/* Frames that are RESERVED get an owner. */
static void range_claim(uint64_t pfn, uint64_t end, owner_t owner)
{
	while (pfn < end) {
		struct bank *b = bank_find(pfn);
		uint64_t i = pfn - b->first;
		unsigned order = block_fit(b, i, MIN(end - b->first, b->count));

		pages.owned[OWNER_RESERVED] -= order_size(order);
		if (owner == OWNER_FREE) {
			block_settle(b, i, order, OWNER_FREE);
		} else {
			block_create(b, i, order, owner, OWNER_RESERVED);
		}
		pfn += order_size(order);
	}
}

/* Owned frames go home, a limited number of blocks; returns how far it came. */
static uint64_t range_release(uint64_t pfn, uint64_t end, owner_t expected)
{
	for (unsigned n = 0; pfn < end && n < STEP_BLOCKS; n++) {
		struct bank *b = bank_find(pfn);
		uint64_t i;
		uint64_t head;
		unsigned order;
		owner_t home;

		BUG_ON(b == NULL);
		i = pfn - b->first;
		BUG_ON(!block_find(b, i, &head) || b->frames[head].owner != expected);
		block_isolate(b, head, i, MIN(end - b->first, b->count));
		order = b->frames[i].order;
		home = b->frames[i].home;
		block_remove(b, i);
		if (home == OWNER_RESERVED) {
			pages.owned[OWNER_RESERVED] += order_size(order);
		} else {
			block_settle(b, i, order, home);
		}
		pfn += order_size(order);
	}
	return pfn;
}

/* ---- the interface ---- */

void page_reset(void)
{
	memset(&pages, 0, sizeof(pages));
}

uint64_t page_meta_size(uint64_t bank_size)
{
	uint64_t count = bank_size / PAGE_SIZE;

	return ALIGN_UP(count * sizeof(struct frame) + BITMAP_WORDS(count) * sizeof(uint64_t),
			PAGE_SIZE);
}

int page_init_bank(hpa_t start, uint64_t size, hpa_t meta)
{
	uint64_t first = start.a / PAGE_SIZE;
	uint64_t count = size / PAGE_SIZE;
	uint64_t meta_size = page_meta_size(size);
	struct bank *b = &pages.bank[pages.bank_count];

	if (!range_ok(start, size) || count == 0 || count >= NO_FRAME ||
	    !range_ok(meta, meta_size)) {
		return -EINVAL;
	}
	if (pages.bank_count == PAGE_MAX_BANKS) {
		return -ENOSPC;
	}
	for (uint32_t n = 0; n < pages.bank_count; n++) {
		if (ranges_overlap(first, count, pages.bank[n].first, pages.bank[n].count)) {
			return -EINVAL;
		}
	}
	b->first = first;
	b->count = count;
	/* The bitmap first: it needs the larger alignment. */
	b->heads = hpa_to_ptr(meta);
	b->frames = (struct frame *)(void *)(b->heads + BITMAP_WORDS(count));
	memset(b->heads, 0, BITMAP_WORDS(count) * sizeof(uint64_t));
	b->free_orders = 0;
	for (unsigned order = 0; order < ORDERS; order++) {
		b->free_list[order] = NO_FRAME;
	}
	pages.owned[OWNER_RESERVED] += count;
	pages.bank_count++;
	if (range_within(meta.a, meta_size, start.a, size)) {
		range_claim(meta.a / PAGE_SIZE, (meta.a + meta_size) / PAGE_SIZE, OWNER_HV);
	}
	return 0;
}

/* As high as it fits into the bank, else anywhere; usable ranges are whole pages. */
static bool find_meta(const struct rangeset *usable, const struct range *bank, uint64_t size,
		      uint64_t *at)
{
	for (uint32_t i = usable->count; i > 0; i--) {
		const struct range *r = &usable->range[i - 1];
		uint64_t lo = MAX(r->start, bank->start);
		uint64_t hi = MIN(r->start + r->size, bank->start + bank->size);

		if (lo < hi && hi - lo >= size) {
			*at = hi - size;
			return true;
		}
	}
	return rangeset_find_fit(usable, 0, 0, size, PAGE_SIZE, at) == 0;
}

/* The whole pages in a range of memory below 2^48. */
static struct range whole_pages(const struct range *r)
{
	struct range out = *r;

	out.start = ALIGN_UP(r->start, PAGE_SIZE);
	out.size = ALIGN_DOWN(r->start + r->size, PAGE_SIZE);
	out.size = out.size > out.start ? out.size - out.start : 0;
	return out;
}

/* Shrinks every range to whole pages; those without one go. */
static void usable_round(struct rangeset *usable)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < usable->count; i++) {
		struct range r = whole_pages(&usable->range[i]);

		if (r.size != 0) {
			usable->range[n++] = r;
		}
	}
	usable->count = n;
}

int page_init(const struct rangeset *banks, struct rangeset *usable)
{
	uint64_t at;
	int ret;

	for (uint32_t i = 0; i < usable->count; i++) {
		if (!rangeset_contains(banks, usable->range[i].start, usable->range[i].size)) {
			return -EINVAL;
		}
	}
	for (uint32_t i = 0; i < banks->count; i++) {
		if (!range_within(banks->range[i].start, banks->range[i].size, 0,
				  MAX_PFN * PAGE_SIZE)) {
			return -EINVAL;
		}
	}
	page_reset();
	usable_round(usable);
	for (uint32_t i = 0; i < banks->count; i++) {
		struct range bank = whole_pages(&banks->range[i]);
		uint64_t size = page_meta_size(bank.size);

		if (bank.size == 0) {
			continue;
		}
		if (!find_meta(usable, &bank, size, &at)) {
			return -ENOMEM;
		}
		ret = rangeset_subtract(usable, at, size);
		if (ret == 0) {
			ret = page_init_bank(hpa(bank.start), bank.size, hpa(at));
		}
		if (ret != 0) {
			return ret;
		}
	}
	for (uint32_t i = 0; i < usable->count; i++) {
		page_give(hpa(usable->range[i].start), usable->range[i].size);
	}
	return 0;
}

void page_give(hpa_t start, uint64_t size)
{
	uint64_t pfn = start.a / PAGE_SIZE;
	uint64_t end = pfn + size / PAGE_SIZE;
	uint64_t flags;

	BUG_ON(!range_ok(start, size));
	flags = spin_lock_irqsave(&pages.lock);
	BUG_ON(!range_is(pfn, end, OWNER_RESERVED, OWNER_RESERVED, NULL));
	range_claim(pfn, end, OWNER_FREE);
	spin_unlock_irqrestore(&pages.lock, flags);
}

/* The bank whose smallest block of at least this order is the smallest of all. */
static struct bank *bank_with(unsigned order)
{
	struct bank *best = NULL;
	uint32_t best_bits = 0;

	for (uint32_t n = 0; n < pages.bank_count; n++) {
		uint32_t bits = pages.bank[n].free_orders >> order;

		bits &= -bits;
		if (bits != 0 && (best == NULL || bits < best_bits)) {
			best = &pages.bank[n];
			best_bits = bits;
		}
	}
	return best;
}

int page_alloc(owner_t owner, unsigned order, hpa_t *out)
{
	struct bank *b;
	uint64_t flags;

	if (order > PAGE_MAX_ORDER || !may_own(owner)) {
		return -EINVAL;
	}
	flags = spin_lock_irqsave(&pages.lock);
	b = bank_with(order);
	if (b != NULL) {
		uint32_t bits = b->free_orders >> order << order;
		uint64_t i = b->free_list[__builtin_ctz(bits)];

		block_isolate(b, i, i, i + order_size(order));
		block_remove(b, i);
		block_create(b, i, order, owner, OWNER_FREE);
		*out = hpa((b->first + i) * PAGE_SIZE);
	}
	spin_unlock_irqrestore(&pages.lock, flags);
	return b != NULL ? 0 : -ENOMEM;
}

/*
 * Checks a range of one or two present owners, then gives it a new one.  Spare frames
 * and reserved ones lie in blocks (or gaps) as large as can be, so there are few steps.
 */
static int range_change(hpa_t start, uint64_t size, owner_t a, owner_t b, owner_t to,
			struct page_conflict *why)
{
	uint64_t pfn = start.a / PAGE_SIZE;
	uint64_t end = pfn + size / PAGE_SIZE;
	uint64_t flags;
	int ret = 0;

	if (!range_ok(start, size)) {
		return -EINVAL;
	}
	flags = spin_lock_irqsave(&pages.lock);
	if (!range_is(pfn, end, a, b, why)) {
		ret = -EBUSY;
	} else if (a == OWNER_RESERVED) {
		range_claim(pfn, end, to);
	} else {
		range_take(pfn, end, to);
	}
	spin_unlock_irqrestore(&pages.lock, flags);
	return ret;
}

int page_alloc_range(owner_t owner, hpa_t start, uint64_t size, struct page_conflict *why)
{
	if (!may_own(owner)) {
		return -EINVAL;
	}
	return range_change(start, size, OWNER_FREE, OWNER_ASIDE, owner, why);
}

int page_set_aside(hpa_t start, uint64_t size, struct page_conflict *why)
{
	return range_change(start, size, OWNER_FREE, OWNER_ASIDE, OWNER_ASIDE, why);
}

int page_claim_reserved(owner_t owner, hpa_t start, uint64_t size, struct page_conflict *why)
{
	if (!may_own(owner)) {
		return -EINVAL;
	}
	return range_change(start, size, OWNER_RESERVED, OWNER_RESERVED, owner, why);
}

void page_free(owner_t expected, hpa_t start, unsigned order)
{
	BUG_ON(order > PAGE_MAX_ORDER);
	page_free_range(expected, start, order_size(order) * PAGE_SIZE);
}

void page_free_range(owner_t expected, hpa_t start, uint64_t size)
{
	uint64_t pfn = start.a / PAGE_SIZE;
	uint64_t end = pfn + size / PAGE_SIZE;

	BUG_ON(!range_ok(start, size) || !may_own(expected));
	while (pfn < end) {
		uint64_t flags = spin_lock_irqsave(&pages.lock);

		pfn = range_release(pfn, end, expected);
		spin_unlock_irqrestore(&pages.lock, flags);
	}
}

owner_t page_owner(hpa_t frame)
{
	uint64_t flags = spin_lock_irqsave(&pages.lock);
	uint64_t end;
	owner_t owner = owner_at(frame.a / PAGE_SIZE, &end);

	spin_unlock_irqrestore(&pages.lock, flags);
	return owner;
}

bool page_range_owned(owner_t owner, hpa_t start, uint64_t size, struct page_conflict *why)
{
	uint64_t pfn = start.a / PAGE_SIZE;
	uint64_t end = pfn + size / PAGE_SIZE;
	bool ok = range_ok(start, size);

	if (!ok && why != NULL) {
		why->frame = start;
		why->owner = OWNER_NONE;
	}
	while (ok && pfn < end) {
		uint64_t flags = spin_lock_irqsave(&pages.lock);

		for (unsigned n = 0; ok && pfn < end && n < STEP_BLOCKS; n++) {
			uint64_t next;

			(void)owner_at(pfn, &next);
			ok = range_is(pfn, MIN(next, end), owner, owner, why);
			pfn = next;
		}
		spin_unlock_irqrestore(&pages.lock, flags);
	}
	return ok;
}

bool page_find_ram(hpa_t start, uint64_t size, struct page_conflict *why)
{
	uint64_t first = start.a / PAGE_SIZE;
	uint64_t end = first + size / PAGE_SIZE;
	uint64_t found = UINT64_MAX;

	/* What wraps or is no page is refused elsewhere; here it must not hide RAM. */
	if (!range_ok(start, size)) {
		end = MAX_PFN;
	}
	for (uint32_t n = 0; n < pages.bank_count; n++) {
		const struct bank *b = &pages.bank[n];

		if (first < b->first + b->count && end > b->first) {
			found = MIN(found, MAX(first, b->first));
		}
	}
	if (found >= end) {
		return false;
	}
	if (why != NULL) {
		why->frame = hpa(found * PAGE_SIZE);
		why->owner = page_owner(why->frame);
	}
	return true;
}

uint64_t page_owner_count(owner_t owner)
{
	uint64_t flags;
	uint64_t n;

	if (owner >= OWNER_COUNT) {
		return 0;
	}
	flags = spin_lock_irqsave(&pages.lock);
	n = pages.owned[owner];
	spin_unlock_irqrestore(&pages.lock, flags);
	return n;
}

uint64_t page_free_count(void)
{
	return page_owner_count(OWNER_FREE);
}

bool page_bank(unsigned i, hpa_t *start, uint64_t *size)
{
	if (i >= pages.bank_count) {
		return false;
	}
	*start = hpa(pages.bank[i].first * PAGE_SIZE);
	*size = pages.bank[i].count * PAGE_SIZE;
	return true;
}

const char *page_owner_name(owner_t owner)
{
	switch (owner) {
	case OWNER_RESERVED:
		return "reserved";
	case OWNER_FREE:
		return "free";
	case OWNER_ASIDE:
		return "set aside";
	case OWNER_HV:
		return "the hypervisor";
	case OWNER_NONE:
		return "not RAM";
	default:
		return "a VM";
	}
}
