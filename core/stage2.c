/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guests' physical address spaces; see hv/stage2.h.
 */
#include <errno.h>
#include <hv/arch_mm.h>
#include <hv/bitmap.h>
#include <hv/bug.h>
#include <hv/stage2.h>
#include <string.h>

/* More than MAX_VMS can ever use; numbers above are left to nobody. */
#define VMID_LIMIT 256

static struct {
	struct spinlock lock; /* guards all of it */
	uint32_t limit;	      /* numbers below this one exist */
	uint32_t next;	      /* search starts here: a number rests before it is used again */
	uint64_t used[BITMAP_WORDS(VMID_LIMIT)];
} vmids;

void vmid_init(unsigned bits)
{
	BUG_ON(bits < 1 || bits > 16);
	memset(&vmids, 0, sizeof(vmids));
	vmids.limit = MIN(BIT32(bits), VMID_LIMIT);
	vmids.next = 1;
	bitmap_set(vmids.used, 0);
}

int vmid_alloc(uint16_t *vmid)
{
	uint64_t flags = spin_lock_irqsave(&vmids.lock);
	size_t n = bitmap_find_clear(vmids.used, vmids.limit, vmids.next);
	int ret = -ENOSPC;

	if (n >= vmids.limit) {
		n = bitmap_find_clear(vmids.used, vmids.limit, 0);
	}
	if (n < vmids.limit) {
		bitmap_set(vmids.used, n);
		vmids.next = (uint32_t)n + 1;
		*vmid = (uint16_t)n;
		ret = 0;
	}
	spin_unlock_irqrestore(&vmids.lock, flags);
	return ret;
}

void vmid_free(uint16_t vmid)
{
	uint64_t flags = spin_lock_irqsave(&vmids.lock);

	BUG_ON(vmid == 0 || vmid >= vmids.limit || !bitmap_test(vmids.used, vmid));
	bitmap_clear(vmids.used, vmid);
	spin_unlock_irqrestore(&vmids.lock, flags);
}

int stage2_create(struct stage2 *s2, const struct pt_shape *shape, const struct pt_ops *ops,
		  owner_t owner)
{
	int ret;

	memset(s2, 0, sizeof(*s2));
	s2->owner = owner;
	ret = vmid_alloc(&s2->vmid);
	if (ret != 0) {
		return ret;
	}
	/* The tables are the hypervisor's: no owner check may ever let a guest have them. */
	ret = pt_init(&s2->pt, shape, ops, OWNER_HV);
	if (ret != 0) {
		vmid_free(s2->vmid);
	}
	return ret;
}

void stage2_destroy(struct stage2 *s2)
{
	pt_destroy(&s2->pt);
	vmid_free(s2->vmid);
}

static int map(struct stage2 *s2, gpa_t gpa, hpa_t pa, uint64_t size, uint32_t attr,
	       struct stage2_why *why)
{
	uint64_t flags = spin_lock_irqsave(&s2->lock);
	uint64_t at = gpa.a;
	int ret = pt_map(&s2->pt, gpa.a, pa, size, attr, &at);

	spin_unlock_irqrestore(&s2->lock, flags);
	if (ret != 0 && why != NULL) {
		why->gpa.a = at;
		why->hpa.a = pa.a + (at - gpa.a);
		why->owner = s2->owner;
	}
	return ret;
}

/* The frame that stands in the way, as an address of the guest. */
static int refuse(gpa_t gpa, hpa_t pa, const struct page_conflict *c, struct stage2_why *why)
{
	if (why != NULL) {
		why->gpa.a = gpa.a + (c->frame.a - pa.a);
		why->hpa = c->frame;
		why->owner = c->owner;
	}
	return -EPERM;
}

int stage2_map_ram(struct stage2 *s2, gpa_t gpa, hpa_t pa, uint64_t size, uint32_t flags,
		   struct stage2_why *why)
{
	struct page_conflict c = { .frame = pa, .owner = OWNER_NONE };

	if ((flags & ~(PT_R | PT_W | PT_X | PT_UNCACHED)) != 0) {
		return -EINVAL;
	}
	if (!page_range_owned(s2->owner, pa, size, &c)) {
		return refuse(gpa, pa, &c, why);
	}
	return map(s2, gpa, pa, size, flags, why);
}

int stage2_map_device(struct stage2 *s2, gpa_t gpa, hpa_t pa, uint64_t size, uint32_t flags,
		      struct stage2_why *why)
{
	struct page_conflict c = { .frame = pa, .owner = OWNER_NONE };

	if ((flags & ~(PT_R | PT_W)) != 0) {
		return -EINVAL;
	}
	if (page_find_ram(pa, size, &c)) {
		return refuse(gpa, pa, &c, why);
	}
	return map(s2, gpa, pa, size, flags | PT_DEVICE, why);
}

int stage2_unmap(struct stage2 *s2, gpa_t gpa, uint64_t size)
{
	uint64_t flags = spin_lock_irqsave(&s2->lock);
	int ret = pt_unmap(&s2->pt, gpa.a, size, NULL);

	spin_unlock_irqrestore(&s2->lock, flags);
	return ret;
}

int stage2_protect(struct stage2 *s2, gpa_t gpa, uint64_t size, uint32_t flags, gpa_t *where)
{
	uint64_t irq;
	uint64_t at = gpa.a;
	int ret;

	if ((flags & ~(PT_R | PT_W | PT_X | PT_UNCACHED)) != 0) {
		return -EINVAL;
	}
	irq = spin_lock_irqsave(&s2->lock);
	ret = pt_protect(&s2->pt, gpa.a, size, flags, NULL, &at);
	spin_unlock_irqrestore(&s2->lock, irq);
	if (ret != 0 && where != NULL) {
		where->a = at;
	}
	return ret;
}

void stage2_walk(struct stage2 *s2, gpa_t gpa, struct pt_walk *walk)
{
	uint64_t flags = spin_lock_irqsave(&s2->lock);

	(void)pt_query(&s2->pt, gpa.a, walk);
	spin_unlock_irqrestore(&s2->lock, flags);
}

int stage2_translate(struct stage2 *s2, gpa_t gpa, uint64_t *len, hpa_t *out, uint32_t *attr)
{
	struct pt_walk walk;

	stage2_walk(s2, gpa, &walk);
	if (!walk.mapped) {
		return -EFAULT;
	}
	if (len != NULL) {
		*len = walk.left;
	}
	if (out != NULL) {
		*out = walk.out;
	}
	if (attr != NULL) {
		*attr = walk.attr;
	}
	return 0;
}

bool stage2_allows(struct stage2 *s2, gpa_t gpa, uint32_t access)
{
	uint32_t attr;

	return stage2_translate(s2, gpa, NULL, NULL, &attr) == 0 && (attr & access) != 0;
}

/* ---- access to guest memory ---- */

enum access_kind {
	ACCESS_READ,
	ACCESS_WRITE,
	ACCESS_ZERO,
};

struct access {
	enum access_kind kind;
	uint32_t need; /* attributes that the mapping must have */
	uint8_t *to;
	const uint8_t *from;
};

/*
 * Up to the end of a 4 KiB page.  The lock is held while copying: nobody unmaps the
 * frame and gives it to somebody else meanwhile.
 */
static int access_page(struct stage2 *s2, gpa_t gpa, size_t len, const struct access *a)
{
	uint64_t flags = spin_lock_irqsave(&s2->lock);
	struct pt_walk walk;
	int ret = -EFAULT;

	if (pt_query(&s2->pt, gpa.a, &walk) && (walk.attr & PT_DEVICE) == 0 &&
	    (walk.attr & a->need) == a->need) {
		uint8_t *p = hpa_to_ptr(walk.out);

		switch (a->kind) {
		case ACCESS_READ:
			memcpy(a->to, p, len);
			break;
		case ACCESS_WRITE:
			memcpy(p, a->from, len);
			break;
		case ACCESS_ZERO:
			memset(p, 0, len);
			break;
		}
		ret = 0;
	}
	spin_unlock_irqrestore(&s2->lock, flags);
	return ret;
}

static int access_range(struct stage2 *s2, gpa_t gpa, uint64_t len, struct access a)
{
	while (len != 0) {
		uint64_t n = MIN(len, PAGE_SIZE - (gpa.a & (PAGE_SIZE - 1)));
		int ret = access_page(s2, gpa, n, &a);

		if (ret != 0) {
			return ret;
		}
		/* Past the last page of 2^64 there is no page 0: no space is that large. */
		gpa.a += n;
		len -= n;
		if (a.kind == ACCESS_READ) {
			a.to += n;
		} else if (a.kind == ACCESS_WRITE) {
			a.from += n;
		}
	}
	return 0;
}

int gpa_read(struct stage2 *s2, gpa_t gpa, void *buf, size_t len)
{
	return access_range(s2, gpa, len,
			    (struct access){ .kind = ACCESS_READ, .need = PT_R, .to = buf });
}

int gpa_write(struct stage2 *s2, gpa_t gpa, const void *buf, size_t len)
{
	return access_range(s2, gpa, len,
			    (struct access){ .kind = ACCESS_WRITE, .need = PT_W, .from = buf });
}

int gpa_zero(struct stage2 *s2, gpa_t gpa, uint64_t len)
{
	return access_range(s2, gpa, len, (struct access){ .kind = ACCESS_ZERO, .need = PT_W });
}

int gpa_load(struct stage2 *s2, gpa_t gpa, const void *buf, size_t len)
{
	return access_range(s2, gpa, len, (struct access){ .kind = ACCESS_WRITE, .from = buf });
}

int gpa_load_zero(struct stage2 *s2, gpa_t gpa, uint64_t len)
{
	return access_range(s2, gpa, len, (struct access){ .kind = ACCESS_ZERO });
}
