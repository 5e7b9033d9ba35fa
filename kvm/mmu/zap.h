/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Taking translations away from a VM, by host address: what the notifier asks
 * of mmu/mmu.c. Each call flushes before it returns, if it has to.
 */
#ifndef MMU_ZAP_H
#define MMU_ZAP_H

#include "base/host.h"
#include "mmu/mmu.h"

/**
 * mmu_zap_hva() - forget what host addresses [start, end) back
 * @may_yield: the caller may be scheduled away
 */
void mmu_zap_hva(struct mmu *mmu, u64 start, u64 end, bool may_yield);

/*
 * What is asked about the use of memory, of all VMs of a process together. The
 * answer is a hint, and the question comes under a page-table lock: so much is
 * looked at, and no more.
 */
struct mmu_aging {
	bool clear;		/* forget what was found */
	bool young;		/* out: some of it was used */
	u32 steps;		/* entries of tables that may still be looked at */
};

#define MMU_AGING_STEPS 4096U
/* What else is looked at counts as so many. */
#define MMU_STEPS_SLOT 8U
#define MMU_STEPS_VM 16U
#define MMU_STEPS_ZAP 512U

/** mmu_aging_over() - is there nothing more to find, or no time */
static inline bool mmu_aging_over(const struct mmu_aging *aging)
{
	return !aging->steps || (aging->young && !aging->clear);
}

/** mmu_aging_spend() - @steps of work were, or are to be, done */
static inline void mmu_aging_spend(struct mmu_aging *aging, u32 steps)
{
	aging->steps -= min(aging->steps, steps);
}

/** mmu_age_hva() - was memory at [start, end) used lately; does not sleep */
void mmu_age_hva(struct mmu *mmu, u64 start, u64 end, struct mmu_aging *aging);

#endif
