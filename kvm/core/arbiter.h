/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which event enters the guest next, and which window to ask for.
 *
 * Pure: a function of the events, of what the interrupt controllers offer and
 * of whether the guest can be interrupted now. SDM vol. 3, table 6-2 gives the
 * order; an event whose delivery was interrupted by an exit goes first, as it
 * has left its source already.
 */
#ifndef CORE_ARBITER_H
#define CORE_ARBITER_H

#include "base/host.h"
#include "core/entry.h"
#include "x86/event.h"

enum arbiter_pick {
	PICK_NONE,
	PICK_REINJECT,		/* events->reinject */
	PICK_EXCEPTION,		/* events->exception */
	PICK_NMI,
	PICK_IRQ,		/* acknowledge it at its controller */
};

struct arbiter_in {
	const struct events *events;
	bool irq_ready;		/* a controller has an interrupt to take */
	bool if_flag;		/* RFLAGS.IF */
	bool irq_masked;	/* KVM_GUESTDBG_BLOCKIRQ */
	bool irq_wanted;	/* the VMM asks for an interrupt window */
};

struct arbiter_out {
	enum arbiter_pick pick;
	u32 windows;		/* WINDOW_* */
	bool exit_at_once;	/* something else is deliverable right behind */
};

/** arbiter_decide() - fill @out from @in */
void arbiter_decide(const struct arbiter_in *in, struct arbiter_out *out);

/** arbiter_irq_open() - could an interrupt be injected now, if it is first */
static inline bool arbiter_irq_open(const struct arbiter_in *in)
{
	return in->if_flag && !in->events->shadow && !in->irq_masked;
}

/** arbiter_nmi_open() - could an NMI be injected now, if it is first */
static inline bool arbiter_nmi_open(const struct events *events)
{
	/* SDM vol. 3, 6.8.3: NMIs may be held off behind MOV SS and STI. */
	return !events->nmi_blocked && !events->shadow;
}

#endif
