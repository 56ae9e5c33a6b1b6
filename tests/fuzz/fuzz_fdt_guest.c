/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a guest's device tree: checked, read, patched; the result is sound. */
#include <hv/fdt_guest.h>
#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#define CAP 65536

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

static struct guest_board board = {
	.arch = VM_ARCH_AARCH64,
	.cpu_count = 2,
	.cpu_hwid = { 0, 0x100 },
	.ram_count = 2,
	.ram = { { 0x40000000, 0x1000000 }, { 0x880000000, 0x1000 } },
	.bootargs = "quiet",
	.initrd_start = 0x40100000,
	.initrd_end = 0x40200000,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_sink sink = { .emit = emit };
	const struct image_site site = { .sink = &sink, .file = "f" };
	static struct fdt_facts facts;
	size_t out, again;
	void *buf;

	if (size > CAP / 2) {
		return 0;
	}
	buf = malloc(CAP);
	memcpy(buf, data, size);
	if (fdt_guest_check(buf, size, &site) != 0) {
		check(sink.count[DIAG_ERROR] == 1);
		free(buf);
		return 0;
	}
	fdt_guest_read(buf, &facts);
	check(facts.dev_count <= FDT_MAX_DEVS);
	check(facts.intc.redist_count <= GUEST_MAX_GICRS);
	if (fdt_guest_patch(buf, CAP, &board, &site, &out) == 0) {
		check(fdt_check_full(buf, out) == 0);
		check(out <= size + FDT_GUEST_GROWTH);
		/* A second time it is as it should be. */
		check(fdt_guest_patch(buf, CAP, &board, &site, &again) == 0);
		check(again == out);
	} else {
		check(sink.count[DIAG_ERROR] == 1);
	}
	free(buf);
	return 0;
}
