// SPDX-License-Identifier: GPL-2.0-only
/*
 * Events into and out of an entry: interruptibility, injection, windows.
 *
 * An event whose delivery an exit interrupted is reported with its type and,
 * for INTn, INT3 and INTO, the instruction's length, with RIP still at the
 * instruction: injected again as reported, it pushes the right address. A
 * soft event without a length (the VMM set it) is dropped: executing the
 * instruction again raises it.
 *
 * NMI blocking is the hardware's, with virtual NMIs: set before each entry
 * from what core knows, read after it, and put right by exit.c where an IRET
 * faulted after it had unblocked.
 *
 * Called by run.c, around an entry, interrupts off. SDM vol. 3, 27.3.1.5,
 * 27.2.1.3.
 */
#include "vmx/vmx.h"

static bool event_is_soft(const struct event *event)
{
	return event->type == EVENT_SOFT_IRQ ||
	       event->type == EVENT_SOFT_EXCEPTION;
}

u32 vmx_event_needs(const struct entry *entry)
{
	return (entry->windows & WINDOW_IRQ ? NEED_IRQ_WINDOW : 0) |
	       (entry->windows & WINDOW_NMI ? NEED_NMI_WINDOW : 0);
}

/* The shadow in a form that 27.3.1.5 accepts with what else is entered. */
static u32 shadow_bits(const struct vmx_vcpu *vmx, const struct entry *entry)
{
	u64 rflags = vmx->hw_rflags;

	if (entry->inject.type == EVENT_IRQ || entry->inject.type == EVENT_NMI)
		return 0;
	if (entry->shadow & SHADOW_MOV_SS)
		return INTERRUPTIBILITY_MOV_SS;
	/* Beside a trap flag, STI's would want the trap before the next. */
	if ((entry->shadow & SHADOW_STI) && (rflags & RFLAGS_IF) &&
	    !(rflags & RFLAGS_TF))
		return INTERRUPTIBILITY_STI;
	return 0;
}

/* 27.3.1.5: behind MOV SS, a trap flag's trap is pending. */
static void write_pending_debug(const struct vmx_vcpu *vmx)
{
	u64 pending = vmcs_read(GUEST_PENDING_DEBUG) & ~PENDING_DEBUG_BS;

	if (vmx->hw_rflags & RFLAGS_TF)
		pending |= PENDING_DEBUG_BS;
	vmcs_write(GUEST_PENDING_DEBUG, pending);
}

static void write_interruptibility(struct vmx_vcpu *vmx,
				   const struct entry *entry)
{
	u32 bits = shadow_bits(vmx, entry);

	if (vmx->vcpu.events.nmi_blocked && entry->inject.type != EVENT_NMI)
		bits |= INTERRUPTIBILITY_NMI;
	if (bits & INTERRUPTIBILITY_MOV_SS)
		write_pending_debug(vmx);
	if (bits != vmx->hw_interruptibility)
		vmcs_write(GUEST_INTERRUPTIBILITY, bits);
}

void vmx_event_inject(struct vmx_vcpu *vmx, const struct entry *entry)
{
	const struct event *event = &entry->inject;
	u32 info;

	write_interruptibility(vmx, entry);
	if (event->type == EVENT_NONE ||
	    (event_is_soft(event) && !event->insn_len))
		return;
	info = vmx_event_encode(event, vmx->cr0 & CR0_PE);
	if (info & INTR_INFO_ERROR_CODE)
		vmcs_write(ENTRY_ERROR_CODE, event->error_code);
	if (event_is_soft(event))
		vmcs_write(ENTRY_INSN_LEN, event->insn_len);
	/* A vCPU that HLT stopped without an exit: any event ends that. */
	if (!vmx->vcpu.policy.hlt_exits)
		vmcs_write(GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(ENTRY_INTR_INFO, info);
}

void vmx_event_exit(struct vmx_vcpu *vmx, struct exit *exit)
{
	/* INT1 is a trap; its exit comes before it. */
	if (exit->exc.vector == VEC_DB && exit->insn_len) {
		vmx->vcpu.regs.rip += exit->insn_len;
		exit->insn_len = 0;
	}
}
