/* SPDX-License-Identifier: Apache-2.0 */
/*
 * EL2's address space: first a coarse map to have caches at all, made with the MMU
 * off, then the real one.  TLB invalidation of both stages.
 */
#include "mmu.h"
#include "el2.h"
#include "pt_vmsa.h"
#include "sysreg.h"

#include <hv/arch_mm.h>
#include <hv/bug.h>
#include <hv/hv_map.h>
#include <hv/log.h>
#include <hv/stage2.h>
#include <hv/vm.h>

#include <errno.h>

#define BOOT_L1_TABLES 8 /* 512 GiB each, so RAM below 4 TiB in up to 8 places */

/* Block of 1 GiB: AF, inner shareable, EL2 read-write; MAIR index in bits 4:2. */
#define BOOT_BLOCK  (UINT64_C(1) | BIT64(10) | UINT64_C(3) << 8 | BIT64(6))
#define BOOT_NORMAL UINT64_C(0)
#define BOOT_TABLE  UINT64_C(3)

/* SCTLR_EL2: RES1 bits, I-cache, stack alignment check, D-cache, MMU. */
#define SCTLR_EL2_ON (UINT64_C(0x30c50830) | BIT64(12) | BIT64(3) | BIT64(2) | BIT64(0))
/* Writable memory is never executable, whatever its entry says. */
#define SCTLR_EL2_WXN BIT64(19)

/* Read by mmu_enable() on cores whose caches are off: cleaned by mmu_publish(). */
uint64_t boot_regs[3];

static __attribute__((aligned(4096))) uint64_t boot_l0[512];
static __attribute__((aligned(4096))) uint64_t boot_l1[BOOT_L1_TABLES][512];
static uint32_t boot_l1_used;

extern uint8_t _image_start[], _text_end[], _rodata_end[], _image_end[], boot_stack[];

static void boot_map_gib(uint64_t addr)
{
	uint64_t *l0 = &boot_l0[addr >> 39 & 511];
	uint64_t *l1;

	if (*l0 == 0) {
		if (boot_l1_used == BOOT_L1_TABLES) {
			return; /* that memory stays unused until the real map */
		}
		*l0 = (uint64_t)boot_l1[boot_l1_used++] | BOOT_TABLE;
	}
	l1 = (uint64_t *)(*l0 & UINT64_C(0xfffffffff000));
	l1[addr >> 30 & 511] = ALIGN_DOWN(addr, GiB) | BOOT_BLOCK | BOOT_NORMAL << 2;
}

uint64_t *boot_map_init(uint64_t dtb)
{
	struct pt_shape shape;
	uint64_t tcr = 0;

	boot_map_gib((uint64_t)_image_start);
	boot_map_gib((uint64_t)_image_end - 1);
	boot_map_gib(dtb);
	boot_map_gib(dtb + BOOT_DTB_MAX - 1);
	/* Cannot fail with a size that the processor reports. */
	if (vmsa_el2_layout(vmsa_pa_bits(sysreg_read(ID_AA64MMFR0_EL1)), &shape, &tcr) != 0) {
		arch_halt();
	}
	boot_regs[0] = VMSA_MAIR_EL2;
	boot_regs[1] = tcr;
	boot_regs[2] = SCTLR_EL2_ON;
	return boot_l0;
}

void boot_map_ram(const struct machine *m)
{
	for (uint32_t i = 0; i < m->bank_count; i++) {
		uint64_t end = m->bank[i].base.a + m->bank[i].size;

		for (uint64_t at = ALIGN_DOWN(m->bank[i].base.a, GiB); at < end; at += GiB) {
			boot_map_gib(at);
		}
	}
	/* From invalid to valid: no TLB holds the old entries. */
	dsb(ishst);
	isb();
}

bool boot_map_covers(uint64_t addr)
{
	uint64_t l0 = boot_l0[addr >> 39 & 511];

	return l0 != 0 && ((uint64_t *)(l0 & UINT64_C(0xfffffffff000)))[addr >> 30 & 511] != 0;
}

/*
 * A guest starts with MMU and caches off, and reads what we wrote through ours: clean
 * to the point of coherency, and drop stale instructions (DDI 0487, B2.7.4 and D7.5).
 */
void arch_cache_image_range(const void *p, size_t len)
{
	uint64_t start = (uint64_t)p;

	if (len != 0) {
		cache_clean_inval(start, start + len);
		__asm__ volatile("ic ialluis\n\tdsb ish\n\tisb" ::: "memory");
	}
}

void arch_cache_dma_range(const void *p, size_t len)
{
	uint64_t start = (uint64_t)p;

	if (len != 0) {
		dsb(sy); /* our stores come before their clean */
		cache_clean_inval(start, start + len);
	}
}

/* ---- Invalidation ----------------------------------------------------------------- */

static void table_publish(struct pt *pt)
{
	(void)pt;
	dsb(ishst);
}

/* More pages than this and the whole tree goes at once. */
#define TLBI_MAX_PAGES 512

static void el2_invalidate(struct pt *pt, const struct pt_inval *inv)
{
	(void)pt;
	dsb(ishst);
	if (inv->all || inv->tables) {
		__asm__ volatile("tlbi alle2is");
	}
	for (uint32_t i = 0; i < inv->count && !inv->all; i++) {
		const struct pt_inval_range *r = &inv->range[i];
		uint64_t stride = PAGE_SIZE << (9 * r->level);

		if (r->size / stride > TLBI_MAX_PAGES) {
			__asm__ volatile("tlbi alle2is");
			break;
		}
		for (uint64_t at = r->in; at - r->in < r->size; at += stride) {
			__asm__ volatile("tlbi vae2is, %0" ::"r"(at >> 12 & (BIT64(44) - 1)));
		}
	}
	dsb(ish);
	isb();
}

/* This core's own walks: the ISB makes the next instruction see the new entry. */
static void el2_publish(struct pt *pt)
{
	table_publish(pt);
	isb();
}

static const struct pt_ops el2_ops = {
	.publish = el2_publish,
	.invalidate = el2_invalidate,
};

/*
 * Stage 2 by IPA, then all of stage 1 of that VMID, since those entries may combine
 * both stages (DDI 0487, D8.16.4).  The VMID is that of VTTBR_EL2, so a tree other
 * than the one in use is put there for the moment.
 */
static void s2_invalidate(struct pt *pt, const struct pt_inval *inv)
{
	struct stage2 *s2 = container_of(pt, struct stage2, pt);
	uint64_t vttbr = sysreg_read(VTTBR_EL2);
	bool all = inv->all || inv->tables;

	dsb(ishst);
	sysreg_write(VTTBR_EL2, mmu_vttbr(s2));
	isb();
	for (uint32_t i = 0; i < inv->count && !all; i++) {
		const struct pt_inval_range *r = &inv->range[i];
		uint64_t stride = PAGE_SIZE << (9 * r->level);

		if (r->size / stride > TLBI_MAX_PAGES) {
			all = true;
			break;
		}
		for (uint64_t at = r->in; at - r->in < r->size; at += stride) {
			__asm__ volatile("tlbi ipas2e1is, %0" ::"r"(at >> 12 & (BIT64(36) - 1)));
		}
	}
	dsb(ish);
	if (all) {
		__asm__ volatile("tlbi vmalls12e1is");
	} else {
		__asm__ volatile("tlbi vmalle1is");
	}
	dsb(ish);
	isb();
	sysreg_write(VTTBR_EL2, vttbr);
	isb();
}

const struct pt_ops mmu_s2_ops = {
	.publish = table_publish,
	.invalidate = s2_invalidate,
};

uint64_t mmu_vttbr(const struct stage2 *s2)
{
	return s2->pt.root.a | (uint64_t)s2->vmid << 48;
}

/* ---- The real map ------------------------------------------------------------------- */

static int map_image(void)
{
	uint64_t text = (uint64_t)_image_start;
	uint64_t rodata = (uint64_t)_text_end;
	uint64_t data = (uint64_t)_rodata_end;
	uint64_t end = ALIGN_UP((uint64_t)_image_end, PAGE_SIZE);
	int err = pt_protect(&hv_pt, text, rodata - text, PT_R | PT_X, NULL, NULL);

	if (err == 0 && data > rodata) {
		err = pt_protect(&hv_pt, rodata, data - rodata, PT_R, NULL, NULL);
	}
	if (err == 0) {
		err = pt_protect(&hv_pt, data, end - data, PT_R | PT_W, NULL, NULL);
	}
	/* The boot core's stack, later its idle thread's, has its guard page, too. */
	return err != 0 ? err : pt_unmap(&hv_pt, (uint64_t)boot_stack, PAGE_SIZE, NULL);
}

/* RAM without what firmware wants unmapped. */
static int map_ram(const struct machine *m, struct rangeset *ram)
{
	int err = 0;

	rangeset_init(ram);
	for (uint32_t i = 0; i < m->bank_count && err == 0; i++) {
		uint64_t start = ALIGN_UP(m->bank[i].base.a, PAGE_SIZE);
		uint64_t end = ALIGN_DOWN(m->bank[i].base.a + m->bank[i].size, PAGE_SIZE);

		err = rangeset_add(ram, start, end - start, 0);
	}
	for (uint32_t i = 0; i < m->reserved_count && err == 0; i++) {
		if (m->reserved[i].no_map) {
			uint64_t start = ALIGN_DOWN(m->reserved[i].range.base.a, PAGE_SIZE);
			uint64_t end = ALIGN_UP(
				m->reserved[i].range.base.a + m->reserved[i].range.size, PAGE_SIZE);

			err = rangeset_subtract(ram, start, end - start);
		}
	}
	for (uint32_t i = 0; i < ram->count && err == 0; i++) {
		err = pt_map(&hv_pt, ram->range[i].start, hpa(ram->range[i].start),
			     ram->range[i].size, PT_R | PT_W, NULL);
	}
	return err;
}

int mmu_init(const struct machine *m, struct rangeset *scratch)
{
	struct pt_shape shape;
	uint64_t tcr;
	int err = vmsa_el2_layout(el2_features.pa_bits, &shape, &tcr);

	err = err != 0 ? err : pt_init(&hv_pt, &shape, &el2_ops, OWNER_HV);
	err = err != 0 ? err : map_ram(m, scratch);
	err = err != 0 ? err : map_image();
	if (err != 0) {
		return err;
	}
	boot_regs[1] = tcr;
	mmu_switch(hv_pt.root.a);
	boot_regs[2] = SCTLR_EL2_ON | SCTLR_EL2_WXN;
	sysreg_write(SCTLR_EL2, boot_regs[2]);
	isb();
	cache_clean_inval((uint64_t)boot_regs, (uint64_t)boot_regs + sizeof(boot_regs));
	return 0;
}
