/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [base] and [kernel]. */
#include "config_priv.h"
#include <string.h>

static void read_id(struct cfg_reader *r, const struct toml_node *value)
{
	uint64_t id;

	r->cfg->id_pos = value->pos;
	if (cfg_read_uint(r, value, &CFG_KEY(value), 0, VM_ID_MAX, &id)) {
		r->cfg->id = (uint32_t)id;
		r->cfg->has_id = true;
	}
}

static void read_name(struct cfg_reader *r, const struct toml_node *value)
{
	r->cfg->name_pos = value->pos;
	if (cfg_read_string(r, value, &CFG_KEY(value), r->cfg->name, sizeof(r->cfg->name)) &&
	    r->cfg->name[0] == '\0') {
		cfg_error(r, value->pos, "name is empty");
	}
}

static void read_vm_type(struct cfg_reader *r, const struct toml_node *value)
{
	uint64_t type;

	if (cfg_read_uint(r, value, &CFG_KEY(value), VM_TYPE_HOST, VM_TYPE_LINUX, &type)) {
		r->cfg->vm_type = (enum vm_type)type;
	}
}

static void read_cpu_num(struct cfg_reader *r, const struct toml_node *value)
{
	uint64_t n = 0; /* not known: the lists that depend on it are not judged */

	r->cfg->cpu_num_pos = value->pos;
	(void)cfg_read_uint(r, value, &CFG_KEY(value), 1, MAX_VCPUS, &n);
	r->cfg->cpu_num = (uint32_t)n;
}

/* The largest hardware id that a vCPU can show. */
static uint64_t max_hardware_id(enum vm_arch arch)
{
	switch (arch) {
	case VM_ARCH_AARCH64:
		return UINT64_C(0xffffffffff); /* MPIDR_EL1: Aff3, and Aff2..Aff0 */
	case VM_ARCH_X86_64:
		return UINT32_MAX - 1; /* x2APIC id; all ones is the broadcast */
	case VM_ARCH_RISCV64:
	case VM_ARCH_ANY:
		break;
	}
	return INT64_MAX;
}

static void read_one_cpu_id(struct cfg_reader *r, const struct toml_node *node, int index)
{
	struct cfg_what what = { .key = "phys_cpu_ids", .index = index };
	uint64_t id;

	if (!cfg_read_uint(r, node, &what, 0, max_hardware_id(r->arch), &id)) {
		return;
	}
	if (r->arch == VM_ARCH_AARCH64 && (id & UINT64_C(0xff000000)) != 0) {
		cfg_error(
			r, node->pos,
			"phys_cpu_ids[%d] is 0x%llx, but bits 24 to 31 of an MPIDR are not part of "
			"the affinity",
			index, (unsigned long long)id);
		return;
	}
	r->cfg->phys_cpu_ids[index] = id;
}

static void read_one_cpu_set(struct cfg_reader *r, const struct toml_node *node, int index)
{
	struct cfg_what what = { .key = "phys_cpu_sets", .index = index };

	/* Bit n = core n; whether there is such a core is seen on the machine. */
	(void)cfg_read_uint(r, node, &what, 1, BIT64(MAX_CPUS) - 1, &r->cfg->phys_cpu_sets[index]);
}

static void read_phys_cpu_ids(struct cfg_reader *r, const struct toml_node *value)
{
	r->cfg->phys_cpu_ids_pos = value->pos;
	r->cfg->has_phys_cpu_ids = true;
	cfg_read_list(r, value, MAX_VCPUS, read_one_cpu_id);
	if (value->type == TOML_ARRAY && r->cfg->cpu_num != 0 &&
	    cfg_count(value) != r->cfg->cpu_num) {
		cfg_error(r, value->pos, "phys_cpu_ids has %u entries, but cpu_num is %u (line %u)",
			  cfg_count(value), r->cfg->cpu_num, r->cfg->cpu_num_pos.line);
	}
}

static void read_phys_cpu_sets(struct cfg_reader *r, const struct toml_node *value)
{
	r->cfg->phys_cpu_sets_pos = value->pos;
	r->cfg->has_phys_cpu_sets = true;
	cfg_read_list(r, value, MAX_VCPUS, read_one_cpu_set);
	if (value->type == TOML_ARRAY && r->cfg->cpu_num != 0 &&
	    cfg_count(value) != r->cfg->cpu_num) {
		cfg_error(
			r, value->pos,
			"phys_cpu_sets has %u entries, but cpu_num is %u (line %u): each vCPU has "
			"a bitmap of cores of its own",
			cfg_count(value), r->cfg->cpu_num, r->cfg->cpu_num_pos.line);
	}
}

/* The lists come after cpu_num: keys are read in this order, not in the file's. */
static const struct cfg_key base_keys[] = {
	{ "id", read_id, false },
	{ "name", read_name, true },
	{ "vm_type", read_vm_type, false },
	{ "cpu_num", read_cpu_num, false },
	{ "phys_cpu_ids", read_phys_cpu_ids, false },
	{ "phys_cpu_sets", read_phys_cpu_sets, false },
};

const struct cfg_section cfg_section_base = { "base", base_keys, ARRAY_SIZE(base_keys) };

static void read_address(struct cfg_reader *r, const struct toml_node *value, struct cfg_u64 *out)
{
	out->pos = value->pos;
	out->has = cfg_read_uint(r, value, &CFG_KEY(value), 0, CFG_ADDR_END - 1, &out->value);
}

static void read_path(struct cfg_reader *r, const struct toml_node *value, char *path,
		      struct cfg_pos *pos)
{
	*pos = value->pos;
	(void)cfg_read_string(r, value, &CFG_KEY(value), path, VM_PATH_MAX);
}

static void read_entry_point(struct cfg_reader *r, const struct toml_node *value)
{
	read_address(r, value, &r->cfg->entry_point);
}

static void read_image_location(struct cfg_reader *r, const struct toml_node *value)
{
	static const char *const names[] = {
		[VM_IMAGE_MEMORY] = "memory",
		[VM_IMAGE_FS] = "fs",
	};
	int choice = cfg_read_choice(r, value, names, ARRAY_SIZE(names));

	r->cfg->has_image_location = true;
	r->cfg->image_location_pos = value->pos;
	if (choice >= 0) {
		r->cfg->image_location = (enum vm_image_location)choice;
	}
}

static void read_kernel_path(struct cfg_reader *r, const struct toml_node *value)
{
	uint32_t errors = r->cfg->errors;

	read_path(r, value, r->cfg->kernel.path, &r->cfg->kernel.pos);
	if (r->cfg->errors == errors && r->cfg->kernel.path[0] == '\0') {
		cfg_error(r, value->pos, "kernel_path is empty");
	}
}

static void read_kernel_load_addr(struct cfg_reader *r, const struct toml_node *value)
{
	read_address(r, value, &r->cfg->kernel.load_addr);
}

static void read_bios_path(struct cfg_reader *r, const struct toml_node *value)
{
	read_path(r, value, r->cfg->bios.path, &r->cfg->bios.pos);
}

static void read_bios_load_addr(struct cfg_reader *r, const struct toml_node *value)
{
	read_address(r, value, &r->cfg->bios.load_addr);
}

static void read_dtb_path(struct cfg_reader *r, const struct toml_node *value)
{
	read_path(r, value, r->cfg->dtb.path, &r->cfg->dtb.pos);
}

static void read_dtb_load_addr(struct cfg_reader *r, const struct toml_node *value)
{
	read_address(r, value, &r->cfg->dtb.load_addr);
}

static void read_ramdisk_path(struct cfg_reader *r, const struct toml_node *value)
{
	read_path(r, value, r->cfg->ramdisk.path, &r->cfg->ramdisk.pos);
}

static void read_ramdisk_load_addr(struct cfg_reader *r, const struct toml_node *value)
{
	read_address(r, value, &r->cfg->ramdisk.load_addr);
}

static void read_disk_path(struct cfg_reader *r, const struct toml_node *value)
{
	read_path(r, value, r->cfg->disk_path, &r->cfg->disk_path_pos);
}

static void read_cmdline(struct cfg_reader *r, const struct toml_node *value)
{
	r->cfg->cmdline_pos = value->pos;
	r->cfg->has_cmdline = cfg_read_string(r, value, &CFG_KEY(value), r->cfg->cmdline,
					      sizeof(r->cfg->cmdline));
}

static const struct cfg_entry_form memory_form = {
	.key = "memory_regions",
	.text = "[gpa, size, flags, map_type]",
	.numbers = 4,
	.number = {
		{ "gpa", 0, CFG_ADDR_END - 1 },
		{ "size", 1, CFG_ADDR_END },
		{ "flags", 0, VM_MEM_READ | VM_MEM_WRITE | VM_MEM_EXEC | VM_MEM_USER |
			      VM_MEM_DEVICE | VM_MEM_UNCACHED },
		{ "map_type", VM_MAP_ALLOC, VM_MAP_RESERVED },
	},
};

static void read_one_memory(struct cfg_reader *r, const struct toml_node *node, int index)
{
	struct vm_config_memory *m = &r->cfg->memory[r->cfg->memory_count];
	uint64_t v[CFG_MAX_NUMBERS];

	if (!cfg_read_entry(r, node, index, &memory_form, NULL, 0, v, NULL)) {
		r->memory_incomplete = true;
		return;
	}
	m->gpa = v[0];
	m->size = v[1];
	m->flags = (uint32_t)v[2];
	m->map_type = (enum vm_map_type)v[3];
	m->pos = node->pos;
	r->cfg->memory_count++;
}

static void read_memory_regions(struct cfg_reader *r, const struct toml_node *value)
{
	r->cfg->memory_pos = value->pos;
	cfg_read_list(r, value, VM_MAX_MEMORY, read_one_memory);
	if (value->type == TOML_ARRAY && value->first == NULL) {
		cfg_error(r, value->pos,
			  "memory_regions is empty: a VM needs memory, as in "
			  "[[0x4000_0000, 0x100_0000, 0x7, 0]]");
	}
}

static const struct cfg_key kernel_keys[] = {
	{ "entry_point", read_entry_point, false },
	{ "image_location", read_image_location, false },
	{ "kernel_path", read_kernel_path, true },
	{ "kernel_load_addr", read_kernel_load_addr, false },
	{ "bios_path", read_bios_path, false },
	{ "bios_load_addr", read_bios_load_addr, false },
	{ "dtb_path", read_dtb_path, false },
	{ "dtb_load_addr", read_dtb_load_addr, false },
	{ "ramdisk_path", read_ramdisk_path, false },
	{ "ramdisk_load_addr", read_ramdisk_load_addr, false },
	{ "cmdline", read_cmdline, false },
	{ "disk_path", read_disk_path, false },
	{ "memory_regions", read_memory_regions, true },
};

const struct cfg_section cfg_section_kernel = { "kernel", kernel_keys, ARRAY_SIZE(kernel_keys) };
