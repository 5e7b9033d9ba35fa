// SPDX-License-Identifier: GPL-2.0-only
/*
 * Slot sets: search, the next set from the present one, and the check of what
 * a VMM asks for. See memslot.h for the data and its invariants.
 *
 * A set is one allocation: the header, then the directories of its three
 * orders. A change copies the directories, a few entries per hundred slots,
 * and in each order the one chunk it falls into; all other chunks are shared
 * with the set before. So what a change costs grows by two machine words per
 * order for every chunk that the VM has.
 *
 * While a set is built, it may be edited in place, and so may the chunks made
 * for it: those of its own generation. A chunk that is full is split in two,
 * and neighbours that fill only half a chunk together become one.
 */
#include "base/host.h"
#include "base/types.h"
#include "mem/memslot.h"

/* How many slots a step by host address may look at, and a chunk more. */
#define HVA_LOOKS 128

#define MEMSLOT_FLAGS_ALLOWED (KVM_MEM_LOG_DIRTY_PAGES | KVM_MEM_READONLY)

/* KVM API: bits 31:16 of the slot field name an address space. */
#define MEMSLOT_ID(slot) ((slot) & 0xffff)
#define MEMSLOT_SPACE(slot) ((slot) >> 16)

static_assert(MEMSLOT_MAX <= U16_MAX, "ids are u16");
static_assert(sizeof(struct kvm_userspace_memory_region2) == 160, "KVM API");

/* ---- search ------------------------------------------------------------ */

static u64 key_of(const struct memslot *slot, enum memslot_order order)
{
	switch (order) {
	case MEMSLOT_BY_GFN:
		return slot->base.v;
	case MEMSLOT_BY_HVA:
		return slot->hva.v;
	default:
		return slot->id;
	}
}

static u64 hva_end(const struct memslot *slot)
{
	return slot->hva.v + (slot->npages << PAGE_SHIFT);
}

/* Equal keys, which only host addresses can be, are in the order of ids. */
static bool entry_after(const struct memslot_entry *entry, u64 key, u32 id)
{
	return entry->key != key ? entry->key > key : entry->slot->id > id;
}

/* Number of chunks that begin at or below @key and @id. */
static u32 chunks_up_to(const struct memslot_dir *dir, u64 key, u32 id)
{
	u32 low = 0, high = dir->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;
		const struct memslot_ref *ref = &dir->ref[mid];

		if (ref->first > key ||
		    (ref->first == key &&
		     entry_after(&ref->chunk->entry[0], key, id)))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* Number of entries at or below @key and @id. */
static u32 entries_up_to(const struct memslot_chunk *chunk, u64 key, u32 id)
{
	u32 low = 0, high = chunk->count;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (entry_after(&chunk->entry[mid], key, id))
			high = mid;
		else
			low = mid + 1;
	}
	return low;
}

/* The last slot whose key is at most @key; keys that are unique only. */
static struct memslot *last_up_to(const struct memslots *slots,
				  enum memslot_order order, u64 key)
{
	const struct memslot_dir *dir = &slots->by[order];
	u32 n = chunks_up_to(dir, key, U32_MAX);
	const struct memslot_chunk *chunk;

	if (!n)
		return NULL;
	chunk = dir->ref[array_index_nospec(n - 1, dir->count)].chunk;
	n = entries_up_to(chunk, key, U32_MAX);
	return chunk->entry[array_index_nospec(n - 1, chunk->count)].slot;
}

struct memslot *memslots_find(const struct memslots *slots, struct gfn gfn)
{
	struct memslot *slot = last_up_to(slots, MEMSLOT_BY_GFN, gfn.v);

	return slot && memslot_has(slot, gfn) ? slot : NULL;
}

struct memslot *memslots_find_id(const struct memslots *slots, u32 id)
{
	struct memslot *slot = last_up_to(slots, MEMSLOT_BY_ID, id);

	return slot && slot->id == id ? slot : NULL;
}

bool memslot_part(const struct memslot *slot, struct hva_walk *walk)
{
	u64 start = max(ALIGN_DOWN(walk->start, PAGE_SIZE), slot->hva.v);
	u64 end = min(walk->end, hva_end(slot));

	if (start >= end)
		return false;
	walk->gfn = gfn_add(slot->base, (start - slot->hva.v) >> PAGE_SHIFT);
	walk->npages = DIV_ROUND_UP(end - start, PAGE_SIZE);
	return true;
}

/* Number of entries before the one that the walk has to look at. */
static u32 walk_index(const struct memslots *slots, const struct hva_walk *walk)
{
	const struct memslot_dir *dir = &slots->by[MEMSLOT_BY_HVA];
	u32 n;

	if (!walk->begun)
		return 0;
	if (walk->generation == slots->generation)
		return walk->index;
	n = chunks_up_to(dir, walk->key, walk->id);
	return n ? (n - 1) * MEMSLOT_CHUNK +
		   entries_up_to(dir->ref[n - 1].chunk, walk->key, walk->id) : 0;
}

/* The walk has passed the entry @at of the chunk @i. */
static void walk_passed(const struct memslots *slots, struct hva_walk *walk,
			u32 i, u32 at)
{
	const struct memslot_dir *dir = &slots->by[MEMSLOT_BY_HVA];
	const struct memslot_entry *entry = &dir->ref[i].chunk->entry[at];

	walk->begun = true;
	walk->generation = slots->generation;
	walk->index = i * MEMSLOT_CHUNK + at + 1;
	walk->key = entry->key;
	walk->id = entry->slot->id;
}

enum hva_step memslots_next_hva(const struct memslots *slots,
				struct hva_walk *walk)
{
	const struct memslot_dir *dir = &slots->by[MEMSLOT_BY_HVA];
	u32 index = walk_index(slots, walk), looks = 0;
	u32 i = index / MEMSLOT_CHUNK, at = index % MEMSLOT_CHUNK;

	for (; i < dir->count && dir->ref[i].first < walk->end; i++, at = 0) {
		const struct memslot_chunk *chunk = dir->ref[i].chunk;

		if (dir->ref[i].reach <= walk->start)
			at = chunk->count;
		for (; at < chunk->count; at++, looks++)
			if (memslot_part(chunk->entry[at].slot, walk)) {
				walk_passed(slots, walk, i, at);
				return HVA_PART;
			}
		if (looks++ < HVA_LOOKS)
			continue;
		walk_passed(slots, walk, i, chunk->count - 1);
		return HVA_MORE;
	}
	return HVA_DONE;
}

/* ---- building a set ---------------------------------------------------- */

static struct memslot_chunk *chunk_new(const struct memslots *next, u32 room)
{
	struct memslot_chunk *chunk;

	chunk = host_alloc(struct_size(chunk, entry, room));
	if (!chunk)
		return NULL;
	chunk->generation = next->generation;
	chunk->count = 0;
	chunk->room = room;
	return chunk;
}

static void chunk_put(struct memslot_chunk *chunk,
		      const struct memslot_entry *from, u32 count)
{
	memcpy(&chunk->entry[chunk->count], from, count * sizeof(*from));
	chunk->count += count;
}

/* @next does without @chunk, which is its own or that of a set before. */
static void chunk_drop(struct memslots *next, struct memslot_chunk *chunk)
{
	if (chunk->generation == next->generation) {
		host_free(chunk);
		return;
	}
	chunk->stale = next->stale;
	next->stale = chunk;
}

/* The chunk at @ref, to be edited, with @room for so many entries. */
static struct memslot_chunk *chunk_own(struct memslots *next,
				       struct memslot_ref *ref, u32 room)
{
	struct memslot_chunk *old = ref->chunk, *chunk;

	if (old->generation == next->generation && old->room >= room)
		return old;
	chunk = chunk_new(next, room);
	if (!chunk)
		return NULL;
	chunk_put(chunk, old->entry, old->count);
	chunk_drop(next, old);
	ref->chunk = chunk;
	return chunk;
}

/* After the chunk at @ref was edited */
static void ref_update(struct memslot_ref *ref, enum memslot_order order)
{
	const struct memslot_chunk *chunk = ref->chunk;
	u32 i;

	ref->first = chunk->entry[0].key;
	ref->reach = 0;
	if (order == MEMSLOT_BY_HVA)
		for (i = 0; i < chunk->count; i++)
			ref->reach = max(ref->reach,
					 hva_end(chunk->entry[i].slot));
}

static void ref_insert(struct memslot_dir *dir, u32 i,
		       struct memslot_chunk *chunk)
{
	memmove(&dir->ref[i + 1], &dir->ref[i],
		(dir->count - i) * sizeof(dir->ref[0]));
	dir->count++;
	dir->ref[i].chunk = chunk;
}

static void ref_remove(struct memslot_dir *dir, u32 i)
{
	dir->count--;
	memmove(&dir->ref[i], &dir->ref[i + 1],
		(dir->count - i) * sizeof(dir->ref[0]));
}

/*
 * Move the entries of the chunk at @i, which is @next's, to a new one, from @at
 * on.
 */
static bool order_split(struct memslots *next, enum memslot_order order,
			u32 i, u32 at)
{
	struct memslot_dir *dir = &next->by[order];
	struct memslot_chunk *low = dir->ref[i].chunk;
	struct memslot_chunk *high = chunk_new(next, low->count - at);

	if (!high)
		return false;
	chunk_put(high, &low->entry[at], low->count - at);
	low->count = at;
	ref_insert(dir, i + 1, high);
	ref_update(&dir->ref[i + 1], order);
	return true;
}

/* Join the chunk at @i and the one after it, if half a chunk holds both. */
static bool order_merge(struct memslots *next, enum memslot_order order, u32 i)
{
	struct memslot_dir *dir = &next->by[order];
	struct memslot_chunk *low, *high;
	u32 count;

	if (i + 1 >= dir->count)
		return true;
	high = dir->ref[i + 1].chunk;
	count = dir->ref[i].chunk->count + high->count;
	if (count > MEMSLOT_CHUNK / 2)
		return true;
	low = chunk_own(next, &dir->ref[i], count);
	if (!low)
		return false;
	chunk_put(low, high->entry, high->count);
	chunk_drop(next, high);
	ref_remove(dir, i + 1);
	ref_update(&dir->ref[i], order);
	return true;
}

static void chunk_insert(struct memslot_chunk *chunk, u32 at,
			 struct memslot *slot, u64 key)
{
	memmove(&chunk->entry[at + 1], &chunk->entry[at],
		(chunk->count - at) * sizeof(chunk->entry[0]));
	chunk->count++;
	chunk->entry[at] = (struct memslot_entry){ .key = key, .slot = slot };
}

static bool order_add(struct memslots *next, enum memslot_order order,
		      struct memslot *slot)
{
	struct memslot_dir *dir = &next->by[order];
	u64 key = key_of(slot, order);
	struct memslot_chunk *chunk;
	u32 i, at, half;

	if (!dir->count) {
		chunk = chunk_new(next, 1);
		if (!chunk)
			return false;
		ref_insert(dir, 0, chunk);
		chunk_insert(chunk, 0, slot, key);
		ref_update(&dir->ref[0], order);
		return true;
	}
	i = max(chunks_up_to(dir, key, slot->id), 1U) - 1;
	chunk = chunk_own(next, &dir->ref[i], dir->ref[i].chunk->count + 1);
	if (!chunk)
		return false;
	at = entries_up_to(chunk, key, slot->id);
	chunk_insert(chunk, at, slot, key);
	/* Who adds in ascending order leaves full chunks behind. */
	half = at + 1 == chunk->count && i + 1 == dir->count ?
	       at : chunk->count / 2;
	if (chunk->count == MEMSLOT_CHUNK && !order_split(next, order, i, half))
		return false;
	ref_update(&dir->ref[i], order);
	return true;
}

static bool order_remove(struct memslots *next, enum memslot_order order,
			 const struct memslot *slot)
{
	struct memslot_dir *dir = &next->by[order];
	u64 key = key_of(slot, order);
	u32 i = chunks_up_to(dir, key, slot->id) - 1, at;
	struct memslot_chunk *chunk = chunk_own(next, &dir->ref[i],
						dir->ref[i].chunk->count);

	if (!chunk)
		return false;
	at = entries_up_to(chunk, key, slot->id) - 1;
	chunk->count--;
	memmove(&chunk->entry[at], &chunk->entry[at + 1],
		(chunk->count - at) * sizeof(chunk->entry[0]));
	if (chunk->count) {
		ref_update(&dir->ref[i], order);
		if (!order_merge(next, order, i))
			return false;
	} else {
		chunk_drop(next, chunk);
		ref_remove(dir, i);
	}
	return !i || order_merge(next, order, i - 1);
}

/* A set with @slots' generation + 1, which has no chunk of its own yet. */
static struct memslots *set_copy(const struct memslots *slots)
{
	struct memslots *next;
	struct memslot_ref *ref;
	enum memslot_order order;
	u32 refs = 0;

	for (order = 0; order < MEMSLOT_ORDERS; order++)
		refs += slots->by[order].count + 1;
	next = host_alloc(struct_size(next, ref, refs));
	if (!next)
		return NULL;
	*next = (struct memslots){
		.generation = slots->generation + 1,
		.count = slots->count,
	};
	ref = next->ref;
	for (order = 0; order < MEMSLOT_ORDERS; order++) {
		const struct memslot_dir *dir = &slots->by[order];

		next->by[order] = (struct memslot_dir){
			.count = dir->count, .ref = ref,
		};
		if (dir->count)
			memcpy(ref, dir->ref, dir->count * sizeof(*ref));
		ref += dir->count + 1;
	}
	return next;
}

static bool set_edit(struct memslots *next, const struct memslot *remove,
		     struct memslot *add)
{
	enum memslot_order order;

	for (order = 0; order < MEMSLOT_ORDERS; order++) {
		if (remove && !order_remove(next, order, remove))
			return false;
		if (add && !order_add(next, order, add))
			return false;
	}
	next->count += !!add;
	next->count -= !!remove;
	return true;
}

/* Free a set and its chunks, but those older than @generation. */
static void set_free(struct memslots *slots, u64 generation)
{
	enum memslot_order order;
	u32 i;

	for (order = 0; order < MEMSLOT_ORDERS; order++)
		for (i = 0; i < slots->by[order].count; i++)
			if (slots->by[order].ref[i].chunk->generation >=
			    generation)
				host_free(slots->by[order].ref[i].chunk);
	host_free(slots);
}

struct memslots *memslots_empty(void)
{
	const struct memslots before = { };

	return set_copy(&before);
}

struct memslots *memslots_replace(struct memslots *slots,
				  struct memslot *remove, struct memslot *add)
{
	struct memslots *next = set_copy(slots);

	if (!next)
		return NULL;
	if (!set_edit(next, remove, add)) {
		set_free(next, next->generation);
		return NULL;
	}
	slots->stale = next->stale;
	slots->removed = remove;
	next->stale = NULL;
	return next;
}

struct memslot *memslots_retire(struct memslots *slots)
{
	struct memslot_chunk *chunk, *stale;
	struct memslot *removed = slots->removed;

	for (chunk = slots->stale; chunk; chunk = stale) {
		stale = chunk->stale;
		host_free(chunk);
	}
	host_free(slots);
	return removed;
}

void memslots_free(struct memslots *slots,
		   void (*free_slot)(void *ctx, struct memslot *slot),
		   void *ctx)
{
	const struct memslot_dir *dir = &slots->by[MEMSLOT_BY_ID];
	u32 i, at;

	for (i = 0; i < dir->count; i++)
		for (at = 0; at < dir->ref[i].chunk->count; at++)
			free_slot(ctx, dir->ref[i].chunk->entry[at].slot);
	set_free(slots, 0);
}

/* ---- the check --------------------------------------------------------- */

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
	const struct memslot *slot = last_up_to(slots, MEMSLOT_BY_GFN,
						base + npages - 1);

	if (slot && slot == self)
		slot = slot->base.v ? last_up_to(slots, MEMSLOT_BY_GFN,
						 slot->base.v - 1) : NULL;
	return slot && slot->base.v + slot->npages > base;
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
