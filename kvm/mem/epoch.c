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
	spin_lock_init(&epoch->lock);
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
	spin_lock(&epoch->lock);
	list_add(&reader->link, &epoch->readers);
	spin_unlock(&epoch->lock);
}

void epoch_remove_reader(struct epoch *epoch, struct epoch_reader *reader)
{
	spin_lock(&epoch->lock);
	list_del(&reader->link);
	spin_unlock(&epoch->lock);
}

void epoch_wake(struct epoch *epoch)
{
	wake_up_all(&epoch->wait);
}

/* Has each marked reader left the section it was marked in? */
static bool epoch_passed(struct epoch *epoch)
{
	struct epoch_reader *reader;
	bool passed = true;

	spin_lock(&epoch->lock);
	list_for_each_entry(reader, &epoch->readers, link) {
		if ((reader->mark & 1) &&
		    smp_load_acquire(&reader->seq) == reader->mark) {
			passed = false;
			break;
		}
	}
	spin_unlock(&epoch->lock);
	return passed;
}

void epoch_wait(struct epoch *epoch)
{
	struct epoch_reader *reader;

	mutex_lock(&epoch->writer);
	WRITE_ONCE(epoch->waiters, 1);
	/* Pairs with epoch_enter(): the publication before the look. */
	smp_mb();
	spin_lock(&epoch->lock);
	list_for_each_entry(reader, &epoch->readers, link)
		reader->mark = READ_ONCE(reader->seq);
	spin_unlock(&epoch->lock);

	while (!wait_event_timeout(epoch->wait, epoch_passed(epoch),
				   EPOCH_POLL_JIFFIES))
		;
	WRITE_ONCE(epoch->waiters, 0);
	mutex_unlock(&epoch->writer);
}
