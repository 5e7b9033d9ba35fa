// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ranges that are, or were lately, invalidated: see inval.h.
 */
#include "mmu/inval.h"

static bool meets(const struct inval_range *range, u64 start, u64 end)
{
	return start < range->end && end > range->start;
}

static bool goes_on(const struct inval_range *range)
{
	return range->start < range->end && !range->over;
}

static bool later(unsigned long a, unsigned long b)
{
	return (long)(a - b) > 0;
}

void inval_init(struct inval *inval)
{
	/* Numbers begin at 1, as 0 is none. */
	*inval = (struct inval){ .seq = 1, .forgotten = 1 };
}

/* An entry to use: the one that has been over for longest; NULL: all go on. */
static struct inval_range *oldest(struct inval *inval)
{
	struct inval_range *found = NULL;
	unsigned int i;

	for (i = 0; i < INVAL_RANGES; i++) {
		struct inval_range *range = &inval->range[i];

		if (range->start == range->end)
			return range;
		if (range->over && (!found || later(found->over, range->over)))
			found = range;
	}
	return found;
}

void inval_begin(struct inval *inval, u64 start, u64 end)
{
	struct inval_range *range = start < end ? oldest(inval) : NULL;

	inval->active++;
	if (range) {
		if (range->over && later(range->over, inval->forgotten))
			inval->forgotten = range->over;
		*range = (struct inval_range){ .start = start, .end = end };
	} else if (inval->others++) {
		inval->start = min(inval->start, start);
		inval->end = max(inval->end, end);
	} else {
		inval->start = start;
		inval->end = end;
	}
}

void inval_end(struct inval *inval, u64 start, u64 end)
{
	unsigned long seq = inval->seq + 1 ? : 1;
	unsigned int i;

	for (i = 0; i < INVAL_RANGES; i++)
		if (goes_on(&inval->range[i]) &&
		    inval->range[i].start == start && inval->range[i].end == end)
			break;
	if (i < INVAL_RANGES) {
		inval->range[i].over = seq;
	} else if (inval->others) {
		inval->others--;
		inval->forgotten = seq;
	} else {
		/* A host bug. What did begin goes on: nothing is mapped there. */
		return;
	}
	inval->active--;
	smp_store_release(&inval->seq, seq);
}

bool inval_is_active_slow(const struct inval *inval, u64 start, u64 end)
{
	unsigned int i;

	if (inval->others && start < inval->end && end > inval->start)
		return true;
	for (i = 0; i < INVAL_RANGES; i++)
		if (goes_on(&inval->range[i]) &&
		    meets(&inval->range[i], start, end))
			return true;
	return false;
}

bool inval_changed_slow(const struct inval *inval, unsigned long seq, u64 start,
			u64 end)
{
	unsigned int i;

	if (later(inval->forgotten, seq))
		return true;
	for (i = 0; i < INVAL_RANGES; i++)
		if (inval->range[i].over && later(inval->range[i].over, seq) &&
		    meets(&inval->range[i], start, end))
			return true;
	return inval_is_active_slow(inval, start, end);
}
