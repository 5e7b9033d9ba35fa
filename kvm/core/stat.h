/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a vCPU and a VM count, for KVM_GET_STATS_FD (api/stats_rows.h names
 * each number).
 *
 * A vCPU's counters are plain words that only its own thread writes, so that
 * counting an exit costs one addition; whoever reads them may see a value
 * that is an instant old. A VM's are changed by anybody and are atomic: no
 * exit touches them.
 */
#ifndef CORE_STAT_H
#define CORE_STAT_H

#include "base/host.h"
#include "core/entry.h"

struct vcpu_stat {
	u64 exits;			/* returns of backend.run() */
	u64 kind[EXIT_KIND_COUNT];	/* those that exit_handle() saw */
	u64 mmio_exits;			/* accesses left to the VMM */
	u64 signal_exits;		/* KVM_RUN ended for a signal */
	u64 request_irq_exits;		/* ... as an interrupt may be queued */
	u64 irq_injections;		/* tries, after a fault another one */
	u64 nmi_injections;
	u64 insn_emulation;		/* instructions given to the emulator */
	u64 insn_emulation_fail;
	u64 hypercalls;
	u64 pf_fixed;			/* second-level faults: mapped */
	u64 pf_emulate;			/* ... with no memory behind them */
	u64 tlb_flush;
	u64 halt_wakeup;		/* halts that ended for work */
	u64 halt_wait_ns;		/* time slept in halts */
	u64 blocking;			/* asleep right now: 0 or 1 */
};

struct vm_stat {
	atomic64_t remote_tlb_flush_requests;	/* of all vCPUs at once */
	atomic64_t remote_tlb_flush;	/* those that made a guest exit */
};

#endif
