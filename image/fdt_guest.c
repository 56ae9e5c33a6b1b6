/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's device tree, read: is it sound, and which interrupt controller and
 * devices does its author expect?
 *
 * Devicetree Specification v0.4; Linux bindings interrupt-controller/arm,gic,
 * arm,gic-v3 and sifive,plic-1.0.0.
 */
#include <errno.h>
#include <hv/fdt_guest.h>
#include <hv/fdt_walk.h>
#include <string.h>

/* libfdt reads both blocks word by word where the header says they are (DTSpec 5.6). */
static bool has_aligned_blocks(const void *dtb, size_t size)
{
	return size < sizeof(struct fdt_header) ||
	       (IS_ALIGNED(fdt_off_dt_struct(dtb), 4) && IS_ALIGNED(fdt_off_mem_rsvmap(dtb), 8));
}

int fdt_guest_check(const void *dtb, size_t size, const struct image_site *site)
{
	int err = has_aligned_blocks(dtb, size) ? fdt_check_full(dtb, size) : -FDT_ERR_ALIGNMENT;

	if (err == 0) {
		return 0;
	}
	if (size >= sizeof(struct fdt_header) ? fdt_magic(dtb) != FDT_MAGIC
					      : err == -FDT_ERR_BADMAGIC) {
		image_diag(site, DIAG_ERROR, "this is not a device tree blob");
	} else if (err == -FDT_ERR_TRUNCATED && size >= sizeof(struct fdt_header) &&
		   fdt_totalsize(dtb) > size) {
		image_diag(site, DIAG_ERROR, "the device tree is truncated: 0x%lx bytes of 0x%x",
			   (uint64_t)size, fdt_totalsize(dtb));
	} else {
		image_diag(site, DIAG_ERROR, "the device tree is damaged: %s", fdt_strerror(err));
	}
	return -EINVAL;
}

struct known {
	const char *compatible;
	uint32_t kind;
};

static const struct known known_devs[] = {
	{ "arm,pl011", GUEST_DEV_UART_PL011 },
	{ "arm,sbsa-uart", GUEST_DEV_UART_PL011 },
	{ "ns16550a", GUEST_DEV_UART_NS16550 },
	{ "ns16550", GUEST_DEV_UART_NS16550 },
	{ "snps,dw-apb-uart", GUEST_DEV_UART_NS16550 },
	{ "arm,pl031", GUEST_DEV_RTC_PL031 },
	{ "google,goldfish-rtc", GUEST_DEV_RTC_GOLDFISH },
	{ "arm,pl061", GUEST_DEV_GPIO_PL061 },
	{ "virtio,mmio", GUEST_DEV_VIRTIO_EMPTY },
};

static const struct known known_intcs[] = {
	{ "arm,gic-v3", GUEST_INTC_GICV3 },	   { "arm,cortex-a15-gic", GUEST_INTC_GICV2 },
	{ "arm,gic-400", GUEST_INTC_GICV2 },	   { "arm,cortex-a7-gic", GUEST_INTC_GICV2 },
	{ "arm,cortex-a9-gic", GUEST_INTC_GICV2 }, { "sifive,plic-1.0.0", GUEST_INTC_PLIC },
	{ "riscv,plic0", GUEST_INTC_PLIC },
};

static const struct known *find_known(const struct fdt_walk *w, const struct known *list,
				      size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fdt_walk_is(w, list[i].compatible)) {
			return &list[i];
		}
	}
	return NULL;
}

static struct guest_range read_reg(const struct fdt_walk *w, uint32_t n)
{
	struct machine_range r;

	if (fdt_walk_reg(w, n, &r) != 0) {
		return (struct guest_range){ 0, 0 };
	}
	return (struct guest_range){ r.base.a, r.size };
}

static void read_intc(const struct fdt_walk *w, enum guest_intc_kind kind, struct guest_intc *out)
{
	uint32_t regions;

	if (out->kind != GUEST_INTC_NONE) {
		return; /* the first one is the board's */
	}
	out->dist = read_reg(w, 0);
	if (out->dist.size == 0) {
		return;
	}
	out->kind = kind;
	switch (kind) {
	case GUEST_INTC_GICV2:
		out->cpu = read_reg(w, 1);
		break;
	case GUEST_INTC_GICV3:
		regions = fdt_walk_u32(w, "#redistributor-regions", 1);
		for (uint32_t i = 0; i < MIN(regions, GUEST_MAX_GICRS); i++) {
			struct guest_range r = read_reg(w, 1 + i);

			if (r.size != 0) {
				out->redist[out->redist_count++] = r;
			}
		}
		break;
	case GUEST_INTC_PLIC:
		out->sources = fdt_walk_u32(w, "riscv,ndev", 0);
		break;
	case GUEST_INTC_NONE:
	case GUEST_INTC_KINDS:
		break;
	}
}

static void read_dev(const struct fdt_walk *w, enum guest_dev_kind kind, int stdout_node,
		     struct fdt_facts *out)
{
	struct guest_range r = read_reg(w, 0);
	struct fdt_dev *d;

	if (r.size == 0 || out->dev_count == FDT_MAX_DEVS) {
		return;
	}
	d = &out->dev[out->dev_count++];
	d->kind = kind;
	d->base = r.base;
	d->size = r.size;
	d->irq = fdt_walk_irq(w, 0).intid;
	d->is_stdout = w->node == stdout_node;
	if (kind == GUEST_DEV_UART_NS16550) {
		d->reg_shift = (uint8_t)MIN(fdt_walk_u32(w, "reg-shift", 0), 3U);
		d->io_width = (uint8_t)MIN(fdt_walk_u32(w, "reg-io-width", 1), 8U);
	}
}

static void read_chosen(const void *dtb, struct fdt_facts *out)
{
	const char *args;
	int len;
	int chosen = fdt_subnode_offset(dtb, 0, "chosen");

	if (chosen < 0) {
		return;
	}
	args = fdt_stringlist_get(dtb, chosen, "bootargs", 0, &len);
	if (args != NULL && len > 0) {
		out->has_bootargs = true;
		len = MIN(len, VM_CMDLINE_MAX - 1);
		memcpy(out->bootargs, args, (size_t)len);
		out->bootargs[len] = '\0';
	}
}

void fdt_guest_read(const void *dtb, struct fdt_facts *out)
{
	const struct known *k;
	struct fdt_walk w;
	int stdout_node = fdt_walk_stdout(dtb);

	_Static_assert(GUEST_IRQ_NONE == IRQ_NONE, "one value for no interrupt");
	memset(out, 0, sizeof(*out));
	out->size = fdt_totalsize(dtb);
	read_chosen(dtb, out);
	fdt_walk_init(&w, dtb);
	while (fdt_walk_next(&w)) {
		k = find_known(&w, known_intcs, ARRAY_SIZE(known_intcs));
		if (k != NULL) {
			read_intc(&w, (enum guest_intc_kind)k->kind, &out->intc);
			continue;
		}
		k = find_known(&w, known_devs, ARRAY_SIZE(known_devs));
		if (k != NULL) {
			read_dev(&w, (enum guest_dev_kind)k->kind, stdout_node, out);
		}
	}
}

const struct fdt_dev *fdt_facts_find(const struct fdt_facts *facts, uint64_t base)
{
	for (uint32_t i = 0; i < facts->dev_count; i++) {
		if (facts->dev[i].base == base) {
			return &facts->dev[i];
		}
	}
	return NULL;
}
