// SPDX-License-Identifier: GPL-2.0-only
/* The record of an instruction's accesses to devices: core/record.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/record.h"

static const struct record_key read_a = {
	.addr = 0x1000, .kind = RECORD_READ, .size = 4, .count = 1,
};
static const struct record_key write_a = {
	.addr = 0x1000, .kind = RECORD_WRITE, .size = 4, .count = 1,
};

static void test_replay(void **state)
{
	struct record r = { 0 };
	struct record_entry *e;

	(void)state;
	assert_null(record_replay(&r, &read_a));
	e = record_begin(&r, &read_a);
	e->data[0] = 7;
	assert_null(record_replay(&r, &write_a));
	assert_non_null(record_begin(&r, &write_a));
	record_wait(&r);
	/* the VMM has done the write: from the beginning */
	e = record_answer(&r);
	assert_int_equal(e->key.kind, RECORD_WRITE);
	assert_true(r.answered);
	assert_null(record_answer(&r));
	e = record_replay(&r, &read_a);
	assert_int_equal(e->data[0], 7);
	assert_non_null(record_replay(&r, &write_a));
	assert_null(record_replay(&r, &write_a));
	record_reset(&r);
	assert_false(r.answered);
	assert_null(record_replay(&r, &read_a));
}

/* Any other access than the recorded one voids it, and what follows. */
static void test_other(void **state)
{
	struct record_key other[] = { read_a, read_a, read_a, read_a };
	unsigned int i;

	(void)state;
	other[0].addr++;
	other[1].size = 8;
	other[2].count = 2;
	other[3].kind = RECORD_IN;
	for (i = 0; i < ARRAY_SIZE(other); i++) {
		struct record r = { 0 };

		record_begin(&r, &write_a);
		record_begin(&r, &read_a);
		record_begin(&r, &write_a);
		assert_null(record_answer(&r));
		assert_non_null(record_replay(&r, &write_a));
		assert_null(record_replay(&r, &other[i]));
		assert_null(record_replay(&r, &read_a));
		assert_int_equal(r.used, 1);
	}
}

static void test_full(void **state)
{
	struct record r = { 0 };
	unsigned int i;

	(void)state;
	for (i = 0; i < RECORD_MAX; i++)
		assert_non_null(record_begin(&r, &read_a));
	assert_null(record_begin(&r, &read_a));
	assert_null(record_answer(&r));
	for (i = 0; i < RECORD_MAX; i++)
		assert_non_null(record_replay(&r, &read_a));
	assert_null(record_replay(&r, &read_a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
