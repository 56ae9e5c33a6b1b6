/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The architecture that a configuration speaks for.  The format has no key for it,
 * but its devices, and the names of the file and of its images, give it away.
 */
#include "config_priv.h"
#include <string.h>

static const char *const arch_names[] = {
	[VM_ARCH_ANY] = "any",
	[VM_ARCH_AARCH64] = "aarch64",
	[VM_ARCH_RISCV64] = "riscv64",
	[VM_ARCH_X86_64] = "x86_64",
};

const char *vm_arch_name(enum vm_arch arch)
{
	return arch_names[arch];
}

enum vm_arch vm_arch_from_name(const char *name)
{
	size_t i;

	for (i = VM_ARCH_ANY + 1; i < ARRAY_SIZE(arch_names); i++) {
		if (strcmp(name, arch_names[i]) == 0) {
			return (enum vm_arch)i;
		}
	}
	return VM_ARCH_ANY;
}

struct arch_word {
	const char *word;
	enum vm_arch arch;
};

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Does a word stand in the text, with no letter or digit beside it? */
static bool has_word(const char *text, const char *word)
{
	size_t n = strlen(word);
	size_t i;

	for (i = 0; text[i] != '\0'; i++) {
		if ((i == 0 || !is_word_char(text[i - 1])) && strncmp(text + i, word, n) == 0 &&
		    !is_word_char(text[i + n])) {
			return true;
		}
	}
	return false;
}

/* By a file's name; VM_ARCH_ANY if it names none, or several. */
static enum vm_arch arch_of_name(const char *path)
{
	static const struct arch_word words[] = {
		{ "aarch64", VM_ARCH_AARCH64 }, { "arm64", VM_ARCH_AARCH64 },
		{ "riscv64", VM_ARCH_RISCV64 }, { "riscv", VM_ARCH_RISCV64 },
		{ "x86_64", VM_ARCH_X86_64 },	{ "x86-64", VM_ARCH_X86_64 },
		{ "amd64", VM_ARCH_X86_64 },
	};
	enum vm_arch found = VM_ARCH_ANY;
	const char *name = path;
	size_t i;

	for (i = 0; path[i] != '\0'; i++) {
		if (path[i] == '/') {
			name = path + i + 1;
		}
	}
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (has_word(name, words[i].word)) {
			if (found != VM_ARCH_ANY && found != words[i].arch) {
				return VM_ARCH_ANY;
			}
			found = words[i].arch;
		}
	}
	return found;
}

/* Does the text begin with this (lower case) word, letter case aside? */
static bool begins_with(const char *text, const char *word)
{
	size_t i;

	for (i = 0; word[i] != '\0'; i++) {
		char c = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + ('a' - 'A') : text[i]);

		if (c != word[i]) {
			return false;
		}
	}
	return true;
}

/* By the name of a device that only one architecture's boards have. */
static enum vm_arch arch_of_device(const char *name)
{
	static const struct arch_word words[] = {
		{ "pl011", VM_ARCH_AARCH64 },	  { "pl031", VM_ARCH_AARCH64 },
		{ "pl061", VM_ARCH_AARCH64 },	  { "gic", VM_ARCH_AARCH64 },
		{ "intc@800", VM_ARCH_AARCH64 },  { "plic", VM_ARCH_RISCV64 },
		{ "aplic", VM_ARCH_RISCV64 },	  { "imsic", VM_ARCH_RISCV64 },
		{ "io apic", VM_ARCH_X86_64 },	  { "ioapic", VM_ARCH_X86_64 },
		{ "local apic", VM_ARCH_X86_64 }, { "lapic", VM_ARCH_X86_64 },
		{ "hpet", VM_ARCH_X86_64 },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++) {
		if (begins_with(name, words[i].word)) {
			return words[i].arch;
		}
	}
	return VM_ARCH_ANY;
}

static enum vm_arch arch_of_kind(enum vm_emu_kind kind)
{
	switch (kind) {
	case VM_EMU_GICD:
	case VM_EMU_GICR:
	case VM_EMU_GITS:
	case VM_EMU_ICC_SRE:
	case VM_EMU_SGIR:
		return VM_ARCH_AARCH64;
	case VM_EMU_PLIC:
		return VM_ARCH_RISCV64;
	case VM_EMU_IOAPIC:
	case VM_EMU_PIT:
		return VM_ARCH_X86_64;
	default:
		return VM_ARCH_ANY;
	}
}

struct evidence {
	enum vm_arch arch;
	bool contradictory;
	const char *name; /* the first device that tells */
	uint64_t addr;
	struct cfg_pos pos;
};

static void add_evidence(struct evidence *ev, enum vm_arch arch, const char *name, uint64_t addr,
			 struct cfg_pos pos)
{
	if (arch == VM_ARCH_ANY) {
		return;
	}
	if (ev->arch == VM_ARCH_ANY) {
		*ev = (struct evidence){ .arch = arch, .name = name, .addr = addr, .pos = pos };
	} else if (ev->arch != arch) {
		ev->contradictory = true;
	}
}

/* What the devices of a configuration say, as long as they agree. */
static struct evidence arch_of_devices(const struct vm_config *cfg)
{
	struct evidence ev = { .arch = VM_ARCH_ANY };
	uint32_t i;

	for (i = 0; i < cfg->pass_count; i++) {
		const struct vm_config_pass *p = &cfg->pass[i];

		add_evidence(&ev, arch_of_device(p->name), p->name, p->base_gpa, p->pos);
	}
	for (i = 0; i < cfg->emu_count; i++) {
		const struct vm_config_emu *e = &cfg->emu[i];

		add_evidence(&ev, arch_of_kind(e->kind), e->name, e->base_gpa, e->pos);
	}
	if (ev.contradictory) {
		ev.arch = VM_ARCH_ANY;
	}
	return ev;
}

enum vm_arch vm_config_guess_arch(const struct vm_config *cfg)
{
	enum vm_arch arch = arch_of_name(cfg->file);

	if (arch == VM_ARCH_ANY) {
		arch = arch_of_devices(cfg).arch;
	}
	if (arch == VM_ARCH_ANY) {
		arch = arch_of_name(cfg->kernel.path);
	}
	return arch;
}

void cfg_check_arch(struct cfg_reader *r)
{
	const struct vm_config *cfg = r->cfg;
	struct evidence ev = arch_of_devices(cfg);
	enum vm_arch by_name = arch_of_name(cfg->file);
	enum vm_arch by_kernel = arch_of_name(cfg->kernel.path);
	enum vm_arch wanted = r->arch != VM_ARCH_ANY ? r->arch : by_name;
	const char *judge =
		r->arch != VM_ARCH_ANY ? "the hypervisor is for" : "the name of the file says";

	if (wanted == VM_ARCH_ANY) {
		return;
	}
	if (ev.arch != VM_ARCH_ANY && ev.arch != wanted) {
		cfg_error(
			r, ev.pos,
			"architecture mismatch: device '%s' at 0x%llx is one of %s boards%s, but %s "
			"%s",
			ev.name, (unsigned long long)ev.addr, vm_arch_name(ev.arch),
			by_kernel == ev.arch ? ", as is the kernel by its name" : "", judge,
			vm_arch_name(wanted));
	} else if (by_name != VM_ARCH_ANY && by_name != wanted) {
		cfg_error(r, (struct cfg_pos){ 0, 0 },
			  "architecture mismatch: the name of the file says %s, but the hypervisor "
			  "is for %s%s",
			  vm_arch_name(by_name), vm_arch_name(wanted),
			  ev.arch == wanted ? ", and so are the devices in it" : "");
	} else if (by_kernel != VM_ARCH_ANY && by_kernel != wanted) {
		cfg_warn(r, cfg->kernel.pos, "kernel_path '%s' looks like %s, but %s %s",
			 cfg->kernel.path, vm_arch_name(by_kernel), judge, vm_arch_name(wanted));
	}
}
