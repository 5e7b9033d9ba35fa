/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The record of what an instruction under emulation did to devices.
 *
 * The instruction is executed again each time the VMM has answered for one of
 * its accesses (emu/emu.h). The accesses come in the same order; those that
 * are done are in the record and are not made once more: a read gives what it
 * gave, a write is over. The last one may be waiting for the VMM.
 *
 * An access that is not the recorded one in its place voids what follows: the
 * guest, or the VMM, has changed what the instruction does.
 *
 * Pure. Owner: the vCPU's thread.
 */
#ifndef CORE_RECORD_H
#define CORE_RECORD_H

#include "base/host.h"

/* An ENTER with nine frames or more wants more: that is not emulated. */
#define RECORD_MAX 16

enum record_kind {
	RECORD_READ,
	RECORD_WRITE,
	RECORD_IN,
	RECORD_OUT,
};

/* Which access: the same four come to the same. */
struct record_key {
	u64 addr;		/* guest-physical, or a port */
	u8 kind;		/* enum record_kind */
	u8 size;		/* bytes of an item */
	u16 count;		/* items; 1 but for ports */
};

struct record_entry {
	struct record_key key;
	/* Of ports with more bytes than this: in the page behind kvm_run. */
	u8 data[8];
};

struct record {
	u8 used;		/* entries */
	u8 next;		/* of them replayed in this execution */
	bool waiting;		/* the last one waits for the VMM */
	bool answered;		/* the VMM had part in one of them */
	struct record_entry entry[RECORD_MAX];
};

static_assert(RECORD_MAX <= U8_MAX);

static inline unsigned int record_bytes(const struct record_key *key)
{
	return key->size * key->count;
}

/** record_reset() - forget all: the instruction, or an iteration, is over */
static inline void record_reset(struct record *r)
{
	r->used = 0;
	r->next = 0;
	r->waiting = false;
	r->answered = false;
}

/** record_replay() - the next access, if it is @key and done; or NULL */
struct record_entry *record_replay(struct record *r,
				   const struct record_key *key);

/**
 * record_begin() - note the access @key, which record_replay() did not have
 *
 * It counts as done, unless record_wait() follows. NULL: the record is full.
 */
struct record_entry *record_begin(struct record *r,
				  const struct record_key *key);

/** record_wait() - the access just begun is the VMM's to do */
static inline void record_wait(struct record *r)
{
	r->waiting = true;
}

/**
 * record_answer() - the VMM has done what waits, and all starts over
 *
 * The entry, whose data the caller fills in; NULL: none was waiting.
 */
struct record_entry *record_answer(struct record *r);

#endif
