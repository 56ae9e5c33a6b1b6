/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's eight general-purpose lines: Arm PrimeCell GPIO PL061 r1p0 (DDI 0190).
 * Outputs lead nowhere; inputs are low until pl061_input() says otherwise.
 */
#ifndef HV_PL061_H
#define HV_PL061_H

#include <hv/spinlock.h>
#include <hv/vdev.h>
#include <hv/vic.h>

#define PL061_SIZE 0x1000

struct pl061 {
	struct vdev dev;
	struct spinlock lock; /* guards what follows; a bit a line */
	struct virq irq;
	uint8_t in;   /* levels from outside */
	uint8_t out;  /* last written data */
	uint8_t seen; /* levels at the pins when edges were last looked for */
	uint8_t dir;
	uint8_t is;
	uint8_t ibe;
	uint8_t iev;
	uint8_t ie;
	uint8_t ris; /* edges seen; levels are added when read */
	uint8_t afsel;
};

/* After power-on, its interrupt at input `irq` of `vic` (NULL: none). */
void pl061_init(struct pl061 *gpio, struct vm *vm, const char *name, struct vic *vic, uint32_t irq);

/* The level from outside at `line` (0..7), e.g. a power key.  Any core. */
void pl061_input(struct pl061 *gpio, unsigned line, bool level);

#endif
