/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forwarding to a virtio-mmio slot of the host (virtio 1.2, 4.2.2; legacy 4.2.4).
 *
 * Almost all registers go through as they are.  Those that say where a queue lies are
 * kept here as well, so that the write that puts the queue into use can be judged; what
 * was judged cannot be changed any more until the queue or the device is reset.
 */
#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/log.h>
#include <hv/mmio.h>
#include <hv/plan.h>
#include <hv/timer.h>
#include <hv/virtio_fwd.h>
#include <hv/vm.h>
#include <string.h>

#define R_MAGIC		  0x000
#define R_VERSION	  0x004
#define R_GUEST_PAGE_SIZE 0x028 /* legacy */
#define R_QUEUE_SEL	  0x030
#define R_QUEUE_NUM_MAX	  0x034
#define R_QUEUE_NUM	  0x038
#define R_QUEUE_ALIGN	  0x03c /* legacy */
#define R_QUEUE_PFN	  0x040 /* legacy */
#define R_QUEUE_READY	  0x044
#define R_STATUS	  0x070
#define R_DESC_LOW	  0x080
#define R_DESC_HIGH	  0x084
#define R_DRIVER_LOW	  0x090
#define R_DRIVER_HIGH	  0x094
#define R_DEVICE_LOW	  0x0a0
#define R_DEVICE_HIGH	  0x0a4
#define R_QUEUE_RESET	  0x0c0
#define R_CONFIG	  0x100

#define MAGIC	       0x74726976 /* "virt" */
#define VERSION_LEGACY 1
#define VERSION_MODERN 2

#define QUEUE_NUM_MAX UINT32_C(32768) /* 2.7 */
#define ALIGN_USUAL   UINT32_C(4096)  /* of a legacy device that was not told */
#define ALIGN_MAX     UINT32_C(65536)

#define STOP_TIMEOUT_NS UINT64_C(1000000000)

static bool is_power_of_two(uint64_t v)
{
	return v != 0 && (v & (v - 1)) == 0;
}

/* Once for each life of the device: a guest must not fill the log. */
static void complain(struct virtio_fwd *f, const char *what, uint64_t base, uint64_t size)
{
	if (!f->complained) {
		f->complained = true;
		log_warn("%s: %s at %#llx: queue %u, %s [%#llx, %#llx), is refused: it is not in "
			 "the VM's own memory",
			 f->dev.vm->name, f->dev.name, (unsigned long long)f->regs.a, f->sel, what,
			 (unsigned long long)base, (unsigned long long)(base + size));
	}
}

/* The device's addresses are the host's: only memory that is identical can be meant. */
static bool is_own(struct virtio_fwd *f, const char *what, uint64_t base, uint64_t size)
{
	const struct vm_plan *plan = f->dev.vm->plan;

	for (uint32_t i = 0; i < plan->memory_count; i++) {
		const struct plan_memory *m = &plan->memory[i];

		if (m->map_type != VM_MAP_ALLOC && m->hpa == m->gpa &&
		    (m->flags & VM_MEM_WRITE) != 0 && range_within(base, size, m->hpa, m->size)) {
			return true;
		}
	}
	complain(f, what, base, size);
	return false;
}

static uint64_t queue_num(const struct virtio_fwd *f, const struct virtio_fwd_queue *q)
{
	return q->num != 0 ? q->num : MIN(mmio_read32(f->regs, R_QUEUE_NUM_MAX), QUEUE_NUM_MAX);
}

/* 2.7.2: descriptors and the driver's ring, then at `align` the device's ring. */
static bool may_start_legacy(struct virtio_fwd *f, const struct virtio_fwd_queue *q, uint32_t pfn)
{
	const uint64_t num = queue_num(f, q);
	const uint64_t align = q->align != 0 ? q->align : ALIGN_USUAL;

	return f->page_size != 0 && is_own(f, "its rings", (uint64_t)pfn * f->page_size,
					   ALIGN_UP(16 * num + 2 * num + 6, align) + 8 * num + 6);
}

static bool may_start_modern(struct virtio_fwd *f, const struct virtio_fwd_queue *q)
{
	const uint64_t num = queue_num(f, q);

	return is_own(f, "its descriptors", q->desc, 16 * num) &&
	       is_own(f, "the driver's ring", q->driver, 2 * num + 6) &&
	       is_own(f, "the device's ring", q->device, 8 * num + 6);
}

static void set_half(uint64_t *address, uint32_t value, bool high)
{
	if (high) {
		*address = (*address & UINT32_MAX) | (uint64_t)value << 32;
	} else {
		*address = (*address & ~(uint64_t)UINT32_MAX) | value;
	}
}

static void forget_queues(struct virtio_fwd *f)
{
	memset(f->queue, 0, sizeof(f->queue));
}

static bool any_live(const struct virtio_fwd *f)
{
	for (uint32_t i = 0; i < VIRTIO_FWD_QUEUES; i++) {
		if (f->queue[i].live) {
			return true;
		}
	}
	return false;
}

/* Registers of a queue that is in use, or about to be; true: the write goes on. */
static bool write_queue_start(struct virtio_fwd *f, struct virtio_fwd_queue *q, uint64_t reg,
			      uint32_t value)
{
	switch (reg) {
	case R_QUEUE_PFN:
		if (!f->legacy || (value != 0 && !may_start_legacy(f, q, value))) {
			return false;
		}
		q->live = value != 0;
		return true;
	case R_QUEUE_READY:
		if (f->legacy || (value != 0 && !may_start_modern(f, q))) {
			return false;
		}
		q->live = value != 0;
		return true;
	default: /* R_QUEUE_RESET */
		if (f->legacy) {
			return false;
		}
		q->live = false;
		return true;
	}
}

/* What a queue will be; a queue that is in use stays as it was judged. */
static bool write_queue_shape(const struct virtio_fwd *f, struct virtio_fwd_queue *q, uint64_t reg,
			      uint32_t value)
{
	if (q->live) {
		return false;
	}
	switch (reg) {
	case R_QUEUE_NUM:
		if (value == 0 || value > QUEUE_NUM_MAX) {
			return false;
		}
		q->num = value;
		return true;
	case R_QUEUE_ALIGN:
		if (!f->legacy || !is_power_of_two(value) || value > ALIGN_MAX) {
			return false;
		}
		q->align = value;
		return true;
	case R_DESC_LOW:
	case R_DESC_HIGH:
		set_half(&q->desc, value, reg == R_DESC_HIGH);
		break;
	case R_DRIVER_LOW:
	case R_DRIVER_HIGH:
		set_half(&q->driver, value, reg == R_DRIVER_HIGH);
		break;
	default: /* R_DEVICE_* */
		set_half(&q->device, value, reg == R_DEVICE_HIGH);
		break;
	}
	return !f->legacy;
}

/* True when the write goes on to the device. */
static bool may_write(struct virtio_fwd *f, uint64_t reg, uint32_t value)
{
	struct virtio_fwd_queue *q = f->sel < VIRTIO_FWD_QUEUES ? &f->queue[f->sel] : NULL;

	switch (reg) {
	case R_GUEST_PAGE_SIZE:
		if (!f->legacy || !is_power_of_two(value) || any_live(f)) {
			return false;
		}
		f->page_size = value;
		return true;
	case R_QUEUE_SEL:
		f->sel = value;
		return true;
	case R_QUEUE_PFN:
	case R_QUEUE_READY:
	case R_QUEUE_RESET:
		return q != NULL && write_queue_start(f, q, reg, value);
	case R_QUEUE_NUM:
	case R_QUEUE_ALIGN:
	case R_DESC_LOW:
	case R_DESC_HIGH:
	case R_DRIVER_LOW:
	case R_DRIVER_HIGH:
	case R_DEVICE_LOW:
	case R_DEVICE_HIGH:
		return q != NULL && write_queue_shape(f, q, reg, value);
	case R_STATUS:
		if (value == 0) {
			forget_queues(f);
		}
		return true;
	default:
		return true;
	}
}

static void write_reg(struct virtio_fwd *f, const struct vdev_access *a)
{
	uint64_t flags;

	if (a->offset < R_CONFIG) {
		flags = spin_lock_irqsave(&f->lock);
		if (may_write(f, a->offset, (uint32_t)a->value)) {
			/* Rings are in memory before the device is told of them. */
			mmio_wmb();
			mmio_write32(f->regs, a->offset, (uint32_t)a->value);
		}
		spin_unlock_irqrestore(&f->lock, flags);
	} else if (a->width == 1) {
		mmio_write8(f->regs, a->offset, (uint8_t)a->value);
	} else if (a->width == 2) {
		mmio_write16(f->regs, a->offset, (uint16_t)a->value);
	} else {
		mmio_write32(f->regs, a->offset, (uint32_t)a->value);
	}
}

static uint64_t read_reg(const struct virtio_fwd *f, const struct vdev_access *a)
{
	if (a->width == 1) {
		return mmio_read8(f->regs, a->offset);
	}
	if (a->width == 2) {
		return mmio_read16(f->regs, a->offset);
	}
	return mmio_read32(f->regs, a->offset);
}

/* 4.2.2.2: registers are of 32 bits, the configuration space has 1, 2 and 4 bytes. */
static bool is_possible(const struct vdev_access *a)
{
	return a->width <= 4 && IS_ALIGNED(a->offset, a->width) &&
	       a->offset < VIRTIO_FWD_SLOT_SIZE && (a->width == 4 || a->offset >= R_CONFIG);
}

static enum vdev_result virtio_fwd_access(struct vdev *dev, struct vdev_access *a)
{
	struct virtio_fwd *f = container_of(dev, struct virtio_fwd, dev);

	if (f->stuck) {
		/* As an empty slot: magic and version, device id 0. */
		a->value = a->offset == R_MAGIC ? MAGIC : a->offset == R_VERSION ? 2 : 0;
	} else if (!is_possible(a)) {
		a->value = 0;
	} else if (a->write) {
		write_reg(f, a);
	} else {
		a->value = read_reg(f, a);
	}
	return VDEV_OK;
}

/* 2.4, 4.2.2: the device has stopped when its status reads 0 again. */
static int stop(struct virtio_fwd *f)
{
	uint64_t end = time_now() + STOP_TIMEOUT_NS;

	mmio_mb();
	mmio_write32(f->regs, R_STATUS, 0);
	while (mmio_read32(f->regs, R_STATUS) != 0) {
		if (time_now() > end) {
			return -EIO;
		}
		arch_cpu_relax();
	}
	mmio_mb();
	return 0;
}

static void virtio_fwd_stop(struct virtio_fwd *f)
{
	if (!f->stuck && stop(f) != 0) {
		f->stuck = true;
		log_error("%s: %s at %#llx does not stop", f->dev.vm->name, f->dev.name,
			  (unsigned long long)f->regs.a);
	}
	f->complained = false;
	f->page_size = 0;
	f->sel = 0;
	forget_queues(f);
}

static void virtio_fwd_reset(struct vdev *dev)
{
	struct virtio_fwd *f = container_of(dev, struct virtio_fwd, dev);

	virtio_fwd_stop(f);
	if (!f->stuck) {
		mmio_write32(f->regs, R_QUEUE_SEL, 0);
	}
}

static void virtio_fwd_destroy(struct vdev *dev)
{
	virtio_fwd_stop(container_of(dev, struct virtio_fwd, dev));
}

static const struct vdev_ops virtio_fwd_ops = {
	.access = virtio_fwd_access,
	.reset = virtio_fwd_reset,
	.destroy = virtio_fwd_destroy,
};

int virtio_fwd_init(struct virtio_fwd *f, struct vm *vm, const char *name, hpa_t regs)
{
	uint32_t version = mmio_read32(regs, R_VERSION);

	memset(f, 0, sizeof(*f));
	f->dev = (struct vdev){ .ops = &virtio_fwd_ops, .vm = vm, .name = name };
	f->regs = regs;
	if (mmio_read32(regs, R_MAGIC) != MAGIC ||
	    (version != VERSION_LEGACY && version != VERSION_MODERN)) {
		return -ENODEV;
	}
	f->legacy = version == VERSION_LEGACY;
	return stop(f);
}

bool virtio_fwd_is_quiet(struct vdev *dev)
{
	return dev->ops != &virtio_fwd_ops || !container_of(dev, struct virtio_fwd, dev)->stuck;
}
