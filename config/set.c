/* SPDX-License-Identifier: Apache-2.0 */
/* The rules between the VMs that are to run together. */
#include "config_priv.h"
#include <errno.h>
#include <hv/printf.h>
#include <string.h>

/* The first VM before `end` with this id, or -1. */
static int find_id(struct vm_config *const cfg[], size_t end, uint32_t id)
{
	size_t i;

	for (i = 0; i < end; i++) {
		if (cfg[i]->id == id) {
			return (int)i;
		}
	}
	return -1;
}

static int find_name(struct vm_config *const cfg[], size_t end, const char *name)
{
	size_t i;

	for (i = 0; i < end; i++) {
		if (strcmp(cfg[i]->name, name) == 0) {
			return (int)i;
		}
	}
	return -1;
}

/* The later of two VMs with one id gets the next id that no file asks for. */
static void make_id_unique(struct vm_config *const cfg[], size_t count, size_t n,
			   struct diag_sink *sink)
{
	struct vm_config *c = cfg[n];
	int other = find_id(cfg, n, c->id);
	uint32_t old = c->id;
	uint32_t id = old;

	if (other < 0) {
		return;
	}
	do {
		id = id < VM_ID_MAX ? id + 1 : 0;
	} while (find_id(cfg, count, id) >= 0);
	c->id = id;
	if (c->has_id) {
		vm_config_diag(c, sink, DIAG_WARNING, c->id_pos,
			       "this VM gets the id %u: %u is that of VM '%s' already (%s)", id,
			       old, cfg[other]->name, cfg[other]->file);
	}
}

/* "arceos" becomes "arceos-2"; a long name loses its end. */
static void make_name_unique(struct vm_config *const cfg[], size_t count, size_t n,
			     struct diag_sink *sink)
{
	struct vm_config *c = cfg[n];
	int other = find_name(cfg, n, c->name);
	char name[VM_NAME_MAX];
	uint32_t number = 1;

	if (other < 0 || c->name[0] == '\0') {
		return;
	}
	do {
		number++;
		hv_snprintf(name, sizeof(name), "%.52s-%u", c->name, number);
	} while (find_name(cfg, count, name) >= 0);
	vm_config_diag(c, sink, DIAG_WARNING, c->name_pos,
		       "this VM gets the name '%s': '%s' is that of VM %u already (%s)", name,
		       c->name, cfg[other]->id, cfg[other]->file);
	memcpy(c->name, name, sizeof(name));
}

static bool is_at_host_address(const struct vm_config_memory *m)
{
	return m->map_type == VM_MAP_IDENTICAL || m->map_type == VM_MAP_RESERVED;
}

/* A region that is at the same host addresses as one of an earlier VM. */
static bool check_region(struct vm_config *const cfg[], size_t n, const struct vm_config_memory *m,
			 struct diag_sink *sink)
{
	struct vm_config *c = cfg[n];
	size_t i;
	uint32_t k;

	for (i = 0; i < n; i++) {
		for (k = 0; cfg[i]->errors == 0 && k < cfg[i]->memory_count; k++) {
			const struct vm_config_memory *o = &cfg[i]->memory[k];
			uint64_t from = MAX(m->gpa, o->gpa);
			uint64_t to = MIN(m->gpa + m->size, o->gpa + o->size);

			if (!is_at_host_address(o) || from >= to) {
				continue;
			}
			vm_config_diag(c, sink, DIAG_ERROR, m->pos,
				       "host memory [0x%llx, 0x%llx) is claimed by VM %u '%s' and "
				       "already by VM %u '%s' (%s:%u)",
				       (unsigned long long)from, (unsigned long long)to, c->id,
				       c->name, cfg[i]->id, cfg[i]->name, cfg[i]->file,
				       o->pos.line);
			return false;
		}
	}
	return true;
}

int vm_config_check_set(struct vm_config *const cfg[], size_t count, struct diag_sink *sink)
{
	bool ok = true;
	size_t n;
	uint32_t k;

	for (n = 0; n < count; n++) {
		make_id_unique(cfg, count, n, sink);
		make_name_unique(cfg, count, n, sink);
	}
	for (n = 0; n < count; n++) {
		for (k = 0; cfg[n]->errors == 0 && k < cfg[n]->memory_count; k++) {
			if (is_at_host_address(&cfg[n]->memory[k])) {
				ok = check_region(cfg, n, &cfg[n]->memory[k], sink) && ok;
			}
		}
	}
	return ok ? 0 : -EINVAL;
}
