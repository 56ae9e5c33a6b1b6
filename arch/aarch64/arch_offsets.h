/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes and offsets that assembly and C share; C asserts them. */
#ifndef ARCH_OFFSETS_H
#define ARCH_OFFSETS_H

#define GUEST_FRAME_SIZE 256
#define GUEST_FRAME_X19	 152
#define GUEST_FRAME_X30	 240

/* struct cpu */
#define CPU_ID 16

/* Stacks for faults of the hypervisor itself, one a core. */
#define PANIC_STACK_SHIFT 13

#endif
