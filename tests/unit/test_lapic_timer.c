// SPDX-License-Identifier: GPL-2.0-only
/*
 * The local APIC's timer: the three modes, the divider, mode switches, late
 * and stray host timers.
 */
#include "lapic_world.h"

#define VECTOR 0xec
#define ONESHOT VECTOR
#define PERIODIC (VECTOR | 1 << 17)
#define DEADLINE (VECTOR | 2 << 17)

static struct lapic *l;
static struct world_apic *a;

static int setup(void **state)
{
	(void)state;
	world_reset();
	a = &world.apic[0];
	l = &a->lapic;
	world_enable(l);
	mmio_put(l, LAPIC_TDCR, 0xb);
	return 0;
}

static bool fired(void)
{
	int v = lapic_pending_irq(l);

	if (v < 0)
		return false;
	assert_int_equal(v, VECTOR);
	lapic_ack(l, v);
	mmio_put(l, LAPIC_EOI, 0);
	return true;
}

static void test_oneshot(void **state)
{
	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 0);
	mmio_put(l, LAPIC_TMICT, 5000);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 5000);
	world_run(1000);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 4000);
	world_run(3999);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 1);
	assert_false(fired());
	world_run(1);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 0);
	assert_int_equal(a->kicks, 1);
	assert_true(fired());
	world_run(1000000);
	assert_false(fired());
	/* Writing again starts again, writing 0 stops. */
	mmio_put(l, LAPIC_TMICT, 5000);
	assert_true(a->host_armed);
	mmio_put(l, LAPIC_TMICT, 0);
	assert_false(a->host_armed);
	world_run(1000000);
	assert_false(fired());
}

static void test_divider(void **state)
{
	static const struct { u32 tdcr, divide; } rows[] = {
		{ 0, 2 }, { 1, 4 }, { 2, 8 }, { 3, 16 }, { 8, 32 }, { 9, 64 },
		{ 0xa, 128 }, { 0xb, 1 },
	};
	unsigned int i;

	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	world.cfg.bus_cycle_ns = 40;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		u64 ns = 1000ULL * 40 * rows[i].divide;

		mmio_put(l, LAPIC_TDCR, rows[i].tdcr);
		assert_int_equal(mmio_get(l, LAPIC_TDCR), rows[i].tdcr);
		mmio_put(l, LAPIC_TMICT, 1000);
		world_run(ns / 2);
		assert_int_equal(mmio_get(l, LAPIC_TMCCT), 500);
		world_run(ns / 2 - 1);
		assert_false(fired());
		world_run(1);
		assert_true(fired());
	}
	/* Changed on the way: the count goes on at the new speed. */
	mmio_put(l, LAPIC_TDCR, 0xb);
	mmio_put(l, LAPIC_TMICT, 1000);
	world_run(400 * 40);
	mmio_put(l, LAPIC_TDCR, 0);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 600);
	world_run(600 * 80 - 1);
	assert_false(fired());
	world_run(1);
	assert_true(fired());
}

static void test_largest_count(void **state)
{
	(void)state;
	world.cfg.bus_cycle_ns = LAPIC_MAX_CYCLE_NS;
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TDCR, 0xa);
	mmio_put(l, LAPIC_TMICT, ~0U);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), ~0U);
	world_run(128ULL * LAPIC_MAX_CYCLE_NS * 0x80000000ULL);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 0x7fffffff);
	assert_false(fired());
	world_run(128ULL * LAPIC_MAX_CYCLE_NS * 0x7fffffffULL);
	assert_true(fired());
}

static void test_periodic(void **state)
{
	unsigned int i;

	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TMICT, 1000000);
	for (i = 0; i < 5; i++) {
		world_run(999999);
		assert_false(fired());
		world_run(1);
		assert_true(fired());
		assert_int_equal(mmio_get(l, LAPIC_TMCCT), 1000000);
	}
	/* A vCPU that was away: one interrupt, the phase is kept, and the
	 * host timer did not tick meanwhile.
	 */
	world_run(1000000);
	assert_false(a->host_armed);
	world_run(2500000);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 500000);
	assert_true(fired());
	assert_false(fired());
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 500000);
	assert_true(a->host_armed);
	world_run(499999);
	assert_false(fired());
	world_run(1);
	assert_true(fired());
}

static void test_period_clamp(void **state)
{
	unsigned int arms, i;

	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TMICT, 1);
	arms = a->arms;
	for (i = 0; i < 1000; i++) {
		world_run(1000);
		fired();
		assert_true(mmio_get(l, LAPIC_TMCCT) <= 1);
	}
	assert_int_equal(a->arms - arms, 1000000 / LAPIC_MIN_PERIOD_NS);
	/* One-shot is not slowed down. */
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	mmio_put(l, LAPIC_TMICT, 100);
	world_run(100);
	assert_true(fired());
	/* A period of nothing */
	world.cfg.min_period_ns = 0;
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TMICT, 1);
	world_run(12345);
	assert_true(fired());
}

static void test_masked(void **state)
{
	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, LVT_MASKED | ONESHOT);
	mmio_put(l, LAPIC_TMICT, 1000);
	world_run(500);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 500);
	world_run(500);
	assert_false(fired());
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	assert_false(fired());
	/* Unmasked on the way */
	mmio_put(l, LAPIC_LVT_TIMER, LVT_MASKED | ONESHOT);
	mmio_put(l, LAPIC_TMICT, 1000);
	world_run(999);
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	world_run(1);
	assert_true(fired());
}

static void test_mode_switch(void **state)
{
	(void)state;
	/* One-shot and periodic share the count. */
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TMICT, 1000000);
	world_run(250000);
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 750000);
	world_run(750000);
	assert_true(fired());
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 0);
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 0);
	world_run(5000000);
	assert_false(fired());
	/* To and from a deadline disarms: SDM vol. 3, 11.5.4.1 */
	mmio_put(l, LAPIC_TMICT, 1000000);
	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	assert_false(a->host_armed);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 0);
	mmio_put(l, LAPIC_TMICT, 1000);
	assert_int_equal(mmio_get(l, LAPIC_TMICT), 0);
	world_run(5000000);
	assert_false(fired());
	lapic_set_tsc_deadline(l, world_tsc(l) + 1000);
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	assert_false(a->host_armed);
	assert_int_equal(lapic_get_tsc_deadline(l), 0);
	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	assert_int_equal(lapic_get_tsc_deadline(l), 0);
}

static void test_deadline(void **state)
{
	u64 deadline;

	(void)state;
	l->tsc_khz = 2500000;
	lapic_set_tsc_deadline(l, world_tsc(l) + 25000);
	assert_int_equal(lapic_get_tsc_deadline(l), 0);
	assert_false(a->host_armed);

	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	deadline = world_tsc(l) + 25000;
	lapic_set_tsc_deadline(l, deadline);
	assert_true(lapic_get_tsc_deadline(l) == deadline);
	world_run(9999);
	assert_false(fired());
	world_run(2);
	assert_true(fired());
	assert_int_equal(lapic_get_tsc_deadline(l), 0);
	world_run(1000000);
	assert_false(fired());
	/* In the past: at once, with no host timer */
	a->arms = 0;
	lapic_set_tsc_deadline(l, world_tsc(l));
	assert_int_equal(a->arms, 0);
	assert_true(fired());
	assert_int_equal(lapic_get_tsc_deadline(l), 0);
	/* 0 disarms */
	lapic_set_tsc_deadline(l, world_tsc(l) + 25000);
	lapic_set_tsc_deadline(l, 0);
	assert_false(a->host_armed);
	world_run(1000000);
	assert_false(fired());
}

/* Hardware takes the deadline, and gives it back before the vCPU sleeps. */
static void test_deadline_in_hardware(void **state)
{
	u64 deadline;

	(void)state;
	l->tsc_khz = 2500000;
	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	lapic_set_tsc_deadline(l, world_tsc(l) + 25000);
	assert_true(a->host_armed);

	a->hw_takes = true;
	deadline = world_tsc(l) + 50000;
	lapic_set_tsc_deadline(l, deadline);
	assert_false(a->host_armed);
	assert_true(a->hw_armed && a->hw_tsc == deadline);
	/* An exit too early: armed again, no interrupt */
	world_run(10000);
	lapic_timer_sync(l);
	assert_true(a->hw_armed && a->hw_tsc == deadline);
	assert_false(fired());
	world_run(10001);
	lapic_timer_sync(l);
	assert_false(a->hw_armed);
	assert_true(fired());
	assert_int_equal(lapic_get_tsc_deadline(l), 0);

	deadline = world_tsc(l) + 50000;
	lapic_set_tsc_deadline(l, deadline);
	a->hw_takes = false;
	lapic_timer_restart(l);
	assert_true(a->host_armed);
	assert_false(a->hw_armed);
	world_run(20001);
	assert_true(fired());

	a->hw_takes = true;
	lapic_set_tsc_deadline(l, world_tsc(l) + 50000);
	lapic_set_tsc_deadline(l, 0);
	assert_false(a->hw_armed);
	lapic_set_tsc_deadline(l, world_tsc(l) + 50000);
	world_run(30000);
	/* Due when it is to sleep: it does not */
	lapic_timer_restart(l);
	assert_false(a->hw_armed || a->host_armed);
	assert_true(fired());
}

/* The interrupt never precedes the deadline, however odd the frequency. */
static void test_deadline_never_early(void **state)
{
	static const u32 khz[] = { 1, 999, 1000, 32768, 1999999, 2400001,
				   3999983, ~0U };
	unsigned int i, round, steps;

	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	for (i = 0; i < ARRAY_SIZE(khz); i++) {
		l->tsc_khz = khz[i];
		for (round = 0; round < 200; round++) {
			u64 delta = world_random() >>
				    (world_random() % 44 + 20);
			u64 deadline;

			/* At most 1000 s */
			delta %= khz[i] * 1000000ULL;
			deadline = world_tsc(l) + delta + 1;
			lapic_set_tsc_deadline(l, deadline);
			for (steps = 0; !fired(); steps++) {
				assert_true(world_tsc(l) < deadline);
				assert_true(a->host_armed);
				assert_true(steps < 10);
				world_run(a->host_when - world.now);
			}
			assert_true(world_tsc(l) >= deadline);
		}
		/* Further than anyone waits: no overflow on the way */
		lapic_set_tsc_deadline(l, ~0ULL);
		assert_true(a->host_armed && a->host_when > world.now);
		lapic_set_tsc_deadline(l, 0);
	}
}

static void test_stray_callbacks(void **state)
{
	u64 when;

	(void)state;
	/* The callback of a timer that was stopped */
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	mmio_put(l, LAPIC_TMICT, 1000);
	mmio_put(l, LAPIC_TMICT, 0);
	lapic_timer_fired(l);
	assert_false(fired());
	/* Of a timer that was moved: the new time counts. */
	mmio_put(l, LAPIC_TMICT, 1000);
	when = a->host_when;
	a->host_armed = false;
	lapic_timer_fired(l);
	assert_false(fired());
	assert_true(a->host_armed && a->host_when == when);
	world_run(1000);
	assert_true(fired());
	/* Due before the entry was rewritten: goes by the old one. */
	mmio_put(l, LAPIC_TMICT, 1000);
	world_run(1000);
	mmio_put(l, LAPIC_LVT_TIMER, LVT_MASKED | ONESHOT);
	assert_true(fired());
}

static void test_tsc_moved(void **state)
{
	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	lapic_set_tsc_deadline(l, world_tsc(l) + 1000000);
	world.tsc_offset += 900000;
	lapic_timer_restart(l);
	world_run(100001);
	assert_true(fired());
}

static void test_state(void **state)
{
	struct kvm_lapic_state s;
	u64 deadline;

	(void)state;
	/* A deadline set before KVM_SET_LAPIC outlives it. */
	mmio_put(l, LAPIC_LVT_TIMER, DEADLINE);
	deadline = world_tsc(l) + 5000;
	lapic_set_tsc_deadline(l, deadline);
	lapic_get_state(l, &s);
	lapic_set_state(l, &s);
	assert_true(lapic_get_tsc_deadline(l) == deadline);
	world_run(5001);
	assert_true(fired());
	/* Periodic: phase and period */
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TMICT, 1000000);
	world_run(300000);
	lapic_get_state(l, &s);
	lapic_reset(l, false);
	assert_false(a->host_armed);
	world_run(10000000);
	lapic_set_state(l, &s);
	world_run(699999);
	assert_false(fired());
	world_run(1);
	assert_true(fired());
	world_run(999999);
	assert_false(fired());
	world_run(1);
	assert_true(fired());
	/* Stopped in the state: stopped after. */
	mmio_put(l, LAPIC_TMICT, 0);
	lapic_get_state(l, &s);
	mmio_put(l, LAPIC_TMICT, 1000000);
	lapic_set_state(l, &s);
	assert_false(a->host_armed);
}

/* A one-shot that is over is over, and its interrupt is not forgotten. */
static void test_state_of_expired(void **state)
{
	struct kvm_lapic_state s;

	(void)state;
	mmio_put(l, LAPIC_LVT_TIMER, ONESHOT);
	mmio_put(l, LAPIC_TMICT, 1000000);
	/* By the clock it is due, but its host timer has not fired yet. */
	world.now += 1000000;
	lapic_get_state(l, &s);
	assert_int_equal(s.regs[LAPIC_IRR + VECTOR / 32 * 16 +
			       VECTOR % 32 / 8] >> VECTOR % 8 & 1, 1);
	assert_true(fired());
	world_run(10000000);
	assert_false(fired());
	/* What other VMMs' states do not say: was it raised or not. */
	lapic_reset(l, false);
	memset(s.regs + LAPIC_IRR, 0, 0x80);
	lapic_set_state(l, &s);
	assert_true(fired());
	assert_false(a->host_armed);
	world_run(10000000);
	assert_false(fired());
	/* A period begins anew. */
	mmio_put(l, LAPIC_LVT_TIMER, PERIODIC);
	mmio_put(l, LAPIC_TMICT, 1000000);
	lapic_get_state(l, &s);
	memset(s.regs + LAPIC_TMCCT, 0, 4);
	lapic_set_state(l, &s);
	world_run(999999);
	assert_false(fired());
	world_run(1);
	assert_true(fired());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_oneshot, setup),
		cmocka_unit_test_setup(test_divider, setup),
		cmocka_unit_test_setup(test_largest_count, setup),
		cmocka_unit_test_setup(test_periodic, setup),
		cmocka_unit_test_setup(test_period_clamp, setup),
		cmocka_unit_test_setup(test_masked, setup),
		cmocka_unit_test_setup(test_mode_switch, setup),
		cmocka_unit_test_setup(test_deadline, setup),
		cmocka_unit_test_setup(test_deadline_in_hardware, setup),
		cmocka_unit_test_setup(test_deadline_never_early, setup),
		cmocka_unit_test_setup(test_stray_callbacks, setup),
		cmocka_unit_test_setup(test_tsc_moved, setup),
		cmocka_unit_test_setup(test_state, setup),
		cmocka_unit_test_setup(test_state_of_expired, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
