/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The published GSI routing of a VM.
 *
 * Readers are vCPUs, ioctls, timers and eventfd wake-ups, each for a moment
 * within rcu_read_lock(); a replaced table goes by kfree_rcu(). When
 * route_set() returns, what arrives through an irqfd takes the new way.
 * Lock: vm->irq_lock (row 7), taken inside.
 */
#ifndef IRQ_ROUTE_H
#define IRQ_ROUTE_H

#include "base/host.h"
#include "irq/route_table.h"

struct vm;

/**
 * route_set() - KVM_SET_GSI_ROUTING: replace the whole table
 * @entry: copied in; the ioctl's own flags, which must be 0, are the caller's
 * @nr: number of entries
 *
 * Ioctl context. -EINVAL without in-kernel LAPICs or for what
 * route_table_build() refuses, -ENOMEM.
 */
int route_set(struct vm *vm, const struct kvm_irq_routing_entry *entry,
	      unsigned int nr);

/** route_set_default() - for irq/chip.c; -ENOMEM */
int route_set_default(struct vm *vm);

/** route_pins() - route_table_pins() of the published table; any context */
struct irq_pins route_pins(struct vm *vm, u32 gsi);

/** route_free() - the VM is going away, no reader is left */
void route_free(struct vm *vm);

#endif
