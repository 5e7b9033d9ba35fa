/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock order, outermost first. locks_prime() shows it to lockdep at
 * module load, so that the first inversion is reported whenever it happens.
 *
 *  1 register_lock    mutex, global  the one backend
 *  2 cpus_read_lock   host           taken inside by CPU hotplug
 *  4 vm->lock         mutex          creation: vCPUs, chips, one-time config
 *  5 vcpu->mutex      mutex          one vCPU's ioctls and run loop
 *  6 mem->slots_lock  mutex          memslot and bus updates
 *  7 vm->irq_lock     mutex          routing updates, irqfd list
 *  8 epoch            reader section memslots, buses (mem/epoch.h);
 *                                    may fault on user memory inside;
 *                                    none of 4 to 7 inside
 *  8a irq_later.lock  mutex          work for many vCPUs or irqfds
 *                                    (irq/later.h); taken by vCPUs inside
 *                                    their epoch, its holder waits for none
 *  9 mmap_lock        host           GUP; notifier callbacks come with it
 * 10 mmu->lock        rwlock         second-level tables
 * 11 chip lock        spin, irqs off PIC, IOAPIC and PIT of a VM
 * 12 lapic            lock-free      delivery is legal from any context
 * 13 eventfd wqh      host, irqs off irqfd wake-up: takes 11, then 12
 *
 * 13 is outermost of the last three: a wake-up holds it and takes the chip
 * lock inside; nobody signals an eventfd under the chip lock.
 *
 * Field letters in shared structs: [I] immutable once visible, [v] the vCPU's
 * thread under vcpu->mutex, [a] atomic, [4] [6] [7] [8a] [10] [11] by the lock's
 * number here; [R] read under RCU, written under the lock that follows.
 */
#ifndef CORE_LOCKS_H
#define CORE_LOCKS_H

/** locks_prime() - teach lockdep the order above; module init */
void locks_prime(void);

struct vcpu;
struct vm;

/* The only places where these locks get their lockdep classes. */
void vm_locks_init(struct vm *vm);
void vcpu_locks_init(struct vcpu *vcpu);

#endif
