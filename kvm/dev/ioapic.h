/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * I/O APIC after Intel 82093AA (version 11h: 24 pins, no EOI register; the
 * end of an interrupt arrives from the local APICs).
 *
 * Its state is struct kvm_ioapic_state, as KVM_GET_IRQCHIP shows it. There,
 * irr holds the level of the inputs, whatever their trigger mode: an edge is
 * a rise of its bit and is delivered at once or, while masked, never; a level
 * is delivered while its bit is set and remote IRR is clear. Polarity is kept
 * but not applied, as lines are logical: true is asserted.
 *
 * No lock: the owner (irq/chip.c) serializes all calls and may have
 * interrupts off. ops->deliver() is called from inside and must not call back.
 * An end of interrupt comes in two steps, so that the owner can drop its lock
 * between them and tell those who want to lower or raise the line again:
 * ioapic_eoi(), then ioapic_eoi_done(). So does what makes level-triggered pins
 * due: ioapic_write() and ioapic_set_state() name them, ioapic_serve() delivers.
 *
 * A line that is never lowered would let the guest do nothing but serve it:
 * after IOAPIC_STORM re-deliveries in a row straight out of the EOI the next
 * one waits IOAPIC_STORM_DELAY, by the timer of dev_env.
 */
#ifndef DEV_IOAPIC_H
#define DEV_IOAPIC_H

#include "base/host.h"
#include "dev/env.h"
#include "dev/line.h"

#define IOAPIC_PINS 24
#define IOAPIC_BASE 0xfec00000ULL
#define IOAPIC_SIZE 0x100		/* what of the page is decoded */
#define IOAPIC_STORM 10000
#define IOAPIC_STORM_DELAY 10000000ULL	/* ns */

static_assert(IOAPIC_PINS == KVM_IOAPIC_NUM_PINS);
static_assert(sizeof(struct kvm_ioapic_state) == 24 + 8 * IOAPIC_PINS);

/* Redirection table entries, 82093AA 3.2.4 */
#define IOAPIC_RTE_VECTOR GENMASK_ULL(7, 0)
#define IOAPIC_RTE_LOGICAL BIT_ULL(11)
#define IOAPIC_RTE_REMOTE_IRR BIT_ULL(14)
#define IOAPIC_RTE_LEVEL BIT_ULL(15)
#define IOAPIC_RTE_MASKED BIT_ULL(16)

struct ioapic;

struct ioapic_ops {
	/*
	 * The message of @pin: how many local APICs took it, or what else
	 * dev/line.h has. After LINE_LATER the owner calls ioapic_delivered().
	 */
	int (*deliver)(struct ioapic *io, unsigned int pin,
		       const struct apic_msg *msg);
};

struct ioapic {
	const struct ioapic_ops *ops;
	struct dev_env *env;
	struct kvm_ioapic_state st;
	u32 delayed;		/* pins that wait for the timer */
	u16 storm[IOAPIC_PINS];	/* re-deliveries in a row */
};

/** ioapic_init() - power-on state, all pins masked; @io->ops and env are set */
void ioapic_init(struct ioapic *io);

/**
 * ioapic_set_irq() - a change of an input
 * @pin: 0 to 23
 * @level: the new level
 *
 * Return: LINE_IGNORED if masked or nobody took it, LINE_COALESCED if it had
 * risen before and still waits, else what ops->deliver() says.
 */
int ioapic_set_irq(struct ioapic *io, unsigned int pin, bool level);

/**
 * ioapic_eoi() - a local APIC ended the service of a vector
 * @vector: the vector
 * @level: its trigger mode there (the TMR bit)
 *
 * Return: the pins that carry @vector, to be reported to those who asked and
 * then handed to ioapic_eoi_done().
 */
u32 ioapic_eoi(struct ioapic *io, u8 vector, bool level);

/** ioapic_eoi_done() - deliver again those of @pins that are still asserted */
void ioapic_eoi_done(struct ioapic *io, u32 pins);

/** ioapic_serve() - deliver those of @pins that are due */
void ioapic_serve(struct ioapic *io, u32 pins);

/** ioapic_delivered() - what became of a message after LINE_LATER; @took as
 * ops->deliver() would have said
 */
void ioapic_delivered(struct ioapic *io, unsigned int pin, int took);

/** ioapic_timer_fired() - the timer armed through dev_env has come */
void ioapic_timer_fired(struct ioapic *io);

/** ioapic_level_pins() - the pins programmed as level-triggered, a mask */
u32 ioapic_level_pins(const struct ioapic *io);

/**
 * ioapic_vectors() - the vectors that some pins are programmed with
 * @pins: which pins; masked ones count, too
 * @map: 256 bits, overwritten
 */
void ioapic_vectors(const struct ioapic *io, u32 pins, unsigned long *map);

/**
 * ioapic_write() - a write to the chip's page
 * @offset: from its base, below IOAPIC_SIZE
 * @val: the data, zero-extended; only the low 32 bits count
 *
 * Return: the pin, as a mask, that is due because of it: unmasked, say. It is
 * for ioapic_serve(), when those who hold its line high were asked whether they
 * still do.
 */
u32 ioapic_write(struct ioapic *io, unsigned int offset, u32 val);

/** ioapic_read() - a read of 32 bits at @offset of the chip's page */
u32 ioapic_read(const struct ioapic *io, unsigned int offset);

/**
 * ioapic_set_state() - take over what the VMM supplies
 *
 * Any content will do: what no chip could hold is masked off. Return: the pins
 * that are due, for ioapic_serve().
 */
u32 ioapic_set_state(struct ioapic *io, const struct kvm_ioapic_state *state);

#endif
