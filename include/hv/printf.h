/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatted text into a buffer, as C11 7.21.6.5 says, without floating point.
 *
 * Conversions d i u o x X c s p %, lengths hh h l ll z t j, flags - + space # 0,
 * width and precision as numbers or *.  A conversion that is not known is copied to
 * the output as it stands, without taking an argument.  %p prints 0x and the address
 * in hexadecimal, "(nil)" for NULL; %s of NULL prints "(null)".
 *
 * At most size - 1 characters and a zero are written (nothing if size is 0, when
 * buf may be NULL).  Returns the length the whole text has, without the zero, or
 * INT_MAX if it is longer than that.  No locks, no state.
 */
#ifndef HV_PRINTF_H
#define HV_PRINTF_H

#include <hv/types.h>
#include <stdarg.h>

int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap) __printf(3, 0);
int hv_snprintf(char *buf, size_t size, const char *fmt, ...) __printf(3, 4);

#endif
