/* SPDX-License-Identifier: Apache-2.0 */
/* How a CPU is entered, and what it says of itself. */
#include <rt.h>

#include <libfdt.h>

static uint64_t mpidr_affinity(void)
{
	return read_sysreg(mpidr_el1) & UINT64_C(0xff00ffffff);
}

uint64_t arch_own_hwid(void)
{
	return mpidr_affinity();
}

/* Documentation/arm64/booting.rst: MMU off, interrupts masked, EL1 for a guest. */
CASE(boot_state, "boot.state", 0)
{
	CHECK_EQ(entry_state.el >> 2 & 3, 1);
	CHECK_EQ(entry_state.daif, 0x3c0);
	CHECK_EQ(entry_state.sctlr & (BIT64(0) | BIT64(2) | BIT64(12) | BIT64(25)), 0);
	CHECK_EQ(mpidr_affinity(), rt_cpus[0].hwid);
	CHECK(read_sysreg(cntfrq_el0) >= 1000000);
}

CASE(boot_dtb, "boot.dtb", 0)
{
	CHECK(rt_dtb != NULL);
	CHECK_EQ((uint64_t)rt_dtb, entry_state.x0);
	CHECK_EQ(entry_state.x0 % 8, 0);
	CHECK(fdt_path_offset(rt_dtb, "/psci") >= 0);
	CHECK(fdt_node_offset_by_compatible(rt_dtb, -1, "arm,pl011") >= 0);
	CHECK(fdt_node_offset_by_compatible(rt_dtb, -1, "arm,armv8-timer") >= 0);
	CHECK(rt_ram_size >= 1 * MiB);
}

static void check_secondary(void *arg)
{
	(void)arg;
	CHECK_EQ(read_sysreg(CurrentEL) >> 2 & 3, 1);
	CHECK_EQ(read_sysreg(daif), 0x3c0);
	CHECK_EQ(read_sysreg(sctlr_el1) & (BIT64(0) | BIT64(2) | BIT64(12)), 0);
	CHECK_EQ(mpidr_affinity(), rt_this_cpu()->hwid);
	CHECK_EQ(timer_control(TIMER_VIRT) & TIMER_ENABLE, 0);
	CHECK_EQ(timer_control(TIMER_PHYS) & TIMER_ENABLE, 0);
}

CASE(boot_secondary, "boot.secondary", CASE_SMP)
{
	rt_on_others(check_secondary, NULL);
	/* What a CPU did in its last life does not show in the next. */
	rt_on_others(check_secondary, NULL);
}

static uint64_t leftovers;

static void look_at_fp(void *arg)
{
	(void)arg;
	leftovers = fp_or() | read_sysreg(fpsr) | read_sysreg(fpcr);
	fp_fill(0x123456789abcdef);
}

/* Nobody else's floating-point registers can be read. */
CASE(boot_fp_zero, "boot.fp_zero", CASE_SMP | CASE_HV)
{
	for (int round = 0; round < 2; round++) {
		for (uint32_t i = 1; i < rt_cpu_count; i++) {
			leftovers = 1;
			rt_cpu_start(i, look_at_fp, NULL);
			rt_cpu_join(i);
			CHECK_EQ(leftovers, 0);
		}
	}
}

/* ---- Identification ---- */

#define FIELD(reg, shift) ((reg) >> (shift)&0xf)

/* What the hypervisor does not switch or emulate is not there. */
CASE(id_hidden, "id.hidden", CASE_HV)
{
	uint64_t pfr0 = read_sysreg(id_aa64pfr0_el1);
	uint64_t pfr1 = read_sysreg(id_aa64pfr1_el1);
	uint64_t mmfr0 = read_sysreg(id_aa64mmfr0_el1);
	uint64_t dfr0 = read_sysreg(id_aa64dfr0_el1);

	CHECK_EQ(FIELD(pfr0, 4), 1);  /* EL1: AArch64 only */
	CHECK_EQ(FIELD(pfr0, 8), 0);  /* EL2 */
	CHECK_EQ(FIELD(pfr0, 32), 0); /* SVE */
	CHECK_EQ(FIELD(pfr0, 40), 0); /* MPAM */
	CHECK_EQ(FIELD(pfr0, 44), 0); /* AMU */
	CHECK_EQ(FIELD(pfr0, 52), 0); /* RME */
	CHECK_EQ(FIELD(pfr1, 8), 0);  /* MTE */
	CHECK_EQ(FIELD(pfr1, 24), 0); /* SME */
	CHECK(FIELD(mmfr0, 0) <= 5);  /* 48 bits of physical address */
	CHECK_EQ(FIELD(dfr0, 8), 0);  /* PMU */
	CHECK_EQ(FIELD(dfr0, 32), 0); /* SPE */
	CHECK_EQ(FIELD(dfr0, 44), 0); /* trace buffer */
	CHECK_EQ(FIELD(pfr0, 24), gic_version == 3 ? 1 : 0);
}

CASE(id_sane, "id.sane", 0)
{
	CHECK(read_sysreg(midr_el1) != 0);
	CHECK((read_sysreg(mpidr_el1) & BIT64(31)) != 0);
	CHECK((read_sysreg(mpidr_el1) & BIT64(24)) == 0);
	CHECK((read_sysreg(ctr_el0) & BIT64(31)) != 0);
	CHECK_EQ(FIELD(read_sysreg(id_aa64pfr0_el1), 16), FIELD(read_sysreg(id_aa64pfr0_el1), 20));
}

/* The whole block of identification registers can be read, whatever is in it. */
CASE(id_block, "id.block", 0)
{
	uint64_t value;

	for (uint32_t crm = 1; crm < 8; crm++) {
		for (uint32_t op2 = 0; op2 < 8; op2++) {
			if (!sysreg_try_read(SYSREG(3, 0, 0, crm, op2), &value)) {
				rt_fail("S3_0_C0_C%u_%u is undefined", crm, op2);
			}
		}
	}
}
