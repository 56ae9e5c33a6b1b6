/* SPDX-License-Identifier: Apache-2.0 */
/* One VM configuration: each setting, and each diagnostic with its place. */
#include "config_fixture.h"

static struct vm_config cfg;

static int parse(const char *text)
{
	clear();
	return parse_as("vm.toml", text, VM_ARCH_ANY, &cfg);
}

/* Lines 1 to 8 of most files here. */
#define BASE "[base]\nname = \"a\"\n"
#define KERNEL                                                                                \
	"[kernel]\nkernel_path = \"k\"\nimage_location = \"fs\"\nentry_point = 0x4008_0000\n" \
	"memory_regions = [[0x4000_0000, 0x100_0000, 7, 0]]\n[devices]\n"
#define DEVICES BASE KERNEL /* what follows is on line 9 */

struct item {
	const char *text;
	const char *found; /* all findings */
};

static void check_items(const struct item *items, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		(void)!parse(items[i].text);
		if (strcmp(found, items[i].found) != 0) {
			print_error("file:\n%s\n", items[i].text);
		}
		assert_string_equal(found, items[i].found);
	}
}

static void test_all_settings(void **state)
{
	(void)state;
	assert_int_equal(
		parse("[base]\nid = 7\nname = \"guest\"\nvm_type = 2\ncpu_num = 2\n"
		      "phys_cpu_ids = [0x0, 0x100]\nphys_cpu_sets = [0b01, 0b11]\n"
		      "[kernel]\nentry_point = 0x4008_0000\nimage_location = \"fs\"\n"
		      "kernel_path = \"Image\"\nkernel_load_addr = 0x4008_0000\n"
		      "bios_path = \"b\"\nbios_load_addr = 0x4000_0000\n"
		      "dtb_path = \"d\"\ndtb_load_addr = 0x4100_0000\n"
		      "ramdisk_path = \"r\"\nramdisk_load_addr = 0x4200_0000\n"
		      "cmdline = \"console=ttyAMA0 -- x\"\ndisk_path = \"disk.img\"\n"
		      "memory_regions = [[0x4000_0000, 0x800_0000, 0x7, 1],\n"
		      "  [0x5000_0000, 0x1000, 0x33, 2]]\n"
		      "[devices]\n"
		      "emu_devices = [[\"blk\", 0x0a00_0000, 0x200, 48, 0xE1, [1, 2]],\n"
		      "  [\"net\", 0x0a00_0200, 0x200, 49, 4],\n"
		      "  [\"uart\", 0x3f8, 8, 4, 2, []], [\"none\", 0x900_0000, 0x1000, 0, 0],\n"
		      "  [\"sre\", 0, 0, 0, 7]]\n"
		      "passthrough_devices = [[\"dev\", 0x1000_0200, 0x2000_0200, 0x200, 1],\n"
		      "  [\"short\", 0x1100_0000, 0x2100_0000, 0x1000],\n"
		      "  [\"/soc/usb@0\"], \"/soc/gpu\"]\n"
		      "passthrough_addresses = [[0x1200_0000, 0x1000]]\n"
		      "passthrough_ports = [[0x60, 5]]\n"
		      "excluded_devices = [[\"/timer\", \"/psci\"], \"/x\"]\n"
		      "interrupt_mode = \"passthrough\"\n"),
		0);
	assert_int_equal(sink.count[DIAG_ERROR], 0);
	assert_int_equal(cfg.id, 7);
	assert_true(cfg.has_id);
	assert_string_equal(cfg.name, "guest");
	assert_string_equal(cfg.file, "vm.toml");
	assert_int_equal(cfg.vm_type, VM_TYPE_LINUX);
	assert_int_equal(cfg.cpu_num, 2);
	assert_int_equal(cfg.phys_cpu_ids[1], 0x100);
	assert_int_equal(cfg.phys_cpu_sets[1], 3);
	assert_int_equal(cfg.entry_point.value, 0x40080000);
	assert_true(cfg.entry_point.has);
	assert_int_equal(cfg.entry_point.pos.line, 9);
	assert_int_equal(cfg.entry_point.pos.col, 15);
	assert_int_equal(cfg.image_location, VM_IMAGE_FS);
	assert_string_equal(cfg.kernel.path, "Image");
	assert_int_equal(cfg.kernel.load_addr.value, 0x40080000);
	assert_string_equal(cfg.bios.path, "b");
	assert_int_equal(cfg.bios.load_addr.value, 0x40000000);
	assert_string_equal(cfg.dtb.path, "d");
	assert_int_equal(cfg.dtb.pos.line, 15);
	assert_int_equal(cfg.dtb.load_addr.value, 0x41000000);
	assert_string_equal(cfg.ramdisk.path, "r");
	assert_int_equal(cfg.ramdisk.load_addr.value, 0x42000000);
	assert_string_equal(cfg.cmdline, "console=ttyAMA0 -- x");
	assert_true(cfg.has_cmdline);
	assert_string_equal(cfg.disk_path, "disk.img");
	assert_int_equal(cfg.memory_count, 2);
	assert_int_equal(cfg.memory[0].map_type, VM_MAP_IDENTICAL);
	assert_int_equal(cfg.memory[1].gpa, 0x50000000);
	assert_int_equal(cfg.memory[1].size, 0x1000);
	assert_int_equal(cfg.memory[1].flags, 0x33);
	assert_int_equal(cfg.memory[1].map_type, VM_MAP_RESERVED);
	assert_int_equal(cfg.memory[1].pos.line, 22);
	assert_int_equal(cfg.emu_count, 5);
	assert_string_equal(cfg.emu[0].name, "blk");
	assert_int_equal(cfg.emu[0].kind, VM_EMU_VIRTIO_BLK);
	assert_int_equal(cfg.emu[0].raw_type, 0xe1);
	assert_int_equal(cfg.emu[0].irq, 48);
	assert_int_equal(cfg.emu[0].cfg_count, 2);
	assert_int_equal(cfg.emu[0].cfg[1], 2);
	assert_false(cfg.emu[0].port);
	assert_int_equal(cfg.emu[1].kind, VM_EMU_VIRTIO_NET);
	assert_int_equal(cfg.emu[1].cfg_count, 0);
	assert_true(cfg.emu[2].port);
	assert_int_equal(cfg.emu[3].kind, VM_EMU_DUMMY);
	assert_int_equal(cfg.emu[4].kind, VM_EMU_ICC_SRE);
	assert_int_equal(cfg.pass_count, 2);
	assert_int_equal(cfg.pass[0].base_hpa, 0x20000200);
	assert_int_equal(cfg.pass[0].irq, 1);
	assert_string_equal(cfg.pass[1].name, "short");
	assert_int_equal(cfg.pass[1].length, 0x1000);
	assert_int_equal(cfg.pass_node_count, 2);
	assert_string_equal(cfg.pass_node[0].path, "/soc/usb@0");
	assert_string_equal(cfg.pass_node[1].path, "/soc/gpu");
	assert_int_equal(cfg.pass_addr[0].base, 0x12000000);
	assert_int_equal(cfg.pass_port[0].length, 5);
	assert_int_equal(cfg.excluded_count, 3);
	assert_string_equal(cfg.excluded[1].path, "/psci");
	assert_int_equal(cfg.interrupt_mode, VM_IRQ_PASSTHROUGH);
}

static void test_defaults(void **state)
{
	uint32_t i;

	(void)state;
	assert_int_equal(parse("[base]\nname = \"a\"\n[kernel]\nkernel_path = \"k\"\n"
			       "memory_regions = [[0, 0x1000, 3, 0]]\nramdisk_path = \"\"\n"
			       "ramdisk_load_addr = 0\n"),
			 0);
	assert_string_equal(
		found, "4 warning: image_location is missing: \"memory\" is assumed, the images "
		       "are taken into the hypervisor when it is built\n");
	assert_false(cfg.has_id);
	assert_int_equal(cfg.cpu_num, 1);
	assert_int_equal(cfg.image_location, VM_IMAGE_MEMORY);
	assert_false(cfg.entry_point.has);
	assert_false(cfg.kernel.load_addr.has);
	assert_int_equal(cfg.interrupt_mode, VM_IRQ_EMU);
	for (i = 0; i < MAX_VCPUS; i++) {
		assert_int_equal(cfg.phys_cpu_ids[i], i);
		assert_int_equal(cfg.phys_cpu_sets[i], 0);
	}
	assert_string_equal(cfg.ramdisk.path, "");
}

static void test_keys(void **state)
{
	static const struct item items[] = {
		{ "",
		  "0 error: name is missing in [base]\n0 error: kernel_path is missing in [kernel]\n"
		  "0 error: memory_regions is missing in [kernel]\n" },
		{ "# x\n[base]\n" KERNEL, "2 error: name is missing in [base]\n" },
		{ "base = 1\n" KERNEL, "1 error: base must be a table, this is an integer\n" },
		{ "[[base]]\nname = 'a'\n" KERNEL,
		  "1 error: base must be a table, this is an array\n" },
		{ BASE "cpu_set = 2\n" KERNEL,
		  "3 warning: unknown key 'cpu_set' in [base], ignored; the nearest known one is "
		  "'phys_cpu_sets' in [base]\n" },
		{ BASE "CPU_num = 2\n" KERNEL,
		  "3 warning: unknown key 'CPU_num' in [base], ignored; the nearest known one is "
		  "'cpu_num' in [base]\n" },
		{ BASE "kernel_paht = 2\n" KERNEL,
		  "3 warning: unknown key 'kernel_paht' in [base], ignored; the nearest known one is "
		  "'kernel_path' in [kernel]\n" },
		{ BASE "emu_devices = []\n" KERNEL,
		  "3 warning: 'emu_devices' belongs in [devices], in [base] it is ignored\n" },
		{ "cpu_num = 2\n" BASE KERNEL,
		  "1 warning: 'cpu_num' belongs in [base], in the file's top level it is ignored\n" },
		{ BASE "zzz = 2\n" KERNEL, "3 warning: unknown key 'zzz' in [base], ignored\n" },
		{ DEVICES "[network]\na = 1\n",
		  "9 warning: unknown section [network], ignored; known are [base], [kernel] and "
		  "[devices]\n" },
		/* After an error of syntax nothing is called missing. */
		{ BASE "cpu_num = = 2\n", "3 error: expected a value, found '='\n" },
		/* All problems of a file at once, errors of syntax and others. */
		{ "[base]\nname = 5\ncpu_num = 0\nvm_type = 3\nid = -1\n[kernel]\nkernel_path = \"\"\n"
		  "entry_point = 0x1_0000_0000_0000\nimage_location = \"disk\"\ncmdline = ?\n",
		  "10 error: expected a value, found '?'\n"
		  "5 error: id is -1, it must not be negative\n"
		  "2 error: name must be a string, this is an integer\n"
		  "4 error: vm_type is 3, permitted is 0 to 2\n"
		  "3 error: cpu_num is 0, permitted is 1 to 32\n"
		  "8 error: entry_point is 0x1000000000000, permitted is 0x0 to 0xffffffffffff\n"
		  "9 error: image_location is \"disk\", it must be \"memory\" or \"fs\"\n"
		  "7 error: kernel_path is empty\n" },
	};

	(void)state;
	check_items(items, ARRAY_SIZE(items));
}

static void test_cpus(void **state)
{
	static const struct item items[] = {
		{ BASE "cpu_num = 1_000\n" KERNEL,
		  "3 error: cpu_num is 1000, permitted is 1 to 32\n" },
		{ BASE "cpu_num = 32\n" KERNEL, "" },
		{ BASE "cpu_num = 33\nphys_cpu_sets = [1]\n" KERNEL,
		  "3 error: cpu_num is 33, permitted is 1 to 32\n" },
		{ BASE "cpu_num = '2'\n" KERNEL,
		  "3 error: cpu_num must be an integer, this is a string\n" },
		{ BASE "phys_cpu_sets = [1, 2]\ncpu_num = 1\n" KERNEL,
		  "3 error: phys_cpu_sets has 2 entries, but cpu_num is 1 (line 4): each vCPU has a "
		  "bitmap of cores of its own\n" },
		{ BASE "phys_cpu_sets = [0]\n" KERNEL,
		  "3 error: phys_cpu_sets[0] is 0x0, permitted is 0x1 to 0xffffffff\n" },
		{ BASE "phys_cpu_sets = [0x1_0000_0000]\n" KERNEL,
		  "3 error: phys_cpu_sets[0] is 0x100000000, permitted is 0x1 to 0xffffffff\n" },
		{ BASE "phys_cpu_sets = 1\n" KERNEL,
		  "3 error: phys_cpu_sets must be an array, this is an integer\n" },
		{ BASE "phys_cpu_ids = [0, 1]\n" KERNEL,
		  "3 error: phys_cpu_ids has 2 entries, but cpu_num is 1 (line 0)\n" },
		{ BASE "cpu_num = 3\nphys_cpu_ids = [5, 6, 5]\n" KERNEL,
		  "4 error: phys_cpu_ids[0] and phys_cpu_ids[2] are both 0x5: each vCPU needs an id of "
		  "its own\n" },
		{ BASE "cpu_num = 2\nphys_cpu_ids = [5, 'x']\n" KERNEL,
		  "4 error: phys_cpu_ids[1] must be an integer, this is a string\n" },
	};

	(void)state;
	check_items(items, ARRAY_SIZE(items));
	clear();
	parse_as("x", BASE "phys_cpu_ids = [0x8000_0000]\n" KERNEL, VM_ARCH_AARCH64, &cfg);
	assert_string_equal(found,
			    "3 error: phys_cpu_ids[0] is 0x80000000, but bits 24 to 31 of an "
			    "MPIDR are not part of the affinity\n");
	clear();
	parse_as("x", BASE "phys_cpu_ids = [0x1_0000_0000]\n" KERNEL, VM_ARCH_X86_64, &cfg);
	assert_string_equal(found, "3 error: phys_cpu_ids[0] is 0x100000000, permitted is 0x0 to "
				   "0xfffffffe\n");
}

/* Line 6 is `memory_regions`, line 7 and on are others of [kernel]. */
#define WITH_MEMORY(m) \
	BASE "[kernel]\nkernel_path = \"k\"\nimage_location = \"fs\"\nmemory_regions = " m "\n"
#define RAM16 "[[0x4000_0000, 0x100_0000, 7, 0]]"

static void test_memory(void **state)
{
	static const struct item items[] = {
		{ WITH_MEMORY("[]"), "6 error: memory_regions is empty: a VM needs memory, as in "
				     "[[0x4000_0000, 0x100_0000, 0x7, 0]]\n" },
		{ WITH_MEMORY("[0x4000_0000, 0x100_0000, 7, 0]"),
		  "6 error: memory_regions[0] must be an array, this is an integer\n"
		  "6 error: memory_regions[1] must be an array, this is an integer\n"
		  "6 error: memory_regions[2] must be an array, this is an integer\n"
		  "6 error: memory_regions[3] must be an array, this is an integer\n" },
		{ WITH_MEMORY("[[0x4000_0000, 0x100_0000, 7]]"),
		  "6 error: memory_regions[0] has 3 elements, expected is [gpa, size, flags, "
		  "map_type]\n" },
		{ WITH_MEMORY("[[0x4000_0000, 0x100_0000, 7, 0, 1]]"),
		  "6 error: memory_regions[0] has 5 elements, expected is [gpa, size, flags, "
		  "map_type]\n" },
		{ WITH_MEMORY("[[0, 0x1000, 7, 0],\n [0x1000, 0, 0x40, 3]]"),
		  "7 error: size of memory_regions[1] is 0x0, permitted is 0x1 to 0x1000000000000\n"
		  "7 error: flags of memory_regions[1] is 64, permitted is 0 to 63\n"
		  "7 error: map_type of memory_regions[1] is 3, permitted is 0 to 2\n" },
		{ WITH_MEMORY("[[0x800, 0x1000, 7, 0]]"),
		  "6 error: memory region at 0x800 of size 0x1000: both must be multiples of 4 KiB "
		  "(0x1000)\n" },
		{ WITH_MEMORY("[[0x1000, 0x1001, 7, 0]]"),
		  "6 error: memory region at 0x1000 of size 0x1001: both must be multiples of 4 KiB "
		  "(0x1000)\n" },
		{ WITH_MEMORY("[[0xffff_ffff_f000, 0x2000, 7, 0]]"),
		  "6 error: memory region [0xfffffffff000, 0x1000000001000) ends past "
		  "0x1000000000000\n" },
		{ WITH_MEMORY("[[0xffff_ffff_f000, 0x1000, 7, 0]]"), "" },
		{ WITH_MEMORY("[[0, 0x1000, 7, 0], [0x1000, 0x1000, 6, 0]]"),
		  "6 error: flags 0x6 of the memory region at 0x1000 lack READ (0x1)\n" },
		{ WITH_MEMORY("[[0, 0x1000, 5, 0]]"),
		  "6 error: no memory region is RAM, readable and writable (flags 0x3 or 0x7)\n" },
		{ WITH_MEMORY("[[0, 0x1000, 0x37, 1]]"),
		  "6 warning: memory region at 0x0 has the DEVICE flag (0x10): it is mapped as device "
		  "memory and not used as RAM\n"
		  "6 error: no memory region is RAM, readable and writable (flags 0x3 or 0x7)\n" },
		{ WITH_MEMORY("[[0, 0x3000, 7, 0],\n[0x2000, 0x1000, 7, 0]]"),
		  "7 error: memory region [0x2000, 0x3000) overlaps memory region [0x0, 0x3000) of "
		  "line 6\n" },
		{ WITH_MEMORY("[[0, 0x2000, 7, 0],\n[0x2000, 0x1000, 7, 0]]"), "" },
	};

	(void)state;
	check_items(items, ARRAY_SIZE(items));
}

static void test_addresses(void **state)
{
	static const struct item items[] = {
		{ WITH_MEMORY(RAM16) "entry_point = 0x4100_0000\n",
		  "7 error: entry_point 0x41000000 is in no memory region; the nearest is [0x40000000, "
		  "0x41000000) of line 6\n" },
		{ WITH_MEMORY(RAM16) "entry_point = 0x3fff_ffff\n",
		  "7 error: entry_point 0x3fffffff is in no memory region; the nearest is [0x40000000, "
		  "0x41000000) of line 6\n" },
		{ WITH_MEMORY(
			  "[[0, 0x1000, 7, 0],\n[0x10_0000, 0x1000, 7, 0]]") "entry_point = 0x9_0000\n",
		  "8 error: entry_point 0x90000 is in no memory region; the nearest is [0x100000, "
		  "0x101000) of line 7\n" },
		{ WITH_MEMORY(RAM16) "entry_point = 0x40ff_ffff\n", "" },
		{ WITH_MEMORY("[[0, 0x1000, 3, 0]]") "entry_point = 0\n",
		  "7 error: entry_point 0x0 is in a memory region without EXECUTE (0x4) (line 6)\n" },
		{ WITH_MEMORY(
			  "[[0, 0x1000, 7, 0], [0x1000, 0x1000, 0x17, 1]]") "entry_point = 0x1000\n",
		  "6 warning: memory region at 0x1000 has the DEVICE flag (0x10): it is mapped as "
		  "device memory and not used as RAM\n"
		  "7 error: entry_point 0x1000 is in device memory (line 6), not in RAM\n" },
		/* What is wrong with the regions makes the addresses in them no worse. */
		{ WITH_MEMORY("[[0, 0x1000, 7, 9]]") "entry_point = 0x1000\n",
		  "6 error: map_type of memory_regions[0] is 9, permitted is 0 to 2\n" },
		{ WITH_MEMORY(
			  RAM16) "kernel_load_addr = 1\ndtb_load_addr = 2\nbios_path = 'b'\n"
				 "bios_load_addr = 3\nramdisk_path = 'r'\nramdisk_load_addr = 4\n",
		  "7 error: kernel_load_addr 0x1 is in no memory region; the nearest is [0x40000000, "
		  "0x41000000) of line 6\n"
		  "8 error: dtb_load_addr 0x2 is in no memory region; the nearest is [0x40000000, "
		  "0x41000000) of line 6\n"
		  "10 error: bios_load_addr 0x3 is in no memory region; the nearest is [0x40000000, "
		  "0x41000000) of line 6\n"
		  "12 error: ramdisk_load_addr 0x4 is in no memory region; the nearest is [0x40000000, "
		  "0x41000000) of line 6\n" },
		{ WITH_MEMORY(
			  RAM16) "bios_load_addr = 0x4000_0000\nramdisk_load_addr = 0x4000_0000\n",
		  "7 warning: bios_load_addr has no effect without bios_path\n"
		  "8 warning: ramdisk_load_addr has no effect without ramdisk_path\n" },
		{ WITH_MEMORY(RAM16) "entry_point = 0x4000_0000\nkernel_load_addr = 0x4008_0000\n",
		  "7 warning: entry_point 0x40000000 is before the kernel, which is loaded at "
		  "0x40080000 (line 8)\n" },
		{ WITH_MEMORY(RAM16) "entry_point = 0x4000_0000\nkernel_load_addr = 0x4008_0000\n"
				     "bios_path = 'b'\n",
		  "" },
		{ WITH_MEMORY(RAM16) "dtb_path = \"k\"\n",
		  "7 warning: dtb_path names the kernel image 'k' (line 4), ignored: the VM gets a "
		  "device tree made for it\n" },
	};

	(void)state;
	check_items(items, ARRAY_SIZE(items));
	assert_string_equal(cfg.dtb.path, "");
}

static void test_strings(void **state)
{
	char text[4096];
	char expected[256];
	size_t n;

	(void)state;
	for (n = VM_NAME_MAX - 1; n <= VM_NAME_MAX; n++) {
		snprintf(text, sizeof(text), "[base]\nname = \"%0*d\"\n" KERNEL, (int)n, 0);
		(void)!parse(text);
		snprintf(expected, sizeof(expected), "%s",
			 n < VM_NAME_MAX ? ""
					 : "2 error: name has 64 bytes, at most 63 are possible\n");
		assert_string_equal(found, expected);
	}
	snprintf(text, sizeof(text), WITH_MEMORY(RAM16) "cmdline = \"%0*d\"\n", VM_CMDLINE_MAX - 1,
		 0);
	assert_int_equal(parse(text), 0);
	assert_int_equal(strlen(cfg.cmdline), VM_CMDLINE_MAX - 1);
	snprintf(text, sizeof(text), WITH_MEMORY(RAM16) "cmdline = \"%0*d\"\n", VM_CMDLINE_MAX, 0);
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(found, "7 error: cmdline has 2048 bytes, at most 2047 are possible\n");
	(void)!parse("[base]\nname = \"a\\u0000b\"\n" KERNEL);
	assert_string_equal(found, "2 error: name contains the control character 0x00\n");
	(void)!parse("[base]\nname = \"\"\n" KERNEL);
	assert_string_equal(found, "2 error: name is empty\n");
	(void)!parse("[base]\nname = 1.5\n" KERNEL);
	assert_string_equal(found, "2 error: name must be a string, this is a float\n");
}

static void test_emu_devices(void **state)
{
	static const struct item items[] = {
		{ DEVICES "emu_devices = {}\n",
		  "9 error: emu_devices must be an array, this is a table\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1]]\n",
		  "9 error: emu_devices[0] has 4 elements, expected is [name, base_gpa, length, irq, "
		  "type, [configuration numbers]]\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1, 0x30, [], 1]]\n",
		  "9 error: emu_devices[0] has too many elements, expected is [name, base_gpa, length, "
		  "irq, type, [configuration numbers]]\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1, 0x30, 1]]\n",
		  "9 error: configuration of emu_devices[0] must be an array, this is an integer\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1, 0x30, [-1]]]\n",
		  "9 error: configuration of emu_devices[0] is -1, it must not be negative\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1, 0x30,\n"
			  "[0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0]]]\n",
		  "10 error: configuration of emu_devices[0] has more than 16 numbers\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1, 0x77]]\n",
		  "9 error: type of emu_devices[0] is 0x77, known are 0x0 to 0xA, 0x20 to 0x24, 0x30 "
		  "and 0xE1 to 0xE3\n" },
		{ DEVICES "emu_devices = [['x', 0, 0, 1, 0xE1]]\n",
		  "9 error: length of emu_devices[0] is 0\n" },
		{ DEVICES "emu_devices = [['x', 0, 0x1000, 1024, 0xE1]]\n",
		  "9 error: irq of emu_devices[0] is 1024, permitted is 0 to 1023\n" },
		{ DEVICES "emu_devices = [['x', 0x800_0000, 0x1000, 0, 1]]\n",
		  "9 note: type 0x1 of 'x' is read as IntC, its meaning since July 2025; before that "
		  "it was GICD v2\n" },
		{ DEVICES "emu_devices = [[1, 0x800_0000, 0x1000, 0, 0x21]]\n",
		  "9 error: name of emu_devices[0] must be a string, this is an integer\n" },
		{ DEVICES "emu_devices = [['a', 0x1000, 0x1000, 0, 0xE1],\n"
			  "['b', 0x1800, 0x1000, 0, 0xE2]]\n",
		  "10 error: emulated device 'b' [0x1800, 0x2800) overlaps emulated device 'a' [0x1000, "
		  "0x2000) of line 9\n" },
		{ DEVICES "emu_devices = [['a', 0x4000_0000, 0x1000, 0, 0xE1]]\n",
		  "9 error: emulated device 'a' [0x40000000, 0x40001000) overlaps memory region "
		  "[0x40000000, 0x41000000) of line 7\n" },
		/* Within a passthrough range the emulated device wins; across its end it cannot. */
		{ DEVICES "passthrough_devices = [['all', 0, 0, 0x1000_0000]]\n"
			  "emu_devices = [['a', 0x1000, 0x1000, 0, 0xE1]]\n",
		  "10 note: emulated device 'a' takes its range out of passthrough device 'all' [0x0, "
		  "0x10000000) of line 9\n" },
		{ DEVICES "passthrough_devices = [['p', 0x1000, 0x1000, 0x1000]]\n"
			  "emu_devices = [['a', 0x1000, 0x2000, 0, 0xE1]]\n",
		  "9 error: passthrough device 'p' [0x1000, 0x2000) overlaps emulated device 'a' [0x1000, "
		  "0x3000) of line 10\n" },
		/* A dummy claims nothing. */
		{ DEVICES "emu_devices = [['a', 0x4000_0000, 0x1000, 0, 0]]\n",
		  "9 note: type 0x0 of 'a' is read as Dummy, its meaning since July 2025; before that "
		  "it was Console\n" },
		{ DEVICES "emu_devices = [['a', 0xffff_ffff_f000, 0x1001, 0, 0xE1]]\n",
		  "9 error: emulated device 'a' [0xfffffffff000, 0x1000000000001) ends past "
		  "0x1000000000000\n" },
		/* x86 ports and memory at the same number are different places. */
		{ BASE "[kernel]\nkernel_path = 'k'\nimage_location = 'fs'\n"
		       "memory_regions = [[0, 0x10_0000, 7, 0]]\n[devices]\n"
		       "emu_devices = [['pit', 0x40, 4, 0, 0x24]]\n"
		       "passthrough_ports = [[0x42, 4], [0xfff0, 0x11]]\n",
		  "9 error: passthrough port range [0x42, 0x46) overlaps emulated device 'pit' [0x40, "
		  "0x44) of line 8\n"
		  "9 error: passthrough port range [0xfff0, 0x10001) ends past 0x10000\n" },
	};

	(void)state;
	check_items(items, ARRAY_SIZE(items));
}

static void test_emu_kinds(void **state)
{
	static const struct {
		uint32_t raw;
		enum vm_emu_kind kind;
		bool ambiguous;
	} kinds[] = {
		{ 0x00, VM_EMU_DUMMY, true },	    { 0x01, VM_EMU_INTC, true },
		{ 0x02, VM_EMU_CONSOLE, true },	    { 0x03, VM_EMU_VIRTIO_BLK, false },
		{ 0x04, VM_EMU_VIRTIO_NET, false }, { 0x05, VM_EMU_VIRTIO_CONSOLE, false },
		{ 0x06, VM_EMU_IOMMU, false },	    { 0x07, VM_EMU_ICC_SRE, false },
		{ 0x08, VM_EMU_SGIR, false },	    { 0x09, VM_EMU_GICR, false },
		{ 0x0a, VM_EMU_IVC, true },	    { 0x20, VM_EMU_GICR, false },
		{ 0x21, VM_EMU_GICD, false },	    { 0x22, VM_EMU_GITS, false },
		{ 0x23, VM_EMU_IOAPIC, false },	    { 0x24, VM_EMU_PIT, false },
		{ 0x30, VM_EMU_PLIC, false },	    { 0xe1, VM_EMU_VIRTIO_BLK, false },
		{ 0xe2, VM_EMU_VIRTIO_NET, false }, { 0xe3, VM_EMU_VIRTIO_CONSOLE, false },
	};
	char text[512];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		snprintf(text, sizeof(text), DEVICES "emu_devices = [['x', 0x100, 0x100, 1, %u]]\n",
			 kinds[i].raw);
		assert_int_equal(parse(text), 0);
		assert_int_equal(cfg.emu[0].kind, kinds[i].kind);
		assert_int_equal(cfg.emu[0].raw_type, kinds[i].raw);
		assert_int_equal(sink.count[DIAG_NOTE], kinds[i].ambiguous);
		assert_non_null(vm_emu_kind_name(cfg.emu[0].kind));
	}
}

static void test_passthrough(void **state)
{
	static const struct item items[] = {
		{ DEVICES "passthrough_devices = [['x']]\n",
		  "9 error: passthrough_devices[0] names 'x', but a path in the device tree begins "
		  "with '/'\n" },
		{ DEVICES "passthrough_devices = [[]]\n",
		  "9 error: passthrough_devices[0] has 0 elements, expected is [name, base_gpa, "
		  "base_hpa, length, irq] or [\"/path/in/device/tree\"]\n" },
		{ DEVICES "passthrough_devices = [['x', 0x1000, 0x1000, 0, 1]]\n",
		  "9 error: length of passthrough_devices[0] is 0x0, permitted is 0x1 to "
		  "0x1000000000000\n" },
		{ DEVICES "passthrough_devices = [['x', 0x1000, 0x1200, 0x200, 1]]\n",
		  "9 error: passthrough device 'x': base_gpa 0x1000 and base_hpa 0x1200 differ in "
		  "their place within a 4 KiB page\n" },
		{ DEVICES "passthrough_devices = [['x', 0x1000, 0xffff_ffff_f000, 0x2000, 1]]\n",
		  "9 error: passthrough device 'x': host range [0xfffffffff000, 0x1000000001000) ends "
		  "past 0x1000000000000\n" },
		{ DEVICES "passthrough_devices = [['x', 0x1000, 0x1000, 0x1000],\n"
			  "['y', 0x2000, 0x1000, 0x1000]]\n",
		  "10 warning: passthrough devices 'y' and 'x' (line 9) are the same host device at "
		  "two guest addresses\n" },
		{ DEVICES "passthrough_devices = [['x', 0x1000, 0x1000, 0x1000],\n"
			  "['y', 0x1000, 0x8000, 0x1000]]\n",
		  "10 error: passthrough device 'y' [0x1000, 0x2000) overlaps passthrough device 'x' "
		  "[0x1000, 0x2000) of line 9\n" },
		{ DEVICES "passthrough_devices = [['x', 0x4000_0000, 0x1000, 0x1000]]\n"
			  "passthrough_addresses = [[0x40ff_f000, 0x1000]]\n",
		  "9 error: passthrough device 'x' [0x40000000, 0x40001000) overlaps memory region "
		  "[0x40000000, 0x41000000) of line 7\n"
		  "10 error: passthrough range [0x40fff000, 0x41000000) overlaps memory region "
		  "[0x40000000, 0x41000000) of line 7\n" },
		{ DEVICES "excluded_devices = [1]\n",
		  "9 error: excluded_devices[0] must be a string, this is an integer\n" },
		{ DEVICES "interrupt_mode = \"eMu\"\n",
		  "9 error: interrupt_mode is \"eMu\", it must be \"emu\" or \"no_irq\" or "
		  "\"passthrough\"\n" },
		{ DEVICES "interrupt_mode = \"emu\\u0000\"\n",
		  "9 error: interrupt_mode is \"emu\", it must be \"emu\" or \"no_irq\" or "
		  "\"passthrough\"\n" },
		{ DEVICES "interrupt_mode = \"some\"\n",
		  "9 error: interrupt_mode is \"some\", it must be \"emu\" or \"no_irq\" or "
		  "\"passthrough\"\n" },
	};

	(void)state;
	check_items(items, ARRAY_SIZE(items));
	clear();
	(void)!parse_as("x", DEVICES "passthrough_ports = [[0x60, 1]]\n", VM_ARCH_AARCH64, &cfg);
	assert_string_equal(found, "9 error: passthrough_ports: aarch64 has no I/O ports\n");
	clear();
	(void)!parse_as("x", DEVICES "passthrough_ports = [[0x60, 1]]\n", VM_ARCH_X86_64, &cfg);
	assert_string_equal(found, "");
}

/* Each list with one entry more than there is room for. */
static void test_list_limits(void **state)
{
	static const struct {
		const char *key;
		const char *entry; /* %u: a number of its own */
		uint32_t max;
	} lists[] = {
		{ "emu_devices", "['e', 0x%x000, 0x100, 1, 0xE1],", VM_MAX_EMU },
		{ "passthrough_devices", "['p', 0x%x000, 0x%x000, 0x1000],", VM_MAX_PASS },
		{ "passthrough_addresses", "[0x%x000, 0x1000],", VM_MAX_PASS_ADDR },
		{ "passthrough_ports", "[%u, 1],", VM_MAX_PASS_PORT },
		{ "excluded_devices", "'/d%u',", VM_MAX_EXCLUDED },
		{ "passthrough_devices", "'/d%u',", VM_MAX_PASS_NODE },
	};
	char text[1 << 14];
	uint32_t i;
	uint32_t n;
	uint32_t k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lists); i++) {
		for (n = lists[i].max; n <= lists[i].max + 1; n++) {
			size_t used = (size_t)snprintf(text, sizeof(text), DEVICES "%s = [",
						       lists[i].key);

			for (k = 0; k < n; k++) {
				used += (size_t)snprintf(text + used, sizeof(text) - used,
							 lists[i].entry, k, k);
			}
			snprintf(text + used, sizeof(text) - used, "]\n");
			assert_int_equal(parse(text), n == lists[i].max ? 0 : -EINVAL);
			assert_int_equal(sink.count[DIAG_ERROR], n - lists[i].max);
		}
	}
	/* Nested lists of paths count as well. */
	strcpy(text, DEVICES "excluded_devices = [[");
	for (k = 0; k <= VM_MAX_EXCLUDED; k++) {
		strcat(text, "'/d',");
	}
	strcat(text, "]]\n");
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(found,
			    "9 error: excluded_devices names more than 32 device tree paths\n");
}

static void test_too_long(void **state)
{
	static char text[1 << 17] = "x = [";
	size_t used = strlen(text);

	(void)state;
	while (used < 12000) {
		used += (size_t)snprintf(text + used, sizeof(text) - used, "1,");
	}
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(found,
			    "1 error: the file is too long: more than 131072 bytes are needed "
			    "to read it\n");
	/* Not even room for the root. */
	clear();
	assert_int_equal(vm_config_parse("x", "", 0, VM_ARCH_ANY, work, 8, &cfg, &sink), -EINVAL);
	assert_int_equal(sink.count[DIAG_ERROR], 1);
	assert_int_equal(cfg.cpu_num, 1);
}

static void test_long_file_name(void **state)
{
	char name[VM_PATH_MAX + 10];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	memcpy(name + sizeof(name) - 9, "end.toml", 9);
	clear();
	assert_int_equal(parse_as(name, DEVICES, VM_ARCH_ANY, &cfg), 0);
	assert_int_equal(strlen(cfg.file), VM_PATH_MAX - 1);
	assert_string_equal(cfg.file + VM_PATH_MAX - 1 - 8, "end.toml");
}

static void test_architecture(void **state)
{
#define ARM_DEVICE \
	DEVICES "passthrough_devices = [['pl011@9000000', 0x900_0000, 0x900_0000, 0x1000]]\n"
#define MIXED_DEVICE \
	DEVICES "passthrough_devices = [['HPET', 0, 0, 0x1000], ['plic', 0x1000, 0x1000, 0x1000]]\n"
	static const struct {
		const char *file;
		const char *text;
		enum vm_arch arch;
		enum vm_arch guess;
		const char *found;
	} cases[] = {
		{ "a.toml", DEVICES, VM_ARCH_X86_64, VM_ARCH_ANY, "" },
		{ "d/a-aarch64.toml", DEVICES, VM_ARCH_ANY, VM_ARCH_AARCH64, "" },
		{ "riscv64/a.toml", DEVICES, VM_ARCH_ANY, VM_ARCH_ANY, "" },
		{ "xarm64.toml", DEVICES, VM_ARCH_ANY, VM_ARCH_ANY, "" },
		{ "arm64-on-riscv.toml", DEVICES, VM_ARCH_ANY, VM_ARCH_ANY, "" },
		{ "a.toml", ARM_DEVICE, VM_ARCH_AARCH64, VM_ARCH_AARCH64, "" },
		{ "a.toml", MIXED_DEVICE, VM_ARCH_AARCH64, VM_ARCH_ANY, "" },
		{ "a.toml", ARM_DEVICE, VM_ARCH_RISCV64, VM_ARCH_AARCH64,
		  "9 error: architecture mismatch: device 'pl011@9000000' at 0x9000000 is one of aarch64 "
		  "boards, but the hypervisor is for riscv64\n" },
		{ "a-x86_64.toml", ARM_DEVICE, VM_ARCH_ANY, VM_ARCH_X86_64,
		  "9 error: architecture mismatch: device 'pl011@9000000' at 0x9000000 is one of aarch64 "
		  "boards, but the name of the file says x86_64\n" },
		{ "a-x86_64.toml", ARM_DEVICE, VM_ARCH_AARCH64, VM_ARCH_X86_64,
		  "0 error: architecture mismatch: the name of the file says x86_64, but the "
		  "hypervisor is for aarch64, and so are the devices in it\n" },
		{ "a_amd64.toml", DEVICES, VM_ARCH_AARCH64, VM_ARCH_X86_64,
		  "0 error: architecture mismatch: the name of the file says x86_64, but the "
		  "hypervisor is for aarch64\n" },
		{ "a.toml", DEVICES "emu_devices = [['x', 0x100, 0x100, 1, 0x30]]", VM_ARCH_X86_64,
		  VM_ARCH_RISCV64,
		  "9 error: architecture mismatch: device 'x' at 0x100 is one of riscv64 boards, but the "
		  "hypervisor is for x86_64\n" },
		{ "a.toml",
		  BASE "[kernel]\nkernel_path='k-riscv64.bin'\nimage_location = 'fs'\n"
		       "memory_regions = " RAM16,
		  VM_ARCH_X86_64, VM_ARCH_RISCV64,
		  "4 warning: kernel_path 'k-riscv64.bin' looks like riscv64, but the hypervisor is for "
		  "x86_64\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		clear();
		(void)!parse_as(cases[i].file, cases[i].text, cases[i].arch, &cfg);
		assert_string_equal(found, cases[i].found);
		assert_int_equal(vm_config_guess_arch(&cfg), cases[i].guess);
	}
	for (i = VM_ARCH_AARCH64; i <= VM_ARCH_X86_64; i++) {
		assert_int_equal(vm_arch_from_name(vm_arch_name((enum vm_arch)i)), i);
	}
	assert_int_equal(vm_arch_from_name("any"), VM_ARCH_ANY);
	assert_int_equal(vm_arch_from_name("arm"), VM_ARCH_ANY);
}

static void test_diag(void **state)
{
	char long_text[DIAG_MESSAGE_MAX * 2];

	(void)state;
	clear();
	memset(long_text, 'x', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	diag_emit(&sink, DIAG_NOTE, "f", (struct cfg_pos){ 3, 4 }, "%s", long_text);
	assert_int_equal(strlen(found), strlen("3 note: ") + DIAG_MESSAGE_MAX - 1 + 1);
	assert_string_equal(found + strlen(found) - 5, "x...\n");
	clear();
	diag_emit(&sink, DIAG_NOTE, "f", (struct cfg_pos){ 3, 4 }, "%.*s", DIAG_MESSAGE_MAX,
		  long_text);
	assert_string_equal(found + strlen(found) - 5, "x...\n");
	clear();
	diag_emit(&sink, DIAG_NOTE, "f", (struct cfg_pos){ 3, 4 }, "%.*s", DIAG_MESSAGE_MAX - 1,
		  long_text);
	assert_string_equal(found + strlen(found) - 5, "xxxx\n");
	assert_int_equal(sink.count[DIAG_NOTE], 1);

	clear();
	assert_int_equal(parse(DEVICES), 0);
	vm_config_diag(&cfg, &sink, DIAG_WARNING, (struct cfg_pos){ 1, 1 }, "w %d", 1);
	assert_int_equal(cfg.errors, 0);
	vm_config_diag(&cfg, &sink, DIAG_ERROR, (struct cfg_pos){ 1, 1 }, "e %d", 2);
	assert_int_equal(cfg.errors, 1);
	assert_string_equal(found, "1 warning: w 1\n1 error: e 2\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_settings),   cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_keys),	       cmocka_unit_test(test_cpus),
		cmocka_unit_test(test_memory),	       cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_strings),	       cmocka_unit_test(test_emu_devices),
		cmocka_unit_test(test_emu_kinds),      cmocka_unit_test(test_passthrough),
		cmocka_unit_test(test_list_limits),    cmocka_unit_test(test_too_long),
		cmocka_unit_test(test_long_file_name), cmocka_unit_test(test_architecture),
		cmocka_unit_test(test_diag),
	};

	return cmocka_run_group_tests_name("vm_config", tests, NULL, NULL);
}
