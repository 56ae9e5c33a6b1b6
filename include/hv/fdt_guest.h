/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's device tree: read, patched to the truth, or generated.
 *
 * Format: Devicetree Specification v0.4; bindings: Linux Documentation/devicetree.
 * Blobs are checked as a whole before anything in them is used.  Failures are
 * reported at the site (the dtb_path setting).  Buffers are 8-byte aligned.
 */
#ifndef HV_FDT_GUEST_H
#define HV_FDT_GUEST_H

#include <hv/guest_board.h>
#include <hv/image.h>

/* Linux takes device trees up to this size (arm64 booting.rst). */
#define FDT_GUEST_MAX (2 * MiB)
/* What patching adds at most, apart from bootargs. */
#define FDT_GUEST_GROWTH (16 * KiB)
/* Room for any tree that fdt_guest_generate() makes, bootargs included. */
#define FDT_GUEST_GENERATED_MAX (64 * KiB)

#define FDT_MAX_DEVS 128

/* An enabled device of a kind that we can emulate. */
struct fdt_dev {
	enum guest_dev_kind kind; /* GUEST_DEV_VIRTIO_EMPTY: a virtio,mmio node */
	uint64_t base;		  /* first reg entry */
	uint64_t size;
	uint32_t irq; /* first interrupt (GIC INTID, PLIC source) or GUEST_IRQ_NONE */
	uint8_t reg_shift;
	uint8_t io_width;
	bool is_stdout; /* chosen/stdout-path names it */
};

/* What the planner wants to know of a tree. */
struct fdt_facts {
	uint32_t size; /* of the tree, bytes */
	struct guest_intc intc;
	uint32_t dev_count;
	struct fdt_dev dev[FDT_MAX_DEVS]; /* as found; what is beyond is left out */
	bool has_bootargs;
	char bootargs[VM_CMDLINE_MAX];
};

/* Is it a sound device tree of at most `size` bytes?  -EINVAL, said at the site. */
int __must_check fdt_guest_check(const void *dtb, size_t size, const struct image_site *site);

/*
 * Reads the facts of a tree that fdt_guest_check() accepted.  What cannot be made
 * sense of (a `reg` that leads nowhere, an unknown interrupt controller) is left out.
 */
void fdt_guest_read(const void *dtb, struct fdt_facts *out);

/* The device at `base`, or NULL. */
const struct fdt_dev *fdt_facts_find(const struct fdt_facts *facts, uint64_t base);

/*
 * Makes the checked tree at the start of `buf` (its totalsize ≤ cap) agree with the
 * board: memory, cpus, bootargs, initrd, psci.  All else stays.  Boards that differ in
 * the initrd's address alone give trees of the same *size.  -ENOSPC: does not fit
 * into cap; -EINVAL: the tree and the board cannot be brought together.
 */
int __must_check fdt_guest_patch(void *buf, size_t cap, const struct guest_board *board,
				 const struct image_site *site, size_t *size);

/* Makes a tree for the board.  -ENOSPC: cap too small; -ENOTSUP: no such board. */
int __must_check fdt_guest_generate(void *buf, size_t cap, const struct guest_board *board,
				    const struct image_site *site, size_t *size);

#endif
