/* SPDX-License-Identifier: Apache-2.0 */
/* Failures of our own, on request; see selftest.h. */
#include <hv/bug.h>
#include <hv/hv_map.h>
#include <hv/log.h>
#include <hv/selftest.h>
#include <hv/types.h>

#include <string.h>

#define PREFIX "selftest="

static void test_panic(void)
{
	hv_panic("asked for by selftest=panic");
}

static void test_fault(void)
{
	/* Below the first stack: nothing is ever mapped there. */
	(void)*(volatile uint8_t *)(HV_STACK_WINDOW - PAGE_SIZE);
}

static void test_write(void)
{
	volatile uint8_t *code = (volatile uint8_t *)(uintptr_t)test_panic;

	*code = *code;
}

static uint64_t overflow(uint64_t depth);
/* Through a pointer that may change, so that no compiler makes a loop of it. */
static uint64_t (*volatile again)(uint64_t depth) = overflow;

static uint64_t overflow(uint64_t depth)
{
	volatile uint64_t frame[64];

	frame[0] = depth;
	return again(depth + 1) + frame[0];
}

static void test_stack(void)
{
	(void)overflow(0);
}

/* What follows the prefix in the command line, or NULL. */
static const char *find_word(const char *text)
{
	for (; *text != '\0'; text++) {
		if (strncmp(text, PREFIX, strlen(PREFIX)) == 0) {
			return text + strlen(PREFIX);
		}
	}
	return NULL;
}

void selftest_run(const char *bootargs)
{
	static const struct {
		const char *name;
		void (*fn)(void);
	} tests[] = {
		{ "panic", test_panic },
		{ "fault", test_fault },
		{ "write", test_write },
		{ "stack", test_stack },
	};
	const char *word = find_word(bootargs);

	if (word == NULL) {
		return;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(tests); i++) {
		if (strncmp(word, tests[i].name, strlen(tests[i].name)) == 0) {
			tests[i].fn();
			log_error("selftest=%s came back", tests[i].name);
			return;
		}
	}
	log_error("selftest=: panic, fault, write or stack");
}
