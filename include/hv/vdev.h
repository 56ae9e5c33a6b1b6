/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Emulated devices and the bus on which a VM finds them.
 *
 * An access is (space, address, width, vCPU, value) and ends in VDEV_OK or
 * VDEV_ABORT.  Inside a device's range what is not implemented reads zero and
 * ignores writes; only an access outside every range aborts.
 *
 * A device is one plain struct with a `struct vdev` embedded in it (reached with
 * container_of).  It takes its own lock where it needs one, and calls nothing but
 * gpa_read/gpa_write, virq_set, vtimer_*, chr_put and time_now.  access() runs on
 * the exit path with interrupts masked: it must be short and bounded.
 */
#ifndef HV_VDEV_H
#define HV_VDEV_H

#include <hv/types.h>

struct vm;
struct vdev;

enum vdev_space {
	VDEV_MMIO,
	VDEV_PORT,
	VDEV_SYSREG,
	VDEV_SPACES,
};

enum vdev_result {
	VDEV_OK,
	VDEV_ABORT, /* the guest gets an external abort (x86: all-ones) */
};

struct vdev_access {
	enum vdev_space space;
	bool write;
	uint8_t width;	 /* bytes: 1, 2, 4 or 8; not necessarily aligned */
	uint32_t vcpu;	 /* index of the vCPU that accesses */
	uint64_t offset; /* from the start of the device, see bus_add() */
	uint64_t value;	 /* write: zero-extended to 64 bits; read: the answer */
};

struct vdev_ops {
	/* On a read, value is 0 at entry; the bus cuts the answer to width. */
	enum vdev_result (*access)(struct vdev *dev, struct vdev_access *a);
	/* To the state after power-on; no vCPU of the VM runs. */
	void (*reset)(struct vdev *dev);
	/* Gives back what the device holds outside its VM's pool. */
	void (*destroy)(struct vdev *dev);
};

struct vdev {
	const struct vdev_ops *ops;
	struct vm *vm;
	const char *name; /* for messages, e.g. "pl011@9000000"; lives as long as the VM */
};

#define BUS_MAX_RANGES 64

struct bus_range {
	enum vdev_space space;
	uint64_t base;
	uint64_t size;
	uint64_t offset; /* of `base` within the device */
	struct vdev *dev;
};

/* Sorted by (space, base); filled while the VM is created, constant afterwards. */
struct vdev_bus {
	uint32_t count;
	uint32_t first[VDEV_SPACES + 1]; /* index of each space's first range; then count */
	struct bus_range range[BUS_MAX_RANGES];
	const struct bus_range *last; /* accessed last: a hint; atomic */
};

void bus_init(struct vdev_bus *bus);

/*
 * Puts [base, base+size) of a space on the bus.  `offset` is what the device sees
 * for an access to `base` (a device with two ranges gives the second another one).
 * -EINVAL: size 0 or wrapping; -EEXIST: overlaps a range that is there (*other,
 * if not NULL, tells which); -ENOSPC: the bus is full.
 */
int __must_check bus_add(struct vdev_bus *bus, enum vdev_space space, uint64_t base, uint64_t size,
			 uint64_t offset, struct vdev *dev, const struct bus_range **other);

/* The range that holds addr, or NULL. */
const struct bus_range *bus_find(const struct vdev_bus *bus, enum vdev_space space, uint64_t addr);

/*
 * Performs one access; a->offset holds the address at entry.  An access that
 * crosses the end of its range is an abort.  On VDEV_OK of a read, a->value is the
 * answer, zero-extended; a->offset is the address again when it returns.
 */
enum vdev_result bus_access(struct vdev_bus *bus, struct vdev_access *a);

#endif
