// SPDX-License-Identifier: GPL-2.0-only
/*
 * TSC ratios and the factor from ticks to nanoseconds, against exact
 * arithmetic in 128 bits.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/clock_math.h"

static const u32 khz[] = {
	1, 2, 999, 1000, 32768, 1000000, 999999, 1000001, 1193182, 1999999,
	2000000, 2399998, 3000000, 4999999, 0x7fffffff, 0xffffffff,
};

/* Each tick is worth 10^6 / khz ns; the factor may be off by 2^-31 of it. */
static void test_to_ns(void **state)
{
	unsigned int i, bits;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		struct tsc_to_ns conv;

		tsc_to_ns_init(&conv, khz[i]);
		assert_true(conv.mul >> 31);
		for (bits = 0; bits < 50; bits++) {
			u64 ticks = (1ULL << bits) | (bits * 0x9e3779b9ULL &
						      ((1ULL << bits) - 1));
			u128 exact = (u128)ticks * 1000000 / khz[i];
			u64 got = tsc_to_ns(&conv, ticks);
			u64 slack;

			/* What a positive shift pushes out is not asked for. */
			if (conv.shift > 0 && ticks >> (64 - conv.shift))
				continue;
			assert_true(got <= exact);
			slack = (u64)(exact >> 31) + 2;
			/* Low bits that a negative shift drops */
			if (conv.shift < 0)
				slack += ((1000000ULL << -conv.shift) +
					  khz[i] - 1) / khz[i];
			assert_true(got + slack >= exact);
		}
	}
}

static void test_to_ns_exact(void **state)
{
	struct tsc_to_ns conv;

	(void)state;
	/* 1 GHz and its halves come out exact. */
	tsc_to_ns_init(&conv, 1000000);
	assert_int_equal(tsc_to_ns(&conv, 123456789), 123456789);
	tsc_to_ns_init(&conv, 2000000);
	assert_int_equal(tsc_to_ns(&conv, 2000000000), 1000000000);
	tsc_to_ns_init(&conv, 500000);
	assert_int_equal(tsc_to_ns(&conv, 500000000), 1000000000);
	/* No frequency at all does not hang. */
	tsc_to_ns_init(&conv, 0);
	assert_int_equal(tsc_to_ns(&conv, 1), 1000000);
}

/* More ticks are never less time, across any boundary. */
static void test_monotonic(void **state)
{
	struct tsc_to_ns conv;
	unsigned int i;
	u64 t, last;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		tsc_to_ns_init(&conv, khz[i]);
		last = 0;
		for (t = 1; t < 1ULL << 40; t += t / 3 + 1) {
			assert_true(tsc_to_ns(&conv, t) >= last);
			last = tsc_to_ns(&conv, t);
		}
	}
}

static void test_ratio(void **state)
{
	static const unsigned int frac[] = { 32, 48 };
	unsigned int f, g, h;

	(void)state;
	for (f = 0; f < ARRAY_SIZE(frac); f++) {
		for (g = 0; g < ARRAY_SIZE(khz); g++) {
			for (h = 0; h < ARRAY_SIZE(khz); h++) {
				u128 exact = ((u128)khz[g] << frac[f]) / khz[h];
				u64 got = tsc_ratio(khz[g], khz[h], frac[f]);

				if (khz[g] / khz[h] >= 1U << 15)
					assert_true(got == 0);
				else
					assert_true(got == exact);
			}
		}
		assert_true(tsc_ratio(1000, 0, frac[f]) == 0);
		assert_true(tsc_scale(1ULL << 60, 1ULL << frac[f], frac[f]) ==
			    1ULL << 60);
		assert_true(tsc_scale(1000001, 3ULL << (frac[f] - 1),
				      frac[f]) == 1500001);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_ns),
		cmocka_unit_test(test_to_ns_exact),
		cmocka_unit_test(test_monotonic),
		cmocka_unit_test(test_ratio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
