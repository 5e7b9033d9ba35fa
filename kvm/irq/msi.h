/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Interrupt messages: MSIs as devices write them, and their way to the local
 * APICs of a VM.
 *
 * msi.c (decoding, SDM vol. 3, 11.11) is pure; deliver.c takes a message to
 * the LAPICs without a lock, from any context, interrupts off and hardirq
 * included: vCPUs never leave a VM that lives, and LAPICs take interrupts by
 * atomics. Only what is for many takes a thread (irq/later.h). Callers: IPIs,
 * the IOAPIC, MSI routes, KVM_SIGNAL_MSI.
 */
#ifndef IRQ_MSI_H
#define IRQ_MSI_H

#include "base/host.h"
#include "dev/env.h"
#include "dev/line.h"

struct lapic;
struct vm;

/* A message as in a routing entry or KVM_SIGNAL_MSI */
struct msi {
	u32 address_lo, address_hi, data;
};

/**
 * msi_valid() - may the VMM ask for this message
 * @ids32: KVM_X2APIC_API_USE_32BIT_IDS: address_hi carries destination bits
 * 31 to 8, and its low byte must be zero; without it address_hi is not looked
 * at
 */
static inline bool msi_valid(const struct msi *msi, bool ids32)
{
	return !ids32 || !(msi->address_hi & 0xff);
}

/** msi_decode() - the message to the local APICs; @ids32 as in msi_valid() */
struct apic_msg msi_decode(const struct msi *msi, bool ids32);

/**
 * irq_is_long() - is @msg for so many that only a thread may deliver it: not for
 * one LAPIC, in a VM of more than VM_WALK_MAX vCPUs
 * @src: the LAPIC whose ICR sent it, NULL for the IOAPIC and MSIs
 */
bool irq_is_long(const struct vm *vm, const struct lapic *src,
		 const struct apic_msg *msg);

/**
 * irq_deliver_now() - take a message to every local APIC that it is meant for,
 * or to one of them if it is lowest priority; not irq_is_long()
 *
 * Any context. Return: as dev/line.h says; LINE_IGNORED when nobody matched
 * or those who did are disabled.
 */
int irq_deliver_now(struct vm *vm, const struct lapic *src,
		    const struct apic_msg *msg);

/** irq_deliver() - the same for any message; a thread, preemptible, unless it
 * is not irq_is_long()
 */
int irq_deliver(struct vm *vm, const struct lapic *src,
		const struct apic_msg *msg);

/**
 * msi_signal() - KVM_SIGNAL_MSI
 *
 * Returns the number of LAPICs that took it, 0 if none did, -EINVAL for flags
 * other than KVM_MSI_VALID_DEVID, which is ignored, an invalid address or a VM
 * without in-kernel LAPICs.
 */
int msi_signal(struct vm *vm, const struct kvm_msi *in);

#endif
