/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/rangeset.c against an array with one tag per byte of a small address space,
 * placed at the bottom, in the middle and at the very top of the 64-bit one.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/rangeset.h>

#define SPAN 96

static struct rangeset rs;
static uint32_t model[SPAN]; /* 0: not in the set */
static uint64_t base;
static uint32_t seed = 1;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void check_model(void)
{
	uint32_t n = 0;
	uint64_t total = 0;

	for (uint32_t i = 0; i < SPAN;) {
		uint32_t end = i;

		while (end < SPAN && model[end] == model[i]) {
			end++;
		}
		if (model[i] != 0) {
			assert_true(n < rs.count);
			assert_int_equal(rs.range[n].start, base + i);
			assert_int_equal(rs.range[n].size, end - i);
			assert_int_equal(rs.range[n].tag, model[i]);
			total += end - i;
			n++;
		}
		i = end;
	}
	assert_int_equal(rs.count, n);
	assert_int_equal(rangeset_total(&rs), total);
}

static void check_questions(void)
{
	uint32_t at = rnd(SPAN);
	uint32_t size = rnd(SPAN - at + 1);
	uint32_t align = 1U << rnd(4);
	const struct range *r = rangeset_overlap(&rs, base + at, size);
	bool all = true;
	bool any = false;
	uint64_t fit;
	int64_t want = -1;

	for (uint32_t i = at; i < at + size; i++) {
		if (model[i] != 0 && !any) {
			any = true;
			assert_non_null(r);
			assert_true(range_within(base + i, 1, r->start, r->size));
		}
		all = all && model[i] != 0;
	}
	assert_int_equal(r != NULL, any);
	assert_int_equal(rangeset_contains(&rs, base + at, size), all);

	/* Where does `size` fit at or above `at`, below the end of the span? */
	for (uint32_t i = at; want < 0 && size != 0 && i + size <= SPAN; i++) {
		uint32_t k = 0;

		while (k < size && model[i + k] != 0 && model[i + k] == model[i]) {
			k++;
		}
		if (k == size && (base + i) % align == 0) {
			want = i;
		}
	}
	if (rangeset_find_fit(&rs, base + at, base + SPAN, size, align, &fit) == 0) {
		assert_int_equal(fit - base, want);
	} else {
		assert_int_equal(want, -1);
	}
}

static void run_at(uint64_t where)
{
	base = where;
	rangeset_init(&rs);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < 20000; step++) {
		uint32_t at = rnd(SPAN);
		uint32_t size = rnd(MIN(24U, SPAN - at) + 1);
		uint32_t tag = rnd(3); /* 0: subtract */

		if (tag != 0) {
			assert_int_equal(rangeset_add(&rs, base + at, size, tag), 0);
		} else {
			assert_int_equal(rangeset_subtract(&rs, base + at, size), 0);
		}
		for (uint32_t i = at; i < at + size; i++) {
			model[i] = tag;
		}
		check_model();
		check_questions();
	}
}

static void test_random(void **state)
{
	(void)state;
	run_at(0);
	run_at(UINT64_C(0x123456789000));
	run_at(UINT64_MAX - SPAN + 1); /* base + SPAN is 2^64, that is, 0 */
}

static void test_wrap(void **state)
{
	(void)state;
	rangeset_init(&rs);
	assert_int_equal(rangeset_add(&rs, UINT64_MAX, 2, 1), -EINVAL);
	assert_int_equal(rangeset_add(&rs, 1, UINT64_MAX, 1), 0);
	assert_int_equal(rangeset_subtract(&rs, 2, UINT64_MAX), -EINVAL);
	assert_false(rangeset_contains(&rs, 2, UINT64_MAX));
	assert_true(rangeset_contains(&rs, 2, UINT64_MAX - 1));
	assert_false(rangeset_contains(&rs, 0, 2));
	assert_non_null(rangeset_overlap(&rs, 5, UINT64_MAX));
	assert_int_equal(rs.count, 1);
}

static void test_full(void **state)
{
	struct rangeset before;

	(void)state;
	rangeset_init(&rs);
	for (uint64_t i = 0; i < RANGESET_MAX; i++) {
		assert_int_equal(rangeset_add(&rs, i * 10, 5, 1), 0);
	}
	before = rs;
	assert_int_equal(rangeset_add(&rs, RANGESET_MAX * 10, 5, 1), -ENOSPC);
	assert_int_equal(rangeset_subtract(&rs, 11, 1), -ENOSPC);
	assert_int_equal(rangeset_add(&rs, 12, 1, 2), -ENOSPC);
	assert_memory_equal(&before, &rs, sizeof(rs));
	/* What needs no new range still works. */
	assert_int_equal(rangeset_add(&rs, 5, 5, 1), 0);
	assert_int_equal(rs.count, RANGESET_MAX - 1);
	assert_int_equal(rangeset_subtract(&rs, 11, 1), 0);
	assert_int_equal(rangeset_subtract(&rs, 0, UINT64_MAX), 0);
	assert_int_equal(rs.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
