/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bitmaps in words of 64 bits: bit n is bit n % 64 of word n / 64.
 *
 * `bits` is the number of bits that count; the words past it need not exist, and
 * bits of the last word past it are ignored.  Not atomic: the caller's lock guards.
 */
#ifndef HV_BITMAP_H
#define HV_BITMAP_H

#include <hv/types.h>

#define BITMAP_WORDS(bits) (((bits) + 63) / 64)

static inline bool bitmap_test(const uint64_t *map, size_t n)
{
	return (map[n / 64] >> (n % 64) & 1) != 0;
}

static inline void bitmap_set(uint64_t *map, size_t n)
{
	map[n / 64] |= BIT64(n % 64);
}

static inline void bitmap_clear(uint64_t *map, size_t n)
{
	map[n / 64] &= ~BIT64(n % 64);
}

/* The bits of word w that count. */
static inline uint64_t bitmap_mask(size_t w, size_t bits)
{
	return bits - w * 64 >= 64 ? ~UINT64_C(0) : BIT64(bits - w * 64) - 1;
}

/* The first set bit at or after `from`; `bits` if there is none. */
static inline size_t bitmap_find_set(const uint64_t *map, size_t bits, size_t from)
{
	for (size_t w = from / 64; from < bits && w < BITMAP_WORDS(bits); w++) {
		uint64_t word = map[w] & bitmap_mask(w, bits);

		if (w == from / 64) {
			word &= ~UINT64_C(0) << (from % 64);
		}
		if (word != 0) {
			return w * 64 + (size_t)__builtin_ctzll(word);
		}
	}
	return bits;
}

/* The first clear bit at or after `from`; `bits` if there is none. */
static inline size_t bitmap_find_clear(const uint64_t *map, size_t bits, size_t from)
{
	for (size_t w = from / 64; from < bits && w < BITMAP_WORDS(bits); w++) {
		uint64_t word = ~map[w] & bitmap_mask(w, bits);

		if (w == from / 64) {
			word &= ~UINT64_C(0) << (from % 64);
		}
		if (word != 0) {
			return w * 64 + (size_t)__builtin_ctzll(word);
		}
	}
	return bits;
}

/* The number of set bits; without a library call, which the image does not have. */
static inline size_t bitmap_count(const uint64_t *map, size_t bits)
{
	size_t n = 0;

	for (size_t w = 0; w < BITMAP_WORDS(bits); w++) {
		for (uint64_t v = map[w] & bitmap_mask(w, bits); v != 0; v &= v - 1) {
			n++;
		}
	}
	return n;
}

#endif
