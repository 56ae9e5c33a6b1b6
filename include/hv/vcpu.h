/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual CPUs.  Each is a thread that runs the guest; a guest's trap is handled on
 * that thread's stack, with interrupts masked, and returns to the guest.
 *
 * Three identities: `index` (0.., what the code uses), `hwid` (MPIDR, hart id or
 * APIC id that the guest sees), and the core that the thread happens to be on.
 *
 * Life: OFF → (vcpu_power_on) ON → (CPU_OFF, or the VM stops) OFF.  An OFF vCPU's
 * thread waits at the top of its stack, so no guest state is on it.
 */
#ifndef HV_VCPU_H
#define HV_VCPU_H

#include <arch_types.h>
#include <hv/thread.h>
#include <hv/timer.h>
#include <hv/types.h>
#include <hv/vdev.h>
#include <hv/vic.h>
#include <hv/vm_exit.h>

struct vm;
struct cpu;

enum vcpu_state {
	VCPU_OFF,
	VCPU_ON,
};

/* Bits of vcpu.work: to be done before the guest runs again. */
#define VCPU_WORK_VIC  BIT32(0) /* call vic->ops->sync() */
#define VCPU_WORK_STOP BIT32(1) /* leave the guest for good */

struct vcpu {
	struct arch_vcpu arch;
	struct vm *vm;
	uint32_t index;
	uint32_t work; /* atomic */
	uint64_t hwid;
	struct thread thread;
	struct timer wake_timer; /* ends a WFI when the guest's own timer would fire */
	/* Guarded by vm->lock. */
	enum vcpu_state state;
	uint64_t entry; /* what vcpu_power_on() was asked for */
	uint64_t arg;
	/* Written by this vCPU only. */
	struct vdev_access access; /* of an exit; not on the stack, which costs a canary */
	/* The same; read for reports. */
	uint64_t exits[EXIT_KINDS];
};

/* -ENOMEM: no stack.  The vCPU is OFF.  affinity 0: any core. */
int __must_check vcpu_init(struct vcpu *v, struct vm *vm, uint32_t index, uint64_t hwid,
			   uint64_t affinity);

/* Gives the thread's stack back.  The vCPU is OFF and parked. */
void vcpu_destroy(struct vcpu *v);

/* Starts an OFF vCPU at entry with arg.  -EALREADY: it is on. */
int __must_check vcpu_power_on(struct vcpu *v, uint64_t entry, uint64_t arg);

/*
 * Handles one exit of the running vCPU and writes the answers into *e.  Returns
 * when the guest is to continue; an exit that ends the vCPU does not return.
 */
void vcpu_handle_exit(struct vcpu *v, struct vm_exit *e);

/*
 * An EXIT_MMIO, decoded: performs the access.  False: nothing is there, and the guest
 * was given an abort; the instruction has not completed.
 */
bool __must_check vcpu_mmio(struct vcpu *v, struct vm_exit *e);

/* The slow half of vcpu_before_entry(). */
void vcpu_do_work(struct vcpu *v);

/* Last thing before the guest runs, interrupts masked; may not return (VCPU_WORK_STOP). */
static inline void vcpu_before_entry(struct vcpu *v)
{
	if (unlikely(__atomic_load_n(&v->work, __ATOMIC_RELAXED) != 0)) {
		vcpu_do_work(v);
	}
}

/* Asks for work before the next entry and sees to it that this comes soon.  Any core. */
void vcpu_request(struct vcpu *v, uint32_t work);

/* The scheduler is about to run `next` (NULL: a thread that is no vCPU) on core c. */
void vcpu_switch(struct cpu *c, struct vcpu *next);

#endif
