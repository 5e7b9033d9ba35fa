// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory-mapped I/O: for each kind of instruction a guest may use on a
 * device's register, the accesses it must cause and what it must leave in
 * the registers. RBX holds the register's address throughout.
 */
#include "harness.h"

#include <string.h>
#include <sys/mman.h>

#define REG 0xd0000100		/* in GPA_MMIO */
#define VAL 0x1122334455667788

PAYLOAD(64, stores,
	mov $VAL, %rax;
	mov $REG, %ebx;
	mov %al, (%rbx);
	mov %ah, (%rbx);
	mov %ax, (%rbx);
	mov %eax, (%rbx);
	mov %rax, (%rbx);
	mov %rax, %r9;
	mov %r9b, 1(%rbx);
	mov %r9, 8(%rbx);
	movb $0x12, (%rbx);
	movw $0x1234, (%rbx);
	movl $0x12345678, (%rbx);
	movq $-2, (%rbx);
	movabs %eax, REG;
	movnti %rax, (%rbx);
	hlt;
)

TEST(mmio_stores)
{
	struct vcpu *v = boot(0, &stores);

	expect_write(v, REG, 1, 0x88);
	expect_write(v, REG, 1, 0x77);
	expect_write(v, REG, 2, 0x7788);
	expect_write(v, REG, 4, 0x55667788);
	expect_write(v, REG, 8, VAL);
	expect_write(v, REG + 1, 1, 0x88);
	expect_write(v, REG + 8, 8, VAL);
	expect_write(v, REG, 1, 0x12);
	expect_write(v, REG, 2, 0x1234);
	expect_write(v, REG, 4, 0x12345678);
	expect_write(v, REG, 8, -2ull);
	expect_write(v, REG, 4, 0x55667788);
	expect_write(v, REG, 8, VAL);
	expect_halt(v);
}

PAYLOAD(64, loads,
	mov $REG, %ebx;
	mov $-1, %rax;
	mov (%rbx), %al;
	out %eax, $0x80;
	mov (%rbx), %ah;
	out %eax, $0x80;
	mov (%rbx), %ax;
	out %eax, $0x80;
	mov (%rbx), %eax;
	shr $4, %rax;
	out %eax, $0x80;
	mov (%rbx), %r8;
	movabs REG, %eax;
	out %eax, $0x80;
	hlt;
)

TEST(mmio_loads)
{
	struct vcpu *v = boot(0, &loads);

	expect_read(v, REG, 1, 0x11);
	expect_out(v, 0x80, 4, 0xffffff11);
	expect_read(v, REG, 1, 0x22);
	expect_out(v, 0x80, 4, 0xffff2211);
	expect_read(v, REG, 2, 0x3344);
	expect_out(v, 0x80, 4, 0xffff3344);
	expect_read(v, REG, 4, 0x80000000);
	expect_out(v, 0x80, 4, 0x08000000);	/* the upper half is zero */
	expect_read(v, REG, 8, VAL);
	expect_read(v, REG, 4, 0x55667788);
	expect_out(v, 0x80, 4, 0x55667788);
	expect_halt(v);
	EQ(get_regs(v).r8, VAL);
}

PAYLOAD(64, extensions,
	mov $REG, %ebx;
	movzbl (%rbx), %eax;
	movzbq (%rbx), %rcx;
	movzwl (%rbx), %edx;
	movsbl (%rbx), %esi;
	movswq (%rbx), %rdi;
	movslq (%rbx), %r8;
	movsbw (%rbx), %r9w;
	hlt;
)

TEST(mmio_extending_loads)
{
	struct vcpu *v = boot(0, &extensions);
	struct kvm_regs r;

	expect_read(v, REG, 1, 0x80);
	expect_read(v, REG, 1, 0x81);
	expect_read(v, REG, 2, 0x8002);
	expect_read(v, REG, 1, 0x83);
	expect_read(v, REG, 2, 0x8004);
	expect_read(v, REG, 4, 0x80000005);
	expect_read(v, REG, 1, 0x86);
	expect_halt(v);
	r = get_regs(v);
	EQ(r.rax, 0x80);
	EQ(r.rcx, 0x81);
	EQ(r.rdx, 0x8002);
	EQ(r.rsi, 0xffffff83);
	EQ(r.rdi, 0xffffffffffff8004);
	EQ(r.r8, 0xffffffff80000005);
	EQ(r.r9, 0xff86);
}

PAYLOAD(64, updates,
	mov $REG, %ebx;
	mov $0x0f, %eax;
	and %eax, (%rbx);
	or %al, (%rbx);
	xor %rax, (%rbx);
	add %ax, (%rbx);
	sub %eax, (%rbx);
	stc;
	adc %eax, (%rbx);
	incl (%rbx);
	decb (%rbx);
	notl (%rbx);
	negw (%rbx);
	orl $0x80, (%rbx);
	andb $0xf0, (%rbx);
	addq $-1, (%rbx);
	shll $4, (%rbx);
	lock orl $1, (%rbx);
	hlt;
)

TEST(mmio_read_modify_write)
{
	static const struct {
		unsigned int len;
		uint64_t in, out;
	} steps[] = {
		{ 4, 0x12345678, 0x00000008 },	/* and */
		{ 1, 0xf0, 0xff },
		{ 8, 0xff00000000000001, 0xff0000000000000e },
		{ 2, 0xfff1, 0x0000 },		/* add */
		{ 4, 0x10, 0x01 },
		{ 4, 0x10, 0x20 },		/* adc with carry */
		{ 4, 0xffffffff, 0 },
		{ 1, 0x00, 0xff },
		{ 4, 0x0f0f0f0f, 0xf0f0f0f0 },
		{ 2, 1, 0xffff },
		{ 4, 0x01, 0x81 },
		{ 1, 0x5a, 0x50 },
		{ 8, 0, -1ull },
		{ 4, 0x12345678, 0x23456780 },	/* shl */
		{ 4, 0x10, 0x11 },
	};
	struct vcpu *v = boot(0, &updates);

	for (unsigned int i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		expect_read(v, REG, steps[i].len, steps[i].in);
		expect_write(v, REG, steps[i].len, steps[i].out);
	}
	expect_halt(v);
}

PAYLOAD(64, compares,
	mov $REG, %ebx;
	mov $5, %eax;
	cmp (%rbx), %eax;
	setl %cl;
	cmpb $7, (%rbx);
	sete %ch;
	testl $0x100, (%rbx);
	setnz %dl;
	add (%rbx), %eax;
	and (%rbx), %rax;
	btl $3, (%rbx);
	setc %dh;
	hlt;
)

TEST(mmio_operand_reads)
{
	struct vcpu *v = boot(0, &compares);
	struct kvm_regs r;

	expect_read(v, REG, 4, 6);
	expect_read(v, REG, 1, 7);
	expect_read(v, REG, 4, 0x100);
	expect_read(v, REG, 4, 0xff0);
	expect_read(v, REG, 8, 0xf0);
	expect_read(v, REG, 4, 8);
	expect_halt(v);
	r = get_regs(v);
	EQ(r.rcx, 0x0101);
	EQ(r.rdx, 0x0101);
	EQ(r.rax, 0xf0);		/* 5 + 0xff0 = 0xff5, and 0xf0 */
}

PAYLOAD(64, exchanges,
	mov $REG, %ebx;
	mov $0x11, %eax;
	xchg %eax, (%rbx);
	mov %eax, %esi;
	mov $0x33, %eax;
	mov $0x44, %ecx;
	lock cmpxchg %ecx, (%rbx);
	setz %dl;
	mov $0x55, %eax;
	xadd %eax, (%rbx);
	mov %eax, %edi;
	lock btsl $3, (%rbx);
	setc %dh;
	hlt;
)

TEST(mmio_exchanges)
{
	struct vcpu *v = boot(0, &exchanges);
	struct kvm_regs r;

	expect_read(v, REG, 4, 0x22);
	expect_write(v, REG, 4, 0x11);
	expect_read(v, REG, 4, 0x33);
	expect_write(v, REG, 4, 0x44);
	expect_read(v, REG, 4, 1);
	expect_write(v, REG, 4, 0x56);
	expect_read(v, REG, 4, 8);
	expect_write(v, REG, 4, 8);
	expect_halt(v);
	r = get_regs(v);
	EQ(r.rsi, 0x22);
	EQ(r.rdx & 0xffff, 0x0101);
	EQ(r.rdi, 1);
}

PAYLOAD(64, strings,
	mov $REG, %edi;
	mov $0x5a5b, %eax;
	mov $3, %ecx;
	rep stosw;
	mov $GPA_DATA, %esi;
	mov $REG, %edi;
	mov $2, %ecx;
	rep movsl;
	mov $REG, %esi;
	mov $GPA_DATA + 64, %edi;
	mov $2, %ecx;
	rep movsb;
	mov $REG, %esi;
	lodsq;
	hlt;
)

TEST(mmio_strings)
{
	struct vcpu *v = boot(0, &strings);
	const uint32_t words[] = { 0xaabbccdd, 0x11223344 };

	memcpy(v->vm->ram + GPA_DATA, words, sizeof(words));
	for (unsigned int i = 0; i < 3; i++)
		expect_write(v, REG + 2 * i, 2, 0x5a5b);
	expect_write(v, REG, 4, words[0]);
	expect_write(v, REG + 4, 4, words[1]);
	expect_read(v, REG, 1, 0x66);
	expect_read(v, REG + 1, 1, 0x77);
	expect_read(v, REG, 8, VAL);
	expect_halt(v);
	EQ(get_regs(v).rax, VAL);
	EQ(get_regs(v).rcx, 0);
	EQ(ram64(v->vm, GPA_DATA + 64), 0x7766);
}

PAYLOAD(64, stack_and_moves,
	mov $REG, %ebx;
	pushq (%rbx);
	pop %rax;
	push $0x77;
	popq (%rbx);
	mov $1, %ecx;
	test %ecx, %ecx;
	cmovnz (%rbx), %edx;
	seto (%rbx);
	mov %ds, (%rbx);
	hlt;
)

TEST(mmio_push_pop_and_others)
{
	struct vcpu *v = boot(0, &stack_and_moves);

	expect_read(v, REG, 8, VAL);
	expect_write(v, REG, 8, 0x77);
	expect_read(v, REG, 4, 0x99);
	expect_write(v, REG, 1, 0);
	expect_write(v, REG, 2, SEL_DATA);
	expect_halt(v);
	EQ(get_regs(v).rax, VAL);
	EQ(get_regs(v).rdx, 0x99);
}

PAYLOAD(64, sse_moves,
	mov $REG, %ebx;
	movdqu (%rbx), %xmm3;
	movdqu %xmm3, GPA_DATA;
	movups %xmm3, (%rbx);
	hlt;
)

/* Sixteen bytes are two exits, both needed to finish the instruction. */
TEST(mmio_sixteen_bytes)
{
	struct vcpu *v = boot(0, &sse_moves);

	expect_read(v, REG, 8, 0x1111111111111111);
	expect_read(v, REG + 8, 8, 0x2222222222222222);
	expect_write(v, REG, 8, 0x1111111111111111);
	expect_write(v, REG + 8, 8, 0x2222222222222222);
	expect_halt(v);
	EQ(ram64(v->vm, GPA_DATA), 0x1111111111111111);
	EQ(ram64(v->vm, GPA_DATA + 8), 0x2222222222222222);
}

PAYLOAD(64, across_pages,
	mov $GPA_MMIO + PAGE_SIZE - 3, %ebx;
	mov $VAL, %rax;
	mov %rax, (%rbx);
	mov (%rbx), %rcx;
	hlt;
)

TEST(mmio_across_pages)
{
	const uint64_t at = GPA_MMIO + PAGE_SIZE - 3;
	struct vcpu *v = boot(0, &across_pages);

	expect_write(v, at, 3, 0x667788);
	expect_write(v, at + 3, 5, 0x1122334455);
	expect_read(v, at, 3, 0xccbbaa);
	expect_read(v, at + 3, 5, 0x1100ffeedd);
	expect_halt(v);
	EQ(get_regs(v).rcx, 0x1100ffeeddccbbaa);
}

PAYLOAD(64, leaves_memory,
	mov $GPA_END - 4, %ebx;
	mov $VAL, %rax;
	mov %rax, (%rbx);
	mov (%rbx), %rcx;
	hlt;
)

TEST(mmio_half_in_memory)
{
	struct vcpu *v = boot(0, &leaves_memory);

	expect_write(v, GPA_END, 4, 0x11223344);
	expect_read(v, GPA_END, 4, 0xffeeddcc);
	expect_halt(v);
	EQ(ram64(v->vm, GPA_END - 8) >> 32, 0x55667788);
	EQ(get_regs(v).rcx, 0xffeeddcc55667788);
}

PAYLOAD(16, real_mode,
	mov $0xa000, %ax;
	mov %ax, %es;
	movw $0x1234, %es:0x10;
	mov %es:0x12, %eax;
	mov $0x20, %di;
	mov $2, %cx;
	cld;
	rep stosb;
	hlt;
)

TEST(mmio_in_real_mode)
{
	struct vcpu *v = boot(0, &real_mode);

	expect_write(v, GPA_HOLE + 0x10, 2, 0x1234);
	expect_read(v, GPA_HOLE + 0x12, 4, 0xcafebabe);
	expect_write(v, GPA_HOLE + 0x20, 1, 0xbe);
	expect_write(v, GPA_HOLE + 0x21, 1, 0xbe);
	expect_halt(v);
	EQ(get_regs(v).rax, 0xcafebabe);
}

PAYLOAD(32, protected_mode,
	mov $REG, %ebx;
	mov $2, %esi;
	movl $0x99, 4(%ebx, %esi, 8);
	mov %fs:(%ebx), %al;
	hlt;
)

TEST(mmio_in_protected_mode)
{
	struct vcpu *v = boot(0, &protected_mode);
	struct kvm_sregs s = get_sregs(v);

	s.fs.base = 0x1000;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	expect_write(v, REG + 20, 4, 0x99);
	expect_read(v, REG + 0x1000, 1, 0x31);
	expect_halt(v);
	EQ(get_regs(v).rax, 0x31);
}

PAYLOAD(64, addressing,
	mov $REG, %ebx;
	mov $4, %r12d;
	mov %eax, 0x10(%rbx, %r12, 4);
	mov %eax, %gs:8;
	mov %eax, -0x10(%ebx);
	hlt;
)

TEST(mmio_addressing)
{
	struct vcpu *v = boot(0, &addressing);
	struct kvm_sregs s = get_sregs(v);

	s.gs.base = REG;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	expect_write(v, REG + 0x20, 4, 0);
	expect_write(v, REG + 8, 4, 0);
	expect_write(v, REG - 0x10, 4, 0);
	expect_halt(v);
}

/* Between the two halves of a read-modify-write the vCPU is not elsewhere. */
TEST(mmio_immediate_exit_midway)
{
	struct vcpu *v = boot(0, &sse_moves);

	expect_read(v, REG, 8, 0x1111111111111111);
	expect_read(v, REG + 8, 8, 0x2222222222222222);
	v->run->immediate_exit = 1;
	EQ(vcpu_try_run(v), (uint64_t)-4);	/* EINTR */
	v->run->immediate_exit = 0;
	EQ(get_regs(v).rip, GPA_CODE + 9);
	expect_write(v, REG, 8, 0x1111111111111111);
}

PAYLOAD(64, fetch_far,
	mov $REG, %ebx;
	jmp far_part;
	.fill 0x1000 - (. - fetch_far_start) - 2, 1, 0x90;
far_part:
	movl $0x12345678, (%rbx);
	hlt;
)

/* The instruction's bytes lie on two pages of guest memory. */
TEST(mmio_instruction_across_pages)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct payload p = fetch_far;

	memcpy(v->vm->ram + GPA_CODE, p.start, p.end - p.start);
	p.end = p.start;
	vcpu_start(v, &p);
	expect_write(v, REG, 4, 0x12345678);
	expect_halt(v);
}
