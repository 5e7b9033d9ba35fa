/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Read-side sections and a grace period for threads of a test: each thread
 * has a number, odd while it is inside, and who waits looks at all of them.
 */
#ifndef TESTS_CONC_RCU_H
#define TESTS_CONC_RCU_H

#include <sched.h>

#include "base/host.h"

#define THREADS 16

static unsigned long rcu_seq[THREADS];
static __thread unsigned int self;	/* number of this thread */

static inline void read_begin(void)
{
	__atomic_add_fetch(&rcu_seq[self], 1, __ATOMIC_SEQ_CST);
}

static inline void read_end(void)
{
	__atomic_add_fetch(&rcu_seq[self], 1, __ATOMIC_SEQ_CST);
}

/* Wait until @seq is not odd any more, or another number. */
static inline void wait_while_inside(unsigned long *seq)
{
	unsigned long was = __atomic_load_n(seq, __ATOMIC_SEQ_CST);

	while ((was & 1) && __atomic_load_n(seq, __ATOMIC_SEQ_CST) == was)
		sched_yield();
}

static inline void grace_period(void)
{
	for (int i = 0; i < THREADS; i++)
		wait_while_inside(&rcu_seq[i]);
}

#endif
