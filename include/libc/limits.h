/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gcc's own <limits.h>, which defines everything we use, goes on to the C
 * library's: this is where it arrives in the image.
 */
#ifndef LIBC_LIMITS_H
#define LIBC_LIMITS_H
#endif
