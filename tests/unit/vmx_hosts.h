/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VT-x hosts for the tests of vmx/: capability MSRs as parts report them, and
 * the least that is accepted. Low half: bits that must be 1; high half: bits
 * that may be. SDM vol. 3, appendix A.
 */
#ifndef VMX_HOSTS_H
#define VMX_HOSTS_H

#include "vmx/caps.h"
#include "vmx/vmcs.h"

#define WORDS(must, may) ((u64)(may) << 32 | (u32)(must))

/* A server part whose primary controls may be @proc, tertiary ones @proc3. */
#define SERVER_PART(proc, proc3) {					\
	.vmx = true,							\
	.feature_control = 5,						\
	.basic = 0x00da040000000004ULL,					\
	.misc = 0x7004c1e7ULL,						\
	.word = {							\
		[WORD_PIN] = WORDS(0x16, 0xff),				\
		[WORD_PROC] = WORDS(0x04006172, proc),			\
		[WORD_PROC2] = WORDS(0, 0x035fffff),			\
		[WORD_PROC3] = WORDS(0, proc3),				\
		[WORD_EXIT] = WORDS(0x00036dfb, 0x01ffffff),		\
		[WORD_ENTRY] = WORDS(0x000011fb, 0x0003ffff),		\
	},								\
	.ept_vpid = 0xf0106734141ULL,					\
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,		\
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x3767ff,			\
}

/* Everything this product can use, as Sapphire Rapids parts have it. */
static const struct vmx_host host_sapphire = SERVER_PART(0xfffbfffe, 0x10);

/* All of it but tertiary controls. */
static const struct vmx_host host_skylake = SERVER_PART(0xfff9fffe, 0);

/* Client parts before Haswell: unrestricted guest, but no PAUSE-loop exiting. */
static const struct vmx_host host_sandy = {
	.vmx = true,
	.feature_control = 5,
	.basic = 0x00da040000000010ULL,
	.misc = 0x100401e5ULL,
	.word = {
		[WORD_PIN] = WORDS(0x16, 0x7f),
		[WORD_PROC] = WORDS(0x04006172, 0xfff9fffe),
		[WORD_PROC2] = WORDS(0, 0xff),
		[WORD_EXIT] = WORDS(0x00036dfb, 0x007fffff),
		[WORD_ENTRY] = WORDS(0x000011fb, 0x0000ffff),
	},
	.ept_vpid = 0xf0106114141ULL,
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x627ff,
};

/* EPT and unrestricted guest and what is required with them: no more. */
static const struct vmx_host host_minimal = {
	.vmx = true,
	.feature_control = 5,
	.basic = 0x00da040000000001ULL,
	.misc = 0x40,
	.word = {
		[WORD_PIN] = WORDS(0x16, 0x3f),
		[WORD_PROC] = WORDS(0x0401e172, 0xf7d9fffe),
		[WORD_PROC2] = WORDS(0, 0x82),
		[WORD_EXIT] = WORDS(0x00036dff, 0x003f7fff),
		[WORD_ENTRY] = WORDS(0x000011ff, 0x0000ffff),
	},
	.ept_vpid = EPT_CAP_4_LEVELS | EPT_CAP_WB | EPT_CAP_INVEPT |
		    EPT_CAP_INVEPT_ALL,
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x27ff,
};

#endif
