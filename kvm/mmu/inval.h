/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which of a process's addresses the host is invalidating, and which it has
 * invalidated lately: the answer to "is what I looked up still true".
 *
 * Each invalidation that is over has a number; who looks something up remembers
 * the last one, and asks later whether any since then met its addresses. The last
 * INVAL_RANGES are known by their addresses, so that a VMM's own malloc() and
 * free() void no fault on guest memory. What came before these counts as having
 * met everything. So do more than INVAL_RANGES at once, from the first address of
 * these to the last.
 *
 * Invariants: an entry is unused (start == end), goes on (over == 0), or is over.
 * `others` of the `active` ones have no entry. The caller has a lock: its write
 * side for begin and end, its read side for the questions.
 *
 * Pure. Callers: mmu/notifier.h, mmu/notifier.c.
 */
#ifndef MMU_INVAL_H
#define MMU_INVAL_H

#include "base/host.h"

#define INVAL_RANGES 16

struct inval_range {
	u64 start, end;
	unsigned long over;		/* its number; 0: it goes on */
};

struct inval {
	unsigned long seq;		/* of the last that is over; read freely */
	unsigned long forgotten;	/* the last that is over without an entry */
	unsigned int active;		/* that go on */
	unsigned int others;
	u64 start, end;			/* addresses of all others */
	struct inval_range range[INVAL_RANGES];
};

/** inval_init() - nothing is invalidated, nothing was */
void inval_init(struct inval *inval);

/** inval_begin() - from here on [start, end) must not be mapped */
void inval_begin(struct inval *inval, u64 start, u64 end);

/** inval_end() - one invalidation of just this range is over */
void inval_end(struct inval *inval, u64 start, u64 end);

/** inval_seq() - to be taken before a look at the host's mapping; no lock */
static inline unsigned long inval_seq(const struct inval *inval)
{
	/* With inval_end(): who sees the number sees what was done before. */
	return smp_load_acquire(&inval->seq);
}

bool inval_is_active_slow(const struct inval *inval, u64 start, u64 end);
bool inval_changed_slow(const struct inval *inval, unsigned long seq, u64 start,
			u64 end);

/** inval_is_active() - is part of [start, end) being invalidated */
static inline bool inval_is_active(const struct inval *inval, u64 start,
				   u64 end)
{
	return unlikely(inval->active) &&
	       inval_is_active_slow(inval, start, end);
}

/** inval_changed() - is it, or was it since inval_seq() gave @seq */
static inline bool inval_changed(const struct inval *inval, unsigned long seq,
				 u64 start, u64 end)
{
	return unlikely(inval->active || inval->seq != seq) &&
	       inval_changed_slow(inval, seq, start, end);
}

#endif
