/* SPDX-License-Identifier: Apache-2.0 */
/* aarch64: exceptions, console, PSCI, timers. */
#include <rt.h>

#include <string.h>

#define UART_DR	  0x00
#define UART_FR	  0x18
#define FR_RXFE	  BIT32(4)
#define FR_TXFF	  BIT32(5)
#define UART_IMSC 0x38
#define UART_ICR  0x44

struct irq_log irq_logs[RT_MAX_CPUS];
void (*irq_hook)(uint32_t irq);

/* ---- Calls ----------------------------------------------------------------------- */

#define CALL(name, instruction)                                                                   \
	uint64_t name(uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3)                         \
	{                                                                                         \
		register uint64_t x0 __asm__("x0") = a0;                                          \
		register uint64_t x1 __asm__("x1") = a1;                                          \
		register uint64_t x2 __asm__("x2") = a2;                                          \
		register uint64_t x3 __asm__("x3") = a3;                                          \
		__asm__ volatile(instruction : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3)::"memory"); \
		return x0;                                                                        \
	}
CALL(hvc_call, "hvc #0")
CALL(smc_call, "smc #0")

bool arch_probe_hv(void)
{
	/* The null hypercall; QEMU's own firmware knows no such function. */
	return hvc_call(2, 0, 0, 0) == 0;
}

int64_t arch_cpu_on(uint64_t hwid, struct rt_cpu *cpu)
{
	return (int64_t)hvc_call(PSCI_CPU_ON, hwid, (uint64_t)secondary_entry, (uint64_t)cpu);
}

bool arch_cpu_is_off(uint64_t hwid)
{
	return hvc_call(PSCI_AFFINITY_INFO, hwid, 0, 0) == 1;
}

void arch_cpu_off(void)
{
	(void)hvc_call(PSCI_CPU_OFF, 0, 0, 0);
	for (;;) {
		wfi();
	}
}

void arch_machine_off(void)
{
	(void)hvc_call(PSCI_SYSTEM_OFF, 0, 0, 0);
	for (;;) {
		wfi();
	}
}

void arch_machine_reset(void)
{
	(void)hvc_call(PSCI_SYSTEM_RESET, 0, 0, 0);
	for (;;) {
		wfi();
	}
}

/* ---- Console --------------------------------------------------------------------- */

void arch_putc(char c)
{
	while ((mmio_read32(UART_BASE + UART_FR) & FR_TXFF) != 0) {
		arch_relax();
	}
	mmio_write32(UART_BASE + UART_DR, (uint8_t)c);
}

int arch_getc(void)
{
	if ((mmio_read32(UART_BASE + UART_FR) & FR_RXFE) != 0) {
		return -1;
	}
	return (int)(mmio_read32(UART_BASE + UART_DR) & 0xff);
}

/* ---- This CPU, start ------------------------------------------------------------- */

struct rt_cpu *rt_this_cpu(void)
{
	return (struct rt_cpu *)read_sysreg(tpidr_el1);
}

uint64_t arch_ticks_per_second(void)
{
	return read_sysreg(cntfrq_el0);
}

void arch_init(void)
{
	if (rt_dtb == NULL) {
		rt_cpus[0].hwid = read_sysreg(mpidr_el1) & UINT64_C(0xff00ffffff);
	}
	gic_find();
}

void arch_before_case(void)
{
	irq_off();
	irq_hook = NULL;
	mmio_write32(UART_BASE + UART_IMSC, 0);
	mmio_write32(UART_BASE + UART_ICR, 0x7ff);
	for (enum timer t = TIMER_VIRT; t <= TIMER_PHYS; t++) {
		timer_set_control(t, 0);
	}
	gic_init();
	memset(irq_logs, 0, sizeof(irq_logs));
}

/* ---- Exceptions ------------------------------------------------------------------ */

void trap(struct trap_frame *f, uint64_t vector);

struct irq_log *irq_log(void)
{
	return &irq_logs[rt_this_cpu()->index];
}

void irq_default(uint32_t irq)
{
	for (enum timer t = TIMER_VIRT; t <= TIMER_PHYS; t++) {
		if (irq == timer_irq(t)) {
			timer_set_control(t, timer_control(t) | TIMER_MASKED);
		}
	}
	gic_end(irq);
}

static void take_irq(void)
{
	struct irq_log *log = irq_log();
	uint32_t irq = gic_ack();

	if (irq >= GIC_MAX_IRQ) {
		return; /* spurious */
	}
	log->when[irq] = rt_ticks();
	if (log->total < ARRAY_SIZE(log->order)) {
		log->order[log->total] = irq;
	}
	log->total++;
	__atomic_store_n(&log->count[irq], log->count[irq] + 1, __ATOMIC_RELEASE);
	if (irq_hook != NULL) {
		irq_hook(irq);
	} else {
		irq_default(irq);
	}
}

void trap(struct trap_frame *f, uint64_t vector)
{
	struct rt_cpu *c = rt_this_cpu();

	if ((vector & 3) == 1) {
		take_irq();
		return;
	}
	if ((vector & 3) != 0 || !c->expecting) {
		rt_fail("exception %llu: ESR %#llx, ELR %#llx, FAR %#llx",
			(unsigned long long)vector, (unsigned long long)f->esr,
			(unsigned long long)f->elr, (unsigned long long)f->far);
	}
	c->fault.count++;
	c->fault.cause = f->esr;
	c->fault.addr = f->far;
	c->fault.pc = f->elr;
	/* A jump to nowhere returns to its caller, everything else goes on behind. */
	f->elr = EC(f->esr) == EC_IABORT ? f->x[30] : f->elr + 4;
}

/* ---- Timers ---------------------------------------------------------------------- */

uint32_t timer_irq(enum timer t)
{
	return t == TIMER_VIRT ? 27 : 30;
}

uint64_t timer_now(enum timer t)
{
	isb();
	return t == TIMER_VIRT ? read_sysreg(cntvct_el0) : read_sysreg(cntpct_el0);
}

void timer_set_deadline(enum timer t, uint64_t deadline)
{
	if (t == TIMER_VIRT) {
		write_sysreg(cntv_cval_el0, deadline);
	} else {
		write_sysreg(cntp_cval_el0, deadline);
	}
	isb();
}

uint64_t timer_deadline(enum timer t)
{
	return t == TIMER_VIRT ? read_sysreg(cntv_cval_el0) : read_sysreg(cntp_cval_el0);
}

void timer_set_relative(enum timer t, int32_t ticks)
{
	if (t == TIMER_VIRT) {
		write_sysreg(cntv_tval_el0, (uint32_t)ticks);
	} else {
		write_sysreg(cntp_tval_el0, (uint32_t)ticks);
	}
	isb();
}

int32_t timer_relative(enum timer t)
{
	return (int32_t)(t == TIMER_VIRT ? read_sysreg(cntv_tval_el0) : read_sysreg(cntp_tval_el0));
}

void timer_set_control(enum timer t, uint64_t ctl)
{
	if (t == TIMER_VIRT) {
		write_sysreg(cntv_ctl_el0, ctl);
	} else {
		write_sysreg(cntp_ctl_el0, ctl);
	}
	isb();
}

uint64_t timer_control(enum timer t)
{
	isb();
	return t == TIMER_VIRT ? read_sysreg(cntv_ctl_el0) : read_sysreg(cntp_ctl_el0);
}

/* ---- Any system register ----------------------------------------------------------- */

static bool run_instruction(uint32_t word, uint64_t *x0)
{
	static uint32_t code[RT_MAX_CPUS][2] __attribute__((aligned(64)));
	uint32_t *at = code[rt_this_cpu()->index];
	struct fault f;

	at[0] = word;
	at[1] = 0xd65f03c0; /* ret */
	__asm__ volatile("dc cvau, %0\n dsb ish\n ic ivau, %0\n dsb ish\n isb" ::"r"(at)
			 : "memory");
	fault_expect();
	*x0 = run_word(at, *x0);
	f = fault_end();
	/* Nothing but "there is no such thing", in the architecture's ways of saying it. */
	if (f.count != 0 && EC(f.cause) != EC_UNKNOWN && EC(f.cause) != EC_SYSREG &&
	    EC(f.cause) != EC_SVE && EC(f.cause) != EC_SME) {
		rt_fail("instruction %#x: ESR %#llx", word, (unsigned long long)f.cause);
	}
	return f.count == 0;
}

bool sysreg_try_read(uint32_t encoding, uint64_t *value)
{
	*value = 0;
	return run_instruction(0xd5200000 | encoding, value);
}

bool sysreg_try_write(uint32_t encoding, uint64_t value)
{
	return run_instruction(0xd5000000 | encoding, &value);
}
