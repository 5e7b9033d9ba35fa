// SPDX-License-Identifier: GPL-2.0-only
/*
 * APIC virtualization: the hardware works on the LAPIC's own page.
 *
 * How much it does follows from the guest's LAPIC mode (vcpu->policy.apic) and
 * from the controls there are: controls.c. With virtual-interrupt delivery the
 * page's IRR, ISR and PPR are the hardware's while the guest runs, so senders
 * leave interrupts in an inbox (dev/posted.h). With posted interrupts that is
 * the descriptor the hardware itself empties when the notification vector
 * comes; without, the vCPU is made to exit and core empties it.
 *
 * In x2APIC mode the MSR bitmap says what needs no exit: reads of what is a
 * plain word of the page, and the three writes that are virtualized; four with
 * IPI virtualization. All other writes exit before they are done; in xAPIC mode
 * they exit after it, as ICR's do that hardware leaves to us.
 *
 * Invariants: hw_eoi_map is the EOI-exit bitmap of the VMCS; the MSR bitmap is
 * that of the controls in x2apic_open.
 *
 * SDM vol. 3, chapter 30.
 */
#include <linux/gfp.h>
#include <asm/apic.h>
#include <asm/desc.h>
#include <asm/irq_vectors.h>

#include "core/vm.h"
#include "vmx/vmx.h"

int vmx_apicv_init(struct vmx_vcpu *vmx)
{
	struct lapic *lapic = vmx->vcpu.lapic;

	if (!lapic || !vmx_can(&vmx_host_caps, CTL_VIRTUAL_INTR))
		return 0;
	/* A page: one CPU wants the descriptor at its start. */
	lapic->posted = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return lapic->posted ? 0 : -ENOMEM;
}

void vmx_apicv_free(struct vmx_vcpu *vmx)
{
	struct lapic *lapic = vmx->vcpu.lapic;

	if (!lapic)
		return;
	free_page((unsigned long)lapic->posted);
	lapic->posted = NULL;
}

void vmx_apicv_setup(struct vmx_vcpu *vmx)
{
	const struct vmx_caps *caps = &vmx_host_caps;
	struct vcpu *vcpu = &vmx->vcpu;
	unsigned int i;

	if (vmx->vapic) {
		vmcs_write(VIRTUAL_APIC_ADDR, __pa(vmx->vapic));
		vmcs_write(TPR_THRESHOLD, 0);
	}
	if (vcpu->vm->apic_page)
		vmcs_write(APIC_ACCESS_ADDR,
			   page_to_phys(vcpu->vm->apic_page));
	if (!vmx_can(caps, CTL_VIRTUAL_INTR))
		return;
	for (i = 0; i < ARRAY_SIZE(vmx->hw_eoi_map); i++)
		vmcs_write_nth(EOI_EXIT_BITMAP0, i, 0);
	vmcs_write(GUEST_INTR_STATUS, 0);
	if (vmx_can(caps, CTL_POSTED) && vcpu->lapic) {
		vmcs_write(POSTED_VECTOR, POSTED_INTR_VECTOR);
		vmcs_write(POSTED_DESC_ADDR, __pa(vcpu->lapic->posted));
	}
}

static void update_eoi_map(struct vmx_vcpu *vmx)
{
	const u64 *map = vmx->vcpu.eoi_map;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmx->hw_eoi_map); i++) {
		if (map[i] == vmx->hw_eoi_map[i])
			continue;
		vmcs_write_nth(EOI_EXIT_BITMAP0, i, map[i]);
		vmx->hw_eoi_map[i] = map[i];
	}
}

/* What the controls to come do without an exit. 30.5 */
static u32 x2apic_allowed(u32 msr, const struct vmx_controls *c)
{
	u32 allowed = 0;

	if (!vmx_control_is(c, CTL_X2APIC))
		return 0;
	if (vmx_control_is(c, CTL_APIC_REGISTERS) && lapic_msr_plain(msr))
		allowed |= MSR_ALLOW_READ;
	switch (msr) {
	case LAPIC_MSR_BASE + (LAPIC_TPR >> 4):
		return MSR_ALLOW_READ | MSR_ALLOW_WRITE;
	case LAPIC_MSR_BASE + (LAPIC_EOI >> 4):
	case LAPIC_MSR_BASE + (LAPIC_SELF_IPI >> 4):
		if (vmx_control_is(c, CTL_VIRTUAL_INTR))
			allowed |= MSR_ALLOW_WRITE;
		break;
	case LAPIC_MSR_BASE + (LAPIC_ICR >> 4):
		if (vmx_control_is(c, CTL_IPIV))
			allowed |= MSR_ALLOW_WRITE;
		break;
	}
	return allowed;
}

/* All that x2apic_allowed() looks at; 0: nothing is allowed. */
static u8 x2apic_open(const struct vmx_controls *c)
{
	if (!vmx_control_is(c, CTL_X2APIC))
		return 0;
	return BIT(0) | vmx_control_is(c, CTL_APIC_REGISTERS) << 1 |
	       vmx_control_is(c, CTL_VIRTUAL_INTR) << 2 |
	       vmx_control_is(c, CTL_IPIV) << 3;
}

void vmx_apicv_controls(struct vmx_vcpu *vmx, const struct vmx_controls *c)
{
	u8 open = x2apic_open(c);
	u32 msr;

	if (open == vmx->x2apic_open)
		return;
	vmx->x2apic_open = open;
	for (msr = LAPIC_MSR_BASE; msr <= LAPIC_MSR_LAST; msr++)
		vmx_msr_allow(vmx->msr_bitmap, msr, x2apic_allowed(msr, c));
}

void vmx_apicv_update(struct vmx_vcpu *vmx)
{
	if (vmx_can(&vmx_host_caps, CTL_VIRTUAL_INTR))
		update_eoi_map(vmx);
}

void vmx_apicv_enter(struct vmx_vcpu *vmx, const struct entry *entry)
{
	u16 status = (u8)max_t(s16, entry->in_service, 0) << 8 |
		     (u8)max_t(s16, entry->requested, 0);

	if (status != vmx->hw_intr_status)
		vmcs_write(GUEST_INTR_STATUS, status);
}

void vmx_apicv_leave(struct vmx_vcpu *vmx, const struct entry *entry,
		     struct exit *exit)
{
	struct event *inflight = &exit->inflight;

	vmx->hw_intr_status = vmcs_read(GUEST_INTR_STATUS);
	/* No vector below 16 is ever in service: 0 is none. */
	exit->in_service = vmx->hw_intr_status >> 8 ? : -1;
	/*
	 * Interrupts of the host make exits, so one in flight that was not
	 * injected is what hardware has put in service. Bochs reports the type
	 * and vector of some event of before for it.
	 */
	if ((inflight->type == EVENT_IRQ || inflight->type == EVENT_NMI) &&
	    (entry->inject.type != inflight->type ||
	     entry->inject.vector != inflight->vector))
		*inflight = (struct event){
			.type = EVENT_IRQ,
			.vector = vmx->hw_intr_status >> 8,
		};
}

void vmx_notify(struct vcpu *vcpu, int cpu)
{
	if (vmx_can(&vmx_host_caps, CTL_POSTED))
		__apic_send_IPI_mask(cpumask_of(cpu), POSTED_INTR_VECTOR);
	else
		arch_smp_send_reschedule(cpu);
}

void vmx_apicv_irq(u8 vector)
{
	struct desc_ptr idt;
	const gate_desc *gate;

	store_idt(&idt);
	gate = (const gate_desc *)idt.address + vector;
	vmx_host_irq(gate_offset(gate));
}
