/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dev/virtio_fwd.c against a model of a slot: what goes through, which queues are
 * refused, and that it stops.
 */
#include "fake_arch.h"
#include "fake_mmio.h"
#include "fake_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <hv/plan.h>
#include <hv/virtio_fwd.h>
#include <hv/vm.h>

#define SLOT	 UINT64_C(0xa003e00)
#define RAM	 UINT64_C(0x80000000)
#define RAM_SIZE (16 * MiB)

#define R_VERSION 0x04
#define R_PAGE	  0x28
#define R_SEL	  0x30
#define R_NUM_MAX 0x34
#define R_NUM	  0x38
#define R_ALIGN	  0x3c
#define R_PFN	  0x40
#define R_READY	  0x44
#define R_NOTIFY  0x50
#define R_STATUS  0x70
#define R_DESC	  0x80
#define R_DRIVER  0x90
#define R_DEVICE  0xa0
#define R_RESET	  0xc0
#define R_CONFIG  0x100
#define LEGACY	  1
#define MODERN	  2
#define QUEUE_MAX 1024

struct model {
	struct fake_mmio mmio;
	uint32_t reg[0x80];
	unsigned writes;
	uint64_t last_offset;
	unsigned last_width;
	uint64_t last_value;
	bool hangs; /* keeps its status */
};

static struct model model;
static struct vm vm;
static struct vm_plan *plan;
static struct virtio_fwd fwd;

static uint64_t model_read(struct fake_mmio *dev, uint64_t offset, unsigned width)
{
	struct model *m = container_of(dev, struct model, mmio);

	m->last_offset = offset;
	m->last_width = width;
	return (uint64_t)m->reg[offset / 4] >> (offset % 4 * 8);
}

static void model_write(struct fake_mmio *dev, uint64_t offset, unsigned width, uint64_t value)
{
	struct model *m = container_of(dev, struct model, mmio);

	m->writes++;
	m->last_offset = offset;
	m->last_width = width;
	m->last_value = value;
	if (offset == R_STATUS && m->hangs) {
		return;
	}
	if (width == 4) {
		m->reg[offset / 4] = (uint32_t)value;
	}
}

static void tick(void)
{
	fake_now += 1000000;
}

static int make(uint32_t version)
{
	memset(&model, 0, sizeof(model));
	model.mmio = (struct fake_mmio){
		.base = hpa(SLOT), .size = 0x200, .read = model_read, .write = model_write
	};
	model.reg[0] = 0x74726976;
	model.reg[R_VERSION / 4] = version;
	model.reg[2] = 2;
	model.reg[R_NUM_MAX / 4] = QUEUE_MAX;
	model.reg[R_STATUS / 4] = 0xf; /* firmware left it running */
	fake_mmio_reset();
	fake_mmio_add(&model.mmio);
	return virtio_fwd_init(&fwd, &vm, "slot", hpa(SLOT));
}

static int setup(void **state)
{
	(void)state;
	plan = calloc(1, sizeof(*plan));
	plan->memory_count = 3;
	plan->memory[0] = (struct plan_memory){ .gpa = RAM,
						.hpa = RAM,
						.size = RAM_SIZE,
						.flags = VM_MEM_READ | VM_MEM_WRITE,
						.map_type = VM_MAP_IDENTICAL };
	plan->memory[1] = (struct plan_memory){ .gpa = 0x10000000,
						.size = RAM_SIZE,
						.flags = VM_MEM_READ | VM_MEM_WRITE,
						.map_type = VM_MAP_ALLOC };
	plan->memory[2] = (struct plan_memory){ .gpa = 0x20000000,
						.hpa = 0x20000000,
						.size = RAM_SIZE,
						.flags = VM_MEM_READ,
						.map_type = VM_MAP_IDENTICAL };
	memset(&vm, 0, sizeof(vm));
	vm.plan = plan;
	fake_relax_hook = tick;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_relax_hook = NULL;
	fake_mmio_reset();
	free(plan);
	return 0;
}

static uint64_t get(uint64_t offset, uint8_t width)
{
	struct vdev_access a = { .width = width, .offset = offset };

	assert_int_equal(fwd.dev.ops->access(&fwd.dev, &a), VDEV_OK);
	return a.value;
}

static void put_wide(uint64_t offset, uint8_t width, uint64_t value)
{
	struct vdev_access a = { .write = true, .width = width, .offset = offset, .value = value };

	assert_int_equal(fwd.dev.ops->access(&fwd.dev, &a), VDEV_OK);
}

static void put(uint64_t offset, uint32_t value)
{
	put_wide(offset, 4, value);
}

/* The write arrived at the device. */
static void passes(uint64_t offset, uint32_t value)
{
	unsigned before = model.writes;

	put(offset, value);
	assert_int_equal(model.writes, before + 1);
	assert_int_equal(model.last_offset, offset);
	assert_int_equal(model.last_value, value);
	assert_int_equal(model.last_width, 4);
}

static void refused(uint64_t offset, uint32_t value)
{
	unsigned before = model.writes;

	put(offset, value);
	assert_int_equal(model.writes, before);
}

static void test_forwards(void **state)
{
	unsigned before;

	(void)state;
	assert_int_equal(make(MODERN), 0);
	assert_int_equal(model.reg[R_STATUS / 4], 0); /* stopped before anything else */
	assert_int_equal(get(0, 4), 0x74726976);
	assert_int_equal(get(8, 4), 2);
	passes(R_STATUS, 1);
	passes(R_NOTIFY, 0);
	passes(0x64, 1);
	model.reg[0x40] = 0x44332211;
	assert_int_equal(get(R_CONFIG, 4), 0x44332211);
	assert_int_equal(get(R_CONFIG + 2, 2) & 0xffff, 0x4433);
	assert_int_equal(model.last_width, 2);
	assert_int_equal(get(R_CONFIG + 1, 1) & 0xff, 0x22);
	assert_int_equal(model.last_width, 1);
	put_wide(R_CONFIG + 0x20, 1, 0x5a);
	assert_int_equal(model.last_width, 1);
	assert_int_equal(model.last_value, 0x5a);
	put_wide(R_CONFIG + 0x22, 2, 0x1234);
	assert_int_equal(model.last_width, 2);
	/* Not accesses that the device knows; nor may they reach the next slot. */
	before = model.writes;
	assert_int_equal(get(R_STATUS, 1), 0);
	assert_int_equal(get(R_CONFIG, 8), 0);
	assert_int_equal(get(R_CONFIG + 2, 4), 0);
	assert_int_equal(get(0x200, 4), 0);
	assert_int_equal(get(0x1fe, 4), 0);
	put_wide(R_STATUS, 2, 0);
	put_wide(0x200, 4, 0);
	put_wide(R_CONFIG, 8, 0);
	put_wide(UINT64_MAX - 3, 4, 0);
	assert_int_equal(model.writes, before);
}

static void legacy_queue(uint32_t num)
{
	passes(R_PAGE, 4096);
	passes(R_SEL, 0);
	passes(R_NUM, num);
	passes(R_ALIGN, 4096);
}

static void test_legacy(void **state)
{
	/* 256 entries: 4096 + 518 → 8192 + 2054 bytes, three pages. */
	const uint32_t last = (uint32_t)((RAM + RAM_SIZE) >> 12) - 3;

	(void)state;
	assert_int_equal(make(LEGACY), 0);
	/* Where it is cannot be known before the page size is. */
	refused(R_PFN, RAM >> 12);
	legacy_queue(256);
	refused(R_PFN, (RAM >> 12) - 1);
	refused(R_PFN, last + 1);
	refused(R_PFN, 0x10000000 >> 12); /* not at this address on the host */
	refused(R_PFN, 0x20000000 >> 12); /* read-only */
	refused(R_PFN, 0x40200000 >> 12); /* nobody's or the hypervisor's */
	refused(R_PFN, UINT32_MAX);
	passes(R_PFN, last);
	/* It cannot grow behind our back. */
	refused(R_NUM, 1024);
	refused(R_ALIGN, 65536);
	refused(R_PAGE, 65536);
	passes(R_PFN, 0);
	passes(R_NUM, 1024);
	refused(R_PFN, last);
	/* The size that the device takes if the driver says none. */
	passes(R_SEL, 1);
	refused(R_PFN, last);
	passes(R_PFN, RAM >> 12);
	/* Registers of the other version. */
	refused(R_READY, 1);
	refused(R_RESET, 1);
	refused(R_DESC, 0);
	/* What makes no sense. */
	passes(R_SEL, 2);
	refused(R_ALIGN, 3);
	refused(R_ALIGN, 1u << 31);
	refused(R_NUM, 0);
	refused(R_NUM, 65536);
	passes(R_SEL, VIRTIO_FWD_QUEUES);
	refused(R_NUM, 16);
	refused(R_PFN, RAM >> 12);
	/* A reset of the device by its driver frees everything. */
	passes(R_STATUS, 0);
	passes(R_PAGE, 65536);
	passes(R_SEL, 1);
	refused(R_PFN, RAM >> 12); /* now at 0x80000000 * 16 */
	passes(R_PFN, RAM >> 16);
}

static void put64(uint64_t reg, uint64_t value)
{
	passes(reg, (uint32_t)value);
	passes(reg + 4, (uint32_t)(value >> 32));
}

static void test_modern(void **state)
{
	const uint64_t end = RAM + RAM_SIZE;

	(void)state;
	assert_int_equal(make(MODERN), 0);
	passes(R_SEL, 0);
	passes(R_NUM, 256);
	refused(R_READY, 1); /* all three at 0 */
	put64(R_DESC, RAM);
	put64(R_DRIVER, RAM + 0x1000);
	put64(R_DEVICE, RAM + 0x2000);
	passes(R_READY, 1);
	refused(R_DESC, 0);
	refused(R_DRIVER + 4, 1);
	refused(R_DEVICE, 0);
	refused(R_NUM, 1024);
	passes(R_READY, 0);
	put64(R_DESC, end - 4096 + 16);
	refused(R_READY, 1);
	put64(R_DESC, end - 4096);
	passes(R_READY, 1);
	passes(R_RESET, 1);
	put64(R_DRIVER, end - 516);
	refused(R_READY, 1);
	put64(R_DRIVER, end - 518);
	put64(R_DEVICE, RAM + BIT64(32));
	refused(R_READY, 1);
	put64(R_DEVICE, UINT64_MAX - 1);
	refused(R_READY, 1);
	put64(R_DEVICE, end - 2054);
	passes(R_READY, 1);
	/* Another queue has its own registers. */
	passes(R_SEL, 1);
	refused(R_READY, 1);
	refused(R_PFN, RAM >> 12);
	refused(R_PAGE, 4096);
	refused(R_ALIGN, 4096);
}

static void test_stops(void **state)
{
	(void)state;
	assert_int_equal(make(LEGACY), 0);
	legacy_queue(256);
	passes(R_PFN, RAM >> 12);
	passes(R_STATUS, 7);
	fwd.dev.ops->reset(&fwd.dev);
	assert_int_equal(model.reg[R_STATUS / 4], 0);
	assert_true(virtio_fwd_is_quiet(&fwd.dev));
	refused(R_PFN, RAM >> 12); /* the page size is to be told again */
	passes(R_STATUS, 7);
	fwd.dev.ops->destroy(&fwd.dev);
	assert_int_equal(model.reg[R_STATUS / 4], 0);
	assert_true(virtio_fwd_is_quiet(&fwd.dev));
}

static void test_stuck(void **state)
{
	uint64_t start;

	(void)state;
	assert_int_equal(make(MODERN), 0);
	passes(R_STATUS, 7);
	model.hangs = true;
	start = fake_now;
	fwd.dev.ops->reset(&fwd.dev);
	assert_true(fake_now - start >= 1000000000 && fake_now - start < 1100000000);
	assert_false(virtio_fwd_is_quiet(&fwd.dev));
	/* An empty slot from now on. */
	model.last_offset = UINT64_MAX;
	assert_int_equal(get(0, 4), 0x74726976);
	assert_int_equal(get(8, 4), 0);
	put(R_STATUS, 1);
	assert_int_equal(model.last_offset, UINT64_MAX);
}

static void test_init_refused(void **state)
{
	(void)state;
	assert_int_equal(make(3), -ENODEV);
	assert_int_equal(make(0), -ENODEV);
	make(MODERN);
	model.reg[0] = 0;
	assert_int_equal(virtio_fwd_init(&fwd, &vm, "slot", hpa(SLOT)), -ENODEV);
	model.reg[0] = 0x74726976;
	model.reg[R_STATUS / 4] = 7;
	model.hangs = true;
	assert_int_equal(virtio_fwd_init(&fwd, &vm, "slot", hpa(SLOT)), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_forwards, setup, teardown),
		cmocka_unit_test_setup_teardown(test_legacy, setup, teardown),
		cmocka_unit_test_setup_teardown(test_modern, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stops, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stuck, setup, teardown),
		cmocka_unit_test_setup_teardown(test_init_refused, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
