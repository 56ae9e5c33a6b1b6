/* SPDX-License-Identifier: Apache-2.0 */
/*
 * axvmconfig: the hypervisor's own configuration code as a program for the build
 * machine.
 *
 *   axvmconfig check [--arch ARCH] [--machine DTB] FILE...
 *                                every problem, file:line:column; with a machine's
 *                                device tree, whether it can run these VMs together
 *   axvmconfig files FILE...     images to compile in:  <index of FILE> TAB <path>
 *   axvmconfig fsfiles FILE...   images to put on the FAT volume, likewise
 *   axvmconfig arch FILE         the architecture that the file speaks for, if any
 *
 * Exit status: 0 no errors, 1 errors, 2 wrong usage or a file that cannot be read.
 */
#include <hv/machine.h>
#include <hv/plan.h>
#include <hv/vm_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_PROBLEMS 1
#define EXIT_USAGE    2

struct finding {
	enum diag_severity severity;
	size_t file; /* index */
	size_t order;
	struct cfg_pos pos;
	char *message;
};

/* A run over all files of the command line. */
struct run {
	enum vm_arch arch;
	size_t count;
	char **file;
	struct vm_config **cfg;
	size_t current;		  /* being parsed; `count`: all of them are judged */
	const char *machine_file; /* NULL: none given */
	char *machine_fdt;
	struct machine *machine;
	struct vm_plan **plan; /* of those that can be planned: `planned` of them */
	size_t planned;
	struct diag_sink sink;
	struct finding *findings;
	size_t finding_count;
};

static _Noreturn void die(const char *what, const char *name)
{
	fprintf(stderr, "axvmconfig: %s%s\n", what, name);
	exit(EXIT_USAGE);
}

static void *allocate(void *old, size_t size)
{
	void *p = realloc(old, size);

	if (p == NULL) {
		die("out of memory", "");
	}
	return p;
}

static size_t file_index(const struct run *run, const char *file)
{
	size_t i;

	if (run->current < run->count) {
		return run->current;
	}
	for (i = 0; i < run->count; i++) {
		if (run->cfg[i]->file == file) {
			return i;
		}
	}
	return 0;
}

static void collect(struct diag_sink *sink, const struct diag *d)
{
	struct run *run = container_of(sink, struct run, sink);
	size_t n = run->finding_count++;
	size_t size = strlen(d->message) + 1;
	struct finding *f;

	run->findings = allocate(run->findings, run->finding_count * sizeof(*run->findings));
	f = &run->findings[n];
	f->severity = d->severity;
	f->file = file_index(run, d->file);
	f->order = n;
	f->pos = d->pos;
	f->message = allocate(NULL, size);
	memcpy(f->message, d->message, size);
}

static char *read_file(const char *name, size_t *len)
{
	FILE *f = fopen(name, "rb");
	size_t size = 1 << 16;
	char *text = allocate(NULL, size);

	*len = 0;
	if (f == NULL) {
		die("cannot open ", name);
	}
	for (;;) {
		size_t n = fread(text + *len, 1, size - *len, f);

		*len += n;
		if (n == 0) {
			break;
		}
		if (*len == size) {
			size *= 2;
			text = allocate(text, size);
		}
	}
	if (ferror(f)) {
		die("cannot read ", name);
	}
	fclose(f);
	return text;
}

/* Reads every file, then judges them together, as the hypervisor does at boot. */
static void read_all(struct run *run)
{
	static _Alignas(8) char work[VM_CONFIG_WORK_SIZE];

	run->sink.emit = collect;
	run->cfg = allocate(NULL, run->count * sizeof(struct vm_config *));
	for (run->current = 0; run->current < run->count; run->current++) {
		const char *file = run->file[run->current];
		size_t len;
		char *text = read_file(file, &len);

		run->cfg[run->current] = allocate(NULL, sizeof(struct vm_config));
		/* What is wrong is among the findings and in cfg->errors. */
		(void)!vm_config_parse(file, text, len, run->arch, work, sizeof(work),
				       run->cfg[run->current], &run->sink);
		free(text);
	}
	(void)!vm_config_check_set(run->cfg, run->count, &run->sink);
}

static void read_machine(struct run *run)
{
	static const struct machine_boot boot;
	size_t len;

	if (run->machine_file == NULL) {
		return;
	}
	run->machine_fdt = read_file(run->machine_file, &len);
	run->machine = allocate(NULL, sizeof(*run->machine));
	if (machine_from_fdt(run->machine, run->machine_fdt, len, &boot) != 0) {
		fprintf(stderr, "axvmconfig: %s: %s %s\n", run->machine_file, run->machine->error,
			run->machine->error_node);
		exit(EXIT_USAGE);
	}
}

/* Plans the VMs one after the other, as the hypervisor does, without their images. */
static void plan_all(struct run *run)
{
	static _Alignas(8) char work[PLAN_WORK_SIZE];
	size_t i;

	run->plan = allocate(NULL, run->count * sizeof(struct vm_plan *));
	for (i = 0; i < run->count; i++) {
		struct vm_config *cfg = run->cfg[i];
		struct vm_plan *plan;
		struct plan_request req = {
			.cfg = cfg,
			.index = (uint32_t)i,
			.arch = run->arch != VM_ARCH_ANY ? run->arch : vm_config_guess_arch(cfg),
			.machine = run->machine,
			.others = (const struct vm_plan *const *)run->plan,
			.other_count = run->planned,
			.work = work,
			.work_size = sizeof(work),
			.sink = &run->sink,
		};

		if (cfg->errors != 0 || req.arch == VM_ARCH_ANY) {
			continue;
		}
		plan = allocate(NULL, sizeof(*plan));
		run->current = i;
		if (vm_plan(&req, plan) == 0) {
			run->plan[run->planned++] = plan;
		} else {
			free(plan);
		}
	}
}

static void free_all(struct run *run)
{
	size_t i;

	for (i = 0; i < run->planned; i++) {
		free(run->plan[i]);
	}
	free(run->plan);
	free(run->machine);
	free(run->machine_fdt);

	for (i = 0; i < run->count; i++) {
		free(run->cfg[i]);
	}
	for (i = 0; i < run->finding_count; i++) {
		free(run->findings[i].message);
	}
	free(run->cfg);
	free(run->findings);
}

static int compare_numbers(size_t a, size_t b)
{
	return a < b ? -1 : a > b ? 1 : 0;
}

/* In the order of the files and of their lines. */
static int compare_findings(const void *pa, const void *pb)
{
	const struct finding *a = pa;
	const struct finding *b = pb;
	int c = compare_numbers(a->file, b->file);

	if (c == 0) {
		c = compare_numbers(a->pos.line, b->pos.line);
	}
	if (c == 0) {
		c = compare_numbers(a->pos.col, b->pos.col);
	}
	return c != 0 ? c : compare_numbers(a->order, b->order);
}

static void print_finding(FILE *out, const struct run *run, const struct finding *f)
{
	fputs(run->file[f->file], out);
	if (f->pos.line != 0) {
		fprintf(out, ":%u:%u", f->pos.line, f->pos.col);
	}
	fprintf(out, ": %s: %s\n", diag_severity_name(f->severity), f->message);
}

static int do_check(struct run *run)
{
	size_t i;

	read_machine(run);
	read_all(run);
	plan_all(run);
	if (run->finding_count != 0) {
		qsort(run->findings, run->finding_count, sizeof(*run->findings), compare_findings);
	}
	for (i = 0; i < run->finding_count; i++) {
		print_finding(stdout, run, &run->findings[i]);
	}
	printf("%zu file%s: %u error%s, %u warning%s\n", run->count, run->count == 1 ? "" : "s",
	       run->sink.count[DIAG_ERROR], run->sink.count[DIAG_ERROR] == 1 ? "" : "s",
	       run->sink.count[DIAG_WARNING], run->sink.count[DIAG_WARNING] == 1 ? "" : "s");
	return run->sink.count[DIAG_ERROR] == 0 ? EXIT_SUCCESS : EXIT_PROBLEMS;
}

static void print_path(size_t index, const char *path)
{
	if (path[0] != '\0') {
		printf("%zu\t%s\n", index, path);
	}
}

/* A VM with errors is never created: its images are not needed. */
static int do_files(struct run *run, enum vm_image_location location)
{
	size_t i;

	read_all(run);
	for (i = 0; i < run->count; i++) {
		const struct vm_config *cfg = run->cfg[i];

		if (cfg->errors != 0 || cfg->image_location != location) {
			continue;
		}
		print_path(i, cfg->kernel.path);
		print_path(i, cfg->bios.path);
		print_path(i, cfg->dtb.path);
		print_path(i, cfg->ramdisk.path);
	}
	return EXIT_SUCCESS;
}

static int do_memory_files(struct run *run)
{
	return do_files(run, VM_IMAGE_MEMORY);
}

static int do_fs_files(struct run *run)
{
	return do_files(run, VM_IMAGE_FS);
}

static int do_arch(struct run *run)
{
	enum vm_arch arch;

	read_all(run);
	arch = vm_config_guess_arch(run->cfg[0]);
	if (arch != VM_ARCH_ANY) {
		puts(vm_arch_name(arch));
	}
	return EXIT_SUCCESS;
}

static const struct command {
	const char *name;
	int (*run)(struct run *run);
} commands[] = {
	{ "check", do_check },
	{ "files", do_memory_files },
	{ "fsfiles", do_fs_files },
	{ "arch", do_arch },
};

static int usage(void)
{
	fputs("usage: axvmconfig check [--arch aarch64|riscv64|x86_64] [--machine DTB] FILE...\n"
	      "       axvmconfig files FILE...     images to compile in\n"
	      "       axvmconfig fsfiles FILE...   images to put on the FAT volume\n"
	      "       axvmconfig arch FILE         architecture that the file speaks for\n",
	      stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	struct run run = { .arch = VM_ARCH_ANY };
	int first = 2;
	size_t i;

	for (; argc > first + 1 && strncmp(argv[first], "--", 2) == 0; first += 2) {
		if (strcmp(argv[first], "--machine") == 0) {
			run.machine_file = argv[first + 1];
			continue;
		}
		run.arch = vm_arch_from_name(argv[first + 1]);
		if (strcmp(argv[first], "--arch") != 0 || run.arch == VM_ARCH_ANY) {
			return usage();
		}
	}
	if (argc <= first) {
		return usage();
	}
	run.count = (size_t)(argc - first);
	run.file = argv + first;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0) {
			int status = commands[i].run(&run);

			free_all(&run);
			return status;
		}
	}
	return usage();
}
