// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's CPUID: the set its VMM gave, indexed, and the CPUID instruction
 * executed on it. cpuid.h tells the rules; cpuid_supported.c builds what VMMs
 * start from.
 *
 * A set is one allocation: struct, entries, keys, order. The keys are sorted
 * and unique, so that a query is one binary search over at most 256 numbers; the
 * leaves that guests ask for need none, if not for an index.
 * An entry without KVM_CPUID_FLAG_SIGNIFCANT_INDEX answers for every index and
 * has the key of index 0.
 *
 * Callers: the CPUID exit, the emulator's glue, KVM_SET_CPUID2.
 */
#include "x86/cpuid.h"

#define XCR0_DYNAMIC BIT_ULL(18)	/* XTILEDATA: permission needed */
#define APIC_BASE_ENABLE BIT(11)

#define LEAF1_ECX_MONITOR BIT(3)
#define LEAF1_ECX_OSXSAVE BIT(27)
#define LEAF1_EDX_APIC BIT(9)
#define LEAF7_ECX_OSPKE BIT(4)
#define LEAFD1_EAX_COMPACT (BIT(1) | BIT(3))	/* XSAVEC, XSAVES */

static_assert(sizeof(struct kvm_cpuid_entry2) == 40, "KVM API");

struct cpuid_row {
	u32 leaf;
	u8 index;
	u8 out;			/* enum cpuid_out */
	u8 bit;
};

static const struct cpuid_row cpuid_rows[FEAT_COUNT] = {
#define CPUID_ROW(name, leaf_, index_, out_, bit_, ...)                     \
	[FEAT_##name] = {                                                   \
		.leaf = (leaf_), .index = (index_), .out = OUT_##out_,      \
		.bit = (bit_),                                              \
	},
	CPUID_ROWS(CPUID_ROW)
#undef CPUID_ROW
};

const char *cpuid_feature_name(enum cpuid_feature feature)
{
	static const char *const names[FEAT_COUNT] = {
#define CPUID_NAME(name, ...) [FEAT_##name] = #name,
		CPUID_ROWS(CPUID_NAME)
#undef CPUID_NAME
	};

	return feature < FEAT_COUNT ? names[feature] : "?";
}

static u64 cpuid_key(u32 leaf, u32 index)
{
	return (u64)leaf << 32 | index;
}

static u32 cpuid_reg(const struct kvm_cpuid_entry2 *entry, u8 out)
{
	switch (out) {
	case OUT_EAX:
		return entry->eax;
	case OUT_EBX:
		return entry->ebx;
	case OUT_ECX:
		return entry->ecx;
	default:
		return entry->edx;
	}
}

static bool cpuid_matches(const struct kvm_cpuid_entry2 *entry, u32 leaf,
			  u32 index)
{
	return entry->function == leaf &&
	       (!(entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX) ||
		entry->index == index);
}

/* ---- the index ---- */

/* How many keys are not above @key. */
static u32 cpuid_rank(const struct cpuid_set *set, u64 key)
{
	u32 lo = 0, hi = set->key_count;

	while (lo < hi) {
		u32 mid = (lo + hi) / 2;

		if (set->keys[mid] <= key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static const struct kvm_cpuid_entry2 *cpuid_at(const struct cpuid_set *set,
					       u64 key)
{
	u32 rank = cpuid_rank(set, key);

	/* leaf and index come from the guest */
	if (!rank)
		return NULL;
	rank = array_index_nospec(rank - 1, set->key_count);
	return &set->entries[set->order[rank]];
}

/* Where the number of @leaf's first entry is kept; NULL: nowhere. */
static const u8 *cpuid_first(const struct cpuid_set *set, u32 leaf)
{
	if ((leaf & GENMASK(29, 0)) >= CPUID_FIRST)
		return NULL;
	return &set->first[leaf >> 30][leaf % CPUID_FIRST];
}

static noinline const struct kvm_cpuid_entry2 *cpuid_search(const struct cpuid_set *set,
						   u32 leaf, u32 index)
{
	const struct kvm_cpuid_entry2 *entry;

	entry = cpuid_at(set, cpuid_key(leaf, index));
	if (!entry || entry->function != leaf)
		return NULL;
	if (cpuid_matches(entry, leaf, index))
		return entry;
	/* one for all indices may stand beside those for some */
	entry = cpuid_at(set, cpuid_key(leaf, 0));
	return entry && cpuid_matches(entry, leaf, index) ? entry : NULL;
}

static __always_inline const struct kvm_cpuid_entry2 *
cpuid_find_quick(const struct cpuid_set *set, u32 leaf, u32 index)
{
	const struct kvm_cpuid_entry2 *entry;
	const u8 *first;

	if (!set)
		return NULL;
	first = cpuid_first(set, leaf);
	if (first && *first) {
		entry = &set->entries[*first - 1];
		if (likely(cpuid_matches(entry, leaf, index)))
			return entry;
	}
	return cpuid_search(set, leaf, index);
}

const struct kvm_cpuid_entry2 *cpuid_find(const struct cpuid_set *set,
					  u32 leaf, u32 index)
{
	return cpuid_find_quick(set, leaf, index);
}

/* VMMs send entries in order, or nearly: insertion is the right sort. */
static void cpuid_index(struct cpuid_set *set)
{
	u32 i, at;

	for (i = 0; i < set->n; i++) {
		const struct kvm_cpuid_entry2 *entry = &set->entries[i];
		bool indexed = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
		u64 key = cpuid_key(entry->function,
				    indexed ? entry->index : 0);

		at = cpuid_rank(set, key);
		if (at && set->keys[at - 1] == key)
			continue;
		memmove(&set->keys[at + 1], &set->keys[at],
			(set->key_count - at) * sizeof(set->keys[0]));
		memmove(&set->order[at + 1], &set->order[at],
			(set->key_count - at) * sizeof(set->order[0]));
		set->keys[at] = key;
		set->order[at] = i;
		set->key_count++;
	}
}

/* An entry for all indices that stands beside others needs the search. */
static void cpuid_index_first(struct cpuid_set *set)
{
	u32 i, leaf, above = 0;

	for (i = set->key_count; i-- > 0; above = leaf) {
		u32 flags = set->entries[set->order[i]].flags;
		u8 *first;

		leaf = set->keys[i] >> 32;
		first = (u8 *)cpuid_first(set, leaf);
		if (!first || set->order[i] == U8_MAX)
			continue;
		*first = set->order[i] + 1;
		if (i + 1 < set->key_count && leaf == above &&
		    !(flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX))
			*first = 0;
	}
}

/* ---- what is computed once ---- */

static enum cpuid_vendor cpuid_vendor_of(const struct kvm_cpuid_entry2 *leaf0)
{
	u32 name[3] = { leaf0->ebx, leaf0->edx, leaf0->ecx };

	if (!memcmp(name, "GenuineIntel", 12))
		return CPUID_INTEL;
	if (!memcmp(name, "AuthenticAMD", 12) ||
	    !memcmp(name, "HygonGenuine", 12))
		return CPUID_AMD;
	return CPUID_OTHER;
}

static void cpuid_summarize_bits(struct cpuid_set *set)
{
	const struct kvm_cpuid_entry2 *entry;
	unsigned int i;

	for (i = 0; i < FEAT_COUNT; i++) {
		const struct cpuid_row *row = &cpuid_rows[i];

		entry = cpuid_find(set, row->leaf, row->index);
		if (entry && (cpuid_reg(entry, row->out) >> row->bit & 1))
			__set_bit(i, set->bits.has);
	}
}

static void cpuid_summarize_xstate(struct cpuid_set *set)
{
	const struct kvm_cpuid_entry2 *entry = cpuid_find(set, 0xd, 0);
	u32 i;

	if (!entry || !cpuid_has(set, FEAT_XSAVE))
		return;
	set->xcr0 = (u64)entry->edx << 32 | entry->eax;
	for (i = 2; i < XSTATE_COMPONENTS; i++) {
		entry = cpuid_find(set, 0xd, i);
		if (entry) {
			u32 out[4] = { entry->eax, entry->ebx, entry->ecx,
				       entry->edx };

			xstate_layout_set(&set->xstate, i, out);
		}
	}
}

static void cpuid_summarize(struct cpuid_set *set)
{
	const struct kvm_cpuid_entry2 *entry;

	set->vendor = CPUID_OTHER;
	entry = cpuid_find(set, 0, 0);
	if (entry) {
		set->max_basic = entry->eax;
		set->vendor = cpuid_vendor_of(entry);
	}
	entry = cpuid_find(set, 1, 0);
	set->signature = entry ? entry->eax : 0x600;
	entry = cpuid_find(set, 0x80000008, 0);
	set->maxphyaddr = entry ? entry->eax & 0xff : 0;
	if (!set->maxphyaddr)
		set->maxphyaddr = 36;
	set->maxphyaddr = min_t(u8, set->maxphyaddr, 52);
	cpuid_summarize_bits(set);
	cpuid_summarize_xstate(set);
}

struct cpuid_set *cpuid_set_new(const struct kvm_cpuid_entry2 *entries, u32 n)
{
	size_t entries_size = n * sizeof(entries[0]);
	struct cpuid_set *set;

	if (n > CPUID_MAX_ENTRIES)
		return NULL;
	set = host_zalloc(sizeof(*set) + entries_size + n * sizeof(u64) + n);
	if (!set)
		return NULL;
	set->n = n;
	set->keys = (u64 *)((u8 *)set->entries + entries_size);
	set->order = (u8 *)(set->keys + n);
	if (n)
		memcpy(set->entries, entries, entries_size);
	cpuid_index(set);
	cpuid_index_first(set);
	cpuid_summarize(set);
	return set;
}

void cpuid_set_free(struct cpuid_set *set)
{
	host_free(set);
}

bool cpuid_check(const struct kvm_cpuid_entry2 *entries, u32 n, u64 xfeatures)
{
	u32 i;

	for (i = 0; i < n; i++) {
		const struct kvm_cpuid_entry2 *entry = &entries[i];
		u32 vaddr = entry->eax >> 8 & 0xff;
		u64 xcr0 = (u64)entry->edx << 32 | entry->eax;

		if (cpuid_matches(entry, 0x80000008, 0) && vaddr &&
		    vaddr != 48 && vaddr != 57)
			return false;
		if (cpuid_matches(entry, 0xd, 0) &&
		    (xcr0 & XCR0_DYNAMIC & ~xfeatures))
			return false;
	}
	return true;
}

/* ---- the instruction ---- */

/* The last leaf of the range @leaf is in; 0 for a range that is not there. */
static u32 cpuid_range_end(const struct cpuid_set *set, u32 leaf)
{
	const struct kvm_cpuid_entry2 *first;
	u32 base = leaf & 0xffff0000;

	if (!base)
		return set->max_basic;
	if (base == 0x40000000)
		base = leaf & 0xffffff00;	/* hypervisors have 256 each */
	first = cpuid_find(set, base, 0);
	return first ? first->eax : 0;
}

static void cpuid_overlay(const struct cpuid_dyn *dyn, u32 leaf, u32 index,
			  u32 out[4])
{
	if (leaf == 1) {
		out[OUT_ECX] &= ~(u32)LEAF1_ECX_OSXSAVE;
		if (dyn->osxsave)
			out[OUT_ECX] |= LEAF1_ECX_OSXSAVE;
		if (!dyn->apic)
			out[OUT_EDX] &= ~(u32)LEAF1_EDX_APIC;
		if (dyn->mwait_by_msr) {
			out[OUT_ECX] &= ~(u32)LEAF1_ECX_MONITOR;
			if (dyn->mwait)
				out[OUT_ECX] |= LEAF1_ECX_MONITOR;
		}
	} else if (leaf == 7 && !index) {
		out[OUT_ECX] &= ~(u32)LEAF7_ECX_OSPKE;
		if (dyn->ospke)
			out[OUT_ECX] |= LEAF7_ECX_OSPKE;
	} else if (leaf == 0xd && !index) {
		out[OUT_EBX] = dyn->xsave_size;
	} else if (leaf == 0xd && index == 1) {
		if (out[OUT_EAX] & LEAFD1_EAX_COMPACT)
			out[OUT_EBX] = dyn->xsavec_size;
	}
}

/* In range, but no entry: zeros, save for what topology leaves promise. */
static void cpuid_absent(const struct cpuid_set *set, u32 leaf, u32 index,
			 u32 out[4])
{
	const struct kvm_cpuid_entry2 *first;

	if (leaf != 0xb && leaf != 0x1f)
		return;
	first = cpuid_find(set, leaf, 0);
	if (first) {
		out[OUT_ECX] = index & 0xff;
		out[OUT_EDX] = first->edx;
	}
}

/* Those that cpuid_overlay() knows: no other leaf costs a look at each. */
static __always_inline bool cpuid_is_dynamic(u32 leaf)
{
	return leaf <= 0xd && ((BIT(0x1) | BIT(0x7) | BIT(0xd)) >> leaf & 1);
}

static __always_inline void cpuid_answer(const struct kvm_cpuid_entry2 *entry,
					 const struct cpuid_dyn *dyn,
					 u32 leaf, u32 index, u32 out[4])
{
	out[OUT_EAX] = entry->eax;
	out[OUT_EBX] = entry->ebx;
	out[OUT_ECX] = entry->ecx;
	out[OUT_EDX] = entry->edx;
	if (cpuid_is_dynamic(leaf))
		cpuid_overlay(dyn, leaf, index, out);
}

const struct kvm_cpuid_entry2 *cpuid_plain(const struct cpuid_set *set,
					   u32 leaf, u32 index)
{
	if (cpuid_is_dynamic(leaf))
		return NULL;
	return cpuid_find_quick(set, leaf, index);
}

static noinline void cpuid_query_range(const struct cpuid_set *set,
				       const struct cpuid_dyn *dyn,
				       u32 leaf, u32 index, u32 out[4])
{
	const struct kvm_cpuid_entry2 *entry;

	out[OUT_EAX] = 0;
	out[OUT_EBX] = 0;
	out[OUT_ECX] = 0;
	out[OUT_EDX] = 0;
	if (!set)
		return;
	if (leaf <= cpuid_range_end(set, leaf)) {
		cpuid_absent(set, leaf, index, out);
		return;
	}
	if (set->vendor == CPUID_AMD)
		return;
	entry = cpuid_find(set, set->max_basic, index);
	if (entry)
		cpuid_answer(entry, dyn, set->max_basic, index, out);
}

void cpuid_query(const struct cpuid_set *set, const struct cpuid_dyn *dyn,
		 u32 leaf, u32 index, u32 out[4])
{
	const struct kvm_cpuid_entry2 *entry;

	entry = cpuid_find_quick(set, leaf, index);
	if (likely(entry))
		cpuid_answer(entry, dyn, leaf, index, out);
	else
		cpuid_query_range(set, dyn, leaf, index, out);
}

static void cpuid_entry_overlay(struct kvm_cpuid_entry2 *entry,
				const struct cpuid_dyn *dyn)
{
	bool indexed = entry->flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	u32 out[4] = {
		[OUT_EAX] = entry->eax, [OUT_EBX] = entry->ebx,
		[OUT_ECX] = entry->ecx, [OUT_EDX] = entry->edx,
	};

	cpuid_overlay(dyn, entry->function, indexed ? entry->index : 0, out);
	entry->eax = out[OUT_EAX];
	entry->ebx = out[OUT_EBX];
	entry->ecx = out[OUT_ECX];
	entry->edx = out[OUT_EDX];
}

void cpuid_entry_now(const struct cpuid_set *set, const struct cpuid_dyn *dyn,
		     u32 i, struct kvm_cpuid_entry2 *out)
{
	*out = set->entries[i];
	cpuid_entry_overlay(out, dyn);
}

bool cpuid_set_equal(const struct cpuid_set *set,
		     const struct kvm_cpuid_entry2 *entries, u32 n)
{
	static const struct cpuid_dyn none;
	struct kvm_cpuid_entry2 mine, other;
	u32 i;

	if ((set ? set->n : 0) != n)
		return false;
	for (i = 0; i < n; i++) {
		cpuid_entry_now(set, &none, i, &mine);
		other = entries[i];
		cpuid_entry_overlay(&other, &none);
		if (memcmp(&mine, &other,
			   offsetof(struct kvm_cpuid_entry2, padding)))
			return false;
	}
	return true;
}

void cpuid_dyn_update(struct cpuid_dyn *dyn, const struct cpuid_set *set,
		      const struct regs *regs, u64 apic_base)
{
	dyn->osxsave = regs->cr4 & CR4_OSXSAVE;
	dyn->ospke = regs->cr4 & CR4_PKE;
	dyn->apic = apic_base & APIC_BASE_ENABLE;
	dyn->xsave_size = 0;
	dyn->xsavec_size = 0;
	if (!set)
		return;
	dyn->xsave_size = xstate_size(&set->xstate, regs->xcr0);
	dyn->xsavec_size = xstate_size_compact(&set->xstate,
					       regs->xcr0 | regs->xss);
}
