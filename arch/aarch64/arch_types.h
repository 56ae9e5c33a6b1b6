/* SPDX-License-Identifier: Apache-2.0 */
/* aarch64's own parts of the common structures. */
#ifndef ARCH_TYPES_H
#define ARCH_TYPES_H

#include <arch_offsets.h>
#include <hv/types.h>
#include <stdbool.h>
#include <stdint.h>

struct vcpu;

/* What configurations and images are judged for. */
#define ARCH_VM_ARCH VM_ARCH_AARCH64

/* Callee-saved registers of a thread that is not running (AAPCS64). */
struct arch_context {
	uint64_t x19_x29[11];
	uint64_t sp;
	uint64_t pc;
	uint64_t elr, spsr; /* of a vCPU's thread: the guest's PC and PSTATE */
};

/*
 * The guest's general registers, at the very top of the vCPU thread's stack: while
 * the guest runs SP_EL2 points here, so the vectors store into it without any
 * address arithmetic, and C runs on the stack right below.  x19..x29 are valid only
 * in handlers entered through the full-save path (vectors.S).
 */
struct guest_frame {
	uint64_t x[31];
	struct vcpu *vcpu;
};

/* Kept free at the top of every thread's stack, for the guest_frame of a vCPU's. */
#define ARCH_STACK_RESERVE GUEST_FRAME_SIZE

_Static_assert(sizeof(struct guest_frame) == GUEST_FRAME_SIZE, "vectors.S knows this size");

/* EL1 and EL0 system state, switched when the vCPU on a core changes. */
struct el1_state {
	uint64_t sp_el0, sp_el1, elr_el1, spsr_el1;
	uint64_t sctlr, cpacr, ttbr0, ttbr1, tcr, mair, amair, vbar;
	uint64_t esr, far, afsr0, afsr1, par, contextidr;
	uint64_t tpidr_el0, tpidrro_el0, tpidr_el1, cntkctl, csselr, mdscr, actlr;
	uint64_t osdlr;
	uint64_t pauth_keys[10]; /* APIA, APIB, APDA, APDB, APGA: lo, hi */
};

struct fp_state {
	__attribute__((aligned(16))) uint64_t v[64];
	uint32_t fpcr, fpsr;
};

struct arch_vcpu {
	struct guest_frame *frame;
	uint64_t hcr;	 /* HCR_EL2 while not loaded */
	bool idle_traps; /* HCR_TWI is set */
	uint64_t vmpidr;
	uint64_t cntv_ctl, cntv_cval, cntp_ctl, cntp_cval;
	struct el1_state el1;
	struct fp_state fp;
};

struct arch_vm {
	uint64_t vttbr, vtcr;
	uint64_t cntvoff;
	/* Per core: 1 + index of the vCPU that ran there last, 0 = none; that core's own. */
	uint8_t last_vcpu[MAX_CPUS];
	struct vgic *vgic;
	uint32_t gic_version; /* of the guest's: 2 or 3 */
	bool gic_trapped;     /* vgic_is_trapped() */
};

#endif
