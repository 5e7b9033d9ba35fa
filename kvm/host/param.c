// SPDX-License-Identifier: GPL-2.0-only
/*
 * What programs look up under /sys/module/kvm/parameters before they decide
 * what to use: facts about this module, not settings.
 *
 * Setting one says that it stays as it is and does not fail, as with a
 * parameter the kernel does not know: a modprobe.d file written for another
 * kvm.ko must not keep this one from loading.
 */
#include <linux/moduleparam.h>
#include <linux/printk.h>

static int param_keep(const char *val, const struct kernel_param *param)
{
	pr_notice("kvm: the parameter %s is fixed\n", param->name);
	return 0;
}

static const struct kernel_param_ops param_int_ops = {
	.set = param_keep,
	.get = param_get_int,
};

static const struct kernel_param_ops param_bool_ops = {
	.set = param_keep,
	.get = param_get_bool,
};

/* No prefix makes the guest's next instruction go to the emulator. */
static int force_emulation_prefix;
module_param_cb(force_emulation_prefix, &param_int_ops,
		&force_emulation_prefix, 0444);

/* Guests have no performance counters. */
static bool enable_pmu;
module_param_cb(enable_pmu, &param_bool_ops, &enable_pmu, 0444);
