/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page tables: one walker over formats.
 *
 * All formats have 4 KiB pages and 9 bits a level.  Levels are counted from the leaves
 * here: level 0 maps 4 KiB, 1 maps 2 MiB, 2 maps 1 GiB, 3 is 512 GiB, 4 is 256 TiB.
 * The root may be up to 16 tables side by side (Arm stage 2: concatenation; Sv39x4:
 * 16 KiB), or be used in part only.
 *
 * Tables are taken from the page allocator under `owner`, and given back when they
 * become empty.  Entries change by single 64-bit stores.
 *
 * What hardware may still remember of changed entries is collected in a struct
 * pt_inval and invalidated in one go by pt_commit(); tables that were unlinked are
 * freed only then.  Until it returns, the frames that were mapped must not get a new
 * owner.  Splitting a block on an architecture that demands break-before-make (Arm ARM
 * DDI 0487 D8.16 "TLB maintenance", "break-before-make") invalidates at once, in the
 * middle: other cores may fault on that block for a moment and must retry once the
 * lock is free.
 *
 * Locks: the owner of a struct pt serializes all calls on it; hardware walks meanwhile.
 */
#ifndef HV_PT_H
#define HV_PT_H

#include <hv/page.h>
#include <hv/types.h>

#define PT_MAX_LEVELS 5

/* Attributes of a mapping; the first six have the values of VM_MEM_*. */
#define PT_R	    BIT32(0)
#define PT_W	    BIT32(1)
#define PT_X	    BIT32(2)
#define PT_USER	    BIT32(3) /* ignored by stage-2 formats */
#define PT_DEVICE   BIT32(4) /* device memory; with PT_UNCACHED: device */
#define PT_UNCACHED BIT32(5) /* normal memory, not cached */
#define PT_ATTR_ALL (PT_R | PT_W | PT_X | PT_USER | PT_DEVICE | PT_UNCACHED)

enum pt_kind {
	PT_NONE, /* invalid: hardware faults */
	PT_TABLE,
	PT_LEAF,
};

struct pt_format {
	const char *name;
	uint8_t max_in_bits;
	uint8_t max_out_bits;
	bool break_before_make;	  /* splits and changes that needs_break() names */
	bool invalidate_new;	  /* hardware may remember that an entry was invalid */
	int8_t manual_leaf_level; /* what the manual calls level 0 ... */
	int8_t manual_step;	  /* ... and adds for the next one: Arm 3, -1 */
	uint64_t (*table)(hpa_t table);
	/* attr was checked by attr_ok(). */
	uint64_t (*leaf)(hpa_t out, unsigned level, uint32_t attr);
	/* For PT_TABLE *out is the table; for PT_LEAF *out and *attr what leaf() took. */
	enum pt_kind (*decode)(uint64_t entry, unsigned level, hpa_t *out, uint32_t *attr);
	/* Can the format express these attributes? */
	bool (*attr_ok)(uint32_t attr);
	/* Must this leaf go through invalid to become that one (same level and address)? */
	bool (*needs_break)(uint64_t from, uint64_t to);
};

/* The shape of one tree: found at boot, the same for all trees of a kind. */
struct pt_shape {
	const struct pt_format *fmt;
	uint8_t in_bits;    /* input addresses are below 2^in_bits */
	uint8_t out_bits;   /* output addresses are below 2^out_bits */
	uint8_t root_level; /* 1..4; up to 2^13 entries in the root */
	uint8_t max_leaf;   /* largest block: 0 (4 KiB), 1 (2 MiB), 2 (1 GiB) */
};

struct pt;
struct pt_inval;

struct pt_ops {
	/* Table entries written so far are seen by every table walk from now on (Arm: dsb ishst). */
	void (*publish)(struct pt *pt);
	/*
	 * Nothing remembers the old entries of inv's ranges any more, on any core of
	 * inv->cpus, once it returns (Arm: TLBI ..IS, DSB).  It starts with a publish().
	 */
	void (*invalidate)(struct pt *pt, const struct pt_inval *inv);
};

struct pt {
	struct pt_shape shape;
	const struct pt_ops *ops;
	hpa_t root; /* root_tables() tables, naturally aligned */
	owner_t owner;
	uint32_t table_pages; /* frames in use for tables, with the root */
	uint64_t cpus;	      /* cores that may hold entries; atomic, see pt_used_on() */
};

#define PT_INVAL_RANGES 8

struct pt_inval_range {
	uint64_t in;
	uint64_t size;
	uint8_t level; /* smallest leaf in it: the stride for invalidating by address */
};

/* Zero is an empty one. */
struct pt_inval {
	uint32_t count;
	bool all;	/* more than fits: invalidate the whole tree */
	bool tables;	/* tables were unlinked: walk caches too, not only last level */
	uint64_t cpus;	/* set by the walker before invalidate() */
	uint64_t freed; /* the walker's: unlinked tables, chained; 0 = none */
	struct pt_inval_range range[PT_INVAL_RANGES];
};

/* What pt_query() saw, from the root down: for crash reports. */
struct pt_walk {
	uint32_t steps;
	struct {
		uint8_t level; /* counted from the leaves */
		hpa_t at;      /* of the entry */
		uint64_t entry;
	} step[PT_MAX_LEVELS];
	bool mapped;
	/* If mapped: */
	hpa_t out;     /* of the address asked for */
	uint64_t left; /* bytes from there to the end of the page or block */
	uint32_t attr;
};

/*
 * An empty tree.  -ENOMEM: no frames for the root; -EINVAL: a shape that the format
 * does not have.
 */
int __must_check pt_init(struct pt *pt, const struct pt_shape *shape, const struct pt_ops *ops,
			 owner_t owner);

/*
 * Takes everything down, invalidates it and returns every table.  The mapped frames
 * themselves are the caller's.  Bounded by the number of tables.
 */
void pt_destroy(struct pt *pt);

/* This core may from now on hold entries of the tree in its TLB. */
static inline void pt_used_on(struct pt *pt, uint32_t cpu)
{
	uint64_t bit = BIT64(cpu);

	if ((__atomic_load_n(&pt->cpus, __ATOMIC_RELAXED) & bit) == 0) {
		__atomic_fetch_or(&pt->cpus, bit, __ATOMIC_SEQ_CST);
	}
}

/*
 * Maps [in, in + size) to [out, out + size) with the largest possible blocks.
 * -EINVAL: not whole pages, past the end of either address space, attributes that the
 * format lacks; -EEXIST: something is mapped there already; -ENOMEM.
 * When it fails nothing has changed; *where (may be NULL) is the first input address
 * that could not be mapped.
 */
int __must_check pt_map(struct pt *pt, uint64_t in, hpa_t out, uint64_t size, uint32_t attr,
			uint64_t *where);

/*
 * Unmaps [in, in + size); what is not mapped there stays so.  Blocks that stick out
 * are split.  With inv == NULL it commits itself; else the caller must pt_commit().
 * -EINVAL; -ENOMEM: no frame for a split, nothing has changed.
 */
int __must_check pt_unmap(struct pt *pt, uint64_t in, uint64_t size, struct pt_inval *inv);

/*
 * Gives a range that is wholly mapped new attributes.  As pt_unmap(); and -ENOENT: not
 * mapped at *where (may be NULL).  When it fails nothing has changed.
 */
int __must_check pt_protect(struct pt *pt, uint64_t in, uint64_t size, uint32_t attr,
			    struct pt_inval *inv, uint64_t *where);

/* Invalidates what was collected, frees unlinked tables, empties *inv. */
void pt_commit(struct pt *pt, struct pt_inval *inv);

/* Follows the tables as hardware would; false (and walk->mapped) if not mapped. */
bool pt_query(const struct pt *pt, uint64_t in, struct pt_walk *walk);

/* 4 KiB tables in the root. */
uint32_t pt_root_tables(const struct pt_shape *shape);

/* The manual's name of a level. */
static inline int pt_manual_level(const struct pt_format *fmt, unsigned level)
{
	return fmt->manual_leaf_level + fmt->manual_step * (int)level;
}

#endif
