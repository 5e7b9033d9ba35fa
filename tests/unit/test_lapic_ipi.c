// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC: destinations in every addressing mode, what the ICR sends, and
 * lowest-priority arbitration.
 */
#include "lapic_world.h"

static int setup(void **state)
{
	unsigned int i;

	(void)state;
	world_reset();
	for (i = 0; i < WORLD_APICS; i++)
		world_enable(world_apic(i));
	return 0;
}

/* The set of APICs that match, as a bit mask. */
static u64 matches(const struct lapic *src, const struct apic_msg *msg)
{
	u64 set = 0;
	unsigned int i;

	for (i = 0; i < WORLD_APICS; i++)
		if (lapic_match(world_apic(i), src, msg))
			set |= BIT(i);
	if (lapic_msg_unicast(src, msg))
		assert_int_equal(set & ~BIT(msg->dest & 63), 0);
	return set;
}

static u64 phys(const struct lapic *src, u32 dest)
{
	return matches(src, &(struct apic_msg){ .dest = dest });
}

static u64 logical(const struct lapic *src, u32 dest)
{
	return matches(src, &(struct apic_msg){ .dest = dest,
						.logical = true });
}

#define ALL (BIT(WORLD_APICS) - 1)

static void test_physical_xapic(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < WORLD_APICS; i++) {
		assert_int_equal(phys(NULL, i), BIT(i));
		assert_int_equal(phys(world_apic(2), i), BIT(i));
	}
	assert_int_equal(phys(NULL, 77), 0);
	assert_int_equal(phys(NULL, 0xff), ALL);
	assert_int_equal(phys(world_apic(2), 0xff), ALL);
	/* Disabled by software still matches (NMI, INIT), by hardware not. */
	mmio_put(world_apic(3), LAPIC_SVR, 0xff);
	assert_int_equal(phys(NULL, 3), BIT(3));
	lapic_set_base(world_apic(3), 0xfee00000, false);
	assert_int_equal(phys(NULL, 3), 0);
	assert_int_equal(phys(NULL, 0xff), ALL & ~BIT(3));
}

static void test_physical_x2apic(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < WORLD_APICS; i++)
		world_x2apic(world_apic(i));
	assert_int_equal(phys(world_apic(1), 5), BIT(5));
	assert_int_equal(phys(world_apic(1), 0xffffffff), ALL);
	assert_int_equal(phys(world_apic(1), 0xff), 0);
	assert_int_equal(phys(world_apic(1), 0x105), 0);
	/* An 8-bit source: 0xff is everybody, unless the VMM said no. */
	assert_int_equal(phys(NULL, 0xff), ALL);
	world.cfg.no_ff_broadcast = true;
	assert_int_equal(phys(NULL, 0xff), 0);
	assert_int_equal(phys(NULL, 0xffffffff), ALL);
	assert_int_equal(phys(NULL, 5), BIT(5));
}

static void test_logical_flat(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 8; i++)
		mmio_put(world_apic(i), LAPIC_LDR, 1U << (24 + i));
	for (i = 0; i < 0xff; i++)
		assert_int_equal(logical(NULL, i), i);
	assert_int_equal(logical(NULL, 0xff), ALL);
}

static void test_logical_cluster(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < WORLD_APICS; i++) {
		mmio_put(world_apic(i), LAPIC_DFR, 0);
		mmio_put(world_apic(i), LAPIC_LDR,
			 (i / 4) << 28 | 1U << (24 + i % 4));
	}
	assert_int_equal(logical(NULL, 0x01), BIT(0));
	assert_int_equal(logical(NULL, 0x0f), 0xf);
	assert_int_equal(logical(NULL, 0x15), BIT(4) | BIT(6));
	assert_int_equal(logical(NULL, 0x48), BIT(19));
	assert_int_equal(logical(NULL, 0x51), 0);
	assert_int_equal(logical(NULL, 0x10), 0);
	assert_int_equal(logical(NULL, 0xff), ALL);
}

static void test_logical_x2apic(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < WORLD_APICS; i++)
		world_x2apic(world_apic(i));
	assert_int_equal(logical(world_apic(0), 0x00000001), BIT(0));
	assert_int_equal(logical(world_apic(0), 0x0000ffff), 0xffff);
	assert_int_equal(logical(world_apic(0), 0x0001000a),
			 BIT(17) | BIT(19));
	assert_int_equal(logical(world_apic(0), 0x00020001), 0);
	assert_int_equal(logical(world_apic(0), 0xffffffff), ALL);
	/* 0xff is CPUs 0 to 7 from an x2APIC; from an MSI if so configured. */
	assert_int_equal(logical(world_apic(0), 0xff), 0xff);
	assert_int_equal(logical(NULL, 0xff), ALL);
	world.cfg.no_ff_broadcast = true;
	assert_int_equal(logical(NULL, 0xff), 0xff);
}

static void test_mixed(void **state)
{
	(void)state;
	world_x2apic(world_apic(1));
	world_x2apic(world_apic(17));
	mmio_put(world_apic(0), LAPIC_LDR, 0x01000000);
	assert_int_equal(phys(world_apic(1), 17), BIT(17));
	assert_int_equal(phys(world_apic(1), 4), BIT(4));
	assert_int_equal(phys(world_apic(4), 17), BIT(17));
	assert_int_equal(phys(world_apic(4), 0xff), ALL);
	assert_int_equal(phys(world_apic(1), 0xffffffff), ALL);
	assert_int_equal(logical(world_apic(1), 0x00010002), BIT(17));
	assert_int_equal(logical(world_apic(1), 3), BIT(0) | BIT(1));
}

static void test_shorthand(void **state)
{
	struct apic_msg msg = { .dest = 9, .shorthand = APIC_SH_SELF };

	(void)state;
	assert_int_equal(matches(world_apic(4), &msg), BIT(4));
	msg.shorthand = APIC_SH_ALL;
	assert_int_equal(matches(world_apic(4), &msg), ALL);
	msg.shorthand = APIC_SH_OTHERS;
	assert_int_equal(matches(world_apic(4), &msg), ALL & ~BIT(4));
}

static void test_icr(void **state)
{
	struct lapic *l = world_apic(0);

	(void)state;
	mmio_put(l, LAPIC_ICR2, 0x05ffffff);
	assert_int_equal(mmio_get(l, LAPIC_ICR2), 0x05000000);
	mmio_put(l, LAPIC_ICR, 0x0000d8fd);
	assert_int_equal(mmio_get(l, LAPIC_ICR), 0x0000c8fd);
	assert_int_equal(world.msgs, 1);
	assert_int_equal(world.last_msg.dest, 5);
	assert_int_equal(world.last_msg.vector, 0xfd);
	assert_int_equal(world.last_msg.delivery, DELIVER_FIXED);
	assert_true(world.last_msg.logical);
	/* A fixed IPI is an edge whatever the trigger mode says. */
	assert_false(world.last_msg.level);

	mmio_put(l, LAPIC_ICR, 0x0000c500);
	assert_int_equal(world.last_msg.delivery, DELIVER_INIT);
	assert_true(world.last_msg.level && world.last_msg.assert);
	mmio_put(l, LAPIC_ICR, 0x00008500);
	assert_true(world.last_msg.level && !world.last_msg.assert);
	mmio_put(l, LAPIC_ICR, 0x000c4608);
	assert_int_equal(world.last_msg.delivery, DELIVER_STARTUP);
	assert_int_equal(world.last_msg.vector, 8);
	assert_int_equal(world.last_msg.shorthand, APIC_SH_OTHERS);
	mmio_put(l, LAPIC_ICR, 0x00084500);
	assert_int_equal(world.last_msg.delivery, DELIVER_INIT);
	assert_int_equal(world.last_msg.shorthand, APIC_SH_ALL);

	world_x2apic(l);
	assert_int_equal(lapic_msr_write(l, 0x830, 0x12345000040fd),
			 MSR_OK);
	assert_int_equal(world.last_msg.dest, 0x12345);
}

static void test_self(void **state)
{
	struct lapic *l = world_apic(0);

	(void)state;
	mmio_put(l, LAPIC_ICR, 0x00044077);
	assert_int_equal(world.msgs, 0);
	assert_int_equal(lapic_pending_irq(l), 0x77);
	mmio_put(l, LAPIC_ICR, 0x00044178);
	assert_int_equal(lapic_pending_irq(l), 0x78);
	lapic_ack(l, 0x78);
	lapic_eoi(l);
	/* What is not fixed arrives as if sent by id. */
	assert_int_equal(world.apic[0].nmis, 0);
	mmio_put(l, LAPIC_ICR, 0x00044400);
	assert_int_equal(world.apic[0].nmis, 1);
	assert_false(lapic_take_init(l));
	mmio_put(l, LAPIC_ICR, 0x00044500);
	assert_true(lapic_take_init(l));
	assert_int_equal(world.msgs, 0);
	/* SELF_IPI is x2APIC's. */
	mmio_put(l, LAPIC_SELF_IPI, 0x88);
	assert_int_equal(lapic_pending_irq(l), 0x77);
	world_x2apic(l);
	assert_int_equal(lapic_msr_write(l, 0x83f, 0x88), MSR_OK);
	assert_int_equal(lapic_pending_irq(l), 0x88);
	assert_int_equal(lapic_msr_write(l, 0x83f, 8), MSR_OK);
	assert_int_equal(l->errors,
			 BIT(ESR_ILLEGAL_REG) | BIT(ESR_SEND_ILLEGAL));
}

static void test_lowest(void **state)
{
	unsigned int won[4] = { 0 }, round, i;

	(void)state;
	for (round = 0; round < 400; round++) {
		struct lapic *best = NULL;

		for (i = 0; i < 4; i++)
			best = lapic_arbitrate(best, world_apic(i));
		lapic_arbitrated(best);
		won[best->id]++;
	}
	for (i = 0; i < 4; i++)
		assert_int_equal(won[i], 100);
	/* A lower priority beats a turn. */
	for (i = 0; i < 4; i++)
		lapic_set_tpr(world_apic(i), i == 2 ? 0x10 : 0x20);
	lapic_arbitrated(world_apic(2));
	assert_ptr_equal(lapic_arbitrate(world_apic(1), world_apic(2)),
			 world_apic(2));
	assert_ptr_equal(lapic_arbitrate(world_apic(2), world_apic(1)),
			 world_apic(2));
	/* One that takes none does not win. */
	mmio_put(world_apic(2), LAPIC_SVR, 0xff);
	assert_ptr_equal(lapic_arbitrate(world_apic(1), world_apic(2)),
			 world_apic(1));
	assert_ptr_equal(lapic_arbitrate(world_apic(2), world_apic(1)),
			 world_apic(1));
	/* The counters may wrap. */
	world_apic(0)->lowest_taken = ~0U;
	world_apic(1)->lowest_taken = 2;
	assert_ptr_equal(lapic_arbitrate(world_apic(1), world_apic(0)),
			 world_apic(0));
	assert_true(lapic_msg_lowest(&(struct apic_msg){
		.delivery = DELIVER_LOWEST }));
	assert_true(lapic_msg_lowest(&(struct apic_msg){
		.redir_hint = true }));
	assert_false(lapic_msg_lowest(&(struct apic_msg){ .dest = 1 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_physical_xapic, setup),
		cmocka_unit_test_setup(test_physical_x2apic, setup),
		cmocka_unit_test_setup(test_logical_flat, setup),
		cmocka_unit_test_setup(test_logical_cluster, setup),
		cmocka_unit_test_setup(test_logical_x2apic, setup),
		cmocka_unit_test_setup(test_mixed, setup),
		cmocka_unit_test_setup(test_shorthand, setup),
		cmocka_unit_test_setup(test_icr, setup),
		cmocka_unit_test_setup(test_self, setup),
		cmocka_unit_test_setup(test_lowest, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
