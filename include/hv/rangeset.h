/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sorted set of disjoint address ranges, each with a tag, in a fixed array.
 *
 * Used to find out what memory there is: add what is RAM, subtract what is reserved.
 * Neighbours with the same tag are merged.  A range is [start, start + size); it may
 * end at 2^64 exactly but not wrap.  No function changes the set when it fails.
 * Not locked.
 */
#ifndef HV_RANGESET_H
#define HV_RANGESET_H

#include <hv/types.h>

#define RANGESET_MAX 128

struct range {
	uint64_t start;
	uint64_t size; /* not 0 */
	uint32_t tag;
};

struct rangeset {
	uint32_t count;
	struct range range[RANGESET_MAX];
};

void rangeset_init(struct rangeset *rs);

/*
 * Adds a range; where it overlaps ranges that are there, the new tag replaces theirs.
 * Size 0 adds nothing.  -EINVAL: it wraps; -ENOSPC: the set is full.
 */
int __must_check rangeset_add(struct rangeset *rs, uint64_t start, uint64_t size, uint32_t tag);

/*
 * Takes every byte of [start, start + size) out of the set, whatever its tag; a range
 * around it is cut in two.  -EINVAL: it wraps; -ENOSPC: no room for the second half.
 */
int __must_check rangeset_subtract(struct rangeset *rs, uint64_t start, uint64_t size);

/* The lowest range that shares a byte with the given one, or NULL. */
const struct range *rangeset_overlap(const struct rangeset *rs, uint64_t start, uint64_t size);

/* True when every byte of the given range is in the set (tags may differ). */
bool rangeset_contains(const struct rangeset *rs, uint64_t start, uint64_t size);

/*
 * The lowest place within [lo, hi) (hi = 0: 2^64) where `size` bytes of one range fit
 * at an address that is a multiple of `align`, a power of two.  -ENOSPC: nowhere.
 */
int __must_check rangeset_find_fit(const struct rangeset *rs, uint64_t lo, uint64_t hi,
				   uint64_t size, uint64_t align, uint64_t *out);

/* Sum of the sizes. */
uint64_t rangeset_total(const struct rangeset *rs);

#endif
