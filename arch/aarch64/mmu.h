/* SPDX-License-Identifier: Apache-2.0 */
/* EL2's address space and TLB maintenance (DDI 0487, D8). */
#ifndef AARCH64_MMU_H
#define AARCH64_MMU_H

#include <hv/machine.h>
#include <hv/pt.h>
#include <hv/rangeset.h>
#include <hv/types.h>

struct stage2;

/* Longest device tree of the arm64 boot protocol. */
#define BOOT_DTB_MAX (2 * MiB)

/* Called by head.S with the MMU off; returns the root of the coarse map. */
uint64_t *boot_map_init(uint64_t dtb);

/* Adds all RAM to the coarse map, so that the allocator's bookkeeping can be written. */
void boot_map_ram(const struct machine *m);

/* Is the address in the coarse map? */
bool boot_map_covers(uint64_t addr);

/* Makes the real map and moves this core to it.  `scratch` is overwritten. */
int __must_check mmu_init(const struct machine *m, struct rangeset *scratch);

/* head.S */
void mmu_switch(uint64_t root);
/* [start, end) to the point of coherency, and out of the caches. */
void cache_clean_inval(uint64_t start, uint64_t end);

extern const struct pt_ops mmu_s2_ops;
uint64_t mmu_vttbr(const struct stage2 *s2);

#endif
