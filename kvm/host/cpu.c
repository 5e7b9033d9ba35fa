// SPDX-License-Identifier: GPL-2.0-only
/*
 * Switching virtualization on and off per CPU: see cpu.h.
 *
 * Hotplug callbacks do the CPUs one by one; the kernel keeps a state for KVM
 * that comes late enough for a CPU to run guests and early enough that its
 * tasks are still there. Suspend and resume go through syscore, on the last
 * CPU with interrupts off. At reboot each CPU is switched off so that INIT is
 * not blocked.
 */
#include <linux/cpuhotplug.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/smp.h>

#include "core/backend.h"
#include "host/cpu.h"
#include "host/linux.h"

static int cpu_virt_online(unsigned int cpu)
{
	unsigned long flags;
	int err;

	local_irq_save(flags);
	err = backend.cpu_on();
	local_irq_restore(flags);
	return err;
}

static int cpu_virt_offline(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	backend.cpu_off();
	local_irq_restore(flags);
	return 0;
}

static int cpu_virt_suspend(SYSCORE_ARG)
{
	backend.cpu_off();
	return 0;
}

static void cpu_virt_resume(SYSCORE_ARG)
{
	/* It worked before the suspend; vCPUs fail their entries if not now. */
	(void)backend.cpu_on();
}

static void cpu_virt_off_ipi(void *unused)
{
	backend.cpu_off();
}

static void cpu_virt_shutdown(SYSCORE_ARG)
{
	on_each_cpu(cpu_virt_off_ipi, NULL, 1);
}

static struct syscore_ops cpu_virt_syscore_ops = {
	.suspend = cpu_virt_suspend,
	.resume = cpu_virt_resume,
	.shutdown = cpu_virt_shutdown,
};
SYSCORE(cpu_virt_syscore, cpu_virt_syscore_ops);

int cpu_virt_enable(void)
{
	int err;

	err = cpuhp_setup_state(CPUHP_AP_KVM_ONLINE, "kvm/cpu:online",
				cpu_virt_online, cpu_virt_offline);
	if (err)
		return err;
	syscore_register(&cpu_virt_syscore);
	/* vCPUs follow their thread from CPU to CPU. */
	preempt_notifier_inc();
	return 0;
}

void cpu_virt_disable(void)
{
	preempt_notifier_dec();
	syscore_unregister(&cpu_virt_syscore);
	cpuhp_remove_state(CPUHP_AP_KVM_ONLINE);
}
