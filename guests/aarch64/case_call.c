/* SPDX-License-Identifier: Apache-2.0 */
/* Calls to the hypervisor and to the firmware: PSCI (DEN0022), SMCCC (DEN0028). */
#include <rt.h>

static uint64_t buffer[4];

CASE(hvc_calls, "hvc.calls", CASE_HV)
{
	static const uint64_t unknown[] = { 8, 9, 15, 255, 0x7fffffff, 0x12345678 };

	CHECK((int64_t)hvc_call(0, 0, 0, 0) < 0);
	CHECK((int64_t)hvc_call(1, 0, 0, 0) < 0);
	CHECK_EQ(hvc_call(2, 0, 0, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		CHECK((int64_t)hvc_call(unknown[i], 2, 3, 3) < 0);
	}
	/* The number is all 64 bits of x0. */
	CHECK((int64_t)hvc_call(UINT64_C(0x100000002), 0, 0, 0) < 0);
}

/* Pointers to nothing, to devices, past the end: the call fails and writes nothing. */
CASE(hvc_pointers, "hvc.pointers", CASE_HV)
{
	uint64_t end = rt_ram_base + rt_ram_size;
	const uint64_t bad[] = {
		0,	  3,	      HOLE,	      UART_BASE,	 end,
		end - 4,  UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 47, UINT64_C(1) << 63,
		gicd_base
	};
	uint64_t before = 0x1122334455667788;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		buffer[0] = before;
		CHECK((int64_t)hvc_call(3, 1, bad[i], (uint64_t)buffer) < 0);
		CHECK((int64_t)hvc_call(3, 1, (uint64_t)buffer, bad[i]) < 0);
		CHECK((int64_t)hvc_call(4, 1, 2, bad[i]) < 0);
		CHECK((int64_t)hvc_call(5, bad[i], bad[i], bad[i]) < 0);
		CHECK((int64_t)hvc_call(6, bad[i], bad[i], bad[i]) < 0);
		CHECK((int64_t)hvc_call(7, bad[i], bad[i], bad[i]) < 0);
		CHECK_EQ(buffer[0], before);
		if (bad[i] == end - 4) {
			CHECK_EQ(*(volatile uint32_t *)bad[i], 0);
		}
	}
}

static void check_registers(uint64_t fn, uint64_t a1, bool smc)
{
	uint64_t x[31];

	for (uint64_t i = 0; i < 31; i++) {
		x[i] = UINT64_C(0xabcd000000000000) + i;
	}
	x[0] = fn;
	x[1] = a1;
	call_with_registers(x, smc);
	/* x0 to x3 are results; SMCCC 1.1 keeps all others. */
	for (uint64_t i = 4; i < 31; i++) {
		if (x[i] != UINT64_C(0xabcd000000000000) + i) {
			rt_fail("%s %#llx changed x%u to %#llx", smc ? "smc" : "hvc",
				(unsigned long long)fn, (unsigned)i, (unsigned long long)x[i]);
		}
	}
}

CASE(hvc_registers, "hvc.registers", CASE_HV)
{
	static const uint64_t calls[] = { 0,
					  2,
					  3,
					  99,
					  PSCI_VERSION,
					  PSCI_FEATURES,
					  0x8400ffff,
					  SMCCC_VERSION,
					  PSCI_AFFINITY_INFO };

	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		check_registers(calls[i], 0, false);
		check_registers(calls[i], 0, true);
	}
}

#define HVC(imm) 0xd4000002U | (uint32_t)(imm) << 5
#define SMC(imm) 0xd4000003U | (uint32_t)(imm) << 5

/* Immediates other than 0 are nobody's: an error, and life goes on behind the call. */
CASE(hvc_immediates, "hvc.immediates", CASE_HV)
{
	static const uint32_t words[] = { HVC(1), HVC(0x1234), HVC(0xffff),
					  SMC(1), SMC(0x4a48), SMC(0xffff) };
	static uint32_t code[2];

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		code[0] = words[i];
		code[1] = 0xd65f03c0;
		__asm__ volatile("ic iallu\n dsb sy\n isb" ::: "memory");
		CHECK_EQ(run_word(code, PSCI_VERSION), UINT64_MAX);
	}
}

CASE(psci_version, "psci.version", 0)
{
	uint64_t version = hvc_call(PSCI_VERSION, 0, 0, 0);

	CHECK(version >= 0x10000 && version < 0x20000);
	CHECK_EQ(hvc_call(PSCI_MIGRATE_TYPE, 0, 0, 0), 2);
	CHECK_EQ(hvc_call(0x8400ffff, 0, 0, 0), PSCI_NOT_SUPPORTED);
	CHECK_EQ(hvc_call(0xc4ff0000, 0, 0, 0), PSCI_NOT_SUPPORTED);
	CHECK_EQ(hvc_call(0x86000000, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

CASE(psci_features, "psci.features", CASE_HV)
{
	static const uint64_t served[] = { PSCI_VERSION,    PSCI_CPU_SUSPEND,	PSCI_CPU_OFF,
					   PSCI_CPU_ON,	    PSCI_AFFINITY_INFO, PSCI_MIGRATE_TYPE,
					   PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET,	PSCI_FEATURES,
					   SMCCC_VERSION };

	for (size_t i = 0; i < ARRAY_SIZE(served); i++) {
		CHECK((int64_t)hvc_call(PSCI_FEATURES, served[i], 0, 0) >= 0);
	}
	CHECK_EQ(hvc_call(PSCI_FEATURES, 0x8400ffff, 0, 0), PSCI_NOT_SUPPORTED);
	CHECK_EQ(hvc_call(PSCI_FEATURES, 2, 0, 0), PSCI_NOT_SUPPORTED);
	CHECK(hvc_call(SMCCC_VERSION, 0, 0, 0) >= 0x10001);
	CHECK_EQ(hvc_call(SMCCC_FEATURES, SMCCC_VERSION, 0, 0), 0);
	CHECK_EQ(hvc_call(SMCCC_FEATURES, 0x8000ffff, 0, 0), PSCI_NOT_SUPPORTED);
	/* The vendor's and other owners' calls: none. */
	for (uint64_t owner = 1; owner < 64; owner++) {
		if (owner != 4) {
			CHECK_EQ(hvc_call(UINT64_C(0x80000000) | owner << 24, 0, 0, 0),
				 PSCI_NOT_SUPPORTED);
		}
	}
}

/* The other conduit says the same. */
CASE(psci_smc, "psci.smc", CASE_HV)
{
	CHECK_EQ(smc_call(PSCI_VERSION, 0, 0, 0), hvc_call(PSCI_VERSION, 0, 0, 0));
	CHECK_EQ(smc_call(PSCI_AFFINITY_INFO, rt_cpus[0].hwid, 0, 0), 0);
	CHECK_EQ(smc_call(0x8400ffff, 0, 0, 0), PSCI_NOT_SUPPORTED);
}

CASE(psci_errors, "psci.errors", CASE_HV)
{
	uint64_t entry = (uint64_t)secondary_entry;
	uint64_t stranger = UINT64_C(0x7e);

	CHECK_EQ(hvc_call(PSCI_CPU_ON, stranger, entry, 0), PSCI_INVALID);
	CHECK_EQ(hvc_call(PSCI_CPU_ON, BIT64(31), entry, 0), PSCI_INVALID);
	CHECK_EQ(hvc_call(PSCI_CPU_ON, UINT64_MAX, entry, 0), PSCI_INVALID);
	CHECK_EQ(hvc_call(PSCI_CPU_ON, rt_cpus[0].hwid, entry, 0), PSCI_ALREADY_ON);
	CHECK_EQ(hvc_call(PSCI_AFFINITY_INFO, rt_cpus[0].hwid, 0, 0), 0);
	CHECK_EQ(hvc_call(PSCI_AFFINITY_INFO, stranger, 0, 0), PSCI_INVALID);
	CHECK_EQ(hvc_call(PSCI_AFFINITY_INFO, 0, 77, 0), PSCI_INVALID);
}

CASE(psci_bad_entry, "psci.bad_entry", CASE_HV | CASE_SMP)
{
	uint64_t id = rt_cpus[1].hwid;

	CHECK_EQ(hvc_call(PSCI_CPU_ON, id, HOLE, 0), PSCI_INVALID_ADDRESS);
	CHECK_EQ(hvc_call(PSCI_CPU_ON, id, UART_BASE, 0), PSCI_INVALID_ADDRESS);
	CHECK_EQ(hvc_call(PSCI_CPU_ON, id, UINT64_MAX & ~UINT64_C(3), 0), PSCI_INVALID_ADDRESS);
	CHECK(arch_cpu_is_off(id));
}

static uint32_t go, runs;

static void wait_until_told(void *arg)
{
	(void)arg;
	__atomic_store_n(&runs, 1, __ATOMIC_RELEASE);
	CHECK(WAIT_FOR(__atomic_load_n(&go, __ATOMIC_ACQUIRE) != 0, 5000));
}

CASE(psci_already_on, "psci.already_on", CASE_SMP)
{
	go = 0;
	runs = 0;
	rt_cpu_start(1, wait_until_told, NULL);
	/* QEMU's own firmware says so only then. */
	CHECK(WAIT_FOR(__atomic_load_n(&runs, __ATOMIC_ACQUIRE) != 0, 5000));
	CHECK_EQ(hvc_call(PSCI_CPU_ON, rt_cpus[1].hwid, (uint64_t)secondary_entry, 0),
		 PSCI_ALREADY_ON);
	CHECK_EQ(hvc_call(PSCI_AFFINITY_INFO, rt_cpus[1].hwid, 0, 0), 0);
	__atomic_store_n(&go, 1, __ATOMIC_RELEASE);
	rt_cpu_join(1);
}

/* A standby state: comes back with an interrupt. */
CASE(psci_suspend, "psci.suspend", CASE_HV)
{
	gic_enable(timer_irq(TIMER_VIRT), true);
	timer_set_deadline(TIMER_VIRT, rt_ticks() + rt_ms(5));
	timer_set_control(TIMER_VIRT, TIMER_ENABLE);
	uint64_t start = rt_ticks();
	while ((timer_control(TIMER_VIRT) & TIMER_ISTATUS) == 0) {
		CHECK_EQ(hvc_call(PSCI_CPU_SUSPEND, 0, 0, 0), 0);
		CHECK(rt_ticks() - start < rt_ms(2000));
	}
}
