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
 */
#include <linux/errno.h>
#include <linux/slab.h>

#include "core/vcpu.h"
#include "core/vm.h"
#include "irq/chip.h"
#include "irq/irqchip.h"
#include "irq/irqfd.h"
#include "irq/msi.h"
#include "irq/route.h"

/* ---- interrupts out --------------------------------------------------- */

/* After anything that may have changed the PIC; chip lock held. */
static void pic_changed(struct irqchip *chip)
{
	bool asks = pic_output(&chip->pic);
	struct vcpu *vcpu;
	unsigned int i;

	if (asks && !chip->pic_was_asking) {
		vm_for_each_vcpu(i, vcpu, chip->vm) {
			if (!lapic_accepts_extint(vcpu->lapic))
				continue;
			vcpu_kick(vcpu);
			break;
		}
	}
	chip->pic_was_asking = asks;
}

static int ioapic_deliver(struct ioapic *io, const struct apic_msg *msg)
{
	struct irqchip *chip = container_of(io, struct irqchip, ioapic);

	return irq_deliver(chip->vm, NULL, msg);
}

static const struct ioapic_ops ioapic_ops = {
	.deliver = ioapic_deliver,
};

/* Somebody's interrupts ended; no lock held. */
static void pins_acked(struct irqchip *chip, struct irq_pins pins)
{
	if (!pins.pic && !pins.ioapic)
		return;
	chip_pit_acked(chip, pins);
	irqfd_acked(chip->vm, pins);
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

static int msi_set(struct vm *vm, const struct irq_route *r, bool level)
{
	struct apic_msg msg;

	if (!level)
		return LINE_IGNORED;
	msg = msi_decode(&r->msi, vm->lapic_config.ids_32bit);
	return irq_deliver(vm, NULL, &msg);
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
			one = msi_set(chip->vm, r, level);
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
	*status = msi_set(vm, r, level);
	return true;
}

int chip_set_irq(struct vm *vm, enum chip_source src, u32 gsi, bool level)
{
	struct irqchip *chip = READ_ONCE(vm->irqchip);
	int status;

	if (msi_line(vm, gsi, level, &status) || !chip)
		return status;
	scoped_guard(spinlock_irqsave, &chip->lock)
		status = chip_line_locked(chip, src, gsi, level);
	return status;
}

/* ---- ends of interrupt ------------------------------------------------ */

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
	pins_acked(chip, pins);
	scoped_guard(spinlock_irqsave, &chip->lock)
		ioapic_eoi_done(&chip->ioapic, pins.ioapic);
}

/* Let the LAPICs know which edge vectors are of interest; chip lock held. */
static void watch_vectors(struct irqchip *chip)
{
	int vcpus = smp_load_acquire(&chip->vm->vcpu_count);
	DECLARE_BITMAP(map, 256);
	struct vcpu *vcpu;
	unsigned int i, w;

	ioapic_vectors(&chip->ioapic, chip->watch_pins, map);
	if (bitmap_equal(map, chip->watch, 256) && vcpus == chip->watch_vcpus)
		return;
	bitmap_copy(chip->watch, map, 256);
	chip->watch_vcpus = vcpus;
	vm_for_each_vcpu(i, vcpu, chip->vm) {
		for (w = 0; w < ARRAY_SIZE(map); w++)
			WRITE_ONCE(vcpu->lapic->eoi_watch[w], map[w]);
		if (vcpu->lapic->posted)
			vcpu_request_kick(vcpu, REQ_EOI_MAP);
	}
}

void chip_update_watch(struct vm *vm)
{
	struct irqchip *chip = vm->irqchip;
	u32 pins;

	lockdep_assert_held(&vm->irq_lock);
	if (!chip)
		return;
	pins = irqfd_watched(vm).ioapic;
	if (READ_ONCE(chip->has_pit))
		pins |= route_pins(vm, CHIP_PIT_GSI).ioapic;
	scoped_guard(spinlock_irqsave, &chip->lock) {
		chip->watch_pins = pins;
		watch_vectors(chip);
	}
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
	return true;
}

static const struct bus_dev_ops pic_bus_ops = {
	.read = pic_read,
	.write = pic_write,
};

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
	u64 val = 0;

	memcpy(&val, data, len);
	scoped_guard(spinlock_irqsave, &chip->lock) {
		ioapic_write(&chip->ioapic, gpa - IOAPIC_BASE, val);
		watch_vectors(chip);
	}
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
	spin_lock_init(&chip->resample_lock);
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

	if (!chip)
		return;
	hrtimer_cancel(&chip->ioapic_timer.hr);
	if (chip->has_pit)
		hrtimer_cancel(&chip->pit_timer.hr);
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
	int err = 0;

	if (!chip)
		return -ENXIO;
	scoped_guard(spinlock_irqsave, &chip->lock) {
		switch (state->chip_id) {
		case KVM_IRQCHIP_PIC_MASTER:
			pic_set_state(&chip->pic, 0, &state->chip.pic);
			break;
		case KVM_IRQCHIP_PIC_SLAVE:
			pic_set_state(&chip->pic, 1, &state->chip.pic);
			break;
		case KVM_IRQCHIP_IOAPIC:
			ioapic_set_state(&chip->ioapic, &state->chip.ioapic);
			break;
		default:
			err = -EINVAL;
		}
		pic_changed(chip);
		watch_vectors(chip);
	}
	return err;
}
