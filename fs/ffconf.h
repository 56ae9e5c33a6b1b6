/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FatFs as we use it: one read-only FAT volume, 512-byte sectors, long names in
 * UTF-8.  The meaning of each option is in FatFs' own documentation.
 */
#define FFCONF_DEF 80386 /* R0.16: must match ff.h */

/* Read only: no write, no time stamps. */
#define FF_FS_READONLY	1
#define FF_FS_MINIMIZE	0
#define FF_USE_FIND	0
#define FF_USE_MKFS	0
#define FF_USE_FASTSEEK 0
#define FF_USE_EXPAND	0
#define FF_USE_CHMOD	0
#define FF_USE_LABEL	0
#define FF_USE_FORWARD	0
#define FF_USE_STRFUNC	0
#define FF_PRINT_LLI	0
#define FF_PRINT_FLOAT	0
#define FF_STRF_ENCODE	0

/*
 * Long names, UTF-8 in the interface.  The working buffer is static, so one caller
 * at a time: fs/ holds a lock.  Code page 437 for volumes with short names only.
 */
#define FF_CODE_PAGE   437
#define FF_USE_LFN     1
#define FF_MAX_LFN     255
#define FF_LFN_UNICODE 2
#define FF_LFN_BUF     255
#define FF_SFN_BUF     12
#define FF_FS_RPATH    0
#define FF_PATH_DEPTH  10

/* One volume: an unpartitioned disk, or the first FAT partition of one. */
#define FF_VOLUMES	   1
#define FF_STR_VOLUME_ID   0
#define FF_MULTI_PARTITION 0
#define FF_MIN_SS	   512
#define FF_MAX_SS	   512
#define FF_LBA64	   0
#define FF_MIN_GPT	   0x10000000
#define FF_USE_TRIM	   0

#define FF_FS_TINY	0
#define FF_FS_EXFAT	0
#define FF_FS_NORTC	1
#define FF_NORTC_MON	1
#define FF_NORTC_MDAY	1
#define FF_NORTC_YEAR	2025
#define FF_FS_CRTIME	0
#define FF_FS_NOFSINFO	0
#define FF_FS_LOCK	0
#define FF_FS_REENTRANT 0
#define FF_FS_TIMEOUT	1000
