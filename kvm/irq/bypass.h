/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupts of assigned devices that reach a vCPU without the host: an irqfd
 * (the consumer) and a device's interrupt (the producer, VFIO's) that share
 * one eventfd find each other through the kernel's irqbypass, and remapping
 * hardware that can post is told which vCPU and vector.
 *
 * Used only where the backend says that hardware can (BACKEND_POSTS_DEVICES).
 * The host's own way, by eventfd, stays in place for what cannot be posted:
 * several destinations, other delivery modes, pins.
 *
 * Lock: bypass->lock, inside vm->irq_lock and irqbypass's own; it keeps the
 * producer, and that what hardware was told is of the latest route.
 */
#ifndef IRQ_BYPASS_H
#define IRQ_BYPASS_H

#include <linux/irqbypass.h>
#include <linux/mutex.h>

#include "base/host.h"

struct eventfd_ctx;
struct vm;

struct bypass {
	struct irq_bypass_consumer consumer;
	struct vm *vm;				/* [I] */
	u32 gsi;				/* [I] */
	struct mutex lock;
	struct irq_bypass_producer *producer;	/* [lock] NULL: none */
};

/**
 * bypass_start() - look for a producer with @eventfd, now and from now on
 *
 * Ioctl context, vm->irq_lock not held. That there is none, or no hardware
 * for it, is no error: interrupts then come by the eventfd.
 */
void bypass_start(struct bypass *b, struct vm *vm, u32 gsi,
		  struct eventfd_ctx *eventfd);

/** bypass_update() - the routes changed; vm->irq_lock held */
void bypass_update(struct bypass *b);

/** bypass_stop() - undo bypass_start(), if it was called */
void bypass_stop(struct bypass *b);

#endif
