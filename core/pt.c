/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page-table walker; see hv/pt.h.
 *
 * Invariants: a table other than the root has at least one valid entry; a leaf lies
 * at or below shape.max_leaf.  Functions that take a level and a table work on the part
 * of a range that lies in this table; they call themselves for the level below, so at
 * most PT_MAX_LEVELS deep.
 */
#include <errno.h>
#include <hv/arch_mm.h>
#include <hv/bug.h>
#include <hv/pt.h>
#include <string.h>

#define INDEX_BITS    9
#define TABLE_ENTRIES (UINT64_C(1) << INDEX_BITS)

/* A split may be needed at each end of a range, on each level that has blocks. */
#define MAX_SPLITS 4

static unsigned level_shift(unsigned level)
{
	return PAGE_SHIFT + INDEX_BITS * level;
}

static uint64_t level_size(unsigned level)
{
	return UINT64_C(1) << level_shift(level);
}

/* Hardware reads entries at any time, and on some architectures writes flags. */
static uint64_t entry_read(const uint64_t *e)
{
	return __atomic_load_n(e, __ATOMIC_RELAXED);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): the builtin does write */
static void entry_write(uint64_t *e, uint64_t v)
{
	__atomic_store_n(e, v, __ATOMIC_RELAXED);
}

static uint64_t table_entries(const struct pt *pt, unsigned level)
{
	return level == pt->shape.root_level ? BIT64(pt->shape.in_bits - level_shift(level))
					     : TABLE_ENTRIES;
}

/* The root's index has all the bits above, which is how concatenated tables work. */
static uint64_t entry_index(const struct pt *pt, uint64_t in, unsigned level)
{
	return (in >> level_shift(level)) & (table_entries(pt, level) - 1);
}

/* First input address behind the entry that holds `in`. */
static uint64_t entry_end(uint64_t in, unsigned level)
{
	return ALIGN_DOWN(in, level_size(level)) + level_size(level);
}

static uint64_t *entry_of(const struct pt *pt, hpa_t table, uint64_t in, unsigned level)
{
	return (uint64_t *)hpa_to_ptr(table) + entry_index(pt, in, level);
}

static enum pt_kind entry_decode(const struct pt *pt, const uint64_t *e, unsigned level, hpa_t *out,
				 uint32_t *attr)
{
	return pt->shape.fmt->decode(entry_read(e), level, out, attr);
}

/* ---- tables ---- */

uint32_t pt_root_tables(const struct pt_shape *shape)
{
	unsigned bits = shape->in_bits - level_shift(shape->root_level);

	return bits <= INDEX_BITS ? 1 : BIT32(bits - INDEX_BITS);
}

static unsigned root_order(const struct pt_shape *shape)
{
	return (unsigned)__builtin_ctz(pt_root_tables(shape));
}

static int table_alloc(struct pt *pt, hpa_t *table)
{
	int ret = page_alloc(pt->owner, 0, table);

	if (ret == 0) {
		memset(hpa_to_ptr(*table), 0, PAGE_SIZE);
		pt->table_pages++;
	}
	return ret;
}

static void table_free(struct pt *pt, hpa_t table)
{
	page_free(pt->owner, table, 0);
	pt->table_pages--;
}

/* An entry is zero or valid: nothing else is ever written. */
static bool table_empty(hpa_t table)
{
	const uint64_t *e = hpa_to_ptr(table);

	for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
		if (entry_read(&e[i]) != 0) {
			return false;
		}
	}
	return true;
}

/*
 * Unlinked tables wait for the invalidation in a chain that runs through their first
 * entries: an address of a page is an invalid entry in every format, so walks that
 * still find the table are safe.
 */
static void table_retire(struct pt_inval *inv, hpa_t table)
{
	entry_write(hpa_to_ptr(table), inv->freed);
	inv->freed = table.a;
	inv->tables = true;
}

/* NOLINTBEGIN(misc-no-recursion): one call a level, there are at most PT_MAX_LEVELS */

/* A whole subtree that was unlinked. */
static void tables_retire(struct pt *pt, hpa_t table, unsigned level, struct pt_inval *inv)
{
	const uint64_t *e = hpa_to_ptr(table);
	hpa_t child;
	uint32_t attr;

	for (uint64_t i = 0; level > 0 && i < TABLE_ENTRIES; i++) {
		if (entry_decode(pt, &e[i], level, &child, &attr) == PT_TABLE) {
			tables_retire(pt, child, level - 1, inv);
		}
	}
	table_retire(inv, table);
}

static void freed_return(struct pt *pt, struct pt_inval *inv)
{
	while (inv->freed != 0) {
		hpa_t table = hpa(inv->freed);

		inv->freed = entry_read(hpa_to_ptr(table));
		table_free(pt, table);
	}
}

/* ---- invalidation ---- */

static void inval_add(struct pt_inval *inv, uint64_t in, uint64_t size, unsigned level)
{
	struct pt_inval_range *r = inv->count == 0 ? NULL : &inv->range[inv->count - 1];

	if (r != NULL && r->level == level && r->in + r->size == in) {
		r->size += size;
	} else if (inv->count < PT_INVAL_RANGES) {
		inv->range[inv->count].in = in;
		inv->range[inv->count].size = size;
		inv->range[inv->count].level = (uint8_t)level;
		inv->count++;
	} else {
		inv->all = true;
	}
}

void pt_commit(struct pt *pt, struct pt_inval *inv)
{
	if (inv->count != 0 || inv->all || inv->tables) {
		/* A core that sets its bit later walks the tables later too. */
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		inv->cpus = __atomic_load_n(&pt->cpus, __ATOMIC_RELAXED);
		pt->ops->invalidate(pt, inv);
		freed_return(pt, inv);
	}
	memset(inv, 0, sizeof(*inv));
}

/* One leaf, now. */
static void leaf_invalidate(struct pt *pt, uint64_t in, unsigned level)
{
	struct pt_inval inv = { 0 };

	inval_add(&inv, ALIGN_DOWN(in, level_size(level)), level_size(level), level);
	pt_commit(pt, &inv);
}

/* ---- looking ---- */

bool pt_query(const struct pt *pt, uint64_t in, struct pt_walk *walk)
{
	hpa_t table = pt->root;

	walk->steps = 0;
	walk->mapped = false;
	if ((in >> pt->shape.in_bits) != 0) {
		return false;
	}
	for (unsigned level = pt->shape.root_level;; level--) {
		uint64_t i = entry_index(pt, in, level);
		uint64_t e = entry_read((const uint64_t *)hpa_to_ptr(table) + i);
		uint32_t n = walk->steps++;
		enum pt_kind kind;

		walk->step[n].level = (uint8_t)level;
		walk->step[n].at = hpa(table.a + i * sizeof(uint64_t));
		walk->step[n].entry = e;
		kind = pt->shape.fmt->decode(e, level, &table, &walk->attr);
		if (kind == PT_LEAF) {
			uint64_t offset = in & (level_size(level) - 1);

			walk->mapped = true;
			walk->out = hpa(table.a + offset);
			walk->left = level_size(level) - offset;
		}
		if (kind != PT_TABLE) {
			return walk->mapped;
		}
		BUG_ON(level == 0);
	}
}

/*
 * The first address in [in, end) that is mapped (want) or not mapped (!want); end if
 * there is none.
 */
static uint64_t find_level(const struct pt *pt, hpa_t table, unsigned level, uint64_t in,
			   uint64_t end, bool want)
{
	while (in < end) {
		uint64_t next = MIN(entry_end(in, level), end);
		hpa_t out;
		uint32_t attr;
		enum pt_kind kind =
			entry_decode(pt, entry_of(pt, table, in, level), level, &out, &attr);

		if (kind == PT_TABLE) {
			uint64_t at = find_level(pt, out, level - 1, in, next, want);

			if (at < next) {
				return at;
			}
		} else if ((kind == PT_LEAF) == want) {
			return in;
		}
		in = next;
	}
	return end;
}

static uint64_t find_mapped(const struct pt *pt, uint64_t in, uint64_t end, bool want)
{
	return find_level(pt, pt->root, pt->shape.root_level, in, end, want);
}

static bool range_ok(uint64_t a, uint64_t size, unsigned bits)
{
	return IS_ALIGNED(a, PAGE_SIZE) && IS_ALIGNED(size, PAGE_SIZE) &&
	       range_within(a, size, 0, BIT64(bits));
}

/* ---- mapping ---- */

struct mapping {
	uint64_t in; /* next address to map; where memory ran out */
	uint64_t end;
	uint64_t out; /* of `in` */
	uint32_t attr;
};

static bool leaf_fits(const struct pt *pt, const struct mapping *m, unsigned level)
{
	return level <= pt->shape.max_leaf && IS_ALIGNED(m->in | m->out, level_size(level)) &&
	       m->end - m->in >= level_size(level);
}

/* A tree under construction that no hardware has seen goes back. */
static void tables_discard(struct pt *pt, hpa_t table, unsigned level)
{
	struct pt_inval inv = { 0 };

	tables_retire(pt, table, level, &inv);
	freed_return(pt, &inv);
}

static int map_level(struct pt *pt, hpa_t table, unsigned level, struct mapping *m);

/* A table that is filled before it is linked: hardware sees all of it or nothing. */
static int map_new_table(struct pt *pt, uint64_t *e, unsigned level, struct mapping *m)
{
	hpa_t child;
	int ret = table_alloc(pt, &child);

	if (ret != 0) {
		return ret;
	}
	ret = map_level(pt, child, level - 1, m);
	if (ret != 0) {
		tables_discard(pt, child, level - 1);
		return ret;
	}
	pt->ops->publish(pt);
	entry_write(e, pt->shape.fmt->table(child));
	return 0;
}

/* Maps up to the end of this table's part of m; nothing is mapped there yet. */
static int map_level(struct pt *pt, hpa_t table, unsigned level, struct mapping *m)
{
	uint64_t count = table_entries(pt, level);
	int ret = 0;

	for (uint64_t i = entry_index(pt, m->in, level); ret == 0 && i < count && m->in < m->end;
	     i++) {
		uint64_t *e = (uint64_t *)hpa_to_ptr(table) + i;
		hpa_t child;
		uint32_t attr;
		enum pt_kind kind = entry_decode(pt, e, level, &child, &attr);

		BUG_ON(kind == PT_LEAF);
		if (kind == PT_TABLE) {
			ret = map_level(pt, child, level - 1, m);
		} else if (leaf_fits(pt, m, level)) {
			entry_write(e, pt->shape.fmt->leaf(hpa(m->out), level, m->attr));
			m->in += level_size(level);
			m->out += level_size(level);
		} else {
			ret = map_new_table(pt, e, level, m);
		}
	}
	return ret;
}

/* ---- unmapping ---- */

/* Entries that stick out of the range have been split before. */
static void unmap_level(struct pt *pt, hpa_t table, unsigned level, uint64_t in, uint64_t end,
			struct pt_inval *inv)
{
	while (in < end) {
		uint64_t *e = entry_of(pt, table, in, level);
		uint64_t next = MIN(entry_end(in, level), end);
		hpa_t child;
		uint32_t attr;
		enum pt_kind kind = entry_decode(pt, e, level, &child, &attr);

		if (kind == PT_LEAF) {
			BUG_ON(next - in != level_size(level));
			entry_write(e, 0);
			inval_add(inv, in, next - in, level);
		} else if (kind == PT_TABLE && next - in == level_size(level)) {
			entry_write(e, 0);
			inval_add(inv, in, next - in, 0);
			tables_retire(pt, child, level - 1, inv);
		} else if (kind == PT_TABLE) {
			unmap_level(pt, child, level - 1, in, next, inv);
			if (table_empty(child)) {
				entry_write(e, 0);
				table_retire(inv, child);
			}
		}
		in = next;
	}
}

/* ---- splitting ---- */

struct spare {
	uint32_t count;
	hpa_t table[MAX_SPLITS];
};

/* The level of the leaf that holds `in`, or 0: pages need no split. */
static unsigned leaf_level(const struct pt *pt, uint64_t in)
{
	struct pt_walk walk;

	return pt_query(pt, in, &walk) ? walk.step[walk.steps - 1].level : 0;
}

/*
 * How many tables it takes that leaves end at `at`, when the same has been done at
 * `done` (or done == at for nothing yet).
 */
static uint32_t count_splits(const struct pt *pt, uint64_t at, uint64_t done)
{
	uint32_t n = 0;

	for (unsigned level = leaf_level(pt, at); level > 0; level--) {
		uint64_t size = level_size(level);
		bool shared = done != at && !IS_ALIGNED(done, size) &&
			      ALIGN_DOWN(done, size) == ALIGN_DOWN(at, size);

		if (IS_ALIGNED(at, size)) {
			break;
		}
		n += shared ? 0 : 1;
	}
	return n;
}

/* Replaces the leaf *e, which maps the area around `in`, by a table of smaller ones. */
static void split(struct pt *pt, uint64_t *e, unsigned level, uint64_t in, hpa_t child,
		  struct pt_inval *inv)
{
	const struct pt_format *fmt = pt->shape.fmt;
	uint64_t *entries = hpa_to_ptr(child);
	hpa_t out;
	uint32_t attr;

	BUG_ON(entry_decode(pt, e, level, &out, &attr) != PT_LEAF);
	for (uint64_t i = 0; i < TABLE_ENTRIES; i++) {
		entry_write(&entries[i],
			    fmt->leaf(hpa(out.a + i * level_size(level - 1)), level - 1, attr));
	}
	if (fmt->break_before_make) {
		entry_write(e, 0);
		leaf_invalidate(pt, in, level);
	} else {
		pt->ops->publish(pt);
		inval_add(inv, ALIGN_DOWN(in, level_size(level)), level_size(level), level);
	}
	entry_write(e, fmt->table(child));
	pt->ops->publish(pt);
}

/* Splits until no leaf lies across `at`. */
static void split_at(struct pt *pt, uint64_t at, struct spare *spare, struct pt_inval *inv)
{
	struct pt_walk walk;

	while (pt_query(pt, at, &walk)) {
		uint32_t last = walk.steps - 1;
		unsigned level = walk.step[last].level;

		if (IS_ALIGNED(at, level_size(level))) {
			break;
		}
		BUG_ON(spare->count == 0);
		spare->count--;
		split(pt, hpa_to_ptr(walk.step[last].at), level, at, spare->table[spare->count],
		      inv);
	}
}

/* Makes both ends of a range ends of leaves; takes all memory before it changes anything. */
static int split_ends(struct pt *pt, uint64_t in, uint64_t end, struct pt_inval *inv)
{
	struct spare spare = { 0 };
	uint32_t need = 0;

	if (in < end) {
		need = count_splits(pt, in, in) + count_splits(pt, end, in);
	}
	BUG_ON(need > MAX_SPLITS);
	while (spare.count < need) {
		int ret = table_alloc(pt, &spare.table[spare.count]);

		if (ret != 0) {
			while (spare.count > 0) {
				spare.count--;
				table_free(pt, spare.table[spare.count]);
			}
			return ret;
		}
		spare.count++;
	}
	if (need != 0) {
		split_at(pt, in, &spare, inv);
		split_at(pt, end, &spare, inv);
	}
	BUG_ON(spare.count != 0);
	return 0;
}

/* ---- new attributes ---- */

static void protect_level(struct pt *pt, hpa_t table, unsigned level, uint64_t in, uint64_t end,
			  uint32_t attr, struct pt_inval *inv)
{
	const struct pt_format *fmt = pt->shape.fmt;

	while (in < end) {
		uint64_t *e = entry_of(pt, table, in, level);
		uint64_t next = MIN(entry_end(in, level), end);
		hpa_t out;
		uint32_t old;
		enum pt_kind kind = entry_decode(pt, e, level, &out, &old);

		if (kind == PT_TABLE) {
			protect_level(pt, out, level - 1, in, next, attr, inv);
		} else if (fmt->leaf(out, level, old) != fmt->leaf(out, level, attr)) {
			uint64_t to = fmt->leaf(out, level, attr);

			BUG_ON(kind != PT_LEAF || next - in != level_size(level));
			if (fmt->needs_break(entry_read(e), to)) {
				entry_write(e, 0);
				leaf_invalidate(pt, in, level);
			} else {
				inval_add(inv, in, next - in, level);
			}
			entry_write(e, to);
		}
		in = next;
	}
}

/* NOLINTEND(misc-no-recursion) */

/* ---- the interface ---- */

int pt_init(struct pt *pt, const struct pt_shape *shape, const struct pt_ops *ops, owner_t owner)
{
	unsigned order;
	int ret;

	if (shape->root_level < 1 || shape->root_level >= PT_MAX_LEVELS || shape->max_leaf > 2 ||
	    shape->in_bits > shape->fmt->max_in_bits ||
	    shape->out_bits > shape->fmt->max_out_bits || shape->out_bits <= PAGE_SHIFT ||
	    shape->in_bits <= level_shift(shape->root_level) ||
	    shape->in_bits > level_shift(shape->root_level) + INDEX_BITS + 4) {
		return -EINVAL;
	}
	memset(pt, 0, sizeof(*pt));
	order = root_order(shape);
	ret = page_alloc(owner, order, &pt->root);
	if (ret != 0) {
		return ret;
	}
	pt->shape = *shape;
	pt->ops = ops;
	pt->owner = owner;
	pt->table_pages = BIT32(order);
	memset(hpa_to_ptr(pt->root), 0, PAGE_SIZE << order);
	pt->ops->publish(pt);
	return 0;
}

void pt_destroy(struct pt *pt)
{
	struct pt_inval inv = { .all = true };
	unsigned order = root_order(&pt->shape);

	unmap_level(pt, pt->root, pt->shape.root_level, 0, BIT64(pt->shape.in_bits), &inv);
	pt_commit(pt, &inv);
	page_free(pt->owner, pt->root, order);
	pt->table_pages -= BIT32(order);
	BUG_ON(pt->table_pages != 0);
}

int pt_map(struct pt *pt, uint64_t in, hpa_t out, uint64_t size, uint32_t attr, uint64_t *where)
{
	struct mapping m = { .in = in, .end = in + size, .out = out.a, .attr = attr };
	struct pt_inval inv = { 0 };
	uint64_t at = in;
	int ret = 0;

	if (!range_ok(in, size, pt->shape.in_bits) || !range_ok(out.a, size, pt->shape.out_bits) ||
	    !pt->shape.fmt->attr_ok(attr)) {
		ret = -EINVAL;
	} else {
		at = find_mapped(pt, in, m.end, true);
		ret = at < m.end ? -EEXIST : 0;
	}
	if (ret == 0) {
		ret = map_level(pt, pt->root, pt->shape.root_level, &m);
		at = m.in;
		if (ret != 0) {
			/* Part of it may have been in tables that were discarded. */
			unmap_level(pt, pt->root, pt->shape.root_level, in, m.in, &inv);
		} else if (pt->shape.fmt->invalidate_new && size != 0) {
			inval_add(&inv, in, size, 0);
		}
		pt->ops->publish(pt);
		pt_commit(pt, &inv);
	}
	if (ret != 0 && where != NULL) {
		*where = at;
	}
	return ret;
}

int pt_unmap(struct pt *pt, uint64_t in, uint64_t size, struct pt_inval *inv)
{
	struct pt_inval own = { 0 };
	int ret;

	if (!range_ok(in, size, pt->shape.in_bits)) {
		return -EINVAL;
	}
	ret = split_ends(pt, in, in + size, inv != NULL ? inv : &own);
	if (ret == 0) {
		unmap_level(pt, pt->root, pt->shape.root_level, in, in + size,
			    inv != NULL ? inv : &own);
	}
	pt_commit(pt, &own);
	return ret;
}

int pt_protect(struct pt *pt, uint64_t in, uint64_t size, uint32_t attr, struct pt_inval *inv,
	       uint64_t *where)
{
	struct pt_inval own = { 0 };
	uint64_t at;
	int ret;

	if (where != NULL) {
		*where = in;
	}
	if (!range_ok(in, size, pt->shape.in_bits) || !pt->shape.fmt->attr_ok(attr)) {
		return -EINVAL;
	}
	at = find_mapped(pt, in, in + size, false);
	if (at < in + size) {
		if (where != NULL) {
			*where = at;
		}
		return -ENOENT;
	}
	ret = split_ends(pt, in, in + size, inv != NULL ? inv : &own);
	if (ret == 0) {
		protect_level(pt, pt->root, pt->shape.root_level, in, in + size, attr,
			      inv != NULL ? inv : &own);
		pt->ops->publish(pt);
	}
	pt_commit(pt, &own);
	return ret;
}
