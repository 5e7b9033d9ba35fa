// SPDX-License-Identifier: GPL-2.0-only
/*
 * GSI routing tables: see route_table.h.
 *
 * Built by counting: how many routes each GSI has gives where they begin, then
 * each entry goes to its place, in the order the VMM listed them.
 */
#include "irq/route_table.h"

#define PIC_CHIP_PINS 8

static bool chip_pin_valid(u32 chip, u32 pin)
{
	switch (chip) {
	case KVM_IRQCHIP_PIC_MASTER:
	case KVM_IRQCHIP_PIC_SLAVE:
		return pin < PIC_CHIP_PINS;
	case KVM_IRQCHIP_IOAPIC:
		return pin < KVM_IOAPIC_NUM_PINS;
	default:
		return false;
	}
}

/* Which device a message is from no LAPIC asks. */
static u32 entry_flags(const struct kvm_irq_routing_entry *e)
{
	return e->type == KVM_IRQ_ROUTING_MSI ? KVM_MSI_VALID_DEVID : 0;
}

static bool entry_decode(const struct kvm_irq_routing_entry *e, bool chips,
			 bool ids32, struct irq_route *r)
{
	if (e->gsi >= ROUTE_MAX_GSI || (e->flags & ~entry_flags(e)))
		return false;
	switch (e->type) {
	case KVM_IRQ_ROUTING_IRQCHIP:
		*r = (struct irq_route){
			.to = e->u.irqchip.irqchip,
			.pin = e->u.irqchip.pin,
		};
		return chips && chip_pin_valid(e->u.irqchip.irqchip,
					       e->u.irqchip.pin);
	case KVM_IRQ_ROUTING_MSI:
		*r = (struct irq_route){
			.to = ROUTE_MSI,
			.msi = {
				.address_lo = e->u.msi.address_lo,
				.address_hi = e->u.msi.address_hi,
				.data = e->u.msi.data,
			},
		};
		return msi_valid(&r->msi, ids32);
	default:
		return false;
	}
}

/* May a GSI that leads to these, lead to one more? */
static bool route_fits(const struct irq_route *have, unsigned int nr,
		       const struct irq_route *r)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (have[i].to == r->to || have[i].to == ROUTE_MSI ||
		    r->to == ROUTE_MSI)
			return false;
	return true;
}

static struct irq_routing *table_alloc(unsigned int gsis, unsigned int nr)
{
	size_t head = ALIGN(offsetof(struct irq_routing, first) +
			    (gsis + 1) * sizeof(u16),
			    sizeof(u32));
	struct irq_routing *t;

	t = host_zalloc(head + nr * sizeof(struct irq_route));
	if (t) {
		t->gsis = gsis;
		t->route = (void *)((char *)t + head);
	}
	return t;
}

static unsigned int gsis_used(const struct kvm_irq_routing_entry *entry,
			      unsigned int nr)
{
	unsigned int gsis = 0, i;

	for (i = 0; i < nr; i++)
		if (entry[i].gsi < ROUTE_MAX_GSI)
			gsis = max(gsis, entry[i].gsi + 1);
	return gsis;
}

/*
 * Afterwards first[gsi] is where the GSI's routes end, and stays so until each
 * entry was put in, from the last on, and has moved it to where they begin.
 */
static void count_routes(struct irq_routing *t,
			 const struct kvm_irq_routing_entry *entry,
			 unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		if (entry[i].gsi < t->gsis)
			t->first[entry[i].gsi]++;
	for (i = 1; i < t->gsis; i++)
		t->first[i] += t->first[i - 1];
	t->first[t->gsis] = nr;
}

enum route_rc route_table_build(const struct kvm_irq_routing_entry *entry,
				unsigned int nr, bool chips, bool ids32,
				struct irq_routing **out)
{
	struct irq_routing *t;
	struct irq_route r;
	unsigned int i, at;

	if (nr > ROUTE_MAX_GSI)
		return ROUTE_INVALID;
	t = table_alloc(gsis_used(entry, nr), nr);
	if (!t)
		return ROUTE_NOMEM;
	count_routes(t, entry, nr);
	for (i = nr; i-- > 0;) {
		if (!entry_decode(&entry[i], chips, ids32, &r))
			goto invalid;
		t->route[--t->first[entry[i].gsi]] = r;
	}
	for (i = 0; i < t->gsis; i++)
		for (at = t->first[i]; at < t->first[i + 1]; at++)
			if (!route_fits(&t->route[t->first[i]],
					at - t->first[i], &t->route[at]))
				goto invalid;
	*out = t;
	return ROUTE_OK;

invalid:
	host_free(t);
	return ROUTE_INVALID;
}

static struct kvm_irq_routing_entry pin_entry(u32 gsi, u32 chip, u32 pin)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = pin },
	};
}

#define PIC_GSIS 16
#define DEFAULT_ENTRIES (PIC_GSIS + KVM_IOAPIC_NUM_PINS)

struct irq_routing *route_table_default(void)
{
	struct kvm_irq_routing_entry *entry;
	struct irq_routing *t = NULL;
	unsigned int gsi, nr = 0;

	entry = host_zalloc(DEFAULT_ENTRIES * sizeof(*entry));
	if (!entry)
		return NULL;
	for (gsi = 0; gsi < KVM_IOAPIC_NUM_PINS; gsi++) {
		entry[nr++] = pin_entry(gsi, KVM_IRQCHIP_IOAPIC, gsi);
		if (gsi < PIC_GSIS)
			entry[nr++] = pin_entry(gsi, gsi / PIC_CHIP_PINS,
						gsi % PIC_CHIP_PINS);
	}
	if (route_table_build(entry, nr, true, false, &t) != ROUTE_OK)
		t = NULL;
	host_free(entry);
	return t;
}

const struct irq_route *route_table_find(const struct irq_routing *t, u32 gsi,
					 unsigned int *nr)
{
	*nr = 0;
	if (!t || gsi >= t->gsis)
		return NULL;
	gsi = array_index_nospec(gsi, t->gsis);
	*nr = t->first[gsi + 1] - t->first[gsi];
	return &t->route[t->first[gsi]];
}

struct irq_pins route_table_pins(const struct irq_routing *t, u32 gsi)
{
	struct irq_pins pins = {};
	const struct irq_route *r;
	unsigned int nr;

	for (r = route_table_find(t, gsi, &nr); nr--; r++) {
		if (r->to == ROUTE_IOAPIC)
			pins.ioapic |= BIT(r->pin);
		else if (r->to != ROUTE_MSI)
			pins.pic |= BIT(r->pin + PIC_CHIP_PINS * r->to);
	}
	return pins;
}
