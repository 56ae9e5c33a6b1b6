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

#endif
