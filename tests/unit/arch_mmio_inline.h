/* SPDX-License-Identifier: Apache-2.0 */
/* Host tests: models of devices answer, see fake_mmio.h. */
#ifndef ARCH_MMIO_INLINE_H
#define ARCH_MMIO_INLINE_H

#include <hv/types.h>

uint8_t mmio_read8(hpa_t base, uint64_t offset);
uint16_t mmio_read16(hpa_t base, uint64_t offset);
uint32_t mmio_read32(hpa_t base, uint64_t offset);
uint64_t mmio_read64(hpa_t base, uint64_t offset);
void mmio_write8(hpa_t base, uint64_t offset, uint8_t value);
void mmio_write16(hpa_t base, uint64_t offset, uint16_t value);
void mmio_write32(hpa_t base, uint64_t offset, uint32_t value);
void mmio_write64(hpa_t base, uint64_t offset, uint64_t value);
void mmio_rmb(void);
void mmio_wmb(void);
void mmio_mb(void);

#endif
