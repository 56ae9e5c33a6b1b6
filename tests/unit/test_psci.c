/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI 1.1 (DEN0022) and SMCCC (DEN0028): what a call asks of core, and its answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "arch/aarch64/psci.h"

#define HIGH UINT64_C(0xdeadbeef00000000)

static uint64_t x[31];
static struct vm_exit e;

/* One call; every register but x0 must stay as it is. */
static bool call(uint64_t fn, uint64_t x1, uint64_t x2, uint64_t x3)
{
	uint64_t before[31];
	bool pending;

	for (uint32_t i = 0; i < 31; i++) {
		x[i] = UINT64_C(0x1111111111111111) * i;
	}
	x[0] = fn;
	x[1] = x1;
	x[2] = x2;
	x[3] = x3;
	memcpy(before, x, sizeof(x));
	memset(&e, 0xa5, sizeof(e));
	pending = psci_call(x, &e);
	if (pending) {
		/* The answer is to come: nothing may be lost until then. */
		assert_memory_equal(x, before, sizeof(x));
	}
	assert_memory_equal(x + 1, before + 1, sizeof(x) - sizeof(x[0]));
	return pending;
}

static int64_t answer(void)
{
	return (int64_t)x[0];
}

static void test_answered(void **state)
{
	(void)state;
	assert_false(call(PSCI_VERSION, 0, 0, 0));
	assert_int_equal(x[0], 0x10001);
	assert_false(call(SMCCC_VERSION, 0, 0, 0));
	assert_int_equal(x[0], 0x10001);
	assert_false(call(PSCI_MIGRATE_TYPE, 0, 0, 0));
	assert_int_equal(x[0], 2);
	/* The function is in w0: what is above does not count. */
	assert_false(call(HIGH | PSCI_VERSION, 0, 0, 0));
	assert_int_equal(x[0], 0x10001);
}

static void test_not_supported(void **state)
{
	static const uint32_t fn[] = {
		PSCI_VERSION | SMCCC_64,
		PSCI_CPU_OFF | SMCCC_64,
		PSCI_SYSTEM_OFF | SMCCC_64,
		PSCI_SYSTEM_RESET | SMCCC_64,
		PSCI_FEATURES | SMCCC_64,
		PSCI_MIGRATE_TYPE | SMCCC_64,
		SMCCC_VERSION | SMCCC_64,
		SMCCC_ARCH_FEATURES | SMCCC_64,
		0x84000005 /* MIGRATE */,
		0x84000007 /* MIGRATE_INFO_UP_CPU */,
		0x8400000b /* CPU_FREEZE */,
		0x8400000e /* SYSTEM_SUSPEND */,
		0xc400000e,
		0x84000011,
		0x84000013 /* MEM_PROTECT */,
		0x80008000 /* ARCH_WORKAROUND_1 */,
		0x84000050 /* TRNG_VERSION */,
		0x86000000,
		0xffffffff,
		0x82000000,
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(fn) / sizeof(fn[0]); i++) {
		assert_false(call(fn[i], 0, 0, 0));
		assert_int_equal(answer(), PSCI_NOT_SUPPORTED);
		assert_false(call(PSCI_FEATURES, fn[i], 0, 0));
		assert_int_equal(answer(), PSCI_NOT_SUPPORTED);
	}
}

static void test_features(void **state)
{
	static const uint32_t fn[] = {
		PSCI_VERSION,
		PSCI_CPU_SUSPEND,
		PSCI_CPU_SUSPEND | SMCCC_64,
		PSCI_CPU_OFF,
		PSCI_CPU_ON,
		PSCI_CPU_ON | SMCCC_64,
		PSCI_AFFINITY_INFO,
		PSCI_AFFINITY_INFO | SMCCC_64,
		PSCI_SYSTEM_OFF,
		PSCI_SYSTEM_RESET,
		PSCI_SYSTEM_RESET2,
		PSCI_SYSTEM_RESET2 | SMCCC_64,
		PSCI_FEATURES,
		SMCCC_VERSION,
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(fn) / sizeof(fn[0]); i++) {
		assert_false(call(PSCI_FEATURES, HIGH | fn[i], 0, 0));
		assert_int_equal(answer(), PSCI_SUCCESS);
	}
	assert_false(call(SMCCC_ARCH_FEATURES, SMCCC_VERSION, 0, 0));
	assert_int_equal(answer(), 0);
	assert_false(call(SMCCC_ARCH_FEATURES, SMCCC_ARCH_FEATURES, 0, 0));
	assert_int_equal(answer(), 0);
	assert_false(call(SMCCC_ARCH_FEATURES, 0x80008000, 0, 0));
	assert_int_equal(answer(), -1);
}

static void test_cpu_on(void **state)
{
	static const struct {
		int result;
		int64_t answer;
	} results[] = {
		{ 0, PSCI_SUCCESS },
		{ -EALREADY, PSCI_ALREADY_ON },
		{ -EINVAL, PSCI_INVALID_PARAMETERS },
		{ -EFAULT, PSCI_INVALID_ADDRESS },
		{ -ECANCELED, PSCI_INTERNAL_FAILURE },
		{ -ENOMEM, PSCI_INTERNAL_FAILURE },
	};

	(void)state;
	assert_true(call(PSCI_CPU_ON | SMCCC_64, 0x1200345678, HIGH | 0x1000, UINT64_MAX));
	assert_int_equal(e.kind, EXIT_CPU_ON);
	assert_int_equal(e.cpu_on.hwid, 0x1200345678);
	assert_int_equal(e.cpu_on.entry, HIGH | 0x1000);
	assert_int_equal(e.cpu_on.arg, UINT64_MAX);
	for (uint32_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		uint64_t was = x[1];

		e.cpu_on.result = results[i].result;
		psci_result(x, &e);
		assert_int_equal(answer(), results[i].answer);
		assert_int_equal(x[1], was);
	}
	/* The 32-bit form sees only the lower halves. */
	assert_true(call(PSCI_CPU_ON, HIGH | 3, HIGH | 0x80001000, HIGH | 0xffffffff));
	assert_int_equal(e.cpu_on.hwid, 3);
	assert_int_equal(e.cpu_on.entry, 0x80001000);
	assert_int_equal(e.cpu_on.arg, 0xffffffff);
	/* Bits of an MPIDR that are no affinity. */
	for (uint32_t bit = 24; bit < 64; bit++) {
		if (bit < 32 || bit >= 40) {
			assert_false(call(PSCI_CPU_ON | SMCCC_64, BIT64(bit), 0, 0));
			assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
		}
	}
	assert_false(call(PSCI_CPU_ON, 0x80000000, 0, 0));
	assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
}

static void test_affinity_info(void **state)
{
	(void)state;
	assert_true(call(PSCI_AFFINITY_INFO | SMCCC_64, 0xff00000102, 0, 0));
	assert_int_equal(e.kind, EXIT_CPU_INFO);
	assert_int_equal(e.cpu_info.hwid, 0xff00000102);
	e.cpu_info.known = true;
	e.cpu_info.on = true;
	psci_result(x, &e);
	assert_int_equal(answer(), 0);
	e.cpu_info.on = false;
	psci_result(x, &e);
	assert_int_equal(answer(), 1);
	e.cpu_info.known = false;
	psci_result(x, &e);
	assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
	assert_true(call(PSCI_AFFINITY_INFO, HIGH | 1, HIGH, 0));
	assert_int_equal(e.cpu_info.hwid, 1);
	/* Only single cores, no clusters (PSCI 1.0 and later may refuse them). */
	assert_false(call(PSCI_AFFINITY_INFO | SMCCC_64, 1, 1, 0));
	assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
	assert_false(call(PSCI_AFFINITY_INFO | SMCCC_64, 1, HIGH, 0));
	assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
	assert_false(call(PSCI_AFFINITY_INFO | SMCCC_64, BIT64(31), 0, 0));
	assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
}

static void test_ends(void **state)
{
	static const struct {
		uint64_t fn;
		enum vm_exit_kind kind;
	} ends[] = {
		{ PSCI_CPU_OFF, EXIT_CPU_OFF },
		{ PSCI_SYSTEM_OFF, EXIT_SYSTEM_OFF },
		{ PSCI_SYSTEM_RESET, EXIT_SYSTEM_RESET },
		{ PSCI_SYSTEM_RESET2, EXIT_SYSTEM_RESET },
		{ PSCI_SYSTEM_RESET2 | SMCCC_64, EXIT_SYSTEM_RESET },
		{ PSCI_CPU_SUSPEND, EXIT_IDLE },
		{ PSCI_CPU_SUSPEND | SMCCC_64, EXIT_IDLE },
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		assert_true(call(ends[i].fn, HIGH, UINT64_MAX, UINT64_MAX));
		assert_int_equal(e.kind, ends[i].kind);
	}
	psci_result(x, &e);
	assert_int_equal(answer(), PSCI_SUCCESS);
	/* Kinds of reset: the architecture has one, the vendor none. */
	assert_false(call(PSCI_SYSTEM_RESET2, 1, 0, 0));
	assert_int_equal(answer(), PSCI_INVALID_PARAMETERS);
	assert_false(call(PSCI_SYSTEM_RESET2 | SMCCC_64, 0x80000000, 0, 0));
	assert_int_equal(answer(), PSCI_NOT_SUPPORTED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answered),      cmocka_unit_test(test_not_supported),
		cmocka_unit_test(test_features),      cmocka_unit_test(test_cpu_on),
		cmocka_unit_test(test_affinity_info), cmocka_unit_test(test_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
