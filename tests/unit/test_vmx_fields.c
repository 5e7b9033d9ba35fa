// SPDX-License-Identifier: GPL-2.0-only
/* Which fields a VMCS has, whatever the processor lacks: vmx/fields.h */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "vmx/fields.h"
#include "vmx_hosts.h"

/*
 * SDM vol. 3, appendix B: the notes "this field exists only on processors
 * that support the 1-setting of", by encoding, as far as this product knows
 * the control. Where a note names several controls one of them is required
 * here.
 */
static const struct {
	u16 first, last;
	u8 word, bit;
} notes[] = {
	{ 0x0000, 0x0000, WORD_PROC2, 5 },	/* VPID */
	{ 0x0002, 0x0002, WORD_PIN, 7 },	/* notification vector */
	{ 0x0008, 0x0008, WORD_PROC3, 4 },	/* last PID-pointer index */
	{ 0x0810, 0x0810, WORD_PROC2, 9 },	/* guest interrupt status */
	{ 0x0812, 0x0812, WORD_PROC2, 17 },	/* PML index */
	{ 0x200e, 0x200e, WORD_PROC2, 17 },	/* PML address */
	{ 0x2012, 0x2012, WORD_PROC, 21 },	/* virtual-APIC address */
	{ 0x2014, 0x2014, WORD_PROC2, 0 },	/* APIC-access address */
	{ 0x2016, 0x2016, WORD_PIN, 7 },	/* posted-interrupt descriptor */
	{ 0x201c, 0x2022, WORD_PROC2, 9 },	/* EOI-exit bitmaps */
	{ 0x202e, 0x202e, WORD_PROC2, 15 },	/* ENCLS-exiting bitmap */
	{ 0x2032, 0x2032, WORD_PROC2, 25 },	/* TSC multiplier */
	{ 0x2034, 0x2034, WORD_PROC, 17 },	/* tertiary controls */
	{ 0x2042, 0x2042, WORD_PROC3, 4 },	/* PID-pointer table */
	{ 0x401c, 0x401c, WORD_PROC, 21 },	/* TPR threshold */
	{ 0x4020, 0x4022, WORD_PROC2, 10 },	/* PLE gap and window */
	{ 0x482e, 0x482e, WORD_PIN, 6 },	/* preemption-timer value */
};

static bool has_field(const struct vmx_caps *caps, u16 field)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(notes); i++)
		if (field >= notes[i].first && field <= notes[i].last)
			return caps->may[notes[i].word] >> notes[i].bit & 1;
	return true;
}

static void assert_fields(const struct vmx_caps *caps)
{
	u32 field;

	for (field = 0; field < 0x8000; field += 2)
		assert_int_equal(vmcs_field_exists(caps, field),
				 has_field(caps, field));
}

/* Each control that a part may lack, by itself and with what rests on it. */
static void test_lacking_one(void **state)
{
	unsigned int i;

	for (i = 0; i < CTL_COUNT; i++) {
		struct vmx_caps caps = vmx_caps(&host_sapphire);

		if (vmx_control_places[i].required)
			continue;
		vmx_caps_drop(&caps, i);
		assert_fields(&caps);
		caps = vmx_caps(&host_sapphire);
		caps.may[vmx_control_places[i].word] &= ~vmx_bit(i);
		assert_fields(&caps);
	}
}

static void test_hosts(void **state)
{
	static const struct vmx_host *const hosts[] = {
		&host_sapphire, &host_skylake, &host_sandy, &host_minimal,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(hosts); i++) {
		struct vmx_caps caps = vmx_caps(hosts[i]);

		assert_null(vmx_refusal(hosts[i]));
		assert_fields(&caps);
	}
}

/* No field is left to a control that a later part might lack as well. */
static void test_required(void **state)
{
	struct vmx_caps none = { };

	assert_true(vmcs_field_exists(&none, EPT_POINTER));
	assert_int_equal(vmcs_field_control(EPT_POINTER), CTL_EPT);
	assert_int_equal(vmcs_field_control(GUEST_PDPTE0 + 6), CTL_EPT);
	assert_int_equal(vmcs_field_control(MSR_BITMAP), CTL_MSR_BITMAPS);
	assert_int_equal(vmcs_field_control(PROC2_CONTROLS), CTL_PROC2);
	assert_int_equal(vmcs_field_control(HOST_EFER), CTL_EXIT_LOAD_EFER);
	assert_int_equal(vmcs_field_control(GUEST_PAT), CTL_ENTRY_LOAD_PAT);
	assert_int_equal(vmcs_field_control(GUEST_RIP), CTL_COUNT);
	assert_int_equal(vmcs_field_control(EXCEPTION_BITMAP), CTL_COUNT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lacking_one),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_required),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
