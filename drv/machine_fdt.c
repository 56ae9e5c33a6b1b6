/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A flattened device tree → struct machine.
 *
 * The tree is checked as a whole first (fdt_check_full), then read in one pass;
 * each kind of node has a function here.  Nothing in it is trusted: what a node
 * says is used if it is complete and consistent, else the node is left out and the
 * caller told.  Only what cannot be done without is an error.
 *
 * Devicetree Specification v0.4, ch. 3 and 5; Linux bindings named in machine.h.
 * PCI host bridges are read in machine_fdt_pci.c.
 */
#include "machine_fdt.h"

#include <errno.h>
#include <hv/machine.h>
#include <string.h>

#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)
#define ADDRESS_LIMIT  BIT64(48)
#define MAX_NOTES      32

#define VIRTIO_MMIO_MIN_SIZE 0x200

/* Far above any real tree; keeps the offsets of libfdt (int) safe. */
#define FDT_MAX_SIZE (16 * MiB)

static int fail(struct reader *r, int node, int err, const char *why)
{
	r->m->error = why;
	if (node < 0 ||
	    fdt_get_path(r->walk.fdt, node, r->m->error_node, sizeof(r->m->error_node)) != 0) {
		r->m->error_node[0] = '\0';
	}
	return err;
}

void machine_note(struct reader *r, const char *why)
{
	char path[MACHINE_PATH_MAX];

	if (r->boot->note == NULL || r->notes >= MAX_NOTES) {
		return;
	}
	r->notes++;
	if (r->walk.node < 0 || fdt_get_path(r->walk.fdt, r->walk.node, path, sizeof(path)) != 0) {
		path[0] = '\0';
	}
	r->boot->note(path, why);
}

static void copy_string(char *dst, size_t size, const char *src)
{
	size_t n = src != NULL ? strlen(src) : 0;

	n = MIN(n, size - 1);
	if (n > 0) {
		memcpy(dst, src, n);
	}
	dst[n] = '\0';
}

static int add_reserved(struct reader *r, struct machine_range range,
			enum machine_reserved_kind kind, bool no_map, const char *name)
{
	struct machine *m = r->m;
	struct machine_reserved *res;

	if (range.size == 0) {
		return 0;
	}
	if (range.base.a >= ADDRESS_LIMIT || range.size > ADDRESS_LIMIT - range.base.a) {
		machine_note(r, "a reserved range reaches past 2^48");
		if (range.base.a >= ADDRESS_LIMIT) {
			return 0;
		}
		range.size = ADDRESS_LIMIT - range.base.a;
	}
	if (m->reserved_count == MACHINE_MAX_RESERVED) {
		return fail(r, r->walk.node, -EINVAL,
			    "more reserved memory ranges than we can hold");
	}
	res = &m->reserved[m->reserved_count++];
	res->range = range;
	res->kind = kind;
	res->no_map = no_map;
	copy_string(res->name, sizeof(res->name), name);
	return 0;
}

static int read_memreserve(struct reader *r)
{
	const void *fdt = r->walk.fdt;
	int count = fdt_num_mem_rsv(fdt);

	for (int i = 0; i < count; i++) {
		uint64_t base, size;
		int err;

		if (fdt_get_mem_rsv(fdt, i, &base, &size) != 0) {
			return fail(r, -1, -EINVAL, "the memory reservation block is malformed");
		}
		err = add_reserved(r, (struct machine_range){ hpa(base), size },
				   MACHINE_RES_MEMRESERVE, false, "/memreserve/");
		if (err != 0) {
			return err;
		}
	}
	return 0;
}

/* A child of /reserved-memory; one with `size` only is for an OS to place. */
static int read_reserved_node(struct reader *r)
{
	const void *fdt = r->walk.fdt;
	bool no_map = fdt_getprop(fdt, r->walk.node, "no-map", NULL) != NULL;
	struct machine_range range;
	int err;

	/* Bindings ask for an empty `ranges`; without it nothing else can be meant. */
	if (r->walk.level[r->walk.depth - 1].ranges_len < 0) {
		r->walk.level[r->walk.depth - 1].ranges_len = 0;
	}
	for (uint32_t n = 0;; n++) {
		err = fdt_walk_reg(&r->walk, n, &range);
		if (err == -ENOENT) {
			return 0;
		}
		if (err != 0) {
			machine_note(r, "reserved memory with a reg that makes no sense: left out");
			continue;
		}
		err = add_reserved(r, range, MACHINE_RES_NODE, no_map,
				   fdt_get_name(fdt, r->walk.node, NULL));
		if (err != 0) {
			return err;
		}
	}
}

static void read_memory(struct reader *r)
{
	struct machine *m = r->m;
	struct machine_range range;

	for (uint32_t n = 0;; n++) {
		int err = fdt_walk_reg(&r->walk, n, &range);

		if (err == -ENOENT) {
			return;
		}
		if (err != 0) {
			machine_note(r, "memory that is empty, wraps or lies past 2^48: left out");
			continue;
		}
		for (uint32_t i = 0; i < m->bank_count; i++) {
			if (ranges_overlap(range.base.a, range.size, m->bank[i].base.a,
					   m->bank[i].size)) {
				machine_note(r, "memory that overlaps another bank: left out");
				range.size = 0;
			}
		}
		if (range.size == 0) {
			continue;
		}
		if (m->bank_count == MACHINE_MAX_BANKS) {
			machine_note(r, "more memory banks than we can hold: left out");
			return;
		}
		m->bank[m->bank_count++] = range;
	}
}

static void read_cpu(struct reader *r)
{
	struct machine *m = r->m;
	const struct fdt_walk *w = &r->walk;
	const char *method = fdt_stringlist_get(w->fdt, w->node, "enable-method", 0, NULL);
	struct machine_cpu cpu = { .start = MACHINE_START_NONE };
	uint64_t release;

	if (!fdt_walk_raw_reg(w, &cpu.hwid)) {
		machine_note(r, "a core without reg: left out");
		return;
	}
	if (fdt_walk_is(w, "riscv")) {
		cpu.start = MACHINE_START_SBI;
	} else {
		cpu.hwid &= MPIDR_AFFINITY;
	}
	if (method != NULL && strcmp(method, "psci") == 0) {
		cpu.start = MACHINE_START_PSCI;
	} else if (method != NULL && strcmp(method, "spin-table") == 0 &&
		   fdt_walk_u64(w, "cpu-release-addr", &release)) {
		cpu.start = MACHINE_START_SPIN_TABLE;
		cpu.release_addr = hpa(release);
	}
	if (machine_cpu_index(m, cpu.hwid) != UINT32_MAX) {
		machine_note(r, "a second core with the same reg: left out");
		return;
	}
	if (cpu.hwid == r->boot->hwid) {
		/* The boot core is number 0, the others keep their order behind it. */
		uint32_t n = MIN(m->cpu_count, (uint32_t)MAX_CPUS - 1);

		memmove(&m->cpu[1], &m->cpu[0], n * sizeof(m->cpu[0]));
		m->cpu[0] = cpu;
		m->cpu_count = n + 1;
	} else if (m->cpu_count < MAX_CPUS) {
		m->cpu[m->cpu_count++] = cpu;
	} else {
		machine_note(r, "more cores than we can use: left out");
	}
}

/* Hz of what `clocks` names first, if that is a fixed clock. */
static uint32_t read_clock(const struct fdt_walk *w)
{
	int len;
	const fdt32_t *p = fdt_getprop(w->fdt, w->node, "clocks", &len);
	int node;

	if (p == NULL || len < 4) {
		return 0;
	}
	node = fdt_node_offset_by_phandle(w->fdt, fdt32_ld(p));
	if (node < 0 || fdt_node_check_compatible(w->fdt, node, "fixed-clock") != 0) {
		return 0;
	}
	p = fdt_getprop(w->fdt, node, "clock-frequency", &len);
	return p != NULL && len == 4 ? fdt32_ld(p) : 0;
}

static enum machine_uart_kind uart_kind(const struct fdt_walk *w)
{
	static const struct {
		const char *compatible;
		enum machine_uart_kind kind;
	} known[] = {
		{ "arm,pl011", MACHINE_UART_PL011 },	     { "arm,sbsa-uart", MACHINE_UART_SBSA },
		{ "snps,dw-apb-uart", MACHINE_UART_DW_APB }, { "ns16550a", MACHINE_UART_16550 },
		{ "ns16550", MACHINE_UART_16550 },	     { "ns8250", MACHINE_UART_16550 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (fdt_walk_is(w, known[i].compatible)) {
			return known[i].kind;
		}
	}
	return MACHINE_UART_NONE;
}

static void read_uart(struct reader *r, enum machine_uart_kind kind)
{
	struct machine *m = r->m;
	const struct fdt_walk *w = &r->walk;
	struct machine_uart u = { .kind = kind };
	bool is_arm = kind == MACHINE_UART_PL011 || kind == MACHINE_UART_SBSA;
	uint32_t offset = fdt_walk_u32(w, "reg-offset", 0);

	if (m->uart_count == MACHINE_MAX_UARTS) {
		machine_note(r, "more UARTs than we can hold: left out");
		return;
	}
	if (fdt_walk_reg(w, 0, &u.range) != 0 || offset >= u.range.size ||
	    !IS_ALIGNED(u.range.base.a + offset, 4)) {
		machine_note(r, "a UART without a usable reg: left out");
		return;
	}
	u.range.base.a += offset;
	u.range.size -= offset;
	u.reg_shift = fdt_walk_u32(w, "reg-shift", 0);
	u.reg_io_width = fdt_walk_u32(w, "reg-io-width", is_arm ? 4 : 1);
	if (u.reg_shift > 3 ||
	    (u.reg_io_width != 1 && u.reg_io_width != 2 && u.reg_io_width != 4) ||
	    (!is_arm && u.reg_io_width > 1u << u.reg_shift)) {
		machine_note(r, "a UART with a strange reg-shift or reg-io-width: left out");
		return;
	}
	u.clock = fdt_walk_u32(w, "clock-frequency", 0);
	if (u.clock == 0) {
		u.clock = read_clock(w);
	}
	u.irq = fdt_walk_irq(w, 0);
	if (fdt_get_path(w->fdt, w->node, u.path, sizeof(u.path)) != 0) {
		copy_string(u.path, sizeof(u.path), fdt_get_name(w->fdt, w->node, NULL));
	}
	r->uart_node[m->uart_count] = w->node;
	m->uart[m->uart_count++] = u;
}

static bool is_frame(const struct machine_range *r, uint64_t align)
{
	return IS_ALIGNED(r->base.a, align) && r->size >= PAGE_SIZE;
}

/*
 * reg: GICv2 distributor, CPU interface, GICH, GICV; GICv3 distributor,
 * redistributor regions, then the same three if there is a legacy interface.
 */
static void read_gic(struct reader *r, uint32_t version)
{
	struct machine_gic *g = &r->m->gic;
	const struct fdt_walk *w = &r->walk;
	struct machine_range *const legacy[] = { &g->gicc, &g->gich, &g->gicv };
	uint32_t n = 0, redists = version == 3 ? fdt_walk_u32(w, "#redistributor-regions", 1) : 0;

	if (g->version != 0) {
		machine_note(r, "a second GIC: left out");
		return;
	}
	if (fdt_walk_reg(w, n++, &g->gicd) != 0 || !is_frame(&g->gicd, PAGE_SIZE)) {
		machine_note(r, "a GIC without a usable distributor: left out");
		memset(&g->gicd, 0, sizeof(g->gicd));
		return;
	}
	for (uint32_t i = 0; i < redists; i++) {
		struct machine_range range;
		int err = fdt_walk_reg(w, n++, &range);

		if (err == -ENOENT) {
			break;
		}
		if (err != 0 || !is_frame(&range, 64 * KiB) ||
		    g->redist_count == MACHINE_MAX_REDISTS) {
			machine_note(r, "a redistributor region that we cannot use: left out");
			continue;
		}
		g->redist[g->redist_count++] = range;
	}
	for (size_t i = 0; i < ARRAY_SIZE(legacy); i++) {
		if (fdt_walk_reg(w, n++, legacy[i]) == 0 && !is_frame(legacy[i], PAGE_SIZE)) {
			legacy[i]->size = 0;
		}
	}
	if (version == 2 ? g->gicc.size == 0 : g->redist_count == 0) {
		machine_note(r, "a GIC without CPU interface or redistributors: left out");
		g->redist_count = 0;
		return;
	}
	(void)fdt_walk_u64(w, "redistributor-stride", &g->redist_stride);
	g->maintenance = fdt_walk_irq(w, 0);
	g->version = version;
}

/* A page range into one of the GIC's lists. */
static void read_gic_frame(struct reader *r, struct machine_range *list, uint32_t *count,
			   uint32_t max)
{
	if (*count == max || fdt_walk_reg(&r->walk, 0, &list[*count]) != 0) {
		machine_note(r, "an MSI frame that we cannot use: left out");
		return;
	}
	(*count)++;
}

static void read_plic(struct reader *r)
{
	struct machine_plic *p = &r->m->plic;
	const struct fdt_walk *w = &r->walk;
	int len;
	const fdt32_t *ext = fdt_getprop(w->fdt, w->node, "interrupts-extended", &len);
	uint32_t cells = ext != NULL ? (uint32_t)len / 4 : 0;
	struct machine_range range;

	if (p->range.size != 0 || fdt_walk_reg(w, 0, &range) != 0 || !is_frame(&range, PAGE_SIZE)) {
		machine_note(r, "a PLIC that we cannot use: left out");
		return;
	}
	p->range = range;
	p->sources = fdt_walk_u32(w, "riscv,ndev", 0);
	for (uint32_t i = 0; i < cells;) {
		const struct fdt_intc *c = fdt_walk_intc(w, fdt32_ld(ext + i));

		if (c == NULL || cells - i - 1 < c->icells) {
			machine_note(r,
				     "a PLIC context with an unknown core: the rest is left out");
			return;
		}
		if (p->target_count == MACHINE_MAX_PLIC_TARGETS) {
			machine_note(r, "more PLIC contexts than we can hold: left out");
			return;
		}
		p->target[p->target_count].hwid = c->hwid;
		p->target[p->target_count++].cause = fdt32_ld(ext + i + 1);
		i += 1 + c->icells;
	}
}

static void read_timer(struct reader *r)
{
	static const char *const names[MACHINE_TIMERS] = { "sec-phys", "phys", "virt", "hyp-phys",
							   "hyp-virt" };
	const struct fdt_walk *w = &r->walk;
	bool named = fdt_getprop(w->fdt, w->node, "interrupt-names", NULL) != NULL;

	for (uint32_t i = 0; i < MACHINE_TIMERS; i++) {
		int n = named ? fdt_stringlist_search(w->fdt, w->node, "interrupt-names", names[i])
			      : (int)i;

		if (n >= 0) {
			r->m->timer[i] = fdt_walk_irq(w, (uint32_t)n);
		}
	}
	r->m->timer_hz = fdt_walk_u32(w, "clock-frequency", 0);
}

static void read_psci(struct reader *r)
{
	struct machine *m = r->m;
	const struct fdt_walk *w = &r->walk;
	const char *method = fdt_stringlist_get(w->fdt, w->node, "method", 0, NULL);

	if (method == NULL || (strcmp(method, "smc") != 0 && strcmp(method, "hvc") != 0)) {
		machine_note(r, "PSCI without a known method: left out");
		return;
	}
	if (fdt_walk_is(w, "arm,psci-1.0")) {
		m->psci_version = 0x10000;
	} else if (fdt_walk_is(w, "arm,psci-0.2")) {
		m->psci_version = 0x2;
	} else {
		machine_note(r, "PSCI 0.1 has no standard function numbers and is not supported: "
				"only the boot core can be used");
		return;
	}
	m->psci = strcmp(method, "smc") == 0 ? MACHINE_CONDUIT_SMC : MACHINE_CONDUIT_HVC;
}

static void read_virtio(struct reader *r)
{
	struct machine *m = r->m;
	const struct fdt_walk *w = &r->walk;
	struct machine_virtio v = { .dma_coherent = w->level[w->depth].coherent };

	if (m->virtio_count == MACHINE_MAX_VIRTIO || fdt_walk_reg(w, 0, &v.range) != 0 ||
	    !IS_ALIGNED(v.range.base.a, 8) || v.range.size < VIRTIO_MMIO_MIN_SIZE) {
		machine_note(r, "a virtio-mmio device that we cannot use: left out");
		return;
	}
	v.irq = fdt_walk_irq(w, 0);
	m->virtio[m->virtio_count++] = v;
}

/* Children of the root that the specification knows by name. */
static int read_standard(struct reader *r)
{
	struct fdt_walk *w = &r->walk;
	const char *type = fdt_stringlist_get(w->fdt, w->node, "device_type", 0, NULL);

	if (w->depth == 1 && fdt_walk_named(w, "cpus")) {
		r->m->timer_hz = fdt_walk_u32(w, "timebase-frequency", 0);
	} else if (w->depth == 1 && fdt_walk_named(w, "chosen")) {
		r->chosen = w->node;
	} else if (w->depth == 2 && fdt_walk_parent_named(w, "reserved-memory")) {
		return read_reserved_node(r);
	} else if (w->depth == 2 && fdt_walk_parent_named(w, "cpus") && type != NULL &&
		   strcmp(type, "cpu") == 0) {
		read_cpu(r);
	} else if (w->depth == 1 && type != NULL && strcmp(type, "memory") == 0) {
		read_memory(r);
	}
	return 0;
}

static void read_device(struct reader *r)
{
	static const char *const gicv2[] = { "arm,gic-400", "arm,cortex-a15-gic",
					     "arm,cortex-a7-gic", "arm,cortex-a9-gic" };
	const struct fdt_walk *w = &r->walk;
	struct machine_gic *g = &r->m->gic;
	enum machine_uart_kind uart = uart_kind(w);

	if (uart != MACHINE_UART_NONE) {
		read_uart(r, uart);
	} else if (fdt_walk_is(w, "virtio,mmio")) {
		read_virtio(r);
	} else if (fdt_walk_is(w, "pci-host-ecam-generic")) {
		machine_read_pci(r);
	} else if (fdt_walk_is(w, "arm,gic-v3")) {
		read_gic(r, 3);
	} else if (fdt_walk_is(w, "arm,gic-v3-its")) {
		read_gic_frame(r, g->its, &g->its_count, MACHINE_MAX_ITS);
	} else if (fdt_walk_is(w, "arm,gic-v2m-frame")) {
		read_gic_frame(r, g->v2m, &g->v2m_count, MACHINE_MAX_V2M);
	} else if (fdt_walk_is(w, "sifive,plic-1.0.0") || fdt_walk_is(w, "riscv,plic0")) {
		read_plic(r);
	} else if (fdt_walk_is(w, "arm,armv8-timer") || fdt_walk_is(w, "arm,armv7-timer")) {
		read_timer(r);
	} else if (fdt_walk_is(w, "arm,psci-1.0") || fdt_walk_is(w, "arm,psci-0.2") ||
		   fdt_walk_is(w, "arm,psci")) {
		read_psci(r);
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(gicv2); i++) {
			if (fdt_walk_is(w, gicv2[i])) {
				read_gic(r, 2);
				break;
			}
		}
	}
}

static void choose_console(struct reader *r)
{
	struct machine *m = r->m;
	int node = fdt_walk_stdout(r->walk.fdt);

	m->console = m->uart_count > 0 ? 0 : UINT32_MAX;
	for (uint32_t i = 0; i < m->uart_count; i++) {
		if (r->uart_node[i] == node) {
			m->console = i;
			return;
		}
	}
	if (node >= 0) {
		r->walk.node = node;
		machine_note(r, "the console that stdout-path names is not a UART we know");
	}
}

static bool chosen_u64(const struct reader *r, const char *prop, uint64_t *out)
{
	int len;
	const fdt32_t *p = fdt_getprop(r->walk.fdt, r->chosen, prop, &len);

	if (p == NULL || (len != 4 && len != 8)) {
		return false;
	}
	*out = fdt_walk_cells(p, (uint32_t)len / 4);
	return true;
}

static int read_chosen(struct reader *r)
{
	const char *args;
	uint64_t start, end;

	if (r->chosen < 0) {
		return 0;
	}
	args = fdt_stringlist_get(r->walk.fdt, r->chosen, "bootargs", 0, NULL);
	r->m->bootargs = args != NULL ? args : "";
	if (chosen_u64(r, "linux,initrd-start", &start) &&
	    chosen_u64(r, "linux,initrd-end", &end) && end > start) {
		return add_reserved(r, (struct machine_range){ hpa(start), end - start },
				    MACHINE_RES_INITRD, false, "initrd");
	}
	return 0;
}

/* What is in use already, whatever the tree says. */
static int reserve_ours(struct reader *r)
{
	struct machine_range dtb = { r->boot->dtb, fdt_totalsize(r->walk.fdt) };
	int err = add_reserved(r, dtb, MACHINE_RES_DTB, false, "device tree");

	if (err == 0) {
		err = add_reserved(r, r->boot->image, MACHINE_RES_IMAGE, false, "hypervisor");
	}
	return err;
}

static int check(struct reader *r, const void *fdt, size_t size)
{
	int err;

	if (!IS_ALIGNED((uintptr_t)fdt, 8)) {
		return fail(r, -1, -EINVAL, "the device tree is not aligned to 8 bytes");
	}
	if (size < sizeof(struct fdt_header) || fdt_magic(fdt) != FDT_MAGIC) {
		return fail(r, -1, -EINVAL, "there is no device tree (no magic number)");
	}
	if (fdt_totalsize(fdt) > size || fdt_totalsize(fdt) > FDT_MAX_SIZE) {
		return fail(r, -1, -EINVAL, "the device tree is larger than its place: truncated?");
	}
	if (fdt_version(fdt) < 17) {
		return fail(r, -1, -EINVAL, "the device tree has a version before 17");
	}
	/* libfdt checks that the blocks are inside, but not this. */
	if (!IS_ALIGNED(fdt_off_dt_struct(fdt), 4) || !IS_ALIGNED(fdt_off_mem_rsvmap(fdt), 8)) {
		return fail(r, -1, -EINVAL, "the blocks of the device tree are not aligned");
	}
	err = fdt_check_full(fdt, fdt_totalsize(fdt));
	return err == 0 ? 0 : fail(r, -1, -EINVAL, fdt_strerror(err));
}

static int read_tree(struct reader *r)
{
	struct machine *m = r->m;
	int err = reserve_ours(r);

	if (err == 0) {
		err = read_memreserve(r);
	}
	while (err == 0 && fdt_walk_next(&r->walk)) {
		err = read_standard(r);
		read_device(r);
	}
	if (err == 0) {
		err = read_chosen(r);
	}
	if (err != 0) {
		return err;
	}
	choose_console(r);
	copy_string(m->model, sizeof(m->model),
		    fdt_stringlist_get(r->walk.fdt, 0, "model", 0, NULL));
	if (m->bank_count == 0) {
		return fail(r, -1, -ENOENT, "no memory in the device tree");
	}
	if (m->cpu_count == 0 || m->cpu[0].hwid != r->boot->hwid) {
		return fail(r, -1, -ENOENT, "the core we run on is not in the device tree");
	}
	return 0;
}

int machine_from_fdt(struct machine *m, const void *fdt, size_t size,
		     const struct machine_boot *boot)
{
	static struct reader reader; /* too large for a boot stack; one caller, at boot */
	struct reader *r = &reader;
	int err;

	memset(m, 0, sizeof(*m));
	m->bootargs = "";
	m->error = "";
	m->console = UINT32_MAX;
	m->gic.maintenance.intid = IRQ_NONE;
	for (uint32_t i = 0; i < MACHINE_TIMERS; i++) {
		m->timer[i].intid = IRQ_NONE;
	}
	memset(r, 0, sizeof(*r));
	r->m = m;
	r->boot = boot;
	r->chosen = -1;
	r->walk.node = -1;
	err = check(r, fdt, size);
	if (err != 0) {
		return err;
	}
	m->fdt = fdt;
	m->fdt_size = fdt_totalsize(fdt);
	fdt_walk_init(&r->walk, fdt);
	return read_tree(r);
}
