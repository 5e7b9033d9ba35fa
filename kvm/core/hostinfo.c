// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's offer to guests: see hostinfo.h.
 */
#include <linux/mutex.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>
#include <uapi/asm/kvm_para.h>

#include "core/fpu.h"
#include "core/hostinfo.h"

static DEFINE_MUTEX(hostinfo_lock);
static struct cpuid_set *hostinfo_set;		/* [hostinfo_lock] */
static struct cr_host hostinfo_host;		/* made with the set */

/* Leaves whose bits the kernel may have switched off: ask it, not the CPU. */
static void hostinfo_read(const struct cpuid_env *env, u32 leaf, u32 index,
			  u32 out[4])
{
	cpuid_count(leaf, index, &out[0], &out[1], &out[2], &out[3]);
	switch (leaf) {
	case 1:
		out[OUT_ECX] &= boot_cpu_data.x86_capability[CPUID_1_ECX];
		out[OUT_EDX] &= boot_cpu_data.x86_capability[CPUID_1_EDX];
		break;
	case 7:
		if (index == 0) {
			out[OUT_EBX] &=
				boot_cpu_data.x86_capability[CPUID_7_0_EBX];
			out[OUT_ECX] &=
				boot_cpu_data.x86_capability[CPUID_7_ECX];
		}
		break;
	case 0x80000001:
		out[OUT_ECX] &=
			boot_cpu_data.x86_capability[CPUID_8000_0001_ECX];
		break;
	}
}

static u64 hostinfo_needs(void)
{
	u64 needs = CPUID_NEED_INVPCID | CPUID_NEED_SPEC_CTRL;

	if (boot_cpu_has(X86_FEATURE_RDTSCP))
		needs |= CPUID_NEED_RDTSCP;
	return needs;
}

static struct cpuid_set *hostinfo_make(void)
{
	struct cpuid_env env = {
		.read = hostinfo_read,
		.needs = hostinfo_needs(),
		.xcr0 = fpu_xcr0_host(),
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

const struct cpuid_set *hostinfo_cpuid(void)
{
	guard(mutex)(&hostinfo_lock);
	if (hostinfo_set)
		return hostinfo_set;
	hostinfo_set = hostinfo_make();
	if (hostinfo_set)
		cr_host_init(&hostinfo_host, hostinfo_set, fpu_xcr0_host());
	return hostinfo_set;
}

const struct cr_host *hostinfo_cr(void)
{
	return hostinfo_cpuid() ? &hostinfo_host : NULL;
}

void hostinfo_free(void)
{
	cpuid_set_free(hostinfo_set);
	hostinfo_set = NULL;
}
