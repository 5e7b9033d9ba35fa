// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts from outside, through the PIC, the IOAPIC and as messages, and
 * by KVM_INTERRUPT and KVM_NMI; priorities, masks and windows.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- PIC -------------------------------------------------------------- */

/* Both PICs at vectors 0x20 and 0x28; only IRQs 4, 2 and 8 unmasked. */
PAYLOAD(16, pic_ticking,
	mov $0x11, %al;
	out %al, $0x20;
	out %al, $0xa0;
	mov $0x20, %al;
	out %al, $0x21;
	mov $0x28, %al;
	out %al, $0xa1;
	mov $4, %al;
	out %al, $0x21;
	mov $2, %al;
	out %al, $0xa1;
	mov $1, %al;
	out %al, $0x21;
	out %al, $0xa1;
	mov $0xeb, %al;
	out %al, $0x21;
	mov $0xfe, %al;
	out %al, $0xa1;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irq_pic_in_real_mode)
{
	struct vcpu *v = boot(VM_IRQCHIP, &pic_ticking);

	vm_set_isr(v->vm, 0x24, ISR_PIC);
	expect_quiet(v);
	OK(irq_line(v->vm, 4, 1));
	expect_irq(v, 0x24);
	expect_quiet(v);		/* an edge is one interrupt */
	OK(irq_line(v->vm, 4, 0));
	expect_quiet(v);
	OK(irq_line(v->vm, 4, 1));
	expect_irq(v, 0x24);
	OK(irq_line(v->vm, 3, 1));	/* masked in the PIC */
	expect_quiet(v);
}

TEST(irq_pic_slave)
{
	struct vcpu *v = boot(VM_IRQCHIP, &pic_ticking);

	vm_set_isr(v->vm, 0x28, ISR_PIC);
	expect_quiet(v);
	OK(irq_line(v->vm, 8, 1));
	expect_irq(v, 0x28);
	expect_quiet(v);
}

static int line_status(struct vm *vm, uint32_t gsi, uint32_t level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	OK(IOCTL(vm->fd, KVM_IRQ_LINE_STATUS, &l));
	return l.status;
}

/* Positive: delivered; 0: one is pending already; -1: masked. */
TEST(irq_line_status)
{
	struct vcpu *v = boot(VM_IRQCHIP, &pic_ticking);
	const struct kvm_irq_routing_entry e[] = {
		route_pin(3, KVM_IRQCHIP_PIC_MASTER, 3),
		route_pin(4, KVM_IRQCHIP_PIC_MASTER, 4),
	};

	OK(set_routes(v->vm, e, 2));
	vm_set_isr(v->vm, 0x24, ISR_PIC);
	expect_quiet(v);
	CHECK(line_status(v->vm, 4, 1) > 0);
	line_status(v->vm, 4, 0);
	EQ(line_status(v->vm, 4, 1), 0);
	EQ(line_status(v->vm, 3, 1), -1);
	expect_irq(v, 0x24);
	expect_quiet(v);
	line_status(v->vm, 4, 0);
	CHECK(line_status(v->vm, 4, 1) > 0);
}

TEST(irq_line_needs_an_irqchip)
{
	REFUSED(ENXIO, irq_line(vm_new(0), 5, 1));
}

/* --- IOAPIC ----------------------------------------------------------- */

PAYLOAD(64, programs_ioapic,
	LAPIC_ON;
	PIC_OFF;
	mov $GPA_IOAPIC, %ebx;
	movl $0x1b, (%rbx);
	movl $0, 0x10(%rbx);
	movl $0x1a, (%rbx);
	movl $0x35, 0x10(%rbx);
	mov 0x10(%rbx), %esi;
	movl $1, (%rbx);
	mov 0x10(%rbx), %edi;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irq_ioapic_edge)
{
	struct vcpu *v = boot(VM_IRQCHIP, &programs_ioapic);

	vm_set_isr(v->vm, 0x35, ISR_LAPIC);
	expect_quiet(v);
	EQ(get_regs(v).rsi, 0x35);
	EQ(get_regs(v).rdi >> 16 & 0xff, 23);	/* 24 pins */
	OK(irq_line(v->vm, 5, 1));
	expect_irq(v, 0x35);
	expect_quiet(v);
	OK(irq_line(v->vm, 5, 0));
	OK(irq_line(v->vm, 5, 1));
	expect_irq(v, 0x35);
}

TEST(irq_ioapic_level)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);

	vm_set_isr(v->vm, 0x3a, ISR_LAPIC);
	set_redirection(v->vm, 10, 0x3a | REDIR_LEVEL);
	expect_quiet(v);
	OK(irq_line(v->vm, 10, 1));
	expect_irq(v, 0x3a);
	EQ(get_redirection(v->vm, 10) >> 14 & 1, 1);	/* remote IRR */
	expect_irq(v, 0x3a);		/* still asserted after the EOI */
	OK(irq_line(v->vm, 10, 0));
	expect_quiet(v);
	EQ(get_redirection(v->vm, 10) >> 14 & 1, 0);
	OK(irq_line(v->vm, 10, 1));
	OK(irq_line(v->vm, 10, 0));	/* what was sent is sent */
	expect_irq(v, 0x3a);
	expect_quiet(v);
}

TEST(irq_ioapic_masked)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);

	vm_set_isr(v->vm, 0x3a, ISR_LAPIC);
	set_redirection(v->vm, 10, 0x3a | REDIR_LEVEL | REDIR_MASKED);
	OK(irq_line(v->vm, 10, 1));
	expect_quiet(v);
	set_redirection(v->vm, 10, 0x3a | REDIR_LEVEL);
	expect_irq(v, 0x3a);
}

/* --- messages --------------------------------------------------------- */

TEST(irq_msi)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	expect_quiet(v);
	CHECK(send_msi(v->vm, MSI_TO(0), 0x41) > 0);
	expect_irq(v, 0x41);
	expect_quiet(v);
	EQ(send_msi(v->vm, MSI_TO(9), 0x41), 0);	/* nobody there */
	CHECK(send_msi(v->vm, MSI_TO(0xff), 0x41) > 0);	/* everybody */
	expect_irq(v, 0x41);
}

TEST(irq_msi_waits_for_sti)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	struct kvm_regs regs;

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	expect_quiet(v);
	regs = get_regs(v);
	regs.rflags &= ~0x200ull;
	set_regs(v, &regs);
	send_msi(v->vm, MSI_TO(0), 0x41);
	expect_quiet(v);
	EQ(lapic_reg(v, 0x220), 1 << 1);	/* in IRR */
	regs = get_regs(v);
	regs.rflags |= 0x200;
	set_regs(v, &regs);
	expect_irq(v, 0x41);
	EQ(lapic_reg(v, 0x220), 0);
	EQ(lapic_reg(v, 0x120), 1 << 1);	/* in ISR */
	expect_quiet(v);
	EQ(lapic_reg(v, 0x120), 0);
}

PAYLOAD(64, two_pending,
	LAPIC_ON;
	PIC_OFF;
	out %al, $0x80;
	sti;
	nop;
	xor %eax, %eax;
	out %al, $0x80;
	hlt;
)

TEST(irq_higher_vector_first)
{
	struct vcpu *v = boot(VM_IRQCHIP, &two_pending);

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	vm_set_isr(v->vm, 0x61, ISR_LAPIC);
	expect_out(v, 0x80, 1, 0xff);
	send_msi(v->vm, MSI_TO(0), 0x41);
	send_msi(v->vm, MSI_TO(0), 0x61);
	expect_irq(v, 0x61);
	expect_irq(v, 0x41);
	expect_out(v, 0x80, 1, 0);
}

PAYLOAD(64, raises_tpr,
	LAPIC_ON;
	PIC_OFF;
	mov $5, %eax;
	mov %rax, %cr8;
	sti;
	out %al, $0x80;
	nop;
	out %al, $0x80;
	mov $3, %eax;
	mov %rax, %cr8;
	nop;
	xor %eax, %eax;
	out %al, $0x80;
)

TEST(irq_tpr_masks)
{
	struct vcpu *v = boot(VM_IRQCHIP, &raises_tpr);

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	vm_set_isr(v->vm, 0x61, ISR_LAPIC);
	expect_out(v, 0x80, 1, 5);
	EQ(v->run->cr8, 5);
	EQ(lapic_reg(v, 0x80), 0x50);
	send_msi(v->vm, MSI_TO(0), 0x41);
	expect_out(v, 0x80, 1, 5);
	send_msi(v->vm, MSI_TO(0), 0x61);
	expect_irq(v, 0x61);		/* above the threshold */
	expect_irq(v, 0x41);		/* once CR8 is lowered */
	expect_out(v, 0x80, 1, 0);
}

TEST(irq_restored_with_the_lapic)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	struct kvm_lapic_state lapic;

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	expect_quiet(v);
	OK(IOCTL(v->fd, KVM_GET_LAPIC, &lapic));
	lapic.regs[0x220] |= 1 << 1;
	OK(IOCTL(v->fd, KVM_SET_LAPIC, &lapic));
	expect_irq(v, 0x41);
	expect_quiet(v);
}

/* --- routing ---------------------------------------------------------- */

TEST(irq_routing_refused)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct kvm_irq_routing_entry e = route_pin(5, 2, 5);
	struct kvm_irq_routing r = { .nr = 5000 };

	OK(set_routes(vm, &e, 1));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_GSI_ROUTING, &r));
	r = (struct kvm_irq_routing){ .flags = 1 };
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_GSI_ROUTING, &r));
	e = route_pin(5, 2, 24);
	REFUSED(EINVAL, set_routes(vm, &e, 1));
	e = route_pin(5, 3, 0);
	REFUSED(EINVAL, set_routes(vm, &e, 1));
	e = route_pin(4096, 2, 5);
	REFUSED(EINVAL, set_routes(vm, &e, 1));
	e = route_msi(5, 0, 0);
	e.type = 99;
	REFUSED(EINVAL, set_routes(vm, &e, 1));
	e = route_msi(5, 0, 0);
	e.flags = 1u << 31;
	REFUSED(EINVAL, set_routes(vm, &e, 1));
	e = route_msi(5, 0, 0);
	OK(set_routes(vm, &e, 1));	/* a zeroed message */
	OK(set_routes(vm, &e, 0));
}

TEST(irq_routing_replaced)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	struct kvm_irq_routing_entry e = route_pin(5, 2, 7);

	vm_set_isr(v->vm, 0x35, ISR_LAPIC);
	vm_set_isr(v->vm, 0x37, ISR_LAPIC);
	set_redirection(v->vm, 5, 0x35);
	set_redirection(v->vm, 7, 0x37);
	expect_quiet(v);
	OK(irq_line(v->vm, 5, 1));
	expect_irq(v, 0x35);
	OK(irq_line(v->vm, 5, 0));
	OK(set_routes(v->vm, &e, 1));
	OK(irq_line(v->vm, 5, 1));
	expect_irq(v, 0x37);
	OK(irq_line(v->vm, 5, 0));
	OK(set_routes(v->vm, &e, 0));
	irq_line(v->vm, 5, 1);
	expect_quiet(v);
}

/* Which device a message is from may be said, and is ignored. */
TEST(irq_msi_with_device_id)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	struct kvm_irq_routing_entry e = route_msi(30, MSI_TO(0), 0x41);
	struct kvm_msi m = { .address_lo = MSI_TO(0), .data = 0x41,
			     .flags = KVM_MSI_VALID_DEVID, .devid = 77 };

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	expect_quiet(v);
	e.flags = KVM_MSI_VALID_DEVID;
	e.u.msi.devid = 77;
	OK(set_routes(v->vm, &e, 1));
	OK(irq_line(v->vm, 30, 1));
	expect_irq(v, 0x41);
	EQ(IOCTL(v->vm->fd, KVM_SIGNAL_MSI, &m), 1);
	expect_irq(v, 0x41);
	m.flags = 2;
	REFUSED(EINVAL, IOCTL(v->vm->fd, KVM_SIGNAL_MSI, &m));
	e.flags = 2;
	REFUSED(EINVAL, set_routes(v->vm, &e, 1));
}

/* --- NMI -------------------------------------------------------------- */

PAYLOAD(64, spins_out,
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irq_nmi)
{
	static const unsigned int flags[] = { 0, VM_IRQCHIP };

	for (unsigned int i = 0; i < 2; i++) {
		struct vcpu *v = boot(flags[i], &spins_out);

		vm_set_isr(v->vm, 2, ISR_PLAIN);
		expect_quiet(v);
		OK(IOCTL(v->fd, KVM_NMI, 0));
		expect_irq(v, 2);
		expect_quiet(v);
	}
}

/* A second NMI waits for the first one's IRET; a third is one too many. */
TEST(irq_nmi_blocks_nmi)
{
	struct vcpu *v = boot(VM_IRQCHIP, &spins_out);
	struct kvm_vcpu_events e;

	vm_set_isr(v->vm, 2, ISR_PLAIN);
	expect_quiet(v);
	OK(IOCTL(v->fd, KVM_NMI, 0));
	expect_irq(v, 2);		/* in its handler */
	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.masked, 1);
	OK(IOCTL(v->fd, KVM_NMI, 0));
	EQ(stack_word(v, 1) - GPA_CODE < 16, 1);
	expect_irq(v, 2);
	EQ(stack_word(v, 1) - GPA_CODE < 16, 1);	/* not nested */
	expect_quiet(v);
	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.masked, 0);
}

TEST(irq_nmi_by_message)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);

	vm_set_isr(v->vm, 2, ISR_PLAIN);
	expect_quiet(v);
	CHECK(send_msi(v->vm, MSI_TO(0), 0x400) > 0);
	expect_irq(v, 2);
	expect_quiet(v);
}

/* --- without an interrupt controller ---------------------------------- */

static long interrupt(struct vcpu *v, uint32_t vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	return IOCTL(v->fd, KVM_INTERRUPT, &irq);
}

PAYLOAD(64, enabled,
	sti;
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irq_interrupt_ioctl)
{
	struct vcpu *v = boot(0, &enabled);

	vm_set_isr(v->vm, 0x20, ISR_PLAIN);
	expect_quiet(v);
	EQ(v->run->ready_for_interrupt_injection, 1);
	OK(interrupt(v, 0x20));
	expect_irq(v, 0x20);
	EQ(v->run->if_flag, 0);
	expect_quiet(v);
	REFUSED(EINVAL, interrupt(v, 256));
	v = boot(VM_IRQCHIP, &enabled);
	REFUSED(ENXIO, interrupt(v, 0x20));
}

static struct kvm_vcpu_events get_events(struct vcpu *v)
{
	struct kvm_vcpu_events ev;

	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &ev));
	return ev;
}

/*
 * An interrupt that the guest does not have yet is one thing, in whatever the
 * VMM looks at it: VMMs keep one of these and throw the other away.
 */
TEST(irq_interrupt_is_state)
{
	struct vcpu *v = boot(0, &enabled);
	struct kvm_vcpu_events ev;
	struct kvm_sregs sregs;

	vm_set_isr(v->vm, 0x20, ISR_PLAIN);
	expect_quiet(v);
	OK(interrupt(v, 0x20));
	ev = get_events(v);
	EQ(ev.interrupt.injected, 1);
	EQ(ev.interrupt.nr, 0x20);
	EQ(ev.interrupt.soft, 0);
	sregs = get_sregs(v);
	EQ(sregs.interrupt_bitmap[0], 1ull << 0x20);
	/* What was read is written back: it is there once. */
	OK(IOCTL(v->fd, KVM_SET_SREGS, &sregs));
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &ev));
	expect_irq(v, 0x20);
	EQ(get_events(v).interrupt.injected, 0);
	expect_quiet(v);
	vcpu_start(v, &enabled);
	expect_quiet(v);
	/* A VMM that resets the vCPU takes it back. */
	OK(interrupt(v, 0x20));
	ev = get_events(v);
	ev.interrupt.injected = 0;
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &ev));
	EQ(get_sregs(v).interrupt_bitmap[0], 0);
	expect_quiet(v);
	/* It goes along by the events alone, as QEMU migrates it. */
	ev.interrupt.injected = 1;
	ev.interrupt.nr = 0x20;
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &ev));
	expect_irq(v, 0x20);
	expect_quiet(v);
}

PAYLOAD(64, opens_window,
	nop;
	out %al, $0x80;
	sti;
	nop;
	nop;
	out %al, $0x80;
)

TEST(irq_window)
{
	struct vcpu *v = boot(0, &opens_window);

	vm_set_isr(v->vm, 0x20, ISR_PLAIN);
	expect_out(v, 0x80, 1, 0);
	EQ(v->run->ready_for_interrupt_injection, 0);
	v->run->request_interrupt_window = 1;
	expect_exit(v, KVM_EXIT_IRQ_WINDOW_OPEN);
	EQ(v->run->ready_for_interrupt_injection, 1);
	EQ(v->run->if_flag, 1);
	EQ(get_regs(v).rip, GPA_CODE + 5);	/* past STI's shadow */
	OK(interrupt(v, 0x20));
	v->run->request_interrupt_window = 0;
	expect_irq(v, 0x20);
	EQ(stack_word(v, 1), GPA_CODE + 5);
	expect_out(v, 0x80, 1, 0);
}

PAYLOAD(64, halts_enabled,
	sti;
	hlt;
	out %al, $0x80;
)

TEST(irq_after_halt_without_irqchip)
{
	struct vcpu *v = boot(0, &halts_enabled);

	vm_set_isr(v->vm, 0x20, ISR_PLAIN);
	expect_halt(v);
	OK(interrupt(v, 0x20));
	expect_irq(v, 0x20);
	EQ(stack_word(v, 1), GPA_CODE + 2);
	expect_out(v, 0x80, 1, 0);
}

/* --- HLT with the LAPIC in the kernel --------------------------------- */

PAYLOAD(64, sleeper,
	LAPIC_ON;
	PIC_OFF;
	sti;
	hlt;
	xor %eax, %eax;
	out %al, $0x80;
)

static void expect_wake(struct vcpu *v)
{
	expect_irq(v, 0x41);
	expect_out(v, 0x80, 1, 0);
}

TEST(irq_wakes_halted_vcpu)
{
	struct vcpu *v = boot(VM_IRQCHIP, &sleeper);
	struct runner r;

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	runner_start(&r, v, expect_wake);
	runner_wait_asleep(&r);
	send_msi(v->vm, MSI_TO(0), 0x41);
	runner_join(&r);
}

static void expect_nmi(struct vcpu *v)
{
	expect_irq(v, 2);
	expect_out(v, 0x80, 1, 0);
}

TEST(irq_nmi_wakes_halted_vcpu)
{
	struct vcpu *v = boot(VM_IRQCHIP, &sleeper);
	struct runner r;

	vm_set_isr(v->vm, 2, ISR_PLAIN);
	runner_start(&r, v, expect_nmi);
	runner_wait_asleep(&r);
	send_msi(v->vm, MSI_TO(0), 0x400);
	runner_join(&r);
}

static void expect_interrupted(struct vcpu *v)
{
	REFUSED(EINTR, vcpu_try_run(v));
}

TEST(irq_signal_wakes_halted_vcpu)
{
	struct vcpu *v = boot(VM_IRQCHIP, &sleeper);
	struct kvm_mp_state mp;
	struct runner r;

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	runner_start(&r, v, expect_interrupted);
	runner_wait_asleep(&r);
	runner_kick(&r);
	runner_join(&r);
	OK(IOCTL(v->fd, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_HALTED);
	send_msi(v->vm, MSI_TO(0), 0x41);
	expect_wake(v);
}

/* --- x2APIC ----------------------------------------------------------- */

#define X2APIC_ON							\
	mov $0x1b, %ecx;						\
	rdmsr;								\
	or $0xc00, %eax;						\
	wrmsr;								\
	mov $0x80f, %ecx;						\
	mov $0x1ff, %eax;						\
	xor %edx, %edx;							\
	wrmsr

PAYLOAD(64, x2apic,
	X2APIC_ON;
	PIC_OFF;
	mov $0x802, %ecx;
	rdmsr;
	out %eax, $0x81;
	sti;
	mov $0x83f, %ecx;
	mov $0x51, %eax;
	xor %edx, %edx;
	wrmsr;
	nop;
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irq_x2apic)
{
	struct vcpu *v = boot(VM_IRQCHIP, &x2apic);

	vm_set_isr(v->vm, 0x51, ISR_X2APIC);
	vm_set_isr(v->vm, 0x41, ISR_X2APIC);
	expect_out(v, 0x81, 4, 0);
	EQ(get_sregs(v).apic_base & 0xc00, 0xc00);
	expect_irq(v, 0x51);		/* self-IPI */
	expect_quiet(v);
	send_msi(v->vm, MSI_TO(0), 0x41);
	expect_irq(v, 0x41);
	expect_quiet(v);
}

PAYLOAD(64, x2apic_missing_register,
	X2APIC_ON;
	mov $0x80e, %ecx;
	rdmsr;
	out %eax, $0x80;
)

PAYLOAD(64, x2apic_reserved_bits,
	X2APIC_ON;
	mov $0x80b, %ecx;
	mov $1, %eax;
	xor %edx, %edx;
	wrmsr;
	out %eax, $0x80;
)

PAYLOAD(64, x2apic_read_of_eoi,
	X2APIC_ON;
	mov $0x80b, %ecx;
	rdmsr;
	out %eax, $0x80;
)

TEST(irq_x2apic_faults)
{
	expect_trap(boot(VM_IRQCHIP, &x2apic_missing_register), 13);
	expect_trap(boot(VM_IRQCHIP, &x2apic_read_of_eoi), 13);
}

TEST(irq_x2apic_eoi_of_one)
{
	skip_on_reference("they take any value for an EOI");
	expect_trap(boot(VM_IRQCHIP, &x2apic_reserved_bits), 13);
}

/* Without the LAPIC its page is the host's, or reads as nothing. */
PAYLOAD(64, lapic_off,
	mov $GPA_LAPIC, %ebp;
	mov 0x30(%rbp), %ebx;
	mov $0x1b, %ecx;
	rdmsr;
	and $0xfffff7ff, %eax;
	wrmsr;
	mov 0x30(%rbp), %esi;
	out %al, $0x80;
)

TEST(irq_lapic_switched_off)
{
	struct vcpu *v = boot(VM_IRQCHIP, &lapic_off);

	if (intel_parameter("enable_apicv"))
		skip_on_reference("with APICv they show a page of zeroes");
	if (vcpu_run(v) == KVM_EXIT_MMIO) {
		EQ(v->run->mmio.phys_addr, GPA_LAPIC + 0x30);
		memset(v->run->mmio.data, 0xff, 4);
		vcpu_run(v);
	}
	EQ(get_regs(v).rsi, 0xffffffff);
	EQ(get_regs(v).rbx & 0xff, 0x14);
}

/* --- split irqchip ---------------------------------------------------- */

TEST(irq_split_irqchip_eoi)
{
	struct kvm_enable_cap cap = { .cap = KVM_CAP_SPLIT_IRQCHIP,
				      .args[0] = 24 };
	struct vm *vm = vm_new(0);
	struct kvm_irq_routing_entry e;
	struct vcpu *v;

	need_cap(vm, KVM_CAP_SPLIT_IRQCHIP);
	OK(IOCTL(vm->fd, KVM_ENABLE_CAP, &cap));
	v = vcpu_new(vm, 0);
	vcpu_start(v, ticking);
	vm_set_isr(vm, 0x3a, ISR_LAPIC);
	for (unsigned int i = 0; i < 4; i++)
		expect_out(v, i < 2 ? 0x21 + 0x80 * i : 0x80, 1,
			   i < 2 ? 0xff : 0);
	e = route_msi(10, MSI_TO(0), 0x3a | 1 << 15);	/* level */
	OK(set_routes(vm, &e, 1));
	CHECK(send_msi(vm, MSI_TO(0), 0x3a | 1 << 15) > 0);
	expect_irq(v, 0x3a);
	expect_exit(v, KVM_EXIT_IOAPIC_EOI);
	EQ(v->run->eoi.vector, 0x3a);
	expect_quiet(v);
}

/* --- the interrupt shadow as state ------------------------------------- */

static void set_shadow(struct vcpu *v, unsigned int shadow)
{
	struct kvm_vcpu_events e;

	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	CHECK(e.flags & KVM_VCPUEVENT_VALID_SHADOW);
	EQ(e.interrupt.shadow, 0);
	e.interrupt.shadow = shadow;
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	/* AMD's hardware has one shadow for both. */
	EQ(e.interrupt.shadow & shadow, shadow);
}

/* Interrupt it where it stands; from which RIP that happens. */
static uint64_t interrupted_at(struct vcpu *v, unsigned int shadow)
{
	/* The OUT is done with, and what it would do to a shadow. */
	v->run->immediate_exit = 1;
	REFUSED(EINTR, vcpu_try_run(v));
	v->run->immediate_exit = 0;
	if (shadow)
		set_shadow(v, shadow);
	OK(send_msi(v->vm, MSI_TO(0), 0x60));
	expect_irq(v, 0x60);
	return stack_word(v, 1);
}

TEST(irq_waits_for_the_shadow)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);
	uint64_t jump;

	need_cap(v->vm, KVM_CAP_INTR_SHADOW);
	vm_set_isr(v->vm, 0x60, ISR_LAPIC);
	expect_quiet(v);
	jump = interrupted_at(v, 0);
	expect_quiet(v);
	/* The jump is done before: it leads back to the OUT, two bytes. */
	EQ(interrupted_at(v, KVM_X86_SHADOW_INT_STI), jump - 2);
	expect_quiet(v);
	EQ(interrupted_at(v, KVM_X86_SHADOW_INT_MOV_SS), jump - 2);
}

/* A pin is asserted or not, whatever voltage its entry asks for. */
TEST(irq_ioapic_ignores_polarity)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);

	need_cap(v->vm, KVM_CAP_IOAPIC_POLARITY_IGNORED);
	vm_set_isr(v->vm, 0x60, ISR_LAPIC);
	expect_quiet(v);
	set_redirection(v->vm, 4, 0x60 | 1 << 13 | REDIR_LEVEL);
	expect_quiet(v);
	OK(irq_line(v->vm, 4, 1));
	expect_irq(v, 0x60);
	OK(irq_line(v->vm, 4, 0));
	do
		expect_exit(v, KVM_EXIT_IO);
	while (v->run->io.port == PORT_IRQ);
	expect_quiet(v);
}
