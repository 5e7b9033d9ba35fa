// SPDX-License-Identifier: GPL-2.0-only
/*
 * 8254. See pit.h for the state and the rules of use.
 *
 * Everything a guest can read follows from ticks(), the number of clock
 * pulses a counter has seen since it was loaded, by the mode definitions of
 * the data sheet. The gates of counters 0 and 1 are tied high, so only
 * counter 2 can pause or be triggered.
 *
 * Invariants: mode is 0 to 5 or PIT_MODE_NONE, count 1 to 65536; while the
 * gate of a counter in mode 0, 2, 3 or 4 is low, `paused` and not
 * count_load_time says how far it came.
 */
#include "base/div.h"
#include "dev/pit.h"

#define NSEC 1000000000U

#define FULL_BINARY 0x10000
#define FULL_BCD 10000

/* read_state, write_state and count_latched */
enum access {
	ACCESS_LOW = 1,
	ACCESS_HIGH = 2,
	ACCESS_LOW_THEN_HIGH = 3,
	ACCESS_HIGH_AT_LAST = 4,
};

static u64 now(const struct pit *pit)
{
	return pit->env->ops->now(pit->env);
}

static bool triggered_mode(const struct kvm_pit_channel_state *c)
{
	return c->mode == 1 || c->mode == 5;
}

static bool periodic_mode(const struct kvm_pit_channel_state *c)
{
	return c->mode == 2 || c->mode == 3;
}

/* Of those that need no trigger */
static bool one_shot_mode(const struct kvm_pit_channel_state *c)
{
	return c->mode == 0 || c->mode == 4;
}

/* Four digits, each perhaps beyond 9: the guest may write anything. */
static u32 from_bcd(u32 v)
{
	return (v & 15) + (v >> 4 & 15) * 10 + (v >> 8 & 15) * 100 +
	       (v >> 12 & 15) * 1000;
}

static u32 to_bcd(u32 v)
{
	return v % 10 | v / 10 % 10 << 4 | v / 100 % 10 << 8 |
	       v / 1000 % 10 << 12;
}

/* The initial count as a number of clock pulses */
static u32 initial(const struct kvm_pit_channel_state *c)
{
	u32 n;

	if (!c->bcd)
		return c->count;
	n = from_bcd(c->count & 0xffff);
	return n ? n : FULL_BCD;
}

/* The first ns at which @n pulses have passed */
static u64 pulses_to_ns(u32 n)
{
	return ((u64)n * NSEC + PIT_HZ - 1) / PIT_HZ;
}

static bool paused(const struct kvm_pit_channel_state *c)
{
	return !c->gate && !triggered_mode(c);
}

static u64 elapsed(const struct pit *pit, unsigned int n, u64 at)
{
	const struct kvm_pit_channel_state *c = &pit->st.channels[n];
	s64 ns = at - c->count_load_time;

	if (paused(c))
		return pit->paused[n];
	return ns < 0 ? 0 : ns;
}

static u64 ticks(const struct pit *pit, unsigned int n, u64 at)
{
	return div_mul(elapsed(pit, n, at), PIT_HZ, NSEC);
}

/* Mode 3: OUT is high for this many pulses, one more than low if n is odd */
static u32 high_half(u32 n)
{
	return (n + 1) / 2;
}

/* Mode 3 counts down by two in each half, from the even number */
static u32 square_wave_count(u32 n, u32 phase)
{
	if (phase >= high_half(n))
		phase -= high_half(n);
	return (n & ~1U) - 2 * phase;
}

/* The counting element as the bus sees it */
static u16 counter(const struct pit *pit, unsigned int n, u64 at)
{
	const struct kvm_pit_channel_state *c = &pit->st.channels[n];
	u32 full = c->bcd ? FULL_BCD : FULL_BINARY;
	u32 from = initial(c), value;
	u64 t = ticks(pit, n, at);

	switch (c->mode) {
	case 2:
		value = from - div_mod(t, from);
		break;
	case 3:
		value = square_wave_count(from, div_mod(t, from));
		break;
	default:
		/* one-shots wrap around and go on */
		value = div_mod(from + full - div_mod(t, full), full);
		break;
	}
	return c->bcd ? to_bcd(div_mod(value, full)) : value;
}

/* Mode Definitions: the level of OUT */
static bool output(const struct pit *pit, unsigned int n, u64 at)
{
	const struct kvm_pit_channel_state *c = &pit->st.channels[n];
	u32 from = initial(c);
	u64 t = ticks(pit, n, at);

	switch (c->mode) {
	case 0:
	case 1:
		return t >= from;
	case 2:
		return !c->gate || div_mod(t, from) != from - 1;
	case 3:
		return !c->gate || div_mod(t, from) < high_half(from);
	case 4:
	case 5:
		return t != from;
	default:
		return true;
	}
}

/*
 * Counter 0's interrupt
 */

static void disarm(struct pit *pit)
{
	pit->pending = 0;
	if (!pit->armed)
		return;
	pit->armed = false;
	pit->env->ops->timer_cancel(pit->env);
}

/* Start IRQ 0 from counter 0's state, in the phase of its load time. */
static void arm(struct pit *pit)
{
	const struct kvm_pit_channel_state *c = &pit->st.channels[0];
	u64 span = pulses_to_ns(initial(c)), at = now(pit), gone;

	disarm(pit);
	if (pit->st.flags & KVM_PIT_FLAGS_HPET_LEGACY)
		return;
	gone = elapsed(pit, 0, at);
	if (periodic_mode(c)) {
		span = max(span, PIT_MIN_PERIOD);
		pit->period = span;
		pit->next = at - div_mod(gone, span) + span;
	} else if (one_shot_mode(c) && gone < span) {
		pit->period = 0;
		pit->next = at - gone + span;
	} else {
		return;
	}
	pit->armed = true;
	pit->env->ops->timer_arm(pit->env, pit->next);
}

void pit_pulsed(struct pit *pit, int status)
{
	pit->waiting = status == LINE_LATER;
	/* It may have been programmed anew meanwhile. */
	if (!pit->pending)
		return;
	/* With nobody listening there is nothing to catch up on later. */
	if (status == LINE_IGNORED || !pit->reinject)
		pit->pending = 0;
	else if (status != LINE_COALESCED && status != LINE_LATER)
		pit->pending--;
}

static void hand_out(struct pit *pit)
{
	if (pit->pending && !pit->waiting)
		pit_pulsed(pit, pit->ops->pulse(pit));
}

void pit_timer_fired(struct pit *pit)
{
	u64 at = now(pit), due = 1, late;

	if (!pit->armed)
		return;
	if (at < pit->next) {	/* it was re-armed meanwhile */
		pit->env->ops->timer_arm(pit->env, pit->next);
		return;
	}
	if (pit->period) {
		late = at - pit->next;
		due += div_by(late, pit->period);
		pit->next = at - div_mod(late, pit->period) + pit->period;
		pit->env->ops->timer_arm(pit->env, pit->next);
	} else {
		pit->armed = false;
	}
	pit->pending = min_t(u64, pit->pending + due, PIT_PENDING_MAX);
	hand_out(pit);
}

void pit_acked(struct pit *pit)
{
	hand_out(pit);
}

void pit_set_reinject(struct pit *pit, bool on)
{
	pit->reinject = on;
	pit->pending = 0;
}

/*
 * Counters
 */

static void load(struct pit *pit, unsigned int n, u16 val)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];

	c->count = val ? val : FULL_BINARY;
	c->count_load_time = now(pit);
	pit->paused[n] = 0;
	/* Until a trigger: as if the shot were long over. */
	if (triggered_mode(c))
		c->count_load_time -= pulses_to_ns(FULL_BINARY + 1);
	if (n == 0)
		arm(pit);
}

static void set_gate(struct pit *pit, unsigned int n, bool gate)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];
	u64 at = now(pit);

	if (c->gate == gate)
		return;
	if (!gate) {
		pit->paused[n] = elapsed(pit, n, at);
	} else {
		c->count_load_time = at;
		if (!triggered_mode(c) && !periodic_mode(c))
			c->count_load_time -= pit->paused[n];
	}
	c->gate = gate;
}

static void write_counter(struct pit *pit, unsigned int n, u8 val)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];

	switch (c->write_state) {
	case ACCESS_HIGH:
		load(pit, n, val << 8);
		break;
	case ACCESS_LOW_THEN_HIGH:
		c->write_latch = val;
		c->write_state = ACCESS_HIGH_AT_LAST;
		break;
	case ACCESS_HIGH_AT_LAST:
		c->write_state = ACCESS_LOW_THEN_HIGH;
		load(pit, n, c->write_latch | val << 8);
		break;
	default:
		load(pit, n, val);
		break;
	}
}

static void latch_count(struct pit *pit, unsigned int n)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];

	if (c->count_latched)
		return;
	c->latched_count = counter(pit, n, now(pit));
	c->count_latched = c->rw_mode ? c->rw_mode : ACCESS_LOW;
}

/* Read-Back Command: the status byte */
static void latch_status(struct pit *pit, unsigned int n)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];

	if (c->status_latched)
		return;
	c->status = output(pit, n, now(pit)) << 7 | (c->rw_mode & 3) << 4 |
		    (c->mode & 7) << 1 | c->bcd;
	c->status_latched = 1;
}

static void read_back(struct pit *pit, u8 val)
{
	unsigned int n;

	for (n = 0; n < PIT_CHANNELS; n++) {
		if (!(val & 2 << n))
			continue;
		if (!(val & BIT(5)))
			latch_count(pit, n);
		if (!(val & BIT(4)))
			latch_status(pit, n);
	}
}

/* A new mode stops the counter until a count is written. */
static void set_mode(struct pit *pit, unsigned int n, u8 val)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];

	c->rw_mode = val >> 4 & 3;
	c->read_state = c->rw_mode;
	c->write_state = c->rw_mode;
	c->count_latched = 0;
	c->status_latched = 0;
	c->mode = val >> 1 & 7;
	if (c->mode > 5)
		c->mode &= 3;
	c->bcd = val & 1;
	/* OUT starts low in mode 0 only: Control Word in each mode's section */
	c->count = FULL_BINARY;
	c->count_load_time = now(pit);
	pit->paused[n] = 0;
	if (triggered_mode(c))
		c->count_load_time -= pulses_to_ns(FULL_BINARY + 1);
	if (n == 0)
		disarm(pit);
}

static void write_control(struct pit *pit, u8 val)
{
	unsigned int n = val >> 6;

	if (n == PIT_CHANNELS)
		read_back(pit, val);
	else if (val >> 4 & 3)
		set_mode(pit, array_index_nospec(n, PIT_CHANNELS), val);
	else
		latch_count(pit, array_index_nospec(n, PIT_CHANNELS));
}

static u8 read_latched(struct kvm_pit_channel_state *c)
{
	switch (c->count_latched) {
	case ACCESS_LOW_THEN_HIGH:
		c->count_latched = ACCESS_HIGH;
		return c->latched_count;
	case ACCESS_HIGH:
		c->count_latched = 0;
		return c->latched_count >> 8;
	default:
		c->count_latched = 0;
		return c->latched_count;
	}
}

static u8 read_counter(struct pit *pit, unsigned int n)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];
	u16 value;

	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched)
		return read_latched(c);
	value = counter(pit, n, now(pit));
	switch (c->read_state) {
	case ACCESS_HIGH:
		return value >> 8;
	case ACCESS_LOW_THEN_HIGH:
		c->read_state = ACCESS_HIGH_AT_LAST;
		return value;
	case ACCESS_HIGH_AT_LAST:
		c->read_state = ACCESS_LOW_THEN_HIGH;
		return value >> 8;
	default:
		return value;
	}
}

/*
 * Port 61h (PIIX4, NMI Status and Control): bit 0 gate 2, bit 1 speaker, bit 4
 * toggles with each memory refresh, 15.085 us, bit 5 OUT of counter 2.
 */
#define REFRESH_NS 15085U

static u8 read_port61(const struct pit *pit)
{
	u64 at = now(pit);
	bool refresh = at / REFRESH_NS & 1;

	return pit->st.channels[2].gate |
	       !!(pit->st.flags & KVM_PIT_FLAGS_SPEAKER_DATA_ON) << 1 |
	       refresh << 4 | output(pit, 2, at) << 5;
}

static void write_port61(struct pit *pit, u8 val)
{
	set_gate(pit, 2, val & BIT(0));
	if (val & BIT(1))
		pit->st.flags |= KVM_PIT_FLAGS_SPEAKER_DATA_ON;
	else
		pit->st.flags &= ~KVM_PIT_FLAGS_SPEAKER_DATA_ON;
}

bool pit_port_write(struct pit *pit, u16 port, u8 val)
{
	switch (port) {
	case 0x40:
	case 0x41:
	case 0x42:
		write_counter(pit, array_index_nospec(port & 3, PIT_CHANNELS),
			      val);
		return true;
	case 0x43:
		write_control(pit, val);
		return true;
	case 0x61:
		write_port61(pit, val);
		return true;
	default:
		return false;
	}
}

bool pit_port_read(struct pit *pit, u16 port, u8 *val)
{
	switch (port) {
	case 0x40:
	case 0x41:
	case 0x42:
		*val = read_counter(pit, array_index_nospec(port & 3,
							    PIT_CHANNELS));
		return true;
	case 0x43:
		*val = 0;	/* write-only */
		return true;
	case 0x61:
		*val = read_port61(pit);
		return true;
	default:
		return false;
	}
}

void pit_init(struct pit *pit)
{
	unsigned int n;

	pit->armed = false;
	pit->reinject = true;
	pit->pending = 0;
	pit->waiting = false;
	pit->st = (struct kvm_pit_state2){};
	for (n = 0; n < PIT_CHANNELS; n++) {
		pit->paused[n] = 0;
		pit->st.channels[n] = (struct kvm_pit_channel_state){
			.count = FULL_BINARY,
			.mode = PIT_MODE_NONE,
			.gate = n != 2,
			.count_load_time = now(pit),
		};
	}
}

void pit_get_state(const struct pit *pit, struct kvm_pit_state2 *state)
{
	u64 at = now(pit);
	unsigned int n;

	*state = pit->st;
	for (n = 0; n < PIT_CHANNELS; n++)
		if (paused(&pit->st.channels[n]))
			state->channels[n].count_load_time =
				at - pit->paused[n];
}

static void sanitize(struct pit *pit, unsigned int n, u64 at)
{
	struct kvm_pit_channel_state *c = &pit->st.channels[n];
	s64 age;

	if (!c->count || c->count > FULL_BINARY)
		c->count = FULL_BINARY;
	c->read_state = min_t(u8, c->read_state, ACCESS_HIGH_AT_LAST);
	c->write_state = min_t(u8, c->write_state, ACCESS_HIGH_AT_LAST);
	c->count_latched = min_t(u8, c->count_latched, ACCESS_LOW_THEN_HIGH);
	c->status_latched = !!c->status_latched;
	c->rw_mode &= 3;
	if (c->mode > 5)
		c->mode = PIT_MODE_NONE;
	c->bcd = !!c->bcd;
	c->gate = n != 2 || c->gate;
	age = at - c->count_load_time;
	if (age < 0)
		c->count_load_time = at;
	pit->paused[n] = paused(c) ? at - c->count_load_time : 0;
}

void pit_set_state(struct pit *pit, const struct kvm_pit_state2 *state)
{
	struct kvm_pit_channel_state old = pit->st.channels[0];
	struct kvm_pit_channel_state *c = &pit->st.channels[0];
	u32 old_flags = pit->st.flags;
	u64 at = now(pit);
	unsigned int n;

	memcpy(pit->st.channels, state->channels, sizeof(pit->st.channels));
	pit->st.flags = state->flags & (KVM_PIT_FLAGS_HPET_LEGACY |
					KVM_PIT_FLAGS_SPEAKER_DATA_ON);
	for (n = 0; n < PIT_CHANNELS; n++)
		sanitize(pit, n, at);
	if (c->count == old.count && c->mode == old.mode &&
	    c->bcd == old.bcd && c->count_load_time == old.count_load_time &&
	    !((old_flags ^ pit->st.flags) & KVM_PIT_FLAGS_HPET_LEGACY))
		return;
	if (one_shot_mode(c) &&
	    at - c->count_load_time >= pulses_to_ns(initial(c)))
		c->count_load_time = at;
	arm(pit);
}
