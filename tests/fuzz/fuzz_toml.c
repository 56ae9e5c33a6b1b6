/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as TOML, in little and in much memory.  What comes out must be a
 * well-formed tree within that memory, and errors must be counted as reported.
 */
#include <errno.h>
#include <hv/toml.h>
#include <stdlib.h>
#include <string.h>

static uint32_t reported;

static void on_error(struct toml_doc *doc, struct cfg_pos pos, const char *message)
{
	if (pos.line == 0 || pos.col == 0 || message[0] == '\0' ||
	    strlen(message) >= sizeof(doc->message)) {
		abort();
	}
	reported++;
}

static void check_inside(const struct toml_doc *doc, const void *p, size_t size)
{
	const char *mem = doc->mem;
	const char *at = p;

	if (at < mem || size > doc->mem_used || at > mem + doc->mem_used - size) {
		abort();
	}
}

/* Walks without recursion, by the parents: they must be right. */
static void check_tree(const struct toml_doc *doc)
{
	const struct toml_node *n = doc->root;

	for (;;) {
		bool container = n->type == TOML_ARRAY || n->type == TOML_TABLE;

		check_inside(doc, n, sizeof(*n));
		if (n->depth > TOML_MAX_DEPTH || n->pos.line == 0 || n->pos.col == 0) {
			abort();
		}
		if (n->parent != NULL && n->parent->type == TOML_TABLE) {
			check_inside(doc, n->key, n->key_len + 1);
			if (n->key[n->key_len] != '\0') {
				abort();
			}
		}
		if (!container && n->type != TOML_INTEGER && n->type != TOML_BOOL) {
			check_inside(doc, n->str, n->str_len + 1);
			if (n->str[n->str_len] != '\0') {
				abort();
			}
		}
		if (container && n->first != NULL) {
			if (n->first->parent != n || n->last->next != NULL) {
				abort();
			}
			n = n->first;
			continue;
		}
		while (n->next == NULL && n->parent != NULL) {
			n = n->parent;
		}
		if (n->parent == NULL) {
			return;
		}
		if (n->next->parent != n->parent) {
			abort();
		}
		n = n->next;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t sizes[] = { 1 << 16, 200 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		void *mem = malloc(sizes[i]);
		struct toml_doc doc = { .mem = mem, .mem_size = sizes[i], .error = on_error };
		int err;

		reported = 0;
		err = toml_parse(&doc, (const char *)data, size);
		if (reported != doc.errors || (err == 0) != (reported == 0) ||
		    (err != 0 && err != -EINVAL && err != -ENOMEM) ||
		    doc.errors > TOML_MAX_ERRORS + 1) {
			abort();
		}
		check_tree(&doc);
		free(mem);
	}
	return 0;
}
