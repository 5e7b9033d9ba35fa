// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for the readers of published tables: see epoch.h for the design.
 *
 * The writer marks each reader with its present number, and waits until no
 * reader is inside with its marked number. Readers that enter later have moved
 * on, so a busy vCPU cannot keep the writer waiting.
 */
#include <linux/sched.h>

#include "mem/epoch.h"

/* A wake-up may be missed without a barrier on the reader's side. */
#define EPOCH_POLL_JIFFIES 1

void epoch_init(struct epoch *epoch)
{
	mutex_init(&epoch->writer);
	INIT_LIST_HEAD(&epoch->readers);
	init_waitqueue_head(&epoch->wait);
	epoch->waiters = 0;
}

void epoch_add_reader(struct epoch *epoch, struct epoch_reader *reader)
{
	reader->seq = 0;
	reader->mark = 0;
	reader->depth = 0;
	mutex_lock(&epoch->writer);
	list_add(&reader->link, &epoch->readers);
	mutex_unlock(&epoch->writer);
}

void epoch_remove_reader(struct epoch *epoch, struct epoch_reader *reader)
{
	mutex_lock(&epoch->writer);
	list_del(&reader->link);
	mutex_unlock(&epoch->writer);
}

void epoch_wake(struct epoch *epoch)
{
	wake_up_all(&epoch->wait);
}

/* Has each marked reader left the section it was marked in? */
static bool epoch_passed(struct epoch *epoch)
{
	struct epoch_reader *reader;

	list_for_each_entry(reader, &epoch->readers, link)
		if ((reader->mark & 1) &&
		    smp_load_acquire(&reader->seq) == reader->mark)
			return false;
	return true;
}

void epoch_wait(struct epoch *epoch)
{
	struct epoch_reader *reader;

	mutex_lock(&epoch->writer);
	WRITE_ONCE(epoch->waiters, 1);
	/* Pairs with epoch_enter(): the publication before the look. */
	smp_mb();
	list_for_each_entry(reader, &epoch->readers, link)
		reader->mark = READ_ONCE(reader->seq);

	while (!wait_event_timeout(epoch->wait, epoch_passed(epoch),
				   EPOCH_POLL_JIFFIES))
		;
	WRITE_ONCE(epoch->waiters, 0);
	mutex_unlock(&epoch->writer);
}
