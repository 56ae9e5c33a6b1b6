/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PL011 UART (DDI 0183, chapter 3).  See hv/pl011.h for what is simplified.
 *
 * Interrupts follow section 2.8: RX when the FIFO reaches its level, until it is read
 * below or ICR; RT when there is data and no more to come, until the FIFO is empty or
 * ICR; TX when the transmit FIFO falls to its level, which here is at each write.
 */
#include <hv/pl011.h>

#define UARTDR	  0x000
#define UARTRSR	  0x004
#define UARTFR	  0x018
#define UARTILPR  0x020
#define UARTIBRD  0x024
#define UARTFBRD  0x028
#define UARTLCR_H 0x02c
#define UARTCR	  0x030
#define UARTIFLS  0x034
#define UARTIMSC  0x038
#define UARTRIS	  0x03c
#define UARTMIS	  0x040
#define UARTICR	  0x044
#define UARTDMACR 0x048
#define UARTID	  0xfe0 /* UARTPeriphID0-3, UARTPCellID0-3 */

#define DR_BE	      BIT32(10)
#define DR_OE	      BIT32(11)
#define DR_ERRORS(dr) (((dr) >> 8) & 0x7) /* framing, parity, break: RSR's layout */
#define RSR_OE	      BIT32(3)

#define FR_CTS	BIT32(0)
#define FR_DSR	BIT32(1)
#define FR_DCD	BIT32(2)
#define FR_RXFE BIT32(4)
#define FR_RXFF BIT32(6)
#define FR_TXFE BIT32(7)
#define FR_RI	BIT32(8)

#define LCR_BRK	 BIT32(0)
#define LCR_FEN	 BIT32(4)
#define LCR_MASK 0xffU

#define CR_UARTEN BIT32(0)
#define CR_LBE	  BIT32(7)
#define CR_TXE	  BIT32(8)
#define CR_RXE	  BIT32(9)
#define CR_DTR	  BIT32(10)
#define CR_RTS	  BIT32(11)
#define CR_OUT1	  BIT32(12)
#define CR_OUT2	  BIT32(13)
#define CR_MASK	  0xff87U

#define INT_RI	 BIT32(0)
#define INT_CTS	 BIT32(1)
#define INT_DCD	 BIT32(2)
#define INT_DSR	 BIT32(3)
#define INT_RX	 BIT32(4)
#define INT_TX	 BIT32(5)
#define INT_RT	 BIT32(6)
#define INT_BE	 BIT32(9)
#define INT_OE	 BIT32(10)
#define INT_MASK 0x7ffU

static const uint8_t pl011_id[] = { 0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static uint32_t pl011_depth(const struct pl011 *u)
{
	return (u->lcr_h & LCR_FEN) != 0 ? PL011_FIFO_DEPTH : 1;
}

/* Characters in the receive FIFO that raise RX: IFLS.RXIFLSEL. */
static uint32_t pl011_level(const struct pl011 *u)
{
	static const uint8_t eighths[8] = { 1, 2, 4, 6, 7, 4, 4, 4 }; /* 5-7: reserved */

	if ((u->lcr_h & LCR_FEN) == 0) {
		return 1;
	}
	return eighths[(u->ifls >> 3) & 7] * PL011_FIFO_DEPTH / 8;
}

/* FR's modem bits.  In loopback they come from CR's outputs. */
static uint32_t pl011_modem(const struct pl011 *u)
{
	uint32_t modem = 0;

	if ((u->cr & CR_LBE) == 0) {
		return FR_CTS | FR_DSR | FR_DCD;
	}
	modem |= (u->cr & CR_RTS) != 0 ? FR_CTS : 0;
	modem |= (u->cr & CR_DTR) != 0 ? FR_DSR : 0;
	modem |= (u->cr & CR_OUT1) != 0 ? FR_DCD : 0;
	modem |= (u->cr & CR_OUT2) != 0 ? FR_RI : 0;
	return modem;
}

/* A character arrives on the line: data and error bits as in DR. */
static void pl011_receive(struct pl011 *u, uint32_t c)
{
	if (u->fifo_count >= pl011_depth(u)) {
		u->overrun = true;
		u->rsr |= RSR_OE;
		u->ris |= INT_OE;
		return;
	}
	u->fifo[(u->fifo_head + u->fifo_count) % PL011_FIFO_DEPTH] = (uint16_t)c;
	u->fifo_count++;
	u->ris |= (c & DR_BE) != 0 ? INT_BE : 0;
	if (u->fifo_count >= pl011_level(u)) {
		u->ris |= INT_RX;
	}
}

/* Takes from the channel what there is room for, if the receiver is on. */
static void pl011_fill(struct pl011 *u)
{
	uint32_t on = CR_UARTEN | CR_RXE;
	bool more = true;

	if (u->chr == NULL || (u->cr & (on | CR_LBE)) != on) {
		return;
	}
	while (more && u->fifo_count < pl011_depth(u)) {
		int c = chr_get(u->chr);

		more = c >= 0;
		if (more) {
			pl011_receive(u, (uint8_t)c);
			u->rt_due = true;
		}
	}
	/* Once for what came since the last time, so that ICR has an effect. */
	if (!more && u->rt_due) {
		u->ris |= u->fifo_count != 0 ? INT_RT : 0;
		u->rt_due = false;
	}
}

static void pl011_update(struct pl011 *u)
{
	virq_set(&u->irq, (u->ris & u->imsc) != 0);
}

static uint32_t pl011_read_data(struct pl011 *u)
{
	uint32_t dr = 0;

	if (u->fifo_count != 0) {
		dr = u->fifo[u->fifo_head];
		u->fifo_head = (u->fifo_head + 1) % PL011_FIFO_DEPTH;
		u->fifo_count--;
		u->rsr = (u->rsr & RSR_OE) | DR_ERRORS(dr);
		dr |= u->overrun ? DR_OE : 0;
		u->overrun = false;
	}
	if (u->fifo_count < pl011_level(u)) {
		u->ris &= ~INT_RX;
	}
	if (u->fifo_count == 0) {
		u->ris &= ~INT_RT;
	}
	pl011_fill(u);
	return dr;
}

static void pl011_write_data(struct pl011 *u, uint32_t value)
{
	if ((u->cr & CR_LBE) != 0) {
		/* A receiver that is off loses what comes. */
		if ((u->cr & CR_UARTEN) != 0 && (u->cr & CR_RXE) != 0) {
			pl011_receive(u, (uint8_t)value);
			u->ris |= INT_RT;
		}
	} else if (u->chr != NULL) {
		chr_put(u->chr, (uint8_t)value);
	}
	u->ris |= INT_TX;
}

static void pl011_write_cr(struct pl011 *u, uint32_t value)
{
	uint32_t before = pl011_modem(u);
	uint32_t changed;

	u->cr = value & CR_MASK;
	changed = before ^ pl011_modem(u);
	u->ris |= (changed & FR_CTS) != 0 ? INT_CTS : 0;
	u->ris |= (changed & FR_DSR) != 0 ? INT_DSR : 0;
	u->ris |= (changed & FR_DCD) != 0 ? INT_DCD : 0;
	/* RI interrupts at its trailing edge (FR.RI goes from 1 to 0). */
	u->ris |= (changed & before & FR_RI) != 0 ? INT_RI : 0;
	pl011_fill(u);
}

static void pl011_write_lcr_h(struct pl011 *u, uint32_t value)
{
	uint32_t set = value & ~u->lcr_h;
	uint32_t on = CR_UARTEN | CR_RXE | CR_LBE;

	/* Characters in the FIFO stay when FEN changes: nothing typed is lost. */
	u->lcr_h = value & LCR_MASK;
	if ((set & LCR_BRK) != 0 && (u->cr & on) == on) {
		pl011_receive(u, DR_BE);
		u->ris |= INT_RT;
	}
	pl011_fill(u);
}

static uint32_t pl011_flags(const struct pl011 *u)
{
	uint32_t fr = FR_TXFE | pl011_modem(u);

	fr |= u->fifo_count == 0 ? FR_RXFE : 0;
	fr |= u->fifo_count >= pl011_depth(u) ? FR_RXFF : 0;
	return fr;
}

static uint32_t pl011_read(struct pl011 *u, uint64_t offset)
{
	uint32_t value;

	if (offset >= UARTID && offset < UARTID + 4 * ARRAY_SIZE(pl011_id)) {
		return pl011_id[(offset - UARTID) / 4];
	}
	switch (offset) {
	case UARTDR:
		value = pl011_read_data(u);
		pl011_update(u);
		return value;
	case UARTRSR:
		return u->rsr;
	case UARTFR:
		return pl011_flags(u);
	case UARTILPR:
		return u->ilpr;
	case UARTIBRD:
		return u->ibrd;
	case UARTFBRD:
		return u->fbrd;
	case UARTLCR_H:
		return u->lcr_h;
	case UARTCR:
		return u->cr;
	case UARTIFLS:
		return u->ifls;
	case UARTIMSC:
		return u->imsc;
	case UARTRIS:
		return u->ris;
	case UARTMIS:
		return u->ris & u->imsc;
	case UARTDMACR:
		return u->dmacr;
	default:
		return 0;
	}
}

static void pl011_write(struct pl011 *u, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case UARTDR:
		pl011_write_data(u, value);
		break;
	case UARTRSR: /* UARTECR: any value clears */
		u->rsr = 0;
		break;
	case UARTILPR:
		u->ilpr = value & 0xff;
		break;
	case UARTIBRD:
		u->ibrd = value & 0xffff;
		break;
	case UARTFBRD:
		u->fbrd = value & 0x3f;
		break;
	case UARTLCR_H:
		pl011_write_lcr_h(u, value);
		break;
	case UARTCR:
		pl011_write_cr(u, value);
		break;
	case UARTIFLS:
		u->ifls = value & 0x3f;
		break;
	case UARTIMSC:
		u->imsc = value & INT_MASK;
		break;
	case UARTICR:
		u->ris &= ~value;
		break;
	case UARTDMACR:
		u->dmacr = value & 0x7;
		break;
	default:
		break;
	}
	pl011_update(u);
}

static enum vdev_result pl011_access(struct vdev *dev, struct vdev_access *a)
{
	struct pl011 *u = container_of(dev, struct pl011, dev);

	if ((a->offset & 3) != 0 || a->width > 4) {
		return VDEV_OK;
	}
	spin_lock(&u->lock);
	if (a->write) {
		pl011_write(u, a->offset, (uint32_t)a->value);
	} else {
		a->value = pl011_read(u, a->offset);
	}
	spin_unlock(&u->lock);
	return VDEV_OK;
}

static void pl011_rx_ready(struct chr_front *front)
{
	struct pl011 *u = container_of(front, struct pl011, front);

	spin_lock(&u->lock);
	pl011_fill(u);
	pl011_update(u);
	spin_unlock(&u->lock);
}

static void pl011_reset(struct vdev *dev)
{
	struct pl011 *u = container_of(dev, struct pl011, dev);
	uint64_t flags = spin_lock_irqsave(&u->lock);

	u->fifo_head = 0;
	u->fifo_count = 0;
	u->overrun = false;
	u->rt_due = false;
	u->rsr = 0;
	u->ilpr = 0;
	u->ibrd = 0;
	u->fbrd = 0;
	u->lcr_h = 0;
	u->cr = CR_UARTEN | CR_TXE | CR_RXE;
	u->ifls = 0x12; /* both at half */
	u->imsc = 0;
	u->ris = 0;
	u->dmacr = 0;
	pl011_fill(u); /* nobody tells again what was typed meanwhile */
	pl011_update(u);
	spin_unlock_irqrestore(&u->lock, flags);
}

static void pl011_destroy(struct vdev *dev)
{
	(void)dev;
}

static const struct vdev_ops pl011_ops = {
	.access = pl011_access,
	.reset = pl011_reset,
	.destroy = pl011_destroy,
};

void pl011_init(struct pl011 *uart, struct vm *vm, const char *name, struct chr *chr,
		struct vic *vic, uint32_t irq)
{
	*uart = (struct pl011){
		.dev = { .ops = &pl011_ops, .vm = vm, .name = name },
		.chr = chr,
		.front = { .rx_ready = pl011_rx_ready },
		.irq = { .vic = vic, .irq = irq },
	};
	if (chr != NULL) {
		chr_connect(chr, &uart->front);
	}
	pl011_reset(&uart->dev);
}
