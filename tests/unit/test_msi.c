// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSI decoding, with 8 and with 32 bits of destination.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "irq/msi.h"

static struct apic_msg decode(u32 lo, u32 hi, u32 data, bool ids32)
{
	struct msi msi = { .address_lo = lo, .address_hi = hi, .data = data };

	return msi_decode(&msi, ids32);
}

static void fields(void **state)
{
	struct apic_msg m = decode(0xfee12000, 0, 0x0041, false);

	assert_int_equal(m.dest, 0x12);
	assert_int_equal(m.vector, 0x41);
	assert_int_equal(m.delivery, DELIVER_FIXED);
	assert_false(m.logical);
	assert_false(m.redir_hint);
	assert_false(m.level);
	assert_true(m.assert);
	assert_int_equal(m.shorthand, 0);

	m = decode(0xfeeff00c, 0, 0x1ff, false);
	assert_int_equal(m.dest, 0xff);
	assert_int_equal(m.vector, 0xff);
	assert_int_equal(m.delivery, DELIVER_LOWEST);
	assert_true(m.logical);
	assert_true(m.redir_hint);
}

static void trigger_mode(void **state)
{
	struct apic_msg m = decode(0xfee00000, 0, 0xc030, false);

	assert_true(m.level);
	assert_true(m.assert);
	m = decode(0xfee00000, 0, 0x8030, false);
	assert_true(m.level);
	assert_false(m.assert);
	m = decode(0xfee00000, 0, 0x4030, false);
	assert_false(m.level);
	assert_true(m.assert);
}

static void wide_destinations(void **state)
{
	assert_int_equal(decode(0xfee34000, 0x00001200, 0, true).dest, 0x1234);
	assert_int_equal(decode(0xfee34000, 0xffffff00, 0, true).dest,
			 0xffffff34);
	assert_int_equal(decode(0xfee34000, 0x00001200, 0, false).dest, 0x34);
}

static void validity(void **state)
{
	struct msi msi = { .address_hi = 0x101 };

	assert_true(msi_valid(&msi, false));
	assert_false(msi_valid(&msi, true));
	msi.address_hi = 0x100;
	assert_true(msi_valid(&msi, true));
	/* a route that was never filled in */
	msi = (struct msi){};
	assert_true(msi_valid(&msi, true));
	assert_int_equal(msi_decode(&msi, true).vector, 0);
}

static void each_bit_on_its_own(void **state)
{
	struct apic_msg zero = decode(0, 0, 0, true), m;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		m = decode(BIT(i), 0, 0, true);
		assert_int_equal(m.dest, i >= 12 && i < 20 ? BIT(i - 12) : 0);
		assert_int_equal(m.logical, i == 2);
		assert_int_equal(m.redir_hint, i == 3);
		m = decode(0, 0, BIT(i), true);
		assert_int_equal(m.vector, i < 8 ? BIT(i) : 0);
		assert_int_equal(m.delivery, i >= 8 && i < 11 ? BIT(i - 8) : 0);
		assert_int_equal(m.level, i == 15);
		assert_int_equal(m.dest, zero.dest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(trigger_mode),
		cmocka_unit_test(wide_destinations),
		cmocka_unit_test(validity),
		cmocka_unit_test(each_bit_on_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
