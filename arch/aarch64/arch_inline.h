/* SPDX-License-Identifier: Apache-2.0 */
/* The processor's one-instruction services (see hv/arch_cpu.h). */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <stdbool.h>
#include <stdint.h>

struct cpu;

/* PSTATE.DAIF: the I bit; the hypervisor never takes FIQs apart from IRQs. */
#define ARCH_DAIF_I (UINT64_C(1) << 7)

static inline void arch_cpu_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

static inline uint64_t arch_irq_save(void)
{
	uint64_t daif;

	__asm__ volatile("mrs %0, daif\n\tmsr daifset, #2" : "=r"(daif)::"memory");
	return daif;
}

static inline void arch_irq_restore(uint64_t daif)
{
	__asm__ volatile("msr daif, %0" ::"r"(daif) : "memory");
}

static inline void arch_irq_enable(void)
{
	__asm__ volatile("msr daifclr, #2" ::: "memory");
}

static inline bool arch_irq_enabled(void)
{
	uint64_t daif;

	__asm__ volatile("mrs %0, daif" : "=r"(daif));
	return (daif & ARCH_DAIF_I) == 0;
}

/* Volatile: a thread may continue on another core after a switch. */
static inline struct cpu *this_cpu(void)
{
	struct cpu *c;

	__asm__ volatile("mrs %0, tpidr_el2" : "=r"(c));
	return c;
}

#endif
