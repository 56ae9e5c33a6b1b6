/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A given device tree made to agree with the VM: its memory, its processors, its
 * firmware, and what /chosen says.  Everything else stays as its author wrote it.
 *
 * Devicetree Specification v0.4: 3.4 (memory), 3.6 (chosen), 3.7, 3.8 (cpus); Linux
 * bindings arm/cpus, arm/psci.
 *
 * A tree may be anybody's: what is repeated is bounded, and every call of libfdt is
 * checked.  Errors of libfdt travel as negative numbers up to fdt_guest_patch().
 */
#include <errno.h>
#include <hv/fdt_guest.h>
#include <hv/printf.h>
#include <libfdt.h>
#include <string.h>

/* Nodes of a kind that are removed at most; each removal moves the rest of the tree. */
#define PATCH_MAX_REMOVED 256
#define NODE_NAME_MAX	  32
#define CELLS_MAX	  4 /* an address and a size, of two cells each */

struct patch {
	void *fdt;
	const struct guest_board *board;
	const struct image_site *site;
	bool reported; /* the reason stands at the site already */
};

/* fdt_setprop_string() without its conversion of a size_t. */
static int set_string(void *fdt, int node, const char *name, const char *value)
{
	return fdt_setprop(fdt, node, name, value, (int)strlen(value) + 1);
}

static int refuse(struct patch *p, const char *why, uint64_t number)
{
	image_diag(p->site, DIAG_ERROR, "device tree: %s (0x%lx)", why, number);
	p->reported = true;
	return -FDT_ERR_BADVALUE;
}

/* Appends a number of `cells` (1 or 2) cells. */
static int put_cells(struct patch *p, fdt32_t *out, uint32_t *n, uint32_t cells, uint64_t value)
{
	if (cells < 1 || cells > 2) {
		return refuse(p, "#address-cells or #size-cells is neither 1 nor 2", cells);
	}
	if (cells == 2) {
		out[(*n)++] = cpu_to_fdt32((uint32_t)(value >> 32));
	} else if (value > UINT32_MAX) {
		return refuse(p, "a number needs two cells where the tree provides one", value);
	}
	out[(*n)++] = cpu_to_fdt32((uint32_t)value);
	return 0;
}

/* A property of one cell, or what holds when it is absent (DTSpec 2.3.5). */
static uint32_t cell_or(const void *fdt, int node, const char *prop, uint32_t absent)
{
	int len;
	const fdt32_t *v = fdt_getprop(fdt, node, prop, &len);

	return v != NULL && len == (int)sizeof(*v) ? fdt32_ld(v) : absent;
}

static bool has_device_type(const void *fdt, int node, const char *type)
{
	int len;
	const char *v = fdt_getprop(fdt, node, "device_type", &len);

	return v != NULL && len == (int)strlen(type) + 1 && memcmp(v, type, (size_t)len) == 0;
}

/* The name without its unit address. */
static bool has_name(const void *fdt, int node, const char *name)
{
	int len;
	const char *v = fdt_get_name(fdt, node, &len);
	size_t n = strlen(name);

	return v != NULL && len >= (int)n && memcmp(v, name, n) == 0 &&
	       (v[n] == '\0' || v[n] == '@');
}

/* /<name>, made when it is not there. */
static int child_of_root(struct patch *p, const char *name)
{
	int node = fdt_subnode_offset(p->fdt, 0, name);

	return node == -FDT_ERR_NOTFOUND ? fdt_add_subnode(p->fdt, 0, name) : node;
}

/*
 * Removes the children of `parent` that `unwanted` names.  After a removal the next
 * sibling stands where the removed one was; `before` is the last one that was kept.
 */
static int remove_children(struct patch *p, int parent,
			   bool (*unwanted)(const struct patch *p, int parent, int node))
{
	int removed = 0;
	int before = -1;
	int node = fdt_first_subnode(p->fdt, parent);

	while (node >= 0) {
		if (!unwanted(p, parent, node)) {
			before = node;
			node = fdt_next_subnode(p->fdt, node);
			continue;
		}
		int err = fdt_del_node(p->fdt, node);

		if (err != 0) {
			return err;
		}
		if (++removed > PATCH_MAX_REMOVED) {
			return refuse(p, "too many nodes would have to be removed",
				      (uint64_t)removed);
		}
		node = before < 0 ? fdt_first_subnode(p->fdt, parent)
				  : fdt_next_subnode(p->fdt, before);
	}
	return node == -FDT_ERR_NOTFOUND ? 0 : node;
}

static bool is_memory(const struct patch *p, int parent, int node)
{
	(void)parent;
	return has_device_type(p->fdt, node, "memory") || has_name(p->fdt, node, "memory");
}

static int add_memory(struct patch *p, const struct guest_range *ram, uint32_t ac, uint32_t sc)
{
	char name[NODE_NAME_MAX];
	fdt32_t reg[CELLS_MAX];
	uint32_t n = 0;
	int node, err;

	err = put_cells(p, reg, &n, ac, ram->base);
	if (err != 0) {
		return err;
	}
	err = put_cells(p, reg, &n, sc, ram->size);
	if (err != 0) {
		return err;
	}
	hv_snprintf(name, sizeof(name), "memory@%lx", ram->base);
	node = fdt_add_subnode(p->fdt, 0, name);
	if (node < 0) {
		return node;
	}
	err = fdt_setprop(p->fdt, node, "reg", reg, (int)(n * sizeof(reg[0])));
	return err != 0 ? err : set_string(p->fdt, node, "device_type", "memory");
}

static int patch_memory(struct patch *p)
{
	uint32_t ac = cell_or(p->fdt, 0, "#address-cells", 2);
	uint32_t sc = cell_or(p->fdt, 0, "#size-cells", 1);
	int err = remove_children(p, 0, is_memory);

	/* Subnodes are put first: from the last to the first, for their natural order. */
	for (uint32_t i = p->board->ram_count; err == 0 && i > 0; i--) {
		err = add_memory(p, &p->board->ram[i - 1], ac, sc);
	}
	return err;
}

static bool cpu_hwid(const struct patch *p, int cpus, int node, uint64_t *hwid)
{
	uint32_t ac = cell_or(p->fdt, cpus, "#address-cells", 2);
	int len;
	const fdt32_t *reg = fdt_getprop(p->fdt, node, "reg", &len);

	if (reg == NULL || ac < 1 || ac > 2 || len < (int)(ac * sizeof(*reg))) {
		return false;
	}
	*hwid = fdt32_ld(reg);
	if (ac == 2) {
		*hwid = *hwid << 32 | fdt32_ld(reg + 1);
	}
	return true;
}

static bool is_cpu(const struct patch *p, int node)
{
	return has_device_type(p->fdt, node, "cpu") || has_name(p->fdt, node, "cpu");
}

static bool on_board(const struct guest_board *b, uint64_t hwid)
{
	for (uint32_t i = 0; i < b->cpu_count; i++) {
		if (b->cpu_hwid[i] == hwid) {
			return true;
		}
	}
	return false;
}

static bool is_foreign_cpu(const struct patch *p, int cpus, int node)
{
	uint64_t hwid;

	if (!is_cpu(p, node)) {
		return false;
	}
	return !cpu_hwid(p, cpus, node, &hwid) || !on_board(p->board, hwid);
}

/* The map of clusters names processors that may be gone: a guest does without it. */
static bool is_cpu_map(const struct patch *p, int cpus, int node)
{
	(void)cpus;
	return has_name(p->fdt, node, "cpu-map");
}

static int find_cpu(const struct patch *p, int cpus, uint64_t hwid)
{
	uint64_t id;
	int node;

	fdt_for_each_subnode(node, p->fdt, cpus)
	{
		if (is_cpu(p, node) && cpu_hwid(p, cpus, node, &id) && id == hwid) {
			return node;
		}
	}
	return -FDT_ERR_NOTFOUND;
}

static int add_cpu(struct patch *p, int cpus, uint64_t hwid)
{
	uint32_t ac = cell_or(p->fdt, cpus, "#address-cells", 2);
	char name[NODE_NAME_MAX];
	fdt32_t reg[CELLS_MAX];
	uint32_t n = 0;
	int node, err;

	if (p->board->arch != VM_ARCH_AARCH64) {
		return refuse(p, "it has no processor with this hardware id, which the VM has",
			      hwid);
	}
	err = put_cells(p, reg, &n, ac, hwid);
	if (err != 0) {
		return err;
	}
	hv_snprintf(name, sizeof(name), "cpu@%lx", hwid);
	node = fdt_add_subnode(p->fdt, cpus, name);
	if (node < 0) {
		return node;
	}
	err = fdt_setprop(p->fdt, node, "reg", reg, (int)(n * sizeof(reg[0])));
	if (err == 0) {
		err = set_string(p->fdt, node, "compatible", "arm,armv8");
	}
	return err != 0 ? err : set_string(p->fdt, node, "device_type", "cpu");
}

/* Secondary processors start by PSCI, whatever the tree's author had. */
static int set_psci(struct patch *p, int node)
{
	int err = set_string(p->fdt, node, "enable-method", "psci");

	if (err == 0) {
		err = fdt_delprop(p->fdt, node, "cpu-release-addr");
	}
	return err == -FDT_ERR_NOTFOUND ? 0 : err;
}

static int patch_cpu(struct patch *p, int cpus, uint64_t hwid)
{
	int node = find_cpu(p, cpus, hwid);
	int err;

	if (node == -FDT_ERR_NOTFOUND) {
		err = add_cpu(p, cpus, hwid);
		if (err != 0) {
			return err;
		}
		node = find_cpu(p, cpus, hwid);
	}
	if (node < 0) {
		return node;
	}
	return p->board->arch == VM_ARCH_AARCH64 ? set_psci(p, node) : 0;
}

static int patch_cpus(struct patch *p)
{
	int cpus = fdt_subnode_offset(p->fdt, 0, "cpus");
	int err = 0;

	if (cpus == -FDT_ERR_NOTFOUND) {
		cpus = fdt_add_subnode(p->fdt, 0, "cpus");
		if (cpus >= 0) {
			err = fdt_setprop_u32(p->fdt, cpus, "#size-cells", 0);
		}
		if (cpus >= 0 && err == 0) {
			err = fdt_setprop_u32(p->fdt, cpus, "#address-cells", 2);
		}
	}
	if (cpus < 0) {
		return cpus;
	}
	if (err == 0) {
		err = remove_children(p, cpus, is_foreign_cpu);
	}
	if (err == 0) {
		err = remove_children(p, cpus, is_cpu_map);
	}
	for (uint32_t i = p->board->cpu_count; err == 0 && i > 0; i--) {
		err = patch_cpu(p, cpus, p->board->cpu_hwid[i - 1]);
	}
	return err;
}

/* Both conduits are served, so a valid `method` stays. */
static int patch_psci(struct patch *p)
{
	static const char compatible[] = "arm,psci-1.0\0arm,psci-0.2\0arm,psci";
	static const char *const known[] = { "arm,psci-1.0", "arm,psci-0.2", "arm,psci" };
	int node = -FDT_ERR_NOTFOUND;
	const char *method;
	int len, err;

	for (size_t i = 0; i < ARRAY_SIZE(known) && node == -FDT_ERR_NOTFOUND; i++) {
		node = fdt_node_offset_by_compatible(p->fdt, -1, known[i]);
	}
	if (node == -FDT_ERR_NOTFOUND) {
		node = child_of_root(p, "psci");
	}
	if (node < 0) {
		return node;
	}
	method = fdt_getprop(p->fdt, node, "method", &len);
	if (method == NULL || len != 4 ||
	    (memcmp(method, "hvc", 4) != 0 && memcmp(method, "smc", 4) != 0)) {
		err = set_string(p->fdt, node, "method", "hvc");
		if (err != 0) {
			return err;
		}
	}
	return fdt_setprop(p->fdt, node, "compatible", compatible, sizeof(compatible));
}

static int drop(struct patch *p, int node, const char *prop)
{
	int err = fdt_delprop(p->fdt, node, prop);

	return err == -FDT_ERR_NOTFOUND ? 0 : err;
}

static int patch_chosen(struct patch *p)
{
	const struct guest_board *b = p->board;
	int node = child_of_root(p, "chosen");
	int err = 0;

	if (node < 0) {
		return node;
	}
	if (b->bootargs != NULL) {
		err = fdt_setprop(p->fdt, node, "bootargs", b->bootargs,
				  (int)strlen(b->bootargs) + 1);
	}
	if (err == 0 && b->initrd_end != b->initrd_start) {
		err = fdt_setprop_u64(p->fdt, node, "linux,initrd-start", b->initrd_start);
		return err != 0 ? err
				: fdt_setprop_u64(p->fdt, node, "linux,initrd-end", b->initrd_end);
	}
	if (err == 0) {
		err = drop(p, node, "linux,initrd-start");
	}
	return err != 0 ? err : drop(p, node, "linux,initrd-end");
}

int fdt_guest_patch(void *buf, size_t cap, const struct guest_board *board,
		    const struct image_site *site, size_t *size)
{
	struct patch p = { .fdt = buf, .board = board, .site = site };
	/* Each step works on the tree that the one before has left. */
	static int (*const steps[])(struct patch *) = { patch_memory, patch_cpus, patch_chosen };
	int err = fdt_open_into(buf, buf, (int)MIN(cap, (size_t)FDT_GUEST_MAX));

	for (size_t i = 0; i < ARRAY_SIZE(steps) && err == 0; i++) {
		err = steps[i](&p);
	}
	if (err == 0 && board->arch == VM_ARCH_AARCH64) {
		err = patch_psci(&p);
	}
	if (err == 0) {
		err = fdt_pack(buf);
	}
	if (err == 0) {
		*size = fdt_totalsize(buf);
		return 0;
	}
	if (!p.reported) {
		image_diag(site, DIAG_ERROR, "the device tree cannot be patched: %s",
			   fdt_strerror(err));
	}
	return err == -FDT_ERR_NOSPACE ? -ENOSPC : -EINVAL;
}
