// SPDX-License-Identifier: GPL-2.0-only
/* Control registers: legality, LMA, effects, and states for KVM_SET_SREGS. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/cr.h"

static const struct cr_host host_all = {
	.cr4 = ~(CR4_VMXE | CR4_SMXE | CR4_CET | CR4_PKS) & 0x1ffffff,
	.efer = EFER_SCE_BIT | EFER_LME_BIT | EFER_LMA_BIT | EFER_NXE_BIT |
		EFER_FFXSR_BIT,
	.xcr0 = 0x2e7,
	.maxphyaddr = 46,
	.vaddr_bits = 57,
};

/* A guest with everything the host has. */
static struct cr_limits limits_all(void)
{
	struct cr_limits limits;

	cr_limits_init(&limits, NULL, &host_all);
	limits.gpa_reserved = ~0ULL << 40;
	limits.cr3_reserved = limits.gpa_reserved;
	limits.xcr0 = 0x2e7;
	return limits;
}

static struct regs regs_long(void)
{
	struct regs regs;

	regs_reset(&regs, false, 0);
	regs.cr0 = CR0_PE | CR0_PG | CR0_ET | CR0_NE | CR0_WP;
	regs.cr4 = CR4_PAE;
	regs.efer = EFER_LME_BIT | EFER_LMA_BIT;
	regs.seg[SEG_CS].l = 1;
	regs.dirty = 0;
	return regs;
}

static struct regs regs_prot(void)
{
	struct regs regs;

	regs_reset(&regs, false, 0);
	regs.cr0 = CR0_PE | CR0_ET;
	regs.seg[SEG_CS].db = 1;
	regs.dirty = 0;
	return regs;
}

static void test_cr0(void **state)
{
	struct regs regs = regs_prot();

	(void)state;
	assert_false(cr0_check(&regs, BIT_ULL(32) | CR0_PE));
	assert_false(cr0_check(&regs, CR0_PG));
	assert_false(cr0_check(&regs, CR0_PE | CR0_NW));
	assert_true(cr0_check(&regs, CR0_PE | CR0_NW | CR0_CD));
	assert_true(cr0_check(&regs, CR0_PE | CR0_PG));

	regs.efer = EFER_LME_BIT;
	assert_false(cr0_check(&regs, CR0_PE | CR0_PG));
	regs.cr4 = CR4_PAE;
	assert_true(cr0_check(&regs, CR0_PE | CR0_PG));
	regs.seg[SEG_CS].l = 1;
	assert_false(cr0_check(&regs, CR0_PE | CR0_PG));

	regs = regs_long();
	assert_false(cr0_check(&regs, CR0_PE));
	assert_true(cr0_check(&regs, CR0_PE | CR0_PG));
	regs.seg[SEG_CS].l = 0;
	assert_true(cr0_check(&regs, CR0_PE));
	regs.cr4 |= CR4_PCIDE;
	assert_false(cr0_check(&regs, CR0_PE));
}

static void test_cr0_commit(void **state)
{
	struct regs regs = regs_prot();
	u32 effects;

	(void)state;
	regs.cr4 = CR4_PAE;
	regs.efer = EFER_LME_BIT;
	effects = cr0_commit(&regs, CR0_PE | CR0_PG | BIT(7));
	assert_int_equal(regs.cr0, CR0_PE | CR0_PG | CR0_ET);
	assert_true(regs.efer & EFER_LMA_BIT);
	assert_int_equal(regs.dirty, RG_CR);
	assert_int_equal(effects, CR_FLUSH | CR_MODE);

	assert_int_equal(cr0_commit(&regs, CR0_PE | CR0_PG | CR0_TS), 0);
	assert_int_equal(cr0_commit(&regs, CR0_PE | CR0_PG | CR0_CD), CR_CACHE);
	effects = cr0_commit(&regs, CR0_PE);
	assert_false(regs.efer & EFER_LMA_BIT);
	assert_true(regs.efer & EFER_LME_BIT);
	assert_int_equal(effects, CR_FLUSH | CR_MODE | CR_CACHE);

	regs.efer = 0;
	effects = cr0_commit(&regs, CR0_PE | CR0_PG);
	assert_true(effects & CR_PDPTRS);
	assert_false(regs.efer & EFER_LMA_BIT);
}

static void test_cr3(void **state)
{
	struct cr_limits limits = limits_all();
	struct regs regs = regs_long();

	(void)state;
	assert_true(cr3_check(&regs, &limits, 0xffffffffffULL));
	assert_false(cr3_check(&regs, &limits, BIT_ULL(40)));
	assert_false(cr3_check(&regs, &limits, CR3_NO_FLUSH));
	assert_int_equal(cr3_commit(&regs, 0x1000), CR_FLUSH_PCID);
	regs.cr4 |= CR4_PCIDE;
	assert_true(cr3_check(&regs, &limits, CR3_NO_FLUSH | 0x2001));
	assert_int_equal(cr3_commit(&regs, CR3_NO_FLUSH | 0x2001), 0);
	assert_int_equal(regs.cr3, 0x2001);
	assert_false(cr3_check(&regs, &limits, BIT_ULL(62)));

	regs = regs_prot();
	regs.cr0 |= CR0_PG;
	regs.cr4 = CR4_PAE;
	assert_int_equal(cr3_commit(&regs, 0x20), CR_FLUSH_PCID | CR_PDPTRS);
}

static void test_cr4(void **state)
{
	struct cr_limits limits = limits_all();
	struct regs regs = regs_prot();
	unsigned int bit;

	(void)state;
	for (bit = 32; bit < 64; bit++)
		assert_false(cr4_check(&regs, &limits, BIT_ULL(bit)));
	assert_false(cr4_check(&regs, &limits, CR4_VMXE));
	assert_false(cr4_check(&regs, &limits, CR4_PCIDE));
	assert_true(cr4_check(&regs, &limits, CR4_LA57));

	regs = regs_long();
	assert_false(cr4_check(&regs, &limits, 0));
	assert_false(cr4_check(&regs, &limits, CR4_PAE | CR4_LA57));
	regs.cr3 = 0x1fff;
	assert_false(cr4_check(&regs, &limits, CR4_PAE | CR4_PCIDE));
	regs.cr3 = 0x1000;
	assert_true(cr4_check(&regs, &limits, CR4_PAE | CR4_PCIDE));
	assert_int_equal(cr4_commit(&regs, CR4_PAE | CR4_PCIDE), CR_FLUSH);
	regs.cr3 = 0x1fff;
	assert_true(cr4_check(&regs, &limits, CR4_PAE | CR4_PCIDE | CR4_PGE));
	assert_int_equal(cr4_commit(&regs, CR4_PAE | CR4_OSXSAVE),
			 CR_FLUSH | CR_CPUID);
	assert_int_equal(cr4_commit(&regs, CR4_PAE | CR4_OSXSAVE | CR4_TSD), 0);

	limits.cr4_reserved |= CR4_SMEP;
	assert_false(cr4_check(&regs, &limits, CR4_PAE | CR4_SMEP));
}

static void test_efer(void **state)
{
	struct cr_limits limits = limits_all();
	struct regs regs = regs_prot();

	(void)state;
	assert_true(efer_check(&regs, &limits, EFER_LME_BIT | EFER_NXE_BIT,
			       false));
	assert_false(efer_check(&regs, &limits, EFER_SVME_BIT, false));
	assert_false(efer_check(&regs, &limits, BIT_ULL(1), true));
	assert_int_equal(efer_commit(&regs, EFER_LME_BIT | EFER_LMA_BIT), 0);
	assert_int_equal(regs.efer, EFER_LME_BIT);

	regs = regs_long();
	assert_false(efer_check(&regs, &limits, 0, false));
	assert_true(efer_check(&regs, &limits, 0, true));
	assert_true(efer_check(&regs, &limits, EFER_LME_BIT | EFER_SCE_BIT,
			       false));
	assert_int_equal(efer_commit(&regs, EFER_LME_BIT | EFER_NXE_BIT),
			 CR_FLUSH | CR_MODE);
	assert_true(regs.efer & EFER_LMA_BIT);
	assert_int_equal(efer_commit(&regs, regs.efer | EFER_SCE_BIT), 0);

	regs = regs_prot();
	regs.cr0 |= CR0_PG;
	assert_false(efer_check(&regs, &limits, EFER_LME_BIT, true));
}

static void test_xcr0(void **state)
{
	struct cr_limits limits = limits_all();
	u64 all = 0x602ff;

	(void)state;
	assert_true(xcr0_legal(1, all));
	assert_false(xcr0_legal(0, all));
	assert_false(xcr0_legal(2, all));
	assert_false(xcr0_legal(5, all));
	assert_true(xcr0_legal(7, all));
	assert_false(xcr0_legal(0x67, all));
	assert_true(xcr0_legal(0xe7, all));
	assert_false(xcr0_legal(0xe3, all));
	assert_false(xcr0_legal(0x0f, all));
	assert_true(xcr0_legal(0x1f, all));
	assert_true(xcr0_legal(0x207, all));
	assert_false(xcr0_legal(0x20007, all));
	assert_true(xcr0_legal(0x60007, all));
	assert_false(xcr0_legal(0x60007, 7));
	assert_false(xcr0_legal(7 | BIT_ULL(63), all));

	assert_true(xsetbv_check(&limits, 0, 0x2e7));
	assert_false(xsetbv_check(&limits, 1, 0x2e7));
	assert_false(xsetbv_check(&limits, 0, 0x1f));

	/* no XSAVE, or no CPUID yet */
	limits.xcr0 = 0;
	assert_true(xsetbv_check(&limits, 0, 1));
	assert_false(xsetbv_check(&limits, 0, 0));
	assert_false(xsetbv_check(&limits, 0, 3));
}

static void test_debug(void **state)
{
	struct cr_limits limits = limits_all();

	(void)state;
	assert_true(dr67_check(0xffffffff));
	assert_false(dr67_check(BIT_ULL(32)));
	assert_int_equal(dr6_fix(&limits, 0), 0xffff0ff0);
	assert_int_equal(dr6_fix(&limits, 0xffffffff), 0xffffefff);
	assert_int_equal(dr6_after_db(0xffff0ff0, 0x4000), 0xffff4ff0);
	/* The hits are those of this #DB alone, the rest adds up. */
	assert_int_equal(dr6_after_db(0xffff4ff2, 0x2001), 0xffff6ff1);
	/* Bus lock and RTM, which DR6 has inverted; for this #DB alone, too */
	assert_int_equal(dr6_after_db(0xffff0ff0, 0x10800), 0xfffe07f0);
	assert_int_equal(dr6_after_db(0xfffe07f0, 0x8000), 0xffff8ff0);
	/* What DR6 has not, whoever asks for it */
	assert_int_equal(dr6_after_db(0xffff0ff0, ~0x1e80full), 0xffff0ff0);
	assert_int_equal(dr6_payload(0xffff4ff0), 0x4000);
	assert_int_equal(dr6_payload(0xfffe0ff1), 0x10001);
	assert_int_equal(dr7_fix(0), 0x400);
	assert_int_equal(dr7_fix(0xffffffff), 0xffff27ff);
	assert_true(cr8_check(15));
	assert_false(cr8_check(16));
}

static void test_pdpte(void **state)
{
	struct cr_limits limits = { .cr3_reserved = ~0ULL << 40 };
	u64 pdpte[4] = { 0x1001, 0, 0xffffffffffffff00ULL, 0x19 };

	(void)state;
	assert_true(pdpte_check(pdpte, &limits));
	pdpte[3] = 0x21;
	assert_false(pdpte_check(pdpte, &limits));
	pdpte[3] = 0x3;
	assert_false(pdpte_check(pdpte, &limits));
	pdpte[3] = BIT_ULL(40) | 1;
	assert_false(pdpte_check(pdpte, &limits));
	limits.cr3_reserved = ~0ULL << 41;
	assert_true(pdpte_check(pdpte, &limits));
}

static void test_sregs(void **state)
{
	struct cr_limits limits = limits_all();
	struct regs regs = regs_long();
	struct regs good = regs;

	(void)state;
	assert_true(sregs_valid(&regs, &limits));
	regs.cr4 |= CR4_PCIDE | CR4_OSXSAVE | CR4_FSGSBASE | CR4_LA57;
	assert_true(sregs_valid(&regs, &limits));

	regs = good;
	regs.efer &= ~EFER_LMA_BIT;
	assert_false(sregs_valid(&regs, &limits));
	regs = good;
	regs.efer &= ~EFER_LME_BIT;
	assert_false(sregs_valid(&regs, &limits));
	regs = good;
	regs.cr4 = 0;
	assert_false(sregs_valid(&regs, &limits));
	regs = good;
	regs.cr3 = BIT_ULL(45);
	assert_false(sregs_valid(&regs, &limits));
	regs = good;
	regs.cr0 &= ~CR0_PE;
	assert_false(sregs_valid(&regs, &limits));
	regs = good;
	regs.cr0 &= ~CR0_PG;
	assert_false(sregs_valid(&regs, &limits));
	regs = good;
	regs.seg[SEG_CS].db = 1;
	assert_false(sregs_valid(&regs, &limits));

	regs = regs_prot();
	assert_true(sregs_valid(&regs, &limits));
	regs.efer = EFER_LME_BIT;
	assert_true(sregs_valid(&regs, &limits));
	regs.efer = EFER_LMA_BIT;
	assert_false(sregs_valid(&regs, &limits));
	regs.efer = EFER_SVME_BIT;
	assert_false(sregs_valid(&regs, &limits));
	regs = regs_prot();
	regs.cr3 = BIT_ULL(45);
	assert_true(sregs_valid(&regs, &limits));
	regs.cr3 = BIT_ULL(46);
	assert_false(sregs_valid(&regs, &limits));
	regs = regs_prot();
	regs.cr0 |= CR0_NW;
	assert_false(sregs_valid(&regs, &limits));
	regs = regs_prot();
	regs.cr4 = CR4_VMXE;
	assert_false(sregs_valid(&regs, &limits));

	/* CR0 cleared and every CR4 bit: a state that VMMs do set */
	regs_reset(&regs, false, 0);
	regs.cr0 = 0;
	regs.cr4 = ~limits.cr4_reserved;
	assert_true(sregs_valid(&regs, &limits));
	assert_int_equal(cr4_loadable(&regs), regs.cr4 & ~CR4_PCIDE);
	assert_false(cr0_check(&regs, CR0_PE | CR0_PG));
	regs.efer = EFER_LME_BIT;
	assert_true(cr0_check(&regs, CR0_PE | CR0_PG));
	cr0_commit(&regs, CR0_PE | CR0_PG);
	assert_int_equal(cr4_loadable(&regs), regs.cr4);
}

static void test_limits(void **state)
{
	struct cpuid_set set = { .n = 1, .maxphyaddr = 36, .xcr0 = 0x207 };
	struct cr_limits limits;

	(void)state;
	__set_bit(FEAT_LM, set.bits.has);
	__set_bit(FEAT_SMEP, set.bits.has);
	__set_bit(FEAT_FXSR_OPT, set.bits.has);
	cr_limits_init(&limits, &set, &host_all);
	assert_int_equal(limits.cr4_reserved & CR4_SMEP, 0);
	assert_int_not_equal(limits.cr4_reserved & CR4_SMAP, 0);
	assert_int_equal(limits.cr4_reserved & (CR4_PAE | CR4_PGE), 0);
	assert_int_equal(limits.efer_reserved & EFER_LME_BIT, 0);
	assert_int_equal(limits.efer_reserved & EFER_FFXSR_BIT, 0);
	assert_int_not_equal(limits.efer_reserved & EFER_NXE_BIT, 0);
	assert_int_equal(limits.gpa_reserved, ~0ULL << 36);
	assert_int_equal(limits.xcr0, 0x207);
	assert_int_equal(limits.vaddr_bits, 48);
	assert_int_equal(limits.spec_ctrl, 0);

	/* a guest that is told of more than the CPU has */
	__set_bit(FEAT_LA57, set.bits.has);
	__set_bit(FEAT_SPEC_CTRL, set.bits.has);
	set.maxphyaddr = 52;
	cr_limits_init(&limits, &set, &(struct cr_host){ .spec_ctrl = 2,
							 .maxphyaddr = 39,
							 .vaddr_bits = 48 });
	assert_int_equal(limits.vaddr_bits, 48);
	assert_int_equal(limits.spec_ctrl, 2);
	assert_int_equal(limits.pred_cmd, 0);
	assert_int_equal(limits.cr3_reserved, ~0ULL << 39);
	assert_int_equal(limits.gpa_reserved, ~0ULL << 52);
	set.maxphyaddr = 36;

	/* what the host lacks stays reserved whatever the guest was told */
	cr_limits_init(&limits, &set, &(struct cr_host){ .cr4 = CR4_PAE });
	assert_int_equal(limits.cr4_reserved, ~CR4_PAE);
	assert_int_equal(limits.efer_reserved, ~0ULL);

	/* before CPUID is set, and of whatever host: nothing unheard of */
	cr_limits_init(&limits, NULL, &(struct cr_host){ .cr4 = ~0ULL,
							 .efer = ~0ULL });
	assert_int_equal(~limits.cr4_reserved & (CR4_VMXE | CR4_SMXE | CR4_CET |
						 CR4_PKS | ~0xffffffffULL), 0);
	assert_int_equal(~limits.efer_reserved & EFER_SVME_BIT, 0);
	assert_int_equal(limits.cr4_reserved & (CR4_OSXSAVE | CR4_PAE), 0);
	assert_int_equal(limits.xcr0, 0);
}

/* SDM vol. 3, 6.15, #AC: CR0.AM, EFLAGS.AC and ring 3 together */
static void test_alignment(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		struct regs regs = regs_long();

		regs.cr0 |= i & 1 ? CR0_AM : 0;
		regs.rflags |= i & 2 ? RFLAGS_AC : 0;
		regs.seg[SEG_SS].dpl = i & 4 ? 3 : 0;
		assert_int_equal(regs_checks_alignment(&regs), i == 7);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cr0),
		cmocka_unit_test(test_cr0_commit),
		cmocka_unit_test(test_cr3),
		cmocka_unit_test(test_cr4),
		cmocka_unit_test(test_efer),
		cmocka_unit_test(test_xcr0),
		cmocka_unit_test(test_debug),
		cmocka_unit_test(test_pdpte),
		cmocka_unit_test(test_sregs),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
