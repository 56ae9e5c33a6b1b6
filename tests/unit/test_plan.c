/* SPDX-License-Identifier: Apache-2.0 */
/* The planner: what it decides, and what it refuses in which words. */
#include "plan_rig.h"

static uint8_t kernel[0x2000];
static uint8_t ramdisk[0x1234];
static uint64_t dtb[8192];

static int setup(void **state)
{
	rig_setup(state);
	memset(kernel, 0, sizeof(kernel));
	put_arm64_header(kernel, 0, 0x100000);
	rig_add("kernel.bin", kernel, sizeof(kernel));
	rig_add("ramdisk", ramdisk, sizeof(ramdisk));
	return 0;
}

/* One of the findings is this one. */
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

static void refused(const struct machine *m, uint32_t line, const char *text)
{
	assert_int_equal(rig_run(m), -EINVAL);
	said(DIAG_ERROR, line, text);
}

static void is_dev(uint64_t base, enum guest_dev_kind kind, uint32_t irq)
{
	const struct guest_dev *d = rig_dev(base);

	assert_non_null(d);
	assert_int_equal(d->kind, kind);
	assert_int_equal(d->irq, irq);
}

/* ---- The files of upstream ---- */

static void test_arceos(void **state)
{
	(void)state;
	rig_upstream_list();
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.entry, 0x40080000);
	assert_int_equal(rig_plan.image[PLAN_KERNEL].base, 0x40080000);
	assert_int_equal(rig_plan.image[PLAN_KERNEL].size, 0x100000);
	said(DIAG_WARNING, 15, "misaligned");
	assert_int_equal(rig_plan.cpu_affinity[0], 3);
	assert_int_equal(rig_plan.memory_count, 1);
	assert_int_equal(rig_plan.memory[0].map_type, VM_MAP_ALLOC);

	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV2);
	assert_int_equal(rig_plan.board.intc.dist.base, 0x8000000);
	assert_int_equal(rig_plan.board.intc.cpu.base, 0x8010000);
	is_dev(0x9000000, GUEST_DEV_UART_PL011, 33);
	assert_true(rig_dev(0x9000000)->console);
	is_dev(0x9010000, GUEST_DEV_RTC_PL031, 34);
	is_dev(0x9030000, GUEST_DEV_GPIO_PL061, 39);
	is_dev(0xa000000, GUEST_DEV_VIRTIO_EMPTY, 48);
	is_dev(0xa003e00, GUEST_DEV_VIRTIO_EMPTY, 79);
	/* The rest of the interrupt controller's range, with the GICv2m frame. */
	is_dev(0x8020000, GUEST_DEV_RAZ, GUEST_IRQ_NONE);
	assert_int_equal(rig_dev(0x8020000)->size, 0x30000);
	assert_int_equal(rig_plan.board.dev_count, 36);
	assert_int_equal(rig_plan.map_count, 0);
	/* It has an Image header, so there is a device tree, out of the way. */
	assert_true(rig_plan.image[PLAN_DTB].present);
	assert_null(rig_plan.image[PLAN_DTB].path);
	assert_int_equal(rig_plan.dtb_gpa, rig_plan.image[PLAN_DTB].base);
	assert_true(rig_plan.dtb_gpa >= 0x40ff0000 && rig_plan.dtb_gpa % 4096 == 0);
}

static void test_nothing_listed(void **state)
{
	(void)state;
	rig_cfg.entry_point.has = false;
	rig_cfg.kernel.load_addr.has = false;
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.entry, 0x40000000);
	assert_int_equal(rig_plan.board.dev_count, 2);
	is_dev(0x9000000, GUEST_DEV_UART_PL011, 33);
	is_dev(0x9010000, GUEST_DEV_RTC_PL031, 34);
	assert_int_equal(rig_sink.sink.count[DIAG_WARNING], 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV2);
	/* Nothing says which: the host's kind. */
	rig_qemu(&rig_machine, 3, GiB);
	rig_cfg.cpu_num = 2;
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV3);
	assert_int_equal(rig_plan.board.intc.redist[0].base, 0x80a0000);
	assert_int_equal(rig_plan.board.intc.redist[0].size, 0x40000);
}

static void raw_kernel(void)
{
	memset(kernel, 0x11, sizeof(kernel));
}

static void test_raw_gets_no_dtb(void **state)
{
	(void)state;
	raw_kernel();
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_false(rig_plan.image[PLAN_DTB].present);
	assert_int_equal(rig_plan.dtb_gpa, 0);
	/* ... unless the configuration has a place for one. */
	rig_addr(&rig_cfg.dtb.load_addr, 0x40000000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.dtb_gpa, 0x40000000);
	rig_cfg.dtb.load_addr.value = 0x40000004;
	refused(&rig_machine, 15, "not a multiple of 8");
	rig_cfg.dtb.load_addr.value = 0x40080000;
	refused(&rig_machine, 15, "the kernel (0x40080000-0x40081fff) overlaps the device tree");
	rig_cfg.dtb.load_addr.value = 0x40fffff8;
	refused(&rig_machine, 15, "bytes are missing");
}

static void linux_dtb(enum guest_intc_kind kind, uint64_t uart)
{
	struct guest_board b = { .arch = VM_ARCH_AARCH64, .cpu_count = 1, .ram_count = 1 };
	struct image_site site = test_site(&rig_sink);
	size_t size;

	b.ram[0] = (struct guest_range){ 0x80000000, GiB };
	b.intc.kind = kind;
	b.intc.dist = (struct guest_range){ 0x8000000, 0x10000 };
	b.intc.cpu = (struct guest_range){ 0x8010000, 0x10000 };
	b.intc.redist_count = 1;
	b.intc.redist[0] = (struct guest_range){ 0x80a0000, 0x20000 };
	b.dev[0] = (struct guest_dev){ .kind = GUEST_DEV_UART_PL011,
				       .base = uart,
				       .size = 0x1000,
				       .irq = 40,
				       .console = true };
	b.dev_count = 1;
	b.bootargs = "from the tree";
	assert_int_equal(fdt_guest_generate(dtb, sizeof(dtb), &b, &site, &size), 0);
	rig_add("linux.dtb", dtb, size);
	snprintf(rig_cfg.dtb.path, VM_PATH_MAX, "linux.dtb");
	rig_cfg.dtb.pos = (struct cfg_pos){ 14, 12 };
}

static void test_linux_identical(void **state)
{
	(void)state;
	rig_qemu(&rig_machine, 2, 4 * GiB);
	rig_cfg.memory_count = 0;
	rig_memory(0x80000000, GiB, 7, VM_MAP_IDENTICAL);
	rig_addr(&rig_cfg.kernel.load_addr, 0x80080000);
	rig_addr(&rig_cfg.entry_point, 0x80080000);
	rig_addr(&rig_cfg.dtb.load_addr, 0x80000000);
	rig_upstream_list();
	linux_dtb(GUEST_INTC_GICV2, 0x9000000);
	snprintf(rig_cfg.ramdisk.path, VM_PATH_MAX, "ramdisk");
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.memory[0].hpa, 0x80000000);
	assert_int_equal(rig_plan.dtb_gpa, 0x80000000);
	/* The guest's tree has another interrupt for its UART than the host. */
	is_dev(0x9000000, GUEST_DEV_UART_PL011, 40);
	assert_string_equal(rig_plan.image[PLAN_DTB].path, "linux.dtb");
	assert_null(rig_plan.board.bootargs);
	assert_int_equal(rig_plan.board.initrd_end - rig_plan.board.initrd_start, sizeof(ramdisk));
	assert_int_equal(rig_plan.board.initrd_start, rig_plan.image[PLAN_RAMDISK].base);
	assert_true(rig_plan.board.initrd_start >= 0xbff00000);
	/* This machine has none of the slots. */
	is_dev(0xa003e00, GUEST_DEV_VIRTIO_EMPTY, 79);
	said(DIAG_WARNING, 45, "32 virtio-mmio slots are presented as empty");

	/* cmdline wins over the tree's. */
	rig_cfg.has_cmdline = true;
	snprintf(rig_cfg.cmdline, sizeof(rig_cfg.cmdline), "quiet");
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_string_equal(rig_plan.board.bootargs, "quiet");
	/* A tree made for a GICv3 has its word. */
	rig_store.count--;
	linux_dtb(GUEST_INTC_GICV3, 0x9000000);
	refused(&rig_machine, 14,
		"needs a GICv3 (its device tree says so), but this machine has a "
		"GICv2");
}

static void test_second_uart_absent(void **state)
{
	(void)state;
	rig_pass("pl011@9000000", 0x9000000, 0x9040000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	said(DIAG_WARNING, 41, "no such device at 0x9040000; the guest gets a virtual one");
	is_dev(0x9000000, GUEST_DEV_UART_PL011, 33);
	assert_true(rig_dev(0x9000000)->console);
	assert_int_equal(rig_plan.map_count, 0);
}

static void test_moved_console(void **state)
{
	(void)state;
	rig_pass("pl011", 0x1000000, 0x9000000, 0x1000);
	assert_int_equal(rig_run(&rig_machine), 0);
	is_dev(0x1000000, GUEST_DEV_UART_PL011, 33);
	assert_null(rig_dev(0x9000000));
	/* Part of a larger range keeps its place in it, the rest reads zero. */
	rig_cfg.pass_count = 0;
	rig_pass("many", 0x1000000, 0x8fff000, 0x3000);
	assert_int_equal(rig_run(&rig_machine), 0);
	is_dev(0x1001000, GUEST_DEV_UART_PL011, 33);
	is_dev(0x1000000, GUEST_DEV_RAZ, GUEST_IRQ_NONE);
	is_dev(0x1002000, GUEST_DEV_RAZ, GUEST_IRQ_NONE);
}

static void test_emu(void **state)
{
	(void)state;
	rig_emu(VM_EMU_CONSOLE, 0x1000000, 0x1000, 50);
	rig_emu(VM_EMU_VIRTIO_BLK, 0x2000000, 0x200, 1);
	rig_emu(VM_EMU_GITS, 0x3000000, 0x20000, 0);
	assert_int_equal(rig_run(&rig_machine), 0);
	is_dev(0x1000000, GUEST_DEV_UART_PL011, 50);
	assert_null(rig_dev(0x9000000));
	is_dev(0x2000000, GUEST_DEV_VIRTIO_EMPTY, 32);
	is_dev(0x3000000, GUEST_DEV_RAZ, GUEST_IRQ_NONE);
	assert_non_null(strstr(rig_sink.all, "irq 1 is no shared interrupt"));
	rig_emu(VM_EMU_PLIC, 0x4000000, 0x1000, 0);
	refused(&rig_machine, 64, "aarch64 has no");
}

static void test_dummy(void **state)
{
	(void)state;
	rig_emu(VM_EMU_DUMMY, 0x9000000, 0x1000, 0);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_null(rig_dev(0x9000000));
	assert_int_equal(rig_sink.sink.count[DIAG_WARNING], 1); /* misaligned */
	rig_emu(VM_EMU_DUMMY, 0x9990000, 0x1000, 0);
	assert_int_equal(rig_run(&rig_machine), 0);
	said(DIAG_WARNING, 62, "removes nothing");
}

/* ---- Interrupt controllers ---- */

static void test_gic_choice(void **state)
{
	(void)state;
	rig_emu(VM_EMU_GICR, 0x8080000, 0x40000, 0);
	rig_cfg.cpu_num = 2;
	refused(&rig_machine, 61, "needs a GICv3 (an emulated device says so)");
	rig_qemu(&rig_machine, 3, GiB);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.redist[0].base, 0x8080000);
	rig_cfg.cpu_num = 3;
	refused(&rig_machine, 61, "hold 2 vCPUs");

	rig_cfg.cpu_num = 1;
	rig_cfg.emu_count = 0;
	rig_pass("gic", 0x8000000, 0x8000000, 0x200000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV3);
	rig_cfg.pass_count = 0;
	rig_upstream_list();
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV2);
	assert_int_equal(rig_plan.board.intc.dist.base, 0x8000000);
	assert_int_equal(rig_plan.board.intc.cpu.base, 0x8010000);
	assert_int_equal(rig_plan.board.intc.redist_count, 0);
	assert_int_equal(rig_plan.map_count, 0);

	/* An emulated one without redistributors; with them it is the GICv3's distributor. */
	rig_cfg.pass_count = 0;
	rig_emu(VM_EMU_INTC, 0x2f000000, 0x10000, 0);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV2);
	assert_int_equal(rig_plan.board.intc.dist.base, 0x2f000000);
	rig_emu(VM_EMU_GICR, 0x2f100000, 0x20000, 0);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV3);
	rig_cfg.emu_count = 0;

	/* A host without GICC: nothing is looked for at its address 0. */
	rig_pass("low", 0x30000000, 0x0, 0x1000);
	rig_pass("gic", 0x2f000000, 0x8000000, 0x10000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.kind, GUEST_INTC_GICV2);
	assert_int_equal(rig_plan.board.intc.cpu.base, 0x2f010000);
}

static void test_gicv2_moved(void **state)
{
	(void)state;
	rig_pass("gic", 0x2f000000, 0x8000000, 0x20000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.board.intc.dist.base, 0x2f000000);
	assert_int_equal(rig_plan.board.intc.cpu.base, 0x2f010000);
	rig_cfg.cpu_num = 9;
	refused(&rig_machine, 3, "a GICv2 has at most 8 vCPUs");
}

/* ---- What is refused ---- */

static void test_cores(void **state)
{
	(void)state;
	rig_cfg.phys_cpu_sets[0] = 4;
	refused(&rig_machine, 5, "vCPU 0 wants cores 0x4, but this machine has 2");
	assert_int_equal(rig_run(NULL), 0);
	rig_cfg.phys_cpu_sets[0] = 2;
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.cpu_affinity[0], 2);
	rig_cfg.phys_cpu_ids[0] = 0x80000000;
	refused(&rig_machine, 0, "no MPIDR affinity");
}

static void test_memory_refused(void **state)
{
	struct vm_plan *other = malloc(sizeof(*other));
	const struct vm_plan *others[] = { other };
	struct plan_request req;

	(void)state;
	rig_cfg.memory[0].size = 2 * GiB;
	refused(&rig_machine, 20, "2048 MiB, is larger than the machine's, 1022 MiB");

	rig_cfg.memory_count = 0;
	rig_memory(0x40000000, 0x1000000, 7, VM_MAP_IDENTICAL);
	refused(&rig_machine, 21, "0x40200000-0x403fffff of it belongs to the hypervisor image");
	rig_cfg.memory[0].gpa = 0x7f800000;
	refused(&rig_machine, 21, "not all RAM of this machine, which has 0x40000000-0x7fffffff");
	rig_cfg.memory[0].gpa = 0x60000000;
	rig_cfg.memory[0].map_type = VM_MAP_RESERVED;
	refused(&rig_machine, 21, "in no /reserved-memory range");
	rig_machine.reserved[0] =
		(struct machine_reserved){ .range = { hpa(0x60000000), 0x1000000 },
					   .kind = MACHINE_RES_NODE };
	rig_cfg.kernel.load_addr.value = 0x60080000;
	rig_cfg.entry_point.value = 0x60080000;
	assert_int_equal(rig_run(&rig_machine), 0);

	/* Another VM has it. */
	rig_qemu(&rig_machine, 2, GiB);
	rig_cfg.memory[0].map_type = VM_MAP_IDENTICAL;
	assert_int_equal(rig_run(&rig_machine), 0);
	memcpy(other, &rig_plan, sizeof(*other));
	req = rig_request(&rig_machine);
	req.others = others;
	req.other_count = 1;
	assert_int_equal(rig_do(&req), -EINVAL);
	said(DIAG_ERROR, 21, "host memory 0x60000000-0x60ffffff is claimed by VM 1 \"guest\"");
	/* ... or too much of all. */
	rig_cfg.memory_count = 0;
	rig_memory(0x40000000, 1020 * MiB, 7, VM_MAP_ALLOC);
	rig_addr(&rig_cfg.kernel.load_addr, 0x40080000);
	rig_addr(&rig_cfg.entry_point, 0x40080000);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_do(&req), -EINVAL);
	said(DIAG_ERROR, 20, "other VMs have 16 MiB of the machine's 1022 MiB");
	free(other);
}

static void test_images_refused(void **state)
{
	(void)state;
	snprintf(rig_cfg.kernel.path, VM_PATH_MAX, "none.bin");
	refused(&rig_machine, 12, "cannot open \"none.bin\": there is no such file");
	snprintf(rig_cfg.kernel.path, VM_PATH_MAX, "kernel.bin");
	rig_store.file[0].size = 0;
	refused(&rig_machine, 12, "kernel.bin is empty");
	rig_store.file[0].size = sizeof(kernel);
	put64(kernel + 0x10, 0x1000000);
	refused(&rig_machine, 15,
		"the kernel needs 0x1000000 bytes at 0x40080000, but the memory "
		"region 0x40000000-0x40ffffff ends there after 0xf80000: 0x80000 "
		"bytes are missing");
	memcpy(kernel + 0x38, "RSC\x05", 4);
	refused(&rig_machine, 12, "Linux Image for riscv64, but the VM's architecture is aarch64");
	raw_kernel();
	rig_cfg.kernel.load_addr.has = false;
	refused(&rig_machine, 12, "kernel_load_addr is missing");
	rig_addr(&rig_cfg.kernel.load_addr, 0x40080000);
	snprintf(rig_cfg.ramdisk.path, VM_PATH_MAX, "ramdisk");
	rig_addr(&rig_cfg.ramdisk.load_addr, 0x40fff000);
	refused(&rig_machine, 15, "the ramdisk needs 0x1234 bytes at 0x40fff000");
}

static void test_dtb_refused(void **state)
{
	(void)state;
	linux_dtb(GUEST_INTC_GICV2, 0x9000000);
	rig_store.file[2].size -= 1;
	refused(&rig_machine, 14, "truncated");
	rig_store.file[2].size = 0;
	refused(&rig_machine, 14, "empty");
	rig_store.file[2].size = UINT64_C(1) << 40;
	refused(&rig_machine, 14, "a device tree may have");
}

static void test_entry(void **state)
{
	(void)state;
	rig_addr(&rig_cfg.entry_point, 0x40080040);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.entry, 0x40080040);
	said(DIAG_WARNING, 15, "would be entered at 0x40080000");
}

/* ---- Real passthrough ---- */

static void test_map(void **state)
{
	const struct vm_plan *others[1];
	struct vm_plan *other = malloc(sizeof(*other));
	struct plan_request req;

	(void)state;
	rig_pass("gadget", 0xb001100, 0xc002100, 0x100);
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.map_count, 1);
	assert_int_equal(rig_plan.map[0].gpa, 0xb001000);
	assert_int_equal(rig_plan.map[0].hpa, 0xc002000);
	assert_int_equal(rig_plan.map[0].size, 0x1000);
	said(DIAG_WARNING, 41, "mapped as it is, without interrupts");

	memcpy(other, &rig_plan, sizeof(*other));
	others[0] = other;
	req = rig_request(&rig_machine);
	req.others = others;
	req.other_count = 1;
	assert_int_equal(rig_do(&req), -EINVAL);
	said(DIAG_ERROR, 41, "belongs to VM 1 \"guest\" (0xc002000-0xc002fff)");
	free(other);

	rig_cfg.pass_count = 0;
	rig_pass("pci", 0x4010000000, 0x4010000000, 0x1000);
	refused(&rig_machine, 41, "holds the PCI host bridge of the hypervisor");
}

static void test_boards_refused(void **state)
{
	(void)state;
	/* linux-a1000's one entry, on QEMU. */
	rig_pass("most-devices", 0, 0, 0x80000000);
	refused(&rig_machine, 41,
		"host range 0x0-0x7fffffff holds this machine's RAM "
		"(0x40000000-0x7fffffff)");
	/* linux-rk3588's first region: device memory; its second is no RAM here. */
	rig_cfg.pass_count = 0;
	rig_cfg.memory_count = 0;
	rig_memory(0, 0x10f000, 0x37, VM_MAP_IDENTICAL);
	rig_memory(0x9400000, 0x76c00000, 7, VM_MAP_IDENTICAL);
	refused(&rig_machine, 22, "MAP_IDENTICAL memory 0x9400000-0x7fffffff is not all RAM");
	assert_int_equal(rig_plan.map_count, 1);
	assert_int_equal(rig_plan.map[0].size, 0x10f000);
	rig_cfg.memory_count = 1;
	rig_cfg.memory[0].map_type = VM_MAP_ALLOC;
	rig_memory(0x40000000, 0x1000000, 7, VM_MAP_ALLOC);
	refused(&rig_machine, 21, "needs a fixed host address");
}

static void test_conflict(void **state)
{
	(void)state;
	rig_memory(0x8000000, 0x1000000, 7, VM_MAP_ALLOC);
	refused(&rig_machine, 20, "the virtual interrupt controller overlap");
	rig_cfg.memory[1].gpa = 0x9000000;
	rig_cfg.memory[1].size = 0x1000;
	assert_int_equal(rig_run(&rig_machine), 0);
	said(DIAG_NOTE, 2, "the VM has no console");
}

static void test_ram_is_joined(void **state)
{
	(void)state;
	rig_memory(0x50000000, 0x1000, 7, VM_MAP_ALLOC);
	rig_memory(0x41000000, 0x1000000, 7, VM_MAP_ALLOC);
	rig_memory(0x3f000000, 0x1000000, 7, VM_MAP_ALLOC);
	rig_memory(0x60000000, 0x1000, 5, VM_MAP_ALLOC); /* read-only: no RAM */
	assert_int_equal(rig_run(&rig_machine), 0);
	assert_int_equal(rig_plan.memory_count, 5);
	assert_int_equal(rig_plan.board.ram_count, 2);
	assert_int_equal(rig_plan.board.ram[0].base, 0x3f000000);
	assert_int_equal(rig_plan.board.ram[0].size, 0x3000000);
	assert_int_equal(rig_plan.board.ram[1].base, 0x50000000);
}

static void test_no_machine_no_store(void **state)
{
	struct plan_request req = rig_request(NULL);

	(void)state;
	rig_upstream_list();
	assert_int_equal(rig_do(&req), 0);
	assert_int_equal(rig_plan.board.dev_count, 36);
	req.store = NULL;
	assert_int_equal(rig_do(&req), 0);
	assert_false(rig_plan.image[PLAN_KERNEL].present);
	req.work_size = 100;
	assert_int_equal(rig_do(&req), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_arceos, setup),
		cmocka_unit_test_setup(test_nothing_listed, setup),
		cmocka_unit_test_setup(test_raw_gets_no_dtb, setup),
		cmocka_unit_test_setup(test_linux_identical, setup),
		cmocka_unit_test_setup(test_second_uart_absent, setup),
		cmocka_unit_test_setup(test_moved_console, setup),
		cmocka_unit_test_setup(test_emu, setup),
		cmocka_unit_test_setup(test_dummy, setup),
		cmocka_unit_test_setup(test_gic_choice, setup),
		cmocka_unit_test_setup(test_gicv2_moved, setup),
		cmocka_unit_test_setup(test_cores, setup),
		cmocka_unit_test_setup(test_memory_refused, setup),
		cmocka_unit_test_setup(test_images_refused, setup),
		cmocka_unit_test_setup(test_dtb_refused, setup),
		cmocka_unit_test_setup(test_entry, setup),
		cmocka_unit_test_setup(test_map, setup),
		cmocka_unit_test_setup(test_boards_refused, setup),
		cmocka_unit_test_setup(test_conflict, setup),
		cmocka_unit_test_setup(test_ram_is_joined, setup),
		cmocka_unit_test_setup(test_no_machine_no_store, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
