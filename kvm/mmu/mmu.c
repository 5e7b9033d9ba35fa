// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM's tables from birth to death, and all ways to take translations away:
 * by slot (mem->ops), by host address (the notifier), or everything.
 *
 * Long ranges are worked on in pieces, so that others run in between where
 * that is allowed, and the set of slots may change between two pieces. A walk
 * by host address then goes on behind the slot, by address and id, that it had
 * passed, and looks at mem->going in the moment in which it finds no more slot.
 * It misses nothing that was mapped when it began. Such a mapping belongs to a
 * slot that was in the set then, or was going (mem.h), and that slot
 *  - is in all sets until the walk finds no more: it is passed, and worked on;
 *  - or left the set and is going still: it is worked on now;
 *  - or left the set and is not going any more: then its change has taken its
 *    mappings away, and flushed, before it cleared mem->going.
 * The slot that was going when the walk began is of the last two kinds. Slots
 * that leave the set later were passed. What is mapped since the walk began is
 * not of its range (notifier.h). Nobody can make a walk begin anew, so it is as
 * long as there are slots, once.
 */
#include <linux/sched.h>

#include "mem/dirty.h"
#include "mem/pfn.h"
#include "mmu/notifier.h"
#include "mmu/pages.h"
#include "mmu/zap.h"

/* Entries to visit without a pause, and so many while others wait for the lock. */
#define MMU_PIECE 4096
#define MMU_PIECE_LOCKED 1024

/*
 * Faults that have looked at what is true have installed what they will, for
 * the caller to see; those that come look anew.
 */
static void wait_for_faults(struct mmu *mmu)
{
	write_lock(&mmu->mm->lock);
	write_unlock(&mmu->mm->lock);
}

/* What is done to a range of all trees of a VM, in pieces. */
struct sweep {
	struct mmu_op op;
	/* A piece; returns true when there is more to do. */
	bool (*piece)(struct sweep *sweep, struct tdp_root *root,
		      struct tdp_range *range);
	u32 budget;		/* of a piece */
	bool locked;		/* pieces run under mm->lock, read side */
	bool may_yield;		/* the caller may be scheduled away */
	const struct tdp_log *log;	/* of harvest_piece() */
};

static bool unmap_piece(struct sweep *sweep, struct tdp_root *root,
			struct tdp_range *range)
{
	return tdp_unmap(root, range, &sweep->op.env, &sweep->op.flush);
}

static bool protect_piece(struct sweep *sweep, struct tdp_root *root,
			  struct tdp_range *range)
{
	return tdp_protect(root, range, &sweep->op.flush);
}

static bool harvest_piece(struct sweep *sweep, struct tdp_root *root,
			  struct tdp_range *range)
{
	return tdp_harvest(root, range, sweep->log, &sweep->op.flush);
}

static bool next_piece(struct sweep *sweep, struct tdp_root *root,
		       struct tdp_range *range)
{
	bool more;

	rcu_read_lock();
	more = sweep->piece(sweep, root, range);
	rcu_read_unlock();
	return more;
}

/* Faults hold the read side where they install. */
static bool piece_alone(struct sweep *sweep, struct tdp_root *root,
			struct tdp_range *range)
{
	rwlock_t *lock = &sweep->op.mmu->mm->lock;
	bool more;

	range->alone = true;
	range->budget = 1;
	write_lock(lock);
	more = next_piece(sweep, root, range);
	write_unlock(lock);
	range->alone = false;
	return more;
}

static bool piece_beside_faults(struct sweep *sweep, struct tdp_root *root,
				struct tdp_range *range)
{
	rwlock_t *lock = &sweep->op.mmu->mm->lock;
	bool more;

	range->budget = sweep->budget;
	if (!sweep->locked)
		return next_piece(sweep, root, range);
	read_lock(lock);
	more = next_piece(sweep, root, range);
	read_unlock(lock);
	return more;
}

static void give_way(struct sweep *sweep)
{
	mmu_op_trim(&sweep->op);
	cond_resched();
}

static void sweep_range(struct sweep *sweep, struct gfn start, struct gfn end)
{
	struct mmu_tree *tree;

	list_for_each_entry(tree, &sweep->op.mmu->trees, link) {
		struct tdp_range range = { .start = start, .end = end };
		bool more;

		do {
			more = range.held ?
				piece_alone(sweep, &tree->root, &range) :
				piece_beside_faults(sweep, &tree->root, &range);
			if (sweep->may_yield)
				give_way(sweep);
		} while (more);
	}
}

/*
 * With the log in the tables, an entry and the note of what it said go in one
 * step for mem_harvest(), which takes the lock between the two looks.
 */
static void zap_begin(struct sweep *zap, struct mmu *mmu, bool may_yield)
{
	*zap = (struct sweep){
		.piece = unmap_piece,
		.budget = mmu->format->log_in_tables ? MMU_PIECE_LOCKED :
						       MMU_PIECE,
		.locked = mmu->format->log_in_tables,
		.may_yield = may_yield,
	};
	mmu_op_begin(&zap->op, mmu);
}

void mmu_zap_all(struct mmu *mmu)
{
	struct sweep zap;

	zap_begin(&zap, mmu, true);
	sweep_range(&zap, GFN(0), GFN(mmu->mem->gfn_end));
	mmu_op_end(&zap.op);
}

void mmu_zap_page(struct mmu *mmu, struct gfn gfn)
{
	struct sweep zap;

	/* A fault that is mapping it has finished, or sees the change. */
	wait_for_faults(mmu);
	zap_begin(&zap, mmu, true);
	sweep_range(&zap, gfn, gfn_add(gfn, 1));
	mmu_op_end(&zap.op);
}

/* The parts by host address of the slots there are, then of the one that goes. */
struct part_walk {
	struct hva_walk hva;
	bool ended;
};

/* See the head for why the two looks have to be in one section. */
static enum hva_step next_part(struct mmu *mmu, struct part_walk *walk)
{
	const struct memslot *going;
	enum hva_step step = HVA_DONE;

	read_lock(&mmu->mm->lock);
	if (!walk->ended)
		step = memslots_next_hva(mem_slots(mmu->mem), &walk->hva);
	if (step == HVA_DONE && !walk->ended) {
		walk->ended = true;
		going = mmu->mem->going;
		if (going && memslot_part(going, &walk->hva))
			step = HVA_PART;
	}
	read_unlock(&mmu->mm->lock);
	return step;
}

static void sweep_part(struct sweep *sweep, const struct hva_walk *part)
{
	sweep_range(sweep, part->gfn, gfn_add(part->gfn, part->npages));
}

void mmu_zap_hva(struct mmu *mmu, u64 start, u64 end, bool may_yield)
{
	struct part_walk walk = { .hva = { .start = start, .end = end } };
	enum hva_step step;
	struct sweep zap;

	zap_begin(&zap, mmu, may_yield);
	while ((step = next_part(mmu, &walk)) != HVA_DONE) {
		if (step == HVA_PART)
			sweep_part(&zap, &walk.hva);
		else if (may_yield)
			cond_resched();
	}
	mmu_op_end(&zap.op);
}

static void age_range(struct mmu *mmu, const struct hva_walk *part,
		      struct mmu_aging *aging)
{
	struct tdp_range range = {
		.start = part->gfn,
		.end = gfn_add(part->gfn, part->npages),
		.budget = aging->steps,
	};
	struct mmu_tree *tree;

	list_for_each_entry(tree, &mmu->trees, link) {
		range.next = GFN(0);
		rcu_read_lock();
		aging->young |= tdp_age(&tree->root, &range, aging->clear);
		rcu_read_unlock();
	}
	aging->steps = range.budget;
}

/* Without a bit for it: what is used again has to fault again. */
static void age_by_zap(struct sweep *zap, const struct hva_walk *part,
		       struct mmu_aging *aging)
{
	struct mmu_tree *tree;

	zap->budget = MMU_STEPS_ZAP;
	list_for_each_entry(tree, &zap->op.mmu->trees, link) {
		struct tdp_range range = {
			.start = part->gfn,
			.end = gfn_add(part->gfn, part->npages),
		};

		piece_beside_faults(zap, &tree->root, &range);
		aging->young |= range.held;
		mmu_aging_spend(aging, MMU_STEPS_ZAP);
	}
	aging->young |= zap->op.flush;
}

/* By @zap, or without: by the bits in the tables. */
static void age_parts(struct mmu *mmu, struct part_walk *walk,
		      struct mmu_aging *aging, struct sweep *zap)
{
	enum hva_step step = HVA_MORE;

	while (step != HVA_DONE && !mmu_aging_over(aging)) {
		step = next_part(mmu, walk);
		if (step == HVA_PART && zap)
			age_by_zap(zap, &walk->hva, aging);
		else if (step == HVA_PART)
			age_range(mmu, &walk->hva, aging);
		mmu_aging_spend(aging, MMU_STEPS_SLOT);
	}
}

void mmu_age_hva(struct mmu *mmu, u64 start, u64 end, struct mmu_aging *aging)
{
	struct part_walk walk = { .hva = { .start = start, .end = end } };
	struct sweep zap;

	mmu_aging_spend(aging, MMU_STEPS_VM);
	if (mmu->format->accessed || !aging->clear) {
		age_parts(mmu, &walk, aging, NULL);
		return;
	}
	zap_begin(&zap, mmu, false);
	age_parts(mmu, &walk, aging, &zap);
	mmu_op_end(&zap.op);
}

static struct mmu *mmu_of(struct mem *mem)
{
	return container_of(mem->ops, struct mmu, mem_ops);
}

static void mem_publish(struct mem *mem, struct memslots *next,
			struct memslot *going)
{
	struct mmu_mm *mm = mmu_of(mem)->mm;

	write_lock(&mm->lock);
	WRITE_ONCE(mem->going, going);
	/* The pointer comes after: mem_mark_written() needs no lock. */
	rcu_assign_pointer(mem->slots, next);
	write_unlock(&mm->lock);
}

static void mem_forget(struct mem *mem)
{
	const struct memslot *slot = mem->going;
	struct mmu *mmu = mmu_of(mem);
	struct sweep zap;

	zap_begin(&zap, mmu, true);
	sweep_range(&zap, slot->base, gfn_add(slot->base, slot->npages));
	/* Flushes: what is gone has to be gone for the CPUs, too. */
	mmu_op_end(&zap.op);

	write_lock(&mmu->mm->lock);
	WRITE_ONCE(mem->going, NULL);
	write_unlock(&mmu->mm->lock);
}

/* Zap the block at @gfn if it is small pages where the host has a large one. */
static void enlarge(struct sweep *zap, const struct memslot *slot,
		    struct gfn gfn, enum page_level level)
{
	if (level == PG_4K && pfn_host_large(memslot_hva(slot, gfn)))
		sweep_range(zap, gfn, gfn_add(gfn, pg_pages(PG_2M)));
}

/*
 * What small pages still say about writes costs a fault each at most. Large
 * pages come back as faults ask, once the small ones are gone.
 */
static void mem_unlog(struct mem *mem, const struct memslot *slot)
{
	u64 end = slot->base.v + slot->npages, block = pg_pages(PG_2M);
	struct mmu *mmu = mmu_of(mem);
	struct gfn gfn = GFN(ALIGN(slot->base.v, block));
	enum page_level level;
	struct sweep zap;

	if (((slot->hva.v >> PAGE_SHIFT) ^ slot->base.v) & (block - 1))
		return;
	zap_begin(&zap, mmu, true);
	while (gfn.v + block <= end) {
		rcu_read_lock();
		tdp_lookup(&mmu->main.root, gfn, &level);
		rcu_read_unlock();
		enlarge(&zap, slot, gfn, level);
		/* Nothing is smaller than what the entry covers. */
		level = max(level, PG_2M);
		gfn = gfn_add(gfn_round(gfn, level), pg_pages(level));
		cond_resched();
	}
	mmu_op_end(&zap.op);
}

void mmu_log_begin(struct mmu *mmu)
{
	if (!mmu->format->log_by_dirty ||
	    smp_load_acquire(&mmu->logging_known))
		return;
	WRITE_ONCE(mmu->logging, true);
	if (!mmu->format->log_in_tables)
		mmu->ops->flush(mmu);
	smp_store_release(&mmu->logging_known, true);
}

/* What the hardware has yet to tell it tells when the guest exits. */
static void mem_sync_log(struct mem *mem)
{
	struct mmu *mmu = mmu_of(mem);

	if (READ_ONCE(mmu->logging) && !mmu->format->log_in_tables)
		mmu->ops->quiesce(mmu);
}

static void protect_range(struct sweep *sweep, struct gfn start, u64 npages)
{
	sweep_range(sweep, start, gfn_add(start, npages));
}

static void mem_protect(struct mem *mem, const struct memslot *slot,
			u64 first, u64 npages, const unsigned long *mask)
{
	struct sweep sweep = {
		.piece = protect_piece,
		.budget = MMU_PIECE,
		.may_yield = true,
	};
	struct gfn base = gfn_add(slot->base, first);
	struct mmu *mmu = mmu_of(mem);
	u64 at = 0, n;

	mmu_log_begin(mmu);
	wait_for_faults(mmu);
	mmu_op_begin(&sweep.op, mmu);
	if (!mask)
		protect_range(&sweep, base, npages);
	else
		for (; (n = dirty_next_run(mask, npages, &at)); at += n)
			protect_range(&sweep, gfn_add(base, at), n);
	mmu_op_end(&sweep.op);
}

static void mem_harvest(struct mem *mem, const struct memslot *slot,
			u64 first, u64 npages, unsigned long *mask)
{
	struct gfn base = gfn_add(slot->base, first);
	const struct tdp_log log = { .base = base, .mask = mask };
	struct sweep sweep = {
		.piece = harvest_piece,
		.budget = MMU_PIECE,
		.may_yield = true,
		.log = &log,
	};
	struct mmu *mmu = mmu_of(mem);

	mmu_op_begin(&sweep.op, mmu);
	sweep_range(&sweep, base, gfn_add(base, npages));
	/* Who was faster with an entry has noted what it said. */
	wait_for_faults(mmu);
	dirty_take(slot, first / BITS_PER_LONG, dirty_longs(npages),
		   mask);
	mmu_op_end(&sweep.op);
}

int mmu_init(struct mmu *mmu, struct mem *mem, const struct pte_format *format,
	     int levels, const struct mmu_ops *ops)
{
	void *table;
	int err;

	mmu->mem = mem;
	mmu->format = format;
	mmu->ops = ops;
	mmu->apart = NO_GFN;
	mmu->visitors = 0;
	mmu->leaving = false;
	INIT_LIST_HEAD(&mmu->trees);
	atomic_set(&mmu->flushing, 0);
	atomic64_set(&mmu->tables, 0);

	table = mmu_table_alloc(mmu);
	if (!table)
		return -ENOMEM;
	mmu->main.root = (struct tdp_root){
		.format = format,
		.table = table,
		.level = levels,
	};
	list_add(&mmu->main.link, &mmu->trees);

	mem->gfn_end = 1ULL << (9 * levels);
	mmu->mem_ops = (struct mem_ops){
		.publish = mem_publish,
		.forget = mem_forget,
		.unlog = mem_unlog,
		.protect = mem_protect,
		.harvest = format->log_in_tables ? mem_harvest : NULL,
		.sync_log = mem_sync_log,
	};
	mem->ops = &mmu->mem_ops;

	err = mmu_mm_join(mmu);
	if (err)
		mmu_table_free(mmu, table);
	return err;
}

static void free_table(void *mmu, void *table)
{
	mmu_table_free(mmu, table);
	cond_resched();
}

void mmu_free(struct mmu *mmu)
{
	mmu_mm_leave(mmu);
	tdp_destroy(&mmu->main.root, free_table, mmu);
}
