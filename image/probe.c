/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What kind of image is this?  Raw binaries and Linux Images here, ELF in elf.c.
 *
 * Linux Documentation/arch/arm64/booting.rst ("Call the kernel image"),
 * Documentation/arch/riscv/boot-image-header.rst, Documentation/arch/x86/boot.rst
 * (to recognize a bzImage), PE/COFF specification 3.3.1 (machine types).
 */
#include "image_priv.h"

#include <errno.h>
#include <string.h>

/* Enough for every header that is looked at, the bzImage's "HdrS" being the last. */
#define HEAD_SIZE 0x210

#define LINUX_HEADER_SIZE  64
#define LINUX_TEXT_OFFSET  0x08
#define LINUX_IMAGE_SIZE   0x10
#define LINUX_FLAGS	   0x18
#define LINUX_MAGIC_RISCV  0x30
#define LINUX_MAGIC2	   0x38
#define LINUX_FLAG_BE	   BIT64(0)
#define LINUX_ALIGN	   (2 * MiB)
#define ARM64_OLD_OFFSET   0x80000 /* of kernels before 3.17, which give image_size 0 */
#define BZIMAGE_BOOT_FLAG  0x1fe
#define BZIMAGE_MAGIC	   0x202
#define PE_HEADER_OFFSET   0x3c
#define PE_MACHINE_ARM64   0xaa64
#define PE_MACHINE_RISCV64 0x5064
#define PE_MACHINE_X86_64  0x8664

struct signature {
	uint8_t len;
	uint8_t bytes[6];
	const char *what;
	const char *advice;
};

/* What people mistake for a kernel image; all of them at offset 0. */
static const struct signature unusable[] = {
	{ 3, { 0x1f, 0x8b, 0x08 }, "compressed (gzip)", "gunzip it first" },
	{ 6, { 0xfd, '7', 'z', 'X', 'Z', 0 }, "compressed (xz)", "unxz it first" },
	{ 4, { 0x28, 0xb5, 0x2f, 0xfd }, "compressed (zstd)", "unzstd it first" },
	{ 4, { 0x04, 0x22, 0x4d, 0x18 }, "compressed (lz4)", "unlz4 it first" },
	{ 4, { 0x02, 0x21, 0x4c, 0x18 }, "compressed (lz4)", "unlz4 it first" },
	{ 4, { 0x27, 0x05, 0x19, 0x56 }, "a U-Boot uImage", "give the file it was made from" },
	{ 4, { 0xd0, 0x0d, 0xfe, 0xed }, "a device tree or FIT", "give the kernel itself" },
};

const char *image_format_name(enum image_format format)
{
	switch (format) {
	case IMAGE_RAW:
		return "raw binary";
	case IMAGE_LINUX_ARM64:
		return "Linux Image (arm64)";
	case IMAGE_LINUX_RISCV:
		return "Linux Image (riscv)";
	case IMAGE_ELF64:
		return "64-bit ELF";
	case IMAGE_ELF32:
		return "32-bit ELF";
	}
	return "?";
}

int image_foreign(const struct image_source *src, const char *what, const char *theirs,
		  enum vm_arch ours, const struct image_site *site)
{
	image_diag(site, DIAG_ERROR, "%s is %s for %s, but the VM's architecture is %s", src->name,
		   what, theirs, vm_arch_name(ours));
	return -EXDEV;
}

static void info_raw(const struct image_source *src, struct image_info *out)
{
	memset(out, 0, sizeof(*out));
	out->format = IMAGE_RAW;
	out->arch = VM_ARCH_ANY;
	out->file_size = src->size;
	out->span = src->size;
	out->align = 1;
	out->segment_count = 1;
	out->segment[0].file_size = src->size;
	out->segment[0].mem_size = src->size;
}

static int check_size(const struct image_source *src, const struct image_site *site)
{
	if (src->size == 0) {
		image_diag(site, DIAG_ERROR, "%s is empty", src->name);
		return -ENODATA;
	}
	if (src->size > IMAGE_MAX_SPAN) {
		image_diag(site, DIAG_ERROR, "%s is 0x%lx bytes long: more than a guest can have",
			   src->name, src->size);
		return -ENOEXEC;
	}
	return 0;
}

static int probe_linux(const struct image_source *src, const uint8_t *head, enum vm_arch theirs,
		       enum vm_arch arch, const struct image_site *site, struct image_info *out)
{
	uint64_t text_offset = le64(head + LINUX_TEXT_OFFSET);
	uint64_t image_size = le64(head + LINUX_IMAGE_SIZE);

	if (arch != VM_ARCH_ANY && arch != theirs) {
		return image_foreign(src, "a Linux Image", vm_arch_name(theirs), arch, site);
	}
	if (src->size < LINUX_HEADER_SIZE) {
		image_diag(site, DIAG_ERROR,
			   "%s has %lu bytes of a Linux Image header of %d: truncated", src->name,
			   src->size, LINUX_HEADER_SIZE);
		return -ENOEXEC;
	}
	if ((le64(head + LINUX_FLAGS) & LINUX_FLAG_BE) != 0) {
		image_diag(site, DIAG_ERROR, "%s is a big-endian Linux Image: not supported",
			   src->name);
		return -ENOEXEC;
	}
	if (theirs == VM_ARCH_AARCH64 && image_size == 0) {
		text_offset = ARM64_OLD_OFFSET;
	}
	if (image_size > IMAGE_MAX_SPAN || text_offset > IMAGE_MAX_SPAN) {
		image_diag(site, DIAG_ERROR,
			   "%s: its Image header is damaged (image_size 0x%lx, text_offset 0x%lx)",
			   src->name, image_size, text_offset);
		return -ENOEXEC;
	}
	info_raw(src, out);
	out->format = theirs == VM_ARCH_AARCH64 ? IMAGE_LINUX_ARM64 : IMAGE_LINUX_RISCV;
	out->arch = theirs;
	out->span = MAX(image_size, src->size);
	out->floating = true;
	out->align = LINUX_ALIGN;
	out->text_offset = text_offset;
	out->wants_dtb = true;
	return 0;
}

static bool is_bzimage(const uint8_t *head)
{
	return le16(head + BZIMAGE_BOOT_FLAG) == 0xaa55 &&
	       memcmp(head + BZIMAGE_MAGIC, "HdrS", 4) == 0;
}

static const char *pe_machine_name(uint16_t machine)
{
	switch (machine) {
	case PE_MACHINE_ARM64:
		return "aarch64";
	case PE_MACHINE_RISCV64:
		return "riscv64";
	case PE_MACHINE_X86_64:
		return "x86_64";
	default:
		return NULL;
	}
}

/* An EFI program without a Linux Image header.  0: it is none. */
static int refuse_pe(struct image_source *src, const uint8_t *head, enum vm_arch arch,
		     const struct image_site *site)
{
	uint32_t at = le32(head + PE_HEADER_OFFSET);
	const char *machine;
	uint8_t pe[6];
	int err;

	if (head[0] != 'M' || head[1] != 'Z' || !range_within(at, sizeof(pe), 0, src->size)) {
		return 0;
	}
	err = image_read(src, at, pe, sizeof(pe), site);
	if (err < 0) {
		return err;
	}
	if (memcmp(pe, "PE\0\0", 4) != 0) {
		return 0;
	}
	machine = pe_machine_name(le16(pe + 4));
	if (machine != NULL && arch != VM_ARCH_ANY && vm_arch_from_name(machine) != arch) {
		return image_foreign(src, "an EFI program", machine, arch, site);
	}
	image_diag(site, DIAG_ERROR, "%s is an EFI program%s: give an uncompressed Linux Image",
		   src->name, memcmp(head + 4, "zimg", 4) == 0 ? " with a compressed kernel" : "");
	return -ENOEXEC;
}

static int refuse_unusable(struct image_source *src, const uint8_t *head, enum vm_arch arch,
			   const struct image_site *site)
{
	for (size_t i = 0; i < ARRAY_SIZE(unusable); i++) {
		if (memcmp(head, unusable[i].bytes, unusable[i].len) == 0) {
			image_diag(site, DIAG_ERROR, "%s is %s: %s", src->name, unusable[i].what,
				   unusable[i].advice);
			return -ENOEXEC;
		}
	}
	if (is_bzimage(head)) {
		if (arch != VM_ARCH_X86_64 && arch != VM_ARCH_ANY) {
			return image_foreign(src, "a Linux bzImage", "x86_64", arch, site);
		}
		image_diag(site, DIAG_ERROR, "%s is a Linux bzImage: not supported", src->name);
		return -ENOEXEC;
	}
	return refuse_pe(src, head, arch, site);
}

int image_probe(struct image_source *src, enum vm_arch arch, const struct image_site *site,
		struct image_info *out)
{
	uint8_t head[HEAD_SIZE] = { 0 };
	int err = check_size(src, site);

	if (err < 0) {
		return err;
	}
	err = image_read(src, 0, head, (size_t)MIN(src->size, (uint64_t)HEAD_SIZE), site);
	if (err < 0) {
		return err;
	}
	if (memcmp(head, "\177ELF", 4) == 0) {
		return image_probe_elf(src, arch, site, out);
	}
	if (memcmp(head + LINUX_MAGIC2, "ARM\x64", 4) == 0) {
		return probe_linux(src, head, VM_ARCH_AARCH64, arch, site, out);
	}
	if (memcmp(head + LINUX_MAGIC2, "RSC\x05", 4) == 0 ||
	    memcmp(head + LINUX_MAGIC_RISCV, "RISCV\0\0\0", 8) == 0) {
		return probe_linux(src, head, VM_ARCH_RISCV64, arch, site, out);
	}
	err = refuse_unusable(src, head, arch, site);
	if (err < 0) {
		return err;
	}
	info_raw(src, out);
	return 0;
}

int image_probe_data(struct image_source *src, const struct image_site *site,
		     struct image_info *out)
{
	int err = check_size(src, site);

	if (err < 0) {
		return err;
	}
	info_raw(src, out);
	return 0;
}
