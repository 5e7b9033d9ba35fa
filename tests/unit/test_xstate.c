// SPDX-License-Identifier: GPL-2.0-only
/* XSAVE areas with the layout of parts that exist, and images to load. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/xstate.h"

/* A server part: AVX, MPX, AVX-512, PKRU, and a supervisor component */
static struct xstate_layout server(void)
{
	static const u32 sub[][5] = {
		{ 2, 256, 576, 0, 0 },	  { 3, 64, 960, 0, 0 },
		{ 4, 64, 1024, 0, 0 },	  { 5, 64, 1088, 0, 0 },
		{ 6, 512, 1152, 0, 0 },	  { 7, 1024, 1664, 0, 0 },
		{ 8, 128, 0, 1, 0 },	  { 9, 8, 2688, 0, 0 },
		{ 17, 64, 2752, 2, 0 },	  { 18, 8192, 2816, 6, 0 },
	};
	struct xstate_layout layout = { .comp[0].size = 0 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sub); i++)
		xstate_layout_set(&layout, sub[i][0], &sub[i][1]);
	return layout;
}

static void test_standard(void **state)
{
	struct xstate_layout layout = server();

	(void)state;
	assert_int_equal(xstate_size(&layout, 0), 576);
	assert_int_equal(xstate_size(&layout, 3), 576);
	assert_int_equal(xstate_size(&layout, 7), 832);
	assert_int_equal(xstate_size(&layout, 0x1f), 1088);
	assert_int_equal(xstate_size(&layout, 0xe7), 2688);
	assert_int_equal(xstate_size(&layout, 0x2e7), 2696);
	assert_int_equal(xstate_size(&layout, 0x602e7), 11008);
	assert_int_equal(xstate_size(&layout, 0x107), 832);
	assert_int_equal(xstate_size(&layout, BIT_ULL(63) | 7), 832);
}

static void test_compact(void **state)
{
	struct xstate_layout layout = server();

	(void)state;
	assert_int_equal(xstate_size_compact(&layout, 3), 576);
	assert_int_equal(xstate_size_compact(&layout, 7), 832);
	assert_int_equal(xstate_size_compact(&layout, 0x203), 584);
	assert_int_equal(xstate_size_compact(&layout, 0x107), 960);
	/* PKRU's eight bytes, then the tiles at a multiple of 64 */
	assert_int_equal(xstate_size_compact(&layout, 0x60203),
			 640 + 64 + 8192);
}

static void test_ignored(void **state)
{
	struct xstate_layout layout = server();
	static const u32 out[4] = { 100, 100, 0, 0 };

	(void)state;
	xstate_layout_set(&layout, 0, out);
	xstate_layout_set(&layout, 1, out);
	xstate_layout_set(&layout, XSTATE_COMPONENTS, out);
	xstate_layout_set(&layout, 0xffffffff, out);
	assert_int_equal(xstate_size(&layout, ~0ULL), 11008);
	assert_int_equal(layout.comp[0].size, 0);
}

static void put(u8 *area, u32 at, u64 val)
{
	memcpy(area + at, &val, sizeof(val));
}

static void test_image(void **state)
{
	u8 area[4096] = { 0 };
	u32 i;

	(void)state;
	area[24] = 0x80;
	area[25] = 0x1f;	/* MXCSR as after reset */
	assert_true(xstate_image_ok(area, 4096, 7, 0xffff));
	put(area, 512, 7);
	assert_true(xstate_image_ok(area, 4096, 7, 0xffff));
	assert_false(xstate_image_ok(area, 4096, 3, 0xffff));
	assert_false(xstate_image_ok(area, 575, 7, 0xffff));
	assert_true(xstate_image_ok(area, 576, 7, 0xffff));
	area[26] = 1;
	assert_false(xstate_image_ok(area, 4096, 7, 0xffff));
	area[26] = 0;
	area[24] = 0xc0;
	assert_false(xstate_image_ok(area, 4096, 7, 0xffbf));
	area[24] = 0x80;
	for (i = 520; i < 576; i++) {
		area[i] = 1;
		assert_false(xstate_image_ok(area, 4096, ~0ULL, 0xffff));
		area[i] = 0;
	}
	area[576] = 0xff;
	area[100] = 0xff;
	assert_true(xstate_image_ok(area, 4096, 7, 0xffff));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_standard),
		cmocka_unit_test(test_compact),
		cmocka_unit_test(test_ignored),
		cmocka_unit_test(test_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
