// SPDX-License-Identifier: GPL-2.0-only
/*
 * PIC and IOAPIC of a VM: lines in, interrupts out, ends of interrupt back.
 * See chip.h for the lock and who may call.
 *
 * A vCPU that might take an ExtINT is kicked when the PIC's output rises; it
 * looks at the output before each entry, so nothing else needs telling. LAPICs
 * report the end of level-triggered vectors by themselves, and of the edge
 * vectors in eoi_watch: those of the pins that the PIT or a resampling irqfd
 * drives. A report too many is harmless, and one that is missed only delays
 * the PIT's catching up.
 *
 * What looks at more than VM_WALK_MAX vCPUs, or at irqfds, is never done under
 * the chip lock, but left to irq/later.h.
 */
#include <linux/errno.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "core/vcpu.h"
#include "core/vm.h"
#include "irq/chip.h"
#include "irq/irqchip.h"
#include "irq/irqfd.h"
#include "irq/later.h"
#include "irq/msi.h"
#include "irq/route.h"

/* ---- interrupts out --------------------------------------------------- */

/* The PIC asks: tell the first that would take it; chip lock held. */
static void kick_for_extint(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned int i;

	vm_for_some_vcpus(i, vcpu, vm) {
		if (!lapic_accepts_extint(vcpu->lapic))
			continue;
		vcpu_kick(vcpu);
		return;
	}
	if (vm->later.crowd)
		irq_later_note(&vm->later, LATER_EXTINT);
}

/* After anything that may have changed the PIC; chip lock held. */
static void pic_changed(struct irqchip *chip)
{
	bool asks = pic_output(&chip->pic);

	if (asks && !chip->pic_was_asking)
		kick_for_extint(chip->vm);
	chip->pic_was_asking = asks;
}

static int ioapic_deliver(struct ioapic *io, unsigned int pin,
			  const struct apic_msg *msg)
{
	struct irqchip *chip = container_of(io, struct irqchip, ioapic);
	struct vm *vm = chip->vm;

	if (!irq_is_long(vm, NULL, msg))
		return irq_deliver_now(vm, NULL, msg);
	return irq_later_pin(&vm->later, pin, msg, chip->pit_pulses) ?
		LINE_LATER : LINE_COALESCED;
}

static const struct ioapic_ops ioapic_ops = {
	.deliver = ioapic_deliver,
};

/*
 * Who holds the lines of @pins is to say whether they still do; no lock held.
 * False: a thread will ask them.
 */
static bool pins_ask(struct irqchip *chip, struct irq_pins pins)
{
	struct irq_later *later = &chip->vm->later;

	/* One that is being added was not asserted yet. */
	if (!irq_pins_meet(pins, chip->resampled))
		return true;
	if (preemptible()) {
		guard(mutex)(&later->lock);
		irqfd_acked(chip->vm, pins);
		return true;
	}
	scoped_guard(spinlock_irqsave, &chip->lock) {
		later->acked.pic |= pins.pic;
		later->acked.ioapic |= pins.ioapic;
	}
	irq_later_note(later, LATER_ACKED);
	return false;
}

/* Somebody's interrupts ended; no lock held. As pins_ask(). */
static bool pins_acked(struct irqchip *chip, struct irq_pins pins)
{
	chip_pit_acked(chip, pins);
	return pins_ask(chip, pins);
}

/* What @vcpu has brought about it sees to itself, before it enters again. */
static void settle_by(struct vcpu *vcpu)
{
	struct irq_later *later = &vcpu->vm->later;

	if (likely(!READ_ONCE(later->todo)))
		return;
	if (preemptible())
		irq_later_finish(later);
	else
		vcpu_request(vcpu, REQ_IRQ_LATER);
}

bool chip_extint_pending(struct vcpu *vcpu)
{
	struct irqchip *chip = READ_ONCE(vcpu->vm->irqchip);

	return chip && pic_output(&chip->pic) &&
	       lapic_accepts_extint(vcpu->lapic);
}

int chip_extint_ack(struct vcpu *vcpu)
{
	struct irqchip *chip = vcpu->vm->irqchip;
	struct irq_pins pins = {};
	int vector = -1;

	scoped_guard(spinlock_irqsave, &chip->lock) {
		if (pic_output(&chip->pic))
			vector = pic_read_irq(&chip->pic);
		pins.pic = pic_take_acked(&chip->pic);
		pic_changed(chip);
	}
	pins_acked(chip, pins);
	settle_by(vcpu);
	return vector;
}

/* ---- lines in --------------------------------------------------------- */

static bool drive(u8 *sources, enum chip_source src, bool level)
{
	if (level)
		*sources |= BIT(src);
	else
		*sources &= ~BIT(src);
	return *sources;
}

static int pin_set(struct irqchip *chip, const struct irq_route *r,
		   enum chip_source src, bool level)
{
	unsigned int pin;
	int status;

	if (r->to == ROUTE_IOAPIC) {
		pin = array_index_nospec(r->pin, IOAPIC_PINS);
		level = drive(&chip->ioapic_sources[pin], src, level);
		return ioapic_set_irq(&chip->ioapic, pin, level);
	}
	pin = array_index_nospec(r->pin + 8 * r->to, PIC_PINS);
	level = drive(&chip->pic_sources[pin], src, level);
	status = pic_set_irq(&chip->pic, pin, level);
	pic_changed(chip);
	return status;
}

static int msi_set(struct vm *vm, const struct irq_route *r, u32 gsi,
		   bool level)
{
	struct apic_msg msg;

	if (!level)
		return LINE_IGNORED;
	msg = msi_decode(&r->msi, vm->lapic_config.ids_32bit);
	if (!irq_is_long(vm, NULL, &msg))
		return irq_deliver_now(vm, NULL, &msg);
	irq_later_gsi(&vm->later, gsi);
	return LINE_LATER;
}

int chip_line_locked(struct irqchip *chip, enum chip_source src, u32 gsi,
		     bool level)
{
	const struct irq_route *r;
	int status = LINE_IGNORED, one;
	unsigned int nr;

	lockdep_assert_held(&chip->lock);
	guard(rcu)();
	r = route_table_find(rcu_dereference(chip->vm->routing), gsi, &nr);
	for (; nr--; r++) {
		if (r->to == ROUTE_MSI)
			one = msi_set(chip->vm, r, gsi, level);
		else
			one = pin_set(chip, r, src, level);
		status = line_status_add(status, one);
	}
	return status;
}

/* Most GSIs lead to an MSI: no lock for those. */
static bool msi_line(struct vm *vm, u32 gsi, bool level, int *status)
{
	const struct irq_route *r;
	unsigned int nr;

	guard(rcu)();
	r = route_table_find(rcu_dereference(vm->routing), gsi, &nr);
	*status = LINE_IGNORED;
	if (!nr)
		return true;
	if (r->to != ROUTE_MSI)
		return false;
	*status = msi_set(vm, r, gsi, level);
	return true;
}

int chip_line(struct vm *vm, enum chip_source src, u32 gsi, bool level)
{
	struct irqchip *chip = READ_ONCE(vm->irqchip);
	int status;

	if (msi_line(vm, gsi, level, &status) || !chip)
		return status;
	scoped_guard(spinlock_irqsave, &chip->lock)
		status = chip_line_locked(chip, src, gsi, level);
	return status;
}

int chip_set_irq(struct vm *vm, enum chip_source src, u32 gsi, bool level)
{
	int status = chip_line(vm, src, gsi, level);

	irq_later_settle(&vm->later);
	return status == LINE_LATER ? LINE_DONE : status;
}

/* Where @gsi leads, if that is to an MSI */
static bool msi_of(struct vm *vm, u32 gsi, struct apic_msg *msg)
{
	const struct irq_route *r;
	unsigned int nr;

	guard(rcu)();
	r = route_table_find(rcu_dereference(vm->routing), gsi, &nr);
	if (!nr || r->to != ROUTE_MSI)
		return false;
	*msg = msi_decode(&r->msi, vm->lapic_config.ids_32bit);
	return true;
}

int chip_deliver_gsi(struct vm *vm, u32 gsi)
{
	struct apic_msg msg;
	int status;

	if (msi_of(vm, gsi, &msg))
		return irq_deliver(vm, NULL, &msg);
	/* The routes have changed since: it is an edge wherever it leads. */
	status = chip_line(vm, CHIP_SOURCE_IRQFD, gsi, true);
	chip_line(vm, CHIP_SOURCE_IRQFD, gsi, false);
	return status;
}

/* ---- ends of interrupt ------------------------------------------------ */

void chip_pins_ended(struct irqchip *chip, u32 pins)
{
	unsigned long left = pins;
	unsigned int pin;

	for_each_set_bit(pin, &left, IOAPIC_PINS)
		scoped_guard(spinlock_irqsave, &chip->lock)
			ioapic_eoi_done(&chip->ioapic, BIT(pin));
}

void chip_eoi(struct vcpu *vcpu, u8 vector, bool level)
{
	struct irqchip *chip = vcpu->vm->irqchip;
	struct irq_pins pins = {};

	if (!chip)
		return;
	scoped_guard(spinlock_irqsave, &chip->lock)
		pins.ioapic = ioapic_eoi(&chip->ioapic, vector, level);
	if (!pins.ioapic)
		return;
	if (pins_acked(chip, pins))
		chip_pins_ended(chip, pins.ioapic);
	settle_by(vcpu);
}

/* Hardware that ends interrupts by itself has to know. Chip lock held. */
static void renew_maps(struct vm *vm)
{
	struct vcpu *vcpu;
	unsigned int i;

	if (!(backend.caps & BACKEND_DELIVERS))
		return;
	if (vm->later.crowd) {
		irq_later_note(&vm->later, LATER_WATCH);
		return;
	}
	vm_for_some_vcpus(i, vcpu, vm)
		if (vcpu->lapic->posted)
			vcpu_request_kick(vcpu, REQ_EOI_MAP);
}

/* Let the LAPICs know which edge vectors are of interest; chip lock held. */
static void watch_vectors(struct irqchip *chip)
{
	unsigned long *watch = chip->vm->lapic_config.eoi_watch;
	DECLARE_BITMAP(map, 256);
	unsigned int w;

	ioapic_vectors(&chip->ioapic, chip->resampled.ioapic |
		       chip->pit_pins.ioapic, map);
	if (bitmap_equal(map, watch, 256))
		return;
	for (w = 0; w < ARRAY_SIZE(map); w++)
		WRITE_ONCE(watch[w], map[w]);
	renew_maps(chip->vm);
}

void chip_update_watch(struct vm *vm)
{
	struct irqchip *chip = vm->irqchip;
	struct irq_pins resampled, pit = {};

	lockdep_assert_held(&vm->irq_lock);
	if (!chip)
		return;
	resampled = irqfd_watched(vm);
	if (READ_ONCE(chip->has_pit))
		pit = route_pins(vm, CHIP_PIT_GSI);
	scoped_guard(spinlock_irqsave, &chip->lock) {
		chip->resampled = resampled;
		chip->pit_pins = pit;
		watch_vectors(chip);
	}
	assign_bit(VM_SLOW_CHIPS, &vm->slow, vm->later.crowd ||
		   resampled.pic || resampled.ioapic);
	irq_later_settle(&vm->later);
}

/* ---- registers -------------------------------------------------------- */

static bool pic_read(struct bus_dev *dev, u64 port, unsigned int len,
		     void *data)
{
	struct irqchip *chip = container_of(dev, struct irqchip, pic_dev);
	struct irq_pins pins = {};
	unsigned int i;

	/* ISA splits wider accesses. */
	scoped_guard(spinlock_irqsave, &chip->lock) {
		for (i = 0; i < len; i++)
			pic_port_read(&chip->pic, port + i, data + i);
		pins.pic = pic_take_acked(&chip->pic);
		pic_changed(chip);
	}
	pins_acked(chip, pins);
	irq_later_settle(&chip->vm->later);
	return true;
}

static bool pic_write(struct bus_dev *dev, u64 port, unsigned int len,
		      const void *data)
{
	struct irqchip *chip = container_of(dev, struct irqchip, pic_dev);
	struct irq_pins pins = {};
	const u8 *byte = data;
	unsigned int i;

	scoped_guard(spinlock_irqsave, &chip->lock) {
		for (i = 0; i < len; i++)
			pic_port_write(&chip->pic, port + i, byte[i]);
		pins.pic = pic_take_acked(&chip->pic);
		pic_changed(chip);
	}
	pins_acked(chip, pins);
	irq_later_settle(&chip->vm->later);
	return true;
}

static const struct bus_dev_ops pic_bus_ops = {
	.read = pic_read,
	.write = pic_write,
};

/* One at a time, as each may be for many. */
static void pins_serve(struct irqchip *chip, u32 pins)
{
	unsigned long left = pins;
	unsigned int pin;

	for_each_set_bit(pin, &left, IOAPIC_PINS)
		scoped_guard(spinlock_irqsave, &chip->lock)
			ioapic_serve(&chip->ioapic, BIT(pin));
}

/* 82093AA, 3.1: registers are accessed by 32 bits; narrower reads see part. */
static bool ioapic_mmio_read(struct bus_dev *dev, u64 gpa, unsigned int len,
			     void *data)
{
	struct irqchip *chip = container_of(dev, struct irqchip, ioapic_dev);
	u64 val;

	scoped_guard(spinlock_irqsave, &chip->lock)
		val = ioapic_read(&chip->ioapic, gpa - IOAPIC_BASE);
	memcpy(data, &val, len);
	return true;
}

static bool ioapic_mmio_write(struct bus_dev *dev, u64 gpa, unsigned int len,
			      const void *data)
{
	struct irqchip *chip = container_of(dev, struct irqchip, ioapic_dev);
	struct irq_pins due = {};
	u64 val = 0;

	memcpy(&val, data, len);
	scoped_guard(spinlock_irqsave, &chip->lock) {
		due.ioapic = ioapic_write(&chip->ioapic, gpa - IOAPIC_BASE,
					  val);
		watch_vectors(chip);
	}
	/*
	 * A resampled line was held since before its pin was masked: the device
	 * may have let go of it, as a guest that handles it in a thread has it.
	 */
	if (due.ioapic && pins_ask(chip, due))
		pins_serve(chip, due.ioapic);
	irq_later_settle(&chip->vm->later);
	return true;
}

static const struct bus_dev_ops ioapic_bus_ops = {
	.read = ioapic_mmio_read,
	.write = ioapic_mmio_write,
};

/* ---- timers ----------------------------------------------------------- */

static u64 timer_now(struct dev_env *env)
{
	return ktime_get_ns();
}

static void timer_arm(struct dev_env *env, u64 when)
{
	struct chip_timer *t = container_of(env, struct chip_timer, env);

	hrtimer_start(&t->hr, ns_to_ktime(when), HRTIMER_MODE_ABS);
}

static void timer_cancel(struct dev_env *env)
{
	struct chip_timer *t = container_of(env, struct chip_timer, env);

	/* The callback may be waiting for our lock; late ones do no harm. */
	hrtimer_try_to_cancel(&t->hr);
}

static const struct dev_env_ops timer_ops = {
	.now = timer_now,
	.timer_arm = timer_arm,
	.timer_cancel = timer_cancel,
};

void chip_timer_init(struct chip_timer *timer,
		     enum hrtimer_restart (*fired)(struct hrtimer *))
{
	timer->env.ops = &timer_ops;
	hrtimer_init(&timer->hr, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	timer->hr.function = fired;
}

static enum hrtimer_restart ioapic_fired(struct hrtimer *hr)
{
	struct irqchip *chip = container_of(hr, struct irqchip,
					    ioapic_timer.hr);

	scoped_guard(spinlock_irqsave, &chip->lock)
		ioapic_timer_fired(&chip->ioapic);
	irq_later_settle(&chip->vm->later);
	return HRTIMER_NORESTART;
}

/* ---- life ------------------------------------------------------------- */

static struct irqchip *chip_alloc(struct vm *vm)
{
	struct irqchip *chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);

	if (!chip)
		return NULL;
	chip->vm = vm;
	spin_lock_init(&chip->lock);
	chip->pic_dev.ops = &pic_bus_ops;
	chip->ioapic_dev.ops = &ioapic_bus_ops;
	chip_timer_init(&chip->ioapic_timer, ioapic_fired);
	chip->ioapic.ops = &ioapic_ops;
	chip->ioapic.env = &chip->ioapic_timer.env;
	pic_init(&chip->pic);
	ioapic_init(&chip->ioapic);
	return chip;
}

#define PIC_PORTS(first)						\
	{ .bus = VM_BUS_PIO, .range.start = (first), .range.len = 2,	\
	  .range.dev = &chip->pic_dev }

static int chip_register(struct irqchip *chip)
{
	const struct vm_bus_range ranges[] = {
		PIC_PORTS(0x20),
		PIC_PORTS(0xa0),
		PIC_PORTS(0x4d0),
		{
			.bus = VM_BUS_MMIO,
			.range.start = IOAPIC_BASE,
			.range.len = IOAPIC_SIZE,
			.range.dev = &chip->ioapic_dev,
		},
	};

	guard(mutex)(&chip->vm->mem.slots_lock);
	return vm_bus_add_all(chip->vm, ranges, ARRAY_SIZE(ranges));
}

static int chip_check(struct vm *vm)
{
	lockdep_assert_held(&vm->lock);
	if (vm->irqchip_mode != IRQCHIP_NONE || vm->irqchip)
		return -EEXIST;
	return vm->vcpu_count ? -EINVAL : 0;
}

int chip_create(struct vm *vm)
{
	struct irqchip *chip;
	int err = chip_check(vm);

	if (err)
		return err;
	chip = chip_alloc(vm);
	if (!chip)
		return -ENOMEM;
	/* Of no use without chips, and replaced by a second try. */
	err = route_set_default(vm);
	if (!err)
		err = chip_register(chip);
	if (err) {
		kfree(chip);
		return err;
	}
	smp_store_release(&vm->irqchip, chip);
	smp_store_release(&vm->irqchip_mode, IRQCHIP_KERNEL);
	return 0;
}

int chip_create_split(struct vm *vm, u64 pins)
{
	int err = chip_check(vm);

	if (err)
		return err;
	if (pins > ROUTE_MAX_GSI)
		return -EINVAL;
	vm->split_pins = pins;
	smp_store_release(&vm->irqchip_mode, IRQCHIP_SPLIT);
	return 0;
}

void chip_free(struct vm *vm)
{
	struct irqchip *chip = vm->irqchip;

	if (chip) {
		hrtimer_cancel(&chip->ioapic_timer.hr);
		if (chip->has_pit)
			hrtimer_cancel(&chip->pit_timer.hr);
	}
	/* Its worker arms no timer. */
	irq_later_stop(&vm->later);
	vm->irqchip = NULL;
	kfree(chip);
}

/* ---- KVM_GET_IRQCHIP, KVM_SET_IRQCHIP --------------------------------- */

static struct irqchip *chip_of(struct vm *vm)
{
	if (smp_load_acquire(&vm->irqchip_mode) != IRQCHIP_KERNEL)
		return NULL;
	return vm->irqchip;
}

int chip_get(struct vm *vm, struct kvm_irqchip *state)
{
	struct irqchip *chip = chip_of(vm);
	int err = 0;

	if (!chip)
		return -ENXIO;
	irq_later_finish(&vm->later);
	scoped_guard(spinlock_irqsave, &chip->lock) {
		switch (state->chip_id) {
		case KVM_IRQCHIP_PIC_MASTER:
			state->chip.pic = chip->pic.chip[0];
			break;
		case KVM_IRQCHIP_PIC_SLAVE:
			state->chip.pic = chip->pic.chip[1];
			break;
		case KVM_IRQCHIP_IOAPIC:
			state->chip.ioapic = chip->ioapic.st;
			break;
		default:
			err = -EINVAL;
		}
	}
	return err;
}

int chip_set(struct vm *vm, const struct kvm_irqchip *state)
{
	struct irqchip *chip = chip_of(vm);
	u32 due = 0;
	int err = 0;

	if (!chip)
		return -ENXIO;
	irq_later_finish(&vm->later);
	scoped_guard(spinlock_irqsave, &chip->lock) {
		switch (state->chip_id) {
		case KVM_IRQCHIP_PIC_MASTER:
			pic_set_state(&chip->pic, 0, &state->chip.pic);
			break;
		case KVM_IRQCHIP_PIC_SLAVE:
			pic_set_state(&chip->pic, 1, &state->chip.pic);
			break;
		case KVM_IRQCHIP_IOAPIC:
			due = ioapic_set_state(&chip->ioapic,
					       &state->chip.ioapic);
			break;
		default:
			err = -EINVAL;
		}
		pic_changed(chip);
		watch_vectors(chip);
	}
	pins_serve(chip, due);
	irq_later_settle(&vm->later);
	return err;
}
