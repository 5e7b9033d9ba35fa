// SPDX-License-Identifier: GPL-2.0-only
/*
 * Invalidations of host addresses: what a fault that looked something up before
 * or amid them is told, by cases and against a list that forgets nothing.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "mmu/inval.h"

static struct inval inval;

static int setup(void **state)
{
	inval_init(&inval);
	return 0;
}

static void amid(void **state)
{
	unsigned long seq = inval_seq(&inval);

	assert_false(inval_changed(&inval, seq, 0, U64_MAX));
	inval_begin(&inval, 0x2000, 0x4000);
	assert_true(inval_is_active(&inval, 0x3000, 0x4000));
	assert_true(inval_is_active(&inval, 0x3fff, 0x9000));
	assert_false(inval_is_active(&inval, 0x1000, 0x2000));
	assert_false(inval_is_active(&inval, 0x4000, 0x5000));
	assert_true(inval_changed(&inval, seq, 0x2000, 0x3000));
	assert_false(inval_changed(&inval, seq, 0x4000, 0x5000));
	inval_end(&inval, 0x2000, 0x4000);
	assert_false(inval_is_active(&inval, 0, U64_MAX));
}

static void afterwards(void **state)
{
	unsigned long before = inval_seq(&inval), between, after;

	inval_begin(&inval, 0x2000, 0x4000);
	between = inval_seq(&inval);
	inval_end(&inval, 0x2000, 0x4000);
	after = inval_seq(&inval);
	assert_true(inval_changed(&inval, before, 0x2000, 0x3000));
	assert_true(inval_changed(&inval, between, 0x3000, 0x4000));
	assert_false(inval_changed(&inval, after, 0x3000, 0x4000));
	/* Another thread's memory is another matter. */
	assert_false(inval_changed(&inval, before, 0x4000, 0x5000));
	assert_false(inval_changed(&inval, before, 0x1000, 0x2000));
}

/* What is between two of them is nobody's. */
static void two_at_once(void **state)
{
	inval_begin(&inval, 0x1000, 0x2000);
	inval_begin(&inval, 0x8000, 0x9000);
	assert_false(inval_is_active(&inval, 0x2000, 0x8000));
	inval_end(&inval, 0x1000, 0x2000);
	assert_false(inval_is_active(&inval, 0x1000, 0x2000));
	assert_true(inval_is_active(&inval, 0x8000, 0x9000));
	inval_end(&inval, 0x8000, 0x9000);
}

static void more_than_are_known(void **state)
{
	const u64 n = 3 * INVAL_RANGES;
	unsigned long seq = inval_seq(&inval);

	for (u64 i = 0; i < n; i++)
		inval_begin(&inval, i * 0x2000, i * 0x2000 + 0x1000);
	for (u64 i = 0; i < n; i++)
		assert_true(inval_is_active(&inval, i * 0x2000,
					    i * 0x2000 + 1));
	assert_false(inval_is_active(&inval, n * 0x2000, U64_MAX));
	for (u64 i = n; i-- > 0;) {
		inval_end(&inval, i * 0x2000, i * 0x2000 + 0x1000);
		assert_true(inval_changed(&inval, seq, i * 0x2000,
					  i * 0x2000 + 1));
	}
	assert_int_equal(inval.active, 0);
	assert_int_equal(inval.others, 0);
	assert_false(inval_is_active(&inval, 0, U64_MAX));
	/* One who looked before all that is told to look again. */
	assert_true(inval_changed(&inval, seq, n * 0x2000, n * 0x2000 + 1));

	/* The newest are known again. */
	seq = inval_seq(&inval);
	for (u64 i = 0; i < INVAL_RANGES; i++) {
		inval_begin(&inval, 0, 0x1000);
		inval_end(&inval, 0, 0x1000);
	}
	assert_false(inval_changed(&inval, seq, 0x1000, 0x2000));
	inval_begin(&inval, 0, 0x1000);
	inval_end(&inval, 0, 0x1000);
	assert_true(inval_changed(&inval, seq, 0x1000, 0x2000));
}

static void numbers_wrap(void **state)
{
	unsigned long seq;

	inval.seq = inval.forgotten = -3UL;
	for (int i = 0; i < 6; i++) {
		seq = inval_seq(&inval);
		inval_begin(&inval, 0x1000, 0x2000);
		inval_end(&inval, 0x1000, 0x2000);
		assert_true(inval_changed(&inval, seq, 0x1000, 0x2000));
		assert_false(inval_changed(&inval, seq, 0x2000, 0x3000));
		assert_false(inval_changed(&inval, inval_seq(&inval), 0x1000,
					   0x2000));
	}
}

static void nothing_in_it(void **state)
{
	inval_begin(&inval, 0x1000, 0x1000);
	inval_end(&inval, 0x1000, 0x1000);
	assert_int_equal(inval.active, 0);
	assert_int_equal(inval.others, 0);
}

/* One that did not begin ends nothing. */
static void end_of_another(void **state)
{
	inval_begin(&inval, 0x1000, 0x3000);
	inval_end(&inval, 0x1000, 0x2000);
	assert_true(inval_is_active(&inval, 0x1000, 0x2000));
	assert_int_equal(inval.others, 0);
	inval_end(&inval, 0x1000, 0x3000);
	assert_false(inval_is_active(&inval, 0, U64_MAX));
	assert_int_equal(inval.active, 0);
}

/* ---- a list that forgets nothing ------------------------------------------ */

enum { ALL = 4000, PAGES = 64 };

static struct {
	u64 start, end;
	unsigned long over;	/* 0: goes on */
} all[ALL];

static void check_question(unsigned int n, unsigned long seq)
{
	u64 start = rand() % PAGES, end = start + 1 + rand() % 4;
	bool active = false, changed = false;

	for (unsigned int i = 0; i < n; i++)
		if (all[i].start < end && all[i].end > start) {
			active |= !all[i].over;
			changed |= !all[i].over || all[i].over > seq;
		}
	if (active)
		assert_true(inval_is_active(&inval, start, end));
	if (changed)
		assert_true(inval_changed(&inval, seq, start, end));
	/* What is known it does not say of others. */
	if (!active && !inval.others)
		assert_false(inval_is_active(&inval, start, end));
	if (!changed && !inval.others && seq + INVAL_RANGES / 4 > inval.seq &&
	    inval.forgotten <= seq)
		assert_false(inval_changed(&inval, seq, start, end));
}

static void random_histories(void **state)
{
	srand(1);
	for (int run = 0; run < 20; run++) {
		unsigned int n = 0, many = run % 2 ? 4 : 40;

		inval_init(&inval);
		while (n < ALL) {
			unsigned int i = rand() % (n + 1);

			if (inval.active < many && rand() % 2) {
				all[n].start = rand() % PAGES;
				all[n].end = all[n].start + 1 + rand() % 8;
				all[n].over = 0;
				inval_begin(&inval, all[n].start, all[n].end);
				n++;
			} else {
				for (; i < n && all[i].over; i++)
					;
			}
			if (i < n && !all[i].over) {
				inval_end(&inval, all[i].start, all[i].end);
				all[i].over = inval_seq(&inval);
			}
			check_question(n, inval_seq(&inval) -
				       min(rand() % 40UL, inval.seq - 1));
		}
	}
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(amid), T(afterwards), T(two_at_once), T(more_than_are_known),
		T(numbers_wrap), T(nothing_in_it), T(end_of_another),
		T(random_histories),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
