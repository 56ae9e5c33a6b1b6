/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCPU's registers: power-on values, and their way into and out of a core.
 * General registers are not here: they live in the guest_frame on the thread's
 * stack and move on each trap (vectors.S).
 */
#include "el2.h"
#include "fp.h"
#include "sysreg.h"

#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/cpu.h>
#include <hv/vcpu.h>
#include <hv/vgic.h>
#include <hv/vm.h>

#include <string.h>

/* Whose floating-point registers each core holds; written by that core only. */
static struct vcpu *fp_owner[MAX_CPUS];

void __noreturn vcpu_run_frame(struct guest_frame *frame);

#define EL1_REGISTERS(X)              \
	X(sp_el0, SP_EL0)             \
	X(sp_el1, SP_EL1)             \
	X(elr_el1, ELR_EL1)           \
	X(spsr_el1, SPSR_EL1)         \
	X(sctlr, SCTLR_EL1)           \
	X(cpacr, CPACR_EL1)           \
	X(ttbr0, TTBR0_EL1)           \
	X(ttbr1, TTBR1_EL1)           \
	X(tcr, TCR_EL1)               \
	X(mair, MAIR_EL1)             \
	X(amair, AMAIR_EL1)           \
	X(vbar, VBAR_EL1)             \
	X(esr, ESR_EL1)               \
	X(far, FAR_EL1)               \
	X(afsr0, AFSR0_EL1)           \
	X(afsr1, AFSR1_EL1)           \
	X(par, PAR_EL1)               \
	X(contextidr, CONTEXTIDR_EL1) \
	X(tpidr_el0, TPIDR_EL0)       \
	X(tpidrro_el0, TPIDRRO_EL0)   \
	X(tpidr_el1, TPIDR_EL1)       \
	X(cntkctl, CNTKCTL_EL1)       \
	X(csselr, CSSELR_EL1)

#define PAUTH_REGISTERS(X)              \
	X(pauth_keys[0], APIAKEYLO_EL1) \
	X(pauth_keys[1], APIAKEYHI_EL1) \
	X(pauth_keys[2], APIBKEYLO_EL1) \
	X(pauth_keys[3], APIBKEYHI_EL1) \
	X(pauth_keys[4], APDAKEYLO_EL1) \
	X(pauth_keys[5], APDAKEYHI_EL1) \
	X(pauth_keys[6], APDBKEYLO_EL1) \
	X(pauth_keys[7], APDBKEYHI_EL1) \
	X(pauth_keys[8], APGAKEYLO_EL1) \
	X(pauth_keys[9], APGAKEYHI_EL1)

#define SAVE_REGISTER(field, reg)    s->field = sysreg_read(reg);
#define RESTORE_REGISTER(field, reg) sysreg_write(reg, s->field);

static void el1_save(struct el1_state *s)
{
	EL1_REGISTERS(SAVE_REGISTER)
	if (el2_features.pauth) {
		PAUTH_REGISTERS(SAVE_REGISTER)
	}
}

static void el1_restore(const struct el1_state *s)
{
	EL1_REGISTERS(RESTORE_REGISTER)
	if (el2_features.pauth) {
		PAUTH_REGISTERS(RESTORE_REGISTER)
	}
}

void arch_vcpu_init(struct vcpu *v)
{
	uint8_t *top = v->thread.stack + THREAD_STACK_SIZE;

	v->arch.frame = (struct guest_frame *)(void *)(top - sizeof(struct guest_frame));
	v->arch.frame->vcpu = v;
}

void arch_vcpu_reset(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	memset(a->frame->x, 0, sizeof(a->frame->x));
	a->frame->x[0] = v->arg;
	memset(&a->el1, 0, sizeof(a->el1));
	memset(&a->fp, 0, sizeof(a->fp));
	a->el1.sctlr = SCTLR_EL1_RESET;
	a->cntv_ctl = 0;
	a->cntv_cval = 0;
	a->cntp_ctl = 0;
	a->cntp_cval = 0;
	/* Bit 31 is RES1; U (bit 30) clear: one of several cores. */
	a->vmpidr = v->hwid | BIT64(31);
	a->hcr = HCR_VM | HCR_SWIO | HCR_FMO | HCR_IMO | HCR_AMO | HCR_FB | HCR_BSU_IS | HCR_TID3 |
		 HCR_TSC | HCR_TIDCP | HCR_TACR | HCR_RW;
	a->idle_traps = false;
	a->hcr |= el2_features.ras ? HCR_TERR : 0;
	a->hcr |= el2_features.pauth ? HCR_API | HCR_APK : 0;
}

/*
 * A guest believes that each of its processors has a TLB of its own, and may use one
 * ASID for different tables on two of them.  So what another vCPU of the VM left in
 * this core's TLB goes (DDI 0487, D8.16: entries are tagged by VMID and ASID only).
 */
static void forget_other_vcpu(struct vcpu *v)
{
	uint8_t *last = &v->vm->arch.last_vcpu[this_cpu()->id];

	if (*last != v->index + 1) {
		if (*last != 0) {
			isb();
			__asm__ volatile("tlbi vmalle1\n\tic iallu\n\tdsb nsh\n\tisb" ::: "memory");
		}
		*last = (uint8_t)(v->index + 1);
	}
}

void arch_vgic_lines(bool irq, bool fiq)
{
	uint64_t hcr = sysreg_read(HCR_EL2) & ~(HCR_VI | HCR_VF);

	sysreg_write(HCR_EL2, hcr | (irq ? HCR_VI : 0) | (fiq ? HCR_VF : 0));
}

void arch_vcpu_load(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;
	struct arch_vm *vm = &v->vm->arch;

	pt_used_on(&v->vm->s2.pt, this_cpu()->id);
	sysreg_write(VTCR_EL2, vm->vtcr);
	sysreg_write(VTTBR_EL2, vm->vttbr);
	forget_other_vcpu(v);
	sysreg_write(HCR_EL2, a->hcr);
	sysreg_write(VMPIDR_EL2, a->vmpidr);
	sysreg_write(CNTVOFF_EL2, vm->cntvoff);
	el1_restore(&a->el1);
	if (fp_owner[this_cpu()->id] == v) {
		sysreg_write(CPTR_EL2, sysreg_read(CPTR_EL2) & ~CPTR_TFP);
	} else {
		sysreg_write(CPTR_EL2, sysreg_read(CPTR_EL2) | CPTR_TFP);
	}
	if (vm->gic_trapped) {
		gicv3_guest_sysregs(false);
	}
	/* It may raise the virtual lines in HCR_EL2, which is in place by now. */
	v->vm->vic->ops->load(v->vm->vic, v->index);
	/* Timers last: they may fire at once, and their interrupt wants the vGIC ready. */
	sysreg_write(CNTV_CVAL_EL0, a->cntv_cval);
	sysreg_write(CNTP_CVAL_EL0, a->cntp_cval);
	sysreg_write(CNTV_CTL_EL0, a->cntv_ctl);
	sysreg_write(CNTP_CTL_EL0, a->cntp_ctl);
	isb();
}

void arch_vcpu_save(struct vcpu *v)
{
	struct arch_vcpu *a = &v->arch;

	a->cntv_ctl = sysreg_read(CNTV_CTL_EL0);
	a->cntv_cval = sysreg_read(CNTV_CVAL_EL0);
	a->cntp_ctl = sysreg_read(CNTP_CTL_EL0);
	a->cntp_cval = sysreg_read(CNTP_CVAL_EL0);
	sysreg_write(CNTV_CTL_EL0, 0);
	sysreg_write(CNTP_CTL_EL0, 0);
	isb();
	v->vm->vic->ops->save(v->vm->vic, v->index);
	if (v->vm->arch.gic_trapped) {
		gicv3_guest_sysregs(true);
	}
	/* Read back: the processor clears VSE when the guest takes its SError. */
	a->hcr = sysreg_read(HCR_EL2);
	el1_save(&a->el1);
	/* It may run on another core next: its floating point must be in memory. */
	fp_save(v);
	sysreg_write(HCR_EL2, HCR_RW | HCR_IMO | HCR_FMO | HCR_AMO);
	isb();
}

void fp_trap(struct vcpu *v)
{
	uint32_t id = this_cpu()->id;

	sysreg_write(CPTR_EL2, sysreg_read(CPTR_EL2) & ~CPTR_TFP);
	isb();
	fp_restore_registers(&v->arch.fp);
	fp_owner[id] = v;
}

void fp_save(struct vcpu *v)
{
	uint32_t id = this_cpu()->id;

	if (fp_owner[id] == v) {
		sysreg_write(CPTR_EL2, sysreg_read(CPTR_EL2) & ~CPTR_TFP);
		isb();
		fp_save_registers(&v->arch.fp);
		fp_owner[id] = NULL;
		/* Memory has them now: the next use traps and loads them. */
		sysreg_write(CPTR_EL2, sysreg_read(CPTR_EL2) | CPTR_TFP);
		isb();
	}
}

void arch_vcpu_trap_idle(struct vcpu *v, bool on)
{
	if (on != v->arch.idle_traps) {
		uint64_t hcr = sysreg_read(HCR_EL2);

		v->arch.idle_traps = on;
		sysreg_write(HCR_EL2, on ? hcr | HCR_TWI : hcr & ~HCR_TWI);
	}
}

void arch_vcpu_enter(struct vcpu *v)
{
	sysreg_write(ELR_EL2, v->entry);
	sysreg_write(SPSR_EL2, PSTATE_EL1H | PSTATE_DAIF);
	vcpu_run_frame(v->arch.frame);
}
