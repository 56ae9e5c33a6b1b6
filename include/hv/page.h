/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner of every page frame, and the allocator that hands frames out.
 *
 * RAM comes in banks.  Each frame of a bank has one owner; a frame outside every bank
 * has OWNER_NONE.  Free frames are kept as naturally aligned blocks of 2^order frames
 * (buddy allocator).  Owners are recorded per block, so giving, taking and asking cost
 * a number of steps that depends on the number of blocks, not of frames.
 *
 * A frame remembers where it came from: page_free() puts frames that were set aside
 * back aside, and claimed reserved ones back to OWNER_RESERVED.
 *
 * Memory is NOT zeroed.  Who hands a frame to a guest zeroes it first (core/vm.c, in
 * steps); page tables zero their own (core/pt.c).
 *
 * Locks: one, inside, taken with interrupts off; the innermost of all.  Addresses and
 * sizes are multiples of PAGE_SIZE everywhere: anything else is a BUG for functions
 * that return nothing and -EINVAL for the others.
 */
#ifndef HV_PAGE_H
#define HV_PAGE_H

#include <hv/rangeset.h>
#include <hv/types.h>

typedef uint16_t owner_t;

#define OWNER_RESERVED ((owner_t)0) /* firmware, DTB, /reserved-memory: not ours to give */
#define OWNER_FREE     ((owner_t)1)
#define OWNER_ASIDE    ((owner_t)2) /* kept for page_alloc_range() */
#define OWNER_HV       ((owner_t)3)
#define OWNER_VM(slot) ((owner_t)(16 + (slot))) /* slot below MAX_VMS */
#define OWNER_NONE     ((owner_t)UINT16_MAX)	/* in no bank */

#define PAGE_MAX_ORDER 18 /* 1 GiB */
#define PAGE_MAX_BANKS 32

/* The first frame that stood in the way, and whose it is. */
struct page_conflict {
	hpa_t frame;
	owner_t owner;
};

/*
 * At boot, before the first of the functions below: makes a bank of each range of
 * `banks` (all RAM), with its bookkeeping (0.3 % of the bank) taken from `usable`, and
 * gives all that is left of `usable` to the allocator.  Ranges are shrunk to whole
 * pages; `usable` is changed to what was given.  The bookkeeping is put as high in its
 * bank as it fits, out of the way of guests that want fixed addresses.
 * -ENOMEM: no room for the bookkeeping of a bank; -EINVAL: usable memory outside the
 * banks, or a bank of 16 TiB or past 2^48; -ENOSPC: too many banks or ranges.
 */
int __must_check page_init(const struct rangeset *banks, struct rangeset *usable);

/* The steps of page_init(), for who knows better where things are. */

/* Forgets everything. */
void page_reset(void);
/* Bytes of bookkeeping that a bank needs: whole pages. */
uint64_t page_meta_size(uint64_t bank_size);
/*
 * A bank whose frames are all OWNER_RESERVED, with its bookkeeping at `meta`; frames
 * of the bookkeeping that lie in this bank become OWNER_HV.
 * -EINVAL: not whole pages, overlaps another bank, too large; -ENOSPC: too many.
 */
int __must_check page_init_bank(hpa_t start, uint64_t size, hpa_t meta);
/* Reserved frames become free ones.  BUG if one of them is not reserved. */
void page_give(hpa_t start, uint64_t size);

/*
 * A naturally aligned block of 2^order frames.
 * -ENOMEM: no such block; -EINVAL: order above PAGE_MAX_ORDER, not an owner.
 */
int __must_check page_alloc(owner_t owner, unsigned order, hpa_t *out);

/*
 * Exactly this range, whose frames must all be free or set aside (MAP_IDENTICAL).
 * -EBUSY: one is not, *why (may be NULL) names it; -EINVAL: wraps, not whole pages.
 */
int __must_check page_alloc_range(owner_t owner, hpa_t start, uint64_t size,
				  struct page_conflict *why);

/*
 * At boot: keeps free frames back from page_alloc(), for a later page_alloc_range();
 * frames set aside already stay so (two configurations may name the same range; only
 * one can have it).  Errors as page_alloc_range().
 */
int __must_check page_set_aside(hpa_t start, uint64_t size, struct page_conflict *why);

/*
 * Reserved frames get an owner (MAP_RESERVED; the hypervisor's own image).
 * -EBUSY: a frame is not OWNER_RESERVED; -EINVAL: as above.
 */
int __must_check page_claim_reserved(owner_t owner, hpa_t start, uint64_t size,
				     struct page_conflict *why);

/*
 * Frames go back.  BUG if one of them is not owned by `expected`: that would be a
 * double free or somebody else's memory.  Any part of what was allocated may be freed.
 */
void page_free(owner_t expected, hpa_t start, unsigned order);
void page_free_range(owner_t expected, hpa_t start, uint64_t size);

owner_t page_owner(hpa_t frame);

/* True when every frame belongs to `owner`; else *why (may be NULL) names the first other. */
bool page_range_owned(owner_t owner, hpa_t start, uint64_t size, struct page_conflict *why);

/* True when the range touches a bank; *why (may be NULL) is then its first frame of RAM. */
bool page_find_ram(hpa_t start, uint64_t size, struct page_conflict *why);

/* In frames. */
uint64_t page_free_count(void);
uint64_t page_owner_count(owner_t owner);

/* Bank number i, for reports; false past the last. */
bool page_bank(unsigned i, hpa_t *start, uint64_t *size);

/* "free", "the hypervisor", "a VM", ... for messages. */
const char *page_owner_name(owner_t owner);

#endif
