// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX instructions, and which VMCS is active on which CPU.
 *
 * A VMCS is active on at most one CPU, which may keep parts of it in the
 * processor: before another loads it, VMCLEAR has to run there (25.11.1). A
 * vCPU's VMCS stays active where it last ran, so that coming back costs a
 * VMPTRLD at most; each CPU lists its own for the day it goes away.
 *
 * vmx->cpu and the list change on that CPU with interrupts off; the vCPU's
 * thread may read vmx->cpu, as only itself, or the CPU's end, changes it.
 *
 * VMX is switched off under a running host when the machine goes down: each
 * instruction then faults, which counts as its failure and is not reported.
 * SDM vol. 3, chapter 31.
 */
#include <linux/gfp.h>
#include <linux/printk.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/tlbflush.h>

#include "vmx/vmx.h"

void vmcs_access_failed(enum vmcs_field field, bool write)
{
	struct vmx_cpu *vc = raw_cpu_ptr(&vmx_cpu);

	if (!READ_ONCE(vc->on))
		return;
	if (vc->current_vmcs)
		vc->current_vmcs->broken = true;
	pr_err_ratelimited("kvm-intel: VMCS field %04x cannot be %s\n", field,
			   write ? "written" : "read");
}

u64 vmcs_read_any(u16 field)
{
	return vmcs_field_exists(&vmx_host_caps, field) ? vmread(field) : 0;
}

static bool vmptrld(u64 pa)
{
	asm goto("1: vmptrld %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m"(pa) : "cc", "memory" : failed);
	return true;
failed:
	return false;
}

static void vmclear(u64 pa)
{
	/* There is nothing to do about a failure. */
	asm goto("1: vmclear %[pa]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m"(pa) : "cc", "memory" : failed);
failed:
	return;
}

bool vmx_on(struct vmx_cpu *vc)
{
	u64 pa = __pa(vc->vmxon);

	cr4_set_bits(X86_CR4_VMXE);
	asm goto("1: vmxon %[pa]\n\t"
		 "jna %l[failed]\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : [pa] "m"(pa) : "cc", "memory" : failed);
	return true;
failed:
	cr4_clear_bits(X86_CR4_VMXE);
	return false;
}

void vmx_off(void)
{
	asm goto("1: vmxoff\n\t"
		 _ASM_EXTABLE(1b, %l[failed])
		 : : : "cc", "memory" : failed);
failed:
	cr4_clear_bits(X86_CR4_VMXE);
}

struct vmcs *vmcs_new(int node)
{
	struct page *page = alloc_pages_node(node, GFP_KERNEL_ACCOUNT |
					     __GFP_ZERO, 0);
	struct vmcs *vmcs;

	if (!page)
		return NULL;
	vmcs = page_address(page);
	vmcs->revision = vmx_host_caps.revision;
	return vmcs;
}

/* On the CPU where it is active, interrupts off. */
static void release_here(struct vmx_vcpu *vmx)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);

	vmclear(__pa(vmx->vmcs));
	if (vc->current_vmcs == vmx)
		vc->current_vmcs = NULL;
	list_del(&vmx->loaded);
	vmx->launched = false;
	WRITE_ONCE(vmx->cpu, -1);
}

static void release_ipi(void *arg)
{
	struct vmx_vcpu *vmx = arg;

	/* The CPU may have been off and on again meanwhile. */
	if (vmx->cpu == smp_processor_id())
		release_here(vmx);
}

void vmcs_release(struct vmx_vcpu *vmx)
{
	int cpu = READ_ONCE(vmx->cpu);

	/* An offline CPU has released it: vmcs_release_cpu(). */
	if (cpu >= 0)
		smp_call_function_single(cpu, release_ipi, vmx, 1);
}

void vmcs_release_cpu(struct vmx_cpu *vc)
{
	struct vmx_vcpu *vmx, *next;

	list_for_each_entry_safe(vmx, next, &vc->vmcss, loaded)
		release_here(vmx);
}

void vmcs_crash_cpu(struct vmx_cpu *vc)
{
	struct vmx_vcpu *vmx;

	/* The list is whole at any instant as long as one only walks forward. */
	list_for_each_entry(vmx, &vc->vmcss, loaded)
		vmclear(__pa(vmx->vmcs));
}

static void load_here(struct vmx_vcpu *vmx, int cpu)
{
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);
	unsigned long flags;

	local_irq_save(flags);
	vmclear(__pa(vmx->vmcs));
	vmx->launched = false;
	list_add(&vmx->loaded, &vc->vmcss);
	WRITE_ONCE(vmx->cpu, cpu);
	local_irq_restore(flags);
}

bool vmcs_load(struct vmx_vcpu *vmx)
{
	int cpu = smp_processor_id();
	struct vmx_cpu *vc = this_cpu_ptr(&vmx_cpu);
	bool moved = vmx->cpu != cpu;

	if (moved) {
		vmcs_release(vmx);
		load_here(vmx, cpu);
	}
	if (vc->current_vmcs != vmx) {
		if (!vmptrld(__pa(vmx->vmcs)) && vc->on)
			pr_err_ratelimited("kvm-intel: VMPTRLD failed\n");
		vc->current_vmcs = vmx;
	}
	return moved;
}
