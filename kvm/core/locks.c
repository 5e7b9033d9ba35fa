// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock order as lockdep sees it: see locks.h for the list.
 */
#include <linux/lockdep.h>
#include <linux/mutex.h>
#include <linux/slab.h>

#include "core/locks.h"
#include "core/vcpu.h"
#include "core/vm.h"

void vm_locks_init(struct vm *vm)
{
	mutex_init(&vm->lock);
	mutex_init(&vm->irq_lock);
	spin_lock_init(&vm->coalesced_lock);
}

void vcpu_locks_init(struct vcpu *vcpu)
{
	mutex_init(&vcpu->mutex);
}

void locks_prime(void)
{
	struct vcpu *vcpu;
	struct vm *vm;

	if (!IS_ENABLED(CONFIG_LOCKDEP))
		return;
	vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL);
	if (vm && vcpu) {
		vm_locks_init(vm);
		irq_later_init(&vm->later);
		vcpu_locks_init(vcpu);
		mem_locks_init(&vm->mem);

		mutex_lock(&vm->lock);
		mutex_lock(&vcpu->mutex);
		mutex_lock(&vm->mem.slots_lock);
		mutex_lock(&vm->irq_lock);
		mutex_lock(&vm->later.lock);
		mutex_unlock(&vm->later.lock);
		mutex_unlock(&vm->irq_lock);
		mutex_unlock(&vm->mem.slots_lock);
		mutex_unlock(&vcpu->mutex);
		mutex_unlock(&vm->lock);
	}
	kfree(vcpu);
	kfree(vm);
}
