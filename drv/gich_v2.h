/* SPDX-License-Identifier: Apache-2.0 */
/*
 * List registers of GICv2 (GICH_LRn, IHI 0048B 5.3.7) and their GICv3 form, which
 * the rest of the hypervisor speaks (ICH_LR<n>_EL2, IHI 0069H 12.4.9).
 *
 *           GICH_LR                    ICH_LR_EL2
 *   HW      31                         61
 *   group   30                         60
 *   state   29:28                      63:62
 *   prio    27:23 (5 bits)             55:48 (8 bits)
 *   HW = 1  pINTID 19:10               44:32
 *   HW = 0  EOI 19, CPU of SGI 12:10   EOI 41; CPU stays in vINTID 12:10
 *   vINTID  9:0                        31:0
 */
#ifndef DRV_GICH_V2_H
#define DRV_GICH_V2_H

#include <hv/gich.h>

#define GICH_V2_HW	   BIT32(31)
#define GICH_V2_GROUP1	   BIT32(30)
#define GICH_V2_ACTIVE	   BIT32(29)
#define GICH_V2_PENDING	   BIT32(28)
#define GICH_V2_EOI	   BIT32(19)
#define GICH_V2_PRIO_SHIFT 23
#define GICH_V2_PID_SHIFT  10
#define GICH_V2_ID_MASK	   UINT32_C(0x3ff)
#define GICH_V2_SGI_CPU	   (UINT32_C(7) << 10)

/* VMCR has the same layout in both, but only 5 bits of priority mask. */
#define GICH_V2_VMCR_MASK UINT32_C(0xf8fc021f)

static inline uint32_t gich_v2_from_lr(uint64_t lr)
{
	uint32_t v = (uint32_t)lr & GICH_V2_ID_MASK;

	v |= (uint32_t)(lr >> (GICH_LR_PRIO_SHIFT + 3) & 0x1f) << GICH_V2_PRIO_SHIFT;
	v |= (lr & GICH_LR_PENDING) != 0 ? GICH_V2_PENDING : 0;
	v |= (lr & GICH_LR_ACTIVE) != 0 ? GICH_V2_ACTIVE : 0;
	v |= (lr & GICH_LR_GROUP1) != 0 ? GICH_V2_GROUP1 : 0;
	if ((lr & GICH_LR_HW) != 0) {
		uint32_t pid = (uint32_t)(lr >> GICH_LR_PINTID_SHIFT) & GICH_V2_ID_MASK;

		return v | GICH_V2_HW | pid << GICH_V2_PID_SHIFT;
	}
	v |= (lr & GICH_LR_EOI) != 0 ? GICH_V2_EOI : 0;
	return v | ((uint32_t)lr & GICH_V2_SGI_CPU);
}

static inline uint64_t gich_v2_to_lr(uint32_t v)
{
	uint64_t lr = v & GICH_V2_ID_MASK;

	lr |= (uint64_t)(v >> GICH_V2_PRIO_SHIFT & 0x1f) << (GICH_LR_PRIO_SHIFT + 3);
	lr |= (v & GICH_V2_PENDING) != 0 ? GICH_LR_PENDING : 0;
	lr |= (v & GICH_V2_ACTIVE) != 0 ? GICH_LR_ACTIVE : 0;
	lr |= (v & GICH_V2_GROUP1) != 0 ? GICH_LR_GROUP1 : 0;
	if ((v & GICH_V2_HW) != 0) {
		uint64_t pid = v >> GICH_V2_PID_SHIFT & GICH_V2_ID_MASK;

		return lr | GICH_LR_HW | pid << GICH_LR_PINTID_SHIFT;
	}
	lr |= (v & GICH_V2_EOI) != 0 ? GICH_LR_EOI : 0;
	return lr | (v & GICH_V2_SGI_CPU);
}

#endif
