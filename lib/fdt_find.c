/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of a device tree by physical address; see hv/fdt_find.h. */
#include <errno.h>
#include <hv/fdt_find.h>
#include <hv/fdt_walk.h>
#include <string.h>

/*
 * Devices that never access memory by themselves.  Of all others we assume that they
 * can: a wrong guess in that direction costs a warning, not somebody's memory.
 */
static const char *const no_master[] = {
	"arm,pl011",	      "arm,sbsa-uart",	  "snps,dw-apb-uart",
	"ns16550a",	      "ns16550",	  "ns8250",
	"arm,pl031",	      "arm,pl061",	  "google,goldfish-rtc",
	"cfi-flash",	      "snps,dw-apb-gpio", "snps,dw-apb-timer",
	"snps,dw-wdt",	      "arm,sp804",	  "arm,sp805",
	"rockchip,gpio-bank", "syscon",
};

static bool may_master(const struct fdt_walk *w)
{
	for (size_t i = 0; i < ARRAY_SIZE(no_master); i++) {
		if (fdt_walk_is(w, no_master[i])) {
			return false;
		}
	}
	return true;
}

static bool is_device(const struct fdt_walk *w)
{
	const char *type = fdt_stringlist_get(w->fdt, w->node, "device_type", 0, NULL);

	return (type == NULL || (strcmp(type, "memory") != 0 && strcmp(type, "cpu") != 0)) &&
	       !fdt_walk_parent_named(w, "reserved-memory");
}

/* The first `reg` of the current node in the range. */
static bool find_reg(const struct fdt_walk *w, uint64_t base, uint64_t size,
		     struct machine_range *out)
{
	for (uint32_t n = 0;; n++) {
		int err = fdt_walk_reg(w, n, out);

		if (err == -ENOENT) {
			return false;
		}
		if (err == 0 && ranges_overlap(out->base.a, out->size, base, size)) {
			return true;
		}
	}
}

static void fill(const struct fdt_walk *w, const struct machine_range *reg, struct fdt_found *out)
{
	memset(out, 0, sizeof(*out));
	out->base = reg->base.a;
	out->size = reg->size;
	out->coherent = w->level[w->depth].coherent;
	out->dma = may_master(w);
	for (uint32_t n = 0; n < FDT_FOUND_IRQS; n++) {
		struct machine_irq irq = fdt_walk_irq(w, n);

		if (irq.intid == IRQ_NONE) {
			break;
		}
		out->irq[out->irq_count++] = irq;
	}
	if (fdt_get_path(w->fdt, w->node, out->path, sizeof(out->path)) != 0) {
		out->path[0] = '\0';
	}
}

uint32_t fdt_find_devices(const void *fdt, uint64_t base, uint64_t size, struct fdt_found *out,
			  uint32_t max)
{
	struct machine_range reg;
	struct fdt_walk w;
	uint32_t count = 0;

	fdt_walk_init(&w, fdt);
	while (fdt_walk_next(&w)) {
		if (!is_device(&w) || !find_reg(&w, base, size, &reg)) {
			continue;
		}
		if (count < max) {
			fill(&w, &reg, &out[count]);
		}
		count++;
	}
	return count;
}
