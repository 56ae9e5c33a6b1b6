/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_gich.h. */
#include "fake_gich.h"

#include <hv/vgic.h>

#include <string.h>

#define STATE	     (GICH_LR_PENDING | GICH_LR_ACTIVE)
#define PRIO(lr)     ((uint32_t)((lr) >> GICH_LR_PRIO_SHIFT) & 0xff)
#define PINTID(lr)   ((uint32_t)((lr) >> GICH_LR_PINTID_SHIFT) & 0x1fff)
#define ID(lr)	     ((uint32_t)(lr)&0x1fff) /* with a GICv2 SGI's source */
#define PRIO_IDLE    0x100u
#define PREEMPT_BITS 5

struct fake_core fake_core[FAKE_CORES];
uint32_t fake_core_now;
bool fake_spi_active[1024];
uint32_t fake_gich_errors;
const char *fake_gich_error;

static struct fake_core *core(void)
{
	return &fake_core[fake_core_now];
}

static void check(bool ok, const char *what)
{
	if (!ok) {
		fake_gich_error = fake_gich_errors == 0 ? what : fake_gich_error;
		fake_gich_errors++;
	}
}

bool *fake_phys_active(uint32_t host_irq)
{
	return host_irq < 32 ? &core()->ppi_active[host_irq] : &fake_spi_active[host_irq % 1024];
}

static uint64_t op_read_lr(uint32_t n)
{
	check(n < fake_gich.lr_count, "read of a list register that does not exist");
	core()->lr_reads++;
	return core()->lr[n];
}

static void op_write_lr(uint32_t n, uint64_t lr)
{
	uint32_t i;

	check(n < fake_gich.lr_count, "write of a list register that does not exist");
	check((lr & GICH_LR_HW) == 0 || (lr & STATE) != STATE, "linked: pending and active");
	check((lr & GICH_LR_HW) == 0 || (lr & STATE) == 0 || *fake_phys_active(PINTID(lr)),
	      "linked to a host interrupt that is not active");
	check((PRIO(lr) & 7) == 0, "priority bits that are not implemented");
	core()->lr_writes++;
	core()->lr[n] = lr;
	for (i = 0; i < fake_gich.lr_count; i++) {
		check(i == n || (lr & STATE) == 0 || (core()->lr[i] & STATE) == 0 ||
			      ((core()->lr[i] ^ lr) & 0x3ff) != 0,
		      "one INTID in two list registers");
	}
}

static bool eoi_waits(uint64_t lr)
{
	return (lr & STATE) == 0 && (lr & GICH_LR_HW) == 0 && (lr & GICH_LR_EOI) != 0;
}

static uint64_t op_empty_lrs(void)
{
	uint64_t set = 0;
	uint32_t i;

	for (i = 0; i < fake_gich.lr_count; i++) {
		if ((core()->lr[i] & STATE) == 0 && !eoi_waits(core()->lr[i])) {
			set |= BIT64(i);
		}
	}
	return set;
}

static uint64_t op_eoi_lrs(void)
{
	uint64_t set = 0;
	uint32_t i;

	for (i = 0; i < fake_gich.lr_count; i++) {
		set |= eoi_waits(core()->lr[i]) ? BIT64(i) : 0;
	}
	return set;
}

uint32_t fake_valid_lrs(void)
{
	uint32_t valid = 0;
	uint32_t i;

	for (i = 0; i < fake_gich.lr_count; i++) {
		valid += (core()->lr[i] & STATE) != 0;
	}
	return valid;
}

static uint32_t op_misr(void)
{
	uint32_t misr = op_eoi_lrs() != 0 ? FAKE_MISR_EOI : 0;
	uint32_t pending = 0;
	uint32_t i;

	for (i = 0; i < fake_gich.lr_count; i++) {
		pending += (core()->lr[i] & STATE) == GICH_LR_PENDING;
	}
	if ((core()->hcr & GICH_HCR_UIE) != 0 && fake_valid_lrs() <= 1) {
		misr |= FAKE_MISR_U;
	}
	if ((core()->hcr & GICH_HCR_NPIE) != 0 && pending == 0) {
		misr |= FAKE_MISR_NP;
	}
	if ((core()->hcr & GICH_HCR_LRENPIE) != 0 && core()->eoi_count != 0) {
		misr |= FAKE_MISR_LRENP;
	}
	return misr;
}

uint32_t fake_maintenance(void)
{
	return (core()->hcr & GICH_HCR_EN) != 0 ? op_misr() : 0;
}

static void op_write_hcr(uint32_t hcr)
{
	core()->hcr = hcr;
	core()->eoi_count = 0;
}

static uint32_t op_eoi_count(void)
{
	return core()->eoi_count;
}

static void op_save(struct gich_cpuif *st)
{
	*st = core()->cpuif;
}

static void op_restore(const struct gich_cpuif *st)
{
	core()->cpuif = *st;
}

static void op_set_active(uint32_t host_irq, bool active)
{
	*fake_phys_active(host_irq) = active;
}

void arch_vgic_lines(bool irq, bool fiq)
{
	check(core()->hcr == GICH_HCR_TRAPPED, "lines of a vCPU that has list registers");
	core()->virq = irq;
	core()->vfiq = fiq;
}

static const struct gich_ops ops = {
	.read_lr = op_read_lr,
	.write_lr = op_write_lr,
	.empty_lrs = op_empty_lrs,
	.eoi_lrs = op_eoi_lrs,
	.misr = op_misr,
	.write_hcr = op_write_hcr,
	.eoi_count = op_eoi_count,
	.save = op_save,
	.restore = op_restore,
	.set_active = op_set_active,
};

struct gich fake_gich;

void fake_gich_reset(uint32_t version, uint32_t lr_count)
{
	memset(fake_core, 0, sizeof(fake_core));
	memset(fake_spi_active, 0, sizeof(fake_spi_active));
	fake_core_now = 0;
	fake_gich_errors = 0;
	fake_gich_error = NULL;
	fake_gich = (struct gich){
		.ops = &ops,
		.version = version,
		.lr_count = lr_count,
		.prio_bits = PREEMPT_BITS,
		.apr_count = 1,
	};
}

/* The running priority: the highest active one. */
static uint32_t running(void)
{
	uint32_t apr = core()->cpuif.apr0[0] | core()->cpuif.apr1[0];

	return apr == 0 ? PRIO_IDLE : (uint32_t)__builtin_ctz(apr) << (8 - PREEMPT_BITS);
}

/* The list register with the interrupt that is signalled, or lr_count. */
static uint32_t highest(void)
{
	uint32_t vmcr = core()->cpuif.vmcr;
	uint32_t best = fake_gich.lr_count;
	uint32_t i;

	if ((core()->hcr & GICH_HCR_EN) == 0) {
		return best;
	}
	for (i = 0; i < fake_gich.lr_count; i++) {
		uint64_t lr = core()->lr[i];
		uint32_t enable = (lr & GICH_LR_GROUP1) != 0 ? FAKE_VMCR_ENG1 : FAKE_VMCR_ENG0;

		if ((lr & STATE) == GICH_LR_PENDING && (vmcr & enable) != 0 &&
		    PRIO(lr) < vmcr >> 24 && PRIO(lr) < running() &&
		    (best == fake_gich.lr_count || PRIO(lr) < PRIO(core()->lr[best]))) {
			best = i;
		}
	}
	return best;
}

bool fake_signalled(void)
{
	return highest() != fake_gich.lr_count;
}

uint32_t fake_ack(void)
{
	uint32_t n = highest();
	uint32_t level;
	uint64_t lr;

	if (n == fake_gich.lr_count) {
		return FAKE_SPURIOUS;
	}
	lr = core()->lr[n];
	level = BIT32(PRIO(lr) >> (8 - PREEMPT_BITS));
	if ((lr & GICH_LR_GROUP1) != 0) {
		core()->cpuif.apr1[0] |= level;
	} else {
		core()->cpuif.apr0[0] |= level;
	}
	core()->lr[n] = (lr & ~GICH_LR_PENDING) | GICH_LR_ACTIVE;
	return ID(lr);
}

/* Deactivates what a list register holds for `id`; false: none does. */
static bool deactivate(uint32_t id)
{
	uint32_t i;

	for (i = 0; i < fake_gich.lr_count; i++) {
		uint64_t *lr = &core()->lr[i];

		if ((*lr & GICH_LR_ACTIVE) == 0 || ID(*lr) != id) {
			continue;
		}
		*lr &= ~GICH_LR_ACTIVE;
		if ((*lr & GICH_LR_HW) != 0) {
			check(*fake_phys_active(PINTID(*lr)), "deactivation of an inactive one");
			*fake_phys_active(PINTID(*lr)) = false;
		}
		return true;
	}
	return false;
}

void fake_eoi(uint32_t id)
{
	uint32_t *apr0 = &core()->cpuif.apr0[0];
	uint32_t *apr1 = &core()->cpuif.apr1[0];
	uint32_t level = *apr0 | *apr1;

	if (level == 0) {
		return;
	}
	level &= ~(level - 1);
	if ((*apr0 & level) != 0) {
		*apr0 &= ~level;
	} else {
		*apr1 &= ~level;
	}
	if ((core()->cpuif.vmcr & FAKE_VMCR_EOIM) == 0 && !deactivate(id)) {
		core()->eoi_count = (core()->eoi_count + 1) & 31;
	}
}

void fake_dir(uint32_t id)
{
	if ((core()->cpuif.vmcr & FAKE_VMCR_EOIM) != 0 && !deactivate(id)) {
		core()->eoi_count = (core()->eoi_count + 1) & 31;
	}
}
