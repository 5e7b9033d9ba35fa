// SPDX-License-Identifier: GPL-2.0-only
/*
 * The range iterator: see iter.h.
 *
 * iter->gfn is the entry's own first frame, so it lies below the start of the
 * range when a large entry begins before it; going down from there has to go
 * to the later of the two.
 */
#include "mmu/iter.h"

static void iter_look(struct tdp_iter *iter, u64 gfn)
{
	iter->gfn = gfn & ~(pg_pages(iter->level) - 1);
	iter->entry = &iter->table[iter->level][tdp_index(gfn, iter->level)];
	iter->pte = READ_ONCE(*iter->entry);
}

void tdp_iter_start(struct tdp_iter *iter, const struct tdp_root *root,
		    struct gfn start, struct gfn end)
{
	u64 limit = pg_pages(root->level) * 512;

	*iter = (struct tdp_iter){
		.format = root->format,
		.from = start.v,
		.end = min(end.v, limit),
		.level = root->level,
		.top = root->level,
	};
	iter->table[root->level] = root->table;
	iter->valid = start.v < iter->end;
	if (iter->valid)
		iter_look(iter, start.v);
}

void tdp_iter_skip(struct tdp_iter *iter)
{
	u64 gfn = iter->gfn + pg_pages(iter->level);

	if (gfn >= iter->end) {
		iter->valid = false;
		return;
	}
	/* Past the last entry of a table: up to where the next one hangs. */
	while (iter->level < iter->top && !tdp_index(gfn, iter->level))
		iter->level++;
	iter_look(iter, gfn);
}

void tdp_iter_next(struct tdp_iter *iter)
{
	if (!tdp_iter_is_table(iter)) {
		tdp_iter_skip(iter);
		return;
	}
	iter->level--;
	iter->table[iter->level] = pte_to_table(iter->format, iter->pte);
	iter_look(iter, max(iter->gfn, iter->from));
}
