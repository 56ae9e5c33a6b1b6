/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A software model of a GIC's virtual CPU interface (IHI 0048B ch. 5, IHI 0069 ch. 4.6
 * and 12.4) on several cores, behind struct gich_ops, with the guest's side of it:
 * acknowledge, end, deactivate.  Also the active state of physical interrupts.
 *
 * Wrong use of the hardware (two list registers with one INTID, a linked interrupt
 * pending and active, ...) is counted in fake_gich_errors, the first one described.
 */
#ifndef FAKE_GICH_H
#define FAKE_GICH_H

#include <hv/gich.h>
#include <hv/types.h>

#define FAKE_CORES	4
#define FAKE_SPURIOUS	1023u
#define FAKE_VMCR_ENG0	BIT32(0)
#define FAKE_VMCR_ENG1	BIT32(1)
#define FAKE_VMCR_EOIM	BIT32(9)
#define FAKE_VMCR_OPEN	(FAKE_VMCR_ENG0 | FAKE_VMCR_ENG1 | UINT32_C(0xf8) << 24)
#define FAKE_MISR_U	BIT32(1)
#define FAKE_MISR_LRENP BIT32(2)
#define FAKE_MISR_NP	BIT32(3)
#define FAKE_MISR_EOI	BIT32(0)

struct fake_core {
	uint64_t lr[GICH_MAX_LRS];
	uint32_t hcr;
	uint32_t eoi_count;
	struct gich_cpuif cpuif;
	bool ppi_active[32];
	bool virq; /* arch_vgic_lines() */
	bool vfiq;
	uint32_t lr_reads;
	uint32_t lr_writes;
};

extern struct fake_core fake_core[FAKE_CORES];
extern uint32_t fake_core_now; /* the core that everything below acts on */
extern bool fake_spi_active[1024];
extern uint32_t fake_gich_errors;
extern const char *fake_gich_error;
extern struct gich fake_gich;

void fake_gich_reset(uint32_t version, uint32_t lr_count);

/* The guest: GICC_IAR / ICC_IARn; INTID with the source CPU in [12:10], or 1023. */
uint32_t fake_ack(void);
/* GICC_EOIR and GICC_DIR. */
void fake_eoi(uint32_t id);
void fake_dir(uint32_t id);
/* Would fake_ack() give an interrupt? */
bool fake_signalled(void);
/* Maintenance interrupts asserted and enabled, FAKE_MISR_*. */
uint32_t fake_maintenance(void);
/* Valid list registers. */
uint32_t fake_valid_lrs(void);
/* Active state of a physical interrupt on this core. */
bool *fake_phys_active(uint32_t host_irq);

#endif
