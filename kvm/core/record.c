// SPDX-License-Identifier: GPL-2.0-only
/*
 * The record of an instruction's accesses to devices: see record.h.
 */
#include "core/record.h"

static bool same_access(const struct record_key *a, const struct record_key *b)
{
	return a->addr == b->addr && a->kind == b->kind &&
	       a->size == b->size && a->count == b->count;
}

struct record_entry *record_replay(struct record *r,
				   const struct record_key *key)
{
	struct record_entry *entry;

	if (r->next >= r->used)
		return NULL;
	entry = &r->entry[array_index_nospec(r->next, RECORD_MAX)];
	if (same_access(&entry->key, key)) {
		r->next++;
		return entry;
	}
	r->used = r->next;
	return NULL;
}

struct record_entry *record_begin(struct record *r,
				  const struct record_key *key)
{
	struct record_entry *entry;

	if (r->used >= RECORD_MAX)
		return NULL;
	entry = &r->entry[array_index_nospec(r->used, RECORD_MAX)];
	*entry = (struct record_entry){ .key = *key };
	r->used++;
	r->next = r->used;
	return entry;
}

struct record_entry *record_answer(struct record *r)
{
	r->next = 0;
	if (!r->waiting)
		return NULL;
	r->waiting = false;
	r->answered = true;
	return &r->entry[array_index_nospec(r->used - 1, RECORD_MAX)];
}
