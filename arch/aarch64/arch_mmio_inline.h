/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of devices (see hv/mmio.h): identity-mapped as Device-nGnRE.  One plain
 * load or store each, so that it is one bus access of that width (DDI 0487, B2.7.2).
 *
 * Barriers: DMB suffices between memory and a device in the same (outer) shareability
 * domain, as Device memory counts as outer shareable.
 */
#ifndef ARCH_MMIO_INLINE_H
#define ARCH_MMIO_INLINE_H

#include <hv/types.h>

static inline uint8_t mmio_read8(hpa_t base, uint64_t offset)
{
	uint32_t v;

	__asm__ volatile("ldrb %w0, [%1]" : "=r"(v) : "r"(base.a + offset) : "memory");
	return (uint8_t)v;
}

static inline uint16_t mmio_read16(hpa_t base, uint64_t offset)
{
	uint32_t v;

	__asm__ volatile("ldrh %w0, [%1]" : "=r"(v) : "r"(base.a + offset) : "memory");
	return (uint16_t)v;
}

static inline uint32_t mmio_read32(hpa_t base, uint64_t offset)
{
	uint32_t v;

	__asm__ volatile("ldr %w0, [%1]" : "=r"(v) : "r"(base.a + offset) : "memory");
	return v;
}

static inline uint64_t mmio_read64(hpa_t base, uint64_t offset)
{
	uint64_t v;

	__asm__ volatile("ldr %0, [%1]" : "=r"(v) : "r"(base.a + offset) : "memory");
	return v;
}

static inline void mmio_write8(hpa_t base, uint64_t offset, uint8_t value)
{
	__asm__ volatile("strb %w0, [%1]" ::"rZ"((uint32_t)value), "r"(base.a + offset) : "memory");
}

static inline void mmio_write16(hpa_t base, uint64_t offset, uint16_t value)
{
	__asm__ volatile("strh %w0, [%1]" ::"rZ"((uint32_t)value), "r"(base.a + offset) : "memory");
}

static inline void mmio_write32(hpa_t base, uint64_t offset, uint32_t value)
{
	__asm__ volatile("str %w0, [%1]" ::"rZ"(value), "r"(base.a + offset) : "memory");
}

static inline void mmio_write64(hpa_t base, uint64_t offset, uint64_t value)
{
	__asm__ volatile("str %0, [%1]" ::"rZ"(value), "r"(base.a + offset) : "memory");
}

static inline void mmio_rmb(void)
{
	__asm__ volatile("dmb oshld" ::: "memory");
}

static inline void mmio_wmb(void)
{
	__asm__ volatile("dmb oshst" ::: "memory");
}

static inline void mmio_mb(void)
{
	__asm__ volatile("dmb osh" ::: "memory");
}

#endif
