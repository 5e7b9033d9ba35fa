/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the host's VT-x can do, and whether that is enough.
 *
 * One table of all controls this product ever sets, with the manual's names:
 * the rows below. Pure: the caller reads CPUID and the capability MSRs into a
 * struct vmx_host, on each CPU; the answer is a value, equal on CPUs that are
 * equal.
 *
 * SDM vol. 3, 24.6 to 24.8, 25.6 to 25.8, appendix A.
 */
#ifndef VMX_CAPS_H
#define VMX_CAPS_H

#include "base/host.h"

/* The words of controls. */
enum vmx_word {
	WORD_PIN,
	WORD_PROC,
	WORD_PROC2,
	WORD_PROC3,
	WORD_EXIT,
	WORD_ENTRY,
	WORD_COUNT,
};

/*
 * X(name, word, bit, need, "the manual's name")
 *
 * need: REQUIRED, or no guest can run; WANTED, used where it can be set.
 * SDM vol. 3, tables 25-5 to 25-8, 25-14, 25-16
 */
#define VMX_CONTROLS(X) \
	X(EXTERNAL_EXIT, PIN, 0, REQUIRED, "external-interrupt exiting") \
	X(NMI_EXIT, PIN, 3, REQUIRED, "NMI exiting") \
	X(VIRTUAL_NMIS, PIN, 5, REQUIRED, "virtual NMIs") \
	X(TIMER, PIN, 6, WANTED, "activate VMX-preemption timer") \
	X(POSTED, PIN, 7, WANTED, "process posted interrupts") \
	X(IRQ_WINDOW, PROC, 2, REQUIRED, "interrupt-window exiting") \
	X(TSC_OFFSETTING, PROC, 3, REQUIRED, "use TSC offsetting") \
	X(HLT_EXIT, PROC, 7, REQUIRED, "HLT exiting") \
	X(INVLPG_EXIT, PROC, 9, REQUIRED, "INVLPG exiting") \
	X(MWAIT_EXIT, PROC, 10, REQUIRED, "MWAIT exiting") \
	X(RDPMC_EXIT, PROC, 11, REQUIRED, "RDPMC exiting") \
	X(RDTSC_EXIT, PROC, 12, REQUIRED, "RDTSC exiting") \
	X(PROC3, PROC, 17, WANTED, "activate tertiary controls") \
	X(CR8_LOAD_EXIT, PROC, 19, REQUIRED, "CR8-load exiting") \
	X(CR8_STORE_EXIT, PROC, 20, REQUIRED, "CR8-store exiting") \
	X(TPR_SHADOW, PROC, 21, WANTED, "use TPR shadow") \
	X(NMI_WINDOW, PROC, 22, REQUIRED, "NMI-window exiting") \
	X(DR_EXIT, PROC, 23, REQUIRED, "MOV-DR exiting") \
	X(IO_EXIT, PROC, 24, REQUIRED, "unconditional I/O exiting") \
	X(MSR_BITMAPS, PROC, 28, REQUIRED, "use MSR bitmaps") \
	X(MONITOR_EXIT, PROC, 29, REQUIRED, "MONITOR exiting") \
	X(PROC2, PROC, 31, REQUIRED, "activate secondary controls") \
	X(APIC_ACCESSES, PROC2, 0, WANTED, "virtualize APIC accesses") \
	X(EPT, PROC2, 1, REQUIRED, "enable EPT") \
	X(RDTSCP, PROC2, 3, WANTED, "enable RDTSCP") \
	X(X2APIC, PROC2, 4, WANTED, "virtualize x2APIC mode") \
	X(VPID, PROC2, 5, WANTED, "enable VPID") \
	X(WBINVD_EXIT, PROC2, 6, WANTED, "WBINVD exiting") \
	X(UNRESTRICTED, PROC2, 7, REQUIRED, "unrestricted guest") \
	X(APIC_REGISTERS, PROC2, 8, WANTED, "APIC-register virtualization") \
	X(VIRTUAL_INTR, PROC2, 9, WANTED, "virtual-interrupt delivery") \
	X(PAUSE_LOOP, PROC2, 10, WANTED, "PAUSE-loop exiting") \
	X(INVPCID, PROC2, 12, WANTED, "enable INVPCID") \
	X(ENCLS_EXIT, PROC2, 15, WANTED, "enable ENCLS exiting") \
	X(PML, PROC2, 17, WANTED, "enable PML") \
	X(TSC_SCALING, PROC2, 25, WANTED, "use TSC scaling") \
	X(IPIV, PROC3, 4, WANTED, "IPI virtualization") \
	X(HOST_64BIT, EXIT, 9, REQUIRED, "host address-space size") \
	X(ACK_IRQ, EXIT, 15, WANTED, "acknowledge interrupt on exit") \
	X(EXIT_LOAD_PAT, EXIT, 19, REQUIRED, "load IA32_PAT on exit") \
	X(EXIT_LOAD_EFER, EXIT, 21, REQUIRED, "load IA32_EFER on exit") \
	X(LOAD_DEBUG, ENTRY, 2, REQUIRED, "load debug controls") \
	X(GUEST_64BIT, ENTRY, 9, REQUIRED, "IA-32e mode guest") \
	X(ENTRY_LOAD_PAT, ENTRY, 14, REQUIRED, "load IA32_PAT on entry") \
	X(ENTRY_LOAD_EFER, ENTRY, 15, REQUIRED, "load IA32_EFER on entry")

enum vmx_control {
#define X(name, word, bit, need, text) CTL_##name,
	VMX_CONTROLS(X)
#undef X
	CTL_COUNT,
};

#define VMX_NEED_REQUIRED true
#define VMX_NEED_WANTED false

/* Where a control is: here, so that a control's name costs no look-up. */
static const struct {
	u8 word, bit;
	bool required;
} vmx_control_places[CTL_COUNT] = {
#define X(name, w, b, need, text)					\
	[CTL_##name] = { .word = WORD_##w, .bit = b,			\
			 .required = VMX_NEED_##need },
	VMX_CONTROLS(X)
#undef X
};

/* What else its row says. */
struct vmx_control_row {
	const char *name, *refusal;
};
extern const struct vmx_control_row vmx_control_rows[CTL_COUNT];

/** vmx_bit() - a control's bit in its word */
static inline u32 vmx_bit(enum vmx_control control)
{
	return 1U << vmx_control_places[control].bit;
}

/*
 * Read on one CPU. A capability MSR of controls has the bits that must be 1
 * in its low half and those that may be 1 in its high half; the VMX ones are
 * 0 when CPUID has no VMX, the optional ones when the CPU has not got them.
 */
struct vmx_host {
	bool vmx;		/* CPUID.1:ECX[5] */
	bool cr4_vmxe;		/* CR4.VMXE is on: somebody uses VMX */
	u64 feature_control;
	u64 basic, misc;
	u64 word[WORD_COUNT];	/* the "true" MSRs where there are such */
	u64 ept_vpid;
	u64 cr0_fixed0, cr0_fixed1;
	u64 cr4_fixed0, cr4_fixed1;
};

struct vmx_caps {
	u32 revision;			/* first word of each VMCS */
	u32 must[WORD_COUNT];		/* reserved bits that have to be 1 */
	u32 may[WORD_COUNT];
	u64 cr0_ones, cr0_may;		/* unrestricted guest considered */
	u64 cr4_ones, cr4_may;
	u8 timer_shift;			/* TSC bits per preemption-timer tick */
	bool hlt_state;
	bool ept_5_levels;
	bool ept_ad;
	bool ept_2m, ept_1g;
	bool invept_single;		/* else: all contexts */
	bool invvpid_address, invvpid_single;
};

/** vmx_caps() - the features of @host; all zero if there is no VMX */
struct vmx_caps vmx_caps(const struct vmx_host *host);

/** vmx_can() - may this control be 1 */
static inline bool vmx_can(const struct vmx_caps *caps,
			   enum vmx_control control)
{
	return caps->may[vmx_control_places[control].word] & vmx_bit(control);
}

/** vmx_caps_drop() - do without @control, and with it what rests on it */
void vmx_caps_drop(struct vmx_caps *caps, enum vmx_control control);

/**
 * vmx_refusal() - why @host cannot be used, or NULL if it can
 *
 * One clause for a message to the administrator. A CR4.VMXE that is on
 * already means that somebody else owns VMX.
 */
const char *vmx_refusal(const struct vmx_host *host);

/** vmx_caps_cover() - can a vCPU set up for @want run on a CPU with @have */
bool vmx_caps_cover(const struct vmx_caps *have, const struct vmx_caps *want);

#endif
