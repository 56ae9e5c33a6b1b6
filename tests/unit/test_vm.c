/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a VM, from a plan to its last page, with guests that are scripts. */
#include "plan_rig.h"

#include "fake_arch.h"
#include "fake_time.h"
#include "fake_vcpu.h"

#include <hv/arch_cpu.h>
#include <hv/arch_mm.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/log.h>
#include <hv/stack.h>
#include <hv/uart.h>
#include <hv/vm.h>
#include <hv/vmm.h>

#define RAM	 UINT64_C(0x40000000)
#define RAM_SIZE (64 * KiB)
#define UART	 UINT64_C(0x9000000)
#define NOWHERE	 UINT64_C(0x3000000)
#define SLEEP	 UINT64_C(1000000)

static struct vm *vm;
static uint64_t free_before;
static uint32_t notified;

/* The VMM's thread is test_vmm.c's matter. */
void vmm_notify(void)
{
	notified++;
}

/* ---- The screen ---------------------------------------------------------------------------- */

static char screen[65536];
static size_t screen_len;

static bool uart_tx_ready(struct uart *u)
{
	(void)u;
	return true;
}

static void uart_tx(struct uart *u, uint8_t c)
{
	(void)u;
	if (screen_len < sizeof(screen) - 1) {
		screen[screen_len++] = (char)c;
		screen[screen_len] = '\0';
	}
}

static const struct uart_ops uart_ops = { .tx_ready = uart_tx_ready, .tx = uart_tx };
static struct uart uart = { .ops = &uart_ops };

static uint32_t on_screen(const char *text)
{
	uint32_t n = 0;

	for (const char *at = strstr(screen, text); at != NULL; at = strstr(at + 1, text)) {
		n++;
	}
	return n;
}

/* ---- The rig ------------------------------------------------------------------------------- */

static void plan(uint32_t vcpus, uint64_t set)
{
	static const uint8_t kernel[16] = { 1 };

	assert_int_equal(rig_setup(NULL), 0);
	rig_cfg.cpu_num = vcpus;
	rig_cfg.memory[0].size = RAM_SIZE;
	rig_cfg.has_phys_cpu_sets = true;
	rig_machine.cpu_count = cpu_count;
	for (uint32_t i = 0; i < cpu_count; i++) {
		rig_machine.cpu[i].hwid = i;
	}
	for (uint32_t i = 0; i < vcpus; i++) {
		rig_cfg.phys_cpu_sets[i] = set;
	}
	rig_addr(&rig_cfg.kernel.load_addr, RAM);
	rig_addr(&rig_cfg.entry_point, RAM);
	rig_add("kernel.bin", kernel, sizeof(kernel));
	assert_int_equal(rig_run(&rig_machine), 0);
}

static void setup_vm(uint32_t core_count, uint32_t vcpus, uint64_t set)
{
	fake_cores_start(core_count);
	stack_free(stack_alloc()); /* the stack window's tables stay */
	screen_len = 0;
	screen[0] = '\0';
	notified = 0;
	log_set_level(LOG_WARN);
	plan(vcpus, set);
	free_before = page_free_count();
	assert_int_equal(vm_create(&rig_plan, &vm), 0);
	assert_int_equal(vm->state, VM_CREATED);
	assert_true(page_free_count() < free_before);
}

static void run_vm(void (*guest)(struct vcpu *v))
{
	fake_guest = guest;
	notified = 0;
	assert_int_equal(vm_boot(vm), 0);
	fake_rounds(50);
}

/* Everything is off, gone, and given back. */
static void finish(enum vm_end why)
{
	for (uint32_t i = 0; i < 50 && vm->live != 0; i++) {
		fake_pass(SCHED_SLICE_NS, 20);
	}
	assert_int_equal(vm->live, 0);
	assert_int_equal(vm->end, why);
	assert_int_equal(notified, why != VM_END_NONE);
	fake_rounds(20);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		struct vcpu *v = vm->vcpu[i];

		assert_int_equal(v->state, VCPU_OFF);
		assert_int_equal(v->work, 0);
		assert_true(thread_is_parked(&v->thread));
		assert_int_equal(v->arch.loads, v->arch.saves);
		assert_false(timer_is_armed(&v->wake_timer));
	}
	for (uint32_t n = 0; n < cpu_count; n++) {
		assert_null(cpus[n].loaded);
		assert_int_equal(cpus[n].rq.length, 0);
	}
	vm_destroy(vm);
	assert_int_equal(vm->state, VM_FREE);
	assert_int_equal(page_free_count(), free_before);
	assert_int_equal(page_owner_count(OWNER_VM(vm->slot)), 0);
	fake_cores_stop();
}

static void say(struct vcpu *v, const char *text)
{
	for (; *text != '\0'; text++) {
		uint64_t c = (uint8_t)*text;

		assert_true(guest_mmio(v, UART, 4, true, &c));
	}
}

/* ---- Tests --------------------------------------------------------------------------------- */

static void guest_devices(struct vcpu *v)
{
	uint64_t value = 0;

	assert_int_equal(v->entry, RAM);
	say(v, "hello from the guest\n");
	assert_true(guest_mmio(v, UART + 0xfe0, 4, false, &value));
	assert_int_equal(value, 0x11);
	/* Half a register more than there is. */
	assert_false(guest_mmio(v, UART + 0xffc, 8, false, &value));
	assert_int_equal(v->arch.aborts, 1);
	for (uint32_t i = 0; i < 40; i++) {
		value = i;
		assert_false(guest_mmio(v, NOWHERE + i, 1, i % 2 != 0, &value));
		assert_int_equal(value, i);
	}
	assert_int_equal(v->arch.aborts, 41);
	guest_end(v, EXIT_SYSTEM_OFF);
}

static void test_devices(void **state)
{
	(void)state;
	setup_vm(1, 1, 1);
	run_vm(guest_devices);
	assert_int_equal(on_screen("hello from the guest\n"), 1);
	/* A line for each at first, and then no more. */
	assert_int_equal(on_screen("where nothing is"), 16);
	assert_int_equal(on_screen("write of 1 byte at 0x3000001, where nothing is"), 1);
	assert_int_equal(on_screen("further ones are not logged"), 1);
	finish(VM_END_OFF);
}

static void guest_hypercalls(struct vcpu *v)
{
	uint64_t a[HYPERCALL_ARGS] = { 1, RAM, RAM + 8, RAM + 16 };
	static const uint64_t bad[] = { 0,    NOWHERE,	      RAM + RAM_SIZE - 4, RAM + RAM_SIZE,
					UART, UINT64_MAX - 3, BIT64(63) };

	assert_int_equal(guest_hypercall(v, HC_DISABLE, a), -EPERM);
	assert_int_equal(guest_hypercall(v, HC_PREPARE_DISABLE, a), -EPERM);
	assert_int_equal(guest_hypercall(v, HC_DEBUG, a), 0);
	for (uint64_t nr = HC_IVC_PUBLISH; nr < HC_COUNT; nr++) {
		assert_int_equal(guest_hypercall(v, nr, a), -ENOSYS);
	}
	assert_int_equal(guest_hypercall(v, HC_COUNT, a), -ENOSYS);
	assert_int_equal(guest_hypercall(v, UINT64_MAX, a), -ENOSYS);
	assert_int_equal(guest_hypercall(v, BIT64(32) | HC_DEBUG, a), -ENOSYS);
	for (uint32_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t b[HYPERCALL_ARGS] = { 1, bad[i], RAM, RAM };

		assert_int_equal(guest_hypercall(v, HC_IVC_PUBLISH, b), -EFAULT);
		b[1] = 1;
		b[2] = bad[i];
		assert_int_equal(guest_hypercall(v, HC_IVC_SUBSCRIBE, b), -EFAULT);
		b[2] = RAM;
		b[3] = bad[i];
		assert_int_equal(guest_hypercall(v, HC_IVC_SUBSCRIBE, b), -EFAULT);
	}
	guest_end(v, EXIT_SYSTEM_OFF);
}

static void test_hypercalls(void **state)
{
	(void)state;
	setup_vm(1, 1, 1);
	run_vm(guest_hypercalls);
	finish(VM_END_OFF);
}

static bool is_on(struct vcpu *v, uint64_t hwid, bool *known)
{
	struct vm_exit e = { .kind = EXIT_CPU_INFO, .cpu_info.hwid = hwid };

	guest_exit(v, &e);
	*known = e.cpu_info.known;
	return e.cpu_info.on;
}

static uint32_t second_runs;

static void guest_smp(struct vcpu *v)
{
	bool known;

	if (v->index == 1) {
		second_runs++;
		assert_int_equal(v->entry, RAM + 4 * second_runs);
		assert_int_equal(v->arg, second_runs);
		assert_int_equal(v->arch.resets, second_runs);
		say(v, "two\n");
		guest_end(v, EXIT_CPU_OFF);
	}
	assert_false(is_on(v, 1, &known));
	assert_true(known);
	assert_false(is_on(v, 77, &known));
	assert_false(known);
	assert_int_equal(guest_cpu_on(v, 77, RAM, 0), -EINVAL);
	assert_int_equal(guest_cpu_on(v, 1, NOWHERE, 0), -EFAULT);
	assert_int_equal(guest_cpu_on(v, 1, UART, 0), -EFAULT);
	assert_int_equal(guest_cpu_on(v, 0, RAM, 0), -EALREADY);
	for (uint64_t i = 1; i <= 5; i++) {
		assert_int_equal(guest_cpu_on(v, 1, RAM + 4 * i, i), 0);
		assert_int_equal(guest_cpu_on(v, 1, RAM, 0), -EALREADY);
		assert_true(is_on(v, 1, &known));
		while (is_on(v, 1, &known)) {
			fake_work();
		}
		assert_int_equal(second_runs, i);
	}
	guest_end(v, EXIT_CPU_OFF); /* the last one's is the VM's end */
}

static void smp(uint32_t core_count)
{
	second_runs = 0;
	setup_vm(core_count, 2, core_count == 1 ? 1 : 3);
	run_vm(guest_smp);
	for (uint32_t i = 0; i < 50; i++) {
		fake_pass(SCHED_SLICE_NS, 10);
	}
	assert_int_equal(second_runs, 5);
	assert_int_equal(on_screen("two\n"), 5);
	finish(VM_END_OFF);
}

static void test_smp(void **state)
{
	(void)state;
	smp(1);
	smp(2);
}

static uint32_t rang[2];
static bool ready;

/* vCPU 1 waits; vCPU 0 rings it and spins, without any interrupt of its own. */
static void guest_ring(struct vcpu *v)
{
	if (v->index == 1) {
		ready = true;
		for (;;) {
			while (!v->vm->arch.vic->pending[1]) {
				guest_wfi(v);
			}
			v->vm->arch.vic->pending[1] = false;
			rang[1]++;
		}
	}
	assert_int_equal(guest_cpu_on(v, 1, RAM, 0), 0);
	while (!ready) {
		fake_work();
	}
	for (uint32_t i = 0; i < 20; i++) {
		uint32_t was = rang[1];

		fake_virq(v->vm->vcpu[1]);
		while (rang[1] == was) {
			fake_work();
		}
		rang[0]++;
	}
	guest_end(v, EXIT_SYSTEM_OFF);
}

static void test_ring_spinning(void **state)
{
	(void)state;
	ready = false;
	rang[0] = rang[1] = 0;
	setup_vm(1, 2, 1);
	run_vm(guest_ring);
	for (uint32_t i = 0; i < 200; i++) {
		fake_pass(SCHED_SLICE_NS / 2, 10);
	}
	assert_int_equal(rang[0], 20);
	finish(VM_END_OFF);
}

static void guest_start_and_sleep(struct vcpu *v)
{
	if (v->index == 1) {
		rang[1]++;
		fake_virq(v->vm->vcpu[0]);
		return;
	}
	assert_int_equal(guest_cpu_on(v, 1, RAM, 0), 0);
	guest_wfi(v);
	rang[0]++;
}

/* CPU_ON, then WFI at once, on one core: no time passes, and no interrupt comes. */
static void test_wfi_gives_way(void **state)
{
	(void)state;
	rang[0] = rang[1] = 0;
	setup_vm(1, 2, 1);
	run_vm(guest_start_and_sleep);
	assert_int_equal(rang[1], 1);
	assert_int_equal(rang[0], 1);
	vm_end(vm, VM_END_OFF);
	finish(VM_END_OFF);
}

static void guest_timer(struct vcpu *v)
{
	for (uint32_t i = 0; i < 5; i++) {
		v->arch.timer_deadline = fake_now + SLEEP;
		while (!v->vm->arch.vic->pending[v->index]) {
			guest_wfi(v);
		}
		v->vm->arch.vic->pending[v->index] = false;
		rang[v->index]++;
		if (v->index == 0 && i == 1) {
			assert_int_equal(guest_cpu_on(v, 1, RAM, 0), 0);
		}
	}
	guest_end(v, EXIT_CPU_OFF);
}

/* Each one's timer ends its own WFI, native or trapped, loaded or not. */
static void timers(uint32_t core_count)
{
	uint64_t begin;

	rang[0] = rang[1] = 0;
	setup_vm(core_count, 2, core_count == 1 ? 1 : 3);
	begin = fake_now;
	run_vm(guest_timer);
	assert_int_equal(rang[0], 0);
	fake_pass(SLEEP - 1, 10);
	assert_int_equal(rang[0], 0);
	for (uint32_t i = 0; i < 100 && vm->live != 0; i++) {
		fake_pass(SLEEP / 10, 10);
	}
	assert_int_equal(rang[0], 5);
	assert_int_equal(rang[1], 5);
	assert_true(fake_now - begin < 12 * SLEEP);
	finish(VM_END_OFF);
}

static void test_timers(void **state)
{
	(void)state;
	timers(1);
	timers(2);
}

static void guest_lazy(struct vcpu *v)
{
	while (rang[0] < 10) {
		guest_wfi(v);
		v->vm->arch.vic->pending[0] = false;
		rang[0]++;
	}
	guest_end(v, EXIT_SYSTEM_OFF);
}

/* A vCPU that has its core for itself is loaded once, however often it sleeps. */
static void test_stays_loaded(void **state)
{
	(void)state;
	rang[0] = 0;
	setup_vm(2, 1, 2);
	run_vm(guest_lazy);
	for (uint32_t i = 0; i < 10; i++) {
		fake_device_irq(0, (void (*)(void *))fake_virq, vm->vcpu[0]);
		fake_rounds(10);
	}
	assert_int_equal(rang[0], 10);
	assert_int_equal(vm->vcpu[0]->arch.loads, 1);
	assert_true(fake_ipis[1] >= 10);
	finish(VM_END_OFF);
}

static void guest_forever(struct vcpu *v)
{
	if (v->index == 0) {
		for (uint32_t i = 1; i < v->vm->vcpu_count; i++) {
			assert_int_equal(guest_cpu_on(v, i, RAM, 0), 0);
		}
	}
	while (v->index % 2 == 0) {
		fake_work();
	}
	/* The odd ones sleep. */
}

static void booted_again(struct vcpu *v)
{
	uint64_t word;

	assert_int_equal(gpa_read(&v->vm->s2, gpa(RAM + 0x800), &word, 8), 0);
	assert_int_equal(word, 0);
	rang[0]++;
	guest_forever(v);
}

/* Stopped from outside, with vCPUs that spin, sleep, and wait for a core; and again. */
static void test_end_and_reset(void **state)
{
	uint64_t word = 0x1234;

	(void)state;
	rang[0] = 0;
	setup_vm(2, 4, 3);
	run_vm(guest_forever);
	fake_pass(SCHED_SLICE_NS, 10);
	for (uint32_t i = 1; i <= 5; i++) {
		assert_int_equal(vm->live, 4);
		assert_int_equal(gpa_write(&vm->s2, gpa(RAM + 0x800), &word, 8), 0);
		vm_end(vm, VM_END_RESET);
		vm_end(vm, VM_END_OFF); /* the first reason counts */
		assert_int_equal(vcpu_power_on(vm->vcpu[3], RAM, 0), -EALREADY);
		for (uint32_t n = 0; n < 50 && vm->live != 0; n++) {
			fake_pass(SCHED_SLICE_NS, 10);
		}
		assert_int_equal(vm->live, 0);
		assert_int_equal(vm->end, VM_END_RESET);
		assert_int_equal(vcpu_power_on(vm->vcpu[3], RAM, 0), -ECANCELED);
		vm_reset_devices(vm);
		assert_int_equal(vm->arch.vic->resets, i);
		assert_int_equal(vm_zero_memory(vm), 0);
		run_vm(booted_again);
		fake_pass(4 * SCHED_SLICE_NS, 20);
		fake_pass(4 * SCHED_SLICE_NS, 20);
		assert_int_equal(rang[0], i * 4);
	}
	vm_end(vm, VM_END_OFF);
	finish(VM_END_OFF);
}

static bool go;

static void guest_off_race(struct vcpu *v)
{
	if (v->index == 0) {
		for (uint32_t i = 1; i < v->vm->vcpu_count; i++) {
			assert_int_equal(guest_cpu_on(v, i, RAM, 0), 0);
		}
	}
	while (!go) {
		fake_work();
	}
	guest_end(v, v->index == 0 ? EXIT_SYSTEM_RESET : EXIT_CPU_OFF);
}

/* One asks for the reset while others switch themselves off: no request is left over. */
static void test_off_race(void **state)
{
	(void)state;
	go = false;
	setup_vm(4, 4, 0xf);
	run_vm(guest_off_race);
	go = true;
	finish(VM_END_RESET);
}

static void guest_crash(struct vcpu *v)
{
	struct vm_exit fault = {
		.kind = EXIT_STAGE2_FAULT,
		.fault = { .gpa = gpa(NOWHERE), .gva = 0xabc, .exec = true, .why = "a test" },
	};
	struct vm_exit e = { .kind = EXIT_ENTRY_FAILED, .entry_failed.reason = 0x21 };

	guest_exit(v, &fault);
	assert_int_equal(v->arch.aborts, 1);
	guest_exit(v, &e);
	fail_msg("the guest goes on after its crash");
}

static void test_crash(void **state)
{
	(void)state;
	setup_vm(1, 1, 1);
	run_vm(guest_crash);
	assert_int_equal(on_screen("a test at 0x3000000 (guest-virtual 0xabc)"), 1);
	assert_int_equal(on_screen("guest: vCPU 0 crashed: the processor refused the guest's "
				   "state, reason 0x21"),
			 1);
	assert_int_equal(vm->vcpu[0]->arch.reports, 1);
	finish(VM_END_CRASH);
}

/* ---- Out of memory --------------------------------------------------------------------------- */

/* All frames but the first `left` ones are somebody's; returns the list of the others. */
static hpa_t hoard(uint64_t left)
{
	hpa_t list = hpa(0);
	hpa_t at;

	while (page_alloc(OWNER_HV, 0, &at) == 0) {
		*(hpa_t *)hpa_to_ptr(at) = list;
		list = at;
	}
	while (left-- > 0) {
		at = list;
		list = *(hpa_t *)hpa_to_ptr(at);
		page_free(OWNER_HV, at, 0);
	}
	return list;
}

static void give_back(hpa_t list)
{
	while (list.a != 0) {
		hpa_t at = list;

		list = *(hpa_t *)hpa_to_ptr(at);
		page_free(OWNER_HV, at, 0);
	}
}

/* Whatever allocation fails, all that went before is undone, and it was said why. */
static void test_out_of_memory(void **state)
{
	uint64_t needed;
	uint32_t failed = 0;
	int err = -ENOMEM;

	(void)state;
	setup_vm(1, 2, 1);
	needed = free_before - page_free_count();
	vm_destroy(vm);
	assert_int_equal(page_free_count(), free_before);
	for (uint64_t left = 0; err != 0; left++) {
		hpa_t list = hoard(left);

		assert_true(left <= needed + 8);
		screen_len = 0;
		screen[0] = '\0';
		vm = NULL;
		err = vm_create(&rig_plan, &vm);
		if (err != 0) {
			assert_int_equal(err, -ENOMEM);
			assert_null(vm);
			assert_int_equal(page_free_count(), left);
			if (on_screen("error: guest: ") != 1) {
				fail_msg("%lu left: %s", (unsigned long)left, screen);
			}
			assert_true(on_screen("memory") >= 1);
			failed++;
		} else {
			vm_destroy(vm);
			assert_int_equal(page_free_count(), left);
		}
		give_back(list);
		assert_int_equal(page_free_count(), free_before);
	}
	assert_true(failed >= needed);
	assert_int_equal(vm_create(&rig_plan, &vm), 0);
	finish(VM_END_NONE);
}

/* No more VMs than slots; a slot that is given back is used again. */
static void test_slots(void **state)
{
	struct vm *all[MAX_VMS];
	struct vm *more;

	(void)state;
	setup_vm(1, 1, 1);
	all[0] = vm;
	for (uint32_t i = 1; i < MAX_VMS; i++) {
		assert_int_equal(vm_create(&rig_plan, &all[i]), 0);
		assert_int_not_equal(all[i]->owner, all[i - 1]->owner);
		assert_int_not_equal(all[i]->s2.vmid, all[i - 1]->s2.vmid);
	}
	assert_int_equal(vm_create(&rig_plan, &more), -ENOSPC);
	for (uint32_t i = 1; i < MAX_VMS; i++) {
		vm_destroy(all[i]);
	}
	finish(VM_END_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_devices),	      cmocka_unit_test(test_hypercalls),
		cmocka_unit_test(test_smp),	      cmocka_unit_test(test_ring_spinning),
		cmocka_unit_test(test_wfi_gives_way), cmocka_unit_test(test_timers),
		cmocka_unit_test(test_stays_loaded),  cmocka_unit_test(test_end_and_reset),
		cmocka_unit_test(test_off_race),      cmocka_unit_test(test_crash),
		cmocka_unit_test(test_out_of_memory), cmocka_unit_test(test_slots),
	};

	console_set_uart(&uart);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
