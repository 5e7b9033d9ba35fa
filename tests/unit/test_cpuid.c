// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID: the feature rows as a table, the supported set on made-up hosts, and
 * a vCPU's set against a search that simply looks at every entry.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/cpuid.h"

/* ---- the table ---- */

enum policy { HOST, INTEL, AMD, ALWAYS, INTELALL, AMDALL, NEVER };

static const struct {
	const char *name;
	u32 leaf, index, out, bit;
	enum policy policy;
	unsigned int pre;
	u64 need;
} rows[] = {
#define ROW(name, leaf, index, out, bit, policy, pre, need)                 \
	{ #name, leaf, index, OUT_##out, bit, policy, FEAT_##pre, need },
	CPUID_ROWS(ROW)
};

static void test_rows_ascend(void **state)
{
	unsigned int i;

	(void)state;
	assert_int_equal(ARRAY_SIZE(rows), FEAT_COUNT);
	for (i = 0; i < FEAT_COUNT; i++) {
		u64 leaf = rows[i].leaf;
		u64 key = leaf << 16 | rows[i].index << 8 | rows[i].out << 5 |
			  rows[i].bit;

		assert_true(rows[i].bit < 32);
		if (i) {
			u64 last = (u64)rows[i - 1].leaf << 16 |
				   rows[i - 1].index << 8 |
				   rows[i - 1].out << 5 | rows[i - 1].bit;

			if (key <= last)
				fail_msg("%s is out of order", rows[i].name);
		}
	}
}

static void test_row_names(void **state)
{
	unsigned int i, j;

	(void)state;
	for (i = 0; i < FEAT_COUNT; i++) {
		const char *name = cpuid_feature_name(i);

		assert_string_equal(name, rows[i].name);
		assert_in_range(strlen(name), 2, 20);
		for (j = 0; name[j]; j++)
			assert_true((name[j] >= 'A' && name[j] <= 'Z') ||
				    (name[j] >= '0' && name[j] <= '9') ||
				    name[j] == '_');
	}
	assert_string_equal(cpuid_feature_name(FEAT_NONE), "?");
}

/* Each feature is in a word, so that it is known who switches it off. */
static void test_rows_are_in_words(void **state)
{
	static const struct { u32 leaf, index, out; } words[] = {
#define WORD(leaf, index, out, kernel) { leaf, index, OUT_##out },
		CPUID_WORDS(WORD)
	};
	unsigned int i, j, found;

	(void)state;
	for (i = 0; i < FEAT_COUNT; i++) {
		for (j = 0, found = 0; j < ARRAY_SIZE(words); j++)
			found += words[j].leaf == rows[i].leaf &&
				 words[j].index == rows[i].index &&
				 words[j].out == rows[i].out;
		if (found != 1)
			fail_msg("%s is in %u words", rows[i].name, found);
	}
}

static void test_prerequisites_end(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < FEAT_COUNT; i++) {
		unsigned int at = i, steps = 0;

		while (rows[at].pre != FEAT_NONE) {
			at = rows[at].pre;
			assert_true(++steps < 10);
			/* something offered cannot hang on what never is */
			if (rows[i].policy != NEVER)
				assert_int_not_equal(rows[at].policy, NEVER);
		}
	}
}

/* ---- hosts ---- */

struct host {
	struct cpuid_env env;
	u32 max_basic, max_ext;
	const char *vendor;
	bool all;		/* every bit of every leaf is set */
	struct cpuid_bits clear; /* rows the host has not */
	unsigned int bad_reads;
};

static void host_read(const struct cpuid_env *env, u32 leaf, u32 index,
		      u32 out[4])
{
	struct host *host = container_of(env, struct host, env);
	unsigned int i;

	if ((leaf < 0x80000000 && leaf > host->max_basic) ||
	    (leaf > host->max_ext)) {
		host->bad_reads++;
		memset(out, 0xff, 16);
		return;
	}
	memset(out, host->all ? 0xff : 0, 16);
	for (i = 0; i < FEAT_COUNT; i++)
		if (test_bit(i, host->clear.has) && rows[i].leaf == leaf &&
		    rows[i].index == index)
			out[rows[i].out] &= ~BIT(rows[i].bit);
	switch (leaf) {
	case 0:
	case 0x80000000:
		out[0] = leaf ? host->max_ext : host->max_basic;
		memcpy(&out[1], host->vendor, 4);
		memcpy(&out[3], host->vendor + 4, 4);
		memcpy(&out[2], host->vendor + 8, 4);
		break;
	case 7:
		if (!index)
			out[0] = 5;
		break;
	case 4:
	case 0x8000001d:
		out[0] = index < 4 ? 0x121 : 0;
		break;
	case 0xd:
		if (index == 2) {
			out[0] = 256;
			out[1] = 576;
			out[2] = 0;
		} else if (index > 2) {
			out[0] = 64;
			out[1] = 1024 + 64 * index;
			out[2] = 2;
		}
		break;
	case 0x80000008:
		out[0] = 0x3934;
		break;
	}
}

static struct host intel_host(void)
{
	return (struct host){
		.env = { .read = host_read, .needs = ~0ULL << 32,
			 .xcr0 = 0x602ff, .pv = BIT(7) },
		.max_basic = 0x24, .max_ext = 0x80000008,
		.vendor = "GenuineIntel", .all = true,
	};
}

static struct host amd_host(void)
{
	struct host host = intel_host();

	host.max_basic = 0x10;
	host.max_ext = 0x80000028;
	host.vendor = "AuthenticAMD";
	return host;
}

struct answer {
	struct kvm_cpuid_entry2 entries[CPUID_MAX_SUPPORTED + 20];
	u32 n;
	struct cpuid_set *set;
};

static void ask(struct host *host, struct answer *a)
{
	memset(a, 0, sizeof(*a));
	a->n = cpuid_supported(&host->env, a->entries, ARRAY_SIZE(a->entries));
	assert_in_range(a->n, 10, CPUID_MAX_SUPPORTED - 1);
	assert_int_equal(host->bad_reads, 0);
	a->set = cpuid_set_new(a->entries, a->n);
	assert_non_null(a->set);
	assert_true(cpuid_check(a->entries, a->n, 0));
}

static void test_supported_all(void **state)
{
	struct host hosts[] = { intel_host(), amd_host() };
	static struct answer a;
	unsigned int h, i, j;

	(void)state;
	for (h = 0; h < 2; h++) {
		ask(&hosts[h], &a);
		for (i = 0; i < FEAT_COUNT; i++) {
			bool want = rows[i].policy == HOST ||
				    rows[i].policy == ALWAYS ||
				    (rows[i].policy == INTEL && !h) ||
				    (rows[i].policy == INTELALL && !h) ||
				    (rows[i].policy == AMD && h) ||
				    (rows[i].policy == AMDALL && h);

			/* leaves that only AMD's maximum reaches */
			if (rows[i].leaf > 0x80000008 && !h)
				want = false;
			if (cpuid_has(a.set, i) != want)
				fail_msg("%s on host %u", rows[i].name, h);
		}
		for (i = 0; i < a.n; i++)
			for (j = 0; j < i; j++)
				assert_false(a.entries[i].function ==
					     a.entries[j].function &&
					     a.entries[i].index ==
					     a.entries[j].index);
		cpuid_set_free(a.set);
	}
}

static void test_supported_only_rows(void **state)
{
	static const u32 words[][3] = {
		{ 1, 0, OUT_ECX }, { 1, 0, OUT_EDX }, { 6, 0, OUT_EAX },
		{ 7, 0, OUT_EBX }, { 7, 0, OUT_ECX }, { 7, 0, OUT_EDX },
		{ 7, 1, OUT_EAX }, { 7, 1, OUT_EBX }, { 7, 1, OUT_EDX },
		{ 7, 2, OUT_EDX }, { 0xd, 1, OUT_EAX },
		{ 0x80000001, 0, OUT_ECX }, { 0x80000007, 0, OUT_EDX },
		{ 0x80000008, 0, OUT_EBX }, { 0x80000021, 0, OUT_EAX },
		{ 0x80000021, 0, OUT_ECX },
	};
	struct host host = amd_host();
	struct cpuid_dyn dyn = { .apic = true };
	static struct answer a;
	unsigned int i, j;
	u32 out[4];

	(void)state;
	ask(&host, &a);
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		u32 allowed = 0;

		for (j = 0; j < FEAT_COUNT; j++)
			if (rows[j].leaf == words[i][0] &&
			    rows[j].index == words[i][1] &&
			    rows[j].out == words[i][2])
				allowed |= BIT(rows[j].bit);
		cpuid_query(a.set, &dyn, words[i][0], words[i][1], out);
		assert_int_equal(out[words[i][2]] & ~allowed, 0);
	}
	/* AMD repeats leaf 1 EDX; no PMU, no SVM leaf */
	cpuid_query(a.set, &dyn, 0x80000001, 0, out);
	assert_int_equal(out[OUT_EDX] & 0x3f, 0x3f);
	cpuid_query(a.set, &dyn, 0x8000000a, 0, out);
	assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
	cpuid_set_free(a.set);

	host = intel_host();
	ask(&host, &a);
	assert_non_null(cpuid_find(a.set, 0xa, 0));
	cpuid_query(a.set, &dyn, 0xa, 0, out);
	assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);
	cpuid_query(a.set, &dyn, 0x80000001, 0, out);
	assert_int_equal(out[OUT_EDX] & 0x3f, 0);
	cpuid_set_free(a.set);
}

static void test_supported_closure(void **state)
{
	static struct answer a;
	unsigned int gone, i;

	(void)state;
	for (gone = 0; gone < FEAT_COUNT; gone++) {
		struct host host = amd_host();

		__set_bit(gone, host.clear.has);
		ask(&host, &a);
		for (i = 0; i < FEAT_COUNT; i++)
			if (cpuid_has(a.set, i) && rows[i].pre != FEAT_NONE)
				assert_true(cpuid_has(a.set, rows[i].pre));
		if (rows[gone].policy == HOST)
			assert_false(cpuid_has(a.set, gone));
		if (gone == FEAT_AVX)
			assert_false(cpuid_has(a.set, FEAT_AVX512BITALG));
		if (gone == FEAT_FXSR)
			assert_null(cpuid_find(a.set, 0xd, 0));
		cpuid_set_free(a.set);
	}
}

static void test_supported_needs(void **state)
{
	struct host host = amd_host();
	static struct answer a;

	(void)state;
	host.env.needs = 0;
	host.env.xcr0 = 3;
	ask(&host, &a);
	assert_false(cpuid_has(a.set, FEAT_RDTSCP));
	assert_false(cpuid_has(a.set, FEAT_RDPID));
	assert_false(cpuid_has(a.set, FEAT_SPEC_CTRL));
	assert_false(cpuid_has(a.set, FEAT_AMD_IBPB));
	assert_false(cpuid_has(a.set, FEAT_VIRT_SSBD));
	assert_false(cpuid_has(a.set, FEAT_INVPCID));
	assert_false(cpuid_has(a.set, FEAT_AVX));
	assert_false(cpuid_has(a.set, FEAT_PKU));
	assert_true(cpuid_has(a.set, FEAT_XSAVE));
	assert_int_equal(a.set->xcr0, 3);
	cpuid_set_free(a.set);

	/* A barrier is no register, and Intel's bit stands for both. */
	host.env.needs = CPUID_NEED_IBPB;
	ask(&host, &a);
	assert_true(cpuid_has(a.set, FEAT_AMD_IBPB));
	assert_false(cpuid_has(a.set, FEAT_AMD_IBRS));
	assert_false(cpuid_has(a.set, FEAT_SPEC_CTRL));
	cpuid_set_free(a.set);
	host.env.needs = CPUID_NEED_SPEC_CTRL;
	ask(&host, &a);
	assert_true(cpuid_has(a.set, FEAT_AMD_IBRS));
	assert_false(cpuid_has(a.set, FEAT_SPEC_CTRL));
	cpuid_set_free(a.set);

	host.env.needs = CPUID_NEED_RDTSCP;
	host.env.xcr0 = 0x207;
	ask(&host, &a);
	assert_true(cpuid_has(a.set, FEAT_RDTSCP));
	assert_true(cpuid_has(a.set, FEAT_AVX2));
	assert_false(cpuid_has(a.set, FEAT_AVX512F));
	assert_true(cpuid_has(a.set, FEAT_PKU));
	cpuid_set_free(a.set);
}

static void test_supported_data(void **state)
{
	struct host host = intel_host();
	static struct answer a;
	const struct kvm_cpuid_entry2 *e;

	(void)state;
	host.env.gpa_bits = 48;
	ask(&host, &a);
	assert_int_equal(cpuid_find(a.set, 0, 0)->eax, 0x1f);
	assert_int_equal(a.set->vendor, CPUID_INTEL);
	assert_int_equal(cpuid_find(a.set, 1, 0)->ebx, 0xff00);
	e = cpuid_find(a.set, 0x80000008, 0);
	assert_int_equal(e->eax, 0x303934);
	assert_int_equal(e->ecx | e->edx, 0);
	assert_int_equal(a.set->maxphyaddr, 52);
	e = cpuid_find(a.set, 0x40000000, 0);
	assert_int_equal(e->eax, 0x40000001);
	assert_memory_equal(&e->ebx, "KVMKVMKVM\0\0\0", 12);
	assert_int_equal(cpuid_find(a.set, 0x40000001, 0)->eax,
			 0x0100000b | BIT(7));
	/* neither MPX nor tiles, whatever the host switches */
	assert_int_equal(a.set->xcr0, 0x2e7);
	assert_null(cpuid_find(a.set, 0xd, 3));
	assert_null(cpuid_find(a.set, 0xd, 18));
	assert_int_equal(cpuid_find(a.set, 0xd, 2)->eax, 256);
	assert_int_equal(cpuid_find(a.set, 0xd, 0)->ecx, 1024 + 64 * 9 + 64);
	assert_int_equal(cpuid_find(a.set, 4, 3)->eax, 0x121);
	assert_int_equal(cpuid_find(a.set, 4, 4)->eax, 0);
	cpuid_set_free(a.set);

	__set_bit(FEAT_LA57, host.clear.has);
	ask(&host, &a);
	assert_int_equal(cpuid_find(a.set, 0x80000008, 0)->eax, 0x303034);
	cpuid_set_free(a.set);

	/* tables of five levels map more than there is */
	host.env.gpa_bits = 57;
	ask(&host, &a);
	assert_int_equal(cpuid_find(a.set, 0x80000008, 0)->eax, 0x343034);
	cpuid_set_free(a.set);
}

static void test_supported_small_hosts(void **state)
{
	static const u32 basic[] = { 1, 6, 7, 0xd };
	struct host host = amd_host();
	static struct answer a;
	unsigned int i;

	(void)state;
	for (i = 0; i < 4; i++) {
		host.max_basic = basic[i];
		host.max_ext = 0x80000008 + i;
		ask(&host, &a);
		assert_int_equal(a.set->max_basic, basic[i]);
		assert_int_equal(cpuid_has(a.set, FEAT_SMEP), basic[i] >= 7);
		assert_false(cpuid_has(a.set, FEAT_NO_SMM_CTL));
		assert_int_equal(cpuid_find(a.set, 0x80000000, 0)->eax,
				 0x80000008 + i);
		cpuid_set_free(a.set);
	}
}

static void test_supported_room(void **state)
{
	struct host host = amd_host();
	static struct kvm_cpuid_entry2 all[128], few[128];
	u32 n, max;

	(void)state;
	n = cpuid_supported(&host.env, all, 128);
	for (max = 0; max <= n; max++) {
		memset(few, 0xa5, sizeof(few));
		assert_int_equal(cpuid_supported(&host.env, few, max), n);
		assert_memory_equal(few, all, max * sizeof(few[0]));
		assert_int_equal(few[max].function, 0xa5a5a5a5);
	}
}

/* ---- a vCPU's set ---- */

static struct kvm_cpuid_entry2 entry(u32 leaf, u32 index, u32 flags, u32 eax)
{
	return (struct kvm_cpuid_entry2){
		.function = leaf, .index = index, .flags = flags, .eax = eax,
	};
}

static const struct kvm_cpuid_entry2 *
slow_find(const struct kvm_cpuid_entry2 *e, u32 n, u32 leaf, u32 index)
{
	const struct kvm_cpuid_entry2 *any = NULL;
	u32 i;

	for (i = 0; i < n; i++) {
		if (e[i].function != leaf)
			continue;
		if (!(e[i].flags & 1)) {
			if (!any)
				any = &e[i];
		} else if (e[i].index == index) {
			return &e[i];
		}
	}
	return any;
}

/* An entry that is said to answer as it stands is what a query says. */
static void check_plain(const struct cpuid_set *set, u32 leaf, u32 index)
{
	static const struct cpuid_dyn dyn = {
		.osxsave = true, .ospke = true, .mwait_by_msr = true,
		.mwait = true, .xsave_size = ~0U, .xsavec_size = ~0U,
	};
	const struct kvm_cpuid_entry2 *plain = cpuid_plain(set, leaf, index);
	u32 out[4];

	if (!plain)
		return;
	cpuid_query(set, &dyn, leaf, index, out);
	assert_int_equal(out[OUT_EAX], plain->eax);
	assert_int_equal(out[OUT_EBX], plain->ebx);
	assert_int_equal(out[OUT_ECX], plain->ecx);
	assert_int_equal(out[OUT_EDX], plain->edx);
}

static void test_find_random(void **state)
{
	static struct kvm_cpuid_entry2 e[CPUID_MAX_ENTRIES];
	u64 x = 88172645463325252ULL;
	unsigned int round, i;

	(void)state;
	for (round = 0; round < 300; round++) {
		u32 n = round % (CPUID_MAX_ENTRIES + 1);
		struct cpuid_set *set;

		for (i = 0; i < n; i++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			/* one kind per leaf, as both in one are ambiguous */
			e[i] = entry(x % 40 + (x & BIT(20) ? 0x80000000 : 0),
				     x >> 32 & 7, x % 40 & 1, i);
		}
		set = cpuid_set_new(e, n);
		assert_non_null(set);
		for (i = 0; i < 2000; i++) {
			u32 leaf = i % 41 + (i & 1 ? 0x80000000 : 0);
			u32 index = i % 9;
			const struct kvm_cpuid_entry2 *want, *got;

			want = slow_find(e, n, leaf, index);
			got = cpuid_find(set, leaf, index);
			assert_int_equal(!want, !got);
			if (want)
				assert_int_equal(got->eax, want->eax);
			check_plain(set, leaf, index);
		}
		assert_true(cpuid_set_equal(set, e, n));
		cpuid_set_free(set);
	}
	assert_null(cpuid_set_new(e, CPUID_MAX_ENTRIES + 1));
}

static void test_find_mixed(void **state)
{
	struct kvm_cpuid_entry2 e[] = {
		entry(4, 3, 1, 33), entry(4, 0, 0, 11), entry(4, 7, 1, 77),
		entry(2, 0, 6, 22),	/* flags of the old leaf 2 protocol */
	};
	struct cpuid_set *set = cpuid_set_new(e, 4);

	(void)state;
	assert_int_equal(cpuid_find(set, 4, 3)->eax, 33);
	assert_int_equal(cpuid_find(set, 4, 5)->eax, 11);
	assert_int_equal(cpuid_find(set, 4, 7)->eax, 77);
	assert_int_equal(cpuid_find(set, 4, 0)->eax, 11);
	assert_int_equal(cpuid_find(set, 2, 9)->eax, 22);
	assert_null(cpuid_find(set, 3, 0));
	assert_null(cpuid_find(NULL, 4, 0));
	cpuid_set_free(set);
	cpuid_set_free(NULL);
}

static struct cpuid_set *vendor_set(const char *vendor)
{
	struct kvm_cpuid_entry2 e[] = {
		entry(0x80000001, 0, 0, 0x8001), entry(0xb, 0, 1, 0xb0),
		entry(0, 0, 0, 0xd), entry(0xd, 1, 1, 2), entry(0xd, 0, 1, 7),
		entry(1, 0, 0, 0x100f22), entry(7, 0, 1, 0),
		entry(0xd, 2, 1, 256), entry(0x40000000, 0, 0, 0x40000001),
		entry(0x80000000, 0, 0, 0x80000008), entry(7, 1, 1, 0x71),
		entry(0x40000001, 0, 0, 0x1), entry(0x40000100, 0, 0, 0x40000110),
	};

	memcpy(&e[2].ebx, vendor, 4);
	memcpy(&e[2].edx, vendor + 4, 4);
	memcpy(&e[2].ecx, vendor + 8, 4);
	e[1].edx = 5;		/* x2APIC id */
	e[4].ebx = 0x999;
	e[5].ecx = BIT(26) | BIT(27);
	e[5].edx = BIT(9) | BIT(4);
	e[6].ecx = BIT(3) | BIT(4);
	e[7].ebx = 576;
	return cpuid_set_new(e, ARRAY_SIZE(e));
}

static u32 query_eax(const struct cpuid_set *set, u32 leaf, u32 index)
{
	struct cpuid_dyn dyn = { .xsave_size = 832, .xsavec_size = 800 };
	u32 out[4];

	cpuid_query(set, &dyn, leaf, index, out);
	return out[0];
}

static void test_query_range(void **state)
{
	struct cpuid_set *intel = vendor_set("GenuineIntel");
	struct cpuid_set *amd = vendor_set("AuthenticAMD");
	struct cpuid_set *hygon = vendor_set("HygonGenuine");
	struct cpuid_set *other = vendor_set("CentaurHauls");
	u32 out[4];

	(void)state;
	assert_int_equal(query_eax(intel, 0xe, 0), 7);	/* as leaf 0xd */
	assert_int_equal(query_eax(intel, 0xe, 2), 256);
	assert_int_equal(query_eax(intel, 0x80000009, 1), 2);
	assert_int_equal(query_eax(intel, 0x40000002, 0), 7);
	assert_int_equal(query_eax(intel, 0x50000000, 0), 7);
	assert_int_equal(query_eax(other, 0xe, 0), 7);
	assert_int_equal(query_eax(amd, 0xe, 0), 0);
	assert_int_equal(query_eax(hygon, 0xe, 0), 0);
	assert_int_equal(query_eax(amd, 0x80000009, 0), 0);

	/* in range without an entry: zeros for everybody */
	assert_int_equal(query_eax(intel, 3, 0), 0);
	assert_int_equal(query_eax(intel, 7, 2), 0);
	assert_int_equal(query_eax(intel, 0x80000005, 0), 0);
	assert_int_equal(query_eax(intel, 0x40000110, 0), 0);

	cpuid_query(intel, &(struct cpuid_dyn){ .apic = true }, 0xb, 0x301, out);
	assert_int_equal(out[OUT_EAX], 0);
	assert_int_equal(out[OUT_ECX], 1);
	assert_int_equal(out[OUT_EDX], 5);
	cpuid_query(NULL, &(struct cpuid_dyn){ .apic = true }, 0, 0, out);
	assert_int_equal(out[0] | out[1] | out[2] | out[3], 0);

	cpuid_set_free(intel);
	cpuid_set_free(amd);
	cpuid_set_free(hygon);
	cpuid_set_free(other);
}

static void test_query_dynamic(void **state)
{
	struct cpuid_set *set = vendor_set("GenuineIntel");
	struct regs regs = { .xcr0 = 7, .cr4 = CR4_OSXSAVE };
	struct cpuid_dyn dyn = { };
	u32 out[4];

	(void)state;
	cpuid_dyn_update(&dyn, set, &regs, 0xfee00900);
	cpuid_query(set, &dyn, 1, 0, out);
	assert_int_equal(out[OUT_ECX], BIT(26) | BIT(27));
	assert_int_equal(out[OUT_EDX], BIT(9) | BIT(4));
	cpuid_query(set, &dyn, 7, 0, out);
	assert_int_equal(out[OUT_ECX], BIT(3));
	cpuid_query(set, &dyn, 7, 1, out);
	assert_int_equal(out[OUT_EAX], 0x71);
	cpuid_query(set, &dyn, 0xd, 0, out);
	assert_int_equal(out[OUT_EBX], 832);
	cpuid_query(set, &dyn, 0xd, 1, out);
	assert_int_equal(out[OUT_EBX], 832);

	regs.cr4 = CR4_PKE;
	regs.xcr0 = 1;
	cpuid_dyn_update(&dyn, set, &regs, 0);
	cpuid_query(set, &dyn, 1, 0, out);
	assert_int_equal(out[OUT_ECX], BIT(26));
	assert_int_equal(out[OUT_EDX], BIT(4));
	cpuid_query(set, &dyn, 7, 0, out);
	assert_int_equal(out[OUT_ECX], BIT(3) | BIT(4));
	cpuid_query(set, &dyn, 0xd, 0, out);
	assert_int_equal(out[OUT_EBX], 576);
	/* the entries themselves stay as given */
	assert_int_equal(cpuid_find(set, 0xd, 0)->ebx, 0x999);
	cpuid_dyn_update(&dyn, NULL, &regs, 0);
	assert_int_equal(dyn.xsave_size, 0);
	cpuid_set_free(set);
}

/* What a VMM reads back is what the guest sees, and counts as unchanged. */
static void test_entries_now(void **state)
{
	struct cpuid_set *set = vendor_set("GenuineIntel");
	struct regs regs = { .xcr0 = 1, .cr4 = CR4_OSXSAVE | CR4_PKE };
	struct kvm_cpuid_entry2 *now;
	struct cpuid_dyn dyn = { };
	u32 i, out[4];

	(void)state;
	now = calloc(set->n, sizeof(*now));
	assert_non_null(now);
	cpuid_dyn_update(&dyn, set, &regs, 0);
	for (i = 0; i < set->n; i++) {
		cpuid_entry_now(set, &dyn, i, &now[i]);
		cpuid_query(set, &dyn, now[i].function, now[i].index, out);
		assert_int_equal(now[i].eax, out[OUT_EAX]);
		assert_int_equal(now[i].ebx, out[OUT_EBX]);
		assert_int_equal(now[i].ecx, out[OUT_ECX]);
		assert_int_equal(now[i].edx, out[OUT_EDX]);
	}
	assert_true(cpuid_set_equal(set, now, set->n));
	now[0].ebx ^= 1;
	assert_false(cpuid_set_equal(set, now, set->n));
	free(now);
	cpuid_set_free(set);
}

static void test_mwait_by_msr(void **state)
{
	struct cpuid_set *set = vendor_set("GenuineIntel");
	struct cpuid_dyn dyn = { .mwait = true };
	u32 out[4];

	(void)state;
	assert_false(cpuid_has_mwait(set, &dyn));
	cpuid_query(set, &dyn, 1, 0, out);
	assert_false(out[OUT_ECX] & BIT(3));
	dyn.mwait_by_msr = true;
	assert_true(cpuid_has_mwait(set, &dyn));
	cpuid_query(set, &dyn, 1, 0, out);
	assert_true(out[OUT_ECX] & BIT(3));
	dyn.mwait = false;
	cpuid_query(set, &dyn, 1, 0, out);
	assert_false(out[OUT_ECX] & BIT(3));
	cpuid_set_free(set);
}

static void test_summary(void **state)
{
	struct cpuid_set *set = vendor_set("AuthenticAMD");
	struct kvm_cpuid_entry2 e = entry(0x80000008, 0, 0, 0xff);

	(void)state;
	assert_int_equal(set->maxphyaddr, 36);
	assert_int_equal(set->signature, 0x100f22);
	assert_int_equal(set->xcr0, 7);
	assert_true(cpuid_has(set, FEAT_XSAVE));
	assert_true(cpuid_has(set, FEAT_XSAVEC));
	assert_true(cpuid_has(set, FEAT_APIC));
	assert_false(cpuid_has(set, FEAT_AVX));
	assert_false(cpuid_has(set, FEAT_NONE));
	assert_false(cpuid_has(NULL, FEAT_XSAVE));
	cpuid_set_free(set);

	set = cpuid_set_new(&e, 1);
	assert_int_equal(set->maxphyaddr, 52);
	assert_int_equal(set->signature, 0x600);
	assert_int_equal(set->xcr0, 0);
	cpuid_set_free(set);
	set = cpuid_set_new(NULL, 0);
	assert_non_null(set);
	assert_null(cpuid_find(set, 0, 0));
	cpuid_set_free(set);
}

static void test_equal(void **state)
{
	struct kvm_cpuid_entry2 e[2] = { entry(1, 0, 0, 5), entry(7, 0, 1, 6) };
	struct cpuid_set *set = cpuid_set_new(e, 2);

	(void)state;
	assert_true(cpuid_set_equal(set, e, 2));
	assert_false(cpuid_set_equal(set, e, 1));
	e[1].padding[0] = 1;
	assert_true(cpuid_set_equal(set, e, 2));
	e[1].edx = 1;
	assert_false(cpuid_set_equal(set, e, 2));
	cpuid_set_free(set);

	/* before any KVM_SET_CPUID2 */
	assert_true(cpuid_set_equal(NULL, NULL, 0));
	assert_false(cpuid_set_equal(NULL, e, 1));
}

static void test_check(void **state)
{
	struct kvm_cpuid_entry2 e = entry(0x80000008, 0, 0, 0x3024);

	(void)state;
	assert_true(cpuid_check(&e, 1, 0));
	e.eax = 0x3924;
	assert_true(cpuid_check(&e, 1, 0));
	e.eax = 0x24;
	assert_true(cpuid_check(&e, 1, 0));
	e.eax = 0x2f24;
	assert_false(cpuid_check(&e, 1, 0));
	assert_true(cpuid_check(&e, 0, 0));
	e = entry(0xd, 0, 1, 0x602e7);
	assert_false(cpuid_check(&e, 1, 0x2e7));
	assert_true(cpuid_check(&e, 1, 0x602e7));
	e.index = 1;
	assert_true(cpuid_check(&e, 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_ascend),
		cmocka_unit_test(test_row_names),
		cmocka_unit_test(test_rows_are_in_words),
		cmocka_unit_test(test_prerequisites_end),
		cmocka_unit_test(test_supported_all),
		cmocka_unit_test(test_supported_only_rows),
		cmocka_unit_test(test_supported_closure),
		cmocka_unit_test(test_supported_needs),
		cmocka_unit_test(test_supported_data),
		cmocka_unit_test(test_supported_small_hosts),
		cmocka_unit_test(test_supported_room),
		cmocka_unit_test(test_find_random),
		cmocka_unit_test(test_find_mixed),
		cmocka_unit_test(test_query_range),
		cmocka_unit_test(test_query_dynamic),
		cmocka_unit_test(test_entries_now),
		cmocka_unit_test(test_mwait_by_msr),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
