/* SPDX-License-Identifier: Apache-2.0 */
/* The test runner; see rt.h. */
#include <rt.h>

#include <libfdt.h>
#include <stdarg.h>
#include <string.h>

#include <hv/printf.h>

struct rt_cpu rt_cpus[RT_MAX_CPUS];
uint32_t rt_cpu_count;
const char *rt_cmdline = "";
uint64_t rt_ram_base, rt_ram_size;
const void *rt_dtb;
bool rt_under_hv;

extern const struct rt_case rt_cases[], rt_cases_end[];

static uint8_t stacks[RT_MAX_CPUS][RT_STACK_SIZE] __attribute__((aligned(16)));

/* The running case. */
static struct rt_ctx case_ctx;
static const char *not_applicable;
static uint32_t case_number;
static bool failed;
static char why[200];
static uint32_t print_lock;

/* ---- Output ---------------------------------------------------------------------- */

void rt_printf(const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	(void)hv_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	while (__atomic_exchange_n(&print_lock, 1, __ATOMIC_ACQUIRE) != 0) {
		arch_relax();
	}
	for (const char *p = text; *p != '\0'; p++) {
		if (*p == '\n') {
			arch_putc('\r');
		}
		arch_putc(*p);
	}
	__atomic_store_n(&print_lock, 0, __ATOMIC_RELEASE);
}

/* ---- Time ------------------------------------------------------------------------ */

uint64_t rt_us(uint64_t us)
{
	return us * arch_ticks_per_second() / 1000000;
}

uint64_t rt_ms(uint64_t ms)
{
	return rt_us(ms * 1000);
}

uint64_t rt_ticks(void)
{
	return arch_ticks();
}

void rt_delay_ms(uint64_t ms)
{
	(void)WAIT_FOR(false, ms);
}

/* ---- Faults ---------------------------------------------------------------------- */

void fault_expect(void)
{
	struct rt_cpu *c = rt_this_cpu();

	memset(&c->fault, 0, sizeof(c->fault));
	__atomic_store_n(&c->expecting, true, __ATOMIC_SEQ_CST);
}

struct fault fault_end(void)
{
	struct rt_cpu *c = rt_this_cpu();

	__atomic_store_n(&c->expecting, false, __ATOMIC_SEQ_CST);
	return c->fault;
}

/* ---- Processors ------------------------------------------------------------------ */

void rt_secondary(struct rt_cpu *cpu)
{
	cpu->fn(cpu->arg);
	__atomic_store_n(&cpu->state, RT_CPU_DONE, __ATOMIC_RELEASE);
	arch_cpu_off();
}

void rt_cpu_start(uint32_t index, void (*fn)(void *arg), void *arg)
{
	struct rt_cpu *c = &rt_cpus[index];

	c->fn = fn;
	c->arg = arg;
	c->case_number = case_number;
	c->expecting = false;
	__atomic_store_n(&c->state, RT_CPU_RUNNING, __ATOMIC_RELEASE);
	CHECK_EQ(arch_cpu_on(c->hwid, c), 0);
}

void rt_cpu_join(uint32_t index)
{
	struct rt_cpu *c = &rt_cpus[index];

	CHECK(WAIT_FOR(__atomic_load_n(&c->state, __ATOMIC_ACQUIRE) == RT_CPU_DONE, 10000));
	CHECK(WAIT_FOR(arch_cpu_is_off(c->hwid), 2000));
	c->state = RT_CPU_OFF;
	if (__atomic_load_n(&failed, __ATOMIC_ACQUIRE)) {
		arch_ctx_restore(&case_ctx);
	}
}

void rt_on_others(void (*fn)(void *arg), void *arg)
{
	uint32_t self = rt_this_cpu()->index;

	for (uint32_t i = 0; i < rt_cpu_count; i++) {
		if (i != self) {
			rt_cpu_start(i, fn, arg);
		}
	}
	for (uint32_t i = 0; i < rt_cpu_count; i++) {
		if (i != self) {
			rt_cpu_join(i);
		}
	}
}

/* ---- Cases ----------------------------------------------------------------------- */

void rt_fail(const char *fmt, ...)
{
	struct rt_cpu *c = rt_this_cpu();
	va_list ap;

	c->expecting = false;
	/* One that a failed case has left behind is nobody's failure. */
	if ((c->index == 0 || c->case_number == case_number) &&
	    !__atomic_exchange_n(&failed, true, __ATOMIC_ACQ_REL)) {
		va_start(ap, fmt);
		(void)hv_vsnprintf(why, sizeof(why), fmt, ap);
		va_end(ap);
	}
	if (c->index == 0) {
		arch_ctx_restore(&case_ctx);
	}
	__atomic_store_n(&c->state, RT_CPU_DONE, __ATOMIC_RELEASE);
	arch_cpu_off();
}

void rt_not_applicable(const char *reason)
{
	not_applicable = reason;
	arch_ctx_restore(&case_ctx);
}

/* One word of the list; a trailing '*' stands for anything. */
static bool word_matches(const char *word, size_t len, const char *name)
{
	if (len != 0 && word[len - 1] == '*') {
		return strncmp(word, name, len - 1) == 0;
	}
	return strlen(name) == len && strncmp(word, name, len) == 0;
}

static bool is_asked_for(const struct rt_case *c)
{
	const char *list = rt_argument("cases=");

	if (list == NULL) {
		return (c->flags & CASE_MANUAL) == 0;
	}
	for (;;) {
		size_t len = 0;

		while (list[len] != '\0' && list[len] != ',' && list[len] != ' ') {
			len++;
		}
		if (word_matches(list, len, c->name)) {
			return (c->flags & CASE_MANUAL) == 0 || list[len - 1] != '*';
		}
		if (list[len] != ',') {
			return false;
		}
		list += len + 1;
	}
}

const char *rt_argument(const char *key)
{
	size_t len = strlen(key);

	for (const char *p = rt_cmdline; *p != '\0'; p++) {
		if ((p == rt_cmdline || p[-1] == ' ') && strncmp(p, key, len) == 0) {
			return p + len;
		}
	}
	return NULL;
}

static void run_protected(const struct rt_case *c)
{
	if (arch_ctx_save(&case_ctx) == 0) {
		arch_before_case();
		c->run();
	}
	/* Whoever was left running by a failure gets a moment to end. */
	for (uint32_t i = 1; i < rt_cpu_count; i++) {
		if (rt_cpus[i].state != RT_CPU_OFF &&
		    !WAIT_FOR(arch_cpu_is_off(rt_cpus[i].hwid), 500)) {
			rt_printf("CPU %u does not go off\n", i);
		}
		rt_cpus[i].state = RT_CPU_OFF;
	}
}

static void run_case(const struct rt_case *c, uint32_t counts[3])
{
	case_number++;
	failed = false;
	not_applicable = NULL;
	if ((c->flags & CASE_SMP) != 0 && rt_cpu_count < 2) {
		not_applicable = "one CPU";
	} else if ((c->flags & CASE_HV) != 0 && !rt_under_hv) {
		not_applicable = "no hypervisor";
	} else {
		run_protected(c);
	}
	if (failed) {
		counts[1]++;
		rt_printf("TEST %s FAIL %s\n", c->name, why);
	} else if (not_applicable != NULL) {
		counts[2]++;
		rt_printf("TEST %s n/a %s\n", c->name, not_applicable);
	} else {
		counts[0]++;
		rt_printf("TEST %s ok\n", c->name);
	}
}

/* ---- What the device tree says ----------------------------------------------------- */

static uint64_t cells_read(const fdt32_t *cells, int n)
{
	uint64_t value = 0;

	for (int i = 0; i < n; i++) {
		value = value << 32 | fdt32_to_cpu(cells[i]);
	}
	return value;
}

static void read_cpus(const void *dtb)
{
	int cpus = fdt_path_offset(dtb, "/cpus");
	int node;

	fdt_for_each_subnode(node, dtb, cpus)
	{
		const char *type = fdt_getprop(dtb, node, "device_type", NULL);
		int len;
		const fdt32_t *reg = fdt_getprop(dtb, node, "reg", &len);

		if (type != NULL && strcmp(type, "cpu") == 0 && reg != NULL &&
		    rt_cpu_count < RT_MAX_CPUS) {
			rt_cpus[rt_cpu_count++].hwid = cells_read(reg, len / 4);
		}
	}
}

static void read_tree(const void *dtb)
{
	int node = fdt_path_offset(dtb, "/chosen");
	const char *text = fdt_getprop(dtb, node, "bootargs", NULL);
	const fdt32_t *reg;
	int len;

	rt_dtb = dtb;
	rt_cmdline = text != NULL ? text : "";
	read_cpus(dtb);
	node = fdt_node_offset_by_prop_value(dtb, -1, "device_type", "memory", sizeof("memory"));
	reg = fdt_getprop(dtb, node, "reg", &len);
	if (reg != NULL && len >= 16) {
		rt_ram_base = cells_read(reg, 2);
		rt_ram_size = cells_read(reg + 2, 2);
	}
}

void rt_main(const void *dtb)
{
	uint32_t counts[3] = { 0 };

	if (dtb != NULL && fdt_check_header(dtb) == 0) {
		read_tree(dtb);
	}
	if (rt_cpu_count == 0) {
		rt_cpu_count = 1;
	}
	for (uint32_t i = 0; i < rt_cpu_count; i++) {
		rt_cpus[i].index = i;
		rt_cpus[i].stack_top = (uint64_t)stacks[i] + RT_STACK_SIZE;
	}
	arch_init();
	rt_under_hv = arch_probe_hv();
	rt_printf("\nhvtest on %u CPU%s, %llu MiB at %#llx%s, command line \"%s\"\n", rt_cpu_count,
		  rt_cpu_count == 1 ? "" : "s", (unsigned long long)(rt_ram_size >> 20),
		  (unsigned long long)rt_ram_base, rt_under_hv ? ", in a VM" : "", rt_cmdline);
	for (const struct rt_case *c = rt_cases; c < rt_cases_end; c++) {
		if (is_asked_for(c)) {
			run_case(c, counts);
		}
	}
	rt_printf("TESTS %u passed, %u failed, %u not applicable\n", counts[0], counts[1],
		  counts[2]);
	arch_machine_off();
}
