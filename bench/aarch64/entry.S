/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bench guest's entries, vectors and measured instructions.
 *
 * It is linked at the address that its configurations load it to and runs with the
 * MMU off.  The entry point chooses what is measured (bench.c): _start + 4 * mode.
 */
	.section .head, "ax"
	.global	_start
_start:
	b	solo		/* entry_point = 0x8000_0000 */
	b	pair		/* entry_point = 0x8000_0004 */
solo:	mrs	x20, cntpct_el0	/* the very first thing: how long it took to come here */
	mov	x19, #0
	b	start
pair:	mrs	x20, cntpct_el0
	mov	x19, #1
start:
	adrp	x0, stack_first
	add	x0, x0, :lo12:stack_first
	mov	sp, x0
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0
	isb
	mov	x0, x19
	mov	x1, x20
	mov	x29, xzr
	bl	bench_main

	/* void second_entry(void): where PSCI CPU_ON starts the second vCPU. */
	.global	second_entry
second_entry:
	adrp	x0, stack_second
	add	x0, x0, :lo12:stack_second
	mov	sp, x0
	adrp	x0, vectors
	add	x0, x0, :lo12:vectors
	msr	vbar_el1, x0
	isb
	mov	x29, xzr
	bl	bench_second

	.text
	.balign	2048
vectors:
	.rept	4
	mov	x0, #0
	b	fault
	.balign	128
	.endr
	mov	x0, #4
	b	fault
	.balign	128
	/* IRQ with SP_EL1. x18 is the handler's address; x0..x3 are the handlers'. */
	br	x18
	.balign	128
	.rept	10
	mov	x0, #5
	b	fault
	.balign	128
	.endr

fault:	mrs	x1, esr_el1
	mrs	x2, elr_el1
	mrs	x3, far_el1
	bl	bench_fault

/*
 * Each op_* runs its instruction x0 times.  A turn is the two instructions of the loop,
 * which op_nothing has alone, and those between the labels, which are what is counted.
 */
	.macro	op name
	.balign	64
	.global	op_\name
op_\name:
	mov	x19, x0
	.endm
	.macro	end_op
	subs	x19, x19, #1
	b.ne	1b
	ret
	.endm
	/* C calls these as functions: x19 is kept in the frame of op_call. */

	op	nothing
1:	end_op

	op	psci_version
1:	mov	w0, #0x84000000
	hvc	#0
	end_op

	op	hypercall
1:	mov	x0, #2
	hvc	#0
	end_op

	/* x1: the register's address */
	op	read
1:	ldr	w0, [x1]
	end_op

	/* The same code, so that a profile tells them apart by their names. */
	op	read_bits
1:	ldr	w0, [x1]
	end_op

	op	read_uart
1:	ldr	w0, [x1]
	end_op

	/* x1: GICD_ISENABLER<n>, x2: GICD_ICENABLER<n>, w3: what is written to both */
	op	write_bits
1:	str	w3, [x1]
	str	w3, [x2]
	end_op

	/* x1: what is written to ICC_SGI1R_EL1.  The interrupt is taken behind it. */
	op	sgi
	adr	x18, sgi_taken
	msr	daifclr, #2
1:	msr	s3_0_c12_c11_5, x1
	isb
	end_op

	/* Ends it: five instructions with the vector's branch and the return. */
sgi_taken:
	mrs	x0, s3_0_c12_c12_0	/* ICC_IAR1_EL1 */
	msr	s3_0_c12_c12_1, x0	/* ICC_EOIR1_EL1 */
	add	x4, x4, #1
	eret

	/*
	 * uint64_t op_deadline_busy(uint64_t cval, uint64_t nops): the virtual timer fires
	 * while the guest spins.  Returns CNTVCT at the handler's first instruction plus
	 * `nops` (0 to 15) more.
	 */
	.balign	64
	.global	op_deadline_busy
op_deadline_busy:
	adr	x18, timer_taken
	adr	x2, nops_end
	sub	x17, x2, x1, lsl #2
	mov	x4, #0
	msr	cntv_cval_el0, x0
	mov	x3, #1
	msr	cntv_ctl_el0, x3
	isb
	msr	daifclr, #2
1:	cbz	x4, 1b
	msr	daifset, #2
	mov	x0, x4
	ret

	.balign	64
	.global	op_deadline_wfi
op_deadline_wfi:
	adr	x18, timer_taken
	adr	x2, nops_end
	sub	x17, x2, x1, lsl #2
	mov	x4, #0
	msr	cntv_cval_el0, x0
	mov	x3, #1
	msr	cntv_ctl_el0, x3
	isb
	msr	daifclr, #2
1:	wfi
	cbz	x4, 1b
	msr	daifset, #2
	mov	x0, x4
	ret

	/* Behind the vector's branch: this one, the nops, the read. */
timer_taken:
	br	x17
	.rept	16
	nop
	.endr
nops_end:
	mrs	x4, cntvct_el0
	mov	x3, #0
	msr	cntv_ctl_el0, x3
	mrs	x0, s3_0_c12_c12_0
	msr	s3_0_c12_c12_1, x0
	isb
	eret

/*
 * void op_pingpong(uint64_t turns, uint64_t sgi1r): sends an SGI to the other vCPU and
 * waits for its answer, IRQs masked: WFI ends when one is pending.
 */
	.balign	64
	.global	op_pingpong
op_pingpong:
1:	msr	s3_0_c12_c11_5, x1
	isb
2:	wfi
	mrs	x2, s3_0_c12_c12_0
	cmp	w2, #1020
	b.hs	2b
	msr	s3_0_c12_c12_1, x2
	subs	x0, x0, #1
	b.ne	1b
	ret

/* void pong(uint64_t sgi1r): answers each for ever; SGI 1 ends it. */
	.balign	64
	.global	pong
pong:
2:	wfi
	mrs	x2, s3_0_c12_c12_0
	cmp	w2, #1020
	b.hs	2b
	msr	s3_0_c12_c12_1, x2
	cmp	w2, #1
	b.eq	3f
	msr	s3_0_c12_c11_5, x0
	isb
	b	2b
3:	ret

	/* uint64_t op_call(op, n, x1, x2, x3): ticks that op(n) takes. */
	.balign	64
	.global	op_call
op_call:
	stp	x29, x30, [sp, #-32]!
	stp	x18, x19, [sp, #16]
	mov	x16, x0
	mov	x0, x1
	mov	x1, x2
	mov	x2, x3
	mov	x3, x4
	mov	x4, #0
	isb
	mrs	x5, cntvct_el0
	str	x5, [sp, #-16]!
	blr	x16
	msr	daifset, #2
	isb
	mrs	x0, cntvct_el0
	ldr	x5, [sp], #16
	sub	x0, x0, x5
	ldp	x18, x19, [sp, #16]
	ldp	x29, x30, [sp], #32
	ret

	.bss
	.balign	16
	.space	8192
stack_first:
	.space	8192
stack_second:

	.section .note.GNU-stack, "", %progbits
