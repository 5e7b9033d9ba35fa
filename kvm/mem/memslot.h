/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Memory slots: which guest frames the VMM backs with which of its addresses.
 *
 * A set of slots is immutable. A change builds the next set from the present
 * one (memslots_replace) and publishes it, see mem/mem.h; readers search the
 * set they loaded. A set has its slots in three orders: by guest frame, by
 * host address and by id. Each is a directory of chunks, and a chunk an array
 * of some dozen entries; consecutive sets share all chunks but those that the
 * change fell into. Slots are shared, too, and are immutable but for the bits
 * of their dirty bitmap.
 *
 * Invariants: ids are unique, guest ranges do not overlap, no range wraps.
 * Host ranges may overlap. Each set's generation is its predecessor's + 1.
 * No chunk is empty, and none has MEMSLOT_CHUNK entries or more. A set that
 * was replaced knows which chunks and which slot only it has.
 *
 * Pure. Callers: mem/, mmu/, and core through mem/guest.h.
 */
#ifndef MEM_MEMSLOT_H
#define MEM_MEMSLOT_H

#include "base/host.h"
#include "base/types.h"

/* Slots of a VM: what KVM_CAP_NR_MEMSLOTS reports. Ids are below it. */
#define MEMSLOT_MAX 32764
/* Pages of one slot (KVM API: a dirty bitmap index fits an int). */
#define MEMSLOT_MAX_PAGES ((1ULL << 31) - 1)

struct memslot {
	struct gfn base;
	u64 npages;
	struct hva hva;
	u16 id;
	u32 flags;		/* KVM_MEM_LOG_DIRTY_PAGES, KVM_MEM_READONLY */
	unsigned long *dirty;	/* bit per page, set atomically; or NULL */
};

enum memslot_order {
	MEMSLOT_BY_GFN,
	MEMSLOT_BY_HVA,
	MEMSLOT_BY_ID,
	MEMSLOT_ORDERS,
};

struct memslot_entry {
	u64 key;		/* first frame, host address, or id */
	struct memslot *slot;
};

/* A chunk of this many entries is split. */
#define MEMSLOT_CHUNK 30

struct memslot_chunk {
	u64 generation;		/* of the set it was made for */
	struct memslot_chunk *stale;	/* the next that no set has any more */
	u32 count, room;
	struct memslot_entry entry[];
};

struct memslot_ref {
	u64 first;		/* key of the first entry */
	u64 reach;		/* by host address: the greatest end in it */
	struct memslot_chunk *chunk;
};

struct memslot_dir {
	u32 count;
	struct memslot_ref *ref;
};

struct memslots {
	u64 generation;
	u32 count;		/* slots */
	struct memslot_dir by[MEMSLOT_ORDERS];

	/* What the set that followed does not have; see memslots_retire(). */
	struct memslot_chunk *stale;
	struct memslot *removed;

	struct memslot_ref ref[];	/* of all orders */
};

/* What a KVM_SET_USER_MEMORY_REGION asks for, after the check. */
enum memslot_change {
	MEMSLOT_NONE,		/* nothing changes */
	MEMSLOT_CREATE,
	MEMSLOT_DELETE,
	MEMSLOT_MOVE,		/* another guest address; flags may change */
	MEMSLOT_FLAGS,		/* only KVM_MEM_LOG_DIRTY_PAGES toggles */
};

struct memslot_plan {
	enum memslot_change change;
	struct memslot *old;	/* the slot of that id, or NULL */
	struct memslot next;	/* the slot to be; without dirty */
};

struct memslot_limits {
	u64 gfn_end;		/* first frame the page tables cannot map */
	u64 hva_end;		/* first address that is not the process's */
};

/**
 * memslots_empty() - a set without slots; may sleep; NULL: no memory
 */
struct memslots *memslots_empty(void);

/**
 * memslots_replace() - the set that follows @slots
 * @remove: a slot of the set to leave out, or NULL
 * @add: a slot to put in, or NULL; must not overlap what remains
 *
 * May sleep. NULL: no memory, and nothing has changed. Readers of @slots do
 * not notice. It is replaced once: then memslots_retire() is due.
 */
struct memslots *memslots_replace(struct memslots *slots,
				  struct memslot *remove, struct memslot *add);

/**
 * memslots_retire() - free a set that was replaced, when no reader has it
 *
 * And what only it has; the slot that was removed is returned for the caller
 * to free, or NULL. Any context that may free memory.
 */
struct memslot *memslots_retire(struct memslots *slots);

/**
 * memslots_free() - free the last set and, by @free_slot, each of its slots
 */
void memslots_free(struct memslots *slots,
		   void (*free_slot)(void *ctx, struct memslot *slot),
		   void *ctx);

/**
 * memslots_find() - the slot that backs @gfn, or NULL; logarithmic
 */
struct memslot *memslots_find(const struct memslots *slots, struct gfn gfn);

/**
 * memslots_find_id() - the slot with @id, or NULL; logarithmic
 */
struct memslot *memslots_find_id(const struct memslots *slots, u32 id);

/*
 * The slots' parts that host addresses [start, end) back, one by one, in the
 * order of the slots' own addresses and ids. The set may be another one at each
 * step: what is passed is passed, and a slot that is in all of these sets is
 * met once.
 */
struct hva_walk {
	u64 start, end;			/* in; page-aligned outwards */
	struct gfn gfn;			/* out: first frame of the part */
	u64 npages;			/* out: never 0 */

	/* Where the walk stands; all 0 at first. */
	u64 generation;			/* of the set that index is for */
	u32 index;			/* the entry to look at */
	bool begun;
	u32 id;				/* of the last slot passed */
	u64 key;			/* its address */
};

enum hva_step {
	HVA_PART,	/* gfn and npages are a part */
	HVA_MORE,	/* a share of the work is done, no part found yet */
	HVA_DONE,
};

/**
 * memslots_next_hva() - the next part
 *
 * Looks at a bounded number of slots. @slots is not older than at the step
 * before.
 */
enum hva_step memslots_next_hva(const struct memslots *slots,
				struct hva_walk *walk);

/** memslot_part() - what of @slot the walk's range backs; false: nothing */
bool memslot_part(const struct memslot *slot, struct hva_walk *walk);

/**
 * memslot_check() - is @in allowed, and what does it change
 * @in: copied from the VMM; guest_memfd fields are not looked at
 *
 * Pure: no side effects. Fills @plan and returns 0, or
 * -EINVAL  unknown flag or address space, id too large, misaligned or
 *          wrapping range, beyond @limits, deletion of what is not there,
 *          change of size, host address or KVM_MEM_READONLY of a slot
 * -EEXIST  the guest range overlaps another slot
 */
int memslot_check(const struct memslots *slots,
		  const struct kvm_userspace_memory_region2 *in,
		  const struct memslot_limits *limits,
		  struct memslot_plan *plan);

/** memslot_has() - is @gfn in @slot */
static inline bool memslot_has(const struct memslot *slot, struct gfn gfn)
{
	return gfn.v - slot->base.v < slot->npages;
}

/** memslot_index() - number of @gfn in @slot, which has it; speculation-safe */
static inline u64 memslot_index(const struct memslot *slot, struct gfn gfn)
{
	return array_index_nospec(gfn.v - slot->base.v, slot->npages);
}

/** memslot_hva() - host address that backs @gfn, which @slot has */
static inline struct hva memslot_hva(const struct memslot *slot,
				     struct gfn gfn)
{
	return HVA(slot->hva.v + (memslot_index(slot, gfn) << PAGE_SHIFT));
}

/**
 * memslot_mark_dirty() - log that @gfn, which @slot has, was written
 *
 * To be called after the write, or after the page was made writable: whoever
 * takes the bit in between reports the page too early, and must find it again.
 */
static inline void memslot_mark_dirty(const struct memslot *slot,
				      struct gfn gfn)
{
	u64 bit = memslot_index(slot, gfn);

	if (!slot->dirty)
		return;
	/* Orders the look at the bit after the write it stands for. */
	smp_mb();
	if (!test_bit(bit, slot->dirty))
		set_bit(bit, slot->dirty);
}

#endif
