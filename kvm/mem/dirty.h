/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Dirty bitmaps: a bit per page of a slot that logs, set by whoever writes,
 * taken by whoever reports.
 *
 * Taking a word is one atomic exchange, so a bit is reported or stays, and
 * never both lost and unreported. Who takes must then write-protect the pages
 * before he returns: see memslot_mark_dirty() for the other side's order.
 *
 * Pure. Callers: mem/region.c, mem/log.c.
 */
#ifndef MEM_DIRTY_H
#define MEM_DIRTY_H

#include "base/host.h"
#include "mem/memslot.h"

/** dirty_longs() - length of a bitmap for @npages, as the KVM API rounds */
static inline u64 dirty_longs(u64 npages)
{
	return DIV_ROUND_UP(npages, (u64)BITS_PER_LONG);
}

/**
 * dirty_take() - add @longs words from @first on to @out, leaving zeros
 *
 * Returns whether @out has any bit then.
 */
bool dirty_take(const struct memslot *slot, u64 first, u64 longs,
		unsigned long *out);

/** dirty_give_back() - set the bits of @in again: they were not reported */
void dirty_give_back(const struct memslot *slot, u64 first, u64 longs,
		     const unsigned long *in);

/**
 * dirty_next_run() - the next pages in a row whose bits are set
 * @bits: number of bits of @mask
 * @start: in: where to look from; out: the run's first bit
 *
 * Returns the run's length, 0: no more.
 */
u64 dirty_next_run(const unsigned long *mask, u64 bits, u64 *start);

#endif
