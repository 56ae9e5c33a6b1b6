/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the plan's list of devices to devices on the bus: the one place that knows
 * which kinds there are.
 */
#include <hv/log.h>
#include <hv/pl011.h>
#include <hv/pl031.h>
#include <hv/pl061.h>
#include <hv/plan.h>
#include <hv/raz.h>
#include <hv/virtio_empty.h>
#include <hv/vm.h>

#include <errno.h>

/* Makes one device in the VM's pool; NULL: out of memory. */
typedef struct vdev *make_fn(struct vm *vm, const struct guest_dev *d);

static struct vdev *make_pl011(struct vm *vm, const struct guest_dev *d)
{
	struct pl011 *p = pool_alloc(&vm->pool, sizeof(*p));

	if (p == NULL) {
		return NULL;
	}
	pl011_init(p, vm, guest_dev_kind_name(d->kind), d->console ? &vm->port.chr : NULL, vm->vic,
		   d->irq);
	return &p->dev;
}

static struct vdev *make_pl031(struct vm *vm, const struct guest_dev *d)
{
	struct pl031 *p = pool_alloc(&vm->pool, sizeof(*p));

	if (p == NULL) {
		return NULL;
	}
	/* No host has a clock of its own yet that we could ask: the epoch it is. */
	pl031_init(p, vm, guest_dev_kind_name(d->kind), 0, vm->vic, d->irq);
	return &p->dev;
}

static struct vdev *make_pl061(struct vm *vm, const struct guest_dev *d)
{
	struct pl061 *p = pool_alloc(&vm->pool, sizeof(*p));

	if (p == NULL) {
		return NULL;
	}
	pl061_init(p, vm, guest_dev_kind_name(d->kind), vm->vic, d->irq);
	return &p->dev;
}

static struct vdev *make_virtio_empty(struct vm *vm, const struct guest_dev *d)
{
	struct virtio_empty *slots = pool_alloc(&vm->pool, sizeof(*slots));

	if (slots == NULL ||
	    virtio_empty_init(slots, vm, guest_dev_kind_name(d->kind), d->size) != 0) {
		return NULL;
	}
	return &slots->dev;
}

static struct vdev *make_raz(struct vm *vm, const struct guest_dev *d)
{
	struct raz *raz = pool_alloc(&vm->pool, sizeof(*raz));

	if (raz == NULL) {
		return NULL;
	}
	raz_init(raz, vm, guest_dev_kind_name(d->kind));
	return &raz->dev;
}

/* Kinds without an entry belong to other architectures' boards; the planner refuses them. */
static make_fn *const makers[GUEST_DEV_KINDS] = {
	[GUEST_DEV_UART_PL011] = make_pl011, [GUEST_DEV_RTC_PL031] = make_pl031,
	[GUEST_DEV_GPIO_PL061] = make_pl061, [GUEST_DEV_VIRTIO_EMPTY] = make_virtio_empty,
	[GUEST_DEV_RAZ] = make_raz,
};

static int device_create(struct vm *vm, const struct guest_dev *d)
{
	const struct bus_range *other = NULL;
	struct vdev *dev;
	int err;

	if (makers[d->kind] == NULL || vm->dev_count == VM_MAX_DEVS) {
		log_error("%s: a %s cannot be made here", vm->name, guest_dev_kind_name(d->kind));
		return -ENOTSUP;
	}
	dev = makers[d->kind](vm, d);
	if (dev == NULL) {
		log_error("%s: out of memory for a %s", vm->name, guest_dev_kind_name(d->kind));
		return -ENOMEM;
	}
	vm->dev[vm->dev_count++] = dev;
	err = bus_add(&vm->bus, VDEV_MMIO, d->base, d->size, 0, dev, &other);
	if (err == -EEXIST) {
		log_error("%s: %s at [%#llx, %#llx) overlaps %s at [%#llx, %#llx)", vm->name,
			  dev->name, (unsigned long long)d->base,
			  (unsigned long long)(d->base + d->size), other->dev->name,
			  (unsigned long long)other->base,
			  (unsigned long long)(other->base + other->size));
	} else if (err != 0) {
		log_error("%s: no room on the bus for %s at %#llx", vm->name, dev->name,
			  (unsigned long long)d->base);
	}
	return err;
}

int board_create(struct vm *vm)
{
	const struct guest_board *b = &vm->plan->board;

	for (uint32_t i = 0; i < b->dev_count; i++) {
		int err = device_create(vm, &b->dev[i]);

		if (err != 0) {
			return err;
		}
	}
	return 0;
}
