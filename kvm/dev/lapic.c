// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: life, incoming interrupts, priorities.
 *
 * An interrupt's way: lapic_request() (any thread) sets TMR and IRR and then
 * the hint irr_words, or leaves it in the inbox for the owner or the hardware
 * to fetch; lapic_pending_irq() (owner) compares the highest request with the
 * processor priority; lapic_ack() moves it into service;
 * lapic_eoi() ends it. SDM vol. 3, 11.8.
 *
 * Invariants: isr_highest is the highest bit of the ISR; the page's PPR is
 * that of its TPR and isr_highest (11.8.3.1); no bit below 16 is ever set in
 * IRR or ISR. irr_words has the number of each IRR register that has a bit whose
 * setter has returned: the setter stores the hint after the bit, the owner
 * clears the hint before it looks again.
 *
 * Locks: none. Who may call what is in lapic.h.
 */
#include "dev/lapic.h"

#define VECTORS 256
#define LOWEST_VECTOR 16
#define IRR_WORDS GENMASK(7, 0)

/* The bitmap registers hold 32 bits every 16 bytes. Bit operations work on
 * longs; the upper half of a long is never touched on little endian.
 */
static unsigned long *bitmap_word(const struct lapic *l, u32 reg, u8 vector)
{
	return (unsigned long *)((char *)l->regs + reg + (vector >> 5) * 16);
}

static bool bitmap_test(const struct lapic *l, u32 reg, u8 vector)
{
	return lapic_get(l, reg + (vector >> 5) * 16) >> (vector & 31) & 1;
}

static int bitmap_highest(const struct lapic *l, u32 reg, int words)
{
	while (--words >= 0) {
		u32 bits = lapic_get(l, reg + words * 16);

		if (bits)
			return words * 32 + fls(bits) - 1;
	}
	return -1;
}

static void update_ppr(struct lapic *l)
{
	u32 tpr = lapic_get(l, LAPIC_TPR);
	u32 isrv = l->isr_highest < 0 ? 0 : l->isr_highest;

	lapic_put(l, LAPIC_PPR, tpr >> 4 >= isrv >> 4 ? tpr : isrv & 0xf0);
}

static void set_ids(struct lapic *l)
{
	if (lapic_x2apic(l)) {
		lapic_put(l, LAPIC_ID, l->id);
		lapic_put(l, LAPIC_LDR, lapic_x2apic_ldr(l->id));
	} else {
		lapic_put(l, LAPIC_ID, l->id << 24);
	}
}

void lapic_init(struct lapic *l, const struct lapic_config *cfg, void *regs,
		u32 id)
{
	memset(l, 0, sizeof(*l));
	l->regs = regs;
	l->cfg = cfg;
	l->id = id;
	l->env.ops = cfg->env_ops;
	l->tsc_khz = 1000000;
	lapic_reset(l, false);
}

/* Owner: what came into the inbox is requested now. */
void lapic_take_accepted(struct lapic *l)
{
	unsigned long pir[4];
	unsigned int w;

	if (!l->posted || !posted_take(l->posted, pir))
		return;
	for (w = 0; w < 8; w++) {
		u32 bits = pir[w / 2] >> w % 2 * 32;

		if (!bits)
			continue;
		lapic_put(l, LAPIC_IRR + w * 16,
			  lapic_get(l, LAPIC_IRR + w * 16) | bits);
		set_bit(w, &l->irr_words);
	}
}

/*
 * Senders look at SVR, devices whose interrupts hardware posts do not: what is
 * in the inbox of a LAPIC that takes nothing was refused (SDM vol. 3,
 * 11.4.7.2). What came before was taken when SVR was written.
 */
static void take_posted(struct lapic *l)
{
	unsigned long pir[4];

	if (lapic_sw_enabled(l))
		lapic_take_accepted(l);
	else if (l->posted)
		posted_take(l->posted, pir);
}

void lapic_reset(struct lapic *l, bool init)
{
	bool bsp = l->id == l->cfg->bsp_id;
	u32 reg;

	lapic_timer_stop(l);
	l->timer.mode = 0;
	/* A reset forgets what was requested before it. */
	take_posted(l);
	if (!init)
		WRITE_ONCE(l->base, LAPIC_DEFAULT_BASE | APIC_BASE_EN |
				    (bsp ? APIC_BASE_BSP : 0));
	for (reg = 0; reg < sizeof(struct kvm_lapic_state); reg += 16)
		lapic_put(l, reg, 0);
	lapic_put(l, LAPIC_ICR_WIDE, 0);
	set_ids(l);
	lapic_put(l, LAPIC_DFR, U32_MAX);
	lapic_put(l, LAPIC_SVR, 0xff);
	for (reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg += 16)
		lapic_put(l, reg, LVT_MASKED);
	lapic_put(l, LAPIC_LVT_CMCI, LVT_MASKED);
	if (bsp && !l->cfg->no_lint0_extint)
		lapic_put(l, LAPIC_LVT0, DELIVER_EXTINT << 8);
	WRITE_ONCE(l->errors, 0);
	lapic_resync(l);
}

void lapic_resync(struct lapic *l)
{
	l->isr_highest = bitmap_highest(l, LAPIC_ISR, 8);
	update_ppr(l);
	lapic_put(l, LAPIC_VERSION, lapic_version(l));
	/* The next look at the IRR takes back those that have nothing. */
	WRITE_ONCE(l->irr_words, IRR_WORDS);
}

static bool base_allowed(const struct lapic *l, u64 value, bool host)
{
	u64 reserved = GENMASK_ULL(7, 0) | BIT_ULL(9) | l->cfg->base_reserved;
	bool was_x2apic = lapic_x2apic(l), was_on = lapic_enabled(l);

	if (!l->has_x2apic)
		reserved |= APIC_BASE_EXTD;
	if (value & reserved)
		return false;
	if ((value & APIC_BASE_EXTD) && !(value & APIC_BASE_EN))
		return false;
	if (host)
		return true;
	if (was_x2apic && (value & APIC_BASE_EN) && !(value & APIC_BASE_EXTD))
		return false;
	return was_on || !(value & APIC_BASE_EXTD);
}

enum msr_rc lapic_set_base(struct lapic *l, u64 value, bool host)
{
	u64 changed;

	if (!base_allowed(l, value, host))
		return MSR_BAD;
	changed = l->base ^ value;
	WRITE_ONCE(l->base, value);
	/* Enabling again finds the state of a reset: SDM vol. 3, 11.4.3 */
	if ((changed & APIC_BASE_EN) && !(value & APIC_BASE_EN))
		lapic_reset(l, true);
	else if (changed & (APIC_BASE_EN | APIC_BASE_EXTD))
		set_ids(l);
	return MSR_OK;
}

/* True if the trigger mode has just become level. */
static bool set_trigger(struct lapic *l, u8 vector, bool level)
{
	if (bitmap_test(l, LAPIC_TMR, vector) == level)
		return false;
	if (level)
		set_bit(vector & 31, bitmap_word(l, LAPIC_TMR, vector));
	else
		clear_bit(vector & 31, bitmap_word(l, LAPIC_TMR, vector));
	return level;
}

static bool set_irr(struct lapic *l, u8 vector)
{
	if (test_and_set_bit(vector & 31, bitmap_word(l, LAPIC_IRR, vector)))
		return false;
	if (!test_bit(vector >> 5, &l->irr_words))
		set_bit(vector >> 5, &l->irr_words);
	return true;
}

static enum lapic_rc request_posted(struct lapic *l, u8 vector, bool new_level)
{
	bool requested = bitmap_test(l, LAPIC_IRR, vector);

	if (new_level)
		l->cfg->ops->eoi_map(l);
	if (!posted_set(l->posted, vector))
		return LAPIC_COALESCED;
	l->cfg->ops->post(l);
	return requested ? LAPIC_COALESCED : LAPIC_DELIVERED;
}

enum lapic_rc lapic_request(struct lapic *l, u8 vector, bool level)
{
	bool new_level = set_trigger(l, vector, level);

	if (l->posted)
		return request_posted(l, vector, new_level);
	if (!set_irr(l, vector))
		return LAPIC_COALESCED;
	l->cfg->ops->kick(l);
	return LAPIC_DELIVERED;
}

void lapic_request_self(struct lapic *l, u8 vector)
{
	set_trigger(l, vector, false);
	set_irr(l, vector);
}

void lapic_error(struct lapic *l, unsigned int bit)
{
	u32 lvt = lapic_get(l, LAPIC_LVT_ERROR);
	u8 vector = lvt & LVT_VECTOR;

	set_bit(bit, &l->errors);
	if ((lvt & LVT_MASKED) || !lapic_sw_enabled(l))
		return;
	if (vector < LOWEST_VECTOR)
		set_bit(ESR_RECV_ILLEGAL, &l->errors);
	else
		lapic_request(l, vector, false);
}

static enum lapic_rc deliver_fixed(struct lapic *l, u8 vector, bool level)
{
	if (unlikely(!lapic_sw_enabled(l)))
		return LAPIC_IGNORED;
	if (unlikely(vector < LOWEST_VECTOR)) {
		lapic_error(l, ESR_RECV_ILLEGAL);
		return LAPIC_IGNORED;
	}
	return lapic_request(l, vector, level);
}

static enum lapic_rc deliver_init(struct lapic *l)
{
	/* A STARTUP of before would be lost in the reset. */
	clear_bit(LAPIC_EV_SIPI, &l->events);
	set_bit(LAPIC_EV_INIT, &l->events);
	l->cfg->ops->kick(l);
	return LAPIC_DELIVERED;
}

/*
 * The first after an INIT counts: a processor that has taken it waits for none
 * any more, whether its thread has got that far or not.
 */
static enum lapic_rc deliver_startup(struct lapic *l, u8 vector)
{
	if (test_bit(LAPIC_EV_SIPI, &l->events))
		return LAPIC_DELIVERED;
	WRITE_ONCE(l->sipi_vector, vector);
	smp_wmb();
	set_bit(LAPIC_EV_SIPI, &l->events);
	l->cfg->ops->kick(l);
	return LAPIC_DELIVERED;
}

enum lapic_rc lapic_deliver(struct lapic *l, const struct apic_msg *msg)
{
	switch (msg->delivery) {
	case DELIVER_FIXED:
	case DELIVER_LOWEST:
		return deliver_fixed(l, msg->vector, msg->level);
	case DELIVER_NMI:
		l->cfg->ops->nmi(l);
		return LAPIC_DELIVERED;
	case DELIVER_INIT:
		if (msg->level && !msg->assert)
			return LAPIC_IGNORED;
		return deliver_init(l);
	case DELIVER_STARTUP:
		return deliver_startup(l, msg->vector);
	case DELIVER_EXTINT:
		l->cfg->ops->kick(l);
		return LAPIC_DELIVERED;
	default:
		return LAPIC_IGNORED;
	}
}

bool lapic_accepts_extint(const struct lapic *l)
{
	u32 lvt = lapic_get(l, LAPIC_LVT0);

	if (!lapic_enabled(l))
		return true;
	return (lvt & (LVT_MASKED | LVT_DELIVERY)) == DELIVER_EXTINT << 8;
}

/* The register as it is, or 0 with its hint taken back. */
static u32 irr_word(struct lapic *l, unsigned int w)
{
	u32 reg = LAPIC_IRR + w * 16, bits = lapic_get(l, reg);

	if (bits)
		return bits;
	clear_bit(w, &l->irr_words);
	smp_mb();
	bits = lapic_get(l, reg);
	if (bits)
		set_bit(w, &l->irr_words);
	return bits;
}

int lapic_scan_irr(struct lapic *l)
{
	unsigned long words;
	u32 bits;

	if (l->posted)
		take_posted(l);
	for (words = READ_ONCE(l->irr_words); words;) {
		unsigned int w = __fls(words);

		bits = irr_word(l, w);
		if (bits)
			return w * 32 + fls(bits) - 1;
		words &= ~BIT(w);
	}
	return -1;
}

int lapic_next_irq(struct lapic *l)
{
	int irr;

	if (READ_ONCE(l->timer.hint))
		lapic_timer_sync(l);
	irr = lapic_highest_irr(l);
	if (irr < 0 || !lapic_enabled(l))
		return -1;
	return irr >> 4 > (int)(lapic_get(l, LAPIC_PPR) >> 4) ? irr : -1;
}

void lapic_ack(struct lapic *l, u8 vector)
{
	u32 isr = LAPIC_ISR + (vector >> 5) * 16;

	clear_bit(vector & 31, bitmap_word(l, LAPIC_IRR, vector));
	lapic_put(l, isr, lapic_get(l, isr) | 1U << (vector & 31));
	if (vector > l->isr_highest)
		l->isr_highest = vector;
	update_ppr(l);
}

static void report_eoi(struct lapic *l, u8 vector)
{
	bool level = bitmap_test(l, LAPIC_TMR, vector);

	if (level && (lapic_get(l, LAPIC_SVR) & SVR_NO_EOI_BROADCAST))
		return;
	if (level || test_bit(vector, l->cfg->eoi_watch))
		l->cfg->ops->eoi(l, vector, level);
}

void lapic_eoi(struct lapic *l)
{
	int vector = l->isr_highest;
	u32 isr;

	if (vector < 0)
		return;
	isr = LAPIC_ISR + (vector >> 5) * 16;
	lapic_put(l, isr, lapic_get(l, isr) & ~(1U << (vector & 31)));
	l->isr_highest = bitmap_highest(l, LAPIC_ISR, (vector >> 5) + 1);
	update_ppr(l);
	report_eoi(l, vector);
}

void lapic_set_tpr(struct lapic *l, u8 tpr)
{
	lapic_put(l, LAPIC_TPR, tpr);
	update_ppr(l);
}

void lapic_hw_ran(struct lapic *l, int in_service)
{
	l->isr_highest = in_service;
	/* What it took from the inbox may be in the IRR still. */
	WRITE_ONCE(l->irr_words, IRR_WORDS);
}

void lapic_hw_ended(struct lapic *l, u8 vector)
{
	report_eoi(l, vector);
}

static u64 bitmap_get64(const struct lapic *l, u32 reg, unsigned int w)
{
	return lapic_get(l, reg + w * 32) |
	       (u64)lapic_get(l, reg + w * 32 + 16) << 32;
}

void lapic_eoi_map(struct lapic *l, u64 map[4])
{
	unsigned int w, bit;

	take_posted(l);
	for (w = 0; w < 4; w++) {
		unsigned long level = bitmap_get64(l, LAPIC_TMR, w), missed;

		missed = level & ~map[w] & ~bitmap_get64(l, LAPIC_IRR, w) &
			 ~bitmap_get64(l, LAPIC_ISR, w);
		map[w] = level | READ_ONCE(l->cfg->eoi_watch[w]);
		for_each_set_bit(bit, &missed, 64)
			report_eoi(l, w * 64 + bit);
	}
}

static_assert(sizeof(((struct lapic_config *)0)->eoi_watch) * 8 == VECTORS);
static_assert(sizeof(struct kvm_lapic_state) == 1024);
