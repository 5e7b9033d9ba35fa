// SPDX-License-Identifier: GPL-2.0-only
/*
 * Legality and effects of control-register writes, as cr.h tells.
 *
 * Owns nothing: pure functions of struct regs and struct cr_limits. Callers
 * are the exit handlers, the emulator's glue and the ioctl edge, with the
 * register groups they need available.
 *
 * Under nested paging the hardware does most of what a write entails. What is
 * left as enum cr_effect is what it does not do when the write was
 * intercepted: SDM vol. 3, 4.10.4.1 lists the invalidations, 4.4.1 the loads
 * of the PDPTEs.
 */
#include "x86/cr.h"

#define CR0_DEFINED                                                     \
	(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | \
	 CR0_AM | CR0_NW | CR0_CD | CR0_PG)

/* Bits older than the CPUID bits that stand for them are not gated. */
#define CR4_BASE                                                        \
	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE |     \
	 CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT)

/* Which feature brings which bit. */
struct cr_gate {
	u16 feature;		/* enum cpuid_feature */
	u64 bit;		/* or bits */
};

static const struct cr_gate cr4_gates[] = {
	{ .feature = FEAT_UMIP, .bit = CR4_UMIP },
	{ .feature = FEAT_LA57, .bit = CR4_LA57 },
	{ .feature = FEAT_FSGSBASE, .bit = CR4_FSGSBASE },
	{ .feature = FEAT_PCID, .bit = CR4_PCIDE },
	{ .feature = FEAT_XSAVE, .bit = CR4_OSXSAVE },
	{ .feature = FEAT_SMEP, .bit = CR4_SMEP },
	{ .feature = FEAT_SMAP, .bit = CR4_SMAP },
	{ .feature = FEAT_PKU, .bit = CR4_PKE },
};

static const struct cr_gate efer_gates[] = {
	{ .feature = FEAT_SYSCALL, .bit = EFER_SCE_BIT },
	{ .feature = FEAT_LM, .bit = EFER_LME_BIT | EFER_LMA_BIT },
	{ .feature = FEAT_NX, .bit = EFER_NXE_BIT },
	{ .feature = FEAT_FXSR_OPT, .bit = EFER_FFXSR_BIT },
	{ .feature = FEAT_AUTOIBRS, .bit = EFER_AUTOIBRS_BIT },
};

/* IA32_SPEC_CTRL, IA32_PRED_CMD: SDM vol. 4, table 2-2; APM vol. 2, 3.2.9 */
#define SPEC_IBRS BIT_ULL(0)
#define SPEC_STIBP BIT_ULL(1)
#define SPEC_SSBD BIT_ULL(2)
#define SPEC_IPRED (BIT_ULL(3) | BIT_ULL(4))
#define SPEC_RRSBA (BIT_ULL(5) | BIT_ULL(6))
#define SPEC_PSFD BIT_ULL(7)
#define SPEC_DDPD BIT_ULL(8)
#define SPEC_BHI BIT_ULL(10)

static const struct cr_gate spec_ctrl_gates[] = {
	{ .feature = FEAT_SPEC_CTRL, .bit = SPEC_IBRS | SPEC_STIBP },
	{ .feature = FEAT_AMD_IBRS, .bit = SPEC_IBRS },
	{ .feature = FEAT_INTEL_STIBP, .bit = SPEC_STIBP },
	{ .feature = FEAT_AMD_STIBP, .bit = SPEC_STIBP },
	{ .feature = FEAT_SPEC_CTRL_SSBD, .bit = SPEC_SSBD },
	{ .feature = FEAT_AMD_SSBD, .bit = SPEC_SSBD },
	{ .feature = FEAT_IPRED_CTRL, .bit = SPEC_IPRED },
	{ .feature = FEAT_RRSBA_CTRL, .bit = SPEC_RRSBA },
	{ .feature = FEAT_INTEL_PSFD, .bit = SPEC_PSFD },
	{ .feature = FEAT_AMD_PSFD, .bit = SPEC_PSFD },
	{ .feature = FEAT_DDPD_U, .bit = SPEC_DDPD },
	{ .feature = FEAT_BHI_CTRL, .bit = SPEC_BHI },
};

#define CMD_IBPB BIT_ULL(0)
#define CMD_SBPB BIT_ULL(7)

static const struct cr_gate pred_cmd_gates[] = {
	{ .feature = FEAT_SPEC_CTRL, .bit = CMD_IBPB },
	{ .feature = FEAT_AMD_IBPB, .bit = CMD_IBPB },
	{ .feature = FEAT_SBPB, .bit = CMD_SBPB },
};

/* All bits of @gates, whoever has the feature. */
static u64 cr_known(const struct cr_gate *gates, unsigned int n)
{
	u64 bits = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		bits |= gates[i].bit;
	return bits;
}

static u64 cr_gated(const struct cpuid_set *set, const struct cr_gate *gates,
		    unsigned int n)
{
	u64 bits = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		if (cpuid_has(set, gates[i].feature))
			bits |= gates[i].bit;
	return bits;
}

u64 cr4_allowed(const struct cpuid_set *set)
{
	return CR4_BASE | cr_gated(set, cr4_gates, ARRAY_SIZE(cr4_gates));
}

u64 efer_allowed(const struct cpuid_set *set)
{
	return cr_gated(set, efer_gates, ARRAY_SIZE(efer_gates));
}

u64 spec_ctrl_allowed(const struct cpuid_set *set)
{
	return cr_gated(set, spec_ctrl_gates, ARRAY_SIZE(spec_ctrl_gates));
}

u8 pred_cmd_allowed(const struct cpuid_set *set)
{
	return cr_gated(set, pred_cmd_gates, ARRAY_SIZE(pred_cmd_gates));
}

static u64 bits_from(unsigned int bit)
{
	return bit < 64 ? ~0ULL << bit : 0;
}

static u8 vaddr_bits(const struct cpuid_set *set)
{
	return cpuid_has(set, FEAT_LA57) ? 57 : 48;
}

void cr_host_init(struct cr_host *host, const struct cpuid_set *supported,
		  u64 xcr0)
{
	*host = (struct cr_host){
		.cr4 = cr4_allowed(supported),
		.efer = efer_allowed(supported),
		.xcr0 = xcr0,
		.spec_ctrl = spec_ctrl_allowed(supported),
		.pred_cmd = pred_cmd_allowed(supported),
		.maxphyaddr = supported->maxphyaddr,
		.vaddr_bits = vaddr_bits(supported),
		.gbpages = cpuid_has(supported, FEAT_GBPAGES),
	};
}

void cr_limits_init(struct cr_limits *limits, const struct cpuid_set *guest,
		    const struct cr_host *host)
{
	u64 cr4 = CR4_BASE | cr_known(cr4_gates, ARRAY_SIZE(cr4_gates));
	u64 efer = cr_known(efer_gates, ARRAY_SIZE(efer_gates));

	*limits = (struct cr_limits){
		.host = host,
		.cr4_reserved = ~(host->cr4 & cr4),
		.efer_reserved = ~(host->efer & efer),
		.gpa_reserved = bits_from(52),
		.spec_ctrl = host->spec_ctrl,
		.dr6_ones = DR6_INIT,
		.vaddr_bits = host->vaddr_bits,
		.pred_cmd = host->pred_cmd,
	};
	if (guest) {
		limits->cr4_reserved |= ~cr4_allowed(guest);
		limits->efer_reserved |= ~efer_allowed(guest);
		limits->gpa_reserved = bits_from(guest->maxphyaddr);
		limits->xcr0 = host->xcr0 & guest->xcr0;
		limits->spec_ctrl &= spec_ctrl_allowed(guest);
		limits->pred_cmd &= pred_cmd_allowed(guest);
		limits->vaddr_bits = min(host->vaddr_bits, vaddr_bits(guest));
	}
	limits->cr3_reserved = limits->gpa_reserved |
			       bits_from(host->maxphyaddr);
}

/* LMA follows from LME and PG. */
static void cr_update_lma(struct regs *regs)
{
	if ((regs->efer & EFER_LME_BIT) && (regs->cr0 & CR0_PG))
		regs->efer |= EFER_LMA_BIT;
	else
		regs->efer &= ~EFER_LMA_BIT;
}

bool cr0_check(const struct regs *regs, u64 val)
{
	bool paging = val & CR0_PG;

	if (val >> 32)
		return false;
	if (paging && !(val & CR0_PE))
		return false;
	if ((val & CR0_NW) && !(val & CR0_CD))
		return false;
	if (paging == !!(regs->cr0 & CR0_PG))
		return true;
	if (paging && !(regs->efer & EFER_LME_BIT))
		return !(regs->cr4 & CR4_PCIDE);
	if (paging)
		return (regs->cr4 & CR4_PAE) && !regs->seg[SEG_CS].l;
	return !(regs->cr4 & CR4_PCIDE) && regs_mode(regs) != MODE_LONG;
}

u32 cr0_commit(struct regs *regs, u64 val)
{
	u64 old = regs->cr0, changed;
	u32 effects = 0;

	regs->cr0 = (val & CR0_DEFINED) | CR0_ET;
	cr_update_lma(regs);
	regs_touch(regs, RG_CR);

	changed = old ^ regs->cr0;
	if (changed & (CR0_PG | CR0_WP))
		effects |= CR_FLUSH;
	if (changed & (CR0_PG | CR0_PE))
		effects |= CR_MODE;
	if (changed & (CR0_CD | CR0_NW))
		effects |= CR_CACHE;
	if (regs_pae(regs) && (changed & (CR0_PG | CR0_CD | CR0_NW)))
		effects |= CR_PDPTRS;
	return effects;
}

bool cr3_check(const struct regs *regs, const struct cr_limits *limits,
	       u64 val)
{
	if (!(regs->efer & EFER_LMA_BIT))
		return true;
	if (regs->cr4 & CR4_PCIDE)
		val &= ~CR3_NO_FLUSH;
	return !(val & limits->cr3_reserved);
}

u32 cr3_commit(struct regs *regs, u64 val)
{
	u32 effects = CR_FLUSH_PCID;

	if ((regs->cr4 & CR4_PCIDE) && (val & CR3_NO_FLUSH))
		effects = 0;
	regs->cr3 = val & ~CR3_NO_FLUSH;
	regs_touch(regs, RG_CR);
	if (regs_pae(regs))
		effects |= CR_PDPTRS;
	return effects;
}

bool cr4_check(const struct regs *regs, const struct cr_limits *limits,
	       u64 val)
{
	u64 set = val & ~regs->cr4;
	u64 changed = val ^ regs->cr4;

	if (val & limits->cr4_reserved)
		return false;
	if (regs->efer & EFER_LMA_BIT)
		return (val & CR4_PAE) && !(changed & CR4_LA57) &&
		       (!(set & CR4_PCIDE) || !(regs->cr3 & 0xfff));
	return !(set & CR4_PCIDE);
}

u32 cr4_commit(struct regs *regs, u64 val)
{
	u64 changed = regs->cr4 ^ val;
	u32 effects = 0;

	regs->cr4 = val;
	regs_touch(regs, RG_CR);

	if (changed & (CR4_PGE | CR4_PAE | CR4_PSE | CR4_LA57 | CR4_PCIDE |
		       CR4_SMEP | CR4_SMAP | CR4_PKE))
		effects |= CR_FLUSH;
	if (changed & (CR4_PAE | CR4_PSE | CR4_LA57))
		effects |= CR_MODE;
	if (changed & (CR4_OSXSAVE | CR4_PKE))
		effects |= CR_CPUID;
	if (regs_pae(regs) &&
	    (changed & (CR4_PAE | CR4_PGE | CR4_PSE | CR4_SMEP)))
		effects |= CR_PDPTRS;
	return effects;
}

bool efer_check(const struct regs *regs, const struct cr_limits *limits,
		u64 val, bool host)
{
	bool lme_changes = (val ^ regs->efer) & EFER_LME_BIT;

	/* LMA is the processor's: a write of it is ignored */
	if (val & ~EFER_LMA_BIT & limits->efer_reserved)
		return false;
	if (!(regs->cr0 & CR0_PG) || !lme_changes)
		return true;
	return host && (!(val & EFER_LME_BIT) || (regs->cr4 & CR4_PAE));
}

u32 efer_commit(struct regs *regs, u64 val)
{
	u64 old = regs->efer, changed;
	u32 effects = 0;

	regs->efer = val;
	cr_update_lma(regs);
	regs_touch(regs, RG_CR);

	changed = old ^ regs->efer;
	if (changed & (EFER_NXE_BIT | EFER_LMA_BIT))
		effects |= CR_FLUSH | CR_MODE;
	return effects;
}

/* All of @group or none of it. */
static bool xcr0_whole(u64 val, u64 group)
{
	return !(val & group) || (val & group) == group;
}

bool xcr0_legal(u64 val, u64 supported)
{
	if (!(val & XCR0_X87) || (val & ~supported))
		return false;
	if ((val & XCR0_YMM) && !(val & XCR0_SSE))
		return false;
	if ((val & XCR0_ZMM) && !(val & XCR0_YMM))
		return false;
	return xcr0_whole(val, XCR0_MPX) && xcr0_whole(val, XCR0_ZMM) &&
	       xcr0_whole(val, XCR0_TILE);
}

bool xsetbv_check(const struct cr_limits *limits, u32 index, u64 val)
{
	return index == 0 && xcr0_legal(val, limits->xcr0 | XCR0_X87);
}

u64 dr6_fix(const struct cr_limits *limits, u64 val)
{
	/* B0-B3, BD, BS, BT; bits that read as 1 are written as 1 */
	return (val & 0xe00f) | limits->dr6_ones;
}

u64 dr7_fix(u64 val)
{
	/* SDM vol. 3, figure 18-1: bits 11, 12, 14, 15 read as 0, bit 10 as 1 */
	return (val & 0xffff23ff) | DR7_INIT;
}

bool pdpte_check(const u64 pdpte[4], const struct cr_limits *limits)
{
	u64 reserved = limits->cr3_reserved | GENMASK_ULL(8, 5) |
		       GENMASK_ULL(2, 1);
	int i;

	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && (pdpte[i] & reserved))
			return false;
	return true;
}

bool sregs_valid(const struct regs *regs, const struct cr_limits *limits)
{
	const struct segment *cs = &regs->seg[SEG_CS];
	bool paging = regs->cr0 & CR0_PG;

	if ((regs->cr0 >> 32) || (paging && !(regs->cr0 & CR0_PE)) ||
	    ((regs->cr0 & CR0_NW) && !(regs->cr0 & CR0_CD)))
		return false;
	if ((regs->cr4 & limits->cr4_reserved) ||
	    (regs->efer & limits->efer_reserved) ||
	    (regs->cr3 & bits_from(limits->host->maxphyaddr)))
		return false;
	if (paging && (regs->efer & EFER_LME_BIT))
		return (regs->cr4 & CR4_PAE) && (regs->efer & EFER_LMA_BIT) &&
		       !(regs->cr3 & limits->cr3_reserved) &&
		       !(cs->l && cs->db);
	/* without paging CR4.PCIDE is let through: see cr4_loadable() */
	return !(regs->efer & EFER_LMA_BIT) && !cs->l &&
	       !(paging && (regs->cr4 & CR4_PCIDE));
}
