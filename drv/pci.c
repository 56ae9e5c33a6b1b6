/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PCI functions behind a host bridge with ECAM; see pci.h.
 *
 * QEMU's virt without UEFI firmware leaves all BARs at zero.  A BAR gets its place
 * above all places of its window that are taken: what other functions' BARs claim is
 * found out first, so that nothing that firmware placed is overlapped.
 */
#include "pci.h"

#include <errno.h>
#include <hv/mmio.h>

#define HEADER_MULTI	0x80
#define HEADER_LAYOUT	0x7f
#define HEADER_DEVICE	0
#define HEADER_BRIDGE	1
#define VENDOR_NONE	0xffff
#define STATUS_CAP_LIST 0x0010
#define BARS		6

#define BAR_IO	     BIT32(0)
#define BAR_TYPE(x)  ((x) >> 1 & 3)
#define BAR_TYPE_64  2
#define BAR_PREFETCH BIT32(3)

/* A capability list cannot be longer than configuration space holds. */
#define MAX_CAPABILITIES 48

void pci_walk_init(struct pci_walk *w, const struct machine_pci *host)
{
	*w = (struct pci_walk){ .host = host, .bus = host->bus_first };
	w->buses[host->bus_first / 64] = BIT64(host->bus_first % 64);
}

static hpa_t cfg_of(const struct machine_pci *host, uint32_t bus, uint32_t devfn)
{
	return hpa(host->ecam.base.a + ((uint64_t)(bus - host->bus_first) << 20 | devfn << 12));
}

/* Each bus once, in order of numbers: only higher numbers are added (7.5.1.3). */
static void add_bus(struct pci_walk *w, uint32_t bus)
{
	if (bus > w->bus && bus <= w->host->bus_last) {
		w->buses[bus / 64] |= BIT64(bus % 64);
	}
}

static bool next_bus(struct pci_walk *w)
{
	for (uint32_t bus = w->started ? w->bus + 1 : w->bus; bus <= w->host->bus_last; bus++) {
		if ((w->buses[bus / 64] & BIT64(bus % 64)) != 0) {
			w->bus = bus;
			w->next = 0;
			w->started = true;
			return true;
		}
	}
	return false;
}

bool pci_walk_next(struct pci_walk *w, struct pci_fn *out)
{
	for (;;) {
		uint32_t devfn;
		uint8_t header;
		hpa_t cfg;

		if ((!w->started || w->next >= 256) && !next_bus(w)) {
			return false;
		}
		devfn = w->next++;
		cfg = cfg_of(w->host, w->bus, devfn);
		if (mmio_read16(cfg, PCI_VENDOR_ID) == VENDOR_NONE) {
			if (devfn % 8 == 0) {
				w->next = devfn + 8; /* without function 0 there is none */
			}
			continue;
		}
		header = mmio_read8(cfg, PCI_HEADER_TYPE);
		if (devfn % 8 == 0 && (header & HEADER_MULTI) == 0) {
			w->next = devfn + 8;
		}
		if ((header & HEADER_LAYOUT) == HEADER_BRIDGE) {
			add_bus(w, mmio_read8(cfg, PCI_SECONDARY));
		}
		*out = (struct pci_fn){ w->host, cfg, w->bus, devfn >> 3, devfn & 7 };
		return true;
	}
}

/* One BAR: what it holds and how large it is (7.5.1.2.1: write ones, read back). */
struct bar {
	uint64_t addr; /* on the bus; 0: not placed */
	uint64_t size; /* 0: none, or not memory */
	bool is64;
	bool prefetchable;
};

static struct bar read_bar(const struct pci_fn *f, uint32_t n)
{
	uint64_t reg = PCI_BAR0 + 4 * n;
	uint16_t command = mmio_read16(f->cfg, PCI_COMMAND);
	uint32_t lo = mmio_read32(f->cfg, reg), hi = 0;
	struct bar b = { 0 };
	uint64_t mask;

	if ((lo & BAR_IO) != 0) {
		return b;
	}
	b.is64 = BAR_TYPE(lo) == BAR_TYPE_64 && n + 1 < BARS;
	b.prefetchable = (lo & BAR_PREFETCH) != 0;
	mmio_write16(f->cfg, PCI_COMMAND, command & (uint16_t)~PCI_COMMAND_MEMORY);
	mmio_write32(f->cfg, reg, UINT32_MAX);
	mask = mmio_read32(f->cfg, reg) & ~UINT32_C(15);
	mmio_write32(f->cfg, reg, lo);
	if (b.is64) {
		hi = mmio_read32(f->cfg, reg + 4);
		mmio_write32(f->cfg, reg + 4, UINT32_MAX);
		mask |= (uint64_t)mmio_read32(f->cfg, reg + 4) << 32;
		mmio_write32(f->cfg, reg + 4, hi);
	} else if (mask != 0) {
		mask |= (uint64_t)UINT32_MAX << 32;
	}
	mmio_write16(f->cfg, PCI_COMMAND, command);
	b.addr = (uint64_t)hi << 32 | (lo & ~UINT32_C(15));
	b.size = mask & (~mask + 1); /* its lowest bit */
	return b;
}

static bool is_device(const struct pci_fn *f)
{
	return (mmio_read8(f->cfg, PCI_HEADER_TYPE) & HEADER_LAYOUT) == HEADER_DEVICE;
}

/* The first address of a window above all BARs that have a place in it. */
static uint64_t first_free(const struct machine_pci *host, const struct machine_pci_window *win)
{
	uint64_t end = win->pci_base;
	struct pci_walk w;
	struct pci_fn f;

	pci_walk_init(&w, host);
	while (pci_walk_next(&w, &f)) {
		for (uint32_t n = 0; n < BARS && is_device(&f); n++) {
			struct bar b = read_bar(&f, n);

			if (b.addr != 0 && b.size != 0 &&
			    range_within(b.addr, b.size, win->pci_base, win->size)) {
				end = MAX(end, b.addr + b.size);
			}
			n += b.is64 ? 1 : 0;
		}
	}
	return end;
}

static int place_in(const struct pci_fn *f, uint32_t n, struct bar *b,
		    const struct machine_pci_window *win)
{
	uint64_t reg = PCI_BAR0 + 4 * n;
	uint64_t addr = ALIGN_UP(first_free(f->host, win), b->size);

	/* 0 would read as "not placed". */
	addr = MAX(addr, b->size);
	if (!range_within(addr, b->size, win->pci_base, win->size) ||
	    (!b->is64 && addr + b->size - 1 > UINT32_MAX)) {
		return -ENOSPC;
	}
	mmio_write32(f->cfg, reg, (uint32_t)addr);
	if (b->is64) {
		mmio_write32(f->cfg, reg + 4, (uint32_t)(addr >> 32));
	}
	b->addr = addr;
	return 0;
}

/* 32-bit windows first: they do for all.  A prefetchable one only for such BARs. */
static int place(const struct pci_fn *f, uint32_t n, struct bar *b)
{
	for (enum machine_pci_space space = MACHINE_PCI_MEM32; space <= MACHINE_PCI_MEM64;
	     space++) {
		for (uint32_t i = 0; i < f->host->window_count; i++) {
			const struct machine_pci_window *win = &f->host->window[i];

			if (win->space == space && (!win->prefetchable || b->prefetchable) &&
			    place_in(f, n, b, win) == 0) {
				return 0;
			}
		}
	}
	return -ENOSPC;
}

int pci_bar(const struct pci_fn *f, uint32_t bar, struct machine_range *out)
{
	struct bar b;
	int err;

	if (bar >= BARS || !is_device(f)) {
		return -ENODEV;
	}
	b = read_bar(f, bar);
	if (b.size == 0) {
		return -ENODEV;
	}
	if (b.addr == 0) {
		err = place(f, bar, &b);
		if (err != 0) {
			return err;
		}
	}
	for (uint32_t i = 0; i < f->host->window_count; i++) {
		const struct machine_pci_window *win = &f->host->window[i];

		if (win->space != MACHINE_PCI_IO &&
		    range_within(b.addr, b.size, win->pci_base, win->size)) {
			out->base = hpa(win->cpu_base.a + (b.addr - win->pci_base));
			out->size = b.size;
			return 0;
		}
	}
	return -EINVAL;
}

uint32_t pci_capability(const struct pci_fn *f, uint8_t id, uint32_t from)
{
	uint32_t at;

	if ((mmio_read16(f->cfg, PCI_STATUS) & STATUS_CAP_LIST) == 0) {
		return 0;
	}
	at = mmio_read8(f->cfg, from == 0 ? PCI_CAPABILITIES : from + 1) & 0xfcu;
	for (uint32_t i = 0; i < MAX_CAPABILITIES && at >= 0x40; i++) {
		if (mmio_read8(f->cfg, at) == id) {
			return at;
		}
		at = mmio_read8(f->cfg, at + 1) & 0xfcu;
	}
	return 0;
}

void pci_enable(const struct pci_fn *f, uint16_t command)
{
	mmio_write16(f->cfg, PCI_COMMAND, mmio_read16(f->cfg, PCI_COMMAND) | command);
}
