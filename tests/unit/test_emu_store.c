// SPDX-License-Identifier: GPL-2.0-only
/*
 * emu_store() against the emulator itself: what it tells of an instruction is
 * all that executing it does.
 */
#include "emu_world.h"

static u64 seed = 88172645463325252ULL;

static u64 next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool decode(struct world *w, const char *code)
{
	world_bytes(code, &w->mem[WORLD_CODE]);
	world_context(w);
	return emu_decode(&w->c, NULL, 0) == EMU_OK;
}

/* Executed: the value is where it was said to be, and nothing else changed. */
static void check_executes(struct world *w, const struct emu_store *store)
{
	struct regs before = w->regs;
	u8 *mem = malloc(WORLD_MEM);

	memcpy(mem, w->mem, WORLD_MEM);
	memcpy(&mem[store->linear], &store->value, store->size);
	assert_int_equal(emu_exec(&w->c), EMU_OK);
	assert_memory_equal(mem, w->mem, WORLD_MEM);
	assert_memory_equal(before.gpr, w->regs.gpr, sizeof(before.gpr));
	assert_true(w->regs.rip == before.rip + w->c.insn.len);
	assert_true(w->regs.rflags == before.rflags);
	assert_int_equal(w->c.shadow, 0);
	free(mem);
}

static void test_plain(void **state)
{
	static const struct {
		const char *code;
		u64 linear, value;
		u8 size;
	} want[] = {
		{ "88 03", 0x10000, 0x88, 1 },
		{ "88 23", 0x10000, 0x77, 1 },		/* AH */
		{ "40 88 23", 0x10000, 0x00, 1 },	/* SPL */
		{ "89 03", 0x10000, 0x55667788, 4 },
		{ "66 89 03", 0x10000, 0x7788, 2 },
		{ "48 89 03", 0x10000, 0x1122334455667788, 8 },
		{ "89 43 04", 0x10004, 0x55667788, 4 },
		{ "89 44 8b 10", 0x10018, 0x55667788, 4 },
		{ "c6 03 7f", 0x10000, 0x7f, 1 },
		{ "c7 03 ff ff ff ff", 0x10000, 0xffffffff, 4 },
		{ "48 c7 03 fe ff ff ff", 0x10000, ~1ULL, 8 },
		{ "67 a3 00 20 01 00", 0x12000, 0x55667788, 4 },
		{ "89 05 00 10 00 00", WORLD_CODE + 6 + 0x1000, 0x55667788, 4 },
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(want); i++) {
		struct world *w = world_make(MODE_LONG);
		struct emu_store store;

		w->regs.gpr[R_RAX] = 0x1122334455667788;
		w->regs.gpr[R_RBX] = 0x10000;
		w->regs.gpr[R_RCX] = 2;
		assert_true(decode(w, want[i].code));
		assert_true(emu_store(&w->c, &store));
		assert_true(store.linear == want[i].linear);
		assert_true(store.value == want[i].value);
		assert_int_equal(store.size, want[i].size);
		check_executes(w, &store);
		free(w);
	}
}

static void test_others(void **state)
{
	static const char *const code[] = {
		"8b 03", "89 c3", "01 03", "87 03", "f0 01 03", "0f b0 0b",
		"aa", "f3 ab", "a4", "50", "8f 03", "0f 11 03", "0f 38 f1 03",
		"0f 90 03", "8c 03", "fe 03", "f7 13", "ff 13", "0f ab 03",
		"0f 01 03", "90", "e6 80",
	};
	struct emu_store store;
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(code); i++) {
		struct world *w = world_make(MODE_LONG);

		w->regs.gpr[R_RBX] = 0x10000;
		assert_true(decode(w, code[i]));
		assert_false(emu_store(&w->c, &store));
		free(w);
	}
}

/* What segmentation forbids is for the emulator to make a fault of. */
static void test_segments(void **state)
{
	struct world *w = world_make(MODE_PROT32);
	struct emu_store store;

	(void)state;
	w->regs.gpr[R_RBX] = 0x100;
	w->regs.seg[SEG_DS].base = 0x2000;
	assert_true(decode(w, "89 03"));
	assert_true(emu_store(&w->c, &store));
	assert_true(store.linear == 0x2100);
	assert_true(decode(w, "2e 89 03"));	/* code is not written to */
	assert_false(emu_store(&w->c, &store));
	w->regs.seg[SEG_DS].limit = 0x102;
	assert_true(decode(w, "89 03"));
	assert_false(emu_store(&w->c, &store));
	free(w);
}

static void test_random(void **state)
{
	static const u8 opcode[] = { 0x88, 0x89, 0xc6, 0xc7, 0xa2, 0xa3 };
	static const enum x86_mode modes[] = {
		MODE_REAL, MODE_PROT16, MODE_PROT32, MODE_LONG,
	};
	unsigned int round, i, n, stores = 0;

	(void)state;
	for (round = 0; round < 20000; round++) {
		struct world *w = world_make(modes[round % 4]);
		struct emu_store store;
		u8 *p = &w->mem[WORLD_CODE];

		for (i = 0; i < R_COUNT; i++)
			w->regs.gpr[i] = next_random() & 0xffff;
		n = 0;
		if (next_random() % 4 == 0)
			p[n++] = 0x66;
		if (next_random() % 4 == 0)
			p[n++] = 0x67;
		if (modes[round % 4] == MODE_LONG && next_random() % 2)
			p[n++] = 0x40 | (next_random() & 15);
		p[n++] = opcode[next_random() % ARRAY_SIZE(opcode)];
		for (i = 0; i < 10; i++)
			p[n++] = i ? next_random() % 4 : next_random();
		world_context(w);
		if (emu_decode(&w->c, NULL, 0) == EMU_OK &&
		    emu_store(&w->c, &store) &&
		    store.linear + store.size <= WORLD_MEM) {
			check_executes(w, &store);
			stores++;
		}
		free(w);
	}
	assert_true(stores > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_segments),
		cmocka_unit_test(test_random),
	};

	world_unused();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
