/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bus of a VM: finds the emulated device for an access and cuts the access to
 * its width.  On the exit path, so without a lock: the table does not change while a
 * vCPU runs, and `last` is only a hint, any value of which is right.
 */
#include <errno.h>
#include <hv/vdev.h>
#include <string.h>

void bus_init(struct vdev_bus *bus)
{
	memset(bus, 0, sizeof(*bus));
	bus->last = bus->range;
}

int bus_add(struct vdev_bus *bus, enum vdev_space space, uint64_t base, uint64_t size,
	    uint64_t offset, struct vdev *dev, const struct bus_range **other)
{
	uint32_t end = bus->first[space + 1];
	uint32_t at = bus->first[space];

	/* A range may end at 2^64 - 1; one that ends at 2^64 counts as wrapping. */
	if (size == 0 || base + size < base) {
		return -EINVAL;
	}
	while (at < end && bus->range[at].base < base) {
		at++;
	}
	for (uint32_t i = at > bus->first[space] ? at - 1 : at; i < end && i <= at; i++) {
		const struct bus_range *r = &bus->range[i];

		if (ranges_overlap(base, size, r->base, r->size)) {
			if (other != NULL) {
				*other = r;
			}
			return -EEXIST;
		}
	}
	if (bus->count == BUS_MAX_RANGES) {
		return -ENOSPC;
	}
	memmove(&bus->range[at + 1], &bus->range[at], (bus->count - at) * sizeof(bus->range[0]));
	bus->range[at] = (struct bus_range){
		.space = space, .base = base, .size = size, .offset = offset, .dev = dev
	};
	bus->count++;
	bus->last = bus->range;
	for (uint32_t s = (uint32_t)space + 1; s <= VDEV_SPACES; s++) {
		bus->first[s]++;
	}
	return 0;
}

const struct bus_range *bus_find(const struct vdev_bus *bus, enum vdev_space space, uint64_t addr)
{
	const struct bus_range *r = &bus->range[bus->first[space]];
	uint32_t n = bus->first[space + 1] - bus->first[space];

	if (n == 0) {
		return NULL;
	}
	/* The last range that starts at addr or below is among the n from r on, if any. */
	while (n > 1) {
		uint32_t half = n / 2;

		r = r[half].base <= addr ? r + half : r;
		n -= half;
	}
	return addr - r->base < r->size ? r : NULL;
}

/* The range that was used last, if it is the one, or that which holds addr, or NULL. */
static const struct bus_range *find_again(struct vdev_bus *bus, enum vdev_space space,
					  uint64_t addr)
{
	const struct bus_range *r = __atomic_load_n(&bus->last, __ATOMIC_RELAXED);

	if (unlikely(r->space != space || addr - r->base >= r->size)) {
		r = bus_find(bus, space, addr);
		if (r != NULL) {
			__atomic_store_n(&bus->last, r, __ATOMIC_RELAXED);
		}
	}
	return r;
}

enum vdev_result bus_access(struct vdev_bus *bus, struct vdev_access *a)
{
	uint64_t addr = a->offset;
	const struct bus_range *r = find_again(bus, a->space, addr);
	enum vdev_result result;
	uint64_t mask;
	uint64_t at;

	if (r == NULL || a->width - 1U > 7U) {
		return VDEV_ABORT;
	}
	at = addr - r->base;
	if (a->width > r->size - at) {
		return VDEV_ABORT;
	}
	mask = UINT64_MAX >> (64 - 8 * a->width);
	a->value = a->write ? a->value & mask : 0;
	a->offset = at + r->offset;
	result = r->dev->ops->access(r->dev, a);
	a->offset = addr;
	a->value &= mask;
	return result;
}
