// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host side of the local APICs: see apic.h.
 *
 * The hrtimer's callback only leaves a hint and kicks (lapic_timer_fired());
 * the vCPU's thread does the rest, by the clock. So the timer may fire on any
 * CPU and needs no lock.
 *
 * A TSC deadline is given to the hardware where it can end the guest's run at
 * one (BACKEND_DEADLINE): then no host interrupt has to. It does nothing for a
 * vCPU that does not run, which does not matter to one that is about to, but
 * to one that blocks: while `blocked`, the hrtimer has it. At most one of the
 * two is armed.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>

#include "core/apic.h"
#include "core/clock.h"
#include "core/vcpu.h"
#include "irq/chip.h"
#include "irq/msi.h"

struct apic {
	struct lapic lapic;
	struct vcpu *vcpu;
	struct hrtimer timer;
	bool hardware;			/* [v] the deadline is the backend's */
	bool blocked;			/* [v] it may not be */
};

static struct apic *apic_of(struct lapic *l)
{
	return container_of(l, struct apic, lapic);
}

static u64 apic_now(struct dev_env *env)
{
	return ktime_get_ns();
}

static void apic_deadline_cancel(struct apic *a)
{
	if (!a->hardware)
		return;
	a->hardware = false;
	backend_call(deadline)(a->vcpu, U64_MAX);
}

static void apic_timer_arm(struct dev_env *env, u64 when)
{
	struct apic *a = container_of(env, struct apic, lapic.env);

	apic_deadline_cancel(a);
	hrtimer_start(&a->timer, ns_to_ktime(when),
		      HRTIMER_MODE_ABS_PINNED_HARD);
}

static void apic_timer_cancel(struct dev_env *env)
{
	struct apic *a = container_of(env, struct apic, lapic.env);

	if (a->hardware) {
		apic_deadline_cancel(a);
		return;
	}
	/* One that fires anyway only makes the owner look at the clock. */
	hrtimer_try_to_cancel(&a->timer);
}

static const struct dev_env_ops apic_env_ops = {
	.now = apic_now,
	.timer_arm = apic_timer_arm,
	.timer_cancel = apic_timer_cancel,
};

static enum hrtimer_restart apic_timer_fired(struct hrtimer *timer)
{
	struct apic *a = container_of(timer, struct apic, timer);

	lapic_timer_fired(&a->lapic);
	return HRTIMER_NORESTART;
}

static void apic_kick(struct lapic *l)
{
	vcpu_kick(apic_of(l)->vcpu);
}

static void apic_nmi(struct lapic *l)
{
	struct vcpu *vcpu = apic_of(l)->vcpu;

	atomic_inc(&vcpu->nmi_inbox);
	vcpu_request_kick(vcpu, REQ_NMI);
}

static void apic_send_ipi(struct lapic *l, const struct apic_msg *msg)
{
	irq_deliver(apic_of(l)->vcpu->vm, l, msg);
}

static void apic_eoi(struct lapic *l, u8 vector, bool level)
{
	chip_eoi(apic_of(l)->vcpu, vector, level);
}

static u64 apic_read_tsc(struct lapic *l)
{
	return clock_guest_tsc(apic_of(l)->vcpu);
}

static bool apic_deadline(struct lapic *l, u64 tsc)
{
	struct apic *a = apic_of(l);

	/* On false timer_arm() follows. */
	if (!(backend.caps & BACKEND_DEADLINE) || a->blocked)
		return false;
	if (!backend_call(deadline)(a->vcpu, tsc)) {
		a->hardware = false;
		return false;
	}
	if (!a->hardware)
		hrtimer_try_to_cancel(&a->timer);
	a->hardware = true;
	return true;
}

static const struct lapic_ops apic_ops = {
	.kick = apic_kick,
	.nmi = apic_nmi,
	.send_ipi = apic_send_ipi,
	.eoi = apic_eoi,
	.read_tsc = apic_read_tsc,
	.deadline = apic_deadline,
};

void apic_vm_init(struct vm *vm)
{
	vm->lapic_config = (struct lapic_config){
		.ops = &apic_ops,
		.env_ops = &apic_env_ops,
		.bus_cycle_ns = 1,
		.min_period_ns = LAPIC_MIN_PERIOD_NS,
	};
}

int apic_create(struct vcpu *vcpu)
{
	struct apic *a;
	void *regs;

	if (!vm_has_lapic(vcpu->vm))
		return 0;
	a = kzalloc(sizeof(*a), GFP_KERNEL_ACCOUNT);
	regs = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!a || !regs) {
		free_page((unsigned long)regs);
		kfree(a);
		return -ENOMEM;
	}
	a->vcpu = vcpu;
	hrtimer_init(&a->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_PINNED_HARD);
	a->timer.function = apic_timer_fired;
	lapic_init(&a->lapic, &vcpu->vm->lapic_config, regs, vcpu->id);
	vcpu->lapic = &a->lapic;
	return 0;
}

void apic_destroy(struct vcpu *vcpu)
{
	struct apic *a;

	if (!vcpu->lapic)
		return;
	a = apic_of(vcpu->lapic);
	hrtimer_cancel(&a->timer);
	free_page((unsigned long)a->lapic.regs);
	kfree(a);
	vcpu->lapic = NULL;
}

void apic_timer_block(struct vcpu *vcpu)
{
	struct apic *a;

	if (!vcpu->lapic)
		return;
	a = apic_of(vcpu->lapic);
	a->blocked = true;
	if (a->hardware)
		lapic_timer_restart(vcpu->lapic);
}

void apic_timer_unblock(struct vcpu *vcpu)
{
	/* An hrtimer that is armed now stays: the next deadline replaces it. */
	if (vcpu->lapic)
		apic_of(vcpu->lapic)->blocked = false;
}

void apic_cpuid_changed(struct vcpu *vcpu)
{
	struct lapic *l = vcpu->lapic;

	if (!l)
		return;
	l->has_x2apic = cpuid_has(vcpu->cpuid, FEAT_X2APIC);
	l->has_tsc_deadline = cpuid_has(vcpu->cpuid, FEAT_TSC_DEADLINE);
	l->tsc_khz = vcpu->tsc.khz;
}
