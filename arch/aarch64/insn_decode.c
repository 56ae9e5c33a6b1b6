/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of A64 loads and stores (DDI 0487, C4.1.94); see insn.h. */
#include "insn.h"

static uint32_t bits(uint32_t word, unsigned high, unsigned low)
{
	return (word >> low) & (BIT32(high - low + 1) - 1);
}

static int32_t sign_extend32(uint32_t value, unsigned width)
{
	return (int32_t)(value << (32 - width)) >> (32 - width);
}

/* LDP, STP, LDNP, STNP, LDPSW. */
static bool decode_pair(uint32_t word, struct insn *out)
{
	uint32_t opc = bits(word, 31, 30);
	uint32_t mode = bits(word, 24, 23);

	out->load = bits(word, 22, 22) != 0;
	out->count = 2;
	out->rt2 = (uint8_t)bits(word, 14, 10);
	if (opc == 3) {
		return false;
	}
	if (out->simd) {
		out->size = (uint8_t)(4U << opc);
	} else if (opc == 1) {
		/* LDPSW; the store is STGP, which stores tags. */
		if (!out->load || mode == 0) {
			return false;
		}
		out->size = 4;
		out->sign = true;
		out->wide = true;
	} else {
		out->size = opc == 0 ? 4 : 8;
	}
	out->write_back = mode == 1 || mode == 3;
	out->post_index = mode == 1;
	out->offset = sign_extend32(bits(word, 21, 15), 7) * out->size;
	return true;
}

/* Size and direction of a single register; false for prefetch and holes. */
static bool decode_single_kind(uint32_t word, struct insn *out)
{
	uint32_t size = bits(word, 31, 30);
	uint32_t opc = bits(word, 23, 22);

	if (out->simd) {
		if ((opc & 2) != 0 && size != 0) {
			return false;
		}
		out->size = (uint8_t)((opc & 2) != 0 ? 16U : 1U << size);
		out->load = (opc & 1) != 0;
		return true;
	}
	out->size = (uint8_t)(1U << size);
	out->load = opc != 0;
	if (opc >= 2) {
		/* 32- and 64-bit sign extension; size 3 is PRFM, size 2 has only one. */
		if (size == 3 || (size == 2 && opc == 3)) {
			return false;
		}
		out->sign = true;
		out->wide = opc == 2;
	}
	return true;
}

static bool decode_single(uint32_t word, struct insn *out)
{
	if (!decode_single_kind(word, out)) {
		return false;
	}
	out->count = 1;
	if (bits(word, 24, 24) != 0) { /* unsigned immediate */
		out->offset = (int32_t)(bits(word, 21, 10) * out->size);
		return true;
	}
	if (bits(word, 21, 21) != 0) {
		/*
		 * Register offset is 10, extended from 32 or 64 bits (option<1>); the others
		 * are atomics and PAuth loads.
		 */
		out->by_register = true;
		return bits(word, 11, 10) == 2 && bits(word, 14, 14) != 0;
	}
	out->offset = sign_extend32(bits(word, 20, 12), 9);
	switch (bits(word, 11, 10)) {
	case 1:
		out->post_index = true;
		out->write_back = true;
		return true;
	case 3:
		out->write_back = true;
		return true;
	case 2: /* unprivileged; there is no SIMD form */
		return !out->simd;
	default:
		return true;
	}
}

bool insn_decode(uint32_t word, struct insn *out)
{
	*out = (struct insn){
		.simd = bits(word, 26, 26) != 0,
		.rt = (uint8_t)bits(word, 4, 0),
		.rn = (uint8_t)bits(word, 9, 5),
	};
	if (bits(word, 29, 27) == 5 && bits(word, 25, 25) == 0) {
		return decode_pair(word, out);
	}
	if (bits(word, 29, 27) == 7 && bits(word, 25, 25) == 0) {
		return decode_single(word, out);
	}
	return false;
}
