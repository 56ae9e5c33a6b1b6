/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The planner: from a configuration, the machine, the images and the VMs that are
 * planned already to everything that creating the VM needs, decided beforehand.
 *
 * vm_plan() has no side effect but the findings it reports: it opens images, reads
 * headers and the device tree, and closes them again.  `axvmconfig check` runs the
 * same code on the build machine.  vm_load_*() then brings the images into the
 * memory of the VM that was created from the plan, at the first start and at each
 * reset.  Rulings: docs/configuration.md.
 *
 * A plan is large (about 20 KiB): never put one on a stack.  It points to its
 * configuration, which has to outlive it, and into itself: it must not be copied.
 */
#ifndef HV_PLAN_H
#define HV_PLAN_H

#include <hv/fdt_guest.h>
#include <hv/guest_board.h>
#include <hv/image.h>
#include <hv/vm_config.h>

struct machine;
struct stage2;

#define PLAN_MAX_MAPS 64
#define PLAN_MAX_IRQS 128

struct plan_memory {
	uint64_t gpa;
	uint64_t size;
	uint64_t hpa;	/* IDENTICAL, RESERVED: = gpa */
	uint32_t flags; /* VM_MEM_* */
	enum vm_map_type map_type;
	struct cfg_pos pos;
};

/* Host device memory mapped into the guest for real, exclusively. */
struct plan_map {
	uint64_t gpa; /* page aligned, as all three */
	uint64_t hpa;
	uint64_t size;
	bool dma;	  /* may be a bus master, which we do not know how to stop */
	const char *name; /* in the configuration */
	struct cfg_pos pos;
};

/* An interrupt of the host that goes to the VM, hardware-linked. */
struct plan_irq {
	uint32_t host; /* the host controller's number, a shared interrupt */
	uint32_t guest;
	bool edge;
	const char *name; /* of the passthrough entry */
	struct cfg_pos pos;
};

enum plan_slot {
	PLAN_KERNEL,
	PLAN_BIOS,
	PLAN_RAMDISK,
	PLAN_DTB,
	PLAN_SLOTS,
};

struct plan_image {
	bool present;
	const char *path; /* NULL: a generated device tree */
	struct cfg_pos pos;
	uint64_t base;		/* guest-physical */
	uint64_t size;		/* of memory: span of the image, exact size of the device tree */
	struct image_info info; /* not of the device tree */
};

struct vm_plan {
	const struct vm_config *cfg;
	uint32_t index;	 /* of the configuration, for the image store */
	uint32_t errors; /* found: not 0 = must not be created */

	struct guest_board board; /* vCPU ids, RAM, interrupt controller, emulated devices */
	char bootargs[VM_CMDLINE_MAX];
	uint64_t cpu_affinity[MAX_VCPUS]; /* host cores allowed, never 0 */

	uint32_t memory_count;
	struct plan_memory memory[VM_MAX_MEMORY];
	uint32_t map_count;
	struct plan_map map[PLAN_MAX_MAPS];
	uint32_t irq_count;
	struct plan_irq irq[PLAN_MAX_IRQS];

	struct plan_image image[PLAN_SLOTS];
	uint64_t entry;	  /* guest-physical */
	uint64_t dtb_gpa; /* goes into x0 / a1; 0: no device tree */
};

struct plan_request {
	const struct vm_config *cfg; /* without errors */
	uint32_t index;
	enum vm_arch arch;		     /* that the images are judged for */
	const struct machine *machine;	     /* NULL: not known, its rules are skipped */
	struct image_store *store;	     /* NULL: images are not looked at */
	const struct vm_plan *const *others; /* VMs that exist or are planned */
	size_t other_count;
	void *work; /* 8-byte aligned; PLAN_WORK_SIZE does for device trees up to 400 KiB */
	size_t work_size;
	struct diag_sink *sink;
};

#define PLAN_WORK_SIZE (512 * KiB)

/*
 * 0: the plan can be carried out (there may be warnings).  -EINVAL: out->errors
 * problems were reported and the VM must not be created; the others run on.
 */
int __must_check vm_plan(const struct plan_request *req, struct vm_plan *out);

/* ---- Loading ------------------------------------------------------------------ */

struct vm_loader {
	const struct vm_plan *plan;
	struct image_store *store;
	struct stage2 *s2;
	void *work;
	size_t work_size;
	struct diag_sink *sink;
	uint32_t slot;		  /* being loaded */
	struct image_source *src; /* open, or NULL */
	struct image_loader loader;
	size_t dtb_size; /* built in work, not 0: being written */
	size_t dtb_done;
};

/* RAM of the VM is zero.  `work` as in struct plan_request, for the loader alone. */
void vm_load_start(struct vm_loader *l, const struct vm_plan *plan, struct image_store *store,
		   struct stage2 *s2, void *work, size_t work_size, struct diag_sink *sink);
/* At most 1 MiB, or one device tree made.  1: more to do; 0: complete; negative errno. */
int __must_check vm_load_step(struct vm_loader *l);
/* In any state, also after an error: closes what is open. */
void vm_load_end(struct vm_loader *l);

#endif
