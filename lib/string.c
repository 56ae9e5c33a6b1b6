/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The string functions of the image, as ISO C 7.24 says.
 *
 * Zeroing and copying guests' memory counts, so memset works on 128 and memcpy on 64
 * bytes at a time with plain 64-bit accesses (no vector registers: those hold guest state).  All
 * accesses are naturally aligned: they also run before the MMU is on, when unaligned
 * ones fault.  Where source and destination are not aligned alike, bytes are copied.
 *
 * Compilers like to turn such loops into calls of the very functions they implement;
 * opaque() keeps them from seeing what a loop does and costs no instruction.
 */
#include <stdint.h>
#include <string.h>

/* Words that may alias whatever the caller keeps there. */
typedef uint64_t __attribute__((may_alias)) word_t;

#define WORD	  sizeof(word_t)
#define BLOCK	  (8 * WORD)
#define FILL	  (16 * WORD)
#define opaque(p) __asm__("" : "+r"(p))

static inline int aligned(const void *p)
{
	return ((uintptr_t)p & (WORD - 1)) == 0;
}

static inline int alike(const void *a, const void *b)
{
	return (((uintptr_t)a ^ (uintptr_t)b) & (WORD - 1)) == 0;
}

void *memset(void *dst, int c, size_t n)
{
	unsigned char *d = dst;
	unsigned char byte = (unsigned char)c;
	uint64_t v = byte * UINT64_C(0x0101010101010101);

	if (n >= BLOCK) {
		for (; !aligned(d); n--) {
			*d++ = byte;
			opaque(d);
		}
		for (; n >= FILL; n -= FILL) {
			word_t *w = (word_t *)(void *)d;

			w[0] = v;
			w[1] = v;
			w[2] = v;
			w[3] = v;
			w[4] = v;
			w[5] = v;
			w[6] = v;
			w[7] = v;
			w[8] = v;
			w[9] = v;
			w[10] = v;
			w[11] = v;
			w[12] = v;
			w[13] = v;
			w[14] = v;
			w[15] = v;
			d += FILL;
			opaque(d);
		}
		for (; n >= WORD; n -= WORD) {
			*(word_t *)(void *)d = v;
			d += WORD;
			opaque(d);
		}
	}
	for (; n != 0; n--) {
		*d++ = byte;
		opaque(d);
	}
	return dst;
}

/* Upwards: right for memmove too when dst is below src. */
static inline void copy_up(unsigned char *d, const unsigned char *s, size_t n)
{
	if (n >= WORD && alike(d, s)) {
		for (; !aligned(d); n--) {
			*d++ = *s++;
			opaque(d);
		}
		for (; n >= BLOCK; n -= BLOCK) {
			word_t *dw = (word_t *)(void *)d;
			const word_t *sw = (const word_t *)(const void *)s;
			/* All loads first: the regions of memmove may overlap. */
			uint64_t a = sw[0], b = sw[1], c = sw[2], e = sw[3];
			uint64_t f = sw[4], g = sw[5], h = sw[6], i = sw[7];

			dw[0] = a;
			dw[1] = b;
			dw[2] = c;
			dw[3] = e;
			dw[4] = f;
			dw[5] = g;
			dw[6] = h;
			dw[7] = i;
			d += BLOCK;
			s += BLOCK;
			opaque(d);
		}
		for (; n >= WORD; n -= WORD) {
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
			d += WORD;
			s += WORD;
			opaque(d);
		}
	}
	for (; n != 0; n--) {
		*d++ = *s++;
		opaque(d);
	}
}

/* Downwards from the ends: for overlapping regions with dst above src. */
static inline void copy_down(unsigned char *d, const unsigned char *s, size_t n)
{
	d += n;
	s += n;
	if (n >= WORD && alike(d, s)) {
		for (; !aligned(d); n--) {
			*--d = *--s;
			opaque(d);
		}
		for (; n >= WORD; n -= WORD) {
			d -= WORD;
			s -= WORD;
			*(word_t *)(void *)d = *(const word_t *)(const void *)s;
			opaque(d);
		}
	}
	for (; n != 0; n--) {
		*--d = *--s;
		opaque(d);
	}
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n)
{
	copy_up(dst, src, n);
	return dst;
}

void *memmove(void *dst, const void *src, size_t n)
{
	/* Wraps to a large number when dst is below src. */
	if ((uintptr_t)dst - (uintptr_t)src >= n) {
		copy_up(dst, src, n);
	} else {
		copy_down(dst, src, n);
	}
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const unsigned char *p = a;
	const unsigned char *q = b;

	if (n >= WORD && alike(p, q)) {
		for (; !aligned(p) && *p == *q; n--) {
			p++;
			q++;
		}
		if (aligned(p)) {
			for (; n >= WORD &&
			       *(const word_t *)(const void *)p == *(const word_t *)(const void *)q;
			     n -= WORD) {
				p += WORD;
				q += WORD;
			}
		}
	}
	for (; n != 0; n--) {
		if (*p != *q) {
			return *p - *q;
		}
		p++;
		q++;
	}
	return 0;
}

/* The pointer without its const, as the interfaces of the C library want it. */
static inline char *unconst(const char *p)
{
	return (char *)(uintptr_t)p;
}

void *memchr(const void *s, int c, size_t n)
{
	for (const char *p = s; n != 0; n--, p++) {
		if (*p == (char)c) {
			return unconst(p);
		}
	}
	return NULL;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n] != '\0') {
		n++;
	}
	return n;
}

size_t strlen(const char *s)
{
	const char *p = s;

	while (*p != '\0') {
		p++;
		opaque(p);
	}
	return (size_t)(p - s);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n != 0; n--, a++, b++) {
		unsigned char x = (unsigned char)*a;
		unsigned char y = (unsigned char)*b;

		if (x != y || x == '\0') {
			return x - y;
		}
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c) {
			return unconst(s);
		}
		if (*s == '\0') {
			return NULL;
		}
	}
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	for (;; s++) {
		if (*s == (char)c) {
			last = s;
		}
		if (*s == '\0') {
			return unconst(last);
		}
	}
}
