/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_mmio.h"

#include <hv/bug.h>
#include <hv/mmio.h>

static struct fake_mmio *devices;

void fake_mmio_add(struct fake_mmio *dev)
{
	dev->next = devices;
	devices = dev;
}

void fake_mmio_reset(void)
{
	devices = NULL;
}

static struct fake_mmio *find(uint64_t addr, unsigned width)
{
	for (struct fake_mmio *d = devices; d != NULL; d = d->next) {
		if (range_within(addr, width, d->base.a, d->size)) {
			if (!IS_ALIGNED(addr, width)) {
				break;
			}
			return d;
		}
	}
	hv_panic("a %u-byte access to %#lx, where no register is", width, (unsigned long)addr);
}

static uint64_t do_read(hpa_t base, uint64_t offset, unsigned width)
{
	struct fake_mmio *d = find(base.a + offset, width);

	return d->read(d, base.a + offset - d->base.a, width);
}

static void do_write(hpa_t base, uint64_t offset, unsigned width, uint64_t value)
{
	struct fake_mmio *d = find(base.a + offset, width);

	d->write(d, base.a + offset - d->base.a, width, value);
}

#define ACCESSORS(bits, type)                                          \
	type mmio_read##bits(hpa_t base, uint64_t offset)              \
	{                                                              \
		return (type)do_read(base, offset, (bits) / 8);        \
	}                                                              \
	void mmio_write##bits(hpa_t base, uint64_t offset, type value) \
	{                                                              \
		do_write(base, offset, (bits) / 8, value);             \
	}

ACCESSORS(8, uint8_t)
ACCESSORS(16, uint16_t)
ACCESSORS(32, uint32_t)
ACCESSORS(64, uint64_t)

void mmio_rmb(void)
{
}

void mmio_wmb(void)
{
}

void mmio_mb(void)
{
}
