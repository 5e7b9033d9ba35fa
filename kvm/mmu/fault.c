// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a guest access that was refused to the entry that allows it.
 *
 * In order: find the slot and take a copy of it; see whether the tables can
 * serve the access as they are; look up the host's page, which may sleep and
 * so happens with no lock and no claim on the slot; then, under the lock,
 * check that neither the slots nor the host's mapping changed, and install.
 * Whatever changed, the answer is to let the guest fault again.
 *
 * A fault allocates only when the tree lacks a table: the engine says so, one
 * page is stocked outside the lock, and the installation is tried again. Faults
 * take the lock's read side only; they meet in the entries.
 *
 * Most faults need none of this: where the host has the page ready and the tree
 * has the table, mmu_fault_quick() does all of it under the lock, and so without
 * a reference or a second look.
 *
 * Dirty logging: small pages only, writable only by a write or, where that is
 * how the hardware tells (mmu.h), clean until then. A page is logged after its
 * entry is writable (see memslot_mark_dirty()).
 */
#include <linux/sched/signal.h>

#include "mem/pfn.h"
#include "mmu/notifier.h"
#include "mmu/pages.h"

/* A walk needs a table per level, and one more per size that it splits. */
#define FAULT_TABLES (2 * TDP_MAX_LEVELS)

/* So many pages, a power of two, are mapped by one fault at most. */
#define FAULT_AROUND 16

struct fault {
	struct mmu *mmu;
	struct gfn gfn;
	u32 wanted;		/* PTE_READ | ... */
	bool write;

	/* The slot as it was: only numbers, no pointer to it is kept. */
	u64 generation;
	struct gfn base;
	u64 npages;
	struct hva hva;		/* of the page at gfn */
	bool readonly, logged;
	bool small;		/* not to be mapped by a larger page */

	unsigned long seq;	/* of the notifier, before the lookup */
	struct pfn_ref ref;
	enum page_level level;	/* what was installed */
};

static void fault_init(struct fault *fault, struct mmu *mmu,
		       const struct fault_in *in)
{
	*fault = (struct fault){
		.mmu = mmu,
		.gfn = gpa_to_gfn(in->gpa),
		.wanted = PTE_READ | (in->write ? PTE_WRITE : 0) |
			  (in->fetch ? PTE_EXEC : 0),
		.write = in->write,
	};
}

/* Copy what the fault needs of its slot. */
static void take_slot(struct fault *fault, const struct memslot *slot)
{
	fault->base = slot->base;
	fault->npages = slot->npages;
	fault->hva = memslot_hva(slot, fault->gfn);
	fault->readonly = slot->flags & KVM_MEM_READONLY;
	fault->logged = slot->dirty;
}

/* False: the access is to no memory. */
static bool find_slot(struct fault *fault)
{
	const struct memslots *slots;
	const struct memslot *slot;

	if (fault->gfn.v == fault->mmu->apart.v)
		return false;
	slots = mem_slots(fault->mmu->mem);
	slot = memslots_find(slots, fault->gfn);
	if (!slot || (fault->write && (slot->flags & KVM_MEM_READONLY)))
		return false;
	fault->generation = slots->generation;
	take_slot(fault, slot);
	return true;
}

/* Under the lock, or in the epoch */
static bool slots_changed(const struct fault *fault)
{
	return mem_slots(fault->mmu->mem)->generation != fault->generation;
}

/* After the entry was made writable; under the lock, slots as they were. */
static void log_write(const struct fault *fault)
{
	if (fault->write && fault->logged)
		mem_mark_written(fault->mmu->mem, fault->gfn);
}

/* Most faults on present entries: another vCPU was faster, or dirty logging. */
static bool fault_fast(struct fault *fault)
{
	enum page_level max = fault->logged ? PG_4K : PG_1G;
	struct mmu *mmu = fault->mmu;
	bool fixed = false;

	read_lock(&mmu->mm->lock);
	rcu_read_lock();
	if (!slots_changed(fault))
		fixed = tdp_touch(&mmu->main.root, fault->gfn, fault->wanted,
				  max) != TDP_RETRY;
	if (fixed)
		log_write(fault);
	rcu_read_unlock();
	read_unlock(&mmu->mm->lock);
	return fixed;
}

static enum fault_rc fault_lookup(struct fault *fault)
{
	enum pfn_rc rc;

	fault->seq = mmu_mm_seq(fault->mmu->mm);
	rc = pfn_get(fault->hva, fault->write, !fault->readonly, &fault->ref);
	switch (rc) {
	case PFN_OK:
		return FAULT_FIXED;
	case PFN_RETRY:
		return FAULT_RETRY;
	case PFN_SIGNAL:
		return FAULT_SIGNAL;
	case PFN_POISON:
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)fault->hva.v,
				PAGE_SHIFT, current);
		return FAULT_SIGNAL;
	case PFN_ERROR:
		break;
	}
	return FAULT_ERROR;
}

/* Does the @level page around the fault lie in the slot, with both aligned? */
static bool level_fits(const struct fault *fault, enum page_level level)
{
	u64 first = gfn_round(fault->gfn, level).v;
	u64 pages = pg_pages(level), pfn = fault->ref.pfn.v;
	u64 hva_page = fault->hva.v >> PAGE_SHIFT;

	if (((hva_page ^ fault->gfn.v) | (pfn ^ fault->gfn.v)) & (pages - 1))
		return false;
	if (first == gfn_round(fault->mmu->apart, level).v)
		return false;
	if (first < fault->base.v ||
	    first + pages > fault->base.v + fault->npages)
		return false;
	return !mmu_mm_active(fault->mmu->mm,
			      ALIGN_DOWN(fault->hva.v, pg_size(level)),
			      ALIGN_DOWN(fault->hva.v, pg_size(level)) +
			      pg_size(level));
}

/* Small pages for code, and no larger ones in their place: pte.h. */
static enum page_level exec_level(const struct fault *fault)
{
	enum page_level level;

	if (fault->wanted & PTE_EXEC)
		return PG_4K;
	rcu_read_lock();
	tdp_lookup(&fault->mmu->main.root, fault->gfn, &level);
	rcu_read_unlock();
	return level;
}

/* The largest page that may be mapped, the host's being @host; under the lock. */
static enum page_level best_level(const struct fault *fault,
				  enum page_level host)
{
	enum page_level level = min(host, fault->mmu->format->max_leaf);

	if (level > PG_4K && fault->mmu->format->small_exec)
		level = min(level, exec_level(fault));
	while (level > PG_4K && !level_fits(fault, level))
		level--;
	return level;
}

/* What to install at fault->level; under the lock. */
static void fault_mapping(const struct fault *fault, struct tdp_map *map)
{
	const struct pte_format *f = fault->mmu->format;

	*map = (struct tdp_map){
		.gfn = gfn_round(fault->gfn, fault->level),
		.pfn = PFN(fault->ref.pfn.v & ~(pg_pages(fault->level) - 1)),
		.level = fault->level,
		.access = PTE_READ | PTE_EXEC,
		.wanted = fault->wanted,
		.host_writable = fault->ref.writable && !fault->readonly,
		.clean = fault->logged && !fault->write,
		.type = fault->ref.mmio ? PTE_MEM_MMIO : PTE_MEM_RAM,
	};
	if (map->host_writable &&
	    (fault->write || !fault->logged || f->log_by_dirty))
		map->access |= PTE_WRITE;
	if (f->small_exec && map->level > PG_4K)
		map->access &= ~PTE_EXEC;
}

static enum tdp_rc install_locked(struct fault *fault, struct mmu_op *op)
{
	enum page_level host = fault->logged || fault->small ? PG_4K :
		pfn_host_level(fault->hva, fault->ref.pfn);
	struct tdp_map map;
	enum tdp_rc rc;

	fault->level = best_level(fault, host);
	do {
		fault_mapping(fault, &map);
		rcu_read_lock();
		rc = tdp_map(&fault->mmu->main.root, &map, &op->env);
		rcu_read_unlock();
	} while (rc == TDP_SMALLER && --fault->level >= PG_4K);
	return rc;
}

static enum tdp_rc fault_install(struct fault *fault, struct mmu_op *op)
{
	struct mmu_mm *mm = fault->mmu->mm;
	enum tdp_rc rc = TDP_RETRY;

	read_lock(&mm->lock);
	if (!slots_changed(fault) &&
	    !mmu_mm_changed(mm, fault->seq, fault->hva.v,
			    fault->hva.v + PAGE_SIZE)) {
		rc = install_locked(fault, op);
		if (rc == TDP_OK || rc == TDP_SPURIOUS)
			log_write(fault);
	}
	read_unlock(&mm->lock);
	return rc;
}

static enum fault_rc fault_map(struct fault *fault)
{
	struct mmu_op op;
	enum tdp_rc rc;
	int tables = 0;

	if (fault->logged)
		mmu_log_begin(fault->mmu);
	mmu_op_init(&op, fault->mmu);
	while ((rc = fault_install(fault, &op)) == TDP_EMPTY)
		if (tables++ == FAULT_TABLES || !mmu_op_stock(&op))
			break;
	mmu_op_end(&op);
	switch (rc) {
	case TDP_OK:
	case TDP_SPURIOUS:
		return FAULT_FIXED;
	case TDP_RETRY:
	case TDP_SMALLER:
		return FAULT_RETRY;
	case TDP_EMPTY:
		break;
	}
	return tables > FAULT_TABLES ? FAULT_RETRY : FAULT_NOMEM;
}

/* Is the page before this one mapped, by a small page? */
static bool in_sequence(const struct fault *fault)
{
	enum page_level level;
	u64 pte;

	if (fault->gfn.v == fault->base.v)
		return false;
	rcu_read_lock();
	pte = tdp_lookup(&fault->mmu->main.root, gfn_add(fault->gfn, -1),
			 &level);
	rcu_read_unlock();
	return pte && level == PG_4K;
}

/* Map @n pages after the fault's, which was a small one; under the lock. */
static void fill_locked(const struct fault *fault, const struct pfn *pfn,
			unsigned int n)
{
	const struct tdp_map map = {
		.gfn = gfn_add(fault->gfn, 1),
		.access = PTE_READ | PTE_WRITE | PTE_EXEC,
		.host_writable = true,
		.type = PTE_MEM_RAM,
	};

	rcu_read_lock();
	tdp_fill(&fault->mmu->main.root, &map, pfn, n);
	rcu_read_unlock();
}

static void install_near(const struct fault *fault, unsigned long seq,
			 const struct pfn *pfn, unsigned int n)
{
	struct mmu_mm *mm = fault->mmu->mm;
	u64 hva = fault->hva.v + PAGE_SIZE;

	read_lock(&mm->lock);
	if (!slots_changed(fault) &&
	    !mmu_mm_changed(mm, seq, hva, hva + n * PAGE_SIZE))
		fill_locked(fault, pfn, n);
	read_unlock(&mm->lock);
}

/* How many pages after the fault's are worth a look. */
static unsigned int near_pages(const struct fault *fault)
{
	u64 next = fault->gfn.v + 1, apart = fault->mmu->apart.v;
	u64 end = min(ALIGN(next, FAULT_AROUND),
		      fault->base.v + fault->npages);

	if (apart >= next)
		end = min(end, apart);
	return end - next;
}

/*
 * A guest that uses pages in order will want the next ones, too. None is made
 * present for it, and pages that are not writable yet are left alone.
 */
static void fault_around(const struct fault *fault)
{
	unsigned int n = near_pages(fault);
	struct page *pages[FAULT_AROUND];
	struct pfn pfn[FAULT_AROUND];
	unsigned long seq;

	if (fault->level > PG_4K || fault->logged || fault->readonly ||
	    !fault->ref.writable || fault->ref.mmio || !n ||
	    !in_sequence(fault))
		return;
	seq = mmu_mm_seq(fault->mmu->mm);
	n = pfn_get_near(HVA(fault->hva.v + PAGE_SIZE), n, pages, pfn);
	if (!n)
		return;
	install_near(fault, seq, pfn, n);
	pfn_put_near(pages, n);
}

/* All that may sleep */
static enum fault_rc fault_resolve(struct fault *fault, bool present)
{
	enum fault_rc rc = fault_lookup(fault);

	if (rc != FAULT_FIXED)
		return rc;
	rc = fault_map(fault);
	if (rc == FAULT_FIXED && !present)
		fault_around(fault);
	pfn_put(&fault->ref);
	return rc;
}

enum fault_rc mmu_fault(struct mmu *mmu, struct epoch_reader *reader,
			const struct fault_in *in)
{
	struct fault fault;
	enum fault_rc rc;

	if (!mem_is_ours(mmu->mem))
		return FAULT_ERROR;
	fault_init(&fault, mmu, in);
	if (!find_slot(&fault))
		return FAULT_MMIO;
	if (in->present && fault_fast(&fault))
		return FAULT_FIXED;

	epoch_exit(&mmu->mem->epoch, reader);
	rc = fault_resolve(&fault, in->present);
	epoch_enter(reader);
	if (rc == FAULT_ERROR && slots_changed(&fault))
		return FAULT_RETRY;
	return rc;
}

/* ---- with interrupts off ---------------------------------------------- */

static void quick_around(const struct fault *fault)
{
	unsigned int n = near_pages(fault);
	u64 hva = fault->hva.v + PAGE_SIZE;
	struct pfn pfn[FAULT_AROUND];
	enum page_level host;

	if (!n || mmu_mm_active(fault->mmu->mm, hva, hva + n * PAGE_SIZE))
		return;
	n = pfn_peek(HVA(hva), n, pfn, &host);
	if (n)
		fill_locked(fault, pfn, n);
}

/*
 * Under the lock no invalidation can begin, so what is found is true until it
 * is let go, and no sequence has to be compared.
 */
static bool quick_locked(struct fault *fault)
{
	struct mmu *mmu = fault->mmu;
	u64 hva = fault->hva.v;
	enum page_level host;
	struct tdp_map map;
	bool follows;

	if (mmu_mm_active(mmu->mm, hva, hva + PAGE_SIZE) ||
	    !pfn_peek(fault->hva, 1, &fault->ref.pfn, &host))
		return false;
	fault->ref.writable = true;
	fault->level = best_level(fault, host);
	fault_mapping(fault, &map);
	/* Interrupts off are an RCU section as well. */
	if (tdp_add(&mmu->main.root, &map, &follows) == TDP_RETRY)
		return false;
	if (follows && map.level == PG_4K)
		quick_around(fault);
	return true;
}

bool mmu_fault_quick(struct mmu *mmu, const struct memslots *slots,
		     const struct memslot *slot, const struct fault_in *in)
{
	struct fault fault;
	bool done = false;

	if (slot->dirty || (slot->flags & KVM_MEM_READONLY) ||
	    !mem_is_ours(mmu->mem))
		return false;
	fault_init(&fault, mmu, in);
	if (fault.gfn.v == mmu->apart.v)
		return false;
	take_slot(&fault, slot);
	/* Who has it may be waiting for this CPU to take an interrupt. */
	if (!read_trylock(&mmu->mm->lock))
		return false;
	if (mem_slots(mmu->mem) == slots)
		done = quick_locked(&fault);
	read_unlock(&mmu->mm->lock);
	return done;
}

bool mmu_map_page(struct mmu *mmu, struct gfn gfn, struct pfn pfn)
{
	struct fault fault = {
		.mmu = mmu,
		.gfn = gfn,
		.wanted = PTE_READ | PTE_WRITE,
		.write = true,
		.small = true,
		.ref = { .pfn = pfn, .writable = true },
	};
	const struct memslots *slots;
	bool slot;

	rcu_read_lock();
	slots = mem_slots(mmu->mem);
	fault.generation = slots->generation;
	slot = gfn.v != mmu->apart.v && memslots_find(slots, gfn);
	rcu_read_unlock();
	fault.seq = mmu_mm_seq(mmu->mm);
	return !slot && fault_map(&fault) == FAULT_FIXED;
}
