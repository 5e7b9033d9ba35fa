/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Virtualization on the host's CPUs: on while a backend is registered, on
 * each CPU that is online, off across suspend, reboot and hot-unplug.
 */
#ifndef HOST_CPU_H
#define HOST_CPU_H

/**
 * cpu_virt_enable() - backend.cpu_on() on every CPU, now and when one comes
 *
 * May sleep. Fails with what cpu_on() said on the CPU that refused; it is off
 * again everywhere then.
 */
int cpu_virt_enable(void);

/** cpu_virt_disable() - undo cpu_virt_enable(); no VM exists */
void cpu_virt_disable(void);

#endif
