/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual CPUs: their threads, and what happens at a guest's exits. */
#include <hv/arch_cpu.h>
#include <hv/arch_vcpu.h>
#include <hv/bug.h>
#include <hv/cpu.h>
#include <hv/hypercall.h>
#include <hv/irqchip.h>
#include <hv/log.h>
#include <hv/vcpu.h>
#include <hv/vm.h>
#include <hv/vmm.h>

#include <errno.h>
#include <string.h>

/* After so many lines about accesses to nothing a VM's further ones are only counted. */
#define BAD_ACCESS_LINES 16

static void *stack_top(const struct vcpu *v)
{
	return v->thread.stack + THREAD_STACK_SIZE - ARCH_STACK_RESERVE;
}

static bool may_run(struct vcpu *v)
{
	uint64_t flags = spin_lock_irqsave(&v->vm->lock);
	bool on = v->state == VCPU_ON;

	spin_unlock_irqrestore(&v->vm->lock, flags);
	return on;
}

/* The vCPU's thread: waits to be powered on, then becomes the guest. */
static void vcpu_main(void *arg)
{
	struct vcpu *v = arg;

	while (!may_run(v)) {
		thread_block();
	}
	(void)arch_irq_save();
	arch_vcpu_reset(v);
	v->vm->vic->ops->vcpu_reset(v->vm->vic, v->index);
	/* From here on the scheduler moves guest state with the thread. */
	v->thread.vcpu = v;
	vcpu_switch(this_cpu(), v);
	vcpu_before_entry(v);
	arch_vcpu_enter(v);
}

/* Leaves the guest: OFF, and back to the top of vcpu_main(). */
static void __noreturn vcpu_park(struct vcpu *v)
{
	struct vm *vm = v->vm;
	bool last;

	arch_vcpu_save(v);
	this_cpu()->loaded = NULL;
	v->thread.vcpu = NULL;
	timer_cancel(&v->wake_timer);

	spin_lock(&vm->lock);
	__atomic_store_n(&v->work, 0, __ATOMIC_RELAXED);
	v->state = VCPU_OFF;
	vm->live--;
	last = vm->live == 0;
	if (last && vm->end == VM_END_NONE) {
		/* Nobody is left who could start anyone. */
		vm->end = VM_END_OFF;
	}
	spin_unlock(&vm->lock);
	if (last) {
		vmm_notify();
	}
	arch_stack_restart(stack_top(v), vcpu_main, v);
}

static void wake_timer_fired(struct timer *t)
{
	thread_wake(&container_of(t, struct vcpu, wake_timer)->thread);
}

int vcpu_init(struct vcpu *v, struct vm *vm, uint32_t index, uint64_t hwid, uint64_t affinity)
{
	int err;

	memset(v, 0, sizeof(*v));
	v->vm = vm;
	v->index = index;
	v->hwid = hwid;
	v->wake_timer.fn = wake_timer_fired;
	err = thread_init(&v->thread, vm->name, affinity == 0 ? UINT64_MAX : affinity, vcpu_main,
			  v);
	if (err != 0) {
		return err;
	}
	arch_vcpu_init(v);
	return 0;
}

void vcpu_destroy(struct vcpu *v)
{
	if (v->thread.stack != NULL) {
		/* Its last steps, after it was counted off, may still run on another core. */
		while (!thread_is_parked(&v->thread)) {
			thread_yield();
		}
		thread_destroy(&v->thread);
	}
}

int vcpu_power_on(struct vcpu *v, uint64_t entry, uint64_t arg)
{
	uint64_t flags = spin_lock_irqsave(&v->vm->lock);
	int err = 0;

	if (v->state != VCPU_OFF) {
		err = -EALREADY;
	} else if (v->vm->end != VM_END_NONE) {
		err = -ECANCELED;
	} else {
		v->state = VCPU_ON;
		v->entry = entry;
		v->arg = arg;
		v->vm->live++;
	}
	spin_unlock_irqrestore(&v->vm->lock, flags);
	if (err == 0) {
		thread_wake(&v->thread);
	}
	return err;
}

void vcpu_request(struct vcpu *v, uint32_t work)
{
	struct cpu *home;

	__atomic_fetch_or(&v->work, work, __ATOMIC_SEQ_CST);
	if (v == this_cpu()->loaded && thread_current() == &v->thread) {
		return; /* it looks before it enters */
	}
	thread_wake(&v->thread);
	home = &cpus[__atomic_load_n(&v->thread.cpu, __ATOMIC_RELAXED)];
	if (home != this_cpu() && __atomic_load_n(&home->current, __ATOMIC_RELAXED) == &v->thread) {
		host_irqchip.ops->send_ipi(home->id, IPI_KICK);
	}
}

void vcpu_kick(struct vm *vm, uint32_t vcpu)
{
	vcpu_request(vm->vcpu[vcpu], VCPU_WORK_VIC);
}

void vcpu_do_work(struct vcpu *v)
{
	uint32_t work = __atomic_exchange_n(&v->work, 0, __ATOMIC_ACQUIRE);

	if ((work & VCPU_WORK_STOP) != 0) {
		vcpu_park(v);
	}
	if ((work & VCPU_WORK_VIC) != 0) {
		v->vm->vic->ops->sync(v->vm->vic, v->index);
	}
}

/* Only one core can ever run it, so its state may stay there while the core idles. */
static bool is_pinned(const struct vcpu *v)
{
	return (v->thread.affinity & (v->thread.affinity - 1)) == 0;
}

void vcpu_switch(struct cpu *c, struct vcpu *next)
{
	struct vcpu *old = c->loaded;

	if (old != next && old != NULL && (next != NULL || !is_pinned(old))) {
		arch_vcpu_save(old);
		c->loaded = NULL;
	}
	if (next != NULL) {
		if (c->loaded != next) {
			arch_vcpu_load(next);
			c->loaded = next;
		}
		arch_vcpu_trap_idle(next, sched_is_contended());
	}
}

static void vcpu_idle(struct vcpu *v)
{
	uint64_t deadline;

	/* An interrupt that comes after this check wakes the thread before it blocks. */
	if (v->vm->vic->ops->pending(v->vm->vic, v->index)) {
		return;
	}
	deadline = arch_vcpu_timer_deadline(v);
	if (deadline != TIMER_NEVER) {
		if (deadline <= time_now()) {
			return;
		}
		timer_arm(&v->wake_timer, deadline);
	}
	thread_block();
	timer_disarm(&v->wake_timer);
}

static void bad_access(struct vcpu *v, const struct vm_exit *e)
{
	struct vm *vm = v->vm;
	uint32_t n = __atomic_fetch_add(&vm->bad_accesses, 1, __ATOMIC_RELAXED);

	if (n < BAD_ACCESS_LINES) {
		log_warn("%s: vCPU %u: %s of %u byte%s at %#llx, where nothing is: the guest gets "
			 "an external abort%s",
			 vm->name, v->index, e->io.write ? "write" : "read", e->io.width,
			 e->io.width == 1 ? "" : "s", (unsigned long long)e->io.addr,
			 n == BAD_ACCESS_LINES - 1 ? " (further ones are not logged)" : "");
	}
}

bool vcpu_mmio(struct vcpu *v, struct vm_exit *e)
{
	struct vdev_access a = {
		.space = VDEV_MMIO,
		.write = e->io.write,
		.width = e->io.width,
		.vcpu = v->index,
		.offset = e->io.addr,
		.value = e->io.value,
	};

	v->exits[EXIT_MMIO]++;
	if (likely(bus_access(&v->vm->bus, &a) == VDEV_OK)) {
		e->io.value = a.value;
		return true;
	}
	bad_access(v, e);
	arch_vcpu_inject_abort(v, e);
	return false;
}

static void cpu_on(struct vcpu *v, struct vm_exit *e)
{
	struct vcpu *target = vm_vcpu_by_hwid(v->vm, e->cpu_on.hwid);

	if (target == NULL) {
		e->cpu_on.result = -EINVAL;
	} else if (!vm_has_memory(v->vm, gpa(e->cpu_on.entry))) {
		e->cpu_on.result = -EFAULT;
	} else {
		e->cpu_on.result = vcpu_power_on(target, e->cpu_on.entry, e->cpu_on.arg);
	}
}

static void cpu_info(struct vcpu *v, struct vm_exit *e)
{
	struct vcpu *target = vm_vcpu_by_hwid(v->vm, e->cpu_info.hwid);

	e->cpu_info.known = target != NULL;
	e->cpu_info.on = target != NULL && may_run(target);
}

/* The guest sees an external abort; memory that refuses is its own mistake, not a crash. */
static void stage2_fault(struct vcpu *v, const struct vm_exit *e)
{
	uint32_t n = __atomic_fetch_add(&v->vm->bad_accesses, 1, __ATOMIC_RELAXED);

	if (n < BAD_ACCESS_LINES) {
		log_warn("%s: vCPU %u: %s at %#llx (guest-virtual %#llx): the guest gets an "
			 "external abort",
			 v->vm->name, v->index, e->fault.why, (unsigned long long)e->fault.gpa.a,
			 (unsigned long long)e->fault.gva);
	}
	arch_vcpu_inject_abort(v, e);
}

void vcpu_handle_exit(struct vcpu *v, struct vm_exit *e)
{
	v->exits[e->kind]++;
	switch (e->kind) {
	case EXIT_HYPERCALL:
		hypercall(v, e);
		break;
	case EXIT_IDLE:
		vcpu_idle(v);
		break;
	case EXIT_CPU_ON:
		cpu_on(v, e);
		break;
	case EXIT_CPU_INFO:
		cpu_info(v, e);
		break;
	case EXIT_CPU_OFF:
		vcpu_park(v);
	case EXIT_SYSTEM_OFF:
		log_info("%s: the guest switched itself off", v->vm->name);
		vm_end(v->vm, VM_END_OFF);
		break;
	case EXIT_SYSTEM_RESET:
		log_info("%s: the guest asks for a reset", v->vm->name);
		vm_end(v->vm, VM_END_RESET);
		break;
	case EXIT_STAGE2_FAULT:
		stage2_fault(v, e);
		break;
	case EXIT_ENTRY_FAILED:
		vm_crash(v, "the processor refused the guest's state, reason %#llx",
			 (unsigned long long)e->entry_failed.reason);
		break;
	default: /* MMIO comes by vcpu_mmio(); the others are not for this architecture */
		BUG_ON(true);
	}
}
