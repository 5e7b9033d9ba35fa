// SPDX-License-Identifier: GPL-2.0-only
/*
 * Strings, ports and devices: repetition and its restart, batches of string
 * I/O, the TSS bitmap, and instructions whose accesses the VMM finishes.
 */
#include "emu_world.h"

/* Step until the instruction is complete; returns the number of steps. */
static unsigned int finish(struct world *w)
{
	unsigned int n = 0;
	u64 rip = w->regs.rip;

	do {
		assert_int_equal(w->regs.rip, rip);
		assert_int_equal(world_step(w), EMU_OK);
		n++;
	} while (w->c.again);
	assert_int_not_equal(w->regs.rip, rip);
	return n;
}

static void test_rep_limit(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;
	unsigned int i;

	(void)state;
	for (i = 0; i < 3000; i++)
		w->mem[0x10000 + i] = i * 7;
	r->gpr[R_RSI] = 0x10000;
	r->gpr[R_RDI] = 0x20000;
	r->gpr[R_RCX] = 2500;
	assert_int_equal(world_run(w, "f3 a4"), EMU_OK);
	assert_true(w->c.again);
	assert_int_equal(r->rip, WORLD_CODE);
	assert_int_equal(r->gpr[R_RCX], 2500 - EMU_REP_MAX);
	assert_int_equal(r->gpr[R_RSI], 0x10000 + EMU_REP_MAX);
	assert_int_equal(finish(w), 2);
	assert_int_equal(r->gpr[R_RCX], 0);
	assert_memory_equal(w->mem + 0x10000, w->mem + 0x20000, 2500);
	assert_int_equal(w->mem[0x20000 + 2500], 0);
	/* a count of zero does nothing */
	assert_int_equal(world_run(w, "f3 a4"), EMU_OK);
	assert_false(w->c.again);
	assert_int_equal(r->gpr[R_RSI], 0x10000 + 2500);
	/* exactly the limit is not cut short */
	r->gpr[R_RCX] = EMU_REP_MAX;
	assert_int_equal(world_run(w, "f3 aa"), EMU_OK);
	assert_false(w->c.again);
	free(w);
}

/* A fault in the middle: what is done stays done, and the fault comes next. */
static void test_rep_fault(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;

	(void)state;
	r->gpr[R_RAX] = 0x5a5a5a5a;
	r->gpr[R_RDI] = WORLD_MEM - 12;
	r->gpr[R_RCX] = 10;
	assert_int_equal(world_run(w, "f3 ab"), EMU_OK);
	assert_true(w->c.again);
	assert_int_equal(r->gpr[R_RCX], 7);
	assert_int_equal(r->gpr[R_RDI], WORLD_MEM);
	assert_int_equal(world_mem(w, WORLD_MEM - 4, 4), 0x5a5a5a5a);
	assert_int_equal(world_step(w), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_PF);
	assert_int_equal(w->c.fault.cr2, WORLD_MEM);
	assert_int_equal(r->gpr[R_RCX], 7);
	assert_int_equal(r->rip, WORLD_CODE);
	free(w);
}

static void test_compare(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct regs *r = &w->regs;

	(void)state;
	strcpy((char *)w->mem + 0x9000, "the same, then not");
	strcpy((char *)w->mem + 0xa000, "the same, here other");
	r->gpr[R_RSI] = 0x9000;
	r->gpr[R_RDI] = 0xa000;
	r->gpr[R_RCX] = 18;
	assert_int_equal(world_run(w, "f3 a6"), EMU_OK);
	assert_false(w->c.again);
	assert_int_equal(r->gpr[R_RSI], 0x9000 + 11);
	assert_int_equal(r->gpr[R_RCX], 7);
	assert_false(r->rflags & RFLAGS_ZF);
	assert_false(r->rflags & RFLAGS_CF);
	/* REPNE SCASB: strlen */
	r->gpr[R_RAX] = 0;
	r->gpr[R_RDI] = 0x9000;
	r->gpr[R_RCX] = ~0U;
	assert_int_equal(world_run(w, "f2 ae"), EMU_OK);
	assert_int_equal(r->gpr[R_RCX], (u32)(-2 - 18));
	/* backwards, with a source override */
	r->rflags |= RFLAGS_DF;
	r->seg[SEG_FS].base = 0x9000;
	r->gpr[R_RSI] = 3;
	r->gpr[R_RDI] = 0xb003;
	r->gpr[R_RCX] = 4;
	assert_int_equal(world_run(w, "f3 64 a4"), EMU_OK);
	assert_memory_equal(w->mem + 0xb000, "the ", 4);
	assert_int_equal(r->gpr[R_RSI], ~0U);
	assert_int_equal(world_run(w, "ac"), EMU_FAULT);
	free(w);
}

static void test_ports(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;

	(void)state;
	r->gpr[R_RAX] = ~0ULL;
	r->gpr[R_RDX] = 0xffff0cfcULL;
	w->port_next = 0x10;
	assert_int_equal(world_run(w, "ed"), EMU_OK);
	assert_int_equal(w->port, 0xcfc);
	assert_int_equal(r->gpr[R_RAX], 0x13121110);
	r->gpr[R_RAX] = ~0ULL;
	assert_int_equal(world_run(w, "e4 f0"), EMU_OK);
	assert_int_equal(w->port, 0xf0);
	assert_int_equal(r->gpr[R_RAX], ~0ULL << 8 | 0x14);
	assert_int_equal(world_run(w, "66 ef"), EMU_OK);
	assert_int_equal(w->port_logged, 2);
	assert_memory_equal(w->port_log, "\x14\xff", 2);
	/* REX.W makes no eight-byte port */
	assert_int_equal(world_run(w, "48 ed"), EMU_OK);
	assert_int_equal(r->gpr[R_RAX], 0x18171615);
	free(w);
}

static void test_bitmap(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct regs *r = &w->regs;

	(void)state;
	r->seg[SEG_SS].dpl = 3;
	r->gpr[R_RDX] = 0x71;
	world_put(w, 0x3000 + 102, 0x68, 2);
	r->seg[SEG_TR].limit = 0x67;
	assert_int_equal(world_run(w, "ec"), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_GP);
	assert_int_equal(w->port_calls, 0);
	/* room for the bitmap up to port 77h and the byte after it */
	r->seg[SEG_TR].limit = 0x68 + 0xf;
	assert_int_equal(world_run(w, "ec"), EMU_OK);
	assert_int_equal(world_run(w, "ed"), EMU_OK);
	w->mem[0x3068 + 0xe] = 0x20;		/* port 75h */
	assert_int_equal(world_run(w, "ed"), EMU_OK);
	w->mem[0x3068 + 0xe] = 0x10;		/* port 74h */
	assert_int_equal(world_run(w, "ec"), EMU_OK);
	assert_int_equal(world_run(w, "ed"), EMU_FAULT);
	assert_int_equal(world_run(w, "6d"), EMU_FAULT);
	r->rflags |= RFLAGS_IOPL;
	assert_int_equal(world_run(w, "ed"), EMU_OK);
	r->rflags &= ~RFLAGS_IOPL;
	/* a TSS that wraps at 4 GiB */
	r->seg[SEG_TR].base = 0xffffffc0;
	world_put(w, 0x26, 0x68, 2);
	w->mem[0x28 + 0xe] = 0x02;		/* port 71h */
	assert_int_equal(world_run(w, "ec"), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_GP);
	w->mem[0x28 + 0xe] = 0;
	assert_int_equal(world_run(w, "ec"), EMU_OK);
	r->seg[SEG_TR].base = 0x3000;
	r->seg[SEG_TR].type = 3;		/* a TSS of 16 bits has none */
	assert_int_equal(world_run(w, "ec"), EMU_FAULT);
	free(w);

	/* virtual-8086 mode asks the bitmap whatever the IOPL */
	w = world_make(MODE_VM86);
	w->regs.rflags |= RFLAGS_IOPL;
	world_put(w, 0x3000 + 102, 0x68, 2);
	assert_int_equal(world_run(w, "e4 00"), EMU_FAULT);
	w->regs.seg[SEG_TR].limit = 0x200;
	assert_int_equal(world_run(w, "e4 00"), EMU_OK);
	free(w);
}

static void test_string_io(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;
	unsigned int i;

	(void)state;
	w->use_io_buf = true;
	r->gpr[R_RDX] = 0x1f0;
	r->gpr[R_RDI] = 0x9e00;
	r->gpr[R_RCX] = 512;
	assert_int_equal(world_run(w, "f3 66 6d"), EMU_OK);
	/* 256 words up to the end of the page, then the rest */
	assert_false(w->c.again);
	assert_int_equal(w->port_calls, 2);
	assert_int_equal(w->port_items, 512);
	assert_int_equal(r->gpr[R_RDI], 0x9e00 + 1024);
	assert_int_equal(r->gpr[R_RCX], 0);
	for (i = 0; i < 1024; i++)
		assert_int_equal(w->mem[0x9e00 + i], (u8)i);
	/* and out again, misaligned: one item lies across the pages */
	w->port_calls = w->port_items = 0;
	r->gpr[R_RSI] = 0x9dff;
	r->gpr[R_RCX] = 512;
	assert_int_equal(world_run(w, "f3 66 6f"), EMU_OK);
	assert_int_equal(w->port_calls, 3);
	assert_int_equal(w->port_items, 512);
	assert_memory_equal(w->port_log, w->mem + 0x9dff, 1024);
	/* downwards: one at a time */
	w->port_calls = w->port_logged = 0;
	r->rflags |= RFLAGS_DF;
	r->gpr[R_RSI] = 0x9e03;
	r->gpr[R_RCX] = 4;
	assert_int_equal(world_run(w, "f3 6e"), EMU_OK);
	assert_int_equal(w->port_calls, 4);
	assert_memory_equal(w->port_log, "\3\2\1\0", 4);
	r->rflags &= ~RFLAGS_DF;
	/* a destination that is not there: nothing is taken from the device */
	w->port_calls = 0;
	r->gpr[R_RDI] = WORLD_MEM;
	r->gpr[R_RCX] = 4;
	assert_int_equal(world_run(w, "f3 6d"), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_PF);
	assert_int_equal(w->port_calls, 0);
	/* to a device: single items */
	r->gpr[R_RDI] = WORLD_DEV + 16;
	assert_int_equal(world_run(w, "f3 6d"), EMU_OK);
	assert_int_equal(w->port_calls, 4);
	assert_int_equal(w->dev_writes, 4);
	/* the batch obeys the segment limit */
	free(w);
	w = world_make(MODE_PROT32);
	w->use_io_buf = true;
	w->regs.seg[SEG_ES].limit = 0x9007;
	w->regs.gpr[R_RDI] = 0x9000;
	w->regs.gpr[R_RCX] = 5;
	assert_int_equal(world_run(w, "f3 6d"), EMU_OK);
	assert_true(w->c.again);
	assert_int_equal(w->regs.gpr[R_RCX], 3);
	assert_int_equal(world_step(w), EMU_FAULT);
	free(w);
}

/* Every kind of access to a device that the VMM has to finish. */
static void test_pending(void **state)
{
	static const struct {
		const char *code;
		unsigned int trips, writes;
		u64 reg, dev;		/* RAX and device afterwards */
	} rows[] = {
		{ "8b 03", 1, 0, 0x11223344, 0x8877665511223344ULL },
		{ "48 8b 03", 1, 0, 0x8877665511223344ULL, 0x8877665511223344ULL },
		{ "0f b6 03", 1, 0, 0x44, 0x8877665511223344ULL },
		{ "89 03", 1, 1, 5, 0x8877665500000005ULL },
		{ "01 03", 2, 1, 5, 0x8877665511223349ULL },
		{ "03 03", 1, 0, 0x11223349, 0x8877665511223344ULL },
		{ "f0 ff 03", 2, 1, 5, 0x8877665511223345ULL },
		{ "87 03", 2, 1, 0x11223344, 0x8877665500000005ULL },
		{ "0f b1 0b", 2, 1, 0x11223344, 0x8877665511223344ULL },
		{ "f6 03 04", 1, 0, 5, 0x8877665511223344ULL },
		{ "0f ba 2b 00", 2, 1, 5, 0x8877665511223345ULL },
		{ "0f 38 f0 03", 1, 0, 0x44332211, 0x8877665511223344ULL },
		{ "c7 03 09 00 00 00", 1, 1, 5, 0x8877665500000009ULL },
		{ "ff 33", 1, 0, 5, 0x8877665511223344ULL },
		{ "8f 03", 1, 1, 5, 0xabULL },
		{ "0f 94 03", 1, 1, 5, 0x8877665511223300ULL },
	};
	struct world *w;
	unsigned int i;
	u64 dev;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		w = world_make(MODE_LONG);
		w->slow = true;
		w->regs.gpr[R_RAX] = 5;
		w->regs.gpr[R_RBX] = WORLD_DEV + 0x20;
		world_put(w, WORLD_STACK, 0xab, 8);
		dev = 0x8877665511223344ULL;
		memcpy(w->dev + 0x20, &dev, 8);
		assert_int_equal(world_run(w, rows[i].code), EMU_OK);
		memcpy(&dev, w->dev + 0x20, 8);
		if (w->round_trips != rows[i].trips ||
		    w->dev_writes != rows[i].writes || dev != rows[i].dev ||
		    w->regs.gpr[R_RAX] != rows[i].reg)
			fail_msg("%s: %u trips, %u writes, dev %llx, rax %llx",
				 rows[i].code, w->round_trips, w->dev_writes,
				 dev, w->regs.gpr[R_RAX]);
		free(w);
	}
}

static void test_pending_sse(void **state)
{
	struct world *w = world_make(MODE_LONG);
	unsigned int i;

	(void)state;
	w->slow = true;
	for (i = 0; i < 16; i++)
		w->dev[i] = i + 1;
	w->regs.gpr[R_RBX] = WORLD_DEV;
	assert_int_equal(world_run(w, "66 0f 6f 03"), EMU_OK);
	assert_memory_equal(w->xmm[0], w->dev, 16);
	assert_int_equal(world_run(w, "66 0f e7 43 40"), EMU_OK);
	assert_memory_equal(w->dev + 0x40, w->dev, 16);
	assert_int_equal(w->round_trips, 4);	/* eight bytes each */
	free(w);
}

/* Nothing is committed while an access waits. */
static void test_pending_commits_nothing(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs before;

	(void)state;
	w->slow = true;
	w->regs.gpr[R_RBX] = WORLD_DEV;
	world_bytes("48 0f c1 03", w->mem + WORLD_CODE);
	before = w->regs;
	world_context(w);
	assert_int_equal(emu_decode(&w->c, NULL, 0), EMU_OK);
	assert_int_equal(emu_exec(&w->c), EMU_USER);
	assert_memory_equal(&before, &w->regs, sizeof(before));
	/* the decoded instruction can be executed again as it is */
	world_vmm(w);
	assert_int_equal(emu_exec(&w->c), EMU_USER);
	assert_memory_equal(&before, &w->regs, sizeof(before));
	assert_int_equal(w->record.entry[1].key.kind, RECORD_WRITE);
	world_vmm(w);
	assert_int_equal(emu_exec(&w->c), EMU_OK);
	assert_int_equal(w->regs.rip, WORLD_CODE + 4);
	free(w);
}

static void test_pending_strings(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;
	unsigned int i;

	(void)state;
	w->slow = true;
	for (i = 0; i < 64; i++)
		w->dev[i] = 200 - i;
	r->gpr[R_RSI] = WORLD_DEV;
	r->gpr[R_RDI] = 0x9000;
	r->gpr[R_RCX] = 8;
	world_bytes("f3 a5", w->mem + r->rip);
	assert_int_equal(finish(w), 8);
	assert_memory_equal(w->dev, w->mem + 0x9000, 32);
	assert_int_equal(w->round_trips, 8);
	/* device to device: a read and a write each */
	r->gpr[R_RSI] = WORLD_DEV;
	r->gpr[R_RDI] = WORLD_DEV + 0x100;
	r->gpr[R_RCX] = 4;
	world_bytes("f3 48 a5", w->mem + r->rip);
	assert_int_equal(finish(w), 4);
	assert_int_equal(w->round_trips, 16);
	assert_int_equal(w->dev_writes, 4);
	assert_memory_equal(w->dev, w->dev + 0x100, 32);
	/* fill */
	r->gpr[R_RAX] = 0xee;
	r->gpr[R_RDI] = WORLD_DEV + 0x200;
	r->gpr[R_RCX] = 3;
	world_bytes("f3 aa", w->mem + r->rip);
	assert_int_equal(finish(w), 3);
	assert_memory_equal(w->dev + 0x200, "\xee\xee\xee\0", 4);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rep_limit),
		cmocka_unit_test(test_rep_fault),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_bitmap),
		cmocka_unit_test(test_string_io),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_pending_sse),
		cmocka_unit_test(test_pending_commits_nothing),
		cmocka_unit_test(test_pending_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
