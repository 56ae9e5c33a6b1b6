/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_vcpu.h"

#include "arch/aarch64/pt_vmsa.h"
#include "fake_arch.h"
#include "fake_time.h"

#include <errno.h>
#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/arch_vm.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/hv_map.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/plan.h>
#include <hv/thread.h>
#include <hv/timer.h>
#include <hv/vcpu.h>
#include <hv/vm.h>
#include <sanitizer/common_interface_defs.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define FIBERS	     64
#define FIBER_STACK  (256 * KiB)
#define STACK_WINDOW (512 * 5 * PAGE_SIZE + PAGE_SIZE)

/* ---- Fibers ------------------------------------------------------------------------------ */

struct fake_fiber {
	ucontext_t context;
	const void *key; /* top of the thread's stack; NULL: a core's idle thread */
	void *stack;	 /* a larger one than the thread's: sanitizers take room */
	const void *bottom;
	size_t size;
	void *asan;
	void (*fn)(void *arg);
	void *arg;
	bool fresh;
	jmp_buf base;
};

static struct fake_fiber test_fiber;
static struct fake_fiber fibers[FIBERS];
static uint32_t fiber_count;
static struct fake_fiber *running = &test_fiber;
static struct fake_fiber *leaving;

static void fiber_arrive(void)
{
	__sanitizer_finish_switch_fiber(running->asan, &leaving->bottom, &leaving->size);
}

static void fiber_go(struct fake_fiber *to)
{
	leaving = running;
	running = to;
	__sanitizer_start_switch_fiber(&leaving->asan, to->bottom, to->size);
	swapcontext(&leaving->context, &to->context);
	fiber_arrive();
}

static void fiber_main(void)
{
	fiber_arrive();
	(void)setjmp(running->base); /* arch_stack_restart() comes back here */
	if (running->fresh) {
		running->fresh = false;
		if (running->key != NULL) {
			sched_finish_switch();
			arch_irq_restore(0);
		}
	}
	running->fn(running->arg);
	hv_panic("a thread's function has returned");
}

/* A stack that is used again has its fiber already. */
static struct fake_fiber *fiber_find(const void *key)
{
	for (uint32_t i = 0; i < fiber_count && key != NULL; i++) {
		if (fibers[i].key == key) {
			return &fibers[i];
		}
	}
	BUG_ON(fiber_count == FIBERS);
	fibers[fiber_count].stack = malloc(FIBER_STACK);
	return &fibers[fiber_count++];
}

static struct fake_fiber *fiber_make(const void *key, void (*fn)(void *), void *arg)
{
	struct fake_fiber *f = fiber_find(key);

	f->key = key;
	f->bottom = f->stack;
	f->size = FIBER_STACK;
	f->asan = NULL;
	f->fn = fn;
	f->arg = arg;
	f->fresh = true;
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = FIBER_STACK;
	f->context.uc_link = NULL;
	makecontext(&f->context, fiber_main, 0);
	return f;
}

/* ---- Cores ------------------------------------------------------------------------------- */

struct core {
	struct fake_fiber *fiber; /* where it goes on */
	uint64_t irq_off;
	bool waits; /* for an interrupt */
	bool ipi;
	void (*device)(void *arg);
	void *device_arg;
};

static struct core cores[MAX_CPUS];
uint32_t fake_ipis[MAX_CPUS];
bool fake_is_off;
int fake_off_status;
void (*fake_guest)(struct vcpu *v);

static bool guest_timer_due(uint32_t n)
{
	const struct vcpu *v = cpus[n].loaded;

	return v != NULL && v->arch.timer_deadline != 0 && v->arch.timer_deadline <= fake_now;
}

static bool host_timer_due(uint32_t n)
{
	return fake_timer[n] != 0 && fake_timer[n] <= fake_now;
}

static bool irq_is_due(uint32_t n)
{
	const struct core *c = &cores[n];

	return c->ipi || c->device != NULL || host_timer_due(n) || guest_timer_due(n);
}

/* The core stops here until the test lets it go on. */
static void pause(bool waits)
{
	uint32_t n = fake_cpu;

	cores[n].fiber = running;
	cores[n].irq_off = fake_irq_off;
	cores[n].waits = waits;
	fiber_go(&test_fiber);
	/* Whoever comes back is on the core that let it go. */
}

static void step(uint32_t n)
{
	fake_cpu = n;
	fake_irq_off = cores[n].irq_off;
	cores[n].waits = false;
	fiber_go(cores[n].fiber);
	fake_cpu = FAKE_TEST_CPU;
	fake_irq_off = 0;
}

void fake_rounds(uint32_t rounds)
{
	bool busy = true;

	while (rounds-- > 0 && busy && !fake_is_off) {
		busy = false;
		for (uint32_t n = 0; n < cpu_count; n++) {
			if (!cores[n].waits || irq_is_due(n)) {
				busy = true;
				step(n);
			}
		}
	}
}

void fake_pass(uint64_t ns, uint32_t rounds)
{
	fake_now += ns;
	fake_rounds(rounds);
}

/* Interrupts have come on. */
static void take_irqs(void)
{
	while (running != &test_fiber && fake_irq_off == 0 && irq_is_due(fake_cpu)) {
		fake_irq_off = 1;
		irq_dispatch();
		if (this_cpu()->need_resched != 0) {
			sched_preempt();
		}
		fake_irq_off = 0;
	}
}

void fake_device_irq(uint32_t core, void (*fn)(void *arg), void *arg)
{
	cores[core].device = fn;
	cores[core].device_arg = arg;
}

/* ---- The interrupt chip -------------------------------------------------------------------- */

static uint32_t chip_active = IRQ_NONE;

static uint32_t chip_ack(void)
{
	uint32_t n = fake_cpu;

	BUG_ON(fake_irq_off == 0 || chip_active != IRQ_NONE);
	if (cores[n].ipi) {
		cores[n].ipi = false;
		chip_active = IPI_KICK;
	} else if (cores[n].device != NULL) {
		chip_active = FAKE_IRQ_DEVICE;
	} else if (host_timer_due(n)) {
		chip_active = FAKE_IRQ_TIMER;
	} else if (guest_timer_due(n)) {
		chip_active = FAKE_IRQ_GUEST;
	}
	return chip_active;
}

static void chip_end(uint32_t irq)
{
	BUG_ON(irq != chip_active);
	chip_active = IRQ_NONE;
}

static void chip_send_ipi(uint32_t cpu, uint32_t n)
{
	BUG_ON(cpu >= cpu_count || n != IPI_KICK || cpu == fake_cpu);
	fake_ipis[cpu]++;
	cores[cpu].ipi = true;
}

static const struct irqchip_ops chip_ops = {
	.ack = chip_ack,
	.eoi = chip_end,
	.drop = chip_end,
	.send_ipi = chip_send_ipi,
};

static enum irq_end host_timer_irq(uint32_t irq)
{
	(void)irq;
	fake_timer[fake_cpu] = 0;
	timer_run_expired();
	return IRQ_DONE;
}

static enum irq_end guest_timer_irq(uint32_t irq)
{
	struct vcpu *v = this_cpu()->loaded;

	v->arch.timer_deadline = 0;
	v->vm->vic->ops->inject_hw(v->vm->vic, v->index, FAKE_IRQ_GUEST, irq);
	return IRQ_FORWARDED;
}

static enum irq_end device_irq(uint32_t irq)
{
	struct core *c = &cores[fake_cpu];
	void (*fn)(void *) = c->device;

	(void)irq;
	c->device = NULL;
	fn(c->device_arg);
	return IRQ_DONE;
}

/* ---- hv/arch_cpu.h ------------------------------------------------------------------------- */

void arch_context_init(struct arch_context *ctx, void *stack_top, void (*fn)(void *), void *arg)
{
	ctx->fiber = fiber_make(stack_top, fn, arg);
}

void arch_context_switch(struct arch_context *from, struct arch_context *to)
{
	BUG_ON(fake_irq_off == 0 || running == &test_fiber);
	from->fiber = running;
	fiber_go(to->fiber);
}

void arch_stack_restart(void *stack_top, void (*fn)(void *), void *arg)
{
	BUG_ON(running->key != stack_top);
	running->fn = fn;
	running->arg = arg;
	longjmp(running->base, 1);
}

void arch_idle(void)
{
	BUG_ON(fake_irq_off == 0 || this_cpu()->current != this_cpu()->idle);
	while (!irq_is_due(fake_cpu)) {
		pause(true);
	}
}

void arch_machine_off(int status)
{
	fake_is_off = true;
	fake_off_status = status;
	for (;;) {
		pause(true);
	}
}

void arch_halt(void)
{
	hv_panic("a core was halted");
}

int arch_cpu_start(struct cpu *cpu)
{
	/* fake_cores_start() did. */
	return cpu->online != 0 ? 0 : -EIO;
}

/* ---- hv/arch_vcpu.h ------------------------------------------------------------------------ */

void arch_vcpu_init(struct vcpu *v)
{
	(void)v;
}

void arch_vcpu_reset(struct vcpu *v)
{
	v->arch.resets++;
	v->arch.timer_deadline = 0;
	v->arch.idle_traps = 0;
}

void arch_vcpu_load(struct vcpu *v)
{
	BUG_ON(fake_irq_off == 0 || v->arch.loads != v->arch.saves);
	v->arch.loads++;
	v->vm->vic->ops->load(v->vm->vic, v->index);
}

void arch_vcpu_save(struct vcpu *v)
{
	BUG_ON(fake_irq_off == 0 || v->arch.loads != v->arch.saves + 1);
	BUG_ON(this_cpu()->loaded != v);
	v->arch.saves++;
	v->vm->vic->ops->save(v->vm->vic, v->index);
}

uint64_t arch_vcpu_timer_deadline(struct vcpu *v)
{
	BUG_ON(this_cpu()->loaded != v);
	return v->arch.timer_deadline != 0 ? v->arch.timer_deadline : TIMER_NEVER;
}

void arch_vcpu_trap_idle(struct vcpu *v, bool on)
{
	BUG_ON(fake_irq_off == 0 || this_cpu()->loaded != v);
	v->arch.idle_traps = on;
}

void arch_vcpu_inject_abort(struct vcpu *v, const struct vm_exit *e)
{
	(void)e;
	v->arch.aborts++;
}

void arch_vcpu_report(struct vcpu *v)
{
	v->arch.reports++;
}

void arch_vcpu_enter(struct vcpu *v)
{
	BUG_ON(fake_irq_off == 0 || this_cpu()->loaded != v);
	arch_irq_restore(0);
	vcpu_before_entry(v);
	fake_guest(v);
	for (;;) {
		guest_wfi(v);
	}
}

/* ---- What guests do ------------------------------------------------------------------------ */

void fake_work(void)
{
	struct vcpu *v;

	pause(false);
	take_irqs();
	v = thread_current()->vcpu;
	if (v != NULL) {
		uint64_t flags = arch_irq_save();

		vcpu_before_entry(v);
		arch_irq_restore(flags);
	}
}

void guest_exit(struct vcpu *v, struct vm_exit *e)
{
	BUG_ON(this_cpu()->loaded != v || fake_irq_off != 0);
	fake_irq_off = 1;
	vcpu_handle_exit(v, e);
	vcpu_before_entry(v);
	arch_irq_restore(0);
}

void guest_wfi(struct vcpu *v)
{
	struct fake_vic *vic = v->vm->arch.vic;

	if (v->arch.idle_traps != 0) {
		struct vm_exit e = { .kind = EXIT_IDLE };

		guest_exit(v, &e);
	} else {
		while (!irq_is_due(fake_cpu) && !vic->pending[v->index]) {
			pause(true);
		}
	}
	fake_work();
}

bool guest_mmio(struct vcpu *v, uint64_t addr, uint8_t width, bool write, uint64_t *value)
{
	struct vm_exit e = {
		.kind = EXIT_MMIO,
		.io = { .addr = addr, .width = width, .write = write, .value = write ? *value : 0 },
	};
	bool done;

	fake_irq_off = 1;
	done = vcpu_mmio(v, &e);
	vcpu_before_entry(v);
	arch_irq_restore(0);
	*value = done && !write ? e.io.value : *value;
	return done;
}

int64_t guest_hypercall(struct vcpu *v, uint64_t nr, const uint64_t args[HYPERCALL_ARGS])
{
	struct vm_exit e = { .kind = EXIT_HYPERCALL, .hypercall = { .nr = nr } };

	memcpy(e.hypercall.args, args, sizeof(e.hypercall.args));
	guest_exit(v, &e);
	return e.hypercall.result;
}

int guest_cpu_on(struct vcpu *v, uint64_t hwid, uint64_t entry, uint64_t arg)
{
	struct vm_exit e = {
		.kind = EXIT_CPU_ON,
		.cpu_on = { .hwid = hwid, .entry = entry, .arg = arg },
	};

	guest_exit(v, &e);
	return e.cpu_on.result;
}

void guest_end(struct vcpu *v, enum vm_exit_kind kind)
{
	struct vm_exit e = { .kind = kind };

	guest_exit(v, &e);
	hv_panic("a guest goes on after its end");
}

/* ---- The virtual interrupt controller -------------------------------------------------------- */

void fake_virq(struct vcpu *v)
{
	v->vm->arch.vic->pending[v->index] = true;
	vcpu_kick(v->vm, v->index);
}

static void vic_set(struct vic *vic, uint32_t vcpu, uint32_t irq, bool level)
{
	(void)vcpu;
	(void)irq;
	if (level) {
		fake_virq(vic->vm->vcpu[0]);
	}
}

static void vic_inject_hw(struct vic *vic, uint32_t vcpu, uint32_t irq, uint32_t host_irq)
{
	(void)irq;
	(void)host_irq;
	fake_virq(vic->vm->vcpu[vcpu]);
}

static void vic_nop(struct vic *vic, uint32_t vcpu)
{
	(void)vic;
	(void)vcpu;
}

static bool vic_pending(struct vic *vic, uint32_t vcpu)
{
	return container_of(vic, struct fake_vic, vic)->pending[vcpu];
}

static void vic_vcpu_reset(struct vic *vic, uint32_t vcpu)
{
	struct fake_vic *f = container_of(vic, struct fake_vic, vic);

	f->pending[vcpu] = false;
	f->vcpu_resets++;
}

static void vic_reset(struct vic *vic)
{
	struct fake_vic *f = container_of(vic, struct fake_vic, vic);

	memset(f->pending, 0, sizeof(f->pending));
	f->resets++;
}

static void vic_destroy(struct vic *vic)
{
	container_of(vic, struct fake_vic, vic)->destroys++;
}

static const struct vic_ops vic_ops = {
	.set = vic_set,
	.inject_hw = vic_inject_hw,
	.load = vic_nop,
	.save = vic_nop,
	.sync = vic_nop,
	.pending = vic_pending,
	.reset = vic_reset,
	.vcpu_reset = vic_vcpu_reset,
	.destroy = vic_destroy,
};

/* ---- hv/arch_vm.h -------------------------------------------------------------------------- */

int arch_vm_create_stage2(struct vm *vm)
{
	struct vmsa_s2_layout layout;
	int err = vmsa_s2_layout(44, 44, false, &layout);

	return err != 0 ? err : stage2_create(&vm->s2, &layout.shape, &fake_pt_ops, vm->owner);
}

int arch_vm_create(struct vm *vm, const struct vm_plan *plan)
{
	struct fake_vic *f = pool_alloc(&vm->pool, sizeof(*f));

	if (f == NULL) {
		log_error("%s: out of memory for the interrupt controller", vm->name);
		return -ENOMEM;
	}
	f->vic = (struct vic){ .ops = &vic_ops, .vm = vm, .vcpu_count = plan->board.cpu_count };
	vm->arch.vic = f;
	vm->vic = &f->vic;
	return 0;
}

void arch_vm_reset(struct vm *vm)
{
	vm->arch.resets++;
}

void arch_vm_destroy(struct vm *vm)
{
	if (vm->vic != NULL) {
		vm->vic->ops->destroy(vm->vic);
	}
}

/* ---- The machine --------------------------------------------------------------------------- */

static void idle_main(void *arg)
{
	(void)arg;
	cpu_join(this_cpu());
	sched_idle();
}

static void make_stack_window(void)
{
	static bool made;
	void *at = (void *)HV_STACK_WINDOW;

	if (!made &&
	    mmap(at, STACK_WINDOW, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0) != at) {
		abort();
	}
	if (!made) {
		irq_register(FAKE_IRQ_TIMER, host_timer_irq);
		irq_register(FAKE_IRQ_GUEST, guest_timer_irq);
		irq_register(FAKE_IRQ_DEVICE, device_irq);
	}
	made = true;
}

void fake_cores_start(uint32_t count)
{
	struct pt_shape shape;
	uint64_t tcr;

	make_stack_window();
	fake_ram_simple(hpa(0x80000000), 64 * MiB);
	memset(cpus, 0, sizeof(struct cpu) * MAX_CPUS);
	memset(cores, 0, sizeof(cores));
	memset(fake_ipis, 0, sizeof(fake_ipis));
	memset(fake_timer, 0, sizeof(fake_timer));
	fake_cpu_table = cpus;
	fake_irq_hook = take_irqs;
	fake_is_off = false;
	fake_now = 1000;
	host_irqchip.ops = &chip_ops;
	cpu_count = count;
	vmid_init(8);
	if (vmsa_el2_layout(44, &shape, &tcr) != 0 ||
	    pt_init(&hv_pt, &shape, &fake_pt_ops, OWNER_HV) != 0) {
		abort();
	}
	for (uint32_t n = 0; n < count; n++) {
		cpus[n].id = n;
		cores[n].irq_off = 1;
		cores[n].fiber = fiber_make(NULL, idle_main, NULL);
		step(n);
	}
	fake_cpu = FAKE_TEST_CPU;
}

void fake_cores_stop(void)
{
	/* Slices of threads that are forgotten. */
	fake_now += UINT64_C(1000000000) * 3600;
	fake_irq_hook = NULL;
	fake_irq_off = 1;
	for (fake_cpu = 0; fake_cpu < cpu_count; fake_cpu++) {
		timer_run_expired();
	}
	fake_cpu = 0;
	while (fiber_count > 0) {
		free(fibers[--fiber_count].stack);
		fibers[fiber_count].stack = NULL;
	}
	pt_destroy(&hv_pt);
	fake_ram_reset();
	cpu_count = 0;
}
