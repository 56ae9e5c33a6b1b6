/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual machines: making, resetting, ending and undoing them; see vm.h. */
#include <hv/arch_cpu.h>
#include <hv/arch_mm.h>
#include <hv/arch_vcpu.h>
#include <hv/arch_vm.h>
#include <hv/bug.h>
#include <hv/log.h>
#include <hv/passthrough.h>
#include <hv/plan.h>
#include <hv/printf.h>
#include <hv/vm.h>
#include <hv/vmm.h>

#include <errno.h>
#include <string.h>

struct vm vms[MAX_VMS];

/* One step of long work: the thread can be preempted between two. */
#define ZERO_STEP MiB

static struct vm *slot_find(void)
{
	for (uint32_t i = 0; i < MAX_VMS; i++) {
		if (vms[i].state == VM_FREE) {
			memset(&vms[i], 0, sizeof(vms[i]));
			vms[i].slot = i;
			vms[i].owner = OWNER_VM(i);
			return &vms[i];
		}
	}
	return NULL;
}

/* The largest block that fits: naturally aligned in both address spaces. */
static unsigned block_order(uint64_t gpa, uint64_t left)
{
	unsigned order = 0;

	while (order < PAGE_MAX_ORDER && IS_ALIGNED(gpa, PAGE_SIZE << (order + 1)) &&
	       (PAGE_SIZE << (order + 1)) <= left) {
		order++;
	}
	return order;
}

/* What has been mapped of a region stays for memory_free(), which undoes it. */
static int memory_alloc(struct vm *vm, const struct plan_memory *m)
{
	uint64_t done = 0;

	while (done < m->size) {
		unsigned order = block_order(m->gpa + done, m->size - done);
		hpa_t frames;
		int err;

		/* A smaller block may be free where no large one is. */
		while ((err = page_alloc(vm->owner, order, &frames)) != 0) {
			if (order == 0) {
				log_error(
					"%s: out of memory: %llu MiB of %llu MiB at %#llx could be "
					"found, %llu MiB are free",
					vm->name, (unsigned long long)(done / MiB),
					(unsigned long long)(m->size / MiB),
					(unsigned long long)m->gpa,
					(unsigned long long)(page_free_count() * PAGE_SIZE / MiB));
				return err;
			}
			order--;
		}
		err = stage2_map_ram(&vm->s2, gpa(m->gpa + done), frames, PAGE_SIZE << order,
				     m->flags & (PT_R | PT_W | PT_X | PT_UNCACHED), NULL);
		if (err != 0) {
			page_free(vm->owner, frames, order);
			log_error("%s: no memory for stage-2 tables", vm->name);
			return err;
		}
		done += PAGE_SIZE << order;
	}
	return 0;
}

/* Memory at a fixed host address: MAP_IDENTICAL, MAP_RESERVED. */
static int memory_claim(struct vm *vm, const struct plan_memory *m)
{
	struct page_conflict why;
	int err;

	if (m->map_type == VM_MAP_RESERVED) {
		err = page_claim_reserved(vm->owner, hpa(m->hpa), m->size, &why);
	} else {
		err = page_alloc_range(vm->owner, hpa(m->hpa), m->size, &why);
	}
	if (err != 0) {
		log_error("%s: host memory [%#llx, %#llx) is asked for by address, but the page at "
			  "%#llx belongs to %s",
			  vm->name, (unsigned long long)m->hpa,
			  (unsigned long long)(m->hpa + m->size),
			  (unsigned long long)(err == -EBUSY ? why.frame.a : m->hpa),
			  err == -EBUSY ? page_owner_name(why.owner) : "nobody: it is no RAM");
		return err;
	}
	err = stage2_map_ram(&vm->s2, gpa(m->gpa), hpa(m->hpa), m->size,
			     m->flags & (PT_R | PT_W | PT_X | PT_UNCACHED), NULL);
	if (err != 0) {
		page_free_range(vm->owner, hpa(m->hpa), m->size);
		log_error("%s: no memory for stage-2 tables", vm->name);
	}
	return err;
}

static int memory_create(struct vm *vm)
{
	const struct vm_plan *plan = vm->plan;

	for (uint32_t i = 0; i < plan->memory_count; i++) {
		const struct plan_memory *m = &plan->memory[i];
		int err;

		if ((m->flags & PT_DEVICE) != 0) {
			err = stage2_map_device(&vm->s2, gpa(m->gpa), hpa(m->hpa), m->size,
						PT_R | PT_W, NULL);
		} else if (m->map_type == VM_MAP_ALLOC) {
			err = memory_alloc(vm, m);
		} else {
			err = memory_claim(vm, m);
		}
		if (err != 0) {
			return err;
		}
	}
	for (uint32_t i = 0; i < plan->map_count; i++) {
		int err = stage2_map_device(&vm->s2, gpa(plan->map[i].gpa), hpa(plan->map[i].hpa),
					    plan->map[i].size, PT_R | PT_W, NULL);

		if (err != 0) {
			log_error("%s: device %s cannot be mapped at %#llx", vm->name,
				  plan->map[i].name, (unsigned long long)plan->map[i].gpa);
			return err;
		}
	}
	return 0;
}

/* Frames go back; the stage-2 tables know which.  No vCPU can run any more. */
static void memory_free(struct vm *vm)
{
	const struct vm_plan *plan = vm->plan;

	for (uint32_t i = 0; i < plan->memory_count; i++) {
		const struct plan_memory *m = &plan->memory[i];
		uint64_t len;
		hpa_t frames;

		if ((m->flags & PT_DEVICE) != 0) {
			continue;
		}
		for (uint64_t at = m->gpa; at - m->gpa < m->size; at += len) {
			uint64_t left = m->size - (at - m->gpa);

			if (stage2_translate(&vm->s2, gpa(at), &len, &frames, NULL) != 0) {
				break; /* creation came this far */
			}
			len = MIN(len, left);
			/* A few frames at a time: unmapped first, then free for others. */
			len = MIN(len, GiB);
			if (stage2_unmap(&vm->s2, gpa(at), len) != 0) {
				/* No table for a split: the frames stay ours, not another's. */
				log_error("%s: %llu KiB could not be given back", vm->name,
					  (unsigned long long)(len / KiB));
				continue;
			}
			page_free_range(vm->owner, frames, len);
		}
	}
}

/*
 * Zeroes [gpa, gpa + len) and sees to it that a guest with its caches off reads zeroes,
 * and that no dirty line of the frames' last owner comes back over them.
 */
static int zero_step(struct vm *vm, uint64_t at, uint64_t len)
{
	uint64_t end = at + len;
	int err = gpa_load_zero(&vm->s2, gpa(at), len);

	while (err == 0 && at < end) {
		hpa_t frames;

		err = stage2_translate(&vm->s2, gpa(at), &len, &frames, NULL);
		if (err == 0) {
			len = MIN(len, end - at);
			arch_cache_image_range(hpa_to_ptr(frames), len);
			at += len;
		}
	}
	return err;
}

int vm_zero_memory(struct vm *vm)
{
	const struct vm_plan *plan = vm->plan;
	int err = 0;

	for (uint32_t i = 0; i < plan->memory_count && err == 0; i++) {
		const struct plan_memory *m = &plan->memory[i];

		if ((m->flags & PT_DEVICE) != 0) {
			continue;
		}
		for (uint64_t done = 0; done < m->size && err == 0; done += ZERO_STEP) {
			err = zero_step(vm, m->gpa + done, MIN(ZERO_STEP, m->size - done));
		}
	}
	return err;
}

static int vcpus_create(struct vm *vm)
{
	const struct vm_plan *plan = vm->plan;

	for (uint32_t i = 0; i < plan->board.cpu_count; i++) {
		struct vcpu *v = pool_alloc(&vm->pool, sizeof(*v));
		int err = v == NULL ? -ENOMEM
				    : vcpu_init(v, vm, i, plan->board.cpu_hwid[i],
						plan->cpu_affinity[i]);

		if (err != 0) {
			log_error("%s: vCPU %u cannot be made: %s", vm->name, i,
				  err == -ENOMEM ? "out of memory" : "no core is allowed to it");
			return err;
		}
		vm->vcpu[i] = v;
		vm->vcpu_count = i + 1;
	}
	return 0;
}

int vm_create(const struct vm_plan *plan, struct vm **out)
{
	struct vm *vm = slot_find();
	int err;

	if (vm == NULL) {
		log_error("%s: all %u VM slots are in use", plan->cfg->name, MAX_VMS);
		return -ENOSPC;
	}
	vm->plan = plan;
	vm->id = plan->cfg->id;
	(void)hv_snprintf(vm->name, sizeof(vm->name), "%s", plan->cfg->name);
	bus_init(&vm->bus);
	console_port_init(&vm->port, vm->name);
	err = arch_vm_create_stage2(vm);
	if (err != 0) {
		log_error("%s: out of memory or VMIDs", vm->name);
		return err;
	}
	vm->state = VM_CREATED;
	err = memory_create(vm);
	err = err != 0 ? err : vm_zero_memory(vm);
	err = err != 0 ? err : arch_vm_create(vm, plan);
	err = err != 0 ? err : board_create(vm);
	err = err != 0 ? err : vcpus_create(vm);
	err = err != 0 ? err : passthrough_create(vm);
	if (err != 0) {
		vm_destroy(vm);
		return err;
	}
	passthrough_start(vm);
	console_attach(&vm->port);
	*out = vm;
	return 0;
}

void vm_destroy(struct vm *vm)
{
	bool quiet;

	BUG_ON(vm->live != 0);
	/* First whatever could still wake a vCPU: input, devices' timers, interrupts. */
	console_detach(&vm->port);
	passthrough_stop(vm);
	for (uint32_t i = 0; i < vm->dev_count; i++) {
		vm->dev[i]->ops->destroy(vm->dev[i]);
	}
	quiet = passthrough_is_quiet(vm);
	arch_vm_destroy(vm);
	passthrough_destroy(vm);
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		vcpu_destroy(vm->vcpu[i]);
	}
	if (quiet) {
		memory_free(vm);
	} else {
		log_error("%s: its memory is not given back: a device that was passed through may "
			  "still write to it",
			  vm->name);
	}
	stage2_destroy(&vm->s2);
	pool_destroy(&vm->pool);
	vm->state = quiet ? VM_FREE : VM_LOST;
}

void vm_reset_devices(struct vm *vm)
{
	/* First: a UART may fetch what waits, and old keys are not for the guest to come. */
	console_port_flush(&vm->port);
	passthrough_stop(vm);
	for (uint32_t i = 0; i < vm->dev_count; i++) {
		vm->dev[i]->ops->reset(vm->dev[i]);
	}
	vm->vic->ops->reset(vm->vic);
	arch_vm_reset(vm);
	vm->bad_accesses = 0;
	passthrough_start(vm);
}

int vm_boot(struct vm *vm)
{
	uint64_t flags = spin_lock_irqsave(&vm->lock);

	vm->state = VM_RUNNING;
	vm->end = VM_END_NONE;
	spin_unlock_irqrestore(&vm->lock, flags);
	return vcpu_power_on(vm->vcpu[0], vm->plan->entry, vm->plan->dtb_gpa);
}

void vm_end(struct vm *vm, enum vm_end why)
{
	uint64_t flags = spin_lock_irqsave(&vm->lock);
	bool first = vm->end == VM_END_NONE;

	if (first) {
		vm->end = why;
	}
	/*
	 * Under the lock: one that parks meanwhile must not find the request when the VM
	 * is started again; one that is powered on later sees vm->end.
	 */
	for (uint32_t i = 0; first && i < vm->vcpu_count; i++) {
		if (vm->vcpu[i]->state == VCPU_ON) {
			vcpu_request(vm->vcpu[i], VCPU_WORK_STOP);
		}
	}
	spin_unlock_irqrestore(&vm->lock, flags);
}

void vm_crash(struct vcpu *v, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_error("%s: vCPU %u crashed: %s", v->vm->name, v->index, text);
	arch_vcpu_report(v);
	vm_end(v->vm, VM_END_CRASH);
}

bool vm_has_memory(struct vm *vm, gpa_t gpa)
{
	return stage2_allows(&vm->s2, gpa, PT_R);
}

struct vcpu *vm_vcpu_by_hwid(struct vm *vm, uint64_t hwid)
{
	for (uint32_t i = 0; i < vm->vcpu_count; i++) {
		if (vm->vcpu[i]->hwid == hwid) {
			return vm->vcpu[i];
		}
	}
	return NULL;
}
