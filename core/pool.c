/* SPDX-License-Identifier: Apache-2.0 */
/* Page-backed bump allocation; see pool.h. */
#include <hv/arch_mm.h>
#include <hv/page.h>
#include <hv/pool.h>

#include <string.h>

#define POOL_MAX   (16 * MiB)
#define POOL_ALIGN 16

struct pool_chunk {
	struct pool_chunk *next;
	uint64_t used; /* with this header */
	unsigned order;
};

#define HEADER_SIZE ALIGN_UP(sizeof(struct pool_chunk), POOL_ALIGN)

static struct pool_chunk *chunk_add(struct pool *pool, uint64_t size)
{
	unsigned order = 0;
	struct pool_chunk *c;
	hpa_t frames;

	while ((PAGE_SIZE << order) < size + HEADER_SIZE) {
		order++;
	}
	if (page_alloc(OWNER_HV, order, &frames) != 0) {
		return NULL;
	}
	c = hpa_to_ptr(frames);
	c->next = pool->chunks;
	c->used = HEADER_SIZE;
	c->order = order;
	pool->chunks = c;
	pool->bytes += PAGE_SIZE << order;
	return c;
}

void *pool_alloc(struct pool *pool, size_t size)
{
	struct pool_chunk *c = pool->chunks;
	uint64_t need = ALIGN_UP((uint64_t)size, POOL_ALIGN);
	uint8_t *p;

	if (size > POOL_MAX) {
		return NULL;
	}
	if (c == NULL || (PAGE_SIZE << c->order) - c->used < need) {
		c = chunk_add(pool, need);
		if (c == NULL) {
			return NULL;
		}
	}
	p = (uint8_t *)c + c->used;
	c->used += need;
	memset(p, 0, size);
	return p;
}

void pool_destroy(struct pool *pool)
{
	while (pool->chunks != NULL) {
		struct pool_chunk *c = pool->chunks;

		pool->chunks = c->next;
		page_free(OWNER_HV, ptr_to_hpa(c), c->order);
	}
	pool->bytes = 0;
}
