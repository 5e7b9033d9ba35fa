/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm.ko as a module, and the /dev/kvm node.
 */
#ifndef HOST_MODULE_H
#define HOST_MODULE_H

struct file_operations;

/** module_publish() - create /dev/kvm; from here on VMs may come */
int module_publish(void);

/** module_withdraw() - remove /dev/kvm; open files keep the modules pinned */
void module_withdraw(void);

/* The operations of /dev/kvm; defined by api/system.c, fixed at link time. */
extern const struct file_operations system_fops;

#endif
