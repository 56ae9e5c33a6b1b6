/* SPDX-License-Identifier: Apache-2.0 */
/* The VMM's thread: from configurations to running VMs, and their ends. */
#include <hv/arch_cpu.h>
#include <hv/arch_mm.h>
#include <hv/bug.h>
#include <hv/builtin.h>
#include <hv/cpu.h>
#include <hv/diag.h>
#include <hv/image_store.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/page.h>
#include <hv/passthrough.h>
#include <hv/plan.h>
#include <hv/pvpanic.h>
#include <hv/selftest.h>
#include <hv/thread.h>
#include <hv/vm.h>
#include <hv/vm_config.h>
#include <hv/vmm.h>

#include <errno.h>
#include <string.h>

/* What a VM was made from; as large as they are, in pages of their own. */
struct vm_origin {
	struct vm_config cfg;
	struct vm_plan plan;
	struct vm *vm; /* NULL: it could not be made, or is gone */
};

static struct thread vmm_thread;
static struct vm_origin *origins[MAX_VMS];
static uint32_t origin_count;

/* For the parser, the planner and the loader, one after the other. */
static __attribute__((aligned(16))) uint8_t work[MAX(VM_CONFIG_WORK_SIZE, PLAN_WORK_SIZE)];

static void ignore_diag(struct diag_sink *sink, const struct diag *d)
{
	(void)sink;
	(void)d;
}

static void log_diag(struct diag_sink *sink, const struct diag *d)
{
	static const enum log_level level[] = {
		[DIAG_NOTE] = LOG_INFO,
		[DIAG_WARNING] = LOG_WARN,
		[DIAG_ERROR] = LOG_ERROR,
	};

	(void)sink;
	if (d->pos.line != 0) {
		log_at(level[d->severity], "%s:%u:%u: %s", d->file, d->pos.line, d->pos.col,
		       d->message);
	} else {
		log_at(level[d->severity], "%s: %s", d->file, d->message);
	}
}

static struct diag_sink log_sink = { .emit = log_diag };

/* ---- Before there is an allocator ---------------------------------------------------- */

int vmm_fixed_memory(struct rangeset *out)
{
	static struct vm_config cfg;
	static struct diag_sink silent = { .emit = ignore_diag };

	rangeset_init(out);
	for (uint32_t i = 0; i < builtin_config_count && i < MAX_VMS; i++) {
		const struct builtin_file *f = &builtin_configs[i];

		/* Told in full when the VMM's thread reads it again. */
		if (vm_config_parse(f->path, (const char *)f->data, f->size, ARCH_VM_ARCH, work,
				    sizeof(work), &cfg, &silent) != 0) {
			continue;
		}
		for (uint32_t n = 0; n < cfg.memory_count; n++) {
			const struct vm_config_memory *m = &cfg.memory[n];

			if (m->map_type == VM_MAP_IDENTICAL &&
			    rangeset_add(out, m->gpa, m->size, 0) != 0) {
				return -ENOSPC;
			}
		}
	}
	return 0;
}

/* ---- Making VMs --------------------------------------------------------------------- */

static unsigned origin_order(void)
{
	unsigned order = 0;

	while ((PAGE_SIZE << order) < sizeof(struct vm_origin)) {
		order++;
	}
	return order;
}

static struct vm_origin *origin_alloc(void)
{
	struct vm_origin *o;
	hpa_t frames;

	if (page_alloc(OWNER_HV, origin_order(), &frames) != 0) {
		return NULL;
	}
	o = hpa_to_ptr(frames);
	memset(o, 0, sizeof(*o));
	return o;
}

static void read_configs(void)
{
	struct vm_config *set[MAX_VMS];

	if (builtin_config_count > MAX_VMS) {
		log_error("%u configurations are compiled in, the first %u are used",
			  builtin_config_count, MAX_VMS);
	}
	for (uint32_t i = 0; i < builtin_config_count && i < MAX_VMS; i++) {
		const struct builtin_file *f = &builtin_configs[i];
		struct vm_origin *o = origin_alloc();

		if (o == NULL) {
			log_error("%s: no memory to read it", f->path);
			break;
		}
		origins[origin_count] = o;
		set[origin_count++] = &o->cfg;
		if (vm_config_parse(f->path, (const char *)f->data, f->size, ARCH_VM_ARCH, work,
				    sizeof(work), &o->cfg, &log_sink) != 0) {
			log_error("%s: this VM is not started", f->path);
		}
	}
	if (vm_config_check_set(set, origin_count, &log_sink) != 0) {
		log_warn("not all VMs can run");
	}
}

/* Brings the images into zeroed memory; the same at the first start and at a reset. */
static int load_images(struct vm_origin *o)
{
	static struct vm_loader loader;
	int err;

	vm_load_start(&loader, &o->plan, image_store_boot(), &o->vm->s2, work, sizeof(work),
		      &log_sink);
	do {
		err = vm_load_step(&loader);
	} while (err > 0);
	vm_load_end(&loader);
	if (err == 0) {
		o->vm->state = VM_READY;
	}
	return err;
}

static void start_vm(struct vm_origin *o)
{
	if (vm_boot(o->vm) != 0) {
		log_error("%s: cannot be booted", o->vm->name);
		return;
	}
	log_info("VM %u \"%s\" runs: %u vCPU%s, entry %#llx", o->vm->id, o->vm->name,
		 o->vm->vcpu_count, o->vm->vcpu_count == 1 ? "" : "s",
		 (unsigned long long)o->plan.entry);
}

static void make_vm(uint32_t index)
{
	const struct vm_plan *others[MAX_VMS];
	struct vm_origin *o = origins[index];
	uint32_t count = 0;

	if (o->cfg.errors != 0) {
		return;
	}
	for (uint32_t i = 0; i < index; i++) {
		if (origins[i]->vm != NULL) {
			others[count++] = &origins[i]->plan;
		}
	}
	struct plan_request req = {
		.cfg = &o->cfg,
		.index = index,
		.arch = ARCH_VM_ARCH,
		.machine = &host_machine,
		.store = image_store_boot(),
		.others = others,
		.other_count = count,
		.work = work,
		.work_size = sizeof(work),
		.sink = &log_sink,
	};
	if (vm_plan(&req, &o->plan) != 0 || vm_create(&o->plan, &o->vm) != 0) {
		log_error("%s: VM \"%s\" is not started", o->cfg.file, o->cfg.name);
		o->vm = NULL;
		return;
	}
	if (load_images(o) != 0) {
		log_error("%s: VM \"%s\" is not started: its images cannot be loaded", o->cfg.file,
			  o->cfg.name);
		vm_destroy(o->vm);
		o->vm = NULL;
	}
}

/* ---- Ends of VMs ----------------------------------------------------------------------- */

static void reset_vm(struct vm_origin *o)
{
	struct vm *vm = o->vm;

	vm->resets++;
	vm_reset_devices(vm);
	if (vm_zero_memory(vm) != 0 || load_images(o) != 0) {
		log_error("%s: the reset failed, the VM is stopped", vm->name);
		vm_destroy(vm);
		o->vm = NULL;
		return;
	}
	log_info("%s: reset number %u", vm->name, vm->resets);
	start_vm(o);
}

/* True when the VM has left the guest with all its vCPUs. */
static bool has_ended(struct vm *vm, enum vm_end *why)
{
	uint64_t flags = spin_lock_irqsave(&vm->lock);
	bool ended = vm->state == VM_RUNNING && vm->live == 0;

	*why = vm->end;
	spin_unlock_irqrestore(&vm->lock, flags);
	return ended;
}

static void look_at(struct vm_origin *o)
{
	enum vm_end why;

	if (o->vm == NULL || !has_ended(o->vm, &why)) {
		return;
	}
	if (why == VM_END_RESET) {
		reset_vm(o);
		return;
	}
	o->vm->state = why == VM_END_CRASH ? VM_CRASHED : VM_STOPPED;
	log_raw("VM %u \"%s\" has %s", o->vm->id, o->vm->name,
		why == VM_END_CRASH ? "crashed" : "stopped");
	vm_destroy(o->vm);
	o->vm = NULL;
}

static uint32_t running_vms(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < origin_count; i++) {
		n += origins[i]->vm != NULL;
	}
	return n;
}

static void vmm_main(void *arg)
{
	uint32_t made;

	(void)arg;
	pvpanic_probe(&host_machine);
	cpu_start_others();
	selftest_run(host_machine.bootargs);
	image_store_init(&host_machine);
	passthrough_init(&host_machine);
	read_configs();
	for (uint32_t i = 0; i < origin_count; i++) {
		make_vm(i);
	}
	/* Only now, so that no VM's output runs into another's preparation. */
	for (uint32_t i = 0; i < origin_count; i++) {
		if (origins[i]->vm != NULL) {
			start_vm(origins[i]);
		}
	}
	log_info("%llu KiB of memory are the hypervisor's beside its image, %llu KiB are free",
		 (unsigned long long)(page_owner_count(OWNER_HV) * PAGE_SIZE / KiB),
		 (unsigned long long)(page_free_count() * PAGE_SIZE / KiB));
	made = running_vms();
	while (running_vms() != 0) {
		thread_block();
		for (uint32_t i = 0; i < origin_count; i++) {
			look_at(origins[i]);
		}
	}
	log_raw(made == 0 ? "No VM could be started: the machine is switched off"
			  : "All VMs are down: the machine is switched off");
	arch_machine_off(made == 0 ? 1 : 0);
}

void vmm_notify(void)
{
	thread_wake(&vmm_thread);
}

void vmm_start(void)
{
	BUG_ON(thread_init(&vmm_thread, "vmm", UINT64_MAX, vmm_main, NULL) != 0);
	thread_wake(&vmm_thread);
}
