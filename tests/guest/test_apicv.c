// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts to a vCPU that runs, or sleeps, and what they cost in exits.
 *
 * The guests here never exit by themselves. They count interrupts in memory,
 * so both that one arrived and that nothing exited for it can be seen from
 * outside, by the vCPU's counters of exits. Interrupts of the host itself end
 * a run, too, and are counted apart.
 *
 * That all arrive holds anywhere. The number of exits is looked at only where
 * the modules say that hardware delivers (enable_apicv).
 */
#include "harness.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#define COUNT	GPA_DATA	/* interrupts taken */
#define STOP	(GPA_DATA + 64)	/* set from outside: exit by port 0x80 */
#define READY	(GPA_DATA + 128)
#define SENT	(GPA_DATA + 192)
#define MAY_END	(GPA_DATA + 256)	/* as many handlers may end */
#define VECTOR	0x45
#define ROUNDS	50

/* Count one in; wait until it may end: a line must be low by then. */
#define COUNT_ONE							\
	push %rax;							\
	mov $1, %eax;							\
	lock xadd %eax, (%rbx);						\
1:	cmp %eax, 256(%rbx);						\
	jbe 1b;								\
	pop %rax

/* Count, then loop with interrupts enabled until told to stop. */
#define SPIN								\
	mov $GPA_DATA, %ebx;						\
	movl $1, 128(%rbx);						\
	sti;								\
1:	cmpl $0, 64(%rbx);						\
	je 1b;								\
	xor %eax, %eax;							\
	out %al, $0x80

PAYLOAD_LABEL(xapic_isr);
PAYLOAD(64, xapic_spin,
	LAPIC_ON;
	PIC_OFF;
	SPIN;
	xapic_isr:
	COUNT_ONE;
	movl $0, 0xb0(%rbp);
	iretq;
)

#define X2APIC_ON							\
	mov $0x1b, %ecx;						\
	rdmsr;								\
	or $0xc00, %eax;						\
	wrmsr;								\
	mov $0x80f, %ecx;						\
	mov $0x1ff, %eax;						\
	xor %edx, %edx;							\
	wrmsr
#define X2APIC_ISR							\
	COUNT_ONE;							\
	push %rax;							\
	push %rcx;							\
	push %rdx;							\
	mov $0x80b, %ecx;						\
	xor %eax, %eax;							\
	xor %edx, %edx;							\
	wrmsr;								\
	pop %rdx;							\
	pop %rcx;							\
	pop %rax;							\
	iretq

PAYLOAD_LABEL(x2apic_isr);
PAYLOAD(64, x2apic_spin,
	X2APIC_ON;
	PIC_OFF;
	SPIN;
	x2apic_isr:
	X2APIC_ISR;
)

/* Sends itself ROUNDS interrupts between two looks at the counters. */
PAYLOAD_LABEL(self_isr);
PAYLOAD(64, x2apic_self,
	X2APIC_ON;
	PIC_OFF;
	mov $GPA_DATA, %ebx;
	sti;
	movl $1, 128(%rbx);
1:	cmpl $0, 64(%rbx);
	je 1b;
	mov $ROUNDS, %esi;
2:	mov $0x83f, %ecx;
	mov $VECTOR, %eax;
	xor %edx, %edx;
	wrmsr;
	dec %esi;
	jnz 2b;
	movl $1, 192(%rbx);
	movl $0, 64(%rbx);
3:	cmpl $0, 64(%rbx);
	je 3b;
	xor %eax, %eax;
	out %al, $0x80;
	self_isr:
	X2APIC_ISR;
)

PAYLOAD_LABEL(halt_isr);
PAYLOAD(64, halting,
	LAPIC_ON;
	PIC_OFF;
	mov $GPA_DATA, %ebx;
	movl $1, 128(%rbx);
1:	sti;
	hlt;
	cmpl $0, 64(%rbx);
	je 1b;
	xor %eax, %eax;
	out %al, $0x80;
	halt_isr:
	lock incl (%rbx);
	movl $0, 0xb0(%rbp);
	iretq;
)

static bool hardware_delivers(void)
{
	return intel_parameter("enable_apicv");
}

/* To a vCPU that has a CPU of the host for itself. */
static bool hardware_posts(void)
{
	return intel_parameter("posted_interrupts") &&
	       sysconf(_SC_NPROCESSORS_ONLN) > 1;
}

static uint32_t *word(struct vm *vm, uint64_t gpa)
{
	return (uint32_t *)(vm->ram + gpa);
}

static uint32_t look(struct vm *vm, uint64_t gpa)
{
	return __atomic_load_n(word(vm, gpa), __ATOMIC_ACQUIRE);
}

static void set(struct vm *vm, uint64_t gpa, uint32_t value)
{
	__atomic_store_n(word(vm, gpa), value, __ATOMIC_RELEASE);
}

static void pin_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* The vCPU has a CPU of the host for itself where there are two. */
static void run_on_last(struct vcpu *v)
{
	pin_to(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	expect_out(v, 0x80, 1, 0);
}

static struct runner runner;

static struct vcpu *start(const struct payload *p, const uint8_t *isr)
{
	struct vcpu *v = boot(VM_IRQCHIP, p);

	vm_set_gate(v->vm, VECTOR, GPA_CODE + (isr - p->start));
	set(v->vm, MAY_END, UINT32_MAX);
	pin_to(0);
	/* In-tree, a descriptor of the counters cannot be had from a running vCPU. */
	vcpu_stat(v, "exits");
	runner_start(&runner, v, run_on_last);
	EVENTUALLY(look(v->vm, READY));
	/* The pages that the first one touches are its own matter. */
	OK(send_msi(v->vm, MSI_TO(0), VECTOR));
	EVENTUALLY(look(v->vm, COUNT) == 1);
	return v;
}

static void stop(struct vcpu *v)
{
	set(v->vm, STOP, 1);
	runner_join(&runner);
}

struct exits {
	uint64_t own, host;	/* not for an interrupt of the host; for one */
};

/* Two counters, which move one after the other: until some looks agree. */
static struct exits exits(struct vcpu *v)
{
	struct exits now = { 0 }, last;
	unsigned int agree = 0;

	if (!hardware_delivers())
		return now;
	while (agree < 3) {
		last = now;
		now.host = vcpu_stat(v, "irq_exits");
		now.own = vcpu_stat(v, "exits") - now.host;
		agree = now.own == last.own ? agree + 1 : 0;
	}
	return now;
}

static void send_edges(struct vcpu *v)
{
	for (uint32_t i = 0; i < ROUNDS; i++) {
		OK(send_msi(v->vm, MSI_TO(0), VECTOR));
		EVENTUALLY(look(v->vm, COUNT) == i + 2);
	}
}

static void edges_to_running(const struct payload *p, const uint8_t *isr)
{
	struct vcpu *v = start(p, isr);
	struct exits before, after;

	before = exits(v);
	send_edges(v);
	after = exits(v);
	if (hardware_delivers()) {
		EQ(after.own, before.own);
		/* Nor was it made to exit by an interrupt sent for that. */
		if (hardware_posts())
			CHECK(after.host - before.host < ROUNDS);
	}
	stop(v);
}

/* Delivery and the end of an edge interrupt cost no exit. */
TEST(apicv_edge_to_a_running_vcpu)
{
	edges_to_running(&xapic_spin, xapic_isr);
}

TEST(apicv_edge_to_a_running_x2apic)
{
	edges_to_running(&x2apic_spin, x2apic_isr);
}

static void levels_to_running(const struct payload *p, const uint8_t *isr)
{
	struct vcpu *v = start(p, isr);
	struct exits before, after;

	set_redirection(v->vm, 5, REDIR_LEVEL | VECTOR);
	before = exits(v);
	for (uint32_t i = 0; i < ROUNDS; i++) {
		set(v->vm, MAY_END, i + 1);
		OK(irq_line(v->vm, 5, 1));
		EVENTUALLY(look(v->vm, COUNT) == i + 2);
		OK(irq_line(v->vm, 5, 0));
		set(v->vm, MAY_END, i + 2);
		/* Its end has reached the IOAPIC: remote IRR. */
		EVENTUALLY(!(get_redirection(v->vm, 5) & 0x4000));
	}
	after = exits(v);
	if (hardware_delivers())
		EQ(after.own - before.own, ROUNDS);
	stop(v);
}

/* The end of a level interrupt costs exactly one. */
TEST(apicv_level_to_a_running_vcpu)
{
	levels_to_running(&xapic_spin, xapic_isr);
}

TEST(apicv_level_to_a_running_x2apic)
{
	levels_to_running(&x2apic_spin, x2apic_isr);
}

TEST(apicv_x2apic_self_ipi)
{
	struct vcpu *v = start(&x2apic_self, self_isr);
	struct exits before, after;

	before = exits(v);
	set(v->vm, STOP, 1);
	EVENTUALLY(look(v->vm, SENT));
	after = exits(v);
	EQ(look(v->vm, COUNT), ROUNDS + 1);
	if (hardware_delivers())
		EQ(after.own, before.own);
	stop(v);
}

TEST(apicv_posted_wakes_a_halted_vcpu)
{
	struct vcpu *v = start(&halting, halt_isr);

	for (uint32_t i = 0; i < ROUNDS; i++) {
		runner_wait_asleep(&runner);
		OK(send_msi(v->vm, MSI_TO(0), VECTOR));
		EVENTUALLY(look(v->vm, COUNT) == i + 2);
	}
	set(v->vm, STOP, 1);
	OK(send_msi(v->vm, MSI_TO(0), VECTOR));
	runner_join(&runner);
}

/* A reader of its state sees what is in no register of the page yet. */
TEST(apicv_pending_is_in_the_state)
{
	struct vcpu *v = boot(VM_IRQCHIP, &xapic_spin);

	set(v->vm, STOP, 1);
	expect_exit(v, KVM_EXIT_IO);
	OK(send_msi(v->vm, MSI_TO(0), VECTOR));
	EQ(lapic_reg(v, 0x200 + (VECTOR >> 5) * 16) >> (VECTOR & 31) & 1, 1);
}
