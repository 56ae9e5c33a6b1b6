/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that lives as long as its VM: pieces are taken one by one and given back
 * all at once.  So a VM that fails half-way leaves nothing behind, whatever was
 * made.  Not locked: used while the VM is created and destroyed.
 */
#ifndef HV_POOL_H
#define HV_POOL_H

#include <hv/types.h>

struct pool_chunk;

/* Zero is an empty pool. */
struct pool {
	struct pool_chunk *chunks;
	uint64_t bytes; /* taken from the page allocator, for reports */
};

/* Zeroed, aligned to 16; NULL: out of memory, or larger than 16 MiB. */
void *pool_alloc(struct pool *pool, size_t size);

void pool_destroy(struct pool *pool);

#endif
