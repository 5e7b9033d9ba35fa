// SPDX-License-Identifier: GPL-2.0-only
/*
 * From a message to the local APICs of a VM: see msi.h.
 *
 * No lock and no allocation: walks the vCPUs there are. A message for one
 * APIC id, the common case, is one look-up. Where there are more vCPUs than may
 * be looked at in any context, others need a thread.
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

/* What became of a message that is for several */
struct spread {
	const struct lapic *src;
	const struct apic_msg *msg;
	int status;
	struct lapic *best;	/* of those that match, for lowest priority */
};

static void spread_to(struct spread *s, struct lapic *l)
{
	if (!lapic_match(l, s->src, s->msg))
		return;
	if (lapic_msg_lowest(s->msg))
		s->best = lapic_arbitrate(s->best, l);
	else
		s->status = line_status_add(s->status, deliver_to(l, s->msg));
}

static int spread_end(const struct spread *s)
{
	if (!s->best)
		return s->status;
	lapic_arbitrated(s->best);
	return deliver_to(s->best, s->msg);
}

bool irq_is_long(const struct vm *vm, const struct lapic *src,
		 const struct apic_msg *msg)
{
	return unlikely(vm->later.crowd) && !lapic_msg_unicast(src, msg);
}

int irq_deliver_now(struct vm *vm, const struct lapic *src,
		    const struct apic_msg *msg)
{
	struct spread s = { .src = src, .msg = msg, .status = LINE_IGNORED };
	struct vcpu *vcpu;
	unsigned int i;

	if (lapic_msg_unicast(src, msg))
		return deliver_unicast(vm, src, msg);
	vm_for_some_vcpus(i, vcpu, vm)
		spread_to(&s, vcpu->lapic);
	return spread_end(&s);
}

int irq_deliver(struct vm *vm, const struct lapic *src,
		const struct apic_msg *msg)
{
	struct spread s = { .src = src, .msg = msg, .status = LINE_IGNORED };
	struct vcpu *vcpu;
	unsigned int i;

	if (!irq_is_long(vm, src, msg))
		return irq_deliver_now(vm, src, msg);
	vm_for_each_vcpu(i, vcpu, vm)
		spread_to(&s, vcpu->lapic);
	return spread_end(&s);
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
