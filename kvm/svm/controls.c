// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intercepts: see controls.h. APM vol. 2, 15.7 to 15.13.
 *
 * What is always intercepted keeps the host in control or concerns what the
 * guest's registers do not hold (CR0 and CR4 with their legality, MSRs). What
 * an AMD guest of ours does not have (SVM itself, SMM's RSM, RDPRU, INVLPGB)
 * is intercepted to raise #UD. FERR_FREEZE is not: the processor then waits
 * for an interrupt, and the host's interrupts end that wait.
 *
 * #DB is always intercepted. A data breakpoint on what the delivery of #DB
 * writes makes the next #DB: without the intercept that goes on within the CPU,
 * which takes no interrupt and no NMI meanwhile. So is #AC, whose delivery can
 * itself be misaligned. MOV DR, too, is always
 * intercepted: DR0 to DR3 are the host's unless the guest has breakpoints, and
 * the hardware never needs the guest's DR6.
 */
#include "svm/controls.h"
#include "svm/vmcb.h"
#include "x86/regs.h"

/* Rounds of PAUSE in a row, and the cycles that still count as in a row. */
#define PAUSE_COUNT 3000
#define PAUSE_THRESHOLD 128

static const u32 always_3 = ICPT_INTR | ICPT_NMI | ICPT_SMI | ICPT_INIT |
			    ICPT_RDPMC | ICPT_CPUID | ICPT_RSM | ICPT_INVD |
			    ICPT_INVLPGA | ICPT_IOIO | ICPT_MSR |
			    ICPT_TASK_SWITCH | ICPT_SHUTDOWN;

static const u32 always_4 = ICPT_VMRUN | ICPT_VMMCALL | ICPT_VMLOAD |
			    ICPT_VMSAVE | ICPT_STGI | ICPT_CLGI |
			    ICPT_SKINIT | ICPT_WBINVD | ICPT_XSETBV |
			    ICPT_RDPRU;

static const u32 always_5 = ICPT_INVLPGB | ICPT_MCOMMIT | ICPT_TLBSYNC;

/* @bits if @cond */
static u32 when(bool cond, u32 bits)
{
	return cond ? bits : 0;
}

struct svm_controls svm_controls(const struct policy *policy, u32 needs,
				 const struct svm_caps *caps)
{
	bool pause = policy->pause_exits && caps->pause_filter;

	return (struct svm_controls){
		.cr = ICPT_REG_WRITE(0) | ICPT_REG_WRITE(4) |
		      when(needs & NEED_CR0_READ, ICPT_REG_READ(0)) |
		      when(needs & NEED_CR4_READ, ICPT_REG_READ(4)) |
		      when(needs & NEED_CR8_WRITE, ICPT_REG_WRITE(8)),
		.dr = ICPT_REG_ALL,
		.exceptions = policy->exceptions | BIT(VEC_MC) | BIT(VEC_DB) |
			      BIT(VEC_AC),
		.word3 = always_3 |
			 when(policy->hlt_exits, ICPT_HLT) |
			 when(policy->invlpg_exits, ICPT_INVLPG) |
			 when(policy->tsc_exits, ICPT_RDTSC) |
			 when(pause, ICPT_PAUSE) |
			 when(needs & NEED_VINTR, ICPT_VINTR) |
			 when(needs & NEED_IRET, ICPT_IRET),
		.word4 = always_4 |
			 when(policy->tsc_exits, ICPT_RDTSCP) |
			 when(policy->mwait_exits, ICPT_MONITOR | ICPT_MWAIT),
		.word5 = always_5,
		.pause_count = pause ? PAUSE_COUNT : 0,
		.pause_threshold = pause && caps->pause_threshold ?
				   PAUSE_THRESHOLD : 0,
	};
}

#define MSRPM_RANGE 0x2000u

int msrpm_offset(u32 index)
{
	static const u32 first[] = { 0, 0xc0000000, 0xc0010000 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(first); i++)
		if (index - first[i] < MSRPM_RANGE)
			return 2 * (i * MSRPM_RANGE + index - first[i]);
	return -1;
}

void msrpm_allow(unsigned long *map, u32 index, u32 what)
{
	int bit = msrpm_offset(index);
	u32 keep = ~what & (MSRPM_READ | MSRPM_WRITE);

	if (bit < 0)
		return;
	/* The two bits of one MSR never straddle a word. */
	map[bit / BITS_PER_LONG] &= ~(3UL << (bit % BITS_PER_LONG));
	map[bit / BITS_PER_LONG] |= (unsigned long)keep << (bit % BITS_PER_LONG);
}
