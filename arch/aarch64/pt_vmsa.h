/* SPDX-License-Identifier: Apache-2.0 */
/*
 * VMSAv8-64 translation table formats, 4 KiB granule, without LPA2, and the values of
 * the registers that go with them (Arm ARM DDI 0487, D8).  Pure: runs on the host.
 */
#ifndef PT_VMSA_H
#define PT_VMSA_H

#include <hv/pt.h>
#include <hv/types.h>

/* The hypervisor's own tables: EL2 without VHE, one address range. */
extern const struct pt_format vmsa_el2_format;
/* Guests' stage 2. */
extern const struct pt_format vmsa_s2_format;

/* MAIR_EL2: index 0 write-back, 1 Device-nGnRE, 2 normal non-cacheable. */
#define VMSA_MAIR_EL2 UINT64_C(0x4404ff)

struct vmsa_s2_layout {
	struct pt_shape shape;
	uint8_t start_level; /* the manual's: 0, 1 or 2 */
	uint8_t tables;	     /* concatenated at the start level: 1..16 */
	uint64_t vtcr;	     /* VTCR_EL2 */
};

/*
 * pa_bits: what the machine implements, from vmsa_pa_bits() (the smallest over all
 * cores); ipa_bits: what the guest shall have, 32..48, at most pa_bits.  -EINVAL else.
 */
int __must_check vmsa_s2_layout(unsigned pa_bits, unsigned ipa_bits, bool vmid16,
				struct vmsa_s2_layout *out);

/* The hypervisor's tables: 48 bits in, its TCR_EL2 value. -EINVAL as above. */
int __must_check vmsa_el2_layout(unsigned pa_bits, struct pt_shape *shape, uint64_t *tcr);

/* ID_AA64MMFR0_EL1.PARange: 32..48; larger ones are cut to 48 (no LPA2). */
unsigned vmsa_pa_bits(uint64_t mmfr0);

#endif
