// SPDX-License-Identifier: GPL-2.0-only
/*
 * IPIs that a LAPIC sends to itself by the shorthands that include it: which
 * delivery modes arrive, and as what. SDM vol. 3, table 11-3, allows fixed
 * ones only, and leaves open what becomes of others.
 */
#include "harness.h"

#include <string.h>

#define SELF 0x40000
#define ALL  0x80000

PAYLOAD(64, sends_what_rbx_says,
	LAPIC_ON;
	PIC_OFF;
	xor %eax, %eax;
	sti;
	mov %ebx, 0x300(%rbp);
	nop;
1:	out %al, $0x80;
	jmp 1b;
)

static struct vcpu *boot_sending(uint32_t icr)
{
	struct vcpu *v = boot(VM_IRQCHIP, &sends_what_rbx_says);
	struct kvm_regs regs = get_regs(v);

	regs.rbx = icr;
	set_regs(v, &regs);
	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	vm_set_isr(v->vm, 2, ISR_PLAIN);
	return v;
}

TEST(self_ipi_fixed)
{
	expect_irq(boot_sending(SELF | 0x4041), 0x41);
	expect_irq(boot_sending(ALL | 0x4041), 0x41);
}

TEST(self_ipi_lowest_priority)
{
	expect_irq(boot_sending(SELF | 0x4141), 0x41);
	expect_irq(boot_sending(ALL | 0x4141), 0x41);
}

TEST(self_ipi_nmi)
{
	expect_irq(boot_sending(SELF | 0x4400), 2);
	expect_irq(boot_sending(ALL | 0x4400), 2);
}

/* The bootstrap processor goes on at the reset vector, in real mode. */
static void expect_reset(uint32_t icr)
{
	static const uint8_t reset[] = { 0xe6, 0x77 };	/* out %al, $0x77 */
	struct vcpu *v = boot_sending(icr);
	uint8_t *rom = host_pages(PAGE_SIZE);

	memcpy(rom + 0xff0, reset, sizeof(reset));
	OK(vm_add_slot(v->vm, SLOT_FREE, 0xfffff000, PAGE_SIZE, rom));
	expect_out(v, 0x77, 1, 0);
	EQ(get_sregs(v).cr0 & 1, 0);
	EQ(lapic_reg(v, 0xf0), 0xff);
}

TEST(self_ipi_init)
{
	expect_reset(SELF | 0x4500);
	expect_reset(ALL | 0x4500);
}

/* A processor that runs ignores STARTUP. */
TEST(self_ipi_startup)
{
	expect_quiet(boot_sending(SELF | 0x4610));
	expect_quiet(boot_sending(ALL | 0x4610));
}
