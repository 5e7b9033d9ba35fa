// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs of a guest whose CPUID is the input, read and written by it and by its
 * VMM: what a write was accepted for reads back, and a refused one changes
 * nothing.
 */
#include "input.h"
#include "x86/msr.h"

static u64 core;

static enum msr_rc core_get(struct msr_file *file, u32 index, bool host,
			    u64 *val)
{
	*val = core;
	return MSR_OK;
}

static enum msr_rc core_set(struct msr_file *file, u32 index, bool host,
			    u64 val)
{
	core = val;
	return MSR_OK;
}

static const struct msr_ops ops = {
	.core_get = core_get,
	.core_set = core_set,
};

static const u32 rows[][2] = {
#define ROW(name, first, count, ...) { first, count },
	MSR_ROWS(ROW)
#undef ROW
};

static struct cpuid_set *take_set(struct input *in)
{
	static struct kvm_cpuid_entry2 e[8];
	static const u32 leaves[] = { 0, 1, 7, 0xd, 0x80000000, 0x80000001,
				      0x80000008, 0x80000021 };
	u32 i;

	memset(e, 0, sizeof(e));
	for (i = 0; i < ARRAY_SIZE(e); i++) {
		e[i].function = leaves[i];
		take(in, &e[i].eax, 16);
	}
	e[0].eax = 0x20;
	e[4].eax = 0x80000021;
	if (!cpuid_check(e, ARRAY_SIZE(e), 0x2e7))
		return NULL;
	return cpuid_set_new(e, ARRAY_SIZE(e));
}

static void one(struct input *in, struct msr_file *file)
{
	u8 which = take8(in), how = take8(in);
	u32 index = rows[which % ARRAY_SIZE(rows)][0] +
		    take8(in) % (rows[which % ARRAY_SIZE(rows)][1] + 1);
	u64 old[MSR_SLOT_COUNT], val = take64(in), back;
	enum msr_rc rc;

	if (how & 4)
		index = take32(in);
	memcpy(old, file->val, sizeof(old));
	rc = how & 8 ? msr_set_plain(file, index, val) :
		       msr_set(file, index, how & 1, val);
	if (rc != MSR_OK)
		must(!memcmp(old, file->val, sizeof(old)));
	if (msr_get(file, index, true, &back) != MSR_OK)
		must(back == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct regs regs;
	struct cr_limits limits;
	struct cr_host host;
	struct msr_file file = { .ops = &ops, .regs = &regs, .limits = &limits };
	struct input in = { data, size };
	struct cpuid_set *set = take_set(&in);
	unsigned int steps = 0;

	if (!set)
		return 0;
	memset(&regs, 0, sizeof(regs));
	memset(&host, 0xff, sizeof(host));
	host.vaddr_bits = size & 1 ? 57 : 48;
	cr_limits_init(&limits, set, &host);
	core = 0;
	file.cpuid = set;
	msr_reset(&file, NULL);
	while (in.left && steps++ < 200)
		one(&in, &file);
	msr_file_free(&file);
	cpuid_set_free(set);
	return 0;
}
