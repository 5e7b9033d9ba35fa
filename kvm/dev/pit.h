/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PC's 8254 interval timer: three counters at 1.193182 MHz, of which
 * counter 0 raises IRQ 0, and the bits of port 61h that belong to counter 2
 * (Intel 8254 data sheet; 82371AB (PIIX4) data sheet for port 61h).
 *
 * Its state is struct kvm_pit_state2, as KVM_GET_PIT2 shows it. There, count
 * is the last count written (0 stands for 65536), count_load_time the time
 * from which it counts down in ns of dev_env's clock; rw_mode is 1 low byte,
 * 2 high byte, 3 both; read_state and write_state are 1 or 2 for a single
 * byte, 3 and 4 for the first and second of two; count_latched is the state
 * in which the next byte of a latched count is read, 0 for not latched; mode
 * is 0 to 5, or ff before the first control word.
 *
 * A counter is a function of the time since it was loaded: nothing ticks.
 * Only counter 0 uses the timer. Its interrupts are counted when they fall
 * due (`pending`) and handed out one by one, as the chips that receive them
 * take them: a guest that could not run catches up. With reinjection off each
 * is raised once, and one that coalesces is gone. While a pulse is on its way
 * in another thread (LINE_LATER), those that fall due are only counted.
 *
 * No lock: the owner (irq/chip.c) serializes all calls and may have
 * interrupts off. ops->pulse() is called from inside; it must not call back.
 *
 * Simplifications: a new count takes effect at once instead of at the end of
 * the running period; in modes 1 and 5 it also ends a shot under way; the
 * null-count bit is always 0.
 */
#ifndef DEV_PIT_H
#define DEV_PIT_H

#include "base/host.h"
#include "dev/env.h"
#include "dev/line.h"

#define PIT_HZ 1193182U
#define PIT_CHANNELS 3
#define PIT_MODE_NONE 0xff
/* No guest gets more than 5000 timer interrupts a second out of the host. */
#define PIT_MIN_PERIOD 200000ULL	/* ns */
#define PIT_PENDING_MAX (1U << 20)

static_assert(sizeof(struct kvm_pit_channel_state) == 24);
static_assert(sizeof(struct kvm_pit_state2) ==
	      PIT_CHANNELS * 24 + 4 + 9 * 4);

struct pit;

struct pit_ops {
	/*
	 * Raise and lower IRQ 0; what became of the edge, see dev/line.h. After
	 * LINE_LATER the owner calls pit_pulsed().
	 */
	int (*pulse)(struct pit *pit);
};

struct pit {
	const struct pit_ops *ops;
	struct dev_env *env;
	struct kvm_pit_state2 st;
	u64 paused[PIT_CHANNELS];	/* ns counted when the gate fell */
	bool armed;
	u64 next;		/* when IRQ 0 falls due, if armed */
	u64 period;		/* ns; 0: only once */
	bool reinject;
	u32 pending;		/* due, but not taken yet */
	bool waiting;		/* for pit_pulsed() */
};

/** pit_init() - power-on state, reinjection on; @pit->ops and env are set */
void pit_init(struct pit *pit);

/**
 * pit_port_write() - a byte to port 40h to 43h or 61h
 *
 * Return: is it a port of the chip.
 */
bool pit_port_write(struct pit *pit, u16 port, u8 val);

/** pit_port_read() - a byte from a port; see pit_port_write() */
bool pit_port_read(struct pit *pit, u16 port, u8 *val);

/** pit_timer_fired() - the timer armed through dev_env has come */
void pit_timer_fired(struct pit *pit);

/** pit_acked() - the guest ended an IRQ 0: the next pending one may go */
void pit_acked(struct pit *pit);

/** pit_pulsed() - what became of a pulse after LINE_LATER, as pulse() says it */
void pit_pulsed(struct pit *pit, int status);

/** pit_set_reinject() - KVM_REINJECT_CONTROL */
void pit_set_reinject(struct pit *pit, bool on);

/** pit_get_state() - KVM_GET_PIT2 */
void pit_get_state(const struct pit *pit, struct kvm_pit_state2 *state);

/**
 * pit_set_state() - KVM_SET_PIT2
 *
 * Any content will do: what no chip could hold is changed to what it could.
 * IRQ 0 goes on in the phase that count_load_time gives, and what was pending
 * stays so unless counter 0 changes. A one-shot of counter 0 that is new and
 * over already starts now: the time may be that of another host's clock, and a
 * guest that waits for it would wait for ever.
 */
void pit_set_state(struct pit *pit, const struct kvm_pit_state2 *state);

#endif
