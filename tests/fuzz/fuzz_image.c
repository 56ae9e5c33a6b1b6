/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an image: whatever is accepted keeps image_probe()'s promises. */
#include <hv/image.h>
#include <stdlib.h>

static void emit(struct diag_sink *sink, const struct diag *d)
{
	(void)sink;
	(void)d;
}

static void check(bool ok)
{
	if (!ok) {
		abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_sink sink = { .emit = emit };
	const struct image_site site = { .sink = &sink, .file = "f" };
	const struct image_range ram[] = { { 0x40000000, 0x1000000, "a" },
					   { 0x80000000, 0x40000000, "b" } };
	struct image_info info;
	struct image_bytes b;
	uint64_t end = 0, base;
	enum vm_arch arch;

	if (size < 1) {
		return 0;
	}
	arch = (enum vm_arch)(data[0] % 4);
	image_bytes_init(&b, "i", data + 1, size - 1);
	if (image_probe(&b.src, arch, &site, &info) != 0) {
		check(sink.count[DIAG_ERROR] == 1);
		return 0;
	}
	check(sink.count[DIAG_ERROR] == 0);
	check(info.segment_count >= 1 && info.segment_count <= IMAGE_MAX_SEGMENTS);
	check(info.span <= IMAGE_MAX_SPAN && info.entry < info.span);
	check(info.align != 0 && (info.align & (info.align - 1)) == 0);
	for (uint32_t i = 0; i < info.segment_count; i++) {
		const struct image_segment *s = &info.segment[i];

		check(range_within(s->offset, s->file_size, 0, size - 1));
		check(s->file_size <= s->mem_size);
		check(s->addr >= end);
		end = s->addr + s->mem_size;
		check(end >= s->addr && end <= info.span);
	}
	if (image_place_kernel(&info, NULL, ram, 2, NULL, 0, &site, &base) == 0) {
		check(range_within(base, info.span, ram[0].base, ram[0].size) ||
		      range_within(base, info.span, ram[1].base, ram[1].size));
	}
	return 0;
}
