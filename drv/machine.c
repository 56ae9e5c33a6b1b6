/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions about the machine that do not depend on where its description came from.
 */
#include <hv/machine.h>
#include <hv/rangeset.h>

int machine_usable_ram(const struct machine *m, struct rangeset *out)
{
	int err;

	rangeset_init(out);
	for (uint32_t i = 0; i < m->bank_count; i++) {
		uint64_t start = ALIGN_UP(m->bank[i].base.a, PAGE_SIZE);
		uint64_t end = ALIGN_DOWN(m->bank[i].base.a + m->bank[i].size, PAGE_SIZE);

		if (start < end) {
			err = rangeset_add(out, start, end - start, 0);
			if (err != 0) {
				return err;
			}
		}
	}
	for (uint32_t i = 0; i < m->reserved_count; i++) {
		const struct machine_range *r = &m->reserved[i].range;
		uint64_t start = ALIGN_DOWN(r->base.a, PAGE_SIZE);
		uint64_t end = ALIGN_UP(r->base.a + r->size, PAGE_SIZE);

		err = rangeset_subtract(out, start, end - start);
		if (err != 0) {
			return err;
		}
	}
	/* We run identity-mapped: a page at address 0 would be one at NULL. */
	return rangeset_subtract(out, 0, PAGE_SIZE);
}

uint32_t machine_cpu_index(const struct machine *m, uint64_t hwid)
{
	for (uint32_t i = 0; i < m->cpu_count; i++) {
		if (m->cpu[i].hwid == hwid) {
			return i;
		}
	}
	return UINT32_MAX;
}

const struct machine_uart *machine_console(const struct machine *m)
{
	return m->console < m->uart_count ? &m->uart[m->console] : NULL;
}
