// SPDX-License-Identifier: GPL-2.0-only
/*
 * The dirty log's engine: bits are reported once or stay, and runs of bits
 * cover them all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "mem/dirty.h"

static void lengths(void **state)
{
	assert_int_equal(dirty_longs(1), 1);
	assert_int_equal(dirty_longs(64), 1);
	assert_int_equal(dirty_longs(65), 2);
	assert_int_equal(dirty_longs(MEMSLOT_MAX_PAGES), 1 << 25);
}

static void take_and_give_back(void **state)
{
	unsigned long bits[4] = { 1, 0, 1UL << 63 | 2, 4 }, out[4] = {};
	struct memslot slot = { .npages = 256, .dirty = bits };

	assert_true(dirty_take(&slot, 1, 2, out));
	assert_int_equal(out[0], 0);
	assert_int_equal(out[1], 1UL << 63 | 2);
	assert_int_equal(bits[0], 1);
	assert_int_equal(bits[2], 0);
	assert_int_equal(bits[3], 4);
	assert_false(dirty_take(&slot, 1, 2, &out[2]));

	/* What was noted already stays. */
	out[3] = 8;
	assert_true(dirty_take(&slot, 2, 2, &out[2]));
	assert_int_equal(out[3], 8 | 4);
	bits[3] = 4;

	/* A write meanwhile is kept. */
	memslot_mark_dirty(&slot, GFN(130));
	dirty_give_back(&slot, 1, 2, out);
	assert_int_equal(bits[1], 0);
	assert_int_equal(bits[2], 1UL << 63 | 2 | 4);
}

static void runs(void **state)
{
	unsigned long mask[3];
	bool bit[190];

	srand(2);
	for (int round = 0; round < 2000; round++) {
		u64 bits = 1 + rand() % 190, at = 0, n, covered = 0, want = 0;
		u64 last_end = 0;
		int density = 1 + rand() % 8;

		memset(mask, 0, sizeof(mask));
		for (u64 i = 0; i < bits; i++) {
			bit[i] = rand() % 8 < density;
			want += bit[i];
			if (bit[i])
				__set_bit(i, mask);
		}
		/* Bits beyond the end are not looked at. */
		for (u64 i = bits; i < 192; i++)
			__set_bit(i, mask);
		for (; (n = dirty_next_run(mask, bits, &at)); at += n) {
			assert_true(at == 0 || at > last_end || !last_end);
			for (u64 i = 0; i < n; i++)
				assert_true(bit[at + i]);
			assert_true(at + n <= bits);
			covered += n;
			last_end = at + n;
		}
		assert_int_equal(covered, want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths),
		cmocka_unit_test(take_and_give_back),
		cmocka_unit_test(runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
