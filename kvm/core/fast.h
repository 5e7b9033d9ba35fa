/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exits that are answered at once: with interrupts off, the guest's FPU state
 * and PKRU loaded, and the guest entered again without the way round. Where
 * PKRU keeps us from the VMM's memory, it is not there.
 *
 * What is done here is what needs nothing of the host: no sleep, no lock but
 * those that interrupts may take, no waiting for the MMU lock (whose holders
 * wait for vCPUs to take an interrupt), and nothing that takes longer the more
 * devices, vCPUs or irqfds the VMM has made (vm->slow). Anything unusual is left to exit.c,
 * which has a handler for all of these kinds, too; so a fast one may give up,
 * as long as it has done nothing yet.
 */
#ifndef CORE_FAST_H
#define CORE_FAST_H

#include "core/vcpu.h"

enum fast_rc {
	FAST_NO,	/* for exit.c; or done, and vcpu->exit says so */
	FAST_AGAIN,	/* done: enter with vcpu->entry as it is now */
	FAST_PICK,	/* done: choose what to inject, then enter */
	FAST_RETRY,	/* inside fast.c: enter, the instruction is to run again */
};

/* As many in a row: then the host gets its interrupts in any case. */
#define FAST_MAX 64

/** fast_begin() - before the first of a row of entries */
static inline void fast_begin(struct vcpu *vcpu)
{
	vcpu->fast_left = FAST_MAX;
}

/** fast_limit() - vcpu->entry was chosen: may its exit be answered at once */
static inline void fast_limit(struct vcpu *vcpu)
{
	const struct entry *entry = &vcpu->entry;

	if (entry->exit_at_once | (entry->windows & WINDOW_NMI) |
	    vcpu->guest_debug | vcpu->hw_irqs)
		vcpu->fast_left = 0;
}

/**
 * fast_exit() - answer vcpu->exit, if that can be done at once
 *
 * vCPU's thread right after backend.run(): interrupts off, vcpu->mode as it
 * was for the entry, outside the epoch.
 */
enum fast_rc fast_exit(struct vcpu *vcpu);

#endif
