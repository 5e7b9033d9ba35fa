// SPDX-License-Identifier: GPL-2.0-only
/* AVIC's exits, registers and MSR intercepts: svm/avic_exit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "avic_model.h"
#include "svm/avic.h"
#include "svm/controls.h"

static void test_rows(void **state)
{
	unsigned int i;

	for (i = 0; i < avic_reg_count; i++) {
		const struct avic_reg *r = &avic_regs[i];

		assert_true(r->first <= r->last && r->last < 0x1000);
		assert_int_equal((r->first | r->last) & 15, 0);
		if (i)
			assert_true(r[-1].last < r->first);
		assert_true(r->read <= AVIC_FAULT && r->write <= AVIC_FAULT);
		/* Reads have no effect that could come after them. */
		assert_true(r->read != AVIC_TRAP);
		/* Only what was executed is not emulated. */
		assert_int_equal(r->act == AVIC_EMULATE,
				 r->write != AVIC_TRAP);
	}
}

static const struct avic_reg *row(u32 offset)
{
	unsigned int i;

	for (i = 0; i < avic_reg_count; i++)
		if (offset >= avic_regs[i].first && offset <= avic_regs[i].last)
			return &avic_regs[i];
	return NULL;
}

/* Every offset of the page, each way, against the model. */
static void test_accesses(void **state)
{
	u32 offset;

	for (offset = 0; offset < 0x1000; offset += 16) {
		const struct avic_reg *r = row(offset);

		/* The self IPI is not an xAPIC register, and so faults. */
		assert_int_equal(r && offset != 0x3f0, model_register(offset));
		assert_int_equal(r ? r->read : AVIC_FAULT, model_read(offset));
		assert_int_equal(r ? r->write : AVIC_FAULT,
				 model_write(offset));
	}
}

static void test_noaccel(void **state)
{
	u64 noise[] = { 0, 0xfffffffeULL << 32 | 0xfffff00f };
	unsigned int i, write;
	u32 offset;

	for (offset = 0; offset < 0x1000; offset += 16) {
		for (i = 0; i < 4; i++) {
			u64 info1 = noise[i & 1] | offset;
			struct avic_noaccel n;
			bool trap;

			write = i >> 1;
			info1 |= (u64)write << 32;
			trap = write && model_write(offset) == MODEL_TRAP;
			n = avic_noaccel(info1, ~0xffULL | 0x51);
			assert_int_equal(n.offset, offset);
			assert_int_equal(n.write, write);
			assert_int_equal(n.trap, trap);
			assert_int_equal(n.act == AVIC_EMULATE, !trap);
			assert_int_equal(n.vector, trap && offset == 0xb0 ?
					 0x51 : 0);
		}
	}
}

/* What each trapped write is for. */
static void test_acts(void **state)
{
	static const struct { u16 offset; u8 act; } map[] = {
		{ 0x020, AVIC_SURVEY }, { 0x0b0, AVIC_EOI },
		{ 0x0c0, AVIC_UNDO }, { 0x0d0, AVIC_SURVEY },
		{ 0x0e0, AVIC_SURVEY }, { 0x0f0, AVIC_SURVEY },
		{ 0x280, AVIC_WRITTEN }, { 0x300, AVIC_WRITTEN },
		{ 0x320, AVIC_WRITTEN }, { 0x330, AVIC_WRITTEN },
		{ 0x340, AVIC_WRITTEN }, { 0x350, AVIC_WRITTEN },
		{ 0x360, AVIC_WRITTEN }, { 0x370, AVIC_WRITTEN },
		{ 0x380, AVIC_WRITTEN }, { 0x3e0, AVIC_WRITTEN },
	};
	unsigned int i, traps = 0;
	u32 offset;

	for (i = 0; i < ARRAY_SIZE(map); i++)
		assert_int_equal(avic_noaccel(BIT_ULL(32) | map[i].offset, 0)
				 .act, map[i].act);
	/* And no other below the extended ones, which are not there. */
	for (offset = 0; offset < 0x400; offset += 16)
		traps += avic_noaccel(BIT_ULL(32) | offset, 0).trap;
	assert_int_equal(traps, ARRAY_SIZE(map));
	for (; offset < 0x1000; offset += 16)
		assert_int_equal(avic_noaccel(BIT_ULL(32) | offset, 0).act,
				 model_write(offset) == MODEL_TRAP ?
				 AVIC_UNDO : AVIC_EMULATE);
}

static void test_ipi(void **state)
{
	static const u8 acts[] = {
		AVIC_IPI_SEND, AVIC_IPI_KICK, AVIC_IPI_SEND, AVIC_IPI_BROKEN,
		AVIC_IPI_SEND, AVIC_IPI_SEND,
	};
	struct avic_ipi ipi;
	u64 i;

	for (i = 0; i < ARRAY_SIZE(acts); i++) {
		ipi = avic_ipi(0x02000000000c08fdULL, i << 32 | 0xfffff123);
		assert_int_equal(ipi.icr, 0x02000000000c08fdULL);
		assert_int_equal(ipi.cause, i);
		assert_int_equal(ipi.index, 0x123);
		assert_int_equal(ipi.act, acts[i]);
	}
	ipi = avic_ipi(0, ~0ULL);
	assert_int_equal(ipi.cause, 0xffffffff);
	assert_int_equal(ipi.act, AVIC_IPI_SEND);
}

static bool intercepted(const unsigned long *map, u32 msr, bool write)
{
	int bit = msrpm_offset(msr) + write;

	return map[bit / BITS_PER_LONG] >> (bit % BITS_PER_LONG) & 1;
}

static void test_msrpm(void **state)
{
	unsigned long map[MSRPM_SIZE / sizeof(long)];
	unsigned long full[MSRPM_SIZE / sizeof(long)];
	u32 msr;

	memset(map, 0xff, sizeof(map));
	memset(full, 0xff, sizeof(full));
	avic_msrpm(map, AVIC_X2APIC);
	for (msr = 0; msr < 0x2000; msr++) {
		u32 n = msr - 0x800;

		assert_int_equal(intercepted(map, msr, false),
				 !model_x2_reads(n));
		assert_int_equal(intercepted(map, msr, true),
				 !model_x2_writes(n));
	}
	/* Low MSRs only, and the way back leaves nothing open. */
	assert_memory_equal((u8 *)map + 2048, (u8 *)full + 2048,
			    MSRPM_SIZE - 2048);
	avic_msrpm(map, AVIC_XAPIC);
	assert_memory_equal(map, full, sizeof(map));
	avic_msrpm(map, AVIC_X2APIC);
	avic_msrpm(map, AVIC_OFF);
	assert_memory_equal(map, full, sizeof(map));
}

/* Whatever is open is there, and hardware needs nobody for it. */
static void test_open(void **state)
{
	u32 n;

	for (n = 0; n < 0x100; n++) {
		const struct avic_reg *r = row(n << 4);

		if (!r)
			continue;
		if (r->x2 & MSRPM_READ)
			assert_int_equal(r->read, AVIC_DONE);
		if (r->x2)
			assert_true(model_x2_register(n));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_accesses),
		cmocka_unit_test(test_noaccel),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_ipi),
		cmocka_unit_test(test_msrpm),
		cmocka_unit_test(test_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
