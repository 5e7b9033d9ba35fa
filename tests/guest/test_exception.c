// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exceptions in the guest, through its own IDT; single-stepping and
 * breakpoints by the guest and by the host; the guest's floating point.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

PAYLOAD(64, ud,
	nop;
	ud2;
)

TEST(exception_ud)
{
	struct vcpu *v = boot(0, &ud);

	expect_trap(v, 6);
	EQ(stack_word(v, 0), GPA_CODE + 1);
	EQ(stack_word(v, 1), SEL_CODE);
}

PAYLOAD(64, divide,
	xor %ecx, %ecx;
	div %ecx;
)

TEST(exception_de)
{
	struct vcpu *v = boot(0, &divide);

	expect_trap(v, 0);
	EQ(stack_word(v, 0), GPA_CODE + 2);
}

PAYLOAD(64, breakpoint,
	int3;
	nop;
)

TEST(exception_bp)
{
	struct vcpu *v = boot(0, &breakpoint);

	expect_trap(v, 3);
	EQ(stack_word(v, 0), GPA_CODE + 1);
}

PAYLOAD(64, bad_selector,
	mov $0x1000, %eax;
	mov %eax, %ds;
)

PAYLOAD(64, not_canonical,
	mov $0x8000000000000000, %rax;
	mov (%rax), %al;
)

TEST(exception_gp)
{
	struct vcpu *v = boot(0, &bad_selector);

	expect_trap(v, 13);
	EQ(stack_word(v, 0), 0x1000);		/* the selector */
	EQ(stack_word(v, 1), GPA_CODE + 5);
	vcpu_start(v, &not_canonical);
	expect_trap(v, 13);
	EQ(stack_word(v, 0), 0);
}

PAYLOAD(64, touch_rdi,
	mov %al, (%rdi);
	mov %cr2, %rbx;
	hlt;
)

static void touch(struct vcpu *v, uint64_t address)
{
	struct kvm_regs regs;

	vcpu_start(v, &touch_rdi);
	regs = get_regs(v);
	regs.rdi = address;
	set_regs(v, &regs);
}

static void set_cr0_wp(struct vcpu *v)
{
	struct kvm_sregs s = get_sregs(v);

	s.cr0 |= 1 << 16;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
}

TEST(exception_pf)
{
	struct vcpu *v = boot(0, &touch_rdi);
	uint64_t *pd = (uint64_t *)(v->vm->ram + GPA_PD);

	touch(v, 0x4000001234);			/* beyond the PDPT's entries */
	expect_trap(v, 14);
	EQ(stack_word(v, 0), 2);		/* a write, not present */
	EQ(stack_word(v, 1), GPA_CODE);
	EQ(get_sregs(v).cr2, 0x4000001234);
	pd[64] &= ~2ull;			/* read-only, and CR0.WP */
	touch(v, (64 << 21) + 8);
	set_cr0_wp(v);
	expect_trap(v, 14);
	EQ(stack_word(v, 0), 3);
	EQ(get_sregs(v).cr2, (64 << 21) + 8);
	pd[65] |= 1ull << 51;			/* a reserved bit */
	touch(v, 65 << 21);
	expect_trap(v, 14);
	EQ(stack_word(v, 0) & 0xa, 0xa);	/* TCG leaves P clear */
}

PAYLOAD(64, task_switched,
	mov %cr0, %rax;
	or $8, %eax;
	mov %rax, %cr0;
	fld1;
)

TEST(exception_nm)
{
	expect_trap(boot(0, &task_switched), 7);
}

PAYLOAD(64, soft_int,
	int $0x77;
	nop;
	hlt;
)

TEST(exception_software_interrupt)
{
	struct vcpu *v = boot(0, &soft_int);

	vm_set_isr(v->vm, 0x77, ISR_PLAIN);
	expect_irq(v, 0x77);
	expect_halt(v);
	EQ(get_regs(v).rip, GPA_CODE + 4);
}

PAYLOAD(64, no_handlers,
	ud2;
)

TEST(exception_double_fault)
{
	struct vcpu *v = boot(0, &no_handlers);
	uint8_t *idt = v->vm->ram + GPA_IDT;

	memset(idt + 6 * 16, 0, 16);		/* #UD absent: #GP ... */
	memset(idt + 11 * 16, 0, 16);		/* ... or #NP */
	memset(idt + 13 * 16, 0, 16);		/* absent as well: #DF */
	expect_trap(v, 8);
	EQ(stack_word(v, 0), 0);
	vcpu_start(v, &no_handlers);
	memset(idt + 8 * 16, 0, 16);
	expect_exit(v, KVM_EXIT_SHUTDOWN);
}

/* A page fault on the way to a handler, then the handler. */
TEST(exception_fault_while_delivering)
{
	struct vcpu *v = boot(0, &ud);

	vm_set_gate(v->vm, 6, 0x4000000000);
	expect_trap(v, 14);
	EQ(stack_word(v, 0) & ~0x10ull, 0);
	EQ(stack_word(v, 1), 0x4000000000);
}

/*
 * It reads the stubs first. A Bochs with several CPUs, when the fetch of a
 * handler's first instruction makes a VM exit (its page is new), goes on at
 * the instruction that faulted, yet with the handler's stack and ring.
 */
PAYLOAD(64, to_user,
	mov GPA_TRAP, %eax;
	mov $SEL_UDATA, %eax;
	mov %eax, %ds;
	push $SEL_UDATA;
	push $GPA_STACK + 0x3000;
	push $0x202;
	push $SEL_UCODE;
	push $GPA_CODE + user_part - to_user_start;
	iretq;
user_part:
	mov $0x55, %ebx;
	int $0x77;
	cli;
)

/* Ring 3 and back, on the stack the TSS names. */
TEST(exception_user_mode)
{
	struct vcpu *v = boot(0, &to_user);

	vm_set_isr(v->vm, 0x77, ISR_PLAIN);
	expect_irq(v, 0x77);
	EQ(get_regs(v).rsp & ~0xffull, GPA_STACK + PAGE_SIZE - 0x100);
	expect_trap(v, 13);			/* CLI is not for ring 3 */
	EQ(stack_word(v, 2), SEL_UCODE);
	EQ(stack_word(v, 5), SEL_UDATA);
	EQ(stack_word(v, 4), GPA_STACK + 0x3000);
	EQ(get_regs(v).rbx, 0x55);
}

PAYLOAD(64, syscalls,
	mov $0xc0000081, %ecx;
	xor %eax, %eax;
	mov $0x00100008, %edx;
	wrmsr;
	mov $0xc0000082, %ecx;
	mov $GPA_CODE + syscall_entry - syscalls_start, %eax;
	xor %edx, %edx;
	wrmsr;
	mov $0xc0000084, %ecx;
	mov $0x200, %eax;
	wrmsr;
	mov $0xc0000080, %ecx;
	rdmsr;
	or $1, %eax;
	wrmsr;
	mov $GPA_CODE + syscall_user - syscalls_start, %ecx;
	mov $0x202, %r11d;
	sysretq;
syscall_user:
	mov $0x66, %ebx;
	syscall;
syscall_entry:
	mov %ecx, %esi;
	pushfq;
	pop %rdi;
	hlt;
)

TEST(exception_syscall_and_sysret)
{
	struct vcpu *v = boot(0, &syscalls);
	struct kvm_regs regs;

	expect_halt(v);
	regs = get_regs(v);
	EQ(regs.rbx, 0x66);
	EQ(regs.r11, 0x202);
	EQ(regs.rdi & 0x200, 0);
	EQ(get_sregs(v).cs.selector, SEL_CODE);
	EQ(get_sregs(v).cs.dpl, 0);
}

/* --- debugging -------------------------------------------------------- */

PAYLOAD(64, steps_itself,
	pushfq;
	orq $0x100, (%rsp);
	popfq;
	nop;
	nop;
	cpuid;
	nop;
	hlt;
)

/* The guest's own single steps, over an instruction KVM emulates as well. */
TEST(debug_guest_single_step)
{
	struct vcpu *v = boot(0, &steps_itself);
	static const uint64_t rips[] = { 11, 12, 14, 15 };
	struct kvm_debugregs d;

	skip_on_bochs_svm("tells no DR6 with an intercepted #DB");
	vm_set_isr(v->vm, 1, ISR_PLAIN);
	for (unsigned int i = 0; i < 4; i++) {
		expect_irq(v, 1);
		EQ(stack_word(v, 1) - GPA_CODE, rips[i]);
		OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
		EQ(d.dr6 & 0x4000, 0x4000);	/* BS */
	}
	expect_halt(v);
}

PAYLOAD(64, steps_over_out,
	pushfq;
	orq $0x100, (%rsp);
	popfq;
	nop;
	out %al, $0x80;
	nop;
	hlt;
)

TEST(debug_guest_single_step_over_io)
{
	struct vcpu *v = boot(0, &steps_over_out);

	skip_on_bochs_svm("takes the guest's single step to the host");
	vm_set_isr(v->vm, 1, ISR_PLAIN);
	expect_irq(v, 1);
	expect_out(v, 0x80, 1, 0);
	expect_irq(v, 1);
	EQ(stack_word(v, 1) - GPA_CODE, 13);
	expect_irq(v, 1);
	expect_halt(v);
}

PAYLOAD_LABEL(watched_code);
PAYLOAD(64, watches_itself,
	mov $GPA_DATA, %eax;
	mov %rax, %dr0;
	mov $GPA_CODE + watched_code - watches_itself_start, %eax;
	mov %rax, %dr1;
	mov $0xd0405, %eax;
	mov %rax, %dr7;
	movl $1, GPA_DATA;
	nop;
watched_code:
	nop;
	hlt;
)

/* DR0: writes of four bytes at GPA_DATA; DR1: execution. */
TEST(debug_guest_breakpoints)
{
	struct vcpu *v = boot(0, &watches_itself);
	struct kvm_debugregs d;

	skip_on_bochs_svm("tells no DR6 with an intercepted #DB");
	vm_set_isr(v->vm, 1, ISR_PLAIN);
	expect_irq(v, 1);
	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	EQ(d.dr6 & 0xf, 1);
	EQ(ram64(v->vm, GPA_DATA) & 0xff, 1);
	d.dr6 &= ~0xfull;
	OK(IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
	expect_irq(v, 1);
	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	EQ(d.dr6 & 0xf, 2);
	EQ(stack_word(v, 1), LABEL_GPA(watches_itself, watched_code));
	d.dr7 = 0x400;			/* or it would be met again */
	OK(IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
	expect_halt(v);
}

PAYLOAD(64, five_nops,
	nop;
	nop;
	out %al, $0x80;
	mov $3, %eax;
	cpuid;
	hlt;
)

static void debug(struct vcpu *v, uint32_t control)
{
	struct kvm_guest_debug d = { .control = control };

	OK(IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &d));
}

#define expect_debug(v, at)						\
	do {								\
		expect_exit(v, KVM_EXIT_DEBUG);				\
		EQ((v)->run->debug.arch.pc, GPA_CODE + (at));		\
		EQ(get_regs(v).rip, GPA_CODE + (at));			\
	} while (0)

TEST(debug_host_single_step)
{
	struct vcpu *v = boot(0, &five_nops);

	skip_on_bochs_svm("takes the guest's single step to the host");
	debug(v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP);
	expect_debug(v, 1);
	EQ(v->run->debug.arch.exception, 1);
	EQ(v->run->debug.arch.dr6 & 0x4000, 0x4000);
	expect_debug(v, 2);
	expect_out(v, 0x80, 1, 0);
	expect_debug(v, 4);
	expect_debug(v, 9);
	expect_debug(v, 11);
	debug(v, 0);
	expect_halt(v);
	EQ(get_regs(v).rflags & 0x100, 0);	/* TF was the host's */
}

TEST(debug_host_software_breakpoint)
{
	struct vcpu *v = boot(0, &breakpoint);

	if (on_tcg())
		skip("TCG does not intercept #BP");
	debug(v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP);
	expect_debug(v, 0);
	EQ(v->run->debug.arch.exception, 3);
	debug(v, 0);
	expect_trap(v, 3);
}

TEST(debug_host_hardware_breakpoint)
{
	struct vcpu *v = boot(0, &five_nops);
	struct kvm_guest_debug d = {
		.control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP,
		.arch.debugreg[0] = GPA_CODE + 2,
		.arch.debugreg[7] = 0x402,
	};

	skip_on_bochs_svm("tells no DR6 with an intercepted #DB");
	OK(IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &d));
	expect_debug(v, 2);
	EQ(v->run->debug.arch.dr6 & 0xf, 1);
	debug(v, 0);
	expect_out(v, 0x80, 1, 0);
}

TEST(debug_host_injects)
{
	struct vcpu *v = boot(0, &five_nops);

	debug(v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_DB);
	debug(v, 0);
	expect_trap(v, 1);
	vcpu_start(v, &five_nops);
	debug(v, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_INJECT_BP);
	debug(v, 0);
	expect_trap(v, 3);
}

/* --- floating point --------------------------------------------------- */

PAYLOAD(64, keeps_registers,
	movq %rbx, %xmm0;
	movq %rbx, %xmm15;
	mov %ebx, GPA_DATA + 0x100;
	fildl GPA_DATA + 0x100;
1:	out %al, $0x80;
	movq %xmm0, %rcx;
	cmp %rbx, %rcx;
	jne 2f;
	movq %xmm15, %rcx;
	cmp %rbx, %rcx;
	jne 2f;
	fistl GPA_DATA + 0x200;
	cmp %ebx, GPA_DATA + 0x200;
	je 1b;
2:	hlt;
)

/* KVM_RUN with a value of the host's in XMM7 across it. */
static double run_keeping(struct vcpu *v, double in)
{
	double out;
	long r = SYS_ioctl;

	asm volatile("movsd %2, %%xmm7; syscall; movsd %%xmm7, %1"
		     : "+a"(r), "=m"(out)
		     : "m"(in), "D"((long)v->fd), "S"((long)KVM_RUN), "d"(0l)
		     : "rcx", "r11", "memory", "xmm7");
	EQ(r, 0);
	return out;
}

/* Two vCPUs on one thread, and the thread's own registers besides. */
TEST(fpu_of_two_vcpus_and_the_host)
{
	struct vcpu *both[] = { boot(0, &keeps_registers),
				boot(0, &keeps_registers) };
	struct kvm_regs regs;

	for (unsigned int i = 0; i < 2; i++) {
		regs = get_regs(both[i]);
		regs.rbx = 0x1111 * (i + 1);
		set_regs(both[i], &regs);
	}
	for (unsigned int i = 0; i < 100; i++) {
		struct vcpu *v = both[i % 2];

		CHECK(run_keeping(v, 1.5 + i) == 1.5 + i);
		EQ(v->run->exit_reason, KVM_EXIT_IO);
	}
}
