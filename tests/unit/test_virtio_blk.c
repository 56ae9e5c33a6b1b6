/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drv/virtio_blk.c over drv/virtio_mmio.c, against a model of a disk with registers of
 * both versions, which can also misbehave.
 */
#include "fake_arch.h"
#include "fake_cache.h"
#include "fake_mmio.h"
#include "fake_time.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "arch/aarch64/pt_vmsa.h"
#include <hv/arch_mm.h>
#include <hv/block.h>
#include <hv/hv_map.h>
#include <hv/machine.h>
#include <hv/page.h>

#define SECTORS 1000

enum mischief {
	NONE,
	SILENT,	   /* never answers */
	BAD_ID,	   /* completes a descriptor that was not given to it */
	BAD_INDEX, /* completes many at once */
	BAD_STATUS,
	NO_STATUS,
	NO_RESET, /* silent, and its status never reads 0 again */
	NO_VERSION_1,
	REFUSES, /* takes FEATURES_OK back */
	SMALL_QUEUE,
	NO_SECTORS,
};

static struct {
	struct fake_mmio mmio;
	bool legacy;
	bool read_only;
	enum mischief mischief;
	uint32_t status, sel, drv_sel, ready, pfn, num, page_size, align;
	uint64_t driver_features;
	uint64_t ring[3]; /* descriptors, avail, used */
	uint16_t seen;
	unsigned requests;
	uint8_t data[SECTORS * BLOCK_SECTOR];
} disk;

static struct machine machine;

static uint16_t ld16(uint64_t a)
{
	uint16_t v;

	memcpy(&v, hpa_to_ptr(hpa(a)), sizeof(v));
	return v;
}

static void st16(uint64_t a, uint16_t v)
{
	memcpy(hpa_to_ptr(hpa(a)), &v, sizeof(v));
}

static uint32_t ld32(uint64_t a)
{
	uint32_t v;

	memcpy(&v, hpa_to_ptr(hpa(a)), sizeof(v));
	return v;
}

static uint64_t ld64(uint64_t a)
{
	return ld32(a) | (uint64_t)ld32(a + 4) << 32;
}

static uint8_t serve(uint64_t head)
{
	uint64_t d = disk.ring[0] + 16 * head, data;
	uint64_t header = ld64(d), status, sector = ld64(header + 8);
	uint32_t type = ld32(header), len;
	uint8_t result = 0;

	assert_int_equal(ld32(d + 8), 16);
	assert_int_equal(ld16(d + 12), 1);
	d = disk.ring[0] + 16u * ld16(d + 14);
	data = ld64(d);
	len = ld32(d + 8);
	assert_int_equal(ld16(d + 12), type == 0 ? 3 : 1);
	d = disk.ring[0] + 16u * ld16(d + 14);
	status = ld64(d);
	assert_int_equal(ld32(d + 8), 1);
	assert_int_equal(ld16(d + 12), 2);
	if (sector + len / BLOCK_SECTOR > SECTORS || disk.mischief == BAD_STATUS) {
		result = 1;
	} else if (type == 0) {
		memcpy(hpa_to_ptr(hpa(data)), disk.data + sector * BLOCK_SECTOR, len);
	} else {
		memcpy(disk.data + sector * BLOCK_SECTOR, hpa_to_ptr(hpa(data)), len);
	}
	if (disk.mischief != NO_STATUS) {
		*(uint8_t *)hpa_to_ptr(hpa(status)) = result;
	}
	return result;
}

static void notified(void)
{
	uint64_t avail = disk.ring[1], used = disk.ring[2];

	assert_true((disk.status & 4) != 0);
	disk.requests++;
	if (disk.mischief == SILENT || disk.mischief == NO_RESET) {
		return;
	}
	while (disk.seen != ld16(avail + 2)) {
		uint16_t head = ld16(avail + 4 + 2u * (disk.seen % disk.num));
		uint64_t at = used + 4 + 8u * (disk.seen % disk.num);

		serve(head);
		st16(at, disk.mischief == BAD_ID ? 0x7fff : head);
		st16(at + 2, 0);
		disk.seen++;
		st16(used + 2,
		     disk.mischief == BAD_INDEX ? (uint16_t)(disk.seen + 100) : disk.seen);
	}
}

static uint64_t model_read(struct fake_mmio *dev, uint64_t offset, unsigned width)
{
	uint64_t features = (disk.read_only ? 1u << 5 : 0) | 1u << 9;

	(void)dev;
	assert_int_equal(width, 4);
	if (!disk.legacy && disk.mischief != NO_VERSION_1) {
		features |= BIT64(32) | BIT64(33);
	}
	switch (offset) {
	case 0x000:
		return 0x74726976;
	case 0x004:
		return disk.legacy ? 1 : 2;
	case 0x008:
		return 2;
	case 0x010:
		return disk.sel == 1 ? features >> 32 : features & UINT32_MAX;
	case 0x034:
		return disk.mischief == SMALL_QUEUE ? 2 : 1024;
	case 0x040:
		assert_true(disk.legacy);
		return disk.pfn;
	case 0x044:
		assert_false(disk.legacy);
		return disk.ready;
	case 0x070:
		return disk.mischief == NO_RESET && disk.requests > 0 ? 64 : disk.status;
	case 0x100:
		return disk.mischief == NO_SECTORS ? 0 : SECTORS;
	case 0x104:
		return 0;
	default:
		fail_msg("read of register %#lx", (unsigned long)offset);
		return 0;
	}
}

static void write_status(uint32_t v)
{
	if (v == 0) {
		disk.ready = 0;
		disk.pfn = 0;
		disk.seen = 0;
	}
	disk.status = v;
	if (disk.mischief == REFUSES) {
		disk.status &= ~8u;
	}
}

static void model_write(struct fake_mmio *dev, uint64_t offset, unsigned width, uint64_t v)
{
	uint32_t v32 = (uint32_t)v;

	(void)dev;
	assert_int_equal(width, 4);
	if (offset >= 0x80 && offset < 0xa8) {
		uint64_t *r = &disk.ring[(offset - 0x80) / 16];

		assert_false(disk.legacy);
		*r = offset % 8 == 0 ? (*r & ~(uint64_t)UINT32_MAX) | v
				     : (*r & UINT32_MAX) | v << 32;
		return;
	}
	switch (offset) {
	case 0x014:
		disk.sel = v32;
		break;
	case 0x024:
		disk.drv_sel = v32;
		break;
	case 0x020:
		disk.driver_features = disk.drv_sel == 0
					       ? (disk.driver_features & ~(uint64_t)UINT32_MAX) | v
					       : (disk.driver_features & UINT32_MAX) | v << 32;
		break;
	case 0x028:
		disk.page_size = v32;
		break;
	case 0x030:
		assert_int_equal(v, 0);
		break;
	case 0x038:
		disk.num = v32;
		break;
	case 0x03c:
		disk.align = v32;
		break;
	case 0x040:
		assert_true(disk.legacy);
		disk.pfn = v32;
		disk.ring[0] = (uint64_t)v32 * disk.page_size;
		disk.ring[1] = disk.ring[0] + 16u * disk.num;
		disk.ring[2] = ALIGN_UP(disk.ring[1] + 6 + 2u * disk.num, disk.align);
		break;
	case 0x044:
		disk.ready = v32;
		break;
	case 0x050:
		notified();
		break;
	case 0x070:
		write_status(v32);
		break;
	default:
		fail_msg("write of register %#lx", (unsigned long)offset);
	}
}

static void time_passes(void)
{
	fake_now += 1000000;
}

static void start(bool legacy, enum mischief mischief)
{
	struct pt_shape shape;
	uint64_t tcr;

	fake_ram_reset();
	fake_ram_simple(hpa(0x40000000), 4 * MiB);
	assert_int_equal(vmsa_el2_layout(44, &shape, &tcr), 0);
	assert_int_equal(pt_init(&hv_pt, &shape, &fake_pt_ops, OWNER_HV), 0);
	assert_int_equal(hv_map_device(hpa(0xa000000), 0x200), 0);
	fake_mmio_reset();
	memset(&disk, 0, sizeof(disk));
	disk.mmio = (struct fake_mmio){
		.base = hpa(0xa000000), .size = 0x200, .read = model_read, .write = model_write
	};
	disk.legacy = legacy;
	disk.mischief = mischief;
	for (size_t i = 0; i < sizeof(disk.data); i++) {
		disk.data[i] = (uint8_t)(i / BLOCK_SECTOR + i);
	}
	fake_mmio_add(&disk.mmio);
	memset(&machine, 0, sizeof(machine));
	machine.virtio_count = 1;
	machine.virtio[0] =
		(struct machine_virtio){ .range = { hpa(0xa000000), 0x200 }, .dma_coherent = true };
	fake_relax_hook = time_passes;
}

static void check_reading(bool legacy)
{
	static uint8_t buf[300 * BLOCK_SECTOR];
	struct block *b;

	start(legacy, NONE);
	assert_int_equal(block_probe_all(&machine), 1);
	b = block_get(0);
	assert_non_null(b);
	assert_null(block_get(1));
	assert_int_equal(b->sectors, SECTORS);
	assert_false(b->read_only);
	assert_int_equal(disk.driver_features, legacy ? 0 : 3 * BIT64(32));
	/* More than the queue's size one after the other, and more than fits at once. */
	for (uint32_t i = 0; i < 10; i++) {
		assert_int_equal(b->ops->read(b, 37 * i, buf, 1), 0);
		assert_memory_equal(buf, disk.data + 37 * i * BLOCK_SECTOR, BLOCK_SECTOR);
	}
	assert_int_equal(b->ops->read(b, SECTORS - 300, buf, 300), 0);
	assert_memory_equal(buf, disk.data + (SECTORS - 300) * BLOCK_SECTOR, sizeof(buf));
	memset(buf, 0x3c, sizeof(buf));
	assert_int_equal(b->ops->write(b, 5, buf, 200), 0);
	assert_memory_equal(disk.data + 5 * BLOCK_SECTOR, buf, 200 * BLOCK_SECTOR);
	assert_int_equal(disk.data[205 * BLOCK_SECTOR], 205);
	disk.requests = 0;
	assert_int_equal(b->ops->read(b, SECTORS - 1, buf, 2), -EINVAL);
	assert_int_equal(b->ops->read(b, UINT64_MAX, buf, 2), -EINVAL);
	assert_int_equal(b->ops->read(b, SECTORS, buf, 0), 0);
	assert_int_equal(disk.requests, 0);
	b->ops->stop(b);
	assert_int_equal(disk.status, 0);
	assert_int_equal(b->ops->read(b, 0, buf, 1), -EIO);
}

static void test_modern(void **state)
{
	(void)state;
	check_reading(false);
}

static void test_legacy(void **state)
{
	(void)state;
	check_reading(true);
}

static void test_read_only(void **state)
{
	uint8_t buf[BLOCK_SECTOR] = { 0 };
	struct block *b;

	(void)state;
	start(false, NONE);
	disk.read_only = true;
	machine.virtio[0].dma_coherent = false;
	fake_cache_dma_count = 0;
	assert_int_equal(block_probe_all(&machine), 1);
	b = block_get(0);
	assert_true(b->read_only);
	assert_int_equal(b->ops->write(b, 0, buf, 1), -EROFS);
	assert_int_equal(b->ops->read(b, 0, buf, 1), 0);
	/* Request out, index out, answer in: at least. */
	assert_true(fake_cache_dma_count >= 4);
}

static void test_bad_devices(void **state)
{
	static const struct {
		enum mischief mischief;
		int first, second;
	} cases[] = {
		{ SILENT, -ETIMEDOUT, -EIO }, { NO_RESET, -ETIMEDOUT, -EIO },
		{ BAD_ID, -EIO, -EIO },	      { BAD_INDEX, -EIO, -EIO },
		{ BAD_STATUS, -EIO, -EIO },   { NO_STATUS, -EIO, -EIO },
	};
	uint8_t buf[BLOCK_SECTOR];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct block *b;

		start(false, cases[i].mischief);
		assert_int_equal(block_probe_all(&machine), 1);
		b = block_get(0);
		assert_int_equal(b->ops->read(b, 0, buf, 1), cases[i].first);
		assert_int_equal(b->ops->read(b, 0, buf, 1), cases[i].second);
	}
}

static void test_unusable(void **state)
{
	static const enum mischief cases[] = { NO_VERSION_1, REFUSES, SMALL_QUEUE, NO_SECTORS };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t free_pages;

		start(false, cases[i]);
		free_pages = page_free_count();
		assert_int_equal(block_probe_all(&machine), 0);
		assert_int_equal(page_free_count(), free_pages);
		assert_int_equal(disk.status, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_modern),	  cmocka_unit_test(test_legacy),
		cmocka_unit_test(test_read_only), cmocka_unit_test(test_bad_devices),
		cmocka_unit_test(test_unusable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
