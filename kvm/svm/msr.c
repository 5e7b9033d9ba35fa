// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs the hardware shares with the guest: the permission maps, and the few
 * that are switched around an entry.
 *
 * There is a map for each set of MSRs that a guest may be given, made once;
 * vCPUs point to the one that fits.
 *
 * Passed through are those that VMLOAD and VMSAVE switch anyway, PRED_CMD's
 * barrier for guests that have it, and SPEC_CTRL from the first time the
 * guest's value is not 0: until then nothing has to be switched. The guest's
 * SPEC_CTRL, VIRT_SPEC_CTRL and TSC_AUX are at home in vcpu->msrs; a
 * passed-through SPEC_CTRL is read back at each exit, so that this stays so.
 *
 * APM vol. 2, 15.11, 15.30.5; Documentation/admin-guide/hw-vuln/spectre.rst,
 * srso.rst ("Reduced Speculation").
 */
#include <linux/gfp.h>
#include <linux/mem_encrypt.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "svm/switch.h"

void svm_msr_cpu(bool on)
{
	/* The kernel then counts on it, in the place of an IBPB at each exit. */
	if (!boot_cpu_has(X86_FEATURE_SRSO_BP_SPEC_REDUCE))
		return;
	if (on)
		msr_set_bit(MSR_ZEN4_BP_CFG, MSR_ZEN4_BP_CFG_BP_SPEC_REDUCE_BIT);
	else
		msr_clear_bit(MSR_ZEN4_BP_CFG,
			      MSR_ZEN4_BP_CFG_BP_SPEC_REDUCE_BIT);
}

/* What a map may open beside what all open. */
enum {
	MAP_PRED_CMD = BIT(0),
	MAP_SPEC_CTRL = BIT(1),
	MAPS = BIT(2),
};

#define MSRPM_ORDER get_order(MSRPM_SIZE)

static unsigned long *maps[MAPS];

static unsigned long *map_new(unsigned int opens)
{
	static const u32 always[] = {
		MSR_IA32_SYSENTER_CS, MSR_IA32_SYSENTER_ESP,
		MSR_IA32_SYSENTER_EIP, MSR_STAR, MSR_LSTAR, MSR_CSTAR,
		MSR_SYSCALL_MASK, MSR_FS_BASE, MSR_GS_BASE,
		MSR_KERNEL_GS_BASE,
	};
	unsigned long *map = (void *)__get_free_pages(GFP_KERNEL, MSRPM_ORDER);
	unsigned int i;

	if (!map)
		return NULL;
	memset(map, 0xff, MSRPM_SIZE);
	for (i = 0; i < ARRAY_SIZE(always); i++)
		msrpm_allow(map, always[i], MSRPM_READ | MSRPM_WRITE);
	if (opens & MAP_PRED_CMD)
		msrpm_allow(map, MSR_IA32_PRED_CMD, MSRPM_WRITE);
	if (opens & MAP_SPEC_CTRL)
		msrpm_allow(map, MSR_IA32_SPEC_CTRL, MSRPM_READ | MSRPM_WRITE);
	return map;
}

int svm_msr_setup(void)
{
	unsigned int i;

	for (i = 0; i < MAPS; i++) {
		maps[i] = map_new(i);
		if (!maps[i])
			return -ENOMEM;
	}
	return 0;
}

void svm_msr_teardown(void)
{
	unsigned int i;

	for (i = 0; i < MAPS; i++) {
		free_pages((unsigned long)maps[i], MSRPM_ORDER);
		maps[i] = NULL;
	}
}

void svm_msr_map(struct svm_vcpu *svm)
{
	unsigned int i = (svm->pred_cmd_open ? MAP_PRED_CMD : 0) |
			 (svm->spec_ctrl_live ? MAP_SPEC_CTRL : 0);
	u64 pa = __sme_set(__pa(maps[i]));

	if (svm->vmcb->control.msrpm_pa == pa)
		return;
	svm->vmcb->control.msrpm_pa = pa;
	svm_dirty(svm, CLEAN_IOPM);
}

void svm_msr_cpuid(struct svm_vcpu *svm)
{
	const struct cpuid_set *cpuid = svm->vcpu.msrs.cpuid;

	svm->pred_cmd_open = boot_cpu_has(X86_FEATURE_IBPB) &&
			     (cpuid_has(cpuid, FEAT_AMD_IBPB) ||
			      cpuid_has(cpuid, FEAT_SPEC_CTRL));
	svm->spec_ctrl_live = false;
	svm_msr_map(svm);
}

void svm_msr_put(struct svm_cpu *sc)
{
	svm_tsc_aux(sc, sc->host_tsc_aux);
}

enum msr_rc svm_feature_msr(u32 index, u64 *val)
{
	if (index != MSR_AMD64_DE_CFG)
		return MSR_UNKNOWN;
	/* LFENCE waits for what is before it; APM vol. 2, 3.2.10 */
	*val = boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ?
	       MSR_AMD64_DE_CFG_LFENCE_SERIALIZE : 0;
	return MSR_OK;
}
