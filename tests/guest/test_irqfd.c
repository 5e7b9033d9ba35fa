// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts by eventfd: irqfd, before and after a route, level-triggered
 * with a resample eventfd, and what is refused.
 */
#include "harness.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define GSI 30

static long irqfd(struct vm *vm, int fd, uint32_t gsi, uint32_t flags)
{
	struct kvm_irqfd i = { .fd = fd, .gsi = gsi, .flags = flags };

	return IOCTL(vm->fd, KVM_IRQFD, &i);
}

static void kick(int fd)
{
	uint64_t one = 1;

	EQ(write(fd, &one, sizeof(one)), sizeof(one));
}

static int new_eventfd(void)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

static void route(struct vm *vm, uint32_t vector)
{
	struct kvm_irq_routing_entry e = route_msi(GSI, MSI_TO(0), vector);

	OK(set_routes(vm, &e, 1));
}

static struct vcpu *boot_ticking(void)
{
	struct vcpu *v = boot(VM_IRQCHIP, ticking);

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	vm_set_isr(v->vm, 0x42, ISR_LAPIC);
	expect_quiet(v);
	return v;
}

/*
 * The injection may be left to a worker of the kernel's, so it may arrive a
 * little after the write: run until it does.
 */
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

TEST(irqfd_interrupts)
{
	struct vcpu *v = boot_ticking();
	int fd = new_eventfd();

	route(v->vm, 0x41);
	OK(irqfd(v->vm, fd, GSI, 0));
	for (unsigned int i = 0; i < 10; i++) {
		kick(fd);
		await_irq(v, 0x41);
		expect_quiet(v);
	}
}

TEST(irqfd_routed_later)
{
	struct vcpu *v = boot_ticking();
	struct kvm_irq_routing_entry none = route_msi(GSI, 0, 0);
	int fd = new_eventfd();

	OK(set_routes(v->vm, &none, 0));
	OK(irqfd(v->vm, fd, GSI, 0));
	kick(fd);
	expect_quiet(v);
	route(v->vm, 0x41);
	kick(fd);
	await_irq(v, 0x41);
	route(v->vm, 0x42);
	kick(fd);
	await_irq(v, 0x42);
	OK(set_routes(v->vm, &none, 0));
	kick(fd);
	expect_quiet(v);
}

TEST(irqfd_to_a_pin)
{
	struct vcpu *v = boot_ticking();
	int fd = new_eventfd();

	set_redirection(v->vm, 5, 0x41);
	OK(irqfd(v->vm, fd, 5, 0));
	for (unsigned int i = 0; i < 3; i++) {
		kick(fd);
		await_irq(v, 0x41);
		expect_quiet(v);
	}
}

TEST(irqfd_signalled_before)
{
	struct vcpu *v = boot_ticking();
	int fd = new_eventfd();

	route(v->vm, 0x41);
	kick(fd);
	OK(irqfd(v->vm, fd, GSI, 0));
	await_irq(v, 0x41);
}

TEST(irqfd_duplicates)
{
	struct vcpu *v = boot_ticking();
	int a = new_eventfd(), b = new_eventfd();

	route(v->vm, 0x41);
	OK(irqfd(v->vm, a, GSI, 0));
	REFUSED(EBUSY, irqfd(v->vm, a, GSI, 0));
	OK(irqfd(v->vm, b, GSI, 0));	/* a GSI may have several */
	kick(a);
	await_irq(v, 0x41);
	kick(b);
	await_irq(v, 0x41);
}

TEST(irqfd_deassigned)
{
	struct vcpu *v = boot_ticking();
	int fd = new_eventfd();

	route(v->vm, 0x41);
	OK(irqfd(v->vm, fd, GSI, 0));
	kick(fd);
	await_irq(v, 0x41);
	OK(irqfd(v->vm, fd, GSI, KVM_IRQFD_FLAG_DEASSIGN));
	expect_quiet(v);
	kick(fd);
	expect_quiet(v);
	OK(irqfd(v->vm, fd, GSI, 0));	/* with the count left in it */
	await_irq(v, 0x41);
	close(fd);			/* let go by itself */
	expect_quiet(v);
}

TEST(irqfd_refused)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	int fd = new_eventfd(), pipes[2];

	CHECK(pipe(pipes) == 0);
	REFUSED(EINVAL, irqfd(vm, fd, GSI, 1u << 31));
	REFUSED(EBADF, irqfd(vm, -1, GSI, 0));
	REFUSED(EINVAL, irqfd(vm, pipes[0], GSI, 0));
	REFUSED(EINVAL, irqfd(vm_new(0), fd, GSI, 0));
}

static bool readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

static uint64_t take(int fd)
{
	uint64_t n = 0;

	CHECK(read(fd, &n, sizeof(n)) == sizeof(n));
	return n;
}

/* Asserted until the guest's EOI, which is told on the other eventfd. */
TEST(irqfd_resample)
{
	struct vcpu *v = boot_ticking();
	int fd = new_eventfd(), resample = new_eventfd();
	struct kvm_irqfd i = { .fd = fd, .gsi = 10, .resamplefd = resample,
			       .flags = KVM_IRQFD_FLAG_RESAMPLE };

	set_redirection(v->vm, 10, 0x41 | REDIR_LEVEL);
	OK(IOCTL(v->vm->fd, KVM_IRQFD, &i));
	kick(fd);
	await_irq(v, 0x41);
	CHECK(!readable(resample));
	expect_out(v, 0x80, 1, 0);
	EVENTUALLY(readable(resample));
	EQ(take(resample), 1);
	expect_quiet(v);		/* no longer asserted */
	kick(fd);
	await_irq(v, 0x41);
	kick(fd);			/* asserted already: one EOI ends both */
	expect_out(v, 0x80, 1, 0);
	EVENTUALLY(readable(resample));
	expect_quiet(v);
	i.flags = KVM_IRQFD_FLAG_DEASSIGN;
	OK(IOCTL(v->vm->fd, KVM_IRQFD, &i));
	kick(fd);
	expect_quiet(v);
}

static void resample(struct vm *vm, int fd, int resamplefd, uint32_t gsi)
{
	struct kvm_irqfd i = { .fd = fd, .gsi = gsi, .resamplefd = resamplefd,
			       .flags = KVM_IRQFD_FLAG_RESAMPLE };

	OK(IOCTL(vm->fd, KVM_IRQFD, &i));
}

/* All that share a pin are told of one end, each by its own eventfd. */
TEST(irqfd_resample_many)
{
	enum { MANY = 300 };
	struct vcpu *v = boot_ticking();
	int fd[MANY], resamplefd[MANY];

	set_redirection(v->vm, 10, 0x41 | REDIR_LEVEL);
	for (unsigned int i = 0; i < MANY; i++) {
		fd[i] = new_eventfd();
		resamplefd[i] = new_eventfd();
		resample(v->vm, fd[i], resamplefd[i], 10);
	}
	/* No route leads on from there. */
	resample(v->vm, new_eventfd(), new_eventfd(), 5000);
	resample(v->vm, new_eventfd(), new_eventfd(), ~0u);
	for (unsigned int n = 0; n < 3; n++) {
		kick(fd[n * 100]);
		await_irq(v, 0x41);
		expect_out(v, 0x80, 1, 0);
		for (unsigned int i = 0; i < MANY; i++) {
			EVENTUALLY(readable(resamplefd[i]));
			EQ(take(resamplefd[i]), 1);
		}
		expect_quiet(v);
	}
}

/* The same with an interrupt of the PIC, ended by a write to its port */
PAYLOAD(16, pic_level,
	mov $0x11, %al;
	out %al, $0x20;
	mov $0x20, %al;
	out %al, $0x21;
	mov $4, %al;
	out %al, $0x21;
	mov $1, %al;
	out %al, $0x21;
	mov $0xdf, %al;
	out %al, $0x21;
	mov $0x20, %al;
	mov $0x4d0, %dx;
	out %al, %dx;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irqfd_resample_by_the_pic)
{
	struct vcpu *v = boot(VM_IRQCHIP, &pic_level);
	int fd = new_eventfd(), resamplefd = new_eventfd();

	vm_set_isr(v->vm, 0x25, ISR_PIC);
	expect_quiet(v);
	resample(v->vm, fd, resamplefd, 5);
	for (unsigned int n = 0; n < 3; n++) {
		kick(fd);
		await_irq(v, 0x25);
		CHECK(!readable(resamplefd));
		expect_out(v, 0x80, 1, 0);
		EVENTUALLY(readable(resamplefd));
		EQ(take(resamplefd), 1);
		expect_quiet(v);
	}
}

/*
 * In a PIC's mode of automatic end the acknowledge is the end: the line is down
 * before the handler has done anything.
 */
PAYLOAD(16, pic_automatic,
	mov $0x11, %al;
	out %al, $0x20;
	mov $0x20, %al;
	out %al, $0x21;
	mov $4, %al;
	out %al, $0x21;
	mov $3, %al;
	out %al, $0x21;
	mov $0xdf, %al;
	out %al, $0x21;
	mov $0x20, %al;
	mov $0x4d0, %dx;
	out %al, %dx;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(irqfd_resample_by_acknowledge)
{
	struct vcpu *v = boot(VM_IRQCHIP, &pic_automatic);
	int fd = new_eventfd(), resamplefd = new_eventfd();

	vm_set_isr(v->vm, 0x25, ISR_PIC);
	expect_quiet(v);
	resample(v->vm, fd, resamplefd, 5);
	for (unsigned int n = 0; n < 3; n++) {
		kick(fd);
		await_irq(v, 0x25);
		EVENTUALLY(readable(resamplefd));
		EQ(take(resamplefd), 1);
		expect_quiet(v);
	}
}

/* As a guest does that handles interrupts in a thread: mask, end, unmask */
PAYLOAD(64, masks_and_ends,
	LAPIC_ON;
	PIC_OFF;
	mov $GPA_IOAPIC, %ebx;
	movl $0x24, (%rbx);
	movl $0x8041, 0x10(%rbx);
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
.globl masks_isr;
masks_isr:;
	movl $0x18041, 0x10(%rbx);
	movl $0, 0xb0(%rbp);
	out %al, $0x81;
	movl $0x8041, 0x10(%rbx);
	iretq;
)
PAYLOAD_LABEL(masks_isr);

/*
 * The line was raised again while its pin was masked, and the device has let go
 * of it since: before the guest gets an interrupt for that, the device is asked.
 */
TEST(irqfd_resample_at_unmask)
{
	struct vcpu *v = boot(VM_IRQCHIP, &masks_and_ends);
	int fd = new_eventfd(), resamplefd = new_eventfd();

	if (intel_parameter("enable_apicv"))
		skip_on_reference("with APIC virtualization it does not always end");
	vm_set_gate(v->vm, 0x41, LABEL_GPA(masks_and_ends, masks_isr));
	resample(v->vm, fd, resamplefd, 10);
	expect_quiet(v);
	kick(fd);
	do
		expect_exit(v, KVM_EXIT_IO);
	while (v->run->io.port == 0x80);
	EQ(v->run->io.port, 0x81);
	EVENTUALLY(readable(resamplefd));
	EQ(take(resamplefd), 1);
	kick(fd);			/* it still wants one */
	expect_quiet(v);		/* and now it does not any more */
	EVENTUALLY(readable(resamplefd));
	EQ(take(resamplefd), 1);
	expect_quiet(v);
	CHECK(!readable(resamplefd));
}

PAYLOAD(64, second,
	LAPIC_ON;
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

/* A vCPU that is made when all is set up ends interrupts like the others. */
TEST(irqfd_resample_of_a_later_vcpu)
{
	struct vm *vm = boot_ticking()->vm;
	int fd = new_eventfd(), resamplefd = new_eventfd();
	struct kvm_mp_state runs = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *v;

	resample(vm, fd, resamplefd, 10);
	set_redirection(vm, 10, 0x41 | 1ull << 56);	/* by edge */
	v = vcpu_new(vm, 1);
	vcpu_start(v, &second);
	OK(IOCTL(v->fd, KVM_SET_MP_STATE, &runs));
	expect_quiet(v);
	for (unsigned int n = 0; n < 3; n++) {
		kick(fd);
		await_irq(v, 0x41);
		expect_out(v, 0x80, 1, 0);
		EVENTUALLY(readable(resamplefd));
		EQ(take(resamplefd), 1);
	}
}

PAYLOAD(64, sleeper,
	LAPIC_ON;
	PIC_OFF;
	xor %eax, %eax;
	sti;
1:	hlt;
	out %al, $0x80;
	jmp 1b;
)

static unsigned int woken;

static void expect_ten(struct vcpu *v)
{
	for (unsigned int i = 1; i <= 10; i++) {
		expect_irq(v, 0x41);
		expect_out(v, 0x80, 1, 0);
		__atomic_store_n(&woken, i, __ATOMIC_RELEASE);
	}
}

TEST(irqfd_wakes_halted_vcpu)
{
	struct vcpu *v = boot(VM_IRQCHIP, &sleeper);
	int fd = new_eventfd();
	struct runner r;

	vm_set_isr(v->vm, 0x41, ISR_LAPIC);
	route(v->vm, 0x41);
	OK(irqfd(v->vm, fd, GSI, 0));
	runner_start(&r, v, expect_ten);
	for (unsigned int i = 0; i < 10; i++) {
		runner_wait_asleep(&r);
		kick(fd);
		EVENTUALLY(__atomic_load_n(&woken, __ATOMIC_ACQUIRE) > i);
	}
	runner_join(&r);
}
