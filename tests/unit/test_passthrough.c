/* SPDX-License-Identifier: Apache-2.0 */
/*
 * core/irq.c and core/passthrough.c: interrupts that come and go with a VM, with a
 * recording chip and a recording virtual interrupt controller.
 */
#include "fake_arch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/cpu.h>
#include <hv/irq.h>
#include <hv/passthrough.h>
#include <hv/plan.h>
#include <hv/vm.h>

/* The cores, without core/cpu.c and all that it starts. */
struct cpu cpus[MAX_CPUS];
uint32_t cpu_count;

void arch_halt(void)
{
	fail_msg("halted");
	abort();
}

static uint32_t next_irq;
static bool enabled[128];
static uint32_t target[128];
static enum irq_trigger trigger[128];
static char trace[256];

static void note(const char *what, uint32_t irq)
{
	size_t used = strlen(trace);

	snprintf(trace + used, sizeof(trace) - used, "%s%u ", what, irq);
}

static uint32_t chip_ack(void)
{
	return next_irq;
}

static void chip_eoi(uint32_t irq)
{
	note("eoi", irq);
}

static void chip_drop(uint32_t irq)
{
	note("drop", irq);
}

static void chip_enable(uint32_t irq)
{
	enabled[irq] = true;
}

static void chip_disable(uint32_t irq)
{
	enabled[irq] = false;
}

static void chip_set_trigger(uint32_t irq, enum irq_trigger t)
{
	assert_false(enabled[irq]);
	trigger[irq] = t;
}

static void chip_set_target(uint32_t irq, uint32_t cpu)
{
	target[irq] = cpu;
}

static uint32_t chip_count(void)
{
	return 128;
}

static const struct irqchip_ops chip_ops = {
	.ack = chip_ack,
	.eoi = chip_eoi,
	.drop = chip_drop,
	.enable = chip_enable,
	.disable = chip_disable,
	.set_trigger = chip_set_trigger,
	.set_target = chip_set_target,
	.count = chip_count,
};

static void vic_inject_hw(struct vic *vic, uint32_t vcpu, uint32_t irq, uint32_t host_irq)
{
	(void)vic;
	assert_int_equal(vcpu, VIRQ_SHARED);
	note("inject", irq);
	note("of", host_irq);
}

static const struct vic_ops vic_ops = { .inject_hw = vic_inject_hw };
static struct vic vic = { .ops = &vic_ops };
static struct vm vm[2];
static struct vm_plan *plan[2];

static int setup(void **state)
{
	(void)state;
	fake_ram_simple(hpa(0x40000000), 4 * MiB);
	host_irqchip.ops = &chip_ops;
	memset(enabled, 1, sizeof(enabled));
	memset(vm, 0, sizeof(vm));
	cpu_count = 3;
	cpus[0].online = 1;
	cpus[1].online = 0;
	cpus[2].online = 1;
	for (int i = 0; i < 2; i++) {
		plan[i] = calloc(1, sizeof(*plan[i]));
		plan[i]->cpu_affinity[0] = 6;
		plan[i]->irq_count = 2;
		plan[i]->irq[0] = (struct plan_irq){ .host = 79, .guest = 100, .edge = true };
		plan[i]->irq[1] = (struct plan_irq){ .host = 40, .guest = 41 };
		plan[i]->irq[0].name = plan[i]->irq[1].name = "disk";
		vm[i].plan = plan[i];
		vm[i].vic = &vic;
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		pool_destroy(&vm[i].pool);
		free(plan[i]);
	}
	cpu_count = 0;
	fake_ram_reset();
	return 0;
}

static void fires(uint32_t irq, const char *what)
{
	trace[0] = '\0';
	next_irq = irq;
	irq_dispatch();
	assert_string_equal(trace, what);
}

static void test_life(void **state)
{
	(void)state;
	assert_int_equal(passthrough_create(&vm[0]), 0);
	assert_false(enabled[79]);
	assert_false(enabled[40]);
	assert_int_equal(trigger[79], IRQ_EDGE);
	assert_int_equal(trigger[40], IRQ_LEVEL);
	assert_int_equal(target[79], 2); /* core 1 does not run */
	/* Not started: it is ended here. */
	fires(79, "eoi79 ");
	passthrough_start(&vm[0]);
	assert_true(enabled[79] && enabled[40]);
	/* Dropped first, and not deactivated: that is the guest's. */
	fires(79, "drop79 inject100 of79 ");
	fires(40, "drop40 inject41 of40 ");
	passthrough_stop(&vm[0]);
	assert_false(enabled[79] || enabled[40]);
	fires(79, "eoi79 ");
	passthrough_start(&vm[0]);
	fires(79, "drop79 inject100 of79 ");
	passthrough_stop(&vm[0]);
	passthrough_destroy(&vm[0]);
	passthrough_destroy(&vm[0]);
	/* Nobody's: switched off. */
	enabled[79] = true;
	fires(79, "eoi79 ");
	assert_false(enabled[79]);
}

static void test_taken(void **state)
{
	(void)state;
	plan[0]->irq_count = 1;
	plan[0]->irq[0].host = 40;
	assert_int_equal(passthrough_create(&vm[0]), 0);
	passthrough_start(&vm[0]);
	/* The first is free, the second is not: the VM is undone by its maker. */
	assert_int_equal(passthrough_create(&vm[1]), -EBUSY);
	passthrough_stop(&vm[1]);
	passthrough_destroy(&vm[1]);
	assert_true(enabled[40]); /* the neighbour's still works */
	fires(40, "drop40 inject100 of40 ");
	fires(79, "eoi79 ");
	passthrough_stop(&vm[0]);
	passthrough_destroy(&vm[0]);
	/* Now it has both. */
	assert_int_equal(passthrough_create(&vm[1]), 0);
	passthrough_destroy(&vm[1]);
	plan[1]->irq[1].host = 128;
	assert_int_equal(passthrough_create(&vm[1]), -EINVAL);
	passthrough_destroy(&vm[1]);
}

static enum irq_end own(uint32_t irq)
{
	note("own", irq);
	return IRQ_DONE;
}

static void test_hypervisors_own(void **state)
{
	(void)state;
	irq_register(40, own);
	fires(40, "own40 eoi40 ");
	assert_int_equal(passthrough_create(&vm[0]), -EBUSY);
	passthrough_destroy(&vm[0]);
	fires(40, "own40 eoi40 ");
}

static void test_quiet(void **state)
{
	(void)state;
	plan[0]->map_count = 1;
	plan[0]->map[0].dma = false;
	vm[0].state = VM_STOPPED;
	assert_true(passthrough_is_quiet(&vm[0]));
	plan[0]->map[0].dma = true;
	assert_false(passthrough_is_quiet(&vm[0]));
	/* It never ran. */
	vm[0].state = VM_READY;
	assert_true(passthrough_is_quiet(&vm[0]));
	vm[0].resets = 1;
	assert_false(passthrough_is_quiet(&vm[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_quiet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hypervisors_own, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
