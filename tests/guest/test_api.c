// SPDX-License-Identifier: GPL-2.0-only
/*
 * The API's frame: versions, capabilities, the list protocols, what is
 * refused and with which errno, and the life of the file descriptors.
 */
#include "harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

PAYLOAD(64, just_halt,
	hlt;
)

static int open_kvm(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	return fd;
}

TEST(api_version_is_12)
{
	EQ(IOCTL(open_kvm(), KVM_GET_API_VERSION, 0), 12);
}

TEST(api_argument_must_be_zero)
{
	struct vcpu *v = boot(0, &just_halt);

	REFUSED(EINVAL, IOCTL(v->vm->kvm, KVM_GET_API_VERSION, 1));
	REFUSED(EINVAL, IOCTL(v->vm->kvm, KVM_GET_VCPU_MMAP_SIZE, 1));
	REFUSED(EINVAL, IOCTL(v->fd, KVM_RUN, 1));
}

TEST(api_mmap_size_before_any_vm)
{
	long size = OK(IOCTL(open_kvm(), KVM_GET_VCPU_MMAP_SIZE, 0));

	CHECK(size >= 3 * PAGE_SIZE && size % PAGE_SIZE == 0);
}

/* The run page, the PIO page and the coalesced ring can be mapped alone. */
TEST(api_run_pages_map_one_by_one)
{
	struct vcpu *v = boot(0, &just_halt);

	for (unsigned int i = 0; i < 3; i++) {
		uint8_t *p = mmap(NULL, PAGE_SIZE, PROT_READ | PROT_WRITE,
				  MAP_SHARED, v->fd, i * PAGE_SIZE);

		CHECK(p != MAP_FAILED);
		EQ(memcmp(p, (uint8_t *)v->run + i * PAGE_SIZE, PAGE_SIZE), 0);
	}
}

/*
 * The reference answers EINVAL on /dev/kvm and on a vCPU where the rest of
 * the kernel says ENOTTY; either tells a caller what it must know.
 */
static void check_unknown(int fd, unsigned long cmd)
{
	long r = IOCTL(fd, cmd, 0);

	if (r != -ENOTTY && r != -EINVAL)
		fail("unknown ioctl %#lx gives %ld", cmd, r);
}

TEST(api_unknown_ioctls_refused)
{
	struct vcpu *v = boot(0, &just_halt);
	const int fds[] = { v->vm->kvm, v->vm->fd, v->fd };

	for (unsigned int i = 0; i < 3; i++) {
		check_unknown(fds[i], _IO(KVMIO, 0xfe));
		check_unknown(fds[i], _IOW(KVMIO, 0xfe, struct kvm_regs));
		check_unknown(fds[i], _IO('Z', 0x01));
		/* A known number with another size is another ioctl. */
		check_unknown(fds[i], _IOR(KVMIO, 0x81, uint64_t));
	}
	REFUSED(ENOTTY, IOCTL(v->vm->fd, _IO(KVMIO, 0xfe), 0));
}

TEST(api_ioctls_of_another_fd_refused)
{
	struct vcpu *v = boot(0, &just_halt);
	struct kvm_regs regs = { 0 };

	check_unknown(v->vm->kvm, KVM_RUN);
	check_unknown(v->vm->fd, KVM_RUN);
	check_unknown(v->fd, KVM_CREATE_VM);
	check_unknown(v->fd, KVM_CREATE_VCPU);
	check_unknown(v->vm->kvm, KVM_CREATE_VCPU);
	EQ(IOCTL(v->vm->fd, KVM_GET_REGS, &regs), (uint64_t)-ENOTTY);
}

TEST(api_unknown_capability_is_zero)
{
	struct vm *vm = vm_new(0);

	EQ(IOCTL(vm->kvm, KVM_CHECK_EXTENSION, 696969), 0);
	EQ(IOCTL(vm->fd, KVM_CHECK_EXTENSION, 696969), 0);
	EQ(IOCTL(vm->fd, KVM_CHECK_EXTENSION, -1UL), 0);
}

/* Without one of these QEMU does not start. */
TEST(api_capabilities_qemu_requires)
{
	static const unsigned int caps[] = {
		KVM_CAP_USER_MEMORY, KVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, KVM_CAP_INTERNAL_ERROR_DATA,
		KVM_CAP_IOEVENTFD, KVM_CAP_IOEVENTFD_ANY_LENGTH,
		KVM_CAP_SET_TSS_ADDR, KVM_CAP_SET_IDENTITY_MAP_ADDR,
		KVM_CAP_EXT_CPUID, KVM_CAP_MP_STATE, KVM_CAP_SIGNAL_MSI,
		KVM_CAP_IRQ_ROUTING, KVM_CAP_DEBUGREGS, KVM_CAP_XSAVE,
		KVM_CAP_VCPU_EVENTS, KVM_CAP_X86_ROBUST_SINGLESTEP,
		KVM_CAP_MCE, KVM_CAP_ADJUST_CLOCK,
		/* and these with its interrupt controllers in the kernel */
		KVM_CAP_IRQCHIP, KVM_CAP_IRQFD, KVM_CAP_PIT2,
		KVM_CAP_PIT_STATE2,
	};
	int kvm = open_kvm();

	for (unsigned int i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		if (IOCTL(kvm, KVM_CHECK_EXTENSION, caps[i]) <= 0)
			fail("no capability %u", caps[i]);
}

static const struct cap_range {
	unsigned int cap;
	long min, max;
} cap_ranges[] = {
	{ KVM_CAP_USER_MEMORY, 1, 1 },
	{ KVM_CAP_IMMEDIATE_EXIT, 1, 1 },
	{ KVM_CAP_READONLY_MEM, 1, 1 },
	{ KVM_CAP_XCRS, 1, 1 },
	{ KVM_CAP_KVMCLOCK_CTRL, 1, 1 },
	{ KVM_CAP_TSC_DEADLINE_TIMER, 1, 1 },
	{ KVM_CAP_MSI_DEVID, 0, 0 },
	{ KVM_CAP_COALESCED_MMIO, 2, 2 },
	{ KVM_CAP_IRQ_ROUTING, 4096, 4096 },
	{ KVM_CAP_MCE, 10, 32 },
	{ KVM_CAP_NR_VCPUS, 1, 1024 },
	{ KVM_CAP_MAX_VCPUS, 8, 4096 },
	{ KVM_CAP_MAX_VCPU_ID, 256, 16384 },
	{ KVM_CAP_NR_MEMSLOTS, 509, 32767 },
	{ KVM_CAP_MULTI_ADDRESS_SPACE, 0, 2 },
};

TEST(api_capability_values)
{
	struct vm *vm = vm_new(0);
	long v;

	for (unsigned int i = 0;
	     i < sizeof(cap_ranges) / sizeof(cap_ranges[0]); i++) {
		const struct cap_range *c = &cap_ranges[i];

		v = IOCTL(vm->fd, KVM_CHECK_EXTENSION, c->cap);
		if (v < c->min || v > c->max)
			fail("capability %u is %ld", c->cap, v);
	}
	v = IOCTL(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_NESTED_STATE);
	CHECK(v == 0 || v >= 128);
	v = IOCTL(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_XSAVE2);
	CHECK(v == 0 || v >= 4096);
	v = IOCTL(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_ADJUST_CLOCK);
	CHECK(v & KVM_CLOCK_TSC_STABLE);
}

TEST(api_vm_offers_what_the_system_offers)
{
	struct vm *vm = vm_new(0);

	here(__FILE__, __LINE__);
	for (unsigned int cap = 0; cap < 256; cap++) {
		/* These depend on the VM's type. */
		if (cap == KVM_CAP_MEMORY_ATTRIBUTES ||
		    cap == KVM_CAP_GUEST_MEMFD)
			continue;
		long sys = IOCTL(vm->kvm, KVM_CHECK_EXTENSION, cap);
		long own = IOCTL(vm->fd, KVM_CHECK_EXTENSION, cap);

		if (sys < 0 || own < sys)
			fail("capability %u: %ld on /dev/kvm, %ld on the VM",
			     cap, sys, own);
	}
}

TEST(api_supported_cpuid_sizes)
{
	struct kvm_cpuid2 *c = supported_cpuid(open_kvm());
	unsigned int real = c->nent;
	int kvm = open_kvm();

	CHECK(real > 10 && real <= 100);
	OK(IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, c));	/* exactly enough */
	EQ(c->nent, real);
	c->nent = real - 1;
	REFUSED(E2BIG, IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, c));
	c->nent = 1;
	REFUSED(E2BIG, IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, c));
	c->nent = 0;
	REFUSED(E2BIG, IOCTL(kvm, KVM_GET_SUPPORTED_CPUID, c));
}

TEST(api_supported_cpuid_has_the_leaves)
{
	static const uint32_t leaves[] = { 0, 1, 7, 0xd, 0x40000000, 0x40000001,
					   0x80000000, 0x80000001, 0x80000002,
					   0x80000008 };
	struct kvm_cpuid2 *c = supported_cpuid(open_kvm());
	struct kvm_cpuid_entry2 *e;

	for (unsigned int i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++)
		if (!find_cpuid(c, leaves[i], 0))
			fail("no leaf %#x", leaves[i]);
	e = find_cpuid(c, 0x40000000, 0);
	EQ(e->ebx, 0x4b4d564b);		/* KVMK */
	EQ(e->ecx, 0x564b4d56);		/* VMKV */
	EQ(e->edx, 0x4d);		/* M */
	for (unsigned int i = 0; i < c->nent; i++)
		CHECK(find_cpuid(c, c->entries[i].function,
				 c->entries[i].index) == &c->entries[i]);
}

static struct kvm_msr_list *msr_list(int kvm, unsigned long cmd)
{
	struct kvm_msr_list probe = { .nmsrs = 0 }, *list;

	REFUSED(E2BIG, IOCTL(kvm, cmd, &probe));
	CHECK(probe.nmsrs > 0);
	list = calloc(1, sizeof(*list) + probe.nmsrs * sizeof(uint32_t));
	list->nmsrs = probe.nmsrs - 1;
	REFUSED(E2BIG, IOCTL(kvm, cmd, list));
	EQ(list->nmsrs, probe.nmsrs);
	OK(IOCTL(kvm, cmd, list));
	EQ(list->nmsrs, probe.nmsrs);
	for (unsigned int i = 0; i < list->nmsrs; i++)
		for (unsigned int j = 0; j < i; j++)
			if (list->indices[i] == list->indices[j])
				fail("MSR %#x twice", list->indices[i]);
	return list;
}

TEST(api_msr_index_list)
{
	struct kvm_msr_list *list = msr_list(open_kvm(),
					     KVM_GET_MSR_INDEX_LIST);

	CHECK(list->nmsrs >= 10 && list->nmsrs <= 228);
}

TEST(api_feature_msrs_each_read)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} m = { .head.nmsrs = 1 };
	struct vm *vm = vm_new(0);
	struct kvm_msr_list *list;

	need_cap(vm, KVM_CAP_GET_MSR_FEATURES);
	list = msr_list(vm->kvm, KVM_GET_MSR_FEATURE_INDEX_LIST);
	for (unsigned int i = 0; i < list->nmsrs; i++) {
		m.entry.index = list->indices[i];
		if (IOCTL(vm->kvm, KVM_GET_MSRS, &m) != 1)
			fail("feature MSR %#x", list->indices[i]);
	}
	m.entry.index = 0x12345678;
	EQ(IOCTL(vm->kvm, KVM_GET_MSRS, &m), 0);
}

TEST(api_bad_pointers)
{
	static const unsigned long vm_cmds[] = {
		KVM_SET_USER_MEMORY_REGION, KVM_GET_DIRTY_LOG, KVM_IRQ_LINE,
		KVM_SET_GSI_ROUTING, KVM_SIGNAL_MSI, KVM_IRQFD, KVM_IOEVENTFD,
		KVM_GET_IRQCHIP, KVM_SET_IRQCHIP, KVM_CREATE_PIT2,
		KVM_GET_CLOCK, KVM_SET_CLOCK, KVM_ENABLE_CAP, KVM_CREATE_DEVICE,
		KVM_REGISTER_COALESCED_MMIO,
	};
	static const unsigned long vcpu_cmds[] = {
		KVM_GET_REGS, KVM_SET_REGS, KVM_GET_SREGS, KVM_SET_SREGS,
		KVM_GET_FPU, KVM_SET_FPU, KVM_GET_MSRS, KVM_SET_MSRS,
		KVM_GET_XSAVE, KVM_SET_XSAVE, KVM_GET_XCRS, KVM_SET_XCRS,
		KVM_GET_LAPIC, KVM_SET_LAPIC, KVM_GET_VCPU_EVENTS,
		KVM_SET_VCPU_EVENTS, KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS,
		KVM_GET_MP_STATE, KVM_SET_MP_STATE, KVM_SET_CPUID2,
		KVM_TRANSLATE, KVM_SET_GUEST_DEBUG, KVM_SET_SIGNAL_MASK,
	};
	struct vcpu *v = boot(VM_IRQCHIP, &just_halt);
	uint8_t *gone = host_pages(PAGE_SIZE);

	munmap(gone, PAGE_SIZE);
	REFUSED(EFAULT, IOCTL(v->vm->kvm, KVM_GET_SUPPORTED_CPUID, gone));
	REFUSED(EFAULT, IOCTL(v->vm->kvm, KVM_GET_MSR_INDEX_LIST, gone));
	for (unsigned int i = 0; i < sizeof(vm_cmds) / sizeof(long); i++)
		if (IOCTL(v->vm->fd, vm_cmds[i], gone) != -EFAULT)
			fail("VM ioctl %#lx", vm_cmds[i]);
	for (unsigned int i = 0; i < sizeof(vcpu_cmds) / sizeof(long); i++)
		if (IOCTL(v->fd, vcpu_cmds[i], gone) != -EFAULT)
			fail("vCPU ioctl %#lx", vcpu_cmds[i]);
}

TEST(api_vm_type_unknown)
{
	REFUSED(EINVAL, IOCTL(open_kvm(), KVM_CREATE_VM, 0xdead));
}

TEST(api_vcpu_ids)
{
	struct vm *vm = vm_new(VM_IRQCHIP);
	long max = OK(IOCTL(vm->fd, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPU_ID));

	vcpu_bare(vm, 0);
	REFUSED(EEXIST, IOCTL(vm->fd, KVM_CREATE_VCPU, 0));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_CREATE_VCPU, max));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_CREATE_VCPU, -1UL));
	vcpu_bare(vm, 7);		/* sparse */
	vcpu_bare(vm, 200);
	REFUSED(EEXIST, IOCTL(vm->fd, KVM_CREATE_VCPU, 200));
}

TEST(api_irqchip_once_and_before_vcpus)
{
	struct vm *vm = vm_new(VM_IRQCHIP);

	REFUSED(EEXIST, IOCTL(vm->fd, KVM_CREATE_IRQCHIP, 0));
	vm = vm_new(0);
	vcpu_bare(vm, 0);
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_CREATE_IRQCHIP, 0));
}

TEST(api_identity_map_before_vcpus)
{
	struct vm *vm = vm_new(0);
	uint64_t addr = 0xfeffc000;

	OK(IOCTL(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &addr));
	vcpu_bare(vm, 0);
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &addr));
	OK(IOCTL(vm->fd, KVM_SET_TSS_ADDR, 0xfeffd000));
}

/* What old hardware needed: the addresses and numbers are checked, no more. */
TEST(api_limits_of_old_hardware)
{
	struct vm *vm = vm_new(0);

	OK(IOCTL(vm->fd, KVM_SET_TSS_ADDR, 0xffffd000));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_TSS_ADDR, 0xffffd001));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_SET_NR_MMU_PAGES, 63));
	OK(IOCTL(vm->fd, KVM_SET_NR_MMU_PAGES, 64));
}

/* Ids end below KVM_CAP_MAX_VCPU_ID, the boot CPU's too. */
TEST(api_boot_cpu_below_the_last_id)
{
	struct kvm_enable_cap cap = {
		.cap = KVM_CAP_MAX_VCPU_ID, .args[0] = 4,
	};
	struct vm *vm = vm_new(0);

	OK(IOCTL(vm->fd, KVM_SET_BOOT_CPU_ID, 5));
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_ENABLE_CAP, &cap));
	OK(IOCTL(vm->fd, KVM_SET_BOOT_CPU_ID, 3));
	OK(IOCTL(vm->fd, KVM_ENABLE_CAP, &cap));
	vm = vm_new(0);
	OK(IOCTL(vm->fd, KVM_SET_BOOT_CPU_ID, 4));
	skip_on_reference("they take it: no vCPU can have the id 4");
	REFUSED(EINVAL, IOCTL(vm->fd, KVM_ENABLE_CAP, &cap));
}

TEST(api_device_types)
{
	struct kvm_create_device d = { .type = 0xffff };
	struct vm *vm = vm_new(0);

	REFUSED(ENODEV, IOCTL(vm->fd, KVM_CREATE_DEVICE, &d));
	d.flags = KVM_CREATE_DEVICE_TEST;
	REFUSED(ENODEV, IOCTL(vm->fd, KVM_CREATE_DEVICE, &d));
}

TEST(api_unknown_attributes)
{
	struct kvm_device_attr a = { .group = 99, .attr = 99 };
	struct vcpu *v = boot(0, &just_halt);

	REFUSED(ENXIO, IOCTL(v->vm->kvm, KVM_HAS_DEVICE_ATTR, &a));
	REFUSED(ENXIO, IOCTL(v->fd, KVM_HAS_DEVICE_ATTR, &a));
}

TEST(api_unknown_enable_cap)
{
	struct kvm_enable_cap cap = { .cap = 696969 };
	struct vcpu *v = boot(0, &just_halt);

	REFUSED(EINVAL, IOCTL(v->vm->fd, KVM_ENABLE_CAP, &cap));
	REFUSED(EINVAL, IOCTL(v->fd, KVM_ENABLE_CAP, &cap));
}

TEST(api_mce)
{
	struct vcpu *v = boot(VM_IRQCHIP, &just_halt);
	uint64_t cap = 0;

	OK(IOCTL(v->vm->kvm, KVM_X86_GET_MCE_CAP_SUPPORTED, &cap));
	CHECK(cap & 1 << 8);			/* MCG_CTL_P */
	CHECK(cap & 1 << 24);			/* MCG_SER_P */
	cap = (cap & ~0xffULL) | 10;
	OK(IOCTL(v->fd, KVM_X86_SETUP_MCE, &cap));
	/* MCG_CAP: banks and CTL_P; AMD has none of the rest. */
	EQ(get_msr(v, 0x179) & 0x1ff, cap & 0x1ff);
	cap = (cap & ~0xffULL) | 0xff;
	REFUSED(EINVAL, IOCTL(v->fd, KVM_X86_SETUP_MCE, &cap));
}

TEST(api_vcpu_outlives_vm_fd)
{
	struct vcpu *v = boot(0, &just_halt);

	close(v->vm->fd);
	close(v->vm->kvm);
	expect_halt(v);
}

/* A VM belongs to the address space that made it. */
TEST(api_other_process_refused)
{
	struct vcpu *v = boot(0, &just_halt);
	struct kvm_regs regs;
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(IOCTL(v->fd, KVM_GET_REGS, &regs) != -EIO ||
		      IOCTL(v->fd, KVM_RUN, 0) != -EIO ||
		      IOCTL(v->vm->fd, KVM_CREATE_VCPU, 5) != -EIO);
	CHECK(waitpid(pid, &status, 0) == pid);
	EQ(status, 0);
	expect_halt(v);
}

TEST(api_parked_vcpu_runs_again)
{
	struct vcpu *v = boot(0, &just_halt);
	struct kvm_cpuid2 *c = supported_cpuid(v->vm->kvm);

	c->nent = 100;
	OK(IOCTL(v->fd, KVM_GET_CPUID2, c));
	expect_halt(v);
	munmap(v->run, v->run_size);
	v->run = mmap(NULL, v->run_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		      v->fd, 0);
	CHECK(v->run != MAP_FAILED);
	OK(IOCTL(v->fd, KVM_SET_CPUID2, c));	/* the same again */
	vcpu_start(v, &just_halt);
	expect_halt(v);
}
