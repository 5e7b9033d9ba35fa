// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's notifier calls: see notifier.h for the protocol.
 *
 * A call goes through the VMs of its process one by one. It visits a VM
 * without the lock, so zapping may be preempted and others may fault; while a
 * VM has visitors it stays on the list, and mmu_free() waits for them to be
 * gone. A VM that is leaving gets no new visitors: it has no vCPU any more,
 * and drops its tables itself.
 *
 * The calls come with mmap_lock or reverse-map locks held, young and test calls
 * also under a page-table spinlock, and a range may be not blockable: nothing
 * here sleeps except, in a blockable range, to let others run. What a call does
 * under a lock of ours is bounded by a constant; so is all of a young or test
 * call, which gives up. An invalidation visits each slot over its range once,
 * and each page, however slots change (mmu.c).
 */
#include <linux/err.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "mmu/notifier.h"
#include "mmu/zap.h"

static struct mmu_mm *mm_of(struct mmu_notifier *notifier)
{
	return container_of(notifier, struct mmu_mm, notifier);
}

/* Lock held, write side */
static void unvisit(struct mmu_mm *mm, struct mmu *mmu)
{
	if (!--mmu->visitors && mmu->leaving)
		wake_up_all(&mm->left);
}

/* The VM after @prev (NULL: the first) becomes visited, @prev unvisited. */
static struct mmu *visit_next(struct mmu_mm *mm, struct mmu *prev)
{
	struct list_head *link;
	struct mmu *mmu = NULL;

	write_lock(&mm->lock);
	link = prev ? prev->mm_link.next : mm->mmus.next;
	for (; link != &mm->mmus; link = link->next) {
		mmu = list_entry(link, struct mmu, mm_link);
		if (!mmu->leaving)
			break;
	}
	if (link == &mm->mmus)
		mmu = NULL;
	else
		mmu->visitors++;
	if (prev)
		unvisit(mm, prev);
	write_unlock(&mm->lock);
	return mmu;
}

static void visit_end(struct mmu_mm *mm, struct mmu *mmu)
{
	write_lock(&mm->lock);
	unvisit(mm, mmu);
	write_unlock(&mm->lock);
}

#define for_each_visit(mmu, mm) \
	for ((mmu) = visit_next((mm), NULL); (mmu); \
	     (mmu) = visit_next((mm), (mmu)))

static int notify_start(struct mmu_notifier *notifier,
			const struct mmu_notifier_range *range)
{
	bool blockable = mmu_notifier_range_blockable(range);
	struct mmu_mm *mm = mm_of(notifier);
	struct mmu *mmu;

	write_lock(&mm->lock);
	inval_begin(&mm->inval, range->start, range->end);
	write_unlock(&mm->lock);

	for_each_visit(mmu, mm)
		mmu_zap_hva(mmu, range->start, range->end, blockable);
	return 0;
}

static void notify_end(struct mmu_notifier *notifier,
		       const struct mmu_notifier_range *range)
{
	struct mmu_mm *mm = mm_of(notifier);

	write_lock(&mm->lock);
	inval_end(&mm->inval, range->start, range->end);
	write_unlock(&mm->lock);
}

static bool age(struct mmu_notifier *notifier, unsigned long start,
		unsigned long end, bool clear)
{
	struct mmu_aging aging = { .clear = clear, .steps = MMU_AGING_STEPS };
	struct mmu_mm *mm = mm_of(notifier);
	struct mmu *mmu;

	for_each_visit(mmu, mm) {
		mmu_age_hva(mmu, start, end, &aging);
		if (mmu_aging_over(&aging)) {
			visit_end(mm, mmu);
			break;
		}
	}
	return aging.young;
}

static int notify_clear_young(struct mmu_notifier *notifier,
			      struct mm_struct *mm, unsigned long start,
			      unsigned long end)
{
	return age(notifier, start, end, true);
}

static int notify_test_young(struct mmu_notifier *notifier,
			     struct mm_struct *mm, unsigned long address)
{
	return age(notifier, address, address + PAGE_SIZE, false);
}

/* The process is gone: no vCPU runs again, but the tables remain. */
static void notify_release(struct mmu_notifier *notifier, struct mm_struct *m)
{
	struct mmu_mm *mm = mm_of(notifier);
	struct mmu *mmu;

	for_each_visit(mmu, mm)
		mmu_zap_all(mmu);
}

static struct mmu_notifier *notify_alloc(struct mm_struct *m)
{
	struct mmu_mm *mm = kzalloc(sizeof(*mm), GFP_KERNEL_ACCOUNT);

	if (!mm)
		return ERR_PTR(-ENOMEM);
	rwlock_init(&mm->lock);
	inval_init(&mm->inval);
	INIT_LIST_HEAD(&mm->mmus);
	init_waitqueue_head(&mm->left);
	return &mm->notifier;
}

static void notify_free(struct mmu_notifier *notifier)
{
	kfree(mm_of(notifier));
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start = notify_start,
	.invalidate_range_end = notify_end,
	.clear_flush_young = notify_clear_young,
	.clear_young = notify_clear_young,
	.test_young = notify_test_young,
	.release = notify_release,
	.alloc_notifier = notify_alloc,
	.free_notifier = notify_free,
};

int mmu_mm_join(struct mmu *mmu)
{
	struct mmu_notifier *notifier = mmu_notifier_get(&notifier_ops,
							 mmu->mem->mm);
	struct mmu_mm *mm;

	if (IS_ERR(notifier))
		return PTR_ERR(notifier);
	mm = mm_of(notifier);
	mmu->mm = mm;
	write_lock(&mm->lock);
	list_add(&mmu->mm_link, &mm->mmus);
	write_unlock(&mm->lock);
	return 0;
}

static bool left(struct mmu *mmu)
{
	bool alone;

	write_lock(&mmu->mm->lock);
	mmu->leaving = true;
	alone = !mmu->visitors;
	if (alone)
		list_del(&mmu->mm_link);
	write_unlock(&mmu->mm->lock);
	return alone;
}

void mmu_mm_leave(struct mmu *mmu)
{
	if (!left(mmu))
		wait_event(mmu->mm->left, left(mmu));
	mmu_notifier_put(&mmu->mm->notifier);
}

void mmu_module_exit(void)
{
	mmu_notifier_synchronize();
}
