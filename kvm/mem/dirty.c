// SPDX-License-Identifier: GPL-2.0-only
/*
 * The engine of the dirty log: see dirty.h.
 */
#include "mem/dirty.h"

bool dirty_take(const struct memslot *slot, u64 first, u64 longs,
		unsigned long *out)
{
	unsigned long any = 0;
	u64 i;

	for (i = 0; i < longs; i++) {
		unsigned long *word = &slot->dirty[first + i];

		/* Most words are zero: do not take their cache line away. */
		if (READ_ONCE(*word))
			out[i] |= xchg(word, 0);
		any |= out[i];
	}
	return any;
}

void dirty_give_back(const struct memslot *slot, u64 first, u64 longs,
		     const unsigned long *in)
{
	u64 i, start = first * BITS_PER_LONG;
	unsigned long bit;

	for (i = 0; i < longs; i++)
		for_each_set_bit(bit, &in[i], BITS_PER_LONG)
			set_bit(start + i * BITS_PER_LONG + bit, slot->dirty);
}

u64 dirty_next_run(const unsigned long *mask, u64 bits, u64 *start)
{
	u64 end;

	*start = find_next_bit(mask, bits, *start);
	for (end = *start; end < bits && test_bit(end, mask); end++)
		;
	return end - *start;
}
