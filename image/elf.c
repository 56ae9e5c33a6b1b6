/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ELF images: System V ABI, chapters 4 (object files) and 5 (program headers).
 *
 * Loadable segments go to their physical addresses.  Kernels linked at high virtual
 * addresses whose linker script gives no physical ones keep the distances between
 * their segments and can be loaded where the configuration says.
 */
#include "image_priv.h"

#include <errno.h>
#include <string.h>

#define ELF_CLASS 4
#define ELF_DATA  5
#define ELF_IDENT 6
#define ELF_TYPE  16

#define ELF_CLASS32	1
#define ELF_CLASS64	2
#define ELF_LITTLE	1
#define ELF_TYPE_EXEC	2
#define ELF_TYPE_DYN	3
#define ELF_MACHINE_386 3

#define ELF64_HEADER_SIZE 64
#define ELF64_PHDR_SIZE	  56
#define ELF_MAX_PHDRS	  64

#define PT_LOAD	  1
#define PT_INTERP 3

struct phdr {
	uint32_t type;
	uint64_t offset;
	uint64_t vaddr;
	uint64_t paddr;
	uint64_t file_size;
	uint64_t mem_size;
	uint64_t align;
};

/* What is gathered while the program headers are read. */
struct elf_scan {
	struct image_source *src;
	const struct image_site *site;
	struct image_info *out;
	uint64_t entry; /* virtual */
	bool entry_found;
	uint64_t entry_paddr;
	uint64_t align;
};

static const char *machine_name(uint16_t machine)
{
	switch (machine) {
	case 183:
		return "aarch64";
	case 243:
		return "riscv64";
	case 62:
		return "x86_64";
	case ELF_MACHINE_386:
		return "i386";
	case 40:
		return "arm (32-bit)";
	case 22:
		return "s390x";
	case 21:
		return "ppc64";
	case 258:
		return "loongarch64";
	default:
		return "an unknown machine";
	}
}

static int damaged(const struct elf_scan *s, const char *why)
{
	image_diag(s->site, DIAG_ERROR, "%s: its ELF header is damaged: %s", s->src->name, why);
	return -ENOEXEC;
}

static int check_header(struct elf_scan *s, const uint8_t *h, enum vm_arch arch)
{
	uint16_t machine = le16(h + 18);
	const char *name = machine_name(machine);

	if (h[ELF_DATA] != ELF_LITTLE || h[ELF_IDENT] != 1) {
		return damaged(s, "not little-endian, version 1");
	}
	if (arch != VM_ARCH_ANY && vm_arch_from_name(name) != arch) {
		return image_foreign(s->src, "an ELF file", name, arch, s->site);
	}
	if (h[ELF_CLASS] != ELF_CLASS64) {
		image_diag(s->site, DIAG_ERROR, "%s is a %s ELF file; a 64-bit one is needed",
			   s->src->name, h[ELF_CLASS] == ELF_CLASS32 ? "32-bit" : "strange-sized");
		return -ENOEXEC;
	}
	if (le16(h + ELF_TYPE) != ELF_TYPE_EXEC && le16(h + ELF_TYPE) != ELF_TYPE_DYN) {
		image_diag(s->site, DIAG_ERROR, "%s is an ELF file but no linked program (type %u)",
			   s->src->name, (unsigned int)le16(h + ELF_TYPE));
		return -ENOEXEC;
	}
	if (le16(h + 54) != ELF64_PHDR_SIZE) {
		return damaged(s, "program headers have a wrong size");
	}
	if (le16(h + 56) == 0 || le16(h + 56) > ELF_MAX_PHDRS) {
		return damaged(s, "there are none, or more than 64 program headers");
	}
	return 0;
}

static int check_segment(const struct elf_scan *s, const struct phdr *p, uint32_t n)
{
	const char *why = NULL;

	if (!range_within(p->offset, p->file_size, 0, s->src->size)) {
		why = "lies outside of the file: truncated?";
	} else if (p->mem_size < p->file_size) {
		why = "is larger in the file than in memory";
	} else if (p->mem_size > IMAGE_MAX_SPAN || p->paddr > UINT64_MAX - p->mem_size ||
		   p->vaddr > UINT64_MAX - p->mem_size) {
		why = "wraps around the end of the address space";
	}
	if (why == NULL) {
		return 0;
	}
	image_diag(s->site, DIAG_ERROR,
		   "%s: segment %u (offset 0x%lx, 0x%lx bytes, address 0x%lx, 0x%lx bytes) %s",
		   s->src->name, n, p->offset, p->file_size, p->paddr, p->mem_size, why);
	return -ENOEXEC;
}

/* Keeps the segments sorted by address; `addr` is still absolute. */
static int add_segment(struct elf_scan *s, const struct phdr *p)
{
	struct image_info *out = s->out;
	uint32_t i = out->segment_count;

	if (i == IMAGE_MAX_SEGMENTS) {
		image_diag(s->site, DIAG_ERROR, "%s has more than %d loadable segments",
			   s->src->name, IMAGE_MAX_SEGMENTS);
		return -ENOEXEC;
	}
	while (i > 0 && out->segment[i - 1].addr > p->paddr) {
		out->segment[i] = out->segment[i - 1];
		i--;
	}
	out->segment[i].offset = p->offset;
	out->segment[i].file_size = p->file_size;
	out->segment[i].mem_size = p->mem_size;
	out->segment[i].addr = p->paddr;
	out->segment_count++;
	return 0;
}

static int scan_phdr(struct elf_scan *s, uint64_t offset, uint32_t n)
{
	uint8_t raw[ELF64_PHDR_SIZE];
	struct phdr p;
	int err = image_read(s->src, offset, raw, sizeof(raw), s->site);

	if (err < 0) {
		return err;
	}
	p.type = le32(raw);
	p.offset = le64(raw + 8);
	p.vaddr = le64(raw + 16);
	p.paddr = le64(raw + 24);
	p.file_size = le64(raw + 32);
	p.mem_size = le64(raw + 40);
	p.align = le64(raw + 48);
	if (p.type == PT_INTERP) {
		image_diag(s->site, DIAG_ERROR, "%s is a dynamically linked program, not a kernel",
			   s->src->name);
		return -ENOEXEC;
	}
	if (p.type != PT_LOAD || (p.mem_size == 0 && p.file_size == 0)) {
		return 0;
	}
	err = check_segment(s, &p, n);
	if (err < 0) {
		return err;
	}
	if (s->entry >= p.vaddr && s->entry - p.vaddr < p.mem_size) {
		s->entry_found = true;
		s->entry_paddr = p.paddr + (s->entry - p.vaddr);
	}
	if (p.align > s->align && p.align <= 2 * MiB && (p.align & (p.align - 1)) == 0) {
		s->align = p.align;
	}
	return add_segment(s, &p);
}

static bool entry_is_physical(const struct elf_scan *s)
{
	const struct image_info *out = s->out;

	for (uint32_t i = 0; i < out->segment_count; i++) {
		if (s->entry >= out->segment[i].addr &&
		    s->entry - out->segment[i].addr < out->segment[i].mem_size) {
			return true;
		}
	}
	return false;
}

/* Overlaps, extent, entry; then addresses are made relative to the base. */
static int finish(struct elf_scan *s, bool pie)
{
	struct image_info *out = s->out;
	uint64_t base, end = 0;

	if (out->segment_count == 0) {
		return damaged(s, "nothing in it is loadable");
	}
	for (uint32_t i = 0; i < out->segment_count; i++) {
		const struct image_segment *seg = &out->segment[i];

		if (i > 0 && seg->addr < end) {
			image_diag(
				s->site, DIAG_ERROR,
				"%s: segments at 0x%lx and 0x%lx overlap (the first ends at 0x%lx)",
				s->src->name, out->segment[i - 1].addr, seg->addr, end);
			return -ENOEXEC;
		}
		end = seg->addr + seg->mem_size;
	}
	base = ALIGN_DOWN(out->segment[0].addr, pie ? s->align : 1);
	if (end - base > IMAGE_MAX_SPAN) {
		return damaged(s, "its segments are too far apart");
	}
	if (!s->entry_found && entry_is_physical(s)) {
		s->entry_found = true;
		s->entry_paddr = s->entry;
	}
	if (!s->entry_found) {
		image_diag(s->site, DIAG_ERROR,
			   "%s: its entry point 0x%lx is in none of its segments", s->src->name,
			   s->entry);
		return -ENOEXEC;
	}
	out->span = end - base;
	out->entry = s->entry_paddr - base;
	out->align = s->align;
	/* A base that no guest-physical address can be is a virtual one. */
	out->fixed = !pie && end <= IMAGE_MAX_SPAN;
	out->base = out->fixed ? base : 0;
	out->floating = pie;
	for (uint32_t i = 0; i < out->segment_count; i++) {
		out->segment[i].addr -= base;
	}
	return 0;
}

int image_probe_elf(struct image_source *src, enum vm_arch arch, const struct image_site *site,
		    struct image_info *out)
{
	struct elf_scan s = { .src = src, .site = site, .out = out, .align = 1 };
	uint8_t h[ELF64_HEADER_SIZE];
	uint64_t table;
	uint32_t count;
	int err;

	if (src->size < sizeof(h)) {
		return damaged(&s, "it is truncated");
	}
	err = image_read(src, 0, h, sizeof(h), site);
	if (err < 0) {
		return err;
	}
	err = check_header(&s, h, arch);
	if (err < 0) {
		return err;
	}
	memset(out, 0, sizeof(*out));
	out->format = IMAGE_ELF64;
	out->arch = vm_arch_from_name(machine_name(le16(h + 18)));
	out->file_size = src->size;
	s.entry = le64(h + 24);
	table = le64(h + 32);
	count = le16(h + 56);
	if (!range_within(table, (uint64_t)count * ELF64_PHDR_SIZE, 0, src->size)) {
		return damaged(&s, "its program headers lie outside of the file: truncated?");
	}
	for (uint32_t i = 0; i < count; i++) {
		err = scan_phdr(&s, table + (uint64_t)i * ELF64_PHDR_SIZE, i);
		if (err < 0) {
			return err;
		}
	}
	return finish(&s, le16(h + ELF_TYPE) == ELF_TYPE_DYN);
}
