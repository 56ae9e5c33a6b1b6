/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console: one UART for the hypervisor's log and all VMs.
 *
 * A port is one who talks and listens there: a VM's UART now, and the shell will be
 * one more (it attaches a port like anybody, reads it with console_port_get() and is
 * woken by its front's rx_ready()).  One port has the focus: its output appears as it is
 * and at once, and what is typed goes to it.  The others' output appears in whole
 * lines behind their name, a line without end after CONSOLE_FLUSH_NS; control
 * characters and escape sequences are taken out of it.
 *
 * Keys: Ctrl-X then ] or [ moves the focus to the next or previous port, Ctrl-X Ctrl-X
 * sends one Ctrl-X, Ctrl-X and anything else tells the keys.
 *
 * Output waits for the UART, but never for one that does not move (then it is
 * dropped).  Before console_set_uart() it is kept, the last CONSOLE_EARLY_SIZE bytes.
 *
 * Locks: one for all, innermost but for the timers'; taken inside, with interrupts
 * off.  So any function may be called on any core with any other lock held, and
 * nothing here logs.
 */
#ifndef HV_CONSOLE_H
#define HV_CONSOLE_H

#include <hv/chr.h>
#include <hv/types.h>

struct uart;

#define CONSOLE_NAME_MAX   32
#define CONSOLE_LINE_MAX   256
#define CONSOLE_RX_SIZE	   512 /* a power of two */
#define CONSOLE_EARLY_SIZE 4096
#define CONSOLE_FLUSH_NS   UINT64_C(100000000)

/* All but chr is the console's and guarded by its lock. */
struct console_port {
	struct chr chr; /* what the port's device is given */
	struct console_port *next;
	struct console_port *prev;
	bool attached;
	bool rx_lost;	    /* input was dropped and that was said */
	uint8_t escape;	    /* where in an escape sequence the output is */
	uint32_t notifying; /* cores that are in rx_ready() */
	uint32_t rx_in;	    /* free-running */
	uint32_t rx_out;
	uint32_t line_len;
	uint64_t line_since; /* time_now() of the first byte in line[] */
	char name[CONSOLE_NAME_MAX];
	uint8_t rx[CONSOLE_RX_SIZE];
	char line[CONSOLE_LINE_MAX];
};

/*
 * Prepares a port so that a device can be connected to its chr.  Output of a port that
 * is not attached is dropped.
 */
void console_port_init(struct console_port *port, const char *name);

/* The port takes part from now on; the first one has the focus. */
void console_attach(struct console_port *port);

/*
 * The port is gone when this returns: no rx_ready() runs or will come.  An unfinished
 * line is printed; a focus it had moves on to the next port.  Not with a lock held
 * that rx_ready() takes.  Harmless for a port that is not attached.
 */
void console_detach(struct console_port *port);

/* The port's input is forgotten: a VM that is reset does not read old keys. */
void console_port_flush(struct console_port *port);

/* As chr_put() and chr_get(), for a port that is no device. */
void console_port_put(struct console_port *port, const char *text, size_t len);
int console_port_get(struct console_port *port);

/* The port that has the focus, or NULL: for comparing only. */
const struct console_port *console_focus(void);

/* What was kept so far is printed.  The UART must stay; called once. */
void console_set_uart(struct uart *uart);

/* Text of the hypervisor's own, whole lines with \n: on a line of its own, in one piece. */
void console_log(const char *text, size_t len);

/* One byte that was typed.  Interrupts masked, no lock held. */
void console_rx(uint8_t c);

/* The UART's interrupt: takes what has arrived, a bounded amount at a time. */
void console_irq(void);

/*
 * As console_log(), without the lock, for a core that is about to die while others may
 * hold it.  Text may interleave with theirs.
 */
void console_panic_write(const char *text, size_t len);

#endif
