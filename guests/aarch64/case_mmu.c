/* SPDX-License-Identifier: Apache-2.0 */
/* The guest's own translation (stage 1) on top of the hypervisor's. */
#include <rt.h>

#define T0SZ_39 25 /* one level of 1 GiB entries, then 2 MiB, 4 KiB */
#define VALID	UINT64_C(1)
#define TABLE	UINT64_C(2)
#define PAGE	UINT64_C(2)
#define AF	BIT64(10)
#define SH_IN	(UINT64_C(3) << 8)
#define NORMAL	(UINT64_C(0) << 2)
#define DEVICE	(UINT64_C(1) << 2)
#define RO	BIT64(7)
#define XN	BIT64(54)

static uint64_t root[512] __attribute__((aligned(4096)));
static uint64_t middle[512] __attribute__((aligned(4096)));
static uint64_t leaves[512] __attribute__((aligned(4096)));
static uint64_t scratch[512] __attribute__((aligned(4096)));

/* Virtual addresses of the tests: the last GiB of the lower half. */
#define VA(page) (UINT64_C(511) << 30 | (uint64_t)(page) << 12)

static void flush(void)
{
	__asm__ volatile("dsb ishst\n tlbi vmalle1\n dsb ish\n isb" ::: "memory");
}

/* Everything at its own address but for the pages of `leaves`. */
static void mmu_on(void)
{
	uint64_t gib = rt_ram_base >> 30;

	for (uint64_t i = 0; i < 511; i++) {
		bool ram =
			rt_ram_size != 0 && i >= gib && i <= (rt_ram_base + rt_ram_size - 1) >> 30;

		root[i] = i << 30 | VALID | AF | SH_IN | (ram ? NORMAL : DEVICE | XN);
	}
	root[511] = (uint64_t)middle | VALID | TABLE;
	middle[0] = (uint64_t)leaves | VALID | TABLE;
	write_sysreg(mair_el1, 0x00ff); /* 0: write-back, 1: nGnRnE */
	write_sysreg(tcr_el1, T0SZ_39 | BIT64(23) /* EPD1 */ | UINT64_C(2) << 32 /* 40 bits */ |
				      UINT64_C(1) << 8 | UINT64_C(1) << 10 | UINT64_C(3) << 12);
	write_sysreg(ttbr0_el1, (uint64_t)root);
	flush();
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) | BIT64(0) | BIT64(2) | BIT64(12));
	isb();
}

static void mmu_off(void)
{
	write_sysreg(sctlr_el1, read_sysreg(sctlr_el1) & ~(BIT64(0) | BIT64(2) | BIT64(12)));
	isb();
	flush();
}

static void map(uint32_t page, uint64_t to, uint64_t attributes)
{
	leaves[page] = to | VALID | PAGE | AF | SH_IN | attributes;
	flush();
}

static void check(struct fault f, uint64_t fsc, uint64_t addr)
{
	mmu_off();
	CHECK_EQ(f.count, 1);
	CHECK_EQ(EC(f.cause), EC_DABORT);
	CHECK_EQ(FSC(f.cause), fsc);
	CHECK_EQ(f.addr, addr);
	mmu_on();
}

static struct fault try_read(uint64_t va)
{
	fault_expect();
	(void)mmio_read32(va);
	return fault_end();
}

/* Faults of its own tables are the guest's, and the hypervisor does not even see them. */
CASE(mmu_own_faults, "mmu.own_faults", 0)
{
	mmu_on();
	map(1, (uint64_t)scratch, NORMAL);
	map(2, (uint64_t)scratch, NORMAL | RO);
	leaves[3] = 0;
	flush();
	*(volatile uint64_t *)VA(1) = 0x77;
	uint64_t seen = *(volatile uint64_t *)VA(2);
	struct fault missing = try_read(VA(3));

	fault_expect();
	mmio_write32(VA(2), 1);
	struct fault write = fault_end();
	mmu_off();
	CHECK_EQ(seen, 0x77);
	mmu_on();
	check(missing, 0x07, VA(3));
	check(write, 0x0f, VA(2));
	mmu_off();
}

/* FAR is the virtual address, and the device is found by the physical one. */
CASE(mmu_devices, "mmu.devices", 0)
{
	uint64_t id, pair_a, pair_b;
	struct fault f;

	mmu_on();
	map(4, UART_BASE, DEVICE | XN);
	map(5, HOLE, DEVICE | XN);
	map(6, gicd_base, DEVICE | XN);
	id = mmio_read32(VA(4) + 0xfe0);
	/* Without a syndrome: decoded, through the guest's tables. */
	mmio_write32(VA(6) + 0x440, 0x80402010);
	mmio_write32(VA(6) + 0x444, 0x10204080);
	__asm__ volatile("ldp %w0, %w1, [%2]"
			 : "=&r"(pair_a), "=&r"(pair_b)
			 : "r"(VA(6) + 0x440)
			 : "memory");
	f = try_read(VA(5) + 0x10);
	mmu_off();
	CHECK_EQ(id & 0xff, 0x11);
	CHECK_EQ(pair_a, 0x80402010);
	CHECK_EQ(pair_b, 0x10204080);
	mmu_on();
	check(f, FSC_EXTERNAL, VA(5) + 0x10);
	mmu_off();
}

/* An external abort: of the walk, or (a hypervisor does not know the level) just so. */
static bool is_external(struct fault f, uint64_t addr)
{
	return f.count == 1 && EC(f.cause) == EC_DABORT && f.addr == addr &&
	       (FSC(f.cause) == FSC_EXTERNAL || FSC(f.cause) >> 2 == 5);
}

/* Tables where nothing is. */
CASE(mmu_walk_outside, "mmu.walk_outside", 0)
{
	struct fault at2, at3;

	mmu_on();
	middle[1] = HOLE | VALID | TABLE;
	flush();
	at3 = try_read(VA(512) + 8);
	middle[1] = 0;
	root[510] = HOLE | VALID | TABLE;
	flush();
	at2 = try_read((UINT64_C(510) << 30) + 16);
	root[510] = 0;
	flush();
	mmu_off();
	CHECK(is_external(at3, VA(512) + 8));
	CHECK(is_external(at2, (UINT64_C(510) << 30) + 16));
}

static void with_mmu(void *arg)
{
	volatile uint64_t *slot = (volatile uint64_t *)VA(7) + rt_this_cpu()->index;

	(void)arg;
	mmu_on();
	for (uint64_t i = 0; i < 2000; i++) {
		*slot = i;
		if (*slot != i) {
			break;
		}
	}
	mmu_off();
}

/* All CPUs with one set of tables, while pages come and go (broadcast TLB operations). */
CASE(mmu_smp, "mmu.smp", CASE_SMP)
{
	mmu_on();
	map(7, (uint64_t)scratch, NORMAL);
	mmu_off();
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		scratch[i] = 0;
	}
	rt_on_others(with_mmu, NULL);
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		CHECK_EQ(scratch[i], 1999);
	}
}
