/* SPDX-License-Identifier: Apache-2.0 */
/* Typed values out of a TOML tree; whatever is wrong is said with its place. */
#include "config_priv.h"
#include <hv/printf.h>
#include <string.h>

static void report(struct cfg_reader *r, enum diag_severity severity, struct cfg_pos pos,
		   const char *fmt, va_list ap)
{
	if (severity == DIAG_ERROR) {
		r->cfg->errors++;
	}
	diag_vemit(r->sink, severity, r->cfg->file, pos, fmt, ap);
}

void cfg_error(struct cfg_reader *r, struct cfg_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(r, DIAG_ERROR, pos, fmt, ap);
	va_end(ap);
}

void cfg_warn(struct cfg_reader *r, struct cfg_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(r, DIAG_WARNING, pos, fmt, ap);
	va_end(ap);
}

void cfg_note(struct cfg_reader *r, struct cfg_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(r, DIAG_NOTE, pos, fmt, ap);
	va_end(ap);
}

#define WHAT_MAX 64

/* "size of memory_regions[2]"; entries are counted from 0, as upstream's tools do. */
static const char *what_text(const struct cfg_what *what, char buf[WHAT_MAX])
{
	if (what->field != NULL) {
		hv_snprintf(buf, WHAT_MAX, "%s of %.24s[%d]", what->field, what->key, what->index);
	} else if (what->index >= 0) {
		hv_snprintf(buf, WHAT_MAX, "%.24s[%d]", what->key, what->index);
	} else {
		hv_snprintf(buf, WHAT_MAX, "%.24s", what->key);
	}
	return buf;
}

bool cfg_expect(struct cfg_reader *r, const struct toml_node *node, enum toml_type type,
		const struct cfg_what *what)
{
	char buf[WHAT_MAX];

	if (node->type == type) {
		return true;
	}
	cfg_error(r, node->pos, "%s must be %s, this is %s", what_text(what, buf),
		  toml_type_name(type), toml_type_name((enum toml_type)node->type));
	return false;
}

bool cfg_read_uint(struct cfg_reader *r, const struct toml_node *node, const struct cfg_what *what,
		   uint64_t min, uint64_t max, uint64_t *value)
{
	char buf[WHAT_MAX];

	if (!cfg_expect(r, node, TOML_INTEGER, what)) {
		return false;
	}
	if (node->integer >= 0 && (uint64_t)node->integer >= min &&
	    (uint64_t)node->integer <= max) {
		*value = (uint64_t)node->integer;
		return true;
	}
	if (node->integer < 0) {
		cfg_error(r, node->pos, "%s is %lld, it must not be negative", what_text(what, buf),
			  (long long)node->integer);
	} else if (max <= 0xffff && node->integer <= 0xffff) {
		cfg_error(r, node->pos, "%s is %lld, permitted is %llu to %llu",
			  what_text(what, buf), (long long)node->integer, (unsigned long long)min,
			  (unsigned long long)max);
	} else {
		cfg_error(r, node->pos, "%s is 0x%llx, permitted is 0x%llx to 0x%llx",
			  what_text(what, buf), (unsigned long long)node->integer,
			  (unsigned long long)min, (unsigned long long)max);
	}
	return false;
}

bool cfg_read_string(struct cfg_reader *r, const struct toml_node *node,
		     const struct cfg_what *what, char *buf, size_t size)
{
	char text[WHAT_MAX];
	size_t i;

	buf[0] = '\0';
	if (!cfg_expect(r, node, TOML_STRING, what)) {
		return false;
	}
	if (node->str_len >= size) {
		cfg_error(r, node->pos, "%s has %zu bytes, at most %zu are possible",
			  what_text(what, text), node->str_len, size - 1);
		return false;
	}
	for (i = 0; i < node->str_len; i++) {
		unsigned char c = (unsigned char)node->str[i];

		if (c < 0x20 || c == 0x7f) {
			cfg_error(r, node->pos, "%s contains the control character 0x%02x",
				  what_text(what, text), c);
			return false;
		}
	}
	memcpy(buf, node->str, node->str_len + 1);
	return true;
}

int cfg_read_choice(struct cfg_reader *r, const struct toml_node *node, const char *const names[],
		    int count)
{
	char all[96];
	size_t used = 0;
	int i;

	if (!cfg_expect(r, node, TOML_STRING, &CFG_KEY(node))) {
		return -1;
	}
	for (i = 0; i < count; i++) {
		if (strcmp(node->str, names[i]) == 0 && strlen(names[i]) == node->str_len) {
			return i;
		}
	}
	for (i = 0; i < count && used < sizeof(all); i++) {
		int n = hv_snprintf(all + used, sizeof(all) - used, "%s\"%s\"",
				    i == 0 ? "" : " or ", names[i]);

		used += n > 0 ? (size_t)n : 0;
	}
	cfg_error(r, node->pos, "%s is \"%.40s\", it must be %s", node->key, node->str, all);
	return -1;
}

uint32_t cfg_count(const struct toml_node *node)
{
	const struct toml_node *child;
	uint32_t n = 0;

	for (child = node->first; child != NULL; child = child->next) {
		n++;
	}
	return n;
}

bool cfg_read_entry(struct cfg_reader *r, const struct toml_node *entry, int index,
		    const struct cfg_entry_form *form, char *name, size_t name_size,
		    uint64_t *numbers, const struct toml_node **rest)
{
	struct cfg_what what = { .key = form->key, .index = index };
	uint32_t most = form->numbers + (form->named ? 1 : 0);
	const struct toml_node *node;
	bool ok = true;
	uint32_t count;
	uint32_t i;

	if (!cfg_expect(r, entry, TOML_ARRAY, &what)) {
		return false;
	}
	count = cfg_count(entry);
	if (count < most - form->optional || (rest == NULL && count > most)) {
		cfg_error(r, entry->pos, "%s[%d] has %u elements, expected is %s", form->key, index,
			  count, form->text);
		return false;
	}
	node = entry->first;
	if (form->named) {
		what.field = "name";
		ok = cfg_read_string(r, node, &what, name, name_size);
		node = node->next;
	}
	for (i = 0; i < form->numbers; i++) {
		const struct cfg_number *n = &form->number[i];

		numbers[i] = 0;
		if (node == NULL) {
			continue;
		}
		what.field = n->name;
		ok = cfg_read_uint(r, node, &what, n->min, n->max, &numbers[i]) && ok;
		node = node->next;
	}
	if (rest != NULL) {
		*rest = node;
	}
	return ok;
}

void cfg_read_list(struct cfg_reader *r, const struct toml_node *list, uint32_t max,
		   void (*one)(struct cfg_reader *r, const struct toml_node *node, int index))
{
	const struct toml_node *node;
	uint32_t i = 0;

	if (!cfg_expect(r, list, TOML_ARRAY, &CFG_KEY(list))) {
		return;
	}
	for (node = list->first; node != NULL; node = node->next) {
		if (i == max) {
			cfg_error(r, node->pos, "%s has %u entries, at most %u are possible",
				  list->key, cfg_count(list), max);
			return;
		}
		one(r, node, (int)i);
		i++;
	}
}

#define WORD_MAX 40

static size_t lower_case(const char *s, char word[WORD_MAX])
{
	size_t n = 0;

	for (; n < WORD_MAX - 1 && s[n] != '\0'; n++) {
		word[n] = (char)(s[n] >= 'A' && s[n] <= 'Z' ? s[n] + ('a' - 'A') : s[n]);
	}
	word[n] = '\0';
	return n;
}

/* Is one word, of at least four letters, a part of the other? */
static bool is_part(const char *a, size_t an, const char *b, size_t bn)
{
	size_t i;

	if (an < 4 || an > bn) {
		return false;
	}
	for (i = 0; i + an <= bn; i++) {
		if (memcmp(b + i, a, an) == 0) {
			return true;
		}
	}
	return false;
}

uint32_t cfg_distance(const char *a, const char *b)
{
	char aw[WORD_MAX];
	char bw[WORD_MAX];
	size_t an = lower_case(a, aw);
	size_t bn = lower_case(b, bw);
	uint8_t row[WORD_MAX];
	size_t i;
	size_t j;

	if (an == bn && memcmp(aw, bw, an) == 0) {
		return 0;
	}
	if (is_part(aw, an, bw, bn) || is_part(bw, bn, aw, an)) {
		return 1;
	}
	/* Levenshtein's distance, one row at a time. */
	for (j = 0; j <= bn; j++) {
		row[j] = (uint8_t)j;
	}
	for (i = 1; i <= an; i++) {
		uint8_t diagonal = row[0];

		row[0] = (uint8_t)i;
		for (j = 1; j <= bn; j++) {
			uint8_t above = row[j];
			uint8_t change = (uint8_t)(diagonal + (aw[i - 1] != bw[j - 1]));

			row[j] = (uint8_t)MIN(MIN(above, row[j - 1]) + 1, change);
			diagonal = above;
		}
	}
	return row[bn];
}
