// SPDX-License-Identifier: GPL-2.0-only
/* VM exits to neutral ones, events both ways: vmx/exit.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "vmx/exit.h"
#include "vmx/vmcs.h"
#include "x86/regs.h"

#define VALID 0x80000000u

static struct exit decode(struct vmx_raw raw)
{
	struct exit exit;

	memset(&exit, 0xa5, sizeof(exit));
	vmx_exit_decode(&raw, &exit);
	return exit;
}

/* SDM vol. 3, appendix C: exits that are no more than their number. */
static void test_simple(void **state)
{
	static const struct {
		u8 reason, kind, len;
	} want[] = {
		{ 1, EXIT_KIND_HOST_IRQ, 0 }, { 2, EXIT_KIND_SHUTDOWN, 0 },
		{ 7, EXIT_KIND_IRQ_WINDOW, 0 }, { 8, EXIT_KIND_NMI_WINDOW, 0 },
		{ 10, EXIT_KIND_CPUID, 2 }, { 11, EXIT_KIND_UD, 2 },
		{ 12, EXIT_KIND_HLT, 2 }, { 13, EXIT_KIND_INVD, 2 },
		{ 15, EXIT_KIND_RDPMC, 2 }, { 16, EXIT_KIND_RDTSC, 2 },
		{ 17, EXIT_KIND_UD, 2 }, { 18, EXIT_KIND_HYPERCALL, 2 },
		{ 19, EXIT_KIND_UD, 2 }, { 20, EXIT_KIND_UD, 2 },
		{ 27, EXIT_KIND_UD, 2 }, { 31, EXIT_KIND_RDMSR, 2 },
		{ 32, EXIT_KIND_WRMSR, 2 }, { 36, EXIT_KIND_MWAIT, 2 },
		{ 39, EXIT_KIND_MONITOR, 2 }, { 40, EXIT_KIND_PAUSE, 2 },
		{ 41, EXIT_KIND_HOST_MCE, 0 }, { 43, EXIT_KIND_CR8_WRITE, 0 },
		{ 49, EXIT_KIND_PRIVATE, 0 }, { 50, EXIT_KIND_UD, 2 },
		{ 51, EXIT_KIND_EMULATE, 2 }, { 53, EXIT_KIND_UD, 2 },
		{ 54, EXIT_KIND_WBINVD, 2 }, { 55, EXIT_KIND_XSETBV, 2 },
		{ 59, EXIT_KIND_UD, 2 }, { 60, EXIT_KIND_UD, 2 },
		/* nobody asked for these */
		{ 3, EXIT_KIND_PRIVATE, 0 }, { 35, EXIT_KIND_PRIVATE, 0 },
		{ 46, EXIT_KIND_PRIVATE, 0 }, { 200, EXIT_KIND_PRIVATE, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++) {
		struct exit e = decode((struct vmx_raw){
			.reason = want[i].reason, .insn_len = 2, .cr8 = 9,
		});

		assert_int_equal(e.kind, want[i].kind);
		assert_int_equal(e.insn_len, want[i].len);
		assert_int_equal(e.hw_reason, want[i].reason);
		assert_int_equal(e.cr8, 9);
		assert_int_equal(e.inflight.type, EVENT_NONE);
		assert_int_equal(!!(vmx_exit_needs(want[i].reason) & RAW_LEN),
				 want[i].len != 0);
	}
}

/*
 * Appendix C: what may come amid a delivery; a task switch is part of one.
 * Others are instructions, executed when nothing is being delivered: 28.2.4
 */
static void test_idt(void **state)
{
	static const u8 amid[] = { 0, 1, 2, 9, 44, 48, 49, 52, 62, 200 };
	static const u8 never[] = { 10, 12, 18, 28, 29, 30, 31, 32, 54, 55 };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(amid); i++)
		assert_true(vmx_exit_needs(amid[i]) & RAW_IDT);
	for (i = 0; i < ARRAY_SIZE(never); i++)
		assert_false(vmx_exit_needs(never[i]) & RAW_IDT);
}

/* Every reason there is has an answer, with any bits above the basic ones. */
static void test_total(void **state)
{
	u32 reason;

	for (reason = 0; reason < 0x200; reason++) {
		struct exit e = decode((struct vmx_raw){
			.reason = reason | BIT(27), .qualification = ~0ULL,
			.intr_info = ~0u, .idt_info = ~0u, .insn_len = ~0u,
			.interruptibility = ~0u,
		});

		assert_true(e.kind < EXIT_KIND_COUNT);
		/* A log that is full was emptied already. */
		assert_int_equal(e.kind == EXIT_KIND_NONE,
				 reason == REASON_PML_FULL);
		assert_true(e.insn_len <= 15 && e.inflight.insn_len <= 15);
	}
}

/* 27.8 */
static void test_failure(void **state)
{
	struct exit e = decode((struct vmx_raw){ .reason = VALID | 33 });

	assert_int_equal(e.kind, EXIT_KIND_FAIL_ENTRY);
	assert_int_equal(e.fail.reason, VALID | 33);
	e = decode((struct vmx_raw){ .reason = VALID | 34 });
	assert_int_equal(e.kind, EXIT_KIND_FAIL_ENTRY);
	e = decode((struct vmx_raw){ .reason = VALID | 41 });
	assert_int_equal(e.kind, EXIT_KIND_HOST_MCE);
	assert_int_equal(vmx_exit_needs(VALID | 33), RAW_QUAL);
	assert_int_equal(vmx_exit_needs(VALID | 10), RAW_QUAL);
}

/* Table 28-3: MOV to CR0 from R9; MOV from CR3 to RBX; CLTS; LMSW */
static void test_cr(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 28, .qualification = 0x900, .insn_len = 4,
	});

	assert_int_equal(e.kind, EXIT_KIND_CR);
	assert_int_equal(e.cr.cr, 0);
	assert_int_equal(e.cr.gpr, R_R9);
	assert_true(e.cr.write && e.cr.decoded);
	assert_int_equal(e.insn_len, 4);

	e = decode((struct vmx_raw){ .reason = 28, .qualification = 0x313 });
	assert_int_equal(e.cr.cr, 3);
	assert_int_equal(e.cr.gpr, R_RBX);
	assert_true(!e.cr.write && e.cr.decoded);

	e = decode((struct vmx_raw){ .reason = 28, .qualification = 0x20 });
	assert_true(e.cr.write && !e.cr.decoded);
	e = decode((struct vmx_raw){ .reason = 28, .qualification = 0x10030 });
	assert_true(e.cr.write && !e.cr.decoded);
	assert_int_equal(vmx_exit_needs(28), RAW_QUAL | RAW_LEN);
}

/* Table 28-4 */
static void test_dr(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 29, .qualification = 0x7 | 0x10 | 0xc00,
	});

	assert_int_equal(e.kind, EXIT_KIND_DR);
	assert_int_equal(e.dr.dr, 7);
	assert_int_equal(e.dr.gpr, R_R12);
	assert_false(e.dr.write);
}

/* Table 28-5: OUT 80h,AL; IN EAX,DX; REP INSW */
static void test_io(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 30, .qualification = 0x800040, .insn_len = 2,
	});

	assert_int_equal(e.kind, EXIT_KIND_PIO);
	assert_int_equal(e.pio.port, 0x80);
	assert_int_equal(e.pio.size, 1);
	assert_true(!e.pio.in && !e.pio.string && !e.pio.rep);
	assert_int_equal(e.insn_len, 2);

	e = decode((struct vmx_raw){ .reason = 30, .qualification = 0x0cfc000b });
	assert_int_equal(e.pio.port, 0xcfc);
	assert_int_equal(e.pio.size, 4);
	assert_true(e.pio.in);

	e = decode((struct vmx_raw){ .reason = 30, .qualification = 0x01f00039 });
	assert_int_equal(e.pio.size, 2);
	assert_true(e.pio.in && e.pio.string && e.pio.rep);

	e = decode((struct vmx_raw){ .reason = 30, .qualification = 0x6 });
	assert_int_equal(e.kind, EXIT_KIND_EMULATE);
}

/* Table 28-7 */
static void test_ept(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 48, .qualification = 0x182, .gpa = 0xfee00300,
	});

	assert_int_equal(e.kind, EXIT_KIND_TDP_FAULT);
	assert_int_equal(e.tdp.gpa.v, 0xfee00300);
	assert_true(e.tdp.write && !e.tdp.read && !e.tdp.fetch);
	assert_false(e.tdp.present);
	assert_false(e.tdp.user_walk);

	/* Fetch from a page that is readable but not executable */
	e = decode((struct vmx_raw){ .reason = 48, .qualification = 0x18c });
	assert_true(e.tdp.fetch && e.tdp.present);
	/* In the walk of the guest's tables, with A/D: read and write */
	e = decode((struct vmx_raw){ .reason = 48, .qualification = 0x083 });
	assert_true(e.tdp.read && e.tdp.write && e.tdp.user_walk);
	/* No linear address: loading the PDPTEs */
	e = decode((struct vmx_raw){ .reason = 48, .qualification = 0x001 });
	assert_false(e.tdp.user_walk);
	assert_int_equal(vmx_exit_needs(48),
			 RAW_QUAL | RAW_GPA | RAW_IDT);
	/* An MMIO instruction's length is not told. */
	assert_int_equal(vmx_idt_needs(VALID | 0x400 | 0x80), RAW_LEN);
	assert_int_equal(vmx_idt_needs(0x400 | 0x80), 0);
	assert_int_equal(vmx_idt_needs(VALID | 0xb0e), RAW_IDT_ERROR);
}

static void test_exception(void **state)
{
	struct exit e;

	e = decode((struct vmx_raw){ .intr_info = VALID | 0x202 });
	assert_int_equal(e.kind, EXIT_KIND_HOST_NMI);
	e = decode((struct vmx_raw){ .intr_info = VALID | 0x312 });
	assert_int_equal(e.kind, EXIT_KIND_HOST_MCE);

	e = decode((struct vmx_raw){
		.intr_info = VALID | 0xb0e, .intr_error = 6,
		.qualification = 0x1234,
	});
	assert_int_equal(e.kind, EXIT_KIND_EXCEPTION);
	assert_int_equal(e.exc.vector, 14);
	assert_true(e.exc.has_error_code);
	assert_int_equal(e.exc.error_code, 6);
	assert_int_equal(e.exc.payload, 0x1234);
	assert_int_equal(e.insn_len, 0);

	/* A trap's #DB has no length, INT1's has. */
	e = decode((struct vmx_raw){
		.intr_info = VALID | 0x301, .qualification = 0x4000,
		.insn_len = 3,
	});
	assert_int_equal(e.exc.vector, 1);
	assert_int_equal(e.exc.payload, 0x4000);
	assert_int_equal(e.insn_len, 0);
	e = decode((struct vmx_raw){ .intr_info = VALID | 0x501,
				     .insn_len = 1 });
	assert_int_equal(e.insn_len, 1);
	e = decode((struct vmx_raw){ .intr_info = VALID | 0x603,
				     .insn_len = 1 });
	assert_int_equal(e.exc.vector, 3);
	assert_int_equal(e.insn_len, 1);
}

/* Table 28-2 */
static void test_task(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 9, .qualification = 0xc0000028,
		.idt_info = VALID | 0xb0a, .idt_error = 0x18,
	});

	assert_int_equal(e.kind, EXIT_KIND_TASK_SWITCH);
	assert_int_equal(e.task.selector, 0x28);
	assert_int_equal(e.task.source, 3);
	assert_true(e.task.has_error_code);
	assert_int_equal(e.task.error_code, 0x18);
	e = decode((struct vmx_raw){ .reason = 9,
				     .qualification = 0x80000030 });
	assert_int_equal(e.task.source, 2);
	assert_false(e.task.has_error_code);
}

static void test_shadow(void **state)
{
	static const u8 want[] = { 0, SHADOW_STI, SHADOW_MOV_SS };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(want); i++)
		assert_int_equal(decode((struct vmx_raw){
			.reason = 10, .interruptibility = i }).shadow,
			want[i]);
	/* Blocking by NMI is something else. */
	assert_int_equal(decode((struct vmx_raw){
		.reason = 10, .interruptibility = 8 }).shadow, 0);
}

/* 28.2.3: an IRET that faulted will be executed again. */
static void test_nmi(void **state)
{
	struct vmx_raw raw = { .reason = 10, .nmi_was_blocked = true };

	assert_true(decode(raw).nmi_unblocked);
	raw.interruptibility = 8;
	assert_false(decode(raw).nmi_unblocked);
	raw.nmi_was_blocked = false;
	assert_false(decode(raw).nmi_unblocked);

	/* EPT violation of the IRET itself */
	raw = (struct vmx_raw){ .reason = 48, .nmi_was_blocked = true,
				.qualification = 0x1181 };
	assert_false(decode(raw).nmi_unblocked);
	/* in the delivery of an event the bit means nothing */
	raw.idt_info = VALID | 0x30e;
	assert_true(decode(raw).nmi_unblocked);

	/* An exception of the IRET itself; #DF is after it */
	raw = (struct vmx_raw){ .nmi_was_blocked = true,
				.intr_info = VALID | 0x1b0d };
	assert_false(decode(raw).nmi_unblocked);
	raw.intr_info = VALID | 0x1b08;
	assert_true(decode(raw).nmi_unblocked);
}

static void test_inflight(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 48, .idt_info = VALID | 0x30, });

	assert_int_equal(e.inflight.type, EVENT_IRQ);
	assert_int_equal(e.inflight.vector, 0x30);

	e = decode((struct vmx_raw){
		.reason = 48, .idt_info = VALID | 0xb0e, .idt_error = 2, });
	assert_int_equal(e.inflight.type, EVENT_EXCEPTION);
	assert_true(e.inflight.has_error_code);
	assert_int_equal(e.inflight.error_code, 2);

	e = decode((struct vmx_raw){
		.reason = 48, .idt_info = VALID | 0x480, .insn_len = 2, });
	assert_int_equal(e.inflight.type, EVENT_SOFT_IRQ);
	assert_int_equal(e.inflight.vector, 0x80);
	assert_int_equal(e.inflight.insn_len, 2);
	assert_int_equal(e.insn_len, 0);

	/* Nothing to go on with after a shutdown */
	e = decode((struct vmx_raw){ .reason = 2, .idt_info = VALID | 0xb08 });
	assert_int_equal(e.inflight.type, EVENT_NONE);
	e = decode((struct vmx_raw){ .reason = 10, .idt_info = 0x30 });
	assert_int_equal(e.inflight.type, EVENT_NONE);
}

/* What was reported is what is injected again. */
static void test_events(void **state)
{
	static const u32 infos[] = {
		VALID | 0x0ff, VALID | 0x202, VALID | 0x306, VALID | 0xb0d,
		VALID | 0x480, VALID | 0x501, VALID | 0x603, VALID | 0x604,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(infos); i++) {
		struct event ev = vmx_event_decode(infos[i], 0x18, 2);

		assert_int_equal(vmx_event_encode(&ev, true), infos[i]);
		assert_int_equal(ev.error_code, infos[i] & 0x800 ? 0x18 : 0);
	}
	assert_int_equal(vmx_event_encode(
		&(struct event){ .type = EVENT_NONE, .vector = 3 }, true), 0);
}

/* 27.2.1.3: who pushes an error code is not for the VMM to choose. */
static void test_error_codes(void **state)
{
	static const u32 vectors = BIT(8) | BIT(10) | BIT(11) | BIT(12) |
				   BIT(13) | BIT(14) | BIT(17);
	unsigned int v;

	for (v = 0; v < 32; v++) {
		struct event with = event_exception(v, true, 4);
		struct event without = event_exception(v, false, 0);
		u32 bit = vectors >> v & 1 ? 0x800 : 0;

		assert_int_equal(vmx_event_encode(&with, true) & 0x800, bit);
		assert_int_equal(vmx_event_encode(&without, true) & 0x800,
				 bit);
		assert_int_equal(vmx_event_encode(&with, false) & 0x800, 0);
	}
}

/* 30.1.4, 30.4.3.3; 28.2.2 */
static void test_apic(void **state)
{
	struct exit e = decode((struct vmx_raw){
		.reason = 45, .qualification = 0xe3 });

	assert_int_equal(e.kind, EXIT_KIND_APIC_EOI);
	assert_int_equal(e.apic.vector, 0xe3);
	assert_int_equal(e.insn_len, 0);
	e = decode((struct vmx_raw){ .reason = 56, .qualification = 0x300,
				     .insn_len = 7 });
	assert_int_equal(e.kind, EXIT_KIND_APIC_WRITE);
	assert_int_equal(e.apic.offset, 0x300);
	/* Both come after the instruction: nothing is to be skipped. */
	assert_int_equal(e.insn_len, 0);
	e = decode((struct vmx_raw){ .reason = 44, .qualification = 0x1390 });
	assert_int_equal(e.kind, EXIT_KIND_EMULATE);

	/* Acknowledged on exit, or left to the host's APIC. */
	e = decode((struct vmx_raw){ .reason = 1, .intr_info = VALID | 0xec });
	assert_int_equal(e.kind, EXIT_KIND_HOST_IRQ);
	assert_true(e.host_irq.taken);
	assert_int_equal(e.host_irq.vector, 0xec);
	e = decode((struct vmx_raw){ .reason = 1, .intr_info = 0xec });
	assert_int_equal(e.kind, EXIT_KIND_HOST_IRQ);
	assert_false(e.host_irq.taken);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_simple),
		cmocka_unit_test(test_apic),
		cmocka_unit_test(test_idt),
		cmocka_unit_test(test_total),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_cr),
		cmocka_unit_test(test_dr),
		cmocka_unit_test(test_io),
		cmocka_unit_test(test_ept),
		cmocka_unit_test(test_exception),
		cmocka_unit_test(test_task),
		cmocka_unit_test(test_shadow),
		cmocka_unit_test(test_nmi),
		cmocka_unit_test(test_inflight),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_error_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
