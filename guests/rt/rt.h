/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime of our own bare-metal test guests: everything that is the same on all
 * architectures.  What differs stands behind arch.h, of which each architecture has
 * its own (guests/<arch>/).
 *
 * A case is a function marked with CASE().  The guest runs those that the command line
 * names (`cases=psci.*,gic.sgi_self`; all automatic ones without it) and says
 *
 *     TEST <name> ok | FAIL <why> | n/a <why>
 *     TESTS <n> passed, <m> failed, <k> not applicable
 *
 * before it switches itself off.
 */
#ifndef RT_H
#define RT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <hv/types.h>

#define RT_MAX_CPUS   32
#define RT_STACK_SIZE 16384

/* A fault that a case asked for, by fault_expect(). */
struct fault {
	uint32_t count; /* faults since fault_expect() */
	uint64_t cause; /* of the last one; aarch64: ESR_EL1 */
	uint64_t addr;	/* faulting address */
	uint64_t pc;
};

enum rt_cpu_state {
	RT_CPU_OFF,
	RT_CPU_RUNNING,
	RT_CPU_DONE,
};

struct rt_cpu {
	uint64_t stack_top; /* first, for the entry code */
	uint32_t index;
	uint64_t hwid;
	void (*fn)(void *arg);
	void *arg;
	uint32_t state;	      /* enum rt_cpu_state, written by that CPU */
	uint32_t case_number; /* the case that it works for */
	bool expecting;	      /* faults are recorded and stepped over */
	struct fault fault;
	uint64_t arch[4]; /* the architecture's own */
};

struct rt_ctx {
	uint64_t regs[14];
};

extern struct rt_cpu rt_cpus[RT_MAX_CPUS];
extern uint32_t rt_cpu_count;
/* The command line; "" if there is none. */
extern const char *rt_cmdline;
/* Memory of this machine, the first region. */
extern uint64_t rt_ram_base, rt_ram_size;
/* The device tree, NULL if there is none. */
extern const void *rt_dtb;
/* Under AxVisor, that is: its null hypercall answers. */
extern bool rt_under_hv;

/* ---- Output ---- */
void rt_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- Cases ---- */
enum {
	CASE_MANUAL = 1, /* only when it is named */
	CASE_SMP = 2,	 /* needs two CPUs */
	CASE_HV = 4,	 /* only under the hypervisor */
};

struct rt_case {
	const char *name;
	void (*run)(void);
	uint64_t flags;
};

#define CASE(id, title, bits)                                                            \
	static void case_##id(void);                                                     \
	static const struct rt_case case_entry_##id                                      \
		__attribute__((used, section(".cases"))) = { title, case_##id, (bits) }; \
	static void case_##id(void)

/* Ends the running case as failed; on another CPU than the first that CPU goes off. */
void __attribute__((noreturn, format(printf, 1, 2))) rt_fail(const char *fmt, ...);
/* Ends the running case as not applicable. */
void __attribute__((noreturn)) rt_not_applicable(const char *why);

#define CHECK(cond)                                                           \
	do {                                                                  \
		if (!(cond)) {                                                \
			rt_fail("%s:%d: %s", __FILE_NAME__, __LINE__, #cond); \
		}                                                             \
	} while (0)

#define CHECK_EQ(a, b)                                                                        \
	do {                                                                                  \
		uint64_t a_ = (uint64_t)(a), b_ = (uint64_t)(b);                              \
		if (a_ != b_) {                                                               \
			rt_fail("%s:%d: %s is %#llx, not %#llx", __FILE_NAME__, __LINE__, #a, \
				(unsigned long long)a_, (unsigned long long)b_);              \
		}                                                                             \
	} while (0)

/* Waits for a condition, at most so many milliseconds. */
#define WAIT_FOR(cond, ms)                                       \
	({                                                       \
		uint64_t until_ = rt_ticks() + rt_ms(ms);        \
		bool ok_;                                        \
		while (!(ok_ = (cond)) && rt_ticks() < until_) { \
			arch_relax();                            \
		}                                                \
		ok_ || (cond);                                   \
	})

/* Where the value of a word such as "cases=" of the command line starts, or NULL. */
const char *rt_argument(const char *key);

/* ---- Faults ---- */
void fault_expect(void);
/* Ends the expectation and returns what has happened. */
struct fault fault_end(void);

/* ---- Processors ---- */
/* Starts a CPU that is off; the function runs there with interrupts masked. */
void rt_cpu_start(uint32_t index, void (*fn)(void *arg), void *arg);
/* Waits until its function has returned and the firmware calls it off. */
void rt_cpu_join(uint32_t index);
/* The function on all CPUs but this one, at the same time; then all are joined. */
void rt_on_others(void (*fn)(void *arg), void *arg);
/* Called by the entry code of other CPUs. */
void rt_secondary(struct rt_cpu *cpu) __attribute__((noreturn));

/* ---- Time ---- */
uint64_t rt_ms(uint64_t ms); /* in ticks */
uint64_t rt_us(uint64_t us);
uint64_t rt_ticks(void);
void rt_delay_ms(uint64_t ms);

#include <arch.h>

/* ---- What an architecture gives ---- */
void arch_init(void);
void arch_putc(char c);
int arch_getc(void); /* -1: nothing typed */
struct rt_cpu *rt_this_cpu(void);
uint64_t arch_ticks_per_second(void);
bool arch_probe_hv(void);
/* 0, or the firmware's error. */
int64_t arch_cpu_on(uint64_t hwid, struct rt_cpu *cpu);
bool arch_cpu_is_off(uint64_t hwid);
void arch_cpu_off(void) __attribute__((noreturn));
void arch_machine_off(void) __attribute__((noreturn));
void arch_machine_reset(void) __attribute__((noreturn));
/* Devices and interrupts as a case expects them. */
void arch_before_case(void);
int arch_ctx_save(struct rt_ctx *ctx) __attribute__((returns_twice));
void arch_ctx_restore(struct rt_ctx *ctx) __attribute__((noreturn));
/* The hardware id that this CPU itself shows. */
uint64_t arch_own_hwid(void);
/* Fails unless devices are as after power-on; and then makes them otherwise. */
void arch_check_reset_state(void);
void arch_make_dirt(void);
/* Called by entry code, on the first CPU. */
void rt_main(const void *dtb) __attribute__((noreturn));

#endif
