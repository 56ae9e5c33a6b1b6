/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio over PCI, modern interface only (virtio 1.2, 4.1): the structures that vendor
 * capabilities point to.  Transitional devices have them too.
 */
#include "pci.h"
#include "virtio.h"

#include <errno.h>
#include <hv/hv_map.h>
#include <hv/mmio.h>
#include <hv/printf.h>

#define VENDOR_VIRTIO	    0x1af4
#define DEVICE_MODERN	    0x1040 /* plus the kind */
#define DEVICE_TRANSITIONAL 0x1000 /* 0x1001: block */
#define CAP_VENDOR	    0x09
#define MAX_VENDOR_CAPS	    16

/* struct virtio_pci_cap (4.1.4) */
#define CAP_LEN	       2
#define CAP_TYPE       3
#define CAP_BAR	       4
#define CAP_OFFSET     8
#define CAP_LENGTH     12
#define CAP_MULTIPLIER 16
#define TYPE_COMMON    1
#define TYPE_NOTIFY    2
#define TYPE_DEVICE    4

/* struct virtio_pci_common_cfg (4.1.4.3) */
#define C_FEATURE_SEL	  0x00
#define C_FEATURE	  0x04
#define C_DRV_FEATURE_SEL 0x08
#define C_DRV_FEATURE	  0x0c
#define C_STATUS	  0x14
#define C_QUEUE_SELECT	  0x16
#define C_QUEUE_SIZE	  0x18
#define C_QUEUE_ENABLE	  0x1c
#define C_QUEUE_NOTIFY	  0x1e
#define C_QUEUE_DESC	  0x20
#define C_QUEUE_DRIVER	  0x28
#define C_QUEUE_DEVICE	  0x30
#define C_SIZE		  0x38

static uint8_t get_status(struct virtio_dev *d)
{
	return mmio_read8(d->regs, C_STATUS);
}

static void set_status(struct virtio_dev *d, uint8_t status)
{
	mmio_write8(d->regs, C_STATUS, status);
}

static uint64_t get_features(struct virtio_dev *d)
{
	uint64_t f;

	mmio_write32(d->regs, C_FEATURE_SEL, 1);
	f = (uint64_t)mmio_read32(d->regs, C_FEATURE) << 32;
	mmio_write32(d->regs, C_FEATURE_SEL, 0);
	return f | mmio_read32(d->regs, C_FEATURE);
}

static void set_features(struct virtio_dev *d, uint64_t features)
{
	mmio_write32(d->regs, C_DRV_FEATURE_SEL, 1);
	mmio_write32(d->regs, C_DRV_FEATURE, (uint32_t)(features >> 32));
	mmio_write32(d->regs, C_DRV_FEATURE_SEL, 0);
	mmio_write32(d->regs, C_DRV_FEATURE, (uint32_t)features);
}

static uint32_t queue_max(struct virtio_dev *d)
{
	mmio_write16(d->regs, C_QUEUE_SELECT, 0);
	return mmio_read16(d->regs, C_QUEUE_ENABLE) != 0 ? 0 : mmio_read16(d->regs, C_QUEUE_SIZE);
}

static void write_address(struct virtio_dev *d, uint64_t reg, hpa_t addr)
{
	mmio_write32(d->regs, reg, (uint32_t)addr.a);
	mmio_write32(d->regs, reg + 4, (uint32_t)(addr.a >> 32));
}

static int queue_start(struct virtio_dev *d, uint32_t size, hpa_t desc, hpa_t avail, hpa_t used)
{
	uint64_t offset;

	mmio_write16(d->regs, C_QUEUE_SELECT, 0);
	offset = (uint64_t)mmio_read16(d->regs, C_QUEUE_NOTIFY) * d->notify_multiplier;
	if (!range_within(offset, 2, 0, d->notify_size) || !IS_ALIGNED(offset, 2)) {
		return -EIO;
	}
	d->notify = hpa(d->notify.a + offset);
	mmio_write16(d->regs, C_QUEUE_SIZE, (uint16_t)size);
	write_address(d, C_QUEUE_DESC, desc);
	write_address(d, C_QUEUE_DRIVER, avail);
	write_address(d, C_QUEUE_DEVICE, used);
	mmio_write16(d->regs, C_QUEUE_ENABLE, 1);
	return 0;
}

static void notify(struct virtio_dev *d)
{
	mmio_write16(d->notify, 0, 0);
}

static uint32_t config32(struct virtio_dev *d, uint64_t offset)
{
	return range_within(offset, 4, 0, d->config_size) ? mmio_read32(d->config, offset) : 0;
}

static const struct virtio_transport pci_transport = {
	.get_status = get_status,
	.set_status = set_status,
	.get_features = get_features,
	.set_features = set_features,
	.queue_max = queue_max,
	.queue_start = queue_start,
	.notify = notify,
	.config32 = config32,
};

/* The structure a capability points to must lie in its BAR, on 4 bytes. */
static int map_cap(const struct pci_fn *f, uint32_t cap, hpa_t *base, uint64_t *size)
{
	uint32_t offset = mmio_read32(f->cfg, cap + CAP_OFFSET);
	uint32_t length = mmio_read32(f->cfg, cap + CAP_LENGTH);
	struct machine_range bar;
	int err = pci_bar(f, mmio_read8(f->cfg, cap + CAP_BAR), &bar);

	if (err != 0) {
		return err;
	}
	if (length == 0 || !range_within(offset, length, 0, bar.size) || !IS_ALIGNED(offset, 4u)) {
		return -EIO;
	}
	*base = hpa(bar.base.a + offset);
	*size = length;
	return hv_map_device(bar.base, bar.size);
}

static int use_cap(const struct pci_fn *f, uint32_t cap, struct virtio_dev *d,
		   uint64_t *common_size)
{
	switch (mmio_read8(f->cfg, cap + CAP_TYPE)) {
	case TYPE_COMMON:
		return *common_size == 0 ? map_cap(f, cap, &d->regs, common_size) : 0;
	case TYPE_NOTIFY:
		if (d->notify_size != 0 || mmio_read8(f->cfg, cap + CAP_LEN) < 20) {
			return 0;
		}
		d->notify_multiplier = mmio_read32(f->cfg, cap + CAP_MULTIPLIER);
		return map_cap(f, cap, &d->notify, &d->notify_size);
	case TYPE_DEVICE:
		return d->config_size == 0 ? map_cap(f, cap, &d->config, &d->config_size) : 0;
	default:
		return 0; /* interrupt status, access through configuration space, later ones */
	}
}

static int attach(const struct pci_fn *f, struct virtio_dev *d)
{
	uint64_t common_size = 0;
	uint32_t cap = 0;

	*d = (struct virtio_dev){ .t = &pci_transport, .coherent = f->host->dma_coherent };
	(void)hv_snprintf(d->name, sizeof(d->name), "virtio-pci@%x:%02x:%02x.%x", f->host->segment,
			  f->bus, f->dev, f->fn);
	for (uint32_t i = 0; i < MAX_VENDOR_CAPS; i++) {
		int err;

		cap = pci_capability(f, CAP_VENDOR, cap);
		if (cap == 0) {
			break;
		}
		err = use_cap(f, cap, d, &common_size);
		if (err != 0) {
			return err;
		}
	}
	if (common_size < C_SIZE || d->notify_size == 0 || d->config_size == 0) {
		return -ENODEV;
	}
	pci_enable(f, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_NO_INTX);
	return 0;
}

static bool is_kind(const struct pci_fn *f, uint32_t id)
{
	uint16_t device = mmio_read16(f->cfg, PCI_DEVICE_ID);

	return mmio_read16(f->cfg, PCI_VENDOR_ID) == VENDOR_VIRTIO &&
	       (device == DEVICE_MODERN + id ||
		(id == VIRTIO_ID_BLOCK && device == DEVICE_TRANSITIONAL + 1));
}

int virtio_pci_probe(const struct machine_pci *host, uint32_t id, uint32_t n, struct virtio_dev *d)
{
	struct pci_walk w;
	struct pci_fn f;

	pci_walk_init(&w, host);
	while (pci_walk_next(&w, &f)) {
		if (is_kind(&f, id) && attach(&f, d) == 0 && n-- == 0) {
			return 0;
		}
	}
	return -ENODEV;
}
