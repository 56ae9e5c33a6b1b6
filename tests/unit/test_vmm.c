/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VMM's thread, from compiled-in configurations to the machine's end: one VM that
 * resets itself and switches off, one that crashes, one that cannot be made.
 */
#include "plan_rig.h"

#include "fake_arch.h"
#include "fake_time.h"
#include "fake_vcpu.h"

#include <hv/arch_cpu.h>
#include <hv/builtin.h>
#include <hv/cpu.h>
#include <hv/log.h>
#include <hv/uart.h>
#include <hv/vm.h>
#include <hv/vmm.h>

#define RAM    UINT64_C(0x40000000)
#define RESETS 3

#define CONFIG(name, kernel)                                                                \
	"[base]\nname = \"" name "\"\ncpu_num = 2\n[kernel]\nimage_location = \"memory\"\n" \
	"kernel_path = \"" kernel "\"\nkernel_load_addr = 0x4000_0000\n"                    \
	"entry_point = 0x4000_0004\nmemory_regions = [[0x4000_0000, 0x10_0000, 0x7, 0]]\n"
#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

static const uint8_t image_a[5000] = "first image";
static const uint8_t image_b[100] = "second image";

const struct builtin_file builtin_configs[] = {
	{ 0, "a.toml", BYTES(CONFIG("alpha", "a.bin")) },
	{ 1, "missing.toml", BYTES(CONFIG("missing", "none.bin")) },
	{ 2, "b.toml", BYTES(CONFIG("beta", "b.bin")) },
	{ 3, "broken.toml", BYTES("[base\n") },
};
const uint32_t builtin_config_count = ARRAY_SIZE(builtin_configs);
const struct builtin_file builtin_images[] = {
	{ 0, "a.bin", image_a, sizeof(image_a) },
	{ 2, "b.bin", image_b, sizeof(image_b) },
};
const uint32_t builtin_image_count = ARRAY_SIZE(builtin_images);
const uint32_t builtin_log_level = LOG_WARN;

static char screen[65536];
static size_t screen_len;
static uint32_t boots[2];
static bool second_ran;

static bool uart_tx_ready(struct uart *u)
{
	(void)u;
	return true;
}

static void uart_tx(struct uart *u, uint8_t c)
{
	(void)u;
	if (screen_len < sizeof(screen) - 1) {
		screen[screen_len++] = (char)c;
	}
}

static const struct uart_ops uart_ops = { .tx_ready = uart_tx_ready, .tx = uart_tx };
static struct uart uart = { .ops = &uart_ops };

static void guest(struct vcpu *v)
{
	bool alpha = strcmp(v->vm->name, "alpha") == 0;
	const uint8_t *image = alpha ? image_a : image_b;
	uint64_t size = alpha ? sizeof(image_a) : sizeof(image_b);
	static uint8_t memory[8192];
	struct vm_exit failed = { .kind = EXIT_ENTRY_FAILED };

	if (v->index == 1) {
		/* Spins until its VM ends. */
		for (second_ran = true;;) {
			fake_work();
		}
	}
	boots[alpha ? 0 : 1]++;
	assert_int_equal(v->entry, RAM + 4);
	/* Memory is as at the first start: the image, and zeroes. */
	assert_int_equal(gpa_read(&v->vm->s2, gpa(RAM), memory, sizeof(memory)), 0);
	assert_memory_equal(memory, image, size);
	for (uint64_t i = size; i < sizeof(memory); i++) {
		assert_int_equal(memory[i], 0);
	}
	memset(memory, 0x5a, sizeof(memory));
	assert_int_equal(gpa_write(&v->vm->s2, gpa(RAM), memory, sizeof(memory)), 0);
	second_ran = false;
	assert_int_equal(guest_cpu_on(v, 1, RAM, 0), 0);
	while (!second_ran) {
		fake_work();
	}
	if (!alpha) {
		guest_exit(v, &failed);
	}
	guest_end(v, boots[0] <= RESETS ? EXIT_SYSTEM_RESET : EXIT_SYSTEM_OFF);
}

static void test_vmm(void **state)
{
	struct rangeset fixed;

	(void)state;
	fake_cores_start(2);
	rig_qemu(&host_machine, 2, GiB);
	host_machine.pci_count = 0; /* no disk */
	host_machine.bootargs = "";
	console_set_uart(&uart);
	log_set_level(LOG_WARN);
	/* No configuration asks for host memory by address. */
	assert_int_equal(vmm_fixed_memory(&fixed), 0);
	assert_int_equal(fixed.count, 0);
	fake_guest = guest;
	vmm_start();
	for (uint32_t i = 0; i < 2000 && !fake_is_off; i++) {
		fake_pass(SCHED_SLICE_NS, 20);
	}
	screen[screen_len] = '\0';
	if (!fake_is_off) {
		fail_msg("the machine is still on: %s", screen);
	}
	assert_int_equal(fake_off_status, 0);
	assert_int_equal(boots[0], 1 + RESETS);
	assert_int_equal(boots[1], 1);
	assert_non_null(strstr(screen, "\"alpha\" has stopped"));
	assert_non_null(strstr(screen, "\"beta\" has crashed"));
	assert_non_null(strstr(screen, "\"missing\" is not started"));
	assert_non_null(strstr(screen, "broken.toml:1:"));
	assert_non_null(strstr(screen, "All VMs are down"));
	for (uint32_t i = 0; i < MAX_VMS; i++) {
		assert_int_equal(vms[i].state, VM_FREE);
		assert_int_equal(page_owner_count(OWNER_VM(i)), 0);
	}
	fake_cores_stop();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vmm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
