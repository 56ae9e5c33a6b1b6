/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The disk that FatFs sees: a range of sectors of a block device.
 */
#ifndef FS_DISK_H
#define FS_DISK_H

#include <hv/types.h>

struct block;

/* NULL: none. */
void fs_disk_set(struct block *disk, uint64_t first, uint64_t sectors);
uint64_t fs_disk_sectors(void);

/* -EIO: outside, or what the device said. */
int __must_check fs_disk_read(uint64_t sector, void *buf, uint32_t count);

#endif
