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

/**
 * mmu_age_hva() - was memory at [start, end) used lately; does not sleep
 * @clear: forget that it was
 */
bool mmu_age_hva(struct mmu *mmu, u64 start, u64 end, bool clear);

#endif
