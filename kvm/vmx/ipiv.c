// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPI virtualization: a fixed IPI to one vCPU is sent by the sender's
 * processor, without an exit. It finds the target's posted-interrupt
 * descriptor in a table of the VM, sets the vector's bit and notifies as a
 * device's interrupt would: posted.c says whom.
 *
 * What the table does not have, and all other IPIs, exit behind the write of
 * ICR, and core sends them. So an entry is there only from the vCPU's first
 * run on, and while its LAPIC takes interrupts, and takes them by hardware.
 * One that is on its way when that changes may still come into the inbox.
 *
 * Locks: vm->lock for making the table, which stays with the VM; an entry is
 * written by its vCPU's thread. SDM vol. 3, 25.6.8, 30.1.6.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "core/vm.h"
#include "vmx/pid_table.h"
#include "vmx/vmx.h"

static size_t table_bytes(const struct vmx_vm *vm)
{
	return vm->pid_entries * sizeof(*vm->pid_table);
}

/* Ids may not become more once there is a vCPU. */
static int make_table(struct vmx_vm *vm)
{
	lockdep_assert_held(&vm->vm.lock);
	if (vm->pid_table)
		return 0;
	vm->pid_entries = vm->vm.max_vcpu_id ? : VM_MAX_VCPU_ID;
	vm->pid_table = alloc_pages_exact(table_bytes(vm), GFP_KERNEL_ACCOUNT |
							   __GFP_ZERO);
	return vm->pid_table ? 0 : -ENOMEM;
}

int vmx_ipiv_init(struct vmx_vcpu *vmx)
{
	struct vmx_vm *vm = to_vmx_vm(vmx->vcpu.vm);
	u32 id = vmx->vcpu.id;

	if (!vmx->vcpu.lapic || !vmx_can(&vmx_host_caps, CTL_IPIV))
		return 0;
	if (make_table(vm))
		return -ENOMEM;
	if (pid_reachable(id, vm->pid_entries))
		vmx->pid_entry = &vm->pid_table[id];
	return 0;
}

void vmx_ipiv_free(struct vmx_vcpu *vmx)
{
	/* It has never run, or nobody of its VM will. */
	if (vmx->pid_entry)
		WRITE_ONCE(*vmx->pid_entry, 0);
	vmx->pid_entry = NULL;
}

void vmx_ipiv_vm_free(struct vmx_vm *vm)
{
	if (vm->pid_table)
		free_pages_exact(vm->pid_table, table_bytes(vm));
	vm->pid_table = NULL;
}

void vmx_ipiv_setup(struct vmx_vcpu *vmx)
{
	const struct vmx_vm *vm = to_vmx_vm(vmx->vcpu.vm);

	if (!vm->pid_table)
		return;
	vmcs_write(PID_TABLE_ADDR, __pa(vm->pid_table));
	vmcs_write(LAST_PID_INDEX, pid_last(vm->pid_entries));
}

void vmx_ipiv_enter(struct vmx_vcpu *vmx)
{
	const struct lapic *lapic = vmx->vcpu.lapic;
	bool takes;
	u64 entry;

	takes = vmx->vcpu.hw_irqs && lapic_sw_enabled(lapic);
	entry = takes ? pid_entry(__pa(lapic->posted)) : 0;
	/* Since the load its descriptor has said whom to notify. */
	if (READ_ONCE(*vmx->pid_entry) != entry)
		smp_store_release(vmx->pid_entry, entry);
}
