// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of a vCPU fd, but for its register state (state.c). The vCPU's mutex
 * is held, and it is loaded where ioctl_rows.h says so.
 */
#include <linux/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/dispatch.h"
#include "api/ioctl_rows.h"
#include "core/clock.h"
#include "core/emuglue.h"
#include "core/hostinfo.h"
#include "pv/pv.h"

#define VCPU_MSRS_MAX 256

long vcpu_ioctl_run(struct ioctl_ctx *ctx, void *data)
{
	return vcpu_run(ctx->vcpu);
}

long vcpu_ioctl_enable_cap(struct ioctl_ctx *ctx, void *data)
{
	/* None is per vCPU yet. */
	return -EINVAL;
}

/* ---- CPUID ------------------------------------------------------------ */

static long vcpu_set_entries(struct vcpu *vcpu,
			     const struct kvm_cpuid_entry2 *entries, u32 n)
{
	struct cpuid_set *set;

	/* What a guest has seen once stays: but the same again is no change. */
	if (vcpu->launched)
		return cpuid_set_equal(vcpu->cpuid, entries, n) ? 0 : -EINVAL;
	if (!cpuid_check(entries, n, hostinfo_cr()->xcr0))
		return -EINVAL;
	set = cpuid_set_new(entries, n);
	if (!set)
		return -ENOMEM;
	cpuid_set_free(vcpu->cpuid);
	vcpu->cpuid = set;
	vcpu_cpuid_changed(vcpu);
	return 0;
}

long vcpu_ioctl_set_cpuid2(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_cpuid2 __user *user = ctx->user;
	struct kvm_cpuid_entry2 *entries = NULL;
	struct kvm_cpuid2 head;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > CPUID_MAX_ENTRIES)
		return -E2BIG;
	if (head.nent) {
		entries = vmemdup_array_user(user->entries, head.nent,
					     sizeof(*entries));
		if (IS_ERR(entries))
			return PTR_ERR(entries);
	}
	ret = vcpu_set_entries(ctx->vcpu, entries, head.nent);
	kvfree(entries);
	return ret;
}

/* The oldest form: no indices. */
long vcpu_ioctl_set_cpuid(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_cpuid __user *user = ctx->user;
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid_entry *old;
	struct kvm_cpuid head;
	long ret = -ENOMEM;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > CPUID_MAX_ENTRIES)
		return -E2BIG;
	if (!head.nent)
		return vcpu_set_entries(ctx->vcpu, NULL, 0);
	old = vmemdup_array_user(user->entries, head.nent, sizeof(*old));
	if (IS_ERR(old))
		return PTR_ERR(old);
	entries = host_zalloc(head.nent * sizeof(*entries));
	if (entries) {
		for (i = 0; i < head.nent; i++)
			entries[i] = (struct kvm_cpuid_entry2){
				.function = old[i].function,
				.eax = old[i].eax,
				.ebx = old[i].ebx,
				.ecx = old[i].ecx,
				.edx = old[i].edx,
			};
		ret = vcpu_set_entries(ctx->vcpu, entries, head.nent);
	}
	host_free(entries);
	kvfree(old);
	return ret;
}

long vcpu_ioctl_get_cpuid2(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_cpuid2 __user *user = ctx->user;
	const struct cpuid_set *set = ctx->vcpu->cpuid;
	struct kvm_cpuid_entry2 entry;
	u32 i, n = set ? set->n : 0;
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < n)
		return -E2BIG;
	head.nent = n;
	if (copy_to_user(user, &head, sizeof(head)))
		return -EFAULT;
	for (i = 0; i < n; i++) {
		cpuid_entry_now(set, &ctx->vcpu->cpuid_dyn, i, &entry);
		if (copy_to_user(&user->entries[i], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return 0;
}

/* ---- MSRs ------------------------------------------------------------- */

static u32 vcpu_do_msrs(struct vcpu *vcpu, struct kvm_msr_entry *entries,
			u32 n, bool set)
{
	enum msr_rc rc;
	u32 i;

	for (i = 0; i < n; i++) {
		if (set)
			rc = msr_set(&vcpu->msrs, entries[i].index, true,
				     entries[i].data);
		else
			rc = msr_get(&vcpu->msrs, entries[i].index, true,
				     &entries[i].data);
		if (rc != MSR_OK)
			break;
	}
	return i;
}

/* Returns how many were done before the first that failed. */
static long vcpu_msrs(struct ioctl_ctx *ctx, bool set)
{
	struct kvm_msrs __user *user = ctx->user;
	struct kvm_msr_entry *entries;
	struct kvm_msrs head;
	long done;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs > VCPU_MSRS_MAX)
		return -E2BIG;
	if (!head.nmsrs)
		return 0;
	entries = vmemdup_array_user(user->entries, head.nmsrs,
				     sizeof(*entries));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	done = vcpu_do_msrs(ctx->vcpu, entries, head.nmsrs, set);
	if (!set && copy_to_user(user->entries, entries,
				 head.nmsrs * sizeof(*entries)))
		done = -EFAULT;
	kvfree(entries);
	return done;
}

long vcpu_ioctl_get_msrs(struct ioctl_ctx *ctx, void *data)
{
	return vcpu_msrs(ctx, false);
}

long vcpu_ioctl_set_msrs(struct ioctl_ctx *ctx, void *data)
{
	return vcpu_msrs(ctx, true);
}

long vcpu_ioctl_setup_mce(struct ioctl_ctx *ctx, void *data)
{
	return msr_mce_setup(&ctx->vcpu->msrs, *(u64 *)data) ? 0 : -EINVAL;
}

/* ---- time ------------------------------------------------------------- */

long vcpu_ioctl_get_tsc_khz(struct ioctl_ctx *ctx, void *data)
{
	return ctx->vcpu->tsc.khz;
}

long vcpu_ioctl_set_tsc_khz(struct ioctl_ctx *ctx, void *data)
{
	if (ctx->arg > U32_MAX)
		return -EINVAL;
	return clock_set_khz(ctx->vcpu, ctx->arg) ? 0 : -EINVAL;
}

long vcpu_ioctl_kvmclock_ctrl(struct ioctl_ctx *ctx, void *data)
{
	return pv_clock_paused(ctx->vcpu) ? 0 : -EINVAL;
}

static bool vcpu_attr_known(const struct kvm_device_attr *attr)
{
	return !attr->flags && attr->group == KVM_VCPU_TSC_CTRL &&
	       attr->attr == KVM_VCPU_TSC_OFFSET;
}

long vcpu_ioctl_has_attr(struct ioctl_ctx *ctx, void *data)
{
	return vcpu_attr_known(data) ? 0 : -ENXIO;
}

long vcpu_ioctl_get_attr(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_device_attr *attr = data;

	if (!vcpu_attr_known(attr))
		return -ENXIO;
	return put_user(ctx->vcpu->tsc.offset, (u64 __user *)attr->addr) ?
		-EFAULT : 0;
}

long vcpu_ioctl_set_attr(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_device_attr *attr = data;
	u64 offset;

	if (!vcpu_attr_known(attr))
		return -ENXIO;
	if (get_user(offset, (u64 __user *)attr->addr))
		return -EFAULT;
	clock_set_offset(ctx->vcpu, offset);
	return 0;
}

/* ---- interrupts ------------------------------------------------------- */

long vcpu_ioctl_nmi(struct ioctl_ctx *ctx, void *data)
{
	vcpu_send_nmi(ctx->vcpu);
	return 0;
}

long vcpu_ioctl_interrupt(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_interrupt *irq = data;
	struct vcpu *vcpu = ctx->vcpu;

	if (irq->irq > 255)
		return -EINVAL;
	if (vcpu->vm->irqchip_mode == IRQCHIP_KERNEL)
		return -ENXIO;
	if (!vcpu->lapic) {
		vcpu_hold_irq(vcpu, irq->irq);
		return 0;
	}
	if (vcpu->user_irq_pending)
		return -EEXIST;
	vcpu->user_irq = irq->irq;
	vcpu->user_irq_pending = true;
	return 0;
}

long vcpu_ioctl_set_vapic(struct ioctl_ctx *ctx, void *data)
{
	/* Only a hint where the TPR is cheap anyway; there must be an APIC. */
	return ctx->vcpu->lapic ? 0 : -EINVAL;
}

long vcpu_ioctl_tpr_reporting(struct ioctl_ctx *ctx, void *data)
{
	/* Nothing to report: TPR accesses need no patching here. */
	return ctx->vcpu->lapic ? 0 : -EINVAL;
}

long vcpu_ioctl_sigmask(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_signal_mask __user *user = ctx->user;
	struct vcpu *vcpu = ctx->vcpu;
	struct kvm_signal_mask head;
	sigset_t set;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, user->sigset, sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

/* ---- debugging -------------------------------------------------------- */

#define VCPU_GUESTDBG_FLAGS						\
	(KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP |		\
	 KVM_GUESTDBG_USE_SW_BP | KVM_GUESTDBG_USE_HW_BP |		\
	 KVM_GUESTDBG_INJECT_DB | KVM_GUESTDBG_INJECT_BP |		\
	 KVM_GUESTDBG_BLOCKIRQ)

long vcpu_ioctl_guest_debug(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_guest_debug *debug = data;
	struct vcpu *vcpu = ctx->vcpu;
	u32 inject = debug->control & (KVM_GUESTDBG_INJECT_DB |
				       KVM_GUESTDBG_INJECT_BP);

	if (debug->control & ~VCPU_GUESTDBG_FLAGS)
		return -EINVAL;
	if ((debug->control & KVM_GUESTDBG_USE_HW_BP) &&
	    !dr67_check(debug->arch.debugreg[7]))
		return -EINVAL;
	if (inject) {
		if (vcpu->events.exception.pending)
			return -EBUSY;
		event_raise(&vcpu->events, &(struct fault){
			.vector = inject & KVM_GUESTDBG_INJECT_DB ?
				  VEC_DB : VEC_BP,
		});
	}
	vcpu->guest_debug = debug->control & KVM_GUESTDBG_ENABLE ?
		debug->control & ~(KVM_GUESTDBG_INJECT_DB |
				   KVM_GUESTDBG_INJECT_BP) : 0;
	memcpy(vcpu->work->guest_debug_dr, debug->arch.debugreg,
	       sizeof(vcpu->work->guest_debug_dr));
	vcpu->debug_pending = false;
	vcpu_update_policy(vcpu);
	return 0;
}

long vcpu_ioctl_translate(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_translation *tr = data;
	struct vcpu *vcpu = ctx->vcpu;
	struct gpa gpa = GPA_NONE;

	epoch_enter(&vcpu->reader);
	tr->valid = emuglue_translate(vcpu, tr->linear_address, &gpa);
	epoch_exit(&vcpu->vm->mem.epoch, &vcpu->reader);
	tr->physical_address = gpa.v;
	tr->writeable = 1;
	tr->usermode = 0;
	return 0;
}
