/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM with a virtual GIC on fake cores, for test_vgic_*.c and fuzz_vgic.c.  Includes
 * the vgic's own header: invariants of its state are checked after every step.
 */
#ifndef VGIC_RIG_H
#define VGIC_RIG_H

#include "dev/vgic_impl.h"
#include "fake_gich.h"

#include <stdlib.h>
#include <string.h>

#define RIG_MAX_VCPUS 8
#define RIG_NO_CORE   UINT32_MAX
#define RIG_STORM     64 /* maintenance interrupts one after the other */

struct rig {
	struct vgic *g;
	struct vic *vic;
	uint32_t vcpus;
	uint32_t core_of[RIG_MAX_VCPUS]; /* where it is loaded */
	uint32_t kicks;			 /* vCPUs kicked and not synced since */
	uint32_t maintenance;		 /* interrupts taken */
	const char *error;		 /* the first broken invariant */
	bool trapped;			 /* a GICv2 guest on a GICv3: vgic_gicc.c */
};

/* How the guest reaches its CPU interface. */
enum rig_how {
	RIG_LISTS,
	RIG_TRAPPED,
};

#define RIG_GICC_CTLR  0x00u
#define RIG_GICC_PMR   0x04u
#define RIG_GICC_BPR   0x08u
#define RIG_GICC_IAR   0x0cu
#define RIG_GICC_EOIR  0x10u
#define RIG_GICC_ABPR  0x1cu
#define RIG_GICC_AIAR  0x20u
#define RIG_GICC_APR   0xd0u
#define RIG_GICC_NSAPR 0xe0u
#define RIG_GICC_DIR   0x1000u

extern struct rig rig;

/* vcpu_kick() of the test. */
static inline void rig_kick(uint32_t vcpu)
{
	rig.kicks |= BIT32(vcpu);
}

static inline void rig_fail(const char *what)
{
	rig.error = rig.error == NULL ? what : rig.error;
}

static inline void rig_check_bank(const struct vgic_bank *b, uint32_t word)
{
	if ((b->in_lr & b->deliv) != 0 || (b->active & b->deliv) != 0) {
		rig_fail("a candidate that is in a list register or active");
	}
	if ((b->lr_pend & ~b->in_lr) != 0 || (b->refire & ~b->hw) != 0) {
		rig_fail("list register state without one");
	}
	if (((b->enabled | b->latch | b->line | b->active | b->in_lr | b->edge) & ~b->impl) != 0) {
		rig_fail("state of INTIDs that do not exist");
	}
	(void)word;
}

static inline void rig_check_set(const struct vgic_set *s)
{
	uint32_t w;

	for (w = 0; w < VGIC_WORDS; w++) {
		if ((s->bits[w] != 0) != ((s->words & BIT32(w)) != 0)) {
			rig_fail("summary of a set is wrong");
		}
	}
}

/* Lines of a trapped interface, from nothing but the distributor's state (IHI 0048B 3.3). */
static inline uint32_t rig_lines(uint32_t vcpu)
{
	const struct vgic_cpu *c = &rig.g->cpu[vcpu];
	uint32_t vmcr = c->cpuif.vmcr;
	uint32_t active = c->cpuif.apr0[0] | c->cpuif.apr1[0];
	uint32_t best = 0x100;
	bool grp1 = false;
	uint32_t bpr;
	uint32_t i;

	for (i = 0; i < rig.g->words * 32; i++) {
		const struct vgic_bank *b = vgic_bank(rig.g, vcpu, i / 32);
		uint32_t m = BIT32(i % 32);
		bool g1 = (b->group & m) != 0;
		uint32_t ctlr = rig.g->ctlr & vmcr;

		if (((b->latch | (b->line & ~b->edge)) & b->enabled & ~b->active & m) != 0 &&
		    (ctlr & (g1 ? 2 : 1)) != 0 && (i < 32 || b->route[i % 32] == vcpu) &&
		    b->prio[i % 32] < best) {
			best = b->prio[i % 32];
			grp1 = g1;
		}
	}
	if (best >= vmcr >> 24) {
		return 0;
	}
	bpr = grp1 && (vmcr & 0x10) == 0 ? vmcr >> 18 & 7 : (vmcr >> 21 & 7) + 1;
	bpr = bpr < 3 ? 3 : bpr;
	if (active != 0 && (best >> bpr) << bpr >= (uint32_t)__builtin_ctz(active) << 3) {
		return 0;
	}
	return !grp1 && (vmcr & 8) != 0 ? VGIC_LINE_FIQ : VGIC_LINE_IRQ;
}

/* A trapped interface uses no list register, and its lines follow the state. */
static inline void rig_check_trapped(uint32_t vcpu)
{
	const struct vgic_cpu *c = &rig.g->cpu[vcpu];
	const struct fake_core *core;

	if (c->lr_used != 0 || c->hcr != GICH_HCR_TRAPPED || c->lr_write != 0 || c->blocked) {
		rig_fail("list registers of a trapped interface");
	}
	if (rig.core_of[vcpu] == RIG_NO_CORE || c->loaded == false || c->dirty) {
		return;
	}
	core = &fake_core[rig.core_of[vcpu]];
	if (core->hcr != GICH_HCR_TRAPPED) {
		rig_fail("the host's interface is open to the guest");
	}
	if ((core->virq ? VGIC_LINE_IRQ : 0) + (core->vfiq ? VGIC_LINE_FIQ : 0) !=
	    rig_lines(vcpu)) {
		rig_fail("lines do not fit the state");
	}
}

/* Everything that must hold whenever the lock is free. */
static inline void rig_check(void)
{
	struct vgic *g = rig.g;
	uint32_t in_lr = 0;
	uint32_t used = 0;
	uint32_t deliv = 0;
	uint32_t cand = 0;
	uint32_t active = 0;
	uint32_t act = 0;
	uint32_t v;
	uint32_t w;

	for (v = 0; v < rig.vcpus; v++) {
		struct vgic_cpu *c = &g->cpu[v];

		rig_check_set(&c->cand);
		rig_check_set(&c->act);
		if (rig.trapped) {
			rig_check_trapped(v);
		}
		used += (uint32_t)__builtin_popcount(c->lr_used);
		for (w = 0; w < g->words; w++) {
			cand += (uint32_t)__builtin_popcount(c->cand.bits[w]);
			act += (uint32_t)__builtin_popcount(c->act.bits[w]);
		}
		if (c->dirty && c->loaded && (rig.kicks & BIT32(v)) == 0) {
			rig_fail("work left without a kick");
		}
		if (!c->dirty && c->loaded && !c->blocked &&
		    (c->lr_used & g->lr_all) != g->lr_all && c->cand.words != 0) {
			rig_fail("a candidate although a list register is free");
		}
		if ((c->lr_used & ~g->lr_all) != 0) {
			rig_fail("list register that does not exist");
		}
	}
	for (v = 0; v < rig.vcpus + g->words - 1; v++) {
		const struct vgic_bank *b =
			v < rig.vcpus ? &g->cpu[v].priv : &g->spi[v - rig.vcpus];

		rig_check_bank(b, v);
		in_lr += (uint32_t)__builtin_popcount(b->in_lr);
		deliv += (uint32_t)__builtin_popcount(b->deliv);
		active += (uint32_t)__builtin_popcount(b->active & ~b->in_lr);
	}
	if (in_lr != used || deliv != cand || active != act) {
		rig_fail("counts of list registers, candidates or active ones differ");
	}
	if (g->lock.next != g->lock.owner) {
		rig_fail("lock held");
	}
	if (g->kicks != 0) {
		rig_fail("kick forgotten");
	}
	if (fake_gich_errors != 0) {
		rig_fail(fake_gich_error);
	}
}

/* The core on which a vCPU is loaded becomes the current one. */
static inline void rig_on(uint32_t vcpu)
{
	fake_core_now = rig.core_of[vcpu];
}

static inline void rig_load(uint32_t vcpu, uint32_t core)
{
	rig.core_of[vcpu] = core;
	rig_on(vcpu);
	rig.vic->ops->load(rig.vic, vcpu);
	rig_check();
}

static inline void rig_save(uint32_t vcpu)
{
	uint32_t i;

	rig_on(vcpu);
	rig.vic->ops->save(rig.vic, vcpu);
	rig.core_of[vcpu] = RIG_NO_CORE;
	for (i = 0; i < 32; i++) {
		if (fake_core[fake_core_now].ppi_active[i]) {
			rig_fail("a private interrupt left active by save");
		}
	}
	if (fake_valid_lrs() != 0 || fake_core[fake_core_now].hcr != 0 ||
	    fake_core[fake_core_now].virq || fake_core[fake_core_now].vfiq) {
		rig_fail("host state left behind by save");
	}
	rig_check();
}

/* Guest entry, if loaded: sync if kicked, then the maintenance interrupts that are due. */
static inline void rig_enter(uint32_t vcpu)
{
	uint32_t i;

	if (rig.core_of[vcpu] == RIG_NO_CORE) {
		return;
	}
	rig_on(vcpu);
	if ((rig.kicks & BIT32(vcpu)) != 0) {
		rig.kicks &= ~BIT32(vcpu);
		rig.vic->ops->sync(rig.vic, vcpu);
		rig_check();
	}
	for (i = 0; fake_maintenance() != 0; i++) {
		vgic_maintenance(rig.g, vcpu);
		rig.maintenance++;
		rig_check();
		if (i == RIG_STORM) {
			rig_fail("maintenance interrupt storm");
			break;
		}
	}
}

static inline void rig_set(uint32_t vcpu, uint32_t irq, bool level)
{
	rig.vic->ops->set(rig.vic, vcpu, irq, level);
	rig_check();
}

/* One access by a vCPU (on its core, if it is loaded). */
static inline uint64_t rig_access(struct vdev *dev, uint32_t vcpu, bool write, uint64_t offset,
				  uint32_t width, uint64_t value)
{
	struct vdev_access a = {
		.space = VDEV_MMIO,
		.write = write,
		.width = (uint8_t)width,
		.vcpu = vcpu,
		.offset = offset,
		.value = write ? value : 0,
	};

	rig_enter(vcpu);
	if (dev->ops->access(dev, &a) != VDEV_OK) {
		rig_fail("an access within the range aborts");
	}
	rig_check();
	rig_enter(vcpu);
	return a.value;
}

static inline uint32_t rig_gicc_read(uint32_t vcpu, uint32_t offset)
{
	return (uint32_t)rig_access(&rig.g->cpuif, vcpu, false, offset, 4, 0);
}

static inline void rig_gicc_write(uint32_t vcpu, uint32_t offset, uint32_t value)
{
	(void)rig_access(&rig.g->cpuif, vcpu, true, offset, 4, value);
}

/*
 * The guest acknowledges, in either group; a trapped interface says first whether there
 * is anything, and has to keep its word.
 */
static inline uint32_t rig_ack(uint32_t vcpu)
{
	const struct fake_core *core = &fake_core[rig.core_of[vcpu]];
	uint32_t id;
	bool line;

	rig_enter(vcpu);
	if (!rig.trapped) {
		id = fake_ack();
		rig_enter(vcpu);
		return id;
	}
	line = core->virq || core->vfiq;
	id = rig_gicc_read(vcpu, RIG_GICC_IAR);
	if (id == 1022) {
		id = rig_gicc_read(vcpu, RIG_GICC_AIAR);
	}
	if (line != (id != FAKE_SPURIOUS)) {
		rig_fail("a line without an interrupt, or the other way round");
	}
	return id;
}

static inline void rig_eoi(uint32_t vcpu, uint32_t id)
{
	rig_enter(vcpu);
	if (rig.trapped) {
		rig_gicc_write(vcpu, RIG_GICC_EOIR, id);
		return;
	}
	fake_eoi(id);
	rig_enter(vcpu);
}

static inline void rig_dir(uint32_t vcpu, uint32_t id)
{
	rig_enter(vcpu);
	if (rig.trapped) {
		rig_gicc_write(vcpu, RIG_GICC_DIR, id);
		return;
	}
	fake_dir(id);
	rig_enter(vcpu);
}

/* An interrupt is signalled to the vCPU on the current core. */
static inline bool rig_signalled(void)
{
	const struct fake_core *core = &fake_core[fake_core_now];

	return rig.trapped ? core->virq || core->vfiq : fake_signalled();
}

/* So many are in list registers, if there are any. */
static inline bool rig_in_lists(uint32_t count)
{
	return fake_valid_lrs() == (rig.trapped ? 0 : count);
}

/* Nothing is waited for: no maintenance interrupt is enabled. */
static inline bool rig_at_rest(uint32_t core)
{
	return fake_core[core].hcr == (rig.trapped ? GICH_HCR_TRAPPED : GICH_HCR_EN);
}

/* The guest forgets what it has acknowledged. */
static inline void rig_drop_all(uint32_t vcpu)
{
	if (rig.trapped) {
		rig_gicc_write(vcpu, RIG_GICC_APR, 0);
		rig_gicc_write(vcpu, RIG_GICC_NSAPR, 0);
		return;
	}
	rig_on(vcpu);
	memset(fake_core[fake_core_now].cpuif.apr0, 0, sizeof(fake_core[0].cpuif.apr0));
	memset(fake_core[fake_core_now].cpuif.apr1, 0, sizeof(fake_core[0].cpuif.apr1));
}

static inline uint32_t rig_read(uint32_t vcpu, uint32_t offset)
{
	return (uint32_t)rig_access(&rig.g->dist, vcpu, false, offset, 4, 0);
}

static inline void rig_write(uint32_t vcpu, uint32_t offset, uint32_t value)
{
	(void)rig_access(&rig.g->dist, vcpu, true, offset, 4, value);
}

static inline void rig_write8(uint32_t vcpu, uint32_t offset, uint32_t value)
{
	(void)rig_access(&rig.g->dist, vcpu, true, offset, 1, value);
}

/* SGI frame register of vCPU `of`, accessed by `vcpu`. */
static inline uint32_t rig_sgi_read(uint32_t vcpu, uint32_t of, uint32_t offset)
{
	return (uint32_t)rig_access(&rig.g->redist, vcpu, false, of * 0x20000 + 0x10000 + offset, 4,
				    0);
}

static inline void rig_sgi_write(uint32_t vcpu, uint32_t of, uint32_t offset, uint32_t value)
{
	(void)rig_access(&rig.g->redist, vcpu, true, of * 0x20000 + 0x10000 + offset, 4, value);
}

/* A host interrupt fires on this vCPU's core and is forwarded. */
static inline void rig_fire(uint32_t vcpu, uint32_t irq, uint32_t host_irq)
{
	rig_on(vcpu);
	if (*fake_phys_active(host_irq)) {
		rig_fail("fired although active");
	}
	*fake_phys_active(host_irq) = true;
	rig.vic->ops->inject_hw(rig.vic, irq < 32 ? vcpu : VIRQ_SHARED, irq, host_irq);
	rig_check();
}

static inline bool rig_pending(uint32_t vcpu)
{
	bool p;

	if (rig.core_of[vcpu] != RIG_NO_CORE) {
		rig_on(vcpu);
	}
	p = rig.vic->ops->pending(rig.vic, vcpu);
	rig_check();
	return p;
}

/* Sets up the CPU interface; bits of `vmcr` as ICH_VMCR_EL2 has them. */
static inline void rig_open(uint32_t vcpu, uint32_t vmcr)
{
	if (rig.trapped) {
		rig_gicc_write(vcpu, RIG_GICC_CTLR, vmcr);
		rig_gicc_write(vcpu, RIG_GICC_PMR, vmcr >> 24);
		rig_gicc_write(vcpu, RIG_GICC_BPR, vmcr >> 21 & 7);
		rig_gicc_write(vcpu, RIG_GICC_ABPR, vmcr >> 18 & 7);
		return;
	}
	rig_on(vcpu);
	fake_core[fake_core_now].cpuif.vmcr = vmcr;
}

/* All vCPUs loaded, vCPU n on core n as far as there are cores, interfaces open. */
static inline int rig_start(enum vgic_kind kind, enum rig_how how, uint32_t vcpus, uint32_t lrs,
			    uint32_t spis)
{
	static const uint64_t hwids[RIG_MAX_VCPUS] = { 0, 1, 0x100, 0x101, 0x10000, 0x10011, 6, 7 };
	struct vgic_params p = {
		.kind = kind,
		.vcpu_count = vcpus,
		.hwids = hwids,
		.spi_count = spis,
		.gicd = { gpa(0x8000000), 0x10000 },
		.gicc = { gpa(0x8010000), 0x2000 },
		.redist_count = 1,
		.redist = { { gpa(0x80a0000), 0xf60000 } },
		.gich = &fake_gich,
	};
	uint32_t v;
	int rc;

	fake_gich_reset(kind == VGIC_V2 && how == RIG_LISTS ? 2 : 3, lrs);
	memset(&rig, 0, sizeof(rig));
	rig.trapped = how == RIG_TRAPPED;
	rig.g = calloc(1, vgic_size(kind, vcpus));
	rc = vgic_init(rig.g, &p);
	rig.vic = vgic_vic(rig.g);
	rig.vcpus = vcpus;
	for (v = 0; v < vcpus && rc == 0; v++) {
		rig.core_of[v] = RIG_NO_CORE;
	}
	for (v = 0; v < vcpus && v < FAKE_CORES && rc == 0; v++) {
		rig_load(v, v);
		rig_open(v, FAKE_VMCR_OPEN);
	}
	return rc;
}

static inline void rig_stop(void)
{
	free(rig.g);
	rig.g = NULL;
}

#endif
