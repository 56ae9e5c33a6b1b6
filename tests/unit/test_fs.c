/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs/: images made by mkfs.fat and mtools, good, damaged and partitioned, on a block
 * device in memory.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <hv/block.h>
#include <hv/fs.h>

#define IMAGE_MAX (40 * 1024 * 1024)

static uint8_t *image; /* of the volume or of a whole disk */
static size_t image_size;
static uint64_t fail_from = UINT64_MAX; /* sectors from here on cannot be read */
static unsigned reads;

static int mem_read(struct block *b, uint64_t sector, void *buf, uint32_t count)
{
	reads += count;
	assert_true(range_within(sector, count, 0, b->sectors));
	if (sector + count > fail_from) {
		return -ETIMEDOUT;
	}
	memcpy(buf, image + sector * BLOCK_SECTOR, (size_t)count * BLOCK_SECTOR);
	return 0;
}

static const struct block_ops mem_ops = { .read = mem_read };
static struct block disk = { .ops = &mem_ops, .name = "mem" };
static char dir[] = "/tmp/test_fs.XXXXXX";

static void run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	if (system(cmd) != 0) {
		fail_msg("%s", cmd);
	}
}

static uint8_t pattern(size_t i, unsigned salt)
{
	return (uint8_t)(i * 7 + i / 251 + salt);
}

static void make_file(const char *name, size_t size, unsigned salt)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	for (size_t i = 0; i < size; i++) {
		fputc(pattern(i, salt), f);
	}
	fclose(f);
}

static void use_image(void)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/disk", dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	image_size = fread(image, 1, IMAGE_MAX, f);
	fclose(f);
	disk.sectors = image_size / BLOCK_SECTOR;
	fail_from = UINT64_MAX;
}

/* A volume of `kib` KiB with a few files, "b.bin" in pieces. */
static void make_volume(unsigned bits, unsigned kib)
{
	run("cd %s && rm -f disk && mkfs.fat -C -F %u -s 1 disk %u >/dev/null", dir, bits, kib);
	make_file("a.bin", 40000, 1);
	make_file("b.bin", 100000, 2);
	make_file("c.bin", 0, 3);
	run("cd %s && mcopy -i disk a.bin ::a1.bin && mcopy -i disk a.bin ::a2.bin && "
	    "mcopy -i disk a.bin ::a3.bin && mdel -i disk ::a1.bin && mcopy -i disk c.bin ::one && "
	    "mdel -i disk ::a3.bin && mcopy -i disk b.bin ::b.bin && "
	    "mmd -i disk ::Guests && mmd -i disk '::Guests/deeper folder' && "
	    "mcopy -i disk a.bin '::Guests/deeper folder/A long name, with an Umlaut.image' && "
	    "mcopy -i disk c.bin ::empty.bin",
	    dir);
	use_image();
}

static uint32_t get32(size_t at)
{
	return (uint32_t)image[at] | (uint32_t)image[at + 1] << 8 | (uint32_t)image[at + 2] << 16 |
	       (uint32_t)image[at + 3] << 24;
}

static size_t get16(size_t at)
{
	return (size_t)image[at] | (size_t)image[at + 1] << 8;
}

static void check_file(const char *path, size_t size, unsigned salt)
{
	static struct fs_file f;
	static uint8_t buf[5000];

	assert_int_equal(fs_open(path, &f), 0);
	assert_int_equal(fs_size(&f), size);
	for (size_t at = 0; at < size; at += 3333) {
		size_t n = MIN(sizeof(buf), size - at);

		assert_int_equal(fs_read(&f, at, buf, n), 0);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(buf[i], pattern(at + i, salt));
		}
	}
	/* Backwards as well. */
	if (size > 100) {
		assert_int_equal(fs_read(&f, 17, buf, 5), 0);
		assert_int_equal(buf[0], pattern(17, salt));
	}
	assert_int_equal(fs_read(&f, size, buf, 1), -ERANGE);
	assert_int_equal(fs_read(&f, size, buf, 0), 0);
	assert_int_equal(fs_read(&f, UINT64_MAX, buf, 2), -ERANGE);
	fs_close(&f);
	assert_int_equal(fs_read(&f, 0, buf, 1), -EINVAL);
}

static bool count_entry(void *arg, const char *name, uint64_t size, bool folder)
{
	(void)name;
	assert_true(!folder || size == 0);
	++*(unsigned *)arg;
	return true;
}

static void check_contents(void)
{
	static struct fs_file f;
	unsigned entries = 0;

	check_file("a2.bin", 40000, 1);
	check_file("/B.BIN", 100000, 2);
	check_file("empty.bin", 0, 3);
	check_file("guests/Deeper Folder/a long name, with an umlaut.IMAGE", 40000, 1);
	assert_int_equal(fs_open("a1.bin", &f), -ENOENT);
	assert_int_equal(fs_open("nowhere/a2.bin", &f), -ENOENT);
	assert_non_null(strstr(fs_why(), "no such folder"));
	assert_int_equal(fs_open("Guests", &f), -EISDIR);
	assert_int_equal(fs_open("", &f), -ENOENT);
	assert_int_equal(fs_open("a*.bin", &f), -ENOENT);
	assert_int_equal(fs_list("/", count_entry, &entries), 0);
	assert_int_equal(entries, 5);
	assert_int_equal(fs_list("/Guests", count_entry, &entries), 0);
	assert_int_equal(entries, 6);
	assert_int_equal(fs_list("/a2.bin", count_entry, &entries), -ENOENT);
}

static void test_good(void **state)
{
	static const struct {
		unsigned bits, kib;
	} kinds[] = { { 12, 1024 }, { 16, 8192 }, { 32, 36000 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		make_volume(kinds[i].bits, kinds[i].kib);
		assert_int_equal(fs_mount(&disk), 0);
		check_contents();
	}
	fs_unmount();
}

static void test_not_mounted(void **state)
{
	static struct fs_file f;

	(void)state;
	fs_unmount();
	assert_int_equal(fs_open("a2.bin", &f), -ENODEV);
	assert_int_equal(fs_list("", count_entry, NULL), -ENODEV);
	memset(image, 0, 1024 * 1024);
	disk.sectors = 2048;
	assert_int_equal(fs_mount(&disk), -ENOENT);
	assert_non_null(strstr(fs_why(), "no FAT volume"));
	fail_from = 0;
	assert_int_equal(fs_mount(&disk), -EIO);
}

/* The volume at `first`, in front of it whatever `table` wrote. */
static void move_volume(uint64_t first)
{
	memmove(image + first * BLOCK_SECTOR, image, image_size);
	memset(image, 0, first * BLOCK_SECTOR);
	image_size += first * BLOCK_SECTOR;
	disk.sectors = image_size / BLOCK_SECTOR + 64;
	image[510] = 0x55;
	image[511] = 0xaa;
}

static void test_mbr(void **state)
{
	uint32_t first = 2048, size;

	(void)state;
	make_volume(16, 8192);
	size = (uint32_t)disk.sectors;
	move_volume(first);
	image[446 + 16 + 4] = 0x06; /* second entry */
	memcpy(image + 446 + 16 + 8, &first, 4);
	memcpy(image + 446 + 16 + 12, &size, 4);
	assert_int_equal(fs_mount(&disk), 0);
	check_contents();
}

static void test_gpt(void **state)
{
	uint64_t first = 100, last;
	uint32_t v;

	(void)state;
	make_volume(16, 8192);
	last = first + disk.sectors - 1;
	move_volume(first);
	image[446 + 4] = 0xee;
	v = 1;
	memcpy(image + 446 + 8, &v, 4);
	memcpy(image + 512, "EFI PART", 8);
	image[512 + 72] = 2;
	image[512 + 80] = 128;
	image[512 + 84] = 128;
	/* A partition of something else, one that lies outside, then ours. */
	image[1024 + 32] = 60;
	image[1024 + 40] = 70;
	image[1024 + 128 + 32] = 80;
	memset(image + 1024 + 128 + 40, 0xff, 8);
	memcpy(image + 1024 + 256 + 32, &first, 8);
	memcpy(image + 1024 + 256 + 40, &last, 8);
	assert_int_equal(fs_mount(&disk), 0);
	check_contents();
	image[512 + 84] = 0; /* entries of no size */
	assert_int_equal(fs_mount(&disk), -ENOENT);
	memset(image + 512 + 72, 0xff, 8); /* the table somewhere else */
	image[512 + 84] = 128;
	assert_int_equal(fs_mount(&disk), -EIO);
}

static void test_truncated(void **state)
{
	(void)state;
	make_volume(16, 8192);
	disk.sectors /= 2;
	assert_int_equal(fs_mount(&disk), -EINVAL);
	assert_non_null(strstr(fs_why(), "truncated"));
	disk.sectors = 1;
	assert_true(fs_mount(&disk) < 0);
	disk.sectors = 0;
	assert_true(fs_mount(&disk) < 0);
}

static void test_disk_fails(void **state)
{
	static struct fs_file f;
	static uint8_t buf[40000];

	(void)state;
	make_volume(16, 8192);
	assert_int_equal(fs_mount(&disk), 0);
	assert_int_equal(fs_open("a2.bin", &f), 0);
	fail_from = 100;
	assert_int_equal(fs_read(&f, 0, buf, sizeof(buf)), -EIO);
	fs_close(&f);
	fail_from = 0;
	assert_int_equal(fs_open("Guests/x", &f), -EIO);
}

/* A FAT16 volume's chain of b.bin, led astray in several ways. */
static void test_chain(void **state)
{
	static struct fs_file f;
	size_t fat, root, entry, cluster, second;

	(void)state;
	make_volume(16, 8192);
	fat = get16(14) * BLOCK_SECTOR;
	root = fat + image[16] * get16(22) * BLOCK_SECTOR;
	for (entry = root; memcmp(image + entry, "B       BIN", 11) != 0; entry += 32) {
		assert_true(entry < root + 512 * 32);
	}
	assert_int_equal(get32(entry + 28), 100000);
	cluster = get16(entry + 26);
	second = get16(fat + cluster * 2);
	assert_true(second >= 2 && second < 0xfff0);
	assert_int_equal(fs_mount(&disk), 0);
	check_file("b.bin", 100000, 2);
	/* Back to the start: a loop. */
	image[fat + second * 2] = (uint8_t)cluster;
	image[fat + second * 2 + 1] = (uint8_t)(cluster >> 8);
	assert_int_equal(fs_mount(&disk), 0);
	assert_int_equal(fs_open("b.bin", &f), -EINVAL);
	assert_non_null(strstr(fs_why(), "chain is longer"));
	/* Cut short, to a free cluster, to one that does not exist. */
	image[fat + second * 2] = 0xff;
	image[fat + second * 2 + 1] = 0xff;
	assert_int_equal(fs_mount(&disk), 0);
	assert_int_equal(fs_open("b.bin", &f), -EINVAL);
	assert_non_null(strstr(fs_why(), "cut"));
	image[fat + second * 2] = 0;
	image[fat + second * 2 + 1] = 0;
	assert_int_equal(fs_mount(&disk), 0);
	assert_int_equal(fs_open("b.bin", &f), -EINVAL);
	/* A file that begins nowhere. */
	image[entry + 26] = 0;
	image[entry + 27] = 0;
	assert_int_equal(fs_mount(&disk), 0);
	assert_int_equal(fs_open("b.bin", &f), -EINVAL);
	/* Others are still there. */
	check_file("a2.bin", 40000, 1);
}

/* A folder whose chain leads back to itself has an end nevertheless. */
static void test_folder_loop(void **state)
{
	static struct fs_file f;
	size_t fat, root, entry, cluster;
	unsigned entries = 0;

	(void)state;
	make_volume(16, 8192);
	fat = get16(14) * BLOCK_SECTOR;
	root = fat + image[16] * get16(22) * BLOCK_SECTOR;
	for (entry = root; memcmp(image + entry, "GUESTS     ", 11) != 0; entry += 32) {
		assert_true(entry < root + 512 * 32);
	}
	cluster = get16(entry + 26);
	image[fat + cluster * 2] = (uint8_t)cluster;
	image[fat + cluster * 2 + 1] = (uint8_t)(cluster >> 8);
	/* No end mark in the folder. */
	for (size_t i = 0; i < BLOCK_SECTOR; i += 32) {
		size_t at = root + get16(17) * 32 + (cluster - 2) * BLOCK_SECTOR + i;

		if (image[at] == 0) {
			memcpy(image + at, "FILE    BIN", 11);
		}
	}
	assert_int_equal(fs_mount(&disk), 0);
	reads = 0;
	assert_true(fs_open("Guests/absent", &f) < 0);
	assert_true(fs_list("Guests", count_entry, &entries) <= 0);
	assert_true(reads < 100000);
}

static void test_boot_sector(void **state)
{
	uint32_t seed = 1;

	(void)state;
	make_volume(16, 8192);
	/* Any value in any byte of the parameter block: mounted or not, and read or not. */
	for (unsigned i = 0; i < 3000; i++) {
		static struct fs_file f;
		static uint8_t buf[512];
		size_t at;
		uint8_t was;

		seed = seed * 1664525 + 1013904223;
		at = 11 + (seed >> 16) % 40;
		was = image[at];
		image[at] = (uint8_t)(seed >> 8);
		if (fs_mount(&disk) == 0 && fs_open("b.bin", &f) == 0) {
			assert_true(fs_read(&f, 0, buf, sizeof(buf)) <= 0);
			fs_close(&f);
		}
		image[at] = was;
	}
	assert_int_equal(fs_mount(&disk), 0);
	check_contents();
}

static int setup(void **state)
{
	(void)state;
	image = calloc(1, IMAGE_MAX + 2 * 1024 * 1024);
	return image != NULL && mkdtemp(dir) != NULL ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	run("rm -rf %s", dir);
	free(image);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),	    cmocka_unit_test(test_not_mounted),
		cmocka_unit_test(test_mbr),	    cmocka_unit_test(test_gpt),
		cmocka_unit_test(test_truncated),   cmocka_unit_test(test_disk_fails),
		cmocka_unit_test(test_chain),	    cmocka_unit_test(test_folder_loop),
		cmocka_unit_test(test_boot_sector),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
