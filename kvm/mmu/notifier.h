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
 * An invalidation raises `active` under the write side before it zaps, and
 * raises `seq` when it is over. Zapping is done outside the lock.
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
#include "mmu/mmu.h"

struct mmu_mm {
	struct mmu_notifier notifier;
	rwlock_t lock;			/* row 10 */
	unsigned long seq;		/* [10w] invalidations that are over */
	unsigned int active;		/* [10w] invalidations going on */
	u64 start, end;			/* [10w] addresses of all of those */
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
	unsigned long seq = READ_ONCE(mm->seq);

	/* Before all that is looked up after. */
	smp_rmb();
	return seq;
}

/** mmu_mm_active() - is part of [start, end) being invalidated; lock held */
static inline bool mmu_mm_active(const struct mmu_mm *mm, u64 start, u64 end)
{
	return mm->active && start < mm->end && end > mm->start;
}

/** mmu_mm_changed() - is what was looked up since @seq void; lock held */
static inline bool mmu_mm_changed(const struct mmu_mm *mm, unsigned long seq,
				  u64 start, u64 end)
{
	return mm->seq != seq || mmu_mm_active(mm, start, end);
}

#endif
