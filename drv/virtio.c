/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting a virtio device, whatever its transport (virtio 1.2, 3.1).
 */
#include "virtio.h"

#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/timer.h>

#define RESET_TIMEOUT_NS UINT64_C(1000000000)

int virtio_reset(struct virtio_dev *d)
{
	uint64_t deadline = time_now() + RESET_TIMEOUT_NS;

	d->t->set_status(d, 0);
	while (d->t->get_status(d) != 0) {
		if (time_now() > deadline) {
			return -ETIMEDOUT;
		}
		arch_cpu_relax();
	}
	return 0;
}

/*
 * ACCESS_PLATFORM says that addresses are the platform's, perhaps an IOMMU's.  None is
 * switched on by us, so physical ones are right, and the feature is accepted: a device
 * that offers it may refuse to work otherwise (6.1).
 */
int virtio_negotiate(struct virtio_dev *d, uint64_t wanted, uint64_t *got)
{
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;
	uint64_t offered;
	int err = virtio_reset(d);

	if (err != 0) {
		return err;
	}
	d->t->set_status(d, VIRTIO_STATUS_ACKNOWLEDGE);
	d->t->set_status(d, status);
	offered = d->t->get_features(d);
	*got = offered & (wanted | VIRTIO_F_VERSION_1 | VIRTIO_F_ACCESS_PLATFORM);
	if (d->legacy) {
		*got &= wanted & UINT32_MAX;
		d->t->set_features(d, *got);
		return 0;
	}
	if ((offered & VIRTIO_F_VERSION_1) == 0) {
		return -ENOTSUP;
	}
	d->t->set_features(d, *got);
	d->t->set_status(d, status | VIRTIO_STATUS_FEATURES_OK);
	return (d->t->get_status(d) & VIRTIO_STATUS_FEATURES_OK) != 0 ? 0 : -ENOTSUP;
}
