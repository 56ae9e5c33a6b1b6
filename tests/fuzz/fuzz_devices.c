/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The small devices, together on one bus as on a board: PL031, PL061, empty virtio
 * slots, a RAZ range.  Four bytes of input a step: what, where, value, time.
 */
#include "../unit/fake_time.h"
#include <hv/pl031.h>
#include <hv/pl061.h>
#include <hv/raz.h>
#include <hv/vdev.h>
#include <hv/virtio_empty.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vic vic;
static bool lines[2];

static void must(bool what)
{
	if (!what) {
		abort();
	}
}

static void set_line(struct vic *v, uint32_t vcpu, uint32_t irq, bool level)
{
	must(v == &vic && vcpu == VIRQ_SHARED && irq < 2 && lines[irq] != level);
	lines[irq] = level;
}

static const struct vic_ops vic_ops = { .set = set_line };

static uint64_t bus(struct vdev_bus *bus, bool write, uint64_t addr, uint8_t width, uint64_t value)
{
	struct vdev_access a = {
		.space = VDEV_MMIO, .write = write, .width = width, .offset = addr, .value = value
	};

	if (bus_access(bus, &a) == VDEV_ABORT) {
		const struct bus_range *r = bus_find(bus, VDEV_MMIO, addr);

		must(r == NULL || addr + width > r->base + r->size);
	}
	return a.value;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vdev_bus board;
	struct pl031 rtc;
	struct pl061 gpio;
	struct virtio_empty slots;
	struct raz raz;

	lines[0] = lines[1] = false;
	vic.ops = &vic_ops;
	fake_now = 1;
	pl031_init(&rtc, NULL, "rtc", 1000, &vic, 0);
	pl061_init(&gpio, NULL, "gpio", &vic, 1);
	must(virtio_empty_init(&slots, NULL, "slots", VIRTIO_EMPTY_SLOT_SIZE) == 0);
	raz_init(&raz, NULL, "raz");
	bus_init(&board);
	must(bus_add(&board, VDEV_MMIO, 0x0000, PL031_SIZE, 0, &rtc.dev, NULL) == 0);
	must(bus_add(&board, VDEV_MMIO, 0x1000, PL061_SIZE, 0, &gpio.dev, NULL) == 0);
	must(bus_add(&board, VDEV_MMIO, 0x3000, 0x400, 0, &slots.dev, NULL) == 0);
	must(bus_add(&board, VDEV_MMIO, 0x3400, 0x80, 0, &raz.dev, NULL) == 0);
	for (; size >= 4; data += 4, size -= 4) {
		static const uint16_t base[] = { 0,	 0x1000, 0x1400, 0x2ff8,
						 0x3000, 0x33f8, 0x3400, 0xff0 };
		uint64_t addr = base[data[0] & 7] + data[1];
		uint8_t width = (uint8_t)(1U << ((data[0] >> 3) & 3));

		switch (data[0] >> 5) {
		case 0:
			pl061_input(&gpio, data[1], (data[2] & 1) != 0);
			break;
		case 1:
			fake_time_advance((uint64_t)data[2] << (data[3] % 40));
			break;
		case 2:
			rtc.dev.ops->reset(&rtc.dev);
			gpio.dev.ops->reset(&gpio.dev);
			break;
		case 3:
		case 4:
		case 5:
			bus(&board, true, addr, width,
			    data[2] | (uint64_t)data[3] << 8 | (uint64_t)data[3] << 28);
			break;
		default:
			bus(&board, false, addr, width, 0);
			break;
		}
		must(lines[0] == (bus(&board, false, 0x18, 4, 0) != 0));
		must(lines[1] == (bus(&board, false, 0x1418, 4, 0) != 0));
		must(timer_is_armed(&rtc.alarm) == (rtc.imsc != 0 && rtc.match_ns != TIMER_NEVER));
	}
	rtc.dev.ops->destroy(&rtc.dev);
	return 0;
}
