/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Facts: what programs look up under /sys/module/NAME/parameters before they
 * decide what to use, and what is not a setting of this module.
 *
 * Setting one says that it stays as it is and does not fail, as with a
 * parameter the kernel does not know: a modprobe.d file written for another
 * KVM must not keep this one from loading.
 */
#ifndef CORE_FACT_H
#define CORE_FACT_H

#include <linux/moduleparam.h>
#include <linux/printk.h>

static inline int fact_keep(const char *val, const struct kernel_param *param)
{
	pr_notice("kvm: the parameter %s is fixed\n", param->name);
	return 0;
}

static const struct kernel_param_ops fact_ops_int __maybe_unused = {
	.set = fact_keep,
	.get = param_get_int,
};

static const struct kernel_param_ops fact_ops_bool __maybe_unused = {
	.set = fact_keep,
	.get = param_get_bool,
};

/** FACT() - @name of @type, int or bool, reads as @value; at file scope */
#define FACT(name, type, value)						\
	static type name = (value);					\
	module_param_cb(name, &fact_ops_##type, &name, 0444)

#endif
