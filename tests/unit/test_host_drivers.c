/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small host drivers against register files: list registers of GICv2 in their two
 * layouts, UARTs, and a PCI function whose BARs nobody has placed.
 */
#include "fake_mmio.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "drv/gich_v2.h"
#include "drv/pci.h"
#include <hv/gic.h>
#include <hv/machine.h>
#include <hv/uart.h>

static void test_list_registers(void **state)
{
	uint32_t v = 0x12345;

	(void)state;
	/* Known ones: hardware-linked PPI 27 pending; SGI 3 from CPU 5, active, group 1. */
	assert_int_equal(gich_v2_from_lr(27 | UINT64_C(27) << 32 | UINT64_C(0xa0) << 48 |
					 GICH_LR_HW | GICH_LR_PENDING),
			 0x9a006c1b);
	assert_int_equal(gich_v2_from_lr(3 | 5 << 10 | UINT64_C(0xf8) << 48 | GICH_LR_GROUP1 |
					 GICH_LR_ACTIVE | GICH_LR_EOI),
			 0x6f881403);
	assert_int_equal(gich_v2_to_lr(0x6f881403), 3 | 5 << 10 | UINT64_C(0xf8) << 48 |
							    GICH_LR_GROUP1 | GICH_LR_ACTIVE |
							    GICH_LR_EOI);
	/* There and back: what the hardware has room for is kept. */
	for (unsigned i = 0; i < 100000; i++) {
		uint32_t w;

		v = v * 1664525 + 1013904223;
		w = v & ~UINT32_C(0x00700000);
		w = (w & GICH_V2_HW) != 0 ? w : w & ~UINT32_C(0x0007e000);
		assert_int_equal(gich_v2_from_lr(gich_v2_to_lr(w)), w);
	}
}

/* Memory that remembers; hooks for what is not memory. */
static struct {
	struct fake_mmio mmio;
	unsigned width; /* of every access */
	uint32_t reg[64];
	unsigned shift;
	uint8_t input[8];
	uint8_t input_status[8];
	unsigned in, out;
	bool pl011;
} uart;

static uint64_t uart_read(struct fake_mmio *dev, uint64_t offset, unsigned width)
{
	unsigned n = (unsigned)(offset >> uart.shift);

	(void)dev;
	assert_int_equal(width, uart.width);
	if (uart.pl011) {
		if (offset == 0x18) {
			return uart.out == uart.in ? BIT32(4) : 0;
		}
		if (offset == 0 && uart.out < uart.in) {
			uint32_t c = uart.input[uart.out] | (uint32_t)uart.input_status[uart.out]
								    << 8;

			uart.out++;
			return c;
		}
		return uart.reg[n];
	}
	if (n == 5) {
		return 0x60u | (uart.out < uart.in ? 1u | uart.input_status[uart.out] : 0);
	}
	if (n == 0 && uart.out < uart.in) {
		return uart.input[uart.out++];
	}
	return uart.reg[n];
}

static void uart_write(struct fake_mmio *dev, uint64_t offset, unsigned width, uint64_t v)
{
	(void)dev;
	assert_int_equal(width, uart.width);
	uart.reg[offset >> uart.shift] = (uint32_t)v;
}

static struct uart start_uart(enum machine_uart_kind kind, uint32_t shift, uint32_t width)
{
	static struct machine m;
	struct uart u;

	fake_mmio_reset();
	memset(&uart, 0, sizeof(uart));
	uart.mmio = (struct fake_mmio){
		.base = hpa(0x1000), .size = 0x100, .read = uart_read, .write = uart_write
	};
	uart.width = width;
	uart.shift = kind == MACHINE_UART_PL011 ? 2 : shift;
	uart.pl011 = kind == MACHINE_UART_PL011;
	fake_mmio_add(&uart.mmio);
	memset(&m, 0, sizeof(m));
	m.uart_count = 1;
	m.uart[0] = (struct machine_uart){ .kind = kind,
					   .range = { hpa(0x1000), 0x100 },
					   .irq = { 33, IRQ_LEVEL },
					   .reg_shift = shift,
					   .reg_io_width = width };
	assert_int_equal(uart_probe(&m, &u), 0);
	assert_int_equal(u.irq, 33);
	return u;
}

static void feed(uint8_t c, uint8_t status)
{
	uart.input[uart.in] = c;
	uart.input_status[uart.in++] = status;
}

static void test_16550(void **state)
{
	static const struct {
		enum machine_uart_kind kind;
		uint32_t shift, width;
	} kinds[] = { { MACHINE_UART_16550, 0, 1 },
		      { MACHINE_UART_16550, 2, 4 },
		      { MACHINE_UART_16550, 1, 2 },
		      { MACHINE_UART_DW_APB, 2, 4 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct uart u = start_uart(kinds[i].kind, kinds[i].shift, kinds[i].width);

		uart.reg[3] = 0x9b; /* firmware left the divisor latch open */
		assert_int_equal(u.ops->init(&u), 0);
		assert_int_equal(uart.reg[3], 0x1b); /* its format stays */
		assert_int_equal(uart.reg[1], 0);
		u.ops->rx_irq(&u, true);
		assert_int_equal(uart.reg[1], 1);
		assert_true(u.ops->tx_ready(&u));
		u.ops->tx(&u, 'x');
		assert_int_equal(uart.reg[0], 'x');
		assert_int_equal(u.ops->rx(&u), -1);
		feed('a', 0);
		feed('!', 0x08); /* framing error */
		feed('b', 0x02); /* overrun: the byte is good */
		assert_int_equal(u.ops->rx(&u), 'a');
		assert_int_equal(u.ops->rx(&u), 'b');
		assert_int_equal(u.ops->rx(&u), -1);
	}
}

static void test_pl011(void **state)
{
	struct uart u = start_uart(MACHINE_UART_PL011, 0, 4);

	(void)state;
	uart.reg[0x24 / 4] = 13; /* a speed that firmware chose */
	uart.reg[0x2c / 4] = 0x66;
	assert_int_equal(u.ops->init(&u), 0);
	assert_int_equal(uart.reg[0x24 / 4], 13);
	assert_int_equal(uart.reg[0x2c / 4], 0x76);
	assert_int_equal(uart.reg[0x30 / 4], 0x301);
	assert_int_equal(uart.reg[0x38 / 4], 0);
	u.ops->rx_irq(&u, true);
	assert_int_equal(uart.reg[0x38 / 4], 0x50);
	feed('a', 0);
	feed('!', 0x04);
	feed('b', 0x08);
	assert_int_equal(u.ops->rx(&u), 'a');
	assert_int_equal(u.ops->rx(&u), 'b');
	assert_int_equal(u.ops->rx(&u), -1);
}

/* Two functions on bus 0: one placed by firmware, one with a 64-bit BAR at zero. */
static struct {
	struct fake_mmio mmio;
	uint8_t cfg[2][4096];
} pci;

static const uint64_t bar_size[2] = { 0x2000, 0x4000 };

static uint64_t pci_read(struct fake_mmio *dev, uint64_t offset, unsigned width)
{
	uint64_t v = UINT64_MAX;

	(void)dev;
	if (offset >> 15 < 2 && (offset >> 12 & 7) == 0) {
		memcpy(&v, &pci.cfg[offset >> 15][offset & 0xfff], width);
	}
	return v;
}

static void pci_write(struct fake_mmio *dev, uint64_t offset, unsigned width, uint64_t v)
{
	uint64_t reg = offset & 0xfff, n = offset >> 15;

	(void)dev;
	if (reg == 0x10) {
		v = (v & ~(bar_size[n] - 1)) | (n == 1 ? 0xc : 0);
	}
	if (reg > (n == 1 ? 0x14u : 0x10u) && reg < 0x28) {
		v = 0;
	}
	memcpy(&pci.cfg[n][reg], &v, width);
}

static void set16(unsigned n, unsigned reg, unsigned v)
{
	pci.cfg[n][reg] = (uint8_t)v;
	pci.cfg[n][reg + 1] = (uint8_t)(v >> 8);
}

static void test_pci(void **state)
{
	static struct machine_pci host = { .ecam = { .base = { 0x4000000 }, .size = MiB } };
	struct machine_range where;
	struct pci_walk w;
	struct pci_fn f;

	(void)state;
	fake_mmio_reset();
	memset(&pci, 0, sizeof(pci));
	pci.mmio = (struct fake_mmio){
		.base = hpa(0x4000000), .size = MiB, .read = pci_read, .write = pci_write
	};
	fake_mmio_add(&pci.mmio);
	host.window_count = 1;
	host.window[0] = (struct machine_pci_window){ .space = MACHINE_PCI_MEM32,
						      .pci_base = 0x10000000,
						      .cpu_base = hpa(0x90000000),
						      .size = 0x8000 };
	set16(0, 0, 0x1234);
	set16(0, 0x12, 0x1000); /* BAR 0 at 0x10000000 */
	set16(1, 0, 0x1af4);
	pci.cfg[1][0x10] = 0xc;
	pci_walk_init(&w, &host);
	assert_true(pci_walk_next(&w, &f));
	assert_int_equal(pci_bar(&f, 0, &where), 0);
	assert_int_equal(where.base.a, 0x90000000);
	assert_int_equal(where.size, 0x2000);
	assert_int_equal(pci_bar(&f, 1, &where), -ENODEV);
	assert_true(pci_walk_next(&w, &f));
	assert_int_equal(f.dev, 1);
	/* Above what is taken, on its own alignment. */
	assert_int_equal(pci_bar(&f, 0, &where), 0);
	assert_int_equal(where.base.a, 0x90004000);
	assert_int_equal(where.size, 0x4000);
	assert_int_equal(pci_bar(&f, 0, &where), 0); /* and there it stays */
	assert_int_equal(where.base.a, 0x90004000);
	assert_int_equal(pci_bar(&f, 6, &where), -ENODEV);
	assert_false(pci_walk_next(&w, &f));
	/* A capability list that leads back into itself. */
	set16(1, 6, 0x10);
	pci.cfg[1][0x34] = 0x40;
	pci.cfg[1][0x40] = 5;
	pci.cfg[1][0x41] = 0x40;
	pci_walk_init(&w, &host);
	assert_true(pci_walk_next(&w, &f) && pci_walk_next(&w, &f));
	assert_int_equal(pci_capability(&f, 5, 0), 0x40);
	assert_int_equal(pci_capability(&f, 9, 0), 0);
	/* No room. */
	host.window[0].size = 0x4000;
	pci.cfg[1][0x10] = 0xc;
	memset(&pci.cfg[1][0x11], 0, 7);
	assert_int_equal(pci_bar(&f, 0, &where), -ENOSPC);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list_registers),
		cmocka_unit_test(test_16550),
		cmocka_unit_test(test_pl011),
		cmocka_unit_test(test_pci),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
