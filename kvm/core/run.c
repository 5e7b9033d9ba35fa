// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN: finish what the VMM was asked for, then requests, arbitration,
 * entry, exit, until something is for the VMM or a signal comes.
 *
 * Around the entry interrupts are off, and the order is what makes kicks
 * safe: mode IN_GUEST first, then the look at requests and at the host's own
 * work, then the choice of an event, so that nothing chosen is ever put back.
 * The epoch is left before the entry and entered after it: a vCPU in guest
 * mode reads no table.
 */
#include <linux/sched/signal.h>
#include <linux/vtime.h>

#include "core/arbiter.h"
#include "core/emuglue.h"
#include "core/exit.h"
#include "core/fast.h"
#include "core/fpu.h"
#include "core/halt.h"
#include "core/hostwork.h"
#include "core/io.h"
#include "core/regops.h"
#include "core/vcpu.h"
#include "irq/chip.h"

/* ---- what enters the guest ------------------------------------------- */

static bool run_irq_ready(struct vcpu *vcpu)
{
	if (!vcpu->lapic)
		return vcpu->user_irq_pending;
	/* Asked in any case: it takes in timers and what was posted. */
	if (lapic_pending_irq(vcpu->lapic) >= 0 && !vcpu->hw_irqs)
		return true;
	if (vcpu->user_irq_pending && lapic_accepts_extint(vcpu->lapic))
		return true;
	return chip_extint_pending(vcpu);
}

/* Take the interrupt from its controller; -1 if it was withdrawn. */
static int run_irq_ack(struct vcpu *vcpu)
{
	int vector;

	if (vcpu->user_irq_pending &&
	    (!vcpu->lapic || lapic_accepts_extint(vcpu->lapic))) {
		vcpu->user_irq_pending = false;
		return vcpu->user_irq;
	}
	if (!vcpu->lapic)
		return -1;
	vector = chip_extint_pending(vcpu) ? chip_extint_ack(vcpu) : -1;
	if (vector >= 0)
		return vector;
	/* The PIC's was withdrawn meanwhile; that says nothing of the LAPIC's. */
	if (vcpu->hw_irqs)
		return -1;
	vector = lapic_pending_irq(vcpu->lapic);
	if (vector >= 0)
		lapic_ack(vcpu->lapic, vector);
	return vector;
}

static void run_inject_exception(struct vcpu *vcpu)
{
	struct exception *exc = &vcpu->events.exception;
	struct event *inject = &vcpu->entry.inject;
	bool prot = vcpu_regs(vcpu, RG_CR)->cr0 & CR0_PE;
	struct regs *regs = &vcpu->regs;

	*inject = event_exception(exc->vector, exc->has_error_code && prot,
				  exc->error_code);
	regops_exception_payload(vcpu, exc);
	/* SDM vol. 3, 18.3.1.1: faults push RF set, so that resume steps on. */
	if (exc->vector != VEC_DB && exc->vector != VEC_BP &&
	    exc->vector != VEC_OF && exc->vector != VEC_MC) {
		regs->rflags |= RFLAGS_RF;
		regs_touch(regs, RG_RIP);
	}
	exc->pending = false;
}

static void run_pick(struct vcpu *vcpu)
{
	struct events *ev = &vcpu->events;
	struct entry *entry = &vcpu->entry;
	struct arbiter_in in = {
		.events = ev,
		.irq_ready = run_irq_ready(vcpu),
		.if_flag = vcpu->regs.rflags & RFLAGS_IF,
		.irq_masked = vcpu->guest_debug & KVM_GUESTDBG_BLOCKIRQ,
		.irq_wanted = !vcpu->vm->irqchip &&
			      READ_ONCE(vcpu->run->request_interrupt_window),
	};
	struct arbiter_out out;
	int vector;

	arbiter_decide(&in, &out);
	entry->windows = out.windows;
	entry->exit_at_once = out.exit_at_once;
	entry->shadow = ev->shadow;
	entry->inject.type = EVENT_NONE;

	switch (out.pick) {
	case PICK_NONE:
		return;
	case PICK_REINJECT:
		entry->inject = ev->reinject;
		ev->reinject.type = EVENT_NONE;
		break;
	case PICK_EXCEPTION:
		run_inject_exception(vcpu);
		break;
	case PICK_NMI:
		entry->inject.type = EVENT_NMI;
		entry->inject.vector = VEC_NMI;
		ev->nmi_pending--;
		ev->nmi_blocked = true;
		break;
	case PICK_IRQ:
		vector = run_irq_ack(vcpu);
		if (vector >= 0) {
			entry->inject.type = EVENT_IRQ;
			entry->inject.vector = vector;
		}
		/* Who asked before does not ask again. */
		if (run_irq_ready(vcpu))
			entry->windows |= WINDOW_IRQ;
		/* The acknowledge was an end, and left something to do. */
		if (request_pending(vcpu))
			entry->exit_at_once = true;
		break;
	}
	vcpu->stat.irq_injections += entry->inject.type == EVENT_IRQ;
	vcpu->stat.nmi_injections += entry->inject.type == EVENT_NMI;
}

static void run_set_tpr(struct vcpu *vcpu)
{
	struct entry *entry = &vcpu->entry;
	int irr;

	if (!vcpu->lapic) {
		entry->cr8 = vcpu->cr8;
		entry->cr8_exit = true;
		return;
	}
	entry->cr8 = lapic_get_cr8(vcpu->lapic);
	irr = lapic_highest_irr(vcpu->lapic);
	if (vcpu->hw_irqs) {
		entry->requested = irr;
		entry->in_service = vcpu->lapic->isr_highest;
		entry->cr8_exit = false;
		return;
	}
	/* Only a TPR that holds an interrupt back is worth an exit. */
	entry->cr8_exit = irr >= 0 && entry->cr8 >= irr >> 4;
}

/* ---- one entry -------------------------------------------------------- */

static void run_after_exit(struct vcpu *vcpu)
{
	struct events *ev = &vcpu->events;
	struct exit *exit = &vcpu->exit;

	ev->reinject = exit->inflight;
	ev->shadow = exit->shadow;
	if (exit->nmi_unblocked)
		ev->nmi_blocked = false;
	if (exit->inflight.type == EVENT_NMI)
		ev->nmi_blocked = true;
	if (vcpu->hw_irqs) {
		lapic_hw_ran(vcpu->lapic, exit->in_service);
	} else if (vcpu->lapic) {
		if (exit->cr8 != vcpu->entry.cr8)
			lapic_set_cr8(vcpu->lapic, exit->cr8);
	} else {
		vcpu->cr8 = exit->cr8;
	}
}

/*
 * Interrupts are off: fill in vcpu->entry. False: there is something to do
 * before it.
 */
static bool run_prepare_entry(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->mode, VCPU_IN_GUEST);
	/* Pairs with vcpu_kick() and vm_request_all(). */
	smp_mb();
	if (request_pending(vcpu) || hostwork_pending() ||
	    (vcpu->lapic && lapic_events(vcpu->lapic)))
		return false;
	run_pick(vcpu);
	run_set_tpr(vcpu);
	/*
	 * Picking can kick this very vCPU (an illegal timer vector is an error
	 * interrupt, an acknowledged PIC gets a new line). Such a kick sends no
	 * interrupt, and after it others send none: do not let the guest run.
	 */
	if (unlikely(READ_ONCE(vcpu->mode) != VCPU_IN_GUEST))
		vcpu->entry.exit_at_once = true;
	fast_limit(vcpu);
	if (vcpu->controls_stale) {
		backend.controls_changed(vcpu);
		vcpu->controls_stale = false;
	}
	return true;
}

/* After an exit that was answered, but may have changed what is pending */
static bool run_prepare_again(struct vcpu *vcpu)
{
	bool ready;

	epoch_enter(&vcpu->reader);
	ready = run_prepare_entry(vcpu);
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	if (!ready)
		vcpu->exit.kind = EXIT_KIND_NONE;
	return ready;
}

/*
 * Enter the guest, again and again as long as exits are answered at once.
 * False: something came up before the entry, and the caller goes round.
 */
static bool run_enter(struct vcpu *vcpu)
{
	enum fast_rc fast;

	preempt_disable();
	local_irq_disable();
	fast_begin(vcpu);
	if (!run_prepare_entry(vcpu)) {
		WRITE_ONCE(vcpu->mode, VCPU_OUTSIDE);
		local_irq_enable();
		preempt_enable();
		return false;
	}
	fpu_enter(vcpu);
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	vtime_account_guest_enter();

	vcpu->entry.again = false;
	vcpu->entry.same = false;
	do {
		backend_call(run)(vcpu, &vcpu->entry, &vcpu->exit);
		vcpu->stat.exits++;
		fast = fast_exit(vcpu);
		vcpu->entry.again = true;
		vcpu->entry.same = fast == FAST_AGAIN;
	} while (fast == FAST_AGAIN ||
		 (fast == FAST_PICK && run_prepare_again(vcpu)));

	fpu_leave(vcpu);
	WRITE_ONCE(vcpu->mode, VCPU_OUTSIDE);
	backend_call(irqoff)(vcpu, &vcpu->exit);
	/*
	 * Host interrupts that made the guest exit are taken here, as guest
	 * time. STI holds them back for one more instruction: without one
	 * between, CLI would be that.
	 */
	local_irq_enable();
	asm volatile("nop");
	local_irq_disable();
	vtime_account_guest_exit();
	local_irq_enable();
	preempt_enable();
	epoch_enter(&vcpu->reader);
	run_after_exit(vcpu);
	return true;
}

/* > 0: again; else the result of KVM_RUN. */
static int run_once(struct vcpu *vcpu)
{
	int ret;

	if (request_pending(vcpu) && !request_handle(vcpu, &ret))
		return ret;
	if (vcpu->lapic && lapic_events(vcpu->lapic)) {
		halt_take_mp_events(vcpu);
		if (vcpu->mp_state != MP_RUNNABLE)
			return 1;
	}
	if (vcpu->events.triple_fault) {
		vcpu->events.triple_fault = false;
		vcpu->run->exit_reason = KVM_EXIT_SHUTDOWN;
		return 0;
	}
	if (!vcpu->lapic && READ_ONCE(vcpu->run->request_interrupt_window) &&
	    !vcpu->user_irq_pending && vcpu_can_take_irq(vcpu)) {
		vcpu->stat.request_irq_exits++;
		vcpu->run->exit_reason = KVM_EXIT_IRQ_WINDOW_OPEN;
		return 0;
	}
	if (!run_enter(vcpu))
		return 1;
	return exit_result(vcpu, exit_handle(vcpu, &vcpu->exit));
}

/* Signals, rescheduling: the host's business between two entries. */
static int run_host_work(struct vcpu *vcpu)
{
	int ret = hostwork_leave();

	if (ret)
		return ret;
	if (need_resched()) {
		epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
		cond_resched();
		epoch_enter(&vcpu->reader);
	}
	return 1;
}

static int run_loop(struct vcpu *vcpu)
{
	int ret;

	do {
		if (READ_ONCE(vcpu->vm->dead))
			return -EIO;
		if (unlikely(vcpu->debug_pending)) {
			vcpu->debug_pending = false;
			exit_debug(vcpu, VEC_DB, DR6_BS);
			return 0;
		}
		if (vcpu->mp_state == MP_RUNNABLE)
			ret = run_once(vcpu);
		else
			ret = halt_block(vcpu);
		if (ret > 0)
			ret = run_host_work(vcpu);
	} while (ret > 0);
	if (ret == -EINTR) {
		vcpu->stat.signal_exits++;
		vcpu->run->exit_reason = KVM_EXIT_INTR;
	}
	return ret;
}

/* ---- the edges of KVM_RUN --------------------------------------------- */

static void run_sigset(struct vcpu *vcpu, bool activate)
{
	if (!vcpu->sigset_active)
		return;
	/* As sigprocmask() documents: real_blocked is for this very use. */
	if (activate) {
		sigprocmask(SIG_SETMASK, &vcpu->sigset,
			    &current->real_blocked);
	} else {
		sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
		sigemptyset(&current->real_blocked);
	}
}

static void run_fill_common(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	run->if_flag = !!(vcpu->regs.rflags & RFLAGS_IF);
	run->flags = 0;
	run->cr8 = vcpu->lapic ? lapic_get_cr8(vcpu->lapic) : vcpu->cr8;
	run->apic_base = vcpu->lapic ? vcpu->lapic->base :
				       vcpu->apic_base;
	run->ready_for_interrupt_injection =
		vcpu->vm->irqchip_mode == IRQCHIP_KERNEL ||
		(!vcpu->user_irq_pending && vcpu_can_take_irq(vcpu));
}

static int run_prepare(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;
	enum run_next next;
	u64 cr8;

	if (!vcpu->lapic) {
		cr8 = READ_ONCE(run->cr8);
		if (!cr8_check(cr8))
			return -EINVAL;
		vcpu->cr8 = cr8;
	} else if (vcpu->mp_state == MP_UNINITIALIZED) {
		/* The VMM polls: one wait for INIT per call. */
		if (READ_ONCE(run->immediate_exit__unsafe))
			return -EINTR;
	}
	next = io_complete(vcpu);
	if (next != RUN_AGAIN)
		return exit_result(vcpu, next);
	/* The exit just completed stays what exit_reason is about. */
	if (READ_ONCE(run->immediate_exit__unsafe))
		return -EINTR;
	/* From here on nothing stale may look like an answer. */
	run->exit_reason = KVM_EXIT_UNKNOWN;
	return 1;
}

int vcpu_run(struct vcpu *vcpu)
{
	const struct kvm_run *run = vcpu->run;
	int ret;

	if (READ_ONCE(run->kvm_valid_regs) || READ_ONCE(run->kvm_dirty_regs))
		return -EINVAL;
	if (READ_ONCE(vcpu->vm->dead))
		return -EIO;

	if (!vcpu->launched && !vcpu_pio_page(vcpu))
		return -ENOMEM;
	vcpu_load(vcpu);
	run_sigset(vcpu, true);
	fpu_swap(vcpu, true);
	epoch_enter(&vcpu->reader);

	ret = run_prepare(vcpu);
	if (ret > 0) {
		vcpu->launched = true;
		ret = run_loop(vcpu);
	}

	/* What the last exit left does not wait for the next KVM_RUN. */
	irq_later_settle(&vcpu->vm->later);
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	fpu_swap(vcpu, false);
	run_fill_common(vcpu);
	run_sigset(vcpu, false);
	vcpu_put(vcpu);
	/* Last: putting the signal mask back takes the flag away. */
	if (ret == -ERESTARTNOINTR)
		hostwork_restart();
	return ret;
}
