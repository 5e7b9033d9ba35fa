// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory slots: each refusal of the KVM API, and long random histories that
 * are compared with a model that knows only a plain list. What a change costs
 * is judged by the memory that the next set does not share, not by time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "mem/memslot.h"

#define PAGES(n) ((u64)(n) * PAGE_SIZE)
#define HVA_END (1ULL << 47)

static const struct memslot_limits limits = {
	.gfn_end = 1ULL << 36,
	.hva_end = HVA_END,
};

/* The current set and the slots it owns; what an update would publish. */
static struct memslots *set;

static int setup(void **state)
{
	set = memslots_empty();
	return set ? 0 : -1;
}

static void free_slot(void *ctx, struct memslot *slot)
{
	free(slot);
}

static int teardown(void **state)
{
	memslots_free(set, free_slot, NULL);
	return 0;
}

static struct kvm_userspace_memory_region2 region(u32 slot, u32 flags, u64 gpa,
						  u64 size, u64 hva)
{
	return (struct kvm_userspace_memory_region2){
		.slot = slot,
		.flags = flags,
		.guest_phys_addr = gpa,
		.memory_size = size,
		.userspace_addr = hva,
	};
}

static void check_order(const struct memslot_dir *dir,
			enum memslot_order order)
{
	const struct memslot_entry *before = NULL;
	u32 count = 0;

	for (u32 i = 0; i < dir->count; i++) {
		const struct memslot_chunk *chunk = dir->ref[i].chunk;
		u64 reach = 0;

		assert_in_range(chunk->count, 1, MEMSLOT_CHUNK - 1);
		assert_int_equal(dir->ref[i].first, chunk->entry[0].key);
		for (u32 at = 0; at < chunk->count; at++) {
			const struct memslot_entry *e = &chunk->entry[at];
			const struct memslot *slot = e->slot;
			u64 key[] = { slot->base.v, slot->hva.v, slot->id };

			assert_int_equal(e->key, key[order]);
			reach = max(reach, slot->hva.v + PAGES(slot->npages));
			if (before)
				assert_true(before->key < e->key ||
					    (order == MEMSLOT_BY_HVA &&
					     before->key == e->key &&
					     before->slot->id < slot->id));
			if (before && order == MEMSLOT_BY_GFN)
				assert_true(before->key + before->slot->npages
					    <= e->key);
			before = e;
			count++;
		}
		if (order == MEMSLOT_BY_HVA)
			assert_int_equal(dir->ref[i].reach, reach);
		if (i)
			assert_true(dir->ref[i - 1].chunk->count +
				    chunk->count > MEMSLOT_CHUNK / 2);
	}
	assert_int_equal(count, set->count);
}

static void check_invariants(void)
{
	for (int order = 0; order < MEMSLOT_ORDERS; order++)
		check_order(&set->by[order], order);
}

/* Bytes of @next that the set before it, a generation older, has not. */
static u64 bytes_made(const struct memslots *next)
{
	u64 bytes = sizeof(*next);

	for (int order = 0; order < MEMSLOT_ORDERS; order++) {
		const struct memslot_dir *dir = &next->by[order];

		bytes += dir->count * sizeof(dir->ref[0]);
		for (u32 i = 0; i < dir->count; i++)
			if (dir->ref[i].chunk->generation == next->generation)
				bytes += struct_size(dir->ref[i].chunk, entry,
						     dir->ref[i].chunk->room);
	}
	return bytes;
}

/* The most that the changes since it was set to 0 have made. */
static u64 most_made;

/* Check and commit, as mem/region.c does without the waiting. */
static int apply(const struct kvm_userspace_memory_region2 *in)
{
	struct memslot_plan plan;
	struct memslot *add = NULL;
	struct memslots *next;
	int err = memslot_check(set, in, &limits, &plan);

	if (err || plan.change == MEMSLOT_NONE)
		return err;
	if (plan.change != MEMSLOT_DELETE) {
		add = calloc(1, sizeof(*add));
		*add = plan.next;
	}
	next = memslots_replace(set, plan.old, add);
	assert_non_null(next);
	assert_int_equal(next->generation, set->generation + 1);
	most_made = max(most_made, bytes_made(next));
	assert_ptr_equal(memslots_retire(set), plan.old);
	free(plan.old);
	set = next;
	return 0;
}

static int set_region(u32 slot, u32 flags, u64 gpa, u64 size, u64 hva)
{
	struct kvm_userspace_memory_region2 in = region(slot, flags, gpa, size,
							hva);

	return apply(&in);
}

static enum memslot_change change_of(u32 slot, u32 flags, u64 gpa, u64 size,
				     u64 hva)
{
	struct kvm_userspace_memory_region2 in = region(slot, flags, gpa, size,
							hva);
	struct memslot_plan plan;

	assert_int_equal(memslot_check(set, &in, &limits, &plan), 0);
	return plan.change;
}

static void bad_arguments(void **state)
{
	static const struct {
		const char *what;
		u32 slot, flags;
		u64 gpa, size, hva;
	} row[] = {
		{ "flag 2", 1, KVM_MEM_GUEST_MEMFD, 0, 0x1000, 0x1000 },
		{ "flag 31", 1, 1u << 31, 0, 0x1000, 0x1000 },
		{ "address space", 1 << 16, 0, 0, 0x1000, 0x1000 },
		{ "id", MEMSLOT_MAX, 0, 0, 0x1000, 0x1000 },
		{ "last id", 0xffff, 0, 0, 0x1000, 0x1000 },
		{ "gpa misaligned", 1, 0, 0x800, 0x1000, 0x1000 },
		{ "size misaligned", 1, 0, 0, 0x1800, 0x1000 },
		{ "hva misaligned", 1, 0, 0, 0x1000, 0x1001 },
		{ "gpa wraps", 1, 0, -0x1000ULL, 0x2000, 0x1000 },
		{ "gpa ends at 2^64", 1, 0, -0x1000ULL, 0x1000, 0x1000 },
		{ "gpa beyond tables", 1, 0, 1ULL << 48, 0x1000, 0x1000 },
		{ "across the tables' end", 1, 0, (1ULL << 48) - 0x1000,
		  0x2000, 0x1000 },
		{ "too many pages", 1, 0, 0, PAGES(1ULL << 31), 0x1000 },
		{ "size 2^62", 1, 0, 0, 1ULL << 62, 0x1000 },
		{ "hva beyond the process", 1, 0, 0, 0x1000, HVA_END },
		{ "hva across its end", 1, 0, 0, 0x2000, HVA_END - 0x1000 },
		{ "hva in the kernel", 1, 0, 0, 0x1000, 1ULL << 63 },
		{ "hva wraps", 1, 0, 0, 0x2000, -0x1000ULL },
		{ "delete nothing", 1, 0, 0, 0, 0x1000 },
		{ "delete nothing with flag", 1, 8, 0, 0, 0x1000 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(row); i++) {
		int rc = set_region(row[i].slot, row[i].flags, row[i].gpa,
				    row[i].size, row[i].hva);

		if (rc != -EINVAL)
			fail_msg("%s: %d", row[i].what, rc);
	}
	assert_int_equal(set->count, 0);
}

static void limits_are_reached(void **state)
{
	assert_int_equal(set_region(MEMSLOT_MAX - 1, 0, (1ULL << 48) - 0x1000,
				    0x1000, HVA_END - 0x1000), 0);
	assert_int_equal(set_region(0, 0, 0, PAGES(MEMSLOT_MAX_PAGES), 0), 0);
	assert_non_null(memslots_find_id(set, MEMSLOT_MAX - 1));
}

static void overlaps(void **state)
{
	assert_int_equal(set_region(3, 0, 0x10000, 0x4000, 0x100000), 0);
	assert_int_equal(set_region(4, 0, 0x10000, 0x4000, 0x200000), -EEXIST);
	assert_int_equal(set_region(4, 0, 0x13000, 0x4000, 0x200000), -EEXIST);
	assert_int_equal(set_region(4, 0, 0xd000, 0x4000, 0x200000), -EEXIST);
	assert_int_equal(set_region(4, 0, 0x8000, 0x10000, 0x200000), -EEXIST);
	assert_int_equal(set_region(4, 0, 0x11000, 0x1000, 0x200000), -EEXIST);
	assert_int_equal(set_region(4, 0, 0xc000, 0x4000, 0x200000), 0);
	assert_int_equal(set_region(5, 0, 0x14000, 0x4000, 0x100000), 0);
	/* Moves: onto others, and over its own old place. */
	assert_int_equal(set_region(5, 0, 0x12000, 0x4000, 0x100000), -EEXIST);
	assert_int_equal(set_region(5, 0, 0x15000, 0x4000, 0x100000), 0);
	assert_int_equal(set_region(5, 0, 0x14000, 0x4000, 0x100000), 0);
	assert_int_equal(set_region(4, 0, 0xd000, 0x4000, 0x200000), -EEXIST);
}

static void kinds_of_change(void **state)
{
	u64 gpa = 0x10000, size = 0x4000, hva = 0x100000;
	u32 log = KVM_MEM_LOG_DIRTY_PAGES, ro = KVM_MEM_READONLY;

	assert_int_equal(change_of(7, log, gpa, size, hva), MEMSLOT_CREATE);
	assert_int_equal(set_region(7, 0, gpa, size, hva), 0);
	assert_int_equal(change_of(7, 0, gpa, size, hva), MEMSLOT_NONE);
	assert_int_equal(change_of(7, log, gpa, size, hva), MEMSLOT_FLAGS);
	assert_int_equal(change_of(7, 0, 0x11000, size, hva), MEMSLOT_MOVE);
	assert_int_equal(change_of(7, log, 0x11000, size, hva), MEMSLOT_MOVE);
	assert_int_equal(change_of(7, 0, gpa, 0, hva), MEMSLOT_DELETE);
	assert_int_equal(change_of(7, 0, 0x5000, 0, 0x6000), MEMSLOT_DELETE);

	assert_int_equal(set_region(7, ro, gpa, size, hva), -EINVAL);
	assert_int_equal(set_region(7, log | ro, gpa, size, hva), -EINVAL);
	assert_int_equal(set_region(7, 0, gpa, size + 0x1000, hva), -EINVAL);
	assert_int_equal(set_region(7, 0, gpa, size - 0x1000, hva), -EINVAL);
	assert_int_equal(set_region(7, 0, gpa, size, hva + 0x1000), -EINVAL);
	assert_int_equal(set_region(7, 0, 0x11000, size, 0x200000), -EINVAL);
	/* Refused though it would overlap, too: the slot's own errors first. */
	assert_int_equal(set_region(8, 0, 0x20000, size, hva), 0);
	assert_int_equal(set_region(8, 0, gpa, size * 2, hva), -EINVAL);
	assert_int_equal(set_region(7, 0, 0, 0, 0), 0);
	assert_int_equal(set_region(7, ro, gpa, 2 * size, hva + 0x1000), 0);
}

static void find_at_the_edges(void **state)
{
	assert_null(memslots_find(set, GFN(0)));
	assert_int_equal(set_region(1, 0, 0x10000, 0x4000, 0x100000), 0);
	assert_null(memslots_find(set, GFN(0xf)));
	assert_non_null(memslots_find(set, GFN(0x10)));
	assert_non_null(memslots_find(set, GFN(0x13)));
	assert_null(memslots_find(set, GFN(0x14)));
	assert_null(memslots_find(set, GFN(U64_MAX)));
	assert_int_equal(memslot_hva(memslots_find(set, GFN(0x13)),
				     GFN(0x13)).v, 0x103000);
	assert_null(memslots_find_id(set, 0));
	assert_null(memslots_find_id(set, 2));
}

static bool next_part(struct hva_walk *walk)
{
	enum hva_step step;

	while ((step = memslots_next_hva(set, walk)) == HVA_MORE)
		;
	return step == HVA_PART;
}

static void hva_parts(void **state)
{
	struct hva_walk walk = { .start = 0x101800, .end = 0x102001 };

	assert_int_equal(set_region(1, 0, 0x10000, 0x4000, 0x100000), 0);
	assert_true(next_part(&walk));
	assert_int_equal(walk.gfn.v, 0x11);
	assert_int_equal(walk.npages, 2);
	assert_false(next_part(&walk));
	assert_false(next_part(&walk));

	/* One address may back several guest pages. */
	assert_int_equal(set_region(2, 0, 0x20000, 0x1000, 0x101000), 0);
	walk = (struct hva_walk){ .start = 0x101000, .end = 0x102000 };
	assert_true(next_part(&walk));
	assert_int_equal(walk.gfn.v, 0x11);
	assert_true(next_part(&walk));
	assert_int_equal(walk.gfn.v, 0x20);
	assert_int_equal(walk.npages, 1);
	assert_false(next_part(&walk));
}

/* ---- the model: an array indexed by id, searched from end to end -------- */

enum { MODEL_IDS = 400, MODEL_GFNS = 1600, MODEL_HVAS = 1000 };

/* How much of the model a history uses. */
static u32 ids, gfns, hvas;


static struct {
	bool used;
	u32 flags;
	u64 base, npages, hva;
} model[MODEL_IDS];

static int model_apply(const struct kvm_userspace_memory_region2 *in)
{
	u64 base = in->guest_phys_addr >> PAGE_SHIFT;
	u64 npages = in->memory_size >> PAGE_SHIFT;
	u32 id = in->slot;

	if (!npages) {
		if (!model[id].used)
			return -EINVAL;
		model[id].used = false;
		return 0;
	}
	if (model[id].used && (model[id].npages != npages ||
			       model[id].hva != in->userspace_addr ||
			       (model[id].flags ^ in->flags) &
			       KVM_MEM_READONLY))
		return -EINVAL;
	for (u32 i = 0; i < ids; i++)
		if (i != id && model[i].used &&
		    base < model[i].base + model[i].npages &&
		    model[i].base < base + npages)
			return -EEXIST;
	model[id].used = true;
	model[id].flags = in->flags;
	model[id].base = base;
	model[id].npages = npages;
	model[id].hva = in->userspace_addr;
	return 0;
}

static void compare_lookups(void)
{
	u32 used = 0;

	for (u64 gfn = 0; gfn < gfns + 16; gfn++) {
		struct memslot *slot = memslots_find(set, GFN(gfn));
		int want = -1;

		for (u32 i = 0; i < ids; i++)
			if (model[i].used && gfn >= model[i].base &&
			    gfn < model[i].base + model[i].npages)
				want = i;
		assert_int_equal(slot ? slot->id : -1, want);
	}
	for (u32 i = 0; i < ids; i++) {
		struct memslot *slot = memslots_find_id(set, i);

		assert_int_equal(!!slot, model[i].used);
		used += model[i].used;
		if (!slot)
			continue;
		assert_int_equal(slot->flags, model[i].flags);
		assert_int_equal(slot->hva.v, model[i].hva);
	}
	assert_int_equal(set->count, used);
}

/* Count for each guest page how often a walk by host address names it. */
static void compare_hva(u64 start, u64 end)
{
	struct hva_walk walk = { .start = start, .end = end };
	u8 seen[MODEL_GFNS + 16] = { 0 };

	while (next_part(&walk))
		for (u64 i = 0; i < walk.npages; i++)
			seen[walk.gfn.v + i]++;
	for (u32 i = 0; i < ids; i++) {
		if (!model[i].used)
			continue;
		for (u64 p = 0; p < model[i].npages; p++) {
			u64 hva = model[i].hva + PAGES(p);
			bool in = hva < end && hva + PAGE_SIZE > start;

			assert_int_equal(seen[model[i].base + p], in);
			seen[model[i].base + p] = 0;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		assert_int_equal(seen[i], 0);
}

static void random_history(int steps, int compare_each)
{
	srand(1);
	memset(model, 0, sizeof(model));
	for (int step = 0; step < steps; step++) {
		/* A tide: at times more slots come, at times more go. */
		bool ebb = step / (4 * ids) % 2;
		u32 id = rand() % ids;
		u64 size = rand() % 4 > 2 * ebb ? PAGES(rand() % 12) : 0;
		u64 hva = 0x100000 + PAGES(rand() % hvas);
		u64 start, end;
		struct kvm_userspace_memory_region2 in;

		/* Keep size and address often: moves and flag changes. */
		if (model[id].used && size && rand() % 2) {
			size = PAGES(model[id].npages);
			hva = model[id].hva;
		}
		in = region(id, rand() % 4, PAGES(rand() % gfns), size, hva);
		assert_int_equal(apply(&in), model_apply(&in));
		if (step % compare_each)
			continue;
		check_invariants();
		compare_lookups();
		start = 0x100000 - 0x4000 + rand() % PAGES(hvas + 16);
		end = start + 1 + rand() % PAGES(16);
		compare_hva(start, end);
	}
}

/*
 * A walk by host address while the set changes at each step: what is there all
 * the time is named once, and nothing twice.
 */
static void walk_amid_changes(unsigned int changes)
{
	struct hva_walk walk = { .start = 0x100000,
				 .end = 0x100000 + PAGES(MODEL_HVAS) };
	bool stays[MODEL_IDS] = { 0 };
	u8 met[MODEL_IDS] = { 0 };
	u64 begun = set->generation;

	for (u32 i = 0; i < ids; i++)
		stays[i] = model[i].used;
	while (next_part(&walk)) {
		met[memslots_find(set, walk.gfn)->id]++;
		for (unsigned int i = 0; i < changes; i++) {
			u32 id = rand() % ids, flags = rand() % 2;
			u64 size = rand() % 2 * PAGES(1 + rand() % 4);
			struct kvm_userspace_memory_region2 in;
			u64 hva = 0x100000 + PAGES(rand() % hvas);
			u64 base = rand() % gfns;
			bool toggled = model[id].used && rand() % 2;

			if (toggled) {
				size = PAGES(model[id].npages);
				hva = model[id].hva;
				base = model[id].base;
				flags |= model[id].flags & KVM_MEM_READONLY;
			}
			in = region(id, flags, PAGES(base), size, hva);
			assert_int_equal(apply(&in), model_apply(&in));
			stays[id] &= toggled;
		}
	}
	if (changes)
		assert_true(set->generation > begun);
	for (u32 i = 0; i < ids; i++)
		if (stays[i])
			assert_int_equal(met[i], 1);
}

static void hva_walks_amid_changes(void **state)
{
	ids = MODEL_IDS;
	gfns = MODEL_GFNS;
	for (unsigned int i = 0; i < 200; i++) {
		/* From all slots on a few pages to most on their own. */
		hvas = i % 3 ? 4 + i : 1;
		if (i % 20 == 0) {
			teardown(state);
			setup(state);
			random_history(2000, 1000);
		}
		walk_amid_changes(i % 4);
	}
}

static void random_history_of_few(void **state)
{
	ids = 24;
	gfns = 96;
	hvas = 64;
	random_history(20000, 1);
}

static void random_history_of_many(void **state)
{
	ids = MODEL_IDS;
	gfns = MODEL_GFNS;
	hvas = MODEL_HVAS;
	random_history(40000, 50);
}

static void add_slots(u32 n)
{
	for (u32 i = set->count; i < n; i++)
		assert_int_equal(set_region((i * 7919) % MEMSLOT_MAX, 0,
					    PAGES(i * 2), PAGE_SIZE,
					    0x100000 + PAGES(i)), 0);
}

static void all_slots(void **state)
{
	add_slots(MEMSLOT_MAX);
	check_invariants();
	assert_int_equal(set->count, MEMSLOT_MAX);
	for (u32 i = 0; i < MEMSLOT_MAX; i++) {
		assert_non_null(memslots_find(set, GFN(i * 2)));
		assert_null(memslots_find(set, GFN(i * 2 + 1)));
	}
}

/*
 * Each step looks at few slots, wherever they are, and each change of another
 * slot costs a walk nothing.
 */
static void hva_steps_are_bounded(void **state)
{
	struct hva_walk walk = { .start = 0x200000, .end = 0x201000 };
	u32 steps = 0, parts = 0;
	enum hva_step step;

	/* They begin below and none reaches it but some on its own page. */
	for (u32 i = 0; i < MEMSLOT_MAX - 1; i++)
		assert_int_equal(set_region(i, 0, PAGES(i * 2), PAGE_SIZE,
					    i % 100 ? 0x100000 : 0x200000), 0);
	assert_int_equal(set_region(MEMSLOT_MAX - 1, 0, PAGES(MEMSLOT_MAX * 2),
				    PAGES(0x1000), 0), 0);
	while ((step = memslots_next_hva(set, &walk)) != HVA_DONE) {
		parts += step == HVA_PART;
		assert_true(++steps < MEMSLOT_MAX);
		assert_int_equal(set_region(1, steps % 2, PAGES(2), PAGE_SIZE,
					    0x100000), 0);
	}
	assert_int_equal(parts, DIV_ROUND_UP(MEMSLOT_MAX - 1, 100) + 1);
	/* More than a step for nothing, fewer than one for each chunk. */
	assert_in_range(steps - parts, 2, MEMSLOT_MAX / MEMSLOT_CHUNK / 4);
}

/* The next @n additions, and a change of flags */
static u64 cost_of_changes(u32 n)
{
	const struct memslot *slot;

	most_made = 0;
	add_slots(set->count + n);
	slot = memslots_find(set, GFN(set->count & ~1));
	assert_int_equal(set_region(slot->id, slot->flags ^
				    KVM_MEM_LOG_DIRTY_PAGES,
				    PAGES(slot->base.v), PAGE_SIZE,
				    slot->hva.v), 0);
	return most_made;
}

static void changes_are_cheap(void **state)
{
	assert_in_range(cost_of_changes(1), 1, 300);
	add_slots(400);
	assert_in_range(cost_of_changes(100), 1, PAGE_SIZE);
	add_slots(MEMSLOT_MAX - 100);
	/* Before chunks it was 40 bytes for each slot. */
	assert_in_range(cost_of_changes(100), 1, 5 * MEMSLOT_MAX);
}

/* No memory at the first, the second, ... allocation: nothing changes. */
static void out_of_memory(void **state)
{
	struct memslot slot = { .base = GFN(1 << 20), .npages = 1,
				.hva = HVA(0), .id = 1 };
	struct memslots *next;
	int n;

	add_slots(29);		/* the next one splits */
	for (n = 0; n < 50; n++) {
		host_alloc_left = n;
		next = memslots_replace(set, NULL, &slot);
		host_alloc_left = -1;
		check_invariants();
		if (next)
			break;
	}
	assert_int_equal(n, 1 + 2 * MEMSLOT_ORDERS);
	assert_null(memslots_retire(set));
	set = memslots_replace(next, &slot, NULL);
	assert_ptr_equal(memslots_retire(next), &slot);
}

static void dirty_marks(void **state)
{
	unsigned long bits[2] = { 0 };
	struct memslot slot = {
		.base = GFN(0x10), .npages = 70, .dirty = bits,
	};

	memslot_mark_dirty(&slot, GFN(0x10));
	memslot_mark_dirty(&slot, GFN(0x10 + 69));
	memslot_mark_dirty(&slot, GFN(0x10 + 69));
	assert_int_equal(bits[0], 1);
	assert_int_equal(bits[1], 1 << 5);
	slot.dirty = NULL;
	memslot_mark_dirty(&slot, GFN(0x10));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(bad_arguments), T(limits_are_reached), T(overlaps),
		T(kinds_of_change), T(find_at_the_edges), T(hva_parts),
		T(random_history_of_few), T(random_history_of_many),
		T(all_slots), T(hva_walks_amid_changes),
		T(hva_steps_are_bounded), T(changes_are_cheap), T(out_of_memory),
		T(dirty_marks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
