/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The register file of one vCPU, in groups.
 *
 * A group is what moves between the hardware's save area and this struct in
 * one go. `avail` says which groups hold the guest's values, `dirty` which of
 * them differ from the hardware's. After an exit RG_GPR|RG_RIP are available,
 * and what else costs the vendor next to nothing; the rest is loaded when
 * somebody asks (core: vcpu_regs()) and written back, when dirty, by the next
 * entry. Outside KVM_RUN, too: the hardware's area is the home of what is not
 * available here.
 *
 * Invariants: dirty is a subset of avail. Pure code is handed a file whose
 * needed groups were made available by its caller, and marks what it changed.
 * Owner: the vCPU's thread, under vcpu->mutex.
 */
#ifndef X86_REGS_H
#define X86_REGS_H

#include "base/bits.h"
#include "base/host.h"

/* Numbering of ModRM.reg and of the VMCS exit qualification. */
enum gpr {
	R_RAX, R_RCX, R_RDX, R_RBX, R_RSP, R_RBP, R_RSI, R_RDI,
	R_R8, R_R9, R_R10, R_R11, R_R12, R_R13, R_R14, R_R15,
	R_COUNT,
};

/* Numbering of the sreg field of ModRM; then the two system segments. */
enum seg {
	SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR,
	SEG_COUNT,
};

/* A segment register with its hidden part; fields as in struct kvm_segment. */
struct segment {
	u64 base;
	u32 limit;		/* in bytes, granularity already applied */
	u16 selector;
	u8 type;		/* SDM vol. 3, 3.4.5.1 and 3.5 */
	u8 s, dpl, present, avl, l, db, g;
	u8 unusable;
};

struct dtable {
	u64 base;
	u16 limit;
};

enum reg_group {
	RG_GPR = BIT(0),	/* all sixteen */
	RG_RIP = BIT(1),	/* RIP and RFLAGS */
	RG_CODE = BIT(2),	/* CS and SS, that is, mode and CPL; read only */
	/* seg[], gdt, idt; CPL is seg[SEG_SS].dpl */
	RG_SEG = RG_CODE | BIT(7),
	RG_CR = BIT(3),		/* cr0, cr3, cr4, efer, pdpte[] */
	RG_CR2 = BIT(4),
	RG_DR = BIT(5),		/* dr6, dr7 (dr0-3 live here always) */
	RG_SYSCALL = BIT(6),	/* the syscall, sysenter and kernel-gs MSRs */
	RG_ALL = BIT(8) - 1,
};

struct regs {
	u64 gpr[R_COUNT];
	u64 rip;
	u64 rflags;
	u32 avail;		/* enum reg_group mask */
	u32 dirty;

	u64 cr0, cr3, cr4, efer;	/* as the guest sees them */
	u64 cr2;
	/* PAE's, where the hardware keeps them apart; see regops_pdptes() */
	u64 pdpte[4];
	struct segment seg[SEG_COUNT];
	struct dtable gdt, idt;

	u64 dr[4];		/* DR0-3; no group: switched by core */
	u64 dr6, dr7;

	u64 star, lstar, cstar, sfmask, kernel_gs_base;
	u64 sysenter_cs, sysenter_esp, sysenter_eip;

	u64 xcr0;		/* no group: switched by core with the FPU */
	u64 xss;
	u64 pat;		/* IA32_PAT; flushed with RG_CR */
};

/** regs_touch() - note that the caller changed (all of) these groups */
static inline void regs_touch(struct regs *regs, u32 groups)
{
	regs->avail |= groups;
	regs->dirty |= groups;
}

/* RFLAGS, SDM vol. 1, 3.4.3 */
#define RFLAGS_CF BIT(0)
#define RFLAGS_FIXED BIT(1)
#define RFLAGS_PF BIT(2)
#define RFLAGS_AF BIT(4)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_SF BIT(7)
#define RFLAGS_TF BIT(8)
#define RFLAGS_IF BIT(9)
#define RFLAGS_DF BIT(10)
#define RFLAGS_OF BIT(11)
#define RFLAGS_IOPL GENMASK(13, 12)
#define RFLAGS_NT BIT(14)
#define RFLAGS_RF BIT(16)
#define RFLAGS_VM BIT(17)
#define RFLAGS_AC BIT(18)
#define RFLAGS_VIF BIT(19)
#define RFLAGS_VIP BIT(20)
#define RFLAGS_ID BIT(21)

/* CR0, CR4, EFER: SDM vol. 3, 2.5 and 2.2.1; APM vol. 2, 3.1 */
#define CR0_PE BIT(0)
#define CR0_MP BIT(1)
#define CR0_EM BIT(2)
#define CR0_TS BIT(3)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_WP BIT(16)
#define CR0_AM BIT(18)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)

#define CR4_VME BIT(0)
#define CR4_PVI BIT(1)
#define CR4_TSD BIT(2)
#define CR4_DE BIT(3)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_PGE BIT(7)
#define CR4_PCE BIT(8)
#define CR4_OSFXSR BIT(9)
#define CR4_OSXMMEXCPT BIT(10)
#define CR4_UMIP BIT(11)
#define CR4_LA57 BIT(12)
#define CR4_VMXE BIT(13)
#define CR4_SMXE BIT(14)
#define CR4_FSGSBASE BIT(16)
#define CR4_PCIDE BIT(17)
#define CR4_OSXSAVE BIT(18)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE BIT(22)
#define CR4_CET BIT(23)
#define CR4_PKS BIT(24)
#define CR4_LAM_SUP BIT(28)

#define EFER_SCE_BIT BIT(0)
#define EFER_LME_BIT BIT(8)
#define EFER_LMA_BIT BIT(10)
#define EFER_NXE_BIT BIT(11)
#define EFER_SVME_BIT BIT(12)
#define EFER_LMSLE_BIT BIT(13)
#define EFER_FFXSR_BIT BIT(14)
#define EFER_TCE_BIT BIT(15)
#define EFER_AUTOIBRS_BIT BIT(21)

#define DR6_HITS GENMASK(3, 0)	/* B0-B3 */
#define DR6_BUS_LOCK BIT(11)
#define DR6_BD BIT(13)
#define DR6_BS BIT(14)
#define DR6_BT BIT(15)
#define DR6_RTM BIT(16)
#define DR6_INIT 0xffff0ff0UL
#define DR7_ENABLES 0xffUL	/* local and global, of four breakpoints */
#define DR7_GD BIT(13)
#define DR7_INIT 0x400UL

/**
 * regs_reset() - all registers as after power-on or INIT
 * @init: INIT: keep what it does not touch (the MSRs, XCR0, PAT, CR0.CD, NW)
 * @signature: CPUID leaf 1 EAX, which goes to RDX; 0x600 without CPUID
 *
 * SDM vol. 3, table 10-1. Makes all groups available and dirty; for INIT all
 * have to be available before.
 */
void regs_reset(struct regs *regs, bool init, u32 signature);

/* Execution modes as the decoder and the paging walk tell them apart. */
enum x86_mode {
	MODE_REAL,
	MODE_VM86,
	MODE_PROT16,
	MODE_PROT32,
	MODE_LONG,		/* 64-bit code */
};

/** regs_mode() - the mode of the next instruction; needs RG_CR|RG_CODE|RG_RIP */
static inline enum x86_mode regs_mode(const struct regs *regs)
{
	if (!(regs->cr0 & CR0_PE))
		return MODE_REAL;
	if ((regs->efer & EFER_LMA_BIT) && regs->seg[SEG_CS].l)
		return MODE_LONG;
	if ((regs->rflags & RFLAGS_VM) && !(regs->efer & EFER_LMA_BIT))
		return MODE_VM86;
	return regs->seg[SEG_CS].db ? MODE_PROT32 : MODE_PROT16;
}

/** regs_cpl() - current privilege level; needs RG_CR|RG_CODE|RG_RIP */
static inline unsigned int regs_cpl(const struct regs *regs)
{
	if (!(regs->cr0 & CR0_PE))
		return 0;
	if ((regs->rflags & RFLAGS_VM) && !(regs->efer & EFER_LMA_BIT))
		return 3;
	return regs->seg[SEG_SS].dpl;
}

/**
 * regs_checks_alignment() - do misaligned accesses raise #AC, SDM vol. 3,
 * 6.15; needs what regs_cpl() does
 */
static inline bool regs_checks_alignment(const struct regs *regs)
{
	return (regs->cr0 & CR0_AM) && (regs->rflags & RFLAGS_AC) &&
	       regs_cpl(regs) == 3;
}

/** regs_vaddr_bits() - width of a canonical address; needs RG_CR */
static inline unsigned int regs_vaddr_bits(const struct regs *regs)
{
	return regs->cr4 & CR4_LA57 ? 57 : 48;
}

/** regs_linear_rip() - linear address of the next instruction; the same */
static inline u64 regs_linear_rip(const struct regs *regs)
{
	if (regs_mode(regs) == MODE_LONG)
		return regs->rip;
	return (u32)(regs->seg[SEG_CS].base + regs->rip);
}

#endif
