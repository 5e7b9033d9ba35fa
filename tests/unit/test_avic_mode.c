// SPDX-License-Identifier: GPL-2.0-only
/* Off, AVIC or x2AVIC, and the VMCB: svm/avic_mode.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "avic_model.h"
#include "svm/avic.h"

static const enum avic_mode modes[] = { AVIC_OFF, AVIC_XAPIC, AVIC_X2APIC };

static void test_features(void **state)
{
	unsigned int i;

	for (i = 0; i < 16; i++) {
		u32 edx = (i & 1 ? BIT(13) : 0) | (i & 2 ? BIT(18) : 0);
		struct avic_features f = avic_features(edx, i & 4, i & 8);

		assert_int_equal(f.avic, (i & 5) == 5);
		assert_int_equal(f.x2avic, i == 15);
		assert_int_equal(f.host_max, i & 2 ? 0xfff : 0xff);
	}
	/* No other bit counts. */
	assert_false(avic_features(~(u32)BIT(13), true, true).avic);
	assert_false(avic_features(~(u32)BIT(18), true, true).x2avic);
}

/* These say nothing of x2APIC ids, which are fixed and have no address. */
static const u32 xapic_only = BIT(AVIC_NO_ID_MODIFIED) |
			      BIT(AVIC_NO_BASE_MOVED) | BIT(AVIC_NO_LOGICAL);

static enum avic_mode model_mode(const struct avic_features *f, u64 base,
				 u32 inhibits)
{
	switch (base >> 10 & 3) {
	case 2:
		return f->avic && !inhibits ? AVIC_XAPIC : AVIC_OFF;
	case 3:
		return f->x2avic && !(inhibits & ~xapic_only) ? AVIC_X2APIC :
								AVIC_OFF;
	default:
		return AVIC_OFF;
	}
}

/* Every setting, APIC mode and set of inhibits. */
static void test_mode(void **state)
{
	u32 i, inhibits;

	for (i = 0; i < 16; i++) {
		struct avic_features f = { .avic = i & 1, .x2avic = i & 2 };
		u64 base = 0xfee00900 & ~0xc00ULL;

		base |= (u64)(i >> 2) << 10;
		if (f.x2avic && !f.avic)
			continue;
		for (inhibits = 0; inhibits < BIT(AVIC_INHIBIT_COUNT);
		     inhibits++)
			assert_int_equal(avic_mode(&f, base, inhibits),
					 model_mode(&f, base, inhibits));
	}
}

static void test_names(void **state)
{
	unsigned int i, j;

	assert_int_equal(AVIC_INHIBIT_COUNT, 12);
	for (i = 0; i < AVIC_INHIBIT_COUNT; i++) {
		assert_non_null(avic_inhibit_name(i));
		for (j = 0; j < i; j++)
			assert_string_not_equal(avic_inhibit_name(i),
						avic_inhibit_name(j));
	}
	assert_null(avic_inhibit_name(AVIC_INHIBIT_COUNT));
}

#define BACKING 0x0000000123456000ULL
#define LOGICAL 0x0008000123457000ULL	/* with an encryption bit */
#define PHYSICAL 0x0000000123458000ULL

static const struct avic_pages pages = {
	.backing = BACKING, .logical = LOGICAL, .physical = PHYSICAL,
	.max_id = 7,
};

static void test_vmcb(void **state)
{
	struct vmcb_control c = { .nested = 1, .vintr = 0x0100000b };

	assert_int_equal(avic_vmcb(&c, AVIC_OFF, &pages), 0);
	assert_int_equal(avic_vmcb(&c, AVIC_XAPIC, &pages), BIT(3) | BIT(11));
	assert_int_equal(c.vintr, 0x8100000b);
	assert_int_equal(c.avic_bar, 0xfee00000);
	assert_int_equal(c.avic_backing_page, BACKING);
	assert_int_equal(c.avic_logical, LOGICAL);
	assert_int_equal(c.avic_physical, PHYSICAL | 7);
	assert_int_equal(avic_vmcb(&c, AVIC_XAPIC, &pages), 0);

	assert_int_equal(avic_vmcb(&c, AVIC_X2APIC, &pages), BIT(3));
	assert_int_equal(c.vintr, 0xc100000b);

	assert_int_equal(avic_vmcb(&c, AVIC_OFF, &pages), BIT(3) | BIT(11));
	assert_int_equal(c.vintr, 0x0100000b);
	assert_int_equal(c.avic_bar | c.avic_backing_page | c.avic_logical |
			 c.avic_physical, 0);
}

/* VMRUN takes it for any number of vCPUs, whatever was there before. */
static void test_legal(void **state)
{
	struct vmcb_control c = { .nested = 1 };
	struct avic_pages p = pages;
	unsigned int from, to;

	for (p.max_id = 0; p.max_id < 5000; p.max_id++) {
		for (from = 0; from < 3; from++) {
			for (to = 0; to < 3; to++) {
				avic_vmcb(&c, modes[from], &p);
				avic_vmcb(&c, modes[to], &p);
				assert_true(model_vmrun(&c));
			}
		}
		avic_vmcb(&c, AVIC_XAPIC, &p);
		assert_int_equal(c.avic_physical & 0xfff, min(p.max_id, 254U));
		avic_vmcb(&c, AVIC_X2APIC, &p);
		assert_int_equal(c.avic_physical & 0xfff, min(p.max_id, 511U));
	}
}

/* A clean bit is dropped exactly when one of its fields changed. */
static void test_clean(void **state)
{
	struct vmcb_control a = { .nested = 1 }, b;
	struct avic_pages p = pages;
	u32 seed, drop;

	for (seed = 0; seed < 3 * 3 * 16; seed++) {
		avic_vmcb(&a, modes[seed % 3], &pages);
		b = a;
		p.backing = BACKING + (seed & 1 ? PAGE_SIZE : 0);
		p.logical = LOGICAL + (seed & 2 ? PAGE_SIZE : 0);
		p.physical = PHYSICAL + (seed & 4 ? PAGE_SIZE : 0);
		p.max_id = seed & 8 ? 8 : 7;
		drop = avic_vmcb(&b, modes[seed / 3 % 3], &p);
		assert_int_equal(!!(drop & BIT(3)), a.vintr != b.vintr);
		assert_int_equal(!!(drop & BIT(11)),
				 a.avic_bar != b.avic_bar ||
				 a.avic_backing_page != b.avic_backing_page ||
				 a.avic_logical != b.avic_logical ||
				 a.avic_physical != b.avic_physical);
		assert_int_equal(drop & ~(BIT(3) | BIT(11)), 0);
	}
}

static void test_switch(void **state)
{
	static const u32 want[3][3] = {
		{ 0, AVIC_DO_VMCB | AVIC_DO_PAGE,
		  AVIC_DO_VMCB | AVIC_DO_MSRPM },
		{ AVIC_DO_VMCB | AVIC_DO_PAGE | AVIC_DO_RESYNC, 0,
		  AVIC_DO_VMCB | AVIC_DO_PAGE | AVIC_DO_MSRPM |
		  AVIC_DO_RESYNC },
		{ AVIC_DO_VMCB | AVIC_DO_MSRPM | AVIC_DO_RESYNC,
		  AVIC_DO_VMCB | AVIC_DO_PAGE | AVIC_DO_MSRPM |
		  AVIC_DO_RESYNC, 0 },
	};
	unsigned int from, to;

	for (from = 0; from < 3; from++)
		for (to = 0; to < 3; to++)
			assert_int_equal(avic_switch(modes[from], modes[to]),
					 want[from][to]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_features),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_vmcb),
		cmocka_unit_test(test_legal),
		cmocka_unit_test(test_clean),
		cmocka_unit_test(test_switch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
