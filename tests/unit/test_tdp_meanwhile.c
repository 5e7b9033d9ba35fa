// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table engine when something happens in the middle of a call: what other
 * threads can do while a fault flushes, or between two entries of a walk.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tdp_tree.h"

/* The walk over [200h, 400h) that the test looks at. */
static struct tdp_range sweep;
static bool sweep_more, sweep_flush;
static unsigned long sweep_mask[512 / 64];
static const struct tdp_log sweep_log = {
	.base = { 0x200 }, .mask = sweep_mask,
};

static bool piece_unmap(void)
{
	return tdp_unmap(&root, &sweep, &w.env, &sweep_flush);
}

static bool piece_protect(void)
{
	return tdp_protect(&root, &sweep, &sweep_flush);
}

static bool piece_harvest(void)
{
	return tdp_harvest(&root, &sweep, &sweep_log, &sweep_flush);
}

static bool (*piece)(void);

static void begin_sweep(void)
{
	sweep_more = piece();
}

/* What the callers of ranges do after a first call. */
static void end_sweep(void)
{
	u64 last = 0;

	for (; sweep_more; sweep_more = piece())
		go_on(&sweep, &last);
	world_release(&w);
}

static void start_sweep(bool (*what)(void))
{
	piece = what;
	sweep = (struct tdp_range){
		.start = GFN(0x200), .end = GFN(0x400), .budget = 1024,
	};
	sweep_more = sweep_flush = false;
	memset(sweep_mask, 0, sizeof(sweep_mask));
}

/*
 * While a fault splits a large page, its frames are nowhere in the tables: a
 * walk over them has to come back.
 */
static void no_walk_passes_a_split(void **state)
{
	static bool (*const pieces[])(void) = {
		piece_unmap, piece_protect, piece_harvest,
	};
	static struct pte_format f;

	open_harvest(&f);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		start_sweep(pieces[i]);
		map(0x200, 0x400, PG_2M, RX, RX);
		w.meanwhile = begin_sweep;
		map(0x2ff, 0x4ff, PG_4K, RWX, RWX);
		assert_null(w.meanwhile);
		assert_true(sweep_more);
		assert_true(sweep.held);
		end_sweep();
		if (piece == piece_unmap)
			for (u64 gfn = 0x200; gfn < 0x400; gfn++)
				expect_none(gfn);
		else
			assert_false(*entry_of(0x2ff, PG_4K) & f.dirty);
		unmap(0, 0x1000, 64);
	}
}

static void collapse_block(void)
{
	struct tdp_map m = mapping(0x200, 0x800, PG_2M, RWX, RWX);

	assert_int_equal(tdp_map(&root, &m, &w.env), TDP_OK);
}

/* The table that a walk stands in is replaced by a large page. */
static void no_walk_ends_in_an_unlinked_table(void **state)
{
	static struct pte_format f;

	open_harvest(&f);
	map(0x200, 0x400, PG_4K, RWX, RWX);
	map(0x300, 0x500, PG_4K, RWX, RWX);
	start_sweep(piece_unmap);
	sweep.start = GFN(0x201);
	sweep.end = GFN(0x3ff);
	w.meanwhile = collapse_block;
	begin_sweep();
	assert_null(w.meanwhile);
	assert_true(sweep.held);
	end_sweep();
	expect_none(0x201);
	expect_none(0x3fe);
}

static void unmap_gigabyte(void)
{
	struct tdp_range range = {
		.start = GFN(0x40000), .end = GFN(0x80000), .budget = 64,
	};

	while (tdp_unmap(&root, &range, &w.env, &sweep_flush))
		range.alone = range.held;
}

/* The table of a frozen entry is unlinked: what was to come is thrown away. */
static void nothing_is_installed_in_an_unlinked_table(void **state)
{
	map(0x40000, 0x80000, PG_2M, RX, RX);
	w.meanwhile = unmap_gigabyte;
	assert_int_equal(map(0x40001, 0x80001, PG_4K, RWX, RWX), TDP_RETRY);
	assert_null(w.meanwhile);
	expect_none(0x40000);
	expect_none(0x40001);
	unmap(0, 1ULL << 36, 64);

	/* One page in the place of another, a large one in that of a table. */
	map(0x40000, 0x80000, PG_2M, RX, RX);
	w.meanwhile = unmap_gigabyte;
	assert_int_equal(map(0x40000, 0x80400, PG_2M, RX, RWX), TDP_RETRY);
	expect_none(0x40000);
	map(0x40000, 0x80000, PG_4K, RX, RX);
	w.meanwhile = unmap_gigabyte;
	assert_int_equal(map(0x40000, 0x80400, PG_2M, RX, RX), TDP_RETRY);
	expect_none(0x40000);
	unmap(0, 1ULL << 36, 64);
	assert_int_equal(w.tables, 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(no_walk_passes_a_split),
		T(no_walk_ends_in_an_unlinked_table),
		T(nothing_is_installed_in_an_unlinked_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
