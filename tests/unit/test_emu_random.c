// SPDX-License-Identifier: GPL-2.0-only
/*
 * Robustness: the fuzzer's function over random bytes, all modes, the same
 * ones each time. Half of the inputs begin with an escape or a prefix, so
 * that the larger maps get their share.
 */
#include "../fuzz/fuzz_emu.c"

#define ROUNDS 500000	/* 100000 for each mode */

static u64 random_next(u64 *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state * 0x2545f4914f6cdd1dULL;
}

static void test_random(void **state)
{
	static const u8 starts[] = { 0x0f, 0x66, 0xf3, 0xf0, 0x48, 0x0f, 0xf2, 0x67 };
	u64 seed = 20;
	u8 data[40];
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ROUNDS; i++) {
		for (k = 0; k < sizeof(data); k++)
			data[k] = random_next(&seed) >> 32;
		data[0] = (data[0] & 0xc0) | i % (MODE_LONG + 1);
		if (data[1] & 1)
			data[25] = starts[data[1] >> 1 & 7];
		LLVMFuzzerTestOneInput(data, sizeof(data));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
