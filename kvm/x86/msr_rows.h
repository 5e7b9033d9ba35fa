/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every MSR this product knows of: one row for each, or for a range whose
 * members behave alike.
 *
 * X(name, first, count, kind, where, guest, check, mask, reset, need, flags)
 *
 * kind, who holds the value:
 *   SLOT     struct msr_file, in val[SLOT_name + index - first]
 *   REG      struct regs, at @where: AT(field, groups to be available)
 *   CORE     the vCPU's owner, through msr_ops.core_get and core_set
 *   BANK     struct msr_file, in banks[index - first], see msr.h
 *   CONST    nobody: reads as @reset
 * guest, what RDMSR and WRMSR may do: RW, RO, WO, NO. The VMM may read all and
 *   write all, with the same checks.
 * check, which values a write may have:
 *   ANY      all
 *   MASK     those without bits outside @mask
 *   CANON    canonical addresses
 *   DROP     all, and the value is forgotten (CONST only)
 *   SAME     what it reads as, and 0 for the VMM
 *   LOW32    all; the upper half is forgotten
 *   SYSENTER CANON for the guest; what the VMM writes becomes canonical
 *   others   a function of that name in msr.c
 * reset: the value after power-on; INIT changes none (SDM vol. 3, table 9-1)
 * need: the guest has to have this feature, else the MSR is unknown to it
 * flags: LIST, in KVM_GET_MSR_INDEX_LIST when the host offers @need;
 *   FEATURE, a feature MSR; TELL, msr_ops.changed is called
 *
 * Rows ascend and do not overlap. SDM vol. 4; APM vol. 2, appendix A; for
 * 0x4b564dxx the KVM documentation, msr.rst.
 *
 * There is no PMU yet: its registers read as 0 for the VMM, which saves and
 * restores some by name. Guests without CPUID leaf 0xA get #GP from most of
 * Intel's, as they should. The two of P6 and AMD's four have no CPUID bit:
 * kernels touch them unasked, so they read as 0 and forget.
 *
 * Guests of one vendor ask for some MSRs of the other's, or of old parts, and
 * stop at a #GP: those that the kernel's own KVM answers for every guest have
 * no need. They read as they do there: a bus and a ratio that are not 0, as
 * kernels divide by them (FSB_FREQ, EBC_FREQUENCY, PERF_STATUS), a cache that is there
 * (BBL_CR_CTL3), no energy counted (RAPL). IC_CFG says that family 15h's
 * instruction cache needs no help. There is no LS_CFG: who finds it takes its
 * writes for a mitigation.
 */
#ifndef X86_MSR_ROWS_H
#define X86_MSR_ROWS_H

#define MSR_ROWS_LOW(X) \
	X(P5_MC,         0x000, 2, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(TSC,           0x010, 1, CORE,  0, RW, ANY, 0, 0, FEAT_TSC, LIST) \
	X(KVM_WALL_CLOCK_OLD, 0x011, 1, CORE, 0, RW, ANY, 0, 0, \
	  FEAT_NONE, LIST) \
	X(KVM_SYSTEM_TIME_OLD, 0x012, 1, CORE, 0, RW, ANY, 0, 0, \
	  FEAT_NONE, LIST) \
	X(PLATFORM_ID,   0x017, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(APIC_BASE,     0x01b, 1, CORE,  0, RW, ANY, 0, 0, FEAT_APIC, 0) \
	X(EBL_CR_POWERON, 0x02a, 1, CONST, 0, RW, DROP, 0, 0, FEAT_NONE, 0) \
	X(EBC_FREQUENCY, 0x02c, 1, CONST, 0, RO, SAME, 0, 0x1000000, \
	  FEAT_NONE, 0) \
	X(SMI_COUNT,     0x034, 1, SLOT,  0, RO, ANY, 0, 0, FEAT_NONE, LIST) \
	X(FEATURE_CONTROL, 0x03a, 1, SLOT, 0, RO, MASK, 0x1f0007, 1, \
	  MSR_NEED_INTEL, LIST) \
	X(TSC_ADJUST,    0x03b, 1, CORE,  0, RW, ANY, 0, 0, \
	  FEAT_TSC_ADJUST, LIST) \
	X(SPEC_CTRL,     0x048, 1, SLOT,  0, RW, SPEC_CTRL, 0, 0, \
	  MSR_NEED_SPEC_CTRL, LIST | TELL) \
	X(PRED_CMD,      0x049, 1, CORE, 0, WO, PRED_CMD, 0, 0, \
	  MSR_NEED_PRED_CMD, 0) \
	X(BIOS_UPDT_TRIG, 0x079, 1, CONST, 0, WO, DROP, 0, 0, FEAT_NONE, 0) \
	X(UCODE_REV,     0x08b, 1, SLOT,  0, RW, UCODE_REV, 0, 0x100000000, \
	  FEAT_NONE, LIST | FEATURE) \
	X(P6_PERFCTR,    0x0c1, 2, CONST, 0, RW, DROP, 0, 0, FEAT_NONE, 0) \
	X(PERFCTR,       0x0c3, 6, CONST, 0, NO, SAME, 0, 0, FEAT_NONE, 0) \
	X(FSB_FREQ,      0x0cd, 1, CONST, 0, RO, SAME, 0, 3, FEAT_NONE, 0) \
	X(PLATFORM_INFO, 0x0ce, 1, SLOT,  0, RO, ANY, 0, \
	  PLATFORM_INFO_CPUID_FAULT, FEAT_NONE, LIST) \
	X(MTRR_CAP,      0x0fe, 1, CONST, 0, RO, SAME, 0, 0x508, \
	  FEAT_MTRR, 0) \
	X(ARCH_CAPS,     0x10a, 1, SLOT,  0, RO, ANY, 0, 0, \
	  FEAT_ARCH_CAPS, LIST | FEATURE) \
	X(FLUSH_CMD,     0x10b, 1, CORE, 0, WO, MASK, 1, 0, \
	  FEAT_FLUSH_L1D, 0) \
	X(BBL_CR_CTL3,   0x11e, 1, CONST, 0, RW, DROP, 0, 0xbe702111, \
	  FEAT_NONE, 0) \
	X(MISC_FEATURES, 0x140, 1, SLOT,  0, RW, MISC_FEATURES, 0, 0, \
	  FEAT_NONE, LIST | TELL) \
	X(SYSENTER_CS,   0x174, 1, REG, AT(sysenter_cs, RG_SYSCALL), RW, \
	  LOW32, 0, 0, FEAT_SEP, LIST) \
	X(SYSENTER_ESP,  0x175, 1, REG, AT(sysenter_esp, RG_SYSCALL), RW, \
	  SYSENTER, 0, 0, FEAT_SEP, LIST) \
	X(SYSENTER_EIP,  0x176, 1, REG, AT(sysenter_eip, RG_SYSCALL), RW, \
	  SYSENTER, 0, 0, FEAT_SEP, LIST) \
	X(MCG_CAP,       0x179, 1, SLOT,  0, RO, SAME, 0, MCG_CAP_DEFAULT, \
	  FEAT_MCA, 0) \
	X(MCG_STATUS,    0x17a, 1, SLOT,  0, RW, MCG_STATUS, 0, 0, \
	  FEAT_MCA, LIST) \
	X(MCG_CTL,       0x17b, 1, SLOT,  0, RW, MCG_CTL, 0, 0, \
	  FEAT_MCA, LIST) \
	X(P6_EVNTSEL,    0x186, 2, CONST, 0, RW, DROP, 0, 0, FEAT_NONE, 0) \
	X(PERFEVTSEL,    0x188, 6, CONST, 0, NO, SAME, 0, 0, FEAT_NONE, 0) \
	X(PERF_STATUS,   0x198, 1, CONST, 0, RO, SAME, 0, 0x400000003e8, \
	  FEAT_NONE, 0) \
	X(PERF_CTL,      0x199, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(MISC_ENABLE,   0x1a0, 1, SLOT,  0, RW, MISC_ENABLE, 0, 0x1801, \
	  FEAT_NONE, LIST | TELL) \
	X(XFD,           0x1c4, 2, CONST, 0, NO, SAME, 0, 0, FEAT_NONE, 0) \
	X(DEBUGCTL,      0x1d9, 1, SLOT,  0, RW, DEBUGCTL, 0, 0, \
	  FEAT_NONE, 0) \
	X(LAST_BRANCH,   0x1db, 4, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(POWER_CTL,     0x1fc, 1, SLOT,  0, RW, ANY, 0, 0, FEAT_NONE, LIST) \
	X(MTRR_VAR,      0x200, 16, SLOT, 0, RW, MTRR, 0, 0, FEAT_MTRR, TELL) \
	X(MTRR_FIX64K,   0x250, 1, SLOT,  0, RW, MTRR, 0, 0, FEAT_MTRR, TELL) \
	X(MTRR_FIX16K,   0x258, 2, SLOT,  0, RW, MTRR, 0, 0, FEAT_MTRR, TELL) \
	X(MTRR_FIX4K,    0x268, 8, SLOT,  0, RW, MTRR, 0, 0, FEAT_MTRR, TELL) \
	X(PAT,           0x277, 1, REG, AT(pat, RG_CR), RW, PAT, 0, 0, \
	  FEAT_PAT, LIST | TELL) \
	X(MCI_CTL2,      0x280, 32, CONST, 0, NO, SAME, 0, 0, FEAT_NONE, 0) \
	X(MTRR_DEF,      0x2ff, 1, SLOT,  0, RW, MTRR, 0, 0, FEAT_MTRR, TELL) \
	X(FIXED_CTR,     0x309, 4, CONST, 0, NO, SAME, 0, 0, FEAT_NONE, 0) \
	X(PERF_CAPS,     0x345, 1, CONST, 0, NO, SAME, 0, 0, \
	  FEAT_NONE, FEATURE) \
	X(PERF_GLOBAL,   0x38d, 4, CONST, 0, NO, SAME, 0, 0, FEAT_NONE, 0) \
	X(MCI,           0x400, 128, BANK, 0, RW, MCI, 0, 0, FEAT_MCA, 0) \
	X(RAPL_UNIT,     0x606, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(RAPL_PKG,      0x611, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(RAPL_DRAM,     0x619, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(RAPL_PP0,      0x639, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(RAPL_PP1,      0x641, 1, CONST, 0, RO, SAME, 0, 0, FEAT_NONE, 0) \
	X(TSC_DEADLINE,  0x6e0, 1, CORE,  0, RW, ANY, 0, 0, \
	  FEAT_TSC_DEADLINE, LIST) \
	X(X2APIC,        0x800, 256, CORE, 0, RW, ANY, 0, 0, FEAT_X2APIC, 0) \
	X(XSS,           0xda0, 1, REG, AT(xss, 0), RW, MASK, 0, 0, \
	  FEAT_XSAVES, 0)

#define MSR_ROWS_HIGH(X) \
	X(KVM_WALL_CLOCK, 0x4b564d00, 1, CORE, 0, RW, ANY, 0, 0, \
	  FEAT_NONE, LIST) \
	X(KVM_SYSTEM_TIME, 0x4b564d01, 1, CORE, 0, RW, ANY, 0, 0, \
	  FEAT_NONE, LIST) \
	X(EFER,          0xc0000080, 1, REG, AT(efer, RG_CR), RW, EFER, 0, 0, \
	  FEAT_NONE, TELL) \
	X(STAR,          0xc0000081, 1, REG, AT(star, RG_SYSCALL), RW, \
	  ANY, 0, 0, FEAT_SYSCALL, LIST) \
	X(LSTAR,         0xc0000082, 1, REG, AT(lstar, RG_SYSCALL), RW, \
	  CANON, 0, 0, FEAT_LM, LIST) \
	X(CSTAR,         0xc0000083, 1, REG, AT(cstar, RG_SYSCALL), RW, \
	  CANON, 0, 0, FEAT_LM, LIST) \
	X(SFMASK,        0xc0000084, 1, REG, AT(sfmask, RG_SYSCALL), RW, \
	  MASK, 0xffffffff, 0, FEAT_LM, LIST) \
	X(FS_BASE,       0xc0000100, 1, REG, AT(seg[SEG_FS].base, RG_SEG), \
	  RW, CANON, 0, 0, FEAT_LM, 0) \
	X(GS_BASE,       0xc0000101, 1, REG, AT(seg[SEG_GS].base, RG_SEG), \
	  RW, CANON, 0, 0, FEAT_LM, 0) \
	X(KERNEL_GS_BASE, 0xc0000102, 1, REG, \
	  AT(kernel_gs_base, RG_SYSCALL), RW, CANON, 0, 0, FEAT_LM, LIST) \
	X(TSC_AUX,       0xc0000103, 1, SLOT, 0, RW, TSC_AUX, 0, 0, \
	  MSR_NEED_TSC_AUX, LIST | TELL) \
	X(K7_EVNTSEL,    0xc0010000, 4, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(K7_PERFCTR,    0xc0010004, 4, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(SYSCFG,        0xc0010010, 1, SLOT, 0, RW, MASK, 0x7c0000, 0, \
	  MSR_NEED_AMD, 0) \
	X(HWCR,          0xc0010015, 1, SLOT, 0, RW, HWCR, 0, 0, \
	  MSR_NEED_AMD, LIST) \
	X(TOP_MEM,       0xc001001a, 1, CONST, 0, RO, SAME, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(CLK_CTL,       0xc001001b, 1, CONST, 0, RW, DROP, 0, 0x20000000, \
	  MSR_NEED_AMD, 0) \
	X(TOP_MEM2,      0xc001001d, 1, CONST, 0, RO, SAME, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(NB_CFG,        0xc001001f, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(PATCH_LOADER,  0xc0010020, 1, CONST, 0, WO, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(INT_PENDING,   0xc0010055, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(MMIO_CFG_BASE, 0xc0010058, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(TSEG_ADDR,     0xc0010112, 1, CONST, 0, RO, SAME, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(TSEG_MASK,     0xc0010113, 1, CONST, 0, RO, SAME, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(VM_CR,         0xc0010114, 1, CONST, 0, RO, SAME, 0, 0x18, \
	  MSR_NEED_AMD, 0) \
	X(IGNNE,         0xc0010115, 1, CONST, 0, WO, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(VM_HSAVE_PA,   0xc0010117, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(VIRT_SPEC_CTRL, 0xc001011f, 1, SLOT, 0, RW, MASK, 4, 0, \
	  FEAT_VIRT_SSBD, LIST | TELL) \
	X(OSVW_LENGTH,   0xc0010140, 1, SLOT, 0, RO, ANY, 0, 0, FEAT_OSVW, 0) \
	X(OSVW_STATUS,   0xc0010141, 1, SLOT, 0, RO, ANY, 0, 0, FEAT_OSVW, 0) \
	X(CORE_PERF,     0xc0010200, 12, CONST, 0, NO, SAME, 0, 0, \
	  FEAT_NONE, 0) \
	X(IC_CFG,        0xc0011021, 1, CONST, 0, RW, DROP, 0, 0x1e, \
	  MSR_NEED_AMD, 0) \
	X(DC_CFG,        0xc0011022, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(BU_CFG,        0xc0011023, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(DE_CFG,        0xc0011029, 1, SLOT, 0, RW, MASK, 2, 0, \
	  MSR_NEED_AMD, FEATURE) \
	X(BU_CFG2,       0xc001102a, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0) \
	X(EX_CFG,        0xc001102c, 1, CONST, 0, RW, DROP, 0, 0, \
	  MSR_NEED_AMD, 0)

#define MSR_ROWS(X) \
	MSR_ROWS_LOW(X) \
	MSR_ROWS_HIGH(X)

#endif
