// SPDX-License-Identifier: GPL-2.0-only
/* Faults of the CPU, and what a guest hears of them: svm/errata.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "svm/errata.h"

static void test_383(void **state)
{
	assert_true(erratum_383(0xb600000000010015));
	assert_true(erratum_383(0xf600000000010015));	/* and one more before */
	assert_false(erratum_383(0));
	assert_false(erratum_383(0xb600000000010014));
	assert_false(erratum_383(0xb200000000010015));
	assert_false(erratum_383(0x3600000000010015));
}

static void test_osvw(void **state)
{
	struct osvw g;

	/* Family 10h without a say: 298 may be there. */
	g = osvw_for_guest((struct osvw){ .status = 6 }, 0x10);
	assert_int_equal(g.length, 3);
	assert_int_equal(g.status, 1);
	g = osvw_for_guest((struct osvw){ }, 0x17);
	assert_int_equal(g.length, 3);
	assert_int_equal(g.status, 0);
	/* The host's word on 298; 400 and 415 are not the guest's affair. */
	g = osvw_for_guest((struct osvw){ .length = 4, .status = 0xf }, 0x10);
	assert_int_equal(g.length, 4);
	assert_int_equal(g.status, 9);
	g = osvw_for_guest((struct osvw){ .length = 2, .status = 2 }, 0x10);
	assert_int_equal(g.length, 3);
	assert_int_equal(g.status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_383),
		cmocka_unit_test(test_osvw),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
