/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What became of a change of an interrupt line: the vocabulary of
 * KVM_IRQ_LINE_STATUS, used by the chips and by the routing above them.
 *
 * Above zero: so many processors took it. Lowering a line always "works"
 * and answers LINE_DONE. LINE_LATER is between the chips and their owner only:
 * the message is for so many processors that another thread takes it to them.
 */
#ifndef DEV_LINE_H
#define DEV_LINE_H

#include "base/host.h"

#define LINE_LATER (-2)		/* accepted; who takes it is not known yet */
#define LINE_IGNORED (-1)	/* masked, or nobody is there to take it */
#define LINE_COALESCED 0	/* merged with one that still waits */
#define LINE_DONE 1

/**
 * line_status_add() - one answer for a line that leads to several places
 * @a: status so far; start with LINE_IGNORED
 * @b: status of the next place
 */
static inline int line_status_add(int a, int b)
{
	if (a < 0)
		return b < 0 ? min(a, b) : b;
	return b < 0 ? a : a + b;
}

#endif
