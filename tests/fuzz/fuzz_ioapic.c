// SPDX-License-Identifier: GPL-2.0-only
/*
 * The I/O APIC under random accesses, lines, ends of interrupt, restored
 * states and time.
 */
#include "clock.h"
#include "input.h"
#include "dev/ioapic.h"

static int answer;

static int deliver(struct ioapic *io, unsigned int pin,
		   const struct apic_msg *msg)
{
	return answer;
}

static const struct ioapic_ops ops = { .deliver = deliver };

static void one(struct input *in, struct ioapic *io)
{
	struct kvm_ioapic_state s;
	unsigned long map[4] = { 0 };
	u32 pins;

	answer = (int)(take8(in) & 3) - 1;
	switch (take8(in) % 8) {
	case 0:
	case 1:
		ioapic_write(io, 0, take8(in));
		ioapic_write(io, 0x10, take32(in));
		break;
	case 2:
		ioapic_write(io, take8(in), take32(in));
		ioapic_read(io, take8(in));
		break;
	case 3:
		ioapic_set_irq(io, take8(in) % IOAPIC_PINS, take8(in) & 1);
		break;
	case 4:
		pins = ioapic_eoi(io, take8(in), take8(in) & 1);
		must(pins < 1u << IOAPIC_PINS);
		ioapic_eoi_done(io, pins);
		break;
	case 5:
		now += take32(in);
		if (now >= timer) {
			timer = U64_MAX;
			ioapic_timer_fired(io);
		}
		break;
	case 6:
		take(in, &s, sizeof(s));
		ioapic_set_state(io, &s);
		break;
	default:
		ioapic_vectors(io, take32(in), map);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dev_env env = { .ops = &env_ops };
	struct ioapic io = { .ops = &ops, .env = &env };
	struct input in = { data, size };
	unsigned int steps = 0;

	now = 1000;
	timer = U64_MAX;
	ioapic_init(&io);
	while (in.left && steps++ < 256)
		one(&in, &io);
	return 0;
}
