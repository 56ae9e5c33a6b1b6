/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A virtio-mmio slot of the host in a guest's hands (virtio 1.2, 4.2.2; legacy 4.2.4).
 *
 * Registers are forwarded one access at a time, so that slots that share a page can
 * belong to different VMs.  What the device does with memory nobody checks (there is no
 * IOMMU: the VM is trusted), but where its queues lie is seen in the registers, and a
 * queue that is not in the VM's own memory is refused: the write is ignored, and said
 * once.  Interrupts go another way (hv/passthrough.h).
 *
 * reset() and destroy() stop the device: afterwards it touches no memory any more.
 */
#ifndef HV_VIRTIO_FWD_H
#define HV_VIRTIO_FWD_H

#include <hv/spinlock.h>
#include <hv/vdev.h>

#define VIRTIO_FWD_SLOT_SIZE 0x200
#define VIRTIO_FWD_QUEUES    32 /* a driver cannot start those beyond */

/* What the driver has said of a queue; all of it is in force once it is live. */
struct virtio_fwd_queue {
	bool live;
	uint32_t num;
	uint32_t align; /* legacy */
	uint64_t desc;	/* modern: guest-physical */
	uint64_t driver;
	uint64_t device;
};

struct virtio_fwd {
	struct vdev dev;
	hpa_t regs;	      /* of the host's slot */
	bool legacy;	      /* constant */
	bool stuck;	      /* did not stop; no longer touched */
	struct spinlock lock; /* guards what follows, and the order of register writes */
	bool complained;
	uint32_t page_size; /* legacy: GuestPageSize, 0 = not told */
	uint32_t sel;	    /* QueueSel */
	struct virtio_fwd_queue queue[VIRTIO_FWD_QUEUES];
};

/*
 * The slot's registers at `regs` (VIRTIO_FWD_SLOT_SIZE bytes) are mapped for us.  Stops
 * the device there.  -ENODEV: no virtio-mmio slot; -EIO: the device does not stop.
 */
int __must_check virtio_fwd_init(struct virtio_fwd *f, struct vm *vm, const char *name, hpa_t regs);

/*
 * After reset() or destroy(): false if `dev` is such a slot and could not be stopped, so
 * that it may still write to memory.  True for every other device.
 */
bool virtio_fwd_is_quiet(struct vdev *dev);

#endif
