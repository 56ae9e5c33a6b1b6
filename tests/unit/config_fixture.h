/* SPDX-License-Identifier: Apache-2.0 */
/* Parses configurations and writes down what is found in them. */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include <errno.h>
#include <hv/vm_config.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static _Alignas(8) char work[VM_CONFIG_WORK_SIZE];
static char found[1 << 16]; /* "line severity: message\n"... */

static void on_diag(struct diag_sink *sink, const struct diag *d)
{
	size_t used = strlen(found);

	(void)sink;
	assert_non_null(d->file);
	snprintf(found + used, sizeof(found) - used, "%u %s: %s\n", d->pos.line,
		 diag_severity_name(d->severity), d->message);
}

static struct diag_sink sink = { .emit = on_diag };

static inline void clear(void)
{
	found[0] = '\0';
	memset(sink.count, 0, sizeof(sink.count));
}

static inline int parse_as(const char *file, const char *text, enum vm_arch arch,
			   struct vm_config *out)
{
	int err;

	memset(out, 0xa5, sizeof(*out));
	err = vm_config_parse(file, text, strlen(text), arch, work, sizeof(work), out, &sink);
	assert_int_equal(err, out->errors == 0 ? 0 : -EINVAL);
	return err;
}

#endif
