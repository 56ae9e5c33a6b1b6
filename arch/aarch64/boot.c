/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the first C code on the boot core to the scheduler, and the same for the other
 * cores.
 */
#include "boot.h"
#include "el2.h"
#include "mmu.h"
#include "sysreg.h"

#include <hv/arch_cpu.h>
#include <hv/arch_mm.h>
#include <hv/bug.h>
#include <hv/builtin.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/gic.h>
#include <hv/hv_map.h>
#include <hv/irq.h>
#include <hv/log.h>
#include <hv/machine.h>
#include <hv/page.h>
#include <hv/stack.h>
#include <hv/stage2.h>
#include <hv/thread.h>
#include <hv/uart.h>
#include <hv/vgic.h>
#include <hv/vm.h>
#include <hv/vmm.h>

#include <errno.h>
#include <string.h>

/* What secondary_start (head.S) reads with the MMU off. */
struct secondary_boot {
	uint64_t root;
	uint64_t stack;
	struct cpu *cpu;
};

struct machine host_machine;
struct gich host_gich;
static struct uart console_uart;

/* Too large for the stack; used one after the other. */
static struct rangeset usable, banks, fixed;
static __attribute__((aligned(64))) struct secondary_boot secondary_boot;

extern uint8_t _image_start[], _image_end[];
void secondary_start(void);

static void note(const char *node, const char *why)
{
	log_warn("device tree: %s: %s", node, why);
}

static uint64_t own_hwid(void)
{
	return sysreg_read(MPIDR_EL1) & UINT64_C(0xff00ffffff);
}

/* How much of the tree may be read: what the coarse map covers. */
static size_t dtb_readable(uint64_t dtb)
{
	return boot_map_covers(dtb + BOOT_DTB_MAX - 1) ? BOOT_DTB_MAX : GiB - (dtb & (GiB - 1));
}

static void discover(uint64_t dtb)
{
	struct machine_boot boot = {
		.hwid = own_hwid(),
		.dtb = hpa(dtb),
		.image = { hpa((uint64_t)_image_start), (uint64_t)(_image_end - _image_start) },
		.note = note,
	};

	if (dtb == 0 || !IS_ALIGNED(dtb, 8)) {
		hv_panic("no device tree: x0 is %#llx at entry (an ELF file started by QEMU's "
			 "-kernel gets none: use axvisor.bin)",
			 (unsigned long long)dtb);
	}
	if (machine_from_fdt(&host_machine, (const void *)dtb, dtb_readable(dtb), &boot) != 0) {
		hv_panic("device tree at %#llx: %s %s", (unsigned long long)dtb, host_machine.error,
			 host_machine.error_node);
	}
}

static void console_start(void)
{
	if (uart_probe(&host_machine, &console_uart) != 0) {
		return; /* silent, but the guests may still do their work */
	}
	if (hv_map_device(console_uart.base, machine_console(&host_machine)->range.size) == 0 &&
	    console_uart.ops->init(&console_uart) == 0) {
		console_set_uart(&console_uart);
	}
}

static enum irq_end console_interrupt(uint32_t irq)
{
	(void)irq;
	console_irq();
	return IRQ_DONE;
}

/* All RAM that is free, less what configurations want at fixed addresses. */
static void memory_start(void)
{
	int err = machine_usable_ram(&host_machine, &usable);

	rangeset_init(&banks);
	for (uint32_t i = 0; i < host_machine.bank_count && err == 0; i++) {
		err = rangeset_add(&banks, host_machine.bank[i].base.a, host_machine.bank[i].size,
				   0);
	}
	err = err != 0 ? err : vmm_fixed_memory(&fixed);
	/* Bookkeeping and page tables stay out of these ranges, as far as it goes. */
	for (uint32_t i = 0; i < fixed.count && err == 0; i++) {
		err = rangeset_subtract(&usable, fixed.range[i].start, fixed.range[i].size);
	}
	boot_map_ram(&host_machine);
	err = err != 0 ? err : page_init(&banks, &usable);
	if (err != 0) {
		hv_panic("memory cannot be set up: error %d", err);
	}
}

/* Gives the pieces of the fixed ranges that are usable RAM to the owner table, kept back. */
static void memory_set_aside(void)
{
	if (machine_usable_ram(&host_machine, &usable) != 0) {
		return;
	}
	for (uint32_t i = 0; i < fixed.count; i++) {
		uint64_t start = fixed.range[i].start;
		uint64_t end = start + fixed.range[i].size;

		for (uint32_t n = 0; n < usable.count; n++) {
			uint64_t lo = MAX(start, usable.range[n].start);
			uint64_t hi = MIN(end, usable.range[n].start + usable.range[n].size);

			if (lo < hi && IS_ALIGNED(lo, PAGE_SIZE) && IS_ALIGNED(hi, PAGE_SIZE)) {
				page_give(hpa(lo), hi - lo);
				if (page_set_aside(hpa(lo), hi - lo, NULL) != 0) {
					log_warn("memory at %#llx cannot be set aside",
						 (unsigned long long)lo);
				}
			}
		}
	}
}

static void map_range(struct machine_range r)
{
	if (r.size != 0 && hv_map_device(r.base, r.size) != 0) {
		hv_panic("registers at %#llx cannot be mapped", (unsigned long long)r.base.a);
	}
}

/* The vCPU on this core has list registers to look after. */
static enum irq_end maintenance_interrupt(uint32_t irq)
{
	struct vcpu *v = this_cpu()->loaded;

	(void)irq;
	if (v != NULL) {
		vgic_maintenance(v->vm->arch.vgic, v->index);
	}
	return IRQ_DONE;
}

static void gic_start(void)
{
	const struct machine_gic *g = &host_machine.gic;
	int err;

	map_range(g->gicd);
	map_range(g->gicc);
	map_range(g->gich);
	map_range(g->gicv);
	for (uint32_t i = 0; i < g->redist_count; i++) {
		map_range(g->redist[i]);
	}
	if (g->version == 3) {
		err = gicv3_probe(&host_machine, &host_irqchip, &host_gich);
	} else {
		err = gicv2_probe(&host_machine, &host_irqchip, &host_gich);
	}
	err = err != 0 ? err : host_irqchip.ops->init();
	if (err != 0) {
		hv_panic("no usable interrupt controller (GICv2 or GICv3 with virtualization): "
			 "error %d",
			 err);
	}
	irq_register(g->maintenance.intid, maintenance_interrupt);
}

/* What each core does for itself, the boot core too; interrupts masked. */
static void start_cpu(struct cpu *c)
{
	el2_init_cpu();
	if (host_irqchip.ops->init_cpu(c->id) != 0) {
		hv_panic("core %u has no interrupt controller interface", c->id);
	}
	irq_enable(host_machine.gic.maintenance.intid, IRQ_LEVEL);
	timer_init_cpu();
	cpu_join(c);
}

static void cpus_init(void)
{
	cpu_count = MIN(host_machine.cpu_count, MAX_CPUS);
	for (uint32_t i = 0; i < cpu_count; i++) {
		cpus[i].id = i;
		cpus[i].hwid = host_machine.cpu[i].hwid;
	}
}

void boot_main(uint64_t dtb)
{
	log_set_level((enum log_level)builtin_log_level);
	el2_features_init();
	discover(dtb);
	cpus_init();
	timer_init();
	memory_start();
	if (mmu_init(&host_machine, &banks) != 0) {
		hv_panic("the hypervisor's page tables cannot be made");
	}
	memory_set_aside();
	vmid_init(el2_features.vmid16 ? 16 : 8);
	console_start();
	log_raw("AxVisor on %s: %u core%s, %llu MiB of memory, GICv%u", host_machine.model,
		cpu_count, cpu_count == 1 ? "" : "s",
		(unsigned long long)(page_free_count() * PAGE_SIZE / MiB),
		host_machine.gic.version);
	gic_start();
	start_cpu(&cpus[0]);
	if (console_uart.ops != NULL && console_uart.irq != IRQ_NONE) {
		irq_register(console_uart.irq, console_interrupt);
		host_irqchip.ops->set_target(console_uart.irq, 0);
		irq_enable(console_uart.irq, IRQ_LEVEL);
		console_uart.ops->rx_irq(&console_uart, true);
	}
	vmm_start();
	sched_idle();
}

/* ---- Other cores ---------------------------------------------------------------------- */

int arch_cpu_start(struct cpu *c)
{
	uint8_t *stack = stack_alloc();
	int err;

	if (stack == NULL) {
		return -ENOMEM;
	}
	secondary_boot.root = hv_pt.root.a;
	secondary_boot.stack = (uint64_t)stack + THREAD_STACK_SIZE;
	secondary_boot.cpu = c;
	/* It reads this with its caches off. */
	cache_clean_inval((uint64_t)&secondary_boot,
			  (uint64_t)&secondary_boot + sizeof(secondary_boot));
	err = host_psci_cpu_on(c->hwid, (uint64_t)secondary_start, (uint64_t)&secondary_boot);
	if (err != 0) {
		stack_free(stack);
	}
	return err;
}

void secondary_main(struct cpu *c)
{
	start_cpu(c);
	sched_idle();
}

/* ---- Entered at EL1 --------------------------------------------------------------------- */

/*
 * The MMU is off and nothing works but plain loads and stores: finds the console in
 * the device tree, says what is wrong, and ends.
 */
void boot_wrong_el(uint64_t dtb)
{
	static const char text[] =
		"\r\naxvisor: entered at EL1, but a hypervisor needs EL2.\r\n"
		"QEMU: -M virt,virtualization=on.  A board: firmware that hands over at EL2.\r\n";
	struct machine_boot boot = { .hwid = own_hwid(), .dtb = hpa(dtb) };

	if (dtb != 0 &&
	    machine_from_fdt(&host_machine, (const void *)dtb, BOOT_DTB_MAX, &boot) == 0 &&
	    uart_probe(&host_machine, &console_uart) == 0 &&
	    console_uart.ops->init(&console_uart) == 0) {
		for (const char *c = text; *c != '\0'; c++) {
			for (unsigned n = 0; n < 1000000; n++) {
				if (console_uart.ops->tx_ready(&console_uart)) {
					break;
				}
			}
			console_uart.ops->tx(&console_uart, (uint8_t)*c);
		}
	}
	host_psci_off();
	arch_halt();
}
