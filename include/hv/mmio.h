/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Registers of host devices.
 *
 * From arch/<arch>/arch_mmio_inline.h (host tests: tests/unit/arch_mmio_inline.h,
 * where a model of the device answers):
 *
 *   uint8_t mmio_read8(hpa_t base, uint64_t offset);    also 16, 32, 64
 *   void mmio_write8(hpa_t base, uint64_t offset, uint8_t value);
 *   void mmio_rmb(void);  device and memory reads before it come first
 *   void mmio_wmb(void);  memory writes before it are seen by a device that a later
 *                         register write tells about them
 *   void mmio_mb(void);   all before all after, memory and registers
 *
 * Each access is one access of that width, never split, joined or left out; those to
 * one device stay in program order (Arm: Device-nGnRE memory).  Nothing orders them
 * with memory but the barriers.  The registers must be mapped as device memory, and
 * `base + offset` is aligned to the width.
 */
#ifndef HV_MMIO_H
#define HV_MMIO_H

#include <arch_mmio_inline.h>
#include <hv/types.h>

#endif
