/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a second-level page-table entry looks like: the engine (mmu/tdp.c)
 * works with masks only, and a format says which bits they are.
 *
 * Two formats exist: NPT (APM vol. 2, 15.25) and EPT (SDM vol. 3, 29.3). Both
 * have 512 entries of 8 bytes a table, the address in bits 51:12 and "this
 * maps a large page" in bit 7.
 *
 * An entry is empty (0), frozen, unlinked, a table, or a leaf. A frozen entry is
 * about to be replaced, by whoever froze it; an unlinked one is in a table that
 * hangs in no tree any more. Hardware takes both for not present.
 */
#ifndef MMU_PTE_H
#define MMU_PTE_H

#include "base/host.h"
#include "base/types.h"

/* Guest access to a page. */
#define PTE_READ BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_EXEC BIT(2)

enum pte_memtype {
	PTE_MEM_RAM,	/* write-back */
	PTE_MEM_MMIO,	/* device memory mapped by the VMM: uncached or WC */
	PTE_MEM_COUNT,
};

struct pte_format {
	const char *name;
	u64 present;		/* any of these: hardware uses the entry */
	u64 table;		/* set in an entry that leads to a table */
	u64 read;		/* set in each leaf */
	u64 write;
	u64 exec;		/* set in an executable leaf */
	u64 noexec;		/* set in any other leaf */
	u64 accessed, dirty;	/* 0: hardware does not record it */
	/*
	 * A page whose dirty bit the CPU sets becomes known: dirty logging
	 * clears that bit of small pages instead of taking write access.
	 */
	bool log_by_dirty;
	/*
	 * With it: nobody tells of the bits, the log is collected from the
	 * tables. Else the CPU reports each page.
	 */
	bool log_in_tables;
	/*
	 * Only small pages are executable, and a table is never replaced by
	 * a large page (map_leaf()): CPUs with the iTLB-multihit erratum.
	 */
	bool small_exec;
	u64 memtype[PTE_MEM_COUNT];
	/*
	 * Beside an address of the system's memory, tables included: the
	 * memory is encrypted, and so the CPU is to decrypt it (APM vol. 2,
	 * 7.10, "C-bit"). A bit of the address field that no address has.
	 */
	u64 encrypted;
	enum page_level max_leaf;	/* largest page the CPU maps */
};

#define PTE_ADDR GENMASK_ULL(51, 12)	/* with the encrypted bit: pte_pa() */
#define PTE_LARGE BIT_ULL(7)

/* Software bits: ignored by hardware in both formats. */
#define PTE_HOST_WRITABLE BIT_ULL(52)	/* the VMM's mapping allows writes */
#define PTE_FROZEN BIT_ULL(53)		/* alone: a frozen entry */
#define PTE_UNLINKED BIT_ULL(54)	/* alone: of an unlinked table */

extern const struct pte_format npt_format;
extern const struct pte_format ept_format;	/* with accessed and dirty */
extern const struct pte_format ept_format_no_ad;

static inline bool pte_is_present(const struct pte_format *f, u64 pte)
{
	return pte & f->present;
}

/** pte_is_leaf() - does a present entry of a @level table map memory */
static inline bool pte_is_leaf(u64 pte, enum page_level level)
{
	return level == PG_4K || (pte & PTE_LARGE);
}

/** pte_pa() - the address in a present entry */
static inline u64 pte_pa(const struct pte_format *f, u64 pte)
{
	return pte & PTE_ADDR & ~f->encrypted;
}

/** pte_same_page() - do two leaves map the same frame in the same way */
static inline bool pte_same_page(const struct pte_format *f, u64 a, u64 b)
{
	return !((a ^ b) & (PTE_ADDR | f->memtype[PTE_MEM_RAM] |
			    f->memtype[PTE_MEM_MMIO]));
}

/** pte_to_table() - the table that a present entry, not a leaf, leads to */
static inline u64 *pte_to_table(const struct pte_format *f, u64 pte)
{
	return host_va(pte_pa(f, pte));
}

/** pte_pfn_of() - the first frame that a leaf maps */
static inline struct pfn pte_pfn_of(const struct pte_format *f, u64 pte)
{
	return PFN(pte_pa(f, pte) >> PAGE_SHIFT);
}

/** pte_allows() - does a leaf allow @access (PTE_READ | ...) */
static inline bool pte_allows(const struct pte_format *f, u64 pte, u32 access)
{
	if (!pte_is_present(f, pte))
		return false;
	if ((access & PTE_WRITE) && !(pte & f->write))
		return false;
	return !(access & PTE_EXEC) ||
	       ((pte & f->exec) == f->exec && !(pte & f->noexec));
}

/** pte_logs() - is @pte, of a @level table, all that knows of a write */
static inline bool pte_logs(const struct pte_format *f, u64 pte,
			    enum page_level level)
{
	return f->log_in_tables && level == PG_4K && (pte & f->dirty);
}

/** pte_table() - an entry that leads to the table at @pa */
static inline u64 pte_table(const struct pte_format *f, u64 pa)
{
	return pa | f->table | f->encrypted;
}

/** pte_leaf() - an entry of a @level table that maps @pfn for @access */
static inline u64 pte_leaf(const struct pte_format *f, struct pfn pfn,
			   enum page_level level, u32 access,
			   enum pte_memtype type)
{
	u64 pte = (pfn.v << PAGE_SHIFT) | f->read | f->accessed |
		  f->memtype[type];

	if (access & PTE_WRITE)
		pte |= f->write | f->dirty;
	pte |= (access & PTE_EXEC) ? f->exec : f->noexec;
	if (level > PG_4K)
		pte |= PTE_LARGE;
	if (type == PTE_MEM_RAM)
		pte |= f->encrypted;
	return pte;
}

#endif
