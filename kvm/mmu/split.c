// SPDX-License-Identifier: GPL-2.0-only
/*
 * Changes of page size: see split.h.
 *
 * A CPU that caches two sizes for one address may raise a machine check
 * (Intel: errata of instruction fetch from such a page), so a change of size
 * is not one exchange: the entry is frozen, not present, while the flush goes
 * on. Guests that fault on it meanwhile come back until it is done.
 *
 * Whoever unlinks the entry's table meanwhile owes a flush of its own, and finds
 * that another one is owed (env->prepare() comes before the freezing), so what
 * was cached of the frozen entry is gone when either of the two is done.
 */
#include "mmu/split.h"

void split_retire(const struct tdp_place *place, u64 *table,
		  struct tdp_env *env)
{
	struct gfn first = gfn_round(place->gfn, place->level);
	const struct pte_format *f = place->format;
	struct tdp_place below = {
		.format = f,
		.level = place->level - 1,
	};
	unsigned int i;

	for (i = 0; i < 512; i++) {
		/* One who stands here finds nothing to change any more. */
		u64 pte = xchg(&table[i], PTE_UNLINKED);

		below.gfn = gfn_add(first, i * pg_pages(below.level));
		if (pte_logs(f, pte, below.level))
			env->written(env, below.gfn);
		else if (pte_is_present(f, pte) &&
			 !pte_is_leaf(pte, below.level))
			split_retire(&below, pte_to_table(f, pte), env);
	}
	env->retire(env, table);
}

enum tdp_rc split_exchange(const struct tdp_place *place, u64 pte, u64 new,
			   struct tdp_env *env)
{
	u64 old = pte;
	bool frozen;

	env->prepare(env);
	frozen = try_cmpxchg64(place->entry, &old, PTE_FROZEN);
	if (frozen && !pte_is_leaf(pte, place->level))
		split_retire(place, pte_to_table(place->format, pte), env);
	else if (frozen && pte_logs(place->format, old, place->level))
		env->written(env, place->gfn);
	env->flush(env);
	if (!frozen)
		return TDP_RETRY;
	old = PTE_FROZEN;
	return try_cmpxchg64(place->entry, &old, new) ? TDP_OK : TDP_RETRY;
}

/* The leaf for the @index-th part of the large leaf @pte at @place. */
static u64 leaf_part(const struct tdp_place *place, u64 pte, unsigned int index)
{
	enum page_level to = place->level - 1;
	const struct pte_format *f = place->format;
	u64 part = pte & ~f->write;

	if (to == PG_4K) {
		part &= ~PTE_LARGE;
		if (f->log_by_dirty && (pte & PTE_HOST_WRITABLE))
			part = (part | f->write) & ~f->dirty;
	}
	return part + index * pg_size(to);
}

enum tdp_rc split_leaf(const struct tdp_place *place, u64 *pte,
		       struct tdp_env *env)
{
	u64 *table = env->alloc(env);
	unsigned int i;
	enum tdp_rc rc;
	u64 new;

	if (!table)
		return TDP_EMPTY;
	for (i = 0; i < 512; i++)
		table[i] = leaf_part(place, *pte, i);
	new = pte_table(place->format, host_pa(table));
	rc = split_exchange(place, *pte, new, env);
	if (rc == TDP_OK) {
		*pte = new;
	} else {
		memset(table, 0, PAGE_SIZE);
		env->give_back(env, table);
	}
	return rc;
}
