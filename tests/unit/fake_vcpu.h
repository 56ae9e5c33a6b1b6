/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cores on which threads really run: each thread, and so each vCPU, is a fiber on the
 * host; one core at a time goes on when the test says so.  Interrupts (IPIs, the host's
 * timer, guests' timers) are taken where the hypervisor or the guest has them on, by
 * core/irq.c.  The test itself is on a core of its own that runs nothing.
 *
 * A guest is a function of the test; what it does, it does by the guest_*() below.
 */
#ifndef FAKE_VCPU_H
#define FAKE_VCPU_H

#include <hv/types.h>
#include <hv/vic.h>
#include <hv/vm_exit.h>

struct vcpu;

#define FAKE_TEST_CPU	(MAX_CPUS - 1)
#define FAKE_IRQ_GUEST	27
#define FAKE_IRQ_TIMER	26
#define FAKE_IRQ_DEVICE 40

/* RAM of 64 MiB, the hypervisor's tables, `count` idle cores; and the end of it all. */
void fake_cores_start(uint32_t count);
void fake_cores_stop(void);

/* Each core that has something to do goes on, in turn, `rounds` times at most. */
void fake_rounds(uint32_t rounds);

/* Time passes (fake_now), then fake_rounds(). */
void fake_pass(uint64_t ns, uint32_t rounds);

/* fn runs on a core as the handler of a device's interrupt, when that core goes on next. */
void fake_device_irq(uint32_t core, void (*fn)(void *arg), void *arg);

/* A thread or guest that works: interrupts are taken, and the other cores go on. */
void fake_work(void);

/* Number of IPIs that were sent to each core. */
extern uint32_t fake_ipis[MAX_CPUS];

/* Set by arch_machine_off(), which then stays there for ever. */
extern bool fake_is_off;
extern int fake_off_status;

/* What every guest does, on a fresh stack after each power-on; its end is a WFI for ever. */
extern void (*fake_guest)(struct vcpu *v);

/* One trap; returns when the guest may go on. */
void guest_exit(struct vcpu *v, struct vm_exit *e);
/* WFI: traps, or waits on the core for an interrupt. */
void guest_wfi(struct vcpu *v);
/* True: it was performed; *value is read or written. */
bool guest_mmio(struct vcpu *v, uint64_t addr, uint8_t width, bool write, uint64_t *value);
int64_t guest_hypercall(struct vcpu *v, uint64_t nr, const uint64_t args[HYPERCALL_ARGS]);
int guest_cpu_on(struct vcpu *v, uint64_t hwid, uint64_t entry, uint64_t arg);
/* CPU_OFF, SYSTEM_OFF, SYSTEM_RESET: does not come back. */
void __noreturn guest_end(struct vcpu *v, enum vm_exit_kind kind);

/* The interrupt controller: one line a vCPU. */
struct fake_vic {
	struct vic vic;
	bool pending[MAX_VCPUS];
	uint32_t resets, vcpu_resets, destroys;
};

/* An interrupt becomes pending, as by a device or an SGI. */
void fake_virq(struct vcpu *v);

#endif
