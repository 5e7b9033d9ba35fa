/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Paravirtual features: what guests that know of us ask for by MSRs. KVM
 * documentation, virt/kvm/x86/msr.rst.
 *
 * Callers: the vCPU's thread, loaded. Functions that touch guest memory enter
 * the vCPU's epoch themselves; they may sleep.
 */
#ifndef PV_PV_H
#define PV_PV_H

#include "base/host.h"
#include "base/rc.h"

struct vcpu;

/* ---- pv/clock.c: kvmclock ---- */

struct pv_clock_state {
	u64 msr;		/* KVM_SYSTEM_TIME: page and enable bit */
	bool paused;		/* set PVCLOCK_GUEST_STOPPED at the next write */
	int cpu;		/* the last write: where */
	unsigned long written;	/* and when, in jiffies */
};

/** pv_clock_get_msr() - the four kvmclock MSRs; the old ones are aliases */
enum msr_rc pv_clock_get_msr(struct vcpu *vcpu, u32 index, u64 *val);

/** pv_clock_set_msr() - SYSTEM_TIME registers the vCPU's page, WALL_CLOCK has
 * the time of day of the clock's zero written once
 */
enum msr_rc pv_clock_set_msr(struct vcpu *vcpu, u32 index, u64 val);

/** pv_clock_update() - rewrite the vCPU's page; REQ_CLOCK_UPDATE's handler */
void pv_clock_update(struct vcpu *vcpu);

/** pv_clock_stale() - is a page of a VM without master clock due for a rewrite,
 * when the vCPU runs on @cpu from now on; preemption off
 */
bool pv_clock_stale(const struct vcpu *vcpu, int cpu);

/** pv_clock_paused() - KVM_KVMCLOCK_CTRL: tell the guest's watchdogs that it
 * was stopped. False (-EINVAL): no page is registered.
 */
bool pv_clock_paused(struct vcpu *vcpu);

#endif
