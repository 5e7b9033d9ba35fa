// SPDX-License-Identifier: GPL-2.0-only
/* Exit decoding and event encoding: svm/exit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "svm/exit.h"
#include "svm/vmcb.h"
#include "x86/regs.h"

static const struct svm_caps poor;
static const struct svm_caps rich = { .next_rip = true, .decode = true };

/* The VMCB's fields of an exit. */
struct svm_raw {
	u64 code, info1, info2;
	u64 int_info;
	u64 next_rip, rip;
	u64 dr6;
	u64 vintr, shadow;
	u8 fetched;
	u8 bytes[15];
};

static struct exit decode(struct svm_raw raw, const struct svm_caps *caps)
{
	struct vmcb vmcb = {
		.control = {
			.exit_code = raw.code,
			.exit_info1 = raw.info1,
			.exit_info2 = raw.info2,
			.exit_int_info = raw.int_info,
			.next_rip = raw.next_rip,
			.vintr = raw.vintr,
			.shadow = raw.shadow,
			.insn_fetched = raw.fetched,
		},
		.save = { .rip = raw.rip, .dr6 = raw.dr6 },
	};
	struct exit exit;

	memcpy(vmcb.control.insn_bytes, raw.bytes, sizeof(raw.bytes));
	memset(&exit, 0xa5, sizeof(exit));
	svm_exit_decode(&vmcb, caps, &exit);
	assert_int_equal(exit.hw_reason, raw.code);
	assert_false(exit.nmi_unblocked);
	assert_true(exit.kind < EXIT_KIND_COUNT);
	return exit;
}

#define RAW(...) ((struct svm_raw){ .rip = 0x1000, __VA_ARGS__ })

/* Appendix C against the neutral kinds. */
static void test_plain(void **state)
{
	static const struct { u64 code; u8 kind; bool insn; } map[] = {
		{ 0x60, EXIT_KIND_HOST_IRQ, false },
		{ 0x61, EXIT_KIND_HOST_NMI, false },
		{ 0x62, EXIT_KIND_NONE, false },
		{ 0x63, EXIT_KIND_NONE, false },
		{ 0x64, EXIT_KIND_IRQ_WINDOW, false },
		{ 0x6e, EXIT_KIND_RDTSC, true },
		{ 0x6f, EXIT_KIND_RDPMC, true },
		{ 0x72, EXIT_KIND_CPUID, true },
		{ 0x73, EXIT_KIND_UD, true },
		{ 0x76, EXIT_KIND_INVD, true },
		{ 0x77, EXIT_KIND_PAUSE, true },
		{ 0x78, EXIT_KIND_HLT, true },
		{ 0x7a, EXIT_KIND_UD, true },
		{ 0x7f, EXIT_KIND_SHUTDOWN, false },
		{ 0x80, EXIT_KIND_UD, true },
		{ 0x81, EXIT_KIND_HYPERCALL, true },
		{ 0x82, EXIT_KIND_UD, true },
		{ 0x83, EXIT_KIND_UD, true },
		{ 0x84, EXIT_KIND_UD, true },
		{ 0x85, EXIT_KIND_UD, true },
		{ 0x86, EXIT_KIND_UD, true },
		{ 0x87, EXIT_KIND_EMULATE, true },
		{ 0x89, EXIT_KIND_WBINVD, true },
		{ 0x8a, EXIT_KIND_MONITOR, true },
		{ 0x8b, EXIT_KIND_MWAIT, true },
		{ 0x8c, EXIT_KIND_MWAIT, true },
		{ 0x8d, EXIT_KIND_XSETBV, true },
		{ 0x8e, EXIT_KIND_UD, true },
		{ 0xa0, EXIT_KIND_UD, true },
		{ 0x7e, EXIT_KIND_PRIVATE, false },
		{ 0x10072, EXIT_KIND_PRIVATE, false },
		{ ~0ULL - 1, EXIT_KIND_PRIVATE, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		struct svm_raw raw = RAW(.code = map[i].code,
					 .next_rip = 0x1002);
		struct exit e = decode(raw, &rich);

		assert_int_equal(e.kind, map[i].kind);
		assert_int_equal(e.insn_len, map[i].insn ? 2 : 0);
		e = decode(raw, &poor);
		assert_int_equal(e.kind, map[i].kind);
		assert_int_equal(e.insn_len, 0);
	}
}

/* No code makes the decoder produce a kind that does not exist. */
static void test_every_code(void **state)
{
	u64 code;

	for (code = 0; code < 0x500; code++) {
		decode(RAW(.code = code, .info1 = ~0ULL, .info2 = ~0ULL,
			   .int_info = ~0ULL, .fetched = 255), &rich);
		decode(RAW(.code = code), &poor);
	}
}

/*
 * nRIP and decode assists save work and change nothing else: what an exit is,
 * and what it says of the guest, is the same without them.
 */
static void test_features_are_hints(void **state)
{
	static const struct svm_caps some[] = {
		{ .next_rip = true }, { .decode = true },
		{ .next_rip = true, .decode = true },
	};
	unsigned int i;
	u64 code;

	for (code = 0; code <= 0x403; code++) {
		struct svm_raw raw = RAW(.code = code, .info1 = 0x00710091,
					 .info2 = 0x1002, .next_rip = 0x1002,
					 .shadow = 1, .vintr = 5, .dr6 = 0x4001,
					 .int_info = 0x80000431, .fetched = 15);
		struct exit plain = decode(raw, &poor);

		/* IOIO alone tells its length in any case. */
		assert_int_equal(plain.insn_len, code == 0x7b ? 2 : 0);
		assert_int_equal(plain.insn_bytes_count, 0);
		for (i = 0; i < ARRAY_SIZE(some); i++) {
			struct exit e = decode(raw, &some[i]);

			assert_true(e.insn_len == 0 || e.insn_len == 2);
			assert_true(some[i].next_rip ||
				    e.insn_len == plain.insn_len);
			assert_true(some[i].decode || !e.insn_bytes_count);
			/* Whoever needs to know is told that it is a hint. */
			if (e.kind == EXIT_KIND_CR) {
				e.cr.decoded = false;
				e.cr.gpr = 0;
			} else if (e.kind == EXIT_KIND_DR) {
				e.dr.decoded = false;
				e.dr.gpr = 0;
			} else if (e.kind == EXIT_KIND_INVLPG) {
				e.invlpg.decoded = false;
				e.invlpg.address = 0;
			}
			e.insn_len = plain.insn_len;
			e.insn_bytes_count = 0;
			/* Of these only so many mean something. */
			memcpy(e.insn_bytes, plain.insn_bytes,
			       sizeof(e.insn_bytes));
			assert_memory_equal(&e, &plain, sizeof(e));
		}
	}
}

static void test_length(void **state)
{
	/* Only 1 to 15 is a length; the guest may stand at the very top. */
	assert_int_equal(decode(RAW(.code = 0x72, .next_rip = 0x100f),
				&rich).insn_len, 15);
	assert_int_equal(decode(RAW(.code = 0x72, .next_rip = 0x1010),
				&rich).insn_len, 0);
	assert_int_equal(decode(RAW(.code = 0x72, .next_rip = 0), &rich)
			 .insn_len, 0);
	assert_int_equal(decode((struct svm_raw){ .code = 0x72, .rip = ~0ULL,
						  .next_rip = 1 }, &rich)
			 .insn_len, 2);
}

static void test_common(void **state)
{
	struct exit e = decode(RAW(.code = 0x60, .vintr = 0x010f010b), &poor);

	assert_int_equal(e.cr8, 0xb);
	assert_int_equal(e.shadow, 0);
	assert_int_equal(e.inflight.type, EVENT_NONE);
	e = decode(RAW(.code = 0x60, .shadow = 1), &poor);
	assert_int_equal(e.shadow, SHADOW_STI | SHADOW_MOV_SS);
	/* The other bit there is not a shadow. */
	e = decode(RAW(.code = 0x60, .shadow = 2), &poor);
	assert_int_equal(e.shadow, 0);
}

static void test_cr(void **state)
{
	struct exit e = decode(RAW(.code = 0x10, .info1 = BIT_ULL(63) | 9,
				   .next_rip = 0x1003), &rich);

	assert_int_equal(e.kind, EXIT_KIND_CR);
	assert_true(e.cr.write && e.cr.decoded);
	assert_int_equal(e.cr.cr, 0);
	assert_int_equal(e.cr.gpr, R_R9);
	assert_int_equal(e.insn_len, 3);

	e = decode(RAW(.code = 0x04, .info1 = BIT_ULL(63) | 3), &rich);
	assert_false(e.cr.write);
	assert_int_equal(e.cr.cr, 4);
	assert_int_equal(e.cr.gpr, R_RBX);

	e = decode(RAW(.code = 0x18, .info1 = BIT_ULL(63) | 9), &poor);
	assert_int_equal(e.kind, EXIT_KIND_CR);
	assert_int_equal(e.cr.cr, 8);
	assert_true(e.cr.write);
	assert_false(e.cr.decoded);

	/* LMSW and CLTS: no register to speak of */
	e = decode(RAW(.code = 0x65, .info1 = 9), &rich);
	assert_true(e.cr.write);
	assert_int_equal(e.cr.cr, 0);
	assert_false(e.cr.decoded);
}

static void test_dr(void **state)
{
	struct exit e = decode(RAW(.code = 0x37, .info1 = 6), &rich);

	assert_int_equal(e.kind, EXIT_KIND_DR);
	assert_int_equal(e.dr.dr, 7);
	assert_int_equal(e.dr.gpr, R_RSI);
	assert_true(e.dr.write && e.dr.decoded);
	e = decode(RAW(.code = 0x26, .info1 = 6), &poor);
	assert_int_equal(e.dr.dr, 6);
	assert_false(e.dr.write || e.dr.decoded);
}

static void test_exceptions(void **state)
{
	struct exit e = decode(RAW(.code = 0x4e, .info1 = 7,
				   .info2 = 0xffff800000000123, .fetched = 15,
				   .bytes = { 0x8b, 0x07, [14] = 0x5a }),
			       &rich);

	assert_int_equal(e.kind, EXIT_KIND_EXCEPTION);
	assert_int_equal(e.exc.vector, 14);
	assert_true(e.exc.has_error_code);
	assert_int_equal(e.exc.error_code, 7);
	assert_int_equal(e.exc.payload, 0xffff800000000123);
	assert_int_equal(e.insn_bytes_count, 15);
	assert_int_equal(e.insn_bytes[0], 0x8b);
	assert_int_equal(e.insn_bytes[14], 0x5a);

	e = decode(RAW(.code = 0x41, .dr6 = 0xffff4ff0, .info1 = 9), &poor);
	assert_int_equal(e.exc.vector, 1);
	assert_false(e.exc.has_error_code);
	assert_int_equal(e.exc.payload, 0x4000);

	e = decode(RAW(.code = 0x43, .next_rip = 0x1001), &rich);
	assert_int_equal(e.exc.vector, 3);
	assert_int_equal(e.insn_len, 1);
	e = decode(RAW(.code = 0x4d, .info1 = 0x58, .next_rip = 0x1001),
		   &rich);
	assert_int_equal(e.exc.error_code, 0x58);
	assert_int_equal(e.insn_len, 0);

	e = decode(RAW(.code = 0x52), &rich);
	assert_int_equal(e.kind, EXIT_KIND_HOST_MCE);
}

static void test_ioio(void **state)
{
	/* in al, 0x71 */
	struct exit e = decode(RAW(.code = 0x7b, .info1 = 0x00710091,
				   .info2 = 0x1002), &poor);

	assert_int_equal(e.kind, EXIT_KIND_PIO);
	assert_int_equal(e.pio.port, 0x71);
	assert_int_equal(e.pio.size, 1);
	assert_true(e.pio.in);
	assert_false(e.pio.string || e.pio.rep);
	assert_int_equal(e.pio.next_rip, 0x1002);
	assert_int_equal(e.insn_len, 2);

	/* rep outsd to 0xcf8 */
	e = decode(RAW(.code = 0x7b, .info1 = 0x0cf8024c, .info2 = 0x1002),
		   &poor);
	assert_int_equal(e.pio.port, 0xcf8);
	assert_int_equal(e.pio.size, 4);
	assert_false(e.pio.in);
	assert_true(e.pio.string && e.pio.rep);

	e = decode(RAW(.code = 0x7b, .info1 = 0xffff0020, .info2 = 0), &poor);
	assert_int_equal(e.pio.size, 2);
	assert_int_equal(e.pio.port, 0xffff);
	assert_int_equal(e.insn_len, 0);
	assert_int_equal(e.pio.next_rip, 0);

	/* A size no hardware reports is not believed. */
	e = decode(RAW(.code = 0x7b, .info1 = 0x00710061), &poor);
	assert_int_equal(e.kind, EXIT_KIND_EMULATE);
}

static void test_msr(void **state)
{
	assert_int_equal(decode(RAW(.code = 0x7c), &poor).kind,
			 EXIT_KIND_RDMSR);
	assert_int_equal(decode(RAW(.code = 0x7c, .info1 = 1), &poor).kind,
			 EXIT_KIND_WRMSR);
	assert_int_equal(decode(RAW(.code = 0x7c, .next_rip = 0x1002), &rich)
			 .insn_len, 2);
}

static void test_npf(void **state)
{
	struct exit e = decode(RAW(.code = 0x400,
				   .info1 = BIT_ULL(32) | 0x6,
				   .info2 = 0xfee000b0, .fetched = 3,
				   .bytes = { 1, 2, 3 }), &rich);

	assert_int_equal(e.kind, EXIT_KIND_TDP_FAULT);
	assert_int_equal(e.tdp.gpa.v, 0xfee000b0);
	assert_true(e.tdp.write);
	assert_false(e.tdp.read || e.tdp.fetch || e.tdp.present ||
		     e.tdp.user_walk);
	assert_int_equal(e.insn_bytes_count, 3);
	assert_int_equal(e.insn_len, 0);

	e = decode(RAW(.code = 0x400, .info1 = BIT_ULL(33) | 0x7,
		       .info2 = 0x1008, .fetched = 3), &poor);
	assert_true(e.tdp.present && e.tdp.write && e.tdp.user_walk);
	assert_int_equal(e.insn_bytes_count, 0);

	e = decode(RAW(.code = 0x400, .info1 = 0x15), &poor);
	assert_true(e.tdp.fetch && e.tdp.present);
	assert_false(e.tdp.read || e.tdp.write);

	e = decode(RAW(.code = 0x400, .info1 = 0x4), &poor);
	assert_true(e.tdp.read);
}

static void test_task(void **state)
{
	struct exit e = decode(RAW(.code = 0x7d, .info1 = 0x28,
				   .info2 = BIT_ULL(36)), &poor);

	assert_int_equal(e.kind, EXIT_KIND_TASK_SWITCH);
	assert_int_equal(e.task.selector, 0x28);
	assert_int_equal(e.task.source, 1);
	e = decode(RAW(.code = 0x7d, .info2 = BIT_ULL(38)), &poor);
	assert_int_equal(e.task.source, 2);
	e = decode(RAW(.code = 0x7d), &poor);
	assert_int_equal(e.task.source, 0);
	/* #DF through a task gate, with its error code of 0 */
	e = decode(RAW(.code = 0x7d, .info2 = BIT_ULL(44),
		       .int_info = BIT(31) | BIT(11) | 0x308), &poor);
	assert_int_equal(e.task.source, 3);
	assert_true(e.task.has_error_code);
	assert_int_equal(e.task.error_code, 0);
	assert_int_equal(e.inflight.vector, 8);
}

static void test_invlpg(void **state)
{
	struct exit e = decode(RAW(.code = 0x79, .info1 = 0xabc000), &rich);

	assert_int_equal(e.kind, EXIT_KIND_INVLPG);
	assert_true(e.invlpg.decoded);
	assert_int_equal(e.invlpg.address, 0xabc000);
	e = decode(RAW(.code = 0x79, .info1 = 0xabc000), &poor);
	assert_false(e.invlpg.decoded);
}

/* What hardware left in EXITINTINFO means nothing then. */
static void test_no_inflight(void **state)
{
	struct exit e = decode(RAW(.code = 0x7f, .int_info = BIT(31) | 0x308),
			       &poor);

	assert_int_equal(e.inflight.type, EVENT_NONE);
}

/* Whatever a hypervisor below us left in the upper half */
static void test_refused(void **state)
{
	assert_true(vmcb_refused(~0ULL));
	assert_true(vmcb_refused(0xffffffff));
	assert_false(vmcb_refused(0x7f));
	assert_false(vmcb_refused(0x403));
}

static void test_event_decode(void **state)
{
	static const struct { u64 info; struct event event; } map[] = {
		{ 0x20, { .type = EVENT_NONE } },
		{ 0x800000ecULL, { .type = EVENT_IRQ, .vector = 0xec } },
		{ 0x80000202ULL, { .type = EVENT_NMI, .vector = 2 } },
		{ 0x80000306ULL, { .type = EVENT_EXCEPTION, .vector = 6 } },
		{ 0x1500000b0eULL | BIT(31),
		  { .type = EVENT_EXCEPTION, .vector = 14,
		    .has_error_code = true, .error_code = 0x15 } },
		{ 0x80000303ULL,
		  { .type = EVENT_SOFT_EXCEPTION, .vector = 3 } },
		{ 0x80000403ULL,
		  { .type = EVENT_SOFT_EXCEPTION, .vector = 3 } },
		{ 0x80000304ULL,
		  { .type = EVENT_SOFT_EXCEPTION, .vector = 4 } },
		{ 0x80000480ULL, { .type = EVENT_SOFT_IRQ, .vector = 0x80 } },
		{ 0x80000780ULL, { .type = EVENT_NONE } },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(map); i++) {
		struct event e = svm_event_decode(map[i].info);

		assert_int_equal(e.type, map[i].event.type);
		assert_int_equal(e.vector, map[i].event.vector);
		assert_int_equal(e.has_error_code,
				 map[i].event.has_error_code);
		assert_int_equal(e.error_code, map[i].event.error_code);
	}
}

static void test_event_encode(void **state)
{
	struct event e = { .type = EVENT_NONE, .vector = 14 };

	assert_int_equal(svm_event_encode(&e), 0);
	e = (struct event){ .type = EVENT_IRQ, .vector = 0x31 };
	assert_int_equal(svm_event_encode(&e), 0x80000031);
	e = (struct event){ .type = EVENT_NMI };
	assert_int_equal(svm_event_encode(&e), 0x80000202);
	e = event_exception(13, true, 0x58);
	assert_int_equal(svm_event_encode(&e), 0x5880000b0dULL);
	e = event_exception(6, false, 0x58);
	assert_int_equal(svm_event_encode(&e), 0x80000306);
	e = (struct event){ .type = EVENT_SOFT_EXCEPTION, .vector = 3 };
	assert_int_equal(svm_event_encode(&e), 0x80000303);
	e = (struct event){ .type = EVENT_SOFT_IRQ, .vector = 0x80 };
	assert_int_equal(svm_event_encode(&e), 0x80000480);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_every_code),
		cmocka_unit_test(test_features_are_hints),
		cmocka_unit_test(test_length),
		cmocka_unit_test(test_common),
		cmocka_unit_test(test_cr),
		cmocka_unit_test(test_dr),
		cmocka_unit_test(test_exceptions),
		cmocka_unit_test(test_ioio),
		cmocka_unit_test(test_msr),
		cmocka_unit_test(test_npf),
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_invlpg),
		cmocka_unit_test(test_no_inflight),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_event_decode),
		cmocka_unit_test(test_event_encode),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
