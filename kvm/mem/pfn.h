/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From the VMM's address to the page frame behind it.
 *
 * The answer is true until the host's notifier says otherwise: the caller
 * takes the notifier's sequence before it asks, and compares it under the lock
 * before it uses the answer. The reference on the page is for the time in
 * between; a mapping keeps none. Who looks with the lock held, pfn_peek(), needs
 * neither.
 *
 * Callers: mmu/fault.c.
 */
#ifndef MEM_PFN_H
#define MEM_PFN_H

#include "base/host.h"
#include "base/types.h"

struct pfn_ref {
	struct pfn pfn;
	struct page *page;	/* NULL: not a page that can be held */
	bool writable;		/* the mapping allows writes now */
	bool mmio;		/* device memory */
};

enum pfn_rc {
	PFN_OK,
	PFN_RETRY,	/* somebody changes the mapping: start again */
	PFN_ERROR,	/* no mapping, or it does not allow the access */
	PFN_POISON,	/* the page is broken hardware */
	PFN_SIGNAL,	/* interrupted by a signal */
};

/**
 * pfn_get() - the frame behind @hva of the calling process
 * @write: the mapping must allow writes; makes it private or writable
 * @try_write: say so in ref->writable when it allows writes already
 *
 * May sleep for as long as the VMM's memory takes to appear; no lock is held.
 * A page that is or may become writable is marked dirty here, for the guest
 * writes it unseen. On PFN_OK, pfn_put() follows.
 */
enum pfn_rc pfn_get(struct hva hva, bool write, bool try_write,
		    struct pfn_ref *ref);

/** pfn_put() - drop the reference that pfn_get() took; any context */
void pfn_put(struct pfn_ref *ref);

/**
 * pfn_host_level() - how large is the page by which the calling process maps
 * @hva to @pfn
 *
 * Reads its page tables without a lock: true as far as the notifier's sequence
 * is. PG_4K when in doubt.
 */
enum page_level pfn_host_level(struct hva hva, struct pfn pfn);

/** pfn_host_large() - does the calling process map @hva by a large page; as above */
bool pfn_host_large(struct hva hva);

/**
 * pfn_get_near() - frames of up to @n pages from @hva on, none slept for
 * @pages: who is held, for pfn_put_near()
 *
 * Those that are present and writable, up to the first that is not: their
 * number. As pfn_get() for each.
 */
unsigned int pfn_get_near(struct hva hva, unsigned int n, struct page **pages,
			  struct pfn *pfn);

/**
 * pfn_peek() - frames of up to @n pages from @hva on that need nothing done
 * @level: how large the page is that the process maps @hva by
 *
 * Those mapped for writing and dirty, in memory of the usual kinds, up to the
 * first that is not: their number, 0 when in doubt. The thread may use memory
 * of protection key 0. Interrupts are off, and no invalidation of the range
 * goes on or can begin (mmu/notifier.h): the mappings themselves are what holds
 * the pages, until the caller lets invalidations go on.
 */
unsigned int pfn_peek(struct hva hva, unsigned int n, struct pfn *pfn,
		      enum page_level *level);

/** pfn_put_near() - drop what pfn_get_near() took */
void pfn_put_near(struct page **pages, unsigned int n);

#endif
