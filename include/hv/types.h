/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The words every module speaks: address types, sizes, attributes.
 *
 * Host-physical and guest-physical addresses are different C types, so that the
 * compiler finds every place where one is taken for the other.  They are built
 * with hpa()/gpa() and read with .a; a structure of one 64-bit member travels in
 * a register like the integer it holds.
 */
#ifndef HV_TYPES_H
#define HV_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A host-physical address, in bytes. */
typedef struct {
	uint64_t a;
} hpa_t;

/* A guest-physical address (Arm: IPA), in bytes. */
typedef struct {
	uint64_t a;
} gpa_t;

static inline hpa_t hpa(uint64_t a)
{
	return (hpa_t){ a };
}

static inline gpa_t gpa(uint64_t a)
{
	return (gpa_t){ a };
}

#define KiB UINT64_C(1024)
#define MiB (KiB * 1024)
#define GiB (MiB * 1024)

#define PAGE_SHIFT 12
#define PAGE_SIZE  (UINT64_C(1) << PAGE_SHIFT)

/* Cores and vCPUs are counted up to these; sets of them are 64-bit bitmaps. */
#define MAX_CPUS  32
#define MAX_VCPUS 32
#define MAX_VMS	  16

#define BIT64(n)	 (UINT64_C(1) << (n))
#define BIT32(n)	 (UINT32_C(1) << (n))
#define ARRAY_SIZE(a)	 (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b)	 ((a) < (b) ? (a) : (b))
#define MAX(a, b)	 ((a) > (b) ? (a) : (b))
#define IS_ALIGNED(x, a) (((x) & ((a)-1)) == 0)

/* `a` is a power of two; ALIGN_UP of a value within `a` of 2^64 wraps. */
#define ALIGN_DOWN(x, a) ((x) & ~((uint64_t)(a)-1))
#define ALIGN_UP(x, a)	 ALIGN_DOWN((x) + (uint64_t)(a)-1, a)

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define __must_check   __attribute__((warn_unused_result))
#define __noreturn     __attribute__((noreturn))
#define __printf(f, a) __attribute__((format(printf, f, a)))
#define likely(x)      __builtin_expect(!!(x), 1)
#define unlikely(x)    __builtin_expect(!!(x), 0)
/* A pointer that was computed with effort: the compiler would do so anew at each use. */
#define keep_in_register(p) __asm__("" : "+r"(p))

/* True when [a, a+an) and [b, b+bn) share a byte.  Ranges must not wrap. */
static inline bool ranges_overlap(uint64_t a, uint64_t an, uint64_t b, uint64_t bn)
{
	return an != 0 && bn != 0 && a < b + bn && b < a + an;
}

/* True when [a, a+an) lies wholly in [b, b+bn); safe against wrapping. */
static inline bool range_within(uint64_t a, uint64_t an, uint64_t b, uint64_t bn)
{
	return a >= b && an <= bn && a - b <= bn - an;
}

#endif
