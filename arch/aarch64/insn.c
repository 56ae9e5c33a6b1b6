/* SPDX-License-Identifier: Apache-2.0 */
/* Performing decoded loads and stores on devices; see insn.h. */
#include "insn.h"

#include "el2.h"
#include "sysreg.h"

#include <hv/arch_vcpu.h>
#include <hv/vcpu.h>
#include <hv/vm_exit.h>

#include <string.h>

/* The guest's stack pointer, as the register number 31 of a base means it. */
static uint64_t stack_pointer_read(void)
{
	return (sysreg_read(SPSR_EL2) & 1) != 0 ? sysreg_read(SP_EL1) : sysreg_read(SP_EL0);
}

static void stack_pointer_write(uint64_t value)
{
	if ((sysreg_read(SPSR_EL2) & 1) != 0) {
		sysreg_write(SP_EL1, value);
	} else {
		sysreg_write(SP_EL0, value);
	}
}

/* `bytes` (1..16) of register n; the SIMD ones have been saved to memory. */
static void register_get(struct vcpu *v, const struct guest_frame *f, const struct insn *insn,
			 unsigned n, uint64_t value[2])
{
	value[1] = 0;
	if (insn->simd) {
		value[0] = v->arch.fp.v[2 * n];
		value[1] = v->arch.fp.v[2 * n + 1];
	} else {
		value[0] = n == 31 ? 0 : f->x[n];
	}
}

static void register_set(struct vcpu *v, struct guest_frame *f, const struct insn *insn, unsigned n,
			 const uint64_t value[2])
{
	if (insn->simd) {
		/* A load zeroes what it does not fill. */
		v->arch.fp.v[2 * n] = value[0];
		v->arch.fp.v[2 * n + 1] = value[1];
	} else if (n != 31) {
		unsigned shift = 64 - 8U * insn->size;

		f->x[n] = value[0];
		if (insn->sign) {
			f->x[n] = (uint64_t)((int64_t)(value[0] << shift) >> shift);
			f->x[n] = insn->wide ? f->x[n] : (uint32_t)f->x[n];
		}
	}
}

/* One register's bytes, in accesses of at most 8. */
static bool transfer(struct vcpu *v, const struct insn *insn, uint64_t at, uint64_t value[2])
{
	unsigned width = MIN(insn->size, 8U);

	for (unsigned i = 0; i * 8 < insn->size; i++) {
		uint64_t mask = width == 8 ? UINT64_MAX : BIT64(8 * width) - 1;
		struct vm_exit e = {
			.kind = EXIT_MMIO,
			.io = {
				.addr = at + i * 8,
				.width = (uint8_t)width,
				.write = !insn->load,
				.value = insn->load ? 0 : value[i] & mask,
			},
		};

		if (!vcpu_mmio(v, &e)) {
			return false;
		}
		if (insn->load) {
			value[i] = e.io.value & mask;
		}
	}
	return true;
}

static bool refuse(struct vcpu *v, gpa_t at, uint64_t far, const struct insn *insn, const char *why)
{
	struct vm_exit e = {
		.kind = EXIT_STAGE2_FAULT,
		.fault = { .gpa = at, .gva = far, .write = !insn->load, .why = why },
	};

	vcpu_handle_exit(v, &e);
	return false;
}

bool insn_emulate(struct vcpu *v, struct guest_frame *f, const struct insn *insn, uint64_t far,
		  gpa_t at)
{
	uint64_t base = insn->rn == 31 ? stack_pointer_read() : f->x[insn->rn];
	uint64_t start = base + (insn->post_index ? 0 : (uint64_t)(int64_t)insn->offset);
	uint64_t total = (uint64_t)insn->size * insn->count;
	uint64_t into; /* where in the access the fault was; tags in the top byte do not count */
	uint64_t values[2][2] = { { 0 } };

	if (insn->by_register) {
		start = far;
	}
	into = (far - start) & (BIT64(56) - 1);
	if (into >= total) {
		return false; /* the guest changed the code meanwhile: run it again */
	}
	if ((far & (PAGE_SIZE - 1)) < into || (far & (PAGE_SIZE - 1)) - into + total > PAGE_SIZE) {
		return refuse(v, at, far, insn, "a device access that crosses a page");
	}
	if (insn->simd) {
		fp_save(v);
	}
	for (unsigned i = 0; i < insn->count; i++) {
		if (!insn->load) {
			register_get(v, f, insn, i == 0 ? insn->rt : insn->rt2, values[i]);
		}
		if (!transfer(v, insn, at.a - into + (uint64_t)i * insn->size, values[i])) {
			return false;
		}
	}
	for (unsigned i = 0; i < insn->count && insn->load; i++) {
		register_set(v, f, insn, i == 0 ? insn->rt : insn->rt2, values[i]);
	}
	if (insn->write_back) {
		base += (uint64_t)(int64_t)insn->offset;
		if (insn->rn == 31) {
			stack_pointer_write(base);
		} else {
			f->x[insn->rn] = base;
		}
	}
	return true;
}
