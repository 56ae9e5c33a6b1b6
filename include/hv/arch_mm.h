/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the hypervisor reaches RAM.  From arch/<arch>/arch_mm_inline.h (host tests:
 * tests/unit/arch_mm_inline.h, where RAM is an arena):
 *
 *   void *hpa_to_ptr(hpa_t pa);           where a byte of RAM is mapped
 *   hpa_t ptr_to_hpa(const void *p);      and back
 *
 * Both are for RAM only and good within one bank: what lies past its end may be
 * elsewhere.
 */
#ifndef HV_ARCH_MM_H
#define HV_ARCH_MM_H

#include <arch_mm_inline.h>
#include <hv/types.h>

/*
 * Bytes of an image were written at p, in RAM, by this core with its caches on.  Until
 * it returns they are not certain to be seen by a guest that runs with its MMU and
 * caches off, nor by anybody's instruction fetch: clean to the point of coherency, and
 * invalidate instruction caches (Arm ARM D7.5; RISC-V: fence.i on every hart; x86:
 * nothing).  Any address and length.
 */
void arch_cache_image_range(const void *p, size_t len);

/*
 * Memory shared with a device whose DMA does not see the caches (no dma-coherent in the
 * device tree): what we wrote reaches the device, and what it wrote is read anew.
 * Clean and invalidate to the point of coherency (Arm ARM D7.5; x86: nothing).
 */
void arch_cache_dma_range(const void *p, size_t len);

#endif
