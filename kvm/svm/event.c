// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into and out of an entry: EVENTINJ, EXITINTINFO, and the windows.
 *
 * Soft events (INTn, INT3, INTO) that an exit interrupted are dropped here,
 * unless we had injected them: the hardware leaves RIP at the instruction and
 * has changed nothing, so executing it again raises the same event with the
 * right return address. Injecting it instead would need the address of the
 * next instruction, which only hardware with nRIP tells (APM vol. 2, 15.7.2).
 *
 * NMI blocking is not the hardware's to know (15.13.2): core remembers that
 * an NMI was injected, and IRET is intercepted while it does. The intercept
 * comes before the IRET, and NMIs open after it: so the guest is let go
 * through it, and has executed it when it is seen at another RIP. Who waits
 * for that window gets a single step, which traps right behind the IRET. The
 * same step serves an NMI that is held off by an interrupt shadow.
 *
 * Called by run.c, around an entry, interrupts off.
 */
#include "svm/svm.h"

static bool event_is_soft(const struct event *event)
{
	return event->type == EVENT_SOFT_IRQ ||
	       event->type == EVENT_SOFT_EXCEPTION;
}

u32 svm_event_needs(struct svm_vcpu *svm, const struct entry *entry,
		    bool *at_once)
{
	bool blocked = svm->vcpu.events.nmi_blocked;
	bool injecting = entry->inject.type != EVENT_NONE;
	u32 needs = 0;

	/*
	 * An event at the IRET runs a handler first, and its IRET will be as
	 * good as the one we stopped at.
	 */
	if (!blocked || injecting)
		svm->iret_seen = false;

	svm->stepping = false;
	if (blocked && !svm->iret_seen)
		needs |= NEED_IRET;
	else if (entry->windows & WINDOW_NMI) {
		/* TF would be pushed with the flags: go round instead. */
		svm->stepping = !injecting;
		*at_once |= injecting;
	}
	return needs;
}

void svm_event_inject(struct svm_vcpu *svm, const struct entry *entry)
{
	const struct event *event = &entry->inject;
	struct vmcb_save *save = &svm->vmcb->save;
	struct vmcb_control *control = &svm->vmcb->control;
	const struct regs *regs = &svm->vcpu.regs;

	svm->injected = *event;
	svm->injected_rip = regs->rip;
	svm->injected_shadow = entry->shadow;
	control->event_inj = svm_event_encode(event);
	if (event_is_soft(event))
		save->rip += event->insn_len;
	/* With nRIP it is this that is pushed for a soft event: 15.20 */
	control->next_rip = save->rip;
}

/* Was @event, found in flight, the one this entry injected? */
static bool event_is_ours(const struct svm_vcpu *svm,
			  const struct event *event)
{
	u64 rip = svm->injected_rip;

	if (event_is_soft(&svm->injected))
		rip += svm->injected.insn_len;
	return svm->injected.type != EVENT_NONE &&
	       svm->injected.vector == event->vector &&
	       svm->vcpu.regs.rip == rip;
}

static void inflight_settle(struct svm_vcpu *svm, struct exit *exit)
{
	if (exit->inflight.type == EVENT_NONE)
		return;
	if (event_is_ours(svm, &exit->inflight)) {
		exit->inflight = svm->injected;
		/*
		 * Nothing ran: what the VMCB says may be the shadow of the STI
		 * before VMRUN, which was not over when the exit came.
		 */
		exit->shadow = svm->injected_shadow;
		svm->vcpu.regs.rip = svm->injected_rip;
	} else if (event_is_soft(&exit->inflight) &&
		   exit->kind != EXIT_KIND_TASK_SWITCH) {
		exit->inflight.type = EVENT_NONE;
	}
}

/* Our own single step ended. True if there was no more to the #DB. */
static bool step_swallow(struct svm_vcpu *svm, struct exit *exit)
{
	if (svm->guest_tf || svm->vcpu.policy.single_step)
		return false;
	exit->exc.payload &= ~(u64)DR6_BS;
	return !exit->exc.payload;
}

void svm_event_exit(struct svm_vcpu *svm, struct exit *exit)
{
	bool stepped = svm->stepping &&
		       exit->hw_reason == VMEXIT_EXCEPTION + VEC_DB;

	if (exit->hw_reason == VMEXIT_IRET) {
		svm->iret_seen = true;
		svm->iret_rip = svm->vcpu.regs.rip;
		exit->kind = EXIT_KIND_NONE;
	} else if (svm->iret_seen &&
		   (stepped || svm->vcpu.regs.rip != svm->iret_rip)) {
		svm->iret_seen = false;
		exit->nmi_unblocked = true;
	}
	if (stepped && step_swallow(svm, exit))
		exit->kind = EXIT_KIND_NMI_WINDOW;
	inflight_settle(svm, exit);
}
