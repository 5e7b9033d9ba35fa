// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bus tables: dispatch order, datamatch, copy-update, and random tables
 * against a plain list that is searched from end to end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "dev/bus.h"

struct probe {
	struct bus_dev dev;
	bool refuse;
	unsigned int hits;
	u64 addr, value;
	unsigned int len;
};

static bool probe_read(struct bus_dev *dev, u64 addr, unsigned int len,
		       void *data)
{
	struct probe *p = container_of(dev, struct probe, dev);

	p->hits++;
	p->addr = addr;
	p->len = len;
	if (p->refuse)
		return false;
	memset(data, 0x5a, len);
	return true;
}

static bool probe_write(struct bus_dev *dev, u64 addr, unsigned int len,
			const void *data)
{
	struct probe *p = container_of(dev, struct probe, dev);

	p->hits++;
	p->addr = addr;
	p->len = len;
	p->value = 0;
	memcpy(&p->value, data, len);
	return !p->refuse;
}

static const struct bus_dev_ops probe_ops = {
	.read = probe_read,
	.write = probe_write,
};

#define PROBE() { .dev = { .ops = &probe_ops } }

static struct bus_range area(u64 start, u64 len, struct probe *p)
{
	return (struct bus_range){ .start = start, .len = len, .dev = &p->dev };
}

static struct bus_range exact(u64 start, u64 len, struct probe *p)
{
	return (struct bus_range){ .start = start, .len = len, .dev = &p->dev,
				   .kind = BUS_EXACT };
}

static struct bus_range match(u64 start, u64 len, u64 value, struct probe *p)
{
	struct bus_range r = exact(start, len, p);

	r.has_datamatch = true;
	r.datamatch = value;
	return r;
}

static enum bus_rc add(struct bus_table **t, struct bus_range r)
{
	struct bus_table *new;
	enum bus_rc rc = bus_table_add(*t, &r, &new);

	if (rc == BUS_OK) {
		host_free(*t);
		*t = new;
	}
	return rc;
}

static enum bus_rc del(struct bus_table **t, struct bus_range r)
{
	struct bus_table *new;
	enum bus_rc rc = bus_table_remove(*t, &r, &new);

	if (rc == BUS_OK) {
		host_free(*t);
		*t = new;
	}
	return rc;
}

static bool write_n(const struct bus_table *t, u64 addr, unsigned int len,
		    u64 v)
{
	return bus_write(t, addr, len, &v);
}

static void empty_bus_handles_nothing(void **state)
{
	struct probe p = PROBE();
	struct bus_table *t = NULL;
	u64 v;

	assert_false(bus_read(NULL, 0, 1, &v));
	assert_false(write_n(NULL, 0, 1, 0));
	assert_int_equal(del(&t, area(1, 2, &p)), BUS_NOENT);
	assert_int_equal(add(&t, area(1, 2, &p)), BUS_OK);
	assert_int_equal(del(&t, area(1, 2, &p)), BUS_OK);
	assert_int_equal(t->nr, 0);
	assert_false(bus_read(t, 1, 1, &v));
	host_free(t);
}

static void areas_take_what_lies_inside(void **state)
{
	struct probe p = PROBE();
	struct bus_table *t = NULL;
	u64 v = 0;

	assert_int_equal(add(&t, area(0x40, 4, &p)), BUS_OK);
	assert_true(bus_read(t, 0x40, 4, &v));
	assert_int_equal(v, 0x5a5a5a5a);
	assert_true(bus_read(t, 0x43, 1, &v));
	assert_int_equal(p.addr, 0x43);
	assert_false(bus_read(t, 0x43, 2, &v));
	assert_false(bus_read(t, 0x3f, 1, &v));
	assert_false(bus_read(t, 0x3f, 2, &v));
	assert_false(bus_read(t, 0x44, 1, &v));
	assert_false(bus_read(t, 0x40, 8, &v));
	assert_false(bus_read(t, 0x40, 0, &v));
	assert_false(bus_read(t, 0x40, 9, &v));
	assert_int_equal(p.hits, 2);
	host_free(t);
}

static void ends_of_the_address_space(void **state)
{
	struct probe p = PROBE();
	struct bus_table *t = NULL;
	u64 v;

	assert_int_equal(add(&t, area(U64_MAX - 1, 2, &p)), BUS_OK);
	assert_int_equal(add(&t, area(U64_MAX, 2, &p)), BUS_INVALID);
	assert_int_equal(add(&t, area(0, 0, &p)), BUS_INVALID);
	assert_int_equal(add(&t, exact(U64_MAX, 2, &p)), BUS_INVALID);
	assert_int_equal(add(&t, exact(U64_MAX, 1, &p)), BUS_OK);
	assert_true(bus_read(t, U64_MAX, 1, &v));
	assert_false(bus_read(t, U64_MAX, 2, &v));
	assert_true(bus_read(t, U64_MAX - 1, 2, &v));
	host_free(t);
}

static void exact_ranges_match_address_length_value(void **state)
{
	struct probe any = PROBE(), four = PROBE(), seven = PROBE();
	struct bus_table *t = NULL;
	u64 v;

	assert_int_equal(add(&t, exact(0x100, 0, &any)), BUS_OK);
	assert_int_equal(add(&t, exact(0x200, 4, &four)), BUS_OK);
	assert_int_equal(add(&t, match(0x300, 2, 7, &seven)), BUS_OK);

	assert_true(write_n(t, 0x100, 1, 1));
	assert_true(write_n(t, 0x100, 8, 1));
	assert_false(write_n(t, 0x101, 1, 1));
	assert_true(write_n(t, 0x200, 4, 99));
	assert_false(write_n(t, 0x200, 2, 99));
	assert_true(write_n(t, 0x300, 2, 7));
	assert_false(write_n(t, 0x300, 2, 8));
	assert_false(write_n(t, 0x300, 1, 7));
	assert_false(bus_read(t, 0x100, 1, &v));
	assert_int_equal(any.hits, 2);
	host_free(t);
}

static void bad_exact_ranges_are_refused(void **state)
{
	struct probe p = PROBE();
	struct bus_table *t = NULL;
	struct bus_range r = area(0, 4, &p);

	assert_int_equal(add(&t, exact(0, 3, &p)), BUS_INVALID);
	assert_int_equal(add(&t, exact(0, 16, &p)), BUS_INVALID);
	assert_int_equal(add(&t, match(0, 0, 1, &p)), BUS_INVALID);
	r.has_datamatch = true;
	assert_int_equal(add(&t, r), BUS_INVALID);
	assert_null(t);
}

static void collisions(void **state)
{
	struct probe p = PROBE(), q = PROBE();
	struct bus_table *t = NULL;

	assert_int_equal(add(&t, match(0x10, 4, 1, &p)), BUS_OK);
	assert_int_equal(add(&t, match(0x10, 4, 2, &q)), BUS_OK);
	assert_int_equal(add(&t, match(0x10, 4, 1, &q)), BUS_EXISTS);
	assert_int_equal(add(&t, exact(0x10, 4, &q)), BUS_EXISTS);
	assert_int_equal(add(&t, exact(0x10, 0, &q)), BUS_EXISTS);
	assert_int_equal(add(&t, exact(0x10, 2, &q)), BUS_OK);
	assert_int_equal(add(&t, exact(0x11, 4, &q)), BUS_OK);
	assert_int_equal(add(&t, area(0x10, 4, &q)), BUS_OK);
	assert_int_equal(add(&t, area(0x10, 4, &q)), BUS_OK);

	assert_int_equal(del(&t, match(0x10, 4, 1, &q)), BUS_NOENT);
	assert_int_equal(del(&t, match(0x10, 4, 3, &p)), BUS_NOENT);
	assert_int_equal(del(&t, exact(0x10, 4, &p)), BUS_NOENT);
	assert_int_equal(del(&t, match(0x10, 4, 1, &p)), BUS_OK);
	assert_int_equal(add(&t, match(0x10, 4, 1, &q)), BUS_OK);
	host_free(t);
}

static void the_most_specific_goes_first(void **state)
{
	struct probe wide = PROBE(), narrow = PROBE(), old = PROBE();
	struct probe eventfd = PROBE();
	struct bus_table *t = NULL;

	assert_int_equal(add(&t, match(0x20, 1, 5, &eventfd)), BUS_OK);
	assert_int_equal(add(&t, area(0x20, 2, &old)), BUS_OK);
	assert_int_equal(add(&t, area(0x20, 2, &narrow)), BUS_OK);
	assert_int_equal(add(&t, area(0, 0x1000, &wide)), BUS_OK);

	assert_true(write_n(t, 0x20, 1, 5));
	assert_int_equal(eventfd.hits, 1);
	assert_true(write_n(t, 0x20, 1, 6));
	assert_int_equal(old.hits, 1);
	old.refuse = true;
	assert_true(write_n(t, 0x20, 1, 6));
	assert_int_equal(narrow.hits, 1);
	narrow.refuse = true;
	assert_true(write_n(t, 0x20, 1, 6));
	assert_int_equal(wide.hits, 1);
	assert_true(write_n(t, 0x800, 4, 6));
	assert_int_equal(wide.hits, 2);
	wide.refuse = true;
	assert_false(write_n(t, 0x21, 1, 6));
	assert_int_equal(wide.hits, 3);
	assert_int_equal(eventfd.hits, 1);
	host_free(t);
}

static void missing_ops_mean_not_mine(void **state)
{
	static const struct bus_dev_ops none = {};
	struct bus_dev dev = { .ops = &none };
	struct bus_range r = { .start = 8, .len = 8, .dev = &dev };
	struct bus_table *t = NULL;
	u64 v = 0;

	assert_int_equal(add(&t, r), BUS_OK);
	assert_false(bus_read(t, 8, 1, &v));
	assert_false(bus_write(t, 8, 1, &v));
	host_free(t);
}

static void the_old_table_stays_as_it_was(void **state)
{
	struct probe p = PROBE(), q = PROBE();
	struct bus_table *a, *b, *c;
	struct bus_range r = area(1, 1, &p), s = area(0, 1, &q);

	assert_int_equal(bus_table_add(NULL, &r, &a), BUS_OK);
	assert_int_equal(bus_table_add(a, &s, &b), BUS_OK);
	assert_int_equal(bus_table_remove(b, &r, &c), BUS_OK);
	assert_int_equal(a->nr, 1);
	assert_int_equal(b->nr, 2);
	assert_int_equal(c->nr, 1);
	assert_true(write_n(a, 1, 1, 0));
	assert_false(write_n(a, 0, 1, 0));
	assert_true(write_n(b, 0, 1, 0));
	assert_false(write_n(c, 1, 1, 0));
	host_free(a);
	host_free(b);
	host_free(c);
}

static void a_full_table_says_so(void **state)
{
	struct probe p = PROBE();
	struct bus_table *t, *full;
	struct bus_range r = area(0, 1, &p);

	full = host_zalloc(sizeof(*full));
	full->nr = BUS_MAX_RANGES;
	assert_int_equal(bus_table_add(full, &r, &t), BUS_FULL);
	host_free(full);
}

/*
 * Against a list in order of registration. All devices refuse, so that the
 * sequence of those that were asked can be compared.
 */
#define MODEL_RANGES 40

static struct bus_dev *asked[MODEL_RANGES];
static unsigned int nr_asked;

static bool note_write(struct bus_dev *dev, u64 addr, unsigned int len,
		       const void *data)
{
	asked[nr_asked++] = dev;
	return false;
}

static const struct bus_dev_ops note_ops = { .write = note_write };

static unsigned int model_rank(const struct bus_range *r)
{
	if (r->kind == BUS_AREA)
		return 0;
	if (r->has_datamatch)
		return 3;
	return r->len ? 2 : 1;
}

static bool model_wants(const struct bus_range *r, u64 addr, unsigned int len,
			u64 v)
{
	if (r->kind == BUS_AREA)
		return addr >= r->start && addr + len <= r->start + r->len;
	if (addr != r->start || (r->len && r->len != len))
		return false;
	return !r->has_datamatch || r->datamatch == (v & (~0ULL >> (64 - 8 * len)));
}

static unsigned int model_ask(const struct bus_range *list, unsigned int nr,
			      u64 addr, unsigned int len, u64 v,
			      struct bus_dev **out)
{
	bool done[MODEL_RANGES] = {};
	unsigned int n = 0, i;

	for (;;) {
		int best = -1;

		for (i = 0; i < nr; i++) {
			if (done[i] || !model_wants(&list[i], addr, len, v))
				continue;
			if (best < 0 || list[i].start > list[best].start ||
			    (list[i].start == list[best].start &&
			     model_rank(&list[i]) > model_rank(&list[best])))
				best = i;
		}
		if (best < 0)
			return n;
		done[best] = true;
		out[n++] = list[best].dev;
	}
}

static struct bus_range random_range(struct bus_dev *dev)
{
	struct bus_range r = { .start = rand() % 24, .dev = dev };

	if (rand() % 2) {
		r.len = 1 + rand() % 12;
		return r;
	}
	r.kind = BUS_EXACT;
	r.len = rand() % 3 ? 1 << rand() % 4 : 0;
	if (r.len && rand() % 2) {
		r.has_datamatch = true;
		r.datamatch = rand() % 3;
	}
	return r;
}

/* How many candidates an access may have is known before there is one. */
static void the_longest_walk_is_known(void **state)
{
	struct bus_table *t = NULL, *next;
	struct probe p = PROBE();
	unsigned int i;

	/* Neighbours: each address has one candidate, or two at its end. */
	for (i = 0; i < 2 * BUS_LONG; i++) {
		struct bus_range r = area(0x1000 * i, 0x1000, &p);

		assert_int_equal(bus_table_add(t, &r, &next), BUS_OK);
		host_free(t);
		t = next;
	}
	assert_int_equal(t->longest, 1);
	assert_false(bus_is_long(t));
	assert_false(bus_is_long(NULL));
	/* One that covers them all makes each a candidate of those behind. */
	assert_int_equal(bus_table_add(t, &(struct bus_range){
		.len = 0x100000000, .dev = &p.dev }, &next), BUS_OK);
	host_free(t);
	t = next;
	assert_int_equal(t->longest, 2 * BUS_LONG + 1);
	assert_true(bus_is_long(t));
	assert_int_equal(bus_table_remove(t, &(struct bus_range){
		.len = 0x100000000, .dev = &p.dev }, &next), BUS_OK);
	host_free(t);
	t = next;
	assert_int_equal(t->longest, 1);
	host_free(t);
	/* As many for the very same place */
	t = NULL;
	for (i = 0; i <= BUS_LONG; i++) {
		struct bus_range r = area(0x1000 + i, 0x1000, &p);

		assert_false(bus_is_long(t));
		assert_int_equal(bus_table_add(t, &r, &next), BUS_OK);
		host_free(t);
		t = next;
	}
	assert_true(bus_is_long(t));
	p.refuse = true;
	p.hits = 0;
	assert_false(bus_write(t, 0x1000 + BUS_LONG, 1, "x"));
	assert_int_equal(p.hits, t->longest);
	host_free(t);
}

static void random_tables_agree_with_a_list(void **state)
{
	struct bus_dev dev[MODEL_RANGES], *expect[MODEL_RANGES];
	struct bus_range list[MODEL_RANGES];
	unsigned int round, i, n;

	srand(4711);
	for (i = 0; i < MODEL_RANGES; i++)
		dev[i].ops = &note_ops;
	for (round = 0; round < 300; round++) {
		struct bus_table *t = NULL;
		unsigned int nr = 0, step;

		for (step = 0; step < 60; step++) {
			if (nr && (rand() % 4 == 0 || nr == MODEL_RANGES)) {
				i = rand() % nr;
				assert_int_equal(del(&t, list[i]), BUS_OK);
				memmove(&list[i], &list[i + 1],
					(nr - i - 1) * sizeof(list[0]));
				nr--;
				continue;
			}
			list[nr] = random_range(&dev[rand() % MODEL_RANGES]);
			/* equal ranges of one device cannot be told apart */
			for (i = 0; i < nr; i++)
				if (list[i].dev == list[nr].dev &&
				    list[i].start == list[nr].start)
					break;
			if (i == nr && add(&t, list[nr]) == BUS_OK)
				nr++;
		}
		for (step = 0; step < 200; step++) {
			u64 addr = rand() % 40, v = rand() % 3;
			unsigned int len = 1 << rand() % 4;

			nr_asked = 0;
			assert_false(bus_write(t, addr, len, &v));
			n = model_ask(list, nr, addr, len, v, expect);
			assert_int_equal(nr_asked, n);
			assert_true(!n || n <= t->longest);
			for (i = 0; i < n; i++)
				assert_ptr_equal(asked[i], expect[i]);
		}
		host_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_bus_handles_nothing),
		cmocka_unit_test(areas_take_what_lies_inside),
		cmocka_unit_test(ends_of_the_address_space),
		cmocka_unit_test(exact_ranges_match_address_length_value),
		cmocka_unit_test(bad_exact_ranges_are_refused),
		cmocka_unit_test(collisions),
		cmocka_unit_test(the_most_specific_goes_first),
		cmocka_unit_test(missing_ops_mean_not_mine),
		cmocka_unit_test(the_old_table_stays_as_it_was),
		cmocka_unit_test(a_full_table_says_so),
		cmocka_unit_test(the_longest_walk_is_known),
		cmocka_unit_test(random_tables_agree_with_a_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
