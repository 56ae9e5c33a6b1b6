/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the parts of the configuration reader share.
 *
 *   vm_config.c  one file: TOML, sections, unknown and missing keys
 *   read.c       typed values with their diagnostics
 *   keys.c       the keys of [base] and [kernel]
 *   devices.c    the keys of [devices]
 *   check.c      rules between the settings of one VM
 *   arch.c       the architecture that a file speaks for
 *   set.c        rules between the VMs of one machine
 */
#ifndef CONFIG_CONFIG_PRIV_H
#define CONFIG_CONFIG_PRIV_H

#include <hv/toml.h>
#include <hv/vm_config.h>

#define CFG_ADDR_END (UINT64_C(1) << VM_ADDR_BITS)

struct cfg_reader {
	struct vm_config *cfg;
	struct diag_sink *sink;
	enum vm_arch arch;
	bool memory_incomplete; /* some region could not be read */
};

/* A key of a section and the function that reads its value. */
struct cfg_key {
	const char *name;
	void (*read)(struct cfg_reader *r, const struct toml_node *value);
	bool mandatory;
};

struct cfg_section {
	const char *name;
	const struct cfg_key *keys;
	uint32_t count;
};

extern const struct cfg_section cfg_section_base;
extern const struct cfg_section cfg_section_kernel;
extern const struct cfg_section cfg_section_devices;

void cfg_error(struct cfg_reader *r, struct cfg_pos pos, const char *fmt, ...) __printf(3, 4);
void cfg_warn(struct cfg_reader *r, struct cfg_pos pos, const char *fmt, ...) __printf(3, 4);
void cfg_note(struct cfg_reader *r, struct cfg_pos pos, const char *fmt, ...) __printf(3, 4);

/* What a message calls a value: "cpu_num", "size of memory_regions[2]". */
struct cfg_what {
	const char *field; /* NULL: the entry or the key itself */
	const char *key;
	int index; /* < 0: the key itself, no list */
};

#define CFG_KEY(node) ((struct cfg_what){ .key = (node)->key, .index = -1 })

/* False: the type is another one, reported. */
bool cfg_expect(struct cfg_reader *r, const struct toml_node *node, enum toml_type type,
		const struct cfg_what *what);
/* False: not an integer or outside min..max, reported; *value is unchanged then. */
bool cfg_read_uint(struct cfg_reader *r, const struct toml_node *node, const struct cfg_what *what,
		   uint64_t min, uint64_t max, uint64_t *value);
/* A printable string that fits into buf; "" on errors, which are reported. */
bool cfg_read_string(struct cfg_reader *r, const struct toml_node *node,
		     const struct cfg_what *what, char *buf, size_t size);
/* One of `count` names; the index, or -1 (reported). */
int cfg_read_choice(struct cfg_reader *r, const struct toml_node *node, const char *const names[],
		    int count);

/* Entries of a list: [name, number, number, ...]. */
#define CFG_MAX_NUMBERS 5

struct cfg_number {
	const char *name;
	uint64_t min;
	uint64_t max;
};

struct cfg_entry_form {
	const char *key;
	const char *text; /* e.g. "[gpa, size, flags, map_type]" */
	bool named;	  /* the first element is a string */
	uint32_t numbers;
	uint32_t optional; /* how many of the numbers may be left out at the end */
	struct cfg_number number[CFG_MAX_NUMBERS];
};

/*
 * Reads one entry; numbers left out are 0.  `name` may be NULL if the form has none.
 * *rest (may be NULL: nothing more is allowed) gets the node after the last number.
 */
bool cfg_read_entry(struct cfg_reader *r, const struct toml_node *entry, int index,
		    const struct cfg_entry_form *form, char *name, size_t name_size,
		    uint64_t *numbers, const struct toml_node **rest);

/* Calls `one` for each element of a list, at most `max`; more are an error. */
void cfg_read_list(struct cfg_reader *r, const struct toml_node *list, uint32_t max,
		   void (*one)(struct cfg_reader *r, const struct toml_node *node, int index));

/* How many elements an array or table has. */
uint32_t cfg_count(const struct toml_node *node);

/* Edits between two words, letter case aside; a part of a word is near to it. */
uint32_t cfg_distance(const char *a, const char *b);

/* The rules between settings, after all were read. */
void cfg_check(struct cfg_reader *r);
/* The architecture that the file, its name and its devices speak for. */
void cfg_check_arch(struct cfg_reader *r);

#endif
