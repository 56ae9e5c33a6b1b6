/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0.0 parser: document, table headers, keys, arrays and inline tables.
 * Section names in comments are those of the TOML v1.0.0 specification.
 *
 * The tree under construction is also the parser's stack: an array or inline table
 * that is not closed yet is found again through its child's parent pointer.
 */
#include "toml_priv.h"
#include <errno.h>
#include <hv/printf.h>
#include <string.h>

/* How a table came to be decides what may still be added to it ("Table"). */
#define FLAG_IMPLICIT  0x01 /* by [a.b.c], as a or a.b: may be defined once, later */
#define FLAG_DOTTED    0x02 /* by a dotted key: more dotted keys may follow */
#define FLAG_INLINE    0x04 /* {...} or [...]: complete as it stands */
#define FLAG_AOT_ARRAY 0x08 /* by [[a]]: more elements may follow */

void toml_skip(struct toml_parser *p, size_t n)
{
	while (n-- > 0) {
		unsigned char c = (unsigned char)*p->at++;

		if (c == '\n') {
			p->pos.line++;
			p->pos.col = 1;
		} else if ((c & 0xc0) != 0x80) {
			p->pos.col++;
		}
	}
}

bool toml_fail(struct toml_parser *p, struct cfg_pos pos, const char *fmt, ...)
{
	struct toml_doc *doc = p->doc;
	va_list ap;

	va_start(ap, fmt);
	hv_vsnprintf(doc->message, sizeof(doc->message), fmt, ap);
	va_end(ap);
	doc->errors++;
	doc->error(doc, pos, doc->message);
	return false;
}

bool toml_fail_memory(struct toml_parser *p)
{
	if (!p->no_memory) {
		toml_fail(p, p->pos,
			  "the file is too long: more than %zu bytes are needed to read it",
			  p->doc->mem_size);
	}
	p->fatal = true;
	p->no_memory = true;
	return false;
}

bool toml_fail_expected(struct toml_parser *p, const char *what)
{
	int c = toml_peek(p);

	if (c < 0) {
		return toml_fail(p, p->pos, "expected %s, found the end of the file", what);
	}
	if (toml_at_newline(p)) {
		return toml_fail(p, p->pos, "expected %s, found the end of the line", what);
	}
	if (c < 0x20 || c >= 0x7f) {
		return toml_fail(p, p->pos, "expected %s, found the byte 0x%02x", what,
				 (unsigned)c);
	}
	return toml_fail(p, p->pos, "expected %s, found '%c'", what, c);
}

bool toml_put_char(struct toml_parser *p, char c)
{
	struct toml_doc *doc = p->doc;

	if (doc->mem_used >= doc->mem_size) {
		return toml_fail_memory(p);
	}
	((char *)doc->mem)[doc->mem_used++] = c;
	return true;
}

bool toml_put_end(struct toml_parser *p, size_t start, const char **str, size_t *len)
{
	*len = p->doc->mem_used - start;
	*str = (const char *)p->doc->mem + start;
	return toml_put_char(p, '\0');
}

static struct toml_node *node_new(struct toml_parser *p, struct toml_node *parent,
				  enum toml_type type, struct cfg_pos pos)
{
	struct toml_doc *doc = p->doc;
	size_t used = ALIGN_UP(doc->mem_used, _Alignof(struct toml_node));
	struct toml_node *node;

	if (parent != NULL && parent->depth >= TOML_MAX_DEPTH) {
		toml_fail(p, pos, "tables and arrays are nested more than %d deep", TOML_MAX_DEPTH);
		return NULL;
	}
	if (used > doc->mem_size || doc->mem_size - used < sizeof(*node)) {
		toml_fail_memory(p);
		return NULL;
	}
	node = (struct toml_node *)(void *)((char *)doc->mem + used);
	doc->mem_used = used + sizeof(*node);
	memset(node, 0, sizeof(*node));
	node->parent = parent;
	node->key = "";
	node->type = (uint8_t)type;
	node->depth = parent != NULL ? (uint8_t)(parent->depth + 1) : 0;
	node->pos = pos;
	node->key_pos = pos;
	return node;
}

static void node_link(struct toml_node *node)
{
	struct toml_node *parent = node->parent;

	if (parent->last != NULL) {
		parent->last->next = node;
	} else {
		parent->first = node;
	}
	parent->last = node;
}

struct toml_key {
	const char *str;
	size_t len;
	struct cfg_pos pos;
};

static struct toml_node *table_find(const struct toml_node *table, const struct toml_key *key)
{
	struct toml_node *n;

	for (n = table->first; n != NULL; n = n->next) {
		if (n->key_len == key->len && memcmp(n->key, key->str, key->len) == 0) {
			return n;
		}
	}
	return NULL;
}

static void node_set_key(struct toml_node *node, const struct toml_key *key)
{
	node->key = key->str;
	node->key_len = (uint32_t)key->len;
	node->key_pos = key->pos;
}

static struct toml_node *table_new(struct toml_parser *p, struct toml_node *parent,
				   const struct toml_key *key, uint8_t flags)
{
	struct toml_node *node = node_new(p, parent, TOML_TABLE, key->pos);

	if (node != NULL) {
		node_set_key(node, key);
		node->flags = flags;
		node_link(node);
	}
	return node;
}

static void skip_space(struct toml_parser *p)
{
	while (toml_peek(p) == ' ' || toml_peek(p) == '\t') {
		toml_skip(p, 1);
	}
}

static bool skip_comment(struct toml_parser *p)
{
	if (toml_peek(p) != '#') {
		return true;
	}
	while (toml_peek(p) >= 0 && !toml_at_newline(p)) {
		if (toml_is_control(toml_peek(p))) {
			return toml_fail(p, p->pos, "control character 0x%02x in a comment",
					 (unsigned)toml_peek(p));
		}
		toml_skip(p, 1);
	}
	return true;
}

static void skip_newline(struct toml_parser *p)
{
	toml_skip(p, toml_peek(p) == '\r' ? 2 : 1);
}

/* Spaces, comments and line ends, as between the elements of an array. */
static bool skip_blank(struct toml_parser *p)
{
	for (;;) {
		skip_space(p);
		if (!skip_comment(p)) {
			return false;
		}
		if (!toml_at_newline(p)) {
			return true;
		}
		skip_newline(p);
	}
}

static bool is_bare_key(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || toml_is_digit(c) || c == '_' ||
	       c == '-';
}

/* One part of a (dotted) key, with the spaces around it ("Keys"). */
static bool read_key_part(struct toml_parser *p, struct toml_key *key)
{
	int c;

	skip_space(p);
	*key = (struct toml_key){ .pos = p->pos };
	c = toml_peek(p);
	if (c == '"' || c == '\'') {
		if (!toml_read_string(p, false, &key->str, &key->len)) {
			return false;
		}
	} else {
		size_t start = p->doc->mem_used;

		if (!is_bare_key(c)) {
			return toml_fail_expected(p, "a key");
		}
		while (is_bare_key(toml_peek(p))) {
			if (!toml_put_char(p, *p->at)) {
				return false;
			}
			toml_skip(p, 1);
		}
		if (!toml_put_end(p, start, &key->str, &key->len)) {
			return false;
		}
	}
	skip_space(p);
	return true;
}

static bool fail_duplicate(struct toml_parser *p, const struct toml_key *key,
			   const struct toml_node *first)
{
	return toml_fail(p, key->pos, "'%.60s' is defined already, at line %u", key->str,
			 first->key_pos.line);
}

/*
 * key = or a.b.key =, in `table`.  Yields a node for the value, not linked to its
 * table yet: that is done when the value could be read.
 */
static struct toml_node *read_key_of_value(struct toml_parser *p, struct toml_node *table)
{
	struct toml_key key;
	struct toml_node *node;

	for (;;) {
		if (!read_key_part(p, &key)) {
			return NULL;
		}
		node = table_find(table, &key);
		if (toml_peek(p) != '.') {
			break;
		}
		toml_skip(p, 1);
		if (node == NULL) {
			node = table_new(p, table, &key, FLAG_DOTTED);
			if (node == NULL) {
				return NULL;
			}
		} else if (!(node->flags & FLAG_DOTTED)) {
			fail_duplicate(p, &key, node);
			return NULL;
		}
		table = node;
	}
	if (node != NULL) {
		fail_duplicate(p, &key, node);
		return NULL;
	}
	if (toml_peek(p) != '=') {
		toml_fail_expected(p, "'=' after the key");
		return NULL;
	}
	toml_skip(p, 1);
	skip_space(p);
	node = node_new(p, table, TOML_STRING, p->pos);
	if (node != NULL) {
		node_set_key(node, &key);
	}
	return node;
}

/* The array or inline table that a value stands in, past tables of dotted keys. */
static struct toml_node *enclosing(const struct toml_node *node)
{
	struct toml_node *up = node->parent;

	while (up->flags & FLAG_DOTTED) {
		up = up->parent;
	}
	return up;
}

/* Inside an array, before an element: NULL in *node if it ends here instead. */
static bool next_element(struct toml_parser *p, struct toml_node *array, struct toml_node **node)
{
	*node = NULL;
	if (!skip_blank(p)) {
		return false;
	}
	if (toml_peek(p) == ']') {
		toml_skip(p, 1);
		return true;
	}
	*node = node_new(p, array, TOML_STRING, p->pos);
	return *node != NULL;
}

/* Inside an inline table, before a key.  `first`: the table may also end here. */
static bool next_member(struct toml_parser *p, struct toml_node *table, bool first,
			struct toml_node **node)
{
	*node = NULL;
	skip_space(p);
	if (first && toml_peek(p) == '}') {
		toml_skip(p, 1);
		return true;
	}
	*node = read_key_of_value(p, table);
	return *node != NULL;
}

/* After a value in `up`: the next value's node, or NULL in *node if `up` ends. */
static bool after_value(struct toml_parser *p, struct toml_node *up, struct toml_node **node)
{
	bool array = up->type == TOML_ARRAY;

	*node = NULL;
	if (array) {
		if (!skip_blank(p)) {
			return false;
		}
	} else {
		skip_space(p);
	}
	if (toml_peek(p) == (array ? ']' : '}')) {
		toml_skip(p, 1);
		return true;
	}
	if (toml_peek(p) != ',') {
		return toml_fail_expected(p, array ? "',' or ']' in the array"
						   : "',' or '}' in the inline table");
	}
	toml_skip(p, 1);
	return array ? next_element(p, up, node) : next_member(p, up, false, node);
}

/* Reads what begins a value: all of it, or an opened array or table (*opened). */
static bool open_value(struct toml_parser *p, struct toml_node *node, bool *opened)
{
	int c = toml_peek(p);

	*opened = c == '[' || c == '{';
	if (*opened) {
		node->type = c == '[' ? TOML_ARRAY : TOML_TABLE;
		node->flags = FLAG_INLINE;
		toml_skip(p, 1);
		return true;
	}
	if (c == '"' || c == '\'') {
		node->type = TOML_STRING;
		return toml_read_string(p, true, &node->str, &node->str_len);
	}
	return toml_read_scalar(p, node);
}

/* A value with all that is in it, into `top`; `top` itself is linked by the caller. */
static bool read_value(struct toml_parser *p, struct toml_node *top)
{
	struct toml_node *node = top;

	for (;;) {
		struct toml_node *next = NULL;
		bool opened;

		if (!open_value(p, node, &opened)) {
			return false;
		}
		if (opened) {
			if (!(node->type == TOML_ARRAY ? next_element(p, node, &next)
						       : next_member(p, node, true, &next))) {
				return false;
			}
		}
		while (next == NULL && node != top) {
			struct toml_node *up = enclosing(node);

			node_link(node);
			if (!after_value(p, up, &next)) {
				return false;
			}
			node = up;
		}
		if (next == NULL) {
			return true;
		}
		node = next;
	}
}

static bool read_keyval(struct toml_parser *p, struct toml_node *table)
{
	struct toml_node *node = read_key_of_value(p, table);

	if (node == NULL || !read_value(p, node)) {
		return false;
	}
	node_link(node);
	return true;
}

/* A part of a header that is not its last: the table to go on in. */
static struct toml_node *walk_header(struct toml_parser *p, struct toml_node *table,
				     const struct toml_key *key)
{
	struct toml_node *node = table_find(table, key);

	if (node == NULL) {
		return table_new(p, table, key, FLAG_IMPLICIT);
	}
	if (node->flags & FLAG_AOT_ARRAY) {
		return node->last;
	}
	if (node->type != TOML_TABLE || (node->flags & FLAG_INLINE)) {
		toml_fail(p, key->pos, "'%.60s' (line %u) is a value, no table can be added to it",
			  key->str, node->key_pos.line);
		return NULL;
	}
	return node;
}

static struct toml_node *define_table(struct toml_parser *p, struct toml_node *table,
				      const struct toml_key *key)
{
	struct toml_node *node = table_find(table, key);

	if (node == NULL) {
		return table_new(p, table, key, 0);
	}
	if (!(node->flags & FLAG_IMPLICIT)) {
		fail_duplicate(p, key, node);
		return NULL;
	}
	node->flags &= (uint8_t)~FLAG_IMPLICIT;
	node->pos = key->pos;
	node->key_pos = key->pos;
	return node;
}

static struct toml_node *define_array_element(struct toml_parser *p, struct toml_node *table,
					      const struct toml_key *key)
{
	struct toml_node *array = table_find(table, key);
	struct toml_node *node;

	if (array == NULL) {
		array = node_new(p, table, TOML_ARRAY, key->pos);
		if (array == NULL) {
			return NULL;
		}
		node_set_key(array, key);
		array->flags = FLAG_AOT_ARRAY;
		/* Linked only with its first element in it: walk_header() relies on it. */
		node = node_new(p, array, TOML_TABLE, key->pos);
		if (node != NULL) {
			node_link(array);
			node_link(node);
		}
		return node;
	}
	if (!(array->flags & FLAG_AOT_ARRAY)) {
		fail_duplicate(p, key, array);
		return NULL;
	}
	node = node_new(p, array, TOML_TABLE, key->pos);
	if (node != NULL) {
		node_link(node);
	}
	return node;
}

/* [a.b] or [[a.b]]: the table that the following keys belong to. */
static struct toml_node *read_header(struct toml_parser *p)
{
	struct toml_node *table = p->doc->root;
	bool array = toml_peek_at(p, 1) == '[';
	struct toml_key key;

	toml_skip(p, array ? 2 : 1);
	for (;;) {
		if (!read_key_part(p, &key)) {
			return NULL;
		}
		if (toml_peek(p) != '.') {
			break;
		}
		toml_skip(p, 1);
		table = walk_header(p, table, &key);
		if (table == NULL) {
			return NULL;
		}
	}
	if (toml_peek(p) != ']') {
		toml_fail_expected(p, "']' after the table's name");
		return NULL;
	}
	toml_skip(p, 1);
	if (array) {
		if (toml_peek(p) != ']') {
			toml_fail_expected(p, "']]' after the name of the array of tables");
			return NULL;
		}
		toml_skip(p, 1);
	}
	return array ? define_array_element(p, table, &key) : define_table(p, table, &key);
}

static bool read_line_end(struct toml_parser *p)
{
	skip_space(p);
	if (!skip_comment(p)) {
		return false;
	}
	if (toml_peek(p) >= 0 && !toml_at_newline(p)) {
		return toml_fail_expected(p, "the end of the line");
	}
	return true;
}

/* Does the text from here, the start of a line, look like `key =` or `[header]`? */
static bool looks_like_start(const struct toml_parser *p, bool header_only)
{
	bool header = toml_peek(p) == '[';
	size_t i = 0;

	if (header_only && !header) {
		return false;
	}
	while (toml_peek_at(p, i) == '[') {
		i++;
	}
	/* An element of a broken array, [0x4000, ...], is not a header. */
	if (header && toml_is_digit(toml_peek_at(p, i))) {
		return false;
	}
	if (!is_bare_key(toml_peek_at(p, i))) {
		return false;
	}
	while (is_bare_key(toml_peek_at(p, i)) || toml_peek_at(p, i) == '.') {
		i++;
	}
	while (toml_peek_at(p, i) == ' ' || toml_peek_at(p, i) == '\t') {
		i++;
	}
	return toml_peek_at(p, i) == (header ? ']' : '=');
}

/* After an error: to the next line that can be understood on its own. */
static void recover(struct toml_parser *p, bool header_only)
{
	while (toml_peek(p) >= 0) {
		while (toml_peek(p) >= 0 && toml_peek(p) != '\n') {
			toml_skip(p, 1);
		}
		if (toml_peek(p) == '\n') {
			toml_skip(p, 1);
		}
		if (looks_like_start(p, header_only)) {
			return;
		}
	}
}

static void read_document(struct toml_parser *p)
{
	struct toml_node *table = p->doc->root;

	for (;;) {
		bool ok = skip_blank(p);

		if (ok && toml_peek(p) < 0) {
			return;
		}
		if (ok && toml_peek(p) == '[') {
			table = read_header(p);
			ok = table != NULL && read_line_end(p);
		} else if (ok) {
			ok = read_keyval(p, table) && read_line_end(p);
		}
		if (ok) {
			continue;
		}
		if (p->fatal) {
			return;
		}
		if (p->doc->errors >= TOML_MAX_ERRORS) {
			toml_fail(p, p->pos, "too many errors, the rest is not read");
			return;
		}
		/* Keys after a header that could not be read belong nowhere. */
		recover(p, table == NULL);
	}
}

/* The length of the UTF-8 sequence at s, `n` bytes at most; 0 if it is not valid. */
static size_t utf8_length(const char *s, size_t n)
{
	const unsigned char *b = (const unsigned char *)s;
	uint32_t c = b[0];
	size_t len;
	size_t i;

	if (c < 0x80) {
		return 1;
	}
	if (c >= 0xc2 && c <= 0xdf) {
		len = 2;
		c &= 0x1f;
	} else if ((c & 0xf0) == 0xe0) {
		len = 3;
		c &= 0x0f;
	} else if (c >= 0xf0 && c <= 0xf4) {
		len = 4;
		c &= 0x07;
	} else {
		return 0;
	}
	if (n < len) {
		return 0;
	}
	for (i = 1; i < len; i++) {
		if ((b[i] & 0xc0) != 0x80) {
			return 0;
		}
		c = c << 6 | (b[i] & 0x3fU);
	}
	/* Overlong forms, surrogates, past the end of Unicode. */
	if ((len == 3 && c < 0x800) || (len == 4 && c < 0x10000) || (c >= 0xd800 && c <= 0xdfff) ||
	    c > 0x10ffff) {
		return 0;
	}
	return len;
}

static bool check_utf8(struct toml_parser *p)
{
	struct toml_parser q = *p;

	while (q.at < q.end) {
		size_t n = utf8_length(q.at, (size_t)(q.end - q.at));

		if (n == 0) {
			return toml_fail(p, q.pos, "the byte 0x%02x is not valid UTF-8",
					 (unsigned)toml_peek(&q));
		}
		toml_skip(&q, n);
	}
	return true;
}

int toml_parse(struct toml_doc *doc, const char *text, size_t len)
{
	struct toml_parser p = {
		.doc = doc,
		.at = text,
		.end = text + len,
		.pos = { 1, 1 },
	};

	doc->errors = 0;
	doc->mem_used = 0;
	doc->root = node_new(&p, NULL, TOML_TABLE, p.pos);
	if (doc->root == NULL) {
		return -ENOMEM;
	}
	if (!check_utf8(&p)) {
		return -EINVAL;
	}
	/* A byte order mark is no part of the text. */
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		p.at += 3;
	}
	read_document(&p);
	if (p.no_memory) {
		return -ENOMEM;
	}
	return doc->errors == 0 ? 0 : -EINVAL;
}

const struct toml_node *toml_get(const struct toml_node *table, const char *key)
{
	struct toml_key k = { .str = key, .len = strlen(key) };

	return table->type == TOML_TABLE ? table_find(table, &k) : NULL;
}

const char *toml_type_name(enum toml_type type)
{
	static const char *const names[] = {
		[TOML_STRING] = "a string",
		[TOML_INTEGER] = "an integer",
		[TOML_FLOAT] = "a float",
		[TOML_BOOL] = "a boolean",
		[TOML_DATETIME] = "a date and time",
		[TOML_DATETIME_LOCAL] = "a local date and time",
		[TOML_DATE_LOCAL] = "a local date",
		[TOML_TIME_LOCAL] = "a local time",
		[TOML_ARRAY] = "an array",
		[TOML_TABLE] = "a table",
	};

	return names[type];
}
