// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's SVM features: see caps.h. APM vol. 2, 15.4 and 15.30.1; vol. 3,
 * E.4.1 and E.4.9.
 *
 * Only nested paging is required; the rest is used where present. Called by
 * main.c at module load and whenever a CPU comes, and by unit tests.
 */
#include "svm/caps.h"
#include "svm/vmcb.h"
#include "x86/regs.h"

#define EXT_ECX_SVM BIT(2)

#define SVM_EDX_NP BIT(0)
#define SVM_EDX_NRIPS BIT(3)
#define SVM_EDX_TSC_RATIO BIT(4)
#define SVM_EDX_CLEAN BIT(5)
#define SVM_EDX_FLUSH_BY_ASID BIT(6)
#define SVM_EDX_DECODE BIT(7)
#define SVM_EDX_PAUSE_FILTER BIT(10)
#define SVM_EDX_PAUSE_THRESHOLD BIT(12)
#define SVM_EDX_SPEC_CTRL BIT(20)

struct svm_caps svm_caps(const struct svm_host *host)
{
	u32 edx = host->svm_edx;

	if (!(host->ext_ecx & EXT_ECX_SVM))
		return (struct svm_caps){ };
	return (struct svm_caps){
		.asids = host->svm_ebx,
		.next_rip = edx & SVM_EDX_NRIPS,
		.tsc_ratio = edx & SVM_EDX_TSC_RATIO,
		.clean_bits = edx & SVM_EDX_CLEAN,
		.flush_by_asid = edx & SVM_EDX_FLUSH_BY_ASID,
		.decode = edx & SVM_EDX_DECODE,
		.pause_filter = edx & SVM_EDX_PAUSE_FILTER,
		.pause_threshold = (edx & SVM_EDX_PAUSE_FILTER) &&
				   (edx & SVM_EDX_PAUSE_THRESHOLD),
		.spec_ctrl = edx & SVM_EDX_SPEC_CTRL,
	};
}

const char *svm_refusal(const struct svm_host *host)
{
	if (!host->amd)
		return "not an AMD or Hygon CPU";
	if (!(host->ext_ecx & EXT_ECX_SVM))
		return "the CPU has no SVM";
	if ((host->vm_cr & VM_CR_SVMDIS) && (host->vm_cr & VM_CR_LOCK))
		return "SVM is disabled and locked by the firmware";
	if (host->vm_cr & VM_CR_SVMDIS)
		return "SVM is disabled (VM_CR.SVMDIS)";
	if (!(host->svm_eax & 0xff))
		return "unknown SVM revision";
	if (!(host->svm_edx & SVM_EDX_NP))
		return "the CPU has no nested paging";
	if (host->svm_ebx < 2)
		return "the CPU has no ASID for guests";
	if (host->efer & EFER_SVME_BIT)
		return "SVM is in use already";
	return NULL;
}

bool svm_caps_cover(const struct svm_caps *have, const struct svm_caps *want)
{
	/* The number of ASIDs is each CPU's own affair: see asid.c. */
	return have->asids >= 2 &&
	       have->next_rip >= want->next_rip &&
	       have->tsc_ratio >= want->tsc_ratio &&
	       have->flush_by_asid >= want->flush_by_asid &&
	       have->decode >= want->decode &&
	       have->pause_filter >= want->pause_filter &&
	       have->pause_threshold >= want->pause_threshold &&
	       have->spec_ctrl >= want->spec_ctrl &&
	       have->clean_bits >= want->clean_bits;
}
