/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Eventfds that guest writes signal: KVM_IOEVENTFD.
 *
 * Each is an exact range on a device bus (dev/bus.h): an address, a length or
 * any, perhaps a value. Reads and writes that do not match go on to the next
 * device or to the VMM. Removed means that no vCPU signals it any more, as
 * vm_bus_remove() promises. Lock: mem.slots_lock, taken inside.
 */
#ifndef IRQ_IOEVENTFD_H
#define IRQ_IOEVENTFD_H

#include "base/host.h"

struct vm;

static_assert(sizeof(struct kvm_ioeventfd) == 64);

/**
 * ioeventfd_ioctl() - KVM_IOEVENTFD: assign or deassign
 *
 * Ioctl context, no lock held. -EINVAL: unknown flags, a length that is not
 * 0, 1, 2, 4 or 8, datamatch with length 0, a range that wraps, not an
 * eventfd; -EBADF; -EEXIST when one is there that would match the same
 * writes; -ENOENT for deassigning what was not assigned just so; -ENOSPC,
 * -ENOMEM.
 */
int ioeventfd_ioctl(struct vm *vm, const struct kvm_ioeventfd *in);

/** ioeventfd_free_all() - the VM is going away, no vCPU uses the buses */
void ioeventfd_free_all(struct vm *vm);

#endif
