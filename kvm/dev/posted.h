/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A LAPIC's inbox: the posted-interrupt descriptor of SDM vol. 3, 30.6.
 *
 * While hardware delivers a vCPU's interrupts it alone may change the page of
 * registers. Who sends one sets the vector's bit in PIR, then ON; if ON was
 * clear, the sender has to see to it that somebody looks: by a notification
 * interrupt to a vCPU in guest mode, or by waking it. Whoever looks, the
 * hardware or the owner, clears ON first and then takes the bits.
 *
 * Invariant: a bit whose sender has returned from posted_notify() is in the
 * IRR, or in PIR with ON set, or its taker is between the two steps. So no
 * interrupt is lost, and a look that finds ON clear has nothing to fetch.
 *
 * The other fields are for remapping hardware that posts on behalf of devices.
 * Pure; atomic operations only, any context.
 */
#ifndef DEV_POSTED_H
#define DEV_POSTED_H

#include "base/host.h"

struct posted {
	unsigned long pir[4];	/* posted-interrupt requests: a bit a vector */
	unsigned long control;	/* POSTED_* */
	u64 reserved[3];
} __aligned(64);

static_assert(sizeof(struct posted) == 64, "SDM vol. 3, table 30-1");
static_assert(offsetof(struct posted, control) == 32, "the same");

/* Bits of control: ON by number, the others as fields. */
#define POSTED_ON 0			/* outstanding notification */
#define POSTED_SN 1			/* devices: post, do not notify */
#define POSTED_NV_SHIFT 16		/* devices: with this vector */
#define POSTED_NV GENMASK_ULL(23, 16)
#define POSTED_NDST_SHIFT 32		/* devices: to this APIC */
#define POSTED_NDST GENMASK_ULL(63, 32)

/** posted_set() - request @vector; false if it was requested already */
static inline bool posted_set(struct posted *p, u8 vector)
{
	return !test_and_set_bit(vector % BITS_PER_LONG,
				 &p->pir[vector / BITS_PER_LONG]);
}

/** posted_has() - is @vector in the inbox */
static inline bool posted_has(const struct posted *p, u8 vector)
{
	return READ_ONCE(p->pir[vector / BITS_PER_LONG]) >>
	       vector % BITS_PER_LONG & 1;
}

/**
 * posted_notify() - after posted_set(): does the caller have to notify
 *
 * A full barrier stands between the requests and what the caller looks at
 * next. False: somebody else has to, or has done it.
 */
static inline bool posted_notify(struct posted *p)
{
	return !test_and_set_bit(POSTED_ON, &p->control);
}

/** posted_pending() - is there anything to take */
static inline bool posted_pending(const struct posted *p)
{
	return READ_ONCE(p->control) & BIT(POSTED_ON);
}

/**
 * posted_take() - owner, not in guest mode: empty the inbox into @pir
 *
 * False: there was nothing, @pir is not written.
 */
static inline bool posted_take(struct posted *p, unsigned long pir[4])
{
	unsigned int i;

	if (!posted_pending(p))
		return false;
	clear_bit(POSTED_ON, &p->control);
	/* A bit set from here on sets ON again. */
	smp_mb();
	for (i = 0; i < ARRAY_SIZE(p->pir); i++)
		pir[i] = READ_ONCE(p->pir[i]) ? xchg(&p->pir[i], 0) : 0;
	return true;
}

/**
 * posted_target() - owner: where and how devices' interrupts notify
 * @apic_id: of a host CPU, in the form remapping hardware wants
 * @suppress: set the bits only
 */
static inline void posted_target(struct posted *p, u32 apic_id, u8 vector,
				 bool suppress)
{
	unsigned long old = READ_ONCE(p->control), new, was;

	for (;;) {
		new = (old & BIT(POSTED_ON)) |
		      (suppress ? BIT(POSTED_SN) : 0) |
		      (unsigned long)vector << POSTED_NV_SHIFT |
		      (unsigned long)apic_id << POSTED_NDST_SHIFT;
		was = cmpxchg(&p->control, old, new);
		if (was == old)
			return;
		old = was;
	}
}

#endif
