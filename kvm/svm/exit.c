// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit codes to neutral exits: see exit.h. APM vol. 2, appendix C and the
 * sections named at each decoder.
 *
 * Most exits carry no more than their code: a row each. The others have a
 * decoder. Everything in the VMCB is the hardware's, but some of it is the
 * guest's choice: no number is used as an index unchecked.
 */
#include "svm/exit.h"
#include "svm/vmcb.h"
#include "x86/cr.h"

#define ROW_FIRST VMEXIT_INTR
#define ROW_COUNT (VMEXIT_TLBSYNC - ROW_FIRST + 1)

enum exit_row_type {
	NO_ROW,
	OTHER,
	INSN,			/* an instruction: nRIP is that of the next */
	IOIO,			/* decode_ioio() */
	MSR,			/* the same, of two kinds */
};

struct exit_row {
	u8 kind;		/* enum exit_kind */
	u8 type;		/* enum exit_row_type */
};

static const struct exit_row rows[ROW_COUNT] = {
	[VMEXIT_INTR - ROW_FIRST] = { EXIT_KIND_HOST_IRQ, OTHER },
	[VMEXIT_NMI - ROW_FIRST] = { EXIT_KIND_HOST_NMI, OTHER },
	[VMEXIT_SMI - ROW_FIRST] = { EXIT_KIND_NONE, OTHER },
	[VMEXIT_INIT - ROW_FIRST] = { EXIT_KIND_NONE, OTHER },
	[VMEXIT_VINTR - ROW_FIRST] = { EXIT_KIND_IRQ_WINDOW, OTHER },
	[VMEXIT_RDTSC - ROW_FIRST] = { EXIT_KIND_RDTSC, INSN },
	[VMEXIT_RDPMC - ROW_FIRST] = { EXIT_KIND_RDPMC, INSN },
	[VMEXIT_CPUID - ROW_FIRST] = { EXIT_KIND_CPUID, INSN },
	[VMEXIT_RSM - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_IRET - ROW_FIRST] = { EXIT_KIND_PRIVATE, OTHER },
	[VMEXIT_INVD - ROW_FIRST] = { EXIT_KIND_INVD, INSN },
	[VMEXIT_PAUSE - ROW_FIRST] = { EXIT_KIND_PAUSE, INSN },
	[VMEXIT_HLT - ROW_FIRST] = { EXIT_KIND_HLT, INSN },
	[VMEXIT_INVLPGA - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_IOIO - ROW_FIRST] = { EXIT_KIND_PIO, IOIO },
	[VMEXIT_MSR - ROW_FIRST] = { EXIT_KIND_RDMSR, MSR },
	[VMEXIT_VMRUN - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_VMMCALL - ROW_FIRST] = { EXIT_KIND_HYPERCALL, INSN },
	[VMEXIT_VMLOAD - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_VMSAVE - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_STGI - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_CLGI - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_SKINIT - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	/* It also loads TSC_AUX: more than EXIT_KIND_RDTSC can say. */
	[VMEXIT_RDTSCP - ROW_FIRST] = { EXIT_KIND_EMULATE, INSN },
	[VMEXIT_WBINVD - ROW_FIRST] = { EXIT_KIND_WBINVD, INSN },
	[VMEXIT_MONITOR - ROW_FIRST] = { EXIT_KIND_MONITOR, INSN },
	[VMEXIT_MWAIT - ROW_FIRST] = { EXIT_KIND_MWAIT, INSN },
	[VMEXIT_MWAIT_ARMED - ROW_FIRST] = { EXIT_KIND_MWAIT, INSN },
	[VMEXIT_XSETBV - ROW_FIRST] = { EXIT_KIND_XSETBV, INSN },
	[VMEXIT_RDPRU - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_INVLPGB - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_MCOMMIT - ROW_FIRST] = { EXIT_KIND_UD, INSN },
	[VMEXIT_TLBSYNC - ROW_FIRST] = { EXIT_KIND_UD, INSN },
};

/* nRIP minus RIP, or 0 where the hardware does not tell. */
static u8 insn_len(const struct vmcb *vmcb, const struct svm_caps *caps)
{
	u64 len = vmcb->control.next_rip - vmcb->save.rip;

	return caps->next_rip && len >= 1 && len <= 15 ? len : 0;
}

/* 15.8, 15.33.1 */
static void decode_cr(const struct vmcb *vmcb, const struct svm_caps *caps,
		      struct exit *exit)
{
	bool sel = vmcb->control.exit_code == VMEXIT_CR0_SEL;

	exit->kind = EXIT_KIND_CR;
	exit->cr.cr = sel ? 0 : vmcb->control.exit_code & 15;
	exit->cr.write = sel || vmcb->control.exit_code >= VMEXIT_CR_WRITE;
	/* CLTS, LMSW and SMSW come here, too, and are no MOV. */
	exit->cr.decoded = caps->decode && (vmcb->control.exit_info1 & CR_IS_MOV);
	if (exit->cr.decoded)
		exit->cr.gpr = vmcb->control.exit_info1 & 15;
	exit->insn_len = insn_len(vmcb, caps);
}

static void decode_dr(const struct vmcb *vmcb, const struct svm_caps *caps,
		      struct exit *exit)
{
	exit->kind = EXIT_KIND_DR;
	exit->dr.dr = vmcb->control.exit_code & 15;
	exit->dr.write = vmcb->control.exit_code >= VMEXIT_DR_WRITE;
	exit->dr.decoded = caps->decode;
	if (exit->dr.decoded)
		exit->dr.gpr = vmcb->control.exit_info1 & 15;
	exit->insn_len = insn_len(vmcb, caps);
}

/* Bytes that were fetched for the instruction: #PF and NPF only, 15.33.3 */
static __always_inline void decode_bytes(const struct vmcb *vmcb,
					 const struct svm_caps *caps,
					 struct exit *exit)
{
	if (!caps->decode)
		return;
	exit->insn_bytes_count = min_t(u8, vmcb->control.insn_fetched & 15,
				       sizeof(exit->insn_bytes));
	memcpy(exit->insn_bytes, vmcb->control.insn_bytes, sizeof(exit->insn_bytes));
}

/* 15.12 */
static void decode_exception(const struct vmcb *vmcb,
			     const struct svm_caps *caps, struct exit *exit)
{
	u8 vector = vmcb->control.exit_code - VMEXIT_EXCEPTION;

	if (vector == VEC_MC) {
		exit->kind = EXIT_KIND_HOST_MCE;
		return;
	}
	exit->kind = EXIT_KIND_EXCEPTION;
	exit->exc.vector = vector;
	exit->exc.has_error_code = event_has_error_code(vector);
	if (exit->exc.has_error_code)
		exit->exc.error_code = vmcb->control.exit_info1;
	if (vector == VEC_PF) {
		exit->exc.payload = vmcb->control.exit_info2;
		decode_bytes(vmcb, caps, exit);
	} else if (vector == VEC_DB) {
		exit->exc.payload = dr6_payload(vmcb->save.dr6);
	} else if (vector == VEC_BP || vector == VEC_OF) {
		exit->insn_len = insn_len(vmcb, caps);
	}
}

/* 15.10.2: the port and where to go on, with or without nRIP */
static void decode_ioio(const struct vmcb *vmcb, struct exit *exit)
{
	u32 info = vmcb->control.exit_info1;
	u32 size = (info >> IOIO_SIZE_SHIFT) & 7;
	u64 next = vmcb->control.exit_info2;
	u64 len = next - vmcb->save.rip;

	exit->pio.port = info >> IOIO_PORT_SHIFT;
	exit->pio.size = size;
	exit->pio.in = info & IOIO_IN;
	exit->pio.string = info & IOIO_STRING;
	exit->pio.rep = info & IOIO_REP;
	exit->pio.next_rip = 0;
	if (len - 1 <= 14) {
		exit->insn_len = len;
		exit->pio.next_rip = next;
	}
	if (!(BIT(size) & (BIT(1) | BIT(2) | BIT(4))))
		exit->kind = EXIT_KIND_EMULATE;
}

/* 15.25.6 */
static __always_inline void decode_npf(const struct vmcb *vmcb,
				       const struct svm_caps *caps,
				       struct exit *exit)
{
	u64 info = vmcb->control.exit_info1;

	exit->kind = EXIT_KIND_TDP_FAULT;
	exit->tdp.gpa = GPA(vmcb->control.exit_info2);
	exit->tdp.present = info & NPF_PRESENT;
	exit->tdp.write = info & NPF_WRITE;
	exit->tdp.fetch = info & NPF_FETCH;
	exit->tdp.read = !(info & (NPF_WRITE | NPF_FETCH));
	exit->tdp.user_walk = info & NPF_TABLE_WALK;
	decode_bytes(vmcb, caps, exit);
}

/* 15.14.1 */
static void decode_task(const struct vmcb *vmcb, const struct svm_caps *caps,
			struct exit *exit)
{
	exit->kind = EXIT_KIND_TASK_SWITCH;
	exit->task.selector = vmcb->control.exit_info1;
	if (vmcb->control.exit_info2 & TASK_IRET)
		exit->task.source = 1;
	else if (vmcb->control.exit_info2 & TASK_JMP)
		exit->task.source = 2;
	else if (exit->inflight.type != EVENT_NONE)
		exit->task.source = 3;
	exit->task.has_error_code = vmcb->control.exit_info2 & TASK_ERROR_CODE;
	if (exit->task.has_error_code)
		exit->task.error_code = vmcb->control.exit_info2;
	exit->insn_len = insn_len(vmcb, caps);
}

/* False: the code has no row. */
static __always_inline bool decode_row(const struct vmcb *vmcb,
				       const struct svm_caps *caps,
				       struct exit *exit)
{
	u64 i = exit->hw_reason - ROW_FIRST;
	const struct exit_row *row;

	if (i >= ROW_COUNT)
		return false;
	row = &rows[array_index_nospec(i, ROW_COUNT)];
	exit->kind = row->kind;
	switch (row->type) {
	case INSN:
		exit->insn_len = insn_len(vmcb, caps);
		break;
	case IOIO:
		decode_ioio(vmcb, exit);
		break;
	case MSR:
		if (vmcb->control.exit_info1 & 1)
			exit->kind = EXIT_KIND_WRMSR;
		exit->insn_len = insn_len(vmcb, caps);
		break;
	}
	return row->type != NO_ROW;
}

static noinline void decode_other(const struct vmcb *vmcb,
				  const struct svm_caps *caps,
				  struct exit *exit)
{
	exit_clear_details(exit);
	switch (exit->hw_reason) {
	case VMEXIT_CR_READ ... VMEXIT_CR_WRITE + 15:
	case VMEXIT_CR0_SEL:
		return decode_cr(vmcb, caps, exit);
	case VMEXIT_DR_READ ... VMEXIT_DR_WRITE + 15:
		return decode_dr(vmcb, caps, exit);
	case VMEXIT_EXCEPTION ... VMEXIT_EXCEPTION + 31:
		return decode_exception(vmcb, caps, exit);
	case VMEXIT_TASK_SWITCH:
		return decode_task(vmcb, caps, exit);
	case VMEXIT_INVLPG:
		exit->kind = EXIT_KIND_INVLPG;
		exit->invlpg.decoded = caps->decode;
		exit->invlpg.address = caps->decode ? vmcb->control.exit_info1 : 0;
		exit->insn_len = insn_len(vmcb, caps);
		return;
	case VMEXIT_SHUTDOWN:
		/* The rest of the VMCB is undefined now: 15.14.3 */
		exit->kind = EXIT_KIND_SHUTDOWN;
		exit->inflight.type = EVENT_NONE;
		return;
	}
	/* An unknown code: we asked for no such intercept. */
	exit->kind = EXIT_KIND_PRIVATE;
}

/* What all exits have. */
static __always_inline void decode_common(const struct vmcb *vmcb,
					  struct exit *exit)
{
	exit->hw_reason = vmcb->control.exit_code;
	exit->insn_len = 0;
	exit->insn_bytes_count = 0;
	exit->cr8 = vmcb->control.vintr & V_TPR;
	/* One bit for both: each blocks what the other does. */
	exit->shadow = vmcb->control.shadow & VMCB_SHADOW ?
		       SHADOW_STI | SHADOW_MOV_SS : 0;
	exit->nmi_unblocked = false;
	exit->inflight = (struct event){ .type = EVENT_NONE };
	if (unlikely(vmcb->control.exit_int_info & EVT_VALID))
		exit->inflight = svm_event_decode(vmcb->control.exit_int_info);
}

void svm_exit_decode(const struct vmcb *vmcb, const struct svm_caps *caps,
		     struct exit *exit)
{
	decode_common(vmcb, exit);
	if (exit->hw_reason == VMEXIT_NPF)
		decode_npf(vmcb, caps, exit);
	else if (!decode_row(vmcb, caps, exit))
		decode_other(vmcb, caps, exit);
}

struct event svm_event_decode(u64 info)
{
	struct event event = { .vector = info & EVT_VECTOR };

	if (!(info & EVT_VALID))
		return (struct event){ .type = EVENT_NONE };
	switch (info & EVT_TYPE) {
	case EVT_TYPE_INTR:
		event.type = EVENT_IRQ;
		return event;
	case EVT_TYPE_NMI:
		event.type = EVENT_NMI;
		event.vector = VEC_NMI;
		return event;
	case EVT_TYPE_EXCEPTION:
	case EVT_TYPE_SOFT:
		break;
	default:
		return (struct event){ .type = EVENT_NONE };
	}
	/* Only INT3 and INTO raise these two, whatever type is reported. */
	if (event.vector == VEC_BP || event.vector == VEC_OF) {
		event.type = EVENT_SOFT_EXCEPTION;
	} else if ((info & EVT_TYPE) == EVT_TYPE_SOFT) {
		event.type = EVENT_SOFT_IRQ;
	} else {
		event.type = EVENT_EXCEPTION;
		event.has_error_code = info & EVT_ERROR_CODE;
		if (event.has_error_code)
			event.error_code = info >> EVT_ERROR_SHIFT;
	}
	return event;
}

u64 svm_event_encode(const struct event *event)
{
	u64 info = EVT_VALID | event->vector;

	switch (event->type) {
	case EVENT_NONE:
		return 0;
	case EVENT_IRQ:
		return info | EVT_TYPE_INTR;
	case EVENT_NMI:
		return EVT_VALID | EVT_TYPE_NMI | VEC_NMI;
	case EVENT_SOFT_IRQ:
		return info | EVT_TYPE_SOFT;
	default:
		info |= EVT_TYPE_EXCEPTION;
	}
	if (event->has_error_code)
		info |= EVT_ERROR_CODE |
			(u64)event->error_code << EVT_ERROR_SHIFT;
	return info;
}
