// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O APIC: registers, edge and level delivery, end of interrupt, the brake
 * on interrupt storms; random traffic against a model of the pins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dev/ioapic.h"

struct bench {
	struct ioapic io;
	struct dev_env env;
	u64 now, timer;		/* timer: U64_MAX when not armed */
	struct apic_msg last;
	unsigned int sent, last_pin;
	int answer;
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

static int bench_deliver(struct ioapic *io, unsigned int pin,
			 const struct apic_msg *msg)
{
	struct bench *b = container_of(io, struct bench, io);

	b->last = *msg;
	b->last_pin = pin;
	b->sent++;
	return b->answer;
}

static const struct ioapic_ops ops = { .deliver = bench_deliver };

static void bench_start(struct bench *b)
{
	*b = (struct bench){
		.io = { .ops = &ops },
		.env = { .ops = &env_ops },
		.timer = U64_MAX,
		.answer = 1,
	};
	b->io.env = &b->env;
	ioapic_init(&b->io);
}

static u32 get(struct bench *b, u32 index)
{
	ioapic_write(&b->io, 0, index);
	return ioapic_read(&b->io, 0x10);
}

/* a write, with nobody asked about the line before it is served */
static void put(struct bench *b, u32 index, u32 val)
{
	ioapic_write(&b->io, 0, index);
	ioapic_serve(&b->io, ioapic_write(&b->io, 0x10, val));
}

static void set_rte(struct bench *b, unsigned int pin, u32 low, u32 dest)
{
	put(b, 0x11 + 2 * pin, dest << 24);
	put(b, 0x10 + 2 * pin, low);
}

#define LEVEL 0x8000
#define MASK 0x10000
#define REMOTE_IRR 0x4000

/* a whole EOI, with nobody in between */
static void eoi(struct bench *b, u8 vector)
{
	ioapic_eoi_done(&b->io, ioapic_eoi(&b->io, vector, true));
}

static void registers(void **state)
{
	struct bench b;
	unsigned int i;

	bench_start(&b);
	assert_int_equal(get(&b, 0), 0);
	assert_int_equal(get(&b, 1), 0x00170011);
	put(&b, 1, 0);
	assert_int_equal(get(&b, 1), 0x00170011);
	put(&b, 0, 0xffffffff);
	assert_int_equal(get(&b, 0), 0x0f000000);
	assert_int_equal(get(&b, 2), 0x0f000000);
	assert_int_equal(get(&b, 3), 0);
	assert_int_equal(get(&b, 0xff), 0);
	assert_int_equal(ioapic_read(&b.io, 0), 0xff);
	assert_int_equal(ioapic_read(&b.io, 0x20), 0);
	for (i = 0; i < IOAPIC_PINS; i++) {
		assert_int_equal(get(&b, 0x10 + 2 * i), MASK);
		put(&b, 0x10 + 2 * i, ~0U);
		put(&b, 0x11 + 2 * i, ~0U);
		assert_int_equal(get(&b, 0x10 + 2 * i), 0x1afff);
		assert_int_equal(get(&b, 0x11 + 2 * i), 0xff000000);
	}
	assert_int_equal(get(&b, 0x40), 0);
	/* the EOI register came with version 20h */
	ioapic_write(&b.io, 0x40, 0);
	assert_int_equal(b.sent, 0);
}

static void edge(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 4, 0x31 | 1 << 8 | 1 << 11, 0x55);
	b.answer = 2;
	assert_int_equal(ioapic_set_irq(&b.io, 4, true), 2);
	assert_int_equal(b.last.vector, 0x31);
	assert_int_equal(b.last.dest, 0x55);
	assert_int_equal(b.last.delivery, DELIVER_LOWEST);
	assert_true(b.last.logical);
	assert_false(b.last.level);
	assert_int_equal(ioapic_set_irq(&b.io, 4, true), LINE_COALESCED);
	assert_int_equal(b.sent, 1);
	assert_int_equal(ioapic_set_irq(&b.io, 4, false), LINE_DONE);
	b.answer = 0;
	assert_int_equal(ioapic_set_irq(&b.io, 4, true), LINE_COALESCED);
	assert_int_equal(b.sent, 2);
	ioapic_set_irq(&b.io, 4, false);
	b.answer = -1;
	assert_int_equal(ioapic_set_irq(&b.io, 4, true), LINE_IGNORED);
	assert_int_equal(get(&b, 0x18) & REMOTE_IRR, 0);
}

static void masked_edges_are_lost(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 9, 0x40 | MASK, 0);
	assert_int_equal(ioapic_set_irq(&b.io, 9, true), LINE_IGNORED);
	set_rte(&b, 9, 0x40, 0);
	assert_int_equal(b.sent, 0);
	assert_int_equal(ioapic_set_irq(&b.io, 9, true), LINE_COALESCED);
	ioapic_set_irq(&b.io, 9, false);
	assert_int_equal(ioapic_set_irq(&b.io, 9, true), 1);
}

static void level(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 11, 0x52 | LEVEL, 3);
	assert_int_equal(ioapic_set_irq(&b.io, 11, true), 1);
	assert_true(b.last.level);
	assert_int_equal(get(&b, 0x26) & REMOTE_IRR, REMOTE_IRR);
	assert_int_equal(ioapic_set_irq(&b.io, 11, true), LINE_COALESCED);
	assert_int_equal(b.sent, 1);
	/* still asserted at the end: once more */
	assert_int_equal(ioapic_eoi(&b.io, 0x52, true), BIT(11));
	assert_int_equal(get(&b, 0x26) & REMOTE_IRR, 0);
	ioapic_eoi_done(&b.io, BIT(11));
	assert_int_equal(b.sent, 2);
	ioapic_set_irq(&b.io, 11, false);
	eoi(&b, 0x52);
	assert_int_equal(b.sent, 2);
	assert_int_equal(get(&b, 0x26) & REMOTE_IRR, 0);
	assert_int_equal(ioapic_eoi(&b.io, 0x53, true), 0);
}

static void level_raised_between_the_steps_of_an_eoi(void **state)
{
	struct bench b;
	u32 pins;

	bench_start(&b);
	set_rte(&b, 11, 0x52 | LEVEL, 3);
	ioapic_set_irq(&b.io, 11, true);
	pins = ioapic_eoi(&b.io, 0x52, true);
	ioapic_set_irq(&b.io, 11, false);
	assert_int_equal(ioapic_set_irq(&b.io, 11, true), 1);
	ioapic_eoi_done(&b.io, pins);
	assert_int_equal(b.sent, 2);
}

static void masked_levels_wait(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 20, 0x60 | LEVEL | MASK, 0);
	assert_int_equal(ioapic_set_irq(&b.io, 20, true), LINE_IGNORED);
	assert_int_equal(b.sent, 0);
	set_rte(&b, 20, 0x60 | LEVEL, 0);
	assert_int_equal(b.sent, 1);
	/* in service and masked: comes back only after both are over */
	set_rte(&b, 20, 0x60 | LEVEL | MASK, 0);
	eoi(&b, 0x60);
	assert_int_equal(b.sent, 1);
	set_rte(&b, 20, 0x60 | LEVEL, 0);
	assert_int_equal(b.sent, 2);
}

static void nobody_takes_a_level(void **state)
{
	struct bench b;

	bench_start(&b);
	b.answer = -1;
	set_rte(&b, 7, 0x70 | LEVEL, 0x80);
	assert_int_equal(ioapic_set_irq(&b.io, 7, true), LINE_IGNORED);
	assert_int_equal(get(&b, 0x1e) & REMOTE_IRR, 0);
	b.answer = 0;	/* merged with the same vector of another pin */
	put(&b, 0x1e, 0x70 | LEVEL);
	assert_int_equal(get(&b, 0x1e) & REMOTE_IRR, REMOTE_IRR);
}

static void going_to_edge_clears_remote_irr(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 5, 0x35 | LEVEL, 0);
	ioapic_set_irq(&b.io, 5, true);
	put(&b, 0x1a, 0x35 | MASK);
	assert_int_equal(get(&b, 0x1a), 0x35 | MASK);
	put(&b, 0x1a, 0x35 | LEVEL);
	assert_int_equal(b.sent, 2);
	/* the guest cannot write it */
	eoi(&b, 0x35);
	ioapic_set_irq(&b.io, 5, false);
	eoi(&b, 0x35);
	put(&b, 0x1a, 0x35 | LEVEL | REMOTE_IRR);
	assert_int_equal(get(&b, 0x1a), 0x35 | LEVEL);
}

static void eoi_reports_edge_pins_too(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 2, 0x30, 0);
	set_rte(&b, 3, 0x30 | LEVEL, 0);
	ioapic_set_irq(&b.io, 2, true);
	ioapic_set_irq(&b.io, 3, true);
	assert_int_equal(ioapic_eoi(&b.io, 0x30, false), BIT(2) | BIT(3));
	assert_int_equal(get(&b, 0x16) & REMOTE_IRR, REMOTE_IRR);
	assert_int_equal(ioapic_eoi(&b.io, 0x30, true), BIT(2) | BIT(3));
	ioapic_eoi_done(&b.io, BIT(2) | BIT(3));
	assert_int_equal(b.sent, 3);
}

static void vectors_of_interest(void **state)
{
	DECLARE_BITMAP(map, 256);
	struct bench b;
	unsigned int v;

	bench_start(&b);
	set_rte(&b, 1, 0x20 | LEVEL, 0);
	set_rte(&b, 2, 0x30, 0);
	set_rte(&b, 3, 0x40, 0);
	set_rte(&b, 23, 0xff | LEVEL | MASK, 0);
	assert_int_equal(ioapic_level_pins(&b.io), BIT(1) | BIT(23));
	ioapic_vectors(&b.io, ioapic_level_pins(&b.io) | BIT(2), map);
	for (v = 0; v < 256; v++)
		assert_int_equal(test_bit(v, map),
				 v == 0x20 || v == 0x30 || v == 0xff);
}

static void storms_are_braked(void **state)
{
	struct bench b;
	unsigned int i;

	bench_start(&b);
	b.now = 77;
	set_rte(&b, 10, 0x41 | LEVEL, 0);
	set_rte(&b, 12, 0x42 | LEVEL, 0);
	ioapic_set_irq(&b.io, 10, true);
	for (i = 1; i < IOAPIC_STORM; i++) {
		eoi(&b, 0x41);
		assert_int_equal(b.sent, i + 1);
	}
	assert_int_equal(b.timer, U64_MAX);
	eoi(&b, 0x41);
	assert_int_equal(b.sent, IOAPIC_STORM);
	assert_int_equal(b.timer, 77 + IOAPIC_STORM_DELAY);
	/* meanwhile it stays so, whatever is tried; other pins go on */
	eoi(&b, 0x41);
	put(&b, 0x24, 0x41 | LEVEL);
	assert_int_equal(ioapic_set_irq(&b.io, 10, true), LINE_COALESCED);
	assert_int_equal(b.sent, IOAPIC_STORM);
	assert_int_equal(ioapic_set_irq(&b.io, 12, true), 1);
	ioapic_timer_fired(&b.io);
	assert_int_equal(b.sent, IOAPIC_STORM + 2);
	assert_int_equal(b.last.vector, 0x41);
	ioapic_timer_fired(&b.io);
	assert_int_equal(b.sent, IOAPIC_STORM + 2);
}

static void lowering_the_line_ends_a_storm(void **state)
{
	struct bench b;
	unsigned int i;

	bench_start(&b);
	set_rte(&b, 10, 0x41 | LEVEL, 0);
	ioapic_set_irq(&b.io, 10, true);
	for (i = 0; i < 2 * IOAPIC_STORM; i++) {
		eoi(&b, 0x41);
		if (i % 1000 == 0) {
			ioapic_set_irq(&b.io, 10, false);
			eoi(&b, 0x41);
			ioapic_set_irq(&b.io, 10, true);
		}
	}
	assert_int_equal(b.timer, U64_MAX);
	for (i = 0; i < IOAPIC_STORM; i++)
		eoi(&b, 0x41);
	assert_int_not_equal(b.timer, U64_MAX);
	i = b.sent;
	ioapic_set_irq(&b.io, 10, false);
	ioapic_timer_fired(&b.io);
	assert_int_equal(b.sent, i);
	assert_int_equal(ioapic_set_irq(&b.io, 10, true), 1);
}

/* A line held since before the mask: its holder is asked before it counts. */
static void unmasked_pins_are_asked_first(void **state)
{
	struct bench b;

	bench_start(&b);
	set_rte(&b, 20, 0x60 | LEVEL | MASK, 0);
	ioapic_set_irq(&b.io, 20, true);
	ioapic_write(&b.io, 0, 0x10 + 2 * 20);
	assert_int_equal(ioapic_write(&b.io, 0x10, 0x60 | LEVEL), BIT(20));
	assert_int_equal(b.sent, 0);
	/* It has let go. */
	ioapic_set_irq(&b.io, 20, false);
	ioapic_serve(&b.io, BIT(20));
	assert_int_equal(b.sent, 0);
	/* It has not, and says so itself: once is enough. */
	ioapic_write(&b.io, 0x10, 0x60 | LEVEL | MASK);
	ioapic_set_irq(&b.io, 20, true);
	assert_int_equal(ioapic_write(&b.io, 0x10, 0x60 | LEVEL), BIT(20));
	ioapic_set_irq(&b.io, 20, true);
	assert_int_equal(b.sent, 1);
	ioapic_serve(&b.io, BIT(20));
	assert_int_equal(b.sent, 1);
	/* In service, an edge, or low: nothing to ask. */
	assert_int_equal(ioapic_write(&b.io, 0x10, 0x61 | LEVEL), 0);
	assert_int_equal(ioapic_write(&b.io, 0x10, 0x60), 0);
	ioapic_set_irq(&b.io, 20, false);
	assert_int_equal(ioapic_write(&b.io, 0x10, 0x60 | LEVEL), 0);
}

/* Another thread delivers: the pin is in service until that is known. */
static void delivered_later(void **state)
{
	struct bench b;

	bench_start(&b);
	b.answer = LINE_LATER;
	set_rte(&b, 9, 0x44 | LEVEL, 0xff);
	assert_int_equal(ioapic_set_irq(&b.io, 9, true), LINE_LATER);
	assert_int_equal(b.last_pin, 9);
	assert_int_equal(get(&b, 0x22) & REMOTE_IRR, REMOTE_IRR);
	assert_int_equal(ioapic_set_irq(&b.io, 9, true), LINE_COALESCED);
	ioapic_delivered(&b.io, 9, 3);
	assert_int_equal(get(&b, 0x22) & REMOTE_IRR, REMOTE_IRR);
	/* Ended by one before all have it, and still high: another one. */
	eoi(&b, 0x44);
	assert_int_equal(b.sent, 2);
	ioapic_delivered(&b.io, 9, LINE_COALESCED);
	assert_int_equal(get(&b, 0x22) & REMOTE_IRR, REMOTE_IRR);
	eoi(&b, 0x44);
	/* Nobody was there: nobody will end it. */
	ioapic_delivered(&b.io, 9, LINE_IGNORED);
	assert_int_equal(get(&b, 0x22) & REMOTE_IRR, 0);
	assert_int_equal(ioapic_set_irq(&b.io, 9, true), LINE_LATER);
}

static void bad_pins(void **state)
{
	struct bench b;

	bench_start(&b);
	assert_int_equal(ioapic_set_irq(&b.io, 24, true), LINE_IGNORED);
	assert_int_equal(ioapic_set_irq(&b.io, ~0U, false), LINE_IGNORED);
	assert_int_equal(b.io.st.irr, 0);
}

static void state_is_taken_over(void **state)
{
	struct kvm_ioapic_state s, t;
	struct bench b;
	unsigned int i;

	bench_start(&b);
	memset(&s, 0xff, sizeof(s));
	ioapic_serve(&b.io, ioapic_set_state(&b.io, &s));
	assert_int_equal(b.sent, 0);
	assert_int_equal(b.io.st.base_address, IOAPIC_BASE);
	assert_int_equal(b.io.st.irr, 0xffffff);
	assert_int_equal(b.io.st.id, 15);
	for (i = 0; i < IOAPIC_PINS; i++)
		assert_int_equal(b.io.st.redirtbl[i].bits,
				 0xff0000000001efffULL);
	t = b.io.st;
	ioapic_serve(&b.io, ioapic_set_state(&b.io, &t));
	assert_memory_equal(&t, &b.io.st, sizeof(t));

	memset(&s, 0, sizeof(s));
	s.irr = BIT(3) | BIT(4) | BIT(5) | BIT(6);
	s.redirtbl[3].bits = 0x33 | LEVEL;
	s.redirtbl[4].bits = 0x34 | LEVEL | REMOTE_IRR;
	s.redirtbl[5].bits = 0x35 | REMOTE_IRR;
	s.redirtbl[6].bits = 0x36 | LEVEL | MASK;
	ioapic_serve(&b.io, ioapic_set_state(&b.io, &s));
	assert_int_equal(b.sent, 1);
	assert_int_equal(b.last.vector, 0x33);
	assert_int_equal(b.io.st.redirtbl[5].bits, 0x35);
	eoi(&b, 0x34);
	assert_int_equal(b.sent, 2);
}

/*
 * Model: for each pin what was programmed, the wire, and whether a local APIC
 * has it in service. Deliveries are predicted one by one.
 */
struct mpin {
	u8 vector;
	bool is_level, masked, high, serving;
};

static bool m_due(const struct mpin *p)
{
	return p->is_level && p->high && !p->masked && !p->serving;
}

/* returns the number of messages to expect */
static unsigned int m_try(struct mpin *p, int answer)
{
	if (p->masked)
		return 0;
	if (p->is_level && answer >= 0)
		p->serving = true;
	return 1;
}

static unsigned int m_step(struct bench *b, struct mpin *pins)
{
	unsigned int i = rand() % IOAPIC_PINS, n = 0, j;
	struct mpin *p = &pins[i];
	u8 vector = 0x30 + rand() % 8;
	bool bit = rand() % 2, rise, ends;
	u32 which;

	b->answer = rand() % 4 - 1;
	switch (rand() % 4) {
	case 0:
	case 1:
		rise = bit && !p->high;
		p->high = bit;
		if (bit && (p->is_level ? m_due(p) : rise))
			n = m_try(p, b->answer);
		ioapic_set_irq(&b->io, i, bit);
		return n;
	case 2:
		p->vector = vector;
		p->is_level = bit;
		p->masked = rand() % 3 == 0;
		if (!bit)
			p->serving = false;
		if (m_due(p))
			n = m_try(p, b->answer);
		put(b, 0x10 + 2 * i, vector | bit * LEVEL | p->masked * MASK);
		return n;
	default:
		ends = bit;
		which = 0;
		for (j = 0; j < IOAPIC_PINS; j++) {
			if (pins[j].vector != vector)
				continue;
			which |= BIT(j);
			if (ends)
				pins[j].serving = false;
			if (m_due(&pins[j]))
				n += m_try(&pins[j], b->answer);
		}
		assert_int_equal(ioapic_eoi(&b->io, vector, ends), which);
		ioapic_eoi_done(&b->io, which);
		return n;
	}
}

static void random_traffic_agrees_with_the_model(void **state)
{
	struct mpin pins[IOAPIC_PINS];
	unsigned int round, step, i, before, expect;
	struct bench b;

	srand(82093);
	for (round = 0; round < 50; round++) {
		bench_start(&b);
		for (i = 0; i < IOAPIC_PINS; i++)
			pins[i] = (struct mpin){ .masked = true };
		for (step = 0; step < 3000; step++) {
			before = b.sent;
			expect = m_step(&b, pins);
			assert_int_equal(b.sent - before, expect);
			for (i = 0; i < IOAPIC_PINS; i++) {
				u64 e = b.io.st.redirtbl[i].bits;

				assert_int_equal(!!(e & REMOTE_IRR),
						 pins[i].serving);
				assert_int_equal(b.io.st.irr >> i & 1,
						 pins[i].high);
			}
		}
	}
}

static void any_access(void **state)
{
	struct bench b;
	unsigned int i, pin;

	srand(2);
	bench_start(&b);
	for (i = 0; i < 200000; i++) {
		b.answer = rand() % 3 - 1;
		switch (rand() % 5) {
		case 0:
			ioapic_write(&b.io, 0, rand() % 0x50);
			break;
		case 1:
			ioapic_serve(&b.io, ioapic_write(&b.io, rand() % 0x50,
							 (u32)rand() << 8));
			break;
		case 2:
			ioapic_read(&b.io, rand() % 0x50);
			break;
		case 3:
			ioapic_set_irq(&b.io, rand() % 26, rand() % 2);
			break;
		case 4:
			eoi(&b, rand());
			break;
		}
		pin = rand() % IOAPIC_PINS;
		if (b.io.st.redirtbl[pin].bits & REMOTE_IRR)
			assert_true(b.io.st.redirtbl[pin].bits & LEVEL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers),
		cmocka_unit_test(edge),
		cmocka_unit_test(masked_edges_are_lost),
		cmocka_unit_test(level),
		cmocka_unit_test(level_raised_between_the_steps_of_an_eoi),
		cmocka_unit_test(masked_levels_wait),
		cmocka_unit_test(nobody_takes_a_level),
		cmocka_unit_test(going_to_edge_clears_remote_irr),
		cmocka_unit_test(eoi_reports_edge_pins_too),
		cmocka_unit_test(vectors_of_interest),
		cmocka_unit_test(storms_are_braked),
		cmocka_unit_test(lowering_the_line_ends_a_storm),
		cmocka_unit_test(unmasked_pins_are_asked_first),
		cmocka_unit_test(delivered_later),
		cmocka_unit_test(bad_pins),
		cmocka_unit_test(state_is_taken_over),
		cmocka_unit_test(random_traffic_agrees_with_the_model),
		cmocka_unit_test(any_access),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
