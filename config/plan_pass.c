/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner: devices of the machine that a VM gets, with their interrupts.
 *
 * virtio-mmio slots are forwarded if the VM's memory is identical: a page often holds
 * slots of several owners, and where the queues lie can be checked.  Other devices are
 * mapped.  Without an IOMMU both reach all of the machine's memory; that is said.
 */
#include "plan_priv.h"

#include <string.h>

#define SPI_FIRST 32

/* ---- Interrupts ---- */

static bool is_ours(const struct planner *p, uint32_t intid)
{
	const struct machine_uart *console =
		p->machine != NULL ? machine_console(p->machine) : NULL;

	return console != NULL && console->irq.intid == intid;
}

/* Is the host's interrupt another VM's already?  Says so. */
static bool is_foreign(const struct planner *p, const char *name, uint32_t intid,
		       struct cfg_pos pos)
{
	for (size_t i = 0; i < p->req->other_count; i++) {
		const struct vm_plan *o = p->req->others[i];

		for (uint32_t k = 0; k < o->irq_count; k++) {
			if (o->irq[k].host == intid) {
				plan_diag(p, DIAG_ERROR, pos,
					  "\"%s\": the host's interrupt %u would be shared with "
					  "\"%s\" of VM %u \"%s\"",
					  name, intid, o->irq[k].name, o->cfg->id, o->cfg->name);
				return true;
			}
		}
	}
	return false;
}

/* Two devices of the VM on one line of the host, or on one of the guest. */
static bool is_known(const struct planner *p, const struct plan_irq *irq)
{
	for (uint32_t i = 0; i < p->out->irq_count; i++) {
		const struct plan_irq *o = &p->out->irq[i];

		if (o->host == irq->host && o->guest == irq->guest) {
			return true;
		}
		if (o->host == irq->host || o->guest == irq->guest) {
			plan_diag(p, DIAG_ERROR, irq->pos,
				  "\"%s\": the host's interrupt %u would be the guest's %u, but "
				  "\"%s\" makes %u out of %u",
				  irq->name, irq->host, irq->guest, o->name, o->guest, o->host);
			return true;
		}
	}
	return false;
}

static void add_irq(struct planner *p, const struct plan_irq *irq)
{
	struct vm_plan *out = p->out;

	if (irq->host < SPI_FIRST) {
		plan_diag(p, DIAG_WARNING, irq->pos,
			  "\"%s\": interrupt %u is private to a core and is not passed through",
			  irq->name, irq->host);
		return;
	}
	if (irq->guest < SPI_FIRST || irq->guest >= SPI_FIRST + GUEST_SPIS) {
		plan_diag(p, DIAG_ERROR, irq->pos,
			  "\"%s\": the guest's interrupt %u is no shared one that a VM has (%d "
			  "to %d)",
			  irq->name, irq->guest, SPI_FIRST, SPI_FIRST + GUEST_SPIS - 1);
		return;
	}
	if (is_ours(p, irq->host)) {
		plan_diag(p, DIAG_ERROR, irq->pos,
			  "\"%s\": interrupt %u is that of the hypervisor's console", irq->name,
			  irq->host);
		return;
	}
	if (is_foreign(p, irq->name, irq->host, irq->pos) || is_known(p, irq)) {
		return;
	}
	if (out->irq_count == PLAN_MAX_IRQS) {
		plan_diag(p, DIAG_ERROR, irq->pos, "more than %d interrupts are passed through",
			  PLAN_MAX_IRQS);
		return;
	}
	out->irq[out->irq_count++] = *irq;
}

void plan_check_irqs(struct planner *p)
{
	const struct guest_board *b = &p->out->board;

	for (uint32_t i = 0; i < p->out->irq_count; i++) {
		const struct plan_irq *irq = &p->out->irq[i];

		for (uint32_t k = 0; k < b->dev_count; k++) {
			if (b->dev[k].irq == irq->guest && b->dev[k].kind != GUEST_DEV_VIRTIO_FWD &&
			    b->dev[k].kind != GUEST_DEV_VIRTIO_EMPTY) {
				plan_diag(p, DIAG_ERROR, irq->pos,
					  "\"%s\": the guest's interrupt %u is that of its virtual "
					  "%s at 0x%lx",
					  irq->name, irq->guest,
					  guest_dev_kind_name(b->dev[k].kind), b->dev[k].base);
			}
		}
	}
}

/* ---- Trust ---- */

static void say_trusted(const struct planner *p, const char *name, const char *what,
			struct cfg_pos pos)
{
	plan_diag(p, DIAG_WARNING, pos,
		  "VM \"%s\" is trusted: without an IOMMU \"%s\" (%s) can reach all of the "
		  "machine's memory",
		  p->cfg->name, name, what);
}

/* ---- virtio-mmio slots ---- */

static bool has_identical_memory(const struct planner *p)
{
	for (uint32_t i = 0; i < p->out->memory_count; i++) {
		if (p->out->memory[i].map_type == VM_MAP_IDENTICAL) {
			return true;
		}
	}
	return false;
}

static const struct machine_virtio *host_slot(const struct planner *p, uint64_t base)
{
	for (uint32_t i = 0; i < p->machine->virtio_count; i++) {
		if (p->machine->virtio[i].range.base.a == base) {
			return &p->machine->virtio[i];
		}
	}
	return NULL;
}

static const struct vm_plan *slot_owner(const struct planner *p, uint64_t base)
{
	for (size_t i = 0; i < p->req->other_count; i++) {
		const struct guest_board *b = &p->req->others[i]->board;

		for (uint32_t k = 0; k < b->dev_count; k++) {
			if (b->dev[k].kind == GUEST_DEV_VIRTIO_FWD && b->dev[k].hpa == base) {
				return p->req->others[i];
			}
		}
	}
	return NULL;
}

void plan_forward_slot(struct planner *p, const struct plan_pass *e, const struct fdt_dev *d,
		       struct plan_slots *slots, struct guest_dev *g)
{
	const struct machine_virtio assumed = { .irq = { d->irq, IRQ_EDGE }, .dma_coherent = true };
	const struct machine_virtio *v = &assumed;
	const struct vm_plan *owner = slot_owner(p, d->base);

	if (!has_identical_memory(p)) {
		return;
	}
	if (p->machine != NULL) {
		v = host_slot(p, d->base);
	}
	if (v == NULL) {
		return;
	}
	if (v->ours) {
		slots->ours++;
		return;
	}
	if (owner != NULL) {
		slots->foreign++;
		slots->owner = owner;
		return;
	}
	slots->forwarded++;
	if (p->has_guest && fdt_facts_find(&p->guest, g->base) == NULL) {
		slots->hidden++;
	}
	g->kind = GUEST_DEV_VIRTIO_FWD;
	g->hpa = d->base;
	g->edge = v->irq.trigger == IRQ_EDGE;
	g->dma_coherent = v->dma_coherent;
	if (v->irq.intid != IRQ_NONE && g->irq != GUEST_IRQ_NONE) {
		const struct plan_irq irq = { v->irq.intid, g->irq, g->edge, e->name, e->pos };

		add_irq(p, &irq);
	}
}

void plan_say_slots(const struct planner *p, const struct plan_pass *e,
		    const struct plan_slots *slots)
{
	const uint32_t rest = slots->total - slots->forwarded - slots->ours - slots->foreign;

	if (slots->forwarded > 0) {
		say_trusted(p, e->name, "virtio-mmio", e->pos);
	}
	if (slots->ours > 0) {
		plan_diag(p, DIAG_WARNING, e->pos,
			  "\"%s\": %u of its %u virtio-mmio slots have devices that the "
			  "hypervisor uses, and are presented as empty",
			  e->name, slots->ours, slots->total);
	}
	if (slots->foreign > 0) {
		plan_diag(p, DIAG_WARNING, e->pos,
			  "\"%s\": %u of its %u virtio-mmio slots belong to VM %u \"%s\", and are "
			  "presented as empty",
			  e->name, slots->foreign, slots->total, slots->owner->cfg->id,
			  slots->owner->cfg->name);
	}
	if (slots->hidden > 0) {
		plan_diag(p, DIAG_WARNING, e->pos,
			  "\"%s\": %u of its %u virtio-mmio slots are not in the VM's device tree, "
			  "whose kernel will not find them",
			  e->name, slots->hidden, slots->total);
	}
	if (rest > 0) {
		plan_diag(p, has_identical_memory(p) ? DIAG_WARNING : DIAG_NOTE, e->pos,
			  "\"%s\": %u virtio-mmio slots are presented as empty (%s)", e->name, rest,
			  has_identical_memory(p)
				  ? "this machine has no such slots"
				  : "a device could not reach the VM's memory, which is not "
				    "MAP_IDENTICAL");
	}
}

/* ---- Mapped devices ---- */

bool plan_refuse_ram(const struct planner *p, const char *name, uint64_t base, uint64_t size,
		     struct cfg_pos pos)
{
	const struct machine *m = p->machine;

	for (uint32_t i = 0; m != NULL && i < m->bank_count; i++) {
		if (ranges_overlap(base, size, m->bank[i].base.a, m->bank[i].size)) {
			plan_diag(p, DIAG_ERROR, pos,
				  "\"%s\": host range 0x%lx-0x%lx holds this machine's RAM "
				  "(0x%lx-0x%lx), which cannot be passed through",
				  name, base, base + size - 1, m->bank[i].base.a,
				  m->bank[i].base.a + m->bank[i].size - 1);
			return true;
		}
	}
	return false;
}

static bool refuse_range(const struct planner *p, const struct plan_map *map,
			 const struct machine_range *r, const char *owner)
{
	if (!ranges_overlap(map->hpa, map->size, r->base.a, r->size)) {
		return false;
	}
	plan_diag(p, DIAG_ERROR, map->pos,
		  "\"%s\": host range 0x%lx-0x%lx holds %s of the hypervisor (0x%lx-0x%lx)",
		  map->name, map->hpa, map->hpa + map->size - 1, owner, r->base.a,
		  r->base.a + r->size - 1);
	return true;
}

/* Devices that the hypervisor itself uses. */
static bool refuse_ours(const struct planner *p, const struct plan_map *map)
{
	const struct machine *m = p->machine;
	const struct machine_uart *console;
	bool found;

	if (m == NULL) {
		return false;
	}
	console = machine_console(m);
	found = (console != NULL && refuse_range(p, map, &console->range, "the console")) ||
		refuse_range(p, map, &m->gic.gicd, "the interrupt controller") ||
		refuse_range(p, map, &m->gic.gicc, "the interrupt controller") ||
		refuse_range(p, map, &m->gic.gich, "the interrupt controller") ||
		refuse_range(p, map, &m->gic.gicv, "the interrupt controller") ||
		refuse_range(p, map, &m->plic.range, "the interrupt controller");
	for (uint32_t i = 0; i < m->gic.redist_count && !found; i++) {
		found = refuse_range(p, map, &m->gic.redist[i], "the interrupt controller");
	}
	for (uint32_t i = 0; i < m->virtio_count && !found; i++) {
		found = refuse_range(p, map, &m->virtio[i].range, "virtio slots");
	}
	for (uint32_t i = 0; i < m->pci_count && !found; i++) {
		found = refuse_range(p, map, &m->pci[i].ecam, "the PCI host bridge");
		for (uint32_t k = 0; k < m->pci[i].window_count && !found; k++) {
			const struct machine_range w = { m->pci[i].window[k].cpu_base,
							 m->pci[i].window[k].size };

			found = refuse_range(p, map, &w, "the PCI bus");
		}
	}
	return found;
}

static bool refuse_others(const struct planner *p, const struct plan_map *map)
{
	for (size_t i = 0; i < p->req->other_count; i++) {
		const struct vm_plan *o = p->req->others[i];

		for (uint32_t k = 0; k < o->map_count; k++) {
			if (ranges_overlap(map->hpa, map->size, o->map[k].hpa, o->map[k].size)) {
				plan_diag(p, DIAG_ERROR, map->pos,
					  "\"%s\": host range 0x%lx-0x%lx belongs to VM %u \"%s\" "
					  "(0x%lx-0x%lx)",
					  map->name, map->hpa, map->hpa + map->size - 1, o->cfg->id,
					  o->cfg->name, o->map[k].hpa,
					  o->map[k].hpa + o->map[k].size - 1);
				return true;
			}
		}
	}
	return false;
}

bool plan_host_has(const struct planner *p, uint64_t base, uint64_t size)
{
	return p->machine != NULL && p->machine->fdt != NULL &&
	       fdt_find_devices(p->machine->fdt, base, size, NULL, 0) > 0;
}

static const struct fdt_found *find_at(const struct fdt_found *list, uint32_t count, uint64_t base)
{
	for (uint32_t i = 0; i < count; i++) {
		if (list[i].base == base) {
			return &list[i];
		}
	}
	return NULL;
}

/* The interrupts of one device, under the numbers that the guest's tree gives them. */
static void map_irqs(struct planner *p, const struct plan_map *map, const struct fdt_found *d,
		     uint32_t guest_count)
{
	const struct fdt_found *own =
		find_at(p->guest_found, guest_count, d->base - map->hpa + map->gpa);

	if (p->has_guest && own == NULL) {
		plan_diag(p, DIAG_WARNING, map->pos,
			  "\"%s\": %s of this machine is not in the VM's device tree, which has "
			  "nothing at 0x%lx",
			  map->name, d->path, d->base - map->hpa + map->gpa);
	}
	for (uint32_t i = 0; i < d->irq_count; i++) {
		const struct plan_irq irq = {
			.host = d->irq[i].intid,
			.guest = own != NULL && i < own->irq_count ? own->irq[i].intid
								   : d->irq[i].intid,
			.edge = d->irq[i].trigger == IRQ_EDGE,
			.name = map->name,
			.pos = map->pos,
		};

		add_irq(p, &irq);
	}
}

/* What is there, by the machine's own tree; false: it is not to be mapped. */
static bool map_found(struct planner *p, struct plan_map *map, uint64_t hpa_base, uint64_t size,
		      bool region)
{
	const uint32_t count =
		fdt_find_devices(p->machine->fdt, map->hpa, map->size, p->found, PLAN_MAX_FOUND);
	uint32_t guest_count = 0;

	if (count == 0) {
		/* An access to nothing may stop a machine: only who asks by DEVICE gets it. */
		plan_diag(p, DIAG_WARNING, map->pos,
			  "\"%s\": this machine's device tree has no device at 0x%lx-0x%lx: %s",
			  map->name, hpa_base, hpa_base + size - 1,
			  region ? "mapped as it is, without interrupts" : "not mapped");
		return region;
	}
	if (count > PLAN_MAX_FOUND) {
		plan_diag(p, DIAG_ERROR, map->pos,
			  "\"%s\": 0x%lx-0x%lx holds %u devices, at most %d can be passed through "
			  "in one range",
			  map->name, hpa_base, hpa_base + size - 1, count, PLAN_MAX_FOUND);
		return false;
	}
	for (uint32_t i = 0; i < count; i++) {
		const struct fdt_found *d = &p->found[i];

		if (!ranges_overlap(d->base, d->size, hpa_base, size)) {
			plan_diag(
				p, DIAG_ERROR, map->pos,
				"\"%s\": 0x%lx-0x%lx shares a page with %s, which would be passed "
				"through as well",
				map->name, hpa_base, hpa_base + size - 1, d->path);
			return false;
		}
	}
	if (p->has_guest) {
		guest_count = fdt_find_devices(p->dtb, map->gpa, map->size, p->guest_found,
					       PLAN_MAX_FOUND);
		guest_count = MIN(guest_count, (uint32_t)PLAN_MAX_FOUND);
	}
	for (uint32_t i = 0; i < count; i++) {
		map_irqs(p, map, &p->found[i], guest_count);
		if (p->found[i].dma && !map->dma) {
			map->dma = true;
			say_trusted(p, map->name, p->found[i].path, map->pos);
		}
	}
	return true;
}

void plan_map_device(struct planner *p, const char *name, uint64_t gpa_base, uint64_t hpa_base,
		     uint64_t size, bool region, struct cfg_pos pos)
{
	/* Both addresses have the same place in their page. */
	const uint64_t head = hpa_base & (PAGE_SIZE - 1);
	struct plan_map map = { .gpa = gpa_base - head,
				.hpa = hpa_base - head,
				.size = ALIGN_UP(size + head, PAGE_SIZE),
				.name = name,
				.pos = pos };

	if (plan_refuse_ram(p, name, map.hpa, map.size, pos) || refuse_ours(p, &map) ||
	    refuse_others(p, &map)) {
		return;
	}
	if (p->out->map_count == PLAN_MAX_MAPS) {
		plan_diag(p, DIAG_ERROR, pos, "more than %d host ranges are passed through",
			  PLAN_MAX_MAPS);
		return;
	}
	if (p->machine != NULL && p->machine->fdt != NULL) {
		if (!map_found(p, &map, hpa_base, size, region)) {
			return;
		}
	} else if (p->machine != NULL) {
		plan_diag(p, DIAG_WARNING, pos,
			  "\"%s\": host range 0x%lx-0x%lx is mapped as it is, without interrupts",
			  name, map.hpa, map.hpa + map.size - 1);
	}
	p->out->map[p->out->map_count++] = map;
}
