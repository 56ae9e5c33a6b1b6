/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMM: reads the configurations, plans and makes the VMs, and sees to what
 * happens when one ends.  All of it in one thread, so that long work (zeroing,
 * loading images, the disk) can be preempted.
 */
#ifndef HV_VMM_H
#define HV_VMM_H

#include <hv/rangeset.h>
#include <hv/types.h>

/*
 * The ranges of host memory that compiled-in configurations ask for by address
 * (MAP_IDENTICAL): called before there is an allocator, so that it leaves them alone.
 * -ENOSPC: too many.
 */
int __must_check vmm_fixed_memory(struct rangeset *out);

/* Starts the VMM's thread. */
void vmm_start(void);

/* Some VM has ended: the VMM's thread looks at all of them.  Any context. */
void vmm_notify(void);

#endif
