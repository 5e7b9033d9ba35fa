// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's VT-x features: see caps.h. SDM vol. 3, appendix A.
 *
 * EPT, unrestricted guest and what every part with these two has is required;
 * the rest is used where present. VPID is used only with an INVVPID that can
 * drop one vCPU's translations, so that a capability here is always usable.
 * Called by main.c at module load and whenever a CPU comes, and by unit tests.
 */
#include "vmx/caps.h"
#include "vmx/vmcs.h"
#include "x86/regs.h"

const struct vmx_control_row vmx_control_rows[CTL_COUNT] = {
#define X(id, w, b, need, text)						\
	[CTL_##id] = { .name = text,					\
		       .refusal = "the CPU lacks \"" text "\"" },
	VMX_CONTROLS(X)
#undef X
};

/* 31.4.3.1: what our flushes rest on */
#define VPID_NEEDS (VPID_CAP_INVVPID | VPID_CAP_ALL)

/* With unrestricted guest these two are the guest's own: A.7 */
#define CR0_FREE (CR0_PE | CR0_PG)

static void caps_words(struct vmx_caps *caps, const struct vmx_host *host)
{
	unsigned int i;

	for (i = 0; i < WORD_COUNT; i++) {
		caps->must[i] = (u32)host->word[i];
		caps->may[i] = host->word[i] >> 32;
	}
	if (~host->ept_vpid & VPID_NEEDS)
		caps->may[WORD_PROC2] &= ~vmx_bit(CTL_VPID);
}

/* 27.2.1.1: a control that may be 1 only with another. In order. */
static const struct {
	u8 control, with;
} rests_on[] = {
	{ CTL_APIC_ACCESSES, CTL_TPR_SHADOW },
	{ CTL_X2APIC, CTL_TPR_SHADOW },
	{ CTL_APIC_REGISTERS, CTL_TPR_SHADOW },
	{ CTL_VIRTUAL_INTR, CTL_TPR_SHADOW },
	{ CTL_POSTED, CTL_VIRTUAL_INTR },
	{ CTL_POSTED, CTL_ACK_IRQ },
	{ CTL_IPIV, CTL_PROC3 },
	/* Not demanded; but descriptors are what it sends to. */
	{ CTL_IPIV, CTL_POSTED },
};

static void caps_clear(struct vmx_caps *caps, enum vmx_control control)
{
	caps->may[vmx_control_places[control].word] &= ~vmx_bit(control);
}

static void caps_close(struct vmx_caps *caps)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rests_on); i++)
		if (!vmx_can(caps, rests_on[i].with))
			caps_clear(caps, rests_on[i].control);
}

void vmx_caps_drop(struct vmx_caps *caps, enum vmx_control control)
{
	caps_clear(caps, control);
	caps_close(caps);
}

struct vmx_caps vmx_caps(const struct vmx_host *host)
{
	struct vmx_caps caps = {
		.revision = host->basic & BASIC_REVISION,
		.cr0_ones = host->cr0_fixed0 & ~(u64)CR0_FREE,
		.cr0_may = host->cr0_fixed1,
		.cr4_ones = host->cr4_fixed0,
		.cr4_may = host->cr4_fixed1,
		.timer_shift = host->misc & MISC_TIMER_SHIFT,
		.hlt_state = host->misc & MISC_HLT_STATE,
		.ept_5_levels = host->ept_vpid & EPT_CAP_5_LEVELS,
		.ept_ad = host->ept_vpid & EPT_CAP_AD,
		.ept_2m = host->ept_vpid & EPT_CAP_2M,
		.ept_1g = host->ept_vpid & EPT_CAP_1G,
		.invept_single = host->ept_vpid & EPT_CAP_INVEPT_SINGLE,
		.invvpid_address = host->ept_vpid & VPID_CAP_ADDRESS,
		.invvpid_single = host->ept_vpid & VPID_CAP_SINGLE,
	};

	if (!host->vmx)
		return (struct vmx_caps){ };
	caps_words(&caps, host);
	/* Write-protection by D bits is what PML rests on: 29.3.6 */
	if (!caps.ept_ad)
		caps.may[WORD_PROC2] &= ~vmx_bit(CTL_PML);
	caps_close(&caps);
	return caps;
}

/* The two that old or cut-down parts lack deserve their own words. */
static const char *refuse_control(enum vmx_control control)
{
	switch (control) {
	case CTL_PROC2:
	case CTL_EPT:
		return "the CPU has no EPT";
	case CTL_UNRESTRICTED:
		return "the CPU has no unrestricted guest";
	default:
		return vmx_control_rows[control].refusal;
	}
}

static const char *refuse_controls(const struct vmx_caps *caps)
{
	unsigned int i;

	for (i = 0; i < CTL_COUNT; i++)
		if (vmx_control_places[i].required && !vmx_can(caps, i))
			return refuse_control(i);
	return NULL;
}

static const char *refuse_basic(const struct vmx_host *host)
{
	u64 size = host->basic >> BASIC_SIZE_SHIFT & 0x1fff;

	if (size > sizeof(struct vmcs))
		return "the CPU's VMCS is larger than a page";
	if (host->basic & BASIC_32BIT_ADDRESSES)
		return "the CPU's VMCS has to lie below 4 GiB";
	if ((host->basic >> BASIC_MEMTYPE_SHIFT & 15) != MEMTYPE_WB)
		return "the CPU's VMCS is not write-back memory";
	return NULL;
}

static const char *refuse_ept(const struct vmx_host *host)
{
	u64 all = EPT_CAP_4_LEVELS | EPT_CAP_WB | EPT_CAP_INVEPT |
		  EPT_CAP_INVEPT_ALL;

	if (~host->ept_vpid & all)
		return "the CPU's EPT lacks 4 levels, write-back or INVEPT";
	return NULL;
}

const char *vmx_refusal(const struct vmx_host *host)
{
	struct vmx_caps caps = vmx_caps(host);
	const char *why;

	if (!host->vmx)
		return "the CPU has no VMX";
	if (!(host->feature_control & FEATURE_CONTROL_VMX))
		return host->feature_control & FEATURE_CONTROL_LOCK ?
		       "VMX is disabled and locked by the firmware" :
		       "VMX is not enabled (IA32_FEATURE_CONTROL)";
	if (!(host->feature_control & FEATURE_CONTROL_LOCK))
		return "IA32_FEATURE_CONTROL is not locked";
	why = refuse_basic(host);
	if (!why)
		why = refuse_controls(&caps);
	if (!why)
		why = refuse_ept(host);
	if (!why && host->cr4_vmxe)
		why = "VMX is in use already";
	return why;
}

bool vmx_caps_cover(const struct vmx_caps *have, const struct vmx_caps *want)
{
	unsigned int i;

	for (i = 0; i < CTL_COUNT; i++)
		if (vmx_can(want, i) && !vmx_can(have, i))
			return false;
	for (i = 0; i < WORD_COUNT; i++)
		if (have->must[i] & ~want->must[i])
			return false;
	return have->revision == want->revision &&
	       have->cr0_ones == want->cr0_ones &&
	       have->cr4_ones == want->cr4_ones &&
	       !(want->cr0_may & ~have->cr0_may) &&
	       !(want->cr4_may & ~have->cr4_may) &&
	       have->timer_shift == want->timer_shift &&
	       have->hlt_state >= want->hlt_state &&
	       have->ept_5_levels >= want->ept_5_levels &&
	       have->ept_ad >= want->ept_ad &&
	       have->ept_2m >= want->ept_2m &&
	       have->ept_1g >= want->ept_1g &&
	       have->invept_single >= want->invept_single &&
	       have->invvpid_address >= want->invvpid_address &&
	       have->invvpid_single >= want->invvpid_single;
}
