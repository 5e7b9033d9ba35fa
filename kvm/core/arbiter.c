// SPDX-License-Identifier: GPL-2.0-only
/*
 * Event arbitration: see arbiter.h. Pure and tested in userspace.
 */
#include "core/arbiter.h"

void arbiter_decide(const struct arbiter_in *in, struct arbiter_out *out)
{
	const struct events *ev = in->events;
	bool nmi_open = arbiter_nmi_open(ev);
	bool irq_open = arbiter_irq_open(in);
	unsigned int nmis = ev->nmi_pending;
	bool irq = in->irq_ready;

	*out = (struct arbiter_out){ .pick = PICK_NONE };

	if (ev->reinject.type != EVENT_NONE)
		out->pick = PICK_REINJECT;
	else if (ev->exception.pending)
		out->pick = PICK_EXCEPTION;
	else if (nmis && nmi_open)
		out->pick = PICK_NMI;
	else if (irq && irq_open)
		out->pick = PICK_IRQ;

	if (out->pick == PICK_NMI)
		nmis--;
	/*
	 * An NMI that could enter now but for the event before it follows
	 * after a forced exit, before the handler's first instruction. One
	 * that is blocked, or has just become so, waits for its window.
	 */
	if (nmis) {
		if (nmi_open && out->pick != PICK_NMI)
			out->exit_at_once = true;
		else
			out->windows |= WINDOW_NMI;
	}
	if ((irq || in->irq_wanted) && out->pick != PICK_IRQ)
		out->windows |= WINDOW_IRQ;
}
