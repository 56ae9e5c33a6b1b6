/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_arch.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <arch_inline.h>
#include <hv/arch_mm.h>
#include <hv/bug.h>
#include <hv/page.h>

static struct {
	hpa_t base;
	uint64_t size;
	uint8_t *mem;
} banks[FAKE_BANKS];
static uint32_t bank_count;

struct fake_tlb_event fake_tlb[FAKE_TLB_EVENTS];
uint32_t fake_tlb_count;
void (*fake_tlb_hook)(struct pt *pt, enum fake_tlb_op op, const struct pt_inval *inv);
uint64_t fake_irq_off;
void (*fake_panic_hook)(const char *text);
void (*fake_relax_hook)(void);
void (*fake_irq_hook)(void);

void hv_panic(const char *fmt, ...)
{
	static char text[256]; /* read after the jump */
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (fake_panic_hook != NULL) {
		fake_panic_hook(text);
	}
	fprintf(stderr, "hv_panic: %s\n", text);
	abort();
}

void arch_cpu_relax(void)
{
	if (fake_relax_hook != NULL) {
		fake_relax_hook();
		return;
	}
	/* There is no other core that could release the lock. */
	hv_panic("waiting for a lock that nobody will release");
}

uint64_t arch_irq_save(void)
{
	uint64_t was = fake_irq_off;

	fake_irq_off = 1;
	return was;
}

void arch_irq_restore(uint64_t was)
{
	fake_irq_off = was;
	if (was == 0 && fake_irq_hook != NULL) {
		fake_irq_hook();
	}
}

void arch_irq_enable(void)
{
	fake_irq_off = 0;
}

bool arch_irq_enabled(void)
{
	return fake_irq_off == 0;
}

void fake_ram_add(hpa_t base, uint64_t size)
{
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mem == MAP_FAILED || bank_count == FAKE_BANKS) {
		abort();
	}
	if (size <= 64 * MiB) {
		memset(mem, 0xa5, size);
	}
	banks[bank_count].base = base;
	banks[bank_count].size = size;
	banks[bank_count].mem = mem;
	bank_count++;
}

void fake_ram_reset(void)
{
	while (bank_count > 0) {
		bank_count--;
		munmap(banks[bank_count].mem, banks[bank_count].size);
	}
	page_reset();
	fake_tlb_reset();
	fake_irq_off = 0;
}

void fake_ram_simple(hpa_t base, uint64_t size)
{
	static struct rangeset all;
	static struct rangeset usable;

	fake_ram_add(base, size);
	rangeset_init(&all);
	rangeset_init(&usable);
	if (rangeset_add(&all, base.a, size, 0) != 0 ||
	    rangeset_add(&usable, base.a, size, 0) != 0 || page_init(&all, &usable) != 0) {
		abort();
	}
}

void *hpa_to_ptr(hpa_t pa)
{
	for (uint32_t i = 0; i < bank_count; i++) {
		if (pa.a - banks[i].base.a < banks[i].size) {
			return banks[i].mem + (pa.a - banks[i].base.a);
		}
	}
	hv_panic("hpa_to_ptr(0x%llx): not RAM", (unsigned long long)pa.a);
}

hpa_t ptr_to_hpa(const void *p)
{
	for (uint32_t i = 0; i < bank_count; i++) {
		uintptr_t off = (uintptr_t)p - (uintptr_t)banks[i].mem;

		if (off < banks[i].size) {
			return hpa(banks[i].base.a + off);
		}
	}
	hv_panic("ptr_to_hpa(%p): not RAM", p);
}

void fake_tlb_reset(void)
{
	memset(fake_tlb, 0, sizeof(fake_tlb));
	fake_tlb_count = 0;
	fake_tlb_hook = NULL;
}

static void record(struct pt *pt, enum fake_tlb_op op, const struct pt_inval *inv)
{
	if (fake_tlb_count < FAKE_TLB_EVENTS) {
		fake_tlb[fake_tlb_count].op = op;
		if (inv != NULL) {
			fake_tlb[fake_tlb_count].inv = *inv;
		}
	}
	fake_tlb_count++;
	if (fake_tlb_hook != NULL) {
		fake_tlb_hook(pt, op, inv);
	}
}

static void fake_publish(struct pt *pt)
{
	record(pt, FAKE_PUBLISH, NULL);
}

static void fake_invalidate(struct pt *pt, const struct pt_inval *inv)
{
	record(pt, FAKE_INVALIDATE, inv);
}

const struct pt_ops fake_pt_ops = {
	.publish = fake_publish,
	.invalidate = fake_invalidate,
};
