/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * MSRs switched right around an entry, with GIF clear. Which of them the guest
 * reaches by itself, and where the others are kept: msr.c. SPEC_CTRL, where it
 * has no place in the VMCB, is left to entry.S.
 *
 * Inline, as each exit pays for it. Callers: run.c, and msr.c for what stays
 * loaded between entries.
 */
#ifndef SVM_SWITCH_H
#define SVM_SWITCH_H

#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/spec-ctrl.h>

#include "svm/svm.h"

/* Elsewhere VIRT_SPEC_CTRL stands for nothing. */
static __always_inline bool svm_has_virt_ssbd(void)
{
	return cpu_feature_enabled(X86_FEATURE_LS_CFG_SSBD) ||
	       cpu_feature_enabled(X86_FEATURE_VIRT_SSBD);
}

static __always_inline void svm_spec_ctrl_enter(struct svm_vcpu *svm)
{
	u64 guest = svm->vcpu.msrs.val[SLOT_SPEC_CTRL];

	if (svm_has_virt_ssbd())
		x86_spec_ctrl_set_guest(svm->vcpu.msrs.val[SLOT_VIRT_SPEC_CTRL]);
	/* Hardware loads this one whether or not the guest ever wrote it. */
	if (svm_host_caps.spec_ctrl)
		svm->vmcb->save.spec_ctrl = guest;
	if (!svm->spec_ctrl_live && guest &&
	    cpu_feature_enabled(X86_FEATURE_MSR_SPEC_CTRL)) {
		svm->spec_ctrl_live = true;
		svm_msr_map(svm);
	}
}

/* Where svm_enter() finds the guest's SPEC_CTRL, if that is its to switch */
static __always_inline u64 *svm_spec_ctrl_place(struct svm_vcpu *svm)
{
	return svm->spec_ctrl_live && !svm_host_caps.spec_ctrl ?
		&svm->vcpu.msrs.val[SLOT_SPEC_CTRL] : NULL;
}

static __always_inline void svm_spec_ctrl_leave(struct svm_vcpu *svm)
{
	if (svm->spec_ctrl_live && svm_host_caps.spec_ctrl)
		svm->vcpu.msrs.val[SLOT_SPEC_CTRL] = svm->vmcb->save.spec_ctrl;
	if (svm_has_virt_ssbd())
		x86_spec_ctrl_restore_host(svm->vcpu.msrs.val[SLOT_VIRT_SPEC_CTRL]);
}

static __always_inline void svm_tsc_aux(struct svm_cpu *sc, u32 val)
{
	if (sc->tsc_aux == val)
		return;
	sc->tsc_aux = val;
	wrmsr(MSR_TSC_AUX, val, 0);
}

/**
 * svm_msr_enter() - load the MSRs that the guest sees for real
 *
 * TSC_AUX stays the guest's until svm_msr_put().
 */
static __always_inline void svm_msr_enter(struct svm_vcpu *svm, struct svm_cpu *sc)
{
	struct vcpu *vcpu = &svm->vcpu;

	if (cpu_feature_enabled(X86_FEATURE_RDTSCP))
		svm_tsc_aux(sc, vcpu->msrs.val[SLOT_TSC_AUX]);
	if (svm_host_caps.tsc_ratio && sc->tsc_ratio != vcpu->tsc.ratio) {
		sc->tsc_ratio = vcpu->tsc.ratio;
		wrmsrl(SVM_MSR_TSC_RATIO, sc->tsc_ratio & TSC_RATIO_MAX);
	}
	svm_spec_ctrl_enter(svm);
}

/** svm_msr_leave() - and back the host's */
static __always_inline void svm_msr_leave(struct svm_vcpu *svm)
{
	svm_spec_ctrl_leave(svm);
}

#endif
