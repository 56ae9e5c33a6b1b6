/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/ asks of an architecture for a whole VM.  struct arch_vm is in
 * arch/<arch>/arch_types.h and sits by value in struct vm.
 */
#ifndef HV_ARCH_VM_H
#define HV_ARCH_VM_H

#include <hv/types.h>

struct vm;
struct vm_plan;

/* An empty stage-2 tree in vm->s2.  -ENOMEM, -ENOSPC (no VMID). */
int __must_check arch_vm_create_stage2(struct vm *vm);

/* The interrupt controller and what else is the architecture's, from the plan. */
int __must_check arch_vm_create(struct vm *vm, const struct vm_plan *plan);

/* As after power-on; no vCPU runs. */
void arch_vm_reset(struct vm *vm);

void arch_vm_destroy(struct vm *vm);

#endif
