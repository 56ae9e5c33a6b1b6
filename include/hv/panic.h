/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the hypervisor itself: says all it knows, stops all cores. */
#ifndef HV_PANIC_H
#define HV_PANIC_H

#include <hv/types.h>
#include <stdarg.h>

/* One line, bypassing the console's lock. */
void panic_print(const char *fmt, ...) __printf(1, 2);

/*
 * Called by hv_panic() and by the architecture's fault handler after it has printed
 * registers and backtrace: the other cores, off with a failure status.
 */
void __noreturn panic_finish(void);

/* True once some core has begun to panic; false for the first caller. */
bool panic_begin(void);

#endif
