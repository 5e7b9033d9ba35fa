// SPDX-License-Identifier: GPL-2.0-only
/*
 * Register values after power-on and INIT: SDM vol. 3, 10.1.1, table 10-1;
 * APM vol. 2, table 14-1.
 *
 * Owns nothing. Called for a new vCPU, and when one takes an INIT.
 */
#include "x86/cr.h"
#include "x86/regs.h"
#include "x86/segment.h"

static const struct segment reset_data = {
	.limit = 0xffff,
	.type = SEGTYPE_WRITE | SEGTYPE_ACCESSED,
	.s = 1,
	.present = 1,
};

static const struct segment reset_code = {
	.base = 0xffff0000,
	.selector = 0xf000,
	.limit = 0xffff,
	.type = SEGTYPE_CODE | SEGTYPE_WRITE | SEGTYPE_ACCESSED,
	.s = 1,
	.present = 1,
};

static const struct segment reset_ldt = {
	.limit = 0xffff,
	.type = SEGTYPE_LDT,
	.present = 1,
};

static const struct segment reset_tss = {
	.limit = 0xffff,
	.type = SEGTYPE_TSS_BUSY,
	.present = 1,
};

static void regs_reset_segments(struct regs *regs)
{
	int i;

	for (i = SEG_ES; i <= SEG_GS; i++)
		regs->seg[i] = reset_data;
	regs->seg[SEG_CS] = reset_code;
	regs->seg[SEG_LDTR] = reset_ldt;
	regs->seg[SEG_TR] = reset_tss;
	regs->gdt = (struct dtable){ .limit = 0xffff };
	regs->idt = (struct dtable){ .limit = 0xffff };
}

/* What only power-on resets. */
static void regs_power_on(struct regs *regs)
{
	*regs = (struct regs){
		.cr0 = CR0_CD | CR0_NW,
		.xcr0 = XCR0_X87,
		.pat = PAT_RESET,
	};
}

void regs_reset(struct regs *regs, bool init, u32 signature)
{
	if (!init)
		regs_power_on(regs);

	memset(regs->gpr, 0, sizeof(regs->gpr));
	regs->gpr[R_RDX] = signature;
	regs->rip = 0xfff0;
	regs->rflags = RFLAGS_FIXED;

	regs->cr0 = (regs->cr0 & (CR0_CD | CR0_NW)) | CR0_ET;
	regs->cr2 = 0;
	regs->cr3 = 0;
	regs->cr4 = 0;
	regs->efer = 0;
	regs_reset_segments(regs);

	memset(regs->dr, 0, sizeof(regs->dr));
	regs->dr6 = DR6_INIT;
	regs->dr7 = DR7_INIT;
	regs_touch(regs, RG_ALL);
}
