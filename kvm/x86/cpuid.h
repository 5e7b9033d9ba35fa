/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * CPUID: what this product can offer on a host, and what one vCPU was given.
 *
 * The supported set is built from the host's CPUID and the rows of
 * cpuid_rows.h. A vCPU's set is what its VMM gave to KVM_SET_CPUID2: kept as
 * it came, because it is handed back unchanged, with a sorted index for
 * queries and a bitmap of the rows for code that asks about features. What
 * depends on the vCPU's state (OSXSAVE, APIC, OSPKE, the XSAVE sizes) is
 * never stored in the set but laid over the answer from struct cpuid_dyn.
 *
 * Invariant: a cpuid_set is immutable after cpuid_set_new(): sharing it needs
 * no lock. A struct cpuid_dyn belongs to the vCPU's thread.
 */
#ifndef X86_CPUID_H
#define X86_CPUID_H

#include "base/host.h"
#include "x86/cpuid_rows.h"
#include "x86/regs.h"
#include "x86/xstate.h"

/* The most KVM_SET_CPUID2 takes; more is the caller's -E2BIG. */
#define CPUID_MAX_ENTRIES 256
/* So many leaves of each range are found without a search. */
#define CPUID_FIRST 64
/* No supported set is longer: VMMs ask with room for this many. */
#define CPUID_MAX_SUPPORTED 100

/* The four registers a query answers in, as out[] is ordered. */
enum cpuid_out { OUT_EAX, OUT_EBX, OUT_ECX, OUT_EDX };

/* One number per row of cpuid_rows.h. */
enum cpuid_feature {
#define CPUID_ENUM(name, ...) FEAT_##name,
	CPUID_ROWS(CPUID_ENUM)
#undef CPUID_ENUM
	FEAT_COUNT,
	FEAT_NONE = FEAT_COUNT,
};

/* Needs of rows beside the host's bit; the XCR0 components are bits 0-31. */
#define CPUID_NEED_RDTSCP	(1ULL << 32)	/* TSC_AUX is switched */
#define CPUID_NEED_INVPCID	(1ULL << 33)	/* runs in the guest */
#define CPUID_NEED_SPEC_CTRL	(1ULL << 34)	/* the MSR is switched */
#define CPUID_NEED_FLUSH_CMD	(1ULL << 35)
#define CPUID_NEED_VIRT_SSBD	(1ULL << 36)
#define CPUID_NEED_IBPB		(1ULL << 37)

enum cpuid_vendor {
	CPUID_INTEL,
	CPUID_AMD,		/* and Hygon */
	CPUID_OTHER,		/* answered as Intel's would */
};

/* What the supported set is computed from. */
struct cpuid_env {
	/* The host's CPUID, without what its kernel switched off. */
	void (*read)(const struct cpuid_env *env, u32 leaf, u32 index,
		     u32 out[4]);
	u64 needs;		/* CPUID_NEED_* the backend can satisfy */
	u64 xcr0;		/* components the host switches for guests */
	u32 pv;			/* leaf 0x40000001 EAX bits of the PV units */
	u8 gpa_bits;		/* width that the TDP's tables map */
};

/* The part of the answers that follows the vCPU's state. */
struct cpuid_dyn {
	bool osxsave;		/* CR4.OSXSAVE */
	bool ospke;		/* CR4.PKE */
	bool apic;		/* IA32_APIC_BASE.EN */
	bool mwait_by_msr;	/* MONITOR/MWAIT follows IA32_MISC_ENABLE: */
	bool mwait;		/* so it is there */
	u32 xsave_size;		/* leaf 0xD.0 EBX: area for XCR0 */
	u32 xsavec_size;	/* leaf 0xD.1 EBX: compacted, XCR0 | XSS */
};

/* Which rows of cpuid_rows.h a set has. */
struct cpuid_bits {
	DECLARE_BITMAP(has, FEAT_COUNT);
};

struct cpuid_set {
	u32 n;
	u32 max_basic;		/* leaf 0 EAX */
	u32 signature;		/* leaf 1 EAX */
	u64 xcr0;		/* components leaf 0xD allows; 0 if no XSAVE */
	u8 vendor;		/* enum cpuid_vendor */
	u8 maxphyaddr;
	struct cpuid_bits bits;
	struct xstate_layout xstate;
	u32 key_count;
	u64 *keys;		/* leaf << 32 | index, ascending, unique */
	u8 *order;		/* keys[i] is entries[order[i]] */
	/* The first entry of a leaf, plus one: cpuid_first(). */
	u8 first[4][CPUID_FIRST];
	struct kvm_cpuid_entry2 entries[];
};

/**
 * cpuid_supported() - the entries KVM_GET_SUPPORTED_CPUID reports
 * @env: the host
 * @out: room for @max entries
 *
 * Returns how many entries the set has; entries past @max were not written.
 * Never more than CPUID_MAX_SUPPORTED.
 */
u32 cpuid_supported(const struct cpuid_env *env, struct kvm_cpuid_entry2 *out,
		    u32 max);

/**
 * cpuid_check() - may a vCPU have these entries
 * @entries: as userspace gave them
 * @n: how many, at most CPUID_MAX_ENTRIES
 * @xfeatures: XCR0 components this VMM may give to guests
 *
 * False (-EINVAL) when the linear-address width is neither absent nor 48 nor
 * 57, or when leaf 0xD enables a dynamic component (XTILEDATA) outside
 * @xfeatures. Feature bits are not filtered: that is the VMM's decision.
 */
bool cpuid_check(const struct kvm_cpuid_entry2 *entries, u32 n, u64 xfeatures);

/**
 * cpuid_set_new() - index checked entries
 *
 * Copies them. NULL when memory is short; may sleep. @n may be 0.
 */
struct cpuid_set *cpuid_set_new(const struct kvm_cpuid_entry2 *entries, u32 n);

/** cpuid_set_free() - undo cpuid_set_new(); NULL is allowed */
void cpuid_set_free(struct cpuid_set *set);

/**
 * cpuid_set_equal() - was @set made from these entries
 * @set: NULL counts as made from none
 *
 * What cpuid_dyn decides does not count: entries may come from
 * cpuid_entry_now().
 */
bool cpuid_set_equal(const struct cpuid_set *set,
		     const struct kvm_cpuid_entry2 *entries, u32 n);

/** cpuid_has() - does the guest have this row's bit; NULL set: nothing */
static inline bool cpuid_has(const struct cpuid_set *set,
			     enum cpuid_feature feature)
{
	return set && feature < FEAT_COUNT && test_bit(feature, set->bits.has);
}

/** cpuid_has_mwait() - does the guest have MONITOR and MWAIT now */
static inline bool cpuid_has_mwait(const struct cpuid_set *set,
				   const struct cpuid_dyn *dyn)
{
	return dyn->mwait_by_msr ? dyn->mwait : cpuid_has(set, FEAT_MONITOR);
}

/**
 * cpuid_find() - the entry that answers @leaf and @index, as given
 *
 * NULL when there is none: no range rule and no dynamic bit is applied. Of
 * entries for the same leaf and index the first counts.
 */
const struct kvm_cpuid_entry2 *cpuid_find(const struct cpuid_set *set,
					  u32 leaf, u32 index);

/**
 * cpuid_plain() - the entry that answers a query just as it stands
 *
 * NULL: there is none, or the vCPU's state has a say; ask cpuid_query().
 */
const struct kvm_cpuid_entry2 *cpuid_plain(const struct cpuid_set *set,
					   u32 leaf, u32 index);

/**
 * cpuid_query() - execute CPUID
 * @set: the vCPU's set; NULL answers all zeros
 * @dyn: the vCPU's state dependent part
 * @out: EAX, EBX, ECX, EDX
 *
 * A leaf beyond the maximum of its range answers with the highest basic leaf,
 * or with zeros if the set's vendor is AMD (SDM vol. 2A, CPUID; APM vol. 3,
 * E.2). About 60 instructions; runs in the exit path.
 */
void cpuid_query(const struct cpuid_set *set, const struct cpuid_dyn *dyn,
		 u32 leaf, u32 index, u32 out[4]);

/**
 * cpuid_entry_now() - entry @i of @set as cpuid_query() answers it
 * @i: below @set->n
 */
void cpuid_entry_now(const struct cpuid_set *set, const struct cpuid_dyn *dyn,
		     u32 i, struct kvm_cpuid_entry2 *out);

/**
 * cpuid_dyn_update() - recompute what depends on the vCPU's state
 * @regs: needs RG_CR; cr4, xcr0 and xss are read
 * @apic_base: IA32_APIC_BASE
 *
 * To be called after each change of CR4, XCR0, XSS, IA32_APIC_BASE or @set.
 * The fields about MWAIT are the caller's.
 */
void cpuid_dyn_update(struct cpuid_dyn *dyn, const struct cpuid_set *set,
		      const struct regs *regs, u64 apic_base);

/** cpuid_feature_name() - "AVX2" for FEAT_AVX2, for messages and tests */
const char *cpuid_feature_name(enum cpuid_feature feature);

#endif
