/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner: devices.  A VM has a console and a clock; the lists add, move and remove
 * devices.
 *
 * A passthrough entry is judged by what the host has at base_hpa and presented at
 * base_gpa: interrupt controllers, the hypervisor's console, clocks and GPIO become
 * virtual ones; virtio-mmio slots are forwarded or empty; what is not known is mapped
 * for real, to one VM (plan_pass.c).
 */
#include "plan_priv.h"

#include <string.h>

#define SPI_FIRST 32
#define SPI_END	  1020

/* More than an interrupt controller with all its redistributors: many devices. */
#define LARGE_RANGE (24 * MiB)

static const struct fdt_dev arm_devs[] = {
	{ .kind = GUEST_DEV_UART_PL011, .base = 0x9000000, .size = 0x1000, .irq = 33 },
	{ .kind = GUEST_DEV_RTC_PL031, .base = 0x9010000, .size = 0x1000, .irq = 34 },
	{ .kind = GUEST_DEV_GPIO_PL061, .base = 0x9030000, .size = 0x1000, .irq = 39 },
};

static const struct fdt_dev riscv_devs[] = {
	{ .kind = GUEST_DEV_UART_NS16550, .base = 0x10000000, .size = 0x100, .irq = 10 },
	{ .kind = GUEST_DEV_RTC_GOLDFISH, .base = 0x101000, .size = 0x1000, .irq = 11 },
};

static void add_slots(struct fdt_facts *out, uint32_t count, uint64_t base, uint64_t size,
		      uint32_t irq)
{
	for (uint32_t i = 0; i < count; i++) {
		out->dev[out->dev_count++] = (struct fdt_dev){ .kind = GUEST_DEV_VIRTIO_EMPTY,
							       .base = base + i * size,
							       .size = size,
							       .irq = irq + i };
	}
}

void plan_default_board(enum vm_arch arch, struct fdt_facts *out)
{
	memset(out, 0, sizeof(*out));
	if (arch == VM_ARCH_AARCH64) {
		out->intc.kind = GUEST_INTC_GICV2;
		out->intc.dist = (struct guest_range){ 0x8000000, 0x10000 };
		out->intc.cpu = (struct guest_range){ 0x8010000, 0x10000 };
		/* Where the board has them when it is built with a GICv3. */
		out->intc.redist[0] = (struct guest_range){ 0x80a0000, 0xf60000 };
		memcpy(out->dev, arm_devs, sizeof(arm_devs));
		out->dev_count = ARRAY_SIZE(arm_devs);
		add_slots(out, 32, 0xa000000, 0x200, 48);
	} else if (arch == VM_ARCH_RISCV64) {
		out->intc.kind = GUEST_INTC_PLIC;
		out->intc.dist = (struct guest_range){ 0xc000000, 0x600000 };
		out->intc.sources = 95;
		memcpy(out->dev, riscv_devs, sizeof(riscv_devs));
		out->dev_count = ARRAY_SIZE(riscv_devs);
		add_slots(out, 8, 0x10001000, 0x1000, 1);
	}
}

bool plan_pass_get(const struct planner *p, uint32_t n, struct plan_pass *out)
{
	const struct vm_config *cfg = p->cfg;

	if (n < cfg->pass_count) {
		const struct vm_config_pass *e = &cfg->pass[n];

		*out = (struct plan_pass){ e->name, e->base_gpa, e->base_hpa, e->length, e->pos };
		return true;
	}
	n -= cfg->pass_count;
	if (n < cfg->pass_addr_count) {
		const struct vm_config_range *r = &cfg->pass_addr[n];

		*out = (struct plan_pass){ "passthrough_addresses", r->base, r->base, r->length,
					   r->pos };
		return true;
	}
	return false;
}

static bool is_uart(enum guest_dev_kind kind)
{
	return kind == GUEST_DEV_UART_PL011 || kind == GUEST_DEV_UART_NS16550;
}

static void add_dev(struct planner *p, const struct guest_dev *d)
{
	struct guest_board *b = &p->out->board;

	for (uint32_t i = 0; i < b->dev_count; i++) {
		if (b->dev[i].base == d->base) {
			return; /* named by both lists: the emulated one came first */
		}
	}
	if (b->dev_count == GUEST_MAX_DEVS) {
		plan_diag(p, DIAG_ERROR, d->pos, "the VM has more than %d devices", GUEST_MAX_DEVS);
		return;
	}
	b->dev[b->dev_count] = *d;
	b->dev[b->dev_count].console = is_uart(d->kind) && d->console && !p->console;
	p->console = p->console || b->dev[b->dev_count].console;
	b->dev_count++;
}

/* A virtual device like `d`, at a guest address; the guest's own tree knows better. */
static struct guest_dev make_like(const struct planner *p, const struct fdt_dev *d,
				  uint64_t gpa_base, struct cfg_pos pos)
{
	const struct fdt_dev *own = p->has_guest ? fdt_facts_find(&p->guest, gpa_base) : NULL;
	struct guest_dev g = { .kind = d->kind,
			       .base = gpa_base,
			       .size = d->size,
			       .irq = d->irq,
			       .reg_shift = d->reg_shift,
			       .io_width = d->io_width,
			       .console = is_uart(d->kind),
			       .pos = pos };

	if (own != NULL && own->kind == d->kind) {
		g.size = own->size;
		g.irq = own->irq != GUEST_IRQ_NONE ? own->irq : d->irq;
		g.reg_shift = own->reg_shift;
		g.io_width = own->io_width;
	}
	return g;
}

static void add_like(struct planner *p, const struct fdt_dev *d, uint64_t gpa_base,
		     struct cfg_pos pos)
{
	const struct guest_dev g = make_like(p, d, gpa_base, pos);

	add_dev(p, &g);
}

/* ---- emu_devices ---- */

static uint32_t emu_irq(const struct planner *p, const struct vm_config_emu *e, uint32_t usual)
{
	if (p->req->arch != VM_ARCH_AARCH64 || (e->irq >= SPI_FIRST && e->irq < SPI_END)) {
		return e->irq;
	}
	plan_diag(p, DIAG_WARNING, e->pos,
		  "emulated device \"%s\": irq %u is no shared interrupt (%d to %d); %u is used",
		  e->name, e->irq, SPI_FIRST, SPI_END - 1, usual);
	return usual;
}

static void add_emu_console(struct planner *p, const struct vm_config_emu *e)
{
	const struct fdt_dev *own = p->has_guest ? fdt_facts_find(&p->guest, e->base_gpa) : NULL;
	const struct fdt_dev *usual = &p->board.dev[0];
	struct guest_dev g = { .kind = usual->kind,
			       .base = e->base_gpa,
			       .size = e->length,
			       .console = true,
			       .pos = e->pos };

	if (own != NULL && is_uart(own->kind)) {
		usual = own;
		g.kind = own->kind;
		g.reg_shift = own->reg_shift;
		g.io_width = own->io_width;
	}
	g.size = MAX(g.size, usual->size);
	g.irq = emu_irq(p, e, usual->irq);
	add_dev(p, &g);
}

static void add_emu_plain(struct planner *p, const struct vm_config_emu *e,
			  enum guest_dev_kind kind, const char *note)
{
	const struct guest_dev g = { .kind = kind,
				     .base = e->base_gpa,
				     .size = e->length,
				     .irq = kind == GUEST_DEV_VIRTIO_EMPTY
						    ? emu_irq(p, e, SPI_FIRST)
						    : GUEST_IRQ_NONE,
				     .pos = e->pos };

	plan_diag(p, DIAG_WARNING, e->pos, "emulated device \"%s\" (%s): %s", e->name,
		  vm_emu_kind_name(e->kind), note);
	if (e->length != 0) {
		add_dev(p, &g);
	}
}

static void plan_emu(struct planner *p, const struct vm_config_emu *e)
{
	switch (e->kind) {
	case VM_EMU_CONSOLE:
		if (p->board.dev_count > 0) {
			add_emu_console(p, e);
		}
		break;
	case VM_EMU_VIRTIO_BLK:
	case VM_EMU_VIRTIO_NET:
	case VM_EMU_VIRTIO_CONSOLE:
		add_emu_plain(p, e, GUEST_DEV_VIRTIO_EMPTY,
			      "nothing is behind it yet, the guest finds an empty slot");
		break;
	case VM_EMU_GITS:
	case VM_EMU_IOMMU:
	case VM_EMU_IVC:
		add_emu_plain(p, e, GUEST_DEV_RAZ, "not implemented yet, the range reads zero");
		break;
	case VM_EMU_IOAPIC:
	case VM_EMU_PIT:
	case VM_EMU_PLIC:
		if ((e->kind == VM_EMU_PLIC) != (p->req->arch == VM_ARCH_RISCV64) &&
		    p->req->arch != VM_ARCH_X86_64) {
			plan_diag(p, DIAG_ERROR, e->pos, "emulated device \"%s\": %s has no %s",
				  e->name, vm_arch_name(p->req->arch), vm_emu_kind_name(e->kind));
		}
		break;
	case VM_EMU_DUMMY: /* below, when all devices are known */
	case VM_EMU_INTC:  /* plan_intc.c */
	case VM_EMU_GICD:
	case VM_EMU_GICR:
	case VM_EMU_ICC_SRE:
	case VM_EMU_SGIR:
	case VM_EMU_KINDS:
		break;
	}
}

/* ---- passthrough_devices ---- */

/* Is it one that the guest gets a virtual one for?  Other UARTs than ours are real. */
static bool becomes_virtual(const struct planner *p, const struct fdt_dev *d)
{
	const struct machine_uart *console;

	if (!is_uart(d->kind) || p->machine == NULL) {
		return true;
	}
	console = machine_console(p->machine);
	return console != NULL && console->range.base.a == d->base;
}

/* Virtual devices for those that `facts` has in [from, from+size); shown at e->gpa. */
static uint32_t add_virtual(struct planner *p, const struct plan_pass *e,
			    const struct fdt_facts *facts, uint64_t from, struct plan_slots *slots)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < facts->dev_count; i++) {
		const struct fdt_dev *d = &facts->dev[i];
		struct guest_dev g;

		if (!range_within(d->base, d->size, from, e->size) ||
		    (facts == &p->host && !becomes_virtual(p, d))) {
			continue;
		}
		g = make_like(p, d, e->gpa + (d->base - from), e->pos);
		if (d->kind == GUEST_DEV_VIRTIO_EMPTY) {
			slots->total++;
			if (facts == &p->host) {
				plan_forward_slot(p, e, d, slots, &g);
			}
		}
		add_dev(p, &g);
		count++;
	}
	return count;
}

static void plan_pass_entry(struct planner *p, const struct plan_pass *e, bool *is_virtual)
{
	struct plan_slots slots = { 0 };
	uint32_t count;

	if (plan_refuse_ram(p, e->name, e->hpa, e->size, e->pos)) {
		return;
	}
	count = add_virtual(p, e, &p->host, e->hpa, &slots);
	*is_virtual = count > 0 || plan_pass_is_intc(p, e);
	if (!*is_virtual && !plan_host_has(p, e->hpa, e->size)) {
		const struct fdt_facts *expected = p->has_guest ? &p->guest : &p->board;

		count = add_virtual(p, e, expected, e->gpa, &slots);
		*is_virtual = count > 0;
		if (count > 0) {
			plan_diag(
				p, DIAG_WARNING, e->pos,
				"\"%s\": this machine has no such device at 0x%lx; the guest gets a "
				"virtual one",
				e->name, e->hpa);
		}
	}
	plan_say_slots(p, e, &slots);
	if (!*is_virtual) {
		plan_map_device(p, e->name, e->gpa, e->hpa, e->size, false, e->pos);
	} else if (e->size >= LARGE_RANGE) {
		plan_diag(
			p, DIAG_WARNING, e->pos,
			"\"%s\" has devices in it that become virtual ones; the rest of so large a "
			"range reads zero, passing it through is not supported yet",
			e->name);
	}
}

/* What is left of an entry with virtual devices in it reads zero. */
static void add_rest(struct planner *p, const struct plan_pass *e)
{
	const struct guest_board *b = &p->out->board;
	struct rangeset *rest = &p->set;
	int err;

	rangeset_init(rest);
	err = rangeset_add(rest, e->gpa, e->size, 0);
	if (err == 0) {
		err = rangeset_subtract(rest, b->intc.dist.base, b->intc.dist.size);
	}
	if (err == 0) {
		err = rangeset_subtract(rest, b->intc.cpu.base, b->intc.cpu.size);
	}
	for (uint32_t i = 0; i < b->intc.redist_count && err == 0; i++) {
		err = rangeset_subtract(rest, b->intc.redist[i].base, b->intc.redist[i].size);
	}
	for (uint32_t i = 0; i < b->dev_count && err == 0; i++) {
		err = rangeset_subtract(rest, b->dev[i].base, b->dev[i].size);
	}
	if (err != 0) {
		plan_diag(p, DIAG_ERROR, e->pos, "\"%s\" is cut into too many pieces", e->name);
		return;
	}
	for (uint32_t i = 0; i < rest->count; i++) {
		const struct guest_dev g = { .kind = GUEST_DEV_RAZ,
					     .base = rest->range[i].start,
					     .size = rest->range[i].size,
					     .irq = GUEST_IRQ_NONE,
					     .pos = e->pos };

		add_dev(p, &g);
	}
}

/* ---- Defaults and removals ---- */

static bool is_taken(const struct planner *p, uint64_t base, uint64_t size)
{
	const struct vm_plan *out = p->out;

	for (uint32_t i = 0; i < out->board.dev_count; i++) {
		if (ranges_overlap(base, size, out->board.dev[i].base, out->board.dev[i].size)) {
			return true;
		}
	}
	for (uint32_t i = 0; i < out->map_count; i++) {
		if (ranges_overlap(base, size, out->map[i].gpa, out->map[i].size)) {
			return true;
		}
	}
	for (uint32_t i = 0; i < out->memory_count; i++) {
		if (ranges_overlap(base, size, out->memory[i].gpa, out->memory[i].size)) {
			return true;
		}
	}
	return false;
}

/* The UART that the guest's tree names, else its first, else the board's. */
static const struct fdt_dev *usual_console(const struct planner *p)
{
	const struct fdt_dev *first = NULL;

	for (uint32_t i = 0; p->has_guest && i < p->guest.dev_count; i++) {
		const struct fdt_dev *d = &p->guest.dev[i];

		if (is_uart(d->kind) && d->is_stdout) {
			return d;
		}
		if (is_uart(d->kind) && first == NULL) {
			first = d;
		}
	}
	if (first == NULL && p->board.dev_count > 0) {
		first = &p->board.dev[0];
	}
	return first;
}

static void add_usual_console(struct planner *p)
{
	const struct fdt_dev *d = usual_console(p);

	if (p->console || d == NULL) {
		return;
	}
	if (is_taken(p, d->base, d->size)) {
		plan_diag(p, DIAG_NOTE, p->cfg->name_pos,
			  "the VM has no console: 0x%lx, where its %s would be, is in use", d->base,
			  guest_dev_kind_name(d->kind));
		return;
	}
	add_like(p, d, d->base, (struct cfg_pos){ 0, 0 });
}

static bool is_clock(enum guest_dev_kind kind)
{
	return kind == GUEST_DEV_RTC_PL031 || kind == GUEST_DEV_RTC_GOLDFISH;
}

static const struct fdt_dev *find_clock(const struct fdt_facts *facts)
{
	for (uint32_t i = 0; i < facts->dev_count; i++) {
		if (is_clock(facts->dev[i].kind)) {
			return &facts->dev[i];
		}
	}
	return NULL;
}

/* A clock harms nobody: it is there unless something else is in its place. */
static void add_usual_clock(struct planner *p)
{
	const struct fdt_dev *d = find_clock(p->has_guest ? &p->guest : &p->board);

	for (uint32_t i = 0; i < p->out->board.dev_count; i++) {
		if (is_clock(p->out->board.dev[i].kind)) {
			return;
		}
	}
	if (d != NULL && !is_taken(p, d->base, d->size)) {
		add_like(p, d, d->base, (struct cfg_pos){ 0, 0 });
	}
}

static void remove_dummies(struct planner *p)
{
	struct guest_board *b = &p->out->board;

	for (uint32_t i = 0; i < p->cfg->emu_count; i++) {
		const struct vm_config_emu *e = &p->cfg->emu[i];
		uint32_t kept = 0;

		if (e->kind != VM_EMU_DUMMY) {
			continue;
		}
		for (uint32_t k = 0; k < b->dev_count; k++) {
			if (!range_within(b->dev[k].base, 1, e->base_gpa, MAX(e->length, 1))) {
				b->dev[kept++] = b->dev[k];
			}
		}
		if (kept == b->dev_count) {
			plan_diag(p, DIAG_WARNING, e->pos,
				  "\"%s\" (dummy) removes nothing: there is no device at 0x%lx",
				  e->name, e->base_gpa);
		}
		b->dev_count = kept;
	}
}

static void say_unsupported(const struct planner *p)
{
	for (uint32_t i = 0; i < p->cfg->pass_node_count; i++) {
		plan_diag(p, DIAG_WARNING, p->cfg->pass_node[i].pos,
			  "\"%s\": passthrough by device tree path is not supported yet, ignored",
			  p->cfg->pass_node[i].path);
	}
	if (p->cfg->has_interrupt_mode && p->cfg->interrupt_mode == VM_IRQ_PASSTHROUGH) {
		plan_diag(p, DIAG_WARNING, p->cfg->interrupt_mode_pos,
			  "interrupt_mode: the interrupt controller is always a virtual one");
	}
}

void plan_devices(struct planner *p)
{
	struct plan_pass e;

	for (uint32_t i = 0; i < p->cfg->emu_count; i++) {
		plan_emu(p, &p->cfg->emu[i]);
	}
	for (uint32_t i = 0; plan_pass_get(p, i, &e); i++) {
		plan_pass_entry(p, &e, &p->is_virtual[i]);
	}
	add_usual_console(p);
	add_usual_clock(p);
	remove_dummies(p);
	for (uint32_t i = 0; plan_pass_get(p, i, &e); i++) {
		if (p->is_virtual[i]) {
			add_rest(p, &e);
		}
	}
	plan_check_irqs(p);
	say_unsupported(p);
}
