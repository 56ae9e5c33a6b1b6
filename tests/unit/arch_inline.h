/* SPDX-License-Identifier: Apache-2.0 */
/* Host tests: see fake_arch.h. */
#ifndef ARCH_INLINE_H
#define ARCH_INLINE_H

#include <hv/types.h>

void arch_cpu_relax(void);
uint64_t arch_irq_save(void);
void arch_irq_restore(uint64_t was);
void arch_irq_enable(void);
bool arch_irq_enabled(void);

struct cpu;
struct cpu *this_cpu(void); /* fake_time.c */

#endif
