/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What passes over the vendor boundary at each entry into the guest, in terms
 * of neither vendor: the entry that core wants, the exit that came of it, and
 * the policy that the hardware's controls follow from. Pure, so that each
 * vendor's encoding and decoding is tested in userspace.
 */
#ifndef CORE_ENTRY_H
#define CORE_ENTRY_H

#include "base/host.h"
#include "base/types.h"
#include "x86/event.h"

/* ---- entry: what core wants of the next VM entry ---------------------- */

#define WINDOW_IRQ BIT(0)	/* exit as soon as an interrupt can be taken */
#define WINDOW_NMI BIT(1)	/* exit as soon as an NMI can be taken */

struct entry {
	struct event inject;	/* at most one; EVENT_NONE for none */
	u32 windows;		/* WINDOW_* */
	u8 shadow;		/* SHADOW_* before the first instruction */
	u8 cr8;			/* guest TPR bits 7:4 */
	bool cr8_exit;		/* exit when the guest writes CR8 */
	bool exit_at_once;	/* inject, then exit before an instruction */
	bool again;		/* right after an exit, interrupts off since */
	bool same;		/* and but for RG_GPR and RG_RIP as before it */
	/* For hardware that delivers: the LAPIC's highest vectors, or -1. */
	s16 requested, in_service;
};

/* ---- exit: what happened, in neutral terms ---------------------------- */

enum exit_kind {
	EXIT_KIND_NONE,		/* the entry was called off: just go round */
	EXIT_KIND_USER,		/* answered already: kvm_run is filled in */
	EXIT_KIND_HOST_IRQ,	/* a host interrupt, taken when irqs go on */
	EXIT_KIND_HOST_NMI,
	EXIT_KIND_HOST_MCE,
	EXIT_KIND_CPUID,
	EXIT_KIND_RDMSR,	/* msr index in RCX */
	EXIT_KIND_WRMSR,
	EXIT_KIND_PIO,
	EXIT_KIND_CR,
	EXIT_KIND_DR,
	EXIT_KIND_TDP_FAULT,
	EXIT_KIND_EXCEPTION,	/* an intercepted guest exception */
	EXIT_KIND_HLT,
	EXIT_KIND_HYPERCALL,
	EXIT_KIND_PAUSE,
	EXIT_KIND_INVD,
	EXIT_KIND_WBINVD,
	EXIT_KIND_INVLPG,
	EXIT_KIND_RDTSC,
	EXIT_KIND_RDPMC,
	EXIT_KIND_XSETBV,
	EXIT_KIND_MONITOR,
	EXIT_KIND_MWAIT,
	EXIT_KIND_TASK_SWITCH,
	EXIT_KIND_CR8_WRITE,	/* TPR fell; the new value is exit->cr8 */
	EXIT_KIND_APIC_EOI,	/* hardware ended an interrupt of the map */
	EXIT_KIND_APIC_WRITE,	/* hardware wrote to the LAPIC's page */
	EXIT_KIND_IRQ_WINDOW,
	EXIT_KIND_NMI_WINDOW,
	EXIT_KIND_DEADLINE,	/* what backend.deadline() was asked for */
	EXIT_KIND_SHUTDOWN,	/* triple fault */
	EXIT_KIND_UD,		/* an instruction this guest does not have */
	EXIT_KIND_EMULATE,	/* hardware gives up: emulate at RIP */
	EXIT_KIND_PRIVATE,	/* backend.private_exit() knows */
	EXIT_KIND_FAIL_ENTRY,	/* exit->fail.reason is the hardware's code */
	EXIT_KIND_COUNT,
};

struct exit {
	u8 kind;		/* enum exit_kind */
	u8 insn_len;		/* 0: unknown, ask the decoder */
	u8 insn_bytes_count;	/* bytes fetched by hardware, 0 for none */
	u8 insn_bytes[15];
	u8 cr8;			/* guest TPR bits 7:4 after the exit */
	u8 shadow;		/* SHADOW_*: blocking before the next insn */
	bool nmi_unblocked;	/* the guest executed IRET since its NMI */
	s16 in_service;		/* with hardware that delivers, as in entry */
	u64 hw_reason;		/* for tracing and KVM_EXIT_UNKNOWN */
	struct event inflight;	/* was being delivered when the exit came */
	union {
		struct {
			u16 port;
			u8 size;	/* 1, 2, 4 */
			bool in;
			bool string, rep;
			u64 next_rip;	/* 0: unknown */
		} pio;
		struct {
			u8 cr;		/* 0, 2, 3, 4, 8 */
			u8 gpr;		/* enum gpr */
			bool write;
			bool decoded;	/* else: emulate the instruction */
		} cr;
		struct {
			u8 dr;
			u8 gpr;
			bool write;
			bool decoded;
		} dr;
		struct {
			struct gpa gpa;
			bool read, write, fetch;
			bool present;	/* the entry existed: permission */
			bool user_walk;	/* during the walk of guest tables */
		} tdp;
		struct {
			u8 vector;
			bool has_error_code;
			u32 error_code;
			u64 payload;	/* CR2; #DB: see dr6_after_db() */
		} exc;
		struct {
			u16 selector;
			u8 source;	/* 0 CALL 1 IRET 2 JMP 3 gate */
			bool has_error_code;
			u32 error_code;
		} task;
		struct {
			u8 vector;	/* EXIT_KIND_APIC_EOI */
			u16 offset;	/* EXIT_KIND_APIC_WRITE */
		} apic;
		struct {
			bool taken;	/* off the host's APIC already */
			u8 vector;
		} host_irq;
		struct {
			u64 reason;
		} fail;
		struct {
			u64 address;
			bool decoded;
		} invlpg;
	};
};

/** exit_clear_details() - zeros for all that only some kinds have */
static inline void exit_clear_details(struct exit *exit)
{
	memset((u8 *)exit + offsetof(struct exit, pio), 0,
	       sizeof(*exit) - offsetof(struct exit, pio));
}

/* ---- policy: what the controls follow from ---------------------------- */

/* How much of the in-kernel LAPIC's work hardware may do. */
enum apic_accel {
	APIC_ACCEL_NONE,	/* none: or there is no such LAPIC */
	APIC_ACCEL_MMIO,	/* registers at their page in memory */
	APIC_ACCEL_MSR,		/* x2APIC mode */
};

/* Owned by core, read by backend.controls_changed(). */
struct policy {
	u32 exceptions;		/* bitmap of vectors to intercept */
	bool hlt_exits;
	bool pause_exits;
	bool mwait_exits;
	bool invlpg_exits;
	bool tsc_exits;
	bool single_step;	/* KVM_GUESTDBG_SINGLESTEP */
	bool cr8_exits;		/* there is no LAPIC here to hold it */
	u8 apic;		/* enum apic_accel */
	bool irqs_held;		/* KVM_GUESTDBG_BLOCKIRQ: none by hardware */
	u64 debug_dr7;		/* the debugger's, runs instead of the guest's;
				 * 0 for none. The guest's is then in regs only
				 */
};

#endif
