/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's UART: Arm PrimeCell UART PL011 r1p5 (DDI 0183), also usable as an SBSA
 * generic UART (DEN 0029, Appendix B), which is a part of it.
 *
 * Sending takes no time, so the transmit FIFO is always empty; reception goes through
 * a FIFO of 16 characters (1 with LCR_H.FEN = 0), and what does not fit waits in the
 * channel.  Modem lines are tied to: CTS, DSR, DCD active, RI not.
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
	uint32_t modem; /* FR's modem bits as last seen, for change interrupts */
};

/*
 * A UART after power-on, its interrupt at input `irq` of `vic` (NULL: none), joined to
 * `chr` (NULL: output is dropped, no input).  The caller puts it on the bus.
 */
void pl011_init(struct pl011 *uart, struct vm *vm, const char *name, struct chr *chr,
		struct vic *vic, uint32_t irq);

#endif
