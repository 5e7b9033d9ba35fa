// SPDX-License-Identifier: GPL-2.0-only
/*
 * The decoder: lengths of encodings in all modes, operands, illegal forms,
 * fetching; and emu_simple_length() against it.
 */
#include "emu/exec.h"
#include "emu_world.h"

#define UD -1		/* #UD */
#define GP -2		/* #GP */
#define NO -3		/* EMU_UNHANDLED */

struct length_row {
	enum x86_mode mode;
	int length;
	const char *code;
};

/* All bytes of a row's code belong to the instruction unless length says less. */
#define L(len, code) { MODE_LONG, len, code }
#define P(len, code) { MODE_PROT32, len, code }
#define R(len, code) { MODE_REAL, len, code }

static const struct length_row lengths[] = {
	/* one-byte opcodes */
	L(2, "00 c8"), L(2, "01 08"), L(3, "01 48 10"), L(6, "01 88 44 33 22 11"),
	L(3, "01 04 24"), L(7, "01 04 25 00 10 20 00"), L(6, "01 05 00 00 00 00"),
	L(4, "01 44 24 08"), L(7, "01 84 24 00 01 00 00"), L(2, "04 7f"),
	L(5, "05 11 22 33 44"), L(4, "66 05 11 22"), L(6, "48 05 11 22 33 44"),
	L(1, "50"), L(2, "41 57"), L(2, "66 50"), L(1, "5f"),
	L(5, "68 11 22 33 44"), L(4, "66 68 11 22"), L(2, "6a 80"),
	L(6, "69 c0 11 22 33 44"), L(5, "66 69 c0 11 22"), L(3, "6b c0 10"),
	L(2, "63 c0"), L(3, "48 63 c1"), L(2, "70 00"), L(2, "eb fe"),
	L(3, "80 c0 01"), L(6, "81 c0 01 02 03 04"), L(5, "66 81 c0 01 02"),
	L(7, "48 81 c0 01 02 03 04"), L(3, "83 c0 01"), L(2, "84 c0"),
	L(2, "86 c0"), L(2, "88 07"), L(2, "89 07"), L(3, "44 8a 07"),
	L(2, "8b 07"), L(3, "48 8b 07"), L(2, "8c d8"), L(2, "8d 07"),
	L(2, "8e d8"), L(2, "8f 00"), L(1, "90"), L(2, "f3 90"), L(2, "41 90"),
	L(1, "98"), L(2, "48 99"), L(1, "9b"), L(1, "9c"), L(1, "9f"),
	L(9, "a0 11 22 33 44 55 66 77 88"), L(9, "a3 11 22 33 44 55 66 77 88"),
	L(6, "67 a1 11 22 33 44"), L(1, "a4"), L(2, "f3 a4"), L(3, "f3 48 a5"),
	L(2, "a8 01"), L(5, "a9 01 02 03 04"), L(1, "aa"), L(2, "f2 ae"),
	L(2, "b0 01"), L(5, "b8 01 02 03 04"), L(4, "66 b8 01 02"),
	L(10, "48 b8 01 02 03 04 05 06 07 08"), L(3, "c0 e0 01"),
	L(3, "c1 e8 03"), L(3, "c2 08 00"), L(1, "c3"), L(3, "c6 07 01"),
	L(6, "c7 07 01 02 03 04"), L(5, "66 c7 07 01 02"),
	L(12, "48 c7 84 c8 10 00 00 00 01 02 03 04"), L(3, "c6 f8 01"),
	L(6, "c7 f8 00 00 00 00"), L(4, "c8 10 00 01"), L(1, "c9"),
	L(3, "ca 04 00"), L(1, "cb"), L(1, "cc"), L(2, "cd 80"), L(1, "cf"),
	L(2, "d1 e0"), L(2, "d3 e0"), L(1, "d7"), L(2, "d9 c0"), L(2, "dd 07"),
	L(6, "db 2d 00 00 00 00"), L(2, "e2 fe"), L(2, "e3 00"), L(2, "e4 60"),
	L(2, "e7 60"), L(1, "ec"), L(2, "66 ef"), L(5, "e8 00 00 00 00"),
	L(6, "66 e8 00 00 00 00"), L(5, "e9 00 00 00 00"), L(1, "f1"),
	L(1, "f4"), L(3, "f6 c0 01"), L(2, "f6 d0"), L(6, "f7 c0 01 02 03 04"),
	L(2, "f7 d8"), L(2, "fe c0"), L(2, "ff c0"), L(2, "ff d0"),
	L(3, "48 ff 28"), L(2, "ff 30"), L(1, "fa"), L(1, "fc"),
	L(1, "6c"), L(2, "f3 6f"),
	/* 0F */
	L(3, "0f 00 d8"), L(3, "0f 01 18"), L(7, "0f 01 15 00 00 00 00"),
	L(3, "0f 01 c1"), L(3, "0f 01 d9"), L(3, "0f 01 f8"), L(3, "0f 01 f9"),
	L(3, "0f 01 d1"), L(3, "0f 01 38"), L(3, "0f 01 c8"), L(3, "0f 01 ca"),
	L(2, "0f 05"), L(2, "0f 06"), L(2, "0f 08"), L(2, "0f 09"), L(2, "0f 0b"),
	L(3, "0f 0d 08"), L(4, "0f 0f c1 9e"), L(3, "0f 10 07"),
	L(4, "f3 0f 10 07"), L(3, "0f 18 08"), L(4, "0f 1f 40 00"),
	L(9, "66 0f 1f 84 00 00 00 00 00"), L(4, "f3 0f 1e fa"),
	L(3, "0f 20 c0"), L(3, "0f 22 d8"), L(4, "44 0f 20 c0"),
	L(3, "0f 20 04"), L(3, "0f 23 f8"), L(3, "0f 28 07"), L(3, "0f 2b 07"),
	L(2, "0f 30"), L(2, "0f 31"), L(2, "0f 32"), L(2, "0f 33"),
	L(3, "0f 44 c1"), L(3, "0f 57 c0"), L(4, "66 0f 6f 07"),
	L(5, "66 0f 70 c0 1b"), L(5, "66 0f 73 f8 04"), L(2, "0f 77"),
	L(3, "0f 78 c0"), L(6, "66 0f 78 c1 01 02"), L(4, "66 0f 7f 07"),
	L(6, "0f 84 00 00 00 00"), L(7, "66 0f 84 00 00 00 00"),
	L(3, "0f 94 c0"), L(2, "0f a0"), L(2, "0f a2"), L(3, "0f a3 c8"),
	L(4, "0f a4 c8 04"), L(3, "0f a5 c8"), L(3, "0f ae 38"),
	L(3, "0f ae f0"), L(4, "f3 0f ae d0"), L(3, "0f af c1"),
	L(4, "f0 0f b1 0f"), L(3, "0f b6 07"), L(3, "0f b7 07"),
	L(4, "f3 0f b8 c1"), L(4, "0f ba e0 04"), L(4, "f3 0f bc c1"),
	L(3, "0f be 07"), L(4, "f0 0f c1 07"), L(4, "0f c2 c1 00"),
	L(3, "0f c3 07"), L(4, "0f c6 c1 00"), L(3, "0f c7 0f"),
	L(4, "48 0f c7 0f"), L(3, "0f c7 f0"), L(2, "0f c8"), L(4, "66 0f e7 07"),
	L(4, "f2 0f f0 07"), L(3, "0f ff c0"),
	/* 0F 38, 0F 3A */
	L(5, "66 0f 38 00 c1"), L(4, "0f 38 f0 07"), L(4, "0f 38 f1 07"),
	L(5, "f2 0f 38 f0 c1"), L(6, "66 0f 3a 0f c1 04"),
	L(11, "66 0f 3a 63 84 08 00 00 00 00 07"),
	/* VEX, EVEX, XOP */
	L(4, "c5 f8 57 c0"), L(3, "c5 f8 77"), L(4, "c5 fa 6f 07"),
	L(5, "c4 e2 79 18 07"), L(6, "c4 e3 79 0f c1 04"),
	L(5, "c5 f9 70 c0 1b"), L(6, "62 f1 7c 48 10 07"),
	L(7, "62 f1 7c 48 10 47 01"), L(7, "62 f3 7d 48 25 c0 ff"),
	L(6, "8f e8 78 c0 c1 04"), L(9, "8f ea 78 10 c1 00 00 00 00"),
	L(UD, "66 c5 f8 57 c0"), L(UD, "48 c5 f8 57 c0"), L(UD, "f0 c5 f8 77"),
	/* prefixes */
	L(3, "2e 8b 07"), L(3, "65 8b 07"), L(7, "66 66 66 66 66 66 90"),
	L(15, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"),
	L(GP, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90"),
	L(GP, "2e 2e 2e 2e 2e 2e 2e 2e 2e 48 b8 01 02 03 04 05 06 07 08"),
	L(3, "67 8b 07"), L(4, "48 66 8b 07"), L(4, "66 48 8b 07"),
	L(7, "66 41 81 3c 24 34 12"), L(5, "f0 48 0f b1 0f"),
	/* illegal in 64-bit mode */
	L(UD, "06"), L(UD, "0e"), L(UD, "27"), L(UD, "60"), L(UD, "82 c0 01"),
	L(UD, "9a 00 00 00 00 00 00"), L(UD, "ce"), L(UD, "d4 0a"), L(UD, "d6"),
	L(UD, "ea 00 00 00 00 00 00"),
	/* illegal everywhere */
	L(UD, "f0 89 c8"), L(UD, "f0 89 08"), L(UD, "f0 90"), L(UD, "f0 39 08"),
	L(UD, "f0 01 c8"), L(UD, "f0 03 08"), L(UD, "f0 0f a2"),
	L(UD, "f0 0f ba 20 01"), L(UD, "8d c0"), L(UD, "0f 04"), L(UD, "0f 0a"),
	L(UD, "0f 24 c0"), L(UD, "0f 36"), L(UD, "0f 39"), L(UD, "fe d0"),
	L(UD, "ff f8"), L(UD, "8f e0"), L(UD, "c6 c8 01"), L(UD, "c6 f9 01"),
	L(UD, "0f c7 c0"), L(UD, "0f ba c0 01"), L(UD, "0f b8 c0"),
	L(UD, "0f c3 c0"), L(UD, "0f c7 c8"), L(UD, "0f 38 f0 c0"),
	L(UD, "0f 01 cc"), L(UD, "0f a6"), L(UD, "ff d8"), L(UD, "ff e8"),
	/* 32-bit mode */
	P(1, "06"), P(1, "27"), P(1, "40"), P(1, "4f"), P(1, "60"),
	P(2, "62 00"), P(2, "63 c0"), P(6, "62 80 44 33 22 11"),
	P(6, "c4 05 00 00 00 00"), P(2, "c5 00"), P(4, "c5 f8 57 c0"),
	P(5, "c4 e2 79 18 07"), P(6, "62 f1 7c 48 10 07"), P(3, "82 c0 01"),
	P(7, "9a 44 33 22 11 08 00"), P(6, "66 9a 22 11 08 00"),
	P(7, "ea 44 33 22 11 08 00"), P(1, "ce"), P(2, "d4 0a"), P(1, "d6"),
	P(6, "8b 05 44 33 22 11"), P(5, "67 8b 06 22 11"), P(3, "67 8b 07"),
	P(4, "67 8b 47 01"), P(5, "67 8b 87 01 02"), P(5, "a1 44 33 22 11"),
	P(4, "67 a1 22 11"), P(5, "b8 44 33 22 11"), P(5, "e8 00 00 00 00"),
	P(4, "66 e8 00 00"), P(5, "66 0f 84 00 00"), P(3, "0f 20 c0"),
	P(3, "0f 00 d8"), P(3, "8b 04 24"), P(7, "8b 04 8d 00 00 00 00"),
	P(UD, "0f 04"), P(5, "68 11 22 33 44"), P(1, "50"),
	/* 16-bit mode */
	R(1, "40"), R(2, "01 c8"), R(2, "8b 07"), R(4, "8b 06 22 11"),
	R(3, "8b 46 01"), R(4, "8b 87 22 11"), R(3, "66 8b 07"),
	R(3, "67 8b 07"), R(7, "67 8b 05 44 33 22 11"), R(4, "67 8b 04 24"),
	R(3, "b8 22 11"), R(6, "66 b8 44 33 22 11"), R(3, "a1 22 11"),
	R(6, "67 a1 44 33 22 11"), R(3, "e8 00 00"), R(6, "66 e8 00 00 00 00"),
	R(5, "ea 00 00 00 f0"), R(8, "66 ea 00 00 00 00 08 00"),
	R(4, "0f 84 00 00"), R(5, "0f 01 16 22 11"), R(3, "0f 20 c0"),
	R(4, "81 c0 01 02"), R(7, "66 81 c0 01 02 03 04"), R(3, "68 22 11"),
	R(UD, "c5 f8 57 c0"), R(UD, "c4 e2 79 18 07"), R(UD, "62 f1 7c 48 10 07"),
	R(UD, "0f 00 d8"), R(UD, "63 c0"), R(UD, "0f 02 c0"), R(2, "cd 10"),
	R(1, "cf"), R(2, "e4 60"), R(1, "6d"), R(2, "c4 07"),
};

static void check_length(const struct length_row *row)
{
	struct world *w = world_make(row->mode);
	u8 code[32];
	unsigned int n = world_bytes(row->code, code);
	enum emu_rc rc;

	memset(w->mem + WORLD_CODE, 0, 32);
	memcpy(w->mem + WORLD_CODE, code, n);
	world_context(w);
	rc = emu_decode(&w->c, NULL, 0);
	if (row->length > 0 && (rc || w->c.insn.len != row->length))
		fail_msg("%s (mode %d): rc %d, length %d", row->code, row->mode,
			 rc, w->c.insn.len);
	if (row->length == NO)
		assert_int_equal(rc, EMU_UNHANDLED);
	if ((row->length == UD || row->length == GP) &&
	    (rc != EMU_FAULT ||
	     w->c.fault.vector != (row->length == UD ? VEC_UD : VEC_GP)))
		fail_msg("%s (mode %d): rc %d, length %d", row->code, row->mode,
			 rc, w->c.insn.len);
	free(w);
}

static void test_lengths(void **state)
{
	unsigned int i;

	(void)state;
	assert_true(ARRAY_SIZE(lengths) >= 150);
	for (i = 0; i < ARRAY_SIZE(lengths); i++)
		check_length(&lengths[i]);
}

/* Where emu_simple_length() answers, it agrees with the decoder. */
static void test_simple_agrees(void **state)
{
	unsigned int i, n, len, answered = 0;
	u8 code[32];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		n = world_bytes(lengths[i].code, code);
		len = emu_simple_length(lengths[i].mode, code, n);
		if (!len || lengths[i].length < 0)
			continue;
		assert_int_equal(len, lengths[i].length);
		answered++;
		assert_int_equal(emu_simple_length(lengths[i].mode, code,
						   len - 1), 0);
	}
	assert_true(answered > 30);
}

static void test_simple(void **state)
{
	static const struct length_row rows[] = {
		L(2, "0f a2"), L(1, "f4"), L(2, "0f 32"), L(2, "0f 30"),
		L(3, "0f 01 d9"), L(2, "e4 71"), L(1, "ed"), L(2, "66 ed"),
		L(2, "0f 08"), L(2, "0f 09"), L(2, "f3 90"), L(3, "0f 01 d1"),
		L(2, "0f 31"), L(3, "0f 01 f9"), L(2, "0f 33"),
		L(3, "0f 01 3f"), L(4, "44 0f 20 c0"), L(4, "f0 0f 20 c0"),
		L(3, "f3 48 6d"), L(7, "0f 01 3d 00 00 00 00"), R(2, "66 ed"),
		R(5, "0f 01 3e 00 00"), R(3, "2e 0f 32"), P(3, "0f 01 d9"),
		P(4, "67 0f 01 3f"), P(2, "cd 80"), P(0, "48"), L(0, "8b 07"),
		L(0, "66 66 66"), L(0, "0f 01"), L(0, "0f"), L(0, ""),
	};
	unsigned int i, n;
	u8 code[32];

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		n = world_bytes(rows[i].code, code);
		assert_int_equal(emu_simple_length(rows[i].mode, code, n),
				 rows[i].length);
	}
}

static struct emu_insn decode(enum x86_mode mode, const char *text)
{
	struct world *w = world_make(mode);
	struct emu_insn insn;
	u8 code[32];
	unsigned int n = world_bytes(text, code);

	world_context(w);
	assert_int_equal(emu_decode(&w->c, code, n), EMU_OK);
	assert_int_equal(w->c.insn.len, n);
	insn = w->c.insn;
	free(w);
	return insn;
}

static void test_operands(void **state)
{
	struct emu_insn i;

	(void)state;
	/* mov rax, gs:[r12 + r9*8 - 0x10] */
	i = decode(MODE_LONG, "65 4b 8b 44 cc f0");
	assert_int_equal(i.base, R_R12);
	assert_int_equal(i.index, R_R9);
	assert_int_equal(i.scale, 3);
	assert_int_equal(i.disp, (u64)-0x10);
	assert_int_equal(i.seg, SEG_GS);
	assert_int_equal(i.op_size, 8);
	assert_int_equal(i.addr_size, 8);
	assert_true(i.mem);
	/* no base, no index; r13 as base needs a displacement */
	i = decode(MODE_LONG, "8b 04 25 00 10 00 00");
	assert_int_equal(i.base, EMU_NO_REG);
	assert_int_equal(i.index, EMU_NO_REG);
	assert_false(i.rip_rel);
	i = decode(MODE_LONG, "41 8b 45 00");
	assert_int_equal(i.base, R_R13);
	assert_int_equal(i.seg, SEG_DS);
	/* r12 as index is legal, rsp is not */
	i = decode(MODE_LONG, "42 8b 04 20");
	assert_int_equal(i.index, R_R12);
	assert_true(decode(MODE_LONG, "8b 05 00 00 00 00").rip_rel);
	assert_false(decode(MODE_PROT32, "8b 05 00 00 00 00").rip_rel);
	assert_int_equal(decode(MODE_LONG, "8b 45 00").seg, SEG_SS);
	assert_int_equal(decode(MODE_LONG, "8b 04 24").seg, SEG_SS);
	assert_int_equal(decode(MODE_LONG, "2e 8b 45 00").seg, SEG_SS);
	assert_int_equal(decode(MODE_PROT32, "2e 8b 45 00").seg, SEG_CS);
	assert_int_equal(decode(MODE_REAL, "8b 02").seg, SEG_SS);
	i = decode(MODE_REAL, "26 8b 40 f0");
	assert_int_equal(i.base, R_RBX);
	assert_int_equal(i.index, R_RSI);
	assert_int_equal(i.seg, SEG_ES);
	assert_int_equal(i.disp, (u64)-0x10);
	/* operand sizes */
	assert_int_equal(decode(MODE_LONG, "50").op_size, 8);
	assert_int_equal(decode(MODE_LONG, "66 50").op_size, 2);
	assert_int_equal(decode(MODE_LONG, "66 48 89 07").op_size, 8);
	assert_int_equal(decode(MODE_LONG, "c3").op_size, 8);
	assert_int_equal(decode(MODE_PROT32, "66 89 07").op_size, 2);
	assert_int_equal(decode(MODE_REAL, "66 89 07").op_size, 4);
	/* REX counts only right before the opcode */
	assert_int_equal(decode(MODE_LONG, "48 66 89 07").op_size, 2);
	/* immediates */
	assert_int_equal(decode(MODE_LONG, "83 c0 ff").imm, ~0ULL);
	assert_int_equal(decode(MODE_LONG, "cd ff").imm, 0xff);
	assert_int_equal(decode(MODE_LONG, "48 c7 c0 ff ff ff ff").imm, ~0ULL);
	i = decode(MODE_PROT32, "ea 44 33 22 11 08 00");
	assert_int_equal(i.imm, 0x11223344);
	assert_int_equal(i.imm2, 8);
	i = decode(MODE_LONG, "c8 00 f0 1f");
	assert_int_equal(i.imm, 0xf000);
	assert_int_equal(i.imm2, 0x1f);
}

/* AMD honours 66 on near branches and has LOCK MOV CR8. */
static void test_vendor(void **state)
{
	struct world *w = world_make(MODE_LONG);
	u8 code[16];
	unsigned int n;

	(void)state;
	world_context(w);
	w->c.amd = true;
	n = world_bytes("66 e8 00 00", code);
	assert_int_equal(emu_decode(&w->c, code, n), EMU_OK);
	assert_int_equal(w->c.insn.len, 4);
	n = world_bytes("f0 0f 20 c0", code);
	assert_int_equal(emu_decode(&w->c, code, n), EMU_OK);
	assert_int_equal(w->c.insn.reg, 8);
	w->c.amd = false;
	assert_int_equal(emu_decode(&w->c, code, n), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_UD);
	free(w);
}

/* Bytes beyond those given are fetched, and not before they are needed. */
static void test_fetch(void **state)
{
	struct world *w = world_make(MODE_LONG);

	(void)state;
	/* the instruction ends with the memory */
	w->regs.rip = WORLD_MEM - 2;
	w->mem[WORLD_MEM - 2] = 0x0f;
	w->mem[WORLD_MEM - 1] = 0xa2;
	world_context(w);
	assert_int_equal(emu_decode(&w->c, NULL, 0), EMU_OK);
	assert_int_equal(w->c.insn.len, 2);
	assert_int_equal(emu_decode(&w->c, w->mem + WORLD_MEM - 2, 1), EMU_OK);
	assert_int_equal(w->c.insn.len, 2);
	/* it goes on in a page that is not there */
	w->mem[WORLD_MEM - 1] = 0x20;
	assert_int_equal(emu_decode(&w->c, NULL, 0), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_PF);
	assert_int_equal(w->c.fault.cr2, WORLD_MEM);
	/* beyond the canonical addresses */
	w->regs.rip = 0x7fffffffffffULL;
	assert_int_equal(emu_decode(&w->c, (u8[]){ 0x0f }, 1), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_GP);
	free(w);

	/* the CS limit */
	w = world_make(MODE_REAL);
	w->regs.seg[SEG_CS].limit = WORLD_CODE;
	w->mem[WORLD_CODE] = 0xcd;
	world_context(w);
	assert_int_equal(emu_decode(&w->c, NULL, 0), EMU_FAULT);
	assert_int_equal(w->c.fault.vector, VEC_GP);
	assert_false(w->c.fault.has_error_code);
	w->mem[WORLD_CODE] = 0xf4;
	assert_int_equal(emu_decode(&w->c, NULL, 0), EMU_OK);
	free(w);
}

#define HANDLER(name) { #name, exec_##name },
static const struct {
	const char *name;
	enum emu_rc (*exec)(struct emu_ctxt *c);
} handlers[] = { EMU_HANDLERS(HANDLER) };

static bool reached[ARRAY_SIZE(handlers)];

static void note_handler(const struct emu_row *row)
{
	unsigned int i;

	assert_non_null(row);
	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		if (row->exec == handlers[i].exec)
			reached[i] = true;
	/* an instruction that writes says where to, one that locks does both */
	if (row->flags & DW)
		assert_int_not_equal(row->op[0], OP___);
	if (row->flags & LK && row->op[0] != OP_M)
		assert_int_equal(row->flags & RMW, RMW);
}

/*
 * Every opcode of the four maps with every ModRM and mandatory prefix: each
 * has a verdict, the length does not depend on whether the bytes were given or
 * fetched, and there is no handler without an opcode.
 */
static void test_maps(void **state)
{
	static const u8 prefixes[] = { 0, 0x66, 0xf3, 0xf2 };
	static const char *const escapes[] = { "", "0f", "0f 38", "0f 3a" };
	struct world *w = world_make(MODE_LONG), *w32 = world_make(MODE_PROT32);
	unsigned int map, opcode, modrm, pfx, n, i;
	u8 code[EMU_MAX_LEN] = { 0 };
	struct world *worlds[] = { w, w32 };

	(void)state;
	for (i = 0; i < 2 * 4 * 4 * 256 * 256; i++) {
		pfx = i & 3;
		map = i >> 2 & 3;
		modrm = i >> 4 & 0xff;
		opcode = i >> 12 & 0xff;
		n = 0;
		if (prefixes[pfx])
			code[n++] = prefixes[pfx];
		n += world_bytes(escapes[map], code + n);
		code[n++] = opcode;
		code[n++] = modrm;
		memset(code + n, 0, sizeof(code) - n);
		world_context(worlds[i >> 20]);
		switch (emu_decode(&worlds[i >> 20]->c, code, sizeof(code))) {
		case EMU_OK:
			note_handler(worlds[i >> 20]->c.insn.row);
			break;
		case EMU_FAULT:
			n = worlds[i >> 20]->c.fault.vector;
			assert_true(n == VEC_UD || n == VEC_GP);
			break;
		case EMU_UNHANDLED:
			/* VEX maps that are not known */
			assert_int_equal(map, 0);
			break;
		default:
			fail();
		}
	}
	for (i = 0; i < ARRAY_SIZE(handlers); i++)
		if (!reached[i])
			fail_msg("no opcode leads to %s", handlers[i].name);
	free(w);
	free(w32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lengths),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_simple_agrees),
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_vendor),
		cmocka_unit_test(test_fetch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
