// SPDX-License-Identifier: GPL-2.0-only
/*
 * Breakpoints on data and ports: see watch.h.
 */
#include "x86/watch.h"

/* DR7.R/Wn */
enum { RW_EXECUTE, RW_WRITE, RW_PORT, RW_DATA };

static bool watch_kind_fits(const struct regs *regs, unsigned int rw,
			    enum watch_kind kind)
{
	switch (rw) {
	case RW_WRITE:
		return kind == WATCH_WRITE;
	case RW_PORT:
		return kind == WATCH_PORT && regs->cr4 & CR4_DE;
	case RW_DATA:
		return kind != WATCH_PORT;
	}
	return false;
}

u8 watch_hits(const struct regs *regs, enum watch_kind kind, u64 addr,
	      unsigned int size)
{
	static const u8 length[] = { 1, 2, 8, 4 };	/* DR7.LENn */
	unsigned int i, control;
	u64 first, last;
	u8 hits = 0;

	for (i = 0; i < 4; i++) {
		control = regs->dr7 >> (16 + 4 * i) & 15;
		if (!(regs->dr7 >> 2 * i & 3) ||
		    !watch_kind_fits(regs, control & 3, kind))
			continue;
		/* The low bits of the address are masked by the length. */
		first = regs->dr[i] & ~(length[control >> 2] - 1ULL);
		last = first + length[control >> 2] - 1;
		if (first <= addr + size - 1 && addr <= last)
			hits |= BIT(i);
	}
	return hits;
}
