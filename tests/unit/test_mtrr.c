// SPDX-License-Identifier: GPL-2.0-only
/* Memory types: a PC's usual map, overlaps, and uniform pages by trial. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/mtrr.h"

#define RESERVED (~0ULL << 40)
#define ADDR (~RESERVED & ~0xfffULL)

/* Firmware: 3 GiB write-back as the default, the hole below 4 GiB uncached */
static struct mtrr_regs pc(void)
{
	struct mtrr_regs regs = {
		.def = MTRR_DEF_E | MTRR_DEF_FE | MEMTYPE_WB,
		.var[0] = { .base = 0xc0000000 | MEMTYPE_UC,
			    .mask = (ADDR & ~0x3fffffffULL) | MTRR_MASK_VALID },
		.fix[0] = 0x0606060606060606ULL,
		.fix[1] = 0x0606060606060606ULL,
		.fix[3] = 0x0505050505050505ULL,
		.fix[10] = 0x0400000000000000ULL,
	};

	return regs;
}

static void test_map(void **state)
{
	struct mtrr_regs regs = pc();

	(void)state;
	assert_int_equal(mtrr_type(&regs, GPA(0)), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&regs, GPA(0x9ffff)), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&regs, GPA(0xa0000)), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&regs, GPA(0xc0000)), MEMTYPE_WP);
	assert_int_equal(mtrr_type(&regs, GPA(0xc7fff)), MEMTYPE_WP);
	assert_int_equal(mtrr_type(&regs, GPA(0xc8000)), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&regs, GPA(0xfffff)), MEMTYPE_WT);
	assert_int_equal(mtrr_type(&regs, GPA(0x100000)), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&regs, GPA(0xbfffffff)), MEMTYPE_WB);
	assert_int_equal(mtrr_type(&regs, GPA(0xc0000000)), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&regs, GPA(0xfee00000)), MEMTYPE_UC);
	assert_int_equal(mtrr_type(&regs, GPA(0x100000000)), MEMTYPE_WB);

	regs.def &= ~MTRR_DEF_FE;
	assert_int_equal(mtrr_type(&regs, GPA(0xa0000)), MEMTYPE_WB);
	regs.def &= ~MTRR_DEF_E;
	assert_int_equal(mtrr_type(&regs, GPA(0x100000)), MEMTYPE_UC);
}

static void test_overlap(void **state)
{
	static const u8 types[] = { 0, 1, 4, 5, 6 };
	unsigned int i, j;

	(void)state;
	for (i = 0; i < 5; i++) {
		for (j = 0; j < 5; j++) {
			u8 a = types[i], b = types[j], want = 0;
			struct mtrr_regs regs = {
				.def = MTRR_DEF_E | MEMTYPE_WC,
				.var[2] = { .base = a,
					    .mask = MTRR_MASK_VALID },
				.var[5] = { .base = 0x200000 | b,
					    .mask = (ADDR & ~0x1fffffULL) |
						    MTRR_MASK_VALID },
			};

			if (a == b)
				want = a;
			else if ((a == 4 && b == 6) || (a == 6 && b == 4))
				want = 4;
			assert_int_equal(mtrr_type(&regs, GPA(0x200000)), want);
			assert_int_equal(mtrr_type(&regs, GPA(0x400000)), a);
		}
	}
}

static void test_values(void **state)
{
	unsigned int type;

	(void)state;
	for (type = 0; type < 256; type++) {
		bool ok = type == 0 || type == 1 || type == 4 || type == 5 ||
			  type == 6;

		assert_int_equal(mtrr_value_valid(0x200, type, RESERVED), ok);
		assert_int_equal(mtrr_value_valid(0x2ff, type, RESERVED), ok);
		assert_int_equal(mtrr_value_valid(0x250, (u64)type << 56,
						  RESERVED), ok);
		assert_int_equal(mtrr_value_valid(0x268, (u64)type << 24 |
						  0x0605040100060006ULL,
						  RESERVED), ok);
	}
	assert_true(mtrr_value_valid(0x20e, ADDR | 6, RESERVED));
	assert_false(mtrr_value_valid(0x20e, BIT_ULL(40), RESERVED));
	assert_false(mtrr_value_valid(0x20e, 0x100, RESERVED));
	assert_true(mtrr_value_valid(0x20f, ADDR | 0x800, RESERVED));
	assert_false(mtrr_value_valid(0x20f, 0x400, RESERVED));
	assert_false(mtrr_value_valid(0x20f, BIT_ULL(40), RESERVED));
	assert_true(mtrr_value_valid(0x2ff, 0xc06, RESERVED));
	assert_false(mtrr_value_valid(0x2ff, 0x1006, RESERVED));
	assert_true(mtrr_value_valid(0x26f, 0, RESERVED));
}

/* Does some page of the range differ? Ranges are at least 64 KiB here. */
static bool differs(const struct mtrr_regs *regs, u64 gpa, u64 size)
{
	u64 at;

	for (at = 0; at < size; at += 0x10000)
		if (mtrr_type(regs, GPA(gpa + at)) !=
		    mtrr_type(regs, GPA(gpa)))
			return true;
	return false;
}

static void test_uniform(void **state)
{
	struct mtrr_regs regs = pc();
	u64 x = 88172645463325252ULL;
	int i, j, agreed = 0;

	(void)state;
	assert_false(mtrr_uniform(&regs, GPA(0), 0x200000));
	assert_true(mtrr_uniform(&regs, GPA(0xc7000), 0x1000));
	assert_true(mtrr_uniform(&regs, GPA(0x200000), 0x200000));
	assert_true(mtrr_uniform(&regs, GPA(0xc0000000), 0x40000000));
	assert_true(mtrr_uniform(&regs, GPA(0x80000000), 0x40000000));
	assert_false(mtrr_uniform(&regs, GPA(0), 0x100000000));

	for (i = 0; i < 2000; i++) {
		regs = (struct mtrr_regs){ .def = MTRR_DEF_E | MEMTYPE_WB };
		for (j = 0; j < 3; j++) {
			u64 size;

			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			size = 0x10000ULL << (x % 10);
			regs.var[j].base = (x >> 20 & 0x3ffffffULL) &
					   ~(size - 1);
			regs.var[j].mask = (ADDR & ~(size - 1)) |
					   MTRR_MASK_VALID;
		}
		for (j = 0; j < 32; j++) {
			u64 gpa = 0x200000ULL * j;
			bool mixed = differs(&regs, gpa, 0x200000);

			/* it may be cautious, never wrong */
			if (mtrr_uniform(&regs, GPA(gpa), 0x200000))
				assert_false(mixed);
			agreed += mixed !=
				  mtrr_uniform(&regs, GPA(gpa), 0x200000);
		}
	}
	assert_true(agreed > 2000 * 32 * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_uniform),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
