/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The numbers of VT-x, from the Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 3: appendix A (capability MSRs), appendix B
 * (field encodings), appendix C (exit reasons), chapters 25 to 29 (controls,
 * interruptibility, event and exit information).
 *
 * Facts of the manual only: no policy, no state. The bits of the VM-execution,
 * VM-exit and VM-entry controls are the rows of caps.h.
 */
#ifndef VMX_VMCS_H
#define VMX_VMCS_H

#include "base/host.h"

/* ---- MSRs and CPUID: appendix A, 24.6, 24.7 ---------------------------- */

#define VMX_CPUID_1_ECX BIT(5)

#define VMX_MSR_FEATURE_CONTROL 0x03a
#define FEATURE_CONTROL_LOCK BIT_ULL(0)
#define FEATURE_CONTROL_VMX BIT_ULL(2)		/* outside SMX */

#define VMX_MSR_BASIC 0x480
#define VMX_MSR_PIN 0x481
#define VMX_MSR_PROC 0x482
#define VMX_MSR_EXIT 0x483
#define VMX_MSR_ENTRY 0x484
#define VMX_MSR_MISC 0x485
#define VMX_MSR_CR0_FIXED0 0x486
#define VMX_MSR_CR0_FIXED1 0x487
#define VMX_MSR_CR4_FIXED0 0x488
#define VMX_MSR_CR4_FIXED1 0x489
#define VMX_MSR_PROC2 0x48b
#define VMX_MSR_EPT_VPID 0x48c
#define VMX_MSR_TRUE_PIN 0x48d
#define VMX_MSR_TRUE_PROC 0x48e
#define VMX_MSR_TRUE_EXIT 0x48f
#define VMX_MSR_TRUE_ENTRY 0x490
#define VMX_MSR_PROC3 0x492

/* IA32_VMX_BASIC: A.1 */
#define BASIC_REVISION GENMASK_ULL(30, 0)
#define BASIC_SIZE_SHIFT 32			/* 13 bits */
#define BASIC_32BIT_ADDRESSES BIT_ULL(48)
#define BASIC_MEMTYPE_SHIFT 50			/* 4 bits */
#define BASIC_TRUE_CONTROLS BIT_ULL(55)
#define MEMTYPE_WB 6

/* IA32_VMX_MISC: A.6 */
#define MISC_TIMER_SHIFT GENMASK_ULL(4, 0)	/* TSC bits per timer tick */
#define MISC_HLT_STATE BIT_ULL(6)

/* IA32_VMX_EPT_VPID_CAP: A.10 */
#define EPT_CAP_4_LEVELS BIT_ULL(6)
#define EPT_CAP_5_LEVELS BIT_ULL(7)
#define EPT_CAP_WB BIT_ULL(14)
#define EPT_CAP_2M BIT_ULL(16)
#define EPT_CAP_1G BIT_ULL(17)
#define EPT_CAP_INVEPT BIT_ULL(20)
#define EPT_CAP_AD BIT_ULL(21)
#define EPT_CAP_INVEPT_SINGLE BIT_ULL(25)
#define EPT_CAP_INVEPT_ALL BIT_ULL(26)
#define VPID_CAP_INVVPID BIT_ULL(32)
#define VPID_CAP_ADDRESS BIT_ULL(40)
#define VPID_CAP_SINGLE BIT_ULL(41)
#define VPID_CAP_ALL BIT_ULL(42)

/* EPTP: 25.6.11 */
#define EPTP_WB MEMTYPE_WB
#define EPTP_LEVELS_SHIFT 3			/* levels minus 1 */
#define EPTP_AD BIT_ULL(6)

/* Types of INVEPT and INVVPID: 31.3 */
#define INVEPT_SINGLE 1UL
#define INVEPT_ALL 2UL
#define INVVPID_ADDRESS 0UL
#define INVVPID_SINGLE 1UL
#define INVVPID_ALL 2UL

/* ---- field encodings: appendix B --------------------------------------- */

enum vmcs_field {
	/* 16 bits */
	VPID = 0x0000,
	POSTED_VECTOR = 0x0002,
	LAST_PID_INDEX = 0x0008,
	GUEST_ES_SEL = 0x0800,	/* ES CS SS DS FS GS LDTR TR: step 2 */
	GUEST_INTR_STATUS = 0x0810,
	GUEST_PML_INDEX = 0x0812,
	HOST_ES_SEL = 0x0c00,
	HOST_CS_SEL = 0x0c02,
	HOST_SS_SEL = 0x0c04,
	HOST_DS_SEL = 0x0c06,
	HOST_FS_SEL = 0x0c08,
	HOST_GS_SEL = 0x0c0a,
	HOST_TR_SEL = 0x0c0c,

	/* 64 bits */
	MSR_BITMAP = 0x2004,
	EXIT_MSR_STORE_ADDR = 0x2006,
	EXIT_MSR_LOAD_ADDR = 0x2008,
	ENTRY_MSR_LOAD_ADDR = 0x200a,
	PML_ADDR = 0x200e,
	TSC_OFFSET = 0x2010,
	VIRTUAL_APIC_ADDR = 0x2012,
	APIC_ACCESS_ADDR = 0x2014,
	POSTED_DESC_ADDR = 0x2016,
	EPT_POINTER = 0x201a,
	EOI_EXIT_BITMAP0 = 0x201c,	/* four, step 2 */
	EOI_EXIT_BITMAP3 = 0x2022,
	ENCLS_EXIT_BITMAP = 0x202e,
	TSC_MULTIPLIER = 0x2032,
	PROC3_CONTROLS = 0x2034,
	PID_TABLE_ADDR = 0x2042,
	GUEST_PHYS_ADDR = 0x2400,
	VMCS_LINK = 0x2800,
	GUEST_DEBUGCTL = 0x2802,
	GUEST_PAT = 0x2804,
	GUEST_EFER = 0x2806,
	GUEST_PDPTE0 = 0x280a,		/* four, step 2 */
	GUEST_PDPTE3 = 0x2810,
	HOST_PAT = 0x2c00,
	HOST_EFER = 0x2c02,

	/* 32 bits */
	PIN_CONTROLS = 0x4000,
	PROC_CONTROLS = 0x4002,
	EXCEPTION_BITMAP = 0x4004,
	PF_ERROR_MASK = 0x4006,
	PF_ERROR_MATCH = 0x4008,
	CR3_TARGET_COUNT = 0x400a,
	EXIT_CONTROLS = 0x400c,
	EXIT_MSR_STORE_COUNT = 0x400e,
	EXIT_MSR_LOAD_COUNT = 0x4010,
	ENTRY_CONTROLS = 0x4012,
	ENTRY_MSR_LOAD_COUNT = 0x4014,
	ENTRY_INTR_INFO = 0x4016,
	ENTRY_ERROR_CODE = 0x4018,
	ENTRY_INSN_LEN = 0x401a,
	TPR_THRESHOLD = 0x401c,
	PROC2_CONTROLS = 0x401e,
	PLE_GAP = 0x4020,
	PLE_WINDOW = 0x4022,
	INSN_ERROR = 0x4400,
	EXIT_REASON = 0x4402,
	EXIT_INTR_INFO = 0x4404,
	EXIT_INTR_ERROR = 0x4406,
	IDT_VECTORING_INFO = 0x4408,
	IDT_VECTORING_ERROR = 0x440a,
	EXIT_INSN_LEN = 0x440c,
	EXIT_INSN_INFO = 0x440e,
	GUEST_ES_LIMIT = 0x4800,	/* step 2 */
	GUEST_GDTR_LIMIT = 0x4810,
	GUEST_IDTR_LIMIT = 0x4812,
	GUEST_ES_AR = 0x4814,		/* step 2 */
	GUEST_INTERRUPTIBILITY = 0x4824,
	GUEST_ACTIVITY = 0x4826,
	GUEST_SYSENTER_CS = 0x482a,
	TIMER_VALUE = 0x482e,
	HOST_SYSENTER_CS = 0x4c00,

	/* natural width */
	CR0_MASK = 0x6000,
	CR4_MASK = 0x6002,
	CR0_SHADOW = 0x6004,
	CR4_SHADOW = 0x6006,
	EXIT_QUALIFICATION = 0x6400,
	GUEST_LINEAR_ADDR = 0x640a,
	GUEST_CR0 = 0x6800,
	GUEST_CR3 = 0x6802,
	GUEST_CR4 = 0x6804,
	GUEST_ES_BASE = 0x6806,		/* step 2 */
	GUEST_GDTR_BASE = 0x6816,
	GUEST_IDTR_BASE = 0x6818,
	GUEST_DR7 = 0x681a,
	GUEST_RSP = 0x681c,
	GUEST_RIP = 0x681e,
	GUEST_RFLAGS = 0x6820,
	GUEST_PENDING_DEBUG = 0x6822,
	GUEST_SYSENTER_ESP = 0x6824,
	GUEST_SYSENTER_EIP = 0x6826,
	HOST_CR0 = 0x6c00,
	HOST_CR3 = 0x6c02,
	HOST_CR4 = 0x6c04,
	HOST_FS_BASE = 0x6c06,
	HOST_GS_BASE = 0x6c08,
	HOST_TR_BASE = 0x6c0a,
	HOST_GDTR_BASE = 0x6c0c,
	HOST_IDTR_BASE = 0x6c0e,
	HOST_SYSENTER_ESP = 0x6c10,
	HOST_SYSENTER_EIP = 0x6c12,
	HOST_RSP = 0x6c14,
	HOST_RIP = 0x6c16,
};

/* ---- guest non-register state: 25.4.2 ---------------------------------- */

#define INTERRUPTIBILITY_STI BIT(0)
#define INTERRUPTIBILITY_MOV_SS BIT(1)
#define INTERRUPTIBILITY_NMI BIT(3)

#define ACTIVITY_ACTIVE 0
#define ACTIVITY_HLT 1

#define PENDING_DEBUG_BS BIT_ULL(14)

/* ---- event information, on entry and exit: 25.8.3, 25.9.2, 25.9.3 ------ */

#define INTR_INFO_VECTOR 0xffU
#define INTR_INFO_TYPE 0x700U
#define INTR_INFO_ERROR_CODE BIT(11)
#define INTR_INFO_NMI_UNBLOCK BIT(12)		/* exits: due to IRET */
#define INTR_INFO_VALID BIT(31)

#define INTR_TYPE_EXTERNAL (0U << 8)
#define INTR_TYPE_NMI (2U << 8)
#define INTR_TYPE_EXCEPTION (3U << 8)
#define INTR_TYPE_SOFT_IRQ (4U << 8)
#define INTR_TYPE_PRIV_SOFT (5U << 8)		/* INT1 */
#define INTR_TYPE_SOFT_EXCEPTION (6U << 8)	/* INT3, INTO */

/* ---- exit reasons: appendix C ------------------------------------------ */

#define EXIT_REASON_BASIC 0xffffU
#define EXIT_REASON_ENTRY_FAILURE BIT(31)

enum vmx_reason {
	REASON_EXCEPTION_NMI = 0,
	REASON_EXTERNAL = 1,
	REASON_TRIPLE_FAULT = 2,
	REASON_INIT = 3,
	REASON_SIPI = 4,
	REASON_IO_SMI = 5,
	REASON_SMI = 6,
	REASON_IRQ_WINDOW = 7,
	REASON_NMI_WINDOW = 8,
	REASON_TASK_SWITCH = 9,
	REASON_CPUID = 10,
	REASON_GETSEC = 11,
	REASON_HLT = 12,
	REASON_INVD = 13,
	REASON_INVLPG = 14,
	REASON_RDPMC = 15,
	REASON_RDTSC = 16,
	REASON_RSM = 17,
	REASON_VMCALL = 18,
	REASON_VMCLEAR = 19,
	REASON_VMLAUNCH = 20,
	REASON_VMPTRLD = 21,
	REASON_VMPTRST = 22,
	REASON_VMREAD = 23,
	REASON_VMRESUME = 24,
	REASON_VMWRITE = 25,
	REASON_VMXOFF = 26,
	REASON_VMXON = 27,
	REASON_CR = 28,
	REASON_DR = 29,
	REASON_IO = 30,
	REASON_RDMSR = 31,
	REASON_WRMSR = 32,
	REASON_BAD_GUEST = 33,
	REASON_BAD_MSR = 34,
	REASON_MWAIT = 36,
	REASON_TRAP_FLAG = 37,
	REASON_MONITOR = 39,
	REASON_PAUSE = 40,
	REASON_ENTRY_MCE = 41,
	REASON_TPR = 43,
	REASON_APIC_ACCESS = 44,
	REASON_EOI = 45,
	REASON_GDTR_IDTR = 46,
	REASON_LDTR_TR = 47,
	REASON_EPT_VIOLATION = 48,
	REASON_EPT_MISCONFIG = 49,
	REASON_INVEPT = 50,
	REASON_RDTSCP = 51,
	REASON_TIMER = 52,
	REASON_INVVPID = 53,
	REASON_WBINVD = 54,
	REASON_XSETBV = 55,
	REASON_APIC_WRITE = 56,
	REASON_RDRAND = 57,
	REASON_INVPCID = 58,
	REASON_VMFUNC = 59,
	REASON_ENCLS = 60,
	REASON_RDSEED = 61,
	REASON_PML_FULL = 62,
	REASON_XSAVES = 63,
	REASON_XRSTORS = 64,
	REASON_PCONFIG = 65,
	REASON_UMWAIT = 67,
	REASON_TPAUSE = 68,
	REASON_LOADIWKEY = 69,
	REASON_ENCLV = 70,
	REASON_ENQCMD = 72,
	REASON_ENQCMDS = 73,
	REASON_BUS_LOCK = 74,
	REASON_NOTIFY = 75,
	REASON_SEAMCALL = 76,
	REASON_TDCALL = 77,
};

/* ---- exit qualifications: 28.2.1 --------------------------------------- */

/* Control registers: table 28-3 */
#define QUAL_CR_NR(q) ((q) & 15)
#define QUAL_CR_TYPE(q) ((q) >> 4 & 3)
#define QUAL_CR_GPR(q) ((q) >> 8 & 15)
enum qual_cr_type { QUAL_CR_TO, QUAL_CR_FROM, QUAL_CR_CLTS, QUAL_CR_LMSW };

/* Debug registers: table 28-4 */
#define QUAL_DR_NR(q) ((q) & 7)
#define QUAL_DR_FROM BIT_ULL(4)
#define QUAL_DR_GPR(q) ((q) >> 8 & 15)

/* I/O instructions: table 28-5 */
#define QUAL_IO_SIZE(q) (((q) & 7) + 1)
#define QUAL_IO_IN BIT_ULL(3)
#define QUAL_IO_STRING BIT_ULL(4)
#define QUAL_IO_REP BIT_ULL(5)
#define QUAL_IO_PORT(q) ((q) >> 16 & 0xffff)

/* Task switches: table 28-2 */
#define QUAL_TASK_SELECTOR(q) ((q) & 0xffff)
#define QUAL_TASK_SOURCE(q) ((q) >> 30 & 3)

/* APIC accesses: table 28-6 */
#define QUAL_APIC_OFFSET(q) ((q) & 0xfff)
#define QUAL_APIC_TYPE(q) ((q) >> 12 & 15)

/* EPT violations: table 28-7 */
#define QUAL_EPT_READ BIT_ULL(0)
#define QUAL_EPT_WRITE BIT_ULL(1)
#define QUAL_EPT_FETCH BIT_ULL(2)
#define QUAL_EPT_ALLOWED GENMASK_ULL(5, 3)	/* what the entry permits */
#define QUAL_EPT_LINEAR BIT_ULL(7)
#define QUAL_EPT_TRANSLATED BIT_ULL(8)		/* else: in the walk */
#define QUAL_NMI_UNBLOCK BIT_ULL(12)		/* PML full, too */

/* ---- structures in memory ---------------------------------------------- */

/* VMXON region and VMCS: 25.2 */
struct vmcs {
	u32 revision;
	u32 abort;
	u8 data[4088];
};
static_assert(sizeof(struct vmcs) == 4096, "SDM vol. 3, A.1");

/* Operands of INVEPT and INVVPID: 31.3 */
struct invept_operand {
	u64 eptp, zero;
};
struct invvpid_operand {
	u64 vpid, linear;
};
static_assert(sizeof(struct invept_operand) == 16, "SDM vol. 3, 31.3");
static_assert(sizeof(struct invvpid_operand) == 16, "SDM vol. 3, 31.3");

/* The MSR bitmaps, 25.6.9: 1 KiB each for 0 and c0000000h upward. */
#define MSR_BITMAP_SIZE 4096
#define MSR_BITMAP_HIGH 1024
#define MSR_BITMAP_WRITE 2048

#endif
