/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hv/pl061.h>
#include <string.h>

#define DATA(mask) ((uint64_t)(mask) << 2)
#define DIR	   0x400
#define IS	   0x404
#define IBE	   0x408
#define IEV	   0x40c
#define IE	   0x410
#define RIS	   0x414
#define MIS	   0x418
#define IC	   0x41c
#define AFSEL	   0x420

static struct vic vic;
static struct pl061 gpio;
static bool line;

static void set_line(struct vic *v, uint32_t vcpu, uint32_t irq, bool level)
{
	assert_ptr_equal(v, &vic);
	assert_int_equal(vcpu, VIRQ_SHARED);
	assert_int_equal(irq, 39);
	line = level;
}

static const struct vic_ops vic_ops = { .set = set_line };

static int setup(void **state)
{
	(void)state;
	vic.ops = &vic_ops;
	line = false;
	pl061_init(&gpio, NULL, "gpio", &vic, 39);
	return 0;
}

static uint32_t rd(uint64_t offset)
{
	struct vdev_access a = { .offset = offset, .width = 4 };

	assert_int_equal(gpio.dev.ops->access(&gpio.dev, &a), VDEV_OK);
	return (uint32_t)a.value;
}

static void wrw(uint64_t offset, uint32_t value, uint8_t width)
{
	struct vdev_access a = { .offset = offset, .width = width, .value = value, .write = true };

	assert_int_equal(gpio.dev.ops->access(&gpio.dev, &a), VDEV_OK);
}

static void wr(uint64_t offset, uint32_t value)
{
	wrw(offset, value, 4);
}

static void test_registers(void **state)
{
	static const uint8_t id[] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

	(void)state;
	for (int round = 0; round < 2; round++) {
		for (uint64_t off = 0; off < PL061_SIZE; off += 4) {
			assert_int_equal(rd(off), off >= 0xfe0 ? id[(off - 0xfe0) / 4] : 0);
		}
		for (uint64_t off = DIR; off < PL061_SIZE; off += 4) {
			wr(off, 0xffffffff);
		}
		wr(DATA(0xff), 0x1a5);
		static const uint64_t rw[] = { DIR, IS, IBE, IEV, IE, AFSEL };
		for (size_t i = 0; i < ARRAY_SIZE(rw); i++) {
			assert_int_equal(rd(rw[i]), 0xff);
		}
		assert_int_equal(rd(IC), 0);
		assert_int_equal(rd(DATA(0xff)), 0xa5);
		wrw(DATA(0xff) + 1, 0, 1);
		wrw(DATA(0xff), 0, 8);
		assert_int_equal(rd(DATA(0xff)), 0xa5);
		gpio.dev.ops->reset(&gpio.dev);
	}
	gpio.dev.ops->destroy(&gpio.dev);
}

static void test_data_mask(void **state)
{
	(void)state;
	wr(DIR, 0x0f);
	wr(DATA(0xff), 0xff); /* inputs cannot be written */
	assert_int_equal(rd(DATA(0xff)), 0x0f);
	wr(DATA(0x06), 0x00); /* only the masked ones */
	assert_int_equal(rd(DATA(0xff)), 0x09);
	assert_int_equal(rd(DATA(0x08)), 0x08);
	assert_int_equal(rd(DATA(0)), 0);
	pl061_input(&gpio, 4, true);
	pl061_input(&gpio, 7, true);
	pl061_input(&gpio, 1, true); /* an output's pin: not seen */
	assert_int_equal(rd(DATA(0xff)), 0x99);
	wr(DIR, 0);
	assert_int_equal(rd(DATA(0xff)), 0x92);
	/* Levels from outside outlive a reset. */
	gpio.dev.ops->reset(&gpio.dev);
	assert_int_equal(rd(DATA(0xff)), 0x92);
	assert_int_equal(rd(RIS), 0);
}

static void test_edges(void **state)
{
	(void)state;
	wr(IEV, 0x01); /* line 0 rising, 1 falling, 2 both */
	wr(IBE, 0x04);
	wr(IE, 0x07);
	for (unsigned i = 0; i < 3; i++) {
		pl061_input(&gpio, i, true);
	}
	assert_int_equal(rd(RIS), 0x05);
	assert_true(line);
	wr(IC, 0x01);
	assert_true(line);
	wr(IC, 0xff);
	assert_false(line);
	pl061_input(&gpio, 0, true); /* no change, no edge */
	assert_int_equal(rd(RIS), 0);
	for (unsigned i = 0; i < 3; i++) {
		pl061_input(&gpio, i, false);
	}
	assert_int_equal(rd(RIS), 0x06);
	assert_int_equal(rd(MIS), 0x06);
	wr(IE, 0x01);
	assert_false(line);
	assert_int_equal(rd(MIS), 0);
	wr(IE, 0x02);
	assert_true(line);
	/* A latched edge is gone when its line becomes level-sensitive. */
	wr(IEV, 0xff);
	wr(IS, 0x06);
	assert_false(line);
	wr(IS, 0);
	assert_int_equal(rd(RIS), 0);
	/* An output's pin has no edges. */
	wr(DIR, 0x01);
	pl061_input(&gpio, 0, true);
	assert_int_equal(rd(RIS), 0);
	wr(DIR, 0);
	assert_int_equal(rd(RIS), 0);
}

static void test_levels(void **state)
{
	(void)state;
	wr(IS, 0x08);
	wr(IEV, 0x08);
	wr(IE, 0x08);
	assert_false(line);
	pl061_input(&gpio, 3, true);
	assert_true(line);
	wr(IC, 0xff); /* a level cannot be cleared */
	assert_true(line);
	assert_int_equal(rd(MIS), 0x08);
	pl061_input(&gpio, 3, false);
	assert_false(line);
	wr(IEV, 0); /* active low now */
	assert_true(line);
	wr(DIR, 0x08);
	assert_false(line);
	wr(DIR, 0);
	gpio.dev.ops->reset(&gpio.dev);
	assert_false(line);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_registers, setup),
		cmocka_unit_test_setup(test_data_mask, setup),
		cmocka_unit_test_setup(test_edges, setup),
		cmocka_unit_test_setup(test_levels, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
