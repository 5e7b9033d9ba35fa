// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_GET_DIRTY_LOG: hand the bitmap of a slot to the VMM, and have the next
 * write to each page in it noticed: by a fault, or where the page tables say
 * what was written, by what they say.
 *
 * It works through a bounded buffer, one flush of the vCPUs for each buffer
 * that had a bit: 512 Ki pages, 2 GiB of guest memory. What could not be
 * copied out is put back, so an -EFAULT loses nothing.
 *
 * Lock: slots_lock, which keeps the slot and lets two callers take turns.
 */
#include <linux/cleanup.h>
#include <linux/sched.h>
#include <linux/uaccess.h>

#include "mem/dirty.h"
#include "mem/mem.h"

#define LOG_CHUNK 8192ULL	/* words */

static void log_chunk(struct mem *mem, const struct memslot *slot, u64 first,
		     u64 longs, unsigned long *buffer)
{
	u64 page = first * BITS_PER_LONG;
	u64 pages = min(longs * BITS_PER_LONG, slot->npages - page);

	memset(buffer, 0, longs * sizeof(long));
	if (mem->ops->harvest)
		mem->ops->harvest(mem, slot, page, pages, buffer);
	else if (dirty_take(slot, first, longs, buffer))
		mem->ops->protect(mem, slot, page, pages, buffer);
}

static int log_copy(struct mem *mem, const struct memslot *slot,
		    unsigned long __user *bitmap, unsigned long *buffer)
{
	u64 longs = dirty_longs(slot->npages), first, n;

	for (first = 0; first < longs; first += n) {
		n = min(longs - first, LOG_CHUNK);
		log_chunk(mem, slot, first, n, buffer);
		if (copy_to_user(bitmap + first, buffer, n * sizeof(long))) {
			dirty_give_back(slot, first, n, buffer);
			return -EFAULT;
		}
		cond_resched();
	}
	return 0;
}

static void mark_going(const struct mem *mem, struct gfn gfn)
{
	const struct memslot *going;

	/* Who sees the set without a slot sees that it goes: ops->publish(). */
	smp_rmb();
	going = READ_ONCE(mem->going);
	if (unlikely(going) && memslot_has(going, gfn))
		memslot_mark_dirty(going, gfn);
}

void mem_mark_written(const struct mem *mem, struct gfn gfn)
{
	const struct memslot *slot = memslots_find(mem_slots(mem), gfn);

	if (slot)
		memslot_mark_dirty(slot, gfn);
	mark_going(mem, gfn);
}

void mem_log_written(struct mem *mem, const u64 *gpa, unsigned int n)
{
	const struct memslots *slots = mem_slots(mem);
	const struct memslot *slot = NULL;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct gfn gfn = gpa_to_gfn(GPA(gpa[i]));

		if (!slot || !memslot_has(slot, gfn))
			slot = memslots_find(slots, gfn);
		if (slot)
			memslot_mark_dirty(slot, gfn);
		mark_going(mem, gfn);
	}
}

int mem_get_dirty_log(struct mem *mem, u32 slot, void __user *bitmap)
{
	unsigned long *buffer __free(kvfree) = NULL;
	const struct memslot *found;

	if (slot >= MEMSLOT_MAX)
		return -EINVAL;
	guard(mutex)(&mem->slots_lock);
	found = memslots_find_id(mem_slots(mem), slot);
	if (!found || !found->dirty)
		return -ENOENT;
	buffer = kvmalloc_array(min(dirty_longs(found->npages),
				    LOG_CHUNK),
				sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!buffer)
		return -ENOMEM;
	mem->ops->sync_log(mem);
	return log_copy(mem, found, bitmap, buffer);
}
