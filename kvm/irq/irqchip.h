/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The in-kernel chips of a VM as one object: for the files of irq/ only.
 *
 * Field letters as in core/locks.h: [11] is irqchip->lock.
 */
#ifndef IRQ_IRQCHIP_H
#define IRQ_IRQCHIP_H

#include <linux/hrtimer.h>
#include <linux/spinlock.h>

#include "dev/bus.h"
#include "dev/ioapic.h"
#include "dev/pic.h"
#include "dev/pit.h"
#include "irq/chip.h"
#include "irq/route_table.h"

struct vm;

/* dev_env of one chip: its timer is an hrtimer. */
struct chip_timer {
	struct dev_env env;
	struct hrtimer hr;
};

struct irqchip {
	struct vm *vm;			/* [I] */
	spinlock_t lock;		/* row 11, irqs off */

	struct pic pic;			/* [11]; pic_output() by anybody */
	bool pic_was_asking;		/* [11] pic_output() at the last look */
	struct ioapic ioapic;		/* [11] */
	struct pit pit;			/* [11] */
	bool has_pit;			/* [11] written once, with vm->lock */

	/* Who holds which input high: a bit per enum chip_source. */
	u8 pic_sources[PIC_PINS];	/* [11] */
	u8 ioapic_sources[IOAPIC_PINS];	/* [11] */

	/*
	 * IOAPIC pins whose end of interrupt somebody waits for, and the
	 * vectors they have now, as the LAPICs' eoi_watch has them.
	 */
	u32 watch_pins;			/* [11] */
	DECLARE_BITMAP(watch, 256);	/* [11] */
	int watch_vcpus;		/* [11] vCPUs that know of it */

	struct chip_timer ioapic_timer;	/* [11] */
	struct chip_timer pit_timer;	/* [11] */
	struct bus_dev pic_dev, ioapic_dev, pit_dev; /* [I] */

	/* Resampling irqfds: vm->resamplers, and their irqfds' links. */
	spinlock_t resample_lock;
};

/* ---- chip.c, for chip_pit.c ---- */

/** chip_line_locked() - chip_set_irq() for GSIs that lead to pins or MSIs */
int chip_line_locked(struct irqchip *chip, enum chip_source src, u32 gsi,
		     bool level);

/** chip_timer_init() - an hrtimer behind a struct dev_env */
void chip_timer_init(struct chip_timer *timer,
		     enum hrtimer_restart (*fired)(struct hrtimer *));

/* ---- chip_pit.c, for chip.c ---- */

/** chip_pit_acked() - interrupts of @pins ended; no lock held */
void chip_pit_acked(struct irqchip *chip, struct irq_pins pins);

/* The GSI of IRQ 0: the PIT drives it as the ISA bus would. */
#define CHIP_PIT_GSI 0

#endif
