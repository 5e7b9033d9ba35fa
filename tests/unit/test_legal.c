// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a guest or its VMM chose is legal for the host's CPU once it is stored,
 * whatever CPUID the VMM gave: MSRs of every row, control, extended control
 * and debug registers. Each is tried with values at the edges and random ones,
 * by the guest and by the VMM, on hosts that have less than the CPUID claims;
 * loadable() then says what the hardware loads without a fault.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/msr.h"

#define EFER_LONG (EFER_SCE_BIT | EFER_LME_BIT | EFER_LMA_BIT | EFER_NXE_BIT)

static const struct cr_host hosts[] = {
	{ .efer = 0, .maxphyaddr = 36, .vaddr_bits = 48 },
	{ .cr4 = 0x1507ff, .efer = EFER_LONG, .xcr0 = 7, .spec_ctrl = 7,
	  .pred_cmd = 1, .maxphyaddr = 39, .vaddr_bits = 48 },
	{ .cr4 = 0x771fff, .efer = EFER_LONG | EFER_FFXSR_BIT,
	  .xcr0 = 0x2e7, .spec_ctrl = 0x5ff, .pred_cmd = 0x81,
	  .maxphyaddr = 52, .vaddr_bits = 57 },
};

struct guest {
	struct msr_file file;
	struct regs regs;
	struct cr_limits limits;
	const struct cr_host *host;
	u64 pred_cmd, flush_cmd;	/* the last that was executed */
};

static u64 seed = 7;

static u64 random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dULL;
}

/* ---- the host's side ---- */

static bool within(u64 val, u64 bits)
{
	return !(val & ~bits);
}

static bool canonical(u64 val, unsigned int bits)
{
	return (u64)((s64)(val << (64 - bits)) >> (64 - bits)) == val;
}

static bool memory_types(u64 pat)
{
	for (; pat; pat >>= 8)
		if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
			return false;
	return true;
}

/* SDM vol. 1, 13.3 */
static bool loadable_xcr0(u64 xcr0, u64 host)
{
	return (xcr0 & 1) && within(xcr0, host | 1) &&
	       (!(xcr0 & 4) || (xcr0 & 2)) &&
	       (!(xcr0 & 0xe0) || (xcr0 & 0xe4) == 0xe4) &&
	       ((xcr0 & 0x18) == 0 || (xcr0 & 0x18) == 0x18) &&
	       !(xcr0 >> 17 & 3);
}

/* What WRMSR takes, by entry.S, by VMLOAD, or by software. */
static const char *loadable_msrs(const struct guest *g)
{
	const struct regs *regs = &g->regs;
	const u64 addresses[] = {
		regs->lstar, regs->cstar, regs->kernel_gs_base,
		regs->seg[SEG_FS].base, regs->seg[SEG_GS].base,
		regs->sysenter_esp, regs->sysenter_eip,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		if (!canonical(addresses[i], g->host->vaddr_bits))
			return "an address";
	if (!within(g->file.val[SLOT_SPEC_CTRL], g->host->spec_ctrl))
		return "SPEC_CTRL";
	if (!within(g->file.val[SLOT_VIRT_SPEC_CTRL], 4))
		return "VIRT_SPEC_CTRL";
	if (!within(g->pred_cmd, g->host->pred_cmd))
		return "PRED_CMD";
	if (!within(g->flush_cmd, 1))
		return "FLUSH_CMD";
	if (g->file.val[SLOT_TSC_AUX] >> 32)
		return "TSC_AUX";
	if (regs->sfmask >> 32 || regs->sysenter_cs >> 32)
		return "SFMASK or SYSENTER_CS";
	if (regs->xss)
		return "XSS";
	return memory_types(regs->pat) ? NULL : "PAT";
}

/* What an entry takes: SDM vol. 3, 27.3.1.1; APM vol. 2, 15.5.1. */
static const char *loadable_crs(const struct guest *g)
{
	const struct regs *regs = &g->regs;
	bool lme = regs->efer & EFER_LME_BIT, lma = regs->efer & EFER_LMA_BIT;
	bool pg = regs->cr0 & CR0_PG;
	u64 cr4 = cr4_loadable(regs);

	if (regs->cr0 >> 32 || (pg && !(regs->cr0 & CR0_PE)) ||
	    ((regs->cr0 & CR0_NW) && !(regs->cr0 & CR0_CD)))
		return "CR0";
	if (!within(regs->efer, g->host->efer) || lma != (lme && pg))
		return "EFER";
	if (!within(cr4, g->host->cr4) || (lma && !(cr4 & CR4_PAE)) ||
	    (!lma && (cr4 & CR4_PCIDE)))
		return "CR4";
	if (lma && regs->cr3 >> g->host->maxphyaddr)
		return "CR3";
	if (!loadable_xcr0(regs->xcr0, g->host->xcr0))
		return "XCR0";
	return regs->dr6 >> 32 || regs->dr7 >> 32 ? "DR6 or DR7" : NULL;
}

static void loadable(const struct guest *g, const char *what, u64 val)
{
	const char *bad = loadable_msrs(g) ? : loadable_crs(g);

	if (bad)
		fail_msg("%s %#llx: %s is not for this CPU", what,
			 (unsigned long long)val, bad);
}

/* ---- the guest's ---- */

static enum msr_rc no_get(struct msr_file *file, u32 index, bool host,
			  u64 *val)
{
	*val = 0;
	return MSR_OK;
}

static enum msr_rc note_set(struct msr_file *file, u32 index, bool host,
			    u64 val)
{
	struct guest *g = container_of(file, struct guest, file);

	if (index == M_PRED_CMD)
		g->pred_cmd = val;
	if (index == M_FLUSH_CMD)
		g->flush_cmd = val;
	return MSR_OK;
}

static const struct msr_ops guest_ops = {
	.core_get = no_get,
	.core_set = note_set,
};

static void guest_init(struct guest *g, const struct cr_host *host)
{
	*g = (struct guest){
		.file = { .ops = &guest_ops, .regs = &g->regs,
			  .limits = &g->limits },
		.host = host,
	};
	regs_reset(&g->regs, false, 0);
	g->regs.xcr0 = XCR0_X87;
	msr_reset(&g->file, NULL);
	cr_limits_init(&g->limits, NULL, host);
}

#define SETS 7

/* A CPUID as a VMM may give it: none, nothing, everything, anything. */
static void guest_cpuid(struct guest *g, struct cpuid_set *set, unsigned int nth)
{
	unsigned int i;

	*set = (struct cpuid_set){
		.n = 1, .vendor = nth & 1 ? CPUID_AMD : CPUID_INTEL,
		.maxphyaddr = nth % 3 ? 52 : 36, .xcr0 = ~0ULL,
	};
	if (nth == 2 || nth == 3)
		bitmap_fill(set->bits.has, FEAT_COUNT);
	for (i = 0; nth > 3 && i < FEAT_COUNT; i++)
		if (random_next() >> 63)
			__set_bit(i, set->bits.has);
	g->file.cpuid = nth ? set : NULL;
	cr_limits_init(&g->limits, g->file.cpuid, g->host);
}

/* ---- values ---- */

#define VALUES 1024

static unsigned int values(u64 *val)
{
	unsigned int n = 0, i, k;

	for (i = 0; i < 64; i++) {
		val[n++] = BIT_ULL(i);
		val[n++] = ~BIT_ULL(i);
		val[n++] = ~0ULL << i;
		val[n++] = BIT_ULL(i) - 1;
	}
	/* memory types, byte by byte */
	for (i = 0; i < 8; i++)
		for (k = 0; k < 10; k++)
			val[n++] = 0x0606060606060606ULL ^
				   (u64)(k ^ 6) << (8 * i);
	val[n++] = 0x0007040600070406ULL;
	val[n++] = 0x0000800000000000ULL;
	val[n++] = 0x00ff800000000000ULL;
	val[n++] = ~0ULL;
	for (i = 0; i < 32; i++) {
		val[n++] = random_next();
		val[n++] = (s32)random_next();
		val[n++] = (s64)random_next() >> (random_next() % 64);
	}
	val[n++] = 0;
	assert_true(n <= VALUES);
	return n;
}

/* ---- tests ---- */

static const struct { const char *name; u32 first, count; } rows[] = {
#define ROW(name, first, count, ...) { #name, first, count },
	MSR_ROWS(ROW)
};

static void try_row(struct guest *g, unsigned int row, const u64 *val,
		    unsigned int n)
{
	u32 step = rows[row].count > 8 ? rows[row].count - 1 : 1, at;
	enum msr_rc rc;
	unsigned int i;

	for (at = 0; at < rows[row].count; at += step)
		for (i = 0; i < n; i++) {
			u32 index = rows[row].first + at;

			msr_set(&g->file, index, i & 1, val[i]);
			loadable(g, rows[row].name, val[i]);
			msr_set(&g->file, index, !(i & 1), val[i]);
			rc = msr_set_plain(&g->file, index, val[i]);
			assert_int_not_equal(rc, MSR_BAD);
			loadable(g, rows[row].name, val[i]);
		}
}

static void test_msrs(void **state)
{
	unsigned int host, nth, row, n;
	static u64 val[VALUES];
	struct cpuid_set set;
	struct guest g;

	(void)state;
	n = values(val);
	for (host = 0; host < ARRAY_SIZE(hosts); host++) {
		guest_init(&g, &hosts[host]);
		/* What one CPUID allowed is still there under the next. */
		for (nth = 0; nth < SETS; nth++) {
			guest_cpuid(&g, &set, nth);
			for (row = 0; row < ARRAY_SIZE(rows); row++)
				try_row(&g, row, val, n);
		}
	}
}

/* Set bits that are often legal, so that states change. */
static u64 near(u64 legal)
{
	switch (random_next() % 8) {
	case 0:
		return random_next();
	case 1:
		return BIT_ULL(random_next() % 64);
	case 2:
		return legal ^ BIT_ULL(random_next() % 64);
	case 3:
		return legal;
	default:
		return random_next() & legal;
	}
}

static void try_sregs(struct guest *g)
{
	struct regs *regs = &g->regs;
	struct regs to = *regs;
	bool lma;

	to.cr0 = near(CR0_PG | CR0_PE | CR0_CD | CR0_NW | CR0_WP);
	to.cr3 = near(BIT_ULL(40) - 1);
	to.cr4 = near(~g->limits.cr4_reserved) | (random_next() & CR4_PAE);
	to.efer = near(~g->limits.efer_reserved) & ~EFER_LMA_BIT;
	lma = (to.efer & EFER_LME_BIT) && (to.cr0 & CR0_PG);
	if (lma == !!(random_next() % 16))
		to.efer |= EFER_LMA_BIT;
	to.seg[SEG_CS].l = random_next() >> 63;
	if (sregs_valid(&to, &g->limits))
		*regs = to;
}

static void try_instruction(struct guest *g)
{
	struct regs *regs = &g->regs;
	u64 val;

	switch (random_next() % 8) {
	case 0:
		val = near(CR0_PG | CR0_PE | CR0_CD | CR0_NW | CR0_WP);
		if (cr0_check(regs, val))
			cr0_commit(regs, val);
		break;
	case 1:
		val = near(BIT_ULL(52) - 1);
		if (!(regs->efer & EFER_LMA_BIT))
			val = (u32)val;
		if (cr3_check(regs, &g->limits, val))
			cr3_commit(regs, val);
		break;
	case 2:
		val = near(~g->limits.cr4_reserved);
		if (cr4_check(regs, &g->limits, val))
			cr4_commit(regs, val);
		break;
	case 3:
		val = near(~g->limits.efer_reserved);
		msr_set(&g->file, M_EFER, random_next() >> 63, val);
		break;
	case 4:
		val = near(g->limits.xcr0) | (random_next() >> 63);
		if (xsetbv_check(&g->limits, 0, val))
			regs->xcr0 = val;
		break;
	case 5:
		regs->dr6 = dr6_fix(&g->limits, near(0xffffffff));
		regs->dr7 = dr7_fix(near(0xffffffff));
		break;
	case 6:
		regs->dr6 = dr6_after_db(regs->dr6, random_next());
		break;
	case 7:
		regs->seg[SEG_CS].l = (regs->efer & EFER_LMA_BIT) &&
				      random_next() >> 63;
		break;
	}
}

static void test_registers(void **state)
{
	unsigned int host, i, long_mode = 0;
	struct cpuid_set set;
	struct guest g;

	(void)state;
	for (host = 0; host < ARRAY_SIZE(hosts); host++) {
		guest_init(&g, &hosts[host]);
		for (i = 0; i < 300000; i++) {
			if (i % 64 == 0)
				guest_cpuid(&g, &set, random_next() % SETS);
			if (i % 16)
				try_instruction(&g);
			else
				try_sregs(&g);
			loadable(&g, "step", i);
			long_mode += !!(g.regs.efer & EFER_LMA_BIT);
		}
	}
	/* It got around. */
	assert_in_range(long_mode, 50000, 550000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_msrs),
		cmocka_unit_test(test_registers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
