/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A core as the hypervisor sets it up: features, EL2 control registers, firmware
 * calls, idling, the end of the machine.
 */
#include "el2.h"
#include "psci.h"
#include "pt_vmsa.h"
#include "sysreg.h"

#include <arch_types.h>
#include <hv/arch_cpu.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/log.h>
#include <hv/pvpanic.h>

#include <errno.h>

struct el2_features el2_features;

/* vectors.S */
void thread_trampoline(void);

static unsigned id_field(uint64_t reg, unsigned shift)
{
	return (unsigned)(reg >> shift) & 0xf;
}

void el2_features_init(void)
{
	uint64_t pfr0 = sysreg_read(ID_AA64PFR0_EL1);
	uint64_t dfr0 = sysreg_read(ID_AA64DFR0_EL1);
	uint64_t isar1 = sysreg_read(ID_AA64ISAR1_EL1);
	uint64_t isar2 = sysreg_read(ID_AA64ISAR2_EL1);
	uint64_t mmfr1 = sysreg_read(ID_AA64MMFR1_EL1);

	el2_features.pa_bits = vmsa_pa_bits(sysreg_read(ID_AA64MMFR0_EL1));
	/* APA, API (ISAR1) and APA3 (ISAR2); the generic ones imply one of these or GPA. */
	el2_features.pauth = id_field(isar1, 4) != 0 || id_field(isar1, 8) != 0 ||
			     id_field(isar1, 24) != 0 || id_field(isar1, 28) != 0 ||
			     id_field(isar2, 12) != 0;
	el2_features.ras = id_field(pfr0, 28) != 0;
	el2_features.amu = id_field(pfr0, 44) != 0;
	el2_features.spe = id_field(dfr0, 32) != 0;
	el2_features.trace_filter = id_field(dfr0, 40) != 0;
	el2_features.vmid16 = id_field(mmfr1, 4) == 2;
}

void el2_init_cpu(void)
{
	uint64_t mdcr = sysreg_read(MDCR_EL2) & MDCR_HPMN;
	uint64_t cptr = CPTR_RES1 | CPTR_TFP | CPTR_TTA;

	/* Debug, performance counters and trace are not virtualized: they trap. */
	mdcr |= MDCR_TPM | MDCR_TPMCR | MDCR_TDA | MDCR_TDOSA | MDCR_TDRA;
	mdcr |= el2_features.spe ? MDCR_TPMS : 0;
	mdcr |= el2_features.trace_filter ? MDCR_TTRF : 0;
	cptr |= el2_features.amu ? CPTR_TAM : 0;
	sysreg_write(MDCR_EL2, mdcr);
	sysreg_write(CPTR_EL2, cptr);
	sysreg_write(HSTR_EL2, 0);
	/* Both EL1 timers and counters belong to the guest. */
	sysreg_write(CNTHCTL_EL2, 3);
	sysreg_write(CNTHP_CTL_EL2, 0);
	sysreg_write(CNTV_CTL_EL0, 0);
	sysreg_write(CNTP_CTL_EL0, 0);
	sysreg_write(VPIDR_EL2, sysreg_read(MIDR_EL1));
	/* Until a vCPU is loaded nothing may run below EL2; interrupts come here. */
	sysreg_write(HCR_EL2, HCR_RW | HCR_IMO | HCR_FMO | HCR_AMO);
	isb();
}

static uint64_t firmware_call(uint64_t fn, uint64_t a1, uint64_t a2, uint64_t a3)
{
	register uint64_t x0 __asm__("x0") = fn;
	register uint64_t x1 __asm__("x1") = a1;
	register uint64_t x2 __asm__("x2") = a2;
	register uint64_t x3 __asm__("x3") = a3;

	/* SMCCC 1.0 firmware may clobber x4..x17. */
#define FIRMWARE_CLOBBERS                                                                    \
	"x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12", "x13", "x14", "x15", "x16", \
		"x17", "memory"
	if (host_machine.psci == MACHINE_CONDUIT_SMC) {
		__asm__ volatile("smc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::FIRMWARE_CLOBBERS);
	} else {
		__asm__ volatile("hvc #0"
				 : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::FIRMWARE_CLOBBERS);
	}
	return x0;
}

int host_psci_cpu_on(uint64_t hwid, uint64_t entry, uint64_t arg)
{
	if (host_machine.psci == MACHINE_CONDUIT_NONE) {
		return -ENODEV;
	}
	switch ((int32_t)firmware_call(PSCI_CPU_ON | SMCCC_64, hwid, entry, arg)) {
	case PSCI_SUCCESS:
		return 0;
	case PSCI_ALREADY_ON:
		return -EALREADY;
	case PSCI_INVALID_PARAMETERS:
		return -EINVAL;
	default:
		return -EIO;
	}
}

void host_psci_off(void)
{
	if (host_machine.psci != MACHINE_CONDUIT_NONE) {
		(void)firmware_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	}
}

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg)
{
	*ctx = (struct arch_context){
		.x19_x29 = { (uint64_t)fn, (uint64_t)arg },
		.sp = (uint64_t)stack_top,
		.pc = (uint64_t)thread_trampoline,
	};
}

void arch_idle(void)
{
	/* WFI ends on a pending interrupt even when it is masked; it is taken after. */
	dsb(sy);
	__asm__ volatile("wfi" ::: "memory");
}

void arch_halt(void)
{
	__asm__ volatile("msr daifset, #0xf");
	for (;;) {
		__asm__ volatile("wfi");
	}
}

void arch_machine_off(int status)
{
	if (status != 0) {
		pvpanic_report();
	}
	host_psci_off();
	arch_halt();
}
