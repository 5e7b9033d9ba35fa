// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs the hardware shares with the guest: the bitmaps, and those that are
 * switched, but not by the VMCS.
 *
 * Passed through are those that entry and exit switch anyway (FS and GS base,
 * SYSENTER), KERNEL_GS_BASE, which host.c switches, reading of what the
 * hardware holds for the guest (the SYSCALL MSRs, TSC_AUX, the offset TSC),
 * PRED_CMD's and FLUSH_CMD's for guests that have them, and SPEC_CTRL from the
 * first time the guest's value is not 0: until then nothing has to be
 * switched. Its value, as TSC_AUX's, is at home in vcpu->msrs.
 *
 * The user MSRs concern the host only in user mode: the guest's stay from the
 * first entry after a load to the put.
 *
 * SDM vol. 3, 25.6.9; Documentation/admin-guide/hw-vuln/spectre.rst.
 */
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/spec-ctrl.h>

#include "vmx/vmx.h"

static const u32 user_msrs[USER_MSR_COUNT] = {
	[USER_STAR] = MSR_STAR,
	[USER_LSTAR] = MSR_LSTAR,
	[USER_CSTAR] = MSR_CSTAR,
	[USER_SFMASK] = MSR_SYSCALL_MASK,
	[USER_TSC_AUX] = MSR_TSC_AUX,
};

static const struct {
	u32 index, what;
} open_msrs[] = {
	{ MSR_IA32_TSC, MSR_ALLOW_READ },
	{ MSR_IA32_SYSENTER_CS, MSR_ALLOW_READ | MSR_ALLOW_WRITE },
	{ MSR_IA32_SYSENTER_ESP, MSR_ALLOW_READ | MSR_ALLOW_WRITE },
	{ MSR_IA32_SYSENTER_EIP, MSR_ALLOW_READ | MSR_ALLOW_WRITE },
	{ MSR_STAR, MSR_ALLOW_READ },
	{ MSR_LSTAR, MSR_ALLOW_READ },
	{ MSR_CSTAR, MSR_ALLOW_READ },
	{ MSR_SYSCALL_MASK, MSR_ALLOW_READ },
	{ MSR_FS_BASE, MSR_ALLOW_READ | MSR_ALLOW_WRITE },
	{ MSR_GS_BASE, MSR_ALLOW_READ | MSR_ALLOW_WRITE },
	{ MSR_KERNEL_GS_BASE, MSR_ALLOW_READ | MSR_ALLOW_WRITE },
};

void vmx_msr_init(struct vmx_vcpu *vmx)
{
	unsigned int i;

	memset(vmx->msr_bitmap, 0xff, MSR_BITMAP_SIZE);
	for (i = 0; i < ARRAY_SIZE(open_msrs); i++)
		vmx_msr_allow(vmx->msr_bitmap, open_msrs[i].index,
			      open_msrs[i].what);
}

void vmx_msr_cpuid(struct vmx_vcpu *vmx)
{
	const struct cpuid_set *cpuid = vmx->vcpu.msrs.cpuid;
	bool ibpb = boot_cpu_has(X86_FEATURE_IBPB) &&
		    (cpuid_has(cpuid, FEAT_AMD_IBPB) ||
		     cpuid_has(cpuid, FEAT_SPEC_CTRL));
	bool l1d = boot_cpu_has(X86_FEATURE_FLUSH_L1D) &&
		   cpuid_has(cpuid, FEAT_FLUSH_L1D);

	vmx_msr_allow(vmx->msr_bitmap, MSR_IA32_PRED_CMD,
		      ibpb ? MSR_ALLOW_WRITE : 0);
	vmx_msr_allow(vmx->msr_bitmap, MSR_IA32_FLUSH_CMD,
		      l1d ? MSR_ALLOW_WRITE : 0);
	vmx->spec_ctrl_live = false;
	vmx_msr_allow(vmx->msr_bitmap, MSR_IA32_SPEC_CTRL, 0);

	vmx->cpuid_needs = 0;
	if (cpuid_has(cpuid, FEAT_RDTSCP) || cpuid_has(cpuid, FEAT_RDPID))
		vmx->cpuid_needs |= NEED_RDTSCP;
	if (cpuid_has(cpuid, FEAT_INVPCID))
		vmx->cpuid_needs |= NEED_INVPCID;
}

/* ---- user MSRs --------------------------------------------------------- */

static bool user_msr_exists(unsigned int i)
{
	return i != USER_TSC_AUX || boot_cpu_has(X86_FEATURE_RDTSCP);
}

void vmx_msr_host(struct vmx_cpu *vc)
{
	unsigned int i;

	for (i = 0; i < USER_MSR_COUNT; i++) {
		if (!user_msr_exists(i))
			continue;
		rdmsrl(user_msrs[i], vc->host_msr[i]);
		vc->user_msr[i] = vc->host_msr[i];
	}
}

u64 vmx_msr_load(u32 index, u64 val)
{
	if (likely(!wrmsrl_safe(index, val)))
		return val;
	wrmsrl(index, 0);
	return 0;
}

static void user_msrs_set(struct vmx_cpu *vc, const u64 *want)
{
	unsigned int i;

	for (i = 0; i < USER_MSR_COUNT; i++) {
		if (vc->user_msr[i] == want[i] || !user_msr_exists(i))
			continue;
		vc->user_msr[i] = vmx_msr_load(user_msrs[i], want[i]);
	}
}

void vmx_msr_user(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);
	const struct regs *regs;

	if (!vmx) {
		user_msrs_set(vc, vc->host_msr);
		return;
	}
	regs = &vmx->vcpu.regs;
	user_msrs_set(vc, (const u64 [USER_MSR_COUNT]){
		[USER_STAR] = regs->star,
		[USER_LSTAR] = regs->lstar,
		[USER_CSTAR] = regs->cstar,
		[USER_SFMASK] = regs->sfmask,
		[USER_TSC_AUX] = vmx->vcpu.msrs.val[SLOT_TSC_AUX],
	});
}

/* ---- SPEC_CTRL --------------------------------------------------------- */

void vmx_msr_enter(struct vmx_vcpu *vmx)
{
	u64 guest = vmx->vcpu.msrs.val[SLOT_SPEC_CTRL];

	/* Hardware that predates the feature's MSR has no value to switch. */
	vmx->sw.spec_host = this_cpu_read(x86_spec_ctrl_current);
	vmx->sw.flags &= ~(ENTER_SPEC_CTRL | ENTER_IBRS);
	if (cpu_feature_enabled(X86_FEATURE_KERNEL_IBRS))
		vmx->sw.flags |= ENTER_IBRS;
	if (!boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		return;
	if (!vmx->spec_ctrl_live && guest) {
		vmx->spec_ctrl_live = true;
		vmx_msr_allow(vmx->msr_bitmap, MSR_IA32_SPEC_CTRL,
			      MSR_ALLOW_READ | MSR_ALLOW_WRITE);
	}
	if (!vmx->spec_ctrl_live)
		return;
	vmx->sw.spec_guest = guest;
	vmx->sw.flags |= ENTER_SPEC_CTRL;
}

void vmx_msr_leave(struct vmx_vcpu *vmx)
{
	if (vmx->spec_ctrl_live)
		vmx->vcpu.msrs.val[SLOT_SPEC_CTRL] = vmx->sw.spec_guest;
}

enum msr_rc vmx_feature_msr(u32 index, u64 *val)
{
	/* VMX is not for guests yet, and no other feature MSR is ours. */
	return MSR_UNKNOWN;
}
