/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One tree of the table engine, and what a test does to it and expects of it:
 * for the unit tests of mmu/tdp.c, one thread. After cmocka.h.
 */
#ifndef TESTS_TDP_TREE_H
#define TESTS_TDP_TREE_H

#include "tdp_world.h"

#define RX (PTE_READ | PTE_EXEC)
#define RWX (RX | PTE_WRITE)

static struct world w;
static struct tdp_root root;

static inline void open_root(const struct pte_format *format, int level)
{
	world_init(&w);
	root = (struct tdp_root){
		.format = format,
		.table = world_table(),
		.level = level,
	};
}

static inline int setup(void **state)
{
	open_root(&npt_format, 4);
	return 0;
}

static inline int teardown(void **state)
{
	world_release(&w);
	tdp_destroy(&root, world_free_table, &w);
	/* The root is the one that alloc() did not count. */
	assert_int_equal(w.tables, -1);
	return 0;
}

static inline struct tdp_map mapping(u64 gfn, u64 pfn, enum page_level level,
			      u32 access, u32 wanted)
{
	return (struct tdp_map){
		.gfn = GFN(gfn),
		.pfn = PFN(pfn),
		.level = level,
		.access = access,
		.wanted = wanted,
		.host_writable = true,
	};
}

static inline enum tdp_rc map(u64 gfn, u64 pfn, enum page_level level, u32 access,
		       u32 wanted)
{
	struct tdp_map m = mapping(gfn, pfn, level, access, wanted);
	enum tdp_rc rc = tdp_map(&root, &m, &w.env);

	world_release(&w);
	return rc;
}

/* The next call for @range, as callers make it; it has to get on. */
static inline void go_on(struct tdp_range *range, u64 *last)
{
	if (range->held)
		assert_true(range->next.v >= *last && !range->alone);
	else
		assert_true(range->next.v > *last || range->alone);
	*last = range->next.v;
	range->alone = range->held;
}

static inline bool unmap(u64 start, u64 end, u32 budget)
{
	struct tdp_range range = {
		.start = GFN(start), .end = GFN(end), .budget = budget,
	};
	bool flush = false;
	u64 last = start;

	while (tdp_unmap(&root, &range, &w.env, &flush))
		go_on(&range, &last);
	world_release(&w);
	return flush;
}

static inline bool protect(u64 start, u64 end, u32 budget)
{
	struct tdp_range range = {
		.start = GFN(start), .end = GFN(end), .budget = budget,
	};
	bool flush = false;
	u64 last = start;

	while (tdp_protect(&root, &range, &flush))
		go_on(&range, &last);
	return flush;
}

static inline void expect(u64 gfn, u64 pfn, enum page_level level, u32 access)
{
	enum page_level found;
	u64 pte = tdp_lookup(&root, GFN(gfn), &found);

	assert_true(pte != 0);
	assert_int_equal(found, level);
	assert_int_equal(pte_pfn_of(root.format, pte).v + gfn % pg_pages(level), pfn);
	assert_true(pte_allows(root.format, pte, access));
	if (!(access & PTE_WRITE))
		assert_false(pte_allows(root.format, pte, PTE_WRITE));
}

static inline void expect_none(u64 gfn)
{
	enum page_level level;

	assert_int_equal(tdp_lookup(&root, GFN(gfn), &level), 0);
}

static inline u64 *entry_of(u64 gfn, enum page_level at)
{
	u64 *table = root.table;

	for (int level = root.level; level > (int)at; level--)
		table = pte_to_table(root.format,
				     table[gfn >> (9 * (level - 1)) & 511]);
	return &table[gfn >> (9 * (at - 1)) & 511];
}

/* Formats whose log is in the tables: NPT. */
static inline void open_harvest(struct pte_format *f)
{
	*f = npt_format;
	f->log_by_dirty = f->log_in_tables = true;
	root.format = f;
}

static inline bool harvest(u64 start, u64 end, unsigned long *mask)
{
	const struct tdp_log log = { .base = GFN(start), .mask = mask };
	struct tdp_range range = {
		.start = GFN(start), .end = GFN(end), .budget = 64,
	};
	bool flush = false;
	u64 last = start;

	while (tdp_harvest(&root, &range, &log, &flush))
		go_on(&range, &last);
	return flush;
}

#endif
