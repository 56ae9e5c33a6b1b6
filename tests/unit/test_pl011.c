/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hv/pl011.h>
#include <string.h>

#define DR    0x00
#define RSR   0x04
#define FR    0x18
#define ILPR  0x20
#define IBRD  0x24
#define FBRD  0x28
#define LCR_H 0x2c
#define CR    0x30
#define IFLS  0x34
#define IMSC  0x38
#define RIS   0x3c
#define MIS   0x40
#define ICR   0x44
#define DMACR 0x48

#define RXFE 0x10
#define RXFF 0x40
#define TXFE 0x80
#define RX   0x10
#define TX   0x20
#define RT   0x40
#define BE   0x200
#define OE   0x400

/* A channel with the test at its other end, and a controller that counts. */
struct bench {
	struct chr chr;
	struct vic vic;
	struct pl011 u;
	char out[64];
	size_t out_len;
	const char *in;
	size_t in_len;
	bool line;
	uint32_t changes;
};

static void bench_put(struct chr *chr, uint8_t c)
{
	struct bench *b = container_of(chr, struct bench, chr);

	assert_true(b->out_len < sizeof(b->out));
	b->out[b->out_len++] = (char)c;
}

static int bench_get(struct chr *chr)
{
	struct bench *b = container_of(chr, struct bench, chr);

	if (b->in_len == 0) {
		return -1;
	}
	b->in_len--;
	return (uint8_t)*b->in++;
}

static void bench_irq(struct vic *vic, uint32_t vcpu, uint32_t irq, bool level)
{
	struct bench *b = container_of(vic, struct bench, vic);

	assert_int_equal(vcpu, VIRQ_SHARED);
	assert_int_equal(irq, 33);
	assert_true(b->line != level);
	b->line = level;
	b->changes++;
}

static const struct chr_ops bench_chr_ops = { .put = bench_put, .get = bench_get };
static const struct vic_ops bench_vic_ops = { .set = bench_irq };
static struct bench b;

static int setup(void **state)
{
	(void)state;
	memset(&b, 0, sizeof(b));
	b.chr.ops = &bench_chr_ops;
	b.vic.ops = &bench_vic_ops;
	pl011_init(&b.u, NULL, "uart", &b.chr, &b.vic, 33);
	return 0;
}

static uint32_t rdw(uint64_t offset, uint8_t width)
{
	struct vdev_access a = { .offset = offset, .width = width };

	assert_int_equal(b.u.dev.ops->access(&b.u.dev, &a), VDEV_OK);
	return (uint32_t)a.value;
}

static uint32_t rd(uint64_t offset)
{
	return rdw(offset, 4);
}

static void wrw(uint64_t offset, uint32_t value, uint8_t width)
{
	struct vdev_access a = { .offset = offset, .width = width, .value = value, .write = true };

	assert_int_equal(b.u.dev.ops->access(&b.u.dev, &a), VDEV_OK);
}

static void wr(uint64_t offset, uint32_t value)
{
	wrw(offset, value, 4);
}

/* Types text: told byte by byte, as the console does. */
static void type(const char *text)
{
	if (b.in_len == 0) {
		b.in = text;
	}
	for (; *text != '\0'; text++) {
		b.in_len++;
		b.chr.front->rx_ready(b.chr.front);
	}
}

static void test_reset_values(void **state)
{
	static const uint8_t id[] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint64_t off = 0; off < PL011_SIZE; off += 4) {
			uint32_t want = off == FR ? 0x97 : /* TXFE RXFE DCD DSR CTS */
						off == CR ? 0x301
					: off == IFLS	  ? 0x12
					: off >= 0xfe0	  ? id[(off - 0xfe0) / 4]
							  : 0;

			assert_int_equal(rd(off), want);
		}
		/* All ones everywhere, then what must have stuck is gone again. */
		for (uint64_t off = 4; off < PL011_SIZE; off += 4) {
			wr(off, off == ICR ? 0 : 0xffffffff);
		}
		assert_int_equal(rd(ILPR), 0xff);
		assert_int_equal(rd(IBRD), 0xffff);
		assert_int_equal(rd(FBRD), 0x3f);
		assert_int_equal(rd(LCR_H), 0xff);
		assert_int_equal(rd(CR), 0xff87);
		assert_int_equal(rd(IFLS), 0x3f);
		assert_int_equal(rd(IMSC), 0x7ff);
		assert_int_equal(rd(DMACR), 7);
		assert_int_equal(rd(ICR), 0);
		wr(DR, 'x'); /* loops back: an interrupt */
		assert_true(b.line);
		b.u.dev.ops->reset(&b.u.dev);
		assert_false(b.line);
	}
	assert_int_equal(b.out_len, 0);
}

static void test_widths(void **state)
{
	(void)state;
	wrw(DR, 'a', 1);
	wrw(DR, 'b', 2);
	wrw(DR, 'c', 4);
	wrw(DR, 'd', 8); /* ignored, as everything below */
	wrw(DR + 1, 'e', 1);
	wrw(DR + 2, 'f', 2);
	assert_int_equal(b.out_len, 3);
	assert_memory_equal(b.out, "abc", 3);
	wrw(IBRD, 0x1234, 2);
	assert_int_equal(rdw(IBRD, 2), 0x1234);
	assert_int_equal(rdw(IBRD + 1, 1), 0);
	assert_int_equal(rdw(IBRD, 8), 0);
	type("z");
	assert_int_equal(rdw(DR + 2, 2), 0);
	assert_int_equal(rdw(DR, 8), 0);
	assert_int_equal(rdw(DR, 1), 'z');
}

static void test_transmit(void **state)
{
	(void)state;
	/* No interrupt before the first character (2.8.3: a transition). */
	wr(IMSC, TX);
	assert_false(b.line);
	assert_int_equal(rd(RIS), 0);
	wr(DR, 0xf41); /* only data bits go out */
	assert_memory_equal(b.out, "A", 1);
	assert_true(b.line);
	assert_int_equal(rd(MIS), TX);
	assert_int_equal(rd(FR) & (TXFE | 0x28), TXFE); /* never full, never busy */
	wr(ICR, TX);
	assert_false(b.line);
	wr(DR, 'B');
	assert_true(b.line);
	/* Masking: the raw state stays. */
	wr(IMSC, 0);
	assert_false(b.line);
	assert_int_equal(rd(MIS), 0);
	assert_int_equal(rd(RIS), TX);
	wr(IMSC, TX);
	assert_true(b.line);
	/* Early consoles write before anything is enabled. */
	wr(CR, 0);
	wr(DR, 'C');
	assert_memory_equal(b.out, "ABC", 3);
}

static void test_receive_character_mode(void **state)
{
	(void)state;
	wr(IMSC, RX);
	type("hi");
	assert_true(b.line);
	assert_int_equal(rd(FR) & (RXFE | RXFF), RXFF);
	assert_int_equal(b.in_len, 1); /* the second waits in the channel */
	assert_int_equal(rd(DR), 'h');
	assert_true(b.line); /* it has moved up, with its interrupt */
	assert_int_equal(rd(DR), 'i');
	assert_false(b.line);
	assert_int_equal(rd(FR) & (RXFE | RXFF), RXFE);
	assert_int_equal(rd(DR), 0);
	assert_int_equal(rd(RIS), 0);
}

static void test_levels(void **state)
{
	static const uint32_t level[] = { 2, 4, 8, 12, 14 };
	static const char keys[] = "0123456789abcdef";

	(void)state;
	for (uint32_t i = 0; i < ARRAY_SIZE(level); i++) {
		setup(NULL);
		wr(LCR_H, 0x70);
		wr(IFLS, i << 3 | 2);
		wr(IMSC, RX);
		for (uint32_t n = 0; n < PL011_FIFO_DEPTH; n++) {
			char key[2] = { keys[n], 0 };

			assert_int_equal(b.line, n >= level[i]);
			type(key);
			assert_int_equal(rd(RIS) & RT, RT);
			assert_int_equal(rd(FR) & RXFF, n == PL011_FIFO_DEPTH - 1 ? RXFF : 0);
		}
		for (uint32_t n = PL011_FIFO_DEPTH; n > 0; n--) {
			assert_int_equal(b.line, n >= level[i]);
			assert_int_equal(rd(RIS) & RT, RT);
			assert_int_equal(rd(DR), (uint8_t)keys[PL011_FIFO_DEPTH - n]);
		}
		assert_int_equal(rd(RIS), 0);
	}
}

static void test_timeout(void **state)
{
	(void)state;
	wr(LCR_H, 0x70);
	wr(IMSC, RX | RT);
	type("a");
	assert_int_equal(rd(MIS), RT); /* below the level */
	assert_true(b.line);
	wr(ICR, RT);
	assert_false(b.line); /* not again for the same data */
	type("b");
	assert_int_equal(rd(MIS), RT);
	assert_int_equal(rd(DR), 'a');
	assert_true(b.line);
	assert_int_equal(rd(DR), 'b');
	assert_false(b.line);
}

static void test_backpressure(void **state)
{
	static const char text[] = "The quick brown fox jumps over the lazy dog";
	char got[sizeof(text)] = { 0 };
	size_t n = 0;

	(void)state;
	wr(LCR_H, 0x70);
	wr(IMSC, RX | RT);
	type(text);
	assert_int_equal(b.in_len, sizeof(text) - 1 - PL011_FIFO_DEPTH);
	while ((rd(FR) & RXFE) == 0) {
		assert_true(b.line);
		got[n++] = (char)rd(DR);
	}
	assert_string_equal(got, text);
	assert_int_equal(rd(RSR), 0); /* no overrun, ever */
	assert_int_equal(rd(RIS) & OE, 0);
	assert_false(b.line);
}

static void test_receiver_off(void **state)
{
	(void)state;
	wr(IMSC, RX);
	wr(CR, 0x101); /* RXE off */
	type("x");
	assert_int_equal(b.in_len, 1);
	assert_int_equal(rd(FR) & RXFE, RXFE);
	wr(CR, 0x300); /* UARTEN off */
	assert_int_equal(rd(FR) & RXFE, RXFE);
	wr(CR, 0x301);
	assert_true(b.line);
	assert_int_equal(rd(DR), 'x');
	/* More than there is room for: the line is not idle, so no timeout yet. */
	wr(CR, 0);
	wr(LCR_H, 0x70);
	type("0123456789abcdefg");
	wr(CR, 0x301);
	assert_int_equal(rd(RIS), RX);
	assert_int_equal(rd(DR), '0');
	assert_int_equal(rd(RIS), RX);
	assert_int_equal(b.in_len, 0);
	assert_int_equal(rd(DR), '1'); /* asks in vain: idle */
	assert_int_equal(rd(RIS), RX | RT);
	while ((rd(FR) & RXFE) == 0) {
		(void)rd(DR);
	}
	/* What was typed while a VM was reset is there when it comes up. */
	wr(CR, 0);
	type("y");
	b.u.dev.ops->reset(&b.u.dev);
	assert_int_equal(rd(DR), 'y');
}

static void test_loopback(void **state)
{
	(void)state;
	wr(LCR_H, 0x70);
	wr(IMSC, OE);
	wr(CR, 0x381);
	wr(ICR, 0xf); /* CTS and others have changed: see test_loopback_modem */
	type("t");    /* not received now */
	for (uint32_t i = 0; i < PL011_FIFO_DEPTH; i++) {
		assert_false(b.line);
		wr(DR, 'a' + i);
	}
	assert_int_equal(rd(FR) & RXFF, RXFF);
	assert_int_equal(rd(RIS), RX | TX | RT);
	wr(DR, '!');
	assert_true(b.line);
	assert_int_equal(rd(RSR), 8);
	assert_int_equal(b.out_len, 0);
	/* The first character read says that one was lost; the FIFO is as it was. */
	assert_int_equal(rd(DR), 'a' | 0x800);
	assert_int_equal(rd(DR), 'b');
	assert_int_equal(rd(RSR), 8);
	wr(RSR, 0);
	assert_int_equal(rd(RSR), 0);
	wr(ICR, OE);
	assert_false(b.line);
	for (uint32_t i = 2; i < PL011_FIFO_DEPTH; i++) {
		assert_int_equal(rd(DR), 'a' + i);
	}
	/* A break: a zero with BE. */
	wr(LCR_H, 0x71);
	assert_int_equal(rd(RIS) & BE, BE);
	assert_int_equal(rd(DR), 0x400);
	assert_int_equal(rd(RSR), 4);
	wr(DR, 'n');
	assert_int_equal(rd(DR), 'n');
	assert_int_equal(rd(RSR), 0);
	/* What waited comes when it is over. */
	wr(CR, 0x301);
	assert_int_equal(rd(DR), 't');
}

static void test_loopback_modem(void **state)
{
	(void)state;
	wr(CR, 0x381);
	assert_int_equal(rd(FR) & 0x107, 0);
	assert_int_equal(rd(RIS) & 0xf, 0xe); /* CTS, DCD, DSR have changed */
	wr(ICR, 0x7ff);
	wr(CR, 0x381 | 1 << 11); /* RTS */
	assert_int_equal(rd(FR) & 0x107, 1);
	assert_int_equal(rd(RIS), 2);
	wr(CR, 0x381 | 1 << 10); /* DTR */
	assert_int_equal(rd(FR) & 0x107, 2);
	wr(CR, 0x381 | 1 << 12); /* OUT1 */
	assert_int_equal(rd(FR) & 0x107, 4);
	wr(ICR, 0x7ff);
	wr(CR, 0x381 | 1 << 13); /* OUT2 */
	assert_int_equal(rd(FR) & 0x107, 0x100);
	assert_int_equal(rd(RIS) & 1, 0);
	wr(CR, 0x381);
	assert_int_equal(rd(RIS) & 1, 1); /* RI: at its end */
}

static void test_fifo_toggle_keeps_data(void **state)
{
	(void)state;
	wr(LCR_H, 0x70);
	type("abc");
	wr(LCR_H, 0x60);
	assert_int_equal(rd(FR) & RXFF, RXFF);
	type("d");
	assert_int_equal(b.in_len, 1);
	assert_int_equal(rd(DR), 'a');
	assert_int_equal(rd(DR), 'b');
	assert_int_equal(rd(DR), 'c');
	assert_int_equal(rd(DR), 'd');
	assert_int_equal(rd(DR), 0);
}

/* What Linux does (drivers/tty/serial/amba-pl011.c): start_tx, then feed by interrupt. */
static void test_interrupt_driven_writer(void **state)
{
	static const char text[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	size_t n = 0;

	(void)state;
	wr(LCR_H, 0x70);
	wr(IMSC, RX | RT);
	wr(DR, (uint8_t)text[n++]);
	wr(IMSC, RX | RT | TX);
	for (uint32_t irqs = 0; b.line; irqs++) {
		assert_true(irqs < 10);
		assert_int_equal(rd(MIS), TX);
		wr(ICR, rd(MIS) & ~(uint32_t)(TX | RT | RX));
		for (uint32_t i = 0; i < 8 && text[n] != '\0'; i++) {
			wr(DR, (uint8_t)text[n++]);
		}
		if (text[n] == '\0') {
			wr(IMSC, RX | RT);
		}
	}
	assert_int_equal(b.out_len, sizeof(text) - 1);
	assert_memory_equal(b.out, text, sizeof(text) - 1);
}

static void test_unconnected(void **state)
{
	(void)state;
	pl011_init(&b.u, NULL, "uart", NULL, NULL, 0);
	wr(IMSC, 0x7ff);
	wr(DR, 'x');
	assert_int_equal(rd(RIS), TX);
	assert_int_equal(rd(DR), 0);
	wr(CR, 0x381);
	wr(DR, 'y');
	assert_int_equal(rd(DR), 'y');
	assert_int_equal(b.changes, 0);
	b.u.dev.ops->destroy(&b.u.dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset_values, setup),
		cmocka_unit_test_setup(test_widths, setup),
		cmocka_unit_test_setup(test_transmit, setup),
		cmocka_unit_test_setup(test_receive_character_mode, setup),
		cmocka_unit_test_setup(test_levels, setup),
		cmocka_unit_test_setup(test_timeout, setup),
		cmocka_unit_test_setup(test_backpressure, setup),
		cmocka_unit_test_setup(test_receiver_off, setup),
		cmocka_unit_test_setup(test_loopback, setup),
		cmocka_unit_test_setup(test_loopback_modem, setup),
		cmocka_unit_test_setup(test_fifo_toggle_keeps_data, setup),
		cmocka_unit_test_setup(test_interrupt_driven_writer, setup),
		cmocka_unit_test_setup(test_unconnected, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
