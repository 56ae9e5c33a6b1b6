/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loading a VM as planned: its images one after the other, in bounded steps, at the
 * first start and at each reset.
 *
 * Files are opened anew each time, and have to be what they were when the VM was
 * planned: placements were decided for those headers and sizes.
 */
#include <errno.h>
#include <hv/plan.h>
#include <string.h>

static struct image_site site_of(const struct vm_loader *l, const struct plan_image *img)
{
	return (struct image_site){ .sink = l->sink, .file = l->plan->cfg->file, .pos = img->pos };
}

void vm_load_start(struct vm_loader *l, const struct vm_plan *plan, struct image_store *store,
		   struct stage2 *s2, void *work, size_t work_size, struct diag_sink *sink)
{
	memset(l, 0, sizeof(*l));
	l->plan = plan;
	l->store = store;
	l->s2 = s2;
	l->work = work;
	l->work_size = work_size;
	l->sink = sink;
}

static int open_image(struct vm_loader *l, const struct plan_image *img)
{
	const struct image_site site = site_of(l, img);

	return image_open(l->store, l->plan->index, l->plan->cfg->image_location, img->path, &site,
			  &l->src);
}

static int changed(const struct vm_loader *l, const struct plan_image *img)
{
	const struct image_site site = site_of(l, img);

	image_diag(&site, DIAG_ERROR,
		   "\"%s\" is not the file any more that the VM was planned with",
		   img->path != NULL ? img->path : "device tree");
	return -EIO;
}

static bool same_image(const struct image_info *a, const struct image_info *b)
{
	if (a->format != b->format || a->file_size != b->file_size || a->span != b->span ||
	    a->entry != b->entry || a->segment_count != b->segment_count) {
		return false;
	}
	for (uint32_t i = 0; i < a->segment_count; i++) {
		const struct image_segment *s = &a->segment[i];
		const struct image_segment *t = &b->segment[i];

		if (s->offset != t->offset || s->file_size != t->file_size ||
		    s->mem_size != t->mem_size || s->addr != t->addr) {
			return false;
		}
	}
	return true;
}

static int start_image(struct vm_loader *l, const struct plan_image *img)
{
	const struct image_site site = site_of(l, img);
	struct image_info now;
	int err = open_image(l, img);

	if (err != 0) {
		return err;
	}
	err = l->slot == PLAN_KERNEL ? image_probe(l->src, l->plan->board.arch, &site, &now)
				     : image_probe_data(l->src, &site, &now);
	if (err != 0) {
		return err;
	}
	if (!same_image(&now, &img->info)) {
		return changed(l, img);
	}
	image_load_start(&l->loader, l->src, &img->info, l->s2, img->base, &site);
	return 1;
}

/* The tree as given, into the work space. */
static int read_dtb(struct vm_loader *l, const struct plan_image *img)
{
	const struct image_site site = site_of(l, img);
	size_t size;
	int err = open_image(l, img);

	if (err != 0) {
		return err;
	}
	if (l->src->size > l->work_size) {
		return changed(l, img);
	}
	size = (size_t)l->src->size;
	err = image_read(l->src, 0, l->work, size, &site);
	return err != 0 ? err : fdt_guest_check(l->work, size, &site);
}

static int make_dtb(struct vm_loader *l, const struct plan_image *img)
{
	const struct guest_board *board = &l->plan->board;
	const struct image_site site = site_of(l, img);
	int err;

	if (img->path != NULL) {
		err = read_dtb(l, img);
		if (err == 0) {
			err = fdt_guest_patch(l->work, l->work_size, board, &site, &l->dtb_size);
		}
	} else {
		err = fdt_guest_generate(l->work, l->work_size, board, &site, &l->dtb_size);
	}
	if (err != 0) {
		return err;
	}
	return l->dtb_size == img->size ? 1 : changed(l, img);
}

static int write_dtb(struct vm_loader *l, const struct plan_image *img)
{
	const struct image_site site = site_of(l, img);
	const size_t n = MIN(l->dtb_size - l->dtb_done, (size_t)IMAGE_STEP);
	int err = image_load_bytes(l->s2, img->base + l->dtb_done,
				   (const uint8_t *)l->work + l->dtb_done, n, &site);

	if (err != 0) {
		return err;
	}
	l->dtb_done += n;
	return l->dtb_done < l->dtb_size ? 1 : 0;
}

static int step_dtb(struct vm_loader *l, const struct plan_image *img)
{
	return l->dtb_size == 0 ? make_dtb(l, img) : write_dtb(l, img);
}

static int step_image(struct vm_loader *l, const struct plan_image *img)
{
	return l->src == NULL ? start_image(l, img) : image_load_step(&l->loader);
}

int vm_load_step(struct vm_loader *l)
{
	const struct plan_image *img;
	int more;

	while (l->slot < PLAN_SLOTS && !l->plan->image[l->slot].present) {
		l->slot++;
	}
	if (l->slot == PLAN_SLOTS) {
		return 0;
	}
	img = &l->plan->image[l->slot];
	more = l->slot == PLAN_DTB ? step_dtb(l, img) : step_image(l, img);
	if (more != 0) {
		return more;
	}
	vm_load_end(l);
	l->slot++;
	return 1;
}

void vm_load_end(struct vm_loader *l)
{
	image_close(l->src);
	l->src = NULL;
}
