/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual GICv3: what differs from a GICv2, and a race against a slow simple model. */
#include "vgic_rig.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct rig rig;

void vcpu_kick(struct vm *vm, uint32_t vcpu)
{
	(void)vm;
	rig_kick(vcpu);
}

#define CTLR	   0x000u
#define TYPER	   0x004u
#define IGROUPR	   0x080u
#define ISENABLER  0x100u
#define ICENABLER  0x180u
#define ISPENDR	   0x200u
#define ICPENDR	   0x280u
#define ISACTIVER  0x300u
#define ICACTIVER  0x380u
#define IPRIORITYR 0x400u
#define ICFGR	   0xc00u
#define IROUTER(n) (0x6000u + 8 * (n))
#define WAKER	   0x014u

#define assert_rig_ok()                            \
	do {                                       \
		if (rig.error != NULL) {           \
			fail_msg("%s", rig.error); \
		}                                  \
	} while (0)

static void sgi(uint32_t vcpu, enum vgic_sgi_reg reg, uint64_t value)
{
	rig_enter(vcpu);
	vgic_v3_sgi(rig.g, vcpu, reg, value);
	rig_check();
}

static void route(uint32_t intid, uint64_t value)
{
	(void)rig_access(&rig.g->dist, 0, true, IROUTER(intid), 8, value);
}

static uint64_t rd_read(uint32_t of, uint32_t offset, uint32_t width)
{
	return rig_access(&rig.g->redist, 0, false, of * 0x20000 + offset, width, 0);
}

/* Groups on, SGIs and PPIs of all vCPUs and SPIs enabled, priority 0x80. */
static void start(uint32_t vcpus, uint32_t lrs)
{
	uint32_t i;
	uint32_t v;

	assert_int_equal(rig_start(VGIC_V3, RIG_LISTS, vcpus, lrs, 256), 0);
	rig_write(0, CTLR, 3);
	for (v = 0; v < vcpus; v++) {
		(void)rig_access(&rig.g->redist, 0, true, v * 0x20000 + WAKER, 4, 0);
		rig_sgi_write(0, v, ISENABLER, 0xffffffff);
		for (i = 0; i < 32; i += 4) {
			rig_sgi_write(0, v, IPRIORITYR + i, 0x80808080);
		}
	}
	for (i = 32; i < 288; i += 4) {
		rig_write(0, IPRIORITYR + i, 0x80808080);
	}
	for (i = 1; i < 9; i++) {
		rig_write(0, ISENABLER + 4 * i, 0xffffffff);
	}
}

static void stop(void)
{
	assert_rig_ok();
	rig_stop();
}

static void registers(void **state)
{
	(void)state;
	assert_int_equal(rig_start(VGIC_V3, RIG_LISTS, 6, 4, 256), 0);
	assert_int_equal(rig_read(0, CTLR), 0x50);
	rig_write(0, CTLR, 0xffffffff);
	assert_int_equal(rig_read(0, CTLR), 0x53);
	/* RSS: one affinity 0 is 17. */
	assert_int_equal(rig_read(0, TYPER), 1 << 26 | 1 << 24 | 9 << 19 | 8);
	assert_int_equal(rig_read(0, 0xffe8), 0x3b);
	assert_int_equal(rd_read(3, 0xffe8, 4), 0x3b);
	/* SGI frame of a reset redistributor: group 1, edge SGIs, all disabled. */
	assert_int_equal(rig_sgi_read(0, 1, IGROUPR), 0xffffffff);
	assert_int_equal(rig_sgi_read(0, 1, ISENABLER), 0);
	assert_int_equal(rig_sgi_read(0, 1, ICFGR), 0xaaaaaaaa);
	assert_int_equal(rig_sgi_read(0, 1, ICFGR + 4), 0);
	rig_sgi_write(0, 1, ICENABLER, 0xffffffff);
	rig_sgi_write(0, 1, ISENABLER, 0x8001);
	assert_int_equal(rig_sgi_read(0, 1, ISENABLER), 0x8001);
	assert_int_equal(rig_sgi_read(0, 0, ISENABLER), 0);
	/* Bank 0 is not in the distributor; IGRPMODR, NSACR, SGIR, ITARGETSR are nothing. */
	rig_write(0, ISENABLER, 0xffffffff);
	rig_write(0, IPRIORITYR, 0x80808080);
	assert_int_equal(rig_read(0, ISENABLER), 0);
	assert_int_equal(rig_read(0, IPRIORITYR), 0);
	assert_int_equal(rig_read(0, ICFGR), 0);
	rig_write(0, 0x820, 0xffffffff);
	rig_write(0, 0xd04, 0xffffffff);
	rig_write(0, 0xf00, 0x02ff0001);
	assert_int_equal(rig_read(0, 0x820) | rig_read(0, 0xd04) | rig_read(0, 0xf00), 0);
	assert_int_equal(rig_sgi_read(0, 1, ISENABLER + 4), 0);
	/* GICR_TYPER, WAKER, LPI registers. */
	assert_int_equal(rd_read(0, 8, 8), 0);
	assert_int_equal(rd_read(3, 8, 8), UINT64_C(0x101) << 32 | 3 << 8);
	assert_int_equal(rd_read(5, 8, 8), UINT64_C(0x10011) << 32 | 5 << 8 | 1 << 4);
	assert_int_equal(rd_read(5, 12, 4), 0x10011);
	assert_int_equal(rd_read(5, 8, 4), 5 << 8 | 1 << 4);
	assert_int_equal(rd_read(6, 8, 8), 0); /* no such vCPU */
	assert_int_equal(rd_read(2, WAKER, 4), 6);
	(void)rig_access(&rig.g->redist, 0, true, 2 * 0x20000 + WAKER, 4, 0);
	assert_int_equal(rd_read(2, WAKER, 4), 0);
	(void)rig_access(&rig.g->redist, 0, true, 2 * 0x20000 + 0x70, 8, UINT64_MAX);
	(void)rig_access(&rig.g->redist, 0, true, 2 * 0x20000, 4, 1);
	assert_int_equal(rd_read(2, 0x70, 8) | rd_read(2, 0, 4), 0);
	stop();
}

static void router(void **state)
{
	(void)state;
	start(6, 4);
	(void)rig_access(&rig.g->dist, 0, true, IROUTER(40), 8, UINT64_MAX);
	assert_int_equal(rig_access(&rig.g->dist, 0, false, IROUTER(40), 8, 0),
			 UINT64_C(0xff80ffffff));
	(void)rig_access(&rig.g->dist, 0, true, IROUTER(40) + 4, 4, 0x12);
	(void)rig_access(&rig.g->dist, 0, true, IROUTER(40), 4, 0x00000101);
	assert_int_equal(rig_access(&rig.g->dist, 0, false, IROUTER(40) + 4, 4, 0), 0x12);
	rig_set(VIRQ_SHARED, 40, true); /* nobody has this affinity */
	assert_int_equal(rig.kicks, 0);
	(void)rig_access(&rig.g->dist, 0, true, IROUTER(40) + 4, 4, 0);
	assert_int_equal(rig_ack(3), 40);
	rig_set(VIRQ_SHARED, 40, false);
	rig_eoi(3, 40);
	assert_int_equal(rig_access(&rig.g->dist, 0, false, IROUTER(31), 8, 0), 0);
	assert_int_equal(rig_access(&rig.g->dist, 0, false, IROUTER(40), 2, 0), 0);
	/* Any vCPU that runs; sleeping ones do not take part. */
	route(41, UINT64_C(1) << 31);
	(void)rig_access(&rig.g->redist, 0, true, WAKER, 4, 2);
	rig_set(VIRQ_SHARED, 41, true);
	assert_int_equal(rig.kicks, 1 << 1);
	assert_int_equal(rig_ack(1), 41);
	stop();
}

static void sgis(void **state)
{
	(void)state;
	start(6, 4);
	/* Affinities: 0, 1, 0x100, 0x101, 0x10000, 0x10011. */
	sgi(0, VGIC_SGI1R, 3 << 24 | UINT64_C(0) << 16 | 0x3);
	assert_int_equal(rig_ack(0), 3);
	assert_int_equal(rig_ack(1), 3);
	assert_int_equal(rig_ack(2), FAKE_SPURIOUS);
	rig_eoi(0, 3);
	rig_eoi(1, 3);
	sgi(0, VGIC_SGI1R, 4 << 24 | 1 << 16 | 0x2);
	assert_int_equal(rig_ack(3), 4);
	rig_eoi(3, 4);
	/* Range selector 1: affinity 0 of 16 to 31. */
	sgi(0, VGIC_SGI1R, UINT64_C(1) << 32 | UINT64_C(1) << 44 | 5 << 24 | 0x2);
	assert_int_equal(rig_sgi_read(0, 5, ISPENDR), 1 << 5);
	assert_int_equal(rig_sgi_read(0, 4, ISPENDR), 0);
	/* All but self. */
	sgi(2, VGIC_SGI1R, UINT64_C(1) << 40 | 6 << 24);
	assert_int_equal(rig_ack(2), FAKE_SPURIOUS);
	assert_int_equal(rig_ack(0), 6);
	rig_eoi(0, 6);
	assert_int_equal(rig_sgi_read(0, 4, ISPENDR), 1 << 6);
	/* Groups: SGI1R makes both, SGI0R and ASGI1R only group 0. */
	sgi(0, VGIC_SGI0R, 7 << 24 | 1);
	sgi(0, VGIC_ASGI1R, 8 << 24 | 1);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_sgi_write(0, 0, IGROUPR, ~(3u << 7));
	sgi(0, VGIC_SGI0R, 7 << 24 | 1);
	assert_int_equal(rig_ack(0), 7);
	rig_eoi(0, 7);
	sgi(0, VGIC_SGI1R, 8 << 24 | 1);
	assert_int_equal(rig_ack(0), 8);
	/* Again while active. */
	sgi(0, VGIC_SGI1R, 8 << 24 | 1);
	sgi(0, VGIC_SGI1R, 8 << 24 | 1);
	rig_eoi(0, 8);
	assert_int_equal(rig_ack(0), 8);
	rig_eoi(0, 8);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	/* By GICR_ISPENDR0, and taken back. */
	rig_sgi_write(1, 0, ISPENDR, 1 << 9 | 1 << 10);
	rig_sgi_write(1, 0, ICPENDR, 1 << 9);
	assert_int_equal(rig_ack(0), 10);
	stop();
}

static void ppis(void **state)
{
	(void)state;
	start(2, 4);
	rig_set(1, 20, true);
	assert_int_equal(rig_sgi_read(0, 1, ISPENDR), 1 << 20);
	assert_int_equal(rig_sgi_read(0, 0, ISPENDR), 0);
	assert_int_equal(rig_ack(1), 20);
	rig_set(1, 20, false);
	rig_eoi(1, 20);
	rig_fire(1, 27, 27);
	rig_fire(0, 27, 27);
	assert_int_equal(rig_ack(1), 27);
	/* vCPU 0 ends vCPU 1's linked one: done on vCPU 1's core when it gets there. */
	rig_sgi_write(0, 1, ICACTIVER, 1 << 27);
	assert_true(fake_core[1].ppi_active[27]);
	assert_true(fake_core[0].ppi_active[27]);
	rig_enter(1);
	assert_false(fake_core[1].ppi_active[27]);
	assert_true(fake_core[0].ppi_active[27]);
	fake_core[1].cpuif.apr1[0] = 0;
	/* Disabled, so it waits in the model; taken back by the other. */
	rig_sgi_write(0, 1, ICENABLER, 1 << 27);
	rig_enter(1);
	rig_fire(1, 27, 27);
	rig_enter(1);
	rig_sgi_write(0, 1, ICPENDR, 1 << 27);
	assert_true(fake_core[1].ppi_active[27]);
	rig_enter(1);
	assert_false(fake_core[1].ppi_active[27]);
	/* Pending and made active by the guest: the link waits for the end. */
	rig_sgi_write(1, 1, ISENABLER, 1 << 27);
	rig_fire(1, 27, 27);
	rig_sgi_write(1, 1, ISACTIVER, 1 << 27);
	assert_int_equal(rig_ack(1), FAKE_SPURIOUS);
	assert_true(fake_core[1].ppi_active[27]);
	rig_sgi_write(1, 1, ICACTIVER, 1 << 27);
	assert_int_equal(rig_ack(1), 27);
	rig_eoi(1, 27);
	assert_false(fake_core[1].ppi_active[27]);
	rig_fire(1, 27, 27);
	rig_save(1);
	rig.vic->ops->vcpu_reset(rig.vic, 1);
	rig_check();
	rig_load(1, 1);
	assert_false(fake_core[1].ppi_active[27]);
	assert_int_equal(rig_sgi_read(0, 1, ISPENDR), 0);
	stop();
}

static void regions(void **state)
{
	const uint64_t hwids[3] = { 0, 0x100, UINT64_C(0x0200000300) };
	struct vgic_params p = {
		.kind = VGIC_V3,
		.vcpu_count = 3,
		.hwids = hwids,
		.spi_count = 10,
		.gicd = { gpa(0x8000000), 0x10000 },
		.redist_count = 2,
		.redist = { { gpa(0x80a0000), 0x80000 }, { gpa(0x90a0000), 0x40000 } },
		.redist_stride = 0x40000,
	};
	static struct vdev_bus bus;
	struct vdev_access a = { .space = VDEV_MMIO, .width = 8 };
	struct vgic *g = calloc(1, vgic_size(VGIC_V3, 3));

	(void)state;
	fake_gich_reset(3, 4);
	p.gich = &fake_gich;
	p.redist_count = 1;
	assert_int_equal(vgic_init(g, &p), -EINVAL); /* room for two only */
	p.redist_count = 2;
	p.redist_stride = 0x30000;
	assert_int_equal(vgic_init(g, &p), -EINVAL);
	p.redist_stride = 0x40000;
	assert_int_equal(vgic_init(g, &p), 0);
	bus_init(&bus);
	assert_int_equal(vgic_attach(g, &bus, NULL), 0);
	assert_int_equal(bus.count, 3);
	a.offset = 0x80a0000 + 0x40000 + 8;
	assert_int_equal(bus_access(&bus, &a), VDEV_OK);
	assert_int_equal(a.value, UINT64_C(0x100) << 32 | 1 << 8 | 1 << 4);
	a.offset = 0x90a0000 + 8;
	assert_int_equal(bus_access(&bus, &a), VDEV_OK);
	assert_int_equal(a.value, UINT64_C(0x02000300) << 32 | 2 << 8 | 1 << 4);
	a.offset = 0x80a0000 + 0x20000 + 8; /* between frames */
	assert_int_equal(bus_access(&bus, &a), VDEV_OK);
	assert_int_equal(a.value, 0);
	free(g);
}

/* ---- a race against a model that has no list registers ---- */

#define RACE_VCPUS 2
#define RACE_IRQS  96

struct ref_irq {
	bool enabled, latch, line, active, edge;
	uint32_t prio, cpu;
};

static struct ref_irq ref[RACE_IRQS]; /* SPIs only, [32..] */
static uint32_t ref_stack[RACE_VCPUS][64];
static uint32_t ref_depth[RACE_VCPUS];

static bool ref_pending(const struct ref_irq *r)
{
	return r->latch || (r->line && !r->edge);
}

/* What vCPU `v` has to get if it acknowledges now. */
static uint32_t ref_highest(uint32_t v)
{
	uint32_t best = FAKE_SPURIOUS;
	uint32_t prio = 0xf8;
	uint32_t i;

	if (ref_depth[v] != 0) {
		prio = ref[ref_stack[v][ref_depth[v] - 1]].prio;
	}
	for (i = 32; i < RACE_IRQS; i++) {
		const struct ref_irq *r = &ref[i];

		if (r->cpu == v && r->enabled && !r->active && ref_pending(r) && r->prio < prio) {
			best = i;
			prio = r->prio;
		}
	}
	return best;
}

static uint32_t seed;
static uint32_t rnd(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;
	return (seed >> 8) % n;
}

static void race_guest(uint32_t v)
{
	uint32_t want;
	uint32_t id;

	if (rig.core_of[v] == RIG_NO_CORE) {
		return;
	}
	if (rnd(2) == 0 && ref_depth[v] != 0) {
		id = ref_stack[v][--ref_depth[v]];
		ref[id].active = false;
		rig_eoi(v, id);
		return;
	}
	rig_enter(v);
	want = ref_highest(v);
	id = rig_ack(v);
	if (id == FAKE_SPURIOUS || want == FAKE_SPURIOUS) {
		assert_int_equal(id, want);
		return;
	}
	/* Of several with one priority any may come. */
	assert_true(ref[id].enabled && !ref[id].active && ref_pending(&ref[id]));
	assert_int_equal(ref[id].cpu, v);
	assert_int_equal(ref[id].prio, ref[want].prio);
	ref[id].active = true;
	ref[id].latch = false;
	ref_stack[v][ref_depth[v]++] = id;
}

static void race_input(uint32_t i)
{
	struct ref_irq *r = &ref[i];
	bool level = rnd(2) != 0;

	r->latch = r->latch || (level && !r->line && r->edge);
	r->line = level;
	rig_set(VIRQ_SHARED, i, level);
}

static void race_register(uint32_t v, uint32_t i)
{
	struct ref_irq *r = &ref[i];
	uint32_t word = i / 32 * 4;
	uint32_t bit = BIT32(i % 32);

	switch (rnd(7)) {
	case 0:
		r->enabled = true;
		rig_write(v, ISENABLER + word, bit);
		break;
	case 1:
		r->enabled = rnd(4) == 0 ? false : r->enabled;
		rig_write(v, ICENABLER + word, r->enabled ? 0 : bit);
		break;
	case 2:
		r->latch = true;
		rig_write(v, ISPENDR + word, bit);
		break;
	case 3:
		r->latch = false;
		rig_write(v, ICPENDR + word, bit);
		break;
	case 4: /* not while active: unpredictable */
		if (!r->active) {
			r->prio = rnd(30) * 8;
			rig_write8(v, IPRIORITYR + i, r->prio);
		}
		break;
	case 5:
		r->cpu = rnd(RACE_VCPUS);
		route(i, r->cpu);
		break;
	default:
		if (rig.core_of[1] != RIG_NO_CORE) { /* so that vCPU 0 sees the newest */
			rig_on(1);
			vgic_maintenance(rig.g, 1);
		}
		assert_int_equal((rig_read(v, ISPENDR + word) & bit) != 0, ref_pending(r));
		assert_int_equal((rig_read(v, ISACTIVER + word) & bit) != 0, r->active);
		break;
	}
}

/* vCPUs come and go; the registers of vCPU 0 are always at hand. */
static void race_move(uint32_t v)
{
	if (rig.core_of[v] == RIG_NO_CORE) {
		rig_load(v, v + 2 * rnd(2));
	} else {
		rig_save(v);
	}
}

static void race_one(uint32_t lrs)
{
	uint32_t step;
	uint32_t i;

	start(RACE_VCPUS, lrs);
	memset(ref, 0, sizeof(ref));
	memset(ref_depth, 0, sizeof(ref_depth));
	for (i = 32; i < RACE_IRQS; i++) {
		ref[i].edge = i % 2 != 0;
		ref[i].enabled = true;
		ref[i].prio = rnd(30) * 8;
		rig_write8(0, IPRIORITYR + i, ref[i].prio);
	}
	for (i = 2; i < 6; i++) {
		rig_write(0, ICFGR + 4 * i, 0x88888888);
	}
	for (step = 0; step < 3000; step++) {
		uint32_t v = rnd(RACE_VCPUS);

		i = 32 + rnd(RACE_IRQS - 32);
		switch (rnd(8)) {
		case 0:
		case 1:
			race_input(i);
			break;
		case 2:
			race_register(0, i);
			break;
		case 3:
			race_move(v);
			break;
		default:
			race_guest(v);
			break;
		}
		/* What one vCPU does reaches the other before it goes on. */
		for (v = 0; v < RACE_VCPUS; v++) {
			rig_enter(v);
		}
		if (rig.core_of[0] == RIG_NO_CORE && rnd(4) == 0) {
			rig_load(0, 0);
		}
		assert_rig_ok();
	}
	stop();
}

static void race(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 60; i++) {
		seed = i * 7919;
		race_one(1 + i % 6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers), cmocka_unit_test(router),	cmocka_unit_test(sgis),
		cmocka_unit_test(ppis),	     cmocka_unit_test(regions), cmocka_unit_test(race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
