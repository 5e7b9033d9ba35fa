// SPDX-License-Identifier: GPL-2.0-only
/*
 * Execution class by class where the processor cannot be asked: addressing
 * and segmentation in all modes, faults and that they change nothing, far
 * transfers, segment loads, system instructions.
 */
#include "emu_world.h"

static void put_desc(struct world *w, unsigned int index, u64 desc)
{
	world_put(w, w->regs.gdt.base + index * 8, desc, 8);
}

#define DESC_CODE32 0x00cf9a000000ffffULL
#define DESC_CODE64 0x00af9a000000ffffULL
#define DESC_DATA32 0x00cf92000000ffffULL
#define DESC_CODE32_3 0x00cffa000000ffffULL
#define DESC_DATA32_3 0x00cff2000000ffffULL
#define DESC_TSS 0x0000890050000067ULL	/* base 5000h */
#define DESC_LDT 0x000082006000000fULL

/* Run @code and expect @vector; nothing else may have changed. */
static void expect_fault(struct world *w, const char *code, u8 vector)
{
	struct regs before;
	u8 *mem = malloc(WORLD_MEM);
	u64 at = w->regs.rip;

	if (regs_mode(&w->regs) != MODE_LONG)
		at = (u32)(at + w->regs.seg[SEG_CS].base);
	world_bytes(code, w->mem + at);
	before = w->regs;
	memcpy(mem, w->mem, WORLD_MEM);
	if (world_step(w) != EMU_FAULT)
		fail_msg("%s: no fault", code);
	if (w->c.fault.vector != vector)
		fail_msg("%s: vector %d, not %d", code, w->c.fault.vector, vector);
	assert_memory_equal(&before, &w->regs, sizeof(before));
	assert_memory_equal(mem, w->mem, WORLD_MEM);
	free(mem);
}

static void test_addressing_long(void **state)
{
	struct world *w = world_make(MODE_LONG);

	(void)state;
	world_put(w, 0x9010, 0x1122334455667788ULL, 8);
	w->regs.gpr[R_RBX] = 0x9000;
	assert_int_equal(world_run(w, "48 8b 43 10"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RAX], 0x1122334455667788ULL);
	assert_int_equal(w->regs.rip, WORLD_CODE + 4);
	assert_int_equal(w->regs.dirty, RG_GPR | RG_RIP);
	/* a 32-bit result clears the upper half */
	w->regs.gpr[R_RAX] = ~0ULL;
	assert_int_equal(world_run(w, "8b 43 10"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RAX], 0x55667788);
	/* RIP-relative to the end of the instruction, immediate included */
	w->regs.rip = WORLD_CODE;
	assert_int_equal(world_run(w, "c7 05 f6 0f 00 00 44 33 22 11"), EMU_OK);
	assert_int_equal(world_mem(w, WORLD_CODE + 10 + 0xff6, 4), 0x11223344);
	/* segment bases of FS and GS, and of nothing else */
	w->regs.seg[SEG_GS].base = 0x9000;
	w->regs.seg[SEG_DS].base = 0x5000;
	assert_int_equal(world_run(w, "65 48 a1 10 00 00 00 00 00 00 00"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RAX], 0x1122334455667788ULL);
	assert_int_equal(world_run(w, "8b 53 10"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RDX], 0x55667788);
	/* 67: the address is 32 bits */
	w->regs.gpr[R_RBX] = 0xabcd00009000ULL;
	assert_int_equal(world_run(w, "67 8b 4b 10"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RCX], 0x55667788);
	/* not canonical: #GP, by the stack #SS */
	w->regs.gpr[R_RBX] = 0x800000000000ULL;
	expect_fault(w, "8b 03", VEC_GP);
	w->regs.gpr[R_RBP] = 0x7ffffffffffeULL;
	expect_fault(w, "8b 45 00", VEC_SS);
	w->regs.cr4 |= CR4_LA57;
	expect_fault(w, "8b 45 00", VEC_PF);
	free(w);
}

static void test_addressing_segments(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct segment *ds = &w->regs.seg[SEG_DS];

	(void)state;
	ds->base = 0x4000;
	ds->limit = 0x0fff;
	world_put(w, 0x4ffc, 0xcafef00d, 4);
	assert_int_equal(world_run(w, "a1 fc 0f 00 00"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RAX], 0xcafef00d);
	expect_fault(w, "a1 fd 0f 00 00", VEC_GP);
	assert_true(w->c.fault.has_error_code);
	assert_int_equal(w->c.fault.error_code, 0);
	/* read-only data */
	ds->type = 1;
	expect_fault(w, "a3 00 00 00 00", VEC_GP);
	expect_fault(w, "ff 05 00 00 00 00", VEC_GP);
	assert_int_equal(world_run(w, "a1 00 00 00 00"), EMU_OK);
	/* code: CS can be read here, and never written */
	assert_int_equal(world_run(w, "2e a1 00 00 00 00"), EMU_OK);
	expect_fault(w, "2e a3 00 00 00 00", VEC_GP);
	w->regs.seg[SEG_CS].type = 9;
	expect_fault(w, "2e a1 00 00 00 00", VEC_GP);
	/* expand-down: above the limit only */
	ds->type = 7;
	expect_fault(w, "a1 00 08 00 00", VEC_GP);
	assert_int_equal(world_run(w, "a1 00 10 00 00"), EMU_OK);
	ds->db = 0;
	expect_fault(w, "a1 fe ff 00 00", VEC_GP);
	assert_int_equal(world_run(w, "a1 fc ff 00 00"), EMU_OK);
	/* unusable */
	w->regs.seg[SEG_ES].unusable = 1;
	expect_fault(w, "26 a1 00 00 00 00", VEC_GP);
	/* the stack segment raises #SS */
	w->regs.seg[SEG_SS].limit = 0x6000;
	expect_fault(w, "50", VEC_SS);
	free(w);
}

static void test_addressing_real(void **state)
{
	struct world *w = world_make(MODE_REAL);

	(void)state;
	w->regs.seg[SEG_DS].base = 0x10000;
	w->regs.seg[SEG_DS].selector = 0x1000;
	w->regs.gpr[R_RBX] = 0xfff0;
	w->regs.gpr[R_RSI] = 0x20;
	world_put(w, 0x10010, 0xbeef, 2);
	/* BX+SI wraps at 64 KiB */
	assert_int_equal(world_run(w, "8b 00"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RAX] & 0xffff, 0xbeef);
	w->regs.gpr[R_RBX] = 0xffff;
	expect_fault(w, "8b 07", VEC_GP);
	assert_false(w->c.fault.has_error_code);
	/* a limit left behind by protected mode counts */
	w->regs.seg[SEG_DS].limit = ~0U;
	w->regs.gpr[R_RBX] = 0x20000;
	world_put(w, 0x30000, 0x1234, 2);
	assert_int_equal(world_run(w, "67 8b 03"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RAX] & 0xffff, 0x1234);
	/* MOV DS,AX: base moves, the limit stays */
	assert_int_equal(world_run(w, "8e d8"), EMU_OK);
	assert_int_equal(w->regs.seg[SEG_DS].base, 0x12340);
	assert_int_equal(w->regs.seg[SEG_DS].limit, ~0U);
	free(w);
}

static void test_stack(void **state)
{
	struct world *w = world_make(MODE_LONG);

	(void)state;
	w->regs.gpr[R_RAX] = 0x1111222233334444ULL;
	assert_int_equal(world_run(w, "50"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RSP], WORLD_STACK - 8);
	assert_int_equal(world_mem(w, WORLD_STACK - 8, 8), 0x1111222233334444ULL);
	assert_int_equal(world_run(w, "66 50"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RSP], WORLD_STACK - 10);
	assert_int_equal(world_run(w, "66 5b 59"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RBX], 0x4444);
	/* push rsp pushes the old value; pop rsp takes what it read */
	assert_int_equal(world_run(w, "54"), EMU_OK);
	assert_int_equal(world_mem(w, WORLD_STACK - 16, 8), WORLD_STACK - 8);
	assert_int_equal(world_run(w, "5c"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RSP], WORLD_STACK - 8);
	/* pop [rsp+8]: the address is that after the pop */
	assert_int_equal(world_run(w, "8f 44 24 08"), EMU_OK);
	assert_int_equal(world_mem(w, WORLD_STACK + 8, 8), 0x1111222233334444ULL);
	/* call and ret */
	w->regs.rip = WORLD_CODE;
	assert_int_equal(world_run(w, "e8 fb 0f 00 00"), EMU_OK);
	assert_int_equal(w->regs.rip, WORLD_CODE + 0x1000);
	assert_int_equal(world_mem(w, w->regs.gpr[R_RSP], 8), WORLD_CODE + 5);
	assert_int_equal(world_run(w, "c2 10 00"), EMU_OK);
	assert_int_equal(w->regs.rip, WORLD_CODE + 5);
	assert_int_equal(w->regs.gpr[R_RSP], WORLD_STACK + 16);
	free(w);

	w = world_make(MODE_PROT32);
	w->regs.gpr[R_RDI] = 0xd1d1d1d1;
	w->regs.gpr[R_RAX] = 0xa0a0a0a0;
	assert_int_equal(world_run(w, "60"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RSP], WORLD_STACK - 32);
	assert_int_equal(world_mem(w, WORLD_STACK - 32, 4), 0xd1d1d1d1);
	assert_int_equal(world_mem(w, WORLD_STACK - 4, 4), 0xa0a0a0a0);
	assert_int_equal(world_mem(w, WORLD_STACK - 20, 4), WORLD_STACK);
	w->regs.gpr[R_RDI] = w->regs.gpr[R_RAX] = 0;
	assert_int_equal(world_run(w, "61"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RDI], 0xd1d1d1d1);
	assert_int_equal(w->regs.gpr[R_RAX], 0xa0a0a0a0);
	assert_int_equal(w->regs.gpr[R_RSP], WORLD_STACK);
	free(w);

	/* SP wraps within 16 bits, the rest of ESP stays */
	w = world_make(MODE_REAL);
	w->regs.gpr[R_RSP] = 0xabcd0000;
	w->regs.gpr[R_RAX] = 0x5678;
	assert_int_equal(world_run(w, "50"), EMU_OK);
	assert_int_equal(w->regs.gpr[R_RSP], 0xabcdfffe);
	assert_int_equal(world_mem(w, 0xfffe, 2), 0x5678);
	free(w);
}

static void test_flags_and_iopl(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct regs *r = &w->regs;

	(void)state;
	assert_int_equal(world_run(w, "fb"), EMU_OK);
	assert_true(r->rflags & RFLAGS_IF);
	assert_int_equal(w->c.shadow, SHADOW_STI);
	assert_int_equal(world_run(w, "fb"), EMU_OK);
	assert_int_equal(w->c.shadow, 0);
	assert_int_equal(world_run(w, "fa"), EMU_OK);
	assert_false(r->rflags & RFLAGS_IF);
	/* popf at CPL 0 changes IOPL and IF, never VM */
	world_put(w, r->gpr[R_RSP], 0x27202 | RFLAGS_ID, 4);
	assert_int_equal(world_run(w, "9d"), EMU_OK);
	assert_int_equal(r->rflags, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_IOPL |
			 RFLAGS_NT | RFLAGS_ID);
	/* at CPL 3 with IOPL 0 neither */
	r->seg[SEG_SS].dpl = 3;
	r->rflags = RFLAGS_FIXED;
	world_put(w, r->gpr[R_RSP], 0x3202 | RFLAGS_CF, 4);
	assert_int_equal(world_run(w, "9d"), EMU_OK);
	assert_int_equal(r->rflags, RFLAGS_FIXED | RFLAGS_CF);
	expect_fault(w, "fa", VEC_GP);
	expect_fault(w, "fb", VEC_GP);
	expect_fault(w, "f4", VEC_GP);
	expect_fault(w, "0f 06", VEC_GP);
	expect_fault(w, "0f 20 c0", VEC_GP);
	expect_fault(w, "0f 32", VEC_GP);
	r->cr4 |= CR4_PVI;
	assert_int_equal(world_run(w, "fb"), EMU_OK);
	assert_int_equal(r->rflags & (RFLAGS_IF | RFLAGS_VIF), RFLAGS_VIF);
	r->rflags |= RFLAGS_IOPL;
	assert_int_equal(world_run(w, "fb"), EMU_OK);
	assert_true(r->rflags & RFLAGS_IF);
	/* RF does not survive an instruction */
	r->rflags |= RFLAGS_RF;
	assert_int_equal(world_run(w, "90"), EMU_OK);
	assert_false(r->rflags & RFLAGS_RF);
	free(w);
}

static void test_faults_change_nothing(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;

	(void)state;
	r->gpr[R_RBX] = WORLD_MEM - 4;		/* 4 bytes are there */
	r->gpr[R_RCX] = 5;
	expect_fault(w, "48 89 03", VEC_PF);
	assert_int_equal(w->c.fault.cr2, WORLD_MEM);	/* the page's first */
	expect_fault(w, "48 01 0b", VEC_PF);
	assert_int_equal(w->c.fault.error_code, 2);
	expect_fault(w, "f0 48 0f c1 0b", VEC_PF);
	expect_fault(w, "48 87 0b", VEC_PF);
	expect_fault(w, "48 0f b1 0b", VEC_PF);
	expect_fault(w, "48 ff 33", VEC_PF);
	expect_fault(w, "48 8f 03", VEC_PF);
	expect_fault(w, "48 ff 13", VEC_PF);
	/* divide errors */
	r->gpr[R_RBX] = 0;
	expect_fault(w, "f7 f3", VEC_DE);
	expect_fault(w, "f6 fb", VEC_DE);
	r->gpr[R_RBX] = 1;
	r->gpr[R_RDX] = 1;
	expect_fault(w, "f7 f3", VEC_DE);
	r->gpr[R_RDX] = 0;
	r->gpr[R_RAX] = 0x80000000;
	expect_fault(w, "f7 fb", VEC_DE);
	/* a call to nowhere leaves the stack alone */
	r->gpr[R_RAX] = 0x800000000000ULL;
	expect_fault(w, "ff d0", VEC_GP);
	r->gpr[R_RSP] = r->gpr[R_RBP] = 0x300000;
	expect_fault(w, "e8 00 00 00 00", VEC_PF);
	expect_fault(w, "c3", VEC_PF);
	expect_fault(w, "c9", VEC_PF);
	r->gpr[R_RAX] = 0xffff;
	expect_fault(w, "8e d8", VEC_GP);
	assert_int_equal(w->c.fault.error_code, 0xfffc);
	expect_fault(w, "8e c8", VEC_UD);
	expect_fault(w, "8e f0", VEC_UD);
	expect_fault(w, "0f 20 c8", VEC_UD);
	expect_fault(w, "0f 0b", VEC_UD);
	r->gpr[R_RCX] = 0x9999;
	expect_fault(w, "0f 32", VEC_GP);
	expect_fault(w, "0f 30", VEC_GP);
	free(w);
}

static void test_locked(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs, before;

	(void)state;
	r->gpr[R_RBX] = 0x9000;
	r->gpr[R_RCX] = 5;
	world_put(w, 0x9000, 10, 8);
	assert_int_equal(world_run(w, "f0 48 0f c1 0b"), EMU_OK);
	assert_int_equal(w->cas, 1);
	assert_int_equal(w->writes, 0);
	assert_int_equal(world_mem(w, 0x9000, 8), 15);
	assert_int_equal(r->gpr[R_RCX], 10);
	/* XCHG is locked by itself */
	assert_int_equal(world_run(w, "48 87 0b"), EMU_OK);
	assert_int_equal(w->cas, 2);
	assert_int_equal(r->gpr[R_RCX], 15);
	/* a lost race: nothing happens, and again it works */
	w->lose_race = 1;
	before = *r;
	world_bytes("f0 48 ff 03", w->mem + r->rip);
	assert_int_equal(world_step(w), EMU_RETRY);
	assert_memory_equal(&before, r, sizeof(before));
	assert_int_equal(world_step(w), EMU_OK);
	assert_int_equal(world_mem(w, 0x9000, 8), 12);
	/* CMPXCHG8B */
	r->gpr[R_RAX] = 12;
	r->gpr[R_RDX] = 0;
	r->gpr[R_RBX] = 1;
	r->gpr[R_RCX] = 2;
	r->gpr[R_RSI] = 0x9000;
	w->lose_race = 1;
	before = *r;
	world_bytes("f0 0f c7 0e", w->mem + r->rip);
	assert_int_equal(world_step(w), EMU_RETRY);
	assert_memory_equal(&before, r, sizeof(before));
	w->mem[0x9000] = 12;
	assert_int_equal(world_step(w), EMU_OK);
	assert_true(r->rflags & RFLAGS_ZF);
	assert_int_equal(world_mem(w, 0x9000, 8), 0x200000001);
	/* CMPXCHG16B: not at once, so nobody is seen to come between */
	world_put(w, 0x9000, 12, 8);
	w->lose_race = 1;
	assert_int_equal(world_run(w, "f0 48 0f c7 0e"), EMU_OK);
	w->lose_race = 0;
	assert_true(r->rflags & RFLAGS_ZF);
	assert_int_equal(world_mem(w, 0x9000, 8), 1);
	assert_int_equal(world_mem(w, 0x9008, 8), 2);
	assert_int_equal(world_run(w, "f0 48 0f c7 0e"), EMU_OK);
	assert_false(r->rflags & RFLAGS_ZF);
	assert_int_equal(r->gpr[R_RAX], 1);
	assert_int_equal(r->gpr[R_RDX], 2);
	r->gpr[R_RSI] = 0x9008;
	expect_fault(w, "48 0f c7 0e", VEC_GP);
	free(w);
}

static void test_sse(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;
	unsigned int i;

	(void)state;
	for (i = 0; i < 16; i++)
		w->mem[0x9001 + i] = i + 1;
	r->gpr[R_RBX] = 0x9001;
	assert_int_equal(world_run(w, "0f 10 0b"), EMU_OK);	/* movups */
	assert_memory_equal(w->xmm[1], w->mem + 0x9001, 16);
	expect_fault(w, "0f 28 0b", VEC_GP);			/* movaps */
	expect_fault(w, "66 0f e7 0b", VEC_GP);			/* movntdq */
	r->gpr[R_RBX] = 0x9100;
	assert_int_equal(world_run(w, "66 0f 7f 0b"), EMU_OK);	/* movdqa */
	assert_memory_equal(w->xmm[1], w->mem + 0x9100, 16);
	assert_int_equal(world_run(w, "45 0f 28 c9"), EMU_OK);	/* xmm9, xmm9 */
	assert_int_equal(world_run(w, "44 0f 28 c9"), EMU_OK);
	assert_memory_equal(w->xmm[9], w->xmm[1], 16);
	assert_int_equal(world_run(w, "66 48 0f 7e c8"), EMU_OK); /* movq rax */
	assert_int_equal(r->gpr[R_RAX], 0x0807060504030201ULL);
	assert_int_equal(world_run(w, "66 0f 6e d0"), EMU_OK);	/* movd xmm2 */
	assert_memory_equal(w->xmm[2], "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(world_run(w, "f3 0f 11 4b 20"), EMU_OK); /* movss */
	assert_int_equal(world_mem(w, 0x9120, 8), 0x04030201);
	assert_int_equal(world_run(w, "f3 0f 7e 1b"), EMU_OK);	/* movq */
	assert_memory_equal(w->xmm[3], "\1\2\3\4\5\6\7\10\0\0\0\0\0\0\0\0", 16);
	r->cr0 |= CR0_TS;
	expect_fault(w, "0f 10 0b", VEC_NM);
	r->cr4 &= ~CR4_OSFXSR;
	expect_fault(w, "0f 11 0b", VEC_UD);
	free(w);
}

static void test_mmx(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct regs *r = &w->regs;

	(void)state;
	world_put(w, 0x9000, 0x1122334455667788, 8);
	r->gpr[R_RBX] = 0x9000;
	assert_int_equal(world_run(w, "0f 6f 13"), EMU_OK);	/* movq mm2 */
	assert_memory_equal(w->mmx[2], w->mem + 0x9000, 8);
	assert_int_equal(world_run(w, "0f 7f 53 10"), EMU_OK);
	assert_int_equal(world_mem(w, 0x9010, 8), 0x1122334455667788);
	assert_int_equal(world_run(w, "0f e7 53 20"), EMU_OK);	/* movntq */
	assert_int_equal(world_mem(w, 0x9020, 8), 0x1122334455667788);
	assert_int_equal(world_run(w, "0f 6e 1b"), EMU_OK);	/* movd mm3 */
	assert_memory_equal(w->mmx[3], "\x88\x77\x66\x55\0\0\0\0", 8);
	assert_int_equal(world_run(w, "0f 7e d1"), EMU_OK);	/* movd ecx */
	assert_int_equal(r->gpr[R_RCX], 0x55667788);
	assert_int_equal(world_run(w, "0f 6f ca"), EMU_UNHANDLED);
	w->fcw = 0x37f;
	w->fsw = 0x80;
	assert_int_equal(world_run(w, "d9 3b"), EMU_OK);	/* fnstcw */
	assert_int_equal(world_run(w, "dd 7b 02"), EMU_OK);	/* fnstsw */
	assert_int_equal(world_mem(w, 0x9000, 4), 0x0080037f);
	/* an exception waits: nothing is read or written */
	w->reads = w->writes = 0;
	expect_fault(w, "0f 7f 53 10", VEC_MF);
	assert_int_equal(w->writes, 0);
	r->cr0 |= CR0_TS;
	expect_fault(w, "0f 6f 13", VEC_NM);
	expect_fault(w, "66 0f 6e 13", VEC_NM);
	assert_int_equal(w->reads, 0);
	expect_fault(w, "d9 3b", VEC_NM);
	r->cr0 |= CR0_EM;
	expect_fault(w, "0f 7f 13", VEC_UD);
	expect_fault(w, "dd 3b", VEC_NM);
	free(w);
}

/* Each word has its place in a stack of 16 bits, also where that wraps. */
static void test_stack_wraps(void **state)
{
	struct world *w = world_make(MODE_REAL);
	struct regs *r = &w->regs;
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++)
		r->gpr[i] = 0x1111 * (i + 1);
	r->gpr[R_RSP] = 4;
	assert_int_equal(world_run(w, "60"), EMU_OK);
	assert_int_equal(r->gpr[R_RSP], 0xfff4);
	assert_int_equal(world_mem(w, 2, 2), 0x1111);		/* AX */
	assert_int_equal(world_mem(w, 0, 2), 0x2222);
	assert_int_equal(world_mem(w, 0xfffe, 2), 0x3333);
	assert_int_equal(world_mem(w, 0xfff4, 2), 0x8888);	/* DI */
	for (i = 0; i < 8; i++)
		if (i != R_RSP)
			r->gpr[i] = 0;
	assert_int_equal(world_run(w, "61"), EMU_OK);
	assert_int_equal(r->gpr[R_RSP], 4);
	for (i = 0; i < 8; i++)
		if (i != R_RSP)
			assert_int_equal(r->gpr[i], 0x1111 * (i + 1));
	/* a word that does not fit is none */
	r->gpr[R_RSP] = 1;
	expect_fault(w, "60", VEC_SS);
	/* far calls and interrupts push more than one, too */
	r->gpr[R_RSP] = 2;
	assert_int_equal(world_run(w, "9a 00 10 00 00"), EMU_OK);
	assert_int_equal(r->gpr[R_RSP], 0xfffe);
	free(w);
}

static void test_segment_loads(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct regs *r = &w->regs;

	(void)state;
	put_desc(w, 2, DESC_DATA32);
	put_desc(w, 3, DESC_DATA32 & ~(1ULL << 47));	/* not present */
	put_desc(w, 4, DESC_CODE32 & ~(1ULL << 41));	/* execute only */
	put_desc(w, 5, 0x1240920034560010ULL);		/* base 12003456h */
	r->gpr[R_RAX] = 0x10;
	/* another CPU marks it at the same time: once more, nothing is done */
	w->lose_race = 1;
	world_bytes("8e c0", w->mem + r->rip);
	assert_int_equal(world_step(w), EMU_RETRY);
	assert_int_equal(r->seg[SEG_ES].selector, 0x10);
	assert_false(r->dirty & RG_SEG);
	put_desc(w, 2, DESC_DATA32);
	assert_int_equal(world_run(w, "8e c0"), EMU_OK);
	assert_int_equal(w->cas, 2);
	assert_int_equal(r->seg[SEG_ES].limit, ~0U);
	assert_int_equal(r->seg[SEG_ES].db, 1);
	assert_true(r->dirty & RG_SEG);
	/* the accessed bit went to the table */
	assert_int_equal(w->mem[0x1000 + 2 * 8 + 5], 0x93);
	assert_int_equal(r->seg[SEG_ES].type, 3);
	r->gpr[R_RAX] = 0x28;
	assert_int_equal(world_run(w, "8e e0"), EMU_OK);
	assert_int_equal(r->seg[SEG_FS].base, 0x12003456);
	assert_int_equal(r->seg[SEG_FS].limit, 0x10);
	r->gpr[R_RAX] = 0x18;
	expect_fault(w, "8e c0", VEC_NP);
	expect_fault(w, "8e d0", VEC_SS);
	assert_int_equal(w->c.fault.error_code, 0x18);
	r->gpr[R_RAX] = 0x20;
	expect_fault(w, "8e c0", VEC_GP);
	r->gpr[R_RAX] = 0x13;			/* RPL 3 on DPL 0 */
	expect_fault(w, "8e c0", VEC_GP);
	expect_fault(w, "8e d0", VEC_GP);
	r->gpr[R_RAX] = 0x14;			/* no LDT */
	expect_fault(w, "8e c0", VEC_GP);
	r->gpr[R_RAX] = 3;
	assert_int_equal(world_run(w, "8e c0"), EMU_OK);
	assert_int_equal(r->seg[SEG_ES].unusable, 1);
	expect_fault(w, "8e d0", VEC_GP);
	r->gpr[R_RAX] = 0x10;
	assert_int_equal(world_run(w, "8e d0"), EMU_OK);
	assert_int_equal(w->c.shadow, SHADOW_MOV_SS);
	/* LDS loads register and segment */
	world_put(w, 0x9000, 0x1000100012345678ULL, 8);
	world_put(w, 0x9004, 0x10, 2);
	assert_int_equal(world_run(w, "c5 35 00 90 00 00"), EMU_OK);
	assert_int_equal(r->gpr[R_RSI], 0x12345678);
	assert_int_equal(r->seg[SEG_DS].selector, 0x10);
	/* reading: zero-extended to a register, a word to memory */
	r->gpr[R_RCX] = ~0ULL;
	assert_int_equal(world_run(w, "8c d9"), EMU_OK);
	assert_int_equal(r->gpr[R_RCX], 0x10);
	world_put(w, 0x9000, ~0ULL, 8);
	assert_int_equal(world_run(w, "8c 1d 00 90 00 00"), EMU_OK);
	assert_int_equal(world_mem(w, 0x9000, 4), 0xffff0010);
	/* LDTR, TR */
	put_desc(w, 6, DESC_TSS);
	put_desc(w, 7, DESC_LDT);
	r->gpr[R_RAX] = 0x30;
	assert_int_equal(world_run(w, "0f 00 d8"), EMU_OK);
	assert_int_equal(r->seg[SEG_TR].base, 0x5000);
	assert_int_equal(w->mem[0x1000 + 6 * 8 + 5], 0x8b);
	expect_fault(w, "0f 00 d8", VEC_GP);		/* busy now */
	r->gpr[R_RAX] = 0x38;
	assert_int_equal(world_run(w, "0f 00 d0"), EMU_OK);
	assert_int_equal(r->seg[SEG_LDTR].base, 0x6000);
	assert_int_equal(world_run(w, "0f 00 c3"), EMU_OK);
	assert_int_equal(r->gpr[R_RBX], 0x38);
	free(w);
}

static void test_far(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct regs *r = &w->regs;

	(void)state;
	put_desc(w, 1, DESC_CODE32);
	put_desc(w, 2, DESC_DATA32);
	put_desc(w, 3, DESC_CODE32_3);
	put_desc(w, 4, DESC_DATA32_3);
	put_desc(w, 6, DESC_TSS);
	assert_int_equal(world_run(w, "ea 00 90 00 00 08 00"), EMU_OK);
	assert_int_equal(r->rip, 0x9000);
	assert_int_equal(r->seg[SEG_CS].selector, 8);
	assert_int_equal(world_run(w, "9a 00 a0 00 00 08 00"), EMU_OK);
	assert_int_equal(r->rip, 0xa000);
	assert_int_equal(world_mem(w, WORLD_STACK - 8, 4), 0x9007);
	assert_int_equal(world_mem(w, WORLD_STACK - 4, 4), 8);
	assert_int_equal(world_run(w, "ca 04 00"), EMU_OK);
	assert_int_equal(r->rip, 0x9007);
	assert_int_equal(r->gpr[R_RSP], WORLD_STACK + 4);
	expect_fault(w, "ea 00 90 00 00 10 00", VEC_GP);
	expect_fault(w, "ea 00 90 00 00 18 00", VEC_GP);
	expect_fault(w, "ea 00 90 00 00 00 00", VEC_GP);
	assert_int_equal(world_run(w, "ea 00 90 00 00 30 00"), EMU_UNHANDLED);
	assert_int_equal(r->rip, 0x9007);
	/* IRET to CPL 3: SS:ESP comes along, DS becomes null */
	world_put(w, 0x7100, 0xb000, 4);
	world_put(w, 0x7104, 0x1b, 4);
	world_put(w, 0x7108, 0x202, 4);
	world_put(w, 0x710c, 0x6500, 4);
	world_put(w, 0x7110, 0x23, 4);
	r->gpr[R_RSP] = 0x7100;
	assert_int_equal(world_run(w, "cf"), EMU_OK);
	assert_true(w->c.iret);
	assert_int_equal(r->rip, 0xb000);
	assert_int_equal(regs_cpl(r), 3);
	assert_int_equal(r->gpr[R_RSP], 0x6500);
	assert_int_equal(r->rflags, 0x202);
	assert_int_equal(r->seg[SEG_DS].unusable, 1);
	/* and no way back inwards */
	world_put(w, 0x6500, 0xb000, 4);
	world_put(w, 0x6504, 0x08, 4);
	expect_fault(w, "cb", VEC_GP);
	free(w);

	/* 64-bit mode: IRETQ within CPL 0 pops the stack pointer as well */
	w = world_make(MODE_LONG);
	r = &w->regs;
	put_desc(w, 1, DESC_CODE64);
	world_put(w, 0x7100, 0xc000, 8);
	world_put(w, 0x7108, 0x08, 8);
	world_put(w, 0x7110, 0x46, 8);
	world_put(w, 0x7118, 0x6800, 8);
	world_put(w, 0x7120, 0, 8);
	r->gpr[R_RSP] = 0x7100;
	assert_int_equal(world_run(w, "48 cf"), EMU_OK);
	assert_int_equal(r->rip, 0xc000);
	assert_int_equal(r->gpr[R_RSP], 0x6800);
	assert_int_equal(r->seg[SEG_SS].selector, 0);
	assert_int_equal(regs_cpl(r), 0);
	r->rflags |= RFLAGS_NT;
	expect_fault(w, "48 cf", VEC_GP);
	free(w);
}

static void test_real_interrupts(void **state)
{
	struct world *w = world_make(MODE_REAL);
	struct regs *r = &w->regs;

	(void)state;
	world_put(w, 0x10 * 4, 0xf0001234, 4);
	r->rflags |= RFLAGS_IF | RFLAGS_CF;
	r->seg[SEG_CS].selector = 0x100;
	r->seg[SEG_CS].base = 0x1000;
	assert_int_equal(world_run(w, "cd 10"), EMU_OK);
	assert_int_equal(r->rip, 0x1234);
	assert_int_equal(r->seg[SEG_CS].base, 0xf0000);
	assert_int_equal(world_mem(w, WORLD_STACK - 6, 2), WORLD_CODE + 2);
	assert_int_equal(world_mem(w, WORLD_STACK - 4, 2), 0x100);
	assert_int_equal(world_mem(w, WORLD_STACK - 2, 2), 0x203);
	assert_false(r->rflags & RFLAGS_IF);
	assert_int_equal(world_run(w, "cf"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 2);
	assert_int_equal(r->seg[SEG_CS].selector, 0x100);
	assert_int_equal(r->rflags, RFLAGS_FIXED | RFLAGS_IF | RFLAGS_CF);
	r->idt.limit = 0x42;
	expect_fault(w, "cd 10", VEC_GP);
	/* far jumps and calls need no descriptors */
	assert_int_equal(world_run(w, "ea 00 10 00 20"), EMU_OK);
	assert_int_equal(r->seg[SEG_CS].base, 0x20000);
	assert_int_equal(r->rip, 0x1000);
	free(w);

	/* elsewhere the IDT is the owner's business */
	w = world_make(MODE_PROT32);
	assert_int_equal(world_run(w, "cd 80"), EMU_UNHANDLED);
	free(w);
}

static void test_control_registers(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;

	(void)state;
	r->gpr[R_RBX] = 0x5000;
	assert_int_equal(world_run(w, "0f 22 db"), EMU_OK);
	assert_int_equal(r->cr3, 0x5000);
	assert_int_equal(world_run(w, "0f 20 d8"), EMU_OK);
	assert_int_equal(r->gpr[R_RAX], 0x5000);
	r->gpr[R_RBX] = 7;
	assert_int_equal(world_run(w, "44 0f 22 c3"), EMU_OK);
	assert_int_equal(w->cr8, 7);
	r->gpr[R_RBX] = 1ULL << 63;
	expect_fault(w, "0f 22 c3", VEC_GP);
	r->cr0 |= CR0_TS;
	assert_int_equal(world_run(w, "0f 06"), EMU_OK);
	assert_false(r->cr0 & CR0_TS);
	r->gpr[R_RAX] = CR0_TS;			/* LMSW cannot clear PE */
	assert_int_equal(world_run(w, "0f 01 f0"), EMU_OK);
	assert_int_equal(r->cr0 & 0xf, CR0_PE | CR0_TS);
	assert_int_equal(world_run(w, "48 0f 01 e2"), EMU_OK);
	assert_int_equal(r->gpr[R_RDX], r->cr0);
	/* debug registers, with their aliases */
	r->gpr[R_RAX] = 0x1234;
	assert_int_equal(world_run(w, "0f 23 e8"), EMU_OK);
	assert_int_equal(w->dr[7], 0x1234);
	assert_int_equal(world_run(w, "0f 21 fb"), EMU_OK);
	assert_int_equal(r->gpr[R_RBX], 0x1234);
	r->cr4 |= CR4_DE;
	expect_fault(w, "0f 23 e8", VEC_UD);
	/* descriptor tables */
	world_put(w, 0x9000, 0x1f7, 2);
	world_put(w, 0x9002, 0xffff800000001000ULL, 8);
	r->gpr[R_RBX] = 0x9000;
	assert_int_equal(world_run(w, "0f 01 13"), EMU_OK);
	assert_int_equal(r->gdt.limit, 0x1f7);
	assert_int_equal(r->gdt.base, 0xffff800000001000ULL);
	assert_int_equal(world_run(w, "0f 01 43 10"), EMU_OK);
	assert_memory_equal(w->mem + 0x9000, w->mem + 0x9010, 10);
	world_put(w, 0x9002, 0x800000000000ULL, 8);
	expect_fault(w, "0f 01 1b", VEC_GP);
	/* INVLPG checks nothing */
	r->gpr[R_RBX] = 0x800000000123ULL;
	assert_int_equal(world_run(w, "0f 01 3b"), EMU_OK);
	assert_int_equal(w->invlpg, 0x800000000123ULL);
	r->seg[SEG_SS].dpl = 3;
	r->cr4 |= CR4_UMIP;
	expect_fault(w, "0f 01 e0", VEC_GP);
	r->gpr[R_RBX] = 0x9000;
	expect_fault(w, "0f 01 03", VEC_GP);
	free(w);

	/* a 16-bit LGDT has a base of 24 bits */
	w = world_make(MODE_REAL);
	world_put(w, 0x9000, 0xff123456002fULL, 6);
	assert_int_equal(world_run(w, "0f 01 16 00 90"), EMU_OK);
	assert_int_equal(w->regs.gdt.base, 0x123456);
	assert_int_equal(world_run(w, "66 0f 01 1e 00 90"), EMU_OK);
	assert_int_equal(w->regs.idt.base, 0xff123456);
	free(w);
}

static void test_msr_and_cpuid(void **state)
{
	struct world *w = world_make(MODE_LONG);
	struct regs *r = &w->regs;

	(void)state;
	r->gpr[R_RCX] = 0xabcd00001234ULL;
	r->gpr[R_RAX] = 0xffffffff11112222ULL;
	r->gpr[R_RDX] = 0xffffffff33334444ULL;
	assert_int_equal(world_run(w, "0f 30"), EMU_OK);
	assert_int_equal(w->msr[3], 0x3333444411112222ULL);
	r->gpr[R_RAX] = r->gpr[R_RDX] = ~0ULL;
	assert_int_equal(world_run(w, "0f 32"), EMU_OK);
	assert_int_equal(r->gpr[R_RAX], 0x11112222);
	assert_int_equal(r->gpr[R_RDX], 0x33334444);
	w->msr[0] = 0x500000006ULL;
	w->msr[1] = 9;
	assert_int_equal(world_run(w, "0f 01 f9"), EMU_OK);
	assert_int_equal(r->gpr[R_RAX], 6);
	assert_int_equal(r->gpr[R_RDX], 5);
	assert_int_equal(r->gpr[R_RCX], 9);
	r->gpr[R_RAX] = ~0ULL;
	r->gpr[R_RCX] = 3;
	assert_int_equal(world_run(w, "0f a2"), EMU_OK);
	assert_int_equal(r->gpr[R_RAX], 0x11);
	assert_int_equal(r->gpr[R_RBX], 0);
	assert_int_equal(r->gpr[R_RCX], 0x33);
	assert_int_equal(r->gpr[R_RDX], 4);
	expect_fault(w, "0f 01 d1", VEC_UD);
	r->cr4 |= CR4_OSXSAVE;
	r->gpr[R_RCX] = 0;
	r->gpr[R_RAX] = 7;
	r->gpr[R_RDX] = 0;
	assert_int_equal(world_run(w, "0f 01 d1"), EMU_OK);
	assert_int_equal(w->xcr0_set, 7);
	r->xcr0 = 3;
	assert_int_equal(world_run(w, "0f 01 d0"), EMU_OK);
	assert_int_equal(r->gpr[R_RAX], 3);
	assert_int_equal(world_run(w, "0f 33"), EMU_OK);
	assert_int_equal(r->gpr[R_RDX], 1);
	assert_int_equal(world_run(w, "0f 09"), EMU_OK);
	assert_int_equal(world_run(w, "0f 08"), EMU_OK);
	r->seg[SEG_GS].base = 0x1000;
	w->msr[2] = 0x2000;
	assert_int_equal(world_run(w, "0f 01 f8"), EMU_OK);
	assert_int_equal(r->seg[SEG_GS].base, 0x2000);
	assert_int_equal(w->msr[2], 0x1000);
	assert_int_equal(world_run(w, "f4"), EMU_OK);
	assert_true(w->c.halted);
	r->seg[SEG_SS].dpl = 3;
	r->cr4 |= CR4_TSD;
	expect_fault(w, "0f 31", VEC_GP);
	assert_int_equal(world_run(w, "0f a2"), EMU_OK);
	w->cpuid_faults = true;
	expect_fault(w, "0f a2", VEC_GP);
	/* known to the decoder only */
	assert_int_equal(world_run(w, "0f 05"), EMU_UNHANDLED);
	assert_int_equal(world_run(w, "0f 01 d9"), EMU_UNHANDLED);
	assert_int_equal(world_run(w, "0f 57 c0"), EMU_UNHANDLED);
	free(w);
}

/* Decimal arithmetic does not exist in 64-bit mode, so not natively here. */
static void test_decimal(void **state)
{
	static const struct { const char *code; u16 ax; u64 fl; u16 out; u64 out_fl; }
	rows[] = {
		/* SDM vol. 2, the examples of DAA and DAS, and edges */
		{ "27", 0x00ae, 0, 0x0014, RFLAGS_CF | RFLAGS_AF },
		{ "27", 0x0099, RFLAGS_AF, 0x009f, RFLAGS_AF },
		{ "27", 0x0012, RFLAGS_CF, 0x0072, RFLAGS_CF },
		{ "27", 0x0079, 0, 0x0079, 0 },
		{ "2f", 0x00ee, 0, 0x0088, RFLAGS_CF | RFLAGS_AF },
		{ "2f", 0x0047, RFLAGS_AF, 0x0041, RFLAGS_AF },
		{ "2f", 0x0003, RFLAGS_AF, 0x00fd, RFLAGS_CF | RFLAGS_AF },
		{ "37", 0x000b, 0, 0x0101, RFLAGS_CF | RFLAGS_AF },
		{ "37", 0x00fb, 0, 0x0201, RFLAGS_CF | RFLAGS_AF },
		{ "37", 0x0195, RFLAGS_CF, 0x0105, 0 },
		{ "3f", 0x020f, 0, 0x0109, RFLAGS_CF | RFLAGS_AF },
		{ "3f", 0x0208, 0, 0x0208, 0 },
		{ "d4 0a", 0x0037, 0, 0x0505, 0 },
		{ "d5 0a", 0x0505, 0, 0x0037, 0 },
		{ "d6", 0x1200, RFLAGS_CF, 0x12ff, RFLAGS_CF },
	};
	struct world *w = world_make(MODE_PROT32);
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		w->regs.gpr[R_RAX] = rows[i].ax;
		w->regs.rflags = RFLAGS_FIXED | rows[i].fl;
		assert_int_equal(world_run(w, rows[i].code), EMU_OK);
		if ((w->regs.gpr[R_RAX] & 0xffff) != rows[i].out ||
		    (w->regs.rflags & (RFLAGS_CF | RFLAGS_AF)) != rows[i].out_fl)
			fail_msg("row %u: ax %llx flags %llx", i,
				 w->regs.gpr[R_RAX], w->regs.rflags);
	}
	expect_fault(w, "d4 00", VEC_DE);
	w->regs.gpr[R_RAX] = 10;
	world_put(w, 0x9000, 0x0000000900000001ULL, 8);
	expect_fault(w, "62 05 00 90 00 00", VEC_BR);
	w->regs.gpr[R_RAX] = 9;
	assert_int_equal(world_run(w, "62 05 00 90 00 00"), EMU_OK);
	free(w);
}

static void test_branches(void **state)
{
	struct world *w = world_make(MODE_REAL);
	struct regs *r = &w->regs;

	(void)state;
	r->gpr[R_RCX] = 0x10002;
	assert_int_equal(world_run(w, "e2 fe"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE);
	assert_int_equal(world_run(w, "e2 fe"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 2);
	assert_int_equal(r->gpr[R_RCX], 0x10000);
	assert_int_equal(world_run(w, "e3 10"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 0x14);
	/* 67: ECX is not zero */
	assert_int_equal(world_run(w, "67 e3 10"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 0x17);
	r->rflags |= RFLAGS_ZF;
	r->gpr[R_RCX] = 5;
	assert_int_equal(world_run(w, "e0 10"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 0x19);
	assert_int_equal(world_run(w, "e1 10"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 0x2b);
	assert_int_equal(world_run(w, "75 10"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 0x2d);
	assert_int_equal(world_run(w, "0f 84 00 10"), EMU_OK);
	assert_int_equal(r->rip, WORLD_CODE + 0x1031);
	/* IP wraps in 16 bits: 9031h + 3 + 7000h = 34h */
	assert_int_equal(world_run(w, "e9 00 70"), EMU_OK);
	assert_int_equal(r->rip, 0x34);
	r->seg[SEG_CS].limit = 0x100;
	expect_fault(w, "e9 00 70", VEC_GP);
	free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addressing_long),
		cmocka_unit_test(test_addressing_segments),
		cmocka_unit_test(test_addressing_real),
		cmocka_unit_test(test_stack),
		cmocka_unit_test(test_flags_and_iopl),
		cmocka_unit_test(test_faults_change_nothing),
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_sse),
		cmocka_unit_test(test_mmx),
		cmocka_unit_test(test_stack_wraps),
		cmocka_unit_test(test_segment_loads),
		cmocka_unit_test(test_far),
		cmocka_unit_test(test_real_interrupts),
		cmocka_unit_test(test_control_registers),
		cmocka_unit_test(test_msr_and_cpuid),
		cmocka_unit_test(test_decimal),
		cmocka_unit_test(test_branches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
