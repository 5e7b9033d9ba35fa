// SPDX-License-Identifier: GPL-2.0-only
/* Plain MOVs: emu/move.c, against the decoder and the emulator. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "base/bits.h"
#include "emu/emu.h"
#include "emu/move.h"

static u8 code[EMU_MAX_LEN + 1];
static u64 asked, stored;
static unsigned int asked_size;

static enum mem_rc fetch(struct emu_ctxt *c, u64 linear, void *buf,
			 unsigned int size)
{
	memcpy(buf, code + (linear & 15), size);
	return MEM_OK;
}

static enum mem_rc read_mem(struct emu_ctxt *c, u64 linear, void *buf,
			    unsigned int size, unsigned int acc)
{
	static const u64 value = 0xf1e2d3c4b5a69788;

	asked = linear;
	asked_size = size;
	memcpy(buf, &value, size);
	return MEM_OK;
}

static enum mem_rc write_mem(struct emu_ctxt *c, u64 linear, const void *buf,
			     unsigned int size, unsigned int acc)
{
	asked = linear;
	asked_size = size;
	stored = 0;
	memcpy(&stored, buf, size);
	return MEM_OK;
}

static const struct emu_ops ops = {
	.fetch = fetch, .read = read_mem, .write = write_mem,
};

static void regs_init(struct regs *regs)
{
	unsigned int i;

	*regs = (struct regs){
		.rip = 0x7000,
		.rflags = RFLAGS_FIXED,
		.cr0 = CR0_PE | CR0_PG,
		.cr4 = CR4_PAE,
		.efer = EFER_LME_BIT | EFER_LMA_BIT,
		.avail = RG_ALL,
	};
	regs->seg[SEG_CS].l = 1;
	for (i = 0; i < R_COUNT; i++)
		regs->gpr[i] = 0x0000001200000000 + i * 0x01010111;
}

/* What emu_move_decode() says must be what the emulator does. */
static bool agree(void)
{
	struct regs regs, fast;
	struct emu_ctxt c;
	struct emu_move m;

	regs_init(&regs);
	fast = regs;
	if (!emu_move_decode(&fast, code, &m))
		return false;
	emu_init(&c, &regs, &ops);
	assert_int_equal(emu_decode(&c, NULL, 0), EMU_OK);
	assert_int_equal(c.insn.len, m.len);
	asked_size = 0;
	assert_int_equal(emu_exec(&c), EMU_OK);
	assert_int_equal(asked_size, m.size);
	assert_int_equal(asked, m.ea);
	if (m.write)
		assert_int_equal(stored, emu_move_value(&m, &fast) &
					 mask_bytes(m.size));
	else
		emu_move_load(&m, &fast, 0xf1e2d3c4b5a69788);
	assert_memory_equal(regs.gpr, fast.gpr, sizeof(regs.gpr));
	return true;
}

/* Each opcode with each prefix, ModRM and SIB */
static void test_all_forms(void **state)
{
	static const u8 opcodes[] = { 0x88, 0x89, 0x8a, 0x8b, 0xc6, 0xc7,
				      0xb6, 0xb7 };
	unsigned int known = 0, i, modrm, rex, pfx, n;

	srand(1);
	for (i = 0; i < ARRAY_SIZE(opcodes); i++)
		for (pfx = 0; pfx < 2; pfx++)
			for (rex = 0x3f; rex < 0x50; rex++)
				for (modrm = 0; modrm < 256; modrm++) {
					for (n = 0; n < sizeof(code); n++)
						code[n] = rand();
					n = 0;
					if (pfx)
						code[n++] = 0x66;
					if (rex >= 0x40)
						code[n++] = rex;
					if (opcodes[i] >= 0xb6 &&
					    opcodes[i] <= 0xb7)
						code[n++] = 0x0f;
					code[n++] = opcodes[i];
					code[n++] = modrm;
					known += agree();
				}
	/* Most have memory, and C6 and C7 have one of eight extensions. */
	assert_true(known > 20000);
}

/* Whatever the bytes are: if it claims to know them, it is right. */
static void test_random(void **state)
{
	static const u8 starts[] = { 0x66, 0x48, 0x44, 0x0f, 0x88, 0x89, 0x8a,
				     0x8b, 0xc6, 0xc7, 0xf3, 0x65 };
	unsigned int known = 0, i, n;

	srand(2);
	for (i = 0; i < 200000; i++) {
		for (n = 0; n < sizeof(code); n++)
			code[n] = n < 3 ? starts[rand() % ARRAY_SIZE(starts)] :
					  rand();
		known += agree();
	}
	assert_true(known > 10000);
}

static void expect_unknown(const char *bytes, unsigned int n)
{
	struct regs regs;
	struct emu_move m;

	regs_init(&regs);
	memset(code, 0, sizeof(code));
	memcpy(code, bytes, n);
	assert_false(emu_move_decode(&regs, code, &m));
}

static void test_refused(void **state)
{
	expect_unknown("\x8b\xc3", 2);			/* MOV EAX, EBX */
	expect_unknown("\x65\x8b\x03", 3);		/* GS: */
	expect_unknown("\x67\x8b\x03", 3);		/* address size */
	expect_unknown("\xf0\x89\x03", 3);		/* LOCK: #UD */
	expect_unknown("\x88\x23", 2);			/* MOV [RBX], AH */
	expect_unknown("\xc7\x4b\x00", 3);		/* C7 /1 */
	expect_unknown("\x48\x66\x8b\x03", 4);		/* REX has no effect */
	expect_unknown("\x8b\x05", 2);			/* relative to RIP */
	expect_unknown("\x01\x03", 2);			/* ADD */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_forms),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
