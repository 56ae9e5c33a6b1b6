/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One guest does everything it can to get out ("hammer"), another one watches that it
 * does not notice ("sentinel"); and the privileged operations by themselves.
 */
#include <rt.h>

#include <string.h>

/* ---- Every system register ---- */

/* What would end us by its very meaning, or cannot be taken back. */
static bool is_spared(uint32_t op0, uint32_t op1, uint32_t crn, uint32_t crm, uint32_t op2)
{
	if (op0 == 3 && op1 == 0) {
		/* SCTLR, CPACR, TTBR, TCR, SPSR, ELR, SP, VBAR, TPIDR_EL1, PMR, IAR, ... */
		return crn == 1 || crn == 2 || crn == 4 || crn == 12 || (crn == 13 && op2 == 4);
	}
	(void)crm;
	return op0 == 3 && op1 == 3 && crn == 4; /* NZCV, DAIF, FPCR, SPSel, ... */
}

static uint32_t sweep_sysregs(bool write)
{
	uint32_t there = 0;
	uint64_t value;

	for (uint32_t n = 0; n < 2 * 8 * 16 * 16 * 8; n++) {
		uint32_t op0 = 2 + (n >> 14), op1 = n >> 11 & 7, crn = n >> 7 & 15;
		uint32_t crm = n >> 3 & 15, op2 = n & 7;
		uint32_t reg = SYSREG(op0, op1, crn, crm, op2);

		/* Debug: one of eight; they are all alike. */
		if (op0 == 2 && crm % 8 != 0 && op2 % 4 != 0) {
			continue;
		}
		if (sysreg_try_read(reg, &value)) {
			there++;
			if (write && !is_spared(op0, op1, crn, crm, op2)) {
				(void)sysreg_try_write(reg, value);
			}
		} else if (write) {
			/* Write-only, or not there at all; not an SGI to everybody. */
			(void)sysreg_try_write(reg, 0);
			if (crn != 12 && crn != 4) {
				(void)sysreg_try_write(reg, UINT64_MAX);
			}
		}
	}
	return there;
}

CASE(priv_sysreg_read, "priv.sysreg_read", 0)
{
	/* At least what Armv8.0 has at EL1. */
	CHECK(sweep_sysregs(false) > 60);
}

CASE(priv_sysreg_write, "priv.sysreg_write", CASE_HV)
{
	(void)sweep_sysregs(true);
	arch_before_case();
}

/* Cache, TLB and address-translation instructions of every encoding (op0 = 1). */
CASE(priv_sys_instructions, "priv.sys_instructions", CASE_HV)
{
	static uint8_t line[2048] __attribute__((aligned(2048)));

	for (uint32_t n = 0; n < 8 * 16 * 16 * 8; n++) {
		uint32_t crn = n >> 7 & 15;

		if (crn < 7 || crn == 9 || crn == 10 || crn > 12) {
			if (n % 8 != 0) {
				continue;
			}
		}
		(void)sysreg_try_write(SYSREG(1, n >> 11, crn, n >> 3 & 15, n & 7), (uint64_t)line);
	}
}

/* Registers of EL2 and EL3, named: undefined. */
CASE(priv_el2, "priv.el2", CASE_HV)
{
	static const uint32_t el2[] = {
		SYSREG(3, 4, 1, 0, 0),	 /* SCTLR_EL2 */
		SYSREG(3, 4, 1, 1, 0),	 /* HCR_EL2 */
		SYSREG(3, 4, 2, 1, 0),	 /* VTTBR_EL2 */
		SYSREG(3, 4, 12, 0, 0),	 /* VBAR_EL2 */
		SYSREG(3, 4, 14, 0, 3),	 /* CNTVOFF_EL2 */
		SYSREG(3, 4, 14, 1, 0),	 /* CNTHCTL_EL2 */
		SYSREG(3, 4, 12, 11, 0), /* ICH_HCR_EL2 */
		SYSREG(3, 5, 1, 0, 0),	 /* SCTLR_EL12 */
		SYSREG(3, 6, 1, 1, 0),	 /* SCR_EL3 */
		SYSREG(3, 0, 1, 2, 0),	 /* ZCR_EL1 */
	};
	uint64_t value;

	for (size_t i = 0; i < ARRAY_SIZE(el2); i++) {
		CHECK(!sysreg_try_read(el2[i], &value));
		CHECK(!sysreg_try_write(el2[i], 0));
	}
}

/* Instructions that are nobody's, and an exception return to EL2. */
CASE(priv_instructions, "priv.instructions", CASE_HV)
{
	static const uint32_t words[] = {
		0x00000000, /* udf */
		0xd4c00001, /* dcps1 at EL1: undefined outside debug state */
		0xd4c00002, /* dcps2 */
		0xd6bf03e0, /* drps */
		0xd4200000, /* brk, see below */
		0xd4400000, /* hlt */
		0x04bf5000, /* rdvl: SVE */
		0xd503477f, /* smstart: SME */
		0xd9600020, /* ldg: MTE */
	};
	static uint32_t code[2];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct fault f;

		code[0] = words[i];
		code[1] = 0xd65f03c0;
		__asm__ volatile("dsb sy\n ic iallu\n dsb sy\n isb" ::: "memory");
		fault_expect();
		(void)run_word(code, (uint64_t)code);
		f = fault_end();
		CHECK_EQ(f.count, 1);
	}
}

/* ---- The hammer ---- */

static uint64_t aborted, answered;

static bool is_mine(uint64_t at)
{
	/* Memory, and the devices of the board in their range. */
	return (at >= rt_ram_base && at < rt_ram_base + rt_ram_size) ||
	       (at >= 0x08000000 && at < 0x0a200000);
}

static void strike(uint64_t at)
{
	struct fault f;

	if (is_mine(at)) {
		return;
	}
	fault_expect();
	(void)mmio_read64(at);
	mmio_write64(at, UINT64_C(0x4242424242424242));
	f = fault_end();
	aborted += f.count;
	answered += 2 - f.count;
}

static void strike_range(uint64_t from, uint64_t to, uint64_t step)
{
	for (uint64_t at = from; at < to; at += step) {
		strike(at);
	}
}

static void hammer_addresses(void)
{
	/* Pages below memory one by one, then ever coarser; odd pages of each block. */
	strike_range(0, 16 * MiB, 4096);
	strike_range(16 * MiB, 4 * GiB, 2 * MiB + 4096);
	strike_range(4 * GiB, UINT64_C(1) << 37, 64 * MiB + 4096);
	strike_range(UINT64_C(1) << 37, UINT64_C(1) << 40, GiB + 4096);
	strike_range(UINT64_C(1) << 40, UINT64_C(1) << 48, UINT64_C(1) << 38);
}

static void hammer_calls(void)
{
	for (uint64_t n = 0; n < 3000; n++) {
		uint64_t fn = UINT64_C(0x84000000) + n % 64 + (n / 64 % 2 << 30);

		/* Not suspend (nothing would wake us), off, reset or another CPU's start. */
		if (n % 64 != 1 && n % 64 != 2 && n % 64 != 3 && n % 64 != 8 && n % 64 != 9 &&
		    n % 64 != 18) {
			(void)hvc_call(fn, n * 0x123456789, ~n, n);
			(void)smc_call(fn, ~n, n << 40, n);
		}
		(void)hvc_call(n, UINT64_MAX - n, n << 33, HOLE);
		(void)hvc_call(n << 20, rt_ram_base - 4, rt_ram_base + rt_ram_size - 4, 0);
	}
}

CASE(hammer, "hammer", CASE_MANUAL | CASE_HV)
{
	rt_printf("hammer starts\n");
	hammer_addresses();
	rt_printf("hammer: %llu accesses aborted, %llu answered\n", (unsigned long long)aborted,
		  (unsigned long long)answered);
	CHECK_EQ(answered, 0);
	(void)sweep_sysregs(true);
	arch_before_case();
	hammer_calls();
	rt_printf("hammer ends\n");
}

/* ---- The sentinel ---- */

#define WATCHED	   (2 * MiB)
#define TICK_MS	   10
#define SENTINEL_S 8

static uint64_t watched[WATCHED / 8] __attribute__((aligned(4096)));
static uint64_t due, worst;
static uint32_t beats;

static void heartbeat(uint32_t irq)
{
	uint64_t now = rt_ticks();

	CHECK(now >= due);
	worst = now - due > worst ? now - due : worst;
	beats++;
	due += rt_ms(TICK_MS);
	while (due <= now) {
		due += rt_ms(TICK_MS); /* a missed beat shows in `worst` */
	}
	timer_set_deadline(TIMER_VIRT, due);
	gic_end(irq);
}

/* For some seconds its memory stays what it wrote, and its timer ticks. */
CASE(sentinel, "sentinel", CASE_MANUAL)
{
	uint64_t end, seed = fp_or() + 0x9e3779b97f4a7c15;

	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		watched[i] = seed ^ i * 0x0101010101010101;
	}
	worst = 0;
	beats = 0;
	irq_hook = heartbeat;
	gic_enable(27, true);
	due = rt_ticks() + rt_ms(TICK_MS);
	timer_set_deadline(TIMER_VIRT, due);
	timer_set_control(TIMER_VIRT, TIMER_ENABLE);
	fp_fill(seed);
	rt_printf("sentinel watches\n");
	end = rt_ticks() + rt_ms(SENTINEL_S * 1000);
	irq_on();
	for (size_t i = 0; rt_ticks() < end; i = (i + 1) % ARRAY_SIZE(watched)) {
		CHECK_EQ(watched[i], seed ^ i * 0x0101010101010101);
		if (i % 4096 == 0) {
			CHECK_EQ(fp_check(seed), 0);
			wfi();
		}
	}
	irq_off();
	for (size_t i = 0; i < ARRAY_SIZE(watched); i++) {
		CHECK_EQ(watched[i], seed ^ i * 0x0101010101010101);
	}
	rt_printf("sentinel: %u beats of %u, latest by %llu us\n", beats,
		  SENTINEL_S * 1000 / TICK_MS,
		  (unsigned long long)(worst * 1000000 / arch_ticks_per_second()));
}
