// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs: the rows as a table, the rules for guests and for the VMM, each check,
 * and the contract of the index list: what is listed reads and writes back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/msr.h"

/* ---- the table ---- */

#define LIST MSR_LIST
#define FEATURE MSR_FEATURE
#define TELL MSR_TELL

static const struct {
	const char *name, *kind, *guest, *check;
	u32 first, count;
	u64 mask, reset;
	u32 need, flags;
} rows[] = {
#define ROW(name, first, count, kind, where, guest, check, mask, reset, need, \
	    flags)                                                          \
	{ #name, #kind, #guest, #check, first, count, mask, reset, need, flags },
	MSR_ROWS(ROW)
};

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static void test_rows_ascend(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_true(rows[i].count >= 1);
		assert_true((u64)rows[i].first + rows[i].count <= U32_MAX);
		if (i && rows[i].first < rows[i - 1].first + rows[i - 1].count)
			fail_msg("%s is out of order", rows[i].name);
	}
}

static void test_rows_make_sense(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		bool constant = is(rows[i].kind, "CONST");
		bool forgets = is(rows[i].check, "DROP");
		bool same = is(rows[i].check, "SAME");

		/* constants take no value, and only they forget one */
		if (constant && !forgets && !same)
			fail_msg("%s takes a value", rows[i].name);
		if (!constant)
			assert_false(forgets);
		assert_true(constant || rows[i].count == 1 ||
			    !is(rows[i].kind, "REG"));
		if (is(rows[i].check, "MASK"))
			assert_int_equal(rows[i].reset & ~rows[i].mask, 0);
		else
			assert_int_equal(rows[i].mask, 0);
		if (is(rows[i].guest, "WO") || is(rows[i].guest, "NO"))
			assert_int_equal(rows[i].flags & MSR_LIST, 0);
	}
}

static void test_slots_tile(void **state)
{
	unsigned int i, next = 0;

	static const struct { int slot, end; } slots[] = {
#define SLOTS(name, ...) { SLOT_##name, SLOT_END_##name },
		MSR_ROWS(SLOTS)
	};

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned int count = is(rows[i].kind, "SLOT") ?
					     rows[i].count : 0;

		assert_int_equal(slots[i].slot, next);
		next += count;
		assert_int_equal(slots[i].end, (int)next - 1);
	}
	assert_int_equal(next, MSR_SLOT_COUNT);
}

/* ---- a vCPU ---- */

struct owner {
	struct msr_file file;
	struct regs regs;
	struct cr_limits limits;
	u64 core;		/* last value written */
	u32 core_index;
	unsigned int reads, told;
	u32 told_index, effects, groups;
};

static struct owner *owner_of(struct msr_file *file)
{
	return container_of(file, struct owner, file);
}

static void own_regs(struct msr_file *file, u32 groups)
{
	owner_of(file)->groups |= groups;
}

static enum msr_rc own_get(struct msr_file *file, u32 index, bool host,
			   u64 *val)
{
	(void)host;
	owner_of(file)->reads++;
	owner_of(file)->core_index = index;
	*val = owner_of(file)->core;
	return MSR_OK;
}

static enum msr_rc own_set(struct msr_file *file, u32 index, bool host, u64 val)
{
	(void)host;
	owner_of(file)->core_index = index;
	owner_of(file)->core = val;
	return MSR_OK;
}

static void own_changed(struct msr_file *file, u32 index, u32 effects)
{
	owner_of(file)->told++;
	owner_of(file)->told_index = index;
	owner_of(file)->effects = effects;
}

static const struct msr_ops own_ops = {
	.regs_need = own_regs,
	.core_get = own_get,
	.core_set = own_set,
	.changed = own_changed,
};

static struct cpuid_set set_all(enum cpuid_vendor vendor)
{
	struct cpuid_set set = { .n = 1, .vendor = vendor, .maxphyaddr = 40 };

	bitmap_fill(set.bits.has, FEAT_COUNT);
	__clear_bit(FEAT_LA57, set.bits.has);
	return set;
}

static const struct cr_host host_all = {
	.efer = EFER_SCE_BIT | EFER_LME_BIT | EFER_LMA_BIT | EFER_NXE_BIT,
	.spec_ctrl = 0x5ff,
	.pred_cmd = 0x81,
	.maxphyaddr = 52,
	.vaddr_bits = 57,
};

static void own_on(struct owner *o, const struct cpuid_set *set,
		   const struct cr_host *host)
{
	memset(o, 0, sizeof(*o));
	o->file.ops = &own_ops;
	o->file.regs = &o->regs;
	o->file.limits = &o->limits;
	o->file.cpuid = set;
	cr_limits_init(&o->limits, set, host);
	regs_reset(&o->regs, false, 0);
	msr_reset(&o->file, NULL);
	o->regs.dirty = 0;
}

static void own(struct owner *o, const struct cpuid_set *set)
{
	own_on(o, set, &host_all);
}

static enum msr_rc get(struct owner *o, u32 index, u64 *val)
{
	return msr_get(&o->file, index, false, val);
}

static enum msr_rc set(struct owner *o, u32 index, u64 val)
{
	return msr_set(&o->file, index, false, val);
}

static enum msr_rc host_set(struct owner *o, u32 index, u64 val)
{
	return msr_set(&o->file, index, true, val);
}

static u64 read_ok(struct owner *o, u32 index)
{
	u64 val = 1;

	assert_int_equal(msr_get(&o->file, index, true, &val), MSR_OK);
	return val;
}

/* ---- rules ---- */

static void test_unknown(void **state)
{
	static const u32 holes[] = { 2, 0x480, 0x2f, 0x251, 0x270, 0x7ff,
				     0x900, 0x4b564d02, 0xc0000085,
				     0xc0010008, 0xc0011020, 0xc001102b,
				     0xffffffff };
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;
	unsigned int i;
	u64 val = 5;

	(void)state;
	own(&o, &all);
	for (i = 0; i < ARRAY_SIZE(holes); i++) {
		assert_int_equal(get(&o, holes[i], &val), MSR_UNKNOWN);
		assert_int_equal(val, 0);
		assert_int_equal(set(&o, holes[i], 0), MSR_UNKNOWN);
		assert_int_equal(host_set(&o, holes[i], 0), MSR_UNKNOWN);
	}
}

static void test_every_index_finds_its_row(void **state)
{
	struct cpuid_set all = set_all(CPUID_AMD);
	struct owner o;
	unsigned int i, n;
	u64 val;

	(void)state;
	own(&o, &all);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (n = 0; n < rows[i].count; n++) {
			assert_int_equal(msr_get(&o.file, rows[i].first + n,
						 true, &val), MSR_OK);
			if (is(rows[i].kind, "SLOT") ||
			    is(rows[i].kind, "BANK") ||
			    is(rows[i].kind, "CONST"))
				assert_int_equal(val, rows[i].reset);
		}
}

static void test_needs(void **state)
{
	struct cpuid_set intel = set_all(CPUID_INTEL);
	struct cpuid_set amd = set_all(CPUID_AMD);
	struct cpuid_set none = { .n = 1, .vendor = CPUID_INTEL };
	struct owner o;
	unsigned int i;
	u64 val;

	(void)state;
	own(&o, &none);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		enum msr_rc rc = get(&o, rows[i].first, &val);
		bool free = rows[i].need == FEAT_NONE ||
			    rows[i].need == MSR_NEED_INTEL;

		if (!free || is(rows[i].guest, "NO"))
			assert_int_equal(rc, MSR_UNKNOWN);
		else
			assert_int_not_equal(rc, MSR_UNKNOWN);
	}
	own(&o, &intel);
	assert_int_equal(get(&o, M_HWCR, &val), MSR_UNKNOWN);
	assert_int_equal(get(&o, M_FEATURE_CONTROL, &val), MSR_OK);
	assert_int_equal(val, 1);
	assert_int_equal(set(&o, M_FEATURE_CONTROL, 1), MSR_BAD);
	assert_int_equal(host_set(&o, M_FEATURE_CONTROL, 5), MSR_OK);
	own(&o, &amd);
	assert_int_equal(get(&o, M_HWCR, &val), MSR_OK);
	assert_int_equal(get(&o, M_FEATURE_CONTROL, &val), MSR_UNKNOWN);
	/* no CPUID at all counts as Intel */
	own(&o, NULL);
	assert_int_equal(get(&o, M_HWCR, &val), MSR_UNKNOWN);
	assert_int_equal(get(&o, M_LSTAR, &val), MSR_UNKNOWN);
	assert_int_equal(host_set(&o, M_LSTAR, 5), MSR_OK);
}

static void test_direction(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;
	u64 val = 7;

	(void)state;
	own(&o, &all);
	assert_int_equal(get(&o, M_PRED_CMD, &val), MSR_BAD);
	assert_int_equal(val, 0);
	assert_int_equal(read_ok(&o, M_PRED_CMD), 0);
	assert_int_equal(o.reads, 0);
	assert_int_equal(set(&o, M_MTRR_CAP, 0x508), MSR_BAD);
	assert_int_equal(host_set(&o, M_MTRR_CAP, 0x508), MSR_OK);
	assert_int_equal(host_set(&o, M_MTRR_CAP, 0x50a), MSR_BAD);
	assert_int_equal(set(&o, M_PERFCTR, 0), MSR_UNKNOWN);
	assert_int_equal(host_set(&o, M_PERFCTR + 3, 0), MSR_OK);
	assert_int_equal(host_set(&o, M_PERFCTR + 3, 1), MSR_BAD);
	assert_int_equal(set(&o, M_BBL_CR_CTL3, 0x1234), MSR_OK);
	assert_int_equal(read_ok(&o, M_BBL_CR_CTL3), 0xbe702111);
}

static void test_kinds(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;
	u64 val;

	(void)state;
	own(&o, &all);
	assert_int_equal(set(&o, 0x83f, 0x30), MSR_OK);
	assert_int_equal(o.core_index, 0x83f);
	assert_int_equal(o.core, 0x30);
	assert_int_equal(get(&o, M_TSC_DEADLINE, &val), MSR_OK);
	assert_int_equal(o.core_index, 0x6e0);
	assert_int_equal(set(&o, M_PRED_CMD, 1), MSR_OK);
	assert_int_equal(o.core_index, 0x49);

	assert_int_equal(set(&o, M_STAR, 0x23001000000000ULL), MSR_OK);
	assert_int_equal(o.regs.star, 0x23001000000000ULL);
	assert_int_equal(o.regs.dirty, RG_SYSCALL);
	assert_int_equal(o.groups, RG_SYSCALL);
	assert_int_equal(o.told, 0);
	assert_int_equal(set(&o, M_GS_BASE, 0xffff888000000000ULL), MSR_OK);
	assert_int_equal(o.regs.seg[SEG_GS].base, 0xffff888000000000ULL);
	assert_int_equal(o.regs.dirty, RG_SYSCALL | RG_SEG);
	assert_int_equal(get(&o, M_GS_BASE, &val), MSR_OK);
	assert_int_equal(val, 0xffff888000000000ULL);

	/* without callbacks nothing is known, and nothing breaks */
	o.file.ops = &(const struct msr_ops){ .regs_need = NULL };
	assert_int_equal(get(&o, M_TSC, &val), MSR_UNKNOWN);
	assert_int_equal(set(&o, M_TSC, 0), MSR_UNKNOWN);
	assert_int_equal(set(&o, M_PRED_CMD, 0), MSR_UNKNOWN);
	assert_int_equal(get(&o, M_STAR, &val), MSR_OK);
	assert_int_equal(set(&o, M_PAT, 0x0606060606060606ULL), MSR_OK);
}

/* ---- checks ---- */

static void test_plain_checks(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;

	(void)state;
	own(&o, &all);
	assert_int_equal(set(&o, M_SYSENTER_CS, BIT_ULL(32) | 0x10), MSR_OK);
	assert_int_equal(read_ok(&o, M_SYSENTER_CS), 0x10);
	assert_int_equal(set(&o, M_SYSENTER_EIP, BIT_ULL(47)), MSR_BAD);
	assert_int_equal(host_set(&o, M_SYSENTER_EIP, BIT_ULL(47)), MSR_OK);
	assert_int_equal(read_ok(&o, M_SYSENTER_EIP), ~0ULL << 47);
	assert_int_equal(set(&o, M_LSTAR, BIT_ULL(47)), MSR_BAD);
	assert_int_equal(set(&o, M_LSTAR, ~0ULL << 47), MSR_OK);
	assert_int_equal(host_set(&o, M_LSTAR, BIT_ULL(60)), MSR_BAD);
	assert_int_equal(o.regs.lstar, ~0ULL << 47);
	__set_bit(FEAT_LA57, all.bits.has);
	own(&o, &all);
	assert_int_equal(set(&o, M_LSTAR, BIT_ULL(47)), MSR_OK);
	assert_int_equal(set(&o, M_LSTAR, BIT_ULL(56)), MSR_BAD);
	assert_int_equal(set(&o, M_TSC_AUX, BIT_ULL(32)), MSR_BAD);
	assert_int_equal(set(&o, M_TSC_AUX, 0xffffffff), MSR_OK);
	assert_int_equal(o.told_index, M_TSC_AUX);
	assert_int_equal(host_set(&o, M_XSS, 1), MSR_BAD);
	assert_int_equal(host_set(&o, M_XSS, 0), MSR_OK);
	assert_int_equal(set(&o, M_DEBUGCTL, 3), MSR_OK);
	assert_int_equal(read_ok(&o, M_DEBUGCTL), 0);
	assert_int_equal(set(&o, M_DEBUGCTL, 4), MSR_BAD);
	assert_int_equal(set(&o, M_DEBUGCTL, 0), MSR_OK);

	all = set_all(CPUID_AMD);
	own(&o, &all);
	assert_int_equal(set(&o, M_TSC_AUX, BIT_ULL(32) | 5), MSR_OK);
	assert_int_equal(read_ok(&o, M_TSC_AUX), 5);
	assert_int_equal(set(&o, M_DEBUGCTL, 0x3f), MSR_OK);
	assert_int_equal(read_ok(&o, M_DEBUGCTL), 0);
	assert_int_equal(set(&o, M_DEBUGCTL, 0x40), MSR_BAD);
}

/* What kernels ask for unasked, and what they get of in-tree KVM. */
static void test_what_guests_touch(void **state)
{
	static const struct { u32 index; u64 val; } reads[] = {
		{ 0, 0 }, { 1, 0 }, { 0x17, 0 }, { 0x2a, 0 },
		{ 0x2c, 0x1000000 }, { 0x34, 0 }, { 0xc1, 0 }, { 0xc2, 0 },
		{ 0xcd, 3 }, { 0x11e, 0xbe702111 }, { 0x186, 0 },
		{ 0x187, 0 }, { 0x198, 0x400000003e8 }, { 0x199, 0 },
		{ 0x1d9, 0 }, { 0x1db, 0 }, { 0x606, 0 }, { 0x611, 0 },
		{ 0x619, 0 }, { 0x639, 0 }, { 0x641, 0 },
	};
	static const struct { u32 index; u64 val; } amd_reads[] = {
		{ 0xc0010000, 0 }, { 0xc0010007, 0 },
		{ 0xc001001b, 0x20000000 }, { 0xc001001f, 0 },
		{ 0xc0010113, 0 }, { 0xc0010114, 0x18 },
		{ 0xc0010117, 0 }, { 0xc0011021, 0x1e }, { 0xc001102c, 0 },
	};
	static const u32 writes[] = {
		0x79, 0xc1, 0xc2, 0x11e, 0x186, 0x187, 0x1a0,
	};
	static const u32 amd_writes[] = {
		0xc0010000, 0xc0010003, 0xc0010004, 0xc0010007, 0xc001001b,
		0xc001001f, 0xc0010020, 0xc0010115, 0xc0010117, 0xc0011022,
		0xc0011023, 0xc001102a, 0xc001102c,
	};
	struct cpuid_set sets[] = { set_all(CPUID_INTEL), set_all(CPUID_AMD) };
	unsigned int i, k;
	struct owner o;
	u64 val;

	(void)state;
	for (k = 0; k < 2; k++) {
		own(&o, &sets[k]);
		for (i = 0; i < ARRAY_SIZE(reads); i++) {
			assert_int_equal(get(&o, reads[i].index, &val), MSR_OK);
			assert_int_equal(val, reads[i].val);
		}
		for (i = 0; i < ARRAY_SIZE(writes); i++)
			assert_int_equal(set(&o, writes[i], 0x5100c0), MSR_OK);
		assert_int_equal(set(&o, 0x2c, 0x1000000), MSR_BAD);
	}
	for (i = 0; i < ARRAY_SIZE(amd_reads); i++) {
		assert_int_equal(get(&o, amd_reads[i].index, &val), MSR_OK);
		assert_int_equal(val, amd_reads[i].val);
	}
	for (i = 0; i < ARRAY_SIZE(amd_writes); i++)
		assert_int_equal(set(&o, amd_writes[i], 0xffff), MSR_OK);
	/* what is found there passes for a mitigation */
	assert_int_equal(get(&o, 0xc0011020, &val), MSR_UNKNOWN);
}

static void test_pat(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;
	unsigned int type, i;

	(void)state;
	own(&o, &all);
	assert_int_equal(read_ok(&o, M_PAT), PAT_RESET);
	for (type = 0; type < 256; type++)
		for (i = 0; i < 8; i++) {
			bool ok = type < 8 && type != 2 && type != 3;

			assert_int_equal(pat_valid((u64)type << (8 * i)), ok);
		}
	assert_int_equal(set(&o, M_PAT, 0x0007010600070106ULL), MSR_OK);
	assert_int_equal(o.regs.dirty, RG_CR);
	assert_int_equal(set(&o, M_PAT, 2), MSR_BAD);
	assert_int_equal(o.regs.pat, 0x0007010600070106ULL);
}

static void test_efer(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;

	(void)state;
	own(&o, &all);
	assert_int_equal(set(&o, M_EFER, EFER_LME_BIT | EFER_NXE_BIT), MSR_OK);
	assert_int_equal(o.told_index, M_EFER);
	assert_int_equal(o.effects, CR_FLUSH | CR_MODE);
	assert_int_equal(set(&o, M_EFER, EFER_SVME_BIT), MSR_BAD);
	assert_int_equal(host_set(&o, M_EFER, EFER_SVME_BIT), MSR_BAD);
	assert_int_equal(o.regs.efer, EFER_LME_BIT | EFER_NXE_BIT);
	o.regs.cr4 = CR4_PAE;
	cr0_commit(&o.regs, CR0_PE | CR0_PG);
	assert_int_equal(set(&o, M_EFER, EFER_NXE_BIT), MSR_BAD);
	assert_int_equal(set(&o, M_EFER, EFER_LME_BIT), MSR_OK);
	assert_int_equal(read_ok(&o, M_EFER), EFER_LME_BIT | EFER_LMA_BIT);
}

static void test_spec_ctrl(void **state)
{
	struct cpuid_set one = { .n = 1, .vendor = CPUID_AMD };
	struct owner o;

	(void)state;
	own(&o, &one);
	assert_int_equal(set(&o, M_SPEC_CTRL, 0), MSR_UNKNOWN);
	assert_int_equal(host_set(&o, M_SPEC_CTRL, 0), MSR_OK);
	assert_int_equal(host_set(&o, M_PRED_CMD, 1), MSR_OK);
	__set_bit(FEAT_AMD_SSBD, one.bits.has);
	own(&o, &one);
	assert_int_equal(set(&o, M_SPEC_CTRL, 4), MSR_OK);
	assert_int_equal(set(&o, M_SPEC_CTRL, 1), MSR_BAD);
	__set_bit(FEAT_SPEC_CTRL, one.bits.has);
	own(&o, &one);
	assert_int_equal(set(&o, M_SPEC_CTRL, 7), MSR_OK);
	assert_int_equal(set(&o, M_SPEC_CTRL, BIT_ULL(10)), MSR_BAD);
	assert_int_equal(read_ok(&o, M_SPEC_CTRL), 7);
	assert_int_equal(set(&o, M_PRED_CMD, 1), MSR_OK);
	assert_int_equal(set(&o, M_PRED_CMD, BIT_ULL(7)), MSR_BAD);
	__set_bit(FEAT_SBPB, one.bits.has);
	own(&o, &one);
	assert_int_equal(set(&o, M_PRED_CMD, BIT_ULL(7)), MSR_OK);
}

/* The guest's CPUID is what its VMM says; the CPU is what it is. */
static void test_host_decides(void **state)
{
	const struct cr_host host = {
		.spec_ctrl = 3, .pred_cmd = 1,
		.maxphyaddr = 39, .vaddr_bits = 48,
	};
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;

	(void)state;
	__set_bit(FEAT_LA57, all.bits.has);
	own_on(&o, &all, &host);
	assert_int_equal(set(&o, M_SPEC_CTRL, 3), MSR_OK);
	assert_int_equal(set(&o, M_SPEC_CTRL, BIT_ULL(10)), MSR_BAD);
	assert_int_equal(host_set(&o, M_SPEC_CTRL, BIT_ULL(10)), MSR_BAD);
	assert_int_equal(set(&o, M_PRED_CMD, BIT_ULL(7)), MSR_BAD);
	assert_int_equal(host_set(&o, M_PRED_CMD, BIT_ULL(7)), MSR_BAD);
	assert_int_equal(set(&o, M_LSTAR, BIT_ULL(47)), MSR_BAD);
	assert_int_equal(host_set(&o, M_LSTAR, BIT_ULL(47)), MSR_BAD);
	assert_int_equal(host_set(&o, M_LSTAR, BIT_ULL(46)), MSR_OK);

	/* what a guest with another CPUID had left there comes back */
	own_on(&o, &(struct cpuid_set){ .n = 0 }, &host);
	assert_int_equal(host_set(&o, M_SPEC_CTRL, 2), MSR_OK);
	assert_int_equal(host_set(&o, M_SPEC_CTRL, 4), MSR_BAD);
}

static void test_mce(void **state)
{
	struct cpuid_set all = set_all(CPUID_AMD);
	struct owner o;
	u64 val;

	(void)state;
	own(&o, &all);
	/* 32 banks until the VMM says otherwise */
	assert_int_equal(get(&o, 0x47f, &val), MSR_OK);
	assert_false(msr_mce_setup(&o.file, MCG_CAP_CTL_P));
	assert_false(msr_mce_setup(&o.file, 33));
	assert_false(msr_mce_setup(&o.file, 10 | BIT_ULL(27)));
	assert_true(msr_mce_setup(&o.file, 10 | MCG_CAP_SUPPORTED));
	assert_int_equal(read_ok(&o, M_MCG_CAP), 0x100010aULL | BIT_ULL(24));
	assert_int_equal(read_ok(&o, M_MCG_CTL), ~0ULL);
	assert_int_equal(read_ok(&o, 0x424), ~0ULL);
	assert_int_equal(read_ok(&o, 0x425), 0);
	assert_int_equal(get(&o, 0x427, &val), MSR_OK);
	assert_int_equal(get(&o, 0x428, &val), MSR_UNKNOWN);
	assert_int_equal(msr_get(&o.file, 0x428, true, &val), MSR_UNKNOWN);

	assert_int_equal(set(&o, 0x401, 5), MSR_BAD);
	assert_int_equal(host_set(&o, 0x401, 5), MSR_OK);
	assert_int_equal(set(&o, 0x401, 0), MSR_OK);
	assert_int_equal(set(&o, 0x402, 5), MSR_OK);
	assert_int_equal(set(&o, M_HWCR, BIT_ULL(18)), MSR_OK);
	assert_int_equal(set(&o, 0x401, 5), MSR_OK);
	assert_int_equal(set(&o, M_HWCR, 0x1040148), MSR_OK);
	assert_int_equal(read_ok(&o, M_HWCR), 0x1040000);
	assert_int_equal(host_set(&o, M_HWCR, BIT_ULL(4)), MSR_BAD);
	assert_int_equal(set(&o, M_MCG_STATUS, 1), MSR_BAD);
	assert_int_equal(host_set(&o, M_MCG_STATUS, 5), MSR_OK);
	assert_int_equal(set(&o, M_MCG_CTL, 1), MSR_BAD);
	assert_int_equal(set(&o, M_MCG_CTL, 0), MSR_OK);
	assert_true(msr_mce_setup(&o.file, 1));
	assert_int_equal(get(&o, M_MCG_CTL, &val), MSR_UNKNOWN);
	msr_file_free(&o.file);
}

/* Memory for the banks comes with the first value of their own. */
static void test_mce_banks(void **state)
{
	struct cpuid_set all = set_all(CPUID_AMD);
	struct owner o;

	(void)state;
	own(&o, &all);
	assert_int_equal(read_ok(&o, 0x400), 0);
	assert_true(msr_mce_setup(&o.file, 10 | MCG_CAP_SUPPORTED));
	assert_int_equal(set(&o, 0x400, ~0ULL), MSR_OK);
	assert_int_equal(set(&o, 0x401, 0), MSR_OK);
	assert_int_equal(msr_set_plain(&o.file, 0x404, 1), MSR_UNKNOWN);
	assert_null(o.file.banks);
	assert_int_equal(set(&o, 0x404, 1), MSR_OK);
	assert_non_null(o.file.banks);
	assert_int_equal(read_ok(&o, 0x400), ~0ULL);
	assert_int_equal(read_ok(&o, 0x404), 1);
	assert_int_equal(read_ok(&o, 0x405), 0);
	assert_int_equal(read_ok(&o, 0x424), ~0ULL);
	assert_true(msr_mce_setup(&o.file, 32));
	assert_int_equal(read_ok(&o, 0x404), ~0ULL);
	assert_int_equal(read_ok(&o, 0x47c), ~0ULL);
	assert_int_equal(set(&o, 0x47f, 7), MSR_OK);
	msr_reset(&o.file, NULL);
	assert_null(o.file.banks);
	assert_int_equal(read_ok(&o, 0x47f), 0);
	assert_int_equal(read_ok(&o, 0x400), 0);
}

static void test_misc(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;

	(void)state;
	own(&o, &all);
	assert_int_equal(read_ok(&o, M_MISC_ENABLE), 0x1801);
	assert_int_equal(set(&o, M_MISC_ENABLE, 0), MSR_OK);
	assert_int_equal(read_ok(&o, M_MISC_ENABLE), 0x1800);
	assert_int_equal(set(&o, M_MISC_ENABLE, BIT_ULL(34) | BIT_ULL(22)),
			 MSR_OK);
	assert_int_equal(read_ok(&o, M_MISC_ENABLE),
			 BIT_ULL(34) | BIT_ULL(22) | 0x1800);
	assert_int_equal(set(&o, M_MISC_ENABLE, ~0ULL), MSR_OK);
	assert_int_equal(read_ok(&o, M_MISC_ENABLE), ~BIT_ULL(7));
	assert_int_equal(host_set(&o, M_MISC_ENABLE, 1), MSR_OK);
	assert_int_equal(read_ok(&o, M_MISC_ENABLE), 1);

	assert_false(msr_cpuid_faults(&o.file));
	assert_int_equal(set(&o, M_MISC_FEATURES, 2), MSR_BAD);
	assert_int_equal(set(&o, M_MISC_FEATURES, 1), MSR_OK);
	assert_true(msr_cpuid_faults(&o.file));
	assert_int_equal(set(&o, M_MISC_FEATURES, 0), MSR_OK);
	assert_int_equal(set(&o, M_PLATFORM_INFO, 0), MSR_BAD);
	assert_int_equal(host_set(&o, M_PLATFORM_INFO, 0), MSR_OK);
	assert_int_equal(set(&o, M_MISC_FEATURES, 1), MSR_BAD);

	/* WRMSR of 0 before CPUID is how the revision is read */
	assert_int_equal(host_set(&o, M_UCODE_REV, 0x500000000ULL), MSR_OK);
	assert_int_equal(set(&o, M_UCODE_REV, 0), MSR_OK);
	assert_int_equal(read_ok(&o, M_UCODE_REV), 0x500000000ULL);
}

static void test_mtrr(void **state)
{
	struct cpuid_set all = set_all(CPUID_INTEL);
	struct owner o;
	u32 i;

	(void)state;
	own(&o, &all);
	assert_int_equal(set(&o, 0x200, BIT_ULL(40)), MSR_BAD);
	assert_int_equal(set(&o, M_MTRR_DEF, 0xc06), MSR_OK);
	assert_int_equal(o.told_index, M_MTRR_DEF);
	assert_int_equal(set(&o, M_MTRR_FIX4K + 7, 7), MSR_BAD);
	for (i = 0; i < 8; i++) {
		assert_int_equal(set(&o, 0x200 + 2 * i, i << 12 | 6), MSR_OK);
		assert_int_equal(set(&o, 0x201 + 2 * i, 0x800), MSR_OK);
	}
	assert_int_equal(set(&o, M_MTRR_FIX64K, 0x0101), MSR_OK);
	assert_int_equal(set(&o, M_MTRR_FIX16K + 1, 0x04), MSR_OK);
	assert_int_equal(set(&o, M_MTRR_FIX4K + 7, 0x05), MSR_OK);
	assert_int_equal(msr_mtrrs(&o.file)->def, 0xc06);
	assert_int_equal(msr_mtrrs(&o.file)->var[5].base, 0x5006);
	assert_int_equal(msr_mtrrs(&o.file)->var[7].mask, 0x800);
	assert_int_equal(msr_mtrrs(&o.file)->fix[0], 0x0101);
	assert_int_equal(msr_mtrrs(&o.file)->fix[2], 0x04);
	assert_int_equal(msr_mtrrs(&o.file)->fix[10], 0x05);
}

static void test_legacy_pmu(void **state)
{
	struct cpuid_set amd = set_all(CPUID_AMD);
	struct owner o;
	u64 val;
	u32 i;

	(void)state;
	own(&o, &amd);
	for (i = M_K7_EVNTSEL; i < (u32)M_K7_EVNTSEL + 8; i++) {
		assert_int_equal(get(&o, i, &val), MSR_OK);
		assert_int_equal(val, 0);
		assert_int_equal(set(&o, i, 0), MSR_OK);
		assert_int_equal(set(&o, i, 1), MSR_OK);
		assert_int_equal(read_ok(&o, i), 0);
	}
	assert_int_equal(get(&o, M_CORE_PERF, &val), MSR_UNKNOWN);
	assert_int_equal(host_set(&o, M_CORE_PERF, 0), MSR_OK);
}

/* ---- lists ---- */

static bool listed(const u32 *list, u32 n, u32 index)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (list[i] == index)
			return true;
	return false;
}

static void check_list(enum cpuid_vendor vendor, const struct cpuid_set *guest)
{
	struct cpuid_set supported = set_all(vendor);
	struct owner o;
	u32 list[256], n, i;

	n = msr_list(&supported, list, 256);
	assert_in_range(n, 20, 220);
	own(&o, guest);
	for (i = 0; i < n; i++) {
		u64 val;

		if (i)
			assert_true(list[i] > list[i - 1]);
		assert_int_equal(msr_get(&o.file, list[i], true, &val), MSR_OK);
		assert_int_equal(msr_set(&o.file, list[i], true, val), MSR_OK);
		assert_int_equal(msr_set(&o.file, list[i], true, 0), MSR_OK);
	}
}

static void test_list_contract(void **state)
{
	struct cpuid_set none = { .n = 1, .maxphyaddr = 36 };
	struct cpuid_set intel = set_all(CPUID_INTEL);
	struct cpuid_set amd = set_all(CPUID_AMD);

	(void)state;
	check_list(CPUID_INTEL, NULL);
	check_list(CPUID_INTEL, &none);
	check_list(CPUID_INTEL, &intel);
	check_list(CPUID_AMD, NULL);
	check_list(CPUID_AMD, &none);
	check_list(CPUID_AMD, &amd);
	check_list(CPUID_AMD, &intel);
}

static void test_list_content(void **state)
{
	static const u32 always[] = { 0x10, 0x11, 0x12, 0x3b, 0x174, 0x277,
				      0x6e0, 0x1a0, 0x4b564d00, 0x4b564d01,
				      0xc0000081, 0xc0000102, 0xc0000103 };
	struct cpuid_set supported = set_all(CPUID_AMD);
	u32 list[256], few[8] = { 0 }, n, i;

	(void)state;
	n = msr_list(&supported, list, 256);
	for (i = 0; i < ARRAY_SIZE(always); i++)
		assert_true(listed(list, n, always[i]));
	assert_true(listed(list, n, M_HWCR));
	assert_false(listed(list, n, M_FEATURE_CONTROL));
	assert_false(listed(list, n, M_XSS));
	assert_int_equal(msr_list(&supported, few, 4), n);
	assert_memory_equal(few, list, 16);
	assert_int_equal(few[4], 0);

	__clear_bit(FEAT_RDTSCP, supported.bits.has);
	__clear_bit(FEAT_RDPID, supported.bits.has);
	__clear_bit(FEAT_TSC_DEADLINE, supported.bits.has);
	supported.vendor = CPUID_INTEL;
	n = msr_list(&supported, list, 256);
	assert_false(listed(list, n, M_TSC_AUX));
	assert_true(listed(list, n, M_TSC_DEADLINE));
	assert_false(listed(list, n, M_HWCR));
	assert_true(listed(list, n, M_FEATURE_CONTROL));
}

static u64 all_ones(const struct msr_feature_env *env, u32 index)
{
	(void)env;
	(void)index;
	return ~0ULL;
}

static void test_features(void **state)
{
	struct cpuid_set supported = set_all(CPUID_INTEL);
	struct msr_feature_env env = { .rdmsr = all_ones,
				       .supported = &supported };
	u32 list[16], n, i;
	u64 val;

	(void)state;
	n = msr_feature_list(&supported, list, 16);
	assert_in_range(n, 1, 16);
	assert_int_equal(msr_feature_list(&supported, NULL, 0), n);
	assert_false(listed(list, n, M_DE_CFG));
	for (i = 0; i < n; i++)
		assert_int_equal(msr_feature_get(&env, list[i], &val), MSR_OK);
	assert_int_equal(msr_feature_get(&env, M_ARCH_CAPS, &val), MSR_OK);
	assert_int_equal(val & BIT_ULL(7), 0);
	assert_int_equal(val >> 29, BIT_ULL(62 - 29));
	assert_int_equal(val & 1, 1);
	assert_int_equal(msr_feature_get(&env, M_TSC, &val), MSR_UNKNOWN);
	__clear_bit(FEAT_ARCH_CAPS, supported.bits.has);
	assert_int_equal(msr_feature_get(&env, M_ARCH_CAPS, &val), MSR_OK);
	assert_int_equal(val, 0);

	supported.vendor = CPUID_AMD;
	n = msr_feature_list(&supported, list, 16);
	assert_true(listed(list, n, M_DE_CFG));
	assert_false(listed(list, n, M_ARCH_CAPS));
}

static u64 zero(const struct msr_feature_env *env, u32 index)
{
	(void)env;
	(void)index;
	return 0;
}

/* A VMM that passes on the CPUID and writes no MSR has a guest like the host. */
static void test_reset_as_the_host(void **state)
{
	struct cpuid_set intel = set_all(CPUID_INTEL);
	struct cpuid_set amd = set_all(CPUID_AMD);
	struct msr_feature_env env = { .rdmsr = zero, .supported = &intel,
				       .immune = 0x21 | BIT_ULL(7) };
	struct owner o;

	(void)state;
	own(&o, &intel);
	msr_reset(&o.file, &env);
	assert_int_equal(read_ok(&o, M_ARCH_CAPS), 0x21);
	assert_int_equal(read_ok(&o, M_UCODE_REV), 0x100000000ULL);
	assert_int_equal(read_ok(&o, M_MISC_ENABLE), 0x1801);
	__clear_bit(FEAT_ARCH_CAPS, amd.bits.has);
	env.supported = &amd;
	msr_reset(&o.file, &env);
	assert_int_equal(read_ok(&o, M_ARCH_CAPS), 0);
	assert_int_equal(read_ok(&o, M_UCODE_REV), 0x01000065);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_ascend),
		cmocka_unit_test(test_rows_make_sense),
		cmocka_unit_test(test_slots_tile),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_every_index_finds_its_row),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_direction),
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_plain_checks),
		cmocka_unit_test(test_what_guests_touch),
		cmocka_unit_test(test_pat),
		cmocka_unit_test(test_efer),
		cmocka_unit_test(test_spec_ctrl),
		cmocka_unit_test(test_host_decides),
		cmocka_unit_test(test_mce),
		cmocka_unit_test(test_mce_banks),
		cmocka_unit_test(test_misc),
		cmocka_unit_test(test_mtrr),
		cmocka_unit_test(test_legacy_pmu),
		cmocka_unit_test(test_list_contract),
		cmocka_unit_test(test_list_content),
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_reset_as_the_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
