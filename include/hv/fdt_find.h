/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which devices of a device tree have registers in a range of physical addresses, and
 * which interrupts they raise: what passing the range through means.
 *
 * For the host's tree and for those of guests.  Devicetree Specification v0.4, 2.3, 2.4.
 */
#ifndef HV_FDT_FIND_H
#define HV_FDT_FIND_H

#include <hv/machine.h>

#define FDT_FOUND_IRQS 16

struct fdt_found {
	uint64_t base; /* its first `reg` that touches the range */
	uint64_t size;
	uint32_t irq_count; /* at most FDT_FOUND_IRQS; only those of the GIC or PLIC */
	struct machine_irq irq[FDT_FOUND_IRQS];
	bool coherent;		     /* dma-coherent, here or above */
	bool dma;		     /* may be a bus master: not of the kinds known to be none */
	char path[MACHINE_PATH_MAX]; /* "" if it is longer */
};

/*
 * Enabled devices that have registers in [base, base+size), in the tree's order.
 * `fdt` passed fdt_check_full().  Returns how many there are; only the first `max` are
 * filled in.  RAM, /reserved-memory and processors are no devices.  About 4 KiB of stack.
 */
uint32_t fdt_find_devices(const void *fdt, uint64_t base, uint64_t size, struct fdt_found *out,
			  uint32_t max);

#endif
