/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hv/arch_cpu.h>
#include <hv/console.h>
#include <hv/uart.h>
#include <string.h>

#include "fake_arch.h"
#include "fake_time.h"

#define CTRL_X "\x18"

/* The screen: what the UART was given since the last look. */
static char screen[16384];
static size_t screen_len;
static uint32_t polls;
static uint32_t stuck_polls; /* tx_ready() says no so many times */
static const char *typed = "";

static bool fake_tx_ready(struct uart *u)
{
	(void)u;
	assert_false(arch_irq_enabled());
	polls++;
	if (stuck_polls != 0) {
		stuck_polls--;
		return false;
	}
	return true;
}

static void fake_tx(struct uart *u, uint8_t c)
{
	(void)u;
	assert_true(screen_len < sizeof(screen) - 1);
	screen[screen_len++] = (char)c;
}

static int fake_rx(struct uart *u)
{
	(void)u;
	return *typed == '\0' ? -1 : (uint8_t)*typed++;
}

static const struct uart_ops fake_ops = {
	.tx_ready = fake_tx_ready,
	.tx = fake_tx,
	.rx = fake_rx,
};
static struct uart fake_uart = { .ops = &fake_ops };

#define assert_screen(text)                          \
	do {                                         \
		screen[screen_len] = '\0';           \
		screen_len = 0;                      \
		assert_string_equal(screen, (text)); \
	} while (0)

struct guest {
	struct console_port port;
	struct chr_front front;
	uint32_t told;
	char got[1024];
	size_t got_len;
};

static struct guest one, two, three;

static void guest_rx_ready(struct chr_front *front)
{
	struct guest *g = container_of(front, struct guest, front);
	int c;

	g->told++;
	assert_false(arch_irq_enabled());
	while ((c = chr_get(&g->port.chr)) >= 0) {
		g->got[g->got_len++] = (char)c;
	}
}

static void guest_init(struct guest *g, const char *name, bool listens)
{
	memset(g, 0, sizeof(*g));
	console_port_init(&g->port, name);
	if (listens) {
		g->front.rx_ready = guest_rx_ready;
		chr_connect(&g->port.chr, &g->front);
	}
	console_attach(&g->port);
}

static void say(struct guest *g, const char *text)
{
	for (; *text != '\0'; text++) {
		chr_put(&g->port.chr, (uint8_t)*text);
	}
}

static void uart_interrupt(void)
{
	uint64_t flags = arch_irq_save();

	console_irq();
	arch_irq_restore(flags);
}

static void type(const char *text)
{
	typed = text;
	while (*typed != '\0') {
		uart_interrupt();
	}
}

static void log_text(const char *text)
{
	console_log(text, strlen(text));
}

static int setup(void **state)
{
	(void)state;
	fake_time_advance(CONSOLE_FLUSH_NS); /* the timer of an earlier test */
	stuck_polls = 0;
	guest_init(&one, "one", true);
	guest_init(&two, "two", true);
	guest_init(&three, "three", true);
	log_text("start\n"); /* whatever stood there before */
	screen_len = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	console_detach(&one.port);
	console_detach(&two.port);
	console_detach(&three.port);
	assert_null(console_focus());
	assert_true(arch_irq_enabled());
	return 0;
}

/* First of all: there is no UART yet. */
static void test_early(void **state)
{
	char want[CONSOLE_EARLY_SIZE + 200];
	size_t len = 0;

	(void)state;
	for (uint32_t i = 0; i < 600; i++) {
		char line[] = "line 000\n";

		line[5] = (char)('0' + i / 100);
		line[6] = (char)('0' + i / 10 % 10);
		line[7] = (char)('0' + i % 10);
		console_log(line, 9);
	}
	assert_int_equal(screen_len, 0);
	console_set_uart(&fake_uart);
	/* 6,000 bytes were written: the last 4,096 are there, and it is said how many not. */
	strcpy(want, "[console] 1904 bytes before this are lost\r\n");
	len = strlen(want);
	assert_memory_equal(screen, want, len);
	assert_int_equal(screen_len, len + CONSOLE_EARLY_SIZE);
	assert_memory_equal(screen + screen_len - 20, "line 598\r\nline 599\r\n", 20);
	assert_memory_equal(screen + len, " 190\r\nline 191\r\n", 16);
	screen_len = 0;
}

static void test_focus_raw_others_lines(void **state)
{
	(void)state;
	assert_ptr_equal(console_focus(), &one.port);
	say(&one, "\x1b[1mA\tB\x01");
	assert_screen("\x1b[1mA\tB\x01");
	say(&two, "hel");
	assert_screen("");
	say(&two, "lo\r\n");
	/* On a fresh line, as one is in the middle of its own. */
	assert_screen("\r\n[two] hello\r\n");
	say(&one, "C\r\n");
	say(&two, "x\n");
	assert_screen("C\r\n[two] x\r\n");
	say(&one, "D\n"); /* the cursor is not at the left then */
	say(&two, "y\n");
	assert_screen("D\n\r[two] y\r\n");
	say(&two, "\n\r\n"); /* empty lines are not worth one */
	assert_screen("");
	log_text("a log line\n");
	assert_screen("a log line\r\n");
	say(&one, "prompt> ");
	log_text("two\nlines\n");
	assert_screen("prompt> \r\ntwo\r\nlines\r\n");
}

static void test_filter(void **state)
{
	(void)state;
	say(&two, "a\x1b[31;1mred\x1b[0m \x1b]0;title\a\x1b(Bb\tc\x01\x7f\b\xc3\xa4\n");
	assert_screen("[two] ared b\tc\xc3\xa4\r\n");
	/* A sequence that never ends does not swallow the rest. */
	say(&two, "\x1b]0;title without end\nnext\n");
	assert_screen("[two] next\r\n");
	say(&two, "\x1b[12\nnext\n\x1b\nlast\n");
	assert_screen("[two] next\r\n[two] last\r\n");
	say(&two, "\x1b[\x1b[2Jx\n");
	assert_screen("[two] x\r\n");
}

static void test_long_lines(void **state)
{
	char want[600];
	size_t n;

	(void)state;
	for (uint32_t i = 0; i < CONSOLE_LINE_MAX + 3; i++) {
		say(&two, "x");
	}
	say(&two, "\n");
	n = (size_t)(stpcpy(want, "[two] ") - want);
	memset(want + n, 'x', CONSOLE_LINE_MAX);
	strcpy(want + n + CONSOLE_LINE_MAX, "\r\n[two] xxx\r\n");
	assert_screen(want);
}

static void test_flush_after_100ms(void **state)
{
	(void)state;
	say(&two, "login: ");
	fake_time_advance(60000000);
	say(&three, "$ ");
	fake_time_advance(39999999);
	assert_screen("");
	fake_time_advance(1);
	assert_screen("[two] login: \r\n");
	/* The other has its own 100 ms. */
	fake_time_advance(59999999);
	assert_screen("");
	fake_time_advance(1);
	assert_screen("[three] $ \r\n");
	assert_true(fake_timer[0] == UINT64_MAX);
	/* Nothing pending, nothing printed; then all over again. */
	fake_time_advance(1000000000);
	assert_screen("");
	say(&two, "more");
	fake_time_advance(CONSOLE_FLUSH_NS);
	assert_screen("[two] more\r\n");
	/* A line that was completed in time leaves a timer that does nothing. */
	say(&two, "a\n");
	say(&two, "b");
	fake_time_advance(CONSOLE_FLUSH_NS);
	assert_screen("[two] a\r\n[two] b\r\n");
}

static void test_input_goes_to_focus(void **state)
{
	(void)state;
	type("ab\r\x03\x00");
	assert_int_equal(one.got_len, 4);
	assert_memory_equal(one.got, "ab\r\x03", 4);
	assert_int_equal(one.told, 4);
	assert_int_equal(two.told, 0);
	type(CTRL_X "]c");
	assert_screen("[console] now with two\r\n");
	assert_memory_equal(two.got, "c", 1);
	type(CTRL_X "]" CTRL_X "]");
	assert_screen("[console] now with three\r\n[console] now with one\r\n");
	type(CTRL_X "[");
	assert_screen("[console] now with three\r\n");
	type(CTRL_X "[" CTRL_X "[" CTRL_X "[");
	assert_screen("[console] now with two\r\n[console] now with one\r\n"
		      "[console] now with three\r\n");
	assert_int_equal(one.got_len, 4);
	type("x" CTRL_X CTRL_X "y");
	assert_memory_equal(three.got, "x\x18y", 3);
	type(CTRL_X "h]");
	assert_screen("[console] keys: Ctrl-X ] next, Ctrl-X [ previous, Ctrl-X Ctrl-X sends "
		      "Ctrl-X; now with three\r\n");
	assert_memory_equal(three.got, "x\x18y]", 4);
	type(CTRL_X); /* half a command at the end is kept */
	type("]");
	assert_ptr_equal(console_focus(), &one.port);
}

static void test_focus_change_in_the_middle(void **state)
{
	(void)state;
	say(&one, "one in the mid");
	say(&two, "two: \x1b[3");
	assert_screen("one in the mid");
	type(CTRL_X "]");
	assert_screen("\r\n[two] two: \r\n[console] now with two\r\n");
	say(&one, "dle\n");
	assert_screen("[one] dle\r\n");
	say(&two, "\x1b[0mraw");
	assert_screen("\x1b[0mraw");
	/* A flush timer that was armed for the line finds nothing. */
	fake_time_advance(CONSOLE_FLUSH_NS);
	assert_screen("");
}

static void test_overflow(void **state)
{
	(void)state;
	two.port.chr.front = NULL; /* does not read */
	type(CTRL_X "]");
	screen_len = 0;
	for (uint32_t i = 0; i < CONSOLE_RX_SIZE; i++) {
		type("k");
	}
	assert_screen("");
	type("lm");
	assert_screen("[console] two does not read: input is lost\r\n");
	for (uint32_t i = 0; i < CONSOLE_RX_SIZE; i++) {
		assert_int_equal(console_port_get(&two.port), 'k');
	}
	assert_int_equal(console_port_get(&two.port), -1);
	/* Again when it happens again. */
	for (uint32_t i = 0; i <= CONSOLE_RX_SIZE; i++) {
		type("n");
	}
	assert_screen("[console] two does not read: input is lost\r\n");
	console_port_flush(&two.port);
	assert_int_equal(console_port_get(&two.port), -1);
	type("o");
	assert_int_equal(console_port_get(&two.port), 'o');
}

static void test_detach(void **state)
{
	(void)state;
	say(&two, "last wor");
	console_detach(&two.port);
	assert_screen("[two] last wor\r\n");
	say(&two, "ds\n"); /* dropped */
	assert_screen("");
	console_detach(&two.port); /* harmless */
	/* The focus goes to the next. */
	say(&one, "mid");
	console_detach(&one.port);
	assert_screen("mid\r\n[console] now with three\r\n");
	console_attach(&one.port);
	console_attach(&one.port);
	assert_ptr_equal(console_focus(), &three.port);
	type(CTRL_X "]");
	assert_screen("[console] now with one\r\n");
	console_detach(&three.port);
	assert_screen("");
	console_detach(&one.port); /* the last one */
	assert_null(console_focus());
	type("nobody" CTRL_X "]" CTRL_X);
	assert_screen("");
	console_attach(&two.port); /* Ctrl-X typed to nobody is forgotten */
	two.got_len = 0;
	type("]");
	assert_memory_equal(two.got, "]", 1);
}

static void test_names(void **state)
{
	struct console_port p;
	static const char text[] = "hi\n";

	(void)state;
	console_port_init(&p, "a\x1b[2Jverylongnameverylongnameverylongname");
	console_attach(&p);
	console_port_put(&p, text, 3);
	assert_screen("[a?[2Jverylongnameverylongnameve] hi\r\n");
	console_detach(&p);
}

static void time_passes(void)
{
}

static void test_stuck_uart(void **state)
{
	uint32_t before;

	(void)state;
	fake_relax_hook = time_passes;
	/* Slow, but alive: nothing is lost. */
	stuck_polls = 1000;
	say(&one, "slow");
	assert_screen("slow");
	/* Dead: given up after a bounded wait, and later bytes cost one poll each. */
	stuck_polls = UINT32_MAX;
	polls = 0;
	say(&one, "x");
	before = polls;
	assert_true(before <= 100000);
	say(&one, "0123456789");
	assert_int_equal(polls, before + 10);
	assert_screen("");
	/* Alive again. */
	stuck_polls = 0;
	say(&one, "back");
	assert_screen("back");
	stuck_polls = 1000;
	say(&one, "!");
	assert_screen("!");
	fake_relax_hook = NULL;
}

/* Another core is in rx_ready() of a port: it cannot go until that has ended. */
static uint32_t waits;

static void other_core(void)
{
	waits++;
	if (waits == 3) {
		one.port.notifying--;
	}
}

static void test_detach_waits(void **state)
{
	(void)state;
	waits = 0;
	fake_relax_hook = other_core;
	one.port.notifying++;
	console_detach(&one.port);
	assert_int_equal(waits, 3);
	console_detach(&two.port);
	assert_int_equal(waits, 3);
	fake_relax_hook = NULL;
}

static void test_input_burst(void **state)
{
	static char much[1000];

	(void)state;
	memset(much, 'k', sizeof(much) - 1);
	typed = much;
	uart_interrupt(); /* returns though there is more */
	assert_true(*typed != '\0' && one.got_len > 0 && one.got_len < 100);
	type(typed);
}

/* The lock is held, for ever, by somebody: the dying core writes all the same. */
static bool in_panic_write;
static bool panic_tx_ready(struct uart *u)
{
	(void)u;
	if (!in_panic_write) {
		in_panic_write = true;
		console_panic_write("panic: at 5\n", 12);
		in_panic_write = false;
	}
	return true;
}

static void test_panic(void **state)
{
	static const struct uart_ops ops = { .tx_ready = panic_tx_ready,
					     .tx = fake_tx,
					     .rx = fake_rx };

	(void)state;
	say(&one, "ab");
	fake_uart.ops = &ops; /* called with the console's lock held */
	say(&one, "c");
	fake_uart.ops = &fake_ops;
	assert_screen("ab\r\npanic: at 5\r\nc");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_early),
		cmocka_unit_test_setup_teardown(test_focus_raw_others_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_filter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flush_after_100ms, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input_goes_to_focus, setup, teardown),
		cmocka_unit_test_setup_teardown(test_focus_change_in_the_middle, setup, teardown),
		cmocka_unit_test_setup_teardown(test_overflow, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detach, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stuck_uart, setup, teardown),
		cmocka_unit_test_setup_teardown(test_detach_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_input_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_panic, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
