// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IOEVENTFD: see ioeventfd.h. The bus decides what matches and what
 * collides; here is the eventfd behind it and the list to find it again.
 */
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/slab.h>

#include "core/vm.h"
#include "irq/ioeventfd.h"
#include "mem/batch.h"

#define IOEVENTFD_FLAGS \
	(KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_PIO | \
	 KVM_IOEVENTFD_FLAG_DEASSIGN)

struct ioeventfd {
	struct bus_dev dev;		/* [I] */
	enum vm_bus bus;		/* [I] */
	struct bus_range range;		/* [I] */
	struct eventfd_ctx *eventfd;	/* [I] */
	struct list_head link;		/* vm->ioeventfds [6] */
};

static bool ioeventfd_write(struct bus_dev *dev, u64 addr, unsigned int len,
			    const void *data)
{
	eventfd_signal(container_of(dev, struct ioeventfd, dev)->eventfd);
	return true;
}

static const struct bus_dev_ops ioeventfd_ops = {
	.write = ioeventfd_write,
};

/* All but the device */
static struct bus_range ioeventfd_range(const struct kvm_ioeventfd *in)
{
	bool match = in->flags & KVM_IOEVENTFD_FLAG_DATAMATCH;

	return (struct bus_range){
		.start = in->addr,
		.len = in->len,
		.kind = BUS_EXACT,
		.has_datamatch = match,
		.datamatch = match ? in->datamatch : 0,
	};
}

static enum vm_bus ioeventfd_bus(const struct kvm_ioeventfd *in)
{
	return in->flags & KVM_IOEVENTFD_FLAG_PIO ? VM_BUS_PIO : VM_BUS_MMIO;
}

static bool ioeventfd_check(const struct kvm_ioeventfd *in)
{
	u64 last;

	if (in->flags & ~IOEVENTFD_FLAGS)
		return false;
	switch (in->len) {
	case 0:
		return !(in->flags & KVM_IOEVENTFD_FLAG_DATAMATCH);
	case 1:
	case 2:
	case 4:
	case 8:
		return !check_add_overflow(in->addr, in->len - 1, &last);
	default:
		return false;
	}
}

static int ioeventfd_assign(struct vm *vm, const struct kvm_ioeventfd *in,
			    struct eventfd_ctx *eventfd)
{
	struct ioeventfd *e = kzalloc(sizeof(*e), GFP_KERNEL_ACCOUNT);
	int err;

	if (!e)
		return -ENOMEM;
	e->dev.ops = &ioeventfd_ops;
	e->bus = ioeventfd_bus(in);
	e->range = ioeventfd_range(in);
	e->range.dev = &e->dev;
	e->eventfd = eventfd;
	guard(mutex)(&vm->mem.slots_lock);
	err = vm_bus_add(vm, e->bus, &e->range);
	if (err) {
		kfree(e);
		return err;
	}
	list_add_tail(&e->link, &vm->ioeventfds);
	return 0;
}

static struct ioeventfd *ioeventfd_find(struct vm *vm,
					const struct kvm_ioeventfd *in,
					const struct eventfd_ctx *eventfd)
{
	struct bus_range want = ioeventfd_range(in);
	struct ioeventfd *e;

	list_for_each_entry(e, &vm->ioeventfds, link)
		if (e->bus == ioeventfd_bus(in) && e->eventfd == eventfd &&
		    e->range.start == want.start && e->range.len == want.len &&
		    e->range.has_datamatch == want.has_datamatch &&
		    e->range.datamatch == want.datamatch)
			return e;
	return NULL;
}

static int ioeventfd_deassign(struct vm *vm, const struct kvm_ioeventfd *in,
			      const struct eventfd_ctx *eventfd)
{
	struct ioeventfd *e;
	int err;

	guard(mutex)(&vm->mem.slots_lock);
	e = ioeventfd_find(vm, in, eventfd);
	if (!e)
		return -ENOENT;
	err = vm_bus_remove(vm, e->bus, &e->range);
	if (err)
		return err;
	list_del(&e->link);
	eventfd_ctx_put(e->eventfd);
	kfree(e);
	return 0;
}

int ioeventfd_ioctl(struct vm *vm, const struct kvm_ioeventfd *in)
{
	struct eventfd_ctx *eventfd;
	int err;

	if (!ioeventfd_check(in))
		return -EINVAL;
	eventfd = eventfd_ctx_fdget(in->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	if (in->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
		err = ioeventfd_deassign(vm, in, eventfd);
	} else {
		err = ioeventfd_assign(vm, in, eventfd);
		if (!err)
			return 0;	/* the reference went along */
	}
	eventfd_ctx_put(eventfd);
	return err;
}

void ioeventfd_free_all(struct vm *vm)
{
	struct ioeventfd *e, *next;
	struct free_batch batch = { };

	list_for_each_entry_safe(e, next, &vm->ioeventfds, link) {
		list_del(&e->link);
		eventfd_ctx_put(e->eventfd);
		free_batch_add(&batch, e);
	}
	free_batch_end(&batch);
}
