/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual machine control block and the numbers that live in it, from the
 * AMD64 Architecture Programmer's Manual, volume 2: appendix B (layout),
 * appendix C (exit codes), chapter 15 (meaning).
 *
 * Facts of the manual only: no policy, no state. Fields that this product
 * never touches are reserved space here.
 */
#ifndef SVM_VMCB_H
#define SVM_VMCB_H

#include "base/host.h"

/* MSRs and CPUID of SVM: APM vol. 2, 15.30, appendix A; vol. 3, E.4.9 */
#define SVM_MSR_EFER 0xc0000080
#define SVM_MSR_TSC_RATIO 0xc0000104
#define SVM_MSR_VM_CR 0xc0010114
#define SVM_MSR_VM_HSAVE_PA 0xc0010117
#define VM_CR_LOCK BIT(3)
#define VM_CR_SVMDIS BIT(4)
#define TSC_RATIO_ONE BIT_ULL(32)		/* 8.32 fixed point */
#define TSC_RATIO_MAX GENMASK_ULL(39, 0)

/* Intercept word 0 and 1: read of register n is bit n, write bit 16 + n. */
#define ICPT_REG_READ(n) BIT(n)
#define ICPT_REG_WRITE(n) BIT(16 + (n))
#define ICPT_REG_ALL 0xffffffffu

/* Intercept word 3, at 00Ch */
#define ICPT_INTR BIT(0)
#define ICPT_NMI BIT(1)
#define ICPT_SMI BIT(2)
#define ICPT_INIT BIT(3)
#define ICPT_VINTR BIT(4)
#define ICPT_CR0_SEL BIT(5)
#define ICPT_RDTSC BIT(14)
#define ICPT_RDPMC BIT(15)
#define ICPT_CPUID BIT(18)
#define ICPT_RSM BIT(19)
#define ICPT_IRET BIT(20)
#define ICPT_INVD BIT(22)
#define ICPT_PAUSE BIT(23)
#define ICPT_HLT BIT(24)
#define ICPT_INVLPG BIT(25)
#define ICPT_INVLPGA BIT(26)
#define ICPT_IOIO BIT(27)
#define ICPT_MSR BIT(28)
#define ICPT_TASK_SWITCH BIT(29)
#define ICPT_SHUTDOWN BIT(31)

/* Intercept word 4, at 010h */
#define ICPT_VMRUN BIT(0)
#define ICPT_VMMCALL BIT(1)
#define ICPT_VMLOAD BIT(2)
#define ICPT_VMSAVE BIT(3)
#define ICPT_STGI BIT(4)
#define ICPT_CLGI BIT(5)
#define ICPT_SKINIT BIT(6)
#define ICPT_RDTSCP BIT(7)
#define ICPT_WBINVD BIT(9)
#define ICPT_MONITOR BIT(10)
#define ICPT_MWAIT BIT(11)
#define ICPT_XSETBV BIT(13)
#define ICPT_RDPRU BIT(14)

/* Intercept word 5, at 014h */
#define ICPT_INVLPGB BIT(0)
#define ICPT_MCOMMIT BIT(3)
#define ICPT_TLBSYNC BIT(4)

/* TLB_CONTROL, at 05Ch: 15.16.1 and 15.16.2 */
enum vmcb_tlb {
	VMCB_TLB_KEEP = 0,
	VMCB_TLB_FLUSH_ALL = 1,		/* every ASID's, the host's too */
	VMCB_TLB_FLUSH_ASID = 3,		/* with flush-by-ASID only */
};

/* Virtual interrupt control, at 060h */
#define V_TPR GENMASK_ULL(3, 0)
#define V_IRQ BIT_ULL(8)
#define V_INTR_PRIO_MAX GENMASK_ULL(19, 16)
#define V_IGN_TPR BIT_ULL(20)
#define V_INTR_MASKING BIT_ULL(24)
#define V_X2AVIC BIT_ULL(30)			/* 15.29.3, avic.h */
#define V_AVIC BIT_ULL(31)

/* Interrupt shadow, at 068h */
#define VMCB_SHADOW BIT_ULL(0)

/* Nested control, at 090h */
#define NESTED_PAGING BIT_ULL(0)

/* Clean bits, at 0C0h: 15.15.3. A set bit: unchanged since the last exit. */
#define CLEAN_INTERCEPTS BIT(0)		/* and TSC offset, pause filter */
#define CLEAN_IOPM BIT(1)
#define CLEAN_ASID BIT(2)
#define CLEAN_TPR BIT(3)		/* all of 060h */
#define CLEAN_NP BIT(4)			/* N_CR3, G_PAT */
#define CLEAN_CRX BIT(5)
#define CLEAN_DRX BIT(6)
#define CLEAN_DT BIT(7)
#define CLEAN_SEG BIT(8)		/* ES, CS, SS, DS, CPL */
#define CLEAN_CR2 BIT(9)
#define CLEAN_AVIC BIT(11)		/* 098h, 0E0h, 0F0h, 0F8h */
#define CLEAN_ALL (BIT(10) - 1)		/* what this product keeps track of */

/* EVENTINJ at 0A8h, EXITINTINFO at 088h: 15.20, 15.7.2 */
#define EVT_VECTOR GENMASK_ULL(7, 0)
#define EVT_TYPE GENMASK_ULL(10, 8)
#define EVT_TYPE_INTR (0ULL << 8)
#define EVT_TYPE_NMI (2ULL << 8)
#define EVT_TYPE_EXCEPTION (3ULL << 8)
#define EVT_TYPE_SOFT (4ULL << 8)
#define EVT_ERROR_CODE BIT_ULL(11)
#define EVT_VALID BIT_ULL(31)
#define EVT_ERROR_SHIFT 32

/* Exit codes: appendix C */
enum vmcb_exit {
	VMEXIT_CR_READ = 0x000,		/* + register */
	VMEXIT_CR_WRITE = 0x010,
	VMEXIT_DR_READ = 0x020,
	VMEXIT_DR_WRITE = 0x030,
	VMEXIT_EXCEPTION = 0x040,	/* + vector */
	VMEXIT_INTR = 0x060,
	VMEXIT_NMI = 0x061,
	VMEXIT_SMI = 0x062,
	VMEXIT_INIT = 0x063,
	VMEXIT_VINTR = 0x064,
	VMEXIT_CR0_SEL = 0x065,
	VMEXIT_RDTSC = 0x06e,
	VMEXIT_RDPMC = 0x06f,
	VMEXIT_CPUID = 0x072,
	VMEXIT_RSM = 0x073,
	VMEXIT_IRET = 0x074,
	VMEXIT_INVD = 0x076,
	VMEXIT_PAUSE = 0x077,
	VMEXIT_HLT = 0x078,
	VMEXIT_INVLPG = 0x079,
	VMEXIT_INVLPGA = 0x07a,
	VMEXIT_IOIO = 0x07b,
	VMEXIT_MSR = 0x07c,
	VMEXIT_TASK_SWITCH = 0x07d,
	VMEXIT_SHUTDOWN = 0x07f,
	VMEXIT_VMRUN = 0x080,
	VMEXIT_VMMCALL = 0x081,
	VMEXIT_VMLOAD = 0x082,
	VMEXIT_VMSAVE = 0x083,
	VMEXIT_STGI = 0x084,
	VMEXIT_CLGI = 0x085,
	VMEXIT_SKINIT = 0x086,
	VMEXIT_RDTSCP = 0x087,
	VMEXIT_WBINVD = 0x089,
	VMEXIT_MONITOR = 0x08a,
	VMEXIT_MWAIT = 0x08b,
	VMEXIT_MWAIT_ARMED = 0x08c,
	VMEXIT_XSETBV = 0x08d,
	VMEXIT_RDPRU = 0x08e,
	VMEXIT_INVLPGB = 0x0a0,
	VMEXIT_MCOMMIT = 0x0a3,
	VMEXIT_TLBSYNC = 0x0a4,
	VMEXIT_NPF = 0x400,
	VMEXIT_AVIC_INCOMPLETE_IPI = 0x401,
	VMEXIT_AVIC_NOACCEL = 0x402,
};

/* VMRUN refused the VMCB: 15.5.1 */
#define VMEXIT_INVALID (~0ULL)

/**
 * vmcb_refused() - is @exit_code VMEXIT_INVALID
 *
 * By its lower half: where another hypervisor stands in for the CPU, some leave
 * the upper half zero.
 */
static inline bool vmcb_refused(u64 exit_code)
{
	return (u32)exit_code == (u32)VMEXIT_INVALID;
}

/* EXITINFO1 of IOIO: 15.10.2 */
#define IOIO_IN BIT_ULL(0)
#define IOIO_STRING BIT_ULL(2)
#define IOIO_REP BIT_ULL(3)
#define IOIO_SIZE_SHIFT 4		/* 1, 2 or 4 in bits 6:4 */
#define IOIO_PORT_SHIFT 16

/* EXITINFO1 of a MOV to or from CRn, with decode assists: 15.33.1 */
#define CR_IS_MOV BIT_ULL(63)

/* EXITINFO1 of NPF: 15.25.6 */
#define NPF_PRESENT BIT_ULL(0)
#define NPF_WRITE BIT_ULL(1)
#define NPF_FETCH BIT_ULL(4)
#define NPF_TABLE_WALK BIT_ULL(33)

/* EXITINFO2 of TASK_SWITCH: 15.14.1 */
#define TASK_IRET BIT_ULL(36)
#define TASK_JMP BIT_ULL(38)
#define TASK_ERROR_CODE BIT_ULL(44)

/* Attributes of a segment as the save area packs them: 15.5.1 */
#define SEG_ATTR_TYPE GENMASK(3, 0)
#define SEG_ATTR_S BIT(4)
#define SEG_ATTR_DPL_SHIFT 5
#define SEG_ATTR_P BIT(7)
#define SEG_ATTR_AVL BIT(8)
#define SEG_ATTR_L BIT(9)
#define SEG_ATTR_DB BIT(10)
#define SEG_ATTR_G BIT(11)

struct vmcb_seg {
	u16 selector;
	u16 attr;
	u32 limit;
	u64 base;
};

struct vmcb_control {
	u32 icpt_cr;			/* 000 */
	u32 icpt_dr;
	u32 icpt_exceptions;
	u32 icpt_3;			/* 00C */
	u32 icpt_4;			/* 010 */
	u32 icpt_5;
	u8 reserved_018[0x24];
	u16 pause_threshold;		/* 03C */
	u16 pause_count;
	u64 iopm_pa;			/* 040 */
	u64 msrpm_pa;
	u64 tsc_offset;			/* 050 */
	u32 asid;
	u8 tlb_control;			/* 05C */
	u8 reserved_05d[3];
	u64 vintr;			/* 060 */
	u64 shadow;
	u64 exit_code;			/* 070 */
	u64 exit_info1;
	u64 exit_info2;			/* 080 */
	u64 exit_int_info;
	u64 nested;			/* 090 */
	u64 avic_bar;
	u64 ghcb_pa;			/* 0A0 */
	u64 event_inj;
	u64 n_cr3;			/* 0B0 */
	u64 lbr;
	u32 clean;			/* 0C0 */
	u32 reserved_0c4;
	u64 next_rip;
	u8 insn_fetched;		/* 0D0 */
	u8 insn_bytes[15];
	u64 avic_backing_page;		/* 0E0 */
	u8 reserved_0e8[8];
	u64 avic_logical;		/* 0F0 */
	u64 avic_physical;
	u8 reserved_100[0x300];
};

struct vmcb_save {
	struct vmcb_seg es, cs, ss, ds;	/* 000 */
	struct vmcb_seg fs, gs;		/* 040 */
	struct vmcb_seg gdtr, ldtr, idtr, tr; /* 060 */
	u8 reserved_0a0[0x2b];
	u8 cpl;				/* 0CB */
	u8 reserved_0cc[4];
	u64 efer;			/* 0D0 */
	u8 reserved_0d8[0x70];
	u64 cr4;			/* 148 */
	u64 cr3;
	u64 cr0;
	u64 dr7;			/* 160 */
	u64 dr6;
	u64 rflags;			/* 170 */
	u64 rip;
	u8 reserved_180[0x58];
	u64 rsp;			/* 1D8 */
	u64 s_cet, ssp, isst_addr;
	u64 rax;			/* 1F8 */
	u64 star;			/* 200 */
	u64 lstar, cstar, sfmask;
	u64 kernel_gs_base;		/* 220 */
	u64 sysenter_cs, sysenter_esp, sysenter_eip;
	u64 cr2;			/* 240 */
	u8 reserved_248[0x20];
	u64 g_pat;			/* 268 */
	u64 debugctl;			/* 270 */
	u8 reserved_278[0x68];
	u64 spec_ctrl;			/* 2E0 */
	u8 reserved_2e8[0x918];
};

struct vmcb {
	struct vmcb_control control;
	struct vmcb_save save;
};

static_assert(offsetof(struct vmcb_control, pause_threshold) == 0x3c);
static_assert(offsetof(struct vmcb_control, iopm_pa) == 0x40);
static_assert(offsetof(struct vmcb_control, tsc_offset) == 0x50);
static_assert(offsetof(struct vmcb_control, asid) == 0x58);
static_assert(offsetof(struct vmcb_control, tlb_control) == 0x5c);
static_assert(offsetof(struct vmcb_control, vintr) == 0x60);
static_assert(offsetof(struct vmcb_control, exit_code) == 0x70);
static_assert(offsetof(struct vmcb_control, exit_int_info) == 0x88);
static_assert(offsetof(struct vmcb_control, nested) == 0x90);
static_assert(offsetof(struct vmcb_control, avic_bar) == 0x98);
static_assert(offsetof(struct vmcb_control, event_inj) == 0xa8);
static_assert(offsetof(struct vmcb_control, n_cr3) == 0xb0);
static_assert(offsetof(struct vmcb_control, clean) == 0xc0);
static_assert(offsetof(struct vmcb_control, next_rip) == 0xc8);
static_assert(offsetof(struct vmcb_control, insn_fetched) == 0xd0);
static_assert(offsetof(struct vmcb_control, avic_backing_page) == 0xe0);
static_assert(offsetof(struct vmcb_control, avic_logical) == 0xf0);
static_assert(offsetof(struct vmcb_control, avic_physical) == 0xf8);
static_assert(sizeof(struct vmcb_control) == 0x400);

static_assert(sizeof(struct vmcb_seg) == 16);
static_assert(offsetof(struct vmcb_save, fs) == 0x40);
static_assert(offsetof(struct vmcb_save, gdtr) == 0x60);
static_assert(offsetof(struct vmcb_save, tr) == 0x90);
static_assert(offsetof(struct vmcb_save, cpl) == 0xcb);
static_assert(offsetof(struct vmcb_save, efer) == 0xd0);
static_assert(offsetof(struct vmcb_save, cr4) == 0x148);
static_assert(offsetof(struct vmcb_save, cr0) == 0x158);
static_assert(offsetof(struct vmcb_save, dr7) == 0x160);
static_assert(offsetof(struct vmcb_save, rflags) == 0x170);
static_assert(offsetof(struct vmcb_save, rsp) == 0x1d8);
static_assert(offsetof(struct vmcb_save, rax) == 0x1f8);
static_assert(offsetof(struct vmcb_save, star) == 0x200);
static_assert(offsetof(struct vmcb_save, kernel_gs_base) == 0x220);
static_assert(offsetof(struct vmcb_save, cr2) == 0x240);
static_assert(offsetof(struct vmcb_save, g_pat) == 0x268);
static_assert(offsetof(struct vmcb_save, spec_ctrl) == 0x2e0);
static_assert(sizeof(struct vmcb) == 0x1000);

#endif
