/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/pt.c with the real VMSAv8-64 formats, judged by pt_model.h: what the tables
 * hold, when entries are invalidated, that failures change nothing, that no table is
 * lost.
 */
#include "pt_model.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "arch/aarch64/pt_vmsa.h"

#define BASE UINT64_C(0x80000000)

static struct pt pt;
static uint64_t free_before;
static uint64_t seed;

static void model_fail(const char *what, uint64_t a, uint64_t b)
{
	fail_msg("%s: %#llx %#llx", what, (unsigned long long)a, (unsigned long long)b);
}

static uint64_t rnd(uint64_t n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 5) % n;
}

static void start(const struct pt_shape *shape)
{
	fake_ram_reset();
	fake_ram_simple(hpa(BASE), 24 * MiB);
	free_before = page_free_count();
	shadow.count = 0;
	assert_int_equal(pt_init(&pt, shape, &fake_pt_ops, OWNER_HV), 0);
	assert_int_equal(page_free_count(), free_before - pt_root_tables(shape));
	pt_used_on(&pt, 3);
	pt_used_on(&pt, 3);
	pt_used_on(&pt, 0);
	check_tree(&pt);
}

static void finish(void)
{
	pt_destroy(&pt);
	assert_int_equal(page_free_count(), free_before);
	fake_ram_reset();
}

static struct pt_shape s2_shape(unsigned pa, unsigned ipa)
{
	struct vmsa_s2_layout l;

	assert_int_equal(vmsa_s2_layout(pa, ipa, false, &l), 0);
	return l.shape;
}

static struct pt_shape el2_shape(void)
{
	struct pt_shape shape;
	uint64_t tcr;

	assert_int_equal(vmsa_el2_layout(48, &shape, &tcr), 0);
	return shape;
}

/* ---- operations on tree and shadow together ---- */

static void map_ok(uint64_t in, uint64_t out, uint64_t size, uint32_t attr)
{
	assert_int_equal(pt_map(&pt, in, hpa(out), size, attr, NULL), 0);
	shadow_change(SHADOW_MAP, in, size, out, attr);
	check_tree(&pt);
}

static void unmap_ok(uint64_t in, uint64_t size)
{
	assert_int_equal(pt_unmap(&pt, in, size, NULL), 0);
	shadow_change(SHADOW_UNMAP, in, size, 0, 0);
	check_tree(&pt);
}

static void protect_ok(uint64_t in, uint64_t size, uint32_t attr)
{
	assert_int_equal(pt_protect(&pt, in, size, attr, NULL, NULL), 0);
	shadow_change(SHADOW_PROTECT, in, size, 0, attr);
	check_tree(&pt);
}

/* ---- random sequences ---- */

static uint64_t span;	      /* addresses used by a random run */
static uint64_t window;	      /* where they begin */
static const uint32_t *attrs; /* that the format has */
static size_t attr_count;

static const uint32_t s2_attrs[] = { PT_R,
				     PT_R | PT_W,
				     PT_R | PT_X,
				     PT_R | PT_W | PT_X,
				     PT_W,
				     PT_X,
				     PT_R | PT_W | PT_DEVICE,
				     PT_R | PT_W | PT_UNCACHED };
static const uint32_t el2_attrs[] = { PT_R, PT_R | PT_W, PT_R | PT_X, PT_R | PT_W | PT_DEVICE,
				      PT_R | PT_W | PT_UNCACHED };

static uint64_t rnd_unit(void)
{
	static const uint64_t unit[] = { PAGE_SIZE, PAGE_SIZE, 2 * MiB, 2 * MiB, GiB };

	return unit[rnd(5)];
}

static uint64_t rnd_address(void)
{
	uint64_t a = ALIGN_DOWN(rnd(span), rnd_unit());

	/* Also just beside the round ones. */
	switch (rnd(6)) {
	case 0:
		a += PAGE_SIZE;
		break;
	case 1:
		a = a == 0 ? 0 : a - PAGE_SIZE;
		break;
	default:
		break;
	}
	return window + a;
}

static uint64_t rnd_size(uint64_t in)
{
	uint64_t size = rnd_unit() * (1 + rnd(3)) + (rnd(4) == 0 ? PAGE_SIZE * rnd(20) : 0);

	return MIN(size, window + span - in);
}

static void random_map(void)
{
	uint64_t in = rnd_address();
	uint64_t size = rnd_size(in);
	uint64_t out = rnd(2) == 0 ? in % (64 * GiB) : ALIGN_DOWN(rnd(64 * GiB), rnd_unit());
	uint32_t attr = attrs[rnd(attr_count)];
	uint64_t where = 1;
	uint64_t at;
	int ret;

	/* By pages only: not too many of them. */
	if (((in ^ out) & (2 * MiB - 1)) != 0) {
		size = MIN(size, 3 * MiB);
	}
	at = shadow_find(in, size, true);
	ret = pt_map(&pt, in, hpa(out), size, attr, &where);
	if (at < in + size) {
		assert_int_equal(ret, -EEXIST);
		assert_int_equal(where, at);
	} else {
		assert_int_equal(ret, 0);
		shadow_change(SHADOW_MAP, in, size, out, attr);
	}
}

static void random_protect(struct pt_inval *inv)
{
	uint64_t in = rnd_address();
	uint64_t size = rnd_size(in);
	uint32_t attr = attrs[rnd(attr_count)];
	uint64_t where = 1;
	uint64_t at;
	int ret;

	/* Mostly something that is mapped. */
	if (shadow.count != 0 && rnd(4) != 0) {
		const struct seg *s = &shadow.seg[rnd(shadow.count)];

		in = s->in + ALIGN_DOWN(rnd(s->size), rnd_unit());
		size = rnd_unit() * (1 + rnd(4));
		size = MIN(size, s->in + s->size - in);
	}
	at = shadow_find(in, size, false);
	ret = pt_protect(&pt, in, size, attr, inv, &where);
	if (at < in + size) {
		assert_int_equal(ret, -ENOENT);
		assert_int_equal(where, at);
	} else {
		assert_int_equal(ret, 0);
		shadow_change(SHADOW_PROTECT, in, size, 0, attr);
	}
}

static void check_query(void)
{
	for (int i = 0; i < 8; i++) {
		uint64_t in = rnd_address() + rnd(PAGE_SIZE);
		struct ref_leaf r = ref_lookup(&pt, in);
		struct pt_walk w;

		assert_int_equal(pt_query(&pt, in, &w), r.valid);
		assert_int_equal(w.mapped, r.valid);
		assert_true(w.steps >= 1);
		if (r.valid) {
			assert_int_equal(w.out.a, r.out + in % r.size);
			assert_int_equal(w.left, r.size - in % r.size);
			assert_int_equal(w.attr, r.attr);
			assert_int_equal(w.step[w.steps - 1].entry, r.desc);
			assert_int_equal(pt_manual_level(pt.shape.fmt, w.step[w.steps - 1].level),
					 r.level);
			assert_int_equal(*(uint64_t *)hpa_to_ptr(w.step[w.steps - 1].at), r.desc);
		}
	}
}

static void random_run(const struct pt_shape *shape, uint64_t from, uint64_t size, int steps)
{
	start(shape);
	window = from;
	span = size;
	tlb_start(rnd_address);
	for (int step = 0; step < steps; step++) {
		struct pt_inval inv = { 0 };
		uint64_t in = rnd_address();
		uint64_t n = rnd_size(in);

		switch (rnd(4)) {
		case 0:
			random_map();
			break;
		case 1:
			random_protect(NULL);
			break;
		case 2:
			assert_int_equal(pt_unmap(&pt, in, n, NULL), 0);
			shadow_change(SHADOW_UNMAP, in, n, 0, 0);
			break;
		default:
			/* Several changes, one invalidation. */
			for (int k = 0; k < 3; k++) {
				in = rnd_address();
				n = rnd_size(in);
				assert_int_equal(pt_unmap(&pt, in, n, &inv), 0);
				shadow_change(SHADOW_UNMAP, in, n, 0, 0);
				random_protect(&inv);
			}
			pt_commit(&pt, &inv);
			break;
		}
		tlb_check(&pt);
		check_query();
		if (step % 8 == 0) {
			check_tree(&pt);
		}
	}
	assert_true(tlb_freed_seen);
	check_tree(&pt);
	assert_int_equal(pt_unmap(&pt, 0, BIT64(shape->in_bits), NULL), 0);
	assert_int_equal(pt.table_pages, pt_root_tables(shape));
	tlb_check(&pt);
	finish();
}

static void test_random_s2(void **state)
{
	struct pt_shape shape;

	(void)state;
	attrs = s2_attrs;
	attr_count = ARRAY_SIZE(s2_attrs);
	seed = 1;
	shape = s2_shape(40, 40);
	random_run(&shape, 0, 6 * GiB, 400);
	/* Across the border of the concatenated tables. */
	random_run(&shape, 510 * GiB, 4 * GiB, 400);
	/* The end of the address space. */
	random_run(&shape, 1020 * GiB, 4 * GiB, 400);
	shape = s2_shape(44, 44);
	random_run(&shape, 511 * GiB, 3 * GiB, 300);
	shape = s2_shape(48, 34);
	random_run(&shape, 12 * GiB, 4 * GiB, 300);
	shape = s2_shape(48, 36);
	shape.max_leaf = 1;
	random_run(&shape, 62 * GiB, 2 * GiB, 200);
}

static void test_random_el2(void **state)
{
	struct pt_shape shape = el2_shape();

	(void)state;
	attrs = el2_attrs;
	attr_count = ARRAY_SIZE(el2_attrs);
	seed = 2;
	random_run(&shape, 255 * 1024 * GiB, 5 * GiB, 500);
}

/* ---- single cases ---- */

static void test_blocks(void **state)
{
	struct pt_shape shape = s2_shape(40, 40);

	(void)state;
	start(&shape);
	/* 1 GiB blocks in the root: no table at all. */
	map_ok(4 * GiB, 8 * GiB, 4 * GiB, PT_R | PT_W);
	assert_int_equal(pt.table_pages, 2);
	/* 2 MiB blocks: one table. */
	map_ok(2 * MiB, 4 * MiB, GiB - 2 * MiB, PT_R);
	assert_int_equal(pt.table_pages, 3);
	/* Pages, blocks, pages. */
	map_ok(GiB + 2 * MiB - PAGE_SIZE, 2 * GiB - PAGE_SIZE, 4 * MiB + 2 * PAGE_SIZE, PT_R);
	assert_int_equal(pt.table_pages, 6);
	/* 512 GiB at once is 512 entries, not pages. */
	map_ok(512 * GiB, 512 * GiB, 512 * GiB, PT_R | PT_X);
	assert_int_equal(pt.table_pages, 6);
	unmap_ok(0, 1024 * GiB);
	assert_int_equal(pt.table_pages, 2);
	/* Misaligned to each other: by pages. */
	map_ok(0, PAGE_SIZE, 2 * MiB, PT_R);
	assert_int_equal(pt.table_pages, 4);
	finish();
}

static void test_bad_input(void **state)
{
	struct pt_shape shape = s2_shape(40, 40);
	uint64_t where = 0;

	(void)state;
	start(&shape);
	assert_int_equal(pt_map(&pt, 1, hpa(0), PAGE_SIZE, PT_R, &where), -EINVAL);
	assert_int_equal(where, 1);
	assert_int_equal(pt_map(&pt, 0, hpa(1), PAGE_SIZE, PT_R, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(0), 1, PT_R, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(0), PAGE_SIZE, 0, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(0), PAGE_SIZE, BIT32(17) | PT_R, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(0), PAGE_SIZE, PT_DEVICE | PT_R | PT_X, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, BIT64(40), hpa(0), PAGE_SIZE, PT_R, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, BIT64(40) - PAGE_SIZE, hpa(0), 2 * PAGE_SIZE, PT_R, NULL),
			 -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(BIT64(40) - PAGE_SIZE), 2 * PAGE_SIZE, PT_R, NULL),
			 -EINVAL);
	assert_int_equal(pt_map(&pt, -PAGE_SIZE, hpa(0), 2 * PAGE_SIZE, PT_R, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(-PAGE_SIZE), 2 * PAGE_SIZE, PT_R, NULL), -EINVAL);
	assert_int_equal(pt_unmap(&pt, 0, BIT64(40) + PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal(pt_unmap(&pt, 5, PAGE_SIZE, NULL), -EINVAL);
	assert_int_equal(pt_protect(&pt, 0, PAGE_SIZE, 0, NULL, NULL), -EINVAL);
	assert_int_equal(pt_protect(&pt, 0, PAGE_SIZE, PT_R, NULL, NULL), -ENOENT);
	/* Nothing at all is nothing, also in the middle of a block. */
	map_ok(GiB, 0, GiB, PT_R);
	assert_int_equal(pt_map(&pt, GiB + PAGE_SIZE, hpa(0), 0, PT_R, NULL), 0);
	assert_int_equal(pt_unmap(&pt, GiB + PAGE_SIZE, 0, NULL), 0);
	assert_int_equal(pt_protect(&pt, GiB + PAGE_SIZE, 0, PT_W, NULL, NULL), 0);
	check_tree(&pt);
	assert_int_equal(pt.table_pages, 2);
	finish();

	shape.root_level = 1;
	assert_int_equal(pt_init(&pt, &shape, &fake_pt_ops, OWNER_HV), -EINVAL);
	shape.root_level = 3;
	shape.in_bits = 39;
	assert_int_equal(pt_init(&pt, &shape, &fake_pt_ops, OWNER_HV), -EINVAL);
	shape.in_bits = 49;
	assert_int_equal(pt_init(&pt, &shape, &fake_pt_ops, OWNER_HV), -EINVAL);
	shape = el2_shape();
	start(&shape);
	assert_int_equal(pt_map(&pt, 0, hpa(0), PAGE_SIZE, PT_R | PT_W | PT_X, NULL), -EINVAL);
	assert_int_equal(pt_map(&pt, 0, hpa(0), PAGE_SIZE, PT_W, NULL), -EINVAL);
	finish();
}

/* Leaves `n` free frames; each taken one is on the chain. */
static hpa_t hog_chain;

static void hog(uint64_t n)
{
	hpa_t p;

	while (page_free_count() > n) {
		assert_int_equal(page_alloc(OWNER_VM(5), 0, &p), 0);
		*(uint64_t *)hpa_to_ptr(p) = hog_chain.a;
		hog_chain = p;
	}
}

static void unhog(void)
{
	while (hog_chain.a != 0) {
		hpa_t p = hog_chain;

		hog_chain.a = *(uint64_t *)hpa_to_ptr(p);
		page_free(OWNER_VM(5), p, 0);
	}
}

enum oom_op {
	OOM_MAP,
	OOM_MAP_NEW,
	OOM_UNMAP,
	OOM_PROTECT,
	OOM_PROTECT_ONE,
};

static int oom_do(enum oom_op op, uint64_t *where)
{
	switch (op) {
	case OOM_MAP:
		/* Pages at both ends of a gap, over three tables of an existing tree. */
		return pt_map(&pt, 2 * GiB - PAGE_SIZE, hpa(4 * GiB - PAGE_SIZE),
			      GiB + 4 * MiB + 2 * PAGE_SIZE, PT_R, where);
	case OOM_MAP_NEW:
		/* Two levels of new tables, the last of them full of pages. */
		return pt_map(&pt, 8 * GiB + PAGE_SIZE, hpa(0), 5 * MiB, PT_R, where);
	case OOM_UNMAP:
		return pt_unmap(&pt, 16 * GiB + PAGE_SIZE, 2 * GiB, NULL);
	case OOM_PROTECT:
		return pt_protect(&pt, 16 * GiB + PAGE_SIZE, 2 * GiB, PT_R | PT_DEVICE, NULL,
				  where);
	case OOM_PROTECT_ONE:
	default:
		return pt_protect(&pt, 16 * GiB + 5 * PAGE_SIZE, PAGE_SIZE, PT_R, NULL, where);
	}
}

/* With 0, 1, 2 ... frames to be had: fails without a trace until it succeeds. */
static void oom_run(enum oom_op op, uint64_t want)
{
	struct pt_shape shape = s2_shape(40, 40);
	uint64_t n = 0;
	int ret = -ENOMEM;

	start(&shape);
	map_ok(GiB, GiB, 3 * PAGE_SIZE, PT_R);
	map_ok(3 * GiB + 64 * MiB, GiB, 3 * PAGE_SIZE, PT_R);
	map_ok(16 * GiB, 16 * GiB, 4 * GiB, PT_R | PT_W);
	window = GiB;
	span = 20 * GiB;
	tlb_start(rnd_address);
	for (; ret == -ENOMEM; n++) {
		uint64_t where = 0;

		hog(n);
		ret = oom_do(op, &where);
		if (ret != 0) {
			assert_int_equal(ret, -ENOMEM);
			assert_int_equal(page_free_count(), n);
			check_tree(&pt);
			if (op == OOM_MAP) {
				assert_int_equal(where,
						 n == 0 ? 2 * GiB - PAGE_SIZE : 3 * GiB + 4 * MiB);
			}
			if (op == OOM_MAP_NEW) {
				assert_int_equal(where, n < 2 ? 8 * GiB + PAGE_SIZE
							      : 8 * GiB + (n - 1) * 2 * MiB);
			}
		} else {
			assert_int_equal(page_free_count(), n - want);
		}
		tlb_check(&pt);
		unhog();
	}
	assert_int_equal(ret, 0);
	assert_int_equal(n - 1, want);
	finish();
}

static void test_oom(void **state)
{
	struct pt_shape shape = s2_shape(40, 40);

	(void)state;
	seed = 3;
	/* Tables below 2 GiB: a page table in the one that is there; above: two of each. */
	oom_run(OOM_MAP, 2);
	oom_run(OOM_MAP_NEW, 4);
	/* Each end in a block of its own: down to pages twice. */
	oom_run(OOM_UNMAP, 4);
	oom_run(OOM_PROTECT, 4);
	/* Both ends in the same 2 MiB: two tables serve both. */
	oom_run(OOM_PROTECT_ONE, 2);

	fake_ram_reset();
	fake_ram_simple(hpa(BASE), 4 * MiB);
	free_before = page_free_count();
	hog(1);
	assert_int_equal(pt_init(&pt, &shape, &fake_pt_ops, OWNER_HV), -ENOMEM);
	assert_int_equal(page_free_count(), 1);
	unhog();
	assert_int_equal(page_free_count(), free_before);
}

/* A split goes: new table seen by all, entry broken, invalidated, then the table. */
static uint32_t split_events;

static void split_hook(struct pt *p, enum fake_tlb_op op, const struct pt_inval *inv)
{
	if (op == FAKE_INVALIDATE) {
		split_events++;
		assert_int_equal(inv->cpus, BIT64(3) | BIT64(0));
		if (split_events == 1) {
			assert_int_equal(inv->count, 1);
			assert_int_equal(inv->range[0].in, 2 * GiB);
			assert_int_equal(inv->range[0].size, GiB);
			assert_int_equal(inv->range[0].level, 2);
			assert_false(ref_lookup(p, 2 * GiB + 5 * MiB).valid);
		}
		if (split_events == 2) {
			assert_int_equal(inv->range[0].in, 2 * GiB + 4 * MiB);
			assert_int_equal(inv->range[0].size, 2 * MiB);
			assert_int_equal(inv->range[0].level, 1);
			/* Only that block is away; its neighbours are mapped again. */
			assert_false(ref_lookup(p, 2 * GiB + 5 * MiB).valid);
			assert_true(ref_lookup(p, 2 * GiB + 3 * MiB).valid);
		}
		if (split_events == 3) {
			/* The permission changed in place, then the old one goes. */
			assert_int_equal(inv->range[0].in, 2 * GiB + 5 * MiB);
			assert_int_equal(inv->range[0].size, PAGE_SIZE);
			assert_int_equal(inv->range[0].level, 0);
			assert_int_equal(ref_lookup(p, 2 * GiB + 5 * MiB).attr, PT_R);
		}
	}
}

static void test_break_before_make(void **state)
{
	struct pt_shape shape = s2_shape(40, 40);

	(void)state;
	start(&shape);
	map_ok(2 * GiB, 2 * GiB, GiB, PT_R | PT_W);
	fake_tlb_reset();
	split_events = 0;
	fake_tlb_hook = split_hook;
	protect_ok(2 * GiB + 5 * MiB, PAGE_SIZE, PT_R);
	assert_int_equal(split_events, 3);
	/* The same again changes nothing and invalidates nothing. */
	protect_ok(2 * GiB + 5 * MiB, PAGE_SIZE, PT_R);
	assert_int_equal(split_events, 3);
	/* Mapping where nothing was needs no invalidation on Arm, but has to be seen. */
	fake_tlb_reset();
	map_ok(0, 0, PAGE_SIZE, PT_R);
	assert_true(fake_tlb_count > 0);
	for (uint32_t i = 0; i < fake_tlb_count; i++) {
		assert_int_equal(fake_tlb[i].op, FAKE_PUBLISH);
	}
	finish();
}

static void test_batches(void **state)
{
	struct pt_shape shape = s2_shape(40, 40);
	struct pt_inval inv = { 0 };
	uint64_t tables;

	(void)state;
	start(&shape);
	for (uint64_t i = 0; i < 20; i++) {
		map_ok(i * 16 * MiB, i * 16 * MiB, 4 * PAGE_SIZE, PT_R);
	}
	tables = pt.table_pages;
	fake_tlb_reset();
	/* Neighbours become one range. */
	assert_int_equal(pt_unmap(&pt, 0, PAGE_SIZE, &inv), 0);
	assert_int_equal(pt_unmap(&pt, PAGE_SIZE, PAGE_SIZE, &inv), 0);
	assert_int_equal(inv.count, 1);
	assert_int_equal(inv.range[0].size, 2 * PAGE_SIZE);
	/* Emptied tables wait. */
	for (uint64_t i = 0; i < 20; i++) {
		assert_int_equal(pt_unmap(&pt, i * 16 * MiB, 4 * PAGE_SIZE, &inv), 0);
	}
	assert_true(inv.all);
	assert_true(inv.tables);
	assert_int_equal(pt.table_pages, tables);
	assert_int_equal(fake_tlb_count, 0);
	pt_commit(&pt, &inv);
	assert_int_equal(fake_tlb_count, 1);
	assert_int_equal(pt.table_pages, 2);
	/* An empty batch does nothing. */
	pt_commit(&pt, &inv);
	assert_int_equal(fake_tlb_count, 1);
	shadow.count = 0;
	check_tree(&pt);
	finish();
}

/* Formats that remember invalid entries are told of new mappings. */
static void test_invalidate_new(void **state)
{
	struct pt_shape shape = s2_shape(40, 40);
	struct pt_format fmt = *shape.fmt;

	(void)state;
	fmt.invalidate_new = true;
	fmt.break_before_make = false;
	shape.fmt = &fmt;
	start(&shape);
	map_ok(GiB, GiB, GiB, PT_R | PT_W);
	assert_int_equal(fake_tlb[fake_tlb_count - 1].op, FAKE_INVALIDATE);
	assert_int_equal(fake_tlb[fake_tlb_count - 1].inv.range[0].in, GiB);
	/* Without break-before-make a split is one store; all is invalidated at the end. */
	fake_tlb_reset();
	unmap_ok(GiB + 2 * MiB, 2 * MiB);
	for (uint32_t i = 0; i + 1 < fake_tlb_count; i++) {
		assert_int_equal(fake_tlb[i].op, FAKE_PUBLISH);
	}
	assert_int_equal(fake_tlb[fake_tlb_count - 1].op, FAKE_INVALIDATE);
	finish();
}

static void test_layout(void **state)
{
	static const struct {
		unsigned pa, ipa, start, tables, sl0, ps;
	} want[] = {
		{ 40, 40, 1, 2, 1, 2 }, { 40, 32, 2, 4, 0, 2 },	 { 36, 36, 1, 1, 1, 1 },
		{ 42, 42, 1, 8, 1, 3 }, { 44, 43, 1, 16, 1, 4 }, { 44, 44, 0, 1, 2, 4 },
		{ 48, 48, 0, 1, 2, 5 }, { 48, 39, 1, 1, 1, 5 },	 { 48, 34, 2, 16, 0, 5 },
		{ 48, 35, 1, 1, 1, 5 }, { 32, 32, 2, 4, 0, 0 },	 { 48, 45, 0, 1, 2, 5 },
	};
	struct vmsa_s2_layout l;
	struct pt_shape shape;
	uint64_t tcr;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		assert_int_equal(vmsa_s2_layout(want[i].pa, want[i].ipa, i % 2 == 1, &l), 0);
		assert_int_equal(l.start_level, want[i].start);
		assert_int_equal(l.tables, want[i].tables);
		assert_int_equal(l.shape.in_bits, want[i].ipa);
		assert_int_equal(l.vtcr & 63, 64 - want[i].ipa);
		assert_int_equal(l.vtcr >> 6 & 3, want[i].sl0);
		assert_int_equal(l.vtcr >> 8 & 0xff, 0x35);
		assert_int_equal(l.vtcr >> 16 & 7, want[i].ps);
		assert_int_equal(l.vtcr >> 19 & 1, i % 2);
		assert_int_equal(l.vtcr >> 20, BIT64(11));
	}
	assert_int_equal(vmsa_s2_layout(40, 41, false, &l), -EINVAL);
	assert_int_equal(vmsa_s2_layout(40, 31, false, &l), -EINVAL);
	assert_int_equal(vmsa_s2_layout(41, 40, false, &l), -EINVAL);
	assert_int_equal(vmsa_s2_layout(52, 48, false, &l), -EINVAL);
	assert_int_equal(vmsa_pa_bits(0x10012), 40);
	assert_int_equal(vmsa_pa_bits(5), 48);
	assert_int_equal(vmsa_pa_bits(6), 48);
	assert_int_equal(vmsa_pa_bits(0), 32);
	assert_int_equal(vmsa_el2_layout(40, &shape, &tcr), 0);
	assert_int_equal(tcr, 0x80823510);
	assert_int_equal(vmsa_el2_layout(39, &shape, &tcr), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_bad_input),
		cmocka_unit_test(test_oom),
		cmocka_unit_test(test_break_before_make),
		cmocka_unit_test(test_batches),
		cmocka_unit_test(test_invalidate_new),
		cmocka_unit_test(test_random_s2),
		cmocka_unit_test(test_random_el2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
