// SPDX-License-Identifier: GPL-2.0-only
/*
 * Map, unmap, write-protect, age: see tdp.h for the rules.
 *
 * Races are settled by the entry itself. Each change is a compare-exchange
 * from the value that was judged; one who loses looks again, or gives up with
 * TDP_RETRY and lets the guest fault again. The loser's look is bounded:
 * an entry changes under him only because somebody got on with his work, or
 * because hardware recorded an access, which it does once.
 *
 * Ranges work with cmpxchg rather than exchange because a frozen entry belongs
 * to whoever froze it, who installs there once more. They stop at it: tdp.h.
 */
#include "mmu/iter.h"
#include "mmu/split.h"
#include "mmu/tdp.h"

/* How often to look again at an entry that changes before giving up. */
#define TDP_TRIES 4

static_assert(sizeof(u64) * 512 == PAGE_SIZE, "a table is a page");

/* Put a table in an empty entry; *@pte is then what the entry holds. */
static enum tdp_rc add_table(const struct pte_format *f, u64 *entry, u64 *pte,
			     struct tdp_env *env)
{
	void *table = env->alloc(env);
	u64 new;

	if (!table)
		return TDP_EMPTY;
	new = pte_table(f, host_pa(table));
	if (try_cmpxchg64(entry, pte, new))
		*pte = new;
	else
		env->give_back(env, table);
	return TDP_OK;
}

/* Find or make the table below @place; TDP_OK: *@table is it. */
static enum tdp_rc go_down(const struct tdp_place *place,
			   const struct tdp_map *map, struct tdp_env *env,
			   u64 **table)
{
	const struct pte_format *f = place->format;
	u64 pte = READ_ONCE(*place->entry);
	enum tdp_rc rc;

	if (!pte) {
		rc = add_table(f, place->entry, &pte, env);
		if (rc != TDP_OK)
			return rc;
	}
	if (!pte_is_present(f, pte))
		return TDP_RETRY;
	if (pte_is_leaf(pte, place->level)) {
		if (pte_allows(f, pte, map->wanted))
			return TDP_SPURIOUS;
		rc = split_leaf(place, &pte, env);
		if (rc != TDP_OK)
			return rc;
	}
	*table = host_va(pte & PTE_ADDR);
	return TDP_OK;
}

/* What a leaf becomes that maps the right page but allows too little. */
static u64 extend(const struct pte_format *f, u64 pte, u64 new)
{
	return new | (pte & (f->write | f->exec | f->accessed | f->dirty |
			     PTE_HOST_WRITABLE));
}

static u64 new_leaf(const struct pte_format *f, const struct tdp_map *map)
{
	u64 new = pte_leaf(f, map->pfn, map->level, map->access, map->type);

	if (map->host_writable)
		new |= PTE_HOST_WRITABLE;
	if (map->clean)
		new &= ~f->dirty;
	return new;
}

static enum tdp_rc map_leaf(const struct tdp_place *place,
			    const struct tdp_map *map, struct tdp_env *env)
{
	const struct pte_format *f = place->format;
	u64 *entry = place->entry;
	u64 new = new_leaf(f, map);
	int tries;

	for (tries = 0; tries < TDP_TRIES; tries++) {
		u64 pte = READ_ONCE(*entry);

		if (!pte) {
			if (try_cmpxchg64(entry, &pte, new))
				return TDP_OK;
			continue;
		}
		if (!pte_is_present(f, pte))
			return TDP_RETRY;
		if (!pte_is_leaf(pte, map->level))
			return f->small_exec ? TDP_RETRY :
			       split_exchange(place, pte, new, env);
		if (pte_allows(f, pte, map->wanted))
			return TDP_SPURIOUS;
		if (pte_pfn_of(pte).v != map->pfn.v)
			return split_exchange(place, pte, new, env);
		/* More is allowed than before: old translations only fault. */
		if (try_cmpxchg64(entry, &pte, extend(f, pte, new)))
			return TDP_OK;
	}
	return TDP_RETRY;
}

enum tdp_rc tdp_map(struct tdp_root *root, const struct tdp_map *map,
		    struct tdp_env *env)
{
	struct tdp_place place = {
		.format = root->format,
		.gfn = map->gfn,
		.level = root->level,
	};
	u64 *table = root->table;
	enum tdp_rc rc;

	for (;; place.level--) {
		place.entry = &table[tdp_index(map->gfn.v, place.level)];
		if (place.level == map->level)
			return map_leaf(&place, map, env);
		rc = go_down(&place, map, env, &table);
		if (rc != TDP_OK)
			return rc;
	}
}

/* The entry that decides about @gfn: a leaf, or what is not present. */
static u64 *find_entry(struct tdp_root *root, struct gfn gfn, u64 *pte,
		       enum page_level *level)
{
	u64 *table = root->table;
	u64 *entry;

	for (*level = root->level;; --*level) {
		entry = &table[tdp_index(gfn.v, *level)];
		*pte = READ_ONCE(*entry);
		if (!pte_is_present(root->format, *pte) ||
		    pte_is_leaf(*pte, *level))
			return entry;
		table = host_va(*pte & PTE_ADDR);
	}
}

enum tdp_rc tdp_add(struct tdp_root *root, const struct tdp_map *map,
		    bool *follows)
{
	const struct pte_format *f = root->format;
	enum page_level level;
	u64 pte;
	u64 *entry = find_entry(root, map->gfn, &pte, &level);

	*follows = false;
	if (level >= map->level && pte_allows(f, pte, map->wanted))
		return TDP_SPURIOUS;
	if (pte || level != map->level ||
	    !try_cmpxchg64(entry, &pte, new_leaf(f, map)))
		return TDP_RETRY;
	*follows = tdp_index(map->gfn.v, level) &&
		   pte_is_present(f, READ_ONCE(entry[-1]));
	return TDP_OK;
}

enum tdp_rc tdp_touch(struct tdp_root *root, struct gfn gfn, u32 wanted,
		      enum page_level max)
{
	const struct pte_format *f = root->format;
	enum page_level level;
	u64 pte;
	u64 *entry = find_entry(root, gfn, &pte, &level);

	if (!pte_is_present(f, pte))
		return TDP_RETRY;
	if (pte_allows(f, pte, wanted))
		return TDP_SPURIOUS;
	if (!pte_allows(f, pte, wanted & ~PTE_WRITE) ||
	    !(pte & PTE_HOST_WRITABLE) || level > max)
		return TDP_RETRY;
	return try_cmpxchg64(entry, &pte,
			     pte | f->write | f->accessed | f->dirty) ?
	       TDP_OK : TDP_RETRY;
}

u64 tdp_lookup(struct tdp_root *root, struct gfn gfn, enum page_level *level)
{
	u64 pte;

	find_entry(root, gfn, &pte, level);
	return pte_is_present(root->format, pte) ? pte : 0;
}

/* Change the entry that @iter stands on; false: it is another now, look. */
static bool iter_set(struct tdp_iter *iter, u64 pte)
{
	return try_cmpxchg64(iter->entry, &iter->pte, pte);
}

/*
 * Has the call done its share, or met somebody? Then the range goes on at this
 * entry. The entries above the first leaf are visited anew by each call.
 */
static bool iter_pause(const struct tdp_iter *iter, struct tdp_range *range,
		       u32 *visited)
{
	range->held = !range->alone && tdp_iter_is_held(iter);
	if (!range->held &&
	    ((*visited)++ < range->budget + TDP_MAX_LEVELS ||
	     iter->gfn <= range->start.v))
		return false;
	range->start = GFN(max(iter->gfn, range->start.v));
	return true;
}

/* May the table below this entry go as a whole? */
static bool iter_covered(const struct tdp_iter *iter)
{
	return iter->level <= PG_1G && iter->gfn >= iter->from &&
	       iter->gfn + pg_pages(iter->level) <= iter->end;
}

bool tdp_unmap(struct tdp_root *root, struct tdp_range *range,
	       struct tdp_env *env, bool *flush)
{
	struct tdp_iter iter;
	u32 visited = 0;

	tdp_iter_start(&iter, root, range->start, range->end);
	while (iter.valid) {
		u64 pte = iter.pte;

		if (iter_pause(&iter, range, &visited))
			return true;
		if (tdp_iter_is_table(&iter) && iter_covered(&iter)) {
			if (!iter_set(&iter, 0))
				continue;
			/* Also for the CPUs' paging-structure caches. */
			*flush = true;
			split_retire(&(struct tdp_place){
					.format = root->format,
					.gfn = GFN(iter.gfn),
					.level = iter.level,
				     }, host_va(pte & PTE_ADDR), env);
			visited += 512;
			tdp_iter_skip(&iter);
			continue;
		}
		if (tdp_iter_is_leaf(&iter)) {
			if (!iter_set(&iter, 0))
				continue;
			*flush = true;
			if (pte_logs(root->format, pte, iter.level))
				env->written(env, GFN(iter.gfn));
			tdp_iter_skip(&iter);
			continue;
		}
		tdp_iter_next(&iter);
	}
	range->start = range->end;
	return false;
}

bool tdp_protect(struct tdp_root *root, struct tdp_range *range, bool *flush)
{
	const struct pte_format *f = root->format;
	struct tdp_iter iter;
	u32 visited = 0;
	u64 bits;

	tdp_iter_start(&iter, root, range->start, range->end);
	while (iter.valid) {
		if (iter_pause(&iter, range, &visited))
			return true;
		bits = iter.level == PG_4K && f->log_by_dirty ? f->dirty :
								f->write;
		if (tdp_iter_is_leaf(&iter) && (iter.pte & bits)) {
			if (!iter_set(&iter, iter.pte & ~bits))
				continue;
			*flush = true;
		}
		tdp_iter_next(&iter);
	}
	range->start = range->end;
	return false;
}

/* What any of them has: most have nothing. In steps, for one register. */
static u64 eight_entries(const u64 *entry)
{
	u64 bits = READ_ONCE(entry[0]);

	bits |= READ_ONCE(entry[1]);
	bits |= READ_ONCE(entry[2]);
	bits |= READ_ONCE(entry[3]);
	bits |= READ_ONCE(entry[4]);
	bits |= READ_ONCE(entry[5]);
	bits |= READ_ONCE(entry[6]);
	bits |= READ_ONCE(entry[7]);
	return bits;
}

/*
 * The entries of the table that @iter leads to. One that became something else
 * between the two looks is reported, and has no bit to lose. What a frozen or
 * unlinked one said is noted by env->written().
 */
static bool harvest_table(const struct tdp_iter *iter,
			  const struct tdp_log *log)
{
	u64 *table = host_va(iter->pte & PTE_ADDR);
	u64 first = max(iter->gfn, iter->from), at = first - iter->gfn;
	u64 end = min(iter->gfn + 512, iter->end) - iter->gfn;
	u64 bit = first - log->base.v - at;
	u64 dirty = iter->format->dirty;
	bool any = false;

	while (at < end) {
		while (!(at % 8) && at + 8 <= end &&
		       !(eight_entries(&table[at]) & dirty))
			at += 8;
		if (at == end)
			break;
		if ((READ_ONCE(table[at]) & dirty) &&
		    test_and_clear_bit(__ffs(dirty),
				       (unsigned long *)&table[at])) {
			__set_bit(bit + at, log->mask);
			any = true;
		}
		at++;
	}
	return any;
}

bool tdp_harvest(struct tdp_root *root, struct tdp_range *range,
		 const struct tdp_log *log, bool *flush)
{
	struct tdp_iter iter;
	u32 visited = 0;

	tdp_iter_start(&iter, root, range->start, range->end);
	while (iter.valid) {
		if (iter_pause(&iter, range, &visited))
			return true;
		if (iter.level > PG_2M || !tdp_iter_is_table(&iter)) {
			tdp_iter_next(&iter);
			continue;
		}
		if (harvest_table(&iter, log))
			*flush = true;
		visited += 512;
		tdp_iter_skip(&iter);
	}
	range->start = range->end;
	return false;
}

void tdp_fill(struct tdp_root *root, const struct tdp_map *map,
	      const struct pfn *pfn, unsigned int n)
{
	const struct pte_format *f = root->format;
	u64 new, pte;
	enum page_level level;
	u64 *entry = find_entry(root, map->gfn, &pte, &level);
	unsigned int i;

	for (i = 0; level == PG_4K && i < n; i++) {
		if (READ_ONCE(entry[i]))
			continue;
		new = pte_leaf(f, pfn[i], PG_4K, map->access, map->type);
		if (map->host_writable)
			new |= PTE_HOST_WRITABLE;
		pte = 0;
		/* Somebody else's is as good. */
		try_cmpxchg64(&entry[i], &pte, new & ~f->accessed);
	}
}

static bool iter_is_young(const struct tdp_iter *iter)
{
	u64 accessed = iter->format->accessed;

	return iter->pte == PTE_FROZEN ||
	       (tdp_iter_is_leaf(iter) && (!accessed || (iter->pte & accessed)));
}

bool tdp_age(struct tdp_root *root, struct gfn start, struct gfn end,
	     bool clear)
{
	struct tdp_iter iter;
	bool young = false;

	tdp_iter_start(&iter, root, start, end);
	while (iter.valid) {
		if (iter_is_young(&iter)) {
			young = true;
			if (!clear)
				break;
			if (tdp_iter_is_leaf(&iter) &&
			    !iter_set(&iter, iter.pte & ~root->format->accessed))
				continue;
		}
		tdp_iter_next(&iter);
	}
	return young;
}

static void destroy_table(const struct pte_format *f, u64 *table,
			  enum page_level level,
			  void (*free)(void *ctx, void *table), void *ctx)
{
	unsigned int i;

	for (i = 0; level > PG_4K && i < 512; i++)
		if (pte_is_present(f, table[i]) && !pte_is_leaf(table[i], level))
			destroy_table(f, host_va(table[i] & PTE_ADDR),
				      level - 1, free, ctx);
	free(ctx, table);
}

void tdp_destroy(struct tdp_root *root, void (*free)(void *ctx, void *table),
		 void *ctx)
{
	destroy_table(root->format, root->table, root->level, free, ctx);
	root->table = NULL;
}
