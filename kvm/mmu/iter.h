/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walk over the entries of a table tree that cover a range of guest frames,
 * parents before children, in ascending order.
 *
 * The iterator goes down into a table when tdp_iter_next() finds that the
 * entry, as last stored in iter->pte, leads to one; tdp_iter_skip() goes past
 * it. Runs under rcu_read_lock(): a table it stands in may be unlinked by
 * others, which its entries say then (tdp_iter_is_held()).
 *
 * Pure. Callers: mmu/tdp.c.
 */
#ifndef MMU_ITER_H
#define MMU_ITER_H

#include "base/host.h"
#include "base/types.h"
#include "mmu/pte.h"
#include "mmu/tdp.h"

struct tdp_iter {
	const struct pte_format *format;
	u64 from, end;			/* the range, [from, end) */
	u64 gfn;			/* first frame of the present entry */
	enum page_level level;		/* of the table the entry is in */
	enum page_level top;
	u64 *entry;
	u64 pte;			/* *entry when it was looked at */
	u64 *table[TDP_MAX_LEVELS + 1];	/* by level, from top down */
	bool valid;
};

/** tdp_index() - the entry of a @level table that covers @gfn */
static inline unsigned int tdp_index(u64 gfn, enum page_level level)
{
	return gfn >> (9 * (level - 1)) & 511;
}

/** tdp_iter_start() - stand on the top entry that covers @start */
void tdp_iter_start(struct tdp_iter *iter, const struct tdp_root *root,
		    struct gfn start, struct gfn end);

/** tdp_iter_next() - into the table below, or else the next entry */
void tdp_iter_next(struct tdp_iter *iter);

/** tdp_iter_skip() - the next entry that is not below the present one */
void tdp_iter_skip(struct tdp_iter *iter);

/** tdp_iter_is_table() - does iter->pte lead to a table */
static inline bool tdp_iter_is_table(const struct tdp_iter *iter)
{
	return pte_is_present(iter->format, iter->pte) &&
	       !pte_is_leaf(iter->pte, iter->level);
}

/** tdp_iter_is_held() - is the entry frozen, or its table unlinked */
static inline bool tdp_iter_is_held(const struct tdp_iter *iter)
{
	return iter->pte && !pte_is_present(iter->format, iter->pte);
}

/** tdp_iter_is_leaf() - does iter->pte map memory */
static inline bool tdp_iter_is_leaf(const struct tdp_iter *iter)
{
	return pte_is_present(iter->format, iter->pte) &&
	       pte_is_leaf(iter->pte, iter->level);
}

#endif
