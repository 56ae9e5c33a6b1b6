/* SPDX-License-Identifier: Apache-2.0 */
/* Registers that must outlive vCPU switches; caches. */
#include <rt.h>

static uint64_t fp_of(uint32_t cpu)
{
	return UINT64_C(0x0101010101010101) * (cpu * 7 + 3) + (rt_ram_base >> 20);
}

static void keep_fp(void *arg)
{
	uint64_t seed = fp_of(rt_this_cpu()->index);
	uint64_t end = rt_ticks() + rt_ms(*(uint64_t *)arg);
	uint32_t round = 0;

	fp_fill(seed);
	while (rt_ticks() < end) {
		switch (round++ % 4) {
		case 0:
			arch_relax();
			break;
		case 1:
			(void)hvc_call(PSCI_VERSION, 0, 0, 0);
			break;
		case 2:
			(void)mmio_read32(gicd_base + 4);
			break;
		default:
			timer_set_deadline(TIMER_VIRT, rt_ticks() + rt_us(300));
			timer_set_control(TIMER_VIRT, TIMER_ENABLE);
			wfi();
			timer_set_control(TIMER_VIRT, 0);
			break;
		}
		CHECK_EQ(fp_check(seed), 0);
		if (round % 16 == 0) {
			seed += 0x1111;
			fp_fill(seed);
		}
	}
}

static void keep_fp_secondary(void *arg)
{
	gic_init_cpu();
	gic_enable(timer_irq(TIMER_VIRT), true);
	keep_fp(arg);
}

/* Floating point, with every vCPU using it at the same time. */
CASE(state_fp, "state.fp", 0)
{
	uint64_t ms = 150;

	gic_enable(timer_irq(TIMER_VIRT), true);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_start(i, keep_fp_secondary, &ms);
	}
	keep_fp(&ms);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_join(i);
	}
}

#define EL1_REGISTERS(X)     \
	X(0, tpidr_el0)      \
	X(1, tpidrro_el0)    \
	X(2, contextidr_el1) \
	X(3, far_el1)        \
	X(4, par_el1)        \
	X(5, elr_el1)        \
	X(6, ttbr1_el1)      \
	X(7, sp_el0)

static void keep_el1(void *arg)
{
	uint64_t seed = (rt_this_cpu()->index + 1) * UINT64_C(0x11110000);
	uint64_t end = rt_ticks() + rt_ms(*(uint64_t *)arg);

	/* PAR: a value that a failed translation leaves; ASIDs stay out of TTBR1. */
#define WRITE(n, reg) write_sysreg(reg, (n) == 4 ? 1 : seed + (n)*0x1000);
#define VERIFY(n, reg)                                         \
	if ((n) != 4) {                                        \
		CHECK_EQ(read_sysreg(reg), seed + (n)*0x1000); \
	}
	EL1_REGISTERS(WRITE)
	while (rt_ticks() < end) {
		timer_set_deadline(TIMER_VIRT, rt_ticks() + rt_us(500));
		timer_set_control(TIMER_VIRT, TIMER_ENABLE);
		wfi();
		timer_set_control(TIMER_VIRT, 0);
		EL1_REGISTERS(VERIFY)
	}
}

static void keep_el1_secondary(void *arg)
{
	gic_init_cpu();
	gic_enable(timer_irq(TIMER_VIRT), true);
	keep_el1(arg);
}

CASE(state_el1, "state.el1", 0)
{
	uint64_t ms = 100;

	gic_enable(timer_irq(TIMER_VIRT), true);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_start(i, keep_el1_secondary, &ms);
	}
	keep_el1(&ms);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		rt_cpu_join(i);
	}
}

/* Set/way operations on all caches there are, and on some there are not. */
CASE(cache_set_way, "cache.set_way", 0)
{
	static uint64_t value;

	__atomic_store_n(&value, 0x4321, __ATOMIC_SEQ_CST);
	dsb();
	for (uint64_t level = 0; level < 7; level++) {
		for (uint64_t way = 0; way < 4; way++) {
			for (uint64_t set = 0; set < 64; set++) {
				uint64_t x = way << 30 | set << 6 | level << 1;

				__asm__ volatile("dc cisw, %0\n dc csw, %0" ::"r"(x) : "memory");
			}
		}
	}
	__asm__ volatile("dsb sy\n ic iallu\n ic ialluis\n dsb sy\n isb" ::: "memory");
	CHECK_EQ(__atomic_load_n(&value, __ATOMIC_SEQ_CST), 0x4321);
	CHECK(read_sysreg(clidr_el1) != 0);
	write_sysreg(csselr_el1, 0);
	isb();
	CHECK(read_sysreg(ccsidr_el1) != 0);
}
