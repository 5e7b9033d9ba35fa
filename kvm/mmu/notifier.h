/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host says about the VMM's own mappings: one subscription per
 * process, shared by its VMs.
 *
 * While an invalidation goes on, nothing of its range may be mapped; what was
 * looked up before it must not be used after it. Both are one protocol:
 *
 *	seq = mmu_mm_seq();  look up the page;
 *	read_lock(&mm->lock);
 *	if (!mmu_mm_changed(seq, range)) install;
 *	read_unlock(&mm->lock);
 *
 * An invalidation announces its range under the write side before it zaps, and
 * says under it that it is over. Zapping is done outside the lock. What it has to
 * take away is all that is mapped of its range when it has announced it: faults
 * that had passed the question have installed by then, later ones find it. It
 * belongs to slots of the set, or to the one that goes (mem.h), of each VM of the
 * process; how a walk over these misses none is in mmu.c, how one over a tree
 * passes no entry that somebody works on in tdp.h. What others take away at the
 * same time, they may not have flushed yet: mmu->flushing (mmu.h).
 *
 * Callers: mmu/fault.c, mmu/mmu.c.
 */
#ifndef MMU_NOTIFIER_H
#define MMU_NOTIFIER_H

#include <linux/list.h>
#include <linux/mmu_notifier.h>
#include <linux/spinlock.h>
#include <linux/wait.h>

#include "base/host.h"
#include "mmu/inval.h"
#include "mmu/mmu.h"

struct mmu_mm {
	struct mmu_notifier notifier;
	rwlock_t lock;			/* row 10 */
	struct inval inval;		/* [10w] */
	struct list_head mmus;		/* [10w] struct mmu */
	wait_queue_head_t left;		/* a leaving mmu has no visitor */
};

/** mmu_mm_join() - subscribe @mmu to its process; may sleep; errno */
int mmu_mm_join(struct mmu *mmu);

/**
 * mmu_mm_leave() - undo; on return no notifier touches @mmu
 *
 * Sleeps only while one does. The subscription itself is freed later.
 */
void mmu_mm_leave(struct mmu *mmu);

/** mmu_mm_seq() - to be taken before the host's mapping is looked at */
static inline unsigned long mmu_mm_seq(const struct mmu_mm *mm)
{
	return inval_seq(&mm->inval);
}

/** mmu_mm_active() - is part of [start, end) being invalidated; lock held */
static inline bool mmu_mm_active(const struct mmu_mm *mm, u64 start, u64 end)
{
	return inval_is_active(&mm->inval, start, end);
}

/** mmu_mm_changed() - is what was looked up since @seq void; lock held */
static inline bool mmu_mm_changed(const struct mmu_mm *mm, unsigned long seq,
				  u64 start, u64 end)
{
	return inval_changed(&mm->inval, seq, start, end);
}

#endif
