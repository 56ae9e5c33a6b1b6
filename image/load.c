/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The copy of an image into guest memory, straight into the guest's frames: a file is
 * read once, by its source, to where it belongs.
 *
 * It runs in a preemptible thread while the VM has no running vCPU.  Each chunk is
 * translated anew through the VM's own stage-2 tables, so what is written is what the
 * guest owns, whatever the plan believed.  This is the one place that does the cache
 * maintenance for images (docs/ordering.md, "image load").
 */
#include <errno.h>
#include <hv/arch_mm.h>
#include <hv/image.h>
#include <hv/stage2.h>
#include <string.h>

/* The start of [at, at+*len) in host memory; *len is cut to what is in one piece. */
static int load_window(struct stage2 *s2, uint64_t at, size_t *len, const struct image_site *site,
		       void **ptr)
{
	uint64_t left;
	uint32_t attr;
	hpa_t pa;
	int err = stage2_translate(s2, gpa(at), &left, &pa, &attr);

	if (err < 0 || (attr & PT_DEVICE) != 0) {
		image_diag(site, DIAG_ERROR, "cannot load: guest address 0x%lx is %s", at,
			   err < 0 ? "not mapped" : "a device");
		return -EFAULT;
	}
	*len = (size_t)MIN((uint64_t)*len, left);
	*ptr = hpa_to_ptr(pa);
	return 0;
}

void image_load_start(struct image_loader *l, struct image_source *src,
		      const struct image_info *info, struct stage2 *s2, uint64_t base,
		      const struct image_site *site)
{
	l->src = src;
	l->info = *info;
	l->s2 = s2;
	l->site = *site;
	l->base = base;
	l->segment = 0;
	l->done = 0;
}

/* One chunk of a segment; *len is what may still be done in this step. */
static int load_chunk(struct image_loader *l, const struct image_segment *seg, size_t *len)
{
	uint64_t left = seg->mem_size - l->done;
	size_t n = *len;
	void *ptr;
	int err;

	if (l->done < seg->file_size) {
		left = seg->file_size - l->done;
	}
	n = (size_t)MIN((uint64_t)n, left);
	err = load_window(l->s2, l->base + seg->addr + l->done, &n, &l->site, &ptr);
	if (err < 0) {
		return err;
	}
	if (l->done < seg->file_size) {
		err = image_read(l->src, seg->offset + l->done, ptr, n, &l->site);
		if (err < 0) {
			return err;
		}
	} else {
		memset(ptr, 0, n);
	}
	arch_cache_image_range(ptr, n);
	l->done += n;
	*len -= n;
	return 0;
}

int image_load_step(struct image_loader *l)
{
	size_t budget = IMAGE_STEP;

	while (budget > 0 && l->segment < l->info.segment_count) {
		const struct image_segment *seg = &l->info.segment[l->segment];

		if (l->done == seg->mem_size) {
			l->segment++;
			l->done = 0;
			continue;
		}
		int err = load_chunk(l, seg, &budget);
		if (err < 0) {
			return err;
		}
	}
	return l->segment < l->info.segment_count ? 1 : 0;
}

int image_load_bytes(struct stage2 *s2, uint64_t gpa_base, const void *data, size_t len,
		     const struct image_site *site)
{
	const uint8_t *from = data;

	while (len > 0) {
		size_t n = len;
		void *ptr;
		int err = load_window(s2, gpa_base, &n, site, &ptr);

		if (err < 0) {
			return err;
		}
		memcpy(ptr, from, n);
		arch_cache_image_range(ptr, n);
		from += n;
		gpa_base += n;
		len -= n;
	}
	return 0;
}
