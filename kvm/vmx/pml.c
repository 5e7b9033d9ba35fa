// SPDX-License-Identifier: GPL-2.0-only
/*
 * Page-modification logging: when the CPU sets the dirty bit of an EPT entry,
 * it writes the page's address to a buffer of the vCPU. mmu/ clears the bits
 * of pages that the VMM logs; all others are born dirty and never seen here.
 *
 * The control is on from when the VM's logging has begun. The buffer is handed
 * over after each exit, before others can see that the vCPU has left guest
 * mode: once a vCPU has exited, its writes are in the log.
 *
 * Owner: the vCPU's thread. Called by main.c and run.c. SDM vol. 3, 29.3.6.
 */
#include <linux/gfp.h>

#include "vmx/vmx.h"

/* Filled from the last entry down; the index is that of the next. */
#define PML_ENTRIES 512u
#define PML_LAST (PML_ENTRIES - 1)

int vmx_pml_init(struct vmx_vcpu *vmx)
{
	if (!vmx_can(&vmx_host_caps, CTL_PML))
		return 0;
	vmx->pml = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	return vmx->pml ? 0 : -ENOMEM;
}

void vmx_pml_free(struct vmx_vcpu *vmx)
{
	free_page((unsigned long)vmx->pml);
	vmx->pml = NULL;
}

void vmx_pml_setup(struct vmx_vcpu *vmx)
{
	if (!vmx->pml)
		return;
	vmcs_write(PML_ADDR, __pa(vmx->pml));
	vmcs_write(GUEST_PML_INDEX, PML_LAST);
}

void vmx_pml_drain(struct vmx_vcpu *vmx)
{
	u16 index, first;

	if (!vmx->pml)
		return;
	index = vmcs_read(GUEST_PML_INDEX);
	if (index == PML_LAST)
		return;
	/* Below 0 when it is full */
	first = index < PML_ENTRIES ? index + 1 : 0;
	vcpu_log_written(&vmx->vcpu, &vmx->pml[first], PML_ENTRIES - first);
	vmcs_write(GUEST_PML_INDEX, PML_LAST);
}
