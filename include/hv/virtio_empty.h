/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio-mmio slots with no device behind (virtio 1.2, 4.2.2: DeviceID 0 means that
 * a driver leaves the slot alone, silently).
 */
#ifndef HV_VIRTIO_EMPTY_H
#define HV_VIRTIO_EMPTY_H

#include <hv/vdev.h>

#define VIRTIO_EMPTY_SLOT_SIZE 0x200

struct virtio_empty {
	struct vdev dev;
	uint64_t slot_size; /* bytes from one slot to the next, a power of two */
};

/*
 * Any number of slots, one every `slot_size` bytes (a power of two, at least 0x100:
 * 0x200 on QEMU's Arm board, 0x1000 on its RISC-V one).  The caller puts the whole
 * range on the bus.  -EINVAL: not such a size.
 */
int __must_check virtio_empty_init(struct virtio_empty *slots, struct vm *vm, const char *name,
				   uint64_t slot_size);

#endif
