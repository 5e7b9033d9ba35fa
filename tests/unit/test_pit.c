// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8254: programming, reading, port 61h, IRQ 0 with and without reinjection;
 * each mode against a counter that is stepped pulse by pulse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dev/pit.h"

struct bench {
	struct pit pit;
	struct dev_env env;
	u64 now, timer;		/* timer: U64_MAX when not armed */
	int answer;
	unsigned int pulses;
};

static u64 bench_now(struct dev_env *env)
{
	return container_of(env, struct bench, env)->now;
}

static void bench_arm(struct dev_env *env, u64 when)
{
	container_of(env, struct bench, env)->timer = when;
}

static void bench_cancel(struct dev_env *env)
{
	container_of(env, struct bench, env)->timer = U64_MAX;
}

static const struct dev_env_ops env_ops = {
	.now = bench_now,
	.timer_arm = bench_arm,
	.timer_cancel = bench_cancel,
};

static int bench_pulse(struct pit *pit)
{
	struct bench *b = container_of(pit, struct bench, pit);

	b->pulses++;
	return b->answer;
}

static const struct pit_ops ops = { .pulse = bench_pulse };

#define START 5000000000ULL

static void bench_start(struct bench *b)
{
	*b = (struct bench){
		.pit = { .ops = &ops },
		.env = { .ops = &env_ops },
		.timer = U64_MAX,
		.answer = LINE_DONE,
		.now = START,
	};
	b->pit.env = &b->env;
	pit_init(&b->pit);
}

static void wr(struct bench *b, u16 port, u8 val)
{
	assert_true(pit_port_write(&b->pit, port, val));
}

static u8 rd(struct bench *b, u16 port)
{
	u8 val = 0;

	assert_true(pit_port_read(&b->pit, port, &val));
	return val;
}

/* The time at which exactly @pulses have passed since @from */
static u64 after(u64 from, u64 pulses)
{
	return from + (pulses * 1000000000ULL + PIT_HZ - 1) / PIT_HZ;
}

static void program(struct bench *b, unsigned int n, unsigned int mode,
		    u16 count)
{
	wr(b, 0x43, n << 6 | 3 << 4 | mode << 1);
	wr(b, 0x40 + n, count);
	wr(b, 0x40 + n, count >> 8);
}

static u16 latched(struct bench *b, unsigned int n)
{
	u16 v;

	wr(b, 0x43, n << 6);
	v = rd(b, 0x40 + n);
	return v | rd(b, 0x40 + n) << 8;
}

static bool out2(struct bench *b)
{
	return rd(b, 0x61) >> 5 & 1;
}

/* Let time pass, with the timer firing when it is due. */
static void run_until(struct bench *b, u64 when)
{
	while (b->timer <= when) {
		b->now = max(b->now, b->timer);
		b->timer = U64_MAX;
		pit_timer_fired(&b->pit);
	}
	b->now = when;
}

static void access_modes(void **state)
{
	struct bench b;

	bench_start(&b);
	wr(&b, 0x43, 0x54);		/* counter 1, low byte, mode 2 */
	wr(&b, 0x41, 0x12);
	assert_int_equal(b.pit.st.channels[1].count, 0x12);
	assert_int_equal(rd(&b, 0x41), 0x12);
	wr(&b, 0x43, 0x64);		/* high byte */
	wr(&b, 0x41, 0x34);
	assert_int_equal(b.pit.st.channels[1].count, 0x3400);
	assert_int_equal(rd(&b, 0x41), 0x34);
	wr(&b, 0x43, 0x74);
	wr(&b, 0x41, 0x78);
	wr(&b, 0x41, 0x56);
	assert_int_equal(b.pit.st.channels[1].count, 0x5678);
	assert_int_equal(rd(&b, 0x41), 0x78);
	assert_int_equal(rd(&b, 0x41), 0x56);
	wr(&b, 0x41, 0);
	wr(&b, 0x41, 0);
	assert_int_equal(b.pit.st.channels[1].count, 0x10000);
	assert_false(pit_port_write(&b.pit, 0x44, 0));
	assert_false(pit_port_read(&b.pit, 0x60, &(u8){ 0 }));
}

static void latching_holds_the_count(void **state)
{
	struct bench b;
	u8 low;

	bench_start(&b);
	program(&b, 1, 2, 1000);
	b.now = after(START, 100);
	wr(&b, 0x43, 0x40);
	b.now = after(START, 300);
	wr(&b, 0x43, 0x40);		/* ignored: still latched */
	low = rd(&b, 0x41);
	b.now = after(START, 400);
	assert_int_equal(low | rd(&b, 0x41) << 8, 900);
	assert_int_equal(latched(&b, 1), 600);
}

static void read_back(void **state)
{
	struct bench b;
	u16 v;

	bench_start(&b);
	program(&b, 0, 2, 5000);
	program(&b, 1, 3, 7000);
	b.now = after(START, 10);
	wr(&b, 0x43, 0xc0 | 1 << 1 | 1 << 2);	/* count, status of 0 and 1 */
	b.now = after(START, 99);
	assert_int_equal(rd(&b, 0x40), 0x80 | 3 << 4 | 2 << 1);
	v = rd(&b, 0x40);
	v |= rd(&b, 0x40) << 8;
	assert_int_equal(v, 4990);
	assert_int_equal(rd(&b, 0x41), 0x80 | 3 << 4 | 3 << 1);
	v = rd(&b, 0x41);
	v |= rd(&b, 0x41) << 8;
	assert_int_equal(v, 6980);
	b.now = after(START, 3500);
	wr(&b, 0x43, 0xe0 | 1 << 2);		/* status only */
	assert_int_equal(rd(&b, 0x41), 3 << 4 | 3 << 1);
	assert_int_equal(b.pit.st.channels[1].count_latched, 0);
	/* modes 6 and 7 are 2 and 3 */
	wr(&b, 0x43, 0x7e);
	assert_int_equal(b.pit.st.channels[1].mode, 3);
}

static void bcd(void **state)
{
	struct bench b;

	bench_start(&b);
	wr(&b, 0x43, 0x75);
	wr(&b, 0x41, 0x34);
	wr(&b, 0x41, 0x12);
	assert_int_equal(latched(&b, 1), 0x1234);
	b.now = after(START, 35);
	assert_int_equal(latched(&b, 1), 0x1199);
	b.now = after(START, 1234 + 4);
	assert_int_equal(latched(&b, 1), 0x1230);
	wr(&b, 0x41, 0);
	wr(&b, 0x41, 0);
	assert_int_equal(latched(&b, 1), 0);
	b.now = after(b.now, 1);
	assert_int_equal(latched(&b, 1), 0x9999);
}

static void port_61(void **state)
{
	struct bench b;
	unsigned int i, toggles = 0;
	u8 last, v;

	bench_start(&b);
	assert_int_equal(rd(&b, 0x61) & 3, 0);
	wr(&b, 0x61, 0xff);
	assert_int_equal(rd(&b, 0x61) & 0xcf, 3);
	assert_true(b.pit.st.flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	wr(&b, 0x61, 1);
	assert_int_equal(rd(&b, 0x61) & 3, 1);
	last = rd(&b, 0x61) & 0x10;
	for (i = 0; i < 1000; i++) {
		b.now += 1000;
		v = rd(&b, 0x61) & 0x10;
		toggles += v != last;
		last = v;
	}
	assert_in_range(toggles, 65, 67);	/* 1 ms / 15.085 us */
}

static void calibration_by_counter_2(void **state)
{
	struct bench b;

	/* as kernels do it: gate on, speaker off, mode 0, wait for OUT */
	bench_start(&b);
	wr(&b, 0x61, (rd(&b, 0x61) & ~2) | 1);
	wr(&b, 0x43, 0xb0);
	assert_false(out2(&b));
	wr(&b, 0x42, 11932 & 0xff);
	wr(&b, 0x42, 11932 >> 8);
	b.now = after(START, 11931);
	assert_false(out2(&b));
	b.now = after(START, 11932);
	assert_true(out2(&b));
	b.now += 1000000000;
	assert_true(out2(&b));
}

static void gate_pauses_mode_0(void **state)
{
	struct bench b;

	bench_start(&b);
	wr(&b, 0x61, 1);
	program(&b, 2, 0, 100);
	b.now = after(START, 60);
	wr(&b, 0x61, 0);
	b.now += 1000000;
	assert_int_equal(latched(&b, 2), 40);
	assert_false(out2(&b));
	wr(&b, 0x61, 1);
	b.now = after(b.now, 39);
	assert_false(out2(&b));
	b.now += 2000;
	assert_true(out2(&b));
}

static void gate_restarts_mode_2(void **state)
{
	struct bench b;

	bench_start(&b);
	wr(&b, 0x61, 1);
	program(&b, 2, 2, 100);
	b.now = after(START, 99);
	assert_false(out2(&b));
	wr(&b, 0x61, 0);
	assert_true(out2(&b));
	b.now += 777777;
	wr(&b, 0x61, 1);
	assert_int_equal(latched(&b, 2), 100);
}

static void gate_triggers_modes_1_and_5(void **state)
{
	struct bench b;

	bench_start(&b);
	b.now = 0;	/* the host has just booted */
	program(&b, 2, 1, 50);
	assert_true(out2(&b));
	b.now = after(0, 1000);
	assert_true(out2(&b));
	wr(&b, 0x61, 1);
	assert_false(out2(&b));
	wr(&b, 0x61, 0);	/* no matter */
	b.now = after(after(0, 1000), 49);
	assert_false(out2(&b));
	b.now += 1000;
	assert_true(out2(&b));
	wr(&b, 0x61, 1);
	assert_false(out2(&b));

	program(&b, 2, 5, 50);
	wr(&b, 0x61, 0);
	b.now = after(START, 0);
	wr(&b, 0x61, 1);
	b.now = after(START, 49);
	assert_true(out2(&b));
	b.now = after(START, 50);
	assert_false(out2(&b));
	b.now = after(START, 51);
	assert_true(out2(&b));
}

/*
 * One 8254 counter as the data sheet draws it: a counting element that is
 * decremented by each pulse, and a flip-flop behind OUT.
 */
struct slow {
	unsigned int mode;
	u32 initial, element;
	bool out, running;
};

static void slow_load(struct slow *s, unsigned int mode, u32 count)
{
	s->mode = mode;
	s->initial = count;
	s->element = mode == 3 ? count & ~1U : count;
	s->out = mode != 0 && mode != 1;
	s->running = true;
}

static void slow_pulse(struct slow *s)
{
	switch (s->mode) {
	case 0:
	case 1:
		s->element = (s->element - 1) & 0xffff;
		if (s->element == 0)
			s->out = true;
		break;
	case 2:
		if (s->element == 1) {
			s->element = s->initial;
			s->out = true;
		} else {
			s->element--;
		}
		if (s->element == 1)
			s->out = false;
		break;
	case 3:
		if (s->element == 0) {
			/* the extra pulse of the high half of an odd count */
			s->element = s->initial & ~1U;
			s->out = !s->out;
			break;
		}
		s->element -= 2;
		if (s->element == 0 && !(s->out && (s->initial & 1))) {
			s->element = s->initial & ~1U;
			s->out = !s->out;
		}
		break;
	case 4:
	case 5:
		s->element = (s->element - 1) & 0xffff;
		s->out = s->element != 0 || !s->running;
		if (s->element == 0)
			s->running = false;
		break;
	}
}

static void modes_agree_with_a_stepped_counter(void **state)
{
	static const u32 counts[] = { 2, 3, 4, 5, 16, 17, 999, 1000, 65535,
				      65536 };
	struct bench b;
	struct slow s;
	unsigned int mode, i;
	u64 t;

	for (mode = 0; mode < 6; mode++) {
		for (i = 0; i < ARRAY_SIZE(counts); i++) {
			u32 count = counts[i];

			bench_start(&b);
			if (mode != 1 && mode != 5)
				wr(&b, 0x61, 1);
			program(&b, 2, mode, count);
			wr(&b, 0x61, 1);
			slow_load(&s, mode, count);
			for (t = 0; t < 3 * count + 20ULL; t++) {
				if (t)
					slow_pulse(&s);
				if (count > 2000 && t % 97 &&
				    t % count > 2 && t % count < count - 2)
					continue;
				b.now = after(START, t);
				assert_int_equal(latched(&b, 2),
						 s.element & 0xffff);
				assert_int_equal(out2(&b), s.out);
			}
		}
	}
}

static void periodic_irq(void **state)
{
	struct bench b;

	bench_start(&b);
	assert_int_equal(b.timer, U64_MAX);
	program(&b, 0, 2, 11932);	/* 100 Hz */
	run_until(&b, START + 1000000000ULL);
	assert_in_range(b.pulses, 99, 100);
	/* a control word stops it until a count follows */
	wr(&b, 0x43, 0x34);
	assert_int_equal(b.timer, U64_MAX);
	wr(&b, 0x40, 0);
	assert_int_equal(b.timer, U64_MAX);
	wr(&b, 0x40, 0);
	assert_int_equal(b.timer, after(b.now, 65536));
	/* latching does not */
	wr(&b, 0x43, 0x00);
	assert_int_not_equal(b.timer, U64_MAX);
}

static void one_shot_irq(void **state)
{
	static const u8 modes[] = { 0, 4 };
	struct bench b;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		bench_start(&b);
		program(&b, 0, modes[i], 1000);
		assert_int_equal(b.timer, after(START, 1000));
		run_until(&b, START + 1000000000ULL);
		assert_int_equal(b.pulses, 1);
		assert_int_equal(b.timer, U64_MAX);
	}
	/* nothing ever triggers counter 0 */
	bench_start(&b);
	program(&b, 0, 1, 1000);
	assert_int_equal(b.timer, U64_MAX);
	program(&b, 0, 5, 1000);
	assert_int_equal(b.timer, U64_MAX);
}

static void fast_timers_are_slowed_down(void **state)
{
	struct bench b;

	bench_start(&b);
	program(&b, 0, 2, 2);
	run_until(&b, START + 100000000ULL);
	assert_int_equal(b.pulses, 500);
}

static void reinjection(void **state)
{
	struct bench b;

	bench_start(&b);
	program(&b, 0, 2, 11932);
	run_until(&b, b.timer);
	assert_int_equal(b.pulses, 1);
	assert_int_equal(b.pit.pending, 0);
	/* the guest does not run: what falls due is counted */
	b.answer = LINE_COALESCED;
	run_until(&b, b.now + 50000000);
	assert_in_range(b.pit.pending, 4, 5);
	/* it does: each end of interrupt brings the next */
	b.answer = LINE_DONE;
	b.pulses = 0;
	while (b.pit.pending)
		pit_acked(&b.pit);
	assert_in_range(b.pulses, 4, 5);
	b.pulses = 0;
	pit_acked(&b.pit);
	assert_int_equal(b.pulses, 0);
}

/* A pulse that another thread delivers counts when it is known to have come. */
static void pulses_on_their_way(void **state)
{
	struct bench b;

	bench_start(&b);
	b.answer = LINE_LATER;
	program(&b, 0, 2, 11932);
	run_until(&b, b.now + 50000000);
	assert_int_equal(b.pulses, 1);
	assert_in_range(b.pit.pending, 4, 5);
	pit_acked(&b.pit);
	assert_int_equal(b.pulses, 1);
	b.answer = LINE_DONE;
	pit_pulsed(&b.pit, 4096);
	assert_in_range(b.pit.pending, 3, 4);
	assert_int_equal(b.pulses, 1);
	pit_acked(&b.pit);
	assert_int_equal(b.pulses, 2);
	/* One that merged is still due, those that nobody hears are not. */
	b.answer = LINE_LATER;
	pit_acked(&b.pit);
	pit_pulsed(&b.pit, LINE_COALESCED);
	assert_in_range(b.pit.pending, 2, 3);
	pit_acked(&b.pit);
	pit_pulsed(&b.pit, LINE_IGNORED);
	assert_int_equal(b.pit.pending, 0);
	/* Programmed anew before the answer: it is about nothing any more. */
	run_until(&b, b.timer);
	assert_true(b.pit.waiting);
	program(&b, 0, 2, 11932);
	pit_pulsed(&b.pit, LINE_DONE);
	assert_int_equal(b.pit.pending, 0);
	assert_false(b.pit.waiting);
}

static void late_timers_lose_nothing(void **state)
{
	struct bench b;
	u64 first;

	bench_start(&b);
	program(&b, 0, 2, 11932);
	first = b.timer;
	b.now = first + 10 * b.pit.period + 5;
	pit_timer_fired(&b.pit);
	assert_int_equal(b.pulses, 1);
	assert_int_equal(b.pit.pending, 10);
	assert_int_equal(b.timer, first + 11 * b.pit.period);
	/* too early, as after a race with re-arming */
	pit_timer_fired(&b.pit);
	assert_int_equal(b.pulses, 1);
	assert_int_equal(b.timer, first + 11 * b.pit.period);
	/* an absurdly late one stays bounded */
	b.now = first + 1000000000000000ULL;
	pit_timer_fired(&b.pit);
	assert_int_equal(b.pit.pending, PIT_PENDING_MAX - 1);
}

static void nobody_listens(void **state)
{
	struct bench b;

	bench_start(&b);
	b.answer = LINE_IGNORED;
	program(&b, 0, 2, 11932);
	run_until(&b, b.now + 500000000);
	assert_int_equal(b.pit.pending, 0);
}

static void reprogramming_forgets_pending(void **state)
{
	struct bench b;

	bench_start(&b);
	b.answer = LINE_COALESCED;
	program(&b, 0, 2, 11932);
	run_until(&b, b.now + 500000000);
	assert_int_not_equal(b.pit.pending, 0);
	program(&b, 0, 2, 11932);
	assert_int_equal(b.pit.pending, 0);
}

static void no_reinjection(void **state)
{
	struct bench b;

	bench_start(&b);
	pit_set_reinject(&b.pit, false);
	program(&b, 0, 2, 11932);
	b.answer = LINE_COALESCED;
	run_until(&b, b.now + 100000000);
	assert_in_range(b.pulses, 9, 10);
	assert_int_equal(b.pit.pending, 0);
	b.pulses = 0;
	pit_acked(&b.pit);
	assert_int_equal(b.pulses, 0);
}

static void hpet_takes_over(void **state)
{
	struct kvm_pit_state2 s;
	struct bench b;

	bench_start(&b);
	program(&b, 0, 2, 11932);
	pit_get_state(&b.pit, &s);
	s.flags |= KVM_PIT_FLAGS_HPET_LEGACY;
	pit_set_state(&b.pit, &s);
	assert_int_equal(b.timer, U64_MAX);
	program(&b, 0, 2, 5966);
	assert_int_equal(b.timer, U64_MAX);
	pit_get_state(&b.pit, &s);
	s.flags = 0;
	b.now += 1000;
	pit_set_state(&b.pit, &s);
	assert_int_equal(b.timer, after(START, 5966));
}

static void state_keeps_the_phase(void **state)
{
	struct kvm_pit_state2 s, t;
	struct bench a, b;

	bench_start(&a);
	wr(&a, 0x61, 3);
	program(&a, 0, 3, 11932);
	program(&a, 1, 2, 18);
	program(&a, 2, 0, 4000);
	wr(&a, 0x40, 7);		/* half a count */
	a.answer = LINE_COALESCED;
	run_until(&a, START + 35000000);
	pit_get_state(&a.pit, &s);
	bench_start(&b);
	b.now = a.now;
	pit_set_state(&b.pit, &s);
	pit_get_state(&b.pit, &t);
	assert_memory_equal(&s, &t, sizeof(s));
	assert_int_equal(a.timer, b.timer);
	assert_int_equal(latched(&a, 1), latched(&b, 1));
	wr(&b, 0x40, 1);
	assert_int_equal(b.pit.st.channels[0].count, 0x107);
	/* the same state again does not forget what is pending */
	assert_int_not_equal(a.pit.pending, 0);
	pit_set_state(&a.pit, &s);
	assert_int_not_equal(a.pit.pending, 0);
}

static void state_with_the_gate_low(void **state)
{
	struct kvm_pit_state2 s;
	struct bench a, b;

	bench_start(&a);
	wr(&a, 0x61, 1);
	program(&a, 2, 0, 100);
	a.now = after(START, 60);
	wr(&a, 0x61, 0);
	a.now += 5000000;
	pit_get_state(&a.pit, &s);
	bench_start(&b);
	b.now = a.now;
	pit_set_state(&b.pit, &s);
	assert_int_equal(latched(&b, 2), 40);
	/* a VMM that plays the speaker raises the gate in the state */
	s.channels[2].gate = 1;
	pit_set_state(&b.pit, &s);
	b.now = after(b.now, 10);
	assert_in_range(latched(&b, 2), 29, 30);
}

/* Its time may be that of a clock that was ahead of ours by years. */
static void state_of_a_one_shot_long_over(void **state)
{
	static const u8 modes[] = { 0, 4 };
	struct kvm_pit_state2 s;
	struct bench b;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(modes); i++) {
		bench_start(&b);
		pit_get_state(&b.pit, &s);
		s.channels[0].mode = modes[i];
		s.channels[0].count = 1000;
		s.channels[0].count_load_time = START - 3600000000000ULL;
		pit_set_state(&b.pit, &s);
		assert_int_equal(b.timer, after(START, 1000));
		run_until(&b, START + 1000000000ULL);
		assert_int_equal(b.pulses, 1);
		/* The same state again is nothing new. */
		pit_get_state(&b.pit, &s);
		pit_set_state(&b.pit, &s);
		assert_int_equal(b.timer, U64_MAX);
		/* One that still runs keeps its phase. */
		s.channels[0].count_load_time = b.now - 100000;
		pit_set_state(&b.pit, &s);
		assert_int_equal(b.timer, after(b.now - 100000, 1000));
	}
}

static void any_state(void **state)
{
	struct kvm_pit_state2 s;
	struct bench b;
	unsigned int i, j;

	srand(3);
	bench_start(&b);
	memset(&s, 0xff, sizeof(s));
	pit_set_state(&b.pit, &s);
	assert_int_equal(b.timer, U64_MAX);
	assert_int_equal(b.pit.st.reserved[0], 0);
	for (i = 0; i < 20000; i++) {
		for (j = 0; j < sizeof(s); j++)
			((u8 *)&s)[j] = rand();
		for (j = 0; j < 3; j++)
			s.channels[j].mode %= 7;
		pit_set_state(&b.pit, &s);
		for (j = 0; j < 12; j++) {
			rd(&b, 0x40 + rand() % 4);
			rd(&b, 0x61);
			wr(&b, 0x43, rand());
			wr(&b, 0x40 + rand() % 4, rand());
			wr(&b, 0x61, rand());
		}
		b.now += rand() % 100000000;
		run_until(&b, b.now);
		assert_true(b.timer == U64_MAX || b.pit.armed);
		assert_in_range(b.pit.st.channels[0].count, 1, 65536);
		assert_true(!b.pit.armed || b.timer > b.now ||
			    b.timer == b.pit.next);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(access_modes),
		cmocka_unit_test(latching_holds_the_count),
		cmocka_unit_test(read_back),
		cmocka_unit_test(bcd),
		cmocka_unit_test(port_61),
		cmocka_unit_test(calibration_by_counter_2),
		cmocka_unit_test(gate_pauses_mode_0),
		cmocka_unit_test(gate_restarts_mode_2),
		cmocka_unit_test(gate_triggers_modes_1_and_5),
		cmocka_unit_test(modes_agree_with_a_stepped_counter),
		cmocka_unit_test(periodic_irq),
		cmocka_unit_test(one_shot_irq),
		cmocka_unit_test(fast_timers_are_slowed_down),
		cmocka_unit_test(reinjection),
		cmocka_unit_test(pulses_on_their_way),
		cmocka_unit_test(late_timers_lose_nothing),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(reprogramming_forgets_pending),
		cmocka_unit_test(no_reinjection),
		cmocka_unit_test(hpet_takes_over),
		cmocka_unit_test(state_keeps_the_phase),
		cmocka_unit_test(state_with_the_gate_low),
		cmocka_unit_test(state_of_a_one_shot_long_over),
		cmocka_unit_test(any_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
