/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A generated device tree: processors, firmware, timer and interrupt controller of an
 * aarch64 board.  Linux bindings arm/cpus, arm/psci, timer/arm,arch_timer,
 * interrupt-controller/arm,gic and arm,gic-v3.
 */
#include "fdt_gen.h"

#define GIC_SPI_BASE 32
#define GIC_PPI_BASE 16
#define GIC_CELL_SPI 0
#define GIC_CELL_PPI 1
#define GIC_PPI_CPUS 8 /* GICv2 has eight; the mask is bits 15:8 of a PPI's flags */

/* Secure, non-secure, virtual, hypervisor timer: PPI numbers as on every Arm board. */
static const uint32_t timer_ppis[] = { 13, 14, 11, 10 };

static void gen_irq(struct fdt_gen *g, uint32_t irq, uint32_t trigger)
{
	const bool spi = irq >= GIC_SPI_BASE;
	const uint32_t cells[] = { spi ? GIC_CELL_SPI : GIC_CELL_PPI,
				   irq - (spi ? GIC_SPI_BASE : GIC_PPI_BASE), trigger };

	gen_cells(g, "interrupts", cells, ARRAY_SIZE(cells));
}

static void gen_cpus(struct fdt_gen *g)
{
	const struct guest_board *b = g->board;
	bool wide = false;

	for (uint32_t i = 0; i < b->cpu_count; i++) {
		wide = wide || b->cpu_hwid[i] > UINT32_MAX;
	}
	gen_begin(g, "cpus");
	gen_u32(g, "#address-cells", wide ? 2 : 1);
	gen_u32(g, "#size-cells", 0);
	for (uint32_t i = 0; i < b->cpu_count; i++) {
		gen_begin_at(g, "cpu", b->cpu_hwid[i]);
		gen_string(g, "device_type", "cpu");
		gen_string(g, "compatible", "arm,armv8");
		if (wide) {
			gen_u64(g, "reg", b->cpu_hwid[i]);
		} else {
			gen_u32(g, "reg", (uint32_t)b->cpu_hwid[i]);
		}
		gen_string(g, "enable-method", "psci");
		gen_end(g);
	}
	gen_end(g);
}

static void gen_psci(struct fdt_gen *g)
{
	gen_begin(g, "psci");
	gen_bytes(g, "compatible", "arm,psci-1.0\0arm,psci-0.2",
		  sizeof("arm,psci-1.0\0arm,psci-0.2"));
	gen_string(g, "method", "hvc");
	gen_end(g);
}

static void gen_timer(struct fdt_gen *g)
{
	uint32_t cells[3 * ARRAY_SIZE(timer_ppis)];
	uint32_t flags = GEN_IRQ_LEVEL_HIGH;

	if (g->board->intc.kind == GUEST_INTC_GICV2) {
		flags |= (BIT32(MIN(g->board->cpu_count, GIC_PPI_CPUS)) - 1) << 8;
	}
	for (size_t i = 0; i < ARRAY_SIZE(timer_ppis); i++) {
		cells[3 * i] = GIC_CELL_PPI;
		cells[3 * i + 1] = timer_ppis[i];
		cells[3 * i + 2] = flags;
	}
	gen_begin(g, "timer");
	gen_string(g, "compatible", "arm,armv8-timer");
	gen_cells(g, "interrupts", cells, ARRAY_SIZE(cells));
	gen_flag(g, "always-on");
	gen_end(g);
}

static void gen_gic(struct fdt_gen *g)
{
	const struct guest_intc *c = &g->board->intc;
	struct guest_range reg[1 + GUEST_MAX_GICRS] = { c->dist };
	size_t n = 1;

	gen_begin_at(g, "interrupt-controller", c->dist.base);
	if (c->kind == GUEST_INTC_GICV3) {
		gen_string(g, "compatible", "arm,gic-v3");
		gen_u32(g, "#redistributor-regions", c->redist_count);
		for (uint32_t i = 0; i < MIN(c->redist_count, GUEST_MAX_GICRS); i++) {
			reg[n++] = c->redist[i];
		}
	} else {
		gen_string(g, "compatible", "arm,cortex-a15-gic");
		reg[n++] = c->cpu;
	}
	gen_flag(g, "interrupt-controller");
	gen_u32(g, "#interrupt-cells", 3);
	gen_u32(g, "#address-cells", 0);
	gen_reg(g, reg, n);
	gen_u32(g, "phandle", GEN_PHANDLE_INTC);
	gen_end(g);
}

void gen_aarch64(struct fdt_gen *g)
{
	g->irq = gen_irq;
	gen_cpus(g);
	gen_psci(g);
	gen_timer(g);
	gen_gic(g);
}
