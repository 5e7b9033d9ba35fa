// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exit codes to neutral exits: see exit.h. APM vol. 2, appendix C and the
 * sections named at each decoder.
 *
 * Most exits carry no more than their code: a row each. The others have a
 * decoder. Everything in struct svm_raw is the hardware's, but some of it is
 * the guest's choice: no number is used as an index unchecked.
 */
#include "svm/exit.h"
#include "svm/vmcb.h"

struct exit_row {
	u16 code;
	u8 kind;		/* enum exit_kind */
	bool insn;		/* an instruction: nRIP is that of the next */
};

/* Ascending. EXIT_KIND_NONE: the host's business, done by the time we look. */
static const struct exit_row rows[] = {
	{ VMEXIT_INTR, EXIT_KIND_HOST_IRQ, false },
	{ VMEXIT_NMI, EXIT_KIND_HOST_NMI, false },
	{ VMEXIT_SMI, EXIT_KIND_NONE, false },
	{ VMEXIT_INIT, EXIT_KIND_NONE, false },
	{ VMEXIT_VINTR, EXIT_KIND_IRQ_WINDOW, false },
	{ VMEXIT_RDTSC, EXIT_KIND_RDTSC, true },
	{ VMEXIT_RDPMC, EXIT_KIND_RDPMC, true },
	{ VMEXIT_CPUID, EXIT_KIND_CPUID, true },
	{ VMEXIT_RSM, EXIT_KIND_UD, true },
	{ VMEXIT_IRET, EXIT_KIND_PRIVATE, false },
	{ VMEXIT_INVD, EXIT_KIND_INVD, true },
	{ VMEXIT_PAUSE, EXIT_KIND_PAUSE, true },
	{ VMEXIT_HLT, EXIT_KIND_HLT, true },
	{ VMEXIT_INVLPGA, EXIT_KIND_UD, true },
	{ VMEXIT_SHUTDOWN, EXIT_KIND_SHUTDOWN, false },
	{ VMEXIT_VMRUN, EXIT_KIND_UD, true },
	{ VMEXIT_VMMCALL, EXIT_KIND_HYPERCALL, true },
	{ VMEXIT_VMLOAD, EXIT_KIND_UD, true },
	{ VMEXIT_VMSAVE, EXIT_KIND_UD, true },
	{ VMEXIT_STGI, EXIT_KIND_UD, true },
	{ VMEXIT_CLGI, EXIT_KIND_UD, true },
	{ VMEXIT_SKINIT, EXIT_KIND_UD, true },
	/* It also loads TSC_AUX: more than EXIT_KIND_RDTSC can say. */
	{ VMEXIT_RDTSCP, EXIT_KIND_EMULATE, true },
	{ VMEXIT_WBINVD, EXIT_KIND_WBINVD, true },
	{ VMEXIT_MONITOR, EXIT_KIND_MONITOR, true },
	{ VMEXIT_MWAIT, EXIT_KIND_MWAIT, true },
	{ VMEXIT_MWAIT_ARMED, EXIT_KIND_MWAIT, true },
	{ VMEXIT_XSETBV, EXIT_KIND_XSETBV, true },
	{ VMEXIT_RDPRU, EXIT_KIND_UD, true },
	{ VMEXIT_INVLPGB, EXIT_KIND_UD, true },
	{ VMEXIT_MCOMMIT, EXIT_KIND_UD, true },
	{ VMEXIT_TLBSYNC, EXIT_KIND_UD, true },
};

/* nRIP minus RIP, or 0 where the hardware does not tell. */
static u8 insn_len(const struct svm_raw *raw, const struct svm_caps *caps)
{
	u64 len = raw->next_rip - raw->rip;

	return caps->next_rip && len >= 1 && len <= 15 ? len : 0;
}

static void decode_row(const struct svm_raw *raw, const struct svm_caps *caps,
		       struct exit *exit)
{
	unsigned int i;

	/* An unknown code: we asked for no such intercept. */
	exit->kind = EXIT_KIND_PRIVATE;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		if (rows[i].code != raw->code)
			continue;
		exit->kind = rows[i].kind;
		if (rows[i].insn)
			exit->insn_len = insn_len(raw, caps);
		return;
	}
}

/* 15.8, 15.33.1 */
static void decode_cr(const struct svm_raw *raw, const struct svm_caps *caps,
		      struct exit *exit)
{
	bool sel = raw->code == VMEXIT_CR0_SEL;

	exit->kind = EXIT_KIND_CR;
	exit->cr.cr = sel ? 0 : raw->code & 15;
	exit->cr.write = sel || raw->code >= VMEXIT_CR_WRITE;
	/* CLTS, LMSW and SMSW come here, too, and are no MOV. */
	exit->cr.decoded = caps->decode && (raw->info1 & CR_IS_MOV);
	if (exit->cr.decoded)
		exit->cr.gpr = raw->info1 & 15;
	exit->insn_len = insn_len(raw, caps);
}

static void decode_dr(const struct svm_raw *raw, const struct svm_caps *caps,
		      struct exit *exit)
{
	exit->kind = EXIT_KIND_DR;
	exit->dr.dr = raw->code & 15;
	exit->dr.write = raw->code >= VMEXIT_DR_WRITE;
	exit->dr.decoded = caps->decode;
	if (exit->dr.decoded)
		exit->dr.gpr = raw->info1 & 15;
	exit->insn_len = insn_len(raw, caps);
}

/* Bytes that were fetched for the instruction: #PF and NPF only, 15.33.3 */
static void decode_bytes(const struct svm_raw *raw,
			 const struct svm_caps *caps, struct exit *exit)
{
	if (!caps->decode)
		return;
	exit->insn_bytes_count = min_t(u8, raw->fetched & 15,
				       sizeof(exit->insn_bytes));
	memcpy(exit->insn_bytes, raw->bytes, sizeof(exit->insn_bytes));
}

/* 15.12 */
static void decode_exception(const struct svm_raw *raw,
			     const struct svm_caps *caps, struct exit *exit)
{
	u8 vector = raw->code - VMEXIT_EXCEPTION;

	if (vector == VEC_MC) {
		exit->kind = EXIT_KIND_HOST_MCE;
		return;
	}
	exit->kind = EXIT_KIND_EXCEPTION;
	exit->exc.vector = vector;
	exit->exc.has_error_code = event_has_error_code(vector);
	if (exit->exc.has_error_code)
		exit->exc.error_code = raw->info1;
	if (vector == VEC_PF) {
		exit->exc.payload = raw->info2;
		decode_bytes(raw, caps, exit);
	} else if (vector == VEC_DB) {
		exit->exc.payload = raw->dr6;
	} else if (vector == VEC_BP || vector == VEC_OF) {
		exit->insn_len = insn_len(raw, caps);
	}
}

/* 15.10.2: the port and where to go on, with or without nRIP */
static void decode_ioio(const struct svm_raw *raw, struct exit *exit)
{
	u64 len = raw->info2 - raw->rip;

	exit->kind = EXIT_KIND_PIO;
	exit->pio.port = raw->info1 >> IOIO_PORT_SHIFT;
	exit->pio.size = (raw->info1 >> IOIO_SIZE_SHIFT) & 7;
	exit->pio.in = raw->info1 & IOIO_IN;
	exit->pio.string = raw->info1 & IOIO_STRING;
	exit->pio.rep = raw->info1 & IOIO_REP;
	if (len >= 1 && len <= 15) {
		exit->insn_len = len;
		exit->pio.next_rip = raw->info2;
	}
	if (exit->pio.size != 1 && exit->pio.size != 2 && exit->pio.size != 4)
		exit->kind = EXIT_KIND_EMULATE;
}

/* 15.25.6 */
static void decode_npf(const struct svm_raw *raw, const struct svm_caps *caps,
		       struct exit *exit)
{
	exit->kind = EXIT_KIND_TDP_FAULT;
	exit->tdp.gpa = GPA(raw->info2);
	exit->tdp.present = raw->info1 & NPF_PRESENT;
	exit->tdp.write = raw->info1 & NPF_WRITE;
	exit->tdp.fetch = raw->info1 & NPF_FETCH;
	exit->tdp.read = !exit->tdp.write && !exit->tdp.fetch;
	exit->tdp.user_walk = raw->info1 & NPF_TABLE_WALK;
	decode_bytes(raw, caps, exit);
}

/* 15.14.1 */
static void decode_task(const struct svm_raw *raw, const struct svm_caps *caps,
			struct exit *exit)
{
	exit->kind = EXIT_KIND_TASK_SWITCH;
	exit->task.selector = raw->info1;
	if (raw->info2 & TASK_IRET)
		exit->task.source = 1;
	else if (raw->info2 & TASK_JMP)
		exit->task.source = 2;
	else if (exit->inflight.type != EVENT_NONE)
		exit->task.source = 3;
	exit->task.has_error_code = raw->info2 & TASK_ERROR_CODE;
	if (exit->task.has_error_code)
		exit->task.error_code = raw->info2;
	exit->insn_len = insn_len(raw, caps);
}

static void decode_fail(const struct svm_raw *raw, struct exit *exit)
{
	exit->kind = EXIT_KIND_FAIL_ENTRY;
	exit->fail.reason = raw->code;
	exit->inflight.type = EVENT_NONE;
}

void svm_exit_decode(const struct svm_raw *raw, const struct svm_caps *caps,
		     struct exit *exit)
{
	*exit = (struct exit){
		.hw_reason = raw->code,
		.cr8 = raw->vintr & V_TPR,
		/* One bit for both: each blocks what the other does. */
		.shadow = raw->shadow & VMCB_SHADOW ?
			  SHADOW_STI | SHADOW_MOV_SS : 0,
		.inflight = svm_event_decode(raw->int_info),
	};

	switch (raw->code) {
	case VMEXIT_CR_READ ... VMEXIT_CR_WRITE + 15:
	case VMEXIT_CR0_SEL:
		return decode_cr(raw, caps, exit);
	case VMEXIT_DR_READ ... VMEXIT_DR_WRITE + 15:
		return decode_dr(raw, caps, exit);
	case VMEXIT_EXCEPTION ... VMEXIT_EXCEPTION + 31:
		return decode_exception(raw, caps, exit);
	case VMEXIT_IOIO:
		return decode_ioio(raw, exit);
	case VMEXIT_NPF:
		return decode_npf(raw, caps, exit);
	case VMEXIT_TASK_SWITCH:
		return decode_task(raw, caps, exit);
	case VMEXIT_INVALID:
		return decode_fail(raw, exit);
	case VMEXIT_MSR:
		exit->kind = raw->info1 & 1 ? EXIT_KIND_WRMSR :
					      EXIT_KIND_RDMSR;
		exit->insn_len = insn_len(raw, caps);
		return;
	case VMEXIT_INVLPG:
		exit->kind = EXIT_KIND_INVLPG;
		exit->invlpg.decoded = caps->decode;
		exit->invlpg.address = caps->decode ? raw->info1 : 0;
		exit->insn_len = insn_len(raw, caps);
		return;
	case VMEXIT_SHUTDOWN:
		/* The rest of the VMCB is undefined now: 15.14.3 */
		exit->inflight.type = EVENT_NONE;
		break;
	}
	decode_row(raw, caps, exit);
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
