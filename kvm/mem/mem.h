/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A VM's memory: the published set of slots and who must hear of a change.
 *
 * Readers of mem->slots are of three kinds. A vCPU inside its epoch may keep
 * pointers until it leaves it. Whoever holds slots_lock sees the newest set.
 * The page-table code reads under its own lock, and a fault that began in the
 * epoch finds by the generation, under that lock, whether its slot still is.
 * A change publishes under that lock, makes the page tables forget through
 * mem->ops, waits for vCPUs that were inside their epoch already, and frees
 * what it took out: there is no grace period, neither to sleep in nor to free
 * after.
 *
 * A slot that leaves the set, or moves, is still mapped for a while: it is
 * mem->going from the publication until its translations are gone and flushed.
 * At each moment all that guests can reach belongs to a slot of the set or to
 * mem->going, at the place which that slot says. So the notifier looks at both
 * (mmu/mmu.c), and who notes a write notes it in both (mem_mark_written()): the
 * log of a slot that moves goes along, and frames of both places may be the
 * same ones. There is one slot at a time that goes, as slots_lock is held.
 *
 * Locks: slots_lock (row 6) serializes changes; see core/locks.h.
 * Callers: core, api; mmu/ hooks itself in by mem->ops.
 */
#ifndef MEM_MEM_H
#define MEM_MEM_H

#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>

#include "base/host.h"
#include "mem/epoch.h"
#include "mem/memslot.h"

struct mem;

/* What page tables do when slots change. slots_lock is held; may sleep. */
struct mem_ops {
	/*
	 * Make @next mem->slots, and @going, which @next does not have or has
	 * elsewhere, mem->going; NULL: no slot. On return no fault and no
	 * notifier uses the set of before.
	 */
	void (*publish)(struct mem *mem, struct memslots *next,
			struct memslot *going);
	/*
	 * On return no vCPU reaches memory through the range of mem->going,
	 * but by what the set has there now; and mem->going is NULL.
	 */
	void (*forget)(struct mem *mem);
	/* @slot does not log any more: let large pages come back. */
	void (*unlog)(struct mem *mem, const struct memslot *slot);
	/*
	 * On return a write to a page of @slot faults first. @mask has a bit
	 * for each of @npages pages from @first on; NULL: all of them.
	 */
	void (*protect)(struct mem *mem, const struct memslot *slot,
			u64 first, u64 npages, const unsigned long *mask);
	/*
	 * Add to @mask, which is as above, the log of @slot and the pages
	 * whose writes only the page tables know of. On return they are clean
	 * there, and no vCPU knows them as anything else. @first is a
	 * multiple of BITS_PER_LONG. NULL: dirty_take() and protect().
	 */
	void (*harvest)(struct mem *mem, const struct memslot *slot,
			u64 first, u64 npages, unsigned long *mask);
	/* On return writes from before the call are in the log. */
	void (*sync_log)(struct mem *mem);
};

struct mem {
	struct mm_struct *mm;		/* [I] mm_count reference */
	struct memslots __rcu *slots;	/* [R6] and [10w]: ops->publish() */
	struct memslot *going;		/* [10w] not in the set, yet mapped */
	struct mutex slots_lock;	/* row 6 */
	struct epoch epoch;
	const struct mem_ops *ops;	/* [I] set by mmu_init() */
	u64 gfn_end;			/* [I] set by mmu_init() */
};

/** mem_locks_init() - slots_lock alone: its one lockdep class */
void mem_locks_init(struct mem *mem);

/**
 * mem_setup() - memory without slots, of the calling process; -ENOMEM
 */
int mem_setup(struct mem *mem);

/**
 * mem_free() - undo mem_setup(); no reader is left; after mmu_free()
 */
void mem_free(struct mem *mem);

/**
 * mem_set_region() - KVM_SET_USER_MEMORY_REGION(2)
 * @in: copied in; the older ioctl leaves the rest zero
 *
 * Takes slots_lock; may sleep; the caller is not inside an epoch. Returns 0,
 * -EIO in another process, -ENOMEM, or what memslot_check() says. After
 * the removal or move of a slot no vCPU uses the old one any more.
 */
int mem_set_region(struct mem *mem,
		   const struct kvm_userspace_memory_region2 *in);

/**
 * mem_get_dirty_log() - KVM_GET_DIRTY_LOG
 * @slot: address space << 16 | id, as the ioctl has it
 * @bitmap: one bit per page, rounded up to 64 bits
 *
 * Copies and clears the bitmap, and has the next write to its pages logged. Takes
 * slots_lock; may sleep. -EINVAL for an id that cannot be, -ENOENT when the
 * slot does not log, -EFAULT (what could not be copied stays logged), -ENOMEM.
 */
int mem_get_dirty_log(struct mem *mem, u32 slot, void __user *bitmap);

/**
 * mem_log_written() - @n pages, by their addresses @gpa, were written
 *
 * The caller is inside its epoch. What no slot logs is ignored.
 */
void mem_log_written(struct mem *mem, const u64 *gpa, unsigned int n);

/**
 * mem_slots() - the present set, for a vCPU inside its epoch, under
 * slots_lock, or under the page tables' lock
 */
static inline struct memslots *mem_slots(const struct mem *mem)
{
	return rcu_dereference_raw(mem->slots);
}

/**
 * mem_mark_written() - log that @gfn was written, after the write
 *
 * Under the page tables' lock, or inside the epoch. What no slot logs is
 * ignored.
 */
void mem_mark_written(const struct mem *mem, struct gfn gfn);

/**
 * mem_is_ours() - does the calling thread belong to the VM's process
 *
 * Guest memory is reached through the caller's own address space only.
 */
static inline bool mem_is_ours(const struct mem *mem)
{
	return current->mm == mem->mm;
}

#endif
