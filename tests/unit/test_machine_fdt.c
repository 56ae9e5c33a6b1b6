/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drv/machine_fdt.c: trees of QEMU's boards and of a clustered one (tests/unit/data),
 * trees with one property changed, and damaged ones.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/machine.h>
#include <hv/rangeset.h>
#include <libfdt.h>

static struct machine m;
static uint8_t tree[64 * 1024] __attribute__((aligned(8)));
static size_t tree_size;
static unsigned notes;
static char last_note[256];

static void note(const char *node, const char *why)
{
	notes++;
	snprintf(last_note, sizeof(last_note), "%s: %s", node, why);
}

/* The file, with room to edit it. */
static void load(const char *name)
{
	char path[256];
	static uint8_t raw[32 * 1024];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s.dtb", TEST_DATA, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	assert_true(n > 0 && n < sizeof(raw));
	assert_int_equal(fdt_open_into(raw, tree, sizeof(tree)), 0);
	tree_size = sizeof(tree);
}

static int parse_as(uint64_t hwid)
{
	struct machine_boot boot = {
		.hwid = hwid,
		.dtb = hpa(0x48000000),
		.image = { hpa(0x40200000), 0x123456 },
		.note = note,
	};

	notes = 0;
	last_note[0] = '\0';
	return machine_from_fdt(&m, tree, tree_size, &boot);
}

static int node_at(const char *path)
{
	int node = fdt_path_offset(tree, path);

	assert_true(node >= 0);
	return node;
}

static void set_u32(const char *path, const char *prop, uint32_t v)
{
	assert_int_equal(fdt_setprop_u32(tree, node_at(path), prop, v), 0);
}

static void set_str(const char *path, const char *prop, const char *s)
{
	assert_int_equal(fdt_setprop(tree, node_at(path), prop, s, (int)strlen(s) + 1), 0);
}

static void check_range(const struct machine_range *r, uint64_t base, uint64_t size)
{
	assert_int_equal(r->base.a, base);
	assert_int_equal(r->size, size);
}

static void check_irq(const struct machine_irq *irq, uint32_t intid, enum irq_trigger trigger)
{
	assert_int_equal(irq->intid, intid);
	assert_int_equal(irq->trigger, trigger);
}

static void check_qemu_common(void)
{
	static const uint32_t ppi[] = { 29, 30, 27, 26, IRQ_NONE };
	const struct machine_pci *pci = &m.pci[0];

	assert_string_equal(m.error, "");
	assert_int_equal(notes, 0);
	assert_string_equal(m.model, "linux,dummy-virt");
	assert_int_equal(m.cpu_count, 4);
	for (uint32_t i = 0; i < 4; i++) {
		assert_int_equal(m.cpu[i].hwid, i);
		assert_int_equal(m.cpu[i].start, MACHINE_START_PSCI);
	}
	assert_int_equal(m.bank_count, 1);
	check_range(&m.bank[0], 0x40000000, 0x40000000);
	assert_int_equal(m.uart_count, 1);
	assert_ptr_equal(machine_console(&m), &m.uart[0]);
	assert_int_equal(m.uart[0].kind, MACHINE_UART_PL011);
	assert_int_equal(m.uart[0].clock, 24000000);
	assert_string_equal(m.uart[0].path, "/pl011@9000000");
	check_range(&m.uart[0].range, 0x9000000, 0x1000);
	check_irq(&m.uart[0].irq, 33, IRQ_LEVEL);
	check_irq(&m.gic.maintenance, 25, IRQ_LEVEL);
	for (uint32_t i = 0; i < MACHINE_TIMERS; i++) {
		assert_int_equal(m.timer[i].intid, ppi[i]);
	}
	assert_int_equal(m.psci, MACHINE_CONDUIT_SMC);
	assert_int_equal(m.psci_version, 0x10000);
	assert_int_equal(m.virtio_count, 4);
	check_range(&m.virtio[1].range, 0xa000200, 0x200);
	check_irq(&m.virtio[1].irq, 49, IRQ_EDGE);
	assert_true(m.virtio[1].dma_coherent);
	assert_int_equal(m.pci_count, 1);
	check_range(&pci->ecam, 0x4010000000, 0x10000000);
	assert_int_equal(pci->bus_first, 0);
	assert_int_equal(pci->bus_last, 255);
	assert_int_equal(pci->window_count, 3);
	assert_int_equal(pci->window[0].space, MACHINE_PCI_IO);
	assert_int_equal(pci->window[0].cpu_base.a, 0x3eff0000);
	assert_int_equal(pci->window[0].pci_base, 0);
	assert_int_equal(pci->window[1].space, MACHINE_PCI_MEM32);
	assert_int_equal(pci->window[1].size, 0x2eff0000);
	assert_int_equal(pci->window[2].space, MACHINE_PCI_MEM64);
	assert_int_equal(pci->window[2].cpu_base.a, 0x8000000000);
	assert_int_equal(pci->irq_devfn_mask, 0x1800);
	assert_int_equal(pci->irq_count, 16);
	assert_int_equal(pci->irq[5].devfn, 0x800);
	assert_int_equal(pci->irq[5].pin, 2);
	check_irq(&pci->irq[5].irq, 37, IRQ_LEVEL);
}

static void test_qemu_gicv2(void **state)
{
	(void)state;
	load("qemu-gicv2");
	assert_int_equal(parse_as(0), 0);
	check_qemu_common();
	assert_int_equal(m.gic.version, 2);
	check_range(&m.gic.gicd, 0x8000000, 0x10000);
	check_range(&m.gic.gicc, 0x8010000, 0x10000);
	check_range(&m.gic.gich, 0x8030000, 0x10000);
	check_range(&m.gic.gicv, 0x8040000, 0x10000);
	assert_int_equal(m.gic.v2m_count, 1);
	check_range(&m.gic.v2m[0], 0x8020000, 0x1000);
	assert_int_equal(m.reserved_count, 2);
	assert_int_equal(m.reserved[0].kind, MACHINE_RES_DTB);
	check_range(&m.reserved[0].range, 0x48000000, sizeof(tree));
	assert_int_equal(m.reserved[1].kind, MACHINE_RES_IMAGE);
}

static void test_qemu_gicv3(void **state)
{
	(void)state;
	load("qemu-gicv3");
	assert_int_equal(parse_as(0), 0);
	check_qemu_common();
	assert_int_equal(m.gic.version, 3);
	check_range(&m.gic.gicd, 0x8000000, 0x10000);
	assert_int_equal(m.gic.redist_count, 1);
	check_range(&m.gic.redist[0], 0x80a0000, 0xf60000);
	assert_int_equal(m.gic.gicc.size, 0);
	assert_int_equal(m.gic.its_count, 1);
	check_range(&m.gic.its[0], 0x8080000, 0x20000);
}

static void test_riscv(void **state)
{
	(void)state;
	load("qemu-riscv");
	assert_int_equal(parse_as(1), 0);
	assert_int_equal(notes, 0);
	assert_int_equal(m.cpu_count, 2);
	assert_int_equal(m.cpu[0].hwid, 1); /* where we run comes first */
	assert_int_equal(m.cpu[1].hwid, 0);
	assert_int_equal(m.cpu[0].start, MACHINE_START_SBI);
	assert_int_equal(m.timer_hz, 10000000);
	assert_int_equal(m.gic.version, 0);
	check_range(&m.plic.range, 0xc000000, 0x600000);
	assert_int_equal(m.plic.target_count, 4);
	assert_int_equal(m.plic.target[3].hwid, 1);
	assert_int_equal(m.plic.target[3].cause, 9);
	assert_int_equal(m.plic.target[0].hwid, 0);
	assert_int_equal(m.plic.target[0].cause, 11);
	assert_int_equal(machine_console(&m)->kind, MACHINE_UART_16550);
	assert_int_equal(machine_console(&m)->clock, 3686400);
	check_irq(&machine_console(&m)->irq, 10, IRQ_LEVEL);
	assert_int_equal(m.pci[0].irq_count, 16);
	check_irq(&m.pci[0].irq[4].irq, 0x21, IRQ_LEVEL);
	assert_int_equal(m.virtio_count, 8);
}

static void test_board(void **state)
{
	const struct machine_uart *u;

	(void)state;
	load("board-rk3588");
	/* The boot core is not the tree's first one. */
	assert_int_equal(parse_as(0x400), 0);
	assert_int_equal(m.cpu_count, 8);
	assert_int_equal(m.cpu[0].hwid, 0x400);
	assert_int_equal(m.cpu[1].hwid, 0x000);
	assert_int_equal(m.cpu[4].hwid, 0x300);
	assert_int_equal(m.cpu[5].hwid, 0x500);
	assert_int_equal(machine_cpu_index(&m, 0x700), 7);
	assert_int_equal(machine_cpu_index(&m, 0x800), UINT32_MAX);
	assert_int_equal(m.bank_count, 3);
	check_range(&m.bank[1], 0x9400000, 0xe6c00000);
	check_range(&m.bank[2], 0x100000000, 0x100000000);
	assert_int_equal(m.gic.version, 3);
	assert_int_equal(m.gic.its_count, 2);
	check_irq(&m.gic.maintenance, 25, IRQ_LEVEL);
	assert_int_equal(m.timer[MACHINE_TIMER_HYP_VIRT].intid, 28);
	u = machine_console(&m);
	assert_non_null(u);
	assert_int_equal(u->kind, MACHINE_UART_DW_APB);
	check_range(&u->range, 0xfeb50000, 0x100);
	check_irq(&u->irq, 365, IRQ_LEVEL);
	assert_int_equal(u->reg_shift, 2);
	assert_int_equal(u->reg_io_width, 4);
	assert_int_equal(u->clock, 24000000);
	assert_int_equal(m.uart_count, 2);
	/* Its first interrupt is a GPIO line, which is none of ours. */
	check_irq(&m.uart[1].irq, IRQ_NONE, IRQ_LEVEL);
	assert_int_equal(m.uart[1].clock, 1843200);
	assert_int_equal(m.virtio_count, 1);
	assert_true(m.virtio[0].dma_coherent);
	check_irq(&m.virtio[0].irq, 72, IRQ_EDGE);
	assert_string_equal(m.bootargs, "earlycon quiet");
	/* The UART off its bus, and the empty memory range. */
	assert_int_equal(notes, 2);
}

static bool is_reserved(enum machine_reserved_kind kind, uint64_t base, uint64_t size, bool no_map)
{
	for (uint32_t i = 0; i < m.reserved_count; i++) {
		const struct machine_reserved *r = &m.reserved[i];

		if (r->kind == kind && r->range.base.a == base && r->range.size == size &&
		    r->no_map == no_map) {
			return true;
		}
	}
	return false;
}

static void test_reserved(void **state)
{
	static struct rangeset ram;

	(void)state;
	load("board-rk3588");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.reserved_count, 6);
	assert_true(is_reserved(MACHINE_RES_MEMRESERVE, 0x200000, 0x10000, false));
	assert_true(is_reserved(MACHINE_RES_NODE, 0x300000, 0xe0000, false));
	assert_true(is_reserved(MACHINE_RES_NODE, 0x8300000, 0x200000, true));
	assert_true(is_reserved(MACHINE_RES_INITRD, 0xa200000, 0x145678, false));
	assert_true(is_reserved(MACHINE_RES_DTB, 0x48000000, sizeof(tree), false));
	assert_true(is_reserved(MACHINE_RES_IMAGE, 0x40200000, 0x123456, false));
	assert_int_equal(machine_usable_ram(&m, &ram), 0);
	assert_true(rangeset_contains(&ram, 0x210000, 0x300000 - 0x210000));
	assert_null(rangeset_overlap(&ram, 0x300000, 0xe0000));
	assert_null(rangeset_overlap(&ram, 0x8300000, 0x1100000)); /* with the hole */
	assert_null(rangeset_overlap(&ram, 0xa200000, 0x146000));  /* whole pages */
	assert_true(rangeset_contains(&ram, 0xa346000, PAGE_SIZE));
	assert_null(rangeset_overlap(&ram, 0x40200000, 0x124000));
	assert_true(rangeset_contains(&ram, 0x10000000, 0x1000));
	assert_true(rangeset_contains(&ram, 0x1fffff000, 0x1000));
}

static void test_page_zero(void **state)
{
	static struct rangeset ram;

	(void)state;
	memset(&m, 0, sizeof(m));
	m.bank_count = 2;
	m.bank[0] = (struct machine_range){ hpa(0), 0x10800 };
	m.bank[1] = (struct machine_range){ hpa(0x20100), 0x1e00 };
	assert_int_equal(machine_usable_ram(&m, &ram), 0);
	assert_int_equal(ram.count, 1);
	assert_int_equal(ram.range[0].start, 0x1000);
	assert_int_equal(ram.range[0].size, 0xf000);
}

static void test_stdout(void **state)
{
	(void)state;
	load("board-rk3588");
	set_str("/chosen", "stdout-path", "/soc@f0000000/apb@1e000000/serial@b60000:115200");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.console, 1);
	/* An alias that leads to itself must not be followed for ever. */
	set_str("/chosen", "stdout-path", "loop");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.console, 0);
	set_str("/chosen", "stdout-path", "nobody:9600");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.console, 0);
	/* A device that is no UART: said, and the first known one taken. */
	set_str("/chosen", "stdout-path", "/gpio@fd8a0000");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.console, 0);
	assert_non_null(strstr(last_note, "/gpio@fd8a0000: the console"));
	set_str("/chosen", "stdout-path", "");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.console, 0);
	set_str("/soc@f0000000", "status", "disabled");
	assert_int_equal(parse_as(0), 0);
	assert_null(machine_console(&m));
	assert_int_equal(m.virtio_count, 0);
}

static void test_psci(void **state)
{
	(void)state;
	load("qemu-gicv2");
	set_str("/psci", "compatible", "arm,psci-0.2");
	set_str("/psci", "method", "hvc");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.psci, MACHINE_CONDUIT_HVC);
	assert_int_equal(m.psci_version, 2);
	set_str("/psci", "compatible", "arm,psci");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.psci, MACHINE_CONDUIT_NONE);
	assert_non_null(strstr(last_note, "PSCI 0.1"));
	set_str("/psci", "compatible", "arm,psci-1.0");
	set_str("/psci", "method", "rmc");
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.psci, MACHINE_CONDUIT_NONE);
	assert_int_equal(notes, 1);
}

/* What a tree may say and we must not believe. */
static void test_nonsense(void **state)
{
	static const uint64_t wraps[] = { 0, 0 };
	uint64_t reg[2];

	(void)state;
	load("qemu-gicv3");
	reg[0] = cpu_to_fdt64(0xfffffffffffff000);
	reg[1] = cpu_to_fdt64(0x2000);
	assert_int_equal(fdt_setprop(tree, node_at("/pl011@9000000"), "reg", reg, 16), 0);
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.uart_count, 0);
	assert_int_equal(notes, 2); /* it, and stdout-path that names it */
	assert_int_equal(fdt_setprop(tree, node_at("/pl011@9000000"), "reg", wraps, 12), 0);
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.uart_count, 0);
	/* An address that no register may have. */
	reg[0] = cpu_to_fdt64(0x9000002);
	assert_int_equal(fdt_setprop(tree, node_at("/pl011@9000000"), "reg", reg, 16), 0);
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.uart_count, 0);

	load("qemu-gicv3");
	set_u32("/intc@8000000", "#redistributor-regions", 0xffffffff);
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.gic.version, 3);
	assert_int_equal(m.gic.redist_count, 1);
	set_u32("/intc@8000000", "#interrupt-cells", 0x40000001);
	assert_int_equal(parse_as(0), 0);
	check_irq(&m.uart[0].irq, IRQ_NONE, IRQ_LEVEL);
	assert_int_equal(m.pci[0].irq_count, 0);
	set_u32("/", "#address-cells", 0xfffffffe);
	assert_int_equal(parse_as(0), -ENOENT);
	set_u32("/", "#address-cells", 3);
	assert_int_equal(parse_as(0), -ENOENT);
	assert_string_equal(m.error, "no memory in the device tree");

	load("qemu-gicv3");
	set_u32("/cpus/cpu@1", "reg", 0);
	assert_int_equal(parse_as(0), 0);
	assert_int_equal(m.cpu_count, 3);
	assert_non_null(strstr(last_note, "/cpus/cpu@1"));
	assert_int_equal(parse_as(7), -ENOENT);
	assert_non_null(strstr(m.error, "core we run on"));
}

static void test_many(void **state)
{
	char name[32];

	(void)state;
	load("qemu-gicv2");
	for (uint32_t i = 4; i < MAX_CPUS + 8; i++) {
		int node;

		snprintf(name, sizeof(name), "cpu@%x", i);
		node = fdt_add_subnode(tree, node_at("/cpus"), name);
		assert_true(node > 0);
		assert_int_equal(fdt_setprop(tree, node, "device_type", "cpu", 4), 0);
		assert_int_equal(fdt_setprop_u32(tree, node, "reg", i), 0);
	}
	/* The one we run on has its place even if it comes last. */
	for (uint32_t boot = 0; boot < MAX_CPUS + 8; boot += MAX_CPUS + 7) {
		assert_int_equal(parse_as(boot), 0);
		assert_int_equal(m.cpu_count, MAX_CPUS);
		assert_int_equal(m.cpu[0].hwid, boot);
		assert_true(notes > 0);
	}
	for (int i = 0; i < MACHINE_MAX_RESERVED; i++) {
		assert_int_equal(fdt_add_mem_rsv(tree, 0x50000000u + (unsigned)i * 0x1000u, 16), 0);
	}
	/* Memory that is not ours cannot be left out: better not to start. */
	assert_int_equal(parse_as(0), -EINVAL);
	assert_non_null(strstr(m.error, "reserved"));
}

static void test_damaged(void **state)
{
	(void)state;
	load("qemu-gicv3");
	assert_int_equal(fdt_pack(tree), 0);
	tree_size = fdt_totalsize(tree);
	assert_int_equal(parse_as(0), 0);
	/* Truncated anywhere: an allocation of exactly that size lets ASan see a byte too far. */
	for (size_t n = 0; n < fdt_totalsize(tree); n += n < 64 ? 1 : 37) {
		struct machine_boot boot = { .hwid = 0 };
		uint8_t *cut = aligned_alloc(8, ALIGN_UP(n + 1, 8));

		memcpy(cut, tree, n);
		assert_int_equal(machine_from_fdt(&m, cut, n, &boot), -EINVAL);
		assert_string_not_equal(m.error, "");
		free(cut);
	}
	/* Any one byte changed: an error or not, but no harm. */
	for (size_t i = 0; i < fdt_totalsize(tree); i++) {
		tree[i] ^= 0x5a;
		(void)parse_as(0);
		tree[i] ^= 0x5a;
	}
	tree[0] = 0;
	assert_int_equal(parse_as(0), -EINVAL);
	assert_non_null(strstr(m.error, "no device tree"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_qemu_gicv2), cmocka_unit_test(test_qemu_gicv3),
		cmocka_unit_test(test_riscv),	   cmocka_unit_test(test_board),
		cmocka_unit_test(test_reserved),   cmocka_unit_test(test_page_zero),
		cmocka_unit_test(test_stdout),	   cmocka_unit_test(test_psci),
		cmocka_unit_test(test_nonsense),   cmocka_unit_test(test_many),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
