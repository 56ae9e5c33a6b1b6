/* SPDX-License-Identifier: Apache-2.0 */
/* The log: makes a line and hands it to the console in one piece. */
#include <errno.h>
#include <hv/console.h>
#include <hv/log.h>
#include <hv/printf.h>
#include <hv/timer.h>
#include <string.h>

enum log_level log_level = LOG_WARN;

static const char *const level_names[] = { "off", "error", "warn", "info", "debug", "trace" };

void log_set_level(enum log_level level)
{
	log_level = level;
}

int log_parse_level(const char *word, enum log_level *out)
{
	for (uint32_t i = 0; i < ARRAY_SIZE(level_names); i++) {
		if (strcmp(word, level_names[i]) == 0) {
			*out = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Writes line[0..at) and the formatted text behind it. */
static void log_line(char *line, size_t at, const char *fmt, va_list ap) __printf(3, 0);

static void log_line(char *line, size_t at, const char *fmt, va_list ap)
{
	size_t room = LOG_LINE_MAX - at;
	int len = hv_vsnprintf(line + at, room, fmt, ap);

	at += len < 0 ? 0 : MIN((size_t)len, room - 1);
	line[at++] = '\n'; /* in the place of the terminating zero */
	console_log(line, at);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	uint64_t us = time_now() / 1000;
	char line[LOG_LINE_MAX];
	va_list ap;
	int at;

	at = hv_snprintf(line, sizeof(line),
			 "[%5llu.%06llu] axvisor: ", (unsigned long long)(us / 1000000),
			 (unsigned long long)(us % 1000000));
	/* What goes well needs no word for how well. */
	if (level != LOG_INFO) {
		at += hv_snprintf(line + at, sizeof(line) - (size_t)at, "%s: ", level_names[level]);
	}
	va_start(ap, fmt);
	log_line(line, (size_t)at, fmt, ap);
	va_end(ap);
}

void log_raw(const char *fmt, ...)
{
	char line[LOG_LINE_MAX];
	va_list ap;

	va_start(ap, fmt);
	log_line(line, 0, fmt, ap);
	va_end(ap);
}
