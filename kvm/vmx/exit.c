// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit reasons to neutral exits: see exit.h. SDM vol. 3, appendix C and the
 * sections named at each decoder.
 *
 * Most exits carry no more than their reason: a row each. The others have a
 * decoder. Everything in struct vmx_raw is the hardware's, but some of it is
 * the guest's choice: no number is used as an index unchecked.
 */
#include "vmx/exit.h"
#include "vmx/vmcs.h"

struct exit_row {
	u8 reason;
	u8 kind;		/* enum exit_kind; NONE: has a decoder */
	bool insn;		/* an instruction: its length is known */
	u8 needs;		/* RAW_* */
};

/* Ascending. */
static const struct exit_row rows[] = {
	{ REASON_EXCEPTION_NMI, EXIT_KIND_NONE, false, RAW_INTR | RAW_QUAL },
	{ REASON_EXTERNAL, EXIT_KIND_NONE, false, RAW_INTR },
	{ REASON_TRIPLE_FAULT, EXIT_KIND_SHUTDOWN, false, 0 },
	{ REASON_IRQ_WINDOW, EXIT_KIND_IRQ_WINDOW, false, 0 },
	{ REASON_NMI_WINDOW, EXIT_KIND_NMI_WINDOW, false, 0 },
	{ REASON_TASK_SWITCH, EXIT_KIND_NONE, true, RAW_QUAL },
	{ REASON_CPUID, EXIT_KIND_CPUID, true, 0 },
	{ REASON_GETSEC, EXIT_KIND_UD, true, 0 },
	{ REASON_HLT, EXIT_KIND_HLT, true, 0 },
	{ REASON_INVD, EXIT_KIND_INVD, true, 0 },
	{ REASON_INVLPG, EXIT_KIND_NONE, true, RAW_QUAL },
	{ REASON_RDPMC, EXIT_KIND_RDPMC, true, 0 },
	{ REASON_RDTSC, EXIT_KIND_RDTSC, true, 0 },
	{ REASON_RSM, EXIT_KIND_UD, true, 0 },
	{ REASON_VMCALL, EXIT_KIND_HYPERCALL, true, 0 },
	{ REASON_VMCLEAR, EXIT_KIND_UD, true, 0 },
	{ REASON_VMLAUNCH, EXIT_KIND_UD, true, 0 },
	{ REASON_VMPTRLD, EXIT_KIND_UD, true, 0 },
	{ REASON_VMPTRST, EXIT_KIND_UD, true, 0 },
	{ REASON_VMREAD, EXIT_KIND_UD, true, 0 },
	{ REASON_VMRESUME, EXIT_KIND_UD, true, 0 },
	{ REASON_VMWRITE, EXIT_KIND_UD, true, 0 },
	{ REASON_VMXOFF, EXIT_KIND_UD, true, 0 },
	{ REASON_VMXON, EXIT_KIND_UD, true, 0 },
	{ REASON_CR, EXIT_KIND_NONE, true, RAW_QUAL },
	{ REASON_DR, EXIT_KIND_NONE, true, RAW_QUAL },
	{ REASON_IO, EXIT_KIND_NONE, true, RAW_QUAL },
	{ REASON_RDMSR, EXIT_KIND_RDMSR, true, 0 },
	{ REASON_WRMSR, EXIT_KIND_WRMSR, true, 0 },
	{ REASON_MWAIT, EXIT_KIND_MWAIT, true, 0 },
	{ REASON_MONITOR, EXIT_KIND_MONITOR, true, 0 },
	{ REASON_PAUSE, EXIT_KIND_PAUSE, true, 0 },
	{ REASON_ENTRY_MCE, EXIT_KIND_HOST_MCE, false, 0 },
	{ REASON_TPR, EXIT_KIND_CR8_WRITE, false, 0 },
	/* What hardware did not do: the instruction is yet to be executed. */
	{ REASON_APIC_ACCESS, EXIT_KIND_EMULATE, false, 0 },
	/* What it did; both are traps. */
	{ REASON_EOI, EXIT_KIND_NONE, false, RAW_QUAL },
	{ REASON_EPT_VIOLATION, EXIT_KIND_NONE, false, RAW_QUAL | RAW_GPA },
	{ REASON_EPT_MISCONFIG, EXIT_KIND_PRIVATE, false, RAW_GPA },
	{ REASON_INVEPT, EXIT_KIND_UD, true, 0 },
	/* It also loads TSC_AUX: more than EXIT_KIND_RDTSC can say. */
	{ REASON_RDTSCP, EXIT_KIND_EMULATE, true, 0 },
	{ REASON_TIMER, EXIT_KIND_DEADLINE, false, 0 },
	{ REASON_INVVPID, EXIT_KIND_UD, true, 0 },
	{ REASON_WBINVD, EXIT_KIND_WBINVD, true, 0 },
	{ REASON_XSETBV, EXIT_KIND_XSETBV, true, 0 },
	{ REASON_APIC_WRITE, EXIT_KIND_NONE, false, RAW_QUAL },
	/* INVLPG exiting brings it along: 26.1.3 */
	{ REASON_INVPCID, EXIT_KIND_EMULATE, true, 0 },
	{ REASON_VMFUNC, EXIT_KIND_UD, true, 0 },
	{ REASON_ENCLS, EXIT_KIND_UD, true, 0 },
	/* Emptying the log, run.c's first thing, was all there is to it. */
	{ REASON_PML_FULL, EXIT_KIND_NONE, false, RAW_QUAL },
	{ REASON_PCONFIG, EXIT_KIND_UD, true, 0 },
	{ REASON_ENCLV, EXIT_KIND_UD, true, 0 },
	{ REASON_SEAMCALL, EXIT_KIND_UD, true, 0 },
	{ REASON_TDCALL, EXIT_KIND_UD, true, 0 },
};

static const struct exit_row *find_row(u32 reason)
{
	unsigned int lo = 0, hi = ARRAY_SIZE(rows), mid;
	u32 basic = reason & EXIT_REASON_BASIC;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (rows[mid].reason == basic)
			return &rows[mid];
		if (rows[mid].reason < basic)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

u32 vmx_exit_needs(u32 reason)
{
	const struct exit_row *row = find_row(reason);

	if (reason & EXIT_REASON_ENTRY_FAILURE)
		return RAW_QUAL;
	return row ? row->needs : 0;
}

/* Soft events are found by their type: 4 to 6. */
static bool info_is_soft(u32 info)
{
	return (info & INTR_INFO_VALID) &&
	       (info & INTR_INFO_TYPE) >= INTR_TYPE_SOFT_IRQ;
}

bool vmx_exit_has_len(u32 reason, u32 idt_info)
{
	const struct exit_row *row = find_row(reason);

	if (reason & EXIT_REASON_ENTRY_FAILURE)
		return false;
	return info_is_soft(idt_info) || (row && row->insn) ||
	       (reason & EXIT_REASON_BASIC) == REASON_EXCEPTION_NMI;
}

/* Table 28-3 */
static void decode_cr(const struct vmx_raw *raw, struct exit *exit)
{
	u64 q = raw->qualification;

	exit->kind = EXIT_KIND_CR;
	exit->cr.cr = QUAL_CR_NR(q);
	exit->cr.gpr = QUAL_CR_GPR(q);
	exit->cr.write = QUAL_CR_TYPE(q) != QUAL_CR_FROM;
	/* CLTS and LMSW are no MOV. */
	exit->cr.decoded = QUAL_CR_TYPE(q) <= QUAL_CR_FROM;
}

/* Table 28-4 */
static void decode_dr(const struct vmx_raw *raw, struct exit *exit)
{
	u64 q = raw->qualification;

	exit->kind = EXIT_KIND_DR;
	exit->dr.dr = QUAL_DR_NR(q);
	exit->dr.gpr = QUAL_DR_GPR(q);
	exit->dr.write = !(q & QUAL_DR_FROM);
	exit->dr.decoded = true;
}

/* Table 28-5 */
static void decode_io(const struct vmx_raw *raw, struct exit *exit)
{
	u64 q = raw->qualification;

	exit->kind = EXIT_KIND_PIO;
	exit->pio.port = QUAL_IO_PORT(q);
	exit->pio.size = QUAL_IO_SIZE(q);
	exit->pio.in = q & QUAL_IO_IN;
	exit->pio.string = q & QUAL_IO_STRING;
	exit->pio.rep = q & QUAL_IO_REP;
	if (exit->pio.size != 1 && exit->pio.size != 2 && exit->pio.size != 4)
		exit->kind = EXIT_KIND_EMULATE;
}

/* Table 28-7 */
static void decode_ept(const struct vmx_raw *raw, struct exit *exit)
{
	u64 q = raw->qualification;

	exit->kind = EXIT_KIND_TDP_FAULT;
	exit->tdp.gpa = GPA(raw->gpa);
	exit->tdp.read = q & QUAL_EPT_READ;
	exit->tdp.write = q & QUAL_EPT_WRITE;
	exit->tdp.fetch = q & QUAL_EPT_FETCH;
	exit->tdp.present = q & QUAL_EPT_ALLOWED;
	exit->tdp.user_walk = (q & QUAL_EPT_LINEAR) &&
			      !(q & QUAL_EPT_TRANSLATED);
}

/* 28.2.1, 28.2.2 */
static void decode_exception(const struct vmx_raw *raw, struct exit *exit)
{
	u32 info = raw->intr_info;
	u8 vector = info & INTR_INFO_VECTOR;

	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI) {
		exit->kind = EXIT_KIND_HOST_NMI;
		return;
	}
	if (vector == VEC_MC) {
		exit->kind = EXIT_KIND_HOST_MCE;
		return;
	}
	exit->kind = EXIT_KIND_EXCEPTION;
	exit->exc.vector = vector;
	exit->exc.has_error_code = info & INTR_INFO_ERROR_CODE;
	if (exit->exc.has_error_code)
		exit->exc.error_code = raw->intr_error;
	if (vector == VEC_PF || vector == VEC_DB)
		exit->exc.payload = raw->qualification;
	if (info_is_soft(info))
		exit->insn_len = min_t(u32, raw->insn_len, 15);
}

/* Table 28-2 */
static void decode_task(const struct vmx_raw *raw, struct exit *exit)
{
	exit->kind = EXIT_KIND_TASK_SWITCH;
	exit->task.selector = QUAL_TASK_SELECTOR(raw->qualification);
	exit->task.source = QUAL_TASK_SOURCE(raw->qualification);
	exit->task.has_error_code = (raw->idt_info & INTR_INFO_VALID) &&
				    (raw->idt_info & INTR_INFO_ERROR_CODE);
	if (exit->task.has_error_code)
		exit->task.error_code = raw->idt_error;
}

/* 27.8: the entry failed, the guest's state is as it was */
static void decode_failure(const struct vmx_raw *raw, struct exit *exit)
{
	if ((raw->reason & EXIT_REASON_BASIC) == REASON_ENTRY_MCE) {
		exit->kind = EXIT_KIND_HOST_MCE;
		return;
	}
	exit->kind = EXIT_KIND_FAIL_ENTRY;
	exit->fail.reason = raw->reason;
}

static void decode_special(const struct vmx_raw *raw, struct exit *exit)
{
	switch (raw->reason & EXIT_REASON_BASIC) {
	case REASON_EXCEPTION_NMI:
		return decode_exception(raw, exit);
	case REASON_EXTERNAL:
		exit->kind = EXIT_KIND_HOST_IRQ;
		exit->host_irq.taken = raw->intr_info & INTR_INFO_VALID;
		exit->host_irq.vector = raw->intr_info & INTR_INFO_VECTOR;
		return;
	case REASON_EOI:
		exit->kind = EXIT_KIND_APIC_EOI;
		exit->apic.vector = raw->qualification;
		return;
	case REASON_APIC_WRITE:
		exit->kind = EXIT_KIND_APIC_WRITE;
		exit->apic.offset = QUAL_APIC_OFFSET(raw->qualification);
		return;
	case REASON_TASK_SWITCH:
		return decode_task(raw, exit);
	case REASON_INVLPG:
		exit->kind = EXIT_KIND_INVLPG;
		exit->invlpg.decoded = true;
		exit->invlpg.address = raw->qualification;
		return;
	case REASON_CR:
		return decode_cr(raw, exit);
	case REASON_DR:
		return decode_dr(raw, exit);
	case REASON_IO:
		return decode_io(raw, exit);
	case REASON_EPT_VIOLATION:
		return decode_ept(raw, exit);
	}
}

static u8 decode_shadow(u32 interruptibility)
{
	return (interruptibility & INTERRUPTIBILITY_STI ? SHADOW_STI : 0) |
	       (interruptibility & INTERRUPTIBILITY_MOV_SS ? SHADOW_MOV_SS : 0);
}

void vmx_exit_decode(const struct vmx_raw *raw, struct exit *exit)
{
	const struct exit_row *row = find_row(raw->reason);

	*exit = (struct exit){
		/* One nobody asked for, unless there is a row. */
		.kind = EXIT_KIND_PRIVATE,
		.hw_reason = raw->reason,
		.cr8 = raw->cr8,
		.shadow = decode_shadow(raw->interruptibility),
	};
	if (raw->reason & EXIT_REASON_ENTRY_FAILURE)
		return decode_failure(raw, exit);

	exit->nmi_unblocked = raw->nmi_was_blocked &&
			      !vmx_exit_nmi_blocked(raw);
	exit->inflight = vmx_event_decode(raw->idt_info, raw->idt_error,
					  raw->insn_len);
	if (!row)
		return;
	exit->kind = row->kind;
	if (row->insn)
		exit->insn_len = min_t(u32, raw->insn_len, 15);
	if (row->kind == EXIT_KIND_NONE)
		decode_special(raw, exit);
	/* Nothing is delivered to a guest that is shutting down. */
	if (exit->kind == EXIT_KIND_SHUTDOWN)
		exit->inflight.type = EVENT_NONE;
}

bool vmx_exit_nmi_blocked(const struct vmx_raw *raw)
{
	bool unblocked = false;

	if (raw->interruptibility & INTERRUPTIBILITY_NMI)
		return true;
	/* Both tell of the IRET only if nothing was being delivered. */
	if (raw->idt_info & INTR_INFO_VALID)
		return false;
	switch (raw->reason & EXIT_REASON_BASIC) {
	case REASON_EXCEPTION_NMI:
		unblocked = (raw->intr_info & INTR_INFO_NMI_UNBLOCK) &&
			    (raw->intr_info & INTR_INFO_VECTOR) != VEC_DF;
		break;
	case REASON_EPT_VIOLATION:
	case REASON_PML_FULL:
		unblocked = raw->qualification & QUAL_NMI_UNBLOCK;
		break;
	}
	return unblocked && raw->nmi_was_blocked;
}

struct event vmx_event_decode(u32 info, u32 error_code, u32 insn_len)
{
	struct event event = { .vector = info & INTR_INFO_VECTOR };

	if (!(info & INTR_INFO_VALID))
		return (struct event){ .type = EVENT_NONE };
	switch (info & INTR_INFO_TYPE) {
	case INTR_TYPE_EXTERNAL:
		event.type = EVENT_IRQ;
		return event;
	case INTR_TYPE_NMI:
		event.type = EVENT_NMI;
		event.vector = VEC_NMI;
		return event;
	case INTR_TYPE_EXCEPTION:
		event.type = EVENT_EXCEPTION;
		event.has_error_code = info & INTR_INFO_ERROR_CODE;
		if (event.has_error_code)
			event.error_code = error_code;
		return event;
	case INTR_TYPE_SOFT_IRQ:
		event.type = EVENT_SOFT_IRQ;
		break;
	case INTR_TYPE_PRIV_SOFT:
	case INTR_TYPE_SOFT_EXCEPTION:
		event.type = EVENT_SOFT_EXCEPTION;
		break;
	default:
		return (struct event){ .type = EVENT_NONE };
	}
	event.insn_len = min_t(u32, insn_len, 15);
	return event;
}

/* 27.2.1.3: #DF, #TS, #NP, #SS, #GP, #PF, #AC */
static bool pushes_error_code(u8 vector)
{
	static const u32 vectors = BIT(VEC_DF) | BIT(VEC_TS) | BIT(VEC_NP) |
				   BIT(VEC_SS) | BIT(VEC_GP) | BIT(VEC_PF) |
				   BIT(VEC_AC);

	return vector < 32 && (vectors >> vector & 1);
}

u32 vmx_event_encode(const struct event *event, bool protected)
{
	u32 info = INTR_INFO_VALID | event->vector;

	switch (event->type) {
	case EVENT_NONE:
		return 0;
	case EVENT_IRQ:
		return info | INTR_TYPE_EXTERNAL;
	case EVENT_NMI:
		return INTR_INFO_VALID | INTR_TYPE_NMI | VEC_NMI;
	case EVENT_SOFT_IRQ:
		return info | INTR_TYPE_SOFT_IRQ;
	case EVENT_SOFT_EXCEPTION:
		return info | (event->vector == VEC_DB ?
			       INTR_TYPE_PRIV_SOFT : INTR_TYPE_SOFT_EXCEPTION);
	}
	info |= INTR_TYPE_EXCEPTION;
	if (protected && pushes_error_code(event->vector))
		info |= INTR_INFO_ERROR_CODE;
	return info;
}
