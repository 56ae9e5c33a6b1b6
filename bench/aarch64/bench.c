/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench guest: counts the instructions that the hypervisor takes for what guests
 * do all the time (docs/performance.md), and prints
 *
 *     BENCH <row> <instructions>
 *
 * Under QEMU's `-icount shift=0` an instruction takes 1 ns, and CNTVCT counts 62.5 MHz:
 * a tick is 16 instructions.  Rows are taken over many turns, without the loop.
 */
#include <stdint.h>

#define TURNS	    1024
#define INSN_A_TICK 16
#define HZ	    62500000 /* of the counter, then */

#define GICD UINT64_C(0x08000000)
#define GICR UINT64_C(0x080a0000)
#define UART UINT64_C(0x09000000)

#define GICD_TYPER	0x04
#define GICD_ISENABLER1 0x104
#define GICD_ICENABLER1 0x184
#define GICR_WAKER	0x14
#define GICR_FRAME	0x20000
#define GICR_ISENABLER0 0x10100
#define UART_DR		0x00
#define UART_FR		0x18

#define SGI_PING 0
#define SGI_STOP 1
#define TIMER	 27

#define PSCI_CPU_ON	0xc4000003
#define PSCI_SYSTEM_OFF 0x84000008

enum mode { SOLO, PAIR }; /* entry.S */

typedef void op_fn(void);
op_fn op_nothing, op_psci_version, op_hypercall, op_read, op_read_bits, op_read_uart, op_write_bits,
	op_sgi, op_pingpong;

uint64_t op_call(op_fn *op, uint64_t n, uint64_t x1, uint64_t x2, uint64_t x3);
uint64_t op_deadline_busy(uint64_t cval, uint64_t nops);
uint64_t op_deadline_wfi(uint64_t cval, uint64_t nops);
void pong(uint64_t sgi1r);
void second_entry(void);

void bench_main(uint64_t mode, uint64_t started) __attribute__((noreturn));
void bench_second(void) __attribute__((noreturn));
void bench_fault(uint64_t kind, uint64_t esr, uint64_t elr, uint64_t far) __attribute__((noreturn));

#define read_sysreg(reg)                                      \
	({                                                    \
		uint64_t v_;                                  \
		__asm__ volatile("mrs %0, " #reg : "=r"(v_)); \
		v_;                                           \
	})
#define write_sysreg(reg, value) \
	__asm__ volatile("msr " #reg ", %0\n\tisb" ::"r"((uint64_t)(value)) : "memory")

static volatile uint32_t *reg32(uint64_t addr)
{
	return (volatile uint32_t *)addr;
}

/* ---- Output and the firmware ------------------------------------------------------- */

static void put(char c)
{
	while ((*reg32(UART + UART_FR) & 0x20) != 0) {
	}
	*reg32(UART + UART_DR) = (uint8_t)c;
}

static void put_text(const char *s)
{
	for (; *s != '\0'; s++) {
		put(*s);
	}
}

static void put_number(uint64_t n)
{
	char text[20];
	unsigned at = sizeof(text);

	do {
		text[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n != 0);
	while (at < sizeof(text)) {
		put(text[at++]);
	}
}

static void report(const char *row, uint64_t instructions)
{
	put_text("BENCH ");
	put_text(row);
	put(' ');
	put_number(instructions);
	put_text("\r\n");
}

static uint64_t psci(uint64_t fn, uint64_t a, uint64_t b, uint64_t c)
{
	register uint64_t x0 __asm__("x0") = fn;
	register uint64_t x1 __asm__("x1") = a;
	register uint64_t x2 __asm__("x2") = b;
	register uint64_t x3 __asm__("x3") = c;

	__asm__ volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
}

static void __attribute__((noreturn)) end(void)
{
	for (;;) {
		(void)psci(PSCI_SYSTEM_OFF, 0, 0, 0);
	}
}

void bench_fault(uint64_t kind, uint64_t esr, uint64_t elr, uint64_t far)
{
	put_text("bench: exception of kind, ESR, ELR, FAR: ");
	put_number(kind);
	put(' ');
	put_number(esr);
	put(' ');
	put_number(elr);
	put(' ');
	put_number(far);
	put_text("\r\n");
	end();
}

/* ---- The interrupt controller ------------------------------------------------------- */

static void gic_start(uint64_t vcpu)
{
	uint64_t redist = GICR + vcpu * GICR_FRAME;

	*reg32(GICD) = 0x12; /* affinity routing, group 1 */
	*reg32(redist + GICR_WAKER) = 0;
	*reg32(redist + GICR_ISENABLER0) = 1U << SGI_PING | 1U << SGI_STOP | 1U << TIMER;
	write_sysreg(S3_0_C12_C12_5, 1);  /* ICC_SRE_EL1 */
	write_sysreg(S3_0_C4_C6_0, 0xff); /* ICC_PMR_EL1 */
	write_sysreg(S3_0_C12_C12_7, 1);  /* ICC_IGRPEN1_EL1 */
}

/* What ICC_SGI1R_EL1 takes to send an SGI to a vCPU; affinity 0 is its number. */
static uint64_t sgi1r(uint64_t sgi, uint64_t vcpu)
{
	return sgi << 24 | UINT64_C(1) << vcpu;
}

/* ---- Rows --------------------------------------------------------------------------- */

/* Instructions for one turn of an op. */
static uint64_t count(op_fn *op, uint64_t x1, uint64_t x2, uint64_t x3)
{
	uint64_t nothing;
	uint64_t ticks;

	(void)op_call(op, 16, x1, x2, x3); /* what is done once is done now */
	nothing = op_call(op_nothing, TURNS, x1, x2, x3);
	ticks = op_call(op, TURNS, x1, x2, x3);
	return ((ticks - nothing) * INSN_A_TICK + TURNS / 2) / TURNS;
}

/*
 * From the timer's deadline, which is at the start of a tick, to the first instruction
 * of the handler: read after 0, 1, .. 15 more instructions, the ticks sum up to the
 * instructions themselves, for floor((n + k) / 16) summed over k = 0..15 is n.
 */
static uint64_t count_deadline(uint64_t (*op)(uint64_t cval, uint64_t nops))
{
	uint64_t sum = 0;

	for (uint64_t k = 0; k < 2 * INSN_A_TICK; k++) {
		uint64_t at = read_sysreg(cntvct_el0) + HZ / 1000;
		uint64_t seen = op(at, k % INSN_A_TICK);

		if (k >= INSN_A_TICK) {
			sum += seen - at;
		}
	}
	/* The two branches to where it is read. */
	return sum - 2;
}

static void solo(void)
{
	const uint32_t spi = 1U << 8;

	report("psci-version", count(op_psci_version, 0, 0, 0));
	report("hypercall", count(op_hypercall, 0, 0, 0));
	report("gicd-typer-read", count(op_read, GICD + GICD_TYPER, 0, 0));
	report("gicd-isenabler-read", count(op_read_bits, GICD + GICD_ISENABLER1, 0, 0));
	/* One that sets and one that clears, each of which changes something. */
	report("gicd-isenabler-write",
	       count(op_write_bits, GICD + GICD_ISENABLER1, GICD + GICD_ICENABLER1, spi) / 2);
	report("uart-read", count(op_read_uart, UART + UART_FR, 0, 0));
	/* Without the handler, with its vector and its return: five. */
	report("sgi-self", count(op_sgi, sgi1r(SGI_PING, 0), 0, 0) - 5);
	report("timer-busy", count_deadline(op_deadline_busy));
	report("timer-wfi", count_deadline(op_deadline_wfi));
}

static volatile uint32_t second_is_ready;

void bench_second(void)
{
	gic_start(1);
	second_is_ready = 1;
	pong(sgi1r(SGI_PING, 0));
	/* From now on it wants its core all the time. */
	second_is_ready = 0;
	for (;;) {
		__asm__ volatile("yield");
	}
}

static void wait_for_second(uint32_t ready)
{
	while (second_is_ready != ready) {
		__asm__ volatile("yield");
	}
}

static void pair(void)
{
	if (psci(PSCI_CPU_ON, 1, (uint64_t)second_entry, 0) != 0) {
		put_text("bench: there is no second vCPU\r\n");
		return;
	}
	wait_for_second(1);
	report("pingpong", count(op_pingpong, sgi1r(SGI_PING, 1), 0, 0));
	write_sysreg(S3_0_C12_C11_5, sgi1r(SGI_STOP, 1));
	wait_for_second(0);
	report("timer-wfi-shared", count_deadline(op_deadline_wfi));
}

void bench_main(uint64_t mode, uint64_t started)
{
	report("boot", started * INSN_A_TICK);
	gic_start(0);
	if (mode == SOLO) {
		solo();
	} else {
		pair();
	}
	put_text("BENCH end\r\n");
	end();
}
