// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bus tables: copy-update and lookup. See bus.h for what a table means.
 *
 * The array is sorted by start, and among equals by rank, the most wanted
 * last: a lookup finds the last entry whose start is not above the address
 * and walks down from there. Each entry knows the highest last address of all
 * entries up to it, so that the walk ends as soon as nothing below can reach
 * the address: O(log n + candidates) when ranges do not nest.
 *
 * Invariant: a table never changes once it was handed out.
 */
#include "dev/bus.h"

/* Last address of a range; callers have checked that it does not wrap. */
static u64 range_last(const struct bus_range *r)
{
	return r->kind == BUS_EXACT ? r->start : r->start + (r->len - 1);
}

static bool range_valid(const struct bus_range *r)
{
	u64 last;

	if (r->kind == BUS_AREA)
		return r->len && !r->has_datamatch &&
		       !check_add_overflow(r->start, r->len - 1, &last);
	switch (r->len) {
	case 0:
		return !r->has_datamatch;
	case 1:
	case 2:
	case 4:
	case 8:
		return !check_add_overflow(r->start, r->len - 1, &last);
	default:
		return false;
	}
}

/* Of ranges with the same start, who is asked first: the higher rank. */
static unsigned int range_rank(const struct bus_range *r)
{
	if (r->kind == BUS_AREA)
		return 0;
	return 1 + 2 * r->has_datamatch + (r->len != 0);
}

static bool ranges_collide(const struct bus_range *a,
			   const struct bus_range *b)
{
	if (a->kind != BUS_EXACT || b->kind != BUS_EXACT)
		return false;
	if (a->start != b->start)
		return false;
	if (a->len && b->len && a->len != b->len)
		return false;
	return !a->has_datamatch || !b->has_datamatch ||
	       a->datamatch == b->datamatch;
}

/* Number of entries whose start is not above @addr. */
static __always_inline unsigned int upper_bound(const struct bus_table *t,
						u64 addr)
{
	unsigned int lo = 0, hi = t->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (t->entry[mid].r.start <= addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct bus_table *table_alloc(unsigned int nr)
{
	struct bus_table *t;

	return host_zalloc(struct_size(t, entry, nr));
}

static void table_append(struct bus_table *t, const struct bus_range *r)
{
	struct bus_entry *e = &t->entry[t->nr];
	u64 last = range_last(r);

	e->r = *r;
	e->max_last = t->nr ? max(last, e[-1].max_last) : last;
	/* An access to where it starts walks down to the first that reaches. */
	while (t->entry[t->reach].max_last < r->start)
		t->reach++;
	t->nr++;
	t->longest = max(t->longest, t->nr - t->reach);
}

/* Where a new range goes: before the older ones of its start and rank. */
static unsigned int insert_at(const struct bus_table *t,
			      const struct bus_range *r)
{
	unsigned int i = upper_bound(t, r->start);

	while (i && t->entry[i - 1].r.start == r->start &&
	       range_rank(&t->entry[i - 1].r) >= range_rank(r))
		i--;
	return i;
}

enum bus_rc bus_table_add(const struct bus_table *old,
			  const struct bus_range *r, struct bus_table **out)
{
	unsigned int nr = old ? old->nr : 0, at, i;
	struct bus_table *t;

	if (!range_valid(r))
		return BUS_INVALID;
	if (nr >= BUS_MAX_RANGES)
		return BUS_FULL;
	at = old ? upper_bound(old, r->start) : 0;
	while (at && old->entry[at - 1].r.start == r->start)
		if (ranges_collide(&old->entry[--at].r, r))
			return BUS_EXISTS;

	t = table_alloc(nr + 1);
	if (!t)
		return BUS_NOMEM;
	at = old ? insert_at(old, r) : 0;
	for (i = 0; i < at; i++)
		table_append(t, &old->entry[i].r);
	table_append(t, r);
	for (; i < nr; i++)
		table_append(t, &old->entry[i].r);
	*out = t;
	return BUS_OK;
}

static bool ranges_equal(const struct bus_range *a, const struct bus_range *b)
{
	return a->start == b->start && a->len == b->len &&
	       a->kind == b->kind && a->dev == b->dev &&
	       a->has_datamatch == b->has_datamatch &&
	       (!a->has_datamatch || a->datamatch == b->datamatch);
}

enum bus_rc bus_table_remove(const struct bus_table *old,
			     const struct bus_range *r,
			     struct bus_table **out)
{
	unsigned int at = old ? upper_bound(old, r->start) : 0, i;
	struct bus_table *t;

	do {
		if (!at || old->entry[at - 1].r.start != r->start)
			return BUS_NOENT;
	} while (!ranges_equal(&old->entry[--at].r, r));

	t = table_alloc(old->nr - 1);
	if (!t)
		return BUS_NOMEM;
	for (i = 0; i < old->nr; i++)
		if (i != at)
			table_append(t, &old->entry[i].r);
	*out = t;
	return BUS_OK;
}

static u64 load_le(const void *data, unsigned int len)
{
	u64 v = 0;

	memcpy(&v, data, len);
	return v;
}

/* From the last entry that starts at @addr or below, as long as one reaches. */
#define for_each_candidate(i, t, addr)					\
	for ((i) = upper_bound((t), (addr));				\
	     (i)-- && (t)->entry[i].max_last >= (addr);)

static __always_inline bool area_has(const struct bus_range *r, u64 addr,
				     unsigned int len)
{
	return r->kind == BUS_AREA && addr - r->start + len <= r->len;
}

static __always_inline bool exact_wants(const struct bus_range *r, u64 addr,
					unsigned int len, const void *data)
{
	return r->kind == BUS_EXACT && r->start == addr &&
	       (!r->len || r->len == len) &&
	       (!r->has_datamatch || load_le(data, len) == r->datamatch);
}

bool bus_read(const struct bus_table *t, u64 addr, unsigned int len,
	      void *data)
{
	unsigned int i;

	if (!t || len - 1 > 7)
		return false;
	for_each_candidate(i, t, addr) {
		const struct bus_range *r = &t->entry[i].r;

		if (area_has(r, addr, len) && r->dev->ops->read &&
		    r->dev->ops->read(r->dev, addr, len, data))
			return true;
	}
	return false;
}

bool bus_write(const struct bus_table *t, u64 addr, unsigned int len,
	       const void *data)
{
	unsigned int i;

	if (!t || len - 1 > 7)
		return false;
	for_each_candidate(i, t, addr) {
		const struct bus_range *r = &t->entry[i].r;

		if ((area_has(r, addr, len) ||
		     exact_wants(r, addr, len, data)) &&
		    r->dev->ops->write &&
		    r->dev->ops->write(r->dev, addr, len, data))
			return true;
	}
	return false;
}
