/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts and ends of passed-through devices; see passthrough.h. */
#include <hv/arch_cpu.h>
#include <hv/block.h>
#include <hv/cpu.h>
#include <hv/fs.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/passthrough.h>
#include <hv/plan.h>
#include <hv/virtio_fwd.h>
#include <hv/vm.h>

#include <errno.h>

struct passthrough_irq {
	struct irq_claim claim;
	struct vm *vm;
	uint32_t guest;
	bool open; /* atomic: false = the VM is not to hear of it */
};

struct passthrough {
	uint32_t count; /* claimed */
	struct passthrough_irq irq[PLAN_MAX_IRQS];
};

static enum irq_end forward(struct irq_claim *claim, uint32_t irq)
{
	struct passthrough_irq *p = container_of(claim, struct passthrough_irq, claim);

	if (!__atomic_load_n(&p->open, __ATOMIC_ACQUIRE)) {
		return IRQ_DONE;
	}
	/* First the drop: on another core the guest may end it before we are done here. */
	host_irqchip.ops->drop(irq);
	p->vm->vic->ops->inject_hw(p->vm->vic, VIRQ_SHARED, p->guest, irq);
	return IRQ_DROPPED;
}

/* A running core that vCPU 0 may be on: then the injection often needs no other core. */
static uint32_t choose_core(const struct vm *vm)
{
	for (uint32_t i = 0; i < cpu_count; i++) {
		if ((vm->plan->cpu_affinity[0] & BIT64(i)) != 0 &&
		    __atomic_load_n(&cpus[i].online, __ATOMIC_ACQUIRE) != 0) {
			return i;
		}
	}
	return 0;
}

int passthrough_create(struct vm *vm)
{
	const struct vm_plan *plan = vm->plan;
	const uint32_t core = choose_core(vm);

	if (plan->irq_count == 0) {
		return 0;
	}
	vm->pass = pool_alloc(&vm->pool, sizeof(*vm->pass));
	if (vm->pass == NULL) {
		log_error("%s: out of memory for interrupts", vm->name);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < plan->irq_count; i++) {
		const struct plan_irq *want = &plan->irq[i];
		struct passthrough_irq *p = &vm->pass->irq[i];
		uint64_t flags;
		int err;

		p->claim.fn = forward;
		p->vm = vm;
		p->guest = want->guest;
		err = irq_claim(want->host, &p->claim);
		if (err != 0) {
			log_error("%s: interrupt %u of \"%s\" %s", vm->name, want->host, want->name,
				  err == -EBUSY ? "is in use"
						: "is not one of this machine's controller");
			return err;
		}
		vm->pass->count++;
		flags = arch_irq_save();
		host_irqchip.ops->disable(want->host);
		host_irqchip.ops->set_trigger(want->host, want->edge ? IRQ_EDGE : IRQ_LEVEL);
		host_irqchip.ops->set_target(want->host, core);
		arch_irq_restore(flags);
	}
	return 0;
}

void passthrough_start(struct vm *vm)
{
	for (uint32_t i = 0; vm->pass != NULL && i < vm->pass->count; i++) {
		uint64_t flags = arch_irq_save();

		__atomic_store_n(&vm->pass->irq[i].open, true, __ATOMIC_RELEASE);
		host_irqchip.ops->enable(vm->plan->irq[i].host);
		arch_irq_restore(flags);
	}
}

void passthrough_stop(struct vm *vm)
{
	for (uint32_t i = 0; vm->pass != NULL && i < vm->pass->count; i++) {
		uint64_t flags = arch_irq_save();

		host_irqchip.ops->disable(vm->plan->irq[i].host);
		__atomic_store_n(&vm->pass->irq[i].open, false, __ATOMIC_RELEASE);
		arch_irq_restore(flags);
		irq_wait(vm->plan->irq[i].host);
	}
}

void passthrough_destroy(struct vm *vm)
{
	for (uint32_t i = 0; vm->pass != NULL && i < vm->pass->count; i++) {
		irq_release(vm->plan->irq[i].host, &vm->pass->irq[i].claim);
	}
	vm->pass = NULL;
}

bool passthrough_is_quiet(struct vm *vm)
{
	/* Devices know nothing of a VM that never ran. */
	const bool ran = vm->state >= VM_RUNNING || vm->resets != 0;

	for (uint32_t i = 0; i < vm->dev_count; i++) {
		if (!virtio_fwd_is_quiet(vm->dev[i])) {
			return false;
		}
	}
	for (uint32_t i = 0; ran && i < vm->plan->map_count; i++) {
		if (vm->plan->map[i].dma) {
			return false;
		}
	}
	return true;
}

void passthrough_init(struct machine *m)
{
	for (uint32_t i = 0; i < m->virtio_count; i++) {
		struct block *b = block_at(m->virtio[i].range.base);

		if (b != NULL && b != fs_disk()) {
			b->ops->stop(b);
			b = block_at(m->virtio[i].range.base);
		}
		m->virtio[i].ours = b != NULL;
	}
}
