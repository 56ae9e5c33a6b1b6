/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads TOML on standard input and writes it as the tagged JSON of the official test
 * suite (toml-test); exit status 1 and messages if it is not valid TOML.  Driven by
 * test_toml_suite.py.
 */
#include <hv/toml.h>
#include <stdio.h>
#include <stdlib.h>

static void print_string(const char *s, size_t len)
{
	putchar('"');
	for (; len > 0; len--, s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\') {
			printf("\\%c", c);
		} else if (c < 0x20 || c == 0x7f) {
			printf("\\u%04x", c);
		} else {
			putchar(c);
		}
	}
	putchar('"');
}

static void print_tagged(const char *type, const char *s, size_t len)
{
	printf("{\"type\":\"%s\",\"value\":", type);
	print_string(s, len);
	putchar('}');
}

/* Recursion is bounded by TOML_MAX_DEPTH. */
static void print_node(const struct toml_node *node)
{
	static const char *const types[] = {
		[TOML_STRING] = "string",	  [TOML_INTEGER] = "integer",
		[TOML_FLOAT] = "float",		  [TOML_BOOL] = "bool",
		[TOML_DATETIME] = "datetime",	  [TOML_DATETIME_LOCAL] = "datetime-local",
		[TOML_DATE_LOCAL] = "date-local", [TOML_TIME_LOCAL] = "time-local",
	};
	const struct toml_node *child;

	switch ((enum toml_type)node->type) {
	case TOML_ARRAY:
	case TOML_TABLE:
		putchar(node->type == TOML_ARRAY ? '[' : '{');
		for (child = node->first; child != NULL; child = child->next) {
			if (child != node->first) {
				putchar(',');
			}
			if (node->type == TOML_TABLE) {
				print_string(child->key, child->key_len);
				putchar(':');
			}
			print_node(child);
		}
		putchar(node->type == TOML_ARRAY ? ']' : '}');
		break;
	case TOML_INTEGER:
		printf("{\"type\":\"integer\",\"value\":\"%lld\"}", (long long)node->integer);
		break;
	case TOML_BOOL:
		printf("{\"type\":\"bool\",\"value\":\"%s\"}", node->boolean ? "true" : "false");
		break;
	default:
		print_tagged(types[node->type], node->str, node->str_len);
		break;
	}
}

static void print_error(struct toml_doc *doc, struct cfg_pos pos, const char *message)
{
	(void)doc;
	fprintf(stderr, "%u:%u: %s\n", pos.line, pos.col, message);
}

int main(void)
{
	static char text[1 << 20];
	static _Alignas(8) char mem[1 << 22];
	struct toml_doc doc = { .mem = mem, .mem_size = sizeof(mem), .error = print_error };
	size_t len = fread(text, 1, sizeof(text), stdin);

	if (toml_parse(&doc, text, len) != 0) {
		return 1;
	}
	print_node(doc.root);
	putchar('\n');
	return 0;
}
