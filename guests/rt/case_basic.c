/* SPDX-License-Identifier: Apache-2.0 */
/* Memory, reset, power: what does not depend on the architecture. */
#include <rt.h>

#include <libfdt.h>
#include <string.h>

extern const uint8_t _image_start[], _image_end[];

#define PATTERN(at) ((at) ^ UINT64_C(0x5aa5c33c0ff0e11e))

CASE(hello, "hello", CASE_MANUAL)
{
	rt_printf("Hello from our own guest\n");
}

/* Memory that neither this image nor the device tree takes up. */
static bool is_free(uint64_t at)
{
	uint64_t dtb = (uint64_t)rt_dtb;

	if (at >= (uint64_t)_image_start && at < (uint64_t)_image_end) {
		return false;
	}
	return rt_dtb == NULL || at < (dtb & ~UINT64_C(0xfff)) || at >= dtb + fdt_totalsize(rt_dtb);
}

/* Steps that look at each page of a small memory and at some of a large one. */
static uint64_t step(void)
{
	return rt_ram_size <= 64 * MiB ? 512 : 64 * 1024;
}

static void need_memory(void)
{
	if (rt_ram_size == 0) {
		rt_not_applicable("no device tree");
	}
}

/* A VM starts, and starts again, with nobody's data. */
CASE(memory_zero, "memory.zero", CASE_HV)
{
	need_memory();
	for (uint64_t at = rt_ram_base; at < rt_ram_base + rt_ram_size; at += step()) {
		if (is_free(at) && *(volatile uint64_t *)at != 0) {
			rt_fail("%#llx holds %#llx", (unsigned long long)at,
				(unsigned long long)*(volatile uint64_t *)at);
		}
	}
}

/* All of it is there, and no two addresses are the same memory. */
CASE(memory_pattern, "memory.pattern", CASE_HV)
{
	uint64_t end = rt_ram_base + rt_ram_size;

	need_memory();
	for (uint64_t at = rt_ram_base; at < end; at += step()) {
		if (is_free(at)) {
			*(volatile uint64_t *)at = PATTERN(at);
		}
	}
	for (uint64_t at = rt_ram_base; at < end; at += step()) {
		if (is_free(at)) {
			CHECK_EQ(*(volatile uint64_t *)at, PATTERN(at));
			*(volatile uint64_t *)at = 0;
		}
	}
}

/* Leaves dirt behind and asks what to do: 'r' resets the machine, 'o' goes on. */
CASE(reset, "reset", CASE_MANUAL)
{
	int c;

	need_memory();
	for (uint64_t at = rt_ram_base; at < rt_ram_base + rt_ram_size; at += step()) {
		if (is_free(at)) {
			CHECK_EQ(*(volatile uint64_t *)at, 0);
			*(volatile uint64_t *)at = PATTERN(at);
		}
	}
	arch_check_reset_state();
	arch_make_dirt();
	rt_printf("reset (r) or go on (o)?\n");
	do {
		c = arch_getc();
		arch_relax();
	} while (c != 'r' && c != 'o');
	if (c == 'r') {
		arch_machine_reset();
	}
}

/* Says back what is typed, until a full stop. */
CASE(echo, "echo", CASE_MANUAL)
{
	char line[64];
	size_t n = 0;

	rt_printf("type, end with a full stop\n");
	for (;;) {
		int c = arch_getc();

		if (c == '.') {
			break;
		}
		if (c >= 0 && n < sizeof(line) - 1) {
			line[n++] = (char)c;
		}
		arch_relax();
	}
	line[n] = '\0';
	rt_printf("you typed: %s\n", line);
}

/* Never ends by itself. */
CASE(forever, "forever", CASE_MANUAL)
{
	for (uint64_t n = 0;; n++) {
		rt_printf("still here: %llu\n", (unsigned long long)n);
		rt_delay_ms(500);
	}
}
