// SPDX-License-Identifier: GPL-2.0-only
/*
 * AVIC's tables: svm/avic_tables.c. The survey of random VMs against what the
 * model of hardware makes of the tables, and what the architecture wants.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include "avic_model.h"
#include "svm/avic.h"

static const struct avic_features wide = { true, true, 0xfff };
static const struct avic_features narrow = { true, false, 0xff };

static u64 seed;

static u32 roll(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* ---- who is reached ---------------------------------------------------- */

#define FLAT 15
#define XAPIC_BASE 0xfee00800ULL
#define X2APIC_BASE 0xfee00c00ULL

static struct avic_member xapic(u32 id, u8 dfr, u8 ldr)
{
	return (struct avic_member){
		.id = id, .apic_base = XAPIC_BASE, .xapic_id = id, .ldr = ldr,
		.dfr = dfr, .sw_enabled = true,
	};
}

static struct avic_member x2apic(u32 id)
{
	return (struct avic_member){
		.id = id, .apic_base = X2APIC_BASE, .dfr = FLAT,
		.sw_enabled = true,
	};
}

static u32 inhibits(const struct avic_member *m, unsigned int n)
{
	struct avic_survey s;

	memset(&s, 0xa5, sizeof(s));
	avic_survey(&s, m, n);
	return s.inhibits;
}

static void test_reachable(void **state)
{
	struct avic_member m = xapic(0, FLAT, 1);

	assert_true(avic_reachable(&m));
	m.sw_enabled = false;
	assert_false(avic_reachable(&m));
	m = x2apic(0);
	assert_true(avic_reachable(&m));
	m.apic_base = 0xfee00000;
	assert_false(avic_reachable(&m));
}

static void test_logical_entries(void **state)
{
	struct avic_member m[] = {
		xapic(3, FLAT, 0x80), xapic(9, FLAT, 0x01), xapic(5, FLAT, 0),
	};
	struct avic_survey s;
	unsigned int i;

	avic_survey(&s, m, 3);
	assert_int_equal(s.inhibits, 0);
	for (i = 0; i < AVIC_LOG_COUNT; i++)
		assert_int_equal(s.logical[i], i == 0 ? 0x80000009 :
				 i == 7 ? 0x80000003 : 0);

	m[0] = xapic(3, 0, 0xe8);
	m[1] = xapic(254, 0, 0x01);
	m[2] = xapic(7, 0, 0x24);
	avic_survey(&s, m, 3);
	assert_int_equal(s.inhibits, 0);
	for (i = 0; i < AVIC_LOG_COUNT; i++)
		assert_int_equal(s.logical[i], i == 0 ? 0x800000fe :
				 i == 10 ? 0x80000007 :
				 i == 59 ? 0x80000003 : 0);
}

static void test_inhibits(void **state)
{
	struct avic_member m[9];
	unsigned int i;

	m[0] = xapic(0, FLAT, 1);
	assert_int_equal(inhibits(m, 0), 0);
	assert_int_equal(inhibits(m, 1), 0);

	/* One logical id, two vCPUs; two bits; another DFR; no such DFR. */
	m[1] = xapic(1, FLAT, 1);
	assert_int_equal(inhibits(m, 2), BIT(AVIC_NO_LOGICAL));
	m[1].ldr = 6;
	assert_int_equal(inhibits(m, 2), BIT(AVIC_NO_LOGICAL));
	m[1] = xapic(1, 0, 2);
	assert_int_equal(inhibits(m, 2), BIT(AVIC_NO_LOGICAL));
	m[0] = xapic(0, 5, 1);
	assert_int_equal(inhibits(m, 1), BIT(AVIC_NO_LOGICAL));
	/* Cluster 15 */
	m[0] = xapic(0, 0, 0xf1);
	assert_int_equal(inhibits(m, 1), BIT(AVIC_NO_LOGICAL));

	/* Who takes no interrupts has no say in that. */
	m[0] = xapic(0, FLAT, 1);
	m[1] = xapic(1, FLAT, 1);
	m[1].sw_enabled = false;
	assert_int_equal(inhibits(m, 2), 0);
	m[1] = x2apic(1);
	m[1].sw_enabled = false;
	assert_int_equal(inhibits(m, 2), 0);
	/* But in where its own accesses go. */
	m[1] = xapic(1, FLAT, 2);
	m[1].sw_enabled = false;
	m[1].apic_base = 0xd0000800;
	assert_int_equal(inhibits(m, 2), BIT(AVIC_NO_BASE_MOVED));
	m[1] = xapic(1, FLAT, 2);
	m[1].xapic_id = 7;
	assert_int_equal(inhibits(m, 2), BIT(AVIC_NO_ID_MODIFIED));

	m[1] = x2apic(1);
	assert_int_equal(inhibits(m, 2), BIT(AVIC_NO_MIXED));

	m[0] = xapic(254, FLAT, 1);
	assert_int_equal(inhibits(m, 1), 0);
	m[0] = xapic(255, FLAT, 1);
	assert_int_equal(inhibits(m, 1), BIT(AVIC_NO_ID_LIMIT));
	m[0] = x2apic(511);
	assert_int_equal(inhibits(m, 1), 0);
	m[0] = x2apic(512);
	assert_int_equal(inhibits(m, 1), BIT(AVIC_NO_ID_LIMIT));
	/* x2APIC ids are read-only, their page has no address. */
	m[0] = x2apic(300);
	m[0].apic_base = 0xd0000c00;
	assert_int_equal(inhibits(m, 1), 0);

	/* FFh reaches a ninth vCPU that hardware would pass over. */
	for (i = 0; i < 8; i++)
		m[i] = xapic(i, FLAT, 1 << i);
	m[8] = xapic(8, FLAT, 0);
	assert_int_equal(inhibits(m, 8), 0);
	assert_int_equal(inhibits(m, 9), BIT(AVIC_NO_LOGICAL));
}

/* ---- random VMs -------------------------------------------------------- */

#define VCPUS 24

struct world {
	struct avic_member m[VCPUS];
	struct model_apic a[VCPUS];
	struct avic_survey survey;
	u64 physical[512];
	u32 logical[AVIC_LOG_COUNT];
	unsigned int n;
	bool x2;
	u32 max_id;
};

static u8 random_ldr(unsigned int i, u8 dfr)
{
	if (!roll(12))
		return roll(256);
	if (!roll(8))
		return 0;
	return dfr == FLAT ? 1U << (i % 8) : (i / 4) << 4 | 1U << (i % 4);
}

static void world_vcpu(struct world *w, unsigned int i, u8 dfr, u32 id)
{
	struct avic_member *m = &w->m[i];

	*m = w->x2 ? x2apic(id) : xapic(id, dfr, random_ldr(i, dfr));
	m->sw_enabled = roll(6);
	if (!roll(60))
		m->apic_base &= ~0x800ULL;
	if (!roll(60))
		m->apic_base ^= 0x400;
	if (!roll(60))
		m->xapic_id++;
	if (!roll(60))
		m->dfr = roll(16);
	w->a[i] = (struct model_apic){
		.id = id, .xapic_id = m->xapic_id, .ldr = m->ldr,
		.dfr = m->dfr, .x2 = m->apic_base & 0x400,
		.enabled = m->apic_base & 0x800,
		.software_enabled = m->sw_enabled,
	};
}

static void world_make(struct world *w)
{
	u8 dfr = roll(2) ? FLAT : 0;
	unsigned int i;
	u32 id = 0;

	*w = (struct world){ .n = 1 + roll(VCPUS), .x2 = roll(2) };
	if (dfr == FLAT && roll(4))
		w->n = 1 + roll(8);
	for (i = 0; i < w->n; i++) {
		w->max_id = id;
		world_vcpu(w, i, dfr, id);
		id += 1 + (roll(4) ? 0 : roll(w->x2 ? 20 : 9));
	}
	avic_survey(&w->survey, w->m, w->n);
	avic_logical_write(w->logical, &w->survey);
	for (i = 0; i < w->n; i++) {
		struct avic_vcpu v = {
			.entry = &w->physical[min(w->m[i].id, 511U)],
			.on = roll(4),
		};

		avic_enable(&v, 0x100000 + 4096 * i, avic_reachable(&w->m[i]));
		if (roll(3))
			avic_load(&v, &wide, i);
	}
}

static u32 random_dest(const struct world *w)
{
	const struct avic_member *m = &w->m[roll(w->n)];

	switch (roll(w->x2 ? 4 : 5)) {
	case 0:
		return w->x2 ? ~0U : 0xff;
	case 1:
		return m->id;
	case 2:
		return w->x2 ? roll(0x30) << 16 | roll(0x10000) : roll(256);
	case 3:
		return w->x2 ? (m->id >> 4) << 16 | 1 << (m->id & 15) : m->ldr;
	default:
		return m->ldr | w->m[roll(w->n)].ldr;
	}
}

/* True: hardware did it all, or all but the kicks. */
static bool world_send(struct world *w, struct model_ipi *ipi)
{
	unsigned int from = roll(w->n), i;
	u32 dest = random_dest(w);
	u32 icr = (roll(4) ? 0x20 + roll(0xe0) : roll(16)) | roll(2) << 11 |
		  (roll(3) ? 0 : roll(4)) << 18 |
		  (roll(8) ? 0 : roll(8)) << 8 | !roll(12) << 15;
	struct model_hw hw = {
		.physical = w->physical, .logical = w->logical, .x2 = w->x2,
		.max_index = w->max_id, .dfr = w->m[from].dfr,
		.self = w->m[from].id,
	};
	struct avic_ipi act;

	/* Who sends is in the mode that all are in. */
	if (!w->a[from].enabled || w->a[from].x2 != w->x2 ||
	    !w->a[from].software_enabled)
		return false;
	model_send(&hw, dest, icr, ipi);
	if (ipi->cause >= 0) {
		act = avic_ipi(icr, (u64)ipi->cause << 32);
		assert_true(act.act != AVIC_IPI_BROKEN);
		if (act.act == AVIC_IPI_SEND)
			return false;
	}
	for (i = 0; i < w->n; i++) {
		u32 id = w->m[i].id, host;

		assert_int_equal(ipi->irr[id],
				 model_meant(&w->a[i], &w->a[from], dest, icr));
		if (!ipi->irr[id] || (icr >> 18 & 3) == 1)
			continue;
		/* Each is rung by hardware, or left for us to kick. */
		assert_int_equal(ipi->bell[id],
				 avic_doorbell(&w->physical[id], &host));
		if (!ipi->bell[id])
			assert_int_equal(ipi->cause, 1);
	}
	return true;
}

/*
 * Where nothing inhibits, what hardware delivers by our tables is what the
 * architecture says, or it exits for us to do it.
 */
static void test_random(void **state)
{
	u32 blind = BIT(AVIC_NO_ID_MODIFIED) | BIT(AVIC_NO_BASE_MOVED) |
		    BIT(AVIC_NO_LOGICAL);
	unsigned int i, j, sent = 0, used[2] = { };
	static struct model_ipi ipi;
	static struct world w;

	for (i = 0; i < 20000; i++) {
		seed = i + 1;
		world_make(&w);
		if (w.survey.inhibits & (w.x2 ? ~blind : ~0U))
			continue;
		used[w.x2]++;
		for (j = 0; j < 40; j++)
			sent += world_send(&w, &ipi);
	}
	/* The dice are not so loaded that nothing was tried. */
	assert_true(used[0] > 1000 && used[1] > 1000 && sent > 50000);
}

static void test_logical_write(void **state)
{
	struct avic_member m[] = { xapic(0, FLAT, 1), xapic(1, FLAT, 2) };
	u32 table[AVIC_LOG_COUNT + 1] = { [AVIC_LOG_COUNT] = 0x5a };
	struct avic_survey s;

	avic_survey(&s, m, 2);
	avic_logical_write(table, &s);
	assert_memory_equal(table, s.logical, sizeof(s.logical));
	m[1].ldr = 0x10;
	avic_survey(&s, m, 2);
	avic_logical_write(table, &s);
	assert_memory_equal(table, s.logical, sizeof(s.logical));
	assert_int_equal(table[1], 0);
	assert_int_equal(table[AVIC_LOG_COUNT], 0x5a);
}

/* ---- entries and is-running -------------------------------------------- */

#define PAGE_PA 0x0008000123456000ULL

static void test_entry(void **state)
{
	u64 entry = 0;
	struct avic_vcpu v = { .entry = &entry, .on = true };
	u32 host;

	/* Not valid yet: it may run, but hardware is not to know. */
	avic_load(&v, &wide, 5);
	assert_int_equal(entry, 0);
	assert_false(avic_doorbell(&entry, &host));

	avic_enable(&v, PAGE_PA | 0xfff, true);
	assert_int_equal(entry, BIT_ULL(63) | PAGE_PA);
	assert_false(avic_doorbell(&entry, &host));
	avic_load(&v, &wide, 0x5c3);
	assert_int_equal(entry, BIT_ULL(63) | BIT_ULL(62) | PAGE_PA | 0x5c3);
	assert_true(avic_doorbell(&entry, &host));
	assert_int_equal(host, 0x5c3);
	avic_load(&v, &wide, 0x1);
	assert_int_equal(entry, BIT_ULL(63) | BIT_ULL(62) | PAGE_PA | 1);
	avic_put(&v);
	assert_false(avic_doorbell(&entry, &host));
	assert_int_equal(entry & ~0xfffULL, BIT_ULL(63) | PAGE_PA);

	/* A host id that has no room is never said to run. */
	avic_load(&v, &narrow, 0xff);
	assert_true(avic_doorbell(&entry, &host));
	avic_load(&v, &narrow, 0x100);
	assert_false(avic_doorbell(&entry, &host));
	avic_load(&v, &wide, 0x1000);
	assert_false(avic_doorbell(&entry, &host));
	assert_int_equal(entry, BIT_ULL(63) | PAGE_PA);

	/* Off for this vCPU: still a target of others. */
	avic_load(&v, &wide, 2);
	v.on = false;
	avic_load(&v, &wide, 2);
	assert_int_equal(entry, BIT_ULL(63) | PAGE_PA);

	v.on = true;
	avic_load(&v, &wide, 2);
	avic_enable(&v, PAGE_PA, false);
	assert_false(avic_doorbell(&entry, &host));
	assert_int_equal(entry & ~0xfffULL, 0);
}

static void page_set(u8 *page, u32 offset, u8 vector)
{
	*(u32 *)(page + offset + vector / 32 * 16) |= 1U << (vector % 32);
}

/* Every vector against every priority, of TPR and in service. */
static void test_pending(void **state)
{
	static u8 page[4096] __aligned(16);
	unsigned int irr, other;

	assert_false(avic_pending(page));
	for (irr = 0; irr < 256; irr++) {
		for (other = 0; other < 256; other++) {
			memset(page, 0, sizeof(page));
			page_set(page, 0x200, irr);
			/* Beside it one that does not count. */
			page_set(page, 0x200, irr / 2);
			page[0x80] = other;
			assert_int_equal(avic_pending(page),
					 irr / 16 > other / 16);
			page[0x80] = 0;
			page_set(page, 0x100, other);
			page_set(page, 0x100, other / 3);
			assert_int_equal(avic_pending(page),
					 irr / 16 > other / 16);
			page[0x80] = 0xff;
			assert_false(avic_pending(page));
		}
	}
}

static void test_block(void **state)
{
	static u8 page[4096] __aligned(16);
	u64 entry = 0;
	struct avic_vcpu v = { .entry = &entry, .page = page, .on = true };
	u32 host;

	avic_enable(&v, PAGE_PA, true);
	avic_load(&v, &wide, 3);
	assert_true(avic_block(&v));
	assert_false(avic_doorbell(&entry, &host));
	/* The thread looks around without running the guest. */
	avic_put(&v);
	avic_load(&v, &wide, 4);
	assert_false(avic_doorbell(&entry, &host));
	avic_unblock(&v, &wide, 4);
	assert_true(avic_doorbell(&entry, &host));
	assert_int_equal(host, 4);

	page_set(page, 0x200, 0x31);
	assert_false(avic_block(&v));
	assert_false(avic_doorbell(&entry, &host));
	avic_unblock(&v, &wide, 4);
	assert_true(avic_doorbell(&entry, &host));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reachable),
		cmocka_unit_test(test_logical_entries),
		cmocka_unit_test(test_inhibits),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_logical_write),
		cmocka_unit_test(test_entry),
		cmocka_unit_test(test_pending),
		cmocka_unit_test(test_block),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
