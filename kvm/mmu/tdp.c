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

/* So many tables below another one may be retired along with it. */
#define TDP_FEW 4

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
	*table = pte_to_table(f, pte);
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

/* Is it little work to retire @table, which hangs at an entry of @level? */
static bool table_is_small(const struct pte_format *f, const u64 *table,
			   enum page_level level)
{
	unsigned int i, below = 0;

	for (i = 0; level > PG_2M && i < 512; i++) {
		u64 pte = READ_ONCE(table[i]);

		below += pte_is_present(f, pte) && !pte_is_leaf(pte, level - 1);
	}
	return below <= TDP_FEW;
}

/* Put the large leaf @new in the place of the table that @pte leads to. */
static enum tdp_rc map_over_table(const struct tdp_place *place, u64 pte,
				  u64 new, struct tdp_env *env)
{
	const struct pte_format *f = place->format;

	if (f->small_exec)
		return TDP_RETRY;
	if (!table_is_small(f, pte_to_table(f, pte), place->level))
		return TDP_SMALLER;
	return split_exchange(place, pte, new, env);
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
			return map_over_table(place, pte, new, env);
		if (pte_allows(f, pte, map->wanted))
			return TDP_SPURIOUS;
		if (!pte_same_page(f, pte, new))
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
		table = pte_to_table(root->format, *pte);
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
	     iter->gfn <= iter->from))
		return false;
	range->next = GFN(max(iter->gfn, iter->from));
	return true;
}

static void iter_begin(struct tdp_iter *iter, const struct tdp_root *root,
		       const struct tdp_range *range)
{
	tdp_iter_start(iter, root, GFN(max(range->start.v, range->next.v)),
		       range->end);
}

/* May the table at @place go as a whole? */
static bool place_covered(const struct tdp_place *place,
			  const struct tdp_range *range)
{
	u64 first = gfn_round(place->gfn, place->level).v;

	return place->level <= PG_1G && first >= range->start.v &&
	       first + pg_pages(place->level) <= range->end.v;
}

/*
 * Unlink the table at @place, whose entry *@pte is, if the range covers it and
 * retiring it is little work. False: *@pte may be another now.
 */
static bool unmap_table(const struct tdp_place *place, u64 *pte,
			const struct tdp_range *range, struct tdp_env *env)
{
	u64 *table = pte_to_table(place->format, *pte);

	if (!place_covered(place, range) ||
	    !table_is_small(place->format, table, place->level) ||
	    !try_cmpxchg64(place->entry, pte, 0))
		return false;
	split_retire(place, table, env);
	return true;
}

/*
 * Past the entry that @iter stands on. If it was the last of a table, which is
 * empty by now, that goes, too. Returns whether it did.
 */
static bool unmap_skip(struct tdp_iter *iter, const struct tdp_range *range,
		       struct tdp_env *env)
{
	const u64 *table = iter->table[PG_2M];
	struct tdp_place above = {
		.format = iter->format,
		.gfn = GFN(iter->gfn),
		.level = PG_1G,
	};
	bool last = iter->level == PG_2M && tdp_index(iter->gfn, PG_2M) == 511;
	u64 pte;

	tdp_iter_skip(iter);
	if (!last)
		return false;
	above.entry = &iter->table[PG_1G][tdp_index(above.gfn.v, PG_1G)];
	pte = READ_ONCE(*above.entry);
	return pte_is_present(above.format, pte) &&
	       !pte_is_leaf(pte, PG_1G) && pte_to_table(above.format, pte) == table &&
	       unmap_table(&above, &pte, range, env);
}

/* What @iter stands on goes; false: it is another now, look. */
static bool unmap_entry(struct tdp_iter *iter, const struct tdp_range *range,
			struct tdp_env *env)
{
	u64 pte = iter->pte;

	if (tdp_iter_is_table(iter))
		return unmap_table(&(struct tdp_place){
					.format = iter->format,
					.entry = iter->entry,
					.gfn = GFN(iter->gfn),
					.level = iter->level,
				   }, &iter->pte, range, env);
	if (!iter_set(iter, 0))
		return false;
	if (pte_logs(iter->format, pte, iter->level))
		env->written(env, GFN(iter->gfn));
	return true;
}

bool tdp_unmap(struct tdp_root *root, struct tdp_range *range,
	       struct tdp_env *env, bool *flush)
{
	struct tdp_iter iter;
	u32 visited = 0;

	iter_begin(&iter, root, range);
	while (iter.valid) {
		bool table = tdp_iter_is_table(&iter);
		u64 pte = iter.pte;

		if (iter_pause(&iter, range, &visited))
			return true;
		if (pte_is_present(root->format, pte)) {
			if (unmap_entry(&iter, range, env)) {
				/* Also for CPUs' paging-structure caches. */
				*flush = true;
				visited += table ? 512 : 0;
			} else if (iter.pte != pte) {
				continue;
			} else {
				tdp_iter_next(&iter);
				continue;
			}
		}
		if (unmap_skip(&iter, range, env)) {
			*flush = true;
			visited += 512;
		}
	}
	range->next = range->end;
	return false;
}

bool tdp_protect(struct tdp_root *root, struct tdp_range *range, bool *flush)
{
	const struct pte_format *f = root->format;
	struct tdp_iter iter;
	u32 visited = 0;
	u64 bits;

	iter_begin(&iter, root, range);
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
	range->next = range->end;
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
	u64 *table = pte_to_table(iter->format, iter->pte);
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

	iter_begin(&iter, root, range);
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
	range->next = range->end;
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

bool tdp_age(struct tdp_root *root, struct tdp_range *range, bool clear)
{
	struct tdp_iter iter;
	bool young = false;

	iter_begin(&iter, root, range);
	for (; iter.valid && range->budget; range->budget--) {
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
			destroy_table(f, pte_to_table(f, table[i]),
				      level - 1, free, ctx);
	free(ctx, table);
}

void tdp_destroy(struct tdp_root *root, void (*free)(void *ctx, void *table),
		 void *ctx)
{
	destroy_table(root->format, root->table, root->level, free, ctx);
	root->table = NULL;
}
