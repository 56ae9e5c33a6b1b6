/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as two VM configurations (parted by a line "---"), judged alone and
 * together.  What is accepted must keep what vm_config.h promises.
 */
#include <hv/vm_config.h>
#include <stdlib.h>
#include <string.h>

static uint32_t errors;

static void on_diag(struct diag_sink *sink, const struct diag *d)
{
	(void)sink;
	if (strlen(d->message) >= DIAG_MESSAGE_MAX || d->message[0] == '\0' || d->file == NULL) {
		abort();
	}
	errors += d->severity == DIAG_ERROR;
}

static void require(bool ok)
{
	if (!ok) {
		abort();
	}
}

static void check_range(uint64_t base, uint64_t size)
{
	uint64_t end = UINT64_C(1) << VM_ADDR_BITS;

	require(base < end && size != 0 && size <= end - base);
}

static void check_valid(const struct vm_config *c)
{
	uint32_t i;
	uint32_t k;

	require(c->cpu_num >= 1 && c->cpu_num <= MAX_VCPUS);
	require(c->id <= VM_ID_MAX && c->name[0] != '\0' && c->kernel.path[0] != '\0');
	require(memchr(c->name, '\0', sizeof(c->name)) != NULL);
	require(c->memory_count >= 1 && c->memory_count <= VM_MAX_MEMORY);
	require(c->emu_count <= VM_MAX_EMU && c->pass_count <= VM_MAX_PASS &&
		c->pass_addr_count <= VM_MAX_PASS_ADDR && c->pass_node_count <= VM_MAX_PASS_NODE &&
		c->pass_port_count <= VM_MAX_PASS_PORT && c->excluded_count <= VM_MAX_EXCLUDED);
	for (i = 0; i < c->cpu_num; i++) {
		for (k = 0; k < i; k++) {
			require(c->phys_cpu_ids[i] != c->phys_cpu_ids[k]);
		}
		require(!c->has_phys_cpu_sets || c->phys_cpu_sets[i] != 0);
		require(c->phys_cpu_sets[i] >> MAX_CPUS == 0);
	}
	for (i = 0; i < c->memory_count; i++) {
		const struct vm_config_memory *m = &c->memory[i];

		check_range(m->gpa, m->size);
		require(IS_ALIGNED(m->gpa, PAGE_SIZE) && IS_ALIGNED(m->size, PAGE_SIZE));
		for (k = 0; k < i; k++) {
			require(!ranges_overlap(m->gpa, m->size, c->memory[k].gpa,
						c->memory[k].size));
		}
		for (k = 0; k < c->pass_count; k++) {
			require(!ranges_overlap(m->gpa, m->size, c->pass[k].base_gpa,
						c->pass[k].length));
		}
	}
	for (i = 0; i < c->pass_count; i++) {
		check_range(c->pass[i].base_gpa, c->pass[i].length);
		check_range(c->pass[i].base_hpa, c->pass[i].length);
	}
	for (i = 0; i < c->emu_count; i++) {
		require(c->emu[i].kind < VM_EMU_KINDS && c->emu[i].cfg_count <= VM_MAX_EMU_CFG);
		require(vm_emu_kind_name(c->emu[i].kind) != NULL);
	}
	for (i = 0; i < c->pass_port_count; i++) {
		require(c->pass_port[i].base + c->pass_port[i].length <= 0x10000);
	}
}

static void parse(const char *text, size_t len, enum vm_arch arch, struct vm_config *cfg,
		  struct diag_sink *sink)
{
	static _Alignas(8) char work[VM_CONFIG_WORK_SIZE];
	/* A size of its own, for the sanitizer to see what is read past it. */
	char *copy = malloc(len + 1);
	uint32_t before = errors;
	int err;

	memcpy(copy, text, len);
	err = vm_config_parse("vm-aarch64.toml", copy, len, arch, work, sizeof(work), cfg, sink);
	free(copy);
	require(cfg->errors == errors - before && (err == 0) == (cfg->errors == 0));
	if (err == 0) {
		check_valid(cfg);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char mark[] = "\n---\n";
	static struct vm_config cfg[2];
	struct vm_config *const set[] = { &cfg[0], &cfg[1] };
	struct diag_sink sink = { .emit = on_diag };
	const char *text = (const char *)data;
	size_t first = size;
	size_t second = size;
	size_t i;
	int err;

	for (i = 0; i + sizeof(mark) - 1 <= size; i++) {
		if (memcmp(text + i, mark, sizeof(mark) - 1) == 0) {
			first = i;
			second = i + sizeof(mark) - 1;
			break;
		}
	}
	errors = 0;
	parse(text, first, VM_ARCH_AARCH64, &cfg[0], &sink);
	parse(text + second, size - second, VM_ARCH_ANY, &cfg[1], &sink);
	err = vm_config_check_set(set, ARRAY_SIZE(set), &sink);
	require(err == 0 || cfg[1].errors != 0);
	require(cfg[0].id != cfg[1].id);
	require(cfg[0].name[0] == '\0' || strcmp(cfg[0].name, cfg[1].name) != 0);
	require(sink.count[DIAG_ERROR] == errors);
	return 0;
}
