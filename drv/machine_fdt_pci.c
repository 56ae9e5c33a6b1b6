/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI host bridges in a device tree: ECAM, address windows, legacy interrupts.
 * IEEE 1275 PCI binding 2.2.1 (addresses of three cells), 2.4.3 of the Devicetree
 * Specification (interrupt-map), Linux's host-generic-pci binding.
 */
#include "machine_fdt.h"

#include <string.h>

#define PCI_CELLS      3
#define PCI_SIZE_CELLS 2
#define BUS_SIZE       MiB /* of ECAM: 32 devices of 8 functions of 4 KiB */

/* phys.hi: npt000ss bbbbbbbb dddddfff rrrrrrrr */
#define PHYS_HI_PREFETCH BIT32(30)
#define PHYS_HI_SPACE(x) ((x) >> 24 & 3)
#define PHYS_HI_DEVFN	 UINT32_C(0x00ffff00)

static void read_windows(struct reader *r, struct machine_pci *pci)
{
	const struct fdt_walk *w = &r->walk;
	const struct fdt_level *l = &w->level[w->depth];
	uint32_t up = w->level[w->depth - 1].ac;
	uint32_t entry = PCI_CELLS + up + PCI_SIZE_CELLS;
	uint32_t cells = l->ranges_len > 0 ? (uint32_t)l->ranges_len / 4 : 0;

	for (uint32_t i = 0; cells - i >= entry; i += entry) {
		const fdt32_t *p = l->ranges + i;
		uint32_t hi = fdt32_ld(p);
		uint64_t cpu = fdt_walk_cells(p + PCI_CELLS, up);
		struct machine_pci_window win = {
			.prefetchable = (hi & PHYS_HI_PREFETCH) != 0,
			.pci_base = fdt_walk_cells(p + 1, 2),
			.size = fdt_walk_cells(p + PCI_CELLS + up, PCI_SIZE_CELLS),
		};

		if (PHYS_HI_SPACE(hi) == 0 || win.size == 0 ||
		    win.pci_base + win.size - 1 < win.pci_base ||
		    fdt_walk_translate(w, w->depth - 1, &cpu, win.size) != 0 ||
		    pci->window_count == MACHINE_MAX_PCI_WINDOWS) {
			machine_note(r, "a PCI window that we cannot use: left out");
			continue;
		}
		win.space = PHYS_HI_SPACE(hi) == 1   ? MACHINE_PCI_IO
			    : PHYS_HI_SPACE(hi) == 2 ? MACHINE_PCI_MEM32
						     : MACHINE_PCI_MEM64;
		win.cpu_base = hpa(cpu);
		pci->window[pci->window_count++] = win;
	}
}

/* Each line: unit address (3), pin (1), parent, its unit address, its specifier. */
static void read_irq_map(struct reader *r, struct machine_pci *pci)
{
	const struct fdt_walk *w = &r->walk;
	int map_len, mask_len;
	const fdt32_t *map = fdt_getprop(w->fdt, w->node, "interrupt-map", &map_len);
	const fdt32_t *mask = fdt_getprop(w->fdt, w->node, "interrupt-map-mask", &mask_len);
	uint32_t cells = map != NULL ? (uint32_t)map_len / 4 : 0;
	uint32_t i = 0;

	pci->irq_devfn_mask = PHYS_HI_DEVFN;
	if (mask != NULL && mask_len >= 4 * (PCI_CELLS + 1)) {
		pci->irq_devfn_mask &= fdt32_ld(mask);
	}
	if (fdt_walk_u32(w, "#interrupt-cells", 0) != 1) {
		return;
	}
	while (cells - i >= PCI_CELLS + 2) {
		const fdt32_t *p = map + i;
		const struct fdt_intc *c = fdt_walk_intc(w, fdt32_ld(p + PCI_CELLS + 1));
		struct machine_pci_irq irq = {
			.devfn = fdt32_ld(p) & pci->irq_devfn_mask,
			.pin = fdt32_ld(p + PCI_CELLS),
		};

		i += PCI_CELLS + 2;
		if (c == NULL || c->acells > 2 || cells - i < c->acells + c->icells) {
			machine_note(r, "interrupt-map names an unknown controller: cut there");
			return;
		}
		irq.irq = fdt_walk_irq_spec(c, map + i + c->acells);
		i += c->acells + c->icells;
		if (irq.pin < 1 || irq.pin > 4 || irq.irq.intid == IRQ_NONE) {
			continue;
		}
		if (pci->irq_count == MACHINE_MAX_PCI_IRQS) {
			machine_note(r, "interrupt-map is longer than we can hold: cut there");
			return;
		}
		pci->irq[pci->irq_count++] = irq;
	}
}

static bool read_buses(const struct fdt_walk *w, struct machine_pci *pci)
{
	int len;
	const fdt32_t *range = fdt_getprop(w->fdt, w->node, "bus-range", &len);
	uint64_t buses = pci->ecam.size / BUS_SIZE;

	pci->bus_last = 255;
	if (range != NULL && len == 8) {
		pci->bus_first = fdt32_ld(range);
		pci->bus_last = fdt32_ld(range + 1);
	}
	if (buses == 0 || pci->bus_first > pci->bus_last || pci->bus_last > 255) {
		return false;
	}
	/* ECAM may be shorter than the range of bus numbers. */
	pci->bus_last = MIN(pci->bus_last, pci->bus_first + (uint32_t)MIN(buses, 256) - 1);
	return true;
}

void machine_read_pci(struct reader *r)
{
	const struct fdt_walk *w = &r->walk;
	const struct fdt_level *l = &w->level[w->depth];
	struct machine_pci *pci;

	if (r->m->pci_count == MACHINE_MAX_PCI) {
		machine_note(r, "more PCI host bridges than we can hold: left out");
		return;
	}
	pci = &r->m->pci[r->m->pci_count];
	memset(pci, 0, sizeof(*pci));
	if (l->ac != PCI_CELLS || l->sc != PCI_SIZE_CELLS || fdt_walk_reg(w, 0, &pci->ecam) != 0 ||
	    !read_buses(w, pci)) {
		machine_note(r, "a PCI host bridge that we cannot use: left out");
		return;
	}
	pci->segment = fdt_walk_u32(w, "linux,pci-domain", r->m->pci_count);
	pci->dma_coherent = l->coherent;
	read_windows(r, pci);
	read_irq_map(r, pci);
	r->m->pci_count++;
}
