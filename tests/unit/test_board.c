/* SPDX-License-Identifier: Apache-2.0 */
/* core/board.c: from the plan's devices to ranges of the bus. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include <hv/page.h>
#include <hv/plan.h>
#include <hv/vm.h>

#include "fake_arch.h"

static struct vm vm;
static struct vm_plan plan;
static uint64_t free_before;

static int setup(void **state)
{
	(void)state;
	fake_ram_simple(hpa(0x40000000), 16 * MiB);
	free_before = page_free_count();
	memset(&vm, 0, sizeof(vm));
	memset(&plan, 0, sizeof(plan));
	vm.plan = &plan;
	bus_init(&vm.bus);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	pool_destroy(&vm.pool);
	return page_free_count() == free_before ? 0 : -1;
}

static void add(enum guest_dev_kind kind, uint64_t base, uint64_t size)
{
	plan.board.dev[plan.board.dev_count++] = (struct guest_dev){
		.kind = kind, .base = base, .size = size, .irq = 40 + plan.board.dev_count
	};
}

static uint64_t read32(uint64_t addr)
{
	struct vdev_access a = { .space = VDEV_MMIO, .width = 4, .offset = addr };

	return bus_access(&vm.bus, &a) == VDEV_OK ? a.value : UINT64_MAX;
}

static void check_range(uint32_t i, uint64_t base, uint64_t size)
{
	assert_true(i < vm.bus.count);
	assert_int_equal(vm.bus.range[i].base, base);
	assert_int_equal(vm.bus.range[i].size, size);
}

#define MAGIC 0x74726976

/* QEMU's 32 slots, in no order, make one range; each has its registers. */
static void test_row(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 32; i++) {
		add(GUEST_DEV_VIRTIO_EMPTY, 0xa000000 + i * 13 % 32 * 0x200, 0x200);
	}
	add(GUEST_DEV_GPIO_PL061, 0x9030000, 0x1000);
	assert_int_equal(board_create(&vm), 0);
	assert_int_equal(vm.bus.count, 2);
	assert_int_equal(vm.dev_count, 2);
	check_range(1, 0xa000000, 0x4000);
	for (uint32_t i = 0; i < 32; i++) {
		assert_int_equal(read32(0xa000000 + i * 0x200), MAGIC);
		assert_int_equal(read32(0xa000008 + i * 0x200), 0);
	}
	assert_int_equal(read32(0xa004000), UINT64_MAX);
	assert_int_equal(read32(0x9ffffc0), UINT64_MAX);
}

/* A hole, another size and another kind end a row. */
static void test_rows(void **state)
{
	(void)state;
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000000, 0x200);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000200, 0x200);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000600, 0x200);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000800, 0x1000);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa001800, 0x1000);
	add(GUEST_DEV_RAZ, 0xa002800, 0x200);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa002a00, 0x200);
	assert_int_equal(board_create(&vm), 0);
	assert_int_equal(vm.bus.count, 5);
	check_range(0, 0xa000000, 0x400);
	check_range(1, 0xa000600, 0x200);
	check_range(2, 0xa000800, 0x2000);
	check_range(3, 0xa002800, 0x200);
	check_range(4, 0xa002a00, 0x200);
	assert_int_equal(read32(0xa000400), UINT64_MAX);
	assert_int_equal(read32(0xa000600), MAGIC);
	assert_int_equal(read32(0xa000a00), 0);
	assert_int_equal(read32(0xa001800), MAGIC);
	assert_int_equal(read32(0xa002800), 0);
	assert_int_equal(read32(0xa002a00), MAGIC);
}

/* Sizes that a configuration may give, but no board has. */
static void test_odd_sizes(void **state)
{
	(void)state;
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000000, 0x300);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000300, 0x300);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000800, 0x100);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000900, 0x100);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xb000000, 1);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xc000000, UINT64_C(1) << 40);
	assert_int_equal(board_create(&vm), 0);
	assert_int_equal(vm.bus.count, 6);
	assert_int_equal(read32(0xa000000), MAGIC);
	assert_int_equal(read32(0xa000200), 0);
	assert_int_equal(read32(0xa000300), MAGIC);
	assert_int_equal(read32(0xa000600), UINT64_MAX);
	assert_int_equal(read32(0xa000900), MAGIC);
	assert_int_equal(read32(0xc000200), 0);
}

/* What the planner would have refused. */
static void test_refused(void **state)
{
	(void)state;
	add(GUEST_DEV_RAZ, 0xa000000, 0x1000);
	add(GUEST_DEV_VIRTIO_EMPTY, 0xa000e00, 0x200);
	assert_int_equal(board_create(&vm), -EEXIST);
	plan.board.dev_count = 0;
	add(GUEST_DEV_UART_NS16550, 0xb000000, 0x100);
	assert_int_equal(board_create(&vm), -ENOTSUP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_row, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test_setup_teardown(test_odd_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
