/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where host tests put models of devices: a driver's mmio_read/mmio_write of an
 * address in [base, base + size) calls the model.  An access to no model, across the
 * end of one, or not aligned to its width fails the test.
 */
#ifndef FAKE_MMIO_H
#define FAKE_MMIO_H

#include <hv/types.h>

struct fake_mmio {
	hpa_t base;
	uint64_t size;
	uint64_t (*read)(struct fake_mmio *dev, uint64_t offset, unsigned width);
	void (*write)(struct fake_mmio *dev, uint64_t offset, unsigned width, uint64_t value);
	struct fake_mmio *next; /* fake_mmio.c's */
};

void fake_mmio_add(struct fake_mmio *dev);
void fake_mmio_reset(void);

#endif
