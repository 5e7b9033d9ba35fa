// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CPUID this product can give to guests: KVM_GET_SUPPORTED_CPUID.
 *
 * Feature words come from the rows of cpuid_rows.h and from nowhere else:
 * which rows are offered on this host is decided first, closed under their
 * prerequisites; a word is then the sum of its offered rows. The other fields
 * are data (caches, sizes, names) and pass from the host where they do not
 * depend on the CPU that happens to read them: topology is the VMM's to fill
 * in and reads as zero here.
 *
 * Owns nothing. Called when the modules are loaded and by an ioctl.
 */
#include "x86/cpuid.h"
#include "x86/xstate.h"

#define MAX_BASIC 0x1f
#define MAX_EXT_INTEL 0x80000008
#define MAX_EXT_AMD 0x80000021
#define MAX_CACHES 8

/* Bits of leaf 1 EDX that AMD repeats in leaf 0x80000001, APM vol. 3, E.4.2 */
#define AMD_EDX_ALIASES 0x0183f3ffU

enum cpuid_policy {
	POLICY_HOST,
	POLICY_INTEL,
	POLICY_AMD,
	POLICY_ALWAYS,
	POLICY_INTELALL,
	POLICY_AMDALL,
	POLICY_NEVER,
};

struct cpuid_offer {
	u32 leaf;
	u8 index, out, bit;
	u8 policy;
	u16 prerequisite;	/* enum cpuid_feature */
	u64 need;
};

static const struct cpuid_offer offers[FEAT_COUNT] = {
#define CPUID_OFFER(name, leaf_, index_, out_, bit_, policy_, pre, need_)   \
	[FEAT_##name] = {                                                   \
		.leaf = (leaf_), .index = (index_), .out = OUT_##out_,      \
		.bit = (bit_), .policy = POLICY_##policy_,                  \
		.prerequisite = FEAT_##pre, .need = (need_),                \
	},
	CPUID_ROWS(CPUID_OFFER)
#undef CPUID_OFFER
};

struct cpuid_build {
	const struct cpuid_env *env;
	enum cpuid_vendor vendor;
	u32 max_basic, max_ext, max_7;
	u64 xcr0;
	struct cpuid_bits offered;
	/* the last leaf that was read */
	u32 leaf, index, host[4];
	/* output */
	struct kvm_cpuid_entry2 *out;
	struct kvm_cpuid_entry2 spill;	/* takes what is past @max */
	u32 n, max;
};

/* ---- the host ---- */

static bool cpuid_host_has_leaf(const struct cpuid_build *b, u32 leaf,
				u32 index)
{
	if (leaf == 7)
		return b->max_basic >= 7 && index <= b->max_7;
	if (leaf >= 0x80000000)
		return leaf <= b->max_ext;
	return leaf <= b->max_basic;
}

/* Reads beyond a maximum would answer with another leaf on some parts. */
static const u32 *cpuid_host(struct cpuid_build *b, u32 leaf, u32 index)
{
	if (b->leaf == leaf && b->index == index)
		return b->host;
	b->leaf = leaf;
	b->index = index;
	memset(b->host, 0, sizeof(b->host));
	if (cpuid_host_has_leaf(b, leaf, index))
		b->env->read(b->env, leaf, index, b->host);
	return b->host;
}

static void cpuid_probe(struct cpuid_build *b)
{
	u32 out[4];

	b->env->read(b->env, 0, 0, out);
	b->max_basic = min(out[OUT_EAX], (u32)MAX_BASIC);
	if (out[OUT_EBX] == 0x756e6547)		/* "Genu"ineIntel */
		b->vendor = CPUID_INTEL;
	else if (out[OUT_EBX] == 0x68747541 ||	/* "Auth"enticAMD */
		 out[OUT_EBX] == 0x6f677948)	/* "Hygo"nGenuine */
		b->vendor = CPUID_AMD;
	else
		b->vendor = CPUID_OTHER;

	b->env->read(b->env, 0x80000000, 0, out);
	b->max_ext = min(out[OUT_EAX], b->vendor == CPUID_AMD ?
				 (u32)MAX_EXT_AMD : (u32)MAX_EXT_INTEL);
	if (b->max_basic >= 7) {
		b->env->read(b->env, 7, 0, out);
		b->max_7 = min(out[OUT_EAX], 2U);
	}
	b->leaf = 0xffffffff;	/* nothing was read yet */
}

/* ---- which rows are offered ---- */

static bool cpuid_row_offered(struct cpuid_build *b,
			      const struct cpuid_offer *offer)
{
	bool host = cpuid_host(b, offer->leaf, offer->index)[offer->out] >>
		    offer->bit & 1;
	u64 have = (b->env->needs & ~0xffffffffULL) | b->xcr0;

	if (offer->need & ~have)
		return false;
	switch (offer->policy) {
	case POLICY_HOST:
		return host;
	case POLICY_INTEL:
		return host && b->vendor == CPUID_INTEL;
	case POLICY_AMD:
		return host && b->vendor == CPUID_AMD;
	case POLICY_ALWAYS:
		return true;
	case POLICY_INTELALL:
		return b->vendor == CPUID_INTEL;
	case POLICY_AMDALL:
		return b->vendor == CPUID_AMD && offer->leaf <= b->max_ext;
	default:
		return false;
	}
}

static bool cpuid_offered(const struct cpuid_build *b, unsigned int feature)
{
	return test_bit(feature, b->offered.has);
}

static void cpuid_decide(struct cpuid_build *b)
{
	bool again = true;
	unsigned int i;

	for (i = 0; i < FEAT_COUNT; i++)
		if (cpuid_row_offered(b, &offers[i]))
			__set_bit(i, b->offered.has);

	/* each round but the last removes a row: it ends */
	while (again) {
		again = false;
		for (i = 0; i < FEAT_COUNT; i++) {
			u16 pre = offers[i].prerequisite;

			if (pre == FEAT_NONE || !cpuid_offered(b, i) ||
			    cpuid_offered(b, pre))
				continue;
			__clear_bit(i, b->offered.has);
			again = true;
		}
	}
}

static u32 cpuid_word(const struct cpuid_build *b, u32 leaf, u32 index,
		      enum cpuid_out out)
{
	u32 word = 0;
	unsigned int i;

	for (i = 0; i < FEAT_COUNT; i++)
		if (offers[i].leaf == leaf && offers[i].index == index &&
		    offers[i].out == out && cpuid_offered(b, i))
			word |= BIT(offers[i].bit);
	return word;
}

/* ---- entries ---- */

static struct kvm_cpuid_entry2 *cpuid_add(struct cpuid_build *b, u32 leaf)
{
	struct kvm_cpuid_entry2 *entry = &b->spill;

	if (b->n < b->max)
		entry = &b->out[b->n];
	b->n++;
	*entry = (struct kvm_cpuid_entry2){ .function = leaf };
	return entry;
}

static struct kvm_cpuid_entry2 *cpuid_add_sub(struct cpuid_build *b, u32 leaf,
					      u32 index)
{
	struct kvm_cpuid_entry2 *entry = cpuid_add(b, leaf);

	entry->index = index;
	entry->flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX;
	return entry;
}

static void cpuid_fill(struct kvm_cpuid_entry2 *entry, const u32 host[4])
{
	entry->eax = host[OUT_EAX];
	entry->ebx = host[OUT_EBX];
	entry->ecx = host[OUT_ECX];
	entry->edx = host[OUT_EDX];
}

/* The host's answer, whole, where the host has the leaf. */
static void cpuid_add_host(struct cpuid_build *b, u32 leaf)
{
	if (cpuid_host_has_leaf(b, leaf, 0))
		cpuid_fill(cpuid_add(b, leaf), cpuid_host(b, leaf, 0));
}

/* Subleaves that describe a cache each, to the first of type 0. */
static void cpuid_add_caches(struct cpuid_build *b, u32 leaf)
{
	u32 i;

	for (i = 0; i < MAX_CACHES; i++) {
		const u32 *host = cpuid_host(b, leaf, i);

		cpuid_fill(cpuid_add_sub(b, leaf, i), host);
		if (!(host[OUT_EAX] & 0x1f))
			return;
	}
}

static void cpuid_add_7(struct cpuid_build *b)
{
	u32 i;

	for (i = 0; i <= b->max_7; i++) {
		struct kvm_cpuid_entry2 *entry = cpuid_add_sub(b, 7, i);

		entry->eax = i ? cpuid_word(b, 7, i, OUT_EAX) : b->max_7;
		entry->ebx = cpuid_word(b, 7, i, OUT_EBX);
		entry->ecx = cpuid_word(b, 7, i, OUT_ECX);
		entry->edx = cpuid_word(b, 7, i, OUT_EDX);
	}
}

static void cpuid_add_xsave(struct cpuid_build *b)
{
	struct xstate_layout layout = { .comp[0].size = 0 };
	struct kvm_cpuid_entry2 *entry;
	u32 i;

	if (!cpuid_offered(b, FEAT_XSAVE))
		return;
	for (i = 2; i < XSTATE_COMPONENTS; i++)
		if (b->xcr0 >> i & 1)
			xstate_layout_set(&layout, i, cpuid_host(b, 0xd, i));

	entry = cpuid_add_sub(b, 0xd, 0);
	entry->eax = b->xcr0;
	entry->edx = b->xcr0 >> 32;
	entry->ebx = xstate_size(&layout, b->xcr0);
	entry->ecx = entry->ebx;

	entry = cpuid_add_sub(b, 0xd, 1);
	entry->eax = cpuid_word(b, 0xd, 1, OUT_EAX);
	if (cpuid_offered(b, FEAT_XSAVEC))
		entry->ebx = xstate_size_compact(&layout, b->xcr0);

	for (i = 2; i < XSTATE_COMPONENTS; i++) {
		if (!(b->xcr0 >> i & 1))
			continue;
		entry = cpuid_add_sub(b, 0xd, i);
		entry->eax = layout.comp[i].size;
		entry->ebx = layout.comp[i].offset;
		entry->ecx = layout.comp[i].align ? 2 : 0;
	}
}

static void cpuid_add_basic(struct cpuid_build *b)
{
	struct kvm_cpuid_entry2 *entry = cpuid_add(b, 0);

	cpuid_fill(entry, cpuid_host(b, 0, 0));
	entry->eax = b->max_basic;

	entry = cpuid_add(b, 1);
	entry->eax = cpuid_host(b, 1, 0)[OUT_EAX];
	entry->ebx = cpuid_host(b, 1, 0)[OUT_EBX] & 0xff00; /* CLFLUSH size */
	entry->ecx = cpuid_word(b, 1, 0, OUT_ECX);
	entry->edx = cpuid_word(b, 1, 0, OUT_EDX);

	if (b->vendor != CPUID_AMD) {
		cpuid_add_host(b, 2);
		if (b->max_basic >= 4)
			cpuid_add_caches(b, 4);
	}
	if (b->max_basic >= 5)
		cpuid_add(b, 5);
	if (b->max_basic >= 6)
		cpuid_add(b, 6)->eax = cpuid_word(b, 6, 0, OUT_EAX);
	if (b->max_basic >= 7)
		cpuid_add_7(b);
	if (b->max_basic >= 0xa)
		cpuid_add(b, 0xa);
	if (b->max_basic >= 0xb)
		cpuid_add_sub(b, 0xb, 0);
	if (b->max_basic >= 0xd)
		cpuid_add_xsave(b);
	if (b->max_basic >= 0x1f)
		cpuid_add_sub(b, 0x1f, 0);
}

static void cpuid_add_kvm(struct cpuid_build *b)
{
	struct kvm_cpuid_entry2 *entry = cpuid_add(b, 0x40000000);

	entry->eax = 0x40000001;
	memcpy(&entry->ebx, "KVMK", 4);
	memcpy(&entry->ecx, "VMKV", 4);
	memcpy(&entry->edx, "M\0\0", 4);

	entry = cpuid_add(b, 0x40000001);
	entry->eax = cpuid_word(b, 0x40000001, 0, OUT_EAX) | b->env->pv;
}

static void cpuid_add_sizes(struct cpuid_build *b)
{
	struct kvm_cpuid_entry2 *entry = cpuid_add(b, 0x80000008);
	u32 host = cpuid_host(b, 0x80000008, 0)[OUT_EAX];
	u32 phys = host & 0xff, vaddr = 48;

	if (cpuid_offered(b, FEAT_LA57))
		vaddr = host >> 8 & 0xff;
	entry->eax = phys | vaddr << 8 |
		     min(phys, (u32)b->env->gpa_bits) << 16;
	entry->ebx = cpuid_word(b, 0x80000008, 0, OUT_EBX);
}

static void cpuid_add_amd(struct cpuid_build *b)
{
	struct kvm_cpuid_entry2 *entry;

	cpuid_add_host(b, 0x80000019);
	cpuid_add_host(b, 0x8000001a);
	if (cpuid_offered(b, FEAT_TOPOEXT)) {
		if (b->max_ext >= 0x8000001d)
			cpuid_add_caches(b, 0x8000001d);
		if (b->max_ext >= 0x8000001e)
			cpuid_add(b, 0x8000001e);
	}
	if (b->max_ext >= 0x80000021) {
		entry = cpuid_add(b, 0x80000021);
		entry->eax = cpuid_word(b, 0x80000021, 0, OUT_EAX);
		entry->ecx = cpuid_word(b, 0x80000021, 0, OUT_ECX);
	}
}

static void cpuid_add_extended(struct cpuid_build *b)
{
	bool amd = b->vendor == CPUID_AMD;
	struct kvm_cpuid_entry2 *entry;
	u32 leaf;

	entry = cpuid_add(b, 0x80000000);
	cpuid_fill(entry, cpuid_host(b, 0x80000000, 0));
	entry->eax = b->max_ext;

	entry = cpuid_add(b, 0x80000001);
	if (amd) {
		entry->eax = cpuid_host(b, 0x80000001, 0)[OUT_EAX];
		entry->ebx = cpuid_host(b, 0x80000001, 0)[OUT_EBX];
		entry->edx = cpuid_word(b, 1, 0, OUT_EDX) & AMD_EDX_ALIASES;
	}
	entry->ecx = cpuid_word(b, 0x80000001, 0, OUT_ECX);
	entry->edx |= cpuid_word(b, 0x80000001, 0, OUT_EDX);

	for (leaf = 0x80000002; leaf <= 0x80000006; leaf++)
		cpuid_add_host(b, leaf);
	if (b->max_ext >= 0x80000007)
		cpuid_add(b, 0x80000007)->edx =
			cpuid_word(b, 0x80000007, 0, OUT_EDX);
	if (b->max_ext >= 0x80000008)
		cpuid_add_sizes(b);
	if (amd)
		cpuid_add_amd(b);
}

u32 cpuid_supported(const struct cpuid_env *env, struct kvm_cpuid_entry2 *out,
		    u32 max)
{
	struct cpuid_build b = {
		.env = env,
		.xcr0 = env->xcr0 & XCR0_OFFERED,
		.out = out,
		.max = max,
	};

	cpuid_probe(&b);
	cpuid_decide(&b);
	cpuid_add_basic(&b);
	cpuid_add_kvm(&b);
	cpuid_add_extended(&b);
	return b.n;
}
