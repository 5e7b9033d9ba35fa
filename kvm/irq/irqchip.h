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
	 * Pins whose end of interrupt somebody waits for: resampling irqfds, the
	 * PIT. The vectors that those of the IOAPIC have are the LAPICs'
	 * eoi_watch. Written with [11], read by anybody.
	 */
	struct irq_pins resampled, pit_pins;
	bool pit_pulses;		/* [11] what is delivered is the PIT's */

	struct chip_timer ioapic_timer;	/* [11] */
	struct chip_timer pit_timer;	/* [11] */
	struct bus_dev pic_dev, ioapic_dev, pit_dev; /* [I] */
};

/* ---- chip.c, for the others ---- */

/**
 * chip_line() - chip_set_irq(), but it may answer LINE_LATER, and leaves it to
 * the caller to call irq_later_settle()
 */
int chip_line(struct vm *vm, enum chip_source src, u32 gsi, bool level);

/** chip_line_locked() - chip_line() with the chip lock held */
int chip_line_locked(struct irqchip *chip, enum chip_source src, u32 gsi,
		     bool level);

/**
 * chip_deliver_gsi() - an edge of a GSI that led to an MSI, whoever it is for
 *
 * Thread context, may sleep. As chip_line().
 */
int chip_deliver_gsi(struct vm *vm, u32 gsi);

/** chip_pins_ended() - deliver again those of IOAPIC pins @pins that are high,
 * after the end of their interrupts; no lock held
 */
void chip_pins_ended(struct irqchip *chip, u32 pins);

/** chip_timer_init() - an hrtimer behind a struct dev_env */
void chip_timer_init(struct chip_timer *timer,
		     enum hrtimer_restart (*fired)(struct hrtimer *));

/* ---- chip_pit.c, for the others ---- */

/** chip_pit_acked() - interrupts of @pins ended; no lock held */
void chip_pit_acked(struct irqchip *chip, struct irq_pins pins);

/** chip_pit_pulsed() - what became of a pulse after LINE_LATER; no lock held */
void chip_pit_pulsed(struct irqchip *chip, int status);

/* The GSI of IRQ 0: the PIT drives it as the ISA bus would. */
#define CHIP_PIT_GSI 0

#endif
