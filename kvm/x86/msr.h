/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Model-specific registers of one vCPU: lookup, checks, storage.
 *
 * msr_rows.h has one row per MSR. A struct msr_file holds the values nobody
 * else does (val[], by slot) and leads to those that others hold: the register
 * file, the vCPU's owner and the vendor module. "host" is an access by the
 * VMM, through KVM_GET_MSRS and KVM_SET_MSRS: it ignores the guest's CPUID
 * and the direction a guest is held to, so that what was read can always be
 * written back, in any order with KVM_SET_CPUID2.
 *
 * Invariant: val[] has passed the checks of its rows. Owner: the vCPU's
 * thread, under vcpu->mutex.
 */
#ifndef X86_MSR_H
#define X86_MSR_H

#include "base/host.h"
#include "base/rc.h"
#include "x86/cpuid.h"
#include "x86/cr.h"
#include "x86/msr_rows.h"
#include "x86/mtrr.h"
#include "x86/regs.h"

/* Row flags. */
#define MSR_LIST BIT(0)
#define MSR_FEATURE BIT(1)
#define MSR_TELL BIT(2)

/* SDM vol. 4, table 2-2: PLATFORM_INFO, MISC_FEATURES_ENABLES */
#define PLATFORM_INFO_CPUID_FAULT BIT_ULL(31)
#define MISC_ENABLE_MWAIT BIT_ULL(18)
#define MISC_FEATURES_CPUID_FAULT BIT_ULL(0)

/* IA32_MCG_CAP, SDM vol. 3, 16.3.1.1 */
#define MCG_BANKS 32
#define MCG_CAP_COUNT 0xffULL
#define MCG_CAP_CTL_P BIT_ULL(8)
#define MCG_CAP_SER_P BIT_ULL(24)
/* KVM_X86_GET_MCE_CAP_SUPPORTED: what KVM_X86_SETUP_MCE may ask for. */
#define MCG_CAP_SUPPORTED (MCG_CAP_CTL_P | MCG_CAP_SER_P)
#define MCG_CAP_DEFAULT (MCG_BANKS | MCG_CAP_CTL_P)

/* A need of a row that is not a single CPUID bit. */
enum msr_need {
	MSR_NEED_INTEL = FEAT_COUNT + 1,	/* not an AMD guest */
	MSR_NEED_AMD,
	MSR_NEED_SPEC_CTRL,	/* one of the bits that bring SPEC_CTRL */
	MSR_NEED_PRED_CMD,
	MSR_NEED_TSC_AUX,	/* RDTSCP or RDPID */
};

/* M_name: the (first) index of each row. */
enum msr_index {
#define MSR_ENUM(name, first, ...) M_##name = (first),
	MSR_ROWS(MSR_ENUM)
#undef MSR_ENUM
};

/* SLOT_name: where msr_file.val[] holds a SLOT row's (first) value. */
enum msr_slot {
#define MSR_SLOTS_SLOT(count) (count)
#define MSR_SLOTS_REG(count) 0
#define MSR_SLOTS_CORE(count) 0
#define MSR_SLOTS_CONST(count) 0
#define MSR_SLOTS_BANK(count) 0
#define MSR_ENUM(name, first, count, kind, ...) \
	SLOT_##name, SLOT_END_##name = SLOT_##name + MSR_SLOTS_##kind(count) - 1,
	MSR_ROWS(MSR_ENUM)
#undef MSR_ENUM
	MSR_SLOT_COUNT,
};

struct msr_file;

/*
 * What the file's owner provides. Each may be NULL: MSR_UNKNOWN for rows that
 * need it, nothing to do for regs_need and changed.
 */
struct msr_ops {
	/* make these RG_* groups available in file->regs */
	void (*regs_need)(struct msr_file *file, u32 groups);
	/* CORE rows; all was checked that the row says; WO ones are not read */
	enum msr_rc (*core_get)(struct msr_file *file, u32 index, bool host,
				u64 *val);
	enum msr_rc (*core_set)(struct msr_file *file, u32 index, bool host,
				u64 val);
	/* a TELL row was written; @effects is enum cr_effect for EFER, else 0 */
	void (*changed)(struct msr_file *file, u32 index, u32 effects);
};

/*
 * Embedded in the vCPU; ops find their vCPU by container_of().
 *
 * The machine-check banks, a KiB that few guests use, are apart: `banks` is
 * made by the first write of something else than they read as without it, which
 * is bank_ctl for each MCi_CTL and 0 for the rest.
 */
struct msr_file {
	const struct msr_ops *ops;
	struct regs *regs;
	const struct cpuid_set *cpuid;	/* NULL before KVM_SET_CPUID2 */
	const struct cr_limits *limits;	/* made from cpuid, never NULL */
	u32 last;			/* the row found last; below their number */
	u64 *banks;			/* four for each, or NULL */
	u64 bank_ctl;
	u64 val[MSR_SLOT_COUNT];
};

/* What feature MSRs are made of: the host. */
struct msr_feature_env {
	/* RDMSR on the host, 0 where that faults; a macro hides the name */
	u64 (*rdmsr)(const struct msr_feature_env *env, u32 index);
	const struct cpuid_set *supported;	/* made of cpuid_supported() */
	u64 immune;	/* of IA32_ARCH_CAPABILITIES, beside what it says */
};

/**
 * msr_reset() - values after power-on
 * @env: where they are those of the host; NULL: nowhere
 *
 * Slots only: REG rows are regs_reset()'s, CORE rows their owner's. INIT
 * leaves MSRs alone.
 */
void msr_reset(struct msr_file *file, const struct msr_feature_env *env);

/** msr_file_free() - the banks lose what was written to them; no vCPU runs */
void msr_file_free(struct msr_file *file);

/**
 * msr_get() - RDMSR or KVM_GET_MSRS
 * @host: the VMM asks
 * @val: the value; 0 unless MSR_OK is returned
 *
 * MSR_UNKNOWN and MSR_BAD both are #GP(0) to the guest; the difference matters
 * to KVM_CAP_X86_USER_SPACE_MSR.
 */
enum msr_rc msr_get(struct msr_file *file, u32 index, bool host, u64 *val);

/**
 * msr_set() - WRMSR or KVM_SET_MSRS
 *
 * On anything but MSR_OK nothing was changed; MSR_BAD may also mean that there
 * is no memory for a machine-check bank. May sleep.
 */
enum msr_rc msr_set(struct msr_file *file, u32 index, bool host, u64 val);

/**
 * msr_set_plain() - WRMSR, if that is no more than a store to the file
 *
 * No callback is called. MSR_OK, or MSR_UNKNOWN: use msr_set().
 */
enum msr_rc __must_check msr_set_plain(struct msr_file *file, u32 index,
				       u64 val);

/**
 * msr_list() - KVM_GET_MSR_INDEX_LIST
 * @supported: the host's supported CPUID, as a set
 * @out: room for @max indices
 *
 * Returns how many there are; indices past @max were not written.
 */
u32 msr_list(const struct cpuid_set *supported, u32 *out, u32 max);

/** msr_feature_list() - KVM_GET_MSR_FEATURE_INDEX_LIST, as msr_list() */
u32 msr_feature_list(const struct cpuid_set *supported, u32 *out, u32 max);

/**
 * msr_feature_get() - KVM_GET_MSRS on /dev/kvm
 *
 * MSR_UNKNOWN also for those that only backend.feature_msr() can tell.
 */
enum msr_rc msr_feature_get(const struct msr_feature_env *env, u32 index,
			    u64 *val);

/**
 * msr_mce_setup() - KVM_X86_SETUP_MCE
 * @mcg_cap: bank count and MCG_CAP_* bits
 *
 * False (-EINVAL) for no bank, more than MCG_BANKS, or unsupported bits. Else
 * enables everything in MCG_CTL and each bank's MCi_CTL.
 */
bool msr_mce_setup(struct msr_file *file, u64 mcg_cap);

/** msr_cpuid_faults() - does CPUID raise #GP(0) above privilege level 0 */
static inline bool msr_cpuid_faults(const struct msr_file *file)
{
	return file->val[SLOT_MISC_FEATURES] & MISC_FEATURES_CPUID_FAULT;
}

/** msr_mtrrs() - the MTRRs, for mtrr_type(); good as long as @file */
static inline const struct mtrr_regs *msr_mtrrs(const struct msr_file *file)
{
	return (const struct mtrr_regs *)&file->val[SLOT_MTRR_VAR];
}

/** pat_valid() - does each of the eight entries name a memory type */
bool pat_valid(u64 pat);

#endif
