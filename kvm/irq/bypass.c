// SPDX-License-Identifier: GPL-2.0-only
/*
 * Device interrupts past the host: see bypass.h.
 */
#include "core/vcpu.h"
#include "core/vm.h"
#include "irq/bypass.h"
#include "irq/msi.h"
#include "irq/route_table.h"

/* The one vCPU and vector that @gsi leads to; NULL: there is no such. */
static struct vcpu *bypass_target(struct vm *vm, u32 gsi, u8 *vector)
{
	const struct irq_route *r;
	struct apic_msg msg;
	struct vcpu *vcpu;
	unsigned int nr;

	guard(rcu)();
	r = route_table_find(rcu_dereference(vm->routing), gsi, &nr);
	if (nr != 1 || r->to != ROUTE_MSI)
		return NULL;
	msg = msi_decode(&r->msi, vm->lapic_config.ids_32bit);
	if ((msg.delivery != DELIVER_FIXED && msg.delivery != DELIVER_LOWEST) ||
	    msg.level || msg.vector < 16 || !lapic_msg_unicast(NULL, &msg))
		return NULL;
	vcpu = vm_vcpu_by_id(vm, msg.dest);
	if (!vcpu || !lapic_match(vcpu->lapic, NULL, &msg))
		return NULL;
	*vector = msg.vector;
	return vcpu;
}

static int bypass_tell(struct bypass *b)
{
	struct vcpu *vcpu;
	u8 vector = 0;

	lockdep_assert_held(&b->lock);
	if (!b->producer)
		return 0;
	vcpu = bypass_target(b->vm, b->gsi, &vector);
	return backend.irte_update(vcpu, b->producer->irq, vector);
}

static int bypass_add(struct irq_bypass_consumer *consumer,
		      struct irq_bypass_producer *producer)
{
	struct bypass *b = container_of(consumer, struct bypass, consumer);
	int err;

	guard(mutex)(&b->lock);
	b->producer = producer;
	err = bypass_tell(b);
	if (err)
		b->producer = NULL;
	return err;
}

static void bypass_del(struct irq_bypass_consumer *consumer,
		       struct irq_bypass_producer *producer)
{
	struct bypass *b = container_of(consumer, struct bypass, consumer);

	guard(mutex)(&b->lock);
	backend.irte_update(NULL, producer->irq, 0);
	b->producer = NULL;
}

void bypass_start(struct bypass *b, struct vm *vm, u32 gsi,
		  struct eventfd_ctx *eventfd)
{
	if (!(backend.caps & BACKEND_POSTS_DEVICES))
		return;
	b->vm = vm;
	b->gsi = gsi;
	mutex_init(&b->lock);
	b->consumer.add_producer = bypass_add;
	b->consumer.del_producer = bypass_del;
	b->consumer.token = eventfd;
	if (irq_bypass_register_consumer(&b->consumer))
		b->consumer.token = NULL;
}

void bypass_update(struct bypass *b)
{
	if (!b->consumer.token)
		return;
	guard(mutex)(&b->lock);
	/* Where hardware refuses, the eventfd's way is left. */
	if (bypass_tell(b))
		backend.irte_update(NULL, b->producer->irq, 0);
}

void bypass_stop(struct bypass *b)
{
	if (b->consumer.token)
		irq_bypass_unregister_consumer(&b->consumer);
	b->consumer.token = NULL;
}
