/* SPDX-License-Identifier: Apache-2.0 */
/* Images compiled in, or on the disk's FAT volume; see image_store.h. */
#include <hv/block.h>
#include <hv/builtin.h>
#include <hv/fs.h>
#include <hv/image_store.h>
#include <hv/log.h>
#include <hv/printf.h>

#include <errno.h>
#include <string.h>

/* The planner and the loader each have at most kernel, BIOS, ramdisk and tree open. */
#define OPEN_MAX 8

struct open_image {
	struct image_source src;
	bool used;
	char name[VM_PATH_MAX];
	const uint8_t *data; /* compiled in; NULL: the file */
	struct fs_file file;
};

static struct open_image open_images[OPEN_MAX];

/* Where files are looked for, and why there are none. */
static bool have_volume;
static char where_files[160] = "the FAT volume of a disk, before disks are known";

static int open_read(struct image_source *src, uint64_t offset, void *buf, size_t len)
{
	struct open_image *o = container_of(src, struct open_image, src);
	int err;

	if (!range_within(offset, len, 0, src->size)) {
		return -EIO;
	}
	if (o->data != NULL) {
		memcpy(buf, o->data + offset, len);
		return 0;
	}
	err = fs_read(&o->file, offset, buf, len);
	if (err != 0) {
		log_error("%s: %s", o->name, fs_why());
		return -EIO;
	}
	return 0;
}

static void open_close(struct image_source *src)
{
	struct open_image *o = container_of(src, struct open_image, src);

	if (o->data == NULL) {
		fs_close(&o->file);
	}
	o->used = false;
}

static const struct image_source_ops open_ops = {
	.read = open_read,
	.close = open_close,
};

static int open_builtin(struct open_image *o, uint32_t index, const char *path)
{
	for (uint32_t i = 0; i < builtin_image_count; i++) {
		const struct builtin_file *f = &builtin_images[i];

		if (f->config == index && strcmp(f->path, path) == 0) {
			o->data = f->data;
			o->src.size = f->size;
			return 0;
		}
	}
	return -ENOENT;
}

static int open_file(struct open_image *o, const char *path)
{
	int err;

	if (!have_volume) {
		return -ENODEV;
	}
	err = fs_open(path, &o->file);
	if (err == -ENOENT) {
		return -ENOENT;
	}
	if (err != 0) {
		log_error("%s: %s", path, fs_why());
		return -EIO;
	}
	o->data = NULL;
	o->src.size = fs_size(&o->file);
	return 0;
}

static int store_open(struct image_store *store, uint32_t index, enum vm_image_location location,
		      const char *path, struct image_source **out)
{
	struct open_image *o = NULL;
	int err;

	(void)store;
	for (uint32_t i = 0; i < OPEN_MAX && o == NULL; i++) {
		o = open_images[i].used ? NULL : &open_images[i];
	}
	if (o == NULL) {
		return -ENFILE;
	}
	err = location == VM_IMAGE_MEMORY ? open_builtin(o, index, path) : open_file(o, path);
	if (err != 0) {
		return err;
	}
	(void)hv_snprintf(o->name, sizeof(o->name), "%s", path);
	o->src.ops = &open_ops;
	o->src.name = o->name;
	o->used = true;
	*out = &o->src;
	return 0;
}

static const char *store_where(struct image_store *store, enum vm_image_location location)
{
	(void)store;
	return location == VM_IMAGE_MEMORY ? "what the build compiled in" : where_files;
}

static const struct image_store_ops store_ops = {
	.open = store_open,
	.where = store_where,
};

static struct image_store boot_store = { .ops = &store_ops };

struct image_store *image_store_boot(void)
{
	return &boot_store;
}

void image_store_init(const struct machine *m)
{
	uint32_t disks = block_probe_all(m);

	have_volume = disks != 0 && fs_mount_any() == 0;
	if (have_volume) {
		(void)hv_snprintf(where_files, sizeof(where_files),
				  "the root of the disk's FAT volume");
	} else {
		(void)hv_snprintf(where_files, sizeof(where_files),
				  "the FAT volume of a disk; disks: %u; %s", disks,
				  disks == 0 ? "none works" : fs_why());
		log_info("no images from disk: looked in %s", where_files);
	}
}
