/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest and a typist work on a PL011 as the input says, three bytes a step.
 * Held against a small model: characters arrive complete and in order, the interrupt
 * line is what RIS and IMSC say, the flags agree with the FIFO.
 */
#include <hv/pl011.h>
#include <hv/vdev.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REG_CR	 0x30
#define REG_FR	 0x18
#define REG_RIS	 0x3c
#define REG_IMSC 0x38

struct bench {
	struct chr chr;
	struct vic vic;
	struct pl011 u;
	struct vdev_bus bus;
	uint8_t typed; /* the next character to be typed, one more each */
	uint8_t given; /* the next that the channel gives */
	uint8_t read;  /* the next that the guest should see */
	bool line;
};

static struct bench b;

static void must(bool what)
{
	if (!what) {
		abort();
	}
}

static void bench_put(struct chr *chr, uint8_t c)
{
	(void)chr;
	(void)c;
}

static int bench_get(struct chr *chr)
{
	(void)chr;
	return b.given == b.typed ? -1 : b.given++;
}

static void bench_irq(struct vic *vic, uint32_t vcpu, uint32_t irq, bool level)
{
	(void)vic;
	must(vcpu == VIRQ_SHARED && irq == 33 && b.line != level);
	b.line = level;
}

static const struct chr_ops bench_chr_ops = { .put = bench_put, .get = bench_get };
static const struct vic_ops bench_vic_ops = { .set = bench_irq };

static uint64_t bus(bool write, uint64_t addr, uint8_t width, uint64_t value)
{
	struct vdev_access a = {
		.space = VDEV_MMIO, .write = write, .width = width, .offset = addr, .value = value
	};
	bool inside = addr >= 0x1000 && addr + width <= 0x1000 + PL011_SIZE;

	must(bus_access(&b.bus, &a) == (inside ? VDEV_OK : VDEV_ABORT));
	must(a.offset == addr);
	must(write || !inside || width == 8 || a.value >> (8 * width) == 0);
	return inside ? a.value : 0;
}

static void check(bool loopback_used)
{
	uint64_t fr = bus(false, 0x1000 + REG_FR, 4, 0);

	must(b.line ==
	     ((bus(false, 0x1000 + REG_RIS, 4, 0) & bus(false, 0x1000 + REG_IMSC, 4, 0)) != 0));
	must(b.u.fifo_count <= PL011_FIFO_DEPTH && b.u.fifo_head < PL011_FIFO_DEPTH);
	must(((fr & 0x10) != 0) == (b.u.fifo_count == 0));
	/* What was taken from the channel and not read yet is in the FIFO. */
	must(loopback_used || (uint8_t)(b.given - b.read) == b.u.fifo_count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool looped = false;

	memset(&b, 0, sizeof(b));
	b.chr.ops = &bench_chr_ops;
	b.vic.ops = &bench_vic_ops;
	pl011_init(&b.u, NULL, "uart", &b.chr, &b.vic, 33);
	bus_init(&b.bus);
	must(bus_add(&b.bus, VDEV_MMIO, 0x1000, PL011_SIZE, 0, &b.u.dev, NULL) == 0);
	for (; size >= 3; data += 3, size -= 3) {
		uint8_t width = (uint8_t)(1U << ((data[0] >> 4) & 3));
		/* Low registers mostly, the ends and what is outside now and then. */
		uint64_t addr = 0x1000 + data[1] % 0x50U + (data[1] >= 0xf0 ? 0xfb0 : 0);
		uint64_t value = data[2] * UINT64_C(0x0102010101010101);

		switch (data[0] & 7) {
		case 0:
			if ((uint8_t)(b.typed - b.given) < 200) {
				b.typed++;
			}
			b.chr.front->rx_ready(b.chr.front);
			break;
		case 1:
			b.u.dev.ops->reset(&b.u.dev);
			b.read = (uint8_t)(b.given - b.u.fifo_count);
			looped = false;
			break;
		case 2:
		case 3:
		case 4:
			bus(true, addr, width, value);
			looped |= (b.u.cr & 0x80) != 0;
			break;
		default: {
			bool data_register = addr == 0x1000 && width <= 4;
			bool had = b.u.fifo_count != 0;
			uint64_t v = bus(false, addr, width, 0);

			if (data_register && had) {
				must(looped || (uint8_t)v == b.read);
				b.read++;
			}
			break;
		}
		}
		check(looped);
	}
	return 0;
}
