// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APICs under random accesses, messages, time and restored states.
 */
#include "input.h"
#include "lapic_world.h"

#define APICS 4

static void checks(struct lapic *l)
{
	int irq = lapic_pending_irq(l);

	must(irq >= -1 && irq <= 255);
	must(irq == -1 || irq >= 16);
	must(lapic_get_cr8(l) < 16);
	if (irq >= 0 && irq >> 4 <= lapic_get_cr8(l))
		must(!"an interrupt below the task priority");
}

static void restore(struct input *in, struct lapic *l)
{
	struct kvm_lapic_state s;
	unsigned int i, n = take8(in) & 15;

	lapic_get_state(l, &s);
	for (i = 0; i < n; i++)
		s.regs[take16(in) % sizeof(s.regs)] = take8(in);
	if (lapic_check_state(l, &s))
		lapic_set_state(l, &s);
}

static void message(struct input *in, struct lapic *l, struct lapic *src)
{
	struct apic_msg msg;

	memset(&msg, 0, sizeof(msg));
	msg.vector = take8(in);
	msg.delivery = take8(in) & 7;
	msg.shorthand = take8(in) & 3;
	msg.dest = take8(in) & 1 ? take32(in) : take8(in);
	msg.logical = take8(in) & 1;
	msg.level = take8(in) & 1;
	if (lapic_match(l, src, &msg))
		lapic_deliver(l, &msg);
	lapic_msg_unicast(src, &msg);
}

static void one(struct input *in)
{
	u8 what = take8(in);
	struct lapic *l = &world.apic[what >> 4 & (APICS - 1)].lapic;
	struct lapic *src = &world.apic[what >> 6 & (APICS - 1)].lapic;
	u8 data[8];
	u64 v;
	int irq;

	switch (what & 15) {
	case 0:
	case 1:
		take(in, data, 4);
		lapic_mmio_write(l, (u32)take8(in) << 4, 4, data);
		break;
	case 2:
		take(in, data, 8);
		lapic_mmio_write(l, take16(in) & 0xff8, 1 << (take8(in) & 3), data);
		break;
	case 3:
		lapic_mmio_read(l, take16(in) & 0xff8, 1 << (take8(in) & 3), data);
		break;
	case 4:
		if (lapic_x2apic(l))
			lapic_msr_write(l, 0x800 + take8(in), take64(in));
		break;
	case 5:
		if (lapic_x2apic(l))
			lapic_msr_read(l, 0x800 + take8(in), &v);
		break;
	case 6:
		lapic_request(l, take8(in) | 16, take8(in) & 1);
		break;
	case 7:
		message(in, l, src);
		break;
	case 8:
		irq = lapic_pending_irq(l);
		if (irq >= 0)
			lapic_ack(l, irq);
		break;
	case 9:
		lapic_eoi(l);
		break;
	case 10:
		lapic_set_cr8(l, take8(in) & 15);
		break;
	case 11:
		world.now += take8(in) & 1 ? take32(in) : take8(in);
		if (world_of(l)->host_armed && world.now >= world_of(l)->host_when)
			lapic_timer_fired(l);
		lapic_timer_sync(l);
		break;
	case 12:
		lapic_set_base(l, take64(in), take8(in) & 1);
		break;
	case 13:
		restore(in, l);
		break;
	case 14:
		l->has_tsc_deadline = true;
		lapic_set_tsc_deadline(l, take64(in));
		break;
	default:
		lapic_reset(l, take8(in) & 1);
	}
	checks(l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	unsigned int steps = 0;

	world_reset();
	while (in.left && steps++ < 256)
		one(&in);
	return 0;
}
