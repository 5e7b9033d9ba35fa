// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VMM that stores what no CPU has: each call is refused, or what it stored
 * does no more than fail an entry. The host's log, which the lab looks at, and
 * a run right afterwards say that nothing else happened.
 */
#include "harness.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CR4_PCIDE (1ull << 17)
#define CR4_SMEP  (1ull << 20)
#define MSR_SPEC_CTRL 0x48

PAYLOAD(64, halts,
	hlt;
)

static void expect_some_exit(struct vcpu *v)
{
	long ret = vcpu_try_run(v);

	if (ret)
		fail("KVM_RUN says %s", strerror(-ret));
	switch (v->run->exit_reason) {
	case KVM_EXIT_HLT:
	case KVM_EXIT_IO:
	case KVM_EXIT_MMIO:
	case KVM_EXIT_DEBUG:
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_FAIL_ENTRY:
	case KVM_EXIT_INTERNAL_ERROR:
		return;
	default:
		fail("%s", describe_exit(v));
	}
}

static struct kvm_sregs good;	/* of the first start */

static struct vcpu *boot_good(const struct payload *p)
{
	struct vcpu *v = boot(0, p);

	good = get_sregs(v);
	return v;
}

/* As after a reset by a VMM. */
static void set_right(struct vcpu *v)
{
	struct kvm_guest_debug debug = { 0 };
	struct kvm_vcpu_events events = { 0 };
	struct kvm_debugregs dr = { .dr6 = 0xffff0ff0, .dr7 = 0x400 };

	OK(IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &debug));
	OK(IOCTL(v->fd, KVM_SET_DEBUGREGS, &dr));
	OK(IOCTL(v->fd, KVM_SET_SREGS, &good));
	vcpu_start(v, &halts);
	events.flags = KVM_VCPUEVENT_VALID_NMI_PENDING |
		       KVM_VCPUEVENT_VALID_SHADOW;
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &events));
}

static void still_runs_(struct vcpu *v)
{
	set_right(v);
	if (vcpu_run(v) != KVM_EXIT_HLT)
		fail("then %s", describe_exit(v));
	set_right(v);
}

#define still_runs(v) (here(__FILE__, __LINE__), still_runs_(v))

/* --- MSRs ---------------------------------------------------------------- */

/* Everything, but for what has a size: XSAVE's areas, address widths. */
static struct vcpu *with_all_features(void)
{
	struct vcpu *v = vcpu_bare(vm_new(0), 0);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	unsigned int i;

	for (i = 0; i < c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &c->entries[i];

		switch (e->function) {
		case 0x7:
			e->ebx = ~0u;
			/* fall through */
		case 0x1:
		case 0x80000001:
			e->ecx = ~0u;
			e->edx = ~0u;
			break;
		case 0x80000021:
			e->eax = ~0u;
			break;
		case 0x80000008:
			e->ebx = ~0u;
			break;
		}
	}
	find_cpuid(c, 7, 0)->eax = 2;
	if (!find_cpuid(c, 7, 2)) {
		c->entries[c->nent++] = (struct kvm_cpuid_entry2){
			.function = 7, .index = 2,
			.flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX, .edx = 0x3f,
		};
	}
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));
	vcpu_start(v, &halts);
	good = get_sregs(v);
	return v;
}

/* What software or hardware loads for the guest to see. */
static const uint32_t loaded_msrs[] = {
	MSR_SPEC_CTRL, 0x49, 0x10b,	/* and PRED_CMD, FLUSH_CMD */
	0x174, 0x175, 0x176,		/* SYSENTER */
	0x1d9, 0x277, 0xda0,		/* DEBUGCTL, PAT, XSS */
	0xc0000080,			/* EFER */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084,
	0xc0000100, 0xc0000101, 0xc0000102, 0xc0000103,
	0xc0000104, 0xc001011f,		/* TSC ratio, VIRT_SPEC_CTRL */
};

#define LOADED (sizeof(loaded_msrs) / sizeof(loaded_msrs[0]))

static uint64_t odd_value(unsigned int i)
{
	switch (i / 64) {
	case 0:
		return 1ull << i % 64;
	case 1:
		return ~0ull << i % 64;
	default:
		return 0x5a5a5a5a5a5a5a5a * (i + 1);
	}
}

TEST_LIMIT(msr_odd_values_by_the_vmm, 120)
{
	struct vcpu *v = with_all_features();

	for (unsigned int m = 0; m < LOADED; m++) {
		uint32_t msr = loaded_msrs[m];

		set_right(v);
		for (unsigned int i = 0; i < 132; i++)
			if (set_msr(v, msr, odd_value(i)) == 1)
				expect_some_exit(v);
		set_msr(v, msr, msr == 0x277 ? 0x0007040600070406 : 0);
		still_runs(v);
	}
}

PAYLOAD(64, write_and_read,
	mov %rax, %rdx;
	shr $32, %rdx;
	wrmsr;
	rdmsr;
	hlt;
)

TEST_LIMIT(msr_odd_values_by_the_guest, 120)
{
	struct vcpu *v = with_all_features();
	struct kvm_regs regs;

	for (unsigned int m = 0; m < LOADED; m++) {
		for (unsigned int i = 0; i < 132; i += 3) {
			vcpu_start(v, &write_and_read);
			regs = get_regs(v);
			regs.rcx = loaded_msrs[m];
			regs.rax = odd_value(i);
			set_regs(v, &regs);
			expect_some_exit(v);
		}
		set_msr(v, loaded_msrs[m], 0);
		set_msr(v, 0x277, 0x0007040600070406);
		still_runs(v);
	}
}

/*
 * A guest may be told of five-level paging where the CPU has four. LSTAR is
 * the one that guests on VT-x read from the CPU: with no value of theirs in it
 * they would read the host's.
 */
TEST(msr_address_wider_than_the_cpu)
{
	struct vcpu *v = with_all_features();
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	uint64_t wide = 1ull << 50;
	struct kvm_regs regs;

	if (find_cpuid(c, 7, 0)->ecx >> 16 & 1)
		skip("the CPU has five-level paging");
	EQ(set_msr(v, 0xc0000082, 0x1234), 1);
	EQ(set_msr(v, 0xc0000082, wide), 0);
	EQ(set_msr(v, 0xc0000102, wide), 0);
	vcpu_start(v, &halts);
	expect_halt(v);
	vcpu_start(v, &write_and_read);
	regs = get_regs(v);
	regs.rcx = 0xc0000082;
	regs.rax = 0x4321;
	set_regs(v, &regs);
	expect_halt(v);
	regs = get_regs(v);
	EQ(regs.rax | regs.rdx << 32, 0x4321);
}

/* --- system registers ---------------------------------------------------- */

static void try_sregs(struct vcpu *v, const struct kvm_sregs *s)
{
	long ret = IOCTL(v->fd, KVM_SET_SREGS, s);

	if (ret == -EINVAL)
		return;
	check_ok("KVM_SET_SREGS", ret);
	expect_some_exit(v);
	still_runs(v);
}

static unsigned int physical_bits(struct vcpu *v)
{
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);

	return find_cpuid(c, 0x80000008, 0)->eax & 0xff;
}

/*
 * Where the code is stays the same, as a guest that finds none may loop; and
 * SMEP would fault at each handler's first instruction, down the whole stack.
 */
TEST_LIMIT(state_odd_control_registers, 120)
{
	struct vcpu *v = boot_good(&halts);
	struct kvm_sregs s;

	for (unsigned int i = 0; i < 64; i++) {
		s = good;
		s.cr0 ^= 1ull << i;
		try_sregs(v, &s);
		s = good;
		s.cr4 ^= 1ull << i;
		if (!(s.cr4 & CR4_SMEP))
			try_sregs(v, &s);
		s = good;
		s.efer ^= 1ull << i;
		try_sregs(v, &s);
		s = good;
		s.cr8 ^= 1ull << i;
		try_sregs(v, &s);
		s = good;
		s.apic_base ^= 1ull << i;
		try_sregs(v, &s);
	}
	for (unsigned int i = physical_bits(v); i < 64; i++) {
		s = good;
		s.cr3 ^= 1ull << i;
		try_sregs(v, &s);
	}
}

TEST_LIMIT(state_odd_segments, 120)
{
	struct vcpu *v = boot_good(&halts);
	static const size_t segments[] = {
		offsetof(struct kvm_sregs, ds), offsetof(struct kvm_sregs, fs),
		offsetof(struct kvm_sregs, gs), offsetof(struct kvm_sregs, ss),
		offsetof(struct kvm_sregs, tr), offsetof(struct kvm_sregs, ldt),
	};
	struct kvm_segment *seg;
	struct kvm_sregs s;

	for (unsigned int i = 0; i < 6; i++) {
		for (unsigned int bit = 0; bit < 64; bit += 7) {
			s = good;
			seg = (void *)&s + segments[i];
			seg->base = ~0ull << bit;
			try_sregs(v, &s);
			seg->base = 1ull << bit;
			seg->limit = 1u << bit % 32;
			try_sregs(v, &s);
		}
		for (unsigned int type = 0; type < 256; type += 5) {
			s = good;
			seg = (void *)&s + segments[i];
			seg->type = type;
			seg->dpl = type >> 3;
			seg->s = type >> 2;
			seg->present = type >> 4;
			seg->unusable = type >> 5;
			try_sregs(v, &s);
		}
	}
	for (unsigned int bit = 0; bit < 64; bit++) {
		s = good;
		s.gdt.base = s.idt.base = 1ull << bit;
		try_sregs(v, &s);
	}
}

PAYLOAD(16, halts16,
	hlt;
)

/* From a snapshot of another machine: SDM vol. 3, 27.3.1.1. */
TEST(state_pcide_outside_long_mode)
{
	struct vcpu *v = boot(0, &halts16);
	struct kvm_sregs s = get_sregs(v);

	if (!(find_cpuid(supported_cpuid(v->vm->kvm), 1, 0)->ecx >> 17 & 1))
		skip("no PCID");
	skip_on_reference("the entry fails");
	s.cr4 |= CR4_PCIDE;
	OK(IOCTL(v->fd, KVM_SET_SREGS, &s));
	EQ(get_sregs(v).cr4 & CR4_PCIDE, CR4_PCIDE);
	expect_halt(v);
	EQ(get_sregs(v).cr4 & CR4_PCIDE, CR4_PCIDE);
}

/* --- RIP and RFLAGS ------------------------------------------------------ */

TEST(state_odd_flags)
{
	struct vcpu *v = boot_good(&halts);
	struct kvm_regs regs;

	for (unsigned int i = 0; i < 64; i++) {
		regs = get_regs(v);
		regs.rflags ^= 1ull << i;
		set_regs(v, &regs);
		expect_some_exit(v);
		still_runs(v);
		regs = get_regs(v);
		regs.rip |= 1ull << (i < 40 ? 40 : i);
		set_regs(v, &regs);
		expect_some_exit(v);
		still_runs(v);
	}
}

/* --- debugging ----------------------------------------------------------- */

TEST(state_odd_debug_registers)
{
	struct vcpu *v = boot_good(&halts);
	struct kvm_debugregs d = { 0 };

	for (unsigned int i = 0; i < 64; i++) {
		d = (struct kvm_debugregs){ .dr6 = 1ull << i };
		if (IOCTL(v->fd, KVM_SET_DEBUGREGS, &d) == 0)
			expect_some_exit(v);
		still_runs(v);
		d = (struct kvm_debugregs){ .dr7 = 1ull << i };
		d.db[i % 4] = 1ull << i | 1ull << 63;
		if (IOCTL(v->fd, KVM_SET_DEBUGREGS, &d) == 0)
			expect_some_exit(v);
		still_runs(v);
	}
}

TEST(state_odd_breakpoints_of_the_vmm)
{
	struct vcpu *v = boot_good(&halts);

	for (unsigned int i = 0; i < 64; i++) {
		struct kvm_guest_debug d = {
			.control = KVM_GUESTDBG_ENABLE |
				   KVM_GUESTDBG_USE_HW_BP,
			.arch.debugreg[0] = 1ull << i,
			.arch.debugreg[6] = ~0ull,
			.arch.debugreg[7] = 1ull << i | 1,
		};
		long ret = IOCTL(v->fd, KVM_SET_GUEST_DEBUG, &d);

		if (i < 32)
			check_ok("KVM_SET_GUEST_DEBUG", ret);
		if (ret == 0)
			expect_some_exit(v);
		still_runs(v);
	}
}

/* --- events -------------------------------------------------------------- */

static void try_events(struct vcpu *v, const struct kvm_vcpu_events *e)
{
	long ret = IOCTL(v->fd, KVM_SET_VCPU_EVENTS, e);

	if (ret == -EINVAL)
		return;
	check_ok("KVM_SET_VCPU_EVENTS", ret);
	expect_some_exit(v);
	still_runs(v);
}

TEST_LIMIT(state_odd_events, 120)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_EXCEPTION_PAYLOAD, .args = { 1 },
	};
	struct vcpu *v = boot_good(&halts);

	skip_on_reference("an event that fails an entry stays for the next");
	OK(IOCTL(v->vm->fd, KVM_ENABLE_CAP, &cap));
	for (unsigned int nr = 0; nr < 40; nr++)
		for (unsigned int i = 0; i < 8; i++) {
			struct kvm_vcpu_events e = {
				.flags = KVM_VCPUEVENT_VALID_SHADOW |
					 KVM_VCPUEVENT_VALID_PAYLOAD,
				.exception.nr = nr,
				.exception.injected = !(i & 4),
				.exception.pending = !!(i & 4),
				.exception.has_error_code = i & 1,
				.exception.error_code = i & 2 ? ~0u : 0,
				.exception_has_payload = !!(i & 4),
				.exception_payload = i & 2 ? ~0ull : 0,
				.interrupt.shadow = i,
			};

			try_events(v, &e);
		}
	for (unsigned int i = 0; i < 256; i++) {
		struct kvm_vcpu_events e = {
			.flags = KVM_VCPUEVENT_VALID_SHADOW |
				 KVM_VCPUEVENT_VALID_NMI_PENDING,
			.interrupt.injected = i & 1,
			.interrupt.soft = !!(i & 2),
			.interrupt.nr = i,
			.interrupt.shadow = i >> 2,
			.nmi.injected = !!(i & 16),
			.nmi.pending = i >> 4,
			.nmi.masked = !!(i & 32),
		};

		try_events(v, &e);
	}
}

/* A reserved error-code bit would fail the entry: SDM vol. 3, 27.3.1.3. */
TEST(state_event_error_code)
{
	struct kvm_vcpu_events e = {
		.exception = { .injected = 1, .nr = 13, .has_error_code = 1,
			       .error_code = 0xffff0018 },
	};
	struct vcpu *v = boot_good(&halts);

	skip_on_reference("the entry may fail");
	OK(IOCTL(v->fd, KVM_SET_VCPU_EVENTS, &e));
	expect_trap(v, 13);
	EQ(stack_word(v, 0), 0x18);
}

/* --- CPUID --------------------------------------------------------------- */

static uint32_t cpuid_word(const struct kvm_cpuid_entry2 *e, char reg)
{
	return reg == 'a' ? e->eax : reg == 'b' ? e->ebx :
	       reg == 'c' ? e->ecx : e->edx;
}

/* Is this flag in /proc/cpuinfo? */
static bool kernel_has(const char *flag)
{
	static char text[16384];
	size_t n = strlen(flag);
	const char *at;

	if (!text[0]) {
		FILE *f = fopen("/proc/cpuinfo", "r");

		CHECK(f);
		while (fgets(text, sizeof(text), f) &&
		       strncmp(text, "flags", 5))
			;
		fclose(f);
	}
	for (at = text; (at = strstr(at, flag)); at += n)
		if (at[-1] == ' ' && (at[n] == ' ' || at[n] == '\n'))
			return true;
	return false;
}

/*
 * What the host's kernel switched off, by itself or by clearcpuid=, is not
 * offered: guests would count on what is not done for them.
 */
TEST(cpuid_no_more_than_the_kernel)
{
	static const struct {
		const char *flag;
		uint32_t leaf, index;
		char reg;
		unsigned int bit;
	} flags[] = {
		{ "sse4_2", 0x1, 0, 'c', 20 }, { "aes", 0x1, 0, 'c', 25 },
		{ "mmx", 0x1, 0, 'd', 23 }, { "bmi2", 0x7, 0, 'b', 8 },
		{ "erms", 0x7, 0, 'b', 9 }, { "rdpid", 0x7, 0, 'c', 22 },
		{ "fsrm", 0x7, 0, 'd', 4 }, { "serialize", 0x7, 0, 'd', 14 },
		{ "flush_l1d", 0x7, 0, 'd', 28 },
		{ "avx_vnni", 0x7, 1, 'a', 4 },
		{ "xsaveopt", 0xd, 1, 'a', 0 },
		{ "xsavec", 0xd, 1, 'a', 1 }, { "abm", 0x80000001, 0, 'c', 5 },
		{ "sse4a", 0x80000001, 0, 'c', 6 },
		{ "nx", 0x80000001, 0, 'd', 20 },
		{ "mmxext", 0x80000001, 0, 'd', 22 },
		{ "fxsr_opt", 0x80000001, 0, 'd', 25 },
		{ "rdtscp", 0x80000001, 0, 'd', 27 },
		{ "clzero", 0x80000008, 0, 'b', 0 },
		{ "wbnoinvd", 0x80000008, 0, 'b', 9 },
		/* Intel's bit stands for three */
		{ "ibrs", 0x7, 0, 'd', 26 }, { "ibpb", 0x7, 0, 'd', 26 },
		{ "stibp", 0x7, 0, 'd', 27 }, { "ssbd", 0x7, 0, 'd', 31 },
		{ "ibpb", 0x80000008, 0, 'b', 12 },
		{ "ibrs", 0x80000008, 0, 'b', 14 },
		{ "stibp", 0x80000008, 0, 'b', 15 },
	};
	struct kvm_cpuid2 *c = supported_cpuid(vm_new(0)->kvm);
	unsigned int there = 0;

	for (unsigned int i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct kvm_cpuid_entry2 *e = find_cpuid(c, flags[i].leaf,
							flags[i].index);

		if (!e || !(cpuid_word(e, flags[i].reg) >> flags[i].bit & 1))
			continue;
		if (!kernel_has(flags[i].flag))
			fail("%s is offered", flags[i].flag);
		there++;
	}
	CHECK(there > 4);
}

TEST(cpuid_guest_physical_bits)
{
	struct kvm_cpuid2 *c = supported_cpuid(vm_new(0)->kvm);
	uint32_t sizes = find_cpuid(c, 0x80000008, 0)->eax;
	unsigned int phys = sizes & 0xff, guest = sizes >> 16 & 0xff;

	CHECK(guest <= phys);
	CHECK(guest >= 36 && (guest == phys || guest == 48));
}

static uint64_t feature_msr(int kvm, uint32_t index)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry e;
	} m = { .head.nmsrs = 1, .e.index = index };

	return IOCTL(kvm, KVM_GET_MSRS, &m) == 1 ? m.e.data : 0;
}

/* A VMM may pass on what is offered and write no MSR at all. */
TEST(msr_start_as_the_host)
{
	struct vcpu *v = boot(0, &halts);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);
	bool intel = find_cpuid(c, 0, 0)->ebx == 0x756e6547;

	EQ(get_msr(v, 0x8b), intel ? 0x100000000 : 0x1000065);
	if (find_cpuid(c, 7, 0)->edx >> 29 & 1)
		EQ(get_msr(v, 0x10a), feature_msr(v->vm->kvm, 0x10a));
}
