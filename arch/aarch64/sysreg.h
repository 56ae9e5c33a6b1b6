/* SPDX-License-Identifier: Apache-2.0 */
/*
 * System registers by name: sysreg_read(HCR_EL2), sysreg_write(HCR_EL2, v).
 *
 * A name that the assembler may not know (GICv3's, those of later architecture
 * versions) is defined here by its encoding S<op0>_<op1>_C<CRn>_C<CRm>_<op2>
 * (DDI 0487, D19 and IHI 0069, ch. 12), so that the image needs no -march beyond
 * armv8-a.  Neither macro orders anything: an isb() is the caller's decision.
 */
#ifndef AARCH64_SYSREG_H
#define AARCH64_SYSREG_H

#include <stdint.h>

#define SYSREG_STR_(x) #x
#define SYSREG_STR(x)  SYSREG_STR_(x)

#define sysreg_read(name)                                                                      \
	({                                                                                     \
		uint64_t sysreg_value_;                                                        \
		__asm__ volatile("mrs %0, " SYSREG_STR(name) : "=r"(sysreg_value_)::"memory"); \
		sysreg_value_;                                                                 \
	})

#define sysreg_write(name, value) \
	__asm__ volatile("msr " SYSREG_STR(name) ", %x0" ::"rZ"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

/* dsb(sy), dsb(ish), dsb(ishst), dmb(oshld), ... */
#define dsb(domain) __asm__ volatile("dsb " #domain ::: "memory")
#define dmb(domain) __asm__ volatile("dmb " #domain ::: "memory")

/* GIC CPU interface (IHI 0069H, 12.2) */
#define ICC_PMR_EL1	S3_0_C4_C6_0
#define ICC_IAR0_EL1	S3_0_C12_C8_0
#define ICC_EOIR0_EL1	S3_0_C12_C8_1
#define ICC_BPR0_EL1	S3_0_C12_C8_3
#define ICC_AP1R0_EL1	S3_0_C12_C9_0
#define ICC_AP1R1_EL1	S3_0_C12_C9_1
#define ICC_AP1R2_EL1	S3_0_C12_C9_2
#define ICC_AP1R3_EL1	S3_0_C12_C9_3
#define ICC_DIR_EL1	S3_0_C12_C11_1
#define ICC_RPR_EL1	S3_0_C12_C11_3
#define ICC_SGI1R_EL1	S3_0_C12_C11_5
#define ICC_ASGI1R_EL1	S3_0_C12_C11_6
#define ICC_SGI0R_EL1	S3_0_C12_C11_7
#define ICC_IAR1_EL1	S3_0_C12_C12_0
#define ICC_EOIR1_EL1	S3_0_C12_C12_1
#define ICC_HPPIR1_EL1	S3_0_C12_C12_2
#define ICC_BPR1_EL1	S3_0_C12_C12_3
#define ICC_CTLR_EL1	S3_0_C12_C12_4
#define ICC_SRE_EL1	S3_0_C12_C12_5
#define ICC_IGRPEN0_EL1 S3_0_C12_C12_6
#define ICC_IGRPEN1_EL1 S3_0_C12_C12_7
#define ICC_SRE_EL2	S3_4_C12_C9_5

/* GIC virtual interface control (IHI 0069H, 12.4) */
#define ICH_AP0R0_EL2 S3_4_C12_C8_0
#define ICH_AP0R1_EL2 S3_4_C12_C8_1
#define ICH_AP0R2_EL2 S3_4_C12_C8_2
#define ICH_AP0R3_EL2 S3_4_C12_C8_3
#define ICH_AP1R0_EL2 S3_4_C12_C9_0
#define ICH_AP1R1_EL2 S3_4_C12_C9_1
#define ICH_AP1R2_EL2 S3_4_C12_C9_2
#define ICH_AP1R3_EL2 S3_4_C12_C9_3
#define ICH_HCR_EL2   S3_4_C12_C11_0
#define ICH_VTR_EL2   S3_4_C12_C11_1
#define ICH_MISR_EL2  S3_4_C12_C11_2
#define ICH_EISR_EL2  S3_4_C12_C11_3
#define ICH_ELRSR_EL2 S3_4_C12_C11_5
#define ICH_VMCR_EL2  S3_4_C12_C11_7
#define ICH_LR0_EL2   S3_4_C12_C12_0
#define ICH_LR1_EL2   S3_4_C12_C12_1
#define ICH_LR2_EL2   S3_4_C12_C12_2
#define ICH_LR3_EL2   S3_4_C12_C12_3
#define ICH_LR4_EL2   S3_4_C12_C12_4
#define ICH_LR5_EL2   S3_4_C12_C12_5
#define ICH_LR6_EL2   S3_4_C12_C12_6
#define ICH_LR7_EL2   S3_4_C12_C12_7
#define ICH_LR8_EL2   S3_4_C12_C13_0
#define ICH_LR9_EL2   S3_4_C12_C13_1
#define ICH_LR10_EL2  S3_4_C12_C13_2
#define ICH_LR11_EL2  S3_4_C12_C13_3
#define ICH_LR12_EL2  S3_4_C12_C13_4
#define ICH_LR13_EL2  S3_4_C12_C13_5
#define ICH_LR14_EL2  S3_4_C12_C13_6
#define ICH_LR15_EL2  S3_4_C12_C13_7

/* Registers of later architecture versions (DDI 0487) */
#define ID_AA64ZFR0_EL1	 S3_0_C0_C4_4
#define ID_AA64SMFR0_EL1 S3_0_C0_C4_5
#define ID_AA64ISAR2_EL1 S3_0_C0_C6_2
#define ID_AA64MMFR2_EL1 S3_0_C0_C7_2
#define ID_AA64MMFR3_EL1 S3_0_C0_C7_3
#define ID_AA64MMFR4_EL1 S3_0_C0_C7_4
#define APIAKEYLO_EL1	 S3_0_C2_C1_0
#define APIAKEYHI_EL1	 S3_0_C2_C1_1
#define APIBKEYLO_EL1	 S3_0_C2_C1_2
#define APIBKEYHI_EL1	 S3_0_C2_C1_3
#define APDAKEYLO_EL1	 S3_0_C2_C2_0
#define APDAKEYHI_EL1	 S3_0_C2_C2_1
#define APDBKEYLO_EL1	 S3_0_C2_C2_2
#define APDBKEYHI_EL1	 S3_0_C2_C2_3
#define APGAKEYLO_EL1	 S3_0_C2_C3_0
#define APGAKEYHI_EL1	 S3_0_C2_C3_1
#define CNTHV_CTL_EL2	 S3_4_C14_C3_1
#define CNTHV_CVAL_EL2	 S3_4_C14_C3_2
#define HCRX_EL2	 S3_4_C1_C2_2
#define MDCCINT_EL1	 S2_0_C0_C2_0

#endif
