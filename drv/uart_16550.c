/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 16550-like UARTs as the host's console (National's PC16550D data sheet), with
 * registers 1 << reg_shift bytes apart and accesses of io_width bytes, and
 * Synopsys' DesignWare variant (DW_apb_uart databook, "Interrupts" and USR).
 *
 * LCR is left alone but for DLAB: firmware chose the format, and a DesignWare UART
 * drops writes to it while busy and raises an interrupt about that.
 */
#include "uart.h"

#include <errno.h>
#include <hv/mmio.h>
#include <hv/uart.h>

#define REG_DATA 0
#define REG_IER	 1
#define REG_IIR	 2 /* read */
#define REG_FCR	 2 /* write */
#define REG_LCR	 3
#define REG_MCR	 4
#define REG_LSR	 5
#define REG_USR	 31 /* DesignWare */

#define IER_RX	      0x01
#define IIR_ID	      0x0f
#define IIR_BUSY      0x07 /* DesignWare: a write to LCR was dropped; reading USR ends it */
#define IIR_TIMEOUT   0x0c
#define FCR_ENABLE    0x01 /* interrupt from the first byte on */
#define LCR_DLAB      0x80
#define MCR_DTR_RTS   0x03
#define MCR_OUT2      0x08 /* PCs: lets the interrupt out */
#define LSR_READY     0x01
#define LSR_BAD	      0x1c /* parity, framing, break */
#define LSR_THRE      0x20
#define LSR_TEMT      0x40
#define LSR_NO_DEVICE 0xff

#define FIFO_DEPTH 256
#define BUSY_POLLS 100000

static uint8_t read_reg(const struct uart *u, uint64_t reg)
{
	uint64_t offset = reg << u->reg_shift;

	switch (u->io_width) {
	case 4:
		return (uint8_t)mmio_read32(u->base, offset);
	case 2:
		return (uint8_t)mmio_read16(u->base, offset);
	default:
		return mmio_read8(u->base, offset);
	}
}

static void write_reg(const struct uart *u, uint64_t reg, uint8_t v)
{
	uint64_t offset = reg << u->reg_shift;

	switch (u->io_width) {
	case 4:
		mmio_write32(u->base, offset, v);
		break;
	case 2:
		mmio_write16(u->base, offset, v);
		break;
	default:
		mmio_write8(u->base, offset, v);
		break;
	}
}

static int ns16550_init(struct uart *u)
{
	uint8_t lcr;

	if (read_reg(u, REG_LSR) == LSR_NO_DEVICE) {
		return -ENODEV;
	}
	lcr = read_reg(u, REG_LCR);
	if ((lcr & LCR_DLAB) != 0) {
		for (uint32_t i = 0; i < BUSY_POLLS && (read_reg(u, REG_LSR) & LSR_TEMT) == 0;
		     i++) {
		}
		write_reg(u, REG_LCR, lcr & (uint8_t)~LCR_DLAB);
	}
	write_reg(u, REG_IER, 0);
	write_reg(u, REG_FCR, FCR_ENABLE);
	write_reg(u, REG_MCR, MCR_DTR_RTS | MCR_OUT2);
	return 0;
}

static bool ns16550_tx_ready(struct uart *u)
{
	return (read_reg(u, REG_LSR) & LSR_THRE) != 0;
}

static void ns16550_tx(struct uart *u, uint8_t c)
{
	write_reg(u, REG_DATA, c);
}

static int ns16550_rx(struct uart *u)
{
	for (uint32_t i = 0; i < FIFO_DEPTH; i++) {
		uint8_t lsr = read_reg(u, REG_LSR);
		uint8_t c;

		if (lsr == LSR_NO_DEVICE || (lsr & LSR_READY) == 0) {
			return -1;
		}
		c = read_reg(u, REG_DATA);
		if ((lsr & LSR_BAD) == 0) {
			return c;
		}
	}
	return -1;
}

static void ns16550_rx_irq(struct uart *u, bool on)
{
	write_reg(u, REG_IER, on ? IER_RX : 0);
}

const struct uart_ops uart_16550_ops = {
	.init = ns16550_init,
	.tx_ready = ns16550_tx_ready,
	.tx = ns16550_tx,
	.rx = ns16550_rx,
	.rx_irq = ns16550_rx_irq,
};

/*
 * Two interrupts of DesignWare's would stay for ever if input alone were read: the
 * busy notice, and a receive timeout with nothing in the FIFO.
 */
static int dw_rx(struct uart *u)
{
	int c = ns16550_rx(u);

	if (c < 0) {
		uint8_t id = read_reg(u, REG_IIR) & IIR_ID;

		if (id == IIR_BUSY) {
			(void)read_reg(u, REG_USR);
		} else if (id == IIR_TIMEOUT && (read_reg(u, REG_LSR) & LSR_READY) == 0) {
			(void)read_reg(u, REG_DATA);
		}
	}
	return c;
}

static int dw_init(struct uart *u)
{
	int err = ns16550_init(u);

	(void)read_reg(u, REG_USR);
	return err;
}

const struct uart_ops uart_dw_ops = {
	.init = dw_init,
	.tx_ready = ns16550_tx_ready,
	.tx = ns16550_tx,
	.rx = dw_rx,
	.rx_irq = ns16550_rx_irq,
};
