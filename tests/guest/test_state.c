// SPDX-License-Identifier: GPL-2.0-only
/*
 * A vCPU's state from outside: what a new vCPU holds, that whatever GET
 * gives SET takes and the next GET gives again, and what SET refuses.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

PAYLOAD(64, halts,
	hlt;
	hlt;
)

/* GET, SET, GET: twice the same bytes. */
static void round_trip_(int fd, unsigned long get, unsigned long set,
			size_t size)
{
	uint8_t *a = calloc(1, size), *b = calloc(1, size);

	check_ok("GET", IOCTL(fd, get, a));
	check_ok("SET", IOCTL(fd, set, a));
	check_ok("GET", IOCTL(fd, get, b));
	for (size_t i = 0; i < size; i++)
		if (a[i] != b[i])
			fail("byte %zu was %#x and is %#x", i, a[i], b[i]);
}

#define round_trip(...) (here(__FILE__, __LINE__), round_trip_(__VA_ARGS__))

TEST(state_round_trips)
{
	struct vcpu *v = vcpu_new(vm_new(VM_IRQCHIP), 0);

	round_trip(v->fd, KVM_GET_REGS, KVM_SET_REGS, sizeof(struct kvm_regs));
	round_trip(v->fd, KVM_GET_SREGS, KVM_SET_SREGS,
		   sizeof(struct kvm_sregs));
	round_trip(v->fd, KVM_GET_FPU, KVM_SET_FPU, sizeof(struct kvm_fpu));
	round_trip(v->fd, KVM_GET_XSAVE, KVM_SET_XSAVE,
		   sizeof(struct kvm_xsave));
	round_trip(v->fd, KVM_GET_XCRS, KVM_SET_XCRS, sizeof(struct kvm_xcrs));
	round_trip(v->fd, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
		   sizeof(struct kvm_debugregs));
	round_trip(v->fd, KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS,
		   sizeof(struct kvm_vcpu_events));
	round_trip(v->fd, KVM_GET_MP_STATE, KVM_SET_MP_STATE,
		   sizeof(struct kvm_mp_state));
	round_trip(v->fd, KVM_GET_LAPIC, KVM_SET_LAPIC,
		   sizeof(struct kvm_lapic_state));
}

static const struct kvm_segment reset_data = {
	.limit = 0xffff, .type = 3, .present = 1, .s = 1,
};

/* Type but for "accessed": both are seen after reset. */
static void check_segment_(const struct kvm_segment *a,
			   const struct kvm_segment *b)
{
	if (a->base != b->base || a->limit != b->limit ||
	    a->selector != b->selector || (a->type | 1) != (b->type | 1) ||
	    a->present != b->present || a->dpl != b->dpl || a->db != b->db ||
	    a->s != b->s || a->l != b->l || a->g != b->g)
		fail("selector %#x base %#llx limit %#x type %#x s %u db %u",
		     a->selector, a->base, a->limit, a->type, a->s, a->db);
}

#define check_segment(...)						\
	(here(__FILE__, __LINE__), check_segment_(__VA_ARGS__))

/* As after RESET: SDM volume 3, "Processor State After Reset"; APM 14.1.3. */
TEST(state_after_reset)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_regs regs = get_regs(v);
	struct kvm_sregs s = get_sregs(v);
	struct kvm_segment cs = reset_data, tr = reset_data;

	EQ(regs.rip, 0xfff0);
	EQ(regs.rflags, 2);
	EQ(regs.rax | regs.rbx | regs.rcx | regs.rsp | regs.r15, 0);
	cs.base = 0xffff0000;
	cs.selector = 0xf000;
	cs.type = 0xb;
	check_segment(&s.cs, &cs);
	check_segment(&s.ds, &reset_data);
	check_segment(&s.es, &reset_data);
	check_segment(&s.fs, &reset_data);
	check_segment(&s.gs, &reset_data);
	check_segment(&s.ss, &reset_data);
	tr.s = 0;
	s.tr.type &= ~8;		/* a busy TSS of 16 or of 32 bits */
	check_segment(&s.tr, &tr);
	tr.type = 2;
	check_segment(&s.ldt, &tr);
	EQ(s.gdt.limit, 0xffff);
	EQ(s.idt.limit, 0xffff);
	EQ(s.gdt.base | s.idt.base, 0);
	EQ(s.cr0, 0x60000010);
	EQ(s.cr2 | s.cr3 | s.cr4 | s.cr8 | s.efer, 0);
}

TEST(state_after_reset_with_lapic)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *bsp = vcpu_new(vm, 0), *ap = vcpu_new(vm, 1);
	struct kvm_lapic_state lapic;
	struct kvm_mp_state mp;

	EQ(get_sregs(bsp).apic_base, 0xfee00900);
	EQ(get_sregs(ap).apic_base, 0xfee00800);
	OK(IOCTL(bsp->fd, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_RUNNABLE);
	OK(IOCTL(ap->fd, KVM_GET_MP_STATE, &mp));
	EQ(mp.mp_state, KVM_MP_STATE_UNINITIALIZED);
	OK(IOCTL(ap->fd, KVM_GET_LAPIC, &lapic));
	EQ(*(uint32_t *)(lapic.regs + 0x20), 1u << 24);	/* ID */
	EQ(*(uint32_t *)(lapic.regs + 0x30) & 0xff, 0x14);
	EQ(*(uint32_t *)(lapic.regs + 0xe0), 0xffffffff); /* DFR */
	EQ(*(uint32_t *)(lapic.regs + 0xf0), 0xff);	/* SVR */
	EQ(*(uint32_t *)(lapic.regs + 0x320), 0x10000);	/* LVT timer */
	EQ(*(uint32_t *)(lapic.regs + 0x370), 0x10000);	/* LVT error */
}

TEST(state_other_registers_after_reset)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_debugregs d;
	struct kvm_xcrs x;

	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	EQ(d.db[0] | d.db[1] | d.db[2] | d.db[3], 0);
	EQ(d.dr6, 0xffff0ff0);
	EQ(d.dr7, 0x400);
	OK(IOCTL(v->fd, KVM_GET_XCRS, &x));
	EQ(x.nr_xcrs, 1);
	EQ(x.xcrs[0].value, 1);
	EQ(get_msr(v, 0x277), 0x0007040600070406);	/* PAT */
}

TEST(state_rflags_bit_one_is_fixed)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_regs regs = get_regs(v);

	regs.rflags = 0;
	set_regs(v, &regs);
	EQ(get_regs(v).rflags, 2);
	expect_halt(v);
}

TEST(state_sregs_round_trip_by_mode)
{
	static const unsigned int modes[] = { 16, 32, 64 };
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_sregs a, b;

	for (unsigned int i = 0; i < 3; i++) {
		vcpu_mode(v, modes[i]);
		a = get_sregs(v);
		OK(IOCTL(v->fd, KVM_SET_SREGS, &a));
		b = get_sregs(v);
		EQ(memcmp(&a, &b, sizeof(a)), 0);
	}
}

TEST(state_unusable_segments)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_sregs s = get_sregs(v);

	s.fs = (struct kvm_segment){ .unusable = 1, .base = 0x123456 };
	s.ldt = (struct kvm_segment){ .unusable = 1 };
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	s = get_sregs(v);
	EQ(s.fs.unusable, 1);
	EQ(s.ldt.unusable, 1);
	expect_halt(v);
}

PAYLOAD(64, vector_registers,
	movdqu %xmm5, GPA_DATA;
	fstpt GPA_DATA + 16;
	stmxcsr GPA_DATA + 32;
	fnstcw GPA_DATA + 36;
	mov $0x1234, %eax;
	movd %eax, %xmm6;
	fld1;
	hlt;
)

TEST(state_fpu_after_reset)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_fpu fpu;

	skip_on_reference("MXCSR reads 0 until the vCPU has run");
	OK(IOCTL(v->fd, KVM_GET_FPU, &fpu));
	EQ(fpu.mxcsr, 0x1f80);
	CHECK(fpu.fcw == 0x37f || fpu.fcw == 0x40);
}

TEST(state_fpu_reaches_the_guest)
{
	struct vcpu *v = boot(0, &vector_registers);
	struct kvm_fpu fpu;

	skip_on_reference("KVM_SET_FPU is lost before the first run");

	OK(IOCTL(v->fd, KVM_GET_FPU, &fpu));
	memset(fpu.xmm[5], 0x5a, 16);
	memcpy(fpu.fpr[0], "\0\0\0\0\0\0\0\xc0\x00\x40", 10);	/* 3.0 */
	fpu.ftwx = 1;
	fpu.fcw = 0x27f;
	fpu.mxcsr = 0x1fa0;
	OK(IOCTL(v->fd, KVM_SET_FPU, &fpu));
	expect_halt(v);
	EQ(ram64(v->vm, GPA_DATA), 0x5a5a5a5a5a5a5a5a);
	EQ(ram64(v->vm, GPA_DATA + 16), 0xc000000000000000);
	EQ(ram64(v->vm, GPA_DATA + 24) & 0xffff, 0x4000);
	EQ(ram64(v->vm, GPA_DATA + 32) & 0xffffffff, 0x1fa0);
	EQ(ram64(v->vm, GPA_DATA + 36) & 0xffff, 0x27f);
	OK(IOCTL(v->fd, KVM_GET_FPU, &fpu));
	EQ(*(uint32_t *)fpu.xmm[6], 0x1234);
	EQ(fpu.fpr[0][7], 0x80);				/* 1.0 */
}

TEST(state_xsave_reaches_the_guest)
{
	struct vcpu *v = boot(0, &vector_registers);
	struct kvm_xsave x;
	uint8_t *area = (uint8_t *)x.region;

	OK(IOCTL(v->fd, KVM_GET_XSAVE, &x));
	EQ(*(uint32_t *)(area + 24), 0x1f80);
	memset(area + 160 + 5 * 16, 0x66, 16);		/* XMM5 */
	area[512] |= 3;					/* XSTATE_BV */
	OK(IOCTL(v->fd, KVM_SET_XSAVE, &x));
	expect_halt(v);
	EQ(ram64(v->vm, GPA_DATA), 0x6666666666666666);
	OK(IOCTL(v->fd, KVM_GET_XSAVE, &x));
	EQ(*(uint32_t *)(area + 160 + 6 * 16), 0x1234);
	area[512 + 7] |= 0x40;			/* a state nobody has */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XSAVE, &x));
}

TEST(state_xsave2)
{
	struct vcpu *v = boot(0, &halts);
	size_t size = need_cap(v->vm, KVM_CAP_XSAVE2);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);

	CHECK(find_cpuid(c, 0xd, 0)->ecx <= size);
	round_trip(v->fd, KVM_GET_XSAVE2, KVM_SET_XSAVE, size);
}

TEST(state_xcrs)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_xcrs x = { .nr_xcrs = 1 };

	x.xcrs[0].value = 3;
	OK(IOCTL(v->fd, KVM_SET_XCRS, &x));
	OK(IOCTL(v->fd, KVM_GET_XCRS, &x));
	EQ(x.xcrs[0].value, 3);
	x.xcrs[0].value = 2;			/* SSE without x87 */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 0;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 5;			/* AVX without SSE */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 1ull << 62 | 1;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XCRS, &x));
	x.xcrs[0].value = 1;
	x.nr_xcrs = KVM_MAX_XCRS + 1;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XCRS, &x));
	x.nr_xcrs = 1;
	x.flags = 1;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_XCRS, &x));
}

PAYLOAD(64, debug_registers,
	mov %dr1, %rax;
	mov %dr6, %rbx;
	mov %dr7, %rcx;
	mov %rax, %rdx;
	inc %rdx;
	mov %rdx, %dr2;
	hlt;
)

TEST(state_debugregs)
{
	struct vcpu *v = boot(0, &debug_registers);
	struct kvm_debugregs d;
	struct kvm_regs regs;

	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	d.db[1] = 0x123456;
	d.dr6 = 0xffff4ff0;
	OK(IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
	expect_halt(v);
	regs = get_regs(v);
	EQ(regs.rax, 0x123456);
	EQ(regs.rbx, 0xffff4ff0);
	EQ(regs.rcx, 0x400);
	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	EQ(d.db[2], 0x123457);
	d.dr6 |= 1ull << 32;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	d.dr7 |= 1ull << 32;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
	OK(IOCTL(v->fd, KVM_GET_DEBUGREGS, &d));
	d.flags = 1;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_DEBUGREGS, &d));
}

TEST(state_events_flags)
{
	struct vcpu *v = boot(VM_IRQCHIP, &halts);
	struct kvm_vcpu_events e;

	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.exception.injected | e.interrupt.injected | e.nmi.injected, 0);
	EQ(e.flags & KVM_VCPUEVENT_VALID_PAYLOAD, 0);
	e.flags |= 1u << 31;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	e.flags |= KVM_VCPUEVENT_VALID_PAYLOAD;		/* not enabled */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	e.exception.injected = 1;
	e.exception.nr = 2;				/* NMI is none */
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	e.exception.nr = 32;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
}

TEST(state_events_keep_a_pending_nmi)
{
	struct vcpu *v = boot(VM_IRQCHIP, &halts);
	struct kvm_vcpu_events e;

	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	e.nmi.pending = 1;
	e.nmi.masked = 1;
	e.flags = KVM_VCPUEVENT_VALID_NMI_PENDING;
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	EQ(e.nmi.pending, 1);
	EQ(e.nmi.masked, 1);
}

TEST(state_events_inject_an_exception)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_vcpu_events e;

	OK(IOCTL(v->fd, KVM_GET_VCPU_EVENTS, &e));
	e.exception.injected = 1;
	e.exception.nr = 6;
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	expect_trap(v, 6);
	EQ(stack_word(v, 0), GPA_CODE);
}

TEST(state_mp_state_without_lapic)
{
	struct kvm_mp_state mp = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct vcpu *v = boot(0, &halts);

	OK(IOCTL(v->fd, KVM_SET_MP_STATE, &mp));
	mp.mp_state = KVM_MP_STATE_UNINITIALIZED;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_MP_STATE, &mp));
	expect_halt(v);
}

TEST(state_mp_state_with_lapic)
{
	static const uint32_t states[] = {
		KVM_MP_STATE_UNINITIALIZED, KVM_MP_STATE_HALTED,
		KVM_MP_STATE_INIT_RECEIVED, KVM_MP_STATE_RUNNABLE,
	};
	struct vcpu *v = boot(VM_IRQCHIP, &halts);
	struct kvm_mp_state mp;

	for (unsigned int i = 0; i < 4; i++) {
		mp.mp_state = states[i];
		OK(IOCTL(v->fd, KVM_SET_MP_STATE, &mp));
		mp.mp_state = 99;
		OK(IOCTL(v->fd, KVM_GET_MP_STATE, &mp));
		EQ(mp.mp_state, states[i]);
	}
	mp.mp_state = 99;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_MP_STATE, &mp));
}

TEST(state_lapic)
{
	struct vcpu *v = boot(VM_IRQCHIP, &halts);
	struct kvm_lapic_state a, b;

	OK(IOCTL(v->fd, KVM_GET_LAPIC, &a));
	*(uint32_t *)(a.regs + 0xf0) = 0x1ff;
	*(uint32_t *)(a.regs + 0x80) = 0x30;		/* TPR */
	*(uint32_t *)(a.regs + 0x350) = 0x700;		/* LVT0 ExtINT */
	*(uint32_t *)(a.regs + 0x360) = 0x400;		/* LVT1 NMI */
	*(uint32_t *)(a.regs + 0x220) = 1 << 1;		/* IRR: 0x41 */
	OK(IOCTL(v->fd, KVM_SET_LAPIC, &a));
	OK(IOCTL(v->fd, KVM_GET_LAPIC, &b));
	EQ(*(uint32_t *)(b.regs + 0xf0), 0x1ff);
	EQ(*(uint32_t *)(b.regs + 0x80), 0x30);
	EQ(*(uint32_t *)(b.regs + 0x350), 0x700);
	EQ(*(uint32_t *)(b.regs + 0x360), 0x400);
	EQ(*(uint32_t *)(b.regs + 0x220), 1 << 1);
	EQ(get_sregs(v).cr8, 3);
	v = boot(0, &halts);
	REFUSED(EINVAL, IOCTL(v->fd, KVM_GET_LAPIC, &a));
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_LAPIC, &a));
}

TEST(state_vapic_address)
{
	struct kvm_vapic_addr va = { .vapic_addr = 0 };
	struct vcpu *v = boot(VM_IRQCHIP, &halts);

	OK(IOCTL(v->fd, KVM_SET_VAPIC_ADDR, &va));
	v = boot(0, &halts);
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_VAPIC_ADDR, &va));
}

TEST(state_cpuid2)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm), *d;
	unsigned int n = c->nent;

	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	d = calloc(1, sizeof(*d) + 256 * sizeof(d->entries[0]));
	d->nent = n - 1;
	REFUSED(E2BIG, IOCTL(v->fd, KVM_GET_CPUID2, d));
	d->nent = 256;
	OK(IOCTL(v->fd, KVM_GET_CPUID2, d));
	EQ(d->nent, n);
	for (unsigned int i = 0; i < n; i++) {
		EQ(d->entries[i].function, c->entries[i].function);
		EQ(d->entries[i].index, c->entries[i].index);
	}
	c->nent = 257;
	REFUSED(E2BIG, IOCTL(v->fd, KVM_SET_CPUID2, c));
	c->nent = 0;
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
}

TEST(state_cpuid2_is_fixed_once_run)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);

	OK(IOCTL(v->fd, KVM_GET_CPUID2, c));
	expect_halt(v);
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	find_cpuid(c, 0x80000002, 0)->eax ^= 1;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_CPUID2, c));
	expect_halt(v);
}

PAYLOAD(16, halts16,
	hlt;
)

/* A vCPU has no CPUID until it is given one, and may run without. */
TEST(state_cpuid2_after_a_run_without)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	unsigned int n = c->nent;

	vcpu_start(v, &halts16);
	c->nent = 0;
	v->run->immediate_exit = 1;
	REFUSED(EINTR, vcpu_try_run(v));
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));

	v = vcpu_bare(vm_new(0), 0);
	vcpu_start(v, &halts16);
	v->run->immediate_exit = 1;
	REFUSED(EINTR, vcpu_try_run(v));
	c->nent = n;
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));	/* the guest saw nothing yet */

	v = vcpu_bare(vm_new(0), 0);
	vcpu_start(v, &halts16);
	expect_halt(v);
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_CPUID2, c));
	c->nent = 0;
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));	/* none, as before */
	OK(IOCTL(v->fd, KVM_SET_CPUID, c));
}

/* What VMMs write at reset, whatever the CPU model has. */
TEST(state_xcr0_of_reset)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	struct kvm_xcrs x = { .nr_xcrs = 1 };

	x.xcrs[0].value = 1;
	OK(IOCTL(v->fd, KVM_SET_XCRS, &x));
	find_cpuid(c, 1, 0)->ecx &= ~(1u << 26);	/* XSAVE */
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	OK(IOCTL(v->fd, KVM_SET_XCRS, &x));
}

TEST(state_translate)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_translation t = { .linear_address = GPA_DATA + 0x123 };

	OK(IOCTL(v->fd, KVM_TRANSLATE, &t));
	CHECK(t.valid);
	EQ(t.physical_address, GPA_DATA + 0x123);
	t.linear_address = 1ull << 40;
	OK(IOCTL(v->fd, KVM_TRANSLATE, &t));
	CHECK(!t.valid);
}

TEST(state_irqchip)
{
	struct kvm_irqchip a = { 0 }, b = { 0 };
	struct vm *vm = vm_new(VM_IRQCHIP);

	for (unsigned int i = 0; i < 3; i++) {
		a.chip_id = b.chip_id = i;
		OK(IOCTL(vm->fd, KVM_GET_IRQCHIP, &a));
		OK(IOCTL(vm->fd, KVM_SET_IRQCHIP, &a));
		OK(IOCTL(vm->fd, KVM_GET_IRQCHIP, &b));
		EQ(memcmp(&a.chip, &b.chip, sizeof(a.chip)), 0);
	}
	EQ(a.chip.ioapic.base_address, GPA_IOAPIC);
	EQ(a.chip.ioapic.redirtbl[0].fields.mask, 1);
	a.chip.ioapic.redirtbl[3].bits = 0x0000000000010042;
	OK(IOCTL(vm->fd, KVM_SET_IRQCHIP, &a));
	OK(IOCTL(vm->fd, KVM_GET_IRQCHIP, &b));
	EQ(b.chip.ioapic.redirtbl[3].bits, 0x0000000000010042);
	a.chip_id = 3;
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_GET_IRQCHIP, &a));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_IRQCHIP, &a));
	vm = vm_new(0);
	a.chip_id = 0;
	REFUSED(ENXIO, IOCTL(vm->fd, KVM_GET_IRQCHIP, &a));
	REFUSED(ENXIO, IOCTL(vm->fd, KVM_SET_IRQCHIP, &a));
}

TEST(state_pit)
{
	struct kvm_pit_config config = { 0 };
	struct kvm_pit_state2 a, b;
	struct vm *vm = vm_new(VM_PIT);

	OK(IOCTL(vm->fd, KVM_GET_PIT2, &a));
	a.channels[0].mode = 2;
	a.channels[0].count = 0x1234;
	a.channels[2].mode = 3;
	a.channels[2].count = 0x100;
	OK(IOCTL(vm->fd, KVM_SET_PIT2, &a));
	OK(IOCTL(vm->fd, KVM_GET_PIT2, &b));
	EQ(b.channels[0].mode, 2);
	EQ(b.channels[0].count, 0x1234);
	EQ(b.channels[2].mode, 3);
	EQ(b.channels[2].count, 0x100);
	REFUSED(EEXIST, IOCTL(vm->fd, KVM_CREATE_PIT2, &config));
	vm = vm_new(VM_IRQCHIP);
	REFUSED(ENXIO, IOCTL(vm->fd, KVM_GET_PIT2, &a));
	vm = vm_new(0);
	REFUSED(ENOENT, IOCTL(vm->fd, KVM_CREATE_PIT2, &config));
}

/* A running guest, taken apart and continued in another VM. */
PAYLOAD(64, long_sum,
	xor %eax, %eax;
	pxor %xmm1, %xmm1;
	mov $1, %edx;
	movq %rdx, %xmm2;
1:	inc %rax;
	paddq %xmm2, %xmm1;
	test $0xff, %al;
	jnz 1b;
	out %eax, $0x80;
	cmp $0x1000, %eax;
	jne 1b;
	movq %xmm1, %rbx;
	hlt;
)

static struct vcpu *moved(struct vcpu *from)
{
	struct vcpu *to = vcpu_new(vm_new(from->vm->flags), 0);
	struct kvm_vcpu_events events;
	struct kvm_regs regs;
	struct kvm_sregs sregs = get_sregs(from);
	struct kvm_xsave xsave;
	struct kvm_xcrs xcrs;

	from->run->immediate_exit = 1;
	REFUSED(EINTR, vcpu_try_run(from));
	regs = get_regs(from);
	OK(IOCTL(from->fd, KVM_GET_XSAVE, &xsave));
	OK(IOCTL(from->fd, KVM_GET_XCRS, &xcrs));
	OK(IOCTL(from->fd, KVM_GET_VCPU_EVENTS, &events));
	memcpy(to->vm->ram, from->vm->ram, GPA_END);
	OK(IOCTL(to->fd, KVM_SET_SREGS, &sregs));
	set_regs(to, &regs);
	OK(IOCTL(to->fd, KVM_SET_XSAVE, &xsave));
	OK(IOCTL(to->fd, KVM_SET_XCRS, &xcrs));
	OK(IOCTL(to->fd, KVM_SET_VCPU_EVENTS, &events));
	vm_free(from->vm);
	vcpu_free(from);
	return to;
}

TEST(state_move_to_another_vm)
{
	struct vcpu *v = boot(0, &long_sum);

	for (unsigned int i = 1; i <= 16; i++) {
		expect_out(v, 0x80, 4, i * 0x100);
		if (i % 5 == 0)
			v = moved(v);
	}
	expect_halt(v);
	EQ(get_regs(v).rbx, 0x1000);
}

TEST(state_nested)
{
	struct vcpu *v = boot(0, &halts);
	long size = need_cap(v->vm, KVM_CAP_NESTED_STATE);
	struct kvm_nested_state *n = calloc(1, size);

	n->size = size;
	OK(IOCTL(v->fd, KVM_GET_NESTED_STATE, n));
	CHECK(n->size >= 128 && n->size <= size);
	n->size = 64;
	REFUSED(E2BIG, IOCTL(v->fd, KVM_GET_NESTED_STATE, n));
	CHECK(n->size >= 128);
}
