/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Disks of the host, in sectors of 512 bytes.
 *
 * Polled, one request at a time, and slow by the exit path's standards: for threads
 * that may be preempted, with no lock held.  Not locked: one user (the loader).
 *
 * Disks see physical addresses.  Data goes through pages of the driver's own, so that a
 * device that answers late, or writes what it was not asked for, hits nobody's memory.
 */
#ifndef HV_BLOCK_H
#define HV_BLOCK_H

#include <hv/types.h>

#define BLOCK_SECTOR 512
#define BLOCK_MAX    8

struct block;
struct machine;

struct block_ops {
	/*
	 * `count` sectors from `sector` on.  -EINVAL: past the end; -EIO: the device says
	 * so, or is broken; -ETIMEDOUT: no answer (then -EIO for ever); -EROFS.
	 */
	int (*read)(struct block *b, uint64_t sector, void *buf, uint32_t count);
	int (*write)(struct block *b, uint64_t sector, const void *buf, uint32_t count);
	/* Resets the device: no more DMA.  It answers -EIO afterwards. */
	void (*stop)(struct block *b);
};

struct block {
	const struct block_ops *ops;
	char name[32];	  /* "virtio-blk@a003e00", "virtio-blk-pci 0:01.0" */
	uint64_t sectors; /* not 0 */
	bool read_only;
};

/*
 * Finds and starts the disks of the machine (virtio-blk on MMIO and PCI); once, when the
 * allocator and hv_map_device() work (it maps what it touches).  Returns how many there
 * are, 0 too; a disk that does not work is left out with a line in the log.
 */
uint32_t block_probe_all(const struct machine *m);

/* Disk number i, or NULL past the last. */
struct block *block_get(uint32_t i);

/* The disk that works and has its virtio-mmio registers there, or NULL. */
struct block *block_at(hpa_t regs);

#endif
