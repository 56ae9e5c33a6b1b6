/* SPDX-License-Identifier: Apache-2.0 */
/* What aarch64 adds to the runtime of the test guests: registers, GIC, timers, PSCI. */
#ifndef ARCH_H
#define ARCH_H

#include <stdbool.h>
#include <stdint.h>

struct trap_frame {
	uint64_t x[31];
	uint64_t elr, spsr, esr, far;
	uint64_t pad;
};

/* DAIF, SCTLR_EL1, CurrentEL at entry, and x0. */
struct entry_state {
	uint64_t daif, sctlr, el, x0;
};
extern struct entry_state entry_state;

#define EC(esr)	     ((esr) >> 26)
#define FSC(esr)     ((esr)&0x3f)
#define EC_UNKNOWN   0x00
#define EC_SYSREG    0x18 /* so a core with FEAT_IDST says of identification registers */
#define EC_SVE	     0x19
#define EC_SME	     0x1d
#define EC_IABORT    0x21
#define EC_DABORT    0x25
#define FSC_EXTERNAL 0x10

/* Where the board has nothing, natively and as a VM. */
#define HOLE UINT64_C(0x0b000000)

#define UART_BASE UINT64_C(0x09000000)
#define UART_IRQ  33
#define RTC_BASE  UINT64_C(0x09010000)

#define read_sysreg(reg)                                                    \
	({                                                                  \
		uint64_t value_;                                            \
		__asm__ volatile("mrs %0, " #reg : "=r"(value_)::"memory"); \
		value_;                                                     \
	})
#define write_sysreg(reg, value) \
	__asm__ volatile("msr " #reg ", %0" ::"r"((uint64_t)(value)) : "memory")

static inline void isb(void)
{
	__asm__ volatile("isb" ::: "memory");
}

static inline void dsb(void)
{
	__asm__ volatile("dsb sy" ::: "memory");
}

static inline void arch_relax(void)
{
	__asm__ volatile("yield" ::: "memory");
}

static inline void wfi(void)
{
	__asm__ volatile("dsb sy\n wfi" ::: "memory");
}

static inline void irq_on(void)
{
	__asm__ volatile("msr daifclr, #2\n isb" ::: "memory");
}

static inline void irq_off(void)
{
	__asm__ volatile("msr daifset, #2\n isb" ::: "memory");
}

static inline uint64_t arch_ticks(void)
{
	isb();
	return read_sysreg(cntvct_el0);
}

#define MMIO_ACCESSORS(bits)                                                     \
	static inline uint##bits##_t mmio_read##bits(uint64_t addr)              \
	{                                                                        \
		return *(volatile uint##bits##_t *)addr;                         \
	}                                                                        \
	static inline void mmio_write##bits(uint64_t addr, uint##bits##_t value) \
	{                                                                        \
		*(volatile uint##bits##_t *)addr = value;                        \
	}
MMIO_ACCESSORS(8)
MMIO_ACCESSORS(16)
MMIO_ACCESSORS(32)
MMIO_ACCESSORS(64)

/* ---- Calls: x0..x3 in, x0 out ---- */
uint64_t hvc_call(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);
uint64_t smc_call(uint64_t x0, uint64_t x1, uint64_t x2, uint64_t x3);
void call_with_registers(uint64_t x[31], bool smc);
uint64_t run_word(const uint32_t *code, uint64_t x0);

#define PSCI_VERSION	   UINT64_C(0x84000000)
#define PSCI_CPU_SUSPEND   UINT64_C(0xc4000001)
#define PSCI_CPU_OFF	   UINT64_C(0x84000002)
#define PSCI_CPU_ON	   UINT64_C(0xc4000003)
#define PSCI_AFFINITY_INFO UINT64_C(0xc4000004)
#define PSCI_MIGRATE_TYPE  UINT64_C(0x84000006)
#define PSCI_SYSTEM_OFF	   UINT64_C(0x84000008)
#define PSCI_SYSTEM_RESET  UINT64_C(0x84000009)
#define PSCI_FEATURES	   UINT64_C(0x8400000a)
#define SMCCC_VERSION	   UINT64_C(0x80000000)
#define SMCCC_FEATURES	   UINT64_C(0x80000001)

#define PSCI_NOT_SUPPORTED   ((uint64_t)-1)
#define PSCI_INVALID	     ((uint64_t)-2)
#define PSCI_ALREADY_ON	     ((uint64_t)-4)
#define PSCI_INVALID_ADDRESS ((uint64_t)-9)

void secondary_entry(void);

/* ---- Floating point: v0..v31, FPSR, FPCR made from a seed ---- */
void fp_fill(uint64_t seed);
uint64_t fp_check(uint64_t seed);
uint64_t fp_or(void);

/* ---- GIC ---- */
#define GIC_SPURIOUS 1023
#define GIC_MAX_IRQ  288 /* as many as are counted */

extern uint32_t gic_version;
extern uint64_t gicd_base, gicc_base, gicr_base;
extern uint32_t gic_irqs; /* INTIDs that the distributor has */

void gic_find(void);	 /* from the device tree, else from the ID register */
void gic_init(void);	 /* the distributor, and this CPU's interface */
void gic_init_cpu(void); /* this CPU's interface */
void gic_enable(uint32_t irq, bool on);
bool gic_is_enabled(uint32_t irq);
void gic_set_pending(uint32_t irq, bool on);
bool gic_is_pending(uint32_t irq);
void gic_set_active(uint32_t irq, bool on);
bool gic_is_active(uint32_t irq);
void gic_set_priority(uint32_t irq, uint32_t priority);
uint32_t gic_priority(uint32_t irq);
void gic_set_edge(uint32_t irq, bool edge);
bool gic_is_edge(uint32_t irq);
void gic_route(uint32_t irq, uint32_t cpu);
void gic_dist_enable(bool on);
void gic_sgi(uint32_t irq, uint32_t cpu);
void gic_sgi_others(uint32_t irq);
uint32_t gic_ack(void); /* the INTID; GIC_SPURIOUS */
void gic_end(uint32_t irq);
void gic_deactivate(uint32_t irq);
void gic_set_mask(uint32_t priority);
void gic_split_eoi(bool on);
uint32_t gic_running_priority(void);
uint32_t gic_highest_pending(void);
void gic_set_binary_point(uint32_t bpr);
/* The register of this CPU for a private interrupt, of the distributor for others. */
uint64_t gic_reg(uint32_t irq, uint64_t offset, uint32_t bits_each);

/* ---- Interrupts taken, by CPU and INTID ---- */
struct irq_log {
	uint32_t count[GIC_MAX_IRQ];
	uint64_t when[GIC_MAX_IRQ]; /* ticks, of the last one */
	uint32_t order[64];	    /* the first ones, in their order */
	uint32_t total;
};
extern struct irq_log irq_logs[];
/* What a case does about an interrupt; the default ends it, and stops a timer's. */
extern void (*irq_hook)(uint32_t irq);
void irq_default(uint32_t irq);
struct irq_log *irq_log(void); /* this CPU's */

/* ---- Timers ---- */
enum timer {
	TIMER_VIRT,
	TIMER_PHYS,
};
#define TIMER_ENABLE  1
#define TIMER_MASKED  2
#define TIMER_ISTATUS 4
uint32_t timer_irq(enum timer t);
uint64_t timer_now(enum timer t);
void timer_set_deadline(enum timer t, uint64_t deadline);
uint64_t timer_deadline(enum timer t);
void timer_set_relative(enum timer t, int32_t ticks);
int32_t timer_relative(enum timer t);
void timer_set_control(enum timer t, uint64_t ctl);
uint64_t timer_control(enum timer t);

/* `mrs x0, reg` and `msr reg, x0` of any encoding, made at run time; false: it faulted. */
bool sysreg_try_read(uint32_t encoding, uint64_t *value);
bool sysreg_try_write(uint32_t encoding, uint64_t value);
/* op0..op2 as in bits 20:5 of the instruction. */
#define SYSREG(op0, op1, crn, crm, op2) \
	((uint32_t)((op0) << 19 | (op1) << 16 | (crn) << 12 | (crm) << 8 | (op2) << 5))

#endif
