/* SPDX-License-Identifier: Apache-2.0 */
/* Delivers findings about files to a sink. */
#include <hv/diag.h>
#include <hv/printf.h>
#include <string.h>

void diag_vemit(struct diag_sink *sink, enum diag_severity severity, const char *file,
		struct cfg_pos pos, const char *fmt, va_list ap)
{
	struct diag d = {
		.severity = severity,
		.file = file,
		.pos = pos,
		.message = sink->message,
	};
	int n = hv_vsnprintf(sink->message, sizeof(sink->message), fmt, ap);

	if (n >= (int)sizeof(sink->message)) {
		memcpy(sink->message + sizeof(sink->message) - 4, "...", 4);
	}
	sink->count[severity]++;
	sink->emit(sink, &d);
}

void diag_emit(struct diag_sink *sink, enum diag_severity severity, const char *file,
	       struct cfg_pos pos, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_vemit(sink, severity, file, pos, fmt, ap);
	va_end(ap);
}

const char *diag_severity_name(enum diag_severity severity)
{
	static const char *const names[] = {
		[DIAG_NOTE] = "note",
		[DIAG_WARNING] = "warning",
		[DIAG_ERROR] = "error",
	};

	return names[severity];
}
