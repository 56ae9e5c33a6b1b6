/* SPDX-License-Identifier: Apache-2.0 */
/* Images compiled in, or on the disk's FAT volume; see image_store.h. */
#include <hv/builtin.h>
#include <hv/image_store.h>
#include <hv/log.h>

#include <errno.h>
#include <string.h>

/* The planner and the loader each have at most kernel, BIOS, ramdisk and tree open. */
#define OPEN_MAX 8

/* ops.close == NULL: the slot is free. */
static struct image_bytes open_bytes[OPEN_MAX];

static int open_builtin(uint32_t index, const char *path, struct image_source **out)
{
	for (uint32_t i = 0; i < builtin_image_count; i++) {
		const struct builtin_file *f = &builtin_images[i];

		if (f->config != index || strcmp(f->path, path) != 0) {
			continue;
		}
		for (uint32_t n = 0; n < OPEN_MAX; n++) {
			if (open_bytes[n].data == NULL || open_bytes[n].data == f->data) {
				image_bytes_init(&open_bytes[n], f->path, f->data, f->size);
				*out = &open_bytes[n].src;
				return 0;
			}
		}
		return -ENFILE;
	}
	return -ENOENT;
}

static int store_open(struct image_store *store, uint32_t index, enum vm_image_location location,
		      const char *path, struct image_source **out)
{
	(void)store;
	if (location == VM_IMAGE_MEMORY) {
		return open_builtin(index, path, out);
	}
	return -ENODEV;
}

static const char *store_where(struct image_store *store, enum vm_image_location location)
{
	(void)store;
	return location == VM_IMAGE_MEMORY ? "what the build compiled in"
					   : "the root of the disk's FAT volume";
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
	(void)m;
}
