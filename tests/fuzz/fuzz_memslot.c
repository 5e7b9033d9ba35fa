// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sets of memory slots through random regions: slots of a set never overlap in
 * guest addresses, each is found by frame and by id, and every part of a host
 * range is named once.
 */
#include "input.h"
#include "mem/memslot.h"

static const struct memslot_limits limits = {
	.gfn_end = 1ULL << 36,
	.hva_end = 1ULL << 47,
};

static void free_slot(void *ctx, struct memslot *slot)
{
	free(slot);
}

static void checks(const struct memslots *set)
{
	struct hva_walk parts = { .start = 0, .end = 1ULL << 47 };
	u64 pages = 0, seen = 0;
	enum hva_step step;
	u32 i, k, n = 0;

	for (i = 0; i < set->by[0].count; i++)
		for (k = 0; k < set->by[0].ref[i].chunk->count; k++) {
			struct memslot *s = set->by[0].ref[i].chunk->entry[k].slot;

			must(memslots_find(set, s->base) == s);
			must(memslots_find(set, GFN(s->base.v + s->npages - 1)) == s);
			must(memslots_find_id(set, s->id) == s);
			pages += s->npages;
			n++;
		}
	must(n == set->count);
	while ((step = memslots_next_hva(set, &parts)) != HVA_DONE) {
		must(step == HVA_MORE || parts.npages);
		seen += step == HVA_PART ? parts.npages : 0;
	}
	must(seen == pages);
}

static struct memslots *change(struct input *in, struct memslots *set)
{
	struct kvm_userspace_memory_region2 r;
	struct memslot_plan plan;
	struct memslots *next;
	struct memslot *add = NULL;

	memset(&r, 0, sizeof(r));
	r.slot = take8(in) & 31;
	r.flags = take8(in) & 3;
	r.guest_phys_addr = (u64)(take8(in) & 63) << PAGE_SHIFT;
	r.memory_size = (u64)(take8(in) & 15) << PAGE_SHIFT;
	r.userspace_addr = (u64)take8(in) << PAGE_SHIFT;
	if (take8(in) == 0) {		/* anything */
		r.guest_phys_addr = take64(in);
		r.memory_size = take64(in);
		r.userspace_addr = take64(in);
		r.slot = take32(in);
	}
	if (memslot_check(set, &r, &limits, &plan) ||
	    plan.change == MEMSLOT_NONE)
		return set;
	if (plan.change != MEMSLOT_DELETE) {
		add = calloc(1, sizeof(*add));
		*add = plan.next;
	}
	next = memslots_replace(set, plan.old, add);
	must(next);
	must(memslots_retire(set) == plan.old);
	free(plan.old);
	return next;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };
	struct memslots *set = memslots_empty();
	unsigned int steps = 0;

	while (in.left && steps++ < 200) {
		set = change(&in, set);
		checks(set);
	}
	memslots_free(set, free_slot, NULL);
	return 0;
}
