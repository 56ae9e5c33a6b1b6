/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decodes A64 instruction words (hexadecimal, one a line, on the standard input) by
 * arch/aarch64/insn_decode.c and prints what came out, for tests/insn/test_insn.py.
 */
#include <stdio.h>

#include "arch/aarch64/insn.h"

static char register_letter(const struct insn *i)
{
	static const char simd[] = { [1] = 'b', [2] = 'h', [4] = 's', [8] = 'd', [16] = 'q' };

	if (i->simd) {
		return simd[i->size];
	}
	return i->size == 8 || (i->sign && i->wide) ? 'x' : 'w';
}

int main(void)
{
	unsigned int word;

	while (scanf("%x", &word) == 1) {
		struct insn i;

		if (!insn_decode(word, &i)) {
			printf("-\n");
			continue;
		}
		printf("%s size=%u sign=%d regs=%c%u", i.load ? "load" : "store", i.size, i.sign,
		       register_letter(&i), i.rt);
		if (i.count == 2) {
			printf(",%u", i.rt2);
		}
		printf(" base=%u", i.rn);
		if (i.by_register) {
			printf(" by-register\n");
		} else {
			printf(" offset=%d%s%s\n", i.offset, i.post_index ? " post" : "",
			       i.write_back && !i.post_index ? " pre" : "");
		}
	}
	return 0;
}
