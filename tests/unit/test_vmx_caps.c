// SPDX-License-Identifier: GPL-2.0-only
/* VT-x capabilities, and whether they are enough: vmx/caps.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "vmx_hosts.h"

static unsigned int place(unsigned int i)
{
	return vmx_control_places[i].word * 32 + vmx_control_places[i].bit;
}

static void test_table(void **state)
{
	unsigned int i, j;

	for (i = 0; i < CTL_COUNT; i++) {
		const struct vmx_control_row *row = &vmx_control_rows[i];
		unsigned int word = vmx_control_places[i].word;
		unsigned int bit = vmx_control_places[i].bit;

		assert_non_null(row->name);
		assert_true(row->name[0]);
		assert_true(word < WORD_COUNT && bit < 32);
		assert_int_equal(vmx_bit(i), 1u << bit);
		/* Ascending within their word, words in order. */
		if (i)
			assert_true(place(i - 1) < word * 32 + bit);
		for (j = 0; j < i; j++)
			assert_string_not_equal(row->name,
						vmx_control_rows[j].name);
	}
}

/* The manual's numbers, for the rows that matter most. */
static void test_rows(void **state)
{
	static const struct {
		u8 control, word, bit;
		bool required;
	} want[] = {
		{ CTL_EXTERNAL_EXIT, WORD_PIN, 0, true },
		{ CTL_VIRTUAL_NMIS, WORD_PIN, 5, true },
		{ CTL_POSTED, WORD_PIN, 7, false },
		{ CTL_HLT_EXIT, WORD_PROC, 7, true },
		{ CTL_TPR_SHADOW, WORD_PROC, 21, false },
		{ CTL_PROC2, WORD_PROC, 31, true },
		{ CTL_EPT, WORD_PROC2, 1, true },
		{ CTL_VPID, WORD_PROC2, 5, false },
		{ CTL_UNRESTRICTED, WORD_PROC2, 7, true },
		{ CTL_VIRTUAL_INTR, WORD_PROC2, 9, false },
		{ CTL_TSC_SCALING, WORD_PROC2, 25, false },
		{ CTL_PROC3, WORD_PROC, 17, false },
		{ CTL_IPIV, WORD_PROC3, 4, false },
		{ CTL_HOST_64BIT, WORD_EXIT, 9, true },
		{ CTL_EXIT_LOAD_EFER, WORD_EXIT, 21, true },
		{ CTL_GUEST_64BIT, WORD_ENTRY, 9, true },
		{ CTL_ENTRY_LOAD_EFER, WORD_ENTRY, 15, true },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		unsigned int control = want[i].control;

		assert_int_equal(place(control),
				 want[i].word * 32 + want[i].bit);
		assert_int_equal(vmx_control_places[control].required,
				 want[i].required);
	}
}

static void test_good(void **state)
{
	struct vmx_caps caps = vmx_caps(&host_sapphire);
	unsigned int i;

	assert_null(vmx_refusal(&host_sapphire));
	assert_null(vmx_refusal(&host_skylake));
	assert_null(vmx_refusal(&host_minimal));
	for (i = 0; i < CTL_COUNT; i++)
		assert_true(vmx_can(&caps, i));
	assert_int_equal(caps.revision, 4);
	assert_int_equal(caps.timer_shift, 7);
	assert_true(caps.ept_ad && caps.ept_1g && caps.ept_2m &&
		    caps.hlt_state && caps.invept_single &&
		    caps.invvpid_single && caps.invvpid_address);
	assert_false(caps.ept_5_levels);
	/* Unrestricted guest: only NE is left of what CR0 must have. */
	assert_int_equal(caps.cr0_ones, 0x20);
	assert_int_equal(caps.cr4_ones, 0x2000);

	caps = vmx_caps(&host_minimal);
	for (i = 0; i < CTL_COUNT; i++)
		assert_int_equal(vmx_can(&caps, i),
				 vmx_control_places[i].required);
}

/* A capability that our flushes cannot rest on is none. */
static void test_derived(void **state)
{
	struct vmx_host host = host_skylake;
	struct vmx_caps caps;

	host.ept_vpid &= ~VPID_CAP_ALL;
	caps = vmx_caps(&host);
	assert_false(vmx_can(&caps, CTL_VPID));
	assert_true(vmx_can(&caps, CTL_PML));

	host = host_skylake;
	host.ept_vpid &= ~EPT_CAP_AD;
	caps = vmx_caps(&host);
	assert_true(vmx_can(&caps, CTL_VPID));
	assert_false(vmx_can(&caps, CTL_PML));
	assert_null(vmx_refusal(&host));
}

/* 27.2.1.1: nor is one without what it rests on. */
static void test_dropped(void **state)
{
	struct vmx_caps caps = vmx_caps(&host_skylake);

	vmx_caps_drop(&caps, CTL_ACK_IRQ);
	assert_false(vmx_can(&caps, CTL_POSTED));
	assert_true(vmx_can(&caps, CTL_VIRTUAL_INTR));

	caps = vmx_caps(&host_skylake);
	vmx_caps_drop(&caps, CTL_VIRTUAL_INTR);
	assert_false(vmx_can(&caps, CTL_POSTED));
	assert_true(vmx_can(&caps, CTL_APIC_REGISTERS));
	assert_true(vmx_can(&caps, CTL_ACK_IRQ));

	caps = vmx_caps(&host_skylake);
	vmx_caps_drop(&caps, CTL_TPR_SHADOW);
	assert_false(vmx_can(&caps, CTL_APIC_ACCESSES));
	assert_false(vmx_can(&caps, CTL_APIC_REGISTERS));
	assert_false(vmx_can(&caps, CTL_X2APIC));
	assert_false(vmx_can(&caps, CTL_VIRTUAL_INTR));
	assert_false(vmx_can(&caps, CTL_POSTED));
}

/* IPIs are posted: without that, or its word of controls, there is none. */
static void test_ipiv(void **state)
{
	static const u8 bases[] = {
		CTL_PROC3, CTL_POSTED, CTL_ACK_IRQ, CTL_VIRTUAL_INTR,
		CTL_TPR_SHADOW,
	};
	struct vmx_caps sapphire = vmx_caps(&host_sapphire);
	struct vmx_caps skylake = vmx_caps(&host_skylake);
	struct vmx_host host = host_sapphire;
	struct vmx_caps caps;
	unsigned int i;

	assert_true(vmx_can(&sapphire, CTL_IPIV));
	assert_false(vmx_can(&skylake, CTL_IPIV));
	assert_false(vmx_caps_cover(&skylake, &sapphire));
	assert_true(vmx_caps_cover(&sapphire, &skylake));
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		caps = sapphire;
		vmx_caps_drop(&caps, bases[i]);
		assert_false(vmx_can(&caps, CTL_IPIV));
	}
	caps = sapphire;
	vmx_caps_drop(&caps, CTL_IPIV);
	assert_true(vmx_can(&caps, CTL_POSTED));
	/* Tertiary controls, but not this one, as some parts have them. */
	host.word[WORD_PROC3] = WORDS(0, 0x80);
	caps = vmx_caps(&host);
	assert_true(vmx_can(&caps, CTL_PROC3));
	assert_false(vmx_can(&caps, CTL_IPIV));
}

static void assert_refused(const struct vmx_host *host, const char *part)
{
	const char *why = vmx_refusal(host);

	assert_non_null(why);
	assert_non_null(strstr(why, part));
	assert_null(strchr(why, '\n'));
}

static void test_refusals(void **state)
{
	struct vmx_host h = { .vmx = false };
	struct vmx_caps caps = vmx_caps(&h);
	struct vmx_caps none = { };

	assert_refused(&h, "no VMX");
	assert_memory_equal(&caps, &none, sizeof(caps));

	h = host_skylake;
	h.feature_control = 1;
	assert_refused(&h, "locked by the firmware");
	h.feature_control = 0;
	assert_refused(&h, "not enabled");
	h.feature_control = 4;
	assert_refused(&h, "not locked");

	h = host_skylake;
	h.word[WORD_PROC2] = WORDS(0, 0x035fff7f);
	assert_refused(&h, "no unrestricted guest");
	h.word[WORD_PROC2] = WORDS(0, 0x035ffffd);
	assert_refused(&h, "no EPT");
	h.word[WORD_PROC2] = 0;
	h.word[WORD_PROC] = WORDS(0x0401e172, 0x7ff9fffe);
	assert_refused(&h, "no EPT");

	h = host_skylake;
	h.word[WORD_PIN] = WORDS(0x16, 0xdf);
	assert_refused(&h, "the CPU lacks \"virtual NMIs\"");

	h = host_skylake;
	h.cr4_vmxe = true;
	assert_refused(&h, "in use");
}

static void test_basic(void **state)
{
	struct vmx_host h = host_skylake;

	h.basic |= BIT_ULL(48);
	assert_refused(&h, "4 GiB");
	h = host_skylake;
	h.basic = (h.basic & ~GENMASK_ULL(44, 32)) | 4097ULL << 32;
	assert_refused(&h, "larger");
	h = host_skylake;
	h.basic &= ~GENMASK_ULL(53, 50);
	assert_refused(&h, "write-back");
	h = host_skylake;
	h.ept_vpid &= ~EPT_CAP_INVEPT;
	assert_refused(&h, "INVEPT");
}

static void test_cover(void **state)
{
	struct vmx_caps rich = vmx_caps(&host_skylake);
	struct vmx_caps poor = vmx_caps(&host_minimal);
	struct vmx_host h = host_skylake;
	struct vmx_caps other;

	assert_true(vmx_caps_cover(&rich, &rich));
	assert_true(vmx_caps_cover(&poor, &poor));
	assert_false(vmx_caps_cover(&poor, &rich));

	h.basic = (h.basic & ~BASIC_REVISION) | 5;
	other = vmx_caps(&h);
	assert_false(vmx_caps_cover(&other, &rich));

	h = host_skylake;
	h.word[WORD_PIN] &= ~((u64)BIT(6) << 32);
	other = vmx_caps(&h);
	assert_false(vmx_caps_cover(&other, &rich));
	assert_true(vmx_caps_cover(&rich, &other));

	/* More reserved bits that must be 1 than were planned with */
	h = host_skylake;
	h.word[WORD_PIN] |= BIT(3);
	other = vmx_caps(&h);
	assert_false(vmx_caps_cover(&other, &rich));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_derived),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_ipiv),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_basic),
		cmocka_unit_test(test_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
