/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions behind a host bridge with ECAM (PCI Express 5.0, 7.2.2 and 7.5).
 *
 * One bridge at a time, at boot, on one core.  Buses behind PCI-to-PCI bridges are
 * visited if firmware has numbered them.
 */
#ifndef DRV_PCI_H
#define DRV_PCI_H

#include <hv/machine.h>

#define PCI_VENDOR_ID	 0x00
#define PCI_DEVICE_ID	 0x02
#define PCI_COMMAND	 0x04
#define PCI_STATUS	 0x06
#define PCI_CLASS	 0x0a
#define PCI_HEADER_TYPE	 0x0e
#define PCI_BAR0	 0x10
#define PCI_SECONDARY	 0x19
#define PCI_CAPABILITIES 0x34

#define PCI_COMMAND_MEMORY  0x0002
#define PCI_COMMAND_MASTER  0x0004
#define PCI_COMMAND_NO_INTX 0x0400

struct pci_fn {
	const struct machine_pci *host;
	hpa_t cfg; /* its 4 KiB of configuration space */
	uint32_t bus, dev, fn;
};

/* The first function (from all zero) or the next one; false: there are no more. */
struct pci_walk {
	const struct machine_pci *host;
	uint64_t buses[4];  /* still to visit, a bit each */
	uint32_t bus, next; /* next: dev << 3 | fn */
	bool started;
};
void pci_walk_init(struct pci_walk *w, const struct machine_pci *host);
bool pci_walk_next(struct pci_walk *w, struct pci_fn *out);

/*
 * Where a memory BAR is (0..5) as the CPU sees it, giving it a place in the bridge's
 * windows if firmware has not.  -ENODEV: no memory BAR; -ENOSPC: no room;
 * -EINVAL: it is somewhere outside the windows.
 */
int __must_check pci_bar(const struct pci_fn *f, uint32_t bar, struct machine_range *out);

/* Offset of the next capability with that id behind `from` (0: the first); 0: none. */
uint32_t pci_capability(const struct pci_fn *f, uint8_t id, uint32_t from);

void pci_enable(const struct pci_fn *f, uint16_t command);

#endif
