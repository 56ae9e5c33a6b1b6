/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a device tree that knows, at every node, what its ancestors say
 * about it: address and size cells, `ranges`, interrupt parent, DMA coherence.
 *
 * libfdt alone would look for the parent from the root each time, which makes a
 * large tree cost its square.  Used for the host's tree (drv/machine_fdt.c) and for those
 * of guests (image/fdt_guest.c).  About 3 KiB: mind the stack.
 *
 * Devicetree Specification v0.4: 2.3 (standard properties), 2.4 (interrupts).
 */
#ifndef HV_FDT_WALK_H
#define HV_FDT_WALK_H

#include <hv/machine.h>
#include <libfdt.h>

#define FDT_WALK_DEPTH 16
#define FDT_WALK_INTCS (MAX_CPUS + 32)

/* What a node means for its children, and what it has from its ancestors. */
struct fdt_level {
	int node;
	bool off;	/* status is not "okay", or that of an ancestor is not */
	bool coherent;	/* dma-coherent, here or above */
	uint32_t ac;	/* #address-cells of the children */
	uint32_t sc;	/* #size-cells of the children */
	int ranges_len; /* bytes; 0: identity; < 0: no way to the CPU's addresses */
	const fdt32_t *ranges;
	uint32_t iparent; /* phandle of the interrupt parent, 0 = none */
};

enum fdt_intc_kind {
	FDT_INTC_OTHER, /* a GPIO controller or the like: its numbers mean nothing to us */
	FDT_INTC_GIC,
	FDT_INTC_PLIC,
	FDT_INTC_CPU, /* a hart's own */
};

struct fdt_intc {
	uint32_t phandle;
	enum fdt_intc_kind kind;
	uint32_t icells; /* #interrupt-cells, 1..8 */
	uint32_t acells; /* #address-cells, as interrupt-map counts them */
	uint64_t hwid;	 /* FDT_INTC_CPU: of its hart */
};

struct fdt_walk {
	const void *fdt;
	int node;
	int depth;		/* of the node; the root has 0 */
	const char *compatible; /* of the node, NULL: it has none */
	int compatible_len;
	struct fdt_level level[FDT_WALK_DEPTH];
	uint32_t intc_count;
	struct fdt_intc intc[FDT_WALK_INTCS];
};

/* For a tree that passed fdt_check_full(): finds the interrupt controllers. */
void fdt_walk_init(struct fdt_walk *w, const void *fdt);

/* Back to before the root. */
void fdt_walk_restart(struct fdt_walk *w);

/*
 * On to the next node that is not off; false after the last.  Nodes deeper than
 * FDT_WALK_DEPTH are passed over.
 */
bool fdt_walk_next(struct fdt_walk *w);

/* Does the current node's `compatible` list have it? */
bool fdt_walk_is(const struct fdt_walk *w, const char *compatible);

/* The name of the current node up to the '@' is this; likewise of its parent. */
bool fdt_walk_named(const struct fdt_walk *w, const char *name);
bool fdt_walk_parent_named(const struct fdt_walk *w, const char *name);

/* A property of one cell; `absent` if it is not there or has another length. */
uint32_t fdt_walk_u32(const struct fdt_walk *w, const char *prop, uint32_t absent);

/* A property of one or two cells: a 64-bit number. */
bool fdt_walk_u64(const struct fdt_walk *w, const char *prop, uint64_t *out);

/*
 * Entry n of `reg` as the CPU sees it.  -ENOENT: there is no such entry, or the bus
 * has no addresses of one or two cells.  -EINVAL: the entry is empty, wraps, lies past
 * 2^48, or is not reachable through `ranges`; a later one may be good.
 */
int __must_check fdt_walk_reg(const struct fdt_walk *w, uint32_t n, struct machine_range *out);

/* First address of `reg` as it stands, not translated (cores). */
bool fdt_walk_raw_reg(const struct fdt_walk *w, uint64_t *out);

/* An address of the parent bus of level `d` to the CPU's. -EINVAL: not reachable. */
int __must_check fdt_walk_translate(const struct fdt_walk *w, int d, uint64_t *addr, uint64_t size);

/* Interrupt n of the node; intid IRQ_NONE: none, or not one of GIC or PLIC. */
struct machine_irq fdt_walk_irq(const struct fdt_walk *w, uint32_t n);

/* The interrupt controller with that phandle, or NULL. */
const struct fdt_intc *fdt_walk_intc(const struct fdt_walk *w, uint32_t phandle);

/* An interrupt specifier of icells cells. */
struct machine_irq fdt_walk_irq_spec(const struct fdt_intc *intc, const fdt32_t *spec);

/* The node that /chosen's stdout-path names, or a negative libfdt error. */
int fdt_walk_stdout(const void *fdt);

/* A number of 1 or 2 cells. */
uint64_t fdt_walk_cells(const fdt32_t *p, uint32_t cells);

#endif
