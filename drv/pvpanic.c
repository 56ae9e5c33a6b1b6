/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QEMU's pvpanic device on PCI (QEMU docs/specs/pvpanic.rst): the one way to tell an
 * emulator that we, not a guest, have failed; with `-action panic=exit-failure` its
 * exit status says so.  Semihosting could do that as well, but would be open to
 * guests.
 */
#include "pci.h"

#include <hv/hv_map.h>
#include <hv/mmio.h>
#include <hv/pvpanic.h>

#define PVPANIC_VENDOR 0x1b36
#define PVPANIC_DEVICE 0x0011

#define PVPANIC_PANICKED 0x01

static struct machine_range device; /* size 0: there is none */

void pvpanic_probe(const struct machine *m)
{
	for (uint32_t i = 0; i < m->pci_count; i++) {
		struct pci_walk w;
		struct pci_fn f;

		if (hv_map_device(m->pci[i].ecam.base, m->pci[i].ecam.size) != 0) {
			continue;
		}
		pci_walk_init(&w, &m->pci[i]);
		while (pci_walk_next(&w, &f)) {
			struct machine_range bar;

			if (mmio_read16(f.cfg, PCI_VENDOR_ID) == PVPANIC_VENDOR &&
			    mmio_read16(f.cfg, PCI_DEVICE_ID) == PVPANIC_DEVICE &&
			    pci_bar(&f, 0, &bar) == 0 && hv_map_device(bar.base, bar.size) == 0) {
				pci_enable(&f, PCI_COMMAND_MEMORY);
				device = bar;
				return;
			}
		}
	}
}

void pvpanic_report(void)
{
	if (device.size != 0) {
		mmio_write8(device.base, 0, PVPANIC_PANICKED);
	}
}
