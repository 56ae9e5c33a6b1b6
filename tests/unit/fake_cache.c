/* SPDX-License-Identifier: Apache-2.0 */
/* arch_cache_image_range(), recorded; arch_cache_dma_range(), counted. */
#include "fake_cache.h"

struct fake_cache_range fake_cache[FAKE_CACHE_RANGES];
uint32_t fake_cache_count;

void arch_cache_image_range(const void *p, size_t len)
{
	if (fake_cache_count < FAKE_CACHE_RANGES) {
		fake_cache[fake_cache_count] = (struct fake_cache_range){ p, len };
	}
	fake_cache_count++;
}

bool fake_cache_covers(const void *p, size_t len)
{
	const uint8_t *at = p;
	const uint8_t *end = at + len;
	bool moved = true;

	while (at < end && moved) {
		moved = false;
		for (uint32_t i = 0; i < MIN(fake_cache_count, (uint32_t)FAKE_CACHE_RANGES); i++) {
			const struct fake_cache_range *r = &fake_cache[i];

			if (at >= r->start && at < r->start + r->len) {
				at = r->start + r->len;
				moved = true;
			}
		}
	}
	return at >= end;
}

uint32_t fake_cache_dma_count;

void arch_cache_dma_range(const void *p, size_t len)
{
	(void)p;
	(void)len;
	fake_cache_dma_count++;
}
