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
};

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
	if (fake_valid_lrs() != 0 || fake_core[fake_core_now].hcr != 0) {
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

static inline uint32_t rig_ack(uint32_t vcpu)
{
	uint32_t id;

	rig_enter(vcpu);
	id = fake_ack();
	rig_enter(vcpu);
	return id;
}

static inline void rig_eoi(uint32_t vcpu, uint32_t id)
{
	rig_enter(vcpu);
	fake_eoi(id);
	rig_enter(vcpu);
}

static inline void rig_dir(uint32_t vcpu, uint32_t id)
{
	rig_enter(vcpu);
	fake_dir(id);
	rig_enter(vcpu);
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

static inline void rig_open(uint32_t vcpu, uint32_t vmcr)
{
	rig_on(vcpu);
	fake_core[fake_core_now].cpuif.vmcr = vmcr;
}

/* All vCPUs loaded, vCPU n on core n as far as there are cores, interfaces open. */
static inline int rig_start(enum vgic_kind kind, uint32_t vcpus, uint32_t lrs, uint32_t spis)
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

	fake_gich_reset(kind == VGIC_V2 ? 2 : 3, lrs);
	memset(&rig, 0, sizeof(rig));
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
