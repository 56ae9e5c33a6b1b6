/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device tree under construction: libfdt's sequential writer with the first error
 * kept, so that what is generated reads like the tree.
 */
#ifndef IMAGE_FDT_GEN_H
#define IMAGE_FDT_GEN_H

#include <hv/guest_board.h>
#include <libfdt.h>

/* phandles of what other nodes point to */
#define GEN_PHANDLE_INTC  1
#define GEN_PHANDLE_CLOCK 2

/* Trigger of an interrupt as the bindings of both controllers encode it. */
#define GEN_IRQ_EDGE_RISING 1
#define GEN_IRQ_LEVEL_HIGH  4

struct fdt_gen {
	void *fdt;
	const struct guest_board *board;
	int err; /* first error of libfdt, 0 = none */
	/* An interrupt of the board's controller as `interrupts`. */
	void (*irq)(struct fdt_gen *g, uint32_t irq, uint32_t trigger);
};

void gen_begin(struct fdt_gen *g, const char *name);
/* A node "name@address". */
void gen_begin_at(struct fdt_gen *g, const char *name, uint64_t address);
void gen_end(struct fdt_gen *g);
void gen_flag(struct fdt_gen *g, const char *prop);
void gen_u32(struct fdt_gen *g, const char *prop, uint32_t value);
void gen_u64(struct fdt_gen *g, const char *prop, uint64_t value);
void gen_string(struct fdt_gen *g, const char *prop, const char *value);
/* Strings with a zero in between and at the end: sizeof() of a literal fits. */
void gen_bytes(struct fdt_gen *g, const char *prop, const void *data, size_t len);
void gen_cells(struct fdt_gen *g, const char *prop, const uint32_t *cells, size_t count);
/* `reg` with two address and two size cells. */
void gen_reg(struct fdt_gen *g, const struct guest_range *ranges, size_t count);

/* cpus, interrupt controller, timer, firmware of one architecture. */
void gen_aarch64(struct fdt_gen *g);

#endif
