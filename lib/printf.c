/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formatted text, as ISO C 7.21.6.1 says, without floating point.
 */
#include <hv/printf.h>
#include <limits.h>
#include <string.h>

struct out {
	char *buf;
	size_t size;
	uint64_t len; /* of the whole text, also where it does not fit */
};

enum length {
	LEN_CHAR,
	LEN_SHORT,
	LEN_INT,
	LEN_LONG,
	LEN_LLONG,
	LEN_SIZE,
	LEN_PTRDIFF,
	LEN_INTMAX,
};

/* One conversion specification. */
struct spec {
	bool minus;
	bool plus;
	bool space;
	bool alt;
	bool zero;
	int width;
	int precision; /* -1: none given */
	enum length length;
	char conv;
};

static void out_mem(struct out *o, const char *s, size_t n)
{
	if (o->len < o->size) {
		size_t room = o->size - (size_t)o->len;

		memcpy(o->buf + o->len, s, MIN(n, room));
	}
	o->len += n;
}

static void out_fill(struct out *o, char c, int n)
{
	if (n <= 0) {
		return;
	}
	if (o->len < o->size) {
		size_t room = o->size - (size_t)o->len;

		memset(o->buf + o->len, c, MIN((size_t)n, room));
	}
	o->len += (size_t)n;
}

/* prefix, zeros, body; padded to the width. */
static void out_field(struct out *o, const struct spec *sp, const char *prefix, int zeros,
		      const char *body, size_t n)
{
	size_t plen = strlen(prefix);
	size_t total = plen + (size_t)zeros + n;
	int pad = total < (size_t)sp->width ? sp->width - (int)total : 0;

	if (!sp->minus) {
		out_fill(o, ' ', pad);
	}
	out_mem(o, prefix, plen);
	out_fill(o, '0', zeros);
	out_mem(o, body, n);
	if (sp->minus) {
		out_fill(o, ' ', pad);
	}
}

static void out_number(struct out *o, const struct spec *sp, uint64_t v, unsigned base,
		       const char *prefix)
{
	const char *set = sp->conv == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	char digits[22]; /* 2^64 in octal */
	size_t n = 0;
	int zeros = 0;

	for (; v != 0; v /= base) {
		n++;
		digits[sizeof(digits) - n] = set[v % base];
	}
	if (sp->precision >= 0) {
		zeros = sp->precision > (int)n ? sp->precision - (int)n : 0;
	} else if (sp->zero && !sp->minus) {
		int used = (int)(n + strlen(prefix));

		zeros = sp->width > used ? sp->width - used : 0;
	}
	/* Zero has one digit unless the precision says 0; %#o has a leading 0 in any case. */
	if (zeros == 0 && ((n == 0 && sp->precision != 0) || (base == 8 && sp->alt))) {
		zeros = 1;
	}
	out_field(o, sp, prefix, zeros, digits + sizeof(digits) - n, n);
}

static uint64_t arg_unsigned(enum length length, va_list *ap)
{
	switch (length) {
	case LEN_CHAR:
		return (unsigned char)va_arg(*ap, unsigned);
	case LEN_SHORT:
		return (unsigned short)va_arg(*ap, unsigned);
	case LEN_INT:
		return va_arg(*ap, unsigned);
	case LEN_LONG:
		return va_arg(*ap, unsigned long);
	case LEN_SIZE:
		return va_arg(*ap, size_t);
	case LEN_PTRDIFF:
		return (uint64_t)va_arg(*ap, ptrdiff_t);
	case LEN_INTMAX:
		return va_arg(*ap, uintmax_t);
	case LEN_LLONG:
	default:
		return va_arg(*ap, unsigned long long);
	}
}

static int64_t arg_signed(enum length length, va_list *ap)
{
	switch (length) {
	case LEN_CHAR:
		return (signed char)va_arg(*ap, int);
	case LEN_SHORT:
		return (short)va_arg(*ap, int);
	case LEN_INT:
		return va_arg(*ap, int);
	case LEN_LONG:
		return va_arg(*ap, long);
	case LEN_SIZE:
		return (int64_t)va_arg(*ap, size_t);
	case LEN_PTRDIFF:
		return va_arg(*ap, ptrdiff_t);
	case LEN_INTMAX:
		return va_arg(*ap, intmax_t);
	case LEN_LLONG:
	default:
		return va_arg(*ap, long long);
	}
}

static void out_signed(struct out *o, const struct spec *sp, va_list *ap)
{
	int64_t v = arg_signed(sp->length, ap);

	if (v < 0) {
		out_number(o, sp, -(uint64_t)v, 10, "-");
	} else {
		out_number(o, sp, (uint64_t)v, 10, sp->plus ? "+" : sp->space ? " " : "");
	}
}

static void out_string(struct out *o, const struct spec *sp, const char *s)
{
	if (s == NULL) {
		s = sp->precision >= 0 && sp->precision < 6 ? "" : "(null)";
	}
	out_field(o, sp, "", 0, s,
		  sp->precision >= 0 ? strnlen(s, (size_t)sp->precision) : strlen(s));
}

static void out_pointer(struct out *o, const struct spec *sp, const void *p)
{
	if (p == NULL) {
		out_field(o, sp, "", 0, "(nil)", 5);
	} else {
		out_number(o, sp, (uintptr_t)p, 16, "0x");
	}
}

/* Prints one conversion; false if there is no such one. */
static bool out_conversion(struct out *o, const struct spec *sp, va_list *ap)
{
	uint64_t v;
	char c;

	switch (sp->conv) {
	case 'd':
	case 'i':
		out_signed(o, sp, ap);
		return true;
	case 'u':
		out_number(o, sp, arg_unsigned(sp->length, ap), 10, "");
		return true;
	case 'o':
		out_number(o, sp, arg_unsigned(sp->length, ap), 8, "");
		return true;
	case 'x':
	case 'X':
		v = arg_unsigned(sp->length, ap);
		out_number(o, sp, v, 16, !sp->alt || v == 0 ? "" : sp->conv == 'x' ? "0x" : "0X");
		return true;
	case 'c':
		c = (char)va_arg(*ap, int);
		out_field(o, sp, "", 0, &c, 1);
		return true;
	case 's':
		out_string(o, sp, va_arg(*ap, const char *));
		return true;
	case 'p':
		out_pointer(o, sp, va_arg(*ap, const void *));
		return true;
	case '%':
		out_mem(o, "%", 1);
		return true;
	default:
		return false;
	}
}

static const char *parse_flags(const char *f, struct spec *sp)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			sp->minus = true;
			break;
		case '+':
			sp->plus = true;
			break;
		case ' ':
			sp->space = true;
			break;
		case '#':
			sp->alt = true;
			break;
		case '0':
			sp->zero = true;
			break;
		default:
			return f;
		}
	}
}

/* Digits; stops growing where an int would overflow. */
static const char *parse_int(const char *f, int *v)
{
	int64_t n = 0;

	for (; *f >= '0' && *f <= '9'; f++) {
		n = MIN(n * 10 + (*f - '0'), INT_MAX);
	}
	*v = (int)n;
	return f;
}

static const char *parse_width(const char *f, struct spec *sp, va_list *ap)
{
	if (*f == '*') {
		int w = va_arg(*ap, int);

		if (w < 0) {
			sp->minus = true;
			w = w == INT_MIN ? INT_MAX : -w;
		}
		sp->width = w;
		f++;
	} else {
		f = parse_int(f, &sp->width);
	}
	if (*f != '.') {
		return f;
	}
	f++;
	if (*f == '*') {
		int p = va_arg(*ap, int);

		sp->precision = p < 0 ? -1 : p;
		return f + 1;
	}
	return parse_int(f, &sp->precision);
}

static const char *parse_length(const char *f, struct spec *sp)
{
	switch (*f) {
	case 'h':
		sp->length = f[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return f[1] == 'h' ? f + 2 : f + 1;
	case 'l':
		sp->length = f[1] == 'l' ? LEN_LLONG : LEN_LONG;
		return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
		sp->length = LEN_SIZE;
		return f + 1;
	case 't':
		sp->length = LEN_PTRDIFF;
		return f + 1;
	case 'j':
		sp->length = LEN_INTMAX;
		return f + 1;
	default:
		return f;
	}
}

/* The conversion that starts at f, a %; returns what follows it. */
static const char *convert(struct out *o, const char *f, va_list *ap)
{
	struct spec sp = { .precision = -1, .length = LEN_INT };
	const char *end = parse_flags(f + 1, &sp);

	end = parse_width(end, &sp, ap);
	end = parse_length(end, &sp);
	sp.conv = *end;
	if (sp.conv != '\0') {
		end++;
	}
	if (!out_conversion(o, &sp, ap)) {
		out_mem(o, f, (size_t)(end - f));
	}
	return end;
}

int hv_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	/* One byte is kept for the zero. */
	struct out o = { .buf = buf, .size = size == 0 ? 0 : size - 1, .len = 0 };
	va_list args;

	/* A copy: where va_list is an array, the parameter is a pointer. */
	va_copy(args, ap);
	while (*fmt != '\0') {
		const char *f = fmt;

		while (*f != '\0' && *f != '%') {
			f++;
		}
		out_mem(&o, fmt, (size_t)(f - fmt));
		fmt = *f == '%' ? convert(&o, f, &args) : f;
	}
	va_end(args);
	if (size != 0) {
		buf[MIN(o.len, (uint64_t)o.size)] = '\0';
	}
	return o.len > INT_MAX ? INT_MAX : (int)o.len;
}

int hv_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = hv_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
