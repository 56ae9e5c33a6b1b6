/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of [devices]. */
#include "config_priv.h"
#include <string.h>

#define PORT_END UINT64_C(0x10000)

/*
 * Two tables of numbers are in use: the one of upstream's first release and, since
 * July 2025, another.  The later one rules; numbers that only the first one has keep
 * its meaning.
 */
struct emu_type {
	uint32_t raw;
	enum vm_emu_kind kind;
	const char *name;
	const char *first_table; /* not NULL: what it meant there, when that differs */
};

static const struct emu_type emu_types[] = {
	{ 0x00, VM_EMU_DUMMY, "Dummy", "Console" },
	{ 0x01, VM_EMU_INTC, "IntC", "GICD v2" },
	{ 0x02, VM_EMU_CONSOLE, "Console", "GPPT" },
	{ 0x03, VM_EMU_VIRTIO_BLK, "VirtioBlk", NULL },
	{ 0x04, VM_EMU_VIRTIO_NET, "VirtioNet", NULL },
	{ 0x05, VM_EMU_VIRTIO_CONSOLE, "VirtioConsole", NULL },
	{ 0x06, VM_EMU_IOMMU, "IOMMU", NULL },
	{ 0x07, VM_EMU_ICC_SRE, "ICC_SRE", NULL },
	{ 0x08, VM_EMU_SGIR, "SGIR", NULL },
	{ 0x09, VM_EMU_GICR, "GICR", NULL },
	{ 0x0a, VM_EMU_IVC, "IVC", "Meta" },
	{ 0x20, VM_EMU_GICR, "GICR", NULL },
	{ 0x21, VM_EMU_GICD, "GICD", NULL },
	{ 0x22, VM_EMU_GITS, "ITS", NULL },
	{ 0x23, VM_EMU_IOAPIC, "IOAPIC", NULL },
	{ 0x24, VM_EMU_PIT, "PIT", NULL },
	{ 0x30, VM_EMU_PLIC, "PLIC", NULL },
	{ 0xe1, VM_EMU_VIRTIO_BLK, "VirtioBlk", NULL },
	{ 0xe2, VM_EMU_VIRTIO_NET, "VirtioNet", NULL },
	{ 0xe3, VM_EMU_VIRTIO_CONSOLE, "VirtioConsole", NULL },
};

const char *vm_emu_kind_name(enum vm_emu_kind kind)
{
	static const char *const names[VM_EMU_KINDS] = {
		[VM_EMU_DUMMY] = "dummy",
		[VM_EMU_INTC] = "interrupt controller",
		[VM_EMU_CONSOLE] = "console",
		[VM_EMU_IVC] = "ivc",
		[VM_EMU_GICD] = "gicd",
		[VM_EMU_GICR] = "gicr",
		[VM_EMU_GITS] = "its",
		[VM_EMU_IOAPIC] = "ioapic",
		[VM_EMU_PIT] = "pit",
		[VM_EMU_PLIC] = "plic",
		[VM_EMU_VIRTIO_BLK] = "virtio-blk",
		[VM_EMU_VIRTIO_NET] = "virtio-net",
		[VM_EMU_VIRTIO_CONSOLE] = "virtio-console",
		[VM_EMU_IOMMU] = "iommu",
		[VM_EMU_ICC_SRE] = "icc-sre",
		[VM_EMU_SGIR] = "sgir",
	};

	return names[kind];
}

static const struct emu_type *find_emu_type(uint64_t raw)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(emu_types); i++) {
		if (emu_types[i].raw == raw) {
			return &emu_types[i];
		}
	}
	return NULL;
}

static bool kind_needs_range(enum vm_emu_kind kind)
{
	return kind != VM_EMU_DUMMY && kind != VM_EMU_ICC_SRE && kind != VM_EMU_SGIR;
}

/* No board has memory-mapped ones of these below 64 KiB: there they are x86 ports. */
static bool is_port(enum vm_emu_kind kind, uint64_t base, uint64_t length)
{
	return (kind == VM_EMU_PIT || kind == VM_EMU_CONSOLE || kind == VM_EMU_INTC ||
		kind == VM_EMU_DUMMY) &&
	       length != 0 && base + length <= PORT_END;
}

enum {
	EMU_BASE,
	EMU_LENGTH,
	EMU_IRQ,
	EMU_TYPE,
};

static const struct cfg_entry_form emu_form = {
	.key = "emu_devices",
	.text = "[name, base_gpa, length, irq, type, [configuration numbers]]",
	.named = true,
	.numbers = 4,
	.number = {
		[EMU_BASE] = { "base_gpa", 0, CFG_ADDR_END - 1 },
		[EMU_LENGTH] = { "length", 0, CFG_ADDR_END },
		[EMU_IRQ] = { "irq", 0, 1023 }, /* the most that a PLIC has; a GIC: 1019 */
		[EMU_TYPE] = { "type", 0, UINT32_MAX },
	},
};

/* The list of numbers that may follow the type. */
static bool read_emu_cfg(struct cfg_reader *r, const struct toml_node *list, int index,
			 struct vm_config_emu *e)
{
	struct cfg_what what = { .field = "configuration", .key = "emu_devices", .index = index };
	const struct toml_node *node;
	bool ok = true;

	if (list->next != NULL) {
		cfg_error(r, list->next->pos,
			  "emu_devices[%d] has too many elements, expected is %s", index,
			  emu_form.text);
		return false;
	}
	if (!cfg_expect(r, list, TOML_ARRAY, &what)) {
		return false;
	}
	for (node = list->first; node != NULL; node = node->next) {
		if (e->cfg_count == VM_MAX_EMU_CFG) {
			cfg_error(r, node->pos,
				  "configuration of emu_devices[%d] has more than %d numbers",
				  index, VM_MAX_EMU_CFG);
			return false;
		}
		ok = cfg_read_uint(r, node, &what, 0, INT64_MAX, &e->cfg[e->cfg_count]) && ok;
		e->cfg_count++;
	}
	return ok;
}

static void read_one_emu(struct cfg_reader *r, const struct toml_node *node, int index)
{
	struct vm_config_emu *e = &r->cfg->emu[r->cfg->emu_count];
	const struct toml_node *rest = NULL;
	const struct emu_type *type;
	uint64_t v[CFG_MAX_NUMBERS];

	e->cfg_count = 0;
	if (!cfg_read_entry(r, node, index, &emu_form, e->name, sizeof(e->name), v, &rest)) {
		return;
	}
	if (rest != NULL && !read_emu_cfg(r, rest, index, e)) {
		return;
	}
	type = find_emu_type(v[EMU_TYPE]);
	if (type == NULL) {
		cfg_error(r, node->pos,
			  "type of emu_devices[%d] is 0x%llx, known are 0x0 to 0xA, 0x20 to 0x24, "
			  "0x30 and 0xE1 to 0xE3",
			  index, (unsigned long long)v[EMU_TYPE]);
		return;
	}
	if (v[EMU_LENGTH] == 0 && kind_needs_range(type->kind)) {
		cfg_error(r, node->pos, "length of emu_devices[%d] is 0", index);
		return;
	}
	if (type->first_table != NULL) {
		cfg_note(
			r, node->pos,
			"type 0x%x of '%s' is read as %s, its meaning since July 2025; before that "
			"it was %s",
			type->raw, e->name, type->name, type->first_table);
	}
	e->base_gpa = v[EMU_BASE];
	e->length = v[EMU_LENGTH];
	e->irq = (uint32_t)v[EMU_IRQ];
	e->raw_type = type->raw;
	e->kind = type->kind;
	e->port = is_port(e->kind, e->base_gpa, e->length);
	e->pos = node->pos;
	r->cfg->emu_count++;
}

static void read_emu_devices(struct cfg_reader *r, const struct toml_node *value)
{
	cfg_read_list(r, value, VM_MAX_EMU, read_one_emu);
}

/* A path in a device tree, into the list of `max`. */
static void add_node(struct cfg_reader *r, const struct toml_node *node,
		     const struct cfg_what *what, struct vm_config_node *list, uint32_t max,
		     uint32_t *count)
{
	struct vm_config_node *n = &list[*count];

	if (*count == max) {
		cfg_error(r, node->pos, "%s names more than %u device tree paths", what->key, max);
		return;
	}
	if (!cfg_read_string(r, node, what, n->path, sizeof(n->path))) {
		return;
	}
	if (n->path[0] != '/') {
		cfg_error(r, node->pos,
			  "%s[%d] names '%.40s', but a path in the device tree begins with '/'",
			  what->key, what->index, n->path);
		return;
	}
	n->pos = node->pos;
	(*count)++;
}

enum {
	PASS_GPA,
	PASS_HPA,
	PASS_LENGTH,
	PASS_IRQ,
};

static const struct cfg_entry_form pass_form = {
	.key = "passthrough_devices",
	.text = "[name, base_gpa, base_hpa, length, irq] or [\"/path/in/device/tree\"]",
	.named = true,
	.numbers = 4,
	.optional = 1,
	.number = {
		[PASS_GPA] = { "base_gpa", 0, CFG_ADDR_END - 1 },
		[PASS_HPA] = { "base_hpa", 0, CFG_ADDR_END - 1 },
		[PASS_LENGTH] = { "length", 1, CFG_ADDR_END },
		[PASS_IRQ] = { "irq", 0, UINT32_MAX },
	},
};

static void read_one_pass(struct cfg_reader *r, const struct toml_node *node, int index)
{
	struct cfg_what what = { .key = pass_form.key, .index = index };
	struct vm_config *cfg = r->cfg;
	struct vm_config_pass *p = &cfg->pass[cfg->pass_count];
	uint64_t v[CFG_MAX_NUMBERS];

	if (node->type == TOML_ARRAY && node->first != NULL && node->first->next == NULL) {
		node = node->first;
	}
	if (node->type == TOML_STRING) {
		add_node(r, node, &what, cfg->pass_node, VM_MAX_PASS_NODE, &cfg->pass_node_count);
		return;
	}
	if (!cfg_read_entry(r, node, index, &pass_form, p->name, sizeof(p->name), v, NULL)) {
		return;
	}
	p->base_gpa = v[PASS_GPA];
	p->base_hpa = v[PASS_HPA];
	p->length = v[PASS_LENGTH];
	p->irq = (uint32_t)v[PASS_IRQ];
	p->pos = node->pos;
	cfg->pass_count++;
}

static void read_passthrough_devices(struct cfg_reader *r, const struct toml_node *value)
{
	cfg_read_list(r, value, VM_MAX_PASS, read_one_pass);
}

static void read_range(struct cfg_reader *r, const struct toml_node *node, int index,
		       const struct cfg_entry_form *form, struct vm_config_range *list,
		       uint32_t *count)
{
	uint64_t v[CFG_MAX_NUMBERS];

	if (cfg_read_entry(r, node, index, form, NULL, 0, v, NULL)) {
		list[*count] = (struct vm_config_range){
			.base = v[0],
			.length = v[1],
			.pos = node->pos,
		};
		(*count)++;
	}
}

static void read_one_pass_addr(struct cfg_reader *r, const struct toml_node *node, int index)
{
	static const struct cfg_entry_form form = {
		.key = "passthrough_addresses",
		.text = "[base, length]",
		.numbers = 2,
		.number = { { "base", 0, CFG_ADDR_END - 1 }, { "length", 1, CFG_ADDR_END } },
	};

	read_range(r, node, index, &form, r->cfg->pass_addr, &r->cfg->pass_addr_count);
}

static void read_passthrough_addresses(struct cfg_reader *r, const struct toml_node *value)
{
	cfg_read_list(r, value, VM_MAX_PASS_ADDR, read_one_pass_addr);
}

static void read_one_pass_port(struct cfg_reader *r, const struct toml_node *node, int index)
{
	static const struct cfg_entry_form form = {
		.key = "passthrough_ports",
		.text = "[base, length]",
		.numbers = 2,
		.number = { { "base", 0, PORT_END - 1 }, { "length", 1, PORT_END } },
	};

	read_range(r, node, index, &form, r->cfg->pass_port, &r->cfg->pass_port_count);
}

static void read_passthrough_ports(struct cfg_reader *r, const struct toml_node *value)
{
	cfg_read_list(r, value, VM_MAX_PASS_PORT, read_one_pass_port);
}

/* Upstream writes lists of lists; a plain list is taken as well. */
static void read_one_excluded(struct cfg_reader *r, const struct toml_node *node, int index)
{
	struct cfg_what what = { .key = "excluded_devices", .index = index };
	struct vm_config *cfg = r->cfg;
	const struct toml_node *child;

	if (node->type != TOML_ARRAY) {
		add_node(r, node, &what, cfg->excluded, VM_MAX_EXCLUDED, &cfg->excluded_count);
		return;
	}
	for (child = node->first; child != NULL; child = child->next) {
		add_node(r, child, &what, cfg->excluded, VM_MAX_EXCLUDED, &cfg->excluded_count);
	}
}

static void read_excluded_devices(struct cfg_reader *r, const struct toml_node *value)
{
	cfg_read_list(r, value, VM_MAX_EXCLUDED, read_one_excluded);
}

static void read_interrupt_mode(struct cfg_reader *r, const struct toml_node *value)
{
	static const char *const names[] = {
		[VM_IRQ_EMU] = "emu",
		[VM_IRQ_NONE] = "no_irq",
		[VM_IRQ_PASSTHROUGH] = "passthrough",
	};
	int choice = cfg_read_choice(r, value, names, ARRAY_SIZE(names));

	r->cfg->has_interrupt_mode = true;
	r->cfg->interrupt_mode_pos = value->pos;
	if (choice >= 0) {
		r->cfg->interrupt_mode = (enum vm_interrupt_mode)choice;
	}
}

static const struct cfg_key device_keys[] = {
	{ "emu_devices", read_emu_devices, false },
	{ "passthrough_devices", read_passthrough_devices, false },
	{ "passthrough_addresses", read_passthrough_addresses, false },
	{ "passthrough_ports", read_passthrough_ports, false },
	{ "excluded_devices", read_excluded_devices, false },
	{ "interrupt_mode", read_interrupt_mode, false },
};

const struct cfg_section cfg_section_devices = { "devices", device_keys, ARRAY_SIZE(device_keys) };
