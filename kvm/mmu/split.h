/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Changes of page size: a large page to a table of smaller ones and back, and
 * what both rest on: exchanging a present entry, retiring a table.
 *
 * Pure. Callers: mmu/tdp.c, under the rules of tdp.h.
 */
#ifndef MMU_SPLIT_H
#define MMU_SPLIT_H

#include "base/host.h"
#include "mmu/pte.h"
#include "mmu/tdp.h"

/* One entry of a tree. */
struct tdp_place {
	const struct pte_format *format;
	u64 *entry;
	struct gfn gfn;		/* one that it covers */
	enum page_level level;	/* of the table the entry is in */
};

/**
 * split_exchange() - replace the present @pte at @place by @new
 *
 * Freezes the entry, retires the table it led to, flushes and installs.
 * TDP_OK, or TDP_RETRY when the entry is not @pte any more, or its table was
 * unlinked before @new could be installed: nobody has seen @new then.
 */
enum tdp_rc split_exchange(const struct tdp_place *place, u64 pte, u64 new,
			   struct tdp_env *env);

/**
 * split_leaf() - replace the large leaf *@pte at @place by smaller pages
 *
 * The smaller pages allow what the large one did, except writes: who splits
 * does so to hear of each. TDP_OK: *@pte is the entry of the table. TDP_EMPTY,
 * TDP_RETRY: it was not, and others may have changed it.
 */
enum tdp_rc split_leaf(const struct tdp_place *place, u64 *pte,
		       struct tdp_env *env);

/**
 * split_retire() - mark as unlinked and retire the @table that hung at @place,
 * and all below
 */
void split_retire(const struct tdp_place *place, u64 *table,
		  struct tdp_env *env);

#endif
