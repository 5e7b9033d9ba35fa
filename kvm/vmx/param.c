// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvm-intel.ko lets the administrator choose, and tells, under
 * /sys/module/kvm_intel/parameters. A parameter reads as what is in use: what
 * the hardware lacks reads N whatever was asked for.
 *
 * Others are where they are used: APIC virtualization in main.c, the
 * preemption timer in timer.c. Without EPT and unrestricted guest there is no
 * guest at all, so these two are facts; so is that no guest state is too
 * invalid for the hardware but to be emulated.
 */
#include "core/fact.h"
#include "vmx/vmx.h"

FACT(ept, bool, true);
FACT(unrestricted_guest, bool, true);
FACT(emulate_invalid_guest_state, bool, false);
/* Guests cannot run guests. */
FACT(nested, bool, false);

static bool vpid = true;
module_param(vpid, bool, 0444);
MODULE_PARM_DESC(vpid, "Tagged translations, which outlive exits");

static bool eptad = true;
module_param(eptad, bool, 0444);
MODULE_PARM_DESC(eptad, "Accessed and dirty bits in EPT entries");

static bool pml = true;
module_param(pml, bool, 0444);
MODULE_PARM_DESC(pml, "Dirty logging by page-modification logging");

void vmx_param_apply(struct vmx_caps *caps)
{
	if (!eptad)
		caps->ept_ad = false;
	/* It tells of dirty bits. */
	if (!pml || !caps->ept_ad)
		vmx_caps_drop(caps, CTL_PML);
	if (!vpid)
		vmx_caps_drop(caps, CTL_VPID);
	eptad = caps->ept_ad;
	pml = vmx_can(caps, CTL_PML);
	vpid = vmx_can(caps, CTL_VPID);
}
