// SPDX-License-Identifier: GPL-2.0-only
/*
 * The PIT of a VM: its hrtimer, its ports, its interrupt.
 *
 * No thread: the hrtimer's callback takes the chip lock and pulses the PIT's
 * GSI itself, as setting lines is legal in hardirq; only a pulse that is for
 * many vCPUs is left to irq/later.h. What the guest could not take yet is
 * counted by the model and handed out when the chips report the end of the one
 * before.
 *
 * It reaches the LAPICs through the chips alone: LINT0 in NMI mode, by which old
 * guests could make a watchdog of the PIT, is not driven.
 */
#include <linux/errno.h>

#include "core/vm.h"
#include "irq/chip.h"
#include "irq/irqchip.h"
#include "irq/later.h"
#include "irq/route.h"

static int pit_pulse(struct pit *pit)
{
	struct irqchip *chip = container_of(pit, struct irqchip, pit);
	int status;

	chip->pit_pulses = true;
	status = chip_line_locked(chip, CHIP_SOURCE_PIT, CHIP_PIT_GSI, true);
	chip->pit_pulses = false;
	chip_line_locked(chip, CHIP_SOURCE_PIT, CHIP_PIT_GSI, false);
	return status;
}

static const struct pit_ops pit_ops = {
	.pulse = pit_pulse,
};

static enum hrtimer_restart pit_fired(struct hrtimer *hr)
{
	struct irqchip *chip = container_of(hr, struct irqchip, pit_timer.hr);

	scoped_guard(spinlock_irqsave, &chip->lock)
		pit_timer_fired(&chip->pit);
	irq_later_settle(&chip->vm->later);
	return HRTIMER_NORESTART;
}

void chip_pit_acked(struct irqchip *chip, struct irq_pins pins)
{
	/* None without a PIT. */
	if (!irq_pins_meet(pins, chip->pit_pins))
		return;
	scoped_guard(spinlock_irqsave, &chip->lock)
		pit_acked(&chip->pit);
}

void chip_pit_pulsed(struct irqchip *chip, int status)
{
	scoped_guard(spinlock_irqsave, &chip->lock)
		if (chip->pit.waiting)
			pit_pulsed(&chip->pit, status);
}

static bool pit_read(struct bus_dev *dev, u64 port, unsigned int len,
		     void *data)
{
	struct irqchip *chip = container_of(dev, struct irqchip, pit_dev);
	unsigned int i;

	scoped_guard(spinlock_irqsave, &chip->lock)
		for (i = 0; i < len; i++)
			pit_port_read(&chip->pit, port + i, data + i);
	return true;
}

static bool pit_write(struct bus_dev *dev, u64 port, unsigned int len,
		      const void *data)
{
	struct irqchip *chip = container_of(dev, struct irqchip, pit_dev);
	const u8 *byte = data;
	unsigned int i;

	scoped_guard(spinlock_irqsave, &chip->lock)
		for (i = 0; i < len; i++)
			pit_port_write(&chip->pit, port + i, byte[i]);
	return true;
}

static const struct bus_dev_ops pit_bus_ops = {
	.read = pit_read,
	.write = pit_write,
};

static int pit_register(struct irqchip *chip, bool speaker)
{
	const struct vm_bus_range ranges[] = {
		{
			.bus = VM_BUS_PIO,
			.range.start = 0x40,
			.range.len = 4,
			.range.dev = &chip->pit_dev,
		}, {
			.bus = VM_BUS_PIO,
			.range.start = 0x61,
			.range.len = 1,
			.range.dev = &chip->pit_dev,
		},
	};

	guard(mutex)(&chip->vm->mem.slots_lock);
	return vm_bus_add_all(chip->vm, ranges, speaker ? 2 : 1);
}

int chip_create_pit(struct vm *vm, const struct kvm_pit_config *config)
{
	struct irqchip *chip = vm->irqchip;
	int err;

	lockdep_assert_held(&vm->lock);
	if (vm->irqchip_mode != IRQCHIP_KERNEL)
		return -ENOENT;
	if (chip->has_pit)
		return -EEXIST;
	if (config->flags & ~KVM_PIT_SPEAKER_DUMMY)
		return -EINVAL;

	chip->pit_dev.ops = &pit_bus_ops;
	chip->pit.ops = &pit_ops;
	chip->pit.env = &chip->pit_timer.env;
	chip_timer_init(&chip->pit_timer, pit_fired);
	scoped_guard(spinlock_irqsave, &chip->lock)
		pit_init(&chip->pit);
	err = pit_register(chip, config->flags & KVM_PIT_SPEAKER_DUMMY);
	if (err)
		return err;
	smp_store_release(&chip->has_pit, true);
	scoped_guard(mutex, &vm->irq_lock)
		chip_update_watch(vm);
	return 0;
}

static struct irqchip *pit_chip(struct vm *vm)
{
	struct irqchip *chip = READ_ONCE(vm->irqchip);

	return chip && smp_load_acquire(&chip->has_pit) ? chip : NULL;
}

int chip_get_pit(struct vm *vm, struct kvm_pit_state2 *state)
{
	struct irqchip *chip = pit_chip(vm);

	if (!chip)
		return -ENXIO;
	scoped_guard(spinlock_irqsave, &chip->lock)
		pit_get_state(&chip->pit, state);
	return 0;
}

int chip_set_pit(struct vm *vm, const struct kvm_pit_state2 *state)
{
	struct irqchip *chip = pit_chip(vm);

	if (!chip)
		return -ENXIO;
	scoped_guard(spinlock_irqsave, &chip->lock)
		pit_set_state(&chip->pit, state);
	return 0;
}

int chip_reinject(struct vm *vm, bool on)
{
	struct irqchip *chip = pit_chip(vm);

	if (!chip)
		return -ENXIO;
	scoped_guard(spinlock_irqsave, &chip->lock)
		pit_set_reinject(&chip->pit, on);
	return 0;
}
