/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio over memory-mapped registers (virtio 1.2, 4.2.2), and their legacy version 1
 * (4.2.4), which is what QEMU's slots have unless told otherwise.
 */
#include "virtio.h"

#include <errno.h>
#include <hv/machine.h>
#include <hv/mmio.h>
#include <hv/printf.h>

#define R_MAGIC		   0x000
#define R_VERSION	   0x004
#define R_DEVICE_ID	   0x008
#define R_FEATURES	   0x010
#define R_FEATURES_SEL	   0x014
#define R_DRV_FEATURES	   0x020
#define R_DRV_FEATURES_SEL 0x024
#define R_PAGE_SIZE	   0x028 /* legacy */
#define R_QUEUE_SEL	   0x030
#define R_QUEUE_MAX	   0x034
#define R_QUEUE_NUM	   0x038
#define R_QUEUE_ALIGN	   0x03c /* legacy */
#define R_QUEUE_PFN	   0x040 /* legacy */
#define R_QUEUE_READY	   0x044
#define R_QUEUE_NOTIFY	   0x050
#define R_STATUS	   0x070
#define R_QUEUE_DESC	   0x080
#define R_QUEUE_DRIVER	   0x090
#define R_QUEUE_DEVICE	   0x0a0
#define R_CONFIG	   0x100

#define MAGIC	       0x74726976 /* "virt" */
#define VERSION_LEGACY 1
#define VERSION_MODERN 2

static uint8_t get_status(struct virtio_dev *d)
{
	return (uint8_t)mmio_read32(d->regs, R_STATUS);
}

static void set_status(struct virtio_dev *d, uint8_t status)
{
	mmio_write32(d->regs, R_STATUS, status);
}

static uint64_t get_features(struct virtio_dev *d)
{
	uint64_t f = 0;

	if (!d->legacy) {
		mmio_write32(d->regs, R_FEATURES_SEL, 1);
		f = (uint64_t)mmio_read32(d->regs, R_FEATURES) << 32;
	}
	mmio_write32(d->regs, R_FEATURES_SEL, 0);
	return f | mmio_read32(d->regs, R_FEATURES);
}

static void set_features(struct virtio_dev *d, uint64_t features)
{
	if (!d->legacy) {
		mmio_write32(d->regs, R_DRV_FEATURES_SEL, 1);
		mmio_write32(d->regs, R_DRV_FEATURES, (uint32_t)(features >> 32));
	}
	mmio_write32(d->regs, R_DRV_FEATURES_SEL, 0);
	mmio_write32(d->regs, R_DRV_FEATURES, (uint32_t)features);
}

static uint32_t queue_max(struct virtio_dev *d)
{
	mmio_write32(d->regs, R_QUEUE_SEL, 0);
	if (mmio_read32(d->regs, d->legacy ? R_QUEUE_PFN : R_QUEUE_READY) != 0) {
		return 0;
	}
	return mmio_read32(d->regs, R_QUEUE_MAX);
}

static void write_address(struct virtio_dev *d, uint64_t reg, hpa_t addr)
{
	mmio_write32(d->regs, reg, (uint32_t)addr.a);
	mmio_write32(d->regs, reg + 4, (uint32_t)(addr.a >> 32));
}

/* Legacy: one page number for all, the rings where the layout says (2.7.2). */
static int queue_start(struct virtio_dev *d, uint32_t size, hpa_t desc, hpa_t avail, hpa_t used)
{
	mmio_write32(d->regs, R_QUEUE_SEL, 0);
	mmio_write32(d->regs, R_QUEUE_NUM, size);
	if (d->legacy) {
		if (desc.a >> PAGE_SHIFT > UINT32_MAX) {
			return -ENOTSUP;
		}
		mmio_write32(d->regs, R_PAGE_SIZE, (uint32_t)PAGE_SIZE);
		mmio_write32(d->regs, R_QUEUE_ALIGN, (uint32_t)VIRTIO_QUEUE_ALIGN);
		mmio_write32(d->regs, R_QUEUE_PFN, (uint32_t)(desc.a >> PAGE_SHIFT));
		return 0;
	}
	write_address(d, R_QUEUE_DESC, desc);
	write_address(d, R_QUEUE_DRIVER, avail);
	write_address(d, R_QUEUE_DEVICE, used);
	mmio_write32(d->regs, R_QUEUE_READY, 1);
	return mmio_read32(d->regs, R_QUEUE_READY) == 1 ? 0 : -EIO;
}

static void notify(struct virtio_dev *d)
{
	mmio_write32(d->regs, R_QUEUE_NOTIFY, 0);
}

static uint32_t config32(struct virtio_dev *d, uint64_t offset)
{
	return mmio_read32(d->regs, R_CONFIG + offset);
}

static const struct virtio_transport mmio_transport = {
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.config32 = config32,
};

int virtio_mmio_probe(const struct machine_virtio *slot, uint32_t id, struct virtio_dev *d)
{
	uint32_t version;

	if (mmio_read32(slot->range.base, R_MAGIC) != MAGIC) {
		return -ENODEV;
	}
	version = mmio_read32(slot->range.base, R_VERSION);
	if ((version != VERSION_LEGACY && version != VERSION_MODERN) ||
	    mmio_read32(slot->range.base, R_DEVICE_ID) != id) {
		return -ENODEV;
	}
	*d = (struct virtio_dev){
		.t = &mmio_transport,
		.legacy = version == VERSION_LEGACY,
		.coherent = slot->dma_coherent,
		.regs = slot->range.base,
	};
	(void)hv_snprintf(d->name, sizeof(d->name), "virtio-mmio@%llx",
			  (unsigned long long)slot->range.base.a);
	return 0;
}
