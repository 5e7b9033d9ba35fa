// SPDX-License-Identifier: GPL-2.0-only
/*
 * Life of a VM and its device buses: see vm.h.
 */
#include <linux/slab.h>

#include "core/apic.h"
#include "core/backend.h"
#include "core/io.h"
#include "core/locks.h"
#include "core/vcpu.h"
#include "core/vm.h"
#include "irq/chip.h"
#include "irq/ioeventfd.h"
#include "irq/irqfd.h"
#include "irq/route.h"

static void vm_flush(struct mmu *mmu)
{
	struct vm *vm = container_of(mmu, struct vm, mmu);

	atomic64_inc(&vm->stat.remote_tlb_flush_requests);
	if (vm_request_all(vm, REQ_TLB_FLUSH))
		atomic64_inc(&vm->stat.remote_tlb_flush);
}

static void vm_quiesce(struct mmu *mmu)
{
	/* A reason to exit is all that is wanted. */
	vm_request_all(container_of(mmu, struct vm, mmu), REQ_EVENT);
}

static const struct mmu_ops vm_mmu_ops = {
	.flush = vm_flush,
	.quiesce = vm_quiesce,
};

static void vm_init_fields(struct vm *vm)
{
	kref_init(&vm->ref);
	vm_locks_init(vm);
	xa_init(&vm->vcpus);
	xa_init(&vm->vcpus_by_id);
	INIT_LIST_HEAD(&vm->coalesced_zones);
	INIT_LIST_HEAD(&vm->irqfds);
	INIT_LIST_HEAD(&vm->resamplers);
	INIT_LIST_HEAD(&vm->ioeventfds);
	irq_later_init(&vm->later);
	apic_vm_init(vm);
	clock_vm_init(vm);
}

static int vm_init(struct vm *vm)
{
	int err;

	vm->coalesced_ring = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!vm->coalesced_ring)
		return -ENOMEM;
	err = mem_setup(&vm->mem);
	if (err)
		goto free_ring;
	err = mmu_init(&vm->mmu, &vm->mem, backend.tdp, backend.tdp_levels,
		       &vm_mmu_ops);
	if (err)
		goto free_mem;
	err = backend.vm_init(vm);
	if (err)
		goto free_mmu;
	return 0;

free_mmu:
	mmu_free(&vm->mmu);
free_mem:
	mem_free(&vm->mem);
free_ring:
	free_page((unsigned long)vm->coalesced_ring);
	return err;
}

int vm_create(unsigned long type, struct vm **out)
{
	struct vm *vm;
	int err;

	if (type)
		return -EINVAL;
	if (!try_module_get(backend.owner))
		return -ENODEV;
	vm = kzalloc(backend.vm_size, GFP_KERNEL_ACCOUNT);
	if (!vm) {
		err = -ENOMEM;
		goto put_module;
	}
	vm_init_fields(vm);
	err = vm_init(vm);
	if (err)
		goto free_vm;
	*out = vm;
	return 0;

free_vm:
	kfree(vm);
put_module:
	module_put(backend.owner);
	return err;
}

static void vm_free_coalesced(struct vm *vm)
{
	io_coalesced_free(vm);
	free_page((unsigned long)vm->coalesced_ring);
}

/* The last reference is gone: no fd, no vCPU thread, no reader of any table. */
static void vm_destroy(struct kref *ref)
{
	struct vm *vm = container_of(ref, struct vm, ref);
	unsigned int i;

	irqfd_free_all(vm);
	ioeventfd_free_all(vm);
	chip_free(vm);
	/* Until it is gone, notifiers may ask the vCPUs to flush. */
	mmu_free(&vm->mmu);
	for (i = 0; i < vm->vcpu_count; i++)
		vcpu_free(vm_vcpu(vm, i));
	xa_destroy(&vm->vcpus);
	xa_destroy(&vm->vcpus_by_id);
	route_free(vm);
	vm_free_coalesced(vm);
	host_free(rcu_dereference_raw(vm->bus[VM_BUS_PIO]));
	host_free(rcu_dereference_raw(vm->bus[VM_BUS_MMIO]));
	mem_free(&vm->mem);
	apic_vm_free(vm);
	backend.vm_free(vm);
	kfree(vm);
	module_put(backend.owner);
}

void vm_get(struct vm *vm)
{
	kref_get(&vm->ref);
}

bool vm_get_safe(struct vm *vm)
{
	return kref_get_unless_zero(&vm->ref);
}

void vm_put(struct vm *vm)
{
	kref_put(&vm->ref, vm_destroy);
}

bool vm_bug(struct vm *vm, bool cond, const char *what)
{
	struct vcpu *vcpu;
	unsigned int i;

	if (likely(!cond))
		return false;
	if (!xchg(&vm->dead, true))
		pr_err("kvm: VM of process %d is dead: %s\n",
		       task_tgid_nr(current), what);
	vm_for_each_vcpu_atomic(i, vcpu, vm)
		vcpu_request_kick(vcpu, REQ_VM_DEAD);
	return true;
}

struct vcpu *vm_vcpu(struct vm *vm, unsigned int i)
{
	return xa_load(&vm->vcpus, i);
}

struct vcpu *vm_vcpu_by_id(struct vm *vm, u32 id)
{
	return xa_load(&vm->vcpus_by_id, id);
}

/* ---- device buses ----------------------------------------------------- */

static int vm_bus_errno(enum bus_rc rc)
{
	switch (rc) {
	case BUS_OK:
		return 0;
	case BUS_EXISTS:
		return -EEXIST;
	case BUS_NOENT:
		return -ENOENT;
	case BUS_INVALID:
		return -EINVAL;
	case BUS_FULL:
		return -ENOSPC;
	case BUS_NOMEM:
		return -ENOMEM;
	}
	return -EINVAL;
}

static struct bus_table *vm_bus_table(struct vm *vm, enum vm_bus bus)
{
	return rcu_dereference_protected(vm->bus[bus],
				lockdep_is_held(&vm->mem.slots_lock));
}

/* Nobody is left who may use @old: then it can be freed at once. */
static void vm_bus_publish(struct vm *vm, enum vm_bus bus,
			   struct bus_table *table, struct bus_table *old)
{
	if (bus_is_long(table))
		set_bit(bus, &vm->slow);
	rcu_assign_pointer(vm->bus[bus], table);
	if (!bus_is_long(table))
		clear_bit(bus, &vm->slow);
	epoch_wait(&vm->mem.epoch);
	host_free(old);
}

int vm_bus_add_all(struct vm *vm, const struct vm_bus_range *ranges,
		   unsigned int n)
{
	struct bus_table *old[VM_BUS_COUNT], *new[VM_BUS_COUNT], *table;
	enum bus_rc rc = BUS_OK;
	unsigned int i, bus;

	for (bus = 0; bus < VM_BUS_COUNT; bus++)
		old[bus] = new[bus] = vm_bus_table(vm, bus);
	for (i = 0; i < n && rc == BUS_OK; i++) {
		bus = ranges[i].bus;
		rc = bus_table_add(new[bus], &ranges[i].range, &table);
		if (rc != BUS_OK)
			break;
		if (new[bus] != old[bus])
			host_free(new[bus]);
		new[bus] = table;
	}
	for (bus = 0; bus < VM_BUS_COUNT; bus++) {
		if (new[bus] == old[bus])
			continue;
		if (rc == BUS_OK)
			vm_bus_publish(vm, bus, new[bus], old[bus]);
		else
			host_free(new[bus]);
	}
	return vm_bus_errno(rc);
}

int vm_bus_add(struct vm *vm, enum vm_bus bus, const struct bus_range *range)
{
	const struct vm_bus_range one = { .bus = bus, .range = *range };

	return vm_bus_add_all(vm, &one, 1);
}

int vm_bus_remove(struct vm *vm, enum vm_bus bus,
		  const struct bus_range *range)
{
	struct bus_table *old = vm_bus_table(vm, bus);
	struct bus_table *table;
	enum bus_rc rc = bus_table_remove(old, range, &table);

	if (rc == BUS_OK)
		vm_bus_publish(vm, bus, table, old);
	return vm_bus_errno(rc);
}
