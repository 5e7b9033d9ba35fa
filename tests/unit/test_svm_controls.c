// SPDX-License-Identifier: GPL-2.0-only
/* Intercepts and the MSR permission map: svm/controls.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "svm/controls.h"
#include "svm/vmcb.h"

static const struct svm_caps no_caps = { .asids = 16 };
static const struct svm_caps all_caps = {
	.asids = 16, .pause_filter = true, .pause_threshold = true,
};
static const struct policy no_policy;

static void test_always(void **state)
{
	struct svm_controls c = svm_controls(&no_policy, 0, &no_caps);

	/* APM vol. 2, 15.5.1: VMRUN without this intercept is refused. */
	assert_true(c.word4 & BIT(0));
	/* The host stays in control: INTR, NMI, SMI, INIT, IOIO, MSR, SHUTDOWN */
	assert_int_equal(c.word3 & 0x9800000f, 0x9800000f);
	/* CPUID, INVD, RDPMC, RSM, INVLPGA, task switches */
	assert_int_equal(c.word3 & 0x244c8000, 0x244c8000);
	/* VMMCALL, VMLOAD .. SKINIT, WBINVD, XSETBV, RDPRU */
	assert_int_equal(c.word4, 0x627f);
	assert_int_equal(c.exceptions, BIT(1) | BIT(17) | BIT(18));
	assert_int_equal(c.cr, BIT(16) | BIT(20));
	assert_int_equal(c.dr, 0xffffffff);
	assert_int_equal(c.pause_count, 0);
	/* Not asked for: VINTR, IRET, HLT, PAUSE, INVLPG, RDTSC, FERR_FREEZE */
	assert_int_equal(c.word3 & 0x43904010, 0);
}

static void test_policy(void **state)
{
	struct policy p = { .exceptions = BIT(6), .hlt_exits = true };
	struct svm_controls c = svm_controls(&p, 0, &no_caps);

	assert_int_equal(c.exceptions, BIT(1) | BIT(6) | BIT(17) | BIT(18));
	assert_true(c.word3 & BIT(24));

	p = (struct policy){ .invlpg_exits = true };
	c = svm_controls(&p, 0, &no_caps);
	assert_true(c.word3 & BIT(25));
	assert_false(c.word3 & BIT(24));

	p = (struct policy){ .tsc_exits = true };
	c = svm_controls(&p, 0, &no_caps);
	assert_true((c.word3 & BIT(14)) && (c.word4 & BIT(7)));

	p = (struct policy){ .mwait_exits = true };
	c = svm_controls(&p, 0, &no_caps);
	assert_int_equal(c.word4 & (BIT(10) | BIT(11)), BIT(10) | BIT(11));
}

/* What @bits' bits choose, bit by bit */
static struct policy some_policy(u32 bits)
{
	return (struct policy){
		.hlt_exits = bits & BIT(0),
		.pause_exits = bits & BIT(1),
		.mwait_exits = bits & BIT(2),
		.invlpg_exits = bits & BIT(3),
		.tsc_exits = bits & BIT(4),
		.single_step = bits & BIT(5),
		.cr8_exits = bits & BIT(6),
		.irqs_held = bits & BIT(7),
		.exceptions = bits & BIT(8) ? ~0u : 0,
		.debug_dr7 = bits & BIT(9) ? 0x401 : 0,
		.apic = bits >> 10 & 3,
	};
}
#define SOME_POLICIES BIT(12)

static struct svm_caps some_caps(u32 bits)
{
	return (struct svm_caps){
		.asids = 16,
		.next_rip = bits & BIT(0),
		.tsc_ratio = bits & BIT(1),
		.clean_bits = bits & BIT(2),
		.flush_by_asid = bits & BIT(3),
		.decode = bits & BIT(4),
		.pause_filter = bits & BIT(5),
		.pause_threshold = bits & BIT(6),
		.spec_ctrl = bits & BIT(7),
	};
}
#define SOME_CAPS BIT(8)

/*
 * Whatever is asked for, by whomever, on whatever CPU: what keeps a guest from
 * the host is intercepted. #DB, #AC and #MC: a guest that makes the CPU deliver
 * them without end would take it away for good.
 */
static const struct svm_controls safe = {
	.cr = BIT(16) | BIT(20),
	.dr = 0xffffffff,
	.exceptions = BIT(1) | BIT(17) | BIT(18),
	.word3 = 0x9800000f | 0x044c8000,
	.word4 = 0x627f,
	.word5 = 0x19,
};

static void check_host_is_safe(const struct policy *policy, u32 needs,
			       const struct svm_caps *caps)
{
	struct svm_controls c = svm_controls(policy, needs, caps);

	assert_int_equal((safe.cr & ~c.cr) | (safe.dr & ~c.dr) |
			 (safe.exceptions & ~c.exceptions), 0);
	assert_int_equal((safe.word3 & ~c.word3) | (safe.word4 & ~c.word4) |
			 (safe.word5 & ~c.word5), 0);
}

static void test_host_is_safe(void **state)
{
	u32 p, i, need;

	for (p = 0; p < SOME_POLICIES; p++) {
		struct policy policy = some_policy(p);

		for (i = 0; i < SOME_CAPS; i++) {
			struct svm_caps caps = some_caps(i);

			check_host_is_safe(&policy, 0, &caps);
			check_host_is_safe(&policy, ~0u, &caps);
		}
		for (need = 1; need; need <<= 1)
			check_host_is_safe(&policy, need, &no_caps);
	}
}

/* Without the filter every PAUSE would exit. */
static void test_pause(void **state)
{
	struct policy p = { .pause_exits = true };
	struct svm_caps caps = all_caps;
	struct svm_controls c = svm_controls(&p, 0, &no_caps);

	assert_false(c.word3 & BIT(23));
	assert_int_equal(c.pause_count, 0);

	c = svm_controls(&p, 0, &caps);
	assert_true(c.word3 & BIT(23));
	assert_true(c.pause_count > 0 && c.pause_threshold > 0);

	caps.pause_threshold = false;
	c = svm_controls(&p, 0, &caps);
	assert_true(c.pause_count > 0);
	assert_int_equal(c.pause_threshold, 0);

	p.pause_exits = false;
	c = svm_controls(&p, 0, &caps);
	assert_false(c.word3 & BIT(23));
	assert_int_equal(c.pause_count, 0);
}

/* Each need adds its own bits and nothing else. */
static void test_needs(void **state)
{
	static const struct {
		u32 need;
		struct svm_controls adds;
	} map[] = {
		{ NEED_CR0_READ, { .cr = BIT(0) } },
		{ NEED_CR4_READ, { .cr = BIT(4) } },
		{ NEED_CR8_WRITE, { .cr = BIT(24) } },
		{ NEED_VINTR, { .word3 = BIT(4) } },
		{ NEED_IRET, { .word3 = BIT(20) } },
	};
	struct svm_controls none = svm_controls(&no_policy, 0, &all_caps);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		struct svm_controls c = svm_controls(&no_policy, map[i].need,
						     &all_caps);

		assert_int_equal(c.cr, none.cr | map[i].adds.cr);
		assert_int_equal(c.dr, none.dr);
		assert_int_equal(c.exceptions,
				 none.exceptions | map[i].adds.exceptions);
		assert_int_equal(c.word3, none.word3 | map[i].adds.word3);
		assert_int_equal(c.word4, none.word4);
		assert_int_equal(c.word5, none.word5);
	}
}

/* APM vol. 2, 15.11: three vectors of 2 KiB, two bits for each MSR. */
static void test_msrpm_offset(void **state)
{
	assert_int_equal(msrpm_offset(0), 0);
	assert_int_equal(msrpm_offset(0x1fff), 0x800 * 8 - 2);
	assert_int_equal(msrpm_offset(0xc0000000), 0x800 * 8);
	assert_int_equal(msrpm_offset(0xc0000080), 0x800 * 8 + 0x100);
	assert_int_equal(msrpm_offset(0xc0001fff), 0x1000 * 8 - 2);
	assert_int_equal(msrpm_offset(0xc0010000), 0x1000 * 8);
	assert_int_equal(msrpm_offset(0xc0011fff), 0x1800 * 8 - 2);
	assert_true(msrpm_offset(0x2000) < 0);
	assert_true(msrpm_offset(0x4b564d00) < 0);
	assert_true(msrpm_offset(0xbfffffff) < 0);
	assert_true(msrpm_offset(0xc0002000) < 0);
	assert_true(msrpm_offset(0xc0012000) < 0);
	assert_true(msrpm_offset(0xffffffff) < 0);
}

static void test_msrpm_allow(void **state)
{
	unsigned long map[MSRPM_SIZE / sizeof(long)];
	u8 *bytes = (u8 *)map;
	size_t i, changed = 0;

	memset(map, 0xff, sizeof(map));
	msrpm_allow(map, 0xc0000082, MSRPM_READ | MSRPM_WRITE);
	assert_int_equal(bytes[0x800 + 0x20], 0xcf);
	msrpm_allow(map, 0xc0000082, MSRPM_READ);
	assert_int_equal(bytes[0x800 + 0x20], 0xef);
	msrpm_allow(map, 0xc0000082, MSRPM_WRITE);
	assert_int_equal(bytes[0x800 + 0x20], 0xdf);
	msrpm_allow(map, 0xc0000082, 0);
	assert_int_equal(bytes[0x800 + 0x20], 0xff);

	msrpm_allow(map, 0x40000000, MSRPM_READ | MSRPM_WRITE);
	for (i = 0; i < sizeof(map); i++)
		changed += bytes[i] != 0xff;
	assert_int_equal(changed, 0);

	msrpm_allow(map, 0x1fff, MSRPM_READ | MSRPM_WRITE);
	assert_int_equal(bytes[0x7ff], 0x3f);
	msrpm_allow(map, 0xc0011fff, MSRPM_WRITE);
	assert_int_equal(bytes[0x17ff], 0x7f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_always),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_host_is_safe),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_msrpm_offset),
		cmocka_unit_test(test_msrpm_allow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
