/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device tree made from a board: what all architectures have in common.
 *
 * Devicetree Specification v0.4, chapters 2 and 3; bindings in Linux
 * Documentation/devicetree: serial/pl011, serial/8250, rtc/arm,pl031,
 * rtc/google,goldfish-rtc, gpio/pl061-gpio, virtio/mmio.
 */
#include "fdt_gen.h"

#include <errno.h>
#include <hv/fdt_guest.h>
#include <hv/printf.h>
#include <string.h>

#define APB_CLOCK_HZ	24000000
#define NS16550_HZ	3686400
#define NODE_NAME_MAX	32
#define MAX_CELLS	16
#define GEN_MAX_REGIONS 8

static void keep(struct fdt_gen *g, int err)
{
	if (g->err == 0) {
		g->err = err;
	}
}

void gen_begin(struct fdt_gen *g, const char *name)
{
	if (g->err == 0) {
		keep(g, fdt_begin_node(g->fdt, name));
	}
}

void gen_begin_at(struct fdt_gen *g, const char *name, uint64_t address)
{
	char full[NODE_NAME_MAX];

	hv_snprintf(full, sizeof(full), "%s@%lx", name, address);
	gen_begin(g, full);
}

void gen_end(struct fdt_gen *g)
{
	if (g->err == 0) {
		keep(g, fdt_end_node(g->fdt));
	}
}

void gen_bytes(struct fdt_gen *g, const char *prop, const void *data, size_t len)
{
	if (g->err == 0) {
		keep(g, fdt_property(g->fdt, prop, data, (int)len));
	}
}

void gen_flag(struct fdt_gen *g, const char *prop)
{
	gen_bytes(g, prop, "", 0);
}

void gen_u32(struct fdt_gen *g, const char *prop, uint32_t value)
{
	fdt32_t cell = cpu_to_fdt32(value);

	gen_bytes(g, prop, &cell, sizeof(cell));
}

void gen_u64(struct fdt_gen *g, const char *prop, uint64_t value)
{
	fdt64_t cell = cpu_to_fdt64(value);

	gen_bytes(g, prop, &cell, sizeof(cell));
}

void gen_string(struct fdt_gen *g, const char *prop, const char *value)
{
	gen_bytes(g, prop, value, strlen(value) + 1);
}

void gen_cells(struct fdt_gen *g, const char *prop, const uint32_t *cells, size_t count)
{
	fdt32_t be[MAX_CELLS];

	if (count > ARRAY_SIZE(be)) {
		keep(g, -FDT_ERR_BADVALUE);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		be[i] = cpu_to_fdt32(cells[i]);
	}
	gen_bytes(g, prop, be, count * sizeof(be[0]));
}

void gen_reg(struct fdt_gen *g, const struct guest_range *ranges, size_t count)
{
	fdt64_t be[2 * GEN_MAX_REGIONS];

	if (count > GEN_MAX_REGIONS) {
		keep(g, -FDT_ERR_BADVALUE);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		be[2 * i] = cpu_to_fdt64(ranges[i].base);
		be[2 * i + 1] = cpu_to_fdt64(ranges[i].size);
	}
	gen_bytes(g, "reg", be, 2 * count * sizeof(be[0]));
}

static const char *node_name(enum guest_dev_kind kind)
{
	switch (kind) {
	case GUEST_DEV_UART_PL011:
	case GUEST_DEV_UART_NS16550:
		return "serial";
	case GUEST_DEV_RTC_PL031:
	case GUEST_DEV_RTC_GOLDFISH:
		return "rtc";
	case GUEST_DEV_GPIO_PL061:
		return "gpio";
	case GUEST_DEV_VIRTIO_EMPTY:
	case GUEST_DEV_VIRTIO_FWD:
		return "virtio_mmio";
	case GUEST_DEV_RAZ:
	case GUEST_DEV_KINDS:
		break;
	}
	return NULL;
}

/* The clocks of a PrimeCell: `uartclk` is the first of a UART. */
static void gen_primecell(struct fdt_gen *g, bool uart)
{
	static const uint32_t clocks[] = { GEN_PHANDLE_CLOCK, GEN_PHANDLE_CLOCK };

	if (uart) {
		gen_cells(g, "clocks", clocks, 2);
		gen_bytes(g, "clock-names", "uartclk\0apb_pclk", sizeof("uartclk\0apb_pclk"));
	} else {
		gen_cells(g, "clocks", clocks, 1);
		gen_string(g, "clock-names", "apb_pclk");
	}
}

static void gen_dev_body(struct fdt_gen *g, const struct guest_dev *d)
{
	switch (d->kind) {
	case GUEST_DEV_UART_PL011:
		gen_bytes(g, "compatible", "arm,pl011\0arm,primecell",
			  sizeof("arm,pl011\0arm,primecell"));
		gen_primecell(g, true);
		break;
	case GUEST_DEV_UART_NS16550:
		gen_string(g, "compatible", "ns16550a");
		gen_u32(g, "clock-frequency", NS16550_HZ);
		gen_u32(g, "reg-shift", d->reg_shift);
		gen_u32(g, "reg-io-width", d->io_width != 0 ? d->io_width : 1);
		break;
	case GUEST_DEV_RTC_PL031:
		gen_bytes(g, "compatible", "arm,pl031\0arm,primecell",
			  sizeof("arm,pl031\0arm,primecell"));
		gen_primecell(g, false);
		break;
	case GUEST_DEV_RTC_GOLDFISH:
		gen_string(g, "compatible", "google,goldfish-rtc");
		break;
	case GUEST_DEV_GPIO_PL061:
		gen_bytes(g, "compatible", "arm,pl061\0arm,primecell",
			  sizeof("arm,pl061\0arm,primecell"));
		gen_flag(g, "gpio-controller");
		gen_u32(g, "#gpio-cells", 2);
		gen_primecell(g, false);
		break;
	case GUEST_DEV_VIRTIO_EMPTY:
		gen_string(g, "compatible", "virtio,mmio");
		gen_flag(g, "dma-coherent");
		break;
	case GUEST_DEV_VIRTIO_FWD:
		gen_string(g, "compatible", "virtio,mmio");
		if (d->dma_coherent) {
			gen_flag(g, "dma-coherent");
		}
		break;
	case GUEST_DEV_RAZ:
	case GUEST_DEV_KINDS:
		break;
	}
}

static void gen_dev(struct fdt_gen *g, const struct guest_dev *d)
{
	const struct guest_range reg = { d->base, d->size };
	const char *name = node_name(d->kind);

	if (name == NULL) {
		return;
	}
	gen_begin_at(g, name, d->base);
	gen_dev_body(g, d);
	gen_reg(g, &reg, 1);
	if (d->irq != GUEST_IRQ_NONE) {
		g->irq(g, d->irq,
		       d->edge || d->kind == GUEST_DEV_VIRTIO_EMPTY ? GEN_IRQ_EDGE_RISING
								    : GEN_IRQ_LEVEL_HIGH);
	}
	gen_end(g);
}

static bool needs_clock(const struct guest_board *b)
{
	for (uint32_t i = 0; i < b->dev_count; i++) {
		enum guest_dev_kind k = b->dev[i].kind;

		if (k == GUEST_DEV_UART_PL011 || k == GUEST_DEV_RTC_PL031 ||
		    k == GUEST_DEV_GPIO_PL061) {
			return true;
		}
	}
	return false;
}

static void gen_clock(struct fdt_gen *g)
{
	gen_begin(g, "apb-pclk");
	gen_string(g, "compatible", "fixed-clock");
	gen_u32(g, "#clock-cells", 0);
	gen_u32(g, "clock-frequency", APB_CLOCK_HZ);
	gen_string(g, "clock-output-names", "clk24mhz");
	gen_u32(g, "phandle", GEN_PHANDLE_CLOCK);
	gen_end(g);
}

static void gen_chosen(struct fdt_gen *g)
{
	const struct guest_board *b = g->board;
	char path[NODE_NAME_MAX];

	gen_begin(g, "chosen");
	if (b->bootargs != NULL) {
		gen_string(g, "bootargs", b->bootargs);
	}
	for (uint32_t i = 0; i < b->dev_count; i++) {
		if (b->dev[i].console && node_name(b->dev[i].kind) != NULL) {
			hv_snprintf(path, sizeof(path), "/%s@%lx", node_name(b->dev[i].kind),
				    b->dev[i].base);
			gen_string(g, "stdout-path", path);
			break;
		}
	}
	if (b->initrd_end != b->initrd_start) {
		gen_u64(g, "linux,initrd-start", b->initrd_start);
		gen_u64(g, "linux,initrd-end", b->initrd_end);
	}
	gen_end(g);
}

static void gen_memory(struct fdt_gen *g)
{
	for (uint32_t i = 0; i < g->board->ram_count; i++) {
		gen_begin_at(g, "memory", g->board->ram[i].base);
		gen_string(g, "device_type", "memory");
		gen_reg(g, &g->board->ram[i], 1);
		gen_end(g);
	}
}

int fdt_guest_generate(void *buf, size_t cap, const struct guest_board *board,
		       const struct image_site *site, size_t *size)
{
	struct fdt_gen g = { .fdt = buf, .board = board };

	if (board->arch != VM_ARCH_AARCH64) {
		image_diag(site, DIAG_ERROR,
			   "a device tree is needed: none can be generated for %s",
			   vm_arch_name(board->arch));
		return -ENOTSUP;
	}
	keep(&g, fdt_create(buf, (int)MIN(cap, (size_t)FDT_GUEST_GENERATED_MAX)));
	if (g.err == 0) {
		keep(&g, fdt_finish_reservemap(buf));
	}
	gen_begin(&g, "");
	gen_u32(&g, "#address-cells", 2);
	gen_u32(&g, "#size-cells", 2);
	gen_string(&g, "compatible", "linux,dummy-virt");
	gen_u32(&g, "interrupt-parent", GEN_PHANDLE_INTC);
	gen_string(&g, "model", "AxVisor virtual machine");
	gen_chosen(&g);
	gen_memory(&g);
	if (needs_clock(board)) {
		gen_clock(&g);
	}
	gen_aarch64(&g);
	for (uint32_t i = 0; i < board->dev_count; i++) {
		gen_dev(&g, &board->dev[i]);
	}
	gen_end(&g);
	if (g.err == 0) {
		keep(&g, fdt_finish(buf));
	}
	if (g.err != 0) {
		image_diag(site, DIAG_ERROR, "the device tree does not fit into 0x%lx bytes (%s)",
			   (uint64_t)cap, fdt_strerror(g.err));
		return -ENOSPC;
	}
	*size = fdt_totalsize(buf);
	return 0;
}
