/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tree of tables ought to hold, and what it holds: for test_pt and fuzz_pt.
 *
 * The judge reads VMSAv8-64 descriptors with constants of its own, from the manual, and
 * shares nothing with arch/aarch64/pt_vmsa.c.  Included by one file of a program.
 */
#ifndef PT_MODEL_H
#define PT_MODEL_H

#include "fake_arch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hv/arch_mm.h>
#include <hv/page.h>
#include <hv/pt.h>

/* A failed check; the including file says what happens then. */
static void model_fail(const char *what, uint64_t a, uint64_t b);

/* ---- a list of mapped segments, sorted, neighbours joined ---- */

#define MODEL_SEGS 32768

struct seg {
	uint64_t in;
	uint64_t size;
	uint64_t out;
	uint32_t attr;
};

struct seg_list {
	size_t count;
	struct seg seg[MODEL_SEGS];
};

static struct seg_list shadow; /* what was asked for */
static struct seg_list actual; /* what the tables say */

static void segs_append(struct seg_list *l, struct seg s)
{
	struct seg *last = l->count == 0 ? NULL : &l->seg[l->count - 1];

	if (s.size == 0) {
		return;
	}
	if (last != NULL && last->in + last->size == s.in && last->out + last->size == s.out &&
	    last->attr == s.attr) {
		last->size += s.size;
		return;
	}
	if (l->count == MODEL_SEGS) {
		model_fail("too many segments", 0, 0);
	}
	l->seg[l->count++] = s;
}

static struct seg seg_cut(const struct seg *s, uint64_t from, uint64_t to)
{
	struct seg r = { 0 };

	from = MAX(from, s->in);
	to = MIN(to, s->in + s->size);
	if (from < to) {
		r.in = from;
		r.size = to - from;
		r.out = s->out + (from - s->in);
		r.attr = s->attr;
	}
	return r;
}

enum shadow_op {
	SHADOW_UNMAP,
	SHADOW_MAP,
	SHADOW_PROTECT,
};

/* Replaces [in, in + size) as the operation says. */
static void shadow_change(enum shadow_op op, uint64_t in, uint64_t size, uint64_t out,
			  uint32_t attr)
{
	static struct seg_list next;
	bool placed = op != SHADOW_MAP;

	next.count = 0;
	for (size_t i = 0; i < shadow.count; i++) {
		const struct seg *s = &shadow.seg[i];
		struct seg mid = seg_cut(s, in, in + size);

		if (!placed && s->in >= in) {
			segs_append(&next, (struct seg){ in, size, out, attr });
			placed = true;
		}
		segs_append(&next, seg_cut(s, 0, in));
		if (op == SHADOW_PROTECT) {
			mid.attr = attr;
			segs_append(&next, mid);
		}
		segs_append(&next, seg_cut(s, in + size, UINT64_MAX));
	}
	if (!placed) {
		segs_append(&next, (struct seg){ in, size, out, attr });
	}
	memcpy(&shadow, &next, offsetof(struct seg_list, seg) + next.count * sizeof(next.seg[0]));
}

/* First address of the range that is mapped (or not); its end if there is none. */
static uint64_t shadow_find(uint64_t in, uint64_t size, bool mapped)
{
	uint64_t at = in;

	for (size_t i = 0; i < shadow.count; i++) {
		struct seg c = seg_cut(&shadow.seg[i], in, in + size);

		if (c.size != 0) {
			if (mapped) {
				return c.in;
			}
			if (c.in > at) {
				return at;
			}
			at = c.in + c.size;
		}
	}
	return mapped ? in + size : at;
}

/* ---- the judge: DDI 0487 D8.3, 4 KiB granule; levels as in the manual ---- */

struct ref_leaf {
	bool valid;
	int level;
	uint64_t out; /* of the leaf's first byte */
	uint64_t size;
	uint32_t attr;
	uint64_t desc;
};

static uint32_t ref_attr(bool stage2, uint64_t d)
{
	uint32_t attr = 0;

	if ((d & 0x400) == 0) {
		model_fail("access flag clear", d, 0);
	}
	if (stage2) {
		uint64_t mem = d >> 2 & 15;

		attr |= (d >> 6 & 1) != 0 ? PT_R : 0;
		attr |= (d >> 7 & 1) != 0 ? PT_W : 0;
		attr |= (d >> 53 & 3) == 0 ? PT_X : 0;
		if (mem == 1) {
			attr |= PT_DEVICE;
		} else if (mem == 5) {
			attr |= PT_UNCACHED;
		} else if (mem != 15) {
			model_fail("memory type", d, mem);
		}
	} else {
		uint64_t mair = UINT64_C(0x4404ff) >> (8 * (d >> 2 & 7)) & 0xff;

		attr |= PT_R | ((d >> 7 & 1) == 0 ? PT_W : 0);
		attr |= (d >> 54 & 1) == 0 ? PT_X : 0;
		if ((d >> 6 & 1) == 0) {
			model_fail("AP[1] is RES1", d, 0);
		}
		if (mair == 0x04) {
			attr |= PT_DEVICE;
		} else if (mair == 0x44) {
			attr |= PT_UNCACHED;
		} else if (mair != 0xff) {
			model_fail("memory type", d, mair);
		}
	}
	/* Normal memory is inner shareable. */
	if ((attr & PT_DEVICE) == 0 && (d >> 8 & 3) != 3) {
		model_fail("shareability", d, 0);
	}
	return attr;
}

static uint64_t ref_size(int level)
{
	return UINT64_C(1) << (12 + 9 * (3 - level));
}

/* What descriptor d at a level is: 0 invalid, 1 leaf, 2 table. */
static int ref_kind(uint64_t d, int level)
{
	if ((d & 1) == 0) {
		return 0;
	}
	if (level == 3) {
		return (d & 2) != 0 ? 1 : 0;
	}
	if ((d & 2) != 0) {
		return 2;
	}
	return level == 0 ? 0 : 1;
}

static struct ref_leaf ref_lookup(const struct pt *pt, uint64_t in)
{
	bool stage2 = strstr(pt->shape.fmt->name, "stage 2") != NULL;
	int level = 3 - pt->shape.root_level;
	uint64_t table = pt->root.a;
	uint64_t index = in / ref_size(level);
	struct ref_leaf r = { 0 };

	for (;; level++) {
		uint64_t d = ((const uint64_t *)hpa_to_ptr(hpa(table)))[index];
		int kind = ref_kind(d, level);

		if (kind == 0) {
			return r;
		}
		table = d & UINT64_C(0xfffffffff000);
		if (kind == 1) {
			r.valid = true;
			r.level = level;
			r.out = table;
			r.size = ref_size(level);
			r.attr = ref_attr(stage2, d);
			r.desc = d;
			return r;
		}
		index = in / ref_size(level + 1) % 512;
	}
}

static uint32_t ref_tables;

static void ref_collect(uint64_t table, int level, uint64_t entries, uint64_t base, bool stage2,
			bool root)
{
	bool empty = true;

	ref_tables += entries <= 512 ? 1 : (uint32_t)(entries / 512);
	for (uint64_t i = 0; i < entries; i++) {
		uint64_t d = ((const uint64_t *)hpa_to_ptr(hpa(table)))[i];
		uint64_t in = base + i * ref_size(level);
		uint64_t out = d & UINT64_C(0xfffffffff000);

		switch (ref_kind(d, level)) {
		case 1:
			if ((out & (ref_size(level) - 1)) != 0) {
				model_fail("address of a block", d, in);
			}
			segs_append(&actual,
				    (struct seg){ in, ref_size(level), out, ref_attr(stage2, d) });
			empty = false;
			break;
		case 2:
			if (page_owner(hpa(out)) != OWNER_HV) {
				model_fail("a table is not ours", out, page_owner(hpa(out)));
			}
			ref_collect(out, level + 1, 512, in, stage2, false);
			empty = false;
			break;
		default:
			if (d != 0) {
				model_fail("an invalid entry is not zero", d, in);
			}
			break;
		}
	}
	if (empty && !root) {
		model_fail("an empty table", table, base);
	}
}

/* The tree holds just what the shadow says, in as many tables as it admits to. */
static void check_tree(const struct pt *pt)
{
	int level = 3 - pt->shape.root_level;

	actual.count = 0;
	ref_tables = 0;
	ref_collect(pt->root.a, level, (UINT64_C(1) << pt->shape.in_bits) / ref_size(level), 0,
		    strstr(pt->shape.fmt->name, "stage 2") != NULL, true);
	for (size_t i = 0; i < MIN(actual.count, shadow.count); i++) {
		const struct seg *a = &actual.seg[i];
		const struct seg *s = &shadow.seg[i];

		if (a->in != s->in || a->size != s->size || a->out != s->out ||
		    a->attr != s->attr) {
			model_fail("a segment differs", a->in, s->in);
		}
	}
	if (actual.count != shadow.count) {
		model_fail("number of segments", actual.count, shadow.count);
	}
	if (ref_tables != pt->table_pages) {
		model_fail("number of tables", ref_tables, pt->table_pages);
	}
}

/* ---- a TLB that remembers all it can, at some addresses ---- */

#define PROBES 48

static struct {
	uint64_t in;
	struct ref_leaf cached;
} probe[PROBES];
static bool tlb_freed_seen;

static bool bbm_conflict(const struct ref_leaf *a, const struct ref_leaf *b)
{
	uint32_t type = PT_DEVICE | PT_UNCACHED;

	return a->valid && b->valid &&
	       (a->level != b->level || a->out != b->out || ((a->attr ^ b->attr) & type) != 0);
}

/* Hardware may walk at any moment: it does so at each event. */
static void tlb_observe(const struct pt *pt)
{
	for (size_t i = 0; i < PROBES; i++) {
		struct ref_leaf now = ref_lookup(pt, probe[i].in);

		if (bbm_conflict(&probe[i].cached, &now)) {
			model_fail("break-before-make", probe[i].in, now.desc);
		}
		/* Of two that differ in permissions only, the old one stays: the bad case. */
		if (now.valid && !probe[i].cached.valid) {
			probe[i].cached = now;
		}
	}
}

static void tlb_hook(struct pt *pt, enum fake_tlb_op op, const struct pt_inval *inv)
{
	tlb_observe(pt);
	if (op != FAKE_INVALIDATE) {
		return;
	}
	for (size_t i = 0; i < PROBES; i++) {
		bool hit = inv->all;

		for (uint32_t n = 0; n < inv->count; n++) {
			hit = hit || probe[i].in - inv->range[n].in < inv->range[n].size;
		}
		if (hit) {
			probe[i].cached.valid = false;
		}
	}
	/* Tables that wait to be freed still belong to us. */
	for (uint64_t t = inv->freed; t != 0; t = *(const uint64_t *)hpa_to_ptr(hpa(t))) {
		tlb_freed_seen = true;
		if (page_owner(hpa(t)) != OWNER_HV) {
			model_fail("a table was freed before the invalidation", t, 0);
		}
	}
	tlb_observe(pt);
}

/* After an operation nothing old may be remembered. */
static void tlb_check(const struct pt *pt)
{
	tlb_observe(pt);
	for (size_t i = 0; i < PROBES; i++) {
		struct ref_leaf now = ref_lookup(pt, probe[i].in);

		if (probe[i].cached.valid && (!now.valid || now.desc != probe[i].cached.desc)) {
			model_fail("an old entry survives", probe[i].in, probe[i].cached.desc);
		}
	}
}

/* Probes at the edges of what the operations touch: around `n` given addresses. */
static void tlb_start(uint64_t (*address)(void))
{
	memset(probe, 0, sizeof(probe));
	for (size_t i = 0; i < PROBES; i++) {
		probe[i].in = address();
	}
	fake_tlb_hook = tlb_hook;
}

#endif
