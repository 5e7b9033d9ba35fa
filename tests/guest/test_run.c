// SPDX-License-Identifier: GPL-2.0-only
/*
 * KVM_RUN: each kind of exit, what the run page says on it, and how a vCPU
 * is stopped from outside.
 */
#include "harness.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

PAYLOAD(64, halts,
	hlt;
	hlt;
)

TEST(run_halt_exits_after_the_instruction)
{
	struct vcpu *v = boot(0, &halts);

	expect_halt(v);
	EQ(get_regs(v).rip, GPA_CODE + 1);
	expect_halt(v);
	EQ(get_regs(v).rip, GPA_CODE + 2);
}

PAYLOAD(64, spin,
	sti;
1:	jmp 1b;
)

PAYLOAD(64, outs_of_each_size,
	mov $0x11223344, %eax;
	out %al, $0x80;
	out %ax, $0x80;
	out %eax, $0x80;
	mov $0xcafe, %edx;
	out %al, %dx;
	out %ax, %dx;
	out %eax, %dx;
	hlt;
)

TEST(run_out)
{
	struct vcpu *v = boot(0, &outs_of_each_size);

	expect_out(v, 0x80, 1, 0x44);
	expect_out(v, 0x80, 2, 0x3344);
	expect_out(v, 0x80, 4, 0x11223344);
	expect_out(v, 0xcafe, 1, 0x44);
	expect_out(v, 0xcafe, 2, 0x3344);
	expect_out(v, 0xcafe, 4, 0x11223344);
	expect_halt(v);
}

PAYLOAD(64, ins_of_each_size,
	mov $-1, %rax;
	in $0x80, %al;
	mov %rax, %rbx;
	mov $-1, %rax;
	in $0x80, %ax;
	mov %rax, %rcx;
	mov $-1, %rax;
	mov $0xcafe, %edx;
	in %dx, %eax;
	hlt;
)

TEST(run_in)
{
	struct vcpu *v = boot(0, &ins_of_each_size);

	expect_in(v, 0x80, 1, 0x42);
	expect_in(v, 0x80, 2, 0x4243);
	expect_in(v, 0xcafe, 4, 0x42434445);
	expect_halt(v);
	EQ(get_regs(v).rbx, 0xffffffffffffff42);
	EQ(get_regs(v).rcx, 0xffffffffffff4243);
	EQ(get_regs(v).rax, 0x42434445);	/* zero-extended */
}

PAYLOAD(64, rep_outs,
	rep outsb;
	mov $0xbeef, %eax;
	out %ax, $0x81;
	hlt;
)

PAYLOAD(64, rep_outs_words,
	rep outsw;
	mov $0xbeef, %eax;
	out %ax, $0x81;
	hlt;
)

PAYLOAD(64, rep_ins_longs,
	rep insl;
	mov $0xbeef, %eax;
	out %ax, $0x81;
	hlt;
)

static uint8_t *io_bytes(struct vcpu *v)
{
	return (uint8_t *)v->run + v->run->io.data_offset;
}

/* Run until OUT to port 0x81, gathering what string I/O moves on 0x80. */
static unsigned int string_io(struct vcpu *v, uint8_t *bytes, bool in)
{
	unsigned int n = 0, size;

	while (vcpu_run(v) == KVM_EXIT_IO && v->run->io.port == 0x80) {
		EQ(v->run->io.direction, in ? KVM_EXIT_IO_IN : KVM_EXIT_IO_OUT);
		CHECK(v->run->io.count > 0);
		size = v->run->io.size * v->run->io.count;
		CHECK(v->run->io.data_offset + size <= v->run_size);
		if (in)
			memcpy(io_bytes(v), bytes + n, size);
		else
			memcpy(bytes + n, io_bytes(v), size);
		n += size;
	}
	EQ(v->run->exit_reason, KVM_EXIT_IO);
	EQ(v->run->io.port, 0x81);
	return n;
}

static void fill(uint8_t *p, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		p[i] = i * 7 + 3;
}

TEST(run_rep_outsb_across_pages)
{
	struct vcpu *v = boot(0, &rep_outs);
	struct kvm_regs regs = get_regs(v);
	static uint8_t got[8192];

	regs.rdx = 0x80;
	regs.rsi = GPA_DATA + 4000;
	regs.rcx = 5000;
	set_regs(v, &regs);
	fill(v->vm->ram + GPA_DATA + 4000, 5000);
	EQ(string_io(v, got, false), 5000);
	EQ(memcmp(got, v->vm->ram + GPA_DATA + 4000, 5000), 0);
	expect_halt(v);
	EQ(get_regs(v).rcx, 0);
	EQ(get_regs(v).rsi, GPA_DATA + 9000);
}

TEST(run_rep_outsw_downwards)
{
	struct vcpu *v = boot(0, &rep_outs_words);
	struct kvm_regs regs = get_regs(v);
	static uint8_t got[256];
	const uint16_t words[] = { 0x1111, 0x2222, 0x3333 };

	memcpy(v->vm->ram + GPA_DATA, words, sizeof(words));
	regs.rdx = 0x80;
	regs.rsi = GPA_DATA + 4;
	regs.rcx = 3;
	regs.rflags |= 0x400;		/* DF */
	set_regs(v, &regs);
	EQ(string_io(v, got, false), 6);
	EQ(((uint16_t *)got)[0], 0x3333);
	EQ(((uint16_t *)got)[2], 0x1111);
	expect_halt(v);
	EQ(get_regs(v).rsi, GPA_DATA - 2);
}

TEST(run_rep_insl)
{
	struct vcpu *v = boot(0, &rep_ins_longs);
	struct kvm_regs regs = get_regs(v);
	static uint8_t data[4096];

	fill(data, sizeof(data));
	regs.rdx = 0x80;
	regs.rdi = GPA_DATA + 0xffe;	/* a dword across two pages, too */
	regs.rcx = 1000;
	set_regs(v, &regs);
	EQ(string_io(v, data, true), 4000);
	EQ(memcmp(data, v->vm->ram + GPA_DATA + 0xffe, 4000), 0);
	expect_halt(v);
	EQ(get_regs(v).rcx, 0);
	EQ(get_regs(v).rdi, GPA_DATA + 0xffe + 4000);
}

TEST(run_rep_with_zero_count)
{
	struct vcpu *v = boot(0, &rep_outs);

	expect_out(v, 0x81, 2, 0xbeef);
	expect_halt(v);
}

PAYLOAD(64, in_then_out,
	in $0x80, %al;
	out %al, $0x81;
	hlt;
)

/* The answer to IN is taken before the exit asked for. */
TEST(run_immediate_exit_completes_io)
{
	struct vcpu *v = boot(0, &in_then_out);

	expect_in(v, 0x80, 1, 0x42);
	v->run->immediate_exit = 1;
	REFUSED(EINTR, vcpu_try_run(v));
	EQ(get_regs(v).rax & 0xff, 0x42);
	EQ(get_regs(v).rip, GPA_CODE + 2);
	EQ(v->run->immediate_exit, 1);
	REFUSED(EINTR, vcpu_try_run(v));
	v->run->immediate_exit = 0;
	expect_out(v, 0x81, 1, 0x42);
	expect_halt(v);
}

static void run_interrupted(struct vcpu *v)
{
	REFUSED(EINTR, vcpu_try_run(v));
}

PAYLOAD(64, count_at_data,
	sti;
1:	incq GPA_DATA;
	jmp 1b;
)

TEST(run_signal_interrupts)
{
	struct vcpu *v = boot(0, &count_at_data);
	volatile uint64_t *n = (uint64_t *)(v->vm->ram + GPA_DATA);
	struct runner r;

	runner_start(&r, v, run_interrupted);
	EVENTUALLY(*n > 100);
	runner_kick(&r);
	runner_join(&r);
	EQ(v->run->exit_reason, KVM_EXIT_INTR);
	CHECK(get_regs(v).rip >= GPA_CODE && get_regs(v).rip < GPA_CODE + 16);
}

/* A signal blocked outside and let through inside KVM_RUN, then pending. */
TEST(run_signal_mask)
{
	struct {
		struct kvm_signal_mask head;
		uint64_t set;
	} m = { .head.len = 4 };
	struct vcpu *v = boot(0, &spin);
	sigset_t set;

	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SIGNAL_MASK, &m));
	m.head.len = 8;
	OK(IOCTL(v->fd, KVM_SET_SIGNAL_MASK, &m));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGUSR2);
	REFUSED(EINTR, vcpu_try_run(v));
	REFUSED(EINTR, vcpu_try_run(v));
	sigpending(&set);
	CHECK(sigismember(&set, SIGUSR2));
	OK(IOCTL(v->fd, KVM_SET_SIGNAL_MASK, NULL));
}

PAYLOAD(64, triple_fault,
	lidt nothing(%rip);
triple_fault_at:
	ud2;
nothing:
	.quad 0, 0;
)

PAYLOAD_LABEL(triple_fault_at);

/* Intel's hardware leaves the state of the crash, for the VMM to look at. */
TEST(run_triple_fault_shuts_down)
{
	struct vcpu *v = boot(0, &triple_fault);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	bool intel = find_cpuid(c, 0, 0)->ecx == 0x6c65746e;

	expect_exit(v, KVM_EXIT_SHUTDOWN);
	EQ(get_regs(v).rip, intel ? LABEL_GPA(triple_fault, triple_fault_at) :
				    0xfff0);
	EQ(get_sregs(v).cr0 & 1, intel);
}

TEST(run_cr8_without_lapic)
{
	struct vcpu *v = boot(0, &halts);

	v->run->cr8 = 16;
	REFUSED(EINVAL, vcpu_try_run(v));
	v->run->cr8 = 15;
	expect_halt(v);
	EQ(v->run->cr8, 15);
	EQ(get_sregs(v).cr8, 15);
}

PAYLOAD(64, jump_nowhere,
	mov $GPA_MMIO, %eax;
	jmp *%rax;
)

/* Code cannot be fetched from a device; how that shows is KVM's choice. */
TEST(run_without_memory_is_clean)
{
	struct vcpu *v = boot(0, &jump_nowhere);
	unsigned int reason = vcpu_run(v);

	CHECK(reason == KVM_EXIT_INTERNAL_ERROR || reason == KVM_EXIT_MMIO ||
	      reason == KVM_EXIT_SHUTDOWN);
	vcpu_start(v, &halts);
	if (reason == KVM_EXIT_INTERNAL_ERROR)
		expect_halt(v);
}

PAYLOAD(64, add_to_all,
	inc %rax;
	inc %rbx;
	inc %rcx;
	inc %rdx;
	inc %rsi;
	inc %rdi;
	inc %rsp;
	inc %rbp;
	inc %r8;
	inc %r9;
	inc %r10;
	inc %r11;
	inc %r12;
	inc %r13;
	inc %r14;
	inc %r15;
	stc;
	hlt;
)

TEST(run_registers_in_and_out)
{
	struct vcpu *v = boot(0, &add_to_all);
	struct kvm_regs regs = get_regs(v);
	uint64_t in[16], out[16];	/* RAX to R15 come first in it */

	for (unsigned int i = 0; i < 16; i++)
		in[i] = 0x0123456789abcd00 + i * 0x1000000000000010ull;
	memcpy(&regs, in, sizeof(in));
	set_regs(v, &regs);
	expect_halt(v);
	regs = get_regs(v);
	memcpy(out, &regs, sizeof(out));
	for (unsigned int i = 0; i < 16; i++)
		EQ(out[i], in[i] + 1);
	EQ(regs.rflags & 1, 1);
}

PAYLOAD(64, lowers_cr8,
	mov $9, %eax;
	mov %rax, %cr8;
	mov $9, %eax;
	mov %rax, %cr8;
	mov $3, %eax;
	mov %rax, %cr8;
	mov %cr8, %rbx;
	hlt;
)

/* The VMM has the LAPIC: it hears of each priority that falls. */
TEST(run_tells_of_a_lower_tpr)
{
	struct vcpu *v = boot(0, &lowers_cr8);

	expect_exit(v, KVM_EXIT_SET_TPR);
	EQ(v->run->cr8, 3);
	expect_halt(v);
	EQ(get_regs(v).rbx, 3);
}

PAYLOAD(64, idt_in_a_hole,
	mov $GPA_DATA, %ebx;
	movw $0xfff, (%rbx);
	mov $GPA_MMIO, %eax;
	mov %rax, 2(%rbx);
	lidt (%rbx);
	ud2;
)

/* Neither lost in silence nor tried for ever. */
TEST(run_event_through_no_memory)
{
	struct vcpu *v = boot(0, &idt_in_a_hole);

	skip_on_reference("they emulate the instruction at RIP");
	expect_exit(v, KVM_EXIT_INTERNAL_ERROR);
	EQ(v->run->internal.suberror, KVM_INTERNAL_ERROR_DELIVERY_EV);
	CHECK(v->run->internal.ndata >= 3);
	EQ(v->run->internal.data[0] & 0xff, 6);
	EQ(v->run->internal.data[2] & ~0xfffull, GPA_MMIO);
}

PAYLOAD(64, flags_and_cr8,
	sti;
	nop;
	out %al, $0x80;
	cli;
	mov $5, %eax;
	mov %rax, %cr8;
	out %al, $0x80;
	mov %cr8, %rbx;
	hlt;
)

TEST(run_page_fields)
{
	struct vcpu *v = boot(0, &flags_and_cr8);

	expect_out(v, 0x80, 1, 0);
	EQ(v->run->if_flag, 1);
	EQ(v->run->ready_for_interrupt_injection, 1);
	EQ(v->run->cr8, 0);
	EQ(v->run->apic_base, get_sregs(v).apic_base);
	expect_out(v, 0x80, 1, 5);
	EQ(v->run->if_flag, 0);
	EQ(v->run->ready_for_interrupt_injection, 0);
	EQ(v->run->cr8, 5);
	v->run->cr8 = 7;		/* an input without a LAPIC */
	expect_halt(v);
	EQ(get_regs(v).rbx, 7);
}

TEST(run_invalid_sregs)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_sregs good = get_sregs(v), s;

	s = good;
	s.cr4 &= ~0x20ull;		/* long mode without PAE */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = good;
	s.cr4 |= 1ull << 31;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = good;
	s.cr0 |= 1ull << 40;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = good;
	s.cr0 &= ~1ull;			/* paging without protection */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = good;
	s.cr0 = (s.cr0 | 1u << 29) & ~(1ull << 30);	/* NW without CD */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = good;
	s.efer &= ~0x400ull;		/* LME and PG, but not LMA */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = good;
	s.cr3 = 1ull << 60;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_SREGS, &s));
	/* Refused means unchanged. */
	s = get_sregs(v);
	EQ(memcmp(&s, &good, sizeof(s)), 0);
	expect_halt(v);
}

PAYLOAD(64, count_at_free,
	sti;
1:	incq GPA_FREE;
	jmp 1b;
)

static pid_t start_spinning_process(volatile uint64_t *n)
{
	pid_t pid = fork();

	if (pid == 0) {
		struct vcpu *v = boot(0, &count_at_free);

		OK(vm_add_slot(v->vm, 9, GPA_FREE, PAGE_SIZE, (void *)n));
		vcpu_try_run(v);
		_exit(1);
	}
	return pid;
}

TEST(run_sigkill)
{
	volatile uint64_t *n = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t pid = start_spinning_process(n);
	int status;

	EVENTUALLY(*n > 100);
	kill(pid, SIGKILL);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

TEST(run_fields_unsupported_sync_regs)
{
	struct vcpu *v = boot(0, &halts);

	v->run->kvm_valid_regs = 1u << 31;
	REFUSED(EINVAL, vcpu_try_run(v));
	v->run->kvm_valid_regs = 0;
	v->run->kvm_dirty_regs = 1u << 31;
	REFUSED(EINVAL, vcpu_try_run(v));
	v->run->kvm_dirty_regs = 0;
	expect_halt(v);
}

TEST(run_sync_regs)
{
	struct vcpu *v = boot(0, &halts);
	long fields = need_cap(v->vm, KVM_CAP_SYNC_REGS);

	CHECK(fields & KVM_SYNC_X86_REGS);
	v->run->kvm_valid_regs = KVM_SYNC_X86_REGS;
	expect_halt(v);
	EQ(v->run->s.regs.regs.rip, GPA_CODE + 1);
	v->run->s.regs.regs.rip = GPA_CODE;
	v->run->s.regs.regs.rbx = 0x77;
	v->run->kvm_dirty_regs = KVM_SYNC_X86_REGS;
	expect_halt(v);
	EQ(get_regs(v).rip, GPA_CODE + 1);
	EQ(get_regs(v).rbx, 0x77);
}

static void run_one_out(struct vcpu *v)
{
	expect_out(v, 0x80, 1, 0x44);
}

static void run_one_word(struct vcpu *v)
{
	expect_out(v, 0x80, 2, 0x3344);
}

TEST(run_from_changing_threads)
{
	struct vcpu *v = boot(0, &outs_of_each_size);
	struct runner r;

	runner_start(&r, v, run_one_out);
	runner_join(&r);
	runner_start(&r, v, run_one_word);
	runner_join(&r);
	expect_out(v, 0x80, 4, 0x11223344);
}

PAYLOAD(64, out_loop,
1:	inc %eax;
	out %eax, $0x80;
	jmp 1b;
)

TEST(run_on_changing_cpus)
{
	struct vcpu *v = boot(0, &out_loop);
	cpu_set_t all, one;
	unsigned int n = 0;

	sched_getaffinity(0, sizeof(all), &all);
	if (CPU_COUNT(&all) < 2)
		skip("one CPU");
	for (unsigned int i = 1; i <= 200; i++) {
		do {
			n = (n + 1) % CPU_SETSIZE;
		} while (!CPU_ISSET(n, &all));
		CPU_ZERO(&one);
		CPU_SET(n, &one);
		sched_setaffinity(0, sizeof(one), &one);
		expect_out(v, 0x80, 4, i);
	}
}

TEST(run_thousands_of_exits)
{
	struct vcpu *v = boot(0, &out_loop);

	for (unsigned int i = 1; i <= 3000; i++)
		expect_out(v, 0x80, 4, i);
}

/* The guest itself goes from real mode to protected and long mode. */
PAYLOAD(16, climb,
	mov $1, %al;
	out %al, $0x80;
	lgdtl %cs:climb_gdtr - climb_start;
	mov %cr0, %eax;
	or $1, %eax;
	mov %eax, %cr0;
	ljmpl $SEL_CODE32, $climb32 - climb_start + GPA_CODE;
	.code32;
climb32:
	mov $SEL_DATA, %eax;
	mov %eax, %ds;
	mov %eax, %ss;
	mov $2, %al;
	out %al, $0x80;
	mov $GPA_PML4, %eax;
	mov %eax, %cr3;
	mov %cr4, %eax;
	or $0x20, %eax;
	mov %eax, %cr4;
	mov $0xc0000080, %ecx;
	rdmsr;
	or $0x100, %eax;
	wrmsr;
	mov %cr0, %eax;
	or $0x80000000, %eax;
	mov %eax, %cr0;
	ljmp $SEL_CODE, $climb64 - climb_start + GPA_CODE;
	.code64;
climb64:
	mov $3, %al;
	out %al, $0x80;
	mov $0x1122334455667788, %rbx;
	hlt;
climb_gdtr:
	.word SEL_TSS + 15;
	.long GPA_GDT;
)

TEST(run_real_to_long_mode)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_sregs s;

	vcpu_start(v, &climb);
	expect_out(v, 0x80, 1, 1);
	expect_out(v, 0x80, 1, 2);
	CHECK(get_sregs(v).cs.db);
	expect_out(v, 0x80, 1, 3);
	s = get_sregs(v);
	EQ(s.efer & 0x500, 0x500);
	CHECK(s.cs.l);
	expect_halt(v);
	EQ(get_regs(v).rbx, 0x1122334455667788);
}
