/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who still reads the old version: the answer without a grace period.
 *
 * Memslots and device buses are immutable tables; a change publishes a new
 * table and must then know when nobody uses the old one. Every reader of
 * these tables is a vCPU's thread, and each vCPU has one epoch_reader: an odd
 * sequence number says "inside". A writer publishes, then looks at each
 * reader once: outside, or inside since after the publication, is fine; only
 * a reader that was inside already is waited for, until its number moves.
 * A vCPU in guest mode is outside. So with no vCPU in the kernel, or no vCPU
 * at all, nothing waits; and nothing ever waits for another VM.
 *
 * Other readers do not use this: VM ioctls hold mem->slots_lock, the
 * mmu_notifier holds the MMU lock, which the publication of slots also takes.
 *
 * Invariants: enter/exit nest by count in the reader's own thread. A reader
 * inside takes none of vm->lock, vcpu->mutex, slots_lock, irq_lock (locks.h).
 * The list of readers is protected by epoch->writer: there may be thousands, and
 * nobody is to keep a CPU while it looks at them.
 */
#ifndef MEM_EPOCH_H
#define MEM_EPOCH_H

#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/wait.h>

struct epoch {
	struct mutex writer;		/* one epoch_wait() at a time */
	struct list_head readers;	/* [writer] */
	int waiters;			/* [writer] somebody sleeps in wait */
	wait_queue_head_t wait;
};

struct epoch_reader {
	unsigned long seq;		/* odd: inside; written by the owner */
	unsigned int depth;		/* owner only */
	unsigned long mark;		/* [epoch->writer] */
	struct list_head link;		/* [epoch->writer] */
};

/** epoch_init() - an epoch with no readers */
void epoch_init(struct epoch *epoch);

/** epoch_add_reader() - make @reader known; may sleep, as long as epoch_wait() */
void epoch_add_reader(struct epoch *epoch, struct epoch_reader *reader);

/** epoch_remove_reader() - forget @reader, which must be outside; may sleep */
void epoch_remove_reader(struct epoch *epoch, struct epoch_reader *reader);

/* Slow half of epoch_exit(): wake the writers that may wait for us. */
void epoch_wake(struct epoch *epoch);

/**
 * epoch_begin() - epoch_enter(), for one who is outside for certain
 */
static inline void epoch_begin(struct epoch_reader *reader)
{
	reader->depth = 1;
	WRITE_ONCE(reader->seq, reader->seq + 1);
	/* Pairs with epoch_wait(): our "inside" before our table loads. */
	smp_mb();
}

/** epoch_end() - end of epoch_begin() */
static inline void epoch_end(struct epoch *epoch, struct epoch_reader *reader)
{
	reader->depth = 0;
	smp_store_release(&reader->seq, reader->seq + 1);
	/*
	 * A writer that misses this store has raised `waiters` before it
	 * looked; a wake-up missed here is caught by its bounded sleep.
	 */
	if (unlikely(READ_ONCE(epoch->waiters)))
		epoch_wake(epoch);
}

/**
 * epoch_enter() - from here on pointers loaded from published tables stay
 * valid until the matching epoch_exit()
 *
 * Owner thread of @reader only. May be called with interrupts off.
 */
static inline void epoch_enter(struct epoch_reader *reader)
{
	if (reader->depth)
		reader->depth++;
	else
		epoch_begin(reader);
}

/** epoch_exit() - end of epoch_enter() */
static inline void epoch_exit(struct epoch *epoch, struct epoch_reader *reader)
{
	if (reader->depth > 1)
		reader->depth--;
	else
		epoch_end(epoch, reader);
}

/**
 * epoch_wait() - wait until no reader can hold what was unpublished before
 *
 * May sleep, but only while a known reader is inside that was inside at the
 * call. The caller is not inside itself, and holds no lock a reader may take.
 */
void epoch_wait(struct epoch *epoch);

#endif
