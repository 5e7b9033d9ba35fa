// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: the timer. SDM vol. 3, 11.5.4.
 *
 * One-shot and periodic count down a clock of bus_cycle_ns per tick, divided
 * by TDCR; the count is never stored but computed from `expires`. A TSC
 * deadline is a value of the guest's TSC, converted to host time when it is
 * armed and compared as TSC when the host timer fires: rounding or a host
 * clock that is being adjusted can make the host timer early, never the
 * guest's interrupt.
 *
 * The host timer's callback only sets timer.hint. The owner then looks at the
 * clock (lapic_timer_sync) and alone changes state: a callback that was under
 * way when the timer was reprogrammed cannot do wrong, and a periodic timer of
 * a vCPU that is not running does not tick on the host.
 *
 * Where hardware can watch a TSC deadline while the guest runs, ops->deadline
 * takes the host timer's place; the owner goes back to the host timer before
 * it sleeps (lapic_timer_restart).
 *
 * Invariant: armed means that the host timer or the hardware is set for the
 * expiry, or that hint is set, or that lapic_timer_sync is being run.
 */
#include "base/div.h"
#include "dev/lapic.h"

enum timer_mode {
	TIMER_ONESHOT,
	TIMER_PERIODIC,
	TIMER_DEADLINE,
	TIMER_RESERVED,
};

#define FIRST_VECTOR 16

/* Deadlines further off than this many TSC ticks are armed in steps: keeps the
 * conversion within 64 bits at any tsc_khz.
 */
#define MAX_TSC_STEP (1ULL << 43)

static enum timer_mode mode_of(u32 lvt)
{
	return (lvt & LVT_TIMER_MODE) >> 17;
}

static enum timer_mode mode(const struct lapic *l)
{
	return l->timer.mode;
}

static u64 now(struct lapic *l)
{
	return l->env.ops->now(&l->env);
}

/* SDM vol. 3, figure 11-10: bits 3, 1, 0 are 2 to 128, then 1 */
static u64 unit_ns(const struct lapic *l)
{
	u32 tdcr = lapic_get(l, LAPIC_TDCR);
	u32 code = (tdcr & 3) | (tdcr & 8) >> 1;

	return (u64)l->cfg->bus_cycle_ns << (code == 7 ? 0 : code + 1);
}

static void raise(struct lapic *l)
{
	u32 lvt = lapic_get(l, LAPIC_LVT_TIMER);

	if ((lvt & LVT_MASKED) || !lapic_sw_enabled(l))
		return;
	if ((lvt & LVT_VECTOR) < FIRST_VECTOR)
		lapic_error(l, ESR_RECV_ILLEGAL);
	else
		lapic_request_self(l, lvt & LVT_VECTOR);
}

static void disarm(struct lapic *l)
{
	if (!l->timer.armed)
		return;
	l->timer.armed = false;
	l->env.ops->timer_cancel(&l->env);
}

void lapic_timer_stop(struct lapic *l)
{
	disarm(l);
	l->timer.tsc_deadline = 0;
}

/* Set the host timer; or expire, if the deadline has passed. */
static void run_deadline(struct lapic *l)
{
	u64 tsc = l->cfg->ops->read_tsc(l), ns;

	if (tsc >= l->timer.tsc_deadline) {
		lapic_timer_stop(l);
		raise(l);
		return;
	}
	l->timer.armed = true;
	if (l->cfg->ops->deadline &&
	    l->cfg->ops->deadline(l, l->timer.tsc_deadline))
		return;
	ns = div_mul(min(l->timer.tsc_deadline - tsc, MAX_TSC_STEP), 1000000,
		     max(l->tsc_khz, 1U));
	l->env.ops->timer_arm(&l->env, now(l) + ns + 1);
}

static void set_period(struct lapic *l)
{
	l->timer.period = lapic_get(l, LAPIC_TMICT) * unit_ns(l);
	if (l->timer.period < l->cfg->min_period_ns)
		l->timer.period = l->cfg->min_period_ns;
	/* min_period_ns may be 0, and a period of 0 would never be over. */
	if (!l->timer.period)
		l->timer.period = 1;
}

static void run_count(struct lapic *l, u32 count)
{
	u64 ns;

	l->timer.unit = unit_ns(l);
	ns = count * l->timer.unit;
	set_period(l);
	if (mode(l) == TIMER_PERIODIC && count == lapic_get(l, LAPIC_TMICT))
		ns = l->timer.period;
	l->timer.armed = true;
	l->timer.expires = now(l) + ns;
	l->env.ops->timer_arm(&l->env, l->timer.expires);
}

void lapic_timer_fired(struct lapic *l)
{
	WRITE_ONCE(l->timer.hint, true);
	/* Pairs with smp_mb() in lapic_timer_sync(). */
	smp_mb();
	l->cfg->ops->kick(l);
}

static void sync_count(struct lapic *l)
{
	u64 late = now(l) - l->timer.expires;

	if ((s64)late < 0) {
		l->env.ops->timer_arm(&l->env, l->timer.expires);
		return;
	}
	if (mode(l) == TIMER_PERIODIC) {
		l->timer.expires += l->timer.period;
		if (late >= l->timer.period)
			l->timer.expires += late -
					    div_mod(late, l->timer.period);
		l->env.ops->timer_arm(&l->env, l->timer.expires);
	} else {
		l->timer.armed = false;
	}
	raise(l);
}

void lapic_timer_sync(struct lapic *l)
{
	WRITE_ONCE(l->timer.hint, false);
	smp_mb();
	if (!l->timer.armed)
		return;
	if (mode(l) == TIMER_DEADLINE)
		run_deadline(l);
	else
		sync_count(l);
}

void lapic_timer_catch_up(struct lapic *l)
{
	if (READ_ONCE(l->timer.hint) ||
	    (l->timer.armed && mode(l) < TIMER_DEADLINE &&
	     (s64)(now(l) - l->timer.expires) >= 0))
		lapic_timer_sync(l);
}

void lapic_timer_restart(struct lapic *l)
{
	if (l->timer.armed && mode(l) == TIMER_DEADLINE)
		run_deadline(l);
}

u64 lapic_get_tsc_deadline(struct lapic *l)
{
	if (READ_ONCE(l->timer.hint))
		lapic_timer_sync(l);
	return mode(l) == TIMER_DEADLINE ? l->timer.tsc_deadline : 0;
}

void lapic_set_tsc_deadline(struct lapic *l, u64 deadline)
{
	if (mode(l) != TIMER_DEADLINE)
		return;
	if (!deadline) {
		lapic_timer_stop(l);
		return;
	}
	l->timer.tsc_deadline = deadline;
	run_deadline(l);
}

void lapic_timer_write_count(struct lapic *l, u32 value)
{
	if (mode(l) >= TIMER_DEADLINE) {
		/* Hardware may have stored it, which software would not. */
		lapic_put(l, LAPIC_TMICT, 0);
		return;
	}
	lapic_put(l, LAPIC_TMICT, value);
	if (value)
		run_count(l, value);
	else
		disarm(l);
}

void lapic_timer_write_lvt(struct lapic *l, u32 value)
{
	enum timer_mode old = mode(l), new = mode_of(value);

	/* What was due before the write goes by the old entry. */
	if (READ_ONCE(l->timer.hint))
		lapic_timer_sync(l);
	lapic_put(l, LAPIC_LVT_TIMER, value);
	l->timer.mode = new;
	if (old == new || (old < TIMER_DEADLINE && new < TIMER_DEADLINE))
		return;
	lapic_timer_stop(l);
	lapic_put(l, LAPIC_TMICT, 0);
}

void lapic_timer_write_divide(struct lapic *l, u32 value)
{
	u32 count = lapic_timer_count(l);

	lapic_put(l, LAPIC_TDCR, value);
	if (count)
		run_count(l, count);
}

u32 lapic_timer_count(struct lapic *l)
{
	u64 left, count;

	if (!l->timer.armed || mode(l) >= TIMER_DEADLINE)
		return 0;
	left = l->timer.expires - now(l);
	if ((s64)left <= 0) {
		if (mode(l) != TIMER_PERIODIC)
			return 0;
		left = l->timer.period - div_mod(-left, l->timer.period);
	}
	count = div_up(left, l->timer.unit);
	return min_t(u64, count, lapic_get(l, LAPIC_TMICT));
}

void lapic_timer_restore(struct lapic *l, u32 tmcct)
{
	u32 initial = lapic_get(l, LAPIC_TMICT);

	disarm(l);
	l->timer.mode = mode_of(lapic_get(l, LAPIC_LVT_TIMER));
	if (mode(l) >= TIMER_DEADLINE) {
		if (l->timer.tsc_deadline)
			run_deadline(l);
		return;
	}
	l->timer.tsc_deadline = 0;
	if (!initial)
		return;
	if (!tmcct && mode(l) == TIMER_ONESHOT)
		raise(l);
	else
		run_count(l, tmcct && tmcct < initial ? tmcct : initial);
}
