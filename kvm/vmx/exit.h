/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From what the hardware says of an exit to the neutral struct exit.
 *
 * Pure: run.c takes a struct vmx_raw from the VMCS, so that the manual's
 * encodings are tested without hardware. Reading a field costs, so the raw
 * snapshot is taken in steps: what every exit needs, then what these functions
 * say of this one.
 */
#ifndef VMX_EXIT_H
#define VMX_EXIT_H

#include "base/host.h"
#include "core/entry.h"

/* What vmx_exit_needs() asks for. */
#define RAW_QUAL BIT(0)		/* qualification */
#define RAW_INTR BIT(1)		/* intr_info, and intr_error if it says so */
#define RAW_GPA BIT(2)		/* gpa */
#define RAW_LEN BIT(3)		/* insn_len: 28.2.5 */
#define RAW_IDT BIT(4)		/* idt_info; else it is 0 */
#define RAW_IDT_ERROR BIT(5)	/* idt_error */

/* The VMCS's fields, as they were right after the exit. */
struct vmx_raw {
	u32 reason;
	u32 idt_info, idt_error;
	u32 insn_len;
	u32 interruptibility;
	u64 qualification;
	u32 intr_info, intr_error;
	u64 gpa;
	bool nmi_was_blocked;		/* at the entry, or by its injection */
	u8 cr8;
};

/** vmx_exit_needs() - the RAW_* that decoding @reason takes */
u32 vmx_exit_needs(u32 reason);

/** vmx_idt_needs() - what it takes besides, if RAW_IDT gave @idt_info */
u32 vmx_idt_needs(u32 idt_info);

/** vmx_exit_decode() - fill all of @exit but in_service, as its kind has it */
void vmx_exit_decode(const struct vmx_raw *raw, struct exit *exit);

/**
 * vmx_exit_nmi_blocked() - are NMIs blocked after this exit: 28.2.3
 *
 * The interruptibility state is not the answer where an IRET unblocked NMIs
 * and then faulted: it will be executed again.
 */
bool vmx_exit_nmi_blocked(const struct vmx_raw *raw);

/** vmx_event_decode() - an interruption-information field as an event */
struct event vmx_event_decode(u32 info, u32 error_code, u32 insn_len);

/**
 * vmx_event_encode() - @event as VM-entry interruption information
 * @protected: CR0.PE: exceptions push error codes
 *
 * 0 for EVENT_NONE. Error codes are given to the vectors that 27.2.1.3 allows.
 */
u32 vmx_event_encode(const struct event *event, bool protected);

#endif
