/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Requests: how anybody reaches a running vCPU without a lock.
 *
 * Whoever wants something of a vCPU sets a bit and kicks it; the vCPU's
 * thread takes the bits before the next entry, in the order of the table in
 * request.c. A bit set while the guest runs forces an exit.
 */
#ifndef CORE_REQUEST_H
#define CORE_REQUEST_H

#include "base/host.h"

struct vcpu;
struct vm;

/* Rows of the table in request.c; the number is the bit and the order. */
enum request {
	REQ_VM_DEAD,		/* leave KVM_RUN with -EIO */
	REQ_TLB_FLUSH,		/* guest translations through the TDP root */
	REQ_TLB_FLUSH_GUEST,	/* the guest's own translations (PV, CR4.PGE) */
	REQ_NMI,		/* the NMI inbox is not empty */
	REQ_EVENT,		/* look at interrupts again before entry */
	REQ_EOI_MAP,		/* whose end of interrupt counts has changed */
	REQ_IRQ_LATER,		/* finish what it left of its interrupts */
	REQ_MASTERCLOCK,	/* recompute the VM's (tsc, ns) pair */
	REQ_CLOCK_UPDATE,	/* rewrite this vCPU's pvclock page */
	REQ_COUNT,
};

/**
 * vcpu_request() - set @req; the vCPU sees it before its next entry
 *
 * Any context. Does not make a running guest exit: see vcpu_request_kick().
 */
void vcpu_request(struct vcpu *vcpu, enum request req);

/** vcpu_request_kick() - vcpu_request(), then wake or interrupt the vCPU */
void vcpu_request_kick(struct vcpu *vcpu, enum request req);

/**
 * vcpu_kick() - make the vCPU look at its state soon: wakes a blocked one,
 * sends an IPI to one in guest mode. Any context, irqs on or off.
 */
void vcpu_kick(struct vcpu *vcpu);

/**
 * vcpu_post() - its LAPIC's inbox has something: have the hardware take it in
 * if it is in guest mode, wake it if it sleeps; any context
 */
void vcpu_post(struct vcpu *vcpu);

/**
 * vcpu_send_nmi() - an NMI for the vCPU, seen before its next entry; any context
 *
 * Does not make a running guest exit: see vcpu_kick(). Of more than two that
 * wait, the rest is lost, as in hardware.
 */
void vcpu_send_nmi(struct vcpu *vcpu);

/** vcpu_take_nmis() - move what was sent to vcpu->events; the vCPU's thread */
void vcpu_take_nmis(struct vcpu *vcpu);

/** vcpu_wake() - end a block of the vCPU, no IPI; any context */
void vcpu_wake(struct vcpu *vcpu);

/**
 * vm_request_all() - set @req on each vCPU, and wait until none of them is
 * still in guest mode from before the call
 *
 * Returns whether one was. May be called under spinlocks with interrupts on.
 * This is what TLB flushes and removals rest on: afterwards no guest
 * instruction runs that has not seen @req.
 */
bool vm_request_all(struct vm *vm, enum request req);

/**
 * request_handle() - run the handlers of what is pending, in table order
 *
 * Returns false when KVM_RUN has to return: *ret is then its result and
 * kvm_run is filled in.
 */
bool request_handle(struct vcpu *vcpu, int *ret);

#endif
