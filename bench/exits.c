// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits: how long one instruction of the guest takes that the hypervisor has
 * to do, from the guest's time stamp before it to the one after.
 *
 * Guests are in 64-bit mode with PIC, IOAPIC, LAPIC and PIT in the kernel.
 * What needs a second thread (an irqfd's wake-up, an IPI) has it on the same
 * CPU, so two context switches are in it.
 */
#include "bench.h"

#include <cpuid.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ROUNDS 2000
#define VECTOR 0x40

GUEST_LOOP(cpuid_loop, NO_SETUP, xor %eax, %eax; xor %ecx, %ecx; cpuid);
BENCH(cpuid, "exits", "CPUID")
{
	put(0, in_guest(VM_PIT, &cpuid_loop, ROUNDS));
}

GUEST_LOOP(vmmcall_loop, NO_SETUP, mov $0x7fff, %eax; vmmcall);
GUEST_LOOP(vmcall_loop, NO_SETUP, mov $0x7fff, %eax; vmcall);
BENCH(hypercall, "exits", "VMCALL or VMMCALL, unknown number")
{
	unsigned int eax, ebx, ecx, edx;

	__cpuid(0, eax, ebx, ecx, edx);
	put(0, in_guest(VM_PIT, ebx == signature_AMD_ebx ? &vmmcall_loop :
		       &vmcall_loop, ROUNDS));
}

GUEST_LOOP(rdmsr_loop, NO_SETUP, mov $0x1a0, %ecx; rdmsr);
BENCH(rdmsr, "exits", "RDMSR, emulated (IA32_MISC_ENABLE)")
{
	put(0, in_guest(VM_PIT, &rdmsr_loop, ROUNDS));
}

/* The value is the one it has. */
#define READ_MISC							\
	mov $0x1a0, %ecx;						\
	rdmsr;								\
	mov %eax, %esi;							\
	mov %edx, %edi
GUEST_LOOP(wrmsr_loop, READ_MISC,
	mov $0x1a0, %ecx;
	mov %esi, %eax;
	mov %edi, %edx;
	wrmsr);
BENCH(wrmsr, "exits", "WRMSR, emulated (IA32_MISC_ENABLE)")
{
	put(0, in_guest(VM_PIT, &wrmsr_loop, ROUNDS));
}

/*
 * The handler notes when it was entered and how long its EOI took; the loop's
 * own sample is the whole.
 */
#define SELF_SAMPLES 0x20000
GUEST_LOOP(self_loop, X2APIC_ON,
	sti;
	mov $0x83f, %ecx;
	mov $VECTOR, %eax;
	xor %edx, %edx;
	wrmsr;
	nop;
	cli;
	jmp 1f;
.globl bench_self_isr;
bench_self_isr:;
	GUEST_STAMP;
	mov %rax, %r8;
	sub %r13, %rax;
	mov %rax, (%r15);
	mov $0x80b, %ecx;
	xor %eax, %eax;
	xor %edx, %edx;
	wrmsr;
	GUEST_STAMP;
	sub %r8, %rax;
	mov %rax, 8(%r15);
	add $16, %r15;
	iretq;
1:;
);
PAYLOAD_LABEL(bench_self_isr);

static uint64_t every_other(const uint64_t *at, unsigned int n)
{
	struct samples s = { 0 };

	for (unsigned int i = 0; i < n; i++)
		sample(&s, at[2 * i]);
	return samples_median(&s);
}

BENCH(self_ipi, "exits", "x2APIC self-IPI, until the handler", "x2APIC EOI")
{
	unsigned int n = rounds(ROUNDS);
	struct vcpu *v = boot(VM_PIT, &self_loop);
	const uint64_t *at = (uint64_t *)(v->vm->ram + GPA_DATA);

	vm_set_gate(v->vm, VECTOR, LABEL_GPA(self_loop, bench_self_isr));
	pass(v, n, NULL);
	put(0, every_other(at, n));
	put(1, every_other(at + 1, n));
}

/* LVTT to TSC-deadline mode; the deadline is far away. */
#define DEADLINE_MODE							\
	X2APIC_ON;							\
	mov $0x832, %ecx;						\
	mov $0x40040, %eax;						\
	xor %edx, %edx;							\
	wrmsr
GUEST_LOOP(deadline_loop, DEADLINE_MODE,
	mov $0x6e0, %ecx;
	mov %r13d, %eax;
	mov %r13, %rdx;
	shr $32, %rdx;
	add $100, %edx;
	wrmsr);
BENCH(tsc_deadline, "exits", "TSC-deadline write")
{
	put(0, in_guest(VM_PIT, &deadline_loop, ROUNDS));
}

GUEST_LOOP(pio_in_loop, NO_SETUP, in $0x21, %al);
GUEST_LOOP(pio_out_loop, NO_SETUP, mov $0xff, %al; out %al, $0x21);
BENCH(pio_kernel, "exits", "PIO read of an in-kernel device (PIC)",
      "PIO write to an in-kernel device (PIC)")
{
	put(0, in_guest(VM_PIT, &pio_in_loop, ROUNDS));
	put(1, in_guest(VM_PIT, &pio_out_loop, ROUNDS));
}

#define PORT_EVENT 0xe0

static int ioeventfd(struct vm *vm, struct kvm_ioeventfd e)
{
	e.fd = eventfd(0, EFD_NONBLOCK);
	OK(e.fd);
	OK(IOCTL(vm->fd, KVM_IOEVENTFD, &e));
	return e.fd;
}

static uint64_t with_ioeventfd(const struct payload *p, struct kvm_ioeventfd e)
{
	struct vcpu *v = boot(VM_PIT, p);

	ioeventfd(v->vm, e);
	warm_up(v, 16);
	return pass(v, rounds(ROUNDS), NULL);
}

GUEST_LOOP(pio_event_loop, NO_SETUP, out %al, $PORT_EVENT);
BENCH(pio_ioeventfd, "exits", "PIO to an ioeventfd")
{
	put(0, with_ioeventfd(&pio_event_loop, (struct kvm_ioeventfd){
		.addr = PORT_EVENT, .len = 1,
		.flags = KVM_IOEVENTFD_FLAG_PIO }));
}

#define MMIO_BASE mov $GPA_MMIO, %esi
GUEST_LOOP(mmio_event_loop, MMIO_BASE, mov $7, %eax; mov %eax, (%rsi));
BENCH(mmio_ioeventfd, "exits", "MMIO to an ioeventfd",
      "MMIO to an ioeventfd with datamatch",
      "MMIO to an ioeventfd of any length")
{
	put(0, with_ioeventfd(&mmio_event_loop, (struct kvm_ioeventfd){
		.addr = GPA_MMIO, .len = 4 }));
	put(1, with_ioeventfd(&mmio_event_loop, (struct kvm_ioeventfd){
		.addr = GPA_MMIO, .len = 4, .datamatch = 7,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH }));
	put(2, with_ioeventfd(&mmio_event_loop, (struct kvm_ioeventfd){
		.addr = GPA_MMIO }));
}

#define IOAPIC_BASE mov $GPA_IOAPIC, %esi
GUEST_LOOP(ioapic_write_loop, IOAPIC_BASE, movl $1, (%rsi));
GUEST_LOOP(ioapic_read_loop, IOAPIC_BASE, mov (%rsi), %eax);
BENCH(mmio_ioapic, "exits", "MMIO write to the IOAPIC",
      "MMIO read of the IOAPIC")
{
	put(0, in_guest(VM_PIT, &ioapic_write_loop, ROUNDS));
	put(1, in_guest(VM_PIT, &ioapic_read_loop, ROUNDS));
}

/* Row: the kernel's part; row + 1: user space's. */
static void split(unsigned int row, const struct payload *p)
{
	struct vcpu *v = boot(VM_PIT, p);
	struct samples user = { 0 };
	uint64_t all, outside;

	warm_up(v, 16);
	all = pass(v, rounds(ROUNDS), &user);
	outside = samples_median(&user);
	put(row, all - outside);
	put(row + 1, outside);
}

GUEST_LOOP(pio_user_loop, NO_SETUP, out %al, $0x80);
BENCH(pio_user, "exits", "PIO to user space, kernel's part",
      "PIO to user space, the user's part")
{
	split(0, &pio_user_loop);
}

GUEST_LOOP(mmio_user_loop, MMIO_BASE, mov %eax, (%rsi));
BENCH(mmio_user, "exits", "MMIO write to user space, kernel's part",
      "MMIO write to user space, the user's part")
{
	split(0, &mmio_user_loop);
}

/* --- a second thread --------------------------------------------------- */

struct events {
	int from_guest, to_guest;
};

static void *answer_events(void *arg)
{
	const struct events *e = arg;
	uint64_t n;

	while (read(e->from_guest, &n, sizeof(n)) == sizeof(n)) {
		n = 1;
		if (write(e->to_guest, &n, sizeof(n)) != sizeof(n))
			break;
	}
	return NULL;
}

GUEST_LOOP(wake_loop, X2APIC_ON,
	out %al, $PORT_EVENT;
	sti;
	hlt;
	cli;
	jmp 1f;
.globl bench_wake_isr;
bench_wake_isr:;
	mov $0x80b, %ecx;
	xor %eax, %eax;
	xor %edx, %edx;
	wrmsr;
	iretq;
1:;
);
PAYLOAD_LABEL(bench_wake_isr);

BENCH(hlt_irqfd, "exits",
      "HLT, woken by an irqfd: ioeventfd, two switches, MSI, EOI")
{
	struct vcpu *v = boot(VM_PIT, &wake_loop);
	struct kvm_irq_routing_entry msi = route_msi(24, MSI_TO(0), VECTOR);
	struct kvm_irqfd irqfd = { .gsi = 24 };
	struct kvm_ioeventfd out = { .addr = PORT_EVENT, .len = 1,
				     .flags = KVM_IOEVENTFD_FLAG_PIO };
	struct events e;
	pthread_t thread;

	vm_set_gate(v->vm, VECTOR, LABEL_GPA(wake_loop, bench_wake_isr));
	OK(set_routes(v->vm, &msi, 1));
	e.to_guest = irqfd.fd = eventfd(0, 0);
	OK(IOCTL(v->vm->fd, KVM_IRQFD, &irqfd));
	e.from_guest = out.fd = eventfd(0, 0);
	OK(IOCTL(v->vm->fd, KVM_IOEVENTFD, &out));
	OK(-pthread_create(&thread, NULL, answer_events, &e));
	warm_up(v, 16);
	put(0, pass(v, rounds(1000), NULL));
}

/* vCPU 0 sends and halts until the answer; vCPU 1 answers. */
GUEST_LOOP(ipi_loop, X2APIC_ON,
	mov $0x830, %ecx;
	mov $1, %edx;
	mov $VECTOR, %eax;
	wrmsr;
	GUEST_STAMP;
	sub %r13, %rax;
	mov %rax, (%r15);
	add $8, %r15;
	sti;
	hlt;
	cli;
	jmp 1f;
.globl bench_ipi_isr;
bench_ipi_isr:;
	mov $0x80b, %ecx;
	xor %eax, %eax;
	xor %edx, %edx;
	wrmsr;
	iretq;
1:;
);
PAYLOAD_LABEL(bench_ipi_isr);

PAYLOAD(64, ipi_echo,
	X2APIC_ON;
1:
	sti;
	hlt;
	cli;
	mov $0x830, %ecx;
	xor %edx, %edx;
	mov $VECTOR, %eax;
	wrmsr;
	jmp 1b;
)

static void run_for_ever(struct vcpu *v)
{
	OK(IOCTL(v->fd, KVM_RUN, 0));
	fail("%s", describe_exit(v));
}

BENCH(ipi, "exits", "IPI to a halted vCPU, the sender's part",
      "IPI there and back, both halt: two switches, two EOIs")
{
	struct vcpu *v = boot(VM_PIT, &ipi_loop);
	struct vcpu *other = vcpu_new(v->vm, 1);
	struct kvm_mp_state runs = { .mp_state = KVM_MP_STATE_RUNNABLE };
	unsigned int n = rounds(1000);
	struct runner r;

	vm_set_gate(v->vm, VECTOR, LABEL_GPA(ipi_loop, bench_ipi_isr));
	vcpu_start(other, &ipi_echo);
	OK(IOCTL(other->fd, KVM_SET_MP_STATE, &runs));
	runner_start(&r, other, run_for_ever);
	/* It does not take the CPU from who wakes it: the stamp comes first. */
	pthread_setschedparam(r.thread, SCHED_BATCH,
			      &(struct sched_param){ 0 });
	runner_wait_asleep(&r);
	warm_up(v, 16);
	put(1, pass(v, n, NULL));
	put(0, median((uint64_t *)(v->vm->ram + GPA_DATA), n));
}
