/* SPDX-License-Identifier: Apache-2.0 */
/* Entry, exception vectors and the few other things that C cannot say. */

	.macro	lea reg, symbol
	adrp	\reg, \symbol
	add	\reg, \reg, :lo12:\symbol
	.endm

/* Documentation/arm64/booting.rst: the Image header. */
	.section .head, "ax"
	.globl	_start
_start:
	b	entry
	.long	0
	.quad	0x80000			/* text_offset */
	.quad	_image_end - . + 16	/* image_size */
	.quad	0xa			/* little-endian, 4 KiB pages, anywhere */
	.quad	0, 0, 0
	.ascii	"ARM\x64"
	.long	0

	.text
/* x0: device tree, or 0. */
entry:
	mrs	x20, daif
	mrs	x21, sctlr_el1
	mrs	x22, CurrentEL
	mov	x23, x0
	lea	x1, _bss_start
	lea	x2, _bss_end
1:	stp	xzr, xzr, [x1], #16
	cmp	x1, x2
	b.lo	1b
	adr	x0, _start
	lea	x1, _rela_start
	lea	x2, _rela_end
2:	cmp	x1, x2
	b.hs	3f
	ldp	x3, x4, [x1], #16	/* R_AARCH64_RELATIVE only, as the build checks */
	ldr	x5, [x1], #8
	add	x5, x5, x0
	str	x5, [x0, x3]
	b	2b
3:	lea	x1, entry_state
	stp	x20, x21, [x1]
	stp	x22, x23, [x1, #16]
	lea	x0, boot_stack_top
	mov	sp, x0
	lea	x19, rt_cpus
	bl	cpu_init
	mov	x0, x23
	b	rt_main

/* x0: struct rt_cpu; how the floating-point registers are is kept for a case. */
	.globl	secondary_entry
secondary_entry:
	mov	x19, x0
	ldr	x1, [x0]
	mov	sp, x1
	bl	cpu_init
	mov	x0, x19
	b	rt_secondary

cpu_init:
	msr	tpidr_el1, x19
	lea	x0, vectors
	msr	vbar_el1, x0
	mov	x0, #(3 << 20)		/* CPACR_EL1.FPEN */
	msr	cpacr_el1, x0
	isb
	ret

/* int arch_ctx_save(struct rt_ctx *), as setjmp. */
	.globl	arch_ctx_save
arch_ctx_save:
	stp	x19, x20, [x0]
	stp	x21, x22, [x0, #16]
	stp	x23, x24, [x0, #32]
	stp	x25, x26, [x0, #48]
	stp	x27, x28, [x0, #64]
	stp	x29, x30, [x0, #80]
	mov	x1, sp
	str	x1, [x0, #96]
	mov	x0, #0
	ret

	.globl	arch_ctx_restore
arch_ctx_restore:
	ldp	x19, x20, [x0]
	ldp	x21, x22, [x0, #16]
	ldp	x23, x24, [x0, #32]
	ldp	x25, x26, [x0, #48]
	ldp	x27, x28, [x0, #64]
	ldp	x29, x30, [x0, #80]
	ldr	x1, [x0, #96]
	mov	sp, x1
	msr	daifset, #0xf
	mov	x0, #1
	ret

/* A trap_frame (arch.h) on the stack, then trap(frame, number of the vector). */
	.macro	vector number
	.balign	128
	sub	sp, sp, #288
	stp	x0, x1, [sp]
	mov	x0, #\number
	b	vector_common
	.endm

	.balign	2048
vectors:
	.irp	n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	vector	\n
	.endr

vector_common:
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
	mrs	x2, elr_el1
	stp	x30, x2, [sp, #240]
	mrs	x2, spsr_el1
	mrs	x3, esr_el1
	stp	x2, x3, [sp, #256]
	mrs	x2, far_el1
	str	x2, [sp, #272]
	mov	x1, x0
	mov	x0, sp
	bl	trap
	ldp	x30, x2, [sp, #240]
	msr	elr_el1, x2
	ldr	x2, [sp, #256]
	msr	spsr_el1, x2
	ldp	x28, x29, [sp, #224]
	ldp	x26, x27, [sp, #208]
	ldp	x24, x25, [sp, #192]
	ldp	x22, x23, [sp, #176]
	ldp	x20, x21, [sp, #160]
	ldp	x18, x19, [sp, #144]
	ldp	x16, x17, [sp, #128]
	ldp	x14, x15, [sp, #112]
	ldp	x12, x13, [sp, #96]
	ldp	x10, x11, [sp, #80]
	ldp	x8, x9, [sp, #64]
	ldp	x6, x7, [sp, #48]
	ldp	x4, x5, [sp, #32]
	ldp	x2, x3, [sp, #16]
	ldp	x0, x1, [sp]
	add	sp, sp, #288
	eret

/*
 * void call_with_registers(uint64_t x[31], bool smc): loads x0..x30 from the array,
 * calls, and stores them all back.
 */
	.globl	call_with_registers
call_with_registers:
	stp	x29, x30, [sp, #-112]!
	stp	x19, x20, [sp, #16]
	stp	x21, x22, [sp, #32]
	stp	x23, x24, [sp, #48]
	stp	x25, x26, [sp, #64]
	stp	x27, x28, [sp, #80]
	str	x0, [sp, #96]
	msr	tpidr_el0, x0
	cbnz	w1, 2f
	adr	x1, 1f
	b	3f
2:	adr	x1, 4f
3:
	ldp	x2, x3, [x0, #16]
	ldp	x4, x5, [x0, #32]
	ldp	x6, x7, [x0, #48]
	ldp	x8, x9, [x0, #64]
	ldp	x10, x11, [x0, #80]
	ldp	x12, x13, [x0, #96]
	ldp	x14, x15, [x0, #112]
	ldp	x16, x17, [x0, #128]
	ldp	x18, x19, [x0, #144]
	ldp	x20, x21, [x0, #160]
	ldp	x22, x23, [x0, #176]
	ldp	x24, x25, [x0, #192]
	ldp	x26, x27, [x0, #208]
	ldp	x28, x29, [x0, #224]
	ldr	x30, [x0, #240]
	br	x1
1:	ldr	x1, [x0, #8]
	ldr	x0, [x0]
	hvc	#0
	b	5f
4:	ldr	x1, [x0, #8]
	ldr	x0, [x0]
	smc	#0
5:	str	x30, [sp, #104]
	mrs	x30, tpidr_el0
	stp	x0, x1, [x30]
	stp	x2, x3, [x30, #16]
	stp	x4, x5, [x30, #32]
	stp	x6, x7, [x30, #48]
	stp	x8, x9, [x30, #64]
	stp	x10, x11, [x30, #80]
	stp	x12, x13, [x30, #96]
	stp	x14, x15, [x30, #112]
	stp	x16, x17, [x30, #128]
	stp	x18, x19, [x30, #144]
	stp	x20, x21, [x30, #160]
	stp	x22, x23, [x30, #176]
	stp	x24, x25, [x30, #192]
	stp	x26, x27, [x30, #208]
	stp	x28, x29, [x30, #224]
	ldr	x0, [sp, #104]
	str	x0, [x30, #240]
	ldp	x19, x20, [sp, #16]
	ldp	x21, x22, [sp, #32]
	ldp	x23, x24, [sp, #48]
	ldp	x25, x26, [sp, #64]
	ldp	x27, x28, [sp, #80]
	ldp	x29, x30, [sp], #112
	ret

/* uint64_t run_word(uint32_t *code, uint64_t x0_value): runs code[0]; ret. */
	.globl	run_word
run_word:
	stp	x29, x30, [sp, #-16]!
	mov	x9, x0
	mov	x0, x1
	blr	x9
	ldp	x29, x30, [sp], #16
	ret

/* void fp_fill(uint64_t seed): v0..v31, FPCR and FPSR. */
	.globl	fp_fill
fp_fill:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	add	x1, x0, #\n
	dup	v\n\().2d, x1
	mvn	x1, x1
	mov	v\n\().d[1], x1
	.endr
	and	x1, x0, #0x1f
	msr	fpsr, x1
	ubfx	x1, x0, #5, #2
	lsl	x1, x1, #22		/* rounding mode */
	msr	fpcr, x1
	ret

/* uint64_t fp_check(uint64_t seed): 0, or 1 + the register that differs (32: FPSR, FPCR). */
	.globl	fp_check
fp_check:
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	mov	x3, #\n + 1
	add	x1, x0, #\n
	mov	x2, v\n\().d[0]
	cmp	x1, x2
	b.ne	9f
	mvn	x1, x1
	mov	x2, v\n\().d[1]
	cmp	x1, x2
	b.ne	9f
	.endr
	mov	x3, #33
	and	x1, x0, #0x1f
	mrs	x2, fpsr
	cmp	x1, x2
	b.ne	9f
	ubfx	x1, x0, #5, #2
	mrs	x2, fpcr
	cmp	x1, x2, lsr #22
	b.ne	9f
	mov	x3, #0
9:	mov	x0, x3
	ret

/* uint64_t fp_or(void): all of v0..v31 or-ed together. */
	.globl	fp_or
fp_or:
	mov	x0, #0
	.irp	n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	mov	x1, v\n\().d[0]
	orr	x0, x0, x1
	mov	x1, v\n\().d[1]
	orr	x0, x0, x1
	.endr
	ret

	.bss
	.balign	16
	.skip	16384
boot_stack_top:
	.globl	entry_state
entry_state:
	.skip	32

	.section .note.GNU-stack, "", %progbits
