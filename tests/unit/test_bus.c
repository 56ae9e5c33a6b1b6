/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <hv/raz.h>
#include <hv/vdev.h>
#include <hv/virtio_empty.h>
#include <string.h>

struct probe {
	struct vdev dev;
	uint32_t count;
	struct vdev_access last;
	uint64_t answer;
	enum vdev_result result;
};

static enum vdev_result probe_access(struct vdev *dev, struct vdev_access *a)
{
	struct probe *p = container_of(dev, struct probe, dev);

	p->count++;
	p->last = *a;
	if (!a->write) {
		a->value = p->answer;
	}
	return p->result;
}

static const struct vdev_ops probe_ops = { .access = probe_access };

static void probe_init(struct probe *p)
{
	memset(p, 0, sizeof(*p));
	p->dev.ops = &probe_ops;
	p->answer = UINT64_C(0x8877665544332211);
}

static struct vdev_access rd(enum vdev_space space, uint64_t addr, uint8_t width)
{
	/* Not 0: the bus has to clear it. */
	return (struct vdev_access){ .space = space, .offset = addr, .width = width, .value = 99 };
}

static void test_add(void **state)
{
	struct vdev_bus bus;
	struct probe p;
	const struct bus_range *other = NULL;

	(void)state;
	probe_init(&p);
	bus_init(&bus);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x1000, 0, 0, &p.dev, NULL), -EINVAL);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, UINT64_MAX - 9, 11, 0, &p.dev, NULL), -EINVAL);
	assert_int_equal(bus.count, 0);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x3000, 0x1000, 0, &p.dev, NULL), 0);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x1000, 0x1000, 0, &p.dev, NULL), 0);
	assert_int_equal(bus_add(&bus, VDEV_PORT, 0x3000, 0x10, 0, &p.dev, NULL), 0);

	/* From below, from above, inside, around, the same. */
	static const uint64_t bad[][2] = { { 0x2fff, 2 },      { 0x3fff, 1 },	   { 0x3500, 4 },
					   { 0x2000, 0x4000 }, { 0x3000, 0x1000 }, { 0, 0x10000 } };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		other = NULL;
		assert_int_equal(bus_add(&bus, VDEV_MMIO, bad[i][0], bad[i][1], 0, &p.dev, &other),
				 -EEXIST);
		assert_non_null(other);
		assert_true(ranges_overlap(bad[i][0], bad[i][1], other->base, other->size));
	}
	assert_int_equal(bus.count, 3);
	/* Touching is not overlapping. */
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x2000, 0x1000, 0, &p.dev, &other), 0);
	assert_int_equal(bus_add(&bus, VDEV_SYSREG, 0x3000, 1, 0, &p.dev, &other), 0);
	for (uint32_t i = 1; i < bus.count; i++) {
		assert_true(bus.range[i - 1].space < bus.range[i].space ||
			    bus.range[i - 1].base < bus.range[i].base);
	}
	for (uint32_t i = bus.count; i < BUS_MAX_RANGES; i++) {
		assert_int_equal(
			bus_add(&bus, VDEV_MMIO, 0x10000 + i * 0x100, 0x80, 0, &p.dev, NULL), 0);
	}
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0, 1, 0, &p.dev, NULL), -ENOSPC);
	/* An overlap is told even when the bus is full. */
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x1000, 1, 0, &p.dev, NULL), -EEXIST);
}

/* Against a linear search, for every number of ranges. */
static void test_find(void **state)
{
	static struct vdev_bus bus;
	struct probe p;
	uint32_t seed = 1;

	(void)state;
	probe_init(&p);
	bus_init(&bus);
	assert_null(bus_find(&bus, VDEV_MMIO, 0));
	for (uint32_t n = 0; n < BUS_MAX_RANGES; n++) {
		enum vdev_space space;
		uint64_t base;
		int r;

		do {
			seed = seed * 1664525 + 1013904223;
			space = (enum vdev_space)((seed >> 8) % VDEV_SPACES);
			base = (seed >> 12) % 512 * 8;
			r = bus_add(&bus, space, base, 1 + (seed >> 24) % 16, 0, &p.dev, NULL);
		} while (r == -EEXIST);
		assert_int_equal(r, 0);
		for (uint32_t s = 0; s < VDEV_SPACES; s++) {
			for (uint64_t addr = 0; addr < 4200; addr++) {
				const struct bus_range *want = NULL;

				for (uint32_t i = 0; i < bus.count; i++) {
					const struct bus_range *q = &bus.range[i];

					if (q->space == s && addr - q->base < q->size) {
						want = q;
					}
				}
				assert_ptr_equal(bus_find(&bus, (enum vdev_space)s, addr), want);
			}
		}
	}
}

static void test_access(void **state)
{
	struct vdev_bus bus;
	struct probe p;
	struct vdev_access a;

	(void)state;
	probe_init(&p);
	bus_init(&bus);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x1000, 0x100, 0x40, &p.dev, NULL), 0);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0x1100, 0x2, 0, &p.dev, NULL), 0);

	static const uint64_t cut[] = { 0x11, 0x2211, 0x44332211, UINT64_C(0x8877665544332211) };
	for (uint32_t i = 0; i < 4; i++) {
		a = rd(VDEV_MMIO, 0x1010, (uint8_t)(1 << i));
		assert_int_equal(bus_access(&bus, &a), VDEV_OK);
		assert_int_equal(p.last.offset, 0x50);
		assert_int_equal(p.last.value, 0);
		assert_true(a.value == cut[i]);
		assert_int_equal(a.offset, 0x1010);

		a.write = true;
		a.value = UINT64_C(0x8877665544332211);
		assert_int_equal(bus_access(&bus, &a), VDEV_OK);
		assert_true(p.last.value == cut[i] && p.last.write);
	}
	assert_int_equal(p.count, 8);

	/* Outside, across the end (into a neighbour too), in another space, bad widths. */
	static const struct {
		enum vdev_space space;
		uint64_t addr;
		uint8_t width;
	} bad[] = { { VDEV_MMIO, 0xfff, 1 },  { VDEV_MMIO, 0xfff, 2 },	   { VDEV_MMIO, 0x1102, 1 },
		    { VDEV_MMIO, 0x10ff, 2 }, { VDEV_MMIO, 0x10fd, 4 },	   { VDEV_MMIO, 0x10f9, 8 },
		    { VDEV_MMIO, 0x1100, 4 }, { VDEV_PORT, 0x1000, 1 },	   { VDEV_MMIO, 0x1000, 0 },
		    { VDEV_MMIO, 0x1000, 9 }, { VDEV_MMIO, 0x1000, 255 },  { VDEV_SYSREG, 0, 8 },
		    { VDEV_MMIO, 0, 8 },      { VDEV_MMIO, UINT64_MAX, 8 } };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		a = rd(bad[i].space, bad[i].addr, bad[i].width);
		assert_int_equal(bus_access(&bus, &a), VDEV_ABORT);
		assert_true(a.offset == bad[i].addr);
	}
	assert_int_equal(p.count, 8);
	a = rd(VDEV_MMIO, 0x10f8, 8);
	assert_int_equal(bus_access(&bus, &a), VDEV_OK);
	/* What a device says goes. */
	p.result = VDEV_ABORT;
	assert_int_equal(bus_access(&bus, &a), VDEV_ABORT);
	assert_int_equal(a.offset, 0x10f8);
}

static void test_empty_devices(void **state)
{
	struct vdev_bus bus;
	struct raz raz;
	struct virtio_empty slots;
	struct vdev_access a;

	(void)state;
	bus_init(&bus);
	raz_init(&raz, NULL, "raz");
	assert_int_equal(virtio_empty_init(&slots, NULL, "v", 0x80), -EINVAL);
	assert_int_equal(virtio_empty_init(&slots, NULL, "v", 0x300), -EINVAL);
	assert_int_equal(virtio_empty_init(&slots, NULL, "v", 0), -EINVAL);
	assert_int_equal(virtio_empty_init(&slots, NULL, "v", VIRTIO_EMPTY_SLOT_SIZE), 0);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0, 0x1000, 0, &raz.dev, NULL), 0);
	assert_int_equal(bus_add(&bus, VDEV_MMIO, 0xa000000, 0x4000, 0, &slots.dev, NULL), 0);

	for (uint64_t addr = 0; addr < 0x1000; addr++) {
		a = rd(VDEV_MMIO, addr, 1);
		assert_int_equal(bus_access(&bus, &a), VDEV_OK);
		assert_int_equal(a.value, 0);
	}
	for (uint64_t slot = 0; slot < 32; slot++) {
		uint64_t base = 0xa000000 + slot * 0x200;

		for (uint64_t reg = 0; reg < 0x200; reg += 4) {
			uint32_t want = reg == 0     ? 0x74726976
					: reg == 4   ? 2
					: reg == 0xc ? 0x4d565841
						     : 0;

			a = rd(VDEV_MMIO, base + reg, 4);
			a.write = true;
			assert_int_equal(bus_access(&bus, &a), VDEV_OK);
			a.write = false;
			assert_int_equal(bus_access(&bus, &a), VDEV_OK);
			assert_int_equal(a.value, want);
		}
	}
	raz.dev.ops->reset(&raz.dev);
	raz.dev.ops->destroy(&raz.dev);
	slots.dev.ops->reset(&slots.dev);
	slots.dev.ops->destroy(&slots.dev);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_access),
		cmocka_unit_test(test_empty_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
