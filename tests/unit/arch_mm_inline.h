/* SPDX-License-Identifier: Apache-2.0 */
/* Host tests: RAM is an arena, see fake_arch.h. */
#ifndef ARCH_MM_INLINE_H
#define ARCH_MM_INLINE_H

#include <hv/types.h>

void *hpa_to_ptr(hpa_t pa);
hpa_t ptr_to_hpa(const void *p);

#endif
