// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a message to the local APICs of a VM: see msi.h.
 *
 * No lock and no allocation: walks the vCPUs there are. A message for one
 * APIC id, the common case, is one look-up.
 */
#include <linux/errno.h>

#include "core/vcpu.h"
#include "core/vm.h"
#include "dev/lapic.h"
#include "irq/msi.h"

static int deliver_to(struct lapic *l, const struct apic_msg *msg)
{
	switch (lapic_deliver(l, msg)) {
	case LAPIC_DELIVERED:
		return 1;
	case LAPIC_COALESCED:
		return LINE_COALESCED;
	default:
		return LINE_IGNORED;
	}
}

static int deliver_unicast(struct vm *vm, const struct lapic *src,
			   const struct apic_msg *msg)
{
	struct vcpu *vcpu = vm_vcpu_by_id(vm, msg->dest);

	if (!vcpu || !lapic_match(vcpu->lapic, src, msg))
		return LINE_IGNORED;
	return deliver_to(vcpu->lapic, msg);
}

static int deliver_lowest(struct vm *vm, const struct lapic *src,
			  const struct apic_msg *msg)
{
	struct lapic *best = NULL;
	struct vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (lapic_match(vcpu->lapic, src, msg))
			best = lapic_arbitrate(best, vcpu->lapic);
	if (!best)
		return LINE_IGNORED;
	lapic_arbitrated(best);
	return deliver_to(best, msg);
}

int irq_deliver(struct vm *vm, struct lapic *src, const struct apic_msg *msg)
{
	int status = LINE_IGNORED;
	struct vcpu *vcpu;
	unsigned int i;

	if (lapic_msg_unicast(src, msg))
		return deliver_unicast(vm, src, msg);
	if (lapic_msg_lowest(msg))
		return deliver_lowest(vm, src, msg);
	vm_for_each_vcpu(i, vcpu, vm)
		if (lapic_match(vcpu->lapic, src, msg))
			status = line_status_add(status,
						 deliver_to(vcpu->lapic, msg));
	return status;
}

int msi_signal(struct vm *vm, const struct kvm_msi *in)
{
	bool ids32 = vm->lapic_config.ids_32bit;
	struct msi msi = {
		.address_lo = in->address_lo,
		.address_hi = in->address_hi,
		.data = in->data,
	};
	struct apic_msg msg;

	if (!vm_has_lapic(vm) || (in->flags & ~KVM_MSI_VALID_DEVID) ||
	    !msi_valid(&msi, ids32))
		return -EINVAL;
	msg = msi_decode(&msi, ids32);
	return max(irq_deliver(vm, NULL, &msg), 0);
}
