/* SPDX-License-Identifier: Apache-2.0 */
/* The rules between the settings of one VM, judged after all were read. */
#include "config_priv.h"
#include <string.h>

enum range_kind {
	RANGE_MEMORY,
	RANGE_EMU,
	RANGE_PASS,
};

/* A range of guest addresses (or of x86 ports) that some line of the file claims. */
struct range {
	enum range_kind kind;
	bool port;
	uint64_t base;
	uint64_t size;
	struct cfg_pos pos;
	const char *what;
	const char *name; /* "" if it has none */
};

/* The i-th range of the file, *out untouched past the last one. */
static bool get_range(const struct vm_config *cfg, uint32_t i, struct range *out)
{
	if (i < cfg->memory_count) {
		const struct vm_config_memory *m = &cfg->memory[i];

		*out = (struct range){ RANGE_MEMORY, false,	      m->gpa, m->size,
				       m->pos,	     "memory region", "" };
		return true;
	}
	i -= cfg->memory_count;
	if (i < cfg->emu_count) {
		const struct vm_config_emu *e = &cfg->emu[i];
		/* A dummy takes a device away; it claims nothing itself. */
		uint64_t size = e->kind == VM_EMU_DUMMY ? 0 : e->length;

		*out = (struct range){ RANGE_EMU, e->port,	     e->base_gpa, size,
				       e->pos,	  "emulated device", e->name };
		return true;
	}
	i -= cfg->emu_count;
	if (i < cfg->pass_count) {
		const struct vm_config_pass *p = &cfg->pass[i];

		*out = (struct range){ RANGE_PASS,	     false,  p->base_gpa, p->length, p->pos,
				       "passthrough device", p->name };
		return true;
	}
	i -= cfg->pass_count;
	if (i < cfg->pass_addr_count) {
		const struct vm_config_range *a = &cfg->pass_addr[i];

		*out = (struct range){ RANGE_PASS,	    false, a->base, a->length, a->pos,
				       "passthrough range", "" };
		return true;
	}
	i -= cfg->pass_addr_count;
	if (i < cfg->pass_port_count) {
		const struct vm_config_range *a = &cfg->pass_port[i];

		*out = (struct range){ RANGE_PASS, true,   a->base,
				       a->length,  a->pos, "passthrough port range",
				       "" };
		return true;
	}
	return false;
}

/* What messages call a range: "passthrough device 'x' [0x0, 0x1000)". */
#define RANGE_FMT "%s%s%s%s [0x%llx, 0x%llx)"
#define RANGE_ARGS(r)                                                                            \
	(r)->what, (r)->name[0] != '\0' ? " '" : "", (r)->name, (r)->name[0] != '\0' ? "'" : "", \
		(unsigned long long)(r)->base, (unsigned long long)((r)->base + (r)->size)

/* No range ends past the address space; false: reported. */
static bool check_range_end(struct cfg_reader *r, const struct range *a)
{
	uint64_t end = a->port ? UINT64_C(0x10000) : CFG_ADDR_END;

	if (a->base + a->size <= end) {
		return true;
	}
	cfg_error(r, a->pos, RANGE_FMT " ends past 0x%llx", RANGE_ARGS(a), (unsigned long long)end);
	return false;
}

/* Two ranges that share addresses; false if this was an error. */
static bool judge_overlap(struct cfg_reader *r, const struct range *a, const struct range *b)
{
	const struct range *emu = a->kind == RANGE_EMU ? a : b;
	const struct range *other = emu == a ? b : a;

	if (emu->kind == RANGE_EMU && other->kind == RANGE_PASS &&
	    range_within(emu->base, emu->size, other->base, other->size)) {
		cfg_note(r, emu->pos,
			 "emulated device '%s' takes its range out of " RANGE_FMT " of line %u",
			 emu->name, RANGE_ARGS(other), other->pos.line);
		return true;
	}
	cfg_error(r, b->pos, RANGE_FMT " overlaps " RANGE_FMT " of line %u", RANGE_ARGS(b),
		  RANGE_ARGS(a), a->pos.line);
	return false;
}

/* Each range against those before it; its first conflict is enough. */
static void check_overlaps(struct cfg_reader *r)
{
	struct range a;
	struct range b;
	uint32_t i;
	uint32_t j;

	for (j = 0; get_range(r->cfg, j, &b); j++) {
		if (!check_range_end(r, &b)) {
			continue;
		}
		for (i = 0; i < j && get_range(r->cfg, i, &a); i++) {
			if (a.port == b.port && ranges_overlap(a.base, a.size, b.base, b.size) &&
			    !judge_overlap(r, &a, &b)) {
				break;
			}
		}
	}
}

static void check_memory(struct cfg_reader *r)
{
	const struct vm_config *cfg = r->cfg;
	bool ram = false;
	uint32_t i;

	for (i = 0; i < cfg->memory_count; i++) {
		const struct vm_config_memory *m = &cfg->memory[i];
		uint32_t rw = VM_MEM_READ | VM_MEM_WRITE;

		if (!IS_ALIGNED(m->gpa, PAGE_SIZE) || !IS_ALIGNED(m->size, PAGE_SIZE)) {
			cfg_error(
				r, m->pos,
				"memory region at 0x%llx of size 0x%llx: both must be multiples of "
				"4 KiB (0x1000)",
				(unsigned long long)m->gpa, (unsigned long long)m->size);
		}
		if (!(m->flags & VM_MEM_READ)) {
			cfg_error(r, m->pos,
				  "flags 0x%x of the memory region at 0x%llx lack READ (0x1)",
				  m->flags, (unsigned long long)m->gpa);
		}
		if (m->flags & VM_MEM_DEVICE) {
			cfg_warn(r, m->pos,
				 "memory region at 0x%llx has the DEVICE flag (0x10): it is mapped "
				 "as device memory and not used as RAM",
				 (unsigned long long)m->gpa);
		} else {
			ram = ram || (m->flags & rw) == rw;
		}
	}
	if (!ram && cfg->memory_count != 0 && !r->memory_incomplete) {
		cfg_error(r, cfg->memory_pos,
			  "no memory region is RAM, readable and writable (flags 0x3 or 0x7)");
	}
}

/* The region that holds an address, or the one nearest to it (*inside = false). */
static const struct vm_config_memory *find_region(const struct vm_config *cfg, uint64_t addr,
						  bool *inside)
{
	const struct vm_config_memory *nearest = &cfg->memory[0];
	uint64_t best = UINT64_MAX;
	uint32_t i;

	for (i = 0; i < cfg->memory_count; i++) {
		const struct vm_config_memory *m = &cfg->memory[i];
		uint64_t d = addr < m->gpa ? m->gpa - addr : addr - m->gpa;

		*inside = range_within(addr, 1, m->gpa, m->size);
		if (*inside) {
			return m;
		}
		if (addr >= m->gpa) {
			d -= m->size - 1;
		}
		if (d < best) {
			best = d;
			nearest = m;
		}
	}
	*inside = false;
	return nearest;
}

/* `needs` are flags that the region must have. */
static void check_in_ram(struct cfg_reader *r, const char *key, const struct cfg_u64 *addr,
			 uint32_t needs, const char *needs_name)
{
	const struct vm_config_memory *m;
	bool inside;

	if (!addr->has || r->cfg->memory_count == 0 || r->memory_incomplete) {
		return;
	}
	m = find_region(r->cfg, addr->value, &inside);
	if (!inside) {
		cfg_error(r, addr->pos,
			  "%s 0x%llx is in no memory region; the nearest is [0x%llx, 0x%llx) of "
			  "line %u",
			  key, (unsigned long long)addr->value, (unsigned long long)m->gpa,
			  (unsigned long long)(m->gpa + m->size), m->pos.line);
	} else if (m->flags & VM_MEM_DEVICE) {
		cfg_error(r, addr->pos, "%s 0x%llx is in device memory (line %u), not in RAM", key,
			  (unsigned long long)addr->value, m->pos.line);
	} else if ((m->flags & needs) != needs) {
		cfg_error(r, addr->pos, "%s 0x%llx is in a memory region without %s (line %u)", key,
			  (unsigned long long)addr->value, needs_name, m->pos.line);
	}
}

static void check_unused_address(struct cfg_reader *r, const struct vm_config_image *image,
				 const char *what)
{
	/* Upstream's templates give 0 where there is no image. */
	if (image->path[0] == '\0' && image->load_addr.has && image->load_addr.value != 0) {
		cfg_warn(r, image->load_addr.pos, "%s_load_addr has no effect without %s_path",
			 what, what);
	}
}

static void check_images(struct cfg_reader *r)
{
	struct vm_config *cfg = r->cfg;

	if (!cfg->has_image_location && cfg->kernel.path[0] != '\0') {
		cfg_warn(r, cfg->kernel.pos,
			 "image_location is missing: \"memory\" is assumed, the images are taken "
			 "into the hypervisor when it is built");
	}
	if (cfg->dtb.path[0] != '\0' && strcmp(cfg->dtb.path, cfg->kernel.path) == 0) {
		cfg_warn(r, cfg->dtb.pos,
			 "dtb_path names the kernel image '%s' (line %u), ignored: the VM gets a "
			 "device tree made for it",
			 cfg->dtb.path, cfg->kernel.pos.line);
		cfg->dtb.path[0] = '\0';
	}
	check_unused_address(r, &cfg->bios, "bios");
	check_unused_address(r, &cfg->ramdisk, "ramdisk");
	check_in_ram(r, "entry_point", &cfg->entry_point, VM_MEM_EXEC, "EXECUTE (0x4)");
	check_in_ram(r, "kernel_load_addr", &cfg->kernel.load_addr, 0, "");
	check_in_ram(r, "dtb_load_addr", &cfg->dtb.load_addr, 0, "");
	if (cfg->bios.path[0] != '\0') {
		check_in_ram(r, "bios_load_addr", &cfg->bios.load_addr, 0, "");
	} else if (cfg->entry_point.has && cfg->kernel.load_addr.has &&
		   cfg->entry_point.value < cfg->kernel.load_addr.value) {
		cfg_warn(r, cfg->entry_point.pos,
			 "entry_point 0x%llx is before the kernel, which is loaded at 0x%llx (line "
			 "%u)",
			 (unsigned long long)cfg->entry_point.value,
			 (unsigned long long)cfg->kernel.load_addr.value,
			 cfg->kernel.load_addr.pos.line);
	}
	if (cfg->ramdisk.path[0] != '\0') {
		check_in_ram(r, "ramdisk_load_addr", &cfg->ramdisk.load_addr, 0, "");
	}
}

static void check_passthrough(struct cfg_reader *r)
{
	const struct vm_config *cfg = r->cfg;
	uint32_t i;
	uint32_t j;

	for (i = 0; i < cfg->pass_count; i++) {
		const struct vm_config_pass *p = &cfg->pass[i];

		if ((p->base_gpa & (PAGE_SIZE - 1)) != (p->base_hpa & (PAGE_SIZE - 1))) {
			cfg_error(r, p->pos,
				  "passthrough device '%s': base_gpa 0x%llx and base_hpa 0x%llx "
				  "differ in their place within a 4 KiB page",
				  p->name, (unsigned long long)p->base_gpa,
				  (unsigned long long)p->base_hpa);
		}
		if (p->base_hpa + p->length > CFG_ADDR_END) {
			cfg_error(r, p->pos,
				  "passthrough device '%s': host range [0x%llx, 0x%llx) ends past "
				  "0x%llx",
				  p->name, (unsigned long long)p->base_hpa,
				  (unsigned long long)(p->base_hpa + p->length),
				  (unsigned long long)CFG_ADDR_END);
			continue;
		}
		for (j = 0; j < i; j++) {
			const struct vm_config_pass *q = &cfg->pass[j];

			if (ranges_overlap(p->base_hpa, p->length, q->base_hpa, q->length) &&
			    !ranges_overlap(p->base_gpa, p->length, q->base_gpa, q->length)) {
				cfg_warn(r, p->pos,
					 "passthrough devices '%s' and '%s' (line %u) are the same "
					 "host device at two guest addresses",
					 p->name, q->name, q->pos.line);
				break;
			}
		}
	}
	if (cfg->pass_port_count != 0 && r->arch != VM_ARCH_ANY && r->arch != VM_ARCH_X86_64) {
		cfg_error(r, cfg->pass_port[0].pos, "passthrough_ports: %s has no I/O ports",
			  vm_arch_name(r->arch));
	}
}

static void check_cpu_ids(struct cfg_reader *r)
{
	const struct vm_config *cfg = r->cfg;
	uint32_t i;
	uint32_t j;

	if (!cfg->has_phys_cpu_ids) {
		return;
	}
	for (i = 1; i < cfg->cpu_num; i++) {
		for (j = 0; j < i; j++) {
			if (cfg->phys_cpu_ids[i] == cfg->phys_cpu_ids[j]) {
				cfg_error(r, cfg->phys_cpu_ids_pos,
					  "phys_cpu_ids[%u] and phys_cpu_ids[%u] are both 0x%llx: "
					  "each vCPU needs an id of its own",
					  j, i, (unsigned long long)cfg->phys_cpu_ids[i]);
				break;
			}
		}
	}
}

void cfg_check(struct cfg_reader *r)
{
	check_cpu_ids(r);
	check_memory(r);
	check_overlaps(r);
	check_passthrough(r);
	check_images(r);
}
