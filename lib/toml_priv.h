/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the two halves of the TOML parser share: toml.c (document, tables, keys) and
 * toml_scalar.c (strings, numbers, dates).
 *
 * Functions that return bool have reported an error when they return false.
 */
#ifndef LIB_TOML_PRIV_H
#define LIB_TOML_PRIV_H

#include <hv/toml.h>

struct toml_parser {
	struct toml_doc *doc;
	const char *at;
	const char *end;
	struct cfg_pos pos; /* of *at */
	bool fatal;	    /* no use in going on */
	bool no_memory;
};

/* The next byte, or the one `n` bytes on; -1 at the end of the text. */
static inline int toml_peek_at(const struct toml_parser *p, size_t n)
{
	return n < (size_t)(p->end - p->at) ? (unsigned char)p->at[n] : -1;
}

static inline int toml_peek(const struct toml_parser *p)
{
	return toml_peek_at(p, 0);
}

/* "\n" or "\r\n" is next. */
static inline bool toml_at_newline(const struct toml_parser *p)
{
	return toml_peek(p) == '\n' || (toml_peek(p) == '\r' && toml_peek_at(p, 1) == '\n');
}

static inline bool toml_is_control(int c)
{
	return (c >= 0 && c < 0x20 && c != '\t') || c == 0x7f;
}

static inline bool toml_is_digit(int c)
{
	return c >= '0' && c <= '9';
}

/* Steps over `n` bytes, which there must be. */
void toml_skip(struct toml_parser *p, size_t n);

/* Reports an error at `pos`; always false. */
bool toml_fail(struct toml_parser *p, struct cfg_pos pos, const char *fmt, ...) __printf(3, 4);
/* Reports "expected <what>, found <the next character>". */
bool toml_fail_expected(struct toml_parser *p, const char *what);
bool toml_fail_memory(struct toml_parser *p);

/* Any string, quotes included, to a zero-terminated copy. */
bool toml_read_string(struct toml_parser *p, bool multiline_allowed, const char **str, size_t *len);

/* A number, boolean or date into `node`. */
bool toml_read_scalar(struct toml_parser *p, struct toml_node *node);

/* Puts the byte at the end of the string that is being built at the arena's end. */
bool toml_put_char(struct toml_parser *p, char c);
/* Ends that string, which began at `start` = doc->mem_used. */
bool toml_put_end(struct toml_parser *p, size_t start, const char **str, size_t *len);

#endif
