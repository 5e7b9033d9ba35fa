// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slot sets: search, the next set from the present one, and the check of what
 * a VMM asks for. See memslot.h for the data and its invariants.
 *
 * A set is one allocation: the header, then the three arrays. Building the
 * next one copies the arrays, in order, with one slot left out and one put in
 * at its place; nothing is sorted anew. That is 40 bytes per slot, which
 * for the few dozen slots of a usual VM is less than any tree costs.
 */
#include "base/host.h"
#include "base/types.h"
#include "mem/memslot.h"

#define MEMSLOT_FLAGS_ALLOWED (KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)

/* KVM API: bits 31:16 of the slot field name an address space. */
#define MEMSLOT_ID(slot) ((slot) & 0xffff)
#define MEMSLOT_SPACE(slot) ((slot) >> 16)

static_assert(MEMSLOT_MAX <= U16_MAX, "ids are u16");
static_assert(sizeof(struct kvm_userspace_memory_region2) == 160, "KVM API");

static struct memslots *memslots_alloc(u32 count)
{
	size_t per_slot = sizeof(struct memslot_by_gfn) +
			  sizeof(struct memslot_by_hva) +
			  sizeof(struct memslot *);
	struct memslots *slots = host_zalloc(sizeof(*slots) + count * per_slot);

	if (!slots)
		return NULL;
	slots->count = count;
	slots->by_gfn = (void *)(slots + 1);
	slots->by_hva = (void *)(slots->by_gfn + count);
	slots->by_id = (void *)(slots->by_hva + count);
	return slots;
}

struct memslots *memslots_empty(void)
{
	return memslots_alloc(0);
}

void memslots_free(struct memslots *slots)
{
	host_free(slots);
}

static void copy_by_gfn(struct memslots *next, const struct memslots *slots,
			const struct memslot *remove, struct memslot *add)
{
	u32 in, out = 0;

	for (in = 0; in < slots->count; in++) {
		const struct memslot_by_gfn *entry = &slots->by_gfn[in];

		if (entry->slot == remove)
			continue;
		if (add && add->base.v < entry->base) {
			next->by_gfn[out].base = add->base.v;
			next->by_gfn[out++].slot = add;
			add = NULL;
		}
		next->by_gfn[out++] = *entry;
	}
	if (add) {
		next->by_gfn[out].base = add->base.v;
		next->by_gfn[out].slot = add;
	}
}

static void copy_by_hva(struct memslots *next, const struct memslots *slots,
			const struct memslot *remove, struct memslot *add)
{
	u32 in, out = 0;
	u64 reach = 0;

	for (in = 0; in < slots->count; in++) {
		struct memslot *slot = slots->by_hva[in].slot;

		if (slot == remove)
			continue;
		if (add && add->hva.v < slot->hva.v) {
			next->by_hva[out++].slot = add;
			add = NULL;
		}
		next->by_hva[out++].slot = slot;
	}
	if (add)
		next->by_hva[out++].slot = add;

	for (in = 0; in < out; in++) {
		const struct memslot *slot = next->by_hva[in].slot;

		reach = max(reach, slot->hva.v + (slot->npages << PAGE_SHIFT));
		next->by_hva[in].reach = reach;
	}
}

static void copy_by_id(struct memslots *next, const struct memslots *slots,
		       const struct memslot *remove, struct memslot *add)
{
	u32 in, out = 0;

	for (in = 0; in < slots->count; in++) {
		struct memslot *slot = slots->by_id[in];

		if (slot == remove)
			continue;
		if (add && add->id < slot->id) {
			next->by_id[out++] = add;
			add = NULL;
		}
		next->by_id[out++] = slot;
	}
	if (add)
		next->by_id[out] = add;
}

struct memslots *memslots_replace(const struct memslots *slots,
				  const struct memslot *remove,
				  struct memslot *add)
{
	u32 count = slots->count - !!remove + !!add;
	struct memslots *next = memslots_alloc(count);

	if (!next)
		return NULL;
	next->generation = slots->generation + 1;
	copy_by_gfn(next, slots, remove, add);
	copy_by_hva(next, slots, remove, add);
	copy_by_id(next, slots, remove, add);
	return next;
}

/* Number of slots that begin at or below @gfn. */
static u32 slots_up_to(const struct memslots *slots, u64 gfn)
{
	u32 low = 0, high = slots->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (slots->by_gfn[mid].base <= gfn)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct memslot *memslots_find(const struct memslots *slots, struct gfn gfn)
{
	u32 n = slots_up_to(slots, gfn.v);
	struct memslot *slot;

	if (!n)
		return NULL;
	slot = slots->by_gfn[array_index_nospec(n - 1, slots->count)].slot;
	return memslot_has(slot, gfn) ? slot : NULL;
}

struct memslot *memslots_find_id(const struct memslots *slots, u32 id)
{
	u32 low = 0, high = slots->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (slots->by_id[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low >= slots->count)
		return NULL;
	low = array_index_nospec(low, slots->count);
	return slots->by_id[low]->id == id ? slots->by_id[low] : NULL;
}

/* The first slot by host address that may reach beyond @start. */
static u32 first_reaching(const struct memslots *slots, u64 start)
{
	u32 low = 0, high = slots->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (slots->by_hva[mid].reach <= start)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

bool memslots_next_hva(const struct memslots *slots, struct hva_walk *walk)
{
	u32 i = walk->index ? walk->index : first_reaching(slots, walk->start);

	for (; i < slots->count; i++) {
		const struct memslot *slot = slots->by_hva[i].slot;
		u64 size = slot->npages << PAGE_SHIFT;
		u64 start, end;

		if (slot->hva.v >= walk->end)
			break;
		start = max(ALIGN_DOWN(walk->start, PAGE_SIZE), slot->hva.v);
		end = min(walk->end, slot->hva.v + size);
		if (start >= end)
			continue;
		walk->slot = slot;
		walk->gfn = gfn_add(slot->base,
				    (start - slot->hva.v) >> PAGE_SHIFT);
		walk->npages = DIV_ROUND_UP(end - start, PAGE_SIZE);
		walk->index = i + 1;
		return true;
	}
	walk->index = slots->count;
	return false;
}

/* What of @in can be judged without the slots there are. */
static bool region_valid(const struct kvm_userspace_memory_region2 *in,
			 const struct memslot_limits *limits)
{
	u64 pages = in->memory_size >> PAGE_SHIFT;
	u64 gfn = in->guest_phys_addr >> PAGE_SHIFT;

	if (MEMSLOT_SPACE(in->slot) || MEMSLOT_ID(in->slot) >= MEMSLOT_MAX)
		return false;
	if (in->flags & ~MEMSLOT_FLAGS_ALLOWED)
		return false;
	if (offset_in_page(in->memory_size) ||
	    offset_in_page(in->guest_phys_addr) ||
	    offset_in_page(in->userspace_addr))
		return false;
	if (pages > MEMSLOT_MAX_PAGES)
		return false;
	if (gfn > limits->gfn_end || pages > limits->gfn_end - gfn)
		return false;
	return in->userspace_addr <= limits->hva_end &&
	       in->memory_size <= limits->hva_end - in->userspace_addr;
}

/* Does [base, base + npages) meet a slot other than @self? */
static bool region_overlaps(const struct memslots *slots, u64 base, u64 npages,
			    const struct memslot *self)
{
	u32 i = slots_up_to(slots, base + npages - 1);

	/* At most two steps: only @self is passed over. */
	while (i--) {
		const struct memslot *slot = slots->by_gfn[i].slot;

		if (slot == self)
			continue;
		return slot->base.v + slot->npages > base;
	}
	return false;
}

static enum memslot_change region_change(const struct memslot *old,
					 const struct memslot *next)
{
	if (!old)
		return MEMSLOT_CREATE;
	if (old->base.v != next->base.v)
		return MEMSLOT_MOVE;
	return old->flags != next->flags ? MEMSLOT_FLAGS : MEMSLOT_NONE;
}

int memslot_check(const struct memslots *slots,
		  const struct kvm_userspace_memory_region2 *in,
		  const struct memslot_limits *limits,
		  struct memslot_plan *plan)
{
	struct memslot *old;

	if (!region_valid(in, limits))
		return -EINVAL;

	old = memslots_find_id(slots, MEMSLOT_ID(in->slot));
	*plan = (struct memslot_plan){
		.old = old,
		.next = {
			.base = GFN(in->guest_phys_addr >> PAGE_SHIFT),
			.npages = in->memory_size >> PAGE_SHIFT,
			.hva = HVA(in->userspace_addr),
			.id = MEMSLOT_ID(in->slot),
			.flags = in->flags,
		},
	};
	if (!plan->next.npages) {
		plan->change = MEMSLOT_DELETE;
		return old ? 0 : -EINVAL;
	}
	if (old && (old->npages != plan->next.npages ||
		    old->hva.v != plan->next.hva.v ||
		    ((old->flags ^ in->flags) & KVM_MEM_READONLY)))
		return -EINVAL;

	plan->change = region_change(old, &plan->next);
	if (plan->change == MEMSLOT_CREATE || plan->change == MEMSLOT_MOVE)
		if (region_overlaps(slots, plan->next.base.v,
				    plan->next.npages, old))
			return -EEXIST;
	return 0;
}
