/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The second-level page tables of one VM: faults fill them, the host's
 * notifiers and slot changes empty them.
 *
 * No reference is held on a mapped page: a mapping lives until the notifier
 * says that the VMM's own mapping changes. Entries change by atomic operations
 * under RCU, see mmu/tdp.h. The lock (row 10) is that of the VMM's address
 * space, shared by its VMs. Its read side brackets "is what I looked up still
 * true" and the installation of an entry; its write side announces that
 * something is not true any more. Zapping itself needs no lock.
 *
 * Whoever takes translations away flushes before it returns. Since several
 * may do so at once, `flushing` counts them: one who finds an entry gone
 * already may not return before the other's flush, so it flushes too.
 *
 * Where the format logs by the dirty bit, small pages of a logged slot are
 * writable but clean. With PML the hardware only tells of them when it is told
 * to, so `logging` is set and known to every vCPU before there is any such
 * entry. Without, KVM_GET_DIRTY_LOG collects the bits from the tables, and who
 * takes away an entry hands its bit to the log. `logging` is never cleared.
 *
 * Callers: core (faults, root), mem/ through mem->ops.
 */
#ifndef MMU_MMU_H
#define MMU_MMU_H

#include <linux/list.h>
#include <linux/spinlock.h>

#include "base/host.h"
#include "base/types.h"
#include "mem/mem.h"
#include "mmu/pte.h"
#include "mmu/tdp.h"

struct mmu;
struct mmu_mm;

struct mmu_ops {
	/*
	 * All vCPUs flush what they cached through any root before they run
	 * again; on return none still runs with what it had before. Called
	 * under a spinlock, interrupts on; must not sleep. Legal from
	 * mmu_init() to the end of mmu_free().
	 */
	void (*flush)(struct mmu *mmu);
	/* No vCPU is in guest mode from before the call; may sleep. */
	void (*quiesce)(struct mmu *mmu);
};

/* A root: one for the VM; one per table that is shadowed for nested paging. */
struct mmu_tree {
	struct tdp_root root;
	struct list_head link;			/* [I] in mmu->trees */
};

struct mmu {
	struct mem *mem;			/* [I] */
	struct mem_ops mem_ops;			/* [I] what mem->ops points to */
	const struct pte_format *format;	/* [I] */
	const struct mmu_ops *ops;		/* [I] */
	struct mmu_mm *mm;			/* [I] lock, sequence: notifier.h */
	struct mmu_tree main;			/* [I] the VM-wide root */
	struct list_head trees;			/* [I] all roots: all are zapped */
	struct list_head mm_link;		/* [10w] VMs of one process */
	int visitors;				/* [10w] notifiers at work here */
	bool leaving;				/* [10w] mmu_free() has begun */
	atomic_t flushing;			/* [a] see above */
	atomic64_t tables;			/* [a] table pages, roots too */
	bool logging;				/* [a] dirty bits count */
	bool logging_known;			/* [a] to all vCPUs */
	/*
	 * A frame that no slot is mapped at, but what mmu_map_page() says: an
	 * access is FAULT_MMIO. Set before the first vCPU; NO_GFN: none.
	 */
	struct gfn apart;
};

#define NO_GFN GFN(U64_MAX)

/* One guest access that the second-level tables refused. */
struct fault_in {
	struct gpa gpa;
	bool read, write, fetch;
	bool present;	/* hint: an entry existed, it is about permission */
};

enum fault_rc {
	FAULT_FIXED,	/* run the guest again */
	FAULT_RETRY,	/* the same: something changed meanwhile */
	FAULT_MMIO,	/* no slot, a write to a read-only one, mmu.apart */
	FAULT_ERROR,	/* the VMM's mapping does not allow it: -EFAULT */
	FAULT_SIGNAL,	/* a signal is pending: -EINTR */
	FAULT_NOMEM,	/* -ENOMEM */
};

/**
 * mmu_init() - empty tables for @mem, and follow its process's mappings
 * @format: the vendor's; @levels: 4 or 5, the depth of the root
 *
 * After mem_setup(), in the VM's process; may sleep. Sets mem->ops. -ENOMEM,
 * or what registering the notifier says.
 */
int mmu_init(struct mmu *mmu, struct mem *mem, const struct pte_format *format,
	     int levels, const struct mmu_ops *ops);

/**
 * mmu_free() - undo mmu_init(); no vCPU runs any more
 *
 * May sleep, but only while a notifier is at work on this very VM. Called
 * before the vCPUs that ops->flush() looks at are freed, and before mem_free().
 */
void mmu_free(struct mmu *mmu);

/** mmu_root() - physical address of the top table; constant */
static inline struct hpa mmu_root(const struct mmu *mmu)
{
	return HPA(host_pa(mmu->main.root.table));
}

/** mmu_root_levels() - number of levels from mmu_root() down; constant */
static inline int mmu_root_levels(const struct mmu *mmu)
{
	return mmu->main.root.level;
}

/**
 * mmu_fault() - map what the guest tried to reach
 * @reader: the vCPU's, inside its epoch, which is left for what may sleep
 *
 * A vCPU's thread in the VM's process, no lock of core/locks.h below row 5
 * held but its epoch. May sleep for long on the VMM's memory. The page is
 * logged as dirty if @in is a write.
 */
enum fault_rc mmu_fault(struct mmu *mmu, struct epoch_reader *reader,
			const struct fault_in *in);

/**
 * mmu_fault_quick() - the same, if that takes an entry and nothing else
 * @slots: the set in force; @slot: that of it which has in->gpa
 *
 * A vCPU's thread inside its epoch, interrupts off; it may use memory of
 * protection key 0. True: run the guest again. False: mmu_fault() is to look.
 */
bool mmu_fault_quick(struct mmu *mmu, const struct memslots *slots,
		     const struct memslot *slot, const struct fault_in *in);

/**
 * mmu_map_page() - map a page of the host's own at @gfn, where no slot is, or
 * which is mmu.apart
 *
 * As mmu_fault(), but that it sleeps for a table at most. The caller keeps the
 * page until after mmu_free(). False: not mapped, no memory or a slot came.
 */
bool mmu_map_page(struct mmu *mmu, struct gfn gfn, struct pfn pfn);

/** mmu_zap_page() - forget the translation of @gfn; may sleep */
void mmu_zap_page(struct mmu *mmu, struct gfn gfn);

/**
 * mmu_log_begin() - from here on the first write to a clean page is logged
 *
 * Before the first entry that is writable and clean; any number of times. May
 * be called under spinlocks.
 */
void mmu_log_begin(struct mmu *mmu);

/** mmu_zap_all() - forget every translation; may sleep */
void mmu_zap_all(struct mmu *mmu);

/**
 * mmu_module_exit() - wait for notifiers still to be freed; module exit
 *
 * The caller's rcu_barrier() follows: freed tables come back by RCU.
 */
void mmu_module_exit(void);

#endif
