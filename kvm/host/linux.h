/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where releases of the kernel's 6.12 series differ: one name for both ways.
 * Kbuild looks at the kernel's headers and says which one it is, as stable
 * releases take such changes in without a new version to ask for.
 */
#ifndef HOST_LINUX_H
#define HOST_LINUX_H

#include <linux/syscore_ops.h>

#ifdef HOST_SYSCORE_HAS_DATA
#define SYSCORE_ARG void *unused
#define SYSCORE(name, operations) \
	static struct syscore name = { .ops = &(operations) }
#define syscore_register register_syscore
#define syscore_unregister unregister_syscore
#else
#define SYSCORE_ARG void
#define SYSCORE(name, operations) \
	static struct syscore_ops *const name = &(operations)
#define syscore_register(name) register_syscore_ops(*(name))
#define syscore_unregister(name) unregister_syscore_ops(*(name))
#endif

#endif
