// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the tests of interrupts share: a guest to interrupt, and the ways an
 * interrupt enters from outside.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

PAYLOAD(64, ticking_code,
	LAPIC_ON;
	PIC_OFF;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

const struct payload *const ticking = &ticking_code;

void expect_quiet_(struct vcpu *v)
{
	for (unsigned int i = 0; i < 5; i++)
		expect_out_(v, 0x80, 1, 0);
}

long irq_line(struct vm *vm, uint32_t gsi, uint32_t level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	return IOCTL(vm->fd, KVM_IRQ_LINE, &l);
}

long send_msi(struct vm *vm, uint64_t address, uint32_t data)
{
	struct kvm_msi m = {
		.address_lo = address, .address_hi = address >> 32,
		.data = data,
	};

	return IOCTL(vm->fd, KVM_SIGNAL_MSI, &m);
}

static struct kvm_irqchip get_ioapic(struct vm *vm)
{
	struct kvm_irqchip chip = { .chip_id = KVM_IRQCHIP_IOAPIC };

	check_ok("KVM_GET_IRQCHIP", IOCTL(vm->fd, KVM_GET_IRQCHIP, &chip));
	return chip;
}

void set_redirection(struct vm *vm, unsigned int pin, uint64_t entry)
{
	struct kvm_irqchip chip = get_ioapic(vm);

	chip.chip.ioapic.redirtbl[pin].bits = entry;
	check_ok("KVM_SET_IRQCHIP", IOCTL(vm->fd, KVM_SET_IRQCHIP, &chip));
}

uint64_t get_redirection(struct vm *vm, unsigned int pin)
{
	return get_ioapic(vm).chip.ioapic.redirtbl[pin].bits;
}

uint32_t lapic_reg(struct vcpu *v, unsigned int offset)
{
	struct kvm_lapic_state lapic;
	uint32_t value;

	check_ok("KVM_GET_LAPIC", IOCTL(v->fd, KVM_GET_LAPIC, &lapic));
	memcpy(&value, lapic.regs + offset, sizeof(value));
	return value;
}

long set_routes(struct vm *vm, const struct kvm_irq_routing_entry *e,
		unsigned int n)
{
	struct kvm_irq_routing *r = calloc(1, sizeof(*r) + n * sizeof(*e));
	long result;

	r->nr = n;
	memcpy(r->entries, e, n * sizeof(*e));
	result = IOCTL(vm->fd, KVM_SET_GSI_ROUTING, r);
	free(r);
	return result;
}

struct kvm_irq_routing_entry route_pin(uint32_t gsi, uint32_t chip,
				       uint32_t pin)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip.irqchip = chip, .u.irqchip.pin = pin,
	};
}

struct kvm_irq_routing_entry route_msi(uint32_t gsi, uint32_t address,
				       uint32_t data)
{
	return (struct kvm_irq_routing_entry){
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi.address_lo = address, .u.msi.data = data,
	};
}
