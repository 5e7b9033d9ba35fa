// SPDX-License-Identifier: GPL-2.0-only
/*
 * A failed VM entry: see dump.h.
 *
 * A VMM, and with some luck a guest, can have entries fail as often as it
 * likes. So the state goes to trace events, to who asked for them; the log gets
 * one line that names these, and seldom. Called by exit.c, in the vCPU's thread.
 */
#include <linux/ratelimit.h>

#include "core/dump.h"
#include "core/vcpu.h"

#define CREATE_TRACE_POINTS
#include "core/trace.h"

#define DUMP_LINE 192

void dump_line(const struct vcpu *vcpu, const char *fmt, ...)
{
	char line[DUMP_LINE];
	va_list args;

	va_start(args, fmt);
	vscnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	trace_kvm_entry_dump(vcpu, line);
}

static void log_failure(const struct vcpu *vcpu, const struct exit *exit)
{
	static DEFINE_RATELIMIT_STATE(rs, 60 * HZ, 1);

	/* What was held back is of no interest, either. */
	ratelimit_set_flags(&rs, RATELIMIT_MSG_ON_RELEASE);
	if (__ratelimit(&rs))
		pr_notice("%s: vCPU %d: entry failed, reason %#llx; see trace events kvm_entry_*\n",
			  backend.name, vcpu->id, exit->fail.reason);
}

void dump_failure(struct vcpu *vcpu, const struct exit *exit)
{
	log_failure(vcpu, exit);
	if (trace_kvm_entry_failed_enabled()) {
		vcpu_regs(vcpu, RG_ALL);
		trace_kvm_entry_failed(vcpu, exit);
	}
	if (trace_kvm_entry_dump_enabled())
		backend.dump(vcpu);
}
