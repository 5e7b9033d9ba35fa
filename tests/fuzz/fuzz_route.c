// SPDX-License-Identifier: GPL-2.0-only
/*
 * GSI routing tables made of random entries: refused, or each GSI leads to what
 * its entries say.
 */
#include "input.h"
#include "irq/route_table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kvm_irq_routing_entry entries[64];
	struct input in = { data, size };
	struct irq_routing *t;
	unsigned int nr, i, n, total = 0;
	bool chips, ids32;
	u8 how = take8(&in);

	n = take8(&in) % ARRAY_SIZE(entries);
	chips = how & 1;
	ids32 = how & 2;
	memset(entries, 0, sizeof(entries));
	for (i = 0; i < n; i++) {
		struct kvm_irq_routing_entry *e = &entries[i];

		if (take8(&in) == 0) {
			take(&in, e, sizeof(*e));
			continue;
		}
		e->gsi = take8(&in);
		e->type = 1 + (take8(&in) & 1);
		if (e->type == KVM_IRQ_ROUTING_IRQCHIP) {
			e->u.irqchip.irqchip = take8(&in) & 3;
			e->u.irqchip.pin = take8(&in) & 31;
		} else {
			e->u.msi.address_lo = take32(&in);
			e->u.msi.address_hi = take8(&in);
			e->u.msi.data = take32(&in);
		}
	}
	if (route_table_build(entries, n, chips, ids32, &t) != ROUTE_OK)
		return 0;
	for (i = 0; i < 5000; i++) {
		const struct irq_route *r = route_table_find(t, i, &nr);
		unsigned int k;

		for (k = 0; k < nr; k++)
			must(r[k].to <= ROUTE_MSI);
		route_table_pins(t, i);
		total += nr;
	}
	must(total == n);
	route_table_find(t, take32(&in), &nr);
	host_free(t);
	return 0;
}
