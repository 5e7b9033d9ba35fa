// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's offer to guests: see hostinfo.h.
 */
#include <linux/mutex.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <uapi/asm/kvm_para.h>

#include "core/backend.h"
#include "core/fpu.h"
#include "core/hostinfo.h"

static DEFINE_MUTEX(hostinfo_lock);
static struct cpuid_set *hostinfo_set;		/* [hostinfo_lock] */
static struct cr_host hostinfo_host;		/* made with the set */
static struct msr_feature_env hostinfo_env;	/* the same */

/* ---- CPUID ------------------------------------------------------------ */

static const struct {
	u32 leaf;
	u8 index, out;
	u8 word;		/* of x86_capability[] */
} hostinfo_words[] = {
#define CPUID_RAW NCAPINTS
#define X(leaf_, index_, out_, word_)					\
	{ .leaf = (leaf_), .index = (index_), .out = OUT_##out_,	\
	  .word = CPUID_##word_ },
	CPUID_WORDS(X)
#undef X
};

/* Facts about AMD's that the kernel knows also where there is no bit. */
static void hostinfo_read_21(u32 out[4])
{
	out[OUT_EAX] = boot_cpu_data.x86_capability[CPUID_8000_0021_EAX];
	if (!boot_cpu_has_bug(X86_BUG_NULL_SEG))
		out[OUT_EAX] |= BIT(X86_FEATURE_NULL_SEL_CLR_BASE % 32);
	/* TSA_SQ_NO, TSA_L1_NO: in no word of the kernel's at their place */
	out[OUT_ECX] |= boot_cpu_has(X86_FEATURE_TSA_SQ_NO) ? BIT(1) : 0;
	out[OUT_ECX] |= boot_cpu_has(X86_FEATURE_TSA_L1_NO) ? BIT(2) : 0;
}

/*
 * Zen's first generations lack the leaf that tells of some of what they have.
 * Others are not given two dozen leaves more than they know.
 */
static u32 hostinfo_max_ext(u32 max)
{
	if (max >= 0x8000001d && max < 0x80000021 &&
	    (boot_cpu_has(X86_FEATURE_LFENCE_RDTSC) ||
	     !boot_cpu_has_bug(X86_BUG_NULL_SEG)))
		return 0x80000021;
	return max;
}

static void hostinfo_read(const struct cpuid_env *env, u32 leaf, u32 index,
			  u32 out[4])
{
	unsigned int i;

	cpuid_count(leaf, index, &out[0], &out[1], &out[2], &out[3]);
	for (i = 0; i < ARRAY_SIZE(hostinfo_words); i++)
		if (hostinfo_words[i].leaf == leaf &&
		    hostinfo_words[i].index == index &&
		    hostinfo_words[i].word < NCAPINTS)
			out[hostinfo_words[i].out] &=
				boot_cpu_data.x86_capability[
					hostinfo_words[i].word];
	if (leaf == 0x80000000)
		out[OUT_EAX] = hostinfo_max_ext(out[OUT_EAX]);
	if (leaf == 0x80000021)
		hostinfo_read_21(out);
}

/* What is switched for guests, or can be executed for them. */
static u64 hostinfo_needs(void)
{
	static const struct {
		u16 feature;
		u64 need;
	} needs[] = {
		{ X86_FEATURE_RDTSCP, CPUID_NEED_RDTSCP },
		{ X86_FEATURE_MSR_SPEC_CTRL, CPUID_NEED_SPEC_CTRL },
		{ X86_FEATURE_IBPB, CPUID_NEED_IBPB },
		{ X86_FEATURE_FLUSH_L1D, CPUID_NEED_FLUSH_CMD },
		{ X86_FEATURE_LS_CFG_SSBD, CPUID_NEED_VIRT_SSBD },
		{ X86_FEATURE_VIRT_SSBD, CPUID_NEED_VIRT_SSBD },
	};
	u64 met = CPUID_NEED_INVPCID;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(needs); i++)
		if (test_cpu_cap(&boot_cpu_data, needs[i].feature))
			met |= needs[i].need;
	return met;
}

static struct cpuid_set *hostinfo_make(void)
{
	struct cpuid_env env = {
		.read = hostinfo_read,
		.needs = hostinfo_needs(),
		.xcr0 = fpu_xcr0_host(),
		.gpa_bits = PAGE_SHIFT + 9 * backend.tdp_levels,
		.pv = BIT(KVM_FEATURE_CLOCKSOURCE) |
		      BIT(KVM_FEATURE_NOP_IO_DELAY) |
		      BIT(KVM_FEATURE_CLOCKSOURCE2) |
		      BIT(KVM_FEATURE_CLOCKSOURCE_STABLE_BIT),
	};
	struct kvm_cpuid_entry2 *entries;
	struct cpuid_set *set;
	u32 n;

	entries = host_zalloc(CPUID_MAX_SUPPORTED * sizeof(*entries));
	if (!entries)
		return NULL;
	n = cpuid_supported(&env, entries, CPUID_MAX_SUPPORTED);
	set = cpuid_set_new(entries, n);
	host_free(entries);
	return set;
}

/* ---- MSRs ------------------------------------------------------------- */

static u64 hostinfo_rdmsr(const struct msr_feature_env *env, u32 index)
{
	u64 val = 0;

	rdmsrl_safe(index, &val);
	return val;
}

/* What the CPU is not affected by: Documentation/admin-guide/hw-vuln. */
static u64 hostinfo_immune(void)
{
	static const struct {
		u16 bug;
		u64 no;
	} immune[] = {
		{ X86_BUG_CPU_MELTDOWN, ARCH_CAP_RDCL_NO },
		{ X86_BUG_SPEC_STORE_BYPASS, ARCH_CAP_SSB_NO },
		{ X86_BUG_MDS, ARCH_CAP_MDS_NO },
		{ X86_BUG_GDS, ARCH_CAP_GDS_NO },
		{ X86_BUG_RFDS, ARCH_CAP_RFDS_NO },
		{ X86_BUG_ITS, ARCH_CAP_ITS_NO },
	};
	/* Where the CPU is affected, code of guests is in small pages. */
	u64 bits = ARCH_CAP_PSCHANGE_MC_NO;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(immune); i++)
		if (!test_cpu_cap(&boot_cpu_data, immune[i].bug))
			bits |= immune[i].no;
	return bits;
}

/* ---- made once -------------------------------------------------------- */

const struct cpuid_set *hostinfo_cpuid(void)
{
	guard(mutex)(&hostinfo_lock);
	if (hostinfo_set)
		return hostinfo_set;
	hostinfo_set = hostinfo_make();
	if (!hostinfo_set)
		return NULL;
	cr_host_init(&hostinfo_host, hostinfo_set, fpu_xcr0_host());
	hostinfo_env = (struct msr_feature_env){
		.rdmsr = hostinfo_rdmsr,
		.supported = hostinfo_set,
		.immune = hostinfo_immune(),
	};
	return hostinfo_set;
}

const struct cr_host *hostinfo_cr(void)
{
	return hostinfo_cpuid() ? &hostinfo_host : NULL;
}

const struct msr_feature_env *hostinfo_msr_env(void)
{
	return hostinfo_cpuid() ? &hostinfo_env : NULL;
}

void hostinfo_free(void)
{
	cpuid_set_free(hostinfo_set);
	hostinfo_set = NULL;
}
