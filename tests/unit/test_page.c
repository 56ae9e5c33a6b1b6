/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/page.c against a model with one owner per frame: random operations over banks
 * with holes and crooked ends, then the edges one by one.
 */
#include "fake_arch.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/arch_mm.h>
#include <hv/page.h>

/* One window of frames holds all small banks; a frame outside them is OWNER_NONE. */
#define BASE   UINT64_C(0x40000000)
#define FRAMES 4096

static owner_t model[FRAMES];
static owner_t home[FRAMES];
static uint32_t seed;

static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static hpa_t frame(uint64_t i)
{
	return hpa(BASE + i * PAGE_SIZE);
}

static uint64_t model_count(owner_t owner)
{
	uint64_t n = 0;

	for (size_t i = 0; i < FRAMES; i++) {
		n += model[i] == owner;
	}
	return n;
}

static void check_model(void)
{
	for (size_t i = 0; i < FRAMES; i++) {
		if (page_owner(frame(i)) != model[i]) {
			fail_msg("frame %zu: owner %u, model %u", i, page_owner(frame(i)),
				 model[i]);
		}
	}
	for (owner_t o = 0; o < OWNER_VM(3); o++) {
		assert_int_equal(page_owner_count(o), model_count(o));
	}
	assert_int_equal(page_free_count(), model_count(OWNER_FREE));
}

/* Four banks, one of a single page's room, two that touch, ends at odd frames. */
static void setup_banks(void)
{
	static const struct {
		uint32_t first;
		uint32_t count;
	} bank[] = { { 3, 700 }, { 703, 900 }, { 1700, 5 }, { 2048, 1801 } };
	struct rangeset all;
	struct rangeset usable;

	rangeset_init(&all);
	rangeset_init(&usable);
	memset(model, 0xff, sizeof(model));
	for (size_t n = 0; n < ARRAY_SIZE(bank); n++) {
		uint64_t size = bank[n].count * PAGE_SIZE;

		fake_ram_add(frame(bank[n].first), size);
		assert_int_equal(rangeset_add(&all, frame(bank[n].first).a, size, (uint32_t)n), 0);
		assert_int_equal(rangeset_add(&usable, frame(bank[n].first).a, size, 7), 0);
		for (uint32_t i = 0; i < bank[n].count; i++) {
			model[bank[n].first + i] = OWNER_FREE;
		}
	}
	/* Firmware in three places. */
	for (uint32_t i = 100; i < 1000; i += 400) {
		assert_int_equal(rangeset_subtract(&usable, frame(i).a + 5, 33 * PAGE_SIZE), 0);
		for (uint32_t k = i; k < i + 34; k++) {
			model[k] = OWNER_RESERVED;
		}
	}
	assert_int_equal(page_init(&all, &usable), 0);
	for (size_t i = 0; i < FRAMES; i++) {
		if (page_owner(frame(i)) == OWNER_HV) {
			assert_int_equal(model[i], OWNER_FREE);
			model[i] = OWNER_HV; /* bookkeeping */
		}
		home[i] = model[i];
	}
	/* 12 bytes and a bit per frame: 3, 3, 1 and 6 pages. */
	assert_int_equal(model_count(OWNER_HV), 3 + 3 + 1 + 6);
	assert_int_equal(rangeset_total(&usable), page_free_count() * PAGE_SIZE);
}

/* Is there an aligned run of 2^order free frames within one bank? */
static bool model_has(unsigned order)
{
	uint64_t n = UINT64_C(1) << order;

	for (uint64_t i = 0; i + n <= FRAMES; i += n) {
		uint64_t k = 0;

		/* Blocks do not join across the border between the touching banks. */
		while (k < n && model[i + k] == OWNER_FREE && !(i + k == 703 && k != 0)) {
			k++;
		}
		if (k == n) {
			return true;
		}
	}
	return false;
}

static void do_alloc(owner_t owner)
{
	unsigned order = rnd(4) == 0 ? rnd(12) : rnd(5);
	hpa_t out;
	int ret = page_alloc(owner, order, &out);

	assert_int_equal(ret, model_has(order) ? 0 : -ENOMEM);
	if (ret == 0) {
		assert_true(IS_ALIGNED(out.a, PAGE_SIZE << order));
		for (uint64_t i = 0; i < BIT64(order); i++) {
			uint64_t k = (out.a - BASE) / PAGE_SIZE + i;

			assert_int_equal(model[k], OWNER_FREE);
			model[k] = owner;
			home[k] = OWNER_FREE;
		}
	}
}

/* alloc_range, set_aside and claim_reserved: all or nothing. */
static void do_range(owner_t owner)
{
	uint32_t at = rnd(FRAMES);
	uint32_t n = rnd(MIN(80U, FRAMES - at + 1));
	uint32_t what = rnd(4);
	struct page_conflict why = { 0 };
	uint32_t bad;
	int ret;

	if (what == 0) {
		/* Mostly where something is reserved. */
		at = 100 + 400 * rnd(3) + rnd(34);
		n = rnd(20);
	}
	bad = at;
	for (; bad < at + n; bad++) {
		if (what == 0 ? model[bad] != OWNER_RESERVED
			      : model[bad] != OWNER_FREE && model[bad] != OWNER_ASIDE) {
			break;
		}
	}
	if (what == 0) {
		ret = page_claim_reserved(owner, frame(at), n * PAGE_SIZE, &why);
	} else if (what == 1) {
		ret = page_set_aside(frame(at), n * PAGE_SIZE, &why);
	} else {
		ret = page_alloc_range(owner, frame(at), n * PAGE_SIZE, &why);
	}
	if (bad < at + n) {
		assert_int_equal(ret, -EBUSY);
		assert_int_equal(why.frame.a, frame(bad).a);
		assert_int_equal(why.owner, model[bad]);
		return;
	}
	assert_int_equal(ret, 0);
	for (uint32_t i = at; i < at + n; i++) {
		home[i] = what == 1 ? OWNER_ASIDE : model[i];
		model[i] = what == 1 ? OWNER_ASIDE : owner;
	}
}

/* Frees a run of frames of one owner, wherever the blocks begin and end. */
static void do_free(uint32_t longest)
{
	uint32_t at = rnd(FRAMES);
	owner_t owner = model[at];
	uint32_t n = 0;

	if (owner < OWNER_VM(0) || owner == OWNER_NONE) {
		return;
	}
	while (at + n < FRAMES && n < longest && model[at + n] == owner) {
		model[at + n] = home[at + n];
		n++;
	}
	page_free_range(owner, frame(at), n * PAGE_SIZE);
}

static void test_random(void **state)
{
	(void)state;
	for (uint32_t run = 0; run < 8; run++) {
		seed = run + 1;
		fake_ram_reset();
		setup_banks();
		for (int step = 0; step < 3000; step++) {
			owner_t owner = OWNER_VM(rnd(3));

			switch (rnd(5)) {
			case 0:
			case 1:
				do_alloc(owner);
				break;
			case 2:
				do_range(owner);
				break;
			default:
				do_free(1 + rnd(200));
				break;
			}
			if (step % 50 == 0) {
				check_model();
			}
			assert_int_equal(fake_irq_off, 0);
		}
		/* All back: everything as in the beginning, but for what is set aside. */
		for (size_t i = 0; i < FRAMES; i++) {
			if (model[i] >= OWNER_VM(0) && model[i] != OWNER_NONE) {
				page_free(model[i], frame(i), 0);
				model[i] = home[i];
			}
		}
		check_model();
		do_alloc(OWNER_VM(0));
	}
	fake_ram_reset();
}

static void test_exhaust(void **state)
{
	uint64_t before, n = 0;
	hpa_t p;

	(void)state;
	fake_ram_simple(hpa(BASE), 8 * MiB);
	before = page_free_count();
	assert_int_equal(before, 2048 - page_meta_size(8 * MiB) / PAGE_SIZE);
	while (page_alloc(OWNER_VM(1), 0, &p) == 0) {
		/* Nobody zeroes it: the arena's pattern is still there. */
		assert_int_equal(*(uint8_t *)hpa_to_ptr(p), 0xa5);
		memset(hpa_to_ptr(p), 0, PAGE_SIZE); /* nothing of ours lies in it */
		n++;
	}
	assert_int_equal(n, before);
	assert_int_equal(page_free_count(), 0);
	assert_int_equal(page_owner_count(OWNER_VM(1)), n);
	page_free_range(OWNER_VM(1), hpa(BASE), n * PAGE_SIZE);
	assert_int_equal(page_free_count(), before);
	/* Joined again: the largest aligned block there is can be had at once. */
	assert_int_equal(page_alloc(OWNER_HV, 10, &p), 0);
	assert_int_equal(p.a, BASE);
	page_free(OWNER_HV, p, 10);
	assert_int_equal(page_free_count(), before);
	fake_ram_reset();
}

/* Order 18 blocks, a bank far up; only the bookkeeping is ever touched. */
static void test_large(void **state)
{
	hpa_t p, q;
	struct page_conflict why;

	(void)state;
	fake_ram_add(hpa(UINT64_C(0x800000000000)), 64 * GiB);
	{
		struct rangeset all, usable;

		rangeset_init(&all);
		assert_int_equal(rangeset_add(&all, UINT64_C(0x800000000000), 64 * GiB, 0), 0);
		usable = all;
		assert_int_equal(page_init(&all, &usable), 0);
	}
	assert_int_equal(page_alloc(OWNER_VM(0), PAGE_MAX_ORDER, &p), 0);
	assert_true(IS_ALIGNED(p.a, GiB));
	assert_int_equal(page_owner(hpa(p.a + GiB - 1)), OWNER_VM(0));
	assert_int_equal(page_alloc(OWNER_VM(0), PAGE_MAX_ORDER + 1, &q), -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_VM(1), hpa(p.a - GiB), 3 * GiB, &why), -EBUSY);
	assert_int_equal(why.frame.a, p.a);
	assert_int_equal(why.owner, OWNER_VM(0));
	page_free_range(OWNER_VM(0), hpa(p.a + GiB - PAGE_SIZE), PAGE_SIZE);
	assert_int_equal(page_owner(hpa(p.a + GiB - PAGE_SIZE)), OWNER_FREE);
	assert_int_equal(page_owner_count(OWNER_VM(0)), GiB / PAGE_SIZE - 1);
	page_free_range(OWNER_VM(0), p, GiB - PAGE_SIZE);
	assert_int_equal(page_alloc_range(OWNER_VM(1), hpa(p.a - GiB + PAGE_SIZE), 2 * GiB, NULL),
			 0);
	assert_true(page_range_owned(OWNER_VM(1), hpa(p.a - GiB + PAGE_SIZE), 2 * GiB, NULL));
	assert_false(page_range_owned(OWNER_VM(1), hpa(p.a - GiB), 2 * GiB, &why));
	assert_int_equal(why.frame.a, p.a - GiB);
	assert_int_equal(why.owner, OWNER_FREE);
	page_free_range(OWNER_VM(1), hpa(p.a - GiB + PAGE_SIZE), 2 * GiB);
	assert_int_equal(page_free_count(), (64 * GiB - page_meta_size(64 * GiB)) / PAGE_SIZE);
	fake_ram_reset();
}

static void test_aside(void **state)
{
	uint64_t before;
	hpa_t p;

	(void)state;
	fake_ram_simple(hpa(BASE), 4 * MiB);
	before = page_free_count();
	assert_int_equal(page_set_aside(hpa(BASE + MiB), MiB, NULL), 0);
	assert_int_equal(page_set_aside(hpa(BASE + MiB), MiB, NULL), 0);
	assert_int_equal(page_free_count(), before - 256);
	while (page_alloc(OWNER_HV, 0, &p) == 0) {
		assert_false(range_within(p.a, PAGE_SIZE, BASE + MiB, MiB));
	}
	assert_int_equal(page_alloc_range(OWNER_VM(0), hpa(BASE + MiB), MiB, NULL), 0);
	assert_int_equal(page_alloc_range(OWNER_VM(1), hpa(BASE + MiB), MiB, NULL), -EBUSY);
	page_free_range(OWNER_VM(0), hpa(BASE + MiB), MiB);
	/* Still kept for the next one. */
	assert_int_equal(page_owner(hpa(BASE + MiB)), OWNER_ASIDE);
	assert_int_equal(page_alloc(OWNER_HV, 0, &p), -ENOMEM);
	assert_int_equal(page_alloc_range(OWNER_VM(1), hpa(BASE + MiB), MiB, NULL), 0);
	fake_ram_reset();
}

static void test_bad_input(void **state)
{
	struct rangeset all, usable;
	struct page_conflict why;
	hpa_t p;

	(void)state;
	fake_ram_simple(hpa(BASE), 4 * MiB);
	assert_int_equal(page_alloc_range(OWNER_VM(0), hpa(BASE + 1), PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_VM(0), hpa(BASE), 5, NULL), -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_VM(0), hpa(BASE), -PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_VM(0), hpa(-PAGE_SIZE), 2 * PAGE_SIZE, NULL),
			 -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_FREE, hpa(BASE), PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_VM(MAX_VMS), hpa(BASE), PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal(page_alloc(OWNER_RESERVED, 0, &p), -EINVAL);
	assert_int_equal(page_alloc_range(OWNER_VM(0), hpa(0), 8 * GiB, &why), -EBUSY);
	assert_int_equal(why.owner, OWNER_NONE);
	assert_int_equal(why.frame.a, 0);
	assert_int_equal(page_owner(hpa(UINT64_MAX)), OWNER_NONE);
	assert_int_equal(page_owner_count(OWNER_NONE), 0);
	assert_false(page_range_owned(OWNER_VM(0), hpa(-PAGE_SIZE), 2 * PAGE_SIZE, &why));
	assert_int_equal(page_init_bank(hpa(BASE + MiB), 8 * MiB, hpa(BASE)), -EINVAL);
	assert_int_equal(page_init_bank(hpa(8 * GiB), 0, hpa(BASE)), -EINVAL);
	assert_int_equal(page_init_bank(hpa(8 * GiB), 16384 * GiB, hpa(BASE)), -EINVAL);

	/* Memory that is in no bank; a bank without room for its bookkeeping. */
	rangeset_init(&all);
	rangeset_init(&usable);
	assert_int_equal(rangeset_add(&all, BASE, 4 * MiB, 0), 0);
	assert_int_equal(page_init(&all, &usable), -ENOMEM);
	assert_int_equal(rangeset_add(&usable, BASE + 4 * MiB - 5, 10, 0), 0);
	assert_int_equal(page_init(&all, &usable), -EINVAL);
	rangeset_init(&usable);
	assert_int_equal(rangeset_add(&all, UINT64_MAX - 99, 100, 0), 0);
	assert_int_equal(page_init(&all, &usable), -EINVAL);
	fake_ram_reset();
}

static void free_twice(void)
{
	hpa_t p;

	assert_int_equal(page_alloc(OWNER_VM(0), 3, &p), 0);
	page_free(OWNER_VM(0), p, 3);
	page_free(OWNER_VM(0), p, 3);
}

static void free_others(void)
{
	hpa_t p;

	assert_int_equal(page_alloc(OWNER_VM(0), 3, &p), 0);
	page_free(OWNER_VM(1), p, 0);
}

static void free_too_much(void)
{
	hpa_t p;

	assert_int_equal(page_alloc(OWNER_VM(0), 0, &p), 0);
	page_free(OWNER_VM(0), p, 10);
}

static void give_twice(void)
{
	page_give(hpa(BASE), PAGE_SIZE);
}

static void free_bookless(void)
{
	page_free(OWNER_HV, hpa(0), 0);
}

static void to_cmocka(const char *text)
{
	mock_assert(0, text, "hv_panic", 0);
}

static void test_bugs(void **state)
{
	static void (*const bug[])(void) = { free_twice, free_others, free_too_much, give_twice,
					     free_bookless };

	(void)state;
	fake_panic_hook = to_cmocka;
	for (volatile size_t i = 0; i < ARRAY_SIZE(bug); i++) {
		fake_ram_simple(hpa(BASE), 4 * MiB);
		expect_assert_failure(bug[i]());
		fake_ram_reset();
	}
	fake_panic_hook = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),	  cmocka_unit_test(test_exhaust),
		cmocka_unit_test(test_large),	  cmocka_unit_test(test_aside),
		cmocka_unit_test(test_bad_input), cmocka_unit_test(test_bugs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
