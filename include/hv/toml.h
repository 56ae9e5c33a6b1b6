/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0.0: text to a tree, in memory that the caller gives.
 *
 * Everything in the tree lives in that memory; the text is not needed afterwards.
 * Integers are 64-bit.  There is no floating point: floats and dates are checked
 * and kept as text.  The parser does not recurse.  An error does not end it: it goes
 * on at the next line that looks like a key or a table header, so that one call
 * finds every error, and leaves what it could not read out of the tree.
 */
#ifndef HV_TOML_H
#define HV_TOML_H

#include <hv/diag.h>
#include <hv/types.h>

enum toml_type {
	TOML_STRING,
	TOML_INTEGER,
	TOML_FLOAT,
	TOML_BOOL,
	TOML_DATETIME, /* with an offset */
	TOML_DATETIME_LOCAL,
	TOML_DATE_LOCAL,
	TOML_TIME_LOCAL,
	TOML_ARRAY,
	TOML_TABLE,
};

#define TOML_MAX_DEPTH	64 /* tables and arrays within each other */
#define TOML_MAX_ERRORS 20 /* syntax errors reported before the parser gives up */

struct toml_node {
	struct toml_node *next;	  /* sibling, in the order of the file */
	struct toml_node *parent; /* NULL for the root */
	const char *key;	  /* zero-terminated, "" for array elements */
	uint32_t key_len;	  /* a key may contain zeros, too */
	uint8_t type;		  /* enum toml_type */
	uint8_t flags;		  /* the parser's own */
	uint8_t depth;		  /* 0 for the root */
	struct cfg_pos key_pos;	  /* tables made by a header: the header */
	struct cfg_pos pos;	  /* of the value */
	union {
		struct { /* TOML_ARRAY, TOML_TABLE */
			struct toml_node *first;
			struct toml_node *last;
		};
		struct { /* TOML_STRING; floats and dates: text without '_', 'T' and 'Z' large */
			const char *str; /* zero-terminated, may contain zeros */
			size_t str_len;
		};
		int64_t integer;
		bool boolean;
	};
};

struct toml_doc {
	/* Set by the caller. */
	void *mem; /* aligned to 8 bytes */
	size_t mem_size;
	void (*error)(struct toml_doc *doc, struct cfg_pos pos, const char *message);
	/* Set by toml_parse(). */
	struct toml_node *root; /* NULL only if mem holds not even one node */
	uint32_t errors;
	size_t mem_used;
	char message[160];
};

/*
 * Reads `len` bytes of UTF-8.  0; -EINVAL: errors were reported; -ENOMEM: the memory
 * is too small (reported as well).  doc->root holds what could be read in any case.
 */
int __must_check toml_parse(struct toml_doc *doc, const char *text, size_t len);

/* The value of a key of a table, or NULL. */
const struct toml_node *toml_get(const struct toml_node *table, const char *key);

/* "a string", "an integer", ...: for messages. */
const char *toml_type_name(enum toml_type type);

#endif
