/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What FatFs asks of a disk (its diskio.h), on a range of a block device.
 */
#include "fs_disk.h"

#include <errno.h>
#include <ff.h>

#include <diskio.h>
#include <hv/block.h>
#include <hv/fs.h>

static struct {
	struct block *disk;
	uint64_t first;
	uint64_t sectors;
} window;

void fs_disk_set(struct block *disk, uint64_t first, uint64_t sectors)
{
	window.disk = disk;
	window.first = first;
	window.sectors = sectors;
}

struct block *fs_disk(void)
{
	return window.disk;
}

uint64_t fs_disk_sectors(void)
{
	return window.sectors;
}

int fs_disk_read(uint64_t sector, void *buf, uint32_t count)
{
	if (window.disk == NULL || !range_within(sector, count, 0, window.sectors)) {
		return -EIO;
	}
	return window.disk->ops->read(window.disk, window.first + sector, buf, count) == 0 ? 0
											   : -EIO;
}

DSTATUS disk_initialize(BYTE pdrv)
{
	return disk_status(pdrv);
}

DSTATUS disk_status(BYTE pdrv)
{
	return pdrv == 0 && window.disk != NULL ? STA_PROTECT : STA_NOINIT;
}

DRESULT disk_read(BYTE pdrv, BYTE *buff, LBA_t sector, UINT count)
{
	return pdrv == 0 && fs_disk_read(sector, buff, count) == 0 ? RES_OK : RES_ERROR;
}

DRESULT disk_ioctl(BYTE pdrv, BYTE cmd, void *buff)
{
	(void)pdrv;
	(void)cmd;
	(void)buff;
	return RES_PARERR; /* FatFs asks nothing of a disk it only reads */
}
