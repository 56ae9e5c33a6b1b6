/* SPDX-License-Identifier: Apache-2.0 */
/* The hypervisor's own mappings; see hv_map.h. */
#include <hv/bug.h>
#include <hv/hv_map.h>
#include <hv/spinlock.h>

#include <errno.h>

struct pt hv_pt;
static struct spinlock map_lock;

int hv_map(uint64_t va, hpa_t pa, uint64_t size, uint32_t attr)
{
	uint64_t flags = spin_lock_irqsave(&map_lock);
	int err = pt_map(&hv_pt, va, pa, size, attr, NULL);

	spin_unlock_irqrestore(&map_lock, flags);
	return err;
}

int hv_map_device(hpa_t pa, uint64_t size)
{
	uint64_t start = ALIGN_DOWN(pa.a, PAGE_SIZE);
	uint64_t end = ALIGN_UP(pa.a + size, PAGE_SIZE);
	uint64_t flags;
	struct pt_walk walk;
	int err = 0;

	if (size == 0 || end <= start) {
		return -EINVAL;
	}
	flags = spin_lock_irqsave(&map_lock);
	for (uint64_t at = start; at < end && err == 0;) {
		uint64_t step = end - at;

		/* What is there already (a neighbour on the same page) stays; holes are filled. */
		if (pt_query(&hv_pt, at, &walk)) {
			err = walk.out.a == at && (walk.attr & PT_DEVICE) != 0 ? 0 : -EEXIST;
			at += MIN(walk.left, step);
			continue;
		}
		err = pt_map(&hv_pt, at, hpa(at), step, PT_R | PT_W | PT_DEVICE, NULL);
		if (err == -EEXIST) {
			step = PAGE_SIZE;
			err = pt_map(&hv_pt, at, hpa(at), step, PT_R | PT_W | PT_DEVICE, NULL);
		}
		at += step;
	}
	spin_unlock_irqrestore(&map_lock, flags);
	return err;
}

void hv_unmap(uint64_t va, uint64_t size)
{
	uint64_t flags = spin_lock_irqsave(&map_lock);
	int err = pt_unmap(&hv_pt, va, size, NULL);

	spin_unlock_irqrestore(&map_lock, flags);
	/* Only whole mappings are taken away, so no table is needed for a split. */
	BUG_ON(err != 0);
}

int hv_translate(uint64_t va, hpa_t *pa)
{
	uint64_t flags = spin_lock_irqsave(&map_lock);
	struct pt_walk walk;
	bool mapped = pt_query(&hv_pt, va, &walk);

	spin_unlock_irqrestore(&map_lock, flags);
	if (!mapped) {
		return -EFAULT;
	}
	*pa = walk.out;
	return 0;
}
