/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kvm.ko as a module, and the /dev/kvm node.
 */
#ifndef HOST_MODULE_H
#define HOST_MODULE_H

struct file_operations;
struct module;

/**
 * module_publish() - create /dev/kvm; from here on VMs may come
 * @owner: the vendor module: each open file of /dev/kvm holds it
 */
int module_publish(struct module *owner);

/** module_withdraw() - remove /dev/kvm; no file of it is open any more */
void module_withdraw(void);

/* The operations of /dev/kvm, but for their owner; defined by api/fds.c. */
extern const struct file_operations system_fops;

#endif
