// SPDX-License-Identifier: GPL-2.0-only
/*
 * Table pages: see pages.h.
 *
 * A page is charged to the memory cgroup of who allocates it, and counted as
 * a secondary page table of its node while it exists.
 */
#include <linux/mm.h>

#include "mmu/notifier.h"
#include "mmu/pages.h"

/* Tables that one piece of work may keep: GiB of small pages. */
#define OP_RETIRED 512

static struct page *page_new(struct mmu *mmu)
{
	struct page *page = alloc_page(GFP_KERNEL_ACCOUNT | __GFP_ZERO);

	if (page) {
		mod_node_page_state(page_pgdat(page), NR_SECONDARY_PAGETABLE,
				    1);
		atomic64_inc(&mmu->tables);
	}
	return page;
}

static void page_uncount(struct mmu *mmu, struct page *page)
{
	mod_node_page_state(page_pgdat(page), NR_SECONDARY_PAGETABLE, -1);
	atomic64_dec(&mmu->tables);
}

static void page_free_rcu(struct rcu_head *head)
{
	__free_page(container_of(head, struct page, rcu_head));
}

void *mmu_table_alloc(struct mmu *mmu)
{
	struct page *page = page_new(mmu);

	return page ? page_address(page) : NULL;
}

void mmu_table_free(void *ctx, void *table)
{
	struct page *page = virt_to_page(table);

	page_uncount(ctx, page);
	__free_page(page);
}

static struct mmu_op *op_of(struct tdp_env *env)
{
	return container_of(env, struct mmu_op, env);
}

static void *op_alloc(struct tdp_env *env)
{
	struct mmu_op *op = op_of(env);
	struct page *page = list_first_entry_or_null(&op->stock, struct page,
						     lru);

	if (!page)
		return NULL;
	list_del(&page->lru);
	return page_address(page);
}

static void op_give_back(struct tdp_env *env, void *table)
{
	list_add(&virt_to_page(table)->lru, &op_of(env)->stock);
}

static void op_retire(struct tdp_env *env, void *table)
{
	struct mmu_op *op = op_of(env);

	list_add(&virt_to_page(table)->lru, &op->retired);
	op->retired_count++;
}

/* From here on others who find entries gone know that we have to flush. */
static void op_count(struct mmu_op *op)
{
	if (!op->counted)
		atomic_inc(&op->mmu->flushing);
	op->counted = true;
	smp_mb__after_atomic();
}

static void op_uncount(struct mmu_op *op)
{
	smp_mb__before_atomic();
	if (op->counted)
		atomic_dec(&op->mmu->flushing);
	op->counted = false;
}

static void op_prepare(struct tdp_env *env)
{
	op_count(op_of(env));
}

static void op_flush(struct tdp_env *env)
{
	struct mmu_op *op = op_of(env);

	op->mmu->ops->flush(op->mmu);
	op_uncount(op);
}

/*
 * Under mm->lock: see unmap_logged(). The flush to come is counted already: who
 * takes the bit flushes, too.
 */
static void op_written(struct tdp_env *env, struct gfn gfn)
{
	struct mmu *mmu = op_of(env)->mmu;

	/* Set before the bits were first cleared for a log. */
	if (READ_ONCE(mmu->logging))
		mem_mark_written(mmu->mem, gfn);
}

void mmu_op_init(struct mmu_op *op, struct mmu *mmu)
{
	*op = (struct mmu_op){
		.env = {
			.written = op_written,
			.alloc = op_alloc,
			.give_back = op_give_back,
			.retire = op_retire,
			.prepare = op_prepare,
			.flush = op_flush,
		},
		.mmu = mmu,
		.stock = LIST_HEAD_INIT(op->stock),
		.retired = LIST_HEAD_INIT(op->retired),
	};
}

void mmu_op_begin(struct mmu_op *op, struct mmu *mmu)
{
	mmu_op_init(op, mmu);
	op_count(op);
}

bool mmu_op_stock(struct mmu_op *op)
{
	struct page *page = page_new(op->mmu);

	if (!page)
		return false;
	list_add(&page->lru, &op->stock);
	return true;
}

/* After a flush */
static void let_retired_go(struct mmu_op *op)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, &op->retired, lru) {
		page_uncount(op->mmu, page);
		call_rcu(&page->rcu_head, page_free_rcu);
	}
	INIT_LIST_HEAD(&op->retired);
	op->retired_count = 0;
}

void mmu_op_trim(struct mmu_op *op)
{
	if (op->retired_count < OP_RETIRED)
		return;
	op->mmu->ops->flush(op->mmu);
	op->flush = false;
	let_retired_go(op);
}

void mmu_op_end(struct mmu_op *op)
{
	struct mmu *mmu = op->mmu;
	struct page *page, *next;

	if (op->counted) {
		/* Our looks at entries before the look at who is flushing. */
		smp_mb();
		if (op->flush || atomic_read(&mmu->flushing) > 1)
			mmu->ops->flush(mmu);
		op_uncount(op);
	}
	list_for_each_entry_safe(page, next, &op->stock, lru) {
		page_uncount(mmu, page);
		__free_page(page);
	}
	let_retired_go(op);
}
