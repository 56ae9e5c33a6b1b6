/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio devices of the host: what drivers and transports share (virtio 1.2, OASIS).
 * Transports: registers (4.2, with the legacy version 1) and PCI (4.1, modern only).
 */
#ifndef DRV_VIRTIO_H
#define DRV_VIRTIO_H

#include <hv/types.h>

struct machine_pci;
struct machine_virtio;

#define VIRTIO_STATUS_ACKNOWLEDGE 1
#define VIRTIO_STATUS_DRIVER	  2
#define VIRTIO_STATUS_DRIVER_OK	  4
#define VIRTIO_STATUS_FEATURES_OK 8
#define VIRTIO_STATUS_NEEDS_RESET 64
#define VIRTIO_STATUS_FAILED	  128

#define VIRTIO_F_VERSION_1	 BIT64(32)
#define VIRTIO_F_ACCESS_PLATFORM BIT64(33)

#define VIRTIO_ID_BLOCK 2

#define VIRTIO_QUEUE_ALIGN PAGE_SIZE /* of the used ring; the legacy layout demands it */

struct virtio_dev;

struct virtio_transport {
	uint8_t (*get_status)(struct virtio_dev *d);
	void (*set_status)(struct virtio_dev *d, uint8_t status); /* 0 resets */
	uint64_t (*get_features)(struct virtio_dev *d);
	void (*set_features)(struct virtio_dev *d, uint64_t features);
	/* Largest size of queue 0; 0: there is none, or it is in use. */
	uint32_t (*queue_max)(struct virtio_dev *d);
	/* Queue 0 of `size` entries: descriptors, driver's ring, device's ring. */
	int (*queue_start)(struct virtio_dev *d, uint32_t size, hpa_t desc, hpa_t avail,
			   hpa_t used);
	void (*notify)(struct virtio_dev *d);
	uint32_t (*config32)(struct virtio_dev *d, uint64_t offset);
};

struct virtio_dev {
	const struct virtio_transport *t;
	bool legacy;
	bool coherent; /* its DMA sees the caches */
	hpa_t regs;    /* MMIO: all registers; PCI: the common configuration */
	hpa_t notify;  /* PCI: of queue 0, once it is started */
	uint32_t notify_multiplier;
	uint64_t notify_size;
	hpa_t config;
	uint64_t config_size;
	char name[32];
};

/* A device of kind `id` in this slot; -ENODEV: empty or another kind. */
int __must_check virtio_mmio_probe(const struct machine_virtio *slot, uint32_t id,
				   struct virtio_dev *d);

/*
 * The n-th device of that kind behind a host bridge, ready for use (memory decoding and
 * bus mastering on).  -ENODEV: there are not so many.
 */
int __must_check virtio_pci_probe(const struct machine_pci *host, uint32_t id, uint32_t n,
				  struct virtio_dev *d);

/* Resets the device and waits for it.  -ETIMEDOUT: it does not answer. */
int __must_check virtio_reset(struct virtio_dev *d);

/*
 * Reset, acknowledge, agree on those of `wanted` that it offers (VERSION_1 and
 * ACCESS_PLATFORM are seen to): *got.  -ENOTSUP: it insists on something else.
 */
int __must_check virtio_negotiate(struct virtio_dev *d, uint64_t wanted, uint64_t *got);

#endif
