// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers in the kernel: the LAPIC's in its three modes, and the PIT. No test
 * measures time but to see that it was not too short.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define VECTOR 0x40

#define TIMER(lvt, count)						\
	movl $0xb, 0x3e0(%rbp);						\
	movl $lvt, 0x320(%rbp);						\
	movl $count, 0x380(%rbp)

#define SLEEP								\
	xor %eax, %eax;							\
	sti;								\
1:	hlt;								\
	out %al, $0x80;							\
	jmp 1b

#define TICK								\
	xor %eax, %eax;							\
	sti;								\
1:	out %al, $0x80;							\
	jmp 1b

PAYLOAD(64, one_shot,
	LAPIC_ON;
	PIC_OFF;
	TIMER(0x40, 1000000);
	SLEEP;
)

static struct vcpu *boot_timer(const struct payload *p)
{
	struct vcpu *v = boot(VM_IRQCHIP, p);

	vm_set_isr(v->vm, VECTOR, ISR_LAPIC);
	return v;
}

TEST(timer_one_shot)
{
	struct vcpu *v = boot_timer(&one_shot);

	expect_irq(v, VECTOR);
	expect_out(v, 0x80, 1, 0);
	EQ(lapic_reg(v, 0x390), 0);	/* the count has run out */
	EQ(lapic_reg(v, 0x380), 1000000);
}

/* Run until the handler has run that often, whatever is between. */
static void expect_irqs_(struct vcpu *v, unsigned int vector, unsigned int n)
{
	const struct kvm_run *run = v->run;

	while (n) {
		if (vcpu_run(v) != KVM_EXIT_IO)
			fail("%s", describe_exit(v));
		if (run->io.port == 0x80)
			continue;
		if (run->io.port != PORT_IRQ ||
		    *((uint8_t *)run + run->io.data_offset) != vector)
			fail("%s", describe_exit(v));
		n--;
	}
}

#define expect_irqs(...) (here(__FILE__, __LINE__), expect_irqs_(__VA_ARGS__))

PAYLOAD(64, slow_shot,
	LAPIC_ON;
	PIC_OFF;
	TIMER(0x40, 100);
	SLEEP;
)

static long set_bus_cycle(struct vm *vm, uint64_t ns)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_X86_APIC_BUS_CYCLES_NS, .args[0] = ns,
	};

	return IOCTL(vm->fd, KVM_ENABLE_CAP, &cap);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

TEST(timer_bus_cycle)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *v;
	uint64_t start;

	EQ(need_cap(vm, KVM_CAP_X86_APIC_BUS_CYCLES_NS), 1);
	REFUSED(ENXIO, set_bus_cycle(vm_new(0), 10));
	REFUSED(EINVAL, set_bus_cycle(vm, 0));
	REFUSED(EINVAL, set_bus_cycle(vm, -1ull));
	REFUSED(EINVAL, set_bus_cycle(vm, 1ull << 32));
	OK(set_bus_cycle(vm, 10));
	OK(set_bus_cycle(vm, 1000000));
	v = vcpu_new(vm, 0);
	REFUSED(EINVAL, set_bus_cycle(vm, 10));
	vm_set_isr(vm, VECTOR, ISR_LAPIC);
	vcpu_start(v, &slow_shot);
	start = now_ns();
	expect_irq(v, VECTOR);
	CHECK(now_ns() - start >= 100 * 1000000);
}

PAYLOAD(64, periodic,
	LAPIC_ON;
	PIC_OFF;
	TIMER(0x20040, 1000000);
	SLEEP;
)

TEST(timer_periodic)
{
	struct vcpu *v = boot_timer(&periodic);

	expect_irqs(v, VECTOR, 5);
}

PAYLOAD(64, deadline,
	LAPIC_ON;
	PIC_OFF;
	movl $0x40040, 0x320(%rbp);
	mfence;
	rdtsc;
	shl $32, %rdx;
	or %rdx, %rax;
	add $1000000, %rax;
	mov %rax, %rbx;
	mov %rax, %rdx;
	shr $32, %rdx;
	mov $0x6e0, %ecx;
	wrmsr;
	xor %eax, %eax;
	sti;
	hlt;
	rdtsc;
	shl $32, %rdx;
	or %rdx, %rax;
	sub %rbx, %rax;
	mov %rax, %rsi;
	mov $0x6e0, %ecx;
	rdmsr;
	mov %rax, %rdi;
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(timer_tsc_deadline)
{
	struct vcpu *v = boot_timer(&deadline);

	expect_irq(v, VECTOR);
	expect_quiet(v);
	CHECK((int64_t)get_regs(v).rsi >= 0);	/* not early */
	EQ(get_regs(v).rdi, 0);			/* disarmed */
}

/* The same without a halt: a guest that does not exit by itself. */
PAYLOAD(64, deadline_running,
	LAPIC_ON;
	PIC_OFF;
	movl $0x40040, 0x320(%rbp);
	mfence;
	mov $0x6e0, %ecx;
2:	rdtsc;
	shl $32, %rdx;
	or %rdx, %rax;
	add $200000, %rax;
	mov %rax, %rbx;
	mov %rax, %rdx;
	shr $32, %rdx;
	xor %edi, %edi;
	sti;
	wrmsr;
1:	test %edi, %edi;
	jz 1b;
	rdtsc;
	shl $32, %rdx;
	or %rdx, %rax;
	sub %rbx, %rax;
	mov %rax, %rsi;
	xor %eax, %eax;
	out %al, $0x80;
	jmp 2b;
)

TEST(timer_tsc_deadline_while_running)
{
	struct vcpu *v = boot_timer(&deadline_running);
	struct kvm_regs regs;

	for (unsigned int i = 0; i < 5; i++) {
		expect_irq(v, VECTOR);
		regs = get_regs(v);
		regs.rdi = 1;
		set_regs(v, &regs);
		expect_out(v, 0x80, 1, 0);
		CHECK((int64_t)get_regs(v).rsi >= 0);
	}
}

/* A deadline that is put off, and one that is taken back. */
PAYLOAD(64, deadline_moved,
	LAPIC_ON;
	PIC_OFF;
	movl $0x40040, 0x320(%rbp);
	mfence;
	mov $0x6e0, %ecx;
	rdtsc;
	add $50000000, %eax;
	adc $0, %edx;
	sti;
	wrmsr;
	mov $100000, %r8d;
	add %r8d, %eax;
	adc $0, %edx;
	wrmsr;
	xor %eax, %eax;
	xor %edx, %edx;
	wrmsr;
	mov $1000000, %r8d;
1:	dec %r8d;
	jnz 1b;
	TICK;
)

TEST(timer_tsc_deadline_taken_back)
{
	struct vcpu *v = boot_timer(&deadline_moved);

	expect_quiet(v);
}

PAYLOAD(64, deadline_past,
	LAPIC_ON;
	PIC_OFF;
	movl $0x40040, 0x320(%rbp);
	mfence;
	mov $0x6e0, %ecx;
	mov $1, %eax;
	xor %edx, %edx;
	wrmsr;
	TICK;
)

TEST(timer_tsc_deadline_past)
{
	struct vcpu *v = boot_timer(&deadline_past);

	expect_irqs(v, VECTOR, 1);	/* due at once, or a run or two late */
	expect_quiet(v);
}

TEST(timer_tsc_deadline_from_host)
{
	struct vcpu *v = boot_timer(ticking);
	uint64_t khz = OK(IOCTL(v->fd, KVM_GET_TSC_KHZ, 0));
	struct kvm_lapic_state lapic;

	expect_quiet(v);
	OK(IOCTL(v->fd, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)(lapic.regs + 0x320) = 0x40040;
	OK(IOCTL(v->fd, KVM_SET_LAPIC, &lapic));
	/* Far enough off to be seen, whatever else the host has to do. */
	EQ(set_msr(v, 0x6e0, get_msr(v, 0x10) + khz * 500), 1);
	CHECK(get_msr(v, 0x6e0));
	expect_irqs(v, VECTOR, 1);
	expect_quiet(v);
	EQ(get_msr(v, 0x6e0), 0);
}

PAYLOAD(64, counts_down,
	LAPIC_ON;
	PIC_OFF;
	TIMER(0x10040, 0xfffffff0);
	mov 0x390(%rbp), %ebx;
1:	mov 0x390(%rbp), %ecx;
	cmp %ebx, %ecx;
	je 1b;
	movl $0, 0x380(%rbp);
	mov 0x390(%rbp), %edx;
	TICK;
)

TEST(timer_count_goes_down)
{
	struct vcpu *v = boot_timer(&counts_down);
	struct kvm_regs regs;

	expect_quiet(v);
	regs = get_regs(v);
	CHECK(regs.rbx <= 0xfffffff0 && regs.rcx < regs.rbx);
	EQ(regs.rdx, 0);			/* a count of 0 stops it */
}

PAYLOAD(64, masked_timer,
	LAPIC_ON;
	PIC_OFF;
	TIMER(0x10040, 10);
1:	mov 0x390(%rbp), %ecx;
	test %ecx, %ecx;
	jnz 1b;
	TICK;
)

TEST(timer_masked)
{
	struct vcpu *v = boot_timer(&masked_timer);

	for (unsigned int i = 0; i < 20; i++)
		expect_out(v, 0x80, 1, 0);
}

/* An armed timer travels with the LAPIC's state. */
TEST(timer_restored)
{
	struct vcpu *from = boot_timer(ticking), *to = boot_timer(ticking);
	struct kvm_lapic_state lapic;

	expect_quiet(from);
	expect_quiet(to);
	OK(IOCTL(from->fd, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)(lapic.regs + 0x3e0) = 0xb;
	*(uint32_t *)(lapic.regs + 0x320) = VECTOR;
	*(uint32_t *)(lapic.regs + 0x380) = 1000000;
	*(uint32_t *)(lapic.regs + 0x390) = 1000000;
	OK(IOCTL(to->fd, KVM_SET_LAPIC, &lapic));
	expect_irqs(to, VECTOR, 1);
	expect_quiet(from);
}

/*
 * A one-shot that has run out may not have raised its interrupt yet, which the
 * state does not tell: it comes at once. The whole count takes nine minutes.
 */
TEST(timer_restored_expired)
{
	struct vcpu *v = boot_timer(ticking);
	struct kvm_lapic_state lapic;

	expect_quiet(v);
	OK(IOCTL(v->fd, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)(lapic.regs + 0x3e0) = 0xa;
	*(uint32_t *)(lapic.regs + 0x320) = VECTOR;
	*(uint32_t *)(lapic.regs + 0x380) = 0xffffffff;
	*(uint32_t *)(lapic.regs + 0x390) = 0;
	OK(IOCTL(v->fd, KVM_SET_LAPIC, &lapic));
	expect_irqs(v, VECTOR, 1);
}

/* --- PIT -------------------------------------------------------------- */

#define PICS								\
	mov $0x11, %al;							\
	out %al, $0x20;							\
	mov $0x20, %al;							\
	out %al, $0x21;							\
	mov $4, %al;							\
	out %al, $0x21;							\
	mov $1, %al;							\
	out %al, $0x21;							\
	mov $0xfe, %al;							\
	out %al, $0x21

/* Channel 0, both bytes of the count: 1193, a millisecond. */
#define PIT(mode)							\
	mov $0x30 + 2 * mode, %al;					\
	out %al, $0x43;							\
	mov $0xa9, %al;							\
	out %al, $0x40;							\
	mov $0x04, %al;							\
	out %al, $0x40

PAYLOAD(16, pit_rate,
	PICS;
	PIT(2);
	SLEEP;
)

PAYLOAD(16, pit_once,
	PICS;
	PIT(0);
	SLEEP;
)

TEST(pit_periodic)
{
	struct vcpu *v = boot(VM_PIT, &pit_rate);

	vm_set_isr(v->vm, 0x20, ISR_PIC);
	expect_irqs(v, 0x20, 5);
}

TEST(pit_one_shot)
{
	struct vcpu *v = boot(VM_PIT, &pit_once);

	vm_set_isr(v->vm, 0x20, ISR_PIC);
	expect_irq(v, 0x20);
	expect_out(v, 0x80, 1, 0);
}

PAYLOAD(16, pit_unset,
	PICS;
	TICK;
)

/* Whatever clock a saved one-shot's time is of, its interrupt comes. */
TEST(pit_restored_one_shot)
{
	struct vcpu *v = boot(VM_PIT, &pit_unset);
	struct kvm_pit_state2 s;

	vm_set_isr(v->vm, 0x20, ISR_PIC);
	expect_quiet(v);
	OK(IOCTL(v->vm->fd, KVM_GET_PIT2, &s));
	s.channels[0].mode = 4;
	s.channels[0].count = 1193;
	s.channels[0].count_load_time = 1;
	OK(IOCTL(v->vm->fd, KVM_SET_PIT2, &s));
	expect_irqs(v, 0x20, 1);
	expect_quiet(v);
}

PAYLOAD(64, pit_by_ioapic,
	LAPIC_ON;
	PIC_OFF;
	PIT(2);
	SLEEP;
)

TEST(pit_through_ioapic)
{
	struct vcpu *v = boot(VM_PIT, &pit_by_ioapic);

	vm_set_isr(v->vm, 0x30, ISR_LAPIC);
	set_redirection(v->vm, 0, 0x30);
	expect_irqs(v, 0x30, 3);
}

PAYLOAD(64, pit_reads,
	PIT(0);
1:	xor %eax, %eax;
	out %al, $0x43;
	in $0x40, %al;
	mov %al, %bl;
	in $0x40, %al;
	mov %al, %bh;
	cmp $0x4a9, %bx;
	je 1b;
	mov $0xe2, %al;
	out %al, $0x43;
	in $0x40, %al;
	out %al, $0x80;
	hlt;
)

TEST(pit_latch_and_status)
{
	struct vcpu *v = boot(VM_PIT, &pit_reads);
	struct kvm_pit_state2 s;

	vcpu_run(v);			/* the status byte */
	EQ(*((uint8_t *)v->run + v->run->io.data_offset) & 0x3f, 0x30);
	CHECK(get_regs(v).rbx != 0x4a9);
	OK(IOCTL(v->vm->fd, KVM_GET_PIT2, &s));
	EQ(s.channels[0].mode, 0);
	EQ(s.channels[0].count, 0x4a9);
	EQ(s.channels[0].rw_mode, 3);
}

PAYLOAD(64, speaker_port,
	in $0x61, %al;
	or $1, %al;
	out %al, $0x61;
	in $0x61, %al;
	out %al, $0x80;
)

TEST(pit_speaker_port)
{
	struct kvm_pit_config config = { .flags = KVM_PIT_SPEAKER_DUMMY };
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *v;

	OK(IOCTL(vm->fd, KVM_CREATE_PIT2, &config));
	v = vcpu_new(vm, 0);
	vcpu_start(v, &speaker_port);
	vcpu_run(v);
	EQ(v->run->io.port, 0x80);
	EQ(*((uint8_t *)v->run + v->run->io.data_offset) & 3, 1);
	/* Without the flag the port is the host's. */
	v = boot(VM_PIT, &speaker_port);
	expect_in(v, 0x61, 1, 0x20);
}

TEST(pit_reinject_control)
{
	struct kvm_reinject_control c = { .pit_reinject = 0 };
	struct vm *vm = vm_new(VM_PIT);

	OK(IOCTL(vm->fd, KVM_REINJECT_CONTROL, &c));
	c.pit_reinject = 1;
	OK(IOCTL(vm->fd, KVM_REINJECT_CONTROL, &c));
	vm = vm_new(VM_IRQCHIP);
	REFUSED(ENXIO, IOCTL(vm->fd, KVM_REINJECT_CONTROL, &c));
}
