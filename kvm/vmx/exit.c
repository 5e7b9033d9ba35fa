// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit reasons to neutral exits: see exit.h. SDM vol. 3, appendix C and the
 * sections named at each decoder.
 *
 * Most exits carry no more than their reason: a row each. The others have a
 * decoder, which fills in all of its part of the union. Everything in struct
 * vmx_raw is the hardware's, but some of it is the guest's choice: no number is
 * used as an index unchecked.
 */
#include "vmx/exit.h"
#include "vmx/vmcs.h"

struct exit_row {
	bool known;
	u8 kind;		/* enum exit_kind; NONE: has a decoder */
	u8 needs;		/* RAW_* */
};

#define ROW(reason, kind_, needs_)					\
	[REASON_##reason] = { .known = true, .kind = EXIT_KIND_##kind_,	\
			      .needs = needs_ }

static const struct exit_row rows[] = {
	ROW(EXCEPTION_NMI, NONE, RAW_LEN | RAW_IDT | RAW_INTR | RAW_QUAL),
	ROW(EXTERNAL, NONE, RAW_INTR),
	ROW(TRIPLE_FAULT, SHUTDOWN, 0),
	ROW(IRQ_WINDOW, IRQ_WINDOW, 0),
	ROW(NMI_WINDOW, NMI_WINDOW, 0),
	ROW(TASK_SWITCH, NONE, RAW_LEN | RAW_IDT | RAW_QUAL),
	ROW(CPUID, CPUID, RAW_LEN),
	ROW(GETSEC, UD, RAW_LEN),
	ROW(HLT, HLT, RAW_LEN),
	ROW(INVD, INVD, RAW_LEN),
	ROW(INVLPG, NONE, RAW_LEN | RAW_QUAL),
	ROW(RDPMC, RDPMC, RAW_LEN),
	ROW(RDTSC, RDTSC, RAW_LEN),
	ROW(RSM, UD, RAW_LEN),
	ROW(VMCALL, HYPERCALL, RAW_LEN),
	ROW(VMCLEAR, UD, RAW_LEN),
	ROW(VMLAUNCH, UD, RAW_LEN),
	ROW(VMPTRLD, UD, RAW_LEN),
	ROW(VMPTRST, UD, RAW_LEN),
	ROW(VMREAD, UD, RAW_LEN),
	ROW(VMRESUME, UD, RAW_LEN),
	ROW(VMWRITE, UD, RAW_LEN),
	ROW(VMXOFF, UD, RAW_LEN),
	ROW(VMXON, UD, RAW_LEN),
	ROW(CR, NONE, RAW_LEN | RAW_QUAL),
	ROW(DR, NONE, RAW_LEN | RAW_QUAL),
	ROW(IO, NONE, RAW_LEN | RAW_QUAL),
	ROW(RDMSR, RDMSR, RAW_LEN),
	ROW(WRMSR, WRMSR, RAW_LEN),
	ROW(MWAIT, MWAIT, RAW_LEN),
	ROW(MONITOR, MONITOR, RAW_LEN),
	ROW(PAUSE, PAUSE, RAW_LEN),
	ROW(ENTRY_MCE, HOST_MCE, 0),
	ROW(TPR, CR8_WRITE, 0),
	/* What hardware did not do: the instruction is yet to be executed. */
	ROW(APIC_ACCESS, EMULATE, 0),
	/* What it did; both are traps. */
	ROW(EOI, NONE, RAW_QUAL),
	ROW(EPT_VIOLATION, NONE, RAW_QUAL | RAW_GPA),
	ROW(EPT_MISCONFIG, PRIVATE, RAW_GPA),
	ROW(INVEPT, UD, RAW_LEN),
	/* It also loads TSC_AUX: more than EXIT_KIND_RDTSC can say. */
	ROW(RDTSCP, EMULATE, RAW_LEN),
	ROW(TIMER, DEADLINE, 0),
	ROW(INVVPID, UD, RAW_LEN),
	ROW(WBINVD, WBINVD, RAW_LEN),
	ROW(XSETBV, XSETBV, RAW_LEN),
	ROW(APIC_WRITE, NONE, RAW_QUAL),
	/* INVLPG exiting brings it along: 26.1.3 */
	ROW(INVPCID, EMULATE, RAW_LEN),
	ROW(VMFUNC, UD, RAW_LEN),
	ROW(ENCLS, UD, RAW_LEN),
	/* Emptying the log, run.c's first thing, was all there is to it. */
	ROW(PML_FULL, NONE, RAW_QUAL),
	ROW(PCONFIG, UD, RAW_LEN),
	ROW(ENCLV, UD, RAW_LEN),
	ROW(SEAMCALL, UD, RAW_LEN),
	ROW(TDCALL, UD, RAW_LEN),
};

/* NULL: one nobody asked for. */
static const struct exit_row *find_row(u32 reason)
{
	u32 basic = reason & EXIT_REASON_BASIC;

	return basic < ARRAY_SIZE(rows) && rows[basic].known ? &rows[basic] :
							      NULL;
}

/* Soft events are found by their type: 4 to 6. */
static bool info_is_soft(u32 info)
{
	return (info & INTR_INFO_VALID) &&
	       (info & INTR_INFO_TYPE) >= INTR_TYPE_SOFT_IRQ;
}

u32 vmx_exit_needs(u32 reason)
{
	const struct exit_row *row = find_row(reason);
	u32 needs = row ? row->needs : 0;

	if (reason & EXIT_REASON_ENTRY_FAILURE)
		return RAW_QUAL;
	/* An instruction that is executed cuts no delivery off. */
	return needs & RAW_LEN ? needs : needs | RAW_IDT;
}

u32 vmx_idt_needs(u32 idt_info)
{
	if (!(idt_info & INTR_INFO_VALID))
		return 0;
	return (idt_info & INTR_INFO_ERROR_CODE ? RAW_IDT_ERROR : 0) |
	       (info_is_soft(idt_info) ? RAW_LEN : 0);
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
	exit->pio.next_rip = 0;
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
	exit->exc.error_code = exit->exc.has_error_code ? raw->intr_error : 0;
	exit->exc.payload = vector == VEC_PF || vector == VEC_DB ?
			    raw->qualification : 0;
	if (!info_is_soft(info))
		exit->insn_len = 0;
}

/* Table 28-2 */
static void decode_task(const struct vmx_raw *raw, struct exit *exit)
{
	exit->kind = EXIT_KIND_TASK_SWITCH;
	exit->task.selector = QUAL_TASK_SELECTOR(raw->qualification);
	exit->task.source = QUAL_TASK_SOURCE(raw->qualification);
	exit->task.has_error_code = (raw->idt_info & INTR_INFO_VALID) &&
				    (raw->idt_info & INTR_INFO_ERROR_CODE);
	exit->task.error_code = exit->task.has_error_code ? raw->idt_error : 0;
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

	exit->kind = EXIT_KIND_PRIVATE;
	exit->insn_len = 0;
	exit->insn_bytes_count = 0;
	exit->cr8 = raw->cr8;
	exit->shadow = decode_shadow(raw->interruptibility);
	exit->nmi_unblocked = false;
	exit->hw_reason = raw->reason;
	exit->inflight.type = EVENT_NONE;
	if (raw->reason & EXIT_REASON_ENTRY_FAILURE)
		return decode_failure(raw, exit);

	exit->nmi_unblocked = raw->nmi_was_blocked &&
			      !vmx_exit_nmi_blocked(raw);
	exit->inflight = vmx_event_decode(raw->idt_info, raw->idt_error,
					  raw->insn_len);
	if (!row)
		return;
	exit->kind = row->kind;
	if (row->needs & RAW_LEN)
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
