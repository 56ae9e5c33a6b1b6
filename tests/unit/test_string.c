/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/string.c against plain reference loops: all alignments, lengths around the
 * block sizes, nothing written or read outside (the arrays end where the memory
 * ends, so ASan sees a step too far).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The image's functions under names of their own: libc's stay for everything else. */
#define memcpy	hv_test_memcpy
#define memmove hv_test_memmove
#define memset	hv_test_memset
#define memcmp	hv_test_memcmp
#define memchr	hv_test_memchr
#define strlen	hv_test_strlen
#define strnlen hv_test_strnlen
#define strcmp	hv_test_strcmp
#define strncmp hv_test_strncmp
#define strchr	hv_test_strchr
#define strrchr hv_test_strrchr

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);

#include "../../lib/string.c"

#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#undef memchr
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr

#define SPAN 400

/* Every length up to 200 and some longer ones. */
static size_t next_len(size_t n)
{
	return n < 200 ? n + 1 : n + 37;
}

static void pattern(unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++) {
		p[i] = (unsigned char)(i * 7 + seed * 31 + (i >> 8));
	}
}

static int sign(int v)
{
	return (v > 0) - (v < 0);
}

static void test_memset(void **state)
{
	(void)state;
	for (size_t align = 0; align < 9; align++) {
		for (size_t n = 0; n <= SPAN - align; n = next_len(n)) {
			/* Ends exactly with the memory. */
			unsigned char *mem = malloc(align + n + 1);
			unsigned char *want = malloc(align + n + 1);

			pattern(mem, align + n + 1, 1);
			pattern(want, align + n + 1, 1);
			for (size_t i = 0; i < n; i++) {
				want[align + i] = 0xc3;
			}
			assert_ptr_equal(hv_test_memset(mem + align, 0x5c3, n), mem + align);
			assert_memory_equal(mem, want, align + n + 1);
			free(mem);
			free(want);
		}
	}
}

static void test_memcpy(void **state)
{
	(void)state;
	for (size_t da = 0; da < 9; da++) {
		for (size_t sa = 0; sa < 9; sa++) {
			for (size_t n = 0; n <= SPAN - 9; n = next_len(n)) {
				unsigned char *src = malloc(sa + n + 1);
				unsigned char *dst = malloc(da + n + 1);

				pattern(src, sa + n + 1, 2);
				pattern(dst, da + n + 1, 3);
				assert_ptr_equal(hv_test_memcpy(dst + da, src + sa, n), dst + da);
				assert_memory_equal(dst + da, src + sa, n);
				for (size_t i = 0; i < da; i++) {
					assert_int_equal(dst[i], (unsigned char)(i * 7 + 93));
				}
				assert_int_equal(dst[da + n], (unsigned char)((da + n) * 7 + 93 +
									      ((da + n) >> 8)));
				free(src);
				free(dst);
			}
		}
	}
}

static void test_memmove(void **state)
{
	static const size_t lens[] = { 0, 1, 7, 8, 9, 63, 64, 65, 127, 128, 200, 300 };
	unsigned char mem[SPAN * 2];
	unsigned char want[SPAN * 2];

	(void)state;
	for (size_t from = 0; from < 100; from++) {
		for (size_t to = 0; to < 100; to++) {
			for (size_t k = 0; k < sizeof(lens) / sizeof(lens[0]); k++) {
				pattern(mem, sizeof(mem), 4);
				memcpy(want, mem, sizeof(mem));
				for (size_t i = 0; i < lens[k]; i++) {
					want[to + i] = mem[from + i];
				}
				hv_test_memmove(mem + to, mem + from, lens[k]);
				assert_memory_equal(mem, want, sizeof(mem));
			}
		}
	}
}

static void test_memcmp(void **state)
{
	unsigned char a[SPAN], b[SPAN];

	(void)state;
	for (size_t aa = 0; aa < 9; aa++) {
		for (size_t ba = 0; ba < 9; ba++) {
			for (size_t n = 0; n < 80; n++) {
				pattern(a + aa, n, 5);
				pattern(b + ba, n, 5);
				a[aa + n] = 1; /* must not count */
				b[ba + n] = 2;
				assert_int_equal(hv_test_memcmp(a + aa, b + ba, n), 0);
				for (size_t at = 0; at < n; at += 3) {
					b[ba + at] ^= 0x80;
					assert_int_equal(sign(hv_test_memcmp(a + aa, b + ba, n)),
							 sign(memcmp(a + aa, b + ba, n)));
					b[ba + at] ^= 0x80;
				}
			}
		}
	}
}

static void test_memchr(void **state)
{
	char *s = malloc(10);

	(void)state;
	memcpy(s,
	       "abc\0\xff"
	       "abcd",
	       10);
	assert_ptr_equal(hv_test_memchr(s, 'a', 10), s);
	assert_ptr_equal(hv_test_memchr(s, 'd', 10), s + 8);
	assert_ptr_equal(hv_test_memchr(s, 0, 10), s + 3);
	assert_ptr_equal(hv_test_memchr(s, 0xff, 10), s + 4);
	assert_ptr_equal(hv_test_memchr(s, 'x', 10), NULL);
	assert_ptr_equal(hv_test_memchr(s, 'c', 2), NULL);
	assert_ptr_equal(hv_test_memchr(s, 'a', 0), NULL);
	free(s);
}

static void test_str(void **state)
{
	static const char *const words[] = { "",
					     "a",
					     "ab",
					     "abc",
					     "abd",
					     "b",
					     "\xff",
					     "a\x80",
					     "/soc/uart@9000000",
					     "/soc/uart@9000001" };
	size_t count = sizeof(words) / sizeof(words[0]);

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(hv_test_strlen(words[i]), strlen(words[i]));
		for (size_t n = 0; n < 20; n++) {
			assert_int_equal(hv_test_strnlen(words[i], n), strnlen(words[i], n));
		}
		for (int c = 0; c < 256; c++) {
			assert_ptr_equal(hv_test_strchr(words[i], c), strchr(words[i], c));
			assert_ptr_equal(hv_test_strrchr(words[i], c), strrchr(words[i], c));
		}
		for (size_t j = 0; j < count; j++) {
			assert_int_equal(sign(hv_test_strcmp(words[i], words[j])),
					 sign(strcmp(words[i], words[j])));
			for (size_t n = 0; n < 20; n++) {
				assert_int_equal(sign(hv_test_strncmp(words[i], words[j], n)),
						 sign(strncmp(words[i], words[j], n)));
			}
		}
	}
}

static void test_strnlen_stops(void **state)
{
	char *s = malloc(4);

	(void)state;
	memset(s, 'x', 4); /* no zero: one byte more would be read outside */
	assert_int_equal(hv_test_strnlen(s, 4), 4);
	assert_int_equal(hv_test_strncmp(s, s, 4), 0);
	free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_memset),	      cmocka_unit_test(test_memcpy),
		cmocka_unit_test(test_memmove),	      cmocka_unit_test(test_memcmp),
		cmocka_unit_test(test_memchr),	      cmocka_unit_test(test_str),
		cmocka_unit_test(test_strnlen_stops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
