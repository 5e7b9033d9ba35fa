// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: registers, modes, priorities and state, against the manual and
 * against a model that is slow and simple.
 */
#include "lapic_world.h"

static int setup(void **state)
{
	(void)state;
	world_reset();
	return 0;
}

static void test_reset_values(void **state)
{
	struct lapic *l = world_apic(0), *ap = world_apic(3);
	u32 reg;

	(void)state;
	assert_true(l->base == (0xfee00000 | APIC_BASE_EN | APIC_BASE_BSP));
	assert_true(ap->base == (0xfee00000 | APIC_BASE_EN));
	assert_int_equal(mmio_get(ap, LAPIC_ID), 3 << 24);
	assert_int_equal(mmio_get(l, LAPIC_VERSION), 0x50014);
	assert_int_equal(mmio_get(l, LAPIC_SVR), 0xff);
	assert_int_equal(mmio_get(l, LAPIC_DFR), 0xffffffff);
	assert_int_equal(mmio_get(l, LAPIC_LDR), 0);
	for (reg = LAPIC_LVT_TIMER; reg <= LAPIC_LVT_ERROR; reg += 16) {
		assert_int_equal(mmio_get(ap, reg), LVT_MASKED);
		if (reg != LAPIC_LVT0)
			assert_int_equal(mmio_get(l, reg), LVT_MASKED);
	}
	assert_int_equal(mmio_get(l, LAPIC_LVT0), 0x700);
	assert_true(lapic_accepts_extint(l));
	assert_false(lapic_accepts_extint(ap));

	world.cfg.no_lint0_extint = true;
	lapic_reset(l, false);
	assert_int_equal(mmio_get(l, LAPIC_LVT0), LVT_MASKED);
	l->has_cmci = true;
	assert_int_equal(mmio_get(l, LAPIC_VERSION), 0x60014);

	world.cfg.no_lint0_extint = false;
	world.cfg.bsp_id = ap->id;
	lapic_reset(l, false);
	lapic_reset(ap, false);
	assert_false(l->base & APIC_BASE_BSP);
	assert_true(ap->base & APIC_BASE_BSP);
	assert_false(lapic_accepts_extint(l));
	assert_true(lapic_accepts_extint(ap));
}

static void test_base_transitions(void **state)
{
	enum { OFF, XAPIC, BAD, X2APIC };
	static const u64 bits[] = {
		[OFF] = 0, [XAPIC] = APIC_BASE_EN, [BAD] = APIC_BASE_EXTD,
		[X2APIC] = APIC_BASE_EN | APIC_BASE_EXTD,
	};
	static const bool legal[4][4] = {
		[OFF] = { [OFF] = true, [XAPIC] = true },
		[XAPIC] = { [OFF] = true, [XAPIC] = true, [X2APIC] = true },
		[X2APIC] = { [OFF] = true, [X2APIC] = true },
	};
	struct lapic *l = world_apic(1);
	int from, to;

	(void)state;
	for (from = OFF; from <= X2APIC; from++) {
		for (to = OFF; to <= X2APIC; to++) {
			u64 base = 0xfee00000 | bits[from];
			bool ok;

			if (from == BAD)
				continue;
			assert_int_equal(lapic_set_base(l, base, true), MSR_OK);
			ok = lapic_set_base(l, 0xfee00000 | bits[to], false) ==
			     MSR_OK;
			assert_int_equal(ok, legal[from][to]);
			assert_true(l->base == (ok ? 0xfee00000 | bits[to] :
						base));
			ok = lapic_set_base(l, 0xfee00000 | bits[to], true) ==
			     MSR_OK;
			assert_int_equal(ok, to != BAD);
		}
	}
	assert_int_equal(lapic_set_base(l, 0xfee00a00, true), MSR_BAD);
	assert_int_equal(lapic_set_base(l, 0xfee00801, true), MSR_BAD);
	assert_int_equal(lapic_set_base(l, 1ULL << 40 | 0x800, true), MSR_BAD);
	l->has_x2apic = false;
	assert_int_equal(lapic_set_base(l, 0xfee00800, true), MSR_OK);
	assert_int_equal(lapic_set_base(l, 0xfee00c00, true), MSR_BAD);
}

static void test_disable_resets(void **state)
{
	struct lapic *l = world_apic(2);

	(void)state;
	world_enable(l);
	mmio_put(l, LAPIC_LDR, 0x04000000);
	mmio_put(l, LAPIC_LVT1, 0x400);
	world_fixed(l, 0x80, false);
	assert_int_equal(lapic_set_base(l, 0xfee00000, false), MSR_OK);
	assert_int_equal(lapic_pending_irq(l), -1);
	assert_int_equal(mmio_get(l, LAPIC_LVT1), 0xffffffff);
	assert_true(lapic_accepts_extint(l));
	assert_int_equal(world_fixed(l, 0x90, false), LAPIC_IGNORED);
	assert_int_equal(lapic_set_base(l, 0xfee00800, false), MSR_OK);
	assert_int_equal(lapic_pending_irq(l), -1);
	assert_int_equal(mmio_get(l, LAPIC_SVR), 0xff);
	assert_int_equal(mmio_get(l, LAPIC_LVT1), LVT_MASKED);
	assert_int_equal(mmio_get(l, LAPIC_LDR), 0);
	assert_int_equal(mmio_get(l, LAPIC_ID), 2 << 24);
}

static void test_init_keeps_mode(void **state)
{
	struct lapic *l = world_apic(18);
	u64 v;

	(void)state;
	world_x2apic(l);
	assert_int_equal(lapic_msr_write(l, 0x808, 0x40), MSR_OK);
	lapic_reset(l, true);
	assert_true(lapic_x2apic(l));
	assert_int_equal(lapic_msr_read(l, 0x802, &v), MSR_OK);
	assert_int_equal(v, 18);
	assert_int_equal(lapic_msr_read(l, 0x80d, &v), MSR_OK);
	assert_int_equal(v, 1 << 16 | 1 << 2);
	assert_int_equal(lapic_msr_read(l, 0x808, &v), MSR_OK);
	assert_int_equal(v, 0);
	lapic_reset(l, false);
	assert_false(lapic_x2apic(l));
	assert_int_equal(mmio_get(l, LAPIC_ID), 18 << 24);
}

static void test_mmio_sizes(void **state)
{
	struct lapic *l = world_apic(5);
	u8 bytes[8];
	u64 q = 0xffffffff000000aaULL;
	u16 w = 0x1122;

	(void)state;
	world_enable(l);
	mmio_put(l, LAPIC_LDR, 0x12345678);
	assert_int_equal(mmio_get(l, LAPIC_LDR), 0x12000000);
	lapic_mmio_read(l, LAPIC_LDR + 3, 1, bytes);
	assert_int_equal(bytes[0], 0x12);
	lapic_mmio_read(l, LAPIC_ID + 2, 2, bytes);
	assert_int_equal(bytes[0], 0);
	assert_int_equal(bytes[1], 5);
	lapic_mmio_read(l, LAPIC_LDR, 8, bytes);
	assert_int_equal(bytes[3], 0x12);
	assert_int_equal(bytes[4], 0);
	lapic_mmio_read(l, LAPIC_LDR + 12, 8, bytes);
	assert_int_equal(bytes[7], 0);

	lapic_mmio_write(l, LAPIC_TPR, 8, &q);
	assert_int_equal(mmio_get(l, LAPIC_TPR), 0xaa);
	lapic_mmio_write(l, LAPIC_TPR, 2, &w);
	mmio_put(l, LAPIC_TPR + 4, 0x11);
	assert_int_equal(mmio_get(l, LAPIC_TPR), 0xaa);
}

static void test_mmio_claims(void **state)
{
	struct lapic *l = world_apic(1);

	(void)state;
	assert_true(lapic_mmio_claims(l, 0xfee00000));
	assert_true(lapic_mmio_claims(l, 0xfee00fff));
	assert_false(lapic_mmio_claims(l, 0xfee01000));
	assert_false(lapic_mmio_claims(l, 0xfedfffff));
	lapic_set_base(l, 0xd0000800, false);
	assert_false(lapic_mmio_claims(l, 0xfee00000));
	assert_true(lapic_mmio_claims(l, 0xd0000020));

	world_x2apic(l);
	assert_true(lapic_mmio_claims(l, 0xd0000020));
	assert_int_equal(mmio_get(l, LAPIC_ID), 0xffffffff);
	mmio_put(l, LAPIC_TPR, 0x50);
	assert_int_equal(lapic_get_cr8(l), 0);
	world.cfg.no_mmio_hole = true;
	assert_false(lapic_mmio_claims(l, 0xd0000020));
}

static void test_sw_disable_masks(void **state)
{
	struct lapic *l = world_apic(1);

	(void)state;
	mmio_put(l, LAPIC_LVT1, 0x400);
	assert_int_equal(mmio_get(l, LAPIC_LVT1), 0x10400);
	world_enable(l);
	mmio_put(l, LAPIC_LVT1, 0x400);
	assert_int_equal(mmio_get(l, LAPIC_LVT1), 0x400);
	world_fixed(l, 0x70, false);
	mmio_put(l, LAPIC_SVR, 0xff);
	assert_int_equal(mmio_get(l, LAPIC_LVT1), 0x10400);
	assert_int_equal(world_fixed(l, 0x71, false), LAPIC_IGNORED);
	/* What was accepted before is held and can be taken. */
	assert_int_equal(lapic_pending_irq(l), 0x70);
	/* NMI, INIT and STARTUP still come through. */
	lapic_deliver(l, &(struct apic_msg){ .delivery = DELIVER_NMI });
	assert_int_equal(world.apic[1].nmis, 1);
}

static void test_extint(void **state)
{
	struct lapic *l = world_apic(0);

	(void)state;
	world_enable(l);
	mmio_put(l, LAPIC_LVT_PC, 0x4000a5);
	assert_int_equal(mmio_get(l, LAPIC_LVT_PC), 0xa5);

	mmio_put(l, LAPIC_LVT0, 0x10700);
	assert_false(lapic_accepts_extint(l));
	mmio_put(l, LAPIC_LVT0, 0x400);
	assert_false(lapic_accepts_extint(l));
	mmio_put(l, LAPIC_LVT0, 0x700);
	assert_true(lapic_accepts_extint(l));
}

static void test_errors(void **state)
{
	struct lapic *l = world_apic(0);

	(void)state;
	world_enable(l);
	mmio_put(l, LAPIC_LVT_ERROR, 0xfe);
	assert_int_equal(world_fixed(l, 5, false), LAPIC_IGNORED);
	assert_int_equal(lapic_pending_irq(l), 0xfe);
	assert_int_equal(mmio_get(l, LAPIC_ESR), 0);
	mmio_put(l, LAPIC_ESR, 0);
	assert_int_equal(mmio_get(l, LAPIC_ESR), BIT(ESR_RECV_ILLEGAL));
	mmio_get(l, 0x3a0);
	mmio_put(l, LAPIC_ICR, 0x4000 | 3);
	assert_int_equal(world.msgs, 0);
	mmio_put(l, LAPIC_ESR, 0);
	assert_int_equal(mmio_get(l, LAPIC_ESR),
			 BIT(ESR_ILLEGAL_REG) | BIT(ESR_SEND_ILLEGAL));
	mmio_put(l, LAPIC_ESR, 0);
	assert_int_equal(mmio_get(l, LAPIC_ESR), 0);
	/* An error vector that is illegal itself must not recurse. */
	mmio_put(l, LAPIC_LVT_ERROR, 3);
	world_fixed(l, 5, false);
	mmio_put(l, LAPIC_ESR, 0);
	assert_int_equal(mmio_get(l, LAPIC_ESR), BIT(ESR_RECV_ILLEGAL));
}

static void test_priority_classes(void **state)
{
	struct lapic *l = world_apic(0);

	(void)state;
	world_enable(l);
	assert_int_equal(world_fixed(l, 0x55, false), LAPIC_DELIVERED);
	assert_int_equal(world_fixed(l, 0x55, false), LAPIC_COALESCED);
	assert_int_equal(world.apic[0].kicks, 1);
	assert_int_equal(lapic_pending_irq(l), 0x55);
	lapic_set_cr8(l, 5);
	assert_int_equal(lapic_pending_irq(l), -1);
	assert_int_equal(lapic_highest_irr(l), 0x55);
	lapic_set_cr8(l, 4);
	assert_int_equal(lapic_get_cr8(l), 4);
	assert_int_equal(lapic_pending_irq(l), 0x55);
	lapic_ack(l, 0x55);
	assert_int_equal(mmio_get(l, LAPIC_PPR), 0x50);
	assert_int_equal(lapic_pending_irq(l), -1);
	world_fixed(l, 0x5f, false);
	assert_int_equal(lapic_pending_irq(l), -1);
	world_fixed(l, 0x60, false);
	assert_int_equal(lapic_pending_irq(l), 0x60);
	lapic_ack(l, 0x60);
	assert_int_equal(mmio_get(l, LAPIC_PPR), 0x60);
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(mmio_get(l, LAPIC_PPR), 0x50);
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(mmio_get(l, LAPIC_PPR), 0x40);
	assert_int_equal(lapic_pending_irq(l), 0x5f);
	assert_int_equal(world.apic[0].eois, 0);
	/* An EOI with nothing in service does nothing. */
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(world.apic[0].eois, 0);
}

static void test_eoi_reports(void **state)
{
	struct world_apic *a = &world.apic[0];
	struct lapic *l = &a->lapic;

	(void)state;
	world_enable(l);
	world_fixed(l, 0x41, true);
	lapic_ack(l, lapic_pending_irq(l));
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(a->last_eoi, 0x41);
	assert_true(a->last_eoi_level);
	/* The same vector, edge this time: only on request. */
	world_fixed(l, 0x41, false);
	lapic_ack(l, lapic_pending_irq(l));
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(a->eois, 1);
	set_bit(0x41, world.cfg.eoi_watch);
	world_fixed(l, 0x41, false);
	lapic_ack(l, lapic_pending_irq(l));
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(a->eois, 2);
	assert_false(a->last_eoi_level);
	/* Suppressed broadcasts need an IOAPIC that can do without. */
	mmio_put(l, LAPIC_SVR, 0x11ff);
	assert_int_equal(mmio_get(l, LAPIC_SVR), 0x1ff);
	world.cfg.directed_eoi = true;
	mmio_put(l, LAPIC_SVR, 0x11ff);
	assert_int_equal(mmio_get(l, LAPIC_VERSION), 0x1050014);
	world_fixed(l, 0x42, true);
	lapic_ack(l, lapic_pending_irq(l));
	mmio_put(l, LAPIC_EOI, 0);
	assert_int_equal(a->eois, 2);
}

static void test_init_sipi(void **state)
{
	struct apic_msg init = { .delivery = DELIVER_INIT, .assert = true };
	struct apic_msg sipi = { .delivery = DELIVER_STARTUP, .vector = 0x9a };
	struct lapic *l = world_apic(1);
	u8 vector = 0;

	(void)state;
	assert_false(lapic_take_init(l));
	assert_false(lapic_take_sipi(l, &vector));
	lapic_deliver(l, &sipi);
	lapic_deliver(l, &init);
	assert_int_equal(lapic_events(l), BIT(LAPIC_EV_INIT));
	lapic_deliver(l, &sipi);
	assert_true(lapic_take_init(l));
	assert_true(lapic_take_sipi(l, &vector));
	assert_int_equal(vector, 0x9a);
	assert_int_equal(world.apic[1].kicks, 3);
	/* De-assertion */
	init.level = true;
	init.assert = false;
	assert_int_equal(lapic_deliver(l, &init), LAPIC_IGNORED);
	assert_int_equal(lapic_events(l), 0);
}

/* SDM vol. 3, table 11-6: what RDMSR and WRMSR do for each register */
static void test_msr_access(void **state)
{
	static const struct {
		u32 msr;
		bool read, write;
		u64 good, bad;
	} rows[] = {
		{ .msr = 0x802, .read = true },
		{ .msr = 0x803, .read = true },
		{ .msr = 0x808, .read = true, .write = true, .good = 0xff,
		  .bad = 0x100 },
		{ .msr = 0x80a, .read = true },
		{ .msr = 0x80b, .write = true, .good = 0, .bad = 1 },
		{ .msr = 0x80d, .read = true },
		{ .msr = 0x80f, .read = true, .write = true, .good = 0x1ff,
		  .bad = 0x1000 },
		{ .msr = 0x810, .read = true }, { .msr = 0x817, .read = true },
		{ .msr = 0x818, .read = true }, { .msr = 0x81f, .read = true },
		{ .msr = 0x820, .read = true }, { .msr = 0x827, .read = true },
		{ .msr = 0x828, .read = true, .write = true, .good = 0,
		  .bad = 1 },
		{ .msr = 0x830, .read = true, .write = true,
		  .good = 0xffffffff000c4031, .bad = 1 << 13 },
		{ .msr = 0x832, .read = true, .write = true,
		  .good = 0x110ff, .bad = 0x80000 },
		{ .msr = 0x833, .read = true, .write = true, .good = 0x117ff,
		  .bad = 0x20000 },
		{ .msr = 0x834, .read = true, .write = true, .good = 0x117ff,
		  .bad = 0x8000 },
		{ .msr = 0x835, .read = true, .write = true, .good = 0x1f7ff,
		  .bad = 0x800 },
		{ .msr = 0x836, .read = true, .write = true, .good = 0x1f7ff,
		  .bad = 0x100000000 },
		{ .msr = 0x837, .read = true, .write = true, .good = 0x110ff,
		  .bad = 0x100 },
		{ .msr = 0x838, .read = true, .write = true, .good = ~0U,
		  .bad = 1ULL << 32 },
		{ .msr = 0x839, .read = true },
		{ .msr = 0x83e, .read = true, .write = true, .good = 0xb,
		  .bad = 4 },
		{ .msr = 0x83f, .write = true, .good = 0x31, .bad = 0x100 },
	};
	struct lapic *l = world_apic(1);
	unsigned int i;
	u32 msr;
	u64 v;

	(void)state;
	for (msr = LAPIC_MSR_BASE; msr <= LAPIC_MSR_LAST; msr++) {
		assert_int_equal(lapic_msr_read(l, msr, &v), MSR_BAD);
		assert_int_equal(lapic_msr_write(l, msr, 0), MSR_BAD);
	}
	world_x2apic(l);
	for (msr = LAPIC_MSR_BASE; msr <= LAPIC_MSR_LAST; msr++) {
		bool read = false, write = false, listed = false;

		for (i = 0; i < ARRAY_SIZE(rows); i++) {
			if (rows[i].msr != msr)
				continue;
			listed = true;
			read = rows[i].read;
			write = rows[i].write;
			assert_int_equal(lapic_msr_write(l, msr, rows[i].good),
					 write ? MSR_OK : MSR_BAD);
			if (rows[i].bad)
				assert_int_equal(
					lapic_msr_write(l, msr, rows[i].bad),
					MSR_BAD);
		}
		/* The bitmap registers between those listed */
		if (!listed)
			read = msr >= 0x810 && msr <= 0x827;
		assert_int_equal(lapic_msr_read(l, msr, &v) == MSR_OK, read);
		if (!write)
			assert_int_equal(lapic_msr_write(l, msr, 0), MSR_BAD);
	}
	assert_int_equal(lapic_msr_read(l, 0x830, &v), MSR_OK);
	assert_true(v == 0xffffffff000c4031);
	l->has_cmci = true;
	assert_int_equal(lapic_msr_write(l, 0x82f, 0x400f2), MSR_BAD);
	assert_int_equal(lapic_msr_write(l, 0x82f, 0x100f2), MSR_OK);
	l->has_tsc_deadline = false;
	assert_int_equal(lapic_msr_write(l, 0x832, 0x400ef), MSR_BAD);
}

/* ---- a model: sets of vectors, searched one by one ---- */

struct model {
	bool irr[256], isr[256], tmr[256];
	u8 tpr;
};

static int model_highest(const bool *set)
{
	int v;

	for (v = 255; v >= 0; v--)
		if (set[v])
			return v;
	return -1;
}

static u8 model_ppr(const struct model *m)
{
	int isrv = model_highest(m->isr);

	if (isrv < 0)
		isrv = 0;
	return (m->tpr & 0xf0) >= (isrv & 0xf0) ? m->tpr : isrv & 0xf0;
}

static int model_pending(const struct model *m)
{
	int v = model_highest(m->irr);

	return v >= 0 && (v & 0xf0) > (model_ppr(m) & 0xf0) ? v : -1;
}

static void model_compare(struct lapic *l, const struct model *m)
{
	int v;

	assert_int_equal(lapic_pending_irq(l), model_pending(m));
	assert_int_equal(lapic_highest_irr(l), model_highest(m->irr));
	assert_int_equal(mmio_get(l, LAPIC_PPR), model_ppr(m));
	assert_int_equal(lapic_get_cr8(l), m->tpr >> 4);
	for (v = 0; v < 256; v++) {
		u32 at = v / 32 * 16, bit = 1U << (v % 32);

		assert_int_equal(!!(mmio_get(l, LAPIC_IRR + at) & bit),
				 m->irr[v]);
		assert_int_equal(!!(mmio_get(l, LAPIC_ISR + at) & bit),
				 m->isr[v]);
		if (m->irr[v] || m->isr[v])
			assert_int_equal(!!(mmio_get(l, LAPIC_TMR + at) & bit),
					 m->tmr[v]);
	}
}

static void model_deliver(struct lapic *l, struct model *m)
{
	u8 vector = world_random();
	bool level = world_random() & 1;
	enum lapic_rc want;

	want = vector < 16 ? LAPIC_IGNORED :
	       m->irr[vector] ? LAPIC_COALESCED : LAPIC_DELIVERED;
	assert_int_equal(world_fixed(l, vector, level), want);
	if (vector < 16)
		return;
	m->irr[vector] = true;
	m->tmr[vector] = level;
}

static void model_eoi(struct world_apic *a, struct model *m)
{
	int v = model_highest(m->isr);
	unsigned int eois = a->eois;

	mmio_put(&a->lapic, LAPIC_EOI, 0);
	if (v < 0) {
		assert_int_equal(a->eois, eois);
		return;
	}
	m->isr[v] = false;
	assert_int_equal(a->eois, eois + m->tmr[v]);
	if (m->tmr[v])
		assert_int_equal(a->last_eoi, v);
}

static void test_against_model(void **state)
{
	struct world_apic *a = &world.apic[0];
	struct kvm_lapic_state s;
	struct model m = { 0 };
	struct lapic *l = &a->lapic;
	int i, v;

	(void)state;
	world_enable(l);
	for (i = 0; i < 30000; i++) {
		switch (world_random() % 8) {
		case 0:
		case 1:
			model_deliver(l, &m);
			break;
		case 2:
		case 3:
			v = lapic_pending_irq(l);
			assert_int_equal(v, model_pending(&m));
			if (v < 0)
				break;
			lapic_ack(l, v);
			m.irr[v] = false;
			m.isr[v] = true;
			break;
		case 4:
		case 5:
			model_eoi(a, &m);
			break;
		case 6:
			m.tpr = world_random();
			if (world_random() & 1)
				m.tpr = 0;
			mmio_put(l, LAPIC_TPR, m.tpr);
			break;
		default:
			if (world_random() % 16)
				break;
			lapic_get_state(l, &s);
			lapic_reset(l, true);
			assert_int_equal(lapic_pending_irq(l), -1);
			assert_true(lapic_check_state(l, &s));
			lapic_set_state(l, &s);
			break;
		}
		model_compare(l, &m);
	}
	assert_true(a->eois > 100);
}

static void state_put(struct kvm_lapic_state *s, u32 reg, u32 value)
{
	memcpy(&s->regs[reg], &value, sizeof(value));
}

static u32 state_of(const struct kvm_lapic_state *s, u32 reg)
{
	u32 value;

	memcpy(&value, &s->regs[reg], sizeof(value));
	return value;
}

static void test_state_ids(void **state)
{
	struct lapic *l = world_apic(7);
	struct kvm_lapic_state s;

	(void)state;
	lapic_get_state(l, &s);
	assert_int_equal(state_of(&s, LAPIC_ID), 7 << 24);
	assert_true(lapic_check_state(l, &s));
	state_put(&s, LAPIC_ID, 6 << 24);
	assert_true(lapic_check_state(l, &s));
	lapic_set_state(l, &s);
	assert_int_equal(mmio_get(l, LAPIC_ID), 7 << 24);

	world_x2apic(l);
	lapic_get_state(l, &s);
	assert_int_equal(state_of(&s, LAPIC_ID), 7 << 24);
	assert_true(lapic_check_state(l, &s));
	world.cfg.ids_32bit = true;
	assert_false(lapic_check_state(l, &s));
	lapic_get_state(l, &s);
	assert_int_equal(state_of(&s, LAPIC_ID), 7);
	assert_true(lapic_check_state(l, &s));
	state_put(&s, LAPIC_ID, 0x107);
	assert_false(lapic_check_state(l, &s));
}

static void test_state_round_trip(void **state)
{
	struct lapic *l = world_apic(4);
	struct kvm_lapic_state a, b;

	(void)state;
	world_enable(l);
	mmio_put(l, LAPIC_LDR, 0x10000000);
	mmio_put(l, LAPIC_DFR, 0x0fffffff);
	mmio_put(l, LAPIC_TPR, 0x23);
	mmio_put(l, LAPIC_LVT0, 0x700);
	mmio_put(l, LAPIC_LVT1, 0x400);
	mmio_put(l, LAPIC_ICR2, 0x05000000);
	mmio_put(l, LAPIC_ICR, 0x000c4500);
	mmio_put(l, LAPIC_TDCR, 0xb);
	mmio_put(l, LAPIC_LVT_TIMER, 0x200ec);
	mmio_put(l, LAPIC_TMICT, 1000000);
	world_fixed(l, 0x66, true);
	lapic_ack(l, 0x66);
	world_fixed(l, 0x99, false);
	world.now += 1234;
	lapic_get_state(l, &a);
	assert_int_equal(state_of(&a, LAPIC_PPR), 0x60);
	assert_int_equal(state_of(&a, LAPIC_TMCCT), 1000000 - 1234);
	lapic_reset(l, false);
	lapic_set_state(l, &a);
	lapic_get_state(l, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(lapic_pending_irq(l), 0x99);

	/* As some VMMs hand it over: neither PPR nor TMCCT */
	state_put(&a, LAPIC_PPR, 0xff);
	state_put(&a, LAPIC_TMCCT, 0);
	lapic_set_state(l, &a);
	assert_int_equal(mmio_get(l, LAPIC_PPR), 0x60);
	assert_int_equal(mmio_get(l, LAPIC_TMCCT), 1000000);

	/* x2APIC: the LDR is not a matter of choice, the ICR is two words. */
	world_x2apic(l);
	assert_int_equal(lapic_msr_write(l, 0x830, 0x12345678000c4600), MSR_OK);
	lapic_get_state(l, &a);
	assert_int_equal(state_of(&a, LAPIC_ICR), 0x000c4600);
	assert_int_equal(state_of(&a, LAPIC_ICR2), 0x12345678);
	state_put(&a, LAPIC_LDR, 0x1234);
	lapic_set_state(l, &a);
	lapic_get_state(l, &b);
	assert_int_equal(state_of(&b, LAPIC_LDR), 1 << 4);
	assert_int_equal(state_of(&b, LAPIC_ICR2), 0x12345678);
}

/* Any state that is accepted leaves an APIC that works. */
static void test_state_random(void **state)
{
	struct lapic *l = world_apic(0);
	struct kvm_lapic_state s, t;
	unsigned int i, round;
	int v;

	(void)state;
	for (round = 0; round < 3000; round++) {
		for (i = 0; i < sizeof(s); i++)
			s.regs[i] = world_random();
		assert_true(lapic_check_state(l, &s));
		lapic_set_state(l, &s);
		lapic_get_state(l, &t);
		assert_int_equal(state_of(&t, LAPIC_ID), 0);
		assert_int_equal(state_of(&t, LAPIC_IRR),
				 state_of(&s, LAPIC_IRR));
		assert_int_equal(state_of(&t, LAPIC_ISR) & 0xffff, 0);
		for (i = 0; i < 300; i++) {
			v = lapic_pending_irq(l);
			if (v >= 0)
				lapic_ack(l, v);
			else
				mmio_put(l, LAPIC_EOI, 0);
			world_run(world_random() % 100000);
		}
	}
}

/* No sequence of register accesses may break an invariant. */
static void test_random_access(void **state)
{
	struct world_apic *a = &world.apic[0];
	struct lapic *l = &a->lapic;
	unsigned int i;
	u8 data[8];
	u64 v;

	(void)state;
	for (i = 0; i < 400000; i++) {
		u64 r = world_random();
		u32 offset = r & 0xfff;
		unsigned int len = 1U << (r >> 12 & 3);
		u64 value = world_random() & (r & BIT(20) ? ~0ULL : 0x7ffff);
		int irq;

		memcpy(data, &value, sizeof(data));
		if (r & BIT(21))
			offset &= 0x3f0;
		switch (r >> 24 & 7) {
		case 0:
			lapic_mmio_read(l, offset, len, data);
			break;
		case 1:
		case 2:
			lapic_mmio_write(l, offset, r & BIT(22) ? 4 : len,
					 data);
			break;
		case 3:
			lapic_msr_read(l, 0x800 + (r >> 32 & 0xff), &v);
			break;
		case 4:
			lapic_msr_write(l, 0x800 + (r >> 32 & 0x3f), value);
			break;
		case 5:
			lapic_set_tsc_deadline(l, world_tsc(l) +
					       (value & 0xfffff));
			if (!(r >> 32 & 63))
				lapic_set_base(l, 0xfee00000 |
					       (r >> 40 & 0xc00), false);
			break;
		case 6:
			world_run(r >> 32 & 0xfffff);
			break;
		default:
			world_fixed(l, r >> 32, r & BIT(23));
			break;
		}
		irq = lapic_pending_irq(l);
		assert_true(irq == -1 || (irq >= 16 && irq < 256));
		if (irq >= 0 && (r >> 60 & 1))
			lapic_ack(l, irq);
		assert_true(l->isr_highest == -1 || l->isr_highest >= 16);
		assert_int_equal(lapic_get(l, LAPIC_IRR) & 0xffff, 0);
		assert_true(!l->timer.armed || a->host_armed || l->timer.hint);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_reset_values, setup),
		cmocka_unit_test_setup(test_base_transitions, setup),
		cmocka_unit_test_setup(test_disable_resets, setup),
		cmocka_unit_test_setup(test_init_keeps_mode, setup),
		cmocka_unit_test_setup(test_mmio_sizes, setup),
		cmocka_unit_test_setup(test_mmio_claims, setup),
		cmocka_unit_test_setup(test_sw_disable_masks, setup),
		cmocka_unit_test_setup(test_extint, setup),
		cmocka_unit_test_setup(test_errors, setup),
		cmocka_unit_test_setup(test_priority_classes, setup),
		cmocka_unit_test_setup(test_eoi_reports, setup),
		cmocka_unit_test_setup(test_init_sipi, setup),
		cmocka_unit_test_setup(test_msr_access, setup),
		cmocka_unit_test_setup(test_against_model, setup),
		cmocka_unit_test_setup(test_state_ids, setup),
		cmocka_unit_test_setup(test_state_round_trip, setup),
		cmocka_unit_test_setup(test_state_random, setup),
		cmocka_unit_test_setup(test_random_access, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
