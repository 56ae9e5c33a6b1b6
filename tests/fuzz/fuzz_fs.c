/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small FAT16 volume, made here, with bytes of its boot sector, FAT, folders or data
 * changed as the input says (offset of 3 bytes, value): no access outside the disk, no
 * endless loop, and a file that opens can be read as far as the disk goes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <hv/block.h>
#include <hv/fs.h>

#define SECTORS	   5000
#define RESERVED   1
#define FAT_SIZE   20
#define ROOT	   (RESERVED + FAT_SIZE)
#define DATA	   (ROOT + 4) /* 64 entries */
#define READ_LIMIT 2000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t image[SECTORS * BLOCK_SECTOR];
static uint64_t reads;

static void check(bool ok)
{
	if (!ok) {
		abort();
	}
}

static int mem_read(struct block *b, uint64_t sector, void *buf, uint32_t count)
{
	check(range_within(sector, count, 0, b->sectors));
	reads += count;
	check(reads < READ_LIMIT);
	memcpy(buf, image + sector * BLOCK_SECTOR, (size_t)count * BLOCK_SECTOR);
	return 0;
}

static const struct block_ops ops = { .read = mem_read };
static struct block disk = { .ops = &ops, .name = "fuzz", .sectors = SECTORS };

static void put16(size_t at, unsigned v)
{
	image[at] = (uint8_t)v;
	image[at + 1] = (uint8_t)(v >> 8);
}

static void put_entry(size_t at, const char *name, uint8_t attr, unsigned cluster, unsigned length)
{
	memcpy(image + at, name, 11);
	image[at + 11] = attr;
	put16(at + 26, cluster);
	put16(at + 28, length);
}

static void make_volume(void)
{
	static const uint8_t boot[] = { 0xeb, 0x3c, 0x90 };
	size_t fat = RESERVED * BLOCK_SECTOR, root = ROOT * BLOCK_SECTOR;

	memset(image, 0, sizeof(image));
	memcpy(image, boot, sizeof(boot));
	put16(11, BLOCK_SECTOR);
	image[13] = 1;
	put16(14, RESERVED);
	image[16] = 1;
	put16(17, 64);
	put16(19, SECTORS);
	image[21] = 0xf8;
	put16(22, FAT_SIZE);
	put16(510, 0xaa55);
	put16(fat, 0xfff8);
	put16(fat + 2, 0xffff);
	/* Clusters 2..9 a file, every second of 10..20 another, 30 a folder, 31 in it. */
	for (unsigned c = 2; c < 9; c++) {
		put16(fat + 2 * c, c + 1);
	}
	put16(fat + 2 * 9, 0xffff);
	for (unsigned c = 10; c < 20; c += 2) {
		put16(fat + 2 * c, c + 2);
	}
	put16(fat + 2 * 20, 0xffff);
	put16(fat + 2 * 30, 0xffff);
	put16(fat + 2 * 31, 0xffff);
	put_entry(root, "A       BIN", 0x20, 2, 4000);
	put_entry(root + 32, "B       BIN", 0x20, 10, 3000);
	put_entry(root + 64, "SUB        ", 0x10, 30, 0);
	put_entry((DATA + 28) * BLOCK_SECTOR, ".          ", 0x10, 30, 0);
	put_entry((DATA + 28) * BLOCK_SECTOR + 32, "..         ", 0x10, 0, 0);
	put_entry((DATA + 28) * BLOCK_SECTOR + 64, "C       BIN", 0x20, 31, 500);
}

static bool entry(void *arg, const char *name, uint64_t size, bool folder)
{
	(void)arg;
	check(strlen(name) <= 3 * 255);
	check(!folder || size == 0);
	return true;
}

static int try_file(const char *path)
{
	static struct fs_file f;
	static uint8_t buf[4096];
	int err = fs_open(path, &f);

	if (err == 0) {
		uint64_t n = MIN(fs_size(&f), (uint64_t)sizeof(buf));

		check(fs_size(&f) <= sizeof(image)); /* its chain was walked */
		err = fs_read(&f, fs_size(&f) - n, buf, n);
		check(err == 0 || fs_why()[0] != '\0');
		fs_close(&f);
	}
	return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	make_volume();
	reads = 0;
	for (size_t i = 0; i + 4 <= size && i < 64 * 4; i += 4) {
		size_t at = (size_t)data[i] | (size_t)data[i + 1] << 8 | (size_t)data[i + 2] << 16;

		image[at % ((DATA + 40) * BLOCK_SECTOR)] = data[i + 3];
	}
	if (fs_mount(&disk) == 0) {
		int a = try_file("a.bin"), b = try_file("/B.BIN"), c = try_file("sub/c.bin");

		check(size >= 4 || (a == 0 && b == 0 && c == 0));
		check(fs_list("", entry, NULL) <= 0);
		check(fs_list("sub", entry, NULL) <= 0);
	} else {
		check(size >= 4 && fs_why()[0] != '\0');
	}
	fs_unmount();
	return 0;
}
