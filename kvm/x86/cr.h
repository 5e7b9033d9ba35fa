/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Control, extended control and debug registers: which values are legal, what
 * they turn into, and what changing them entails.
 *
 * Everything is a pure function of the register file and of a struct
 * cr_limits, which is computed when the guest's CPUID is set. A check_
 * answers whether the guest's write is legal (false: #GP(0)) and changes
 * nothing; the commit_ that follows cannot fail, marks the group dirty and
 * returns what the caller has to do about it.
 *
 * A VMM gives a guest whatever CPUID it likes, so a guest's features say only
 * what the guest may ask for. What is loaded into the CPU (WRMSR, XSETBV, MOV
 * DR, fields of a VMCS or VMCB) has to be legal for the host as well: struct
 * cr_host says what is, cr_limits_init() takes the smaller of the two, and the
 * checks here and in msr.c are the only place where that is asked.
 *
 * SDM vol. 3, 2.5, 4.1 and 9.8; APM vol. 2, 3.1 and 14.6.
 */
#ifndef X86_CR_H
#define X86_CR_H

#include "base/host.h"
#include "x86/cpuid.h"
#include "x86/regs.h"

/* XCR0, SDM vol. 1, 13.1 */
#define XCR0_X87 BIT_ULL(0)
#define XCR0_SSE BIT_ULL(1)
#define XCR0_YMM BIT_ULL(2)
#define XCR0_MPX (BIT_ULL(3) | BIT_ULL(4))
#define XCR0_ZMM (BIT_ULL(5) | BIT_ULL(6) | BIT_ULL(7))
#define XCR0_PKRU BIT_ULL(9)
#define XCR0_TILECFG BIT_ULL(17)
#define XCR0_TILEDATA BIT_ULL(18)
#define XCR0_TILE (XCR0_TILECFG | XCR0_TILEDATA)

/* MOV to CR3 with CR4.PCIDE: keep the PCID's translations */
#define CR3_NO_FLUSH BIT_ULL(63)

#define PAT_RESET 0x0007040600070406ULL

/*
 * What the host can run: a bit outside fails the VM entry, or the instruction
 * that loads it. Usually made by cr_host_init().
 */
struct cr_host {
	u64 cr4;
	u64 efer;
	u64 xcr0;
	u64 spec_ctrl;		/* bits that IA32_SPEC_CTRL has */
	u8 pred_cmd;		/* and IA32_PRED_CMD */
	u8 maxphyaddr;
	u8 vaddr_bits;		/* 48 or 57 */
	bool gbpages;
};

/* Physical address bits that the host's CPU has not. */
static inline u64 cr_host_gpa_reserved(const struct cr_host *host)
{
	return ~0ULL << host->maxphyaddr;
}

/* What a guest with this CPUID may set. */
struct cr_limits {
	const struct cr_host *host;
	u64 cr4_reserved;
	u64 cr3_reserved;	/* in long mode, and in PDPTEs: addresses */
	u64 efer_reserved;
	u64 gpa_reserved;	/* physical address bits a guest has not got */
	u64 xcr0;		/* beside XCR0_X87, which may always be set */
	u64 spec_ctrl;		/* bits that its IA32_SPEC_CTRL has */
	u32 dr6_ones;		/* bits of DR6 that read as 1 */
	u8 vaddr_bits;		/* of canonical addresses in MSRs */
	u8 pred_cmd;
};

/* What a commit entails; a mask. */
enum cr_effect {
	CR_FLUSH = BIT(0),	/* drop the guest's translations, all of them */
	CR_MODE = BIT(1),	/* paging on or off, or another format */
	CR_PDPTRS = BIT(2),	/* PAE: the four PDPTEs have to be read again */
	CR_CPUID = BIT(3),	/* cpuid_dyn_update() is due */
	CR_CACHE = BIT(4),	/* CR0.CD or CR0.NW */
	CR_FLUSH_PCID = BIT(5),	/* drop the current PCID's, not the global */
};

/** cr4_allowed() - the CR4 bits that a set's features bring */
u64 cr4_allowed(const struct cpuid_set *set);

/** efer_allowed() - the EFER bits that a set's features bring */
u64 efer_allowed(const struct cpuid_set *set);

/** spec_ctrl_allowed() - the IA32_SPEC_CTRL bits that a set's features bring */
u64 spec_ctrl_allowed(const struct cpuid_set *set);

/** pred_cmd_allowed() - the IA32_PRED_CMD bits that a set's features bring */
u8 pred_cmd_allowed(const struct cpuid_set *set);

/**
 * cr_host_init() - what a host with this supported CPUID can run
 * @xcr0: the XCR0 components that are switched for guests
 */
void cr_host_init(struct cr_host *host, const struct cpuid_set *supported,
		  u64 xcr0);

/**
 * cr_limits_init() - what the guest's CPUID and the host allow
 * @guest: NULL before KVM_SET_CPUID2: what the host has, of XCR0 the x87 bit
 * @host: kept: has to be there as long as @limits
 */
void cr_limits_init(struct cr_limits *limits, const struct cpuid_set *guest,
		    const struct cr_host *host);

/* All checks need RG_CR; those of CR0 and CR4 also RG_SEG and RG_RIP. */

/** cr0_check() - may MOV to CR0 load @val */
bool cr0_check(const struct regs *regs, u64 val);
/** cr0_commit() - load a checked @val, and EFER.LMA with it; enum cr_effect */
u32 cr0_commit(struct regs *regs, u64 val);

/**
 * cr3_check() - may MOV to CR3 load @val
 *
 * Bit 63 is legal with CR4.PCIDE only. Outside long mode the caller passes
 * the 32 bits the instruction has. The PDPTEs of PAE paging are the
 * caller's to read and check (pdpte_check()).
 */
bool cr3_check(const struct regs *regs, const struct cr_limits *limits,
	       u64 val);
/** cr3_commit() - load a checked @val; enum cr_effect */
u32 cr3_commit(struct regs *regs, u64 val);

/** cr4_check() - may MOV to CR4 load @val */
bool cr4_check(const struct regs *regs, const struct cr_limits *limits,
	       u64 val);
/** cr4_commit() - load a checked @val; enum cr_effect */
u32 cr4_commit(struct regs *regs, u64 val);

/** cr8_check() - may MOV to CR8 load @val */
static inline bool cr8_check(u64 val)
{
	return !(val & ~0xfULL);
}

/**
 * efer_check() - may WRMSR write @val to EFER
 * @host: the VMM writes: paging does not forbid a change of LME
 */
bool efer_check(const struct regs *regs, const struct cr_limits *limits,
		u64 val, bool host);
/** efer_commit() - load a checked @val; LMA is computed; enum cr_effect */
u32 efer_commit(struct regs *regs, u64 val);

/** xcr0_legal() - is @val a legal XCR0 within @supported (SDM vol. 1, 13.3) */
bool xcr0_legal(u64 val, u64 supported);

/**
 * xsetbv_check() - may XSETBV write @val to extended register @index
 *
 * Without CR4.OSXSAVE the instruction is #UD and CPL 0 is needed: both are the
 * caller's to check. 1, which XCR0 is after reset, is legal for every guest:
 * VMMs write it without asking for XSAVE.
 */
bool xsetbv_check(const struct cr_limits *limits, u32 index, u64 val);

/** dr67_check() - may MOV write @val to DR6 or DR7: the upper half is zero */
static inline bool dr67_check(u64 val)
{
	return !(val >> 32);
}

/** dr6_fix() - what DR6 holds after @val was written */
u64 dr6_fix(const struct cr_limits *limits, u64 val);

/**
 * dr6_after_db() - what DR6 holds after a #DB found @dr6 in it
 * @payload: what the #DB is about, all bits in active-high form, also those
 * that DR6 has inverted (bus lock, RTM); bits that DR6 has not are ignored
 *
 * SDM vol. 3, 18.2.3: B0-B3 are those of this #DB, BD, BS and BT stay.
 */
static inline u64 dr6_after_db(u64 dr6, u64 payload)
{
	const u64 low = DR6_BUS_LOCK | DR6_RTM;
	const u64 high = DR6_HITS | DR6_BD | DR6_BS | DR6_BT;

	return ((dr6 & ~(u64)DR6_HITS) | DR6_INIT | (payload & high)) ^
	       (payload & low);
}

/** dr6_payload() - the payload that makes @dr6 of DR6_INIT */
static inline u64 dr6_payload(u64 dr6)
{
	return (dr6 ^ DR6_INIT) & U32_MAX;
}

/** dr7_fix() - what DR7 holds after @val was written */
u64 dr7_fix(u64 val);

/** regs_pae() - does the vCPU page with PAE's four-entry top; needs RG_CR */
static inline bool regs_pae(const struct regs *regs)
{
	return (regs->cr0 & CR0_PG) && (regs->cr4 & CR4_PAE) &&
	       !(regs->efer & EFER_LMA_BIT);
}

/**
 * cr4_loadable() - CR4 as the hardware takes it; needs RG_CR
 *
 * CR4.PCIDE is of no effect outside long mode, and no instruction sets it
 * there. KVM_SET_SREGS can, and an entry would fail (SDM vol. 3, 27.3.1.1).
 */
static inline u64 cr4_loadable(const struct regs *regs)
{
	return regs->efer & EFER_LMA_BIT ? regs->cr4 : regs->cr4 & ~CR4_PCIDE;
}

/** pdpte_check() - may these PDPTEs be loaded (SDM vol. 3, 4.4.1) */
bool pdpte_check(const u64 pdpte[4], const struct cr_limits *limits);

/**
 * sregs_valid() - may KVM_SET_SREGS install these registers
 * @regs: the proposed state: cr0, cr3, cr4, efer and seg[SEG_CS]
 *
 * The rules of the check_ functions for a state rather than a transition, and
 * that LMA, LME, PG and PAE agree. False: -EINVAL.
 */
bool sregs_valid(const struct regs *regs, const struct cr_limits *limits);

#endif
