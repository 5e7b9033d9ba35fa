/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What mem/epoch.[ch] use of the kernel, on threads: lists, locks, and a wait
 * that looks again and again. The headers in linux/ lead here, or to
 * kernel_mm.h, which has what the rest of mem/ and mmu/ use.
 */
#ifndef TESTS_CONC_KERNEL_H
#define TESTS_CONC_KERNEL_H

#include <pthread.h>
#include <sched.h>

#include "base/host.h"

struct list_head {
	struct list_head *next, *prev;
};

#define INIT_LIST_HEAD(head) ((head)->next = (head)->prev = (head))

static inline void list_add(struct list_head *item, struct list_head *head)
{
	item->next = head->next;
	item->prev = head;
	head->next->prev = item;
	head->next = item;
}

static inline void list_del(struct list_head *item)
{
	item->next->prev = item->prev;
	item->prev->next = item->next;
}

#define LIST_HEAD_INIT(name) { &(name), &(name) }
#define list_entry(ptr, type, member) container_of(ptr, type, member)
#define list_first_entry_or_null(head, type, member)			\
	((head)->next == (head) ? NULL :				\
	 container_of((head)->next, type, member))

#define list_for_each_entry_safe(pos, n, head, member)			\
	for ((pos) = container_of((head)->next, __typeof__(*(pos)), member), \
	     (n) = container_of((pos)->member.next, __typeof__(*(pos)),	\
				member);				\
	     &(pos)->member != (head);					\
	     (pos) = (n), (n) = container_of((n)->member.next,		\
					     __typeof__(*(n)), member))

#define list_for_each_entry(pos, head, member)				\
	for ((pos) = container_of((head)->next, __typeof__(*(pos)), member); \
	     &(pos)->member != (head);					\
	     (pos) = container_of((pos)->member.next, __typeof__(*(pos)), \
				  member))

struct mutex {
	pthread_mutex_t m;
};

typedef struct mutex spinlock_t;

#define mutex_init(l)	pthread_mutex_init(&(l)->m, NULL)
#define mutex_lock(l)	pthread_mutex_lock(&(l)->m)
#define mutex_unlock(l)	pthread_mutex_unlock(&(l)->m)
#define spin_lock_init	mutex_init
#define spin_lock	mutex_lock
#define spin_unlock	mutex_unlock

typedef struct { int unused; } wait_queue_head_t;

#define init_waitqueue_head(wait) ((void)(wait))
#define wake_up_all(wait) ((void)(wait))
#define wait_event_timeout(wait, cond, jiffies) ({			\
	bool _passed = (cond);						\
	if (!_passed)							\
		sched_yield();						\
	_passed; })

#endif
