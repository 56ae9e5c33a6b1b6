/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices of the host in a VM's hands: their interrupts, and the certainty that they
 * have stopped before the VM's memory becomes somebody else's.
 *
 * An interrupt is acknowledged by the hypervisor and injected hardware-linked, so that
 * the guest's EOI deactivates it without an exit (GICv3: IHI 0069 4.4; GICv2: IHI 0048
 * 5.2.1).  Which ones, and what the guest calls them, is in the plan.
 *
 * All but passthrough_init() are called by the VM's creation, reset and end (core/vm.c)
 * in a thread, while no vCPU of it runs.
 */
#ifndef HV_PASSTHROUGH_H
#define HV_PASSTHROUGH_H

#include <hv/types.h>

struct machine;
struct passthrough;
struct vm;

/*
 * Before the first VM is planned: virtio-mmio disks that the images do not come from are
 * let go, so that VMs can have them; slots of the others are marked as ours in *m.
 */
void passthrough_init(struct machine *m);

/* Takes the plan's interrupts, disabled.  -ENOMEM, -EBUSY, -EINVAL, said in the log. */
int __must_check passthrough_create(struct vm *vm);

/* The interrupts are delivered from now on. */
void passthrough_start(struct vm *vm);

/*
 * No interrupt is delivered any more when it returns.  Those that the guest has not
 * ended are the virtual interrupt controller's to end (its reset or destroy comes next).
 */
void passthrough_stop(struct vm *vm);

/* Gives the interrupts back; may be called after a failed passthrough_create(). */
void passthrough_destroy(struct vm *vm);

/*
 * After the devices were reset or destroyed: can none of the VM's devices write to
 * memory any more?  False if one did not stop, or is one that we do not know how to stop.
 */
bool passthrough_is_quiet(struct vm *vm);

#endif
