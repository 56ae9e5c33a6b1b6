/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PL061 general-purpose I/O (DDI 0190, chapter 3).  Only lines that are inputs cause
 * interrupts; an edge is latched until GPIOIC, a level is not latched at all.
 */
#include <hv/pl061.h>

#define GPIODATA_END 0x400 /* address bits 9:2 are a mask of the lines */
#define GPIODIR	     0x400
#define GPIOIS	     0x404
#define GPIOIBE	     0x408
#define GPIOIEV	     0x40c
#define GPIOIE	     0x410
#define GPIORIS	     0x414
#define GPIOMIS	     0x418
#define GPIOIC	     0x41c
#define GPIOAFSEL    0x420
#define GPIOID	     0xfe0 /* GPIOPeriphID0-3, GPIOPCellID0-3 */

static const uint8_t pl061_id[] = { 0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1 };

static uint8_t pl061_raw(const struct pl061 *g)
{
	uint32_t level = ~((uint32_t)g->in ^ g->iev); /* lines at their active level */

	return (uint8_t)((g->ris & ~g->is) | (level & g->is & ~(uint32_t)g->dir));
}

/* After any change: latches new edges, then drives the interrupt. */
static void pl061_update(struct pl061 *g)
{
	uint32_t changed = (uint32_t)(g->in ^ g->seen) & ~(uint32_t)g->dir & ~(uint32_t)g->is;
	uint32_t wanted = g->ibe | ~((uint32_t)g->in ^ g->iev);

	g->ris = (uint8_t)(g->ris | (changed & wanted));
	g->seen = g->in;
	virq_set(&g->irq, (pl061_raw(g) & g->ie) != 0);
}

static uint64_t pl061_read(const struct pl061 *g, uint64_t offset)
{
	if (offset < GPIODATA_END) {
		return ((g->out & g->dir) | (g->in & ~(uint32_t)g->dir)) & (offset >> 2);
	}
	if (offset >= GPIOID && offset < GPIOID + 4 * ARRAY_SIZE(pl061_id)) {
		return pl061_id[(offset - GPIOID) / 4];
	}
	switch (offset) {
	case GPIODIR:
		return g->dir;
	case GPIOIS:
		return g->is;
	case GPIOIBE:
		return g->ibe;
	case GPIOIEV:
		return g->iev;
	case GPIOIE:
		return g->ie;
	case GPIORIS:
		return pl061_raw(g);
	case GPIOMIS:
		return pl061_raw(g) & g->ie;
	case GPIOAFSEL:
		return g->afsel;
	default:
		return 0;
	}
}

static void pl061_write(struct pl061 *g, uint64_t offset, uint8_t value)
{
	if (offset < GPIODATA_END) {
		uint32_t mask = g->dir & (uint32_t)(offset >> 2);

		g->out = (uint8_t)((g->out & ~mask) | (value & mask));
		return;
	}
	switch (offset) {
	case GPIODIR:
		g->dir = value;
		break;
	case GPIOIS:
		/* A latched edge does not survive as one when the line turns level-sensitive. */
		g->ris = (uint8_t)(g->ris & ~(uint32_t)value);
		g->is = value;
		break;
	case GPIOIBE:
		g->ibe = value;
		break;
	case GPIOIEV:
		g->iev = value;
		break;
	case GPIOIE:
		g->ie = value;
		break;
	case GPIOIC:
		g->ris = (uint8_t)(g->ris & ~(uint32_t)value);
		break;
	case GPIOAFSEL:
		g->afsel = value;
		break;
	default:
		break;
	}
}

static enum vdev_result pl061_access(struct vdev *dev, struct vdev_access *a)
{
	struct pl061 *g = container_of(dev, struct pl061, dev);

	if ((a->offset & 3) != 0 || a->width > 4) {
		return VDEV_OK;
	}
	spin_lock(&g->lock);
	if (a->write) {
		pl061_write(g, a->offset, (uint8_t)a->value);
		pl061_update(g);
	} else {
		a->value = pl061_read(g, a->offset);
	}
	spin_unlock(&g->lock);
	return VDEV_OK;
}

void pl061_input(struct pl061 *gpio, unsigned line, bool level)
{
	uint64_t flags = spin_lock_irqsave(&gpio->lock);
	uint32_t bit = BIT32(line & 7);

	gpio->in = (uint8_t)(level ? gpio->in | bit : gpio->in & ~bit);
	pl061_update(gpio);
	spin_unlock_irqrestore(&gpio->lock, flags);
}

static void pl061_reset(struct vdev *dev)
{
	struct pl061 *g = container_of(dev, struct pl061, dev);
	uint64_t flags = spin_lock_irqsave(&g->lock);

	g->out = 0;
	g->dir = 0;
	g->is = 0;
	g->ibe = 0;
	g->iev = 0;
	g->ie = 0;
	g->ris = 0;
	g->afsel = 0;
	g->seen = g->in; /* the levels from outside are not ours to reset */
	pl061_update(g);
	spin_unlock_irqrestore(&g->lock, flags);
}

static void pl061_destroy(struct vdev *dev)
{
	(void)dev;
}

static const struct vdev_ops pl061_ops = {
	.access = pl061_access,
	.reset = pl061_reset,
	.destroy = pl061_destroy,
};

void pl061_init(struct pl061 *gpio, struct vm *vm, const char *name, struct vic *vic, uint32_t irq)
{
	*gpio = (struct pl061){
		.dev = { .ops = &pl061_ops, .vm = vm, .name = name },
		.irq = { .vic = vic, .irq = irq },
	};
	pl061_reset(&gpio->dev);
}
