/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every CPUID feature bit this product knows of: one row each.
 *
 * X(name, leaf, index, output, bit, policy, prerequisite, need)
 *
 * policy, in the set KVM_GET_SUPPORTED_CPUID returns:
 *   HOST    offered when the host has it
 *   INTEL   offered when the host has it and is Intel's
 *   AMD     offered when the host has it and is AMD's (or Hygon's)
 *   ALWAYS  offered on every host, if the need is met: it is emulated
 *   INTELALL, AMDALL  the same on every host of this vendor
 *   NEVER   not offered; named because code asks whether the VMM's guest has
 *           it, as with TSC_DEADLINE, which a capability announces instead
 * prerequisite: another row that must be offered too, or NONE
 * need: what else must be there, CPUID_NEED_* and XCR0 bits; all of them
 *
 * Rows ascend by leaf, index, output and bit. What is not here is not
 * offered. SDM vol. 2A, CPUID; APM vol. 3, appendix E; KVM: cpuid.rst.
 */
#ifndef X86_CPUID_ROWS_H
#define X86_CPUID_ROWS_H

/* XCR0 components as needs, SDM vol. 1, 13.1 */
#define NEED_YMM (1ULL << 2)
#define NEED_ZMM (7ULL << 5)
#define NEED_PKRU (1ULL << 9)

/*
 * Every word of features: X(leaf, index, output, the kernel's word or RAW)
 *
 * The kernel switches features off, because microcode is broken or the
 * administrator said so, and on, where it knows of them by other means than
 * the bit: it has a copy of most words (enum cpuid_leafs), by whose name after
 * CPUID_ the word is called here. RAW: it has none.
 */
#define CPUID_WORDS(X) \
	X(0x1, 0, ECX, 1_ECX) \
	X(0x1, 0, EDX, 1_EDX) \
	X(0x6, 0, EAX, 6_EAX) \
	X(0x7, 0, EBX, 7_0_EBX) \
	X(0x7, 0, ECX, 7_ECX) \
	X(0x7, 0, EDX, 7_EDX) \
	X(0x7, 1, EAX, 7_1_EAX) \
	X(0x7, 1, EDX, RAW) \
	X(0x7, 2, EDX, RAW) \
	X(0xd, 1, EAX, D_1_EAX) \
	X(0x40000001, 0, EAX, RAW) \
	X(0x80000001, 0, ECX, 8000_0001_ECX) \
	X(0x80000001, 0, EDX, 8000_0001_EDX) \
	X(0x80000007, 0, EDX, RAW) \
	X(0x80000008, 0, EBX, 8000_0008_EBX) \
	X(0x80000021, 0, EAX, 8000_0021_EAX) \
	X(0x80000021, 0, ECX, RAW)

#define CPUID_ROWS_1(X) \
	X(SSE3,            0x1, 0, ECX,  0, HOST,   NONE,   0) \
	X(PCLMULQDQ,       0x1, 0, ECX,  1, HOST,   SSE2,   0) \
	X(MONITOR,         0x1, 0, ECX,  3, NEVER,  NONE,   0) \
	X(VMX,             0x1, 0, ECX,  5, NEVER,  NONE,   0) \
	X(SSSE3,           0x1, 0, ECX,  9, HOST,   SSE3,   0) \
	X(FMA,             0x1, 0, ECX, 12, HOST,   AVX,    0) \
	X(CX16,            0x1, 0, ECX, 13, HOST,   NONE,   0) \
	X(PDCM,            0x1, 0, ECX, 15, NEVER,  NONE,   0) \
	X(PCID,            0x1, 0, ECX, 17, HOST,   LM,     0) \
	X(SSE41,           0x1, 0, ECX, 19, HOST,   SSSE3,  0) \
	X(SSE42,           0x1, 0, ECX, 20, HOST,   SSE41,  0) \
	X(X2APIC,          0x1, 0, ECX, 21, ALWAYS, APIC,   0) \
	X(MOVBE,           0x1, 0, ECX, 22, HOST,   NONE,   0) \
	X(POPCNT,          0x1, 0, ECX, 23, HOST,   NONE,   0) \
	X(TSC_DEADLINE,    0x1, 0, ECX, 24, NEVER,  APIC,   0) \
	X(AESNI,           0x1, 0, ECX, 25, HOST,   SSE2,   0) \
	X(XSAVE,           0x1, 0, ECX, 26, HOST,   FXSR,   0) \
	X(AVX,             0x1, 0, ECX, 28, HOST,   XSAVE,  NEED_YMM) \
	X(F16C,            0x1, 0, ECX, 29, HOST,   AVX,    0) \
	X(RDRAND,          0x1, 0, ECX, 30, HOST,   NONE,   0) \
	X(HYPERVISOR,      0x1, 0, ECX, 31, ALWAYS, NONE,   0) \
	X(FPU,             0x1, 0, EDX,  0, HOST,   NONE,   0) \
	X(VME,             0x1, 0, EDX,  1, HOST,   NONE,   0) \
	X(DE,              0x1, 0, EDX,  2, HOST,   NONE,   0) \
	X(PSE,             0x1, 0, EDX,  3, HOST,   NONE,   0) \
	X(TSC,             0x1, 0, EDX,  4, HOST,   NONE,   0) \
	X(MSR,             0x1, 0, EDX,  5, ALWAYS, NONE,   0) \
	X(PAE,             0x1, 0, EDX,  6, HOST,   NONE,   0) \
	X(MCE,             0x1, 0, EDX,  7, ALWAYS, NONE,   0) \
	X(CX8,             0x1, 0, EDX,  8, HOST,   NONE,   0) \
	X(APIC,            0x1, 0, EDX,  9, ALWAYS, NONE,   0) \
	X(SEP,             0x1, 0, EDX, 11, HOST,   NONE,   0) \
	X(MTRR,            0x1, 0, EDX, 12, ALWAYS, NONE,   0) \
	X(PGE,             0x1, 0, EDX, 13, HOST,   NONE,   0) \
	X(MCA,             0x1, 0, EDX, 14, ALWAYS, MCE,    0) \
	X(CMOV,            0x1, 0, EDX, 15, HOST,   NONE,   0) \
	X(PAT,             0x1, 0, EDX, 16, HOST,   NONE,   0) \
	X(PSE36,           0x1, 0, EDX, 17, HOST,   PSE,    0) \
	X(CLFLUSH,         0x1, 0, EDX, 19, HOST,   NONE,   0) \
	X(MMX,             0x1, 0, EDX, 23, HOST,   FPU,    0) \
	X(FXSR,            0x1, 0, EDX, 24, HOST,   FPU,    0) \
	X(SSE,             0x1, 0, EDX, 25, HOST,   FXSR,   0) \
	X(SSE2,            0x1, 0, EDX, 26, HOST,   SSE,    0) \
	X(SELFSNOOP,       0x1, 0, EDX, 27, HOST,   NONE,   0) \
	X(HTT,             0x1, 0, EDX, 28, NEVER,  NONE,   0) \
	X(ARAT,            0x6, 0, EAX,  2, ALWAYS, NONE,   0)

#define CPUID_ROWS_7(X) \
	X(FSGSBASE,        0x7, 0, EBX,  0, HOST,   LM,     0) \
	X(TSC_ADJUST,      0x7, 0, EBX,  1, ALWAYS, TSC,    0) \
	X(SGX,             0x7, 0, EBX,  2, NEVER,  NONE,   0) \
	X(BMI1,            0x7, 0, EBX,  3, HOST,   NONE,   0) \
	X(HLE,             0x7, 0, EBX,  4, NEVER,  NONE,   0) \
	X(AVX2,            0x7, 0, EBX,  5, HOST,   AVX,    0) \
	X(FDP_EXCPTN_ONLY, 0x7, 0, EBX,  6, HOST,   NONE,   0) \
	X(SMEP,            0x7, 0, EBX,  7, HOST,   NONE,   0) \
	X(BMI2,            0x7, 0, EBX,  8, HOST,   NONE,   0) \
	X(ERMS,            0x7, 0, EBX,  9, HOST,   NONE,   0) \
	X(INVPCID,         0x7, 0, EBX, 10, HOST,   NONE, \
	  CPUID_NEED_INVPCID) \
	X(RTM,             0x7, 0, EBX, 11, NEVER,  NONE,   0) \
	X(ZERO_FCS_FDS,    0x7, 0, EBX, 13, HOST,   NONE,   0) \
	X(MPX,             0x7, 0, EBX, 14, NEVER,  NONE,   0) \
	X(AVX512F,         0x7, 0, EBX, 16, HOST,   AVX2,   NEED_ZMM) \
	X(AVX512DQ,        0x7, 0, EBX, 17, HOST,   AVX512F, 0) \
	X(RDSEED,          0x7, 0, EBX, 18, HOST,   NONE,   0) \
	X(ADX,             0x7, 0, EBX, 19, HOST,   NONE,   0) \
	X(SMAP,            0x7, 0, EBX, 20, HOST,   NONE,   0) \
	X(AVX512IFMA,      0x7, 0, EBX, 21, HOST,   AVX512F, 0) \
	X(CLFLUSHOPT,      0x7, 0, EBX, 23, HOST,   CLFLUSH, 0) \
	X(CLWB,            0x7, 0, EBX, 24, HOST,   CLFLUSH, 0) \
	X(PT,              0x7, 0, EBX, 25, NEVER,  NONE,   0) \
	X(AVX512PF,        0x7, 0, EBX, 26, HOST,   AVX512F, 0) \
	X(AVX512ER,        0x7, 0, EBX, 27, HOST,   AVX512F, 0) \
	X(AVX512CD,        0x7, 0, EBX, 28, HOST,   AVX512F, 0) \
	X(SHA,             0x7, 0, EBX, 29, HOST,   SSE2,   0) \
	X(AVX512BW,        0x7, 0, EBX, 30, HOST,   AVX512F, 0) \
	X(AVX512VL,        0x7, 0, EBX, 31, HOST,   AVX512F, 0) \
	X(AVX512VBMI,      0x7, 0, ECX,  1, HOST,   AVX512BW, 0) \
	X(UMIP,            0x7, 0, ECX,  2, HOST,   NONE,   0) \
	X(PKU,             0x7, 0, ECX,  3, HOST,   XSAVE,  NEED_PKRU) \
	X(WAITPKG,         0x7, 0, ECX,  5, NEVER,  NONE,   0) \
	X(AVX512VBMI2,     0x7, 0, ECX,  6, HOST,   AVX512BW, 0) \
	X(SHSTK,           0x7, 0, ECX,  7, NEVER,  NONE,   0) \
	X(GFNI,            0x7, 0, ECX,  8, HOST,   SSE2,   0) \
	X(VAES,            0x7, 0, ECX,  9, HOST,   AVX,    0) \
	X(VPCLMULQDQ,      0x7, 0, ECX, 10, HOST,   AVX,    0) \
	X(AVX512VNNI,      0x7, 0, ECX, 11, HOST,   AVX512F, 0) \
	X(AVX512BITALG,    0x7, 0, ECX, 12, HOST,   AVX512BW, 0) \
	X(AVX512POPCNT,    0x7, 0, ECX, 14, HOST,   AVX512F, 0) \
	X(LA57,            0x7, 0, ECX, 16, HOST,   LM,     0) \
	X(RDPID,           0x7, 0, ECX, 22, HOST,   NONE, \
	  CPUID_NEED_RDTSCP) \
	X(CLDEMOTE,        0x7, 0, ECX, 25, HOST,   NONE,   0) \
	X(MOVDIRI,         0x7, 0, ECX, 27, HOST,   NONE,   0) \
	X(MOVDIR64B,       0x7, 0, ECX, 28, HOST,   NONE,   0) \
	X(AVX512_4VNNIW,   0x7, 0, EDX,  2, HOST,   AVX512F, 0) \
	X(AVX512_4FMAPS,   0x7, 0, EDX,  3, HOST,   AVX512F, 0) \
	X(FSRM,            0x7, 0, EDX,  4, HOST,   NONE,   0) \
	X(AVX512_VP2INT,   0x7, 0, EDX,  8, HOST,   AVX512F, 0) \
	X(MD_CLEAR,        0x7, 0, EDX, 10, HOST,   NONE,   0) \
	X(SERIALIZE,       0x7, 0, EDX, 14, HOST,   NONE,   0) \
	X(IBT,             0x7, 0, EDX, 20, NEVER,  NONE,   0) \
	X(AVX512_FP16,     0x7, 0, EDX, 23, HOST,   AVX512BW, 0) \
	X(AMX_TILE,        0x7, 0, EDX, 24, NEVER,  NONE,   0) \
	X(SPEC_CTRL,       0x7, 0, EDX, 26, HOST,   NONE, \
	  CPUID_NEED_SPEC_CTRL | CPUID_NEED_IBPB) \
	X(INTEL_STIBP,     0x7, 0, EDX, 27, HOST,   NONE, \
	  CPUID_NEED_SPEC_CTRL) \
	X(FLUSH_L1D,       0x7, 0, EDX, 28, HOST,   NONE, \
	  CPUID_NEED_FLUSH_CMD) \
	X(ARCH_CAPS,       0x7, 0, EDX, 29, INTELALL, NONE, 0) \
	X(SPEC_CTRL_SSBD,  0x7, 0, EDX, 31, HOST,   NONE, \
	  CPUID_NEED_SPEC_CTRL) \
	X(SHA512,          0x7, 1, EAX,  0, HOST,   AVX2,   0) \
	X(SM3,             0x7, 1, EAX,  1, HOST,   AVX,    0) \
	X(SM4,             0x7, 1, EAX,  2, HOST,   AVX2,   0) \
	X(AVX_VNNI,        0x7, 1, EAX,  4, HOST,   AVX2,   0) \
	X(AVX512_BF16,     0x7, 1, EAX,  5, HOST,   AVX512F, 0) \
	X(CMPCCXADD,       0x7, 1, EAX,  7, HOST,   LM,     0) \
	X(FZRM,            0x7, 1, EAX, 10, HOST,   NONE,   0) \
	X(FSRS,            0x7, 1, EAX, 11, HOST,   NONE,   0) \
	X(FSRC,            0x7, 1, EAX, 12, HOST,   NONE,   0) \
	X(AVX_IFMA,        0x7, 1, EAX, 23, HOST,   AVX2,   0) \
	X(LAM,             0x7, 1, EAX, 26, NEVER,  NONE,   0) \
	X(AVX_VNNI_INT8,   0x7, 1, EDX,  4, HOST,   AVX2,   0) \
	X(AVX_NE_CONVERT,  0x7, 1, EDX,  5, HOST,   AVX2,   0) \
	X(AVX_VNNI_INT16,  0x7, 1, EDX, 10, HOST,   AVX2,   0) \
	X(PREFETCHITI,     0x7, 1, EDX, 14, HOST,   LM,     0) \
	X(INTEL_PSFD,      0x7, 2, EDX,  0, HOST,   SPEC_CTRL, 0) \
	X(IPRED_CTRL,      0x7, 2, EDX,  1, HOST,   SPEC_CTRL, 0) \
	X(RRSBA_CTRL,      0x7, 2, EDX,  2, HOST,   SPEC_CTRL, 0) \
	X(DDPD_U,          0x7, 2, EDX,  3, HOST,   SPEC_CTRL, 0) \
	X(BHI_CTRL,        0x7, 2, EDX,  4, HOST,   SPEC_CTRL, 0) \
	X(MCDT_NO,         0x7, 2, EDX,  5, HOST,   NONE,   0)

#define CPUID_ROWS_D(X) \
	X(XSAVEOPT,        0xd, 1, EAX,  0, HOST,   XSAVE,  0) \
	X(XSAVEC,          0xd, 1, EAX,  1, HOST,   XSAVE,  0) \
	X(XGETBV1,         0xd, 1, EAX,  2, HOST,   XSAVE,  0) \
	X(XSAVES,          0xd, 1, EAX,  3, NEVER,  XSAVEC, 0) \
	X(XFD,             0xd, 1, EAX,  4, NEVER,  XSAVE,  0)

#define CPUID_ROWS_KVM(X) \
	X(KVM_CLOCK,       0x40000001, 0, EAX,  0, ALWAYS, NONE, 0) \
	X(KVM_NOP_IO_DELAY, 0x40000001, 0, EAX, 1, ALWAYS, NONE, 0) \
	X(KVM_CLOCK2,      0x40000001, 0, EAX,  3, ALWAYS, NONE, 0) \
	X(KVM_CLOCK_STABLE, 0x40000001, 0, EAX, 24, ALWAYS, KVM_CLOCK2, 0)

#define CPUID_ROWS_EXT(X) \
	X(LAHF_LM,         0x80000001, 0, ECX,  0, HOST,  LM,   0) \
	X(SVM,             0x80000001, 0, ECX,  2, NEVER, NONE, 0) \
	X(CR8_LEGACY,      0x80000001, 0, ECX,  4, HOST,  NONE, 0) \
	X(ABM,             0x80000001, 0, ECX,  5, HOST,  NONE, 0) \
	X(SSE4A,           0x80000001, 0, ECX,  6, HOST,  SSE3, 0) \
	X(MISALIGNSSE,     0x80000001, 0, ECX,  7, HOST,  SSE,  0) \
	X(PREFETCHW,       0x80000001, 0, ECX,  8, HOST,  NONE, 0) \
	X(OSVW,            0x80000001, 0, ECX,  9, HOST,  NONE, 0) \
	X(XOP,             0x80000001, 0, ECX, 11, HOST,  AVX,  0) \
	X(FMA4,            0x80000001, 0, ECX, 16, HOST,  AVX,  0) \
	X(TBM,             0x80000001, 0, ECX, 21, HOST,  NONE, 0) \
	X(TOPOEXT,         0x80000001, 0, ECX, 22, AMD,   NONE, 0) \
	X(PERFCTR_CORE,    0x80000001, 0, ECX, 23, NEVER, NONE, 0) \
	X(SYSCALL,         0x80000001, 0, EDX, 11, HOST,  NONE, 0) \
	X(NX,              0x80000001, 0, EDX, 20, HOST,  PAE,  0) \
	X(MMXEXT,          0x80000001, 0, EDX, 22, HOST,  MMX,  0) \
	X(FXSR_OPT,        0x80000001, 0, EDX, 25, HOST,  FXSR, 0) \
	X(GBPAGES,         0x80000001, 0, EDX, 26, HOST,  LM,   0) \
	X(RDTSCP,          0x80000001, 0, EDX, 27, HOST,  TSC, \
	  CPUID_NEED_RDTSCP) \
	X(LM,              0x80000001, 0, EDX, 29, HOST,  PAE,  0) \
	X(AMD_3DNOWEXT,    0x80000001, 0, EDX, 30, HOST,  AMD_3DNOW, 0) \
	X(AMD_3DNOW,       0x80000001, 0, EDX, 31, HOST,  MMX,  0) \
	X(INVARIANT_TSC,   0x80000007, 0, EDX,  8, HOST,  TSC,  0) \
	X(CLZERO,          0x80000008, 0, EBX,  0, AMD,   NONE, 0) \
	X(XSAVEERPTR,      0x80000008, 0, EBX,  2, AMD,   XSAVE, 0) \
	X(WBNOINVD,        0x80000008, 0, EBX,  9, HOST,  NONE, 0) \
	X(AMD_IBPB,        0x80000008, 0, EBX, 12, HOST,  NONE, \
	  CPUID_NEED_IBPB) \
	X(AMD_IBRS,        0x80000008, 0, EBX, 14, HOST,  NONE, \
	  CPUID_NEED_SPEC_CTRL) \
	X(AMD_STIBP,       0x80000008, 0, EBX, 15, HOST,  NONE, \
	  CPUID_NEED_SPEC_CTRL) \
	X(STIBP_ALWAYS,    0x80000008, 0, EBX, 17, HOST,  AMD_STIBP, 0) \
	X(AMD_SSBD,        0x80000008, 0, EBX, 24, HOST,  NONE, \
	  CPUID_NEED_SPEC_CTRL) \
	X(VIRT_SSBD,       0x80000008, 0, EBX, 25, AMDALL, NONE, \
	  CPUID_NEED_VIRT_SSBD) \
	X(AMD_SSB_NO,      0x80000008, 0, EBX, 26, HOST,  NONE, 0) \
	X(AMD_PSFD,        0x80000008, 0, EBX, 28, HOST,  AMD_SSBD, 0) \
	X(BTC_NO,          0x80000008, 0, EBX, 29, HOST,  NONE, 0) \
	X(AMD_IBPB_RET,    0x80000008, 0, EBX, 30, HOST,  AMD_IBPB, 0) \
	X(NO_NESTED_DATA_BP, 0x80000021, 0, EAX, 0, AMD,  NONE, 0) \
	X(LFENCE_RDTSC,    0x80000021, 0, EAX,  2, AMD,   NONE, 0) \
	X(VERW_CLEAR,      0x80000021, 0, EAX,  5, AMD,   NONE, 0) \
	X(NULL_SEL_CLR_BASE, 0x80000021, 0, EAX, 6, AMD,  NONE, 0) \
	X(AUTOIBRS,        0x80000021, 0, EAX,  8, AMD,   NONE, 0) \
	X(NO_SMM_CTL,      0x80000021, 0, EAX,  9, AMDALL, NONE, 0) \
	X(SBPB,            0x80000021, 0, EAX, 27, AMD,   AMD_IBPB, 0) \
	X(IBPB_BRTYPE,     0x80000021, 0, EAX, 28, AMD,   AMD_IBPB, 0) \
	X(SRSO_NO,         0x80000021, 0, EAX, 29, AMD,   NONE, 0) \
	X(SRSO_USER_KERNEL_NO, 0x80000021, 0, EAX, 30, AMD, NONE, 0) \
	X(TSA_SQ_NO,       0x80000021, 0, ECX,  1, AMD,   NONE, 0) \
	X(TSA_L1_NO,       0x80000021, 0, ECX,  2, AMD,   NONE, 0)

#define CPUID_ROWS(X) \
	CPUID_ROWS_1(X) \
	CPUID_ROWS_7(X) \
	CPUID_ROWS_D(X) \
	CPUID_ROWS_KVM(X) \
	CPUID_ROWS_EXT(X)

#endif
