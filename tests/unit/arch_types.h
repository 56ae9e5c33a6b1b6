/* SPDX-License-Identifier: Apache-2.0 */
/* Host tests: what an architecture puts into the common structures, as little as will do. */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdint.h>

struct vcpu;

/* Tests judge configurations and images as for aarch64. */
#define ARCH_VM_ARCH	   VM_ARCH_AARCH64
#define ARCH_STACK_RESERVE 256

struct fake_fiber;

struct arch_context {
	struct fake_fiber *fiber; /* fake_vcpu.c; NULL: none yet */
};

/* What core asked for, so that tests can look. */
struct arch_vcpu {
	uint32_t loads, saves, resets, aborts, reports;
	uint64_t timer_deadline; /* of the guest's own timer; 0: never */
	int idle_traps;
};

struct arch_vm {
	uint32_t resets;
	struct fake_vic *vic;
};

#endif
