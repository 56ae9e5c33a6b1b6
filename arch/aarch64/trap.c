/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Traps from guests: decoded here into a vm_exit or answered at once.  Called by
 * vectors.S on the vCPU thread's stack with interrupts masked; returning resumes
 * the guest.
 */
#include "el2.h"
#include "insn.h"
#include "psci.h"
#include "sysreg.h"

#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/irq.h>
#include <hv/thread.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define ISS_ISV	  BIT64(24)
#define ISS_SSE	  BIT64(21)
#define ISS_SF	  BIT64(15)
#define ISS_FNV	  BIT64(10)
#define ISS_S1PTW BIT64(7)
#define ISS_WNR	  BIT64(6)
#define ISS_CM	  BIT64(8)

/* DFSC/IFSC: kind of fault in the upper bits, level in the lowest two. */
#define FSC_KIND(esr)	(((esr) >> 2) & 0xf)
#define FSC_TRANSLATION 1
#define FSC_ACCESS	2
#define FSC_PERMISSION	3

/* Sixteen vectors of 128 bytes. */
#define VECTORS_SIZE 0x800

/* A data abort whose syndrome describes a load or store, of what is not mapped. */
#define ESR_PLAIN_MASK	  (~0ULL << ESR_EC_SHIFT | ISS_ISV | ISS_CM | ISS_S1PTW | 0x3c)
#define ESR_PLAIN	  ((uint64_t)EC_DABORT_LOWER << ESR_EC_SHIFT | ISS_ISV | FSC_TRANSLATION << 2)
#define ISS_BYTES(esr)	  (1U << ((esr) >> 22 & 3))
#define ISS_REGISTER(esr) ((unsigned)((esr) >> 16) & 0x1f)

void guest_hvc(struct guest_frame *f, uint64_t esr);
void guest_trap(struct guest_frame *f, uint64_t esr);
void guest_interrupt(struct guest_frame *f);
void guest_system_error(struct guest_frame *f);
void host_interrupt(void);

static void skip_instruction(uint64_t esr)
{
	/* All A64 instructions are 4 bytes; a trapped one of AArch32 EL0 may have 2. */
	sysreg_write(ELR_EL2, sysreg_read(ELR_EL2) + ((esr & ESR_IL) != 0 ? 4 : 2));
}

/* hvc and smc: SMCCC fast calls have bit 31 set, our own numbers are small. */
static __attribute__((noinline)) void guest_call(struct vcpu *v, struct guest_frame *f,
						 uint64_t imm)
{
	struct vm_exit e;

	if (imm != 0) {
		f->x[0] = UINT64_MAX;
		return;
	}
	if ((f->x[0] & SMCCC_FAST) != 0) {
		if (psci_call(f->x, &e)) {
			vcpu_handle_exit(v, &e);
			psci_result(f->x, &e);
		}
		return;
	}
	e.kind = EXIT_HYPERCALL;
	e.hypercall.nr = f->x[0];
	/* One by one: loads and stores of pairs, where a loop or memcpy() costs 30 more. */
	e.hypercall.args[0] = f->x[1];
	e.hypercall.args[1] = f->x[2];
	e.hypercall.args[2] = f->x[3];
	e.hypercall.args[3] = f->x[4];
	e.hypercall.args[4] = f->x[5];
	e.hypercall.args[5] = f->x[6];
	v->exits[EXIT_HYPERCALL]++;
	hypercall(v, &e);
	f->x[0] = (uint64_t)e.hypercall.result;
}

void guest_hvc(struct guest_frame *f, uint64_t esr)
{
	struct vcpu *v = f->vcpu;

	/* The cheapest call there is, and the one that guests probe with. */
	if ((uint32_t)f->x[0] == PSCI_VERSION && (esr & 0xffff) == 0) {
		f->x[0] = PSCI_1_1;
	} else {
		guest_call(v, f, esr & 0xffff);
	}
	vcpu_before_entry(v);
}

/* The guest's own translation of a virtual address, as a read or write by EL1 or EL0. */
static bool guest_va_to_ipa(uint64_t va, bool write, gpa_t *out)
{
	uint64_t par_was = sysreg_read(PAR_EL1);
	bool el0 = (sysreg_read(SPSR_EL2) & PSTATE_M_MASK) == 0;
	uint64_t par;

	if (el0) {
		if (write) {
			__asm__ volatile("at s1e0w, %0" ::"r"(va));
		} else {
			__asm__ volatile("at s1e0r, %0" ::"r"(va));
		}
	} else {
		if (write) {
			__asm__ volatile("at s1e1w, %0" ::"r"(va));
		} else {
			__asm__ volatile("at s1e1r, %0" ::"r"(va));
		}
	}
	isb();
	par = sysreg_read(PAR_EL1);
	sysreg_write(PAR_EL1, par_was);
	if ((par & 1) != 0) {
		return false;
	}
	*out = gpa((par & UINT64_C(0xfffffffff000)) | (va & 0xfff));
	return true;
}

/* What HPFAR_EL2 holds of an abort's address, where it holds it. */
static inline uint64_t fault_page(void)
{
	return (sysreg_read(HPFAR_EL2) & UINT64_C(0xfffffffff0)) << 8;
}

/* The address of an abort: HPFAR_EL2 holds it except for permission faults (D8.15). */
static bool fault_ipa(uint64_t esr, gpa_t *out)
{
	uint64_t far = sysreg_read(FAR_EL2);

	if (FSC_KIND(esr) == FSC_PERMISSION && (esr & ISS_S1PTW) == 0) {
		return guest_va_to_ipa(far, (esr & ISS_WNR) != 0, out);
	}
	*out = gpa(fault_page() | (far & 0xfff));
	return true;
}

static uint64_t reg_read(const struct guest_frame *f, unsigned n)
{
	return n == 31 ? 0 : f->x[n];
}

static void reg_write(struct guest_frame *f, unsigned n, uint64_t value)
{
	if (n != 31) {
		f->x[n] = value;
	}
}

static uint64_t sign_extend(uint64_t value, unsigned bytes)
{
	unsigned shift = 64 - 8 * bytes;

	return (uint64_t)((int64_t)(value << shift) >> shift);
}

/* What a load with a full syndrome puts into its register. */
static void mmio_loaded(struct guest_frame *f, uint64_t esr, uint64_t value)
{
	if ((esr & ISS_SSE) != 0) {
		value = sign_extend(value, ISS_BYTES(esr));
		value = (esr & ISS_SF) != 0 ? value : (uint32_t)value;
	}
	reg_write(f, ISS_REGISTER(esr), value);
}

/*
 * A plain load or store of an emulated device, as almost all aborts are.  No device lies
 * where memory is, so no mapping can be in the making there.  False: nothing happened.
 */
static inline bool mmio_device(struct vcpu *v, struct guest_frame *f, uint64_t esr)
{
	struct vdev_access *a = &v->access;
	unsigned rt = ISS_REGISTER(esr);
	bool write = (esr & ISS_WNR) != 0;

	a->space = VDEV_MMIO;
	a->write = write;
	a->width = (uint8_t)ISS_BYTES(esr);
	a->vcpu = v->index;
	a->offset = fault_page() | (sysreg_read(FAR_EL2) & 0xfff);
	a->value = write ? reg_read(f, rt) : 0;
	if (bus_access(&v->vm->bus, a) != VDEV_OK) {
		return false;
	}
	v->exits[EXIT_MMIO]++;
	if (!write) {
		if (unlikely((esr & ISS_SSE) != 0)) {
			mmio_loaded(f, esr, a->value);
		} else {
			reg_write(f, rt, a->value);
		}
	}
	skip_instruction(esr);
	return true;
}

/* One access with a full syndrome, where no device answers. */
static void mmio(struct vcpu *v, struct guest_frame *f, uint64_t esr, gpa_t at)
{
	unsigned bytes = ISS_BYTES(esr);
	struct vm_exit e = {
		.kind = EXIT_MMIO,
		.io = {
			.addr = at.a,
			.width = (uint8_t)bytes,
			.write = (esr & ISS_WNR) != 0,
		},
	};

	if (e.io.write) {
		e.io.value = reg_read(f, ISS_REGISTER(esr)) & (UINT64_MAX >> (64 - 8 * bytes));
	}
	/* Past it first: an abort that core injects goes back on it by itself. */
	if (!vcpu_mmio(v, &e)) {
		return;
	}
	if (!e.io.write) {
		mmio_loaded(f, esr, e.io.value);
	}
	skip_instruction(esr);
}

static void report_fault(struct vcpu *v, uint64_t esr, gpa_t at, bool exec, const char *why)
{
	struct vm_exit e = {
		.kind = EXIT_STAGE2_FAULT,
		.fault = {
			.gpa = at,
			.gva = sysreg_read(FAR_EL2),
			.write = !exec && (esr & ISS_WNR) != 0,
			.exec = exec,
			.why = why,
		},
	};

	vcpu_handle_exit(v, &e);
}

/* Loads and stores without a syndrome: pairs, write-back, SIMD. */
static void mmio_decoded(struct vcpu *v, struct guest_frame *f, uint64_t esr, gpa_t at)
{
	struct insn insn;
	uint32_t word;
	gpa_t pc;

	if ((sysreg_read(SPSR_EL2) & PSTATE_AARCH32) != 0) {
		report_fault(v, esr, at, false, "an AArch32 access that has no syndrome");
		return;
	}
	if (!guest_va_to_ipa(sysreg_read(ELR_EL2), false, &pc) ||
	    gpa_read(&v->vm->s2, pc, &word, sizeof(word)) != 0) {
		/* The guest changed its code or tables meanwhile: run it again. */
		return;
	}
	if (!insn_decode(word, &insn)) {
		report_fault(v, esr, at, false, "an instruction that is not emulated on devices");
		return;
	}
	if (insn_emulate(v, f, &insn, sysreg_read(FAR_EL2), at)) {
		skip_instruction(esr);
	}
}

static void data_abort(struct vcpu *v, struct guest_frame *f, uint64_t esr)
{
	uint32_t access = (esr & ISS_WNR) != 0 ? PT_W : PT_R;
	gpa_t at;

	if (FSC_KIND(esr) != FSC_TRANSLATION && FSC_KIND(esr) != FSC_PERMISSION &&
	    FSC_KIND(esr) != FSC_ACCESS) {
		/* A physical external abort on a device or bad memory: the guest's to see. */
		inject_abort(false, (esr & ISS_WNR) != 0, sysreg_read(FAR_EL2));
		return;
	}
	if (!fault_ipa(esr, &at)) {
		return; /* its tables changed meanwhile: the access tells anew */
	}
	if ((esr & ISS_S1PTW) != 0) {
		if (!stage2_allows(&v->vm->s2, at, PT_R)) {
			report_fault(v, esr, at, false, "a page-table walk outside memory");
		}
		return;
	}
	if (stage2_allows(&v->vm->s2, at, access)) {
		return; /* the mapping was being changed; it is there now */
	}
	if ((esr & ISS_CM) != 0) {
		skip_instruction(esr); /* cache maintenance of a device: nothing to do */
		return;
	}
	if (stage2_allows(&v->vm->s2, at, PT_R)) {
		report_fault(v, esr, at, false, "a write to memory that is read-only");
	} else if ((esr & ISS_ISV) != 0) {
		mmio(v, f, esr, at);
	} else {
		mmio_decoded(v, f, esr, at);
	}
}

/*
 * The guest's own exception vector cannot be fetched: every further exception would
 * end there again, for ever.  This is how a kernel dies before it has set up vectors.
 */
static bool is_lost(void)
{
	return sysreg_read(ELR_EL2) - sysreg_read(VBAR_EL1) < VECTORS_SIZE;
}

static void instruction_abort(struct vcpu *v, uint64_t esr)
{
	gpa_t at;

	if (FSC_KIND(esr) != FSC_TRANSLATION && FSC_KIND(esr) != FSC_PERMISSION) {
		inject_abort(true, false, sysreg_read(FAR_EL2));
		return;
	}
	/* WnR of an instruction abort is RES0, so fault_ipa() asks for a read. */
	if (!fault_ipa(esr, &at) || stage2_allows(&v->vm->s2, at, PT_X)) {
		return;
	}
	if (is_lost()) {
		vm_crash(v,
			 "it took an exception (ESR_EL1 %#llx at PC %#llx, FAR_EL1 %#llx), but its "
			 "vector at %#llx is not in executable memory",
			 (unsigned long long)sysreg_read(ESR_EL1),
			 (unsigned long long)sysreg_read(ELR_EL1),
			 (unsigned long long)sysreg_read(FAR_EL1), (unsigned long long)at.a);
		return;
	}
	report_fault(v, esr, at, true, "an instruction fetch outside executable memory");
}

/* All but the commonest. */
static __attribute__((noinline)) void handle_trap(struct vcpu *v, struct guest_frame *f,
						  uint64_t esr)
{
	struct vm_exit e;

	switch (esr >> ESR_EC_SHIFT) {
	case EC_DABORT_LOWER:
		data_abort(v, f, esr);
		break;
	case EC_IABORT_LOWER:
		instruction_abort(v, esr);
		break;
	case EC_WFX:
		skip_instruction(esr);
		/* Only WFI traps (TWE is clear); both hints end at once if nothing blocks. */
		e.kind = EXIT_IDLE;
		vcpu_handle_exit(v, &e);
		break;
	case EC_SMC64:
		/* A trapped SMC leaves the PC on itself (D1.10.4). */
		skip_instruction(esr);
		guest_call(v, f, esr & 0xffff);
		break;
	case EC_FP:
		fp_trap(v);
		break;
	default:
		/* What we hide (SVE, SME, ...) or do not know is undefined to the guest. */
		inject_undefined();
		break;
	}
}

void guest_trap(struct guest_frame *f, uint64_t esr)
{
	struct vcpu *v = f->vcpu;

	if ((esr & ESR_PLAIN_MASK) == ESR_PLAIN) {
		if (unlikely(!mmio_device(v, f, esr))) {
			handle_trap(v, f, esr);
		}
	} else if (esr >> ESR_EC_SHIFT == EC_SYSREG) {
		sysreg_trap(v, f, esr);
	} else {
		handle_trap(v, f, esr);
	}
	vcpu_before_entry(v);
}

void guest_interrupt(struct guest_frame *f)
{
	struct vcpu *v = f->vcpu;

	irq_dispatch();
	if (unlikely(this_cpu()->need_resched != 0)) {
		sched_preempt();
	}
	vcpu_before_entry(v);
}

void guest_system_error(struct guest_frame *f)
{
	struct vcpu *v = f->vcpu;

	/*
	 * An asynchronous external abort while the guest ran: with devices of its own
	 * it is the likely cause, so it alone hears of it, as a virtual SError.
	 */
	sysreg_write(HCR_EL2, sysreg_read(HCR_EL2) | HCR_VSE);
	vcpu_before_entry(v);
}

void host_interrupt(void)
{
	irq_dispatch();
	if (this_cpu()->need_resched != 0) {
		sched_preempt();
	}
}

void arch_vcpu_inject_abort(struct vcpu *v, const struct vm_exit *e)
{
	(void)v;
	if (e->kind == EXIT_STAGE2_FAULT) {
		inject_abort(e->fault.exec, e->fault.write, sysreg_read(FAR_EL2));
	} else {
		inject_abort(false, e->io.write, sysreg_read(FAR_EL2));
	}
}
