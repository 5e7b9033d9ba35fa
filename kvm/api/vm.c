// SPDX-License-Identifier: GPL-2.0-only
/*
 * ioctls of a VM fd. Each row's locks are in ioctl_rows.h.
 */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "api/dispatch.h"
#include "api/ioctl_rows.h"
#include "core/clock.h"
#include "core/io.h"
#include "irq/chip.h"
#include "irq/ioeventfd.h"
#include "irq/irqfd.h"
#include "irq/msi.h"
#include "irq/route.h"

#define GIB (1UL << 30)

/* KVM documentation, KVM_SET_NR_MMU_PAGES, has none; the in-tree modules' */
#define MMU_PAGES_MIN 64

long vm_check_extension(struct ioctl_ctx *ctx, void *data)
{
	return cap_value(ctx->vm, ctx->arg);
}

long vm_enable_cap(struct ioctl_ctx *ctx, void *data)
{
	return cap_enable_vm(ctx->vm, data);
}

long vm_create_vcpu(struct ioctl_ctx *ctx, void *data)
{
	if (ctx->arg > U32_MAX)
		return -EINVAL;
	return fds_create_vcpu(ctx->vm, ctx->arg);
}

/* ---- memory ----------------------------------------------------------- */

long vm_set_region(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_userspace_memory_region *old = data;
	struct kvm_userspace_memory_region2 in = {
		.slot = old->slot,
		.flags = old->flags,
		.guest_phys_addr = old->guest_phys_addr,
		.memory_size = old->memory_size,
		.userspace_addr = old->userspace_addr,
	};

	return mem_set_region(&ctx->vm->mem, &in);
}

long vm_set_region2(struct ioctl_ctx *ctx, void *data)
{
	return mem_set_region(&ctx->vm->mem, data);
}

long vm_get_dirty_log(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_dirty_log *log = data;

	/* A pointer of 32 bits, and the rest of the union is anything. */
	if (ctx->compat)
		log->dirty_bitmap =
			(void __user *)(unsigned long)(u32)log->padding2;
	return mem_get_dirty_log(&ctx->vm->mem, log->slot, log->dirty_bitmap);
}

long vm_set_tss_addr(struct ioctl_ctx *ctx, void *data)
{
	/* Three pages below 4 GiB, which unrestricted guests do not need. */
	if (ctx->arg > 4 * GIB - 3 * PAGE_SIZE)
		return -EINVAL;
	ctx->vm->tss_addr = ctx->arg;
	return 0;
}

long vm_set_identity_addr(struct ioctl_ctx *ctx, void *data)
{
	if (ctx->vm->vcpu_count)
		return -EINVAL;
	ctx->vm->identity_addr = *(u64 *)data;
	return 0;
}

long vm_set_nr_mmu_pages(struct ioctl_ctx *ctx, void *data)
{
	/* Limits shadow pages, of which there are none. */
	return ctx->arg < MMU_PAGES_MIN ? -EINVAL : 0;
}

long vm_set_boot_cpu(struct ioctl_ctx *ctx, void *data)
{
	struct vm *vm = ctx->vm;

	if (vm->vcpu_count)
		return -EBUSY;
	if (ctx->arg >= (vm->max_vcpu_id ? : VM_MAX_VCPU_ID))
		return -EINVAL;
	vm->bsp_id = ctx->arg;
	vm->lapic_config.bsp_id = ctx->arg;
	return 0;
}

/* ---- interrupts ------------------------------------------------------- */

static long vm_set_line(struct ioctl_ctx *ctx, struct kvm_irq_level *irq)
{
	if (ctx->vm->irqchip_mode == IRQCHIP_NONE)
		return -ENXIO;
	irq->status = chip_set_irq(ctx->vm, CHIP_SOURCE_USER, irq->irq,
				   irq->level);
	return 0;
}

long vm_irq_line(struct ioctl_ctx *ctx, void *data)
{
	return vm_set_line(ctx, data);
}

long vm_irq_line_status(struct ioctl_ctx *ctx, void *data)
{
	return vm_set_line(ctx, data);
}

long vm_signal_msi(struct ioctl_ctx *ctx, void *data)
{
	return msi_signal(ctx->vm, data);
}

long vm_create_irqchip(struct ioctl_ctx *ctx, void *data)
{
	return chip_create(ctx->vm);
}

long vm_get_irqchip(struct ioctl_ctx *ctx, void *data)
{
	return chip_get(ctx->vm, data);
}

long vm_set_irqchip(struct ioctl_ctx *ctx, void *data)
{
	return chip_set(ctx->vm, data);
}

long vm_create_pit(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };

	return chip_create_pit(ctx->vm, &config);
}

long vm_create_pit2(struct ioctl_ctx *ctx, void *data)
{
	return chip_create_pit(ctx->vm, data);
}

long vm_get_pit(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_pit_state *out = data;
	struct kvm_pit_state2 state;
	long err = chip_get_pit(ctx->vm, &state);

	if (!err)
		memcpy(out->channels, state.channels, sizeof(out->channels));
	return err;
}

long vm_set_pit(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_pit_state *in = data;
	struct kvm_pit_state2 state = { };

	memcpy(state.channels, in->channels, sizeof(state.channels));
	return chip_set_pit(ctx->vm, &state);
}

long vm_get_pit2(struct ioctl_ctx *ctx, void *data)
{
	return chip_get_pit(ctx->vm, data);
}

long vm_set_pit2(struct ioctl_ctx *ctx, void *data)
{
	return chip_set_pit(ctx->vm, data);
}

long vm_reinject(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_reinject_control *in = data;

	return chip_reinject(ctx->vm, in->pit_reinject);
}

long vm_set_routing(struct ioctl_ctx *ctx, void *data)
{
	struct kvm_irq_routing __user *user = ctx->user;
	struct kvm_irq_routing_entry *entries;
	struct kvm_irq_routing head;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (ctx->vm->irqchip_mode == IRQCHIP_NONE)
		return -EINVAL;
	if (head.nr > ROUTE_MAX_GSI || head.flags)
		return -EINVAL;
	entries = vmemdup_array_user(user->entries, head.nr,
				     sizeof(*entries));
	if (IS_ERR(entries))
		return head.nr ? PTR_ERR(entries) :
				 route_set(ctx->vm, NULL, 0);
	ret = route_set(ctx->vm, entries, head.nr);
	kvfree(entries);
	return ret;
}

long vm_irqfd(struct ioctl_ctx *ctx, void *data)
{
	return irqfd_ioctl(ctx->vm, data);
}

long vm_ioeventfd(struct ioctl_ctx *ctx, void *data)
{
	return ioeventfd_ioctl(ctx->vm, data);
}

long vm_coalesced_add(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_coalesced_mmio_zone *zone = data;

	if (zone->pio > 1)
		return -EINVAL;
	return io_coalesced_add(ctx->vm, zone->addr, zone->size, zone->pio);
}

long vm_coalesced_remove(struct ioctl_ctx *ctx, void *data)
{
	const struct kvm_coalesced_mmio_zone *zone = data;

	if (zone->pio > 1)
		return -EINVAL;
	return io_coalesced_remove(ctx->vm, zone->addr, zone->size, zone->pio);
}

/* ---- time ------------------------------------------------------------- */

long vm_get_clock(struct ioctl_ctx *ctx, void *data)
{
	clock_get(ctx->vm, data);
	return 0;
}

long vm_set_clock(struct ioctl_ctx *ctx, void *data)
{
	return clock_set(ctx->vm, data) ? 0 : -EINVAL;
}

/* Of vCPUs to come. */
long vm_get_tsc_khz(struct ioctl_ctx *ctx, void *data)
{
	return ctx->vm->clock.tsc_khz;
}

long vm_set_tsc_khz(struct ioctl_ctx *ctx, void *data)
{
	if (ctx->arg > U32_MAX)
		return -EINVAL;
	return clock_vm_set_khz(ctx->vm, ctx->arg) ? 0 : -EINVAL;
}

/* ---- devices ---------------------------------------------------------- */

long vm_create_device(struct ioctl_ctx *ctx, void *data)
{
	/* The first type will be VFIO's. */
	return -ENODEV;
}
