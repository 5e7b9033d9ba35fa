/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Address space identifiers: whose translations a TLB entry is.
 *
 * Each CPU hands out its ASIDs in turn and, when they are used up, starts a
 * new generation with everything flushed. A vCPU keeps its ASID while it
 * stays on a CPU and in the generation; so an ASID never means two vCPUs, or
 * two visits of one, without a flush in between. Dropping a vCPU's
 * translations is a flush of its ASID, or, on hardware that cannot do that,
 * simply the next ASID: the old one's entries are never used again.
 *
 * Pure. A struct asid_pool belongs to who is on its CPU, interrupts off; a
 * struct asid to its vCPU's thread. APM vol. 2, 15.16.
 */
#ifndef SVM_ASID_H
#define SVM_ASID_H

#include "base/host.h"
#include "svm/vmcb.h"

/* One CPU's. */
struct asid_pool {
	u32 count;		/* 1 to count - 1 are for guests */
	u32 next;
	u64 generation;		/* ASIDs of others are void */
};

/* One vCPU's; all zero: none yet. */
struct asid {
	u64 generation;		/* of the pool of the CPU it is on */
	u32 number;
	bool flush;		/* drop translations at the next entry */
};

/** asid_pool_reset() - this CPU's translations are unknown; @count as CPUID
 * says, at least 2
 */
void asid_pool_reset(struct asid_pool *pool, u32 count);

/** asid_moved() - the vCPU comes to another CPU: what it had is void */
static inline void asid_moved(struct asid *asid)
{
	asid->generation = 0;
}

/** asid_current() - is @asid good for the next entry as it is */
static inline bool asid_current(const struct asid *asid,
				const struct asid_pool *pool)
{
	return asid->generation == pool->generation && !asid->flush;
}

/**
 * asid_enter() - right before an entry: asid->number is what to enter with
 * @by_asid: TLB_CONTROL can flush one ASID
 *
 * Returns the TLB_CONTROL of this entry. Settles asid->flush.
 */
enum vmcb_tlb asid_enter(struct asid *asid, struct asid_pool *pool,
			 bool by_asid);

/**
 * asid_refused() - the entry did not take place
 * @tlb: the TLB_CONTROL it was made with
 *
 * Nothing was flushed: VMRUN checks the VMCB first, and only then executes the
 * command (APM vol. 3, VMRUN). What the entry owed, the next one owes.
 */
void asid_refused(struct asid *asid, struct asid_pool *pool,
		  enum vmcb_tlb tlb);

#endif
