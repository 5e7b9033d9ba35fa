// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of /dev/kvm.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/dispatch.h"
#include "api/ioctl_rows.h"
#include "core/fpu.h"
#include "core/hostinfo.h"

#define SYSTEM_MSRS_MAX 256

long system_api_version(struct ioctl_ctx *ctx, void *data)
{
	return KVM_API_VERSION;
}

long system_create_vm(struct ioctl_ctx *ctx, void *data)
{
	return fds_create_vm(ctx->arg);
}

long system_check_extension(struct ioctl_ctx *ctx, void *data)
{
	return cap_value(NULL, ctx->arg);
}

long system_mmap_size(struct ioctl_ctx *ctx, void *data)
{
	return (KVM_COALESCED_MMIO_PAGE_OFFSET + 1) * PAGE_SIZE;
}

/* The protocol of both CPUID lists: E2BIG if nent is too small. */
static long system_put_cpuid(struct ioctl_ctx *ctx,
			     const struct kvm_cpuid_entry2 *entries, u32 n)
{
	struct kvm_cpuid2 __user *user = ctx->user;
	struct kvm_cpuid2 head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < n)
		return -E2BIG;
	head.nent = n;
	if (copy_to_user(user, &head, sizeof(head)) ||
	    copy_to_user(user->entries, entries, n * sizeof(*entries)))
		return -EFAULT;
	return 0;
}

long system_supported_cpuid(struct ioctl_ctx *ctx, void *data)
{
	const struct cpuid_set *set = hostinfo_cpuid();

	return set ? system_put_cpuid(ctx, set->entries, set->n) : -ENOMEM;
}

long system_emulated_cpuid(struct ioctl_ctx *ctx, void *data)
{
	/* Emulated though the host lacks it: RDPID and MOVBE would be. */
	static const struct kvm_cpuid_entry2 none[] = {
		{ .function = 0 },
	};

	return system_put_cpuid(ctx, none, ARRAY_SIZE(none));
}

/*
 * E2BIG, with the right count written back, is how VMMs learn the size. @n is
 * what there is, which @list, of @max, may have too little room for.
 */
static long system_put_list(struct ioctl_ctx *ctx, const u32 *list, u32 n,
			    u32 max)
{
	struct kvm_msr_list __user *user = ctx->user;
	struct kvm_msr_list head;
	u32 room;

	if (n > max)
		return -E2BIG;
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	room = head.nmsrs;
	head.nmsrs = n;
	if (copy_to_user(user, &head, sizeof(head)))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	if (copy_to_user(user->indices, list, n * sizeof(*list)))
		return -EFAULT;
	return 0;
}

long system_msr_list(struct ioctl_ctx *ctx, void *data)
{
	const struct cpuid_set *supported = hostinfo_cpuid();
	u32 *list;
	long ret;

	list = kcalloc(SYSTEM_MSRS_MAX, sizeof(*list), GFP_KERNEL_ACCOUNT);
	if (!supported || !list)
		ret = -ENOMEM;
	else
		ret = system_put_list(ctx, list,
				      msr_list(supported, list, SYSTEM_MSRS_MAX),
				      SYSTEM_MSRS_MAX);
	kfree(list);
	return ret;
}

long system_msr_feature_list(struct ioctl_ctx *ctx, void *data)
{
	const struct cpuid_set *supported = hostinfo_cpuid();
	u32 list[32];

	if (!supported)
		return -ENOMEM;
	return system_put_list(ctx, list,
			       msr_feature_list(supported, list,
						ARRAY_SIZE(list)),
			       ARRAY_SIZE(list));
}

static enum msr_rc system_feature_msr(u32 index, u64 *val)
{
	enum msr_rc rc = backend.feature_msr(index, val);

	if (rc != MSR_UNKNOWN)
		return rc;
	return msr_feature_get(hostinfo_msr_env(), index, val);
}

long system_get_msrs(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_msrs __user *user = ctx->user;
	struct kvm_msr_entry entry;
	struct kvm_msrs head;
	u32 i;

	if (!hostinfo_msr_env())
		return -ENOMEM;
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs > SYSTEM_MSRS_MAX)
		return -E2BIG;
	for (i = 0; i < head.nmsrs; i++) {
		if (copy_from_user(&entry, &user->entries[i], sizeof(entry)))
			return -EFAULT;
		if (system_feature_msr(entry.index, &entry.data) != MSR_OK)
			break;
		if (copy_to_user(&user->entries[i], &entry, sizeof(entry)))
			return -EFAULT;
	}
	return i;
}

long system_mce_cap(struct ioctl_ctx *ctx, void *data)
{
	u64 cap = MCG_CAP_SUPPORTED;

	return copy_to_user(ctx->user, &cap, sizeof(cap)) ? -EFAULT : 0;
}

static bool system_attr_known(const struct kvm_device_attr *attr)
{
	return !attr->flags && attr->group == 0 &&
	       attr->attr == KVM_X86_XCOMP_GUEST_SUPP;
}

long system_has_attr(struct ioctl_ctx *ctx, void *data)
{
	return system_attr_known(data) ? 0 : -ENXIO;
}

long system_get_attr(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_device_attr *attr = data;
	u64 xcr0 = fpu_xcr0_host();

	if (!system_attr_known(attr))
		return -ENXIO;
	return put_user(xcr0, (u64 __user *)attr->addr) ? -EFAULT : 0;
}
