// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs, CPUID, and time as the guest and the host see them.
 */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MSR_TSC		0x10
#define MSR_APIC_BASE	0x1b
#define MSR_TSC_ADJUST	0x3b
#define MSR_PAT		0x277
#define MSR_EFER	0xc0000080
#define MSR_LSTAR	0xc0000082
#define MSR_KERNEL_GS	0xc0000102
#define MSR_TSC_AUX	0xc0000103
#define MSR_KVM_WALL	0x4b564d00
#define MSR_KVM_TIME	0x4b564d01
#define MSR_KVM_STEAL	0x4b564d03

PAYLOAD(64, halts,
	hlt;
)

/* --- from the host ---------------------------------------------------- */

static struct kvm_msr_list *listed(struct vm *vm)
{
	struct kvm_msr_list *l = calloc(1, sizeof(*l) + 1024 * 4);

	l->nmsrs = 1024;
	OK(IOCTL(vm->kvm, KVM_GET_MSR_INDEX_LIST, l));
	return l;
}

TEST(msr_each_listed_reads_and_writes_back)
{
	struct vcpu *v = vcpu_new(vm_new(VM_IRQCHIP), 0);
	struct kvm_msr_list *l = listed(v->vm);

	for (unsigned int i = 0; i < l->nmsrs; i++) {
		uint64_t value = get_msr(v, l->indices[i]);

		if (set_msr(v, l->indices[i], value) != 1)
			fail("MSR %#x does not take its own value %#llx",
			     l->indices[i], (unsigned long long)value);
	}
}

TEST(msr_all_listed_in_one_call)
{
	struct vcpu *v = vcpu_new(vm_new(VM_IRQCHIP), 0);
	struct kvm_msr_list *l = listed(v->vm);
	struct kvm_msrs *m = calloc(1, sizeof(*m) +
				    l->nmsrs * sizeof(m->entries[0]));
	unsigned int n;

	m->nmsrs = l->nmsrs;
	for (unsigned int i = 0; i < l->nmsrs; i++)
		m->entries[i].index = l->indices[i];
	EQ(OK(IOCTL(v->fd, KVM_GET_MSRS, m)), l->nmsrs);
	n = OK(IOCTL(v->fd, KVM_SET_MSRS, m));
	if (n < l->nmsrs)
		fail("stopped at MSR %#x", l->indices[n]);
}

static const uint32_t plain_msrs[] = {
	0x174, 0x175, 0x176,			/* SYSENTER */
	0xc0000081, MSR_LSTAR, 0xc0000083, 0xc0000084, MSR_KERNEL_GS,
};

TEST(msr_values_stay)
{
	struct vcpu *v = boot(0, &halts);
	const unsigned int n = sizeof(plain_msrs) / sizeof(plain_msrs[0]);

	for (unsigned int i = 0; i < n; i++)
		EQ(set_msr(v, plain_msrs[i], 0x1000 + i), 1);
	expect_halt(v);
	for (unsigned int i = 0; i < n; i++)
		EQ(get_msr(v, plain_msrs[i]), 0x1000 + i);
}

TEST(msr_counts_up_to_the_first_failure)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e[3];
	} m = { .head.nmsrs = 3, .e = { { .index = MSR_LSTAR },
					{ .index = 0x12345678 },
					{ .index = MSR_PAT } } };
	struct vcpu *v = boot(0, &halts);

	EQ(IOCTL(v->fd, KVM_GET_MSRS, &m), 1);
	m.e[0].data = 0x4000;
	EQ(IOCTL(v->fd, KVM_SET_MSRS, &m), 1);
	EQ(get_msr(v, MSR_LSTAR), 0x4000);
	m.e[0].index = 0x12345678;
	EQ(IOCTL(v->fd, KVM_GET_MSRS, &m), 0);
	m.head.nmsrs = 0;
	EQ(IOCTL(v->fd, KVM_GET_MSRS, &m), 0);
}

TEST(msr_bad_values_refused)
{
	struct vcpu *v = boot(VM_IRQCHIP, &halts);

	EQ(set_msr(v, MSR_EFER, 1ull << 40), 0);
	EQ(set_msr(v, MSR_PAT, 0x0202020202020202), 0);
	EQ(set_msr(v, MSR_APIC_BASE, 1ull << 60), 0);
	EQ(set_msr(v, 0x2ff, 0x107), 0);	/* MTRRdefType: type 7 */
	EQ(get_msr(v, MSR_PAT), 0x0007040600070406);
}

/* What a firmware sets and a snapshot saves by CPUID rather than by list. */
TEST(msr_mtrrs)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);

	EQ(get_msr(v, 0xfe) & 0xff, 8);		/* MTRRcap: eight */
	EQ(set_msr(v, 0x2ff, 0x806), 1);
	EQ(get_msr(v, 0x2ff), 0x806);
	for (uint32_t i = 0x200; i < 0x210; i += 2) {
		EQ(set_msr(v, i, 0x80000006), 1);
		EQ(set_msr(v, i + 1, 0x0f80000800), 1);
		EQ(get_msr(v, i), 0x80000006);
		EQ(get_msr(v, i + 1), 0x0f80000800);
	}
	EQ(set_msr(v, 0x250, 0x0606060606060606), 1);
	EQ(get_msr(v, 0x250), 0x0606060606060606);
	EQ(set_msr(v, 0x268, 0x0606060606060602), 0);
}

TEST(msr_machine_check_banks)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);

	for (uint32_t i = 0x400; i < 0x400 + 4 * 10; i++)
		EQ(set_msr(v, i, get_msr(v, i)), 1);
	EQ(set_msr(v, 0x17a, get_msr(v, 0x17a)), 1);
}

/* --- in the guest ----------------------------------------------------- */

PAYLOAD(64, read_msr,
	rdmsr;
	shl $32, %rdx;
	or %rdx, %rax;
	mov %rax, %rbx;
	hlt;
)

PAYLOAD(64, write_msr,
	mov %rax, %rdx;
	shr $32, %rdx;
	wrmsr;
	hlt;
)

static void start_msr(struct vcpu *v, const struct payload *p, uint32_t index,
		      uint64_t value)
{
	struct kvm_regs regs;

	vcpu_start(v, p);
	regs = get_regs(v);
	regs.rcx = index;
	regs.rax = value;
	set_regs(v, &regs);
}

static void guest_writes_(struct vcpu *v, uint32_t index, uint64_t value)
{
	start_msr(v, &write_msr, index, value);
	expect_exit_(v, KVM_EXIT_HLT);
}

static uint64_t guest_reads_(struct vcpu *v, uint32_t index)
{
	start_msr(v, &read_msr, index, 0);
	expect_exit_(v, KVM_EXIT_HLT);
	return get_regs(v).rbx;
}

static void guest_faults_(struct vcpu *v, const struct payload *p,
			  uint32_t index, uint64_t value)
{
	start_msr(v, p, index, value);
	expect_out_(v, PORT_TRAP, 1, 13);
	if (stack_word(v, 0) != 0)
		fail("#GP with error code");
}

#define guest_writes(...) (here(__FILE__, __LINE__), guest_writes_(__VA_ARGS__))
#define guest_reads(...) (here(__FILE__, __LINE__), guest_reads_(__VA_ARGS__))
#define guest_faults(...) (here(__FILE__, __LINE__), guest_faults_(__VA_ARGS__))

TEST(msr_guest_and_host_agree)
{
	struct vcpu *v = boot(0, &halts);
	const unsigned int n = sizeof(plain_msrs) / sizeof(plain_msrs[0]);

	for (unsigned int i = 0; i < n; i++) {
		guest_writes(v, plain_msrs[i], 0x2000 + i);
		EQ(get_msr(v, plain_msrs[i]), 0x2000 + i);
		set_msr(v, plain_msrs[i], 0x3000 + i);
		EQ(guest_reads(v, plain_msrs[i]), 0x3000 + i);
	}
	guest_writes(v, MSR_PAT, 0x0106000701060007);
	EQ(get_msr(v, MSR_PAT), 0x0106000701060007);
	EQ(guest_reads(v, MSR_EFER), 0x500);
}

TEST(msr_unknown_is_gp)
{
	struct vcpu *v = boot(0, &halts);

	guest_faults(v, &read_msr, 0x12345678, 0);
	guest_faults(v, &write_msr, 0x12345678, 0);
}

TEST(msr_bad_values_are_gp)
{
	struct vcpu *v = boot(0, &halts);

	guest_faults(v, &write_msr, MSR_EFER, 1ull << 40);
	guest_faults(v, &write_msr, MSR_EFER, 0x400);	/* LME off in PG */
	guest_faults(v, &write_msr, MSR_PAT, 0x02);
	guest_faults(v, &write_msr, MSR_APIC_BASE, 1ull << 60);
	guest_faults(v, &write_msr, 0x2ff, 0x107);
	if (on_tcg())			/* takes any address there */
		return;
	guest_faults(v, &write_msr, MSR_LSTAR, 1ull << 63);
	guest_faults(v, &write_msr, MSR_KERNEL_GS, 1ull << 47);
}

/* Without CPUID bits: kernels ask, and some stop where they get #GP. */
TEST(msr_what_guests_touch)
{
	static const struct { uint32_t index; uint64_t value; } reads[] = {
		{ 0x0, 0 }, { 0x1, 0 }, { 0x17, 0 }, { 0x2a, 0 },
		{ 0x2c, 0x1000000 }, { 0x34, 0 }, { 0xc1, 0 },
		{ 0xcd, 3 }, { 0x11e, 0xbe702111 }, { 0x186, 0 },
		{ 0x198, 0x400000003e8 }, { 0x199, 0 }, { 0x1d9, 0 },
		{ 0x1db, 0 }, { 0x606, 0 }, { 0x611, 0 }, { 0x619, 0 },
		{ 0x639, 0 }, { 0x641, 0 },
	};
	static const uint32_t writes[] = {
		0x79, 0x8b, 0xc1, 0xc2, 0x11e, 0x186, 0x187,
	};
	struct vcpu *v = boot(0, &halts);

	for (unsigned int i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		if (guest_reads(v, reads[i].index) != reads[i].value)
			fail("MSR %#x", reads[i].index);
	for (unsigned int i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		guest_writes(v, writes[i], 0x5100c0);
	EQ(guest_reads(v, 0xc1), 0);
	EQ(guest_reads(v, 0x11e), 0xbe702111);
}

TEST(msr_what_guests_of_amd_touch)
{
	static const struct { uint32_t index; uint64_t value; } reads[] = {
		{ 0xc0010000, 0 }, { 0xc0010007, 0 },
		{ 0xc001001b, 0x20000000 }, { 0xc001001f, 0 },
		{ 0xc0010113, 0 }, { 0xc0010117, 0 }, { 0xc001102c, 0 },
	};
	static const uint32_t writes[] = {
		0xc0010000, 0xc0010004, 0xc001001b, 0xc001001f, 0xc0010020,
		0xc0010115, 0xc0011022, 0xc0011023, 0xc001102a, 0xc001102c,
	};
	struct vcpu *v = boot(0, &halts);

	if (find_cpuid(supported_cpuid(v->vm->kvm), 0, 0)->ebx != 0x68747541)
		skip("not AMD's");
	for (unsigned int i = 0; i < sizeof(reads) / sizeof(reads[0]); i++)
		if (guest_reads(v, reads[i].index) != reads[i].value)
			fail("MSR %#x", reads[i].index);
	for (unsigned int i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		guest_writes(v, writes[i], 0xffff);
	/* LS_CFG: what is found there passes for a mitigation */
	guest_faults(v, &read_msr, 0xc0011020, 0);
}

/* BTF and LBR, by a kernel that steps a process from branch to branch */
TEST(msr_debugctl)
{
	struct vcpu *v = boot(0, &halts);

	guest_writes(v, 0x1d9, 2);
	EQ(guest_reads(v, 0x1d9), 0);
	guest_writes(v, 0x1d9, 1);
	EQ(guest_reads(v, 0x1d9), 0);
	EQ(set_msr(v, 0x1d9, 2), 1);
	EQ(get_msr(v, 0x1d9), 0);
}

/* Firmware limits CPUID's leaves, switches turbo off, and looks at both. */
TEST(msr_misc_enable)
{
	struct vcpu *v = boot(0, &halts);
	uint64_t start = guest_reads(v, 0x1a0), want;

	for (unsigned int i = 0; i < 64; i++) {
		if (i == 7 || i == 11 || i == 12)	/* no counters */
			continue;
		want = start ^ 1ull << i;
		guest_writes(v, 0x1a0, want);
		EQ(guest_reads(v, 0x1a0), want);
	}
	guest_writes(v, 0x1a0, start ^ 1 << 7);
	EQ(guest_reads(v, 0x1a0), start);
}

PAYLOAD(64, cpuid_at_data,
	cpuid;
	mov %eax, GPA_DATA;
	mov %ebx, GPA_DATA + 4;
	mov %ecx, GPA_DATA + 8;
	mov %edx, GPA_DATA + 12;
	hlt;
)

static const uint32_t *guest_cpuid(struct vcpu *v, uint32_t leaf,
				   uint32_t subleaf)
{
	struct kvm_regs regs;

	vcpu_start(v, &cpuid_at_data);
	regs = get_regs(v);
	regs.rax = leaf | 0xdeadull << 32;
	regs.rcx = subleaf | 0xdeadull << 32;
	set_regs(v, &regs);
	expect_halt(v);
	EQ(get_regs(v).rax >> 32, 0);
	return (uint32_t *)(v->vm->ram + GPA_DATA);
}

TEST(cpuid_is_what_was_set)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	const uint32_t *r;

	find_cpuid(c, 0x80000002, 0)->ebx = 0x12345678;
	c->entries[c->nent++] = (struct kvm_cpuid_entry2){
		.function = 0x40000010, .eax = 11, .ebx = 22, .ecx = 33,
		.edx = 44,
	};
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	r = guest_cpuid(v, 0x80000002, 5);
	EQ(r[1], 0x12345678);
	r = guest_cpuid(v, 0x40000010, 0);
	EQ(r[0], 11);
	EQ(r[3], 44);
	r = guest_cpuid(v, 0x40000000, 0);
	EQ(r[1], 0x4b4d564b);
	r = guest_cpuid(v, 0, 0);
	EQ(r[0], find_cpuid(c, 0, 0)->eax);
	EQ(r[1], find_cpuid(c, 0, 0)->ebx);
}

/*
 * OS visible workarounds: of the first three a guest is told, so that it need
 * not go by the model: the two that HLT and ports would show, exits hide.
 */
TEST(msr_osvw)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);

	if (find_cpuid(c, 0, 0)->ecx != 0x444d4163)	/* cAMD */
		skip("AMD's");
	find_cpuid(c, 0x80000001, 0)->ecx |= 1 << 9;
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	CHECK(get_msr(v, 0xc0010140) >= 3);
	EQ(get_msr(v, 0xc0010141) & 6, 0);
}

TEST(cpuid_subleaves)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) +
				      8 * sizeof(c->entries[0]));
	const uint32_t *r;

	c->entries[0] = (struct kvm_cpuid_entry2){ .function = 0, .eax = 0xd };
	for (uint32_t i = 1; i < 4; i++)
		c->entries[i] = (struct kvm_cpuid_entry2){
			.function = 4, .index = i - 1,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.eax = 100 + i,
		};
	/* What long mode needs. */
	c->entries[4] = (struct kvm_cpuid_entry2){
		.function = 1, .edx = 0x178bfbff };
	c->entries[5] = (struct kvm_cpuid_entry2){
		.function = 0x80000001, .edx = 0x2193fbff };
	c->entries[6] = (struct kvm_cpuid_entry2){
		.function = 0x80000000, .eax = 0x80000008 };
	c->entries[7] = (struct kvm_cpuid_entry2){
		.function = 0x80000008, .eax = 0x3028 };
	c->nent = 8;
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	r = guest_cpuid(v, 4, 1);
	EQ(r[0], 102);
	r = guest_cpuid(v, 4, 2);
	EQ(r[0], 103);
	r = guest_cpuid(v, 4, 7);
	EQ(r[0], 0);
	r = guest_cpuid(v, 0x40000000, 0);	/* not given: not there */
	EQ(r[1], 0);
}

/* OSXSAVE shows CR4, whatever was set. */
TEST(cpuid_osxsave_follows_cr4)
{
	struct vcpu *v = vcpu_new(vm_new(0), 0);
	struct kvm_sregs s;
	struct kvm_regs regs;

	EQ(guest_cpuid(v, 1, 0)[2] >> 27 & 1, 0);
	vcpu_start(v, &cpuid_at_data);
	s = get_sregs(v);
	s.cr4 |= 1 << 18;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	regs = get_regs(v);
	regs.rax = 1;
	set_regs(v, &regs);
	expect_halt(v);
	EQ(*(uint32_t *)(v->vm->ram + GPA_DATA + 8) >> 27 & 1, 1);
}

PAYLOAD(64, set_xcr0,
	xor %ecx, %ecx;
	xor %edx, %edx;
	mov $3, %eax;
	xsetbv;
	xgetbv;
	out %al, $0x80;
	mov $2, %eax;
	xor %edx, %edx;
	xsetbv;
	hlt;
)

TEST(msr_xcr0_in_the_guest)
{
	struct vcpu *v = boot(0, &set_xcr0);
	struct kvm_sregs s = get_sregs(v);
	struct kvm_xcrs x;

	if (!(find_cpuid(supported_cpuid(v->vm->kvm), 1, 0)->ecx >> 26 & 1))
		skip("no XSAVE");
	s.cr4 |= 1 << 18;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	expect_out(v, 0x80, 1, 3);
	OK(IOCTL(v->fd, KVM_GET_XCRS, &x));
	EQ(x.xcrs[0].value, 3);
	expect_trap(v, 13);		/* SSE without x87 */
}

/* --- time ------------------------------------------------------------- */

PAYLOAD(64, tsc_goes_up,
	mov $1000, %ecx;
	xor %esi, %esi;
1:	rdtsc;
	shl $32, %rdx;
	or %rdx, %rax;
	cmp %rsi, %rax;
	jb 2f;
	mov %rax, %rsi;
	dec %ecx;
	jnz 1b;
2:	out %eax, $0x80;
	mov %rsi, %rbx;
	hlt;
)

TEST(tsc_is_monotonic)
{
	struct vcpu *v = boot(0, &tsc_goes_up);
	uint64_t before = get_msr(v, MSR_TSC), guest;

	vcpu_run(v);
	expect_halt(v);
	EQ(get_regs(v).rcx, 0);
	guest = get_regs(v).rbx;
	CHECK(before < guest && guest < get_msr(v, MSR_TSC));
}

TEST(tsc_set_by_the_host)
{
	struct vcpu *v = boot(0, &tsc_goes_up);
	const uint64_t t = 1ull << 50;

	EQ(set_msr(v, MSR_TSC, t), 1);
	vcpu_run(v);
	expect_halt(v);
	CHECK(get_regs(v).rbx >= t && get_regs(v).rbx < t + (1ull << 42));
	CHECK(get_msr(v, MSR_TSC) > get_regs(v).rbx);
}

TEST(tsc_adjust_in_the_guest)
{
	struct vcpu *v = boot(0, &halts);
	uint64_t before = guest_reads(v, MSR_TSC), after;

	EQ(guest_reads(v, MSR_TSC_ADJUST), 0);
	guest_writes(v, MSR_TSC_ADJUST, 1ull << 48);
	after = guest_reads(v, MSR_TSC);
	CHECK(after - before >= 1ull << 48 && after - before < 1ull << 49);
	guest_writes(v, MSR_TSC, 5);
	CHECK(guest_reads(v, MSR_TSC) < 1ull << 42);
}

TEST(tsc_khz)
{
	struct vcpu *v = boot(0, &halts);
	long khz = OK(IOCTL(v->fd, KVM_GET_TSC_KHZ, 0));

	CHECK(khz > 1000);
	OK(IOCTL(v->fd, KVM_SET_TSC_KHZ, khz));
	EQ(IOCTL(v->fd, KVM_GET_TSC_KHZ, 0), khz);
}

/* The highest frequency there is, in whatever is computed from it. */
TEST(tsc_khz_extreme)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	struct vcpu *v;

	need_cap(vm, KVM_CAP_TSC_CONTROL);	/* the hardware scales */
	need_cap(vm, KVM_CAP_VM_TSC_CONTROL);
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_TSC_KHZ, 0x7fffffff));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_TSC_KHZ, 0xffffffff));
	OK(IOCTL(vm->fd, KVM_SET_TSC_KHZ, 0x7ffffffe));
	v = vcpu_new(vm, 0);
	EQ(IOCTL(v->fd, KVM_GET_TSC_KHZ, 0), 0x7ffffffe);
	REFUSED(EINVAL, IOCTL(v->fd, KVM_SET_TSC_KHZ, 0xffffffff));
	set_msr(v, MSR_TSC, 1);
	set_msr(v, MSR_TSC, 0);
	vcpu_start(v, &halts);
	CHECK(get_msr(v, MSR_TSC) != 0);
}

TEST(tsc_offset_attribute)
{
	struct vcpu *v = boot(0, &halts);
	uint64_t offset = 0, again = 0;
	struct kvm_device_attr a = {
		.group = KVM_VCPU_TSC_CTRL, .attr = KVM_VCPU_TSC_OFFSET,
	};

	OK(IOCTL(v->fd, KVM_HAS_DEVICE_ATTR, &a));
	a.addr = (uintptr_t)&offset;
	OK(IOCTL(v->fd, KVM_GET_DEVICE_ATTR, &a));
	offset += 1ull << 45;
	OK(IOCTL(v->fd, KVM_SET_DEVICE_ATTR, &a));
	a.addr = (uintptr_t)&again;
	OK(IOCTL(v->fd, KVM_GET_DEVICE_ATTR, &a));
	EQ(again, offset);
	CHECK(get_msr(v, MSR_TSC) >= 1ull << 45);
	expect_halt(v);
}

TEST(clock_get_and_set)
{
	struct kvm_clock_data c, d;
	struct vm *vm = vm_new(0);
	long mask = need_cap(vm, KVM_CAP_ADJUST_CLOCK);

	memset(&c, 0xff, sizeof(c));
	OK(IOCTL(vm->fd, KVM_GET_CLOCK, &c));
	EQ(c.flags & ~mask, 0);
	CHECK(c.clock < 1000000000000ull);
	c = (struct kvm_clock_data){ .clock = 1ull << 60 };
	OK(IOCTL(vm->fd, KVM_SET_CLOCK, &c));
	OK(IOCTL(vm->fd, KVM_GET_CLOCK, &d));
	CHECK(d.clock >= c.clock && d.clock < c.clock + 100000000000ull);
	c.flags = KVM_CLOCK_TSC_STABLE | 1u << 30;
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_CLOCK, &c));
}

/* struct pvclock_vcpu_time_info, Documentation/virt/kvm/x86/msr.rst. */
struct pvclock {
	uint32_t version, pad;
	uint64_t tsc, system_time;
	uint32_t mul;
	int8_t shift;
	uint8_t flags, pad2[2];
};

TEST(kvmclock_page)
{
	struct vcpu *v = boot(0, &halts);
	struct pvclock *p = (struct pvclock *)(v->vm->ram + GPA_DATA + 0x100);
	struct kvm_clock_data c;
	uint64_t first;

	guest_writes(v, MSR_KVM_TIME, GPA_DATA + 0x101);
	EQ(guest_reads(v, MSR_KVM_TIME), GPA_DATA + 0x101);
	CHECK(p->version && !(p->version & 1));
	CHECK(p->mul);
	CHECK(p->tsc < get_msr(v, MSR_TSC));
	first = p->system_time;
	c = (struct kvm_clock_data){ .clock = 1ull << 60 };
	OK(IOCTL(v->vm->fd, KVM_SET_CLOCK, &c));
	vcpu_start(v, &halts);
	expect_halt(v);
	CHECK(p->system_time > first);
	CHECK(p->system_time >= 1ull << 59);
	EQ(p->version & 1, 0);
	guest_writes(v, MSR_KVM_TIME, 0);
}

TEST(kvmclock_wall_clock)
{
	struct vcpu *v = boot(0, &halts);
	uint32_t *wall = (uint32_t *)(v->vm->ram + GPA_DATA);

	guest_writes(v, MSR_KVM_WALL, GPA_DATA);
	CHECK(wall[0] && !(wall[0] & 1));
	CHECK(wall[1] > 0 || wall[2] > 0);
}

TEST(kvmclock_ctrl_without_clock)
{
	struct vcpu *v = boot(0, &halts);

	REFUSED(EINVAL, IOCTL(v->fd, KVM_KVMCLOCK_CTRL, 0));
	guest_writes(v, MSR_KVM_TIME, GPA_DATA + 1);
	OK(IOCTL(v->fd, KVM_KVMCLOCK_CTRL, 0));
	vcpu_start(v, &halts);
	expect_halt(v);
	/* Told once that the host stopped it. */
	EQ(((struct pvclock *)(v->vm->ram + GPA_DATA))->flags & 2, 2);
}

TEST(kvm_steal_time)
{
	struct vcpu *v = boot(0, &halts);
	uint32_t *version = (uint32_t *)(v->vm->ram + GPA_DATA + 8);

	if (!(find_cpuid(supported_cpuid(v->vm->kvm), 0x40000001, 0)->eax &
	      1 << 5))
		skip("no steal time");
	guest_writes(v, MSR_KVM_STEAL, GPA_DATA | 1);
	CHECK(!(*version & 1));
	guest_faults(v, &write_msr, MSR_KVM_STEAL, GPA_DATA | 0x11);
}
