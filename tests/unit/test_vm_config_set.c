/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VM configurations that are to run together, and whole files: upstream's sixteen as
 * they stand (tests/unit/data/upstream), and ours of the same names.
 */
#include "config_fixture.h"

static struct vm_config cfg;

#define RAM16 "[[0x4000_0000, 0x100_0000, 7, 0]]"

static struct vm_config set_cfg[4];
static struct vm_config *const set[4] = { &set_cfg[0], &set_cfg[1], &set_cfg[2], &set_cfg[3] };

static void put(size_t i, const char *id_line, const char *name, const char *memory)
{
	char text[1024];
	char file[32];

	snprintf(text, sizeof(text),
		 "[base]\nname = \"%s\"\n%s\n[kernel]\nkernel_path = 'k'\nimage_location = 'fs'\n"
		 "memory_regions = %s\n",
		 name, id_line, memory);
	snprintf(file, sizeof(file), "%zu.toml", i);
	(void)!parse_as(file, text, VM_ARCH_ANY, &set_cfg[i]);
}

static void test_set_names(void **state)
{
	char name[VM_NAME_MAX];

	(void)state;
	clear();
	put(0, "id = 1", "arceos", RAM16);
	put(1, "id = 1", "arceos", RAM16);
	put(2, "id = 2", "arceos-2", RAM16);
	put(3, "", "arceos", RAM16);
	assert_int_equal(vm_config_check_set(set, 4, &sink), 0);
	assert_string_equal(found,
			    "3 warning: this VM gets the id 3: 1 is that of VM 'arceos' already "
			    "(0.toml)\n"
			    "2 warning: this VM gets the name 'arceos-3': 'arceos' is that of VM 1 "
			    "already (0.toml)\n"
			    "2 warning: this VM gets the name 'arceos-4': 'arceos' is that of VM 1 "
			    "already (0.toml)\n");
	assert_int_equal(set_cfg[1].id, 3);
	assert_int_equal(set_cfg[2].id, 2);
	assert_int_equal(set_cfg[3].id, 4); /* none asked for: no word about it */
	assert_string_equal(set_cfg[2].name, "arceos-2");

	/* What was judged once stays as it is. */
	clear();
	assert_int_equal(vm_config_check_set(set, 4, &sink), 0);
	assert_string_equal(found, "");

	/* A new name is not that of the first VM either. */
	clear();
	put(0, "id = 1", "a-2", RAM16);
	put(1, "id = 2", "a", RAM16);
	put(2, "id = 3", "a", RAM16);
	assert_int_equal(vm_config_check_set(set, 3, &sink), 0);
	assert_string_equal(set_cfg[2].name, "a-3");

	/* The highest id, and names of full length. */
	clear();
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	put(0, "id = 65535", name, RAM16);
	put(1, "id = 65535", name, RAM16);
	assert_int_equal(vm_config_check_set(set, 2, &sink), 0);
	assert_int_equal(set_cfg[1].id, 0);
	assert_string_equal(set_cfg[1].name + 50, "nn-2");
}

static void test_set_memory(void **state)
{
	(void)state;
	clear();
	put(0, "id = 1", "a", "[[0x8000_0000, 0x4000_0000, 7, 1]]");
	put(1, "id = 2", "b", "[[0, 0x1000, 7, 0],\n[0xbfff_f000, 0x2000, 7, 1]]");
	put(2, "id = 3", "c", "[[0xc000_0000, 0x1000, 7, 2]]"); /* next to a's; b is out */
	put(3, "id = 4", "d", "[[0x8000_0000, 0x4000_0000, 7, 0]]");
	assert_int_equal(vm_config_check_set(set, 4, &sink), -EINVAL);
	assert_string_equal(found, "8 error: host memory [0xbffff000, 0xc0000000) is claimed by "
				   "VM 2 'b' and already by VM 1 'a' (0.toml:7)\n");
	assert_int_equal(set_cfg[0].errors, 0);
	assert_int_equal(set_cfg[1].errors, 1);
	assert_int_equal(set_cfg[2].errors, 0);
	assert_int_equal(set_cfg[3].errors, 0);

	/* A VM that cannot run anyway takes no memory from others. */
	clear();
	put(0, "id = 1\ncpu_num = 0", "a", "[[0x8000_0000, 0x4000_0000, 7, 1]]");
	put(1, "id = 2", "b", "[[0x8000_0000, 0x4000_0000, 7, 1]]");
	clear();
	assert_int_equal(vm_config_check_set(set, 2, &sink), 0);
	assert_string_equal(found, "");
	assert_int_equal(vm_config_check_set(set, 0, &sink), 0);
}

/* ---- Upstream's files ---- */

static void read_file(const char *folder, const char *name, enum vm_arch arch,
		      struct vm_config *out)
{
	static char text[1 << 16];
	char path[128];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s.toml", folder, name);
	f = fopen(path, "rb");
	if (f == NULL) {
		fail_msg("%s cannot be opened: run from the top of the tree", path);
	}
	len = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[len] = '\0';
	(void)!parse_as(path, text, arch, out);
}

struct upstream {
	const char *name;
	enum vm_arch arch;
	uint64_t entry;
	uint32_t memory;
	uint32_t pass;
	const char *found;
	bool ours_differs; /* its defects were more than words */
};

static const struct upstream upstream[] = {
	{ "arceos-aarch64", VM_ARCH_AARCH64, 0x40080000, 1, 5, "", false },
	{ "arceos-aarch64-smp", VM_ARCH_AARCH64, 0x40080000, 1, 5,
	  "22 warning: image_location is missing: \"memory\" is assumed, the images are taken into "
	  "the hypervisor when it is built\n",
	  false },
	{ "arceos-riscv64", VM_ARCH_RISCV64, 0x80200000, 1, 2, "", false },
	{ "arceos-riscv64-smp", VM_ARCH_RISCV64, 0x80200000, 1, 2, "", false },
	{ "arceos-x86_64", VM_ARCH_X86_64, 0x8000, 1, 3, "", false },
	{ "linux-a1000-aarch64-smp8", VM_ARCH_AARCH64, 0x81000000, 1, 1, "", false },
	{ "linux-qemu-aarch64", VM_ARCH_AARCH64, 0x80080000, 1, 5, "", false },
	{ "linux-qemu-aarch64-smp2", VM_ARCH_AARCH64, 0x80080000, 1, 5, "", false },
	{ "linux-qemu-aarch64-vm2", VM_ARCH_AARCH64, 0x80080000, 1, 5, "", true },
	{ "linux-rk3588-aarch64", VM_ARCH_AARCH64, 0x10080000, 2, 5,
	  "13 warning: unknown key 'cpu_set' in [base], ignored; the nearest known one is "
	  "'phys_cpu_sets' in [base]\n"
	  "50 warning: memory region at 0x0 has the DEVICE flag (0x10): it is mapped as device "
	  "memory and not used as RAM\n",
	  true },
	{ "nimbos-aarch64", VM_ARCH_AARCH64, 0x40080000, 1, 5, "", false },
	{ "nimbos-riscv64", VM_ARCH_RISCV64, 0x90200000, 1, 2, "", false },
	{ "nimbos-x86_64", VM_ARCH_X86_64, 0x8000, 1, 3, "", false },
	{ "starry-aarch64", VM_ARCH_AARCH64, 0x40080000, 1, 5,
	  "31 warning: dtb_path names the kernel image 'starry-aarch64.bin' (line 25), ignored: the "
	  "VM gets a device tree made for it\n",
	  false },
	{ "starry-riscv64", VM_ARCH_RISCV64, 0x80200000, 1, 2,
	  "29 warning: dtb_path names the kernel image 'starry_riscv64.bin' (line 25), ignored: the "
	  "VM gets a device tree made for it\n",
	  false },
	{ "starry-x86_64", VM_ARCH_X86_64, 0x40080000, 1, 5,
	  "31 warning: dtb_path names the kernel image 'starry-aarch64.bin' (line 25), ignored: the "
	  "VM gets a device tree made for it\n"
	  "57 error: architecture mismatch: device 'intc@8000000' at 0x8000000 is one of aarch64 "
	  "boards, as is the kernel by its name, but the hypervisor is for x86_64\n",
	  true },
};

#define UPSTREAM "tests/unit/data/upstream"

static void test_upstream(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(upstream); i++) {
		const struct upstream *u = &upstream[i];

		clear();
		read_file(UPSTREAM, u->name, u->arch, &cfg);
		assert_string_equal(found, u->found);
		assert_int_equal(cfg.errors != 0, strcmp(u->name, "starry-x86_64") == 0);
		assert_int_equal(vm_config_guess_arch(&cfg), u->arch);
		assert_int_equal(cfg.entry_point.value, u->entry);
		assert_int_equal(cfg.memory_count, u->memory);
		assert_int_equal(cfg.pass_count, u->pass);
	}
	read_file(UPSTREAM, "linux-a1000-aarch64-smp8", VM_ARCH_AARCH64, &cfg);
	assert_int_equal(cfg.cpu_num, 8);
	assert_int_equal(cfg.phys_cpu_ids[7], 0x700);
	assert_int_equal(cfg.phys_cpu_sets[7], 0x80);
	assert_int_equal(cfg.memory[0].map_type, VM_MAP_IDENTICAL);
}

/* Our versions of them: accepted without a word, and the same machines... */
static void test_ours(void **state)
{
	static struct vm_config theirs;
	size_t i;
	uint32_t k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(upstream); i++) {
		const struct upstream *u = &upstream[i];

		read_file(UPSTREAM, u->name, VM_ARCH_ANY, &theirs);
		clear();
		read_file("configs/vms", u->name, u->arch, &cfg);
		assert_string_equal(found, "");
		assert_int_equal(cfg.cpu_num, theirs.cpu_num);
		if (u->ours_differs) {
			continue;
		}
		assert_int_equal(cfg.image_location, theirs.image_location);
		assert_int_equal(cfg.entry_point.value, theirs.entry_point.value);
		assert_int_equal(cfg.kernel.load_addr.value, theirs.kernel.load_addr.value);
		assert_int_equal(cfg.dtb.load_addr.value, theirs.dtb.load_addr.value);
		assert_memory_equal(cfg.phys_cpu_ids, theirs.phys_cpu_ids,
				    sizeof(cfg.phys_cpu_ids));
		assert_memory_equal(cfg.phys_cpu_sets, theirs.phys_cpu_sets,
				    sizeof(cfg.phys_cpu_sets));
		assert_int_equal(cfg.memory_count, theirs.memory_count);
		for (k = 0; k < cfg.memory_count; k++) {
			assert_int_equal(cfg.memory[k].gpa, theirs.memory[k].gpa);
			assert_int_equal(cfg.memory[k].size, theirs.memory[k].size);
			assert_int_equal(cfg.memory[k].map_type, theirs.memory[k].map_type);
		}
		assert_int_equal(cfg.pass_count, theirs.pass_count);
		for (k = 0; k < cfg.pass_count; k++) {
			assert_int_equal(cfg.pass[k].base_gpa, theirs.pass[k].base_gpa);
			assert_int_equal(cfg.pass[k].base_hpa, theirs.pass[k].base_hpa);
			assert_int_equal(cfg.pass[k].length, theirs.pass[k].length);
		}
	}
}

/* ... but the pair of Linux VMs, which now can run together. */
static void test_our_linux_pair(void **state)
{
	(void)state;
	clear();
	read_file("configs/vms", "linux-qemu-aarch64", VM_ARCH_AARCH64, &set_cfg[0]);
	read_file("configs/vms", "linux-qemu-aarch64-vm2", VM_ARCH_AARCH64, &set_cfg[1]);
	assert_int_equal(vm_config_check_set(set, 2, &sink), 0);
	assert_string_equal(found, "");
	assert_int_equal(set_cfg[1].id, 2);
}

/* Any two files can run together, but those that claim the same memory. */
static void test_upstream_pairs(void **state)
{
	(void)state;
	clear();
	read_file(UPSTREAM, "linux-qemu-aarch64", VM_ARCH_AARCH64, &set_cfg[0]);
	read_file(UPSTREAM, "linux-qemu-aarch64-vm2", VM_ARCH_AARCH64, &set_cfg[1]);
	assert_int_equal(vm_config_check_set(set, 2, &sink), -EINVAL);
	assert_non_null(strstr(found,
			       "50 error: host memory [0x80000000, 0xc0000000) is claimed by "
			       "VM 2 'linux-qemu-2' and already by VM 1 'linux-qemu' "
			       "(" UPSTREAM "/linux-qemu-aarch64.toml:50)\n"));
	clear();
	read_file(UPSTREAM, "arceos-aarch64", VM_ARCH_AARCH64, &set_cfg[0]);
	read_file(UPSTREAM, "nimbos-aarch64", VM_ARCH_AARCH64, &set_cfg[1]);
	read_file(UPSTREAM, "arceos-aarch64", VM_ARCH_AARCH64, &set_cfg[2]);
	assert_int_equal(vm_config_check_set(set, 3, &sink), 0);
	assert_int_equal(set_cfg[1].id, 2);
	assert_int_equal(set_cfg[2].id, 3);
	assert_string_equal(set_cfg[2].name, "arceos-2");
	assert_int_equal(sink.count[DIAG_WARNING], 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_set_names), cmocka_unit_test(test_set_memory),
		cmocka_unit_test(test_upstream),  cmocka_unit_test(test_upstream_pairs),
		cmocka_unit_test(test_ours),	  cmocka_unit_test(test_our_linux_pair),
	};

	return cmocka_run_group_tests_name("vm_config_set", tests, NULL, NULL);
}
