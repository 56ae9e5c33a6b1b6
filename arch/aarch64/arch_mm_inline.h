/* SPDX-License-Identifier: Apache-2.0 */
/*
 * aarch64: the hypervisor's RAM is mapped at its physical addresses.
 */
#ifndef ARCH_MM_INLINE_H
#define ARCH_MM_INLINE_H

#include <hv/types.h>

static inline void *hpa_to_ptr(hpa_t pa)
{
	return (void *)(uintptr_t)pa.a;
}

static inline hpa_t ptr_to_hpa(const void *p)
{
	return hpa((uintptr_t)p);
}

#endif
