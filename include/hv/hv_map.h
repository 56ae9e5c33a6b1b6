/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hypervisor's own address space: RAM and devices at their physical addresses,
 * stacks in a window of their own.  Writable memory is never executable.
 */
#ifndef HV_HV_MAP_H
#define HV_HV_MAP_H

#include <hv/pt.h>
#include <hv/types.h>

/* Where thread stacks live (hv/stack.h): above any physical address we map. */
#define HV_STACK_WINDOW UINT64_C(0x700000000000)

/* The tree that the cores run on; made by arch code at boot.  Guarded by hv_map's lock. */
extern struct pt hv_pt;

/* -EEXIST, -ENOMEM, -EINVAL as pt_map(); attr: PT_R, PT_W, PT_X, PT_DEVICE. */
int __must_check hv_map(uint64_t va, hpa_t pa, uint64_t size, uint32_t attr);

/* Device registers at their physical address, widened to whole pages; mapping twice is fine. */
int __must_check hv_map_device(hpa_t pa, uint64_t size);

/* On return no core can reach the range.  BUG if it takes memory it cannot get. */
void hv_unmap(uint64_t va, uint64_t size);

/* -EFAULT: not mapped. */
int __must_check hv_translate(uint64_t va, hpa_t *pa);

#endif
