/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of images, device trees and plans share: a sink, builders, checks. */
#ifndef IMAGE_TEST_H
#define IMAGE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <hv/image.h>
#include <stdio.h>
#include <string.h>

/* Keeps the last finding of each severity, and all of them one a line. */
struct test_sink {
	struct diag_sink sink;
	char last[DIAG_ERROR + 1][DIAG_MESSAGE_MAX];
	struct cfg_pos pos[DIAG_ERROR + 1];
	char all[16384];
};

static inline void test_sink_emit(struct diag_sink *sink, const struct diag *d)
{
	struct test_sink *t = container_of(sink, struct test_sink, sink);
	size_t used = strlen(t->all);

	snprintf(t->last[d->severity], DIAG_MESSAGE_MAX, "%s", d->message);
	t->pos[d->severity] = d->pos;
	snprintf(t->all + used, sizeof(t->all) - used, "%s:%u:%u: %s: %s\n", d->file, d->pos.line,
		 d->pos.col, diag_severity_name(d->severity), d->message);
}

static inline void test_sink_init(struct test_sink *t)
{
	memset(t, 0, sizeof(*t));
	t->sink.emit = test_sink_emit;
}

static inline struct image_site test_site(struct test_sink *t)
{
	return (struct image_site){ .sink = &t->sink, .file = "vm.toml", .pos = { 7, 15 } };
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

static inline void put64(uint8_t *p, uint64_t v)
{
	put32(p, (uint32_t)v);
	put32(p + 4, (uint32_t)(v >> 32));
}

static inline void put_arm64_header(uint8_t *h, uint64_t text_offset, uint64_t image_size)
{
	memset(h, 0, 64);
	put32(h, 0x14000010);
	put64(h + 8, text_offset);
	put64(h + 0x10, image_size);
	put64(h + 0x18, 0xa);
	memcpy(h + 0x38, "ARM\x64", 4);
}

/* An ELF64 header; program headers follow at 64. */
static inline void put_elf(uint8_t *h, uint16_t type, uint16_t machine, uint64_t entry,
			   uint16_t phnum)
{
	memset(h, 0, 64);
	memcpy(h, "\177ELF\2\1\1", 7);
	put16(h + 16, type);
	put16(h + 18, machine);
	put32(h + 20, 1);
	put64(h + 24, entry);
	put64(h + 32, 64);
	put16(h + 52, 64);
	put16(h + 54, 56);
	put16(h + 56, phnum);
}

struct test_phdr {
	uint32_t type;
	uint64_t offset, vaddr, paddr, file_size, mem_size, align;
};

static inline void put_phdr(uint8_t *h, const struct test_phdr *p)
{
	memset(h, 0, 56);
	put32(h, p->type);
	put32(h + 4, 7);
	put64(h + 8, p->offset);
	put64(h + 16, p->vaddr);
	put64(h + 24, p->paddr);
	put64(h + 32, p->file_size);
	put64(h + 40, p->mem_size);
	put64(h + 48, p->align);
}

#define assert_said(sink_, severity_, text_)                                                 \
	do {                                                                                 \
		if (strstr((sink_)->last[severity_], (text_)) == NULL) {                     \
			fail_msg("wanted \"%s\" in: %s", (text_), (sink_)->last[severity_]); \
		}                                                                            \
	} while (0)

#endif
