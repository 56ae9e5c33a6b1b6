/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the plan's list of devices to devices on the bus: the one place that knows
 * which kinds there are.
 */
#include <hv/hv_map.h>
#include <hv/log.h>
#include <hv/pl011.h>
#include <hv/pl031.h>
#include <hv/pl061.h>
#include <hv/plan.h>
#include <hv/raz.h>
#include <hv/virtio_empty.h>
#include <hv/virtio_fwd.h>
#include <hv/vm.h>

#include <errno.h>

/* Makes one device in the VM's pool; NULL: not possible, mostly for want of memory. */
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
	uint64_t slot_size = VIRTIO_EMPTY_SLOT_SIZE;

	/* A slot of no usual size has its registers at its start, and zeroes behind. */
	while (slot_size < d->size) {
		slot_size *= 2;
	}
	if (slots == NULL ||
	    virtio_empty_init(slots, vm, guest_dev_kind_name(d->kind), slot_size) != 0) {
		return NULL;
	}
	return &slots->dev;
}

static struct vdev *make_virtio_fwd(struct vm *vm, const struct guest_dev *d)
{
	struct virtio_fwd *f = pool_alloc(&vm->pool, sizeof(*f));
	int err;

	if (f == NULL) {
		return NULL;
	}
	err = hv_map_device(hpa(d->hpa), VIRTIO_FWD_SLOT_SIZE);
	err = err != 0 ? err : virtio_fwd_init(f, vm, guest_dev_kind_name(d->kind), hpa(d->hpa));
	if (err != 0) {
		log_error("%s: the virtio-mmio slot at %#llx cannot be passed through: %s",
			  vm->name, (unsigned long long)d->hpa,
			  err == -ENODEV ? "there is none"
			  : err == -EIO	 ? "its device does not stop"
					 : "it cannot be mapped");
		return NULL;
	}
	return &f->dev;
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
	[GUEST_DEV_UART_PL011] = make_pl011,	  [GUEST_DEV_RTC_PL031] = make_pl031,
	[GUEST_DEV_GPIO_PL061] = make_pl061,	  [GUEST_DEV_VIRTIO_EMPTY] = make_virtio_empty,
	[GUEST_DEV_VIRTIO_FWD] = make_virtio_fwd, [GUEST_DEV_RAZ] = make_raz,
};

/* One that virtio_empty can repeat: a power of two, large enough. */
static bool is_slot_size(uint64_t size)
{
	return size >= VIRTIO_EMPTY_SLOT_SIZE && (size & (size - 1)) == 0;
}

/* The plan's virtio-mmio slot of `size` bytes that starts, or that ends, at `at`. */
static const struct guest_dev *find_slot(const struct guest_board *b, uint64_t at, uint64_t size,
					 bool ends)
{
	for (uint32_t i = 0; i < b->dev_count; i++) {
		const struct guest_dev *d = &b->dev[i];

		if (d->kind == GUEST_DEV_VIRTIO_EMPTY && d->size == size &&
		    (ends ? d->base + d->size : d->base) == at) {
			return d;
		}
	}
	return NULL;
}

/*
 * How many bytes of the bus device d is to have.  A board has 32 slots side by side: the
 * first of a row stands for all of it, so that the bus stays short; 0: d is not the first.
 */
static uint64_t bus_size(const struct guest_board *b, const struct guest_dev *d)
{
	uint64_t size = d->size;

	if (d->kind != GUEST_DEV_VIRTIO_EMPTY || !is_slot_size(d->size)) {
		return size;
	}
	if (find_slot(b, d->base, d->size, true) != NULL) {
		return 0;
	}
	while (find_slot(b, d->base + size, d->size, false) != NULL) {
		size += d->size;
	}
	return size;
}

static int device_create(struct vm *vm, const struct guest_dev *d, uint64_t size)
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
		log_error("%s: no %s can be made", vm->name, guest_dev_kind_name(d->kind));
		return -ENOMEM;
	}
	vm->dev[vm->dev_count++] = dev;
	err = bus_add(&vm->bus, VDEV_MMIO, d->base, size, 0, dev, &other);
	if (err == -EEXIST) {
		log_error("%s: %s at [%#llx, %#llx) overlaps %s at [%#llx, %#llx)", vm->name,
			  dev->name, (unsigned long long)d->base,
			  (unsigned long long)(d->base + size), other->dev->name,
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
		uint64_t size = bus_size(b, &b->dev[i]);
		int err = size != 0 ? device_create(vm, &b->dev[i], size) : 0;

		if (err != 0) {
			return err;
		}
	}
	return 0;
}
