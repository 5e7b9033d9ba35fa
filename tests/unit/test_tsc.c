// SPDX-License-Identifier: GPL-2.0-only
/* Time-stamp counter arithmetic, against 128-bit division. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/tsc.h"

static const u32 frequencies[] = {
	1, 999, 1000, 32768, 999999, 1000000, 1000001, 1893000, 2000000,
	2399998, 2400000, 3700000, 5300000, 0xffffffff,
};

static void test_to_ns(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frequencies); i++) {
		u32 khz = frequencies[i];
		u64 hour = 3600ULL * 1000 * khz, ns, exact;
		struct tsc_to_ns conv;

		tsc_to_ns_init(&conv, khz);
		assert_in_range(conv.mul, 0x80000000U, 0xffffffffU);
		ns = tsc_to_ns(&conv, hour);
		exact = 3600ULL * 1000000000;
		/* to the 31 bits a multiplier has, and never ahead */
		assert_true(ns <= exact);
		assert_true(exact - ns <= (exact >> 30) + 8192);
		assert_int_equal(tsc_to_ns(&conv, 0), 0);
	}
}

static void test_one_ghz_is_exact(void **state)
{
	struct tsc_to_ns conv;

	(void)state;
	tsc_to_ns_init(&conv, 1000000);
	assert_int_equal(tsc_to_ns(&conv, 123456789), 123456789);
	tsc_to_ns_init(&conv, 2000000);
	assert_int_equal(tsc_to_ns(&conv, 2468), 1234);
}

/* More ticks are never less time, across any boundary. */
static void test_to_ns_is_monotonic(void **state)
{
	struct tsc_to_ns conv;
	unsigned int i;
	u64 t, last;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frequencies); i++) {
		tsc_to_ns_init(&conv, frequencies[i]);
		last = 0;
		for (t = 1; t < 1ULL << 40; t += t / 3 + 1) {
			assert_true(tsc_to_ns(&conv, t) >= last);
			last = tsc_to_ns(&conv, t);
		}
	}
	/* No frequency at all does not hang. */
	tsc_to_ns_init(&conv, 0);
	assert_int_equal(tsc_to_ns(&conv, 1), 1000000);
}

/* Exact, also when the counter has wrapped: 50 days at 2^32 - 1 kHz do that. */
static void test_from_ns(void **state)
{
	static const u64 times[] = {
		0, 1, 999999, 1000000, 86400ULL * 1000000000 + 12345,
		50ULL * 86400 * 1000000000, 1ULL << 63, U64_MAX,
	};
	unsigned int i, t;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(frequencies); i++)
		for (t = 0; t < ARRAY_SIZE(times); t++)
			assert_true(tsc_from_ns(frequencies[i], times[t]) ==
				    (u64)((u128)times[t] * frequencies[i] /
					  1000000));
	assert_int_equal(tsc_from_ns(0, 1000000), 0);
}

static void test_close(void **state)
{
	(void)state;
	assert_true(tsc_khz_close(2000000, 2000000, 0));
	assert_true(tsc_khz_close(2000500, 2000000, 250));
	assert_false(tsc_khz_close(2000501, 2000000, 250));
	assert_true(tsc_khz_close(1999500, 2000000, 250));
	assert_false(tsc_khz_close(1999499, 2000000, 250));
	assert_false(tsc_khz_close(1, 2000000, 250));
	assert_false(tsc_khz_close(0xffffffff, 2000000, 250));
	assert_true(tsc_khz_close(0xffffffff, 0xffffffff, 250));
}

static void test_ratio(void **state)
{
	static const unsigned int fracs[] = { 32, 48 };
	unsigned int i, j, f;

	(void)state;
	for (f = 0; f < 2; f++) {
		unsigned int frac = fracs[f];

		for (i = 0; i < ARRAY_SIZE(frequencies); i++) {
			for (j = 0; j < ARRAY_SIZE(frequencies); j++) {
				u32 khz = frequencies[i], host = frequencies[j];
				u128 want = ((u128)khz << frac) / host;

				if (want >> 64)
					want = U64_MAX;
				assert_int_equal(tsc_ratio(khz, host, frac),
						 (u64)want);
			}
		}
		assert_int_equal(tsc_ratio(5, 5, frac), 1ULL << frac);
		assert_int_equal(tsc_scale(12345, 1ULL << frac, frac), 12345);
		assert_int_equal(tsc_scale(U64_MAX, 1ULL << (frac - 1), frac),
				 U64_MAX >> 1);
	}
	assert_int_equal(tsc_ratio(1, 0, 32), U64_MAX);
	assert_int_equal(tsc_ratio(1, 1, 63), 1ULL << 63);
	assert_int_equal(tsc_ratio(2, 1, 63), U64_MAX);
	/* a million seconds at twice the frequency */
	assert_int_equal(tsc_scale(2000000000000000ULL,
				   tsc_ratio(4000000, 2000000, 48), 48),
			 4000000000000000ULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_ns),
		cmocka_unit_test(test_one_ghz_is_exact),
		cmocka_unit_test(test_to_ns_is_monotonic),
		cmocka_unit_test(test_from_ns),
		cmocka_unit_test(test_close),
		cmocka_unit_test(test_ratio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
