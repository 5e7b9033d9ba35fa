// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that are core's to answer: kind CORE in x86/msr_rows.h. Owner: the
 * vCPU's thread, loaded.
 */
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "core/clock.h"
#include "core/msrs.h"
#include "core/regops.h"
#include "core/vcpu.h"
#include "pv/pv.h"

static struct vcpu *msrs_vcpu(struct msr_file *file)
{
	return container_of(file, struct vcpu, msrs);
}

static void msrs_regs_need(struct msr_file *file, u32 groups)
{
	vcpu_regs(msrs_vcpu(file), groups);
}

static enum msr_rc msrs_core_get(struct msr_file *file, u32 index, bool host,
				 u64 *val)
{
	struct vcpu *vcpu = msrs_vcpu(file);

	switch (index) {
	case M_TSC:
		*val = clock_guest_tsc(vcpu);
		return MSR_OK;
	case M_TSC_ADJUST:
		*val = vcpu->tsc.adjust;
		return MSR_OK;
	case M_APIC_BASE:
		*val = vcpu->lapic ? vcpu->lapic->base : vcpu->apic_base;
		return MSR_OK;
	case M_TSC_DEADLINE:
		*val = vcpu->lapic ? lapic_get_tsc_deadline(vcpu->lapic) : 0;
		return MSR_OK;
	case M_KVM_WALL_CLOCK_OLD:
	case M_KVM_WALL_CLOCK:
	case M_KVM_SYSTEM_TIME_OLD:
	case M_KVM_SYSTEM_TIME:
		return pv_clock_get_msr(vcpu, index, val);
	}
	if (index >= LAPIC_MSR_BASE && index <= LAPIC_MSR_LAST)
		return vcpu->lapic ? lapic_msr_read(vcpu->lapic, index, val) :
				     MSR_UNKNOWN;
	return MSR_UNKNOWN;
}

static enum msr_rc msrs_set_apic_base(struct vcpu *vcpu, u64 val, bool host)
{
	enum msr_rc rc = MSR_OK;

	if (val & vcpu->limits.gpa_reserved)
		return MSR_BAD;
	if (vcpu->lapic)
		rc = lapic_set_base(vcpu->lapic, val, host);
	else
		vcpu->apic_base = val;
	if (rc == MSR_OK)
		vcpu_dyn_changed(vcpu);
	return rc;
}

/* Done here and now; the VMM chose what the guest has, so it may fail. */
static enum msr_rc msrs_command(u32 index, bool exists, u64 val)
{
	if (!exists)
		return MSR_UNKNOWN;
	if (val)
		wrmsrl_safe(index, val);
	return MSR_OK;
}

static enum msr_rc msrs_core_set(struct msr_file *file, u32 index, bool host,
				 u64 val)
{
	struct vcpu *vcpu = msrs_vcpu(file);

	switch (index) {
	case M_TSC:
		clock_set_tsc(vcpu, val, host);
		return MSR_OK;
	case M_TSC_ADJUST:
		clock_set_tsc_adjust(vcpu, val, host);
		return MSR_OK;
	case M_APIC_BASE:
		return msrs_set_apic_base(vcpu, val, host);
	case M_TSC_DEADLINE:
		if (vcpu->lapic)
			lapic_set_tsc_deadline(vcpu->lapic, val);
		return MSR_OK;
	case M_PRED_CMD:
		return msrs_command(index, boot_cpu_has(X86_FEATURE_IBPB), val);
	case M_FLUSH_CMD:
		return msrs_command(index, boot_cpu_has(X86_FEATURE_FLUSH_L1D),
				    val);
	case M_KVM_WALL_CLOCK_OLD:
	case M_KVM_WALL_CLOCK:
	case M_KVM_SYSTEM_TIME_OLD:
	case M_KVM_SYSTEM_TIME:
		return pv_clock_set_msr(vcpu, index, val);
	}
	if (index >= LAPIC_MSR_BASE && index <= LAPIC_MSR_LAST)
		return vcpu->lapic ? lapic_msr_write(vcpu->lapic, index, val) :
				     MSR_UNKNOWN;
	return MSR_UNKNOWN;
}

static void msrs_changed(struct msr_file *file, u32 index, u32 effects)
{
	struct vcpu *vcpu = msrs_vcpu(file);

	regops_effects(vcpu, effects);
	if (index == M_MISC_ENABLE)
		vcpu_dyn_changed(vcpu);
	vcpu->controls_stale = true;
}

static const struct msr_ops msrs_ops = {
	.regs_need = msrs_regs_need,
	.core_get = msrs_core_get,
	.core_set = msrs_core_set,
	.changed = msrs_changed,
};

void msrs_init(struct vcpu *vcpu)
{
	vcpu->msrs.ops = &msrs_ops;
	vcpu->msrs.regs = &vcpu->regs;
	vcpu->msrs.limits = &vcpu->limits;
}
