/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mem/ and mmu/ use of the kernel beside kernel.h, on threads: one process
 * with one notifier, pages from an arena, RCU with the sections of rcu.h. The
 * test defines what has a body of its own. Built with SHIM_RCU.
 */
#ifndef TESTS_CONC_KERNEL_MM_H
#define TESTS_CONC_KERNEL_MM_H

#include <signal.h>
#include <stdio.h>

#include "kernel.h"

/* ---- sections and callbacks -------------------------------------------- */

#ifdef SHIM_RCU
void rcu_read_lock(void);
void rcu_read_unlock(void);
void call_rcu(struct rcu_head *head, void (*fn)(struct rcu_head *head));

#define rcu_dereference_raw(p) smp_load_acquire(&(p))
#define rcu_assign_pointer(p, v) smp_store_release(&(p), (v))
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#endif

/* ---- locks --------------------------------------------------------------- */

typedef struct {
	pthread_rwlock_t l;
} rwlock_t;

/* As the kernel's: a writer that waits keeps new readers out. */
static inline void rwlock_init(rwlock_t *lock)
{
	pthread_rwlockattr_t attr;

	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr,
		PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&lock->l, &attr);
}

#define read_lock(lock)		pthread_rwlock_rdlock(&(lock)->l)
#define read_trylock(lock)	(!pthread_rwlock_tryrdlock(&(lock)->l))
#define read_unlock(lock)	pthread_rwlock_unlock(&(lock)->l)
#define write_lock(lock)	pthread_rwlock_wrlock(&(lock)->l)
#define write_unlock(lock)	pthread_rwlock_unlock(&(lock)->l)

static inline struct mutex *guard_lock(struct mutex *lock)
{
	mutex_lock(lock);
	return lock;
}

static inline void guard_unlock(struct mutex **lock)
{
	mutex_unlock(*lock);
}

#define guard(kind)	guard_##kind
#define guard_mutex(lock) \
	struct mutex *the_guard __attribute__((cleanup(guard_unlock), unused)) \
		= guard_lock(lock)

#define wait_event(wait, cond) do { \
	while (!(cond)) \
		sched_yield(); \
	} while (0)

/* ---- processes ------------------------------------------------------------ */

struct mm_struct {
	int count;
};

struct task_struct {
	struct mm_struct *mm;
};

extern struct task_struct the_task;
#define current (&the_task)

#define TASK_SIZE_MAX ((1UL << 47) - PAGE_SIZE)
#define mmgrab(mm) ((mm)->count++)
#define mmdrop(mm) ((mm)->count--)
#define cond_resched() sched_yield()
#define send_sig_mceerr(code, addr, shift, task) abort()

/* ---- memory --------------------------------------------------------------- */

#define GFP_KERNEL_ACCOUNT 0
#define __GFP_ZERO 0

#define kzalloc(size, flags) calloc(1, (size))
#define kvmalloc_array(n, size, flags) calloc((n), (size))
#define kfree(p) free(p)

static inline void kfree_bulk(size_t n, void **p)
{
	while (n--)
		free(p[n]);
}

static inline void free_kvfree(void *p)
{
	free(*(void **)p);
}

#define __free(fn) __attribute__((cleanup(free_##fn)))
#define copy_to_user(to, from, n) (memcpy((to), (from), (n)), 0)

#define atomic64_dec(v) ((void)__atomic_sub_fetch(&(v)->counter, 1, \
						  __ATOMIC_SEQ_CST))

struct page {
	struct list_head lru;
	struct rcu_head rcu_head;
};

struct page *alloc_page(unsigned int flags);
void __free_page(struct page *page);
void *page_address(const struct page *page);
struct page *virt_to_page(const void *p);

#define page_pgdat(page) 0
#define NR_SECONDARY_PAGETABLE 0
#define mod_node_page_state(node, item, n) ((void)(node))

#define ERR_PTR(err) ((void *)(long)(err))
#define PTR_ERR(p) ((long)(p))
#define IS_ERR(p) ((unsigned long)(p) >= -4095UL)

/* ---- the notifier ---------------------------------------------------------- */

struct mmu_notifier {
	int count;
};

struct mmu_notifier_range {
	unsigned long start, end;
	bool blockable;
};

#define mmu_notifier_range_blockable(range) ((range)->blockable)

struct mmu_notifier_ops {
	int (*invalidate_range_start)(struct mmu_notifier *notifier,
				      const struct mmu_notifier_range *range);
	void (*invalidate_range_end)(struct mmu_notifier *notifier,
				     const struct mmu_notifier_range *range);
	int (*clear_flush_young)(struct mmu_notifier *notifier,
				 struct mm_struct *mm, unsigned long start,
				 unsigned long end);
	int (*clear_young)(struct mmu_notifier *notifier, struct mm_struct *mm,
			   unsigned long start, unsigned long end);
	int (*test_young)(struct mmu_notifier *notifier, struct mm_struct *mm,
			  unsigned long address);
	void (*release)(struct mmu_notifier *notifier, struct mm_struct *mm);
	struct mmu_notifier *(*alloc_notifier)(struct mm_struct *mm);
	void (*free_notifier)(struct mmu_notifier *notifier);
};

struct mmu_notifier *mmu_notifier_get(const struct mmu_notifier_ops *ops,
				      struct mm_struct *mm);
void mmu_notifier_put(struct mmu_notifier *notifier);
#define mmu_notifier_synchronize() do { } while (0)

#endif
