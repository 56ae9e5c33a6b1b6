/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A UART of the host: what a driver in drv/ provides to the console.
 *
 * Everything is polled but the arrival of input.  No operation blocks or loops
 * longer than a few register accesses: waiting, and giving up, is the console's
 * business.  The operations are called with the console's lock held and interrupts
 * masked, or in a panic with no lock at all; a driver needs no lock and may not log.
 */
#ifndef HV_UART_H
#define HV_UART_H

#include <hv/types.h>

struct machine;
struct uart;

struct uart_ops {
	/*
	 * Takes the device over as firmware left it (line speed and format stay),
	 * FIFOs on, all its interrupts off.  -ENODEV: no such device there.
	 */
	int (*init)(struct uart *u);
	/* May tx() be called now? */
	bool (*tx_ready)(struct uart *u);
	void (*tx)(struct uart *u, uint8_t c);
	/* The next received byte, or -1.  Bytes with line errors are skipped. */
	int (*rx)(struct uart *u);
	/* The receive interrupt (level): on while there is input; rx() until -1 ends it. */
	void (*rx_irq)(struct uart *u, bool on);
};

struct uart {
	const struct uart_ops *ops;
	const char *name;   /* "pl011", "ns16550", ...: for messages */
	hpa_t base;	    /* registers; mapped before init() */
	uint32_t reg_shift; /* distance of two registers is 1 << reg_shift bytes */
	uint32_t io_width;  /* bytes of an access: 1, 2 or 4 */
	uint32_t irq;	    /* host interrupt, IRQ_NONE: no input */
};

/* The driver of the machine's console. -ENODEV: there is none, or none we know. */
int __must_check uart_probe(const struct machine *m, struct uart *out);

#endif
