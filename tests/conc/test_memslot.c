// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slot sets under threads: readers search the published set while a writer
 * adds, moves and removes slots, and frees what no reader can hold any more.
 *
 * A slot's host address is a function of its id and base, so a reader can tell
 * a slot that is torn or stale from a good one. Run under TSan.
 */
#include <pthread.h>
#include <stdio.h>

#include "mem/memslot.h"
#include "rcu.h"

#define READERS 3
#define IDS 200
#define ROUNDS 2000
#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
	abort(); } } while (0)

static struct memslots *slots;
static int stop;
static u64 found[READERS];

static u64 hva_of(u32 id, u64 base)
{
	return ((u64)id << 32 | base) << PAGE_SHIFT;
}

static void check_slot(const struct memslot *slot)
{
	CHECK(slot->id < IDS && slot->npages == 4);
	CHECK(slot->hva.v == hva_of(slot->id, slot->base.v));
}

static void *reader(void *arg)
{
	unsigned int seed = self = (long)arg;
	u64 generation = 0;

	while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST)) {
		struct gfn gfn = GFN(rand_r(&seed) % (IDS * 8));
		const struct memslots *set;
		const struct memslot *slot;
		enum hva_step step;
		struct hva_walk walk = {
			.start = hva_of(gfn.v % IDS, 0),
			.end = hva_of(gfn.v % IDS + 8, 0),
		};

		read_begin();
		set = smp_load_acquire(&slots);
		CHECK(set->generation >= generation);
		generation = set->generation;
		slot = memslots_find(set, gfn);
		if (slot) {
			CHECK(memslot_has(slot, gfn));
			check_slot(slot);
			CHECK(memslots_find_id(set, slot->id) == slot);
			found[self]++;
		}
		while ((step = memslots_next_hva(set, &walk)) != HVA_DONE)
			if (step == HVA_PART)
				check_slot(memslots_find(set, walk.gfn));
		read_end();
	}
	return NULL;
}

/* A change as the ioctl makes it; its refusals are part of the load. */
static void change(unsigned int *seed)
{
	const struct memslot_limits limits = {
		.gfn_end = 1ULL << 36, .hva_end = U64_MAX,
	};
	u32 id = rand_r(seed) % IDS;
	u64 base = rand_r(seed) % (IDS * 8);
	struct kvm_userspace_memory_region2 in = {
		.slot = id,
		.guest_phys_addr = base << PAGE_SHIFT,
		.memory_size = rand_r(seed) % 3 ? 4 * PAGE_SIZE : 0,
		.userspace_addr = hva_of(id, base),
	};
	struct memslots *old = slots;
	struct memslot_plan plan;
	struct memslot *add = NULL;

	/* The address follows the base: remove and add in the place of move. */
	if (memslots_find_id(old, id))
		in.memory_size = 0;
	if (memslot_check(old, &in, &limits, &plan))
		return;
	if (plan.change != MEMSLOT_DELETE) {
		add = malloc(sizeof(*add));
		*add = plan.next;
	}
	smp_store_release(&slots, memslots_replace(old, plan.old, add));
	grace_period();
	CHECK(memslots_retire(old) == plan.old);
	free(plan.old);
}

static void free_slot(void *ctx, struct memslot *slot)
{
	free(slot);
}

int main(void)
{
	pthread_t thread[READERS];
	unsigned int seed = 1;
	u64 total = 0;

	self = READERS;
	slots = memslots_empty();
	for (long i = 0; i < READERS; i++)
		pthread_create(&thread[i], NULL, reader, (void *)i);
	for (int i = 0; i < ROUNDS; i++)
		change(&seed);
	__atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
	for (int i = 0; i < READERS; i++) {
		pthread_join(thread[i], NULL);
		total += found[i];
	}
	printf("%llu generations, %llu slots found\n", slots->generation,
	       total);
	memslots_free(slots, free_slot, NULL);
	return 0;
}
