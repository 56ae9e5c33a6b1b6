/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a device tree with the facts of its ancestors; see hv/fdt_walk.h.
 * Devicetree Specification v0.4: 2.3, 2.4; arm,gic-v3 and riscv,cpu-intc bindings.
 */
#include <errno.h>
#include <hv/fdt_walk.h>
#include <string.h>

#define ADDRESS_LIMIT BIT64(48)
#define MAX_ICELLS    8

/* GIC interrupt specifier: cell 0 the type, cell 1 the number in it, cell 2 flags. */
#define GIC_SPI		 0
#define GIC_PPI		 1
#define GIC_SPI_BASE	 32
#define GIC_PPI_BASE	 16
#define GIC_SPI_COUNT	 988
#define GIC_PPI_COUNT	 16
#define IRQ_FLAG_EDGES	 3 /* rising 1, falling 2 */
#define PLIC_MAX_SOURCES 1024

static const fdt32_t *prop_cells(const struct fdt_walk *w, const char *prop, uint32_t *cells)
{
	int len;
	const fdt32_t *p = fdt_getprop(w->fdt, w->node, prop, &len);

	if (p == NULL || len < 0) {
		*cells = 0;
		return NULL;
	}
	*cells = (uint32_t)len / 4;
	return p;
}

uint64_t fdt_walk_cells(const fdt32_t *p, uint32_t cells)
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < cells; i++) {
		v = v << 32 | fdt32_ld(p + i);
	}
	return v;
}

uint32_t fdt_walk_u32(const struct fdt_walk *w, const char *prop, uint32_t absent)
{
	int len;
	const fdt32_t *p = fdt_getprop(w->fdt, w->node, prop, &len);

	return p != NULL && len == 4 ? fdt32_ld(p) : absent;
}

bool fdt_walk_u64(const struct fdt_walk *w, const char *prop, uint64_t *out)
{
	int len;
	const fdt32_t *p = fdt_getprop(w->fdt, w->node, prop, &len);

	if (p == NULL || (len != 4 && len != 8)) {
		return false;
	}
	*out = fdt_walk_cells(p, (uint32_t)len / 4);
	return true;
}

bool fdt_walk_is(const struct fdt_walk *w, const char *compatible)
{
	return w->compatible != NULL &&
	       fdt_stringlist_contains(w->compatible, w->compatible_len, compatible) != 0;
}

static bool node_named(const void *fdt, int node, const char *name)
{
	int len;
	const char *have = fdt_get_name(fdt, node, &len);
	size_t want = strlen(name);

	return have != NULL && (size_t)len >= want && memcmp(have, name, want) == 0 &&
	       (have[want] == '\0' || have[want] == '@');
}

bool fdt_walk_named(const struct fdt_walk *w, const char *name)
{
	return node_named(w->fdt, w->node, name);
}

bool fdt_walk_parent_named(const struct fdt_walk *w, const char *name)
{
	return w->depth > 0 && node_named(w->fdt, w->level[w->depth - 1].node, name);
}

/* What is asked of every node, in one pass over its properties: libfdt starts anew each time. */
enum {
	P_STATUS,
	P_COMPATIBLE,
	P_COHERENT,
	P_ADDRESS_CELLS,
	P_SIZE_CELLS,
	P_RANGES,
	P_IPARENT,
	P_COUNT
};

struct node_prop {
	const void *value; /* NULL: there is none */
	int len;
};

static void read_props(const struct fdt_walk *w, struct node_prop found[P_COUNT])
{
	static const char *const names[P_COUNT] = {
		[P_STATUS] = "status",
		[P_COMPATIBLE] = "compatible",
		[P_COHERENT] = "dma-coherent",
		[P_ADDRESS_CELLS] = "#address-cells",
		[P_SIZE_CELLS] = "#size-cells",
		[P_RANGES] = "ranges",
		[P_IPARENT] = "interrupt-parent",
	};
	int at;

	for (int i = 0; i < P_COUNT; i++) {
		found[i] = (struct node_prop){ NULL, -FDT_ERR_NOTFOUND };
	}
	fdt_for_each_property_offset(at, w->fdt, w->node)
	{
		struct node_prop p;
		const char *name;

		p.value = fdt_getprop_by_offset(w->fdt, at, &name, &p.len);
		for (int i = 0; p.value != NULL && i < P_COUNT; i++) {
			/* Of two with the same name the first one counts, as for libfdt. */
			if (strcmp(name, names[i]) == 0 && found[i].value == NULL) {
				found[i] = p;
			}
		}
	}
}

/* There but no string: whatever it is, not "okay". */
static bool is_enabled(const struct node_prop *status)
{
	const char *s = status->value;

	return s == NULL || (status->len >= 5 && memcmp(s, "okay", 5) == 0) ||
	       (status->len >= 3 && memcmp(s, "ok", 3) == 0);
}

static uint32_t prop_u32(const struct node_prop *p, uint32_t absent)
{
	return p->value != NULL && p->len == 4 ? fdt32_ld(p->value) : absent;
}

/* Fills level[depth] for the node just entered. */
static void enter(struct fdt_walk *w)
{
	struct fdt_level *l = &w->level[w->depth];
	const struct fdt_level *up = w->depth > 0 ? &w->level[w->depth - 1] : NULL;
	struct node_prop p[P_COUNT];
	uint32_t iparent;

	l->node = w->node;
	l->off = up != NULL && up->off;
	if (l->off) {
		return;
	}
	read_props(w, p);
	w->compatible = p[P_COMPATIBLE].value;
	w->compatible_len = p[P_COMPATIBLE].len;
	l->off = !is_enabled(&p[P_STATUS]);
	l->coherent = (up != NULL && up->coherent) || p[P_COHERENT].value != NULL;
	l->ac = prop_u32(&p[P_ADDRESS_CELLS], 2);
	l->sc = prop_u32(&p[P_SIZE_CELLS], 1);
	l->ranges = p[P_RANGES].value;
	l->ranges_len = p[P_RANGES].len;
	iparent = prop_u32(&p[P_IPARENT], 0);
	l->iparent = iparent != 0 ? iparent : up != NULL ? up->iparent : 0;
}

void fdt_walk_restart(struct fdt_walk *w)
{
	w->node = -1;
	w->depth = -1;
}

bool fdt_walk_next(struct fdt_walk *w)
{
	for (;;) {
		w->node = fdt_next_node(w->fdt, w->node, &w->depth);
		if (w->node < 0 || w->depth < 0) {
			return false;
		}
		if (w->depth >= FDT_WALK_DEPTH) {
			continue;
		}
		enter(w);
		if (!w->level[w->depth].off) {
			return true;
		}
	}
}

static enum fdt_intc_kind intc_kind(const struct fdt_walk *w)
{
	static const char *const gics[] = { "arm,gic-v3", "arm,gic-400", "arm,cortex-a15-gic",
					    "arm,cortex-a7-gic", "arm,cortex-a9-gic" };
	static const char *const plics[] = { "sifive,plic-1.0.0", "riscv,plic0",
					     "thead,c900-plic" };

	for (size_t i = 0; i < ARRAY_SIZE(gics); i++) {
		if (fdt_walk_is(w, gics[i])) {
			return FDT_INTC_GIC;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(plics); i++) {
		if (fdt_walk_is(w, plics[i])) {
			return FDT_INTC_PLIC;
		}
	}
	return fdt_walk_is(w, "riscv,cpu-intc") ? FDT_INTC_CPU : FDT_INTC_OTHER;
}

/* Controllers first: `interrupts` can only be read by who knows its parent's cells. */
void fdt_walk_init(struct fdt_walk *w, const void *fdt)
{
	uint64_t hwid = 0;

	memset(w, 0, sizeof(*w));
	w->fdt = fdt;
	fdt_walk_restart(w);
	while (fdt_walk_next(w) && w->intc_count < FDT_WALK_INTCS) {
		struct fdt_intc *c = &w->intc[w->intc_count];

		if (fdt_walk_parent_named(w, "cpus")) {
			(void)fdt_walk_raw_reg(w, &hwid);
		}
		c->icells = fdt_walk_u32(w, "#interrupt-cells", 0);
		if (c->icells == 0 || c->icells > MAX_ICELLS ||
		    fdt_getprop(fdt, w->node, "interrupt-controller", NULL) == NULL) {
			continue;
		}
		c->phandle = fdt_get_phandle(fdt, w->node);
		if (c->phandle == 0 || c->phandle == UINT32_MAX) {
			continue;
		}
		c->acells = fdt_walk_u32(w, "#address-cells", 0);
		c->kind = intc_kind(w);
		c->hwid = c->kind == FDT_INTC_CPU ? hwid : 0;
		w->intc_count++;
	}
	fdt_walk_restart(w);
}

const struct fdt_intc *fdt_walk_intc(const struct fdt_walk *w, uint32_t phandle)
{
	for (uint32_t i = 0; i < w->intc_count; i++) {
		if (w->intc[i].phandle == phandle) {
			return &w->intc[i];
		}
	}
	return NULL;
}

/* Through the `ranges` of one bus; `up` is the bus above it. */
static int translate_once(const struct fdt_level *bus, const struct fdt_level *up, uint64_t *addr,
			  uint64_t size)
{
	uint32_t entry = bus->ac + up->ac + bus->sc;
	uint32_t cells;

	if (bus->ranges_len == 0) {
		return 0;
	}
	if (bus->ranges == NULL || bus->ac < 1 || bus->ac > 2 || up->ac < 1 || up->ac > 2 ||
	    bus->sc < 1 || bus->sc > 2) {
		return -EINVAL;
	}
	cells = (uint32_t)bus->ranges_len / 4;
	for (uint32_t i = 0; cells - i >= entry; i += entry) {
		const fdt32_t *p = bus->ranges + i;
		uint64_t child = fdt_walk_cells(p, bus->ac);
		uint64_t parent = fdt_walk_cells(p + bus->ac, up->ac);
		uint64_t len = fdt_walk_cells(p + bus->ac + up->ac, bus->sc);

		if (range_within(*addr, size, child, len)) {
			*addr = parent + (*addr - child);
			return 0;
		}
	}
	return -EINVAL;
}

int fdt_walk_translate(const struct fdt_walk *w, int d, uint64_t *addr, uint64_t size)
{
	for (; d > 0; d--) {
		int err = translate_once(&w->level[d], &w->level[d - 1], addr, size);

		if (err != 0) {
			return err;
		}
	}
	return *addr < ADDRESS_LIMIT && size <= ADDRESS_LIMIT - *addr ? 0 : -EINVAL;
}

int fdt_walk_reg(const struct fdt_walk *w, uint32_t n, struct machine_range *out)
{
	const struct fdt_level *bus;
	uint32_t cells, entry;
	const fdt32_t *p = prop_cells(w, "reg", &cells);
	uint64_t addr, size;

	if (p == NULL || w->depth < 1) {
		return -ENOENT;
	}
	bus = &w->level[w->depth - 1];
	if (bus->ac < 1 || bus->ac > 2 || bus->sc < 1 || bus->sc > 2) {
		return -ENOENT;
	}
	entry = bus->ac + bus->sc;
	if (n >= cells / entry) {
		return -ENOENT;
	}
	addr = fdt_walk_cells(p + n * entry, bus->ac);
	size = fdt_walk_cells(p + n * entry + bus->ac, bus->sc);
	if (size == 0 || fdt_walk_translate(w, w->depth - 1, &addr, size) != 0) {
		return -EINVAL;
	}
	*out = (struct machine_range){ hpa(addr), size };
	return 0;
}

bool fdt_walk_raw_reg(const struct fdt_walk *w, uint64_t *out)
{
	uint32_t cells;
	const fdt32_t *p = prop_cells(w, "reg", &cells);
	uint32_t ac = w->depth > 0 ? w->level[w->depth - 1].ac : 0;

	if (p == NULL || ac < 1 || ac > 2 || cells < ac) {
		return false;
	}
	*out = fdt_walk_cells(p, ac);
	return true;
}

static struct machine_irq gic_irq(uint32_t type, uint32_t number, uint32_t flags)
{
	enum irq_trigger trigger = (flags & IRQ_FLAG_EDGES) != 0 ? IRQ_EDGE : IRQ_LEVEL;

	if (type == GIC_SPI && number < GIC_SPI_COUNT) {
		return (struct machine_irq){ GIC_SPI_BASE + number, trigger };
	}
	if (type == GIC_PPI && number < GIC_PPI_COUNT) {
		return (struct machine_irq){ GIC_PPI_BASE + number, trigger };
	}
	return (struct machine_irq){ IRQ_NONE, IRQ_LEVEL };
}

struct machine_irq fdt_walk_irq_spec(const struct fdt_intc *intc, const fdt32_t *spec)
{
	uint32_t source;

	if (intc->kind == FDT_INTC_GIC && intc->icells >= 3) {
		return gic_irq(fdt32_ld(spec), fdt32_ld(spec + 1), fdt32_ld(spec + 2));
	}
	if (intc->kind == FDT_INTC_PLIC) {
		source = fdt32_ld(spec);
		if (source > 0 && source < PLIC_MAX_SOURCES) {
			return (struct machine_irq){ source, IRQ_LEVEL };
		}
	}
	return (struct machine_irq){ IRQ_NONE, IRQ_LEVEL };
}

/* interrupts-extended: a phandle and as many cells as that controller wants, each. */
static struct machine_irq irq_extended(const struct fdt_walk *w, uint32_t n, const fdt32_t *p,
				       uint32_t cells)
{
	uint32_t i = 0;

	while (i < cells) {
		const struct fdt_intc *c = fdt_walk_intc(w, fdt32_ld(p + i));

		if (c == NULL || cells - i - 1 < c->icells) {
			break;
		}
		if (n == 0) {
			return fdt_walk_irq_spec(c, p + i + 1);
		}
		n--;
		i += 1 + c->icells;
	}
	return (struct machine_irq){ IRQ_NONE, IRQ_LEVEL };
}

struct machine_irq fdt_walk_irq(const struct fdt_walk *w, uint32_t n)
{
	const struct fdt_intc *c;
	uint32_t cells;
	const fdt32_t *p = prop_cells(w, "interrupts-extended", &cells);

	if (p != NULL) {
		return irq_extended(w, n, p, cells);
	}
	p = prop_cells(w, "interrupts", &cells);
	c = fdt_walk_intc(w, w->level[w->depth].iparent);
	if (p == NULL || c == NULL || n >= cells / c->icells) {
		return (struct machine_irq){ IRQ_NONE, IRQ_LEVEL };
	}
	return fdt_walk_irq_spec(c, p + n * c->icells);
}

/* stdout-path: an alias or a path, then perhaps ":" and options. */
int fdt_walk_stdout(const void *fdt)
{
	int chosen = fdt_subnode_offset(fdt, 0, "chosen");
	const char *path = fdt_stringlist_get(fdt, chosen, "stdout-path", 0, NULL);
	size_t len = 0;

	if (path == NULL) {
		path = fdt_stringlist_get(fdt, chosen, "linux,stdout-path", 0, NULL);
	}
	if (path == NULL) {
		return -FDT_ERR_NOTFOUND;
	}
	while (path[len] != '\0' && path[len] != ':') {
		len++;
	}
	if (path[0] != '/') {
		int aliases = fdt_path_offset(fdt, "/aliases");

		/* Once only: libfdt would follow an alias of an alias for ever. */
		path = fdt_getprop_namelen(fdt, aliases, path, (int)len, NULL) == NULL
			       ? NULL
			       : fdt_get_alias_namelen(fdt, path, (int)len);
		if (path == NULL || path[0] != '/') {
			return -FDT_ERR_NOTFOUND;
		}
		len = strlen(path);
	}
	return fdt_path_offset_namelen(fdt, path, (int)len);
}
