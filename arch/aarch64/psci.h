/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PSCI 1.1 (DEN0022) and SMCCC 1.1 (DEN0028) as guests call them, by hvc or smc.
 * Pure: a call is turned into a vm_exit, or answered at once.
 */
#ifndef AARCH64_PSCI_H
#define AARCH64_PSCI_H

#include <hv/types.h>
#include <hv/vm_exit.h>

#define PSCI_VERSION	    UINT32_C(0x84000000)
#define PSCI_CPU_SUSPEND    UINT32_C(0x84000001)
#define PSCI_CPU_OFF	    UINT32_C(0x84000002)
#define PSCI_CPU_ON	    UINT32_C(0x84000003)
#define PSCI_AFFINITY_INFO  UINT32_C(0x84000004)
#define PSCI_MIGRATE_TYPE   UINT32_C(0x84000006)
#define PSCI_SYSTEM_OFF	    UINT32_C(0x84000008)
#define PSCI_SYSTEM_RESET   UINT32_C(0x84000009)
#define PSCI_FEATURES	    UINT32_C(0x8400000a)
#define PSCI_SYSTEM_RESET2  UINT32_C(0x84000012)
#define SMCCC_VERSION	    UINT32_C(0x80000000)
#define SMCCC_ARCH_FEATURES UINT32_C(0x80000001)
#define SMCCC_FAST	    BIT32(31)
#define SMCCC_64	    BIT32(30)

#define PSCI_1_1  UINT64_C(0x10001)
#define SMCCC_1_1 UINT64_C(0x10001)

/* DEN0022 5.2.2; negative numbers as a register holds them. */
enum psci_error {
	PSCI_SUCCESS = 0,
	PSCI_NOT_SUPPORTED = -1,
	PSCI_INVALID_PARAMETERS = -2,
	PSCI_DENIED = -3,
	PSCI_ALREADY_ON = -4,
	PSCI_INTERNAL_FAILURE = -6,
	PSCI_INVALID_ADDRESS = -9,
};

/* The affinity fields of an MPIDR; CPU_ON refuses any other bit. */
#define MPIDR_AFFINITY UINT64_C(0xff00ffffff)

/*
 * One call with the arguments x[0..3].  True: *e holds what core is to do, and
 * psci_result() puts the answer into x[0].  False: x[0] is the answer already.
 * Registers from x[4] on are never touched.
 */
bool psci_call(uint64_t *x, struct vm_exit *e);

void psci_result(uint64_t *x, const struct vm_exit *e);

#endif
