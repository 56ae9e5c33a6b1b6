/* SPDX-License-Identifier: Apache-2.0 */
/* Guest device trees: read, patched and generated, judged by libfdt. */
#include "image_test.h"

#include <errno.h>
#include <hv/fdt_guest.h>
#include <libfdt.h>
#include <stdlib.h>

#define CAP (128 * 1024)

static struct test_sink sink;
static struct image_site site;
static uint8_t *tree; /* CAP bytes from malloc: ASan sees what runs over */
static struct guest_board board;
static struct fdt_facts facts;

static int setup(void **state)
{
	(void)state;
	test_sink_init(&sink);
	site = test_site(&sink);
	tree = calloc(1, CAP);
	memset(&board, 0, sizeof(board));
	board.arch = VM_ARCH_AARCH64;
	board.cpu_count = 2;
	board.cpu_hwid[1] = 0x100;
	board.ram_count = 2;
	board.ram[0] = (struct guest_range){ 0x40000000, 0x1000000 };
	board.ram[1] = (struct guest_range){ 0x880000000, 0x40000000 };
	board.intc.kind = GUEST_INTC_GICV2;
	board.intc.dist = (struct guest_range){ 0x8000000, 0x10000 };
	board.intc.cpu = (struct guest_range){ 0x8010000, 0x10000 };
	board.dev_count = 4;
	board.dev[0] = (struct guest_dev){ .kind = GUEST_DEV_UART_PL011,
					   .base = 0x9000000,
					   .size = 0x1000,
					   .irq = 33,
					   .console = true };
	board.dev[1] = (struct guest_dev){
		.kind = GUEST_DEV_RTC_PL031, .base = 0x9010000, .size = 0x1000, .irq = 34
	};
	board.dev[2] = (struct guest_dev){
		.kind = GUEST_DEV_VIRTIO_EMPTY, .base = 0xa000000, .size = 0x200, .irq = 48
	};
	board.dev[3] = (struct guest_dev){
		.kind = GUEST_DEV_RAZ, .base = 0x8020000, .size = 0x10000, .irq = GUEST_IRQ_NONE
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(tree);
	return 0;
}

/* ---- Looking at trees ---- */

static int node_at(const char *path)
{
	int node = fdt_path_offset(tree, path);

	if (node < 0) {
		fail_msg("%s: %s", path, fdt_strerror(node));
	}
	return node;
}

static void no_node(const char *path)
{
	assert_int_equal(fdt_path_offset(tree, path), -FDT_ERR_NOTFOUND);
}

static void prop_is(const char *path, const char *prop, const void *want, size_t len)
{
	int n;
	const void *p = fdt_getprop(tree, node_at(path), prop, &n);

	if (p == NULL || (size_t)n != len || memcmp(p, want, len) != 0) {
		fail_msg("%s:%s is not as wanted (%d bytes)", path, prop, n);
	}
}

static void str_is(const char *path, const char *prop, const char *want)
{
	prop_is(path, prop, want, strlen(want) + 1);
}

static void cells_are(const char *path, const char *prop, const uint32_t *want, size_t count)
{
	fdt32_t be[16];

	for (size_t i = 0; i < count; i++) {
		be[i] = cpu_to_fdt32(want[i]);
	}
	prop_is(path, prop, be, count * 4);
}

#define CELLS(path, prop, ...)                                   \
	cells_are(path, prop, (const uint32_t[]){ __VA_ARGS__ }, \
		  sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void no_prop(const char *path, const char *prop)
{
	assert_null(fdt_getprop(tree, node_at(path), prop, NULL));
}

/* ---- A tree as a user might give it ---- */

static void w_cells(const char *prop, const uint32_t *v, size_t count)
{
	fdt32_t be[16];

	for (size_t i = 0; i < count; i++) {
		be[i] = cpu_to_fdt32(v[i]);
	}
	assert_int_equal(fdt_property(tree, prop, be, (int)(4 * count)), 0);
}

#define W_CELLS(prop, ...)                               \
	w_cells(prop, (const uint32_t[]){ __VA_ARGS__ }, \
		sizeof((const uint32_t[]){ __VA_ARGS__ }) / sizeof(uint32_t))

static void w_begin(const char *name)
{
	assert_int_equal(fdt_begin_node(tree, name), 0);
}

static void w_str(const char *prop, const char *v)
{
	assert_int_equal(fdt_property(tree, prop, v, (int)strlen(v) + 1), 0);
}

static void w_end(void)
{
	assert_int_equal(fdt_end_node(tree), 0);
}

static void w_cpu(const char *name, uint32_t reg)
{
	w_begin(name);
	w_str("device_type", "cpu");
	w_str("compatible", "arm,cortex-a57");
	w_str("enable-method", "spin-table");
	W_CELLS("cpu-release-addr", 0, 0x1000);
	W_CELLS("reg", reg);
	w_end();
}

static void w_devices(void)
{
	w_begin("soc");
	W_CELLS("#address-cells", 1);
	W_CELLS("#size-cells", 1);
	/* bus 0 is at 0x8000000 */
	W_CELLS("ranges", 0, 0, 0x8000000, 0x4000000);
	w_begin("intc@0");
	w_str("compatible", "arm,gic-400");
	W_CELLS("#interrupt-cells", 3);
	w_cells("interrupt-controller", NULL, 0);
	W_CELLS("phandle", 7);
	W_CELLS("reg", 0, 0x1000, 0x10000, 0x2000);
	w_end();
	w_begin("pl011@1000000");
	w_str("compatible", "arm,pl011");
	W_CELLS("reg", 0x1000000, 0x1000);
	W_CELLS("interrupts", 0, 5, 4);
	w_end();
	w_begin("uart@1040000");
	w_str("compatible", "snps,dw-apb-uart");
	W_CELLS("reg", 0x1040000, 0x100);
	W_CELLS("reg-shift", 2);
	W_CELLS("reg-io-width", 4);
	W_CELLS("interrupts", 0, 8, 4);
	w_end();
	w_begin("rtc@1050000");
	w_str("compatible", "arm,pl031");
	w_str("status", "disabled");
	W_CELLS("reg", 0x1050000, 0x1000);
	w_end();
	w_end();
}

static size_t user_tree(void)
{
	assert_int_equal(fdt_create(tree, 16384), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	w_begin("");
	W_CELLS("#address-cells", 2);
	W_CELLS("#size-cells", 2);
	W_CELLS("interrupt-parent", 7);
	w_begin("memory@80000000");
	w_str("device_type", "memory");
	W_CELLS("reg", 0, 0x80000000, 0, 0x40000000);
	w_end();
	w_begin("memory-controller@0");
	W_CELLS("reg", 0, 0, 0, 1);
	w_end();
	w_begin("memory");
	w_str("device_type", "memory");
	w_end();
	w_begin("chosen");
	w_str("bootargs", "console=ttyAMA0 root=/dev/vda");
	w_str("stdout-path", "/soc/uart@1040000:115200n8");
	W_CELLS("rng-seed", 1, 2, 3, 4);
	W_CELLS("linux,initrd-start", 0x1234);
	W_CELLS("linux,initrd-end", 0x5678);
	w_end();
	w_begin("cpus");
	W_CELLS("#address-cells", 1);
	W_CELLS("#size-cells", 0);
	w_begin("cpu-map");
	w_end();
	w_cpu("cpu@0", 0);
	w_cpu("cpu@1", 1);
	w_cpu("cpu@2", 2);
	w_end();
	w_begin("psci");
	w_str("compatible", "arm,psci");
	w_str("method", "smc");
	W_CELLS("cpu_on", 0xdead);
	w_end();
	w_devices();
	w_end();
	assert_int_equal(fdt_finish(tree), 0);
	return fdt_totalsize(tree);
}

/* ---- Patching ---- */

static void test_patch(void **state)
{
	size_t size, first, before = user_tree();

	(void)state;
	board.initrd_start = 0x44000000;
	board.initrd_end = 0x44100000;
	assert_int_equal(fdt_guest_check(tree, before, &site), 0);
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), 0);
	assert_int_equal(fdt_check_full(tree, size), 0);
	assert_int_equal(fdt_totalsize(tree), size);
	assert_true(size <= before + FDT_GUEST_GROWTH);

	CELLS("/memory@40000000", "reg", 0, 0x40000000, 0, 0x1000000);
	str_is("/memory@40000000", "device_type", "memory");
	CELLS("/memory@880000000", "reg", 8, 0x80000000, 0, 0x40000000);
	no_node("/memory@80000000");
	assert_int_equal(fdt_subnode_offset_namelen(tree, 0, "memory", 6),
			 node_at("/memory@40000000"));
	node_at("/memory-controller@0");

	str_is("/cpus/cpu@0", "enable-method", "psci");
	str_is("/cpus/cpu@0", "compatible", "arm,cortex-a57");
	no_prop("/cpus/cpu@0", "cpu-release-addr");
	str_is("/cpus/cpu@100", "enable-method", "psci");
	str_is("/cpus/cpu@100", "device_type", "cpu");
	CELLS("/cpus/cpu@100", "reg", 0x100);
	no_node("/cpus/cpu@1");
	no_node("/cpus/cpu@2");
	no_node("/cpus/cpu-map");

	str_is("/psci", "method", "smc");
	assert_int_equal(fdt_node_check_compatible(tree, node_at("/psci"), "arm,psci-1.0"), 0);

	str_is("/chosen", "bootargs", "console=ttyAMA0 root=/dev/vda");
	str_is("/chosen", "stdout-path", "/soc/uart@1040000:115200n8");
	CELLS("/chosen", "rng-seed", 1, 2, 3, 4);
	CELLS("/chosen", "linux,initrd-start", 0, 0x44000000);
	CELLS("/chosen", "linux,initrd-end", 0, 0x44100000);

	/* Another initrd address, the same size: the planner counts on it. */
	first = size;
	user_tree();
	board.initrd_start = 0xff44000000;
	board.initrd_end = 0xff44100001;
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), 0);
	assert_int_equal(size, first);
	/* Patching what is patched changes nothing. */
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), 0);
	assert_int_equal(size, first);
}

static void test_patch_bootargs_no_initrd(void **state)
{
	size_t size;

	(void)state;
	user_tree();
	board.bootargs = "quiet";
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), 0);
	str_is("/chosen", "bootargs", "quiet");
	no_prop("/chosen", "linux,initrd-start");
	no_prop("/chosen", "linux,initrd-end");
}

static void test_patch_bare(void **state)
{
	size_t size;

	(void)state;
	/* Nothing but a root: all is added, with the default cells of 2 and 1. */
	assert_int_equal(fdt_create_empty_tree(tree, 4096), 0);
	board.ram_count = 1;
	board.cpu_hwid[1] = UINT64_C(0x100000000);
	board.bootargs = "x";
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), 0);
	CELLS("/memory@40000000", "reg", 0, 0x40000000, 0x1000000);
	CELLS("/cpus/cpu@100000000", "reg", 1, 0);
	str_is("/psci", "method", "hvc");
	str_is("/chosen", "bootargs", "x");
}

static void test_patch_refused(void **state)
{
	size_t size, before = user_tree();

	(void)state;
	/* No room: not even by a byte, and not for what is added. */
	assert_int_equal(fdt_guest_patch(tree, before, &board, &site, &size), -ENOSPC);
	assert_int_equal(sink.sink.count[DIAG_ERROR], 1);

	user_tree();
	board.cpu_hwid[1] = UINT64_C(0x100000000);
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "needs two cells where the tree provides one (0x100000000)");
	assert_int_equal(sink.sink.count[DIAG_ERROR], 2);

	user_tree();
	board.arch = VM_ARCH_RISCV64;
	board.cpu_hwid[1] = 5;
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "no processor with this hardware id");
}

static void test_patch_too_many(void **state)
{
	char name[32];
	size_t size;

	(void)state;
	assert_int_equal(fdt_create(tree, CAP), 0);
	assert_int_equal(fdt_finish_reservemap(tree), 0);
	w_begin("");
	for (unsigned int i = 0; i < 300; i++) {
		snprintf(name, sizeof(name), "memory@%x", i);
		w_begin(name);
		w_end();
	}
	w_end();
	assert_int_equal(fdt_finish(tree), 0);
	assert_int_equal(fdt_guest_patch(tree, CAP, &board, &site, &size), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "too many nodes");
}

static void test_check(void **state)
{
	size_t size = user_tree();

	(void)state;
	assert_int_equal(fdt_guest_check(tree, size, &site), 0);
	assert_int_equal(fdt_guest_check(tree, size - 1, &site), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "truncated");
	assert_int_equal(fdt_guest_check(tree, 8, &site), -EINVAL);
	tree[0] ^= 1;
	assert_int_equal(fdt_guest_check(tree, size, &site), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "not a device tree");
	tree[0] ^= 1;
	/* The root's end is lost. */
	memset(tree + fdt_off_dt_struct(tree) + fdt_size_dt_struct(tree) - 8, 0, 8);
	assert_int_equal(fdt_guest_check(tree, size, &site), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "damaged");
}

/* ---- Reading ---- */

static void test_read(void **state)
{
	const struct fdt_dev *d;

	(void)state;
	size_t size = user_tree();

	fdt_guest_read(tree, &facts);
	assert_int_equal(facts.size, size);
	assert_int_equal(facts.intc.kind, GUEST_INTC_GICV2);
	assert_int_equal(facts.intc.dist.base, 0x8000000);
	assert_int_equal(facts.intc.dist.size, 0x1000);
	assert_int_equal(facts.intc.cpu.base, 0x8010000);
	assert_int_equal(facts.intc.cpu.size, 0x2000);
	assert_true(facts.has_bootargs);
	assert_string_equal(facts.bootargs, "console=ttyAMA0 root=/dev/vda");
	assert_int_equal(facts.dev_count, 2); /* the disabled clock is none */
	d = fdt_facts_find(&facts, 0x9000000);
	assert_non_null(d);
	assert_int_equal(d->kind, GUEST_DEV_UART_PL011);
	assert_int_equal(d->irq, 37);
	assert_false(d->is_stdout);
	d = fdt_facts_find(&facts, 0x9040000);
	assert_non_null(d);
	assert_int_equal(d->kind, GUEST_DEV_UART_NS16550);
	assert_int_equal(d->reg_shift, 2);
	assert_int_equal(d->io_width, 4);
	assert_int_equal(d->irq, 40);
	assert_true(d->is_stdout);
	assert_null(fdt_facts_find(&facts, 0x9050000));
}

static void test_read_gicv3(void **state)
{
	size_t size;

	(void)state;
	board.intc.kind = GUEST_INTC_GICV3;
	board.intc.redist_count = 2;
	board.intc.redist[0] = (struct guest_range){ 0x80a0000, 0xf60000 };
	board.intc.redist[1] = (struct guest_range){ 0x4000000000, 0x40000 };
	assert_int_equal(fdt_guest_generate(tree, CAP, &board, &site, &size), 0);
	fdt_guest_read(tree, &facts);
	assert_int_equal(facts.intc.kind, GUEST_INTC_GICV3);
	assert_int_equal(facts.intc.redist_count, 2);
	assert_int_equal(facts.intc.redist[1].base, 0x4000000000);
	assert_int_equal(facts.intc.redist[1].size, 0x40000);
	assert_int_equal(facts.intc.dist.base, 0x8000000);
}

/* ---- Generating ---- */

static void test_generate(void **state)
{
	size_t size;

	(void)state;
	board.bootargs = "console=ttyAMA0";
	board.initrd_start = 0x44000000;
	board.initrd_end = 0x44100000;
	assert_int_equal(fdt_guest_generate(tree, CAP, &board, &site, &size), 0);
	assert_int_equal(fdt_check_full(tree, size), 0);
	assert_true(size <= FDT_GUEST_GENERATED_MAX);
	CELLS("/", "#address-cells", 2);
	CELLS("/", "interrupt-parent", 1);
	str_is("/chosen", "bootargs", "console=ttyAMA0");
	str_is("/chosen", "stdout-path", "/serial@9000000");
	CELLS("/chosen", "linux,initrd-end", 0, 0x44100000);
	CELLS("/memory@880000000", "reg", 8, 0x80000000, 0, 0x40000000);
	CELLS("/cpus", "#address-cells", 1);
	CELLS("/cpus/cpu@100", "reg", 0x100);
	str_is("/cpus/cpu@100", "enable-method", "psci");
	str_is("/psci", "method", "hvc");
	CELLS("/timer", "interrupts", 1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304, 1, 10, 0x304);
	str_is("/interrupt-controller@8000000", "compatible", "arm,cortex-a15-gic");
	CELLS("/interrupt-controller@8000000", "reg", 0, 0x8000000, 0, 0x10000, 0, 0x8010000, 0,
	      0x10000);
	CELLS("/serial@9000000", "interrupts", 0, 1, 4);
	CELLS("/serial@9000000", "clocks", 2, 2);
	prop_is("/serial@9000000", "clock-names", "uartclk\0apb_pclk", 17);
	CELLS("/rtc@9010000", "interrupts", 0, 2, 4);
	str_is("/rtc@9010000", "clock-names", "apb_pclk");
	CELLS("/virtio_mmio@a000000", "interrupts", 0, 16, 1);
	no_node("/raz@8020000");

	/* Read back, it is the board again. */
	fdt_guest_read(tree, &facts);
	assert_int_equal(facts.intc.kind, GUEST_INTC_GICV2);
	assert_memory_equal(&facts.intc.cpu, &board.intc.cpu, sizeof(board.intc.cpu));
	assert_int_equal(facts.dev_count, 3);
	assert_int_equal(fdt_facts_find(&facts, 0x9010000)->irq, 34);
	assert_true(fdt_facts_find(&facts, 0x9000000)->is_stdout);
}

static void test_generate_wide_ids(void **state)
{
	size_t size;

	(void)state;
	board.cpu_hwid[1] = UINT64_C(0x1200000001);
	assert_int_equal(fdt_guest_generate(tree, CAP, &board, &site, &size), 0);
	CELLS("/cpus", "#address-cells", 2);
	CELLS("/cpus/cpu@0", "reg", 0, 0);
	CELLS("/cpus/cpu@1200000001", "reg", 0x12, 1);
	no_prop("/chosen", "bootargs");
	no_prop("/chosen", "linux,initrd-start");
}

static void test_generate_largest(void **state)
{
	char args[VM_CMDLINE_MAX];
	size_t size;

	(void)state;
	memset(args, 'a', sizeof(args) - 1);
	args[sizeof(args) - 1] = '\0';
	board.bootargs = args;
	board.cpu_count = MAX_VCPUS;
	board.ram_count = VM_MAX_MEMORY;
	board.dev_count = GUEST_MAX_DEVS;
	for (uint32_t i = 0; i < MAX_VCPUS; i++) {
		board.cpu_hwid[i] = (UINT64_C(0xff) << 32) + i;
		board.ram[i] = (struct guest_range){ (i + 1) * GiB, MiB };
	}
	for (uint32_t i = 0; i < GUEST_MAX_DEVS; i++) {
		board.dev[i] = (struct guest_dev){ .kind = GUEST_DEV_UART_NS16550,
						   .base = 0xff0000000000 + i * 0x1000,
						   .size = 0x1000,
						   .irq = 32 + i };
	}
	assert_int_equal(fdt_guest_generate(tree, FDT_GUEST_GENERATED_MAX, &board, &site, &size),
			 0);
	assert_int_equal(fdt_guest_generate(tree, size - 1, &board, &site, &size), -ENOSPC);
	board.arch = VM_ARCH_X86_64;
	assert_int_equal(fdt_guest_generate(tree, CAP, &board, &site, &size), -ENOTSUP);
	assert_said(&sink, DIAG_ERROR, "x86_64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_patch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch_bootargs_no_initrd, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch_bare, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_patch_too_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_check, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read, setup, teardown),
		cmocka_unit_test_setup_teardown(test_read_gicv3, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generate_wide_ids, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generate_largest, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
