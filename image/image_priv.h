/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of image/ share: little-endian fields, the ELF reader. */
#ifndef IMAGE_PRIV_H
#define IMAGE_PRIV_H

#include <hv/image.h>

static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | (uint16_t)(p[1] << 8));
}

static inline uint32_t le32(const uint8_t *p)
{
	return (uint32_t)le16(p) | ((uint32_t)le16(p + 2) << 16);
}

static inline uint64_t le64(const uint8_t *p)
{
	return (uint64_t)le32(p) | ((uint64_t)le32(p + 4) << 32);
}

/* "is for riscv64, but the VM is aarch64"; always -EXDEV. */
int image_foreign(const struct image_source *src, const char *what, const char *theirs,
		  enum vm_arch ours, const struct image_site *site);

/* An image that starts with the ELF magic. */
int image_probe_elf(struct image_source *src, enum vm_arch arch, const struct image_site *site,
		    struct image_info *out);

#endif
