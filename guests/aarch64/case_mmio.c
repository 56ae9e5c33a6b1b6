/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Accesses to devices in every form that A64 has: to registers that keep what is
 * written (priorities of the GIC, the UART's divisor), and to where nothing is.
 */
#include <rt.h>

/* Words that keep the upper bits of each byte: priorities of INTIDs 64 and up. */
#define WORDS (gicd_base + 0x400 + 64)
#define W0    0x80a0c0e0U
#define W1    0x10305070U
#define W2    0xf0d0b090U
#define W3    0x20406080U
/* A register of 16 bits. */
#define IBRD (UART_BASE + 0x24)

static void words_set(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	mmio_write32(WORDS, a);
	mmio_write32(WORDS + 4, b);
	mmio_write32(WORDS + 8, c);
	mmio_write32(WORDS + 12, d);
}

static void words_are(uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	CHECK_EQ(mmio_read32(WORDS), a);
	CHECK_EQ(mmio_read32(WORDS + 4), b);
	CHECK_EQ(mmio_read32(WORDS + 8), c);
	CHECK_EQ(mmio_read32(WORDS + 12), d);
}

/* A load into x0 (or w0) from [base], with what x0 held before all ones. */
#define LOAD(text, base)                                                             \
	({                                                                           \
		register uint64_t x0_ __asm__("x0") = UINT64_MAX;                    \
		register uint64_t x1_ __asm__("x1") = (base);                        \
		__asm__ volatile(text : "+r"(x0_), "+r"(x1_)::"memory", "x2", "x3"); \
		last_base = x1_;                                                     \
		x0_;                                                                 \
	})
#define STORE(text, base, value)                                                     \
	({                                                                           \
		register uint64_t x0_ __asm__("x0") = (value);                       \
		register uint64_t x1_ __asm__("x1") = (base);                        \
		__asm__ volatile(text : "+r"(x0_), "+r"(x1_)::"memory", "x2", "x3"); \
		last_base = x1_;                                                     \
	})
static uint64_t last_base;

CASE(mmio_widths, "mmio.widths", 0)
{
	words_set(W0, W1, W2, W3);
	words_are(W0, W1, W2, W3);
	CHECK_EQ(LOAD("ldrb w0, [x1]", WORDS), 0xe0);
	CHECK_EQ(LOAD("ldrb w0, [x1, #3]", WORDS), 0x80);
	CHECK_EQ(LOAD("ldr w0, [x1, #4]", WORDS), W1);
	STORE("strb w0, [x1, #1]", WORDS, 0x1250);
	words_are(0x80a050e0, W1, W2, W3);
	mmio_write32(IBRD, 0xfedc);
	CHECK_EQ(LOAD("ldrh w0, [x1]", IBRD), 0xfedc);
	CHECK_EQ(LOAD("ldrb w0, [x1]", IBRD), 0xdc);
	STORE("strh w0, [x1]", IBRD, 0x9876543289ab);
	CHECK_EQ(mmio_read32(IBRD), 0x89ab);
}

CASE(mmio_signed, "mmio.signed", 0)
{
	words_set(W0, W1, W2, W3);
	CHECK_EQ(LOAD("ldrsb w0, [x1]", WORDS), 0xffffffe0);
	CHECK_EQ(LOAD("ldrsb x0, [x1]", WORDS), 0xffffffffffffffe0);
	CHECK_EQ(LOAD("ldrsb x0, [x1, #4]", WORDS), 0x70);
	CHECK_EQ(LOAD("ldrsw x0, [x1]", WORDS), 0xffffffff80a0c0e0);
	CHECK_EQ(LOAD("ldrsw x0, [x1, #4]", WORDS), W1);
	mmio_write32(IBRD, 0x8001);
	CHECK_EQ(LOAD("ldrsh w0, [x1]", IBRD), 0xffff8001);
	CHECK_EQ(LOAD("ldrsh x0, [x1]", IBRD), 0xffffffffffff8001);
	mmio_write32(IBRD, 0x7001);
	CHECK_EQ(LOAD("ldrsh x0, [x1]", IBRD), 0x7001);
}

CASE(mmio_write_back, "mmio.write_back", 0)
{
	words_set(W0, W1, W2, W3);
	CHECK_EQ(LOAD("ldr w0, [x1], #4", WORDS), W0);
	CHECK_EQ(last_base, WORDS + 4);
	CHECK_EQ(LOAD("ldr w0, [x1, #8]!", WORDS), W2);
	CHECK_EQ(last_base, WORDS + 8);
	CHECK_EQ(LOAD("ldrsb x0, [x1, #-1]!", WORDS + 4), 0xffffffffffffff80);
	CHECK_EQ(last_base, WORDS + 3);
	CHECK_EQ(LOAD("ldrsw x0, [x1], #-256", WORDS + 8), 0xfffffffff0d0b090);
	CHECK_EQ(last_base, WORDS + 8 - 256);
	STORE("str w0, [x1], #12", WORDS, 0x10101010);
	CHECK_EQ(last_base, WORDS + 12);
	STORE("strb w0, [x1, #5]!", WORDS, 0x40);
	CHECK_EQ(last_base, WORDS + 5);
	words_are(0x10101010, 0x10304070, W2, W3);
	STORE("strh w0, [x1], #2", IBRD, 0x1357);
	CHECK_EQ(last_base, IBRD + 2);
	CHECK_EQ(LOAD("ldrh w0, [x1, #-4]!", IBRD + 4), 0x1357);
	CHECK_EQ(last_base, IBRD);
}

CASE(mmio_offsets, "mmio.offsets", 0)
{
	words_set(W0, W1, W2, W3);
	CHECK_EQ(LOAD("ldur w0, [x1, #-4]", WORDS + 8), W1);
	STORE("stur w0, [x1, #-8]", WORDS + 8, 0x30303030);
	CHECK_EQ(LOAD("mov x2, #12\n ldr w0, [x1, x2]", WORDS), W3);
	CHECK_EQ(LOAD("mov x2, #2\n ldr w0, [x1, x2, lsl #2]", WORDS), W2);
	CHECK_EQ(LOAD("mov w2, #-4\n ldr w0, [x1, w2, sxtw]", WORDS + 8), W1);
	CHECK_EQ(LOAD("mov w2, #-1\n ldrb w0, [x1, w2, sxtw]", WORDS + 8), 0x10);
	STORE("mov x2, #3\n str w0, [x1, x2, lsl #2]", WORDS, 0x50505050);
	words_are(0x30303030, W1, W2, 0x50505050);
	CHECK_EQ(LOAD("ldtr w0, [x1, #4]", WORDS), W1);
	STORE("sttr w0, [x1, #4]", WORDS, 0x60606060);
	words_are(0x30303030, 0x60606060, W2, 0x50505050);
}

CASE(mmio_zero_register, "mmio.zero_register", 0)
{
	words_set(W0, W1, W2, W3);
	STORE("str wzr, [x1]", WORDS, 1);
	STORE("strb wzr, [x1, #7]", WORDS, 1);
	words_are(0, W1 & 0xffffff, W2, W3);
	(void)LOAD("ldr wzr, [x1]", WORDS);
	(void)LOAD("ldp wzr, w2, [x1]", WORDS);
	STORE("stp wzr, wzr, [x1, #8]", WORDS, 1);
	words_are(0, W1 & 0xffffff, 0, 0);
}

CASE(mmio_pairs, "mmio.pairs", 0)
{
	uint64_t a, b, base = WORDS;

	words_set(W0, W1, W2, W3);
	__asm__ volatile("ldp %w0, %w1, [%2]" : "=&r"(a), "=&r"(b) : "r"(base) : "memory");
	CHECK_EQ(a, W0);
	CHECK_EQ(b, W1);
	__asm__ volatile("ldpsw %0, %1, [%2, #8]" : "=&r"(a), "=&r"(b) : "r"(base) : "memory");
	CHECK_EQ(a, 0xfffffffff0d0b090);
	CHECK_EQ(b, W3);
	__asm__ volatile("ldp %w0, %w1, [%2, #8]!" : "=&r"(a), "=&r"(b), "+r"(base)::"memory");
	CHECK_EQ(a, W2);
	CHECK_EQ(base, WORDS + 8);
	__asm__ volatile("stp %w1, %w0, [%2], #-8" ::"r"(a), "r"(b), "r"(base) : "memory");
	words_are(W0, W1, W3, W2);
	base = WORDS;
	__asm__ volatile("stp %w0, %w1, [%2]" ::"r"(a), "r"(b), "r"(base) : "memory");
	words_are(W2, W3, W3, W2);
	__asm__ volatile("ldnp %w0, %w1, [%2, #4]" : "=&r"(a), "=&r"(b) : "r"(base) : "memory");
	CHECK_EQ(a, W3);
	CHECK_EQ(b, W3);
}

/* With the stack pointer as the base. */
CASE(mmio_stack_pointer, "mmio.stack_pointer", 0)
{
	uint64_t value, base;

	words_set(W0, W1, W2, W3);
	__asm__ volatile("mov x9, sp\n mov sp, %2\n ldr %w0, [sp, #16]!\n mov %1, sp\n mov sp, x9"
			 : "=&r"(value), "=&r"(base)
			 : "r"(WORDS - 16)
			 : "memory", "x9");
	CHECK_EQ(value, W0);
	CHECK_EQ(base, WORDS);
}

CASE(mmio_simd, "mmio.simd", 0)
{
	uint64_t v[2] = { 0 };
	uint64_t base = WORDS;

	words_set(W0, W1, W2, W3);
	__asm__ volatile("movi v3.16b, #0xff\n ldr s3, [%2]\n mov %0, v3.d[0]\n mov %1, v3.d[1]"
			 : "=&r"(v[0]), "=&r"(v[1])
			 : "r"(base)
			 : "memory");
	CHECK_EQ(v[0], W0);
	CHECK_EQ(v[1], 0);
	__asm__ volatile("ldr b3, [%1, #3]\n mov %0, v3.d[0]" : "=&r"(v[0]) : "r"(base) : "memory");
	CHECK_EQ(v[0], 0x80);
	mmio_write32(IBRD, 0xbeef);
	__asm__ volatile("ldr h3, [%1]\n mov %0, v3.d[0]" : "=&r"(v[0]) : "r"(IBRD) : "memory");
	CHECK_EQ(v[0], 0xbeef);
	__asm__ volatile("fmov s5, %w0\n str s5, [%1, #4]" ::"r"(0x90909090), "r"(base) : "memory");
	__asm__ volatile("fmov s5, %w0\n str b5, [%1, #8]" ::"r"(0x12345640), "r"(base) : "memory");
	__asm__ volatile("fmov s5, %w0\n str h5, [%1]" ::"r"(0xffff1122), "r"(IBRD) : "memory");
	words_are(W0, 0x90909090, (W2 & ~0xffU) | 0x40, W3);
	CHECK_EQ(mmio_read32(IBRD), 0x1122);
	__asm__ volatile("ldp s6, s7, [%2], #8\n umov %w0, v6.s[0]\n umov %w1, v7.s[0]"
			 : "=&r"(v[0]), "=&r"(v[1]), "+r"(base)::"memory");
	CHECK_EQ(v[0] & UINT32_MAX, W0);
	CHECK_EQ(v[1] & UINT32_MAX, 0x90909090);
	CHECK_EQ(base, WORDS + 8);
	base = WORDS;
	__asm__ volatile("stp s7, s6, [%0]" ::"r"(base) : "memory");
	words_are(0x90909090, W0, (W2 & ~0xffU) | 0x40, W3);
}

#define IROUTER (gicd_base + 0x6000 + UINT64_C(64) * 8)

/* A register of 64 bits is one of a GICv3. */
CASE(mmio_double_words, "mmio.double_words", 0)
{
	uint64_t a, b, r0 = rt_cpus[0].hwid, r1 = rt_cpus[rt_cpu_count - 1].hwid;

	if (gic_version != 3) {
		rt_not_applicable("GICv2");
	}
	STORE("str x0, [x1]", IROUTER, r1);
	STORE("str x0, [x1, #8]!", IROUTER, r0);
	CHECK_EQ(LOAD("ldr x0, [x1]", IROUTER), r1);
	CHECK_EQ(LOAD("ldr x0, [x1], #16", IROUTER + 8), r0);
	CHECK_EQ(last_base, IROUTER + 24);
	__asm__ volatile("ldp %0, %1, [%2]" : "=&r"(a), "=&r"(b) : "r"(IROUTER) : "memory");
	CHECK_EQ(a, r1);
	CHECK_EQ(b, r0);
	__asm__ volatile("stp %1, %0, [%2]" ::"r"(a), "r"(b), "r"(IROUTER) : "memory");
	__asm__ volatile("ldr q4, [%2]\n mov %0, v4.d[0]\n mov %1, v4.d[1]"
			 : "=&r"(a), "=&r"(b)
			 : "r"(IROUTER)
			 : "memory");
	CHECK_EQ(a, r0);
	CHECK_EQ(b, r1);
	__asm__ volatile("str q4, [%1, #16]\n ldr d5, [%1, #24]\n fmov %0, d5"
			 : "=&r"(a)
			 : "r"(IROUTER)
			 : "memory");
	CHECK_EQ(a, r1);
	CHECK_EQ(LOAD("ldr w0, [x1]", IROUTER + 8), r1 & UINT32_MAX);
}

/* Forms that a device need not understand: an abort or an effect, and life goes on. */
CASE(mmio_odd_forms, "mmio.odd_forms", CASE_HV)
{
	static const uint64_t places[] = { HOLE, UART_BASE + 0x24 };
	static uint64_t aligned[8] __attribute__((aligned(64)));

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		uint64_t at = places[i];

		fault_expect();
		__asm__ volatile("ldxr w2, [%0]\n stxr w3, w2, [%0]\n clrex\n"
				 "ldaxr x2, [%0]\n ldar w2, [%0]\n stlr w2, [%0]\n"
				 "ld1 {v0.4s}, [%0]\n st1 {v0.4s}, [%0]\n ld1r {v0.2s}, [%0]\n"
				 "ld2 {v0.8b, v1.8b}, [%0]\n"
				 "ldp q0, q1, [%0]\n stp q0, q1, [%0]\n"
				 "ldr w2, [%0, #2]\n ldr x2, [%0, #1]\n str x2, [%0, #3]\n"
				 "prfm pldl1keep, [%0]\n"
				 "dc cvac, %0\n dc civac, %0\n dc ivac, %0\n dc zva, %0\n"
				 "ic ivau, %0\n at s1e1r, %0\n" ::"r"(at)
				 : "memory", "x2", "x3");
		(void)fault_end();
	}
	/* Across the end of a page, from a device to nothing. */
	fault_expect();
	__asm__ volatile("ldr x2, [%0]\n ldp x2, x3, [%0, #-8]\n stp x2, x3, [%0, #-8]" ::"r"(
				 UART_BASE + 0xffc)
			 : "memory", "x2", "x3");
	(void)fault_end();
	__asm__ volatile("ldr x2, [%0]" ::"r"(aligned) : "memory", "x2");
}

/* ---- Where nothing is ---- */

static void check_abort(const struct fault *f, uint64_t addr, const char *what)
{
	if (f->count != 1 || EC(f->cause) != EC_DABORT || FSC(f->cause) != FSC_EXTERNAL ||
	    f->addr != addr) {
		rt_fail("%s: %u faults, ESR %#llx, FAR %#llx, not %#llx", what, f->count,
			(unsigned long long)f->cause, (unsigned long long)f->addr,
			(unsigned long long)addr);
	}
}

#define ABORTS(text, offset)                                                               \
	do {                                                                               \
		uint64_t value_ = 0x1111, base_ = HOLE + 0x100;                            \
		struct fault f_;                                                           \
		fault_expect();                                                            \
		__asm__ volatile("mov x0, %0\n mov x1, %1\n mov x2, #0x2222\n" text        \
				 "\n mov %0, x0\n mov %1, x1"                              \
				 : "+r"(value_), "+r"(base_)::"memory", "x0", "x1", "x2"); \
		f_ = fault_end();                                                          \
		check_abort(&f_, HOLE + 0x100 + (uint64_t)(offset), text);                 \
		/* No register has changed. */                                             \
		CHECK_EQ(value_, 0x1111);                                                  \
		CHECK_EQ(base_, HOLE + 0x100);                                             \
	} while (0)

CASE(abort_read, "abort.read", 0)
{
	ABORTS("ldrb w0, [x1]", 0);
	ABORTS("ldrh w0, [x1, #2]", 2);
	ABORTS("ldr w0, [x1, #4]", 4);
	ABORTS("ldr x0, [x1, #8]", 8);
	ABORTS("ldrsb x0, [x1, #3]", 3);
	ABORTS("ldrsw x0, [x1]", 0);
	ABORTS("ldur x0, [x1, #-8]", -8);
	ABORTS("ldr w0, [x1], #4", 0);
	ABORTS("ldr x0, [x1, #16]!", 16);
	ABORTS("ldp x0, x2, [x1]", 0);
	ABORTS("ldp w0, w2, [x1], #8", 0);
	ABORTS("ldr q0, [x1]", 0);
	ABORTS("ldr s0, [x1, #4]", 4);
	ABORTS("ldr xzr, [x1]", 0);
}

CASE(abort_write, "abort.write", 0)
{
	ABORTS("strb w0, [x1]", 0);
	ABORTS("strh w0, [x1, #2]", 2);
	ABORTS("str w0, [x1, #4]", 4);
	ABORTS("str x0, [x1, #8]", 8);
	ABORTS("str x0, [x1], #8", 0);
	ABORTS("str x0, [x1, #-16]!", -16);
	ABORTS("stp x0, x2, [x1, #16]!", 16);
	ABORTS("stp w0, w2, [x1]", 0);
	ABORTS("str q0, [x1]", 0);
	ABORTS("stp s0, s1, [x1]", 0);
	ABORTS("str xzr, [x1]", 0);
}

/* ISS.WnR tells a write, as the processor would. */
CASE(abort_syndrome, "abort.syndrome", 0)
{
	struct fault f;

	fault_expect();
	mmio_write32(HOLE, 1);
	f = fault_end();
	check_abort(&f, HOLE, "a write");
	CHECK_EQ(f.cause >> 6 & 1, 1);
	fault_expect();
	(void)mmio_read32(HOLE);
	f = fault_end();
	CHECK_EQ(f.cause >> 6 & 1, 0);
}

CASE(abort_fetch, "abort.fetch", 0)
{
	struct fault f;

	fault_expect();
	((void (*)(void))HOLE)();
	f = fault_end();
	CHECK_EQ(f.count, 1);
	CHECK_EQ(EC(f.cause), EC_IABORT);
	CHECK_EQ(FSC(f.cause), FSC_EXTERNAL);
	CHECK_EQ(f.addr, HOLE);
	CHECK_EQ(f.pc, HOLE);
}

/* Code in a device: an abort too, never an instruction made of its registers. */
CASE(abort_fetch_device, "abort.fetch_device", CASE_HV)
{
	struct fault f;

	fault_expect();
	((void (*)(void))UART_BASE)();
	f = fault_end();
	CHECK_EQ(f.count, 1);
	CHECK_EQ(EC(f.cause), EC_IABORT);
}

/* The first and the last byte of memory are there, those beside them are not. */
CASE(abort_edges, "abort.edges", CASE_HV)
{
	uint64_t end = rt_ram_base + rt_ram_size;
	const uint64_t outside[] = { rt_ram_base - 8,
				     rt_ram_base - 4096,
				     end,
				     end + 4096,
				     UINT64_C(0x10000000),
				     0,
				     4096,
				     UINT64_C(1) << 35,
				     (UINT64_C(1) << 36) - 8 };

	if (rt_ram_size == 0) {
		rt_not_applicable("no device tree");
	}
	(void)mmio_read64(rt_ram_base);
	(void)mmio_read64(end - 8);
	for (size_t i = 0; i < ARRAY_SIZE(outside); i++) {
		struct fault f;

		fault_expect();
		(void)mmio_read64(outside[i]);
		f = fault_end();
		check_abort(&f, outside[i], "a read beside memory");
		fault_expect();
		mmio_write64(outside[i], 0x6666);
		f = fault_end();
		check_abort(&f, outside[i], "a write beside memory");
	}
}

/* Beyond any address there can be: some abort, whoever notices first. */
CASE(abort_beyond, "abort.beyond", 0)
{
	for (uint32_t bit = 41; bit < 64; bit++) {
		struct fault f;

		fault_expect();
		(void)mmio_read32(UINT64_C(1) << bit);
		mmio_write32((UINT64_C(1) << bit) + HOLE, 1);
		f = fault_end();
		CHECK_EQ(f.count, 2);
		CHECK_EQ(EC(f.cause), EC_DABORT);
	}
}
