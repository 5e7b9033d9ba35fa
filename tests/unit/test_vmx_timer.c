// SPDX-License-Identifier: GPL-2.0-only
/*
 * The arithmetic of the VMX-preemption timer against a timer that is played
 * tick by tick.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "vmx/timer_math.h"
#include "x86/tsc.h"

/* The hardware: the TSC at which a timer loaded with @ticks at @now expires. */
static u64 expiry(u64 now, u64 ticks, unsigned int shift)
{
	while (ticks) {
		now++;
		if (!(now & ((1ULL << shift) - 1)))
			ticks--;
	}
	return now;
}

static void test_edges(void **state)
{
	unsigned int shift, from, length;

	(void)state;
	for (shift = 0; shift < 6; shift++) {
		for (from = 0; from < 70; from++) {
			for (length = 0; length < 200; length++) {
				u64 now = 1000000 + from, at = now + length;
				u64 ticks = timer_edges(now, at, shift);
				u64 end = expiry(now, ticks, shift);

				assert_true(end >= at);
				assert_true(end < at + (1ULL << shift));
			}
		}
	}
	assert_int_equal(timer_edges(100, 99, 5), 0);
	assert_int_equal(timer_edges(~0ULL, 1, 5), 0);
	assert_true(timer_edges(0, ~0ULL, 0) == ~0ULL);
	assert_int_equal(timer_edges(0, ~0ULL, 31), 1ULL << 33);
}

static void test_fits(void **state)
{
	u64 now = 123456789;

	(void)state;
	assert_true(timer_fits(now, now, 5));
	assert_true(timer_fits(now, now - 1, 5));
	assert_true(timer_fits(0, 0xffffffffULL << 5, 5));
	assert_false(timer_fits(0, (0xffffffffULL << 5) + 1, 5));
	assert_true(timer_fits(0, 0xffffffffULL, 0));
	assert_false(timer_fits(0, 0x100000000ULL, 0));
	assert_false(timer_fits(0, ~0ULL, 31));
}

static void test_same_rate(void **state)
{
	(void)state;
	assert_true(timer_host_ticks(12345, 0, 0) == 12345);
	assert_true(timer_host_ticks(~0ULL, 0, 0) == ~0ULL);
	assert_true(timer_host_ticks(12345, 1ULL << 48, 48) == 12345);
	assert_true(timer_host_ticks(~0ULL, 1ULL << 48, 48) == ~0ULL);
}

/* The least number of host ticks in which the guest's TSC gets that far. */
static void test_scaled(void **state)
{
	static const u32 khz[] = { 1, 1000, 999999, 2400000, 2400001, ~0U };
	unsigned int i, j, round;

	(void)state;
	srand(1);
	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		for (j = 0; j < ARRAY_SIZE(khz); j++) {
			u64 ratio = tsc_ratio(khz[i], khz[j], 48);

			if (ratio == U64_MAX)
				continue;
			for (round = 0; round < 200; round++) {
				u64 guest = (u64)rand() << (rand() % 20);
				u64 host = timer_host_ticks(guest, ratio, 48);

				if (host == U64_MAX)
					continue;
				assert_true(tsc_scale(host, ratio, 48) >=
					    guest);
				assert_true(!host ||
					    tsc_scale(host - 1, ratio, 48) <
					    guest);
			}
		}
	}
}

/* The guest names the deadline: no value may overflow the division. */
static void test_bounds(void **state)
{
	static const u64 ratios[] = { 0, 1, 2, 1ULL << 16, (1ULL << 48) - 1,
				      (1ULL << 48) + 1, 1ULL << 63, ~0ULL };
	static const u64 ticks[] = { 0, 1, 1ULL << 16, (1ULL << 48) - 1,
				     1ULL << 48, 1ULL << 63, ~0ULL - 1, ~0ULL };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(ratios); i++) {
		for (j = 0; j < ARRAY_SIZE(ticks); j++) {
			u64 host = timer_host_ticks(ticks[j], ratios[i], 48);

			/* In more than 64 bits: the guest's TSC may wrap. */
			if (host != U64_MAX)
				assert_true((unsigned __int128)host *
					    ratios[i] >> 48 >= ticks[j]);
		}
	}
	assert_true(timer_host_ticks(1ULL << 20, 1, 48) == U64_MAX);
	assert_true(timer_host_ticks(1, 0, 48) == U64_MAX);
	assert_true(timer_host_ticks(~0ULL, 1ULL << 49, 48) == 1ULL << 63);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_fits),
		cmocka_unit_test(test_same_rate),
		cmocka_unit_test(test_scaled),
		cmocka_unit_test(test_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
