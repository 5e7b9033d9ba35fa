// SPDX-License-Identifier: GPL-2.0-only
/* VM-execution, exit and entry controls, MSR bitmaps: vmx/controls.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "vmx/controls.h"
#include "vmx/pid_table.h"
#include "vmx_hosts.h"
#include "x86/regs.h"

static const struct policy no_policy;
static const struct vmx_host *const hosts[] = {
	&host_sapphire, &host_skylake, &host_sandy, &host_minimal,
};

#define ALL_NEEDS (NEED_IRQ_WINDOW | NEED_NMI_WINDOW | NEED_LONG_MODE | \
		   NEED_RDTSCP | NEED_INVPCID | NEED_VPID)

/* Whatever is asked for, hardware accepts: 27.2.1.1 */
static void test_legal(void **state)
{
	unsigned int h, p, needs, w;

	for (h = 0; h < ARRAY_SIZE(hosts); h++) {
		struct vmx_caps caps = vmx_caps(hosts[h]);

		for (p = 0; p < 256; p++) {
			struct policy policy = {
				.hlt_exits = p & 1, .pause_exits = p & 2,
				.mwait_exits = p & 4,
				.invlpg_exits = p & 16, .tsc_exits = p & 32,
				.single_step = p & 64,
			};

			for (needs = 0; needs <= ALL_NEEDS; needs++) {
				struct vmx_controls c =
					vmx_controls(&policy, needs, &caps);

				for (w = 0; w < WORD_COUNT; w++) {
					assert_int_equal(caps.must[w] &
							 ~c.word[w], 0);
					assert_int_equal(c.word[w] &
							 ~caps.may[w], 0);
				}
			}
		}
	}
}

static void test_always(void **state)
{
	static const u8 always[] = {
		CTL_EXTERNAL_EXIT, CTL_NMI_EXIT, CTL_VIRTUAL_NMIS,
		CTL_TSC_OFFSETTING, CTL_RDPMC_EXIT, CTL_IO_EXIT,
		CTL_MSR_BITMAPS, CTL_PROC2, CTL_EPT, CTL_UNRESTRICTED,
		CTL_HOST_64BIT, CTL_EXIT_LOAD_PAT, CTL_EXIT_LOAD_EFER,
		CTL_LOAD_DEBUG, CTL_ENTRY_LOAD_PAT, CTL_ENTRY_LOAD_EFER,
		CTL_DR_EXIT,
	};
	unsigned int h, i;

	for (h = 0; h < ARRAY_SIZE(hosts); h++) {
		struct vmx_caps caps = vmx_caps(hosts[h]);
		struct vmx_controls c = vmx_controls(&no_policy, 0, &caps);

		for (i = 0; i < ARRAY_SIZE(always); i++)
			assert_true(vmx_control_is(&c, always[i]));
		/* The guest's machine checks are the host's, its #DB ours. */
		assert_int_equal(c.exceptions, BIT(18) | BIT(17) | BIT(1));
		assert_false(vmx_control_is(&c, CTL_IRQ_WINDOW));
		assert_false(vmx_control_is(&c, CTL_NMI_WINDOW));
		assert_false(vmx_control_is(&c, CTL_GUEST_64BIT));
		/* "acknowledge interrupt on exit", bit 15: not here */
		assert_int_equal(c.word[WORD_EXIT] & BIT(15), 0);
	}
}

/* xorshift64; the same sequence in every run */
static u64 any_number(u64 *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static struct policy any_policy(u64 *seed)
{
	u64 bits = any_number(seed);

	return (struct policy){
		.exceptions = any_number(seed) & any_number(seed),
		.hlt_exits = bits & BIT(0),
		.pause_exits = bits & BIT(1),
		.mwait_exits = bits & BIT(2),
		.invlpg_exits = bits & BIT(4),
		.tsc_exits = bits & BIT(5),
		.single_step = bits & BIT(6),
		.cr8_exits = bits & BIT(7),
		.irqs_held = bits & BIT(8),
		.apic = (bits >> 9 & 0xff) % (APIC_ACCEL_MSR + 1),
		.debug_dr7 = bits & BIT(20) ? 0x7ff : 0,
	};
}

/* A host without some of what a part may lack. */
static struct vmx_caps any_caps(u64 *seed)
{
	struct vmx_caps caps = vmx_caps(hosts[any_number(seed) % ARRAY_SIZE(hosts)]);
	u64 drop = any_number(seed) & any_number(seed);
	unsigned int i;

	for (i = 0; i < CTL_COUNT; i++)
		if ((drop >> i & 1) && !vmx_control_places[i].required)
			vmx_caps_drop(&caps, i);
	caps.hlt_state = any_number(seed) & 1;
	return caps;
}

/* Bits that some row of the table of controls names. */
static u32 known_bits(unsigned int word)
{
	u32 bits = 0;
	unsigned int i;

	for (i = 0; i < CTL_COUNT; i++)
		if (vmx_control_places[i].word == word)
			bits |= vmx_bit(i);
	return bits;
}

/*
 * Whatever the VMM asks for and whatever the host lacks: the guest can keep
 * neither the CPU nor an event of the host to itself, reaches memory through
 * EPT alone, and ports and MSRs through exits; and the host comes back with
 * its own EFER, PAT and debug registers.
 */
static void assert_host_is_safe(const struct vmx_controls *c,
				const struct vmx_caps *caps)
{
	static const u8 always[] = {
		CTL_EXTERNAL_EXIT, CTL_NMI_EXIT, CTL_VIRTUAL_NMIS,
		CTL_RDPMC_EXIT, CTL_IO_EXIT, CTL_MSR_BITMAPS, CTL_DR_EXIT,
		CTL_PROC2, CTL_EPT, CTL_HOST_64BIT, CTL_EXIT_LOAD_PAT,
		CTL_EXIT_LOAD_EFER, CTL_LOAD_DEBUG, CTL_ENTRY_LOAD_PAT,
		CTL_ENTRY_LOAD_EFER,
	};
	/* What old parts lack is no less theirs where it is. */
	static const u8 where_possible[] = { CTL_WBINVD_EXIT, CTL_ENCLS_EXIT };
	unsigned int i;

	/* #DB, #AC and #MC */
	assert_int_equal(~c->exceptions & (BIT(1) | BIT(17) | BIT(18)), 0);
	for (i = 0; i < ARRAY_SIZE(always); i++)
		assert_true(vmx_control_is(c, always[i]));
	for (i = 0; i < ARRAY_SIZE(where_possible); i++)
		assert_int_equal(vmx_control_is(c, where_possible[i]),
				 vmx_can(caps, where_possible[i]));
	assert_true(vmx_control_is(c, CTL_TPR_SHADOW) ||
		    (vmx_control_is(c, CTL_CR8_LOAD_EXIT) &&
		     vmx_control_is(c, CTL_CR8_STORE_EXIT)));
	assert_true(vmx_control_is(c, CTL_HLT_EXIT) || caps->hlt_state);
	/* Nothing is on that has no row, as XSAVES or VM functions have none. */
	for (i = 0; i < WORD_COUNT; i++)
		assert_int_equal(c->word[i] & ~(known_bits(i) | caps->must[i]),
				 0);
}

static void test_host_is_safe(void **state)
{
	u64 seed = 1;
	unsigned int i;

	for (i = 0; i < 20000; i++) {
		struct policy policy = any_policy(&seed);
		struct vmx_caps caps = any_caps(&seed);
		struct vmx_controls c =
			vmx_controls(&policy, any_number(&seed), &caps);

		assert_host_is_safe(&c, &caps);
	}
}

static void test_policy(void **state)
{
	struct vmx_caps caps = vmx_caps(&host_skylake);
	struct policy p = { .exceptions = BIT(3) | BIT(6) };
	struct vmx_controls c = vmx_controls(&p, 0, &caps);

	assert_int_equal(c.exceptions,
			 BIT(1) | BIT(3) | BIT(6) | BIT(17) | BIT(18));
	assert_false(vmx_control_is(&c, CTL_HLT_EXIT));
	assert_false(vmx_control_is(&c, CTL_PAUSE_LOOP));
	assert_int_equal(c.ple_window, 0);

	p = (struct policy){ .hlt_exits = true, .pause_exits = true };
	c = vmx_controls(&p, 0, &caps);
	assert_true(vmx_control_is(&c, CTL_HLT_EXIT));
	assert_true(vmx_control_is(&c, CTL_PAUSE_LOOP));
	assert_true(c.ple_gap > 0 && c.ple_window > c.ple_gap);

	p = (struct policy){ .mwait_exits = true };
	c = vmx_controls(&p, 0, &caps);
	assert_true(vmx_control_is(&c, CTL_MWAIT_EXIT));
	assert_true(vmx_control_is(&c, CTL_MONITOR_EXIT));

	p = (struct policy){ .tsc_exits = true, .invlpg_exits = true };
	c = vmx_controls(&p, 0, &caps);
	assert_true(vmx_control_is(&c, CTL_RDTSC_EXIT));
	assert_true(vmx_control_is(&c, CTL_INVLPG_EXIT));
}

/* Without the HLT state a guest cannot be left in it. */
static void test_hlt_state(void **state)
{
	struct vmx_caps caps = vmx_caps(&host_skylake);
	struct vmx_controls c;

	caps.hlt_state = false;
	c = vmx_controls(&no_policy, 0, &caps);
	assert_true(vmx_control_is(&c, CTL_HLT_EXIT));
}

static void test_needs(void **state)
{
	static const struct {
		u32 need;
		u8 control;
	} want[] = {
		{ NEED_IRQ_WINDOW, CTL_IRQ_WINDOW },
		{ NEED_NMI_WINDOW, CTL_NMI_WINDOW },
		{ NEED_LONG_MODE, CTL_GUEST_64BIT },
		{ NEED_RDTSCP, CTL_RDTSCP },
		{ NEED_INVPCID, CTL_INVPCID },
		{ NEED_VPID, CTL_VPID },
	};
	struct vmx_caps caps = vmx_caps(&host_skylake);
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		struct vmx_controls c = vmx_controls(&no_policy, want[i].need,
						     &caps);

		for (j = 0; j < ARRAY_SIZE(want); j++)
			assert_int_equal(vmx_control_is(&c, want[j].control),
					 i == j);
	}
}

/* CR8 goes by the shadow, or by exits. */
static void test_cr8(void **state)
{
	struct vmx_caps caps = vmx_caps(&host_skylake);
	struct vmx_controls c = vmx_controls(&no_policy, 0, &caps);

	assert_true(vmx_control_is(&c, CTL_TPR_SHADOW));
	assert_false(vmx_control_is(&c, CTL_CR8_LOAD_EXIT));
	assert_false(vmx_control_is(&c, CTL_CR8_STORE_EXIT));

	/* The VMM is to hear of each change: no shadow. */
	c = vmx_controls(&(struct policy){ .cr8_exits = true }, 0, &caps);
	assert_false(vmx_control_is(&c, CTL_TPR_SHADOW));
	assert_true(vmx_control_is(&c, CTL_CR8_LOAD_EXIT));

	caps = vmx_caps(&host_minimal);
	c = vmx_controls(&no_policy, 0, &caps);
	assert_false(vmx_control_is(&c, CTL_TPR_SHADOW));
	assert_true(vmx_control_is(&c, CTL_CR8_LOAD_EXIT));
	assert_true(vmx_control_is(&c, CTL_CR8_STORE_EXIT));
}

/* 27.2.1.1: what hardware demands of the controls of chapter 30 */
static void assert_apic_legal(const struct vmx_controls *c)
{
	bool shadow = vmx_control_is(c, CTL_TPR_SHADOW);

	assert_false(vmx_control_is(c, CTL_X2APIC) &&
		     vmx_control_is(c, CTL_APIC_ACCESSES));
	assert_true(shadow || (!vmx_control_is(c, CTL_X2APIC) &&
			       !vmx_control_is(c, CTL_APIC_REGISTERS) &&
			       !vmx_control_is(c, CTL_VIRTUAL_INTR)));
	assert_true(!vmx_control_is(c, CTL_VIRTUAL_INTR) ||
		    vmx_control_is(c, CTL_EXTERNAL_EXIT));
	assert_true(!vmx_control_is(c, CTL_POSTED) ||
		    (vmx_control_is(c, CTL_VIRTUAL_INTR) &&
		     vmx_control_is(c, CTL_ACK_IRQ)));
	assert_true(!vmx_control_is(c, CTL_IPIV) ||
		    (shadow && vmx_control_is(c, CTL_POSTED)));
	assert_int_equal(vmx_control_is(c, CTL_IPIV),
			 vmx_control_is(c, CTL_PROC3));
}

/* What hardware does in each mode of the LAPIC, whatever it lacks. */
static void test_apic(void **state)
{
	static const u8 lacking[] = {
		CTL_COUNT, CTL_TPR_SHADOW, CTL_APIC_ACCESSES, CTL_X2APIC,
		CTL_APIC_REGISTERS, CTL_VIRTUAL_INTR, CTL_ACK_IRQ, CTL_POSTED,
		CTL_PROC3, CTL_IPIV,
	};
	unsigned int i, mode, held;

	for (i = 0; i < ARRAY_SIZE(lacking); i++) {
		struct vmx_caps caps = vmx_caps(&host_sapphire);

		if (lacking[i] != CTL_COUNT)
			vmx_caps_drop(&caps, lacking[i]);
		for (mode = 0; mode <= APIC_ACCEL_MSR; mode++)
			for (held = 0; held < 2; held++) {
				struct policy p = {
					.apic = mode, .irqs_held = held,
				};
				struct vmx_controls c =
					vmx_controls(&p, 0, &caps);

				assert_apic_legal(&c);
				if (held || mode == APIC_ACCEL_NONE)
					assert_false(vmx_control_is(&c,
						CTL_VIRTUAL_INTR) ||
						vmx_control_is(&c, CTL_ACK_IRQ) ||
						vmx_control_is(&c, CTL_IPIV));
				else
					assert_int_equal(vmx_control_is(&c,
							CTL_VIRTUAL_INTR),
						vmx_can(&caps,
							CTL_VIRTUAL_INTR));
				assert_int_equal(vmx_control_is(&c, CTL_IPIV),
					vmx_control_is(&c, CTL_POSTED) &&
					vmx_can(&caps, CTL_IPIV));
				/* A mapped page must not be plain memory. */
				assert_int_equal(vmx_control_is(&c,
							CTL_APIC_ACCESSES),
					mode == APIC_ACCEL_MMIO &&
					vmx_can(&caps, CTL_APIC_ACCESSES));
			}
	}
}

/* 30.1.6: 8 bytes an id, address and valid bit; the last id in 16 bits */
static void test_pid_table(void **state)
{
	assert_true(pid_entry(0x123456789000ULL) == 0x123456789001ULL);
	assert_int_equal(pid_last(1), 0);
	assert_int_equal(pid_last(4096), 4095);
	assert_int_equal(pid_last(1 << 16), 0xffff);
	assert_int_equal(pid_last(1 << 20), 0xffff);
	assert_true(pid_reachable(0, 1));
	assert_false(pid_reachable(1, 1));
	assert_true(pid_reachable(254, 4096) && pid_reachable(256, 4096));
	assert_true(pid_reachable(4095, 4096));
	assert_false(pid_reachable(255, 4096));
}

static bool bit_of(const u8 *map, unsigned int base, unsigned int bit)
{
	return map[base + bit / 8] >> (bit % 8) & 1;
}

/* 25.6.9: read low, read high, write low, write high, 1 KiB each */
static void test_msr_bitmap(void **state)
{
	unsigned long map[MSR_BITMAP_SIZE / sizeof(unsigned long)];
	unsigned long full[MSR_BITMAP_SIZE / sizeof(unsigned long)];
	const u8 *bytes = (const u8 *)map;

	memset(map, 0xff, sizeof(map));
	memset(full, 0xff, sizeof(full));

	vmx_msr_allow(map, 0x174, MSR_ALLOW_READ | MSR_ALLOW_WRITE);
	assert_false(bit_of(bytes, 0, 0x174));
	assert_false(bit_of(bytes, 2048, 0x174));
	assert_true(bit_of(bytes, 0, 0x173) && bit_of(bytes, 0, 0x175));
	vmx_msr_allow(map, 0x174, MSR_ALLOW_READ);
	assert_false(bit_of(bytes, 0, 0x174));
	assert_true(bit_of(bytes, 2048, 0x174));
	vmx_msr_allow(map, 0x174, 0);
	assert_memory_equal(map, full, sizeof(map));

	vmx_msr_allow(map, 0xc0000102, MSR_ALLOW_WRITE);
	assert_true(bit_of(bytes, 1024, 0x102));
	assert_false(bit_of(bytes, 3072, 0x102));
	vmx_msr_allow(map, 0xc0000102, 0);

	vmx_msr_allow(map, 0x1fff, MSR_ALLOW_READ);
	assert_false(bit_of(bytes, 0, 0x1fff));
	vmx_msr_allow(map, 0x1fff, 0);
	/* Outside both ranges there is no bit to clear. */
	vmx_msr_allow(map, 0x2000, 3);
	vmx_msr_allow(map, 0xc0002000, 3);
	vmx_msr_allow(map, 0x4b564d00, 3);
	vmx_msr_allow(map, 0xffffffff, 3);
	assert_memory_equal(map, full, sizeof(map));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_legal),
		cmocka_unit_test(test_always),
		cmocka_unit_test(test_host_is_safe),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_hlt_state),
		cmocka_unit_test(test_needs),
		cmocka_unit_test(test_cr8),
		cmocka_unit_test(test_apic),
		cmocka_unit_test(test_pid_table),
		cmocka_unit_test(test_msr_bitmap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
