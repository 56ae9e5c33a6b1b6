/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A VM's configuration: what a TOML file says, complete and validated.
 *
 * vm_config_parse() reads one file; vm_config_check_set() then judges the VMs that
 * are to run together.  What needs the machine or the sizes of the images (host
 * memory, host cores, which devices exist) is the planner's business, which quotes
 * the positions kept here.
 *
 * The structure holds no pointer and may be copied.  It is large (about 40 KiB):
 * never put one on a stack.  Addresses of devices and memory are below 2^48, ranges
 * do not wrap.
 */
#ifndef HV_VM_CONFIG_H
#define HV_VM_CONFIG_H

#include <hv/diag.h>
#include <hv/types.h>

/* Sizes of strings, with the terminating zero. */
#define VM_NAME_MAX    64
#define VM_PATH_MAX    256
#define VM_CMDLINE_MAX 2048
#define VM_DEVNAME_MAX 64
#define VM_FDTPATH_MAX 128

#define VM_MAX_MEMORY	 32
#define VM_MAX_EMU	 32
#define VM_MAX_EMU_CFG	 16
#define VM_MAX_PASS	 64
#define VM_MAX_PASS_ADDR 32
#define VM_MAX_PASS_NODE 32
#define VM_MAX_PASS_PORT 32
#define VM_MAX_EXCLUDED	 32

#define VM_ADDR_BITS 48
#define VM_ID_MAX    65535

enum vm_arch {
	VM_ARCH_ANY, /* not known: nothing is judged by architecture */
	VM_ARCH_AARCH64,
	VM_ARCH_RISCV64,
	VM_ARCH_X86_64,
};

enum vm_type {
	VM_TYPE_HOST = 0,
	VM_TYPE_RTOS = 1,
	VM_TYPE_LINUX = 2,
};

enum vm_image_location {
	VM_IMAGE_MEMORY, /* compiled in */
	VM_IMAGE_FS,	 /* a file in the root of the FAT volume */
};

/* memory_regions: flags */
#define VM_MEM_READ	BIT32(0)
#define VM_MEM_WRITE	BIT32(1)
#define VM_MEM_EXEC	BIT32(2)
#define VM_MEM_USER	BIT32(3)
#define VM_MEM_DEVICE	BIT32(4)
#define VM_MEM_UNCACHED BIT32(5)

enum vm_map_type {
	VM_MAP_ALLOC = 0,     /* pages from anywhere */
	VM_MAP_IDENTICAL = 1, /* guest-physical = host-physical */
	VM_MAP_RESERVED = 2,  /* a host /reserved-memory range, mapped 1:1 */
};

/* What an emu_devices type number means to us (the number itself is kept too). */
enum vm_emu_kind {
	VM_EMU_DUMMY, /* removes a device that the VM has by default */
	VM_EMU_INTC,  /* the interrupt controller: a GICv2, if nothing else says a GICv3 */
	VM_EMU_CONSOLE,
	VM_EMU_IVC, /* range in which inter-VM channels appear */
	VM_EMU_GICD,
	VM_EMU_GICR,
	VM_EMU_GITS,
	VM_EMU_IOAPIC,
	VM_EMU_PIT,
	VM_EMU_PLIC,
	VM_EMU_VIRTIO_BLK,
	VM_EMU_VIRTIO_NET,
	VM_EMU_VIRTIO_CONSOLE,
	VM_EMU_IOMMU,	/* seed's 6 */
	VM_EMU_ICC_SRE, /* seed's 7: GICv3 system register interface, no range needed */
	VM_EMU_SGIR,	/* seed's 8: likewise */
	VM_EMU_KINDS,
};

enum vm_interrupt_mode {
	VM_IRQ_EMU, /* default: a virtual interrupt controller */
	VM_IRQ_NONE,
	VM_IRQ_PASSTHROUGH,
};

struct cfg_u64 {
	uint64_t value;
	bool has; /* the file gives it */
	struct cfg_pos pos;
};

/* One image of the VM. */
struct vm_config_image {
	char path[VM_PATH_MAX]; /* "" = none */
	struct cfg_pos pos;	/* of the path */
	struct cfg_u64 load_addr;
};

struct vm_config_memory {
	uint64_t gpa;	/* page aligned */
	uint64_t size;	/* not 0, page aligned */
	uint32_t flags; /* VM_MEM_* */
	enum vm_map_type map_type;
	struct cfg_pos pos;
};

struct vm_config_emu {
	char name[VM_DEVNAME_MAX];
	bool port; /* base_gpa and length are I/O ports (x86) */
	uint64_t base_gpa;
	uint64_t length; /* 0 only for kinds that need no range */
	uint32_t irq;
	enum vm_emu_kind kind;
	uint32_t raw_type; /* as written */
	uint32_t cfg_count;
	uint64_t cfg[VM_MAX_EMU_CFG];
	struct cfg_pos pos;
};

struct vm_config_pass {
	char name[VM_DEVNAME_MAX];
	uint64_t base_gpa;
	uint64_t base_hpa; /* same offset within a page as base_gpa */
	uint64_t length;   /* not 0 */
	uint32_t irq;	   /* kept, meaningless (upstream's files say 1) */
	struct cfg_pos pos;
};

/* passthrough_addresses (gpa = hpa) and passthrough_ports: a range of its own. */
struct vm_config_range {
	uint64_t base;
	uint64_t length; /* not 0 */
	struct cfg_pos pos;
};

/* A device named by its path in the host's device tree, e.g. "/soc/serial@0". */
struct vm_config_node {
	char path[VM_FDTPATH_MAX];
	struct cfg_pos pos;
};

struct vm_config {
	char file[VM_PATH_MAX]; /* for diagnostics; a longer name keeps its end */
	uint32_t errors;	/* found so far in this VM: not 0 = must not be created */

	/* [base] */
	uint32_t id;
	bool has_id;
	char name[VM_NAME_MAX];
	struct cfg_pos id_pos;
	struct cfg_pos name_pos;
	enum vm_type vm_type;
	uint32_t cpu_num; /* 1..MAX_VCPUS */
	struct cfg_pos cpu_num_pos;
	bool has_phys_cpu_ids;
	bool has_phys_cpu_sets;
	uint64_t phys_cpu_ids[MAX_VCPUS];  /* hardware id per vCPU; default its index */
	uint64_t phys_cpu_sets[MAX_VCPUS]; /* cores allowed; 0 = any */
	struct cfg_pos phys_cpu_ids_pos;
	struct cfg_pos phys_cpu_sets_pos;

	/* [kernel] */
	struct cfg_u64 entry_point;
	bool has_image_location;
	enum vm_image_location image_location; /* of all images of the VM */
	struct cfg_pos image_location_pos;
	struct vm_config_image kernel; /* path always set */
	struct vm_config_image bios;
	struct vm_config_image dtb;
	struct vm_config_image ramdisk;
	char disk_path[VM_PATH_MAX];
	struct cfg_pos disk_path_pos;
	bool has_cmdline;
	char cmdline[VM_CMDLINE_MAX];
	struct cfg_pos cmdline_pos;
	uint32_t memory_count; /* at least 1 */
	struct vm_config_memory memory[VM_MAX_MEMORY];
	struct cfg_pos memory_pos;

	/* [devices] */
	uint32_t emu_count;
	struct vm_config_emu emu[VM_MAX_EMU];
	uint32_t pass_count;
	struct vm_config_pass pass[VM_MAX_PASS];
	uint32_t pass_addr_count;
	struct vm_config_range pass_addr[VM_MAX_PASS_ADDR];
	uint32_t pass_node_count;
	struct vm_config_node pass_node[VM_MAX_PASS_NODE];
	uint32_t pass_port_count;
	struct vm_config_range pass_port[VM_MAX_PASS_PORT]; /* x86: within 0..0xffff */
	uint32_t excluded_count;
	struct vm_config_node excluded[VM_MAX_EXCLUDED];
	bool has_interrupt_mode;
	enum vm_interrupt_mode interrupt_mode;
	struct cfg_pos interrupt_mode_pos;
};

/* Enough work space for files of the usual size; see vm_config_parse(). */
#define VM_CONFIG_WORK_SIZE (128 * KiB)

/*
 * Reads the configuration `text` (`len` bytes, need not end in zero) of the file
 * `file` for a machine of architecture `arch`.  `work` (aligned to 8 bytes) is
 * needed during the call only; a file that does not fit into it is an error that
 * says so.  Every problem goes to `sink`, and `out` is filled as far as the file can
 * be understood.
 *
 * 0: out is complete and valid (there may be warnings).  -EINVAL: out->errors
 * problems were found, the VM must not be created.
 */
int __must_check vm_config_parse(const char *file, const char *text, size_t len, enum vm_arch arch,
				 void *work, size_t work_size, struct vm_config *out,
				 struct diag_sink *sink);

/*
 * Judges `count` configurations that are to run together, in the order of
 * VM_CONFIGS; those with errors only keep their names and ids.  A duplicate id or
 * name of a later one is replaced by the next free one, with a warning; memory that
 * two VMs claim at the same host address is an error of the later one.
 * 0, or -EINVAL if an error was reported (cfg[i]->errors says which VMs must not run).
 */
int __must_check vm_config_check_set(struct vm_config *const cfg[], size_t count,
				     struct diag_sink *sink);

/* A finding about one VM: as diag_emit() with its file; counts errors in cfg->errors. */
void vm_config_diag(struct vm_config *cfg, struct diag_sink *sink, enum diag_severity severity,
		    struct cfg_pos pos, const char *fmt, ...) __printf(5, 6);

/* "aarch64", "riscv64", "x86_64" or "any"; and back, VM_ARCH_ANY for unknown names. */
const char *vm_arch_name(enum vm_arch arch);
enum vm_arch vm_arch_from_name(const char *name);

/*
 * The architecture that a parsed configuration speaks for: by the name of its file,
 * else by its devices, else by the names of its images; VM_ARCH_ANY if nothing tells.
 */
enum vm_arch vm_config_guess_arch(const struct vm_config *cfg);

/* Short name of an emulated device kind, e.g. "virtio-blk". */
const char *vm_emu_kind_name(enum vm_emu_kind kind);

#endif
