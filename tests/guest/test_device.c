// SPDX-License-Identifier: GPL-2.0-only
/*
 * A device that is a small memory: what instructions do to it that are
 * misaligned, locked, half in memory, repeated, or a user program's. That each
 * access exits as it should is test_mmio.c's.
 */
#include "harness.h"

#include <errno.h>
#include <string.h>

#define DEV GPA_MMIO

static uint8_t dev[2 * PAGE_SIZE];
static unsigned int dev_reads, dev_writes;

static bool serve_mmio(struct vcpu *v)
{
	uint64_t at = v->run->mmio.phys_addr - DEV;

	if (v->run->exit_reason != KVM_EXIT_MMIO ||
	    at + v->run->mmio.len > sizeof(dev))
		return false;
	if (v->run->mmio.is_write) {
		dev_writes++;
		memcpy(dev + at, v->run->mmio.data, v->run->mmio.len);
	} else {
		dev_reads++;
		memcpy(v->run->mmio.data, dev + at, v->run->mmio.len);
	}
	return true;
}

/* Run until an exit that is none of the device's. */
static unsigned int serve(struct vcpu *v)
{
	do
		vcpu_run(v);
	while (serve_mmio(v));
	return v->run->exit_reason;
}

#define SERVED(v)							\
	do {								\
		here(__FILE__, __LINE__);				\
		if (serve(v) != KVM_EXIT_HLT)				\
			fail("not a halt but %s", describe_exit(v));	\
	} while (0)

/* ---- locked and misaligned ---- */

PAYLOAD(64, locked,
	xchg %eax, (%rbx);
	lock addl $3, (%rbx);
	lock xadd %rcx, (%rbx);
	mov %ecx, %esi;
	lock btsl $4, (%rbx);
	mov (%rbx), %eax;
	mov $0x1234, %edx;
	lock cmpxchg %edx, (%rbx);
	hlt;
)

static void check_locked(struct vcpu *v, uint64_t at, uint8_t *bytes)
{
	struct kvm_regs r;
	uint32_t now;

	vcpu_start(v, &locked);
	r = get_regs(v);
	r.rax = 0x70000000;
	r.rbx = at;
	r.rcx = 0x100;
	set_regs(v, &r);
	memset(bytes, 0, 8);
	SERVED(v);
	memcpy(&now, bytes, 4);
	EQ(now, 0x1234);
	r = get_regs(v);
	EQ(r.rsi, 0x70000003);
	EQ(r.rax, 0x70000113);
	EQ(r.rflags & 0x40, 0x40);
}

/* At any address of a device, as in memory. */
TEST(mmio_locked_misaligned)
{
	static const unsigned int at[] = { 8, 1, 2, 3, 61, 63, 0xffd, 0xfff };
	struct vcpu *v = boot(0, &locked);

	for (unsigned int i = 0; i < sizeof(at) / sizeof(at[0]); i++)
		check_locked(v, DEV + at[i], dev + at[i]);
}

PAYLOAD(64, locked_rom,
	xchg %ax, (%rbx);
	lock orl $2, 3(%rbx);
	hlt;
)

/* The same in memory that the guest may only read: it reads, the VMM writes. */
TEST(mmio_locked_read_only)
{
	struct vcpu *v = boot(0, &locked_rom);
	uint8_t *rom = host_pages(PAGE_SIZE);
	struct kvm_regs r = get_regs(v);

	rom[1] = 0x34;
	rom[2] = 0x12;
	rom[4] = 0x50;
	OK(vm_set_slot(v->vm, &(struct slot){
		.slot = SLOT_FREE, .flags = KVM_MEM_READONLY, .gpa = GPA_FREE,
		.size = PAGE_SIZE, .hva = rom,
	}));
	r.rbx = GPA_FREE + 1;
	r.rax = 0x5678;
	set_regs(v, &r);
	expect_write(v, GPA_FREE + 1, 2, 0x5678);
	expect_write(v, GPA_FREE + 4, 4, 0x52);
	expect_halt(v);
	EQ(get_regs(v).rax & 0xffff, 0x1234);
}

PAYLOAD(64, half_memory,
	mov $GPA_END - 4, %ebx;
	incq (%rbx);
	lock incq (%rbx);
	hlt;
)

/* What is memory is changed once, though the instruction takes three turns. */
TEST(mmio_half_memory_once)
{
	struct vcpu *v = boot(0, &half_memory);

	memset(v->vm->ram + GPA_END - 4, 0xff, 4);
	expect_read(v, GPA_END, 4, 7);
	expect_write(v, GPA_END, 4, 8);
	expect_read(v, GPA_END, 4, 8);
	EQ(ram64(v->vm, GPA_END - 8) >> 32, 0);
	expect_write(v, GPA_END, 4, 8);
	expect_halt(v);
	EQ(ram64(v->vm, GPA_END - 8) >> 32, 1);
}

/* ---- strings ---- */

PAYLOAD(64, ins_to_device,
	mov $0x1f0, %edx;
	mov $DEV + 1, %edi;
	mov $6, %ecx;
	rep insw;
	insb;
	hlt;
)

/* Each item is read once and written once. */
TEST(mmio_ins)
{
	struct vcpu *v = boot(0, &ins_to_device);
	unsigned int bytes = 0;

	skip_on_reference("they lose some of the writes");
	while (serve(v) == KVM_EXIT_IO) {
		uint8_t *to = (uint8_t *)v->run + v->run->io.data_offset;
		unsigned int n = v->run->io.size * v->run->io.count;

		EQ(v->run->io.direction, KVM_EXIT_IO_IN);
		EQ(v->run->io.port, 0x1f0);
		while (n--)
			*to++ = ++bytes;
	}
	EQ(v->run->exit_reason, KVM_EXIT_HLT);
	EQ(bytes, 13);
	EQ(dev_writes, 7);
	EQ(dev_reads, 0);
	for (unsigned int i = 0; i < 13; i++)
		EQ(dev[1 + i], i + 1);
	EQ(get_regs(v).rcx, 0);
	EQ(get_regs(v).rdi, DEV + 14);
}

PAYLOAD(64, copy_on_device,
	mov $DEV, %esi;
	mov $DEV + 0x100, %edi;
	mov $20, %ecx;
	rep movsb;
	mov $DEV + 3, %esi;
	mov $GPA_DATA, %edi;
	mov $3, %ecx;
	rep movsq;
	hlt;
)

TEST(mmio_copies)
{
	struct vcpu *v = boot(0, &copy_on_device);

	for (unsigned int i = 0; i < 64; i++)
		dev[i] = i + 1;
	SERVED(v);
	EQ(memcmp(dev, dev + 0x100, 20), 0);
	EQ(dev[0x100 + 20], 0);
	EQ(memcmp(v->vm->ram + GPA_DATA, dev + 3, 24), 0);
	EQ(dev_writes, 20);
	EQ(dev_reads, 23);
}

PAYLOAD(64, outs_to_ring,
	mov $0x500, %edx;
	mov $GPA_DATA, %esi;
	mov $8, %ecx;
	rep outsb;
	hlt;
)

/* The ring of delayed writes fills up in the middle: no byte goes twice. */
TEST(mmio_outs_ring_full)
{
	struct vcpu *v = boot(0, &outs_to_ring);
	struct kvm_coalesced_mmio_zone zone = { .addr = 0x500, .size = 1,
						.pio = 1 };
	struct kvm_coalesced_mmio_ring *ring;
	unsigned int n = 0;

	need_cap(v->vm, KVM_CAP_COALESCED_PIO);
	ring = (void *)((uint8_t *)v->run + PAGE_SIZE *
			OK(IOCTL(v->vm->fd, KVM_CHECK_EXTENSION,
				 KVM_CAP_COALESCED_MMIO)));
	OK(IOCTL(v->vm->fd, KVM_REGISTER_COALESCED_MMIO, &zone));
	/* three places */
	ring->last = KVM_COALESCED_MMIO_MAX - 2;
	ring->first = 2;
	for (unsigned int i = 0; i < 8; i++)
		v->vm->ram[GPA_DATA + i] = i + 1;
	while (vcpu_run(v) == KVM_EXIT_IO) {
		const uint8_t *p = (uint8_t *)v->run + v->run->io.data_offset;

		EQ(v->run->io.size, 1);
		if (!n)
			for (unsigned int i = 0; i < 3; i++, n++)
				EQ(ring->coalesced_mmio[(KVM_COALESCED_MMIO_MAX -
					2 + i) % KVM_COALESCED_MMIO_MAX].data[0],
				   n + 1);
		for (unsigned int i = 0; i < v->run->io.count; i++)
			EQ(*p++, ++n);
	}
	EQ(v->run->exit_reason, KVM_EXIT_HLT);
	EQ(n, 8);
}

/* ---- what a user program may do ---- */

/* Ring 3, at the page's start, all registers that may be addresses at @at */
static void start_user(struct vcpu *v, uint64_t at)
{
	struct kvm_sregs s;
	struct kvm_regs r = {
		.rax = 1, .rcx = 3, .rdx = 0x80,
		.rbx = at, .rsi = at, .rdi = at, .rbp = at,
		.r8 = at, .r9 = at, .r10 = at, .r11 = at,
		.rip = GPA_CODE, .rsp = GPA_STACK + 0x3800, .rflags = 0x3202,
	};

	vcpu_mode(v, 64);
	s = get_sregs(v);
	s.cs.selector = SEL_UCODE;
	s.cs.dpl = 3;
	s.ss.selector = SEL_UDATA;
	s.ss.dpl = 3;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	set_regs(v, &r);
}

PAYLOAD(64, deep_enter,
	mov %rbx, %rsp;
	enter $0, $31;
)

/* More accesses than anyone emulates: the program's fault, not the VM's end. */
TEST(mmio_user_enter)
{
	struct vcpu *v = boot(0, &deep_enter);

	start_user(v, DEV + 0x800);
	EQ(serve(v), KVM_EXIT_IO);
	EQ(v->run->io.port, PORT_TRAP);
	EQ(((uint8_t *)v->run)[v->run->io.data_offset], 6);
}

/* Run @code, one instruction, in ring 3, until it has ended somehow. */
static void try_user(struct vcpu *v, const uint8_t *code, uint64_t at)
{
	long r;

	/* INT3 all around: wherever it goes on, that traps. */
	memset(v->vm->ram + GPA_CODE, 0xcc, PAGE_SIZE);
	memcpy(v->vm->ram + GPA_CODE, code, 15);
	start_user(v, at);
	for (unsigned int i = 0; i < 40; i++) {
		r = vcpu_try_run(v);
		if (r == -EINTR)
			continue;
		if (r < 0)
			fail("%02x %02x %02x %02x at %#llx: %s", code[0],
			     code[1], code[2], code[3],
			     (unsigned long long)at, strerror(-r));
		if (serve_mmio(v) || v->run->exit_reason == KVM_EXIT_MMIO)
			continue;
		if (v->run->exit_reason != KVM_EXIT_IO)
			fail("%02x %02x %02x %02x at %#llx: %s", code[0],
			     code[1], code[2], code[3],
			     (unsigned long long)at, describe_exit(v));
		if (v->run->io.port == PORT_TRAP)
			return;
	}
}

/*
 * Each opcode that has an operand in memory, on a device, misaligned and across
 * its pages, and half in memory: it does something, or faults. What the VMM
 * would have to end the VM for is none of a user program's to bring about.
 */
static void try_map(struct vcpu *v, const uint8_t *map, unsigned int n)
{
	static const uint64_t places[] = {
		DEV + 0x11, DEV + PAGE_SIZE - 3, GPA_END - 1,
	};
	/* LOCK is of use with these; others it makes #UD */
	static const uint8_t prefix[] = { 0x90, 0x66, 0xf0, 0x48 };
	uint8_t code[16] = { 0 };

	memset(dev, 0xff, sizeof(dev));
	for (unsigned int op = 0; op < 256; op++)
		for (unsigned int p = 0; p < sizeof(prefix); p++) {
			unsigned int at = 0;

			if (prefix[p] != 0x90)
				code[at++] = prefix[p];
			memcpy(code + at, map, n);
			code[at + n] = op;
			/* (RBX), and a register or extension that changes */
			code[at + n + 1] = 3 | (op * 5 + p) % 8 << 3;
			memset(code + at + n + 2, 1, 4);
			try_user(v, code, places[(op + p) % 3]);
		}
}

TEST(mmio_user_opcodes)
{
	struct vcpu *v = boot(0, &deep_enter);

	try_map(v, NULL, 0);
}

TEST(mmio_user_opcodes_0f)
{
	struct vcpu *v = boot(0, &deep_enter);

	skip_on_reference("SGDT to a device does not end there");
	try_map(v, (const uint8_t []){ 0x0f }, 1);
}

/* ---- breakpoints on what is emulated ---- */

PAYLOAD(64, watched,
	mov $DEV, %ebx;
	mov $GPA_DATA, %edi;
	mov $0x81, %edx;
	mov %eax, (%rbx);
	incl (%rbx);
	mov 2(%rbx), %cl;
	mov %eax, 4(%rbx);
	insb;
	insb;
	out %al, $0x80;
	in $0x80, %al;
	mov $GPA_DATA, %esi;
	outsb;
	hlt;
)

static uint64_t take_db(struct vcpu *v)
{
	struct kvm_debugregs d;

	here(__FILE__, __LINE__);
	if (serve(v) != KVM_EXIT_IO || v->run->io.port != PORT_IRQ)
		fail("no #DB but %s", describe_exit(v));
	EQ(((uint8_t *)v->run)[v->run->io.data_offset], 1);
	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	return d.dr6 & 0x400f;
}

static void set_debug(struct vcpu *v, const struct kvm_debugregs *d)
{
	struct kvm_sregs s = get_sregs(v);

	s.cr4 |= 8;			/* DE */
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	OK(IOCTL(v->fd, KVM_SET_DEBUGREGS, d));
	vm_set_isr(v->vm, 1, ISR_PLAIN);
}

/* A breakpoint traps behind the access, though the CPU did not make it. */
TEST(mmio_watched)
{
	struct vcpu *v = boot(0, &watched);

	skip_on_reference("they have no breakpoints on what they emulate");
	/* DR0: DEV, 4 bytes, any; DR1: port 80h; DR2: GPA_DATA, written */
	set_debug(v, &(struct kvm_debugregs){
		.db = { DEV, 0x80, GPA_DATA }, .dr6 = 0xffff0ff0,
		.dr7 = 0x400 | 0xf << 16 | 2 << 20 | 1 << 24 | 0x15,
	});
	EQ(take_db(v), 1);
	EQ(take_db(v), 1);
	EQ(dev_writes, 2);
	EQ(take_db(v), 1);
	expect_write(v, DEV + 4, 4, 0);
	expect_in(v, 0x81, 1, 0x12);
	EQ(take_db(v), 4);
	EQ(v->vm->ram[GPA_DATA], 0x12);
	expect_in(v, 0x81, 1, 0x34);
	expect_out(v, 0x80, 1, 0);
	EQ(take_db(v), 2);
	expect_in(v, 0x80, 1, 0);
	EQ(take_db(v), 2);
	expect_out(v, 0x81, 1, 0x12);	/* read, and that is not watched */
	expect_halt(v);
}

PAYLOAD(64, stepped,
	mov $DEV, %edi;
	mov $3, %ecx;
	pushf;
	orl $0x100, (%rsp);
	popf;
	rep stosb;
	mov $DEV, %esi;
	lodsw;
	hlt;
)

/* With the trap flag each iteration of a repetition traps. */
TEST(mmio_stepped)
{
	struct vcpu *v = boot(0, &stepped);

	skip_on_reference("a repetition traps at its end only");
	set_debug(v, &(struct kvm_debugregs){ .dr6 = 0xffff0ff0, .dr7 = 0x400 });
	for (unsigned int i = 2; i < 4; i--) {
		EQ(take_db(v), 0x4000);
		EQ(get_regs(v).rcx, i);
		EQ(dev_writes, 3 - i);
	}
	EQ(take_db(v), 0x4000);		/* MOV */
	EQ(take_db(v), 0x4000);		/* LODSW */
	EQ(dev_reads, 1);
	expect_halt(v);
}

PAYLOAD(64, stack_segment,
	mov $DEV, %ebx;
	pushf;
	orl $0x100, (%rsp);
	popf;
	mov (%rbx), %ss;
	mov $0x55, %esi;
	nop;
	hlt;
)

/* Loading SS keeps the trap off for one more instruction. */
TEST(mmio_stepped_stack_segment)
{
	struct vcpu *v = boot(0, &stack_segment);

	skip_on_reference("it traps at once");
	set_debug(v, &(struct kvm_debugregs){ .dr6 = 0xffff0ff0, .dr7 = 0x400 });
	dev[0] = SEL_DATA;
	EQ(take_db(v), 0x4000);
	EQ(get_regs(v).rsi, 0x55);
	EQ(take_db(v), 0x4000);
	expect_halt(v);
}

/* ---- x87 and MMX ---- */

PAYLOAD(64, mmx,
	mov $DEV, %ebx;
	fninit;
	movq (%rbx), %mm1;
	movq %mm1, 8(%rbx);
	movd 4(%rbx), %mm2;
	movd %mm2, 16(%rbx);
	movntq %mm1, 24(%rbx);
	emms;
	fnstcw 32(%rbx);
	fld1;
	fnstsw 34(%rbx);
	fldcw ones(%rip);
	fldz;
	fdivrp;
	movq (%rbx), %mm0;
	hlt;
ones:
	.word 0x37b;
)

/* As in memory; what waits to be raised is raised. */
TEST(mmio_mmx)
{
	struct vcpu *v = boot(0, &mmx);
	uint16_t words[2];

	skip_on_reference("they do not do all of these");
	for (unsigned int i = 0; i < 8; i++)
		dev[i] = i + 1;
	EQ(serve(v), KVM_EXIT_IO);
	EQ(v->run->io.port, PORT_TRAP);
	EQ(((uint8_t *)v->run)[v->run->io.data_offset], 16);
	EQ(memcmp(dev + 8, dev, 8), 0);
	EQ(memcmp(dev + 16, dev + 4, 4), 0);
	EQ(memcmp(dev + 24, dev, 8), 0);
	memcpy(words, dev + 32, 4);
	EQ(words[0], 0x37f);
	EQ(words[1], 0x3800);		/* TOP is 7 */
}

/* ---- pages that the guest's CPUID does not have ---- */

PAYLOAD(64, hidden_pages,
	mov $DEV, %ebx;
	incl (%rbx);
	mov $0x5000000100, %rbx;
	incl (%rbx);
	hlt;
)

/* The CPU's walk asks the CPU, so ours does. */
TEST(mmio_pages_not_in_cpuid)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	struct kvm_cpuid_entry2 *e = find_cpuid(c, 0x80000001, 0);
	uint64_t *pdpt = (uint64_t *)(v->vm->ram + GPA_PDPT);

	if (!(e->edx & 1u << 26))
		skip("no 1 GiB pages");
	e->edx &= ~(1u << 26);
	e = find_cpuid(c, 0x80000008, 0);
	if ((e->eax & 0xff) < 39)
		skip("a CPU of %u bits", e->eax & 0xff);
	e->eax = (e->eax & ~0xffu) | 36;
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	vcpu_start(v, &hidden_pages);
	pdpt[3] = 0xc0000000 | 0xe7;
	/* 5000000000h to 4000000000h, whose address bit 38 is not the guest's */
	pdpt[0x140] = 0x4000000000 | 0xe7;
	expect_read(v, DEV, 4, 1);
	expect_write(v, DEV, 4, 2);
	expect_read(v, 0x4000000100, 4, 3);
	expect_write(v, 0x4000000100, 4, 4);
	expect_halt(v);
}
