/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner: which virtual interrupt controller a VM has, and where.
 *
 * In this order: the guest's own device tree; an emulated device of a GICv3; a
 * passthrough entry over the host's redistributors (GICv3) or distributor (GICv2); an
 * emulated interrupt controller and nothing of a GICv3 (GICv2); else the kind that the
 * host has.  A GICv2 goes with any host, a GICv3 needs one.
 */
#include "plan_priv.h"

#include <string.h>

#define GICD_SIZE	UINT64_C(0x10000) /* Arm IHI 0069, 12.8; covers GICv2's 4 KiB */
#define GICC_SIZE	UINT64_C(0x10000)
#define GICR_SIZE	UINT64_C(0x20000) /* of one processor: RD_base and SGI_base */
#define GICR_OFFSET	UINT64_C(0xa0000) /* from the distributor on QEMU's board */
#define GICV2_MAX_VCPUS 8

struct choice {
	enum guest_intc_kind kind;
	const char *why;
	struct cfg_pos pos;
};

static bool covers(const struct plan_pass *e, uint64_t base, uint64_t size)
{
	return ranges_overlap(e->hpa, e->size, base, size);
}

static bool covers_redist(const struct planner *p, const struct plan_pass *e)
{
	if (p->machine == NULL) {
		return covers(e, p->host.intc.redist[0].base, p->host.intc.redist[0].size);
	}
	for (uint32_t i = 0; i < p->machine->gic.redist_count; i++) {
		const struct machine_range *r = &p->machine->gic.redist[i];

		if (covers(e, r->base.a, r->size)) {
			return true;
		}
	}
	return false;
}

static bool covers_list(const struct plan_pass *e, const struct machine_range *list, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (covers(e, list[i].base.a, list[i].size)) {
			return true;
		}
	}
	return false;
}

static struct guest_range host_dist(const struct planner *p)
{
	const struct machine *m = p->machine;

	if (m == NULL) {
		return p->host.intc.dist;
	}
	if (m->gic.version != 0) {
		return (struct guest_range){ m->gic.gicd.base.a, m->gic.gicd.size };
	}
	return (struct guest_range){ m->plic.range.base.a, m->plic.range.size };
}

bool plan_pass_is_intc(const struct planner *p, const struct plan_pass *e)
{
	const struct guest_range dist = host_dist(p);
	const struct machine_gic *g;

	if (covers(e, dist.base, dist.size) || covers_redist(p, e)) {
		return true;
	}
	if (p->machine == NULL) {
		return covers(e, p->host.intc.cpu.base, p->host.intc.cpu.size);
	}
	g = &p->machine->gic;
	return covers(e, g->gicc.base.a, g->gicc.size) || covers(e, g->gich.base.a, g->gich.size) ||
	       covers(e, g->gicv.base.a, g->gicv.size) || covers_list(e, g->its, g->its_count) ||
	       covers_list(e, g->v2m, g->v2m_count);
}

static const struct vm_config_emu *find_emu(const struct planner *p, enum vm_emu_kind kind,
					    uint32_t n)
{
	for (uint32_t i = 0; i < p->cfg->emu_count; i++) {
		if (p->cfg->emu[i].kind == kind && n-- == 0) {
			return &p->cfg->emu[i];
		}
	}
	return NULL;
}

/* By emulated devices: those of a GICv3 name it. */
static bool choose_by_emu(const struct planner *p, struct choice *c)
{
	static const enum vm_emu_kind v3[] = { VM_EMU_GICR, VM_EMU_GICD, VM_EMU_ICC_SRE,
					       VM_EMU_SGIR };

	for (size_t i = 0; i < ARRAY_SIZE(v3); i++) {
		const struct vm_config_emu *e = find_emu(p, v3[i], 0);

		if (e != NULL) {
			*c = (struct choice){ GUEST_INTC_GICV3, "an emulated device says so",
					      e->pos };
			return true;
		}
	}
	return false;
}

static bool choose_by_pass(const struct planner *p, struct choice *c)
{
	const struct guest_range dist = host_dist(p);
	struct plan_pass e;
	bool found = false;

	for (uint32_t i = 0; plan_pass_get(p, i, &e); i++) {
		if (covers_redist(p, &e)) {
			*c = (struct choice){ GUEST_INTC_GICV3,
					      "a passthrough entry covers redistributors", e.pos };
			return true;
		}
		if (!found && covers(&e, dist.base, dist.size)) {
			*c = (struct choice){ GUEST_INTC_GICV2,
					      "a passthrough entry covers a distributor alone",
					      e.pos };
			found = true;
		}
	}
	return found;
}

static struct choice choose(const struct planner *p)
{
	struct choice c = { GUEST_INTC_GICV2, "", p->cfg->name_pos };
	const struct vm_config_emu *emu;

	if (p->req->arch == VM_ARCH_RISCV64) {
		return (struct choice){ GUEST_INTC_PLIC, "", p->cfg->name_pos };
	}
	if (p->has_guest && p->guest.intc.kind != GUEST_INTC_NONE) {
		return (struct choice){ p->guest.intc.kind, "its device tree says so",
					p->cfg->dtb.pos };
	}
	if (choose_by_emu(p, &c) || choose_by_pass(p, &c)) {
		return c;
	}
	emu = find_emu(p, VM_EMU_INTC, 0);
	if (emu != NULL) {
		c.why = "an emulated interrupt controller without redistributors";
		c.pos = emu->pos;
		return c;
	}
	if (p->machine != NULL && p->machine->gic.version == 3) {
		c.kind = GUEST_INTC_GICV3;
	}
	return c;
}

/* ---- Addresses ---- */

/* Where a passthrough entry shows a host address; false: none covers it. */
static bool shown_at(const struct planner *p, uint64_t hpa_base, uint64_t *gpa_base)
{
	struct plan_pass e;

	for (uint32_t i = 0; plan_pass_get(p, i, &e); i++) {
		if (range_within(hpa_base, 1, e.hpa, e.size)) {
			*gpa_base = e.gpa + (hpa_base - e.hpa);
			return true;
		}
	}
	return false;
}

static void place_gicv2(struct planner *p, struct guest_intc *out)
{
	const struct vm_config_emu *e = find_emu(p, VM_EMU_INTC, 0);
	/* A GICv3 without the legacy interface has none. */
	const bool has_gicc = p->machine == NULL || p->machine->gic.gicc.size != 0;
	const uint64_t gicc =
		p->machine != NULL ? p->machine->gic.gicc.base.a : p->host.intc.cpu.base;

	out->dist = (struct guest_range){ p->board.intc.dist.base, GICD_SIZE };
	if (e != NULL) {
		out->dist.base = e->base_gpa;
	} else {
		(void)shown_at(p, host_dist(p).base, &out->dist.base);
	}
	out->cpu = (struct guest_range){ out->dist.base + GICD_SIZE, GICC_SIZE };
	if (e == NULL && has_gicc) {
		(void)shown_at(p, gicc, &out->cpu.base);
	}
}

static void place_gicv3(struct planner *p, struct guest_intc *out)
{
	const struct vm_config_emu *e = find_emu(p, VM_EMU_GICD, 0);

	if (e == NULL) {
		e = find_emu(p, VM_EMU_INTC, 0);
	}
	out->dist = (struct guest_range){ p->board.intc.dist.base, GICD_SIZE };
	if (e != NULL) {
		out->dist.base = e->base_gpa;
	} else {
		(void)shown_at(p, host_dist(p).base, &out->dist.base);
	}
	for (uint32_t i = 0; i < GUEST_MAX_GICRS; i++) {
		e = find_emu(p, VM_EMU_GICR, i);
		if (e == NULL) {
			break;
		}
		out->redist[out->redist_count++] = (struct guest_range){ e->base_gpa, e->length };
	}
	if (out->redist_count == 0) {
		out->redist_count = 1;
		out->redist[0].base = out->dist.base + GICR_OFFSET;
		out->redist[0].size = GICR_SIZE * p->cfg->cpu_num;
		if (p->machine != NULL && p->machine->gic.redist_count > 0) {
			(void)shown_at(p, p->machine->gic.redist[0].base.a, &out->redist[0].base);
		}
	}
}

/* ---- Judgement ---- */

static void judge_size(const struct planner *p, const struct choice *c)
{
	const struct guest_intc *intc = &p->out->board.intc;
	uint64_t room = 0;

	if (intc->kind == GUEST_INTC_GICV2) {
		if (p->cfg->cpu_num > GICV2_MAX_VCPUS) {
			plan_diag(p, DIAG_ERROR, p->cfg->cpu_num_pos,
				  "cpu_num %u: a GICv2 has at most %d vCPUs", p->cfg->cpu_num,
				  GICV2_MAX_VCPUS);
		}
		if (intc->cpu.size == 0) {
			plan_diag(
				p, DIAG_ERROR, c->pos,
				"the device tree gives its GICv2 no CPU interface (second `reg`)");
		}
	}
	for (uint32_t i = 0; i < intc->redist_count; i++) {
		room += intc->redist[i].size / GICR_SIZE;
	}
	if (intc->kind == GUEST_INTC_GICV3 && room < p->cfg->cpu_num) {
		plan_diag(p, DIAG_ERROR, c->pos,
			  "the GICv3's redistributor ranges hold %lu vCPUs (0x%lx bytes each), but "
			  "cpu_num is %u",
			  room, GICR_SIZE, p->cfg->cpu_num);
	}
}

static void judge_host(const struct planner *p, const struct choice *c)
{
	const uint32_t version = p->machine != NULL ? p->machine->gic.version : 0;

	if (version == 2 && c->kind == GUEST_INTC_GICV3) {
		plan_diag(p, DIAG_ERROR, c->pos,
			  "the VM needs a %s (%s), but this machine has a GICv%u: it cannot serve "
			  "such a guest",
			  guest_intc_kind_name(c->kind), c->why, version);
	}
}

void plan_intc(struct planner *p)
{
	struct guest_intc *out = &p->out->board.intc;
	struct choice c;

	plan_default_board(p->req->arch, &p->board);
	if (p->machine != NULL && p->machine->fdt != NULL) {
		fdt_guest_read(p->machine->fdt, &p->host);
	} else {
		p->host = p->board;
	}
	if (p->req->arch != VM_ARCH_AARCH64 && p->req->arch != VM_ARCH_RISCV64) {
		return;
	}
	c = choose(p);
	if ((p->req->arch == VM_ARCH_RISCV64) != (c.kind == GUEST_INTC_PLIC)) {
		plan_diag(p, DIAG_ERROR, c.pos, "the device tree has a %s: it is not for %s",
			  guest_intc_kind_name(c.kind), vm_arch_name(p->req->arch));
		return;
	}
	out->kind = c.kind;
	if (p->has_guest && p->guest.intc.kind == c.kind) {
		*out = p->guest.intc;
	} else if (c.kind == GUEST_INTC_GICV2) {
		place_gicv2(p, out);
	} else if (c.kind == GUEST_INTC_GICV3) {
		place_gicv3(p, out);
	} else {
		*out = p->board.intc;
		(void)shown_at(p, host_dist(p).base, &out->dist.base);
	}
	judge_size(p, &c);
	judge_host(p, &c);
}
