// SPDX-License-Identifier: GPL-2.0-only
/* Host features and refusals: svm/caps.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "svm/caps.h"

/* A part with everything, and QEMU's emulation, which has little. */
#define EDX_ALL 0xffffffffu
#define EDX_EMULATED (BIT(0) | BIT(16))

static struct svm_host good(u32 edx)
{
	return (struct svm_host){
		.amd = true, .ext_ecx = BIT(2), .svm_eax = 1, .svm_ebx = 16,
		.svm_edx = edx, .efer = 0xd01,
	};
}

static void test_features(void **state)
{
	struct svm_host host = good(EDX_ALL);
	struct svm_caps caps = svm_caps(&host);

	assert_int_equal(caps.asids, 16);
	assert_true(caps.next_rip && caps.tsc_ratio && caps.clean_bits);
	assert_true(caps.flush_by_asid && caps.decode && caps.spec_ctrl);
	assert_true(caps.pause_filter && caps.pause_threshold);

	host = good(EDX_EMULATED);
	caps = svm_caps(&host);
	assert_int_equal(caps.asids, 16);
	assert_false(caps.next_rip || caps.tsc_ratio || caps.clean_bits ||
		     caps.flush_by_asid || caps.decode || caps.spec_ctrl ||
		     caps.pause_filter || caps.pause_threshold);
}

/* Each feature follows its own bit of CPUID 8000_000A EDX and no other. */
static void test_bits(void **state)
{
	static const struct { u8 bit; u8 at; } map[] = {
		{ 3, offsetof(struct svm_caps, next_rip) },
		{ 4, offsetof(struct svm_caps, tsc_ratio) },
		{ 5, offsetof(struct svm_caps, clean_bits) },
		{ 6, offsetof(struct svm_caps, flush_by_asid) },
		{ 7, offsetof(struct svm_caps, decode) },
		{ 10, offsetof(struct svm_caps, pause_filter) },
		{ 20, offsetof(struct svm_caps, spec_ctrl) },
	};
	unsigned int i, j;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		struct svm_host host = good(BIT(map[i].bit));
		struct svm_caps caps = svm_caps(&host);

		for (j = 0; j < ARRAY_SIZE(map); j++)
			assert_int_equal(((bool *)&caps)[map[j].at], i == j);
	}
}

static void test_threshold_needs_filter(void **state)
{
	struct svm_host host = good(BIT(12));

	assert_false(svm_caps(&host).pause_threshold);
}

static void test_no_svm(void **state)
{
	struct svm_host host = good(EDX_ALL);

	host.ext_ecx = 0;
	assert_int_equal(svm_caps(&host).asids, 0);
	assert_false(svm_caps(&host).decode);
}

static void test_accepted(void **state)
{
	struct svm_host host = good(EDX_ALL);

	assert_null(svm_refusal(&host));
	host = good(EDX_EMULATED);
	assert_null(svm_refusal(&host));
	host.vm_cr = BIT(3);		/* locked, but on */
	assert_null(svm_refusal(&host));
}

static void refused(struct svm_host host, const char *word)
{
	const char *why = svm_refusal(&host);

	assert_non_null(why);
	assert_non_null(strstr(why, word));
	assert_null(strchr(why, '\n'));
}

#define WITH(change) ({ struct svm_host h = good(EDX_EMULATED); h.change; h; })

static void test_refused(void **state)
{
	refused(WITH(amd = false), "not an AMD");
	refused(WITH(ext_ecx = 0), "no SVM");
	refused(WITH(vm_cr = BIT(4) | BIT(3)), "locked");
	refused(WITH(vm_cr = BIT(4)), "SVMDIS");
	refused(WITH(svm_eax = 0), "revision");
	refused(WITH(svm_edx = ~1u), "nested paging");
	refused(WITH(svm_ebx = 1), "ASID");
	refused(WITH(efer = BIT(12)), "in use");
}

static void test_cover(void **state)
{
	struct svm_host all = good(EDX_ALL), few = good(EDX_EMULATED);
	struct svm_caps a = svm_caps(&all), b = svm_caps(&few);

	assert_true(svm_caps_cover(&a, &a));
	assert_true(svm_caps_cover(&a, &b));
	assert_false(svm_caps_cover(&b, &a));
	b.asids = 0;
	assert_false(svm_caps_cover(&b, &b));
	b = a;
	b.asids = 8;
	assert_true(svm_caps_cover(&b, &a));
	b.spec_ctrl = false;
	assert_false(svm_caps_cover(&b, &a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_bits),
		cmocka_unit_test(test_threshold_needs_filter),
		cmocka_unit_test(test_no_svm),
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
