/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences of map, unmap and protect from bytes, on one of several shapes, with memory
 * running out at times; judged by tests/unit/pt_model.h.
 */
#include "pt_model.h"

#include <errno.h>
#include <hv/bug.h>

#include "arch/aarch64/pt_vmsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pt pt;
static const uint8_t *bytes;
static size_t left;
static uint64_t limit; /* addresses are below it */

static void model_fail(const char *what, uint64_t a, uint64_t b)
{
	fprintf(stderr, "%s: %#llx %#llx\n", what, (unsigned long long)a, (unsigned long long)b);
	abort();
}

static void check(bool ok, const char *what)
{
	if (!ok) {
		model_fail(what, 0, 0);
	}
}

static uint8_t next(void)
{
	if (left == 0) {
		return 0;
	}
	left--;
	return *bytes++;
}

/* A byte says how many of which unit: crooked sums of a few of them come cheap. */
static uint64_t next_sum(void)
{
	static const uint64_t unit[] = { PAGE_SIZE, 2 * MiB, GiB, 511 * PAGE_SIZE };
	uint64_t sum = 0;
	uint8_t b;

	do {
		b = next();
		sum += unit[b & 3] * (b >> 2 & 15);
	} while ((b & 0x80) != 0 && left != 0);
	return sum;
}

static uint64_t probe_address(void)
{
	static uint64_t n;

	n = (n + 1) * UINT64_C(0x9e3779b97f4a7c15);
	return ALIGN_DOWN(n % limit, (n >> 60) < 8 ? 2 * MiB : PAGE_SIZE);
}

static void do_map(uint64_t in, uint64_t n, uint32_t attr)
{
	uint64_t out = next_sum();
	uint64_t free_pages = page_free_count();
	uint64_t tables = pt.table_pages;
	uint64_t where = 1;
	uint64_t at;
	int ret;

	if (((in ^ out) & (2 * MiB - 1)) != 0) {
		n = MIN(n, 5 * MiB);
	}
	at = shadow_find(in, n, true);
	ret = pt_map(&pt, in, hpa(out), n, attr, &where);
	if (ret == 0) {
		check(at == in + n, "mapped over something");
		shadow_change(SHADOW_MAP, in, n, out, attr);
		return;
	}
	check(page_free_count() == free_pages && pt.table_pages == tables, "a failed map leaks");
	if (ret == -EEXIST) {
		check(at == where && at < in + n, "the wrong place");
	} else {
		check(ret == -ENOMEM || ret == -EINVAL, "an unknown error");
	}
}

static void step(void)
{
	static const uint32_t attrs[] = { PT_R,
					  PT_R | PT_W,
					  PT_R | PT_X,
					  PT_R | PT_W | PT_DEVICE,
					  PT_R | PT_W | PT_UNCACHED,
					  0,
					  PT_R | PT_W | PT_X,
					  PT_USER };
	uint8_t op = next();
	uint32_t attr = attrs[op >> 2 & 7];
	uint64_t in = next_sum() % limit;
	uint64_t n = next_sum();
	int ret;

	n = MIN(n, limit - in);

	switch (op & 3) {
	case 0:
	case 1:
		do_map(in, n, attr);
		break;
	case 2:
		ret = pt_unmap(&pt, in, n, NULL);
		if (ret == 0) {
			shadow_change(SHADOW_UNMAP, in, n, 0, 0);
		}
		check(ret == 0 || ret == -ENOMEM, "unmap");
		break;
	default:
		ret = pt_protect(&pt, in, n, attr, NULL, NULL);
		if (ret == 0) {
			check(shadow_find(in, n, false) == in + n, "protected what is not mapped");
			shadow_change(SHADOW_PROTECT, in, n, 0, attr);
		}
		break;
	}
	tlb_check(&pt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t ipa[] = { 34, 36, 40, 44 };
	struct vmsa_s2_layout l;
	struct pt_shape shape;
	uint64_t tcr, before;
	uint8_t how;

	if (size > 300) {
		return 0;
	}
	bytes = data;
	left = size;
	how = next();
	fake_ram_reset();
	/* Little memory, so that it runs out: tables for a few places only. */
	fake_ram_simple(hpa(0x80000000), (how & 8) != 0 ? 24 * PAGE_SIZE : 128 * PAGE_SIZE);
	before = page_free_count();
	if (vmsa_s2_layout(48, ipa[how & 3], false, &l) != 0 ||
	    vmsa_el2_layout(48, &shape, &tcr) != 0) {
		abort();
	}
	if ((how & 4) == 0) {
		shape = l.shape;
	}
	limit = MIN(BIT64(shape.in_bits), 40 * GiB);
	shadow.count = 0;
	if (pt_init(&pt, &shape, &fake_pt_ops, OWNER_HV) == 0) {
		tlb_start(probe_address);
		while (left != 0) {
			step();
		}
		check_tree(&pt);
		pt_destroy(&pt);
	}
	check(page_free_count() == before, "pages are lost");
	check(fake_irq_off == 0, "interrupts stay off");
	return 0;
}
