/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virtio block devices as the host's disks (virtio 1.2, 5.2, split queues 2.7).
 *
 * One request at a time, polled: a chain of three descriptors (header, data, status)
 * that are always the same.  The device is not trusted: what it writes is checked, its
 * answers have a deadline, and it knows no address but those of this driver's pages.
 *
 * Layout of the pages (32 in one block): the legacy queue layout needs the used ring on
 * the second page.
 */
#include "virtio.h"

#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/arch_mm.h>
#include <hv/block.h>
#include <hv/hv_map.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/mmio.h>
#include <hv/page.h>
#include <hv/printf.h>
#include <hv/timer.h>
#include <string.h>

#define BLK_F_RO	BIT64(5)
#define BLK_T_IN	0
#define BLK_T_OUT	1
#define BLK_S_OK	0
#define BLK_S_UNSUPP	2
#define BLK_S_NONE	0xff /* ours: the device has not written a status */
#define CONFIG_CAPACITY 0
#define SECTORS_MAX	(UINT64_MAX / BLOCK_SECTOR)

#define DESC_NEXT	   1
#define DESC_WRITE	   2 /* by the device */
#define AVAIL_NO_INTERRUPT 1

#define QUEUE_SIZE  4 /* a power of two, at least 3 */
#define DATA_SIZE   (64 * KiB)
#define PAGES_ORDER 5
#define USED_OFFSET VIRTIO_QUEUE_ALIGN
#define DATA_OFFSET (16 * PAGE_SIZE)
#define TIMEOUT_NS  UINT64_C(10000000000)

struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags;
	uint16_t next;
};

struct avail {
	uint16_t flags;
	uint16_t idx;
	uint16_t ring[QUEUE_SIZE];
};

struct used {
	uint16_t flags;
	uint16_t idx;
	struct {
		uint32_t id;
		uint32_t len;
	} ring[QUEUE_SIZE];
};

struct request {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
	uint8_t status;
};

struct shared {
	struct desc desc[QUEUE_SIZE];
	struct avail avail; /* the legacy layout: right behind the descriptors */
	uint8_t pad1[USED_OFFSET - QUEUE_SIZE * sizeof(struct desc) - sizeof(struct avail)];
	struct used used;
	uint8_t pad2[PAGE_SIZE - sizeof(struct used)];
	struct request request;
	uint8_t pad3[DATA_OFFSET - 2 * PAGE_SIZE - sizeof(struct request)];
	uint8_t data[DATA_SIZE];
};
_Static_assert(offsetof(struct shared, used) == USED_OFFSET, "legacy queue layout");
_Static_assert(sizeof(struct shared) == PAGE_SIZE << PAGES_ORDER, "one block of pages");

struct virtio_blk {
	struct block block;
	struct virtio_dev dev;
	struct shared *shared; /* NULL: not in use */
	uint32_t queue_size;
	uint16_t last_used;
	bool dead;
};

static struct virtio_blk disks[BLOCK_MAX];
static uint32_t disk_count;

static uint64_t address_of(const void *p)
{
	return ptr_to_hpa(p).a;
}

/* Before the device looks at memory that we wrote, and before we look at its. */
static void sync(const struct virtio_blk *d, const void *p, size_t len)
{
	if (!d->dev.coherent) {
		arch_cache_dma_range(p, len);
	}
}

/* No further DMA.  If the device does not even reset, its pages stay its own for ever. */
static void give_up(struct virtio_blk *d)
{
	d->dead = true;
	if (virtio_reset(&d->dev) != 0) {
		log_error("%s does not reset; its memory is not used again", d->block.name);
	}
}

static void build_chain(struct virtio_blk *d, uint32_t type, uint64_t sector, uint32_t bytes)
{
	struct shared *s = d->shared;

	s->request = (struct request){ .type = type, .sector = sector, .status = BLK_S_NONE };
	s->desc[0] = (struct desc){ address_of(&s->request), offsetof(struct request, status),
				    DESC_NEXT, 1 };
	s->desc[1] = (struct desc){ address_of(s->data), bytes,
				    type == BLK_T_IN ? DESC_NEXT | DESC_WRITE : DESC_NEXT, 2 };
	s->desc[2] = (struct desc){ address_of(&s->request.status), 1, DESC_WRITE, 0 };
	s->avail.flags = AVAIL_NO_INTERRUPT;
	s->avail.ring[s->avail.idx % d->queue_size] = 0;
}

static int wait_used(struct virtio_blk *d)
{
	uint64_t deadline = time_now() + TIMEOUT_NS;
	struct shared *s = d->shared;

	for (;;) {
		sync(d, &s->used, sizeof(s->used));
		if (__atomic_load_n(&s->used.idx, __ATOMIC_RELAXED) != d->last_used) {
			mmio_rmb();
			return 0;
		}
		if (time_now() > deadline) {
			return -ETIMEDOUT;
		}
		arch_cpu_relax();
	}
}

/* One request of at most DATA_SIZE through the data pages. */
static int transfer(struct virtio_blk *d, uint32_t type, uint64_t sector, uint32_t bytes)
{
	struct shared *s = d->shared;
	uint8_t status;
	int err;

	build_chain(d, type, sector, bytes);
	sync(d, s, DATA_OFFSET + bytes);
	mmio_wmb();
	__atomic_store_n(&s->avail.idx, (uint16_t)(s->avail.idx + 1), __ATOMIC_RELAXED);
	sync(d, &s->avail, sizeof(s->avail));
	mmio_mb();
	d->dev.t->notify(&d->dev);
	err = wait_used(d);
	if (err != 0) {
		log_error("%s: no answer to a request for sector %llu", d->block.name,
			  (unsigned long long)sector);
		give_up(d);
		return err;
	}
	sync(d, s, DATA_OFFSET + bytes);
	if ((uint16_t)(s->used.idx - d->last_used) != 1 ||
	    s->used.ring[d->last_used % d->queue_size].id != 0) {
		log_error("%s: answers what was not asked", d->block.name);
		give_up(d);
		return -EIO;
	}
	d->last_used++;
	status = s->request.status;
	return status == BLK_S_OK ? 0 : status == BLK_S_UNSUPP ? -ENOTSUP : -EIO;
}

static int check(const struct virtio_blk *d, uint64_t sector, uint32_t count)
{
	if (d->dead) {
		return -EIO;
	}
	return range_within(sector, count, 0, d->block.sectors) ? 0 : -EINVAL;
}

static int blk_read(struct block *b, uint64_t sector, void *buf, uint32_t count)
{
	struct virtio_blk *d = container_of(b, struct virtio_blk, block);
	uint8_t *p = buf;
	int err = check(d, sector, count);

	while (err == 0 && count > 0) {
		uint32_t n = MIN(count, (uint32_t)(DATA_SIZE / BLOCK_SECTOR));

		err = transfer(d, BLK_T_IN, sector, n * BLOCK_SECTOR);
		if (err == 0) {
			memcpy(p, d->shared->data, (size_t)n * BLOCK_SECTOR);
			p += (size_t)n * BLOCK_SECTOR;
			sector += n;
			count -= n;
		}
	}
	return err;
}

static int blk_write(struct block *b, uint64_t sector, const void *buf, uint32_t count)
{
	struct virtio_blk *d = container_of(b, struct virtio_blk, block);
	const uint8_t *p = buf;
	int err = b->read_only ? -EROFS : check(d, sector, count);

	while (err == 0 && count > 0) {
		uint32_t n = MIN(count, (uint32_t)(DATA_SIZE / BLOCK_SECTOR));

		memcpy(d->shared->data, p, (size_t)n * BLOCK_SECTOR);
		err = transfer(d, BLK_T_OUT, sector, n * BLOCK_SECTOR);
		p += (size_t)n * BLOCK_SECTOR;
		sector += n;
		count -= n;
	}
	return err;
}

static void blk_stop(struct block *b)
{
	give_up(container_of(b, struct virtio_blk, block));
}

static const struct block_ops virtio_blk_ops = {
	.read = blk_read,
	.write = blk_write,
	.stop = blk_stop,
};

static int start_queue(struct virtio_blk *d)
{
	uint32_t max = d->dev.t->queue_max(&d->dev);
	struct shared *s = d->shared;

	/* The legacy layout depends on the size, which must then be ours. */
	if (max < QUEUE_SIZE) {
		return -ENOTSUP;
	}
	d->queue_size = QUEUE_SIZE;
	memset(s, 0, sizeof(*s));
	sync(d, s, sizeof(*s));
	return d->dev.t->queue_start(&d->dev, QUEUE_SIZE, hpa(address_of(s->desc)),
				     hpa(address_of(&s->avail)), hpa(address_of(&s->used)));
}

/* The configuration may change while it is read: until it reads the same twice. */
static uint64_t read_capacity(struct virtio_dev *dev)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < 8; i++) {
		uint64_t now = dev->t->config32(dev, CONFIG_CAPACITY) |
			       (uint64_t)dev->t->config32(dev, CONFIG_CAPACITY + 4) << 32;

		if (i > 0 && now == last) {
			break;
		}
		last = now;
	}
	return last;
}

static int start(struct virtio_blk *d)
{
	uint64_t features;
	int err = virtio_negotiate(&d->dev, BLK_F_RO, &features);
	uint8_t status = VIRTIO_STATUS_ACKNOWLEDGE | VIRTIO_STATUS_DRIVER;

	if (err == 0) {
		err = start_queue(d);
	}
	if (err != 0) {
		return err;
	}
	if (!d->dev.legacy) {
		status |= VIRTIO_STATUS_FEATURES_OK;
	}
	d->dev.t->set_status(&d->dev, status | VIRTIO_STATUS_DRIVER_OK);
	d->block.ops = &virtio_blk_ops;
	d->block.read_only = (features & BLK_F_RO) != 0;
	d->block.sectors = read_capacity(&d->dev);
	return d->block.sectors > 0 && d->block.sectors <= SECTORS_MAX ? 0 : -EIO;
}

/* disks[disk_count].dev has been found. */
static void add(void)
{
	struct virtio_blk *d = &disks[disk_count];
	hpa_t pages;
	int err;

	d->dead = false;
	d->last_used = 0;
	memcpy(d->block.name, d->dev.name, sizeof(d->block.name));
	err = page_alloc(OWNER_HV, PAGES_ORDER, &pages);
	if (err != 0) {
		log_warn("%s: no memory for a queue", d->block.name);
		return;
	}
	d->shared = hpa_to_ptr(pages);
	err = start(d);
	if (err == 0) {
		log_info("%s: %llu MiB%s", d->block.name,
			 (unsigned long long)(d->block.sectors / (MiB / BLOCK_SECTOR)),
			 d->block.read_only ? ", read-only" : "");
		disk_count++;
		return;
	}
	log_warn("%s: cannot be used (error %d)", d->block.name, err);
	if (virtio_reset(&d->dev) == 0) {
		page_free(OWNER_HV, pages, PAGES_ORDER);
	}
}

static bool map(const struct machine_range *r)
{
	int err = hv_map_device(r->base, r->size);

	if (err != 0) {
		log_warn("registers at %#llx cannot be mapped (error %d): no disks there",
			 (unsigned long long)r->base.a, err);
	}
	return err == 0;
}

uint32_t block_probe_all(const struct machine *m)
{
	disk_count = 0;
	for (uint32_t i = 0; i < m->virtio_count && disk_count < BLOCK_MAX; i++) {
		if (map(&m->virtio[i].range) && virtio_mmio_probe(&m->virtio[i], VIRTIO_ID_BLOCK,
								  &disks[disk_count].dev) == 0) {
			add();
		}
	}
	for (uint32_t i = 0; i < m->pci_count && map(&m->pci[i].ecam); i++) {
		for (uint32_t n = 0; disk_count < BLOCK_MAX; n++) {
			if (virtio_pci_probe(&m->pci[i], VIRTIO_ID_BLOCK, n,
					     &disks[disk_count].dev) != 0) {
				break;
			}
			add();
		}
	}
	return disk_count;
}

struct block *block_get(uint32_t i)
{
	return i < disk_count ? &disks[i].block : NULL;
}

struct block *block_at(hpa_t regs)
{
	for (uint32_t i = 0; i < disk_count; i++) {
		/* (Disks on PCI have their registers elsewhere.) */
		if (!disks[i].dead && disks[i].dev.regs.a == regs.a) {
			return &disks[i].block;
		}
	}
	return NULL;
}
