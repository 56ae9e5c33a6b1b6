/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMSAv8-64 descriptors and control registers, 4 KiB granule (Arm ARM DDI 0487, D8.3
 * "Translation table descriptor formats", D8.4 "Memory access control", D8.5 "Memory
 * region attributes"; D24.2 for TCR_EL2 and VTCR_EL2).  Pure: runs on the host.
 */
#include "pt_vmsa.h"

#include <errno.h>

#define DESC_VALID BIT64(0)
#define DESC_TABLE BIT64(1) /* above level 3; at level 3 it marks a page */
#define DESC_AF	   BIT64(10)
#define DESC_SH_IS (UINT64_C(3) << 8)
#define DESC_OUT   UINT64_C(0x0000fffffffff000)

/* Stage 1, EL2 (one privilege level): D8.4.1, D8.5.2. */
#define S1_ATTR(i)   ((uint64_t)(i) << 2)
#define S1_ATTR_MASK S1_ATTR(7)
#define S1_AP1	     BIT64(6) /* RES1 where there is no EL0 */
#define S1_RO	     BIT64(7)
#define S1_XN	     BIT64(54)

/* MAIR_EL2 indices: VMSA_MAIR_EL2. */
#define MAIR_NORMAL 0
#define MAIR_DEVICE 1
#define MAIR_NC	    2

/* Stage 2: D8.4.2, D8.5.5 (without FEAT_S2FWB). */
#define S2_MEMATTR(a)	((uint64_t)(a) << 2)
#define S2_MEMATTR_MASK S2_MEMATTR(15)
#define S2_NORMAL	S2_MEMATTR(15) /* write-back */
#define S2_NC		S2_MEMATTR(5)
#define S2_DEVICE	S2_MEMATTR(1) /* Device-nGnRE */
#define S2_READ		BIT64(6)
#define S2_WRITE	BIT64(7)
#define S2_XN		BIT64(54)
#define S2_XN_MASK	(UINT64_C(3) << 53)

static uint64_t vmsa_table(hpa_t table)
{
	return table.a | DESC_TABLE | DESC_VALID;
}

/* Valid, type and address of a page or block. */
static uint64_t leaf_base(hpa_t out, unsigned level)
{
	return out.a | DESC_AF | DESC_VALID | (level == 0 ? DESC_TABLE : 0);
}

static enum pt_kind decode_kind(uint64_t entry, unsigned level, hpa_t *out)
{
	bool bit1 = (entry & DESC_TABLE) != 0;

	if ((entry & DESC_VALID) == 0) {
		return PT_NONE;
	}
	out->a = entry & DESC_OUT;
	if (level > 0 && bit1) {
		return PT_TABLE;
	}
	/* Reserved: a block at level 3, or above 1 GiB. */
	if ((level == 0 && !bit1) || level > 2) {
		return PT_NONE;
	}
	out->a &= ~((PAGE_SIZE << 9 * level) - 1);
	return PT_LEAF;
}

/* ---- stage 1, EL2 ---- */

/* W^X, and no reads allowed means no entry. */
static bool el2_attr_ok(uint32_t attr)
{
	return (attr & ~PT_ATTR_ALL) == 0 && (attr & PT_USER) == 0 && (attr & PT_R) != 0 &&
	       (attr & (PT_W | PT_X)) != (PT_W | PT_X) &&
	       (attr & (PT_DEVICE | PT_X)) != (PT_DEVICE | PT_X);
}

static uint64_t el2_leaf(hpa_t out, unsigned level, uint32_t attr)
{
	uint64_t e = leaf_base(out, level) | S1_AP1;

	if ((attr & PT_DEVICE) != 0) {
		e |= S1_ATTR(MAIR_DEVICE);
	} else {
		e |= DESC_SH_IS | S1_ATTR((attr & PT_UNCACHED) != 0 ? MAIR_NC : MAIR_NORMAL);
	}
	if ((attr & PT_W) == 0) {
		e |= S1_RO;
	}
	if ((attr & PT_X) == 0) {
		e |= S1_XN;
	}
	return e;
}

static enum pt_kind el2_decode(uint64_t entry, unsigned level, hpa_t *out, uint32_t *attr)
{
	enum pt_kind kind = decode_kind(entry, level, out);

	if (kind == PT_LEAF) {
		*attr = PT_R;
		*attr |= (entry & S1_RO) != 0 ? 0 : PT_W;
		*attr |= (entry & S1_XN) != 0 ? 0 : PT_X;
		if ((entry & S1_ATTR_MASK) == S1_ATTR(MAIR_DEVICE)) {
			*attr |= PT_DEVICE;
		} else if ((entry & S1_ATTR_MASK) == S1_ATTR(MAIR_NC)) {
			*attr |= PT_UNCACHED;
		}
	}
	return kind;
}

/*
 * Break-before-make is for changes of memory type, shareability and address (D8.16.1);
 * permissions may change in place.
 */
static bool el2_needs_break(uint64_t from, uint64_t to)
{
	return ((from ^ to) & ~(S1_RO | S1_XN)) != 0;
}

const struct pt_format vmsa_el2_format = {
	.name = "VMSAv8-64 EL2",
	.max_in_bits = 48,
	.max_out_bits = 48,
	.break_before_make = true,
	.invalidate_new = false,
	.manual_leaf_level = 3,
	.manual_step = -1,
	.table = vmsa_table,
	.leaf = el2_leaf,
	.decode = el2_decode,
	.attr_ok = el2_attr_ok,
	.needs_break = el2_needs_break,
};

/* ---- stage 2 ---- */

static bool s2_attr_ok(uint32_t attr)
{
	return (attr & ~PT_ATTR_ALL) == 0 && (attr & (PT_R | PT_W | PT_X)) != 0 &&
	       (attr & (PT_DEVICE | PT_X)) != (PT_DEVICE | PT_X);
}

static uint64_t s2_leaf(hpa_t out, unsigned level, uint32_t attr)
{
	uint64_t e = leaf_base(out, level);

	if ((attr & PT_DEVICE) != 0) {
		e |= S2_DEVICE;
	} else {
		e |= DESC_SH_IS | ((attr & PT_UNCACHED) != 0 ? S2_NC : S2_NORMAL);
	}
	e |= (attr & PT_R) != 0 ? S2_READ : 0;
	e |= (attr & PT_W) != 0 ? S2_WRITE : 0;
	e |= (attr & PT_X) != 0 ? 0 : S2_XN;
	return e;
}

static enum pt_kind s2_decode(uint64_t entry, unsigned level, hpa_t *out, uint32_t *attr)
{
	enum pt_kind kind = decode_kind(entry, level, out);

	if (kind == PT_LEAF) {
		*attr = 0;
		*attr |= (entry & S2_READ) != 0 ? PT_R : 0;
		*attr |= (entry & S2_WRITE) != 0 ? PT_W : 0;
		*attr |= (entry & S2_XN_MASK) != 0 ? 0 : PT_X;
		if ((entry & S2_MEMATTR_MASK) == S2_DEVICE) {
			*attr |= PT_DEVICE;
		} else if ((entry & S2_MEMATTR_MASK) == S2_NC) {
			*attr |= PT_UNCACHED;
		}
	}
	return kind;
}

static bool s2_needs_break(uint64_t from, uint64_t to)
{
	return ((from ^ to) & ~(S2_READ | S2_WRITE | S2_XN_MASK)) != 0;
}

const struct pt_format vmsa_s2_format = {
	.name = "VMSAv8-64 stage 2",
	.max_in_bits = 48,
	.max_out_bits = 48,
	.break_before_make = true,
	.invalidate_new = false,
	.manual_leaf_level = 3,
	.manual_step = -1,
	.table = vmsa_table,
	.leaf = s2_leaf,
	.decode = s2_decode,
	.attr_ok = s2_attr_ok,
	.needs_break = s2_needs_break,
};

/* ---- control registers ---- */

/* TCR_EL2 and VTCR_EL2 have these at the same bits. */
#define TCR_T0SZ(in_bits) ((uint64_t)(64 - (in_bits)))
#define TCR_IRGN0_WBWA	  BIT64(8)
#define TCR_ORGN0_WBWA	  BIT64(10)
#define TCR_SH0_IS	  (UINT64_C(3) << 12)
#define TCR_PS(ps)	  ((uint64_t)(ps) << 16)
#define TCR_RES1	  BIT64(31)
#define TCR_EL2_RES1	  BIT64(23)
#define VTCR_SL0(v)	  ((uint64_t)(v) << 6)
#define VTCR_VS		  BIT64(19)

/* By ID_AA64MMFR0_EL1.PARange and (V)TCR_EL2.PS: the same code. */
static const uint8_t pa_sizes[] = { 32, 36, 40, 42, 44, 48 };

unsigned vmsa_pa_bits(uint64_t mmfr0)
{
	uint64_t range = mmfr0 & 15;

	return pa_sizes[MIN(range, ARRAY_SIZE(pa_sizes) - 1)];
}

/* The PS code of exactly this size; -1: there is none. */
static int ps_code(unsigned pa_bits)
{
	for (unsigned i = 0; i < ARRAY_SIZE(pa_sizes); i++) {
		if (pa_sizes[i] == pa_bits) {
			return (int)i;
		}
	}
	return -1;
}

int vmsa_s2_layout(unsigned pa_bits, unsigned ipa_bits, bool vmid16, struct vmsa_s2_layout *out)
{
	int ps = ps_code(pa_bits);
	uint8_t level;

	if (ps < 0 || ipa_bits < 32 || ipa_bits > pa_bits) {
		return -EINVAL;
	}
	/*
	 * The fewest levels: up to 16 tables are put side by side at the start level
	 * (D8.2.2 "Concatenated translation tables").  Starting at level 0 is possible
	 * only with 44 or more bits of physical address; smaller IPA sizes never ask
	 * for it.  Level 2 resolves 30 + 4 bits, level 1 39 + 4.
	 */
	level = ipa_bits <= 34 ? 1 : ipa_bits <= 43 ? 2 : 3;
	out->shape = (struct pt_shape){
		.fmt = &vmsa_s2_format,
		.in_bits = (uint8_t)ipa_bits,
		.out_bits = (uint8_t)pa_bits,
		.root_level = level,
		.max_leaf = 2,
	};
	out->start_level = (uint8_t)(3 - level);
	out->tables = (uint8_t)pt_root_tables(&out->shape);
	/* SL0 counts the other way: 0 is level 2, 1 is level 1, 2 is level 0. */
	out->vtcr = TCR_T0SZ(ipa_bits) | VTCR_SL0(level - 1) | TCR_IRGN0_WBWA | TCR_ORGN0_WBWA |
		    TCR_SH0_IS | TCR_PS(ps) | (vmid16 ? VTCR_VS : 0) | TCR_RES1;
	return 0;
}

int vmsa_el2_layout(unsigned pa_bits, struct pt_shape *shape, uint64_t *tcr)
{
	int ps = ps_code(pa_bits);

	if (ps < 0) {
		return -EINVAL;
	}
	*shape = (struct pt_shape){
		.fmt = &vmsa_el2_format,
		.in_bits = 48,
		.out_bits = (uint8_t)pa_bits,
		.root_level = 3,
		.max_leaf = 2,
	};
	*tcr = TCR_T0SZ(48) | TCR_IRGN0_WBWA | TCR_ORGN0_WBWA | TCR_SH0_IS | TCR_PS(ps) |
	       TCR_EL2_RES1 | TCR_RES1;
	return 0;
}
