/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <hv/console.h>
#include <hv/log.h>
#include <hv/uart.h>
#include <string.h>

#include "fake_time.h"

static char screen[4096];
static size_t screen_len;

static bool fake_tx_ready(struct uart *u)
{
	(void)u;
	return true;
}

static void fake_tx(struct uart *u, uint8_t c)
{
	(void)u;
	assert_true(screen_len < sizeof(screen) - 1);
	screen[screen_len++] = (char)c;
}

static const struct uart_ops fake_ops = { .tx_ready = fake_tx_ready, .tx = fake_tx };
static struct uart fake_uart = { .ops = &fake_ops };

#define assert_screen(text)                          \
	do {                                         \
		screen[screen_len] = '\0';           \
		screen_len = 0;                      \
		assert_string_equal(screen, (text)); \
	} while (0)

static void test_lines(void **state)
{
	(void)state;
	fake_now = UINT64_C(1234567890);
	log_error("vm %d: %s", 2, "no image");
	assert_screen("[    1.234567] axvisor: error: vm 2: no image\r\n");
	fake_now = UINT64_C(123456000000999);
	log_warn("w");
	assert_screen("[123456.000000] axvisor: warn: w\r\n");
	log_set_level(LOG_TRACE);
	log_info("i");
	log_debug("d");
	log_trace("t");
	assert_screen("[123456.000000] axvisor: i\r\n[123456.000000] axvisor: debug: d\r\n"
		      "[123456.000000] axvisor: trace: t\r\n");
	log_raw("%s", "");
	log_raw("banner");
	assert_screen("\r\nbanner\r\n");
}

static uint32_t evaluated;
static const char *argument(void)
{
	evaluated++;
	return "x";
}

static void test_levels(void **state)
{
	(void)state;
	for (int level = LOG_OFF; level <= LOG_TRACE; level++) {
		log_set_level((enum log_level)level);
		evaluated = 0;
		screen_len = 0;
		log_error("%s", argument());
		log_warn("%s", argument());
		log_info("%s", argument());
		log_debug("%s", argument());
		log_trace("%s", argument());
		/* What is off is not even computed. */
		assert_int_equal(evaluated, level);
		assert_int_equal(screen_len == 0, level == LOG_OFF);
	}
	screen_len = 0;
	log_set_level(LOG_OFF);
	log_raw("always");
	assert_screen("always\r\n");
}

static void test_long(void **state)
{
	char text[1000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_set_level(LOG_WARN);
	log_warn("%s", text);
	assert_int_equal(screen_len, LOG_LINE_MAX + 1); /* \r\n for \n */
	assert_memory_equal(screen + screen_len - 3, "x\r\n", 3);
	screen_len = 0;
	log_raw("%s", text);
	assert_int_equal(screen_len, LOG_LINE_MAX + 1);
	screen_len = 0;
}

static void test_parse(void **state)
{
	static const char *const words[] = { "off", "error", "warn", "info", "debug", "trace" };
	enum log_level level = LOG_OFF;

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(words); i++) {
		assert_int_equal(log_parse_level(words[i], &level), 0);
		assert_int_equal(level, i);
	}
	assert_int_equal(log_parse_level("", &level), -EINVAL);
	assert_int_equal(log_parse_level("Warn", &level), -EINVAL);
	assert_int_equal(log_parse_level("warning", &level), -EINVAL);
	assert_int_equal(level, LOG_TRACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_levels),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_parse),
	};

	console_set_uart(&fake_uart);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
