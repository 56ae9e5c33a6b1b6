/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Empty virtio-mmio slots (virtio 1.2, 4.2.2 and 4.2.4).  The version is 2, not the 1
 * of QEMU's default: drivers look at DeviceID before anything that differs, and 2 is
 * the only one that the standard still lets a device show.
 */
#include <errno.h>
#include <hv/virtio_empty.h>

#define VIRTIO_MMIO_MAGIC     0x000
#define VIRTIO_MMIO_VERSION   0x004
#define VIRTIO_MMIO_DEVICE_ID 0x008
#define VIRTIO_MMIO_VENDOR_ID 0x00c

#define VIRTIO_MAGIC  0x74726976 /* "virt" */
#define VIRTIO_VENDOR 0x4d565841 /* "AXVM" */

static enum vdev_result virtio_empty_access(struct vdev *dev, struct vdev_access *a)
{
	const struct virtio_empty *slots = container_of(dev, struct virtio_empty, dev);

	if (a->write) {
		return VDEV_OK;
	}
	switch (a->offset & (slots->slot_size - 1)) {
	case VIRTIO_MMIO_MAGIC:
		a->value = VIRTIO_MAGIC;
		break;
	case VIRTIO_MMIO_VERSION:
		a->value = 2;
		break;
	case VIRTIO_MMIO_VENDOR_ID:
		a->value = VIRTIO_VENDOR;
		break;
	case VIRTIO_MMIO_DEVICE_ID: /* 0: no device */
	default:
		break;
	}
	return VDEV_OK;
}

static void virtio_empty_reset(struct vdev *dev)
{
	(void)dev;
}

static void virtio_empty_destroy(struct vdev *dev)
{
	(void)dev;
}

static const struct vdev_ops virtio_empty_ops = {
	.access = virtio_empty_access,
	.reset = virtio_empty_reset,
	.destroy = virtio_empty_destroy,
};

int virtio_empty_init(struct virtio_empty *slots, struct vm *vm, const char *name,
		      uint64_t slot_size)
{
	if (slot_size < 0x100 || (slot_size & (slot_size - 1)) != 0) {
		return -EINVAL;
	}
	slots->dev = (struct vdev){ .ops = &virtio_empty_ops, .vm = vm, .name = name };
	slots->slot_size = slot_size;
	return 0;
}
