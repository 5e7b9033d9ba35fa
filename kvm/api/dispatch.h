/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The edge of the ABI: one row per ioctl, one dispatcher for all.
 *
 * The dispatcher finds the row by the whole 32-bit command, takes the locks
 * the row names, copies the argument in once, calls the handler and copies
 * the result out. Handlers see kernel memory only, but for rows marked RAW
 * (flexible arrays, and arguments that are no pointer).
 */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include <linux/file.h>

#include "core/vcpu.h"
#include "core/vm.h"

/* What a handler is called with. */
struct ioctl_ctx {
	struct vm *vm;		/* VM and vCPU scope */
	struct vcpu *vcpu;	/* vCPU scope */
	unsigned long arg;	/* as it came: RAW and value rows */
	void __user *user;	/* the same as a pointer */
	bool compat;		/* of a 32-bit program */
};

enum ioctl_flag {
	IOCTL_VM_LOCK = BIT(0),		/* vm->lock held */
	IOCTL_VCPU_LOCK = BIT(1),	/* vcpu->mutex held */
	IOCTL_LOAD = BIT(2),		/* and the vCPU loaded */
	IOCTL_NO_ARG = BIT(3),		/* arg has to be 0: -EINVAL */
	IOCTL_DIRECT = BIT(4),		/* KVM_RUN: nothing but the mutex */
};

struct ioctl_row {
	u32 cmd;
	u16 in, out;		/* bytes copied before and after, 0 for none */
	u8 flags;		/* enum ioctl_flag */
	long (*handle)(struct ioctl_ctx *ctx, void *data);
	const char *name;
};

/* Structs up to this size are copied to the stack, larger ones to the heap. */
#define IOCTL_STACK 1024

struct ioctl_table {
	const struct ioctl_row *rows;
	const u8 *at;		/* a row's number + 1, see dispatch.c */
};

/** dispatch() - find @cmd in @table and run it; -ENOTTY if there is none */
long dispatch(const struct ioctl_table *table, struct ioctl_ctx *ctx, u32 cmd);

/* The three scopes, from ioctl_rows.h. */
extern const struct ioctl_table ioctl_system;
extern const struct ioctl_table ioctl_vm;
extern const struct ioctl_table ioctl_vcpu;

/* fds.c: file descriptors of VMs and vCPUs; an fd or an errno. */
long fds_create_vm(unsigned long type);
long fds_create_vcpu(struct vm *vm, u32 id);

/* cap.c */
/** cap_value() - KVM_CHECK_EXTENSION; 0 for what we do not know */
long cap_value(struct vm *vm, unsigned long cap);
/** cap_enable_vm() - KVM_ENABLE_CAP on a VM; vm->lock held */
long cap_enable_vm(struct vm *vm, const struct kvm_enable_cap *cap);

#endif
