// SPDX-License-Identifier: GPL-2.0-only
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
 * Everything here runs right before an entry with interrupts off.
 * APM vol. 2, 15.16.
 */
#include "svm/svm.h"

void svm_asid_reset(struct svm_cpu *sc, u32 asids)
{
	sc->asids = asids;
	/* Void and used up: the first entry starts one more, and flushes. */
	sc->generation++;
	sc->next_asid = asids;
}

static u8 asid_new(struct svm_vcpu *svm, struct svm_cpu *sc)
{
	u8 tlb = VMCB_TLB_KEEP;

	if (sc->next_asid >= sc->asids) {
		sc->generation++;
		sc->next_asid = 1;	/* 0 is the host's */
		tlb = VMCB_TLB_FLUSH_ALL;
	}
	svm->asid_generation = sc->generation;
	svm->vmcb->control.asid = sc->next_asid++;
	svm_dirty(svm, CLEAN_ASID);
	return tlb;
}

void svm_asid_prepare(struct svm_vcpu *svm, struct svm_cpu *sc)
{
	struct vmcb_control *control = &svm->vmcb->control;

	if (svm->asid_generation != sc->generation ||
	    (svm->flush && !svm_host_caps.flush_by_asid))
		control->tlb_control = asid_new(svm, sc);
	else
		control->tlb_control = svm->flush ? VMCB_TLB_FLUSH_ASID : VMCB_TLB_KEEP;
	svm->flush = false;
}
