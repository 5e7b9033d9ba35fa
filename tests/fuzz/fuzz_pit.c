// SPDX-License-Identifier: GPL-2.0-only
/*
 * The 8254 under random ports, time and restored states: what is armed lies not
 * before now by more than a period, and a state that was read is taken back.
 */
#include "clock.h"
#include "input.h"
#include "dev/pit.h"

static int answer;

static int pulse(struct pit *pit)
{
	return answer;
}

static const struct pit_ops ops = { .pulse = pulse };

static void one(struct input *in, struct pit *pit)
{
	static const u16 ports[] = { 0x40, 0x41, 0x42, 0x43, 0x61, 0x43 };
	struct kvm_pit_state2 s;
	u8 v;

	answer = (int)(take8(in) & 3) - 1;
	switch (take8(in) % 8) {
	case 0:
	case 1:
	case 2:
		pit_port_write(pit, ports[take8(in) % 6], take8(in));
		break;
	case 3:
		pit_port_read(pit, ports[take8(in) % 6], &v);
		break;
	case 4:
		now += take8(in) & 1 ? take64(in) >> 8 : take16(in);
		break;
	case 5:
		if (timer != U64_MAX) {
			now = now > timer ? now : timer;
			timer = U64_MAX;
			pit_timer_fired(pit);
		}
		break;
	case 6:
		pit_get_state(pit, &s);
		if (take8(in) & 1)
			take(in, &s, sizeof(s));
		pit_set_state(pit, &s);
		break;
	default:
		pit_acked(pit);
		pit_set_reinject(pit, take8(in) & 1);
	}
	must(pit->pending <= PIT_PENDING_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dev_env env = { .ops = &env_ops };
	struct pit pit = { .ops = &ops, .env = &env };
	struct input in = { data, size };
	unsigned int steps = 0;

	now = 1000000;
	timer = U64_MAX;
	pit_init(&pit);
	while (in.left && steps++ < 256)
		one(&in, &pit);
	return 0;
}
