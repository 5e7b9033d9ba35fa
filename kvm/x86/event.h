/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Events on their way into the guest: exceptions, NMIs, interrupts.
 *
 * An event is in one of three places. `pending` exceptions were raised by
 * emulation or by the VMM and not yet handed to the hardware; the interrupt
 * controllers and the NMI counter hold what waits outside. What an entry was
 * told to inject is the hardware's. If the hardware exits during delivery it
 * reports the event as in flight, and it becomes `reinject`: that goes first
 * at the next entry, before anything new.
 *
 * Owner: the vCPU's thread. `nmi_pending` is moved here from an atomic inbox
 * by core; nothing in this struct is touched from outside.
 */
#ifndef X86_EVENT_H
#define X86_EVENT_H

#include "base/host.h"
#include "base/rc.h"

enum event_type {
	EVENT_NONE,
	EVENT_IRQ,		/* external, through the interrupt controllers */
	EVENT_NMI,
	EVENT_EXCEPTION,	/* faults, traps and aborts */
	EVENT_SOFT_EXCEPTION,	/* INT3, INTO */
	EVENT_SOFT_IRQ,		/* INT n */
};

struct event {
	u8 type;		/* enum event_type */
	u8 vector;
	bool has_error_code;
	u8 insn_len;		/* soft events: bytes of the instruction */
	u32 error_code;
};

/* An exception with what has to change besides the IDT delivery. */
struct exception {
	bool pending;
	u8 vector;
	bool has_error_code;
	bool has_payload;	/* payload: CR2 (#PF), dr6_after_db()'s (#DB) */
	u32 error_code;
	u64 payload;
};

/* Blocking by the previous instruction, SDM vol. 3, 6.8.3 */
#define SHADOW_STI BIT(0)
#define SHADOW_MOV_SS BIT(1)

struct events {
	struct event reinject;
	struct exception exception;
	u8 nmi_pending;		/* at most two can be latched */
	bool nmi_blocked;	/* between an NMI and its IRET */
	bool nmi_injected;	/* KVM_GET_VCPU_EVENTS: in flight at save */
	u8 shadow;		/* SHADOW_* before the next instruction */
	bool smi_pending;
	bool triple_fault;
};

/** event_exception() - a hardware exception as an event, for injection */
static inline struct event event_exception(u8 vector, bool has_error_code,
					   u32 error_code)
{
	return (struct event){
		.type = EVENT_EXCEPTION,
		.vector = vector,
		.has_error_code = has_error_code,
		.error_code = error_code,
	};
}

/**
 * event_raise() - queue an exception, combining it with one not yet delivered
 * @ev: the vCPU's events
 * @f: the exception
 *
 * Combines with a pending exception or with an exception in @ev->reinject by
 * SDM vol. 3, table 6-5: benign and second; contributory on contributory, page
 * fault on page fault and contributory on page fault make #DF; anything on #DF
 * makes a triple fault (ev->triple_fault). A combined #DF replaces both. When
 * the two are handled serially the first is dropped, as its instruction will
 * raise it again.
 */
void event_raise(struct events *ev, const struct fault *f);

/** event_is_exception_vector() - can an exception have @vector: not an NMI's */
static inline bool event_is_exception_vector(u32 vector)
{
	return vector < 32 && vector != VEC_NMI;
}

/* What hardware takes as an error code: SDM vol. 3, 27.3.1.3 */
#define EVENT_ERROR_CODE_MASK 0xffffU

/** event_gp() - shorthand: raise #GP(@error_code) */
static inline void event_gp(struct events *ev, u32 error_code)
{
	event_raise(ev, &(struct fault){ .vector = VEC_GP,
					 .has_error_code = true,
					 .error_code = error_code });
}

/** event_ud() - shorthand: raise #UD */
static inline void event_ud(struct events *ev)
{
	event_raise(ev, &(struct fault){ .vector = VEC_UD });
}

/**
 * event_has_error_code() - does hardware push an error code for @vector
 * (SDM vol. 3, table 6-1; never in real mode)
 */
bool event_has_error_code(u8 vector);

#endif
