/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner: processors, memory, and what holds between all parts of a plan.
 * Devices are in plan_devices.c, interrupt controllers in plan_intc.c, images in
 * plan_images.c.
 */
#include "plan_priv.h"

#include <errno.h>
#include <string.h>

/* MPIDR_EL1: Aff3 in bits 39:32, Aff2..Aff0 in 23:0 (Arm ARM D19.2.101). */
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

void plan_diag(const struct planner *p, enum diag_severity severity, struct cfg_pos pos,
	       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_vemit(p->req->sink, severity, p->cfg->file, pos, fmt, ap);
	va_end(ap);
}

struct image_site plan_site(const struct planner *p, struct cfg_pos pos)
{
	return (struct image_site){ .sink = p->req->sink, .file = p->cfg->file, .pos = pos };
}

/* ---- Processors ---- */

void plan_cpus(struct planner *p)
{
	const struct vm_config *cfg = p->cfg;
	uint32_t cores = p->machine != NULL ? p->machine->cpu_count : MAX_CPUS;
	uint64_t all = BIT64(cores) - 1;

	p->out->board.cpu_count = cfg->cpu_num;
	for (uint32_t i = 0; i < cfg->cpu_num; i++) {
		uint64_t want = cfg->phys_cpu_sets[i];
		uint64_t hwid = cfg->phys_cpu_ids[i];

		p->out->board.cpu_hwid[i] = hwid;
		p->out->cpu_affinity[i] = want == 0 ? all : want & all;
		if ((want & ~all) != 0) {
			plan_diag(
				p, DIAG_ERROR, cfg->phys_cpu_sets_pos,
				"phys_cpu_sets: vCPU %u wants cores 0x%lx, but this machine has %u "
				"(bits 0 to %u)",
				i, want, cores, cores - 1);
		}
		if (p->req->arch == VM_ARCH_AARCH64 && (hwid & ~MPIDR_AFFINITY) != 0) {
			plan_diag(
				p, DIAG_ERROR, cfg->phys_cpu_ids_pos,
				"phys_cpu_ids: 0x%lx of vCPU %u is no MPIDR affinity (bits 0x%lx)",
				hwid, i, MPIDR_AFFINITY);
		}
	}
}

/* ---- Memory ---- */

/* Is the region's memory the machine's, at a fixed host address? */
static bool is_fixed(const struct plan_memory *m)
{
	return m->map_type != VM_MAP_ALLOC;
}

static const char *reserved_kind_name(enum machine_reserved_kind kind)
{
	switch (kind) {
	case MACHINE_RES_MEMRESERVE:
		return "firmware (/memreserve/)";
	case MACHINE_RES_NODE:
		return "/reserved-memory";
	case MACHINE_RES_DTB:
		return "the machine's device tree";
	case MACHINE_RES_INITRD:
		return "the hypervisor's initrd";
	case MACHINE_RES_IMAGE:
		return "the hypervisor";
	}
	return "somebody";
}

/* Says what stands in the way of identical memory that is not all usable RAM. */
static void refuse_identical(const struct planner *p, const struct plan_memory *m)
{
	const struct machine *host = p->machine;
	const uint64_t last = m->gpa + m->size - 1;

	for (uint32_t i = 0; i < host->bank_count; i++) {
		const struct machine_range *b = &host->bank[i];

		if (!range_within(m->gpa, m->size, b->base.a, b->size)) {
			continue;
		}
		for (uint32_t k = 0; k < host->reserved_count; k++) {
			const struct machine_reserved *r = &host->reserved[k];

			if (ranges_overlap(m->gpa, m->size, r->range.base.a, r->range.size)) {
				plan_diag(
					p, DIAG_ERROR, m->pos,
					"MAP_IDENTICAL memory 0x%lx-0x%lx: 0x%lx-0x%lx of it belongs to "
					"%s %s",
					m->gpa, last, r->range.base.a,
					r->range.base.a + r->range.size - 1,
					reserved_kind_name(r->kind), r->name);
				return;
			}
		}
	}
	plan_diag(p, DIAG_ERROR, m->pos,
		  "MAP_IDENTICAL memory 0x%lx-0x%lx is not all RAM of this machine, which has "
		  "0x%lx-0x%lx%s",
		  m->gpa, last, host->bank[0].base.a, host->bank[0].base.a + host->bank[0].size - 1,
		  host->bank_count > 1 ? " and more" : "");
}

static bool is_reserved_node(const struct planner *p, const struct plan_memory *m)
{
	for (uint32_t i = 0; i < p->machine->reserved_count; i++) {
		const struct machine_reserved *r = &p->machine->reserved[i];

		if (r->kind == MACHINE_RES_NODE &&
		    range_within(m->gpa, m->size, r->range.base.a, r->range.size)) {
			return true;
		}
	}
	return false;
}

/* No other VM has the same host memory. */
static void judge_others(const struct planner *p, const struct plan_memory *m)
{
	for (size_t i = 0; i < p->req->other_count; i++) {
		const struct vm_plan *o = p->req->others[i];

		for (uint32_t k = 0; k < o->memory_count; k++) {
			if (is_fixed(&o->memory[k]) &&
			    ranges_overlap(m->hpa, m->size, o->memory[k].hpa, o->memory[k].size)) {
				plan_diag(
					p, DIAG_ERROR, m->pos,
					"host memory 0x%lx-0x%lx is claimed by VM %u \"%s\" (0x%lx-0x%lx)",
					m->hpa, m->hpa + m->size - 1, o->cfg->id, o->cfg->name,
					o->memory[k].hpa, o->memory[k].hpa + o->memory[k].size - 1);
			}
		}
	}
}

static void judge_region(struct planner *p, const struct plan_memory *m)
{
	if (is_fixed(m)) {
		judge_others(p, m);
	}
	if (p->machine == NULL || m->map_type == VM_MAP_ALLOC) {
		return;
	}
	if (m->map_type == VM_MAP_RESERVED) {
		if (!is_reserved_node(p, m)) {
			plan_diag(
				p, DIAG_ERROR, m->pos,
				"MAP_RESERVED memory 0x%lx-0x%lx is in no /reserved-memory range of "
				"this machine",
				m->gpa, m->gpa + m->size - 1);
		}
		return;
	}
	if (!rangeset_contains(&p->set, m->gpa, m->size)) {
		refuse_identical(p, m);
	}
}

static uint64_t memory_of(const struct vm_plan *plan)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < plan->memory_count; i++) {
		if (plan->memory[i].map_type != VM_MAP_RESERVED) {
			sum += plan->memory[i].size;
		}
	}
	return sum;
}

/* p->set holds the machine's usable RAM. */
static void judge_total(const struct planner *p)
{
	uint64_t have = rangeset_total(&p->set);
	uint64_t want = memory_of(p->out);
	uint64_t taken = 0;

	if (want > have) {
		plan_diag(p, DIAG_ERROR, p->cfg->memory_pos,
			  "the VM's memory, %lu MiB, is larger than the machine's, %lu MiB of RAM",
			  want / MiB, have / MiB);
		return;
	}
	for (size_t i = 0; i < p->req->other_count; i++) {
		taken += memory_of(p->req->others[i]);
	}
	if (taken > have - want) {
		plan_diag(p, DIAG_ERROR, p->cfg->memory_pos,
			  "the VM's memory, %lu MiB, is not free: other VMs have %lu MiB of the "
			  "machine's %lu MiB",
			  want / MiB, taken / MiB, have / MiB);
	}
}

/* RAM as the guest is told of it: by address, neighbours joined. */
static void add_ram(struct guest_board *b, uint64_t base, uint64_t size)
{
	uint32_t i = b->ram_count;

	while (i > 0 && b->ram[i - 1].base > base) {
		b->ram[i] = b->ram[i - 1];
		i--;
	}
	b->ram[i] = (struct guest_range){ base, size };
	b->ram_count++;
	if (i + 1 < b->ram_count && base + size == b->ram[i + 1].base) {
		b->ram[i].size += b->ram[i + 1].size;
		b->ram_count--;
		memmove(&b->ram[i + 1], &b->ram[i + 2], (b->ram_count - i - 1) * sizeof(b->ram[0]));
	}
	if (i > 0 && b->ram[i - 1].base + b->ram[i - 1].size == base) {
		b->ram[i - 1].size += b->ram[i].size;
		b->ram_count--;
		memmove(&b->ram[i], &b->ram[i + 1], (b->ram_count - i) * sizeof(b->ram[0]));
	}
}

void plan_memory(struct planner *p)
{
	const struct vm_config *cfg = p->cfg;
	struct vm_plan *out = p->out;

	if (p->machine != NULL && machine_usable_ram(p->machine, &p->set) != 0) {
		plan_diag(p, DIAG_ERROR, cfg->memory_pos,
			  "this machine's RAM is in too many pieces to be judged");
		return;
	}
	for (uint32_t i = 0; i < cfg->memory_count; i++) {
		const struct vm_config_memory *c = &cfg->memory[i];
		struct plan_memory *m;

		if ((c->flags & VM_MEM_DEVICE) != 0) {
			if (c->map_type == VM_MAP_ALLOC) {
				plan_diag(
					p, DIAG_ERROR, c->pos,
					"a region with the DEVICE flag needs a fixed host address: "
					"map type 1 (MAP_IDENTICAL)");
				continue;
			}
			plan_map_device(p, "memory region", c->gpa, c->gpa, c->size, true, c->pos);
			continue;
		}
		m = &out->memory[out->memory_count++];
		m->gpa = c->gpa;
		m->size = c->size;
		m->hpa = c->map_type == VM_MAP_ALLOC ? 0 : c->gpa;
		m->flags = c->flags;
		m->map_type = c->map_type;
		m->pos = c->pos;
		judge_region(p, m);
		if ((c->flags & VM_MEM_WRITE) != 0) {
			add_ram(&out->board, c->gpa, c->size);
		}
	}
	if (p->machine != NULL) {
		judge_total(p);
	}
}

/* ---- Between all parts ---- */

struct claim {
	uint64_t base;
	uint64_t size;
	const char *what;
	struct cfg_pos pos;
};

/* The n-th range of guest-physical addresses that the plan gives a meaning. */
static bool get_claim(const struct vm_plan *out, uint32_t n, struct claim *c)
{
	const struct guest_intc *intc = &out->board.intc;
	const struct cfg_pos memory = out->cfg->memory_pos;

	if (n < out->memory_count) {
		*c = (struct claim){ out->memory[n].gpa, out->memory[n].size, "the memory region",
				     out->memory[n].pos };
		return true;
	}
	n -= out->memory_count;
	if (n < 2 + intc->redist_count) {
		const struct guest_range *r = n == 0   ? &intc->dist
					      : n == 1 ? &intc->cpu
						       : &intc->redist[n - 2];

		*c = (struct claim){ r->base, r->size, "the virtual interrupt controller", memory };
		return true;
	}
	n -= 2 + intc->redist_count;
	if (n < out->board.dev_count) {
		const struct guest_dev *d = &out->board.dev[n];

		*c = (struct claim){ d->base, d->size, guest_dev_kind_name(d->kind),
				     d->pos.line != 0 ? d->pos : memory };
		return true;
	}
	n -= out->board.dev_count;
	if (n < out->map_count) {
		*c = (struct claim){ out->map[n].gpa, out->map[n].size, out->map[n].name,
				     out->map[n].pos };
		return true;
	}
	return false;
}

void plan_conflicts(struct planner *p)
{
	struct claim a, b;

	for (uint32_t i = 0; get_claim(p->out, i, &a); i++) {
		for (uint32_t k = 0; k < i && get_claim(p->out, k, &b); k++) {
			if (ranges_overlap(a.base, a.size, b.base, b.size)) {
				plan_diag(
					p, DIAG_ERROR, a.pos,
					"guest addresses 0x%lx-0x%lx of %s overlap 0x%lx-0x%lx of %s",
					a.base, a.base + a.size - 1, a.what, b.base,
					b.base + b.size - 1, b.what);
				break;
			}
		}
	}
}

int vm_plan(const struct plan_request *req, struct vm_plan *out)
{
	struct planner *p = req->work;
	const uint32_t before = req->sink->count[DIAG_ERROR];

	memset(out, 0, sizeof(*out));
	out->cfg = req->cfg;
	out->index = req->index;
	out->board.arch = req->arch;
	if (req->work_size < sizeof(*p)) {
		out->errors = 1;
		diag_emit(req->sink, DIAG_ERROR, req->cfg->file, req->cfg->name_pos,
			  "the planner has too little work space (%lu bytes)",
			  (uint64_t)req->work_size);
		return -EINVAL;
	}
	memset(p, 0, sizeof(*p));
	p->req = req;
	p->cfg = req->cfg;
	p->machine = req->machine;
	p->out = out;
	p->dtb = p + 1;
	p->dtb_cap = ALIGN_DOWN(req->work_size - sizeof(*p), 8);

	plan_cpus(p);
	plan_memory(p);
	plan_read_images(p);
	plan_intc(p);
	plan_devices(p);
	plan_place_images(p);
	plan_conflicts(p);
	out->errors = req->sink->count[DIAG_ERROR] - before;
	return out->errors == 0 ? 0 : -EINVAL;
}
