/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Synchronous exceptions into EL1, as the processor would take them there
 * (DDI 0487, D1.3.1 and the pseudocode AArch64.TakeException).
 */
#include "el2.h"
#include "sysreg.h"

#define ISS_WNR BIT64(6)

#define SCTLR_SPAN  BIT64(23)
#define SCTLR_DSSBS BIT64(44)

#define PSTATE_SSBS BIT64(12)
#define PSTATE_PAN  BIT64(22)
#define PSTATE_UAO  BIT64(23)
#define PSTATE_DIT  BIT64(24)
#define PSTATE_TCO  BIT64(25)
#define PSTATE_NZCV (UINT64_C(0xf) << 28)

/* What of the old PSTATE survives, and what the new one gets. */
static uint64_t new_pstate(uint64_t old, uint64_t sctlr)
{
	uint64_t pstate = PSTATE_EL1H | PSTATE_DAIF;

	pstate |= old & (PSTATE_NZCV | PSTATE_DIT | PSTATE_PAN);
	if ((sysreg_read(ID_AA64MMFR1_EL1) >> 20 & 0xf) != 0 && (sctlr & SCTLR_SPAN) == 0) {
		pstate |= PSTATE_PAN;
	}
	if ((sctlr & SCTLR_DSSBS) != 0) {
		pstate |= PSTATE_SSBS;
	}
	return pstate;
}

static bool from_el1(uint64_t pstate)
{
	return (pstate & PSTATE_AARCH32) == 0 && (pstate & 0xc) == 0x4;
}

static void enter_el1(uint64_t esr)
{
	uint64_t pstate = sysreg_read(SPSR_EL2);
	uint64_t sctlr = sysreg_read(SCTLR_EL1);
	uint64_t offset;

	if (from_el1(pstate)) {
		offset = (pstate & 1) != 0 ? 0x200 : 0x000;
	} else {
		offset = (pstate & PSTATE_AARCH32) != 0 ? 0x600 : 0x400;
	}
	sysreg_write(ELR_EL1, sysreg_read(ELR_EL2));
	sysreg_write(SPSR_EL1, pstate);
	sysreg_write(ESR_EL1, esr);
	sysreg_write(ELR_EL2, sysreg_read(VBAR_EL1) + offset);
	sysreg_write(SPSR_EL2, new_pstate(pstate, sctlr));
}

void inject_undefined(void)
{
	enter_el1((UINT64_C(EC_UNKNOWN) << ESR_EC_SHIFT) | ESR_IL);
}

void inject_abort(bool instruction, bool write, uint64_t far)
{
	bool same = from_el1(sysreg_read(SPSR_EL2));
	uint64_t wnr = !instruction && write ? ISS_WNR : 0;
	uint64_t ec;

	if (instruction) {
		ec = same ? EC_IABORT_SAME : EC_IABORT_LOWER;
	} else {
		ec = same ? EC_DABORT_SAME : EC_DABORT_LOWER;
	}
	sysreg_write(FAR_EL1, far);
	/* Fault status 0x10: synchronous external abort, not on a table walk. */
	enter_el1((ec << ESR_EC_SHIFT) | ESR_IL | wnr | 0x10);
}
