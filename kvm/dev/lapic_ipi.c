// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: who a message is for, and sending.
 *
 * SDM vol. 3, 11.6 (ICR, destinations), 11.12.9 and 11.12.10 (x2APIC).
 *
 * A message comes in one of two widths. An ICR in x2APIC mode sends 32-bit
 * destinations. An ICR in xAPIC mode, the IOAPIC and MSIs send 8 bits, of
 * which 0xff is everybody; MSIs can exceed 8 bits where the VMM arranged so.
 * Machines whose APICs are in different modes are no machines of the manual;
 * here every APIC compares the destination with its own id, and logical
 * destinations in the form of its own mode.
 *
 * Matching runs in any thread and reads single words of other vCPUs' pages.
 */
#include "dev/lapic.h"

#define BROADCAST8 0xffU
#define BROADCAST32 0xffffffffU
#define FIRST_VECTOR 16

static bool is_broadcast(const struct lapic *l, const struct lapic *src,
			 u32 dest)
{
	if (src && lapic_x2apic(src))
		return dest == BROADCAST32;
	if (dest != BROADCAST8)
		return dest == BROADCAST32;
	return src || !lapic_x2apic(l) || !l->cfg->no_ff_broadcast;
}

static bool match_logical(const struct lapic *l, u32 dest)
{
	u32 ldr = lapic_get(l, LAPIC_LDR);

	if (lapic_x2apic(l))
		return ldr >> 16 == dest >> 16 && (ldr & dest & 0xffff);
	if (dest > 0xff)
		return false;
	ldr >>= 24;
	if (lapic_get(l, LAPIC_DFR) >> 28 == 0xf)
		return ldr & dest;
	return ldr >> 4 == dest >> 4 && (ldr & dest & 0xf);
}

bool lapic_match(const struct lapic *l, const struct lapic *src,
		 const struct apic_msg *msg)
{
	if (!lapic_enabled(l))
		return false;
	switch (msg->shorthand) {
	case APIC_SH_SELF:
		return l == src;
	case APIC_SH_ALL:
		return true;
	case APIC_SH_OTHERS:
		return l != src;
	default:
		break;
	}
	if (is_broadcast(l, src, msg->dest))
		return true;
	if (msg->logical)
		return match_logical(l, msg->dest);
	return msg->dest == l->id;
}

bool lapic_msg_unicast(const struct lapic *src, const struct apic_msg *msg)
{
	if (msg->shorthand || msg->logical || msg->dest == BROADCAST32)
		return false;
	return msg->dest != BROADCAST8 || (src && lapic_x2apic(src));
}

struct lapic *lapic_arbitrate(struct lapic *best, struct lapic *l)
{
	u32 a, b;

	if (!best)
		return l;
	/* One that takes no fixed interrupts must not win. */
	a = lapic_sw_enabled(best);
	b = lapic_sw_enabled(l);
	if (a != b)
		return a ? best : l;
	a = lapic_get(best, LAPIC_PPR) >> 4;
	b = lapic_get(l, LAPIC_PPR) >> 4;
	if (a != b)
		return a < b ? best : l;
	a = READ_ONCE(best->lowest_taken);
	b = READ_ONCE(l->lowest_taken);
	return (s32)(b - a) < 0 ? l : best;
}

void lapic_send_self(struct lapic *l, u8 vector)
{
	if (!lapic_sw_enabled(l))
		return;
	if (vector < FIRST_VECTOR)
		lapic_error(l, ESR_SEND_ILLEGAL);
	else
		lapic_request_self(l, vector);
}

/*
 * SDM vol. 3, table 11-3 has only fixed interrupts go with a shorthand that
 * includes the sender, and does not say what becomes of others. They arrive as
 * if the sender's id had been given: INIT is a way to reset oneself.
 */
static void send_self(struct lapic *l, const struct apic_msg *msg)
{
	if (msg->delivery == DELIVER_FIXED || msg->delivery == DELIVER_LOWEST)
		lapic_send_self(l, msg->vector);
	else
		lapic_deliver(l, msg);
}

void lapic_send_icr(struct lapic *l, u64 icr)
{
	struct apic_msg msg = {
		.dest = lapic_x2apic(l) ? icr >> 32 : icr >> 56,
		.vector = icr,
		.delivery = icr >> 8 & 7,
		.logical = icr & BIT(11),
		.assert = icr & BIT(14),
		.shorthand = icr >> 18 & 3,
	};

	/* The trigger mode counts for INIT alone, as its de-assertion. */
	msg.level = msg.delivery == DELIVER_INIT && (icr & BIT(15));
	if ((msg.delivery == DELIVER_FIXED || msg.delivery == DELIVER_LOWEST) &&
	    msg.vector < FIRST_VECTOR) {
		lapic_error(l, ESR_SEND_ILLEGAL);
		return;
	}
	if (msg.shorthand == APIC_SH_SELF)
		send_self(l, &msg);
	else
		l->cfg->ops->send_ipi(l, &msg);
}
