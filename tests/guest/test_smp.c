// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several vCPUs: starting them, interrupts between them, and that what one
 * is, another is not. Where nobody must wait, one thread runs them in turn.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ICR_LOW	 0x300
#define ICR_HIGH 0x310

PAYLOAD(64, starts_one,
	LAPIC_ON;
	movl $0x01000000, ICR_HIGH(%rbp);
	movl $0x4500, ICR_LOW(%rbp);
	movl $0x01000000, ICR_HIGH(%rbp);
	movl $0x4618, ICR_LOW(%rbp);
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

PAYLOAD(16, started,
	mov %cs, %ax;
	out %ax, $0x81;
	mov $1, %al;
	out %al, $0x82;
	hlt;
)

static void expect_started(struct vcpu *v)
{
	long r;

	do {
		r = vcpu_try_run(v);
	} while (r == -EAGAIN);
	EQ(r, 0);
	EQ(v->run->exit_reason, KVM_EXIT_IO);
	EQ(v->run->io.port, 0x81);
	EQ(*(uint16_t *)((uint8_t *)v->run + v->run->io.data_offset), 0x1800);
	expect_out(v, 0x82, 1, 1);
}

/* INIT and a startup IPI: the vCPU waits in KVM_RUN until they come. */
TEST(smp_init_and_startup)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *bsp = vcpu_new(vm, 0), *ap = vcpu_new(vm, 1);
	struct kvm_mp_state mp;
	struct runner r;

	load_at(vm, GPA_SIPI, &started);
	vcpu_start(bsp, &starts_one);
	runner_start(&r, ap, expect_started);
	runner_wait_asleep(&r);
	expect_out(bsp, 0x80, 1, 0);
	runner_join(&r);
	OK(IOCTL(ap->fd, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	EQ(get_sregs(ap).cs.base, GPA_SIPI);
	EQ(get_sregs(ap).cr0 & 1, 0);
	EQ(get_sregs(ap).apic_base, 0xfee00800);
}

/* INIT puts a running vCPU back; a second startup IPI has no effect. */
TEST(smp_init_of_a_running_vcpu)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *bsp = vcpu_new(vm, 0), *ap = vcpu_new(vm, 1);
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };

	load_at(vm, GPA_SIPI, &started);
	vcpu_start(bsp, &starts_one);
	vcpu_start(ap, ticking);
	OK(IOCTL(ap->fd, KVM_SET_MP_STATE, &mp));
	expect_quiet(ap);
	expect_out(bsp, 0x80, 1, 0);
	expect_started(ap);
}

#define MSR_LSTAR	   0xc0000082
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_SYSENTER_EIP   0x176

#define WRITE_MSR(index, value)						\
	mov $index, %ecx;						\
	mov $value, %eax;						\
	xor %edx, %edx;							\
	wrmsr

PAYLOAD(64, writes_msrs,
	WRITE_MSR(MSR_LSTAR, 0x1234);
	WRITE_MSR(MSR_KERNEL_GS_BASE, 0x5678);
	WRITE_MSR(MSR_SYSENTER_EIP, 0x9abc);
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

/* What the guest wrote, which no exit told of: SDM vol. 3, table 10-1. */
TEST(smp_init_keeps_msrs)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *bsp = vcpu_new(vm, 0), *ap = vcpu_new(vm, 1);
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };

	load_at(vm, GPA_SIPI, &started);
	vcpu_start(bsp, &starts_one);
	vcpu_start(ap, &writes_msrs);
	OK(IOCTL(ap->fd, KVM_SET_MP_STATE, &mp));
	expect_quiet(ap);
	expect_out(bsp, 0x80, 1, 0);
	expect_started(ap);
	EQ(get_msr(ap, MSR_LSTAR), 0x1234);
	EQ(get_msr(ap, MSR_KERNEL_GS_BASE), 0x5678);
	EQ(get_msr(ap, MSR_SYSENTER_EIP), 0x9abc);
}

PAYLOAD(64, nmi_then_start,
	LAPIC_ON;
	movl $0x01000000, ICR_HIGH(%rbp);
	movl $0x4400, ICR_LOW(%rbp);
	movl $0x4500, ICR_LOW(%rbp);
	movl $0x4618, ICR_LOW(%rbp);
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

/* An NMI that the INIT found still waiting is gone with the rest. */
TEST(smp_init_drops_nmi)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *bsp = vcpu_new(vm, 0), *ap = vcpu_new(vm, 1);
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_vcpu_events ev;

	load_at(vm, GPA_SIPI, &started);
	vcpu_start(bsp, &nmi_then_start);
	vcpu_start(ap, ticking);
	OK(IOCTL(ap->fd, KVM_SET_MP_STATE, &mp));
	expect_quiet(ap);
	expect_out(bsp, 0x80, 1, 0);
	/* It takes the INIT here, without a look at the NMI. */
	OK(IOCTL(ap->fd, KVM_GET_MP_STATE, &mp));
	expect_started(ap);
	OK(IOCTL(ap->fd, KVM_GET_VCPU_EVENTS, &ev));
	EQ(ev.nmi.pending, 0);
	EQ(ev.nmi.masked, 0);
}

PAYLOAD(64, starts_twice,
	LAPIC_ON;
	movl $0x01000000, ICR_HIGH(%rbp);
	movl $0x4500, ICR_LOW(%rbp);
	movl $0x4618, ICR_LOW(%rbp);
	movl $0x4619, ICR_LOW(%rbp);
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

/* Of two startup IPIs the first starts it, though its thread sees both. */
TEST(smp_first_startup_counts)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *bsp = vcpu_new(vm, 0), *ap = vcpu_new(vm, 1);

	skip_on_reference("the second one wins");
	load_at(vm, GPA_SIPI, &started);
	vcpu_start(bsp, &starts_twice);
	expect_out(bsp, 0x80, 1, 0);
	expect_started(ap);
}

PAYLOAD(64, sends,
	LAPIC_ON;
	PIC_OFF;
	mov %esi, ICR_HIGH(%rbp);
	mov %edi, ICR_LOW(%rbp);
	mov ICR_LOW(%rbp), %ebx;
	xor %eax, %eax;
	sti;
	nop;
1:	out %al, $0x80;
	jmp 1b;
)

static struct vcpu *four[4];

/* Three that tick, and vCPU 0 that will send as RSI and RDI say. */
static void make_four(uint32_t high, uint32_t low)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct kvm_regs regs;

	vm_set_isr(vm, 0x41, ISR_LAPIC);
	vm_set_isr(vm, 2, ISR_PLAIN);
	for (unsigned int i = 0; i < 4; i++) {
		four[i] = vcpu_new(vm, i);
		vcpu_start(four[i], i ? ticking : &sends);
		OK(IOCTL(four[i]->fd, KVM_SET_MP_STATE, &mp));
		if (i)
			expect_quiet(four[i]);
	}
	regs = get_regs(four[0]);
	regs.rsi = high;
	regs.rdi = low;
	set_regs(four[0], &regs);
}

/* Who of the four is interrupted next, as a mask. */
static unsigned int interrupted(unsigned int vector)
{
	unsigned int mask = 0;

	for (unsigned int i = 0; i < 4; i++) {
		const struct kvm_run *run = four[i]->run;

		EQ(vcpu_run(four[i]), KVM_EXIT_IO);
		if (run->io.port != PORT_IRQ)
			continue;
		EQ(*((uint8_t *)run + run->io.data_offset), vector);
		mask |= 1 << i;
	}
	return mask;
}

TEST(smp_ipi_physical)
{
	make_four(2 << 24, 0x4041);
	EQ(interrupted(0x41), 1 << 2);
	EQ(interrupted(0x41), 0);
	EQ(get_regs(four[0]).rbx & 0x1000, 0);	/* delivered */
}

TEST(smp_ipi_shorthands)
{
	make_four(0, 0x84041);			/* all */
	EQ(interrupted(0x41), 0xf);
	make_four(0, 0xc4041);			/* all but self */
	EQ(interrupted(0x41), 0xe);
	make_four(0, 0x44041);			/* self */
	EQ(interrupted(0x41), 0x1);
	make_four(0xff << 24, 0x4041);		/* broadcast */
	EQ(interrupted(0x41), 0xf);
}

/*
 * A vCPU stays in its VM when its descriptor is closed: it is there for
 * interrupts and for its statistics, and its id remains taken.
 */
TEST(smp_ipi_to_a_closed_vcpu)
{
	uint64_t exits;
	struct vm *vm;

	make_four(0, 0xc4041);
	vm = four[0]->vm;
	exits = vcpu_stat(four[3], "exits");
	OK(munmap(four[3]->run, four[3]->run_size));
	OK(close(four[3]->fd));
	EQ(vcpu_run(four[0]), KVM_EXIT_IO);	/* sent */
	OK(send_msi(vm, MSI_TO(3), 0x41));
	OK(send_msi(vm, MSI_TO(3), 0x400));
	expect_irq(four[1], 0x41);
	EQ(vcpu_stat(four[3], "exits"), exits);
	REFUSED(EEXIST, IOCTL(vm->fd, KVM_CREATE_VCPU, 3));
	OK(vm_del_slot(vm, SLOT_HIGH));
	expect_irq(four[2], 0x41);
}

TEST(smp_ipi_nmi)
{
	make_four(0, 0xc4400);
	EQ(interrupted(2), 0xe);
	EQ(interrupted(2), 0);
}

PAYLOAD(64, logical_ticking,
	LAPIC_ON;
	PIC_OFF;
	movl $0xffffffff, 0xe0(%rbp);
	mov $1, %eax;
	mov %esi, %ecx;
	shl %cl, %eax;
	shl $24, %eax;
	mov %eax, 0xd0(%rbp);
	xor %eax, %eax;
	sti;
1:	out %al, $0x80;
	jmp 1b;
)

/* Flat logical destinations, and the lowest priority among several. */
TEST(smp_logical_destinations)
{
	unsigned int hit;

	make_four(0, 0);
	for (unsigned int i = 0; i < 4; i++) {
		struct kvm_regs regs;

		vcpu_start(four[i], &logical_ticking);
		regs = get_regs(four[i]);
		regs.rsi = i;
		set_regs(four[i], &regs);
		expect_quiet(four[i]);
	}
	send_msi(four[0]->vm, MSI_TO(0x5) | 4, 0x41);
	EQ(interrupted(0x41), 0x5);
	send_msi(four[0]->vm, MSI_TO(0x8) | 4, 0x41);
	EQ(interrupted(0x41), 0x8);
	send_msi(four[0]->vm, MSI_TO(0xe) | 0xc, 0x141);
	hit = interrupted(0x41);
	CHECK(hit == 2 || hit == 4 || hit == 8);
}

PAYLOAD(64, sends_x2apic,
	mov $0x1b, %ecx;
	rdmsr;
	or $0xc00, %eax;
	wrmsr;
	PIC_OFF;
	mov $0x80f, %ecx;
	mov $0x1ff, %eax;
	xor %edx, %edx;
	wrmsr;
	mov $0x830, %ecx;
	mov $0x4041, %eax;
	mov $3, %edx;
	wrmsr;
	xor %eax, %eax;
1:	out %al, $0x80;
	jmp 1b;
)

TEST(smp_ipi_x2apic)
{
	make_four(0, 0);
	vcpu_start(four[0], &sends_x2apic);
	EQ(interrupted(0x41), 1 << 3);
}

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

TEST(smp_ipi_wakes_halted_vcpu)
{
	struct runner r;

	make_four(1 << 24, 0x4041);
	vcpu_start(four[1], &sleeper);
	runner_start(&r, four[1], expect_wake);
	runner_wait_asleep(&r);
	expect_out(four[0], 0x80, 1, 0);
	runner_join(&r);
}

PAYLOAD(64, ping,
	LAPIC_ON;
	PIC_OFF;
	mov $100, %r14d;
1:	movl $0x01000000, ICR_HIGH(%rbp);
	movl $0x4041, ICR_LOW(%rbp);
	sti;
	hlt;
	cli;
	dec %r14d;
	jnz 1b;
	out %al, $0x80;
)

PAYLOAD(64, pong,
	LAPIC_ON;
1:	sti;
	hlt;
	cli;
	movl $0, ICR_HIGH(%rbp);
	movl $0x4041, ICR_LOW(%rbp);
	jmp 1b;
)

PAYLOAD_LABEL(silent_isr_code);
PAYLOAD(64, silent_isr,
silent_isr_code:
	movl $0, 0xb0(%rbp);
	iretq;
)

static void run_until_kicked(struct vcpu *v)
{
	REFUSED(EINTR, vcpu_try_run(v));
}

/* A hundred interrupts to and fro, each waking a halted vCPU. */
TEST(smp_ping_pong)
{
	struct runner r;

	make_four(0, 0);
	load_at(four[0]->vm, GPA_DATA, &silent_isr);
	vm_set_gate(four[0]->vm, 0x41, GPA_DATA);
	vcpu_start(four[0], &ping);
	vcpu_start(four[1], &pong);
	runner_start(&r, four[1], run_until_kicked);
	vcpu_run(four[0]);
	EQ(get_regs(four[0]).r14, 0);
	runner_kick(&r);
	runner_join(&r);
}
