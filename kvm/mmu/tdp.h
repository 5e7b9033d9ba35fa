/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The table engine: one tree of second-level page tables per root, changed by
 * atomic operations only, so that many may work on one tree at once.
 *
 * Every call runs under rcu_read_lock(), which keeps a table's memory valid
 * after it was unlinked. A table that is unlinked has all its entries marked so
 * before it is handed to env->retire(): one who still walks it cannot install
 * anything there. Retired tables may be freed after a flush and a grace period.
 *
 * Replacing a present entry by a different translation goes through frozen
 * (freeze, flush, install), so no CPU ever caches both. Only tdp_map() freezes.
 * It installs what it prepared from the old entry, unless the table of the entry
 * was unlinked meanwhile.
 *
 * So a frozen entry hides a translation that may come back, in parts (a split),
 * and an unlinked table may have been replaced by a large page. A walk over a
 * range never passes either: it stops there and says so (range->held), and its
 * caller lets it go on from there when no tdp_map() runs (range->alone). No
 * entry is frozen then, and a table that is unlinked then, or was since the walk
 * went in, was unlinked by another tdp_unmap(): what it led to is gone, and that
 * caller owes a flush.
 *
 * The engine does not flush on unmapping or write-protection: it returns
 * whether that is needed. It decides nothing about what may be mapped.
 *
 * Pure. Callers: mmu/fault.c, mmu/mmu.c, mmu/notifier.c.
 */
#ifndef MMU_TDP_H
#define MMU_TDP_H

#include "base/host.h"
#include "base/types.h"
#include "mmu/pte.h"

#define TDP_MAX_LEVELS 5

struct tdp_root {
	const struct pte_format *format;	/* [I] */
	u64 *table;				/* [I] */
	int level;				/* [I] 4 or 5 */
};

/* What the engine needs of its caller; embedded in the caller's own struct. */
struct tdp_env {
	/* A zeroed table from the caller's stock; NULL: empty. */
	void *(*alloc)(struct tdp_env *env);
	/* A table that alloc() gave and nobody saw. */
	void (*give_back)(struct tdp_env *env, void *table);
	/* @table was unlinked: free it after a flush and a grace period. */
	void (*retire)(struct tdp_env *env, void *table);
	/* A present entry is about to be replaced: flush() will follow. */
	void (*prepare)(struct tdp_env *env);
	/* No CPU uses what was frozen since prepare(), on return. */
	void (*flush)(struct tdp_env *env);
	/*
	 * An entry that said that @gfn was written is gone: pte_logs(). Who
	 * reads such a log holds calls off meanwhile, by a lock of its own.
	 */
	void (*written)(struct tdp_env *env, struct gfn gfn);
};

/* A mapping to install. @gfn and @pfn are multiples of the page at @level. */
struct tdp_map {
	struct gfn gfn;
	struct pfn pfn;
	enum page_level level;
	u32 access;		/* PTE_READ | ...: what the leaf will allow */
	u32 wanted;		/* what the fault needs: a subset of access */
	bool host_writable;	/* writes may be allowed later */
	bool clean;		/* the first write is the CPU's to mark */
	enum pte_memtype type;
};

enum tdp_rc {
	TDP_OK,		/* installed, or extended */
	TDP_SPURIOUS,	/* the tables allow it already */
	TDP_RETRY,	/* somebody changes the same place: fault again */
	TDP_EMPTY,	/* env->alloc() gave none: stock up and call again */
	TDP_SMALLER,	/* tables of tables are in its place: a smaller page */
};

/*
 * A range [start, end) to work on, piece by piece: what a call does is bounded by
 * its budget, plus one table.
 */
struct tdp_range {
	struct gfn start, end;
	struct gfn next;	/* where to go on; 0 at first */
	u32 budget;		/* entries to visit before a call returns */
	bool alone;		/* in: no tdp_map() is under way in this tree */
	bool held;		/* out: set alone for the next call */
};

/**
 * tdp_map() - make @map's page reachable through @root
 *
 * A present leaf that allows what is wanted is left alone, whatever its size.
 * A larger leaf that does not is split, smaller pages in the place of a larger
 * one are replaced, if that is one table to retire: thousands of tables are too
 * much for one who holds a lock (TDP_SMALLER). No other mapping of the range may
 * become invalid during the call (mmu->mm->lock, read side).
 */
enum tdp_rc tdp_map(struct tdp_root *root, const struct tdp_map *map,
		    struct tdp_env *env);

/**
 * tdp_add() - the same, where nothing is and no table is missing
 * @follows: is there something at the entry before it, in the same table
 *
 * Neither allocates nor flushes. TDP_SPURIOUS as above; TDP_RETRY: it takes
 * tdp_map(), or another look.
 */
enum tdp_rc tdp_add(struct tdp_root *root, const struct tdp_map *map,
		    bool *follows);

/**
 * tdp_touch() - can the leaf that maps @gfn serve @wanted
 * @max: the largest page that may be made writable
 *
 * A leaf without write access whose host mapping is writable is made writable
 * when that is wanted. TDP_OK: was done; TDP_SPURIOUS: allowed already;
 * TDP_RETRY: neither.
 */
enum tdp_rc tdp_touch(struct tdp_root *root, struct gfn gfn, u32 wanted,
		      enum page_level max);

/**
 * tdp_unmap() - remove all leaves that map any of @range
 *
 * A large page is removed whole. Tables that the range covers are retired, when
 * no table hangs below them any more.
 * Adds to *@flush whether a flush is needed. Returns true when there is more
 * to do, with @range moved on; *@flush may be acted on later. If range->held,
 * the next call has to be made alone, for a small budget.
 */
bool tdp_unmap(struct tdp_root *root, struct tdp_range *range,
	       struct tdp_env *env, bool *flush);

/**
 * tdp_protect() - have the next write to each page of @range noticed; as above
 *
 * Takes write access from all leaves; from small ones only the dirty bit,
 * where the format logs by it.
 */
bool tdp_protect(struct tdp_root *root, struct tdp_range *range, bool *flush);

/* Where tdp_harvest() notes what was written. */
struct tdp_log {
	struct gfn base;	/* of the first bit */
	unsigned long *mask;	/* the caller's alone */
};

/**
 * tdp_harvest() - move the dirty bits of the small pages of @range to @log
 *
 * For formats that log in the tables; otherwise as tdp_protect(). Bits that
 * are set in @log already stay.
 */
bool tdp_harvest(struct tdp_root *root, struct tdp_range *range,
		 const struct tdp_log *log, bool *flush);

/**
 * tdp_fill() - map @n small pages from @map->gfn on where nothing is
 * @pfn: one for each; @map's own is not used
 *
 * Only if their table is there, and all are in one. Pages are mapped as not
 * used yet. As for tdp_map(), none of them may become invalid meanwhile.
 */
void tdp_fill(struct tdp_root *root, const struct tdp_map *map,
	      const struct pfn *pfn, unsigned int n);

/**
 * tdp_age() - was a page of @range used since the last tdp_age()
 * @clear: forget that it was
 *
 * A page whose entry is frozen is: a guest has just faulted on it. What
 * range->budget does not suffice for is not looked at; what is left of it is
 * there on return.
 *
 * No flush is asked for: a CPU that has the page cached does not mark it
 * again until it loads it anew, so a page may look older than it is.
 */
bool tdp_age(struct tdp_root *root, struct tdp_range *range, bool clear);

/**
 * tdp_lookup() - the leaf that maps @gfn, or 0
 * @level: its level, or that of the entry that leads no further
 */
u64 tdp_lookup(struct tdp_root *root, struct gfn gfn, enum page_level *level);

/**
 * tdp_destroy() - hand all tables, the root's too, to @free; nobody uses them
 */
void tdp_destroy(struct tdp_root *root, void (*free)(void *ctx, void *table),
		 void *ctx);

#endif
