/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stop for broken invariants of our own.  Nothing that a guest, an image, a
 * configuration or a disk contains may reach one of these.
 *
 * hv_panic() is in core/panic.c (tests: fake_arch.c, where it fails the test).
 */
#ifndef HV_BUG_H
#define HV_BUG_H

#include <hv/types.h>

void hv_panic(const char *fmt, ...) __printf(1, 2) __noreturn;

#define BUG_ON(cond)                                                                            \
	do {                                                                                    \
		if (unlikely(cond)) {                                                           \
			hv_panic("%s:%d: %s: BUG_ON(%s)", __FILE__, __LINE__, __func__, #cond); \
		}                                                                               \
	} while (0)

#endif
