/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of this folder share: the vendor's part of a vCPU, the state
 * of SVM on one CPU, and who does what to them.
 *
 *   main.c   module, CPUs, life of a vCPU     regs.c   save area <-> registers
 *   run.c    one entry                        event.c  injection, NMI windows
 *   msr.c    permission map, MSRs             switch.h the MSRs of an entry
 *   errata.c faults of the CPU
 *
 * A struct svm_vcpu belongs to its vCPU's thread, under vcpu->mutex; a struct
 * svm_cpu to whoever runs on that CPU with preemption off.
 */
#ifndef SVM_SVM_H
#define SVM_SVM_H

#include <linux/percpu.h>

#include "core/vcpu.h"
#include "svm/asid.h"
#include "svm/caps.h"
#include "svm/controls.h"
#include "svm/exit.h"
#include "svm/vmcb.h"

struct svm_vcpu {
	struct vcpu vcpu;		/* first */
	struct vmcb *vmcb;
	u64 vmcb_pa;

	/* The guest's, where the save area holds something else. */
	u64 cr0, cr4, efer;
	u32 cr_needs;			/* NEED_* that follow from that */

	struct svm_controls controls;	/* as in the VMCB */
	u32 needs;			/* NEED_* they were made for */
	bool controls_stale;

	/* The save area's segments as they were when last loaded. */
	struct vmcb_seg seg_seen[SEG_COUNT];

	int cpu;			/* the VMCB was last used there */
	struct asid asid;
	bool host_stale;		/* host_area is not this task's */
	bool pred_cmd_open;		/* the guest writes PRED_CMD itself */
	bool spec_ctrl_live;		/* and reads and writes SPEC_CTRL */

	/* What the running entry was given; event.c. */
	struct event injected;
	u64 injected_rip;		/* where to go on if it is not delivered */
	u8 injected_shadow;		/* SHADOW_* that it was injected with */
	bool quiet;			/* no event, and nobody waits for one */
	bool guest_tf;			/* RFLAGS.TF is the guest's */
	bool stepping;			/* it is ours, for an NMI window */
	bool iret_seen;			/* at an IRET that ends NMI blocking */
	u64 iret_rip;
};

struct svm_cpu {
	bool on;
	u64 hsave_pa;			/* the hardware's own */
	u64 host_area_pa;		/* VMSAVE area of the host */
	u16 host_ldt;			/* as in host_area */
	struct asid_pool asids;
	u64 tsc_ratio;			/* as in the MSR */
	u32 tsc_aux, host_tsc_aux;	/* as in the MSR; the kernel's */
};

DECLARE_PER_CPU(struct svm_cpu, svm_cpu);

/* Features every CPU has; written by setup only. */
extern struct svm_caps svm_host_caps;

/* What the hardware may take as unchanged after an exit: CLEAN_* */
extern u32 svm_clean;

static inline struct svm_vcpu *to_svm(struct vcpu *vcpu)
{
	return container_of(vcpu, struct svm_vcpu, vcpu);
}

/** svm_dirty() - the VMCB changed in what the CLEAN_* @bits stand for */
static inline void svm_dirty(struct svm_vcpu *svm, u32 bits)
{
	svm->vmcb->control.clean &= ~bits;
}

/** svm_regs_load() - backend.regs_load() */
void svm_regs_load(struct vcpu *vcpu, u32 groups);

/**
 * svm_regs_flush() - write the dirty groups to the save area
 *
 * RAX, RSP, RIP and RFLAGS excepted: those are written at each entry. Right
 * before an entry, interrupts off.
 */
void svm_regs_flush(struct svm_vcpu *svm);

/**
 * svm_event_needs() - the intercepts that @entry's windows need (NEED_*)
 *
 * Decides on single-stepping, too: svm->stepping. *@at_once: exit right after
 * the injection instead.
 */
u32 svm_event_needs(struct svm_vcpu *svm, const struct entry *entry,
		    bool *at_once);

/**
 * svm_event_quiet() - does the entry neither inject nor wait for anything
 *
 * Then none of the calls below is due for it, but svm_event_exit() for an exit
 * that interrupted the delivery of an event.
 */
static inline bool svm_event_quiet(const struct svm_vcpu *svm,
				   const struct entry *entry)
{
	return entry->inject.type == EVENT_NONE &&
	       svm->injected.type == EVENT_NONE &&
	       !(entry->windows | entry->exit_at_once |
		 svm->vcpu.events.nmi_blocked | svm->stepping | svm->iret_seen);
}

/** svm_event_inject() - write EVENTINJ for @entry, and RIP if it moves */
void svm_event_inject(struct svm_vcpu *svm, const struct entry *entry);

/**
 * svm_event_exit() - what an exit says of events
 *
 * Settles exit->inflight and nmi_unblocked, and turns the exits that only
 * NMI windows asked for into neutral ones. RIP and RFLAGS are those of the
 * exit already.
 */
void svm_event_exit(struct svm_vcpu *svm, struct exit *exit);

/** svm_errata_setup() - at module load, once */
void svm_errata_setup(void);

/** svm_errata_vcpu() - what a vCPU's MSRs say of errata, at its creation */
void svm_errata_vcpu(struct vcpu *vcpu);

/** svm_errata_cpu_on() - prepare this CPU for guests */
void svm_errata_cpu_on(void);

/**
 * svm_errata_machine_check() - was the machine check that ended a guest's run
 * the guest's own doing (erratum 383)? It is settled then, and only that guest
 * has to end. Interrupts off, on the CPU it came to.
 */
bool svm_errata_machine_check(void);

/**
 * svm_hw_page() - a zeroed page for what hardware marks as in use: a VMCB, a
 * host save area; or NULL. Freed as any page.
 *
 * Where SEV-SNP's reverse map is in force, a host's write to any page of the
 * same 2 MiB faults if the one in use is the first of them and the host maps
 * them as one: the page is never such a first one.
 */
void *svm_hw_page(int node, gfp_t gfp);

/** svm_msr_cpu() - MSRs of a CPU that has guests, or has none any more */
void svm_msr_cpu(bool on);

/**
 * svm_msr_setup() - the permission maps that all vCPUs share; -ENOMEM
 * svm_msr_teardown() - undo; also what a failed setup left
 */
int svm_msr_setup(void);
void svm_msr_teardown(void);

/** svm_msr_map() - give the VMCB the map that fits what the guest may reach */
void svm_msr_map(struct svm_vcpu *svm);

/** svm_msr_cpuid() - what the map owes to the guest's CPUID */
void svm_msr_cpuid(struct svm_vcpu *svm);

/** svm_msr_put() - restore what only user space of the host would notice */
void svm_msr_put(struct svm_cpu *sc);

enum msr_rc svm_feature_msr(u32 index, u64 *val);

/** svm_run() - backend.run() */
void svm_run(struct vcpu *vcpu, const struct entry *entry, struct exit *exit);

/**
 * svm_enter() - entry.S: load the guest's registers, VMRUN, and back
 * @regs: gpr[] but RAX and RSP, which are the VMCB's
 * @vmcb_pa: the guest's
 * @host_area_pa: where VMSAVE put the host's half
 * @spec_ctrl: the guest's, before and after; NULL: nothing to switch
 * @host_spec_ctrl: in force here
 *
 * GIF clear, interrupts off; both are so on return.
 */
void svm_enter(struct regs *regs, u64 vmcb_pa, u64 host_area_pa,
	       u64 *spec_ctrl, u64 host_spec_ctrl);

/** svm_param_tdp() - the page-table format, as parameters ask for; at init */
const struct pte_format *svm_param_tdp(void);

#endif
