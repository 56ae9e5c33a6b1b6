/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bits of the EL2 registers that the hypervisor sets (DDI 0487, D19), and what the
 * files of this folder ask of each other.
 */
#ifndef AARCH64_EL2_H
#define AARCH64_EL2_H

#include <hv/gich.h>
#include <hv/machine.h>
#include <hv/types.h>

struct cpu;
struct vcpu;
struct guest_frame;

#define HCR_VM	   BIT64(0)
#define HCR_SWIO   BIT64(1)
#define HCR_FMO	   BIT64(3)
#define HCR_IMO	   BIT64(4)
#define HCR_AMO	   BIT64(5)
#define HCR_VF	   BIT64(6)
#define HCR_VI	   BIT64(7)
#define HCR_VSE	   BIT64(8)
#define HCR_FB	   BIT64(9)
#define HCR_BSU_IS BIT64(10)
#define HCR_TWI	   BIT64(13)
#define HCR_TID3   BIT64(18)
#define HCR_TSC	   BIT64(19)
#define HCR_TIDCP  BIT64(20)
#define HCR_TACR   BIT64(21)
#define HCR_RW	   BIT64(31)
#define HCR_TERR   BIT64(36)
#define HCR_APK	   BIT64(40)
#define HCR_API	   BIT64(41)

#define CPTR_RES1 UINT64_C(0x33ff) /* with TZ and TSM: SVE and SME trap */
#define CPTR_TFP  BIT64(10)
#define CPTR_TTA  BIT64(20)
#define CPTR_TAM  BIT64(30)

#define MDCR_HPMN  UINT64_C(0x1f)
#define MDCR_TPMCR BIT64(5)
#define MDCR_TPM   BIT64(6)
#define MDCR_TDA   BIT64(9)
#define MDCR_TDOSA BIT64(10)
#define MDCR_TDRA  BIT64(11)
#define MDCR_TPMS  BIT64(14)
#define MDCR_TTRF  BIT64(19)

#define PSTATE_EL1H	UINT64_C(0x5)
#define PSTATE_DAIF	UINT64_C(0x3c0)
#define PSTATE_M_MASK	UINT64_C(0xf)
#define PSTATE_AARCH32	BIT64(4)
#define SCTLR_EL1_RESET UINT64_C(0x30d00800)

/* Exception classes (ESR_ELx.EC). */
#define EC_UNKNOWN	0x00
#define EC_WFX		0x01
#define EC_FP		0x07
#define EC_SMC64	0x17
#define EC_SYSREG	0x18
#define EC_IABORT_LOWER 0x20
#define EC_IABORT_SAME	0x21
#define EC_DABORT_LOWER 0x24
#define EC_DABORT_SAME	0x25

#define ESR_EC_SHIFT 26
#define ESR_IL	     BIT64(25)

/* What this machine's cores can do, read once on the boot core. */
struct el2_features {
	uint32_t pa_bits;
	bool pauth;
	bool ras;
	bool amu;
	bool spe;
	bool trace_filter;
	bool vmid16;
};
extern struct el2_features el2_features;
extern struct gich host_gich;

void el2_features_init(void);

/* This core's EL2 registers that never change; also detaches floating point. */
void el2_init_cpu(void);

/*
 * gicv3.c: this core's guest has system registers of a CPU interface, or none (it is a
 * GICv2 guest: what list registers' traps do not cover).
 */
void gicv3_guest_sysregs(bool on);

/* Host side of PSCI. */
int __must_check host_psci_cpu_on(uint64_t hwid, uint64_t entry, uint64_t arg);
void host_psci_off(void);

/* timer.c: rate, this core's hypervisor timer and its handlers. */
void timer_init(void);
void timer_init_cpu(void);

/* Floating point is given to a vCPU when it asks (EC_FP), and taken when another one runs. */
void fp_trap(struct vcpu *v);
void fp_save(struct vcpu *v);

/* sysreg.c: a trapped MSR/MRS (EC_SYSREG); advances the PC or injects UNDEF. */
void sysreg_trap(struct vcpu *v, struct guest_frame *f, uint64_t esr);

/* inject.c: synchronous exceptions into EL1 of the loaded vCPU. */
void inject_undefined(void);
void inject_abort(bool instruction, bool write, uint64_t far);

#endif
