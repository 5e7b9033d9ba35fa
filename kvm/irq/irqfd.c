// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_IRQFD: see irqfd.h.
 *
 * An irqfd is reached in two ways, each with a lock that its removal takes:
 * by its eventfd's wait queue, and, if it resamples, by the list of its
 * resampler under irq_later.lock. Off both it is nobody's, and is freed at once.
 *
 * A resampler is a GSI with the resampling irqfds on it: they share the line,
 * which is up from the first signal to the guest's end of interrupt.
 *
 * Locks: vm->irq_lock for vm->irqfds and all changes. irq_later.lock is held
 * while resamplefds are signalled, which takes as long as there are many;
 * wake-ups do not take it.
 */
#include <linux/errno.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/hash.h>
#include <linux/poll.h>
#include <linux/slab.h>
#include <linux/wait.h>

#include "core/vm.h"
#include "irq/bypass.h"
#include "irq/chip.h"
#include "irq/irqchip.h"
#include "irq/irqfd.h"
#include "irq/later.h"
#include "irq/route.h"
#include "mem/batch.h"

struct resampler {
	u32 gsi;			/* [I] */
	struct list_head irqfds;	/* [8a] */
	struct list_head link;		/* vm->resamplers [8a] */
};

struct irqfd {
	struct vm *vm;			/* [I] */
	u32 gsi;			/* [I] */
	struct eventfd_ctx *eventfd;	/* [I] */
	struct eventfd_ctx *resamplefd;	/* [I] NULL: an edge per signal */
	bool closed;			/* [a] its last fd was closed */
	struct list_head link;		/* vm->irqfds [7] */
	struct hlist_node same_hash;	/* vm->irqfd_hash [7] */
	struct resampler *resampler;	/* [7] */
	struct list_head resample_link;	/* [8a] */
	struct bypass bypass;
	wait_queue_head_t *wqh;		/* [I] the eventfd's */
	wait_queue_entry_t wait;	/* [wqh->lock] */
	poll_table pt;			/* used once */
};

/* ---- signals in ------------------------------------------------------- */

static void irqfd_inject(struct irqfd *irqfd)
{
	struct vm *vm = irqfd->vm;

	if (irqfd->resamplefd) {
		chip_set_irq(vm, CHIP_SOURCE_RESAMPLE, irqfd->gsi, true);
		return;
	}
	chip_set_irq(vm, CHIP_SOURCE_IRQFD, irqfd->gsi, true);
	chip_set_irq(vm, CHIP_SOURCE_IRQFD, irqfd->gsi, false);
}

/* wqh->lock is held, interrupts are off. */
static int irqfd_wake(wait_queue_entry_t *wait, unsigned int mode, int sync,
		      void *key)
{
	struct irqfd *irqfd = container_of(wait, struct irqfd, wait);
	__poll_t events = key_to_poll(key);
	u64 count;

	if (events & EPOLLHUP) {
		list_del_init(&wait->entry);
		WRITE_ONCE(irqfd->closed, true);
		return 0;
	}
	if (!(events & EPOLLIN))
		return 0;
	/* The signal is ours: nobody else is to find it. */
	eventfd_ctx_do_read(irqfd->eventfd, &count);
	irqfd_inject(irqfd);
	return 1;
}

static void irqfd_queue(struct file *file, wait_queue_head_t *wqh,
			poll_table *pt)
{
	struct irqfd *irqfd = container_of(pt, struct irqfd, pt);

	irqfd->wqh = wqh;
	add_wait_queue_priority(wqh, &irqfd->wait);
}

void irqfd_settle(struct vm *vm)
{
	struct irqfd *irqfd;

	lockdep_assert_held(&vm->irq_lock);
	/* bounded: a section for each, none for the walk */
	list_for_each_entry(irqfd, &vm->irqfds, link) {
		spin_lock_irq(&irqfd->wqh->lock);
		spin_unlock_irq(&irqfd->wqh->lock);
		bypass_update(&irqfd->bypass);
		cond_resched();
	}
}

/* ---- resampling ------------------------------------------------------- */

static void resampler_acked(struct vm *vm, struct resampler *r)
{
	struct irqfd *irqfd;

	chip_line(vm, CHIP_SOURCE_RESAMPLE, r->gsi, false);
	list_for_each_entry(irqfd, &r->irqfds, resample_link) {
		eventfd_signal(irqfd->resamplefd);
		cond_resched();
	}
}

void irqfd_acked(struct vm *vm, struct irq_pins pins)
{
	struct resampler *r;

	lockdep_assert_held(&vm->later.lock);
	list_for_each_entry(r, &vm->resamplers, link)
		if (irq_pins_meet(route_pins(vm, r->gsi), pins))
			resampler_acked(vm, r);
}

struct irq_pins irqfd_watched(struct vm *vm)
{
	struct irq_pins sum = {}, pins;
	struct resampler *r;

	/* All changes to the list hold it, too. */
	lockdep_assert_held(&vm->irq_lock);
	list_for_each_entry(r, &vm->resamplers, link) {
		pins = route_pins(vm, r->gsi);
		sum.pic |= pins.pic;
		sum.ioapic |= pins.ioapic;
	}
	return sum;
}

static struct resampler *resampler_get(struct vm *vm, u32 gsi)
{
	struct resampler *r;

	/* No route leads on from those beyond: one stands for them all. */
	gsi = min(gsi, (u32)ROUTE_MAX_GSI);
	list_for_each_entry(r, &vm->resamplers, link)
		if (r->gsi == gsi)
			return r;
	r = kzalloc(sizeof(*r), GFP_KERNEL_ACCOUNT);
	if (!r)
		return NULL;
	r->gsi = gsi;
	INIT_LIST_HEAD(&r->irqfds);
	scoped_guard(mutex, &vm->later.lock)
		list_add(&r->link, &vm->resamplers);
	return r;
}

static int resample_start(struct irqfd *irqfd)
{
	struct vm *vm = irqfd->vm;

	if (!irqfd->resamplefd)
		return 0;
	irqfd->resampler = resampler_get(vm, irqfd->gsi);
	if (!irqfd->resampler)
		return -ENOMEM;
	scoped_guard(mutex, &vm->later.lock)
		list_add(&irqfd->resample_link, &irqfd->resampler->irqfds);
	chip_update_watch(vm);
	return 0;
}

static void resample_stop(struct irqfd *irqfd)
{
	struct resampler *r = irqfd->resampler;
	struct vm *vm = irqfd->vm;
	bool last;

	if (!r)
		return;
	scoped_guard(mutex, &vm->later.lock) {
		list_del(&irqfd->resample_link);
		last = list_empty(&r->irqfds);
		if (last)
			list_del(&r->link);
	}
	if (!last)
		return;
	chip_set_irq(vm, CHIP_SOURCE_RESAMPLE, r->gsi, false);
	chip_update_watch(vm);
	kfree(r);
}

/* ---- life ------------------------------------------------------------- */

static void irqfd_put(struct irqfd *irqfd)
{
	bypass_stop(&irqfd->bypass);
	if (!IS_ERR_OR_NULL(irqfd->resamplefd))
		eventfd_ctx_put(irqfd->resamplefd);
	if (!IS_ERR_OR_NULL(irqfd->eventfd))
		eventfd_ctx_put(irqfd->eventfd);
}

static void irqfd_free(struct irqfd *irqfd)
{
	irqfd_put(irqfd);
	kfree(irqfd);
}

/* Take it off the wait queue first: then nothing raises the line again. */
static void irqfd_stop(struct irqfd *irqfd)
{
	lockdep_assert_held(&irqfd->vm->irq_lock);
	remove_wait_queue(irqfd->wqh, &irqfd->wait);
	list_del(&irqfd->link);
	hlist_del(&irqfd->same_hash);
	resample_stop(irqfd);
	irqfd_put(irqfd);
}

static void irqfd_remove(struct irqfd *irqfd)
{
	irqfd_stop(irqfd);
	kfree(irqfd);
}

/* Many irqfds are no reason for each to take longer to be made. */
#define IRQFD_HASH_BITS 7

static struct hlist_head *irqfd_bucket(struct vm *vm,
				       const struct eventfd_ctx *eventfd)
{
	return &vm->irqfd_hash[hash_ptr(eventfd, IRQFD_HASH_BITS)];
}

/*
 * The one with @eventfd, or NULL. On the way, those are freed whose last fd
 * was closed: @eventfd is open.
 */
static struct irqfd *irqfd_find(struct vm *vm,
				const struct eventfd_ctx *eventfd)
{
	struct irqfd *irqfd;
	struct hlist_node *next;

	if (!vm->irqfd_hash)
		return NULL;
	hlist_for_each_entry_safe(irqfd, next, irqfd_bucket(vm, eventfd),
				  same_hash) {
		if (irqfd->eventfd == eventfd)
			return irqfd;
		if (READ_ONCE(irqfd->closed))
			irqfd_remove(irqfd);
	}
	return NULL;
}

static struct irqfd *irqfd_alloc(struct vm *vm, const struct kvm_irqfd *in,
				 struct file *file)
{
	struct irqfd *irqfd = kzalloc(sizeof(*irqfd), GFP_KERNEL_ACCOUNT);
	long err = 0;

	if (!irqfd)
		return ERR_PTR(-ENOMEM);
	irqfd->vm = vm;
	irqfd->gsi = in->gsi;
	init_waitqueue_func_entry(&irqfd->wait, irqfd_wake);
	init_poll_funcptr(&irqfd->pt, irqfd_queue);
	irqfd->eventfd = eventfd_ctx_fileget(file);
	if (IS_ERR(irqfd->eventfd))
		err = PTR_ERR(irqfd->eventfd);
	if (in->flags & KVM_IRQFD_FLAG_RESAMPLE) {
		irqfd->resamplefd = eventfd_ctx_fdget(in->resamplefd);
		if (IS_ERR(irqfd->resamplefd))
			err = PTR_ERR(irqfd->resamplefd);
	}
	if (!err)
		return irqfd;
	irqfd_free(irqfd);
	return ERR_PTR(err);
}

/* irq_lock held */
static int irqfd_start(struct irqfd *irqfd, struct file *file)
{
	struct vm *vm = irqfd->vm;
	__poll_t events;
	int err;

	if (!vm->irqfd_hash)
		vm->irqfd_hash = kcalloc(1 << IRQFD_HASH_BITS,
					 sizeof(*vm->irqfd_hash),
					 GFP_KERNEL_ACCOUNT);
	if (!vm->irqfd_hash)
		return -ENOMEM;
	if (irqfd_find(vm, irqfd->eventfd))
		return -EBUSY;
	err = resample_start(irqfd);
	if (err)
		return err;
	events = vfs_poll(file, &irqfd->pt);
	list_add_tail(&irqfd->link, &vm->irqfds);
	hlist_add_head(&irqfd->same_hash, irqfd_bucket(vm, irqfd->eventfd));
	/* Signalled before we listened. */
	if (events & EPOLLIN)
		irqfd_inject(irqfd);
	return 0;
}

static int irqfd_assign(struct vm *vm, const struct kvm_irqfd *in)
{
	struct irqfd *irqfd;
	struct file *file;
	int err;

	file = fget(in->fd);
	if (!file)
		return -EBADF;
	irqfd = irqfd_alloc(vm, in, file);
	if (IS_ERR(irqfd)) {
		err = PTR_ERR(irqfd);
		goto put_file;
	}
	/* A level interrupt's end has to be seen. */
	if (!irqfd->resamplefd)
		bypass_start(&irqfd->bypass, vm, in->gsi, irqfd->eventfd);
	mutex_lock(&vm->irq_lock);
	err = irqfd_start(irqfd, file);
	mutex_unlock(&vm->irq_lock);
	if (err)
		irqfd_free(irqfd);
put_file:
	fput(file);
	return err;
}

static int irqfd_deassign(struct vm *vm, const struct kvm_irqfd *in)
{
	struct eventfd_ctx *eventfd;
	struct irqfd *irqfd;

	eventfd = eventfd_ctx_fdget(in->fd);
	if (IS_ERR(eventfd))
		return PTR_ERR(eventfd);
	scoped_guard(mutex, &vm->irq_lock) {
		irqfd = irqfd_find(vm, eventfd);
		if (irqfd && irqfd->gsi == in->gsi)
			irqfd_remove(irqfd);
	}
	/* What it has signalled arrives before this call returns. */
	if (vm->later.crowd)
		irq_later_finish(&vm->later);
	eventfd_ctx_put(eventfd);
	return 0;
}

int irqfd_ioctl(struct vm *vm, const struct kvm_irqfd *in)
{
	if (in->flags & ~(KVM_IRQFD_FLAG_DEASSIGN | KVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (in->flags & KVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(vm, in);
	if (!vm_has_lapic(vm))
		return -EINVAL;
	if ((in->flags & KVM_IRQFD_FLAG_RESAMPLE) &&
	    smp_load_acquire(&vm->irqchip_mode) != IRQCHIP_KERNEL)
		return -EINVAL;
	return irqfd_assign(vm, in);
}

void irqfd_free_all(struct vm *vm)
{
	struct irqfd *irqfd, *next;
	struct free_batch batch = { };

	guard(mutex)(&vm->irq_lock);
	list_for_each_entry_safe(irqfd, next, &vm->irqfds, link) {
		irqfd_stop(irqfd);
		free_batch_add(&batch, irqfd);
		cond_resched();
	}
	free_batch_end(&batch);
	kfree(vm->irqfd_hash);
	vm->irqfd_hash = NULL;
}
