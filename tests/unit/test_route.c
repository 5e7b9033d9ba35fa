// SPDX-License-Identifier: GPL-2.0-only
/*
 * GSI routing tables: what is accepted, look-up, the default table, and random
 * tables against the list they were made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "irq/route_table.h"

static struct kvm_irq_routing_entry pin(u32 gsi, u32 chip, u32 n)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { .irqchip = chip, .pin = n },
	};
}

static struct kvm_irq_routing_entry msi(u32 gsi, u32 data)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = data },
	};
}

static enum route_rc try(const struct kvm_irq_routing_entry *e,
			 unsigned int nr, bool chips)
{
	struct irq_routing *t;
	enum route_rc rc = route_table_build(e, nr, chips, false, &t);

	if (rc == ROUTE_OK)
		host_free(t);
	return rc;
}

#define ONE(entry, chips) try((struct kvm_irq_routing_entry[]){ entry }, 1, chips)

static void empty_tables(void **state)
{
	struct irq_routing *t;
	unsigned int nr;

	route_table_find(NULL, 0, &nr);
	assert_int_equal(nr, 0);
	assert_int_equal(route_table_build(NULL, 0, true, false, &t), ROUTE_OK);
	route_table_find(t, 0, &nr);
	assert_int_equal(nr, 0);
	route_table_find(t, ~0U, &nr);
	assert_int_equal(nr, 0);
	host_free(t);
}

static void limits(void **state)
{
	struct kvm_irq_routing_entry e;
	struct kvm_irq_routing_entry *many;
	unsigned int i;

	assert_int_equal(ONE(pin(0, 0, 7), true), ROUTE_OK);
	assert_int_equal(ONE(pin(0, 0, 8), true), ROUTE_INVALID);
	assert_int_equal(ONE(pin(0, 1, 7), true), ROUTE_OK);
	assert_int_equal(ONE(pin(0, 1, 8), true), ROUTE_INVALID);
	assert_int_equal(ONE(pin(0, 2, 23), true), ROUTE_OK);
	assert_int_equal(ONE(pin(0, 2, 24), true), ROUTE_INVALID);
	assert_int_equal(ONE(pin(0, 3, 0), true), ROUTE_INVALID);
	assert_int_equal(ONE(pin(0, ~0U, ~0U), true), ROUTE_INVALID);
	assert_int_equal(ONE(pin(0, 2, 0), false), ROUTE_INVALID);
	assert_int_equal(ONE(msi(0, 0), false), ROUTE_OK);
	assert_int_equal(ONE(msi(4095, 0), true), ROUTE_OK);
	assert_int_equal(ONE(msi(4096, 0), true), ROUTE_INVALID);
	assert_int_equal(ONE(msi(~0U, 0), true), ROUTE_INVALID);

	e = msi(1, 0);
	/* An MSI may name its device, which is ignored. */
	e.flags = KVM_MSI_VALID_DEVID;
	assert_int_equal(ONE(e, true), ROUTE_OK);
	e.flags |= 2;
	assert_int_equal(ONE(e, true), ROUTE_INVALID);
	e = pin(0, 0, 7);
	e.flags = KVM_MSI_VALID_DEVID;
	assert_int_equal(ONE(e, true), ROUTE_INVALID);
	e = msi(1, 0);
	e.type = KVM_IRQ_ROUTING_HV_SINT;
	assert_int_equal(ONE(e, true), ROUTE_INVALID);
	e.type = 0;
	assert_int_equal(ONE(e, true), ROUTE_INVALID);

	many = calloc(ROUTE_MAX_GSI + 1, sizeof(*many));
	for (i = 0; i <= ROUTE_MAX_GSI; i++)
		many[i] = msi(i, i);
	assert_int_equal(try(many, ROUTE_MAX_GSI, true), ROUTE_OK);
	many[ROUTE_MAX_GSI].gsi = 0;
	assert_int_equal(try(many, ROUTE_MAX_GSI + 1, true), ROUTE_INVALID);
	for (i = 0; i <= ROUTE_MAX_GSI; i++)
		many[i] = msi(7, i);
	assert_int_equal(try(many, ROUTE_MAX_GSI, true), ROUTE_INVALID);
	free(many);
}

static void wide_ids(void **state)
{
	struct kvm_irq_routing_entry e = msi(0, 0);
	struct irq_routing *t;

	e.u.msi.address_hi = 0x101;
	assert_int_equal(route_table_build(&e, 1, true, true, &t),
			 ROUTE_INVALID);
	assert_int_equal(ONE(e, true), ROUTE_OK);
}

static void what_a_gsi_may_lead_to(void **state)
{
	struct kvm_irq_routing_entry e[4] = {
		pin(5, 0, 5), pin(5, 2, 5), pin(5, 1, 5), msi(6, 1),
	};

	assert_int_equal(try(e, 4, true), ROUTE_OK);
	e[3].gsi = 5;
	assert_int_equal(try(e, 4, true), ROUTE_INVALID);
	e[3] = pin(5, 2, 6);
	assert_int_equal(try(e, 4, true), ROUTE_INVALID);
	e[3] = pin(5, 2, 5);
	assert_int_equal(try(e, 4, true), ROUTE_INVALID);
	e[0] = msi(9, 1);
	e[1] = msi(9, 1);
	assert_int_equal(try(e, 2, true), ROUTE_INVALID);
	/* two GSIs may share a pin */
	e[0] = pin(1, 2, 9);
	e[1] = pin(2, 2, 9);
	assert_int_equal(try(e, 2, true), ROUTE_OK);
}

static void the_default(void **state)
{
	struct irq_routing *t = route_table_default();
	unsigned int gsi, nr;
	struct irq_pins pins;

	assert_non_null(t);
	for (gsi = 0; gsi < 24; gsi++) {
		pins = route_table_pins(t, gsi);
		assert_int_equal(pins.ioapic, BIT(gsi));
		assert_int_equal(pins.pic, gsi < 16 ? BIT(gsi) : 0);
		route_table_find(t, gsi, &nr);
		assert_int_equal(nr, gsi < 16 ? 2 : 1);
	}
	pins = route_table_pins(t, 24);
	assert_int_equal(pins.ioapic | pins.pic, 0);
	host_free(t);
}

static void a_pc_as_vmms_route_it(void **state)
{
	struct kvm_irq_routing_entry e[64];
	const struct irq_route *r;
	struct irq_routing *t;
	unsigned int i, n = 0, nr;

	for (i = 0; i < 16; i++)
		if (i != 2)
			e[n++] = pin(i, i / 8, i % 8);
	for (i = 0; i < 24; i++)
		if (i != 2)
			e[n++] = pin(i, 2, i ? i : 2);
	e[n++] = msi(24, 0x4041);
	assert_int_equal(route_table_build(e, n, true, false, &t), ROUTE_OK);
	assert_int_equal(route_table_pins(t, 0).ioapic, BIT(2));
	assert_int_equal(route_table_pins(t, 0).pic, BIT(0));
	route_table_find(t, 2, &nr);
	assert_int_equal(nr, 0);
	r = route_table_find(t, 24, &nr);
	assert_int_equal(nr, 1);
	assert_int_equal(r->to, ROUTE_MSI);
	assert_int_equal(r->msi.data, 0x4041);
	assert_int_equal(route_table_pins(t, 24).ioapic, 0);
	host_free(t);
}

/* A GSI as a plain search through the list finds it */
static void compare(const struct irq_routing *t,
		    const struct kvm_irq_routing_entry *e, unsigned int n,
		    u32 gsi)
{
	const struct irq_route *r;
	unsigned int nr, i, found = 0;

	r = route_table_find(t, gsi, &nr);
	for (i = 0; i < n; i++) {
		if (e[i].gsi != gsi)
			continue;
		assert_in_range(found, 0, nr - 1);
		if (e[i].type == KVM_IRQ_ROUTING_MSI) {
			assert_int_equal(r[found].to, ROUTE_MSI);
			assert_int_equal(r[found].msi.data, e[i].u.msi.data);
		} else {
			assert_int_equal(r[found].to, e[i].u.irqchip.irqchip);
			assert_int_equal(r[found].pin, e[i].u.irqchip.pin);
		}
		found++;
	}
	assert_int_equal(found, nr);
}

static bool fits(const struct kvm_irq_routing_entry *e, unsigned int n,
		 const struct kvm_irq_routing_entry *x)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		if (e[i].gsi == x->gsi &&
		    (e[i].type == KVM_IRQ_ROUTING_MSI ||
		     x->type == KVM_IRQ_ROUTING_MSI ||
		     e[i].u.irqchip.irqchip == x->u.irqchip.irqchip))
			return false;
	return true;
}

static void random_tables(void **state)
{
	struct kvm_irq_routing_entry e[200], x;
	struct irq_routing *t;
	unsigned int round, n, want, chip, gsi;

	srand(7);
	for (round = 0; round < 400; round++) {
		want = rand() % 100;
		for (n = 0; n < want;) {
			chip = rand() % 4;
			gsi = rand() % 80;
			x = chip == 3 ? msi(gsi, rand()) :
			    pin(gsi, chip, rand() % (chip == 2 ? 24 : 8));
			if (fits(e, n, &x))
				e[n++] = x;
		}
		assert_int_equal(route_table_build(e, n, true, false, &t),
				 ROUTE_OK);
		for (gsi = 0; gsi < 90; gsi++)
			compare(t, e, n, gsi);
		host_free(t);
	}
}

static void any_bytes(void **state)
{
	struct kvm_irq_routing_entry e[64];
	struct irq_routing *t;
	unsigned int round, i, gsi, nr, k;
	const struct irq_route *r;

	srand(8);
	for (round = 0; round < 20000; round++) {
		for (i = 0; i < sizeof(e); i++)
			((u8 *)e)[i] = rand() % 8 ? 0 : rand();
		for (i = 0; i < 64; i++) {
			e[i].gsi = rand() % 5000;
			e[i].type = rand() % 4;
		}
		if (route_table_build(e, rand() % 6, true, rand() % 2, &t))
			continue;
		for (gsi = 0; gsi < 5000; gsi += 1 + rand() % 50) {
			r = route_table_find(t, gsi, &nr);
			for (k = 0; k < nr; k++)
				assert_in_range(r[k].pin, 0, 23);
		}
		host_free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_tables),
		cmocka_unit_test(limits),
		cmocka_unit_test(wide_ids),
		cmocka_unit_test(what_a_gsi_may_lead_to),
		cmocka_unit_test(the_default),
		cmocka_unit_test(a_pc_as_vmms_route_it),
		cmocka_unit_test(random_tables),
		cmocka_unit_test(any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
