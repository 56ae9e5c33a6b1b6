/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's UART: Arm PrimeCell UART PL011 (DDI 0183), revision r1p1 as on QEMU's
 * board: FIFOs of 16 characters (r1p5 has 32, and Linux tells them apart by the ID).
 * Also usable as an SBSA generic UART (DEN 0029), which is a part of it.
 *
 * A reset leaves it as firmware does: enabled (CR = 0x301), because many guests, and
 * every SBSA one, just use it.  Sending takes no time, needs no enable bit, and the
 * transmit FIFO is always empty.  Reception goes through the FIFO (1 character with
 * LCR_H.FEN = 0); what does not fit waits in the channel.  A receive timeout comes as
 * soon as no more input is there.  Line speed, word length and parity are kept and
 * have no effect.  Modem lines: CTS, DSR, DCD active, RI not.  No DMA.
 */
#ifndef HV_PL011_H
#define HV_PL011_H

#include <hv/chr.h>
#include <hv/spinlock.h>
#include <hv/vdev.h>
#include <hv/vic.h>

#define PL011_SIZE	 0x1000
#define PL011_FIFO_DEPTH 16

struct pl011 {
	struct vdev dev;
	struct chr *chr; /* NULL: not connected */
	struct chr_front front;
	struct spinlock lock; /* guards what follows */
	struct virq irq;
	uint16_t fifo[PL011_FIFO_DEPTH]; /* DR layout: data and error bits */
	uint32_t fifo_head;
	uint32_t fifo_count;
	bool overrun; /* a character was lost and no later one was read: DR.OE */
	bool rt_due;  /* characters came that no RT has told of */
	uint32_t rsr;
	uint32_t ilpr;
	uint32_t ibrd;
	uint32_t fbrd;
	uint32_t lcr_h;
	uint32_t cr;
	uint32_t ifls;
	uint32_t imsc;
	uint32_t ris; /* latched: OE, BE, PE, FE, RT, RX, TX, modem */
	uint32_t dmacr;
};

/*
 * A UART after power-on, its interrupt at input `irq` of `vic` (NULL: none), joined to
 * `chr` (NULL: output is dropped, no input).  The caller puts it on the bus.
 */
void pl011_init(struct pl011 *uart, struct vm *vm, const char *name, struct chr *chr,
		struct vic *vic, uint32_t irq);

#endif
