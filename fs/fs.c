/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the FAT volume: FatFs, with the checks that it leaves out.
 *
 * FatFs looks for a volume on the disk or in its MBR; partitions of a GPT are found
 * here and shown to it as a disk of their own (fs/diskio.c).  It follows cluster chains
 * as far as the file's size says, which is bounded but would read nonsense from a
 * damaged chain: fs_open() walks the chain once.
 *
 * Microsoft FAT specification 1.03; UEFI 2.10, 5.3 (GPT).
 */
#include "fs_disk.h"

#include <errno.h>
#include <hv/block.h>
#include <hv/fs.h>
#include <hv/printf.h>
#include <string.h>

#define MBR_PART_TYPE  450
#define MBR_TYPE_GPT   0xee
#define GPT_ENTRIES    72 /* in the header: first sector of the table */
#define GPT_COUNT      80
#define GPT_ENTRY_SIZE 84
#define GPT_FIRST      32 /* in an entry */
#define GPT_LAST       40
#define GPT_MAX	       128

static FATFS volume;
static bool mounted;
static char why[128];
static uint8_t sector_buf[BLOCK_SECTOR];

const char *fs_why(void)
{
	return why;
}

static int fail(int err, const char *text)
{
	(void)hv_snprintf(why, sizeof(why), "%s", text);
	return err;
}

static int from_fresult(FRESULT r)
{
	static const struct {
		FRESULT code;
		int err;
		const char *text;
	} known[] = {
		{ FR_DISK_ERR, -EIO, "the disk failed" },
		{ FR_INT_ERR, -EINVAL, "the volume is corrupt" },
		{ FR_NOT_READY, -ENODEV, "there is no disk" },
		{ FR_NO_FILE, -ENOENT, "no such file" },
		{ FR_NO_PATH, -ENOENT, "no such folder" },
		{ FR_INVALID_NAME, -ENOENT, "not a possible file name" },
		{ FR_NO_FILESYSTEM, -ENOENT, "no FAT volume" },
		{ FR_NOT_ENABLED, -ENODEV, "no volume is mounted" },
	};

	if (r == FR_OK) {
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].code == r) {
			(void)hv_snprintf(why, sizeof(why), "%s (FatFs error %d)", known[i].text,
					  (int)r);
			return known[i].err;
		}
	}
	(void)hv_snprintf(why, sizeof(why), "FatFs error %d", (int)r);
	return -EINVAL;
}

static uint32_t le16(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
	return le16(p) | le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
	return le32(p) | (uint64_t)le32(p + 4) << 32;
}

/* FatFs believes the boot sector; a truncated image would fail late, file by file. */
static int check_volume(void)
{
	uint64_t end = volume.database + (uint64_t)(volume.n_fatent - 2) * volume.csize;

	if (end > fs_disk_sectors()) {
		return fail(-EINVAL, "the volume is larger than its disk: is the image truncated?");
	}
	return 0;
}

static int try_mount(void)
{
	int err = from_fresult(f_mount(&volume, "", 1));

	if (err == 0) {
		err = check_volume();
	}
	if (err != 0) {
		(void)f_unmount("");
		return err;
	}
	mounted = true;
	return 0;
}

/* The partitions of a GPT, in the order of its table, each as a disk of its own. */
static int mount_gpt(struct block *disk)
{
	uint64_t table;
	uint32_t count, size;
	int err = fs_disk_read(1, sector_buf, 1);

	if (err != 0) {
		return fail(err, "the disk failed");
	}
	table = le64(sector_buf + GPT_ENTRIES);
	count = MIN(le32(sector_buf + GPT_COUNT), (uint32_t)GPT_MAX);
	size = le32(sector_buf + GPT_ENTRY_SIZE);
	if (memcmp(sector_buf, "EFI PART", 8) != 0 || size < 128 || size > BLOCK_SECTOR ||
	    (size & (size - 1)) != 0) {
		return fail(-ENOENT, "a partition table that is neither MBR nor GPT");
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t first, last;

		fs_disk_set(disk, 0, disk->sectors);
		err = fs_disk_read(table + i * size / BLOCK_SECTOR, sector_buf, 1);
		if (err != 0) {
			return fail(err, "the disk failed in its partition table");
		}
		first = le64(sector_buf + i * size % BLOCK_SECTOR + GPT_FIRST);
		last = le64(sector_buf + i * size % BLOCK_SECTOR + GPT_LAST);
		if (first == 0 || last < first || last >= disk->sectors) {
			continue;
		}
		fs_disk_set(disk, first, last - first + 1);
		err = try_mount();
		if (err != -ENOENT) {
			return err;
		}
	}
	return fail(-ENOENT, "no FAT volume in any partition");
}

int fs_mount(struct block *disk)
{
	int err;

	fs_unmount();
	fs_disk_set(disk, 0, disk->sectors);
	err = try_mount();
	if (err == -ENOENT && fs_disk_read(0, sector_buf, 1) == 0 &&
	    sector_buf[MBR_PART_TYPE] == MBR_TYPE_GPT) {
		err = mount_gpt(disk);
	}
	if (err != 0) {
		fs_disk_set(NULL, 0, 0);
	}
	return err;
}

int fs_mount_any(void)
{
	int err = fail(-ENODEV, "there is no disk");

	for (uint32_t i = 0; block_get(i) != NULL; i++) {
		err = fs_mount(block_get(i));
		if (err == 0) {
			break;
		}
	}
	return err;
}

void fs_unmount(void)
{
	if (mounted) {
		(void)f_unmount("");
		mounted = false;
	}
	fs_disk_set(NULL, 0, 0);
}

/* One byte of the first FAT; *cached is the sector in sector_buf. */
static int fat_byte(uint64_t offset, uint64_t *cached, uint32_t *out)
{
	uint64_t sector = volume.fatbase + offset / BLOCK_SECTOR;
	int err = 0;

	if (*cached != sector) {
		err = fs_disk_read(sector, sector_buf, 1);
		*cached = err == 0 ? sector : UINT64_MAX;
	}
	*out = sector_buf[offset % BLOCK_SECTOR];
	return err;
}

/* The entry behind a cluster: the next one, or a number past the last cluster. */
static int next_cluster(uint32_t cluster, uint64_t *cached, uint32_t *next)
{
	uint32_t width = volume.fs_type == FS_FAT32 ? 4 : 2;
	uint64_t offset =
		volume.fs_type == FS_FAT12 ? cluster + cluster / 2 : (uint64_t)cluster * width;
	uint32_t value = 0;

	for (uint32_t i = 0; i < width; i++) {
		uint32_t byte;
		int err = fat_byte(offset + i, cached, &byte);

		if (err != 0) {
			return err;
		}
		value |= byte << (8 * i);
	}
	if (volume.fs_type == FS_FAT12) {
		value = cluster % 2 != 0 ? value >> 4 : value & 0xfff;
	}
	*next = value & 0x0fffffff;
	return 0;
}

/* The chain has exactly as many clusters as the file's size needs. */
static int check_chain(uint32_t cluster, uint64_t size)
{
	uint64_t bytes = (uint64_t)volume.csize * BLOCK_SECTOR;
	uint64_t want = (size + bytes - 1) / bytes;
	uint64_t cached = UINT64_MAX;

	/* A loop would be followed as long as the size says: no longer than the volume. */
	if (want > volume.n_fatent - 2) {
		return fail(-EINVAL, "the file is larger than its volume: corrupt volume");
	}
	for (uint64_t i = 0; i < want; i++) {
		int err;

		if (cluster < 2 || cluster >= volume.n_fatent) {
			return fail(-EINVAL, "the file's cluster chain is cut: corrupt volume");
		}
		err = next_cluster(cluster, &cached, &cluster);
		if (err != 0) {
			return fail(err, "the disk failed in its FAT");
		}
	}
	if (want > 0 && cluster < volume.n_fatent) {
		return fail(-EINVAL,
			    "the file's cluster chain is longer than the file: corrupt volume");
	}
	return 0;
}

int fs_open(const char *path, struct fs_file *file)
{
	FRESULT r;
	FILINFO info;
	int err;

	file->open = false;
	if (!mounted) {
		return from_fresult(FR_NOT_ENABLED);
	}
	r = f_stat(path, &info);
	if (r == FR_OK && (info.fattrib & AM_DIR) != 0) {
		return fail(-EISDIR, "that is a folder");
	}
	if (r == FR_OK) {
		r = f_open(&file->fil, path, FA_READ);
	}
	if (r != FR_OK) {
		return from_fresult(r);
	}
	err = check_chain(file->fil.obj.sclust, f_size(&file->fil));
	if (err != 0) {
		(void)f_close(&file->fil);
		return err;
	}
	file->open = true;
	return 0;
}

void fs_close(struct fs_file *file)
{
	if (file->open) {
		(void)f_close(&file->fil);
		file->open = false;
	}
}

uint64_t fs_size(const struct fs_file *file)
{
	return file->open ? f_size(&file->fil) : 0;
}

int fs_read(struct fs_file *file, uint64_t offset, void *buf, size_t len)
{
	FRESULT r;
	UINT done = 0;

	if (!file->open) {
		return fail(-EINVAL, "the file is not open");
	}
	if (!range_within(offset, len, 0, f_size(&file->fil))) {
		return fail(-ERANGE, "past the end of the file");
	}
	r = f_lseek(&file->fil, (FSIZE_t)offset);
	if (r == FR_OK) {
		r = f_read(&file->fil, buf, (UINT)len, &done);
	}
	if (r == FR_OK && done != len) {
		r = FR_INT_ERR;
	}
	return from_fresult(r);
}

int fs_list(const char *path, bool (*fn)(void *arg, const char *name, uint64_t size, bool folder),
	    void *arg)
{
	static FILINFO info;
	static DIR dir;
	FRESULT r;

	if (!mounted) {
		return from_fresult(FR_NOT_ENABLED);
	}
	r = f_opendir(&dir, path);
	while (r == FR_OK) {
		bool folder;

		r = f_readdir(&dir, &info);
		if (r != FR_OK || info.fname[0] == '\0') {
			break;
		}
		folder = (info.fattrib & AM_DIR) != 0;
		if (!fn(arg, info.fname, folder ? 0 : info.fsize, folder)) {
			break;
		}
	}
	(void)f_closedir(&dir);
	return from_fresult(r);
}
