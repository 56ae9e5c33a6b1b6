/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's virtual interrupt controller, whatever its kind.
 *
 * One controller per VM, created with the VM (vgic_create(), later vplic_create(),
 * ...) out of the VM's pool.  It is told of input changes by virq_set(), of its
 * vCPUs coming on and off a core by load/save, and calls vcpu_kick() when a vCPU
 * that may be elsewhere has to look at its interrupts anew.
 *
 * Locks: each controller has a lock of its own, taken inside these functions with
 * interrupts off; it is held while vcpu_kick() is called (order: interrupt
 * controller → vcpu → run queue).
 */
#ifndef HV_VIC_H
#define HV_VIC_H

#include <hv/types.h>

struct vm;
struct vic;

/* `vcpu` of virq_set() for an interrupt that is not private to one. */
#define VIRQ_SHARED UINT32_MAX

struct vic_ops {
	/*
	 * The input `irq` (INTID, PLIC source, GSI) has the level `level`.  For a
	 * private one `vcpu` is the vCPU's index, else VIRQ_SHARED.  An edge-triggered
	 * input latches on a rise.  Numbers that do not exist are ignored.
	 */
	void (*set)(struct vic *vic, uint32_t vcpu, uint32_t irq, bool level);
	/*
	 * The host interrupt `host_irq` fired for this input and is active on the host
	 * chip until the guest deactivates it: inject it hardware-linked.  Called on
	 * the core where `vcpu` is loaded (private ones) or on any (shared ones).
	 */
	void (*inject_hw)(struct vic *vic, uint32_t vcpu, uint32_t irq, uint32_t host_irq);
	/* vCPU comes on this core / leaves it.  save() leaves no host state behind. */
	void (*load)(struct vic *vic, uint32_t vcpu);
	void (*save)(struct vic *vic, uint32_t vcpu);
	/* vCPU is loaded on this core and about to enter the guest after a vcpu_kick(). */
	void (*sync)(struct vic *vic, uint32_t vcpu);
	/*
	 * Would an interrupt be signalled to this vCPU now (ends WFI)?  If the vCPU is
	 * loaded, on the core where it is loaded; else on any.
	 */
	bool (*pending)(struct vic *vic, uint32_t vcpu);
	/* The whole controller as after power-on; no vCPU is loaded. */
	void (*reset)(struct vic *vic);
	/* Private state of one vCPU as after its power-on; it is not loaded. */
	void (*vcpu_reset)(struct vic *vic, uint32_t vcpu);
	/* A device that needs to hear of the guest's deactivation (level resampling). */
	int (*on_ack)(struct vic *vic, uint32_t irq, void (*ack)(void *arg), void *arg);
	/* Gives back what is not in the VM's pool (host interrupts left active, ...). */
	void (*destroy)(struct vic *vic);
};

struct vic {
	const struct vic_ops *ops;
	struct vm *vm;
	uint32_t vcpu_count;
};

/* A device's output line: what it holds to raise its interrupt. */
struct virq {
	struct vic *vic; /* NULL: not connected */
	uint32_t irq;
	bool level; /* last level told; saves calls that change nothing */
};

/* Tells the controller of a change of the line; cheap when there is none. */
static inline void virq_set(struct virq *line, bool level)
{
	if (line->level != level) {
		line->level = level;
		if (line->vic != NULL) {
			line->vic->ops->set(line->vic, VIRQ_SHARED, line->irq, level);
		}
	}
}

/*
 * Implemented by core/vcpu.c (tests: fake_arch.c).  The vCPU has to call
 * vic->ops->sync() before it runs guest code again: wakes it when it is blocked,
 * interrupts its core when it is running on another.  Callable with the
 * controller's lock held.
 */
void vcpu_kick(struct vm *vm, uint32_t vcpu);

#endif
