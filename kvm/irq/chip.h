/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The in-kernel interrupt chips of a VM: PIC, IOAPIC and PIT behind one lock,
 * and the lines that lead to them.
 *
 * The chip lock (row 11) is a spinlock taken with interrupts off, so that
 * vCPUs, ioctls, hrtimers and eventfd wake-ups may all set lines. Inside it
 * messages go to LAPICs (lock-free) and vCPUs are kicked; never is an eventfd
 * signalled. When the guest ends an interrupt, the lock is dropped before
 * those who asked are told (resampling irqfds, the PIT).
 *
 * vm->irqchip is set once, before the first vCPU, and goes with the VM.
 */
#ifndef IRQ_CHIP_H
#define IRQ_CHIP_H

#include "base/host.h"
#include "dev/ioapic.h"
#include "dev/line.h"

struct vcpu;
struct vm;

/* Who drives a line: a pin is high while any of them holds it high. */
enum chip_source {
	CHIP_SOURCE_USER,		/* KVM_IRQ_LINE */
	CHIP_SOURCE_IRQFD,
	CHIP_SOURCE_RESAMPLE,	/* irqfds with KVM_IRQFD_FLAG_RESAMPLE */
	CHIP_SOURCE_PIT,
};

static_assert(sizeof(struct kvm_irqchip) == 520);

/* Accesses that may be long with VM_SLOW_CHIPS: to PIC and IOAPIC */
static inline bool chip_is_port(u16 port)
{
	return (port & 0xff7e) == 0x20 || (port & ~1) == 0x4d0;
}

static inline bool chip_is_page(u64 gpa)
{
	return (gpa & PAGE_MASK) == IOAPIC_BASE;
}

/**
 * chip_create() - KVM_CREATE_IRQCHIP: PIC, IOAPIC, default routing, LAPICs
 *
 * vm->lock held; may sleep. -EEXIST if there are chips, -EINVAL if there are
 * vCPUs, -ENOMEM, or what registering the devices says.
 */
int chip_create(struct vm *vm);

/**
 * chip_create_split() - KVM_CAP_SPLIT_IRQCHIP: LAPICs here, the rest in the
 * VMM, whose IOAPICs have @pins pins (at most ROUTE_MAX_GSI)
 *
 * As chip_create(); -EINVAL for too many pins.
 */
int chip_create_split(struct vm *vm, u64 pins);

/**
 * chip_create_pit() - KVM_CREATE_PIT2
 * @config: flags KVM_PIT_SPEAKER_DUMMY: port 61h, too
 *
 * vm->lock held; may sleep. -ENOENT without chip_create(), -EEXIST for a
 * second one, -EINVAL for other flags, -ENOMEM, or what registering says.
 */
int chip_create_pit(struct vm *vm, const struct kvm_pit_config *config);

/** chip_free() - the VM is going away: no vCPU runs, no irqfd is left */
void chip_free(struct vm *vm);

/**
 * chip_set_irq() - drive GSI @gsi
 *
 * Any context, not under the chip lock. @gsi may be any number. Return: see
 * dev/line.h, summed over all the places the GSI leads to.
 */
int chip_set_irq(struct vm *vm, enum chip_source src, u32 gsi, bool level);

/**
 * chip_extint_pending() - does the PIC ask for @vcpu, which would take it
 *
 * Lock-free; the vCPU's thread, or whoever decides if it has work.
 */
bool chip_extint_pending(struct vcpu *vcpu);

/**
 * chip_extint_ack() - the interrupt acknowledge cycle: the vector, or -1 if
 * the request was withdrawn or taken by another vCPU
 *
 * The vCPU's thread; interrupts may be off.
 */
int chip_extint_ack(struct vcpu *vcpu);

/**
 * chip_eoi() - @vcpu's LAPIC ended @vector, which came as @level
 *
 * The vCPU's thread, no lock held; interrupts may be off.
 */
void chip_eoi(struct vcpu *vcpu, u8 vector, bool level);

/**
 * chip_get() - KVM_GET_IRQCHIP; @state->chip_id says which
 * chip_set() - KVM_SET_IRQCHIP
 *
 * Ioctl context. -ENXIO without chips, -EINVAL for another chip_id.
 */
int chip_get(struct vm *vm, struct kvm_irqchip *state);
int chip_set(struct vm *vm, const struct kvm_irqchip *state);

/**
 * chip_get_pit() - KVM_GET_PIT2 (KVM_GET_PIT is its channels)
 * chip_set_pit() - KVM_SET_PIT2
 * chip_reinject() - KVM_REINJECT_CONTROL
 *
 * Ioctl context. -ENXIO without a PIT.
 */
int chip_get_pit(struct vm *vm, struct kvm_pit_state2 *state);
int chip_set_pit(struct vm *vm, const struct kvm_pit_state2 *state);
int chip_reinject(struct vm *vm, bool on);

/**
 * chip_update_watch() - for irq/: which GSIs lead where, or whose end of
 * interrupt is of interest, has changed; vm->irq_lock held
 */
void chip_update_watch(struct vm *vm);

#endif
