// SPDX-License-Identifier: GPL-2.0-only
/*
 * Faults of the CPU: see errata.h. And pages for what hardware locks while a
 * guest runs.
 *
 * Called by main.c: at module load, as CPUs come, for memory, and for a machine
 * check that ended a guest's run.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/msr.h>
#include <asm/tlbflush.h>

#include "svm/errata.h"
#include "svm/svm.h"

#define DC_CFG_MMATCH_IS_MC BIT_ULL(47)
#define MC_BANKS_10H 6

static struct osvw guest_osvw __ro_after_init;

void svm_errata_setup(void)
{
	struct osvw host = { };

	if (boot_cpu_has(X86_FEATURE_OSVW) &&
	    (rdmsrl_safe(MSR_AMD64_OSVW_ID_LENGTH, &host.length) ||
	     rdmsrl_safe(MSR_AMD64_OSVW_STATUS, &host.status)))
		host = (struct osvw){ };
	guest_osvw = osvw_for_guest(host, boot_cpu_data.x86);
}

void svm_errata_vcpu(struct vcpu *vcpu)
{
	vcpu->msrs.val[SLOT_OSVW_LENGTH] = guest_osvw.length;
	vcpu->msrs.val[SLOT_OSVW_STATUS] = guest_osvw.status;
}

void svm_errata_cpu_on(void)
{
	u64 cfg;

	/* Without it a multi-match is no machine check but undefined. */
	if (boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH) &&
	    !rdmsrl_safe(MSR_AMD64_DC_CFG, &cfg))
		wrmsrl_safe(MSR_AMD64_DC_CFG, cfg | DC_CFG_MMATCH_IS_MC);
}

bool svm_errata_machine_check(void)
{
	unsigned int bank;
	u64 status;

	if (!boot_cpu_has_bug(X86_BUG_AMD_TLB_MMATCH) ||
	    rdmsrl_safe(MSR_IA32_MCx_STATUS(0), &status) ||
	    !erratum_383(status))
		return false;
	for (bank = 0; bank < MC_BANKS_10H; bank++)
		wrmsrl_safe(MSR_IA32_MCx_STATUS(bank), 0);
	if (!rdmsrl_safe(MSR_IA32_MCG_STATUS, &status))
		wrmsrl_safe(MSR_IA32_MCG_STATUS, status & ~MCG_STATUS_MCIP);
	__flush_tlb_all();
	return true;
}

/* ---- pages -------------------------------------------------------------- */

/* The first of 512 frames, which the host may map as one page with the others. */
static bool page_leads(const struct page *page)
{
	return IS_ALIGNED(page_to_pfn(page), PTRS_PER_PTE);
}

/* The second of two is never the first of 512. */
static struct page *page_of_pair(int node, gfp_t gfp)
{
	struct page *pair = alloc_pages_node(node, gfp, 1);

	if (!pair)
		return NULL;
	split_page(pair, 1);
	__free_page(pair);
	return pair + 1;
}

void *svm_hw_page(int node, gfp_t gfp)
{
	struct page *page = alloc_pages_node(node, gfp | __GFP_ZERO, 0);

	if (page && page_leads(page)) {
		__free_page(page);
		page = page_of_pair(node, gfp | __GFP_ZERO);
	}
	/* A host bug: two pages together that do not begin at an even one. */
	WARN_ON_ONCE(page && page_leads(page));
	return page ? page_address(page) : NULL;
}
