/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cache maintenance for DMA that is not coherent (DDI 0487, D7.5: DC CIVAC by lines of
 * CTR_EL0.DminLine words).
 */
#include "sysreg.h"

#include <hv/arch_mm.h>

void arch_cache_dma_range(const void *p, size_t len)
{
	uint64_t line = UINT64_C(4) << (sysreg_read(CTR_EL0) >> 16 & 0xf);
	uint64_t end = (uint64_t)(uintptr_t)p + len;

	dsb(sy);
	for (uint64_t a = ALIGN_DOWN((uint64_t)(uintptr_t)p, line); a < end; a += line) {
		__asm__ volatile("dc civac, %0" ::"r"(a) : "memory");
	}
	dsb(sy);
}
