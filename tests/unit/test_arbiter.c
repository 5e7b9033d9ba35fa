// SPDX-License-Identifier: GPL-2.0-only
/* Event arbitration: one test for each rule of core/arbiter.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/arbiter.h"

static struct arbiter_out decide(const struct events *ev, bool irq, bool open)
{
	struct arbiter_in in = {
		.events = ev, .irq_ready = irq, .if_flag = open,
	};
	struct arbiter_out out;

	arbiter_decide(&in, &out);
	return out;
}

static const struct event irq_in_flight = {
	.type = EVENT_IRQ, .vector = 0x30,
};

static void nothing_to_do(void **state)
{
	struct events ev = { };
	struct arbiter_out out = decide(&ev, false, true);

	(void)state;
	assert_int_equal(out.pick, PICK_NONE);
	assert_int_equal(out.windows, 0);
	assert_false(out.exit_at_once);
}

static void order_of_events(void **state)
{
	struct events ev = {
		.reinject = irq_in_flight,
		.exception = { .pending = true, .vector = VEC_GP },
		.nmi_pending = 1,
	};

	(void)state;
	assert_int_equal(decide(&ev, true, true).pick, PICK_REINJECT);
	ev.reinject.type = EVENT_NONE;
	assert_int_equal(decide(&ev, true, true).pick, PICK_EXCEPTION);
	ev.exception.pending = false;
	assert_int_equal(decide(&ev, true, true).pick, PICK_NMI);
	ev.nmi_pending = 0;
	assert_int_equal(decide(&ev, true, true).pick, PICK_IRQ);
}

static void closed_irq_asks_for_its_window(void **state)
{
	struct events ev = { };
	struct arbiter_out out = decide(&ev, true, false);

	(void)state;
	assert_int_equal(out.pick, PICK_NONE);
	assert_int_equal(out.windows, WINDOW_IRQ);
	ev.shadow = SHADOW_STI;
	out = decide(&ev, true, true);
	assert_int_equal(out.pick, PICK_NONE);
	assert_int_equal(out.windows, WINDOW_IRQ);
}

static void irq_behind_another_event_asks_for_its_window(void **state)
{
	struct events ev = { .reinject = irq_in_flight };

	(void)state;
	assert_int_equal(decide(&ev, true, true).windows, WINDOW_IRQ);
	assert_int_equal(decide(&ev, false, true).windows, 0);
}

static void blocked_nmi_waits_for_its_window(void **state)
{
	struct events ev = { .nmi_pending = 1, .nmi_blocked = true };
	struct arbiter_out out = decide(&ev, false, true);

	(void)state;
	assert_int_equal(out.pick, PICK_NONE);
	assert_int_equal(out.windows, WINDOW_NMI);
	assert_false(out.exit_at_once);
}

static void second_nmi_waits_for_the_first(void **state)
{
	struct events ev = { .nmi_pending = 2 };
	struct arbiter_out out = decide(&ev, false, true);

	(void)state;
	assert_int_equal(out.pick, PICK_NMI);
	assert_int_equal(out.windows, WINDOW_NMI);
}

static void open_nmi_behind_an_event_exits_at_once(void **state)
{
	struct events ev = { .reinject = irq_in_flight, .nmi_pending = 1 };
	struct arbiter_out out = decide(&ev, false, true);

	(void)state;
	assert_int_equal(out.pick, PICK_REINJECT);
	assert_true(out.exit_at_once);
	assert_int_equal(out.windows, 0);
}

static void shadow_holds_an_nmi_back(void **state)
{
	struct events ev = { .nmi_pending = 1, .shadow = SHADOW_MOV_SS };
	struct arbiter_out out = decide(&ev, false, true);

	(void)state;
	assert_int_equal(out.pick, PICK_NONE);
	assert_int_equal(out.windows, WINDOW_NMI);
}

static void debugger_masks_interrupts(void **state)
{
	struct events ev = { };
	struct arbiter_in in = {
		.events = &ev, .irq_ready = true, .if_flag = true,
		.irq_masked = true,
	};
	struct arbiter_out out;

	(void)state;
	arbiter_decide(&in, &out);
	assert_int_equal(out.pick, PICK_NONE);
	assert_false(arbiter_irq_open(&in));
}

static void vmm_asks_for_a_window(void **state)
{
	struct events ev = { };
	struct arbiter_in in = { .events = &ev, .irq_wanted = true };
	struct arbiter_out out;

	(void)state;
	arbiter_decide(&in, &out);
	assert_int_equal(out.windows, WINDOW_IRQ);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_do),
		cmocka_unit_test(order_of_events),
		cmocka_unit_test(closed_irq_asks_for_its_window),
		cmocka_unit_test(irq_behind_another_event_asks_for_its_window),
		cmocka_unit_test(blocked_nmi_waits_for_its_window),
		cmocka_unit_test(second_nmi_waits_for_the_first),
		cmocka_unit_test(open_nmi_behind_an_event_exits_at_once),
		cmocka_unit_test(shadow_holds_an_nmi_back),
		cmocka_unit_test(debugger_masks_interrupts),
		cmocka_unit_test(vmm_asks_for_a_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
