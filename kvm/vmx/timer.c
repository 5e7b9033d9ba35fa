// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX-preemption timer as the TSC deadline of a running vCPU: the guest
 * exits when its time has come, with no timer of the host.
 *
 * The timer counts only while the guest runs, so what is left is computed at
 * each entry. Once a vCPU has had a deadline the control stays on, and the
 * field holds the longest time where there is none: an exit every minute or so
 * costs less than switching it. Core, which sleeps by an hrtimer, looks at the
 * clock after each such exit, so one too many does no harm.
 *
 * Owner: the vCPU's thread; vmx_deadline() touches no VMCS. Called by run.c,
 * main.c and core. SDM vol. 3, 26.5.1.
 */
#include <linux/module.h>
#include <asm/cpu_device_id.h>
#include <asm/intel-family.h>
#include <asm/msr.h>

#include "vmx/timer_math.h"
#include "vmx/vmx.h"

static bool preemption_timer = true;
module_param(preemption_timer, bool, 0444);
MODULE_PARM_DESC(preemption_timer, "The CPU's own timer for TSC deadlines");

/*
 * Specification updates, "VMX-Preemption Timer Does Not Count Down at the
 * Rate Specified".
 */
static const struct x86_cpu_id inexact[] = {
	X86_MATCH_VFM(INTEL_NEHALEM_EX, NULL),
	X86_MATCH_VFM(INTEL_WESTMERE, NULL),
	X86_MATCH_VFM(INTEL_WESTMERE_EP, NULL),
	X86_MATCH_VFM(INTEL_WESTMERE_EX, NULL),
	{ }
};

bool vmx_timer_setup(const struct vmx_caps *caps)
{
	preemption_timer &= vmx_can(caps, CTL_TIMER) &&
			    !x86_match_cpu(inexact);
	return preemption_timer;
}

/* When the guest's TSC gets to timer->guest; U64_MAX: further than we see. */
static u64 host_deadline(struct vmx_vcpu *vmx, u64 now)
{
	const struct vcpu_tsc *tsc = &vmx->vcpu.tsc;
	bool scaling = vmx_can(&vmx_host_caps, CTL_TSC_SCALING);
	unsigned int bits = scaling ? VMX_TSC_FRAC_BITS : 0;
	u64 guest_now = tsc->offset +
			(scaling ? mul_u64_u64_shr(now, tsc->ratio, bits) : now);
	u64 left, host;

	if (guest_now >= vmx->timer.guest)
		return now;
	left = timer_host_ticks(vmx->timer.guest - guest_now, tsc->ratio, bits);
	return check_add_overflow(now, left, &host) ? U64_MAX : host;
}

bool vmx_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	struct vmx_vcpu *vmx = to_vmx(vcpu);
	u64 now = rdtsc();

	vmx->timer.armed = false;
	if (guest_tsc == U64_MAX)
		return true;
	vmx->timer.guest = guest_tsc;
	vmx->timer.host = host_deadline(vmx, now);
	if (!timer_fits(now, vmx->timer.host, vmx_host_caps.timer_shift))
		return false;
	vmx->timer.armed = vmx->timer.used = true;
	return true;
}

void vmx_timer_tsc_changed(struct vmx_vcpu *vmx)
{
	if (vmx->timer.armed)
		vmx->timer.host = host_deadline(vmx, rdtsc());
}

void vmx_timer_enter(struct vmx_vcpu *vmx)
{
	struct vmx_timer *timer = &vmx->timer;
	u64 ticks = TIMER_MAX_TICKS;

	if (timer->armed)
		ticks = min_t(u64, TIMER_MAX_TICKS,
			      timer_edges(rdtsc(), timer->host,
					  vmx_host_caps.timer_shift));
	if (ticks == timer->hw)
		return;
	timer->hw = ticks;
	vmcs_write(TIMER_VALUE, ticks);
}
