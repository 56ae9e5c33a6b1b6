/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image sources: opening, checked reads, and the source over bytes in memory.
 */
#include <errno.h>
#include <hv/image.h>
#include <string.h>

void image_diag(const struct image_site *site, enum diag_severity severity, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	diag_vemit(site->sink, severity, site->file, site->pos, fmt, ap);
	va_end(ap);
}

static const char *open_reason(int err)
{
	switch (err) {
	case -ENOENT:
		return "there is no such file";
	case -ENODEV:
		return "there is no such volume";
	case -EIO:
		return "the device or its file system reports an error";
	case -ENFILE:
		return "too many files are open";
	default:
		return "it cannot be read";
	}
}

int image_open(struct image_store *store, uint32_t index, enum vm_image_location location,
	       const char *path, const struct image_site *site, struct image_source **out)
{
	int err = store->ops->open(store, index, location, path, out);

	if (err < 0) {
		image_diag(site, DIAG_ERROR, "cannot open \"%s\": %s (error %d; looked in %s)",
			   path, open_reason(err), -err, store->ops->where(store, location));
	}
	return err;
}

int image_read(struct image_source *src, uint64_t offset, void *buf, size_t len,
	       const struct image_site *site)
{
	int err;

	if (!range_within(offset, len, 0, src->size)) {
		image_diag(site, DIAG_ERROR,
			   "%s ends at byte 0x%lx, but bytes up to 0x%lx are needed: truncated?",
			   src->name, src->size, offset + len);
		return -EIO;
	}
	if (len == 0) {
		return 0;
	}
	err = src->ops->read(src, offset, buf, len);
	if (err < 0) {
		image_diag(site, DIAG_ERROR,
			   "%s: reading 0x%lx bytes at offset 0x%lx fails: error %d", src->name,
			   (uint64_t)len, offset, -err);
		return err;
	}
	return 0;
}

void image_close(struct image_source *src)
{
	if (src != NULL) {
		src->ops->close(src);
	}
}

static int bytes_read(struct image_source *src, uint64_t offset, void *buf, size_t len)
{
	struct image_bytes *b = container_of(src, struct image_bytes, src);

	if (!range_within(offset, len, 0, src->size)) {
		return -EIO;
	}
	memcpy(buf, b->data + offset, len);
	return 0;
}

static void bytes_close(struct image_source *src)
{
	(void)src;
}

static const struct image_source_ops bytes_ops = {
	.read = bytes_read,
	.close = bytes_close,
};

void image_bytes_init(struct image_bytes *b, const char *name, const void *data, uint64_t size)
{
	b->src.ops = &bytes_ops;
	b->src.name = name;
	b->src.size = size;
	b->data = data;
}
