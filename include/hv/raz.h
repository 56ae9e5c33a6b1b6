/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A range where something is configured but nothing is implemented: reads as zero,
 * ignores writes (the rest of an interrupt controller's range, its GICv2m frame, ...).
 */
#ifndef HV_RAZ_H
#define HV_RAZ_H

#include <hv/vdev.h>

struct raz {
	struct vdev dev;
};

void raz_init(struct raz *raz, struct vm *vm, const char *name);

#endif
