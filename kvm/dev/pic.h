/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The PC's pair of 8259A interrupt controllers with their ELCR (Intel 8259A
 * data sheet; 82371AB (PIIX4) data sheet for the ELCR).
 *
 * Pins are counted 0 to 15, master first; the slave's output drives master
 * pin 2. The state of a chip is struct kvm_pic_state, as KVM_GET_IRQCHIP
 * shows it: last_irr holds the level of each input, irr what is requested
 * (for level-triggered pins the same), priority_add the pin of the highest
 * priority, init_state the ICW expected next (0 none, 1 to 3 for ICW2 to
 * ICW4), read_reg_select 1 for the ISR.
 *
 * No lock and no clock: the owner (irq/chip.c) serializes all calls, except
 * that pic_output() may be read by anybody. After a call that may end the
 * service of a pin the owner collects pic_take_acked(), drops its lock and
 * tells those who asked.
 *
 * Not modelled: 8080 mode, single mode (the pair is always cascaded), buffered
 * mode, slaves other than on pin 2, the LTIM bit (the ELCR rules).
 */
#ifndef DEV_PIC_H
#define DEV_PIC_H

#include "base/host.h"
#include "dev/line.h"

static_assert(sizeof(struct kvm_pic_state) == 16);

#define PIC_PINS 16

struct pic {
	struct kvm_pic_state chip[2];
	u16 acked;	/* pins whose service ended, not yet collected */
	bool output;	/* INTR of the master */
};

/** pic_init() - power-on state: all masks open, edge-triggered, nothing asked */
void pic_init(struct pic *pic);

/**
 * pic_set_irq() - a change of an input
 * @pin: 0 to 15; pin 2 belongs to the cascade and is ignored
 * @level: the new level
 *
 * Return: LINE_IGNORED when the pin is masked (an edge is latched all the
 * same), LINE_COALESCED when it was requested already, else LINE_DONE.
 */
int pic_set_irq(struct pic *pic, unsigned int pin, bool level);

/** pic_output() - does the pair ask for an ExtINT; lock-free */
static inline bool pic_output(const struct pic *pic)
{
	return READ_ONCE(pic->output);
}

/**
 * pic_read_irq() - the processor's interrupt acknowledge cycle
 *
 * Return: the vector. With no request that is the spurious one, IRQ 7 of the
 * chip that was asked, which is not put in service.
 */
u8 pic_read_irq(struct pic *pic);

/** pic_take_acked() - pins whose service ended since the last call, a mask */
u16 pic_take_acked(struct pic *pic);

/**
 * pic_port_write() - a byte to one of the ports 20h, 21h, a0h, a1h, 4d0h, 4d1h
 *
 * Return: is it a port of the pair.
 */
bool pic_port_write(struct pic *pic, u16 port, u8 val);

/** pic_port_read() - a byte from one of the ports; see pic_port_write() */
bool pic_port_read(struct pic *pic, u16 port, u8 *val);

/**
 * pic_set_state() - take over what the VMM supplies for one chip
 * @n: 0 master, 1 slave
 *
 * Any bytes will do: what no chip could hold is masked off.
 */
void pic_set_state(struct pic *pic, unsigned int n,
		   const struct kvm_pic_state *state);

#endif
