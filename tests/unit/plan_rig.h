/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A machine, a store of files and a configuration to plan with.  Included by one file
 * of a program.
 */
#ifndef PLAN_RIG_H
#define PLAN_RIG_H

#include "image_test.h"

#include <errno.h>
#include <hv/machine.h>
#include <hv/plan.h>
#include <libfdt.h>
#include <stdlib.h>

#define RIG_FILES 8

struct rig_file {
	const char *path;
	const void *data;
	uint64_t size;
};

struct rig_store {
	struct image_store store;
	uint32_t count;
	struct rig_file file[RIG_FILES];
	struct image_bytes open[RIG_FILES];
	int opened; /* and not closed again */
	struct image_source_ops ops;
};

static struct rig_store rig_store;
static struct test_sink rig_sink;
static _Alignas(8) uint8_t rig_work[PLAN_WORK_SIZE];
static struct vm_config rig_cfg;
static struct machine rig_machine;
static struct vm_plan rig_plan;

static inline void rig_close(struct image_source *src)
{
	(void)src;
	rig_store.opened--;
}

static inline int rig_open(struct image_store *store, uint32_t index,
			   enum vm_image_location location, const char *path,
			   struct image_source **out)
{
	struct rig_store *s = container_of(store, struct rig_store, store);

	(void)index;
	(void)location;
	for (uint32_t i = 0; i < s->count; i++) {
		if (strcmp(s->file[i].path, path) == 0) {
			struct image_bytes *b = &s->open[i];

			image_bytes_init(b, s->file[i].path, s->file[i].data, s->file[i].size);
			s->ops.read = b->src.ops->read;
			s->ops.close = rig_close;
			b->src.ops = &s->ops;
			s->opened++;
			*out = &b->src;
			return 0;
		}
	}
	return -ENOENT;
}

static inline const char *rig_where(struct image_store *store, enum vm_image_location location)
{
	(void)store;
	return location == VM_IMAGE_FS ? "the root of the FAT32 disk" : "the hypervisor";
}

static const struct image_store_ops rig_store_ops = { rig_open, rig_where };

static inline void rig_add(const char *path, const void *data, uint64_t size)
{
	assert_true(rig_store.count < RIG_FILES);
	rig_store.file[rig_store.count++] = (struct rig_file){ path, data, size };
}

/* QEMU's virt board, with 1 GiB of RAM and two cores. */
static inline void rig_qemu(struct machine *m, uint32_t gic, uint64_t ram)
{
	memset(m, 0, sizeof(*m));
	m->cpu_count = 2;
	m->cpu[1].hwid = 1;
	m->bank_count = 1;
	m->bank[0] = (struct machine_range){ hpa(0x40000000), ram };
	m->reserved_count = 1;
	m->reserved[0] = (struct machine_reserved){ .range = { hpa(0x40200000), 0x200000 },
						    .kind = MACHINE_RES_IMAGE,
						    .name = "image" };
	m->uart_count = 1;
	m->uart[0].kind = MACHINE_UART_PL011;
	m->uart[0].range = (struct machine_range){ hpa(0x9000000), 0x1000 };
	m->gic.version = gic;
	m->gic.gicd = (struct machine_range){ hpa(0x8000000), 0x10000 };
	if (gic == 2) {
		m->gic.gicc = (struct machine_range){ hpa(0x8010000), 0x10000 };
		m->gic.gich = (struct machine_range){ hpa(0x8030000), 0x10000 };
		m->gic.gicv = (struct machine_range){ hpa(0x8040000), 0x10000 };
		m->gic.v2m_count = 1;
		m->gic.v2m[0] = (struct machine_range){ hpa(0x8020000), 0x1000 };
	} else {
		m->gic.redist_count = 1;
		m->gic.redist[0] = (struct machine_range){ hpa(0x80a0000), 0xf60000 };
	}
	m->pci_count = 1;
	m->pci[0].ecam = (struct machine_range){ hpa(0x4010000000), 0x10000000 };
}

static inline void rig_memory(uint64_t gpa_base, uint64_t size, uint32_t flags,
			      enum vm_map_type type)
{
	struct vm_config_memory *m = &rig_cfg.memory[rig_cfg.memory_count++];

	*m = (struct vm_config_memory){
		gpa_base, size, flags, type, { 20 + rig_cfg.memory_count, 5 }
	};
}

static inline void rig_pass(const char *name, uint64_t gpa_base, uint64_t hpa_base, uint64_t length)
{
	struct vm_config_pass *e = &rig_cfg.pass[rig_cfg.pass_count++];

	snprintf(e->name, sizeof(e->name), "%s", name);
	e->base_gpa = gpa_base;
	e->base_hpa = hpa_base;
	e->length = length;
	e->pos = (struct cfg_pos){ 40 + rig_cfg.pass_count, 5 };
}

static inline struct vm_config_emu *rig_emu(enum vm_emu_kind kind, uint64_t base, uint64_t length,
					    uint32_t irq)
{
	struct vm_config_emu *e = &rig_cfg.emu[rig_cfg.emu_count++];

	snprintf(e->name, sizeof(e->name), "emu%u", rig_cfg.emu_count);
	e->kind = kind;
	e->base_gpa = base;
	e->length = length;
	e->irq = irq;
	e->pos = (struct cfg_pos){ 60 + rig_cfg.emu_count, 5 };
	return e;
}

static inline void rig_addr(struct cfg_u64 *a, uint64_t value)
{
	*a = (struct cfg_u64){ value, true, { 15, 18 } };
}

/* The passthrough list of upstream's aarch64 files. */
static inline void rig_upstream_list(void)
{
	rig_pass("intc@8000000", 0x8000000, 0x8000000, 0x50000);
	rig_pass("pl011@9000000", 0x9000000, 0x9000000, 0x1000);
	rig_pass("pl031@9010000", 0x9010000, 0x9010000, 0x1000);
	rig_pass("pl061@9030000", 0x9030000, 0x9030000, 0x1000);
	rig_pass("virtio_mmio", 0xa000000, 0xa000000, 0x4000);
}

/* Upstream's arceos-aarch64: 16 MiB, one vCPU, kernel.bin at 0x4008_0000. */
static inline void rig_config(void)
{
	memset(&rig_cfg, 0, sizeof(rig_cfg));
	snprintf(rig_cfg.file, sizeof(rig_cfg.file), "vm.toml");
	snprintf(rig_cfg.name, sizeof(rig_cfg.name), "guest");
	rig_cfg.id = 1;
	rig_cfg.cpu_num = 1;
	rig_cfg.cpu_num_pos.line = 3;
	rig_cfg.phys_cpu_sets_pos.line = 5;
	rig_cfg.name_pos.line = 2;
	rig_cfg.memory_pos.line = 20;
	for (uint32_t i = 0; i < MAX_VCPUS; i++) {
		rig_cfg.phys_cpu_ids[i] = i;
	}
	snprintf(rig_cfg.kernel.path, VM_PATH_MAX, "kernel.bin");
	rig_cfg.kernel.pos = (struct cfg_pos){ 12, 15 };
	rig_addr(&rig_cfg.kernel.load_addr, 0x40080000);
	rig_addr(&rig_cfg.entry_point, 0x40080000);
	rig_memory(0x40000000, 0x1000000, 7, VM_MAP_ALLOC);
}

static inline struct plan_request rig_request(const struct machine *m)
{
	return (struct plan_request){ .cfg = &rig_cfg,
				      .arch = VM_ARCH_AARCH64,
				      .machine = m,
				      .store = &rig_store.store,
				      .work = rig_work,
				      .work_size = sizeof(rig_work),
				      .sink = &rig_sink.sink };
}

/* Plans and checks what every planning owes. */
static inline int rig_do(const struct plan_request *req)
{
	int err;

	test_sink_init(&rig_sink);
	memset(&rig_plan, 0xa5, sizeof(rig_plan));
	err = vm_plan(req, &rig_plan);
	assert_int_equal(rig_plan.errors, rig_sink.sink.count[DIAG_ERROR]);
	assert_int_equal(err, rig_plan.errors == 0 ? 0 : -EINVAL);
	assert_int_equal(rig_store.opened, 0);
	return err;
}

static inline int rig_run(const struct machine *m)
{
	const struct plan_request req = rig_request(m);

	return rig_do(&req);
}

static inline const struct guest_dev *rig_dev(uint64_t base)
{
	for (uint32_t i = 0; i < rig_plan.board.dev_count; i++) {
		if (rig_plan.board.dev[i].base == base) {
			return &rig_plan.board.dev[i];
		}
	}
	return NULL;
}

static inline int rig_setup(void **state)
{
	(void)state;
	memset(&rig_store, 0, sizeof(rig_store));
	rig_store.store.ops = &rig_store_ops;
	rig_config();
	rig_qemu(&rig_machine, 2, GiB);
	return 0;
}

#endif
