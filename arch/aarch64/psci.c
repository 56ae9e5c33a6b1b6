/* SPDX-License-Identifier: Apache-2.0 */
/* PSCI and SMCCC calls of guests; see psci.h. */
#include "psci.h"

#include <errno.h>

static uint64_t ret(enum psci_error e)
{
	return (uint64_t)(int64_t)e;
}

/* SMC32 and SMC64 forms that are served. */
static bool is_served(uint32_t fn)
{
	switch (fn) {
	case PSCI_VERSION:
	case PSCI_CPU_SUSPEND:
	case PSCI_CPU_SUSPEND | SMCCC_64:
	case PSCI_CPU_OFF:
	case PSCI_CPU_ON:
	case PSCI_CPU_ON | SMCCC_64:
	case PSCI_AFFINITY_INFO:
	case PSCI_AFFINITY_INFO | SMCCC_64:
	case PSCI_MIGRATE_TYPE:
	case PSCI_SYSTEM_OFF:
	case PSCI_SYSTEM_RESET:
	case PSCI_SYSTEM_RESET2:
	case PSCI_SYSTEM_RESET2 | SMCCC_64:
	case PSCI_FEATURES:
	case SMCCC_VERSION:
		return true;
	default:
		return false;
	}
}

/* SYSTEM_RESET2: 0 is SYSTEM_WARM_RESET, vendor resets have bit 31 (DEN0022 5.13). */
static bool reset2(uint64_t *x, uint32_t type, struct vm_exit *e)
{
	if (type != 0) {
		x[0] = ret((type & BIT32(31)) != 0 ? PSCI_NOT_SUPPORTED : PSCI_INVALID_PARAMETERS);
		return false;
	}
	e->kind = EXIT_SYSTEM_RESET;
	return true;
}

static bool affinity_info(uint64_t *x, uint64_t target, uint64_t level, struct vm_exit *e)
{
	if (level != 0 || (target & ~MPIDR_AFFINITY) != 0) {
		x[0] = ret(PSCI_INVALID_PARAMETERS);
		return false;
	}
	e->kind = EXIT_CPU_INFO;
	e->cpu_info.hwid = target;
	return true;
}

static bool cpu_on(uint64_t *x, uint64_t mask, struct vm_exit *e)
{
	uint64_t target = x[1] & mask;

	if ((target & ~MPIDR_AFFINITY) != 0) {
		x[0] = ret(PSCI_INVALID_PARAMETERS);
		return false;
	}
	e->kind = EXIT_CPU_ON;
	e->cpu_on.hwid = target;
	e->cpu_on.entry = x[2] & mask;
	e->cpu_on.arg = x[3] & mask;
	return true;
}

bool psci_call(uint64_t *x, struct vm_exit *e)
{
	uint32_t fn = (uint32_t)x[0];
	uint64_t mask = (fn & SMCCC_64) != 0 ? UINT64_MAX : UINT32_MAX;

	if (!is_served(fn) && fn != SMCCC_ARCH_FEATURES) {
		x[0] = ret(PSCI_NOT_SUPPORTED);
		return false;
	}
	switch (fn & ~SMCCC_64) {
	case PSCI_VERSION:
		x[0] = PSCI_1_1;
		return false;
	case SMCCC_VERSION:
		x[0] = SMCCC_1_1;
		return false;
	case PSCI_MIGRATE_TYPE:
		x[0] = 2; /* no trusted OS, so no migration */
		return false;
	case PSCI_FEATURES:
		x[0] = ret(is_served((uint32_t)x[1]) ? PSCI_SUCCESS : PSCI_NOT_SUPPORTED);
		return false;
	case SMCCC_ARCH_FEATURES:
		x[0] = ret((uint32_t)x[1] == SMCCC_VERSION || (uint32_t)x[1] == SMCCC_ARCH_FEATURES
				   ? PSCI_SUCCESS
				   : PSCI_NOT_SUPPORTED);
		return false;
	case PSCI_CPU_SUSPEND:
		/* A standby state is a valid answer to any power state (DEN0022 5.4.1). */
		e->kind = EXIT_IDLE;
		return true;
	case PSCI_CPU_OFF:
		e->kind = EXIT_CPU_OFF;
		return true;
	case PSCI_CPU_ON:
		return cpu_on(x, mask, e);
	case PSCI_AFFINITY_INFO:
		return affinity_info(x, x[1] & mask, x[2] & mask, e);
	case PSCI_SYSTEM_OFF:
		e->kind = EXIT_SYSTEM_OFF;
		return true;
	case PSCI_SYSTEM_RESET:
		e->kind = EXIT_SYSTEM_RESET;
		return true;
	default: /* PSCI_SYSTEM_RESET2 */
		return reset2(x, (uint32_t)x[1], e);
	}
}

void psci_result(uint64_t *x, const struct vm_exit *e)
{
	switch (e->kind) {
	case EXIT_CPU_ON:
		switch (e->cpu_on.result) {
		case 0:
			x[0] = ret(PSCI_SUCCESS);
			break;
		case -EALREADY:
			x[0] = ret(PSCI_ALREADY_ON);
			break;
		case -EFAULT:
			x[0] = ret(PSCI_INVALID_ADDRESS);
			break;
		case -EINVAL:
			x[0] = ret(PSCI_INVALID_PARAMETERS);
			break;
		default:
			x[0] = ret(PSCI_INTERNAL_FAILURE);
			break;
		}
		break;
	case EXIT_CPU_INFO:
		x[0] = e->cpu_info.known ? (e->cpu_info.on ? 0 : 1) : ret(PSCI_INVALID_PARAMETERS);
		break;
	default:
		/* IDLE; CPU_OFF, SYSTEM_OFF and SYSTEM_RESET do not come back. */
		x[0] = ret(PSCI_SUCCESS);
		break;
	}
}
