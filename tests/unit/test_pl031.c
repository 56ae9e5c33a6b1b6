/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hv/pl031.h>
#include <string.h>

#include "fake_time.h"

#define DR   0x00
#define MR   0x04
#define LR   0x08
#define CR   0x0c
#define IMSC 0x10
#define RIS  0x14
#define MIS  0x18
#define ICR  0x1c

#define S     UINT64_C(1000000000)
#define EPOCH 1700000000U

static struct vic vic;
static struct pl031 rtc;
static bool line;

static void set_line(struct vic *v, uint32_t vcpu, uint32_t irq, bool level)
{
	assert_ptr_equal(v, &vic);
	assert_int_equal(vcpu, VIRQ_SHARED);
	assert_int_equal(irq, 34);
	line = level;
}

static const struct vic_ops vic_ops = { .set = set_line };

static int setup(void **state)
{
	(void)state;
	vic.ops = &vic_ops;
	line = false;
	fake_now += 123456789;
	pl031_init(&rtc, NULL, "rtc", EPOCH, &vic, 34);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	rtc.dev.ops->destroy(&rtc.dev);
	assert_false(timer_is_armed(&rtc.alarm));
	return 0;
}

static uint32_t rd(uint64_t offset)
{
	struct vdev_access a = { .offset = offset, .width = 4 };

	assert_int_equal(rtc.dev.ops->access(&rtc.dev, &a), VDEV_OK);
	return (uint32_t)a.value;
}

static void wrw(uint64_t offset, uint32_t value, uint8_t width)
{
	struct vdev_access a = { .offset = offset, .width = width, .value = value, .write = true };

	assert_int_equal(rtc.dev.ops->access(&rtc.dev, &a), VDEV_OK);
}

static void wr(uint64_t offset, uint32_t value)
{
	wrw(offset, value, 4);
}

static void test_registers(void **state)
{
	static const uint8_t id[] = { 0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	(void)state;
	for (uint64_t off = 0; off < PL031_SIZE; off += 4) {
		uint32_t want = off == DR      ? EPOCH
				: off == CR    ? 1
				: off >= 0xfe0 ? id[(off - 0xfe0) / 4]
					       : 0;

		assert_int_equal(rd(off), want);
	}
	wr(IMSC, 0xffffffff);
	assert_int_equal(rd(IMSC), 1);
	wr(CR, 0);
	wr(DR, 5);
	wr(RIS, 1);
	assert_int_equal(rd(CR), 1);
	assert_int_equal(rd(DR), EPOCH);
	assert_int_equal(rd(RIS), 0);
	wrw(MR + 2, 7, 2);
	wrw(MR, 7, 8);
	assert_int_equal(rd(MR), 0);
	assert_false(line);
}

static void test_time(void **state)
{
	(void)state;
	fake_time_advance(S - 1);
	assert_int_equal(rd(DR), EPOCH);
	fake_time_advance(1);
	assert_int_equal(rd(DR), EPOCH + 1);
	fake_time_advance(3600 * S);
	assert_int_equal(rd(DR), EPOCH + 3601);
	wr(LR, 42);
	assert_int_equal(rd(LR), 42);
	assert_int_equal(rd(DR), 42);
	fake_time_advance(5 * S + S / 2);
	assert_int_equal(rd(DR), 47);
	/* It wraps as 32 bits do. */
	wr(LR, UINT32_MAX);
	fake_time_advance(S);
	assert_int_equal(rd(DR), 0);
	fake_time_advance(2 * S);
	assert_int_equal(rd(DR), 2);
	/* A reset of the VM is no reason for the clock to go wrong. */
	rtc.dev.ops->reset(&rtc.dev);
	assert_int_equal(rd(DR), 2);
	assert_int_equal(rd(LR), 0);
}

static void test_alarm(void **state)
{
	(void)state;
	fake_time_advance(S / 2);
	wr(MR, EPOCH + 10);
	wr(IMSC, 1);
	assert_true(timer_is_armed(&rtc.alarm));
	fake_time_advance(9 * S + S / 2 - 1);
	assert_false(line);
	assert_int_equal(rd(RIS), 0);
	fake_time_advance(1); /* when DR changes, not half a second later */
	assert_true(line);
	assert_int_equal(rd(DR), EPOCH + 10);
	assert_int_equal(rd(RIS), 1);
	assert_int_equal(rd(MIS), 1);
	wr(ICR, 0xfffffffe);
	assert_true(line);
	wr(ICR, 1);
	assert_false(line);
	/* It matched once; the same second does not match again. */
	fake_time_advance(20 * S);
	assert_false(line);
	assert_false(timer_is_armed(&rtc.alarm));
	/* Equal now: at once. */
	wr(MR, EPOCH + 30);
	assert_true(line);
	wr(IMSC, 0);
	assert_false(line);
	assert_int_equal(rd(RIS), 1);
	assert_int_equal(rd(MIS), 0);
}

static void test_alarm_polled(void **state)
{
	(void)state;
	wr(MR, EPOCH + 2);
	assert_false(timer_is_armed(&rtc.alarm)); /* no interrupt can come of it */
	fake_time_advance(2 * S - 1);
	assert_int_equal(rd(RIS), 0);
	fake_time_advance(1);
	assert_int_equal(rd(RIS), 1);
	fake_time_advance(5 * S);
	wr(IMSC, 1); /* the match that was passed is remembered */
	assert_true(line);
	/* A match that came before MR is written again counts. */
	wr(ICR, 1);
	wr(IMSC, 0);
	wr(MR, EPOCH + 10);
	fake_time_advance(4 * S);
	wr(MR, EPOCH + 100);
	assert_int_equal(rd(RIS), 1);
}

static void test_clock_moves_alarm(void **state)
{
	(void)state;
	wr(MR, EPOCH + 1000);
	wr(IMSC, 1);
	wr(LR, EPOCH + 997);
	fake_time_advance(3 * S - 1);
	assert_false(line);
	fake_time_advance(1);
	assert_true(line);
	wr(ICR, 1);
	/* In the past: 2^32 seconds less one from now. */
	wr(MR, EPOCH + 999);
	assert_false(line);
	fake_time_advance((UINT64_C(0x100000000) - 1) * S - 1);
	assert_false(line);
	fake_time_advance(1);
	assert_true(line);
	/* A VM's reset takes the alarm away. */
	wr(MR, rd(DR) + 5);
	rtc.dev.ops->reset(&rtc.dev);
	assert_false(line);
	assert_false(timer_is_armed(&rtc.alarm));
	fake_time_advance(10 * S);
	assert_int_equal(rd(RIS), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_registers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alarm, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alarm_polled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clock_moves_alarm, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
