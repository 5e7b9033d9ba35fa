// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8259A pair. See pic.h for the state and the rules of use.
 *
 * The cascade is kept as a level: after each change the slave's output is
 * copied to bit 2 of the master's irr, whatever the master's mode of that
 * pin. That is what the wire does: the slave lowers its INT at the second
 * acknowledge pulse and raises it again for the next request.
 *
 * Section names below are those of the 8259A data sheet.
 */
#include "dev/pic.h"

#define CASCADE 2
#define CASCADE_BIT BIT(CASCADE)

/* Pins whose trigger mode can be changed: not 0, 1, 2, 8 and 13 (PIIX4). */
static const u8 elcr_mask[2] = { 0xf8, 0xde };

/* OCW2: rotate, specific, EOI in bits 7 to 5 */
enum ocw2 {
	OCW2_ROTATE_AEOI_CLEAR = 0,
	OCW2_EOI = 1,
	OCW2_NOP = 2,
	OCW2_EOI_SPECIFIC = 3,
	OCW2_ROTATE_AEOI_SET = 4,
	OCW2_EOI_ROTATE = 5,
	OCW2_SET_PRIORITY = 6,
	OCW2_EOI_SPECIFIC_ROTATE = 7,
};

/* The most urgent of @pins, as its distance from the top; 8 if there is none */
static unsigned int rank(const struct kvm_pic_state *c, u8 pins)
{
	unsigned int turned = ((pins | pins << 8) >> c->priority_add) & 0xff;

	return turned ? __ffs(turned) : 8;
}

static unsigned int rank_pin(const struct kvm_pic_state *c, unsigned int rank)
{
	return (c->priority_add + rank) & 7;
}

/* The pin a chip wants served now, or -1 */
static int chip_request(const struct pic *pic, unsigned int n)
{
	const struct kvm_pic_state *c = &pic->chip[n];
	unsigned int want = rank(c, c->irr & ~c->imr);
	u8 blocking = c->isr;

	if (c->special_mask)
		blocking &= ~c->imr;
	if (n == 0 && c->special_fully_nested_mode)
		blocking &= ~CASCADE_BIT;
	if (want >= rank(c, blocking))
		return -1;
	return rank_pin(c, want);
}

static void update(struct pic *pic)
{
	if (chip_request(pic, 1) >= 0)
		pic->chip[0].irr |= CASCADE_BIT;
	else
		pic->chip[0].irr &= ~CASCADE_BIT;
	WRITE_ONCE(pic->output, chip_request(pic, 0) >= 0);
}

static void acked(struct pic *pic, unsigned int n, u8 pins)
{
	pic->acked |= pins << 8 * n;
}

static void power_on(struct pic *pic, unsigned int n)
{
	pic->chip[n] = (struct kvm_pic_state){ .elcr_mask = elcr_mask[n] };
}

void pic_init(struct pic *pic)
{
	*pic = (struct pic){};
	power_on(pic, 0);
	power_on(pic, 1);
}

int pic_set_irq(struct pic *pic, unsigned int pin, bool level)
{
	struct kvm_pic_state *c;
	u8 bit = BIT(pin & 7);
	bool asked, was_high;

	if (pin >= PIC_PINS || pin == CASCADE)
		return LINE_IGNORED;
	c = &pic->chip[array_index_nospec(pin >> 3, 2)];
	asked = c->irr & bit;
	was_high = c->last_irr & bit;

	if (!level) {
		c->last_irr &= ~bit;
		if (c->elcr & bit)
			c->irr &= ~bit;
	} else {
		c->last_irr |= bit;
		if ((c->elcr & bit) || !was_high)
			c->irr |= bit;
	}
	update(pic);
	if (!level)
		return LINE_DONE;
	if (c->imr & bit)
		return LINE_IGNORED;
	if (asked || !(c->irr & bit))
		return LINE_COALESCED;
	return LINE_DONE;
}

/* INTA Sequence: the request becomes a service */
static void chip_intack(struct pic *pic, unsigned int n, unsigned int pin)
{
	struct kvm_pic_state *c = &pic->chip[n];

	if (!(c->elcr & BIT(pin)))
		c->irr &= ~BIT(pin);
	if (!c->auto_eoi) {
		c->isr |= BIT(pin);
		return;
	}
	if (c->rotate_on_auto_eoi)
		c->priority_add = (pin + 1) & 7;
	acked(pic, n, BIT(pin));
}

u8 pic_read_irq(struct pic *pic)
{
	struct kvm_pic_state *slave = &pic->chip[1];
	int pin = chip_request(pic, 0), below;
	u8 vector;

	if (pin < 0)
		return pic->chip[0].irq_base + 7;
	chip_intack(pic, 0, pin);
	vector = pic->chip[0].irq_base + pin;
	if (pin == CASCADE) {
		below = chip_request(pic, 1);
		if (below >= 0)
			chip_intack(pic, 1, below);
		vector = slave->irq_base + (below < 0 ? 7 : below);
	}
	update(pic);
	return vector;
}

u16 pic_take_acked(struct pic *pic)
{
	u16 pins = pic->acked;

	pic->acked = 0;
	return pins;
}

static void end_service(struct pic *pic, unsigned int n, unsigned int pin)
{
	struct kvm_pic_state *c = &pic->chip[n];

	if (!(c->isr & BIT(pin)))
		return;
	c->isr &= ~BIT(pin);
	acked(pic, n, BIT(pin));
}

/*
 * Initialization Command Words: ICW1. Requests by edge are forgotten, and an
 * input has to go low first to ask again; level-triggered ones go on asking.
 * Those who wait for the end of a service would wait for ever, so tell them.
 */
static void write_icw1(struct pic *pic, unsigned int n, u8 val)
{
	struct kvm_pic_state *c = &pic->chip[n];

	acked(pic, n, (c->irr & ~c->elcr) | c->isr);
	c->irr &= c->elcr;
	c->isr = 0;
	c->imr = 0;
	c->priority_add = 0;
	c->special_mask = 0;
	c->read_reg_select = 0;
	c->poll = 0;
	c->auto_eoi = 0;
	c->rotate_on_auto_eoi = 0;
	c->special_fully_nested_mode = 0;
	c->init4 = val & 1;
	c->init_state = 1;
}

static void write_ocw2(struct pic *pic, unsigned int n, u8 val)
{
	struct kvm_pic_state *c = &pic->chip[n];
	unsigned int pin = val & 7, top;
	u8 served = c->isr;

	/* Special Mask Mode: a masked service needs a specific EOI */
	if (c->special_mask)
		served &= ~c->imr;
	switch (val >> 5) {
	case OCW2_ROTATE_AEOI_CLEAR:
	case OCW2_ROTATE_AEOI_SET:
		c->rotate_on_auto_eoi = val >> 7;
		break;
	case OCW2_EOI:
	case OCW2_EOI_ROTATE:
		top = rank(c, served);
		if (top == 8)
			break;
		pin = rank_pin(c, top);
		end_service(pic, n, pin);
		if (val >> 5 == OCW2_EOI_ROTATE)
			c->priority_add = (pin + 1) & 7;
		break;
	case OCW2_EOI_SPECIFIC:
		end_service(pic, n, pin);
		break;
	case OCW2_EOI_SPECIFIC_ROTATE:
		end_service(pic, n, pin);
		c->priority_add = (pin + 1) & 7;
		break;
	case OCW2_SET_PRIORITY:
		c->priority_add = (pin + 1) & 7;
		break;
	case OCW2_NOP:
		break;
	}
}

static void write_ocw3(struct kvm_pic_state *c, u8 val)
{
	if (val & BIT(6))
		c->special_mask = val >> 5 & 1;
	if (val & BIT(2))
		c->poll = 1;
	else if (val & BIT(1))
		c->read_reg_select = val & 1;
}

static void write_command(struct pic *pic, unsigned int n, u8 val)
{
	if (val & BIT(4))
		write_icw1(pic, n, val);
	else if (val & BIT(3))
		write_ocw3(&pic->chip[n], val);
	else
		write_ocw2(pic, n, val);
}

static void write_data(struct kvm_pic_state *c, u8 val)
{
	switch (c->init_state) {
	case 1:
		c->irq_base = val & 0xf8;
		c->init_state = 2;
		break;
	case 2:
		c->init_state = c->init4 ? 3 : 0;
		break;
	case 3:
		c->special_fully_nested_mode = val >> 4 & 1;
		c->auto_eoi = val >> 1 & 1;
		c->init_state = 0;
		break;
	default:
		c->imr = val;
		break;
	}
}

static void write_elcr(struct kvm_pic_state *c, u8 val)
{
	u8 new_level;

	val &= c->elcr_mask;
	new_level = val & ~c->elcr;
	c->irr = (c->irr & ~new_level) | (c->last_irr & new_level);
	c->elcr = val;
}

bool pic_port_write(struct pic *pic, u16 port, u8 val)
{
	switch (port) {
	case 0x20:
	case 0xa0:
		write_command(pic, port >> 7, val);
		break;
	case 0x21:
	case 0xa1:
		write_data(&pic->chip[port >> 7], val);
		break;
	case 0x4d0:
	case 0x4d1:
		write_elcr(&pic->chip[port & 1], val);
		break;
	default:
		return false;
	}
	update(pic);
	return true;
}

/* Poll Command: the read is the acknowledge */
static u8 chip_poll(struct pic *pic, unsigned int n)
{
	int pin = chip_request(pic, n);

	pic->chip[n].poll = 0;
	if (pin < 0)
		return 0;
	chip_intack(pic, n, pin);
	update(pic);
	return 0x80 | pin;
}

static u8 chip_read(struct pic *pic, unsigned int n, bool data)
{
	struct kvm_pic_state *c = &pic->chip[n];

	if (c->poll)
		return chip_poll(pic, n);
	if (data)
		return c->imr;
	return c->read_reg_select ? c->isr : c->irr;
}

bool pic_port_read(struct pic *pic, u16 port, u8 *val)
{
	switch (port) {
	case 0x20:
	case 0x21:
	case 0xa0:
	case 0xa1:
		*val = chip_read(pic, port >> 7, port & 1);
		return true;
	case 0x4d0:
	case 0x4d1:
		*val = pic->chip[port & 1].elcr;
		return true;
	}
	return false;
}

void pic_set_state(struct pic *pic, unsigned int n,
		   const struct kvm_pic_state *state)
{
	struct kvm_pic_state *c = &pic->chip[n];

	*c = *state;
	c->priority_add &= 7;
	c->irq_base &= 0xf8;
	c->read_reg_select = !!c->read_reg_select;
	c->poll = !!c->poll;
	c->special_mask = !!c->special_mask;
	c->init_state &= 3;
	c->auto_eoi = !!c->auto_eoi;
	c->rotate_on_auto_eoi = !!c->rotate_on_auto_eoi;
	c->special_fully_nested_mode = !!c->special_fully_nested_mode;
	c->init4 = !!c->init4;
	c->elcr_mask = elcr_mask[n];
	c->elcr &= c->elcr_mask;
	update(pic);
}
