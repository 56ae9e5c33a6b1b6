/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is put into a guest's memory: where images come from, what they are, where
 * they belong, and how they get there.
 *
 *	image_store_ops.open()	a name → struct image_source
 *	image_probe()		what kind of image it is, which memory it needs
 *	image_place_*()		where it goes (core of the planner)
 *	image_load_*()		the copy, in steps of at most 1 MiB
 *
 * Nothing an image holds is believed before it is checked.  Each function that
 * takes a `struct image_site` reports its own failures there, in words, and returns
 * a negative errno; the caller adds nothing.  Not locked: a source and a loader
 * belong to one thread at a time.
 */
#ifndef HV_IMAGE_H
#define HV_IMAGE_H

#include <hv/diag.h>
#include <hv/types.h>
#include <hv/vm_config.h>

struct stage2;

/* The setting that names the image: where findings about it are reported. */
struct image_site {
	struct diag_sink *sink;
	const char *file;
	struct cfg_pos pos;
};

void image_diag(const struct image_site *site, enum diag_severity severity, const char *fmt, ...)
	__printf(3, 4);

/* ---- Sources ------------------------------------------------------------------ */

struct image_source;

struct image_source_ops {
	/* Reads exactly len bytes, [offset, offset+len) lies inside the image.
	 * Negative errno; a short read is -EIO. */
	int (*read)(struct image_source *src, uint64_t offset, void *buf, size_t len);
	void (*close)(struct image_source *src);
};

/* An open image.  Embedded in what its store keeps for an open file. */
struct image_source {
	const struct image_source_ops *ops;
	const char *name; /* for messages; lives as long as the source */
	uint64_t size;	  /* bytes */
};

struct image_store;

struct image_store_ops {
	/*
	 * Opens the file `path` of the `index`-th configuration of this boot, from
	 * where the configuration says (compiled in, or the FAT volume).  -ENOENT: not
	 * there; -ENODEV: no such volume; -EIO; -ENFILE: too many open.  Does not
	 * report; image_open() does.
	 */
	int (*open)(struct image_store *store, uint32_t index, enum vm_image_location location,
		    const char *path, struct image_source **out);
	/* Where open() looks, for the message, e.g. "the FAT32 disk's root". */
	const char *(*where)(struct image_store *store, enum vm_image_location location);
};

struct image_store {
	const struct image_store_ops *ops;
};

/* Opens, or says at `site` why not. */
int __must_check image_open(struct image_store *store, uint32_t index,
			    enum vm_image_location location, const char *path,
			    const struct image_site *site, struct image_source **out);
/* Reads [offset, offset+len), checked against the size; says at `site` why not. */
int __must_check image_read(struct image_source *src, uint64_t offset, void *buf, size_t len,
			    const struct image_site *site);
/* NULL is fine. */
void image_close(struct image_source *src);

/* A source over bytes in memory, which must outlive it; close() does nothing. */
struct image_bytes {
	struct image_source src;
	const uint8_t *data;
};
void image_bytes_init(struct image_bytes *b, const char *name, const void *data, uint64_t size);

/* ---- Formats ------------------------------------------------------------------ */

enum image_format {
	IMAGE_RAW,	   /* no header that we know: loaded as it is */
	IMAGE_LINUX_ARM64, /* Linux Documentation/arch/arm64/booting.rst */
	IMAGE_LINUX_RISCV, /* Linux Documentation/arch/riscv/boot-image-header.rst */
	IMAGE_ELF64,
	IMAGE_ELF32,
};

#define IMAGE_MAX_SEGMENTS 16
#define IMAGE_MAX_SPAN	   (UINT64_C(1) << VM_ADDR_BITS)

struct image_segment {
	uint64_t offset; /* in the file */
	uint64_t file_size;
	uint64_t mem_size; /* at least file_size; the rest is zero */
	uint64_t addr;	   /* from the image's base */
};

struct image_info {
	enum image_format format;
	enum vm_arch arch; /* VM_ARCH_ANY: the format does not say */
	uint64_t file_size;
	uint64_t span;	      /* bytes of memory from the base on, BSS included */
	uint64_t entry;	      /* from the base */
	bool fixed;	      /* linked for `base` (ELF, not PIE) */
	uint64_t base;	      /* fixed: the base's guest-physical address */
	bool floating;	      /* the header lets the loader choose the base */
	uint64_t align;	      /* (base - text_offset) should be a multiple; 1 = any */
	uint64_t text_offset; /* Linux: of the base from a multiple of align */
	bool wants_dtb;	      /* a Linux Image: useless without a device tree */
	uint32_t segment_count;
	struct image_segment segment[IMAGE_MAX_SEGMENTS]; /* by address, disjoint */
};

/*
 * Finds out what an image is and validates all of its header.  `arch` is the
 * guest's.  -ENODATA: empty; -ENOEXEC: damaged or of a kind we cannot start (gzip,
 * bzImage, ...); -EXDEV: for another architecture; or what reading returned.
 */
int __must_check image_probe(struct image_source *src, enum vm_arch arch,
			     const struct image_site *site, struct image_info *out);

/* A file that is data whatever it looks like (ramdisk): one segment, IMAGE_RAW. */
int __must_check image_probe_data(struct image_source *src, const struct image_site *site,
				  struct image_info *out);

/* "raw", "Linux Image (arm64)", ... */
const char *image_format_name(enum image_format format);

/* ---- Placement ---------------------------------------------------------------- */

/* A piece of guest-physical memory; never wraps. */
struct image_range {
	uint64_t base;
	uint64_t size;
	const char *what; /* for messages: "the kernel", "RAM region", ... */
};

/*
 * Judges [base, base+size), wanted for `what`: it has to lie in one of the RAM
 * ranges and clear of every used one.  -ENOSPC (names the range and how many bytes
 * are missing), -EFAULT (in no RAM), -EEXIST (names the other).
 */
int __must_check image_place_at(const struct image_range *ram, size_t ram_count,
				const struct image_range *used, size_t used_count, const char *what,
				uint64_t base, uint64_t size, const struct image_site *site);

/*
 * Where a kernel goes: `load` (the configuration's, NULL = none given) wins over the
 * header, with a warning when it is misaligned; without it, the header's place, as
 * low as there is room in RAM.  -EINVAL: neither says.  Checks like image_place_at().
 */
int __must_check image_place_kernel(const struct image_info *info, const uint64_t *load,
				    const struct image_range *ram, size_t ram_count,
				    const struct image_range *used, size_t used_count,
				    const struct image_site *site, uint64_t *base);

enum image_end {
	IMAGE_LOW,  /* as near as possible to the start of RAM */
	IMAGE_HIGH, /* to the end */
};

/*
 * Finds free room of `size` bytes, aligned to `align` (a power of two), in the first
 * RAM range that has some, in its first `window` bytes.  -ENOSPC, said at `site`.
 */
int __must_check image_place_free(const struct image_range *ram, size_t ram_count,
				  const struct image_range *used, size_t used_count,
				  const char *what, uint64_t size, uint64_t align, uint64_t window,
				  enum image_end end, const struct image_site *site,
				  uint64_t *base);

/* ---- Loading ------------------------------------------------------------------ */

#define IMAGE_STEP MiB

/* The state of one load.  Nothing in it needs to be released. */
struct image_loader {
	struct image_source *src;
	struct image_info info; /* a copy: the file may be probed again meanwhile */
	struct stage2 *s2;
	struct image_site site;
	uint64_t base;
	uint32_t segment; /* that is being loaded */
	uint64_t done;	  /* bytes of its mem_size */
};

/* `src` is open, `info` its, and the base placed; stays open until the end. */
void image_load_start(struct image_loader *l, struct image_source *src,
		      const struct image_info *info, struct stage2 *s2, uint64_t base,
		      const struct image_site *site);

/*
 * Copies (or zeroes) at most IMAGE_STEP bytes, straight into the guest's frames, and
 * does the cache maintenance for them.  Every chunk's address is translated anew.
 * 1: more to do; 0: complete; negative errno: failed, said at the site.
 */
int __must_check image_load_step(struct image_loader *l);

/* Puts bytes (a device tree, boot tables) into guest memory; at most IMAGE_STEP. */
int __must_check image_load_bytes(struct stage2 *s2, uint64_t gpa_base, const void *data,
				  size_t len, const struct image_site *site);

#endif
