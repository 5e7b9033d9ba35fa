// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host does to its CPUs while guests run on them.
 */
#include "harness.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define STOP (GPA_DATA + 64)
#define VCPUS 2

/* Each counts in a word of its own, the one that RDI says. */
PAYLOAD(64, counting,
	mov $GPA_DATA, %ebx;
	sti;
1:	incl (%rdi);
	cmpl $0, 64(%rbx);
	je 1b;
	hlt;
)

static uint32_t *word(struct vm *vm, uint64_t gpa)
{
	return (uint32_t *)(vm->ram + gpa);
}

static uint32_t count(struct vm *vm, unsigned int i)
{
	return __atomic_load_n(word(vm, GPA_DATA + 4 * i), __ATOMIC_RELAXED);
}

static void until_halt(struct vcpu *v)
{
	expect_halt(v);
}

static void all_go_on(struct vm *vm)
{
	for (unsigned int i = 0; i < VCPUS; i++) {
		uint32_t before = count(vm, i);

		EVENTUALLY(count(vm, i) != before);
	}
}

static void set_online(int fd, const char *value)
{
	CHECK(pwrite(fd, value, 1, 0) == 1);
}

TEST(host_cpu_goes_and_comes)
{
	int fd = open("/sys/devices/system/cpu/cpu1/online", O_RDWR);
	struct runner r[VCPUS];
	struct vm *vm;

	if (fd < 0)
		skip("no CPU that can go");
	if (on_bochs())
		skip("Bochs: not tried");
	vm = vm_new(0);
	for (unsigned int i = 0; i < VCPUS; i++) {
		struct vcpu *v = vcpu_new(vm, i);
		struct kvm_regs regs;

		vcpu_start(v, &counting);
		regs = get_regs(v);
		regs.rdi = GPA_DATA + 4 * i;
		set_regs(v, &regs);
		runner_start(&r[i], v, until_halt);
	}
	for (unsigned int round = 0; round < 3; round++) {
		all_go_on(vm);
		set_online(fd, "0");
		all_go_on(vm);
		/* A VM that begins with the CPU away. */
		vm_free(vm_new(VM_IRQCHIP));
		set_online(fd, "1");
		all_go_on(vm);
	}
	__atomic_store_n(word(vm, STOP), 1, __ATOMIC_RELAXED);
	for (unsigned int i = 0; i < VCPUS; i++)
		runner_join(&r[i]);
}

/* The vendor's module, which is the one that others do not use. */
static const char *vendor_module(void)
{
	static char line[256];
	FILE *f = fopen("/proc/modules", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, " ")] = '\0';
		if (!strcmp(line, "kvm_amd") || !strcmp(line, "kvm_intel"))
			break;
		line[0] = '\0';
	}
	fclose(f);
	return line;
}

/*
 * /dev/kvm leads to the vendor's module: whoever has it open, without any VM,
 * keeps that module.
 */
TEST(host_open_device_holds_the_module)
{
	const char *module = vendor_module();
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	CHECK(fd >= 0);
	if (!*module)
		skip("KVM is built in");
	CHECK(syscall(SYS_delete_module, module, O_NONBLOCK) < 0);
	CHECK(IOCTL(fd, KVM_GET_API_VERSION, 0) == KVM_API_VERSION);
	OK(IOCTL(fd, KVM_CREATE_VM, 0));
}
