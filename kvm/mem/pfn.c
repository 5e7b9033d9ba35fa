// SPDX-License-Identifier: GPL-2.0-only
/*
 * Host address to page frame: see pfn.h.
 *
 * Memory in use is there and dirty in the process's page tables: that is all
 * that pfn_peek() looks at. Else, ordinary memory comes from get_user_pages:
 * first without sleeping and wanting write access, then by a real fault.
 * Memory without pages (a device's BAR, VM_PFNMAP) is looked up in the page
 * tables of its mapping. Locks: mmap_lock, inside.
 */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched.h>

#include "mem/pfn.h"

/*
 * The guest is going to write unseen to @page, which the process maps writable
 * but perhaps clean. Memory that lives in swap only, or is hugetlbfs', has its
 * state in this flag; nothing but the reference is held, so the file that it is
 * of is not looked at, as folio_mark_dirty() does.
 *
 * Memory of any other file needs no mark: its filesystem is told before a page
 * becomes writable, and hears of it as dirty then. When it takes that back for
 * writing the page out, it calls the notifier.
 */
static void mark_page(struct page *page)
{
	struct folio *folio = page_folio(page);

	if ((folio_test_anon(folio) || folio_test_swapbacked(folio) ||
	     folio_test_hugetlb(folio)) && !folio_test_dirty(folio))
		folio_set_dirty(folio);
}

static void ref_page(struct pfn_ref *ref, struct page *page, bool writable)
{
	*ref = (struct pfn_ref){
		.pfn = PFN(page_to_pfn(page)),
		.page = page,
		.writable = writable,
	};
	if (writable)
		mark_page(page);
}

static bool get_fast(struct hva hva, struct pfn_ref *ref)
{
	struct page *page;

	if (!get_user_page_fast_only(hva.v, FOLL_WRITE, &page))
		return false;
	ref_page(ref, page, true);
	return true;
}

static enum pfn_rc get_slow(struct hva hva, bool write, struct pfn_ref *ref)
{
	unsigned int flags = FOLL_HWPOISON | FOLL_INTERRUPTIBLE |
			     FOLL_HONOR_NUMA_FAULT;
	struct page *page;
	long n;

	if (write)
		flags |= FOLL_WRITE;
	n = get_user_pages_unlocked(hva.v, 1, &page, flags);
	if (n == 1) {
		ref_page(ref, page, write);
		return PFN_OK;
	}
	switch (n) {
	case -EHWPOISON:
		return PFN_POISON;
	case -EINTR:
	case -ERESTARTSYS:
		return PFN_SIGNAL;
	case -EAGAIN:
	case 0:
		return signal_pending(current) ? PFN_SIGNAL : PFN_RETRY;
	}
	return PFN_ERROR;
}

/* Is it something that is not the system's memory? */
static bool is_mmio(const struct follow_pfnmap_args *args)
{
	struct hva hva = HVA(args->address);
	pgprot_t prot = args->pgprot;

	/* Of a large page the bit of a small one's PAT says that it is large. */
	if (pfn_host_level(hva, PFN(args->pfn)) > PG_4K)
		prot = pgprot_large_2_4k(prot);
	/* The mapping says so itself by any cache mode but write-back. */
	return (pgprot_val(prot) & _PAGE_CACHE_MASK) || !pfn_valid(args->pfn);
}

static enum pfn_rc follow(struct vm_area_struct *vma, struct hva hva,
			  bool write, struct pfn_ref *ref)
{
	struct follow_pfnmap_args args = { .vma = vma, .address = hva.v };
	enum pfn_rc rc = PFN_OK;

	if (follow_pfnmap_start(&args))
		return PFN_RETRY;
	if (write && !args.writable)
		rc = PFN_RETRY;
	else
		*ref = (struct pfn_ref){
			.pfn = PFN(args.pfn),
			.writable = args.writable,
			.mmio = is_mmio(&args),
		};
	follow_pfnmap_end(&args);
	return rc;
}

static enum pfn_rc get_pfnmap_locked(struct hva hva, bool write,
				     struct pfn_ref *ref, bool *unlocked)
{
	struct vm_area_struct *vma = find_vma(current->mm, hva.v);
	int err;

	if (!vma || hva.v < vma->vm_start ||
	    !(vma->vm_flags & (VM_IO | VM_PFNMAP)) ||
	    !(vma->vm_flags & (write ? VM_WRITE : VM_READ)))
		return PFN_ERROR;
	if (follow(vma, hva, write, ref) == PFN_OK)
		return PFN_OK;

	err = fixup_user_fault(current->mm, hva.v,
			       write ? FAULT_FLAG_WRITE : 0, unlocked);
	if (err == -EINTR)
		return PFN_SIGNAL;
	if (err)
		return PFN_ERROR;
	/* The lock was let go: @vma may be another one by now. */
	if (*unlocked)
		return PFN_RETRY;
	return follow(vma, hva, write, ref) == PFN_OK ? PFN_OK : PFN_ERROR;
}

static enum pfn_rc get_pfnmap(struct hva hva, bool write, struct pfn_ref *ref)
{
	bool unlocked = false;
	enum pfn_rc rc;

	if (mmap_read_lock_killable(current->mm))
		return PFN_SIGNAL;
	rc = get_pfnmap_locked(hva, write, ref, &unlocked);
	mmap_read_unlock(current->mm);
	return rc;
}

enum pfn_rc pfn_get(struct hva hva, bool write, bool try_write,
		    struct pfn_ref *ref)
{
	struct pfn_ref better;
	enum pfn_rc rc;

	if ((write || try_write) && get_fast(hva, ref))
		return PFN_OK;
	rc = get_slow(hva, write, ref);
	if (rc == PFN_ERROR)
		return get_pfnmap(hva, write, ref);
	/* The fault just taken may have made the page writable. */
	if (rc == PFN_OK && !write && try_write && get_fast(hva, &better)) {
		pfn_put(ref);
		*ref = better;
	}
	return rc;
}

void pfn_put(struct pfn_ref *ref)
{
	if (ref->page)
		put_page(ref->page);
	ref->page = NULL;
}

unsigned int pfn_get_near(struct hva hva, unsigned int n, struct page **pages,
			  struct pfn *pfn)
{
	int got = get_user_pages_fast_only(hva.v, n, FOLL_WRITE, pages);
	int i;

	for (i = 0; i < got; i++) {
		pfn[i] = PFN(page_to_pfn(pages[i]));
		mark_page(pages[i]);
	}
	return max(got, 0);
}

void pfn_put_near(struct page **pages, unsigned int n)
{
	release_pages(pages, n);
}

/* What a walk of the host's tables ends at. */
struct host_leaf {
	u64 bits;		/* the entry; 0: there is none */
	u64 pfn;		/* of the frame behind the address */
	enum page_level level;
	const pte_t *pte;	/* PG_4K: where the entry is */
};

static void leaf_small(struct host_leaf *leaf, const pte_t *ptep)
{
	pte_t pte = READ_ONCE(*ptep);

	leaf->bits = pte_val(pte);
	leaf->pfn = pte_pfn(pte);
	leaf->pte = ptep;
}

/* Interrupts are off, which keeps the tables in place as for GUP-fast. */
static void walk_host(struct mm_struct *mm, u64 hva, struct host_leaf *leaf)
{
	pgd_t *pgdp = pgd_offset(mm, hva), pgd = READ_ONCE(*pgdp);
	p4d_t *p4dp, p4d;
	pud_t *pudp, pud;
	pmd_t pmd;

	*leaf = (struct host_leaf){ .level = PG_4K };
	if (pgd_none(pgd) || !pgd_present(pgd))
		return;
	p4dp = p4d_offset_lockless(pgdp, pgd, hva);
	p4d = READ_ONCE(*p4dp);
	if (p4d_none(p4d) || !p4d_present(p4d))
		return;
	pudp = pud_offset_lockless(p4dp, p4d, hva);
	pud = READ_ONCE(*pudp);
	if (pud_none(pud) || !pud_present(pud))
		return;
	if (pud_leaf(pud)) {
		leaf->bits = pud_val(pud);
		leaf->pfn = pud_pfn(pud) + ((hva & ~PUD_MASK) >> PAGE_SHIFT);
		leaf->level = PG_1G;
		return;
	}
	pmd = READ_ONCE(*pmd_offset_lockless(pudp, pud, hva));
	if (pmd_none(pmd) || !pmd_present(pmd))
		return;
	if (!pmd_leaf(pmd)) {
		leaf_small(leaf, pte_offset_kernel(&pmd, hva));
		return;
	}
	leaf->bits = pmd_val(pmd);
	leaf->pfn = pmd_pfn(pmd) + ((hva & ~PMD_MASK) >> PAGE_SHIFT);
	leaf->level = PG_2M;
}

static struct host_leaf look_up(struct hva hva)
{
	struct host_leaf leaf;
	unsigned long flags;

	local_irq_save(flags);
	walk_host(current->mm, hva.v, &leaf);
	local_irq_restore(flags);
	return leaf;
}

enum page_level pfn_host_level(struct hva hva, struct pfn pfn)
{
	struct host_leaf leaf = look_up(hva);

	return leaf.pfn == pfn.v ? leaf.level : PG_4K;
}

bool pfn_host_large(struct hva hva)
{
	return look_up(hva).level > PG_4K;
}

/*
 * An entry that is dirty stays so until the notifier was called, so the page
 * need not be marked. Memory that swap or hugetlbfs backs is what guests have;
 * any other may be of a kind that nobody but its owner may reach.
 */
static bool leaf_ready(const struct host_leaf *leaf)
{
	const u64 wanted = _PAGE_PRESENT | _PAGE_USER | _PAGE_RW | _PAGE_DIRTY;
	const u64 unwanted = _PAGE_SPECIAL | _PAGE_DEVMAP | _PAGE_PKEY_MASK;
	struct folio *folio;

	if ((leaf->bits & (wanted | unwanted)) != wanted)
		return false;
	folio = pfn_folio(leaf->pfn);
	return folio_test_swapbacked(folio) || folio_test_hugetlb(folio);
}

unsigned int pfn_peek(struct hva hva, unsigned int n, struct pfn *pfn,
		      enum page_level *level)
{
	struct host_leaf leaf;
	unsigned int i = 0;

	walk_host(current->mm, hva.v, &leaf);
	*level = leaf.level;
	/* To the end of the table, which is no more than a large page either. */
	n = min_t(u64, n, PTRS_PER_PTE - pte_index(hva.v));
	while (leaf_ready(&leaf)) {
		pfn[i++] = PFN(leaf.pfn);
		if (i == n)
			break;
		if (leaf.pte)
			leaf_small(&leaf, leaf.pte + 1);
		else
			leaf.pfn++;
	}
	return i;
}
