// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a VM's memory, and KVM_SET_USER_MEMORY_REGION: publish, make the
 * page tables forget, wait for those inside, free. See mem.h for the readers.
 *
 * Who may still look at what was taken out, the set, the slot or its bitmap: a
 * vCPU in its epoch, which is waited for. Faults and notifiers look under the
 * lock of the page tables, whose write side mem->ops->publish() held to take
 * the set from them, and mem->ops->forget() to take the slot.
 */
#include <linux/cleanup.h>
#include <linux/sched/mm.h>

#include "mem/batch.h"
#include "mem/dirty.h"
#include "mem/mem.h"

void mem_locks_init(struct mem *mem)
{
	mutex_init(&mem->slots_lock);
}

int mem_setup(struct mem *mem)
{
	struct memslots *slots = memslots_empty();

	if (!slots)
		return -ENOMEM;
	mem_locks_init(mem);
	epoch_init(&mem->epoch);
	RCU_INIT_POINTER(mem->slots, slots);
	mem->going = NULL;
	mmgrab(current->mm);
	mem->mm = current->mm;
	return 0;
}

static void slot_free(struct memslot *slot)
{
	if (slot->dirty)
		host_free(slot->dirty);
	kfree(slot);
}

static void batch_slot(void *ctx, struct memslot *slot)
{
	if (slot->dirty)
		host_free(slot->dirty);
	free_batch_add(ctx, slot);
}

void mem_free(struct mem *mem)
{
	struct free_batch batch = { };

	memslots_free(mem_slots(mem), batch_slot, &batch);
	free_batch_end(&batch);
	mmdrop(mem->mm);
}

/* The slot of @plan as an object of its own, with its bitmap; or NULL. */
static struct memslot *slot_new(const struct memslot_plan *plan)
{
	struct memslot *slot = kzalloc(sizeof(*slot), GFP_KERNEL_ACCOUNT);
	u64 longs = dirty_longs(plan->next.npages);

	if (!slot)
		return NULL;
	*slot = plan->next;
	if (!(slot->flags & KVM_MEM_LOG_DIRTY_PAGES))
		return slot;
	if (plan->old && plan->old->dirty)
		slot->dirty = plan->old->dirty;
	else
		slot->dirty = host_zalloc(longs * sizeof(long));
	if (slot->dirty)
		return slot;
	kfree(slot);
	return NULL;
}

/* Publish @next, in which @slot is, and take back what vCPUs may do no more. */
static void region_publish(struct mem *mem, const struct memslot_plan *plan,
			   struct memslots *next, const struct memslot *slot)
{
	bool goes = plan->change == MEMSLOT_DELETE ||
		    plan->change == MEMSLOT_MOVE;

	mem->ops->publish(mem, next, goes ? plan->old : NULL);
	switch (plan->change) {
	case MEMSLOT_NONE:
	case MEMSLOT_CREATE:
		break;
	case MEMSLOT_DELETE:
	case MEMSLOT_MOVE:
		mem->ops->forget(mem);
		break;
	case MEMSLOT_FLAGS:
		if (slot->dirty)
			mem->ops->protect(mem, slot, 0, slot->npages, NULL);
		else
			mem->ops->unlog(mem, slot);
		break;
	}
	epoch_wait(&mem->epoch);
}

static int region_commit(struct mem *mem, const struct memslot_plan *plan)
{
	struct memslots *slots = mem_slots(mem), *next;
	struct memslot *old = plan->old, *slot = NULL;
	unsigned long *unused = old ? old->dirty : NULL;

	if (plan->change != MEMSLOT_DELETE) {
		slot = slot_new(plan);
		if (!slot)
			return -ENOMEM;
		if (slot->dirty == unused)
			unused = NULL;
	}
	next = memslots_replace(slots, old, slot);
	if (!next) {
		if (slot && old && slot->dirty == old->dirty)
			slot->dirty = NULL;
		if (slot)
			slot_free(slot);
		return -ENOMEM;
	}
	region_publish(mem, plan, next, slot);
	if (unused)
		host_free(unused);
	kfree(memslots_retire(slots));
	return 0;
}

int mem_set_region(struct mem *mem,
		   const struct kvm_userspace_memory_region2 *in)
{
	const struct memslot_limits limits = {
		.gfn_end = mem->gfn_end,
		.hva_end = TASK_SIZE_MAX,
	};
	struct memslot_plan plan;
	int err;

	if (!mem_is_ours(mem))
		return -EIO;
	guard(mutex)(&mem->slots_lock);
	err = memslot_check(mem_slots(mem), in, &limits, &plan);
	if (err || plan.change == MEMSLOT_NONE)
		return err;
	return region_commit(mem, &plan);
}
