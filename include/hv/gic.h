/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's GIC drivers.  Each looks at what machine_from_fdt() found and gives the
 * interrupt chip and, if the GIC can serve guests, its virtualization half.
 *
 * Before: all GIC ranges of struct machine are mapped as device memory.  Called once,
 * on the boot core.  init() and init_cpu() of the chip come after.
 */
#ifndef HV_GIC_H
#define HV_GIC_H

#include <hv/gich.h>
#include <hv/irqchip.h>

struct machine;

/*
 * -ENODEV: the machine has no GIC of this version, or not one as the manual says.
 * -ENOTSUP: it cannot serve guests (no GICH/GICV); *out is good nevertheless.
 */
int __must_check gicv2_probe(const struct machine *m, struct irqchip *out, struct gich *gich);
int __must_check gicv3_probe(const struct machine *m, struct irqchip *out, struct gich *gich);

#endif
