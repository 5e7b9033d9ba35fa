// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest page walk, against a model that is written the other way round:
 * one function per format, rights looked up in the manual's terms, no sharing.
 * Tables are random, with a bias towards entries that lead somewhere.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "x86/walk.h"

#define PAGES 16
#define MAXPHY 38
#define RESERVED (~0ULL << MAXPHY)

struct world {
	struct walk_env env;
	u8 mem[PAGES * 4096];
	int fail_updates;	/* so many updates find a changed entry */
	int updates;
	bool rom;
	u64 shift;		/* nested: guest frame n is at n + shift */
	struct gpa nested_fault;
	enum mem_rc read_rc;
};

static u64 seed;

static u64 rnd(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

static bool one_in(unsigned int n)
{
	return rnd() % n == 0;
}

static struct world *world_of(const struct walk_env *env)
{
	return container_of(env, struct world, env);
}

static enum mem_rc mem_read(const struct walk_env *env, struct gpa gpa,
			    unsigned int bytes, u64 *val)
{
	struct world *w = world_of(env);

	assert_int_equal(gpa.v % bytes, 0);
	*val = 0;
	if (w->read_rc != MEM_OK)
		return w->read_rc;
	if (gpa.v + bytes > sizeof(w->mem))
		return MEM_MMIO;
	memcpy(val, w->mem + gpa.v, bytes);
	return MEM_OK;
}

static enum mem_rc mem_update(const struct walk_env *env, struct gpa gpa,
			      unsigned int bytes, u64 *old, u64 new)
{
	struct world *w = world_of(env);
	u64 now = 0;

	w->updates++;
	if (w->rom || gpa.v + bytes > sizeof(w->mem))
		return MEM_MMIO;
	memcpy(&now, w->mem + gpa.v, bytes);
	if (w->fail_updates) {
		w->fail_updates--;
		*old = ~*old;
		return MEM_OK;
	}
	if (now == *old)
		memcpy(w->mem + gpa.v, &new, bytes);
	*old = now;
	return MEM_OK;
}

static enum mem_rc mem_translate(const struct walk_env *env, struct gpa *gpa,
				 u32 access, struct fault *fault)
{
	struct world *w = world_of(env);

	assert_true(access & WALK_USER);
	if (gpa->v >> 12 == w->nested_fault.v >> 12) {
		*fault = (struct fault){ .vector = VEC_PF, .cr2 = gpa->v };
		return MEM_FAULT;
	}
	gpa->v += w->shift << 12;
	return MEM_OK;
}

static const struct walk_ops ops = { .read = mem_read, .update = mem_update };
static const struct walk_ops nested_ops = {
	.read = mem_read, .update = mem_update, .translate = mem_translate,
};

/* ---- the model ---- */

struct model {
	struct world *w;
	const struct walk_in *in;
	bool present, reserved;
	u64 at[5], val[5];	/* entries in memory, from the top */
	unsigned int bytes, n;
	u64 gpa, key;
	int level;
	bool all_user, all_write, any_nx;
	u32 code;
};

static u64 model_load(struct model *m, u64 at, bool marks)
{
	u64 val = m->bytes == 4 ? 0xffffffff : ~0ULL;

	if (at + m->bytes <= sizeof(m->w->mem)) {
		val = 0;
		memcpy(&val, m->w->mem + at, m->bytes);
	}
	if (marks) {
		m->at[m->n] = at;
		m->val[m->n++] = val;
	}
	return val;
}

static void model_rights(struct model *m, u64 val)
{
	m->all_user = m->all_user && (val >> 2 & 1);
	m->all_write = m->all_write && (val >> 1 & 1);
	m->any_nx = m->any_nx || (val >> 63);
}

static void model_32(struct model *m)
{
	const struct regs *regs = m->in->regs;
	u64 gva = m->in->gva.v & 0xffffffff;
	u64 pde, pte;

	m->bytes = 4;
	pde = model_load(m, (regs->cr3 & 0xfffff000) + (gva >> 22) * 4, true);
	if (!(pde & 1))
		return;
	model_rights(m, pde);
	if ((regs->cr4 & CR4_PSE) && (pde & 0x80)) {
		m->present = true;
		m->gpa = (pde & 0xffc00000) | (pde >> 13 & 0xff) << 32 |
			 (gva & 0x3fffff);
		m->reserved = (pde & BIT(21)) ||
			      (m->gpa & m->in->gpa_reserved);
		m->level = 2;
		return;
	}
	pte = model_load(m, (pde & 0xfffff000) + (gva >> 12 & 0x3ff) * 4, true);
	m->present = pte & 1;
	model_rights(m, pte);
	m->gpa = (pte & 0xfffff000) | (gva & 0xfff);
	m->level = 1;
}

static bool model_bad(const struct model *m, u64 val, u64 more)
{
	bool nxe = m->in->regs->efer & EFER_NXE_BIT;
	u64 frame = val & 0x000fffffffffffffULL;

	return (frame & m->in->gpa_reserved) || (val & more) ||
	       (!nxe && val >> 63);
}

static void model_pae(struct model *m)
{
	const struct regs *regs = m->in->regs;
	u64 gva = m->in->gva.v & 0xffffffff;
	u64 high = 0x7ff0000000000000ULL;
	u64 pdpte, pde, pte;

	m->bytes = 8;
	if (m->in->pdpte)
		pdpte = m->in->pdpte[gva >> 30];
	else
		pdpte = model_load(m, (regs->cr3 & 0xffffffe0) +
				   (gva >> 30) * 8, false);
	if (!(pdpte & 1))
		return;
	m->present = true;
	/* bit 5 is reserved in a register, and let through in memory */
	if (pdpte & ((m->in->pdpte ? 0x1e6 : 0x1c6) | m->in->gpa_reserved)) {
		m->reserved = true;
		return;
	}
	pde = model_load(m, (pdpte & 0xffffffffff000ULL) +
			 (gva >> 21 & 511) * 8, true);
	m->present = pde & 1;
	if (!m->present)
		return;
	model_rights(m, pde);
	if (pde & 0x80) {
		m->reserved = model_bad(m, pde, high | 0x1fe000);
		m->gpa = (pde & 0xfffffffe00000ULL) | (gva & 0x1fffff);
		m->level = 2;
		return;
	}
	m->reserved = model_bad(m, pde, high);
	if (m->reserved)
		return;
	pte = model_load(m, (pde & 0xffffffffff000ULL) +
			 (gva >> 12 & 511) * 8, true);
	m->present = pte & 1;
	model_rights(m, pte);
	m->reserved = m->present && model_bad(m, pte, high);
	m->gpa = (pte & 0xffffffffff000ULL) | (gva & 0xfff);
	m->level = 1;
}

static void model_long(struct model *m, int levels)
{
	u64 gva = m->in->gva.v;
	u64 table = m->in->regs->cr3 & 0xffffffffff000ULL;
	int level;

	m->bytes = 8;
	for (level = levels; level > 0; level--) {
		int shift = 3 + 9 * level;
		u64 val = model_load(m, table + (gva >> shift & 511) * 8, true);
		bool big = level > 1 && (val & 0x80);

		m->present = val & 1;
		if (!m->present)
			return;
		model_rights(m, val);
		m->reserved = model_bad(m, val, 0);
		if (big && (level > 3 || (level == 3 && !m->in->gbpages)))
			m->reserved = true;
		if (big && level == 3 && (val & 0x3fffe000))
			m->reserved = true;
		if (big && level == 2 && (val & 0x1fe000))
			m->reserved = true;
		if (m->reserved)
			return;
		table = val & 0xffffffffff000ULL;
		if (big || level == 1) {
			u64 in_page = gva & (BIT_ULL(shift) - 1);

			m->gpa = (table >> shift << shift) | in_page;
			m->key = val >> 59 & 15;
			m->level = level;
			return;
		}
	}
}

/* SDM vol. 3, 4.6.1 and 4.6.2, sentence by sentence. */
static bool model_allows(const struct model *m, bool write, bool fetch,
			 bool *key)
{
	const struct walk_in *in = m->in;
	const struct regs *regs = in->regs;
	bool supervisor = !(in->access & WALK_USER) ||
			  (in->access & WALK_IMPLICIT);
	bool wp = regs->cr0 & CR0_WP;
	bool smap_ok = !(regs->cr4 & CR4_SMAP) ||
		       ((regs->rflags & RFLAGS_AC) &&
			!(in->access & WALK_IMPLICIT));
	u32 pk = in->pkru >> (m->key * 2);
	bool ok;

	*key = false;
	if ((regs->cr4 & CR4_PKE) && (regs->efer & EFER_LMA_BIT) &&
	    m->all_user && !fetch)
		*key = (pk & 1) || ((pk & 2) && write && (!supervisor || wp));

	if (supervisor && !m->all_user) {
		ok = true;
		if (write)
			ok = m->all_write || !wp;
		if (fetch)
			ok = !m->any_nx;
	} else if (supervisor) {
		ok = smap_ok;
		if (write)
			ok = smap_ok && (m->all_write || !wp);
		if (fetch)
			ok = !(regs->cr4 & CR4_SMEP) && !m->any_nx;
	} else {
		ok = m->all_user;
		if (write)
			ok = ok && m->all_write;
		if (fetch)
			ok = ok && !m->any_nx;
	}
	return ok && !*key;
}

/* MEM_OK or MEM_FAULT with m->code; marks the entries in the model's world. */
static enum mem_rc model_walk(struct model *m)
{
	const struct walk_in *in = m->in;
	const struct regs *regs = in->regs;
	bool write = in->access & WALK_WRITE, fetch = in->access & WALK_FETCH;
	bool allowed, key = false;
	unsigned int i;

	m->all_user = m->all_write = true;
	if (!(regs->cr4 & CR4_PAE))
		model_32(m);
	else if (!(regs->efer & EFER_LMA_BIT))
		model_pae(m);
	else
		model_long(m, regs->cr4 & CR4_LA57 ? 5 : 4);

	allowed = m->present && !m->reserved &&
		  model_allows(m, write, fetch, &key);
	if (!allowed) {
		m->code = m->present;
		m->code |= write << 1;
		m->code |= (u32)((in->access & WALK_USER) &&
				 !(in->access & WALK_IMPLICIT)) << 2;
		m->code |= (m->present && m->reserved) << 3;
		m->code |= (u32)(fetch && ((regs->cr4 & CR4_SMEP) ||
					   ((regs->cr4 & CR4_PAE) &&
					    (regs->efer & EFER_NXE_BIT)))) << 4;
		m->code |= key << 5;
		return MEM_FAULT;
	}
	for (i = 0; i < m->n && !(in->access & WALK_PROBE); i++) {
		m->val[i] |= 0x20;
		if (i == m->n - 1 && write)
			m->val[i] |= 0x40;
		if (m->at[i] + m->bytes <= sizeof(m->w->mem))
			memcpy(m->w->mem + m->at[i], &m->val[i], m->bytes);
	}
	return MEM_OK;
}

/* ---- random worlds ---- */

static u64 random_entry(void)
{
	u64 val = (rnd() % PAGES) << 12 | (rnd() & 0x7e) | 1;

	if (!one_in(4))
		val |= 6;		/* writable, user */
	if (!one_in(4))
		val &= ~0x80ULL;	/* mostly tables */
	if (one_in(8))
		val |= BIT_ULL(63);
	if (one_in(8))
		val |= BIT_ULL(12 + rnd() % 52);
	if (one_in(4))
		val |= (rnd() & 15) << 59;
	if (one_in(10))
		val &= ~1ULL;
	if (one_in(50))
		val = rnd();
	return val;
}

static void random_world(struct world *w, bool small)
{
	unsigned int i, step = small ? 4 : 8;

	for (i = 0; i < sizeof(w->mem); i += step) {
		u64 val = random_entry();

		memcpy(w->mem + i, &val, step);
	}
}

static void random_regs(struct regs *regs, int mode)
{
	static const u64 cr4[] = { 0, CR4_PSE, CR4_PAE, CR4_PAE,
				   CR4_PAE | CR4_LA57 };

	*regs = (struct regs){
		.cr0 = CR0_PE | CR0_PG | (one_in(2) ? CR0_WP : 0),
		.cr4 = cr4[mode] | (rnd() & (CR4_SMEP | CR4_SMAP)),
		.cr3 = (rnd() % PAGES) << 12 | (rnd() & 0xfff),
		.rflags = RFLAGS_FIXED | (one_in(2) ? RFLAGS_AC : 0),
		.efer = one_in(3) ? 0 : EFER_NXE_BIT,
	};
	if (mode >= 3) {
		regs->efer |= EFER_LME_BIT | EFER_LMA_BIT;
		if (one_in(2))
			regs->cr4 |= CR4_PKE;
	}
}

static u32 random_access(void)
{
	u32 access = one_in(2) ? WALK_USER : 0;

	switch (rnd() % 4) {
	case 0:
		access |= WALK_WRITE;
		break;
	case 1:
		access |= WALK_FETCH;
		break;
	case 2:
		access |= one_in(4) ? WALK_IMPLICIT : 0;
		break;
	}
	return access | (one_in(6) ? WALK_PROBE : 0);
}

static void compare(struct world *a, struct world *b, const struct walk_in *in,
		    unsigned int *passed)
{
	struct model m = { .w = b, .in = in };
	struct walk_out out;
	enum mem_rc rc, want;
	bool key;

	rc = walk(&a->env, in, &out);
	want = model_walk(&m);
	assert_int_equal(rc, want);
	if (rc == MEM_FAULT) {
		assert_int_equal(out.fault.vector, VEC_PF);
		assert_true(out.fault.has_error_code && out.fault.has_cr2);
		assert_int_equal(out.fault.error_code, m.code);
		assert_int_equal(out.fault.cr2, in->gva.v);
		assert_false(out.nested);
		return;
	}
	assert_int_equal(out.gpa.v, m.gpa);
	assert_int_equal(out.level, m.level);
	assert_int_equal(out.user, m.all_user);
	assert_int_equal(out.writable, model_allows(&m, true, false, &key));
	(*passed)++;
}

static void run_random(int mode, unsigned int worlds)
{
	static struct world a, b;
	unsigned int i, j, passed = 0;

	for (i = 0; i < worlds; i++) {
		struct regs regs;
		u64 pdpte[4] = { random_entry() & ~0x1e6ULL,
				 random_entry() & ~0x1e6ULL, 0x1001, 0 };

		memset(&a, 0, sizeof(a));
		a.env.ops = &ops;
		random_world(&a, mode < 2);
		b = a;
		random_regs(&regs, mode);
		for (j = 0; j < 200; j++) {
			struct walk_in in = {
				.regs = &regs,
				.gva = GVA(rnd()),
				.access = random_access(),
				.pkru = rnd(),
				.gbpages = one_in(2),
				.gpa_reserved = RESERVED,
				.pdpte = i % 2 ? pdpte : NULL,
			};

			compare(&a, &b, &in, &passed);
		}
		assert_memory_equal(a.mem, b.mem, sizeof(a.mem));
	}
	/* the bias works: both outcomes are exercised */
	assert_in_range(passed, worlds * 200 / 50, worlds * 200 * 49 / 50);
}

static void test_random(void **state)
{
	int mode;

	(void)state;
	seed = 0x9e3779b97f4a7c15ULL;
	for (mode = 0; mode < 5; mode++)
		run_random(mode, 400);
}

/* ---- by hand ---- */

static void put(struct world *w, u64 at, u64 val)
{
	memcpy(w->mem + at, &val, 8);
}

/* 4-level: page 1 -> 2 -> 3 -> 4 -> frame 5, all at index 0 */
static void simple(struct world *w, struct regs *regs)
{
	memset(w, 0, sizeof(*w));
	w->env.ops = &ops;
	w->nested_fault = GPA_NONE;
	put(w, 0x1000, 0x2007);
	put(w, 0x2000, 0x3007);
	put(w, 0x3000, 0x4007);
	put(w, 0x4000, 0x5007);
	*regs = (struct regs){
		.cr0 = CR0_PE | CR0_PG | CR0_WP,
		.cr4 = CR4_PAE,
		.efer = EFER_LME_BIT | EFER_LMA_BIT,
		.cr3 = 0x1000,
	};
}

static void test_paging_off(void **state)
{
	struct regs regs = { .cr0 = CR0_PE };
	struct world w = { .env.ops = &ops };
	struct walk_in in = { .regs = &regs, .gva = GVA(0x123456789ULL) };
	struct walk_out out;

	(void)state;
	assert_int_equal(walk(&w.env, &in, &out), MEM_OK);
	assert_int_equal(out.gpa.v, 0x23456789);
	assert_true(out.writable);
}

static void test_marks_once(void **state)
{
	static struct world w;
	struct regs regs;
	struct walk_in in = { .regs = &regs, .gva = GVA(0x123),
			      .gpa_reserved = RESERVED, .access = WALK_WRITE };
	struct walk_out out;

	(void)state;
	simple(&w, &regs);
	assert_int_equal(walk(&w.env, &in, &out), MEM_OK);
	assert_int_equal(out.gpa.v, 0x5123);
	assert_int_equal(w.updates, 4);
	assert_int_equal(w.mem[0x3000], 0x27);
	assert_int_equal(w.mem[0x4000], 0x67);
	assert_int_equal(walk(&w.env, &in, &out), MEM_OK);
	assert_int_equal(w.updates, 4);
}

static void test_race(void **state)
{
	static struct world w;
	struct regs regs;
	struct walk_in in = { .regs = &regs, .gpa_reserved = RESERVED };
	struct walk_out out;

	(void)state;
	simple(&w, &regs);
	w.fail_updates = 10;
	assert_int_equal(walk(&w.env, &in, &out), MEM_OK);
	assert_int_equal(w.fail_updates, 0);

	simple(&w, &regs);
	w.fail_updates = 1 << 20;
	assert_int_equal(walk(&w.env, &in, &out), MEM_RETRY);
	assert_true(w.updates < 1000);
}

static void test_rom_tables(void **state)
{
	static struct world w;
	struct regs regs;
	struct walk_in in = { .regs = &regs, .gpa_reserved = RESERVED };
	struct walk_out out;

	(void)state;
	simple(&w, &regs);
	w.rom = true;
	assert_int_equal(walk(&w.env, &in, &out), MEM_OK);
	assert_int_equal(w.mem[0x4000], 7);
}

static void test_read_failures(void **state)
{
	static struct world w;
	struct regs regs;
	struct walk_in in = { .regs = &regs, .gpa_reserved = RESERVED };
	struct walk_out out;

	(void)state;
	simple(&w, &regs);
	w.read_rc = MEM_ERROR;
	assert_int_equal(walk(&w.env, &in, &out), MEM_ERROR);
	w.read_rc = MEM_PENDING;
	assert_int_equal(walk(&w.env, &in, &out), MEM_PENDING);
	w.read_rc = MEM_OK;
	regs.cr3 = 0x100000;	/* no memory: all ones, so reserved bits */
	assert_int_equal(walk(&w.env, &in, &out), MEM_FAULT);
	assert_int_equal(out.fault.error_code, PFEC_PRESENT | PFEC_RESERVED);
}

static void test_nested(void **state)
{
	static struct world w;
	struct regs regs;
	struct walk_in in = { .regs = &regs, .gpa_reserved = RESERVED,
			      .gva = GVA(0x10) };
	struct walk_out out;

	(void)state;
	simple(&w, &regs);
	w.env.ops = &nested_ops;
	w.shift = 8;
	memcpy(w.mem + 0x9000, w.mem + 0x1000, 0x4000);
	memset(w.mem, 0, 0x8000);
	assert_int_equal(walk(&w.env, &in, &out), MEM_OK);
	assert_int_equal(out.gpa.v, 0xd010);
	assert_int_equal(w.mem[0xa000], 0x27);

	w.nested_fault = GPA(0x5000);
	assert_int_equal(walk(&w.env, &in, &out), MEM_FAULT);
	assert_true(out.nested);
	assert_int_equal(out.fault.cr2, 0x5010);
	w.nested_fault = GPA(0x3000);
	assert_int_equal(walk(&w.env, &in, &out), MEM_FAULT);
	assert_true(out.nested);

	/* a fault of the guest's own tables is not a nested one */
	w.nested_fault = GPA_NONE;
	put(&w, 0xc000, 0);
	assert_int_equal(walk(&w.env, &in, &out), MEM_FAULT);
	assert_false(out.nested);
	assert_int_equal(out.fault.error_code, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_paging_off),
		cmocka_unit_test(test_marks_once),
		cmocka_unit_test(test_race),
		cmocka_unit_test(test_rom_tables),
		cmocka_unit_test(test_read_failures),
		cmocka_unit_test(test_nested),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
