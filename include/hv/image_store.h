/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the running hypervisor finds images: compiled in (hv/builtin.h), or on the
 * FAT volume of a disk.  One thread, the VMM's.
 */
#ifndef HV_IMAGE_STORE_H
#define HV_IMAGE_STORE_H

#include <hv/image.h>

struct machine;

/* Looks for a disk with a FAT volume; without one, images on "fs" are not found. */
void image_store_init(const struct machine *m);

struct image_store *image_store_boot(void);

#endif
