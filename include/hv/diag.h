/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Diagnostics about files that a user writes: who is told, and in which words.
 *
 * The configuration parser and the planner report every problem they find to a
 * sink; they never print.  A sink embeds `struct diag_sink` and is called once for
 * each finding, in the order found.  Not locked: one sink, one thread.
 */
#ifndef HV_DIAG_H
#define HV_DIAG_H

#include <hv/types.h>
#include <stdarg.h>

enum diag_severity {
	DIAG_NOTE,    /* how something was read; nothing to do */
	DIAG_WARNING, /* accepted, but probably not what was meant */
	DIAG_ERROR,   /* this VM cannot be made */
};

/* A place in a file; lines and columns (in characters) from 1, 0 = none. */
struct cfg_pos {
	uint32_t line;
	uint32_t col;
};

struct diag {
	enum diag_severity severity;
	const char *file; /* a very long name without its beginning */
	struct cfg_pos pos;
	const char *message; /* without a line end; valid during emit() only */
};

#define DIAG_MESSAGE_MAX 384 /* longer messages are cut, with "..." at the end */

struct diag_sink {
	void (*emit)(struct diag_sink *sink, const struct diag *d);
	uint32_t count[DIAG_ERROR + 1]; /* by severity; the owner sets them to 0 */
	char message[DIAG_MESSAGE_MAX]; /* work space of diag_emit() */
};

/* Formats and delivers one finding; counts it. */
void diag_emit(struct diag_sink *sink, enum diag_severity severity, const char *file,
	       struct cfg_pos pos, const char *fmt, ...) __printf(5, 6);
void diag_vemit(struct diag_sink *sink, enum diag_severity severity, const char *file,
		struct cfg_pos pos, const char *fmt, va_list ap) __printf(5, 0);

/* "note", "warning" or "error". */
const char *diag_severity_name(enum diag_severity severity);

#endif
