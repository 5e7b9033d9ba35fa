/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One virtual CPU.
 *
 * Its thread owns it: everything marked [v] is touched only with vcpu->mutex
 * held, that is, in its own ioctls. Others reach it by requests, by its LAPIC
 * (lock-free) and by the NMI inbox. Field letters: see core/locks.h.
 */
#ifndef CORE_VCPU_H
#define CORE_VCPU_H

#include <linux/mutex.h>
#include <linux/preempt.h>
#include <linux/rcuwait.h>
#include <asm/fpu/api.h>

#include "base/host.h"
#include "base/rc.h"
#include "core/apic.h"
#include "core/backend.h"
#include "core/fetch.h"
#include "core/record.h"
#include "core/request.h"
#include "core/stat.h"
#include "core/vm.h"
#include "dev/lapic.h"
#include "emu/emu.h"
#include "emu/move.h"
#include "mem/epoch.h"
#include "pv/pv.h"
#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/event.h"
#include "x86/msr.h"
#include "x86/regs.h"

/* Where the vCPU is, for whoever wants to kick it. */
enum vcpu_mode {
	VCPU_OUTSIDE,		/* not in guest mode: nothing to do */
	VCPU_IN_GUEST,		/* an IPI makes it exit */
	VCPU_EXITING,		/* has been kicked */
	VCPU_READING_TABLES,
};

enum mp_state {
	MP_RUNNABLE = KVM_MP_STATE_RUNNABLE,
	MP_UNINITIALIZED = KVM_MP_STATE_UNINITIALIZED,
	MP_INIT_RECEIVED = KVM_MP_STATE_INIT_RECEIVED,
	MP_HALTED = KVM_MP_STATE_HALTED,
	MP_SIPI_RECEIVED = KVM_MP_STATE_SIPI_RECEIVED,
};

/* What KVM_RUN has to finish first when it is called again. */
enum io_pending {
	IO_NONE,
	IO_PIO_IN,		/* IN: size bytes of run page data to RAX */
	IO_MOVE,		/* vcpu->io.move: run page data to its register */
	IO_EMULATE,		/* execute work->emu again, by work->record */
};

struct vcpu_io {
	enum io_pending pending;
	u8 size;			/* IO_PIO_IN */
	struct emu_move move;		/* IO_MOVE */
	u64 linear_rip;			/* the instruction under emulation */
};

/* A frame that no slot has, as of a set of memslots. */
struct mmio_hole {
	u64 generation;		/* 0: none */
	struct gfn gfn;
};

struct vcpu_tsc {
	u64 offset;		/* guest = host * ratio + offset */
	u64 ratio;		/* fixed point, backend.tsc_frac_bits */
	u64 adjust;		/* IA32_TSC_ADJUST */
	u32 khz;
};

/*
 * What runs need between exits. It is apart from struct vcpu because it goes
 * when the descriptor is closed (vcpu_retire()), and because a vCPU of at most
 * a page is the cheapest to free.
 */
struct vcpu_work {
	struct emu_ctxt emu;
	struct record record;
	struct fetch_cache fetch;
	u64 guest_debug_dr[8];
};

struct vcpu {
	struct vm *vm;			/* [I] */
	int id;				/* [I] KVM_CREATE_VCPU's, APIC id */
	int index;			/* [I] 0..n-1 in creation order */
	u64 serial;			/* [I] of all vCPUs ever, never reused */
	struct mutex mutex;		/* row 5 */

	/* ---- reached from outside ---- */
	unsigned long requests;		/* [a] enum request bits */
	int mode;			/* [a] enum vcpu_mode */
	int cpu;			/* [a] loaded here, -1 for none */
	int last_cpu;			/* [v] and here before, while loaded or not */
	struct rcuwait wait;
	atomic_t nmi_inbox;		/* [a] NMIs on their way: vcpu_send_nmi() */
	struct epoch_reader reader;

	/* ---- architectural state [v] ---- */
	struct regs regs;
	struct events events;
	struct cpuid_set *cpuid;	/* NULL until KVM_SET_CPUID2 */
	struct cpuid_dyn cpuid_dyn;
	struct cr_limits limits;
	struct msr_file msrs;
	u64 apic_base;			/* without an in-kernel LAPIC */
	enum mp_state mp_state;
	u64 cr8;			/* without an in-kernel LAPIC */
	bool user_irq_pending;		/* KVM_INTERRUPT; see vcpu_hold_irq() */
	u8 user_irq;
	struct vcpu_tsc tsc;
	struct pv_clock_state pv_clock;

	struct lapic *lapic;		/* [I] NULL without in-kernel LAPIC */
	void *apic_regs;		/* [I] its page; NULL likewise */
	struct vcpu_apic apic;
	bool hw_irqs;			/* hardware delivers its interrupts */
	u64 eoi_map[4];			/* whose end the hardware has to tell */

	/* ---- running [v] ---- */
	struct kvm_run *run;		/* [I] page 0 of the mapping; vcpu_retire() */
	void *pio_data;			/* [a] page 1: vcpu_pio_page() */
	struct policy policy;
	bool controls_stale;		/* call controls_changed() at entry */
	struct entry entry;
	u32 fast_left;			/* exits that may be answered at once */
	struct exit exit;
	struct vcpu_work *work;		/* [I] vcpu_retire() */
	struct mmio_hole hole;
	struct vcpu_io io;
	bool launched;			/* the guest may have run: CPUID is fixed */
	u8 hits;			/* breakpoints that the instruction met */
	bool complete_hypercall;
	u32 guest_debug;		/* KVM_GUESTDBG_* */
	bool debug_pending;		/* a step to report before the next entry */
	u64 msr_exit_index;

	/* ---- host side [v] ---- */
	struct preempt_notifier preempt;
	struct fpu_guest fpu;
	u64 host_xcr0;
	u32 pkru, host_pkru;
	sigset_t sigset;		/* KVM_SET_SIGNAL_MASK */
	bool sigset_active;
	struct pid __rcu *pid;		/* who runs it, for directed yield */

	struct vcpu_stat stat;
};

/**
 * vcpu_create() - a vCPU in its reset state, visible to its VM
 *
 * vm->lock held; may sleep. -EINVAL for an id out of range, -EEXIST for one
 * in use or too many vCPUs, -ENOMEM.
 */
int vcpu_create(struct vm *vm, u32 id, struct vcpu **out);

/**
 * vcpu_retire() - its descriptor is closed: let go of what only that led to
 *
 * Nobody runs it or maps its pages again. Others may still send it interrupts.
 */
void vcpu_retire(struct vcpu *vcpu);

/** vcpu_free() - destroy; the VM is going away and nobody runs it */
void vcpu_free(struct vcpu *vcpu);

/** vcpu_reset() - power-on reset, or INIT (SDM vol. 3, table 10-1) */
void vcpu_reset(struct vcpu *vcpu, bool init);

/**
 * vcpu_dyn_changed() - after CR4, XCR0, XSS or IA32_APIC_BASE changed: let
 * CPUID's state-dependent bits follow
 */
void vcpu_dyn_changed(struct vcpu *vcpu);

/** vcpu_load() / vcpu_put() - bind to this CPU; ioctl context, mutex held */
void vcpu_load(struct vcpu *vcpu);
void vcpu_put(struct vcpu *vcpu);

/**
 * vcpu_pio_page() - the page behind kvm_run where PIO data goes
 *
 * Made by the first call, which is KVM_RUN's or a mapping's; from then on
 * vcpu->pio_data. May sleep. NULL: no memory.
 */
void *vcpu_pio_page(struct vcpu *vcpu);

/** vcpu_run() - KVM_RUN; mutex held. 0 with kvm_run filled in, or errno */
int vcpu_run(struct vcpu *vcpu);

/**
 * vcpu_regs() - the register file with @groups available for reading
 *
 * vCPU loaded. Whoever writes calls regs_touch() for the group after.
 */
static inline struct regs *vcpu_regs(struct vcpu *vcpu, u32 groups)
{
	if (groups & ~vcpu->regs.avail)
		backend_call(regs_load)(vcpu, groups & ~vcpu->regs.avail);
	return &vcpu->regs;
}

/** request_pending() - is anything requested; the vCPU's thread, irqs off */
static inline bool request_pending(const struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->requests) != 0;
}

/** vcpu_cpuid_changed() - recompute limits and policy after SET_CPUID2 */
void vcpu_cpuid_changed(struct vcpu *vcpu);

/** vcpu_update_policy() - recompute vcpu->policy; loaded; controls_stale */
void vcpu_update_policy(struct vcpu *vcpu);

/** vcpu_can_take_irq() - RFLAGS.IF and no shadow, nothing being injected */
bool vcpu_can_take_irq(struct vcpu *vcpu);

/**
 * vcpu_held_irq() - the interrupt that a controller gave away already, and the
 * guest does not have yet: its vector, or -1
 *
 * It is in flight, or, with no LAPIC in the kernel, it waits for RFLAGS.IF:
 * to the VMM this is one thing.
 */
int vcpu_held_irq(const struct vcpu *vcpu);

/**
 * vcpu_hold_irq() - make @vector that interrupt, or take it away: -1
 *
 * What waits is injected once the guest can take it: the VMM may have changed
 * RFLAGS since. With a LAPIC in the kernel it replaces what is in flight.
 */
void vcpu_hold_irq(struct vcpu *vcpu, int vector);

/**
 * vcpu_log_written() - the hardware tells of @n pages that the guest wrote
 *
 * After an exit, before vcpu->mode changes: interrupts off, outside the epoch.
 */
void vcpu_log_written(struct vcpu *vcpu, const u64 *gpa, unsigned int n);

/** vcpu_has_work() - would a HLT end now; any state of the vCPU's thread */
bool vcpu_has_work(struct vcpu *vcpu);

#endif
