/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Faults of AMD's CPUs that a hypervisor has to know of: how to tell them.
 * What is done about them: errata.c. Numbers are those of AMD's revision guides.
 *
 * Pure.
 */
#ifndef SVM_ERRATA_H
#define SVM_ERRATA_H

#include "base/host.h"

/* Two translations of one address in the TLB, as MC0_STATUS reports them. */
#define MC_STATUS_TLB_MMATCH 0xb600000000010015ULL
#define MC_STATUS_OVERFLOW BIT_ULL(62)

/**
 * erratum_383() - is the machine check with @mc0_status a guest's multi-match
 *
 * A guest that changes the size of a page without a flush in between can have
 * both sizes in the TLB. No data is lost: dropping the TLB mends it.
 */
static inline bool erratum_383(u64 mc0_status)
{
	return (mc0_status & ~MC_STATUS_OVERFLOW) == MC_STATUS_TLB_MMATCH;
}

/* OS visible workarounds, APM vol. 2, 3.2.11: bit n set, erratum n is there. */
struct osvw {
	u64 length;		/* how many bits of status count */
	u64 status;
};

#define OSVW_298 BIT(0)		/* A and D bits in the TLB */
#define OSVW_400 BIT(1)		/* APIC timer stops in C1E */
#define OSVW_415 BIT(2)		/* HLT with an I/O cycle */

/**
 * osvw_for_guest() - what a guest is told on a CPU that says @host
 * @family: as CPUID has it; a CPU of family 10h may be too old to have a say
 *
 * What HLT and ports do wrong a guest does not see, as both exit. A bit that the
 * host has not is 0 for the guest, too, but it then counts.
 */
static inline struct osvw osvw_for_guest(struct osvw host, u32 family)
{
	struct osvw guest = {
		.length = host.length > 3 ? host.length : 3,
		.status = host.status & ~(u64)(OSVW_400 | OSVW_415),
	};

	if (!host.length)
		guest.status = family == 0x10 ? OSVW_298 : 0;
	return guest;
}

#endif
