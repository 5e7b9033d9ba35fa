/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Objects of kmalloc() to be freed: many at once cost less than one by one.
 *
 * On the stack of one thread; starts as zeroes. Callers: who takes a VM apart.
 */
#ifndef MEM_BATCH_H
#define MEM_BATCH_H

#include <linux/slab.h>

struct free_batch {
	unsigned int count;
	void *object[32];
};

/** free_batch_end() - free what is left; the batch may be used again */
static inline void free_batch_end(struct free_batch *batch)
{
	if (batch->count)
		kfree_bulk(batch->count, batch->object);
	batch->count = 0;
}

/** free_batch_add() - free @object now or with some that follow */
static inline void free_batch_add(struct free_batch *batch, void *object)
{
	batch->object[batch->count++] = object;
	if (batch->count == ARRAY_SIZE(batch->object))
		free_batch_end(batch);
}

#endif
