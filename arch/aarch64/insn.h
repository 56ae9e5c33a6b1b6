/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads and stores whose stage-2 abort comes without a syndrome (ESR_EL2.ISV = 0):
 * pairs, write-back forms and SIMD registers (DDI 0487, C4.1.94).  Decoding is pure.
 */
#ifndef AARCH64_INSN_H
#define AARCH64_INSN_H

#include <hv/types.h>

struct vcpu;
struct guest_frame;

struct insn {
	bool load;
	bool simd; /* rt and rt2 are SIMD registers */
	bool sign; /* sign-extended load ... */
	bool wide; /* ... to 64 bits, else to 32 */
	bool write_back;
	bool post_index;  /* the access is at the base, without the offset */
	bool by_register; /* the offset is in a register: the address is known from FAR only */
	uint8_t count;	  /* registers: 1 or 2 */
	uint8_t size;	  /* bytes of each: 1, 2, 4, 8, 16 */
	uint8_t rt, rt2, rn;
	int32_t offset;
};

/* False: not a load or store of these kinds. */
bool insn_decode(uint32_t word, struct insn *out);

/*
 * Performs it for an access that faulted at virtual address `far`, guest-physical
 * `at`.  False: an abort was injected, the instruction has not completed.
 */
bool insn_emulate(struct vcpu *v, struct guest_frame *f, const struct insn *insn, uint64_t far,
		  gpa_t at);

#endif
