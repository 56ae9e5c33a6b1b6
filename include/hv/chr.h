/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Character channels: a byte stream between a device that a guest sees (the front)
 * and what is behind it (the back: a port of the console, later a host UART or a
 * socket).
 *
 * The back embeds a `struct chr` and is created first; a device is given the pointer
 * and connects its `struct chr_front`.  Input stays with the back until the device
 * takes it, so a device whose FIFO is full just does not ask: nothing is lost there.
 *
 * Locks: the device may hold its own lock around chr_put() and chr_get(), which take
 * the back's; the back holds none when it calls rx_ready().  Interrupts are masked
 * in all three.
 */
#ifndef HV_CHR_H
#define HV_CHR_H

#include <hv/types.h>

struct chr;

struct chr_ops {
	/* One byte from the guest.  Never blocks; what cannot be kept is dropped. */
	void (*put)(struct chr *chr, uint8_t c);
	/* The next byte for the guest, or -1. */
	int (*get)(struct chr *chr);
};

/* The device's side. */
struct chr_front {
	/*
	 * There may be bytes for chr_get().  Called for every byte that arrives; not
	 * called again for bytes that the device left behind.
	 */
	void (*rx_ready)(struct chr_front *front);
};

struct chr {
	const struct chr_ops *ops;
	struct chr_front *front; /* NULL: nobody listens; set by chr_connect() */
};

/*
 * Joins a device to the channel.  Not locked: while the VM is created, before the back
 * is told to deliver (console_attach()).  There is no way back: the back stops
 * delivering (console_detach()) before the device's memory goes.
 */
static inline void chr_connect(struct chr *chr, struct chr_front *front)
{
	chr->front = front;
}

static inline void chr_put(struct chr *chr, uint8_t c)
{
	chr->ops->put(chr, c);
}

static inline int chr_get(struct chr *chr)
{
	return chr->ops->get(chr);
}

#endif
