// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions on devices, by the way a vCPU's accesses take: what is
 * misaligned, locked, half memory or on two pages, what comes more than once,
 * and every instruction there is with an operand in memory.
 */
#include "emu_world.h"

/* Step until the instruction is complete. */
static void finish(struct world *w)
{
	do
		assert_int_equal(world_step(w), EMU_OK);
	while (w->c.again);
}

/* ---- locked ---- */

static const char *const locked[] = {
	"87 0b", "f0 ff 03", "f0 0f c1 0b", "66 87 0b", "f0 66 83 03 01",
	"48 87 0b", "f0 48 01 0b", "f0 0f b1 0b", "f0 0f ba 2b 03",
	"f0 0f c7 0e", "86 0b", "f0 f6 13",
};

/* Places that a locked access may meet, and whether a byte of it is memory */
static const u64 places[] = {
	WORLD_DEV + 0x10, WORLD_DEV + 1, WORLD_DEV + 0x3e, WORLD_DEV + 0xffd,
	WORLD_ROM + 0x10, WORLD_ROM + 3, 0x9001, 0x903f, 0x9ffe,
	WORLD_DEV - 1, WORLD_DEV - 3, WORLD_EDGE + 0x3d,
};

/* Wherever it is, a locked instruction does what the plain one would. */
static void test_locked(void **state)
{
	unsigned int i, k;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(locked); i++) {
		for (k = 0; k < ARRAY_SIZE(places); k++) {
			struct world *w = world_make(MODE_LONG);
			struct world *ref = world_make(MODE_LONG);

			w->slow = true;
			w->regs.gpr[R_RBX] = places[k];
			w->regs.gpr[R_RSI] = places[k];
			w->regs.gpr[R_RCX] = 0x0102030405060708;
			w->regs.gpr[R_RDX] = 1;
			ref->regs = w->regs;
			ref->regs.gpr[R_RBX] = 0x10000;
			ref->regs.gpr[R_RSI] = 0x10000;
			assert_int_equal(world_run(w, locked[i]), EMU_OK);
			assert_int_equal(world_run(ref, locked[i]), EMU_OK);
			ref->regs.gpr[R_RBX] = places[k];
			ref->regs.gpr[R_RSI] = places[k];
			assert_memory_equal(&w->regs, &ref->regs,
					    sizeof(w->regs));
			if (places[k] < WORLD_ROM)
				assert_memory_equal(world_at(w, places[k], true) ? :
						    world_dev_at(w, places[k]),
						    ref->mem + 0x10000, 1);
			free(w);
			free(ref);
		}
	}
}

/* Half of it is memory: that is written once, and last. */
static void test_half_memory(void **state)
{
	struct world *w = world_make(MODE_LONG);
	u64 v = 0x1234ffffffffffff;

	(void)state;
	w->slow = true;
	memcpy(w->edge + PAGE_SIZE - 4, &v, 4);
	memcpy(w->dev, (u8 *)&v + 4, 4);
	w->regs.gpr[R_RBX] = WORLD_DEV - 4;
	assert_int_equal(world_run(w, "48 ff 03"), EMU_OK);
	memcpy(&v, w->edge + PAGE_SIZE - 4, 4);
	memcpy((u8 *)&v + 4, w->dev, 4);
	assert_true(v == 0x1235000000000000);
	assert_int_equal(w->round_trips, 2);
	assert_int_equal(w->dev_writes, 1);
	free(w);
}

static void test_two_pages(void **state)
{
	struct world *w = world_make(MODE_LONG);

	(void)state;
	w->slow = true;
	w->regs.gpr[R_RAX] = 0x8877665544332211;
	w->regs.gpr[R_RBX] = WORLD_DEV + PAGE_SIZE - 3;
	world_bytes("48 89 03", w->mem + w->regs.rip);
	world_context(w);
	assert_int_equal(emu_decode(&w->c, NULL, 0), EMU_OK);
	assert_int_equal(emu_exec(&w->c), EMU_USER);
	/* in the order of addresses */
	assert_int_equal(w->record.entry[0].key.addr, WORLD_DEV + 0xffd);
	assert_int_equal(w->record.entry[0].key.size, 3);
	world_vmm(w);
	finish(w);
	assert_memory_equal(w->dev + PAGE_SIZE - 3, &w->regs.gpr[R_RAX], 8);
	free(w);
}

/* ---- more accesses than are recorded ---- */

static void test_enter(void **state)
{
	unsigned int level, i;
	char code[16];

	(void)state;
	for (level = 0; level < 32; level++) {
		struct world *w = world_make(MODE_LONG);
		struct world *ref = world_make(MODE_LONG);
		struct regs before;
		enum emu_rc rc;

		w->slow = true;
		for (i = 0; i < PAGE_SIZE; i++)
			w->dev[i] = ref->mem[0x10000 + i] = i * 7;
		w->regs.gpr[R_RSP] = WORLD_DEV + 0x800;
		w->regs.gpr[R_RBP] = WORLD_DEV + 0xc00;
		ref->regs.gpr[R_RSP] = 0x10800;
		ref->regs.gpr[R_RBP] = 0x10c00;
		snprintf(code, sizeof(code), "c8 00 00 %02x", level);
		before = w->regs;
		rc = world_run(w, code);
		assert_int_equal(world_run(ref, code), EMU_OK);
		if (level > RECORD_MAX / 2) {
			assert_int_equal(rc, EMU_UNHANDLED);
			assert_memory_equal(&before, &w->regs, sizeof(before));
		} else {
			assert_int_equal(rc, EMU_OK);
			assert_int_equal(w->round_trips,
					 level ? 2 * level : 1);
			assert_int_equal(w->regs.gpr[R_RSP] - WORLD_DEV,
					 ref->regs.gpr[R_RSP] - 0x10000);
		}
		free(w);
		free(ref);
	}
}

/* ---- strings and ports ---- */

/* Each item is taken from the port once and given to the device once. */
static void test_ins_to_device(void **state)
{
	unsigned int slow, i;

	(void)state;
	for (slow = 0; slow < 4; slow++) {
		struct world *w = world_make(MODE_LONG);

		w->slow = slow & 1;
		w->slow_port = slow & 2;
		w->use_io_buf = true;
		w->port_next = 0x20;
		w->regs.gpr[R_RDX] = 0x1f0;
		w->regs.gpr[R_RDI] = WORLD_DEV + 1;
		w->regs.gpr[R_RCX] = 6;
		world_bytes("f3 66 6d", w->mem + w->regs.rip);
		finish(w);
		assert_int_equal(w->port_items, 6);
		assert_int_equal(w->dev_writes, 6);
		for (i = 0; i < 12; i++)
			assert_int_equal(w->dev[1 + i], 0x20 + i);
		assert_int_equal(w->regs.gpr[R_RCX], 0);
		/* without REP, an item lies on two pages */
		w->port_items = w->dev_writes = 0;
		w->regs.gpr[R_RDI] = WORLD_DEV + PAGE_SIZE - 1;
		world_bytes("66 6d", w->mem + w->regs.rip);
		finish(w);
		assert_int_equal(w->port_items, 1);
		assert_int_equal(w->dev_writes, 2);
		free(w);
	}
}

static void test_outs_from_device(void **state)
{
	unsigned int slow, i;

	(void)state;
	for (slow = 0; slow < 4; slow++) {
		struct world *w = world_make(MODE_LONG);

		w->slow = slow & 1;
		w->slow_port = slow & 2;
		w->use_io_buf = true;
		for (i = 0; i < PAGE_SIZE; i++)
			w->dev[i] = i;
		w->regs.gpr[R_RSI] = WORLD_DEV + 0x10;
		w->regs.gpr[R_RCX] = 5;
		world_bytes("f3 6f", w->mem + w->regs.rip);
		finish(w);
		assert_int_equal(w->port_items, 5);
		assert_int_equal(w->dev_reads, 5);
		assert_memory_equal(w->port_log, w->dev + 0x10, 20);
		free(w);
	}
}

/* A port that takes some at once: no item is lost or comes twice. */
static void test_port_takes_some(void **state)
{
	unsigned int limit, i;

	(void)state;
	for (limit = 1; limit < 12; limit++) {
		struct world *w = world_make(MODE_LONG);

		w->use_io_buf = true;
		w->port_limit = limit;
		for (i = 0; i < 64; i++)
			w->mem[0x10000 + i] = i + 100;
		w->regs.gpr[R_RSI] = 0x10000;
		w->regs.gpr[R_RCX] = 10;
		world_bytes("f3 66 6f", w->mem + w->regs.rip);
		finish(w);
		assert_int_equal(w->port_items, 10);
		assert_int_equal(w->port_logged, 20);
		assert_memory_equal(w->port_log, w->mem + 0x10000, 20);
		/* and in */
		w->port_items = w->port_next = 0;
		w->regs.gpr[R_RDI] = 0x20000;
		w->regs.gpr[R_RCX] = 10;
		world_bytes("f3 66 6d", w->mem + w->regs.rip);
		finish(w);
		assert_int_equal(w->port_items, 10);
		for (i = 0; i < 20; i++)
			assert_int_equal(w->mem[0x20000 + i], i);
		free(w);
	}
}

/* What a finished iteration did is not done again when a later one waits. */
static void test_iterations_count(void **state)
{
	struct world *w = world_make(MODE_LONG);
	unsigned int i;

	(void)state;
	for (i = 0; i < 64; i++)
		w->dev[i] = i;
	w->regs.gpr[R_RSI] = WORLD_DEV;
	w->regs.gpr[R_RDI] = WORLD_DEV + 0x100;
	w->regs.gpr[R_RCX] = 40;
	world_bytes("f3 a4", w->mem + w->regs.rip);
	/* more items than a record holds, when all answer at once */
	finish(w);
	assert_int_equal(w->dev_reads, 40);
	assert_int_equal(w->dev_writes, 40);
	assert_memory_equal(w->dev, w->dev + 0x100, 40);
	/* the flag that keeps its breakpoint off lasts as long as it does */
	w->slow = true;
	w->regs.gpr[R_RSI] = WORLD_DEV;
	w->regs.gpr[R_RDI] = WORLD_DEV + 0x200;
	w->regs.gpr[R_RCX] = 2;
	world_bytes("f3 a4", w->mem + w->regs.rip);
	assert_int_equal(world_step(w), EMU_OK);
	assert_true(w->c.again);
	assert_true(w->regs.rflags & RFLAGS_RF);
	assert_int_equal(world_step(w), EMU_OK);
	assert_false(w->c.again);
	assert_false(w->regs.rflags & RFLAGS_RF);
	free(w);
}

/* ---- every instruction ---- */

static const char *const prefixes[] = {
	"", "66 ", "f3 ", "f2 ", "f0 ", "48 ", "f0 48 ", "66 48 ",
};

static const u64 operands[] = {
	WORLD_DEV + 0x20, WORLD_DEV + 0x3f, WORLD_DEV + PAGE_SIZE - 3,
	WORLD_DEV - 1, WORLD_DEV - 3, WORLD_DEV_END - 1,
	WORLD_ROM + 0x11, 0x903f,
};

#define TRIPS_MAX 64	/* of one emu_exec() until the instruction is over */

/* No instruction fails, and none goes on for ever. */
static void run_form(struct world *w, const char *code, u64 operand)
{
	unsigned int trips = 0;
	enum emu_rc rc;

	world_bytes(code, w->mem + w->regs.rip);
	do {
		world_context(w);
		rc = emu_decode(&w->c, NULL, 0);
		if (rc == EMU_OK)
			rc = emu_exec(&w->c);
		if (rc == EMU_USER)
			world_vmm(w);
		trips++;
	} while (rc == EMU_USER && trips < TRIPS_MAX);
	if (rc != EMU_OK && rc != EMU_FAULT && rc != EMU_UNHANDLED)
		fail_msg("%s at %llx: %d", code, operand, rc);
	record_reset(&w->record);
}

static void fresh(struct world *w, const struct regs *r, u64 operand)
{
	unsigned int i;

	w->regs = *r;
	/* all that may be an address; RCX is small as a count, too */
	for (i = 0; i < R_COUNT; i++)
		if (i != R_RCX && i != R_RAX && i != R_RDX)
			w->regs.gpr[i] = operand;
	w->regs.gpr[R_RCX] = 3;
}

/* ModRM with (RBX), reg all of its values; immediates are zeros and more */
static void all_forms(struct world *w, const char *map, u64 operand)
{
	struct regs r = w->regs;
	unsigned int op, reg, p;
	char code[64];

	for (op = 0; op < 256; op++)
		for (p = 0; p < ARRAY_SIZE(prefixes); p++)
			for (reg = 0; reg < 8; reg++) {
				snprintf(code, sizeof(code),
					 "%s%s%02x %02x 01 00 01 00 00 00",
					 prefixes[p], map, op, 3 | reg << 3);
				fresh(w, &r, operand);
				run_form(w, code, operand);
			}
	w->regs = r;
}

static void test_every_form(void **state)
{
	static const struct {
		enum x86_mode mode;
		u8 cpl;
	} levels[] = { { MODE_LONG, 0 }, { MODE_LONG, 3 }, { MODE_PROT32, 3 } };
	unsigned int i, o;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(levels); i++)
		for (o = 0; o < ARRAY_SIZE(operands); o++) {
			struct world *w = world_make(levels[i].mode);

			w->slow = w->slow_port = true;
			w->use_io_buf = true;
			w->regs.seg[SEG_SS].dpl = levels[i].cpl;
			w->regs.rflags |= RFLAGS_IOPL;
			all_forms(w, "", operands[o]);
			all_forms(w, "0f ", operands[o]);
			all_forms(w, "0f 38 ", operands[o]);
			free(w);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locked),
		cmocka_unit_test(test_half_memory),
		cmocka_unit_test(test_two_pages),
		cmocka_unit_test(test_enter),
		cmocka_unit_test(test_ins_to_device),
		cmocka_unit_test(test_outs_from_device),
		cmocka_unit_test(test_port_takes_some),
		cmocka_unit_test(test_iterations_count),
		cmocka_unit_test(test_every_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
