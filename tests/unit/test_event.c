// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions: SDM vol. 3, table 6-5, with each kind of first event. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/event.h"

static struct fault fault_of(u8 vector)
{
	return (struct fault){
		.vector = vector,
		.has_error_code = event_has_error_code(vector),
		.error_code = 0x10 + vector,
		.has_cr2 = vector == VEC_PF,
		.cr2 = 0xdead000,
	};
}

static void raise(struct events *ev, u8 vector)
{
	struct fault f = fault_of(vector);

	event_raise(ev, &f);
}

/* 0: the second is delivered; 1: double fault. */
static int expected(u8 first, u8 second)
{
	static const u8 contributory[] = { VEC_DE, VEC_TS, VEC_NP, VEC_SS,
					   VEC_GP, VEC_CP };
	bool c1 = false, c2 = false;
	unsigned int i;

	for (i = 0; i < sizeof(contributory); i++) {
		c1 = c1 || contributory[i] == first;
		c2 = c2 || contributory[i] == second;
	}
	if (c1 && c2)
		return 1;
	return first == VEC_PF && (c2 || second == VEC_PF);
}

static void check_second(const struct events *ev, u8 first, u8 second)
{
	assert_false(ev->triple_fault);
	assert_true(ev->exception.pending);
	assert_int_equal(ev->reinject.type, EVENT_NONE);
	if (expected(first, second)) {
		assert_int_equal(ev->exception.vector, VEC_DF);
		assert_true(ev->exception.has_error_code);
		assert_int_equal(ev->exception.error_code, 0);
		assert_false(ev->exception.has_payload);
		return;
	}
	assert_int_equal(ev->exception.vector, second);
	assert_int_equal(ev->exception.error_code, 0x10 + second);
	assert_int_equal(ev->exception.has_payload, second == VEC_PF);
}

static void test_pending_first(void **state)
{
	unsigned int first, second;

	(void)state;
	for (first = 0; first < 22; first++) {
		for (second = 0; second < 22; second++) {
			struct events ev = { .nmi_pending = 1 };

			if (first == VEC_DF)
				continue;
			raise(&ev, first);
			raise(&ev, second);
			check_second(&ev, first, second);
			assert_int_equal(ev.nmi_pending, 1);
		}
	}
}

static void test_in_flight_first(void **state)
{
	unsigned int first, second;

	(void)state;
	for (first = 0; first < 22; first++) {
		for (second = 0; second < 22; second++) {
			struct events ev = {
				.reinject = event_exception(first, false, 0),
			};

			if (first == VEC_DF)
				continue;
			raise(&ev, second);
			check_second(&ev, first, second);
		}
	}
}

static void test_triple(void **state)
{
	struct events ev = { .reinject = event_exception(VEC_DF, true, 0) };

	(void)state;
	raise(&ev, VEC_GP);
	assert_true(ev.triple_fault);
	assert_false(ev.exception.pending);
	assert_int_equal(ev.reinject.type, EVENT_NONE);

	ev = (struct events){ .nmi_blocked = true };
	raise(&ev, VEC_PF);
	raise(&ev, VEC_PF);
	assert_int_equal(ev.exception.vector, VEC_DF);
	assert_false(ev.triple_fault);
	raise(&ev, VEC_NP);
	assert_true(ev.triple_fault);
	assert_false(ev.exception.pending);
	assert_true(ev.nmi_blocked);
}

static void test_interrupt_in_flight(void **state)
{
	static const u8 types[] = { EVENT_IRQ, EVENT_NMI, EVENT_SOFT_IRQ };
	unsigned int i;

	(void)state;
	for (i = 0; i < sizeof(types); i++) {
		struct events ev = {
			.reinject = { .type = types[i], .vector = VEC_GP },
		};

		raise(&ev, VEC_GP);
		assert_int_equal(ev.exception.vector, VEC_GP);
		assert_int_equal(ev.reinject.type, types[i]);
	}
}

static void test_soft_exception_is_benign(void **state)
{
	struct events ev = {
		.reinject = { .type = EVENT_SOFT_EXCEPTION, .vector = VEC_BP,
			      .insn_len = 1 },
	};

	(void)state;
	raise(&ev, VEC_NP);
	assert_int_equal(ev.exception.vector, VEC_NP);
	assert_int_equal(ev.reinject.type, EVENT_NONE);
}

static void test_shorthands(void **state)
{
	struct events ev = { .nmi_pending = 0 };
	unsigned int v, n = 0;

	(void)state;
	event_gp(&ev, 0x58);
	assert_int_equal(ev.exception.vector, VEC_GP);
	assert_int_equal(ev.exception.error_code, 0x58);
	ev = (struct events){ .nmi_pending = 0 };
	event_ud(&ev);
	assert_int_equal(ev.exception.vector, VEC_UD);
	assert_false(ev.exception.has_error_code);

	for (v = 0; v < 256; v++)
		n += event_has_error_code(v);
	assert_int_equal(n, 10);
	assert_true(event_has_error_code(VEC_AC));
	assert_false(event_has_error_code(VEC_DB));
	assert_false(event_has_error_code(VEC_MF));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending_first),
		cmocka_unit_test(test_in_flight_first),
		cmocka_unit_test(test_triple),
		cmocka_unit_test(test_interrupt_in_flight),
		cmocka_unit_test(test_soft_exception_is_benign),
		cmocka_unit_test(test_shorthands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
