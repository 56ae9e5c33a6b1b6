/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entry of the image: the arm64 boot protocol (Linux Documentation/arch/arm64/
 * booting.rst): anywhere in RAM on a 2 MiB boundary, at EL2, MMU and D-cache off,
 * x0 = the device tree.  The code is position-independent; its R_AARCH64_RELATIVE
 * relocations are applied here, once, before any C runs.
 */
#include "arch_offsets.h"

	.section .head, "ax"
	.global	_start
_start:
	b	boot
	.long	0
	.quad	0			/* text_offset */
	.quad	_image_end - . + 16	/* image_size, .bss included: _image_end - _start */
	.quad	0xa			/* little endian, 4 KiB pages, anywhere in RAM */
	.quad	0
	.quad	0
	.quad	0
	.ascii	"ARM\x64"
	.long	0

boot:
	mov	x20, x0			/* device tree */
	mrs	x0, CurrentEL
	mov	x21, x0
	cmp	x0, #(2 << 2)
	b.ne	1f
	/* Little endian, MMU and caches off, whatever the loader left. */
	ldr	x0, =0x30c50830		/* SCTLR_EL2: the RES1 bits */
	msr	sctlr_el2, x0
	isb
1:
	adrp	x1, _bss_start
	add	x1, x1, :lo12:_bss_start
	adrp	x2, _bss_end
	add	x2, x2, :lo12:_bss_end
1:	cmp	x1, x2
	b.hs	2f
	stp	xzr, xzr, [x1, #0]
	stp	xzr, xzr, [x1, #16]
	stp	xzr, xzr, [x1, #32]
	stp	xzr, xzr, [x1, #48]
	add	x1, x1, #64
	b	1b

	/* Elf64_Rela {offset, info, addend}: *(base + offset) = base + addend. */
2:	adrp	x0, _start
	adrp	x1, _rela_start
	add	x1, x1, :lo12:_rela_start
	adrp	x2, _rela_end
	add	x2, x2, :lo12:_rela_end
3:	cmp	x1, x2
	b.hs	4f
	ldp	x3, x4, [x1]
	ldr	x5, [x1, #16]
	cmp	w4, #1027		/* R_AARCH64_RELATIVE */
	b.ne	.			/* the build checks that there is no other */
	add	x5, x5, x0
	str	x5, [x0, x3]
	add	x1, x1, #24
	b	3b

	/* The top byte stays zero, so that a runaway string copy stops there. */
4:	mrs	x0, cntpct_el0
	ldr	x1, =0x00a5c3965a3c6900
	eor	x0, x0, x1
	and	x0, x0, #0x00ffffffffffffff
	adrp	x1, __stack_chk_guard
	str	x0, [x1, :lo12:__stack_chk_guard]

	adrp	x0, boot_stack_top
	add	x0, x0, :lo12:boot_stack_top
	mov	sp, x0
	cmp	x21, #(2 << 2)
	b.ne	wrong_el
	adrp	x0, el2_vectors
	add	x0, x0, :lo12:el2_vectors
	msr	vbar_el2, x0
	adrp	x0, cpus
	add	x0, x0, :lo12:cpus
	msr	tpidr_el2, x0		/* the boot core is index 0 */

	/* The loader may have run with caches on: nothing of ours may be stale in them. */
	adrp	x0, _start
	adrp	x1, _image_end
	add	x1, x1, :lo12:_image_end
	bl	cache_clean_inval
	mov	x0, x20
	bl	boot_map_init		/* x0 = device tree; returns the table */
	bl	mmu_enable
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x20
	b	boot_main

wrong_el:
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x20
	b	boot_wrong_el

/* void cache_clean_inval(start, end): to the point of coherency (Arm ARM D7.5). */
	.global	cache_clean_inval
cache_clean_inval:
	mrs	x3, ctr_el0
	ubfx	x3, x3, #16, #4		/* DminLine: log2 of words */
	mov	x2, #4
	lsl	x2, x2, x3
	sub	x3, x2, #1
	bic	x0, x0, x3
1:	dc	civac, x0
	add	x0, x0, x2
	cmp	x0, x1
	b.lo	1b
	dsb	sy
	ret

/* void mmu_enable(x0 = root): MAIR, TCR and SCTLR from boot_regs; from off to on. */
	.global	mmu_enable
mmu_enable:
	adrp	x1, boot_regs
	add	x1, x1, :lo12:boot_regs
	ldp	x2, x3, [x1]		/* MAIR, TCR */
	ldr	x4, [x1, #16]		/* SCTLR */
	msr	mair_el2, x2
	msr	tcr_el2, x3
	msr	ttbr0_el2, x0
	tlbi	alle2
	ic	iallu
	dsb	nsh
	isb
	msr	sctlr_el2, x4
	isb
	ret

/*
 * void mmu_switch(x0 = root): another table for the same memory.  The sizes of
 * mappings differ between the two, which only goes with the MMU off (Arm ARM
 * D8.16.1, break-before-make); this code is mapped 1:1 in both, and no data is
 * touched in between.
 */
	.global	mmu_switch
mmu_switch:
	mrs	x1, sctlr_el2
	bic	x2, x1, #1
	dsb	sy
	msr	sctlr_el2, x2
	isb
	msr	ttbr0_el2, x0
	tlbi	alle2
	dsb	nsh
	isb
	msr	sctlr_el2, x1
	isb
	ret

/*
 * PSCI CPU_ON brings other cores here: EL2, MMU off, x0 = physical address of the
 * core's struct secondary_start {root, stack, cpu} that was cleaned to memory.
 */
	.global	secondary_start
secondary_start:
	mov	x20, x0
	ldr	x0, =0x30c50830
	msr	sctlr_el2, x0
	isb
	adrp	x0, el2_vectors
	add	x0, x0, :lo12:el2_vectors
	msr	vbar_el2, x0
	ldp	x0, x21, [x20]
	ldr	x22, [x20, #16]
	msr	tpidr_el2, x22
	bl	mmu_enable
	mov	sp, x21
	mov	x29, xzr
	mov	x30, xzr
	mov	x0, x22
	b	secondary_main

	.ltorg

	.section .bss.stack, "aw", %nobits
	.balign	4096
	/* The lowest page is unmapped once there is a map (mmu.c). */
	.global	boot_stack
boot_stack:
	.skip	36864
	.global	boot_stack_top
boot_stack_top:
	.global	panic_stacks
panic_stacks:
	.skip	32 << PANIC_STACK_SHIFT

	.section .note.GNU-stack, "", %progbits
