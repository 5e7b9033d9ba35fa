/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel has to be told right around the instruction that enters the
 * guest: RCU, context tracking and lock debugging see guest mode as they see
 * user mode. Used by the vendors' noinstr entry functions only; interrupts
 * are off, and what stands between the two calls must not be instrumented.
 * See Documentation/core-api/entry.rst.
 */
#ifndef CORE_GUEST_MODE_H
#define CORE_GUEST_MODE_H

#include <linux/context_tracking.h>
#include <linux/ftrace.h>
#include <linux/instrumentation.h>
#include <linux/irqflags.h>
#include <linux/rcupdate.h>
#include <asm/cpufeature.h>
#include <asm/mce.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>
#include <asm/ptrace.h>

/**
 * guest_mode_enter() - last thing before the entry instruction's wrapper
 * @again: right after an exit, no interrupt was taken since
 */
static __always_inline void guest_mode_enter(bool again)
{
	instrumentation_begin();
	trace_hardirqs_on_prepare();
	lockdep_hardirqs_on_prepare();
	/*
	 * Without context tracking, guest mode is a quiescent state for RCU.
	 * Who needs one sends an interrupt, and that ends a row of entries.
	 */
	if (!context_tracking_guest_enter() && !again)
		rcu_virt_note_context_switch();
	instrumentation_end();
	lockdep_hardirqs_on(CALLER_ADDR0);
}

/** guest_mode_exit() - first thing after it */
static __always_inline void guest_mode_exit(void)
{
	lockdep_hardirqs_off(CALLER_ADDR0);
	context_tracking_guest_exit();
	instrumentation_begin();
	trace_hardirqs_off_finish();
	/* Branches the guest trained are not for the VMM's user mode either. */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
	instrumentation_end();
}

/**
 * guest_mode_machine_check() - a machine check ended the guest's run
 *
 * Interrupts off. The kernel treats it as one from user mode: what the guest
 * did is not the kernel's fault.
 */
static inline void guest_mode_machine_check(void)
{
	struct pt_regs regs = { .cs = 3, .flags = X86_EFLAGS_IF };

	do_machine_check(&regs);
}

#endif
