/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The TOML parser: what the official suite (tests/toml) does not ask: places,
 * recovery after errors, limits, and want of memory.
 */
#include <errno.h>
#include <hv/toml.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(8) char mem[1 << 16];
static char errors[8192]; /* "line:col message\n"... */

static void on_error(struct toml_doc *doc, struct cfg_pos pos, const char *message)
{
	size_t used = strlen(errors);

	(void)doc;
	snprintf(errors + used, sizeof(errors) - used, "%u:%u %s\n", pos.line, pos.col, message);
}

static struct toml_doc doc = { .mem = mem, .error = on_error };

static int parse_n(const char *text, size_t len)
{
	/* A copy of just this size: reading past its end is found out. */
	char *copy = malloc(len != 0 ? len : 1);
	int err;

	memcpy(copy, text, len);
	errors[0] = '\0';
	doc.mem_size = sizeof(mem);
	err = toml_parse(&doc, copy, len);
	free(copy);
	return err;
}

static int parse(const char *text)
{
	return parse_n(text, strlen(text));
}

static const struct toml_node *get(const char *key)
{
	const struct toml_node *n = toml_get(doc.root, key);

	assert_non_null(n);
	return n;
}

static void assert_pos(struct cfg_pos pos, uint32_t line, uint32_t col)
{
	assert_int_equal(pos.line, line);
	assert_int_equal(pos.col, col);
}

static void test_places(void **state)
{
	const struct toml_node *n;

	(void)state;
	assert_int_equal(parse("a = 1\r\n"
			       "  [b.c] # x\n"
			       "\t\"\xc3\xa4\" = 'x' # \xc3\xa4\n"
			       "l = [\n"
			       "  1, [ 2,\n"
			       "       3 ] ]\n"
			       "m = \"\"\"\n\n\"\"\"\n"
			       "z = {q.r = true}\n"),
			 0);
	assert_pos(get("a")->key_pos, 1, 1);
	assert_pos(get("a")->pos, 1, 5);
	n = toml_get(get("b"), "c");
	assert_pos(n->key_pos, 2, 6);
	assert_pos(toml_get(n, "\xc3\xa4")->key_pos, 3, 2);
	assert_pos(toml_get(n, "\xc3\xa4")->pos, 3, 8); /* characters, not bytes */
	assert_pos(toml_get(n, "l")->pos, 4, 5);
	assert_pos(toml_get(n, "l")->first->pos, 5, 3);
	assert_pos(toml_get(n, "l")->first->next->last->pos, 6, 8);
	assert_pos(toml_get(n, "m")->pos, 7, 5);
	assert_pos(toml_get(n, "z")->pos, 10, 5);
	assert_pos(toml_get(toml_get(n, "z")->first, "r")->pos, 10, 12);
	assert_true(toml_get(toml_get(n, "z")->first, "r")->boolean);
}

static void test_values(void **state)
{
	static const char zero[] = "s = \"a\\u0000b\"\n\"k\\u0000\" = 1\nk = 2";

	(void)state;
	assert_int_equal(parse("a = 0x7fff_ffff_ffff_ffff\nb = -9223372036854775808\n"
			       "c = -0\nd = 0o17\ne = 0b1_0\nf = +1_000.50e-1_0\n"
			       "t = 1979-05-27 07:32:00z\nu = 23:59:60.5\nv = 2000-02-29\n"
			       "w = -inf"),
			 0);
	assert_true(get("a")->integer == INT64_MAX);
	assert_true(get("b")->integer == INT64_MIN);
	assert_int_equal(get("c")->integer, 0);
	assert_int_equal(get("d")->integer, 15);
	assert_int_equal(get("e")->integer, 2);
	assert_int_equal(get("f")->type, TOML_FLOAT);
	assert_string_equal(get("f")->str, "+1000.50e-10");
	assert_int_equal(get("t")->type, TOML_DATETIME);
	assert_string_equal(get("t")->str, "1979-05-27T07:32:00Z");
	assert_int_equal(get("u")->type, TOML_TIME_LOCAL);
	assert_int_equal(get("v")->type, TOML_DATE_LOCAL);
	assert_string_equal(get("w")->str, "-inf");
	assert_null(toml_get(doc.root, "nope"));
	assert_null(toml_get(get("a"), "a"));

	/* Zeros in strings and keys count. */
	assert_int_equal(parse_n(zero, sizeof(zero) - 1), 0);
	assert_int_equal(get("s")->str_len, 3);
	assert_memory_equal(get("s")->str, "a\0b", 4);
	assert_int_equal(get("k")->integer, 2);
}

struct bad {
	const char *text;
	const char *errors;
};

static void test_messages(void **state)
{
	static const struct bad bad[] = {
		{ "a = 9223372036854775808",
		  "1:5 the number does not fit into 64 bits with a sign\n" },
		{ "a = -9223372036854775809",
		  "1:5 the number does not fit into 64 bits with a sign\n" },
		{ "a = 0x1_0000_0000_0000_0000",
		  "1:5 the number does not fit into 64 bits with a sign\n" },
		{ "a = 0800", "1:5 '0800' is not a valid number\n" },
		{ "a = 1__0", "1:5 '1__0' is not a valid number\n" },
		{ "a = 2021-02-29", "1:5 '2021-02-29' is not a valid date\n" },
		{ "a = fs", "1:5 'fs' is not a value; a string needs quotes\n" },
		{ "a =", "1:4 expected a value, found the end of the file\n" },
		{ "a = \n", "1:5 expected a value, found the end of the line\n" },
		{ "a 1", "1:3 expected '=' after the key, found '1'\n" },
		{ "a = 1 b = 2", "1:7 expected the end of the line, found 'b'\n" },
		{ "= 1", "1:1 expected a key, found '='\n" },
		{ "\x01", "1:1 expected a key, found the byte 0x01\n" },
		{ "a = 1\na = 2", "2:1 'a' is defined already, at line 1\n" },
		{ "a.b = 1\n[a]\n", "2:2 'a' is defined already, at line 1\n" },
		{ "a = 1\n[a.b]\n", "2:2 'a' (line 1) is a value, no table can be added to it\n" },
		{ "a = [1, 2",
		  "1:10 expected ',' or ']' in the array, found the end of the file\n" },
		{ "a = {b = 1\n}",
		  "1:11 expected ',' or '}' in the inline table, found the end of the line\n" },
		{ "[a", "1:3 expected ']' after the table's name, found the end of the file\n" },
		{ "[[a]",
		  "1:5 expected ']]' after the name of the array of tables, found the end of the file\n" },
		{ "a = \"x", "1:5 the string that begins here has no end: \" is missing\n" },
		{ "a = '''x''", "1:5 the string that begins here has no end: ''' is missing\n" },
		{ "a = \"\\q\"",
		  "1:6 '\\q' is no escape sequence; a backslash is written '\\\\'\n" },
		{ "a = \"\\ud800\"", "1:6 0xd800 is not a Unicode character\n" },
		{ "a = \"\\u12\"",
		  "1:10 expected four hexadecimal digits after \\u, found '\"'\n" },
		{ "a = \"\"\"\\ x\"\"\"",
		  "1:8 a blank after '\\', but the line does not end there\n" },
		{ "\"\"\"k\"\"\" = 1", "1:1 a multi-line string cannot be a key\n" },
		{ "a = \"\x7f\"", "1:6 control character 0x7f in a string\n" },
		{ "a = 1 # \x02", "1:9 control character 0x02 in a comment\n" },
		{ "a = 1\n# \xc3(", "2:3 the byte 0xc3 is not valid UTF-8\n" },
		{ "# \xed\xa0\x80", "1:3 the byte 0xed is not valid UTF-8\n" },
		{ "# \xc0\x80", "1:3 the byte 0xc0 is not valid UTF-8\n" },
		{ "# \xf4\x90\x80\x80", "1:3 the byte 0xf4 is not valid UTF-8\n" },
		{ "# \xe2\x82", "1:3 the byte 0xe2 is not valid UTF-8\n" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(parse(bad[i].text), -EINVAL);
		assert_string_equal(errors, bad[i].errors);
		assert_int_equal(doc.errors, 1);
	}
}

static void test_recovery(void **state)
{
	(void)state;
	/* A broken list does not hide what follows, nor are its lines taken for headers. */
	assert_int_equal(parse("a = [\n"
			       "[0x1, 0x2],\n"
			       "[0x3 0x4],\n"
			       "[0x5],\n"
			       "]\n"
			       "b = 1\n"
			       "c = oops\n"
			       "[d]\n"
			       "e = 5\n"),
			 -EINVAL);
	assert_string_equal(errors, "3:6 expected ',' or ']' in the array, found '0'\n"
				    "7:5 'oops' is not a value; a string needs quotes\n");
	assert_null(toml_get(doc.root, "a"));
	assert_int_equal(get("b")->integer, 1);
	assert_null(toml_get(doc.root, "c"));
	assert_int_equal(toml_get(get("d"), "e")->integer, 5);

	/* Keys below a header that could not be read belong nowhere. */
	assert_int_equal(parse("[a]\nx = 1\n[a]\nx = 2\ny = 3\n[b]\nz = 4\n"), -EINVAL);
	assert_string_equal(errors, "3:2 'a' is defined already, at line 1\n");
	assert_null(toml_get(get("a"), "y"));
	assert_int_equal(toml_get(get("b"), "z")->integer, 4);
}

static void test_too_many_errors(void **state)
{
	char text[TOML_MAX_ERRORS * 8 * 2] = "";
	int i;

	(void)state;
	for (i = 0; i < TOML_MAX_ERRORS + 10; i++) {
		strcat(text, "a = ?\n");
	}
	assert_int_equal(parse(text), -EINVAL);
	assert_int_equal(doc.errors, TOML_MAX_ERRORS + 1);
	assert_non_null(strstr(errors, "too many errors"));
}

static void nested(char *text, int depth)
{
	strcpy(text, "a = ");
	memset(text + 4, '[', (size_t)depth);
	memset(text + 4 + depth, ']', (size_t)depth);
	text[4 + 2 * depth] = '\0';
}

static void test_depth(void **state)
{
	char text[3 * TOML_MAX_DEPTH];
	int i;

	(void)state;
	nested(text, TOML_MAX_DEPTH);
	assert_int_equal(parse(text), 0);
	nested(text, TOML_MAX_DEPTH + 1);
	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(errors, "nested more than 64 deep"));

	/* Headers and dotted keys nest as well. */
	strcpy(text, "[a");
	for (i = 1; i < TOML_MAX_DEPTH; i++) {
		strcat(text, ".a");
	}
	strcat(text, "]\n");
	assert_int_equal(parse(text), 0);
	strcat(text, "b = 1");
	assert_int_equal(parse(text), -EINVAL);
	assert_string_equal(errors, "2:5 tables and arrays are nested more than 64 deep\n");
}

/* With any amount of memory: either it is enough, or that is said, once. */
static void test_no_memory(void **state)
{
	static const char text[] = "[a.b]\nc = [1, {d.e = \"text\"}]\n[[f]]\n[[f]]\ng = 1.5\n";
	size_t need;
	size_t n;

	(void)state;
	assert_int_equal(parse(text), 0);
	need = doc.mem_used;
	for (n = 0; n <= need; n++) {
		/* Memory of just this size, for the sanitizer to see. */
		char *small = malloc(n != 0 ? n : 1);
		struct toml_doc d = { .mem = small, .mem_size = n, .error = on_error };

		errors[0] = '\0';
		if (n < need) {
			assert_int_equal(toml_parse(&d, text, sizeof(text) - 1), -ENOMEM);
			assert_int_equal(d.errors, 1);
			assert_non_null(strstr(errors, "the file is too long"));
		} else {
			assert_int_equal(toml_parse(&d, text, sizeof(text) - 1), 0);
		}
		free(small);
	}
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(parse(""), 0);
	assert_null(doc.root->first);
	assert_int_equal(parse("\xef\xbb\xbf"
			       "a = 1"),
			 0);
	assert_int_equal(get("a")->integer, 1);
	assert_string_equal(toml_type_name(TOML_ARRAY), "an array");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places),		cmocka_unit_test(test_values),
		cmocka_unit_test(test_messages),	cmocka_unit_test(test_recovery),
		cmocka_unit_test(test_too_many_errors), cmocka_unit_test(test_depth),
		cmocka_unit_test(test_no_memory),	cmocka_unit_test(test_empty),
	};

	return cmocka_run_group_tests_name("toml", tests, NULL, NULL);
}
