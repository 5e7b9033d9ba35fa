// SPDX-License-Identifier: GPL-2.0-only
/*
 * Local APIC with hardware that works on its page: the inbox, the vectors
 * whose end is of interest, and what follows from what hardware did.
 * SDM vol. 3, chapter 30.
 */
#include "lapic_world.h"

static struct posted inbox;
static unsigned int posts, maps;

static void count_post(struct lapic *l)
{
	posts += posted_notify(l->posted);
}

static void count_map(struct lapic *l)
{
	maps++;
}

static struct lapic_ops hw_ops;

static int setup(void **state)
{
	struct lapic *l;

	world_reset();
	hw_ops = world_ops;
	hw_ops.post = count_post;
	hw_ops.eoi_map = count_map;
	world.cfg.ops = &hw_ops;
	inbox = (struct posted){ };
	posts = maps = 0;
	l = world_apic(0);
	l->posted = &inbox;
	world_enable(l);
	return 0;
}

static bool page_bit(struct lapic *l, u32 reg, u8 vector)
{
	return lapic_get(l, reg + vector / 32 * 16) >> vector % 32 & 1;
}

static void page_set(struct lapic *l, u32 reg, u8 vector, bool on)
{
	u32 at = reg + vector / 32 * 16, bit = 1U << vector % 32;

	lapic_put(l, at, on ? lapic_get(l, at) | bit : lapic_get(l, at) & ~bit);
}

/* While the guest runs the IRR is the hardware's: senders keep off it. */
static void test_inbox(void **state)
{
	struct lapic *l = world_apic(0);
	struct apic_msg msg = { .vector = 0x61, .delivery = DELIVER_FIXED };

	assert_int_equal(lapic_deliver(l, &msg), LAPIC_DELIVERED);
	assert_false(page_bit(l, LAPIC_IRR, 0x61));
	assert_true(posted_has(&inbox, 0x61));
	assert_int_equal(posts, 1);
	assert_int_equal(world_of(l)->kicks, 0);
	assert_int_equal(lapic_deliver(l, &msg), LAPIC_COALESCED);
	assert_int_equal(posts, 1);

	msg.vector = 0xf3;
	assert_int_equal(lapic_deliver(l, &msg), LAPIC_DELIVERED);
	/* Whoever posted first has notified for both. */
	assert_int_equal(posts, 1);

	/* The owner's look takes them in, and the next post notifies. */
	assert_int_equal(lapic_pending_irq(l), 0xf3);
	assert_true(page_bit(l, LAPIC_IRR, 0x61));
	assert_false(posted_pending(&inbox));
	assert_int_equal(lapic_deliver(l, &msg), LAPIC_COALESCED);
	assert_int_equal(posts, 2);
	assert_int_equal(lapic_pending_irq(l), 0xf3);
}

/* What the owner itself raises needs nobody to be told. */
static void test_self(void **state)
{
	struct lapic *l = world_apic(0);

	lapic_request_self(l, 0x30);
	assert_int_equal(posts, 0);
	assert_int_equal(lapic_pending_irq(l), 0x30);
}

static void test_state(void **state)
{
	struct lapic *l = world_apic(0);
	struct apic_msg msg = { .vector = 0x61, .delivery = DELIVER_FIXED };
	struct kvm_lapic_state s;

	lapic_deliver(l, &msg);
	lapic_get_state(l, &s);
	assert_int_equal(s.regs[LAPIC_IRR + 0x30] & 2, 2);

	/* A state that is set, and a reset, leave nothing of before. */
	memset(s.regs + LAPIC_IRR, 0, 0x80);
	msg.vector = 0x71;
	lapic_deliver(l, &msg);
	lapic_set_state(l, &s);
	assert_int_equal(lapic_pending_irq(l), -1);
	lapic_deliver(l, &msg);
	lapic_reset(l, true);
	assert_int_equal(lapic_pending_irq(l), -1);
	/* Reads of the page alone see the version, too. */
	assert_int_equal(lapic_get(l, LAPIC_VERSION), 0x50014);
}

static void test_map(void **state)
{
	struct lapic *l = world_apic(0);
	struct apic_msg level = { .vector = 0x85, .delivery = DELIVER_FIXED,
				  .level = true, .assert = true };
	u64 map[4] = { };

	lapic_eoi_map(l, map);
	assert_true(!map[0] && !map[1] && !map[2] && !map[3]);

	/* The first level message of a vector changes the map, no other. */
	lapic_deliver(l, &level);
	assert_int_equal(maps, 1);
	lapic_eoi_map(l, map);
	assert_true(map[2] == 1ULL << (0x85 - 0x80));
	assert_int_equal(world_of(l)->eois, 0);
	page_set(l, LAPIC_IRR, 0x85, false);
	lapic_deliver(l, &level);
	assert_int_equal(maps, 1);

	/* Watched edges count as well; one that is edge again does not. */
	world.cfg.eoi_watch[3] = 2;
	level.level = false;
	lapic_deliver(l, &level);
	lapic_eoi_map(l, map);
	assert_true(map[2] == 0 && map[3] == 2);
	assert_int_equal(world_of(l)->eois, 0);
}

/* Taken and ended by the hardware before the map had it: told now. */
static void test_missed(void **state)
{
	struct lapic *l = world_apic(0);
	struct apic_msg level = { .vector = 0x85, .delivery = DELIVER_FIXED,
				  .level = true, .assert = true };
	u64 map[4] = { };

	lapic_deliver(l, &level);
	assert_int_equal(lapic_highest_irr(l), 0x85);
	page_set(l, LAPIC_IRR, 0x85, false);
	lapic_eoi_map(l, map);
	assert_int_equal(world_of(l)->eois, 1);
	assert_int_equal(world_of(l)->last_eoi, 0x85);
	assert_true(world_of(l)->last_eoi_level);
	/* Once; and not while it is requested or in service. */
	lapic_eoi_map(l, map);
	assert_int_equal(world_of(l)->eois, 1);
	level.vector = 0x86;
	lapic_deliver(l, &level);
	lapic_highest_irr(l);
	page_set(l, LAPIC_IRR, 0x86, false);
	page_set(l, LAPIC_ISR, 0x86, true);
	lapic_eoi_map(l, map);
	assert_int_equal(world_of(l)->eois, 1);
}

static void test_ran(void **state)
{
	struct lapic *l = world_apic(0);

	/* The hardware has taken 0x52 and left 0x41 requested. */
	page_set(l, LAPIC_IRR, 0x41, true);
	page_set(l, LAPIC_ISR, 0x52, true);
	lapic_put(l, LAPIC_PPR, 0x50);
	lapic_hw_ran(l, 0x52);
	assert_int_equal(l->isr_highest, 0x52);
	assert_int_equal(lapic_highest_irr(l), 0x41);
	assert_int_equal(lapic_pending_irq(l), -1);

	/* Software ends it where hardware did not. */
	lapic_eoi(l);
	assert_int_equal(l->isr_highest, -1);
	assert_int_equal(lapic_pending_irq(l), 0x41);
}

static void test_ended(void **state)
{
	struct lapic *l = world_apic(0);

	lapic_hw_ended(l, 0x40);
	assert_int_equal(world_of(l)->eois, 0);
	world.cfg.eoi_watch[1] = 1;
	lapic_hw_ended(l, 0x40);
	assert_int_equal(world_of(l)->eois, 1);
	assert_false(world_of(l)->last_eoi_level);
	page_set(l, LAPIC_TMR, 0x45, true);
	lapic_hw_ended(l, 0x45);
	assert_int_equal(world_of(l)->eois, 2);
	assert_true(world_of(l)->last_eoi_level);
}

/* As the guest's store, which is in the page already, and the exit after it. */
static void hw_write(struct lapic *l, u32 reg, u32 value)
{
	lapic_put(l, reg, value);
	lapic_hw_wrote(l, reg);
}

/* A write that hardware stored ends like one that software did. */
static void test_wrote(void **state)
{
	static const struct {
		u32 reg, value;
	} writes[] = {
		{ LAPIC_ID, 0xff000000 }, { LAPIC_LDR, 0x12345678 },
		{ LAPIC_DFR, 0x01234567 }, { LAPIC_SVR, 0xfffff1ff },
		{ LAPIC_LVT0, 0xffffffff }, { LAPIC_LVT1, 0x10400 },
		{ LAPIC_LVT_TIMER, 0xfff400ef }, { LAPIC_TMICT, 0x5000 },
		{ LAPIC_LVT_TIMER, 0x200ef }, { LAPIC_TMICT, 1000000 },
		{ LAPIC_TDCR, 0xffffffff }, { LAPIC_TDCR, 3 },
		{ LAPIC_ICR2, 0x03ffffff }, { LAPIC_ICR, 0xffff4061 },
		{ LAPIC_LVT_TIMER, 0x400ef }, { LAPIC_TMICT, 77 },
		{ LAPIC_LVT_CMCI, 0x30 }, { LAPIC_SVR, 0xff },
	};
	struct lapic *hw = world_apic(1), *sw = world_apic(2);
	unsigned int i;
	u32 reg;

	/* The id apart, they are the same. */
	world_enable(hw);
	world_enable(sw);
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		hw_write(hw, writes[i].reg, writes[i].value);
		mmio_put(sw, writes[i].reg, writes[i].value);
		world_run(1000);
		for (reg = LAPIC_TPR; reg < 0x400; reg += 16)
			if (reg < LAPIC_IRR || reg >= LAPIC_ESR)
				assert_int_equal(mmio_get(hw, reg),
						 mmio_get(sw, reg));
		assert_int_equal(mmio_get(hw, LAPIC_ID), 1 << 24);
	}
}

static void test_wrote_eoi(void **state)
{
	struct lapic *l = world_apic(0);

	page_set(l, LAPIC_ISR, 0x52, true);
	lapic_hw_ran(l, 0x52);
	hw_write(l, LAPIC_EOI, 0);
	assert_int_equal(l->isr_highest, -1);
	assert_false(page_bit(l, LAPIC_ISR, 0x52));
}

/* x2APIC's ICR where hardware that sends IPIs keeps it: all of it at 300H */
static void test_wide_icr(void **state)
{
	struct lapic *l = world_apic(0);
	u32 *page = l->regs;
	struct kvm_lapic_state s;
	u64 icr;

	world.cfg.icr_wide = true;
	l->has_x2apic = true;
	assert_int_equal(lapic_set_base(l, l->base | BIT(10), false), MSR_OK);
	assert_int_equal(lapic_msr_write(l, 0x830, 0x1234500004061ULL), MSR_OK);
	assert_int_equal(page[0x304 / 4], 0x12345);
	assert_int_equal(page[0x310 / 4], 0);
	assert_int_equal(world.last_msg.dest, 0x12345);

	/* Stored by the hardware, and left to us to send. */
	page[0x304 / 4] = 0x70001;
	hw_write(l, LAPIC_ICR, 0x4072);
	assert_int_equal(world.last_msg.dest, 0x70001);
	assert_int_equal(world.last_msg.vector, 0x72);
	assert_int_equal(lapic_msr_read(l, 0x830, &icr), MSR_OK);
	assert_true(icr == 0x7000100004072ULL);

	/* The VMM's format has two halves, whatever the page has. */
	lapic_get_state(l, &s);
	assert_int_equal(s.regs[0x310] | s.regs[0x312] << 16, 0x70001);
	assert_int_equal(s.regs[0x304] | s.regs[0x306], 0);
	s.regs[0x312] = 9;
	lapic_set_state(l, &s);
	assert_int_equal(lapic_msr_read(l, 0x830, &icr), MSR_OK);
	assert_true(icr == 0x9000100004072ULL);

	lapic_reset(l, true);
	assert_int_equal(page[0x304 / 4], 0);
	world.cfg.icr_wide = false;
}

/* Hardware posts to a LAPIC that takes nothing, too. */
static void test_disabled(void **state)
{
	struct lapic *l = world_apic(0);

	mmio_put(l, LAPIC_SVR, 0xff);
	posted_set(&inbox, 0x61);
	posted_notify(&inbox);
	assert_int_equal(lapic_highest_irr(l), -1);
	assert_false(posted_pending(&inbox));
	mmio_put(l, LAPIC_SVR, 0x1ff);
	assert_int_equal(lapic_highest_irr(l), -1);
}

/* What it accepted before is held: SDM vol. 3, 11.4.7.2 */
static void test_disabled_after(void **state)
{
	struct lapic *l = world_apic(0);

	world_fixed(l, 0x61, true);
	assert_true(posted_has(&inbox, 0x61));
	hw_write(l, LAPIC_SVR, 0xff);
	assert_int_equal(lapic_highest_irr(l), 0x61);
	assert_false(posted_pending(&inbox));
	mmio_put(l, LAPIC_SVR, 0x1ff);
	assert_int_equal(lapic_pending_irq(l), 0x61);
}

/* The TMR of a state that is set is not the one that the map was made of. */
static void test_state_renews_map(void **state)
{
	struct lapic *l = world_apic(0);
	struct kvm_lapic_state s;
	u64 map[4] = { };

	world_fixed(l, 0x61, true);
	lapic_get_state(l, &s);
	lapic_reset(l, true);
	world_enable(l);
	world_fixed(l, 0x75, true);
	lapic_eoi_map(l, map);
	assert_true(map[1] == 1ULL << (0x75 - 0x40));
	maps = 0;
	lapic_set_state(l, &s);
	assert_int_equal(maps, 1);
	lapic_eoi_map(l, map);
	assert_true(map[1] == 1ULL << (0x61 - 0x40));
	/* So the next message of that vector does not have to ask for it. */
	world_fixed(l, 0x61, true);
	assert_int_equal(maps, 1);
}

/* SDM vol. 3, table 11-6: readable, and no more than a word of the page */
static void test_plain(void **state)
{
	static const u16 plain[] = {
		0x802, 0x803, 0x808, 0x80a, 0x80d, 0x80f, 0x828, 0x832, 0x833,
		0x834, 0x835, 0x836, 0x837, 0x838, 0x83e,
	};
	unsigned int i;
	u32 msr;

	for (msr = 0x7ff; msr <= 0x901; msr++) {
		bool want = msr >= 0x810 && msr <= 0x827;

		for (i = 0; i < ARRAY_SIZE(plain); i++)
			want |= msr == plain[i];
		assert_int_equal(lapic_msr_plain(msr), want);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_inbox, setup),
		cmocka_unit_test_setup(test_self, setup),
		cmocka_unit_test_setup(test_state, setup),
		cmocka_unit_test_setup(test_map, setup),
		cmocka_unit_test_setup(test_missed, setup),
		cmocka_unit_test_setup(test_ran, setup),
		cmocka_unit_test_setup(test_ended, setup),
		cmocka_unit_test_setup(test_wrote, setup),
		cmocka_unit_test_setup(test_wrote_eoi, setup),
		cmocka_unit_test_setup(test_wide_icr, setup),
		cmocka_unit_test_setup(test_disabled, setup),
		cmocka_unit_test_setup(test_disabled_after, setup),
		cmocka_unit_test_setup(test_state_renews_map, setup),
		cmocka_unit_test(test_plain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
