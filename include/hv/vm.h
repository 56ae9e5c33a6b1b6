/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual machines: created from a plan, loaded, booted, and ended, by the VMM's
 * thread (core/vmm.c).  The same path serves the first start and every reset.
 *
 *	CREATED → (images loaded) READY → RUNNING → STOPPED | CRASHED
 *	                            ↑________________| reset
 *
 * vcpus ask for the end of their VM (vm_end()); the VMM's thread does what follows
 * once every vCPU is off the guest.
 */
#ifndef HV_VM_H
#define HV_VM_H

#include <arch_types.h>
#include <hv/console.h>
#include <hv/page.h>
#include <hv/pool.h>
#include <hv/spinlock.h>
#include <hv/stage2.h>
#include <hv/types.h>
#include <hv/vcpu.h>
#include <hv/vdev.h>
#include <hv/vic.h>

struct passthrough;
struct vm_plan;

enum vm_state {
	VM_FREE, /* the slot is empty */
	VM_CREATED,
	VM_READY,
	VM_RUNNING,
	VM_STOPPED,
	VM_CRASHED,
	VM_LOST, /* gone, but a device may still write to its memory, which is kept */
};

/* Why a VM leaves RUNNING. */
enum vm_end {
	VM_END_NONE,
	VM_END_OFF,
	VM_END_RESET,
	VM_END_CRASH,
};

#define VM_NAME_SIZE 64
#define VM_MAX_DEVS  80

struct vm {
	uint32_t id;   /* the user's number */
	uint32_t slot; /* ours: 0 .. MAX_VMS-1 */
	char name[VM_NAME_SIZE];
	owner_t owner;
	const struct vm_plan *plan; /* outlives the VM */

	/* Guards state, end, live and the vCPUs' state, entry and arg. */
	struct spinlock lock;
	enum vm_state state;
	enum vm_end end;
	uint32_t live;	 /* vCPUs that are ON */
	uint32_t resets; /* since it was created */

	/* Constant from creation to destruction. */
	struct arch_vm arch;
	struct stage2 s2;
	struct vdev_bus bus;
	struct vic *vic;
	struct pool pool;
	uint32_t vcpu_count;
	struct vcpu *vcpu[MAX_VCPUS];
	uint32_t dev_count;
	struct vdev *dev[VM_MAX_DEVS]; /* without the interrupt controller */
	struct passthrough *pass;      /* NULL: no interrupts of the host */
	struct console_port port;
	uint32_t bad_accesses; /* atomic; said in the log up to a limit */
};

/*
 * Everything but the images: memory, interrupt controller, devices, vCPUs (OFF).
 * Reports what fails and undoes it; then the slot, every page and range are as
 * before.  Takes time (zeroing): call it in a thread with interrupts on.
 */
int __must_check vm_create(const struct vm_plan *plan, struct vm **out);

/*
 * Gives everything back.  No vCPU is ON.  Devices are stopped first; while one may still
 * write to memory, the VM's frames stay its own, and so does the slot.
 */
void vm_destroy(struct vm *vm);

/* Zeroes the VM's RAM, in steps; READY comes with the images (vmm.c). */
int __must_check vm_zero_memory(struct vm *vm);

/* Devices, interrupt controller and clocks as after power-on.  No vCPU is ON. */
void vm_reset_devices(struct vm *vm);

/* Starts vCPU 0 at the plan's entry. */
int __must_check vm_boot(struct vm *vm);

/* Asks all vCPUs to leave the guest; the first reason counts.  Any context. */
void vm_end(struct vm *vm, enum vm_end why);

/*
 * The guest did what cannot go on: reports vCPU v and ends its VM.  Runs on v's
 * thread; returns, and v stops before it enters the guest again.
 */
void vm_crash(struct vcpu *v, const char *fmt, ...) __printf(2, 3);

/* True when some range of the VM's memory holds the byte. */
bool vm_has_memory(struct vm *vm, gpa_t gpa);

/* The vCPU with that hardware id, or NULL. */
struct vcpu *vm_vcpu_by_hwid(struct vm *vm, uint64_t hwid);

/* Makes the board's devices and puts them on the bus (core/board.c). */
int __must_check board_create(struct vm *vm);

/* Slots in use have state != VM_FREE. */
extern struct vm vms[MAX_VMS];

#endif
