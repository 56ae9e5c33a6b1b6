/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lib/printf.c judged by libc: random formats with every flag, width, precision,
 * length and conversion must give the same text and the same return value.
 */
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <hv/printf.h>

/* Called through a type without the format attribute: wrong formats are tried too. */
static int (*volatile print)(char *buf, size_t size, const char *fmt, ...) = hv_snprintf;

static uint64_t rnd_state = 42;

static uint64_t rnd(void)
{
	rnd_state ^= rnd_state << 13;
	rnd_state ^= rnd_state >> 7;
	rnd_state ^= rnd_state << 17;
	return rnd_state;
}

/* Values near the ends of the ranges are the interesting ones. */
static uint64_t rnd_value(void)
{
	static const uint64_t edge[] = { 0,	     1,		9,	    10,	       127,
					 128,	     255,	256,	    32767,     32768,
					 65535,	     INT_MAX,	UINT32_MAX, INT64_MAX, UINT64_MAX,
					 1ULL << 63, 1ULL << 31 };

	switch (rnd() % 3) {
	case 0:
		return edge[rnd() % (sizeof(edge) / sizeof(edge[0]))];
	case 1:
		return -(rnd() % 100000);
	default:
		return rnd() >> (rnd() % 64);
	}
}

static size_t put_spec(char *f, char conv, int *stars)
{
	static const char flags[] = "-+ #0";
	static const char *const lengths[] = { "", "hh", "h", "l", "ll", "z", "t", "j" };
	size_t n = 0;

	*stars = 0;
	f[n++] = '%';
	/* %p, %c and %s know "-" only. */
	for (size_t i = 0; i < (strchr("pcs", conv) != NULL ? 1 : 5); i++) {
		if (rnd() % 4 == 0) {
			f[n++] = flags[i];
		}
	}
	switch (rnd() % 4) {
	case 0:
		n += (size_t)sprintf(f + n, "%d", (int)(rnd() % 40) + 1);
		break;
	case 1:
		f[n++] = '*';
		*stars |= 1;
		break;
	default:
		break;
	}
	/* What a precision means for these is not defined. */
	if (conv != 'c' && conv != 'p') {
		switch (rnd() % 4) {
		case 0:
			n += (size_t)sprintf(f + n, ".%d", (int)(rnd() % 30));
			break;
		case 1:
			n += (size_t)sprintf(f + n, ".*");
			*stars |= 2;
			break;
		case 2:
			if (rnd() % 8 == 0) {
				f[n++] = '.';
			}
			break;
		default:
			break;
		}
	}
	if (strchr("diuoxX", conv) != NULL) {
		n += (size_t)sprintf(f + n, "%s", lengths[rnd() % 8]);
	}
	f[n++] = conv;
	f[n] = '\0';
	return n;
}

static void check(char conv, const char *fmt, int stars, size_t size)
{
	static const char *const words[] = { "", "x", "hello", "a longer text than the width is" };
	int w = (int)(rnd() % 60) - 30;
	int p = (int)(rnd() % 30) - 5;
	uint64_t v = conv == 's' ? (uintptr_t)words[rnd() % 4] : rnd_value();
	char want[300];
	char got[300];
	int rw, rg;

	if (conv == 'c') {
		v = rnd() % 255 + 1;
	}
	memset(want, '~', sizeof(want));
	memset(got, '~', sizeof(got));
	switch (stars) {
	case 1:
		rw = snprintf(want, size, fmt, w, v, 77);
		rg = print(got, size, fmt, w, v, 77);
		break;
	case 2:
		rw = snprintf(want, size, fmt, p, v, 77);
		rg = print(got, size, fmt, p, v, 77);
		break;
	case 3:
		rw = snprintf(want, size, fmt, w, p, v, 77);
		rg = print(got, size, fmt, w, p, v, 77);
		break;
	default:
		rw = snprintf(want, size, fmt, v, 77);
		rg = print(got, size, fmt, v, 77);
		break;
	}
	if (rw != rg || memcmp(want, got, sizeof(want)) != 0) {
		fail_msg("\"%s\" w=%d p=%d v=%#llx size=%zu: \"%s\" (%d), libc: \"%s\" (%d)", fmt,
			 w, p, (unsigned long long)v, size, got, rg, want, rw);
	}
}

static void test_random(void **state)
{
	static const char convs[] = "diuoxXcsp";

	(void)state;
	for (int i = 0; i < 300000; i++) {
		char conv = convs[rnd() % 9];
		char fmt[64] = "<";
		int stars;
		size_t n = 1 + put_spec(fmt + 1, conv, &stars);

		strcpy(fmt + n, "> %d%%");
		check(conv, fmt, stars, rnd() % 3 == 0 ? rnd() % 40 : 300);
	}
}

static void test_pointer_and_null(void **state)
{
	char buf[64];

	(void)state;
	assert_int_equal(print(buf, sizeof(buf), "%p", (void *)0x1234), 6);
	assert_string_equal(buf, "0x1234");
	print(buf, sizeof(buf), "%p|%8p", NULL, NULL);
	assert_string_equal(buf, "(nil)|   (nil)");
	print(buf, sizeof(buf), "%s", (char *)NULL);
	assert_string_equal(buf, "(null)");
}

static void test_size(void **state)
{
	char buf[8] = "#######";

	(void)state;
	assert_int_equal(print(NULL, 0, "%s", "twelve chars"), 12);
	assert_int_equal(print(buf, 0, "abc"), 3);
	assert_string_equal(buf, "#######");
	assert_int_equal(print(buf, 1, "abc"), 3);
	assert_string_equal(buf, "");
	assert_int_equal(buf[1], '#');
	assert_int_equal(print(buf, 4, "abcdef"), 6);
	assert_string_equal(buf, "abc");
	assert_int_equal(buf[4], '#');
}

/* %.*s of something without an end must not read past the precision. */
static void test_bounded_string(void **state)
{
	char *s = malloc(3);
	char buf[16];

	(void)state;
	memcpy(s, "xyz", 3);
	assert_int_equal(print(buf, sizeof(buf), "%.3s|%.*s", s, 2, s), 6);
	assert_string_equal(buf, "xyz|xy");
	free(s);
}

static void test_huge(void **state)
{
	char buf[16];

	(void)state;
	/* Quick, although the text would have 2^31 characters. */
	assert_int_equal(print(buf, sizeof(buf), "%2147483647d", 1), INT_MAX);
	assert_int_equal(print(buf, sizeof(buf), "%99999999999999d", 1), INT_MAX);
	assert_int_equal(print(buf, sizeof(buf), "%.2147483647d%d", 1, 1), INT_MAX);
	assert_string_equal(buf, "000000000000000");
	assert_int_equal(print(buf, sizeof(buf), "%*d", INT_MIN, 1), INT_MAX);
	assert_int_equal(print(buf, sizeof(buf), "%+.2147483647d", 1), INT_MAX);
	assert_int_equal(print(buf, sizeof(buf), "%02147483647d", -1), INT_MAX);
}

static void test_unknown(void **state)
{
	char buf[32];

	(void)state;
	assert_int_equal(print(buf, sizeof(buf), "a%yb%d", 5), 5);
	assert_string_equal(buf, "a%yb5");
	print(buf, sizeof(buf), "end%");
	assert_string_equal(buf, "end%");
	print(buf, sizeof(buf), "end%-08l");
	assert_string_equal(buf, "end%-08l");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random), cmocka_unit_test(test_pointer_and_null),
		cmocka_unit_test(test_size),   cmocka_unit_test(test_bounded_string),
		cmocka_unit_test(test_huge),   cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
