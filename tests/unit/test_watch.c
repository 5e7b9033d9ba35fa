// SPDX-License-Identifier: GPL-2.0-only
/* Breakpoints on data and ports: x86/watch.c. SDM vol. 3, 18.2.5, table 18-1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/watch.h"

#define LEN1 0
#define LEN2 1
#define LEN8 2
#define LEN4 3
#define WRITES 1
#define PORTS 2
#define DATA 3

/* DR7 of breakpoint @n */
#define BP(n, len, rw) ((u64)((len) << 2 | (rw)) << (16 + 4 * (n)))
#define LOCAL(n) (1ULL << 2 * (n))
#define GLOBAL(n) (2ULL << 2 * (n))

/* The manual's example, and what is around it */
static void test_manual(void **state)
{
	static const struct {
		u64 addr;
		u8 size;
		u8 reads, writes;
	} rows[] = {
		/* trapped by table 18-1 */
		{ 0xa0001, 1, BIT(0), BIT(0) },
		{ 0xa0001, 2, BIT(0), BIT(0) },
		{ 0xa0002, 1, 0, 0 },
		{ 0xb0002, 2, BIT(2), BIT(2) },
		{ 0xb0001, 4, BIT(2), BIT(2) },
		{ 0xb0000, 1, 0, 0 },
		{ 0xb0004, 1, 0, 0 },
		{ 0xc0000, 4, 0, BIT(3) },
		{ 0xc0001, 2, 0, BIT(3) },
		{ 0xc0003, 1, 0, BIT(3) },
		{ 0xbffff, 1, 0, 0 },
		{ 0xbffff, 2, 0, BIT(3) },
		{ 0xc0004, 4, 0, 0 },
	};
	struct regs r = {
		.dr = { 0xa0001, 0, 0xb0002, 0xc0001 },	/* masked to c0000 */
		.dr7 = BP(0, LEN1, DATA) | BP(2, LEN2, DATA) |
		       BP(3, LEN4, WRITES) | LOCAL(0) | GLOBAL(2) | LOCAL(3),
	};
	unsigned int i;

	(void)state;
	assert_true(watch_armed(&r));
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(watch_hits(&r, WATCH_READ, rows[i].addr,
					    rows[i].size), rows[i].reads);
		assert_int_equal(watch_hits(&r, WATCH_WRITE, rows[i].addr,
					    rows[i].size), rows[i].writes);
		assert_int_equal(watch_hits(&r, WATCH_PORT, rows[i].addr,
					    rows[i].size), 0);
	}
	r.dr7 &= ~0xffULL;
	assert_false(watch_armed(&r));
	assert_int_equal(watch_hits(&r, WATCH_WRITE, 0xc0000, 4), 0);
}

static void test_kinds(void **state)
{
	struct regs r = {
		.dr = { 0x80, 0x80, 0x80, ~7ULL },
		.dr7 = BP(0, LEN1, PORTS) | BP(1, LEN1, 0) |
		       BP(2, LEN4, PORTS) | BP(3, LEN8, DATA) | 0xff,
	};

	(void)state;
	/* without CR4.DE there are none on ports */
	assert_int_equal(watch_hits(&r, WATCH_PORT, 0x80, 1), 0);
	r.cr4 = CR4_DE;
	assert_int_equal(watch_hits(&r, WATCH_PORT, 0x80, 1), BIT(0) | BIT(2));
	assert_int_equal(watch_hits(&r, WATCH_PORT, 0x82, 2), BIT(2));
	assert_int_equal(watch_hits(&r, WATCH_PORT, 0x7f, 1), 0);
	/* one on an instruction is none on data */
	assert_int_equal(watch_hits(&r, WATCH_READ, 0x80, 1), 0);
	/* eight bytes, at the end of the address space */
	assert_int_equal(watch_hits(&r, WATCH_READ, ~0ULL, 1), BIT(3));
	assert_int_equal(watch_hits(&r, WATCH_WRITE, ~7ULL - 1, 2), BIT(3));
	assert_int_equal(watch_hits(&r, WATCH_WRITE, ~7ULL - 1, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
