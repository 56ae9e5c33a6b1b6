/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arm PL011 as the host's console (Arm DDI 0183, ch. 3), and its reduced form, the
 * SBSA generic UART (DEN0029, appendix B), which has no line control.
 */
#include "uart.h"

#include <errno.h>
#include <hv/mmio.h>
#include <hv/uart.h>

#define PL011_DR    0x00
#define PL011_FR    0x18
#define PL011_IBRD  0x24
#define PL011_LCR_H 0x2c
#define PL011_CR    0x30
#define PL011_IFLS  0x34
#define PL011_IMSC  0x38
#define PL011_ICR   0x44
#define PL011_DMACR 0x48

#define DR_ERRORS 0x700u /* framing, parity, break; not overrun: that byte is good */
#define FR_BUSY	  BIT32(3)
#define FR_RXFE	  BIT32(4)
#define FR_TXFF	  BIT32(5)
#define LCR_FEN	  BIT32(4)
#define LCR_WLEN8 (3u << 5)
#define CR_UARTEN BIT32(0)
#define CR_TXE	  BIT32(8)
#define CR_RXE	  BIT32(9)
#define CR_KEEP	  0xfc00u /* modem lines and flow control */
#define IFLS_LOW  0u	  /* interrupt at an eighth of the FIFOs */
#define INT_RX	  BIT32(4)
#define INT_RT	  BIT32(6) /* receive timeout: less than that, for 32 bit times */
#define INT_ALL	  0x7ffu

#define FIFO_DEPTH 32
#define BUSY_POLLS 100000

static uint32_t read_reg(const struct uart *u, uint64_t reg)
{
	return u->io_width == 2 ? mmio_read16(u->base, reg) : mmio_read32(u->base, reg);
}

static void write_reg(const struct uart *u, uint64_t reg, uint32_t v)
{
	if (u->io_width == 2) {
		mmio_write16(u->base, reg, (uint16_t)v);
	} else {
		mmio_write32(u->base, reg, v);
	}
}

static int sbsa_init(struct uart *u)
{
	write_reg(u, PL011_IMSC, 0);
	write_reg(u, PL011_ICR, INT_ALL);
	return 0;
}

/* LCR_H may be written only while the UART is off, and that only when it is idle. */
static int pl011_init(struct uart *u)
{
	uint32_t lcr, cr;

	for (uint32_t i = 0; i < BUSY_POLLS && (read_reg(u, PL011_FR) & FR_BUSY) != 0; i++) {
	}
	lcr = read_reg(u, PL011_LCR_H);
	cr = read_reg(u, PL011_CR) & CR_KEEP;
	if (read_reg(u, PL011_IBRD) == 0) {
		lcr = LCR_WLEN8; /* no firmware has set it up (QEMU): at least 8 bits */
	}
	write_reg(u, PL011_CR, cr);
	write_reg(u, PL011_LCR_H, lcr | LCR_FEN);
	write_reg(u, PL011_IFLS, IFLS_LOW);
	write_reg(u, PL011_DMACR, 0);
	write_reg(u, PL011_CR, cr | CR_RXE | CR_TXE | CR_UARTEN);
	return sbsa_init(u);
}

static bool pl011_tx_ready(struct uart *u)
{
	return (read_reg(u, PL011_FR) & FR_TXFF) == 0;
}

static void pl011_tx(struct uart *u, uint8_t c)
{
	write_reg(u, PL011_DR, c);
}

static int pl011_rx(struct uart *u)
{
	for (uint32_t i = 0; i < FIFO_DEPTH; i++) {
		uint32_t c;

		if ((read_reg(u, PL011_FR) & FR_RXFE) != 0) {
			return -1;
		}
		c = read_reg(u, PL011_DR);
		if ((c & DR_ERRORS) == 0) {
			return (int)(c & 0xff);
		}
	}
	return -1;
}

static void pl011_rx_irq(struct uart *u, bool on)
{
	write_reg(u, PL011_IMSC, on ? INT_RX | INT_RT : 0);
}

const struct uart_ops uart_pl011_ops = {
	.init = pl011_init,
	.tx_ready = pl011_tx_ready,
	.tx = pl011_tx,
	.rx = pl011_rx,
	.rx_irq = pl011_rx_irq,
};

const struct uart_ops uart_sbsa_ops = {
	.init = sbsa_init,
	.tx_ready = pl011_tx_ready,
	.tx = pl011_tx,
	.rx = pl011_rx,
	.rx_irq = pl011_rx_irq,
};
