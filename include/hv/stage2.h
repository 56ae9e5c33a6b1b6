/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's physical address space: stage-2 tables, and checked access to its memory.
 *
 * Every frame that becomes guest RAM is looked up in the owner table first.  The
 * accessors look each page up anew in the tables, honour its read and write
 * permissions, and refuse device mappings; no pointer into guest memory leaves here.
 *
 * Locks: one per address space, inside, taken with interrupts off (order: before the
 * page allocator's).  It is held for at most a page's worth of copying; creating,
 * mapping and unmapping cost a step per page or block and table, so callers with
 * large areas of 4 KiB pages go in steps of at most 1 MiB.
 */
#ifndef HV_STAGE2_H
#define HV_STAGE2_H

#include <hv/pt.h>
#include <hv/spinlock.h>
#include <hv/types.h>

struct stage2 {
	struct spinlock lock; /* guards pt */
	struct pt pt;
	owner_t owner; /* whose frames may be mapped as RAM; constant */
	uint16_t vmid; /* constant */
};

/* What was wrong, where: for the message. */
struct stage2_why {
	gpa_t gpa;     /* first address that could not be mapped */
	hpa_t hpa;     /* its frame */
	owner_t owner; /* -EPERM: whose that is */
};

/*
 * An empty address space of the given shape (arch code: from vmsa_s2_layout()) for the
 * VM whose frames belong to `owner`.  -ENOMEM: no frames; -ENOSPC: no VMID is free.
 */
int __must_check stage2_create(struct stage2 *s2, const struct pt_shape *shape,
			       const struct pt_ops *ops, owner_t owner);

/* No core runs it any more.  Tables and VMID go back; guest RAM is the caller's to free. */
void stage2_destroy(struct stage2 *s2);

/*
 * Maps frames that belong to s2->owner.  flags: PT_R, PT_W, PT_X, PT_UNCACHED.
 * -EPERM: a frame belongs to another; else as pt_map().  Nothing changes on failure.
 * why may be NULL.
 */
int __must_check stage2_map_ram(struct stage2 *s2, gpa_t gpa, hpa_t hpa, uint64_t size,
				uint32_t flags, struct stage2_why *why);

/*
 * Maps device registers, never executable: flags PT_R, PT_W.  -EPERM: the range holds a
 * frame of RAM (of any owner, OWNER_RESERVED too).  Else as stage2_map_ram().
 */
int __must_check stage2_map_device(struct stage2 *s2, gpa_t gpa, hpa_t hpa, uint64_t size,
				   uint32_t flags, struct stage2_why *why);

/* When it returns no core can reach the frames through this address space any more. */
int __must_check stage2_unmap(struct stage2 *s2, gpa_t gpa, uint64_t size);

/* New permissions (PT_R, PT_W, PT_X) for RAM that is mapped; as pt_protect(). */
int __must_check stage2_protect(struct stage2 *s2, gpa_t gpa, uint64_t size, uint32_t flags,
				gpa_t *where);

/*
 * Where gpa is, and how many bytes from there on are contiguous in the same page or
 * block; each result may be NULL.  -EFAULT: not mapped.  The answer may be old as soon
 * as it is given, if somebody unmaps meanwhile.
 */
int __must_check stage2_translate(struct stage2 *s2, gpa_t gpa, uint64_t *len, hpa_t *out,
				  uint32_t *attr);

/*
 * Would the guest's access (one of PT_R, PT_W, PT_X) succeed now?  Then a fault that
 * said otherwise came from a change in progress (break-before-make): run the guest
 * again.
 */
bool stage2_allows(struct stage2 *s2, gpa_t gpa, uint32_t access);

/* The walk for a crash report. */
void stage2_walk(struct stage2 *s2, gpa_t gpa, struct pt_walk *walk);

/*
 * Access to guest memory, any address, any length: -EFAULT if a byte of it is not
 * mapped, not permitted (R for reading, W for the others) or a device's, or past the end
 * of the address space.  Pages before that one may have been read or written already.
 */
int __must_check gpa_read(struct stage2 *s2, gpa_t gpa, void *buf, size_t len);
int __must_check gpa_write(struct stage2 *s2, gpa_t gpa, const void *buf, size_t len);
int __must_check gpa_zero(struct stage2 *s2, gpa_t gpa, uint64_t len);

/*
 * As gpa_write()/gpa_zero() without regard to W: the hypervisor loads a guest's image
 * into memory that the guest itself may not write.
 */
int __must_check gpa_load(struct stage2 *s2, gpa_t gpa, const void *buf, size_t len);
int __must_check gpa_load_zero(struct stage2 *s2, gpa_t gpa, uint64_t len);

/* VMIDs: 1 .. 2^bits - 1; 0 is nobody's.  bits: 8 or 16 (others: what the chip has). */
void vmid_init(unsigned bits);
/* -ENOSPC: all in use. */
int __must_check vmid_alloc(uint16_t *vmid);
/* The tree that used it is invalidated on all cores. */
void vmid_free(uint16_t vmid);

#endif
