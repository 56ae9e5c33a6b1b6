/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core/ asks of a processor, whatever its architecture.  The inline ones come
 * from arch/<arch>/arch_inline.h (host tests: tests/unit/arch_inline.h):
 *
 *   void arch_cpu_relax(void);            a spin loop's hint
 *   uint64_t arch_irq_save(void);         interrupts off, returns what they were
 *   void arch_irq_restore(uint64_t was);
 *   void arch_irq_enable(void);
 *   bool arch_irq_enabled(void);
 *   struct cpu *this_cpu(void);           not before the boot code has set it
 */
#ifndef HV_ARCH_CPU_H
#define HV_ARCH_CPU_H

#include <arch_inline.h>
#include <hv/types.h>

struct arch_context;
struct cpu;

/* Starts a core by firmware; it arrives in cpu_secondary_main(). */
int __must_check arch_cpu_start(struct cpu *cpu);

/* Waits for an interrupt with interrupts masked; returns with it pending. */
void arch_idle(void);

/* Switches the machine off; `status` 0 is success, for emulators that can tell. */
void __noreturn arch_machine_off(int status);

/* Stops this core for ever, interrupts masked. */
void __noreturn arch_halt(void);

/* Prints a backtrace of the caller by console_panic_write(). */
void arch_backtrace(void);

/* A context that will call fn(arg) on that stack, interrupts on. */
void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg);

/* Saves the caller in *from, continues *to; returns when someone continues *from. */
void arch_context_switch(struct arch_context *from, struct arch_context *to);

/* Drops everything on the stack and calls fn(arg) on it afresh. */
void __noreturn arch_stack_restart(void *stack_top, void (*fn)(void *), void *arg);

/* Nanoseconds since the counter started, the same on all cores; never goes back. */
uint64_t arch_time_ns(void);

/* This core's timer interrupt calls timer_run_expired() at that time; UINT64_MAX: off. */
void arch_timer_set(uint64_t deadline_ns);

#endif
