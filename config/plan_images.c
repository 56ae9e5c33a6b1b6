/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner: images.  What they are, and where in guest memory they go.
 *
 * The device tree is made twice from the same board: here, to learn its exact size,
 * and when the VM is loaded.  Its size does not depend on where anything is placed.
 */
#include "plan_priv.h"

#include <errno.h>
#include <string.h>

#define IMAGE_WINDOW GiB /* what we place ourselves goes into the first GiB of RAM */
#define DTB_ALIGN    8	 /* booting.rst, and libfdt's own demand */

static const struct vm_config_image *config_of(const struct planner *p, enum plan_slot slot)
{
	switch (slot) {
	case PLAN_KERNEL:
		return &p->cfg->kernel;
	case PLAN_BIOS:
		return &p->cfg->bios;
	case PLAN_RAMDISK:
		return &p->cfg->ramdisk;
	case PLAN_DTB:
	case PLAN_SLOTS:
		break;
	}
	return &p->cfg->dtb;
}

/* ---- Reading ---- */

static int open_image(struct planner *p, enum plan_slot slot, struct image_source **src)
{
	const struct vm_config_image *c = config_of(p, slot);
	const struct image_site site = plan_site(p, c->pos);

	return image_open(p->req->store, p->req->index, p->cfg->image_location, c->path, &site,
			  src);
}

/* Kernel, BIOS, ramdisk: their headers. */
static void read_image(struct planner *p, enum plan_slot slot)
{
	const struct vm_config_image *c = config_of(p, slot);
	const struct image_site site = plan_site(p, c->pos);
	struct plan_image *img = &p->out->image[slot];
	struct image_source *src;
	int err;

	if (c->path[0] == '\0') {
		return;
	}
	img->path = c->path;
	img->pos = c->pos;
	err = open_image(p, slot, &src);
	if (err == 0) {
		err = slot == PLAN_KERNEL ? image_probe(src, p->req->arch, &site, &img->info)
					  : image_probe_data(src, &site, &img->info);
		image_close(src);
	}
	img->present = err == 0;
	img->size = img->info.span;
	p->failed = p->failed || err != 0;
}

static int read_dtb(struct planner *p, struct image_source *src, const struct image_site *site)
{
	if (src->size > FDT_GUEST_MAX || src->size > p->dtb_cap) {
		image_diag(site, DIAG_ERROR, "%s is %lu bytes long; a device tree may have %lu",
			   src->name, src->size, MIN((uint64_t)p->dtb_cap, FDT_GUEST_MAX));
		return -EINVAL;
	}
	if (src->size == 0) {
		image_diag(site, DIAG_ERROR, "%s is empty", src->name);
		return -ENODATA;
	}
	int err = image_read(src, 0, p->dtb, (size_t)src->size, site);

	return err != 0 ? err : fdt_guest_check(p->dtb, (size_t)src->size, site);
}

static void read_given_dtb(struct planner *p)
{
	const struct image_site site = plan_site(p, p->cfg->dtb.pos);
	struct image_source *src;
	int err = open_image(p, PLAN_DTB, &src);

	if (err == 0) {
		err = read_dtb(p, src, &site);
		image_close(src);
	}
	if (err != 0) {
		p->failed = true;
		return;
	}
	p->out->image[PLAN_DTB].path = p->cfg->dtb.path;
	fdt_guest_read(p->dtb, &p->guest);
	p->has_guest = true;
}

void plan_read_images(struct planner *p)
{
	if (p->req->store == NULL) {
		return;
	}
	read_image(p, PLAN_KERNEL);
	read_image(p, PLAN_BIOS);
	read_image(p, PLAN_RAMDISK);
	if (p->cfg->dtb.path[0] != '\0') {
		read_given_dtb(p);
	}
}

/* ---- The device tree ---- */

/* Patches or generates it in the work space, for its size. */
static int make_dtb(struct planner *p)
{
	struct guest_board *b = &p->out->board;
	struct plan_image *dtb = &p->out->image[PLAN_DTB];
	const bool wanted = p->out->image[PLAN_KERNEL].info.wants_dtb || p->cfg->dtb.load_addr.has;
	const struct image_site site =
		plan_site(p, p->has_guest ? p->cfg->dtb.pos : p->cfg->kernel.pos);
	int err;

	if (!p->has_guest && !wanted) {
		return 0;
	}
	/* An initrd is in it or not; where it is does not matter for the size. */
	b->initrd_start = 0;
	b->initrd_end = p->out->image[PLAN_RAMDISK].present ? 1 : 0;
	err = p->has_guest ? fdt_guest_patch(p->dtb, p->dtb_cap, b, &site, &p->dtb_size)
			   : fdt_guest_generate(p->dtb, p->dtb_cap, b, &site, &p->dtb_size);
	if (err != 0) {
		return err;
	}
	dtb->present = true;
	dtb->pos = site.pos;
	dtb->size = p->dtb_size;
	return 0;
}

/* ---- Placement ---- */

struct placing {
	struct planner *p;
	size_t ram_count;
	struct image_range ram[VM_MAX_MEMORY];
	size_t used_count;
	struct image_range used[PLAN_SLOTS];
};

static const char *slot_name(enum plan_slot slot)
{
	switch (slot) {
	case PLAN_KERNEL:
		return "the kernel";
	case PLAN_BIOS:
		return "the BIOS";
	case PLAN_RAMDISK:
		return "the ramdisk";
	case PLAN_DTB:
		return "the device tree";
	case PLAN_SLOTS:
		break;
	}
	return "?";
}

static void take(struct placing *pl, enum plan_slot slot, uint64_t base)
{
	struct plan_image *img = &pl->p->out->image[slot];

	img->base = base;
	pl->used[pl->used_count++] =
		(struct image_range){ .base = base, .size = img->size, .what = slot_name(slot) };
}

/* What the configuration gives an address. */
static int place_given(struct placing *pl, enum plan_slot slot)
{
	const struct vm_config_image *c = config_of(pl->p, slot);
	const struct image_site site = plan_site(pl->p, c->load_addr.pos);
	const struct plan_image *img = &pl->p->out->image[slot];
	int err;

	if (!img->present || !c->load_addr.has) {
		return 0;
	}
	if (slot == PLAN_DTB && !IS_ALIGNED(c->load_addr.value, DTB_ALIGN)) {
		image_diag(&site, DIAG_ERROR, "dtb_load_addr 0x%lx is not a multiple of %d",
			   c->load_addr.value, DTB_ALIGN);
		return -EINVAL;
	}
	err = image_place_at(pl->ram, pl->ram_count, pl->used, pl->used_count, slot_name(slot),
			     c->load_addr.value, img->size, &site);
	if (err == 0) {
		take(pl, slot, c->load_addr.value);
	}
	return err;
}

static int place_kernel(struct placing *pl)
{
	const struct vm_config_image *c = &pl->p->cfg->kernel;
	const struct image_site site =
		plan_site(pl->p, c->load_addr.has ? c->load_addr.pos : c->pos);
	uint64_t base;
	int err = image_place_kernel(&pl->p->out->image[PLAN_KERNEL].info,
				     c->load_addr.has ? &c->load_addr.value : NULL, pl->ram,
				     pl->ram_count, pl->used, pl->used_count, &site, &base);

	if (err == 0) {
		take(pl, PLAN_KERNEL, base);
	}
	return err;
}

/* What has no address yet goes to the end of the first GiB, out of everybody's way. */
static int place_free(struct placing *pl, enum plan_slot slot)
{
	const struct vm_config_image *c = config_of(pl->p, slot);
	const struct plan_image *img = &pl->p->out->image[slot];
	const struct image_site site = plan_site(pl->p, img->pos);
	uint64_t base;
	int err;

	if (!img->present || c->load_addr.has) {
		return 0;
	}
	err = image_place_free(pl->ram, pl->ram_count, pl->used, pl->used_count, slot_name(slot),
			       img->size, PAGE_SIZE, IMAGE_WINDOW, IMAGE_HIGH, &site, &base);
	if (err == 0) {
		take(pl, slot, base);
	}
	return err;
}

static int place_all(struct placing *pl)
{
	struct planner *p = pl->p;
	int err;

	if (p->out->image[PLAN_BIOS].present && !p->cfg->bios.load_addr.has) {
		plan_diag(p, DIAG_ERROR, p->cfg->bios.pos, "bios_load_addr is missing");
		return -EINVAL;
	}
	err = place_given(pl, PLAN_DTB);
	if (err == 0) {
		err = place_given(pl, PLAN_RAMDISK);
	}
	if (err == 0) {
		err = place_given(pl, PLAN_BIOS);
	}
	if (err == 0) {
		err = place_kernel(pl);
	}
	if (err == 0) {
		err = place_free(pl, PLAN_RAMDISK);
	}
	return err != 0 ? err : place_free(pl, PLAN_DTB);
}

static void decide_entry(struct planner *p)
{
	const struct plan_image *k = &p->out->image[PLAN_KERNEL];
	const struct cfg_u64 *given = &p->cfg->entry_point;
	const uint64_t natural = k->base + k->info.entry;

	p->out->entry = natural;
	if (p->out->image[PLAN_BIOS].present) {
		p->out->entry = p->out->image[PLAN_BIOS].base;
	}
	if (!given->has) {
		return;
	}
	p->out->entry = given->value;
	if (!p->out->image[PLAN_BIOS].present && k->info.format != IMAGE_RAW &&
	    given->value != natural) {
		plan_diag(p, DIAG_WARNING, given->pos,
			  "entry_point 0x%lx is used, but the %s would be entered at 0x%lx",
			  given->value, image_format_name(k->info.format), natural);
	}
}

void plan_place_images(struct planner *p)
{
	struct placing pl = { .p = p };
	struct guest_board *b = &p->out->board;
	const struct plan_image *ramdisk = &p->out->image[PLAN_RAMDISK];

	if (p->cfg->has_cmdline && p->cfg->cmdline[0] != '\0') {
		memcpy(p->out->bootargs, p->cfg->cmdline, sizeof(p->out->bootargs));
		b->bootargs = p->out->bootargs;
	}
	if (p->req->store == NULL || p->failed) {
		return;
	}
	for (uint32_t i = 0; i < b->ram_count; i++) {
		pl.ram[pl.ram_count++] =
			(struct image_range){ .base = b->ram[i].base, .size = b->ram[i].size };
	}
	if (make_dtb(p) != 0 || place_all(&pl) != 0) {
		return;
	}
	decide_entry(p);
	if (ramdisk->present) {
		b->initrd_start = ramdisk->base;
		b->initrd_end = ramdisk->base + ramdisk->info.file_size;
	}
	if (p->out->image[PLAN_DTB].present) {
		p->out->dtb_gpa = p->out->image[PLAN_DTB].base;
	}
}
