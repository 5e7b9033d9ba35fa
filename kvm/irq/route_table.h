/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A GSI routing table: what happens when interrupt line n of a VM changes.
 *
 * A GSI leads to one MSI, or to at most one pin of each chip. The table is
 * immutable: KVM_SET_GSI_ROUTING builds a new one. Finding the routes of a GSI
 * is one array access. Pure; publication and freeing are irq/route.c's.
 */
#ifndef IRQ_ROUTE_TABLE_H
#define IRQ_ROUTE_TABLE_H

#include "base/host.h"
#include "irq/msi.h"

#define ROUTE_MAX_GSI 4096		/* KVM_CAP_IRQ_ROUTING: entries, and GSIs */

static_assert(sizeof(struct kvm_irq_routing_entry) == 48);
static_assert(sizeof(struct kvm_irq_routing) == 8);

/* The first three are KVM_IRQCHIP_*. */
enum route_to {
	ROUTE_PIC_MASTER = 0,
	ROUTE_PIC_SLAVE = 1,
	ROUTE_IOAPIC = 2,
	ROUTE_MSI = 3,
};

struct irq_route {
	u8 to;			/* enum route_to */
	u8 pin;			/* PICs: 0 to 7 */
	struct msi msi;
};

struct irq_routing {
	struct rcu_head rcu;
	unsigned int gsis;	/* GSIs 0 to gsis - 1 may have routes */
	struct irq_route *route;	/* all, ordered by GSI; part of us */
	u16 first[];		/* by GSI: where its routes begin; gsis + 1 */
};

/* Input pins of the chips, as masks */
struct irq_pins {
	u16 pic;		/* slave from bit 8 */
	u32 ioapic;
};

/** irq_pins_meet() - is there a pin in both */
static inline bool irq_pins_meet(struct irq_pins a, struct irq_pins b)
{
	return (a.pic & b.pic) || (a.ioapic & b.ioapic);
}

enum route_rc {
	ROUTE_OK,
	ROUTE_INVALID,
	ROUTE_NOMEM,
};

/**
 * route_table_build() - check entries and make a table of them
 * @entry: as copied from the VMM, never re-read
 * @nr: 0 to ROUTE_MAX_GSI
 * @chips: are PIC and IOAPIC in the kernel; else only MSIs can be routed
 * @ids32: as for msi_valid()
 * @out: the table, set with ROUTE_OK; free with host_free() or by RCU
 *
 * ROUTE_INVALID: too many, a GSI or pin out of range, flags other than an MSI's
 * KVM_MSI_VALID_DEVID, which is ignored, another type than IRQCHIP and MSI, or
 * a GSI that leads twice to the same chip or to an MSI and something else. May
 * sleep.
 */
enum route_rc __must_check
route_table_build(const struct kvm_irq_routing_entry *entry, unsigned int nr,
		  bool chips, bool ids32, struct irq_routing **out);

/**
 * route_table_default() - the table that KVM_CREATE_IRQCHIP makes: GSI n leads
 * to IOAPIC pin n, those below 16 to the PIC's pin n as well
 *
 * Returns NULL without memory. May sleep.
 */
struct irq_routing *route_table_default(void);

/**
 * route_table_find() - the routes of a GSI
 * @t: the table, or NULL for none
 * @gsi: any number
 * @nr: set to how many there are
 *
 * Any context in which @t is kept.
 */
const struct irq_route *route_table_find(const struct irq_routing *t, u32 gsi,
					 unsigned int *nr);

/** route_table_pins() - the chips' pins that a GSI leads to */
struct irq_pins route_table_pins(const struct irq_routing *t, u32 gsi);

#endif
