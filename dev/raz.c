/* SPDX-License-Identifier: Apache-2.0 */
/* A range that reads as zero and ignores writes. */
#include <hv/raz.h>

static enum vdev_result raz_access(struct vdev *dev, struct vdev_access *a)
{
	(void)dev;
	(void)a; /* the bus has set value to 0 */
	return VDEV_OK;
}

static void raz_reset(struct vdev *dev)
{
	(void)dev;
}

static void raz_destroy(struct vdev *dev)
{
	(void)dev;
}

static const struct vdev_ops raz_ops = {
	.access = raz_access,
	.reset = raz_reset,
	.destroy = raz_destroy,
};

void raz_init(struct raz *raz, struct vm *vm, const char *name)
{
	raz->dev = (struct vdev){ .ops = &raz_ops, .vm = vm, .name = name };
}
