// SPDX-License-Identifier: GPL-2.0-only
/* Address space identifiers, with and without flush-by-ASID: svm/asid.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "svm/asid.h"

static void test_in_turn(void **state)
{
	struct asid_pool pool = { };
	struct asid a = { }, b = { }, c = { };
	unsigned int i;

	asid_pool_reset(&pool, 3);
	/* The first entry after a reset flushes what was there before. */
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_FLUSH_ALL);
	assert_int_equal(asid_enter(&b, &pool, true), VMCB_TLB_KEEP);
	assert_int_equal(a.number, 1);
	assert_int_equal(b.number, 2);
	for (i = 0; i < 5; i++) {
		assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_KEEP);
		assert_int_equal(a.number, 1);
	}
	/* None left: all start anew. */
	assert_int_equal(asid_enter(&c, &pool, true), VMCB_TLB_FLUSH_ALL);
	assert_int_equal(c.number, 1);
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_KEEP);
	assert_int_equal(a.number, 2);
}

static void test_flush(void **state)
{
	struct asid_pool pool = { };
	struct asid a = { .flush = true };

	asid_pool_reset(&pool, 4);
	/* A new one has nothing to flush. */
	assert_int_equal(asid_enter(&a, &pool, false), VMCB_TLB_FLUSH_ALL);
	assert_false(a.flush);

	a.flush = true;
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_FLUSH_ASID);
	assert_int_equal(a.number, 1);
	assert_false(a.flush);
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_KEEP);

	/* Hardware that cannot: the next one is as good. */
	a.flush = true;
	assert_int_equal(asid_enter(&a, &pool, false), VMCB_TLB_KEEP);
	assert_int_equal(a.number, 2);
	assert_false(a.flush);
	assert_int_equal(asid_enter(&a, &pool, false), VMCB_TLB_KEEP);
	assert_int_equal(a.number, 2);
}

/* VMRUN refused the VMCB, and so flushed nothing. */
static void test_refused(void **state)
{
	struct asid_pool pool = { };
	struct asid a = { }, b = { };

	asid_pool_reset(&pool, 3);
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_FLUSH_ALL);
	asid_refused(&a, &pool, VMCB_TLB_FLUSH_ALL);
	/* Whoever comes next */
	assert_int_equal(asid_enter(&b, &pool, true), VMCB_TLB_FLUSH_ALL);
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_KEEP);
	assert_int_not_equal(a.number, b.number);

	a.flush = true;
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_FLUSH_ASID);
	asid_refused(&a, &pool, VMCB_TLB_FLUSH_ASID);
	assert_false(asid_current(&a, &pool));
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_FLUSH_ASID);
	/* What owed nothing costs nothing. */
	assert_int_equal(asid_enter(&a, &pool, true), VMCB_TLB_KEEP);
	asid_refused(&a, &pool, VMCB_TLB_KEEP);
	assert_true(asid_current(&a, &pool) && asid_current(&b, &pool));
}

/* ---- a TLB, with what is left in it of whom ---------------------------- */

#define CPUS 3
#define VCPUS 6
#define ASIDS 16

struct entries {
	int vcpu;		/* -1: none */
	unsigned int flushes;	/* that vCPU's, when they were made */
};

struct world {
	struct asid_pool pool[CPUS];
	struct entries tlb[CPUS][ASIDS];
	struct asid asid[VCPUS];
	int cpu[VCPUS];
	unsigned int flushes[VCPUS];
	bool by_asid;
};

static u64 seed;

static u32 roll(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static void tlb_forget(struct world *w, int cpu)
{
	unsigned int i;

	for (i = 0; i < ASIDS; i++)
		w->tlb[cpu][i].vcpu = -1;
}

/* The CPU was away: its TLB holds anything, under any ASID. */
static void cpu_comes(struct world *w, int cpu)
{
	unsigned int i;

	asid_pool_reset(&w->pool[cpu], 2 + roll(ASIDS - 1));
	for (i = 0; i < ASIDS; i++)
		w->tlb[cpu][i] = (struct entries){ .vcpu = VCPUS };
}

static void vcpu_enters(struct world *w, int vcpu, int cpu)
{
	struct asid *asid = &w->asid[vcpu], before;
	struct asid_pool *pool = &w->pool[cpu];
	struct entries *e;
	enum vmcb_tlb tlb;

	if (w->cpu[vcpu] != cpu)
		asid_moved(asid);
	w->cpu[vcpu] = cpu;
	before = *asid;
	tlb = asid_enter(asid, pool, w->by_asid);
	assert_false(asid->flush);
	assert_in_range(asid->number, 1, pool->count - 1);
	e = &w->tlb[cpu][asid->number];
	switch (tlb) {
	case VMCB_TLB_KEEP:
		break;
	case VMCB_TLB_FLUSH_ASID:
		assert_true(w->by_asid);
		e->vcpu = -1;
		break;
	case VMCB_TLB_FLUSH_ALL:
		/* Everybody pays for it: only when numbers ran out. */
		assert_int_equal(asid->number, 1);
		tlb_forget(w, cpu);
		break;
	}
	/* No other's entries, and none from before a flush. */
	if (e->vcpu != -1) {
		assert_int_equal(e->vcpu, vcpu);
		assert_int_equal(e->flushes, w->flushes[vcpu]);
	}
	/* Who stays and needs no flush keeps what it has. */
	if (!before.flush && before.generation == pool->generation) {
		assert_int_equal(tlb, VMCB_TLB_KEEP);
		assert_int_equal(asid->number, before.number);
	}
	*e = (struct entries){ .vcpu = vcpu, .flushes = w->flushes[vcpu] };
}

/* Nothing of what it would have flushed is. */
static void vcpu_is_refused(struct world *w, int vcpu, int cpu)
{
	struct asid *asid = &w->asid[vcpu];
	enum vmcb_tlb tlb;

	if (w->cpu[vcpu] != cpu)
		asid_moved(asid);
	w->cpu[vcpu] = cpu;
	tlb = asid_enter(asid, &w->pool[cpu], w->by_asid);
	asid_refused(asid, &w->pool[cpu], tlb);
}

static void world_run(bool by_asid)
{
	static struct world w;
	unsigned int i;
	int v;

	w = (struct world){ .by_asid = by_asid };
	for (i = 0; i < CPUS; i++)
		cpu_comes(&w, i);
	for (i = 0; i < 200000; i++) {
		v = roll(VCPUS);
		if (!roll(5000))
			cpu_comes(&w, roll(CPUS));
		if (!roll(4)) {
			w.flushes[v]++;
			w.asid[v].flush = true;
		}
		if (!roll(3))
			vcpu_is_refused(&w, v, roll(8) ? w.cpu[v] :
						 (int)roll(CPUS));
		else
			vcpu_enters(&w, v, roll(8) ? w.cpu[v] : (int)roll(CPUS));
	}
}

static void test_never_stale(void **state)
{
	unsigned int i;

	for (i = 1; i < 4; i++) {
		seed = i;
		world_run(false);
		world_run(true);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_in_turn),
		cmocka_unit_test(test_flush),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_never_stale),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
