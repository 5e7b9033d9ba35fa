// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID sets of random entries: checked, indexed, asked.
 */
#include "input.h"
#include "x86/cpuid.h"

static const u32 leaves[] = {
	0, 1, 2, 4, 6, 7, 0xb, 0xd, 0x14, 0x1d, 0x1e, 0x24, 0x40000000,
	0x40000001, 0x40000010, 0x80000000, 0x80000001, 0x80000007, 0x80000008,
	0x8000000a, 0x8000001d, 0x8000001f, 0x80000021, 0xc0000000, 0xc0000001,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kvm_cpuid_entry2 e[48], now;
	static struct regs regs;
	struct input in = { data, size };
	struct cpuid_dyn dyn = { 0 };
	struct cpuid_set *set;
	u32 i, n = take8(&in) % ARRAY_SIZE(e), out[4];

	memset(e, 0, sizeof(e));
	for (i = 0; i < n; i++) {
		u8 which = take8(&in);

		e[i].function = which < 200 ? leaves[which % ARRAY_SIZE(leaves)] :
				take32(&in);
		e[i].index = take8(&in);
		e[i].flags = take8(&in) & 1;
		take(&in, &e[i].eax, 16);
	}
	if (!cpuid_check(e, n, take64(&in)))
		return 0;
	set = cpuid_set_new(e, n);
	must(set);
	must(cpuid_set_equal(set, e, n) || n == 0);
	memset(&regs, 0, sizeof(regs));
	regs.cr4 = take32(&in);
	regs.xcr0 = take32(&in);
	cpuid_dyn_update(&dyn, set, &regs, take32(&in));
	for (i = 0; i < n; i++) {
		cpuid_query(set, &dyn, e[i].function, e[i].index, out);
		cpuid_entry_now(set, &dyn, i, &now);
		must(now.function == e[i].function);
	}
	for (i = 0; i < 16; i++)
		cpuid_query(set, &dyn, take32(&in), take8(&in), out);
	cpuid_set_free(set);
	return 0;
}
