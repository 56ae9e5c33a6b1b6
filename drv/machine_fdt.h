/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files that read a device tree into struct machine share.
 */
#ifndef DRV_MACHINE_FDT_H
#define DRV_MACHINE_FDT_H

#include <hv/fdt_walk.h>
#include <hv/machine.h>

struct reader {
	struct machine *m;
	const struct machine_boot *boot;
	struct fdt_walk walk;
	int chosen;			  /* node, or negative */
	int uart_node[MACHINE_MAX_UARTS]; /* of m->uart[] */
	uint32_t notes;			  /* told so far */
};

/* Tells the caller about the current node; a malicious tree cannot flood the log. */
void machine_note(struct reader *r, const char *why);

/* The current node is a pci-host-ecam-generic. */
void machine_read_pci(struct reader *r);

#endif
