/* SPDX-License-Identifier: Apache-2.0 */
/* The end of the hypervisor; see panic.h. */
#include <hv/arch_cpu.h>
#include <hv/bug.h>
#include <hv/console.h>
#include <hv/cpu.h>
#include <hv/irqchip.h>
#include <hv/panic.h>
#include <hv/printf.h>
#include <hv/thread.h>
#include <hv/vcpu.h>
#include <hv/vm.h>

#include <string.h>

/* How often the path was entered, by any core; a fault in it must end it. */
static uint32_t entered;

void panic_print(const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = hv_vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	n = n < 0 ? 0 : MIN(n, (int)sizeof(line) - 2);
	line[n] = '\n';
	console_panic_write(line, (size_t)n + 1);
}

bool panic_begin(void)
{
	(void)arch_irq_save();
	return __atomic_fetch_add(&entered, 1, __ATOMIC_SEQ_CST) != 0;
}

static void print_cpu(const struct cpu *c)
{
	const struct thread *t = c->current;
	const struct vcpu *v = c->loaded;

	panic_print("  core %u (id %#llx): thread %s, %u waiting%s%s", c->id,
		    (unsigned long long)c->hwid, t == NULL ? "none" : t->name, c->rq.length,
		    v == NULL ? "" : ", guest state of ", v == NULL ? "" : v->vm->name);
}

void panic_finish(void)
{
	struct cpu *self = this_cpu();

	panic_print("cores:");
	for (uint32_t i = 0; i < cpu_count; i++) {
		if (cpus[i].online == 0) {
			continue;
		}
		print_cpu(&cpus[i]);
		if (&cpus[i] != self && host_irqchip.ops != NULL) {
			host_irqchip.ops->send_ipi(i, IPI_HALT);
		}
	}
	panic_print("axvisor: stopped");
	arch_machine_off(1);
}

void hv_panic(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	if (panic_begin()) {
		arch_halt(); /* another core, or this one on the way out, is at it */
	}
	va_start(ap, fmt);
	(void)hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	panic_print("axvisor: panic on core %u: %s", this_cpu()->id, text);
	arch_backtrace();
	panic_finish();
}
