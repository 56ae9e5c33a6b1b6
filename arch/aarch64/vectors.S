/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2's exception vectors and the ways into and out of a guest (Arm ARM D1.3).
 *
 * While a guest runs SP_EL2 points at its struct guest_frame, the topmost bytes of
 * the vCPU thread's stack.  A trap stores the caller-saved registers there and
 * calls C; the callee-saved ones stay in registers, since C preserves them.  Only
 * handlers that address registers by number (aborts, system registers, ...) are
 * entered with x19..x29 stored, too, and load them again afterwards.
 */
#include "arch_offsets.h"

	/* x0..x17 to or from the lowest bytes of the stack. */
	.macro	x0_to_x17 op
	\op	x0, x1, [sp, #0]
	\op	x2, x3, [sp, #16]
	\op	x4, x5, [sp, #32]
	\op	x6, x7, [sp, #48]
	\op	x8, x9, [sp, #64]
	\op	x10, x11, [sp, #80]
	\op	x12, x13, [sp, #96]
	\op	x14, x15, [sp, #112]
	\op	x16, x17, [sp, #128]
	.endm

	/* x19..x29 to or from their place in the guest_frame. */
	.macro	x19_to_x29 op2, op1
	\op2	x19, x20, [sp, #GUEST_FRAME_X19]
	\op2	x21, x22, [sp, #GUEST_FRAME_X19 + 16]
	\op2	x23, x24, [sp, #GUEST_FRAME_X19 + 32]
	\op2	x25, x26, [sp, #GUEST_FRAME_X19 + 48]
	\op2	x27, x28, [sp, #GUEST_FRAME_X19 + 64]
	\op1	x29, [sp, #GUEST_FRAME_X19 + 80]
	.endm

	.macro	save_caller
	x0_to_x17 stp
	str	x18, [sp, #144]
	str	x30, [sp, #GUEST_FRAME_X30]
	.endm

	/* The barrier after eret stops speculation past it (straight-line speculation). */
	.macro	return_to_guest
	x0_to_x17 ldp
	ldr	x18, [sp, #144]
	ldr	x30, [sp, #GUEST_FRAME_X30]
	eret
	dsb	nsh
	isb
	.endm

	/*
	 * A fault of our own.  The stack may be what is broken (an overflow into a
	 * guard page), so this runs on a per-core stack of its own.  EL1's thread
	 * registers are free to hold x0 and SP: no guest runs after this.
	 */
	.macro	host_entry kind
	msr	tpidr_el1, x0
	mov	x0, sp
	msr	tpidr_el0, x0
	mrs	x0, tpidr_el2
	ldr	w0, [x0, #CPU_ID]
	add	x0, x0, #1
	lsl	x0, x0, #PANIC_STACK_SHIFT
	mov	sp, x0
	adrp	x0, panic_stacks
	add	x0, x0, :lo12:panic_stacks
	add	sp, sp, x0
	sub	sp, sp, #(34 * 8)
	mrs	x0, tpidr_el1
	stp	x0, x1, [sp, #0]
	mov	x0, #\kind
	b	host_exception
	.endm

	.macro	vector
	.balign	128
	.endm

	.section .text.vectors, "ax"
	.balign	2048
	.global	el2_vectors
el2_vectors:
	/* Current EL with SP_EL0: never used. */
	vector
	host_entry 4
	vector
	host_entry 4
	vector
	host_entry 4
	vector
	host_entry 4

	/* Current EL with SP_EL2. */
	vector
	host_entry 0
	vector
	b	host_irq
	vector
	b	host_irq
	vector
	host_entry 3

	/* Lower EL, AArch64. */
	vector
	b	guest_sync
	vector
	b	guest_irq
	vector
	b	guest_irq
	vector
	b	guest_serror

	/* Lower EL, AArch32: EL1 is AArch64 always (HCR_EL2.RW), so never taken. */
	vector
	b	guest_serror
	vector
	b	guest_serror
	vector
	b	guest_serror
	vector
	b	guest_serror

	.text
	.balign	64
guest_sync:
	save_caller
	mrs	x1, esr_el2
	lsr	x2, x1, #26
	cmp	x2, #0x16			/* HVC from AArch64 */
	b.ne	1f
	mov	x0, sp
	bl	guest_hvc
	return_to_guest
1:	x19_to_x29 stp, str
	mov	x0, sp
	bl	guest_trap
	x19_to_x29 ldp, ldr
	return_to_guest

	.balign	64
guest_irq:
	save_caller
	mov	x0, sp
	bl	guest_interrupt
	return_to_guest

guest_serror:
	save_caller
	x19_to_x29 stp, str
	mov	x0, sp
	bl	guest_system_error
	x19_to_x29 ldp, ldr
	return_to_guest

/* void vcpu_run_frame(struct guest_frame *): all registers come from the frame. */
	.global	vcpu_run_frame
vcpu_run_frame:
	mov	sp, x0
	x19_to_x29 ldp, ldr
	return_to_guest

/*
 * Interrupt of a host thread.  It may switch to another thread, so ELR and SPSR are
 * kept on this thread's stack.
 */
	.balign	64
host_irq:
	sub	sp, sp, #(24 * 8)
	x0_to_x17 stp
	stp	x18, x29, [sp, #144]
	mrs	x0, elr_el2
	mrs	x1, spsr_el2
	stp	x30, x0, [sp, #160]
	str	x1, [sp, #176]
	bl	host_interrupt
	ldr	x1, [sp, #176]
	ldp	x30, x0, [sp, #160]
	msr	spsr_el2, x1
	msr	elr_el2, x0
	x0_to_x17 ldp
	ldp	x18, x29, [sp, #144]
	add	sp, sp, #(24 * 8)
	eret
	dsb	nsh
	isb

/* A fault of our own: the registers as a struct host_frame, then C, for ever. */
host_exception:
	stp	x2, x3, [sp, #16]
	stp	x4, x5, [sp, #32]
	stp	x6, x7, [sp, #48]
	stp	x8, x9, [sp, #64]
	stp	x10, x11, [sp, #80]
	stp	x12, x13, [sp, #96]
	stp	x14, x15, [sp, #112]
	stp	x16, x17, [sp, #128]
	stp	x18, x19, [sp, #144]
	stp	x20, x21, [sp, #160]
	stp	x22, x23, [sp, #176]
	stp	x24, x25, [sp, #192]
	stp	x26, x27, [sp, #208]
	stp	x28, x29, [sp, #224]
	mrs	x2, tpidr_el0
	stp	x30, x2, [sp, #240]
	mrs	x2, elr_el2
	mrs	x3, spsr_el2
	stp	x2, x3, [sp, #256]
	mov	x1, sp
	bl	host_fault

/*
 * void arch_context_switch(struct arch_context *from, struct arch_context *to)
 *
 * ELR and SPSR belong to the thread: a vCPU's hold where its guest goes on, and any
 * interrupt of the next thread overwrites them.
 */
	.global	arch_context_switch
arch_context_switch:
	stp	x19, x20, [x0, #0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	mov	x2, sp
	stp	x29, x2, [x0, #80]
	mrs	x3, elr_el2
	mrs	x4, spsr_el2
	stp	x30, x3, [x0, #96]
	str	x4, [x0, #112]
	ldp	x19, x20, [x1, #0]
	ldp	x21, x22, [x1, #16]
	ldp	x23, x24, [x1, #32]
	ldp	x25, x26, [x1, #48]
	ldp	x27, x28, [x1, #64]
	ldp	x29, x2, [x1, #80]
	ldp	x30, x3, [x1, #96]
	ldr	x4, [x1, #112]
	msr	elr_el2, x3
	msr	spsr_el2, x4
	mov	sp, x2
	ret

/* First code of a thread: x19 = fn, x20 = arg (arch_context_init). */
	.global	thread_trampoline
thread_trampoline:
	bl	sched_finish_switch
	msr	daifclr, #2
	mov	x0, x20
	mov	x29, xzr
	mov	x30, xzr
	br	x19

/* void arch_stack_restart(void *stack_top, void (*fn)(void *), void *arg) */
	.global	arch_stack_restart
arch_stack_restart:
	mov	sp, x0
	mov	x0, x2
	mov	x29, xzr
	mov	x30, xzr
	br	x1

	.section .note.GNU-stack, "", %progbits
