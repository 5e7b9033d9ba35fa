// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exception classes and their combination: SDM vol. 3, 6.15, tables 6-4 and
 * 6-5; APM vol. 2, 8.2.9.
 *
 * Owns nothing. The first exception of a combination is one of two: raised
 * and not yet delivered (events.exception), or reported by the hardware as
 * being delivered when it exited (events.reinject). There is never more than
 * one: whoever raises a second comes through here. Interrupts and NMIs in
 * flight are benign and stay in events.reinject beside the new exception; the
 * arbiter orders them.
 *
 * Callers: everything that raises guest exceptions, in the vCPU's thread.
 */
#include "x86/event.h"

enum event_class {
	CLASS_BENIGN,
	CLASS_CONTRIBUTORY,
	CLASS_PAGE_FAULT,
	CLASS_DOUBLE_FAULT,
};

static enum event_class event_class(u8 vector)
{
	switch (vector) {
	case VEC_DE:
	case VEC_TS:
	case VEC_NP:
	case VEC_SS:
	case VEC_GP:
	case VEC_CP:
		return CLASS_CONTRIBUTORY;
	case VEC_PF:
		return CLASS_PAGE_FAULT;
	case VEC_DF:
		return CLASS_DOUBLE_FAULT;
	default:
		return CLASS_BENIGN;
	}
}

static bool event_makes_df(enum event_class first, enum event_class second)
{
	if (first == CLASS_CONTRIBUTORY)
		return second == CLASS_CONTRIBUTORY;
	if (first == CLASS_PAGE_FAULT)
		return second == CLASS_CONTRIBUTORY ||
		       second == CLASS_PAGE_FAULT;
	return false;
}

static bool event_is_exception(const struct event *event)
{
	return event->type == EVENT_EXCEPTION ||
	       event->type == EVENT_SOFT_EXCEPTION;
}

void event_raise(struct events *ev, const struct fault *f)
{
	struct exception *e = &ev->exception;
	enum event_class first = CLASS_BENIGN;

	if (event_is_exception(&ev->reinject)) {
		first = event_class(ev->reinject.vector);
		ev->reinject = (struct event){ .type = EVENT_NONE };
	}
	if (e->pending)
		first = event_class(e->vector);

	if (first == CLASS_DOUBLE_FAULT) {
		*e = (struct exception){ .pending = false };
		ev->triple_fault = true;
		return;
	}
	if (event_makes_df(first, event_class(f->vector))) {
		*e = (struct exception){
			.pending = true,
			.vector = VEC_DF,
			.has_error_code = true,
		};
		return;
	}
	*e = (struct exception){
		.pending = true,
		.vector = f->vector,
		.has_error_code = f->has_error_code,
		.has_payload = f->has_cr2,
		.error_code = f->error_code,
		.payload = f->cr2,
	};
}

bool event_has_error_code(u8 vector)
{
	/* #VC and #SX (29, 30) are AMD's: APM vol. 2, table 8-1 */
	static const u32 vectors = BIT(VEC_DF) | BIT(VEC_TS) | BIT(VEC_NP) |
				   BIT(VEC_SS) | BIT(VEC_GP) | BIT(VEC_PF) |
				   BIT(VEC_AC) | BIT(VEC_CP) | BIT(29) |
				   BIT(30);

	return vector < 32 && (vectors >> vector & 1);
}
