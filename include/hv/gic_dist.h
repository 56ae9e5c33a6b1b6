/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The GIC distributor's registers that versions 2 and 3 share (IHI 0048B 4.3,
 * IHI 0069H 12.9).  `frame` is the distributor, or the SGI frame of a GICv3
 * redistributor, which has the same registers for interrupts 0..31.
 */
#ifndef HV_GIC_DIST_H
#define HV_GIC_DIST_H

#include <hv/irqchip.h>
#include <hv/mmio.h>

#define GICD_CTLR	0x000
#define GICD_TYPER	0x004
#define GICD_IGROUPR	0x080
#define GICD_ISENABLER	0x100
#define GICD_ICENABLER	0x180
#define GICD_ICPENDR	0x280
#define GICD_ISACTIVER	0x300
#define GICD_ICACTIVER	0x380
#define GICD_IPRIORITYR 0x400
#define GICD_ITARGETSR	0x800
#define GICD_ICFGR	0xc00
#define GICD_SGIR	0xf00

#define GIC_FIRST_PPI  16
#define GIC_FIRST_SPI  32
#define GIC_MAX_INTID  1020 /* 1020..1023 are special */
#define GIC_PRIORITY   0xa0 /* of all host interrupts: they do not preempt each other */
#define GIC_PMR_ALL    0xff
#define GIC_INTID_MASK 0x3ff

/* Registers of one bit an interrupt, where writing 1 acts and 0 does nothing. */
static inline void gic_write_bit(hpa_t frame, uint64_t reg, uint32_t irq)
{
	mmio_write32(frame, reg + irq / 32 * 4, BIT32(irq % 32));
}

static inline uint32_t gic_dist_count(hpa_t gicd)
{
	uint32_t lines = 32 * ((mmio_read32(gicd, GICD_TYPER) & 0x1f) + 1);

	return MIN(lines, (uint32_t)GIC_MAX_INTID);
}

/* Edge or level; the caller excludes others and has disabled the interrupt. */
static inline void gic_write_config(hpa_t frame, uint32_t irq, enum irq_trigger t)
{
	uint64_t reg = GICD_ICFGR + irq / 16 * 4;
	uint32_t bit = BIT32(irq % 16 * 2 + 1);
	uint32_t v = mmio_read32(frame, reg);

	mmio_write32(frame, reg, t == IRQ_EDGE ? v | bit : v & ~bit);
}

/* [first, end), multiples of 32: disabled, neither pending nor active, one priority. */
static inline void gic_reset_range(hpa_t frame, uint32_t first, uint32_t end)
{
	for (uint32_t irq = first; irq < end; irq += 32) {
		mmio_write32(frame, GICD_ICENABLER + irq / 8, UINT32_MAX);
		mmio_write32(frame, GICD_ICPENDR + irq / 8, UINT32_MAX);
		mmio_write32(frame, GICD_ICACTIVER + irq / 8, UINT32_MAX);
	}
	for (uint32_t irq = first; irq < end; irq += 4) {
		mmio_write32(frame, GICD_IPRIORITYR + irq, GIC_PRIORITY * UINT32_C(0x01010101));
	}
}

#endif
