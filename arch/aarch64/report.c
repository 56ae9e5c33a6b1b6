/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a guest, or we ourselves, cannot go on: registers, the instruction, the walk,
 * the backtrace.
 */
#include "el2.h"
#include "sysreg.h"

#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/hv_map.h>
#include <hv/log.h>
#include <hv/panic.h>
#include <hv/stack.h>
#include <hv/thread.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#define BACKTRACE_MAX 24

/* vectors.S stores it; x[31] is SP. */
struct host_frame {
	uint64_t x[32];
	uint64_t pc;
	uint64_t pstate;
};

extern uint8_t _image_start[], _text_end[];

/* What -fstack-protector compares with; head.S stores the counter into it. */
uint64_t __stack_chk_guard;
void __noreturn __stack_chk_fail(void);

void __stack_chk_fail(void)
{
	hv_panic("a function wrote past its stack frame");
}

void __noreturn host_fault(uint64_t kind, const struct host_frame *f);

static uint64_t image_offset(uint64_t addr)
{
	return addr - (uint64_t)_image_start;
}

/* A frame record lies on mapped memory and above the one before it (AAPCS64, 6.4.6). */
static void backtrace_from(uint64_t fp, uint64_t pc)
{
	panic_print("backtrace (offsets in the image; addr2line -e axvisor.elf):");
	panic_print("  %#llx", (unsigned long long)image_offset(pc));
	for (unsigned n = 0; n < BACKTRACE_MAX; n++) {
		const uint64_t *record = (const uint64_t *)fp;
		hpa_t unused;

		if (fp == 0 || !IS_ALIGNED(fp, 8) || hv_pt.root.a == 0 ||
		    hv_translate(fp, &unused) != 0) {
			return;
		}
		if (record[1] == 0) {
			return; /* the thread's first function */
		}
		panic_print("  %#llx", (unsigned long long)image_offset(record[1]));
		if (record[0] <= fp) {
			return;
		}
		fp = record[0];
	}
}

void arch_backtrace(void)
{
	/* From the caller's frame on: our own may be gone before it is read (tail call). */
	const uint64_t *record = __builtin_frame_address(0);

	backtrace_from(record[0], record[1]);
}

static const char *fault_name(uint64_t ec)
{
	switch (ec) {
	case EC_DABORT_SAME:
		return "data abort";
	case EC_IABORT_SAME:
		return "instruction abort";
	case 0x22:
		return "misaligned PC";
	case 0x26:
		return "misaligned stack pointer";
	case EC_UNKNOWN:
		return "undefined instruction";
	case 0x3c:
		return "breakpoint instruction";
	default:
		return "unexpected exception";
	}
}

void host_fault(uint64_t kind, const struct host_frame *f)
{
	uint64_t esr = sysreg_read(ESR_EL2);
	uint64_t far = sysreg_read(FAR_EL2);

	if (panic_begin()) {
		arch_halt();
	}
	panic_print("axvisor: fault on core %u: %s%s", this_cpu()->id,
		    kind == 3 ? "system error" : fault_name(esr >> ESR_EC_SHIFT),
		    stack_is_guard(far) ? " (stack overflow)" : "");
	panic_print("  pc %#llx (image %#llx) pstate %#llx esr %#llx far %#llx",
		    (unsigned long long)f->pc, (unsigned long long)image_offset(f->pc),
		    (unsigned long long)f->pstate, (unsigned long long)esr,
		    (unsigned long long)far);
	for (unsigned i = 0; i < 32; i += 4) {
		panic_print("  x%-2u %016llx %016llx %016llx %016llx", i,
			    (unsigned long long)f->x[i], (unsigned long long)f->x[i + 1],
			    (unsigned long long)f->x[i + 2], (unsigned long long)f->x[i + 3]);
	}
	backtrace_from(f->x[29], f->pc);
	panic_finish();
}

/* ---- Guests ------------------------------------------------------------------------------ */

static void report_walk(struct vcpu *v, gpa_t at)
{
	struct pt_walk walk;

	stage2_walk(&v->vm->s2, at, &walk);
	log_error("  stage-2 walk of %#llx: %s", (unsigned long long)at.a,
		  walk.mapped ? "mapped" : "not mapped");
	for (uint32_t i = 0; i < walk.steps; i++) {
		log_error("    level %d: entry at %#llx = %#llx",
			  pt_manual_level(v->vm->s2.pt.shape.fmt, walk.step[i].level),
			  (unsigned long long)walk.step[i].at.a,
			  (unsigned long long)walk.step[i].entry);
	}
}

static const char *const exit_names[EXIT_KINDS] = {
	[EXIT_MMIO] = "device accesses",
	[EXIT_PORT_IO] = "port accesses",
	[EXIT_SYSREG] = "system registers",
	[EXIT_HYPERCALL] = "hypercalls",
	[EXIT_STAGE2_FAULT] = "faults",
	[EXIT_IRQ] = "host interrupts",
	[EXIT_IDLE] = "idle",
	[EXIT_CPU_ON] = "CPU_ON",
	[EXIT_CPU_OFF] = "CPU_OFF",
	[EXIT_CPU_INFO] = "AFFINITY_INFO",
	[EXIT_SYSTEM_OFF] = "SYSTEM_OFF",
	[EXIT_SYSTEM_RESET] = "SYSTEM_RESET",
	[EXIT_ENTRY_FAILED] = "failed entries",
};

void arch_vcpu_report(struct vcpu *v)
{
	const struct guest_frame *f = v->arch.frame;
	bool loaded = this_cpu()->loaded == v;
	bool running = thread_current() == &v->thread;
	uint64_t pc = running ? sysreg_read(ELR_EL2) : v->thread.ctx.elr;
	uint64_t pstate = running ? sysreg_read(SPSR_EL2) : v->thread.ctx.spsr;

	log_error("  vCPU %u: pc %#llx pstate %#llx", v->index, (unsigned long long)pc,
		  (unsigned long long)pstate);
	for (unsigned i = 0; i < 31; i += 4) {
		log_error("  x%-2u %016llx %016llx %016llx %016llx", i, (unsigned long long)f->x[i],
			  (unsigned long long)f->x[i + 1], (unsigned long long)f->x[i + 2],
			  (unsigned long long)(i + 3 < 31 ? f->x[i + 3] : 0));
	}
	for (unsigned k = 0; k < EXIT_KINDS; k++) {
		if (v->exits[k] != 0) {
			log_error("  exits: %llu %s", (unsigned long long)v->exits[k],
				  exit_names[k]);
		}
	}
	if (loaded) {
		report_walk(v, gpa((sysreg_read(HPFAR_EL2) & UINT64_C(0xfffffffff0)) << 8));
	}
}
