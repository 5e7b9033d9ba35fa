// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMs of many vCPUs: interrupts for more of them than anybody looks at with
 * interrupts off. vCPU 0 runs; the others never do, but their LAPICs are
 * enabled, and what arrived at the last of them shows that it arrived at all.
 */
#include "harness.h"

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MANY 80
#define TO_ALL (0xffull << 56)
#define LOGICAL 0x800
#define LOWEST 0x100

static int crowd[MANY];

/* A vCPU that takes interrupts, but nothing from the PIC */
static int add_vcpu(struct vm *vm, unsigned int id)
{
	int fd = OK(IOCTL(vm->fd, KVM_CREATE_VCPU, id));
	struct kvm_lapic_state lapic;

	OK(IOCTL(fd, KVM_GET_LAPIC, &lapic));
	*(uint32_t *)(lapic.regs + 0xf0) = 0x1ff;
	*(uint32_t *)(lapic.regs + 0x350) = 0x10000;
	OK(IOCTL(fd, KVM_SET_LAPIC, &lapic));
	return fd;
}

static struct vcpu *boot_crowd(unsigned int flags, const struct payload *p)
{
	struct vcpu *v = boot(flags, p);

	for (unsigned int i = 1; i < MANY; i++)
		crowd[i] = add_vcpu(v->vm, i);
	return v;
}

/* Has the LAPIC of that vCPU a request of @vector? */
static bool requested(unsigned int vcpu, unsigned int vector)
{
	struct kvm_lapic_state lapic;

	OK(IOCTL(crowd[vcpu], KVM_GET_LAPIC, &lapic));
	return lapic.regs[0x200 + vector / 32 * 16 + vector % 32 / 8] >>
	       vector % 8 & 1;
}

static void forget(unsigned int vcpu)
{
	struct kvm_lapic_state lapic;

	OK(IOCTL(crowd[vcpu], KVM_GET_LAPIC, &lapic));
	memset(lapic.regs + 0x200, 0, 0x80);
	OK(IOCTL(crowd[vcpu], KVM_SET_LAPIC, &lapic));
}

static int new_irqfd(struct vm *vm, uint32_t gsi)
{
	int fd = OK(eventfd(0, EFD_NONBLOCK));
	struct kvm_irqfd i = { .fd = fd, .gsi = gsi };

	OK(IOCTL(vm->fd, KVM_IRQFD, &i));
	return fd;
}

static void signal_fd(int fd)
{
	uint64_t one = 1;

	EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

/* Until the handler has run, perhaps after some ticks */
static void await_irq_(struct vcpu *v, unsigned int vector)
{
	const uint8_t *data;

	do {
		if (vcpu_run(v) != KVM_EXIT_IO)
			fail("%s", describe_exit(v));
	} while (v->run->io.port == 0x80);
	data = (uint8_t *)v->run + v->run->io.data_offset;
	if (v->run->io.port != PORT_IRQ || *data != vector)
		fail("not vector %#x but %s", vector, describe_exit(v));
}

#define await_irq(...) (here(__FILE__, __LINE__), await_irq_(__VA_ARGS__))

static struct vcpu *boot_ticking(unsigned int flags)
{
	struct vcpu *v = boot_crowd(flags, ticking);

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	vm_set_isr(v->vm, 0x42, ISR_LAPIC);
	expect_quiet(v);
	return v;
}

static int line_status(struct vm *vm, uint32_t gsi, uint32_t level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	OK(IOCTL(vm->fd, KVM_IRQ_LINE_STATUS, &l));
	return l.status;
}

TEST(crowd_edge)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);

	set_redirection(v->vm, 5, 0x41 | TO_ALL);
	for (unsigned int i = 0; i < 3; i++) {
		CHECK(line_status(v->vm, 5, 1) > 0);
		OK(irq_line(v->vm, 5, 0));
		CHECK(requested(MANY - 1, 0x41));
		await_irq(v, 0x41);
		expect_quiet(v);
		forget(MANY - 1);
	}
}

/* One of those that get it ends it; the line is up: all get it once more. */
TEST(crowd_level)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);

	set_redirection(v->vm, 10, 0x41 | REDIR_LEVEL | TO_ALL);
	OK(irq_line(v->vm, 10, 1));
	CHECK(requested(MANY - 1, 0x41));
	EQ(get_redirection(v->vm, 10) >> 14 & 1, 1);	/* remote IRR */
	forget(MANY - 1);
	await_irq(v, 0x41);
	await_irq(v, 0x41);
	CHECK(requested(MANY - 1, 0x41));
	OK(irq_line(v->vm, 10, 0));
	expect_quiet(v);
	EQ(get_redirection(v->vm, 10) >> 14 & 1, 0);
}

/* No LAPIC has a logical id yet: the pin does not wait for an end. */
TEST(crowd_level_for_nobody)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);

	set_redirection(v->vm, 10, 0x41 | REDIR_LEVEL | LOGICAL | 1ull << 56);
	OK(irq_line(v->vm, 10, 1));
	EQ(get_redirection(v->vm, 10) >> 14 & 1, 0);
	expect_quiet(v);
}

TEST(crowd_lowest_priority)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);
	unsigned int taken = 0;

	set_redirection(v->vm, 5, 0x42 | LOWEST | TO_ALL);
	for (unsigned int i = 0; i < MANY - 1; i++) {
		OK(irq_line(v->vm, 5, 1));
		OK(irq_line(v->vm, 5, 0));
	}
	for (unsigned int i = 1; i < MANY; i++)
		taken += requested(i, 0x42);
	/* In turn, and once it may have been vCPU 0's. */
	CHECK(taken >= MANY - 2);
}

TEST(crowd_msi)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);
	struct kvm_irq_routing_entry e = route_msi(30, MSI_TO(0xff), 0x41);

	EQ(send_msi(v->vm, MSI_TO(0xff), 0x42), MANY);
	CHECK(requested(MANY - 1, 0x42));
	await_irq(v, 0x42);
	OK(set_routes(v->vm, &e, 1));
	CHECK(line_status(v->vm, 30, 1) > 0);
	CHECK(requested(MANY - 1, 0x41));
	await_irq(v, 0x41);
	expect_quiet(v);
}

static void check_irqfd(struct vcpu *v, uint32_t gsi)
{
	int fd = new_irqfd(v->vm, gsi);

	for (unsigned int i = 0; i < 3; i++) {
		signal_fd(fd);
		await_irq(v, 0x41);
		EVENTUALLY(requested(MANY - 1, 0x41));
		forget(MANY - 1);
		expect_quiet(v);
	}
}

TEST(crowd_irqfd_to_a_pin)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);

	set_redirection(v->vm, 5, 0x41 | TO_ALL);
	check_irqfd(v, 5);
}

TEST(crowd_irqfd_to_an_msi)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);
	struct kvm_irq_routing_entry e = route_msi(30, MSI_TO(0xff), 0x41);

	OK(set_routes(v->vm, &e, 1));
	check_irqfd(v, 30);
}

/* Once it is off, or its route another, nothing of before arrives. */
TEST(crowd_irqfd_deassigned)
{
	struct vcpu *v = boot_ticking(VM_IRQCHIP);
	struct kvm_irq_routing_entry e = route_msi(30, MSI_TO(0xff), 0x41);
	struct kvm_irqfd i = { .gsi = 30 };

	OK(set_routes(v->vm, &e, 1));
	for (unsigned int n = 0; n < 20; n++) {
		i.fd = new_irqfd(v->vm, 30);
		signal_fd(i.fd);
		i.flags = KVM_IRQFD_FLAG_DEASSIGN;
		OK(IOCTL(v->vm->fd, KVM_IRQFD, &i));
		forget(MANY - 1);
		CHECK(!requested(MANY - 1, 0x41));
		close(i.fd);
	}
	await_irq(v, 0x41);
	expect_quiet(v);
	CHECK(!requested(MANY - 1, 0x41));
}

PAYLOAD(64, starts_pit,
	LAPIC_ON;
	PIC_OFF;
	mov $0x34, %al;
	out %al, $0x43;
	mov $0xa9, %al;
	out %al, $0x40;
	mov $0x04, %al;
	out %al, $0x40;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(crowd_pit)
{
	struct vcpu *v = boot_crowd(VM_PIT, &starts_pit);

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	set_redirection(v->vm, 0, 0x41 | TO_ALL);
	for (unsigned int i = 0; i < 5; i++)
		await_irq(v, 0x41);
	EVENTUALLY(requested(MANY - 1, 0x41));
}

PAYLOAD(64, sends_to_others,
	LAPIC_ON;
	PIC_OFF;
	movl $0xc4041, 0x300(%rbp);
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(crowd_ipi)
{
	struct vcpu *v = boot_crowd(VM_IRQCHIP, &sends_to_others);

	expect_quiet(v);
	for (unsigned int i = 1; i < MANY; i++)
		CHECK(requested(i, 0x41));
}

PAYLOAD(16, waits_for_pic,
	mov $0x11, %al;
	out %al, $0x20;
	mov $0x20, %al;
	out %al, $0x21;
	mov $4, %al;
	out %al, $0x21;
	mov $1, %al;
	out %al, $0x21;
	mov $0xef, %al;
	out %al, $0x21;
	xor %eax, %eax;
	sti;
1:	hlt;
	out %al, $0x80;
	jmp 1b;
)

static unsigned int woken;

static void expect_three(struct vcpu *v)
{
	for (unsigned int i = 1; i <= 3; i++) {
		expect_irq(v, 0x24);
		expect_out(v, 0x80, 1, 0);
		__atomic_store_n(&woken, i, __ATOMIC_RELEASE);
	}
}

/* The only one who takes what the PIC asks for was made last, and sleeps. */
TEST(crowd_pic)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct runner r;
	struct vcpu *v;

	for (unsigned int i = 1; i < MANY; i++)
		crowd[i] = add_vcpu(vm, i);
	v = vcpu_new(vm, 0);
	vcpu_start(v, &waits_for_pic);
	vm_set_isr(vm, 0x24, ISR_PIC);
	runner_start(&r, v, expect_three);
	for (unsigned int i = 0; i < 3; i++) {
		runner_wait_asleep(&r);
		OK(irq_line(vm, 4, 1));
		OK(irq_line(vm, 4, 0));
		EVENTUALLY(__atomic_load_n(&woken, __ATOMIC_ACQUIRE) > i);
	}
	runner_join(&r);
}
