/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the table engine needs of its host, over malloc: used by the unit test
 * and, with locks around it, by the concurrency test.
 */
#ifndef TESTS_TDP_WORLD_H
#define TESTS_TDP_WORLD_H

#include <stdio.h>

#include "mmu/tdp.h"

#define WORLD_RETIRED 4096

struct world {
	struct tdp_env env;
	long stock;		/* tables alloc() may still give; < 0: any */
	long tables;		/* that exist, apart from the root */
	int prepared;		/* prepare() without flush() yet */
	int flushes;
	u64 written[1024];	/* what written() was told, in order */
	unsigned int written_count;
	void (*meanwhile)(void);	/* once, in the next flush() or written() */
	unsigned int retired_count;
	void *retired[WORLD_RETIRED];
};

static inline void *world_table(void)
{
	void *table = aligned_alloc(PAGE_SIZE, PAGE_SIZE);

	assert(table);
	return memset(table, 0, PAGE_SIZE);
}

static inline struct world *world_of(struct tdp_env *env)
{
	return container_of(env, struct world, env);
}

static inline void *world_alloc(struct tdp_env *env)
{
	struct world *w = world_of(env);

	if (!w->stock)
		return NULL;
	w->stock--;
	w->tables++;
	return world_table();
}

static inline void world_give_back(struct tdp_env *env, void *table)
{
	for (int i = 0; i < 512; i++)
		assert(!((u64 *)table)[i]);
	world_of(env)->tables--;
	free(table);
}

/* Whoever still walks an unlinked table must find nothing to change. */
static inline void world_retire(struct tdp_env *env, void *table)
{
	struct world *w = world_of(env);

	for (int i = 0; i < 512; i++)
		assert(READ_ONCE(((u64 *)table)[i]) == PTE_UNLINKED);
	assert(w->retired_count < WORLD_RETIRED);
	w->retired[w->retired_count++] = table;
	w->tables--;
}

/* What others do in the middle of a call. */
static inline void world_meanwhile(struct world *w)
{
	void (*meanwhile)(void) = w->meanwhile;

	w->meanwhile = NULL;
	if (meanwhile)
		meanwhile();
}

static inline void world_prepare(struct tdp_env *env)
{
	world_of(env)->prepared++;
}

static inline void world_flush(struct tdp_env *env)
{
	assert(world_of(env)->prepared);
	world_meanwhile(world_of(env));
	world_of(env)->prepared--;
	world_of(env)->flushes++;
}

static inline void world_written(struct tdp_env *env, struct gfn gfn)
{
	struct world *w = world_of(env);

	assert(w->written_count < ARRAY_SIZE(w->written));
	w->written[w->written_count++] = gfn.v;
	world_meanwhile(w);
}

static inline void world_init(struct world *w)
{
	*w = (struct world){
		.env = {
			.alloc = world_alloc,
			.give_back = world_give_back,
			.retire = world_retire,
			.prepare = world_prepare,
			.flush = world_flush,
			.written = world_written,
		},
		.stock = -1,
	};
}

/* The end of a piece of work: what it retired may go. */
static inline void world_release(struct world *w)
{
	assert(!w->prepared);
	while (w->retired_count)
		free(w->retired[--w->retired_count]);
}

static inline void world_free_table(void *ctx, void *table)
{
	struct world *w = ctx;

	w->tables--;
	free(table);
}

#endif
