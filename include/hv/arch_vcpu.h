/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/ asks of an architecture's virtual CPU.  struct arch_vcpu is in
 * arch/<arch>/arch_types.h and sits by value in struct vcpu.
 */
#ifndef HV_ARCH_VCPU_H
#define HV_ARCH_VCPU_H

#include <hv/types.h>

struct vcpu;
struct vm_exit;

/* Once, after the thread exists. */
void arch_vcpu_init(struct vcpu *v);

/* Power-on state, with v->arg in the first argument register. */
void arch_vcpu_reset(struct vcpu *v);

/*
 * Starts the guest, loaded and reset, at v->entry; its traps arrive at the top of the
 * calling thread's stack from now on.
 */
void __noreturn arch_vcpu_enter(struct vcpu *v);

/* Guest state into / out of this core's registers; interrupts masked. */
void arch_vcpu_load(struct vcpu *v);
void arch_vcpu_save(struct vcpu *v);

/* When (arch_time_ns) the guest's own timers next want attention; UINT64_MAX: never. */
uint64_t arch_vcpu_timer_deadline(struct vcpu *v);

/* WFI/HLT of the loaded vCPU traps (others want the core) or idles natively. */
void arch_vcpu_trap_idle(struct vcpu *v, bool on);

/* Puts an external abort (x86: #GP or all-ones) for the exit's access into the guest. */
void arch_vcpu_inject_abort(struct vcpu *v, const struct vm_exit *e);

/* Prints registers, the instruction at PC and the walk for an address, for a crash report. */
void arch_vcpu_report(struct vcpu *v);

#endif
