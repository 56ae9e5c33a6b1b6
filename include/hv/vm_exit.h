/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a guest stopped running: what architecture code tells core/vcpu.c, in words
 * that mean the same on every architecture.
 */
#ifndef HV_VM_EXIT_H
#define HV_VM_EXIT_H

#include <hv/types.h>

enum vm_exit_kind {
	EXIT_MMIO,	   /* load or store outside RAM, decoded */
	EXIT_PORT_IO,	   /* x86 IN/OUT */
	EXIT_SYSREG,	   /* a system register that a device model serves */
	EXIT_HYPERCALL,	   /* our own hypercall ABI (SEED: guest-visible interfaces) */
	EXIT_STAGE2_FAULT, /* an access that stage-2 refuses and that is no MMIO */
	EXIT_IRQ,	   /* a host interrupt; nothing to do for the guest */
	EXIT_IDLE,	   /* WFI, HLT */
	EXIT_CPU_ON,
	EXIT_CPU_OFF,
	EXIT_CPU_INFO, /* is that vCPU on? */
	EXIT_SYSTEM_OFF,
	EXIT_SYSTEM_RESET,
	EXIT_ENTRY_FAILED, /* the processor refused the guest's state */
	EXIT_KINDS
};

#define HYPERCALL_ARGS 6

struct vm_exit {
	enum vm_exit_kind kind;
	union {
		/* MMIO, PORT_IO, SYSREG */
		struct {
			uint64_t addr;
			uint64_t value; /* write: the value; read: the answer, by core */
			uint8_t width;
			bool write;
		} io;
		struct {
			uint64_t nr;
			uint64_t args[HYPERCALL_ARGS];
			int64_t result; /* by core */
		} hypercall;
		struct {
			gpa_t gpa;
			uint64_t gva;
			bool write, exec;
			const char *why;
		} fault;
		struct {
			uint64_t hwid; /* of the vCPU to start, as the guest names it */
			uint64_t entry;
			uint64_t arg;
			int result; /* by core: 0, -EINVAL no such vCPU, -EALREADY it is on,
				       -EFAULT the entry is not in memory */
		} cpu_on;
		struct {
			uint64_t hwid;
			bool known; /* by core: there is such a vCPU ... */
			bool on;    /* ... and it is on */
		} cpu_info;
		struct {
			uint64_t reason;
		} entry_failed;
	};
};

#endif
