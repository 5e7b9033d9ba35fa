// SPDX-License-Identifier: GPL-2.0-only
/* Descriptors, access checks, and the registers after reset. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/cr.h"
#include "x86/segment.h"

static void test_decode(void **state)
{
	/* flat 32-bit code, as every boot loader has it */
	struct segment seg = segment_decode(8, 0x00cf9b000000ffffULL, 0);

	(void)state;
	assert_int_equal(seg.selector, 8);
	assert_int_equal(seg.base, 0);
	assert_int_equal(seg.limit, 0xffffffff);
	assert_int_equal(seg.type, 0xb);
	assert_true(seg.s && seg.present && seg.db && seg.g && !seg.l);
	assert_int_equal(segment_ar(&seg), 0xc09b);
	assert_int_equal(segment_attrib(&seg), 0xc9b);

	/* a 64-bit TSS in the upper half of the address space */
	seg = segment_decode(0x40, 0x89008b0000002067ULL | 0x345600ULL << 16,
			     0xffffffffULL);
	assert_int_equal(seg.base, 0xffffffff89345600ULL);
	assert_int_equal(seg.limit, 0x2067);
	assert_int_equal(seg.type, SEGTYPE_TSS_BUSY);
	assert_int_equal(seg.s, 0);
	assert_int_equal(seg.dpl, 0);
}

static void test_round_trip(void **state)
{
	u64 x = 88172645463325252ULL;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		struct segment seg, copy;
		struct kvm_segment kvm;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		seg = segment_decode(x >> 5, x, 0);
		assert_int_equal(segment_encode(&seg), x);
		kvm = segment_to_kvm(&seg);
		copy = segment_from_kvm(&kvm);
		assert_memory_equal(&copy, &seg, sizeof(seg));
		memset(&copy, 0xff, sizeof(copy));
		segment_set_ar(&copy, segment_ar(&seg));
		assert_int_equal(segment_ar(&copy), segment_ar(&seg));
		segment_set_attrib(&copy, segment_attrib(&seg));
		assert_int_equal(segment_attrib(&copy), segment_attrib(&seg));
		assert_int_equal(copy.unusable, !seg.present);
	}
}

static void test_kvm_is_cut(void **state)
{
	struct kvm_segment kvm;
	struct segment seg;

	(void)state;
	memset(&kvm, 0xff, sizeof(kvm));
	seg = segment_from_kvm(&kvm);
	assert_int_equal(seg.type, 15);
	assert_int_equal(seg.dpl, 3);
	assert_int_equal(seg.unusable, 1);
	assert_int_equal(seg.l, 1);
}

static void test_limits(void **state)
{
	struct segment up = { .limit = 0xfff, .s = 1, .type = 3, .present = 1 };
	struct segment down = { .limit = 0xfff, .s = 1, .type = 7,
				.present = 1, .db = 1 };
	struct segment flat = { .limit = 0xffffffff, .s = 1, .type = 3,
				.present = 1 };

	(void)state;
	assert_true(segment_limit_ok(&up, 0, 1));
	assert_true(segment_limit_ok(&up, 0xffc, 4));
	assert_false(segment_limit_ok(&up, 0xffd, 4));
	assert_false(segment_limit_ok(&up, 0xffffffff, 2));
	assert_true(segment_limit_ok(&flat, 0xfffffffc, 4));
	assert_false(segment_limit_ok(&flat, 0xfffffffd, 4));
	assert_false(segment_limit_ok(&down, 0xfff, 1));
	assert_true(segment_limit_ok(&down, 0x1000, 1));
	assert_true(segment_limit_ok(&down, 0xfffffffc, 4));
	assert_false(segment_limit_ok(&down, 0xfffffffd, 4));
	down.db = 0;
	assert_true(segment_limit_ok(&down, 0xfffe, 2));
	assert_false(segment_limit_ok(&down, 0xffff, 2));
}

static void test_types(void **state)
{
	unsigned int type;

	(void)state;
	for (type = 0; type < 16; type++) {
		struct segment seg = { .type = type, .s = 1, .present = 1 };
		bool code = type & 8;

		assert_int_equal(segment_type_ok(&seg, SEG_READ),
				 !code || (type & 2));
		assert_int_equal(segment_type_ok(&seg, SEG_WRITE),
				 !code && (type & 2));
		assert_int_equal(segment_type_ok(&seg, SEG_EXEC), code);
		seg.s = 0;
		assert_false(segment_type_ok(&seg, SEG_READ));
		seg.s = 1;
		seg.unusable = 1;
		assert_false(segment_type_ok(&seg, SEG_READ));
	}
}

static void test_linear_long(void **state)
{
	struct regs regs;
	struct fault f = { .vector = VEC_NONE };
	struct seg_ref ref = { .sreg = SEG_DS, .offset = 0x7fffffffff00,
			       .len = 256 };
	u64 linear = 0;

	(void)state;
	regs_reset(&regs, false, 0);
	regs.cr0 |= CR0_PE | CR0_PG;
	regs.cr4 |= CR4_PAE;
	regs.efer |= EFER_LME_BIT | EFER_LMA_BIT;
	regs.seg[SEG_CS].l = 1;
	regs.seg[SEG_DS].base = 0x1000;		/* not used */
	regs.seg[SEG_DS].unusable = 1;
	regs.seg[SEG_GS].base = 0xffff888000000000ULL;

	assert_true(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(linear, 0x7fffffffff00);
	ref.len = 257;
	assert_false(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(f.vector, VEC_GP);
	assert_int_equal(f.error_code, 0);
	ref.sreg = SEG_SS;
	assert_false(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(f.vector, VEC_SS);

	ref = (struct seg_ref){ .sreg = SEG_GS, .offset = 0x28, .len = 8 };
	assert_true(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(linear, 0xffff888000000028ULL);
	regs.cr4 |= CR4_LA57;
	ref = (struct seg_ref){ .sreg = SEG_DS, .offset = BIT_ULL(50),
				.len = 8 };
	assert_true(segment_linear(&regs, &ref, &linear, &f));
	regs.cr4 &= ~CR4_LA57;
	assert_false(segment_linear(&regs, &ref, &linear, &f));
}

static void test_linear_legacy(void **state)
{
	struct regs regs;
	struct fault f = { .vector = VEC_NONE };
	struct seg_ref ref = { .sreg = SEG_CS, .offset = 0xfff0, .len = 16,
			       .access = SEG_EXEC };
	u64 linear = 0;

	(void)state;
	regs_reset(&regs, false, 0);
	assert_true(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(linear, 0xfffffff0);
	assert_int_equal(regs_linear_rip(&regs), 0xfffffff0);
	ref.len = 17;
	assert_false(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(f.vector, VEC_GP);

	/* real mode looks at limits but not at types */
	ref = (struct seg_ref){ .sreg = SEG_CS, .len = 1,
				.access = SEG_WRITE };
	assert_true(segment_linear(&regs, &ref, &linear, &f));
	regs.cr0 |= CR0_PE;
	assert_false(segment_linear(&regs, &ref, &linear, &f));

	segment_load_real(&regs.seg[SEG_DS], 0xffff);
	assert_int_equal(regs.seg[SEG_DS].base, 0xffff0);
	assert_int_equal(regs.seg[SEG_DS].limit, 0xffff);
	regs.seg[SEG_DS].base = 0xfffff000;
	ref = (struct seg_ref){ .sreg = SEG_DS, .offset = 0x1004, .len = 4 };
	assert_true(segment_linear(&regs, &ref, &linear, &f));
	assert_int_equal(linear, 4);
	ref.offset = BIT_ULL(32);
	assert_false(segment_linear(&regs, &ref, &linear, &f));

	segment_load_vm86(&regs.seg[SEG_SS], 0x1234);
	assert_int_equal(segment_ar(&regs.seg[SEG_SS]), 0xf3);
	assert_int_equal(regs.seg[SEG_SS].base, 0x12340);
}

static void test_power_on(void **state)
{
	struct regs regs;
	int i;

	(void)state;
	memset(&regs, 0xa5, sizeof(regs));
	regs_reset(&regs, false, 0x600);
	assert_int_equal(regs.rip, 0xfff0);
	assert_int_equal(regs.rflags, 2);
	assert_int_equal(regs.cr0, 0x60000010);
	assert_int_equal(regs.gpr[R_RDX], 0x600);
	for (i = 0; i < R_COUNT; i++)
		assert_int_equal(regs.gpr[i], i == R_RDX ? 0x600 : 0);
	assert_int_equal(regs.seg[SEG_CS].selector, 0xf000);
	assert_int_equal(regs.seg[SEG_CS].base, 0xffff0000);
	assert_int_equal(segment_ar(&regs.seg[SEG_CS]), 0x9b);
	for (i = SEG_SS; i <= SEG_GS; i++) {
		assert_int_equal(segment_ar(&regs.seg[i]), 0x93);
		assert_int_equal(regs.seg[i].limit, 0xffff);
		assert_int_equal(regs.seg[i].selector, 0);
	}
	assert_int_equal(segment_ar(&regs.seg[SEG_LDTR]), 0x82);
	assert_int_equal(segment_ar(&regs.seg[SEG_TR]), 0x8b);
	assert_int_equal(regs.gdt.limit, 0xffff);
	assert_int_equal(regs.idt.base, 0);
	assert_int_equal(regs.dr6, 0xffff0ff0);
	assert_int_equal(regs.dr7, 0x400);
	assert_int_equal(regs.xcr0, 1);
	assert_int_equal(regs.pat, 0x0007040600070406ULL);
	assert_int_equal(regs.star, 0);
	assert_int_equal(regs.avail, RG_ALL);
	assert_int_equal(regs.dirty, RG_ALL);
	assert_int_equal(regs_mode(&regs), MODE_REAL);
}

static void test_init_keeps(void **state)
{
	struct regs regs;

	(void)state;
	regs_reset(&regs, false, 0x600);
	regs.cr0 = CR0_PE | CR0_PG | CR0_WP;
	regs.cr4 = CR4_PAE;
	regs.efer = EFER_LME_BIT | EFER_LMA_BIT;
	regs.xcr0 = 7;
	regs.pat = 0x0606060606060606ULL;
	regs.lstar = 0xffffffff81000000ULL;
	regs.sysenter_cs = 0x10;
	regs.gpr[R_RAX] = 1;
	regs_reset(&regs, true, 0x100f22);
	assert_int_equal(regs.cr0, CR0_ET);	/* caching stays on */
	assert_int_equal(regs.cr4, 0);
	assert_int_equal(regs.efer, 0);
	assert_int_equal(regs.xcr0, 7);
	assert_int_equal(regs.pat, 0x0606060606060606ULL);
	assert_int_equal(regs.lstar, 0xffffffff81000000ULL);
	assert_int_equal(regs.sysenter_cs, 0x10);
	assert_int_equal(regs.gpr[R_RAX], 0);
	assert_int_equal(regs.gpr[R_RDX], 0x100f22);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_decode),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_kvm_is_cut),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_linear_long),
		cmocka_unit_test(test_linear_legacy),
		cmocka_unit_test(test_power_on),
		cmocka_unit_test(test_init_keeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
