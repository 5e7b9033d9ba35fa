// SPDX-License-Identifier: GPL-2.0-only
/* Divisions that must not fault: against 128-bit arithmetic, at the ends. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/div.h"

static const u64 values[] = {
	0, 1, 2, 3, 999999, 1000000, 1ULL << 31, U32_MAX, 1ULL << 32,
	50ULL * 86400 * 1000000000,	/* 50 days in ns */
	1ULL << 63, U64_MAX - 1, U64_MAX,
};

#define N ARRAY_SIZE(values)

static void test_two(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < N; i++) {
		u64 a = values[i];

		assert_true(div_by(a, 0) == U64_MAX);
		assert_true(div_up(a, 0) == U64_MAX);
		assert_true(div_mod(a, 0) == 0);
		for (j = 1; j < N; j++) {
			u64 b = values[j];

			assert_true(div_by(a, b) == a / b);
			assert_true(div_mod(a, b) == a % b);
			assert_true(div_up(a, b) ==
				    (u64)(((u128)a + b - 1) / b));
		}
	}
}

static void test_mul(void **state)
{
	unsigned int i, j, k;

	(void)state;
	for (i = 0; i < N; i++) {
		for (j = 0; j < N; j++) {
			u128 product = (u128)values[i] * values[j];

			assert_true(div_mul(values[i], values[j], 0) ==
				    U64_MAX);
			for (k = 1; k < N; k++) {
				u128 want = product / values[k];

				if (want >> 64)
					want = U64_MAX;
				assert_true(div_mul(values[i], values[j],
						    values[k]) == (u64)want);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_two),
		cmocka_unit_test(test_mul),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
