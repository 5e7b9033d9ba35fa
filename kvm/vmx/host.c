// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's half of the state: what VM exits load from the VMCS, and what
 * they destroy without loading it.
 *
 * In the VMCS for good is what all CPUs have in common; rewritten when the
 * VMCS moves to another CPU is what differs between them; compared at each
 * entry are CR3 and CR4. What exits destroy is of no use to the kernel itself
 * but to user mode or to the next task (segments, the limits of GDT and TSS,
 * user MSRs): saved before the first entry after a load and restored at put,
 * however many entries are between.
 *
 * Exits load segment selectors only with RPL and TI 0, so others are replaced
 * by 0 (27.2.3). SDM vol. 3, 25.5, 28.5.
 */
#include <asm/cpu_entry_area.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/fsgsbase.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/special_insns.h>
#include <asm/tlbflush.h>

#include "vmx/vmx.h"

#define SEL_NOT_LOADABLE (SEGMENT_RPL_MASK | SEGMENT_TI_MASK)

void vmx_host_setup(void)
{
	struct desc_ptr idt;
	u64 msr;

	store_idt(&idt);
	vmcs_write(HOST_IDTR_BASE, idt.address);
	vmcs_write(HOST_CR0, read_cr0());
	vmcs_write(HOST_CS_SEL, __KERNEL_CS);
	vmcs_write(HOST_SS_SEL, __KERNEL_DS);
	vmcs_write(HOST_DS_SEL, 0);
	vmcs_write(HOST_ES_SEL, 0);
	vmcs_write(HOST_TR_SEL, GDT_ENTRY_TSS * 8);
	rdmsrl(MSR_EFER, msr);
	vmcs_write(HOST_EFER, msr);
	rdmsrl(MSR_IA32_CR_PAT, msr);
	vmcs_write(HOST_PAT, msr);
	vmcs_write(HOST_RIP, (unsigned long)vmx_exit_point);
}

void vmx_host_cpu(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();
	u64 msr;

	vmcs_write(HOST_TR_BASE,
		   (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vmcs_write(HOST_GDTR_BASE, (unsigned long)get_current_gdt_ro());
	rdmsrl(MSR_GS_BASE, msr);
	vmcs_write(HOST_GS_BASE, msr);
	rdmsrl(MSR_IA32_SYSENTER_CS, msr);
	vmcs_write(HOST_SYSENTER_CS, msr);
	rdmsrl(MSR_IA32_SYSENTER_ESP, msr);
	vmcs_write(HOST_SYSENTER_ESP, msr);
	rdmsrl(MSR_IA32_SYSENTER_EIP, msr);
	vmcs_write(HOST_SYSENTER_EIP, msr);
}

static u16 loadable(u16 selector)
{
	return selector & SEL_NOT_LOADABLE ? 0 : selector;
}

void vmx_host_away(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	if (h->away)
		return;
	h->away = true;
	savesegment(fs, h->fs);
	savesegment(gs, h->gs);
	savesegment(ds, h->ds);
	savesegment(es, h->es);
	store_ldt(h->ldt);
	current_save_fsgs();
	h->fs_base = current->thread.fsbase;
	h->kernel_gs_base = current->thread.gsbase;
	h->debugctl_stale = true;

	vmcs_write(HOST_FS_SEL, loadable(h->fs));
	vmcs_write(HOST_GS_SEL, loadable(h->gs));
	vmcs_write(HOST_FS_BASE, h->fs_base);
	vmx_msr_load(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	vmx_msr_user(vmx);
}

/* Only 32-bit tasks have any of these. */
static void segments_back(const struct vmx_host_state *h)
{
	if (h->ldt)
		asm volatile("lldt %0" : : "r"(h->ldt));
	if (h->ds | h->es) {
		loadsegment(ds, h->ds);
		loadsegment(es, h->es);
	}
	if (h->fs & SEL_NOT_LOADABLE) {
		loadsegment(fs, h->fs);
		wrmsrl(MSR_FS_BASE, h->fs_base);
	}
	if (h->gs & SEL_NOT_LOADABLE)
		load_gs_index(h->gs);
}

void vmx_host_back(struct vmx_vcpu *vmx)
{
	struct vmx_host_state *h = &vmx->host;

	if (!h->away)
		return;
	h->away = false;
	rdmsrl(MSR_KERNEL_GS_BASE, vmx->kernel_gs_base);
	segments_back(h);
	wrmsrl(MSR_KERNEL_GS_BASE, h->kernel_gs_base);
	invalidate_tss_limit();
	load_fixmap_gdt(smp_processor_id());
	vmx_msr_user(NULL);
}

void vmx_host_entry(struct vmx_vcpu *vmx)
{
	u64 cr3 = __get_current_cr3_fast();
	u64 cr4 = cr4_read_shadow();

	if (vmx->host.debugctl_stale) {
		vmx->host.debugctl = get_debugctlmsr();
		vmx->host.debugctl_stale = false;
	}
	if (cr3 != vmx->hw_cr3_host) {
		vmcs_write(HOST_CR3, cr3);
		vmx->hw_cr3_host = cr3;
	}
	if (cr4 != vmx->hw_cr4_host) {
		vmcs_write(HOST_CR4, cr4);
		vmx->hw_cr4_host = cr4;
	}
}
