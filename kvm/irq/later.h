/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt work that is too long for where it comes up.
 *
 * Timers, eventfd wake-ups and exits that are answered at once run with
 * interrupts off, and the chip lock turns them off. There, nothing may take
 * longer the more vCPUs or irqfds a VMM has made. What would is noted here, and
 * done preemptibly by a thread at the next irq_later_settle():
 *
 *   crowd   in a VM of more than VM_WALK_MAX vCPUs, what looks at each of them:
 *           a message that is not for one LAPIC, a new set of vectors whose end
 *           is of interest, the search for who takes what the PIC asks for
 *   acked   telling resampling irqfds that the guest ended their interrupt
 *
 * The thread is the one that made the note, if it can: a vCPU's, or that of an
 * ioctl. Behind a timer or a wake-up it is a worker of the kernel's. A worker's
 * time is charged to nobody, so it rests for longer than it works.
 *
 * A message that waits merges with the next one of the same source, as it would
 * in a LAPIC. Nothing is lost: who removes a source, or changes where it leads,
 * calls irq_later_finish().
 *
 * irq_later.lock (row 8a) is held for the work: whoever has held it once knows
 * that what had been noted before is done.
 */
#ifndef IRQ_LATER_H
#define IRQ_LATER_H

#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "base/host.h"
#include "irq/route_table.h"

struct apic_msg;
struct irq_crowd;
struct vm;

/* Bits of irq_later.todo, each set after what it is about was stored */
enum later {
	LATER_ACKED,		/* irq_later.acked */
	LATER_PINS,		/* messages of IOAPIC pins */
	LATER_GSIS,		/* edges of GSIs that lead to MSIs */
	LATER_WATCH,		/* hardware has to know whose end counts */
	LATER_EXTINT,		/* the PIC asks: who takes it? */
	LATER_COUNT,
};

struct irq_later {
	struct work_struct work;
	struct mutex lock;		/* row 8a */
	unsigned long todo;		/* [a] enum later bits */
	struct irq_pins acked;		/* [11] ended, but nobody told yet */
	struct irq_crowd *crowd;	/* [R4] only ever set */
};

/** irq_later_init() - nothing to do; VM creation */
void irq_later_init(struct irq_later *l);

/**
 * irq_later_crowd() - the next vCPU is one too many to look at each at once
 *
 * vm->lock held; may sleep. -ENOMEM.
 */
int irq_later_crowd(struct irq_later *l);

/** irq_later_stop() - there is no source of work any more; may sleep */
void irq_later_stop(struct irq_later *l);

/**
 * irq_later_note() - @what is to be done, and what it is about is stored
 *
 * Any context. irq_later_settle() follows, when no lock is held.
 */
void irq_later_note(struct irq_later *l, enum later what);

/** irq_later_gsi() - note an edge of @gsi, whose MSI is for many */
void irq_later_gsi(struct irq_later *l, u32 gsi);

/**
 * irq_later_pin() - note @msg of IOAPIC pin @pin, which is for many
 * @pit: the PIT waits for what becomes of it
 *
 * Chip lock held. False: the one before waits still, they merge.
 */
bool irq_later_pin(struct irq_later *l, unsigned int pin,
		   const struct apic_msg *msg, bool pit);

/**
 * irq_later_finish() - on return, what was noted before the call is done
 *
 * A thread, preemptible; may sleep. No lock from row 8a on is held.
 */
void irq_later_finish(struct irq_later *l);

/* irq_later_settle(), where there is something to do */
void irq_later_hand_over(struct irq_later *l);

/**
 * irq_later_settle() - do what was noted, or have it done soon
 *
 * Any context, but no lock from row 8a on is held but an eventfd's.
 */
static inline void irq_later_settle(struct irq_later *l)
{
	if (unlikely(READ_ONCE(l->todo)))
		irq_later_hand_over(l);
}

#endif
