/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The console multiplexer: see hv/console.h.
 *
 * All output ends in out_byte(), which waits for the UART within limits.  What was
 * written last is kept in `column`, so that a line of somebody else's can start on a
 * fresh one whatever the port in focus has left on the screen.
 */
#include <hv/console.h>
#include <hv/printf.h>
#include <hv/spinlock.h>
#include <hv/timer.h>
#include <hv/uart.h>
#include <string.h>

#define CTRL_X 0x18
#define ESC    0x1b

/*
 * Polls for room in the transmitter.  A character at 9,600 baud takes 1 ms, a poll of
 * a device register 100 ns or more: a UART that has not moved after so many is stuck,
 * and gets no more than one poll a character until it moves again.
 */
#define TX_POLLS 50000

/* Bytes taken from the UART at a time, so that a flood of input cannot hold a core. */
#define RX_BURST 64

enum column {
	COLUMN_START,	/* at the start of an empty line */
	COLUMN_NEWLINE, /* after a bare \n: the cursor may be anywhere in an empty line */
	COLUMN_MIDDLE,	/* in or at the start of a line with text */
};

enum escape {
	ESCAPE_NONE,
	ESCAPE_START,  /* after ESC */
	ESCAPE_CSI,    /* after ESC [ : until a letter or such */
	ESCAPE_STRING, /* after ESC ] P ^ _ X: until BEL or ESC \ (whose ESC starts anew) */
};

static struct {
	struct spinlock lock; /* guards everything here, the ports, and the flush timer */
	struct uart *uart;
	bool stuck;   /* the UART did not take a byte in TX_POLLS */
	bool ctrl_x;  /* Ctrl-X was typed, the next key is a command */
	bool last_cr; /* the last byte written is \r */
	enum column column;
	struct console_port *first; /* in the order of attachment */
	struct console_port *focus; /* NULL only while there is no port */
	uint32_t early_in;	    /* free-running; what was written before there was a UART */
	char early[CONSOLE_EARLY_SIZE];
} con;

static void flush_due(struct timer *t);
static struct timer flush_timer = { .fn = flush_due };

/* ---- Physical output; lock held but in a panic --------------------------------- */

static void uart_byte(struct uart *u, uint8_t c)
{
	uint32_t polls = con.stuck ? 1 : TX_POLLS;

	while (!u->ops->tx_ready(u)) {
		if (--polls == 0) {
			con.stuck = true;
			return;
		}
		arch_cpu_relax();
	}
	con.stuck = false;
	u->ops->tx(u, c);
}

static void out_byte(uint8_t c)
{
	if (con.uart != NULL) {
		uart_byte(con.uart, c);
	} else {
		con.early[con.early_in++ % CONSOLE_EARLY_SIZE] = (char)c;
	}
	if (c == '\n') {
		con.column = con.last_cr ? COLUMN_START : COLUMN_NEWLINE;
	} else if (c != '\r') {
		con.column = COLUMN_MIDDLE;
	} else if (con.column == COLUMN_NEWLINE) {
		con.column = COLUMN_START;
	}
	con.last_cr = c == '\r';
}

/* Text of our own: \n becomes \r\n. */
static void out_text(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			out_byte('\r');
		}
		out_byte((uint8_t)text[i]);
	}
}

static void out_string(const char *text)
{
	out_text(text, strlen(text));
}

static void out_fresh_line(void)
{
	if (con.column == COLUMN_MIDDLE) {
		out_string("\n");
	} else if (con.column == COLUMN_NEWLINE) {
		out_byte('\r');
	}
}

/* A line of the console's own, e.g. that the focus has moved. */
static void out_notice(const char *before, const char *name, const char *after)
{
	out_fresh_line();
	out_string("[console] ");
	out_string(before);
	out_string(name);
	out_string(after);
	out_string("\n");
}

/* ---- Output of ports; lock held ------------------------------------------------ */

static void port_flush_line(struct console_port *p)
{
	if (p->line_len != 0) {
		out_fresh_line();
		out_string("[");
		out_string(p->name);
		out_string("] ");
		out_text(p->line, p->line_len);
		out_string("\n");
		p->line_len = 0;
	}
}

/* Does c belong to a terminal's escape sequence (ECMA-48, 5.3, 5.4, 5.6)? */
static bool port_in_escape(struct console_port *p, uint8_t c)
{
	if (c == ESC) {
		p->escape = ESCAPE_START;
		return true;
	}
	switch (p->escape) {
	case ESCAPE_START:
		if (c == '[') {
			p->escape = ESCAPE_CSI;
		} else if (c == ']' || c == 'P' || c == '^' || c == '_' || c == 'X') {
			p->escape = ESCAPE_STRING;
		} else if (c < 0x20 || c > 0x2f) { /* else an intermediate, more follows */
			p->escape = ESCAPE_NONE;
			return c >= 0x20;
		}
		return true;
	case ESCAPE_CSI:
		if (c < 0x20 || c > 0x3f) {
			p->escape = ESCAPE_NONE;
			return c >= 0x20;
		}
		return true;
	case ESCAPE_STRING:
		/* A line end stops it too: a broken one must not swallow the rest. */
		if (c == '\a' || c == '\n') {
			p->escape = ESCAPE_NONE;
		}
		return c != '\n';
	default:
		return false;
	}
}

/* A byte of a port that is not in focus: kept until its line is complete. */
static void port_collect(struct console_port *p, uint8_t c)
{
	if (port_in_escape(p, c)) {
		return;
	}
	if (c == '\n') {
		port_flush_line(p);
		return;
	}
	if ((c < 0x20 && c != '\t') || c == 0x7f) {
		return;
	}
	if (p->line_len == CONSOLE_LINE_MAX) {
		port_flush_line(p);
	}
	if (p->line_len == 0) {
		p->line_since = time_now();
		if (!timer_is_armed(&flush_timer)) {
			timer_arm(&flush_timer, p->line_since + CONSOLE_FLUSH_NS);
		}
	}
	p->line[p->line_len++] = (char)c;
}

static void port_put(struct console_port *p, uint8_t c)
{
	if (p == con.focus) {
		out_byte(c);
	} else if (p->attached) {
		port_collect(p, c);
	}
}

/* The timer: prints the lines that have waited long enough, sleeps until the next. */
static void flush_due(struct timer *t)
{
	uint64_t next = TIMER_NEVER;
	uint64_t now = time_now();

	(void)t;
	spin_lock(&con.lock);
	for (struct console_port *p = con.first; p != NULL; p = p->next) {
		if (p->line_len == 0) {
			continue;
		}
		if (now - p->line_since >= CONSOLE_FLUSH_NS) {
			port_flush_line(p);
		} else {
			next = MIN(next, p->line_since + CONSOLE_FLUSH_NS);
		}
	}
	timer_arm(&flush_timer, next);
	spin_unlock(&con.lock);
}

static void focus_set(struct console_port *p)
{
	con.focus = p;
	/* What it began as a line goes on raw. */
	port_flush_line(p);
	p->escape = ESCAPE_NONE;
	out_notice("now with ", p->name, "");
}

/* ---- Ports --------------------------------------------------------------------- */

static void port_chr_put(struct chr *chr, uint8_t c)
{
	struct console_port *p = container_of(chr, struct console_port, chr);
	uint64_t flags = spin_lock_irqsave(&con.lock);

	port_put(p, c);
	spin_unlock_irqrestore(&con.lock, flags);
}

static int port_chr_get(struct chr *chr)
{
	return console_port_get(container_of(chr, struct console_port, chr));
}

static const struct chr_ops port_chr_ops = {
	.put = port_chr_put,
	.get = port_chr_get,
};

void console_port_init(struct console_port *port, const char *name)
{
	size_t len = 0;

	memset(port, 0, sizeof(*port));
	port->chr.ops = &port_chr_ops;
	/* Names come from users: nothing that a terminal would act upon. */
	while (len < CONSOLE_NAME_MAX - 1 && name[len] != '\0') {
		uint8_t c = (uint8_t)name[len];

		port->name[len++] = c < 0x20 || c == 0x7f ? '?' : (char)c;
	}
}

void console_attach(struct console_port *port)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);
	struct console_port **link = &con.first;

	if (!port->attached) {
		port->attached = true;
		port->next = NULL;
		port->prev = NULL;
		while (*link != NULL) {
			port->prev = *link;
			link = &(*link)->next;
		}
		*link = port;
		if (con.focus == NULL) {
			con.focus = port;
		}
	}
	spin_unlock_irqrestore(&con.lock, flags);
}

static struct console_port *port_after(const struct console_port *p)
{
	return p->next != NULL ? p->next : con.first;
}

static struct console_port *port_before(struct console_port *p)
{
	if (p->prev != NULL) {
		return p->prev;
	}
	while (p->next != NULL) {
		p = p->next;
	}
	return p;
}

void console_detach(struct console_port *port)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);

	if (port->attached) {
		struct console_port *heir = port_after(port);

		port_flush_line(port);
		port->attached = false;
		if (port->prev != NULL) {
			port->prev->next = port->next;
		} else {
			con.first = port->next;
		}
		if (port->next != NULL) {
			port->next->prev = port->prev;
		}
		if (con.focus == port) {
			con.focus = NULL;
			if (heir != port) {
				focus_set(heir);
			}
		}
	}
	/* Under the lock nobody new comes in: wait for who is in rx_ready() now. */
	while (port->notifying != 0) {
		spin_unlock_irqrestore(&con.lock, flags);
		arch_cpu_relax();
		flags = spin_lock_irqsave(&con.lock);
	}
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_port_flush(struct console_port *port)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);

	port->rx_out = port->rx_in;
	port->rx_lost = false;
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_port_put(struct console_port *port, const char *text, size_t len)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);

	for (size_t i = 0; i < len; i++) {
		port_put(port, (uint8_t)text[i]);
	}
	spin_unlock_irqrestore(&con.lock, flags);
}

int console_port_get(struct console_port *port)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);
	int c = -1;

	if (port->rx_out != port->rx_in) {
		c = port->rx[port->rx_out++ % CONSOLE_RX_SIZE];
		port->rx_lost = false;
	}
	spin_unlock_irqrestore(&con.lock, flags);
	return c;
}

const struct console_port *console_focus(void)
{
	return __atomic_load_n(&con.focus, __ATOMIC_RELAXED);
}

/* ---- Input --------------------------------------------------------------------- */

/* The key is a command or goes to the port that is returned, as *c.  Lock held. */
static struct console_port *rx_route(uint8_t c)
{
	if (con.focus == NULL) {
		con.ctrl_x = false;
		return NULL;
	}
	if (!con.ctrl_x) {
		con.ctrl_x = c == CTRL_X;
		return con.ctrl_x ? NULL : con.focus;
	}
	con.ctrl_x = false;
	switch (c) {
	case CTRL_X:
		return con.focus;
	case ']':
		focus_set(port_after(con.focus));
		return NULL;
	case '[':
		focus_set(port_before(con.focus));
		return NULL;
	default:
		out_notice("keys: Ctrl-X ] next, Ctrl-X [ previous, Ctrl-X Ctrl-X sends "
			   "Ctrl-X; now with ",
			   con.focus->name, "");
		return NULL;
	}
}

void console_rx(uint8_t c)
{
	struct console_port *p;

	spin_lock(&con.lock);
	p = rx_route(c);
	if (p != NULL) {
		if (p->rx_in - p->rx_out < CONSOLE_RX_SIZE) {
			p->rx[p->rx_in++ % CONSOLE_RX_SIZE] = c;
		} else if (!p->rx_lost) {
			p->rx_lost = true;
			out_notice("", p->name, " does not read: input is lost");
		}
		p->notifying++;
	}
	spin_unlock(&con.lock);
	if (p != NULL) {
		if (p->chr.front != NULL) {
			p->chr.front->rx_ready(p->chr.front);
		}
		spin_lock(&con.lock);
		p->notifying--;
		spin_unlock(&con.lock);
	}
}

void console_irq(void)
{
	for (uint32_t i = 0; i < RX_BURST; i++) {
		uint64_t flags = spin_lock_irqsave(&con.lock);
		int c = con.uart != NULL ? con.uart->ops->rx(con.uart) : -1;

		spin_unlock_irqrestore(&con.lock, flags);
		if (c < 0) {
			break;
		}
		console_rx((uint8_t)c);
	}
}

/* ---- The hypervisor's own ------------------------------------------------------ */

void console_set_uart(struct uart *uart)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);
	uint32_t end = con.early_in;
	uint32_t kept = MIN(end, (uint32_t)CONSOLE_EARLY_SIZE);

	con.uart = uart;
	if (kept < end) {
		char note[64];

		(void)hv_snprintf(note, sizeof(note), "[console] %u bytes before this are lost\n",
				  (unsigned)(end - kept));
		out_string(note);
	}
	for (uint32_t i = end - kept; i != end; i++) {
		out_byte((uint8_t)con.early[i % CONSOLE_EARLY_SIZE]);
	}
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_log(const char *text, size_t len)
{
	uint64_t flags = spin_lock_irqsave(&con.lock);

	out_fresh_line();
	out_text(text, len);
	spin_unlock_irqrestore(&con.lock, flags);
}

void console_panic_write(const char *text, size_t len)
{
	out_fresh_line();
	out_text(text, len);
}
