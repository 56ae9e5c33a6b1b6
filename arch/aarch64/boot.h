/* SPDX-License-Identifier: Apache-2.0 */
/* C code that head.S enters. */
#ifndef AARCH64_BOOT_H
#define AARCH64_BOOT_H

#include <hv/types.h>

struct cpu;

/* MMU on with the coarse map, one core, interrupts masked; dtb is what x0 was. */
void __noreturn boot_main(uint64_t dtb);

/* EL2 and MMU are the boot core's; interrupts masked. */
void __noreturn secondary_main(struct cpu *c);

/* MMU off, at EL1. */
void __noreturn boot_wrong_el(uint64_t dtb);

#endif
