/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One piece of work on a VM's tables: its stock of table pages, what it took
 * out, and the flush it owes.
 *
 * Between mmu_op_begin() and mmu_op_end() the engine may be called any number
 * of times. mmu_op_end() flushes if this work, or another that has not flushed
 * yet, took something away; only then are retired tables given to RCU. It is
 * on the stack of one thread. Neither call sleeps.
 *
 * Callers: mmu/mmu.c, mmu/fault.c, mmu/notifier.c.
 */
#ifndef MMU_PAGES_H
#define MMU_PAGES_H

#include <linux/list.h>

#include "base/host.h"
#include "mmu/mmu.h"

struct mmu_op {
	struct tdp_env env;
	struct mmu *mmu;
	struct list_head stock;		/* zeroed pages, by page->lru */
	struct list_head retired;	/* unlinked tables, by page->lru */
	bool flush;			/* this work owes a flush */
	bool counted;			/* in mmu->flushing */
	unsigned int retired_count;
};

/**
 * mmu_op_init() - work that adds, under mm->lock; replacements flush where they
 * happen
 */
void mmu_op_init(struct mmu_op *op, struct mmu *mmu);

/** mmu_op_begin() - mmu_op_init() for work that takes away, outside mm->lock */
void mmu_op_begin(struct mmu_op *op, struct mmu *mmu);

/** mmu_op_stock() - one page more for env.alloc(); may sleep; false: none */
bool mmu_op_stock(struct mmu_op *op);

/** mmu_op_trim() - if many tables were retired, flush and let go of them */
void mmu_op_trim(struct mmu_op *op);

/** mmu_op_end() - flush if need be, and let go of pages; both kinds */
void mmu_op_end(struct mmu_op *op);

/** mmu_table_alloc() - a zeroed table, accounted to @mmu; may sleep */
void *mmu_table_alloc(struct mmu *mmu);

/** mmu_table_free() - free a table that nobody can reach; @ctx: struct mmu */
void mmu_table_free(void *ctx, void *table);

#endif
