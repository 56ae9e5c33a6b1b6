/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to the bytes in a guest's memory, through real stage-2 tables. */
#include "plan_rig.h"

#include "arch/aarch64/pt_vmsa.h"
#include "fake_arch.h"
#include "fake_cache.h"

#include <hv/page.h>
#include <hv/stage2.h>

#define HOST_RAM 0x40000000
#define VM_OWNER OWNER_VM(1)

static struct stage2 s2;
static uint64_t work[64 * 1024];
static uint8_t *kernel;
static uint8_t ramdisk[5000];
static uint8_t buf[3 * 1024 * 1024];

#define KERNEL_SIZE (2 * 1024 * 1024 + 4321)

/* The guest's RAM in two pieces that are not neighbours on the host. */
static void map_ram(uint64_t gpa_base, uint64_t size)
{
	hpa_t pa;

	while (size > 0) {
		assert_int_equal(page_alloc(VM_OWNER, 9, &pa), 0);
		assert_int_equal(
			stage2_map_ram(&s2, gpa(gpa_base), pa, 2 * MiB, PT_R | PT_W | PT_X, NULL),
			0);
		gpa_base += 2 * MiB;
		size -= 2 * MiB;
		/* Keep the next block from being its neighbour. */
		assert_int_equal(page_alloc(OWNER_HV, 9, &pa), 0);
	}
}

static int setup(void **state)
{
	struct vmsa_s2_layout l;

	rig_setup(state);
	fake_ram_reset();
	fake_ram_simple(hpa(HOST_RAM), 64 * MiB);
	vmid_init(8);
	assert_int_equal(vmsa_s2_layout(40, 40, false, &l), 0);
	assert_int_equal(stage2_create(&s2, &l.shape, &fake_pt_ops, VM_OWNER), 0);
	map_ram(0x40000000, 8 * MiB);
	assert_int_equal(gpa_zero(&s2, gpa(0x40000000), 8 * MiB), 0);
	fake_cache_count = 0;

	kernel = malloc(KERNEL_SIZE);
	for (uint32_t i = 0; i < KERNEL_SIZE; i++) {
		kernel[i] = (uint8_t)(i * 2654435761U >> 24);
	}
	for (uint32_t i = 0; i < sizeof(ramdisk); i++) {
		ramdisk[i] = (uint8_t)(i * 7);
	}
	put_arm64_header(kernel, 0, KERNEL_SIZE + 100);
	rig_add("kernel.bin", kernel, KERNEL_SIZE);
	rig_add("ramdisk", ramdisk, sizeof(ramdisk));
	rig_cfg.memory[0].size = 8 * MiB;
	snprintf(rig_cfg.ramdisk.path, VM_PATH_MAX, "ramdisk");
	assert_int_equal(rig_run(&rig_machine), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(kernel);
	stage2_destroy(&s2);
	fake_ram_reset();
	return 0;
}

static int load(struct vm_loader *l)
{
	int more;
	int steps = 0;

	vm_load_start(l, &rig_plan, &rig_store.store, &s2, work, sizeof(work), &rig_sink.sink);
	do {
		more = vm_load_step(l);
		assert_true(++steps < 100);
	} while (more > 0);
	vm_load_end(l);
	assert_int_equal(rig_store.opened, 0);
	return more;
}

static void holds(uint64_t gpa_base, const void *data, size_t len)
{
	uint64_t at = 0;

	assert_int_equal(gpa_read(&s2, gpa(gpa_base), buf, len), 0);
	assert_memory_equal(buf, data, len);
	while (at < len) {
		uint64_t left;
		hpa_t pa;

		assert_int_equal(stage2_translate(&s2, gpa(gpa_base + at), &left, &pa, NULL), 0);
		left = MIN(left, len - at);
		if (!fake_cache_covers(hpa_to_ptr(pa), (size_t)left)) {
			fail_msg("no cache maintenance at 0x%lx", gpa_base + at);
		}
		at += left;
	}
}

static void test_load(void **state)
{
	struct vm_loader l;
	const void *tree;
	int chosen, len;

	(void)state;
	assert_int_equal(load(&l), 0);
	holds(0x40080000, kernel, KERNEL_SIZE);
	holds(rig_plan.image[PLAN_RAMDISK].base, ramdisk, sizeof(ramdisk));
	/* Not a byte more: what follows is still zero. */
	assert_int_equal(gpa_read(&s2, gpa(0x40080000 + KERNEL_SIZE), buf, 4096), 0);
	for (int i = 0; i < 4096; i++) {
		assert_int_equal(buf[i], 0);
	}
	assert_int_equal(
		gpa_read(&s2, gpa(rig_plan.dtb_gpa), buf, (size_t)rig_plan.image[PLAN_DTB].size),
		0);
	tree = buf;
	assert_int_equal(fdt_check_full(tree, (size_t)rig_plan.image[PLAN_DTB].size), 0);
	chosen = fdt_path_offset(tree, "/chosen");
	const fdt64_t *start = fdt_getprop(tree, chosen, "linux,initrd-start", &len);

	assert_int_equal(fdt64_ld(start), rig_plan.image[PLAN_RAMDISK].base);
}

/* Again, as at a reset. */
static void test_reload(void **state)
{
	struct vm_loader l;

	(void)state;
	assert_int_equal(load(&l), 0);
	assert_int_equal(gpa_zero(&s2, gpa(0x40000000), 8 * MiB), 0);
	fake_cache_count = 0;
	assert_int_equal(load(&l), 0);
	holds(0x40080000, kernel, KERNEL_SIZE);
}

static void test_steps_are_bounded(void **state)
{
	struct vm_loader l;
	size_t before;
	int more;

	(void)state;
	vm_load_start(&l, &rig_plan, &rig_store.store, &s2, work, sizeof(work), &rig_sink.sink);
	do {
		uint32_t from = fake_cache_count;

		more = vm_load_step(&l);
		before = 0;
		for (uint32_t i = from; i < fake_cache_count; i++) {
			before += fake_cache[i].len;
		}
		assert_true(before <= IMAGE_STEP);
	} while (more > 0);
	assert_int_equal(more, 0);
	vm_load_end(&l);
}

static void test_file_changed(void **state)
{
	struct vm_loader l;

	(void)state;
	rig_store.file[0].size -= 1;
	assert_int_equal(load(&l), -EIO);
	assert_said(&rig_sink, DIAG_ERROR, "\"kernel.bin\" is not the file any more");
	rig_store.file[0].size += 1;
	put64(kernel + 0x10, 0x700000);
	assert_int_equal(load(&l), -EIO);
	rig_store.file[0].path = "gone";
	assert_int_equal(load(&l), -ENOENT);
}

static void test_not_mapped(void **state)
{
	struct vm_loader l;

	(void)state;
	assert_int_equal(stage2_unmap(&s2, gpa(0x40200000), 2 * MiB), 0);
	assert_int_equal(load(&l), -EFAULT);
	assert_said(&rig_sink, DIAG_ERROR, "guest address 0x40200000 is not mapped");
}

/* Segments apart, with BSS to be zeroed, whatever was there. */
static void test_elf(void **state)
{
	const struct test_phdr text = { 1, 0x1000, 0x40100000, 0x40100000, 0x800, 0x800, 0x1000 };
	const struct test_phdr data = { 1, 0x1800, 0x401ff000, 0x401ff000, 0x123, 0x3000, 0x1000 };
	struct vm_loader l;

	(void)state;
	put_elf(kernel, 2, 183, 0x40100010, 2);
	put_phdr(kernel + 64, &text);
	put_phdr(kernel + 120, &data);
	rig_store.file[0].size = 0x2000;
	rig_cfg.kernel.load_addr.has = false;
	rig_cfg.entry_point.has = false;
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.entry, 0x40100010);
	assert_false(rig_plan.image[PLAN_DTB].present);
	memset(buf, 0xee, 0x8000);
	assert_int_equal(gpa_write(&s2, gpa(0x401ff000), buf, 0x4000), 0);
	assert_int_equal(load(&l), 0);
	holds(0x40100000, kernel + 0x1000, 0x800);
	holds(0x401ff000, kernel + 0x1800, 0x123);
	assert_int_equal(gpa_read(&s2, gpa(0x401ff000), buf, 0x4000), 0);
	for (int i = 0x123; i < 0x3000; i++) {
		assert_int_equal(buf[i], 0);
	}
	assert_int_equal(buf[0x3000], 0xee);
}

static uint64_t user_dtb[1024];

static void test_given_dtb(void **state)
{
	struct vm_loader l;
	int len;

	(void)state;
	assert_int_equal(fdt_create_empty_tree(user_dtb, sizeof(user_dtb)), 0);
	rig_add("user.dtb", user_dtb, sizeof(user_dtb));
	snprintf(rig_cfg.dtb.path, VM_PATH_MAX, "user.dtb");
	rig_addr(&rig_cfg.dtb.load_addr, 0x40000000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(load(&l), 0);
	assert_int_equal(gpa_read(&s2, gpa(0x40000000), buf, 0x2000), 0);
	assert_int_equal(fdt_check_full(buf, 0x2000), 0);
	assert_int_equal(fdt_totalsize(buf), rig_plan.image[PLAN_DTB].size);
	assert_non_null(fdt_getprop(buf, fdt_path_offset(buf, "/cpus/cpu@0"), "reg", &len));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reload, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_file_changed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_not_mapped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_elf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_given_dtb, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
