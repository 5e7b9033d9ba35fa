// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O APIC. See ioapic.h for the state and the rules of use; section numbers
 * are those of the 82093AA data sheet.
 *
 * Invariants: remote IRR is set only in level-triggered entries; `delayed`
 * holds only pins that were re-delivered IOAPIC_STORM times without their
 * line going low, and while it holds one the timer is armed.
 */
#include "dev/ioapic.h"

#define REG_SELECT 0x00
#define REG_WINDOW 0x10

#define INDEX_ID 0x00
#define INDEX_VERSION 0x01
#define INDEX_ARBITRATION 0x02
#define INDEX_RTE 0x10

#define VERSION (0x11 | (IOAPIC_PINS - 1) << 16)

#define RTE_READ_ONLY (IOAPIC_RTE_REMOTE_IRR | BIT_ULL(12))
#define RTE_WRITABLE \
	((GENMASK_ULL(63, 56) | GENMASK_ULL(16, 0)) & ~RTE_READ_ONLY)

static u64 *rte(struct ioapic *io, unsigned int pin)
{
	return &io->st.redirtbl[pin].bits;
}

static bool is_level(u64 e)
{
	return e & IOAPIC_RTE_LEVEL;
}

/* Is a level-triggered pin asserted, open and not in service? */
static bool level_due(struct ioapic *io, unsigned int pin)
{
	u64 e = *rte(io, pin);

	return is_level(e) &&
	       !(e & (IOAPIC_RTE_REMOTE_IRR | IOAPIC_RTE_MASKED)) &&
	       (io->st.irr & BIT(pin)) && !(io->delayed & BIT(pin));
}

static int service(struct ioapic *io, unsigned int pin)
{
	u64 *e = rte(io, pin);
	struct apic_msg msg = {
		.dest = *e >> 56,
		.vector = *e & IOAPIC_RTE_VECTOR,
		.delivery = *e >> 8 & 7,
		.logical = *e & IOAPIC_RTE_LOGICAL,
		.level = is_level(*e),
		.assert = true,
	};
	int took;

	if (*e & IOAPIC_RTE_MASKED)
		return LINE_IGNORED;
	took = io->ops->deliver(io, pin, &msg);
	if (msg.level && took != LINE_IGNORED)
		*e |= IOAPIC_RTE_REMOTE_IRR;
	return took;
}

void ioapic_serve(struct ioapic *io, u32 pins)
{
	unsigned int pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++)
		if ((pins & BIT(pin)) && level_due(io, pin))
			service(io, pin);
}

void ioapic_delivered(struct ioapic *io, unsigned int pin, int took)
{
	/* Nobody will end what nobody took. */
	if (took == LINE_IGNORED)
		*rte(io, array_index_nospec(pin, IOAPIC_PINS)) &=
			~IOAPIC_RTE_REMOTE_IRR;
}

void ioapic_init(struct ioapic *io)
{
	unsigned int pin;

	io->st = (struct kvm_ioapic_state){ .base_address = IOAPIC_BASE };
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		*rte(io, pin) = IOAPIC_RTE_MASKED;
	io->delayed = 0;
	memset(io->storm, 0, sizeof(io->storm));
}

int ioapic_set_irq(struct ioapic *io, unsigned int pin, bool level)
{
	bool was_high;

	if (pin >= IOAPIC_PINS)
		return LINE_IGNORED;
	pin = array_index_nospec(pin, IOAPIC_PINS);
	was_high = io->st.irr & BIT(pin);
	if (!level) {
		io->st.irr &= ~BIT(pin);
		io->delayed &= ~BIT(pin);
		io->storm[pin] = 0;
		return LINE_DONE;
	}
	io->st.irr |= BIT(pin);
	if (*rte(io, pin) & IOAPIC_RTE_MASKED)
		return LINE_IGNORED;
	if (is_level(*rte(io, pin)) ? !level_due(io, pin) : was_high)
		return LINE_COALESCED;
	return service(io, pin);
}

u32 ioapic_eoi(struct ioapic *io, u8 vector, bool level)
{
	unsigned int pin;
	u32 pins = 0;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		u64 *e = rte(io, pin);

		if ((*e & IOAPIC_RTE_VECTOR) != vector)
			continue;
		pins |= BIT(pin);
		if (level)
			*e &= ~IOAPIC_RTE_REMOTE_IRR;
	}
	return pins;
}

void ioapic_eoi_done(struct ioapic *io, u32 pins)
{
	unsigned int pin;

	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		if (!(pins & BIT(pin)) || !level_due(io, pin))
			continue;
		if (++io->storm[pin] < IOAPIC_STORM) {
			service(io, pin);
			continue;
		}
		io->storm[pin] = 0;
		if (!io->delayed)
			io->env->ops->timer_arm(io->env,
						io->env->ops->now(io->env) +
						IOAPIC_STORM_DELAY);
		io->delayed |= BIT(pin);
	}
}

void ioapic_timer_fired(struct ioapic *io)
{
	u32 pins = io->delayed;

	io->delayed = 0;
	ioapic_serve(io, pins);
}

u32 ioapic_level_pins(const struct ioapic *io)
{
	unsigned int pin;
	u32 pins = 0;

	for (pin = 0; pin < IOAPIC_PINS; pin++)
		if (is_level(io->st.redirtbl[pin].bits))
			pins |= BIT(pin);
	return pins;
}

void ioapic_vectors(const struct ioapic *io, u32 pins, unsigned long *map)
{
	unsigned int pin;

	bitmap_zero(map, 256);
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		if (pins & BIT(pin))
			__set_bit(io->st.redirtbl[pin].bits & IOAPIC_RTE_VECTOR,
				  map);
}

/* 3.2.4. Half an entry is written; only the low one can make it due. */
static u32 write_rte(struct ioapic *io, unsigned int index, u32 val)
{
	unsigned int pin = array_index_nospec((index - INDEX_RTE) / 2,
					      IOAPIC_PINS);
	u64 *e = rte(io, pin);

	if (index & 1) {
		*e = (*e & U32_MAX) | ((u64)val << 32 & RTE_WRITABLE);
		return 0;
	}
	*e = (*e & ~(RTE_WRITABLE & U32_MAX)) | (val & RTE_WRITABLE);
	if (!is_level(*e))
		*e &= ~IOAPIC_RTE_REMOTE_IRR;
	return level_due(io, pin) ? BIT(pin) : 0;
}

static u32 write_window(struct ioapic *io, u32 val)
{
	unsigned int index = io->st.ioregsel;

	if (index == INDEX_ID)
		io->st.id = val >> 24 & 0xf;
	else if (index >= INDEX_RTE && index < INDEX_RTE + 2 * IOAPIC_PINS)
		return write_rte(io, index, val);
	return 0;
}

u32 ioapic_write(struct ioapic *io, unsigned int offset, u32 val)
{
	if (offset == REG_SELECT)
		io->st.ioregsel = val & 0xff;
	else if (offset == REG_WINDOW)
		return write_window(io, val);
	return 0;
}

static u32 read_window(const struct ioapic *io)
{
	unsigned int index = io->st.ioregsel, pin;
	u64 e;

	switch (index) {
	case INDEX_ID:
	case INDEX_ARBITRATION:
		return io->st.id << 24;
	case INDEX_VERSION:
		return VERSION;
	}
	if (index < INDEX_RTE || index >= INDEX_RTE + 2 * IOAPIC_PINS)
		return 0;
	pin = array_index_nospec((index - INDEX_RTE) / 2, IOAPIC_PINS);
	e = io->st.redirtbl[pin].bits;
	return index & 1 ? e >> 32 : e;
}

u32 ioapic_read(const struct ioapic *io, unsigned int offset)
{
	if (offset == REG_SELECT)
		return io->st.ioregsel;
	return offset == REG_WINDOW ? read_window(io) : 0;
}

u32 ioapic_set_state(struct ioapic *io, const struct kvm_ioapic_state *state)
{
	unsigned int pin;
	u32 due = 0;

	ioapic_init(io);
	io->st.ioregsel = state->ioregsel & 0xff;
	io->st.id = state->id & 0xf;
	io->st.irr = state->irr & GENMASK(IOAPIC_PINS - 1, 0);
	for (pin = 0; pin < IOAPIC_PINS; pin++) {
		u64 e = state->redirtbl[pin].bits;

		e &= RTE_WRITABLE | IOAPIC_RTE_REMOTE_IRR;
		if (!is_level(e))
			e &= ~IOAPIC_RTE_REMOTE_IRR;
		*rte(io, pin) = e;
	}
	for (pin = 0; pin < IOAPIC_PINS; pin++)
		if (level_due(io, pin))
			due |= BIT(pin);
	return due;
}
