/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of the one FAT volume that VM images come from (FAT12, FAT16, FAT32, long names
 * in UTF-8; FatFs underneath).  Read-only.
 *
 * The volume is an unpartitioned disk or the first FAT partition of one (MBR or GPT).
 * What is on it is not trusted: a volume larger than its disk, a file whose cluster
 * chain has another length than the file (a loop, a cut) are errors, never a hang.
 *
 * Not locked, and FatFs has static buffers: one thread at a time, the loader's.  Calls
 * wait for the disk and may take long; a read takes as long as it is large, so callers
 * read at most 1 MiB at once.
 *
 * Errors everywhere: -EIO: the disk failed.  -EINVAL: the volume is corrupt.
 * -ENODEV: nothing is mounted.  fs_why() tells more.
 */
#ifndef HV_FS_H
#define HV_FS_H

#include <ff.h>
#include <hv/types.h>

struct block;

struct fs_file {
	FIL fil;
	bool open;
};

/* -ENOENT: no FAT volume on that disk.  An earlier volume is forgotten. */
int __must_check fs_mount(struct block *disk);

/* Mounts the first of all disks (hv/block.h) that carries a FAT volume. */
int __must_check fs_mount_any(void);

void fs_unmount(void);

/* The disk whose volume is mounted, or NULL. */
struct block *fs_disk(void);

/* `path` from the root, "/" between folders.  -ENOENT: no such file; -EISDIR. */
int __must_check fs_open(const char *path, struct fs_file *file);
void fs_close(struct fs_file *file);

/* In bytes. */
uint64_t fs_size(const struct fs_file *file);

/* Exactly `len` bytes from `offset`; -ERANGE: past the end of the file. */
int __must_check fs_read(struct fs_file *file, uint64_t offset, void *buf, size_t len);

/*
 * Calls fn for each entry of a folder ("" or "/": the root) until it returns false; a
 * folder has no size.
 */
int __must_check fs_list(const char *path,
			 bool (*fn)(void *arg, const char *name, uint64_t size, bool folder),
			 void *arg);

/* Why the last call failed, in words; valid until the next one. */
const char *fs_why(void);

#endif
