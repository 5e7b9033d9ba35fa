// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8259A pair: programming, priorities, end of interrupt, cascade; and random
 * traffic against a slow model that keeps its own books in another form.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dev/pic.h"

static void wr(struct pic *pic, u16 port, u8 val)
{
	assert_true(pic_port_write(pic, port, val));
}

static u8 rd(struct pic *pic, u16 port)
{
	u8 val = 0;

	assert_true(pic_port_read(pic, port, &val));
	return val;
}

/* As a PC's firmware does: vectors from 8 and 70h, all pins open */
static void start(struct pic *pic, u8 icw4)
{
	pic_init(pic);
	wr(pic, 0x20, 0x11);
	wr(pic, 0x21, 0x08);
	wr(pic, 0x21, 0x04);
	wr(pic, 0x21, icw4);
	wr(pic, 0xa0, 0x11);
	wr(pic, 0xa1, 0x70);
	wr(pic, 0xa1, 0x02);
	wr(pic, 0xa1, 0x01);
	pic_take_acked(pic);
}

static void pulse(struct pic *pic, unsigned int pin)
{
	pic_set_irq(pic, pin, true);
	pic_set_irq(pic, pin, false);
}

static u8 isr(struct pic *pic, u16 port)
{
	wr(pic, port, 0x0b);
	return rd(pic, port);
}

static u8 irr(struct pic *pic, u16 port)
{
	wr(pic, port, 0x0a);
	return rd(pic, port);
}

static void initialization(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	assert_int_equal(rd(&pic, 0x21), 0);
	wr(&pic, 0x21, 0xfb);
	assert_int_equal(rd(&pic, 0x21), 0xfb);
	/* without ICW4 the third word ends the sequence */
	wr(&pic, 0xa0, 0x10);
	wr(&pic, 0xa1, 0x37);
	wr(&pic, 0xa1, 0x02);
	wr(&pic, 0xa1, 0x5c);
	assert_int_equal(rd(&pic, 0xa1), 0x5c);
	assert_int_equal(pic.chip[1].irq_base, 0x30);
}

static void edge(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	assert_int_equal(pic_set_irq(&pic, 4, true), LINE_DONE);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_set_irq(&pic, 4, true), LINE_COALESCED);
	assert_int_equal(pic_set_irq(&pic, 4, false), LINE_DONE);
	assert_true(pic_output(&pic));
	assert_int_equal(irr(&pic, 0x20), 0x10);
	assert_int_equal(pic_set_irq(&pic, 4, true), LINE_COALESCED);
	assert_int_equal(pic_read_irq(&pic), 12);
	assert_int_equal(irr(&pic, 0x20), 0);
	assert_int_equal(isr(&pic, 0x20), 0x10);
	assert_false(pic_output(&pic));
	/* the line is still high: no new edge */
	assert_int_equal(pic_set_irq(&pic, 4, true), LINE_COALESCED);
	wr(&pic, 0x20, 0x20);
	assert_int_equal(isr(&pic, 0x20), 0);
	assert_int_equal(pic_take_acked(&pic), 0x10);
	assert_int_equal(pic_take_acked(&pic), 0);
	assert_false(pic_output(&pic));
}

static void level(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	wr(&pic, 0x4d0, 0xff);
	wr(&pic, 0x4d1, 0xff);
	assert_int_equal(rd(&pic, 0x4d0), 0xf8);
	assert_int_equal(rd(&pic, 0x4d1), 0xde);
	assert_int_equal(pic_set_irq(&pic, 5, true), LINE_DONE);
	assert_int_equal(pic_set_irq(&pic, 5, true), LINE_COALESCED);
	assert_int_equal(pic_read_irq(&pic), 13);
	assert_false(pic_output(&pic));
	wr(&pic, 0x20, 0x65);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_set_irq(&pic, 5, false), LINE_DONE);
	assert_false(pic_output(&pic));
	assert_int_equal(pic_take_acked(&pic), 0x20);
}

static void level_mode_sees_the_line_at_once(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	pic_set_irq(&pic, 10, true);
	assert_int_equal(pic_read_irq(&pic), 0x72);
	wr(&pic, 0xa0, 0x20);
	wr(&pic, 0x20, 0x20);
	assert_false(pic_output(&pic));
	wr(&pic, 0x4d1, 0x04);
	assert_true(pic_output(&pic));
	/* ICW1 leaves a level request alone but forgets an edge */
	pulse(&pic, 9);
	wr(&pic, 0xa0, 0x11);
	assert_int_equal(irr(&pic, 0xa0), 0x04);
}

static void masked(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	wr(&pic, 0x21, 0x08);
	assert_int_equal(pic_set_irq(&pic, 3, true), LINE_IGNORED);
	pic_set_irq(&pic, 3, false);
	assert_false(pic_output(&pic));
	wr(&pic, 0x21, 0);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_read_irq(&pic), 11);
}

static void bad_pins(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	assert_int_equal(pic_set_irq(&pic, 2, true), LINE_IGNORED);
	assert_int_equal(pic_set_irq(&pic, 16, true), LINE_IGNORED);
	assert_int_equal(pic_set_irq(&pic, ~0U, true), LINE_IGNORED);
	assert_false(pic_output(&pic));
	assert_false(pic_port_write(&pic, 0x22, 0));
	assert_false(pic_port_read(&pic, 0x4d2, &(u8){ 0 }));
}

static void priorities(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	pulse(&pic, 6);
	pulse(&pic, 3);
	assert_int_equal(pic_read_irq(&pic), 11);
	assert_false(pic_output(&pic));	/* 6 waits for 3 */
	pulse(&pic, 1);
	assert_true(pic_output(&pic));	/* 1 does not */
	assert_int_equal(pic_read_irq(&pic), 9);
	wr(&pic, 0x20, 0x20);
	assert_int_equal(isr(&pic, 0x20), 0x08);
	wr(&pic, 0x20, 0x20);
	assert_int_equal(pic_read_irq(&pic), 14);
}

static void rotation(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	wr(&pic, 0x20, 0xc4);		/* 4 is the lowest: 5 the highest */
	pulse(&pic, 4);
	pulse(&pic, 5);
	pulse(&pic, 0);
	assert_int_equal(pic_read_irq(&pic), 13);
	wr(&pic, 0x20, 0xa0);		/* ends 5, which becomes the lowest */
	assert_int_equal(pic_read_irq(&pic), 8);
	wr(&pic, 0x20, 0xe0);		/* ends 0, which becomes the lowest */
	assert_int_equal(pic.chip[0].priority_add, 1);
	assert_int_equal(pic_read_irq(&pic), 12);
	assert_int_equal(pic_take_acked(&pic), 0x21);
}

static void automatic_eoi(void **state)
{
	struct pic pic;

	start(&pic, 0x03);
	pulse(&pic, 7);
	assert_int_equal(pic_read_irq(&pic), 15);
	assert_int_equal(isr(&pic, 0x20), 0);
	assert_int_equal(pic_take_acked(&pic), 0x80);
	wr(&pic, 0x20, 0x80);		/* and rotate */
	pulse(&pic, 3);
	assert_int_equal(pic_read_irq(&pic), 11);
	assert_int_equal(pic.chip[0].priority_add, 4);
	wr(&pic, 0x20, 0x00);
	pulse(&pic, 6);
	assert_int_equal(pic_read_irq(&pic), 14);
	assert_int_equal(pic.chip[0].priority_add, 4);
}

static void poll(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	wr(&pic, 0x20, 0x0c);
	assert_int_equal(rd(&pic, 0x20), 0);
	pulse(&pic, 12);
	wr(&pic, 0x20, 0x0c);
	assert_int_equal(rd(&pic, 0x21), 0x82);
	assert_int_equal(rd(&pic, 0x21), 0);	/* only the next read */
	wr(&pic, 0xa0, 0x0c);
	assert_int_equal(rd(&pic, 0xa0), 0x84);
	assert_int_equal(isr(&pic, 0xa0), 0x10);
	assert_int_equal(isr(&pic, 0x20), 0x04);
}

static void special_mask(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	pulse(&pic, 3);
	assert_int_equal(pic_read_irq(&pic), 11);
	pulse(&pic, 6);
	assert_false(pic_output(&pic));
	wr(&pic, 0x21, 0x08);
	assert_false(pic_output(&pic));
	wr(&pic, 0x20, 0x68);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_read_irq(&pic), 14);
	wr(&pic, 0x20, 0x20);		/* ends 6: masked 3 is not seen */
	assert_int_equal(isr(&pic, 0x20), 0x08);
	wr(&pic, 0x20, 0x20);
	assert_int_equal(isr(&pic, 0x20), 0x08);
	wr(&pic, 0x20, 0x63);
	assert_int_equal(isr(&pic, 0x20), 0);
	wr(&pic, 0x20, 0x48);
	assert_int_equal(pic.chip[0].special_mask, 0);
}

static void cascade(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	assert_int_equal(pic_set_irq(&pic, 14, true), LINE_DONE);
	assert_int_equal(irr(&pic, 0x20), 0x04);
	assert_int_equal(pic_read_irq(&pic), 0x76);
	assert_int_equal(isr(&pic, 0x20), 0x04);
	assert_int_equal(isr(&pic, 0xa0), 0x40);
	/* a more urgent one of the same slave waits in fully nested mode */
	pulse(&pic, 8);
	assert_false(pic_output(&pic));
	pulse(&pic, 1);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_read_irq(&pic), 9);
	wr(&pic, 0x20, 0x20);
	wr(&pic, 0xa0, 0x20);
	wr(&pic, 0x20, 0x20);
	assert_int_equal(pic_take_acked(&pic), 0x4006);
	assert_int_equal(pic_read_irq(&pic), 0x70);
}

static void special_fully_nested(void **state)
{
	struct pic pic;

	start(&pic, 0x11);
	pulse(&pic, 14);
	assert_int_equal(pic_read_irq(&pic), 0x76);
	pulse(&pic, 15);
	assert_false(pic_output(&pic));	/* less urgent in the slave */
	pulse(&pic, 8);
	assert_true(pic_output(&pic));
	assert_int_equal(pic_read_irq(&pic), 0x70);
}

static void spurious(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	assert_int_equal(pic_read_irq(&pic), 15);
	assert_int_equal(isr(&pic, 0x20), 0);
	/* a level that falls before the acknowledge */
	wr(&pic, 0x4d1, 0x08);
	pic_set_irq(&pic, 11, true);
	assert_true(pic_output(&pic));
	pic_set_irq(&pic, 11, false);
	assert_false(pic_output(&pic));
	assert_int_equal(pic_read_irq(&pic), 15);
	/* the slave's own: its request goes while the master is asked */
	pic_set_irq(&pic, 11, true);
	pic.chip[1].irr = 0;
	assert_int_equal(pic_read_irq(&pic), 0x77);
	assert_int_equal(isr(&pic, 0xa0), 0);
	assert_int_equal(isr(&pic, 0x20), 0x04);
}

static void icw1_ends_what_was_in_service(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	pulse(&pic, 0);
	pic_read_irq(&pic);
	pulse(&pic, 7);
	assert_int_equal(pic_take_acked(&pic), 0);
	wr(&pic, 0x20, 0x11);
	assert_int_equal(pic_take_acked(&pic), 0x81);
	assert_false(pic_output(&pic));
}

static void icw1_does_not_make_an_edge(void **state)
{
	struct pic pic;

	start(&pic, 0x01);
	pic_set_irq(&pic, 5, true);
	wr(&pic, 0x20, 0x10);
	assert_int_equal(pic_set_irq(&pic, 5, true), LINE_COALESCED);
	assert_false(pic_output(&pic));
	pic_set_irq(&pic, 5, false);
	assert_int_equal(pic_set_irq(&pic, 5, true), LINE_DONE);
}

static void state_round_trip(void **state)
{
	struct pic a, b;
	unsigned int i;

	start(&a, 0x01);
	wr(&a, 0x4d1, 0x0e);
	wr(&a, 0x20, 0xc2);
	pulse(&a, 6);
	pic_set_irq(&a, 10, true);
	wr(&a, 0xa0, 0x6b);
	pic_read_irq(&a);
	pic_init(&b);
	pic_set_state(&b, 0, &a.chip[0]);
	pic_set_state(&b, 1, &a.chip[1]);
	assert_memory_equal(a.chip, b.chip, sizeof(a.chip));
	assert_int_equal(a.output, b.output);

	for (i = 0; i < 2; i++)
		pic_set_state(&b, i, &(struct kvm_pic_state){
			.priority_add = 0xff, .init_state = 0xff,
			.elcr = 0xff, .elcr_mask = 0, .irq_base = 0xff,
			.irr = 0xff, .isr = 0xa5, .poll = 0xff,
		});
	assert_int_equal(b.chip[0].elcr, 0xf8);
	assert_int_equal(b.chip[0].irq_base, 0xf8);
	assert_int_equal(b.chip[1].priority_add, 7);
	pic_read_irq(&b);
	rd(&b, 0x20);
	assert_int_equal(b.chip[0].poll, 0);
}

/*
 * The model: one struct per pin, priorities as an ordered list of pins, the
 * slave's output asked for when it is needed.
 */
struct mpin {
	bool high, latched, masked, served, is_level;
};

struct mchip {
	struct mpin pin[8];
	unsigned int order[8];	/* most urgent first */
	bool smm, aeoi, raeoi;
	u8 base;
};

struct model {
	struct mchip chip[2];
};

static bool m_requests(struct model *m, unsigned int n, unsigned int p);

static int m_winner(struct model *m, unsigned int n)
{
	struct mchip *c = &m->chip[n];
	unsigned int i;

	for (i = 0; i < 8; i++) {
		struct mpin *pin = &c->pin[c->order[i]];

		if (pin->served && !(c->smm && pin->masked))
			return -1;
		if (m_requests(m, n, c->order[i]) && !pin->masked)
			return c->order[i];
	}
	return -1;
}

static bool m_requests(struct model *m, unsigned int n, unsigned int p)
{
	struct mpin *pin = &m->chip[n].pin[p];

	if (n == 0 && p == 2)
		return m_winner(m, 1) >= 0;
	return pin->is_level ? pin->high : pin->latched;
}

static void m_line(struct model *m, unsigned int irq, bool high)
{
	struct mpin *pin = &m->chip[irq / 8].pin[irq % 8];

	if (high && !pin->high)
		pin->latched = true;
	pin->high = high;
}

static void m_lowest(struct mchip *c, unsigned int p)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		c->order[i] = (p + 1 + i) % 8;
}

static void m_take(struct mchip *c, unsigned int p)
{
	c->pin[p].latched = false;
	if (!c->aeoi)
		c->pin[p].served = true;
	else if (c->raeoi)
		m_lowest(c, p);
}

static u8 m_ack(struct model *m)
{
	int p = m_winner(m, 0), s;

	if (p < 0)
		return m->chip[0].base + 7;
	if (p != 2) {
		m_take(&m->chip[0], p);
		return m->chip[0].base + p;
	}
	s = m_winner(m, 1);
	m_take(&m->chip[0], 2);
	m_take(&m->chip[1], s);
	return m->chip[1].base + s;
}

static void m_eoi(struct mchip *c, bool rotate)
{
	unsigned int i, p;

	for (i = 0; i < 8; i++) {
		p = c->order[i];
		if (!c->pin[p].served || (c->smm && c->pin[p].masked))
			continue;
		c->pin[p].served = false;
		if (rotate)
			m_lowest(c, p);
		return;
	}
}

static void m_start(struct model *m, bool aeoi)
{
	unsigned int n;

	memset(m, 0, sizeof(*m));
	for (n = 0; n < 2; n++)
		m_lowest(&m->chip[n], 7);
	m->chip[0].base = 8;
	m->chip[0].aeoi = aeoi;
	m->chip[1].base = 0x70;
}

static u8 m_irr(struct model *m, unsigned int n)
{
	u8 v = 0, p;

	for (p = 0; p < 8; p++)
		v |= m_requests(m, n, p) << p;
	return v;
}

static u8 m_isr(struct model *m, unsigned int n)
{
	u8 v = 0, p;

	for (p = 0; p < 8; p++)
		v |= m->chip[n].pin[p].served << p;
	return v;
}

static void m_step(struct model *m, struct pic *pic)
{
	unsigned int n = rand() % 2, p = rand() % 8, i;
	u16 port = n ? 0xa0 : 0x20;
	struct mchip *c = &m->chip[n];
	bool b = rand() % 2;
	u8 mask;

	switch (rand() % 10) {
	case 0 ... 3:
		if (n == 0 && p == 2)
			break;
		pic_set_irq(pic, n * 8 + p, b);
		m_line(m, n * 8 + p, b);
		break;
	case 4:
	case 5:
		assert_int_equal(pic_read_irq(pic), m_ack(m));
		break;
	case 6:
		wr(pic, port, b ? 0x20 : 0xa0);
		m_eoi(c, !b);
		break;
	case 7:
		wr(pic, port, 0x60 | p);
		c->pin[p].served = false;
		break;
	case 8:
		mask = rand() & rand();
		wr(pic, port + 1, mask);
		for (i = 0; i < 8; i++)
			c->pin[i].masked = mask >> i & 1;
		break;
	case 9:
		if (rand() % 8)
			break;
		if (b) {
			wr(pic, port, 0xc0 | p);
			m_lowest(c, p);
		} else {
			c->smm = rand() % 2;
			wr(pic, port, 0x48 | c->smm << 5);
		}
		break;
	}
}

static void random_traffic_agrees_with_the_model(void **state)
{
	unsigned int round, step, n;
	struct model m;
	struct pic pic;

	srand(8259);
	for (round = 0; round < 400; round++) {
		u8 elcr[2] = { rand() & 0xf8, rand() & 0xde };
		bool aeoi = rand() % 8 == 0;

		start(&pic, aeoi ? 0x03 : 0x01);
		m_start(&m, aeoi);
		for (n = 0; n < 16; n++) {
			wr(&pic, 0x4d0 + n / 8, elcr[n / 8]);
			m.chip[n / 8].pin[n % 8].is_level =
				elcr[n / 8] >> n % 8 & 1;
		}
		for (step = 0; step < 500; step++) {
			m_step(&m, &pic);
			assert_int_equal(pic_output(&pic), m_winner(&m, 0) >= 0);
			for (n = 0; n < 2; n++) {
				assert_int_equal(pic.chip[n].irr, m_irr(&m, n));
				assert_int_equal(pic.chip[n].isr, m_isr(&m, n));
			}
		}
	}
}

static void any_bytes_at_any_port(void **state)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	struct pic pic;
	unsigned int i;

	srand(1);
	pic_init(&pic);
	for (i = 0; i < 300000; i++) {
		u16 port = ports[rand() % 6];

		switch (rand() % 4) {
		case 0:
			wr(&pic, port, rand());
			break;
		case 1:
			rd(&pic, port);
			break;
		case 2:
			pic_set_irq(&pic, rand() % 20, rand() % 2);
			break;
		case 3:
			pic_read_irq(&pic);
			break;
		}
		assert_in_range(pic.chip[0].priority_add, 0, 7);
		assert_in_range(pic.chip[1].init_state, 0, 3);
		assert_int_equal(pic.chip[1].elcr & ~0xde, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initialization),
		cmocka_unit_test(edge),
		cmocka_unit_test(level),
		cmocka_unit_test(level_mode_sees_the_line_at_once),
		cmocka_unit_test(masked),
		cmocka_unit_test(bad_pins),
		cmocka_unit_test(priorities),
		cmocka_unit_test(rotation),
		cmocka_unit_test(automatic_eoi),
		cmocka_unit_test(poll),
		cmocka_unit_test(special_mask),
		cmocka_unit_test(cascade),
		cmocka_unit_test(special_fully_nested),
		cmocka_unit_test(spurious),
		cmocka_unit_test(icw1_ends_what_was_in_service),
		cmocka_unit_test(icw1_does_not_make_an_edge),
		cmocka_unit_test(state_round_trip),
		cmocka_unit_test(random_traffic_agrees_with_the_model),
		cmocka_unit_test(any_bytes_at_any_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
