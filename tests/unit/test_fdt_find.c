/* SPDX-License-Identifier: Apache-2.0 */
/* lib/fdt_find.c: devices of QEMU's board and of an RK3588 by physical range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/fdt_find.h>
#include <libfdt.h>

static uint8_t tree[64 * 1024] __attribute__((aligned(8)));
static struct fdt_found found[8];

static void load(const char *name)
{
	static uint8_t raw[32 * 1024];
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.dtb", TEST_DATA, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	assert_true(fread(raw, 1, sizeof(raw), f) > 0);
	fclose(f);
	assert_int_equal(fdt_open_into(raw, tree, sizeof(tree)), 0);
	assert_int_equal(fdt_pack(tree), 0);
}

static uint32_t find(uint64_t base, uint64_t size)
{
	memset(found, 0xa5, sizeof(found));
	return fdt_find_devices(tree, base, size, found, 8);
}

static void test_one(void **state)
{
	(void)state;
	load("qemu-gicv2");
	assert_int_equal(find(0x9000000, 0x1000), 1);
	assert_int_equal(found[0].base, 0x9000000);
	assert_int_equal(found[0].size, 0x1000);
	assert_int_equal(found[0].irq_count, 1);
	assert_int_equal(found[0].irq[0].intid, 33);
	assert_int_equal(found[0].irq[0].trigger, IRQ_LEVEL);
	assert_string_equal(found[0].path, "/pl011@9000000");
	assert_false(found[0].dma);
	assert_false(found[0].coherent);
	/* Its last byte will do. */
	assert_int_equal(find(0x9000fff, 1), 1);
	assert_int_equal(find(0x8ffffff, 1), 0);
}

static void test_several(void **state)
{
	(void)state;
	load("qemu-gicv2");
	assert_int_equal(find(0xa003000, 0x1000), 2);
	assert_int_equal(found[0].base, 0xa003c00);
	assert_int_equal(found[1].base, 0xa003e00);
	assert_int_equal(found[1].irq[0].intid, 79);
	assert_int_equal(found[1].irq[0].trigger, IRQ_EDGE);
	assert_true(found[1].dma);
	assert_true(found[1].coherent);
	/* Counted, though there is no room for all. */
	assert_int_equal(fdt_find_devices(tree, 0xa003000, 0x1000, found, 1), 2);
	assert_int_equal(fdt_find_devices(tree, 0xa003000, 0x1000, NULL, 0), 2);
}

static void test_no_devices(void **state)
{
	(void)state;
	load("qemu-gicv2");
	assert_int_equal(find(0x40000000, 0x1000), 0); /* RAM */
	assert_int_equal(find(0, 2), 1);	       /* flash; no core has address 0 or 1 */
	assert_string_equal(found[0].path, "/flash@0");
	assert_int_equal(find(0xfffffffff000, 0x1000), 0);
}

static void test_disabled(void **state)
{
	int node;

	(void)state;
	load("qemu-gicv2");
	node = fdt_path_offset(tree, "/pl011@9000000");
	assert_true(node >= 0);
	assert_int_equal(fdt_open_into(tree, tree, sizeof(tree)), 0);
	node = fdt_path_offset(tree, "/pl011@9000000");
	assert_int_equal(fdt_setprop_string(tree, node, "status", "disabled"), 0);
	assert_int_equal(find(0x9000000, 0x1000), 0);
}

static void test_clustered_board(void **state)
{
	(void)state;
	load("board-rk3588");
	assert_int_equal(find(0xfeb50000, 0x100), 1);
	assert_int_equal(found[0].irq[0].intid, 365);
	assert_false(found[0].dma);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one),
		cmocka_unit_test(test_several),
		cmocka_unit_test(test_no_devices),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_clustered_board),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
