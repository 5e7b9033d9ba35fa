/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eventfds that raise interrupts: KVM_IRQFD.
 *
 * The eventfd's wake-up, with interrupts off and the eventfd's lock held,
 * drives the GSI at once: chip_set_irq() is legal there, and leaves to others
 * what would take long. A plain irqfd makes
 * an edge. A resampling one raises its GSI, which falls when the guest ends
 * the interrupt; then its resamplefd is signalled, and who still wants the
 * interrupt signals again.
 *
 * When irqfd_ioctl() has deassigned an eventfd, no interrupt comes from it
 * any more, as it left the wait queue under the eventfd's lock; nothing is
 * waited for. One whose last fd is closed leaves the wait queue by itself and
 * is freed by the next call here, or with the VM.
 */
#ifndef IRQ_IRQFD_H
#define IRQ_IRQFD_H

#include "base/host.h"
#include "irq/route_table.h"

struct vm;

static_assert(sizeof(struct kvm_irqfd) == 32);

/**
 * irqfd_ioctl() - KVM_IRQFD: assign or deassign
 *
 * Ioctl context, no lock held. -EINVAL: unknown flags, no in-kernel LAPICs,
 * resampling without in-kernel chips, not an eventfd; -EBADF; -EBUSY when the
 * eventfd is assigned already; -ENOMEM. Deassigning what is not assigned is
 * no error.
 */
int irqfd_ioctl(struct vm *vm, const struct kvm_irqfd *in);

/**
 * irqfd_settle() - wait (spinning) for wake-ups under way; vm->irq_lock held
 *
 * What was published before is seen by all that come after, and by devices
 * whose interrupts hardware posts.
 */
void irqfd_settle(struct vm *vm);

/** irqfd_watched() - pins whose end resamplers wait for; irq_lock held */
struct irq_pins irqfd_watched(struct vm *vm);

/**
 * irqfd_acked() - the guest ended interrupts of @pins: lower the lines of
 * resamplers and signal them
 *
 * A thread, preemptible, irq_later.lock held.
 */
void irqfd_acked(struct vm *vm, struct irq_pins pins);

/** irqfd_free_all() - deassign all; the VM is going away; may be repeated */
void irqfd_free_all(struct vm *vm);

#endif
