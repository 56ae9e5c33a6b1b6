/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/ asks of a processor, whatever its architecture.  The inline ones come
 * from arch/<arch>/arch_inline.h (host tests: tests/unit/arch_inline.h):
 *
 *   void arch_cpu_relax(void);            a spin loop's hint
 *   uint64_t arch_irq_save(void);         interrupts off, returns what they were
 *   void arch_irq_restore(uint64_t was);
 *   bool arch_irq_enabled(void);
 */
#ifndef HV_ARCH_CPU_H
#define HV_ARCH_CPU_H

#include <arch_inline.h>
#include <hv/types.h>

#endif
