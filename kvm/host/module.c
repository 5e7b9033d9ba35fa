// SPDX-License-Identifier: GPL-2.0-only
/*
 * Module init in one function, in the order things depend on each other, and
 * the device node, which exists while a backend is registered.
 *
 * The node's operations belong to the vendor module, so that an open file of
 * /dev/kvm holds that module and, as it uses this one's symbols, this one too:
 * while there is such a file, `backend` and what was computed from it stay.
 */
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "core/locks.h"
#include "host/module.h"
#include "mmu/mmu.h"

/* Changes only while there is no node, so nobody can have it open. */
static struct file_operations device_fops;

static struct miscdevice device = {
	.minor = KVM_MINOR,
	.name = "kvm",
	.fops = &device_fops,
};

int module_publish(struct module *owner)
{
	device_fops = system_fops;
	device_fops.owner = owner;
	return misc_register(&device);
}

void module_withdraw(void)
{
	misc_deregister(&device);
}

static int __init kvm_init(void)
{
	locks_prime();
	return 0;
}

static void __exit kvm_exit(void)
{
	mmu_module_exit();
	/* RCU callbacks of the last VMs run code of this module. */
	rcu_barrier();
}

module_init(kvm_init);
module_exit(kvm_exit);
MODULE_DESCRIPTION("Lean KVM: the Kernel-based Virtual Machine's core");
MODULE_LICENSE("GPL");
MODULE_ALIAS_MISCDEV(KVM_MINOR);
MODULE_ALIAS("devname:kvm");
