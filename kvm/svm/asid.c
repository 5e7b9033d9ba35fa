// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address space identifiers: see asid.h. Called by run.c at each entry, and
 * by main.c when a CPU comes.
 */
#include "svm/asid.h"

void asid_pool_reset(struct asid_pool *pool, u32 count)
{
	pool->count = count;
	/* Void and used up: the first entry starts one more, and flushes. */
	pool->generation++;
	pool->next = count;
}

static enum vmcb_tlb asid_new(struct asid *asid, struct asid_pool *pool)
{
	enum vmcb_tlb tlb = VMCB_TLB_KEEP;

	if (pool->next >= pool->count) {
		pool->generation++;
		pool->next = 1;		/* 0 is the host's */
		tlb = VMCB_TLB_FLUSH_ALL;
	}
	asid->generation = pool->generation;
	asid->number = pool->next++;
	return tlb;
}

enum vmcb_tlb asid_enter(struct asid *asid, struct asid_pool *pool,
			 bool by_asid)
{
	bool flush = asid->flush;

	asid->flush = false;
	if (asid->generation != pool->generation || (flush && !by_asid))
		return asid_new(asid, pool);
	return flush ? VMCB_TLB_FLUSH_ASID : VMCB_TLB_KEEP;
}

void asid_refused(struct asid *asid, struct asid_pool *pool,
		  enum vmcb_tlb tlb)
{
	switch (tlb) {
	case VMCB_TLB_KEEP:
		return;
	case VMCB_TLB_FLUSH_ALL:
		/* Nobody may get a number of this generation. */
		asid_pool_reset(pool, pool->count);
		return;
	case VMCB_TLB_FLUSH_ASID:
		asid->flush = true;
		return;
	}
}
