// SPDX-License-Identifier: GPL-2.0-only
/*
 * The one registered backend and its static calls.
 *
 * Before a vendor registers, each hot call leads to a stub that does nothing:
 * no VM can exist then, so none is ever reached. `backend` changes only
 * inside backend_register/unregister, while no VM exists and /dev/kvm is not
 * open: the device node is created last and removed first, and both VMs and
 * open files of the node hold the vendor module, whose exit is the caller of
 * backend_unregister().
 */
#include <linux/mutex.h>
#include <linux/printk.h>

#include "core/backend.h"
#include "core/hostinfo.h"
#include "host/cpu.h"
#include "host/module.h"

struct backend backend __read_mostly;

static DEFINE_MUTEX(register_lock);

void backend_null_load(struct vcpu *vcpu, int cpu)
{
}

void backend_null_put(struct vcpu *vcpu)
{
}

void backend_null_regs_load(struct vcpu *vcpu, u32 groups)
{
}

void backend_null_run(struct vcpu *vcpu, const struct entry *entry,
		      struct exit *exit)
{
	exit->kind = EXIT_KIND_FAIL_ENTRY;
}

void backend_null_irqoff(struct vcpu *vcpu, struct exit *exit)
{
}

void backend_null_flush(struct vcpu *vcpu, enum flush_scope scope, u64 gva)
{
}

void backend_null_set_root(struct vcpu *vcpu, struct hpa root, int levels)
{
}

bool backend_null_deadline(struct vcpu *vcpu, u64 guest_tsc)
{
	return false;
}

void backend_null_notify(struct vcpu *vcpu, int cpu)
{
	BUG();
}

#define X(ret, name, args) \
	DEFINE_STATIC_CALL(backend_##name, backend_null_##name);
BACKEND_HOT_CALLS(X)
#undef X

static bool backend_complete(const struct backend *vendor)
{
#define X(ret, name, args) && vendor->name
	return vendor->name BACKEND_CALLS(X) BACKEND_HOT_CALLS(X);
#undef X
}

static void backend_install(const struct backend *vendor)
{
	backend = *vendor;
#define X(ret, name, args) \
	static_call_update(backend_##name, vendor->name);
	BACKEND_HOT_CALLS(X)
#undef X
}

static void backend_clear(void)
{
#define X(ret, name, args) \
	static_call_update(backend_##name, backend_null_##name);
	BACKEND_HOT_CALLS(X)
#undef X
	backend = (struct backend){ };
}

int backend_register(const struct backend *vendor)
{
	int err;

	if (!backend_complete(vendor)) {
		pr_err("kvm: backend %s lacks a call\n", vendor->name);
		return -EINVAL;
	}
	guard(mutex)(&register_lock);
	if (backend.name) {
		pr_err("kvm: backend %s is already loaded\n", backend.name);
		return -EBUSY;
	}
	backend_install(vendor);
	err = backend.setup();
	if (err)
		goto clear;
	err = cpu_virt_enable();
	if (err)
		goto teardown;
	err = module_publish(backend.owner);
	if (err)
		goto disable;
	return 0;

disable:
	cpu_virt_disable();
teardown:
	backend.teardown();
clear:
	backend_clear();
	return err;
}

void backend_unregister(void)
{
	guard(mutex)(&register_lock);
	module_withdraw();
	hostinfo_free();
	cpu_virt_disable();
	backend.teardown();
	backend_clear();
}
