/* SPDX-License-Identifier: Apache-2.0 */
/* Image sources, formats and placement: what is accepted, and in which words not. */
#include "image_test.h"

#include <errno.h>

#define ARM   VM_ARCH_AARCH64
#define RISCV VM_ARCH_RISCV64
#define X86   VM_ARCH_X86_64
#define ANY   VM_ARCH_ANY

static struct test_sink sink;
static struct image_info info;
static uint8_t file[0x4000];

static int probe(uint64_t size, enum vm_arch arch)
{
	struct image_bytes b;
	struct image_site site;

	test_sink_init(&sink);
	site = test_site(&sink);
	image_bytes_init(&b, "kernel.bin", file, size);
	memset(&info, 0x5a, sizeof(info));
	return image_probe(&b.src, arch, &site, &info);
}

/* A refusal says why, at the right place, once. */
static void refused(uint64_t size, enum vm_arch arch, int err, const char *why)
{
	assert_int_equal(probe(size, arch), err);
	assert_int_equal(sink.sink.count[DIAG_ERROR], 1);
	assert_int_equal(sink.pos[DIAG_ERROR].line, 7);
	assert_int_equal(sink.pos[DIAG_ERROR].col, 15);
	assert_said(&sink, DIAG_ERROR, "kernel.bin");
	assert_said(&sink, DIAG_ERROR, why);
}

static int setup(void **state)
{
	(void)state;
	memset(file, 0, sizeof(file));
	return 0;
}

static void test_raw(void **state)
{
	(void)state;
	assert_int_equal(probe(5, ARM), 0);
	assert_int_equal(info.format, IMAGE_RAW);
	assert_int_equal(info.arch, ANY);
	assert_int_equal(info.span, 5);
	assert_int_equal(info.file_size, 5);
	assert_int_equal(info.segment_count, 1);
	assert_int_equal(info.segment[0].mem_size, 5);
	assert_int_equal(info.align, 1);
	assert_false(info.wants_dtb || info.fixed || info.floating);
	assert_int_equal(sink.sink.count[DIAG_ERROR], 0);
	refused(0, ARM, -ENODATA, "empty");
	refused((UINT64_C(1) << 48) + 1, ARM, -ENOEXEC, "more than a guest can have");
}

static void test_arm64_image(void **state)
{
	(void)state;
	put_arm64_header(file, 0x80000, 0x123000);
	assert_int_equal(probe(0x1000, ARM), 0);
	assert_int_equal(info.format, IMAGE_LINUX_ARM64);
	assert_int_equal(info.span, 0x123000);
	assert_int_equal(info.text_offset, 0x80000);
	assert_int_equal(info.align, 2 * MiB);
	assert_int_equal(info.entry, 0);
	assert_true(info.wants_dtb && info.floating && !info.fixed);
	assert_int_equal(info.segment[0].file_size, 0x1000);
	assert_int_equal(info.segment[0].mem_size, 0x1000);

	/* The file is longer than image_size: memory has to hold the file. */
	put_arm64_header(file, 0, 0x100);
	assert_int_equal(probe(0x1000, ARM), 0);
	assert_int_equal(info.span, 0x1000);

	/* Before 3.17: no size, and the text_offset field means nothing. */
	put_arm64_header(file, 0x1234, 0);
	assert_int_equal(probe(0x1000, ARM), 0);
	assert_int_equal(info.text_offset, 0x80000);

	put_arm64_header(file, 0, 0x1000);
	refused(0x1000, RISCV, -EXDEV,
		"Linux Image for aarch64, but the VM's architecture is riscv64");
	refused(0x1000, X86, -EXDEV, "x86_64");
	assert_int_equal(probe(0x1000, ANY), 0);
	refused(60, ARM, -ENOEXEC, "truncated");
	file[0x18] |= 1;
	refused(0x1000, ARM, -ENOEXEC, "big-endian");
	put_arm64_header(file, 0, UINT64_MAX);
	refused(0x1000, ARM, -ENOEXEC, "image_size 0xffffffffffffffff");
	put_arm64_header(file, UINT64_C(1) << 49, 0x1000);
	refused(0x1000, ARM, -ENOEXEC, "text_offset 0x2000000000000");
}

static void test_riscv_image(void **state)
{
	(void)state;
	put64(file + 8, 0x200000);
	put64(file + 0x10, 0x800000);
	put32(file + 0x20, 2);
	memcpy(file + 0x30, "RISCV\0\0\0RSC\x05", 12);
	assert_int_equal(probe(0x1000, RISCV), 0);
	assert_int_equal(info.format, IMAGE_LINUX_RISCV);
	assert_int_equal(info.text_offset, 0x200000);
	assert_int_equal(info.span, 0x800000);
	refused(0x1000, ARM, -EXDEV,
		"Linux Image for riscv64, but the VM's architecture is aarch64");
}

static void test_not_kernels(void **state)
{
	static const struct {
		uint8_t bytes[8];
		const char *say;
	} list[] = {
		{ { 0x1f, 0x8b, 0x08 }, "compressed (gzip): gunzip it first" },
		{ { 0xfd, '7', 'z', 'X', 'Z', 0 }, "xz" },
		{ { 0x28, 0xb5, 0x2f, 0xfd }, "zstd" },
		{ { 0x27, 0x05, 0x19, 0x56 }, "uImage" },
		{ { 0xd0, 0x0d, 0xfe, 0xed }, "device tree" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		memcpy(file, list[i].bytes, 8);
		refused(0x1000, ARM, -ENOEXEC, list[i].say);
	}
	setup(NULL);
	put16(file + 0x1fe, 0xaa55);
	memcpy(file + 0x202, "HdrS", 4);
	refused(0x1000, ARM, -EXDEV, "bzImage for x86_64, but the VM's architecture is aarch64");

	setup(NULL);
	memcpy(file, "MZ\0\0zimg", 8);
	put32(file + 0x3c, 0x80);
	memcpy(file + 0x80, "PE\0\0", 4);
	put16(file + 0x84, 0xaa64);
	refused(0x1000, ARM, -ENOEXEC, "EFI program with a compressed kernel");
	put16(file + 0x84, 0x8664);
	refused(0x1000, ARM, -EXDEV, "EFI program for x86_64");
	/* "MZ" without a PE header is just bytes. */
	put32(file + 0x3c, 0xffffffff);
	assert_int_equal(probe(0x1000, ARM), 0);
	assert_int_equal(info.format, IMAGE_RAW);
}

static void test_elf(void **state)
{
	/* Out of order, with BSS and a virtual entry point. */
	const struct test_phdr data = { 1,	0x2000, 0xffff000040100000, 0x40100000, 0x300,
					0x5000, 0x1000 };
	const struct test_phdr text = { 1,	0x1000, 0xffff000040080000, 0x40080000, 0x1000,
					0x1000, 0x1000 };
	const struct test_phdr note = { 4, 0x10, 0, 0, 0x10, 0x10, 4 };
	const struct test_phdr empty = { 1, 0x10, 0x40080000, 0x40080000, 0, 0, 4 };

	(void)state;
	put_elf(file, 2, 183, 0xffff000040080040, 4);
	put_phdr(file + 64, &data);
	put_phdr(file + 120, &note);
	put_phdr(file + 176, &text);
	put_phdr(file + 232, &empty);
	assert_int_equal(probe(0x2300, ARM), 0);
	assert_int_equal(info.format, IMAGE_ELF64);
	assert_int_equal(info.arch, ARM);
	assert_true(info.fixed && !info.floating && !info.wants_dtb);
	assert_int_equal(info.base, 0x40080000);
	assert_int_equal(info.entry, 0x40);
	assert_int_equal(info.span, 0x40105000 - 0x40080000);
	assert_int_equal(info.segment_count, 2);
	assert_int_equal(info.segment[0].addr, 0);
	assert_int_equal(info.segment[0].offset, 0x1000);
	assert_int_equal(info.segment[1].addr, 0x80000);
	assert_int_equal(info.segment[1].file_size, 0x300);
	assert_int_equal(info.segment[1].mem_size, 0x5000);

	/* A physical entry point is as good. */
	put64(file + 24, 0x40080080);
	assert_int_equal(probe(0x2300, ARM), 0);
	assert_int_equal(info.entry, 0x80);

	refused(0x2300, RISCV, -EXDEV,
		"an ELF file for aarch64, but the VM's architecture is riscv64");
	refused(0x22ff, ARM, -ENOEXEC, "segment 0 (offset 0x2000, 0x300 bytes");
	put64(file + 24, 0x40081000);
	refused(0x2300, ARM, -ENOEXEC, "entry point 0x40081000 is in none");
	put_elf(file, 2, 62, 0x40080000, 4);
	refused(0x2300, ARM, -EXDEV, "x86_64");
	put_elf(file, 2, 183, 0x40080000, 4);
	file[4] = 1;
	refused(0x2300, ARM, -ENOEXEC, "32-bit");
	put_elf(file, 1, 183, 0x40080000, 4);
	refused(0x2300, ARM, -ENOEXEC, "no linked program");
	refused(40, ARM, -ENOEXEC, "truncated");
}

static void test_elf_virtual(void **state)
{
	const struct test_phdr p = { 1,	     0x1000, 0xffff000000080000, 0xffff000000080000, 0x100,
				     0x2000, 0x10000 };

	(void)state;
	put_elf(file, 2, 183, p.vaddr, 1);
	put_phdr(file + 64, &p);
	assert_int_equal(probe(0x1100, ARM), 0);
	assert_false(info.fixed || info.floating);
	assert_int_equal(info.span, 0x2000);
	assert_int_equal(info.align, 0x10000);
}

static void test_elf_pie(void **state)
{
	const struct test_phdr p = { 1, 0x1000, 0x1000, 0x1000, 0x100, 0x2000, 0x10000 };

	(void)state;
	put_elf(file, 3, 183, 0x1010, 1);
	put_phdr(file + 64, &p);
	assert_int_equal(probe(0x1100, ARM), 0);
	assert_true(info.floating && !info.fixed);
	assert_int_equal(info.segment[0].addr, 0x1000);
	assert_int_equal(info.entry, 0x1010);
	assert_int_equal(info.span, 0x3000);
}

static void elf_segment(const struct test_phdr *p, const char *why)
{
	put_elf(file, 2, 183, 0x40080000, 1);
	put_phdr(file + 64, p);
	refused(sizeof(file), ARM, -ENOEXEC, why);
}

static void test_elf_damaged(void **state)
{
	static const struct {
		struct test_phdr p;
		const char *why;
	} list[] = {
		{ { 1, 0x1000, 0x40080000, 0x40080000, 0x200, 0x100, 1 }, "larger in the file" },
		{ { 1, UINT64_MAX, 0x40080000, 0x40080000, 2, 2, 1 }, "outside of the file" },
		{ { 1, 0x3fff, 0x40080000, 0x40080000, 2, 2, 1 }, "outside of the file" },
		{ { 1, 0, 0x40080000, 0x40080000, 2, UINT64_MAX, 1 }, "wraps" },
		{ { 1, 0, 0x40080000, UINT64_MAX, 2, 2, 1 }, "wraps" },
		{ { 3, 0, 0, 0, 1, 1, 1 }, "dynamically linked" },
		{ { 2, 0, 0, 0, 1, 1, 1 }, "nothing in it is loadable" },
	};
	const struct test_phdr a = { 1, 0, 0x40080000, 0x40080000, 0x100, 0x1001, 1 };
	const struct test_phdr b = { 1, 0, 0x40081000, 0x40081000, 0x100, 0x100, 1 };
	const struct test_phdr far = { 1, 0, 0x40080000, UINT64_C(1) << 60, 1, 1, 1 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		elf_segment(&list[i].p, list[i].why);
	}
	put_elf(file, 2, 183, 0x40080000, 2);
	put_phdr(file + 64, &b);
	put_phdr(file + 120, &a);
	refused(0x1000, ARM, -ENOEXEC, "segments at 0x40080000 and 0x40081000 overlap");
	put_phdr(file + 64, &far);
	refused(0x1000, ARM, -ENOEXEC, "too far apart");
	put_elf(file, 2, 183, 0x40080000, 65);
	refused(0x1000, ARM, -ENOEXEC, "program headers");
	put_elf(file, 2, 183, 0x40080000, 0);
	refused(0x1000, ARM, -ENOEXEC, "program headers");
	put_elf(file, 2, 183, 0x40080000, 1);
	put64(file + 32, UINT64_MAX);
	refused(0x1000, ARM, -ENOEXEC, "program headers lie outside");
	put_elf(file, 2, 183, 0x40080000, 1);
	put16(file + 54, 32);
	refused(0x1000, ARM, -ENOEXEC, "wrong size");
	put_elf(file, 2, 183, 0x40080000, 17);
	for (size_t i = 0; i < 17; i++) {
		struct test_phdr p = { 1, 0, 0x40080000 + i, 0x40080000 + i, 1, 1, 1 };

		put_phdr(file + 64 + 56 * i, &p);
	}
	refused(0x1000, ARM, -ENOEXEC, "more than 16 loadable");
	put_elf(file, 2, 183, 0x40080000, 1);
	file[5] = 2;
	refused(0x1000, ARM, -ENOEXEC, "little-endian");
}

/* ---- Placement ---- */

static const struct image_range ram[] = {
	{ 0x40000000, 0x1000000, NULL },
	{ 0x80000000, 0x40000000, NULL },
};

static int place(const struct image_info *i, const uint64_t *load, const struct image_range *used,
		 size_t used_count, uint64_t *base)
{
	struct image_site site;

	test_sink_init(&sink);
	site = test_site(&sink);
	return image_place_kernel(i, load, ram, 2, used, used_count, &site, base);
}

static void test_place_kernel(void **state)
{
	struct image_info i = {
		.format = IMAGE_LINUX_ARM64, .span = 0x100000, .floating = true, .align = 2 * MiB
	};
	const struct image_range dtb = { 0x40000000, 0x1000, "the device tree" };
	uint64_t load = 0x40080000, base;

	(void)state;
	assert_int_equal(place(&i, &load, NULL, 0, &base), 0);
	assert_int_equal(base, 0x40080000);
	assert_int_equal(sink.sink.count[DIAG_WARNING], 1);
	assert_said(&sink, DIAG_WARNING, "kernel_load_addr 0x40080000 is misaligned");
	/* ... but not for an image with that text_offset. */
	i.text_offset = 0x80000;
	assert_int_equal(place(&i, &load, NULL, 0, &base), 0);
	assert_int_equal(sink.sink.count[DIAG_WARNING], 0);

	assert_int_equal(place(&i, NULL, NULL, 0, &base), 0);
	assert_int_equal(base, 0x40080000);
	assert_int_equal(place(&i, NULL, &dtb, 1, &base), 0);
	assert_int_equal(base, 0x40080000);
	i.text_offset = 0;
	assert_int_equal(place(&i, NULL, &dtb, 1, &base), 0);
	assert_int_equal(base, 0x40200000);
	/* Too large for the first region. */
	i.span = 0x1000001;
	assert_int_equal(place(&i, NULL, NULL, 0, &base), 0);
	assert_int_equal(base, 0x80000000);
	assert_int_equal(place(&i, &load, NULL, 0, &base), -ENOSPC);
	assert_said(&sink, DIAG_ERROR, "0x80001 bytes are missing");
	assert_said(&sink, DIAG_ERROR, "0x40000000-0x40ffffff");
	i.span = 0x40000001;
	assert_int_equal(place(&i, NULL, NULL, 0, &base), -ENOSPC);

	i.span = 0x1000;
	load = 0x41000000;
	assert_int_equal(place(&i, &load, NULL, 0, &base), -EFAULT);
	assert_said(&sink, DIAG_ERROR, "0x41000000, which is in no memory region");
	load = 0x40000800;
	assert_int_equal(place(&i, &load, &dtb, 1, &base), -EEXIST);
	assert_said(&sink, DIAG_ERROR, "overlaps the device tree (0x40000000-0x40000fff)");
}

static void test_place_fixed(void **state)
{
	struct image_info i = { .format = IMAGE_ELF64,
				.span = 0x1000,
				.fixed = true,
				.base = 0x40100000,
				.align = 0x1000 };
	struct image_info raw = { .format = IMAGE_RAW, .span = 0x1000, .align = 1 };
	uint64_t load = 0x40200000, base;

	(void)state;
	assert_int_equal(place(&i, NULL, NULL, 0, &base), 0);
	assert_int_equal(base, 0x40100000);
	assert_int_equal(place(&i, &load, NULL, 0, &base), 0);
	assert_int_equal(base, 0x40200000);
	assert_said(&sink, DIAG_WARNING, "linked for 0x40100000");
	assert_int_equal(place(&raw, NULL, NULL, 0, &base), -EINVAL);
	assert_said(&sink, DIAG_ERROR, "kernel_load_addr is missing");
	load = 0x40000001;
	assert_int_equal(place(&raw, &load, NULL, 0, &base), 0);
	assert_int_equal(sink.sink.count[DIAG_WARNING], 0);
}

static void test_place_free(void **state)
{
	const struct image_range used[] = {
		{ 0x40100000, 0x100000, "b" },
		{ 0x40000000, 0x100000, "a" },
		{ 0x40fff000, 0x1000, "c" },
	};
	struct image_site site = test_site(&sink);
	uint64_t base;

	(void)state;
	test_sink_init(&sink);
	assert_int_equal(
		image_place_free(ram, 2, used, 3, "x", 0x1001, 8, GiB, IMAGE_LOW, &site, &base), 0);
	assert_int_equal(base, 0x40200000);
	assert_int_equal(image_place_free(ram, 2, used, 3, "x", 0x1001, 0x1000, GiB, IMAGE_HIGH,
					  &site, &base),
			 0);
	assert_int_equal(base, 0x40ffd000);
	/* The window keeps it low; no room there, so the next region. */
	assert_int_equal(image_place_free(ram, 2, used, 3, "x", 0x1000, 0x1000, 0x200000,
					  IMAGE_HIGH, &site, &base),
			 0);
	assert_int_equal(base, 0x801ff000);
	assert_int_equal(
		image_place_free(ram, 1, used, 3, "x", 0xe00000, 8, GiB, IMAGE_LOW, &site, &base),
		-ENOSPC);
	assert_said(&sink, DIAG_ERROR, "no free room of 0xe00000 bytes for x");
	/* Exactly what is there. */
	assert_int_equal(
		image_place_free(ram, 1, used, 3, "x", 0xdff000, 8, GiB, IMAGE_HIGH, &site, &base),
		0);
	assert_int_equal(base, 0x40200000);
}

/* ---- Sources ---- */

static int store_open(struct image_store *store, uint32_t index, enum vm_image_location location,
		      const char *path, struct image_source **out)
{
	(void)store;
	(void)index;
	(void)location;
	(void)out;
	return strcmp(path, "disk") == 0 ? -ENODEV : -ENOENT;
}

static const char *store_where(struct image_store *store, enum vm_image_location location)
{
	(void)store;
	return location == VM_IMAGE_FS ? "the disk" : "the image";
}

static void test_open_and_read(void **state)
{
	static const struct image_store_ops ops = { store_open, store_where };
	struct image_store store = { &ops };
	struct image_site site = test_site(&sink);
	struct image_source *src;
	struct image_bytes b;
	uint8_t buf[4] = { 0 };

	(void)state;
	test_sink_init(&sink);
	assert_int_equal(image_open(&store, 0, VM_IMAGE_FS, "a.bin", &site, &src), -ENOENT);
	assert_said(&sink, DIAG_ERROR, "\"a.bin\": there is no such file");
	assert_said(&sink, DIAG_ERROR, "the disk");
	assert_int_equal(image_open(&store, 0, VM_IMAGE_FS, "disk", &site, &src), -ENODEV);
	assert_said(&sink, DIAG_ERROR, "no such volume");
	image_bytes_init(&b, "abc", "abcdef", 6);
	assert_int_equal(image_read(&b.src, 2, buf, 4, &site), 0);
	assert_memory_equal(buf, "cdef", 4);
	assert_int_equal(image_read(&b.src, 6, buf, 0, &site), 0);
	assert_int_equal(image_read(&b.src, 3, buf, 4, &site), -EIO);
	assert_said(&sink, DIAG_ERROR, "abc ends at byte 0x6, but bytes up to 0x7");
	assert_int_equal(image_read(&b.src, UINT64_MAX, buf, 4, &site), -EIO);
	image_close(&b.src);
	image_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_raw, setup),
		cmocka_unit_test_setup(test_arm64_image, setup),
		cmocka_unit_test_setup(test_riscv_image, setup),
		cmocka_unit_test_setup(test_not_kernels, setup),
		cmocka_unit_test_setup(test_elf, setup),
		cmocka_unit_test_setup(test_elf_virtual, setup),
		cmocka_unit_test_setup(test_elf_pie, setup),
		cmocka_unit_test_setup(test_elf_damaged, setup),
		cmocka_unit_test(test_place_kernel),
		cmocka_unit_test(test_place_fixed),
		cmocka_unit_test(test_place_free),
		cmocka_unit_test(test_open_and_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
