/* SPDX-License-Identifier: Apache-2.0 */
/* config/plan_pass.c: who gets which device and interrupt, and what is refused. */
#include "plan_rig.h"

static uint8_t kernel[0x2000];
static uint64_t dtb[8192];
static uint64_t host[8192];
static struct vm_plan *other;
static const struct vm_plan *others[1];
static struct vm_config other_cfg;

static void said(enum diag_severity severity, uint32_t line, const char *text)
{
	char head[64];
	const char *at = rig_sink.all;

	snprintf(head, sizeof(head), "vm.toml:%u:", line);
	while (*at != '\0') {
		const char *end = strchr(at, '\n');
		const char *sev = strstr(at, diag_severity_name(severity));
		const char *hit = strstr(at, text);

		if (strncmp(at, head, strlen(head)) == 0 && sev != NULL && sev < end &&
		    hit != NULL && hit < end) {
			return;
		}
		at = end + 1;
	}
	fail_msg("wanted line %u: \"%s\" in:\n%s", line, text, rig_sink.all);
}

static void refused(uint32_t line, const char *text)
{
	assert_int_equal(rig_run(&rig_machine), -EINVAL);
	said(DIAG_ERROR, line, text);
}

static int setup(void **state)
{
	rig_setup(state);
	memset(kernel, 0x11, sizeof(kernel));
	rig_add("kernel.bin", kernel, sizeof(kernel));
	rig_qemu(&rig_machine, 2, 4 * GiB);
	rig_cfg.memory_count = 0;
	rig_memory(0x80000000, GiB, 7, VM_MAP_IDENTICAL);
	rig_addr(&rig_cfg.kernel.load_addr, 0x80080000);
	rig_addr(&rig_cfg.entry_point, 0x80080000);
	for (uint32_t i = 0; i < 32; i++) {
		rig_machine.virtio[i] =
			(struct machine_virtio){ .range = { hpa(0xa000000 + i * 0x200), 0x200 },
						 .irq = { 48 + i, IRQ_EDGE },
						 .dma_coherent = true };
	}
	rig_machine.virtio_count = 32;
	other = malloc(sizeof(*other));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(other);
	return 0;
}

/* What was planned is another VM now, and this one is planned beside it. */
static struct plan_request beside(void)
{
	struct plan_request req = rig_request(&rig_machine);

	memcpy(other, &rig_plan, sizeof(*other));
	other_cfg = rig_cfg;
	snprintf(other_cfg.name, sizeof(other_cfg.name), "first");
	other->cfg = &other_cfg;
	others[0] = other;
	req.others = others;
	req.other_count = 1;
	rig_cfg.memory[0].gpa += GiB;
	rig_addr(&rig_cfg.kernel.load_addr, 0xc0080000);
	rig_addr(&rig_cfg.entry_point, 0xc0080000);
	return req;
}

static const struct plan_irq *irq_of(uint32_t host_irq)
{
	for (uint32_t i = 0; i < rig_plan.irq_count; i++) {
		if (rig_plan.irq[i].host == host_irq) {
			return &rig_plan.irq[i];
		}
	}
	return NULL;
}

static void is_kind(uint64_t base, enum guest_dev_kind kind)
{
	assert_non_null(rig_dev(base));
	assert_int_equal(rig_dev(base)->kind, kind);
}

/* ---- virtio-mmio ---- */

static void test_slots(void **state)
{
	(void)state;
	rig_pass("virtio", 0xa000000, 0xa000000, 0x4000);
	assert_int_equal(rig_run(&rig_machine), 0);
	is_kind(0xa000000, GUEST_DEV_VIRTIO_FWD);
	is_kind(0xa003e00, GUEST_DEV_VIRTIO_FWD);
	assert_int_equal(rig_dev(0xa003e00)->hpa, 0xa003e00);
	assert_true(rig_dev(0xa003e00)->dma_coherent);
	assert_int_equal(rig_plan.irq_count, 32);
	assert_int_equal(irq_of(79)->guest, 79);
	assert_true(irq_of(79)->edge);
	assert_int_equal(rig_plan.map_count, 0);
	said(DIAG_WARNING, 41,
	     "VM \"guest\" is trusted: without an IOMMU \"virtio\" (virtio-mmio) can reach");
	assert_int_equal(rig_sink.sink.count[DIAG_WARNING], 1);
}

static void test_slots_moved(void **state)
{
	(void)state;
	/* The last page alone, elsewhere. */
	rig_pass("virtio", 0xb000000, 0xa003000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	is_kind(0xb000e00, GUEST_DEV_VIRTIO_FWD);
	assert_int_equal(rig_dev(0xb000e00)->hpa, 0xa003e00);
	assert_int_equal(rig_plan.irq_count, 8);
	assert_null(rig_dev(0xa003e00));
}

static void test_slots_not_identical(void **state)
{
	(void)state;
	rig_cfg.memory[0].map_type = VM_MAP_ALLOC;
	rig_pass("virtio", 0xa000000, 0xa000000, 0x4000);
	assert_int_equal(rig_run(&rig_machine), 0);
	is_kind(0xa003e00, GUEST_DEV_VIRTIO_EMPTY);
	assert_int_equal(rig_plan.irq_count, 0);
	said(DIAG_NOTE, 41, "which is not MAP_IDENTICAL");
	assert_int_equal(rig_sink.sink.count[DIAG_WARNING], 0);
}

static void test_slots_ours(void **state)
{
	(void)state;
	rig_pass("virtio", 0xa000000, 0xa000000, 0x4000);
	rig_machine.virtio[31].ours = true;
	rig_machine.virtio[30].irq.intid = IRQ_NONE;
	assert_int_equal(rig_run(&rig_machine), 0);
	is_kind(0xa003e00, GUEST_DEV_VIRTIO_EMPTY);
	is_kind(0xa003c00, GUEST_DEV_VIRTIO_FWD);
	assert_null(irq_of(79));
	assert_int_equal(rig_plan.irq_count, 30);
	said(DIAG_WARNING, 41, "1 of its 32 virtio-mmio slots have devices that the hypervisor");
}

static void test_slots_foreign(void **state)
{
	struct plan_request req;

	(void)state;
	rig_pass("virtio", 0xa003000, 0xa003000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	req = beside();
	rig_cfg.pass_count = 0;
	rig_pass("virtio", 0xa000000, 0xa000000, 0x4000);
	assert_int_equal(rig_do(&req), 0);
	is_kind(0xa002e00, GUEST_DEV_VIRTIO_FWD);
	is_kind(0xa003000, GUEST_DEV_VIRTIO_EMPTY);
	assert_int_equal(rig_plan.irq_count, 24);
	assert_null(irq_of(79));
	said(DIAG_WARNING, 41, "8 of its 32 virtio-mmio slots belong to VM 1 \"first\"");
}

/* A guest's tree with a slot and a UART, at addresses and interrupts of its own. */
static void guest_tree(uint64_t slot, uint32_t slot_irq, uint64_t uart, uint32_t uart_irq)
{
	struct guest_board b = { .arch = VM_ARCH_AARCH64, .cpu_count = 1, .ram_count = 1 };
	struct image_site site = test_site(&rig_sink);
	size_t size;

	b.ram[0] = (struct guest_range){ 0x80000000, GiB };
	b.intc.kind = GUEST_INTC_GICV2;
	b.intc.dist = (struct guest_range){ 0x8000000, 0x10000 };
	b.intc.cpu = (struct guest_range){ 0x8010000, 0x10000 };
	b.dev[0] = (struct guest_dev){
		.kind = GUEST_DEV_VIRTIO_EMPTY, .base = slot, .size = 0x200, .irq = slot_irq
	};
	b.dev[1] = (struct guest_dev){
		.kind = GUEST_DEV_UART_PL011, .base = uart, .size = 0x1000, .irq = uart_irq
	};
	b.dev_count = 2;
	assert_int_equal(fdt_guest_generate(dtb, sizeof(dtb), &b, &site, &size), 0);
	rig_add("linux.dtb", dtb, size);
	snprintf(rig_cfg.dtb.path, VM_PATH_MAX, "linux.dtb");
	rig_cfg.dtb.pos = (struct cfg_pos){ 14, 12 };
	rig_addr(&rig_cfg.dtb.load_addr, 0x80000000);
}

static void test_slots_guest_tree(void **state)
{
	(void)state;
	guest_tree(0xa003e00, 100, 0x9000000, 33);
	rig_pass("virtio", 0xa003000, 0xa003000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_dev(0xa003e00)->irq, 100);
	assert_int_equal(irq_of(79)->guest, 100);
	assert_int_equal(irq_of(78)->guest, 78);
	said(DIAG_WARNING, 41, "7 of its 8 virtio-mmio slots are not in the VM's device tree");
}

static void test_slots_guest_clash(void **state)
{
	(void)state;
	/* Two of its lines in one, and one that is its virtual console's. */
	guest_tree(0xa003e00, 78, 0x9000000, 77);
	rig_pass("virtio", 0xa003000, 0xa003000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), -EINVAL);
	said(DIAG_ERROR, 41,
	     "the host's interrupt 79 would be the guest's 78, but \"virtio\" "
	     "makes 78 out of 78");
	said(DIAG_ERROR, 41,
	     "the guest's interrupt 77 is that of its virtual PL011 UART at 0x9000000");
}

static void test_slots_guest_number(void **state)
{
	(void)state;
	guest_tree(0xa003e00, 32 + 900, 0x9000000, 33);
	rig_pass("virtio", 0xa003000, 0xa003000, 0x1000);
	refused(41, "the guest's interrupt 932 is no shared one that a VM has (32 to 287)");
}

/* ---- Mapped devices ---- */

static void add_node(const char *name, const char *compatible, uint32_t base, uint32_t size,
		     uint32_t type, uint32_t number)
{
	const uint32_t irq[3] = { cpu_to_fdt32(type), cpu_to_fdt32(number), cpu_to_fdt32(4) };
	const uint64_t reg[2] = { cpu_to_fdt64(base), cpu_to_fdt64(size) };
	int node = fdt_add_subnode(host, 0, name);

	assert_true(node >= 0);
	assert_int_equal(
		fdt_setprop(host, node, "compatible", compatible, (int)strlen(compatible) + 1), 0);
	assert_int_equal(fdt_setprop(host, node, "reg", reg, sizeof(reg)), 0);
	if (number != UINT32_MAX) {
		assert_int_equal(fdt_setprop(host, node, "interrupts", irq, sizeof(irq)), 0);
	}
}

/* QEMU's board with more devices on it. */
static void host_tree(void)
{
	static uint8_t raw[32 * 1024];
	FILE *f = fopen(TEST_DATA "/qemu-gicv2.dtb", "rb");

	assert_non_null(f);
	assert_true(fread(raw, 1, sizeof(raw), f) > 0);
	fclose(f);
	assert_int_equal(fdt_open_into(raw, host, sizeof(host)), 0);
	add_node("pl011@9040000", "arm,pl011", 0x9040000, 0x1000, 0, 8);
	add_node("twin@9050000", "acme,twin", 0x9050000, 0x1000, 0, 8);
	add_node("a@9060000", "acme,half", 0x9060000, 0x800, 0, 20);
	add_node("b@9060800", "acme,half", 0x9060800, 0x800, 0, 21);
	add_node("local@9070000", "acme,local", 0x9070000, 0x1000, 1, 4);
	add_node("spy@9080000", "acme,spy", 0x9080000, 0x1000, 0, 1);
	add_node("mute@9090000", "syscon", 0x9090000, 0x1000, 0, UINT32_MAX);
	rig_machine.fdt = host;
	rig_machine.fdt_size = sizeof(host);
	rig_machine.uart[0].irq = (struct machine_irq){ 33, IRQ_LEVEL };
}

static void test_map_uart(void **state)
{
	(void)state;
	host_tree();
	rig_pass("uart1", 0x9040000, 0x9040000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.map_count, 1);
	assert_int_equal(rig_plan.map[0].hpa, 0x9040000);
	assert_false(rig_plan.map[0].dma);
	assert_int_equal(rig_plan.irq_count, 1);
	assert_int_equal(rig_plan.irq[0].host, 40);
	assert_int_equal(rig_plan.irq[0].guest, 40);
	assert_false(rig_plan.irq[0].edge);
	/* No bus master, nobody has to be trusted. */
	assert_int_equal(rig_sink.sink.count[DIAG_WARNING], 0);
	assert_null(rig_dev(0x9040000));
}

static void test_map_guest_tree(void **state)
{
	(void)state;
	host_tree();
	guest_tree(0xa003e00, 79, 0xb040000, 60);
	rig_pass("uart1", 0xb040000, 0x9040000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.map[0].gpa, 0xb040000);
	assert_int_equal(rig_plan.irq[0].host, 40);
	assert_int_equal(rig_plan.irq[0].guest, 60);
	rig_cfg.pass[0].base_gpa = 0xb050000;
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.irq[0].guest, 40);
	said(DIAG_WARNING, 41,
	     "/pl011@9040000 of this machine is not in the VM's device tree, which has nothing at "
	     "0xb050000");
}

static void test_map_trusted(void **state)
{
	(void)state;
	host_tree();
	rig_pass("twin", 0x9050000, 0x9050000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_true(rig_plan.map[0].dma);
	said(DIAG_WARNING, 41,
	     "VM \"guest\" is trusted: without an IOMMU \"twin\" (/twin@9050000) can reach");
}

static void test_map_private(void **state)
{
	(void)state;
	host_tree();
	rig_pass("local", 0x9070000, 0x9070000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.irq_count, 0);
	said(DIAG_WARNING, 41, "interrupt 20 is private to a core");
	/* A device without any is fine. */
	rig_pass("mute", 0x9090000, 0x9090000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.map_count, 2);
}

static void test_map_refused(void **state)
{
	struct plan_request req;

	(void)state;
	host_tree();
	rig_pass("x", 0xd000000, 0xd000000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	said(DIAG_WARNING, 41, "has no device at 0xd000000-0xd000fff: not mapped");
	assert_int_equal(rig_plan.map_count, 0);
	rig_cfg.pass_count = 0;
	rig_memory(0xd000000, 0x1000, 3 | VM_MEM_DEVICE, VM_MAP_IDENTICAL);
	assert_int_equal(rig_run(&rig_machine), 0);
	said(DIAG_WARNING, 22, "has no device at 0xd000000-0xd000fff: mapped as it is");
	assert_int_equal(rig_plan.map_count, 1);
	rig_cfg.memory_count--;
	rig_cfg.pass_count = 0;
	rig_pass("x", 0x9060000, 0x9060000, 0x800);
	refused(41, "0x9060000-0x90607ff shares a page with /b@9060800");
	rig_cfg.pass_count = 0;
	rig_pass("x", 0x9060000, 0x9060000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.irq_count, 2);
	rig_cfg.pass_count = 0;
	rig_pass("x", 0x9080000, 0x9080000, 0x1000);
	refused(41, "interrupt 33 is that of the hypervisor's console");
	/* Not the same device, but the same line. */
	rig_cfg.pass_count = 0;
	rig_pass("uart1", 0x9040000, 0x9040000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	req = beside();
	rig_cfg.pass_count = 0;
	rig_pass("twin", 0x9050000, 0x9050000, 0x1000);
	assert_int_equal(rig_do(&req), -EINVAL);
	said(DIAG_ERROR, 41, "\"twin\": the host's interrupt 40 would be shared with");
	/* One VM may have both. */
	rig_pass("uart1", 0x9040000, 0x9040000, 0x1000);
	req.other_count = 0;
	assert_int_equal(rig_do(&req), 0);
	assert_int_equal(rig_plan.irq_count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_moved, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_not_identical, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_foreign, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_guest_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_guest_clash, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slots_guest_number, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_uart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_guest_tree, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_trusted, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_private, setup, teardown),
		cmocka_unit_test_setup_teardown(test_map_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
