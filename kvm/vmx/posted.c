// SPDX-License-Identifier: GPL-2.0-only
/*
 * Posted interrupts of devices: where remapping hardware notifies.
 *
 * A vCPU's descriptor (dev/posted.h) names a host CPU and a vector. While the
 * vCPU is bound to a CPU, that CPU and the notification vector, which costs a
 * running guest no exit. While it sleeps in HLT, the CPU where it fell asleep
 * and the wake-up vector, whose handler wakes those of that CPU's list that
 * have something in their inbox. What KVM posts itself does not go this way:
 * the sender knows whom to wake.
 *
 * Locks: vmx_cpu.blocked_lock, for the list and what is on it. It is taken
 * when a thread leaves its CPU, under that CPU's runqueue lock, and the
 * handler wakes threads under it; both happen on the list's own CPU with
 * interrupts off, so they cannot meet.
 *
 * SDM vol. 3, 30.6; Intel VT for Directed I/O, 5.2.
 */
#include <linux/irq.h>
#include <asm/apic.h>
#include <asm/irq.h>
#include <asm/irq_remapping.h>
#include <asm/irq_vectors.h>

#include "core/vm.h"
#include "vmx/vmx.h"

static struct posted *posted_of(struct vmx_vcpu *vmx)
{
	struct lapic *lapic = vmx->vcpu.lapic;

	return lapic ? lapic->posted : NULL;
}

/* The id in the form of the remapping tables: VT-d, 9.10 */
static u32 posted_cpu_id(int cpu)
{
	u32 id = cpu_physical_id(cpu);

	return x2apic_enabled() ? id : id << 8;
}

static void leave_list(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = per_cpu_ptr(&vmx_cpu, vmx->blocked_cpu);
	unsigned long flags;

	raw_spin_lock_irqsave(&vc->blocked_lock, flags);
	list_del(&vmx->blocked);
	raw_spin_unlock_irqrestore(&vc->blocked_lock, flags);
}

void vmx_posted_load(struct vmx_vcpu *vmx, int cpu)
{
	struct posted *posted = posted_of(vmx);

	if (!posted || (vmx->posted_cpu == cpu && vmx->blocked_cpu < 0))
		return;
	if (vmx->blocked_cpu >= 0)
		leave_list(vmx);
	vmx->blocked_cpu = -1;
	vmx->posted_cpu = cpu;
	posted_target(posted, posted_cpu_id(cpu), POSTED_INTR_VECTOR, false);
}

void vmx_posted_put(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);
	struct posted *posted = posted_of(vmx);
	int cpu = smp_processor_id();
	unsigned long flags;

	if (!posted || !vmx->vcpu.stat.blocking)
		return;
	raw_spin_lock_irqsave(&vc->blocked_lock, flags);
	list_add(&vmx->blocked, &vc->blocked);
	raw_spin_unlock_irqrestore(&vc->blocked_lock, flags);
	vmx->blocked_cpu = cpu;
	posted_target(posted, posted_cpu_id(cpu), POSTED_INTR_WAKEUP_VECTOR,
		      false);
	/* One that came before the vector changed woke nobody. */
	if (posted_pending(posted))
		__apic_send_IPI_self(POSTED_INTR_WAKEUP_VECTOR);
}

static void posted_wake(struct vmx_cpu *vc, bool all)
{
	struct vmx_vcpu *vmx;
	unsigned long flags;

	raw_spin_lock_irqsave(&vc->blocked_lock, flags);
	list_for_each_entry(vmx, &vc->blocked, blocked)
		if (all || posted_pending(posted_of(vmx)))
			vcpu_wake(&vmx->vcpu);
	raw_spin_unlock_irqrestore(&vc->blocked_lock, flags);
}

/* The host's handler of the wake-up vector: interrupts off. */
static void posted_wakeup(void)
{
	posted_wake(this_cpu_ptr(&vmx_cpu), false);
}

void vmx_posted_cpu_off(struct vmx_cpu *vc)
{
	/* Awake, they notice that they have to sleep elsewhere. */
	posted_wake(vc, true);
}

void vmx_posted_setup(const struct vmx_caps *caps)
{
	struct vmx_cpu *vc;
	int cpu;

	for_each_possible_cpu(cpu) {
		vc = per_cpu_ptr(&vmx_cpu, cpu);
		raw_spin_lock_init(&vc->blocked_lock);
		INIT_LIST_HEAD(&vc->blocked);
	}
	if (vmx_can(caps, CTL_POSTED))
		kvm_set_posted_intr_wakeup_handler(posted_wakeup);
}

void vmx_posted_teardown(void)
{
	kvm_set_posted_intr_wakeup_handler(NULL);
}

bool vmx_posts_devices(const struct vmx_caps *caps)
{
	return vmx_can(caps, CTL_POSTED) &&
	       irq_remapping_cap(IRQ_POSTING_CAP);
}

int vmx_irte_update(struct vcpu *vcpu, unsigned int host_irq, u8 vector)
{
	struct vcpu_data data = { .vector = vector };

	if (!vcpu)
		return irq_set_vcpu_affinity(host_irq, NULL);
	data.pi_desc_addr = __pa(vcpu->lapic->posted);
	return irq_set_vcpu_affinity(host_irq, &data);
}
