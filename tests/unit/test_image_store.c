/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/image_store.c: images compiled in and files of a FAT volume that mkfs.fat and
 * mtools made.  The disk is a fake of hv/block.h's two functions.
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
#include <hv/builtin.h>
#include <hv/image_store.h>
#include <hv/machine.h>

#define VOLUME_SIZE (1024 * 1024)

static const uint8_t data_a[] = "kernel of the first", data_b[] = "kernel of the second";

const struct builtin_file builtin_configs[1];
const uint32_t builtin_config_count;
const struct builtin_file builtin_images[] = {
	{ .config = 0, .path = "k.bin", .data = data_a, .size = sizeof(data_a) },
	{ .config = 1, .path = "k.bin", .data = data_b, .size = sizeof(data_b) },
};
const uint32_t builtin_image_count = 2;
const uint32_t builtin_log_level = 0;

/* ---- The disk ------------------------------------------------------------------ */

static uint8_t volume[VOLUME_SIZE];
static bool has_disk;
static bool broken;

static int mem_read(struct block *b, uint64_t sector, void *buf, uint32_t count)
{
	assert_true(range_within(sector, count, 0, b->sectors));
	if (broken) {
		return -EIO;
	}
	memcpy(buf, volume + sector * BLOCK_SECTOR, (size_t)count * BLOCK_SECTOR);
	return 0;
}

static const struct block_ops mem_ops = { .read = mem_read };
static struct block disk = { .ops = &mem_ops,
			     .name = "mem",
			     .sectors = VOLUME_SIZE / BLOCK_SECTOR };

uint32_t block_probe_all(const struct machine *m)
{
	(void)m;
	return has_disk ? 1 : 0;
}

struct block *block_get(uint32_t i)
{
	return has_disk && i == 0 ? &disk : NULL;
}

/* A volume with guest.bin (5,000 bytes: i * 3) and a folder. */
static void make_disk(void)
{
	char dir[] = "/tmp/test_store.XXXXXX";
	char cmd[512];
	FILE *f;

	assert_non_null(mkdtemp(dir));
	snprintf(cmd, sizeof(cmd), "%s/guest.bin", dir);
	f = fopen(cmd, "wb");
	assert_non_null(f);
	for (unsigned i = 0; i < 5000; i++) {
		fputc((uint8_t)(i * 3), f);
	}
	fclose(f);
	snprintf(cmd, sizeof(cmd),
		 "cd %s && mkfs.fat -C disk %u >/dev/null && mcopy -i disk guest.bin :: && "
		 "mmd -i disk ::folder",
		 dir, VOLUME_SIZE / 1024);
	assert_int_equal(system(cmd), 0);
	snprintf(cmd, sizeof(cmd), "%s/disk", dir);
	f = fopen(cmd, "rb");
	assert_non_null(f);
	assert_int_equal(fread(volume, 1, VOLUME_SIZE, f), VOLUME_SIZE);
	fclose(f);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
}

static void init(bool with_disk)
{
	static struct machine machine;

	has_disk = with_disk;
	broken = false;
	image_store_init(&machine);
}

static int try_open(uint32_t index, enum vm_image_location location, const char *path,
		    struct image_source **out)
{
	struct image_store *store = image_store_boot();

	return store->ops->open(store, index, location, path, out);
}

static const char *where(enum vm_image_location location)
{
	return image_store_boot()->ops->where(image_store_boot(), location);
}

/* ---- Tests --------------------------------------------------------------------- */

static void test_builtin(void **state)
{
	struct image_source *a, *b, *none;
	char buf[sizeof(data_b)];

	(void)state;
	init(false);
	assert_int_equal(try_open(0, VM_IMAGE_MEMORY, "k.bin", &a), 0);
	assert_int_equal(try_open(1, VM_IMAGE_MEMORY, "k.bin", &b), 0);
	assert_int_equal(a->size, sizeof(data_a));
	assert_int_equal(b->size, sizeof(data_b));
	assert_string_equal(b->name, "k.bin");
	assert_int_equal(b->ops->read(b, 0, buf, sizeof(data_b)), 0);
	assert_memory_equal(buf, data_b, sizeof(data_b));
	assert_int_equal(a->ops->read(a, 10, buf, 3), 0);
	assert_memory_equal(buf, data_a + 10, 3);
	assert_int_equal(a->ops->read(a, 1, buf, sizeof(data_a)), -EIO);
	image_close(a);
	image_close(b);
	assert_int_equal(try_open(2, VM_IMAGE_MEMORY, "k.bin", &none), -ENOENT);
	assert_int_equal(try_open(0, VM_IMAGE_MEMORY, "x.bin", &none), -ENOENT);
	assert_non_null(strstr(where(VM_IMAGE_MEMORY), "compiled in"));
}

static void test_file(void **state)
{
	struct image_source *a, *b;
	char path[] = "guest.bin";
	uint8_t buf[100];

	(void)state;
	init(true);
	assert_int_equal(try_open(0, VM_IMAGE_FS, path, &a), 0);
	assert_int_equal(try_open(7, VM_IMAGE_FS, "/GUEST.BIN", &b), 0);
	path[0] = 'x';
	assert_string_equal(a->name, "guest.bin");
	assert_int_equal(a->size, 5000);
	assert_int_equal(a->ops->read(a, 4900, buf, 100), 0);
	for (unsigned i = 0; i < 100; i++) {
		assert_int_equal(buf[i], (uint8_t)((4900 + i) * 3));
	}
	/* Two readers of one file do not disturb each other. */
	assert_int_equal(b->ops->read(b, 1, buf, 2), 0);
	assert_int_equal(buf[1], 6);
	assert_int_equal(a->ops->read(a, 4901, buf, 100), -EIO);
	broken = true;
	assert_int_equal(a->ops->read(a, 600, buf, 100), -EIO);
	image_close(a);
	image_close(b);
}

static void test_no_file(void **state)
{
	struct image_source *src;

	(void)state;
	init(true);
	assert_int_equal(try_open(0, VM_IMAGE_FS, "none.bin", &src), -ENOENT);
	assert_int_equal(try_open(0, VM_IMAGE_FS, "nowhere/none.bin", &src), -ENOENT);
	assert_int_equal(try_open(0, VM_IMAGE_FS, "folder", &src), -EIO);
	/* What is compiled in is not on the disk, and the other way round. */
	assert_int_equal(try_open(0, VM_IMAGE_FS, "k.bin", &src), -ENOENT);
	assert_int_equal(try_open(0, VM_IMAGE_MEMORY, "guest.bin", &src), -ENOENT);
	assert_non_null(strstr(where(VM_IMAGE_FS), "root"));
}

static void test_no_volume(void **state)
{
	struct image_source *src;
	uint8_t keep = volume[0];

	(void)state;
	init(false);
	assert_int_equal(try_open(0, VM_IMAGE_FS, "guest.bin", &src), -ENODEV);
	assert_non_null(strstr(where(VM_IMAGE_FS), "disk"));
	/* A disk without a FAT volume: a boot sector starts with a jump. */
	volume[0] = 'x';
	init(true);
	assert_int_equal(try_open(0, VM_IMAGE_FS, "guest.bin", &src), -ENODEV);
	assert_non_null(strstr(where(VM_IMAGE_FS), "no FAT volume"));
	volume[0] = keep;
	init(true);
	assert_int_equal(try_open(0, VM_IMAGE_FS, "guest.bin", &src), 0);
	image_close(src);
}

/* As many as are open at once, again and again: closing gives the slot back. */
static void test_many(void **state)
{
	struct image_source *src[8], *more;

	(void)state;
	init(true);
	for (unsigned round = 0; round < 3; round++) {
		for (unsigned i = 0; i < 8; i++) {
			assert_int_equal(try_open(i % 2, i % 3 == 0 ? VM_IMAGE_FS : VM_IMAGE_MEMORY,
						  i % 3 == 0 ? "guest.bin" : "k.bin", &src[i]),
					 0);
		}
		assert_int_equal(try_open(0, VM_IMAGE_MEMORY, "k.bin", &more), -ENFILE);
		assert_int_equal(try_open(0, VM_IMAGE_FS, "guest.bin", &more), -ENFILE);
		for (unsigned i = 0; i < 8; i++) {
			image_close(src[i]);
		}
	}
	/* A failure takes none. */
	for (unsigned i = 0; i < 20; i++) {
		assert_int_equal(try_open(0, VM_IMAGE_FS, "none", &more), -ENOENT);
	}
	assert_int_equal(try_open(0, VM_IMAGE_FS, "guest.bin", &more), 0);
	image_close(more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_builtin), cmocka_unit_test(test_file),
		cmocka_unit_test(test_no_file), cmocka_unit_test(test_no_volume),
		cmocka_unit_test(test_many),
	};

	make_disk();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
