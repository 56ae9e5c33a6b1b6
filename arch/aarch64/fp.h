/* SPDX-License-Identifier: Apache-2.0 */
/* The floating-point and SIMD registers; the only code of ours that touches them. */
#ifndef AARCH64_FP_H
#define AARCH64_FP_H

#include <arch_types.h>

void fp_save_registers(struct fp_state *fp);
void fp_restore_registers(const struct fp_state *fp);

#endif
