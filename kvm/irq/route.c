// SPDX-License-Identifier: GPL-2.0-only
/*
 * Publication of GSI routing tables: see route.h.
 *
 * A new table is seen at once by whoever looks; those who hold the old one
 * are inside an RCU section, and kvfree_rcu() leaves it to them. What the
 * VMM may rely on is more: once KVM_SET_GSI_ROUTING has returned, no eventfd
 * goes the old way. Wake-ups hold their eventfd's lock and take the chip lock,
 * so taking each of those once is enough (irqfd_settle(), chip_update_watch()).
 * What they left to a thread is finished before and after.
 */
#include <linux/errno.h>

#include "core/vm.h"
#include "irq/chip.h"
#include "irq/irqfd.h"
#include "irq/later.h"
#include "irq/route.h"

static void publish(struct vm *vm, struct irq_routing *table)
{
	struct irq_routing *old;

	lockdep_assert_held(&vm->irq_lock);
	if (vm->later.crowd)
		irq_later_finish(&vm->later);
	old = rcu_replace_pointer(vm->routing, table,
				  lockdep_is_held(&vm->irq_lock));
	irqfd_settle(vm);
	chip_update_watch(vm);
	if (vm->later.crowd)
		irq_later_finish(&vm->later);
	if (old)
		kvfree_rcu(old, rcu);
}

int route_set(struct vm *vm, const struct kvm_irq_routing_entry *entry,
	      unsigned int nr)
{
	struct irq_routing *table;
	enum route_rc rc;

	if (!vm_has_lapic(vm))
		return -EINVAL;
	rc = route_table_build(entry, nr, vm->irqchip_mode == IRQCHIP_KERNEL,
			       vm->lapic_config.ids_32bit, &table);
	if (rc != ROUTE_OK)
		return rc == ROUTE_NOMEM ? -ENOMEM : -EINVAL;
	guard(mutex)(&vm->irq_lock);
	publish(vm, table);
	return 0;
}

int route_set_default(struct vm *vm)
{
	struct irq_routing *table = route_table_default();

	if (!table)
		return -ENOMEM;
	guard(mutex)(&vm->irq_lock);
	publish(vm, table);
	return 0;
}

struct irq_pins route_pins(struct vm *vm, u32 gsi)
{
	guard(rcu)();
	return route_table_pins(rcu_dereference(vm->routing), gsi);
}

void route_free(struct vm *vm)
{
	host_free(rcu_dereference_protected(vm->routing, true));
	RCU_INIT_POINTER(vm->routing, NULL);
}
