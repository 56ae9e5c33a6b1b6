/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML 1.0.0 parser: strings, numbers, booleans, dates.  Section names in comments
 * are those of the TOML v1.0.0 specification.
 */
#include "toml_priv.h"
#include <string.h>

static int hex_digit(int c)
{
	if (toml_is_digit(c)) {
		return c - '0';
	}
	if (c >= 'a' && c <= 'f') {
		return c - 'a' + 10;
	}
	if (c >= 'A' && c <= 'F') {
		return c - 'A' + 10;
	}
	return -1;
}

static bool put_utf8(struct toml_parser *p, uint32_t c)
{
	uint32_t shift;

	if (c < 0x80) {
		return toml_put_char(p, (char)c);
	}
	shift = c < 0x800 ? 6 : c < 0x10000 ? 12 : 18;
	/* The first byte: as many ones as there are bytes, then the highest bits. */
	if (!toml_put_char(p, (char)((uint8_t)(0xff00U >> (shift / 6 + 1)) | c >> shift))) {
		return false;
	}
	while (shift > 0) {
		shift -= 6;
		if (!toml_put_char(p, (char)(0x80 | (c >> shift & 0x3f)))) {
			return false;
		}
	}
	return true;
}

/* \uXXXX or \UXXXXXXXX, after the backslash. */
static bool read_unicode(struct toml_parser *p, struct cfg_pos pos)
{
	size_t digits = toml_peek(p) == 'u' ? 4 : 8;
	uint32_t c = 0;
	size_t i;

	toml_skip(p, 1);
	for (i = 0; i < digits; i++) {
		int d = hex_digit(toml_peek(p));

		if (d < 0) {
			return toml_fail_expected(
				p, digits == 4 ? "four hexadecimal digits after \\u"
					       : "eight hexadecimal digits after \\U");
		}
		c = c << 4 | (uint32_t)d;
		toml_skip(p, 1);
	}
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
		return toml_fail(p, pos, "0x%x is not a Unicode character", c);
	}
	return put_utf8(p, c);
}

/* After a backslash at the end of a line: up to the next character that is no blank. */
static bool skip_line_break(struct toml_parser *p, struct cfg_pos pos)
{
	while (toml_peek(p) == ' ' || toml_peek(p) == '\t') {
		toml_skip(p, 1);
	}
	if (!toml_at_newline(p)) {
		return toml_fail(p, pos, "a blank after '\\', but the line does not end there");
	}
	while (toml_peek(p) == ' ' || toml_peek(p) == '\t' || toml_at_newline(p)) {
		toml_skip(p, 1);
	}
	return true;
}

static bool read_escape(struct toml_parser *p, bool multiline)
{
	static const char from[] = "btnfr\"\\";
	static const char to[] = "\b\t\n\f\r\"\\";
	struct cfg_pos pos = p->pos;
	const char *f;
	int c;

	toml_skip(p, 1);
	c = toml_peek(p);
	if (c == 'u' || c == 'U') {
		return read_unicode(p, pos);
	}
	if (multiline && (c == ' ' || c == '\t' || toml_at_newline(p))) {
		return skip_line_break(p, pos);
	}
	f = c > 0 ? memchr(from, c, sizeof(from) - 1) : NULL;
	if (f == NULL) {
		if (c > 0x20 && c < 0x7f) {
			return toml_fail(
				p, pos,
				"'\\%c' is no escape sequence; a backslash is written '\\\\'", c);
		}
		return toml_fail_expected(p, "an escape sequence after '\\'");
	}
	toml_skip(p, 1);
	return toml_put_char(p, to[f - from]);
}

/* How many times the quote stands here, at most `max`. */
static size_t count_quotes(const struct toml_parser *p, int quote, size_t max)
{
	size_t n = 0;

	while (n < max && toml_peek_at(p, n) == quote) {
		n++;
	}
	return n;
}

/* One character of a string's body; line ends only with `multiline`. */
static bool read_string_char(struct toml_parser *p, int quote, bool multiline, struct cfg_pos start)
{
	int c = toml_peek(p);

	if (c < 0 || (!multiline && toml_at_newline(p))) {
		return toml_fail(p, start, "the string that begins here has no end: %s is missing",
				 !multiline ? (quote == '"' ? "\"" : "'")
					    : (quote == '"' ? "\"\"\"" : "'''"));
	}
	if (quote == '"' && c == '\\') {
		return read_escape(p, multiline);
	}
	if (toml_at_newline(p) && c == '\r') {
		if (!toml_put_char(p, '\r')) {
			return false;
		}
		toml_skip(p, 1);
		c = '\n';
	} else if (toml_is_control(c) && !(multiline && c == '\n')) {
		return toml_fail(p, p->pos, "control character 0x%02x in a string", (unsigned)c);
	}
	if (!toml_put_char(p, (char)c)) {
		return false;
	}
	toml_skip(p, 1);
	return true;
}

/* The body and end of """ and ''' strings; up to two quotes may stand before the end. */
static bool read_multiline(struct toml_parser *p, int quote, struct cfg_pos start)
{
	toml_skip(p, 3);
	if (toml_at_newline(p)) {
		toml_skip(p, toml_peek(p) == '\r' ? 2 : 1);
	}
	for (;;) {
		size_t quotes = count_quotes(p, quote, 5);

		if (quotes >= 3) {
			toml_skip(p, 3);
			while (quotes-- > 3) {
				if (!toml_put_char(p, (char)quote)) {
					return false;
				}
				toml_skip(p, 1);
			}
			return true;
		}
		if (!read_string_char(p, quote, true, start)) {
			return false;
		}
	}
}

bool toml_read_string(struct toml_parser *p, bool multiline_allowed, const char **str, size_t *len)
{
	struct cfg_pos start = p->pos;
	size_t mem_start = p->doc->mem_used;
	int quote = toml_peek(p);

	if (count_quotes(p, quote, 3) == 3) {
		if (!multiline_allowed) {
			return toml_fail(p, start, "a multi-line string cannot be a key");
		}
		if (!read_multiline(p, quote, start)) {
			return false;
		}
	} else {
		toml_skip(p, 1);
		while (toml_peek(p) != quote) {
			if (!read_string_char(p, quote, false, start)) {
				return false;
			}
		}
		toml_skip(p, 1);
	}
	return toml_put_end(p, mem_start, str, len);
}

/* The words that a number, boolean or date is made of; *s advances as they match. */

struct word {
	const char *s;
	const char *end;
};

static int word_peek(const struct word *w)
{
	return w->s < w->end ? (unsigned char)*w->s : -1;
}

static bool word_take(struct word *w, int c)
{
	if (word_peek(w) != c) {
		return false;
	}
	w->s++;
	return true;
}

static bool word_is(const struct word *w, const char *text)
{
	size_t n = strlen(text);

	return (size_t)(w->end - w->s) == n && memcmp(w->s, text, n) == 0;
}

/* Digits with single underscores between them. */
static bool word_take_digits(struct word *w, int base)
{
	bool digit = false;

	for (;;) {
		int d = hex_digit(word_peek(w));

		if (d >= 0 && d < base) {
			digit = true;
			w->s++;
		} else if (digit && word_peek(w) == '_') {
			digit = false;
			w->s++;
		} else {
			return digit;
		}
	}
}

static bool word_take_number(struct word *w, int digits, int min, int max, int *value)
{
	*value = 0;
	while (digits-- > 0) {
		if (!toml_is_digit(word_peek(w))) {
			return false;
		}
		*value = *value * 10 + (word_peek(w) - '0');
		w->s++;
	}
	return *value >= min && *value <= max;
}

/* Decimal without leading zeros. */
static bool word_take_decimal(struct word *w)
{
	if (word_take(w, '0')) {
		return !toml_is_digit(word_peek(w)) && word_peek(w) != '_';
	}
	return word_take_digits(w, 10);
}

/* "Float": integer part, then fraction or exponent or both; also inf and nan. */
static bool is_float(struct word w)
{
	bool part = false;

	if (!word_take(&w, '+')) {
		word_take(&w, '-');
	}
	if (word_is(&w, "inf") || word_is(&w, "nan")) {
		return true;
	}
	if (!word_take_decimal(&w)) {
		return false;
	}
	if (word_take(&w, '.')) {
		part = true;
		if (!word_take_digits(&w, 10)) {
			return false;
		}
	}
	if (word_take(&w, 'e') || word_take(&w, 'E')) {
		part = true;
		if (!word_take(&w, '+')) {
			word_take(&w, '-');
		}
		if (!word_take_digits(&w, 10)) {
			return false;
		}
	}
	return part && w.s == w.end;
}

enum int_result {
	INT_NONE, /* not an integer */
	INT_OK,
	INT_OVERFLOW,
};

/* "Integer". */
static enum int_result parse_integer(struct word w, int64_t *value)
{
	struct word digits;
	bool negative = false;
	uint64_t limit = INT64_MAX;
	uint64_t v = 0;
	uint64_t base = 10;
	bool overflow = false;

	if (w.end - w.s > 2 && w.s[0] == '0' && !toml_is_digit(w.s[1])) {
		base = w.s[1] == 'x' ? 16 : w.s[1] == 'o' ? 8 : w.s[1] == 'b' ? 2 : 0;
		if (base == 0) {
			return INT_NONE;
		}
		w.s += 2;
		digits = w;
		if (!word_take_digits(&w, (int)base)) {
			return INT_NONE;
		}
	} else {
		if (!word_take(&w, '+') && word_take(&w, '-')) {
			negative = true;
			limit++;
		}
		digits = w;
		if (!word_take_decimal(&w)) {
			return INT_NONE;
		}
	}
	if (w.s != w.end) {
		return INT_NONE;
	}
	for (; digits.s < digits.end; digits.s++) {
		uint64_t d;

		if (*digits.s == '_') {
			continue;
		}
		d = (uint64_t)hex_digit((unsigned char)*digits.s);
		overflow = overflow || v > (limit - d) / base;
		v = v * base + d;
	}
	if (overflow) {
		return INT_OVERFLOW;
	}
	*value = (int64_t)(negative ? 0 - v : v);
	return INT_OK;
}

static bool take_date(struct word *w)
{
	static const uint8_t month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	int year;
	int month;
	int day;
	int last;

	if (!word_take_number(w, 4, 0, 9999, &year) || !word_take(w, '-') ||
	    !word_take_number(w, 2, 1, 12, &month) || !word_take(w, '-')) {
		return false;
	}
	last = month_days[month - 1];
	if (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)) {
		last = 29;
	}
	return word_take_number(w, 2, 1, last, &day);
}

/* RFC 3339 partial-time; its second 60 is a leap second. */
static bool take_time(struct word *w)
{
	int v;

	if (!word_take_number(w, 2, 0, 23, &v) || !word_take(w, ':') ||
	    !word_take_number(w, 2, 0, 59, &v) || !word_take(w, ':') ||
	    !word_take_number(w, 2, 0, 60, &v)) {
		return false;
	}
	if (word_take(w, '.')) {
		if (!toml_is_digit(word_peek(w))) {
			return false;
		}
		while (toml_is_digit(word_peek(w))) {
			w->s++;
		}
	}
	return true;
}

static bool take_offset(struct word *w)
{
	int v;

	if (word_take(w, 'Z') || word_take(w, 'z')) {
		return true;
	}
	return (word_take(w, '+') || word_take(w, '-')) && word_take_number(w, 2, 0, 23, &v) &&
	       word_take(w, ':') && word_take_number(w, 2, 0, 59, &v);
}

/* "Offset Date-Time" and the three local forms. */
static bool parse_date(struct word w, enum toml_type *type)
{
	struct word start = w;

	if (take_time(&w)) {
		*type = TOML_TIME_LOCAL;
		return w.s == w.end;
	}
	w = start;
	if (!take_date(&w)) {
		return false;
	}
	if (w.s == w.end) {
		*type = TOML_DATE_LOCAL;
		return true;
	}
	if ((!word_take(&w, 'T') && !word_take(&w, 't') && !word_take(&w, ' ')) || !take_time(&w)) {
		return false;
	}
	if (w.s == w.end) {
		*type = TOML_DATETIME_LOCAL;
		return true;
	}
	*type = TOML_DATETIME;
	return take_offset(&w) && w.s == w.end;
}

static bool is_word_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || toml_is_digit(c) || c == '_' ||
	       c == '+' || c == '-' || c == '.' || c == ':';
}

/* Digits and separators as in a date: "1979-05-27". */
static bool looks_like_date(const char *s, size_t n)
{
	static const char pattern[] = "dddd-dd-dd";
	size_t i;

	if (n < sizeof(pattern) - 1) {
		return false;
	}
	for (i = 0; i < sizeof(pattern) - 1; i++) {
		if (pattern[i] == 'd' ? !toml_is_digit((unsigned char)s[i]) : s[i] != pattern[i]) {
			return false;
		}
	}
	return true;
}

/* Copies a float or date in its normal form. */
static bool keep_text(struct toml_parser *p, struct toml_node *node, struct word w)
{
	size_t start = p->doc->mem_used;
	bool date = node->type != TOML_FLOAT;

	for (; w.s < w.end; w.s++) {
		char c = *w.s;

		if (c == '_') {
			continue;
		}
		if (date && (c == 't' || c == ' ')) {
			c = 'T';
		} else if (date && c == 'z') {
			c = 'Z';
		}
		if (!toml_put_char(p, c)) {
			return false;
		}
	}
	return toml_put_end(p, start, &node->str, &node->str_len);
}

static bool fail_word(struct toml_parser *p, const struct toml_node *node, struct word w)
{
	int n = w.end - w.s > 60 ? 60 : (int)(w.end - w.s);

	if (toml_is_digit((unsigned char)*w.s) || *w.s == '+' || *w.s == '-') {
		if (looks_like_date(w.s, (size_t)(w.end - w.s))) {
			return toml_fail(p, node->pos, "'%.*s' is not a valid date", n, w.s);
		}
		return toml_fail(p, node->pos, "'%.*s' is not a valid number", n, w.s);
	}
	return toml_fail(p, node->pos, "'%.*s' is not a value; a string needs quotes", n, w.s);
}

bool toml_read_scalar(struct toml_parser *p, struct toml_node *node)
{
	struct word w = { p->at, p->at };
	enum toml_type type;

	while (w.end < p->end && is_word_char((unsigned char)*w.end)) {
		w.end++;
	}
	if (w.end == w.s) {
		return toml_fail_expected(p, "a value");
	}
	/* A date may be parted from its time by one space. */
	if (w.end - w.s == 10 && looks_like_date(w.s, 10) && toml_peek_at(p, 10) == ' ' &&
	    toml_is_digit(toml_peek_at(p, 11))) {
		w.end++;
		while (w.end < p->end && is_word_char((unsigned char)*w.end)) {
			w.end++;
		}
	}
	if (word_is(&w, "true") || word_is(&w, "false")) {
		node->type = TOML_BOOL;
		node->boolean = *w.s == 't';
	} else {
		switch (parse_integer(w, &node->integer)) {
		case INT_OK:
			node->type = TOML_INTEGER;
			break;
		case INT_OVERFLOW:
			return toml_fail(p, node->pos,
					 "the number does not fit into 64 bits with a sign");
		case INT_NONE:
			if (is_float(w)) {
				node->type = TOML_FLOAT;
			} else if (parse_date(w, &type)) {
				node->type = (uint8_t)type;
			} else {
				return fail_word(p, node, w);
			}
			if (!keep_text(p, node, w)) {
				return false;
			}
			break;
		}
	}
	toml_skip(p, (size_t)(w.end - w.s));
	return true;
}
