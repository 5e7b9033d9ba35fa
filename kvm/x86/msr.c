// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSR lookup, access rules, value checks and storage, as msr.h tells.
 *
 * Everything follows from the rows of msr_rows.h. An access finds its row by
 * binary search, passes the guest's rules (need, direction) unless the VMM
 * makes it, then the row's check, and then goes where the row's kind says.
 *
 * Invariants: nothing is written before the check passed, and what was written
 * is legal for the host's CPU, whoever wrote it and whatever CPUID the guest
 * has. Indices come from guests: positions within a range are clamped for
 * speculation, too.
 *
 * Callers: the RDMSR and WRMSR exits and the emulator for the guest;
 * KVM_GET_MSRS and KVM_SET_MSRS for the VMM; all in the vCPU's thread.
 */
#include "base/bits.h"
#include "x86/msr.h"

/* Short names for the columns of the table. */
enum msr_kind { SLOT, REG, CORE, CONST, BANK };

enum msr_access {
	ACCESS_NO,
	ACCESS_RO = BIT(0),
	ACCESS_WO = BIT(1),
	ACCESS_RW = ACCESS_RO | ACCESS_WO,
};

enum msr_check {
	CHECK_ANY,
	CHECK_MASK,
	CHECK_CANON,
	CHECK_DROP,
	CHECK_SAME,
	CHECK_LOW32,
	CHECK_SYSENTER,
	CHECK_TSC_AUX,
	CHECK_DEBUGCTL,
	CHECK_SPEC_CTRL,
	CHECK_PRED_CMD,
	CHECK_UCODE_REV,
	CHECK_MISC_FEATURES,
	CHECK_MISC_ENABLE,
	CHECK_HWCR,
	CHECK_MCG_STATUS,
	CHECK_MCG_CTL,
	CHECK_MCI,
	CHECK_MTRR,
	CHECK_PAT,
	CHECK_EFER,
};

struct msr_row {
	u32 first;
	u16 count;
	u8 kind;		/* enum msr_kind */
	u8 access;		/* enum msr_access, of the guest */
	u8 check;		/* enum msr_check */
	u8 flags;
	u16 need;		/* enum cpuid_feature or enum msr_need */
	u16 slot;		/* SLOT */
	u16 offset;		/* REG: in struct regs */
	u8 groups;		/* REG: RG_* */
	u64 mask;
	u64 reset;
};

#define AT(field, groups_) (offsetof(struct regs, field) << 8 | (groups_))
#define LIST MSR_LIST
#define FEATURE MSR_FEATURE
#define TELL MSR_TELL

static const struct msr_row msr_rows[] = {
#define MSR_ROW(name, first_, count_, kind_, where, guest, check_, mask_,    \
		reset_, need_, flags_)                                       \
	{                                                                    \
		.first = (first_), .count = (count_), .kind = kind_,         \
		.access = ACCESS_##guest, .check = CHECK_##check_,           \
		.flags = (flags_), .need = (need_), .slot = SLOT_##name,     \
		.offset = (where) >> 8, .groups = (where) & 0xff,            \
		.mask = (mask_), .reset = (reset_),                          \
	},
	MSR_ROWS(MSR_ROW)
#undef MSR_ROW
};

static_assert(sizeof(struct regs) <= U16_MAX, "offset of a REG row");
#define BANK_COUNT(name, first, count, kind, ...) BANK_COUNT_##kind(count)
#define BANK_COUNT_SLOT(count) 0 +
#define BANK_COUNT_REG(count) 0 +
#define BANK_COUNT_CORE(count) 0 +
#define BANK_COUNT_CONST(count) 0 +
#define BANK_COUNT_BANK(count) (count) +
static_assert((MSR_ROWS(BANK_COUNT) 0) == MCG_BANKS * 4, "the one BANK row");
static_assert(SLOT_MTRR_DEF - SLOT_MTRR_VAR ==
	      offsetof(struct mtrr_regs, def) / sizeof(u64), "msr_mtrrs()");
static_assert(SLOT_MTRR_FIX64K - SLOT_MTRR_VAR ==
	      offsetof(struct mtrr_regs, fix) / sizeof(u64), "msr_mtrrs()");

/*
 * IA32_MISC_ENABLE: performance monitoring available, BTS and PEBS not: read
 * only. Firmware and kernels set and clear the others, whatever the part has.
 */
#define MISC_ENABLE_FIXED (BIT_ULL(7) | BIT_ULL(11) | BIT_ULL(12))

#define HWCR_MCI_STATUS_WRITE BIT_ULL(18)
#define HWCR_KEPT (HWCR_MCI_STATUS_WRITE | BIT_ULL(24))
/* TlbCacheDis, FFDis, IgnneEm: firmware sets them, and nothing comes of it */
#define HWCR_DROPPED (BIT_ULL(3) | BIT_ULL(6) | BIT_ULL(8))

/* What guests are told unless the VMM knows better: a revision of long ago. */
#define UCODE_REV_INTEL 0x100000000ULL
#define UCODE_REV_AMD 0x01000065ULL

/*
 * IA32_ARCH_CAPABILITIES: what concerns guests. Not TSX_CTRL (7), as there is
 * no TSX, and nothing that announces another MSR.
 */
#define ARCH_CAPS_OFFERED                                                  \
	(GENMASK_ULL(6, 0) | BIT_ULL(8) | GENMASK_ULL(15, 13) |            \
	 BIT_ULL(17) | BIT_ULL(19) | BIT_ULL(20) | BIT_ULL(24) |           \
	 GENMASK_ULL(28, 26) | BIT_ULL(62))

static bool msr_row_has(u32 row, u32 index)
{
	return index - msr_rows[row].first < msr_rows[row].count;
}

static const struct msr_row *msr_search(u32 index)
{
	u32 lo = 0, hi = ARRAY_SIZE(msr_rows);

	/* the last row that does not begin after @index */
	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (msr_rows[mid].first <= index)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (!lo)
		return NULL;
	lo = array_index_nospec(lo - 1, (u32)ARRAY_SIZE(msr_rows));
	return msr_row_has(lo, index) ? &msr_rows[lo] : NULL;
}

/* Lists ascend, and guests use the same few: look where the last one was. */
static const struct msr_row *msr_find(struct msr_file *file, u32 index)
{
	const struct msr_row *row;
	u32 last = file->last;

	if (msr_row_has(last, index))
		return &msr_rows[last];
	if (last + 1 < ARRAY_SIZE(msr_rows) && msr_row_has(last + 1, index)) {
		file->last = last + 1;
		return &msr_rows[last + 1];
	}
	row = msr_search(index);
	if (row)
		file->last = row - msr_rows;
	return row;
}

/* ---- who may ---- */

static bool msr_need_met(const struct cpuid_set *set, u16 need)
{
	bool amd = set && set->vendor == CPUID_AMD;

	switch (need) {
	case FEAT_NONE:
		return true;
	case MSR_NEED_INTEL:
		return !amd;
	case MSR_NEED_AMD:
		return amd;
	case MSR_NEED_SPEC_CTRL:
		return cpuid_has(set, FEAT_SPEC_CTRL) ||
		       cpuid_has(set, FEAT_INTEL_STIBP) ||
		       cpuid_has(set, FEAT_SPEC_CTRL_SSBD) ||
		       cpuid_has(set, FEAT_AMD_IBRS) ||
		       cpuid_has(set, FEAT_AMD_STIBP) ||
		       cpuid_has(set, FEAT_AMD_SSBD);
	case MSR_NEED_PRED_CMD:
		return cpuid_has(set, FEAT_SPEC_CTRL) ||
		       cpuid_has(set, FEAT_AMD_IBPB);
	case MSR_NEED_TSC_AUX:
		return cpuid_has(set, FEAT_RDTSCP) ||
		       cpuid_has(set, FEAT_RDPID);
	default:
		return cpuid_has(set, need);
	}
}

/* Is there such an MSR, and may it be accessed in this direction? */
static enum msr_rc msr_allowed(const struct msr_file *file,
			       const struct msr_row *row, u32 index,
			       bool host, u8 direction)
{
	u64 mcg_cap = file->val[SLOT_MCG_CAP];

	if (row->first == M_MCI &&
	    (index - M_MCI) / 4 >= (mcg_cap & MCG_CAP_COUNT))
		return MSR_UNKNOWN;
	if (host)
		return MSR_OK;
	if (row->access == ACCESS_NO || !msr_need_met(file->cpuid, row->need))
		return MSR_UNKNOWN;
	if (row->first == M_MCG_CTL && !(mcg_cap & MCG_CAP_CTL_P))
		return MSR_UNKNOWN;
	return row->access & direction ? MSR_OK : MSR_BAD;
}

/* ---- values ---- */

/* The VMM may restore what a guest with another CPUID had left there. */
static u64 msr_spec_ctrl_bits(const struct msr_file *file, bool host)
{
	return host ? file->limits->host->spec_ctrl : file->limits->spec_ctrl;
}

static u64 msr_pred_cmd_bits(const struct msr_file *file, bool host)
{
	return host ? file->limits->host->pred_cmd : file->limits->pred_cmd;
}

bool pat_valid(u64 pat)
{
	int i;

	/* 2 and 3 are reserved, 7 is UC-: SDM vol. 3, table 12-10 */
	for (i = 0; i < 8; i++) {
		u8 type = pat >> (8 * i);

		if (!mtrr_type_valid(type) && type != 7)
			return false;
	}
	return true;
}

static bool msr_mci_ok(const struct msr_file *file, u32 index, bool host,
		       u64 val)
{
	bool status = (index & 3) == 1;

	/* SDM vol. 3, 16.3.2.2: only 0 may be written to MCi_STATUS */
	return host || !status || !val ||
	       (file->val[SLOT_HWCR] & HWCR_MCI_STATUS_WRITE);
}

static u64 msr_misc_enable(const struct msr_file *file, u64 val)
{
	return (val & ~MISC_ENABLE_FIXED) |
	       (file->val[SLOT_MISC_ENABLE] & MISC_ENABLE_FIXED);
}

/*
 * Kernels set BTF for a debugger of user code, and LBR; there is neither, and
 * neither is missed. Other bits, as far as a vendor has them, are not ours to
 * switch on: what was written is forgotten.
 */
static bool msr_debugctl_ok(const struct msr_file *file, u64 *val)
{
	bool amd = msr_need_met(file->cpuid, MSR_NEED_AMD);

	/* SDM vol. 4, table 2-2; APM vol. 2, 13.1.1.6 */
	if (*val & ~(amd ? GENMASK_ULL(5, 0) : GENMASK_ULL(1, 0)))
		return false;
	*val = 0;
	return true;
}

/* AMD ignores the upper half: APM vol. 2, 3.2.12. */
static bool msr_tsc_aux_ok(const struct msr_file *file, u64 *val)
{
	if (*val >> 32 && !msr_need_met(file->cpuid, MSR_NEED_AMD))
		return false;
	*val = (u32)*val;
	return true;
}

/* A guest of AMD's, where they have 32 bits, may have left anything there. */
static bool msr_sysenter_ok(const struct msr_file *file, bool host, u64 *val)
{
	unsigned int bits = file->limits->vaddr_bits;

	if (host)
		*val = (u64)((s64)(*val << (64 - bits)) >> (64 - bits));
	return is_canonical(*val, bits);
}

static bool msr_misc_features_ok(const struct msr_file *file, u64 val)
{
	if (val & ~MISC_FEATURES_CPUID_FAULT)
		return false;
	return !val || (file->val[SLOT_PLATFORM_INFO] &
			PLATFORM_INFO_CPUID_FAULT);
}

/* Machine-check banks have four registers each: SDM vol. 3, 16.3.2 */
#define BANK_REGS 4
#define BANK_CTL 0

static u64 msr_bank_now(const struct msr_file *file, u32 nth)
{
	if (file->banks)
		return file->banks[nth];
	return nth % BANK_REGS == BANK_CTL ? file->bank_ctl : 0;
}

static u64 msr_now(const struct msr_file *file, const struct msr_row *row,
		   u32 index)
{
	u32 nth = array_index_nospec(index - row->first, (u32)row->count);

	if (row->kind == SLOT)
		return file->val[row->slot + nth];
	return row->kind == BANK ? msr_bank_now(file, nth) : row->reset;
}

/* May @val be written? May change it to what the register then holds. */
static bool msr_value_ok(const struct msr_file *file, const struct msr_row *row,
			 u32 index, bool host, u64 *val)
{
	switch (row->check) {
	case CHECK_MASK:
		return !(*val & ~row->mask);
	case CHECK_CANON:
		return is_canonical(*val, file->limits->vaddr_bits);
	case CHECK_LOW32:
		*val = (u32)*val;
		return true;
	case CHECK_SYSENTER:
		return msr_sysenter_ok(file, host, val);
	case CHECK_TSC_AUX:
		return msr_tsc_aux_ok(file, val);
	case CHECK_DEBUGCTL:
		return msr_debugctl_ok(file, val);
	case CHECK_SAME:
		return *val == msr_now(file, row, index) || (host && !*val);
	case CHECK_SPEC_CTRL:
		return !(*val & ~msr_spec_ctrl_bits(file, host));
	case CHECK_PRED_CMD:
		return !(*val & ~msr_pred_cmd_bits(file, host));
	case CHECK_UCODE_REV:
		if (!host)
			*val = file->val[SLOT_UCODE_REV];
		return true;
	case CHECK_MISC_FEATURES:
		return msr_misc_features_ok(file, *val);
	case CHECK_MISC_ENABLE:
		if (!host)
			*val = msr_misc_enable(file, *val);
		return true;
	case CHECK_HWCR:
		if (*val & ~(HWCR_KEPT | HWCR_DROPPED))
			return false;
		*val &= HWCR_KEPT;
		return true;
	case CHECK_MCG_STATUS:
		return host || !*val;
	case CHECK_MCG_CTL:
		return host || !*val || !~*val;
	case CHECK_MCI:
		return msr_mci_ok(file, index, host, *val);
	case CHECK_MTRR:
		return mtrr_value_valid(index, *val,
					file->limits->gpa_reserved);
	case CHECK_PAT:
		return pat_valid(*val);
	case CHECK_EFER:
		return efer_check(file->regs, file->limits, *val, host);
	default:
		return true;
	}
}

/* ---- access ---- */

static u64 *msr_reg(struct msr_file *file, const struct msr_row *row)
{
	return (u64 *)((u8 *)file->regs + row->offset);
}

static void msr_regs_need(struct msr_file *file, const struct msr_row *row)
{
	if (row->kind == REG && row->groups && file->ops->regs_need)
		file->ops->regs_need(file, row->groups);
}

enum msr_rc msr_get(struct msr_file *file, u32 index, bool host, u64 *val)
{
	const struct msr_row *row = msr_find(file, index);
	const struct msr_ops *ops = file->ops;
	enum msr_rc rc;

	*val = 0;
	if (!row)
		return MSR_UNKNOWN;
	rc = msr_allowed(file, row, index, host, ACCESS_RO);
	if (rc != MSR_OK || row->access == ACCESS_WO)
		return rc;

	switch (row->kind) {
	case REG:
		msr_regs_need(file, row);
		*val = *msr_reg(file, row);
		return MSR_OK;
	case CORE:
		if (!ops->core_get)
			return MSR_UNKNOWN;
		return ops->core_get(file, index, host, val);
	default:
		*val = msr_now(file, row, index);
		return MSR_OK;
	}
}

static enum msr_rc msr_bank_store(struct msr_file *file, u32 nth, u64 val)
{
	u32 i;

	if (msr_bank_now(file, nth) == val)
		return MSR_OK;
	if (!file->banks) {
		u64 *banks = host_zalloc(MCG_BANKS * BANK_REGS * sizeof(*banks));

		if (!banks)
			return MSR_BAD;
		for (i = 0; i < MCG_BANKS; i++)
			banks[i * BANK_REGS + BANK_CTL] = file->bank_ctl;
		file->banks = banks;
	}
	file->banks[nth] = val;
	return MSR_OK;
}

static enum msr_rc msr_store(struct msr_file *file, const struct msr_row *row,
			     u32 index, u64 val)
{
	u32 nth = array_index_nospec(index - row->first, (u32)row->count);
	u32 effects = 0;

	if (row->kind == SLOT) {
		if (file->val[row->slot + nth] == val)
			return MSR_OK;
		file->val[row->slot + nth] = val;
	} else if (row->kind == BANK) {
		return msr_bank_store(file, nth, val);
	} else if (row->check == CHECK_EFER) {
		effects = efer_commit(file->regs, val);
	} else if (row->kind == REG) {
		*msr_reg(file, row) = val;
		regs_touch(file->regs, row->groups);
	}
	if ((row->flags & MSR_TELL) && file->ops->changed)
		file->ops->changed(file, index, effects);
	return MSR_OK;
}

enum msr_rc msr_set_plain(struct msr_file *file, u32 index, u64 val)
{
	const struct msr_row *row = msr_find(file, index);

	if (!row || row->kind != SLOT ||
	    msr_allowed(file, row, index, false, ACCESS_WO) != MSR_OK ||
	    !msr_value_ok(file, row, index, false, &val))
		return MSR_UNKNOWN;
	if ((row->flags & MSR_TELL) && val != msr_now(file, row, index))
		return MSR_UNKNOWN;
	return msr_store(file, row, index, val);
}

enum msr_rc msr_set(struct msr_file *file, u32 index, bool host, u64 val)
{
	const struct msr_row *row = msr_find(file, index);
	const struct msr_ops *ops = file->ops;
	enum msr_rc rc;

	if (!row)
		return MSR_UNKNOWN;
	rc = msr_allowed(file, row, index, host, ACCESS_WO);
	if (rc != MSR_OK)
		return rc;
	msr_regs_need(file, row);
	if (!msr_value_ok(file, row, index, host, &val))
		return MSR_BAD;

	switch (row->kind) {
	case CORE:
		if (!ops->core_set)
			return MSR_UNKNOWN;
		return ops->core_set(file, index, host, val);
	default:
		return msr_store(file, row, index, val);
	}
}

/* ---- reset, set-up ---- */

void msr_file_free(struct msr_file *file)
{
	host_free(file->banks);
	file->banks = NULL;
}

void msr_reset(struct msr_file *file, const struct msr_feature_env *env)
{
	u64 *val = file->val;
	u32 i, nth;

	msr_file_free(file);
	file->bank_ctl = 0;
	for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
		const struct msr_row *row = &msr_rows[i];

		for (nth = 0; row->kind == SLOT && nth < row->count; nth++)
			val[row->slot + nth] = row->reset;
	}
	if (!env)
		return;
	msr_feature_get(env, M_ARCH_CAPS, &val[SLOT_ARCH_CAPS]);
	val[SLOT_UCODE_REV] = env->supported->vendor == CPUID_AMD ?
			      UCODE_REV_AMD : UCODE_REV_INTEL;
}

bool msr_mce_setup(struct msr_file *file, u64 mcg_cap)
{
	u64 banks = mcg_cap & MCG_CAP_COUNT;
	u32 i;

	if (!banks || banks > MCG_BANKS ||
	    (mcg_cap & ~(MCG_CAP_COUNT | MCG_CAP_SUPPORTED)))
		return false;
	file->val[SLOT_MCG_CAP] = mcg_cap;
	file->val[SLOT_MCG_CTL] = mcg_cap & MCG_CAP_CTL_P ? ~0ULL : 0;
	file->bank_ctl = ~0ULL;
	for (i = 0; file->banks && i < banks; i++)
		file->banks[i * BANK_REGS + BANK_CTL] = ~0ULL;
	return true;
}

/* ---- lists ---- */

u32 msr_list(const struct cpuid_set *supported, u32 *out, u32 max)
{
	u32 i, nth, n = 0;

	for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
		const struct msr_row *row = &msr_rows[i];

		/* announced by a capability, not by the supported CPUID */
		if (!(row->flags & MSR_LIST) ||
		    (row->need != FEAT_TSC_DEADLINE &&
		     !msr_need_met(supported, row->need)))
			continue;
		for (nth = 0; nth < row->count; nth++, n++)
			if (n < max)
				out[n] = row->first + nth;
	}
	return n;
}

u32 msr_feature_list(const struct cpuid_set *supported, u32 *out, u32 max)
{
	u32 i, n = 0;

	for (i = 0; i < ARRAY_SIZE(msr_rows); i++) {
		if (!(msr_rows[i].flags & MSR_FEATURE) ||
		    !msr_need_met(supported, msr_rows[i].need))
			continue;
		if (n < max)
			out[n] = msr_rows[i].first;
		n++;
	}
	return n;
}

enum msr_rc msr_feature_get(const struct msr_feature_env *env, u32 index,
			    u64 *val)
{
	*val = 0;
	switch (index) {
	case M_UCODE_REV:
		*val = (env->rdmsr)(env, index);
		return MSR_OK;
	case M_ARCH_CAPS:
		if (cpuid_has(env->supported, FEAT_ARCH_CAPS))
			*val = ((env->rdmsr)(env, index) | env->immune) &
			       ARCH_CAPS_OFFERED;
		return MSR_OK;
	case M_PERF_CAPS:
		return MSR_OK;
	default:
		return MSR_UNKNOWN;
	}
}
