/* SPDX-License-Identifier: Apache-2.0 */
/* What a VM has on aarch64: stage 2, the virtual GIC, the virtual counter's offset. */
#include "el2.h"
#include "mmu.h"
#include "pt_vmsa.h"
#include "sysreg.h"

#include <hv/arch_vm.h>
#include <hv/log.h>
#include <hv/plan.h>
#include <hv/stage2.h>
#include <hv/vgic.h>
#include <hv/vm.h>

#include <errno.h>

/* Guests see as many physical address bits as the machine has, 48 at most. */
int arch_vm_create_stage2(struct vm *vm)
{
	struct vmsa_s2_layout layout;
	int err = vmsa_s2_layout(el2_features.pa_bits, el2_features.pa_bits, el2_features.vmid16,
				 &layout);

	err = err != 0 ? err : stage2_create(&vm->s2, &layout.shape, &mmu_s2_ops, vm->owner);
	if (err == 0) {
		vm->arch.vtcr = layout.vtcr;
		vm->arch.vttbr = mmu_vttbr(&vm->s2);
	}
	return err;
}

/* A GICv2 guest's CPU interface is the host's virtual one, without exits. */
static int map_gicv(struct vm *vm, const struct vgic_range *gicc)
{
	uint64_t size = MIN(gicc->size, host_gich.gicv_size);

	return stage2_map_device(&vm->s2, gicc->base, host_gich.gicv, ALIGN_DOWN(size, PAGE_SIZE),
				 PT_R | PT_W, NULL);
}

int arch_vm_create(struct vm *vm, const struct vm_plan *plan)
{
	const struct guest_intc *intc = &plan->board.intc;
	const struct bus_range *other = NULL;
	struct vgic_params params = {
		.kind = intc->kind == GUEST_INTC_GICV3 ? VGIC_V3 : VGIC_V2,
		.vm = vm,
		.vcpu_count = plan->board.cpu_count,
		.hwids = plan->board.cpu_hwid,
		.spi_count = GUEST_SPIS,
		.gicd = { gpa(intc->dist.base), intc->dist.size },
		.gicc = { gpa(intc->cpu.base), intc->cpu.size },
		.redist_count = intc->redist_count,
		.gich = &host_gich,
	};
	struct vgic *g = pool_alloc(&vm->pool, vgic_size(params.kind, params.vcpu_count));
	int err;

	if (g == NULL) {
		log_error("%s: out of memory for the interrupt controller", vm->name);
		return -ENOMEM;
	}
	for (uint32_t i = 0; i < intc->redist_count; i++) {
		params.redist[i].base = gpa(intc->redist[i].base);
		params.redist[i].size = intc->redist[i].size;
	}
	err = vgic_init(g, &params);
	if (err == 0) {
		err = vgic_attach(g, &vm->bus, &other);
	}
	if (err == 0 && params.kind == VGIC_V2 && !vgic_is_trapped(params.kind, &host_gich)) {
		err = map_gicv(vm, &params.gicc);
	}
	if (err != 0) {
		log_error("%s: the %s cannot be made: error %d", vm->name,
			  guest_intc_kind_name(intc->kind), err);
		return err;
	}
	vm->arch.vgic = g;
	vm->arch.gic_version = params.kind;
	vm->arch.gic_trapped = vgic_is_trapped(params.kind, &host_gich);
	vm->vic = vgic_vic(g);
	arch_vm_reset(vm);
	return 0;
}

void arch_vm_reset(struct vm *vm)
{
	/* The guest's virtual counter starts at 0, as on a machine just switched on. */
	isb();
	vm->arch.cntvoff = sysreg_read(CNTPCT_EL0);
}

void arch_vm_destroy(struct vm *vm)
{
	if (vm->vic != NULL) {
		vm->vic->ops->destroy(vm->vic);
	}
}
