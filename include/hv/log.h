/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's log: one line a call, without \n at its end, e.g.
 *
 *	[    1.234567] axvisor: warn: vm 2: no image
 *
 * Lines longer than LOG_LINE_MAX are cut.  Callable on any core with any lock held
 * (see console.h), not on the exit path: what a guest can cause at will is limited by
 * its caller.
 */
#ifndef HV_LOG_H
#define HV_LOG_H

#include <hv/types.h>
#include <stdarg.h>

#define LOG_LINE_MAX 512 /* with the time and the line end */

enum log_level {
	LOG_OFF,
	LOG_ERROR,
	LOG_WARN,
	LOG_INFO,
	LOG_DEBUG,
	LOG_TRACE,
};

/* Set at boot, before other cores run; LOG_WARN until then.  Read anywhere. */
void log_set_level(enum log_level level);
extern enum log_level log_level;

/* "off" … "trace" to a level; -EINVAL for other words. */
int __must_check log_parse_level(const char *word, enum log_level *out);

/* Writes the line; the macros below look at the level first. */
void log_write(enum log_level level, const char *fmt, ...) __printf(2, 3);

/* A line without time and level, whatever the level is: banners, answers. */
void log_raw(const char *fmt, ...) __printf(1, 2);

#define log_at(level, ...)                             \
	do {                                           \
		if (log_level >= (level)) {            \
			log_write(level, __VA_ARGS__); \
		}                                      \
	} while (0)

#define log_error(...) log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_at(LOG_DEBUG, __VA_ARGS__)
#define log_trace(...) log_at(LOG_TRACE, __VA_ARGS__)

#endif
