/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one VM configuration: TOML text to a complete struct vm_config. */
#include "config_priv.h"
#include <errno.h>
#include <hv/printf.h>
#include <string.h>

static const struct cfg_section *const sections[] = {
	&cfg_section_base,
	&cfg_section_kernel,
	&cfg_section_devices,
};

static const struct cfg_key *find_key(const struct cfg_section *section, const char *name)
{
	uint32_t i;

	for (i = 0; i < section->count; i++) {
		if (strcmp(section->keys[i].name, name) == 0) {
			return &section->keys[i];
		}
	}
	return NULL;
}

/* The known key most like this one, in any section but rather in `own`. */
static const char *nearest_key(const char *name, const struct cfg_section *own,
			       const struct cfg_section **where)
{
	uint32_t best = MAX((uint32_t)2, (uint32_t)strlen(name) / 3) + 1;
	const char *found = NULL;
	uint32_t s;
	uint32_t i;

	for (s = 0; s < ARRAY_SIZE(sections); s++) {
		for (i = 0; i < sections[s]->count; i++) {
			const char *known = sections[s]->keys[i].name;
			uint32_t d = cfg_distance(name, known);

			if (d < best ||
			    (d == best && found != NULL && sections[s] == own && *where != own)) {
				best = d;
				found = known;
				*where = sections[s];
			}
		}
	}
	return found;
}

/* `own` is NULL for a key outside every section. */
static void report_unknown(struct cfg_reader *r, const struct toml_node *node,
			   const struct cfg_section *own)
{
	const struct cfg_section *where = NULL;
	const char *nearest = nearest_key(node->key, own, &where);
	char place[24] = "the file's top level";

	if (own != NULL) {
		hv_snprintf(place, sizeof(place), "[%s]", own->name);
	}

	if (nearest == NULL) {
		cfg_warn(r, node->key_pos, "unknown key '%.40s' in %s, ignored", node->key, place);
	} else if (strcmp(nearest, node->key) == 0) {
		cfg_warn(r, node->key_pos, "'%s' belongs in [%s], in %s it is ignored", node->key,
			 where->name, place);
	} else {
		cfg_warn(
			r, node->key_pos,
			"unknown key '%.40s' in %s, ignored; the nearest known one is '%s' in [%s]",
			node->key, place, nearest, where->name);
	}
}

static void read_section(struct cfg_reader *r, const struct cfg_section *section,
			 const struct toml_node *table, bool complete)
{
	const struct toml_node *node;
	uint32_t i;

	for (i = 0; i < section->count; i++) {
		const struct cfg_key *key = &section->keys[i];

		node = table != NULL ? toml_get(table, key->name) : NULL;
		if (node != NULL) {
			key->read(r, node);
		} else if (key->mandatory && complete) {
			cfg_error(r, table != NULL ? table->key_pos : (struct cfg_pos){ 0, 0 },
				  "%s is missing in [%s]", key->name, section->name);
		}
	}
	for (node = table != NULL ? table->first : NULL; node != NULL; node = node->next) {
		if (find_key(section, node->key) == NULL) {
			report_unknown(r, node, section);
		}
	}
}

static void read_root(struct cfg_reader *r, const struct toml_node *root, bool complete)
{
	const struct toml_node *node;
	uint32_t s;

	for (s = 0; s < ARRAY_SIZE(sections); s++) {
		struct cfg_what what = { .key = sections[s]->name, .index = -1 };

		node = toml_get(root, sections[s]->name);
		if (node != NULL && !cfg_expect(r, node, TOML_TABLE, &what)) {
			continue;
		}
		read_section(r, sections[s], node, complete);
	}
	for (node = root->first; node != NULL; node = node->next) {
		for (s = 0; s < ARRAY_SIZE(sections); s++) {
			if (strcmp(sections[s]->name, node->key) == 0) {
				break;
			}
		}
		if (s < ARRAY_SIZE(sections)) {
			continue;
		}
		if (node->type == TOML_TABLE) {
			cfg_warn(r, node->key_pos,
				 "unknown section [%.40s], ignored; known are [base], [kernel] and "
				 "[devices]",
				 node->key);
		} else {
			report_unknown(r, node, NULL);
		}
	}
}

static void set_defaults(struct vm_config *cfg, const char *file)
{
	size_t len = strlen(file);
	uint32_t i;

	memset(cfg, 0, sizeof(*cfg));
	if (len >= sizeof(cfg->file)) {
		file += len - (sizeof(cfg->file) - 1);
		len = sizeof(cfg->file) - 1;
	}
	memcpy(cfg->file, file, len + 1);
	cfg->id = 1;
	cfg->vm_type = VM_TYPE_RTOS;
	cfg->cpu_num = 1;
	for (i = 0; i < MAX_VCPUS; i++) {
		cfg->phys_cpu_ids[i] = i;
	}
	cfg->image_location = VM_IMAGE_MEMORY;
	cfg->interrupt_mode = VM_IRQ_EMU;
}

/* The TOML parser's errors on their way to the sink. */
struct parse_context {
	struct toml_doc doc;
	struct cfg_reader reader;
};

static void syntax_error(struct toml_doc *doc, struct cfg_pos pos, const char *message)
{
	struct parse_context *ctx = container_of(doc, struct parse_context, doc);

	cfg_error(&ctx->reader, pos, "%s", message);
}

int vm_config_parse(const char *file, const char *text, size_t len, enum vm_arch arch, void *work,
		    size_t work_size, struct vm_config *out, struct diag_sink *sink)
{
	struct parse_context ctx = {
		.doc = { .mem = work, .mem_size = work_size, .error = syntax_error },
		.reader = { .cfg = out, .sink = sink, .arch = arch },
	};
	int err;

	set_defaults(out, file);
	err = toml_parse(&ctx.doc, text, len);
	if (ctx.doc.root != NULL) {
		/* After a syntax error a key may only seem to be missing. */
		read_root(&ctx.reader, ctx.doc.root, err == 0);
		cfg_check(&ctx.reader);
		cfg_check_arch(&ctx.reader);
	}
	return out->errors == 0 ? 0 : -EINVAL;
}

void vm_config_diag(struct vm_config *cfg, struct diag_sink *sink, enum diag_severity severity,
		    struct cfg_pos pos, const char *fmt, ...)
{
	va_list ap;

	if (severity == DIAG_ERROR) {
		cfg->errors++;
	}
	va_start(ap, fmt);
	diag_vemit(sink, severity, cfg->file, pos, fmt, ap);
	va_end(ap);
}
