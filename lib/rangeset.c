/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of address ranges in a sorted array; see hv/rangeset.h.
 */
#include <errno.h>
#include <hv/rangeset.h>
#include <string.h>

/*
 * Ends are kept as the last byte, so that a range may reach the top of the address
 * space.
 */
static uint64_t last_of(const struct range *r)
{
	return r->start + (r->size - 1);
}

static bool wraps(uint64_t start, uint64_t size)
{
	return size != 0 && start + (size - 1) < start;
}

/* Index of the first range that ends at or after `a`. */
static uint32_t lower_bound(const struct rangeset *rs, uint64_t a)
{
	uint32_t lo = 0;
	uint32_t hi = rs->count;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (last_of(&rs->range[mid]) < a) {
			lo = mid + 1;
		} else {
			hi = mid;
		}
	}
	return lo;
}

/* Replaces `old` ranges from index i on by n new ones; the caller checked for room. */
static void splice(struct rangeset *rs, uint32_t i, uint32_t old, const struct range *new,
		   uint32_t n)
{
	memmove(&rs->range[i + n], &rs->range[i + old],
		(rs->count - i - old) * sizeof(rs->range[0]));
	memcpy(&rs->range[i], new, n * sizeof(rs->range[0]));
	rs->count = rs->count - old + n;
}

static bool joins(const struct range *a, const struct range *b)
{
	return a->tag == b->tag && last_of(a) + 1 == b->start;
}

/*
 * Puts [start, start + size) in place of all that overlaps it; without `add` it only
 * takes away.
 */
static int replace(struct rangeset *rs, uint64_t start, uint64_t size, uint32_t tag, bool add)
{
	uint64_t last = start + (size - 1);
	struct range new[3];
	uint32_t n = 0;
	uint32_t first = lower_bound(rs, start);
	uint32_t end = first;

	/* What sticks out below stays, and above likewise. */
	if (first < rs->count && rs->range[first].start < start) {
		new[n] = rs->range[first];
		new[n].size = start - new[n].start;
		n++;
	}
	if (add) {
		new[n++] = (struct range){ .start = start, .size = size, .tag = tag };
	}
	while (end < rs->count && rs->range[end].start <= last) {
		end++;
	}
	if (end > first && last_of(&rs->range[end - 1]) > last) {
		const struct range *r = &rs->range[end - 1];

		new[n].size = last_of(r) - last;
		new[n].start = last + 1;
		new[n].tag = r->tag;
		n++;
	}
	/* Neighbours that merely touch may become one with what is new. */
	if (add && first > 0 && joins(&rs->range[first - 1], &new[0])) {
		first--;
		new[0].size += rs->range[first].size;
		new[0].start = rs->range[first].start;
	}
	if (add && end < rs->count && joins(&new[n - 1], &rs->range[end])) {
		new[n - 1].size += rs->range[end].size;
		end++;
	}
	for (uint32_t i = 1; i < n;) {
		if (joins(&new[i - 1], &new[i])) {
			new[i - 1].size += new[i].size;
			n--;
			for (uint32_t k = i; k < n; k++) {
				new[k] = new[k + 1];
			}
		} else {
			i++;
		}
	}
	if (rs->count - (end - first) + n > RANGESET_MAX) {
		return -ENOSPC;
	}
	splice(rs, first, end - first, new, n);
	return 0;
}

void rangeset_init(struct rangeset *rs)
{
	rs->count = 0;
}

int rangeset_add(struct rangeset *rs, uint64_t start, uint64_t size, uint32_t tag)
{
	if (wraps(start, size)) {
		return -EINVAL;
	}
	return size == 0 ? 0 : replace(rs, start, size, tag, true);
}

int rangeset_subtract(struct rangeset *rs, uint64_t start, uint64_t size)
{
	if (wraps(start, size)) {
		return -EINVAL;
	}
	return size == 0 ? 0 : replace(rs, start, size, 0, false);
}

const struct range *rangeset_overlap(const struct rangeset *rs, uint64_t start, uint64_t size)
{
	uint32_t i = lower_bound(rs, start);

	if (size == 0 || i == rs->count) {
		return NULL;
	}
	/* A range that wraps is taken to reach to the top. */
	if (!wraps(start, size) && rs->range[i].start > start + (size - 1)) {
		return NULL;
	}
	return &rs->range[i];
}

bool rangeset_contains(const struct rangeset *rs, uint64_t start, uint64_t size)
{
	if (size == 0) {
		return true;
	}
	if (wraps(start, size)) {
		return false;
	}
	for (uint32_t i = lower_bound(rs, start); i < rs->count; i++) {
		uint64_t last = last_of(&rs->range[i]);

		if (rs->range[i].start > start) {
			return false;
		}
		if (last >= start + (size - 1)) {
			return true;
		}
		size -= last - start + 1;
		start = last + 1;
	}
	return false;
}

int rangeset_find_fit(const struct rangeset *rs, uint64_t lo, uint64_t hi, uint64_t size,
		      uint64_t align, uint64_t *out)
{
	uint64_t top = hi - 1; /* hi = 0: the last byte of all */

	if (size == 0 || lo > top) {
		return -ENOSPC;
	}
	for (uint32_t i = lower_bound(rs, lo); i < rs->count; i++) {
		uint64_t start = MAX(rs->range[i].start, lo);
		uint64_t last = MIN(last_of(&rs->range[i]), top);
		uint64_t at = ALIGN_UP(start, align);

		if (rs->range[i].start > top) {
			break;
		}
		if (at >= start && at <= last && size - 1 <= last - at) {
			*out = at;
			return 0;
		}
	}
	return -ENOSPC;
}

uint64_t rangeset_total(const struct rangeset *rs)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < rs->count; i++) {
		sum += rs->range[i].size;
	}
	return sum;
}
