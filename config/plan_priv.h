/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the planner share. */
#ifndef PLAN_PRIV_H
#define PLAN_PRIV_H

#include <hv/fdt_find.h>
#include <hv/machine.h>
#include <hv/plan.h>
#include <hv/rangeset.h>

#define PLAN_MAX_FOUND 32

/* One planning; lives at the start of the request's work space. */
struct planner {
	const struct plan_request *req;
	const struct vm_config *cfg;
	const struct machine *machine; /* NULL: not known */
	struct vm_plan *out;

	struct fdt_facts guest; /* of the device tree that is given */
	bool has_guest;
	struct fdt_facts host;	/* devices of the machine, or of the board we assume */
	struct fdt_facts board; /* what guests without a device tree of their own expect */
	struct rangeset set;	/* scratch */
	struct fdt_found found[PLAN_MAX_FOUND]; /* scratch: in the machine's tree */
	struct fdt_found guest_found[PLAN_MAX_FOUND];

	/* The device tree: as read, then as it will be; dtb_cap bytes of work space. */
	void *dtb;
	size_t dtb_cap;
	size_t dtb_size; /* 0: none */
	bool failed;	 /* an image cannot be used: nothing is placed */

	bool console; /* the VM has one already */
	/* Passthrough entries that are virtual, at least in part; see pass_get(). */
	bool is_virtual[VM_MAX_PASS + VM_MAX_PASS_ADDR];
};

/* The devices of the board that guests of an architecture expect: QEMU's virt. */
void plan_default_board(enum vm_arch arch, struct fdt_facts *out);

void plan_diag(const struct planner *p, enum diag_severity severity, struct cfg_pos pos,
	       const char *fmt, ...) __printf(4, 5);
struct image_site plan_site(const struct planner *p, struct cfg_pos pos);

/* The steps of vm_plan(), in this order; each reports what it finds. */
void plan_cpus(struct planner *p);
void plan_memory(struct planner *p);
void plan_read_images(struct planner *p);
void plan_intc(struct planner *p);
void plan_devices(struct planner *p);
void plan_place_images(struct planner *p);
void plan_conflicts(struct planner *p);

/* A passthrough entry of the lists, whichever it came from. */
struct plan_pass {
	const char *name;
	uint64_t gpa;
	uint64_t hpa;
	uint64_t size;
	struct cfg_pos pos;
};

/* The n-th; false after the last. */
bool plan_pass_get(const struct planner *p, uint32_t n, struct plan_pass *out);

/* Is there a part of the host's interrupt controller in the entry? */
bool plan_pass_is_intc(const struct planner *p, const struct plan_pass *e);

/* virtio-mmio slots of one entry. */
struct plan_slots {
	uint32_t total;
	uint32_t forwarded;
	uint32_t hidden;  /* forwarded, but not in the guest's device tree */
	uint32_t ours;	  /* the hypervisor uses their devices */
	uint32_t foreign; /* another VM has them: `owner`, or one of several */
	const struct vm_plan *owner;
};

/*
 * A virtio-mmio slot `d` of the host, seen as the empty slot *g so far: makes it a
 * forwarded one if the VM can have it, with its interrupt, and counts it.
 */
void plan_forward_slot(struct planner *p, const struct plan_pass *e, const struct fdt_dev *d,
		       struct plan_slots *slots, struct guest_dev *g);
/* What became of an entry's slots. */
void plan_say_slots(const struct planner *p, const struct plan_pass *e,
		    const struct plan_slots *slots);

/* No interrupt that is passed through is a virtual device's too. */
void plan_check_irqs(struct planner *p);

/* Host RAM in the range: says so. */
bool plan_refuse_ram(const struct planner *p, const char *name, uint64_t base, uint64_t size,
		     struct cfg_pos pos);

/* Does the machine's own tree have a device there?  False if it is not known. */
bool plan_host_has(const struct planner *p, uint64_t base, uint64_t size);

/*
 * Maps host device memory for real, after all checks.  `region`: a memory region with the
 * DEVICE flag, whose author knows what is there even if the device tree does not.
 */
void plan_map_device(struct planner *p, const char *name, uint64_t gpa_base, uint64_t hpa_base,
		     uint64_t size, bool region, struct cfg_pos pos);

#endif
