/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A world for local APICs under test: a few APICs on one bus, a clock that
 * moves when told to, and a record of what the APICs asked of their owner.
 */
#ifndef LAPIC_WORLD_H
#define LAPIC_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dev/lapic.h"

#define WORLD_APICS 20

struct world_apic {
	struct lapic lapic;
	u8 page[4096] __aligned(4096);
	unsigned int kicks, nmis, eois;
	int last_eoi;
	bool last_eoi_level;
	unsigned int arms, cancels;
	bool host_armed;
	u64 host_when;
	bool hw_takes;		/* what ops->deadline() answers */
	bool hw_armed;
	u64 hw_tsc;
};

static struct world {
	struct lapic_config cfg;
	struct world_apic apic[WORLD_APICS];
	u64 now;
	u64 tsc_offset;
	unsigned int msgs;
	struct apic_msg last_msg;
	u64 seed;
} world;

static inline struct world_apic *world_of(struct lapic *l)
{
	return container_of(l, struct world_apic, lapic);
}

static void world_kick(struct lapic *l)
{
	world_of(l)->kicks++;
}

static void world_nmi(struct lapic *l)
{
	world_of(l)->nmis++;
}

static void world_eoi(struct lapic *l, u8 vector, bool level)
{
	world_of(l)->eois++;
	world_of(l)->last_eoi = vector;
	world_of(l)->last_eoi_level = level;
}

static void world_send_ipi(struct lapic *l, const struct apic_msg *msg)
{
	(void)l;
	world.msgs++;
	world.last_msg = *msg;
}

/* The guest's TSC: tsc_khz cycles per millisecond of the world's clock. */
static u64 world_tsc(struct lapic *l)
{
	return mul_u64_u32_div(world.now, l->tsc_khz, 1000000) +
	       world.tsc_offset;
}

static u64 world_now(struct dev_env *env)
{
	(void)env;
	return world.now;
}

static void world_arm(struct dev_env *env, u64 when)
{
	struct world_apic *a = container_of(env, struct world_apic, lapic.env);

	a->arms++;
	a->host_armed = true;
	a->host_when = when;
	a->hw_armed = false;
}

static void world_cancel(struct dev_env *env)
{
	struct world_apic *a = container_of(env, struct world_apic, lapic.env);

	a->cancels++;
	a->host_armed = false;
	a->hw_armed = false;
}

static bool world_deadline(struct lapic *l, u64 tsc)
{
	struct world_apic *a = world_of(l);

	if (!a->hw_takes)
		return false;
	a->host_armed = false;
	a->hw_armed = true;
	a->hw_tsc = tsc;
	return true;
}

static const struct dev_env_ops world_env_ops = {
	.now = world_now,
	.timer_arm = world_arm,
	.timer_cancel = world_cancel,
};

static const struct lapic_ops world_ops = {
	.kick = world_kick,
	.nmi = world_nmi,
	.send_ipi = world_send_ipi,
	.eoi = world_eoi,
	.read_tsc = world_tsc,
	.deadline = world_deadline,
};

/** world_reset() - all APICs as after power-on, ids 0 to WORLD_APICS - 1 */
static inline void world_reset(void)
{
	unsigned int i;

	memset(&world, 0, sizeof(world));
	world.now = 1000000000;
	world.seed = 88172645463325252ULL;
	world.cfg = (struct lapic_config){
		.ops = &world_ops,
		.env_ops = &world_env_ops,
		.base_reserved = ~0ULL << 40,
		.bus_cycle_ns = 1,
		.min_period_ns = LAPIC_MIN_PERIOD_NS,
	};
	for (i = 0; i < WORLD_APICS; i++) {
		struct world_apic *a = &world.apic[i];

		lapic_init(&a->lapic, &world.cfg, a->page, i);
		a->lapic.has_x2apic = true;
		a->lapic.has_tsc_deadline = true;
		a->last_eoi = -1;
	}
}

/** world_apic() - APIC @i */
static inline struct lapic *world_apic(unsigned int i)
{
	return &world.apic[i].lapic;
}

/** world_run() - let time pass; host timers that are due fire */
static inline void world_run(u64 ns)
{
	unsigned int i;

	world.now += ns;
	for (i = 0; i < WORLD_APICS; i++) {
		struct world_apic *a = &world.apic[i];

		if (a->host_armed && a->host_when <= world.now) {
			a->host_armed = false;
			lapic_timer_fired(&a->lapic);
		}
	}
}

/** world_random() - xorshift; the same numbers in each run */
static inline u64 world_random(void)
{
	world.seed ^= world.seed << 13;
	world.seed ^= world.seed >> 7;
	world.seed ^= world.seed << 17;
	return world.seed;
}

static inline u32 mmio_get(struct lapic *l, u32 reg)
{
	u32 value;

	lapic_mmio_read(l, reg, 4, &value);
	return value;
}

static inline void mmio_put(struct lapic *l, u32 reg, u32 value)
{
	lapic_mmio_write(l, reg, 4, &value);
}

/** world_enable() - SVR enable with spurious vector 0xff */
static inline void world_enable(struct lapic *l)
{
	mmio_put(l, LAPIC_SVR, 0x1ff);
}

/** world_x2apic() - switch to x2APIC mode and enable */
static inline void world_x2apic(struct lapic *l)
{
	assert_int_equal(lapic_set_base(l, l->base | APIC_BASE_EN |
					APIC_BASE_EXTD, true), MSR_OK);
	assert_int_equal(lapic_msr_write(l, 0x80f, 0x1ff), MSR_OK);
}

/** world_fixed() - deliver a fixed interrupt */
static inline enum lapic_rc world_fixed(struct lapic *l, u8 vector, bool level)
{
	return lapic_deliver(l, &(struct apic_msg){
		.vector = vector,
		.delivery = DELIVER_FIXED,
		.level = level,
	});
}

#endif
