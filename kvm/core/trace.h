/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace events, system "kvm": what a failed VM entry looked like. Fired by
 * dump.c, which makes sure that the registers are there.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM kvm

#if !defined(CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CORE_TRACE_H

#include <linux/tracepoint.h>

#include "core/vcpu.h"
#include "x86/segment.h"

/* In neutral terms, one for each failure. */
TRACE_EVENT(kvm_entry_failed,
	TP_PROTO(const struct vcpu *vcpu, const struct exit *exit),
	TP_ARGS(vcpu, exit),

	TP_STRUCT__entry(
		__field(int, id)
		__field(u64, reason)
		__field(u64, rip)
		__field(u64, rflags)
		__field(u64, cr0)
		__field(u64, cr3)
		__field(u64, cr4)
		__field(u64, efer)
		__field(u64, cs_base)
		__field(u32, cs_ar)
		__field(u8, event)
		__field(u8, vector)
		__field(u8, shadow)
	),

	TP_fast_assign(
		__entry->id = vcpu->id;
		__entry->reason = exit->fail.reason;
		__entry->rip = vcpu->regs.rip;
		__entry->rflags = vcpu->regs.rflags;
		__entry->cr0 = vcpu->regs.cr0;
		__entry->cr3 = vcpu->regs.cr3;
		__entry->cr4 = vcpu->regs.cr4;
		__entry->efer = vcpu->regs.efer;
		__entry->cs_base = vcpu->regs.seg[SEG_CS].base;
		__entry->cs_ar = segment_ar(&vcpu->regs.seg[SEG_CS]);
		__entry->event = exit->inflight.type;
		__entry->vector = exit->inflight.vector;
		__entry->shadow = exit->shadow;
	),

	TP_printk("vcpu %d reason %#llx rip %llx rflags %llx cr0 %llx "
		  "cr3 %llx cr4 %llx efer %llx cs base %llx ar %05x "
		  "event %u:%02x shadow %u",
		  __entry->id, __entry->reason, __entry->rip, __entry->rflags,
		  __entry->cr0, __entry->cr3, __entry->cr4, __entry->efer,
		  __entry->cs_base, __entry->cs_ar, __entry->event,
		  __entry->vector, __entry->shadow)
);

/* What the hardware's save area holds, a line each. */
TRACE_EVENT(kvm_entry_dump,
	TP_PROTO(const struct vcpu *vcpu, const char *line),
	TP_ARGS(vcpu, line),

	TP_STRUCT__entry(
		__field(int, id)
		__string(line, line)
	),

	TP_fast_assign(
		__entry->id = vcpu->id;
		__assign_str(line);
	),

	TP_printk("vcpu %d %s", __entry->id, __get_str(line))
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH core
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
