/* SPDX-License-Identifier: Apache-2.0 */
/* Cache maintenance as the code under test asked for it. */
#ifndef FAKE_CACHE_H
#define FAKE_CACHE_H

#include <hv/arch_mm.h>

#define FAKE_CACHE_RANGES 4096

struct fake_cache_range {
	const uint8_t *start;
	size_t len;
};

extern struct fake_cache_range fake_cache[FAKE_CACHE_RANGES];
extern uint32_t fake_cache_count; /* all calls; only the first are kept */

/* Were all bytes of [p, p+len) made visible to instruction fetch? */
bool fake_cache_covers(const void *p, size_t len);

/* How often memory of a device that is not coherent was cleaned. */
extern uint32_t fake_cache_dma_count;

#endif
