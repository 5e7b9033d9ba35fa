/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every statistic: X(name, type, unit, exponent, field).
 *
 * The name is the ABI's and is unique in its scope; type and unit are those of
 * KVM_STATS_TYPE_ and KVM_STATS_UNIT_; the value counts in 10^exponent of the
 * unit. The field, of struct vm or struct vcpu, is 64 bits wide. The order is
 * that of the file: new rows go last, so that offsets stay.
 *
 * A number that nobody counts has no row.
 */
#ifndef API_STATS_ROWS_H
#define API_STATS_ROWS_H

#define STATS_VM_ROWS(X)						\
	X(remote_tlb_flush, CUMULATIVE, NONE, 0, stat.remote_tlb_flush)	\
	X(remote_tlb_flush_requests, CUMULATIVE, NONE, 0,		\
	  stat.remote_tlb_flush_requests)				\
	X(mmu_tables, INSTANT, NONE, 0, mmu.tables)

#define STATS_VCPU_ROWS(X)						\
	X(exits, CUMULATIVE, NONE, 0, stat.exits)			\
	X(irq_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_HOST_IRQ]) \
	X(io_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_PIO])	\
	X(mmio_exits, CUMULATIVE, NONE, 0, stat.mmio_exits)		\
	X(signal_exits, CUMULATIVE, NONE, 0, stat.signal_exits)		\
	X(halt_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_HLT])	\
	X(irq_window_exits, CUMULATIVE, NONE, 0,			\
	  stat.kind[EXIT_KIND_IRQ_WINDOW])				\
	X(nmi_window_exits, CUMULATIVE, NONE, 0,			\
	  stat.kind[EXIT_KIND_NMI_WINDOW])				\
	X(request_irq_exits, CUMULATIVE, NONE, 0, stat.request_irq_exits) \
	X(invlpg, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_INVLPG])	\
	X(irq_injections, CUMULATIVE, NONE, 0, stat.irq_injections)	\
	X(nmi_injections, CUMULATIVE, NONE, 0, stat.nmi_injections)	\
	X(insn_emulation, CUMULATIVE, NONE, 0, stat.insn_emulation)	\
	X(insn_emulation_fail, CUMULATIVE, NONE, 0,			\
	  stat.insn_emulation_fail)					\
	X(hypercalls, CUMULATIVE, NONE, 0, stat.hypercalls)		\
	X(pf_taken, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_TDP_FAULT]) \
	X(pf_fixed, CUMULATIVE, NONE, 0, stat.pf_fixed)			\
	X(pf_emulate, CUMULATIVE, NONE, 0, stat.pf_emulate)		\
	X(tlb_flush, CUMULATIVE, NONE, 0, stat.tlb_flush)		\
	X(halt_wakeup, CUMULATIVE, NONE, 0, stat.halt_wakeup)		\
	X(halt_wait_ns, CUMULATIVE, SECONDS, -9, stat.halt_wait_ns)	\
	X(blocking, INSTANT, BOOLEAN, 0, stat.blocking)			\
	/* Names of our own from here on. */				\
	X(cpuid_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_CPUID])	\
	X(rdmsr_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_RDMSR])	\
	X(wrmsr_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_WRMSR])	\
	X(cr_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_CR])	\
	X(dr_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_DR])	\
	X(tpr_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_CR8_WRITE]) \
	X(exception_exits, CUMULATIVE, NONE, 0,				\
	  stat.kind[EXIT_KIND_EXCEPTION])				\
	X(pause_exits, CUMULATIVE, NONE, 0, stat.kind[EXIT_KIND_PAUSE])	\
	X(apic_eoi_exits, CUMULATIVE, NONE, 0,				\
	  stat.kind[EXIT_KIND_APIC_EOI])				\
	X(apic_write_exits, CUMULATIVE, NONE, 0,			\
	  stat.kind[EXIT_KIND_APIC_WRITE])

#endif
