/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/stage2.c: only a VM's own frames become its RAM, every access to guest memory is
 * checked byte by byte, VMIDs and pages come back.
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
#include <hv/stage2.h>

#include "arch/aarch64/pt_vmsa.h"

#define BASE UINT64_C(0x80000000)
#define GPA  UINT64_C(0x40000000)
#define ME   OWNER_VM(2)

static struct stage2 s2;
static struct pt_shape shape;
static uint64_t free_before;

static int setup(void **state)
{
	struct vmsa_s2_layout l;

	(void)state;
	fake_ram_reset();
	fake_ram_simple(hpa(BASE), 16 * MiB);
	vmid_init(8);
	if (vmsa_s2_layout(40, 40, false, &l) != 0) {
		return -1;
	}
	shape = l.shape;
	free_before = page_free_count();
	return stage2_create(&s2, &shape, &fake_pt_ops, ME);
}

static int teardown(void **state)
{
	(void)state;
	stage2_destroy(&s2);
	page_free_range(ME, hpa(BASE), page_owner_count(ME) * PAGE_SIZE);
	if (page_free_count() != free_before || fake_irq_off != 0) {
		return -1;
	}
	fake_ram_reset();
	return 0;
}

/* The first `n` frames of RAM are the VM's. */
static void own(uint64_t n)
{
	assert_int_equal(page_alloc_range(ME, hpa(BASE), n * PAGE_SIZE, NULL), 0);
	memset(hpa_to_ptr(hpa(BASE)), 0x11, n * PAGE_SIZE);
}

static void test_map_ram(void **state)
{
	struct stage2_why why = { 0 };
	uint64_t len;
	uint32_t attr;
	hpa_t out;

	(void)state;
	own(16);
	assert_int_equal(page_alloc_range(OWNER_VM(1), hpa(BASE + 16 * PAGE_SIZE), PAGE_SIZE, NULL),
			 0);
	/* The neighbour's frame, a free one, the hypervisor's, none at all. */
	assert_int_equal(stage2_map_ram(&s2, gpa(GPA), hpa(BASE), 17 * PAGE_SIZE, PT_R, &why),
			 -EPERM);
	assert_int_equal(why.gpa.a, GPA + 16 * PAGE_SIZE);
	assert_int_equal(why.hpa.a, BASE + 16 * PAGE_SIZE);
	assert_int_equal(why.owner, OWNER_VM(1));
	assert_int_equal(
		stage2_map_ram(&s2, gpa(GPA), hpa(BASE + 17 * PAGE_SIZE), PAGE_SIZE, PT_R, &why),
		-EPERM);
	assert_int_equal(why.owner, OWNER_FREE);
	assert_int_equal(stage2_map_ram(&s2, gpa(GPA), s2.pt.root, PAGE_SIZE, PT_R, &why), -EPERM);
	assert_int_equal(why.owner, OWNER_HV);
	assert_int_equal(stage2_map_ram(&s2, gpa(GPA), hpa(0x9000000), PAGE_SIZE, PT_R, &why),
			 -EPERM);
	assert_int_equal(why.owner, OWNER_NONE);
	assert_int_equal(stage2_map_ram(&s2, gpa(GPA), hpa(BASE + 5), PAGE_SIZE, PT_R, &why),
			 -EPERM);
	assert_int_equal(
		stage2_map_ram(&s2, gpa(GPA), hpa(BASE), PAGE_SIZE, PT_R | PT_DEVICE, NULL),
		-EINVAL);
	assert_int_equal(stage2_translate(&s2, gpa(GPA), NULL, NULL, NULL), -EFAULT);
	assert_int_equal(s2.pt.table_pages, 2);

	assert_int_equal(
		stage2_map_ram(&s2, gpa(GPA), hpa(BASE), 16 * PAGE_SIZE, PT_R | PT_W, &why), 0);
	assert_int_equal(
		stage2_map_ram(&s2, gpa(GPA - PAGE_SIZE), hpa(BASE), 3 * PAGE_SIZE, PT_R, &why),
		-EEXIST);
	assert_int_equal(why.gpa.a, GPA);
	assert_int_equal(why.hpa.a, BASE + PAGE_SIZE);
	assert_int_equal(stage2_translate(&s2, gpa(GPA + 0x1234), &len, &out, &attr), 0);
	assert_int_equal(out.a, BASE + 0x1234);
	assert_int_equal(len, PAGE_SIZE - 0x234);
	assert_int_equal(attr, PT_R | PT_W);
	assert_true(stage2_allows(&s2, gpa(GPA), PT_W));
	assert_false(stage2_allows(&s2, gpa(GPA), PT_X));
	assert_false(stage2_allows(&s2, gpa(GPA - 1), PT_R));
	assert_int_equal(stage2_protect(&s2, gpa(GPA), PAGE_SIZE, PT_R | PT_X, NULL), 0);
	assert_true(stage2_allows(&s2, gpa(GPA), PT_X));
	assert_false(stage2_allows(&s2, gpa(GPA), PT_W));
	assert_int_equal(stage2_unmap(&s2, gpa(GPA), 16 * PAGE_SIZE), 0);
	assert_int_equal(s2.pt.table_pages, 2);
	page_free(OWNER_VM(1), hpa(BASE + 16 * PAGE_SIZE), 0);
}

static void test_map_device(void **state)
{
	struct stage2_why why;
	uint32_t attr;
	uint8_t buf[4] = { 0 };

	(void)state;
	own(1);
	assert_int_equal(stage2_map_device(&s2, gpa(0x9000000), hpa(0x9000000), PAGE_SIZE,
					   PT_R | PT_W, &why),
			 0);
	assert_int_equal(stage2_translate(&s2, gpa(0x9000000), NULL, NULL, &attr), 0);
	assert_int_equal(attr, PT_R | PT_W | PT_DEVICE);
	/* Never RAM, not even the VM's own; not over the edge of a bank either. */
	assert_int_equal(stage2_map_device(&s2, gpa(0), hpa(BASE), PAGE_SIZE, PT_R, &why), -EPERM);
	assert_int_equal(why.owner, ME);
	assert_int_equal(
		stage2_map_device(&s2, gpa(0), hpa(BASE - PAGE_SIZE), 2 * PAGE_SIZE, PT_R, &why),
		-EPERM);
	assert_int_equal(why.hpa.a, BASE);
	assert_int_equal(why.gpa.a, PAGE_SIZE);
	assert_int_equal(
		stage2_map_device(&s2, gpa(0), hpa(BASE + 16 * MiB), PAGE_SIZE, PT_R, &why), 0);
	assert_int_equal(stage2_map_device(&s2, gpa(GPA), hpa(0), PAGE_SIZE, PT_R | PT_X, &why),
			 -EINVAL);
	assert_int_equal(
		stage2_map_device(&s2, gpa(GPA), hpa(BASE - PAGE_SIZE), -PAGE_SIZE, PT_R, &why),
		-EPERM);
	/* The hypervisor does not touch a device on a guest's behalf. */
	assert_int_equal(gpa_read(&s2, gpa(0x9000000), buf, 4), -EFAULT);
	assert_int_equal(gpa_write(&s2, gpa(0x9000000), buf, 4), -EFAULT);
	assert_int_equal(gpa_zero(&s2, gpa(0x9000000), 4), -EFAULT);
	assert_int_equal(gpa_load(&s2, gpa(0x9000000), buf, 4), -EFAULT);
	/* RAM first, then the device: refused where the device begins. */
	assert_int_equal(stage2_map_ram(&s2, gpa(0x8fff000), hpa(BASE), PAGE_SIZE, PT_R, NULL), 0);
	assert_int_equal(gpa_read(&s2, gpa(0x8fffffd), buf, 3), 0);
	assert_int_equal(gpa_read(&s2, gpa(0x8fffffd), buf, 4), -EFAULT);
}

/* Frames in another order than the guest's pages: accesses must follow the tables. */
static void map_shuffled(void)
{
	static const uint8_t order[] = { 3, 0, 2, 1 };

	own(8);
	for (uint64_t i = 0; i < ARRAY_SIZE(order); i++) {
		assert_int_equal(stage2_map_ram(&s2, gpa(GPA + i * PAGE_SIZE),
						hpa(BASE + order[i] * PAGE_SIZE), PAGE_SIZE,
						PT_R | PT_W, NULL),
				 0);
	}
}

static void test_access(void **state)
{
	static uint8_t model[4 * 4096];
	static uint8_t got[4 * 4096];
	uint32_t seed = 7;

	(void)state;
	map_shuffled();
	memset(model, 0x11, sizeof(model));
	for (int step = 0; step < 2000; step++) {
		uint32_t at = (seed = seed * 1664525 + 1013904223) >> 8;
		uint32_t n;

		at %= (uint32_t)sizeof(model);
		n = ((seed = seed * 1664525 + 1013904223) >> 8) % 9000;
		n = MIN(n, (uint32_t)sizeof(model) - at);
		switch (seed >> 5 & 3) {
		case 0:
			for (uint32_t i = 0; i < n; i++) {
				model[at + i] = (uint8_t)(seed + i);
			}
			assert_int_equal(gpa_write(&s2, gpa(GPA + at), model + at, n), 0);
			break;
		case 1:
			memset(model + at, 0, n);
			assert_int_equal(gpa_zero(&s2, gpa(GPA + at), n), 0);
			break;
		default:
			assert_int_equal(gpa_read(&s2, gpa(GPA + at), got, n), 0);
			assert_memory_equal(got, model + at, n);
			break;
		}
	}
	/* Frame 3 is guest page 0. */
	assert_memory_equal(hpa_to_ptr(hpa(BASE + 3 * PAGE_SIZE)), model, PAGE_SIZE);
	/* Not mapped into the guest: untouched. */
	for (uint64_t i = 4 * PAGE_SIZE; i < 8 * PAGE_SIZE; i++) {
		assert_int_equal(*(uint8_t *)hpa_to_ptr(hpa(BASE + i)), 0x11);
	}
}

static void test_access_refused(void **state)
{
	uint8_t *buf = calloc(1, 2 * PAGE_SIZE);

	(void)state;
	map_shuffled();
	assert_int_equal(gpa_read(&s2, gpa(GPA + 4 * PAGE_SIZE - 1), buf, 1), 0);
	assert_int_equal(gpa_read(&s2, gpa(GPA + 4 * PAGE_SIZE - 1), buf, 2), -EFAULT);
	assert_int_equal(gpa_read(&s2, gpa(GPA - 1), buf, 2), -EFAULT);
	assert_int_equal(gpa_write(&s2, gpa(GPA + 4 * PAGE_SIZE), buf, 1), -EFAULT);
	/* The ends of the address spaces. */
	assert_int_equal(gpa_read(&s2, gpa(UINT64_MAX), buf, 2), -EFAULT);
	assert_int_equal(gpa_read(&s2, gpa(BIT64(40) - 1), buf, 2), -EFAULT);
	assert_int_equal(gpa_zero(&s2, gpa(GPA), UINT64_MAX), -EFAULT);
	assert_int_equal(stage2_map_ram(&s2, gpa(BIT64(40) - PAGE_SIZE), hpa(BASE + 4 * PAGE_SIZE),
					PAGE_SIZE, PT_R | PT_W, NULL),
			 0);
	assert_int_equal(gpa_read(&s2, gpa(BIT64(40) - 1), buf, 1), 0);
	assert_int_equal(gpa_write(&s2, gpa(BIT64(40) - 1), buf, 2), -EFAULT);
	/* Nothing of length 0 can be wrong. */
	assert_int_equal(gpa_read(&s2, gpa(UINT64_MAX), NULL, 0), 0);
	/* Permissions of the region. */
	assert_int_equal(stage2_protect(&s2, gpa(GPA + PAGE_SIZE), PAGE_SIZE, PT_R, NULL), 0);
	assert_int_equal(stage2_protect(&s2, gpa(GPA + 2 * PAGE_SIZE), PAGE_SIZE, PT_W, NULL), 0);
	assert_int_equal(gpa_write(&s2, gpa(GPA + PAGE_SIZE - 1), buf, 1), 0);
	assert_int_equal(gpa_write(&s2, gpa(GPA + PAGE_SIZE - 1), buf, 2), -EFAULT);
	assert_int_equal(gpa_zero(&s2, gpa(GPA + PAGE_SIZE), 1), -EFAULT);
	assert_int_equal(gpa_read(&s2, gpa(GPA + PAGE_SIZE), buf, PAGE_SIZE), 0);
	assert_int_equal(gpa_read(&s2, gpa(GPA + PAGE_SIZE), buf, PAGE_SIZE + 1), -EFAULT);
	assert_int_equal(gpa_write(&s2, gpa(GPA + 2 * PAGE_SIZE), buf, PAGE_SIZE), 0);
	/* Loading an image is not the guest's write. */
	memset(buf, 0x77, PAGE_SIZE);
	assert_int_equal(gpa_load(&s2, gpa(GPA + PAGE_SIZE), buf, PAGE_SIZE), 0);
	assert_int_equal(*(uint8_t *)hpa_to_ptr(hpa(BASE)), 0x77);
	assert_int_equal(gpa_load_zero(&s2, gpa(GPA + PAGE_SIZE), PAGE_SIZE), 0);
	assert_int_equal(*(uint8_t *)hpa_to_ptr(hpa(BASE)), 0);
	assert_int_equal(gpa_load(&s2, gpa(GPA - 1), buf, 1), -EFAULT);
	/* Each access is checked anew. */
	assert_int_equal(stage2_unmap(&s2, gpa(GPA), PAGE_SIZE), 0);
	assert_int_equal(gpa_read(&s2, gpa(GPA), buf, 1), -EFAULT);
	free(buf);
}

static void test_walk(void **state)
{
	struct pt_walk w;

	(void)state;
	own(1);
	assert_int_equal(stage2_map_ram(&s2, gpa(GPA), hpa(BASE), PAGE_SIZE, PT_R, NULL), 0);
	stage2_walk(&s2, gpa(GPA), &w);
	assert_true(w.mapped);
	assert_int_equal(w.steps, 3);
	assert_int_equal(w.step[0].at.a, s2.pt.root.a + 8);
	stage2_walk(&s2, gpa(GPA + PAGE_SIZE), &w);
	assert_false(w.mapped);
	assert_int_equal(w.steps, 3);
	assert_int_equal(w.step[2].entry, 0);
	stage2_walk(&s2, gpa(2 * GPA), &w);
	assert_int_equal(w.steps, 1);
	stage2_walk(&s2, gpa(UINT64_MAX), &w);
	assert_int_equal(w.steps, 0);
}

static void test_create(void **state)
{
	struct stage2 other;
	uint16_t ids[256];
	uint16_t more;
	uint32_t n = 0;

	(void)state;
	assert_int_equal(s2.vmid, 1);
	while (vmid_alloc(&ids[n]) == 0) {
		assert_true(ids[n] != 0 && ids[n] < 256);
		n++;
	}
	assert_int_equal(n, 254);
	assert_int_equal(stage2_create(&other, &shape, &fake_pt_ops, OWNER_VM(3)), -ENOSPC);
	assert_int_equal(page_free_count(), free_before - 2);
	vmid_free(ids[7]);
	shape.root_level = 1;
	assert_int_equal(stage2_create(&other, &shape, &fake_pt_ops, OWNER_VM(3)), -EINVAL);
	shape.root_level = 2;
	assert_int_equal(stage2_create(&other, &shape, &fake_pt_ops, OWNER_VM(3)), 0);
	assert_int_equal(other.vmid, ids[7]);
	assert_int_equal(vmid_alloc(&more), -ENOSPC);
	/* Everything of the tree is invalidated before the number is free again. */
	fake_tlb_reset();
	stage2_destroy(&other);
	assert_int_equal(fake_tlb[0].op, FAKE_INVALIDATE);
	assert_true(fake_tlb[0].inv.all);
	assert_int_equal(vmid_alloc(&more), 0);
	assert_int_equal(more, ids[7]);
	for (uint32_t i = 0; i < n; i++) {
		vmid_free(ids[i]);
	}
	/* A number just freed is not the next one given. */
	assert_int_equal(vmid_alloc(&more), 0);
	vmid_free(more);
	assert_int_equal(vmid_alloc(&ids[0]), 0);
	assert_int_not_equal(ids[0], more);
	vmid_free(ids[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_map_ram, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_device, setup, teardown),
		cmocka_unit_test_setup_teardown(test_access, setup, teardown),
		cmocka_unit_test_setup_teardown(test_access_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
