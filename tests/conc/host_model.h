/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A host for the real mem/ and mmu/ on threads: pages for their tables, RCU, a
 * process with a notifier, and memory of the VMM's that this host moves about
 * and takes back. It is what kernel_mm.h leaves open, and mem/pfn.h's other side.
 *
 * The VMM has HOST_PAGES pages from HOST_VA on. An entry of its page table is a
 * frame and bits; frames are never used twice, so that one who writes to a frame
 * which was taken back is seen. Entries change under host_lock, which stands for
 * the page-table lock, and are read without.
 */
#ifndef TESTS_CONC_HOST_MODEL_H
#define TESTS_CONC_HOST_MODEL_H

#include <stdio.h>
#include <unistd.h>

#include "kernel_mm.h"
#include "mem/pfn.h"
#include "rcu.h"

#define CHECK(c) do { if (!(c)) { \
	fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #c); \
	abort(); } } while (0)

#define HOST_VA 0x40000000ULL
#define HOST_PAGES 1024
#define HOST_BLOCKS (HOST_PAGES / 512)
#define FRAMES (1 << 21)

#define HOST_LARGE 1	/* the block is one page of the host's */
#define HOST_FRAME(pte) ((pte) >> 12)

static u64 host_pte[HOST_PAGES];	/* 0: nothing there */
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
static u64 next_frame;			/* host_lock */
static u64 content[FRAMES];		/* atomic: what guests wrote */
static u8 taken_back[FRAMES];
static u16 frame_page[FRAMES];		/* the page that it is of */

static int stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_SEQ_CST);
}

/* ---- RCU ----------------------------------------------------------------- */

static __thread unsigned int rcu_depth;
static struct rcu_head *rcu_list;

void rcu_read_lock(void)
{
	if (!rcu_depth++)
		read_begin();
}

void rcu_read_unlock(void)
{
	if (!--rcu_depth)
		read_end();
}

void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head))
{
	head->func = fn;
	head->next = __atomic_load_n(&rcu_list, __ATOMIC_SEQ_CST);
	while (!__atomic_compare_exchange_n(&rcu_list, &head->next, head, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

/* One thread's: all that was handed over, after a grace period. */
static void rcu_run(void)
{
	struct rcu_head *head = __atomic_exchange_n(&rcu_list, NULL,
						    __ATOMIC_SEQ_CST), *next;

	if (head)
		grace_period();
	for (; head; head = next) {
		next = head->next;
		head->func(head);
	}
}

/* ---- pages of tables ------------------------------------------------------ */

#define ARENA_PAGES 16384

static struct page arena_page[ARENA_PAGES];
static u8 *arena;
static u32 arena_free[ARENA_PAGES], arena_count;
static pthread_mutex_t arena_lock = PTHREAD_MUTEX_INITIALIZER;

static void arena_init(void)
{
	arena = aligned_alloc(PAGE_SIZE, ARENA_PAGES * PAGE_SIZE);
	CHECK(arena);
	for (u32 i = 0; i < ARENA_PAGES; i++)
		arena_free[i] = i;
	arena_count = ARENA_PAGES;
}

struct page *alloc_page(unsigned int flags)
{
	u32 i;

	pthread_mutex_lock(&arena_lock);
	CHECK(arena_count);
	i = arena_free[--arena_count];
	pthread_mutex_unlock(&arena_lock);
	memset(arena + i * PAGE_SIZE, 0, PAGE_SIZE);
	return &arena_page[i];
}

/* Who still reads it finds entries that lead nowhere, and TSan sees it. */
void __free_page(struct page *page)
{
	memset(page_address(page), 0xf8, PAGE_SIZE);
	pthread_mutex_lock(&arena_lock);
	arena_free[arena_count++] = page - arena_page;
	pthread_mutex_unlock(&arena_lock);
}

void *page_address(const struct page *page)
{
	return arena + (page - arena_page) * PAGE_SIZE;
}

struct page *virt_to_page(const void *p)
{
	return &arena_page[((u8 *)p - arena) / PAGE_SIZE];
}

/* ---- the process ----------------------------------------------------------- */

static struct mm_struct the_mm;
struct task_struct the_task = { .mm = &the_mm };

static const struct mmu_notifier_ops *notifier_ops;
static struct mmu_notifier *the_notifier;

struct mmu_notifier *mmu_notifier_get(const struct mmu_notifier_ops *ops,
				      struct mm_struct *mm)
{
	if (!the_notifier) {
		notifier_ops = ops;
		the_notifier = ops->alloc_notifier(mm);
	}
	the_notifier->count++;
	return the_notifier;
}

void mmu_notifier_put(struct mmu_notifier *notifier)
{
	if (--notifier->count)
		return;
	notifier_ops->free_notifier(notifier);
	the_notifier = NULL;
}

/* ---- its memory ------------------------------------------------------------ */

static u64 page_hva(u64 page)
{
	return HOST_VA + page * PAGE_SIZE;
}

static u64 *pte_of(struct hva hva)
{
	CHECK(hva.v >= HOST_VA && hva.v < page_hva(HOST_PAGES));
	return &host_pte[(hva.v - HOST_VA) / PAGE_SIZE];
}

static bool frames_left(void)
{
	return READ_ONCE(next_frame) + 4096 < FRAMES;
}

/* Give pages [first, first + n) fresh frames, with or without what they have. */
static void replace_locked(u64 first, u64 n, bool keep)
{
	u64 to = ALIGN(next_frame, n), i;

	WRITE_ONCE(next_frame, to + n);
	for (i = 0; i < n; i++) {
		u64 old = xchg(&host_pte[first + i], 0);

		frame_page[to + i] = first + i;
		if (old && keep)
			content[to + i] = __atomic_load_n(
				&content[HOST_FRAME(old)], __ATOMIC_RELAXED);
		if (old)
			__atomic_store_n(&taken_back[HOST_FRAME(old)], 1,
					 __ATOMIC_RELAXED);
	}
	for (i = 0; i < n; i++)
		smp_store_release(&host_pte[first + i],
				  (to + i) << 12 | (n == 512 ? HOST_LARGE : 0));
}

/* A block that is one page of the host's becomes many before one changes. */
static void break_up_locked(u64 first)
{
	for (u64 i = 0; i < 512; i++)
		__atomic_and_fetch(&host_pte[first + i], ~(u64)HOST_LARGE,
				   __ATOMIC_SEQ_CST);
}

enum host_change { HOST_MOVE, HOST_DROP, HOST_CHANGES };

/*
 * Under the notifier's protocol. As the host does, a large page is split in an
 * invalidation of its own, inside that of the page that is to change.
 */
static void host_invalidate(u64 first, u64 n, enum host_change change)
{
	struct mmu_notifier_range range = {
		.start = page_hva(first), .end = page_hva(first + n),
		.blockable = n > 1 || first % 2,
	}, block = {
		.start = page_hva(first & ~511ULL),
		.end = page_hva((first & ~511ULL) + 512),
		.blockable = true,
	};

	notifier_ops->invalidate_range_start(the_notifier, &range);
	pthread_mutex_lock(&host_lock);
	while (n < 512 && (host_pte[first] & HOST_LARGE)) {
		pthread_mutex_unlock(&host_lock);
		notifier_ops->invalidate_range_start(the_notifier, &block);
		pthread_mutex_lock(&host_lock);
		break_up_locked(first & ~511ULL);
		pthread_mutex_unlock(&host_lock);
		notifier_ops->invalidate_range_end(the_notifier, &block);
		pthread_mutex_lock(&host_lock);
	}
	if (!frames_left()) {
		/* Too much has been moved: the test is over soon. */
	} else if (change == HOST_MOVE) {
		replace_locked(first, n, true);
	} else {
		for (u64 i = first; i < first + n; i++) {
			u64 old = xchg(&host_pte[i], 0);

			if (old)
				__atomic_store_n(&taken_back[HOST_FRAME(old)],
						 1, __ATOMIC_RELAXED);
		}
	}
	pthread_mutex_unlock(&host_lock);
	notifier_ops->invalidate_range_end(the_notifier, &range);
}

/* As reclaim asks, under the page-table lock. */
static void host_age(u64 first, u64 n, bool clear)
{
	pthread_mutex_lock(&host_lock);
	if (clear)
		notifier_ops->clear_young(the_notifier, &the_mm,
					  page_hva(first), page_hva(first + n));
	else
		notifier_ops->test_young(the_notifier, &the_mm,
					 page_hva(first));
	pthread_mutex_unlock(&host_lock);
}

/* ---- mem/pfn.h ------------------------------------------------------------- */

enum pfn_rc pfn_get(struct hva hva, bool write, bool try_write,
		    struct pfn_ref *ref)
{
	u64 *pte = pte_of(hva), found = smp_load_acquire(pte);

	if (!found) {
		pthread_mutex_lock(&host_lock);
		if (!*pte && next_frame < FRAMES - 1)
			replace_locked(pte - host_pte, 1, false);
		found = *pte;
		pthread_mutex_unlock(&host_lock);
	}
	if (!found)
		return PFN_RETRY;
	*ref = (struct pfn_ref){
		.pfn = PFN(HOST_FRAME(found)), .writable = true,
	};
	/* Let it get old. */
	if (HOST_FRAME(found) % 4 == 0)
		sched_yield();
	return PFN_OK;
}

void pfn_put(struct pfn_ref *ref)
{
}

enum page_level pfn_host_level(struct hva hva, struct pfn pfn)
{
	u64 pte = smp_load_acquire(pte_of(hva));

	return (pte & HOST_LARGE) && HOST_FRAME(pte) == pfn.v ? PG_2M : PG_4K;
}

bool pfn_host_large(struct hva hva)
{
	return smp_load_acquire(pte_of(hva)) & HOST_LARGE;
}

unsigned int pfn_peek(struct hva hva, unsigned int n, struct pfn *pfn,
		      enum page_level *level)
{
	u64 *pte = pte_of(hva), found = smp_load_acquire(pte);
	unsigned int i;

	*level = found & HOST_LARGE ? PG_2M : PG_4K;
	n = min_t(u64, n, 512 - (pte - host_pte) % 512);
	for (i = 0; i < n; i++) {
		found = smp_load_acquire(&pte[i]);
		if (!found)
			break;
		pfn[i] = PFN(HOST_FRAME(found));
	}
	return i;
}

unsigned int pfn_get_near(struct hva hva, unsigned int n, struct page **pages,
			  struct pfn *pfn)
{
	enum page_level level;

	n = min_t(u64, n, (page_hva(HOST_PAGES) - hva.v) / PAGE_SIZE);
	return n ? pfn_peek(hva, n, pfn, &level) : 0;
}

void pfn_put_near(struct page **pages, unsigned int n)
{
}

#endif
