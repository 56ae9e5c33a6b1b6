/* SPDX-License-Identifier: Apache-2.0 */
/* Host tests: what an architecture puts into the common structures, as little as will do. */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <stdint.h>

struct vcpu;

/* Tests judge configurations and images as for aarch64. */
#define ARCH_VM_ARCH	   VM_ARCH_AARCH64
#define ARCH_STACK_RESERVE 256

struct arch_context {
	void (*fn)(void *arg);
	void *arg;
};

/* What core asked for, so that tests can look. */
struct arch_vcpu {
	uint32_t loads, saves, resets, aborts;
	uint64_t timer_deadline;
	int idle_traps;
};

struct arch_vm {
	uint32_t resets;
};

#endif
