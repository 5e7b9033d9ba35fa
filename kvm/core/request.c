// SPDX-License-Identifier: GPL-2.0-only
/*
 * The request table and the ways to reach a vCPU: see request.h.
 *
 * The protocol between a requester and the run loop: the requester sets its
 * bit, then looks at vcpu->mode; the vCPU sets mode to IN_GUEST, then looks at
 * its bits, with interrupts off until the entry. One of the two sees the
 * other's store, and an IPI sent to a CPU with interrupts off makes the entry
 * exit at once. A vCPU's thread that kicks its own vCPU between the two sends no
 * IPI; it finds mode EXITING at the end and asks for such an exit itself.
 */
#include <linux/percpu.h>
#include <linux/smp.h>
#include <trace/events/ipi.h>

#include "core/apic.h"
#include "core/clock.h"
#include "core/request.h"
#include "core/vcpu.h"
#include "irq/chip.h"
#include "pv/pv.h"

static DEFINE_PER_CPU(struct cpumask, request_mask);

/* So many vCPUs are asked at once, with preemption off. */
#define REQUEST_CHUNK 256

void vcpu_request(struct vcpu *vcpu, enum request req)
{
	/* What the request is about must be visible before the bit. */
	smp_mb__before_atomic();
	set_bit(req, &vcpu->requests);
}

void vcpu_wake(struct vcpu *vcpu)
{
	rcuwait_wake_up(&vcpu->wait);
}

void vcpu_kick(struct vcpu *vcpu)
{
	int cpu, me;

	vcpu_wake(vcpu);
	me = get_cpu();
	if (cmpxchg(&vcpu->mode, VCPU_IN_GUEST, VCPU_EXITING) ==
	    VCPU_IN_GUEST) {
		cpu = READ_ONCE(vcpu->cpu);
		if (cpu != me && cpu >= 0 && cpu_online(cpu))
			smp_send_reschedule(cpu);
	}
	put_cpu();
}

void vcpu_post(struct vcpu *vcpu)
{
	int cpu, me;

	vcpu_wake(vcpu);
	me = get_cpu();
	/* One that is leaving looks into its inbox before it enters again. */
	if (READ_ONCE(vcpu->mode) == VCPU_IN_GUEST) {
		cpu = READ_ONCE(vcpu->cpu);
		/* Its own thread, about to enter: as in vcpu_kick(). */
		if (cpu == me)
			WRITE_ONCE(vcpu->mode, VCPU_EXITING);
		else if (cpu >= 0 && cpu_online(cpu))
			backend_call(notify)(vcpu, cpu);
	}
	put_cpu();
}

void vcpu_request_kick(struct vcpu *vcpu, enum request req)
{
	vcpu_request(vcpu, req);
	vcpu_kick(vcpu);
}

/* One in delivery's place, one latched behind it. */
#define NMIS_MAX 2

void vcpu_send_nmi(struct vcpu *vcpu)
{
	atomic_add_unless(&vcpu->nmi_inbox, 1, NMIS_MAX);
	vcpu_request(vcpu, REQ_NMI);
}

void vcpu_take_nmis(struct vcpu *vcpu)
{
	unsigned int limit = vcpu->events.nmi_blocked ? NMIS_MAX - 1 : NMIS_MAX;
	unsigned int got = atomic_xchg(&vcpu->nmi_inbox, 0);

	vcpu->events.nmi_pending =
		min(limit, vcpu->events.nmi_pending + got);
}

static void request_ipi(void *unused)
{
	/* Taking the interrupt was the point: the guest has exited. */
}

/* As vm_request_all(), for REQUEST_CHUNK vCPUs from @from on */
static bool request_some(struct vm *vm, enum request req, unsigned int from)
{
	struct cpumask *mask;
	struct vcpu *vcpu;
	unsigned int i;
	int cpu, me;
	bool waited;

	me = get_cpu();
	mask = this_cpu_ptr(&request_mask);
	cpumask_clear(mask);
	for (i = from; i < from + REQUEST_CHUNK; i++) {
		vcpu = vm_vcpu(vm, i);
		if (!vcpu)
			break;
		vcpu_request(vcpu, req);
		/* Pairs with the run loop: bit first, then mode. */
		smp_mb__after_atomic();
		if (READ_ONCE(vcpu->mode) == VCPU_OUTSIDE)
			continue;
		cpu = READ_ONCE(vcpu->cpu);
		if (cpu >= 0 && cpu != me)
			__cpumask_set_cpu(cpu, mask);
	}
	waited = !cpumask_empty(mask);
	if (waited)
		smp_call_function_many(mask, request_ipi, NULL, true);
	put_cpu();
	return waited;
}

bool vm_request_all(struct vm *vm, enum request req)
{
	unsigned int from;
	bool waited = false;

	for (from = 0; from < smp_load_acquire(&vm->vcpu_count);
	     from += REQUEST_CHUNK)
		waited |= request_some(vm, req, from);
	return waited;
}

/* ---- handlers: false leaves KVM_RUN with *ret ------------------------- */

static bool request_vm_dead(struct vcpu *vcpu, int *ret)
{
	*ret = -EIO;
	return false;
}

static bool request_tlb_flush(struct vcpu *vcpu, int *ret)
{
	vcpu->stat.tlb_flush++;
	backend_call(flush)(vcpu, FLUSH_ROOT, 0);
	return true;
}

static bool request_tlb_flush_guest(struct vcpu *vcpu, int *ret)
{
	vcpu->stat.tlb_flush++;
	backend_call(flush)(vcpu, FLUSH_GUEST, 0);
	return true;
}

static bool request_nmi(struct vcpu *vcpu, int *ret)
{
	vcpu_take_nmis(vcpu);
	return true;
}

static bool request_nothing(struct vcpu *vcpu, int *ret)
{
	return true;
}

static bool request_eoi_map(struct vcpu *vcpu, int *ret)
{
	apic_update_eoi_map(vcpu);
	return true;
}

static bool request_irq_later(struct vcpu *vcpu, int *ret)
{
	irq_later_finish(&vcpu->vm->later);
	return true;
}

static bool request_clock_update(struct vcpu *vcpu, int *ret)
{
	pv_clock_update(vcpu);
	return true;
}

static bool request_masterclock(struct vcpu *vcpu, int *ret)
{
	clock_update_master(vcpu->vm);
	return true;
}

struct request_row {
	const char *name;
	bool (*handle)(struct vcpu *vcpu, int *ret);
};

static const struct request_row request_rows[REQ_COUNT] = {
	[REQ_VM_DEAD] = { "vm dead", request_vm_dead },
	[REQ_TLB_FLUSH] = { "tlb flush", request_tlb_flush },
	[REQ_TLB_FLUSH_GUEST] = { "guest tlb flush", request_tlb_flush_guest },
	[REQ_NMI] = { "nmi", request_nmi },
	/* Being there was enough: the arbiter looks before each entry. */
	[REQ_EVENT] = { "event", request_nothing },
	[REQ_EOI_MAP] = { "eoi map", request_eoi_map },
	[REQ_IRQ_LATER] = { "irq later", request_irq_later },
	[REQ_CLOCK_UPDATE] = { "clock update", request_clock_update },
	[REQ_MASTERCLOCK] = { "master clock", request_masterclock },
};

bool request_handle(struct vcpu *vcpu, int *ret)
{
	unsigned long taken = xchg(&vcpu->requests, 0);
	unsigned int req;

	for_each_set_bit(req, &taken, REQ_COUNT) {
		/* A dead VM stays dead. */
		if (req == REQ_VM_DEAD)
			set_bit(req, &vcpu->requests);
		if (request_rows[req].handle(vcpu, ret))
			continue;
		/* Those behind it are for the next KVM_RUN. */
		taken &= ~GENMASK(req, 0);
		while (taken) {
			set_bit(__ffs(taken), &vcpu->requests);
			taken &= taken - 1;
		}
		return false;
	}
	return true;
}
