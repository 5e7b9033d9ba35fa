// SPDX-License-Identifier: GPL-2.0-only
/*
 * What kvm-intel.ko lets the administrator choose, and tells, under
 * /sys/module/kvm_intel/parameters. A parameter reads as what is in use: what
 * the hardware lacks reads N whatever was asked for.
 *
 * The preemption timer's is in timer.c, where it is used. Without EPT and
 * unrestricted guest there is no guest at all, so these two are facts; so is
 * that no guest state is too invalid for the hardware but to be emulated.
 */
#include <linux/cpu.h>
#include <asm/cpufeature.h>

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

static bool flexpriority = true;
module_param(flexpriority, bool, 0444);
MODULE_PARM_DESC(flexpriority, "TPR shadow and APIC-access page");

static bool enable_apicv = true;
module_param(enable_apicv, bool, 0444);
MODULE_PARM_DESC(enable_apicv,
		 "APIC-register virtualization and virtual-interrupt delivery");

static bool posted_interrupts = true;
module_param(posted_interrupts, bool, 0444);
MODULE_PARM_DESC(posted_interrupts, "Interrupts for running vCPUs, no exit");

static bool enable_ipiv = true;
module_param(enable_ipiv, bool, 0444);
MODULE_PARM_DESC(enable_ipiv, "IPIs between vCPUs, no exit of the sender");

static void apply_apic(struct vmx_caps *caps)
{
	if (!flexpriority)
		vmx_caps_drop(caps, CTL_TPR_SHADOW);
	if (!enable_apicv) {
		vmx_caps_drop(caps, CTL_VIRTUAL_INTR);
		vmx_caps_drop(caps, CTL_APIC_REGISTERS);
	}
	/* An interrupt taken on exit is handled through the IDT. */
	if (!posted_interrupts || cpu_feature_enabled(X86_FEATURE_FRED))
		vmx_caps_drop(caps, CTL_POSTED);
	if (!enable_ipiv)
		vmx_caps_drop(caps, CTL_IPIV);
	flexpriority = vmx_can(caps, CTL_TPR_SHADOW);
	enable_apicv = vmx_can(caps, CTL_VIRTUAL_INTR);
	posted_interrupts = vmx_can(caps, CTL_POSTED);
	enable_ipiv = vmx_can(caps, CTL_IPIV);
}

/*
 * iTLB multihit: a fetch from a page whose size changes may be a machine check
 * that takes the host down. Documentation/admin-guide/hw-vuln/multihit.rst
 */
static int nx_huge_pages = -1;
module_param(nx_huge_pages, int, 0444);
MODULE_PARM_DESC(nx_huge_pages,
		 "Large pages are not executable: 1, 0, -1: if the CPU needs it");

/* The kernel shows it among the CPU's vulnerabilities. */
extern bool itlb_multihit_kvm_mitigation;

bool vmx_param_small_exec(void)
{
	if (nx_huge_pages < 0)
		nx_huge_pages = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) &&
				!cpu_mitigations_off();
	itlb_multihit_kvm_mitigation = nx_huge_pages;
	return nx_huge_pages;
}

void vmx_param_unload(void)
{
	itlb_multihit_kvm_mitigation = false;
}

void vmx_param_apply(struct vmx_caps *caps)
{
	if (!eptad)
		caps->ept_ad = false;
	/* It tells of dirty bits. */
	if (!pml || !caps->ept_ad)
		vmx_caps_drop(caps, CTL_PML);
	if (!vpid)
		vmx_caps_drop(caps, CTL_VPID);
	apply_apic(caps);
	eptad = caps->ept_ad;
	pml = vmx_can(caps, CTL_PML);
	vpid = vmx_can(caps, CTL_VPID);
}
