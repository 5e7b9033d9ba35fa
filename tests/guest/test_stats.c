// SPDX-License-Identifier: GPL-2.0-only
/*
 * Statistics: the file that KVM_GET_STATS_FD gives, and that what it counts
 * rises with what a guest does.
 */
#include "harness.h"

#define CPUIDS 100

PAYLOAD(64, cpuids,
	sti;
	mov $0x80, %edx;
	1: mov $100, %r8d;
	2: xor %eax, %eax;
	cpuid;
	dec %r8d;
	jnz 2b;
	out %al, $0x80;
	jmp 1b;
)

static uint64_t own_exits(struct vcpu *v)
{
	return vcpu_stat(v, "exits") - vcpu_stat(v, "irq_exits");
}

TEST(stats_exits)
{
	struct vcpu *v = boot(0, &cpuids);
	uint64_t before, after;

	need_cap(v->vm, KVM_CAP_BINARY_STATS_FD);
	expect_exit(v, KVM_EXIT_IO);
	before = own_exits(v);
	expect_exit(v, KVM_EXIT_IO);
	after = own_exits(v);
	EQ(after - before, CPUIDS + 1);
}
