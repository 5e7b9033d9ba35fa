// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupt work that a thread does: see later.h.
 *
 * A note is stored first and its bit set then; the work takes the bit first.
 * One that comes while its kind is being worked on is found by that round or
 * has its bit set for the next, which its author sees to.
 */
#include <linux/delay.h>
#include <linux/errno.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "core/vcpu.h"
#include "core/vm.h"
#include "irq/irqchip.h"
#include "irq/irqfd.h"
#include "irq/later.h"
#include "irq/msi.h"

/* What waits to be looked for among many vCPUs */
struct irq_crowd {
	DECLARE_BITMAP(gsis, ROUTE_MAX_GSI);	/* [a] */
	u32 pins;				/* [11] */
	u32 pit_pins;				/* [11] of these, the PIT's */
	struct apic_msg msg[IOAPIC_PINS];	/* [11] of each of pins */
};

static struct vm *later_vm(struct irq_later *l)
{
	return container_of(l, struct vm, later);
}

/* ---- notes ------------------------------------------------------------ */

void irq_later_note(struct irq_later *l, enum later what)
{
	smp_mb__before_atomic();
	set_bit(what, &l->todo);
}

void irq_later_gsi(struct irq_later *l, u32 gsi)
{
	set_bit(array_index_nospec(gsi, ROUTE_MAX_GSI), l->crowd->gsis);
	irq_later_note(l, LATER_GSIS);
}

bool irq_later_pin(struct irq_later *l, unsigned int pin,
		   const struct apic_msg *msg, bool pit)
{
	struct irq_crowd *crowd = l->crowd;
	bool waits = crowd->pins & BIT(pin);

	crowd->pins |= BIT(pin);
	crowd->msg[pin] = *msg;
	if (pit && !waits)
		crowd->pit_pins |= BIT(pin);
	irq_later_note(l, LATER_PINS);
	return !waits;
}

/* ---- work; irq_later.lock held ---------------------------------------- */

static void later_acked(struct vm *vm)
{
	struct irqchip *chip = vm->irqchip;
	struct irq_pins pins;

	scoped_guard(spinlock_irqsave, &chip->lock) {
		pins = vm->later.acked;
		vm->later.acked = (struct irq_pins){ };
	}
	irqfd_acked(vm, pins);
	chip_pins_ended(chip, pins.ioapic);
}

static void later_pin(struct irqchip *chip, unsigned int pin)
{
	struct irq_crowd *crowd = chip->vm->later.crowd;
	struct apic_msg msg;
	bool pit;
	int took;

	scoped_guard(spinlock_irqsave, &chip->lock) {
		msg = crowd->msg[pin];
		pit = crowd->pit_pins & BIT(pin);
		crowd->pins &= ~BIT(pin);
		crowd->pit_pins &= ~BIT(pin);
	}
	/* bounded: between the sections */
	took = irq_deliver(chip->vm, NULL, &msg);
	scoped_guard(spinlock_irqsave, &chip->lock) {
		ioapic_delivered(&chip->ioapic, pin, took);
		if (pit)
			pit_pulsed(&chip->pit, took);
	}
}

static void later_pins(struct vm *vm)
{
	unsigned long pins = READ_ONCE(vm->later.crowd->pins);
	unsigned int pin;

	/* Only the work takes them out. */
	for_each_set_bit(pin, &pins, IOAPIC_PINS)
		later_pin(vm->irqchip, pin);
}

static void later_gsis(struct vm *vm)
{
	struct irq_crowd *crowd = vm->later.crowd;
	unsigned int gsi;
	int took;

	for_each_set_bit(gsi, crowd->gsis, ROUTE_MAX_GSI) {
		clear_bit(gsi, crowd->gsis);
		/* Pairs with irq_later_gsi(): the bit before the routes. */
		smp_mb__after_atomic();
		took = chip_deliver_gsi(vm, gsi);
		if (gsi == CHIP_PIT_GSI && vm->irqchip)
			chip_pit_pulsed(vm->irqchip, took);
	}
}

static void later_watch(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm)
		if (vcpu->lapic->posted)
			vcpu_request_kick(vcpu, REQ_EOI_MAP);
}

static void later_extint(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned int i;

	vm_for_each_vcpu(i, vcpu, vm) {
		if (!lapic_accepts_extint(vcpu->lapic))
			continue;
		vcpu_kick(vcpu);
		break;
	}
}

static void (*const later_rows[LATER_COUNT])(struct vm *vm) = {
	[LATER_ACKED] = later_acked,
	[LATER_PINS] = later_pins,
	[LATER_GSIS] = later_gsis,
	[LATER_WATCH] = later_watch,
	[LATER_EXTINT] = later_extint,
};

void irq_later_finish(struct irq_later *l)
{
	unsigned long todo;
	unsigned int what;

	guard(mutex)(&l->lock);
	todo = xchg(&l->todo, 0);
	for_each_set_bit(what, &todo, LATER_COUNT)
		later_rows[what](later_vm(l));
}

/* ---- who does it ------------------------------------------------------ */

/* A worker works for a quarter of the time, however much there is to do. */
#define LATER_REST 3
#define LATER_REST_MAX_US 30000

static void later_work(struct work_struct *work)
{
	u64 start = ktime_get_ns(), us;

	irq_later_finish(container_of(work, struct irq_later, work));
	us = (ktime_get_ns() - start) / NSEC_PER_USEC * LATER_REST;
	us = min_t(u64, us, LATER_REST_MAX_US);
	if (us)
		usleep_range(us, us + us / 4);
}

void irq_later_hand_over(struct irq_later *l)
{
	/* Where it cannot be known, as preemption is not counted: a worker. */
	if (preemptible())
		irq_later_finish(l);
	else
		queue_work(system_unbound_wq, &l->work);
}

/* ---- life ------------------------------------------------------------- */

void irq_later_init(struct irq_later *l)
{
	INIT_WORK(&l->work, later_work);
	mutex_init(&l->lock);
}

int irq_later_crowd(struct irq_later *l)
{
	struct irq_crowd *crowd = kzalloc(sizeof(*crowd), GFP_KERNEL_ACCOUNT);

	if (!crowd)
		return -ENOMEM;
	/* Before the vCPU that makes it a crowd is seen. */
	smp_store_release(&l->crowd, crowd);
	set_bit(VM_SLOW_CHIPS, &later_vm(l)->slow);
	return 0;
}

void irq_later_stop(struct irq_later *l)
{
	cancel_work_sync(&l->work);
	kfree(l->crowd);
	l->crowd = NULL;
}
