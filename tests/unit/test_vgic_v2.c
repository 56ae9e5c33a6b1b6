/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Virtual GICv2: whole lives of interrupts, against a model of the host's interface; all
 * of it twice, by list registers and through the CPU interface that traps.
 */
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
#define ITARGETSR  0x800u
#define ICFGR	   0xc00u
#define SGIR	   0xf00u
#define CPENDSGIR  0xf10u
#define SPENDSGIR  0xf20u

#define assert_rig_ok()                            \
	do {                                       \
		if (rig.error != NULL) {           \
			fail_msg("%s", rig.error); \
		}                                  \
	} while (0)

static enum rig_how how;

/* Both groups on; SPIs enabled, level, to `target`, priority 0x80. */
static void start(uint32_t vcpus, uint32_t lrs)
{
	uint32_t i;

	assert_int_equal(rig_start(VGIC_V2, how, vcpus, lrs, 256), 0);
	rig_write(0, CTLR, 3);
	for (i = 32; i < 288; i += 4) {
		rig_write(0, IPRIORITYR + i, 0x80808080);
		rig_write(0, ITARGETSR + i, 0x01010101);
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

static void id_registers(void **state)
{
	(void)state;
	start(2, 4);
	assert_int_equal(rig_read(0, TYPER), 1 << 5 | 8);
	assert_int_equal(rig_read(0, 0xfe8), 0x2b);
	assert_int_equal(rig_read(0, 0xff0), 0x0d);
	assert_int_equal(rig_read(0, 0xffc), 0xb1);
	assert_int_equal(rig_read(0, 0xe00), 0); /* NSACR */
	assert_int_equal(rig_read(1, ITARGETSR), 0x02020202);
	assert_int_equal(rig_read(0, ITARGETSR + 28), 0x01010101);
	rig_write(0, ITARGETSR, 0xffffffff);
	assert_int_equal(rig_read(0, ITARGETSR), 0x01010101);
	assert_int_equal(rig_read(0, CTLR), 3);
	stop();
}

static void level_life(void **state)
{
	(void)state;
	start(1, 4);
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	assert_int_equal(rig_ack(0), 40);
	assert_int_equal(rig_read(0, ISACTIVER + 4), 1 << 8);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8); /* the line is still high */
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), 40); /* pends again */
	rig_set(VIRQ_SHARED, 40, false);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	assert_int_equal(rig_read(0, ISACTIVER + 4), 0);
	assert_int_equal(rig_read(0, ISPENDR + 4), 0);
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_ack(0), 40);
	/* Falls and rises while active. */
	rig_set(VIRQ_SHARED, 40, false);
	rig_enter(0);
	rig_set(VIRQ_SHARED, 40, true);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), 40);
	stop();
}

static void level_retracted(void **state)
{
	(void)state;
	start(1, 4);
	rig_set(VIRQ_SHARED, 40, true);
	rig_enter(0);
	assert_true(rig_signalled());
	rig_set(VIRQ_SHARED, 40, false);
	rig_enter(0);
	assert_false(rig_signalled());
	assert_true(rig_in_lists(0));
	/* A level interrupt made pending by software stays until it is acknowledged. */
	rig_write(0, ISPENDR + 4, 1 << 8);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	assert_int_equal(rig_ack(0), 40);
	assert_int_equal(rig_read(0, ISPENDR + 4), 0);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	/* ICPENDR does not clear a line. */
	rig_set(VIRQ_SHARED, 40, true);
	rig_write(0, ICPENDR + 4, 1 << 8);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	assert_int_equal(rig_ack(0), 40);
	stop();
}

static void edge_life(void **state)
{
	(void)state;
	start(1, 4);
	rig_write(0, ICFGR + 8, 0xffffffff); /* 32..47 */
	assert_int_equal(rig_read(0, ICFGR + 8), 0xaaaaaaaa);
	rig_set(VIRQ_SHARED, 40, true);
	rig_set(VIRQ_SHARED, 40, false);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	assert_int_equal(rig_ack(0), 40);
	/* Again while active: once more, however often it rises. */
	rig_set(VIRQ_SHARED, 40, true);
	rig_set(VIRQ_SHARED, 40, false);
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), 40);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_set(VIRQ_SHARED, 40, false);
	rig_set(VIRQ_SHARED, 40, true);
	rig_write(0, ICPENDR + 4, 1 << 8);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	assert_int_equal(rig.maintenance, 0);
	stop();
}

static void enable_and_groups(void **state)
{
	(void)state;
	start(1, 4);
	rig_set(VIRQ_SHARED, 40, true);
	rig_enter(0);
	assert_true(rig_signalled());
	rig_write(0, ICENABLER + 4, 1 << 8);
	assert_int_equal(rig_read(0, ICENABLER + 4), ~(1u << 8));
	assert_false(rig_signalled());
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	rig_write(0, ISENABLER + 4, 1 << 8);
	assert_true(rig_signalled());
	rig_write(0, CTLR, 2); /* group 0 off */
	assert_false(rig_signalled());
	rig_write(0, IGROUPR + 4, 1 << 8);
	assert_true(rig_signalled());
	assert_true(rig.trapped || (fake_core[0].lr[0] & GICH_LR_GROUP1) != 0);
	rig_write(0, CTLR, 0);
	assert_false(rig_signalled());
	rig_write(0, CTLR, 3);
	assert_int_equal(rig_ack(0), 40);
	/* Disabled while active: EOI does not bring it back. */
	rig_write(0, ICENABLER + 4, 1 << 8);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	/* SGIs cannot be disabled. */
	rig_write(0, ICENABLER, 0xffffffff);
	assert_int_equal(rig_read(0, ISENABLER), 0xffff);
	stop();
}

static void priorities(void **state)
{
	(void)state;
	start(1, 4);
	rig_write8(0, IPRIORITYR + 41, 0x47);
	assert_int_equal(rig_read(0, IPRIORITYR + 40), 0x80804080); /* 5 bits */
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_ack(0), 40);
	rig_set(VIRQ_SHARED, 41, true);
	rig_set(VIRQ_SHARED, 42, true);
	assert_int_equal(rig_ack(0), 41); /* preempts */
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_set(VIRQ_SHARED, 41, false);
	rig_eoi(0, 41);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_write8(0, IPRIORITYR + 42, 0x10); /* while it waits in its list register */
	assert_int_equal(rig_ack(0), 42);
	stop();
}

/* 40 pending, 4 list registers: every one, in the order of priorities. */
static void many_pending(void **state)
{
	uint32_t seen = 0;
	uint32_t last = 0;
	uint32_t i;

	(void)state;
	start(1, 4);
	for (i = 0; i < 40; i++) {
		rig_write8(0, IPRIORITYR + 64 + i, (i * 7 % 32) * 8 % 0xf0);
	}
	for (i = 0; i < 40; i++) {
		rig_set(VIRQ_SHARED, 64 + i, true);
	}
	for (i = 0; i < 40; i++) {
		uint32_t id = rig_ack(0);
		uint32_t prio;

		assert_in_range(id, 64, 103);
		prio = rig_read(0, IPRIORITYR + (id & ~3u)) >> (8 * (id % 4)) & 0xff;
		assert_true(prio >= last);
		last = prio;
		rig_set(VIRQ_SHARED, id, false);
		rig_eoi(0, id);
		seen++;
	}
	assert_int_equal(seen, 40);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	assert_true(rig_at_rest(0));
	stop();
}

/* A higher one comes while the list registers are full. */
static void displaced(void **state)
{
	uint32_t i;

	(void)state;
	start(1, 2);
	for (i = 64; i < 70; i++) {
		rig_set(VIRQ_SHARED, i, true);
	}
	rig_enter(0);
	rig_write8(0, IPRIORITYR + 100, 0x08);
	rig_set(VIRQ_SHARED, 100, true);
	assert_int_equal(rig_ack(0), 100);
	rig_set(VIRQ_SHARED, 100, false);
	rig_eoi(0, 100);
	for (i = 64; i < 70; i++) {
		assert_int_equal(rig_ack(0), i);
		rig_set(VIRQ_SHARED, i, false);
		rig_eoi(0, i);
	}
	stop();
}

/* More active than list registers: each end finds its interrupt. */
static void nested(void **state)
{
	uint32_t i;

	(void)state;
	start(1, 4);
	for (i = 0; i < 12; i++) {
		rig_write8(0, IPRIORITYR + 64 + i, 0xe0 - i * 16);
	}
	for (i = 0; i < 12; i++) {
		rig_set(VIRQ_SHARED, 64 + i, true);
		assert_int_equal(rig_ack(0), 64 + i);
	}
	assert_int_equal(rig_read(0, ISACTIVER + 8), 0xfff);
	assert_true(rig_in_lists(4));
	for (i = 12; i-- > 0;) {
		rig_set(VIRQ_SHARED, 64 + i, false);
		rig_eoi(0, 64 + i);
		assert_int_equal(rig_read(0, ISACTIVER + 8), (1u << i) - 1);
	}
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	assert_true(rig_at_rest(0));
	stop();
}

/* EOImode = 1: deactivated in any order; more than list registers have to wait. */
static void split_eoi(void **state)
{
	uint32_t i;

	(void)state;
	start(1, 4);
	rig_open(0, FAKE_VMCR_OPEN | FAKE_VMCR_EOIM);
	rig_write(0, ICFGR + 16, 0xffffffff);
	for (i = 64; i < 70; i++) {
		rig_set(VIRQ_SHARED, i, true);
	}
	for (i = 64; i < 68; i++) {
		assert_int_equal(rig_ack(0), i);
		rig_eoi(0, i);
	}
	if (!rig.trapped) {
		assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	}
	rig_dir(0, 65);
	assert_int_equal(rig_ack(0), 68);
	rig_eoi(0, 68);
	rig_dir(0, 67);
	assert_int_equal(rig_ack(0), 69);
	rig_eoi(0, 69);
	rig_dir(0, 64);
	rig_dir(0, 66);
	rig_dir(0, 68);
	assert_int_equal(rig_read(0, ISACTIVER + 8), 1 << 5);
	rig_dir(0, 69);
	assert_int_equal(rig_read(0, ISACTIVER + 8), 0);
	assert_true(rig_at_rest(0));
	stop();
}

static void sgis(void **state)
{
	(void)state;
	start(4, 4);
	rig_write(0, SGIR, 0x02 << 16 | 5);
	rig_write(2, SGIR, 0x02 << 16 | 5);
	rig_write(3, SGIR, 1 << 24 | 5); /* all others */
	rig_write(1, SGIR, 2 << 24 | 6); /* self */
	assert_int_equal(rig_read(1, SPENDSGIR + 4), 0x02 << 16 | 0x0d << 8);
	assert_int_equal(rig_read(1, ISPENDR), 1 << 5 | 1 << 6);
	assert_int_equal(rig_read(3, ISPENDR), 0);
	/* Byte access; source 2 is taken back. */
	assert_int_equal(rig_access(&rig.g->dist, 1, false, SPENDSGIR + 5, 1, 0), 0x0d);
	rig_write8(1, CPENDSGIR + 5, 0x04);
	assert_int_equal(rig_read(1, SPENDSGIR + 4), 0x02 << 16 | 0x09 << 8);
	assert_int_equal(rig_ack(1), 5 | 0 << 10);
	/* The same source again while active, and the other one waits. */
	rig_write(0, SGIR, 0x02 << 16 | 5);
	assert_int_equal(rig_read(1, ISACTIVER), 1 << 5);
	rig_eoi(1, 5 | 0 << 10);
	assert_int_equal(rig_ack(1), 5 | 0 << 10);
	rig_eoi(1, 5 | 0 << 10);
	assert_int_equal(rig_ack(1), 5 | 3 << 10);
	rig_eoi(1, 5 | 3 << 10);
	assert_int_equal(rig_ack(1), 6 | 1 << 10);
	rig_eoi(1, 6 | 1 << 10);
	assert_int_equal(rig_ack(1), FAKE_SPURIOUS);
	assert_int_equal(rig_ack(0), 5 | 3 << 10);
	assert_int_equal(rig_ack(2), 5 | 3 << 10);
	assert_int_equal(rig_ack(3), FAKE_SPURIOUS);
	/* Set pending by the target itself, for two sources; one is removed from its LR. */
	rig_write(3, SPENDSGIR, 0x05);
	assert_int_equal(rig_read(3, SPENDSGIR), 0x05);
	rig_write(3, CPENDSGIR, 0x01);
	assert_int_equal(rig_ack(3), 0 | 2 << 10);
	rig_eoi(3, 0 | 2 << 10);
	assert_int_equal(rig_ack(3), FAKE_SPURIOUS);
	/* ISPENDR and ICPENDR do not touch SGIs; targets beyond the VM are ignored. */
	rig_write(3, ISPENDR, 0xffff);
	assert_int_equal(rig_read(3, ISPENDR), 0);
	rig_write(3, SGIR, 0xf0 << 16 | 1);
	rig_write(3, SGIR, 3 << 24 | 0xff << 16 | 1);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	stop();
}

static void sgi_to_self_is_short(void **state)
{
	uint32_t i;

	(void)state;
	start(1, 4);
	rig_write(0, SGIR, 2 << 24 | 1);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rig_ack(0), 1);
		rig_eoi(0, 1);
		fake_core[0].lr_writes = 0;
		fake_core[0].lr_reads = 0;
		rig_write(0, SGIR, 2 << 24 | 1);
		assert_int_equal(fake_core[0].lr_writes, rig.trapped ? 0 : 1);
		assert_int_equal(fake_core[0].lr_reads, rig.trapped ? 0 : 1);
		assert_int_equal(rig.kicks, 0);
	}
	stop();
}

/* The timer: linked, one list register write, no maintenance interrupt. */
static void linked(void **state)
{
	uint32_t i;

	(void)state;
	start(2, 4);
	rig_write(0, ISENABLER, 1 << 27);
	for (i = 0; i < 3; i++) {
		fake_core[0].lr_writes = 0;
		fake_core[0].lr_reads = 0;
		rig_fire(0, 27, 27);
		assert_int_equal(fake_core[0].lr_writes, rig.trapped ? 0 : 1);
		assert_int_equal(fake_core[0].lr_reads, 0);
		assert_true(fake_core[0].ppi_active[27]);
		assert_int_equal(rig_ack(0), 27);
		rig_eoi(0, 27);
		assert_false(fake_core[0].ppi_active[27]);
	}
	assert_int_equal(rig.maintenance, 0);
	/* Not enabled: kept, and still active on the host. */
	rig_fire(1, 27, 27);
	assert_int_equal(rig_ack(1), FAKE_SPURIOUS);
	assert_int_equal(rig_read(1, ISPENDR), 1 << 27);
	assert_true(fake_core[1].ppi_active[27]);
	rig_write(1, ISENABLER, 1 << 27);
	assert_int_equal(rig_ack(1), 27);
	rig_eoi(1, 27);
	assert_false(fake_core[1].ppi_active[27]);
	/* The guest takes it back before it is acknowledged, and while it is active. */
	rig_fire(1, 27, 27);
	rig_write(1, ICPENDR, 1 << 27);
	assert_false(fake_core[1].ppi_active[27]);
	assert_int_equal(rig_ack(1), FAKE_SPURIOUS);
	rig_fire(1, 27, 27);
	assert_int_equal(rig_ack(1), 27);
	rig_write(1, ICACTIVER, 1 << 27);
	assert_false(fake_core[1].ppi_active[27]);
	assert_int_equal(rig_read(1, ISACTIVER), 0);
	/* Disabled and pending, then the line falls: told by set(). */
	rig_write(1, ICENABLER, 1 << 27);
	rig_drop_all(1);
	rig_fire(1, 27, 27);
	rig_set(1, 27, false);
	rig_enter(1);
	assert_false(fake_core[1].ppi_active[27]);
	assert_int_equal(rig_read(1, ISPENDR), 0);
	stop();
}

/* Two vCPUs take turns on one core, each with its own timer; one moves to another. */
static void linked_moves(void **state)
{
	(void)state;
	start(2, 4);
	rig_write(0, ISENABLER, 1 << 27);
	rig_write(1, ISENABLER, 1 << 27);
	rig_save(1);
	rig_fire(0, 27, 27);
	assert_int_equal(rig_ack(0), 27);
	rig_save(0);
	assert_false(fake_core[0].ppi_active[27]);
	rig_load(1, 0);
	rig_fire(1, 27, 27); /* its own timer fires on the core */
	rig_save(1);
	assert_false(fake_core[0].ppi_active[27]);
	assert_true(rig_pending(1));
	rig_load(0, 2);
	assert_true(fake_core[2].ppi_active[27]);
	rig_eoi(0, 27);
	assert_false(fake_core[2].ppi_active[27]);
	rig_load(1, 3);
	assert_true(fake_core[3].ppi_active[27]);
	assert_int_equal(rig_ack(1), 27);
	rig_eoi(1, 27);
	assert_false(fake_core[3].ppi_active[27]);
	assert_int_equal(rig.maintenance, 0);
	stop();
}

static void linked_spi(void **state)
{
	(void)state;
	start(2, 4);
	rig_write(0, ITARGETSR + 48, 0x02020202);
	rig_fire(0, 48, 100);
	assert_int_equal(rig.kicks, 1 << 1);
	assert_int_equal(rig_ack(1), 48);
	rig_eoi(1, 48);
	assert_false(fake_spi_active[100]);
	/* Fires again before the list register has been read back. */
	rig_fire(0, 48, 100);
	assert_int_equal(rig_ack(1), 48);
	rig_save(1);
	assert_true(fake_spi_active[100]); /* a shared one stays as it is */
	/* Reset gives it back. */
	rig_save(0);
	rig.vic->ops->reset(rig.vic);
	assert_false(fake_spi_active[100]);
	/* An INTID that the guest does not have. */
	rig.core_of[0] = 0;
	rig_fire(0, 999, 101);
	assert_false(fake_spi_active[101]);
	stop();
}

static void moved_vcpu(void **state)
{
	(void)state;
	start(1, 4);
	rig_write(0, ICFGR + 8, 0xffffffff);
	rig_set(VIRQ_SHARED, 40, true);
	rig_set(VIRQ_SHARED, 100, true);
	assert_int_equal(rig_ack(0), 40);
	rig_set(VIRQ_SHARED, 40, false);
	rig_set(VIRQ_SHARED, 40, true);
	rig_save(0);
	assert_int_equal(rig_read(0, ISACTIVER + 4), 1 << 8);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8);
	rig_set(VIRQ_SHARED, 100, false); /* while it is nowhere */
	rig_load(0, 1);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), 40);
	rig_eoi(0, 40);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	stop();
}

static void remote_changes(void **state)
{
	(void)state;
	start(2, 4);
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_ack(0), 40);
	rig_save(1);
	rig_load(1, 1);
	rig_set(VIRQ_SHARED, 40, false);
	rig_enter(0);
	/* vCPU 1 ends the active state of what vCPU 0 has in a list register. */
	rig_write(1, ICACTIVER + 4, 1 << 8);
	assert_true(rig.trapped || (rig.kicks & 1) != 0);
	rig_enter(0);
	assert_int_equal(rig_read(1, ISACTIVER + 4), 0);
	assert_true(rig_in_lists(0));
	rig_drop_all(0);
	rig_write(1, ISACTIVER + 4, 1 << 8);
	rig_enter(0);
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_write(1, ICACTIVER + 4, 1 << 8);
	assert_int_equal(rig_ack(0), 40);
	rig_eoi(0, 40);
	/* Moved to vCPU 1 while it is pending in vCPU 0's. */
	rig_enter(0);
	assert_true(rig_signalled());
	rig_write8(1, ITARGETSR + 40, 2);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	assert_int_equal(rig_ack(1), 40);
	/* No target at all. */
	rig_write8(1, ITARGETSR + 41, 0);
	rig_set(VIRQ_SHARED, 41, true);
	assert_int_equal(rig.kicks, 0);
	assert_int_equal(rig_read(0, ISPENDR + 4), 3 << 8);
	stop();
}

static void one_of_n(void **state)
{
	(void)state;
	start(4, 4);
	rig_save(0);
	rig_save(1);
	rig_write(2, ITARGETSR + 40, 0x0f0f0f0f);
	rig_set(VIRQ_SHARED, 40, true);
	assert_int_equal(rig_ack(2), 40); /* the first that runs */
	assert_int_equal(rig_ack(3), FAKE_SPURIOUS);
	rig_set(VIRQ_SHARED, 40, false);
	rig_eoi(2, 40);
	/* vCPU 2 goes away with it. */
	rig_set(VIRQ_SHARED, 41, true);
	rig_enter(2);
	rig_save(2);
	rig.vic->ops->vcpu_reset(rig.vic, 2);
	rig_check();
	assert_int_equal(rig_ack(3), 41);
	stop();
}

static void reset(void **state)
{
	(void)state;
	start(2, 4);
	rig_set(VIRQ_SHARED, 40, true);
	rig_write(1, SGIR, 0x03 << 16 | 2);
	assert_int_equal(rig_ack(0), 2 | 1 << 10);
	rig_save(0);
	rig_save(1);
	rig.vic->ops->reset(rig.vic);
	rig_check();
	assert_int_equal(rig_read(0, CTLR), 0);
	assert_int_equal(rig_read(0, ISENABLER + 4), 0);
	assert_int_equal(rig_read(0, ISACTIVER), 0);
	assert_int_equal(rig_read(0, IPRIORITYR + 40), 0);
	assert_int_equal(rig_read(0, ITARGETSR + 40), 0);
	assert_int_equal(rig_read(0, ICFGR), 0xaaaaaaaa);
	assert_int_equal(rig_read(0, ISPENDR + 4), 1 << 8); /* the line is an input */
	rig_load(0, 0);
	assert_int_equal(rig.trapped ? rig_gicc_read(0, RIG_GICC_CTLR) : fake_core[0].cpuif.vmcr,
			 0);
	assert_int_equal(fake_core[0].cpuif.apr0[0], 0);
	rig_open(0, FAKE_VMCR_OPEN);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_write(0, CTLR, 1);
	rig_write(0, ISENABLER + 4, 1 << 8);
	rig_write8(0, ITARGETSR + 40, 1);
	assert_int_equal(rig_ack(0), 40);
	stop();
}

static void wfi(void **state)
{
	(void)state;
	start(1, 4);
	assert_false(rig_pending(0));
	rig_set(VIRQ_SHARED, 40, true);
	assert_true(rig_pending(0));
	rig_open(0, (FAKE_VMCR_OPEN & 0xffffff) | UINT32_C(0x80) << 24);
	assert_false(rig_pending(0));
	rig_open(0, FAKE_VMCR_OPEN & ~FAKE_VMCR_ENG0);
	assert_false(rig_pending(0));
	rig_open(0, FAKE_VMCR_OPEN);
	assert_int_equal(rig_ack(0), 40);
	assert_false(rig_pending(0));
	rig_save(0);
	assert_false(rig_pending(0));
	rig_set(VIRQ_SHARED, 41, true);
	assert_int_equal(rig.kicks, 1);
	/* 40 still runs, and 41 would not preempt it: known where nothing is the host's. */
	assert_int_equal(rig_pending(0), !rig.trapped);
	rig_set(VIRQ_SHARED, 41, false);
	assert_false(rig_pending(0));
	/* It sleeps, but its state has stayed on its core. */
	rig_load(0, 0);
	rig_set(VIRQ_SHARED, 40, false);
	rig_eoi(0, 40);
	rig_write(0, ISENABLER, 1 << 27);
	rig.kicks = 0;
	rig_fire(0, 27, 27);
	assert_int_equal(rig.kicks, 0);
	assert_int_equal(rig_ack(0), 27);
	rig_eoi(0, 27);
	assert_false(rig_pending(0));
	rig_fire(0, 27, 27);
	assert_int_equal(rig.kicks, 1);
	assert_int_equal(rig_ack(0), 27);
	rig_eoi(0, 27);
	stop();
}

static uint32_t acked;
static void on_ack(void *arg)
{
	(void)arg;
	acked++;
	/* Called without the lock: may raise the line again. */
	rig.vic->ops->set(rig.vic, VIRQ_SHARED, 40, acked < 3);
}

static void acknowledge(void **state)
{
	uint32_t i;

	(void)state;
	start(1, 4);
	acked = 0;
	assert_int_equal(rig.vic->ops->on_ack(rig.vic, 40, on_ack, NULL), 0);
	rig_set(VIRQ_SHARED, 40, true);
	for (i = 1; i <= 3; i++) {
		assert_int_equal(rig_ack(0), 40);
		rig_set(VIRQ_SHARED, 40, false);
		rig_eoi(0, 40);
		assert_int_equal(acked, i);
	}
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	assert_int_equal(rig.vic->ops->on_ack(rig.vic, 5, on_ack, NULL), -EINVAL);
	for (i = 1; i < VGIC_MAX_ACKS; i++) {
		assert_int_equal(rig.vic->ops->on_ack(rig.vic, 41, on_ack, NULL), 0);
	}
	assert_int_equal(rig.vic->ops->on_ack(rig.vic, 41, on_ack, NULL), -ENOSPC);
	stop();
}

/* Every offset in every width: only what the manual allows is answered or changed. */
static void widths(void **state)
{
	static const uint32_t width[4] = { 1, 2, 4, 8 };
	uint32_t o;
	uint32_t i;

	(void)state;
	start(2, 4);
	for (o = 0; o < 0x1000; o++) {
		for (i = 0; i < 4; i++) {
			bool bytes = (o >= 0x400 && o < 0xc00) || (o >= 0xf10 && o < 0xf30);
			bool ok = (width[i] == 4 && o % 4 == 0) || (width[i] == 1 && bytes);
			uint64_t v = rig_access(&rig.g->dist, 0, false, o, width[i], 0);

			if (!ok) {
				assert_int_equal(v, 0);
			} else if (width[i] == 1) {
				uint32_t w = rig_read(0, o & ~3u);

				assert_int_equal(v, w >> (8 * (o % 4)) & 0xff);
			}
		}
	}
	for (o = 0; o < 0x1000; o++) {
		(void)rig_access(&rig.g->dist, 0, true, o, 2, 0xffff);
		(void)rig_access(&rig.g->dist, 0, true, o, 8, UINT64_MAX);
		(void)rig_access(&rig.g->dist, 0, true, o | 1, 4, UINT32_MAX);
	}
	assert_int_equal(rig_read(0, CTLR), 3);
	assert_int_equal(rig_read(0, IPRIORITYR + 40), 0x80808080);
	assert_int_equal(rig_read(0, ISPENDR + 4), 0);
	assert_int_equal(rig_access(&rig.g->dist, 0, false, 0x1004, 4, 0), 0);
	assert_int_equal(rig_access(&rig.g->dist, 0, false, UINT64_MAX - 3, 4, 0), 0);
	stop();
}

static void limits(void **state)
{
	struct vgic_params p = { .kind = VGIC_V2, .vcpu_count = 9, .gich = &fake_gich };
	uint64_t hwids[9] = { 0 };
	struct vgic *g = calloc(1, vgic_size(VGIC_V2, 9));

	(void)state;
	fake_gich_reset(2, 4);
	p.hwids = hwids;
	assert_int_equal(vgic_init(g, &p), -EINVAL);
	p.vcpu_count = 0;
	assert_int_equal(vgic_init(g, &p), -EINVAL);
	p.vcpu_count = 2;
	assert_int_equal(vgic_init(g, &p), -EINVAL); /* one affinity twice */
	hwids[1] = 1;
	p.spi_count = 989;
	assert_int_equal(vgic_init(g, &p), -EINVAL);
	p.spi_count = 988;
	assert_int_equal(vgic_init(g, &p), 0);
	rig.g = g;
	rig.vic = vgic_vic(g);
	rig.vcpus = 2;
	rig.core_of[0] = RIG_NO_CORE;
	assert_int_equal(rig_read(0, TYPER) & 0x1f, 31);
	rig_write(0, ISENABLER + 31 * 4, 0xffffffff);
	assert_int_equal(rig_read(0, ISENABLER + 31 * 4), 0x0fffffff);
	rig_write(0, ITARGETSR + 1020, 0xffffffff);
	assert_int_equal(rig_read(0, ITARGETSR + 1020), 0);
	rig_set(VIRQ_SHARED, 1020, true);
	rig_set(VIRQ_SHARED, 5000, true);
	rig_set(7, 27, true);
	rig_set(0, 3, true);
	assert_int_equal(rig_read(0, ISPENDR + 31 * 4), 0);
	assert_int_equal(rig_read(0, ISPENDR), 0);
	p.kind = VGIC_V3;
	assert_int_equal(vgic_init(g, &p), -ENOTSUP);
	free(g);
	/* One vCPU: no target registers, everything comes. */
	start(1, 4);
	assert_int_equal(rig_read(0, ITARGETSR), 0);
	assert_int_equal(rig_read(0, ITARGETSR + 40), 0);
	stop();
}

/* ---- only the trapped interface ---- */

#define GICC_CTLR   RIG_GICC_CTLR
#define GICC_PMR    RIG_GICC_PMR
#define GICC_BPR    RIG_GICC_BPR
#define GICC_IAR    RIG_GICC_IAR
#define GICC_EOIR   RIG_GICC_EOIR
#define GICC_RPR    0x14u
#define GICC_HPPIR  0x18u
#define GICC_ABPR   RIG_GICC_ABPR
#define GICC_AIAR   RIG_GICC_AIAR
#define GICC_AEOIR  0x24u
#define GICC_AHPPIR 0x28u
#define GICC_IIDR   0xfcu

static void gicc_registers(void **state)
{
	static const uint32_t reads_back[] = { GICC_CTLR, GICC_PMR,	GICC_BPR,
					       GICC_ABPR, RIG_GICC_APR, RIG_GICC_NSAPR };
	uint32_t o;
	uint32_t i;

	(void)state;
	start(2, 4);
	assert_int_equal(rig_gicc_read(0, GICC_IIDR) >> 16 & 0xf, 2);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0xff);
	assert_int_equal(rig_gicc_read(0, GICC_HPPIR), 1023);
	for (i = 0; i < ARRAY_SIZE(reads_back); i++) {
		rig_gicc_write(0, reads_back[i], UINT32_MAX);
	}
	assert_int_equal(rig_gicc_read(0, GICC_CTLR), 0x21f);
	assert_int_equal(rig_gicc_read(0, GICC_PMR), 0xf8);
	assert_int_equal(rig_gicc_read(0, GICC_BPR), 7);
	assert_int_equal(rig_gicc_read(0, GICC_ABPR), 7);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0);
	for (i = 0; i < ARRAY_SIZE(reads_back); i++) {
		rig_gicc_write(0, reads_back[i], 0);
	}
	assert_int_equal(rig_gicc_read(0, GICC_BPR), 2); /* five bits of priority */
	assert_int_equal(rig_gicc_read(0, GICC_ABPR), 3);
	/* The other vCPU has its own. */
	assert_int_equal(rig_gicc_read(1, GICC_CTLR), 3);
	assert_int_equal(rig_gicc_read(1, GICC_PMR), 0xf8);
	/* Other widths, between registers and behind them: nothing happens. */
	for (o = 0; o < 0x3000; o++) {
		(void)rig_access(&rig.g->cpuif, 0, true, o, 1, 0xff);
		(void)rig_access(&rig.g->cpuif, 0, true, o, 8, UINT64_MAX);
		(void)rig_access(&rig.g->cpuif, 0, true, o | 1, 4, UINT32_MAX);
		assert_int_equal(rig_access(&rig.g->cpuif, 0, false, o, 2, 0), 0);
	}
	(void)rig_access(&rig.g->cpuif, 0, true, BIT64(32), 4, 3);
	for (i = 0; i < ARRAY_SIZE(reads_back); i++) {
		if (reads_back[i] != GICC_BPR && reads_back[i] != GICC_ABPR) {
			assert_int_equal(rig_gicc_read(0, reads_back[i]), 0);
		}
	}
	stop();
}

/* Group 0 as FIQ, group 1 as IRQ, each acknowledged by its own register. */
static void gicc_groups(void **state)
{
	const struct fake_core *core = &fake_core[0];

	(void)state;
	start(1, 4);
	rig_open(0, FAKE_VMCR_OPEN | BIT32(3));
	rig_write(0, IGROUPR + 4, 1 << 9); /* 41 */
	rig_set(VIRQ_SHARED, 41, true);
	rig_enter(0);
	assert_true(core->virq && !core->vfiq);
	assert_int_equal(rig_gicc_read(0, GICC_IAR), 1022);
	assert_int_equal(rig_gicc_read(0, GICC_HPPIR), 1022);
	assert_int_equal(rig_gicc_read(0, GICC_AHPPIR), 41);
	rig_write8(0, IPRIORITYR + 40, 0x40);
	rig_set(VIRQ_SHARED, 40, true);
	rig_enter(0);
	assert_true(core->vfiq && !core->virq);
	rig_write(0, IGROUPR + 4, 3 << 8);
	assert_true(core->virq && !core->vfiq);
	rig_write(0, IGROUPR + 4, 1 << 9);
	assert_true(core->vfiq && !core->virq);
	assert_int_equal(rig_gicc_read(0, GICC_AIAR), 1023);
	assert_int_equal(rig_gicc_read(0, GICC_AHPPIR), 1023);
	assert_int_equal(rig_gicc_read(0, GICC_IAR), 40);
	assert_int_equal(rig_gicc_read(0, RIG_GICC_APR), 1 << 8);
	rig_gicc_write(0, GICC_AEOIR, 40); /* not of group 1 */
	assert_int_equal(rig_read(0, ISACTIVER + 4), 1 << 8);
	rig_set(VIRQ_SHARED, 40, false);
	rig_gicc_write(0, GICC_EOIR, 40);
	assert_int_equal(rig_gicc_read(0, GICC_AIAR), 41);
	assert_int_equal(rig_gicc_read(0, RIG_GICC_NSAPR), 1 << 16);
	rig_set(VIRQ_SHARED, 41, false);
	rig_gicc_write(0, GICC_AEOIR, 41);
	assert_int_equal(rig_read(0, ISACTIVER + 4), 0);
	/* AckCtl: by GICC_IAR as well. */
	rig_open(0, FAKE_VMCR_OPEN | BIT32(2));
	rig_set(VIRQ_SHARED, 41, true);
	assert_int_equal(rig_gicc_read(0, GICC_IAR), 41);
	rig_gicc_write(0, GICC_EOIR, 41);
	/* A more urgent one in a group that is off hides nothing. */
	rig_set(VIRQ_SHARED, 40, true);
	rig_gicc_write(0, GICC_CTLR, 2);
	assert_int_equal(rig_gicc_read(0, GICC_IAR), 1022);
	assert_true(core->virq);
	assert_int_equal(rig_gicc_read(0, GICC_AIAR), 41);
	rig_gicc_write(0, GICC_CTLR, 0);
	assert_int_equal(rig_gicc_read(0, GICC_HPPIR), 1023);
	stop();
}

static void gicc_preemption(void **state)
{
	(void)state;
	start(1, 4);
	rig_gicc_write(0, GICC_BPR, 4); /* group priority in [7:5] */
	rig_write8(0, IPRIORITYR + 41, 0x70);
	rig_write8(0, IPRIORITYR + 42, 0x60);
	rig_write8(0, IPRIORITYR + 43, 0x58);
	rig_set(VIRQ_SHARED, 41, true);
	assert_int_equal(rig_ack(0), 41);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0x60);
	rig_set(VIRQ_SHARED, 42, true);
	rig_enter(0);
	assert_false(rig_signalled());
	assert_int_equal(rig_gicc_read(0, GICC_HPPIR), 42);
	assert_int_equal(rig_ack(0), FAKE_SPURIOUS);
	rig_gicc_write(0, GICC_BPR, 3); /* [7:4]: 0x60 is less than what runs, which stays 0x60 */
	assert_false(rig_signalled());
	rig_set(VIRQ_SHARED, 43, true);
	assert_int_equal(rig_ack(0), 43);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0x50);
	assert_int_equal(rig_gicc_read(0, RIG_GICC_APR), 1 << 10 | 1 << 12);
	rig_set(VIRQ_SHARED, 43, false);
	rig_eoi(0, 43);
	rig_set(VIRQ_SHARED, 41, false);
	rig_eoi(0, 41);
	/* The mask lets only higher ones through. */
	rig_gicc_write(0, GICC_PMR, 0x60);
	assert_false(rig_signalled());
	assert_int_equal(rig_gicc_read(0, GICC_HPPIR), 42);
	rig_gicc_write(0, GICC_PMR, 0x68);
	assert_true(rig_signalled());
	/* Group 1 has its own binary point, or shares (CBPR). */
	rig_write(0, IGROUPR + 4, UINT32_MAX);
	rig_gicc_write(0, GICC_PMR, 0xf8);
	rig_gicc_write(0, GICC_BPR, 7);
	assert_int_equal(rig_ack(0), 42);
	rig_set(VIRQ_SHARED, 43, true);
	rig_enter(0);
	assert_true(rig_signalled());
	rig_gicc_write(0, GICC_CTLR, 3 | 0x10);
	assert_true(rig_signalled()); /* group priority 0 preempts 0x60 */
	rig_gicc_write(0, RIG_GICC_NSAPR, 1);
	assert_false(rig_signalled());
	stop();
}

/* EOImode: the drop lets others in, the host interrupt lives until GICC_DIR. */
static void gicc_linked_split(void **state)
{
	(void)state;
	start(2, 4);
	rig_write(0, ISENABLER, 1 << 27);
	rig_open(0, FAKE_VMCR_OPEN | FAKE_VMCR_EOIM);
	rig_fire(0, 27, 27);
	assert_int_equal(rig_ack(0), 27);
	rig_eoi(0, 27);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0xff);
	assert_true(fake_core[0].ppi_active[27]);
	assert_int_equal(rig_read(0, ISACTIVER), 1 << 27);
	rig_save(0);
	assert_false(fake_core[0].ppi_active[27]);
	rig_load(0, 3);
	assert_true(fake_core[3].ppi_active[27]);
	rig_dir(0, 27);
	assert_false(fake_core[3].ppi_active[27]);
	assert_int_equal(rig_read(0, ISACTIVER), 0);
	/* Without it GICC_DIR does nothing, and nobody ends another's by GICC_EOIR. */
	rig_open(0, FAKE_VMCR_OPEN);
	rig_fire(0, 48, 100);
	assert_int_equal(rig_ack(0), 48);
	rig_dir(0, 48);
	rig_set(1, 20, true);
	rig_write(1, ISENABLER, 1 << 20);
	assert_int_equal(rig_ack(1), 20);
	rig_eoi(1, 48);
	assert_true(fake_spi_active[100]);
	/* Numbers that are none: no drop. */
	rig_eoi(0, 1023);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0x80);
	rig_eoi(0, 48);
	assert_false(fake_spi_active[100]);
	assert_int_equal(rig_gicc_read(0, GICC_RPR), 0xff);
	stop();
}

int main(void)
{
	const struct CMUnitTest both[] = {
		cmocka_unit_test(id_registers),
		cmocka_unit_test(level_life),
		cmocka_unit_test(level_retracted),
		cmocka_unit_test(edge_life),
		cmocka_unit_test(enable_and_groups),
		cmocka_unit_test(priorities),
		cmocka_unit_test(many_pending),
		cmocka_unit_test(displaced),
		cmocka_unit_test(nested),
		cmocka_unit_test(split_eoi),
		cmocka_unit_test(sgis),
		cmocka_unit_test(sgi_to_self_is_short),
		cmocka_unit_test(linked),
		cmocka_unit_test(linked_moves),
		cmocka_unit_test(linked_spi),
		cmocka_unit_test(moved_vcpu),
		cmocka_unit_test(remote_changes),
		cmocka_unit_test(one_of_n),
		cmocka_unit_test(reset),
		cmocka_unit_test(wfi),
		cmocka_unit_test(acknowledge),
		cmocka_unit_test(widths),
		cmocka_unit_test(limits),
	};

	const struct CMUnitTest trapped[] = {
		cmocka_unit_test(gicc_registers),
		cmocka_unit_test(gicc_groups),
		cmocka_unit_test(gicc_preemption),
		cmocka_unit_test(gicc_linked_split),
	};
	int failed;

	failed = cmocka_run_group_tests_name("lists", both, NULL, NULL);
	how = RIG_TRAPPED;
	failed += cmocka_run_group_tests_name("trapped", both, NULL, NULL);
	return failed + cmocka_run_group_tests_name("gicc", trapped, NULL, NULL);
}
