// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table engine, one thread: each rule of tdp.h by itself, then random
 * histories against a model that has one record per guest page.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "tdp_tree.h"

/* If it takes an entry alone; follows_before: is the one before it in use. */
static bool follows_before;

static enum tdp_rc add(u64 gfn, u64 pfn, enum page_level level, u32 access,
		       u32 wanted)
{
	struct tdp_map m = mapping(gfn, pfn, level, access, wanted);

	return tdp_add(&root, &m, &follows_before);
}

static void map_once(void **state)
{
	expect_none(0x12345);
	assert_int_equal(map(0x12345, 0x777, PG_4K, RWX, PTE_READ), TDP_OK);
	expect(0x12345, 0x777, PG_4K, RWX);
	expect_none(0x12344);
	expect_none(0x12346);
	assert_int_equal(w.tables, 3);
	assert_int_equal(map(0x12345, 0x777, PG_4K, RWX, RWX), TDP_SPURIOUS);
	assert_int_equal(w.flushes, 0);
}

static void each_level(void **state)
{
	assert_int_equal(map(0x40000, 0x80000, PG_1G, RWX, RWX), TDP_OK);
	assert_int_equal(w.tables, 1);
	expect(0x40000, 0x80000, PG_1G, RWX);
	expect(0x7ffff, 0xbffff, PG_1G, RWX);
	expect_none(0x80000);
	assert_int_equal(map(0x80200, 0x400, PG_2M, RX, RX), TDP_OK);
	expect(0x803ff, 0x5ff, PG_2M, RX);
	expect_none(0x80400);
}

static void five_levels(void **state)
{
	u64 gfn = (1ULL << 45) - 1;

	teardown(state);
	open_root(&ept_format, 5);
	assert_int_equal(map(gfn, 5, PG_4K, RWX, RWX), TDP_OK);
	expect(gfn, 5, PG_4K, RWX);
	assert_int_equal(w.tables, 4);
	assert_true(unmap(0, U64_MAX, 64));
	expect_none(gfn);
}

static void extend_in_place(void **state)
{
	map(0x10, 0x20, PG_4K, RX, PTE_READ);
	assert_int_equal(map(0x10, 0x20, PG_4K, RWX, PTE_WRITE | PTE_READ),
			 TDP_OK);
	expect(0x10, 0x20, PG_4K, RWX);
	/* A mapping of less does not take anything away. */
	assert_int_equal(map(0x10, 0x20, PG_4K, RX, PTE_READ), TDP_SPURIOUS);
	expect(0x10, 0x20, PG_4K, RWX);
	assert_int_equal(w.flushes, 0);
}

static void no_exec_to_exec(void **state)
{
	map(0x10, 0x20, PG_4K, PTE_READ, PTE_READ);
	assert_int_equal(map(0x10, 0x20, PG_4K, RX, RX), TDP_OK);
	expect(0x10, 0x20, PG_4K, RX);
}

static void other_frame_flushes(void **state)
{
	map(0x10, 0x20, PG_4K, RX, RX);
	assert_int_equal(map(0x10, 0x21, PG_4K, RWX, RWX), TDP_OK);
	expect(0x10, 0x21, PG_4K, RWX);
	assert_int_equal(w.flushes, 1);
}

static void split_for_a_write(void **state)
{
	map(0x40000, 0x80000, PG_1G, RX, RX);
	assert_int_equal(map(0x40201, 0x80201, PG_4K, RWX, RWX), TDP_OK);
	expect(0x40201, 0x80201, PG_4K, RWX);
	expect(0x40200, 0x80200, PG_4K, RX);
	expect(0x403ff, 0x803ff, PG_4K, RX);
	expect(0x40400, 0x80400, PG_2M, RX);
	expect(0x40000, 0x80000, PG_2M, RX);
	assert_int_equal(w.flushes, 2);
}

/* The bit that means "large" in a directory means PAT in a page's entry. */
static void split_drops_large_bit(void **state)
{
	map(0x200, 0x400, PG_2M, RX, RX);
	map(0x201, 0x401, PG_4K, RWX, RWX);
	for (u64 gfn = 0x200; gfn < 0x400; gfn++)
		assert_false(*entry_of(gfn, PG_4K) & PTE_LARGE);
}

static void split_takes_writes_away(void **state)
{
	struct tdp_map m = {
		.gfn = GFN(0x201), .pfn = PFN(0x401), .level = PG_4K,
		.access = RWX, .wanted = RWX, .host_writable = true,
	};
	u64 pte;

	/* Not executable but writable: an execute fault splits it. */
	map(0x200, 0x400, PG_2M, PTE_READ | PTE_WRITE, PTE_READ);
	assert_int_equal(tdp_map(&root, &m, &w.env), TDP_OK);
	pte = *entry_of(0x202, PG_4K);
	assert_false(pte & npt_format.write);
	assert_true(pte & PTE_HOST_WRITABLE);
	expect(0x201, 0x401, PG_4K, RWX);
}

static void large_serves_small(void **state)
{
	map(0x200, 0x400, PG_2M, RWX, RWX);
	assert_int_equal(map(0x201, 0x401, PG_4K, RWX, RWX), TDP_SPURIOUS);
	expect(0x201, 0x401, PG_2M, RWX);
}

static void collapse(void **state)
{
	for (u64 i = 0; i < 5; i++)
		map(0x200 + i, 0x400 + i, PG_4K, RX, RX);
	assert_int_equal(w.tables, 3);
	assert_int_equal(map(0x200, 0x400, PG_2M, RWX, RWX), TDP_OK);
	expect(0x3ff, 0x5ff, PG_2M, RWX);
	assert_int_equal(w.tables, 2);
	assert_int_equal(w.flushes, 1);
	/* Two levels at once, and with nothing but empty tables below. */
	map(0x40200, 0x80200, PG_4K, RX, RX);
	unmap(0x40200, 0x40201, 64);
	assert_int_equal(map(0x40000, 0x80000, PG_1G, RX, RX), TDP_OK);
	expect(0x40200, 0x80200, PG_1G, RX);
	assert_int_equal(w.tables, 2);
}

static void unmap_bounds(void **state)
{
	for (u64 i = 0x1fe; i < 0x202; i++)
		map(i, i, PG_4K, RX, RX);
	assert_false(unmap(0x100, 0x1fe, 64));
	assert_false(unmap(0x202, 0x300, 64));
	assert_false(unmap(0x200, 0x200, 64));
	assert_true(unmap(0x1ff, 0x201, 64));
	expect(0x1fe, 0x1fe, PG_4K, RX);
	expect_none(0x1ff);
	expect_none(0x200);
	expect(0x201, 0x201, PG_4K, RX);
	assert_false(unmap(0x1ff, 0x201, 64));
}

static void unmap_retires_tables(void **state)
{
	map(0x40201, 1, PG_4K, RX, RX);
	assert_int_equal(w.tables, 3);
	unmap(0x40200, 0x40400, 64);
	assert_int_equal(w.tables, 2);
	map(0x40201, 1, PG_4K, RX, RX);
	assert_true(unmap(0, 1ULL << 36, 64));
	assert_int_equal(w.tables, 1);
	/* A table that is gone is a flush too, even when it was empty. */
	map(0x40201, 1, PG_4K, RX, RX);
	unmap(0x40201, 0x40202, 64);
	assert_true(unmap(0x40200, 0x40400, 64));
}

/* A GiB of small pages is much; then its table goes, too. */
static void unmap_in_pieces(void **state)
{
	struct tdp_range range = {
		.start = GFN(0x40000), .end = GFN(0x80000), .budget = 1024,
	};
	bool flush = false, more;
	unsigned int before = 0;

	for (u64 gfn = 0x40000; gfn < 0x80000; gfn += 256)
		map(gfn, gfn, PG_4K, RX, RX);
	assert_int_equal(w.tables, 2 + 512);
	do {
		more = tdp_unmap(&root, &range, &w.env, &flush);
		assert_in_range(w.retired_count - before, 1, 8);
		before = w.retired_count;
	} while (more);
	assert_int_equal(w.tables, 1);

	/* A large page instead of all that. */
	for (u64 gfn = 0x40000; gfn < 0x80000; gfn += 512)
		map(gfn, gfn, PG_4K, RX, RX);
	assert_int_equal(map(0x40000, 0x40000, PG_1G, RX, RX), TDP_SMALLER);
	assert_int_equal(map(0x40000, 0x40000, PG_2M, RX, RX), TDP_OK);
	for (u64 gfn = 0x40200; gfn < 0x80000 - 4 * 512; gfn += 512)
		map(gfn, gfn, PG_2M, RX, RX);
	assert_int_equal(map(0x40000, 0x40000, PG_1G, RX, RX), TDP_OK);
	expect(0x7ffff, 0x7ffff, PG_1G, RX);
	assert_int_equal(w.tables, 1);
}

/* Some others may be left for the next call that looks. */
static void age_in_pieces(void **state)
{
	struct tdp_range range = {
		.start = GFN(0), .end = GFN(1 << 20), .budget = 100,
	};

	map(0x200, 0x400, PG_4K, RX, RX);
	map(0x3ff, 0x5ff, PG_4K, RX, RX);
	assert_true(tdp_age(&root, &range, true));
	assert_int_equal(range.budget, 0);
	assert_false(*entry_of(0x200, PG_4K) & npt_format.accessed);
	assert_true(*entry_of(0x3ff, PG_4K) & npt_format.accessed);
	range.budget = 4096;
	assert_true(tdp_age(&root, &range, true));
	assert_false(*entry_of(0x3ff, PG_4K) & npt_format.accessed);
	assert_in_range(range.budget, 1, 4096 - 512);
}

static void unmap_large_whole(void **state)
{
	map(0x200, 0x400, PG_2M, RX, RX);
	assert_true(unmap(0x2ff, 0x300, 64));
	expect_none(0x200);
	expect_none(0x3ff);
}

static void protect_and_touch(void **state)
{
	map(0x200, 0x400, PG_2M, RWX, RWX);
	map(0x1000, 0x1000, PG_4K, RWX, RWX);
	assert_true(protect(0, 0x2000, 64));
	assert_false(protect(0, 0x2000, 64));
	expect(0x200, 0x400, PG_2M, RX);
	expect(0x1000, 0x1000, PG_4K, RX);

	assert_int_equal(tdp_touch(&root, GFN(0x200), RX, PG_4K), TDP_SPURIOUS);
	assert_int_equal(tdp_touch(&root, GFN(0x200), RWX, PG_4K), TDP_RETRY);
	assert_int_equal(tdp_touch(&root, GFN(0x200), RWX, PG_2M), TDP_OK);
	assert_int_equal(tdp_touch(&root, GFN(0x200), RWX, PG_2M),
			 TDP_SPURIOUS);
	assert_int_equal(tdp_touch(&root, GFN(0x1000), RWX, PG_4K), TDP_OK);
	assert_int_equal(tdp_touch(&root, GFN(0x1001), RX, PG_4K), TDP_RETRY);
	expect(0x200, 0x400, PG_2M, RWX);
	expect(0x1000, 0x1000, PG_4K, RWX);
}

/* Where the CPU tells of dirty bits, small pages stay writable. */
static void log_by_dirty_bits(void **state)
{
	static struct pte_format f;
	struct tdp_map m = {
		.gfn = GFN(0x1000), .pfn = PFN(0x1000), .level = PG_4K,
		.access = RWX, .wanted = RX, .host_writable = true,
		.clean = true,
	};

	f = ept_format;
	f.log_by_dirty = true;
	root.format = &f;
	assert_int_equal(tdp_map(&root, &m, &w.env), TDP_OK);
	expect(0x1000, 0x1000, PG_4K, RWX);
	assert_false(*entry_of(0x1000, PG_4K) & f.dirty);
	assert_false(protect(0, 0x2000, 64));

	*entry_of(0x1000, PG_4K) |= f.dirty;
	map(0x1001, 0x1001, PG_4K, RWX, RWX);
	assert_true(*entry_of(0x1001, PG_4K) & f.dirty);
	assert_true(protect(0, 0x2000, 64));
	assert_false(protect(0, 0x2000, 64));
	expect(0x1000, 0x1000, PG_4K, RWX);
	expect(0x1001, 0x1001, PG_4K, RWX);
	assert_false((*entry_of(0x1000, PG_4K) | *entry_of(0x1001, PG_4K)) &
		     f.dirty);
}

/* A large page has one dirty bit for all: it has to be split by a write. */
static void log_by_dirty_bits_large(void **state)
{
	static struct pte_format f;
	u64 gfn;

	f = ept_format;
	f.log_by_dirty = true;
	root.format = &f;
	map(0x40000, 0x80000, PG_1G, RWX, RWX);
	assert_true(protect(0x40000, 0x80000, 64));
	expect(0x40000, 0x80000, PG_1G, RX);
	/* The parts allow it: the write that comes will be told of. */
	assert_int_equal(map(0x40201, 0x80201, PG_4K, RWX, RWX), TDP_SPURIOUS);
	expect(0x40000, 0x80000, PG_2M, RX);
	for (gfn = 0x40200; gfn < 0x40400; gfn++) {
		expect(gfn, gfn + 0x40000, PG_4K, RWX);
		assert_false(*entry_of(gfn, PG_4K) & f.dirty);
	}
	/* What the host may not write stays so. */
	*entry_of(0x40000, PG_2M) &= ~PTE_HOST_WRITABLE;
	map(0x40001, 0x80001, PG_4K, RWX, RWX);
	expect(0x40002, 0x80002, PG_4K, RX);
}

static void harvest_moves_dirty_bits(void **state)
{
	static const u64 written[] = { 0x3fe, 0x3ff, 0x400, 0x5ff, 0x40000 };
	static unsigned long mask[0x40000 / 64 + 1];
	static struct pte_format f;
	unsigned int i, n = 0;

	open_harvest(&f);
	for (i = 0; i < ARRAY_SIZE(written); i++)
		map(written[i], 0x1000 + i, PG_4K, RWX, RWX);
	map(0x401, 0x2000, PG_4K, RX, RX);
	map(0x800, 0x4000, PG_2M, RWX, RWX);

	/* What is noted already stays; what is outside is not looked at. */
	__set_bit(7, mask);
	assert_true(harvest(0x3ff, 0x40000, mask));
	assert_true(test_bit(7, mask));
	assert_true(test_bit(0, mask));
	assert_true(test_bit(1, mask));
	assert_true(test_bit(0x200, mask));
	for (i = 0; i < 0x40000; i++)
		n += test_bit(i, mask);
	assert_int_equal(n, 4);
	assert_true(*entry_of(0x3fe, PG_4K) & f.dirty);
	assert_true(*entry_of(0x40000, PG_4K) & f.dirty);

	/* They stay writable, and are clean. */
	expect(0x400, 0x1002, PG_4K, RWX);
	assert_false(*entry_of(0x400, PG_4K) & f.dirty);
	memset(mask, 0, sizeof(mask));
	assert_false(harvest(0x3ff, 0x40000, mask));
	*entry_of(0x401, PG_4K) = PTE_FROZEN;
	assert_false(harvest(0x3ff, 0x40000, mask));
	*entry_of(0x401, PG_4K) = 0;

	/* As hardware does on a write. */
	*entry_of(0x5ff, PG_4K) |= f.dirty;
	assert_true(harvest(0x3ff, 0x40001, mask));
	assert_true(test_bit(0x200, mask));
	assert_true(test_bit(0x40000 - 0x3ff, mask));
	assert_false(test_bit(0, mask));
}

/* No way to take an entry away loses what it says. */
static void what_goes_is_logged(void **state)
{
	static struct pte_format f;

	open_harvest(&f);
	map(0x400, 0x1000, PG_4K, RWX, RWX);
	map(0x401, 0x1001, PG_4K, RX, RX);
	unmap(0x400, 0x402, 64);
	assert_int_equal(w.written_count, 1);
	assert_int_equal(w.written[0], 0x400);

	/* Another page in its place. */
	map(0x400, 0x1000, PG_4K, RWX, RWX);
	map(0x400, 0x2000, PG_4K, RX, RX);
	assert_int_equal(w.written_count, 1);
	*entry_of(0x400, PG_4K) &= ~f.write;
	map(0x400, 0x3000, PG_4K, RWX, RWX);
	assert_int_equal(w.written_count, 2);
	assert_int_equal(w.written[1], 0x400);

	/* A large page in the place of its table, and the table as a whole. */
	map(0x5ff, 0x4000, PG_4K, RWX, RWX);
	assert_true(unmap(0x200, 0x800, 64));
	assert_int_equal(w.written_count, 4);
	assert_int_equal(w.written[2], 0x400);
	assert_int_equal(w.written[3], 0x5ff);
	map(0x40201, 0x5000, PG_4K, RWX, RWX);
	*entry_of(0x40201, PG_4K) &= ~f.write;
	map(0x40200, 0x40200, PG_2M, RX, RX);
	assert_int_equal(w.written_count, 5);
	assert_int_equal(w.written[4], 0x40201);

	/* A GiB of tables; large pages say nothing of parts. */
	map(0x80000, 0x80000, PG_2M, RWX, RWX);
	map(0x80200, 0x6000, PG_4K, RWX, RWX);
	assert_true(unmap(0x40000, 0xc0000, 64));
	assert_int_equal(w.written_count, 6);
	assert_int_equal(w.written[5], 0x80200);

	/* Other formats tell of each write themselves. */
	root.format = &npt_format;
	map(0x400, 0x1000, PG_4K, RWX, RWX);
	unmap(0x400, 0x401, 64);
	assert_int_equal(w.written_count, 6);
}

static void fill_maps_what_is_empty(void **state)
{
	static const struct pfn pfn[4] = { { 0x10 }, { 0x11 }, { 0x12 },
					   { 0x13 } };
	struct tdp_map m = {
		.gfn = GFN(0x401), .access = RWX, .host_writable = true,
	};

	/* No table, or a large page: nothing happens. */
	tdp_fill(&root, &m, pfn, 4);
	assert_int_equal(w.tables, 0);
	map(0x400, 0x4000, PG_2M, RWX, RWX);
	tdp_fill(&root, &m, pfn, 4);
	expect(0x401, 0x4001, PG_2M, RWX);
	unmap(0, 0x1000, 64);

	map(0x400, 0x20, PG_4K, RWX, RWX);
	map(0x402, 0x21, PG_4K, RX, RX);
	*entry_of(0x403, PG_4K) = PTE_FROZEN;
	tdp_fill(&root, &m, pfn, 4);
	expect(0x401, 0x10, PG_4K, RWX);
	expect(0x402, 0x21, PG_4K, RX);
	assert_int_equal(*entry_of(0x403, PG_4K), PTE_FROZEN);
	expect(0x404, 0x13, PG_4K, RWX);
	assert_int_equal(*entry_of(0x405, PG_4K), 0);
	assert_false(*entry_of(0x404, PG_4K) & npt_format.accessed);
	assert_true(*entry_of(0x404, PG_4K) & PTE_HOST_WRITABLE);
	*entry_of(0x403, PG_4K) = 0;
}

static void add_takes_an_empty_entry(void **state)
{
	/* No table. */
	assert_int_equal(add(0x401, 0x10, PG_4K, RWX, RX), TDP_RETRY);
	assert_int_equal(w.tables, 0);

	map(0x400, 0x20, PG_4K, RX, RX);
	assert_int_equal(add(0x401, 0x10, PG_4K, RWX, RX), TDP_OK);
	assert_true(follows_before);
	expect(0x401, 0x10, PG_4K, RWX);
	assert_true(*entry_of(0x401, PG_4K) & PTE_HOST_WRITABLE);
	assert_int_equal(add(0x403, 0x11, PG_4K, RWX, RX), TDP_OK);
	assert_false(follows_before);
	assert_int_equal(add(0x405, 0x11, PG_4K, RX, RX), TDP_OK);
	expect(0x405, 0x11, PG_4K, RX);

	/* What is there is only looked at. */
	assert_int_equal(add(0x401, 0x99, PG_4K, RWX, RWX), TDP_SPURIOUS);
	assert_false(follows_before);
	expect(0x401, 0x10, PG_4K, RWX);
	assert_int_equal(add(0x400, 0x20, PG_4K, RWX, RWX), TDP_RETRY);
	expect(0x400, 0x20, PG_4K, RX);
	*entry_of(0x407, PG_4K) = PTE_FROZEN;
	assert_int_equal(add(0x407, 0x20, PG_4K, RWX, RX), TDP_RETRY);
	*entry_of(0x407, PG_4K) = 0;
	assert_int_equal(w.flushes, 0);
}

static void add_of_other_sizes(void **state)
{
	map(0x400, 0x20, PG_4K, RWX, RWX);
	/* A table in its place, and the first entry of one. */
	assert_int_equal(add(0x400, 0x800, PG_2M, RWX, RX), TDP_RETRY);
	unmap(0x400, 0x401, 64);
	assert_int_equal(add(0x400, 0x800, PG_2M, RWX, RX), TDP_RETRY);
	assert_int_equal(add(0x600, 0xa00, PG_2M, RWX, RX), TDP_OK);
	assert_true(follows_before);
	expect(0x600, 0xa00, PG_2M, RWX);
	assert_int_equal(add(0x601, 0x1, PG_4K, RWX, RWX), TDP_SPURIOUS);
	map(0x40000, 0x20, PG_2M, RWX, RWX);
	unmap(0x40000, 0x40200, 64);
	assert_int_equal(add(0x40000, 0x20, PG_2M, RWX, RX), TDP_OK);
	assert_false(follows_before);
}

static void touch_respects_the_host(void **state)
{
	struct tdp_map m = {
		.gfn = GFN(0x10), .pfn = PFN(0x20), .level = PG_4K,
		.access = RX, .wanted = RX, .host_writable = false,
	};

	assert_int_equal(tdp_map(&root, &m, &w.env), TDP_OK);
	assert_int_equal(tdp_touch(&root, GFN(0x10), RWX, PG_1G), TDP_RETRY);
	expect(0x10, 0x20, PG_4K, RX);
}

static bool age(u64 start, u64 end, bool clear)
{
	struct tdp_range range = {
		.start = GFN(start), .end = GFN(end), .budget = 4096,
	};

	return tdp_age(&root, &range, clear);
}

static void aging(void **state)
{
	map(0x200, 0x400, PG_2M, RX, RX);
	map(0x1000, 0x1000, PG_4K, RX, RX);
	assert_true(age(0x300, 0x301, false));
	assert_true(age(0, 0x2000, true));
	assert_false(age(0, 0x2000, false));
	assert_false(age(0, 0x2000, true));
	/* As hardware does on use. */
	*entry_of(0x1000, PG_4K) |= npt_format.accessed;
	assert_false(age(0, 0x1000, true));
	assert_true(age(0x1000, 0x1001, true));
	expect(0x1000, 0x1000, PG_4K, RX);
}

static void age_without_the_bit(void **state)
{
	teardown(state);
	open_root(&ept_format_no_ad, 4);
	map(0x1000, 0x1000, PG_4K, RX, RX);
	assert_true(age(0x1000, 0x1001, true));
	assert_true(age(0x1000, 0x1001, true));
	assert_false(age(0x1001, 0x1002, true));
	expect(0x1000, 0x1000, PG_4K, RX);
}

static void frozen_is_left_alone(void **state)
{
	map(0x200, 0x400, PG_2M, RWX, RWX);
	*entry_of(0x200, PG_2M) = PTE_FROZEN;
	assert_int_equal(map(0x200, 0x400, PG_2M, RX, RX), TDP_RETRY);
	assert_int_equal(map(0x201, 0x401, PG_4K, RX, RX), TDP_RETRY);
	assert_int_equal(tdp_touch(&root, GFN(0x201), RX, PG_1G), TDP_RETRY);
	expect_none(0x200);
	unmap(0x200, 0x300, 64);
	protect(0x200, 0x300, 64);
	/* A fault froze it. */
	assert_true(age(0x200, 0x300, true));
	assert_false(age(0x400, 0x600, true));
	assert_int_equal(*entry_of(0x200, PG_2M), PTE_FROZEN);
}

/* Whatever a fault was told of the level before it came here. */
static void small_pages_of_code_stay(void **state)
{
	static struct pte_format f;

	f = ept_format;
	f.small_exec = true;
	root.format = &f;
	map(0x201, 0x401, PG_4K, RX, RX);
	assert_int_equal(map(0x200, 0x400, PG_2M, PTE_READ | PTE_WRITE,
			     PTE_READ), TDP_RETRY);
	expect(0x201, 0x401, PG_4K, RX);
}

/* Whatever allocation fails, nothing is half done, and it goes on later. */
static void out_of_tables(void **state)
{
	for (u64 stock = 0; stock < 3; stock++) {
		u64 gfn = 0x12345 + (stock << 27);

		w.stock = stock;
		assert_int_equal(map(gfn, 1, PG_4K, RX, RX), TDP_EMPTY);
		expect_none(gfn);
		assert_int_equal(w.stock, 0);
		w.stock = 3 - stock;
		assert_int_equal(map(gfn, 1, PG_4K, RX, RX), TDP_OK);
		assert_int_equal(w.stock, 0);
	}
	w.stock = -1;
	map(0x40000, 0x80000, PG_1G, RX, RX);
	w.stock = 0;
	assert_int_equal(map(0x40001, 0x80001, PG_4K, RWX, RWX), TDP_EMPTY);
	expect(0x40001, 0x80001, PG_1G, RX);
	w.stock = 1;
	assert_int_equal(map(0x40001, 0x80001, PG_4K, RWX, RWX), TDP_EMPTY);
	expect(0x40001, 0x80001, PG_2M, RX);
	w.stock = 1;
	assert_int_equal(map(0x40001, 0x80001, PG_4K, RWX, RWX), TDP_OK);
	w.stock = -1;
}

/* A large range of nothing costs no more than what is there. */
static void sparse_range(void **state)
{
	map(0, 1, PG_4K, RX, RX);
	map((1ULL << 36) - 1, 2, PG_4K, RX, RX);
	assert_true(unmap(0, U64_MAX, 64));
	expect_none(0);
	expect_none((1ULL << 36) - 1);
}

/* ---- model ------------------------------------------------------------- */

enum { FIRST = 0x40000 - 0x1000, PAGES = 0x40000 + 0x3000 };
#define OFFSET 0x1000000ULL	/* pfn - gfn; a multiple of 1 GiB's pages */

static struct {
	u8 level;		/* 0: not mapped */
	bool write;
} model[PAGES];

static u64 model_first(u64 gfn)
{
	return gfn & ~(pg_pages(model[gfn - FIRST].level) - 1);
}

static void model_fill(u64 gfn, enum page_level level, bool write)
{
	for (u64 i = 0; i < pg_pages(level); i++) {
		model[gfn - FIRST + i].level = level;
		model[gfn - FIRST + i].write = write;
	}
}

/* Split the leaf around @gfn until the part with @gfn is of @level. */
static void model_split(u64 gfn, enum page_level level)
{
	while (model[gfn - FIRST].level > level) {
		enum page_level to = model[gfn - FIRST].level - 1;
		u64 first = model_first(gfn);

		for (u64 i = 0; i < 512; i++)
			model_fill(first + i * pg_pages(to), to, false);
	}
}

static enum tdp_rc model_map(u64 gfn, enum page_level level, bool may_write,
			     bool write)
{
	u8 now = model[gfn - FIRST].level;
	bool allowed = now && (!write || model[gfn - FIRST].write);

	if (now >= level && allowed)
		return TDP_SPURIOUS;
	if (now > level)
		model_split(gfn, level);
	model_fill(gfn, level, may_write);
	return TDP_OK;
}

static bool model_unmap(u64 start, u64 end)
{
	bool any = false;

	for (u64 gfn = start; gfn < end; gfn++) {
		u64 first;
		u64 n;

		if (!model[gfn - FIRST].level)
			continue;
		any = true;
		first = model_first(gfn);
		n = pg_pages(model[gfn - FIRST].level);
		memset(&model[first - FIRST], 0, n * sizeof(model[0]));
	}
	return any;
}

static bool model_protect(u64 start, u64 end)
{
	bool any = false;

	for (u64 gfn = start; gfn < end; gfn++) {
		if (!model[gfn - FIRST].level || !model[gfn - FIRST].write)
			continue;
		any = true;
		model_fill(model_first(gfn), model[gfn - FIRST].level, false);
	}
	return any;
}

static void compare(u64 gfn)
{
	if (model[gfn - FIRST].level)
		expect(gfn, gfn + OFFSET, model[gfn - FIRST].level,
		       model[gfn - FIRST].write ? RWX : RX);
	else
		expect_none(gfn);
}

static u64 random_gfn(void)
{
	u64 span = rand() % 4 ? 0x1400 : PAGES;

	return FIRST + (u64)rand() % span;
}

static enum page_level random_level(u64 *gfn)
{
	enum page_level level = rand() % 8 ? PG_4K : PG_2M;

	if (rand() % 100 == 0)
		level = PG_1G;
	*gfn = gfn_round(GFN(*gfn), level).v;
	if (*gfn < FIRST || *gfn + pg_pages(level) > FIRST + PAGES) {
		level = PG_4K;
		*gfn = max(*gfn, (u64)FIRST);
	}
	return level;
}

static void random_step(void)
{
	u64 gfn = random_gfn(), end;
	enum page_level level;
	bool flush, write, may_write;
	enum tdp_rc rc;

	switch (rand() % 8) {
	case 0:
		end = min(gfn + rand() % 2048, (u64)FIRST + PAGES);
		flush = unmap(gfn, end, 64 + rand() % 512);
		if (model_unmap(gfn, end))
			assert_true(flush);
		break;
	case 1:
		end = min(gfn + rand() % 2048, (u64)FIRST + PAGES);
		flush = protect(gfn, end, 64 + rand() % 512);
		assert_int_equal(flush, model_protect(gfn, end));
		break;
	case 2:
		level = 1 + rand() % 3;
		if (tdp_touch(&root, GFN(gfn), RWX, level) == TDP_OK)
			model_fill(model_first(gfn), model[gfn - FIRST].level,
				   true);
		break;
	default:
		level = random_level(&gfn);
		write = rand() % 2;
		may_write = write || rand() % 2;
		rc = TDP_RETRY;
		if (rand() % 2)
			rc = add(gfn, gfn + OFFSET, level,
				 may_write ? RWX : RX, write ? RWX : RX);
		if (rc == TDP_RETRY)
			rc = map(gfn, gfn + OFFSET, level,
				 may_write ? RWX : RX, write ? RWX : RX);
		/* As faults do. */
		if (rc == TDP_SMALLER)
			rc = map(gfn, gfn + OFFSET, --level,
				 may_write ? RWX : RX, write ? RWX : RX);
		assert_int_equal(rc, model_map(gfn, level, may_write, write));
	}
	compare(gfn);
	for (int i = 0; i < 32; i++)
		compare(random_gfn());
}

static void random_history(const struct pte_format *format, int seed)
{
	srand(seed);
	teardown(NULL);
	open_root(format, 4);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < 6000; step++) {
		random_step();
		if (step % 1000 == 0)
			for (u64 gfn = FIRST; gfn < FIRST + PAGES; gfn++)
				compare(gfn);
	}
}

static void random_npt(void **state)
{
	random_history(&npt_format, 3);
}

static void random_ept(void **state)
{
	random_history(&ept_format, 4);
}

/* Every entry below @table: tables and memory are encrypted, devices are not. */
static void check_encrypted(const u64 *table, int level, u64 device)
{
	const struct pte_format *f = root.format;

	for (int i = 0; i < 512; i++) {
		bool leaf = pte_is_leaf(table[i], level);

		if (!pte_is_present(f, table[i]))
			continue;
		if (leaf && pte_pfn_of(f, table[i]).v == device)
			assert_false(table[i] & f->encrypted);
		else
			assert_true(table[i] & f->encrypted);
		if (!leaf)
			check_encrypted(pte_to_table(f, table[i]), level - 1,
					device);
	}
}

static void random_encrypted(void **state)
{
	static struct pte_format f;
	struct tdp_map m = mapping(1 << 20, 0xfe000, PG_4K, RWX, RWX);
	static const struct pfn near[] = { { 0x10 }, { 0x11 } };

	f = npt_format;
	f.encrypted = BIT_ULL(47);
	random_history(&f, 5);
	m.type = PTE_MEM_MMIO;
	assert_int_equal(tdp_map(&root, &m, &w.env), TDP_OK);
	m = mapping((1 << 20) + 1, 0, PG_4K, RWX, RWX);
	tdp_fill(&root, &m, near, 2);
	assert_int_equal(add((1 << 20) + 3, 0x12, PG_4K, RWX, RWX), TDP_OK);
	check_encrypted(root.table, root.level, 0xfe000);

	/* The same frame as memory is another translation. */
	m = mapping(1 << 20, 0xfe000, PG_4K, RX, RX);
	m.type = PTE_MEM_MMIO;
	unmap(1 << 20, (1 << 20) + 1, 64);
	assert_int_equal(tdp_map(&root, &m, &w.env), TDP_OK);
	w.flushes = 0;
	assert_int_equal(map(1 << 20, 0xfe000, PG_4K, RWX, RWX), TDP_OK);
	assert_int_equal(w.flushes, 1);
	check_encrypted(root.table, root.level, 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(map_once), T(each_level), T(five_levels),
		T(extend_in_place), T(no_exec_to_exec),
		T(other_frame_flushes), T(split_for_a_write),
		T(split_drops_large_bit), T(split_takes_writes_away),
		T(large_serves_small), T(collapse), T(unmap_bounds),
		T(unmap_retires_tables), T(unmap_in_pieces), T(age_in_pieces),
		T(unmap_large_whole),
		T(protect_and_touch), T(log_by_dirty_bits),
		T(log_by_dirty_bits_large), T(harvest_moves_dirty_bits),
		T(what_goes_is_logged), T(fill_maps_what_is_empty),
		T(add_takes_an_empty_entry), T(add_of_other_sizes),
		T(touch_respects_the_host), T(aging), T(age_without_the_bit),
		T(frozen_is_left_alone), T(small_pages_of_code_stay),
		T(out_of_tables), T(sparse_range), T(random_npt),
		T(random_ept), T(random_encrypted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
