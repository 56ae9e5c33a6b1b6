/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trapped system registers of guests (ESR_EL2.EC 0x18).
 *
 * Identification registers show what the guest may use and nothing else: every
 * field is listed, so a feature of a newer core is hidden until somebody has
 * thought about its state (DDI 0487, D19.2).
 */
#include "el2.h"
#include "sysreg.h"

#include <hv/vcpu.h>
#include <hv/vgic.h>
#include <hv/vm.h>

/* The encoding as one number: op0, op1, CRn, CRm, op2. */
#define REG(op0, op1, crn, crm, op2) \
	((uint32_t)(op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2))

/* A 4-bit field of an identification register, by its lowest bit. */
#define F(shift) (UINT64_C(0xf) << (shift))

static uint64_t field_max(uint64_t reg, unsigned shift, uint64_t max)
{
	uint64_t value = reg >> shift & 0xf;

	return (reg & ~F(shift)) | MIN(value, max) << shift;
}

static uint64_t id_pfr0(const struct vcpu *v)
{
	uint64_t reg = sysreg_read(ID_AA64PFR0_EL1);

	/* EL0, FP, AdvSIMD, DIT, CSV2, CSV3; hidden: EL2, EL3, RAS, SVE, MPAM, AMU, RME */
	reg &= F(0) | F(4) | F(16) | F(20) | F(48) | F(56) | F(60);
	reg = field_max(reg, 4, 1);  /* EL1 is AArch64 only */
	reg = field_max(reg, 56, 1); /* CSV2_2 would need SCXTNUM_ELx switched */
	if (v->vm->arch.gic_version == 3) {
		reg |= UINT64_C(1) << 24;
	}
	return reg;
}

static uint64_t id_mmfr0(const struct vcpu *v)
{
	uint64_t reg = sysreg_read(ID_AA64MMFR0_EL1);
	uint64_t pa = reg & 0xf;
	uint64_t tgran16 = reg >> 20 & 0xf;

	(void)v;
	/* ASIDBits, BigEnd, BigEndEL0, TGran64, TGran4; hidden: stage-2 granules, ExS, FGT, ECV */
	reg &= F(4) | F(8) | F(16) | F(24) | F(28);
	/* No 52-bit addresses with 4 and 16 KiB pages (LPA2), and 48 bits at most. */
	reg |= MIN(pa, UINT64_C(5));
	reg |= MIN(tgran16, UINT64_C(1)) << 20;
	if ((reg >> 28 & 0xf) == 1) {
		reg &= ~F(28);
	}
	return reg;
}

/* Registers of AArch32 say something only where EL0 can run it. */
static uint64_t id_aarch32(uint64_t value)
{
	return (sysreg_read(ID_AA64PFR0_EL1) & 0xf) == 2 ? value : 0;
}

static uint64_t id_aarch32_read(uint32_t reg)
{
	switch (reg) {
	case REG(3, 0, 0, 1, 0):
		return id_aarch32(sysreg_read(ID_PFR0_EL1) & 0x0000ffff); /* no RAS, AMU, DIT */
	case REG(3, 0, 0, 1, 1):
		return id_aarch32(sysreg_read(ID_PFR1_EL1) & 0x000f0fff); /* no Virtualization */
	case REG(3, 0, 0, 1, 2):
		return id_aarch32(sysreg_read(ID_DFR0_EL1) & 0x0000000f); /* no PMU, no trace */
	case REG(3, 0, 0, 1, 4):
		return id_aarch32(sysreg_read(ID_MMFR0_EL1));
	case REG(3, 0, 0, 1, 5):
		return id_aarch32(sysreg_read(ID_MMFR1_EL1));
	case REG(3, 0, 0, 1, 6):
		return id_aarch32(sysreg_read(ID_MMFR2_EL1));
	case REG(3, 0, 0, 1, 7):
		return id_aarch32(sysreg_read(ID_MMFR3_EL1));
	case REG(3, 0, 0, 2, 0):
		return id_aarch32(sysreg_read(ID_ISAR0_EL1));
	case REG(3, 0, 0, 2, 1):
		return id_aarch32(sysreg_read(ID_ISAR1_EL1));
	case REG(3, 0, 0, 2, 2):
		return id_aarch32(sysreg_read(ID_ISAR2_EL1));
	case REG(3, 0, 0, 2, 3):
		return id_aarch32(sysreg_read(ID_ISAR3_EL1));
	case REG(3, 0, 0, 2, 4):
		return id_aarch32(sysreg_read(ID_ISAR4_EL1));
	case REG(3, 0, 0, 2, 5):
		return id_aarch32(sysreg_read(ID_ISAR5_EL1));
	case REG(3, 0, 0, 2, 6):
		return id_aarch32(sysreg_read(ID_MMFR4_EL1) & 0x0fffffff); /* no EVT */
	case REG(3, 0, 0, 3, 0):
		return id_aarch32(sysreg_read(MVFR0_EL1));
	case REG(3, 0, 0, 3, 1):
		return id_aarch32(sysreg_read(MVFR1_EL1));
	case REG(3, 0, 0, 3, 2):
		return id_aarch32(sysreg_read(MVFR2_EL1));
	default:
		return 0; /* the rest of the block is reserved and reads as zero */
	}
}

static uint64_t id_read(const struct vcpu *v, uint32_t reg)
{
	uint64_t value;

	switch (reg) {
	case REG(3, 0, 0, 4, 0):
		return id_pfr0(v);
	case REG(3, 0, 0, 4, 1): /* BT, SSBS; hidden: MTE, SME, NMI, CSV2_frac */
		return sysreg_read(ID_AA64PFR1_EL1) & (F(0) | F(4));
	case REG(3, 0, 0, 5, 0):
		/* Armv8.0 debug with 2 break- and watchpoints (the least there is); no PMU. */
		return UINT64_C(6) | UINT64_C(1) << 12 | UINT64_C(1) << 20;
	case REG(3, 0, 0, 6, 0): /* all but TME */
		return sysreg_read(ID_AA64ISAR0_EL1) & ~F(24);
	case REG(3, 0, 0, 6, 1): /* all but XS and LS64; PAuth: its keys are switched */
		return sysreg_read(ID_AA64ISAR1_EL1) & ~(F(56) | F(60));
	case REG(3, 0, 0, 6, 2): /* RPRES, GPA3, APA3, BC, PAC_frac; hidden: WFxT, MOPS */
		return sysreg_read(ID_AA64ISAR2_EL1) & (F(4) | F(8) | F(12) | F(20) | F(24));
	case REG(3, 0, 0, 7, 0):
		return id_mmfr0(v);
	case REG(3, 0, 0, 7, 1): /* HAFDBS, HPDS, PAN, XNX, ETS; hidden: VH, LO, HCX, ... */
		return sysreg_read(ID_AA64MMFR1_EL1) & (F(0) | F(12) | F(20) | F(28) | F(36));
	case REG(3, 0, 0, 7, 2): /* hidden: IESB, NV, IDS, FWB, EVT */
		value = sysreg_read(ID_AA64MMFR2_EL1);
		return value &
		       (F(0) | F(4) | F(8) | F(16) | F(20) | F(28) | F(32) | F(48) | F(52) | F(60));
	default:
		return id_aarch32_read(reg);
	}
}

/* op0 = 2 with op1 = 0 or 3: self-hosted debug and its communication channel. */
static bool is_debug(uint32_t reg)
{
	return reg >> 11 == REG(2, 0, 0, 0, 0) >> 11 || reg >> 11 == REG(2, 3, 0, 0, 0) >> 11;
}

/* Debug registers: reads say "nothing there, OS lock open", writes vanish. */
static uint64_t debug_read(uint32_t reg)
{
	return reg == REG(2, 0, 1, 1, 4) ? BIT64(3) /* OSLSR_EL1: the OS lock exists */ : 0;
}

enum outcome {
	DONE,
	UNDEFINED,
};

static enum outcome do_read(const struct vcpu *v, uint32_t reg, uint64_t *value)
{
	*value = 0;
	if (reg >= REG(3, 0, 0, 1, 0) && reg <= REG(3, 0, 0, 7, 7)) {
		*value = id_read(v, reg);
		return DONE;
	}
	if (is_debug(reg)) {
		*value = debug_read(reg);
		return DONE;
	}
	return reg == REG(3, 0, 1, 0, 1) ? DONE /* ACTLR_EL1 */ : UNDEFINED;
}

/* SGIs of a vGICv3; a GICv2 guest has no such register. */
static enum outcome write_sgi(struct vcpu *v, enum vgic_sgi_reg reg, uint64_t value)
{
	if (v->vm->arch.gic_version != 3) {
		return UNDEFINED;
	}
	vgic_v3_sgi(v->vm->arch.vgic, v->index, reg, value);
	return DONE;
}

static enum outcome do_write(struct vcpu *v, uint32_t reg, uint64_t value)
{
	switch (reg) {
	case REG(3, 0, 12, 11, 6):
		return write_sgi(v, VGIC_ASGI1R, value);
	case REG(3, 0, 12, 11, 7):
		return write_sgi(v, VGIC_SGI0R, value);
	case REG(3, 0, 1, 0, 1): /* ACTLR_EL1 */
		return DONE;
	default:
		return is_debug(reg) ? DONE : UNDEFINED;
	}
}

/* Of an ISS: all but the register number, and what it then is for MSR ICC_SGI1R_EL1. */
#define ISS_NOT_RT	0x3ffc1fU
#define ISS_SGI1R_WRITE (3U << 20 | 5U << 17 | 12U << 10 | 11U << 1)

void sysreg_trap(struct vcpu *v, struct guest_frame *f, uint64_t esr)
{
	uint32_t iss = (uint32_t)esr; /* as of a trapped MSR or MRS (EC 0x18) */
	uint32_t reg =
		REG(iss >> 20 & 3, iss >> 14 & 7, iss >> 10 & 0xf, iss >> 1 & 0xf, iss >> 17 & 7);
	unsigned rt = (unsigned)(esr >> 5) & 0x1f;
	enum outcome outcome;
	uint64_t value;

	if ((iss & ISS_NOT_RT) == ISS_SGI1R_WRITE) {
		/* By far the commonest. */
		outcome = write_sgi(v, VGIC_SGI1R, rt == 31 ? 0 : f->x[rt]);
	} else if ((esr & 1) != 0) {
		outcome = do_read(v, reg, &value);
		if (outcome == DONE && rt != 31) {
			f->x[rt] = value;
		}
	} else {
		outcome = do_write(v, reg, rt == 31 ? 0 : f->x[rt]);
	}
	if (outcome == DONE) {
		sysreg_write(ELR_EL2, sysreg_read(ELR_EL2) + 4);
	} else {
		inject_undefined();
	}
}
