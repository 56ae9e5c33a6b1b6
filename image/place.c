/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where images go in guest-physical memory: pure arithmetic on ranges.
 */
#include <errno.h>
#include <hv/image.h>

static const struct image_range *find_overlap(const struct image_range *used, size_t count,
					      uint64_t base, uint64_t size)
{
	for (size_t i = 0; i < count; i++) {
		if (ranges_overlap(base, size, used[i].base, used[i].size)) {
			return &used[i];
		}
	}
	return NULL;
}

int image_place_at(const struct image_range *ram, size_t ram_count, const struct image_range *used,
		   size_t used_count, const char *what, uint64_t base, uint64_t size,
		   const struct image_site *site)
{
	const struct image_range *in = find_overlap(ram, ram_count, base, 1);
	const struct image_range *other;
	uint64_t room;

	if (in == NULL) {
		image_diag(site, DIAG_ERROR, "%s is to go to 0x%lx, which is in no memory region",
			   what, base);
		return -EFAULT;
	}
	room = in->size - (base - in->base);
	if (size > room) {
		image_diag(site, DIAG_ERROR,
			   "%s needs 0x%lx bytes at 0x%lx, but the memory region 0x%lx-0x%lx ends "
			   "there after 0x%lx: 0x%lx bytes are missing",
			   what, size, base, in->base, in->base + in->size - 1, room, size - room);
		return -ENOSPC;
	}
	other = find_overlap(used, used_count, base, size);
	if (other != NULL) {
		image_diag(site, DIAG_ERROR, "%s (0x%lx-0x%lx) overlaps %s (0x%lx-0x%lx)", what,
			   base, base + size - 1, other->what, other->base,
			   other->base + other->size - 1);
		return -EEXIST;
	}
	return 0;
}

/* What a search looks for: [x, x+size) with x - skew a multiple of align. */
struct want {
	uint64_t size;
	uint64_t align;
	uint64_t skew;
};

static bool search_low(const struct image_range *in, const struct image_range *used,
		       size_t used_count, const struct want *w, uint64_t *base)
{
	const struct image_range *hit;
	uint64_t x = in->base;

	/* x only grows, so each used range is met at most once. */
	for (size_t i = 0; i <= used_count; i++) {
		/* All addresses are below 2^48 and the skew is below 2^49: no wrap. */
		x = x <= w->skew ? w->skew : ALIGN_UP(x - w->skew, w->align) + w->skew;
		if (!range_within(x, w->size, in->base, in->size)) {
			return false;
		}
		hit = find_overlap(used, used_count, x, w->size);
		if (hit == NULL) {
			*base = x;
			return true;
		}
		x = hit->base + hit->size;
	}
	return false;
}

static bool search_high(const struct image_range *in, const struct image_range *used,
			size_t used_count, const struct want *w, uint64_t *base)
{
	const struct image_range *hit;
	uint64_t end = in->base + in->size;
	uint64_t x;

	for (size_t i = 0; i <= used_count; i++) {
		if (end < w->size) {
			return false;
		}
		x = ALIGN_DOWN(end - w->size, w->align);
		if (!range_within(x, w->size, in->base, in->size)) {
			return false;
		}
		hit = find_overlap(used, used_count, x, w->size);
		if (hit == NULL) {
			*base = x;
			return true;
		}
		end = hit->base;
	}
	return false;
}

int image_place_kernel(const struct image_info *info, const uint64_t *load,
		       const struct image_range *ram, size_t ram_count,
		       const struct image_range *used, size_t used_count,
		       const struct image_site *site, uint64_t *base)
{
	struct want w = { .size = info->span, .align = info->align, .skew = info->text_offset };

	if (load == NULL && info->floating) {
		for (size_t i = 0; i < ram_count; i++) {
			/* text_offset counts from an aligned place inside RAM. */
			uint64_t low = ALIGN_UP(ram[i].base, w.align);

			w.skew = low + info->text_offset;
			if (search_low(&ram[i], used, used_count, &w, base)) {
				return 0;
			}
		}
		image_diag(site, DIAG_ERROR,
			   "the kernel needs 0x%lx bytes; no memory region has room", info->span);
		return -ENOSPC;
	}
	if (load == NULL && !info->fixed) {
		image_diag(
			site, DIAG_ERROR,
			"kernel_load_addr is missing: this image (%s) does not say where it goes",
			image_format_name(info->format));
		return -EINVAL;
	}
	*base = load != NULL ? *load : info->base;
	if (load != NULL && info->fixed && *base != info->base) {
		image_diag(site, DIAG_WARNING,
			   "kernel_load_addr 0x%lx is used, but the ELF file is linked for 0x%lx",
			   *base, info->base);
	}
	if (!info->fixed && !IS_ALIGNED(*base - info->text_offset, info->align)) {
		image_diag(
			site, DIAG_WARNING,
			"kernel_load_addr 0x%lx is misaligned: the image wants a multiple of 0x%lx%s",
			*base, info->align, info->text_offset != 0 ? " plus its text_offset" : "");
	}
	return image_place_at(ram, ram_count, used, used_count, "the kernel", *base, info->span,
			      site);
}

int image_place_free(const struct image_range *ram, size_t ram_count,
		     const struct image_range *used, size_t used_count, const char *what,
		     uint64_t size, uint64_t align, uint64_t window, enum image_end end,
		     const struct image_site *site, uint64_t *base)
{
	const struct want w = { .size = size, .align = align };
	struct image_range in;

	for (size_t i = 0; i < ram_count; i++) {
		in = ram[i];
		in.size = MIN(in.size, window);
		if (end == IMAGE_LOW ? search_low(&in, used, used_count, &w, base)
				     : search_high(&in, used, used_count, &w, base)) {
			return 0;
		}
	}
	image_diag(site, DIAG_ERROR, "there is no free room of 0x%lx bytes for %s", size, what);
	return -ENOSPC;
}
